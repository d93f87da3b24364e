//! Cutting a stream of octets into lines.

use crate::Limits;

/// What UTF-8 text from some systems starts with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Room made at once for input.
const CHUNK: usize = 64 << 10;

/// One line without its newline.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Line<'a> {
    /// Line number, from 1.
    pub number: u64,
    /// The octets; a carriage return before the newline is still there.
    pub text: &'a [u8],
}

/// Cuts octets that arrive in pieces into lines. Lines come out as soon as they are complete;
/// those beyond [`Limits::line`] are skipped and counted (`decisions` JI-1, JI-2, JI-20).
///
/// ```
/// let mut lines = nmsg::text::LineSplitter::new(&nmsg::Limits::default());
/// lines.push(b"first\nsec");
/// assert_eq!(lines.next_line().map(|line| line.text), Some(&b"first"[..]));
/// assert_eq!(lines.next_line(), None);
/// lines.push(b"ond");
/// assert_eq!(lines.finish().map(|line| (line.number, line.text)), Some((2, &b"second"[..])));
/// ```
#[derive(Debug)]
pub struct LineSplitter {
    /// Initialised in full; octets `start..end` are pending.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Pending octets that are known to hold no newline.
    searched: usize,
    limit: usize,
    number: u64,
    skipping: bool,
    too_long: u64,
    at_start: bool,
}

impl LineSplitter {
    /// A splitter at the start of a file.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            end: 0,
            searched: 0,
            limit: limits.line,
            number: 0,
            skipping: false,
            too_long: 0,
            at_start: true,
        }
    }

    /// Room for input to be read into, at least one octet; [`LineSplitter::filled`] says how much
    /// was used.
    pub fn room(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end, self.searched) = (0, 0, 0);
        }
        if self.buffer.len() - self.end < CHUNK / 2 {
            if self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            }
            // Doubling keeps the copying linear.
            let wanted = (self.end * 2).max(CHUNK);
            if self.buffer.len() < wanted {
                self.buffer.resize(wanted, 0);
            }
        }
        &mut self.buffer[self.end..]
    }

    /// Says that the first `len` octets of [`LineSplitter::room`] were filled.
    pub fn filled(&mut self, len: usize) {
        self.end += len.min(self.buffer.len() - self.end);
    }

    /// Adds octets.
    pub fn push(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            let room = self.room();
            let (now, later) = octets.split_at(octets.len().min(room.len()));
            room[..now.len()].copy_from_slice(now);
            self.filled(now.len());
            octets = later;
        }
    }

    /// The next complete line; `None` until more octets arrive.
    #[inline]
    pub fn next_line(&mut self) -> Option<Line<'_>> {
        loop {
            let pending = &self.buffer[self.start..self.end];
            let Some(found) = memchr::memchr(b'\n', &pending[self.searched..]) else {
                self.searched = pending.len();
                if pending.len() > self.limit {
                    self.skipping = true;
                }
                if self.skipping {
                    (self.start, self.searched) = (self.end, 0);
                }
                return None;
            };
            let len = self.searched + found;
            let start = self.start;
            self.start += len + 1;
            self.searched = 0;
            if let Some(range) = self.line(start, len) {
                return Some(Line { number: self.number, text: &self.buffer[range] });
            }
        }
    }

    /// The last line, if it has no newline. Call it when the input ends and
    /// [`LineSplitter::next_line`] has nothing left.
    pub fn finish(&mut self) -> Option<Line<'_>> {
        let (start, len) = (self.start, self.end - self.start);
        self.start = self.end;
        self.searched = 0;
        if len == 0 && !self.skipping {
            return None;
        }
        let range = self.line(start, len)?;
        Some(Line { number: self.number, text: &self.buffer[range] })
    }

    /// Counts a line and gives its place, unless it is too long.
    fn line(&mut self, mut start: usize, len: usize) -> Option<std::ops::Range<usize>> {
        self.number += 1;
        let end = start + len;
        if std::mem::take(&mut self.at_start)
            && self.buffer[start..end].starts_with(BYTE_ORDER_MARK)
        {
            start += BYTE_ORDER_MARK.len();
        }
        if std::mem::take(&mut self.skipping) || end - start > self.limit {
            self.too_long += 1;
            return None;
        }
        Some(start..end)
    }

    /// Number of lines skipped because they were too long.
    #[must_use]
    pub fn too_long(&self) -> u64 {
        self.too_long
    }

    /// Octets taken in that did not come out as a line yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.end - self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&[u8]], limit: usize) -> (Vec<(u64, Vec<u8>)>, u64) {
        let mut lines = LineSplitter::new(&Limits { line: limit, ..Limits::default() });
        let mut got = Vec::new();
        for piece in pieces {
            lines.push(piece);
            while let Some(line) = lines.next_line() {
                got.push((line.number, line.text.to_vec()));
            }
        }
        if let Some(line) = lines.finish() {
            got.push((line.number, line.text.to_vec()));
        }
        assert_eq!(lines.finish(), None);
        (got, lines.too_long())
    }

    #[test]
    fn ji_1_the_last_line_needs_no_newline() {
        for (name, text, want) in [
            ("nothing", &b""[..], &[][..]),
            ("newline only", b"\n", &[&b""[..]]),
            ("without", b"a\nb", &[b"a", b"b"]),
            ("with", b"a\nb\n", &[b"a", b"b"]),
            ("carriage return stays", b"a\r\n", &[b"a\r"]),
        ] {
            let got: Vec<_> = split(&[text], 100).0.into_iter().map(|(_, text)| text).collect();
            assert_eq!(got, want, "{name}");
        }
    }

    #[test]
    fn ji_2_lines_in_the_buffer_come_out_at_once() {
        let mut lines = LineSplitter::new(&Limits::default());
        lines.push(b"one\ntwo\nthr");
        let mut next = || lines.next_line().map(|line| line.text.to_vec());
        assert_eq!(next(), Some(b"one".to_vec()));
        assert_eq!(next(), Some(b"two".to_vec()));
        assert_eq!(next(), None);
    }

    #[test]
    fn ji_20_long_lines_are_skipped_and_counted_and_a_byte_order_mark_is_skipped() {
        for (name, pieces, want, too_long) in [
            ("exact", &[&b"1234\n"[..]][..], &[(1, &b"1234"[..])][..], 0),
            ("over", &[b"12345\nab\n"], &[(2, b"ab")], 1),
            ("over in pieces", &[b"123", b"456", b"789\nab\n"], &[(2, b"ab")], 1),
            ("over at the end", &[b"ab\n123456"], &[(1, b"ab")], 1),
            ("over at the end in pieces", &[b"ab\n123456", b"7"], &[(1, b"ab")], 1),
            ("newline alone after", &[b"123456", b"\n", b"ab\n"], &[(2, b"ab")], 1),
            ("mark", &[b"\xef\xbb\xbf1234\nab"], &[(1, b"1234"), (2, b"ab")], 0),
            ("mark later", &[b"a\n\xef\xbb\xbf\n"], &[(1, b"a"), (2, b"\xef\xbb\xbf")], 0),
        ] {
            let (got, count) = split(pieces, 4);
            let want: Vec<_> = want.iter().map(|&(n, text)| (n, text.to_vec())).collect();
            assert_eq!((got, count), (want, too_long), "{name}");
        }
    }

    #[test]
    fn a_long_line_is_not_kept() {
        let mut lines = LineSplitter::new(&Limits { line: 1000, ..Limits::default() });
        for _ in 0..10_000 {
            lines.push(&[b'x'; 1000]);
            assert_eq!(lines.next_line(), None);
        }
        assert!(lines.buffer.len() <= 2 * CHUNK);
    }

    #[test]
    fn cuts_do_not_depend_on_the_pieces() {
        let text: Vec<u8> =
            (0..300_000_u32).map(|i| if i % 997 == 0 { b'\n' } else { i as u8 | 0x20 }).collect();
        let want: Vec<Vec<u8>> = text.split(|&octet| octet == b'\n').map(<[u8]>::to_vec).collect();
        for size in [1, 7, 4096, 100_000, 300_000] {
            let pieces: Vec<&[u8]> = text.chunks(size).collect();
            let got: Vec<Vec<u8>> = split(&pieces, 1 << 20).0.into_iter().map(|l| l.1).collect();
            assert_eq!(got, want, "{size}");
        }
    }
}
