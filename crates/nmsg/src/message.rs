//! Messages that own their octets, to be made, read and changed field by field
//! (`rendering-and-parsing` §10).

use std::sync::Arc;

use wdns::TextBuffer;

use crate::builder::{MessageBuilder, SetError};
use crate::json::{JsonReader, LineError, LineErrorKind};
use crate::record::{RecordHeader, label};
use crate::render::{JsonWriter, KeyWriter, Separator, Unrenderable, write_fields};
use crate::schema::{Field, FieldFlags, FieldType, Registry, Schema};
use crate::text::time::TimeWriter;
use crate::view::{Message, Value, View};
use crate::{FieldIndex, MsgType, Payload, Timestamp, VendorId, wire};

/// Why a message could not be changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ChangeError {
    /// The message has no fields to be changed.
    Unreadable(Unrenderable),
    /// The value was refused.
    Set(SetError),
}

impl std::fmt::Display for ChangeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(reason) => reason.fmt(f),
            Self::Set(reason) => reason.fmt(f),
        }
    }
}

impl std::error::Error for ChangeError {}

impl From<SetError> for ChangeError {
    fn from(error: SetError) -> Self {
        Self::Set(error)
    }
}

/// Octets of replaced values that may be held, beyond the size of the message.
const REPLACED_KEPT: usize = 16 << 10;

/// A message with its header: the counterpart of [`Payload`] for programs that keep or change
/// messages.
///
/// ```
/// use nmsg::{OwnedMessage, Registry, Timestamp, Value};
///
/// let registry = Registry::builtin();
/// let schema = registry.find(b"base", b"logline").expect("a built-in type");
/// let mut message = OwnedMessage::new(schema.clone(), Timestamp { sec: 7, nsec: 0 });
/// let category = message.field_index(b"category").expect("a field of that type");
/// message.set(category, 0, Value::Octets(b"test")).unwrap();
/// assert_eq!(message.view().unwrap().get(category, 0), Some(Value::Octets(b"test")));
/// assert_eq!(message.payload().body, Some(&b"\x0a\x04test"[..]));
/// ```
#[derive(Clone, Debug)]
pub struct OwnedMessage {
    header: RecordHeader,
    schema: Option<Arc<Schema>>,
    /// The encoded message; stale while `changed`.
    body: Vec<u8>,
    /// The values, once they were changed.
    decoded: Option<Box<MessageBuilder>>,
    changed: bool,
    index: FieldIndex,
}

impl OwnedMessage {
    /// An empty message: no field is set, required ones are stored as zero, empty or their
    /// default.
    #[must_use]
    pub fn new(schema: Arc<Schema>, time: Timestamp) -> Self {
        let declaration = schema.message_type();
        let (vendor, msgtype) = (declaration.vendor, declaration.id);
        let header =
            RecordHeader { vendor, msgtype, time, has_body: true, ..RecordHeader::default() };
        let mut body = Vec::new();
        MessageBuilder::new(Arc::clone(&schema)).encode(&mut body);
        Self::with(header, Some(schema), body)
    }

    /// A message of any type, known or not, with this encoded form.
    #[must_use]
    pub fn from_body(
        registry: &Registry,
        (vendor, msgtype): (VendorId, MsgType),
        body: Vec<u8>,
        time: Timestamp,
    ) -> Self {
        let header =
            RecordHeader { vendor, msgtype, time, has_body: true, ..RecordHeader::default() };
        Self::with(header, registry.get(vendor, msgtype).cloned(), body)
    }

    /// A copy of a payload.
    #[must_use]
    pub fn from_payload(registry: &Registry, payload: &Payload<'_>) -> Self {
        let header = RecordHeader {
            vendor: payload.vendor,
            msgtype: payload.msgtype,
            time: payload.time,
            source: payload.source,
            operator: payload.operator,
            group: payload.group,
            has_body: payload.body.is_some(),
        };
        let schema = registry.get(payload.vendor, payload.msgtype).cloned();
        Self::with(header, schema, payload.body.unwrap_or_default().to_vec())
    }

    /// Reads a message from one JSON record; `now` is the time of a record that has none.
    ///
    /// # Errors
    ///
    /// The text is no record; so is a text of blanks.
    pub fn from_json(
        registry: &Registry,
        aliases: &crate::Aliases,
        text: &[u8],
        now: Timestamp,
    ) -> Result<Self, LineError> {
        let mut body = Vec::new();
        let header = JsonReader::new(registry, aliases).read_line(text, now, &mut body)?;
        let blank = LineError { kind: LineErrorKind::Incomplete, column: text.len() as u32 };
        let header = header.ok_or(blank)?;
        let schema = registry.get(header.vendor, header.msgtype).cloned();
        Ok(Self::with(header, schema, body))
    }

    fn with(header: RecordHeader, schema: Option<Arc<Schema>>, body: Vec<u8>) -> Self {
        Self { header, schema, body, decoded: None, changed: false, index: FieldIndex::new() }
    }

    /// Vendor id.
    #[must_use]
    pub fn vendor(&self) -> VendorId {
        self.header.vendor
    }

    /// Message type within the vendor.
    #[must_use]
    pub fn msgtype(&self) -> MsgType {
        self.header.msgtype
    }

    /// The type of the message; `None` when it is not registered.
    #[must_use]
    pub fn schema(&self) -> Option<&Arc<Schema>> {
        self.schema.as_ref()
    }

    /// When the message was made.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.header.time
    }

    /// Sets when the message was made.
    pub fn set_time(&mut self, time: Timestamp) {
        self.header.time = time;
    }

    /// Source id; 0 when unset.
    #[must_use]
    pub fn source(&self) -> u32 {
        self.header.source.unwrap_or(0)
    }

    /// Sets the source id; 0 removes it.
    pub fn set_source(&mut self, source: u32) {
        self.header.source = label(source);
    }

    /// Operator id; 0 when unset.
    #[must_use]
    pub fn operator(&self) -> u32 {
        self.header.operator.unwrap_or(0)
    }

    /// Sets the operator id; 0 removes it.
    pub fn set_operator(&mut self, operator: u32) {
        self.header.operator = label(operator);
    }

    /// Group id; 0 when unset.
    #[must_use]
    pub fn group(&self) -> u32 {
        self.header.group.unwrap_or(0)
    }

    /// Sets the group id; 0 removes it.
    pub fn set_group(&mut self, group: u32) {
        self.header.group = label(group);
    }

    /// Number of fields, hidden and computed ones included; `None` for an unknown type.
    #[must_use]
    pub fn field_count(&self) -> Option<usize> {
        Some(self.schema.as_ref()?.fields().len())
    }

    fn field(&self, field: usize) -> Option<&Field> {
        self.schema.as_ref()?.fields().get(field)
    }

    /// Name of the field at a position in declared order.
    #[must_use]
    pub fn field_name(&self, field: usize) -> Option<&[u8]> {
        Some(self.field(field)?.name())
    }

    /// Position of the field with this name, exact case.
    #[must_use]
    pub fn field_index(&self, name: &[u8]) -> Option<usize> {
        self.schema.as_ref()?.field_index(name)
    }

    /// Type of a field.
    #[must_use]
    pub fn field_type(&self, field: usize) -> Option<FieldType> {
        Some(self.field(field)?.field_type)
    }

    /// Flags of a field, as they are reported (`decisions` MY-6).
    #[must_use]
    pub fn field_flags(&self, field: usize) -> Option<FieldFlags> {
        Some(self.field(field)?.flags)
    }

    /// The number of an enumeration's name, exact case; `None` also for fields of other types.
    #[must_use]
    pub fn enum_number(&self, field: usize, name: &[u8]) -> Option<i32> {
        self.enumeration(field)?.names.as_ref()?.number(name)
    }

    /// The name of an enumeration's number; `None` also for fields of other types.
    #[must_use]
    pub fn enum_name(&self, field: usize, number: i32) -> Option<&[u8]> {
        self.enumeration(field)?.names.as_ref()?.name(number)
    }

    fn enumeration(&self, field: usize) -> Option<&Field> {
        self.field(field).filter(|field| field.field_type == FieldType::Enum)
    }

    /// The values: [`Message::count`] and [`Message::get`] by position or name. The octets they
    /// give live until the message is changed.
    ///
    /// # Errors
    ///
    /// The type is unknown, or the body is absent or does not decode.
    pub fn view(&mut self) -> Result<Message<'_>, Unrenderable> {
        self.encode_changes();
        let schema = self.schema.as_ref().ok_or(Unrenderable::UnknownType)?;
        if !self.header.has_body {
            return Err(Unrenderable::Absent);
        }
        let view = View::new(schema, &self.body, &mut self.index);
        Ok(Message::new(view.map_err(Unrenderable::Undecodable)?))
    }

    /// Sets value number `index` of a field; for a repeated field the number behind its last value
    /// adds one. Numbers are cut to the width of the field's type, octets are stored as given.
    ///
    /// # Errors
    ///
    /// The message stays as it is. Computed fields cannot be set.
    pub fn set(&mut self, field: usize, index: usize, value: Value<'_>) -> Result<(), ChangeError> {
        if self.field(field).is_some_and(|field| field.tag.is_none()) {
            return Err(SetError::Computed.into());
        }
        self.decode()?.set_at(field, index, value)?;
        self.changed = true;
        Ok(())
    }

    /// Sets a value by the field's name; see [`OwnedMessage::set`].
    ///
    /// # Errors
    ///
    /// As [`OwnedMessage::set`].
    pub fn set_by_name(
        &mut self,
        name: &[u8],
        index: usize,
        value: Value<'_>,
    ) -> Result<(), ChangeError> {
        let field = self.field_index(name).ok_or(SetError::NoSuchField)?;
        self.set(field, index, value)
    }

    /// Drops all values of a field.
    ///
    /// # Errors
    ///
    /// As [`OwnedMessage::set`].
    pub fn clear(&mut self, field: usize) -> Result<(), ChangeError> {
        match self.field(field) {
            Some(field) if field.tag.is_none() => return Err(SetError::Computed.into()),
            Some(_) => {}
            None => return Err(SetError::NoSuchField.into()),
        }
        self.decode()?.unset(field);
        self.changed = true;
        Ok(())
    }

    /// Encodes the message anew from its values, by ascending field number, when it is next asked
    /// for.
    ///
    /// # Errors
    ///
    /// There are no values: see [`OwnedMessage::view`].
    pub fn update(&mut self) -> Result<(), Unrenderable> {
        self.decode()?;
        self.changed = true;
        Ok(())
    }

    /// Drops the decoded values. Changes that were not encoded yet are lost.
    pub fn compact(&mut self) {
        self.decoded = None;
        self.changed = false;
    }

    /// The values, decoded on first use.
    fn decode(&mut self) -> Result<&mut MessageBuilder, Unrenderable> {
        let schema = self.schema.clone().ok_or(Unrenderable::UnknownType)?;
        if !self.header.has_body {
            return Err(Unrenderable::Absent);
        }
        // Replaced values stay in the builder's memory until it is filled anew.
        let much = REPLACED_KEPT + 2 * self.body.len();
        if self.decoded.as_ref().is_some_and(|values| values.held() > much) {
            self.encode_changes();
            self.decoded = None;
        }
        if self.decoded.is_none() {
            let mut values = MessageBuilder::new(schema);
            values.load(&self.body).map_err(Unrenderable::Undecodable)?;
            self.decoded = Some(Box::new(values));
        }
        self.decoded.as_deref_mut().ok_or(Unrenderable::Undecodable(wire::Error::Truncated))
    }

    fn encode_changes(&mut self) {
        if let Some(values) = &self.decoded
            && std::mem::take(&mut self.changed)
        {
            self.body.clear();
            values.encode(&mut self.body);
        }
    }

    /// The message as a payload.
    #[must_use]
    pub fn payload(&mut self) -> Payload<'_> {
        self.encode_changes();
        self.header.payload(&self.body)
    }

    /// Appends the message as a JSON record without its newline.
    ///
    /// # Errors
    ///
    /// The message has no fields to show; nothing is appended (`decisions` JO-1).
    pub fn write_json(
        &mut self,
        writer: &mut JsonWriter<'_>,
        out: &mut TextBuffer,
    ) -> Result<(), Unrenderable> {
        let start = out.len();
        let result = writer.write(out, &self.payload());
        out.truncate(if result.is_ok() { out.len() - 1 } else { start });
        result
    }

    /// Appends the fields in presentation form, without header line; `separator` ends the lines.
    ///
    /// # Errors
    ///
    /// The message has no fields to show; nothing is appended.
    pub fn write_presentation(
        &mut self,
        separator: &[u8],
        out: &mut TextBuffer,
    ) -> Result<(), Unrenderable> {
        let view = self.view()?.view();
        write_fields(out, view, &Separator::new(separator), &mut TimeWriter::default());
        Ok(())
    }

    /// The text of a field as brokers use it for keys; see [`KeyWriter::write`].
    ///
    /// # Errors
    ///
    /// The message has no fields, or none of this name.
    pub fn key_text(&mut self, name: &[u8]) -> Result<Vec<u8>, ChangeError> {
        let field = self.field_index(name);
        let message = self.view().map_err(ChangeError::Unreadable)?;
        let field = field.ok_or(SetError::NoSuchField)?;
        let mut key = Vec::new();
        KeyWriter::default().write(&mut key, &message, field);
        Ok(key)
    }
}

impl From<Unrenderable> for ChangeError {
    fn from(reason: Unrenderable) -> Self {
        Self::Unreadable(reason)
    }
}
