//! What an edge did for a class of content, counted; and the promises that only many answers can break.

use std::fmt;

use doorbuster_notation::Share;

use super::CacheStatus;
use super::encoding::Encoding;
use super::head::Head;
use super::judge::{Observed, Verb};
use super::kind::ContentKind;
use super::policy::{ContentClass, Floor, Policy};
use super::rules::Rule;
use super::timing::HitLayer;
use crate::Sample;

/// Sizes of what CloudFront compresses, in bytes \[D\].
const COMPRESSED_BYTES: std::ops::RangeInclusive<u64> = 1_000..=10_000_000;
/// Statuses of what CloudFront compresses \[D\].
const COMPRESSED_STATUSES: [u16; 3] = [200, 403, 404];
/// Compression is best effort: what was skipped stays uncompressed until it expires. So four fifths are enough.
const COMPRESSED: Floor = Floor { share: Share { parts_per_billion: 800_000_000 }, is_exclusive: false };

/// Fewer look-ups say nothing about a ratio.
const LOOKUPS_MIN: u64 = 100;
/// Fewer texts say nothing about whether they are compressed.
const TEXTS_MIN: u64 = 50;
/// Fewer texts that were decoded say nothing about what compression saves.
const TEXTS_SAMPLED_MIN: u64 = 20;

/// What was counted of one class. [`Counts::merge`] is associative and commutative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Look-ups that were hits.
    pub hits: u64,
    /// Look-ups that were hits after revalidation.
    pub refresh_hits: u64,
    /// Look-ups that were misses.
    pub misses: u64,
    /// Of the misses, those of contents that were asked for the first time: they fill the cache.
    pub first_misses: u64,
    /// Answers that were no look-ups.
    pub others: u64,
    /// Of these, those that a cache may have given, and that say nothing of it.
    pub untold: u64,
    /// Answers by the layer of caches that had them, as far as they say, in the order of [`HitLayer::TOLD`].
    pub hit_layers: [u64; HitLayer::TOLD.len()],
    /// Body bytes over the wire.
    pub bytes_wire: u64,
    /// Body bytes after decoding, of those that were decoded.
    pub bytes_decoded: u64,
    /// Texts that the edge could have compressed.
    pub texts: u64,
    /// Of them, those that came as they are.
    pub texts_plain: u64,
    /// Of them, those of the sample by which savings are judged: they were decoded.
    pub texts_sampled: u64,
    /// Bytes of the sample over the wire.
    pub text_wire: u64,
    /// The same texts decoded.
    pub text_decoded: u64,
}

impl Counts {
    /// Counts an answer. One to a request that changes something is no look-up, nor is an error.
    pub fn record(&mut self, sample: &Sample) {
        use CacheStatus as Is;
        let is_lookup = sample.verb != Verb::Other && sample.status.is_some_and(|status| status < 400);
        match sample.head.lookup() {
            Is::Hit if is_lookup => self.hits += 1,
            Is::RefreshHit if is_lookup => self.refresh_hits += 1,
            Is::Miss if is_lookup => {
                self.misses += 1;
                self.first_misses += u64::from(sample.is_first_miss);
            }
            cache => {
                self.others += 1;
                self.untold += u64::from(is_lookup && cache == Is::None);
            }
        }
        if let Some(position) = HitLayer::TOLD.iter().position(|layer| *layer == sample.head.hit_layer) {
            self.hit_layers[position] += 1;
        }
        self.bytes_wire += sample.bytes_wire;
        self.bytes_decoded += sample.bytes_decoded.unwrap_or(0);
        if sample.is_text {
            // What is plain or was wanted is always decoded: to count it all would weigh it more than the rest.
            let bytes_decoded = sample.bytes_decoded.filter(|_| sample.is_sampled);
            self.text(&sample.head, sample.bytes_wire, bytes_decoded);
        }
    }

    /// Counts a text that the edge could have compressed, with its size where it is of the sample.
    pub(super) fn text(&mut self, head: &Head, bytes_wire: u64, bytes_decoded: Option<u64>) {
        self.texts += 1;
        self.texts_plain += u64::from(head.encoding == Encoding::Identity);
        if let Some(bytes) = bytes_decoded {
            self.texts_sampled += 1;
            self.text_wire += bytes_wire;
            self.text_decoded += bytes;
        }
    }

    /// Adds all that `other` counted.
    pub fn merge(&mut self, other: &Self) {
        self.hits += other.hits;
        self.refresh_hits += other.refresh_hits;
        self.misses += other.misses;
        self.first_misses += other.first_misses;
        self.others += other.others;
        self.untold += other.untold;
        for (mine, theirs) in self.hit_layers.iter_mut().zip(other.hit_layers) {
            *mine += theirs;
        }
        self.bytes_wire += other.bytes_wire;
        self.bytes_decoded += other.bytes_decoded;
        self.texts += other.texts;
        self.texts_plain += other.texts_plain;
        self.texts_sampled += other.texts_sampled;
        self.text_wire += other.text_wire;
        self.text_decoded += other.text_decoded;
    }

    /// All look-ups.
    pub fn lookups(&self) -> u64 {
        self.hits + self.refresh_hits + self.misses
    }

    /// All answers.
    pub fn answers(&self) -> u64 {
        self.lookups() + self.others
    }

    /// The promises of `class` that these counts break. A refresh hit paid the origin's round trip, so it is no hit;
    /// what fills the cache is left out.
    pub fn shortfalls(&self, class: &ContentClass) -> impl Iterator<Item = Shortfall> {
        let compressed = class.compresses_text.then_some(COMPRESSED);
        let hits = class.hit_ratio.and_then(|promised| self.hits_fall_short(promised));
        let saved = self.text_decoded.saturating_sub(self.text_wire);
        let texts = [
            (
                Rule::NotCompressed,
                compressed,
                self.texts.saturating_sub(self.texts_plain),
                self.texts,
                self.texts >= TEXTS_MIN,
            ),
            (Rule::Savings, class.savings, saved, self.text_decoded, self.texts_sampled >= TEXTS_SAMPLED_MIN),
        ];
        hits.into_iter().chain(texts.into_iter().filter_map(|(rule, floor, part, whole, is_enough)| {
            let promised = floor.filter(|floor| is_enough && !floor.holds(part, whole))?;
            Some(Shortfall { rule, part, whole, promised })
        }))
    }

    /// Whether the promised ratio is missed; or may be, for all that answers say which tell of no cache.
    fn hits_fall_short(&self, promised: Floor) -> Option<Shortfall> {
        let told = self.lookups().saturating_sub(self.first_misses);
        let all = told.saturating_add(self.untold);
        let is_missed = |whole: u64| whole >= LOOKUPS_MIN && !promised.holds(self.hits, whole);
        let (rule, whole) = if is_missed(told) {
            (Rule::HitRatio, told)
        } else if self.untold > 0 && is_missed(all) {
            (Rule::HitRatioUntold, all)
        } else {
            return None;
        };
        Some(Shortfall { rule, part: self.hits, whole, promised })
    }
}

impl Observed {
    /// Whether it is text that the edge could have compressed, and was promised to be.
    pub fn is_text(&self, policy: &Policy) -> bool {
        policy.class(self.class).is_some_and(|class| class.compresses_text) && self.is_compressible()
    }

    /// Whether it is text that an edge could have compressed, by CloudFront's conditions \[D\]. Of what came compressed and
    /// was not decoded nobody knows the size.
    pub fn is_compressible(&self) -> bool {
        let size = match self.head.encoding {
            Encoding::Identity => Some(self.bytes_wire),
            _ => self.bytes_decoded,
        };
        self.verb == Verb::Get
            && self.head.kind == ContentKind::Text
            && COMPRESSED_STATUSES.contains(&self.status)
            && self.asked.takes_compressed()
            && self.may_be_kept()
            && size.is_none_or(|size| COMPRESSED_BYTES.contains(&size))
    }
}

/// A promise that is broken by rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// The rule.
    pub rule: Rule,
    /// How much was as promised: look-ups, texts, or bytes.
    pub part: u64,
    /// Of how much.
    pub whole: u64,
    /// What was promised.
    pub promised: Floor,
}

impl fmt::Display for Shortfall {
    /// `hits: 90 of 100 look-ups (90.00 %), promised > 95%`
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, of) = match self.rule {
            Rule::HitRatio => ("hits", "look-ups"),
            Rule::HitRatioUntold => ("hits", "answers, as far as they say"),
            Rule::NotCompressed => ("compressed", "texts"),
            _ => ("saved", "bytes of text"),
        };
        let hundredths = u128::from(self.part) * 10_000 / u128::from(self.whole.max(1));
        let Self { part, whole, promised, .. } = self;
        let (percent, rest) = (hundredths / 100, hundredths % 100);
        write!(formatter, "{what}: {part} of {whole} {of} ({percent}.{rest:02} %), promised {promised}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cdn::{Asked, Head};
    use crate::sample::Times;
    use crate::{Key, Part};

    /// The answer to a GET of `path`, of so many bytes before and after decoding.
    fn seen(path: &str, lines: &str, bytes_wire: u64, bytes_decoded: Option<u64>) -> Observed {
        let policy = Policy::default();
        let headers: Vec<(&str, &str)> = lines.split('|').filter_map(|line| line.split_once(": ")).collect();
        let kind = headers.iter().find(|(name, _)| *name == "Content-Type").map_or("", |(_, kind)| *kind);
        Observed {
            head: Head::of(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()))),
            class: policy.classify(path, kind.as_bytes()),
            status: 200,
            asked: Asked::of("br, gzip"),
            bytes_wire,
            bytes_decoded,
            ..Observed::default()
        }
    }

    /// What a worker makes of it.
    fn sample(seen: &Observed, is_first_miss: bool) -> Sample {
        let key = Key { journey: 0, step: 0, part: Part::Main, section: 0 };
        Sample {
            status: Some(seen.status),
            bytes_wire: seen.bytes_wire,
            bytes_decoded: seen.bytes_decoded,
            verb: seen.verb,
            head: seen.head,
            class: seen.class,
            is_text: seen.is_compressible(),
            is_sampled: true,
            is_first_miss,
            ..Sample::new(key, Times::default())
        }
    }

    fn counts(answers: &[(Observed, u64, bool)]) -> Counts {
        let mut counts = Counts::default();
        for (answer, times, is_first_miss) in answers {
            let sample = sample(answer, *is_first_miss);
            (0..*times).for_each(|_| counts.record(&sample));
        }
        counts
    }

    /// What the second class of the default policy, `static`, says to these counts.
    fn shortfalls(counts: &Counts) -> Vec<String> {
        let policy = Policy::default();
        counts.shortfalls(&policy.classes()[1]).map(|shortfall| shortfall.to_string()).collect()
    }

    #[test]
    fn ratios_are_of_lookups_without_what_fills_the_cache() {
        let hit = seen("/static/a.png", "X-Cache: Hit from cloudfront", 10, Some(10));
        let refreshed = seen("/static/a.png", "X-Cache: RefreshHit from cloudfront", 10, Some(10));
        let miss = seen("/static/a.png", "X-Cache: Miss from cloudfront", 10, Some(10));
        let warm = counts(&[(hit, 96, false), (miss, 4, false), (miss, 500, true)]);
        assert_eq!((warm.hits, warm.misses, warm.first_misses), (96, 504, 500));
        assert_eq!(shortfalls(&warm), [""; 0]);
        let cold = counts(&[(hit, 95, false), (miss, 5, false)]);
        assert_eq!(shortfalls(&cold), ["hits: 95 of 100 look-ups (95.00 %), promised > 95%"]);
        let stale = counts(&[(hit, 90, false), (refreshed, 10, false)]);
        assert_eq!(shortfalls(&stale), ["hits: 90 of 100 look-ups (90.00 %), promised > 95%"]);
        assert_eq!(shortfalls(&counts(&[(miss, 99, false)])), [""; 0], "too few to say");
    }

    #[test]
    fn what_says_neither_hit_nor_miss_is_no_pass() {
        let aged = seen("/static/a.png", "Via: 1.1 varnish|Age: 7", 10, Some(10));
        let fresh = seen("/static/a.png", "Via: 1.1 varnish|Age: 0", 10, Some(10));
        let silent = seen("/static/a.png", "", 10, Some(10));
        let miss = seen("/static/a.png", "X-Cache: MISS", 10, Some(10));
        let told = counts(&[(aged, 970, false), (fresh, 30, false)]);
        assert_eq!((told.hits, told.others, told.untold, told.lookups()), (970, 30, 30, 970));
        assert_eq!(shortfalls(&told), [""; 0], "whatever the others were");
        let few = counts(&[(aged, 900, false), (fresh, 100, false)]);
        assert_eq!(
            shortfalls(&few),
            ["hits: 900 of 1000 answers, as far as they say (90.00 %), promised > 95%"]
        );
        let none = counts(&[(silent, 200, false)]);
        let untold: Vec<Rule> =
            none.shortfalls(&Policy::default().classes()[1]).map(|short| short.rule).collect();
        assert_eq!(untold, [Rule::HitRatioUntold]);
        let missed = counts(&[(aged, 100, false), (miss, 50, false), (fresh, 900, false)]);
        assert_eq!(shortfalls(&missed), ["hits: 100 of 150 look-ups (66.66 %), promised > 95%"]);
        assert_eq!(shortfalls(&counts(&[(silent, 99, false)])), [""; 0], "too few to say");
    }

    #[test]
    fn what_is_no_lookup_counts_apart() {
        let hit = seen("/static/a.css", "X-Cache: Hit from cloudfront", 10, None);
        let error = Observed { status: 404, ..hit };
        let post = Observed { verb: Verb::Other, ..hit };
        let redirect = seen("/", "X-Cache: Redirect from cloudfront", 0, None);
        let sum = counts(&[(hit, 1, false), (error, 1, false), (post, 1, false), (redirect, 1, false)]);
        assert_eq!((sum.hits, sum.others, sum.untold, sum.lookups()), (1, 3, 0, 1));
    }

    #[test]
    fn layers_of_caches_are_counted_as_far_as_they_are_told() {
        let of = |timing: &str| seen("/static/a.css", &format!("Server-Timing: {timing}"), 10, None);
        let sum = counts(&[
            (of("cdn-hit-layer;desc=\"EDGE\""), 5, false),
            (of("cdn-hit-layer;desc=\"REC\""), 3, false),
            (of("cdn-hit-layer;desc=\"Origin Shield\""), 2, false),
            (of("cdn-hit-layer;desc=\"MOON\""), 1, false),
            (of("cdn-cache-miss"), 9, false),
        ]);
        assert_eq!(sum.hit_layers, [5, 3, 2, 1]);
    }

    #[test]
    fn text_is_judged_by_rate_within_the_conditions() {
        let lines = "X-Cache: Hit from cloudfront|Content-Type: text/css|Cache-Control: max-age=31536000";
        let plain = seen("/static/a.css", lines, 5_000, Some(5_000));
        let packed = seen("/static/a.css", &format!("{lines}|Content-Encoding: br"), 1_000, Some(5_000));
        let unknown = Observed { bytes_decoded: None, ..packed };
        assert_eq!(shortfalls(&counts(&[(packed, 80, false), (plain, 20, false)])), [""; 0]);
        let some = counts(&[(packed, 39, false), (unknown, 40, false), (plain, 21, false)]);
        assert_eq!((some.texts, some.texts_plain, some.texts_sampled), (100, 21, 60));
        assert_eq!(
            shortfalls(&some),
            [
                "compressed: 79 of 100 texts (79.00 %), promised >= 80%",
                "saved: 156000 of 300000 bytes of text (52.00 %), promised > 60%",
            ]
        );
        for other in [
            Observed { bytes_wire: 999, bytes_decoded: Some(999), ..plain },
            Observed { bytes_wire: 10_000_001, ..plain },
            Observed { status: 500, ..plain },
            Observed { verb: Verb::Head, ..plain },
            Observed { asked: Asked::of("identity"), ..plain },
            seen("/static/a.png", "Content-Type: image/png|Cache-Control: max-age=3", 5_000, None),
            seen("/static/a.css", "Content-Type: text/css|Cache-Control: no-store", 5_000, None),
        ] {
            assert_eq!(counts(&[(other, 1, false)]).texts, 0, "{other:?}");
        }
        let cart = seen("/cart", "Content-Type: text/html|Cache-Control: max-age=3", 5_000, None);
        assert!(cart.is_compressible() && !cart.is_text(&Policy::default()), "nobody promised that");
    }

    #[test]
    fn plain_and_compressed_text_weigh_the_same() {
        let lines = "Content-Type: text/javascript|Cache-Control: max-age=31536000";
        let plain = seen("/static/a.js", lines, 5_000, Some(5_000));
        let packed = seen("/static/a.js", &format!("{lines}|Content-Encoding: br"), 1_250, Some(5_000));
        let mut counts = Counts::default();
        // A thousand scripts, a tenth of them plain, and all decoded; a tenth of either are of the sample.
        for number in 0..1_000 {
            let seen = if number % 10 == 0 { plain } else { packed };
            let is_sampled = number / 10 % 10 == 0;
            counts.record(&Sample { is_sampled, ..sample(&seen, false) });
        }
        assert_eq!((counts.texts, counts.texts_plain, counts.texts_sampled), (1_000, 100, 100));
        // 67.5 %
        assert_eq!((counts.text_wire, counts.text_decoded), (162_500, 500_000));
        assert_eq!((counts.bytes_wire, counts.bytes_decoded), (1_625_000, 5_000_000));
    }

    #[test]
    fn bytes_are_those_of_all_answers() {
        let picture = seen("/static/a.png", "Content-Type: image/png", 4_000, None);
        let page = seen("/p/1", "Content-Type: text/html|Content-Encoding: br", 1_000, Some(5_000));
        let sum = counts(&[(picture, 3, false), (page, 2, false)]);
        assert_eq!((sum.bytes_wire, sum.bytes_decoded), (14_000, 10_000));
        assert_eq!((sum.text_wire, sum.text_decoded), (2_000, 10_000), "savings are those of text");
    }

    fn any_counts() -> impl Strategy<Value = Counts> {
        let lines = prop::sample::select(vec![
            "X-Cache: Hit from cloudfront|Content-Type: text/css|Content-Encoding: br",
            "X-Cache: Miss from cloudfront|Content-Type: text/css",
            "X-Cache: RefreshHit from cloudfront",
            "X-Cache: Error from cloudfront",
            "Age: 0",
            "X-Cache: Hit from cloudfront|Server-Timing: cdn-hit-layer;desc=\"REC\"",
        ]);
        let answer = (lines, 0_u64..100_000, any::<bool>());
        prop::collection::vec(answer, 0..10).prop_map(|answers| {
            let answers = answers.into_iter().map(|(lines, bytes, is_first)| {
                (seen("/static/a.css", lines, bytes, Some(bytes * 3)), 1, is_first)
            });
            counts(&answers.collect::<Vec<_>>())
        })
    }

    proptest! {
        #[test]
        fn merging_is_associative_and_commutative(a in any_counts(), b in any_counts(), c in any_counts()) {
            let merged = |first: &Counts, second: &Counts| { let mut sum = *first; sum.merge(second); sum };
            prop_assert_eq!(merged(&a, &b), merged(&b, &a));
            prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        }
    }
}
