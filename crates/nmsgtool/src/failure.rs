//! Exit statuses and the one-line failures that lead to them.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

/// How a run ended, as other programs see it. Part of the interface.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ExitStatus {
    /// End of input, a limit reached, help or version.
    #[default]
    Success,
    /// Interrupt or termination signal, followed by an orderly shutdown.
    Stopped,
    /// Bad option, value or combination, or set-up refused; nothing was processed.
    Usage,
    /// An input could not be opened or read, or was damaged.
    Input,
    /// An output could not be opened, written, flushed or renamed.
    Output,
    /// Everything was read and written here, but something was not delivered.
    Partial,
    /// A bug in this program.
    Internal,
    /// Ended by another signal, given by its number.
    Signal(u8),
}

impl ExitStatus {
    /// The statuses a user may meet, each with its meaning for the manual.
    pub const TABLE: [(Self, &'static str); 7] = [
        (
            Self::Success,
            "End of input, or a limit was reached; also help and version. Messages that could \
             not be rendered and JSON lines that could not be used were reported, not failures.",
        ),
        (Self::Stopped, "Interrupted or terminated by a signal; everything read was written."),
        (
            Self::Usage,
            "Bad option, value or combination, or something could not be set up. Nothing was \
             processed.",
        ),
        (
            Self::Input,
            "An input could not be opened or read, or was damaged. Everything intact was \
             delivered.",
        ),
        (Self::Output, "An output could not be opened, written or closed."),
        (
            Self::Partial,
            "All input was read and all files were written, but something known was not \
             delivered to a receiver.",
        ),
        (Self::Internal, "A bug in the program; please report it."),
    ];

    /// Returns the number the process exits with; 128 plus the number for a signal.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Stopped => 1,
            Self::Usage => 2,
            Self::Input => 3,
            Self::Output => 4,
            Self::Partial => 5,
            Self::Internal => 70,
            Self::Signal(number) => 128_u8.saturating_add(number),
        }
    }

    /// Returns the status that another process of this program has exited with.
    pub const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Success,
            1 => Self::Stopped,
            2 => Self::Usage,
            3 => Self::Input,
            4 => Self::Output,
            5 => Self::Partial,
            signal @ 129.. => Self::Signal(signal - 128),
            _ => Self::Internal,
        }
    }

    /// Returns the status of a run in which both apply.
    ///
    /// A usage error decides at once; a bug or a foreign signal hides what the
    /// run had to say; then come output, input, stop and partial delivery.
    pub const fn combine(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Partial => 1,
            Self::Stopped => 2,
            Self::Input => 3,
            Self::Output => 4,
            Self::Signal(_) => 5,
            Self::Internal => 6,
            Self::Usage => 7,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// What went wrong, which decides the exit status and the opening words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FailureKind {
    /// The command line does not follow the grammar.
    Grammar,
    /// The command line is well formed but does not make sense.
    Usage,
    /// A module, user, privilege or pid file was refused before the start.
    SetUp,
    /// An input failed or was damaged.
    Input,
    /// An output failed.
    Output,
    /// Something was not delivered.
    Partial,
    /// A bug in this program.
    Internal,
}

impl FailureKind {
    /// Returns the exit status this kind of failure leads to.
    pub const fn exit_status(self) -> ExitStatus {
        match self {
            Self::Grammar | Self::Usage | Self::SetUp => ExitStatus::Usage,
            Self::Input => ExitStatus::Input,
            Self::Output => ExitStatus::Output,
            Self::Partial => ExitStatus::Partial,
            Self::Internal => ExitStatus::Internal,
        }
    }

    const fn opening(self) -> &'static str {
        match self {
            Self::Grammar => "usage problem, ",
            Self::Usage => "usage error: ",
            Self::Internal => "internal error, please report it: ",
            Self::SetUp | Self::Input | Self::Output | Self::Partial => "",
        }
    }
}

/// A failure as the user reads it: one line, and perhaps what to do next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    kind: FailureKind,
    message: String,
    above: Option<String>,
    below: Vec<String>,
    hint: Option<String>,
}

impl Failure {
    /// Creates a failure; `message` is one line without the program's name.
    #[cold]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), above: None, below: Vec::new(), hint: None }
    }

    /// Creates the failure of a well-formed command line that makes no sense.
    #[cold]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Usage, message)
    }

    /// Adds what the user may do about it, as one line.
    #[must_use]
    #[cold]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a line that stands above the message, without the program's name: what the C library says
    /// about it.
    #[must_use]
    #[cold]
    pub fn with_line_above(mut self, line: Option<String>) -> Self {
        self.above = line;
        self
    }

    /// Adds lines that stand below the message and show what it speaks of.
    #[must_use]
    #[cold]
    pub fn with_lines_below(mut self, lines: Vec<String>) -> Self {
        self.below = lines;
        self
    }

    /// Returns what went wrong.
    pub const fn kind(&self) -> FailureKind {
        self.kind
    }

    /// Returns the exit status the failure leads to.
    pub const fn exit_status(&self) -> ExitStatus {
        self.kind.exit_status()
    }

    /// Returns what the user may do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Returns the lines above and below the message.
    pub fn details(&self) -> Vec<String> {
        self.above.iter().chain(&self.below).cloned().collect()
    }

    /// Writes `PROGRAM: message` and, where there are any, the lines above and below and a hint line.
    ///
    /// # Errors
    ///
    /// Those of `to`.
    pub fn report(&self, program: &str, to: &mut dyn Write) -> io::Result<()> {
        if let Some(line) = &self.above {
            writeln!(to, "{line}")?;
        }
        writeln!(to, "{program}: {self}")?;
        for line in &self.below {
            writeln!(to, "{line}")?;
        }
        match &self.hint {
            Some(hint) => writeln!(to, "hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Returns the system's words for an error, without the number Rust adds.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match (error.raw_os_error(), text.rfind(" (os error ")) {
        (Some(_), Some(end)) => text[..end].to_owned(),
        _ => text,
    }
}

/// Prints the line without the program's name and without the hint.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind.opening(), self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::ExitStatus::{Input, Internal, Output, Partial, Signal, Stopped, Success, Usage};
    use super::*;

    #[test]
    fn codes_are_the_documented_ones() {
        for (status, code) in [
            (Success, 0),
            (Stopped, 1),
            (Usage, 2),
            (Input, 3),
            (Output, 4),
            (Partial, 5),
            (Internal, 70),
            (Signal(1), 129),
            (Signal(13), 141),
        ] {
            assert_eq!(status.code(), code, "{status:?}");
            assert_eq!(ExitStatus::from_code(code), status, "{code}");
        }
    }

    #[test]
    fn several_statuses_combine_by_precedence() {
        for (name, statuses, want) in [
            ("nothing happened", &[][..], Success),
            ("one alone", &[Partial], Partial),
            ("stop hides partial", &[Partial, Stopped], Stopped),
            ("damage hides stop", &[Stopped, Input], Input),
            ("output hides damage", &[Input, Output, Partial], Output),
            ("usage decides at once", &[Output, Usage, Internal], Usage),
            ("gone reader ends the process", &[Input, Signal(13), Output], Signal(13)),
            ("a bug hides the run", &[Output, Internal, Stopped], Internal),
        ] {
            let forward = statuses.iter().fold(Success, |a, b| a.combine(*b));
            let backward = statuses.iter().rev().fold(Success, |a, b| a.combine(*b));
            assert_eq!(forward, want, "{name}");
            assert_eq!(backward, want, "{name}, other order");
        }
    }

    #[test]
    fn kinds_lead_to_their_status() {
        for (kind, want) in [
            (FailureKind::Grammar, Usage),
            (FailureKind::Usage, Usage),
            (FailureKind::SetUp, Usage),
            (FailureKind::Input, Input),
            (FailureKind::Output, Output),
            (FailureKind::Partial, Partial),
            (FailureKind::Internal, Internal),
        ] {
            assert_eq!(Failure::new(kind, "x").exit_status(), want, "{kind:?}");
        }
    }

    #[test]
    fn report_is_one_line_and_a_hint() {
        let text = |failure: &Failure| {
            let mut out = Vec::new();
            failure.report("prog", &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let plain = Failure::usage("-V requires -T");
        assert_eq!(text(&plain), "prog: usage error: -V requires -T\n");
        assert_eq!(plain.hint(), None);
        let hinted = Failure::new(FailureKind::Grammar, "bad").with_hint("do this");
        assert_eq!(text(&hinted), "prog: usage problem, bad\nhint: do this\n");
        let below = Failure::usage("bad -l socket").with_line_above(Some("getsock: no".to_owned()));
        assert_eq!(text(&below), "getsock: no\nprog: usage error: bad -l socket\n");
        let shown =
            Failure::usage("bad").with_lines_below(vec!["a b".to_owned(), "  ^".to_owned()]);
        assert_eq!(text(&shown), "prog: usage error: bad\na b\n  ^\n");
        let bare = Failure::new(FailureKind::Output, "unable to open x for writing: no");
        assert_eq!(text(&bare), "prog: unable to open x for writing: no\n");
    }

    #[test]
    fn reasons_are_the_words_of_the_system() {
        let missing = io::Error::from_raw_os_error(2);
        assert_eq!(reason(&missing), "No such file or directory");
        assert_eq!(reason(&io::Error::other("own words (os error 2)")), "own words (os error 2)");
    }

    #[test]
    fn table_lists_every_numbered_status_once() {
        let codes: Vec<u8> = ExitStatus::TABLE.iter().map(|(status, _)| status.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 70]);
    }
}
