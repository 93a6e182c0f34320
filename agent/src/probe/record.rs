//! What the walks of a probe have come to so far: told by those who carry out steps, kept until the walk has ended.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use doorbuster_model::ErrorClass;
use doorbuster_model::report::{ProbeFailure, Probed, ProbedStep};

use crate::visit::Visitor;
use crate::worker::Worker;

/// The walks under way, by the numbers of their shoppers. As many as a probe has at once; none where there is no probe.
#[derive(Default)]
pub(crate) struct Records(RefCell<BTreeMap<u64, Record>>);

/// One walk.
#[derive(Default)]
struct Record {
    steps: Vec<ProbedStep>,
    /// When the last of them was to start; of one that was tried again, when it was for the first time.
    intended_ns: u64,
}

impl Record {
    /// Takes a step that there is no room for: into the account of the same step, which is good if it was each time. One that
    /// failed is never left out; another that went well makes room for it. False where something is left out.
    fn squeeze(&mut self, step: ProbedStep) -> bool {
        if let Some(same) = self.steps.iter_mut().rev().find(|known| known.step == step.step) {
            if step.failure.is_some() {
                *same = step;
            } else if same.failure.is_none() {
                // The slowest stands for all.
                same.latency_ns = same.latency_ns.max(step.latency_ns);
            }
            return true;
        }
        if step.failure.is_some()
            && let Some(good) = self.steps.iter_mut().rev().find(|known| known.failure.is_none())
        {
            *good = step;
        }
        false
    }
}

/// A walk that is kept account of. One that is given up leaves nothing behind.
pub(super) struct Account {
    worker: Rc<Worker>,
    number: u64,
}

impl Account {
    /// Begins with nothing, for the walk of this shopper.
    pub(super) fn open(worker: &Rc<Worker>, number: u64) -> Self {
        worker.records.0.borrow_mut().insert(number, Record::default());
        Self { worker: Rc::clone(worker), number }
    }

    /// The steps that the walk came to.
    pub(super) fn close(self) -> Vec<ProbedStep> {
        let record = self.worker.records.0.borrow_mut().remove(&self.number);
        record.map(|record| record.steps).unwrap_or_default()
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.worker.records.0.borrow_mut().remove(&self.number);
    }
}

impl Records {
    /// Notes a step that was to start at `intended_ns`. False where there is no room for it.
    fn note(&self, number: u64, intended_ns: u64, mut step: ProbedStep) -> bool {
        let mut records = self.0.borrow_mut();
        let Some(record) = records.get_mut(&number) else { return true };
        let waited_ns = intended_ns.saturating_sub(record.intended_ns);
        // After a failure only the same step can follow where it is tried again; who waits for it has waited since then.
        let again = record.steps.last_mut().filter(|last| last.step == step.step && last.failure.is_some());
        if let Some(last) = again {
            step.latency_ns = step.latency_ns.map(|latency_ns| latency_ns.saturating_add(waited_ns));
            *last = step;
            return true;
        }
        if record.steps.len() >= Probed::STEPS_MAX {
            return record.squeeze(step);
        }
        record.intended_ns = intended_ns;
        record.steps.push(step);
        true
    }

    /// Does something with the last step of a walk, if it is this one.
    fn with_last(&self, number: u64, step: u16, work: impl FnOnce(&mut ProbedStep)) -> bool {
        let mut records = self.0.borrow_mut();
        let last = records.get_mut(&number).and_then(|record| record.steps.last_mut());
        let last = last.filter(|last| last.step == step);
        last.map(work).is_some()
    }
}

/// A step whose own answer came after `latency_ns`.
pub(crate) fn went_well(step: u16, latency_ns: u64) -> ProbedStep {
    ProbedStep { step, failure: None, latency_ns: Some(latency_ns), page_ns: None }
}

/// A step that failed, after so long where it was sent.
pub(crate) fn failed(step: u16, class: ErrorClass, problem: &str, latency_ns: Option<u64>) -> ProbedStep {
    ProbedStep { step, failure: Some(ProbeFailure::new(class, problem)), latency_ns, page_ns: None }
}

/// Notes how a step went that was to start at `intended_ns`, where this is a probe.
pub(crate) fn note(visitor: &Visitor, intended_ns: u64, step: impl FnOnce() -> ProbedStep) {
    let worker = &visitor.worker;
    if worker.job.probe.is_some() && !worker.records.note(visitor.number, intended_ns, step()) {
        worker.tallies.borrow_mut().current().count("probe_steps_not_kept", 1);
    }
}

/// Notes when the page of the last step was complete, where this is a probe.
pub(crate) fn note_page(visitor: &Visitor, step: u16, page_ns: u64) {
    if visitor.worker.job.probe.is_some() {
        visitor.worker.records.with_last(visitor.number, step, |last| last.page_ns = Some(page_ns));
    }
}

/// Notes that a walk failed without a request to blame, where this is a probe: its step could not be written, or the journey
/// itself says no to what the step before came to (`is_said`).
pub(crate) fn note_unsent(visitor: &Visitor, step: u16, is_said: bool, problem: &str) {
    let worker = &visitor.worker;
    if worker.job.probe.is_none() {
        return;
    }
    let failure = || ProbeFailure::new(ErrorClass::Expectation, problem);
    let fail = |last: &mut ProbedStep| last.failure = Some(failure());
    if is_said && worker.records.with_last(visitor.number, step, fail) {
        return;
    }
    let step = || failed(step, ErrorClass::Expectation, problem, None);
    note(visitor, worker.clock.now_ns(), step);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Records {
        let records = Records::default();
        records.0.borrow_mut().insert(7, Record::default());
        records
    }

    fn steps(records: &Records) -> Vec<(u16, bool, Option<u64>)> {
        let records = records.0.borrow();
        let told = |step: &ProbedStep| (step.step, step.failure.is_none(), step.latency_ns);
        records[&7].steps.iter().map(told).collect()
    }

    #[test]
    fn a_step_that_is_tried_again_counts_once_from_its_first_start() {
        let records = records();
        let fails = |latency_ns| failed(1, ErrorClass::Status, "503", Some(latency_ns));
        assert!(records.note(7, 1_000, went_well(0, 50)));
        assert!(records.note(7, 2_000, fails(10)));
        assert!(records.note(7, 5_000, fails(20)));
        assert_eq!(steps(&records), [(0, true, Some(50)), (1, false, Some(3_020))]);
        assert!(records.note(7, 9_000, went_well(1, 30)));
        assert_eq!(steps(&records), [(0, true, Some(50)), (1, true, Some(7_030))]);
        assert!(records.note(7, 9_500, went_well(1, 40)), "a loop comes to it again");
        assert_eq!(steps(&records).len(), 3);
        assert!(records.note(8, 0, went_well(0, 1)), "nobody keeps account of that walk");
    }

    #[test]
    fn what_is_kept_of_a_walk_is_bounded() {
        let records = records();
        let kept = (0..150).filter(|_| records.note(7, 0, went_well(0, 1))).count();
        assert_eq!((kept, steps(&records).len()), (150, Probed::STEPS_MAX), "a loop's step is one account");
        assert!(records.note(7, 0, went_well(0, 9)));
        assert_eq!(steps(&records).last(), Some(&(0, true, Some(9))), "the slowest stands for all");
        assert!(!records.note(7, 0, went_well(1, 1)), "there is no room for another");
        assert!(records.note(7, 0, failed(0, ErrorClass::Status, "503", Some(2))));
        assert!(records.note(7, 0, went_well(0, 1)), "after a failure it is tried again");
        assert!(!records.note(7, 0, failed(2, ErrorClass::Status, "503", Some(2))), "a good one is left out");
        assert!(steps(&records).contains(&(2, false, Some(2))), "what failed is always kept");
        let long = failed(0, ErrorClass::Dns, &"é".repeat(1_000), None);
        let problem = long.failure.unwrap().problem;
        assert_eq!(problem.chars().count(), ProbeFailure::PROBLEM_CHARS_MAX);
    }

    #[test]
    fn pages_and_what_the_journey_says_belong_to_the_last_step() {
        let records = records();
        records.note(7, 0, went_well(3, 1));
        assert!(!records.with_last(7, 2, |last| last.page_ns = Some(9)), "it is another step");
        assert!(records.with_last(7, 3, |last| last.page_ns = Some(9)));
        assert_eq!(records.0.borrow()[&7].steps[0].page_ns, Some(9));
        assert!(!records.with_last(8, 3, |_| unreachable!("nobody keeps account of it")));
    }
}
