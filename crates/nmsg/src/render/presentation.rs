use wdns::TextBuffer;

use super::Unrenderable;
use super::head::Head;
use super::json_value::is_name;
use super::plan::{Op, Raw, Source, Step, Way};
use super::presentation_value::{Context, Separator, put, write_line};
use super::rdata::RdataKind;
use crate::alias::Aliases;
use crate::index::FieldIndex;
use crate::schema::Registry;
use crate::text::time::TimeWriter;
use crate::view::{Message, View};
use crate::{AliasTable, Labels, Payload};

/// Writes payloads in presentation form (`rendering-and-parsing` §4).
#[derive(Debug)]
pub struct PresentationWriter<'r> {
    head: Head<'r>,
    aliases: &'r Aliases,
    labels: Labels,
    separator: Separator,
    time: TimeWriter,
    index: FieldIndex,
}

impl<'r> PresentationWriter<'r> {
    /// A writer for the types of `registry`. `separator` ends the header and every field line;
    /// normally it is a newline.
    #[must_use]
    pub fn new(
        registry: &'r Registry,
        aliases: &'r Aliases,
        labels: Labels,
        separator: &[u8],
    ) -> Self {
        Self {
            head: Head::new(registry),
            aliases,
            labels,
            separator: Separator::new(separator),
            time: TimeWriter::default(),
            index: FieldIndex::new(),
        }
    }

    /// Appends the record of `payload`; a type that is not registered is said in its body.
    ///
    /// # Errors
    ///
    /// Nothing is appended for a payload that is absent or does not decode (`decisions` PO-1).
    #[inline]
    pub fn write(
        &mut self,
        out: &mut TextBuffer,
        payload: &Payload<'_>,
    ) -> Result<(), Unrenderable> {
        let Some(schema) = self.head.schema(payload) else {
            self.unknown(out, payload);
            return Ok(());
        };
        let body = payload.body.ok_or(Unrenderable::Absent)?;
        let view = View::new(schema, body, &mut self.index).map_err(Unrenderable::Undecodable)?;
        out.byte(b'[');
        out.decimal(body.len() as u64);
        self.time.write(out, b"] [", payload.time);
        let labels = self.labels.over(payload);
        self.head.write(out, labels, |out| {
            out.literal(schema.presentation_header());
            write_labels(out, labels, self.aliases);
            self.separator.write(out);
        });
        write_fields(out, view, &self.separator, &mut self.time);
        out.byte(b'\n');
        Ok(())
    }

    #[cold]
    fn unknown(&mut self, out: &mut TextBuffer, payload: &Payload<'_>) {
        let numbers = |out: &mut TextBuffer| {
            out.decimal(payload.vendor.0.into());
            out.byte(b':');
            out.decimal(payload.msgtype.0.into());
        };
        out.byte(b'[');
        out.decimal(payload.body.map_or(0, <[u8]>::len) as u64);
        self.time.write(out, b"] [", payload.time);
        out.array(b"] [");
        numbers(out);
        out.byte(b' ');
        let vendor = self.head.registry().vendor(payload.vendor);
        out.bytes(vendor.map_or(b"(unknown)", |vendor| vendor.name()));
        out.bytes(b" (unknown)] [");
        write_labels(out, self.labels.over(payload), self.aliases);
        self.separator.write(out);
        out.bytes(b"<UNKNOWN NMSG ");
        numbers(out);
        out.byte(b'>');
        self.separator.write(out);
        out.byte(b'\n');
    }
}

/// Appends `SOURCE] [OPERATOR] [GROUP] `.
#[inline(never)]
fn write_labels(out: &mut TextBuffer, labels: Labels, aliases: &Aliases) {
    out.hex_u32(labels.source);
    if labels.operator | labels.group == 0 {
        return out.array(b"] [] [] ");
    }
    out.array(b"] [");
    if labels.operator != 0 {
        alias(out, labels.operator, &aliases.operators);
    }
    out.array(b"] [");
    if labels.group != 0 {
        alias(out, labels.group, &aliases.groups);
    }
    out.array(b"] ");
}

#[inline(never)]
fn alias(out: &mut TextBuffer, number: u32, aliases: &AliasTable) {
    match aliases.name(number) {
        Some(name) => out.bytes(name),
        None => out.decimal(number.into()),
    }
}

/// Appends the field lines of a message.
#[inline(never)]
pub(crate) fn write_fields(
    out: &mut TextBuffer,
    view: View<'_>,
    separator: &Separator,
    time: &mut TimeWriter,
) {
    let mut message = None;
    if !separator.is_newline() {
        for step in &view.schema().plan().presentation {
            let message = message.get_or_insert_with(|| Message::new(view));
            write_other(out, &Context { message, separator }, time, step);
        }
        return;
    }
    out.piece(|piece| {
        for step in &view.schema().plan().presentation {
            let slot = view.slot(step.field.into());
            if slot.count() == 1 && step.is_usual {
                piece.short_literal(&step.label);
                put(piece, time, step, Raw::new(slot, view.body()));
                piece.array(b"\n");
                continue;
            }
            if slot.is_empty() && step.may_be_absent {
                continue;
            }
            match step.way {
                Way::Name => {
                    let (octets, start, end) = Raw::new(slot, view.body()).place();
                    if is_name(start, end) {
                        piece.short_literal(&step.label);
                        piece.name::<false>(octets, start, end);
                        piece.array(b"\n");
                    }
                }
                Way::Rdata => piece.outside(|out| write_rdata(out, view, separator, step)),
                Way::Encoded | Way::Other => piece.outside(|out| {
                    let message = message.get_or_insert_with(|| Message::new(view));
                    write_other(out, &Context { message, separator }, time, step);
                }),
            }
        }
    });
}

/// Appends a field that does not take one of the usual ways.
#[inline(never)]
fn write_other(
    out: &mut TextBuffer,
    context: &Context<'_, '_>,
    time: &mut TimeWriter,
    step: &Step,
) {
    let (message, view) = (context.message, context.message.view());
    let value = match step.source {
        Source::Stored => view.raw(step),
        Source::Computed => message.computed_by(step.getter, 0).map(Raw::from),
        Source::StoredArray if step.op == Op::Rdata => {
            return write_rdata(out, view, context.separator, step);
        }
        Source::StoredArray => return write_lines(out, context, time, step, view.raws(step)),
        Source::ComputedArray => {
            let computed = |index| message.computed_by(step.getter, index);
            let values = (0..).map_while(computed).map(Raw::from);
            return write_lines(out, context, time, step, values);
        }
    };
    if let Some(value) = value {
        write_line(out, context, time, step, value);
    }
}

/// As [`write_lines`], for record data: what it is is found out once for all of it.
#[inline(never)]
fn write_rdata(out: &mut TextBuffer, view: View<'_>, separator: &Separator, step: &Step) {
    let kind = RdataKind::of(view);
    let is_newline = separator.is_newline();
    out.piece(|piece| {
        for octets in view.octets_of(step) {
            piece.literal(&step.label);
            kind.put::<false>(piece, octets);
            if is_newline {
                piece.array(b"\n");
            } else {
                piece.outside(|out| separator.write(out));
            }
        }
    });
}

/// Appends the lines of a field with any number of values.
#[inline(never)]
fn write_lines<'v>(
    out: &mut TextBuffer,
    context: &Context<'_, '_>,
    time: &mut TimeWriter,
    step: &Step,
    values: impl Iterator<Item = Raw<'v>>,
) {
    for value in values {
        write_line(out, context, time, step, value);
    }
}
