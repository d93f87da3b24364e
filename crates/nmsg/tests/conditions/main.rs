//! Conditions on payloads through the public interface.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod errors;
mod examples;
mod hostile;
mod operators;

use nmsg::filter::{Matcher, Where, WhereError};
use nmsg::schema::FieldType::{
    Bool, Bytes, Double, Enum, Int16, Int32, Int64, Ip, MultilineString, String as Text, Uint16,
    Uint32, Uint64,
};
use nmsg::schema::{EnumValue, Field, FieldFlags, Form, MessageType};
use nmsg::wire::{put_fixed64_field, put_len_field, put_varint_field};
use nmsg::{Aliases, MsgType, Payload, Registry, Timestamp, VendorId};
use std::borrow::Cow;

/// 2024-01-02 03:04:05.000000006
const TIME: Timestamp = Timestamp { sec: 1_704_164_645, nsec: 6 };

/// One hour after [`TIME`].
const NOW: Timestamp = Timestamp { sec: TIME.sec + 3600, nsec: 0 };

const COLORS: &[EnumValue] = &[
    EnumValue { number: -1, name: Cow::Borrowed(c"None") },
    EnumValue { number: 1, name: Cow::Borrowed(c"Red") },
    EnumValue { number: 2, name: Cow::Borrowed(c"Green") },
];

/// A field of every kind there is.
const FIELDS: &[Field] = &[
    Field::optional(c"enum", 1, Enum).named(COLORS),
    Field::optional(c"bytes", 2, Bytes),
    Field::optional(c"string", 3, Text),
    Field::optional(c"multiline", 4, MultilineString),
    Field::optional(c"ip", 5, Ip),
    Field::optional(c"uint16", 6, Uint16),
    Field::optional(c"uint32", 7, Uint32),
    Field::optional(c"uint64", 8, Uint64),
    Field::optional(c"int16", 9, Int16),
    Field::optional(c"int32", 10, Int32),
    Field::optional(c"int64", 11, Int64),
    Field::optional(c"double", 12, Double),
    Field::optional(c"bool", 13, Bool),
    Field::optional(c"name", 14, Bytes).form(Form::Name),
    Field::optional(c"rrtype", 15, Uint16).form(Form::RrType),
    Field::optional(c"rrclass", 16, Uint16).form(Form::Class),
    Field::optional(c"rcode", 17, Uint16).form(Form::Rcode),
    Field::optional(c"proto", 18, Uint16).form(Form::Protocol),
    Field::repeated(c"rdata", 19, Bytes).form(Form::Rdata),
    Field::optional(c"seen", 20, Uint32).form(Form::Time),
    Field::optional(c"packet", 21, Bytes).form(Form::DnsMessage),
    Field::optional(c"named", 22, Uint32).form(Form::Named).named(COLORS),
    Field::repeated(c"numbers", 23, Int32),
    Field::repeated(c"names", 24, Bytes).form(Form::Name),
    Field::repeated(c"addresses", 25, Ip),
    Field::optional(c"time", 26, Uint32).form(Form::Time),
    Field::optional(c"type", 27, Enum).named(COLORS),
    Field::optional(c"hidden", 28, Uint32).flag(FieldFlags::HIDDEN),
    Field::computed(c"computed", Uint32, |_, view, index| {
        if index == 0 { view.stored(view.schema().field_index(b"uint32")?) } else { None }
    }),
    Field::computed(c"computed_list", Uint32, |_, view, index| {
        view.stored_values(view.schema().field_index(b"numbers")?)
            .nth(index)
            .map(|_| nmsg::Value::Unsigned(index as u64))
    })
    .flag(FieldFlags::REPEATED),
    Field::optional(c"absent", 99, Uint32),
];

const ALL: (VendorId, MsgType) = (VendorId(7), MsgType(3));

/// The built-in types and `test:all`.
fn registry() -> Registry {
    let mut registry = Registry::builtin();
    registry.register(MessageType::new((7, c"test"), (3, c"all"), FIELDS)).unwrap();
    registry
}

fn aliases() -> Aliases {
    let mut aliases = Aliases::default();
    aliases.operators.insert(101, b"QA");
    aliases.groups.insert(5, b"Five");
    aliases
}

fn wire(name: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    wdns::name::parse(name.as_bytes(), &mut wire).unwrap();
    wire
}

/// A DNS message with one question, `fsi.io. IN A`, and its answer.
const DNS: &[u8] = &[
    0x1b, 0xb0, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 3, b'f', b's', b'i', 2, b'i', b'o', 0, 0, 1, 0,
    1, 0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 43, 0, 4, 172, 217, 3, 110,
];

/// A body of `test:all`.
fn all_body() -> Vec<u8> {
    let mut body = Vec::new();
    let out = &mut body;
    put_varint_field(out, 1, 2);
    put_len_field(out, 2, b"\x00Bytes\xff");
    put_len_field(out, 3, b"Some text\0");
    put_len_field(out, 4, b"line one\nline two\0");
    put_len_field(out, 5, &[192, 0, 2, 7]);
    put_varint_field(out, 6, 65_535);
    put_varint_field(out, 7, 4_000_000_000);
    put_varint_field(out, 8, u64::MAX);
    put_varint_field(out, 9, -5_i64 as u64);
    put_varint_field(out, 10, -70_000_i64 as u64);
    put_varint_field(out, 11, i64::MIN as u64);
    put_fixed64_field(out, 12, 0.5_f64.to_bits());
    put_varint_field(out, 13, 1);
    put_len_field(out, 14, &wire("wWw.Example.COM"));
    put_varint_field(out, 15, 1);
    put_varint_field(out, 16, 1);
    put_varint_field(out, 17, 3);
    put_varint_field(out, 18, 17);
    put_len_field(out, 19, &[10, 1, 2, 3]);
    put_len_field(out, 19, &[192, 0, 2, 9]);
    put_varint_field(out, 20, 1_700_000_000);
    put_len_field(out, 21, DNS);
    put_varint_field(out, 22, 1);
    for number in [-3_i64, 4, 4, 11] {
        put_varint_field(out, 23, number as u64);
    }
    for name in ["a.example.com", "b.example.net"] {
        put_len_field(out, 24, &wire(name));
    }
    put_len_field(out, 25, &[10, 0, 0, 1]);
    put_len_field(out, 25, &[1, 2, 3]);
    put_len_field(out, 25, &"2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap().octets());
    put_varint_field(out, 26, 1_600_000_000);
    put_varint_field(out, 27, 1);
    put_varint_field(out, 28, 1);
    body
}

fn payload((vendor, msgtype): (VendorId, MsgType), body: Option<&[u8]>) -> Payload<'_> {
    Payload {
        vendor,
        msgtype,
        time: TIME,
        source: Some(0xa1ba_02cf),
        operator: Some(101),
        group: Some(0),
        body,
    }
}

fn compile(expression: &str) -> Result<Where, WhereError> {
    Where::compile(expression, &registry(), &aliases(), NOW)
}

/// Whether an expression holds for a payload; its error is a failure of the test.
fn holds(expression: &str, payload: &Payload<'_>) -> bool {
    match compile(expression) {
        Ok(condition) => Matcher::new(&condition).matches(payload),
        Err(error) => panic!("{expression}: {error}"),
    }
}

/// Checks expressions against one payload.
fn rows(payload: &Payload<'_>, rows: &[(&str, bool)]) {
    for &(expression, want) in rows {
        assert_eq!(holds(expression, payload), want, "{expression}");
        assert_eq!(holds(&format!("not ({expression})"), payload), !want, "not {expression}");
        assert_eq!(holds(&format!("!!({expression})"), payload), want, "not not {expression}");
    }
}
