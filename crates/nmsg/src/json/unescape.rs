//! What a JSON string with escapes stands for.

/// Appends the text of a string that [`super::parse::Scanner`] accepted, up to its first NUL
/// (`decisions` JI-19). A lone surrogate becomes U+FFFD.
pub(crate) fn unescape(mut text: &[u8], out: &mut Vec<u8>) {
    while let Some(plain) = text.iter().position(|&octet| octet == b'\\') {
        out.extend_from_slice(&text[..plain]);
        let (octet, rest) = match &text[plain + 1..] {
            [b'b', rest @ ..] => (8, rest),
            [b'f', rest @ ..] => (12, rest),
            [b'n', rest @ ..] => (10, rest),
            [b'r', rest @ ..] => (13, rest),
            [b't', rest @ ..] => (9, rest),
            [b'u', rest @ ..] => {
                let (code, rest) = code_point(rest);
                if code == '\0' {
                    return;
                }
                out.extend_from_slice(code.encode_utf8(&mut [0; 4]).as_bytes());
                text = rest;
                continue;
            }
            [octet, rest @ ..] => (*octet, rest),
            [] => return,
        };
        out.push(octet);
        text = rest;
    }
    out.extend_from_slice(text);
}

/// The character of four hex digits, or of a surrogate pair, and what follows.
fn code_point(text: &[u8]) -> (char, &[u8]) {
    let (first, rest) = code_unit(text);
    if let (0xd800..0xdc00, [b'\\', b'u', second @ ..]) = (first, rest) {
        let (second, rest) = code_unit(second);
        if let 0xdc00..0xe000 = second {
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), rest);
        }
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), rest)
}

fn code_unit(text: &[u8]) -> (u32, &[u8]) {
    let (digits, rest) = text.split_at(text.len().min(4));
    let digit = |octet: &u8| char::from(*octet).to_digit(16).unwrap_or(0);
    (digits.iter().fold(0, |unit, octet| unit << 4 | digit(octet)), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_what_the_reference_reads() {
        for (text, want) in [
            (r"plain", "plain"),
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\x08\x0c\n\r\t"),
            (r"a\u00e9b\u20acc", "aéb€c"),
            (r"\u00FF", "ÿ"),
            (r"\ud83d\ude00", "😀"),
            (r"\ud83d", "\u{fffd}"),
            (r"\ud83dx", "\u{fffd}x"),
            (r"\ud83d\n", "\u{fffd}\n"),
            (r"\ud83d\ud83d\ude00", "\u{fffd}😀"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\ude00z", "\u{fffd}z"),
        ] {
            let mut out = Vec::new();
            unescape(text.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), want, "{text}");
        }
    }

    #[test]
    fn ji_19_text_ends_at_the_first_nul() {
        let mut out = Vec::new();
        unescape(br"a\tb\u0000c\td", &mut out);
        assert_eq!(out, b"a\tb");
    }
}
