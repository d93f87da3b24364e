//! Protocol-buffer primitives: tags, varints and length-delimited fields, both ways.
//!
//! Reading is strict where the reference is: groups, field number 0, wire types 6 and 7 and varints
//! of more than ten octets make the whole message undecodable; over-long encodings do not
//! (`container-and-io` §1.3, `rendering-and-parsing` §6.1).

use std::fmt;

/// How a field is laid out on the wire.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum WireType {
    /// Base-128 number.
    Varint = 0,
    /// Eight octets, little-endian.
    Fixed64 = 1,
    /// Length and that many octets.
    Len = 2,
    /// Four octets, little-endian.
    Fixed32 = 5,
}

/// Why octets are not a protocol-buffer message.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Error {
    /// The octets end inside a field.
    Truncated,
    /// A varint of more than ten octets.
    VarintTooLong,
    /// Field number 0, a group, or a wire type that does not exist.
    BadTag,
    /// A known field with a wire type that is not its own.
    WrongWireType,
    /// A required field is missing.
    MissingField,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "a field runs past the end",
            Self::VarintTooLong => "a number has more than ten octets",
            Self::BadTag => "a field has an invalid tag",
            Self::WrongWireType => "a field has the wrong wire type",
            Self::MissingField => "a required field is missing",
        })
    }
}

impl std::error::Error for Error {}

/// One field as it stands on the wire.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RawField<'a> {
    /// Field number, at least 1.
    pub number: u32,
    /// The value, not yet interpreted.
    pub value: RawValue<'a>,
}

/// A field's value before its declared type is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RawValue<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1.
    Fixed64(u64),
    /// Wire type 2.
    Len(&'a [u8]),
    /// Wire type 5.
    Fixed32(u32),
}

impl<'a> RawValue<'a> {
    /// The number of a varint field.
    pub fn varint(self) -> Result<u64, Error> {
        if let Self::Varint(value) = self { Ok(value) } else { Err(Error::WrongWireType) }
    }

    /// The low 32 bits of a varint field.
    pub fn varint32(self) -> Result<u32, Error> {
        Ok(self.varint()? as u32)
    }

    /// The number of a four-octet field.
    pub fn fixed32(self) -> Result<u32, Error> {
        if let Self::Fixed32(value) = self { Ok(value) } else { Err(Error::WrongWireType) }
    }

    /// The octets of a length-delimited field.
    pub fn octets(self) -> Result<&'a [u8], Error> {
        if let Self::Len(value) = self { Ok(value) } else { Err(Error::WrongWireType) }
    }
}

/// A cursor over an encoded message; it knows its offset, and nothing else slices.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first octet.
    #[must_use]
    pub fn new(octets: &'a [u8]) -> Self {
        Self { octets, at: 0 }
    }

    /// Starts at `at`; behind the end is the end.
    #[must_use]
    pub fn at(octets: &'a [u8], at: usize) -> Self {
        Self { octets, at: at.min(octets.len()) }
    }

    /// Octets read so far.
    #[must_use]
    #[inline(always)]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// True when everything was read.
    #[must_use]
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.at >= self.octets.len()
    }

    /// Reads a base-128 number.
    #[inline(always)]
    pub fn varint(&mut self) -> Result<u64, Error> {
        match self.octets.get(self.at) {
            Some(&octet) if octet < 0x80 => {
                self.at += 1;
                Ok(octet.into())
            }
            _ => self.varint_long(),
        }
    }

    #[inline(always)]
    fn varint_long(&mut self) -> Result<u64, Error> {
        if let Some(octets) = self.octets.get(self.at..).and_then(|rest| rest.first_chunk::<8>())
            && let Some((value, len)) = short_varint(u64::from_le_bytes(*octets))
        {
            self.at += len;
            return Ok(value);
        }
        self.varint_octets()
    }

    #[cold]
    fn varint_octets(&mut self) -> Result<u64, Error> {
        let mut value = 0_u64;
        for (i, &octet) in self.octets[self.at..].iter().take(10).enumerate() {
            value |= u64::from(octet & 0x7f) << (7 * i);
            if octet < 0x80 {
                self.at += i + 1;
                return Ok(value);
            }
        }
        Err(if self.octets.len() - self.at < 10 { Error::Truncated } else { Error::VarintTooLong })
    }

    /// Reads a tag as the number that it is on the wire: field number times eight, and wire type.
    #[inline(always)]
    pub(crate) fn raw_tag(&mut self) -> Result<u32, Error> {
        match self.octets.get(self.at..) {
            Some(&[one, ..]) if one < 0x80 => {
                self.at += 1;
                Ok(one.into())
            }
            Some(&[one, two, ..]) if two < 0x80 => {
                self.at += 2;
                Ok(u32::from(one & 0x7f) | u32::from(two) << 7)
            }
            _ => self.long_tag(),
        }
    }

    /// A tag has five octets at most; a field number beyond its range is one that nobody knows.
    #[cold]
    fn long_tag(&mut self) -> Result<u32, Error> {
        let start = self.at;
        let tag = self.varint_octets()?;
        match u32::try_from(tag) {
            _ if self.at - start > 5 => Err(Error::BadTag),
            Ok(tag) => Ok(tag),
            Err(_) => Ok(u32::MAX << 3 | tag as u32 & 7),
        }
    }

    /// Reads a field number and wire type.
    #[inline(always)]
    pub fn tag(&mut self) -> Result<(u32, WireType), Error> {
        split_tag(self.raw_tag()?)
    }

    /// Reads a four-octet number.
    #[inline(always)]
    pub fn fixed32(&mut self) -> Result<u32, Error> {
        let value = self.octets[self.at..].first_chunk().ok_or(Error::Truncated)?;
        self.at += 4;
        Ok(u32::from_le_bytes(*value))
    }

    /// Reads an eight-octet number.
    #[inline(always)]
    pub fn fixed64(&mut self) -> Result<u64, Error> {
        let value = self.octets[self.at..].first_chunk().ok_or(Error::Truncated)?;
        self.at += 8;
        Ok(u64::from_le_bytes(*value))
    }

    /// Reads a length and gives the range of the octets that follow it.
    #[inline(always)]
    pub fn len_range(&mut self) -> Result<(usize, usize), Error> {
        let len = self.varint()?;
        let start = self.at;
        if len > (self.octets.len() - start) as u64 {
            return Err(Error::Truncated);
        }
        self.at = start + len as usize;
        Ok((start, self.at))
    }

    /// Reads a length and that many octets.
    #[inline(always)]
    pub fn len_octets(&mut self) -> Result<&'a [u8], Error> {
        let (start, end) = self.len_range()?;
        Ok(&self.octets[start..end])
    }

    /// Steps over a value.
    #[inline]
    pub fn skip(&mut self, wire: WireType) -> Result<(), Error> {
        self.value(wire).map(|_| ())
    }

    /// Reads the value that follows a tag.
    #[inline(always)]
    pub fn value(&mut self, wire: WireType) -> Result<RawValue<'a>, Error> {
        Ok(match wire {
            WireType::Varint => RawValue::Varint(self.varint()?),
            WireType::Fixed64 => RawValue::Fixed64(self.fixed64()?),
            WireType::Len => RawValue::Len(self.len_octets()?),
            WireType::Fixed32 => RawValue::Fixed32(self.fixed32()?),
        })
    }

    /// Reads the next field; `None` at the end.
    #[inline]
    pub fn field(&mut self) -> Result<Option<RawField<'a>>, Error> {
        let rest = self.octets.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        if let [tag @ 0x08..0x80, len @ ..0x80, rest @ ..] = rest
            && tag & 7 == WireType::Len as u8
            && let Some(octets) = rest.get(..usize::from(*len))
        {
            self.at += 2 + octets.len();
            return Ok(Some(RawField { number: (tag >> 3).into(), value: RawValue::Len(octets) }));
        }
        let (number, wire) = self.tag()?;
        Ok(Some(RawField { number, value: self.value(wire)? }))
    }
}

/// Reads a number of at most eight octets at the low end of a word: its value and length.
#[inline(always)]
pub(crate) fn short_varint(word: u64) -> Option<(u64, usize)> {
    // Find the octet that ends the number, then squeeze out the top bits.
    let ends = !word & 0x8080_8080_8080_8080;
    if ends == 0 {
        return None;
    }
    let bits = word & (ends ^ (ends - 1)) & 0x7f7f_7f7f_7f7f_7f7f;
    let bits = bits & 0x007f_007f_007f_007f | (bits & 0x7f00_7f00_7f00_7f00) >> 1;
    let bits = bits & 0x0000_3fff_0000_3fff | (bits & 0x3fff_0000_3fff_0000) >> 2;
    let value = bits & 0x0fff_ffff | (bits & 0x0fff_ffff_0000_0000) >> 4;
    Some((value, (ends.trailing_zeros() as usize + 1) / 8))
}

/// Puts the seven-bit groups of five varint octets, lowest first, together.
#[inline(always)]
pub(crate) fn join_groups(octets: u64) -> u64 {
    let x = octets & 0x7f_7f7f_7f7f;
    let x = x & 0x7f_007f_007f | (x & 0x7f00_7f00) >> 1;
    x & 0x3fff | (x & 0x3fff_0000) >> 2 | (x & 0x7f_0000_0000) >> 4
}

/// Splits a raw tag into field number and wire type.
#[inline(always)]
pub(crate) fn split_tag(tag: u32) -> Result<(u32, WireType), Error> {
    let wire = match tag & 7 {
        0 => WireType::Varint,
        1 => WireType::Fixed64,
        2 => WireType::Len,
        5 => WireType::Fixed32,
        _ => return Err(Error::BadTag),
    };
    if tag >> 3 == 0 { Err(Error::BadTag) } else { Ok((tag >> 3, wire)) }
}

/// Number of octets that [`put_varint`] writes.
#[must_use]
#[inline]
pub const fn varint_len(value: u64) -> usize {
    // Seven bits an octet: (bits + 6) / 7 without a division.
    ((64 - (value | 1).leading_zeros() as usize) * 9 + 64) / 64
}

/// Appends a base-128 number in its shortest form.
#[inline]
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a field's tag.
#[inline]
pub fn put_tag(out: &mut Vec<u8>, number: u32, wire: WireType) {
    put_varint(out, u64::from(number) << 3 | wire as u64);
}

/// Appends a varint field.
#[inline]
pub fn put_varint_field(out: &mut Vec<u8>, number: u32, value: u64) {
    put_tag(out, number, WireType::Varint);
    put_varint(out, value);
}

/// Appends a four-octet field.
#[inline]
pub fn put_fixed32_field(out: &mut Vec<u8>, number: u32, value: u32) {
    put_tag(out, number, WireType::Fixed32);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends an eight-octet field.
#[inline]
pub fn put_fixed64_field(out: &mut Vec<u8>, number: u32, value: u64) {
    put_tag(out, number, WireType::Fixed64);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends a length-delimited field.
#[inline]
pub fn put_len_field(out: &mut Vec<u8>, number: u32, octets: &[u8]) {
    put_tag(out, number, WireType::Len);
    put_varint(out, octets.len() as u64);
    out.extend_from_slice(octets);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_round_trip_and_their_length_is_known() {
        let mut value = 1_u64;
        for _ in 0..64 {
            for n in [value, value - 1, value.wrapping_mul(2).wrapping_sub(1)] {
                let mut octets = Vec::new();
                put_varint(&mut octets, n);
                assert_eq!(octets.len(), varint_len(n), "{n}");
                assert_eq!(Reader::new(&octets).varint(), Ok(n));
                let cut = Reader::new(&octets[..octets.len() - 1]).varint();
                assert_eq!(cut, Err(Error::Truncated), "{n} cut short");
            }
            value = value.wrapping_shl(1).max(1);
        }
    }

    #[test]
    fn tolerance_follows_the_decoder_matrix() {
        for (name, octets, want) in [
            ("over-long varint", &[0x08, 0x87, 0x80, 0x00][..], Ok(RawValue::Varint(7))),
            ("over-long tag", &[0x88, 0x00, 0x07], Ok(RawValue::Varint(7))),
            ("fixed32", &[0x0d, 1, 0, 0, 0], Ok(RawValue::Fixed32(1))),
            ("fixed64", &[0x09, 1, 0, 0, 0, 0, 0, 0, 0], Ok(RawValue::Fixed64(1))),
            ("octets", &[0x0a, 2, 5, 6], Ok(RawValue::Len(&[5, 6]))),
            ("start group", &[0x0b], Err(Error::BadTag)),
            ("end group", &[0x0c], Err(Error::BadTag)),
            ("wire type 6", &[0x0e], Err(Error::BadTag)),
            ("wire type 7", &[0x0f], Err(Error::BadTag)),
            ("field 0", &[0x00, 0x00], Err(Error::BadTag)),
            ("octets cut", &[0x0a, 3, 5, 6], Err(Error::Truncated)),
            ("huge length", &[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], {
                Err(Error::Truncated)
            }),
            ("eleven octets", &[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], {
                Err(Error::VarintTooLong)
            }),
            ("fixed32 cut", &[0x0d, 1, 0, 0], Err(Error::Truncated)),
        ] {
            let got = Reader::new(octets).field().map(|field| field.unwrap().value);
            assert_eq!(got, want, "{name}");
        }
    }

    #[test]
    fn a_tag_of_many_octets_was_taken_for_another_field() {
        for (name, tag, want) in [
            ("five octets", &[0x88, 0x80, 0x80, 0x80, 0x00][..], Ok(Some(1))),
            ("six octets", &[0x88, 0x80, 0x80, 0x80, 0x80, 0x00], Err(Error::BadTag)),
            ("bits beyond 32", &[0x88, 0x80, 0x80, 0x80, 0x10], Ok(Some(u32::MAX >> 3))),
            ("cut", &[0x88, 0x80], Err(Error::Truncated)),
        ] {
            let octets = if name == "cut" { tag.to_vec() } else { [tag, &[7]].concat() };
            let field = Reader::new(&octets).field();
            assert_eq!(field.map(|field| field.map(|field| field.number)), want, "{name}");
        }
    }

    #[test]
    fn written_fields_read_back() {
        let mut out = Vec::new();
        put_varint_field(&mut out, 1, 300);
        put_fixed32_field(&mut out, 2, 7);
        put_fixed64_field(&mut out, 3, 8);
        put_len_field(&mut out, 2000, b"abc");
        let mut reader = Reader::new(&out);
        let mut fields = Vec::new();
        while let Some(field) = reader.field().unwrap() {
            fields.push((field.number, field.value));
        }
        let want = [
            (1, RawValue::Varint(300)),
            (2, RawValue::Fixed32(7)),
            (3, RawValue::Fixed64(8)),
            (2000, RawValue::Len(b"abc")),
        ];
        assert_eq!(fields, want);
        assert!(reader.is_empty() && reader.offset() == out.len());
    }
}
