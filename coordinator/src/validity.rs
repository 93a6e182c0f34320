//! What makes a run invalid whatever it is for, load or an audit, and the verdict that reasons come to.

use std::time::Duration;

use doorbuster_model::Tally;
use doorbuster_notation::show_duration;

use crate::fold::{AgentState, Ended};
use crate::outcome::{Outcome, Reason, Verdict};

/// A reason why nothing can be judged.
pub(crate) fn invalid(kind: &'static str, region: Option<&str>, message: String) -> Reason {
    Reason { kind, message, region: region.map(str::to_owned), invalidates: true }
}

/// Invalid wins over fail, and fail over pass.
pub(crate) fn verdict(reasons: &[Reason]) -> Verdict {
    match (reasons.iter().any(|reason| reason.invalidates), reasons.is_empty()) {
        (true, _) => Verdict::Invalid,
        (false, false) => Verdict::Fail,
        (false, true) => Verdict::Pass,
    }
}

/// Somebody stopped `what` it was.
pub(crate) fn interrupted(what: &str) -> Reason {
    let message = format!(
        "the {what} was interrupted before its end; what was seen until then is shown, run it again for a verdict"
    );
    invalid("interrupted", None, message)
}

/// An agent was lost, which `means` so much, or could not go on.
pub(crate) fn ended(agent: &AgentState, region: &str, means: impl FnOnce() -> String) -> Option<Reason> {
    let reported = show_duration(Duration::from_secs(u64::from(agent.next_second)));
    match &agent.ended {
        Ended::Lost(why) => {
            let message = format!("an agent in {region} was lost after {reported} ({why}): {}", means());
            Some(invalid("agent_lost", Some(region), message))
        }
        Ended::Failed(why) => {
            let message = format!("an agent in {region} could not go on after {reported}: {why}");
            Some(invalid("agent_failed", Some(region), message))
        }
        Ended::Finished | Ended::Not => None,
    }
}

/// Nothing answered, as `tally` has it.
pub(crate) fn unreachable(region: Option<&str>, tally: &Tally) -> Reason {
    let requests = Outcome::exchanges(tally).requests;
    let example = match tally.failures.values().next() {
        Some(failures) => format!(" to {requests} requests ({})", failures.example),
        None => String::new(),
    };
    let message = format!("nothing answered at all{example}; check the address, and that the target is up");
    invalid("target_unreachable", region, message)
}

/// A firewall stood before the shop: over 1 % of the answers are its own, which `means` so much.
pub(crate) fn challenged(challenges: u64, answers: u64, means: &str) -> Option<Reason> {
    let message = format!(
        "{challenges} of {answers} answers were challenges of a firewall (WAF), so {means}; have its rules let this run's addresses or User-Agent through"
    );
    (challenges.saturating_mul(100) > answers).then(|| invalid("waf_challenges", None, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_wins_over_fail_and_fail_over_pass() {
        let broken = Reason { kind: "cdn", message: String::new(), region: None, invalidates: false };
        assert_eq!(verdict(&[]), Verdict::Pass);
        assert_eq!(verdict(std::slice::from_ref(&broken)), Verdict::Fail);
        assert_eq!(verdict(&[broken, interrupted("run")]), Verdict::Invalid);
    }

    #[test]
    fn one_challenge_in_a_hundred_is_none_too_many() {
        assert_eq!(challenged(1, 100, "x"), None);
        let reason = challenged(2, 100, "little is known").unwrap();
        assert!(
            reason.message.contains("2 of 100 answers") && reason.message.contains("so little is known;")
        );
        assert_eq!((challenged(0, 0, "x"), challenged(1, 0, "x").is_some()), (None, true));
    }
}
