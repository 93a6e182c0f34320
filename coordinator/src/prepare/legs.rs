//! Who does which part of a run: each region's share, dealt out to its agents, and each agent's time, cut into generations.

use std::sync::Arc;

use doorbuster_model::plan::Region;
use doorbuster_model::plan::fleet::LaunchBy;
use doorbuster_model::segment::split_weighted;
use doorbuster_model::{Assignment, Generation, Segment, Task};

use super::Prepared;

/// What one launch of an agent covers: a share of the run, for all of its time or for a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leg {
    /// Which of the plan's agents, all regions counted through: those who relieve one another share it.
    pub place: usize,
    /// The position of its region.
    pub region: usize,
    /// Its share of arrivals and shoppers.
    pub segment: Segment,
    /// Its part of the time; `None` for all of it.
    pub generation: Option<Generation>,
}

impl Leg {
    /// When it begins, in nanoseconds since second 0.
    pub(crate) fn begins_ns(&self) -> u64 {
        self.generation.map_or(0, |generation| generation.from_ns)
    }
}

impl Prepared {
    /// Everything that is to be launched, in the order in which it begins. Assignments are made one by one, when it is time
    /// ([`assignment`](Self::assignment)); its files they share.
    pub(crate) fn legs(&self) -> Vec<Leg> {
        let mut legs: Vec<Leg> = self.places().into_iter().flat_map(|leg| self.relay(leg)).collect();
        legs.sort_by_key(Leg::begins_ns);
        legs
    }

    /// What an agent is to do, in the run of that id.
    pub(crate) fn assignment(&self, run: &str, leg: &Leg) -> Assignment {
        let region = &self.plan.regions[leg.region];
        let place = leg.place;
        let id = match leg.generation {
            Some(generation) => format!("{run}-{place}-{}", generation.number),
            None => format!("{run}-{place}"),
        };
        Assignment {
            id,
            run: run.to_owned(),
            region: region.name.clone(),
            segment: leg.segment.clone(),
            agents_here: if region.launch == LaunchBy::Local { self.agents_here() } else { 0 },
            plan: self.text.clone(),
            overrides: self.overrides.clone(),
            files: Arc::clone(&self.files),
            secrets: self.secrets.clone(),
            today: self.today,
            task: self.task_of(region),
            generation: leg.generation,
            not_after_unix_ms: 0,
        }
    }

    /// One assignment per agent, for all of the time: which region (by position), and what it is to do.
    pub(crate) fn assignments(&self, run: &str) -> Vec<(usize, Assignment)> {
        self.places().iter().map(|leg| (leg.region, self.assignment(run, leg))).collect()
    }

    /// Each region's exact share, dealt out to its agents in turn.
    fn places(&self) -> Vec<Leg> {
        let shares: Vec<u32> = self.plan.regions.iter().map(|region| region.share).collect();
        let regions = self.plan.regions.iter().zip(split_weighted(&shares)).enumerate();
        let segments = regions
            .flat_map(|(region, (of, share))| share.split(of.agents).into_iter().map(move |s| (region, s)));
        let leg = |(place, (region, segment))| Leg { place, region, segment, generation: None };
        segments.enumerate().map(leg).collect()
    }

    /// Those who cover an agent's share one after the other. Only a load is so long that it takes several: what a probe does
    /// has no end, and everything else is over in minutes.
    fn relay(&self, leg: Leg) -> Vec<Leg> {
        if self.task != Task::Load {
            return vec![leg];
        }
        let (plan, launch) = (&self.plan, self.plan.regions[leg.region].launch);
        let parts = plan.fleet.relay(launch, plan.load.pace.length_ns(), plan.graceful);
        if parts.len() <= 1 {
            return vec![leg];
        }
        parts.into_iter().map(|generation| Leg { generation: Some(generation), ..leg.clone() }).collect()
    }

    /// How many agents share this machine. Those who relieve one another do not count twice: who is relieved has little left
    /// to do.
    fn agents_here(&self) -> u32 {
        let here = self.plan.regions.iter().filter(|region| region.launch == LaunchBy::Local);
        here.fold(0, |sum, region| sum.saturating_add(region.agents))
    }

    /// What an agent of a region is to do: of an audit, at the region's share of its rate.
    fn task_of(&self, region: &Region) -> Task {
        let mut task = self.task.clone();
        if let Task::Audit(audit) = &mut task {
            audit.rate_milli = self.plan.audit_share_milli(region, audit.rate_milli);
        }
        task
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use doorbuster_model::Overrides;

    use super::*;
    use crate::prepare::Source;

    const SECOND_NS: u64 = 1_000_000_000;

    fn prepared(more: &str) -> Prepared {
        let text = format!(
            "name: x\ntarget: http://127.0.0.1:1\nregions: {{ a: {{ agents: 2 }}, b: {{ share: 3 }} }}\n\
             journeys: [browse]\nload: {{ arrivals: [{{ hold: 10/s, for: 13s }}] }}\n{more}"
        );
        let source =
            Source { name: "plan.yaml".to_owned(), folder: PathBuf::new(), text, files: BTreeMap::new() };
        Prepared::new(source, Overrides::default()).unwrap()
    }

    #[test]
    fn without_generations_a_leg_is_an_agent() {
        let prepared = prepared("");
        let legs = prepared.legs();
        let found: Vec<_> = legs.iter().map(|leg| (leg.place, leg.region, leg.generation)).collect();
        assert_eq!(found, [(0, 0, None), (1, 0, None), (2, 1, None)]);
        let made: Vec<(usize, Assignment)> =
            legs.iter().map(|leg| (leg.region, prepared.assignment("r", leg))).collect();
        assert_eq!(made, prepared.assignments("r"));
        assert_eq!((made[2].1.id.as_str(), made[2].1.agents_here), ("r-2", 3));
    }

    #[test]
    fn a_relay_covers_every_share_and_all_of_the_time() {
        let prepared = prepared("fleet: { generation: 5s }\n");
        let legs = prepared.legs();
        assert_eq!(legs.len(), 9);
        assert!(legs.is_sorted_by_key(Leg::begins_ns), "who begins first is launched first");
        let ids: Vec<String> = legs[..4].iter().map(|leg| prepared.assignment("r", leg).id).collect();
        assert_eq!(ids, ["r-0-0", "r-1-0", "r-2-0", "r-0-1"]);
        let pace = &prepared.plan.load.pace;
        let mut planned = 0;
        for place in 0..3 {
            let mut end_ns = 0;
            for leg in legs.iter().filter(|leg| leg.place == place) {
                let generation = leg.generation.unwrap();
                assert_eq!(generation.from_ns, end_ns, "no gap");
                end_ns = generation.to_ns;
                let before = |ns| leg.segment.count_below(pace.arrivals_before(ns));
                planned += before(generation.to_ns) - before(generation.from_ns);
                assert_eq!(prepared.assignment("r", leg).agents_here, 3, "as many as work at a time");
            }
            assert_eq!(end_ns, 13 * SECOND_NS);
        }
        assert_eq!(planned, pace.arrivals());
    }

    #[test]
    fn all_agents_share_the_files() {
        let prepared = prepared("");
        let made = prepared.assignments("r");
        assert!(made.iter().all(|(_, assignment)| Arc::ptr_eq(&assignment.files, &prepared.files)));
    }

    #[test]
    fn functions_that_begin_have_less_time_than_those_who_relieve_them() {
        let text = "name: x\ntarget: http://127.0.0.1:1\n\
             regions: { a: { launch: lambda, aws: eu-west-2 }, b: { agents: 1 } }\n\
             journeys: [browse]\nload: { arrivals: [{ hold: 10/s, for: 30m }] }\n";
        let source = Source {
            name: "plan.yaml".to_owned(),
            folder: PathBuf::new(),
            text: text.to_owned(),
            files: BTreeMap::new(),
        };
        let legs = Prepared::new(source, Overrides::default()).unwrap().legs();
        let parts = legs.iter().map(|leg| (leg.region, leg.begins_ns() / SECOND_NS));
        assert_eq!(parts.collect::<Vec<_>>(), [(0, 0), (1, 0), (0, 772), (0, 1_552)]);
    }

    #[test]
    fn what_is_no_load_is_done_in_one_go() {
        let mut prepared = prepared("fleet: { generation: 5s }\n");
        prepared.task = Task::Trace { walks: 1 };
        assert!(prepared.legs().iter().all(|leg| leg.generation.is_none()));
    }
}
