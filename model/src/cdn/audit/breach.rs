//! What is broken: a rule that any answer of a run can break, or one that takes an audit to see.

use super::super::rules::{Rule, Severity};

/// A rule that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breach {
    /// One of those that every answer is judged by.
    Rule(Rule),
    /// One that only an audit sees, which asks for the same in several ways.
    Audit(AuditRule),
}

/// What only an audit sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuditRule {
    /// What did not change is sent whole again.
    NeverRevalidates,
    /// HEAD says something else than GET.
    HeadDiffers,
    /// Parts are offered and not given.
    RangesIgnored,
    /// What belongs to one shopper says that caches may keep it.
    PrivateCacheable,
    /// A page comes without TLS.
    PlainHttp,
    /// The server does not speak what is current.
    OldTransport,
    /// The server speaks what must not be spoken any more.
    OldTls,
}

/// What is to be said of a rule.
struct Entry {
    id: &'static str,
    remedy: &'static str,
}

impl AuditRule {
    const fn entry(self) -> Entry {
        match self {
            Self::NeverRevalidates => Entry {
                id: "never-revalidates",
                remedy: "Have the origin answer If-None-Match and If-Modified-Since with 304, and keep ETag the same on all of its servers (no inode in it). Look for a function or a proxy that takes these headers away.",
            },
            Self::HeadDiffers => Entry {
                id: "head-differs",
                remedy: "Have the origin answer HEAD as it answers GET, without the body, and let the edge's behaviour allow and cache HEAD as it does GET.",
            },
            Self::RangesIgnored => Entry {
                id: "ranges-ignored",
                remedy: "Answers say Accept-Ranges: bytes, and parts are not given. Have the origin answer Range with 206, or let it not offer parts (Accept-Ranges: none); see that no function or proxy takes Range away.",
            },
            Self::PrivateCacheable => Entry {
                id: "private-cacheable",
                remedy: "Have the origin send Cache-Control: private, no-store here: what keeps it out of caches now is their settings alone. If everybody gets the same answer, put the path into a class of its own.",
            },
            Self::PlainHttp => Entry {
                id: "plain-http",
                remedy: "Set the behaviour's viewer protocol policy to Redirect HTTP to HTTPS, and send Strict-Transport-Security with a response headers policy.",
            },
            Self::OldTransport => Entry {
                id: "old-transport",
                remedy: "Turn HTTP/2 on in the distribution's supported HTTP versions, and choose a security policy with TLS 1.3 (TLSv1.2_2021 or later).",
            },
            // [D] Developer guide, "Supported protocols and ciphers between viewers and CloudFront".
            Self::OldTls => Entry {
                id: "old-tls",
                remedy: "Choose the security policy TLSv1.2_2021 (or later) for the distribution, so that viewers speak TLS 1.2 at least (RFC 8996). Under the default certificate of *.cloudfront.net it is always TLSv1: give the distribution a name and a certificate of its own. In nginx: ssl_protocols TLSv1.2 TLSv1.3.",
            },
        }
    }
}

impl Breach {
    /// Its name in reports.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Rule(rule) => rule.id(),
            Self::Audit(rule) => rule.entry().id,
        }
    }

    /// What to change.
    pub(super) fn remedy(self) -> &'static str {
        match self {
            Self::Rule(rule) => rule.remedy(),
            Self::Audit(rule) => rule.entry().remedy,
        }
    }

    /// How grave it is. Of a policy that nobody declared, only what is critical fails; what only an audit sees costs
    /// something, and is promised by no policy.
    pub(super) fn severity(self, is_declared: bool) -> Severity {
        match self {
            Self::Rule(rule) => rule.severity(is_declared),
            Self::Audit(_) => Severity::Warning,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [AuditRule; 7] = [
        AuditRule::NeverRevalidates,
        AuditRule::HeadDiffers,
        AuditRule::RangesIgnored,
        AuditRule::PrivateCacheable,
        AuditRule::PlainHttp,
        AuditRule::OldTransport,
        AuditRule::OldTls,
    ];

    #[test]
    fn every_rule_has_a_name_of_its_own_and_says_what_to_change() {
        for (position, rule) in ALL.into_iter().enumerate() {
            let id = rule.entry().id;
            assert!(!ALL[..position].iter().any(|other| other.entry().id == id), "{id}");
            assert_eq!(Rule::named(id), None, "no name is given twice");
            assert!(rule.entry().remedy.len() > 40, "{id}");
        }
    }

    #[test]
    fn what_nobody_declared_warns() {
        let breach = Breach::Rule(Rule::EncodingsDiffer);
        assert_eq!((breach.severity(true), breach.severity(false)), (Severity::Error, Severity::Warning));
        assert_eq!(Breach::Audit(AuditRule::PlainHttp).severity(true), Severity::Warning);
        assert_eq!(Breach::Rule(Rule::PrivateHit).severity(false), Severity::Critical);
    }
}
