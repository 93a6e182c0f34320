//! What an audit finds and does not ask for: where its limits leave no room, and where it may not go. It says so.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

/// The most addresses of a kind that are told apart; more are only counted, each time that they come.
const DISTINCT_MAX: usize = 1_000;

/// Addresses, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Distinct {
    urls: BTreeSet<Url>,
    more: usize,
}

/// What is left out.
#[derive(Clone, Debug, Default)]
pub(super) struct LeftOut {
    /// Pages beyond those that an audit begins with.
    pub(super) pages: usize,
    /// Files of kinds that there was no room for.
    pub(super) assets: Distinct,
    /// What belongs to one shopper, beyond the room for that.
    pub(super) private: Distinct,
    /// Files on hosts that may not be asked.
    pub(super) elsewhere: Distinct,
}

impl Distinct {
    /// One more, unless it is known.
    pub(super) fn add(&mut self, url: Url) {
        if self.urls.len() < DISTINCT_MAX {
            self.urls.insert(url);
        } else if !self.urls.contains(&url) {
            self.more = self.more.saturating_add(1);
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.urls.len().saturating_add(self.more)
    }

    /// How many there are on each host, the most first.
    pub(super) fn by_host(&self) -> Vec<(&str, usize)> {
        let mut hosts: BTreeMap<&str, usize> = BTreeMap::new();
        for url in &self.urls {
            *hosts.entry(url.host_str().unwrap_or_default()).or_default() += 1;
        }
        let mut hosts: Vec<(&str, usize)> = hosts.into_iter().collect();
        hosts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        hosts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_counted_once_and_kept_within_bounds() {
        let mut distinct = Distinct::default();
        let url = |host: &str, number: usize| Url::parse(&format!("https://{host}.test/{number}")).unwrap();
        for _ in 0..2 {
            (0..3).for_each(|number| distinct.add(url("a", number)));
            (0..5).for_each(|number| distinct.add(url("b", number)));
        }
        assert_eq!((distinct.count(), distinct.by_host()), (8, vec![("b.test", 5), ("a.test", 3)]));
        (0..2_000).for_each(|number| distinct.add(url("c", number)));
        assert_eq!((distinct.count(), distinct.urls.len()), (2_008, DISTINCT_MAX));
    }
}
