//! The policy of a plan that declares none: CloudFront in front of a shop.

use doorbuster_notation::Share;

use super::{Airport, Cached, ContentClass, Floor, Pattern};

/// More than so many percent.
const fn above(percent: u64) -> Option<Floor> {
    Some(Floor { share: Share { parts_per_billion: percent * 10_000_000 }, is_exclusive: true })
}

fn class(name: &str, patterns: &[&str], cached: Cached) -> ContentClass {
    // A test holds that every one of them is a pattern.
    let matches = patterns.iter().filter_map(|pattern| Pattern::parse(pattern).ok()).collect();
    ContentClass { name: name.to_owned(), matches, cached, ..ContentClass::default() }
}

/// What belongs to one shopper, what never changes, and pages.
pub(super) fn classes() -> Vec<ContentClass> {
    vec![
        class("private", &["/api/**", "/cart/**", "/checkout/**"], Cached::Never),
        ContentClass {
            is_versioned: true,
            hit_ratio: above(95),
            compresses_text: true,
            savings: above(60),
            ..class("static", &["/static/**", "*.css", "*.js", "image/*"], Cached::For(365 * 86_400))
        },
        ContentClass {
            hit_ratio: above(80),
            compresses_text: true,
            ..class("html", &["text/html"], Cached::For(300))
        },
    ]
}

/// The airports near the regions that a plan has unless it says otherwise. New York is no region of AWS: what runs in
/// us-east-1 sees Washington.
pub(super) fn edges() -> Vec<(String, Vec<Airport>)> {
    let regions: [(&str, &[&str]); 3] =
        [("tokyo", &["NRT", "HND", "KIX"]), ("london", &["LHR"]), ("new-york", &["JFK", "EWR", "IAD"])];
    let airports = |codes: &[&str]| codes.iter().filter_map(|code| Airport::parse(code.as_bytes())).collect();
    regions.iter().map(|(region, codes)| ((*region).to_owned(), airports(codes))).collect()
}
