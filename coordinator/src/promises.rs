//! What the edge has promised, judged: what single answers broke, as agents found it, and what only many of them
//! together can break, judged once over the whole run.

use std::collections::BTreeMap;

use doorbuster_model::Tally;
use doorbuster_model::cdn::{ClassId, Counts, Evidence, Pop, Rule, Shortfall};
use doorbuster_model::tally::Place;

use crate::fold::Fold;
use crate::outcome::{Finding, Reason};
use crate::prepare::Prepared;

/// Fewer look-ups say nothing about one edge location.
const POP_LOOKUPS_MIN: u64 = 100;
/// The `kind` of reasons.
pub(crate) const KIND: &str = "cdn";
/// The longest evidence that a reason shows, in characters; the JSON report has all of it.
const SEEN_CHARS_MAX: usize = 300;
/// What an answer's head says of the cache.
const CACHE_HEADERS: &[&str] = &["x-cache", "cache-status", "x-cache-status", "age", "cache-control"];

/// All that is broken, the gravest first, and how much more there was no room for.
pub(crate) fn findings(prepared: &Prepared, fold: &Fold) -> (Vec<Finding>, u64) {
    let mut findings = Vec::new();
    for (region, (found, tally)) in prepared.plan.regions.iter().zip(fold.findings.iter().zip(&fold.regions))
    {
        let of = |rule: Rule, class, pop, count, seen_ns, evidence| Finding {
            rule,
            severity: rule.severity(prepared.plan.cdn.is_declared),
            region: region.name.clone(),
            class: prepared.names.class(class).to_owned(),
            pop,
            count,
            seen_ns,
            evidence,
        };
        findings.extend(found.iter().map(|(key, finding)| {
            let seen_ns = Some((finding.first_ns, finding.last_ns));
            of(key.rule, key.class, key.pop, finding.count, seen_ns, finding.evidence.clone())
        }));
        findings.extend(shortfalls(prepared, tally).into_iter().map(|short| {
            let evidence = Evidence { note: short.shortfall.to_string(), ..Evidence::default() };
            of(short.shortfall.rule, short.class, short.pop, short.count, None, evidence)
        }));
    }
    // The sort is stable: within a rule the order of regions and classes stays.
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.rule));
    let not_kept = fold.findings.iter().fold(0_u64, |sum, found| sum.saturating_add(found.not_kept));
    (findings, not_kept)
}

/// A promise that many answers of a region break together.
struct Short {
    class: ClassId,
    pop: Option<Pop>,
    shortfall: Shortfall,
    /// How many answers fell short, or were looked at where it is about bytes.
    count: u64,
}

/// What falls short in a region outside the warm-up: of each class by itself, and where several edge locations answered,
/// of each of them too. What nobody declared is promised by CloudFront alone, which says where it answers.
fn shortfalls(prepared: &Prepared, tally: &Tally) -> Vec<Short> {
    let (policy, sections) = (&prepared.plan.cdn, prepared.sections());
    let is_judged = |place: &Place| {
        let section = sections.get(usize::from(place.section));
        section.is_some_and(|section| !section.warmup) && (policy.is_declared || place.pop.is_some())
    };
    let mut classes: BTreeMap<ClassId, BTreeMap<Option<Pop>, Counts>> = BTreeMap::new();
    for (place, counts) in tally.caching.iter().filter(|(place, _)| is_judged(place)) {
        classes.entry(place.class).or_default().entry(place.pop).or_default().merge(counts);
    }
    let mut shorts = Vec::new();
    for (id, pops) in classes {
        let Some(class) = policy.class(id) else { continue };
        let mut judge = |pop: Option<Pop>, counts: &Counts| {
            shorts.extend(counts.shortfalls(class).map(|shortfall| {
                let count = match shortfall.rule {
                    Rule::Savings => counts.texts_sampled,
                    Rule::HitRatioUntold => counts.untold,
                    _ => shortfall.whole.saturating_sub(shortfall.part),
                };
                Short { class: id, pop, shortfall, count }
            }));
        };
        let mut all = Counts::default();
        pops.values().for_each(|counts| all.merge(counts));
        let only = pops.keys().next().copied().flatten().filter(|_| pops.len() == 1);
        judge(only, &all);
        let several = pops.iter().filter(|_| pops.len() > 1);
        for (pop, counts) in
            several.filter(|(pop, counts)| pop.is_some() && counts.lookups() >= POP_LOOKUPS_MIN)
        {
            judge(*pop, counts);
        }
    }
    shorts
}

/// Why findings fail a run: a reason per rule and region.
pub(crate) fn reasons(findings: &[Finding]) -> Vec<Reason> {
    let mut grouped: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.severity.fails()) {
        let same = grouped.iter().position(|group| {
            group.iter().any(|other| other.rule == finding.rule && other.region == finding.region)
        });
        match same {
            Some(position) => grouped[position].push(finding),
            None => grouped.push(vec![finding]),
        }
    }
    grouped.iter().filter_map(|group| reason(group)).collect()
}

/// What was seen of one rule in one region, and what to do.
fn reason(group: &[&Finding]) -> Option<Reason> {
    let first = group.first()?;
    let count = group.iter().fold(0_u64, |sum, finding| sum.saturating_add(finding.count));
    let mut classes: Vec<&str> = Vec::new();
    for finding in group {
        if !classes.contains(&finding.class.as_str()) {
            classes.push(&finding.class);
        }
    }
    // What is judged by rate says itself how much.
    let times = match (first.seen_ns, count) {
        (None, _) => String::new(),
        (Some(_), 1) => ", once".to_owned(),
        (Some(_), count) => format!(", {count} times"),
    };
    let seen: String = seen(first).chars().take(SEEN_CHARS_MAX).collect();
    let message = format!(
        "{}: {} ({}{times}): {seen}. {}",
        first.rule.id(),
        first.rule.condition(),
        classes.join(", "),
        first.rule.remedy()
    );
    Some(Reason { kind: KIND, message, region: Some(first.region.clone()), invalidates: false })
}

/// The evidence on one line: the request, the status, and the headers by which the rule is seen to be broken.
pub(crate) fn seen(finding: &Finding) -> String {
    let evidence = &finding.evidence;
    if finding.seen_ns.is_none() {
        return evidence.note.clone();
    }
    let telling = telling(finding.rule);
    let is_telling = |name: &str| telling.iter().any(|known| name.eq_ignore_ascii_case(known));
    let answered = evidence.answered.iter().filter(|(name, _)| is_telling(name)).cloned().collect();
    Evidence { answered, ..evidence.clone() }.to_string()
}

/// The headers of an answer by which a rule is seen to be broken.
fn telling(rule: Rule) -> &'static [&'static str] {
    match rule {
        Rule::CookieFromCache | Rule::CookieOnCacheable | Rule::StickyFromCache => {
            &["x-cache", "cache-status", "x-cache-status", "age", "set-cookie"]
        }
        Rule::AgePastLifetime | Rule::LifetimeDiffers | Rule::CachingForbidden | Rule::LifetimeUnsaid => {
            &["age", "cache-control", "expires", "vary"]
        }
        Rule::VariesOnCookie | Rule::VariesOnUserAgent => &["x-cache", "vary"],
        Rule::OtherRegion => &["x-amz-cf-pop"],
        Rule::CompressedTwice
        | Rule::EncodingUnsaid
        | Rule::CompressedImage
        | Rule::EncodingNotAsked
        | Rule::EncodingsDiffer
        | Rule::VaryEncodingMissing => &["content-type", "content-encoding", "vary"],
        Rule::ChallengeAsPage => &["x-amzn-waf-action", "server"],
        _ => CACHE_HEADERS,
    }
}

#[cfg(test)]
mod tests;
