//! Requests become samples in the running tally.

use doorbuster_agent::Tallies;
use doorbuster_model::cdn::Observation;
use doorbuster_model::pace::section_at;
use doorbuster_model::sample::Times;
use doorbuster_model::{ErrorClass, Key, Part, Sample};

use super::Stage;
use crate::cast::Role;
use crate::meaning::Answered;
use crate::seat::{Seat, State};
use crate::tap::GivenUp;

impl Stage {
    /// Counts what is over.
    pub(super) fn record(&self, seat: &Seat, state: &mut State) {
        let tap = &mut state.tap;
        let too_late = std::mem::take(&mut tap.judged_too_late);
        if tap.over.is_empty() && tap.given_up.is_empty() && too_late == 0 {
            return;
        }
        let role = &self.roles[seat.role];
        self.count(|tallies, _| {
            for answered in tap.over.drain(..) {
                self.record_one(role, &answered, tallies);
            }
            for GivenUp { began_ns, ended_ns } in tap.given_up.drain(..) {
                let overdue = Some("when the scenario gave it up");
                self.record_unanswered(role, began_ns, ended_ns, overdue, tallies);
            }
            if too_late > 0 {
                tallies.current().count("judged_too_late", too_late);
            }
        });
    }

    fn record_one(&self, role: &Role, answered: &Answered, tallies: &mut Tallies) {
        let step = role.step(answered.metric.raw.method_label(), &answered.metric.name);
        let sample = answered.sample(self.key(role, step, answered.began_ns()));
        tallies.record(&sample);
        if let Some(class) = sample.error {
            tallies.current().fail(role.journey, step, class, || answered.message());
        }
    }

    fn key(&self, role: &Role, step: u16, began_ns: u64) -> Key {
        let section = section_at(&self.job.sections, began_ns);
        Key {
            journey: role.journey,
            step,
            part: Part::Main,
            section: u16::try_from(section).unwrap_or(u16::MAX),
        }
    }

    /// Goose tells a request's name and address with its end, so without one it belongs to no step of its own. It is a
    /// timeout where it was waited for until it was `overdue`, which says when that was; otherwise it was cut off.
    pub(super) fn record_unanswered(
        &self,
        role: &Role,
        began_ns: u64,
        ended_ns: u64,
        overdue: Option<&str>,
        tallies: &mut Tallies,
    ) {
        let sample = Sample {
            key: self.key(role, role.other, began_ns),
            times: Times {
                intended_ns: began_ns,
                handled_ns: began_ns,
                sent_ns: Some(began_ns),
                first_byte_ns: None,
                ended_ns,
            },
            opened: None,
            status: None,
            error: overdue.map(|_| ErrorClass::Timeout),
            cut: overdue.is_none(),
            bytes_wire: 0,
            bytes_decoded: None,
            observation: Observation::default(),
        };
        tallies.record(&sample);
        if let Some(when) = overdue {
            let waited_s = ended_ns.saturating_sub(began_ns) as f64 / 1e9;
            let example = || format!("no answer's head within {waited_s:.1} s, {when}");
            tallies.current().fail(role.journey, role.other, ErrorClass::Timeout, example);
        }
    }
}
