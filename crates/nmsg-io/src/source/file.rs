use nmsg::container::{Deframer, Flags, Frame, Header, MAGIC, Reassembler};
use nmsg::{ErrorKind, Limits, MsgType, VendorId};
use nmsg_os::{Latch, Ready, Received, Stream, StreamKind};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::lines::LineCutter;
use super::{Event, RawBatch, RawKind, RawPiece, Source, SpareBuffers};
use crate::fault::Fault;

/// Octets asked for at once.
const CHUNK: usize = 256 << 10;
/// Octets asked for at once when memory is to be saved and no more are known to be needed.
const LITTLE: usize = 64 << 10;
/// Octets that are read behind a long container: the header of the next one, and whatever else is small.
const AHEAD: usize = 4 << 10;

/// How payloads stand in a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FileFormat {
    /// Containers.
    Nmsg,
    /// One JSON object per line.
    Json,
    /// Presentation form, all records of this type.
    Presentation(VendorId, MsgType),
}

/// A file, pipe or device that payloads are read from.
#[derive(Debug)]
pub struct FileSource {
    name: String,
    stream: Stream,
    cutter: Cutter,
}

#[derive(Debug)]
enum Cutter {
    Containers(Box<ContainerCutter>),
    Lines(RawKind, LineCutter),
}

#[derive(Debug)]
struct ContainerCutter {
    deframer: Deframer,
    reassembler: Reassembler<()>,
    ended: bool,
    position: u64,
    skipped: u64,
    told_of_missing: bool,
    /// Where memory is taken from for a read; without, it is kept.
    spare: Option<SpareBuffers>,
}

impl FileSource {
    /// Opens a path.
    ///
    /// # Errors
    ///
    /// Those of open(2); a directory is one.
    pub fn open(path: &Path, format: FileFormat) -> io::Result<Self> {
        Ok(Self::new(path.display().to_string(), Stream::open(path)?, format, &Limits::default()))
    }

    /// Reads standard input.
    ///
    /// # Errors
    ///
    /// When it is closed or a directory.
    pub fn stdin(format: FileFormat) -> io::Result<Self> {
        Ok(Self::new("-".to_owned(), Stream::stdin()?, format, &Limits::default()))
    }

    /// Reads a stream; `name` is for messages.
    #[must_use]
    pub fn new(name: String, stream: Stream, format: FileFormat, limits: &Limits) -> Self {
        let cutter = match format {
            FileFormat::Nmsg => Cutter::Containers(Box::new(ContainerCutter::new(limits))),
            FileFormat::Json => Cutter::Lines(RawKind::JsonLines, LineCutter::new(limits)),
            FileFormat::Presentation(vendor, msgtype) => {
                let kind = RawKind::PresentationLines(vendor, msgtype);
                Cutter::Lines(kind, LineCutter::new(limits))
            }
        };
        Self { name, stream, cutter }
    }
}

impl ContainerCutter {
    fn new(limits: &Limits) -> Self {
        Self {
            deframer: Deframer::new(limits),
            reassembler: Reassembler::new(limits),
            ended: false,
            position: 0,
            skipped: 0,
            told_of_missing: false,
            spare: None,
        }
    }

    /// Moves every frame that is there to the batch, until it is full.
    fn cut(&mut self, batch: &mut RawBatch) {
        while !batch.is_full() {
            match self.deframer.next_frame() {
                None => return,
                Some(Frame::Damage(error)) => {
                    batch.skipped += unusable_header_len(&error);
                    batch.pieces.push(RawPiece::Fault(Fault::Damage(error)));
                }
                Some(Frame::CutShort(container, error)) => {
                    let header = container.header;
                    let body = batch.push_body(&header, container.body);
                    batch.pieces.push(RawPiece::CutShort { header, body, error });
                }
                Some(Frame::Whole(container)) if container.header.flags.is_fragment() => {
                    // Nothing expires within a file: time stands still.
                    let pushed = self.reassembler.push(
                        (),
                        container.header.flags,
                        container.body,
                        Duration::ZERO,
                    );
                    match pushed {
                        Ok(None) => {}
                        Ok(Some(whole)) => {
                            let flags = if whole.is_zlib { Flags::ZLIB } else { Flags::default() };
                            let header = Header::v2(flags, whole.body.len() as u32);
                            batch.push_container(header, &whole.body, container.offset);
                        }
                        Err(error) => {
                            let error = error.at(container.offset);
                            batch.pieces.push(RawPiece::Fault(Fault::Damage(error)));
                        }
                    }
                }
                Some(Frame::Whole(container)) => {
                    let (header, offset) = (container.header, container.offset);
                    batch.push_found(header, &mut self.deframer, offset);
                }
            }
        }
    }

    /// Octets to ask for. Little more than a long container, so that it can leave with the buffer, and
    /// no more memory than what was read before has needed.
    fn next_read(&self) -> usize {
        let chunk = if self.spare.is_some() { LITTLE } else { CHUNK };
        let missing = usize::try_from(self.deframer.missing()).unwrap_or(usize::MAX);
        if missing < LITTLE {
            return chunk;
        }
        let most = chunk.max(self.deframer.room());
        if self.spare.is_some() {
            missing.min(most)
        } else {
            missing.saturating_add(AHEAD).min(most)
        }
    }

    /// All was found; what is missing is said once.
    fn end(&mut self, batch: &mut RawBatch) -> Event {
        let containers = self.reassembler.pending_sets();
        if containers > 0 && !std::mem::replace(&mut self.told_of_missing, true) {
            batch.pieces.push(RawPiece::Fault(Fault::Incomplete { containers }));
        }
        if batch.pieces.is_empty() { Event::End } else { Event::Batch }
    }

    fn read(&mut self, stream: &mut Stream, batch: &mut RawBatch) -> io::Result<Event> {
        if let Some(buffer) = self.spare.as_ref().and_then(SpareBuffers::take) {
            self.deframer.adopt(buffer);
        }
        let event = loop {
            self.cut(batch);
            if batch.is_full() {
                break Event::Batch;
            }
            if self.ended || self.deframer.is_finished() {
                break self.end(batch);
            }
            let most = self.next_read();
            match self.deframer.append_with(most, |buffer| stream.append(buffer, most)) {
                Ok(Received::Octets(_)) => {}
                Ok(Received::NothingYet) if batch.pieces.is_empty() => break Event::Idle,
                Ok(Received::NothingYet) => break Event::Batch,
                Ok(Received::End) => {
                    self.deframer.end();
                    self.ended = true;
                }
                // What was read before goes first; the error will come again.
                Err(_) if !batch.pieces.is_empty() => break Event::Batch,
                Err(error) => return Err(error),
            }
        };
        // The search behind damage may go back a little.
        let position = self.deframer.position().max(self.position);
        batch.consumed = position - std::mem::replace(&mut self.position, position);
        let skipped = self.deframer.skipped_octets();
        batch.skipped += skipped - std::mem::replace(&mut self.skipped, skipped);
        if let Some(spare) = &self.spare
            && let Some(buffer) = self.deframer.release()
        {
            spare.give_back(buffer);
        }
        Ok(event)
    }
}

/// Octets of a damaged header behind which the search for the next one starts.
fn unusable_header_len(error: &nmsg::Error) -> u64 {
    match error.kind() {
        ErrorKind::BadVersion(_) | ErrorKind::TooLarge { .. } => MAGIC.len() as u64,
        ErrorKind::Truncated { missing } => (Header::LEN as u64).saturating_sub(missing),
        _ => 1,
    }
}

impl Source for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> RawKind {
        match self.cutter {
            Cutter::Containers(_) => RawKind::Containers,
            Cutter::Lines(kind, _) => kind,
        }
    }

    fn is_always_ready(&self) -> bool {
        self.stream.kind() == StreamKind::File
    }

    fn save_memory(&mut self, spare: &SpareBuffers) {
        if let Cutter::Containers(cutter) = &mut self.cutter {
            cutter.spare = Some(spare.clone());
        }
    }

    fn read(&mut self, batch: &mut RawBatch) -> io::Result<Event> {
        batch.clear();
        match &mut self.cutter {
            Cutter::Containers(cutter) => cutter.read(&mut self.stream, batch),
            Cutter::Lines(_, cutter) => cutter.read(&mut self.stream, batch),
        }
    }

    fn wait(&mut self, latches: &[&Latch], until: Option<Instant>) -> io::Result<Ready> {
        self.stream.wait_readable(latches, until)
    }
}
