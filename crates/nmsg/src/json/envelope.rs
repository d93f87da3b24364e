//! What stands around the message in a record (`rendering-and-parsing` §9.2).

use super::error::{LineError, LineErrorKind};
use super::key::Key;
use super::parse::{Kind, Token};
use super::unescape::unescape;
use super::value::{integer, parse_float};
use crate::alias::AliasTable;
use crate::notices::{LabelKey, Notices};
use crate::record::{RecordHeader, label};
use crate::text::c_number::{CInteger, hex_u32};
use crate::text::time_in::{parse_timestamp, timestamp_of_double};
use crate::{Aliases, MsgType, Timestamp, VendorId};

/// The keys of a record, as they are written; fallback records have the last three.
const NAMES: [&[u8]; 10] = [
    b"time",
    b"vname",
    b"mname",
    b"source",
    b"operator",
    b"group",
    b"message",
    b"vid",
    b"msgtype",
    b"payload",
];
const TIME: usize = 0;
pub(super) const VNAME: usize = 1;
pub(super) const MNAME: usize = 2;
const SOURCE: usize = 3;
const OPERATOR: usize = 4;
const GROUP: usize = 5;
pub(super) const MESSAGE: usize = 6;
const VENDOR: usize = 7;
const MSGTYPE: usize = 8;
const PAYLOAD: usize = 9;

/// All keys of a record, for [`super::key::take_near`].
pub(super) fn keys() -> [Key; NAMES.len()] {
    NAMES.map(Key::new)
}

/// Index of a key; `None` for keys without a meaning.
pub(super) fn key_index(name: &[u8]) -> Option<usize> {
    NAMES.iter().position(|&known| known == name)
}

/// Values of the keys of a record; the last one of each key.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Envelope(pub(super) [Token; NAMES.len()]);

impl Envelope {
    /// Sets time and labels.
    #[inline]
    pub(super) fn complete(
        &self,
        header: &mut RecordHeader,
        line: &[u8],
        now: Timestamp,
        aliases: &Aliases,
        notices: &mut Notices,
        room: &mut Vec<u8>,
    ) -> Result<(), LineError> {
        let fail = |kind, token: &Token| LineError::new(kind, token.start as usize);
        let time = match self.0[TIME].kind {
            Kind::Absent => Some(now),
            Kind::Text | Kind::Escaped => parse_timestamp(text(line, self.0[TIME], room)),
            Kind::Integer => {
                let sec = integer(self.0[TIME].of(line));
                let sec = sec.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
                Some(Timestamp { sec, nsec: 0 })
            }
            Kind::Float => parse_float(self.0[TIME].of(line)).and_then(timestamp_of_double),
            _ => None,
        };
        let time = time.ok_or_else(|| fail(LineErrorKind::Time, &self.0[TIME]))?;
        let source = match self.0[SOURCE].kind {
            Kind::Absent => Some(0),
            Kind::Text | Kind::Escaped => source(text(line, self.0[SOURCE], room)),
            Kind::Integer => Some(low_32_bits(integer(self.0[SOURCE].of(line)))),
            _ => None,
        };
        let source = source.ok_or_else(|| fail(LineErrorKind::Source, &self.0[SOURCE]))?;
        let mut named = |token: Token, table: &AliasTable, which| match token.kind {
            Kind::Absent => Some(0),
            Kind::Integer => Some(low_32_bits(integer(token.of(line)))),
            Kind::Text | Kind::Escaped => {
                let name = text(line, token, room);
                let number = table.number(name);
                if number.is_none() {
                    notices.unknown_name(which, name);
                }
                Some(number.unwrap_or(0))
            }
            _ => None,
        };
        let operator = named(self.0[OPERATOR], &aliases.operators, LabelKey::Operator)
            .ok_or_else(|| fail(LineErrorKind::Operator, &self.0[OPERATOR]))?;
        let group = named(self.0[GROUP], &aliases.groups, LabelKey::Group)
            .ok_or_else(|| fail(LineErrorKind::Group, &self.0[GROUP]))?;
        header.time = time;
        header.source = label(source);
        header.operator = label(operator);
        header.group = label(group);
        Ok(())
    }

    /// True when this can be a record of a payload that could not be shown (`decisions` JO-2).
    pub(super) fn is_fallback(&self) -> bool {
        self.0[VENDOR..=PAYLOAD].iter().all(|token| token.kind != Kind::Absent)
    }

    /// Appends the payload of a fallback record and gives its ids (`decisions` JI-13).
    #[cold]
    pub(super) fn fallback(
        &self,
        line: &[u8],
        body: &mut Vec<u8>,
        room: &mut Vec<u8>,
    ) -> Result<RecordHeader, LineError> {
        let fail = |token: &Token| LineError::new(LineErrorKind::Fallback, token.start as usize);
        let id = |token: &Token| match token.kind {
            Kind::Integer => u32::try_from(integer(token.of(line))).map_err(|_| fail(token)),
            _ => Err(fail(token)),
        };
        let (vendor, msgtype) = (VendorId(id(&self.0[VENDOR])?), MsgType(id(&self.0[MSGTYPE])?));
        let has_body = match self.0[PAYLOAD].kind {
            Kind::Null => false,
            Kind::Text | Kind::Escaped => {
                wdns::codec::base64_decode_lenient(text(line, self.0[PAYLOAD], room), body);
                true
            }
            _ => return Err(fail(&self.0[PAYLOAD])),
        };
        Ok(RecordHeader { vendor, msgtype, has_body, ..RecordHeader::default() })
    }
}

/// The text of a string token, up to its first NUL; `room` takes what had escapes.
#[inline(always)]
pub(super) fn text<'t>(line: &'t [u8], token: Token, room: &'t mut Vec<u8>) -> &'t [u8] {
    if token.kind == Kind::Text { token.of(line) } else { escaped_text(line, token, room) }
}

#[cold]
fn escaped_text<'t>(line: &[u8], token: Token, room: &'t mut Vec<u8>) -> &'t [u8] {
    room.clear();
    unescape(token.of(line), room);
    room
}

/// Hex digits with or without `0x`. Of more than 32 bits the low ones count, more than 64 bits are
/// all ones.
#[inline]
fn source(text: &[u8]) -> Option<u32> {
    if let Ok(eight) = text.try_into()
        && let Some(number) = hex_u32(eight)
    {
        return Some(number);
    }
    let number = CInteger::parse_hex(text).filter(|number| !number.is_negative())?;
    Some(number.wrapping_unsigned() as u32)
}

/// The low 32 bits of an integer that has at most 64.
fn low_32_bits(number: i128) -> u32 {
    number.clamp(i64::MIN.into(), u64::MAX.into()) as u32
}
