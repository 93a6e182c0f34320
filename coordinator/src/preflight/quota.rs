//! How many functions AWS lets run at once: the one thing that a pre-flight asks anybody.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_lambda::Client;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::aws::{self, Failure};

/// How long all regions may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// How often a request is tried.
const ATTEMPTS: u32 = 2;

/// What an account may run in an AWS region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quota {
    /// Executions at once, of all functions.
    pub concurrent: u64,
    /// Those that no function has for itself.
    pub unreserved: Option<u64>,
}

/// Per AWS region, or why it is not known.
pub(super) type Quotas = BTreeMap<String, Result<Quota, String>>;

/// Asks for the quotas of these AWS regions, all at once.
pub(super) async fn quotas(regions: BTreeSet<String>, endpoint: Option<&str>) -> Quotas {
    let unanswered = || Err(format!("AWS did not answer within {} s", ANSWER_WITHIN.as_secs()));
    let mut quotas: Quotas = regions.iter().map(|region| (region.clone(), unanswered())).collect();
    if let Some(failure) = without_credentials(&regions, endpoint).await {
        return regions.into_iter().map(|region| (region, Err(failure.why.clone()))).collect();
    }
    let mut asked = JoinSet::new();
    for region in regions {
        let endpoint = endpoint.map(str::to_owned);
        asked.spawn(async move {
            let quota = Box::pin(quota(&region, endpoint.as_deref())).await;
            (region, quota)
        });
    }
    let answers = async {
        while let Some(answer) = asked.join_next().await {
            if let Ok((region, quota)) = answer {
                quotas.insert(region, quota);
            }
        }
    };
    // Whoever has not answered by then is left as it is.
    let _ = timeout(ANSWER_WITHIN, answers).await;
    quotas
}

/// That nobody has credentials: they are looked for in the same places for every region, and some of those take seconds.
async fn without_credentials(regions: &BTreeSet<String>, endpoint: Option<&str>) -> Option<Failure> {
    let config = Box::pin(aws::config(regions.first()?, endpoint, ATTEMPTS)).await;
    let looked = timeout(ANSWER_WITHIN, Box::pin(aws::credentials_until(&config))).await;
    looked.ok()?.err().filter(Failure::is_without_credentials)
}

async fn quota(region: &str, endpoint: Option<&str>) -> Result<Quota, String> {
    let client = Client::new(&aws::config(region, endpoint, ATTEMPTS).await);
    let request = client.get_account_settings();
    let settings = Box::pin(request.send()).await.map_err(|error| Failure::of(&error).why)?;
    let limit = settings.account_limit().ok_or_else(|| "AWS named no limit".to_owned())?;
    let whole = |number: i32| u64::try_from(number).unwrap_or(0);
    let concurrent = whole(limit.concurrent_executions());
    Ok(Quota { concurrent, unreserved: limit.unreserved_concurrent_executions().map(whole) })
}
