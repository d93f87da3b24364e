//! `base:dnsobs`: an answer as observed at a resolver (`message-types` §3.14).

use crate::schema::FieldType::{Bytes, Ip, Uint16, Uint32, Uint64};
use crate::schema::{Field, FieldFlags, Form, MessageType, Storage};
use crate::types::BASE;
use crate::view::{Derived, Value, View};

/// Declaration of the type.
pub const TYPE: MessageType = MessageType::new(BASE, (14, c"dnsobs"), FIELDS);

const RESPONSE: u32 = 7;

const FIELDS: &[Field] = &[
    Field::required(c"time", 1, Uint64).flag(FieldFlags::REQUIRED),
    Field::required(c"response_ip", 2, Ip).flag(FieldFlags::REQUIRED),
    Field::required(c"qname", 3, Bytes).form(Form::Name).flag(FieldFlags::REQUIRED),
    Field::required(c"qtype", 4, Uint16).form(Form::RrType).flag(FieldFlags::REQUIRED),
    Field::required(c"qclass", 5, Uint16).form(Form::Class).flag(FieldFlags::REQUIRED),
    Field::required(c"rcode", 6, Uint16).form(Form::Rcode).flag(FieldFlags::REQUIRED),
    Field::optional(c"response", RESPONSE, Bytes).form(Form::DnsMessage),
    Field::computed(c"response_json", Bytes, response)
        .form(Form::DnsJson)
        .flag(FieldFlags::FORMAT_RAW)
        .flag(FieldFlags::NO_PRINT),
    Field::optional(c"query_zone", 8, Bytes).form(Form::Name),
    Field::optional(c"geoid", 9, Bytes),
    Field::optional(c"sensor_id", 10, Uint32).stored_as(Storage::Fixed32).form(Form::HexId),
];

fn response<'d, 'a>(_: &'d Derived<'a>, view: &View<'a>, index: usize) -> Option<Value<'d>> {
    if index == 0 { view.octets_by_tag(RESPONSE).map(Value::Octets) } else { None }
}
