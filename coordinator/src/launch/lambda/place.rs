//! A region of AWS with a fleet: its function, its bucket, and what they can take.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::config::{Builder, StalledStreamProtectionConfig};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::board::Board;
use super::rates::Rates;
use super::trouble::{Function, unopened};
use crate::Error;
use crate::aws::CONNECT_WITHIN;
use crate::aws::bucket::Bucket;

/// The name of the object that is the region's board.
pub(super) const BOARD: &str = "board";
/// How long an address of the run's objects is good: longer than any function runs, with the time to invoke it.
pub(super) const ADDRESS_GOOD_FOR: Duration = Duration::from_secs(3_600);
/// How many functions may run at the same time where AWS does not say: what accounts have unless they asked for more.
/// Source: AWS Lambda Developer Guide, "Lambda quotas".
const CONCURRENCY: u32 = 1_000;
/// How long to wait for AWS to say it.
const QUOTA_WITHIN: Duration = Duration::from_secs(5);
/// How many bundles are made, and uploaded where they are long, at the same time: each is in memory several times then.
const BUNDLES_MAX: usize = 4;
/// How long removing a run's objects may take. What is left then goes by the bucket's own rules.
const CLEAR_WITHIN: Duration = Duration::from_secs(30);

/// A region's function and what belongs to it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) client: Client,
    /// The function's name.
    pub(super) name: String,
    /// The same with its stack and its region, for people.
    pub(super) function: Function,
    pub(super) bucket: Bucket,
    /// What all its agents are told, save those of probes.
    pub(super) board: Arc<Board>,
    /// Whose assignments are being handed over.
    pub(super) bundles: Semaphore,
    /// Where the run's objects are: a prefix, with its slash.
    folder: String,
    rates: Mutex<Rates>,
    opened_at: Instant,
}

impl Place {
    /// Opens a region for a run: its board hangs then.
    ///
    /// # Errors
    /// [`Error::Aws`] when there is no bucket to hang it in, or nobody may.
    pub(super) async fn open(
        config: &SdkConfig,
        endpoint: Option<&str>,
        region: &str,
        stack: &str,
        account: &str,
        run: &str,
    ) -> Result<Self, Error> {
        let client = client(config);
        let bucket_name = format!("{stack}-{account}-{region}");
        let bucket = Bucket::new(config, endpoint, &bucket_name);
        let folder = format!("runs/{run}/");
        let (concurrency, board) = tokio::join!(
            Box::pin(concurrency(&client)),
            Board::open(bucket.clone(), format!("{folder}{BOARD}"))
        );
        let function = Function::new(stack, region);
        let board = board.map_err(|failure| Error::Aws {
            what: format!("opening the fleet in {region} (the bucket {bucket_name})"),
            why: unopened(&function, &failure.why),
        })?;
        Ok(Self {
            client,
            name: function.name(),
            function,
            bucket,
            board: Arc::new(board),
            bundles: Semaphore::new(BUNDLES_MAX),
            folder,
            rates: Mutex::new(Rates::new(concurrency)),
            opened_at: Instant::now(),
        })
    }

    /// The key of one of the run's objects.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.folder)
    }

    /// Waits until the function may be invoked once more.
    pub(super) async fn turn(&self) {
        let now = self.opened_at.elapsed();
        let wait = self.rates.lock().unwrap_or_else(PoisonError::into_inner).wait(now);
        if !wait.is_zero() {
            sleep(wait).await;
        }
    }

    /// Removes the run's objects. What cannot be removed now, the bucket's rules remove within days: a run that is over does
    /// not fail for it.
    pub(super) async fn clear(&self) {
        // Or it would write what is removed.
        self.board.stop();
        let cleared = timeout(CLEAR_WITHIN, async {
            match self.bucket.keys(&self.folder).await {
                Ok(keys) => self.bucket.delete_all(&keys).await,
                // Who may not list may still remove what surely is there.
                Err(_) => self.bucket.delete(&self.key(BOARD)).await,
            }
        });
        let _ = cleared.await;
    }
}

/// A client that waits as long as functions run, and leaves it to us to invoke again: only we know what a claim makes safe.
fn client(config: &SdkConfig) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_WITHIN)
        .disable_read_timeout()
        .disable_operation_attempt_timeout()
        .disable_operation_timeout()
        .build();
    let settings = Builder::from(config)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        // An agent that has little to say is not stalled.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    Client::from_conf(settings.build())
}

/// How many functions the region lets run at the same time. Who may not ask goes by what most accounts have: AWS still says no
/// where that is too much.
async fn concurrency(client: &Client) -> u32 {
    let asked = timeout(QUOTA_WITHIN, Box::pin(client.get_account_settings().send())).await;
    let limit = asked.ok().and_then(Result::ok);
    let limit = limit.as_ref().and_then(|answer| answer.account_limit());
    limit.and_then(|limit| u32::try_from(limit.concurrent_executions()).ok()).unwrap_or(CONCURRENCY)
}
