//! Finding octets in text, several at a time.

/// The text before its first NUL.
#[inline]
pub(crate) fn until_nul(text: &[u8]) -> &[u8] {
    &text[..memchr::memchr(0, text).unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

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
