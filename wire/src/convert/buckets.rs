//! A histogram's buckets as bytes: by far the most of a report, so they are packed here and not field by field.

use prost::encoding::{decode_varint, encode_varint};

/// Rising (index, count) as pairs of varints: the index's difference from the one before, and the count.
pub(super) fn pack(buckets: &[(u16, u64)]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(2 * buckets.len() + 2);
    let mut last = 0;
    for (index, count) in buckets {
        let delta = index - std::mem::replace(&mut last, *index);
        match (u8::try_from(delta), u8::try_from(*count)) {
            // Both are their own varints.
            (Ok(delta @ ..128), Ok(count @ ..128)) => packed.extend([delta, count]),
            _ => {
                encode_varint(u64::from(delta), &mut packed);
                encode_varint(*count, &mut packed);
            }
        }
    }
    packed
}

/// What [`pack`] packed; `None` for bytes that it cannot have made.
pub(super) fn unpack(mut packed: &[u8]) -> Option<Vec<(u16, u64)>> {
    let mut buckets = Vec::with_capacity(packed.len() / 2);
    let mut index: u64 = 0;
    while let [first, second, rest @ ..] = packed {
        let (delta, count) = if (first | second) < 128 {
            packed = rest;
            (u64::from(*first), u64::from(*second))
        } else {
            (decode_varint(&mut packed).ok()?, decode_varint(&mut packed).ok()?)
        };
        index = index.checked_add(delta)?;
        buckets.push((u16::try_from(index).ok()?, count));
    }
    packed.is_empty().then_some(buckets)
}
