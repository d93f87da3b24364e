//! The fields of one record.

use wdns::{Class, RrType};

use super::error::{RecordError, RecordErrorKind};
use super::value;
use crate::builder::MessageBuilder;
use crate::schema::{FieldType, Form, Schema};

/// Any type whose record data is only known as octets, for data of a record that names no type.
const UNKNOWN_TYPE: RrType = RrType(65_280);

/// How a line of a record goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Block {
    /// It ends with the line.
    Line,
    /// Text up to a line `.`.
    Multiline,
    /// The text of a DNS message up to a line `---`.
    Dump,
    /// A captured datagram as text, which has no end of its own.
    Datagram,
}

/// A line `name: value`.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldLine<'t> {
    pub(super) name: &'t [u8],
    /// What follows the colon.
    pub(super) value: &'t [u8],
}

impl<'t> FieldLine<'t> {
    /// Splits at the first colon; colons before the name do not count.
    pub(super) fn parse(line: &'t [u8]) -> Option<Self> {
        let start = line.iter().take_while(|&&octet| matches!(octet, b':' | b' ' | b'\t')).count();
        let line = &line[start..];
        let colon = line.iter().position(|&octet| octet == b':')?;
        Some(Self { name: line[..colon].trim_ascii_end(), value: &line[colon + 1..] })
    }

    /// Index of the field with this name.
    pub(super) fn field(&self, schema: &Schema) -> Option<usize> {
        schema.field_index(self.name)
    }

    /// What follows this line.
    pub(super) fn block(&self, schema: &Schema) -> Block {
        let Some(field) = self.field(schema) else { return Block::Line };
        let declared = &schema.fields()[field];
        let value = self.value.trim_ascii();
        match declared.form {
            Form::DnsMessage | Form::DnsMessageSie if value.starts_with(b"[") => Block::Dump,
            Form::NcapPayload if value.is_empty() => Block::Datagram,
            _ if declared.field_type == FieldType::MultilineString && value.is_empty() => {
                Block::Multiline
            }
            _ => Block::Line,
        }
    }
}

/// The fields of the record that is being read.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) builder: MessageBuilder,
    /// Record data waits for type and class: field, line number and place in `text`.
    rdata: Vec<(usize, u64, usize)>,
    text: Vec<u8>,
}

impl Record {
    pub(super) fn new(builder: MessageBuilder) -> Self {
        Self { builder, rdata: Vec::new(), text: Vec::new() }
    }

    pub(super) fn clear(&mut self) {
        self.builder.clear();
        self.rdata.clear();
        self.text.clear();
    }

    /// Adds the value of a line. `exact` keeps all blanks of a string but the one that is always
    /// written.
    pub(super) fn line(
        &mut self,
        schema: &Schema,
        line: FieldLine<'_>,
        number: u64,
        exact: bool,
    ) -> Result<(), RecordErrorKind> {
        let field = line.field(schema).ok_or(RecordErrorKind::UnknownField)?;
        let declared = &schema.fields()[field];
        if declared.tag.is_none() && declared.nested.is_none() {
            return Err(RecordErrorKind::Computed);
        }
        match (declared.form, declared.field_type) {
            (Form::DnsMessage | Form::DnsMessageSie, _) => Err(RecordErrorKind::DnsMessage),
            (Form::Rdata, _) => {
                self.rdata.push((field, number, self.text.len()));
                self.text.extend_from_slice(line.value);
                Ok(())
            }
            (_, FieldType::String) => {
                let text = match line.value {
                    [b' ' | b'\t', rest @ ..] if exact => rest,
                    value if exact => value,
                    value => value.trim_ascii_start(),
                };
                self.push_text(field, [text]);
                Ok(())
            }
            (_, FieldType::MultilineString) => Err(RecordErrorKind::Multiline),
            _ => value::push(&mut self.builder, schema, field, line.value),
        }
    }

    /// Adds the text of several pieces, and one NUL.
    pub(super) fn push_text<'t>(
        &mut self,
        field: usize,
        pieces: impl IntoIterator<Item = &'t [u8]>,
    ) {
        let Ok(()) = self.builder.push_with(field, |out| {
            for piece in pieces {
                out.extend_from_slice(piece);
            }
            out.push(0);
            Ok::<(), std::convert::Infallible>(())
        });
    }

    /// Reads the record data, now that all lines were seen.
    pub(super) fn finish(&mut self, schema: &Schema) -> Result<(), RecordError> {
        let kind = schema.rr_fields().and_then(|(rrtype, class)| {
            let number = |field| self.builder.number(field).map(|number| number as u16);
            Some((RrType(number(rrtype)?), Class(number(class)?)))
        });
        // Without both only the form of unknown types is shown (`decisions` PO-7).
        let (rrtype, class) = kind.unwrap_or((UNKNOWN_TYPE, Class::IN));
        for (i, &(field, line, start)) in self.rdata.iter().enumerate() {
            let end = self.rdata.get(i + 1).map_or(self.text.len(), |next| next.2);
            let text = self.text[start..end].trim_ascii();
            self.builder
                .push_with(field, |out| wdns::rdata::parse(text, rrtype, class, out))
                .map_err(|_| RecordError::new(RecordErrorKind::Value, line))?;
        }
        Ok(())
    }
}
