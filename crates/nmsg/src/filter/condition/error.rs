use std::fmt;

/// Characters of the expression that are shown on each side of the place of an error.
const SHOWN: usize = 60;

/// Why an expression was refused, and where.
///
/// ```
/// use nmsg::filter::Where;
/// use nmsg::{Aliases, Registry, Timestamp};
///
/// let (registry, aliases) = (Registry::builtin(), Aliases::default());
/// let error = Where::compile("rrtype = A and rname = x.", &registry, &aliases, Timestamp::default()).unwrap_err();
/// assert_eq!(error.to_string(), "no field is called 'rname', perhaps 'qname' or 'rrname' (column 16)");
/// assert_eq!(error.excerpt(), "rrtype = A and rname = x.\n               ^");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WhereError(Box<Inner>);

#[derive(Clone, Debug, Eq, PartialEq)]
struct Inner {
    problem: Problem,
    /// Offset in octets until the expression is known, then also the column.
    at: usize,
    column: usize,
    /// The expression near the place, and the characters before the place in it.
    near: String,
    before: usize,
}

/// What is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Problem {
    /// More octets than this.
    TooLong(usize),
    /// Parentheses nested deeper than this.
    TooDeep(usize),
    /// More patterns than this.
    TooManyPatterns(usize),
    Character(char),
    Unterminated(char),
    Escape,
    /// What is expected, and behind what; nothing at the start.
    Expected(&'static str, String),
    /// What is expected, and what stands there instead.
    Unexpected(&'static str, String),
    /// What does not exist, its name, and names that do.
    Unknown(&'static str, String, Vec<String>),
    /// Subject, what it is, and the operator.
    Operator(String, &'static str, String),
    /// Subject, what it is, and the value.
    Value(String, &'static str, String),
    NoDomain(String),
    /// Network, to be used with `in`.
    Network(String),
    EmptyRange,
    NoRange(&'static str),
    Pattern(String),
}

impl WhereError {
    #[cold]
    #[inline(never)]
    pub(super) fn new(problem: Problem, at: usize) -> Self {
        Self(Box::new(Inner { problem, at, column: 0, near: String::new(), before: 0 }))
    }

    /// Offset of the place.
    pub(super) fn at(&self) -> usize {
        self.0.at
    }

    /// Notes column and surroundings of the place.
    #[cold]
    pub(super) fn within(mut self, expression: &str) -> Self {
        let before = expression.get(..self.0.at).unwrap_or(expression);
        let behind = &expression[before.len()..];
        self.0.column = before.chars().count() + 1;
        self.0.before = (self.0.column - 1).min(SHOWN);
        let before = before.chars().rev().take(SHOWN).collect::<Vec<_>>();
        let near = before.into_iter().rev().chain(behind.chars().take(SHOWN));
        self.0.near = near.map(|c| if c.is_control() { ' ' } else { c }).collect();
        self
    }

    /// Place of the error: characters from the start of the expression, the first is 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.0.column
    }

    /// The expression near the place, and below it a line with `^` under the place.
    #[must_use]
    pub fn excerpt(&self) -> String {
        format!("{}\n{:2$}^", self.0.near, "", self.0.before)
    }
}

impl fmt::Display for WhereError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.problem {
            Problem::TooLong(limit) => write!(f, "the expression has more than {limit} octets")?,
            Problem::TooDeep(limit) => write!(f, "nested deeper than {limit} levels")?,
            Problem::TooManyPatterns(limit) => write!(f, "more than {limit} patterns")?,
            Problem::Character(character) => {
                write!(f, "unexpected character '{character}'; values with it need quotes")?;
            }
            Problem::Unterminated(quote) => {
                write!(f, "the text that starts here has no closing {quote}")?;
            }
            Problem::Escape => {
                f.write_str("after '\\' must come one of \\ ' \" n r t or x and two hex digits")?;
            }
            Problem::Expected(what, behind) if behind.is_empty() => write!(f, "expected {what}")?,
            Problem::Expected(what, behind) => write!(f, "expected {what} after '{behind}'")?,
            Problem::Unexpected(what, found) => write!(f, "expected {what} before '{found}'")?,
            Problem::Unknown(what, name, near) => {
                write!(f, "no {what} is called '{name}'")?;
                for (i, name) in near.iter().enumerate() {
                    let joint = if i == 0 { ", perhaps" } else { " or" };
                    write!(f, "{joint} '{name}'")?;
                }
            }
            Problem::Operator(subject, kind, operator) => {
                write!(f, "'{subject}' is {kind}, which '{operator}' does not compare")?;
            }
            Problem::Value(subject, kind, value) => {
                write!(f, "'{subject}' is {kind}, which '{value}' is not")?;
            }
            Problem::NoDomain(text) => write!(f, "'{text}' is no domain name")?,
            Problem::Network(network) => {
                write!(f, "'{network}' is a network, use 'in' to look for addresses of it")?;
            }
            Problem::EmptyRange => f.write_str("the range is empty")?,
            Problem::NoRange(kind) => write!(f, "a range does not go with {kind}")?,
            Problem::Pattern(reason) => write!(f, "the pattern is refused: {reason}")?,
        }
        write!(f, " (column {})", self.0.column)
    }
}

impl std::error::Error for WhereError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_excerpt_points_at_the_place() {
        for (name, expression, at, want) in [
            ("start", "x = 1", 0, "x = 1\n^"),
            ("end", "x =", 3, "x =\n   ^"),
            ("characters, not octets", "é = ü", 5, "é = ü\n    ^"),
            ("line breaks", "x\n= 1", 2, "x = 1\n  ^"),
        ] {
            let error = WhereError::new(Problem::EmptyRange, at).within(expression);
            assert_eq!(error.excerpt(), want, "{name}");
        }
        let long = "x".repeat(1000);
        let error = WhereError::new(Problem::EmptyRange, 500).within(&long);
        assert_eq!(error.column(), 501);
        assert_eq!(error.excerpt(), format!("{}\n{}^", "x".repeat(120), " ".repeat(60)));
    }
}
