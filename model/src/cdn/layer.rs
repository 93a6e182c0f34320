//! To which layer a failure belongs: edge, balancer, origin, or the generator itself.

use super::CacheStatus;
use super::head::{Head, Maker};
use super::says::Says;
use crate::ErrorClass;

/// Who is to be asked about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// The content delivery network, its functions and its firewall.
    Edge,
    /// The load balancer.
    Balancer,
    /// The shop.
    Origin,
    /// This side.
    Generator,
}

impl Layer {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Edge, Self::Balancer, Self::Origin, Self::Generator];

    /// The word of reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Balancer => "balancer",
            Self::Origin => "origin",
            Self::Generator => "generator",
        }
    }
}

/// An exchange that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub error: ErrorClass,
    /// The answer's status; `None` when no head came.
    pub status: Option<u16>,
    /// What its head says.
    pub head: Head,
    /// Whether this side met a limit of its own, or was late itself while it waited.
    pub is_own: bool,
    /// What connections lead to: the edge, where there is one.
    pub front: Layer,
}

impl Failure {
    /// The layer that it belongs to.
    ///
    /// `X-Cache: Error` is said of any error that passes through CloudFront, so who made an answer tells more: its own
    /// errors say `Server: CloudFront`, the balancer's `Server: awselb/2.0` \[S\]. Only where nobody says who it was do
    /// 502, 503 and 504 belong to the edge if it calls them errors, and to the balancer if not.
    pub fn layer(&self) -> Layer {
        let Some(status) = self.status else {
            return if self.is_own { Layer::Generator } else { self.front };
        };
        match self.error {
            // The head was good; what stands next to this side broke the body off, or packed it wrongly.
            ErrorClass::Body => return if self.is_own { Layer::Generator } else { self.front },
            // Waiting for the rest of an answer.
            ErrorClass::Timeout if self.is_own => return Layer::Generator,
            _ => {}
        }
        // The client closed first; only a balancer's log shows it (facts of the Application Load Balancer \[D\]).
        if status == 460 {
            return Layer::Generator;
        }
        if self.head.says.any(Says::CHALLENGED) {
            return Layer::Edge;
        }
        match (self.head.maker, self.head.lookup()) {
            (Maker::Edge, _) => Layer::Edge,
            (Maker::Balancer, _) => Layer::Balancer,
            (_, CacheStatus::Generated | CacheStatus::Limit | CacheStatus::Redirect) => Layer::Edge,
            // Not what the journey expects, though the shop may well have it: the edge's copy is wrong.
            (_, cache) if cache.is_cached() => Layer::Edge,
            (Maker::Other, _) => Layer::Origin,
            (Maker::Unsaid, CacheStatus::Error) if matches!(status, 502..=504) => Layer::Edge,
            (Maker::Unsaid, _) if matches!(status, 502..=504) => Layer::Balancer,
            (Maker::Unsaid, _) => Layer::Origin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(error: ErrorClass, status: u16, lines: &str) -> Layer {
        let headers = lines.split('|').filter_map(|line| line.split_once(": "));
        let head = Head::of(headers.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        let failure = Failure {
            error,
            status: (status > 0).then_some(status),
            head,
            is_own: false,
            front: Layer::Edge,
        };
        failure.layer()
    }

    #[test]
    fn failures_belong_to_who_made_them() {
        use ErrorClass as Is;
        for (error, status, lines, expected) in [
            (Is::Connect, 0, "", Layer::Edge),
            (Is::Timeout, 0, "", Layer::Edge),
            (Is::Status, 502, "Server: CloudFront|X-Cache: Error from cloudfront", Layer::Edge),
            (Is::Status, 403, "Server: CloudFront|X-Cache: Error from cloudfront", Layer::Edge),
            (Is::Status, 503, "Server: awselb/2.0", Layer::Balancer),
            (Is::Status, 503, "Server: awselb/2.0|X-Cache: Error from cloudfront", Layer::Balancer),
            (Is::Status, 503, "X-Cache: LimitExceeded from cloudfront", Layer::Edge),
            (Is::Status, 503, "X-Cache: FunctionThrottledError from cloudfront", Layer::Edge),
            (Is::Status, 504, "X-Cache: Error from cloudfront", Layer::Edge),
            (Is::Status, 504, "", Layer::Balancer),
            (Is::Status, 502, "", Layer::Balancer),
            (Is::Status, 503, "Server: nginx|X-Cache: Error from cloudfront", Layer::Origin),
            (Is::Status, 500, "X-Cache: Error from cloudfront", Layer::Origin),
            (Is::Status, 500, "", Layer::Origin),
            (Is::Status, 404, "X-Cache: Error from cloudfront", Layer::Origin),
            (Is::Status, 202, "x-amzn-waf-action: challenge|X-Cache: Error from cloudfront", Layer::Edge),
            (Is::Status, 460, "", Layer::Generator),
            (Is::Expectation, 200, "X-Cache: Hit from cloudfront", Layer::Edge),
            (Is::Expectation, 200, "X-Cache: Miss from cloudfront", Layer::Origin),
            (Is::Expectation, 200, "Via: 1.1 varnish|Age: 7", Layer::Edge),
            (Is::Expectation, 200, "Via: 1.1 varnish|Age: 0", Layer::Origin),
            (Is::Body, 200, "X-Cache: Miss from cloudfront", Layer::Edge),
        ] {
            assert_eq!(layer(error, status, lines), expected, "{error:?} {status} {lines}");
        }
    }

    #[test]
    fn what_is_our_own_doing_is_said_to_be() {
        let failure = |error, status| Failure {
            error,
            status,
            head: Head::default(),
            is_own: true,
            front: Layer::Origin,
        };
        assert_eq!(failure(ErrorClass::Connect, None).layer(), Layer::Generator);
        assert_eq!(failure(ErrorClass::Timeout, Some(200)).layer(), Layer::Generator);
        assert_eq!(failure(ErrorClass::Status, Some(500)).layer(), Layer::Origin, "an answer is an answer");
        let shop = Failure { is_own: false, ..failure(ErrorClass::Reset, None) };
        assert_eq!(shop.layer(), Layer::Origin, "nothing stands before the shop");
    }
}
