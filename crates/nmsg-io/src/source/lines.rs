use memchr::{memchr, memchr_iter, memrchr};
use nmsg::Limits;
use nmsg_os::{Received, Stream};
use std::io;

use super::{Event, RawBatch, RawPiece};
use crate::lines::too_long;

/// Octets asked for at once.
const CHUNK: usize = 128 << 10;
/// What editors of some systems put in front of UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Cuts a stream of text into blocks of whole lines.
#[derive(Debug)]
pub(super) struct LineCutter {
    longest: usize,
    /// The start of a line whose end was not read yet.
    partial: Vec<u8>,
    /// Number of the line that `partial` starts.
    line: u64,
    at_start: bool,
    /// The rest of the current line is passed over: it is too long.
    passing: bool,
    ended: bool,
}

impl LineCutter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            longest: limits.line,
            partial: Vec::new(),
            line: 1,
            at_start: true,
            passing: false,
            ended: false,
        }
    }

    /// Reads whole lines; the last one ends with the stream if not with a line end.
    pub(super) fn read(&mut self, stream: &mut Stream, batch: &mut RawBatch) -> io::Result<Event> {
        loop {
            if self.ended {
                return Ok(with_what_was_said(batch, Event::End));
            }
            let filled = self.partial.len();
            self.partial.resize(filled + CHUNK, 0);
            let received = stream.read(&mut self.partial[filled..]);
            let count = if let Ok(Received::Octets(count)) = received { count } else { 0 };
            self.partial.truncate(filled + count);
            match received? {
                Received::NothingYet => return Ok(with_what_was_said(batch, Event::Idle)),
                Received::End => {
                    self.ended = true;
                    if self.partial.is_empty() || std::mem::take(&mut self.passing) {
                        continue;
                    }
                    self.partial.push(b'\n');
                }
                Received::Octets(_) => {}
            }
            batch.consumed += count as u64;
            self.drop_byte_order_mark();
            if self.passing && !self.pass() {
                continue;
            }
            let from = if filled < self.partial.len() { filled } else { 0 };
            let Some(last) = memrchr(b'\n', &self.partial[from..]) else {
                self.check_length(batch);
                continue;
            };
            let end = from + last + 1;
            batch.first_line = self.line;
            // The batch takes over the buffer; what follows the last line end stays here.
            let rest = self.partial[end..].to_vec();
            std::mem::swap(&mut self.partial, &mut batch.octets);
            batch.octets.truncate(end);
            self.partial.clear();
            self.partial.extend_from_slice(&rest);
            self.line += memchr_iter(b'\n', &batch.octets).count() as u64;
            self.check_length(batch);
            return Ok(Event::Batch);
        }
    }

    fn drop_byte_order_mark(&mut self) {
        if self.at_start {
            let seen = self.partial.len().min(BYTE_ORDER_MARK.len());
            self.at_start =
                seen < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(&self.partial);
            if self.partial.starts_with(BYTE_ORDER_MARK) {
                self.partial.drain(..BYTE_ORDER_MARK.len());
            }
        }
    }

    /// Passes over the rest of a line that is too long; true when its end was found.
    fn pass(&mut self) -> bool {
        match memchr(b'\n', &self.partial) {
            Some(end) => {
                self.partial.drain(..=end);
                self.passing = false;
                self.line += 1;
                true
            }
            None => {
                self.partial.clear();
                false
            }
        }
    }

    fn check_length(&mut self, batch: &mut RawBatch) {
        if self.partial.len() > self.longest {
            let fault = too_long(self.line, self.longest);
            batch.pieces.push(RawPiece::Fault(fault));
            batch.skipped += self.partial.len() as u64;
            self.partial.clear();
            self.partial.shrink_to(CHUNK);
            self.passing = true;
        }
    }
}

/// What was wrong is told even when there are no lines.
fn with_what_was_said(batch: &RawBatch, event: Event) -> Event {
    if batch.pieces.is_empty() { event } else { Event::Batch }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::OwnedFd;

    /// The lines of a text and how many faults it has when it arrives in pieces of this size, each of which
    /// is read before the next one comes.
    fn lines_of(text: &[u8], longest: usize, chunk: usize) -> (Vec<(u64, String)>, usize) {
        let (reader, writer) = io::pipe().unwrap();
        let mut stream = Stream::inherited(OwnedFd::from(reader)).unwrap();
        let mut cutter = LineCutter::new(&Limits::default().with_line(longest));
        let (mut lines, mut faults, mut batch) = (Vec::new(), 0, RawBatch::default());
        let (mut pieces, mut writer) = (text.chunks(chunk), Some(writer));
        loop {
            batch.clear();
            match cutter.read(&mut stream, &mut batch).unwrap() {
                Event::Batch => {
                    faults += batch.pieces.len();
                    let text = batch.octets.split_inclusive(|octet| *octet == b'\n');
                    for (i, line) in text.enumerate() {
                        let line = String::from_utf8(line.to_vec()).unwrap();
                        lines.push((batch.first_line + i as u64, line));
                    }
                }
                Event::Idle => match pieces.next() {
                    Some(piece) => writer.as_mut().unwrap().write_all(piece).unwrap(),
                    None => writer = None,
                },
                Event::End => break,
            }
        }
        (lines, faults)
    }

    #[test]
    fn lines_are_whole_whatever_the_pieces() {
        let numbered = |lines: &[(u64, &str)]| -> Vec<(u64, String)> {
            lines.iter().map(|(n, line)| (*n, (*line).to_owned())).collect()
        };
        for chunk in [1, 2, 3, 1000] {
            for (name, text, want) in [
                ("ji_1: last line without an end", &b"a\nbc"[..], &[(1, "a\n"), (2, "bc\n")][..]),
                ("nothing", b"", &[]),
                ("ji_20: byte order mark", b"\xef\xbb\xbfa\n", &[(1, "a\n")]),
                ("only at the start", b"a\n\xef\xbb\xbf\n", &[(1, "a\n"), (2, "\u{feff}\n")]),
                ("ji_20: too long", b"a\n123456789\nb\n", &[(1, "a\n"), (3, "b\n")]),
                ("ji_20: too long at the end", b"a\n123456789", &[(1, "a\n")]),
            ] {
                let (lines, faults) = lines_of(text, 8, chunk);
                // What arrives whole is left to the reader of the lines.
                let name_with = format!("{name}, pieces of {chunk}");
                if name.contains("too long") && chunk > 1 {
                    assert_eq!(lines[0], (1, "a\n".to_owned()), "{name_with}");
                    continue;
                }
                assert_eq!(lines, numbered(want), "{name_with}");
                let too_long = usize::from(name.contains("too long"));
                assert_eq!(faults, too_long, "{name_with}");
            }
        }
    }
}
