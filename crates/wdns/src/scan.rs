//! Finding octets in text, many at a time.

use crate::simd::{self, SCAN_BLOCK};

/// Offset of the first octet that is one of two; for texts that are short more often than not.
///
/// ```
/// assert_eq!(wdns::scan::find_either(b"a\"b\\", b'"', b'\\'), Some(1));
/// ```
#[must_use]
#[inline(always)]
pub fn find_either(text: &[u8], one: u8, other: u8) -> Option<usize> {
    let (blocks, rest) = text.as_chunks();
    for (i, block) in blocks.iter().enumerate() {
        let places = simd::places(block, one, other);
        if places != 0 {
            return Some(i * SCAN_BLOCK + places.trailing_zeros() as usize);
        }
    }
    find_in_rest(rest, one, other).map(|at| text.len() - rest.len() + at)
}

/// As [`find_either`], for less than a block.
#[inline]
fn find_in_rest(rest: &[u8], one: u8, other: u8) -> Option<usize> {
    let places = simd::places(&padded(rest), one, other);
    // Zeros behind the end are not part of the text.
    let at = places.trailing_zeros() as usize;
    (at < rest.len()).then_some(at)
}

/// A block that starts with less than one, zeros behind it.
#[inline(always)]
pub(crate) fn padded(rest: &[u8]) -> [u8; SCAN_BLOCK] {
    let mut block = [0; SCAN_BLOCK];
    let len = rest.len().min(SCAN_BLOCK);
    block[..len].copy_from_slice(&rest[..len]);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_is_found_at_every_place() {
        for len in 0..100 {
            let mut text = vec![b'\t'; len];
            assert_eq!(find_either(&text, 0, b'\n'), None, "{len}");
            for at in (0..len).rev() {
                text[at] = if at % 2 == 0 { b'\n' } else { 0 };
                assert_eq!(find_either(&text, 0, b'\n'), Some(at), "{at} of {len}");
            }
        }
    }

    #[test]
    fn every_octet_is_told_from_the_others() {
        for octet in 0..=255_u8 {
            for at in [0, 5, 31, 32, 40] {
                let mut text = vec![b'x'; 45];
                text[at] = octet;
                let wanted = octet == b'"' || octet == b'\\';
                assert_eq!(find_either(&text, b'"', b'\\'), wanted.then_some(at), "{octet}");
            }
        }
    }
}
