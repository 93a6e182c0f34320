//! Probing all year round: agents in every region, budgets that are spent, people who are told.
//!
//! [`run`] is one loop in one task. Regions tell what their walks came to ([`fleet`]); the desk folds it into the ledger
//! ([`desk`], [`book`]), and what changed is kept within a second ([`keep`]). At each multiple of ten seconds objectives are
//! evaluated, and what people are to be told becomes letters in the same step as the counts that led to it ([`tell`]): so a
//! crash in between loses both or neither. Others are shown figures ([`publish`]), and whoever looks on sees what changes
//! ([`screen`]).

pub(crate) mod board;
mod book;
mod changes;
mod desk;
mod fleet;
pub(crate) mod keep;
pub(crate) mod kept;
mod letters;
mod losses;
mod output;
mod post;
mod publish;
mod screen;
mod station;
mod tell;
mod traffic;
mod trouble;
mod wall;

use std::rc::Rc;
use std::time::Duration;

use doorbuster_model::Plan;
use doorbuster_model::slo::{AlertView, Notice};
use doorbuster_model::threshold::Names;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout};
use url::Url;

use self::board::Board;
use self::book::{Book, Counted};
use self::desk::Desk;
use self::fleet::{Fleet, Happened, News};
use self::keep::{Keep, Looked, Rehearsals};
use self::publish::{Publisher, Wanted};
use self::screen::Screen;
use self::tell::Tellers;
use self::wall::{Beat, Wall, until};
use crate::Error;
use crate::launch::Launchers;
use crate::patience::wait;
use crate::prepare::Prepared;
use crate::signals::Signals;
use crate::store::{Excess, Place};

/// What changed is kept so long after the first of it came: walks of all regions that end together are one step.
const SAVE_AFTER: Duration = Duration::from_millis(200);
/// How long silences are waited for at the beginning.
const LOOK_WITHIN: Duration = Duration::from_secs(5);

/// What the command line says of a probe.
#[derive(Clone, Debug)]
pub(crate) struct Orders {
    /// Where the store is.
    pub place: Place,
    /// Where figures are served.
    pub serve: Option<String>,
    /// Instead of AWS's own addresses.
    pub aws_endpoint: Option<Url>,
    /// How long it is to go on; `None` for without end.
    pub length: Option<Duration>,
    /// Nothing is shown.
    pub quiet: bool,
}

/// A probe under way.
struct Probe {
    wall: Wall,
    desk: Desk,
    launchers: Rc<Launchers>,
    fleet: Fleet,
    keep: Keep,
    tellers: Tellers,
    publisher: Publisher,
    screen: Screen,
    /// Alerts as they stood at the last evaluation.
    alerts: Vec<AlertView>,
    /// When what changed is to be kept, where anything did.
    save_at: Option<Instant>,
    /// Whether it was said that the store takes nothing.
    is_in_trouble: bool,
    /// What it was said of that there was no room for it.
    excess: Excess,
    /// When the plan's servers were rehearsed, or are.
    rehearsals: Rehearsals,
    is_stopping: bool,
}

/// What else is waited for.
struct Waiting {
    signals: Signals,
    looked: mpsc::Receiver<Looked>,
    beat: Beat,
    second: Interval,
    end: Option<Instant>,
}

/// Probes until somebody stops it, or for as long as it is to go on. How everything stood at the end.
///
/// # Errors
/// When something makes it impossible: the plan lacks what it takes, the store cannot be read, an address is taken.
pub(crate) async fn run(prepared: &Prepared, id: &str, orders: &Orders) -> Result<Board, Error> {
    let wall = Wall::system();
    let signals = Signals::listen()?;
    let (mut probe, lines) = Probe::open(prepared, id, orders, &wall).await?;
    probe.say(&opening(prepared, id, orders));
    lines.iter().for_each(|line| probe.say(line));
    let mut looked = probe.keep.look(&prepared.plan);
    // Nobody is to be told of anything before it is known who wants to hear of it.
    if let Ok(Some(looked)) = timeout(LOOK_WITHIN, looked.recv()).await {
        probe.look(looked);
    }
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let end = orders.length.map(|length| Instant::now() + length);
    let mut waiting = Waiting { signals, looked, beat: Beat::new(&wall), second, end };
    let gone_on = probe.go_on(&mut waiting).await;
    probe.close(gone_on, &mut waiting.signals).await
}

fn opening(prepared: &Prepared, id: &str, orders: &Orders) -> String {
    let plan = &prepared.plan;
    let every = plan.probe.map_or(0, |probe| probe.every_s);
    let journeys: Vec<&str> = prepared.names.journeys.iter().map(|(name, _)| name.as_str()).collect();
    format!(
        "probe {id}: \"{}\" walks {} every {every} s from {}; kept in {}",
        plan.name,
        journeys.join(", "),
        prepared.names.regions.join(", "),
        orders.place
    )
}

/// The ledger of a plan as it was saved, to be looked at: how everything stands at `now_s`. `None` where nothing was saved.
///
/// # Errors
/// When the plan has nothing to be probed by, or the store cannot be read.
pub(crate) async fn look(
    plan: &Plan,
    names: &Names,
    place: &Place,
    now_s: i64,
) -> Result<Option<Board>, Error> {
    let Some(saved) = keep::saved(place, &plan.name).await? else { return Ok(None) };
    let book = Book::open(plan, names, Some(saved))?;
    let board = book::board(&book.complete(now_s));
    Ok(Some(Board { evaluated_s: book.evaluated_until(), ..board }))
}

impl Probe {
    /// Starts everything; with what is to be said of it.
    async fn open(
        prepared: &Prepared,
        id: &str,
        orders: &Orders,
        wall: &Wall,
    ) -> Result<(Self, Vec<String>), Error> {
        let (plan, names) = (&prepared.plan, &prepared.names);
        let aws_endpoint = orders.aws_endpoint.as_ref();
        let (keep, saved) = Keep::open(&orders.place, &plan.name, id).await?;
        let book = Book::open(plan, names, saved)?;
        let wanted = Wanted { serve: orders.serve.as_deref(), aws_endpoint: aws_endpoint.map(Url::as_str) };
        let (publisher, lines) = Publisher::start(plan, names, &book, wanted, wall).await?;
        let standing = book.standing(wall.now_s());
        let firing = book::firing(&standing);
        let tellers = Tellers::start(plan, keep.letters(), wall, aws_endpoint, &firing)?;
        // Last, because nothing before it leaves anything open that somebody would have to close.
        let launchers = Rc::new(Launchers::open(prepared, id).await?);
        let stations = station::stations(prepared, id, &launchers)?;
        let probe = Self {
            fleet: Fleet::new(stations, fleet::launching(&launchers), wall.clone()),
            launchers,
            desk: Desk::new(names.clone(), book),
            wall: wall.clone(),
            keep,
            tellers,
            publisher,
            screen: Screen::new(orders.quiet)?,
            alerts: standing.alerts,
            save_at: None,
            is_in_trouble: false,
            excess: Excess::default(),
            rehearsals: Rehearsals::default(),
            is_stopping: false,
        };
        Ok((probe, lines))
    }

    /// Takes what happens until everybody has ended. False when somebody did not want to wait for that.
    async fn go_on(&mut self, waiting: &mut Waiting) -> bool {
        let Waiting { signals, looked, beat, second, end } = waiting;
        while !(self.is_stopping && self.fleet.is_over()) {
            if self.keep.lost().is_some() {
                return false;
            }
            let end = end.filter(|_| !self.is_stopping);
            tokio::select! {
                news = self.fleet.next() => self.take(&news),
                at_s = beat.next() => self.evaluate(at_s),
                _ = second.tick() => self.show(),
                () = until(self.save_at) => self.save(&[]),
                counted = self.publisher.counted() => self.count(&counted),
                Some(looked) = looked.recv() => self.look(looked),
                () = until(end) => self.stop("the time is over: walks end"),
                () = signals.asked() => {
                    if self.is_stopping {
                        return false;
                    }
                    self.stop("stopping: walks end, once more stops at once");
                }
            }
            if self.desk.is_dirty() && self.save_at.is_none() {
                self.save_at = Some(Instant::now() + SAVE_AFTER);
            }
        }
        true
    }

    fn take(&mut self, news: &News) {
        match &news.what {
            Happened::Second { tick, .. } => self.publisher.second(news.region, tick),
            Happened::Down { .. } => self.publisher.gone(news.region),
            Happened::Up | Happened::Walked { .. } => {}
        }
        for line in self.desk.take(news) {
            self.say(&line);
        }
    }

    fn show(&mut self) {
        let losses: Vec<_> = self.desk.losses().iter().map(|loss| (loss.kind, loss.times)).collect();
        self.publisher.show(self.wall.now_s(), &self.keep.writing(), &self.desk.counters(), losses);
    }

    /// Takes real traffic, save that of minutes in which a rehearsal went on: load spends its own budget only.
    fn count(&mut self, counted: &Counted) {
        if !self.rehearsals.cover(counted.at_s) {
            self.desk.counted(counted);
        }
    }

    fn look(&mut self, looked: Looked) {
        self.rehearsals = looked.rehearsals;
        self.publisher.outbox(&looked.outbox);
        self.desk.silence(looked.silences);
    }

    /// What is due at a multiple of ten seconds.
    fn evaluate(&mut self, at_s: i64) {
        let (notices, lines) = self.desk.evaluate(at_s);
        let standing = self.desk.standing(at_s);
        self.alerts.clone_from(&standing.alerts);
        self.save(&notices);
        let writing = self.keep.writing();
        let unsaved = writing.failing.as_ref().map(|(why, _)| why.as_str());
        self.screen.show(&book::board(&standing), unsaved);
        self.publisher.beat(standing);
        lines.iter().for_each(|line| self.say(line));
        for line in self.publisher.troubles() {
            self.say(&line);
        }
        self.tell_trouble();
    }

    /// Says when the store takes nothing any more, and when it does again.
    fn tell_trouble(&mut self) {
        let writing = self.keep.writing();
        match (&writing.failing, self.is_in_trouble) {
            (Some((why, _)), false) => self.say(&format!("nothing is saved at present: {why}")),
            (None, true) => self.say("everything is saved again"),
            _ => {}
        }
        self.is_in_trouble = writing.failing.is_some();
        if writing.excess != self.excess {
            self.excess = writing.excess;
            self.say(&writing.excess.to_string());
        }
        for line in self.tellers.news() {
            self.say(&line);
        }
    }

    /// Keeps what changed, in one step with what people are to be told because of it.
    fn save(&mut self, notices: &[Notice]) {
        self.save_at = None;
        let letters = self.tellers.letters(notices, self.wall.now_s());
        self.keep.keep(self.desk.unsaved(), letters, self.alerts.clone());
    }

    fn stop(&mut self, why: &str) {
        self.is_stopping = true;
        self.say(why);
        self.fleet.stop();
    }

    fn say(&self, line: &str) {
        self.screen.say(self.wall.now_s(), line);
    }

    /// Ends everything that was started. Nobody is waited for who was not `gone_on` with.
    async fn close(mut self, gone_on: bool, signals: &mut Signals) -> Result<Board, Error> {
        let board = book::board(&self.desk.complete(self.wall.now_s()));
        if gone_on {
            self.save(&[]);
            self.tellers.stop().await;
            self.publisher.stop();
        }
        // Whoever launches for the regions has its part in them.
        drop(self.fleet);
        if let Some(launchers) = Rc::into_inner(self.launchers) {
            let what = launchers.waited_for();
            let say = |line: &str| self.screen.say(self.wall.now_s(), line);
            let closed = Box::pin(launchers.close());
            wait(closed, what, self.is_stopping, async || signals.asked().await, say).await;
        }
        self.screen.end();
        if let Some(lost) = self.keep.lost() {
            return Err(lost);
        }
        if gone_on {
            self.keep.finish().await?;
        }
        Ok(board)
    }
}
