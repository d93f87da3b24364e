//! A reader of JSON text that knows nothing of records: it finds where values are.
//!
//! As lenient as the reference's parser (`rendering-and-parsing` §9.1, `decisions` JI-11):
//! comments, single quotes, trailing commas, leading zeros, `NaN` and `Infinity`, words in any
//! letter case, raw control characters in strings, numbers such as `5.`, `-.5` and `5e+`.

use super::error::{LineError, LineErrorKind};

/// Values deeper inside others than this are refused.
pub(crate) const MAX_DEPTH: u32 = 31;

/// What kind of value a [`Token`] is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Kind {
    /// There is none.
    #[default]
    Absent,
    Null,
    True,
    False,
    Integer,
    /// A number with a point or exponent, `NaN` or an infinity.
    Float,
    /// A string without escapes; the range is inside the quotes.
    Text,
    /// A string with escapes.
    Escaped,
    Array,
    /// An array whose elements were not kept apart.
    LongArray,
    Object,
}

/// Where a value stands in the line.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Token {
    #[inline(always)]
    fn new(kind: Kind, start: usize, end: usize) -> Self {
        Self { kind, start: start as u32, end: end as u32 }
    }

    #[inline(always)]
    pub(crate) fn of<'t>(&self, line: &'t [u8]) -> &'t [u8] {
        line.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    #[inline(always)]
    pub(crate) fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Escaped)
    }
}

/// A cursor over a line. The line is shorter than 4 GiB and has no NUL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Scanner<'t> {
    pub(crate) fn new(text: &'t [u8], at: usize) -> Self {
        Self { text, at }
    }

    /// The next octet; NUL at the end.
    #[inline(always)]
    pub(crate) fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    /// The next octets, if there are so many.
    #[inline(always)]
    pub(super) fn next_octets<const N: usize>(&self) -> Option<&'t [u8; N]> {
        self.text.get(self.at..)?.first_chunk()
    }

    #[inline(always)]
    pub(super) fn step(&mut self, octets: usize) {
        self.at += octets;
    }

    #[inline(always)]
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    #[cold]
    pub(crate) fn error(&self, kind: LineErrorKind) -> LineError {
        let kind = match kind {
            LineErrorKind::Syntax if self.peek() == 0 => LineErrorKind::Incomplete,
            kind => kind,
        };
        LineError::new(kind, self.at)
    }

    /// Steps over blanks and comments.
    #[inline(always)]
    pub(crate) fn skip_blanks(&mut self) -> Result<(), LineError> {
        let next = self.peek();
        if next > b' ' && next != b'/' { Ok(()) } else { self.skip_blanks_slow() }
    }

    fn skip_blanks_slow(&mut self) -> Result<(), LineError> {
        loop {
            match self.peek() {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                b'/' => self.skip_comment()?,
                _ => return Ok(()),
            }
        }
    }

    #[cold]
    fn skip_comment(&mut self) -> Result<(), LineError> {
        let rest = &self.text[self.at + 1..];
        let len = match rest.first() {
            Some(b'*') => {
                // A star only ends the comment together with the very next octet, so `**/` does not.
                let mut at = 1;
                loop {
                    match rest.get(at..) {
                        Some([b'*', b'/', ..]) => break at + 2,
                        Some([b'*', next, ..]) if *next != 0 => at += 2,
                        Some([octet, ..]) if *octet != 0 => at += 1,
                        _ => {
                            self.at += 1 + at;
                            return Err(self.error(LineErrorKind::Incomplete));
                        }
                    }
                }
            }
            Some(b'/') => {
                rest.iter().position(|octet| matches!(octet, b'\n' | 0)).unwrap_or(rest.len())
            }
            _ => {
                self.at += 1;
                return Err(self.error(LineErrorKind::Syntax));
            }
        };
        self.at += 1 + len;
        Ok(())
    }

    /// Steps into an object or array: over its first octet and the blanks behind it.
    #[inline(always)]
    pub(crate) fn enter(&mut self) -> Result<(), LineError> {
        self.at += 1;
        self.skip_blanks()
    }

    /// Steps over a closing octet if it is the next.
    #[inline(always)]
    pub(crate) fn close(&mut self, octet: u8) -> bool {
        let closes = self.peek() == octet;
        self.at += usize::from(closes);
        closes
    }

    /// After a value: steps over a comma, or over the closing octet. True when the object or array
    /// ended, also behind a trailing comma.
    #[inline(always)]
    pub(crate) fn ended(&mut self, closing: u8) -> Result<bool, LineError> {
        if let Some(b",\"") = self.next_octets() {
            self.at += 1;
            return Ok(false);
        }
        self.ended_anyhow(closing)
    }

    fn ended_anyhow(&mut self, closing: u8) -> Result<bool, LineError> {
        self.skip_blanks()?;
        if self.close(closing) {
            return Ok(true);
        }
        if self.peek() != b',' {
            return Err(self.error(LineErrorKind::Syntax));
        }
        self.enter()?;
        Ok(self.close(closing))
    }

    /// Reads a key and steps to its value.
    #[inline(always)]
    pub(crate) fn key(&mut self) -> Result<Token, LineError> {
        let key = match self.peek() {
            quote @ (b'"' | b'\'') => self.string(quote)?,
            _ => return Err(self.error(LineErrorKind::Syntax)),
        };
        self.skip_blanks()?;
        if self.peek() != b':' {
            return Err(self.error(LineErrorKind::Syntax));
        }
        self.enter()?;
        Ok(key)
    }

    /// Where from `start` on the first `quote` or backslash stands, or the text ends.
    #[inline(always)]
    fn plain_end(&self, start: usize, quote: u8) -> usize {
        let rest = self.text.get(start..).unwrap_or_default();
        start + wdns::scan::find_either(rest, quote, b'\\').unwrap_or(rest.len())
    }

    /// Reads a string that starts here with `quote`.
    #[inline(always)]
    fn string(&mut self, quote: u8) -> Result<Token, LineError> {
        let start = self.at + 1;
        let end = self.plain_end(start, quote);
        self.at = end;
        if self.peek() == quote {
            self.at += 1;
            return Ok(Token::new(Kind::Text, start, end));
        }
        self.string_with_escapes(start, quote)
    }

    /// Reads on at the first octet that is not plain.
    fn string_with_escapes(&mut self, start: usize, quote: u8) -> Result<Token, LineError> {
        loop {
            match self.peek() {
                b'\\' => {
                    self.at += 1;
                    self.escape()?;
                }
                octet if octet == quote => {
                    self.at += 1;
                    return Ok(Token::new(Kind::Escaped, start, self.at - 1));
                }
                _ => return Err(self.error(LineErrorKind::Incomplete)),
            }
            self.at = self.plain_end(self.at, quote);
        }
    }

    fn escape(&mut self) -> Result<(), LineError> {
        match self.peek() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                for _ in 0..4 {
                    self.at += 1;
                    if !self.peek().is_ascii_hexdigit() {
                        return Err(self.error(LineErrorKind::Syntax));
                    }
                }
                self.at += 1;
            }
            _ => return Err(self.error(LineErrorKind::Syntax)),
        }
        Ok(())
    }

    /// Reads a value that lies inside `depth` others, strings above all.
    #[inline(always)]
    pub(super) fn value_inline(&mut self, depth: u32) -> Result<Token, LineError> {
        match self.peek() {
            quote @ b'"' => self.string(quote),
            _ => self.value(depth),
        }
    }

    /// Reads a value that lies inside `depth` others.
    pub(crate) fn value(&mut self, depth: u32) -> Result<Token, LineError> {
        match self.peek() {
            _ if depth > MAX_DEPTH => Err(self.error(LineErrorKind::TooDeep)),
            quote @ (b'"' | b'\'') => self.string(quote),
            b'0'..=b'9' | b'-' => self.number(),
            b'{' | b'[' => self.container(depth),
            _ => self.word(),
        }
    }

    #[inline(always)]
    fn number(&mut self) -> Result<Token, LineError> {
        let start = self.at;
        self.at += 1;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if matches!(self.peek(), b',' | b'}' | b']') && self.text[self.at - 1] != b'-' {
            return Ok(Token::new(Kind::Integer, start, self.at));
        }
        self.number_slow(start)
    }

    /// Reads on at the first octet that is no digit.
    fn number_slow(&mut self, start: usize) -> Result<Token, LineError> {
        if self.text[start] == b'-' && self.at == start + 1 && self.skip_word(b"infinity") {
            return self.end_of_number(Token::new(Kind::Float, start, self.at));
        }
        let mut digits = self.at - start - usize::from(self.text[start] == b'-');
        let mut kind = Kind::Integer;
        if self.peek() == b'.' {
            kind = Kind::Float;
            self.at += 1;
            while self.peek().is_ascii_digit() {
                self.at += 1;
                digits += 1;
            }
        }
        if digits == 0 {
            return Err(self.error(LineErrorKind::Syntax));
        }
        let mut end = self.at;
        if matches!(self.peek(), b'e' | b'E') {
            kind = Kind::Float;
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            // An exponent without digits counts as none.
            while self.peek().is_ascii_digit() {
                self.at += 1;
                end = self.at;
            }
        }
        self.end_of_number(Token::new(kind, start, end))
    }

    fn end_of_number(&self, token: Token) -> Result<Token, LineError> {
        match self.peek() {
            b',' | b'}' | b']' | b'/' | b' ' | b'\t' | b'\n' | b'\r' => Ok(token),
            _ => Err(self.error(LineErrorKind::Syntax)),
        }
    }

    fn word(&mut self) -> Result<Token, LineError> {
        let start = self.at;
        let kind = match self.peek().to_ascii_lowercase() {
            b't' if self.skip_word(b"true") => Kind::True,
            b'f' if self.skip_word(b"false") => Kind::False,
            b'n' if self.skip_word(b"null") => Kind::Null,
            b'n' if self.skip_word(b"nan") => Kind::Float,
            b'i' if self.skip_word(b"infinity") => Kind::Float,
            _ => return Err(self.error(LineErrorKind::Syntax)),
        };
        Ok(Token::new(kind, start, self.at))
    }

    /// Steps over `word` in any letter case, if it is next.
    fn skip_word(&mut self, word: &[u8]) -> bool {
        let next = self.text.get(self.at..self.at + word.len());
        let found = next.is_some_and(|next| next.eq_ignore_ascii_case(word));
        self.at += if found { word.len() } else { 0 };
        found
    }

    /// Steps over an object or array that lies inside `outer` others.
    fn container(&mut self, outer: u32) -> Result<Token, LineError> {
        let start = self.at;
        let kind = if self.peek() == b'{' { Kind::Object } else { Kind::Array };
        // One bit for each open value, the innermost lowest: set for objects.
        let mut objects = 0_u32;
        let mut depth = outer;
        loop {
            // Here stands the first octet of a value.
            let mut open = match self.peek() {
                octet @ (b'{' | b'[') => {
                    if depth > MAX_DEPTH {
                        return Err(self.error(LineErrorKind::TooDeep));
                    }
                    depth += 1;
                    objects = objects << 1 | u32::from(octet == b'{');
                    self.enter()?;
                    true
                }
                _ => {
                    self.value(depth)?;
                    false
                }
            };
            // Close what ends here.
            loop {
                let closing = if objects & 1 == 1 { b'}' } else { b']' };
                let ended = if open { self.close(closing) } else { self.ended(closing)? };
                if !ended {
                    break;
                }
                open = false;
                depth -= 1;
                objects >>= 1;
                if depth == outer {
                    return Ok(Token::new(kind, start, self.at));
                }
            }
            if objects & 1 == 1 {
                self.key()?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<(Kind, &[u8]), LineErrorKind> {
        let line = crate::text::scan::until_nul(text.as_bytes());
        let mut scanner = Scanner::new(line, 0);
        scanner.skip_blanks().map_err(|error| error.kind)?;
        let token = scanner.value(0).map_err(|error| error.kind)?;
        Ok((token.kind, token.of(line)))
    }

    fn accepted(text: &str) -> bool {
        // Numbers end only at what can follow them inside an object.
        value(&format!("{{\"z\":{text}}}")).is_ok()
    }

    #[test]
    fn ji_11_the_parser_is_as_lenient_as_the_reference() {
        for (text, want) in [
            ("1", true),
            ("007", true),
            ("-007", true),
            ("5.", true),
            ("-.5", true),
            ("5e", true),
            ("5e+", true),
            ("5E-3", true),
            ("5/**/", true),
            ("nan", true),
            ("NaN", true),
            ("Infinity", true),
            ("-infinity", true),
            ("NULL", true),
            ("tRuE", true),
            ("'a\"b'", true),
            ("\"a'b\"", true),
            ("\"a\x01\x7f\u{e9}\"", true),
            ("\"\\u00e9\\ud83d\\/\\b\\f\\n\\r\\t\"", true),
            ("[1,]", true),
            ("{\"a\":1,}", true),
            ("[]", true),
            ("[ /* x */ ]", true),
            ("{ }", true),
            ("/*/ */1", true),
            ("/** /*/1", true),
            ("\t1\r", true),
            ("", false),
            (".5", false),
            ("+5", false),
            ("5e+-3", false),
            ("5E5e5", false),
            ("5e5.5", false),
            ("5.5.5", false),
            ("-", false),
            ("--5", false),
            ("-e5", false),
            ("5-5", false),
            ("0x5", false),
            ("5I", false),
            ("5Infinity", false),
            ("-Inf", false),
            ("-NaN", false),
            ("truex", false),
            ("\"\\'\"", false),
            ("\"\\x\"", false),
            ("\"\\u00g0\"", false),
            ("\"\\u00", false),
            ("\"a\0b\"", false),
            ("\"a", false),
            ("'a\"", false),
            ("[,]", false),
            ("[1,,2]", false),
            ("[1 2]", false),
            ("[1}", false),
            ("{,}", false),
            ("{a:1}", false),
            ("{\"a\" 1}", false),
            ("{\"a\"}", false),
            ("{\"a\":1 \"b\":2}", false),
            ("5 /", false),
            ("5/* ", false),
            ("/***/5", false),
            ("5 // x", false),
            ("\x0b5", false),
        ] {
            assert_eq!(accepted(text), want, "{text:?}");
        }
    }

    #[test]
    fn ji_11_values_nest_up_to_the_reference_limit() {
        for (levels, inside, want) in [
            (31, "1", Ok(())),
            (32, "", Ok(())),
            (32, "1", Err(LineErrorKind::TooDeep)),
            (33, "", Err(LineErrorKind::TooDeep)),
            (100_000, "", Err(LineErrorKind::TooDeep)),
        ] {
            let (open, close) = ("[".repeat(levels), "]".repeat(levels));
            let got = value(&format!("{open}{inside}{close}")).map(|_| ());
            assert_eq!(got, want, "{levels} levels of arrays");
            let (open, close) = ("{\"a\":".repeat(levels - 1), "}".repeat(levels));
            let inside = if inside.is_empty() { "" } else { "\"a\":1" };
            let got = value(&format!("{open}{{{inside}{close}")).map(|_| ());
            assert_eq!(got, want, "{levels} levels of objects");
        }
    }

    #[test]
    fn tokens_cover_their_values() {
        for (text, kind, want) in [
            ("\"abc\" x", Kind::Text, "abc"),
            ("'a\\n'", Kind::Escaped, "a\\n"),
            ("-12,", Kind::Integer, "-12"),
            ("1.5e+]", Kind::Float, "1.5"),
            ("1e5}", Kind::Float, "1e5"),
            (" {\"a\":[1,{}]} {", Kind::Object, "{\"a\":[1,{}]}"),
            ("[[],[{}]]]", Kind::Array, "[[],[{}]]"),
            ("null", Kind::Null, "null"),
            ("false", Kind::False, "false"),
        ] {
            assert_eq!(value(text), Ok((kind, want.as_bytes())), "{text}");
        }
    }

    #[test]
    fn errors_know_their_place() {
        for (text, kind, column) in [
            ("[1,x]", LineErrorKind::Syntax, 4),
            ("[1,", LineErrorKind::Incomplete, 4),
            ("{\"a\":tru}", LineErrorKind::Syntax, 6),
            ("\"ab", LineErrorKind::Incomplete, 4),
            ("[\"\\q\"]", LineErrorKind::Syntax, 4),
        ] {
            let error = Scanner::new(text.as_bytes(), 0).value(0).unwrap_err();
            assert_eq!((error.kind, error.column), (kind, column), "{text}");
        }
    }
}
