use std::fmt;

/// Why a presentation record was refused.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RecordErrorKind {
    /// A line without a colon.
    NoColon,
    /// The type has no field of this name (`decisions` PI-2).
    UnknownField,
    /// The field is computed from others and cannot be given.
    Computed,
    /// The header names another message type (`decisions` PI-1).
    WrongType,
    /// Text that does not stand for a value of the field.
    Value,
    /// Octets of which only the number is shown (`decisions` PI-8).
    OctetsNotShown,
    /// A DNS message, whose octets cannot be made from its text.
    DnsMessage,
    /// A multi-line value that starts on the line of its name, or has no end.
    Multiline,
    /// The record is longer than a line may be.
    TooLong,
}

impl fmt::Display for RecordErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl RecordErrorKind {
    fn text(self) -> &'static str {
        match self {
            Self::NoColon => "expected NAME: VALUE",
            Self::UnknownField => "the message type has no such field",
            Self::Computed => "the field is computed and cannot be given",
            Self::WrongType => "the header names another message type",
            Self::Value => "the field does not accept this value",
            Self::OctetsNotShown => "presentation form does not hold the octets of this field",
            Self::DnsMessage => "a DNS message cannot be made from its text",
            Self::Multiline => "multi-line text starts on the next line and ends with a line \".\"",
            Self::TooLong => "the record is too long",
        }
    }
}

/// A refused record: why, and the line that says so.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct RecordError {
    /// Why.
    pub kind: RecordErrorKind,
    /// Line number, as given with the line.
    pub line: u64,
}

impl RecordError {
    #[cold]
    pub(super) fn new(kind: RecordErrorKind, line: u64) -> Self {
        Self { kind, line }
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.kind.text())
    }
}

impl std::error::Error for RecordError {}
