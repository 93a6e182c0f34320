//! The start barrier: a run begins once everybody is ready who begins with it, and the plan says what happens where somebody
//! is not. Nothing starts silently without them.

use std::time::Duration;

use doorbuster_model::plan::fleet::WhenMissing;
use tokio::time::{Instant, interval, sleep_until};

use super::seats::Seat;
use super::{Conductor, LEASE_EVERY};
use crate::fold::Ended;
use crate::pause::pause;
use crate::progress::Progress;

/// Why a run did not begin that was to begin with everybody or not at all.
const NOT_BEGUN: &str = "the run was not begun, as `when_missing: abort` says";
/// The first pause before somebody is launched in the place of who could not go on, and the longest.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_MAX: Duration = Duration::from_secs(30);

impl Conductor<'_> {
    /// Waits until everybody who begins with the run is ready or lost. False when it is not to begin: somebody stopped it, it
    /// is not to go on without whoever is missing, or nobody is there.
    pub(super) async fn gather(&mut self, progress: &mut Progress) -> bool {
        let mut renew = interval(LEASE_EVERY);
        while self.seats.iter().any(Seat::is_awaited) {
            let late = self.seats.iter().filter_map(Seat::ready_by).min();
            let again = self.seats.iter().filter_map(Seat::again_at).min();
            tokio::select! {
                event = self.events.recv() => if let Some((tag, event)) = event { self.take(tag, event) },
                _ = renew.tick() => self.renew(),
                () = self.signals.asked() => self.interrupted = true,
                () = sleep_until(late.unwrap_or_else(Instant::now)), if late.is_some() => self.find_missing(),
                () = sleep_until(again.unwrap_or_else(Instant::now)), if again.is_some() => self.launch_again(),
            }
            self.say(progress);
            if self.interrupted || self.given_up.is_some() {
                return false;
            }
        }
        self.say(progress);
        self.given_up.is_none() && self.seats.iter().any(Seat::is_there)
    }

    /// Somebody is not ready in time: what the plan says happens.
    fn find_missing(&mut self) {
        let now = Instant::now();
        let is_late = |seat: &Seat| seat.ready_by().is_some_and(|by| by <= now);
        let late: Vec<usize> = (0..self.seats.len()).filter(|number| is_late(&self.seats[*number])).collect();
        match self.prepared.plan.fleet.when_missing {
            WhenMissing::Wait => {
                late.iter().for_each(|number| self.seats[*number].wait());
                let line = self.awaited();
                self.lines.push(line);
                return;
            }
            WhenMissing::Abort => {
                self.given_up.get_or_insert(NOT_BEGUN);
            }
            WhenMissing::Declare => {}
        }
        late.into_iter().for_each(|number| self.miss(number));
    }

    /// An agent cannot go on. Before the run has begun, it is missing as much as one that keeps silent: what the plan says
    /// happens.
    pub(super) fn lose(&mut self, number: usize, ended: Ended) {
        if self.course.is_none() {
            match self.prepared.plan.fleet.when_missing {
                WhenMissing::Wait => return self.refuse(number, &ended),
                WhenMissing::Abort => {
                    self.given_up.get_or_insert(NOT_BEGUN);
                }
                WhenMissing::Declare => {}
            }
        }
        self.end(number, ended);
    }

    /// Somebody else is waited for in the place of who cannot go on.
    fn refuse(&mut self, number: usize, ended: &Ended) {
        let (Ended::Failed(why) | Ended::Lost(why)) = ended else { return };
        let now = Instant::now();
        let seed = u64::try_from(number).unwrap_or(0);
        self.seats[number].refuse(|refused| now + pause(AGAIN, AGAIN_MAX, refused, seed));
        let region = self.prepared.plan.regions.get(self.seats[number].leg.region);
        let region = region.map_or("", |region| &region.name);
        self.lines.push(format!("{region}: an agent cannot begin ({why}); another one is launched"));
    }

    /// Launches those whose predecessors could not go on, as far as it is time.
    fn launch_again(&mut self) {
        let now = Instant::now();
        for number in 0..self.seats.len() {
            if self.seats[number].again_at().is_some_and(|at| at <= now)
                && let Err(error) = self.launch(number)
            {
                self.lose(number, Ended::Lost(error.to_string()));
            }
        }
    }

    /// Who is waited for, by region.
    fn awaited(&self) -> String {
        let regions = self.prepared.plan.regions.iter().enumerate();
        let count = |position: usize| {
            let is_here = |seat: &&Seat| seat.is_awaited() && seat.leg.region == position;
            self.seats.iter().filter(is_here).count()
        };
        let missing: Vec<String> = regions
            .map(|(position, region)| (count(position), region))
            .filter(|(count, _)| *count > 0)
            .map(|(count, region)| format!("{count} of {} in {}", region.agents, region.name))
            .collect();
        format!("waiting for agents: {}", missing.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use doorbuster_model::Overrides;
    use tokio::time::timeout;

    use super::*;
    use crate::conduct::Noted;
    use crate::launch::Launchers;
    use crate::prepare::{Prepared, Source};

    /// Notes what it hears for a while, and ends.
    const REFUSES: &str = "#!/bin/sh\ntimeout 0.3 cat >> \"$0.heard\"\nexit 3\n";

    /// A plan whose agent is that script, in a folder of its own.
    fn prepared(when_missing: &str) -> (PathBuf, Prepared) {
        let folder =
            std::env::temp_dir().join(format!("doorbuster-barrier-{when_missing}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let program = folder.join("agent");
        fs::write(&program, REFUSES).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let text = format!(
            "name: x\ntarget: http://127.0.0.1:1\nregions: [tokyo]\njourneys: [browse]\nagent_binary: agent\n\
             load: {{ arrivals: [{{ hold: 10/s, for: 1s }}] }}\n\
             fleet: {{ start: {{ when_missing: {when_missing} }} }}\n"
        );
        let source =
            Source { name: "plan.yaml".to_owned(), folder: folder.clone(), text, files: BTreeMap::new() };
        (folder, Prepared::new(source, Overrides::default()).unwrap())
    }

    #[tokio::test]
    async fn who_is_refused_is_missing_as_who_is_silent_is() {
        for (when_missing, given_up) in [("abort", Some(NOT_BEGUN)), ("declare", None)] {
            let (folder, prepared) = prepared(when_missing);
            let launchers = Launchers::open(&prepared, "r").await.unwrap();
            let mut listener = |_: Noted| {};
            let mut conductor = Conductor::new(&prepared, &launchers, "r", &mut listener).unwrap();
            conductor.launch_first().unwrap();
            let mut progress = Progress::new(true, &prepared.plan);
            let goes_on = timeout(Duration::from_secs(20), conductor.gather(&mut progress)).await.unwrap();
            assert!(!goes_on, "{when_missing}: nobody is there");
            assert_eq!(conductor.given_up, given_up);
            assert!(
                matches!(&conductor.fold.agents[0].ended, Ended::Lost(why) if why.contains("exit status: 3"))
            );
            fs::remove_dir_all(&folder).unwrap();
        }
    }

    #[tokio::test]
    async fn who_is_refused_is_waited_for_under_another_id() {
        let (folder, prepared) = prepared("wait");
        let launchers = Launchers::open(&prepared, "r").await.unwrap();
        let mut listener = |_: Noted| {};
        let mut conductor = Conductor::new(&prepared, &launchers, "r", &mut listener).unwrap();
        conductor.launch_first().unwrap();
        let mut progress = Progress::new(true, &prepared.plan);
        let gathered = timeout(Duration::from_secs(4), conductor.gather(&mut progress)).await;
        assert!(gathered.is_err(), "it waits");
        assert_eq!((conductor.given_up, &conductor.fold.agents[0].ended), (None, &Ended::Not));
        let heard = fs::read(folder.join("agent.heard")).unwrap();
        let heard = String::from_utf8_lossy(&heard);
        assert!(heard.contains("r-0") && heard.contains("r-0.1"), "{heard}");
        drop(conductor);
        fs::remove_dir_all(&folder).unwrap();
    }
}
