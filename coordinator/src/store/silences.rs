//! Silences: written by a command, read by the probe.

use doorbuster_model::slo::Silence;

use super::database::Value;
use super::{Store, StoreError, words};

impl Store {
    /// Keeps a silence; one of the same name is replaced.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn put_silence(&self, ledger: &str, silence: &Silence) -> Result<(), StoreError> {
        let sql = "INSERT INTO silences (ledger, id, objective, scope, from_s, to_s, reason) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) \
                   ON CONFLICT (ledger, id) DO UPDATE SET objective = excluded.objective, \
                   scope = excluded.scope, from_s = excluded.from_s, to_s = excluded.to_s, \
                   reason = excluded.reason";
        let values: [Value<'_>; 7] = [
            ledger.into(),
            silence.id.as_str().into(),
            silence.objective.as_deref().into(),
            silence.scope.as_ref().map(words::scope).into(),
            silence.from_s.into(),
            silence.to_s.into(),
            silence.reason.as_str().into(),
        ];
        let mut transaction = self.database.begin().await?;
        transaction.execute(sql, &values).await?;
        transaction.commit().await
    }

    /// Every silence, by when it begins.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn silences(&self, ledger: &str) -> Result<Vec<Silence>, StoreError> {
        let sql = "SELECT id, objective, scope, from_s, to_s, reason FROM silences \
                   WHERE ledger = $1 ORDER BY from_s, to_s";
        let rows = self.database.rows(sql, &[ledger.into()]).await?;
        let mut silences = Vec::with_capacity(rows.len());
        for row in &rows {
            silences.push(Silence {
                id: row.text(0)?,
                objective: row.text_or_null(1)?,
                scope: row.text_or_null(2)?.map(words::scope_of),
                from_s: row.integer(3)?,
                to_s: row.integer(4)?,
                reason: row.text(5)?,
            });
        }
        Ok(silences)
    }

    /// Takes a silence away. False when there is none of that name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn drop_silence(&self, ledger: &str, id: &str) -> Result<bool, StoreError> {
        let mut transaction = self.database.begin().await?;
        let sql = "DELETE FROM silences WHERE ledger = $1 AND id = $2";
        let dropped = transaction.execute(sql, &[ledger.into(), id.into()]).await?;
        transaction.commit().await?;
        Ok(dropped > 0)
    }
}
