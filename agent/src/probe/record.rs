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
    /// Whether the step under way failed before, and is tried again.
    is_again: bool,
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
    /// A step begins; `is_again` says that it failed and is tried again. Only the walk knows: in a loop the same step may
    /// follow its own failure as a step of its own.
    fn begin(&self, number: u64, is_again: bool) {
        if let Some(record) = self.0.borrow_mut().get_mut(&number) {
            record.is_again = is_again;
        }
    }

    /// Notes a step that was to start at `intended_ns`. False where there is no room for it.
    fn note(&self, number: u64, intended_ns: u64, mut step: ProbedStep) -> bool {
        let mut records = self.0.borrow_mut();
        let Some(record) = records.get_mut(&number) else { return true };
        let waited_ns = intended_ns.saturating_sub(record.intended_ns);
        let is_again = std::mem::take(&mut record.is_again);
        // Who waits for a step that is tried again has waited since its first start.
        let again = record.steps.last_mut().filter(|last| is_again && last.step == step.step);
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

/// Notes that a step begins, and whether it is tried again after it failed, where this is a probe.
pub(crate) fn begin(visitor: &Visitor, is_again: bool) {
    if visitor.worker.job.probe.is_some() {
        visitor.worker.records.begin(visitor.number, is_again);
    }
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
        records.begin(7, true);
        assert!(records.note(7, 5_000, fails(20)));
        assert_eq!(steps(&records), [(0, true, Some(50)), (1, false, Some(3_020))]);
        records.begin(7, true);
        assert!(records.note(7, 9_000, went_well(1, 30)));
        assert_eq!(steps(&records), [(0, true, Some(50)), (1, true, Some(7_030))]);
        assert!(records.note(7, 9_500, went_well(1, 40)), "a loop comes to it again");
        assert_eq!(steps(&records).len(), 3);
        assert!(records.note(8, 0, went_well(0, 1)), "nobody keeps account of that walk");
    }

    #[test]
    fn a_failure_in_a_loop_is_not_undone_by_the_next_round() {
        let records = records();
        let fails = failed(1, ErrorClass::Status, "503", Some(10));
        for (begun_ns, step) in [(0, fails), (100, went_well(1, 20)), (200, went_well(1, 30))] {
            records.begin(7, false);
            assert!(records.note(7, begun_ns, step));
        }
        assert_eq!(steps(&records), [(1, false, Some(10)), (1, true, Some(20)), (1, true, Some(30))]);
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
        assert!(records.note(7, 0, went_well(0, 1)), "a further round does not undo it");
        assert!(steps(&records).contains(&(0, false, Some(2))));
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
