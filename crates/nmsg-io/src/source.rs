//! Where payloads come from.

mod capture;
mod file;
#[cfg(feature = "kafka")]
mod kafka;
mod lines;
mod message;
mod udp;
mod zmq;

pub use capture::{CaptureError, CaptureFileSource, CaptureInterfaceSource, CaptureSettings};
pub use file::{FileFormat, FileSource};
#[cfg(feature = "kafka")]
pub use kafka::KafkaSource;
pub use udp::UdpSource;
pub use zmq::ZmqSource;

use nmsg::container::{Deframer, Header, Inflater};
use nmsg::{MsgType, VendorId};
use nmsg_os::{Latch, Ready};
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::batch::Batch;
use crate::fault::{Fault, RecordPosition};
use crate::receipt::Receipts;

/// What a source found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    /// The batch was filled.
    Batch,
    /// There is nothing yet; see [`Source::wait`].
    Idle,
    /// There will be nothing more.
    End,
}

/// What the pieces of a [`RawBatch`] are, and so how they are decoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RawKind {
    /// Containers of a stream, one behind the other.
    Containers,
    /// Containers that arrived as messages of their own: datagrams, records of a broker.
    Messages,
    /// Lines of JSON.
    JsonLines,
    /// Records of a broker, each one JSON document.
    JsonRecords,
    /// Lines of presentation form, all records of this type. Batches follow on each other.
    PresentationLines(VendorId, MsgType),
    /// Payloads that the source has made itself.
    Payloads,
}

impl RawKind {
    /// True when batches may be decoded in any order and by any number of decoders.
    pub(crate) fn is_decoded_anywhere(self) -> bool {
        !matches!(self, Self::PresentationLines(..))
    }
}

/// A piece of a [`RawBatch`] of containers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RawPiece {
    /// A container.
    Container {
        /// Its header.
        header: Header,
        /// Range of its body in the batch's octets.
        body: Range<usize>,
        /// Position of the header's first octet in the input.
        offset: u64,
    },
    /// A container that the end of the input has cut short.
    CutShort {
        /// Its header.
        header: Header,
        /// Range of what is there of the body in the batch's octets.
        body: Range<usize>,
        /// What is wrong, with its position in the input.
        error: nmsg::Error,
    },
    /// A container that arrived as a message, or in fragments.
    Message {
        /// Its header.
        header: Header,
        /// Range of its body in the batch's octets.
        body: Range<usize>,
        /// Who sent it; `None` where senders cannot be told apart.
        peer: Option<SocketAddr>,
    },
    /// One JSON document ([`RawKind::JsonRecords`]).
    Json(Range<usize>),
    /// What follows is in the broker's record at this position.
    Record(RecordPosition),
    /// What is in front of this need not be read again once outputs have accepted it; see
    /// [`Source::receipts`].
    Receipt(u64),
    /// Something that is no container.
    Fault(Fault),
}

/// What a source has read, not yet decoded. Used again and again.
#[derive(Debug, Default)]
pub struct RawBatch {
    /// The octets that the pieces are ranges of, or whole lines.
    pub octets: Vec<u8>,
    /// Number of the first line, from 1, of text.
    pub first_line: u64,
    /// Containers, documents and damage, in order ([`RawKind::Containers`], [`RawKind::Messages`],
    /// [`RawKind::JsonRecords`]).
    pub pieces: Vec<RawPiece>,
    /// Payloads and what was wrong between them ([`RawKind::Payloads`]).
    pub payloads: Batch,
    /// Octets of the input that this batch stands for.
    pub consumed: u64,
    /// Records of a broker that this batch stands for.
    pub records: u64,
    /// Octets of the input that were passed over while the next container was searched.
    pub skipped: u64,
    /// Octets that compressed containers among the pieces become, at most.
    inflated: usize,
}

/// Memory that a recycled batch may keep, in octets.
const KEPT: usize = 4 << 20;
/// Octets after which a batch is full.
const FULL: usize = 128 << 10;
/// Octets after inflating after which a batch is full: few octets can become very many.
const FULL_INFLATED: usize = 1 << 20;
/// What payloads usually take behind the reading, as a multiple of what is read.
const USUAL_GROWTH: usize = 4;

/// What no usual batch takes, in octets.
const MUCH: usize = 4 << 20;

/// Octets that input stands for which takes `grown` later: what it usually takes is no reason to count
/// more.
pub(crate) fn weight_of(octets: usize, grown: usize) -> usize {
    octets.max(if grown > MUCH { grown } else { grown / USUAL_GROWTH })
}

impl RawBatch {
    /// Forgets everything; the memory is kept, within limits.
    pub fn clear(&mut self) {
        self.octets.clear();
        self.octets.shrink_to(KEPT);
        self.pieces.clear();
        self.payloads.clear();
        (self.first_line, self.consumed, self.records) = (0, 0, 0);
        (self.skipped, self.inflated) = (0, 0);
    }

    /// Octets that the batch stands for while it is under way.
    pub(crate) fn weight(&self) -> usize {
        weight_of(self.octets.len(), self.inflated) + self.payloads.octets.len()
    }

    /// True when the batch is large enough to be decoded.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.octets.len() >= FULL || self.inflates_much()
    }

    /// True when the containers of the batch would take too much memory together with further ones.
    #[must_use]
    #[inline]
    pub fn inflates_much(&self) -> bool {
        self.inflated >= FULL_INFLATED
    }

    /// Notes a container whose body is among the octets.
    #[inline]
    fn note_body(&mut self, header: &Header, body: &Range<usize>) {
        if header.flags.is_zlib() {
            let body = self.octets.get(body.clone()).unwrap_or_default();
            self.inflated += Inflater::bound(body);
        }
    }

    /// Appends the body of a container; gives its range.
    fn push_body(&mut self, header: &Header, body: &[u8]) -> Range<usize> {
        let start = self.octets.len();
        self.octets.extend_from_slice(body);
        let body = start..self.octets.len();
        self.note_body(header, &body);
        body
    }

    /// Appends a container of a stream that starts at `offset` there.
    fn push_container(&mut self, header: Header, body: &[u8], offset: u64) {
        let body = self.push_body(&header, body);
        self.pieces.push(RawPiece::Container { header, body, offset });
    }

    /// As [`Self::push_container`], for the container that was found last.
    fn push_found(&mut self, header: Header, deframer: &mut Deframer, offset: u64) {
        let body = deframer.move_body(&mut self.octets);
        self.note_body(&header, &body);
        self.pieces.push(RawPiece::Container { header, body, offset });
    }

    /// Appends a container that arrived as a message.
    pub fn push_message(&mut self, header: Header, body: &[u8], peer: Option<SocketAddr>) {
        let body = self.push_body(&header, body);
        self.pieces.push(RawPiece::Message { header, body, peer });
    }

    /// Notes a container that arrived as a message and whose body is among the octets.
    #[inline]
    fn push_message_within(
        &mut self,
        header: Header,
        body: Range<usize>,
        peer: Option<SocketAddr>,
    ) {
        self.note_body(&header, &body);
        self.pieces.push(RawPiece::Message { header, body, peer });
    }
}

/// Buffers that many sources share, each for as long as it reads; they keep their memory.
#[derive(Clone, Debug, Default)]
pub struct SpareBuffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl SpareBuffers {
    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a buffer, if there is one.
    #[must_use]
    pub fn take(&self) -> Option<Vec<u8>> {
        self.lock().pop()
    }

    /// Gives a buffer back. One of unusual size is dropped.
    pub fn give_back(&self, buffer: Vec<u8>) {
        if buffer.capacity() <= KEPT {
            self.lock().push(buffer);
        }
    }
}

/// An input. Lives on one thread at a time.
pub trait Source: Send {
    /// The name in messages, such as a path.
    fn name(&self) -> &str;

    /// How its batches are decoded.
    fn kind(&self) -> RawKind;

    /// True when strangers decide what arrives, so that damage is no failure of the run.
    fn is_network(&self) -> bool {
        false
    }

    /// True when what is not read soon is lost, so that reading must not wait for what comes behind it
    /// as long as there is memory.
    fn cannot_wait(&self) -> bool {
        false
    }

    /// True when there is always something to read until the end, as in a regular file, so that
    /// nobody ever has to wait for it.
    fn is_always_ready(&self) -> bool {
        false
    }

    /// Asks the source to hold as little as it can between two reads, for many are read in turn, and
    /// to take its memory from where the others give it back.
    fn save_memory(&mut self, spare: &SpareBuffers) {
        let _ = spare;
    }

    /// Reads the next batch, without waiting.
    ///
    /// # Errors
    ///
    /// Those that end the input. What is wrong with single containers or lines is part of the batch.
    fn read(&mut self, batch: &mut RawBatch) -> io::Result<Event>;

    /// Waits until there may be something to read, a latch is raised, or `until` has come.
    ///
    /// # Errors
    ///
    /// Those that end the input.
    fn wait(&mut self, latches: &[&Latch], until: Option<Instant>) -> io::Result<Ready>;

    /// Where a source learns which of its receipts were accepted; `None` for sources that give none.
    fn receipts(&self) -> Option<Receipts> {
        None
    }

    /// Is called when all outputs are closed.
    fn close(self: Box<Self>) {}

    /// Gives, part by part, what was taken in before the end of reading and not passed on; false when
    /// there is nothing more.
    fn take_rest(&mut self, batch: &mut RawBatch) -> bool {
        batch.clear();
        false
    }

    /// Tells what only shows when nothing more is read; most sources know nothing of the kind.
    fn finish(&mut self, batch: &mut RawBatch) {
        batch.clear();
    }
}
