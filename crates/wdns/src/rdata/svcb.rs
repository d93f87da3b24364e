//! Service parameters of SVCB and HTTPS records (RFC 9460 §2, `wdns` §7.3).

use super::text_out::Damage;
use super::{Fields, strings};
use crate::mnemonic::parse_loose_u16;
use crate::{Error, TextBuffer, address, codec};

const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;
const PORT: u16 = 3;
const IPV4HINT: u16 = 4;
const ECH: u16 = 5;
const IPV6HINT: u16 = 6;

/// Reserved, never valid.
const INVALID_KEY: u16 = 65535;

/// Longest base64 text of an `ech` value that is read, in characters.
const MAX_ECH_TEXT: usize = 255;

/// Names of the first keys, by number.
const KEY_NAMES: [&str; 7] =
    ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint"];

fn write_key(out: &mut TextBuffer, key: u16) {
    match KEY_NAMES.get(usize::from(key)) {
        Some(name) => out.bytes(name.as_bytes()),
        None if key == INVALID_KEY => out.bytes(b"invalid key"),
        None => {
            out.array(b"key");
            out.decimal(key.into());
        }
    }
}

/// Appends the parameters, separated by blanks.
pub(crate) fn write<const JSON: bool>(
    out: &mut TextBuffer,
    fields: &mut Fields,
) -> Result<(), Damage> {
    loop {
        let key = fields.u16().filter(|&key| key != INVALID_KEY).ok_or(Damage::Cut)?;
        write_key(out, key);
        if key != NO_DEFAULT_ALPN {
            out.byte(b'=');
        }
        let len = fields.u16().ok_or(Damage::Cut)?;
        let value = fields.take(len.into()).ok_or(Damage::Cut)?;
        write_value::<JSON>(out, key, value)?;
        if fields.is_empty() {
            return Ok(());
        }
        out.byte(b' ');
    }
}

fn write_value<const JSON: bool>(
    out: &mut TextBuffer,
    key: u16,
    value: &[u8],
) -> Result<(), Error> {
    match key {
        MANDATORY => {
            return write_list::<2>(out, value, |out, octets| {
                write_key(out, u16::from_be_bytes(octets));
            });
        }
        ALPN => return write_alpn::<JSON>(out, value),
        NO_DEFAULT_ALPN if !value.is_empty() => return Err(Error::Parse),
        NO_DEFAULT_ALPN => {}
        PORT => {
            let port = value.try_into().map_err(|_| Error::Parse)?;
            out.decimal(u16::from_be_bytes(port).into());
        }
        IPV4HINT => return write_list::<4>(out, value, TextBuffer::ipv4),
        ECH => out.base64(value),
        IPV6HINT => return write_list::<16>(out, value, TextBuffer::ipv6),
        _ => strings::write_quoted::<JSON>(out, value),
    }
    Ok(())
}

/// Appends items of `N` octets, joined by commas.
fn write_list<const N: usize>(
    out: &mut TextBuffer,
    value: &[u8],
    write_item: impl Fn(&mut TextBuffer, [u8; N]),
) -> Result<(), Error> {
    let (items, rest) = value.as_chunks::<N>();
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.byte(b',');
        }
        write_item(out, *item);
    }
    if rest.is_empty() {
        return Ok(());
    }
    if !items.is_empty() {
        out.byte(b',');
    }
    Err(Error::Parse)
}

fn write_alpn<const JSON: bool>(out: &mut TextBuffer, mut value: &[u8]) -> Result<(), Error> {
    strings::write_quote::<JSON>(out);
    while let Some((&len, rest)) = value.split_first() {
        let (id, rest) = rest.split_at_checked(len.into()).ok_or(Error::Parse)?;
        for &octet in id {
            // Escaped once as a part of the list, and once as a character string.
            match octet {
                b'\\' => {
                    strings::write_escaped::<JSON>(out, b'\\');
                    strings::write_escaped::<JSON>(out, b'\\');
                }
                b',' => {
                    strings::write_escaped::<JSON>(out, b'\\');
                    out.byte(b',');
                }
                _ => strings::write_escaped::<JSON>(out, octet),
            }
        }
        if !rest.is_empty() {
            out.byte(b',');
        }
        value = rest;
    }
    strings::write_quote::<JSON>(out);
    Ok(())
}

/// Checks the parameters of a record in a message.
pub(crate) fn check(fields: &mut Fields) -> Result<(), Error> {
    while !fields.is_empty() {
        let (Some(key), Some(len)) = (fields.u16(), fields.u16()) else {
            return Err(Error::Parse);
        };
        let value = fields.take(len.into()).ok_or(Error::OutOfBounds)?;
        let well_formed = match key {
            MANDATORY => value.len().is_multiple_of(2),
            ALPN => is_tiled(value),
            NO_DEFAULT_ALPN => value.is_empty(),
            PORT => value.len() == 2,
            IPV4HINT => value.len().is_multiple_of(4),
            IPV6HINT => value.len().is_multiple_of(16),
            INVALID_KEY => false,
            _ => true,
        };
        if !well_formed {
            return Err(Error::Parse);
        }
    }
    Ok(())
}

/// True when a value is one or more strings behind their length octets.
fn is_tiled(mut value: &[u8]) -> bool {
    if value.is_empty() {
        return false;
    }
    while let Some((&len, rest)) = value.split_first() {
        let Some(after) = rest.get(usize::from(len)..) else { return false };
        value = after;
    }
    true
}

/// Appends the parameters that text stands for, in its order.
pub(crate) fn parse(mut text: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    loop {
        while let [b' ', rest @ ..] = text {
            text = rest;
        }
        if text.is_empty() {
            return Ok(());
        }
        text = parse_parameter(text, out)?;
    }
}

fn parse_key(name: &[u8]) -> Option<u16> {
    if let Some(key) = KEY_NAMES.iter().position(|known| known.as_bytes() == name) {
        return Some(key as u16);
    }
    parse_loose_u16(name.strip_prefix(b"key")?).filter(|&key| key != INVALID_KEY)
}

/// Appends the parameter at the start of `text` and returns what follows it.
fn parse_parameter<'t>(text: &'t [u8], out: &mut Vec<u8>) -> Result<&'t [u8], Error> {
    let end = text.iter().position(|&octet| matches!(octet, b' ' | b'='));
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let key = parse_key(name).ok_or(Error::Parse)?;
    out.extend_from_slice(&key.to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    let value_at = out.len();
    let rest = match (key, rest.strip_prefix(b"=")) {
        (NO_DEFAULT_ALPN, None) => rest,
        (NO_DEFAULT_ALPN, Some(_)) | (_, None | Some([] | [b' ', ..])) => {
            return Err(Error::Parse);
        }
        (MANDATORY | ALPN | PORT | IPV4HINT | ECH | IPV6HINT, Some(value)) => {
            let mut string = Vec::new();
            let rest = strings::parse(value, &mut string)?;
            parse_value(key, &string, out)?;
            rest
        }
        (_, Some(value)) => strings::parse(value, out)?,
    };
    let len = u16::try_from(out.len() - value_at).map_err(|_| Error::Parse)?;
    out[value_at - 2..value_at].copy_from_slice(&len.to_be_bytes());
    Ok(rest)
}

/// Appends the value of a key with a form of its own from its character string.
fn parse_value(key: u16, string: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    if key == ALPN {
        return parse_alpn(string, out);
    }
    // A zero octet ends the other forms.
    let text = string.split(|&octet| octet == 0).next().unwrap_or_default();
    let word = || text.split(|&octet| octet == b' ').find(|word| !word.is_empty());
    match key {
        MANDATORY => parse_list(text, out, |item, out| {
            out.extend(parse_key(item)?.to_be_bytes());
            Some(())
        }),
        IPV4HINT => parse_list(text, out, |item, out| {
            out.extend(address::parse_ipv4(item)?);
            Some(())
        }),
        IPV6HINT => parse_list(text, out, |item, out| {
            out.extend(address::parse_ipv6(item)?);
            Some(())
        }),
        PORT => {
            let port = word().and_then(parse_loose_u16).ok_or(Error::Parse)?;
            out.extend(port.to_be_bytes());
            Ok(())
        }
        _ if string.len() > MAX_ECH_TEXT => Err(Error::Parse),
        _ => {
            codec::base64_decode_lenient(word().ok_or(Error::Parse)?, out);
            Ok(())
        }
    }
}

/// Appends the items of a list that commas separate: at least one; empty ones are passed over.
fn parse_list(
    text: &[u8],
    out: &mut Vec<u8>,
    append: impl Fn(&[u8], &mut Vec<u8>) -> Option<()>,
) -> Result<(), Error> {
    let start = out.len();
    for item in text.split(|&octet| octet == b',').filter(|item| !item.is_empty()) {
        append(item, out).ok_or(Error::Parse)?;
    }
    if out.len() > start { Ok(()) } else { Err(Error::Parse) }
}

/// Appends the protocol ids of a list in which commas separate them unless escaped. The last one
/// must not be empty.
fn parse_alpn(list: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let mut octets = list.iter().copied();
    let mut len_at = out.len();
    out.push(0);
    let end_id = |out: &mut [u8], len_at: usize| {
        let len = u8::try_from(out.len() - len_at - 1).map_err(|_| Error::Parse)?;
        out[len_at] = len;
        Ok(len)
    };
    while let Some(octet) = octets.next() {
        match octet {
            b',' => {
                end_id(out, len_at)?;
                len_at = out.len();
                out.push(0);
            }
            b'\\' => match octets.next() {
                Some(escaped @ (b'\\' | b',')) => out.push(escaped),
                _ => return Err(Error::Parse),
            },
            _ => out.push(octet),
        }
    }
    if end_id(out, len_at)? == 0 { Err(Error::Parse) } else { Ok(()) }
}
