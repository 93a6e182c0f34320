//! Letters to notifiers: written together with what they tell of, and there until they are delivered.

use super::database::{Row, Transaction, Value};
use super::{Store, StoreError};

/// How long a letter that needs nothing more is kept, so that it is known when it is written again: 90 days.
const KEPT_S: i64 = 90 * 86_400;

/// A letter that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewLetter {
    /// To whom.
    pub(crate) notifier: String,
    /// The incident that it is about.
    pub(crate) incident: String,
    /// Which of the incident's letters it is.
    pub(crate) sequence: u32,
    /// What it says, as JSON.
    pub(crate) payload: String,
    /// When it was written, in seconds since 1970.
    pub(crate) made_at_s: i64,
    /// Whether it says that somebody has to get up: of too many letters, others are lost before it.
    pub(crate) is_urgent: bool,
}

/// A letter that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Its number.
    pub(crate) id: i64,
    /// To whom.
    pub(crate) notifier: String,
    /// The incident that it is about.
    pub(crate) incident: String,
    /// Which of the incident's letters it is.
    pub(crate) sequence: u32,
    /// What it says, as JSON.
    pub(crate) payload: String,
    /// When it was written, in seconds since 1970; what it tells of may be older.
    pub(crate) made_at_s: i64,
    /// How often it was tried.
    pub(crate) attempts: u32,
}

/// How the outbox stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OutboxStanding {
    /// Letters that are neither delivered nor refused.
    pub(crate) waiting: u64,
    /// When the oldest of them was written, in seconds since 1970.
    pub(crate) oldest_s: Option<i64>,
    /// Letters that were given up.
    pub(crate) refused: u64,
    /// Why the newest letter that waits after a failure, or was given up, did not arrive.
    pub(crate) why: Option<String>,
}

/// Writes the letters of a step; those that were written before are left as they are.
pub(super) async fn put(
    transaction: &mut Transaction,
    ledger: &str,
    letters: &[NewLetter],
) -> Result<(), StoreError> {
    let Some(now_s) = letters.iter().map(|letter| letter.made_at_s).max() else { return Ok(()) };
    let first = transaction.reserve("outbox", letters.len()).await?;
    let mut values: Vec<Value<'_>> = Vec::with_capacity(9 * letters.len());
    for (id, letter) in (first..).zip(letters) {
        values.extend([
            Value::from(id),
            ledger.into(),
            letter.notifier.as_str().into(),
            letter.incident.as_str().into(),
            letter.sequence.into(),
            letter.payload.as_str().into(),
            letter.made_at_s.into(),
            letter.made_at_s.into(),
            0_u32.into(),
        ]);
    }
    let into = "outbox (id, ledger, notifier, incident, sequence, payload, made_at_s, next_at_s, attempts)";
    let or = "ON CONFLICT (ledger, notifier, incident, sequence) DO NOTHING";
    transaction.insert(into, 9, &values, or).await?;
    let sql = "DELETE FROM outbox WHERE ledger = $1 AND (delivered_at_s < $2 OR refused_at_s < $2)";
    transaction.execute(sql, &[ledger.into(), (now_s - KEPT_S).into()]).await?;
    Ok(())
}

impl Store {
    /// Letters that are due, the oldest first. Of those about one incident to one notifier only the first comes: the next
    /// is due once it is delivered or given up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn letters_due(
        &self,
        ledger: &str,
        now_s: i64,
        limit: u32,
    ) -> Result<Vec<Letter>, StoreError> {
        let sql = "SELECT o.id, o.notifier, o.incident, o.sequence, o.payload, o.made_at_s, o.attempts FROM outbox o \
                   WHERE o.ledger = $1 AND o.next_at_s <= $2 \
                   AND o.delivered_at_s IS NULL AND o.refused_at_s IS NULL \
                   AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.ledger = o.ledger \
                   AND e.notifier = o.notifier AND e.incident = o.incident AND e.sequence < o.sequence \
                   AND e.delivered_at_s IS NULL AND e.refused_at_s IS NULL) \
                   ORDER BY o.made_at_s, o.id LIMIT $3";
        let rows = self.database.rows(sql, &[ledger.into(), now_s.into(), limit.into()]).await?;
        rows.iter().map(letter).collect()
    }

    /// A letter arrived.
    ///
    /// # Errors
    /// [`StoreError`]: it is due again then, and its receiver knows it by its key.
    pub(crate) async fn letter_delivered(&self, id: i64, at_s: i64) -> Result<(), StoreError> {
        let sql = "UPDATE outbox SET delivered_at_s = $2, attempts = attempts + 1 WHERE id = $1";
        self.mark(sql, &[id.into(), at_s.into()]).await
    }

    /// A letter did not arrive, and is tried again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn letter_failed(&self, id: i64, next_at_s: i64, why: &str) -> Result<(), StoreError> {
        let sql = "UPDATE outbox SET next_at_s = $2, why = $3, attempts = attempts + 1 WHERE id = $1";
        self.mark(sql, &[id.into(), next_at_s.into(), why.into()]).await
    }

    /// A letter is given up: trying again would not mend it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn letter_refused(&self, id: i64, at_s: i64, why: &str) -> Result<(), StoreError> {
        let sql = "UPDATE outbox SET refused_at_s = $2, why = $3, attempts = attempts + 1 WHERE id = $1";
        self.mark(sql, &[id.into(), at_s.into(), why.into()]).await
    }

    /// How the outbox stands.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn outbox_standing(&self, ledger: &str) -> Result<OutboxStanding, StoreError> {
        let mut standing = OutboxStanding::default();
        let sql = "SELECT COUNT(*), MIN(made_at_s) FROM outbox \
                   WHERE ledger = $1 AND delivered_at_s IS NULL AND refused_at_s IS NULL";
        if let Some(row) = self.database.rows(sql, &[ledger.into()]).await?.first() {
            (standing.waiting, standing.oldest_s) = (row.count(0)?, row.integer_or_null(1)?);
        }
        let sql = "SELECT COUNT(*) FROM outbox WHERE ledger = $1 AND refused_at_s IS NOT NULL";
        if let Some(row) = self.database.rows(sql, &[ledger.into()]).await?.first() {
            standing.refused = row.count(0)?;
        }
        let sql = "SELECT why FROM outbox WHERE ledger = $1 AND delivered_at_s IS NULL AND why IS NOT NULL \
                   ORDER BY made_at_s DESC, id DESC LIMIT 1";
        if let Some(row) = self.database.rows(sql, &[ledger.into()]).await?.first() {
            standing.why = row.text_or_null(0)?;
        }
        Ok(standing)
    }

    async fn mark(&self, sql: &'static str, values: &[Value<'_>]) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        transaction.execute(sql, values).await?;
        transaction.commit().await
    }
}

fn letter(row: &Row) -> Result<Letter, StoreError> {
    let number = |column: usize, what: &str| {
        let number = row.integer(column)?;
        u32::try_from(number).map_err(|_| row.impossible(what, number))
    };
    Ok(Letter {
        id: row.integer(0)?,
        notifier: row.text(1)?,
        incident: row.text(2)?,
        sequence: number(3, "sequence")?,
        payload: row.text(4)?,
        made_at_s: row.integer(5)?,
        attempts: number(6, "number of attempts")?,
    })
}
