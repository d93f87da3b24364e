//! Reading a message: the scanned body together with its schema, and the values in it.

use std::cell::OnceCell;

use wdns::{Class, RrType};

use crate::index::{FieldIndex, Slot, Stored, StoredOctets, StoredValues};
use crate::render::{Raw, Step};
use crate::schema::{Field, FieldFlags, FieldType, Getter, Label, Schema, Storage};
use crate::types::base::{dnsqr, dnstap, ncap};
use crate::wire;

/// A value of a field, by the kind of its [`FieldType`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Number of an enumeration.
    Enum(i32),
    /// Octets: bytes, strings, addresses. Strings carry the NUL they were stored with.
    Octets(&'a [u8]),
    /// Unsigned numbers; 16-bit types are cut to 16 bits.
    Unsigned(u64),
    /// Signed numbers; 16-bit types are cut to 16 bits.
    Signed(i64),
    /// Floating-point number.
    Double(f64),
    /// Truth value.
    Bool(bool),
}

impl<'a> Value<'a> {
    /// Applies the declared type to what is stored.
    #[inline(always)]
    pub(crate) fn from_stored(field: &Field, stored: Stored<'a>) -> Self {
        match stored {
            Stored::Octets(octets) => Value::Octets(octets),
            Stored::Number(number) => match field.field_type {
                FieldType::Uint16 => Value::Unsigned(u64::from(number as u16)),
                FieldType::Uint32 => Value::Unsigned(u64::from(number as u32)),
                FieldType::Enum => Value::Enum(number as i32),
                FieldType::Int16 => Value::Signed(i64::from(number as i16)),
                FieldType::Int32 => Value::Signed(i64::from(number as i32)),
                FieldType::Int64 => Value::Signed(number as i64),
                FieldType::Double => Value::Double(f64::from_bits(number)),
                FieldType::Bool => Value::Bool(number != 0),
                _ => Value::Unsigned(number),
            },
        }
    }

    /// The octets of a value that has some.
    #[must_use]
    pub fn octets(self) -> Option<&'a [u8]> {
        if let Self::Octets(octets) = self { Some(octets) } else { None }
    }

    /// The value as an unsigned number, where it is one.
    #[must_use]
    pub fn unsigned(self) -> Option<u64> {
        if let Self::Unsigned(number) = self { Some(number) } else { None }
    }
}

/// What the computed fields of one message share, by message type.
#[derive(Debug, Default)]
pub enum Derived<'a> {
    /// Nothing is derived for this type.
    #[default]
    None,
    /// Addresses and ports of a captured datagram.
    Ncap(ncap::Derived<'a>),
    /// DNS messages inside the stored packets.
    DnsQr(dnsqr::Derived<'a>),
    /// The embedded dnstap message.
    DnsTap(Box<dnstap::Derived<'a>>),
}

/// A scanned message: schema, body, and where its values are. Copying it copies three references.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    schema: &'a Schema,
    body: &'a [u8],
    slots: &'a [Slot],
}

impl<'a> View<'a> {
    /// Scans `body` into `index` and returns the view of it.
    ///
    /// # Errors
    ///
    /// See [`FieldIndex::scan`].
    #[inline]
    pub fn new(
        schema: &'a Schema,
        body: &'a [u8],
        index: &'a mut FieldIndex,
    ) -> Result<Self, wire::Error> {
        index.scan(schema, body)?;
        if let Some(check) = schema.message_type().check {
            check(body)?;
        }
        Ok(Self { schema, body, slots: index.slots() })
    }

    /// The view of a body whose fields, as far as they will be asked for, are in `index` already.
    #[inline(always)]
    pub(crate) fn indexed(schema: &'a Schema, body: &'a [u8], index: &'a FieldIndex) -> Self {
        Self { schema, body, slots: index.slots() }
    }

    /// The type of the message.
    #[must_use]
    pub fn schema(&self) -> &'a Schema {
        self.schema
    }

    /// The encoded message.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// What is stored of each field, in declared order.
    #[inline(always)]
    pub(crate) fn slots(&self) -> &'a [Slot] {
        self.slots
    }

    #[inline(always)]
    pub(crate) fn slot(&self, field: usize) -> Slot {
        self.slots.get(field).copied().unwrap_or_default()
    }

    /// Number of stored values of a field; computed values do not count.
    #[must_use]
    #[inline]
    pub fn stored_count(&self, field: usize) -> usize {
        self.slot(field).count() as usize
    }

    /// The last stored value of a step's field.
    #[inline(always)]
    pub(crate) fn raw(&self, step: &Step) -> Option<Raw<'a>> {
        let slot = self.slots.get(usize::from(step.field)).filter(|slot| !slot.is_empty())?;
        Some(Raw::new(*slot, self.body))
    }

    /// All stored values of a step's field, in order.
    #[inline]
    pub(crate) fn raws(&self, step: &Step) -> impl Iterator<Item = Raw<'a>> + use<'a> {
        StoredValues::new(self.body, self.slot(step.field.into()), step.tag).map(Raw::from)
    }

    /// All stored values of the field of a step, which are octets, in order.
    #[inline(always)]
    pub(crate) fn octets_of(&self, step: &Step) -> StoredOctets<'a> {
        StoredOctets::new(self.body, self.slot(step.field.into()), step.tag)
    }

    /// The last stored value of a field, before its type is applied.
    #[inline]
    fn stored_raw(&self, position: usize, field: &Field) -> Option<Stored<'a>> {
        let slot = self.slot(position);
        if slot.is_empty() {
            return None;
        }
        Some(if field.storage == Storage::Bytes {
            Stored::Octets(slot.octets(self.body))
        } else {
            Stored::Number(slot.number())
        })
    }

    /// The stored value of a field that is not repeated, or the last one of a repeated field.
    #[must_use]
    #[inline]
    pub fn stored(&self, position: usize) -> Option<Value<'a>> {
        let field = self.schema.fields().get(position)?;
        Some(Value::from_stored(field, self.stored_raw(position, field)?))
    }

    /// All stored values of a field, in order.
    pub fn stored_values(&self, position: usize) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let field = self.schema.fields().get(position);
        let values = field.map(|field| {
            let tag = field.tag.unwrap_or_default() << 3 | field.storage.wire_type() as u32;
            (field, StoredValues::new(self.body, self.slot(position), tag))
        });
        values
            .into_iter()
            .flat_map(|(field, values)| values.map(move |stored| Value::from_stored(field, stored)))
    }

    /// Type and class of the record data of this message; both or nothing (`decisions` PO-7).
    #[inline]
    pub(crate) fn rr_kind(&self) -> Option<(RrType, Class)> {
        let (rrtype, class) = self.schema.rr_fields()?;
        let (rrtype, class) = (self.slot(rrtype), self.slot(class));
        if rrtype.is_empty() || class.is_empty() {
            return None;
        }
        Some((RrType(rrtype.number() as u16), Class(class.number() as u16)))
    }

    /// The stored octets of the field at a position; `None` when absent.
    #[inline(always)]
    pub(crate) fn octets_at(&self, position: usize) -> Option<&'a [u8]> {
        let slot = self.slot(position);
        (!slot.is_empty()).then(|| slot.octets(self.body))
    }

    /// The stored octets of the field with this field number; `None` when absent.
    #[inline]
    pub(crate) fn octets_by_tag(&self, tag: u32) -> Option<&'a [u8]> {
        self.octets_at(self.schema.position_of(tag))
    }

    /// The stored value of the field with this field number; `None` when absent.
    #[inline]
    pub(crate) fn value_by_tag(&self, tag: u32) -> Option<Value<'a>> {
        self.stored(self.schema.position_of(tag))
    }

    /// All stored values of the field with this field number.
    pub(crate) fn values_by_tag(&self, tag: u32) -> impl Iterator<Item = Value<'a>> + use<'a> {
        self.stored_values(self.schema.position_of(tag))
    }

    /// Number of stored values of the field with this field number.
    #[inline]
    pub(crate) fn count_by_tag(&self, tag: u32) -> usize {
        self.stored_count(self.schema.position_of(tag))
    }
}

/// A message as programs see it: stored and computed values by field and index.
#[derive(Debug)]
pub struct Message<'a> {
    view: View<'a>,
    derived: OnceCell<Derived<'a>>,
}

impl<'a> Message<'a> {
    /// Wraps a scanned message; computed values are computed on first use.
    #[must_use]
    #[inline]
    pub fn new(view: View<'a>) -> Self {
        Self { view, derived: OnceCell::new() }
    }

    /// The stored part.
    #[must_use]
    #[inline(always)]
    pub fn view(&self) -> View<'a> {
        self.view
    }

    /// What the computed fields share.
    #[inline]
    pub(crate) fn derived(&self) -> &Derived<'a> {
        self.derived.get_or_init(|| {
            let derive = self.view.schema.message_type().derive;
            derive.map_or(Derived::None, |derive| derive(self.view))
        })
    }

    /// Computes value `index` of the field at position `field`, if that has a getter.
    #[inline]
    pub(crate) fn computed(&self, field: usize, index: usize) -> Option<Value<'_>> {
        self.computed_by(self.view.schema.fields().get(field)?.getter, index)
    }

    /// Computes value `index` of a field with this getter.
    #[inline(always)]
    pub(crate) fn computed_by(&self, getter: Option<Getter>, index: usize) -> Option<Value<'_>> {
        getter?(self.derived(), &self.view, index)
    }

    /// Value `index` of the field at position `field` in declared order, as the programming
    /// interfaces give it (`rendering-and-parsing` §10): computed where the field has a getter,
    /// `None` when hidden, absent, out of range, or an address of neither 4 nor 16 octets.
    #[must_use]
    pub fn get(&self, field: usize, index: usize) -> Option<Value<'_>> {
        let declared = self.view.schema.fields().get(field)?;
        if declared.flags.contains(FieldFlags::HIDDEN) {
            return None;
        }
        let value = if declared.getter.is_some() {
            self.computed(field, index)?
        } else if declared.label == Label::Repeated {
            self.view.stored_values(field).nth(index)?
        } else if index == 0 {
            self.view.stored(field)?
        } else {
            return None;
        };
        match (declared.field_type, value) {
            (FieldType::Ip, Value::Octets(octets)) if !matches!(octets.len(), 4 | 16) => None,
            _ => Some(value),
        }
    }

    /// Value `index` of the field called `name`, exact case; see [`Message::get`].
    #[must_use]
    pub fn get_by_name(&self, name: &[u8], index: usize) -> Option<Value<'_>> {
        self.get(self.view.schema.field_index(name)?, index)
    }

    /// Number of values of a field: stored ones where it has a field number, else computed ones.
    #[must_use]
    pub fn count(&self, field: usize) -> usize {
        let Some(declared) = self.view.schema.fields().get(field) else { return 0 };
        match declared.tag {
            Some(_) if declared.label == Label::Repeated => self.view.stored_count(field),
            Some(_) => self.view.stored_count(field).min(1),
            None => {
                // A getter that ignores its index must not count for ever.
                (0..).take_while(|&index| self.computed(field, index).is_some()).count()
            }
        }
    }
}
