//! A run into the store, once its folder has everything.

use serde::Serialize;

use super::spool::{Seconds, Spool};
use crate::outcome::Outcome;
use crate::store::{FindingRow, Place, RunHead, RunRow, Store, TickRow};
use crate::tell::report_on;
use crate::{Error, runtime};

/// Puts a run into the store: what the list shows, the report, its findings and its seconds.
///
/// # Errors
/// What keeps the store from being used; the run's folder has what it had.
pub(crate) fn put(outcome: &Outcome, spool: Spool, place: &Place) -> Result<(), Error> {
    let report = report_on(outcome);
    let row = RunRow { head: head(outcome), report: json(&report)?, journeys: spool.journeys().to_owned() };
    let findings = report.cdn.findings.iter().map(|finding| {
        Ok(FindingRow {
            rule: finding.rule.clone(),
            severity: finding.severity.clone(),
            region: finding.region.clone(),
            class: finding.class.clone(),
            count: finding.count,
            json: json(finding)?,
        })
    });
    let findings = findings.collect::<Result<Vec<_>, Error>>()?;
    let spooled = spool.finish();
    let folder = outcome.kept_in.as_deref();
    let failed = |source| Error::System { what: "keeping the seconds of the run", source };
    let mut seconds = folder.map(Seconds::open).transpose().map_err(failed)?.flatten();
    runtime::block_on(async {
        let store = Store::open(place).await?;
        let mut none = std::iter::empty();
        let ticks: &mut dyn Iterator<Item = TickRow> = match &mut seconds {
            Some(seconds) => seconds,
            None => &mut none,
        };
        let put = store.put_run(&row, &findings, ticks).await;
        store.close().await;
        put.map_err(Error::from)
    })?;
    if seconds.is_some() {
        folder.map_or(Ok(()), Seconds::remove).map_err(failed)?;
    }
    spooled.map_err(failed)
}

fn head(outcome: &Outcome) -> RunHead {
    let run = &outcome.run;
    let exchanges = Outcome::exchanges(&outcome.global());
    let began_ms = run.started_at.as_millisecond();
    let length_ms = run.finished_at.as_millisecond().saturating_sub(began_ms);
    RunHead {
        id: run.id.clone(),
        name: outcome.plan.name.clone(),
        job: run.job.word().to_owned(),
        began_ms,
        length_ms: u64::try_from(length_ms).unwrap_or(0),
        verdict: outcome.verdict.word().to_owned(),
        requests: exchanges.requests,
        errors: exchanges.errors_total(),
        p95_us: exchanges.latency.quantile_us(950_000),
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let failed = |error| Error::System { what: "writing the report for the store", source: error };
    serde_json::to_vec(value).map_err(|error| failed(error.into()))
}
