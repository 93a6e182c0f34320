//! What every edge answered, exactly: the truth that a report is compared with.

use std::collections::{BTreeMap, HashMap};

use http::Method;

use crate::shared::Shared;

/// Distinct `METHOD path status` per region; what comes later is counted under [`OTHER`].
const KEYS_MAX: usize = 20_000;
const OTHER: &str = "(other)";
/// Longer methods and paths are none of the shop's, and are counted under [`OTHER`] too.
const KEY_BYTES_MAX: usize = 512;

/// The status under which a request is counted whose viewer left before the answer; CloudFront's own
/// logs say `000` for it too. (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html>, `sc-status`)
pub(crate) const VIEWER_LEFT: u16 = 0;

/// Answers per region, method, path and status.
#[derive(Debug)]
pub(crate) struct Counts {
    regions: Vec<(String, Shared<RegionCounts>)>,
}

#[derive(Debug, Default)]
struct RegionCounts {
    // Looked up by the borrowed path, so that counting allocates only for a path never seen before.
    paths: HashMap<Box<str>, Vec<Count>>,
    keys: usize,
    other: u64,
}

#[derive(Debug)]
struct Count {
    method: Method,
    status: u16,
    answers: u64,
}

impl Counts {
    pub(crate) fn new(region_names: impl IntoIterator<Item = String>) -> Counts {
        Counts { regions: region_names.into_iter().map(|name| (name, Shared::default())).collect() }
    }

    /// Counts one answer of the region with that index.
    pub(crate) fn count(&self, region: usize, method: &Method, path: &str, status: u16) {
        if let Some((_, counts)) = self.regions.get(region) {
            counts.lock().count(method, path, status);
        }
    }

    /// Region → `METHOD path status` → answers.
    pub(crate) fn snapshot(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        self.regions.iter().map(|(name, counts)| (name.clone(), counts.lock().snapshot())).collect()
    }
}

impl RegionCounts {
    fn count(&mut self, method: &Method, path: &str, status: u16) {
        if let Some(counts) = self.paths.get_mut(path) {
            let known = counts.iter_mut().find(|count| count.status == status && count.method == *method);
            if let Some(count) = known {
                count.answers += 1;
                return;
            }
        }
        if self.keys >= KEYS_MAX || method.as_str().len() + path.len() > KEY_BYTES_MAX {
            self.other += 1;
            return;
        }
        self.keys += 1;
        let count = Count { method: method.clone(), status, answers: 1 };
        self.paths.entry(path.into()).or_default().push(count);
    }

    fn snapshot(&self) -> BTreeMap<String, u64> {
        let mut snapshot: BTreeMap<String, u64> = BTreeMap::new();
        for (path, counts) in &self.paths {
            for Count { method, status, answers } in counts {
                snapshot.insert(format!("{method} {path} {status:03}"), *answers);
            }
        }
        if self.other > 0 {
            snapshot.insert(OTHER.to_owned(), self.other);
        }
        snapshot
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, KEYS_MAX, OTHER, VIEWER_LEFT};
    use http::Method;

    #[test]
    fn counts_are_kept_apart() {
        let counts = Counts::new(["tokyo".to_owned(), "london".to_owned()]);
        counts.count(0, &Method::GET, "/", 200);
        counts.count(0, &Method::GET, "/", 200);
        counts.count(0, &Method::HEAD, "/", 200);
        counts.count(0, &Method::GET, "/", VIEWER_LEFT);
        counts.count(1, &Method::GET, "/", 404);
        let snapshot = counts.snapshot();
        let tokyo: Vec<(&str, u64)> = snapshot["tokyo"].iter().map(|(key, n)| (key.as_str(), *n)).collect();
        assert_eq!(tokyo, [("GET / 000", 1), ("GET / 200", 2), ("HEAD / 200", 1)]);
        assert_eq!(snapshot["london"]["GET / 404"], 1);
    }

    #[test]
    fn the_table_is_bounded_and_the_total_stays_exact() {
        let counts = Counts::new(["tokyo".to_owned()]);
        for path in 0..KEYS_MAX + 5 {
            counts.count(0, &Method::GET, &format!("/{path}"), 200);
        }
        counts.count(0, &Method::GET, "/0", 200);
        let snapshot = &counts.snapshot()["tokyo"];
        assert_eq!((snapshot.len(), snapshot[OTHER], snapshot["GET /0 200"]), (KEYS_MAX + 1, 5, 2));
    }
}
