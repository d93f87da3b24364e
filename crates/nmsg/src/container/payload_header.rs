//! The NmsgPayload message: a record's ids, time and labels around its body
//! (`container-and-io` §1.3).

use super::usual_form;
use crate::wire::{self, Reader, WireType, put_varint, varint_len};
use crate::{MsgType, Payload, Timestamp, VendorId};

pub(super) const VENDOR: u32 = 1;
pub(super) const MSGTYPE: u32 = 2;
pub(super) const SECONDS: u32 = 3;
pub(super) const NANOSECONDS: u32 = 4;
pub(super) const BODY: u32 = 5;
pub(super) const SOURCE: u32 = 7;
const OPERATOR: u32 = 8;
const GROUP: u32 = 9;

/// Bit of each required field in the set of fields seen.
const REQUIRED: u32 = 1 << VENDOR | 1 << MSGTYPE | 1 << SECONDS | 1 << NANOSECONDS;

/// First tag octet of a field with a number below 16.
pub(super) const fn tag(number: u32, wire: WireType) -> u8 {
    (number << 3 | wire as u32) as u8
}

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

impl Fields {
    /// Reads the message `octets[start..end]`, its fields in any order. Positions are kept as 32
    /// bits: the caller has made sure that `octets` is not longer than that.
    pub(super) fn decode(octets: &[u8], start: usize, end: usize) -> Result<Self, wire::Error> {
        let octets = &octets[..end];
        let mut fields = Self { message: (start as u32, end as u32), ..Self::default() };
        let (mut seen, mut last, mut canonical) = (0, 0, true);
        let mut reader = Reader::at(octets, start);
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
                        VENDOR => fields.vendor = value,
                        MSGTYPE => fields.msgtype = value,
                        SOURCE => fields.source = Some(value),
                        OPERATOR => fields.operator = Some(value),
                        _ => fields.group = Some(value),
                    }
                }
                (SECONDS, WireType::Varint) => {
                    let from = reader.offset();
                    fields.time.sec = reader.varint()? as i64;
                    // The tenth octet has room for bits that do not count.
                    canonical &= reader.offset() - from < 10 || octets[reader.offset() - 1] == 1;
                }
                (NANOSECONDS, WireType::Fixed32) => fields.time.nsec = reader.fixed32()?,
                (BODY, WireType::Len) => {
                    let (start, end) = reader.len_range()?;
                    fields.body = (start as u32, end as u32);
                    fields.has_body = true;
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
        fields.canonical = canonical && encoded_len(&fields.payload(octets)) == end - start;
        Ok(fields)
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
    let head = number(payload.vendor.0)
        + number(payload.msgtype.0)
        + (1 + varint_len(payload.time.sec as u64))
        + 5;
    head + body + label(payload.source) + label(payload.operator) + label(payload.group)
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
    out.push(field_tag);
    put_varint(out, len as u64);
    let mut head = Scratch::new();
    if let Some(usual) = usual_form::head(payload) {
        out.extend_from_slice(&usual);
    } else {
        head.number(VENDOR, payload.vendor.0.into());
        head.number(MSGTYPE, payload.msgtype.0.into());
        head.number(SECONDS, payload.time.sec as u64);
        head.octet(tag(NANOSECONDS, WireType::Fixed32));
        for octet in payload.time.nsec.to_le_bytes() {
            head.octet(octet);
        }
        if payload.body.is_some() {
            head.octet(tag(BODY, WireType::Len));
        }
        out.extend_from_slice(head.octets());
        head.len = 0;
    }
    if let Some(body) = payload.body {
        put_varint(out, body.len() as u64);
        out.extend_from_slice(body);
    }
    for (number, label) in
        [(SOURCE, payload.source), (OPERATOR, payload.operator), (GROUP, payload.group)]
    {
        if let Some(label) = label {
            head.number(number, label.into());
        }
    }
    if head.len > 0 {
        out.extend_from_slice(head.octets());
    }
}
