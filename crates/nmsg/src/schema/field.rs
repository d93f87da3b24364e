use std::borrow::Cow;
use std::ffi::CStr;
use std::mem;

use crate::view::{Derived, Value, View};
use crate::wire::WireType;

/// NMSG type of a field: what its value means and how it looks (`rendering-and-parsing` §2).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum FieldType {
    /// One of a list of named numbers.
    Enum = 0,
    /// Uninterpreted octets.
    Bytes = 1,
    /// Text on one line.
    String = 2,
    /// Text of several lines.
    MultilineString = 3,
    /// IPv4 or IPv6 address, 4 or 16 octets.
    Ip = 4,
    /// Unsigned number of 16 bits.
    Uint16 = 5,
    /// Unsigned number of 32 bits.
    Uint32 = 6,
    /// Unsigned number of 64 bits.
    Uint64 = 7,
    /// Signed number of 16 bits.
    Int16 = 8,
    /// Signed number of 32 bits.
    Int32 = 9,
    /// Signed number of 64 bits.
    Int64 = 10,
    /// Floating-point number of 64 bits.
    Double = 11,
    /// True or false.
    Bool = 12,
}

impl FieldType {
    /// The storage used when a declaration names none.
    const fn usual_storage(self) -> Storage {
        match self {
            Self::Enum => Storage::Enum,
            Self::Bytes | Self::String | Self::MultilineString | Self::Ip => Storage::Bytes,
            Self::Uint16 | Self::Uint32 => Storage::Uint32,
            Self::Uint64 => Storage::Uint64,
            Self::Int16 | Self::Int32 => Storage::Int32,
            Self::Int64 => Storage::Int64,
            Self::Double => Storage::Double,
            Self::Bool => Storage::Bool,
        }
    }
}

/// Protocol-buffer type of a stored field.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(missing_docs, reason = "the names are those of the protocol-buffer language")]
pub enum Storage {
    Enum,
    Bytes,
    Uint32,
    Fixed32,
    Int32,
    Sfixed32,
    Uint64,
    Fixed64,
    Int64,
    Double,
    Bool,
}

impl Storage {
    /// Wire type of one unpacked value.
    #[must_use]
    pub const fn wire_type(self) -> WireType {
        match self {
            Self::Enum | Self::Uint32 | Self::Int32 | Self::Uint64 | Self::Int64 | Self::Bool => {
                WireType::Varint
            }
            Self::Fixed32 | Self::Sfixed32 => WireType::Fixed32,
            Self::Fixed64 | Self::Double => WireType::Fixed64,
            Self::Bytes => WireType::Len,
        }
    }
}

/// How often a stored field occurs.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Label {
    /// Exactly once; a message without it is undecodable.
    Required,
    /// At most once; of several occurrences the last one counts.
    Optional,
    /// Any number of times, in order.
    Repeated,
}

/// Field flags as the programming interfaces report them.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct FieldFlags(pub u8);

impl FieldFlags {
    /// Has any number of values.
    pub const REPEATED: Self = Self(0x01);
    /// Reported as required. Several types omit it on fields that are (`message-types` §2).
    pub const REQUIRED: Self = Self(0x02);
    /// Not shown in presentation form and not readable through the C interface.
    pub const HIDDEN: Self = Self(0x04);
    /// Not shown in presentation form.
    pub const NO_PRINT: Self = Self(0x08);
    /// Its formatted text is JSON already.
    pub const FORMAT_RAW: Self = Self(0x10);

    /// True when all flags of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The special forms a value can take, beyond the plain one of its [`FieldType`]
/// (`message-types` §2.1). `…Sie` are the variants of the SIE set.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Form {
    /// The plain form of the field's type.
    #[default]
    Plain,
    /// Uncompressed wire name, shown as a domain name.
    Name,
    /// RR type number, shown as a mnemonic.
    RrType,
    /// Class number, shown as a mnemonic.
    Class,
    /// Class number, shown as a mnemonic or `<UNKNOWN>`.
    ClassSie,
    /// Response code, shown as a mnemonic.
    Rcode,
    /// IP protocol number, shown by name.
    Protocol,
    /// Record data; its type and class are the message's `rrtype` and `rrclass`.
    Rdata,
    /// Seconds since the epoch, shown as date and time.
    Time,
    /// DNS message: a dump in presentation form, base64 in JSON.
    DnsMessage,
    /// DNS message: a dump in both forms.
    DnsMessageSie,
    /// DNS message as a JSON object; not shown in presentation form.
    DnsJson,
    /// Number in hexadecimal.
    HexId,
    /// Object of value and base64, by the `type` field of the same message (`message-types` §3.11).
    Encoded,
    /// Number shown by its name in the field's [`EnumTable`].
    Named,
    /// Captured datagram of `base:ncap`.
    NcapPayload,
}

/// One named number of an enumeration.
#[derive(Clone, Debug)]
pub struct EnumValue {
    /// The number as stored.
    pub number: i32,
    /// Its name, as shown and as compared.
    pub name: Cow<'static, CStr>,
}

/// The named numbers of an enumeration, in ascending order.
#[derive(Clone, Debug)]
pub struct EnumTable(pub Cow<'static, [EnumValue]>);

/// The one of a list in ascending order that has this number.
#[inline]
pub(crate) fn find_number<T>(
    values: &[T],
    number: i32,
    number_of: impl Fn(&T) -> i32,
) -> Option<&T> {
    // Nearly all lists count from 0 or 1 without gaps.
    let guess = i64::from(number) - i64::from(number_of(values.first()?));
    let found = values.get(usize::try_from(guess).ok()?);
    let found = found.filter(|value| number_of(value) == number);
    found.or_else(|| values.iter().find(|value| number_of(value) == number))
}

impl EnumTable {
    /// Declares an enumeration; `values` ascend.
    #[must_use]
    pub const fn new(values: &'static [EnumValue]) -> Self {
        Self(Cow::Borrowed(values))
    }

    /// The name of a number, without its C terminator.
    #[must_use]
    pub fn name(&self, number: i32) -> Option<&[u8]> {
        Some(find_number(&self.0, number, |value| value.number)?.name.to_bytes())
    }

    /// The number of a name, compared exactly.
    #[must_use]
    pub fn number(&self, name: &[u8]) -> Option<i32> {
        Some(self.0.iter().find(|value| value.name.to_bytes() == name)?.number)
    }

    /// The number of a name, whatever the letter case.
    #[must_use]
    pub fn number_ignore_case(&self, name: &[u8]) -> Option<i32> {
        let same = |value: &&EnumValue| value.name.to_bytes().eq_ignore_ascii_case(name);
        Some(self.0.iter().find(same)?.number)
    }
}

/// Lists the named numbers of an enumeration: `enum_values!(c"anchor" = 0, c"redirect" = 1)`.
macro_rules! enum_values {
    ($($name:literal = $number:literal),+ $(,)?) => {
        &[$($crate::schema::EnumValue {
            number: $number,
            name: ::std::borrow::Cow::Borrowed($name),
        }),+]
    };
}
pub(crate) use enum_values;

/// Computes value number `index` of a field from what was derived for the whole message; `None`
/// when there is no such value.
pub type Getter = for<'d, 'a> fn(&'d Derived<'a>, &View<'a>, index: usize) -> Option<Value<'d>>;

/// One row of a message type's field table.
#[derive(Clone, Debug)]
pub struct Field {
    /// Name, as shown and as compared.
    pub name: Cow<'static, CStr>,
    /// Protocol-buffer field number; `None` when the value is only computed.
    pub tag: Option<u32>,
    /// What the value means.
    pub field_type: FieldType,
    /// How the value is stored.
    pub storage: Storage,
    /// How often the value is stored.
    pub label: Label,
    /// Flags as reported.
    pub flags: FieldFlags,
    /// How the value looks.
    pub form: Form,
    /// Names of the numbers, for [`FieldType::Enum`] and [`Form::Named`].
    pub names: Option<EnumTable>,
    /// Computes values that are not stored, or shown instead of what is stored.
    pub getter: Option<Getter>,
    /// What an encoder stores for a required field that was never set.
    pub required_default: u64,
    /// Field number of the embedded message that really holds this computed field, so that text
    /// input can store it: `(outer, inner)`.
    pub nested: Option<(u32, u32)>,
}

impl Field {
    const fn new(name: &'static CStr, tag: Option<u32>, kind: FieldType, label: Label) -> Self {
        let flags =
            if matches!(label, Label::Repeated) { FieldFlags::REPEATED } else { FieldFlags(0) };
        Self {
            name: Cow::Borrowed(name),
            tag,
            field_type: kind,
            storage: kind.usual_storage(),
            label,
            flags,
            form: Form::Plain,
            names: None,
            getter: None,
            required_default: 0,
            nested: None,
        }
    }

    /// A field that every message carries. The required flag is reported only if it is also set by
    /// [`Field::flag`].
    #[must_use]
    pub const fn required(name: &'static CStr, tag: u32, kind: FieldType) -> Self {
        Self::new(name, Some(tag), kind, Label::Required)
    }

    /// A field that a message may carry.
    #[must_use]
    pub const fn optional(name: &'static CStr, tag: u32, kind: FieldType) -> Self {
        Self::new(name, Some(tag), kind, Label::Optional)
    }

    /// A field with any number of values.
    #[must_use]
    pub const fn repeated(name: &'static CStr, tag: u32, kind: FieldType) -> Self {
        Self::new(name, Some(tag), kind, Label::Repeated)
    }

    /// A field whose value is computed only.
    #[must_use]
    pub const fn computed(name: &'static CStr, kind: FieldType, getter: Getter) -> Self {
        Self::new(name, None, kind, Label::Optional).getter(getter)
    }

    /// Sets another storage than the usual one of the type.
    #[must_use]
    pub const fn stored_as(mut self, storage: Storage) -> Self {
        self.storage = storage;
        self
    }

    /// Adds a reported flag.
    #[must_use]
    pub const fn flag(mut self, flag: FieldFlags) -> Self {
        self.flags = self.flags.with(flag);
        self
    }

    /// Sets the special form of the value.
    #[must_use]
    pub const fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// Names the numbers.
    #[must_use]
    pub const fn named(mut self, names: &'static [EnumValue]) -> Self {
        // A plain assignment would drop, which a constant function may not.
        mem::forget(self.names.replace(EnumTable::new(names)));
        self
    }

    /// Computes what presentation form and programs see, whether or not a value is stored.
    #[must_use]
    pub const fn getter(mut self, getter: Getter) -> Self {
        self.getter = Some(getter);
        self
    }

    /// Sets what is stored for a required field that was never set.
    #[must_use]
    pub const fn required_default(mut self, value: u64) -> Self {
        self.required_default = value;
        self
    }

    /// Says which embedded message holds this computed field, and under which number.
    #[must_use]
    pub const fn nested(mut self, outer: u32, inner: u32) -> Self {
        self.nested = Some((outer, inner));
        self
    }

    /// The name without its C terminator.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.name.to_bytes()
    }

    /// True when an encoder stores the field whether or not it was set. In an embedded message
    /// those are the fields with a default.
    #[must_use]
    #[inline]
    pub(crate) fn is_always_stored(&self) -> bool {
        match self.tag {
            Some(_) => matches!(self.label, Label::Required),
            None => self.nested.is_some() && self.required_default != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enum_names_and_numbers_convert_both_ways() {
        let table = EnumTable::new(const { enum_values!(c"INET" = 1, c"INET6" = 2, c"Late" = 40) });
        assert_eq!(table.name(2), Some(&b"INET6"[..]));
        assert_eq!(table.name(40), Some(&b"Late"[..]));
        assert_eq!((table.name(0), table.name(3), table.name(i32::MIN)), (None, None, None));
        assert_eq!((table.number(b"INET"), table.number(b"inet")), (Some(1), None));
        assert_eq!(table.number_ignore_case(b"lATE"), Some(40));
    }
}
