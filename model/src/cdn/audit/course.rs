//! In which ways an address is asked, how often, and when that is enough: by what it is, as data.

use super::super::judge::ERROR_AGE_MAX_S;
use super::super::rules::Rule;
use super::address;
use super::ask::Way;
use super::judge::{ages, copies, heads, parts};
use super::script::Setting;
use super::subject::Subject;

/// How often something is asked for until it shows what it is to show: a hit, or the answer of the very copy that was seen
/// before. An edge location has many caches.
pub(super) const TRIES_MAX: usize = 5;
/// How long to wait where an Age alone tells a hit from a miss.
const AGE_APART_S: u64 = 2;
/// How long to wait until an Age tells a copy that was there before from one that the audit itself left.
const ORDER_AFTER_S: u64 = 4;
/// How long to wait until an Age must have risen.
const AGE_AFTER_S: u64 = 3;
/// How long to wait beyond a limit in seconds, since ages are rounded.
const BEYOND_S: u64 = 2;
/// The longest lifetime that a patient audit waits for, with the time for which copies may be served beyond it.
pub(super) const PATIENCE_MAX_S: u32 = 600;
const SECOND_NS: u64 = 1_000_000_000;

/// A way of asking, and when it is taken.
pub(super) struct Course {
    pub(super) way: Way,
    /// The most times.
    pub(super) tries_max: usize,
    /// Whether it says anything about this address.
    pub(super) applies: fn(&Subject, &Setting) -> bool,
    /// Whether what this way brought already is enough.
    pub(super) is_enough: fn(&Subject, Way) -> bool,
    /// Not before this, in nanoseconds since the audit began.
    pub(super) not_before_ns: fn(&Subject, &Setting) -> u64,
}

/// How often the second shopper asks: whatever is kept for everybody is there by then.
const OTHER_TRIES_MAX: usize = 2;

/// What belongs to one shopper: by its own, then by another. A single hit proves enough.
pub(super) static PRIVATE: [Course; 3] = [
    Course { tries_max: TRIES_MAX, is_enough: was_hit, not_before_ns: once_aged, ..once(Way::Plain, always) },
    Course {
        tries_max: OTHER_TRIES_MAX,
        is_enough: was_hit,
        not_before_ns: once_aged,
        ..once(Way::Other, always)
    },
    clear(),
];

/// What cannot be there: again, once nobody may keep the first answer any more.
pub(super) static MISSING: [Course; 2] = [
    once(Way::Plain, always),
    Course {
        tries_max: TRIES_MAX,
        is_enough: was_kept_error,
        not_before_ns: past_errors,
        ..once(Way::Later, was_error)
    },
];

/// What nobody knows the class of yet, or what has none. What no browser can read may have another form that tells.
pub(super) static UNSETTLED: [Course; 5] = [
    Course { is_enough: never, ..once(Way::Plain, always) },
    Course { applies: is_unreadable, ..coded(Way::Identity) },
    Course { applies: is_unreadable, ..coded(Way::Gzip) },
    Course { applies: is_unreadable, ..coded(Way::Brotli) },
    clear(),
];

/// What nothing is promised of for how long it is kept.
pub(super) static UNSAID: [Course; 5] = [
    Course { is_enough: is_kept, ..once(Way::Plain, always) },
    coded(Way::Identity),
    coded(Way::Gzip),
    coded(Way::Brotli),
    clear(),
];

/// What is to be kept. What says something about the edge's settings rather than about an address, one address of a class
/// says for all of them.
pub(super) static KEPT: [Course; 14] = [
    Course {
        tries_max: TRIES_MAX,
        is_enough: tells_enough,
        not_before_ns: once_aged,
        ..once(Way::Plain, always)
    },
    coded(Way::Identity),
    coded(Way::Gzip),
    coded(Way::Brotli),
    Course {
        tries_max: TRIES_MAX,
        is_enough: was_unchanged_so,
        ..once(Way::Conditional, |subject, _| subject.is_primary && subject.has_validator())
    },
    until_hit(Way::Tracking, |subject, _| subject.is_primary && subject.is_kept()),
    until_hit(Way::Unknown, |subject, _| subject.is_primary && subject.shares_tracking()),
    Course {
        tries_max: TRIES_MAX,
        is_enough: is_order_shared,
        not_before_ns: past_first_order,
        ..once(Way::Order, |subject, _| subject.is_kept() && address::orders(&subject.url) > 0)
    },
    until_hit(Way::Cookies, |subject, _| subject.is_primary && subject.is_kept()),
    Course {
        tries_max: TRIES_MAX,
        is_enough: is_matched,
        ..once(Way::Head, |subject, _| subject.is_primary && subject.last_good().is_some())
    },
    once(Way::Range, |subject, _| subject.is_primary && parts::are_offered(subject)),
    clear(),
    Course {
        tries_max: 3,
        is_enough: has_aged,
        not_before_ns: past_last_age,
        ..once(Way::Later, |subject, _| subject.is_primary && subject.aged().next().is_some())
    },
    Course { not_before_ns: past_lifetime, ..once(Way::Expired, is_waited_for) },
];

/// Asked once, at once, where it applies; and again where that brought no answer of the shop's.
const fn once(way: Way, applies: fn(&Subject, &Setting) -> bool) -> Course {
    Course { way, tries_max: 2, applies, is_enough: was_answered_so, not_before_ns: at_once }
}

/// Asked in another way of writing each time, until one is a hit.
const fn until_hit(way: Way, applies: fn(&Subject, &Setting) -> bool) -> Course {
    Course { tries_max: TRIES_MAX, is_enough: was_hit_so, ..once(way, applies) }
}

/// Asked for in one coding. A body that broke off is asked for again.
const fn coded(way: Way) -> Course {
    Course { is_enough: was_good_so, ..once(way, may_be_packed) }
}

/// Asked for without TLS: the first page, whatever it is. Where TLS has a port of its own, nobody knows the other.
const fn clear() -> Course {
    once(Way::Clear, |subject, _| {
        subject.is_first && subject.url.scheme() == "https" && subject.url.port().is_none()
    })
}

fn always(_: &Subject, _: &Setting) -> bool {
    true
}

fn may_be_packed(subject: &Subject, _: &Setting) -> bool {
    subject.may_be_packed()
}

fn is_unreadable(subject: &Subject, _: &Setting) -> bool {
    subject.unreadable(Way::Plain).is_some()
}

fn never(_: &Subject, _: Way) -> bool {
    false
}

fn was_answered_so(subject: &Subject, way: Way) -> bool {
    subject.of(way).any(|taken| taken.is_answered())
}

fn was_hit_so(subject: &Subject, way: Way) -> bool {
    subject.of(way).any(|taken| taken.is_hit())
}

fn was_unchanged_so(subject: &Subject, way: Way) -> bool {
    subject.of(way).any(|taken| taken.status() == Some(304))
}

fn is_matched(subject: &Subject, _: Way) -> bool {
    heads::is_matched(subject)
}

/// By its word, or, where errors are called so whether they are kept or not, by its Age.
fn was_kept_error(subject: &Subject, way: Way) -> bool {
    subject.of(way).any(|taken| taken.is_hit() || taken.broken.contains(Rule::ErrorCached))
}

fn was_good_so(subject: &Subject, way: Way) -> bool {
    subject.of(way).any(|taken| taken.is_good())
}

fn at_once(_: &Subject, _: &Setting) -> u64 {
    0
}

fn is_kept(subject: &Subject, _: Way) -> bool {
    subject.is_kept()
}

/// A hit; or two answers that do not help: they tell of no cache, or are no pages.
fn tells_enough(subject: &Subject, _: Way) -> bool {
    let good = subject.plain().filter(|taken| taken.is_good()).count();
    let tells = subject.plain().any(|taken| taken.tells_of_a_cache());
    subject.is_kept() || (subject.plain().count() >= 2 && (good == 0 || !tells))
}

fn was_hit(subject: &Subject, _: Way) -> bool {
    subject.taken.iter().any(|taken| taken.is_hit())
}

fn was_error(subject: &Subject, _: &Setting) -> bool {
    subject.plain().any(|taken| taken.status().is_some_and(|status| status >= 400))
}

fn is_order_shared(subject: &Subject, _: Way) -> bool {
    copies::shares_order(subject).is_some()
}

fn has_aged(subject: &Subject, _: Way) -> bool {
    ages::has_risen(subject)
}

fn is_waited_for(subject: &Subject, setting: &Setting) -> bool {
    let is_short = subject.outlived_s(setting).is_some_and(|outlived_s| outlived_s <= PATIENCE_MAX_S);
    setting.is_patient && is_short && subject.is_primary && subject.is_kept()
}

/// So many seconds after an answer ended.
fn after(ended_ns: u64, seconds: u64) -> u64 {
    ended_ns.saturating_add(seconds.saturating_mul(SECOND_NS))
}

fn once_aged(subject: &Subject, _: &Setting) -> u64 {
    let last = subject.taken.last().filter(|_| subject.tells_by_age_alone());
    last.map_or(0, |last| after(last.ended_ns, AGE_APART_S))
}

/// Of two parameters there is one other order, which is tried again and again.
fn past_first_order(subject: &Subject, _: &Setting) -> u64 {
    let first = subject.plain().next().filter(|_| address::orders(&subject.url) == 1);
    first.map_or(0, |first| after(first.ended_ns, ORDER_AFTER_S))
}

fn past_errors(subject: &Subject, _: &Setting) -> u64 {
    let last = subject.plain().last().map_or(0, |taken| taken.ended_ns);
    after(last, u64::from(ERROR_AGE_MAX_S) + BEYOND_S)
}

fn past_last_age(subject: &Subject, _: &Setting) -> u64 {
    after(subject.aged().last().map_or(0, |(taken, _)| taken.ended_ns), AGE_AFTER_S)
}

/// When every copy that was there at the first answer must have gone.
fn past_lifetime(subject: &Subject, setting: &Setting) -> u64 {
    let first = subject.plain().next().map_or(0, |taken| taken.ended_ns);
    let outlived_s = subject.outlived_s(setting).unwrap_or(0);
    after(first, u64::from(outlived_s) + BEYOND_S)
}
