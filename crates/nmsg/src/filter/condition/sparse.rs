//! A scan for few fields of a message, several times cheaper than the one for all of them.

use crate::index::{FieldIndex, Slot};
use crate::schema::{Label, Schema};
use crate::wire::short_varint;
use std::num::NonZeroU64;

/// Class of fields that are stepped over.
const OTHER: u8 = 0;

/// Class of tags that only the full scan understands: unknown fields, packed numbers, damage.
const UNUSUAL: u8 = u8::MAX;

/// Tags of one octet are below this.
const SHORT_TAGS: usize = 128;

/// Tags of two octets are below this; longer ones are left to the full scan.
const LONG_TAGS: usize = 1 << 14;

/// Octets that are looked at together: a tag of two and a number of eight.
const WINDOW: usize = 10;

/// What to look for in the messages of one type.
#[derive(Clone, Debug)]
pub(super) struct SparseScan {
    /// Class by raw tag, as far as tags have one octet: [`OTHER`], [`UNUSUAL`], or one more than the
    /// place in `wanted` and then of required fields.
    short: [u8; SHORT_TAGS],
    /// The same by every tag.
    long: Box<[u8]>,
    /// Positions of the fields that are asked for, in declared order.
    wanted: Box<[usize]>,
    /// A bit for the class of each required field.
    required: u64,
}

impl SparseScan {
    /// A scan for the fields at these positions. Nothing for types whose bodies need a closer look,
    /// or when there are too many fields to tell apart.
    pub(super) fn new(schema: &Schema, wanted: &[usize]) -> Option<Self> {
        if schema.message_type().check.is_some() {
            return None;
        }
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let (mut classes, mut required) = (vec![UNUSUAL; SHORT_TAGS], 0_u64);
        let mut next = wanted.len() + 1;
        for (position, field) in schema.fields().iter().enumerate() {
            let Some(number) = field.tag else { continue };
            let is_required = field.label == Label::Required;
            let class = match wanted.iter().position(|&other| other == position) {
                Some(place) => place + 1,
                None if is_required => {
                    next += 1;
                    next - 1
                }
                None => OTHER.into(),
            };
            if is_required {
                required |= 1_u64.checked_shl(class as u32)?;
            }
            let tag = (number as usize) << 3 | field.storage.wire_type() as usize;
            if tag < LONG_TAGS {
                classes.resize(classes.len().max(tag + 1), UNUSUAL);
                classes[tag] = class as u8;
            }
        }
        let short = *classes.first_chunk()?;
        let few = next <= u64::BITS as usize;
        few.then(|| Self { short, long: classes.into(), wanted: wanted.into(), required })
    }

    /// Locates the fields in `body`; the index then knows these fields only. False when the message
    /// is not of the usual kind, or damaged.
    #[inline]
    pub(super) fn scan(&self, schema: &Schema, body: &[u8], index: &mut FieldIndex) -> bool {
        if u32::try_from(body.len()).is_err() {
            return false;
        }
        let slots = index.slots_mut(schema.fields().len());
        for &position in &self.wanted {
            slots[position] = Slot::default();
        }
        let (mut rest, mut seen) = (body, 0_u64);
        let mut end;
        loop {
            let window = match rest.first_chunk::<WINDOW>() {
                Some(window) => window,
                None if rest.is_empty() => break,
                None => {
                    end = padded(rest);
                    &end
                }
            };
            // Octets of the tag, and what follows them.
            let (class, header, value) = if window[0] < 0x80 {
                (self.short[usize::from(window[0])], 1, word_at::<1>(window))
            } else {
                let tag = usize::from(window[0] & 0x7f) | usize::from(window[1]) << 7;
                let class = self.long.get(tag).copied().unwrap_or(UNUSUAL);
                (class, 2, word_at::<2>(window))
            };
            let wire = window[0] & 7;
            let (header, len) = if wire == 2 {
                match value {
                    short if short & 0x80 == 0 => (header + 1, short as usize & 0x7f),
                    long if long & 0x8000 == 0 => {
                        (header + 2, (long & 0x7f | (long & 0x7f00) >> 1) as usize)
                    }
                    _ => return false,
                }
            } else if wire == 0 {
                match NonZeroU64::new(!value & 0x8080_8080_8080_8080) {
                    Some(ends) => (header, ends.trailing_zeros() as usize / 8 + 1),
                    None => return false,
                }
            } else {
                (header, if wire == 5 { 4 } else { 8 })
            };
            if class != OTHER {
                if class == UNUSUAL {
                    return false;
                }
                seen |= 1 << class;
                if let Some(&position) = self.wanted.get(usize::from(class) - 1) {
                    let at = body.len() - rest.len();
                    let start = at + header;
                    let value = match wire {
                        0 => short_varint(value).map_or(0, |(number, _)| number),
                        2 => Slot::range(start, start + len),
                        5 => value & 0xffff_ffff,
                        _ => value,
                    };
                    slots[position].keep(value, at);
                }
            }
            // What goes on behind the end is cut.
            match rest.get(header + len..) {
                Some(behind) => rest = behind,
                None => return false,
            }
        }
        seen & self.required == self.required
    }
}

/// The last few octets, as if zeros followed.
#[inline(always)]
fn padded(rest: &[u8]) -> [u8; WINDOW] {
    let mut window = [0; WINDOW];
    for (room, octet) in window.iter_mut().zip(rest) {
        *room = *octet;
    }
    window
}

/// The eight octets of a window from a place on.
#[inline(always)]
fn word_at<const AT: usize>(window: &[u8; WINDOW]) -> u64 {
    window[AT..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Registry;
    use crate::filter::condition::naive::records;
    use crate::schema::{Field, FieldType, MessageType};
    use crate::view::View;

    /// Whether the sparse scan understood the body; if so, the full scan must agree.
    fn agrees(schema: &Schema, wanted: &[usize], body: &[u8]) -> bool {
        let scan = SparseScan::new(schema, wanted).unwrap();
        let (mut sparse, mut full) = (FieldIndex::new(), FieldIndex::new());
        if !scan.scan(schema, body, &mut sparse) {
            return false;
        }
        let full = View::new(schema, body, &mut full).expect("the sparse scan understood it");
        let found = View::indexed(schema, body, &sparse);
        for &field in wanted {
            assert_eq!(found.stored(field), full.stored(field));
            assert!(found.stored_values(field).eq(full.stored_values(field)));
        }
        true
    }

    #[test]
    fn recorded_messages_are_understood_and_damaged_ones_never_misread() {
        let registry = Registry::builtin();
        let (mut understood, mut asked) = (0, 0);
        for record in records().iter().step_by(5) {
            let Some(schema) = registry.get(record.payload.vendor, record.payload.msgtype) else {
                continue;
            };
            if schema.message_type().check.is_some() {
                assert!(SparseScan::new(schema, &[0]).is_none());
                continue;
            }
            let fields = schema.fields().len();
            for (first, second) in (0..fields).zip((0..fields).rev()) {
                asked += 1;
                understood += u32::from(agrees(schema, &[first, second, first], &record.body));
            }
            let mut body = record.body.clone();
            for at in 0..body.len().min(300) {
                let wanted = [at % fields, (at + 1) % fields];
                agrees(schema, &wanted, &record.body[..at]);
                for flip in [0x01, 0x80, 0xff] {
                    body[at] ^= flip;
                    agrees(schema, &wanted, &body);
                    body[at] ^= flip;
                }
            }
        }
        assert!(understood * 10 > asked * 7, "{understood} of {asked}");
    }

    #[test]
    fn what_is_unusual_is_left_to_the_full_scan() {
        const FIELDS: &[Field] = &[
            Field::required(c"one", 1, FieldType::Uint32),
            Field::repeated(c"many", 2, FieldType::Int32),
            Field::optional(c"high", 200, FieldType::Bytes),
            Field::optional(c"higher", 5000, FieldType::Uint32),
            Field::optional(c"double", 3, FieldType::Double),
        ];
        let schema = Schema::new(MessageType::new((7, c"test"), (1, c"test"), FIELDS));
        let minus_one = [16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        for (name, body, want) in [
            ("required alone", &[8, 5][..], true),
            ("several values", &[8, 5, 16, 1, 16, 0x80, 1], true),
            ("high number", &[8, 5, 0xc2, 0x0c, 1, b'x'], true),
            ("double", &[8, 5, 25, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f], true),
            ("nothing", &[], false),
            ("required missing", &[16, 1], false),
            ("packed", &[8, 5, 18, 2, 1, 2], false),
            ("unknown", &[8, 5, 32, 1], false),
            ("very high number", &[8, 5, 0xc0, 0xb8, 0x02, 1], false),
            ("number of ten octets", &[&[8, 5], &minus_one[..]].concat(), false),
            ("cut number", &[8, 0x80], false),
            ("cut octets", &[8, 5, 0xc2, 0x0c, 2, b'x'], false),
            ("cut double", &[8, 5, 25, 0, 0, 0], false),
            ("cut tag", &[8, 5, 0xc2], false),
            ("wrong wire type", &[8, 5, 0xc0, 0x0c, 1], false),
        ] {
            assert_eq!(agrees(&schema, &[0, 1, 2, 3, 4], body), want, "{name}");
        }
        assert!(!agrees(&schema, &[], &[16, 1]), "required, though not asked for");
    }

    #[test]
    fn too_many_fields_are_left_to_the_full_scan() {
        let field = |number| Field::required(c"x", number, FieldType::Bool);
        for (count, few) in [(63, true), (64, false)] {
            let fields: Vec<Field> = (1..=count).map(field).collect();
            let mut declaration = MessageType::new((7, c"test"), (1, c"test"), &[]);
            declaration.fields = fields.into();
            let schema = Schema::new(declaration);
            assert_eq!(SparseScan::new(&schema, &[0]).is_some(), few, "{count}");
        }
    }
}
