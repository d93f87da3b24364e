//! Character strings in quotes, and words (`wdns` §7.1, §7.2).

use crate::{Error, TextBuffer};

/// The text of one octet inside quotes and its length.
#[derive(Clone, Copy)]
struct Escaped {
    text: [u8; 7],
    len: u8,
}

const fn escapes(json: bool) -> [Escaped; 256] {
    let mut table = [Escaped { text: [0; 7], len: 0 }; 256];
    let mut octet = 0;
    while octet < 256 {
        let o = octet as u8;
        let (d0, d1, d2) = (b'0' + o / 100, b'0' + o / 10 % 10, b'0' + o % 10);
        let (text, len) = match (o, json) {
            (b'"' | b'\\', true) => ([b'\\', b'\\', b'\\', o, 0, 0, 0], 4),
            (b'"' | b'\\', false) => ([b'\\', o, 0, 0, 0, 0, 0], 2),
            (0x20..=0x7e, _) => ([o, 0, 0, 0, 0, 0, 0], 1),
            (_, true) => ([b'\\', b'\\', d0, d1, d2, 0, 0], 5),
            (_, false) => ([b'\\', d0, d1, d2, 0, 0, 0], 4),
        };
        table[octet] = Escaped { text, len };
        octet += 1;
    }
    table
}

static PLAIN_ESCAPES: [Escaped; 256] = escapes(false);
static JSON_ESCAPES: [Escaped; 256] = escapes(true);

/// Appends a quotation mark.
#[inline(always)]
pub(crate) fn write_quote<const JSON: bool>(out: &mut TextBuffer) {
    if JSON { out.array(b"\\\"") } else { out.byte(b'"') }
}

/// Appends a backslash.
#[inline(always)]
pub(crate) fn write_backslash<const JSON: bool>(out: &mut TextBuffer) {
    if JSON { out.array(b"\\\\") } else { out.byte(b'\\') }
}

/// Appends octets in quotes; quotes, backslashes and everything outside 0x20 to 0x7E escaped.
#[inline]
pub(crate) fn write_quoted<const JSON: bool>(out: &mut TextBuffer, octets: &[u8]) {
    write_quote::<JSON>(out);
    let plain = |octet: &u8| matches!(octet, 0x20..=0x7e) & (*octet != b'"') & (*octet != b'\\');
    // Whole runs of 16 plain octets are tested without branches and copied at once.
    let mut rest = octets;
    loop {
        let (blocks, _) = rest.as_chunks::<16>();
        let whole = blocks
            .iter()
            .take_while(|block| block.iter().fold(true, |all, octet| all & plain(octet)))
            .count();
        let (run, tail) = rest.split_at(whole * 16);
        out.bytes(run);
        let (piece, after) = tail.split_at(tail.len().min(16));
        piece.iter().for_each(|&octet| write_escaped::<JSON>(out, octet));
        if after.is_empty() {
            break;
        }
        rest = after;
    }
    write_quote::<JSON>(out);
}

/// Appends one octet as it stands inside quotes.
#[inline(always)]
pub(crate) fn write_escaped<const JSON: bool>(out: &mut TextBuffer, octet: u8) {
    let escaped = if JSON { &JSON_ESCAPES } else { &PLAIN_ESCAPES }[usize::from(octet)];
    out.fill(|window: &mut [u8; 7]| {
        *window = escaped.text;
        escaped.len
    });
}

/// Appends the octets of the string at the start of `text`, quoted or up to the next blank, and
/// returns what follows it.
///
/// Only `\"`, `\\` and `\DDD` are escapes; octets outside 0x20 to 0x7E are refused.
pub(crate) fn parse<'t>(text: &'t [u8], out: &mut Vec<u8>) -> Result<&'t [u8], Error> {
    let (quoted, mut rest) = match text {
        [b'"', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    loop {
        let Some((&octet, after)) = rest.split_first() else {
            return if quoted { Err(Error::Parse) } else { Ok(rest) };
        };
        match octet {
            b'"' if quoted => return Ok(after),
            _ if !quoted && is_blank(octet) => return Ok(rest),
            b'\\' => match after {
                [escaped @ (b'"' | b'\\'), after @ ..] => {
                    out.push(*escaped);
                    rest = after;
                }
                _ => {
                    let (value, after) = crate::name::decimal_escape(after)?;
                    out.push(value);
                    rest = after;
                }
            },
            0x20..=0x7e => {
                out.push(octet);
                rest = after;
            }
            _ => return Err(Error::Parse),
        }
    }
}

/// True for the octets that may stand between fields.
#[inline(always)]
pub(crate) fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t'..=b'\r')
}
