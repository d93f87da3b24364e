//! One field's line in presentation form.

use wdns::{Class, Literal, Message as DnsMessage, Piece, Rcode, RrType, TextBuffer};

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
    pub(crate) fn is_newline(&self) -> bool {
        matches!(self, Self::Newline)
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
    let number = raw.number();
    if step.is_short {
        // Protocols do not care for the separator.
        let newline = context.separator.is_newline() || step.op == Op::Protocol;
        out.piece(|piece| {
            piece.literal(&step.label);
            put(piece, time, step, raw);
            piece.start_of(b"\n", u8::from(newline));
        });
        if !newline {
            context.separator.write(out);
        }
        return;
    }
    match step.op {
        Op::Name if !(1..=wdns::name::MAX_LEN).contains(&raw.octets().len()) => return,
        Op::NcapPayload => {
            return ncap::write_payload(out, &Line { context, step }, raw.octets());
        }
        _ => out.literal(&step.label),
    }
    match step.op {
        Op::Double => presentation_double(out, f64::from_bits(number)),
        Op::Enum => match step.name(number as i32) {
            Some(name) => out.literal(name),
            None => out.piece(|piece| put(piece, time, step, raw)),
        },
        Op::Text => out.bytes(until_nul(raw.octets())),
        Op::MultilineText => {
            context.separator.write(out);
            out.bytes(until_nul(raw.octets()));
            out.byte(b'.');
        }
        Op::Name => {
            let (octets, start, end) = raw.place();
            wdns::name::write_within::<false>(out, octets, start, end);
        }
        Op::Rdata => match context.message.view().rr_kind() {
            Some((rrtype, class)) => wdns::rdata::write::<false>(out, raw.octets(), rrtype, class),
            None => wdns::rdata::write_generic::<false>(out, raw.octets()),
        },
        Op::Bytes | Op::PacketBytes | Op::Encoded | Op::DnsJson => {
            out.bytes(b"<BYTE ARRAY LEN=");
            out.decimal(u64::from(raw.octets().len() as u32));
            out.byte(b'>');
        }
        Op::HexId => hex(out, number),
        Op::DnsMessage | Op::DnsMessageSie => dns_dump(out, context.separator, raw.octets()),
        Op::NcapPayload => {}
        Op::Protocol => {
            out.piece(|piece| put(piece, time, step, raw));
            return out.byte(b'\n');
        }
        _ => out.piece(|piece| put(piece, time, step, raw)),
    }
    context.separator.write(out);
}

/// Puts a short value.
#[inline(always)]
pub(super) fn put(piece: &mut Piece<'_>, time: &mut TimeWriter, step: &Step, raw: Raw<'_>) {
    let number = raw.number();
    match step.op {
        Op::Unsigned => piece.decimal(step.unsigned(number)),
        Op::Signed => piece.decimal_signed(step.signed(number)),
        Op::Bool if number != 0 => piece.array(b"True"),
        Op::Bool => piece.array(b"False"),
        Op::Enum => match step.name(number as i32) {
            Some(name) => piece.short_literal(name),
            None => invalid(piece, b"<UNKNOWN ENUM VAL=", number as u32),
        },
        Op::Ip => put_address(piece, raw.octets()),
        Op::RrType => {
            let known = RrType(number as u16).put_mnemonic(piece);
            or_unknown(piece, known);
            in_brackets(piece, number);
        }
        Op::Class => {
            if !Class(number as u16).put_mnemonic(piece) {
                piece.array(b"CLASS");
                piece.decimal(u64::from(number as u16));
            }
            in_brackets(piece, number);
        }
        Op::ClassSie => {
            let known = Class(number as u16).put_mnemonic(piece);
            or_unknown(piece, known);
            in_brackets(piece, number);
        }
        Op::Rcode => {
            let known = Rcode(number as u16).put_mnemonic(piece);
            or_unknown(piece, known);
            in_brackets(piece, number);
        }
        Op::Time => time.put_seconds(piece, number as u32),
        Op::Protocol => match protocol_name(number) {
            Some((name, len)) => {
                piece.start_of(name, len);
                in_brackets(piece, number);
            }
            None => piece.decimal(u64::from(number as u16)),
        },
        _ => {}
    }
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
    out.piece(|piece| put_address(piece, octets));
}

#[inline(always)]
fn put_address(piece: &mut Piece<'_>, octets: &[u8]) {
    match *octets {
        [a, b, c, d] => piece.ipv4([a, b, c, d]),
        _ => match octets.try_into() {
            Ok(address) => piece.ipv6(address),
            Err(_) => invalid(piece, b"<INVALID IP len=", octets.len() as u32),
        },
    }
}

#[inline(always)]
fn invalid<const N: usize>(piece: &mut Piece<'_>, what: &[u8; N], number: u32) {
    #[cold]
    fn write_number(out: &mut TextBuffer, number: u32) {
        out.decimal(number.into());
        out.byte(b'>');
    }
    piece.array(what);
    piece.outside(|out| write_number(out, number));
}

#[inline(always)]
fn or_unknown(piece: &mut Piece<'_>, known: bool) {
    if !known {
        piece.array(b"<UNKNOWN>");
    }
}

/// Puts ` (NUMBER)`; the number is one of 16 bits.
#[inline(always)]
fn in_brackets(piece: &mut Piece<'_>, number: u64) {
    piece.array(b" (");
    piece.decimal(u64::from(number as u16));
    piece.array(b")");
}
