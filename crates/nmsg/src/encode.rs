//! Fields in their encoded form, as all writers of message bodies need them.

use crate::schema::{Field, FieldType, Form, Storage};
use crate::view::Value;
use crate::wire;

/// Appends a number in the given storage; `bits` is what [`number_bits`] gives.
#[inline(always)]
pub(crate) fn put_number(out: &mut Vec<u8>, tag: u32, storage: Storage, bits: u64) {
    match storage {
        Storage::Fixed32 | Storage::Sfixed32 => wire::put_fixed32_field(out, tag, bits as u32),
        Storage::Fixed64 | Storage::Double => wire::put_fixed64_field(out, tag, bits),
        _ => wire::put_varint_field(out, tag, bits),
    }
}

/// Appends what a required field holds that was never set.
pub(crate) fn put_default(out: &mut Vec<u8>, tag: u32, field: &Field) {
    if field.storage == Storage::Bytes {
        wire::put_len_field(out, tag, &[]);
    } else {
        put_number(out, tag, field.storage, field.required_default);
    }
}

/// Appends a length-delimited field; `write` appends its content. Nothing stays when that fails.
#[inline]
pub(crate) fn put_len_with<E>(
    out: &mut Vec<u8>,
    tag: u32,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let start = out.len();
    wire::put_tag(out, tag, wire::WireType::Len);
    // One octet suffices nearly always; otherwise the content moves up.
    out.push(0);
    let content = out.len();
    if let Err(error) = write(out) {
        out.truncate(start);
        return Err(error);
    }
    let len = out.len() - content;
    if len < 0x80 {
        out[content - 1] = len as u8;
    } else {
        move_up(out, content, len);
    }
    Ok(())
}

#[cold]
fn move_up(out: &mut Vec<u8>, content: usize, len: usize) {
    let more = wire::varint_len(len as u64) - 1;
    out.resize(out.len() + more, 0);
    out.copy_within(content..content + len, content + more);
    let mut rest = len;
    for octet in &mut out[content - 1..content + more] {
        *octet = rest as u8 | 0x80;
        rest >>= 7;
    }
    out[content + more - 1] &= 0x7f;
}

/// The number as it is stored: cut to the width of the field's type, negative ones extended to 64
/// bits. `None` when the value is not of the field's kind.
#[inline]
pub(crate) fn number_bits(field: &Field, value: Value<'_>) -> Option<u64> {
    Some(match (field.field_type, value) {
        (FieldType::Enum, Value::Enum(number)) => i64::from(number) as u64,
        (FieldType::Uint16, Value::Unsigned(number)) => (number as u16).into(),
        // An enumeration of an embedded message is stored as one.
        (FieldType::Uint32, Value::Unsigned(number)) if field.form == Form::Named => {
            i64::from(number as i32) as u64
        }
        (FieldType::Uint32, Value::Unsigned(number)) => (number as u32).into(),
        (FieldType::Uint64, Value::Unsigned(number)) => number,
        (FieldType::Int16, Value::Signed(number)) => i64::from(number as i16) as u64,
        (FieldType::Int32, Value::Signed(number)) => i64::from(number as i32) as u64,
        (FieldType::Int64, Value::Signed(number)) => number as u64,
        (FieldType::Double, Value::Double(number)) => number.to_bits(),
        (FieldType::Bool, Value::Bool(truth)) => truth.into(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{RawValue, Reader};

    #[test]
    fn content_of_every_length_gets_its_length() {
        for len in [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152] {
            let content: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let mut out = b"before".to_vec();
            let write = |out: &mut Vec<u8>| {
                out.extend_from_slice(&content);
                Ok::<(), ()>(())
            };
            put_len_with(&mut out, 300, write).unwrap();
            let mut want = b"before".to_vec();
            wire::put_len_field(&mut want, 300, &content);
            assert_eq!(out, want, "{len}");
            let field = Reader::new(&out[6..]).field().unwrap().unwrap();
            assert_eq!((field.number, field.value), (300, RawValue::Len(&content)));
        }
    }

    #[test]
    fn nothing_stays_of_content_that_fails() {
        let mut out = vec![7];
        let write = |out: &mut Vec<u8>| {
            out.push(1);
            Err(5)
        };
        assert_eq!(put_len_with(&mut out, 3, write), Err(5));
        assert_eq!(out, [7]);
    }
}
