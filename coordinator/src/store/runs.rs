//! Runs: what a list shows of each, its report, its seconds and its findings.

use std::collections::BTreeMap;
use std::ops::Range;

use super::database::{Row, Value};
use super::{Store, StoreError};

/// How many seconds are written at once.
const TICKS_AT_ONCE: usize = 100;

/// What a list shows of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunHead {
    /// Its id.
    pub(crate) id: String,
    /// The plan's name.
    pub(crate) name: String,
    /// The word of its job.
    pub(crate) job: String,
    /// When second 0 began, in milliseconds since 1970.
    pub(crate) began_ms: i64,
    /// From then to the last report.
    pub(crate) length_ms: u64,
    /// The word of its verdict.
    pub(crate) verdict: String,
    /// Exchanges attempted.
    pub(crate) requests: u64,
    /// Failed ones among them.
    pub(crate) errors: u64,
    /// The 95th percentile of the latency of all exchanges, where there are enough.
    pub(crate) p95_us: Option<u64>,
}

/// A run as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunRow {
    /// What a list shows.
    pub(crate) head: RunHead,
    /// The JSON report.
    pub(crate) report: Vec<u8>,
    /// The names of journeys and of their steps by position, as JSON: what the keys of ticks mean.
    pub(crate) journeys: String,
}

/// A broken promise of the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FindingRow {
    /// The rule that is broken.
    pub(crate) rule: String,
    /// The word for how grave it is.
    pub(crate) severity: String,
    /// The region that saw it.
    pub(crate) region: String,
    /// The class of content.
    pub(crate) class: String,
    /// How many answers it is about.
    pub(crate) count: u64,
    /// The report's finding, as JSON.
    pub(crate) json: Vec<u8>,
}

/// What a second came to in a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TickRow {
    /// Seconds since the start.
    pub(crate) second: u32,
    /// The region's name.
    pub(crate) region: String,
    /// A tick, as agents send it, without the frame's length.
    pub(crate) bytes: Vec<u8>,
}

impl Store {
    /// Keeps a run with its findings and its seconds: all of it, or nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn put_run(
        &self,
        run: &RunRow,
        findings: &[FindingRow],
        ticks: &mut dyn Iterator<Item = TickRow>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        let head = &run.head;
        let sql = "INSERT INTO runs (id, name, job, began_ms, length_ms, verdict, requests, errors, p95_us, \
                   report, journeys) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let values: [Value<'_>; 11] = [
            head.id.as_str().into(),
            head.name.as_str().into(),
            head.job.as_str().into(),
            head.began_ms.into(),
            head.length_ms.into(),
            head.verdict.as_str().into(),
            head.requests.into(),
            head.errors.into(),
            head.p95_us.into(),
            run.report.as_slice().into(),
            run.journeys.as_str().into(),
        ];
        transaction.execute(sql, &values).await?;
        let mut values: Vec<Value<'_>> = Vec::with_capacity(8 * findings.len());
        for (number, finding) in (0_u64..).zip(findings) {
            values.extend([
                Value::from(head.id.as_str()),
                number.into(),
                finding.rule.as_str().into(),
                finding.severity.as_str().into(),
                finding.region.as_str().into(),
                finding.class.as_str().into(),
                finding.count.into(),
                finding.json.as_slice().into(),
            ]);
        }
        let into = "findings (run, number, rule, severity, region, class, times, finding)";
        transaction.insert(into, 8, &values, "").await?;
        loop {
            let some: Vec<TickRow> = Iterator::take(&mut *ticks, TICKS_AT_ONCE).collect();
            if some.is_empty() {
                break;
            }
            let mut values: Vec<Value<'_>> = Vec::with_capacity(4 * some.len());
            for tick in &some {
                values.extend([
                    Value::from(head.id.as_str()),
                    tick.second.into(),
                    tick.region.as_str().into(),
                    tick.bytes.as_slice().into(),
                ]);
            }
            transaction.insert("ticks (run, second, region, bytes)", 4, &values, "").await?;
        }
        transaction.commit().await
    }

    /// What a list shows of every run that began at a time or later, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn runs(&self, since_ms: i64) -> Result<Vec<RunHead>, StoreError> {
        let sql = "SELECT id, name, job, began_ms, length_ms, verdict, requests, errors, p95_us FROM runs \
                   WHERE began_ms >= $1 ORDER BY began_ms DESC";
        let rows = self.database.rows(sql, &[since_ms.into()]).await?;
        rows.iter().map(head).collect()
    }

    /// A run's JSON report, and the names that the keys of its ticks mean.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn run(&self, id: &str) -> Result<Option<(Vec<u8>, String)>, StoreError> {
        let sql = "SELECT report, journeys FROM runs WHERE id = $1";
        let rows = self.database.rows(sql, &[id.into()]).await?;
        rows.first().map(|row| Ok((row.bytes(0)?, row.text(1)?))).transpose()
    }

    /// A run's findings as the report tells them, each as JSON.
    ///
    /// # Errors
    /// [`StoreError`].
    #[cfg(test)]
    pub(crate) async fn findings(&self, run: &str) -> Result<Vec<Vec<u8>>, StoreError> {
        let sql = "SELECT finding FROM findings WHERE run = $1 ORDER BY number";
        let rows = self.database.rows(sql, &[run.into()]).await?;
        rows.iter().map(|row| row.bytes(0)).collect()
    }

    /// Where a run's seconds end; 0 when none are kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn seconds(&self, run: &str) -> Result<u32, StoreError> {
        let rows = self.database.rows("SELECT MAX(second) FROM ticks WHERE run = $1", &[run.into()]).await?;
        let last = rows.first().map(|row| row.integer_or_null(0)).transpose()?.flatten();
        Ok(last.map_or(0, |last| u32::try_from(last).unwrap_or(u32::MAX).saturating_add(1)))
    }

    /// Some of a run's seconds, in order; regions within a second in no particular one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn ticks(&self, run: &str, seconds: Range<u32>) -> Result<Vec<TickRow>, StoreError> {
        let sql = "SELECT second, region, bytes FROM ticks \
                   WHERE run = $1 AND second >= $2 AND second < $3 ORDER BY second";
        let values: [Value<'_>; 3] = [run.into(), seconds.start.into(), seconds.end.into()];
        let rows = self.database.rows(sql, &values).await?;
        rows.iter().map(tick).collect()
    }

    /// How many bytes each run takes, as far as its own data goes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn run_bytes(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let mut bytes: BTreeMap<String, u64> = BTreeMap::new();
        for sql in [
            "SELECT id, CAST(LENGTH(report) AS BIGINT) FROM runs",
            "SELECT run, CAST(SUM(LENGTH(bytes)) AS BIGINT) FROM ticks GROUP BY run",
            "SELECT run, CAST(SUM(LENGTH(finding)) AS BIGINT) FROM findings GROUP BY run",
        ] {
            for row in self.database.rows(sql, &[]).await? {
                *bytes.entry(row.text(0)?).or_default() += row.count(1)?;
            }
        }
        Ok(bytes)
    }

    /// Removes runs, all of them or none, and gives their room back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn remove_runs(&self, ids: &[&str]) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        for id in ids {
            for sql in [
                "DELETE FROM ticks WHERE run = $1",
                "DELETE FROM findings WHERE run = $1",
                "DELETE FROM runs WHERE id = $1",
            ] {
                transaction.execute(sql, &[(*id).into()]).await?;
            }
        }
        transaction.commit().await?;
        // They are gone; room that cannot be given back now is used again, or given back the next time.
        let _ = self.database.compact().await;
        Ok(())
    }
}

fn head(row: &Row) -> Result<RunHead, StoreError> {
    let p95_us = row.integer_or_null(8)?;
    Ok(RunHead {
        id: row.text(0)?,
        name: row.text(1)?,
        job: row.text(2)?,
        began_ms: row.integer(3)?,
        length_ms: row.count(4)?,
        verdict: row.text(5)?,
        requests: row.count(6)?,
        errors: row.count(7)?,
        p95_us: p95_us.and_then(|us| u64::try_from(us).ok()),
    })
}

fn tick(row: &Row) -> Result<TickRow, StoreError> {
    let second = row.integer(0)?;
    Ok(TickRow {
        second: u32::try_from(second).map_err(|_| row.impossible("second", second))?,
        region: row.text(1)?,
        bytes: row.bytes(2)?,
    })
}
