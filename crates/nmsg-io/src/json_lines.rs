use nmsg::{Aliases, JsonReader, LabelKey, Limits, Registry, Timestamp};
use std::io::BufRead;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::batch::{Batch, Span};
use crate::fault::{Fault, Problem};
use crate::source::{RawBatch, RawPiece};

/// Reads the lines of a batch as JSON records.
#[derive(Debug)]
pub struct JsonLines<'r> {
    reader: JsonReader<'r>,
    /// Unusable lines are kept with their fault.
    keeps_lines: bool,
    longest: usize,
    /// Names and response texts that were left out so far.
    left_out: (u64, u64),
}

impl<'r> JsonLines<'r> {
    /// A reader for the types of `registry`; with `keeps_lines`, unusable lines can be shown.
    #[must_use]
    pub fn new(
        registry: &'r Registry,
        aliases: &'r Aliases,
        limits: &Limits,
        keeps_lines: bool,
    ) -> Self {
        let longest = limits.line;
        Self { longest, reader: JsonReader::new(registry, aliases), keeps_lines, left_out: (0, 0) }
    }

    /// Appends the payloads of all lines to `batch`.
    pub(crate) fn decode(&mut self, raw: &mut RawBatch, batch: &mut Batch) {
        let now = now();
        let mut rest = &*raw.octets;
        let mut number = raw.first_line;
        while !rest.is_empty() {
            // The standard library's fastest search for an octet; a slice cannot fail.
            let len = (&mut &*rest).skip_until(b'\n').unwrap_or(rest.len());
            let (line, behind) = rest.split_at(len);
            rest = behind;
            if len > self.longest {
                let fault = too_long(number, self.longest);
                problem(batch, fault);
                batch.tally.damaged_octets += len as u64;
                number += 1;
                continue;
            }
            let start = batch.octets.len();
            match self.reader.read_line(line, now, &mut batch.octets) {
                Ok(Some(header)) => {
                    let body = Span::new(start, batch.octets.len() - start);
                    batch.push_span(&header.payload(&[]), header.has_body.then_some(body));
                }
                Ok(None) => {}
                Err(error) => {
                    let text = self.keeps_lines.then(|| line.to_vec());
                    let reason = error.to_string();
                    problem(batch, Fault::UnusableLine { line: number, reason, text });
                    batch.tally.damaged_octets += line.len() as u64;
                }
            }
            let notices = self.reader.notices();
            let left_out = (notices.unknown_names(), notices.response_texts());
            if left_out != self.left_out {
                self.tell_what_was_left_out(number, left_out, batch);
            }
            number += 1;
        }
        for piece in raw.pieces.drain(..) {
            if let RawPiece::Fault(fault) = piece {
                problem(batch, fault);
            }
        }
    }

    #[cold]
    fn tell_what_was_left_out(&mut self, line: u64, left_out: (u64, u64), batch: &mut Batch) {
        let (names, texts) = (left_out.0 - self.left_out.0, left_out.1 - self.left_out.1);
        self.left_out = left_out;
        let fresh = self.reader.notices().take_unknown_names();
        let said_before = names.saturating_sub(fresh.len() as u64);
        for (label, name) in fresh {
            let label = match label {
                LabelKey::Operator => "operator",
                LabelKey::Group => "group",
            };
            let what = format!("{label} {} has no number and was left out", name.escape_ascii());
            problem(batch, Fault::LeftOut { line, what });
        }
        for _ in 0..said_before {
            problem(batch, Fault::LeftOut { line, what: String::new() });
        }
        for _ in 0..texts {
            let what = "the text of a response cannot be read back and was left out".to_owned();
            problem(batch, Fault::LeftOut { line, what });
        }
    }
}

/// A line longer than the limit.
#[cold]
pub(crate) fn too_long(line: u64, longest: usize) -> Fault {
    let reason = format!("longer than {longest} bytes");
    Fault::UnusableLine { line, reason, text: None }
}

#[cold]
fn problem(batch: &mut Batch, fault: Fault) {
    batch.problems.push(Problem { position: batch.entries.len(), fault });
}

/// The time of records that have none.
pub(crate) fn now() -> Timestamp {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => Timestamp { sec: since.as_secs() as i64, nsec: since.subsec_nanos() },
        Err(_) => Timestamp::default(),
    }
}
