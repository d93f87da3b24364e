//! One value in JSON.

use wdns::{Class, Message as DnsMessage, MessageScratch, Rcode, RrType, TextBuffer};

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
}

/// What the forms of some values depend on beyond the value.
pub(super) struct Context<'a, 's> {
    pub(super) view: View<'a>,
    pub(super) scratch: &'s mut Scratch,
    pub(super) time: &'s mut TimeWriter,
    /// The octets of this message that were written in base64 last, and where their text is.
    encoded: (*const [u8], usize, usize),
}

impl<'a, 's> Context<'a, 's> {
    pub(super) fn new(view: View<'a>, scratch: &'s mut Scratch, time: &'s mut TimeWriter) -> Self {
        Self { view, scratch, time, encoded: (&[], 0, 0) }
    }

    /// Appends octets in base64. Some types show the same octets in two fields.
    #[inline(always)]
    fn base64(&mut self, out: &mut TextBuffer, octets: &[u8]) {
        let (known, start, end) = self.encoded;
        if std::ptr::eq(known, octets) {
            return out.again(start, end);
        }
        let start = out.len();
        out.base64(octets);
        self.encoded = (octets, start, out.len());
    }
}

/// Appends a value, without the quotes of a form that is a string always
/// (`rendering-and-parsing` §5.1, `message-types` §2.1).
#[inline(always)]
pub(super) fn write(
    out: &mut TextBuffer,
    context: &mut Context<'_, '_>,
    step: &Step,
    raw: Raw<'_>,
) {
    let Raw { number, octets } = raw;
    match step.op {
        Op::Unsigned => out.decimal(step.unsigned(number)),
        Op::Signed => out.decimal_signed(step.signed(number)),
        Op::Double => json_double(out, f64::from_bits(number)),
        Op::Bool => out.bytes(if number != 0 { b"true" } else { b"false" }),
        Op::Enum => match step.name(number as i32) {
            Some(name) => out.literal(name),
            None => out.decimal((number as u32).into()),
        },
        Op::Text | Op::MultilineText => json_text(out, octets),
        Op::Ip => match *octets {
            [a, b, c, d] => quoted(out, |out| out.ipv4([a, b, c, d])),
            _ => match octets.try_into() {
                Ok(address) => quoted(out, |out| out.ipv6(address)),
                Err(_) => out.array(b"null"),
            },
        },
        Op::Name => {
            if (1..=wdns::name::MAX_LEN).contains(&octets.len()) {
                wdns::name::write::<true>(out, octets);
            }
        }
        Op::RrType => RrType(number as u16).write(out),
        Op::Class => Class(number as u16).write(out),
        Op::ClassSie => {
            let name = Class(number as u16).mnemonic();
            out.bytes(name.unwrap_or("<UNKNOWN>").as_bytes());
        }
        Op::Rcode => Rcode(number as u16).write(out),
        Op::Time => context.time.write_seconds(out, (number as u32).into()),
        Op::Rdata => match context.view.rr_kind() {
            Some((rrtype, class)) => wdns::rdata::write::<true>(out, octets, rrtype, class),
            None => wdns::rdata::write_generic::<true>(out, octets),
        },
        Op::Bytes | Op::DnsMessage | Op::NcapPayload => {
            if octets.is_empty() {
                out.array(b"null");
            } else {
                quoted(out, |out| context.base64(out, octets));
            }
        }
        Op::PacketBytes => context.base64(out, octets),
        Op::Protocol => match protocol_name(number) {
            Some(name) => out.bytes(name),
            None => out.decimal(u64::from(number as u16)),
        },
        Op::HexId => hex(out, number),
        Op::DnsMessageSie => dns_text(out, context, octets),
        Op::DnsJson => match &DnsMessage::parse(octets) {
            Ok(message) => message.write_json(out, &mut context.scratch.dns),
            Err(_) => out.array(b"null"),
        },
        Op::Encoded => encode::write_json(out, context.view, octets),
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
fn quoted(out: &mut TextBuffer, write: impl FnOnce(&mut TextBuffer)) {
    out.byte(b'"');
    write(out);
    out.byte(b'"');
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
