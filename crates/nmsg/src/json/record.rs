use std::sync::Arc;

use super::envelope::{self, Envelope, MESSAGE, MNAME, VNAME, text};
use super::error::{LineError, LineErrorKind};
use super::key::{Key, take_near};
use super::parse::{Kind, Scanner, Token};
use super::value::{Context, Outcome};
use crate::encode::{put_default, put_len_with};
use crate::notices::Notices;
use crate::record::RecordHeader;
use crate::schema::{EncodingStep, Form, Label, Registry, Schema};
use crate::text::scan::until_nul;
use crate::{Aliases, Timestamp};

/// Reads JSON records, one a line, into encoded payloads (`rendering-and-parsing` §9).
///
/// One pass finds the values, a second one encodes them by ascending field number; nothing is
/// allocated per line in the steady state.
///
/// ```
/// use nmsg::{Aliases, JsonReader, Registry, Timestamp};
///
/// let (registry, aliases) = (Registry::builtin(), Aliases::default());
/// let mut reader = JsonReader::new(&registry, &aliases);
/// let line = br#"{"vname":"base","mname":"ipconn","message":{"srcport":53}}"#;
/// let mut body = Vec::new();
/// let header = reader.read_line(line, Timestamp { sec: 7, nsec: 0 }, &mut body).unwrap().unwrap();
/// assert_eq!((header.vendor.0, header.msgtype.0, header.time.sec), (1, 5, 7));
/// assert_eq!(body, [0x18, 53]);
/// ```
#[derive(Debug)]
pub struct JsonReader<'r> {
    registry: &'r Registry,
    aliases: &'r Aliases,
    keys: [Key; 10],
    last_type: Option<NamedType<'r>>,
    fields: Fields,
    /// Takes strings that had escapes.
    room: Vec<u8>,
    notices: Notices,
}

/// A type and the names it was found by.
#[derive(Debug)]
struct NamedType<'r> {
    vname: Vec<u8>,
    mname: Vec<u8>,
    schema: &'r Arc<Schema>,
}

/// The values found in a message object.
#[derive(Debug, Default)]
struct Fields {
    /// By position in declared order. For arrays of repeated fields the range is one of
    /// `elements`.
    tokens: Vec<Token>,
    elements: Vec<Token>,
}

/// Elements of arrays that are kept; a line of a peer must not take many times its size.
const ELEMENTS_KEPT: usize = 1 << 16;

/// Values that an element of a repeated field lies in.
const ELEMENT_DEPTH: u32 = 3;

/// The value of the key `message`.
#[derive(Clone, Copy)]
enum MessageValue<'r> {
    Absent,
    /// At this offset, not yet looked into: the type was not known there.
    At(usize),
    Found(&'r Arc<Schema>),
}

impl<'r> JsonReader<'r> {
    /// A reader for the types of `registry`.
    #[must_use]
    pub fn new(registry: &'r Registry, aliases: &'r Aliases) -> Self {
        Self {
            registry,
            aliases,
            keys: envelope::keys(),
            last_type: None,
            fields: Fields::default(),
            room: Vec::new(),
            notices: Notices::default(),
        }
    }

    /// Reads one line and appends the encoded message to `body`; `None` for a line of blanks.
    /// `now` is the time of records that have none.
    ///
    /// # Errors
    ///
    /// The line is unusable (`decisions` JI-3); nothing is appended.
    pub fn read_line(
        &mut self,
        line: &[u8],
        now: Timestamp,
        body: &mut Vec<u8>,
    ) -> Result<Option<RecordHeader>, LineError> {
        let start = body.len();
        let result = self.record(line, now, body);
        if result.is_err() {
            body.truncate(start);
        }
        result
    }

    /// What was left out of the records so far.
    pub fn notices(&mut self) -> &mut Notices {
        &mut self.notices
    }

    fn record(
        &mut self,
        line: &[u8],
        now: Timestamp,
        body: &mut Vec<u8>,
    ) -> Result<Option<RecordHeader>, LineError> {
        if u32::try_from(line.len()).is_err() {
            return Err(LineError::new(LineErrorKind::TooLong, line.len()));
        }
        // To the reference a NUL ends the line.
        let line = until_nul(line);
        let mut scanner = Scanner::new(line, 0);
        scanner.skip_blanks()?;
        if scanner.offset() == line.len() {
            return Ok(None);
        }
        if scanner.peek() != b'{' {
            return Err(scanner.error(LineErrorKind::NotAnObject));
        }
        let mut envelope = Envelope::default();
        let mut message = MessageValue::Absent;
        let mut message_at = 0;
        scanner.enter()?;
        let mut ended = scanner.close(b'}');
        let mut next = 0;
        while !ended {
            let key = match take_near(&mut scanner, &self.keys, &mut next) {
                Some(key) => {
                    scanner.skip_blanks()?;
                    Some(key)
                }
                None => {
                    let key = scanner.key()?;
                    envelope::key_index(text(line, key, &mut self.room))
                }
            };
            match key {
                Some(MESSAGE) => {
                    message_at = scanner.offset();
                    message = self.message(line, &mut scanner, &envelope)?;
                }
                Some(key) => {
                    envelope.0[key] = scanner.value_inline(1)?;
                    // A name behind the message changes what its keys mean.
                    if matches!((&message, key), (MessageValue::Found(_), VNAME | MNAME)) {
                        message = MessageValue::At(message_at);
                    }
                }
                None => {
                    scanner.value(1)?;
                }
            }
            ended = scanner.ended(b'}')?;
        }
        let schema = match message {
            MessageValue::Found(schema) => Some(schema),
            MessageValue::At(offset) => {
                let schema = self.named_type(line, &envelope)?;
                self.fields.find(line, &mut Scanner::new(line, offset), schema, &mut self.room)?;
                Some(schema)
            }
            MessageValue::Absent => None,
        };
        let mut header = match schema {
            Some(schema) => {
                self.encode(line, schema, body)?;
                let declaration = schema.message_type();
                let (vendor, msgtype) = (declaration.vendor, declaration.id);
                RecordHeader { vendor, msgtype, has_body: true, ..RecordHeader::default() }
            }
            None if envelope.is_fallback() => envelope.fallback(line, body, &mut self.room)?,
            None => {
                self.named_type(line, &envelope)?;
                return Err(scanner.error(LineErrorKind::NoMessage));
            }
        };
        envelope.complete(
            &mut header,
            line,
            now,
            self.aliases,
            &mut self.notices,
            &mut self.room,
        )?;
        Ok(Some(header))
    }

    /// Reads the value of `message`: at once when the type is known already.
    #[inline]
    fn message(
        &mut self,
        line: &[u8],
        scanner: &mut Scanner<'_>,
        envelope: &Envelope,
    ) -> Result<MessageValue<'r>, LineError> {
        if envelope.0[VNAME].is_text()
            && envelope.0[MNAME].is_text()
            && let Ok(schema) = self.named_type(line, envelope)
        {
            self.fields.find(line, scanner, schema, &mut self.room)?;
            return Ok(MessageValue::Found(schema));
        }
        let offset = scanner.offset();
        scanner.value(1)?;
        Ok(MessageValue::At(offset))
    }

    /// The type with the names of this record.
    #[inline]
    fn named_type(
        &mut self,
        line: &[u8],
        envelope: &Envelope,
    ) -> Result<&'r Arc<Schema>, LineError> {
        let (vname, mname) = (envelope.0[VNAME], envelope.0[MNAME]);
        if let Some(last) = &self.last_type
            && (vname.kind, mname.kind) == (Kind::Text, Kind::Text)
            && last.vname == vname.of(line)
            && last.mname == mname.of(line)
        {
            return Ok(last.schema);
        }
        self.find_type(line, vname, mname)
    }

    #[cold]
    fn find_type(
        &mut self,
        line: &[u8],
        vname: Token,
        mname: Token,
    ) -> Result<&'r Arc<Schema>, LineError> {
        for token in [vname, mname] {
            if !token.is_text() {
                return Err(LineError::new(LineErrorKind::NoType, token.start as usize));
            }
        }
        let names = [vname, mname].map(|token| text(line, token, &mut self.room).to_vec());
        let [vname_text, mname_text] = names;
        let schema = self
            .registry
            .find(&vname_text, &mname_text)
            .ok_or_else(|| LineError::new(LineErrorKind::UnknownType, vname.start as usize))?;
        self.last_type = Some(NamedType { vname: vname_text, mname: mname_text, schema });
        Ok(schema)
    }

    /// Appends the encoded message.
    fn encode(
        &mut self,
        line: &[u8],
        schema: &Schema,
        body: &mut Vec<u8>,
    ) -> Result<(), LineError> {
        let context = Context { line, room: &mut self.room, rr_numbers: [None; 2] };
        let mut encoder =
            Encoder { fields: &self.fields, schema, context, notices: &mut self.notices };
        for step in schema.encoding() {
            match step {
                EncodingStep::Field { field, tag } => encoder.field(body, *field, *tag)?,
                EncodingStep::Embedded { tag, fields } => encoder.embedded(body, *tag, fields)?,
            }
        }
        Ok(())
    }
}

impl Fields {
    /// Finds the values of the message that stands here; anything but an object has none.
    fn find(
        &mut self,
        line: &[u8],
        scanner: &mut Scanner<'_>,
        schema: &Schema,
        room: &mut Vec<u8>,
    ) -> Result<(), LineError> {
        self.tokens.clear();
        self.tokens.resize(schema.fields().len(), Token::default());
        self.elements.clear();
        if scanner.peek() != b'{' {
            scanner.value(1)?;
            return Ok(());
        }
        scanner.enter()?;
        if scanner.close(b'}') {
            return Ok(());
        }
        let mut next = 0;
        loop {
            let field = match take_near(scanner, schema.json_keys(), &mut next) {
                Some(field) => {
                    scanner.skip_blanks()?;
                    Some(field)
                }
                None => {
                    let key = scanner.key()?;
                    let found = schema.field_index(text(line, key, room));
                    next = found.map_or(next, |found| found + 1);
                    found
                }
            };
            match field {
                Some(field)
                    if scanner.peek() == b'['
                        && schema.fields()[field].label == Label::Repeated =>
                {
                    self.tokens[field] = self.array(scanner)?;
                }
                Some(field) => self.tokens[field] = scanner.value_inline(2)?,
                None => {
                    scanner.value(2)?;
                }
            }
            if scanner.ended(b'}')? {
                return Ok(());
            }
        }
    }

    /// Finds the elements of an array; those of a long one are only stepped over.
    fn array(&mut self, scanner: &mut Scanner<'_>) -> Result<Token, LineError> {
        let (at, start) = (scanner.offset() as u32, self.elements.len());
        let mut kind = Kind::Array;
        scanner.enter()?;
        let mut ended = scanner.close(b']');
        while !ended {
            let element = scanner.value_inline(ELEMENT_DEPTH)?;
            if self.elements.len() < ELEMENTS_KEPT {
                self.elements.push(element);
            } else {
                kind = Kind::LongArray;
            }
            ended = scanner.ended(b']')?;
        }
        let (start, end) = (start as u32, self.elements.len() as u32);
        Ok(match kind {
            Kind::LongArray => Token { kind, start: at, end: scanner.offset() as u32 },
            _ => Token { kind, start, end },
        })
    }

    fn elements(&self, array: Token) -> &[Token] {
        self.elements.get(array.start as usize..array.end as usize).unwrap_or_default()
    }
}

/// Encodes the values that were found.
struct Encoder<'a> {
    fields: &'a Fields,
    schema: &'a Schema,
    context: Context<'a>,
    notices: &'a mut Notices,
}

impl Encoder<'_> {
    /// Appends all values of a field.
    #[inline(always)]
    fn field(&mut self, out: &mut Vec<u8>, field: usize, tag: u32) -> Result<(), LineError> {
        let declared = &self.schema.fields()[field];
        let token = self.fields.tokens[field];
        let mut missing = true;
        if declared.label == Label::Repeated && token.kind != Kind::Absent {
            if declared.form == Form::Rdata {
                self.find_rr_numbers();
            }
            self.array(out, tag, field, token)?;
            missing = false;
        } else if !matches!(token.kind, Kind::Absent | Kind::Null) {
            missing = self.put(out, tag, field, token)? == Outcome::LeftOut;
        }
        if missing && declared.is_always_stored() {
            put_default(out, tag, declared);
        }
        Ok(())
    }

    #[inline]
    fn array(
        &mut self,
        out: &mut Vec<u8>,
        tag: u32,
        field: usize,
        array: Token,
    ) -> Result<(), LineError> {
        match array.kind {
            Kind::Array => {
                for &element in self.fields.elements(array) {
                    self.put(out, tag, field, element)?;
                }
                Ok(())
            }
            Kind::LongArray => self.long_array(out, tag, field, array),
            _ => Err(LineError::new(LineErrorKind::Value, array.start as usize)),
        }
    }

    #[cold]
    fn long_array(
        &mut self,
        out: &mut Vec<u8>,
        tag: u32,
        field: usize,
        array: Token,
    ) -> Result<(), LineError> {
        let mut scanner = Scanner::new(self.context.line, array.start as usize);
        scanner.enter()?;
        let mut ended = scanner.close(b']');
        while !ended {
            let element = scanner.value(ELEMENT_DEPTH)?;
            self.put(out, tag, field, element)?;
            ended = scanner.ended(b']')?;
        }
        Ok(())
    }

    #[inline]
    fn put(
        &mut self,
        out: &mut Vec<u8>,
        tag: u32,
        field: usize,
        token: Token,
    ) -> Result<Outcome, LineError> {
        let declared = &self.schema.fields()[field];
        let outcome = match token.kind {
            // `decisions` JI-4
            Kind::Null => Err(LineErrorKind::Value),
            _ => self.context.put(out, tag, declared, token),
        };
        match outcome {
            Ok(Outcome::Stored) => Ok(Outcome::Stored),
            Ok(Outcome::StoredNumber(number)) => {
                if let Some(at) = self.rr_field(field) {
                    self.context.rr_numbers[at] = Some(number as u16);
                }
                Ok(Outcome::Stored)
            }
            Ok(Outcome::LeftOut) => {
                self.notices.response_text();
                Ok(Outcome::LeftOut)
            }
            Err(kind) => Err(LineError::new(kind, token.start as usize)),
        }
    }

    /// Which of the two numbers that record data needs a field holds.
    #[inline]
    fn rr_field(&self, field: usize) -> Option<usize> {
        let (rrtype, class) = self.schema.rr_fields()?;
        [rrtype, class].iter().position(|&known| known == field)
    }

    /// Reads the numbers that record data needs, unless they were stored before it.
    #[inline]
    fn find_rr_numbers(&mut self) {
        let Some((rrtype, class)) = self.schema.rr_fields() else { return };
        for (at, field) in [rrtype, class].into_iter().enumerate() {
            if self.context.rr_numbers[at].is_none() {
                let declared = &self.schema.fields()[field];
                let number = self.context.number(declared, self.fields.tokens[field]);
                self.context.rr_numbers[at] = number.map(|number| number as u16);
            }
        }
    }

    /// Appends an embedded message if any of its fields is there.
    #[cold]
    fn embedded(
        &mut self,
        out: &mut Vec<u8>,
        tag: u32,
        fields: &[(usize, u32)],
    ) -> Result<(), LineError> {
        let absent = |&(field, _): &(usize, u32)| {
            matches!(self.fields.tokens[field].kind, Kind::Absent | Kind::Null)
        };
        if fields.iter().all(absent) {
            return Ok(());
        }
        put_len_with(out, tag, |out| {
            fields.iter().try_for_each(|&(field, tag)| self.field(out, field, tag))
        })
    }
}
