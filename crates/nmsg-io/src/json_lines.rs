use nmsg::{Aliases, JsonReader, Limits, LineError, Registry, Timestamp};

use crate::batch::{Batch, Span};
use crate::fault::{Fault, Problem};
use crate::lines::{LeftOut, each_line, now, too_long};
use crate::source::{RawBatch, RawPiece};

/// Reads the lines of a batch as JSON records.
#[derive(Debug)]
pub(crate) struct JsonLines<'r> {
    reader: JsonReader<'r>,
    /// Unusable lines are kept with their fault.
    keeps_lines: bool,
    longest: usize,
    left_out: LeftOut,
}

impl<'r> JsonLines<'r> {
    /// A reader for the types of `registry`; with `keeps_lines`, unusable lines can be shown.
    pub(crate) fn new(
        registry: &'r Registry,
        aliases: &'r Aliases,
        limits: &Limits,
        keeps_lines: bool,
    ) -> Self {
        let reader = JsonReader::new(registry, aliases);
        Self { reader, keeps_lines, longest: limits.line, left_out: LeftOut::default() }
    }

    /// Appends the payloads of all lines to `batch`.
    pub(crate) fn decode(&mut self, raw: &mut RawBatch, batch: &mut Batch) {
        let now = now();
        each_line(&raw.octets, raw.first_line, |number, line| {
            if line.len() > self.longest {
                return unusable(too_long(number, self.longest), line, batch);
            }
            if let Err(error) = self.read(line, now, batch) {
                let text = self.keeps_lines.then(|| line.to_vec());
                let reason = error.to_string();
                unusable(Fault::UnusableLine { line: number, reason, text }, line, batch);
            }
            self.left_out.tell(self.reader.notices(), number, batch);
        });
        for piece in raw.pieces.drain(..) {
            if let RawPiece::Fault(fault) = piece {
                unusable(fault, b"", batch);
            }
        }
    }

    /// Appends the payloads of all records of a broker to `batch`.
    pub(crate) fn decode_records(&mut self, raw: &mut RawBatch, batch: &mut Batch) {
        let now = now();
        let mut place = None;
        for piece in raw.pieces.drain(..) {
            match piece {
                RawPiece::Record(position) => place = Some(position),
                RawPiece::Receipt(number) => batch.receipts.push((batch.len(), number)),
                RawPiece::Fault(fault) => unusable(fault.placed(place), b"", batch),
                RawPiece::Json(range) => {
                    let record = raw.octets.get(range).unwrap_or_default();
                    if let Err(error) = self.read(record, now, batch) {
                        let text = self.keeps_lines.then(|| record.to_vec());
                        let fault = Fault::UnusableRecord { reason: error.to_string(), text };
                        unusable(fault.placed(place), record, batch);
                    }
                    self.left_out.tell(self.reader.notices(), 0, batch);
                }
                RawPiece::Container { .. }
                | RawPiece::CutShort { .. }
                | RawPiece::Message { .. } => {}
            }
        }
    }

    /// Appends the payload of one document.
    #[inline]
    fn read(
        &mut self,
        document: &[u8],
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), LineError> {
        let start = batch.octets.len();
        if let Some(header) = self.reader.read_line(document, now, &mut batch.octets)? {
            let body = Span::new(start, batch.octets.len() - start);
            batch.push_span(&header.payload(&[]), header.has_body.then_some(body));
        }
        Ok(())
    }
}

#[cold]
fn unusable(fault: Fault, line: &[u8], batch: &mut Batch) {
    batch.tally.damaged_octets += line.len() as u64;
    batch.problems.push(Problem { position: batch.len(), fault });
}
