//! What tables have no room for, in words.

use super::numbers::count;
use super::plain::plain;
use super::report::Cdn;

/// The most paths that belong to no class that are named.
const PATHS_SHOWN_MAX: usize = 5;

/// How many findings there are beyond the `shown` of `all` rows, and beyond those that were kept; `None` without any.
pub(super) fn findings(all: usize, shown: usize, cdn: &Cdn) -> Option<String> {
    let rest = u64::try_from(all.saturating_sub(shown)).unwrap_or(u64::MAX);
    let rest = rest.saturating_add(cdn.findings_not_kept);
    (rest > 0).then(|| format!("{} more findings; the JSON report lists those that were kept", count(rest)))
}

/// What belongs to no class of a policy that somebody wrote; `None` where everything does.
pub(super) fn unclassified(cdn: &Cdn) -> Option<String> {
    let answers = cdn.classes.get("unclassified").map_or(0, |class| class.caching.requests);
    if !cdn.declared || answers == 0 {
        return None;
    }
    let paths: Vec<String> = cdn.unclassified.keys().take(PATHS_SHOWN_MAX).map(|path| plain(path)).collect();
    let such = if paths.is_empty() { String::new() } else { format!(", such as {}", paths.join(", ")) };
    Some(format!("{} answers belong to no class of cdn.classes{such}", count(answers)))
}
