use nmsg_capture::savefile::{self, ErrorKind, Next, Reader};
use nmsg_os::{Latch, Ready, Received, Stream, StreamKind};
use std::io::{self, Read};
use std::path::Path;
use std::time::Instant;

use super::conversion::{Conversion, push_fault};
use super::{CaptureError, CaptureSettings, FULL, MOST_FRAMES};
use crate::fault::Fault;
use crate::source::{Event, RawBatch, RawKind, Source};

/// A savefile, pcap or pcapng, whose packets become messages.
#[derive(Debug)]
pub struct CaptureFileSource {
    name: String,
    reader: Reader<Input>,
    conversion: Conversion,
    filter_text: Option<String>,
    /// Position in the input that was accounted for.
    position: u64,
    ended: bool,
    /// Why reading failed; told once everything that was read is given out.
    failure: Option<io::Error>,
}

/// Lets a savefile be read from a stream.
#[derive(Debug)]
struct Input(Stream);

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            Received::Octets(count) => Ok(count),
            Received::NothingYet => Err(io::ErrorKind::WouldBlock.into()),
            Received::End => Ok(0),
        }
    }
}

impl CaptureFileSource {
    /// Opens a path and waits, until `latch` is raised, for the head of the capture.
    ///
    /// # Errors
    ///
    /// See [`CaptureError`]; with [`io::ErrorKind::Interrupted`], the latch was raised.
    pub fn open(
        path: &Path,
        settings: &CaptureSettings,
        latch: Option<&Latch>,
    ) -> Result<Self, CaptureError> {
        Self::new(path.display().to_string(), Stream::open(path)?, settings, latch)
    }

    /// Reads standard input.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn stdin(settings: &CaptureSettings, latch: Option<&Latch>) -> Result<Self, CaptureError> {
        Self::new("-".to_owned(), Stream::stdin()?, settings, latch)
    }

    /// Reads a stream; `name` is for messages.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn new(
        name: String,
        stream: Stream,
        settings: &CaptureSettings,
        latch: Option<&Latch>,
    ) -> Result<Self, CaptureError> {
        let mut reader = Reader::new(Input(stream));
        if settings.to_microseconds {
            reader = reader.to_microseconds();
        }
        let link = loop {
            match reader.first_link().map_err(opening_failure)? {
                Next::Item(link) => break link,
                Next::End => return Err(CaptureError::NoInterface),
                Next::Pending => {
                    if reader.input().0.wait_readable(latch.as_slice(), None)? == Ready::Latch {
                        return Err(io::Error::from(io::ErrorKind::Interrupted).into());
                    }
                }
            }
        };
        let (converter, filter_text) = settings.converter(link)?;
        let conversion = Conversion::new(converter);
        Ok(Self { name, reader, conversion, filter_text, position: 0, ended: false, failure: None })
    }

    /// Returns the expression of the filter in full; `None` without one.
    #[must_use]
    pub fn filter_text(&self) -> Option<&str> {
        self.filter_text.as_deref()
    }

    /// What is kept is all that is left to come.
    #[cold]
    fn break_off(&mut self, error: &savefile::Error, batch: &mut RawBatch) {
        match error.kind() {
            ErrorKind::Io(error) => self.failure = Some(same_error(error)),
            _ => {
                batch.skipped += self.reader.unread_len() as u64;
                let reason = error.to_string();
                push_fault(&mut batch.payloads, Fault::DamagedCapture { reason });
            }
        }
    }

    /// True when nothing is to be had for the time being.
    fn fill(&mut self, batch: &mut RawBatch) -> bool {
        let mut frames = 0;
        while !self.ended && frames < MOST_FRAMES && batch.payloads.octets.len() < FULL {
            match self.reader.next_frame() {
                Ok(Next::Item(frame)) => self.conversion.frame(&frame, &mut batch.payloads),
                Ok(Next::Pending) => return frames == 0,
                Ok(Next::End) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    self.break_off(&error, batch);
                }
            }
            frames += 1;
        }
        if self.ended {
            self.conversion.finish_some(&mut batch.payloads);
        }
        false
    }
}

/// The system's error, or one that says the same.
fn same_error(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

#[cold]
fn opening_failure(error: savefile::Error) -> CaptureError {
    match error.kind() {
        ErrorKind::Io(error) => CaptureError::Io(same_error(error)),
        _ => CaptureError::Savefile(error),
    }
}

impl Source for CaptureFileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> RawKind {
        RawKind::Payloads
    }

    fn is_always_ready(&self) -> bool {
        self.reader.input().0.kind() == StreamKind::File
    }

    fn read(&mut self, batch: &mut RawBatch) -> io::Result<Event> {
        batch.clear();
        let had_ended = self.ended;
        if self.fill(batch) {
            return Ok(Event::Idle);
        }
        if had_ended && batch.payloads.is_empty() {
            return self.failure.take().map_or(Ok(Event::End), Err);
        }
        let position = self.reader.offset();
        batch.consumed = position - std::mem::replace(&mut self.position, position);
        self.conversion.account(None, &mut batch.payloads);
        Ok(Event::Batch)
    }

    fn wait(&mut self, latches: &[&Latch], until: Option<Instant>) -> io::Result<Ready> {
        self.reader.input().0.wait_readable(latches, until)
    }

    fn finish(&mut self, batch: &mut RawBatch) {
        batch.clear();
        self.conversion.finish(&mut batch.payloads);
        self.conversion.account(None, &mut batch.payloads);
    }
}
