//! Figures for others: exporters, the page for scrapes, and counts of real traffic that are read from elsewhere. The only
//! place that knows exporters.

use std::sync::Arc;
use std::time::Duration;

use doorbuster_model::slo::{Slo, Standing};
use doorbuster_model::threshold::Names;
use doorbuster_model::{Plan, Tick};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::book::Counted;
use super::keep::Writing;
use super::wall::Wall;
use crate::Error;
use crate::export::cloudwatch::catalogue::{Catalogue, Series};
use crate::export::cloudwatch::cost::{PRICES, Usage, opening};
use crate::export::cloudwatch::{self, Queue};
use crate::export::serve::{Server, Serving, TOKEN};
use crate::export::traffic::Reader;
use crate::export::{Counter, Exporter, Vitals, aws};
use crate::store::OutboxStanding;

/// How often a request to CloudWatch is tried before it waits for its next turn.
const ATTEMPTS: u32 = 3;
/// The most datums of a request.
const DATUMS_MAX: u64 = 1_000;
/// How often real traffic is asked for: its figures are by the minute.
const TRAFFIC_EVERY: Duration = Duration::from_secs(60);

/// Whoever is shown figures.
pub(crate) struct Publisher {
    exporter: Exporter,
    /// Stops when dropped.
    _server: Option<Server>,
    tasks: Vec<JoinHandle<()>>,
    counts: Option<mpsc::Receiver<Counted>>,
    /// How objectives stood at the last beat.
    standing: Arc<Standing>,
    vitals: Vitals,
}

/// What the command line says of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// Where figures are served.
    pub serve: Option<&'a str>,
    /// Instead of AWS's own addresses.
    pub aws_endpoint: Option<&'a str>,
}

impl Publisher {
    /// Starts the exporters of the plan, whose objectives' names are resolved in `slo`, and the page. With what is to be said
    /// before anything is sent.
    ///
    /// # Errors
    /// When the address is taken, or an exporter cannot be used.
    pub(crate) async fn start(
        plan: &Plan,
        names: &Names,
        slo: &Slo,
        wanted: Wanted<'_>,
        wall: &Wall,
    ) -> Result<(Self, Vec<String>), Error> {
        let mut exporter = Exporter::new(&plan.name, names.clone(), Some(slo));
        let (mut lines, mut tasks) = (Vec::new(), Vec::new());
        let server = match wanted.serve {
            Some(address) => {
                let serving = Serving::new(address, std::env::var(TOKEN).ok())?;
                let server = Server::start(serving, exporter.board())?;
                lines.push(format!("figures are served at http://{}/metrics", server.address));
                Some(server)
            }
            None => None,
        };
        if let Some(export) = &plan.export.cloudwatch {
            let scopes = |objective: &doorbuster_model::slo::Objective| {
                let text = objective.text.clone();
                objective.scopes(&names.regions).into_iter().map(move |scope| (text.clone(), scope))
            };
            let series: Vec<Series> = slo.objectives.iter().flat_map(scopes).collect();
            let catalogue = Catalogue::new(names, &series, &slo.rules, slo.min_failures, export.metrics_max)
                .map_err(Error::Usage)?;
            let usage = Usage {
                metrics: catalogue.metrics,
                requests_per_minute: catalogue.metrics.div_ceil(DATUMS_MAX),
                ..Usage::default()
            };
            lines.push(opening(&catalogue, &usage, &PRICES));
            let queue = Queue::default();
            exporter.publish(cloudwatch::Publisher::new(catalogue, slo.min_failures, queue.clone()));
            let client = aws::client(&export.aws_region, wanted.aws_endpoint, ATTEMPTS).await;
            tasks.push(tokio::spawn(cloudwatch::send(queue, client, export.namespace.clone())));
        }
        let counts = match &slo.traffic {
            Some(traffic) => {
                let client = aws::client(&traffic.aws_region, wanted.aws_endpoint, ATTEMPTS).await;
                let reader = Reader::new(client, traffic.load_balancer.clone(), wall.now_s());
                let of_traffic = slo.objectives.iter().filter(|objective| objective.is_traffic);
                let objectives = of_traffic.map(|objective| objective.text.clone()).collect();
                let (sender, receiver) = mpsc::channel(64);
                tasks.push(tokio::spawn(read(reader, objectives, wall.clone(), sender)));
                Some(receiver)
            }
            None => None,
        };
        let vitals = Vitals {
            started_at_s: wall.now_s(),
            restarts: vec![0; names.regions.len()],
            ..Vitals::default()
        };
        Ok((Self { exporter, _server: server, tasks, counts, standing: Arc::default(), vitals }, lines))
    }

    /// A second of a region's agent.
    pub(crate) fn second(&mut self, region: usize, tick: &Tick) {
        self.exporter.second(region, region, tick);
    }

    /// A region's agent is gone.
    pub(crate) fn gone(&mut self, region: usize) {
        self.exporter.gone(region);
        if let Some(restarts) = self.vitals.restarts.get_mut(region) {
            *restarts += 1;
        }
    }

    /// How everything stands, once every ten seconds.
    pub(crate) fn beat(&mut self, standing: Standing) {
        self.standing = Arc::new(standing);
    }

    /// What waits to be delivered.
    pub(crate) fn outbox(&mut self, outbox: &OutboxStanding) {
        self.vitals.outbox_waiting = outbox.waiting;
        self.vitals.outbox_oldest_s = outbox.oldest_s;
        self.vitals.outbox_refused = outbox.refused;
    }

    /// Shows everything, once a second, with what was counted since this process began.
    pub(crate) fn show(&mut self, now_s: i64, writing: &Writing, counted: &[Counter]) {
        self.vitals.store_failing_since_s = writing.failing.as_ref().map(|(_, since_s)| *since_s);
        let failing_s = writing.failing.as_ref().map_or(0, |(_, since_s)| now_s.saturating_sub(*since_s));
        self.vitals.store_failing_s = u64::try_from(failing_s).unwrap_or(0);
        self.vitals.store_waiting_bytes = writing.waiting_bytes;
        self.vitals.store_lost = writing.excess.letters_not_kept + writing.excess.pages_not_kept;
        self.exporter.tick(now_s, &self.standing, counted, self.vitals.clone());
    }

    /// The next count of real traffic; never comes where nobody counts.
    pub(crate) async fn counted(&mut self) -> Counted {
        if let Some(counts) = &mut self.counts {
            if let Some(counted) = counts.recv().await {
                return counted;
            }
            self.counts = None;
        }
        std::future::pending().await
    }

    /// Ends the exporters.
    pub(crate) fn stop(self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Reads real traffic without end, and counts it for each of these objectives.
async fn read(mut reader: Reader, objectives: Vec<String>, wall: Wall, counts: mpsc::Sender<Counted>) {
    let mut every = interval(TRAFFIC_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        // What cannot be read now is read the next time; that nothing comes is an alert of its own.
        for count in reader.counted(wall.now_s()).await.unwrap_or_default() {
            for objective in &objectives {
                let (objective, at_s) = (objective.clone(), count.at_s);
                let counted = Counted { objective, at_s, good: count.good, total: count.total };
                if counts.send(counted).await.is_err() {
                    return;
                }
            }
        }
    }
}
