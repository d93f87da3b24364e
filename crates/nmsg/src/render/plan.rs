//! What to write for a message type, decided once: one step per field and written form.

use wdns::{Literal, Piece, TextBuffer};

use crate::index::{Slot, Stored};
use crate::schema::{EnumValue, Field, FieldFlags, FieldType, Form, Getter, Label, find_number};
use crate::view::Value;

/// How a value becomes text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Op {
    Unsigned,
    Signed,
    Double,
    Bool,
    Enum,
    Bytes,
    /// Octets from inside a packet: there even when there are none of them.
    PacketBytes,
    Text,
    MultilineText,
    Ip,
    Name,
    RrType,
    Class,
    ClassSie,
    Rcode,
    Protocol,
    Time,
    HexId,
    Rdata,
    DnsMessage,
    DnsMessageSie,
    DnsJson,
    Encoded,
    NcapPayload,
}

impl Op {
    fn of(field: &Field) -> Self {
        match field.form {
            Form::Name => Self::Name,
            Form::RrType => Self::RrType,
            Form::Class => Self::Class,
            Form::ClassSie => Self::ClassSie,
            Form::Rcode => Self::Rcode,
            Form::Protocol => Self::Protocol,
            Form::Rdata => Self::Rdata,
            Form::Time => Self::Time,
            Form::DnsMessage => Self::DnsMessage,
            Form::DnsMessageSie => Self::DnsMessageSie,
            Form::DnsJson => Self::DnsJson,
            Form::HexId => Self::HexId,
            Form::Encoded => Self::Encoded,
            Form::Named => Self::Enum,
            Form::NcapPayload => Self::NcapPayload,
            Form::Plain => match field.field_type {
                FieldType::Enum => Self::Enum,
                FieldType::Bytes => Self::Bytes,
                FieldType::String => Self::Text,
                FieldType::MultilineString => Self::MultilineText,
                FieldType::Ip => Self::Ip,
                FieldType::Uint16 | FieldType::Uint32 | FieldType::Uint64 => Self::Unsigned,
                FieldType::Int16 | FieldType::Int32 | FieldType::Int64 => Self::Signed,
                FieldType::Double => Self::Double,
                FieldType::Bool => Self::Bool,
            },
        }
    }

    /// True when no value has more than 48 octets of text, and the texts of names are not counted.
    const fn is_short(self) -> bool {
        matches!(
            self,
            Self::Unsigned
                | Self::Signed
                | Self::Bool
                | Self::Enum
                | Self::Ip
                | Self::RrType
                | Self::Class
                | Self::ClassSie
                | Self::Rcode
                | Self::Protocol
                | Self::Time
        )
    }

    /// True when the JSON value is a string whatever the value; the quotes are then written
    /// together with what stands around the value.
    const fn is_json_string(self) -> bool {
        matches!(
            self,
            Self::PacketBytes
                | Self::Text
                | Self::MultilineText
                | Self::Name
                | Self::RrType
                | Self::Class
                | Self::ClassSie
                | Self::Rcode
                | Self::Protocol
                | Self::Time
                | Self::HexId
                | Self::Rdata
                | Self::DnsMessageSie
        )
    }
}

/// Where the values of a step come from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Source {
    Stored,
    StoredArray,
    Computed,
    ComputedArray,
}

/// Which way the values of a step take that is not usual.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// A stored name.
    Name,
    /// Stored record data.
    Rdata,
    /// Octets that JSON shows in base64.
    Encoded,
    /// Any other.
    Other,
}

/// What to write for one field.
#[derive(Debug)]
pub(crate) struct Step {
    /// What stands before the value. JSON: `"name":`, with the opening bracket of an array and the
    /// opening quote of a string. Presentation: `name: `, or `name:` where the value starts on a line of
    /// its own.
    pub(crate) label: Literal,
    /// What stands behind the value in JSON: the closing quote and bracket, and a comma.
    closing: [u8; 4],
    closing_len: u8,
    pub(crate) op: Op,
    pub(crate) way: Way,
    /// A single value is stored and has a short text.
    pub(crate) is_usual: bool,
    /// There is nothing to write when nothing is stored; of an array there are the brackets.
    pub(crate) may_be_absent: bool,
    /// Label, value and what closes it have few octets.
    pub(crate) is_short: bool,
    pub(crate) source: Source,
    /// Position of the field in declared order.
    pub(crate) field: u16,
    /// The value is written between quotes.
    pub(crate) quoted: bool,
    /// How many bits of a stored number the type has no room for.
    spare_bits: u8,
    /// Raw tag of a stored value.
    pub(crate) tag: u32,
    /// Computes the values that are not stored.
    pub(crate) getter: Option<Getter>,
    /// The texts of numbers that have names.
    names: Vec<(i32, Literal)>,
}

impl Step {
    fn new(field: &Field, position: u16, source: Source, label: &[u8]) -> Self {
        Self {
            label: Literal::new(label),
            closing: [0; 4],
            closing_len: 0,
            op: Op::of(field),
            way: Way::Other,
            is_usual: false,
            may_be_absent: false,
            is_short: false,
            source,
            field: position,
            quoted: false,
            spare_bits: match field.field_type {
                FieldType::Uint16 | FieldType::Int16 => 48,
                FieldType::Uint32 | FieldType::Int32 => 32,
                _ => 0,
            },
            tag: raw_tag(field),
            getter: field.getter,
            names: Vec::new(),
        }
    }

    /// Takes the field's names of numbers over, with `quote` before and behind each.
    fn with_names(mut self, field: &Field, quote: &[u8]) -> Self {
        let values = field.names.iter().flat_map(|names| names.0.iter());
        let text = |value: &EnumValue| [quote, value.name.to_bytes(), quote].concat();
        self.names = values.map(|value| (value.number, Literal::new(&text(value)))).collect();
        self
    }

    /// Finds out whether the value is a short one, once its form is known.
    fn measured(mut self) -> Self {
        let names_fit = self.names.iter().all(|(_, name)| name.is_short());
        self.is_short = self.op.is_short() && self.label.is_short() && names_fit;
        self.may_be_absent = self.source == Source::Stored;
        let is_stored = matches!(self.source, Source::Stored | Source::StoredArray);
        self.is_usual = is_stored && self.is_short;
        self.way = match self.source {
            Source::Stored if self.op == Op::Name && self.label.is_short() => Way::Name,
            Source::StoredArray if self.op == Op::Rdata => Way::Rdata,
            _ => Way::Other,
        };
        self
    }

    /// The text of a number that has a name.
    #[inline(always)]
    pub(crate) fn name(&self, number: i32) -> Option<&Literal> {
        find_number(&self.names, number, |&(number, _)| number).map(|(_, text)| text)
    }

    /// Puts what stands behind the value.
    #[inline(always)]
    pub(crate) fn put_closing(&self, piece: &mut Piece<'_>) {
        piece.start_of(&self.closing, self.closing_len);
    }

    /// Appends what stands behind the value.
    #[inline(always)]
    pub(crate) fn close(&self, out: &mut TextBuffer) {
        out.fill(|window| {
            *window = self.closing;
            self.closing_len
        });
    }

    /// A stored number as the field's unsigned type holds it.
    #[inline(always)]
    pub(crate) fn unsigned(&self, number: u64) -> u64 {
        number << self.spare_bits >> self.spare_bits
    }

    /// A stored number as the field's signed type holds it.
    #[inline(always)]
    pub(crate) fn signed(&self, number: u64) -> i64 {
        (number << self.spare_bits).cast_signed() >> self.spare_bits
    }
}

/// The steps of a message type, in declared order.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) json: Vec<Step>,
    pub(crate) presentation: Vec<Step>,
}

impl Plan {
    pub(crate) fn new(fields: &[Field]) -> Self {
        let numbered = || fields.iter().zip(0..);
        Self {
            json: numbered().map(|(field, i)| json_step(field, i)).collect(),
            presentation: numbered().filter_map(|(field, i)| presentation_step(field, i)).collect(),
        }
    }
}

fn json_step(field: &Field, position: u16) -> Step {
    let from_packet = field.tag.is_none() && field.nested.is_none();
    let op = match Op::of(field) {
        Op::Bytes | Op::DnsMessage if from_packet => Op::PacketBytes,
        op => op,
    };
    let source = match (field.tag, field.label) {
        (Some(_), Label::Repeated) => Source::StoredArray,
        (Some(_), _) => Source::Stored,
        (None, _) if field.flags.contains(FieldFlags::REPEATED) => Source::ComputedArray,
        (None, _) => Source::Computed,
    };
    let quoted = op.is_json_string();
    let array = matches!(source, Source::StoredArray | Source::ComputedArray);
    let mut label = TextBuffer::new();
    label.byte(b'"');
    label.json_escaped(field.name());
    label.bytes(b"\":");
    if array {
        label.byte(b'[');
    }
    if quoted {
        label.byte(b'"');
    }
    let (closing, closing_len) = match (quoted, array) {
        (true, true) => (*b"\"], ", 3),
        (true, false) => (*b"\",  ", 2),
        (false, true) => (*b"],  ", 2),
        (false, false) => (*b",   ", 1),
    };
    let step = Step::new(field, position, source, label.as_bytes()).with_names(field, b"\"");
    let step = Step { op, closing, closing_len, quoted, ..step }.measured();
    match op {
        Op::Bytes | Op::PacketBytes | Op::DnsMessage | Op::NcapPayload
            if source != Source::ComputedArray =>
        {
            Step { way: Way::Encoded, ..step }
        }
        _ => step,
    }
}

fn presentation_step(field: &Field, position: u16) -> Option<Step> {
    const NOT_SHOWN: u8 = FieldFlags::HIDDEN.0 | FieldFlags::NO_PRINT.0;
    if field.flags.0 & NOT_SHOWN != 0 {
        return None;
    }
    let op = Op::of(field);
    let source = match (field.getter, field.label) {
        (Some(_), _) if field.flags.contains(FieldFlags::REPEATED) => Source::ComputedArray,
        (Some(_), _) => Source::Computed,
        (None, Label::Repeated) => Source::StoredArray,
        (None, _) => Source::Stored,
    };
    let mut label = field.name().to_vec();
    label.push(b':');
    if !matches!(op, Op::MultilineText | Op::NcapPayload) {
        label.push(b' ');
    }
    Some(Step::new(field, position, source, &label).with_names(field, b"").measured())
}

/// Field number and wire type as one number; 0 for a field that is not stored.
fn raw_tag(field: &Field) -> u32 {
    field.tag.map_or(0, |number| number << 3 | field.storage.wire_type() as u32)
}

/// A value as the writers take it: its bits as they are stored, or where its octets are.
#[derive(Clone, Copy)]
pub(crate) struct Raw<'a> {
    /// The number, or start and end of the octets, as in a [`Slot`].
    number: u64,
    around: &'a [u8],
}

impl<'a> Raw<'a> {
    /// The value of a slot, whose octets would be among those `around`.
    #[inline(always)]
    pub(crate) fn new(slot: Slot, around: &'a [u8]) -> Self {
        Self { number: slot.number(), around }
    }

    #[inline(always)]
    fn of_octets(octets: &'a [u8]) -> Self {
        Self { number: Slot::range(0, octets.len()), around: octets }
    }

    #[inline(always)]
    pub(crate) fn number(self) -> u64 {
        self.number
    }

    #[inline(always)]
    pub(crate) fn octets(self) -> &'a [u8] {
        let (octets, start, end) = self.place();
        octets.get(start..end).unwrap_or_default()
    }

    /// Octets, and the range of them that is the value.
    #[inline(always)]
    pub(crate) fn place(self) -> (&'a [u8], usize, usize) {
        (self.around, self.number as u32 as usize, (self.number >> 32) as usize)
    }
}

impl<'a> From<Stored<'a>> for Raw<'a> {
    #[inline(always)]
    fn from(stored: Stored<'a>) -> Self {
        match stored {
            Stored::Number(number) => Self { number, around: &[] },
            Stored::Octets(octets) => Self::of_octets(octets),
        }
    }
}

impl<'a> From<Value<'a>> for Raw<'a> {
    fn from(value: Value<'a>) -> Self {
        let number = match value {
            Value::Octets(octets) => return Self::of_octets(octets),
            Value::Enum(number) => number as u64,
            Value::Unsigned(number) => number,
            Value::Signed(number) => number as u64,
            Value::Double(number) => number.to_bits(),
            Value::Bool(truth) => truth.into(),
        };
        Self { number, around: &[] }
    }
}
