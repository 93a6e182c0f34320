//! The life of a Goose attack: all users launched and waiting, let in as the pace says, sent away at the end.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use doorbuster_agent::{Epoch, Error, Job, STOP_GRACE, Stop, Tallies};
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
use crate::users::Users;

/// How fast Goose launches users: as fast as it can, since they wait anyway.
const LAUNCHES_PER_SECOND: &str = "100000";
/// How often it is looked whether all are there.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How often the number of shoppers is brought to what it is to be, while it changes.
const STEP_NS: u64 = 5_000_000;
const SECOND_NS: u64 = 1_000_000_000;
/// How long tasks that block may take to end; the process ends soon after, with them.
const SHUTDOWN_WITHIN: Duration = Duration::from_millis(500);

/// What is known once the start is agreed.
pub(crate) struct Go {
    /// When second 0 is.
    pub epoch: Epoch,
    /// The running tally.
    pub tallies: Tallies,
    /// Tells that a stop was asked for.
    pub stop: Stop,
}

/// How the load ended.
struct Ended {
    /// When second 0 is.
    epoch: Epoch,
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
    users: &Users,
    scenarios: Vec<Scenario>,
    shoppers: usize,
    is_ready: &SyncSender<()>,
    gone: oneshot::Receiver<Go>,
) -> Result<(), Error> {
    let runtime = Builder::new_multi_thread().worker_threads(users.job.workers()).enable_all().build();
    let runtime = runtime.map_err(|source| Error::System { what: "starting Goose's runtime", source })?;
    let mut transactions = scenarios.iter().flat_map(|scenario| &scenario.transactions);
    let has_goodbyes = transactions.any(|transaction| transaction.on_stop);
    let lived = runtime.block_on(async {
        let attack = attack(&users.job, scenarios, shoppers)?;
        perform(users, attack, has_goodbyes, is_ready, gone).await
    });
    users.gate.end();
    // Whatever still waits for an answer is dropped with its user. What it was is still with its listener.
    runtime.shutdown_timeout(SHUTDOWN_WITHIN);
    match lived.and_then(|ended| users.last_heard().map_or(Ok(ended), Err)) {
        Ok(ended) => {
            let asked = ended.is_none_or(|ended| ended.asked);
            users.finish((!asked).then(|| users.job.patience()));
            Ok(())
        }
        Err(error) => {
            users.discard();
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

/// Launches and conducts. Where a scenario `has_goodbyes`, its users say them at the end. `None` when it never began.
async fn perform(
    users: &Users,
    mut attack: Attack,
    has_goodbyes: bool,
    is_ready: &SyncSender<()>,
    gone: oneshot::Receiver<Go>,
) -> Result<Option<Ended>, Error> {
    let mut ended = select! {
        outcome = &mut attack => return Err(early(&outcome)),
        error = users.failure() => return Err(error),
        ended = conduct(users, is_ready, gone) => ended,
    };
    if let Some(ended) = ended.as_mut().filter(|_| has_goodbyes) {
        let epoch = ended.epoch;
        select! {
            () = say_goodbye(attack, ended) => {}
            error = users.failure() => return Err(error),
            never = tick(users, epoch) => match never {},
        }
    }
    Ok(ended)
}

/// Goose tells its users to leave, which runs what scenarios do when a user stops. It looks twice a second.
async fn say_goodbye(mut attack: Attack, ended: &mut Ended) {
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
async fn conduct(users: &Users, is_ready: &SyncSender<()>, gone: oneshot::Receiver<Go>) -> Option<Ended> {
    while !users.are_launched() {
        sleep(LOOK_EVERY).await;
    }
    // Whoever waits for it may have given up.
    let _ = is_ready.try_send(());
    let Go { epoch, tallies, stop } = gone.await.ok()?;
    users.open(epoch, tallies);
    select! {
        ended = load(users, epoch, stop) => Some(ended),
        never = tick(users, epoch) => match never {},
    }
}

/// Load, then draining: whoever is in an iteration may end it within the plan's grace.
async fn load(users: &Users, epoch: Epoch, mut stop: Stop) -> Ended {
    let mut asked = select! {
        () = pace(users, epoch) => false,
        () = stop.ordered() => true,
    };
    users.gate.close();
    let mut until = epoch.at(users.job.cut_ns());
    if !asked {
        asked = select! {
            _ = timeout_at(until, users.gate.drained()) => false,
            () = stop.ordered() => true,
        };
    }
    if asked {
        until = until.min(Instant::now() + STOP_GRACE);
        let _ = timeout_at(until, users.gate.drained()).await;
    }
    Ended { epoch, asked, until, stop }
}

/// Lets in as many of this agent's shoppers as the plan has at each time of the agent's part of the run.
async fn pace(users: &Users, epoch: Epoch) {
    let ends_ns = users.job.ends_ns();
    let mut now_ns = users.job.begins_ns();
    sleep_until(epoch.at(now_ns)).await;
    while now_ns < ends_ns {
        let wanted = users.job.segment.count_below(users.job.shoppers_at(now_ns));
        users.gate.let_in(usize::try_from(wanted).unwrap_or(usize::MAX));
        sleep_until(epoch.at(users.job.shoppers_change_ns(now_ns, STEP_NS).min(ends_ns))).await;
        now_ns = users.now_ns();
    }
}

/// Hands each second over as it passes, also when nothing happens in it.
async fn tick(users: &Users, epoch: Epoch) -> Infallible {
    let from_ns = epoch.now_ns().max(users.job.begins_ns());
    let next_ns = (from_ns / SECOND_NS + 1).saturating_mul(SECOND_NS);
    let mut seconds = interval_at(epoch.at(next_ns), Duration::from_nanos(SECOND_NS));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        seconds.tick().await;
        users.pass();
    }
}
