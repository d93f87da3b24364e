use std::fmt;

/// Why a line of JSON is no record.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum LineErrorKind {
    /// An octet that cannot stand where it stands.
    Syntax,
    /// The line ends inside its value.
    Incomplete,
    /// More than 32 values inside each other.
    TooDeep,
    /// The line has 4 GiB or more.
    TooLong,
    /// The value is no object.
    NotAnObject,
    /// `vname` or `mname` is missing or no string, and there is no fallback payload.
    NoType,
    /// No such message type is registered.
    UnknownType,
    /// There is no `message`.
    NoMessage,
    /// `time` is no time.
    Time,
    /// `source` is no hexadecimal number.
    Source,
    /// `operator` is neither a name nor a number.
    Operator,
    /// `group` is neither a name nor a number.
    Group,
    /// `vid`, `msgtype` or `payload` of a fallback record.
    Fallback,
    /// A field value of the wrong kind, or out of range, or text that does not stand for one.
    Value,
    /// `rdata` without `rrtype` and `rrclass` (`decisions` JI-15).
    NoRrType,
}

impl LineErrorKind {
    fn text(self) -> &'static str {
        match self {
            Self::Syntax => "not valid JSON",
            Self::Incomplete => "the line ends inside a JSON value",
            Self::TooDeep => "values are nested too deeply",
            Self::TooLong => "the line is too long",
            Self::NotAnObject => "not a JSON object",
            Self::NoType => "vname or mname is missing",
            Self::UnknownType => "unknown message type",
            Self::NoMessage => "message is missing",
            Self::Time => "time is not a time",
            Self::Source => "source is not a hexadecimal number",
            Self::Operator => "operator is neither a name nor a number",
            Self::Group => "group is neither a name nor a number",
            Self::Fallback => "vid, msgtype or payload is wrong",
            Self::Value => "a field does not accept this value",
            Self::NoRrType => "rdata needs rrtype and rrclass",
        }
    }
}

/// An unusable line: what is wrong and where.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct LineError {
    /// What is wrong.
    pub kind: LineErrorKind,
    /// Place in the line, in octets from 1.
    pub column: u32,
}

impl LineError {
    #[cold]
    pub(super) fn new(kind: LineErrorKind, at: usize) -> Self {
        Self { kind, column: u32::try_from(at).map_or(u32::MAX, |at| at.saturating_add(1)) }
    }
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.kind.text())
    }
}

impl std::error::Error for LineError {}
