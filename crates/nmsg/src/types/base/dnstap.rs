//! `base:dnstap`: what a name server saw, in the dnstap format (`message-types` §3.13).

use crate::index::StoredOctets;
use crate::schema::FieldType::{Bytes, Enum, Ip, Uint16, Uint32, Uint64};
use crate::schema::{
    EnumValue, Field, FieldFlags, Form, Getter, MessageType, Storage, enum_values,
};
use crate::types::BASE;
use crate::view::{self, Value, View};
use crate::wire::{Error, RawValue, Reader};

/// Kind of record.
pub const DNSTAP_TYPE: &[EnumValue] = enum_values!(c"MESSAGE" = 1);

/// Where the message was seen, and in which direction.
pub const MESSAGE_TYPE: &[EnumValue] = enum_values!(
    c"AUTH_QUERY" = 1,
    c"AUTH_RESPONSE" = 2,
    c"RESOLVER_QUERY" = 3,
    c"RESOLVER_RESPONSE" = 4,
    c"CLIENT_QUERY" = 5,
    c"CLIENT_RESPONSE" = 6,
    c"FORWARDER_QUERY" = 7,
    c"FORWARDER_RESPONSE" = 8,
    c"STUB_QUERY" = 9,
    c"STUB_RESPONSE" = 10,
    c"TOOL_QUERY" = 11,
    c"TOOL_RESPONSE" = 12,
);

/// Network protocol.
pub const SOCKET_FAMILY: &[EnumValue] = enum_values!(c"INET" = 1, c"INET6" = 2);

/// Transport protocol.
pub const SOCKET_PROTOCOL: &[EnumValue] = enum_values!(c"UDP" = 1, c"TCP" = 2);

/// Declaration of the type.
pub const TYPE: MessageType =
    MessageType::new(BASE, (13, c"dnstap"), FIELDS).derive(derive).check(check);

/// Field number of the embedded message.
const MESSAGE: u32 = 14;

const FIELDS: &[Field] = &[
    Field::optional(c"identity", 1, Bytes),
    Field::optional(c"version", 2, Bytes),
    Field::optional(c"extra", 3, Bytes),
    Field::required(c"type", 15, Enum)
        .named(DNSTAP_TYPE)
        .flag(FieldFlags::REQUIRED)
        .required_default(1),
    Field::computed(c"message_type", Uint32, number::<1>)
        .form(Form::Named)
        .named(MESSAGE_TYPE)
        .nested(MESSAGE, 1)
        .required_default(1),
    Field::computed(c"socket_family", Uint32, number::<2>)
        .form(Form::Named)
        .named(SOCKET_FAMILY)
        .nested(MESSAGE, 2),
    Field::computed(c"socket_protocol", Uint32, number::<3>)
        .form(Form::Named)
        .named(SOCKET_PROTOCOL)
        .nested(MESSAGE, 3),
    Field::computed(c"query_address", Ip, octets::<4>).nested(MESSAGE, 4),
    Field::computed(c"query_port", Uint32, number::<6>).nested(MESSAGE, 6),
    Field::computed(c"query_time_sec", Uint64, number::<8>).nested(MESSAGE, 8),
    Field::computed(c"query_time_nsec", Uint32, number::<9>)
        .stored_as(Storage::Fixed32)
        .nested(MESSAGE, 9),
    Field::computed(c"query_message", Bytes, octets::<10>)
        .form(Form::DnsMessage)
        .nested(MESSAGE, 10),
    Field::computed(c"query_json", Bytes, octets::<10>)
        .form(Form::DnsJson)
        .flag(FieldFlags::FORMAT_RAW)
        .flag(FieldFlags::NO_PRINT),
    Field::computed(c"response_address", Ip, octets::<5>).nested(MESSAGE, 5),
    Field::computed(c"response_port", Uint32, number::<7>).nested(MESSAGE, 7),
    Field::computed(c"response_time_sec", Uint64, number::<12>).nested(MESSAGE, 12),
    Field::computed(c"response_time_nsec", Uint32, number::<13>)
        .stored_as(Storage::Fixed32)
        .nested(MESSAGE, 13),
    Field::computed(c"query_zone", Bytes, octets::<11>).form(Form::Name).nested(MESSAGE, 11),
    Field::computed(c"response_message", Bytes, octets::<14>)
        .form(Form::DnsMessage)
        .nested(MESSAGE, 14),
    Field::computed(c"response_json", Bytes, octets::<14>)
        .form(Form::DnsJson)
        .flag(FieldFlags::FORMAT_RAW)
        .flag(FieldFlags::NO_PRINT),
    Field::computed(c"id", Uint16, ID),
    Field::computed(c"qname", Bytes, QNAME).form(Form::Name),
    Field::computed(c"qclass", Uint16, QCLASS).form(Form::Class),
    Field::computed(c"qtype", Uint16, QTYPE).form(Form::RrType),
    Field::computed(c"rcode", Uint16, RCODE).form(Form::Rcode),
];

/// One past the highest field number of the embedded message that is shown.
const INNER_FIELDS: usize = 15;

/// The embedded message, and what its DNS message says.
#[derive(Debug, Default)]
pub struct Derived<'a> {
    inner: [Option<RawValue<'a>>; INNER_FIELDS],
    id: Option<u16>,
    rcode: Option<u16>,
    qname: Option<wdns::name::NameBuf>,
    qtype: Option<u16>,
    qclass: Option<u16>,
}

impl<'a> Derived<'a> {
    fn octets(&self, number: usize) -> Option<&'a [u8]> {
        match self.inner.get(number)? {
            Some(RawValue::Len(octets)) => Some(octets),
            _ => None,
        }
    }

    /// Reads header and question of the query, or else of the response (`decisions` MY-5).
    fn read_dns(&mut self) {
        let Some(dns) = self.octets(10).or_else(|| self.octets(14)) else { return };
        let Some((header, _)) = dns.split_first_chunk::<{ wdns::message::HEADER_LEN }>() else {
            return;
        };
        let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        self.id = Some(word(0));
        self.rcode = Some(word(2) & 15);
        if word(4) != 1 || dns.len() == header.len() {
            return;
        }
        let mut qname = wdns::name::NameBuf::new();
        if wdns::name::unpack(dns, header.len(), &mut qname).is_ok() {
            self.qname = Some(qname);
        }
        let behind = &dns[header.len()..];
        let behind = behind.get(wdns::name::skip(behind)..).unwrap_or_default();
        let word = |at: usize| {
            let word = behind.get(at..at + 2)?;
            Some(u16::from_be_bytes([word[0], word[1]]))
        };
        self.qtype = word(0);
        self.qclass = word(2);
    }
}

/// The embedded message must decode too; its own type is required.
fn check(body: &[u8]) -> Result<(), Error> {
    let mut present = false;
    let mut has_type = false;
    let mut outer = Reader::new(body);
    while let Some(field) = outer.field()? {
        if field.number != MESSAGE {
            continue;
        }
        present = true;
        let mut inner = Reader::new(field.value.octets()?);
        while let Some(field) = inner.field()? {
            let right = match field.number {
                1 => {
                    has_type = true;
                    field.value.varint().is_ok()
                }
                2 | 3 | 6 | 7 | 8 | 12 => field.value.varint().is_ok(),
                4 | 5 | 10 | 11 | 14 => field.value.octets().is_ok(),
                9 | 13 => field.value.fixed32().is_ok(),
                _ => true,
            };
            if !right {
                return Err(Error::WrongWireType);
            }
        }
    }
    if present && !has_type { Err(Error::MissingField) } else { Ok(()) }
}

/// Collects the last value of every known field. Occurrences of the embedded message are merged.
fn derive(view: View<'_>) -> view::Derived<'_> {
    let mut derived = Derived::default();
    let mut present = false;
    for message in StoredOctets::without_slot(view.body(), MESSAGE) {
        present = true;
        let mut inner = Reader::new(message);
        while let Ok(Some(field)) = inner.field() {
            if let Some(slot) = derived.inner.get_mut(field.number as usize) {
                *slot = Some(field.value);
            }
        }
    }
    if present {
        // What is absent counts as the first name of its enumeration.
        for number in [2, 3] {
            derived.inner[number].get_or_insert(RawValue::Varint(1));
        }
        derived.read_dns();
    }
    view::Derived::DnsTap(Box::new(derived))
}

fn first<'d, 'a>(derived: &'d view::Derived<'a>, index: usize) -> Option<&'d Derived<'a>> {
    match derived {
        view::Derived::DnsTap(derived) if index == 0 => Some(derived),
        _ => None,
    }
}

fn octets<'d, 'a, const NUMBER: usize>(
    derived: &'d view::Derived<'a>,
    _: &View<'a>,
    index: usize,
) -> Option<Value<'d>> {
    first(derived, index)?.octets(NUMBER).map(Value::Octets)
}

fn number<'d, 'a, const NUMBER: usize>(
    derived: &'d view::Derived<'a>,
    _: &View<'a>,
    index: usize,
) -> Option<Value<'d>> {
    match first(derived, index)?.inner[NUMBER]? {
        // Times are 64 bits wide, everything else counts with its low 32 bits.
        RawValue::Varint(number) if matches!(NUMBER, 8 | 12) => Some(Value::Unsigned(number)),
        RawValue::Varint(number) => Some(Value::Unsigned((number as u32).into())),
        RawValue::Fixed32(number) => Some(Value::Unsigned(number.into())),
        RawValue::Fixed64(_) | RawValue::Len(_) => None,
    }
}

const ID: Getter = |derived, _, index| word(first(derived, index)?.id);
const QTYPE: Getter = |derived, _, index| word(first(derived, index)?.qtype);
const QCLASS: Getter = |derived, _, index| word(first(derived, index)?.qclass);
const RCODE: Getter = |derived, _, index| word(first(derived, index)?.rcode);
const QNAME: Getter =
    |derived, _, index| Some(Value::Octets(first(derived, index)?.qname.as_ref()?.as_bytes()));

fn word<'d>(word: Option<u16>) -> Option<Value<'d>> {
    word.map(|word| Value::Unsigned(word.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::FieldIndex;
    use crate::schema::Schema;

    /// Query port and query address of a record.
    fn port_and_address(body: &[u8]) -> Result<(Option<u64>, Option<Vec<u8>>), Error> {
        let schema = Schema::new(TYPE);
        let mut index = FieldIndex::new();
        let view = View::new(&schema, body, &mut index)?;
        let view::Derived::DnsTap(derived) = derive(view) else { return Ok((None, None)) };
        let port = match derived.inner[6] {
            Some(RawValue::Varint(port)) => Some(port),
            _ => None,
        };
        Ok((port, derived.octets(4).map(<[u8]>::to_vec)))
    }

    #[test]
    fn embedded_messages_are_merged_wherever_they_stand() {
        let address = Some(vec![10, 0, 0, 1]);
        for (name, body, want) in [
            ("none", &[0x78, 1][..], Ok((None, None))),
            ("one", &[0x78, 1, 0x72, 4, 8, 1, 0x30, 53], Ok((Some(53), None))),
            (
                "others between, empty ones, one with a long length",
                &[
                    0x72, 0, 0x72, 6, 0x22, 4, 10, 0, 0, 1, 0x78, 1, 0x72, 0, 0x1a, 0, 0x72, 0x82,
                    0, 8, 1, 0x72, 2, 0x30, 53,
                ],
                Ok((Some(53), address)),
            ),
            ("the last value counts", &[0x78, 1, 0x72, 4, 8, 1, 0x30, 1, 0x72, 2, 0x30, 2], {
                Ok((Some(2), None))
            }),
            ("without its type", &[0x78, 1, 0x72, 0], Err(Error::MissingField)),
            ("in another wire type", &[0x78, 1, 0x70, 1], Err(Error::WrongWireType)),
            ("a port that is octets", &[0x78, 1, 0x72, 4, 8, 1, 0x32, 0], {
                Err(Error::WrongWireType)
            }),
            ("damaged inside", &[0x78, 1, 0x72, 3, 8, 1, 0x30], Err(Error::Truncated)),
        ] {
            assert_eq!(port_and_address(body), want, "{name}");
        }
    }
}
