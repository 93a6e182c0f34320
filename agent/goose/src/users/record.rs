//! Requests become samples in the running tally.

use doorbuster_agent::Tallies;
use doorbuster_model::pace::section_at;
use doorbuster_model::sample::Times;
use doorbuster_model::{ErrorClass, Key, Part, Sample};

use super::Users;
use crate::allocation::CountedJourney;
use crate::listener::GivenUp;
use crate::meaning::Answered;
use crate::user::{State, User};

impl Users {
    /// Counts what is over.
    pub(super) fn record(&self, user: &User, state: &mut State) {
        let listener = &mut state.listener;
        let too_late = std::mem::take(&mut listener.judged_too_late);
        if listener.over.is_empty() && listener.given_up.is_empty() && too_late == 0 {
            return;
        }
        let journey = &self.journeys[user.journey];
        self.count(|tallies, _| {
            for answered in listener.over.drain(..) {
                self.record_one(journey, &answered, tallies);
            }
            for GivenUp { began_ns, ended_ns } in listener.given_up.drain(..) {
                let overdue = Some("when the scenario gave it up");
                self.record_unanswered(journey, began_ns, ended_ns, overdue, tallies);
            }
            if too_late > 0 {
                tallies.current().count("judged_too_late", too_late);
            }
        });
    }

    fn record_one(&self, journey: &CountedJourney, answered: &Answered, tallies: &mut Tallies) {
        let step = journey.step(answered.metric.raw.method_label(), &answered.metric.name);
        let key = self.key(journey, step, answered.began_ns());
        let sample = answered.sample(key, &self.job.plan.cdn);
        tallies.record(&sample);
        if let Some(class) = sample.error {
            tallies.current().fail(journey.position, step, class, || answered.message());
        }
    }

    fn key(&self, journey: &CountedJourney, step: u16, began_ns: u64) -> Key {
        let section = section_at(&self.job.sections, began_ns);
        Key {
            journey: journey.position,
            step,
            part: Part::Main,
            section: u16::try_from(section).unwrap_or(u16::MAX),
        }
    }

    /// Goose tells a request's name and address with its end, so without one it belongs to no step of its own. It is a
    /// timeout where it was waited for until it was `overdue`, which says when that was; otherwise it was cut off.
    pub(super) fn record_unanswered(
        &self,
        journey: &CountedJourney,
        began_ns: u64,
        ended_ns: u64,
        overdue: Option<&str>,
        tallies: &mut Tallies,
    ) {
        let times = Times {
            intended_ns: began_ns,
            handled_ns: began_ns,
            sent_ns: Some(began_ns),
            first_byte_ns: None,
            ended_ns,
        };
        let sample = Sample {
            error: overdue.map(|_| ErrorClass::Timeout),
            cut: overdue.is_none(),
            ..Sample::new(self.key(journey, journey.other, began_ns), times)
        };
        tallies.record(&sample);
        if let Some(when) = overdue {
            let waited_s = ended_ns.saturating_sub(began_ns) as f64 / 1e9;
            let example = || format!("no answer's head within {waited_s:.1} s, {when}");
            tallies.current().fail(journey.position, journey.other, ErrorClass::Timeout, example);
        }
    }
}
