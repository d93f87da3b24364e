//! One field's line in presentation form.

use wdns::{Class, Literal, Message as DnsMessage, Rcode, RrType, TextBuffer};

use super::json_value::hex;
use super::plan::{Op, Raw, Step};
use crate::text::number::presentation_double;
use crate::text::string::until_nul;
use crate::text::time::TimeWriter;
use crate::text::value::protocol_name;
use crate::types::base::ncap;
use crate::view::{Derived, Message, View};

/// What ends the lines of a record.
#[derive(Clone, Debug)]
pub(crate) enum Separator {
    Newline,
    Other(Literal),
}

impl Separator {
    pub(crate) fn new(text: &[u8]) -> Self {
        if text == b"\n" { Self::Newline } else { Self::Other(Literal::new(text)) }
    }

    #[inline(always)]
    pub(crate) fn write(&self, out: &mut TextBuffer) {
        match self {
            Self::Newline => out.byte(b'\n'),
            Self::Other(text) => out.literal(text),
        }
    }
}

/// What the lines of a message depend on beyond their values.
pub(super) struct Context<'l, 'a> {
    pub(super) message: &'l Message<'a>,
    pub(super) separator: &'l Separator,
}

/// A line that is made elsewhere.
#[derive(Clone, Copy)]
pub(crate) struct Line<'l, 'a> {
    context: &'l Context<'l, 'a>,
    step: &'l Step,
}

impl<'l, 'a> Line<'l, 'a> {
    /// Appends the name and what follows it.
    pub(crate) fn label(&self, out: &mut TextBuffer) {
        out.literal(&self.step.label);
    }

    /// Ends a line.
    pub(crate) fn end(&self, out: &mut TextBuffer) {
        self.context.separator.write(out);
    }

    pub(crate) fn view(&self) -> View<'a> {
        self.context.message.view()
    }

    pub(crate) fn derived(&self) -> &'l Derived<'a> {
        self.context.message.derived()
    }
}

/// Appends the line of one value; some forms have none for some values, some have several
/// (`rendering-and-parsing` §4.1, `message-types` §2.1).
#[inline(always)]
pub(super) fn write_line(
    out: &mut TextBuffer,
    context: &Context<'_, '_>,
    time: &mut TimeWriter,
    step: &Step,
    raw: Raw<'_>,
) {
    let Raw { number, octets } = raw;
    match step.op {
        Op::Name if !(1..=wdns::name::MAX_LEN).contains(&octets.len()) => return,
        Op::NcapPayload => return ncap::write_payload(out, &Line { context, step }, octets),
        _ => out.literal(&step.label),
    }
    match step.op {
        Op::Unsigned => out.decimal(step.unsigned(number)),
        Op::Signed => out.decimal_signed(step.signed(number)),
        Op::Double => presentation_double(out, f64::from_bits(number)),
        Op::Bool => out.bytes(if number != 0 { b"True" } else { b"False" }),
        Op::Enum => match step.name(number as i32) {
            Some(name) => out.literal(name),
            None => invalid(out, b"<UNKNOWN ENUM VAL=", number as u32),
        },
        Op::Text => out.bytes(until_nul(octets)),
        Op::MultilineText => {
            context.separator.write(out);
            out.bytes(until_nul(octets));
            out.byte(b'.');
        }
        Op::Ip => address(out, octets),
        Op::Name => {
            wdns::name::write::<false>(out, octets);
        }
        Op::RrType => {
            let known = RrType(number as u16).write_mnemonic(out);
            or_unknown(out, known);
            in_brackets(out, number);
        }
        Op::Class => {
            Class(number as u16).write(out);
            in_brackets(out, number);
        }
        Op::ClassSie => {
            let known = Class(number as u16).write_mnemonic(out);
            or_unknown(out, known);
            in_brackets(out, number);
        }
        Op::Rcode => {
            let known = Rcode(number as u16).write_mnemonic(out);
            or_unknown(out, known);
            in_brackets(out, number);
        }
        Op::Time => time.write_seconds(out, (number as u32).into()),
        Op::Rdata => match context.message.view().rr_kind() {
            Some((rrtype, class)) => wdns::rdata::write::<false>(out, octets, rrtype, class),
            None => wdns::rdata::write_generic::<false>(out, octets),
        },
        Op::Bytes | Op::PacketBytes | Op::Encoded | Op::DnsJson => {
            invalid(out, b"<BYTE ARRAY LEN=", octets.len() as u32)
        }
        Op::HexId => hex(out, number),
        Op::Protocol => {
            match protocol_name(number) {
                Some(name) => {
                    out.bytes(name);
                    in_brackets(out, number);
                }
                None => out.decimal(u64::from(number as u16)),
            }
            return out.byte(b'\n');
        }
        Op::DnsMessage | Op::DnsMessageSie => dns_dump(out, context.separator, octets),
        Op::NcapPayload => {}
    }
    context.separator.write(out);
}

fn dns_dump(out: &mut TextBuffer, separator: &Separator, octets: &[u8]) {
    let Ok(message) = &DnsMessage::parse(octets) else { return out.bytes(b"<PARSE ERROR>") };
    out.byte(b'[');
    out.decimal(octets.len() as u64);
    out.bytes(b" octets]");
    separator.write(out);
    message.write_text(out);
    out.array(b"---");
}

/// Appends an address, or what is wrong with it.
pub(crate) fn address(out: &mut TextBuffer, octets: &[u8]) {
    match *octets {
        [a, b, c, d] => out.ipv4([a, b, c, d]),
        _ => match octets.try_into() {
            Ok(address) => out.ipv6(address),
            Err(_) => invalid(out, b"<INVALID IP len=", octets.len() as u32),
        },
    }
}

#[inline(never)]
fn invalid(out: &mut TextBuffer, what: &[u8], number: u32) {
    out.bytes(what);
    out.decimal(number.into());
    out.byte(b'>');
}

#[inline(always)]
fn or_unknown(out: &mut TextBuffer, known: bool) {
    if !known {
        out.bytes(b"<UNKNOWN>");
    }
}

/// Appends ` (NUMBER)`; the number is one of 16 bits.
#[inline(always)]
fn in_brackets(out: &mut TextBuffer, number: u64) {
    out.array(b" (");
    out.decimal(u64::from(number as u16));
    out.byte(b')');
}
