//! The NmsgPayload message: a record's ids, time and labels around its body
//! (`container-and-io` §1.3).

use crate::wire::{self, Reader, WireType, varint_len};
use crate::{MsgType, Payload, Timestamp, VendorId};

const VENDOR: u32 = 1;
const MSGTYPE: u32 = 2;
const SECONDS: u32 = 3;
const NANOSECONDS: u32 = 4;
const BODY: u32 = 5;
const SOURCE: u32 = 7;
const OPERATOR: u32 = 8;
const GROUP: u32 = 9;

/// Bit of each required field in [`Fields::seen`].
const REQUIRED: u32 = 1 << VENDOR | 1 << MSGTYPE | 1 << SECONDS | 1 << NANOSECONDS;

/// Tag of the source id.
const SOURCE_TAG: u8 = tag(SOURCE, WireType::Varint);

/// First tag octet of a field with a number below 16.
pub(super) const fn tag(number: u32, wire: WireType) -> u8 {
    (number << 3 | wire as u32) as u8
}

/// Octets of what nearly every record starts with: one-octet ids, a five-octet time (1978 to 3058),
/// the nanoseconds and the body's tag.
const USUAL_START: usize = 16;

/// One octet of [`USUAL_START`]: which bits are fixed, and to what.
const fn usual(at: usize) -> (u8, u8) {
    match at {
        0 => (0xff, tag(VENDOR, WireType::Varint)),
        2 => (0xff, tag(MSGTYPE, WireType::Varint)),
        4 => (0xff, tag(SECONDS, WireType::Varint)),
        10 => (0xff, tag(NANOSECONDS, WireType::Fixed32)),
        15 => (0xff, tag(BODY, WireType::Len)),
        5..=8 => (0x80, 0x80),
        1 | 3 | 9 => (0x80, 0),
        _ => (0, 0),
    }
}

const fn usual_bits(value: bool) -> u128 {
    let mut octets = [0; USUAL_START];
    let mut at = 0;
    while at < USUAL_START {
        octets[at] = if value { usual(at).1 } else { usual(at).0 };
        at += 1;
    }
    u128::from_le_bytes(octets)
}

const USUAL_MASK: u128 = usual_bits(false);
const USUAL_VALUE: u128 = usual_bits(true);

/// Where a record stands in a container body, and what its header says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fields {
    pub(super) time: Timestamp,
    pub(super) vendor: u32,
    pub(super) msgtype: u32,
    pub(super) source: Option<u32>,
    pub(super) operator: Option<u32>,
    pub(super) group: Option<u32>,
    /// Range of the body; only meaningful with [`Self::has_body`].
    pub(super) body: (u32, u32),
    /// Range of the whole message.
    pub(super) message: (u32, u32),
    pub(super) has_body: bool,
    /// The message is exactly what a writer makes of these fields.
    pub(super) canonical: bool,
}

/// Puts the seven-bit groups of five varint octets, lowest first, together.
#[inline(always)]
pub(super) fn join_groups(octets: u64) -> u64 {
    let x = octets & 0x7f_7f7f_7f7f;
    let x = x & 0x7f_007f_007f | (x & 0x7f00_7f00) >> 1;
    x & 0x3fff | (x & 0x3fff_0000) >> 2 | (x & 0x7f_0000_0000) >> 4
}

/// Reads a length of one or two octets, which covers bodies up to 16 KiB; others take the long way.
#[inline(always)]
pub(super) fn range(octets: &[u8], at: usize) -> Result<(usize, usize), wire::Error> {
    let (start, len) = match octets.get(at..) {
        Some(&[a, ..]) if a < 0x80 => (at + 1, usize::from(a)),
        Some(&[a, b, ..]) if b < 0x80 => (at + 2, usize::from(a & 0x7f) | usize::from(b) << 7),
        _ => return Reader::at(octets, at).len_range(),
    };
    if len > octets.len() - start { Err(wire::Error::Truncated) } else { Ok((start, start + len)) }
}

impl Fields {
    /// Reads the message `octets[start..end]`. Positions are kept as 32 bits: the caller has made
    /// sure that `octets` is not longer than that.
    #[inline(always)]
    pub(super) fn decode(octets: &[u8], start: usize, end: usize) -> Result<Self, wire::Error> {
        let octets = &octets[..end];
        let mut fields =
            Self { message: (start as u32, end as u32), canonical: true, ..Self::default() };
        let Some(head) = octets[start..].first_chunk::<USUAL_START>() else {
            fields.decode_general(octets, start, 0)?;
            return Ok(fields);
        };
        let head = u128::from_le_bytes(*head);
        if head & USUAL_MASK != USUAL_VALUE {
            fields.decode_general(octets, start, 0)?;
            return Ok(fields);
        }
        let seconds = join_groups((head >> 40) as u64);
        fields.vendor = (head >> 8) as u32 & 0x7f;
        fields.msgtype = (head >> 24) as u32 & 0x7f;
        fields.time = Timestamp { sec: seconds as i64, nsec: (head >> 88) as u32 };
        let at = start + USUAL_START;
        let (body_start, body_end) = range(octets, at)?;
        fields.body = (body_start as u32, body_end as u32);
        fields.has_body = true;
        // Shortest form of the two numbers that could be longer than they need to be.
        fields.canonical = seconds >> 28 != 0
            && (body_start == at + 1
                || varint_len((body_end - body_start) as u64) == body_start - at);
        if body_end != end {
            fields.decode_labels(octets, body_end)?;
        }
        Ok(fields)
    }

    /// Reads what follows the body: nearly always a source id of five octets and nothing else.
    #[inline(always)]
    fn decode_labels(&mut self, octets: &[u8], at: usize) -> Result<(), wire::Error> {
        if let [SOURCE_TAG, a, b, c, d, e] = octets[at..]
            && a & b & c & d & 0x80 != 0
            && (1..16).contains(&e)
        {
            self.source = Some(join_groups(u64::from_le_bytes([a, b, c, d, e, 0, 0, 0])) as u32);
            return Ok(());
        }
        self.decode_general(octets, at, BODY)
    }

    /// Reads the fields from `at` on, in any order; `before` is the number of the last field that
    /// was read already, in order.
    #[inline(never)]
    fn decode_general(&mut self, octets: &[u8], at: usize, before: u32) -> Result<(), wire::Error> {
        let mut seen = if before == 0 { 0 } else { REQUIRED };
        let mut last = before;
        let mut canonical = self.canonical;
        let mut reader = Reader::at(octets, at);
        while !reader.is_empty() {
            let (number, wire) = reader.tag()?;
            canonical &= number > last;
            last = number;
            match (number, wire) {
                (VENDOR | MSGTYPE | SOURCE | OPERATOR | GROUP, WireType::Varint) => {
                    let wide = reader.varint()?;
                    let value = wide as u32;
                    canonical &= wide == u64::from(value);
                    match number {
                        VENDOR => self.vendor = value,
                        MSGTYPE => self.msgtype = value,
                        SOURCE => self.source = Some(value),
                        OPERATOR => self.operator = Some(value),
                        _ => self.group = Some(value),
                    }
                }
                (SECONDS, WireType::Varint) => {
                    let from = reader.offset();
                    self.time.sec = reader.varint()? as i64;
                    // The tenth octet has room for bits that do not count.
                    canonical &= reader.offset() - from < 10 || octets[reader.offset() - 1] == 1;
                }
                (NANOSECONDS, WireType::Fixed32) => self.time.nsec = reader.fixed32()?,
                (BODY, WireType::Len) => {
                    let (start, end) = reader.len_range()?;
                    self.body = (start as u32, end as u32);
                    self.has_body = true;
                }
                (VENDOR..=BODY | SOURCE..=GROUP, _) => return Err(wire::Error::WrongWireType),
                _ => {
                    canonical = false;
                    reader.skip(wire)?;
                }
            }
            seen |= 1_u32.checked_shl(number).unwrap_or(0);
        }
        if seen & REQUIRED != REQUIRED {
            return Err(wire::Error::MissingField);
        }
        // With every field once and in order, only over-long numbers can make a difference.
        let message_len = (self.message.1 - self.message.0) as usize;
        self.canonical = canonical && encoded_len(&self.payload(octets)) == message_len;
        Ok(())
    }

    /// The record itself; `octets` is the body it was decoded from.
    #[inline(always)]
    pub(super) fn payload<'a>(&self, octets: &'a [u8]) -> Payload<'a> {
        Payload {
            vendor: VendorId(self.vendor),
            msgtype: MsgType(self.msgtype),
            time: self.time,
            source: self.source,
            operator: self.operator,
            group: self.group,
            body: if self.has_body { slice(octets, self.body) } else { None },
        }
    }

    /// The whole message, when it is exactly what a writer makes of the record.
    #[inline(always)]
    pub(super) fn encoded<'a>(&self, octets: &'a [u8]) -> Option<&'a [u8]> {
        if self.canonical { slice(octets, self.message) } else { None }
    }
}

#[inline(always)]
fn slice(octets: &[u8], (start, end): (u32, u32)) -> Option<&[u8]> {
    octets.get(start as usize..end as usize)
}

/// Octets of the NmsgPayload message that carries `payload`.
#[must_use]
#[inline]
pub fn encoded_len(payload: &Payload<'_>) -> usize {
    let number = |value: u32| 1 + varint_len(value.into());
    let label = |value: Option<u32>| value.map_or(0, number);
    let body = payload.body.map_or(0, |body| 1 + varint_len(body.len() as u64) + body.len());
    number(payload.vendor.0)
        + number(payload.msgtype.0)
        + (1 + varint_len(payload.time.sec as u64))
        + 5
        + body
        + label(payload.source)
        + label(payload.operator)
        + label(payload.group)
}

/// A few fields put together on the stack, to be appended at once.
struct Scratch {
    octets: [u8; 64],
    len: usize,
}

impl Scratch {
    fn new() -> Self {
        Self { octets: [0; 64], len: 0 }
    }

    #[inline(always)]
    fn octet(&mut self, octet: u8) {
        self.octets[self.len % 64] = octet;
        self.len += 1;
    }

    #[inline(always)]
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.octet(value as u8 | 0x80);
            value >>= 7;
        }
        self.octet(value as u8);
    }

    #[inline(always)]
    fn number(&mut self, number: u32, value: u64) {
        self.octet(tag(number, WireType::Varint));
        self.varint(value);
    }

    fn octets(&self) -> &[u8] {
        &self.octets[..self.len]
    }
}

/// Appends `payload` as a length-delimited field with this tag; `len` is its [`encoded_len`].
#[inline]
pub(super) fn encode(out: &mut Vec<u8>, field_tag: u8, payload: &Payload<'_>, len: usize) {
    out.reserve(len + 11);
    let mut head = Scratch::new();
    head.octet(field_tag);
    head.varint(len as u64);
    head.number(VENDOR, payload.vendor.0.into());
    head.number(MSGTYPE, payload.msgtype.0.into());
    head.number(SECONDS, payload.time.sec as u64);
    head.octet(tag(NANOSECONDS, WireType::Fixed32));
    for octet in payload.time.nsec.to_le_bytes() {
        head.octet(octet);
    }
    if let Some(body) = payload.body {
        head.octet(tag(BODY, WireType::Len));
        head.varint(body.len() as u64);
        out.extend_from_slice(head.octets());
        out.extend_from_slice(body);
        head.len = 0;
    }
    for (number, label) in
        [(SOURCE, payload.source), (OPERATOR, payload.operator), (GROUP, payload.group)]
    {
        if let Some(label) = label {
            head.number(number, label.into());
        }
    }
    out.extend_from_slice(head.octets());
}
