use wdns::TextBuffer;

use super::Unrenderable;
use super::head::Head;
use super::json_value::{self, Context, Scratch};
use super::plan::{Op, Raw, Source, Step, Way};
use super::rdata::RdataKind;
use crate::alias::Aliases;
use crate::index::{FieldIndex, Slot};
use crate::schema::Registry;
use crate::text::time::TimeWriter;
use crate::view::{Message, View};
use crate::{AliasTable, Labels, Payload};

/// Writes payloads as JSON records, one line each (`rendering-and-parsing` §5).
///
/// A payload that cannot be shown field by field becomes a fallback record with its octets in
/// base64, so that no output ever loses one (`decisions` JO-1, JO-2).
#[derive(Debug)]
pub struct JsonWriter<'r> {
    head: Head<'r>,
    envelope: Envelope<'r>,
    index: FieldIndex,
    scratch: Scratch,
}

impl<'r> JsonWriter<'r> {
    /// A writer for the types of `registry`.
    #[must_use]
    pub fn new(registry: &'r Registry, aliases: &'r Aliases, labels: Labels) -> Self {
        Self {
            head: Head::new(registry),
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
        let schema = self.head.schema(payload);
        let reason = match (schema, payload.body) {
            (Some(schema), Some(body)) => match View::new(schema, body, &mut self.index) {
                Ok(view) => {
                    self.envelope.time.write(out, b"{\"time\":\"", payload.time);
                    let labels = self.envelope.labels.over(payload);
                    self.head.write(out, labels, |out| {
                        out.literal(schema.json_header());
                        self.envelope.labels(out, labels);
                        out.array(b",\"message\":");
                    });
                    write_message(out, view, &mut self.scratch, &mut self.envelope.time);
                    out.array(b"}\n");
                    return Ok(());
                }
                Err(error) => Unrenderable::Undecodable(error),
            },
            (Some(_), None) => Unrenderable::Absent,
            (None, _) => Unrenderable::UnknownType,
        };
        self.envelope.fallback(out, payload, self.head.registry());
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
    #[inline(never)]
    fn labels(&self, out: &mut TextBuffer, labels: Labels) {
        if labels.source != 0 {
            out.array(b",\"source\":\"");
            out.hex_u32(labels.source);
            out.byte(b'"');
        }
        if labels.operator != 0 {
            alias_key(out, b",\"operator\":", labels.operator, &self.aliases.operators);
        }
        if labels.group != 0 {
            alias_key(out, b",\"group\":", labels.group, &self.aliases.groups);
        }
    }

    #[cold]
    fn fallback(&mut self, out: &mut TextBuffer, payload: &Payload<'_>, registry: &Registry) {
        self.time.write(out, b"{\"time\":\"", payload.time);
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
        self.labels(out, self.labels.over(payload));
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

#[inline(never)]
fn alias_key(out: &mut TextBuffer, key: &[u8], number: u32, aliases: &AliasTable) {
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
#[inline(never)]
pub(crate) fn write_message(
    out: &mut TextBuffer,
    view: View<'_>,
    scratch: &mut Scratch,
    time: &mut TimeWriter,
) {
    let mut message = None;
    let mut context = Context::new(view, scratch, time);
    out.piece(|piece| {
        piece.array(b"{");
        let start = piece.buffer_len();
        // There is one step for each field, in the same order.
        let mut slots = view.slots().iter();
        for step in &view.schema().plan().json {
            let slot = slots.next().copied().unwrap_or_default();
            if slot.count() == 1 && step.is_usual {
                piece.short_literal(&step.label);
                json_value::put(piece, context.time, step, Raw::new(slot, view.body()));
                step.put_closing(piece);
                continue;
            }
            if slot.is_empty() && step.may_be_absent {
                continue;
            }
            match step.way {
                Way::Name => {
                    piece.short_literal(&step.label);
                    let (octets, start, end) = Raw::new(slot, view.body()).place();
                    if json_value::is_name(start, end) {
                        piece.name::<true>(octets, start, end);
                    }
                    step.put_closing(piece);
                }
                Way::Rdata => piece.outside(|out| write_rdata(out, view, step)),
                Way::Encoded if slot.count() == 1 || step.source == Source::Computed => piece
                    .outside(|out| {
                        write_encoded(out, &mut message, &mut context, step, slot);
                    }),
                Way::Encoded | Way::Other => {
                    piece.outside(|out| write_other(out, &mut message, &mut context, step));
                }
            }
        }
        if piece.buffer_len() > start {
            // The comma behind the last field.
            piece.retract(1);
        }
        piece.array(b"}");
    });
}

/// Appends a field of octets that has one value, or if it is computed none.
#[inline(never)]
fn write_encoded<'a>(
    out: &mut TextBuffer,
    message: &mut Option<Message<'a>>,
    context: &mut Context<'a, '_>,
    step: &Step,
    slot: Slot,
) {
    let view = context.view;
    let octets = if step.source != Source::Computed {
        slot.octets(view.body())
    } else {
        let message = message.get_or_insert_with(|| Message::new(view));
        let Some(value) = message.computed_by(step.getter, 0) else { return };
        value.octets().unwrap_or_default()
    };
    let is_string = step.op == Op::PacketBytes;
    out.piece(|piece| {
        piece.literal(&step.label);
        if octets.is_empty() && !is_string {
            piece.array(b"null");
        } else {
            piece.start_of(b"\"", u8::from(!is_string));
            piece.outside(|out| context.base64(out, octets));
            piece.start_of(b"\"", u8::from(!is_string));
        }
        step.put_closing(piece);
    });
}

/// Appends a field that does not take one of the usual ways.
#[inline(never)]
fn write_other<'a>(
    out: &mut TextBuffer,
    message: &mut Option<Message<'a>>,
    context: &mut Context<'a, '_>,
    step: &Step,
) {
    let view = context.view;
    let message = message.get_or_insert_with(|| Message::new(view));
    let value = match step.source {
        Source::Stored => view.raw(step),
        Source::StoredArray if view.stored_count(step.field.into()) == 1 => view.raw(step),
        Source::StoredArray => return write_array(out, context, step, view.raws(step)),
        Source::Computed => message.computed_by(step.getter, 0).map(Raw::from),
        Source::ComputedArray => {
            let computed = |index| message.computed_by(step.getter, index);
            let values = (0..).map_while(computed).map(Raw::from);
            return write_array(out, context, step, values);
        }
    };
    let Some(value) = value else { return };
    out.literal(&step.label);
    json_value::write(out, context, step, value);
    step.close(out);
}

/// As [`write_array`], for record data: what it is is found out once for all of it.
#[inline(never)]
fn write_rdata(out: &mut TextBuffer, view: View<'_>, step: &Step) {
    let kind = RdataKind::of(view);
    out.piece(|piece| {
        piece.literal(&step.label);
        let start = piece.buffer_len();
        for octets in view.octets_of(step) {
            kind.put::<true>(piece, octets);
            piece.array(b"\",\"");
        }
        if piece.buffer_len() > start {
            // The separator behind the last value.
            piece.retract(3);
            step.put_closing(piece);
        } else {
            // No string was opened.
            piece.retract(1);
            piece.array(b"],");
        }
    });
}

/// Appends a field with any number of values.
#[inline(never)]
fn write_array<'v>(
    out: &mut TextBuffer,
    context: &mut Context<'_, '_>,
    step: &Step,
    values: impl Iterator<Item = Raw<'v>>,
) {
    out.literal(&step.label);
    let start = out.len();
    for value in values {
        json_value::write(out, context, step, value);
        if step.quoted { out.array(b"\",\"") } else { out.byte(b',') }
    }
    end_array(out, step, start);
}

/// Closes an array that was begun in front of `start` and has a separator behind its last value.
#[inline(always)]
fn end_array(out: &mut TextBuffer, step: &Step, start: usize) {
    let quote = usize::from(step.quoted);
    if out.len() == start {
        // No string was opened.
        out.retract(quote);
        out.array(b"],");
    } else {
        out.retract(1 + 2 * quote);
        step.close(out);
    }
}
