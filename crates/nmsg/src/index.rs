use crate::schema::Schema;
use crate::wire::{Error, Reader, WireType, split_tag};

/// Where the value of one field stands in a message body.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slot {
    /// The last value: the number itself, or for octets start and end, 32 bits each.
    value: u64,
    /// Offset of the first occurrence's tag.
    first: u32,
    /// Number of values.
    pub(crate) count: u32,
}

impl Slot {
    #[inline(always)]
    pub(crate) fn number(self) -> u64 {
        self.value
    }

    #[inline(always)]
    pub(crate) fn octets(self, body: &[u8]) -> &[u8] {
        body.get(self.value as u32 as usize..(self.value >> 32) as usize).unwrap_or_default()
    }

    #[inline(always)]
    fn range(start: usize, end: usize) -> u64 {
        start as u64 | (end as u64) << 32
    }
}

/// Offsets of all values of one message: one pass over the body fills it, nothing is copied.
///
/// Kept by whoever reads many messages, so that its memory is allocated once.
#[derive(Clone, Debug, Default)]
pub struct FieldIndex {
    slots: Vec<Slot>,
}

impl FieldIndex {
    /// An empty index.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    #[inline(always)]
    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Locates every field of `body`.
    ///
    /// # Errors
    ///
    /// The body is undecodable: damaged, a field with the wrong wire type, a required field
    /// missing (`rendering-and-parsing` §6.1).
    #[inline]
    pub fn scan(&mut self, schema: &Schema, body: &[u8]) -> Result<(), Error> {
        self.slots.clear();
        self.slots.resize(schema.fields().len(), Slot::default());
        if u32::try_from(body.len()).is_err() {
            return Err(Error::Truncated);
        }
        let slots = &mut self.slots[..];
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            let start = reader.offset();
            let tag = reader.raw_tag()?;
            let Some(slot) = slots.get_mut(schema.slot_of_tag(tag)) else {
                unusual_field(schema, slots, &mut reader, start, tag)?;
                continue;
            };
            if slot.count == 0 {
                slot.first = start as u32;
            }
            slot.count += 1;
            slot.value = match tag & 7 {
                0 => reader.varint()?,
                2 => {
                    let (start, end) = reader.len_range()?;
                    Slot::range(start, end)
                }
                5 => reader.fixed32()?.into(),
                _ => reader.fixed64()?,
            };
        }
        for &required in schema.required() {
            if slots[usize::from(required)].count == 0 {
                return Err(Error::MissingField);
            }
        }
        Ok(())
    }
}

/// Handles what is not a known field in its own wire type: unknown fields, high field numbers,
/// packed numbers, damage.
#[cold]
fn unusual_field(
    schema: &Schema,
    slots: &mut [Slot],
    reader: &mut Reader<'_>,
    start: usize,
    tag: u32,
) -> Result<(), Error> {
    let (number, wire) = split_tag(tag)?;
    let Some(entry) = schema.tag_entry(number) else { return reader.skip(wire) };
    let slot = &mut slots[usize::from(entry.field)];
    if slot.count == 0 {
        slot.first = start as u32;
    }
    if wire == entry.wire {
        slot.count += 1;
        slot.value = match wire {
            WireType::Varint => reader.varint()?,
            WireType::Len => {
                let (start, end) = reader.len_range()?;
                Slot::range(start, end)
            }
            WireType::Fixed32 => reader.fixed32()?.into(),
            WireType::Fixed64 => reader.fixed64()?,
        };
    } else if wire == WireType::Len && entry.repeated && entry.wire != WireType::Len {
        slot.count += packed_count(reader.len_octets()?, entry.wire)?;
    } else {
        return Err(Error::WrongWireType);
    }
    Ok(())
}

fn packed_count(octets: &[u8], wire: WireType) -> Result<u32, Error> {
    let mut packed = Reader::new(octets);
    let mut count = 0;
    while !packed.is_empty() {
        packed.skip(wire)?;
        count += 1;
    }
    Ok(count)
}

/// A value as it is stored, before its declared type is applied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stored<'a> {
    Number(u64),
    Octets(&'a [u8]),
}

/// All values of a repeated field in order; unpacks packed numbers.
#[derive(Clone, Debug)]
pub(crate) struct StoredValues<'a> {
    reader: Reader<'a>,
    packed: Reader<'a>,
    tag: u32,
    wire: WireType,
    left: u32,
}

impl<'a> StoredValues<'a> {
    /// `slot` and `body` belong together: the body was scanned without error.
    pub(crate) fn new(body: &'a [u8], slot: Slot, tag: u32, wire: WireType) -> Self {
        let reader = Reader::at(body, slot.first as usize);
        Self { reader, packed: Reader::new(&[]), tag, wire, left: slot.count }
    }

    fn read(reader: &mut Reader<'a>, wire: WireType) -> Option<Stored<'a>> {
        Some(match wire {
            WireType::Varint => Stored::Number(reader.varint().ok()?),
            WireType::Fixed64 => Stored::Number(reader.fixed64().ok()?),
            WireType::Fixed32 => Stored::Number(reader.fixed32().ok()?.into()),
            WireType::Len => Stored::Octets(reader.len_octets().ok()?),
        })
    }
}

impl<'a> Iterator for StoredValues<'a> {
    type Item = Stored<'a>;

    #[inline]
    fn next(&mut self) -> Option<Stored<'a>> {
        // Counting down instead of reading to the end saves the walk over what follows.
        self.left = self.left.checked_sub(1)?;
        loop {
            if !self.packed.is_empty() {
                return Self::read(&mut self.packed, self.wire);
            }
            if self.reader.is_empty() {
                return None;
            }
            let (tag, wire) = self.reader.tag().ok()?;
            if tag != self.tag {
                self.reader.skip(wire).ok()?;
            } else if wire == self.wire {
                return Self::read(&mut self.reader, wire);
            } else {
                self.packed = Reader::new(self.reader.len_octets().ok()?);
            }
        }
    }
}
