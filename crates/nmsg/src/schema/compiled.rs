use wdns::{Literal, TextBuffer};

use crate::json::Key;
use crate::render::Plan;
use crate::schema::{EncodingStep, Field, Label, MessageType, Storage};
use crate::wire::WireType;

/// Field numbers below this are found by one array access.
const DENSE_FIELDS: u32 = 128;

/// Raw tags of those.
const DENSE_TAGS: usize = DENSE_FIELDS as usize * 8;

/// Octets of a record header's constant part that are copied at once.
const HEADER_WINDOW: usize = 48;

/// Stands for a raw tag that is no field; no table has as many fields.
const NO_SLOT: u16 = u16::MAX;

/// What the scanner does with a raw tag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UsualTag {
    /// Wire type of the value; [`UsualTag::OTHER`] when the tag is not usual.
    pub(crate) wire: u8,
    /// Index of the field in declared order.
    pub(crate) slot: u8,
}

impl UsualTag {
    /// The wire type of a tag that the scanner leaves to others: of a known field in another wire type, or
    /// with eight octets.
    const OTHER: u8 = u8::MAX;

    const UNUSUAL: Self = Self { wire: Self::OTHER, slot: 0 };

    /// The slot of unknown fields, whose values nobody asks for.
    pub(crate) const UNKNOWN: u8 = u8::MAX;

    fn new(position: u16, wire: WireType) -> Self {
        match u8::try_from(position) {
            Ok(slot) if slot != Self::UNKNOWN && wire != WireType::Fixed64 => {
                Self { wire: wire as u8, slot }
            }
            _ => Self::UNUSUAL,
        }
    }

    /// What the scanner does with the raw tags of a field number as long as no field has it.
    fn unknown(number: usize) -> [Self; 8] {
        let usual = |wire| Self { wire: wire as u8, slot: Self::UNKNOWN };
        let mut tags = [Self::UNUSUAL; 8];
        if number > 0 {
            for wire in [WireType::Varint, WireType::Len, WireType::Fixed32] {
                tags[wire as usize] = usual(wire);
            }
        }
        tags
    }
}

/// Where the scanner puts the values of a field number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TagEntry {
    /// Index of the field in declared order.
    pub(crate) field: u16,
    /// Wire type of an unpacked value.
    pub(crate) wire: WireType,
    /// Whether several values are kept, and so whether packed numbers are accepted.
    pub(crate) repeated: bool,
    /// Whether it is a truth value.
    pub(crate) truth: bool,
}

/// A message type compiled for scanning and rendering; made once, shared by all workers.
#[derive(Debug)]
pub struct Schema {
    declaration: MessageType,
    /// Field index by raw tag, for fields in their own wire type; [`NO_SLOT`] elsewhere.
    dense: Box<[u16; DENSE_TAGS]>,
    /// The same for the scanner.
    usual: Box<[UsualTag; DENSE_TAGS]>,
    /// Field index by field number, for low field numbers; [`NO_SLOT`] elsewhere.
    numbers: Vec<u16>,
    tags: Vec<(u32, TagEntry)>,
    required: Vec<u16>,
    by_name: Vec<u16>,
    plan: Plan,
    json_header: Literal<HEADER_WINDOW>,
    presentation_header: Literal<HEADER_WINDOW>,
    rr_fields: Option<(u16, u16)>,
    encoding: Vec<EncodingStep>,
    json_keys: Vec<Key>,
}

impl Schema {
    /// Compiles a declaration.
    #[must_use]
    pub fn new(declaration: MessageType) -> Self {
        let fields = &declaration.fields;
        let mut dense = Box::new([NO_SLOT; DENSE_TAGS]);
        let mut usual = Box::new([UsualTag::UNUSUAL; DENSE_TAGS]);
        for (number, tags) in usual.as_chunks_mut().0.iter_mut().enumerate() {
            *tags = UsualTag::unknown(number);
        }
        let mut numbers = Vec::new();
        let mut tags = Vec::new();
        for (i, field) in fields.iter().enumerate() {
            let Some(tag) = field.tag else { continue };
            let repeated = field.label == Label::Repeated;
            let (wire, truth) = (field.storage.wire_type(), field.storage == Storage::Bool);
            let entry = TagEntry { field: i as u16, wire, repeated, truth };
            if tag < DENSE_FIELDS {
                let raw = tag as usize * 8 + entry.wire as usize;
                dense[raw] = entry.field;
                usual[tag as usize * 8..][..8].fill(UsualTag::UNUSUAL);
                usual[raw] = UsualTag::new(entry.field, entry.wire);
                numbers.resize(numbers.len().max(tag as usize + 1), NO_SLOT);
                numbers[tag as usize] = entry.field;
            }
            tags.push((tag, entry));
        }
        tags.sort_unstable_by_key(|&(tag, _)| tag);
        let indices = || 0..fields.len() as u16;
        let at = |i: u16| &fields[usize::from(i)];
        let mut by_name: Vec<u16> = indices().collect();
        by_name.sort_by(|&a, &b| at(a).name().cmp(at(b).name()));
        let required = indices().filter(|&i| {
            let field = at(i);
            field.tag.is_some() && field.label == Label::Required
        });
        let required = required.collect();
        let plan = Plan::new(fields);
        let named = |name: &[u8]| indices().find(|&i| at(i).name() == name);
        let rr_fields = Option::zip(named(b"rrtype"), named(b"rrclass"));

        let (vendor, name) = (declaration.vendor_name.to_bytes(), declaration.name.to_bytes());
        let mut header = TextBuffer::new();
        header.bytes(b"\",\"vname\":\"");
        header.json_escaped(vendor);
        header.bytes(b"\",\"mname\":\"");
        header.json_escaped(name);
        header.byte(b'"');
        let json_header = Literal::new(header.as_bytes());
        header.clear();
        header.bytes(b"] [");
        header.decimal(declaration.vendor.0.into());
        header.byte(b':');
        header.decimal(declaration.id.0.into());
        for name in [vendor, name] {
            header.byte(b' ');
            header.bytes(name);
        }
        header.bytes(b"] [");
        let presentation_header = Literal::new(header.as_bytes());
        Self {
            dense,
            usual,
            numbers,
            tags,
            required,
            by_name,
            plan,
            json_header,
            presentation_header,
            rr_fields,
            encoding: EncodingStep::of_fields(&declaration.fields),
            json_keys: declaration.fields.iter().map(|field| Key::new(field.name())).collect(),
            declaration,
        }
    }

    /// The declaration this was compiled from.
    #[must_use]
    pub fn message_type(&self) -> &MessageType {
        &self.declaration
    }

    /// Fields in declared order.
    #[must_use]
    #[inline]
    pub fn fields(&self) -> &[Field] {
        &self.declaration.fields
    }

    /// Index of the field with this exact name.
    #[must_use]
    pub fn field_index(&self, name: &[u8]) -> Option<usize> {
        let fields = self.fields();
        let found =
            self.by_name.binary_search_by(|&i| fields[usize::from(i)].name().cmp(name)).ok()?;
        Some(self.by_name[found].into())
    }

    /// What the encoded form consists of, by ascending field number.
    #[inline]
    pub(crate) fn encoding(&self) -> &[EncodingStep] {
        &self.encoding
    }

    /// The fields' names as keys of JSON records, in declared order.
    #[inline]
    pub(crate) fn json_keys(&self) -> &[Key] {
        &self.json_keys
    }

    /// Where the scanner puts a value with this raw tag; out of range when it is not a known field
    /// in its own wire type.
    #[inline(always)]
    pub(crate) fn slot_of_tag(&self, raw: u32) -> usize {
        self.dense.get(raw as usize).copied().unwrap_or(NO_SLOT).into()
    }

    /// What the scanner does with a raw tag of one octet.
    #[inline(always)]
    pub(crate) fn usual_tag(&self, raw: u8) -> UsualTag {
        self.usual[usize::from(raw)]
    }

    /// As [`Self::usual_tag`], for a tag of two octets.
    #[inline(always)]
    pub(crate) fn usual_long_tag(&self, raw: u32) -> UsualTag {
        self.usual.get(raw as usize).copied().unwrap_or(UsualTag::UNUSUAL)
    }

    /// Position of the field with a low field number; out of range when there is none.
    #[inline(always)]
    pub(crate) fn position_of(&self, number: u32) -> usize {
        self.numbers.get(number as usize).copied().unwrap_or(NO_SLOT).into()
    }

    /// What is known of a field number.
    pub(crate) fn tag_entry(&self, number: u32) -> Option<TagEntry> {
        let found = self.tags.binary_search_by_key(&number, |&(tag, _)| tag).ok()?;
        Some(self.tags[found].1)
    }

    #[inline]
    pub(crate) fn required(&self) -> &[u16] {
        &self.required
    }

    /// What the writers do for a message of this type.
    #[inline(always)]
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// `","vname":"…","mname":"…"`, what follows the time in a JSON record.
    #[inline]
    pub(crate) fn json_header(&self) -> &Literal<HEADER_WINDOW> {
        &self.json_header
    }

    /// `] [V:T VNAME MNAME] [`, what follows the time in a presentation header.
    #[inline]
    pub(crate) fn presentation_header(&self) -> &Literal<HEADER_WINDOW> {
        &self.presentation_header
    }

    /// Indices of the fields that say how record data is to be read: `rrtype`, `rrclass`.
    #[inline]
    pub(crate) fn rr_fields(&self) -> Option<(usize, usize)> {
        self.rr_fields.map(|(rrtype, class)| (rrtype.into(), class.into()))
    }
}
