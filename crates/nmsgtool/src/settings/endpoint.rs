//! Inputs and outputs as the command line names them.

use super::capture::InterfaceInput;
use super::kafka::{self, KafkaTopic};
use super::labels::Names;
use super::socket::{self, SocketOutput};
use super::zmq::{self, ZmqSocket};
use crate::failure::{Failure, FailureKind, reason};
use crate::flags::FlagId;
use crate::grammar::Given;
use crate::spell::printable;
use nmsg_io::address::SocketSpec;
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

/// Prints the line about opening it that level 2 shows.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(input) => input.fmt(f),
            Self::Output(output) => output.fmt(f),
        }
    }
}

/// Which way messages go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// They come from there.
    In,
    /// They go there.
    Out,
}

/// Where messages come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Input {
    /// A file, pipe or standard input (`-r`, `-f`, `-j`).
    File(File),
    /// A UDP socket that is listened on (`-l`, `-C`).
    Socket(SocketSpec),
    /// A ZeroMQ endpoint (`-L`, `-Z`).
    Zmq(ZmqSocket),
    /// A Kafka topic (`--readkafka`).
    Kafka(KafkaTopic),
    /// A capture file, pipe or standard input (`-p`).
    Capture(Place),
    /// A network interface (`-i`).
    Interface(InterfaceInput),
}

/// Options that read messages which do not name their type.
pub(super) const NEED_MESSAGE_TYPE: [FlagId; 3] =
    [FlagId::ReadPres, FlagId::ReadPcap, FlagId::ReadInterface];

/// Prints the line about opening it that level 2 shows.
impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "nmsg {} input: {}", file.format.word(), file.place),
            Self::Socket(address) => write!(f, "nmsg socket input: {address}"),
            Self::Zmq(socket) => write!(f, "nmsg ZMQ input: {socket}"),
            Self::Kafka(topic) => write!(f, "nmsg {} input: {topic}", topic.words()),
            Self::Capture(place) => write!(f, "pcap file input: {place}"),
            Self::Interface(interface) => write!(f, "pcap interface input: {interface}"),
        }
    }
}

/// Where messages go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Output {
    /// A file, pipe or standard output (`-w`, `-o`, `-J`).
    File(File),
    /// A UDP socket that is sent to (`-s`).
    Socket(SocketOutput),
    /// A ZeroMQ endpoint (`-S`).
    Zmq(ZmqSocket),
    /// A Kafka topic (`--writekafka`).
    Kafka(KafkaTopic),
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
            Self::Socket(socket) => write!(f, "nmsg socket output: {socket}"),
            Self::Zmq(socket) => write!(f, "nmsg ZMQ output: {socket}"),
            Self::Kafka(topic) => write!(f, "nmsg {} output: {topic}", topic.words()),
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

/// What the options that name endpoints come to.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) endpoints: Vec<Endpoint>,
    /// Channels that were looked up.
    pub(super) channels: Vec<String>,
    /// ZeroMQ channels that were looked up.
    pub(super) zmq_channels: Vec<String>,
    /// What was passed over.
    pub(super) warnings: Vec<String>,
}

/// What an option that names endpoints makes of its value.
enum Makes {
    Input(Format),
    Output(Format),
    Interface,
    Capture,
    Listener,
    Sender,
    Channel,
    Zmq(Way),
    ZmqChannel,
    Kafka(Way),
}

/// Options in the order their endpoints are opened, whatever the order on the
/// command line; the full order is `-i -p -l -s -L -S --readkafka --writekafka
/// -r -w -C -Z -f -o -j -J` (`nmsgtool-cli` §4 steps 10 and 13).
const OPENING_ORDER: [(FlagId, Makes); 16] = [
    (FlagId::ReadInterface, Makes::Interface),
    (FlagId::ReadPcap, Makes::Capture),
    (FlagId::ReadSocket, Makes::Listener),
    (FlagId::WriteSocket, Makes::Sender),
    (FlagId::ReadZmqSocket, Makes::Zmq(Way::In)),
    (FlagId::WriteZmqSocket, Makes::Zmq(Way::Out)),
    (FlagId::ReadKafka, Makes::Kafka(Way::In)),
    (FlagId::WriteKafka, Makes::Kafka(Way::Out)),
    (FlagId::ReadNmsg, Makes::Input(Format::Nmsg)),
    (FlagId::WriteNmsg, Makes::Output(Format::Nmsg)),
    (FlagId::ReadChannel, Makes::Channel),
    (FlagId::ReadZmqChannel, Makes::ZmqChannel),
    (FlagId::ReadPres, Makes::Input(Format::Presentation)),
    (FlagId::WritePres, Makes::Output(Format::Presentation)),
    (FlagId::ReadJson, Makes::Input(Format::Json)),
    (FlagId::WriteJson, Makes::Output(Format::Json)),
];

/// Takes every endpoint, in opening order.
pub(super) fn take_all(given: &mut Given, names: &dyn Names) -> Result<Opened, Failure> {
    let mut opened = Opened::default();
    for (id, makes) in OPENING_ORDER {
        for (number, value) in given.take_list(id).into_iter().enumerate() {
            match makes {
                Makes::Input(format) => {
                    let file = File { format, place: value.into() };
                    opened.endpoints.push(Endpoint::Input(Input::File(file)));
                }
                Makes::Output(format) => {
                    let file = File { format, place: value.into() };
                    opened.endpoints.push(Endpoint::Output(Output::File(file)));
                }
                Makes::Interface => {
                    let input = Input::Interface(InterfaceInput::parse(&value)?);
                    opened.endpoints.push(Endpoint::Input(input));
                }
                Makes::Capture => {
                    opened.endpoints.push(Endpoint::Input(Input::Capture(value.into())));
                }
                Makes::Listener => socket::listen(id, value, &mut opened)?,
                Makes::Sender => socket::send(id, number, value, &mut opened)?,
                Makes::Channel => socket::channel(value, names, &mut opened)?,
                Makes::Zmq(way) => zmq::add(way, value, &mut opened)?,
                Makes::Kafka(way) => kafka::add(way, value, &mut opened)?,
                Makes::ZmqChannel => zmq::channel(value, names, &mut opened)?,
            }
        }
    }
    Ok(opened)
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
