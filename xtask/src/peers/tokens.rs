//! JSON text in pieces, to compare two lines value by value.

/// A piece of JSON text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Token<'a> {
    /// What stands between quotes, with its escapes.
    Text(&'a [u8]),
    /// Number or word.
    Plain(&'a [u8]),
    /// Bracket, comma or colon.
    Mark(u8),
}

/// A value and the key it stands under; elements of an array have that of the array.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Member<'a> {
    pub(super) key: &'a [u8],
    pub(super) token: Token<'a>,
}

/// Takes a line apart. Anything that is not JSON gives tokens too, so that it can be reported.
fn tokens(line: &[u8]) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&octet) = line.get(at) {
        let start = at;
        at += 1;
        match octet {
            b'"' => {
                while line.get(at).is_some_and(|octet| *octet != b'"') {
                    at += if line[at] == b'\\' { 2 } else { 1 };
                }
                let end = at.min(line.len());
                tokens.push(Token::Text(&line[start + 1..end]));
                at = end + 1;
            }
            b'{' | b'}' | b'[' | b']' | b',' | b':' => tokens.push(Token::Mark(octet)),
            _ => {
                while line.get(at).is_some_and(|octet| !b"{}[],:\"".contains(octet)) {
                    at += 1;
                }
                tokens.push(Token::Plain(&line[start..at]));
            }
        }
    }
    tokens
}

/// The pieces of a line, each under its key.
pub(super) fn members(line: &[u8]) -> Vec<Member<'_>> {
    let tokens = tokens(line.trim_ascii_end());
    let mut key: &[u8] = b"";
    let mut members = Vec::new();
    for (place, &token) in tokens.iter().enumerate() {
        if let (Token::Text(text), Some(Token::Mark(b':'))) = (token, tokens.get(place + 1)) {
            key = text;
        }
        members.push(Member { key, token });
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_under_their_keys() {
        let found = members(br#"{"a":"x\"]","b":[1,-2.5],"c":nan}"#);
        let values: Vec<_> = found
            .iter()
            .filter(|member| {
                !matches!(member.token, Token::Mark(_) | Token::Text(b"a" | b"b" | b"c"))
            })
            .map(|member| (member.key, member.token))
            .collect();
        assert_eq!(
            values,
            [
                (&b"a"[..], Token::Text(br#"x\"]"#)),
                (b"b", Token::Plain(b"1")),
                (b"b", Token::Plain(b"-2.5")),
                (b"c", Token::Plain(b"nan")),
            ]
        );
    }

    #[test]
    fn text_that_is_cut_short_ends_somewhere() {
        for cut in 0..20 {
            let _ = members(&br#"{"a":"x\"]","b":[1]}"#[..cut]);
        }
    }
}
