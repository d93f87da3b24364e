//! Field values of a message from their tokens (`rendering-and-parsing` §9.3).

use super::envelope::text;
use super::error::LineErrorKind;
use super::parse::{Kind, Scanner, Token};
use super::unescape::unescape;
use crate::encode::{put_len_with, put_number};
use crate::schema::{Field, FieldType, Form};
use crate::text::c_number::CInteger;
use crate::text::value;
use crate::wire;

/// What the values of one line are read from and with.
pub(super) struct Context<'t> {
    pub(super) line: &'t [u8],
    /// Takes strings that had escapes.
    pub(super) room: &'t mut Vec<u8>,
    /// Type and class of the message's record data, once they were needed or stored.
    pub(super) rr_numbers: [Option<u16>; 2],
}

/// What became of a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    Stored,
    /// A number in one of the number forms.
    StoredNumber(u64),
    /// The text of a DNS message, which cannot be read back (`decisions` JI-16).
    LeftOut,
}

type Result<T> = std::result::Result<T, LineErrorKind>;

const WRONG: LineErrorKind = LineErrorKind::Value;

impl Context<'_> {
    /// Appends the field with the value of `token`, which is not `null`.
    #[inline]
    pub(super) fn put(
        &mut self,
        out: &mut Vec<u8>,
        tag: u32,
        field: &Field,
        token: Token,
    ) -> Result<Outcome> {
        match field.form {
            Form::Plain
            | Form::DnsMessage
            | Form::DnsJson
            | Form::Encoded
            | Form::Named
            | Form::NcapPayload => self.put_plain(out, tag, field, token)?,
            _ if !token.is_text() => return Err(WRONG),
            Form::Name => {
                let text = text(self.line, token, self.room);
                put_len_with(out, tag, |out| wdns::name::parse(text, out)).map_err(|_| WRONG)?;
            }
            Form::Rdata => {
                let [Some(rrtype), Some(class)] = self.rr_numbers else {
                    return Err(LineErrorKind::NoRrType);
                };
                let (rrtype, class) = (wdns::RrType(rrtype), wdns::Class(class));
                let text = text(self.line, token, self.room);
                let parse = |out: &mut Vec<u8>| wdns::rdata::parse(text, rrtype, class, out);
                put_len_with(out, tag, parse).map_err(|_| WRONG)?;
            }
            Form::DnsMessageSie => return Ok(Outcome::LeftOut),
            form => {
                let bits = value::number(form, text(self.line, token, self.room)).ok_or(WRONG)?;
                put_number(out, tag, field.storage, bits);
                return Ok(Outcome::StoredNumber(bits));
            }
        }
        Ok(Outcome::Stored)
    }

    /// The number of a field in one of the number forms; `None` when it is absent or wrong.
    pub(super) fn number(&mut self, field: &Field, token: Token) -> Option<u64> {
        if !token.is_text() {
            return None;
        }
        value::number(field.form, text(self.line, token, self.room))
    }

    fn put_plain(
        &mut self,
        out: &mut Vec<u8>,
        tag: u32,
        field: &Field,
        token: Token,
    ) -> Result<()> {
        let bits = match field.field_type {
            FieldType::String | FieldType::MultilineString => {
                return self.put_string(out, tag, token);
            }
            FieldType::Ip => {
                if !token.is_text() {
                    return Err(WRONG);
                }
                let text = text(self.line, token, self.room);
                let parse = |out: &mut Vec<u8>| value::address(text, out).ok_or(WRONG);
                return put_len_with(out, tag, parse);
            }
            FieldType::Bytes => return self.put_bytes(out, tag, token),
            FieldType::Enum => self.enumeration(field, token)?,
            _ if field.form == Form::Named => self.enumeration(field, token)?,
            FieldType::Uint16 => self.unsigned(token, u16::MAX.into())?,
            FieldType::Uint32 => self.unsigned(token, u32::MAX.into())?,
            FieldType::Uint64 => self.uint64(token)?,
            FieldType::Int16 => self.signed(token, i16::MIN.into(), i16::MAX.into())?,
            FieldType::Int32 => self.signed(token, i32::MIN.into(), i32::MAX.into())?,
            FieldType::Int64 => self.int64(token)?,
            FieldType::Double => self.double(token)?.to_bits(),
            FieldType::Bool => self.boolean(token)?.into(),
        };
        put_number(out, tag, field.storage, bits);
        Ok(())
    }

    /// Stores the text up to its first NUL, and one NUL.
    #[inline]
    fn put_string(&mut self, out: &mut Vec<u8>, tag: u32, token: Token) -> Result<()> {
        let text = token.of(self.line);
        match token.kind {
            Kind::Text => {
                wire::put_tag(out, tag, wire::WireType::Len);
                wire::put_varint(out, text.len() as u64 + 1);
                out.extend_from_slice(text);
                out.push(0);
                Ok(())
            }
            Kind::Escaped => put_len_with(out, tag, |out| {
                unescape(text, out);
                out.push(0);
                Ok(())
            }),
            _ => Err(WRONG),
        }
    }

    /// Base64, alone or as the member `b64` of an object.
    fn put_bytes(&mut self, out: &mut Vec<u8>, tag: u32, token: Token) -> Result<()> {
        let token = match token.kind {
            Kind::Text | Kind::Escaped => token,
            Kind::Object => self.member(token, b"b64").filter(Token::is_text).ok_or(WRONG)?,
            _ => return Err(WRONG),
        };
        let text = text(self.line, token, self.room);
        put_len_with(out, tag, |out| {
            wdns::codec::base64_decode_lenient(text, out);
            Ok(())
        })
    }

    /// The last value of a key in an object that was scanned before.
    fn member(&mut self, object: Token, name: &[u8]) -> Option<Token> {
        let mut scanner = Scanner::new(self.line, object.start as usize);
        let mut found = None;
        scanner.enter().ok()?;
        if scanner.close(b'}') {
            return None;
        }
        loop {
            let key = scanner.key().ok()?;
            let value = scanner.value(0).ok()?;
            if text(self.line, key, self.room) == name {
                found = Some(value);
            }
            if scanner.ended(b'}').ok()? {
                return found;
            }
        }
    }

    /// A name in any letter case, or any number of 32 bits (`decisions` JI-7).
    fn enumeration(&mut self, field: &Field, token: Token) -> Result<u64> {
        let number = match token.kind {
            Kind::Integer => {
                let number = integer(token.of(self.line));
                if !(i128::from(i32::MIN)..=u32::MAX.into()).contains(&number) {
                    return Err(WRONG);
                }
                number as i32
            }
            Kind::Text | Kind::Escaped => {
                let text = text(self.line, token, self.room);
                let names = field.names.as_ref().ok_or(WRONG)?;
                names.number_ignore_case(text).ok_or(WRONG)?
            }
            _ => return Err(WRONG),
        };
        Ok(i64::from(number) as u64)
    }

    #[inline]
    fn unsigned(&self, token: Token, max: u64) -> Result<u64> {
        if token.kind != Kind::Integer {
            return Err(WRONG);
        }
        let number = u64::try_from(integer(token.of(self.line))).map_err(|_| WRONG)?;
        if number > max { Err(WRONG) } else { Ok(number) }
    }

    /// A number, or text that starts with one; the largest one stands for larger ones.
    fn uint64(&mut self, token: Token) -> Result<u64> {
        match token.kind {
            Kind::Integer => {
                let number = integer(token.of(self.line)).min(u64::MAX.into());
                u64::try_from(number).map_err(|_| WRONG)
            }
            Kind::Text | Kind::Escaped => {
                let text = text(self.line, token, self.room);
                let number = CInteger::parse_decimal_prefix(text).ok_or(WRONG)?;
                if number.is_negative() { Err(WRONG) } else { Ok(number.wrapping_unsigned()) }
            }
            _ => Err(WRONG),
        }
    }

    /// A number in range, or 2⁶⁴ more than a negative one (`decisions` JI-8).
    fn signed(&self, token: Token, min: i64, max: i64) -> Result<u64> {
        let number = self.wrapped(token)?;
        if (i128::from(min)..=max.into()).contains(&number) {
            Ok(number as u64)
        } else {
            Err(WRONG)
        }
    }

    /// As [`Context::signed`], with the smallest and largest standing for what is beyond them.
    fn int64(&self, token: Token) -> Result<u64> {
        let number = self.wrapped(token)?;
        Ok(number.clamp(i64::MIN.into(), i64::MAX.into()) as u64)
    }

    fn wrapped(&self, token: Token) -> Result<i128> {
        const WRAP: i128 = 1 << 64;
        if token.kind != Kind::Integer {
            return Err(WRONG);
        }
        let number = integer(token.of(self.line));
        let wraps = (WRAP / 2..WRAP).contains(&number);
        Ok(if wraps { number - WRAP } else { number })
    }

    /// Any number, or the text of one that JSON has no form for (`decisions` JI-7, JO-4).
    fn double(&mut self, token: Token) -> Result<f64> {
        match token.kind {
            Kind::Integer | Kind::Float => parse_float(token.of(self.line)).ok_or(WRONG),
            Kind::Text => match token.of(self.line) {
                b"nan" => Ok(f64::NAN),
                b"inf" => Ok(f64::INFINITY),
                b"-inf" => Ok(f64::NEG_INFINITY),
                _ => Err(WRONG),
            },
            _ => Err(WRONG),
        }
    }

    fn boolean(&mut self, token: Token) -> Result<bool> {
        match token.kind {
            Kind::True => Ok(true),
            Kind::False => Ok(false),
            Kind::Integer => Ok(integer(token.of(self.line)) != 0),
            Kind::Text | Kind::Escaped => {
                let text = text(self.line, token, self.room);
                if text.eq_ignore_ascii_case(b"true") {
                    Ok(true)
                } else if text.eq_ignore_ascii_case(b"false") {
                    Ok(false)
                } else {
                    Err(WRONG)
                }
            }
            _ => Err(WRONG),
        }
    }
}

/// The value of an integer token; beyond 127 bits the largest or smallest one.
#[inline]
pub(super) fn integer(text: &[u8]) -> i128 {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        _ => (false, text),
    };
    let magnitude = if digits.len() <= 19 {
        let digit = |value: u64, digit: &u8| value * 10 + u64::from(digit.wrapping_sub(b'0'));
        i128::from(digits.iter().fold(0, digit))
    } else {
        long_integer(digits)
    };
    if negative { -magnitude } else { magnitude }
}

#[cold]
fn long_integer(digits: &[u8]) -> i128 {
    digits.iter().fold(0_i128, |value, digit| {
        value.saturating_mul(10).saturating_add(digit.wrapping_sub(b'0').into())
    })
}

/// The value of a number token.
pub(super) fn parse_float(text: &[u8]) -> Option<f64> {
    // The words are those of JSON in any letter case; Rust knows them too.
    std::str::from_utf8(text).ok()?.parse().ok()
}
