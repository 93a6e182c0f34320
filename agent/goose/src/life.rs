//! The life of a Goose attack: all users launched and waiting, let in as the pace says, sent away at the end.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use doorbuster_agent::{Error, Job, STOP_GRACE, Stop, Tallies};
use goose::client::GooseClientBuilder;
use goose::config::GooseConfiguration;
use goose::goose::Scenario;
use goose::metrics::GooseMetrics;
use goose::{GooseAttack, GooseError, trigger_killswitch};
use tokio::runtime::Builder;
use tokio::select;
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout_at};

use crate::engine::failure;
use crate::stage::Stage;

/// How fast Goose launches users: as fast as it can, since they wait anyway.
const LAUNCHES_PER_SECOND: &str = "100000";
/// How often it is looked whether all are there.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How often the number of shoppers is brought to what the pace says, while it changes.
const STEP_NS: u64 = 5_000_000;
/// How long tasks that block may take to end; the process ends soon after, with them.
const SHUTDOWN_WITHIN: Duration = Duration::from_millis(500);

/// What is known once the start is agreed.
pub(crate) struct Go {
    /// When second 0 begins.
    pub at: Instant,
    /// The running tally.
    pub tallies: Tallies,
    /// Tells that a stop was asked for.
    pub stop: Stop,
}

/// How the load ended.
struct Ended {
    /// When second 0 began.
    at: Instant,
    /// Whether somebody asked for it.
    asked: bool,
    /// How long users may take to say goodbye.
    until: Instant,
    /// Tells that a stop was asked for meanwhile.
    stop: Stop,
}

type Attack = Pin<Box<dyn Future<Output = Result<GooseMetrics, GooseError>>>>;

/// Lives it, on this thread and a runtime of its own. Tells by `is_ready` when all users wait, and begins when `gone`
/// says so.
pub(crate) fn live(
    stage: &Stage,
    scenarios: Vec<Scenario>,
    shoppers: usize,
    is_ready: &SyncSender<()>,
    gone: oneshot::Receiver<Go>,
) -> Result<(), Error> {
    let runtime = Builder::new_multi_thread().worker_threads(stage.job.workers()).enable_all().build();
    let runtime = runtime.map_err(|source| Error::System { what: "starting Goose's runtime", source })?;
    let mut transactions = scenarios.iter().flat_map(|scenario| &scenario.transactions);
    let parts = transactions.any(|transaction| transaction.on_stop);
    let lived = runtime.block_on(async {
        let attack = attack(&stage.job, scenarios, shoppers)?;
        perform(stage, attack, parts, is_ready, gone).await
    });
    stage.gate.end();
    // Whatever still waits for an answer is dropped with its user. What it was is still in its tap.
    runtime.shutdown_timeout(SHUTDOWN_WITHIN);
    match lived.and_then(|ended| stage.last_heard().map_or(Ok(ended), Err)) {
        Ok(ended) => {
            let asked = ended.is_none_or(|ended| ended.asked);
            stage.close_books((!asked).then(|| stage.job.patience()));
            Ok(())
        }
        Err(error) => {
            stage.burn_books();
            Err(error)
        }
    }
}

/// Goose's attack, which begins when it is polled. Nobody attacks where there are no shoppers.
fn attack(job: &Job, scenarios: Vec<Scenario>, shoppers: usize) -> Result<Attack, Error> {
    if shoppers == 0 {
        return Ok(Box::pin(pending()));
    }
    let fail = |error: GooseError| failure("setting Goose up", &error);
    // Never used: every user is given a client of its own before it requests anything, and Goose is not to make one
    // more for each.
    let shared = GooseClientBuilder::new().without_cookies().accept_invalid_certs(true);
    let attack = GooseAttack::initialize_with_config(configuration(job, shoppers))
        .and_then(|attack| attack.set_client_builder_without_cookies(shared))
        .map_err(fail)?;
    let attack = scenarios.into_iter().fold(attack, GooseAttack::register_scenario);
    Ok(Box::pin(attack.execute()))
}

/// What Goose is told: the target, how many users, and that it is to write and open nothing.
fn configuration(job: &Job, shoppers: usize) -> GooseConfiguration {
    let mut configuration = GooseConfiguration::default();
    configuration.host = Some(job.target.to_string());
    configuration.users = Some(shoppers);
    configuration.increase_rate = Some(LAUNCHES_PER_SECOND.to_owned());
    configuration.quiet = 1;
    configuration.no_telnet = true;
    configuration.no_print_metrics = true;
    configuration.no_error_summary = true;
    configuration.no_reset_metrics = true;
    configuration.no_scenario_metrics = true;
    configuration.no_status_codes = true;
    configuration.no_transaction_metrics = true;
    configuration
}

/// Launches and conducts. Where a scenario `parts`, its users say goodbye at the end. `None` when it never began.
async fn perform(
    stage: &Stage,
    mut attack: Attack,
    parts: bool,
    is_ready: &SyncSender<()>,
    gone: oneshot::Receiver<Go>,
) -> Result<Option<Ended>, Error> {
    let mut ended = select! {
        outcome = &mut attack => return Err(early(&outcome)),
        error = stage.failure() => return Err(error),
        ended = conduct(stage, is_ready, gone) => ended,
    };
    if let Some(ended) = ended.as_mut().filter(|_| parts) {
        let at = ended.at;
        select! {
            () = part(attack, ended) => {}
            error = stage.failure() => return Err(error),
            never = tick(stage, at) => match never {},
        }
    }
    Ok(ended)
}

/// Goose tells its users to leave, which runs what scenarios do when a user stops. It looks twice a second.
async fn part(mut attack: Attack, ended: &mut Ended) {
    trigger_killswitch("the load is over");
    if !ended.asked {
        ended.asked = select! {
            _ = timeout_at(ended.until, &mut attack) => return,
            () = ended.stop.ordered() => true,
        };
        ended.until = ended.until.min(Instant::now() + STOP_GRACE);
    }
    let _ = timeout_at(ended.until, attack).await;
}

/// Why Goose ended though nobody had told it to.
fn early(outcome: &Result<GooseMetrics, GooseError>) -> Error {
    match outcome {
        Ok(_) => Error::Assignment("Goose ended before the load was over".to_owned()),
        Err(error) => failure("running Goose", error),
    }
}

/// Waits for the users and for the start, then conducts the load. `None` when nobody started it.
async fn conduct(stage: &Stage, is_ready: &SyncSender<()>, gone: oneshot::Receiver<Go>) -> Option<Ended> {
    while !stage.is_full() {
        sleep(LOOK_EVERY).await;
    }
    // Whoever waits for it may have given up.
    let _ = is_ready.try_send(());
    let Go { at, tallies, stop } = gone.await.ok()?;
    stage.open(at, tallies);
    select! {
        ended = load(stage, at, stop) => Some(ended),
        never = tick(stage, at) => match never {},
    }
}

/// Load, then draining: whoever is in an iteration may end it within the plan's grace.
async fn load(stage: &Stage, at: Instant, mut stop: Stop) -> Ended {
    sleep_until(at).await;
    let mut asked = select! {
        () = pace(stage, at) => false,
        () = stop.ordered() => true,
    };
    stage.gate.close();
    let plan = &stage.job.plan;
    let mut until = at + Duration::from_nanos(plan.load.pace.length_ns()) + plan.graceful;
    if !asked {
        asked = select! {
            _ = timeout_at(until, stage.gate.drained()) => false,
            () = stop.ordered() => true,
        };
    }
    if asked {
        until = until.min(Instant::now() + STOP_GRACE);
        let _ = timeout_at(until, stage.gate.drained()).await;
    }
    Ended { at, asked, until, stop }
}

/// Lets in as many of this agent's shoppers as the plan has at each time.
async fn pace(stage: &Stage, at: Instant) {
    let pace = &stage.job.plan.load.pace;
    let mut now_ns = 0;
    while now_ns < pace.length_ns() {
        let wanted = stage.job.segment.count_below(pace.shoppers_at(now_ns));
        stage.gate.let_in(usize::try_from(wanted).unwrap_or(usize::MAX));
        sleep_until(at + Duration::from_nanos(pace.shoppers_change_ns(now_ns, STEP_NS))).await;
        now_ns = stage.now_ns();
    }
}

/// Hands each second over as it passes, also when nothing happens in it.
async fn tick(stage: &Stage, at: Instant) -> Infallible {
    let second = Duration::from_secs(1);
    let mut seconds = interval_at(at + second, second);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        seconds.tick().await;
        stage.pass();
    }
}
