//! Judges an answer: what refuses it, what is expected of it, then what is taken for later steps, in one pass over the
//! page.

use std::borrow::Cow;
use std::cell::OnceCell;

use rand_core::Rng;

use crate::expect::{Expect, Looked, Scene};
use crate::extract::Pick;
use crate::failure::{Failure, quote};
use crate::form;
use crate::journey::{FormUse, Step};
use crate::scan::{Query, Take, scan};
use crate::template::Values;
use crate::value::Value;
use crate::walk::Answer;

/// What a good answer leaves.
#[derive(Default)]
pub(crate) struct Judged {
    /// Values by variable.
    pub(crate) values: Vec<(u16, Value)>,
    /// What conditions asked about it, by flag.
    pub(crate) flags: Vec<(u16, bool)>,
    /// What the page's addresses are relative to, when not to its own.
    pub(crate) base: Option<Box<str>>,
}

/// Judges `answer` and takes from it what `step` wants.
///
/// # Errors
/// The first expectation that is not met, or the first value that is not there.
pub(crate) fn judge(
    step: &Step,
    values: &Values<'_>,
    answer: &Answer<'_>,
    rng: &mut dyn Rng,
) -> Result<Judged, Failure> {
    let is_plain = step.refusals.is_empty() && step.conditions.is_empty() && step.expect.page.is_none();
    if is_plain {
        step.expect.judge_status(answer.status)?;
        if !step.wants_headers && !step.wants_body && !step.wants_cookies && step.extracts.is_empty() {
            return Ok(Judged::default());
        }
    }
    let (charset, body) = answer.content_type.read(answer.body);
    let scene = Scene {
        file: &values.journey.file,
        values,
        status: answer.status,
        headers: answer.headers,
        url: answer.url,
        hops: answer.hops,
        cookies: answer.cookies,
        body: &body,
        charset,
        body_bytes: answer.body.len(),
        cut: answer.cut,
        json: OnceCell::new(),
    };
    let mut looked = look_through(step, &scene)?.into_iter();
    for (name, refusal) in &step.refusals {
        if asks(refusal, &scene, &mut looked)? {
            let mut failure = Failure::new(format!("refused: {name} ({}:{})", scene.file, step.line));
            failure.refusal = Some(name.clone());
            return Err(failure);
        }
    }
    step.expect.judge_status(answer.status)?;
    step.expect.judge(&scene, &mut looked)?;
    if step.request.is_graphql {
        graphql(step, &scene)?;
    }
    let mut judged = Judged::default();
    for (flag, condition) in &step.conditions {
        judged.flags.push((*flag, asks(condition, &scene, &mut looked)?));
    }
    for extract in &step.extracts {
        let value = extract.take(&scene, &mut looked, rng)?;
        if let (Pick::Fresh(taken), Value::Text(text)) = (&extract.pick, &value) {
            judged.values.push((*taken, extract.remembered(*taken, text, &scene)?));
        }
        judged.values.push((extract.slot, value));
    }
    if step.wants_base {
        let found = looked.next().and_then(|(found, _)| found.values.into_iter().next());
        judged.base = found.map(String::into_boxed_str);
    }
    for form in &step.forms {
        // Whether the form is needed is not known yet: the step that submits it says why it cannot.
        let taken = take_form(form, &scene);
        let value =
            taken.map_or_else(|why| Value::Text(why.message.into()), |form| Value::Form(Box::new(form)));
        judged.values.push((form.slot, value));
    }
    Ok(judged)
}

/// Whether the answer is what is asked for.
///
/// # Errors
/// When that cannot be told, because not all of the body was kept.
fn asks<'a>(
    asked: &Expect,
    scene: &Scene<'_>,
    looked: &mut impl Iterator<Item = Looked<'a>>,
) -> Result<bool, Failure> {
    let judged = asked.judge(scene, looked);
    let met = asked.judge_status(scene.status).and(judged).is_ok();
    if !met && scene.cut && asked.wants_body() {
        return Err(Failure::new(
            "cannot tell whether a condition is met: the body was longer than what is kept of it".to_owned(),
        ));
    }
    Ok(met)
}

/// What every selector of the step finds, with its text, in the order in which it is judged.
fn look_through<'a>(step: &'a Step, scene: &Scene<'a>) -> Result<Vec<Looked<'a>>, Failure> {
    let values = scene.values;
    let refusals = step.refusals.iter().flat_map(|(_, refusal)| refusal.queries(values));
    let conditions = step.conditions.iter().flat_map(|(_, condition)| condition.queries(values));
    let extracts = step.extracts.iter().filter_map(|extract| extract.query(values));
    let queries = refusals.chain(step.expect.queries(values)).chain(conditions).chain(extracts);
    let (mut queries, mut texts): (Vec<_>, Vec<_>) =
        queries.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    if step.wants_base
        && let Some(selector) = form::BASE.as_ref()
    {
        queries.push(Query {
            selector: Cow::Borrowed(selector),
            take: Take::Attribute("href"),
            until: Some(0),
        });
        texts.push(Cow::Borrowed("base"));
    }
    if queries.is_empty() {
        return Ok(Vec::new());
    }
    let found = scan(scene.body, &queries).map_err(Failure::new)?;
    Ok(found.into_iter().zip(texts).collect())
}

/// GraphQL tells errors in an answer of status 200 (GraphQL specification, section 7.1.2).
fn graphql(step: &Step, scene: &Scene<'_>) -> Result<(), Failure> {
    let document =
        scene.json().map_err(|error| scene.failure(&format!("no JSON body: {error}"), step.line))?;
    let errors = document.get("errors").and_then(|errors| errors.as_array());
    let Some(first) = errors.and_then(|errors| errors.first()) else {
        return Ok(());
    };
    let word = |path: &str| first.pointer(path).and_then(|text| text.as_str());
    let message = quote(word("/message").unwrap_or(""));
    let code = word("/extensions/code").map(|code| format!(" {code}")).unwrap_or_default();
    Err(scene.failure(&format!("GraphQL error{code}: {message}"), step.line))
}

fn take_form(wanted: &FormUse, scene: &Scene<'_>) -> Result<form::Form, Failure> {
    let (selector, text) = wanted.form.resolve(scene.values)?;
    let button = wanted.button.as_ref().map(|button| button.resolve(scene.values)).transpose()?;
    let button_selector = button.as_ref().map(|(selector, _)| &selector.whole);
    let part = form::around(scene.body, wanted.form.begin(scene.body));
    let read = |html| form::read(html, scene.url.as_str(), scene.charset, &selector.whole, button_selector);
    let read = match read(part) {
        // The word that was looked for stood before another form.
        Ok(None) | Err(_) if part.len() < scene.body.len() => read(scene.body),
        read => read,
    };
    let fail = |message: &str| scene.failure(message, wanted.line);
    match read {
        Ok(Some(form)) => Ok(form),
        Ok(None) => Err(fail(&format!("no form matches {text}"))),
        Err(why) => {
            let button = button.map(|(_, text)| format!(", {text}")).unwrap_or_default();
            Err(fail(&format!("{text}{button}: {why}")))
        }
    }
}
