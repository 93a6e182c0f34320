//! Figures for others: exporters, the page for scrapes, and counts of real traffic that are read from elsewhere. The only
//! place that knows exporters.

use std::sync::Arc;

use doorbuster_model::plan::CloudWatch;
use doorbuster_model::slo::{Slo, Standing};
use doorbuster_model::threshold::Names;
use doorbuster_model::{Plan, Tick};
use tokio::task::JoinHandle;

use super::book::{Book, Counted};
use super::keep::Writing;
use super::traffic::Traffic;
use super::trouble::Trouble;
use super::wall::Wall;
use crate::Error;
use crate::export::cloudwatch::catalogue::{Catalogue, series};
use crate::export::cloudwatch::cost::{PRICES, Usage, opening};
use crate::export::cloudwatch::{self, Queue};
use crate::export::serve::{Server, Serving, TOKEN};
use crate::export::{Counter, Exporter, Vitals, aws};
use crate::store::OutboxStanding;

/// How often a request to CloudWatch is tried before it waits for its next turn.
const ATTEMPTS: u32 = 3;

/// Whoever is shown figures.
pub(crate) struct Publisher {
    exporter: Exporter,
    /// Stops when dropped.
    _server: Option<Server>,
    tasks: Vec<JoinHandle<()>>,
    traffic: Option<Traffic>,
    /// What waits for CloudWatch, and whether it takes it.
    sending: Option<(Queue, Trouble)>,
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
    /// Starts the exporters of the plan, the page, and whoever reads real traffic for the ledger. With what is to be said
    /// before anything is sent.
    ///
    /// # Errors
    /// When the address is taken, or an exporter cannot be used.
    pub(crate) async fn start(
        plan: &Plan,
        names: &Names,
        book: &Book,
        wanted: Wanted<'_>,
        wall: &Wall,
    ) -> Result<(Self, Vec<String>), Error> {
        let slo = book.slo();
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
        let sending = match &plan.export.cloudwatch {
            Some(export) => {
                let catalogue = catalogue(export, names, slo)?;
                lines.push(opening(&catalogue, &Usage::of(&catalogue, slo), &PRICES));
                let queue = Queue::default();
                exporter.publish(cloudwatch::Publisher::new(catalogue, slo.min_failures, queue.clone()));
                let client = aws::client(&export.aws_region, wanted.aws_endpoint, ATTEMPTS).await;
                tasks.push(tokio::spawn(cloudwatch::send(queue.clone(), client, export.namespace.clone())));
                let trouble =
                    Trouble::new("CloudWatch takes no figures at present", "CloudWatch takes figures again");
                Some((queue, trouble))
            }
            None => None,
        };
        let traffic = Traffic::start(book, wall, wanted.aws_endpoint).await;
        let vitals = Vitals {
            started_at_s: wall.now_s(),
            restarts: vec![0; names.regions.len()],
            ..Vitals::default()
        };
        let standing = Arc::default();
        Ok((Self { exporter, _server: server, tasks, traffic, sending, standing, vitals }, lines))
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

    /// Shows everything, once a second, with what was counted since this process began and what could not be.
    pub(crate) fn show(
        &mut self,
        now_s: i64,
        writing: &Writing,
        counted: &[Counter],
        losses: Vec<(&'static str, u64)>,
    ) {
        self.vitals.losses = losses;
        self.vitals.store_failing_since_s = writing.failing.as_ref().map(|(_, since_s)| *since_s);
        let failing_s = writing.failing.as_ref().map_or(0, |(_, since_s)| now_s.saturating_sub(*since_s));
        self.vitals.store_failing_s = u64::try_from(failing_s).unwrap_or(0);
        self.vitals.store_waiting_bytes = writing.waiting_bytes;
        self.vitals.traffic = self.traffic.as_ref().map(Traffic::reading);
        self.vitals.store_lost = writing.excess.letters_not_kept + writing.excess.pages_not_kept;
        self.exporter.tick(now_s, &self.standing, counted, self.vitals.clone());
    }

    /// What has begun or ceased to go wrong since the last call, for people.
    pub(crate) fn troubles(&mut self) -> Vec<String> {
        let sending = self.sending.as_mut();
        let sending = sending.and_then(|(queue, trouble)| trouble.look(queue.problem().as_deref()));
        let traffic = self.traffic.as_mut().and_then(Traffic::trouble);
        sending.into_iter().chain(traffic).collect()
    }

    /// The next count of real traffic; never comes where nobody counts.
    pub(crate) async fn counted(&mut self) -> Counted {
        match &mut self.traffic {
            Some(traffic) => traffic.counted().await,
            None => std::future::pending().await,
        }
    }

    /// Ends the exporters.
    pub(crate) fn stop(self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.traffic.iter().for_each(Traffic::stop);
    }
}

/// What is published to CloudWatch.
fn catalogue(export: &CloudWatch, names: &Names, slo: &Slo) -> Result<Catalogue, Error> {
    let series = series(slo, &names.regions);
    Catalogue::new(names, &series, &slo.rules, slo.min_failures, export.metrics_max).map_err(Error::Usage)
}
