//! Counts over time: buckets of one length, in pages.
//!
//! A bucket holds what came after its begin, up to and including its end, and is known by its end; a page is known by its
//! begin. Both lie at multiples of their lengths.

use std::collections::BTreeMap;

use super::cells::{COLUMNS, Cells, Row};

/// What a page takes beside its numbers: its place in the tree with the tree's slack, and what the allocator adds.
const PAGE_OVERHEAD_BYTES: usize = 64;

/// Buckets of one length, `ROWS` to a page.
#[derive(Clone, Debug)]
pub(super) struct History<const ROWS: usize> {
    bucket_s: i64,
    page_s: i64,
    pages: BTreeMap<i64, Cells<ROWS>>,
}

impl<const ROWS: usize> History<ROWS> {
    /// Nothing yet, in buckets of this length.
    pub(super) fn new(bucket_s: i64) -> Self {
        let rows = i64::try_from(ROWS).unwrap_or(1);
        Self { bucket_s, page_s: bucket_s * rows, pages: BTreeMap::new() }
    }

    /// The length of a bucket.
    pub(super) fn bucket_s(&self) -> i64 {
        self.bucket_s
    }

    /// The length of a page.
    pub(super) fn page_s(&self) -> i64 {
        self.page_s
    }

    /// The bucket that a time belongs to.
    pub(super) fn bucket_of(&self, at_s: i64) -> i64 {
        match at_s.rem_euclid(self.bucket_s) {
            0 => at_s,
            past_s => at_s - past_s + self.bucket_s,
        }
    }

    /// The page that a bucket belongs to.
    pub(super) fn page_of(&self, bucket: i64) -> i64 {
        (bucket - self.bucket_s).div_euclid(self.page_s) * self.page_s
    }

    /// A bucket's row in a page.
    pub(super) fn row_of(&self, bucket: i64, page: i64) -> usize {
        usize::try_from((bucket - self.bucket_s - page) / self.bucket_s).unwrap_or(0)
    }

    /// What a bucket holds.
    pub(super) fn get(&self, bucket: i64) -> Row {
        let page = self.page_of(bucket);
        self.pages.get(&page).map_or([0; COLUMNS], |cells| cells.get(self.row_of(bucket, page)))
    }

    /// Changes a bucket: what it held, and what it holds now.
    pub(super) fn change(&mut self, bucket: i64, change: impl FnOnce(Row) -> Row) -> (Row, Row) {
        let page = self.page_of(bucket);
        let row = self.row_of(bucket, page);
        let cells = self.pages.entry(page).or_insert_with(Cells::new);
        let before = cells.get(row);
        let after = change(before);
        cells.set(row, after);
        (before, after)
    }

    /// A page.
    pub(super) fn page(&self, page: i64) -> Option<&Cells<ROWS>> {
        self.pages.get(&page)
    }

    /// The pages, the earliest first.
    pub(super) fn pages(&self) -> impl Iterator<Item = (i64, &Cells<ROWS>)> {
        self.pages.iter().map(|(page, cells)| (*page, cells))
    }

    /// The first page that begins at `from_s` or later.
    pub(super) fn next_page(&self, from_s: i64) -> Option<(i64, &Cells<ROWS>)> {
        self.pages.range(from_s..).next().map(|(page, cells)| (*page, cells))
    }

    /// The buckets of a page, each by its end.
    pub(super) fn buckets<'a>(
        &self,
        page: i64,
        cells: &'a Cells<ROWS>,
    ) -> impl Iterator<Item = (i64, Row)> + use<'a, ROWS> {
        let bucket_s = self.bucket_s;
        (1_i64..).zip(cells.rows()).map(move |(nth, row)| (page + nth * bucket_s, row))
    }

    /// When the first bucket with anything in its first column begins.
    pub(super) fn first_s(&self) -> Option<i64> {
        let (page, cells) = self.pages().next()?;
        let found = self.buckets(page, cells).find(|(_, row)| row[0] > 0);
        found.map(|(end, _)| end - self.bucket_s)
    }

    /// Puts a page where it belongs.
    pub(super) fn insert(&mut self, page: i64, cells: Cells<ROWS>) {
        self.pages.insert(page, cells);
    }

    /// Takes the first page out if it ends at `until_s` or before.
    pub(super) fn take_first(&mut self, until_s: i64) -> Option<(i64, Cells<ROWS>)> {
        let first = self.pages.first_entry()?;
        (*first.key() + self.page_s <= until_s).then(|| first.remove_entry())
    }

    /// About how much memory this takes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.pages.values().map(|cells| cells.as_bytes().len() + PAGE_OVERHEAD_BYTES).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::History;

    #[test]
    fn a_bucket_holds_its_end_and_not_its_begin() {
        let history = History::<30>::new(10);
        for (at_s, bucket, page) in [
            (0, 0, -300),
            (1, 10, 0),
            (10, 10, 0),
            (11, 20, 0),
            (300, 300, 0),
            (301, 310, 300),
            (-1, 0, -300),
        ] {
            let found = history.bucket_of(at_s);
            assert_eq!((found, history.page_of(found)), (bucket, page), "{at_s}");
        }
    }

    #[test]
    fn pages_are_found_walked_and_taken() {
        let mut history = History::<30>::new(10);
        for bucket in [620, 10, 300, 310] {
            assert_eq!(history.change(bucket, |[total, ..]| [total + 1, 0, 0]), ([0; 3], [1, 0, 0]));
        }
        assert_eq!(history.pages().map(|(page, _)| page).collect::<Vec<_>>(), [0, 300, 600]);
        let (page, cells) = history.next_page(1).unwrap();
        let filled: Vec<i64> =
            history.buckets(page, cells).filter(|(_, row)| row[0] > 0).map(|(bucket, _)| bucket).collect();
        assert_eq!((page, filled), (300, vec![310]));
        assert_eq!(history.first_s(), Some(0));
        assert!(history.take_first(299).is_none());
        assert_eq!(history.take_first(300).map(|(page, cells)| (page, cells.sum())), Some((0, [2, 0, 0])));
        assert_eq!((history.get(10), history.get(620)), ([0; 3], [1, 0, 0]));
    }
}
