//! What can be broken on purpose, and how it is written: `KIND[=VALUE][@REGION]`.

mod active;
mod catalogue;
mod kind;
mod share;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

pub(crate) use self::active::{Faults, Switches};
use self::catalogue::Takes;
pub(crate) use self::catalogue::{CATALOGUE, FaultEntry};
pub use self::kind::FaultKind;
pub use self::share::Share;
use crate::duration;
use crate::error::Error;

/// Something that is broken on purpose, everywhere or in one region.
///
/// Written `KIND[=VALUE][@REGION]`, as `slow=300ms@tokyo`, and read by [`FromStr`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    kind: FaultKind,
    region: Option<String>,
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

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.kind.name())?;
        match self.kind {
            FaultKind::Slow(time)
            | FaultKind::Freeze(time)
            | FaultKind::ShortTtl(time)
            | FaultKind::StaleHtml(time)
            | FaultKind::ErrorTtl(time) => write!(formatter, "={}", duration::show(time))?,
            FaultKind::Errors(share)
            | FaultKind::LostCart(share)
            | FaultKind::Unsticky(share)
            | FaultKind::Challenge(share) => write!(formatter, "={share}")?,
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
            kinds: CATALOGUE.iter().map(|entry| entry.example).collect::<Vec<_>>().join(", "),
        })?;
        let written = Written { text, value, example: entry.example };
        let kind = match entry.takes {
            Takes::Nothing(kind) => written.bare(kind)?,
            Takes::Time(make) => make(written.duration()?),
            Takes::Share(make) => make(written.share()?),
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
        for entry in &CATALOGUE {
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
        for entry in &CATALOGUE {
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
