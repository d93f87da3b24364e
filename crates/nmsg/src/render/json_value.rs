//! One value in JSON.

use std::ops::Range;

use wdns::{Class, Message as DnsMessage, MessageScratch, Piece, Rcode, RrType, TextBuffer};

use super::plan::{Op, Raw, Step};
use crate::text::number::json_double;
use crate::text::string::json_text;
use crate::text::time::TimeWriter;
use crate::text::value::protocol_name;
use crate::types::base::encode;
use crate::view::View;

/// Memory that some forms need, kept between messages.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    dns: MessageScratch,
    text: TextBuffer,
    /// Address and number of the octets of the message at hand that were written in base64 last, and
    /// where their text is.
    encoded: Option<((usize, usize), Range<usize>)>,
}

impl Scratch {
    /// Another message follows.
    pub(super) fn forget(&mut self) {
        self.encoded = None;
    }
}

/// What the forms of some values depend on beyond the value.
pub(super) struct Context<'a, 's> {
    pub(super) view: View<'a>,
    pub(super) scratch: &'s mut Scratch,
    pub(super) time: &'s mut TimeWriter,
}

impl<'a, 's> Context<'a, 's> {
    pub(super) fn new(view: View<'a>, scratch: &'s mut Scratch, time: &'s mut TimeWriter) -> Self {
        scratch.forget();
        Self { view, scratch, time }
    }

    /// Appends octets in base64. Some types show the same octets in two fields.
    #[inline(always)]
    pub(super) fn base64(&mut self, out: &mut TextBuffer, octets: &[u8]) {
        let these = (octets.as_ptr().addr(), octets.len());
        if let Some((known, Range { start, end })) = self.scratch.encoded
            && known == these
        {
            return out.again(start, end);
        }
        let start = out.len();
        let body = self.view.body();
        let at = octets.as_ptr().addr().wrapping_sub(body.as_ptr().addr());
        match at.checked_add(octets.len()) {
            Some(end) if end <= body.len() => out.base64_within(body, at, end),
            _ => out.base64(octets),
        }
        self.scratch.encoded = Some((these, start..out.len()));
    }
}

/// True for a range that is long enough for a name and not too long.
#[inline(always)]
pub(super) fn is_name(start: usize, end: usize) -> bool {
    end > start && end - start <= wdns::name::MAX_LEN
}

/// Puts a short value, without the quotes of a form that is a string always
/// (`rendering-and-parsing` §5.1, `message-types` §2.1).
#[inline(always)]
pub(super) fn put(piece: &mut Piece<'_>, time: &mut TimeWriter, step: &Step, raw: Raw<'_>) {
    let number = raw.number();
    match step.op {
        Op::Unsigned => piece.decimal(step.unsigned(number)),
        Op::Signed => piece.decimal_signed(step.signed(number)),
        Op::Bool if number != 0 => piece.array(b"true"),
        Op::Bool => piece.array(b"false"),
        Op::Enum => match step.name(number as i32) {
            Some(name) => piece.short_literal(name),
            None => piece.decimal((number as u32).into()),
        },
        Op::Ip => match *raw.octets() {
            [a, b, c, d] => quoted(piece, |piece| piece.ipv4([a, b, c, d])),
            _ => match raw.octets().try_into() {
                Ok(address) => quoted(piece, |piece| piece.ipv6(address)),
                Err(_) => piece.array(b"null"),
            },
        },
        Op::RrType => {
            let known = RrType(number as u16).put_mnemonic(piece);
            or_number(piece, known, b"TYPE", number);
        }
        Op::Class => {
            let known = Class(number as u16).put_mnemonic(piece);
            or_number(piece, known, b"CLASS", number);
        }
        Op::ClassSie => {
            let known = Class(number as u16).put_mnemonic(piece);
            piece.start_of(b"<UNKNOWN>", if known { 0 } else { 9 });
        }
        Op::Rcode => {
            let known = Rcode(number as u16).put_mnemonic(piece);
            or_number(piece, known, b"", number);
        }
        Op::Time => time.put_seconds(piece, number as u32),
        Op::Protocol => match protocol_name(number) {
            Some((name, len)) => piece.start_of(name, len),
            None => piece.decimal(u64::from(number as u16)),
        },
        _ => {}
    }
}

/// Puts a 16-bit number behind a prefix where there is no mnemonic for it.
#[inline(always)]
fn or_number<const N: usize>(piece: &mut Piece<'_>, known: bool, prefix: &[u8; N], number: u64) {
    #[cold]
    fn write_number(out: &mut TextBuffer, number: u16) {
        out.decimal(number.into());
    }
    if !known {
        piece.array(prefix);
        piece.outside(|out| write_number(out, number as u16));
    }
}

/// Appends a value as [`put`] does.
#[inline(always)]
pub(super) fn write(
    out: &mut TextBuffer,
    context: &mut Context<'_, '_>,
    step: &Step,
    raw: Raw<'_>,
) {
    let number = raw.number();
    match step.op {
        // Their names may be long.
        Op::Enum => match step.name(number as i32) {
            Some(name) => out.literal(name),
            None => out.decimal((number as u32).into()),
        },
        Op::Double => json_double(out, f64::from_bits(number)),
        Op::Text | Op::MultilineText => json_text(out, raw.octets()),
        Op::Name => {
            let (octets, start, end) = raw.place();
            if is_name(start, end) {
                wdns::name::write_within::<true>(out, octets, start, end);
            }
        }
        Op::Rdata => match context.view.rr_kind() {
            Some((rrtype, class)) => wdns::rdata::write::<true>(out, raw.octets(), rrtype, class),
            None => wdns::rdata::write_generic::<true>(out, raw.octets()),
        },
        Op::Bytes | Op::DnsMessage | Op::NcapPayload => {
            if raw.octets().is_empty() {
                out.array(b"null");
            } else {
                out.byte(b'"');
                context.base64(out, raw.octets());
                out.byte(b'"');
            }
        }
        Op::PacketBytes => context.base64(out, raw.octets()),
        Op::HexId => hex(out, number),
        Op::DnsMessageSie => dns_text(out, context, raw.octets()),
        Op::DnsJson => match &DnsMessage::parse(raw.octets()) {
            Ok(message) => message.write_json(out, &mut context.scratch.dns),
            Err(_) => out.array(b"null"),
        },
        Op::Encoded => encode::write_json(out, context.view, raw.octets()),
        _ => out.piece(|piece| put(piece, context.time, step, raw)),
    }
}

fn dns_text(out: &mut TextBuffer, context: &mut Context<'_, '_>, octets: &[u8]) {
    let Ok(message) = &DnsMessage::parse(octets) else { return out.bytes(b"<PARSE ERROR>") };
    let text = &mut context.scratch.text;
    text.clear();
    message.write_text(text);
    out.json_escaped(text.as_bytes());
}

#[inline(always)]
fn quoted(piece: &mut Piece<'_>, put: impl FnOnce(&mut Piece<'_>)) {
    piece.array(b"\"");
    put(piece);
    piece.array(b"\"");
}

/// Appends a 32-bit number in lower-case hexadecimal without padding.
pub(super) fn hex(out: &mut TextBuffer, number: u64) {
    let start = out.len();
    out.hex_u32(number as u32);
    let text = out.tail_mut(8);
    let zeros = text.iter().take_while(|&&digit| digit == b'0').count().min(7);
    text.copy_within(zeros.., 0);
    out.truncate(start + 8 - zeros);
}
