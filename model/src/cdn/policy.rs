//! The policy: what the edge has promised, by class of content.
//!
//! A section of the plan, or a file of its own. Classes stand in a list: `cached: never` wins over any other match, else
//! the first match; what matches none is unclassified.

mod glob;
mod path;
mod read;
mod shop;

#[cfg(test)]
mod tests;

use std::fmt;

use doorbuster_notation::{Faults, Node, Share};

use super::fields::lower_essence;
use super::pop::Airport;

pub use glob::Pattern;
pub use path::plain_path;

/// The most classes of a policy.
pub const CLASSES_MAX: usize = 32;
/// The most patterns of a class.
pub const PATTERNS_MAX: usize = 100;
/// The most regions that a policy names the edges of, and the most airports of each.
pub const EDGES_MAX: usize = 50;
/// Longer content types match no class.
const TYPE_BYTES_MAX: usize = 128;

/// Whose edge it is: which headers tell of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provider {
    /// Amazon CloudFront.
    #[default]
    CloudFront,
    /// Any cache that says `Cache-Status`, `X-Cache`, `X-Cache-Status` or `Age`.
    Generic,
}

/// For how long answers of a class are kept at the edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cached {
    /// Nothing is promised.
    #[default]
    Unsaid,
    /// Not at all: they belong to one shopper.
    Never,
    /// For so many seconds.
    For(u32),
}

/// A lower bound on a share: `> 95%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floor {
    /// The share.
    pub share: Share,
    /// Whether the share itself is not enough.
    pub is_exclusive: bool,
}

/// A class of content and its promises.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContentClass {
    /// Its name, as thresholds and reports have it.
    pub name: String,
    /// What it is recognised by.
    pub matches: Vec<Pattern>,
    /// For how long it is kept.
    pub cached: Cached,
    /// Whether other content always has another address.
    pub is_versioned: bool,
    /// The share of look-ups that are hits.
    pub hit_ratio: Option<Floor>,
    /// Whether text comes compressed.
    pub compresses_text: bool,
    /// The share of the text's bytes that compression saves.
    pub savings: Option<Floor>,
}

/// A class by its position in the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub u8);

/// The classes that something matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Matched(u32);

/// What the edge has promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whose edge it is.
    pub provider: Provider,
    /// Whether somebody wrote it down: what merely stands to reason warns where a promise would fail.
    pub is_declared: bool,
    classes: Vec<ContentClass>,
    edges: Vec<(String, Vec<Airport>)>,
    /// The classes that are never cached.
    never: Matched,
}

impl Default for ClassId {
    fn default() -> Self {
        Self::UNCLASSIFIED
    }
}

impl ClassId {
    /// What matches no class.
    pub const UNCLASSIFIED: Self = Self(u8::MAX);
}

impl Default for Policy {
    /// CloudFront in front of a shop, declared by nobody.
    fn default() -> Self {
        Self::new(Provider::default(), false, shop::classes(), shop::edges())
    }
}

impl Policy {
    /// The policy of these classes; those beyond [`CLASSES_MAX`] are not looked at.
    fn new(
        provider: Provider,
        is_declared: bool,
        mut classes: Vec<ContentClass>,
        edges: Vec<(String, Vec<Airport>)>,
    ) -> Self {
        classes.truncate(CLASSES_MAX);
        let never = Matched::by(&classes, |class| class.cached == Cached::Never);
        Self { provider, is_declared, classes, edges, never }
    }

    /// Reads a policy from a file of its own, which has the one key `cdn`.
    ///
    /// # Errors
    /// All faults of the text, each with its place in `file`.
    pub fn read(file: &str, text: &str) -> Result<Self, Faults> {
        read::file(file, text)
    }

    /// Reads a plan's section. `None` goes with at least one noted fault.
    pub fn of_section(node: &Node, faults: &mut Faults) -> Option<Self> {
        read::section(node, faults)
    }

    /// The classes, in order.
    pub fn classes(&self) -> &[ContentClass] {
        &self.classes
    }

    /// A class, unless it is what matches none.
    pub fn class(&self, id: ClassId) -> Option<&ContentClass> {
        self.classes.get(usize::from(id.0))
    }

    /// A class's name.
    pub fn name_of(&self, id: ClassId) -> &str {
        self.class(id).map_or("unclassified", |class| &class.name)
    }

    /// The airports of a region's edges, where the policy names them.
    pub fn edges_of(&self, region: &str) -> Option<&[Airport]> {
        self.edges.iter().find(|(name, _)| name == region).map(|(_, airports)| airports.as_slice())
    }

    /// The classes that a path matches, which is without its query.
    pub fn of_path(&self, path: &str) -> Matched {
        let path = plain_path(path);
        Matched::by(&self.classes, |class| class.matches.iter().any(|pattern| pattern.matches_path(&path)))
    }

    /// The classes that a `Content-Type` matches.
    pub fn of_type(&self, content_type: &[u8]) -> Matched {
        let mut room = [0; TYPE_BYTES_MAX];
        let Some(lower) = lower_essence(content_type, &mut room) else { return Matched::default() };
        Matched::by(&self.classes, |class| class.matches.iter().any(|pattern| pattern.matches_type(lower)))
    }

    /// The class of an answer whose path and whose type match these.
    pub fn choose(&self, by_path: Matched, by_type: Matched) -> ClassId {
        let all = by_path.0 | by_type.0;
        let never = all & self.never.0;
        let chosen = if never == 0 { all } else { never };
        u8::try_from(chosen.trailing_zeros())
            .ok()
            .filter(|first| usize::from(*first) < self.classes.len())
            .map_or(ClassId::UNCLASSIFIED, ClassId)
    }

    /// The class of an answer to `path` with `content_type`.
    pub fn classify(&self, path: &str, content_type: &[u8]) -> ClassId {
        self.choose(self.of_path(path), self.of_type(content_type))
    }
}

impl Matched {
    fn by(classes: &[ContentClass], is: impl Fn(&ContentClass) -> bool) -> Self {
        let matching = classes.iter().zip(0_u32..32).filter(|(class, _)| is(class));
        Self(matching.fold(0, |all, (_, position)| all | (1 << position)))
    }
}

impl Floor {
    /// Whether `part` of `whole` is enough.
    pub fn holds(self, part: u64, whole: u64) -> bool {
        let observed = u128::from(part) * 1_000_000_000;
        let promised = u128::from(whole) * u128::from(self.share.parts_per_billion);
        if self.is_exclusive { observed > promised } else { observed >= promised }
    }
}

impl fmt::Display for Floor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_exclusive { ">" } else { ">=" };
        let parts = self.share.parts_per_billion;
        let decimals = format!("{:07}", parts % 10_000_000);
        let decimals = decimals.trim_end_matches('0');
        let point = if decimals.is_empty() { "" } else { "." };
        write!(formatter, "{sign} {}{point}{decimals}%", parts / 10_000_000)
    }
}
