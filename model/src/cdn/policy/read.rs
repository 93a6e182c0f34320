//! Reading a policy's text.

use doorbuster_notation::{Fault, Faults, Fields, Node, Place, parse, parse_duration, parse_share};

use super::{
    Airport, CLASSES_MAX, Cached, ContentClass, EDGES_MAX, Floor, PATTERNS_MAX, Pattern, Policy, Provider,
    shop,
};
use crate::plan::{name_of, word};

const PROVIDERS: [(&str, Provider); 2] =
    [("cloudfront", Provider::CloudFront), ("generic", Provider::Generic)];
/// The name of what matches no class.
const RESERVED: &str = "unclassified";

pub(super) fn file(file: &str, text: &str) -> Result<Policy, Faults> {
    let root = parse(text).map_err(|fault| Faults::one(file, fault))?;
    let mut faults = Faults::none(file);
    let policy = faults.keep(Fields::of(&root, "the policy")).and_then(|mut fields| {
        let policy = faults.keep(fields.required("cdn")).and_then(|node| section(node, &mut faults));
        fields.finish(&mut faults);
        policy
    });
    faults.or(policy)
}

pub(super) fn section(node: &Node, faults: &mut Faults) -> Option<Policy> {
    let mut fields = faults.keep(Fields::of(node, "cdn"))?;
    let provider = word(fields.optional("provider"), &PROVIDERS, faults);
    let classes = match fields.optional("classes") {
        Some(node) => classes(node, faults),
        None => shop::classes(),
    };
    // Where agents really run, only who wrote the plan knows: what is usual is no promise.
    let edges = fields.optional("edges").map_or_else(Vec::new, |node| edges(node, faults));
    fields.finish(faults);
    Some(Policy::new(provider, true, classes, edges))
}

fn classes(node: &Node, faults: &mut Faults) -> Vec<ContentClass> {
    let Some(items) = faults.keep(node.list("a list of classes")) else { return Vec::new() };
    if items.is_empty() || items.len() > CLASSES_MAX {
        faults.add(node.place, format!("a policy has 1 to {CLASSES_MAX} classes"));
    }
    let mut classes: Vec<ContentClass> = Vec::new();
    for item in items {
        let Some(class) = class(item, faults) else { continue };
        if classes.iter().any(|earlier| earlier.name == class.name) {
            faults.add(item.place, format!("the class \"{}\" is named twice", class.name));
        }
        classes.push(class);
    }
    classes
}

fn class(node: &Node, faults: &mut Faults) -> Option<ContentClass> {
    let mut fields = faults.keep(Fields::of(node, "a class"))?;
    let name = faults.keep(fields.required("class").and_then(class_name));
    let matches = faults.keep(fields.required("match")).map(|node| patterns(node, faults));
    let never = fields.optional("cached");
    let lifetime = fields.optional("cached_for");
    let versioned = fields.optional("versioned");
    let ratio = fields.optional("hit_ratio");
    let compress = fields.optional("compress");
    let savings = fields.optional("savings");
    fields.finish(faults);
    if let Some(node) = never {
        only(node, "never", "cached: never, or cached_for: 5m", faults);
        for (key, other) in [("cached_for", lifetime), ("hit_ratio", ratio), ("versioned", versioned)] {
            let Some(other) = other else { continue };
            let message = format!("what is never cached has no {key}; leave one of the two out");
            faults.add(other.place, message);
        }
    }
    if let Some(node) = compress {
        only(node, "text", "compress: text", faults);
    } else if let Some(node) = savings {
        faults.add(node.place, "savings are those of compressed text; add compress: text");
    }
    let lifetime_s = lifetime.and_then(|node| faults.keep(node.parse_with("a duration such as 5m", seconds)));
    let cached = match (never, lifetime_s) {
        (Some(_), _) => Cached::Never,
        (None, Some(lifetime_s)) => Cached::For(lifetime_s),
        (None, None) => Cached::Unsaid,
    };
    let is_versioned = versioned.and_then(|node| faults.keep(node.boolean())).unwrap_or(false);
    let mut bound = |node: Option<&Node>| {
        node.and_then(|node| faults.keep(node.parse_with("a lower bound such as \"> 95%\"", floor)))
    };
    let (hit_ratio, savings) = (bound(ratio), bound(savings));
    let compresses_text = compress.is_some();
    let (name, matches) = (name?, matches?);
    Some(ContentClass { name, matches, cached, is_versioned, hit_ratio, compresses_text, savings })
}

fn class_name(node: &Node) -> Result<String, Fault> {
    let name = name_of(node)?;
    if name == RESERVED {
        let message = format!("\"{RESERVED}\" is what matches no class; choose another name");
        return Err(Fault::new(node.place, message));
    }
    Ok(name)
}

fn patterns(node: &Node, faults: &mut Faults) -> Vec<Pattern> {
    let expected = "a list of patterns such as [\"/cart/**\", \"*.css\", \"image/*\"]";
    let Some(items) = faults.keep(node.list(expected)) else { return Vec::new() };
    if items.is_empty() || items.len() > PATTERNS_MAX {
        faults.add(node.place, format!("a class has 1 to {PATTERNS_MAX} patterns"));
    }
    items.iter().filter_map(|item| faults.keep(item.parse_with("a pattern", Pattern::parse))).collect()
}

/// Notes a fault unless a key that takes one word alone has that word.
fn only(node: &Node, word: &str, example: &str, faults: &mut Faults) {
    let read = |text: &str| {
        let fault = || format!("found \"{text}\", expected {word} alone; write {example}");
        if text == word { Ok(()) } else { Err(fault()) }
    };
    faults.keep(node.parse_with(word, read));
}

/// A lifetime, in whole seconds as `Cache-Control` has it.
fn seconds(text: &str) -> Result<u32, String> {
    let duration = parse_duration(text)?;
    let seconds = u32::try_from(duration.as_secs()).ok();
    let whole = seconds.filter(|seconds| *seconds > 0 && duration.subsec_nanos() == 0);
    whole.ok_or_else(|| {
        format!("\"{text}\" is not a number of whole seconds above 0; write cached: never instead of 0s")
    })
}

fn floor(text: &str) -> Result<Floor, String> {
    let text = text.trim();
    let (share, is_exclusive) = match (text.strip_prefix(">="), text.strip_prefix('>')) {
        (Some(share), _) => (share, false),
        (None, Some(share)) => (share, true),
        (None, None) => {
            return Err(format!(
                "\"{text}\" is not a lower bound; write for example \"> 95%\" or \">= 60%\""
            ));
        }
    };
    Ok(Floor { share: parse_share(share)?, is_exclusive })
}

fn edges(node: &Node, faults: &mut Faults) -> Vec<(String, Vec<Airport>)> {
    let Some(entries) = faults.keep(node.map("edges as a mapping of regions to airports")) else {
        return Vec::new();
    };
    limit(node.place, "the edges of a policy have", "regions", entries.len(), faults);
    let mut edges = Vec::new();
    for (region, codes) in entries {
        let Some(items) = faults.keep(codes.list("a list of airports such as [NRT, HND]")) else { continue };
        limit(codes.place, "a region has", "airports", items.len(), faults);
        let airports = items.iter().filter_map(|item| faults.keep(airport(item))).collect();
        edges.push((region.name.clone(), airports));
    }
    edges
}

fn limit(place: Place, whose: &str, of_what: &str, count: usize, faults: &mut Faults) {
    if count == 0 || count > EDGES_MAX {
        faults.add(place, format!("{whose} 1 to {EDGES_MAX} {of_what}"));
    }
}

fn airport(node: &Node) -> Result<Airport, Fault> {
    let expected = "the three letters of an airport, such as NRT";
    let code = node.scalar(expected)?;
    Airport::parse(code.as_bytes()).ok_or_else(|| node.expected(expected))
}
