//! What an answer's head says by yes or no.

/// A set of facts about an answer's head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Says(u16);

impl Says {
    /// CloudFront had it in hand: `X-Cache: … from cloudfront`, `X-Amz-Cf-Pop`, `Via: … (CloudFront)`.
    pub const CLOUDFRONT: Self = Self(1);
    /// `Cache-Control: no-store`
    pub const NO_STORE: Self = Self(1 << 1);
    /// `Cache-Control: no-cache`, of the whole answer.
    pub const NO_CACHE: Self = Self(1 << 2);
    /// `Cache-Control: private`, of the whole answer.
    pub const PRIVATE: Self = Self(1 << 3);
    /// `Cache-Control: s-maxage`: the lifetime is that of shared caches.
    pub const SHARED_LIFETIME: Self = Self(1 << 4);
    /// `Expires`
    pub const EXPIRES: Self = Self(1 << 5);
    /// `Set-Cookie` of the shop's own.
    pub const SETS_COOKIE: Self = Self(1 << 6);
    /// `Set-Cookie` of the balancer, which binds a shopper to a target.
    pub const SETS_STICKY: Self = Self(1 << 7);
    /// `Vary: Cookie`
    pub const VARY_COOKIE: Self = Self(1 << 8);
    /// `Vary: User-Agent`
    pub const VARY_USER_AGENT: Self = Self(1 << 9);
    /// `Vary: Accept-Encoding`
    pub const VARY_ENCODING: Self = Self(1 << 10);
    /// `Vary: *`
    pub const VARY_ANYTHING: Self = Self(1 << 11);
    /// `x-amzn-waf-action`: a firewall's challenge instead of what was asked for.
    pub const CHALLENGED: Self = Self(1 << 12);
    /// A value that cannot be what its header has: an Age that is no number, an edge location of another form.
    pub const UNREADABLE: Self = Self(1 << 13);

    /// What forbids shared caches to keep the answer.
    pub const FORBIDS: Self =
        Self(Self::NO_STORE.0 | Self::NO_CACHE.0 | Self::PRIVATE.0 | Self::VARY_ANYTHING.0);

    /// Whether at least one of `facts` holds.
    pub const fn any(self, facts: Self) -> bool {
        self.0 & facts.0 != 0
    }

    /// Adds facts.
    pub(super) fn add(&mut self, facts: Self) {
        self.0 |= facts.0;
    }
}
