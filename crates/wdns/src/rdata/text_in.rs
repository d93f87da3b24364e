//! Text to record data (`wdns` §7.2).

use super::layout::{Atom, Layout, layout};
use super::strings::is_blank;
use super::{address, bitmap, strings, svcb};
use crate::mnemonic::parse_decimal;
use crate::{Class, Error, RrType, codec, name};

/// Longest character string, salt or hash in octets.
const MAX_COUNTED: usize = 255;

/// Appends the record data that text stands for, names uncompressed.
///
/// Fields are separated by blanks. Text that ends between fields is complete, text behind the
/// last field is ignored; types of class `IN` in another class have no data. Types without a known
/// structure are read in the form of RFC 3597 §5, the others are not.
///
/// # Errors
///
/// [`Error::Parse`], the errors of [`name::parse`], or [`Error::Failure`] for types that have no
/// text form (`OPT`). Nothing is appended then.
pub fn parse(text: &[u8], rrtype: RrType, class: Class, out: &mut Vec<u8>) -> Result<(), Error> {
    let start = out.len();
    let result = match layout(rrtype, class) {
        Layout::OtherClass => Ok(()),
        Layout::Generic => parse_generic(text, out),
        Layout::Atoms(atoms) => parse_atoms(text, atoms, out),
    };
    if result.is_err() {
        out.truncate(start);
    }
    result
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|&&octet| is_blank(octet)).count()..]
}

/// The word at the start of `text` and what follows it.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let ends_word = |octet: &u8| matches!(octet, b' ' | b'\t' | b'\r' | b'\n');
    text.split_at(text.iter().position(ends_word).unwrap_or(text.len()))
}

/// Reads `\# LENGTH HEX…` (RFC 3597 §5).
fn parse_generic(text: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let text = text.strip_prefix(b"\\#").ok_or(Error::Parse)?;
    let after_mark = skip_blanks(text);
    if after_mark.len() == text.len() {
        return Err(Error::Parse);
    }
    let (len, mut text) = word(after_mark);
    let len = parse_decimal(len).and_then(|len| u16::try_from(len).ok()).ok_or(Error::Parse)?;
    let start = out.len();
    loop {
        text = skip_blanks(text);
        match text.split_first_chunk::<2>() {
            Some((pair, rest)) => {
                out.push(codec::hex_pair(*pair).ok_or(Error::Parse)?);
                text = rest;
            }
            None if text.is_empty() && out.len() - start == usize::from(len) => return Ok(()),
            None => return Err(Error::Parse),
        }
    }
}

fn parse_atoms(mut text: &[u8], atoms: &[Atom], out: &mut Vec<u8>) -> Result<(), Error> {
    for &atom in atoms {
        text = skip_blanks(text);
        if text.is_empty() {
            break;
        }
        text = parse_atom(text, atom, out)?;
    }
    Ok(())
}

/// Appends the piece at the start of `text`, which does not start with a blank, and returns what
/// follows it.
fn parse_atom<'t>(text: &'t [u8], atom: Atom, out: &mut Vec<u8>) -> Result<&'t [u8], Error> {
    let (first, after) = word(text);
    match atom {
        Atom::Name => name::parse(first, out)?,
        Atom::U8 => out.push(number(first)?),
        Atom::U16 => out.extend_from_slice(&number::<u16>(first)?.to_be_bytes()),
        Atom::U32 => out.extend_from_slice(&number::<u32>(first)?.to_be_bytes()),
        Atom::Ipv4 => out.extend(crate::address::parse_ipv4(first).ok_or(Error::Parse)?),
        Atom::Ipv6 => out.extend(crate::address::parse_ipv6(first).ok_or(Error::Parse)?),
        Atom::A6 => return parse_a6(text, out),
        Atom::Eui48 => {
            address::parse_eui(text, 6, out)?;
            return Ok(&[]);
        }
        Atom::Eui64 => {
            address::parse_eui(text, 8, out)?;
            return Ok(&[]);
        }
        Atom::Text => return counted(out, |out| strings::parse(text, out)),
        Atom::Texts => {
            let mut text = text;
            while !text.is_empty() {
                text = skip_blanks(counted(out, |out| strings::parse(text, out))?);
            }
            return Ok(text);
        }
        Atom::Salt if first == b"-" => out.push(0),
        Atom::Salt => counted(out, |out| codec::hex_decode(first, out))?,
        Atom::Hash if first.len() == 1 => out.push(0),
        Atom::Hash => counted(out, |out| codec::base32hex_decode(first, out))?,
        Atom::Type => {
            let rrtype = RrType::parse(first).filter(|rrtype| rrtype.0 != 0).ok_or(Error::Parse)?;
            out.extend_from_slice(&rrtype.0.to_be_bytes());
        }
        Atom::Bitmap => {
            parse_bitmap(text, out)?;
            return Ok(&[]);
        }
        Atom::Hex => {
            codec::hex_decode(text, out)?;
            return Ok(&[]);
        }
        Atom::Base64 => {
            codec::base64_decode_lenient(text, out);
            return Ok(&[]);
        }
        Atom::Quoted => {
            // Quoted to the end, and not empty; but a quote before the end ends the value.
            let [b'"', _, .., b'"'] = text else { return Err(Error::Parse) };
            return strings::parse(text, out);
        }
        Atom::SvcParams => {
            svcb::parse(text, out)?;
            return Ok(&[]);
        }
        Atom::Options => return Err(Error::Failure),
    }
    Ok(after)
}

/// A number in decimal digits.
fn number<N: TryFrom<u32>>(text: &[u8]) -> Result<N, Error> {
    parse_decimal(text).and_then(|value| N::try_from(value).ok()).ok_or(Error::Parse)
}

/// Appends what `append` appends behind a length octet.
fn counted<T>(
    out: &mut Vec<u8>,
    append: impl FnOnce(&mut Vec<u8>) -> Result<T, Error>,
) -> Result<T, Error> {
    let len_at = out.len();
    out.push(0);
    let result = append(out)?;
    let len = out.len() - len_at - 1;
    if len > MAX_COUNTED {
        return Err(Error::Parse);
    }
    out[len_at] = len as u8;
    Ok(result)
}

/// Reads a prefix length and an address. With a prefix of all 128 bits the address may be left
/// out, with none nothing may follow it.
fn parse_a6<'t>(text: &'t [u8], out: &mut Vec<u8>) -> Result<&'t [u8], Error> {
    let (prefix, after_prefix) = word(text);
    let prefix: u8 = number(prefix)?;
    let (suffix, after) = word(skip_blanks(after_prefix));
    out.push(prefix);
    match address::parse_a6_suffix(prefix, suffix, out) {
        Ok(()) if prefix == 0 && !skip_blanks(after).is_empty() => Err(Error::Parse),
        Err(_) if prefix == 128 && !suffix.is_empty() => Ok(after_prefix),
        result => result.map(|()| after),
    }
}

fn parse_bitmap(mut text: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let mut types = Vec::new();
    while !text.is_empty() {
        let (first, after) = word(text);
        types.push(RrType::parse(first).ok_or(Error::Parse)?.0);
        text = skip_blanks(after);
    }
    bitmap::append(&mut types, out);
    Ok(())
}
