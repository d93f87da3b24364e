//! What stands around the message in a record (`rendering-and-parsing` §9.2).

use super::error::{LineError, LineErrorKind};
use super::parse::{Kind, Token};
use super::unescape::unescape;
use super::value::{integer, parse_float};
use crate::alias::AliasTable;
use crate::notices::{LabelKey, Notices};
use crate::record::{RecordHeader, label};
use crate::text::c_number::CInteger;
use crate::text::time_in::{parse_timestamp, timestamp_of_double};
use crate::{Aliases, MsgType, Timestamp, VendorId};

/// Values of the keys of a record; the last one of each key.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Envelope {
    pub(super) time: Token,
    pub(super) vname: Token,
    pub(super) mname: Token,
    pub(super) source: Token,
    pub(super) operator: Token,
    pub(super) group: Token,
    pub(super) vendor: Token,
    pub(super) msgtype: Token,
    pub(super) payload: Token,
}

impl Envelope {
    /// The place of a key's value; `None` for keys without a meaning.
    #[inline]
    pub(super) fn slot(&mut self, key: &[u8]) -> Option<&mut Token> {
        Some(match key {
            b"time" => &mut self.time,
            b"vname" => &mut self.vname,
            b"mname" => &mut self.mname,
            b"source" => &mut self.source,
            b"operator" => &mut self.operator,
            b"group" => &mut self.group,
            b"vid" => &mut self.vendor,
            b"msgtype" => &mut self.msgtype,
            b"payload" => &mut self.payload,
            _ => return None,
        })
    }

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
        let time = match self.time.kind {
            Kind::Absent => Some(now),
            Kind::Text | Kind::Escaped => parse_timestamp(text(line, self.time, room)),
            Kind::Integer => {
                let sec = integer(self.time.of(line));
                let sec = sec.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
                Some(Timestamp { sec, nsec: 0 })
            }
            Kind::Float => parse_float(self.time.of(line)).and_then(timestamp_of_double),
            _ => None,
        };
        let time = time.ok_or_else(|| fail(LineErrorKind::Time, &self.time))?;
        let source = match self.source.kind {
            Kind::Absent => Some(0),
            Kind::Text | Kind::Escaped => source(text(line, self.source, room)),
            Kind::Integer => Some(low_32_bits(integer(self.source.of(line)))),
            _ => None,
        };
        let source = source.ok_or_else(|| fail(LineErrorKind::Source, &self.source))?;
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
        let operator = named(self.operator, &aliases.operators, LabelKey::Operator)
            .ok_or_else(|| fail(LineErrorKind::Operator, &self.operator))?;
        let group = named(self.group, &aliases.groups, LabelKey::Group)
            .ok_or_else(|| fail(LineErrorKind::Group, &self.group))?;
        header.time = time;
        header.source = label(source);
        header.operator = label(operator);
        header.group = label(group);
        Ok(())
    }

    /// True when this can be a record of a payload that could not be shown (`decisions` JO-2).
    pub(super) fn is_fallback(&self) -> bool {
        [self.vendor, self.msgtype, self.payload].iter().all(|token| token.kind != Kind::Absent)
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
        let (vendor, msgtype) = (VendorId(id(&self.vendor)?), MsgType(id(&self.msgtype)?));
        let has_body = match self.payload.kind {
            Kind::Null => false,
            Kind::Text | Kind::Escaped => {
                wdns::codec::base64_decode_lenient(text(line, self.payload, room), body);
                true
            }
            _ => return Err(fail(&self.payload)),
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
fn source(text: &[u8]) -> Option<u32> {
    let number = CInteger::parse_hex(text).filter(|number| !number.is_negative())?;
    Some(number.wrapping_unsigned() as u32)
}

/// The low 32 bits of an integer that has at most 64.
fn low_32_bits(number: i128) -> u32 {
    number.clamp(i64::MIN.into(), u64::MAX.into()) as u32
}
