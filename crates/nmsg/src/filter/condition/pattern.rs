//! Regular expressions over octets, in linear time.

use std::collections::HashMap;

use regex_automata::meta::{BuildError, Cache, Config, Regex};
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind};

use super::error::{Problem, WhereError};
use super::token::Token;

/// Most patterns of one expression, so that their memory is bounded.
const MAX_PATTERNS: usize = 64;

/// Largest compiled form of a pattern, in octets.
const MAX_COMPILED: usize = 1 << 19;

/// Memory in which a matcher keeps what it learns of a pattern, in octets.
const CACHE_OCTETS: usize = 1 << 18;

/// Place of a pattern in [`Patterns`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct PatternId(u32);

/// The patterns of an expression. Every pattern is compiled once, however many message types it
/// is used for.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    patterns: Vec<Regex>,
    /// By offset of the literal, and whether letter case is ignored.
    known: HashMap<(usize, bool), Result<PatternId, WhereError>>,
}

impl Patterns {
    /// The pattern of the value `token`, as written.
    pub(super) fn expression(&mut self, token: Token<'_>) -> Result<PatternId, WhereError> {
        self.compile(token, token.text.to_owned(), false)
    }

    /// The pattern that finds `text`, which is what `token` stands for.
    pub(super) fn text(
        &mut self,
        token: Token<'_>,
        text: &[u8],
        ignore_case: bool,
    ) -> Result<PatternId, WhereError> {
        let octets = text.iter().map(|octet| format!("\\x{octet:02x}"));
        self.compile(token, octets.collect(), ignore_case)
    }

    fn compile(
        &mut self,
        token: Token<'_>,
        pattern: String,
        ignore_case: bool,
    ) -> Result<PatternId, WhereError> {
        let key = (token.start, ignore_case);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let id = PatternId(self.patterns.len() as u32);
        let compiled = if self.patterns.len() == MAX_PATTERNS {
            Err(WhereError::new(Problem::TooManyPatterns(MAX_PATTERNS), token.start))
        } else {
            match build(&pattern, ignore_case) {
                Ok(regex) => {
                    self.patterns.push(regex);
                    Ok(id)
                }
                Err(reason) => Err(WhereError::new(Problem::Pattern(reason), token.start)),
            }
        };
        self.known.insert(key, compiled.clone());
        compiled
    }

    /// What a matcher needs to look for the patterns.
    pub(super) fn caches(&self) -> Vec<Cache> {
        self.patterns.iter().map(Regex::create_cache).collect()
    }

    /// Tells whether a pattern occurs in `text`. `caches` come from [`Patterns::caches`].
    #[inline]
    pub(super) fn is_match(&self, id: PatternId, caches: &mut [Cache], text: &[u8]) -> bool {
        let at = id.0 as usize;
        match (self.patterns.get(at), caches.get_mut(at)) {
            (Some(regex), Some(cache)) => {
                let input = Input::new(text).earliest(true);
                regex.search_half_with(cache, &input).is_some()
            }
            _ => false,
        }
    }
}

/// Compiles a pattern, or tells why not.
fn build(pattern: &str, ignore_case: bool) -> Result<Regex, String> {
    let config = Config::new()
        .match_kind(MatchKind::LeftmostFirst)
        .utf8_empty(false)
        .nfa_size_limit(Some(MAX_COMPILED))
        .hybrid_cache_capacity(CACHE_OCTETS)
        // Looks for literals, which takes the square of how many alternatives there are, and finds no
        // use for them without the features that search for literals.
        .auto_prefilter(false);
    let syntax = syntax::Config::new()
        .unicode(false)
        .utf8(false)
        .nest_limit(100)
        .case_insensitive(ignore_case);
    let built = Regex::builder().configure(config).syntax(syntax).build(pattern);
    built.map_err(|error| reason(&error))
}

/// The last line of the text of an error, which says what is wrong.
fn reason(error: &BuildError) -> String {
    if let Some(limit) = error.size_limit() {
        return format!("its compiled form has more than {limit} octets");
    }
    let text = match error.syntax_error() {
        Some(error) => error.to_string(),
        None => error.to_string(),
    };
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::condition::token::Kind;

    fn token(text: &str, start: usize) -> Token<'_> {
        Token { kind: Kind::Quoted, text, start, end: start + text.len() + 2 }
    }

    #[test]
    fn patterns_are_found_in_octets() {
        for (pattern, text, want) in [
            (r"^www\d\.", &b"www1.example.com."[..], true),
            (r"^www\d\.", b"xwww1.example.com.", false),
            (r"\.com\.$", b"www.example.com.", true),
            ("(?i)EXAMPLE", b"www.example.com.", true),
            ("EXAMPLE", b"www.example.com.", false),
            (r"\xff.\x00", b"a\xff\x80\x00", true),
            ("", b"", true),
            (".", b"\n", false),
            ("a{3}", b"aa", false),
        ] {
            let mut patterns = Patterns::default();
            let id = patterns.expression(token(pattern, 0)).unwrap();
            let mut caches = patterns.caches();
            assert_eq!(patterns.is_match(id, &mut caches, text), want, "{pattern}");
        }
    }

    #[test]
    fn text_is_found_as_it_is() {
        for (text, ignore_case, want) in
            [(".c*", false, true), (".C*", false, false), (".C*", true, true), ("", false, true)]
        {
            let mut patterns = Patterns::default();
            let id = patterns.text(token(text, 0), text.as_bytes(), ignore_case).unwrap();
            assert_eq!(patterns.text(token(text, 0), text.as_bytes(), ignore_case), Ok(id));
            let mut caches = patterns.caches();
            assert_eq!(caches.len(), 1);
            assert_eq!(patterns.is_match(id, &mut caches, b"a.c*d"), want, "{text}");
            assert!(!patterns.is_match(PatternId(1), &mut caches, b"a.c*d"));
        }
    }

    #[test]
    fn refused_patterns_say_why_in_one_line() {
        for (pattern, want) in [
            ("a(b", "the pattern is refused: unclosed group (column 3)"),
            (
                "[z-a]",
                "the pattern is refused: invalid character class range, the start must be <= the end (column 3)",
            ),
            (r"\pL", "the pattern is refused: Unicode not allowed here (column 3)"),
            (
                r"(\w{100}){1000}",
                "the pattern is refused: its compiled form has more than 524288 octets (column 3)",
            ),
        ] {
            let expression = format!("~ '{pattern}'");
            let error = Patterns::default().expression(token(pattern, 2)).unwrap_err();
            assert_eq!(error.within(&expression).to_string(), want);
        }
    }

    #[test]
    fn the_number_of_patterns_is_limited() {
        let mut patterns = Patterns::default();
        for i in 0..MAX_PATTERNS {
            patterns.expression(token("a", i)).unwrap();
        }
        assert!(patterns.expression(token("a", 0)).is_ok());
        let error = patterns.expression(token("a", 99)).unwrap_err();
        assert_eq!(error.within("").to_string(), "more than 64 patterns (column 1)");
    }
}
