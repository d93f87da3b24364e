//! One value from its text in presentation form.

use super::error::RecordErrorKind::{self, OctetsNotShown, Value as Wrong};
use super::header::decimal;
use crate::builder::MessageBuilder;
use crate::schema::{Field, FieldType, Form, Schema};
use crate::text::c_double::parse_double;
use crate::text::c_number::CInteger;
use crate::text::value;
use crate::view::Value;

/// Stands for a mnemonic that there is none of.
const UNKNOWN: &[u8] = b"<UNKNOWN>";

/// Adds the value that `text` stands for. Strings and record data are not read here.
pub(super) fn push(
    builder: &mut MessageBuilder,
    schema: &Schema,
    field: usize,
    text: &[u8],
) -> Result<(), RecordErrorKind> {
    let declared = &schema.fields()[field];
    let text = text.trim_ascii();
    let first = text.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let value = match (declared.form, declared.field_type) {
        (Form::Name, _) if first.is_empty() => return Err(Wrong),
        (Form::Name, _) => {
            let parse = |out: &mut Vec<u8>| wdns::name::parse(first, out);
            return builder.push_with(field, parse).map_err(|_| Wrong);
        }
        (_, FieldType::Bytes) => return Err(OctetsNotShown),
        (_, FieldType::Ip) => {
            return builder.push_with(field, |out| value::address(first, out).ok_or(Wrong));
        }
        _ => number(declared, first, text).ok_or(Wrong)?,
    };
    builder.push(field, value).map_err(|_| Wrong)
}

/// The number that the first word of a value, or all of it, stands for.
fn number<'t>(declared: &Field, first: &[u8], text: &[u8]) -> Option<Value<'t>> {
    let integer = || CInteger::parse(first);
    Some(match declared.form {
        Form::RrType | Form::Class | Form::ClassSie | Form::Rcode | Form::Protocol => {
            Value::Unsigned(mnemonic(declared.form, first, text)?)
        }
        Form::Time => match value::number(Form::Time, text) {
            Some(seconds) => Value::Unsigned(seconds),
            None => Value::Unsigned(integer()?.wrapping_unsigned()),
        },
        Form::HexId if first.is_empty() => return None,
        Form::HexId => Value::Unsigned(value::number(Form::HexId, first)?),
        Form::Named => Value::Unsigned((enumeration(declared, first, text)? as u32).into()),
        _ => match declared.field_type {
            FieldType::Enum => Value::Enum(enumeration(declared, first, text)?),
            FieldType::Uint16 => Value::Unsigned(uint16(first)?),
            FieldType::Uint32 | FieldType::Uint64 => {
                Value::Unsigned(integer()?.wrapping_unsigned())
            }
            FieldType::Int16 => {
                let number = integer()?.saturating_signed();
                // There is no lower bound; the low 16 bits count.
                Value::Signed((number <= i16::MAX.into()).then_some(number)?)
            }
            FieldType::Int32 | FieldType::Int64 => Value::Signed(integer()?.saturating_signed()),
            FieldType::Double => Value::Double(parse_double(first)?),
            FieldType::Bool => Value::Bool(boolean(first)?),
            FieldType::Bytes | FieldType::Ip | FieldType::String | FieldType::MultilineString => {
                return None;
            }
        },
    })
}

fn uint16(word: &[u8]) -> Option<u64> {
    let number = CInteger::parse(word)?;
    let value = number.wrapping_unsigned();
    (value <= u16::MAX.into()).then_some(value)
}

/// `MNEMONIC`, `MNEMONIC (NUMBER)`, `<UNKNOWN> (NUMBER)` or the number alone.
fn mnemonic(form: Form, first: &[u8], text: &[u8]) -> Option<u64> {
    let named = value::number(form, first).filter(|_| !first.is_empty());
    let rest = text.get(first.len()..).unwrap_or_default().trim_ascii();
    match rest.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")")) {
        Some(inside) => {
            let number =
                decimal(inside).map(u64::from).filter(|&number| number <= u16::MAX.into())?;
            (first == UNKNOWN || named == Some(number)).then_some(number)
        }
        None if matches!(first, [b'0'..=b'9' | b'+' | b'-', ..]) => uint16(first),
        None => named,
    }
}

/// The exact name, or the number of one that has none.
fn enumeration(declared: &Field, first: &[u8], text: &[u8]) -> Option<i32> {
    let names = declared.names.as_ref()?;
    if let Some(number) = names.number(first) {
        return Some(number);
    }
    let number = text.strip_prefix(b"<UNKNOWN ENUM VAL=")?.strip_suffix(b">")?;
    Some(decimal(number)? as i32)
}

fn boolean(word: &[u8]) -> Option<bool> {
    match word {
        b"1" => Some(true),
        b"0" => Some(false),
        _ if word.eq_ignore_ascii_case(b"true") => Some(true),
        _ if word.eq_ignore_ascii_case(b"false") => Some(false),
        _ => None,
    }
}
