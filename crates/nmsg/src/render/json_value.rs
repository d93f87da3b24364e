//! One field's value in JSON.

use wdns::{Class, Message as DnsMessage, MessageScratch, Rcode, RrType, TextBuffer};

use crate::schema::{Field, FieldType, Form, Plan};
use crate::text::number::json_double;
use crate::text::string::json_text;
use crate::text::time::write_seconds;
use crate::types::base::encode;
use crate::view::{Value, View};

/// Memory that some forms need, kept between messages.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    dns: MessageScratch,
    text: TextBuffer,
}

/// What the forms of some values depend on beyond the value.
pub(super) struct Context<'a, 's> {
    pub(super) view: View<'a>,
    pub(super) scratch: &'s mut Scratch,
}

impl Context<'_, '_> {
    /// Type and class of the record data of this message; both or nothing (`decisions` PO-7).
    pub(super) fn rr_kind(&self) -> Option<(RrType, Class)> {
        rr_kind(self.view)
    }
}

/// Type and class of the record data of a message; both or nothing.
#[inline]
pub(super) fn rr_kind(view: View<'_>) -> Option<(RrType, Class)> {
    let (rrtype, class) = view.schema().rr_fields()?;
    let number = |field| view.stored(field)?.unsigned();
    Some((RrType(number(rrtype)? as u16), Class(number(class)? as u16)))
}

/// Appends `,"name":VALUE`.
#[inline]
pub(super) fn write(
    out: &mut TextBuffer,
    context: &mut Context<'_, '_>,
    field: &Field,
    plan: &Plan,
    value: Value<'_>,
) {
    // The commonest values are strings without anything to decide: name and quote in one copy.
    match (field.form, value) {
        (Form::Name, Value::Octets(name)) if name.len() <= wdns::name::MAX_LEN => {
            out.literal(&plan.json_string);
            wdns::name::write::<true>(out, name);
            out.byte(b'"');
        }
        (Form::Time, Value::Unsigned(seconds)) => {
            out.literal(&plan.json_string);
            write_seconds(out, seconds as i64);
            out.byte(b'"');
        }
        (Form::RrType, Value::Unsigned(number)) => {
            out.literal(&plan.json_string);
            RrType(number as u16).write(out);
            out.byte(b'"');
        }
        _ => {
            out.literal(&plan.json);
            write_element(out, context, field, value);
        }
    }
}

/// Appends the value alone.
pub(super) fn write_element(
    out: &mut TextBuffer,
    context: &mut Context<'_, '_>,
    field: &Field,
    value: Value<'_>,
) {
    match (field.form, value) {
        (Form::Plain | Form::DnsMessage | Form::NcapPayload, value) => plain(out, field, value),
        (Form::Rdata, Value::Octets(rdata)) => quoted(out, |out| {
            let kind = context.rr_kind();
            match kind {
                Some((rrtype, class)) => wdns::rdata::write::<true>(out, rdata, rrtype, class),
                None => wdns::rdata::write_generic::<true>(out, rdata),
            }
        }),
        (Form::Name, Value::Octets(name)) => quoted(out, |out| {
            if name.len() <= wdns::name::MAX_LEN {
                wdns::name::write::<true>(out, name);
            }
        }),
        (Form::DnsMessageSie, Value::Octets(message)) => {
            quoted(out, |out| match DnsMessage::parse(message) {
                Ok(message) => {
                    let text = &mut context.scratch.text;
                    text.clear();
                    message.write_text(text);
                    out.json_escaped(text.as_bytes());
                }
                Err(_) => out.bytes(b"<PARSE ERROR>"),
            })
        }
        (Form::DnsJson, Value::Octets(message)) => match DnsMessage::parse(message) {
            Ok(message) => message.write_json(out, &mut context.scratch.dns),
            Err(_) => out.array(b"null"),
        },
        (Form::Encoded, Value::Octets(payload)) => encode::write_json(out, context.view, payload),
        (form, Value::Unsigned(number)) => number_form(out, field, form, number),
        (_, value) => plain(out, field, value),
    }
}

/// Appends a number in one of the forms that give it a name.
fn number_form(out: &mut TextBuffer, field: &Field, form: Form, number: u64) {
    if form == Form::Named {
        let names = field.names.as_ref();
        return match names.and_then(|names| names.name(number as i32)) {
            Some(name) => quoted(out, |out| out.bytes(name)),
            None => out.decimal(number),
        };
    }
    quoted(out, |out| match form {
        Form::RrType => RrType(number as u16).write(out),
        Form::Class => Class(number as u16).write(out),
        Form::ClassSie => match Class(number as u16).mnemonic() {
            Some(name) => out.bytes(name.as_bytes()),
            None => out.bytes(b"<UNKNOWN>"),
        },
        Form::Rcode => Rcode(number as u16).write(out),
        Form::Protocol => match protocol_name(number) {
            Some(name) => out.bytes(name),
            None => out.decimal(number),
        },
        Form::Time => write_seconds(out, number as i64),
        Form::HexId => hex(out, number),
        _ => out.decimal(number),
    });
}

#[inline(always)]
fn quoted(out: &mut TextBuffer, write: impl FnOnce(&mut TextBuffer)) {
    out.byte(b'"');
    write(out);
    out.byte(b'"');
}

/// Appends a value in the plain form of its type (`rendering-and-parsing` §5.1).
fn plain(out: &mut TextBuffer, field: &Field, value: Value<'_>) {
    match value {
        Value::Unsigned(number) => out.decimal(number),
        Value::Signed(number) => out.decimal_signed(number),
        Value::Double(number) => json_double(out, number),
        Value::Bool(true) => out.array(b"true"),
        Value::Bool(false) => out.array(b"false"),
        Value::Enum(number) => match field.names.as_ref().and_then(|names| names.name(number)) {
            Some(name) => quoted(out, |out| out.bytes(name)),
            None => out.decimal((number as u32).into()),
        },
        Value::Octets(octets) => match field.field_type {
            FieldType::String | FieldType::MultilineString => {
                quoted(out, |out| json_text(out, octets));
            }
            FieldType::Ip => match *octets {
                [a, b, c, d] => quoted(out, |out| out.ipv4([a, b, c, d])),
                _ => match octets.try_into() {
                    Ok(address) => quoted(out, |out| out.ipv6(address)),
                    Err(_) => out.array(b"null"),
                },
            },
            _ if octets.is_empty() => out.array(b"null"),
            _ => quoted(out, |out| out.base64(octets)),
        },
    }
}

/// The name of an IP protocol number, where it has one here (`message-types` §2.1).
pub(super) fn protocol_name(number: u64) -> Option<&'static [u8]> {
    match number {
        1 => Some(b"ICMP"),
        6 => Some(b"TCP"),
        17 => Some(b"UDP"),
        _ => None,
    }
}

/// Appends a number in lower-case hexadecimal without padding.
pub(super) fn hex(out: &mut TextBuffer, number: u64) {
    let digits = (16 - (number | 1).leading_zeros() / 4) as usize;
    let mut text = TextBuffer::with_capacity(16);
    text.hex_lower(&number.to_be_bytes());
    out.bytes(&text.as_bytes()[16 - digits..]);
}
