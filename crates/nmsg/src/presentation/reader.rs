use std::collections::VecDeque;
use std::sync::Arc;

use super::error::{RecordError, RecordErrorKind};
use super::header::{Header, decimal};
use super::lines::{Gap, Lines, content, ends_in_cr, is_blank, is_dot, is_dump_end};
use super::record::{Block, FieldLine, Record};
use crate::alias::AliasTable;
use crate::builder::MessageBuilder;
use crate::notices::{LabelKey, Notices};
use crate::record::{RecordHeader, label};
use crate::schema::Schema;
use crate::{Aliases, Limits, Timestamp};

/// Reads records of one message type in presentation form, line by line
/// (`rendering-and-parsing` §8, `decisions` PI-1 to PI-9).
///
/// ```
/// use nmsg::{Aliases, Limits, PresentationReader, Registry, Timestamp};
///
/// let (registry, aliases) = (Registry::builtin(), Aliases::default());
/// let schema = registry.find(b"base", b"ipconn").expect("a built-in type");
/// let mut reader = PresentationReader::new(schema.clone(), &aliases, &Limits::default());
/// reader.push_line(1, b"srcport: 53");
/// reader.push_line(2, b"");
/// let mut body = Vec::new();
/// let header = reader.next_record(Timestamp { sec: 7, nsec: 0 }, &mut body).unwrap().unwrap();
/// assert_eq!((header.time.sec, &body[..]), (7, &[0x18, 53][..]));
/// ```
#[derive(Debug)]
pub struct PresentationReader<'a> {
    schema: Arc<Schema>,
    aliases: &'a Aliases,
    limit: usize,
    record: Record,
    notices: Notices,
    /// Lines that were given and not yet read.
    lines: Lines,
    /// First line that was not read.
    next: usize,
    /// Lines before this one make whole records.
    whole: usize,
    /// What the last line given lies in.
    block: Block,
    /// The last line given belongs to a record.
    in_record: bool,
    /// The record of the last line given has carriage returns before its newlines.
    crlf: bool,
    /// Whether records have headers; unknown before the first line that is not blank.
    headers: Option<bool>,
    /// Blank lines before that line, which each may be an empty message.
    leading_blanks: u64,
    /// The rest of a record that is too long is thrown away.
    discarding: bool,
    /// Records that were too long, each before the line with this index.
    too_long: VecDeque<(usize, RecordError)>,
    /// Where multi-line text has no end that a dot is glued to.
    no_glued_end: Gap,
}

impl<'a> PresentationReader<'a> {
    /// A reader of messages of this type. A record may be as long as a line ([`Limits::line`]).
    #[must_use]
    pub fn new(schema: Arc<Schema>, aliases: &'a Aliases, limits: &Limits) -> Self {
        Self {
            record: Record::new(MessageBuilder::new(Arc::clone(&schema))),
            schema,
            aliases,
            limit: limits.line,
            notices: Notices::default(),
            lines: Lines::default(),
            next: 0,
            whole: 0,
            block: Block::Line,
            in_record: false,
            crlf: false,
            headers: None,
            leading_blanks: 0,
            discarding: false,
            too_long: VecDeque::new(),
            no_glued_end: Gap::default(),
        }
    }

    /// Names without a number that were left out so far.
    pub fn notices(&mut self) -> &mut Notices {
        &mut self.notices
    }

    /// Gives the next line, without its newline. [`PresentationReader::next_record`] says what it
    /// completed.
    pub fn push_line(&mut self, number: u64, line: &[u8]) {
        let header = line.first() == Some(&b'[') && Header::parse(line).is_some();
        let blank = is_blank(line);
        if !self.discarding && self.lines.size_from(self.whole) + line.len() > self.limit {
            self.give_up(number);
        }
        if self.discarding {
            self.discarding = !header && !blank;
            if !header {
                return;
            }
        }
        if header {
            self.whole = self.lines.len();
            self.headers.get_or_insert(true);
            self.start_record(line);
        } else if self.in_record {
            self.continue_record(line);
        } else if !blank {
            self.headers.get_or_insert(false);
            self.start_record(line);
            self.enter_block(line);
        } else if self.headers.is_none() {
            self.leading_blanks += 1;
            return;
        } else {
            self.whole = self.lines.len() + 1;
        }
        self.lines.push(number, line);
    }

    fn start_record(&mut self, line: &[u8]) {
        self.in_record = true;
        self.block = Block::Line;
        self.crlf = ends_in_cr(line);
    }

    fn enter_block(&mut self, line: &[u8]) {
        self.block = FieldLine::parse(line).map_or(Block::Line, |line| line.block(&self.schema));
        if self.block == Block::Datagram && self.headers != Some(true) {
            // Nothing would end it.
            self.block = Block::Line;
        }
    }

    fn continue_record(&mut self, line: &[u8]) {
        match self.block {
            Block::Line if is_blank(line) => {
                self.in_record = false;
                self.whole = self.lines.len() + 1;
            }
            Block::Line => self.enter_block(line),
            Block::Multiline if is_dot(line, self.crlf) => self.block = Block::Line,
            Block::Dump if is_dump_end(line) => self.block = Block::Line,
            Block::Multiline | Block::Dump | Block::Datagram => {}
        }
    }

    /// Throws away the record that got too long with line `number`.
    #[cold]
    fn give_up(&mut self, number: u64) {
        self.lines.truncate(self.whole);
        if self.whole > self.next && !is_blank(self.lines.get(self.whole - 1)) {
            // What follows must not join the record before.
            self.lines.push(number, b"");
            self.whole += 1;
        }
        self.too_long.push_back((self.whole, RecordError::new(RecordErrorKind::TooLong, number)));
        (self.in_record, self.block) = (false, Block::Line);
        self.headers.get_or_insert(false);
        self.discarding = true;
    }

    /// Says that no more lines come: what was given is whole.
    pub fn finish(&mut self) {
        self.whole = self.lines.len();
        self.in_record = false;
        self.headers.get_or_insert(false);
    }

    /// Reads the next whole record and appends the encoded message to `body`; `None` until more
    /// lines complete one. `now` is the time of records without a header.
    ///
    /// # Errors
    ///
    /// The record is refused and skipped up to the next blank line; nothing is appended. Go on
    /// with the next call (`decisions` PI-5).
    pub fn next_record(
        &mut self,
        now: Timestamp,
        body: &mut Vec<u8>,
    ) -> Option<Result<RecordHeader, RecordError>> {
        self.record.clear();
        if self.headers == Some(false) && self.leading_blanks > 0 {
            self.leading_blanks -= 1;
            return Some(Ok(
                self.encode(RecordHeader { time: now, ..RecordHeader::default() }, body)
            ));
        }
        loop {
            if let Some(refused) = self.too_long.pop_front_if(|refused| refused.0 <= self.next) {
                return Some(Err(refused.1));
            }
            if self.next >= self.whole {
                break;
            }
            if !is_blank(self.lines.get(self.next)) {
                return Some(self.read(now, body));
            }
            self.next += 1;
            // `decisions` PI-7
            if self.headers == Some(false) {
                let header = RecordHeader { time: now, ..RecordHeader::default() };
                return Some(Ok(self.encode(header, body)));
            }
        }
        if self.next > 0 {
            self.lines.drop_front(self.next);
            self.no_glued_end = Gap::default();
            self.whole -= self.next;
            self.next = 0;
        }
        None
    }

    /// Reads the record that starts at the next line.
    fn read(&mut self, now: Timestamp, body: &mut Vec<u8>) -> Result<RecordHeader, RecordError> {
        let crlf = ends_in_cr(self.lines.get(self.next));
        let result = self.header(now).and_then(|(header, exact)| {
            self.fields(crlf, exact)?;
            Ok(header)
        });
        match result {
            Ok(header) => {
                self.record.finish(&self.schema)?;
                Ok(self.encode(header, body))
            }
            Err(error) => {
                self.skip_record(crlf);
                Err(error)
            }
        }
    }

    fn encode(&self, header: RecordHeader, body: &mut Vec<u8>) -> RecordHeader {
        self.record.builder.encode(body);
        let declaration = self.schema.message_type();
        let (vendor, msgtype) = (declaration.vendor, declaration.id);
        RecordHeader { vendor, msgtype, has_body: true, ..header }
    }

    fn error(&self, kind: RecordErrorKind) -> RecordError {
        RecordError::new(kind, self.lines.number(self.next))
    }

    /// Reads the header line, if there is one, and tells whether there is.
    fn header(&mut self, now: Timestamp) -> Result<(RecordHeader, bool), RecordError> {
        let Some(header) = Header::parse(self.lines.get(self.next)) else {
            return Ok((RecordHeader { time: now, ..RecordHeader::default() }, false));
        };
        let declaration = self.schema.message_type();
        if (header.vendor, header.msgtype) != (declaration.vendor, declaration.id) {
            return Err(self.error(RecordErrorKind::WrongType));
        }
        let mut number = |text: &[u8], table: &AliasTable, key| {
            let number = table.number(text).or_else(|| decimal(text));
            if number.is_none() && !text.is_empty() {
                self.notices.unknown_name(key, text);
            }
            label(number.unwrap_or(0))
        };
        let header = RecordHeader {
            time: header.time,
            source: label(header.source),
            operator: number(header.operator, &self.aliases.operators, LabelKey::Operator),
            group: number(header.group, &self.aliases.groups, LabelKey::Group),
            ..RecordHeader::default()
        };
        self.next += 1;
        Ok((header, true))
    }

    /// Reads field lines up to and with the blank line that ends the record, or up to the next
    /// header.
    fn fields(&mut self, crlf: bool, exact: bool) -> Result<(), RecordError> {
        let end = self.lines.header_from(self.next, self.whole);
        let schema = Arc::clone(&self.schema);
        // With a header the line ends of the file are known: any other carriage return is text.
        let strip = crlf || !exact;
        while self.next < end {
            let line = self.lines.get(self.next);
            if is_blank(line) {
                self.next += 1;
                return Ok(());
            }
            let Some(field_line) = FieldLine::parse(content(line, strip)) else {
                return Err(self.error(RecordErrorKind::NoColon));
            };
            if field_line.block(&schema) == Block::Multiline {
                self.multiline(&schema, end, crlf, exact)?;
                continue;
            }
            let number = self.lines.number(self.next);
            self.record
                .line(&schema, field_line, number, exact)
                .map_err(|kind| RecordError::new(kind, number))?;
            self.next += 1;
        }
        Ok(())
    }

    /// Reads a multi-line value, whose name is on the next line.
    fn multiline(
        &mut self,
        schema: &Schema,
        end: usize,
        crlf: bool,
        exact: bool,
    ) -> Result<(), RecordError> {
        let name = FieldLine::parse(self.lines.get(self.next));
        let field = name.and_then(|line| line.field(schema));
        let field = field.ok_or_else(|| self.error(RecordErrorKind::UnknownField))?;
        let first = self.next + 1;
        // The last line is cut before its dot; a line of nothing else has no text at all.
        let last = match self.lines.dot_from(first, end, crlf) {
            Some(dot) => dot,
            None => {
                let mut gap = self.no_glued_end;
                let glued =
                    gap.find(first, end, crlf, |line| self.is_glued_end(line, end, crlf, exact));
                self.no_glued_end = gap;
                glued.ok_or_else(|| self.error(RecordErrorKind::Multiline))?
            }
        };
        let lines = &self.lines;
        let whole = (first..last).flat_map(|line| [content(lines.get(line), crlf), &b"\n"[..]]);
        let cut = content(lines.get(last), crlf);
        let cut = cut.strip_suffix(b".").unwrap_or(cut);
        self.record.push_text(field, whole.chain([cut]));
        self.next = last + 1;
        Ok(())
    }

    /// True when a line may be the last one of text that has no newline at its end: a dot follows
    /// the text, and a field, another record or nothing follows the line (`decisions` PI-4).
    fn is_glued_end(&self, line: usize, end: usize, crlf: bool, exact: bool) -> bool {
        let is_field = |line: usize| {
            FieldLine::parse(self.lines.get(line))
                .is_some_and(|line| line.field(&self.schema).is_some())
        };
        if !content(self.lines.get(line), crlf).ends_with(b".") {
            return false;
        }
        let mut after = line + 1;
        if after == end || is_field(after) {
            return true;
        }
        if !is_blank(self.lines.get(after)) {
            return false;
        }
        while after < end && is_blank(self.lines.get(after)) {
            after += 1;
        }
        after == end || !exact && is_field(after)
    }

    /// Steps over the rest of a refused record, with all that belongs to its values.
    fn skip_record(&mut self, crlf: bool) {
        let end = self.lines.header_from(self.next, self.whole);
        // The refused line may be the header itself.
        let end = if end == self.next { self.lines.header_from(end + 1, self.whole) } else { end };
        while self.next < end {
            let line = self.lines.get(self.next);
            self.next += 1;
            if is_blank(line) {
                return;
            }
            let block = FieldLine::parse(line).map(|line| line.block(&self.schema));
            let closed = match block {
                Some(Block::Multiline) => self.lines.dot_from(self.next, end, crlf),
                Some(Block::Dump) => self.lines.dump_end_from(self.next, end),
                Some(Block::Datagram) if self.headers == Some(true) => end.checked_sub(1),
                Some(Block::Line | Block::Datagram) | None => None,
            };
            if let Some(closed) = closed {
                self.next = closed + 1;
            }
        }
    }
}
