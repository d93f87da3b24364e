use wdns::TextBuffer;

/// What stands for octets that are not UTF-8: U+FFFD.
const REPLACEMENT: &[u8; 3] = b"\xef\xbf\xbd";

/// Cuts a stored string at its first NUL, where its text ends.
#[inline]
pub(crate) fn until_nul(stored: &[u8]) -> &[u8] {
    let end = stored.iter().position(|&octet| octet == 0);
    &stored[..end.unwrap_or(stored.len())]
}

/// Appends a stored string as the inside of a JSON string: text up to the first NUL, octets that
/// are not UTF-8 replaced, everything escaped that JSON wants escaped
/// (`rendering-and-parsing` §5.3, `decisions` JO-7, JO-8).
#[inline]
pub(crate) fn json_text(out: &mut TextBuffer, stored: &[u8]) {
    let plain = plain_prefix(stored);
    out.bytes(&stored[..plain]);
    if plain < stored.len() && stored[plain] != 0 {
        json_text_slow(out, until_nul(&stored[plain..]));
    }
}

/// Appends text as [`json_text`] does, but a NUL does not end it.
pub(crate) fn json_text_with_nul(out: &mut TextBuffer, text: &[u8]) {
    let plain = plain_prefix(text);
    out.bytes(&text[..plain]);
    if plain < text.len() {
        json_text_slow(out, &text[plain..]);
    }
}

/// Octets at the start that stand for themselves in JSON: 0x20–0x7f but quote and backslash.
#[inline]
fn plain_prefix(text: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let (words, rest) = text.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = word ^ (ONES * b'"' as u64);
        let backslash = word ^ (ONES * b'\\' as u64);
        // High bit set where an octet is below 0x20, 0x80 or above, a quote or a backslash; a
        // borrow can only mark octets behind the first true mark.
        let special = word.wrapping_sub(ONES * 0x20)
            | quote.wrapping_sub(ONES)
            | backslash.wrapping_sub(ONES)
            | word;
        if special & HIGH != 0 {
            return i * 8 + scalar_prefix(&text[i * 8..]);
        }
    }
    text.len() - rest.len() + scalar_prefix(rest)
}

fn scalar_prefix(text: &[u8]) -> usize {
    let plain = |octet: &&u8| matches!(octet, 0x20..=0x7f) && !matches!(octet, b'"' | b'\\');
    text.iter().take_while(plain).count()
}

#[cold]
fn json_text_slow(out: &mut TextBuffer, mut text: &[u8]) {
    while let Some(&first) = text.first() {
        if first < 0x80 {
            let ascii = text.iter().position(|&octet| octet >= 0x80).unwrap_or(text.len());
            out.json_escaped(&text[..ascii]);
            text = &text[ascii..];
            continue;
        }
        let (len, valid) = sequence(text);
        out.bytes(if valid { &text[..len] } else { REPLACEMENT });
        text = &text[len..];
    }
}

/// Length of the sequence that starts `text`, and whether it is to be kept. What has the shape of
/// a sequence is judged as a whole, anything else octet by octet.
fn sequence(text: &[u8]) -> (usize, bool) {
    let len = match text[0] {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => return (1, false),
    };
    match text.get(..len) {
        Some(shaped) if shaped[1..].iter().all(|octet| octet & 0xc0 == 0x80) => {
            (len, std::str::from_utf8(shaped).is_ok())
        }
        _ => (1, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(stored: &[u8]) -> Vec<u8> {
        let mut out = TextBuffer::new();
        json_text(&mut out, stored);
        out.as_bytes().to_vec()
    }

    #[test]
    fn jo_8_what_is_not_utf8_is_replaced() {
        const R: &str = "\u{fffd}";
        for (stored, want) in [
            (&b"\x80"[..], R.to_owned()),
            (b"\xc2a", format!("{R}a")),
            (b"\xc0\xaf", R.to_owned()),
            (b"\xe0\x80\xaf", R.to_owned()),
            (b"\xf8\x88\x80\x80\x80", R.repeat(5)),
            (b"\xe2\x82", R.repeat(2)),
            (b"\xe2\x82a", format!("{R}{R}a")),
            (b"\xf0\x9f\x98", R.repeat(3)),
            (b"\xf0\x80\x80\xaf", R.to_owned()),
            (b"\xed\xa0\x80", R.to_owned()),
            (b"\xf4\x90\x80\x80", R.to_owned()),
            (b"\xf5\x80\x80\x80", R.to_owned()),
            ("é€😀".as_bytes(), "é€😀".to_owned()),
        ] {
            assert_eq!(String::from_utf8(text(stored)).unwrap(), want, "{stored:x?}");
        }
    }

    #[test]
    fn jo_7_text_ends_at_its_first_nul_for_good() {
        assert_eq!(text(b"ab\0cd\xffef"), b"ab");
        assert_eq!(text(b"a\xff\0cd\xffef"), "a\u{fffd}".as_bytes());
        assert_eq!(text(b"\0"), b"");
    }

    #[test]
    fn a_special_octet_is_found_at_every_place() {
        for special in 0..=255_u8 {
            for at in 0..20 {
                let mut stored = vec![b'x'; 20];
                stored[at] = special;
                let plain = matches!(special, 0x20..=0x7f) && !matches!(special, b'"' | b'\\');
                assert_eq!(plain_prefix(&stored), if plain { 20 } else { at });
            }
        }
    }
}
