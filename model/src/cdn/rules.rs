//! The rules that findings are about: what each asks, how it weighs, and what to change where it is broken.

use super::layer::Layer;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Costs something, and was promised by nobody.
    Warning,
    /// A promise is broken: the run fails.
    Error,
    /// Shoppers get what belongs to others: the run fails, whatever was promised.
    Critical,
}

impl Severity {
    /// The word of reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// Whether a run with such a finding fails.
    pub fn fails(self) -> bool {
        self >= Self::Error
    }
}

/// What a rule's breach means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// Never to be borne.
    Critical,
    /// A promise of the policy is broken.
    Promise,
    /// Nothing was promised, but it costs something.
    Advice,
    /// Nothing is wrong.
    Information,
}

/// A rule, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A private answer came out of a cache.
    PrivateHit,
    /// A private answer has an Age.
    PrivateAge,
    /// An answer shows what another shopper entered.
    MarkerLeaked,
    /// Several shoppers are given the same cookie out of a cache.
    CookieFromCache,
    /// An answer is older than what was promised.
    AgePastLifetime,
    /// The lifetime that an answer tells is another than what was promised.
    LifetimeDiffers,
    /// An answer forbids caches to keep it.
    CachingForbidden,
    /// An answer that is to be cached sets a cookie.
    CookieOnCacheable,
    /// A cached answer binds shoppers to one target.
    StickyFromCache,
    /// Every cookie makes its own copy.
    VariesOnCookie,
    /// Every browser makes its own copy.
    VariesOnUserAgent,
    /// An error is kept for long.
    ErrorCached,
    /// The edge of another region answered.
    OtherRegion,
    /// A body is compressed more than once.
    CompressedTwice,
    /// A text is compressed, and nothing says so.
    EncodingUnsaid,
    /// A body is compressed whose format does that itself.
    CompressedImage,
    /// A body comes in a coding that was not asked for.
    EncodingNotAsked,
    /// A body is another under another coding.
    EncodingsDiffer,
    /// Too few hits.
    HitRatio,
    /// Text comes uncompressed.
    NotCompressed,
    /// Compression saves too little.
    Savings,
    /// Caches cannot know that there are several codings.
    VaryEncodingMissing,
    /// No lifetime is told.
    LifetimeUnsaid,
    /// The same content is kept again and again.
    Fragmented,
    /// A shopper is sent to another target in the middle of a visit.
    SessionMoved,
    /// A firewall's challenge looks like a page.
    ChallengeAsPage,
    /// A cache says something that is not known here.
    CacheWordUnknown,
    /// A hit ratio is promised that nothing tells.
    HitRatioUntold,
}

struct Entry {
    rule: Rule,
    id: &'static str,
    weight: Weight,
    condition: &'static str,
    remedy: &'static str,
}

/// In the order of [`Rule`].
static RULES: [Entry; 28] = [
    Entry {
        rule: Rule::PrivateHit,
        id: "private-hit",
        weight: Weight::Critical,
        condition: "an answer that belongs to one shopper came out of a cache",
        remedy: "Give this path a behaviour of its own with the cache policy CachingDisabled and an origin request policy that forwards cookies (AllViewer): a minimum TTL above 0 keeps what says no-store, too. Invalidate the path. Have the origin send Cache-Control: private, no-store.",
    },
    Entry {
        rule: Rule::PrivateAge,
        id: "private-age",
        weight: Weight::Critical,
        condition: "an answer that belongs to one shopper has an Age: some cache kept it",
        remedy: "Some cache keeps this path: the edge itself where it says no word, otherwise one behind it (a proxy before the shop, or another distribution). Exclude the path there, and have the origin send Cache-Control: private, no-store.",
    },
    Entry {
        rule: Rule::MarkerLeaked,
        id: "marker-leaked",
        weight: Weight::Critical,
        condition: "an answer shows what another shopper entered",
        remedy: "Stop the sale until this is mended. Find where the answer was kept: at the edge (give the path the cache policy CachingDisabled, and invalidate it), in a cache of the shop (its key must hold the session), or in a session that two shoppers share (see cookie-from-cache).",
    },
    Entry {
        rule: Rule::CookieFromCache,
        id: "cookie-from-cache",
        weight: Weight::Critical,
        condition: "several shoppers were given the same cookie out of a cache: they share a session",
        remedy: "Have the origin set no cookie on what is cached. In a cache policy leave cookies out (none), so that CloudFront takes Set-Cookie away; in Varnish and nginx remove Set-Cookie before storing, or do not store what has it. Invalidate the path.",
    },
    Entry {
        rule: Rule::AgePastLifetime,
        id: "age-past-lifetime",
        weight: Weight::Promise,
        condition: "Age is past the promised lifetime",
        remedy: "Lower the cache policy's maximum TTL (and its default TTL) to the promised time. If the origin was failing, the edge served what had expired: see stale-if-error, and why revalidation fails.",
    },
    Entry {
        rule: Rule::LifetimeDiffers,
        id: "lifetime-differs",
        weight: Weight::Promise,
        condition: "s-maxage, or else max-age, is another than the promised lifetime",
        remedy: "Have the origin send Cache-Control: max-age of the promised time, or set it with a response headers policy that overrides the origin. If the time is right, correct cached_for.",
    },
    Entry {
        rule: Rule::CachingForbidden,
        id: "caching-forbidden",
        weight: Weight::Promise,
        condition: "what is to be cached says no-store, no-cache, private, max-age=0 or Vary: *",
        remedy: "Have the origin send Cache-Control: public, max-age of the promised time. If these answers belong to one shopper, put their path into a class with cached: never.",
    },
    Entry {
        rule: Rule::CookieOnCacheable,
        id: "cookie-on-cacheable",
        weight: Weight::Promise,
        condition: "an answer that is to be cached sets a cookie",
        remedy: "Have the origin begin sessions where a shopper needs one (cart, login), not on pages that everybody gets; or leave cookies out of the cache policy, so that Set-Cookie is taken away.",
    },
    Entry {
        rule: Rule::StickyFromCache,
        id: "sticky-from-cache",
        weight: Weight::Promise,
        condition: "an answer out of a cache sets the balancer's sticky cookie: everybody is sent to one target",
        remedy: "Leave cookies out of the cache policy of this behaviour, so that Set-Cookie is taken away, or turn stickiness off for the target group that serves it.",
    },
    Entry {
        rule: Rule::VariesOnCookie,
        id: "varies-on-cookie",
        weight: Weight::Promise,
        condition: "what is to be cached varies on Cookie: hardly any copy serves two shoppers",
        remedy: "Take Cookie out of Vary at the origin, and cookies out of the cache policy's key; load what is personal by a request of its own.",
    },
    Entry {
        rule: Rule::VariesOnUserAgent,
        id: "varies-on-user-agent",
        weight: Weight::Promise,
        condition: "what is to be cached varies on User-Agent: every browser makes a copy of its own",
        remedy: "Take User-Agent out of Vary at the origin. Where pages differ by device, use CloudFront-Is-Mobile-Viewer and its like in the cache policy instead.",
    },
    Entry {
        rule: Rule::ErrorCached,
        id: "error-cached",
        weight: Weight::Promise,
        condition: "an error is kept for over 10 s: it outlives its cause",
        remedy: "Lower the error caching minimum TTL of the distribution's custom error responses, and have the origin send no lifetime with errors. In Varnish and nginx keep errors for seconds (proxy_cache_valid by status).",
    },
    Entry {
        rule: Rule::OtherRegion,
        id: "other-region",
        weight: Weight::Promise,
        condition: "an edge answered that is not among the region's",
        remedy: "See that the name resolves by location (a CNAME or alias to the distribution, not addresses), that the price class includes the region, and that the load comes from where the plan says. If the edge is right, add its airport to cdn.edges.",
    },
    Entry {
        rule: Rule::CompressedTwice,
        id: "compressed-twice",
        weight: Weight::Promise,
        condition: "a body is compressed more than once",
        remedy: "Compress in one place: let the edge do it (Compress objects automatically) and turn it off at the origin, or have files that are compressed already stored with their Content-Encoding.",
    },
    Entry {
        rule: Rule::EncodingUnsaid,
        id: "encoding-unsaid",
        weight: Weight::Promise,
        condition: "a text is a gzip file, and no Content-Encoding says so: browsers show what they cannot read",
        remedy: "Have the origin send Content-Encoding: gzip with files that are stored compressed (S3: the object's metadata; nginx: gzip_static on for x.css.gz beside x.css, not x.css that is gzip itself), and see that no function or policy takes the header away.",
    },
    Entry {
        rule: Rule::CompressedImage,
        id: "compressed-image",
        weight: Weight::Promise,
        condition: "an image, film, font or archive is compressed again, which costs time and saves nothing",
        remedy: "Take these content types out of what origin or edge compresses: gzip_types and brotli_types in nginx, do_gzip in Varnish; CloudFront leaves them alone.",
    },
    Entry {
        rule: Rule::EncodingNotAsked,
        id: "encoding-not-asked",
        weight: Weight::Promise,
        condition: "a body comes in a coding that the request did not ask for: clients cannot read it",
        remedy: "Put Accept-Encoding into the cache's key: in the cache policy turn on EnableAcceptEncodingGzip and EnableAcceptEncodingBrotli; at the origin send Vary: Accept-Encoding, and compress only what is asked for.",
    },
    Entry {
        rule: Rule::EncodingsDiffer,
        id: "encodings-differ",
        weight: Weight::Promise,
        condition: "a body is another under another coding, or cannot be read under it",
        remedy: "One of the compressed copies is of another build, or broken. Invalidate the path. Where files are compressed when they are built, build and upload all of their forms together (gzip_static and brotli_static in nginx take whatever lies there); otherwise let the edge compress, and nobody else.",
    },
    Entry {
        rule: Rule::HitRatio,
        id: "hit-ratio",
        weight: Weight::Promise,
        condition: "fewer look-ups are hits than promised; first looks at an address are left out",
        remedy: "Look at what is missed again and again: query strings, headers and cookies that are in the cache policy's key but do not change the answer, lifetimes that are too short, a cache that is too cold (fetch what will be asked for before the sale), no Origin Shield.",
    },
    Entry {
        rule: Rule::NotCompressed,
        id: "not-compressed",
        weight: Weight::Promise,
        condition: "over a fifth of the text that could be compressed came as it is",
        remedy: "Turn on Compress objects automatically in the behaviour, and EnableAcceptEncodingGzip and EnableAcceptEncodingBrotli in its cache policy without listing Accept-Encoding among its headers. The origin must send Content-Length and a lifetime above 0. What was stored uncompressed stays so until it is invalidated.",
    },
    Entry {
        rule: Rule::Savings,
        id: "savings",
        weight: Weight::Promise,
        condition: "compression saves less of the text than promised",
        remedy: "See that text comes as br rather than gzip or as it is, and raise the origin's level where it compresses itself. Files that are small, or minified already, save less: ask for less, or put them into a class of their own.",
    },
    Entry {
        rule: Rule::VaryEncodingMissing,
        id: "vary-encoding-missing",
        weight: Weight::Advice,
        condition: "a compressed answer does not say Vary: Accept-Encoding: other caches may give it to whom cannot read it",
        remedy: "Send Vary: Accept-Encoding wherever compression may happen: gzip_vary on in nginx; CloudFront adds it where it compresses itself.",
    },
    Entry {
        rule: Rule::LifetimeUnsaid,
        id: "lifetime-unsaid",
        weight: Weight::Advice,
        condition: "what is to be cached tells no lifetime: the edge's default decides, and browsers guess",
        remedy: "Have the origin send Cache-Control: max-age of the promised time, or add it with a response headers policy.",
    },
    Entry {
        rule: Rule::Fragmented,
        id: "fragmented",
        weight: Weight::Advice,
        condition: "the same address misses again and again: the order of its parameters, such as follow visits, or cookies are in the cache's key",
        remedy: "In the cache policy list the query strings that change the answer, and no others; have a CloudFront function at the viewer's request sort them and take out utm_*, gclid, fbclid and their like. Leave cookies out of the policy, or name the few that change the answer.",
    },
    Entry {
        rule: Rule::SessionMoved,
        id: "session-moved",
        weight: Weight::Advice,
        condition: "the balancer binds shoppers to another target in the middle of their visits",
        remedy: "See that the balancer's target group has stickiness on, and that targets do not come and go (scaling, failing health checks) without time to drain (deregistration delay). Have the edge forward AWSALB and AWSALBCORS (origin request policy AllViewer), or else requests lose their target. Keep sessions where all targets reach them.",
    },
    Entry {
        rule: Rule::ChallengeAsPage,
        id: "challenge-as-page",
        weight: Weight::Advice,
        condition: "a firewall's challenge came with a status of success: what checks for 2xx takes it for a page",
        remedy: "Let this run's addresses or User-Agent pass the firewall (AWS WAF: a rule that allows them, before the challenge), and have journeys expect what only the page has.",
    },
    Entry {
        rule: Rule::CacheWordUnknown,
        id: "cache-word-unknown",
        weight: Weight::Information,
        condition: "a cache says something that is not known here; it counts as neither hit nor miss",
        remedy: "Nothing at the edge. Tell the maintainers of Doorbuster the value, so that it can be counted.",
    },
    Entry {
        rule: Rule::HitRatioUntold,
        id: "hit-ratio-untold",
        weight: Weight::Information,
        condition: "a hit ratio is promised, and too many answers say neither hit nor miss to tell whether it holds",
        remedy: "Have the edge say what it did: X-Cache in Varnish (vcl_deliver, from obj.hits), X-Cache-Status in nginx (add_header with $upstream_cache_status, always), Cache-Status elsewhere. Of a cache that tells an Age alone, only what is older than a second is known to be a hit, so that longer runs tell more.",
    },
];

impl Rule {
    /// All rules, the gravest first.
    pub fn all() -> impl Iterator<Item = Self> {
        RULES.iter().map(|entry| entry.rule)
    }

    /// The rule of this name.
    pub fn named(id: &str) -> Option<Self> {
        RULES.iter().find(|entry| entry.id == id).map(|entry| entry.rule)
    }

    /// Its name in reports.
    pub fn id(self) -> &'static str {
        self.entry().id
    }

    /// What is wrong where it is broken.
    pub fn condition(self) -> &'static str {
        self.entry().condition
    }

    /// What to change.
    pub fn remedy(self) -> &'static str {
        self.entry().remedy
    }

    /// How grave its breach is. Of a policy that nobody declared, only what is critical fails a run.
    pub fn severity(self, is_declared: bool) -> Severity {
        match self.entry().weight {
            Weight::Critical => Severity::Critical,
            Weight::Promise if is_declared => Severity::Error,
            Weight::Promise | Weight::Advice => Severity::Warning,
            Weight::Information => Severity::Info,
        }
    }

    /// Who is to be asked about its breach: where the first change that the remedy names is made.
    pub fn layer(self) -> Layer {
        match self {
            Self::PrivateAge
            | Self::LifetimeDiffers
            | Self::CachingForbidden
            | Self::CookieFromCache
            | Self::CookieOnCacheable
            | Self::VariesOnCookie
            | Self::VariesOnUserAgent
            | Self::CompressedTwice
            | Self::EncodingUnsaid
            | Self::VaryEncodingMissing
            | Self::LifetimeUnsaid => Layer::Origin,
            Self::SessionMoved => Layer::Balancer,
            _ => Layer::Edge,
        }
    }

    fn entry(self) -> &'static Entry {
        // A test holds that both stand in the same order.
        &RULES[self as usize]
    }
}

/// A set of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules(u32);

impl Rules {
    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds a rule where something holds.
    pub fn add_if(&mut self, holds: bool, rule: Rule) {
        self.0 |= u32::from(holds) << rule as u32;
    }

    /// The rules, the gravest first.
    pub fn iter(self) -> impl Iterator<Item = Rule> {
        Rule::all().filter(move |rule| self.contains(*rule))
    }

    /// Whether a rule is among them.
    pub const fn contains(self, rule: Rule) -> bool {
        self.0 & (1 << rule as u32) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_the_rules() {
        for (position, entry) in RULES.iter().enumerate() {
            assert_eq!(entry.rule as usize, position, "{}", entry.id);
            assert_eq!(Rule::named(entry.id), Some(entry.rule));
            assert!(entry.condition.len() > 20 && entry.remedy.len() > 40, "{}", entry.id);
        }
        assert!(RULES.len() <= 32, "a set holds 32");
        assert_eq!(Rule::all().count(), RULES.len());
        let graves: Vec<Severity> = Rule::all().map(|rule| rule.severity(true)).collect();
        assert!(graves.is_sorted_by(|before, after| before >= after), "the gravest come first");
    }

    #[test]
    fn what_nobody_declared_warns() {
        assert_eq!(Rule::PrivateHit.severity(false), Severity::Critical);
        assert_eq!(Rule::HitRatio.severity(true), Severity::Error);
        assert_eq!(Rule::HitRatio.severity(false), Severity::Warning);
        assert_eq!(Rule::LifetimeUnsaid.severity(true), Severity::Warning);
        assert!(Severity::Critical.fails() && Severity::Error.fails() && !Severity::Warning.fails());
    }

    #[test]
    fn a_breach_belongs_to_who_can_mend_it() {
        for rule in Rule::all().filter(|rule| rule.layer() == Layer::Origin) {
            let remedy = rule.remedy();
            assert!(["origin", "behind", "Vary"].iter().any(|word| remedy.contains(word)), "{}", rule.id());
        }
        let of = |layer: Layer| Rule::all().filter(move |rule| rule.layer() == layer);
        assert_eq!(of(Layer::Balancer).collect::<Vec<_>>(), [Rule::SessionMoved], "stickiness is its own");
        assert_eq!(of(Layer::Generator).count(), 0, "the crowd breaks no promise of the edge");
        assert_eq!(Rule::PrivateHit.layer(), Layer::Edge);
    }

    #[test]
    fn sets_give_back_what_was_added() {
        let mut rules = Rules::default();
        rules.add_if(false, Rule::HitRatio);
        assert!(rules.is_empty());
        for rule in [Rule::CacheWordUnknown, Rule::PrivateHit, Rule::Savings, Rule::PrivateHit] {
            rules.add_if(true, rule);
        }
        let all: Vec<Rule> = rules.iter().collect();
        assert_eq!(all, [Rule::PrivateHit, Rule::Savings, Rule::CacheWordUnknown]);
        assert!(rules.contains(Rule::Savings) && !rules.contains(Rule::HitRatio));
    }
}
