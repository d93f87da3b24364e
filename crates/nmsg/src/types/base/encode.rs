//! `base:encode`: a document in one of several encodings (`message-types` §3.11).

use wdns::TextBuffer;

use crate::json::compact;
use crate::schema::FieldType::{Bytes, Enum};
use crate::schema::{EnumValue, Field, FieldFlags, Form, MessageType, enum_values};
use crate::text::string::json_text_with_nul;
use crate::types::BASE;
use crate::view::{Value, View};

/// Encoding of the document.
pub const ENCODE_TYPE: &[EnumValue] =
    enum_values!(c"TEXT" = 0, c"JSON" = 1, c"YAML" = 2, c"MSGPACK" = 3, c"XML" = 4);

/// Declaration of the type.
pub const TYPE: MessageType = MessageType::new(BASE, (11, c"encode"), FIELDS);

const KIND: u32 = 1;
const JSON: i32 = 1;
const MSGPACK: i32 = 3;

const FIELDS: &[Field] = &[
    Field::required(c"type", KIND, Enum).named(ENCODE_TYPE).flag(FieldFlags::REQUIRED),
    Field::required(c"payload", 2, Bytes)
        .form(Form::Encoded)
        .flag(FieldFlags::REQUIRED)
        .flag(FieldFlags::FORMAT_RAW),
];

/// Appends the payload as `{"val":…,"b64":"…"}`. `val` is left out for binary documents and for
/// JSON that is not valid (`decisions` JO-10).
pub(crate) fn write_json(out: &mut TextBuffer, view: View<'_>, payload: &[u8]) {
    let start = out.len();
    out.array(b"{\"val\":");
    let shown = match view.value_by_tag(KIND) {
        Some(Value::Enum(MSGPACK)) => false,
        Some(Value::Enum(JSON)) => compact::write(out, payload),
        _ => {
            out.byte(b'"');
            json_text_with_nul(out, payload);
            out.byte(b'"');
            true
        }
    };
    if shown {
        out.byte(b',');
    } else {
        out.truncate(start + 1);
    }
    out.array(b"\"b64\":\"");
    out.base64(payload);
    out.array(b"\"}");
}
