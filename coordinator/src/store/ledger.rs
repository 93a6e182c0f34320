//! What a probe counts: pages of buckets, the memo, and alerts as they stand, under the name of its plan.

use std::collections::BTreeMap;

use doorbuster_model::slo::{AlertView, Page, Saved, SeriesKey};

use super::database::{Row, Transaction, Value};
use super::owner::now_s;
use super::{NewLetter, Owner, Store, StoreError, words};

/// What a probe saves at once: all of it, or nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Step {
    /// Pages that changed.
    pub(crate) pages: Vec<(SeriesKey, Page)>,
    /// Pages that nobody needs any more, by their length and when they begin.
    pub(crate) dropped: Vec<(SeriesKey, u32, i64)>,
    /// Everything else that is needed after a crash, when it changed.
    pub(crate) memo: Option<Vec<u8>>,
    /// What notifiers are to be sent. A letter that was saved before is no second one.
    pub(crate) letters: Vec<NewLetter>,
    /// All alerts as they stand now.
    pub(crate) alerts: Vec<AlertView>,
}

/// The numbers of series, by objective and scope.
type Series = BTreeMap<(String, String), i64>;

impl Store {
    /// Saves a step of the owner's ledger. When this returns, it outlives this process and the machine.
    ///
    /// # Errors
    /// [`StoreError`]: nothing of it was saved then. [`Trouble::Owned`](super::Trouble::Owned) when somebody else owns the
    /// ledger by now.
    pub(crate) async fn save_as(&self, owner: &Owner, step: &Step) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        self.renew(&mut transaction, owner, now_s()).await?;
        put(&mut transaction, owner.ledger(), step).await?;
        transaction.commit().await
    }

    /// Saves a step of a ledger that nobody owns.
    #[cfg(test)]
    pub(super) async fn save(&self, ledger: &str, step: &Step) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        put(&mut transaction, ledger, step).await?;
        transaction.commit().await
    }

    /// What was saved last; `None` when nothing ever was.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn load(&self, ledger: &str) -> Result<Option<Saved>, StoreError> {
        let sql = "SELECT s.objective, s.scope, p.start_s, p.length_s, p.bytes FROM pages p \
                   JOIN series s ON s.id = p.series WHERE s.ledger = $1 \
                   ORDER BY p.start_s, p.length_s, s.id";
        let rows = self.database.rows(sql, &[ledger.into()]).await?;
        let mut pages = Vec::with_capacity(rows.len());
        for row in &rows {
            let key = SeriesKey { objective: row.text(0)?, scope: words::scope_of(row.text(1)?) };
            pages.push((key, page(row, 2)?));
        }
        let rows = self.database.rows("SELECT bytes FROM memos WHERE ledger = $1", &[ledger.into()]).await?;
        let memo = rows.first().map(|row| row.bytes(0)).transpose()?;
        if memo.is_none() && pages.is_empty() {
            return Ok(None);
        }
        Ok(Some(Saved { pages, memo: memo.unwrap_or_default() }))
    }

    /// The pages of a series that have anything of a time, by when they begin.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn pages_between(
        &self,
        ledger: &str,
        key: &SeriesKey,
        from_s: i64,
        to_s: i64,
    ) -> Result<Vec<Page>, StoreError> {
        let sql = "SELECT p.start_s, p.length_s, p.bytes FROM pages p JOIN series s ON s.id = p.series \
                   WHERE s.ledger = $1 AND s.objective = $2 AND s.scope = $3 \
                   AND p.start_s < $5 AND p.start_s + p.length_s > $4 ORDER BY p.start_s, p.length_s";
        let (objective, scope) = (key.objective.as_str(), words::scope(&key.scope));
        let values: [Value<'_>; 5] =
            [ledger.into(), objective.into(), scope.into(), from_s.into(), to_s.into()];
        let rows = self.database.rows(sql, &values).await?;
        rows.iter().map(|row| page(row, 0)).collect()
    }
}

/// Writes everything of a step.
async fn put(transaction: &mut Transaction, ledger: &str, step: &Step) -> Result<(), StoreError> {
    let series = series(transaction, ledger, step).await?;
    drop_pages(transaction, &series, step).await?;
    put_pages(transaction, &series, step).await?;
    if let Some(memo) = &step.memo {
        let sql = "INSERT INTO memos (ledger, bytes) VALUES ($1, $2) \
                   ON CONFLICT (ledger) DO UPDATE SET bytes = excluded.bytes";
        transaction.execute(sql, &[ledger.into(), memo.as_slice().into()]).await?;
    }
    put_alerts(transaction, ledger, &step.alerts).await?;
    super::outbox::put(transaction, ledger, &step.letters).await
}

/// The numbers of the ledger's series; those that a step is the first to have are given one.
async fn series(transaction: &mut Transaction, ledger: &str, step: &Step) -> Result<Series, StoreError> {
    let sql = "SELECT objective, scope, id FROM series WHERE ledger = $1";
    let mut known = Series::new();
    for row in transaction.rows(sql, &[ledger.into()]).await? {
        known.insert((row.text(0)?, row.text(1)?), row.integer(2)?);
    }
    let mut new = Series::new();
    for (key, _) in &step.pages {
        let name = name(key);
        if !known.contains_key(&name) {
            new.insert(name, 0);
        }
    }
    if new.is_empty() {
        return Ok(known);
    }
    let first = transaction.reserve("series", new.len()).await?;
    for (number, id) in (first..).zip(new.values_mut()) {
        *id = number;
    }
    let mut values: Vec<Value<'_>> = Vec::with_capacity(4 * new.len());
    for ((objective, scope), id) in &new {
        values.extend([Value::from(*id), ledger.into(), objective.as_str().into(), scope.as_str().into()]);
    }
    transaction.insert("series (id, ledger, objective, scope)", 4, &values, "").await?;
    known.extend(new);
    Ok(known)
}

fn name(key: &SeriesKey) -> (String, String) {
    (key.objective.clone(), words::scope(&key.scope).to_owned())
}

async fn put_pages(transaction: &mut Transaction, series: &Series, step: &Step) -> Result<(), StoreError> {
    // A page that is there twice would be one row twice in one statement, which PostgreSQL refuses: the last is the page.
    let mut pages: BTreeMap<(i64, u32, i64), &[u8]> = BTreeMap::new();
    for (key, page) in &step.pages {
        if let Some(id) = series.get(&name(key)) {
            pages.insert((page.start_s, page.length_s, *id), &page.bytes);
        }
    }
    let mut values: Vec<Value<'_>> = Vec::with_capacity(4 * pages.len());
    for ((start_s, length_s, id), bytes) in pages {
        values.extend([Value::from(start_s), length_s.into(), id.into(), bytes.into()]);
    }
    let or = "ON CONFLICT (start_s, length_s, series) DO UPDATE SET bytes = excluded.bytes";
    transaction.insert("pages (start_s, length_s, series, bytes)", 4, &values, or).await
}

async fn drop_pages(transaction: &mut Transaction, series: &Series, step: &Step) -> Result<(), StoreError> {
    let sql = "DELETE FROM pages WHERE start_s = $1 AND length_s = $2 AND series = $3";
    for (key, length_s, start_s) in &step.dropped {
        if let Some(id) = series.get(&name(key)) {
            transaction.execute(sql, &[(*start_s).into(), (*length_s).into(), (*id).into()]).await?;
        }
    }
    Ok(())
}

async fn put_alerts(
    transaction: &mut Transaction,
    ledger: &str,
    alerts: &[AlertView],
) -> Result<(), StoreError> {
    transaction.execute("DELETE FROM alerts WHERE ledger = $1", &[ledger.into()]).await?;
    let mut values: Vec<Value<'_>> = Vec::with_capacity(10 * alerts.len());
    for alert in alerts {
        values.extend([
            Value::from(ledger),
            alert.incident.as_str().into(),
            words::status(alert.status).into(),
            words::severity(alert.severity).into(),
            alert.rule.as_str().into(),
            alert.objective.as_deref().into(),
            words::scope(&alert.scope).into(),
            alert.since_s.into(),
            alert.is_silenced.into(),
            alert.is_inhibited.into(),
        ]);
    }
    let into = "alerts (ledger, incident, status, severity, rule, objective, scope, since_s, is_silenced, is_inhibited)";
    transaction.insert(into, 10, &values, "ON CONFLICT (ledger, incident) DO NOTHING").await
}

fn page(row: &Row, first: usize) -> Result<Page, StoreError> {
    let length_s = row.integer(first + 1)?;
    Ok(Page {
        start_s: row.integer(first)?,
        length_s: u32::try_from(length_s).map_err(|_| row.impossible("length of a page", length_s))?,
        bytes: row.bytes(first + 2)?,
    })
}
