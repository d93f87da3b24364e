//! Inputs and outputs as the command line names them.

use crate::failure::{Failure, FailureKind, reason};
use crate::flags::FlagId;
use crate::grammar::Given;
use crate::spell::printable;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Something that messages are read from or written to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Endpoint {
    /// Messages come from here.
    Input(Input),
    /// Messages go here.
    Output(Output),
}

/// Where messages come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Input {
    /// A file, pipe or standard input (`-r`, `-f`, `-j`).
    File(File),
}

impl Input {
    /// Returns whether messages from here do not name their type.
    pub fn needs_message_type(&self) -> bool {
        match self {
            Self::File(file) => file.format == Format::Presentation,
        }
    }
}

/// Prints the line about opening it that level 2 shows.
impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "nmsg {} input: {}", file.format.word(), file.place),
        }
    }
}

/// Where messages go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Output {
    /// A file, pipe or standard output (`-w`, `-o`, `-J`).
    File(File),
}

impl Output {
    /// Returns the output of a command line that names none.
    pub const fn standard() -> Self {
        Self::File(File { format: Format::Presentation, place: Place::Standard })
    }
}

/// Prints the line about opening it that level 2 shows.
impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "nmsg {} output: {}", file.format.word(), file.place),
        }
    }
}

/// A stream of octets and how messages stand in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct File {
    /// How messages stand in it.
    pub format: Format,
    /// Where it is.
    pub place: Place,
}

/// How messages stand in a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// Containers.
    Nmsg,
    /// Presentation text.
    Presentation,
    /// One JSON object per line.
    Json,
}

impl Format {
    const fn word(self) -> &'static str {
        match self {
            Self::Nmsg => "file",
            Self::Presentation => "pres",
            Self::Json => "json",
        }
    }
}

/// Where a file is.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Place {
    /// Standard input or output, written `-`.
    Standard,
    /// A path, exactly as given; it may be empty or name anything.
    Path(PathBuf),
}

impl From<OsString> for Place {
    fn from(text: OsString) -> Self {
        if text == "-" { Self::Standard } else { Self::Path(text.into()) }
    }
}

/// Prints the place as it was given, safe for a terminal.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard => f.write_str("-"),
            Self::Path(path) => f.write_str(&printable(path.as_os_str())),
        }
    }
}

fn input(format: Format, place: Place) -> Endpoint {
    Endpoint::Input(Input::File(File { format, place }))
}

fn output(format: Format, place: Place) -> Endpoint {
    Endpoint::Output(Output::File(File { format, place }))
}

/// One option that names endpoints: which, how its messages stand, what it makes.
type Opening = (FlagId, Format, fn(Format, Place) -> Endpoint);

/// Options in the order their endpoints are opened, whatever the order on the
/// command line; the full order is `-p -l -s -L -S --readkafka --writekafka
/// -r -w -C -Z -f -o -j -J` (`nmsgtool-cli` §4 step 13).
const OPENING_ORDER: [Opening; 6] = [
    (FlagId::ReadNmsg, Format::Nmsg, input),
    (FlagId::WriteNmsg, Format::Nmsg, output),
    (FlagId::ReadPres, Format::Presentation, input),
    (FlagId::WritePres, Format::Presentation, output),
    (FlagId::ReadJson, Format::Json, input),
    (FlagId::WriteJson, Format::Json, output),
];

/// Takes every endpoint, in opening order.
pub(super) fn take_all(given: &mut Given) -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    for (id, format, make) in OPENING_ORDER {
        let values = given.take_list(id).into_iter();
        endpoints.extend(values.map(|value| make(format, Place::from(value))));
    }
    endpoints
}

impl File {
    /// Returns the failure of an input that cannot be opened.
    #[cold]
    pub fn not_readable(&self, error: &io::Error) -> Failure {
        let message = format!("unable to open {} for reading: {}", self.place, reason(error));
        Failure::new(FailureKind::Input, message)
    }

    /// Returns the failure of an output that cannot be opened.
    #[cold]
    pub fn not_writable(&self, error: &io::Error) -> Failure {
        let message = format!("unable to open {} for writing: {}", self.place, reason(error));
        Failure::new(FailureKind::Output, message)
    }

    /// Returns the letter of the option that reads such a file.
    pub(super) const fn reading_option(&self) -> FlagId {
        match self.format {
            Format::Nmsg => FlagId::ReadNmsg,
            Format::Presentation => FlagId::ReadPres,
            Format::Json => FlagId::ReadJson,
        }
    }

    /// Returns the letter of the option that writes such a file.
    pub(super) const fn writing_option(&self) -> FlagId {
        match self.format {
            Format::Nmsg => FlagId::WriteNmsg,
            Format::Presentation => FlagId::WritePres,
            Format::Json => FlagId::WriteJson,
        }
    }
}
