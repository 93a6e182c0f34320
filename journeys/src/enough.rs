//! Whether the beginning of a body is enough: all that its step looks for is in it, and the rest would change nothing.
//!
//! What elements hold counts once they are closed, and a pattern's match once something follows it.

use memchr::memmem;
use regex::bytes::Match;

use crate::check::TEXT_BYTES_MAX;
use crate::extract::{Extract, From};
use crate::journey::Step;
use crate::scan::holds_all;
use crate::template::Values;

/// Whether `body`, the beginning of what came with a status, is enough for `step`.
pub(crate) fn is_enough(step: &Step, values: &Values<'_>, status: u16, body: &[u8]) -> bool {
    // What leads elsewhere, or is not accepted, is short, and read to its end.
    let is_wanted = !(300..400).contains(&status) && step.expect.judge_status(status).is_ok();
    is_wanted
        && has_texts(step, values, body)
        && step.expect.matches.iter().all(|(pattern, _)| is_followed(pattern.find(body), body))
        && step.extracts.iter().all(|extract| is_matched(extract, body))
        && has_elements(step, values, body)
}

fn has_texts(step: &Step, values: &Values<'_>, body: &[u8]) -> bool {
    step.expect.texts.iter().all(|(_, template, _)| {
        let text = template.filled(values, "the expected text", TEXT_BYTES_MAX);
        text.is_ok_and(|text| memmem::find(body, text.as_bytes()).is_some())
    })
}

/// Whether there is a match that does not end where this beginning of a body does: more of it might come.
fn is_followed(found: Option<Match<'_>>, body: &[u8]) -> bool {
    found.is_some_and(|found| found.end() < body.len())
}

/// Whether the match is there from which a value is taken, if it is taken by a pattern.
fn is_matched(extract: &Extract, body: &[u8]) -> bool {
    let From::Regex(pattern) = &extract.from else { return true };
    let values =
        pattern.captures_iter(body).filter(|captures| captures.len() == 1 || captures.get(1).is_some());
    let last = extract.pick.until().and_then(|until| values.take(until + 1).nth(until));
    is_followed(last.and_then(|captures| captures.get(0)), body)
}

fn has_elements(step: &Step, values: &Values<'_>, body: &[u8]) -> bool {
    let extracts = step.extracts.iter().filter_map(|extract| extract.query(values));
    let queries = step.expect.queries(values).chain(extracts);
    let queries: Result<Vec<_>, _> = queries.map(|query| query.map(|(query, _)| query)).collect();
    // Whoever cannot be asked for will fail when the answer is judged.
    let Ok(queries) = queries else { return false };
    holds_all(body, &queries)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::walk::tests::{Dice, plain, shopper};
    use crate::{Journey, Next, Walk};

    /// A walk that waits for the answer to its only step.
    fn waiting(step: &str) -> Walk {
        let text = format!("journey: test\nsteps:\n  - {{ step: a, get: /, read: until_found, {step} }}");
        let journey = Arc::new(Journey::parse("test.yaml", &text).unwrap());
        let mut walk = Walk::new(journey, shopper("run 1"));
        assert!(
            matches!(walk.next(&mut Dice(1)), Next::Fetch(fetch) if fetch.until_found && fetch.wants_body)
        );
        walk
    }

    /// How the walk goes on with this body: what was wrong with it, and the values that were taken.
    fn outcome(walk: &Walk, body: &str) -> String {
        let mut walk = walk.clone();
        let judged = walk.answer(&plain(200, body), &mut Dice(1));
        format!("{:?} {:?}", judged.map_err(|failure| failure.message), walk.shown_values())
    }

    #[test]
    fn enough_is_when_nothing_that_follows_changes_anything() {
        let page = "<html><base href=/shop/><h1>Lamp <b>no</b> 7</h1><ul><li>one<li>two<li>three</ul>\n\
                    <a class=p href=/7?a&amp;b>x</a><p id=n>3</p><i>id=12; id=345; token=abc\n</i><em>open";
        for (step, last) in [
            ("extract: { v: { css: h1 } }", Some("</h1>")),
            ("extract: { v: { css: li, pick: 1 } }", Some("two<li>")),
            ("extract: { v: { css: a.p, attribute: href } }", Some("href=/7?a&amp;b>")),
            ("extract: { v: { css: '#n' }, w: { css: h1 } }", Some("<p id=n>3</p>")),
            ("extract: { v: { regex: 'id=([0-9]+)' } }", Some("id=12;")),
            ("extract: { v: { regex: 'id=([0-9]+)', pick: 1 } }", Some("id=345;")),
            ("extract: { v: { regex: 'l(amp)?|i(d)=', default: none } }", None),
            ("extract: { v: { css: em } }", None),
            ("extract: { v: { css: u, default: none } }", None),
            ("extract: { v: { css: b }, s: status, u: url }", Some("</b>")),
            ("expect: { has: [Lamp, one] }", Some("<li>one")),
            ("expect: { has: '${run.id}' }", None),
            ("expect: { matches: 'o+n' }", Some("<li>one")),
            ("expect: { css: h1 }", Some("<h1>")),
            ("expect: { css: { h1: Lamp no 7, li: { count: { at_least: 2 } } } }", Some("one<li>")),
            ("expect: { css: { h1: Chair } }", Some("</h1>")),
            ("expect: { status: 200, has: id=12 }, extract: { v: { css: b } }", Some("id=12")),
        ] {
            let walk = waiting(step);
            let whole = outcome(&walk, page);
            let enough: Vec<usize> =
                (0..=page.len()).filter(|end| walk.has_enough(200, &page.as_bytes()[..*end])).collect();
            let expected = last.map(|last| page.find(last).unwrap() + last.len());
            assert_eq!(enough.first().copied(), expected, "{step}");
            for end in &enough {
                assert_eq!(outcome(&walk, &page[..*end]), whole, "{step}: {}", &page[..*end]);
            }
            let rest = expected.map_or(0, |first| page.len() + 1 - first);
            assert_eq!(enough.len(), rest, "{step}: what is enough stays enough");
        }
    }

    #[test]
    fn what_is_not_wanted_is_read_to_its_end() {
        let walk = waiting("expect: { status: 200, has: x }");
        assert!(walk.has_enough(200, b"x") && !walk.has_enough(200, b"y"));
        assert!(!walk.has_enough(503, b"x") && !walk.has_enough(302, b"x"));
    }
}
