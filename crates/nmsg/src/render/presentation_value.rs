//! One field's line in presentation form.

use wdns::{Class, Literal, Message as DnsMessage, Rcode, RrType, TextBuffer};

use super::json_value::{hex, protocol_name, rr_kind};
use crate::schema::{Field, FieldType, Form, Plan};
use crate::text::number::presentation_double;
use crate::text::string::until_nul;
use crate::text::time::write_seconds;
use crate::types::base::ncap;
use crate::view::{Derived, Message, Value, View};

/// What ends the lines of a record.
#[derive(Clone, Debug)]
pub(crate) struct Separator(Literal);

impl Separator {
    pub(crate) fn new(text: &[u8]) -> Self {
        Self(Literal::new(text))
    }

    #[inline(always)]
    pub(crate) fn write(&self, out: &mut TextBuffer) {
        out.literal(&self.0);
    }
}

/// What the line of a field is made from.
#[derive(Clone, Copy)]
pub(crate) struct Line<'l, 'a> {
    pub(super) field: &'l Field,
    pub(super) plan: &'l Plan,
    pub(super) message: &'l Message<'a>,
    pub(super) separator: &'l Separator,
}

impl<'l, 'a> Line<'l, 'a> {
    /// Appends the name and what follows it.
    pub(crate) fn label(&self, out: &mut TextBuffer) {
        out.literal(&self.plan.presentation);
    }

    /// Ends a line.
    pub(crate) fn end(&self, out: &mut TextBuffer) {
        self.separator.write(out);
    }

    pub(crate) fn view(&self) -> View<'a> {
        self.message.view()
    }

    pub(crate) fn derived(&self) -> &'l Derived<'a> {
        self.message.derived()
    }

    /// Appends the line of one value; some forms have none for some values, some have several.
    #[inline]
    pub(super) fn write(&self, out: &mut TextBuffer, value: Value<'_>) {
        match (self.field.form, value) {
            (Form::Name, Value::Octets(name)) => {
                if !(1..=wdns::name::MAX_LEN).contains(&name.len()) {
                    return;
                }
                out.literal(&self.plan.presentation);
                wdns::name::write::<false>(out, name);
            }
            (Form::Protocol, Value::Unsigned(number)) => {
                out.literal(&self.plan.presentation);
                match protocol_name(number) {
                    Some(name) => with_number(out, name, number),
                    None => out.decimal(number),
                }
                return out.byte(b'\n');
            }
            (Form::NcapPayload, Value::Octets(payload)) => {
                return ncap::write_payload(out, self, payload);
            }
            _ => {
                out.literal(&self.plan.presentation);
                self.value(out, value);
            }
        }
        self.separator.write(out);
    }

    fn value(&self, out: &mut TextBuffer, value: Value<'_>) {
        match (self.field.form, value) {
            (Form::RrType, Value::Unsigned(number)) => {
                let name = RrType(number as u16).mnemonic();
                with_number(out, name.unwrap_or("<UNKNOWN>").as_bytes(), number);
            }
            (Form::Class, Value::Unsigned(number)) => {
                Class(number as u16).write(out);
                with_number(out, b"", number);
            }
            (Form::ClassSie, Value::Unsigned(number)) => {
                let name = Class(number as u16).mnemonic();
                with_number(out, name.unwrap_or("<UNKNOWN>").as_bytes(), number);
            }
            (Form::Rcode, Value::Unsigned(number)) => {
                let name = Rcode(number as u16).mnemonic();
                with_number(out, name.unwrap_or("<UNKNOWN>").as_bytes(), number);
            }
            (Form::Time, Value::Unsigned(number)) => write_seconds(out, number as i64),
            (Form::HexId, Value::Unsigned(number)) => hex(out, number),
            (Form::Named, Value::Unsigned(number)) => self.enumerated(out, number as i32),
            (Form::Rdata, Value::Octets(rdata)) => match rr_kind(self.message.view()) {
                Some((rrtype, class)) => wdns::rdata::write::<false>(out, rdata, rrtype, class),
                None => wdns::rdata::write_generic::<false>(out, rdata),
            },
            (Form::DnsMessage | Form::DnsMessageSie, Value::Octets(message)) => {
                self.dns_dump(out, message);
            }
            (_, value) => self.plain(out, value),
        }
    }

    fn dns_dump(&self, out: &mut TextBuffer, message: &[u8]) {
        match DnsMessage::parse(message) {
            Ok(parsed) => {
                out.byte(b'[');
                out.decimal(message.len() as u64);
                out.bytes(b" octets]");
                self.separator.write(out);
                parsed.write_text(out);
                out.array(b"---");
            }
            Err(_) => out.bytes(b"<PARSE ERROR>"),
        }
    }

    fn enumerated(&self, out: &mut TextBuffer, number: i32) {
        match self.field.names.as_ref().and_then(|names| names.name(number)) {
            Some(name) => out.bytes(name),
            None => {
                out.bytes(b"<UNKNOWN ENUM VAL=");
                out.decimal((number as u32).into());
                out.byte(b'>');
            }
        }
    }

    /// Appends a value in the plain form of its type (`rendering-and-parsing` §4.1).
    fn plain(&self, out: &mut TextBuffer, value: Value<'_>) {
        match value {
            Value::Unsigned(number) => out.decimal(number),
            Value::Signed(number) => out.decimal_signed(number),
            Value::Double(number) => presentation_double(out, number),
            Value::Bool(true) => out.array(b"True"),
            Value::Bool(false) => out.array(b"False"),
            Value::Enum(number) => self.enumerated(out, number),
            Value::Octets(octets) => match self.field.field_type {
                FieldType::String => out.bytes(until_nul(octets)),
                FieldType::MultilineString => {
                    self.separator.write(out);
                    out.bytes(until_nul(octets));
                    out.byte(b'.');
                }
                FieldType::Ip => address(out, octets),
                _ => invalid(out, b"<BYTE ARRAY LEN=", octets.len()),
            },
        }
    }
}

/// Appends an address, or what is wrong with it.
pub(crate) fn address(out: &mut TextBuffer, octets: &[u8]) {
    match *octets {
        [a, b, c, d] => out.ipv4([a, b, c, d]),
        _ => match octets.try_into() {
            Ok(address) => out.ipv6(address),
            Err(_) => invalid(out, b"<INVALID IP len=", octets.len()),
        },
    }
}

fn invalid(out: &mut TextBuffer, what: &[u8], len: usize) {
    out.bytes(what);
    out.decimal(len as u64);
    out.byte(b'>');
}

/// Appends `NAME (NUMBER)`.
fn with_number(out: &mut TextBuffer, name: &[u8], number: u64) {
    out.bytes(name);
    out.array(b" (");
    out.decimal(number);
    out.byte(b')');
}
