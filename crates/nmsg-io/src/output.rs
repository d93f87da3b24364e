//! Where payloads go.

#[cfg(feature = "kafka")]
mod kafka;
mod udp;
mod zmq;

#[cfg(feature = "kafka")]
pub use kafka::{KafkaPieces, KafkaSink};
pub use udp::{LARGEST_DATAGRAM_V4, LARGEST_DATAGRAM_V6, SharedRate, UdpSink, datagram_buffer};
pub use zmq::ZmqSink;

use crate::ledger::RecordAccount;
use nmsg::Labels;
use nmsg::container::{ContainerWriter, DEFAULT_DATAGRAM_BUFFER, MAX_BUFFER, WriterSettings};
use nmsg_os::{Latch, Stream};
use std::io;
use std::path::Path;
use std::time::Duration;

/// How payloads are written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OutputFormat {
    /// Containers.
    Nmsg {
        /// Whether containers are compressed.
        zlib: bool,
    },
    /// Presentation text.
    Presentation {
        /// What ends the lines inside a record.
        endline: Vec<u8>,
    },
    /// One JSON object per line.
    Json,
    #[cfg(feature = "kafka")]
    /// JSON objects with the text of a field, for sinks that send both (Kafka).
    KeyedJson {
        /// Name of the field.
        field: String,
    },
}

/// How payloads are packed into containers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Framing {
    /// Size of containers in octets, clamped as the C library does.
    pub buffer: usize,
    /// Whether containers are numbered, so that receivers notice losses (`decisions` CW-4).
    pub numbered: bool,
    /// Whether containers larger than `buffer` are sent in fragments.
    pub fragmenting: bool,
}

impl Framing {
    /// Containers in files.
    pub const FILE: Self = Self { buffer: MAX_BUFFER, numbered: false, fragmenting: true };

    /// Containers in datagrams of at most this size.
    #[must_use]
    pub const fn datagrams(buffer: usize) -> Self {
        Self { buffer, numbered: true, fragmenting: true }
    }

    /// Containers in the records of a broker.
    pub const KAFKA: Self =
        Self { buffer: DEFAULT_DATAGRAM_BUFFER, numbered: false, fragmenting: true };

    /// Containers in messages of any size (`decisions` ZM-6).
    pub const ZMQ: Self =
        Self { buffer: DEFAULT_DATAGRAM_BUFFER, numbered: true, fragmenting: false };
}

/// What became of a piece that a [`Sink`] was given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Put {
    /// The sink has it, or has passed it on.
    Taken,
    /// It is lost, but the next one may fare better.
    Dropped,
}

/// How much of what a [`Sink`] was given has arrived.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Standing {
    /// Pieces that were taken.
    pub taken: u64,
    /// Of those, how many from the first on are known to have arrived.
    pub arrived: u64,
}

/// Something that an output has to say although it goes on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notice {
    /// What, in a line that stands for itself.
    pub text: String,
    /// True for what only those want to know who ask for detail.
    pub is_detail: bool,
}

/// How an output ended that did not fail.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Closed {
    /// What was still to be said.
    pub notices: Vec<Notice>,
    /// What the output took although it was not delivered; `None` when nothing is known to be missing.
    pub undelivered: Option<String>,
    /// Number of payloads that the output took although they were not delivered, as far as it counts
    /// payloads.
    pub undelivered_payloads: u64,
    /// What became of records for a broker; `None` for outputs of another kind.
    pub records: Option<RecordAccount>,
}

/// How long an output that nobody reads may still hold up the end of a run after a signal.
const PATIENCE_AFTER_SIGNAL: Duration = Duration::from_millis(100);

/// Takes what was rendered or packed, in order.
pub trait Sink: Send {
    /// Is told how many payloads the next piece stands for, for sinks that tell later what was not
    /// delivered.
    fn announce(&mut self, payloads: u64) {
        let _ = payloads;
    }

    /// Takes one piece: whole records of text, or one container. Once `interrupt` is raised, waits
    /// only a moment longer.
    ///
    /// # Errors
    ///
    /// Those that end the output; the piece is lost, in whole or in part.
    fn put(&mut self, piece: &[u8], interrupt: Option<&Latch>) -> io::Result<Put>;

    /// How much of what was put has arrived; `None` for sinks that take it for arrived at once.
    fn standing(&mut self) -> Option<Standing> {
        None
    }

    /// What there is to say since the last time; asked for between batches and when nothing arrives.
    fn notice(&mut self) -> Option<Notice> {
        None
    }

    /// True while [`Self::notice`] is to be asked again soon although nothing is written.
    fn awaits_news(&self) -> bool {
        false
    }

    /// What has become of records for a broker so far; `None` for sinks of another kind.
    fn records(&self) -> Option<RecordAccount> {
        None
    }

    /// True when the output can be started anew while the run goes on.
    fn rotates(&self) -> bool {
        false
    }

    /// True when what was written so far has the size at which the output is started anew before the next
    /// piece.
    fn is_full(&self) -> bool {
        false
    }

    /// Octets of the next piece with which it would be full; without a limit, more than there can be.
    fn room(&self) -> u64 {
        u64::MAX
    }

    /// Ends what was written so far and starts anew; does nothing where that makes no sense.
    ///
    /// # Errors
    ///
    /// Those that end the output.
    fn rotate(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Closes the output.
    ///
    /// # Errors
    ///
    /// When something that was taken is lost after all, and that is a failure.
    fn close(self: Box<Self>) -> io::Result<Closed>;
}

/// A file, pipe or device that octets are written to.
#[derive(Debug)]
pub struct FileSink(Stream);

impl FileSink {
    /// Writes to a stream.
    #[must_use]
    pub fn new(stream: Stream) -> Self {
        Self(stream)
    }
}

impl Sink for FileSink {
    fn put(&mut self, piece: &[u8], interrupt: Option<&Latch>) -> io::Result<Put> {
        self.0.write_all(piece, interrupt).map(|()| Put::Taken)
    }

    fn close(self: Box<Self>) -> io::Result<Closed> {
        self.0.close().map(|()| Closed::default())
    }
}

/// An output: its name, how payloads are written, and where to.
pub struct Output {
    pub(crate) name: String,
    pub(crate) format: OutputFormat,
    pub(crate) framing: Framing,
    pub(crate) sink: Box<dyn Sink>,
}

impl Output {
    /// An output to any sink; `name` is for messages. Containers are framed for files.
    #[must_use]
    pub fn new(name: impl Into<String>, format: OutputFormat, sink: Box<dyn Sink>) -> Self {
        Self { name: name.into(), format, framing: Framing::FILE, sink }
    }

    /// Sets how payloads are packed into containers.
    #[must_use]
    pub fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// An output to a file, which is created or truncated. Waits for the reader of a fifo until
    /// `interrupt` is raised.
    ///
    /// # Errors
    ///
    /// Those of open(2); interrupted when `interrupt` was raised.
    pub fn create(
        path: &Path,
        format: OutputFormat,
        interrupt: Option<&Latch>,
    ) -> io::Result<Self> {
        let sink = FileSink::new(Stream::create(path, interrupt)?);
        Ok(Self::new(path.display().to_string(), format, Box::new(sink)))
    }

    /// An output to standard output.
    ///
    /// # Errors
    ///
    /// When it is closed.
    pub fn stdout(format: OutputFormat) -> io::Result<Self> {
        Ok(Self::new("-", format, Box::new(FileSink::new(Stream::stdout()?))))
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output")
            .field("name", &self.name)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

/// The container writer of an output.
pub(crate) fn container_writer(
    zlib: bool,
    framing: Framing,
    labels: Labels,
    unbuffered: bool,
) -> ContainerWriter {
    ContainerWriter::new(WriterSettings {
        buffer: framing.buffer,
        zlib,
        sequence_id: framing.numbered.then(random),
        unbuffered,
        fragmenting: framing.fragmenting,
        fragment_seed: random(),
        labels,
    })
}

/// A number that differs from call to call and from run to run, for telling streams and fragmented
/// containers apart.
pub(crate) fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}
