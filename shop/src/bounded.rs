//! A map that forgets its oldest entry rather than grow past its limit.

use std::borrow::Borrow;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// A map of at most `limit` entries. The entry that was inserted first leaves first; replacing a value
/// keeps its place in the queue.
#[derive(Debug)]
pub(crate) struct BoundedMap<K, V> {
    entries: HashMap<K, V>,
    // Holds exactly the keys of `entries`, oldest first.
    order: VecDeque<K>,
    limit: usize,
}

impl<K: Clone + Eq + Hash, V> BoundedMap<K, V> {
    /// An empty map for at most `limit` entries (at least one).
    pub(crate) fn new(limit: usize) -> BoundedMap<K, V> {
        BoundedMap { entries: HashMap::new(), order: VecDeque::new(), limit: limit.max(1) }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.entries.get(key)
    }

    pub(crate) fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.entries.get_mut(key)
    }

    /// Inserts or replaces. Returns the value that had to leave: the replaced one, or the oldest.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let evicted = if !self.entries.contains_key(&key) && self.len() >= self.limit {
            self.pop_oldest()
        } else {
            None
        };
        match self.entries.insert(key.clone(), value) {
            Some(replaced) => Some(replaced),
            None => {
                self.order.push_back(key);
                evicted
            }
        }
    }

    /// Removes the entry that was inserted first.
    pub(crate) fn pop_oldest(&mut self) -> Option<V> {
        let key = self.order.pop_front()?;
        self.entries.remove(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::BoundedMap;

    #[test]
    fn the_oldest_leaves_at_the_limit() {
        let mut map = BoundedMap::new(2);
        assert_eq!(map.insert("a", 1), None);
        assert_eq!(map.insert("b", 2), None);
        assert_eq!(map.insert("c", 3), Some(1));
        assert_eq!((map.get("a"), map.get("b"), map.len()), (None, Some(&2), 2));
    }

    #[test]
    fn replacing_evicts_nobody_else() {
        let mut map = BoundedMap::new(2);
        map.insert("a", 1);
        map.insert("b", 2);
        assert_eq!(map.insert("a", 3), Some(1));
        assert_eq!((map.get("a"), map.get("b")), (Some(&3), Some(&2)));
        assert_eq!(map.pop_oldest(), Some(3));
        assert_eq!(map.pop_oldest(), Some(2));
        assert_eq!(map.pop_oldest(), None);
    }
}
