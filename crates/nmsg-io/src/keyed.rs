//! JSON records with the keys by which a broker deals them out.
//!
//! What a renderer makes and a sink takes apart again:
//!
//! ```text
//! | K | length (4, little endian) | key | JSON line |      the key, perhaps empty
//! | - | JSON line |                                        no key: the message cannot be read
//! | N | vendor (4) | type (4) | JSON line |                no key: the type has no such field
//! ```

use nmsg::{
    Aliases, FieldIndex, JsonWriter, KeyWriter, Labels, Message, MsgType, Payload, Registry,
    Unrenderable, VendorId, View,
};
use wdns::TextBuffer;

const KEY: u8 = b'K';
const UNREADABLE: u8 = b'-';
const NO_FIELD: u8 = b'N';

/// Writes records with their keys.
#[derive(Debug)]
pub(crate) struct KeyedJsonWriter<'r> {
    json: JsonWriter<'r>,
    registry: &'r Registry,
    field: String,
    keys: KeyWriter,
    index: FieldIndex,
    key: Vec<u8>,
}

impl<'r> KeyedJsonWriter<'r> {
    pub(crate) fn new(
        field: &str,
        registry: &'r Registry,
        aliases: &'r Aliases,
        labels: Labels,
    ) -> Self {
        Self {
            json: JsonWriter::new(registry, aliases, labels),
            registry,
            field: field.to_owned(),
            keys: KeyWriter::default(),
            index: FieldIndex::new(),
            key: Vec::new(),
        }
    }

    /// Appends the key and the record of a payload.
    ///
    /// # Errors
    ///
    /// As [`JsonWriter::write`].
    pub(crate) fn write(
        &mut self,
        out: &mut TextBuffer,
        payload: &Payload<'_>,
    ) -> Result<(), Unrenderable> {
        self.write_key(out, payload);
        self.json.write(out, payload)
    }

    fn write_key(&mut self, out: &mut TextBuffer, payload: &Payload<'_>) {
        let schema = self.registry.get(payload.vendor, payload.msgtype);
        let (Some(schema), Some(body)) = (schema, payload.body) else {
            return out.byte(UNREADABLE);
        };
        let Some(field) = schema.field_index(self.field.as_bytes()) else {
            out.byte(NO_FIELD);
            out.array(&payload.vendor.0.to_le_bytes());
            return out.array(&payload.msgtype.0.to_le_bytes());
        };
        let Ok(view) = View::new(schema, body, &mut self.index) else {
            return out.byte(UNREADABLE);
        };
        self.key.clear();
        self.keys.write(&mut self.key, &Message::new(view), field);
        out.byte(KEY);
        out.array(&(self.key.len() as u32).to_le_bytes());
        out.bytes(&self.key);
    }
}

/// The key of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Key<'a> {
    Text(&'a [u8]),
    Unreadable,
    NoField(VendorId, MsgType),
}

/// Takes the first record off; `None` at the end. The record comes without its newline.
pub(crate) fn next_record<'a>(records: &mut &'a [u8]) -> Option<(Key<'a>, &'a [u8])> {
    let (tag, rest) = records.split_first()?;
    let (key, rest) = match *tag {
        KEY => {
            let (len, rest) = number(rest)?;
            let (key, rest) = rest.split_at_checked(len as usize)?;
            (Key::Text(key), rest)
        }
        NO_FIELD => {
            let (vendor, rest) = number(rest)?;
            let (msgtype, rest) = number(rest)?;
            (Key::NoField(VendorId(vendor), MsgType(msgtype)), rest)
        }
        _ => (Key::Unreadable, rest),
    };
    let line = next_line(&mut { rest })?;
    *records = rest.get(line.len() + 1..).unwrap_or_default();
    Some((key, line))
}

fn number(octets: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = octets.split_first_chunk()?;
    Some((u32::from_le_bytes(*number), rest))
}

/// Takes the first line off, without its newline; `None` at the end.
pub(crate) fn next_line<'a>(lines: &mut &'a [u8]) -> Option<&'a [u8]> {
    if lines.is_empty() {
        return None;
    }
    let mut parts = lines.splitn(2, |octet| *octet == b'\n');
    let line = parts.next()?;
    *lines = parts.next().unwrap_or_default();
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_records_come_back() {
        let registry = Registry::builtin();
        let aliases = Aliases::default();
        let mut writer = KeyedJsonWriter::new("srcport", &registry, &aliases, Labels::default());
        let mut out = TextBuffer::new();
        let ipconn = |body: Option<&'static [u8]>| Payload {
            vendor: VendorId(1),
            msgtype: MsgType(5),
            body,
            ..Payload::default()
        };
        let with_port = ipconn(Some(b"\x18\x0a"));
        let other = Payload { msgtype: MsgType(6), ..with_port };
        let unknown = Payload { msgtype: MsgType(999), ..with_port };
        let damaged = ipconn(Some(b"\x18"));
        let payloads = [with_port, ipconn(Some(b"")), other, unknown, damaged, ipconn(None)];
        for payload in &payloads {
            let _ = writer.write(&mut out, payload);
        }
        let mut records = out.as_bytes();
        let mut keys = Vec::new();
        while let Some((key, line)) = next_record(&mut records) {
            assert!(line.starts_with(b"{\"time\":") && line.ends_with(b"}"));
            keys.push(key);
        }
        assert_eq!(
            keys,
            [
                Key::Text(b"10"),
                Key::Text(b""),
                Key::NoField(VendorId(1), MsgType(6)),
                Key::Unreadable,
                Key::Unreadable,
                Key::Unreadable,
            ]
        );
    }

    #[test]
    fn lines_come_off_one_by_one() {
        let mut lines = &b"one\n\nthree"[..];
        assert_eq!(next_line(&mut lines), Some(&b"one"[..]));
        assert_eq!(next_line(&mut lines), Some(&b""[..]));
        assert_eq!(next_line(&mut lines), Some(&b"three"[..]));
        assert_eq!(next_line(&mut lines), None);
    }

    #[test]
    fn pieces_that_no_renderer_makes_are_an_end() {
        for piece in [&b"K"[..], b"K\x05\0\0\0ab", b"N\x01\0\0\0", b""] {
            assert_eq!(next_record(&mut { piece }), None, "{piece:?}");
        }
    }
}
