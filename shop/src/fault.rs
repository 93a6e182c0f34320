//! What can be broken on purpose, and how it is written: `KIND[=VALUE][@REGION]`.

mod active;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

pub(crate) use self::active::{Faults, Switches};
use crate::duration;
use crate::error::Error;

/// Every kind: name, an example, and what it does. The one list behind parsing, help and errors.
pub(crate) const CATALOGUE: [FaultEntry; 11] = [
    FaultEntry { name: "slow", example: "slow=300ms@tokyo", does: "every answer takes that much longer" },
    FaultEntry {
        name: "errors",
        example: "errors=5%",
        does: "the balancer answers 503 at that share of requests",
    },
    FaultEntry {
        name: "freeze",
        example: "freeze=2s",
        does: "accepts but answers nothing until the time is over",
    },
    FaultEntry { name: "cold-cache", example: "cold-cache", does: "every lookup misses" },
    FaultEntry { name: "no-compression", example: "no-compression", does: "the edge compresses nothing" },
    FaultEntry {
        name: "api-cached",
        example: "api-cached",
        does: "the edge caches GET /api/…, whoever asks",
    },
    FaultEntry {
        name: "cart-leaked",
        example: "cart-leaked",
        does: "the edge caches /cart and /checkout and gives them to others",
    },
    FaultEntry { name: "short-ttl", example: "short-ttl=5s", does: "nothing stays fresh for longer" },
    FaultEntry { name: "lost-cart", example: "lost-cart=10%", does: "carts are found empty at that rate" },
    FaultEntry { name: "oversell", example: "oversell", does: "stock is not checked" },
    FaultEntry { name: "down", example: "down", does: "the origin is gone: 502 for everything uncached" },
];

/// One line of [`CATALOGUE`].
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct FaultEntry {
    pub(crate) name: &'static str,
    pub(crate) example: &'static str,
    pub(crate) does: &'static str,
}

/// Something that is broken on purpose, everywhere or in one region.
///
/// Written `KIND[=VALUE][@REGION]`, as `slow=300ms@tokyo`, and read by [`FromStr`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    kind: FaultKind,
    region: Option<String>,
}

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Every answer takes that much longer.
    Slow(Duration),
    /// The balancer answers 503 at that share of requests.
    Errors(Share),
    /// Connections are accepted but nothing is answered for that long, from when it is switched on.
    Freeze(Duration),
    /// Every lookup misses.
    ColdCache,
    /// The edge compresses nothing.
    NoCompression,
    /// The edge caches `GET /api/…`, whoever asks.
    ApiCached,
    /// The edge caches cart and checkout pages and gives them to others.
    CartLeaked,
    /// Nothing stays fresh for longer than that, and `Cache-Control` says so.
    ShortTtl(Duration),
    /// A session's cart is found empty at that rate of its requests.
    LostCart(Share),
    /// Stock is not checked.
    Oversell,
    /// The origin is gone: 502 from the edge for everything uncached.
    Down,
}

/// A share of a whole, exact to a millionth; written as a percentage such as `5%` or `0.25%`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    per_million: u32,
}

impl Fault {
    /// A fault everywhere.
    pub fn everywhere(kind: FaultKind) -> Fault {
        Fault { kind, region: None }
    }

    /// A fault in one region only.
    pub fn only_in(kind: FaultKind, region: &str) -> Fault {
        Fault { kind, region: Some(region.to_owned()) }
    }

    /// What is broken.
    pub fn kind(&self) -> FaultKind {
        self.kind
    }

    /// The one region that it is limited to, if any.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// Whether switching one on replaces the other: the same kind in the same place, at any value.
    pub(crate) fn same_switch(&self, other: &Fault) -> bool {
        self.region == other.region && self.kind.name() == other.kind.name()
    }
}

impl FaultKind {
    /// The name in the catalogue.
    fn name(&self) -> &'static str {
        match self {
            FaultKind::Slow(_) => "slow",
            FaultKind::Errors(_) => "errors",
            FaultKind::Freeze(_) => "freeze",
            FaultKind::ColdCache => "cold-cache",
            FaultKind::NoCompression => "no-compression",
            FaultKind::ApiCached => "api-cached",
            FaultKind::CartLeaked => "cart-leaked",
            FaultKind::ShortTtl(_) => "short-ttl",
            FaultKind::LostCart(_) => "lost-cart",
            FaultKind::Oversell => "oversell",
            FaultKind::Down => "down",
        }
    }
}

impl Share {
    /// That many out of a million, at most all.
    pub fn per_million(per_million: u32) -> Share {
        Share { per_million: per_million.min(1_000_000) }
    }

    /// How many out of a million.
    pub(crate) fn in_a_million(self) -> u32 {
        self.per_million
    }

    fn parse(text: &str) -> Option<Share> {
        let percent = text.strip_suffix('%')?;
        let (whole, fraction) = percent.split_once('.').unwrap_or((percent, ""));
        let digits_only = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty()
            || whole.len() > 3
            || fraction.len() > 4
            || !digits_only(whole)
            || !digits_only(fraction)
        {
            return None;
        }
        let ten_thousandths: u32 = format!("{whole}{fraction:0<4}").parse().ok()?;
        (ten_thousandths <= 1_000_000).then_some(Share { per_million: ten_thousandths })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.per_million / 10_000, self.per_million % 10_000);
        match fraction {
            0 => write!(formatter, "{whole}%"),
            _ => write!(formatter, "{whole}.{}%", format!("{fraction:04}").trim_end_matches('0')),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.kind.name())?;
        match self.kind {
            FaultKind::Slow(time) | FaultKind::Freeze(time) | FaultKind::ShortTtl(time) => {
                write!(formatter, "={}", duration::show(time))?;
            }
            FaultKind::Errors(share) | FaultKind::LostCart(share) => write!(formatter, "={share}")?,
            _ => {}
        }
        match &self.region {
            Some(region) => write!(formatter, "@{region}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Fault {
    type Err = Error;

    fn from_str(text: &str) -> Result<Fault, Error> {
        let (switch, region) = match text.rsplit_once('@') {
            Some((switch, region)) => (switch, Some(region.to_owned())),
            None => (text, None),
        };
        let (name, value) = match switch.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (switch, None),
        };
        let entry = CATALOGUE.iter().find(|entry| entry.name == name).ok_or_else(|| Error::UnknownFault {
            given: text.to_owned(),
            kinds: CATALOGUE.map(|entry| entry.example).join(", "),
        })?;
        let written = Written { text, value, example: entry.example };
        let kind = match name {
            "slow" => FaultKind::Slow(written.duration()?),
            "errors" => FaultKind::Errors(written.share()?),
            "freeze" => FaultKind::Freeze(written.duration()?),
            "short-ttl" => FaultKind::ShortTtl(written.duration()?),
            "lost-cart" => FaultKind::LostCart(written.share()?),
            "cold-cache" => written.bare(FaultKind::ColdCache)?,
            "no-compression" => written.bare(FaultKind::NoCompression)?,
            "api-cached" => written.bare(FaultKind::ApiCached)?,
            "cart-leaked" => written.bare(FaultKind::CartLeaked)?,
            "oversell" => written.bare(FaultKind::Oversell)?,
            _ => written.bare(FaultKind::Down)?,
        };
        Ok(Fault { kind, region })
    }
}

/// A fault's text on its way to a value.
struct Written<'a> {
    text: &'a str,
    value: Option<&'a str>,
    example: &'static str,
}

impl Written<'_> {
    fn duration(&self) -> Result<Duration, Error> {
        let value = self.value.ok_or_else(|| self.refuse("a duration is missing"))?;
        duration::parse(value).map_err(|_| self.refuse("the value is no duration"))
    }

    fn share(&self) -> Result<Share, Error> {
        let value = self.value.ok_or_else(|| self.refuse("a percentage is missing"))?;
        Share::parse(value).ok_or_else(|| self.refuse("the value is no percentage from 0% to 100%"))
    }

    fn bare(&self, kind: FaultKind) -> Result<FaultKind, Error> {
        match self.value {
            None => Ok(kind),
            Some(_) => Err(self.refuse("it takes no value")),
        }
    }

    fn refuse(&self, reason: &str) -> Error {
        Error::FaultValue { given: self.text.to_owned(), reason: reason.to_owned(), example: self.example }
    }
}

#[cfg(test)]
mod tests {
    use super::{CATALOGUE, Fault, FaultKind, Share};
    use std::time::Duration;

    #[test]
    fn every_kind_is_read_and_written_alike() {
        for entry in CATALOGUE {
            let fault: Fault = entry.example.parse().unwrap();
            assert_eq!(fault.to_string(), entry.example);
            assert_eq!(fault.kind().name(), entry.name);
        }
        let fault: Fault = "errors=0.25%@new-york".parse().unwrap();
        assert_eq!(fault, Fault::only_in(FaultKind::Errors(Share::per_million(2_500)), "new-york"));
        assert_eq!(fault.to_string(), "errors=0.25%@new-york");
        let slow: Fault = "slow=2s".parse().unwrap();
        assert_eq!(slow, Fault::everywhere(FaultKind::Slow(Duration::from_secs(2))));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let refused = |text: &str| text.parse::<Fault>().unwrap_err().to_string();
        let unknown = refused("sloow=3ms");
        for entry in CATALOGUE {
            assert!(unknown.contains(entry.name), "{unknown}");
        }
        assert!(refused("slow").contains("a duration is missing"));
        assert!(refused("slow=fast").contains("slow=300ms"));
        assert!(refused("down=yes").contains("takes no value"));
        for text in ["errors=101%", "errors=5", "errors=.5%", "errors=1.00001%", "errors=-1%", "errors=%"] {
            assert!(refused(text).contains("percentage"), "{text}");
        }
        assert!(refused("").contains("no such kind"));
    }
}
