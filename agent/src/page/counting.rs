//! What a step's exchanges count as: in the tally, and in the record of a probe's walk.

use doorbuster_journeys::{Failure, FailureKind, Walk};
use doorbuster_model::report::Marker;
use doorbuster_model::{ErrorClass, Key, Sample};

use super::Page;
use crate::blame::blame;
use crate::client::Broken;
use crate::exchange::Order;
use crate::probe;

impl Page<'_> {
    /// A step that cannot be sent at all: a failure of the journey, without an exchange.
    pub(super) fn refuse(&self, key: Key, message: String) {
        probe::note(self.visitor, self.intended_ns, || {
            let problem = self.redacted(message.clone());
            probe::failed(key.step, ErrorClass::Expectation, &problem, None)
        });
        let now_ns = self.visitor.worker.clock.now_ns();
        let mut tallies = self.visitor.worker.tallies.borrow_mut();
        let tally = tallies.at(now_ns);
        tally.count("steps_not_sent", 1);
        tally.fail(key.journey, key.step, ErrorClass::Expectation, || self.redacted(message));
    }

    /// Raises the counters of a step that was answered as expected, in the second of its sample.
    fn count(&self, walk: &mut Walk, sample: &Sample) {
        let mut tallies = self.visitor.worker.tallies.borrow_mut();
        let ended_ns = sample.times.ended_ns;
        let step = walk.journey().step_of_name(sample.key.step.into());
        for (name, by) in step.into_iter().flat_map(|step| step.counts()) {
            tallies.at(ended_ns).count(name, by);
        }
        for marker in walk.take_markers() {
            let marker = Marker { journey: self.journey, name: marker.name.into(), value: marker.value };
            tallies.mark(marker, ended_ns);
        }
    }

    /// The step's own answer, and what the journey says of it.
    pub(super) fn record(
        &self,
        sample: &mut Sample,
        order: &Order<'_>,
        walk: &mut Walk,
        failure: Option<Failure>,
    ) {
        let Some(failure) = failure else {
            self.visitor.worker.tallies.borrow_mut().record(sample);
            self.count(walk, sample);
            self.succeed(sample);
            return;
        };
        let ended_ns = sample.times.ended_ns;
        let class = match failure.kind {
            FailureKind::Status => ErrorClass::Status,
            FailureKind::Expectation | FailureKind::Said => ErrorClass::Expectation,
        };
        if let Some(refusal) = &failure.refusal {
            self.visitor.worker.tallies.borrow_mut().at(ended_ns).count(&format!("refused.{refusal}"), 1);
        }
        if failure.is_tolerated {
            self.succeed(sample);
            let mut tallies = self.visitor.worker.tallies.borrow_mut();
            tallies.record(sample);
            tallies.at(ended_ns).count("alternatives_not_taken", 1);
            return;
        }
        let broken = Broken::new(class, failure.message);
        blame(&self.visitor.worker, sample, &broken);
        self.fail(sample, order, &broken);
    }

    /// How long the step has taken by the end of `sample`, which may be a hop's.
    fn taken_ns(&self, sample: &Sample) -> u64 {
        sample.times.ended_ns.saturating_sub(self.intended_ns)
    }

    /// The step's own answer was good, or at least no failure of the target.
    fn succeed(&self, sample: &Sample) {
        let latency_ns = self.taken_ns(sample);
        probe::note(self.visitor, self.intended_ns, || probe::went_well(sample.key.step, latency_ns));
    }

    /// The step came to nothing, as `broken` says.
    pub(super) fn fail(&self, sample: &Sample, order: &Order<'_>, broken: &Broken) {
        self.record_broken(sample, order, broken);
        probe::note(self.visitor, self.intended_ns, || {
            let problem = self.told(order, broken);
            probe::failed(sample.key.step, broken.class, &problem, Some(self.taken_ns(sample)))
        });
    }

    /// An answer that leads elsewhere.
    pub(super) fn record_redirect(&self, sample: &Sample) {
        let mut tallies = self.visitor.worker.tallies.borrow_mut();
        tallies.record(sample);
        tallies.at(sample.times.ended_ns).count("redirects", 1);
        if let Some(turns) = &self.visitor.worker.turns {
            // It is followed at once, and whoever is next waits for that.
            turns.next_ns(sample.times.ended_ns);
        }
    }

    /// An exchange that failed, be it the step's own or an asset's.
    pub(super) fn record_broken(&self, sample: &Sample, order: &Order<'_>, broken: &Broken) {
        let mut tallies = self.visitor.worker.tallies.borrow_mut();
        tallies.record(sample);
        let example = || self.told(order, broken);
        tallies.at(sample.times.ended_ns).fail(sample.key.journey, sample.key.step, broken.class, example);
    }

    /// What was attempted, on what, and why it failed.
    fn told(&self, order: &Order<'_>, broken: &Broken) -> String {
        self.redacted(format!("{} {}: {}", order.method, order.address.shown(), broken.message))
    }
}
