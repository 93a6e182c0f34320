//! Whose a ledger is. A probe owns the ledger of its plan from when it opens it, and every save renews that: two that count
//! into one ledger would write over each other's pages, and neither's budgets would be true.

use jiff::Timestamp;

use super::database::{Row, Transaction, Value};
use super::process::Process;
use super::{Store, StoreError, Trouble};

/// How long a ledger stays somebody's who does not renew it and of whom nobody can tell whether they live, in seconds.
/// A probe saves every ten.
const FRESH_S: u64 = 30;
/// How often it is tried: what somebody who was killed had begun to write may come into effect while they are looked at.
const ATTEMPTS: u32 = 3;

/// That a ledger is this process's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    ledger: String,
    run: String,
}

/// Who holds a ledger, as the store has it.
struct Holder {
    run: String,
    process: Process,
    renewed_at_s: i64,
}

impl Store {
    /// Makes a ledger a run's own.
    ///
    /// # Errors
    /// [`Trouble::Owned`] while another run has it: one that renewed it within 30 s, and that has not certainly ended.
    pub(crate) async fn own(&self, ledger: &str, run: &str) -> Result<Owner, StoreError> {
        self.own_as(ledger, run, &Process::own(), now_s()).await
    }

    pub(super) async fn own_as(
        &self,
        ledger: &str,
        run: &str,
        process: &Process,
        now_s: i64,
    ) -> Result<Owner, StoreError> {
        let mut transaction = self.database.begin().await?;
        for _ in 0..ATTEMPTS {
            if let Some(holder) = holder(&mut transaction, ledger).await? {
                if holder.holds(now_s) {
                    return Err(self.owned(&holder, now_s));
                }
                // Only as it was seen: it may have been renewed meanwhile.
                let sql = "DELETE FROM owners WHERE ledger = $1 AND run = $2 AND renewed_at_s = $3";
                let values: [Value<'_>; 3] =
                    [ledger.into(), holder.run.as_str().into(), holder.renewed_at_s.into()];
                transaction.execute(sql, &values).await?;
            }
            let sql = "INSERT INTO owners (ledger, run, machine, host, process, process_began, renewed_at_s) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (ledger) DO NOTHING";
            let values: [Value<'_>; 7] = [
                ledger.into(),
                run.into(),
                process.machine.as_str().into(),
                process.host.as_str().into(),
                process.number.into(),
                process.began.into(),
                now_s.into(),
            ];
            if transaction.execute(sql, &values).await? > 0 {
                transaction.commit().await?;
                return Ok(Owner { ledger: ledger.to_owned(), run: run.to_owned() });
            }
        }
        let why = "others open it at the same moment".to_owned();
        Err(self.database.origin().trouble(Trouble::Owned, why))
    }

    /// Renews that a ledger is its owner's, in the transaction that writes into it.
    ///
    /// # Errors
    /// [`Trouble::Owned`] when somebody else has it by now.
    pub(super) async fn renew(
        &self,
        transaction: &mut Transaction,
        owner: &Owner,
        now_s: i64,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE owners SET renewed_at_s = $3 WHERE ledger = $1 AND run = $2";
        let values: [Value<'_>; 3] = [owner.ledger().into(), owner.run.as_str().into(), now_s.into()];
        if transaction.execute(sql, &values).await? > 0 {
            return Ok(());
        }
        let holder = holder(transaction, owner.ledger()).await?;
        let gone = || self.database.origin().trouble(Trouble::Owned, "somebody else had it since".to_owned());
        Err(holder.map_or_else(gone, |holder| self.owned(&holder, now_s)))
    }

    /// Gives a ledger free, for whoever comes next.
    ///
    /// # Errors
    /// [`StoreError`]: it is free by itself once its owner has ended, or after 30 s.
    pub(crate) async fn disown(&self, owner: &Owner) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        let sql = "DELETE FROM owners WHERE ledger = $1 AND run = $2";
        transaction.execute(sql, &[owner.ledger().into(), owner.run.as_str().into()]).await?;
        transaction.commit().await
    }

    fn owned(&self, holder: &Holder, now_s: i64) -> StoreError {
        let Holder { run, process, renewed_at_s } = holder;
        let ago_s = now_s.abs_diff(*renewed_at_s);
        let why = format!("probe {run}, process {} on {}, {ago_s} s ago", process.number, process.host);
        self.database.origin().trouble(Trouble::Owned, why)
    }
}

impl Owner {
    /// The ledger.
    pub(super) fn ledger(&self) -> &str {
        &self.ledger
    }
}

impl Holder {
    fn of(row: &Row) -> Result<Self, StoreError> {
        let number = row.integer(3)?;
        let number = u32::try_from(number).map_err(|_| row.impossible("number of a process", number))?;
        let process = Process { machine: row.text(1)?, host: row.text(2)?, number, began: row.count(4)? };
        Ok(Self { run: row.text(0)?, process, renewed_at_s: row.integer(5)? })
    }

    /// Whether it still has the ledger. A clock that was set is no sign of life, in whichever direction.
    fn holds(&self, now_s: i64) -> bool {
        now_s.abs_diff(self.renewed_at_s) < FRESH_S && !self.process.has_ended()
    }
}

/// Unix seconds, now.
pub(super) fn now_s() -> i64 {
    Timestamp::now().as_second()
}

async fn holder(transaction: &mut Transaction, ledger: &str) -> Result<Option<Holder>, StoreError> {
    let sql = "SELECT run, machine, host, process, process_began, renewed_at_s FROM owners WHERE ledger = $1";
    let rows = transaction.rows(sql, &[ledger.into()]).await?;
    rows.first().map(Holder::of).transpose()
}
