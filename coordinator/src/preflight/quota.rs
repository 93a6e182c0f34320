//! How many functions AWS lets run at once, and what they are: the one thing that a pre-flight asks anybody. Alarms of a fleet go
//! by it, too.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use aws_sdk_lambda::Client;
use aws_sdk_lambda::types::Architecture;
use doorbuster_model::plan::Function;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::aws::{self, Failure};

/// How long all regions may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// How often a request is tried.
const ATTEMPTS: u32 = 2;

/// What an account may run in an AWS region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    /// Executions at once, of all functions.
    pub concurrent: u64,
    /// Those that no function has for itself.
    pub unreserved: Option<u64>,
}

/// The agents' function of an AWS region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deployed {
    /// What it is made of.
    pub function: Function,
    /// The executions at once that it has for itself, which are also the most that it gets.
    pub reserved: Option<u64>,
}

/// Per AWS region, or why it is not known.
pub(super) type Quotas = BTreeMap<String, Result<Quota, String>>;
/// Per AWS region what is deployed there, if anything, or why it is not known.
pub(super) type Functions = BTreeMap<String, Result<Option<Deployed>, String>>;

/// What AWS was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// What the account may run.
    pub quotas: Quotas,
    /// What is deployed.
    pub functions: Functions,
    /// How long the credentials last from now on, where they end.
    pub credentials_left: Option<Duration>,
}

/// Asks about these AWS regions, all at once, and about the agents' function of a stack in each.
pub(super) async fn ask(regions: BTreeSet<String>, stack: &str, endpoint: Option<&str>) -> Asked {
    let unanswered = || format!("AWS did not answer within {} s", ANSWER_WITHIN.as_secs());
    let mut told = Asked::default();
    match credentials_until(&regions, endpoint).await {
        Some(Err(failure)) if failure.is_without_credentials() => {
            // They are looked for in the same places for every region, and some of those take seconds.
            told.quotas = regions.into_iter().map(|region| (region, Err(failure.why.clone()))).collect();
            return told;
        }
        Some(Ok(Some(until))) => {
            told.credentials_left = Some(until.duration_since(SystemTime::now()).unwrap_or_default());
        }
        // What else is wrong with them, every region tells by itself.
        _ => {}
    }
    for region in &regions {
        told.quotas.insert(region.clone(), Err(unanswered()));
        told.functions.insert(region.clone(), Err(unanswered()));
    }
    let mut asked = JoinSet::new();
    for region in regions {
        let (name, endpoint) = (format!("{stack}-agent"), endpoint.map(str::to_owned));
        asked.spawn(async move {
            let client = Client::new(&aws::config(&region, endpoint.as_deref(), ATTEMPTS).await);
            let (quota, function) = tokio::join!(Box::pin(of(&client)), Box::pin(function(&client, &name)));
            (region, quota, function)
        });
    }
    let answers = async {
        while let Some(answer) = asked.join_next().await {
            if let Ok((region, quota, function)) = answer {
                told.quotas.insert(region.clone(), quota.map_err(|failure| failure.why));
                told.functions.insert(region, function);
            }
        }
    };
    // Whoever has not answered by then is left as it is.
    let _ = timeout(ANSWER_WITHIN, answers).await;
    told
}

/// Until when the credentials last; `None` where nobody said so in time.
async fn credentials_until(
    regions: &BTreeSet<String>,
    endpoint: Option<&str>,
) -> Option<Result<Option<SystemTime>, Failure>> {
    let config = Box::pin(aws::config(regions.first()?, endpoint, ATTEMPTS)).await;
    timeout(ANSWER_WITHIN, Box::pin(aws::credentials_until(&config))).await.ok()
}

/// What the account may run where this client asks.
///
/// # Errors
/// AWS did not say.
pub(crate) async fn of(client: &Client) -> Result<Quota, Failure> {
    let settings = Box::pin(client.get_account_settings().send()).await;
    let settings = settings.map_err(|error| Failure::of(&error))?;
    let without = || Failure { is_final: true, why: "AWS named no limit".to_owned() };
    let limit = settings.account_limit().ok_or_else(without)?;
    let concurrent = whole(limit.concurrent_executions());
    Ok(Quota { concurrent, unreserved: limit.unreserved_concurrent_executions().map(whole) })
}

/// The function of that name, if there is one.
async fn function(client: &Client, name: &str) -> Result<Option<Deployed>, String> {
    let configuration = Box::pin(client.get_function_configuration().function_name(name).send()).await;
    let configuration = match configuration {
        Ok(configuration) => configuration,
        Err(error) => {
            let is_missing =
                error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception());
            return if is_missing { Ok(None) } else { Err(Failure::of(&error).why) };
        }
    };
    let concurrency = Box::pin(client.get_function_concurrency().function_name(name).send()).await;
    let concurrency = concurrency.map_err(|error| Failure::of(&error).why)?;
    let memory_mb = configuration.memory_size().and_then(|memory| u32::try_from(memory).ok());
    let memory_mb = memory_mb.ok_or_else(|| format!("AWS did not say what {name} is made of"))?;
    let arm64 = configuration.architectures().contains(&Architecture::Arm64);
    let reserved = concurrency.reserved_concurrent_executions().map(whole);
    Ok(Some(Deployed { function: Function { memory_mb, arm64 }, reserved }))
}

fn whole(number: i32) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
