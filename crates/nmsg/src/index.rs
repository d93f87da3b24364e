use crate::schema::{Schema, UsualTag};
use crate::wire::{Error, RawValue, Reader, WireType, join_groups, split_tag};

/// Where the value of one field stands in a message body.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slot {
    /// The last value: the number itself, or for octets start and end, 32 bits each.
    value: u64,
    /// Offset of the first occurrence's tag, and in the upper half the number of values.
    places: u64,
}

/// One more value in [`Slot::places`].
const ONE_MORE: u64 = 1 << 32;

impl Slot {
    #[inline(always)]
    pub(crate) fn number(self) -> u64 {
        self.value
    }

    #[inline(always)]
    pub(crate) fn octets(self, body: &[u8]) -> &[u8] {
        body.get(self.value as u32 as usize..(self.value >> 32) as usize).unwrap_or_default()
    }

    /// Number of values.
    #[inline(always)]
    pub(crate) fn count(self) -> u32 {
        (self.places >> 32) as u32
    }

    /// True without any value.
    #[inline(always)]
    pub(crate) fn is_empty(self) -> bool {
        self.places == 0
    }

    /// Offset of the first occurrence's tag.
    #[inline(always)]
    fn first(self) -> usize {
        self.places as u32 as usize
    }

    /// Counts one more value, whose tag is at `start`; the last one is kept.
    #[inline(always)]
    pub(crate) fn keep(&mut self, value: u64, start: usize) {
        let places = if self.places == 0 { start as u64 } else { self.places };
        *self = Self { value, places: places + ONE_MORE };
    }

    #[inline(always)]
    pub(crate) fn range(start: usize, end: usize) -> u64 {
        start as u64 | (end as u64) << 32
    }
}

/// Slots that a [`UsualTag`] can name.
const USUAL_SLOTS: usize = 1 << u8::BITS;

/// Offsets of all values of one message: one pass over the body fills it, nothing is copied.
///
/// Kept by whoever reads many messages, so that its memory is allocated once.
#[derive(Clone, Debug, Default)]
pub struct FieldIndex {
    /// As many as the type with the most fields has, and enough for every [`UsualTag`].
    slots: Vec<Slot>,
    used: usize,
}

impl FieldIndex {
    /// An empty index.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    #[inline(always)]
    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots[..self.used]
    }

    /// The slots of this many fields, with what they held before.
    #[inline(always)]
    pub(crate) fn slots_mut(&mut self, fields: usize) -> &mut [Slot] {
        self.used = fields;
        if self.slots.len() < fields {
            self.grow();
        }
        &mut self.slots[..fields]
    }

    #[cold]
    fn grow(&mut self) {
        self.slots.resize(self.used.max(USUAL_SLOTS), Slot::default());
    }

    /// Locates every field of `body`.
    ///
    /// # Errors
    ///
    /// The body is undecodable: damaged, a field with the wrong wire type, a required field
    /// missing (`rendering-and-parsing` §6.1).
    #[inline]
    pub fn scan(&mut self, schema: &Schema, body: &[u8]) -> Result<(), Error> {
        self.slots_mut(schema.fields().len()).fill(Slot::default());
        if u32::try_from(body.len()).is_err() {
            return Err(Error::Truncated);
        }
        let mut rest = body;
        loop {
            if let Some(slots) = self.slots.first_chunk_mut() {
                slots[usize::from(UsualTag::UNKNOWN)] = Slot::default();
                rest = scan_usual(schema, slots, body, rest)?;
            }
            if rest.is_empty() {
                break;
            }
            let slots = &mut self.slots[..self.used];
            let start = body.len() - rest.len();
            let mut reader = Reader::at(body, start);
            let tag = reader.raw_tag()?;
            if let Some(slot) = slots.get_mut(schema.slot_of_tag(tag)) {
                let value = match tag & 7 {
                    0 => reader.varint()?,
                    2 => {
                        let (start, end) = reader.len_range()?;
                        Slot::range(start, end)
                    }
                    5 => reader.fixed32()?.into(),
                    _ => reader.fixed64()?,
                };
                slot.keep(value, start);
            } else {
                unusual_field(schema, slots, body, &mut reader, tag, start)?;
            }
            rest = &body[reader.offset()..];
        }
        for &required in schema.required() {
            if self.slots[usize::from(required)].is_empty() {
                return Err(Error::MissingField);
            }
        }
        Ok(())
    }
}

/// Locates fields as long as they are usually encoded and, if known, in their own wire type; returns
/// what is left.
#[inline(always)]
fn scan_usual<'a>(
    schema: &Schema,
    slots: &mut [Slot; USUAL_SLOTS],
    body: &'a [u8],
    mut rest: &'a [u8],
) -> Result<&'a [u8], Error> {
    while let Some(head) = rest.first_chunk() {
        let start = body.len() - rest.len();
        let Some(len) = usual_field(schema, slots, u64::from_le_bytes(*head), start) else {
            return Ok(rest);
        };
        rest = rest.get(len..).ok_or(Error::Truncated)?;
    }
    // The same at the end, with zeros behind it.
    let Some(last) = body.last_chunk() else { return Ok(rest) };
    let last = u64::from_le_bytes(*last);
    while !rest.is_empty() {
        let start = body.len() - rest.len();
        let head = last >> (64 - 8 * rest.len());
        let Some(len) = usual_field(schema, slots, head, start) else { break };
        rest = rest.get(len..).ok_or(Error::Truncated)?;
    }
    Ok(rest)
}

/// Keeps the value of a field that starts with the octets of `head` at an offset; gives the octets it
/// takes. Nothing is kept of an unusual one. The value may reach beyond the end.
#[inline(always)]
fn usual_field(
    schema: &Schema,
    slots: &mut [Slot; USUAL_SLOTS],
    head: u64,
    start: usize,
) -> Option<usize> {
    if head & 0x80 == 0 {
        let tag = schema.usual_tag(head as u8 & 0x7f);
        usual_value::<1>(tag, slots, head >> 8, start)
    } else if head & 0x8000 == 0 {
        let tag = schema.usual_long_tag(head as u32 & 0x7f | head as u32 >> 1 & 0x3f80);
        usual_value::<2>(tag, slots, head >> 16, start)
    } else {
        None
    }
}

/// Keeps the value at the low end of a word, behind a tag of `TAG` octets at `start`.
#[inline(always)]
fn usual_value<const TAG: usize>(
    tag: UsualTag,
    slots: &mut [Slot; USUAL_SLOTS],
    word: u64,
    start: usize,
) -> Option<usize> {
    let (value, used) = match tag.wire {
        0 => usual_number(word)?,
        2 => {
            let (len, used) = match word {
                _ if word & 0x80 == 0 => (word & 0x7f, 1),
                _ if word & 0x8000 == 0 => (word & 0x7f | (word & 0x7f00) >> 1, 2),
                _ => return None,
            };
            let octets = start + TAG + used;
            (Slot::range(octets, octets + len as usize), used + len as usize)
        }
        5 => (word & 0xffff_ffff, 4),
        _ => return None,
    };
    slots[usize::from(tag.slot)].keep(value, start);
    Some(TAG + used)
}

/// A number of up to five octets at the low end of a word, and how many those are. Small ones and times
/// are told apart by branches, for the next field can be looked at before the length is computed.
#[inline(always)]
fn usual_number(word: u64) -> Option<(u64, usize)> {
    const SECONDS: u64 = 0x80_8080_8080;
    if word & 0x80 == 0 {
        return Some((word & 0x7f, 1));
    }
    if word & SECONDS == SECONDS >> 8 {
        return Some((join_groups(word), 5));
    }
    let low = word as u32;
    let ends = !low & 0x8080_8080;
    if ends == 0 {
        return None;
    }
    let bits = low & (ends ^ (ends - 1)) & 0x7f7f_7f7f;
    let bits = bits & 0x007f_007f | (bits & 0x7f00_7f00) >> 1;
    let bits = bits & 0x3fff | (bits & 0x3fff_0000) >> 2;
    Some((bits.into(), ends.trailing_zeros() as usize / 8 + 1))
}

/// Handles what is neither usually encoded nor a known field in its own wire type: high field numbers,
/// packed numbers, damage.
#[cold]
fn unusual_field(
    schema: &Schema,
    slots: &mut [Slot],
    body: &[u8],
    reader: &mut Reader<'_>,
    tag: u32,
    start: usize,
) -> Result<(), Error> {
    let (number, wire) = split_tag(tag)?;
    let Some(entry) = schema.tag_entry(number) else { return reader.skip(wire) };
    let slot = &mut slots[usize::from(entry.field)];
    if wire == entry.wire {
        let value = match wire {
            WireType::Varint => reader.varint()?,
            WireType::Len => {
                let (start, end) = reader.len_range()?;
                Slot::range(start, end)
            }
            WireType::Fixed32 => reader.fixed32()?.into(),
            WireType::Fixed64 => reader.fixed64()?,
        };
        slot.keep(value, start);
    } else if wire == WireType::Len && entry.repeated && entry.wire != WireType::Len {
        let mut packed = Reader::new(reader.len_octets()?);
        while !packed.is_empty() {
            let value = match packed.value(entry.wire)? {
                RawValue::Varint(value) | RawValue::Fixed64(value) => value,
                RawValue::Fixed32(value) => value.into(),
                RawValue::Len(_) => 0,
            };
            slot.keep(value, start);
        }
    } else if entry.truth && !entry.repeated {
        // The reference takes a truth value in any wire type: true when a bit other than the
        // highest of an octet is set, in the length too.
        let at = reader.offset();
        reader.skip(wire)?;
        let truth = body[at..reader.offset()].iter().any(|octet| octet & 0x7f != 0);
        slot.keep(truth.into(), start);
    } else {
        return Err(Error::WrongWireType);
    }
    Ok(())
}

/// A value as it is stored, before its declared type is applied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stored<'a> {
    Number(u64),
    Octets(&'a [u8]),
}

/// All values of a field in order; unpacks packed numbers.
#[derive(Clone, Debug)]
pub(crate) struct StoredValues<'a> {
    reader: Reader<'a>,
    packed: Reader<'a>,
    /// Raw tag of an unpacked value.
    tag: u32,
    left: u32,
}

impl<'a> StoredValues<'a> {
    /// `slot` and `body` belong together: the body was scanned without error. `tag` is the raw tag
    /// of an unpacked value.
    #[inline]
    pub(crate) fn new(body: &'a [u8], slot: Slot, tag: u32) -> Self {
        let reader = Reader::at(body, slot.first());
        Self { reader, packed: Reader::new(&[]), tag, left: slot.count() }
    }

    #[inline(always)]
    fn read(reader: &mut Reader<'a>, tag: u32) -> Option<Stored<'a>> {
        Some(match tag & 7 {
            0 => Stored::Number(reader.varint().ok()?),
            2 => Stored::Octets(reader.len_octets().ok()?),
            5 => Stored::Number(reader.fixed32().ok()?.into()),
            _ => Stored::Number(reader.fixed64().ok()?),
        })
    }

    /// Steps over other fields and into packed numbers.
    #[cold]
    fn read_unusual(&mut self, tag: u32) -> Option<Stored<'a>> {
        let mut tag = tag;
        loop {
            let (number, wire) = split_tag(tag).ok()?;
            if number != self.tag >> 3 {
                self.reader.skip(wire).ok()?;
            } else {
                self.packed = Reader::new(self.reader.len_octets().ok()?);
            }
            if !self.packed.is_empty() {
                return Self::read(&mut self.packed, self.tag);
            }
            tag = self.reader.raw_tag().ok()?;
            if tag == self.tag {
                return Self::read(&mut self.reader, tag);
            }
        }
    }
}

impl<'a> Iterator for StoredValues<'a> {
    type Item = Stored<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Stored<'a>> {
        // Counting down instead of reading to the end saves the walk over what follows.
        self.left = self.left.checked_sub(1)?;
        if !self.packed.is_empty() {
            return Self::read(&mut self.packed, self.tag);
        }
        let tag = self.reader.raw_tag().ok()?;
        if tag == self.tag { Self::read(&mut self.reader, tag) } else { self.read_unusual(tag) }
    }
}

/// All values of a field that is octets, in order: [`StoredValues`] for where only the usual form has to
/// be fast, and nothing but that is written out where it is used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoredOctets<'a> {
    /// What follows the value before.
    rest: &'a [u8],
    tag: u32,
    left: u32,
}

impl<'a> StoredOctets<'a> {
    /// As [`StoredValues::new`].
    #[inline(always)]
    pub(crate) fn new(body: &'a [u8], slot: Slot, tag: u32) -> Self {
        Self { rest: body.get(slot.first()..).unwrap_or_default(), tag, left: slot.count() }
    }

    /// All values of a field that no slot is kept for; the body was scanned without error.
    pub(crate) fn without_slot(body: &'a [u8], number: u32) -> Self {
        Self { rest: body, tag: number << 3 | WireType::Len as u32, left: u32::MAX }
    }
}

impl<'a> Iterator for StoredOctets<'a> {
    type Item = &'a [u8];

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let (octets, rest) = match *self.rest {
            [tag, len, ref rest @ ..]
                if u32::from(tag) == self.tag && len < 0x80 && usize::from(len) <= rest.len() =>
            {
                rest.split_at(len.into())
            }
            _ => next_octets(self.rest, self.tag)?,
        };
        self.rest = rest;
        Some(octets)
    }
}

/// The next value of the field with this raw tag, which may be behind others, and what follows it.
#[inline(never)]
fn next_octets(octets: &[u8], tag: u32) -> Option<(&[u8], &[u8])> {
    let mut reader = Reader::new(octets);
    loop {
        let found = reader.raw_tag().ok()?;
        if found == tag {
            let value = reader.len_octets().ok()?;
            return Some((value, octets.get(reader.offset()..)?));
        }
        reader.skip(split_tag(found).ok()?.1).ok()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Registry;
    use crate::view::{Value, View};

    const NEW_RR: &[u8] = b"new_rr";

    /// Values of `SIE:newdomain`'s repeated `new_rr` (field 22) in a body.
    fn new_rr(body: &[u8]) -> Result<Vec<bool>, Error> {
        let registry = Registry::builtin();
        let schema = registry.find(b"SIE", b"newdomain").unwrap();
        let position = schema.field_index(NEW_RR).unwrap();
        let mut index = FieldIndex::new();
        let view = View::new(schema, body, &mut index)?;
        let values: Vec<_> = view.stored_values(position).collect();
        assert_eq!(view.stored_count(position), values.len());
        assert_eq!(view.stored(position), values.last().copied());
        Ok(values.into_iter().map(|value| value == Value::Bool(true)).collect())
    }

    #[test]
    fn packed_and_unpacked_numbers_are_the_same() {
        let (yes, no) = (true, false);
        for (name, body, want) in [
            ("packed", &[0xb2, 1, 3, 1, 0, 1][..], Ok(vec![yes, no, yes])),
            ("one packed", &[0xb2, 1, 1, 1], Ok(vec![yes])),
            ("unpacked", &[0xb0, 1, 1, 0xb0, 1, 0], Ok(vec![yes, no])),
            ("mixed", &[0xb0, 1, 0, 0xb2, 1, 2, 1, 1, 0x50, 5, 0xb0, 1, 0], {
                Ok(vec![no, yes, yes, no])
            }),
            ("packed and cut", &[0xb2, 1, 2, 1, 0x80], Err(Error::Truncated)),
            ("packed, empty, then one", &[0xb2, 1, 0, 0xb0, 1, 1], Ok(vec![yes])),
            ("not repeated, in octets", &[0x9a, 1, 1, 1], Ok(vec![])),
            ("two octets make a truth", &[0xb0, 1, 0x80, 0x01], Ok(vec![yes])),
            ("two octets make a lie", &[0xb0, 1, 0x80, 0x00], Ok(vec![no])),
            ("a later octet field cuts in", &[0xb0, 1, 1, 0x0a, 1, 7, 0xb0, 1, 0], {
                Ok(vec![yes, no])
            }),
        ] {
            assert_eq!(new_rr(body), want, "{name}");
        }
    }

    #[test]
    fn a_truth_value_in_another_wire_type_made_its_message_undecodable() {
        let registry = Registry::builtin();
        let schema = registry.find(b"SIE", b"newdomain").unwrap();
        let position = schema.field_index(b"new_domain").unwrap();
        for (name, body, want) in [
            ("number", &[0x98, 1, 1][..], true),
            ("octets", &[0x9a, 1, 2, 0, 0], true),
            ("no octets", &[0x9a, 1, 0], false),
            ("four octets", &[0x9d, 1, 0, 0, 1, 0], true),
            ("four octets without a bit that counts", &[0x9d, 1, 0, 0x80, 0, 0], false),
            ("eight octets", &[0x99, 1, 0, 0, 0, 0, 0, 0, 0, 2], true),
            ("the last one counts", &[0x98, 1, 1, 0x9d, 1, 0, 0, 0, 0], false),
        ] {
            let mut index = FieldIndex::new();
            let view = View::new(schema, body, &mut index).unwrap();
            assert_eq!(view.stored(position), Some(Value::Bool(want)), "{name}");
        }
    }

    #[test]
    fn undecodable_bodies_are_told_from_odd_ones() {
        let registry = Registry::builtin();
        let schema = registry.find(b"base", b"xml").unwrap();
        let long = [&[0x0a, 0x80, 0x01][..], &[b'x'; 128], &[0x12, 0]].concat();
        for (name, body, want) in [
            ("both required", &[0x0a, 0, 0x12, 0][..], Ok(())),
            ("over-long tag and length", &[0x8a, 0, 0x80, 0, 0x12, 0], Ok(())),
            ("a long value", &long, Ok(())),
            (
                "unknown fields of every wire type",
                {
                    &[
                        0x0a, 0, 0x12, 0, 0x18, 1, 0x21, 0, 0, 0, 0, 0, 0, 0, 0, 0x2a, 0, 0x35, 0,
                        0, 0, 0,
                    ]
                },
                Ok(()),
            ),
            ("unknown octets cut", &[0x0a, 0, 0x12, 0, 0x2a, 5, 0, 0, 0, 0], Err(Error::Truncated)),
            ("an unknown number cut", &[0x0a, 0, 0x12, 0, 0x18, 0x80], Err(Error::Truncated)),
            ("four unknown octets cut", &[0x0a, 0, 0x12, 0, 0x35, 0, 0, 0], Err(Error::Truncated)),
            ("an unknown field of two octets", &[0x0a, 0, 0xaa, 1, 2, 0, 0, 0x12, 0], Ok(())),
            ("only unknown fields", &[0x18, 1, 0x2a, 0], Err(Error::MissingField)),
            ("one required is missing", &[0x0a, 0], Err(Error::MissingField)),
            ("wrong wire type", &[0x08, 0, 0x12, 0], Err(Error::WrongWireType)),
            ("fixed32 for octets", &[0x0d, 0, 0, 0, 0, 0x12, 0], Err(Error::WrongWireType)),
            ("a group", &[0x0a, 0, 0x12, 0, 0x1b], Err(Error::BadTag)),
            ("field 0", &[0x0a, 0, 0x12, 0, 0x02, 0], Err(Error::BadTag)),
            ("octets cut", &[0x0a, 0, 0x12, 1], Err(Error::Truncated)),
            ("tag cut", &[0x0a, 0, 0x12, 0, 0x80], Err(Error::Truncated)),
            ("only a tag", &[0x0a], Err(Error::Truncated)),
        ] {
            let got = FieldIndex::new().scan(schema, body);
            assert_eq!(got, want, "{name}");
        }
    }
}
