//! Payloads as text through the public interface, record by record.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod addresses;
mod decisions;
mod flags;
mod names;
mod ncap;

use nmsg::wire::{put_len_field, put_varint_field};
use nmsg::{
    Aliases, JsonWriter, Labels, MsgType, Payload, PresentationWriter, Registry, Unrenderable,
    VendorId,
};
use wdns::TextBuffer;

/// A value to encode.
enum Value<'a> {
    Number(u64),
    Octets(&'a [u8]),
}

/// Encodes fields, given by number.
fn body(fields: &[(u32, Value<'_>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (tag, value) in fields {
        match value {
            Value::Number(number) => put_varint_field(&mut body, *tag, *number),
            Value::Octets(octets) => put_len_field(&mut body, *tag, octets),
        }
    }
    body
}

/// A payload of a type at the epoch.
fn payload(vendor: u32, msgtype: u32, body: &[u8]) -> Payload<'_> {
    Payload {
        vendor: VendorId(vendor),
        msgtype: MsgType(msgtype),
        body: Some(body),
        ..Payload::default()
    }
}

/// The JSON record of a payload without its newline, and why it is a fallback record if it is.
fn json(payload: &Payload<'_>) -> (String, Result<(), Unrenderable>) {
    let (registry, aliases) = (Registry::builtin(), Aliases::default());
    let mut writer = JsonWriter::new(&registry, &aliases, Labels::default());
    let mut out = TextBuffer::new();
    let result = writer.write(&mut out, payload);
    let text = String::from_utf8(out.as_bytes().to_vec()).unwrap();
    (text.strip_suffix('\n').unwrap().to_owned(), result)
}

/// The `message` object of a payload's JSON record.
fn message(payload: &Payload<'_>) -> String {
    let (record, result) = json(payload);
    assert_eq!(result, Ok(()), "{record}");
    let (_, message) = record.split_once("\"message\":").unwrap();
    message.strip_suffix('}').unwrap().to_owned()
}

/// The presentation form of a payload without its header line.
fn lines(payload: &Payload<'_>) -> String {
    lines_ending_in(b"\n", payload)
}

/// The presentation form of a payload without its header line, its lines ended by `newline`.
fn lines_ending_in(newline: &[u8], payload: &Payload<'_>) -> String {
    let (registry, aliases) = (Registry::builtin(), Aliases::default());
    let mut writer = PresentationWriter::new(&registry, &aliases, Labels::default(), newline);
    let mut out = TextBuffer::new();
    writer.write(&mut out, payload).unwrap();
    let text = String::from_utf8_lossy(out.as_bytes()).into_owned();
    let end = String::from_utf8_lossy(newline).into_owned();
    text.split_once(&format!("] {end}")).unwrap().1.to_owned()
}
