//! Three columns of counts in few bytes: each column is as wide as its largest number.
//!
//! The bytes are held as they are stored: the version, then for each column the bytes of a number (0, 1, 2, 4 or 8), then
//! the columns one after the other, little-endian. A column of zeros takes nothing.

/// The first byte: how the others are to be read.
const VERSION: u8 = 1;
/// The version, and a width for each column.
const HEAD_BYTES: usize = 1 + COLUMNS;
/// Numbers side by side.
pub(super) const COLUMNS: usize = 3;

/// Numbers side by side; what each means is its owner's.
pub(super) type Row = [u64; COLUMNS];

/// So many rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cells<const ROWS: usize> {
    bytes: Box<[u8]>,
}

impl<const ROWS: usize> Cells<ROWS> {
    /// Zeros.
    pub(super) fn new() -> Self {
        Self::of_widths([0; COLUMNS])
    }

    /// Zeros that leave room for numbers of these widths.
    fn of_widths(widths: [usize; COLUMNS]) -> Self {
        let mut bytes = vec![0; HEAD_BYTES + ROWS * widths.iter().sum::<usize>()];
        bytes[0] = VERSION;
        for (byte, width) in bytes[1..].iter_mut().zip(widths) {
            *byte = u8::try_from(width).unwrap_or(8);
        }
        Self { bytes: bytes.into_boxed_slice() }
    }

    /// What was stored; `None` for anything else.
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let [VERSION, first, second, third, ..] = bytes else { return None };
        let widths = [*first, *second, *third].map(usize::from);
        let is_known = widths.iter().all(|width| matches!(width, 0 | 1 | 2 | 4 | 8));
        let length = HEAD_BYTES + ROWS * widths.iter().sum::<usize>();
        (is_known && bytes.len() == length).then(|| Self { bytes: bytes.into() })
    }

    /// What is to be stored.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn widths(&self) -> [usize; COLUMNS] {
        match &self.bytes[..] {
            [_, first, second, third, ..] => [*first, *second, *third].map(usize::from),
            _ => [0; COLUMNS],
        }
    }

    /// The numbers of a row, which is below `ROWS`.
    pub(super) fn get(&self, row: usize) -> Row {
        let mut begin = HEAD_BYTES;
        self.widths().map(|width| {
            let at = begin + row * width;
            let mut word = [0; 8];
            word[..width].copy_from_slice(&self.bytes[at..at + width]);
            begin += ROWS * width;
            u64::from_le_bytes(word)
        })
    }

    /// Sets the numbers of a row, which is below `ROWS`.
    pub(super) fn set(&mut self, row: usize, numbers: Row) {
        let (has, needs) = (self.widths(), numbers.map(width_of));
        if has.iter().zip(&needs).any(|(has, needs)| has < needs) {
            self.widen(std::array::from_fn(|column| has[column].max(needs[column])));
        }
        let mut begin = HEAD_BYTES;
        for (width, number) in self.widths().into_iter().zip(numbers) {
            let at = begin + row * width;
            self.bytes[at..at + width].copy_from_slice(&number.to_le_bytes()[..width]);
            begin += ROWS * width;
        }
    }

    fn widen(&mut self, widths: [usize; COLUMNS]) {
        let mut wider = Self::of_widths(widths);
        for (row, numbers) in self.rows().enumerate() {
            wider.set(row, numbers);
        }
        *self = wider;
    }

    /// All rows, in order.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        (0..ROWS).map(|row| self.get(row))
    }

    /// The sum of each column.
    pub(super) fn sum(&self) -> Row {
        self.rows().fold([0; COLUMNS], |sum, row| {
            std::array::from_fn(|column| sum[column].saturating_add(row[column]))
        })
    }
}

/// The bytes that a number needs.
fn width_of(number: u64) -> usize {
    match number {
        0 => 0,
        1..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Cells;

    #[test]
    fn a_column_takes_what_its_largest_number_needs() {
        let mut cells = Cells::<30>::new();
        assert_eq!(cells.as_bytes(), [1, 0, 0, 0], "zeros take nothing");
        cells.set(7, [1_000, 0, 0]);
        assert_eq!(cells.as_bytes().len(), 4 + 30 * 2);
        cells.set(29, [1, 255, 0]);
        assert_eq!(cells.as_bytes().len(), 4 + 30 * 3);
        cells.set(0, [u64::MAX, 0, 0]);
        assert_eq!(cells.as_bytes().len(), 4 + 30 * 9);
        assert_eq!(
            (cells.get(7), cells.get(29), cells.get(0)),
            ([1_000, 0, 0], [1, 255, 0], [u64::MAX, 0, 0])
        );
        assert_eq!(cells.sum(), [u64::MAX, 255, 0], "sums do not wrap");
    }

    #[test]
    fn bytes_that_cannot_be_are_refused() {
        let bytes = Cells::<30>::new().as_bytes().to_vec();
        assert!(Cells::<30>::of_bytes(&bytes).is_some());
        for broken in [&[][..], &[1], &[2, 0, 0, 0], &[1, 3, 0, 0], &[1, 0, 0, 0, 0], &[1, 8, 8, 8]] {
            assert!(Cells::<30>::of_bytes(broken).is_none(), "{broken:?}");
        }
    }

    proptest! {
        #[test]
        fn they_hold_what_was_set(
            changes in prop::collection::vec((0_usize..30, any::<u64>(), 0_u32..64, any::<u8>()), 0..60)
        ) {
            let (mut cells, mut plain) = (Cells::<30>::new(), [[0_u64; 3]; 30]);
            for (row, number, shift, small) in changes {
                plain[row] = [number >> shift, u64::from(small), number >> (63 - shift)];
                cells.set(row, plain[row]);
            }
            prop_assert_eq!(cells.rows().collect::<Vec<_>>(), plain);
            let read = Cells::<30>::of_bytes(cells.as_bytes());
            prop_assert_eq!(read, Some(cells));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Some(cells) = Cells::<30>::of_bytes(&bytes) {
                let _ = cells.sum();
            }
        }
    }
}
