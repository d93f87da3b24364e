//! Putting messages together field by field.

use std::sync::Arc;

use crate::encode::{number_bits, put_default, put_len_with, put_number};
use crate::schema::{EncodingStep, Field, FieldType, Label, Schema, Storage};
use crate::view::{Value, View};
use crate::wire::{self, RawValue, Reader};
use crate::{FieldIndex, index};

/// Why a value was not taken.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SetError {
    /// The type has no such field.
    NoSuchField,
    /// The field is computed from others.
    Computed,
    /// The value is not of the field's kind.
    WrongKind,
    /// An address is neither empty nor of 4 or 16 octets (`decisions` MY-9).
    AddressLength,
    /// The index is behind the end of what the field holds or can hold.
    Index,
    /// The values take more than 4 GiB.
    TooLarge,
}

impl std::fmt::Display for SetError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoSuchField => "no such field",
            Self::Computed => "the field is computed",
            Self::WrongKind => "the value is not of the field's kind",
            Self::AddressLength => "an address has 4 or 16 octets",
            Self::Index => "the index is out of range",
            Self::TooLarge => "the message is too large",
        })
    }
}

impl std::error::Error for SetError {}

/// The end of a chain of values.
const NONE: u32 = u32::MAX;

/// One value: the number as it is stored, or the range of its octets in the arena; and the next
/// value of the same field.
#[derive(Clone, Copy, Debug)]
struct Stored {
    bits: u64,
    next: u32,
}

impl Stored {
    fn octets(self, arena: &[u8]) -> &[u8] {
        arena.get(self.bits as u32 as usize..(self.bits >> 32) as usize).unwrap_or_default()
    }
}

/// The values of one field.
#[derive(Clone, Copy, Debug)]
struct Chain {
    first: u32,
    last: u32,
    count: u32,
}

const EMPTY: Chain = Chain { first: NONE, last: NONE, count: 0 };

/// Collects the values of a message and encodes it.
///
/// Kept for many messages of one type it allocates nothing: octets lie in one arena.
///
/// ```
/// use nmsg::{MessageBuilder, Registry, Value};
///
/// let registry = Registry::builtin();
/// let schema = registry.find(b"base", b"ipconn").expect("a built-in type");
/// let mut builder = MessageBuilder::new(schema.clone());
/// builder.set_by_name(b"srcport", Value::Unsigned(53)).unwrap();
/// builder.set_by_name(b"srcip", Value::Octets(&[192, 0, 2, 1])).unwrap();
/// let mut body = Vec::new();
/// builder.encode(&mut body);
/// assert_eq!(body, [0x12, 4, 192, 0, 2, 1, 0x18, 53]);
/// ```
#[derive(Clone, Debug)]
pub struct MessageBuilder {
    schema: Arc<Schema>,
    chains: Vec<Chain>,
    values: Vec<Stored>,
    arena: Vec<u8>,
    /// Encoded fields that the schema does not know.
    unknown: Vec<u8>,
    /// The same of embedded messages, by field number.
    embedded_unknown: Vec<(u32, Vec<u8>)>,
}

impl MessageBuilder {
    /// A builder of messages of this type, without any value.
    #[must_use]
    pub fn new(schema: Arc<Schema>) -> Self {
        let chains = vec![EMPTY; schema.fields().len()];
        Self {
            schema,
            chains,
            values: Vec::new(),
            arena: Vec::new(),
            unknown: Vec::new(),
            embedded_unknown: Vec::new(),
        }
    }

    /// The type of the messages.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Forgets all values, ready for the next message.
    pub fn clear(&mut self) {
        self.chains.fill(EMPTY);
        self.values.clear();
        self.arena.clear();
        self.unknown.clear();
        self.embedded_unknown.clear();
    }

    /// Number of values of the field at a position in declared order.
    #[must_use]
    pub fn count(&self, field: usize) -> usize {
        self.chains.get(field).map_or(0, |chain| chain.count as usize)
    }

    /// Sets the only value of a field; further ones are dropped.
    ///
    /// Numbers are cut to the width of the field's type, octets are taken as they are.
    ///
    /// # Errors
    ///
    /// The field keeps what it holds.
    pub fn set(&mut self, field: usize, value: Value<'_>) -> Result<(), SetError> {
        let bits = self.store(field, value)?;
        self.chains[field] = EMPTY;
        self.link(field, bits);
        Ok(())
    }

    /// [`MessageBuilder::set`] by name.
    ///
    /// # Errors
    ///
    /// As [`MessageBuilder::set`].
    pub fn set_by_name(&mut self, name: &[u8], value: Value<'_>) -> Result<(), SetError> {
        let field = self.schema.field_index(name).ok_or(SetError::NoSuchField)?;
        self.set(field, value)
    }

    /// Adds a value to a repeated field; sets any other field.
    ///
    /// # Errors
    ///
    /// As [`MessageBuilder::set`].
    pub fn push(&mut self, field: usize, value: Value<'_>) -> Result<(), SetError> {
        let bits = self.store(field, value)?;
        self.add(field, bits);
        Ok(())
    }

    /// Replaces value number `index` of a field; the number behind the last one adds a value to a
    /// repeated field.
    ///
    /// # Errors
    ///
    /// As [`MessageBuilder::set`]; [`SetError::Index`] for higher numbers.
    pub fn set_at(&mut self, field: usize, index: usize, value: Value<'_>) -> Result<(), SetError> {
        let declared = self.declared(field)?;
        let last = if declared.label == Label::Repeated { self.count(field) } else { 0 };
        if index > last {
            return Err(SetError::Index);
        }
        let bits = self.store(field, value)?;
        if index == self.count(field) {
            self.link(field, bits);
            return Ok(());
        }
        let mut at = self.chains[field].first;
        for _ in 0..index {
            at = self.values[at as usize].next;
        }
        self.values[at as usize].bits = bits;
        Ok(())
    }

    /// Octets and values held, replaced ones included.
    pub(crate) fn held(&self) -> usize {
        self.arena.len().max(self.values.len())
    }

    /// Drops all values of a field.
    pub fn unset(&mut self, field: usize) {
        if let Some(chain) = self.chains.get_mut(field) {
            *chain = EMPTY;
        }
    }

    /// Adds the octets that `write` appends as a value of a field; sets it if it is not repeated.
    /// Nothing changes when that fails.
    pub(crate) fn push_with<E>(
        &mut self,
        field: usize,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = self.arena.len();
        if let Err(error) = write(&mut self.arena) {
            self.arena.truncate(start);
            return Err(error);
        }
        let bits = self.range_from(start);
        self.add(field, bits);
        Ok(())
    }

    /// The number that a field holds as it is stored; the last one of several.
    pub(crate) fn number(&self, field: usize) -> Option<u64> {
        let last = self.chains.get(field)?.last;
        Some(self.values.get(last as usize)?.bits)
    }

    fn declared(&self, field: usize) -> Result<&Field, SetError> {
        let declared = self.schema.fields().get(field).ok_or(SetError::NoSuchField)?;
        if declared.tag.is_none() && declared.nested.is_none() {
            return Err(SetError::Computed);
        }
        Ok(declared)
    }

    /// Takes a value into the arena, not yet into its field.
    fn store(&mut self, field: usize, value: Value<'_>) -> Result<u64, SetError> {
        let declared = self.declared(field)?;
        match value {
            Value::Octets(octets) => {
                if declared.storage != Storage::Bytes {
                    return Err(SetError::WrongKind);
                }
                if declared.field_type == FieldType::Ip && !matches!(octets.len(), 0 | 4 | 16) {
                    return Err(SetError::AddressLength);
                }
                if u32::try_from(self.arena.len() + octets.len()).is_err() {
                    return Err(SetError::TooLarge);
                }
                Ok(self.keep(octets))
            }
            value => number_bits(declared, value).ok_or(SetError::WrongKind),
        }
    }

    /// Copies octets into the arena and returns their range.
    fn keep(&mut self, octets: &[u8]) -> u64 {
        let start = self.arena.len();
        self.arena.extend_from_slice(octets);
        self.range_from(start)
    }

    fn range_from(&self, start: usize) -> u64 {
        start as u64 | (self.arena.len() as u64) << 32
    }

    fn add(&mut self, field: usize, bits: u64) {
        if self.schema.fields()[field].label != Label::Repeated {
            self.chains[field] = EMPTY;
        }
        self.link(field, bits);
    }

    fn link(&mut self, field: usize, bits: u64) {
        let place = self.values.len() as u32;
        self.values.push(Stored { bits, next: NONE });
        let chain = &mut self.chains[field];
        match self.values.get_mut(chain.last as usize) {
            Some(last) => last.next = place,
            None => chain.first = place,
        }
        chain.last = place;
        chain.count += 1;
    }

    /// Takes all values of an encoded message, unknown fields included, so that they can be
    /// changed. Values set before are dropped.
    ///
    /// # Errors
    ///
    /// The body does not decode; see [`FieldIndex::scan`].
    pub fn load(&mut self, body: &[u8]) -> Result<(), wire::Error> {
        let mut index = FieldIndex::new();
        let schema = Arc::clone(&self.schema);
        let view = View::new(&schema, body, &mut index)?;
        self.clear();
        for step in schema.encoding() {
            match step {
                EncodingStep::Field { field, .. } => self.load_field(view, *field),
                EncodingStep::Embedded { tag, fields } => {
                    self.load_embedded(body, *tag, fields)?;
                }
            }
        }
        self.load_unknown(body)
    }

    fn load_field(&mut self, view: View<'_>, field: usize) {
        let repeated = view.schema().fields()[field].label == Label::Repeated;
        let only = if repeated { None } else { view.stored(field) };
        let all = repeated.then(|| view.stored_values(field)).into_iter().flatten();
        for value in all.chain(only) {
            self.link_decoded(field, value);
        }
    }

    /// Adds a value that was stored already; its address may have any length.
    fn link_decoded(&mut self, field: usize, value: Value<'_>) {
        let bits = match value {
            Value::Octets(octets) => Some(self.keep(octets)),
            value => number_bits(&self.schema.fields()[field], value),
        };
        if let Some(bits) = bits {
            self.link(field, bits);
        }
    }

    fn load_embedded(
        &mut self,
        body: &[u8],
        tag: u32,
        fields: &[(usize, u32)],
    ) -> Result<(), wire::Error> {
        let mut unknown = Vec::new();
        let mut outer = Reader::new(body);
        while let Some(field) = outer.field()? {
            if field.number != tag {
                continue;
            }
            let message = field.value.octets()?;
            let mut inner = Reader::new(message);
            loop {
                let start = inner.offset();
                let Some(raw) = inner.field()? else { break };
                let Some(&(field, _)) = fields.iter().find(|&&(_, number)| number == raw.number)
                else {
                    unknown.extend_from_slice(&message[start..inner.offset()]);
                    continue;
                };
                let stored = match raw.value {
                    RawValue::Len(octets) => index::Stored::Octets(octets),
                    RawValue::Varint(bits) | RawValue::Fixed64(bits) => index::Stored::Number(bits),
                    RawValue::Fixed32(bits) => index::Stored::Number(bits.into()),
                };
                let value = Value::from_stored(&self.schema.fields()[field], stored);
                self.chains[field] = EMPTY;
                self.link_decoded(field, value);
            }
        }
        if !unknown.is_empty() {
            self.embedded_unknown.push((tag, unknown));
        }
        Ok(())
    }

    fn load_unknown(&mut self, body: &[u8]) -> Result<(), wire::Error> {
        let embedded = |number: u32| {
            self.schema
                .encoding()
                .iter()
                .any(|step| matches!(step, EncodingStep::Embedded { tag, .. } if *tag == number))
        };
        let mut reader = Reader::new(body);
        loop {
            let start = reader.offset();
            let Some(field) = reader.field()? else { return Ok(()) };
            if self.schema.tag_entry(field.number).is_none() && !embedded(field.number) {
                self.unknown.extend_from_slice(&body[start..reader.offset()]);
            }
        }
    }

    /// Appends the encoded message: fields by ascending number, required ones always, unknown ones
    /// last (`rendering-and-parsing` §7, `decisions` CW-6).
    pub fn encode(&self, out: &mut Vec<u8>) {
        for step in self.schema.encoding() {
            match step {
                EncodingStep::Field { field, tag } => self.encode_field(out, *field, *tag),
                EncodingStep::Embedded { tag, fields } => {
                    if fields.iter().all(|&(field, _)| self.chains[field].count == 0) {
                        continue;
                    }
                    let Ok(()) = put_len_with(out, *tag, |out| {
                        for &(field, tag) in fields {
                            self.encode_field(out, field, tag);
                        }
                        for (_, octets) in self.embedded_unknown.iter().filter(|own| own.0 == *tag)
                        {
                            out.extend_from_slice(octets);
                        }
                        Ok::<(), std::convert::Infallible>(())
                    });
                }
            }
        }
        out.extend_from_slice(&self.unknown);
    }

    fn encode_field(&self, out: &mut Vec<u8>, field: usize, tag: u32) {
        let declared = &self.schema.fields()[field];
        let mut at = self.chains[field].first;
        if at == NONE && declared.is_always_stored() {
            put_default(out, tag, declared);
        }
        while let Some(value) = self.values.get(at as usize) {
            match declared.storage {
                Storage::Bytes => wire::put_len_field(out, tag, value.octets(&self.arena)),
                storage => put_number(out, tag, storage, value.bits),
            }
            at = value.next;
        }
    }
}
