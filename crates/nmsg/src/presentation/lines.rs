//! Lines that wait to be read, and searches among them.

use super::header::Header;

/// Memory that a line takes beyond its text.
const LINE_OVERHEAD: usize = size_of::<(u64, usize)>();

/// A run of lines that were searched, so that no search looks twice.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gap {
    from: usize,
    /// What is looked for is not before this line.
    to: usize,
    crlf: bool,
}

impl Gap {
    /// The first line from `from` on and before `end` that passes the test, which depends on the
    /// line and on `crlf` alone.
    pub(super) fn find(
        &mut self,
        from: usize,
        end: usize,
        crlf: bool,
        test: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let known = self.crlf == crlf && (self.from..self.to).contains(&from);
        let start = if known { self.to } else { from };
        let found = (start..end).find(|&line| test(line));
        let first = if known { self.from } else { from };
        *self = Self { from: first, to: found.unwrap_or(end.max(start)), crlf };
        found
    }
}

/// Lines in one buffer.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: Vec<u8>,
    /// Number and start of each line.
    starts: Vec<(u64, usize)>,
    no_dot: Gap,
    no_dump_end: Gap,
    no_header: Gap,
}

impl Lines {
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Memory that the lines from `line` on take.
    pub(super) fn size_from(&self, line: usize) -> usize {
        let start = self.starts.get(line).map_or(self.text.len(), |start| start.1);
        self.text.len() - start + LINE_OVERHEAD * self.len().saturating_sub(line)
    }

    pub(super) fn push(&mut self, number: u64, text: &[u8]) {
        self.starts.push((number, self.text.len()));
        self.text.extend_from_slice(text);
    }

    pub(super) fn get(&self, line: usize) -> &[u8] {
        let Some(&(_, start)) = self.starts.get(line) else { return &[] };
        let end = self.starts.get(line + 1).map_or(self.text.len(), |next| next.1);
        &self.text[start..end]
    }

    pub(super) fn number(&self, line: usize) -> u64 {
        self.starts.get(line).map_or(0, |start| start.0)
    }

    /// Forgets the lines before `line`.
    pub(super) fn drop_front(&mut self, line: usize) {
        let cut = self.starts.get(line).map_or(self.text.len(), |start| start.1);
        self.text.drain(..cut);
        self.starts.drain(..line.min(self.starts.len()));
        for start in &mut self.starts {
            start.1 -= cut;
        }
        self.forget_gaps();
    }

    /// Forgets the lines from `line` on.
    pub(super) fn truncate(&mut self, line: usize) {
        if let Some(&(_, start)) = self.starts.get(line) {
            self.text.truncate(start);
            self.starts.truncate(line);
        }
        self.forget_gaps();
    }

    fn forget_gaps(&mut self) {
        (self.no_dot, self.no_dump_end, self.no_header) = Default::default();
    }

    /// The next header from `from` on, or `end`.
    pub(super) fn header_from(&mut self, from: usize, end: usize) -> usize {
        let mut gap = self.no_header;
        let found = gap.find(from, end, false, |line| Header::parse(self.get(line)).is_some());
        self.no_header = gap;
        found.unwrap_or(end)
    }

    /// The next line `.` from `from` on and before `end`.
    pub(super) fn dot_from(&mut self, from: usize, end: usize, crlf: bool) -> Option<usize> {
        let mut gap = self.no_dot;
        let found = gap.find(from, end, crlf, |line| is_dot(self.get(line), crlf));
        self.no_dot = gap;
        found
    }

    /// The next line that ends the text of a DNS message.
    pub(super) fn dump_end_from(&mut self, from: usize, end: usize) -> Option<usize> {
        let mut gap = self.no_dump_end;
        let found = gap.find(from, end, false, |line| is_dump_end(self.get(line)));
        self.no_dump_end = gap;
        found
    }
}

pub(super) fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"" | b"\r")
}

pub(super) fn is_dot(line: &[u8], crlf: bool) -> bool {
    line == b"." || crlf && line == b".\r"
}

pub(super) fn ends_in_cr(line: &[u8]) -> bool {
    line.ends_with(b"\r")
}

/// The line without the carriage return that ends it in such a file.
pub(super) fn content(line: &[u8], crlf: bool) -> &[u8] {
    if crlf { line.strip_suffix(b"\r").unwrap_or(line) } else { line }
}

pub(super) fn is_dump_end(line: &[u8]) -> bool {
    content(line, true) == b"---"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_answers_as_a_search_does() {
        let marked = [3, 4, 9, 20];
        let mut gap = Gap::default();
        for (from, end) in [(5, 8), (6, 9), (5, 12), (10, 15), (11, 19), (12, 25), (0, 2), (1, 30)]
        {
            let want = (from..end).find(|line| marked.contains(line));
            let got = gap.find(from, end, false, |line| marked.contains(&line));
            assert_eq!(got, want, "{from}..{end}");
        }
    }
}
