//! Judges an answer: expectations first, then what is taken for later steps, in one pass over the page.

use std::borrow::Cow;

use rand_core::Rng;

use crate::expect::Scene;
use crate::extract::JsonBody;
use crate::failure::Failure;
use crate::journey::Step;
use crate::scan::{Found, scan};
use crate::template::Values;
use crate::walk::Answer;

/// The values that `step` takes from `answer`, by variable.
///
/// # Errors
/// The first expectation that is not met, or the first value that is not there.
pub(crate) fn judge(
    step: &Step,
    file: &str,
    values: &Values<'_>,
    answer: &Answer<'_>,
    rng: &mut dyn Rng,
) -> Result<Vec<(u16, Box<str>)>, Failure> {
    step.expect.judge_status(answer.status)?;
    if !step.wants_headers && !step.wants_body {
        return Ok(Vec::new());
    }
    let scene = Scene { file, values, body: answer.body, cut: answer.cut };
    step.expect.judge_headers(answer.headers, &scene)?;
    step.expect.judge_text(&scene)?;
    let mut found = look_through(step, &scene)?.into_iter();
    for expect in &step.expect.css {
        if let Some((found, selector)) = found.next() {
            expect.judge(&selector, &found, &scene)?;
        }
    }
    let mut json = JsonBody::default();
    let mut taken = Vec::with_capacity(step.extracts.len());
    for extract in &step.extracts {
        let found = if matches!(extract.from, crate::extract::From::Css(..)) { found.next() } else { None };
        taken.push((extract.slot, extract.take(&scene, answer.headers, found, &mut json, rng)?));
    }
    Ok(taken)
}

/// What every selector of the step finds, with its text: those of expectations first, then those of extracts.
fn look_through<'a>(step: &'a Step, scene: &Scene<'_>) -> Result<Vec<(Found, Cow<'a, str>)>, Failure> {
    let expects = step.expect.css.iter().map(|expect| expect.query(scene.values));
    let extracts = step.extracts.iter().filter_map(|extract| extract.query(scene.values));
    let (queries, texts): (Vec<_>, Vec<_>) =
        expects.chain(extracts).collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    if queries.is_empty() {
        return Ok(Vec::new());
    }
    let found = scan(scene.body, queries).map_err(Failure::new)?;
    Ok(found.into_iter().zip(texts).collect())
}
