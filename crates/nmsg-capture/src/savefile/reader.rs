//! One reader for both formats.

use super::pcap::{self, FILE_HEADER_LEN, Layout, Record};
use super::pcapng::{self, Content, PROLOGUE_LEN, Section};
use super::{Error, ErrorKind};
use crate::{Frame, LinkType};
use std::io::{self, Read};
use std::ops::Range;

const READ_OCTETS: usize = 256 << 10;

/// What [`Reader::next_frame`] and [`Reader::first_link`] found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next<T> {
    /// Here it is.
    Item(T),
    /// The input has nothing to give yet; asking again goes on where it stopped.
    Pending,
    /// The input ended at the end of a record.
    End,
}

/// Reads frames from a pcap or pcapng stream.
///
/// The input may be anything that reads, blocking or not: an answer of
/// [`io::ErrorKind::WouldBlock`] or [`io::ErrorKind::Interrupted`] gives [`Next::Pending`].
///
/// ```
/// use nmsg_capture::{LinkType, savefile::{Next, Precision, Reader, Writer}};
///
/// let mut writer = Writer::new(Vec::new(), LinkType::RAW, 65536, Precision::Nanoseconds)?;
/// writer.write(nmsg::Timestamp { sec: 1, nsec: 5 }, b"frame")?;
/// let file = writer.into_inner();
///
/// let mut reader = Reader::new(file.as_slice());
/// let Next::Item(frame) = reader.next_frame()? else { panic!("one frame") };
/// assert_eq!((frame.octets, frame.time.nsec), (&b"frame"[..], 5));
/// assert_eq!(reader.next_frame()?, Next::End);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    pub(super) buffer: Vec<u8>,
    /// What is unread in `buffer`.
    unread: Range<usize>,
    /// Offset in the input of the first unread octet.
    at: u64,
    /// Octets of the record that was given out last.
    given: usize,
    format: Format,
    first_link: Option<LinkType>,
    to_microseconds: bool,
    ended: bool,
}

#[derive(Debug)]
enum Format {
    Unknown,
    Pcap(Layout),
    PcapNg(Section),
}

/// A frame in the buffer.
struct Found {
    record: Record,
    link: LinkType,
    octets: Range<usize>,
}

impl<R: Read> Reader<R> {
    /// Starts before the first octet; reads nothing yet.
    pub fn new(input: R) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            unread: 0..0,
            at: 0,
            given: 0,
            format: Format::Unknown,
            first_link: None,
            to_microseconds: false,
            ended: false,
        }
    }

    /// Cuts all times to microseconds, as readers did that knew no finer ones (decision CP-7).
    #[must_use]
    pub fn to_microseconds(mut self) -> Self {
        self.to_microseconds = true;
        self
    }

    /// Returns the input, for polling its descriptor.
    pub fn input(&self) -> &R {
        &self.input
    }

    /// Returns the offset behind the last frame that was given out, in octets.
    pub fn offset(&self) -> u64 {
        self.at + self.given as u64
    }

    /// Returns the octets that were read and belong to no frame given out so far.
    pub fn unread_len(&self) -> usize {
        self.unread.len() - self.given
    }

    /// Reads up to the first link type, so that unsupported ones can be refused before any frame.
    ///
    /// [`Next::End`] when a pcapng input ends without an interface.
    ///
    /// # Errors
    ///
    /// As [`Self::next_frame`].
    pub fn first_link(&mut self) -> Result<Next<LinkType>, Error> {
        while self.first_link.is_none() {
            match self.step() {
                Ok(Next::Item(None)) => {}
                Ok(Next::Item(Some(_))) => break,
                Ok(Next::Pending) => return Ok(Next::Pending),
                Ok(Next::End) => return Ok(Next::End),
                Err(error) => return Err(self.fail(error)),
            }
        }
        Ok(self.first_link.map_or(Next::End, Next::Item))
    }

    /// Returns the next frame; it borrows from the reader's buffer.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`]. After an error the reader only answers [`Next::End`].
    pub fn next_frame(&mut self) -> Result<Next<Frame<'_>>, Error> {
        let found = loop {
            match self.step() {
                Ok(Next::Item(Some(found))) => break found,
                Ok(Next::Item(None)) => {}
                Ok(Next::Pending) => return Ok(Next::Pending),
                Ok(Next::End) => return Ok(Next::End),
                Err(error) => return Err(self.fail(error)),
            }
        };
        let mut time = found.record.time;
        if self.to_microseconds {
            time.nsec -= time.nsec % 1000;
        }
        Ok(Next::Item(Frame {
            time,
            link: found.link,
            original_len: found.record.original_len,
            octets: self.buffer.get(found.octets).unwrap_or_default(),
        }))
    }

    #[cold]
    fn fail(&mut self, error: Error) -> Error {
        self.ended = true;
        error
    }

    /// Takes one record or block; `None` inside when it brought no frame.
    fn step(&mut self) -> Result<Next<Option<Found>>, Error> {
        if self.ended {
            return Ok(Next::End);
        }
        let given = std::mem::take(&mut self.given);
        self.consume(given);
        match &self.format {
            Format::Unknown => self.open(),
            Format::Pcap(layout) => {
                let layout = *layout;
                self.pcap_record(&layout)
            }
            Format::PcapNg(_) => self.pcapng_block(),
        }
    }

    fn open(&mut self) -> Result<Next<Option<Found>>, Error> {
        let Some(start) = self.peek(FILE_HEADER_LEN).first_chunk::<4>().copied() else {
            return self.need(FILE_HEADER_LEN, false);
        };
        if pcapng::is_pcapng(start) {
            self.format = Format::PcapNg(Section::new());
        } else if pcap::is_pcap(start) {
            let Some(header) = self.peek(FILE_HEADER_LEN).first_chunk().copied() else {
                return self.need(FILE_HEADER_LEN, false);
            };
            let layout = Layout::parse(&header)?;
            self.first_link = Some(layout.link);
            self.format = Format::Pcap(layout);
            self.consume(FILE_HEADER_LEN);
        } else {
            return Err(Error::new(ErrorKind::NotACapture(start), 0));
        }
        Ok(Next::Item(None))
    }

    fn pcap_record(&mut self, layout: &Layout) -> Result<Next<Option<Found>>, Error> {
        let header_len = layout.record_header_len();
        if self.unread.len() < header_len {
            return self.need(header_len, true);
        }
        let record = layout.record(self.peek(header_len), self.at)?;
        let total = header_len + record.len;
        if self.unread.len() < total {
            return self.need(total, false);
        }
        let start = self.unread.start + header_len;
        self.given = total;
        Ok(Next::Item(Some(Found {
            record,
            link: layout.link,
            octets: start..start + record.kept,
        })))
    }

    fn pcapng_block(&mut self) -> Result<Next<Option<Found>>, Error> {
        if self.unread.len() < PROLOGUE_LEN {
            return self.need(PROLOGUE_LEN, true);
        }
        let Format::PcapNg(section) = &mut self.format else { return Ok(Next::End) };
        let unread = self.buffer.get(self.unread.clone()).unwrap_or_default();
        let len = section.block_len(unread, self.at)?;
        let Some(block) = unread.get(..len) else { return self.need(len, false) };
        let content = section.block(block, self.at)?;
        self.given = len;
        match content {
            Content::Other => Ok(Next::Item(None)),
            Content::Interface(link) => {
                self.first_link.get_or_insert(link);
                Ok(Next::Item(None))
            }
            Content::Frame(record, link, range) => {
                let start = self.unread.start;
                let octets = start + range.start..start + range.end;
                Ok(Next::Item(Some(Found { record, link, octets })))
            }
        }
    }

    /// Returns up to `len` unread octets.
    fn peek(&self, len: usize) -> &[u8] {
        let end = self.unread.end.min(self.unread.start + len);
        self.buffer.get(self.unread.start..end).unwrap_or_default()
    }

    fn consume(&mut self, len: usize) {
        self.unread.start += len;
        self.at += len as u64;
    }

    /// Reads once towards `len` unread octets: `Item(None)` asks to try again.
    ///
    /// The end of the input is the end of the capture `at_boundary` with nothing unread, and
    /// damage anywhere else.
    #[cold]
    fn need<T>(&mut self, len: usize, at_boundary: bool) -> Result<Next<Option<T>>, Error> {
        self.make_room(len);
        match self.input.read(&mut self.buffer[self.unread.end..]) {
            Ok(0) if at_boundary && self.unread.is_empty() => {
                self.ended = true;
                Ok(Next::End)
            }
            Ok(0) => {
                let missing = len - self.unread.len();
                Err(Error::new(ErrorKind::Truncated { missing }, self.at))
            }
            Ok(count) => {
                self.unread.end += count;
                Ok(Next::Item(None))
            }
            Err(error) if is_pending(error.kind()) => Ok(Next::Pending),
            Err(error) => {
                let at = self.at + self.unread.len() as u64;
                Err(Error::new(ErrorKind::Io(error), at))
            }
        }
    }

    /// Makes room behind the unread octets. The buffer grows with what has arrived, never at once
    /// to what a header announces.
    fn make_room(&mut self, len: usize) {
        if self.unread.start > 0 {
            self.buffer.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
        }
        if self.unread.end == self.buffer.len() {
            let grown = (self.buffer.len() * 2).min(len).max(self.buffer.len() + READ_OCTETS);
            self.buffer.resize(grown, 0);
        }
    }
}

fn is_pending(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
