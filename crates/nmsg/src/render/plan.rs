//! What to write for a message type, decided once: one step per field and written form.

use wdns::{Literal, TextBuffer};

use crate::index::Stored;
use crate::schema::{Field, FieldFlags, FieldType, Form, Label, Storage};
use crate::view::Value;

/// How a value becomes text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Op {
    Unsigned16,
    Unsigned32,
    Unsigned64,
    Signed16,
    Signed32,
    Signed64,
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
                FieldType::Uint16 => Self::Unsigned16,
                FieldType::Uint32 => Self::Unsigned32,
                FieldType::Uint64 => Self::Unsigned64,
                FieldType::Int16 => Self::Signed16,
                FieldType::Int32 => Self::Signed32,
                FieldType::Int64 => Self::Signed64,
                FieldType::Double => Self::Double,
                FieldType::Bool => Self::Bool,
            },
        }
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

/// What to write for one field.
#[derive(Debug)]
pub(crate) struct Step {
    /// What stands before the value. JSON: `,"name":`, with the opening quote of a string that is
    /// not in an array; the comma of the first field written is patched. Presentation: `name: `, or
    /// `name:` where the value starts on a line of its own.
    pub(crate) label: Literal,
    pub(crate) op: Op,
    pub(crate) source: Source,
    /// Position of the field in declared order.
    pub(crate) field: u16,
    /// The value is written between quotes.
    pub(crate) quoted: bool,
    /// The value is stored as octets, not as a number.
    pub(crate) octets: bool,
    /// Raw tag of a stored value.
    pub(crate) tag: u32,
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
    label.bytes(b",\"");
    label.json_escaped(field.name());
    label.bytes(b"\":");
    if quoted && !array {
        label.byte(b'"');
    }
    Step {
        label: Literal::new(label.as_bytes()),
        op,
        source,
        field: position,
        quoted,
        octets: field.storage == Storage::Bytes,
        tag: raw_tag(field),
    }
}

fn presentation_step(field: &Field, position: u16) -> Option<Step> {
    const NOT_SHOWN: u8 = FieldFlags::HIDDEN.0 | FieldFlags::NO_PRINT.0;
    if field.flags.0 & NOT_SHOWN != 0 {
        return None;
    }
    let op = Op::of(field);
    let source = match (field.getter, field.label) {
        (Some(_), _) => Source::ComputedArray,
        (None, Label::Repeated) => Source::StoredArray,
        (None, _) => Source::Stored,
    };
    let mut label = field.name().to_vec();
    label.push(b':');
    if !matches!(op, Op::MultilineText | Op::NcapPayload) {
        label.push(b' ');
    }
    Some(Step {
        label: Literal::new(&label),
        op,
        source,
        field: position,
        quoted: false,
        octets: field.storage == Storage::Bytes,
        tag: raw_tag(field),
    })
}

/// Field number and wire type as one number; 0 for a field that is not stored.
fn raw_tag(field: &Field) -> u32 {
    field.tag.map_or(0, |number| number << 3 | field.storage.wire_type() as u32)
}

/// A value as the writers take it: its octets, or its bits as they are stored.
#[derive(Clone, Copy)]
pub(crate) struct Raw<'a> {
    pub(crate) number: u64,
    pub(crate) octets: &'a [u8],
}

impl<'a> From<Stored<'a>> for Raw<'a> {
    #[inline(always)]
    fn from(stored: Stored<'a>) -> Self {
        match stored {
            Stored::Number(number) => Self { number, octets: &[] },
            Stored::Octets(octets) => Self { number: 0, octets },
        }
    }
}

impl<'a> From<Value<'a>> for Raw<'a> {
    fn from(value: Value<'a>) -> Self {
        let number = match value {
            Value::Octets(octets) => return Self { number: 0, octets },
            Value::Enum(number) => number as u64,
            Value::Unsigned(number) => number,
            Value::Signed(number) => number as u64,
            Value::Double(number) => number.to_bits(),
            Value::Bool(truth) => truth.into(),
        };
        Self { number, octets: &[] }
    }
}
