//! How walks of a probe went.

use doorbuster_model::report::{ProbeFailure, Probed, ProbedStep};
use doorbuster_model::{ErrorClass, Report};

use super::narrow;
use super::tally::{member, position};
use crate::{Error, proto};

pub(super) fn to_proto(walks: &[Probed]) -> proto::Probed {
    let walk = |walk: &Probed| proto::ProbedWalk {
        journey: u32::from(walk.journey),
        began_ns: walk.began_ns,
        good: walk.is_good,
        steps: walk.steps.iter().map(step_to_proto).collect(),
    };
    proto::Probed { walks: walks.iter().map(walk).collect() }
}

fn step_to_proto(step: &ProbedStep) -> proto::ProbedStep {
    let failure = step.failure.as_ref();
    proto::ProbedStep {
        step: u32::from(step.step),
        class: failure.map(|failure| position(&ErrorClass::ALL, &failure.class)),
        problem: failure.map(|failure| failure.problem.clone()).unwrap_or_default(),
        latency_ns: step.latency_ns,
        page_ns: step.page_ns,
    }
}

pub(super) fn from_proto(came: proto::Probed) -> Result<Report, Error> {
    let walk = |walk: proto::ProbedWalk| {
        Ok(Probed {
            journey: narrow(walk.journey, "journey")?,
            began_ns: walk.began_ns,
            is_good: walk.good,
            steps: walk.steps.iter().map(step_from_proto).collect::<Result<_, Error>>()?,
        })
    };
    Ok(Report::Probed(came.walks.into_iter().map(walk).collect::<Result<_, Error>>()?))
}

fn step_from_proto(step: &proto::ProbedStep) -> Result<ProbedStep, Error> {
    let class = step.class.map(|class| member(&ErrorClass::ALL, class, "error class")).transpose()?;
    Ok(ProbedStep {
        step: narrow(step.step, "step")?,
        failure: class.map(|class| ProbeFailure::new(class, &step.problem)),
        latency_ns: step.latency_ns,
        page_ns: step.page_ns,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused() {
        let step = proto::ProbedStep { class: Some(9), ..Default::default() };
        let far = proto::ProbedStep { step: 65_536, ..Default::default() };
        for (step, part) in [(step, "error class"), (far, "step")] {
            let walk = proto::ProbedWalk { steps: vec![step], ..Default::default() };
            assert_eq!(from_proto(proto::Probed { walks: vec![walk] }), Err(Error::Impossible { part }));
        }
    }
}
