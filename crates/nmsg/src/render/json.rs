use wdns::TextBuffer;

use super::Unrenderable;
use super::json_value::{self, Context, Scratch};
use crate::alias::Aliases;
use crate::index::FieldIndex;
use crate::schema::{Field, FieldFlags, Label, Registry, Schema, Storage};
use crate::text::time::TimeWriter;
use crate::view::{Message, Value, View};
use crate::{AliasTable, Labels, Payload};

/// Writes payloads as JSON records, one line each (`rendering-and-parsing` §5).
///
/// A payload that cannot be shown field by field becomes a fallback record with its octets in
/// base64, so that no output ever loses one (`decisions` JO-1, JO-2).
#[derive(Debug)]
pub struct JsonWriter<'r> {
    registry: &'r Registry,
    envelope: Envelope<'r>,
    index: FieldIndex,
    scratch: Scratch,
}

impl<'r> JsonWriter<'r> {
    /// A writer for the types of `registry`.
    #[must_use]
    pub fn new(registry: &'r Registry, aliases: &'r Aliases, labels: Labels) -> Self {
        Self {
            registry,
            envelope: Envelope { aliases, labels, time: TimeWriter::default() },
            index: FieldIndex::new(),
            scratch: Scratch::default(),
        }
    }

    /// Appends the record of `payload` and a newline.
    ///
    /// # Errors
    ///
    /// The reason why it had to be a fallback record; that has been appended all the same.
    #[inline]
    pub fn write(
        &mut self,
        out: &mut TextBuffer,
        payload: &Payload<'_>,
    ) -> Result<(), Unrenderable> {
        let schema = self.registry.get(payload.vendor, payload.msgtype);
        let reason = match (schema, payload.body) {
            (Some(schema), Some(body)) => match View::new(schema, body, &mut self.index) {
                Ok(view) => {
                    self.envelope.time(out, payload);
                    out.literal(schema.json_header());
                    self.envelope.labels(out, payload);
                    out.array(b",\"message\":");
                    write_message(out, view, &mut self.scratch);
                    out.array(b"}\n");
                    return Ok(());
                }
                Err(error) => Unrenderable::Undecodable(error),
            },
            (Some(_), None) => Unrenderable::Absent,
            (None, _) => Unrenderable::UnknownType,
        };
        self.envelope.fallback(out, payload, self.registry);
        Err(reason)
    }
}

/// Everything of a record that stands around its message.
#[derive(Debug)]
struct Envelope<'r> {
    aliases: &'r Aliases,
    labels: Labels,
    time: TimeWriter,
}

impl Envelope<'_> {
    #[inline]
    fn time(&mut self, out: &mut TextBuffer, payload: &Payload<'_>) {
        out.array(b"{\"time\":\"");
        self.time.write(out, payload.time);
    }

    #[inline]
    fn labels(&self, out: &mut TextBuffer, payload: &Payload<'_>) {
        let labels = self.labels.over(payload);
        if labels.source != 0 {
            out.array(b",\"source\":\"");
            out.hex_u32(labels.source);
            out.byte(b'"');
        }
        alias_key(out, b",\"operator\":", labels.operator, &self.aliases.operators);
        alias_key(out, b",\"group\":", labels.group, &self.aliases.groups);
    }

    #[cold]
    fn fallback(&mut self, out: &mut TextBuffer, payload: &Payload<'_>, registry: &Registry) {
        self.time(out, payload);
        out.bytes(b"\",\"vid\":");
        out.decimal(payload.vendor.0.into());
        out.bytes(b",\"msgtype\":");
        out.decimal(payload.msgtype.0.into());
        let vendor = registry.vendor(payload.vendor).map(|vendor| vendor.name());
        let schema = registry.get(payload.vendor, payload.msgtype);
        let name = schema.map(|schema| schema.message_type().name.to_bytes());
        for (key, name) in [(&b",\"vname\":\""[..], vendor), (b",\"mname\":\"", name)] {
            if let Some(name) = name {
                out.bytes(key);
                out.json_escaped(name);
                out.byte(b'"');
            }
        }
        self.labels(out, payload);
        out.bytes(b",\"payload\":");
        match payload.body {
            Some(body) => {
                out.byte(b'"');
                out.base64(body);
                out.byte(b'"');
            }
            None => out.bytes(b"null"),
        }
        out.array(b"}\n");
    }
}

fn alias_key(out: &mut TextBuffer, key: &[u8], number: u32, aliases: &AliasTable) {
    if number == 0 {
        return;
    }
    out.bytes(key);
    match aliases.name(number) {
        Some(name) => {
            out.byte(b'"');
            out.json_escaped(name);
            out.byte(b'"');
        }
        None => out.decimal(number.into()),
    }
}

/// Appends the `message` object.
#[inline]
pub(crate) fn write_message(out: &mut TextBuffer, view: View<'_>, scratch: &mut Scratch) {
    let start = out.len();
    let schema: &Schema = view.schema();
    let message = Message::new(view);
    let mut context = Context { view, scratch };
    for (i, (field, plan)) in schema.fields().iter().zip(schema.plans()).enumerate() {
        if field.label == Label::Repeated {
            out.literal(&plan.json);
            write_array(out, &mut context, i, field);
            continue;
        }
        let value = if field.tag.is_some() {
            let slot = view.slot(i);
            if slot.count == 0 {
                continue;
            }
            match field.storage {
                Storage::Bytes => Value::Octets(slot.octets(view.body())),
                _ => Value::from_stored(field, crate::index::Stored::Number(slot.number())),
            }
        } else if field.flags.contains(FieldFlags::REPEATED) {
            out.literal(&plan.json);
            write_computed_array(out, &mut context, field, &message);
            continue;
        } else {
            match message.computed(field, 0) {
                Some(value) => value,
                None => continue,
            }
        };
        json_value::write(out, &mut context, field, plan, value);
    }
    if out.len() == start {
        out.byte(b'{');
    } else {
        // The first field's comma opens the object.
        let written = out.len() - start;
        out.tail_mut(written)[0] = b'{';
    }
    out.byte(b'}');
}

fn write_array(out: &mut TextBuffer, context: &mut Context<'_, '_>, i: usize, field: &Field) {
    out.byte(b'[');
    let mut first = true;
    for value in context.view.stored_values(i) {
        if !std::mem::take(&mut first) {
            out.byte(b',');
        }
        json_value::write_element(out, context, field, value);
    }
    out.byte(b']');
}

fn write_computed_array(
    out: &mut TextBuffer,
    context: &mut Context<'_, '_>,
    field: &Field,
    message: &Message<'_>,
) {
    out.byte(b'[');
    let mut index = 0;
    while let Some(value) = message.computed(field, index) {
        if index > 0 {
            out.byte(b',');
        }
        json_value::write_element(out, context, field, value);
        index += 1;
    }
    out.byte(b']');
}
