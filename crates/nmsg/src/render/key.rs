use wdns::TextBuffer;

use super::json_value::{self, Context, Scratch};
use super::plan::{Op, Raw};
use crate::json::unescape;
use crate::text::time::TimeWriter;
use crate::view::{Message, Value};

/// Writes the text of a field by which brokers deal out messages (`rendering-and-parsing` §10,
/// `decisions` KA-5).
#[derive(Debug, Default)]
pub struct KeyWriter {
    scratch: Scratch,
    time: TimeWriter,
    json: TextBuffer,
}

impl KeyWriter {
    /// Appends the first value of the field at a position in declared order: the text of forms that
    /// have one, names or numbers of enumerations, strings without their NUL, addresses and numbers
    /// as in JSON, octets as they are. Nothing is appended for a field without a value.
    pub fn write(&mut self, out: &mut Vec<u8>, message: &Message<'_>, field: usize) {
        let Some(value) = message.get(field, 0) else { return };
        let view = message.view();
        let steps = &view.schema().plan().json;
        let Some(step) = steps.iter().find(|step| usize::from(step.field) == field) else { return };
        if let (Op::Bytes | Op::DnsMessage | Op::NcapPayload, Value::Octets(octets)) =
            (step.op, value)
        {
            return out.extend_from_slice(octets);
        }
        if let (Op::Text | Op::MultilineText, Value::Octets(octets)) = (step.op, value) {
            return out.extend_from_slice(octets.strip_suffix(b"\0").unwrap_or(octets));
        }
        self.json.clear();
        let mut context = Context::new(view, &mut self.scratch, &mut self.time);
        json_value::write(&mut self.json, &mut context, step, Raw::from(value));
        let text = self.json.as_bytes();
        match text {
            [b'"', inside @ .., b'"'] => unescape(inside, out),
            // Forms that are strings always come without quotes.
            _ if step.quoted => unescape(text, out),
            _ => out.extend_from_slice(text),
        }
    }
}
