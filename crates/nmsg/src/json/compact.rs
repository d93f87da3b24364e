//! Strict JSON (RFC 8259) inside records: telling it apart, and writing it on one line
//! (`decisions` JO-10).

use wdns::TextBuffer;

use super::parse::MAX_DEPTH;

/// Levels that a record puts around such text: record, message, field.
const LEVELS_AROUND: u32 = 3;

/// Appends a JSON text as it is, or without blanks when it has line breaks. False, and nothing is
/// appended, when it is not one complete value in the strict grammar and in UTF-8, or is nested
/// more deeply than a reader of the record would accept.
pub(crate) fn write(out: &mut TextBuffer, text: &[u8]) -> bool {
    if std::str::from_utf8(text).is_err() || Strict::new(text).document().is_none() {
        return false;
    }
    // Inside strings there are none: those would have to be escaped.
    if text.iter().any(|octet| matches!(octet, b'\n' | b'\r')) {
        write_without_blanks(out, text);
    } else {
        out.bytes(text);
    }
    true
}

fn write_without_blanks(out: &mut TextBuffer, mut text: &[u8]) {
    while let Some(&first) = text.first() {
        let len = match first {
            b' ' | b'\t' | b'\n' | b'\r' => {
                text = &text[1..];
                continue;
            }
            b'"' => string_len(text),
            _ => text
                .iter()
                .position(|octet| octet.is_ascii_whitespace() || *octet == b'"')
                .unwrap_or(text.len()),
        };
        out.bytes(&text[..len]);
        text = &text[len..];
    }
}

/// Length of the valid string at the start of `text`, quotes included.
fn string_len(text: &[u8]) -> usize {
    let mut at = 1;
    loop {
        match text.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') => return at + 1,
            Some(_) => at += 1,
            None => return text.len(),
        }
    }
}

/// A cursor that accepts the strict grammar only.
struct Strict<'t> {
    rest: &'t [u8],
}

impl<'t> Strict<'t> {
    fn new(text: &'t [u8]) -> Self {
        Self { rest: text }
    }

    fn document(mut self) -> Option<()> {
        // One bit for each open value, the innermost lowest: set for objects.
        let (mut objects, mut depth) = (0_u64, 0);
        loop {
            self.blanks();
            let mut open = match self.rest {
                [octet @ (b'{' | b'['), rest @ ..] => {
                    self.rest = rest;
                    depth += 1;
                    objects = objects << 1 | u64::from(*octet == b'{');
                    self.blanks();
                    true
                }
                _ => {
                    self.scalar()?;
                    false
                }
            };
            if depth > MAX_DEPTH - LEVELS_AROUND + 1 {
                return None;
            }
            // Values lie one level deeper than what they are in.
            if !open && depth > MAX_DEPTH - LEVELS_AROUND {
                return None;
            }
            loop {
                if depth == 0 {
                    self.blanks();
                    return self.rest.is_empty().then_some(());
                }
                let closing = if objects & 1 == 1 { b'}' } else { b']' };
                if !open {
                    self.blanks();
                }
                if self.take(closing) {
                    open = false;
                    depth -= 1;
                    objects >>= 1;
                    continue;
                }
                if !open {
                    self.take(b',').then_some(())?;
                    self.blanks();
                }
                break;
            }
            if objects & 1 == 1 {
                self.string()?;
                self.blanks();
                self.take(b':').then_some(())?;
            }
        }
    }

    fn take(&mut self, octet: u8) -> bool {
        let found = self.rest.first() == Some(&octet);
        self.rest = &self.rest[usize::from(found)..];
        found
    }

    fn blanks(&mut self) {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn scalar(&mut self) -> Option<()> {
        for word in [&b"true"[..], b"false", b"null"] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Some(());
            }
        }
        if self.rest.first() == Some(&b'"') { self.string() } else { self.number() }
    }

    fn string(&mut self) -> Option<()> {
        self.take(b'"').then_some(())?;
        loop {
            let (octet, rest) = self.rest.split_first()?;
            self.rest = match (octet, rest) {
                (b'"', rest) => {
                    self.rest = rest;
                    return Some(());
                }
                (b'\\', [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', rest @ ..]) => {
                    rest
                }
                (b'\\', [b'u', a, b, c, d, rest @ ..])
                    if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) =>
                {
                    rest
                }
                (b'\\' | 0..0x20, _) => return None,
                (_, rest) => rest,
            };
        }
    }

    fn number(&mut self) -> Option<()> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let len = self.rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
        self.rest = &self.rest[len..];
        (len > 0).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &[u8]) -> Option<String> {
        let mut out = TextBuffer::new();
        let valid = write(&mut out, text);
        assert!(valid || out.is_empty());
        valid.then(|| out.to_string_lossy())
    }

    #[test]
    fn jo_10_only_strict_json_is_shown() {
        for text in [
            "{\"a\":1}",
            "[1]",
            "\"x\"",
            "12 ",
            " 5",
            "5",
            "0",
            "-0.5e+10",
            "true",
            "null",
            "{}",
            "[ ]",
            "{ \"a\" : [ { } , \"\\u00e9\\n\" ] }",
            "\"é\u{7f}\"",
        ] {
            assert_eq!(written(text.as_bytes()).as_deref(), Some(text), "as it is");
        }
        for text in [
            &b""[..],
            b" ",
            b"5 x",
            b"{\"a\":1",
            b"[1,]",
            b"{\"a\":1,}",
            b"{,}",
            b"['a']",
            b"{a:1}",
            b"/**/1",
            b"NaN",
            b"Infinity",
            b"True",
            b"nul",
            b"01",
            b"1.",
            b".5",
            b"+1",
            b"1e",
            b"-",
            b"1 2",
            b"[1 2]",
            b"{\"a\" 1}",
            b"{1:2}",
            b"[}",
            b"]",
            b"\"a",
            b"\"\\x\"",
            b"\"\\u00g0\"",
            b"\"a\nb\"",
            b"\"a\0\"",
            b"{\"a\":1}\0",
            b"\"\xff\"",
            b"\xef\xbb\xbf1",
        ] {
            assert_eq!(written(text), None, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn jo_10_several_lines_become_one() {
        for (text, want) in [
            (
                "{\n  \"a b\" : [1, 2],\r\n\t\"c\\\" \" : null\n}\n",
                "{\"a b\":[1,2],\"c\\\" \":null}",
            ),
            ("\n5", "5"),
            ("[true,\nfalse]", "[true,false]"),
        ] {
            assert_eq!(written(text.as_bytes()).as_deref(), Some(want));
        }
    }

    #[test]
    fn jo_10_what_no_reader_of_the_record_would_accept_is_left_out() {
        for (levels, inside, want) in [
            (28, "1", true),
            (29, "", true),
            (29, "1", false),
            (30, "", false),
            (1_000_000, "", false),
        ] {
            let text = format!("{}{inside}{}", "[".repeat(levels), "]".repeat(levels));
            assert_eq!(written(text.as_bytes()).is_some(), want, "{levels} {inside}");
            let line = format!(
                "{{\"vname\":\"base\",\"mname\":\"encode\",\"message\":{{\"payload\":{{\"val\":{text},\"b64\":\"\"}}}}}}"
            );
            let (registry, aliases) = (crate::Registry::builtin(), crate::Aliases::default());
            let read = crate::JsonReader::new(&registry, &aliases).read_line(
                line.as_bytes(),
                crate::Timestamp::default(),
                &mut Vec::new(),
            );
            assert_eq!(read.is_ok(), want, "{levels} {inside}");
        }
    }
}
