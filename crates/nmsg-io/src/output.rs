//! Where payloads go.

use nmsg::Labels;
use nmsg::container::{ContainerWriter, WriterSettings};
use nmsg_os::{Latch, Stream};
use std::io;
use std::path::Path;

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
}

/// Takes what was rendered or packed, in order.
pub trait Sink: Send {
    /// Takes one piece: whole records of text, or one container. Once `interrupt` is raised, waits
    /// only a moment longer.
    ///
    /// # Errors
    ///
    /// Those that end the output; the piece is lost, in whole or in part.
    fn put(&mut self, piece: &[u8], interrupt: Option<&Latch>) -> io::Result<()>;

    /// Closes the output.
    ///
    /// # Errors
    ///
    /// When something that was taken is lost after all.
    fn close(self: Box<Self>) -> io::Result<()>;
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
    fn put(&mut self, piece: &[u8], interrupt: Option<&Latch>) -> io::Result<()> {
        self.0.write_all(piece, interrupt)
    }

    fn close(self: Box<Self>) -> io::Result<()> {
        self.0.close()
    }
}

/// An output: its name, how payloads are written, and where to.
pub struct Output {
    pub(crate) name: String,
    pub(crate) format: OutputFormat,
    pub(crate) sink: Box<dyn Sink>,
}

impl Output {
    /// An output to any sink; `name` is for messages.
    #[must_use]
    pub fn new(name: impl Into<String>, format: OutputFormat, sink: Box<dyn Sink>) -> Self {
        Self { name: name.into(), format, sink }
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

/// The container writer of an output to files.
pub(crate) fn container_writer(zlib: bool, labels: Labels, unbuffered: bool) -> ContainerWriter {
    let settings = WriterSettings { zlib, labels, unbuffered, ..WriterSettings::file(seed()) };
    ContainerWriter::new(settings)
}

/// A number that differs from run to run, for telling fragmented containers apart.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}
