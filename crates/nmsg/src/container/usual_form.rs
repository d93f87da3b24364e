//! The form that nearly every record has, recognised and taken apart a word at a time.
//!
//! ```text
//! 0a L | 08 v 10 m 18 t t t t t 25 n n n n | 2a B body… | 38 s s s s s
//! ```
//!
//! One-octet ids, a five-octet time (1978 to 3058), lengths of one or two octets, and no label but
//! perhaps a five-octet source id; every number in its shortest form, so the message is octet for
//! octet what a writer makes of the record. Anything else takes the general way.

use super::payload_header::{BODY, MSGTYPE, NANOSECONDS, SECONDS, SOURCE, VENDOR, tag};
use crate::wire::{WireType, join_groups};
use crate::{MsgType, Payload, Timestamp, VendorId};

/// Octets in front of the body's length.
pub(super) const HEAD: usize = 16;
/// Octets of a source id with its tag.
const LABEL: u32 = 6;

/// The octets of the head that are fixed, and those that only must or must not go on.
const HEAD_MASK: u128 = u128::from_le_bytes([
    0xff, 0x80, 0xff, 0x80, 0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0xff, 0, 0, 0, 0, 0xff,
]);
const HEAD_VALUE: u128 = u128::from_le_bytes([
    tag(VENDOR, WireType::Varint),
    0,
    tag(MSGTYPE, WireType::Varint),
    0,
    tag(SECONDS, WireType::Varint),
    0x80,
    0x80,
    0x80,
    0x80,
    0,
    tag(NANOSECONDS, WireType::Fixed32),
    0,
    0,
    0,
    0,
    tag(BODY, WireType::Len),
]);
/// The last octet of the time; with no bit set the number would be longer than needed.
const LAST_OF_TIME: u128 = 0x7f << 72;

/// The same for the eight octets that end with a source id.
const LABEL_MASK: u64 = u64::from_le_bytes([0, 0, 0xff, 0x80, 0x80, 0x80, 0x80, 0xf0]);
const LABEL_VALUE: u64 =
    u64::from_le_bytes([0, 0, tag(SOURCE, WireType::Varint), 0x80, 0x80, 0x80, 0x80, 0]);
/// The last octet of the source id, which must not be 0.
const LAST_OF_LABEL: u64 = 0x0f << 56;

/// The five octets of a varint with this number of 29 to 35 bits, lowest first.
#[inline(always)]
pub(super) fn split_groups(number: u64) -> u64 {
    let x = number & 0x3fff | (number & 0xfff_c000) << 2 | (number >> 28 & 0x7f) << 32;
    let x = x & 0x7f_007f_007f | (x & 0x3f80_3f80) << 1;
    x | 0x8080_8080
}

/// Everything in front of the body's length, for a record with usual ids and time and a body.
#[inline(always)]
pub(super) fn head(payload: &Payload<'_>) -> Option<[u8; HEAD]> {
    let Payload { vendor: VendorId(vendor), msgtype: MsgType(msgtype), time, .. } = *payload;
    let seconds = time.sec as u64;
    if vendor | msgtype >= 0x80 || !(1 << 28..1 << 35).contains(&seconds) || payload.body.is_none()
    {
        return None;
    }
    let head = HEAD_VALUE
        | u128::from(vendor) << 8
        | u128::from(msgtype) << 24
        | u128::from(split_groups(seconds)) << 40
        | u128::from(time.nsec) << 88;
    Some(head.to_le_bytes())
}

/// The length at the start of these octets and, as a number, whether it has two octets; `None` when it
/// has more, or more than it needs. Half of all records are about as long as one octet can tell, so
/// there is no branch on that.
#[inline(always)]
fn short_length(octets: u32) -> Option<(u32, u32)> {
    let is_long = octets >> 7 & 1;
    let mask = is_long.wrapping_neg();
    let high = octets >> 8 & mask;
    let len = octets & 0x7f | (high & 0x7f) << 7;
    if high & 0x80 == 0 && len >= 0x80 & mask { Some((len, is_long)) } else { None }
}

/// Where the body of a record in the usual form is; the rest follows from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usual {
    pub(super) body_start: u32,
    pub(super) body_end: u32,
    /// End of the message: the body's, or that of a source id.
    pub(super) end: u32,
}

impl Usual {
    /// Recognises a record at the start of `rest`, tag included, and gives the octets it takes;
    /// `at` is the position of `rest`. `None` when it has another form or is damaged. The caller has
    /// made sure that positions fit 32 bits.
    #[inline(always)]
    pub(super) fn recognise(rest: &[u8], at: u32, record_tag: u8) -> Option<(Self, usize)> {
        let frame = u32::from_le_bytes(*rest.first_chunk()?);
        if frame as u8 != record_tag {
            return None;
        }
        let (len, is_long) = short_length(frame >> 8)?;
        let start = 2 + is_long;
        let end = start + len;
        let message = rest.get(start as usize..end as usize)?;
        let (head, length) = message.first_chunk::<{ HEAD + 2 }>()?.split_first_chunk::<HEAD>()?;
        let head = u128::from_le_bytes(*head);
        if head & HEAD_MASK != HEAD_VALUE || head & LAST_OF_TIME == 0 {
            return None;
        }
        let length = u32::from(u16::from_le_bytes(*length.first_chunk()?));
        let (body_len, is_long) = short_length(length)?;
        let body_start = start + HEAD as u32 + 1 + is_long;
        let body_end = body_start + body_len;
        if body_end != end {
            let label = u64::from_le_bytes(*message.last_chunk()?);
            if body_end + LABEL != end
                || label & LABEL_MASK != LABEL_VALUE
                || label & LAST_OF_LABEL == 0
            {
                return None;
            }
        }
        let found = Self { body_start: at + body_start, body_end: at + body_end, end: at + end };
        Some((found, end as usize))
    }

    /// Range of the whole message.
    #[inline(always)]
    fn message(self) -> (usize, usize) {
        let length = if self.body_end - self.body_start < 0x80 { 1 } else { 2 };
        let start = (self.body_start as usize).saturating_sub(HEAD + length);
        (start, self.end as usize)
    }

    /// The whole message; `octets` are those it was recognised in.
    #[inline(always)]
    pub(super) fn encoded(self, octets: &[u8]) -> &[u8] {
        let (start, end) = self.message();
        octets.get(start..end).unwrap_or_default()
    }

    /// The record and its whole message; `octets` are those it was recognised in.
    #[inline(always)]
    pub(super) fn payload(self, octets: &[u8]) -> (Payload<'_>, &[u8]) {
        let message = self.encoded(octets);
        let head = message.first_chunk().map_or(0, |head| u128::from_le_bytes(*head));
        let last = message.last_chunk().map_or(0, |last| u64::from_le_bytes(*last));
        let source = (self.end != self.body_end).then(|| join_groups(last >> 24) as u32);
        let payload = Payload {
            vendor: VendorId((head >> 8) as u32 & 0x7f),
            msgtype: MsgType((head >> 24) as u32 & 0x7f),
            time: Timestamp {
                sec: join_groups((head >> 40) as u64) as i64,
                nsec: (head >> 88) as u32,
            },
            source,
            operator: None,
            group: None,
            body: self.body(octets),
        };
        (payload, message)
    }

    /// The record's type and body without the rest of its header; `octets` are those it was recognised
    /// in.
    #[inline(always)]
    pub(super) fn bare_payload(self, octets: &[u8]) -> Payload<'_> {
        let (start, _) = self.message();
        let head = octets.get(start..).and_then(<[u8]>::first_chunk);
        let head = head.map_or(0, |head| u32::from_le_bytes(*head));
        Payload {
            vendor: VendorId(head >> 8 & 0x7f),
            msgtype: MsgType(head >> 24 & 0x7f),
            body: self.body(octets),
            ..Payload::default()
        }
    }

    /// The body; `octets` are those it was recognised in.
    #[inline(always)]
    pub(super) fn body(self, octets: &[u8]) -> Option<&[u8]> {
        octets.get(self.body_start as usize..self.body_end as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::put_varint;

    #[test]
    fn lengths_of_one_and_two_octets() {
        for len in 0..1 << 14 {
            let mut octets = Vec::new();
            put_varint(&mut octets, len);
            let is_long = octets.len() as u32 - 1;
            for behind in [0, 0x7f, 0x80, 0xff] {
                let mut octets = octets.clone();
                octets.resize(4, behind);
                let octets = u32::from_le_bytes(*octets.first_chunk().expect("four octets"));
                assert_eq!(short_length(octets), Some((len as u32, is_long)), "{octets:x}");
            }
        }
        for (name, octets) in
            [("zero in two", 0x0080), ("127 in two", 0x00ff), ("three octets", 0x01_8080)]
        {
            assert_eq!(short_length(octets), None, "{name}");
        }
    }

    #[test]
    fn five_octet_numbers_both_ways() {
        for number in (28..35).flat_map(|bit| [1 << bit, (2 << bit) - 1, (1 << bit) + 0x0123_4567])
        {
            let mut octets = Vec::new();
            put_varint(&mut octets, number);
            assert_eq!(octets.len(), 5);
            octets.resize(8, 0);
            let octets = u64::from_le_bytes(*octets.first_chunk().expect("eight octets"));
            assert_eq!(split_groups(number), octets, "{number:x}");
            assert_eq!(join_groups(octets), number, "{number:x}");
        }
    }
}
