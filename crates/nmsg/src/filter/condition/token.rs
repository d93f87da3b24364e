use super::error::{Problem, WhereError};

/// A piece of an expression. Offsets are in octets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Token<'e> {
    pub(super) kind: Kind,
    /// As written; of quoted text, what is between the quotes.
    pub(super) text: &'e str,
    /// Where it starts, quote included.
    pub(super) start: usize,
    /// Where it ends, quote included.
    pub(super) end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// A name or a value without quotes.
    Word,
    /// A value in quotes.
    Quoted,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Match,
    NotMatch,
    And,
    Or,
    Not,
    Open,
    Close,
    Comma,
    Range,
    End,
}

impl Token<'_> {
    /// True for this word without quotes, whatever the letter case.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }
}

const OPERATORS: &[(&str, Kind)] = &[
    ("==", Kind::Equal),
    ("!=", Kind::NotEqual),
    ("!~", Kind::NotMatch),
    ("<=", Kind::LessEqual),
    (">=", Kind::GreaterEqual),
    ("&&", Kind::And),
    ("||", Kind::Or),
    ("..", Kind::Range),
    ("=", Kind::Equal),
    ("<", Kind::Less),
    (">", Kind::Greater),
    ("~", Kind::Match),
    ("!", Kind::Not),
    ("(", Kind::Open),
    (")", Kind::Close),
    (",", Kind::Comma),
];

/// Octets of names, numbers, addresses, domains and times.
fn is_word(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"_.:/*@+-".contains(&octet)
}

/// Splits an expression into tokens.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'e> {
    expression: &'e str,
    at: usize,
}

impl<'e> Tokens<'e> {
    pub(super) fn new(expression: &'e str) -> Self {
        Self { expression, at: 0 }
    }

    /// The next token; [`Kind::End`] for ever at the end.
    pub(super) fn next(&mut self) -> Result<Token<'e>, WhereError> {
        let octets = self.expression.as_bytes();
        while octets.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        let start = self.at;
        let rest = &self.expression[start..];
        let Some(&first) = octets.get(start) else {
            return Ok(Token { kind: Kind::End, text: "", start, end: start });
        };
        if matches!(first, b'\'' | b'"') {
            return self.quoted(first);
        }
        let operator = OPERATORS.iter().find(|(text, _)| rest.starts_with(text));
        let (kind, len) = match operator {
            Some((text, kind)) => (*kind, text.len()),
            None => {
                let end = rest.bytes().position(|octet| !is_word(octet)).unwrap_or(rest.len());
                (Kind::Word, rest[..end].find("..").unwrap_or(end))
            }
        };
        if len == 0 {
            let character = rest.chars().next().unwrap_or_default();
            return Err(WhereError::new(Problem::Character(character), start));
        }
        self.at += len;
        Ok(Token { kind, text: &rest[..len], start, end: self.at })
    }

    fn quoted(&mut self, quote: u8) -> Result<Token<'e>, WhereError> {
        let start = self.at;
        let mut at = start + 1;
        let octets = self.expression.as_bytes();
        loop {
            match octets.get(at) {
                Some(b'\\') => at += 2,
                Some(&octet) if octet == quote => break,
                Some(_) => at += 1,
                None => return Err(WhereError::new(Problem::Unterminated(quote.into()), start)),
            }
        }
        self.at = at + 1;
        let text = &self.expression[start + 1..at];
        Ok(Token { kind: Kind::Quoted, text, start, end: self.at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(expression: &str) -> Vec<(Kind, &str)> {
        let mut tokens = Tokens::new(expression);
        let mut found = Vec::new();
        loop {
            let token = tokens.next().unwrap();
            if token.kind == Kind::End {
                return found;
            }
            found.push((token.kind, token.text));
        }
    }

    #[test]
    fn expressions_fall_into_tokens() {
        use Kind::{And, Close, Comma, Equal, GreaterEqual, Match, Not, Open, Quoted, Range, Word};
        for (expression, want) in [
            ("", vec![]),
            (" \t\n", vec![]),
            ("a=b", vec![(Word, "a"), (Equal, "="), (Word, "b")]),
            ("a==-5", vec![(Word, "a"), (Equal, "=="), (Word, "-5")]),
            (
                "!(x)&&y",
                vec![(Not, "!"), (Open, "("), (Word, "x"), (Close, ")"), (And, "&&"), (Word, "y")],
            ),
            (
                "ip in 10.0.0.0/8,::1",
                vec![(Word, "ip"), (Word, "in"), (Word, "10.0.0.0/8"), (Comma, ","), (Word, "::1")],
            ),
            (
                "t>=now-1h..2024-01-02T03:04:05.5Z",
                vec![
                    (Word, "t"),
                    (GreaterEqual, ">="),
                    (Word, "now-1h"),
                    (Range, ".."),
                    (Word, "2024-01-02T03:04:05.5Z"),
                ],
            ),
            (
                "n ~ 'a\\'b' \"\\\\\"",
                vec![(Word, "n"), (Match, "~"), (Quoted, "a\\'b"), (Quoted, "\\\\")],
            ),
            ("example.com. .", vec![(Word, "example.com."), (Word, ".")]),
            ("'é'", vec![(Quoted, "é")]),
        ] {
            assert_eq!(tokens(expression), want, "{expression}");
        }
    }

    #[test]
    fn what_is_no_token_is_an_error_with_its_place() {
        for (expression, want) in [
            ("a = é", "unexpected character 'é'; values with it need quotes (column 5)"),
            ("a & b", "unexpected character '&'; values with it need quotes (column 3)"),
            ("a = 'b", "the text that starts here has no closing ' (column 5)"),
            ("a = 'b\\'", "the text that starts here has no closing ' (column 5)"),
            ("a = \"b\\", "the text that starts here has no closing \" (column 5)"),
        ] {
            let mut tokens = Tokens::new(expression);
            let error = loop {
                match tokens.next() {
                    Ok(token) => assert_ne!(token.kind, Kind::End, "{expression}"),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.within(expression).to_string(), want, "{expression}");
        }
    }
}
