use nmsg::{Aliases, Limits, PresentationReader, schema::Schema};
use std::sync::Arc;

use crate::batch::{Batch, Span};
use crate::fault::{Fault, Problem};
use crate::lines::{LeftOut, each_line, now};
use crate::source::{RawBatch, RawPiece};

/// Reads the lines of an input as records in presentation form. Unlike JSON, what a line means
/// depends on the lines before it: batches come in order.
#[derive(Debug)]
pub(crate) struct PresentationLines<'r> {
    reader: PresentationReader<'r>,
    left_out: LeftOut,
    line: u64,
}

impl<'r> PresentationLines<'r> {
    pub(crate) fn new(schema: &Arc<Schema>, aliases: &'r Aliases, limits: &Limits) -> Self {
        let reader = PresentationReader::new(Arc::clone(schema), aliases, limits);
        Self { reader, left_out: LeftOut::default(), line: 0 }
    }

    /// Appends the payloads of all records that are complete.
    pub(crate) fn decode(&mut self, raw: &mut RawBatch, batch: &mut Batch) {
        each_line(&raw.octets, raw.first_line, |number, line| {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            self.reader.push_line(number, line);
            self.line = number;
            self.take_records(batch);
        });
        for piece in raw.pieces.drain(..) {
            if let RawPiece::Fault(Fault::UnusableLine { line, reason, .. }) = piece {
                refused(line, reason, batch);
            }
        }
    }

    /// Nothing more will come: appends the payload of a last record without a blank line behind it.
    pub(crate) fn finish(&mut self, batch: &mut Batch) {
        self.reader.finish();
        self.take_records(batch);
    }

    fn take_records(&mut self, batch: &mut Batch) {
        loop {
            let start = batch.octets.len();
            match self.reader.next_record(now(), &mut batch.octets) {
                Some(Ok(header)) => {
                    let body = Span::new(start, batch.octets.len() - start);
                    batch.push_span(&header.payload(&[]), header.has_body.then_some(body));
                }
                Some(Err(error)) => refused(error.line, error.kind.to_string(), batch),
                None => break,
            }
        }
        self.left_out.tell(self.reader.notices(), self.line, batch);
    }
}

#[cold]
fn refused(line: u64, reason: String, batch: &mut Batch) {
    let position = batch.len();
    batch.problems.push(Problem { position, fault: Fault::BadRecord { line, reason } });
}
