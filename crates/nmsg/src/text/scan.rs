//! Finding octets in text, several at a time.

const ONES: u64 = u64::MAX / 255;
const HIGH: u64 = ONES << 7;

/// Number of octets before the first `quote` or backslash; all of them if there is none. `quote` is
/// below 0x80.
#[inline(always)]
pub(crate) fn before_quote(text: &[u8], quote: u8) -> usize {
    let (words, rest) = text.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quotes = word ^ (ONES * quote as u64);
        let backslashes = word ^ (ONES * b'\\' as u64);
        // High bit set in the lowest octet that is either; a borrow can only mark octets above it.
        let marks = (quotes.wrapping_sub(ONES) | backslashes.wrapping_sub(ONES)) & !word & HIGH;
        if marks != 0 {
            return i * 8 + marks.trailing_zeros() as usize / 8;
        }
    }
    let plain = |octet: &&u8| **octet != quote && **octet != b'\\';
    text.len() - rest.len() + rest.iter().take_while(plain).count()
}

/// The text before its first NUL.
#[inline]
pub(crate) fn until_nul(text: &[u8]) -> &[u8] {
    &text[..memchr::memchr(0, text).unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_string_is_found_at_every_place() {
        for special in 0..=255_u8 {
            for at in 0..20 {
                let mut text = vec![b'x'; 20];
                text[at] = special;
                for quote in [b'"', b'\''] {
                    let ends = special == quote || special == b'\\';
                    assert_eq!(before_quote(&text, quote), if ends { at } else { 20 });
                }
            }
        }
        assert_eq!(before_quote(b"\x80\xa2\xdc#!\x7f[]\"", b'"'), 8);
        assert_eq!(before_quote(b"", b'"'), 0);
    }

    #[test]
    fn a_nul_ends_text_at_every_place() {
        for len in 0..200 {
            let mut text = vec![1; len];
            assert_eq!(until_nul(&text).len(), len);
            for at in (0..len).rev() {
                text[at] = 0;
                assert_eq!(until_nul(&text).len(), at);
            }
        }
    }
}
