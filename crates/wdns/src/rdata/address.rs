//! Addresses inside record data: A6 suffixes and hardware addresses.

use super::Fields;
use super::text_out::Damage;
use crate::{Error, TextBuffer, address, codec};

/// Bits of an IPv6 address.
const IPV6_BITS: usize = 128;

/// Octets of the suffix that follows an A6 prefix length; `None` for a length over 128.
pub(crate) fn a6_suffix_len(prefix: u8) -> Option<usize> {
    Some(IPV6_BITS.checked_sub(prefix.into())?.div_ceil(8))
}

/// Appends an A6 prefix length and, unless it is 128, the suffix as an address.
pub(crate) fn write_a6(out: &mut TextBuffer, fields: &mut Fields) -> Result<(), Damage> {
    let mut ahead = *fields;
    let prefix = ahead.u8().ok_or(Damage::Cut)?;
    let suffix = a6_suffix_len(prefix).and_then(|len| ahead.take(len)).ok_or(Damage::Cut)?;
    *fields = ahead;
    out.decimal(prefix.into());
    if !suffix.is_empty() {
        out.byte(b' ');
        let mut address = [0; 16];
        address[16 - suffix.len()..].copy_from_slice(suffix);
        out.ipv6(address);
    }
    Ok(())
}

/// Appends the low octets of an IPv6 address that follow a prefix of some length.
pub(crate) fn parse_a6_suffix(prefix: u8, text: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let address = address::parse_ipv6(text).ok_or(Error::Parse)?;
    let len = a6_suffix_len(prefix).ok_or(Error::Parse)?;
    out.extend_from_slice(&address[address.len() - len..]);
    Ok(())
}

/// Appends hex pairs joined by hyphens.
pub(crate) fn write_eui(out: &mut TextBuffer, octets: &[u8]) {
    for (place, &octet) in octets.iter().enumerate() {
        if place > 0 {
            out.byte(b'-');
        }
        out.hex_octet(octet);
    }
}

/// Appends a hardware address of exactly `len` octets: hex pairs joined by hyphens.
pub(crate) fn parse_eui(text: &[u8], len: usize, out: &mut Vec<u8>) -> Result<(), Error> {
    if text.len() != len * 3 - 1 {
        return Err(Error::Parse);
    }
    for pair in text.chunks(3) {
        let (digits, hyphen) = pair.split_first_chunk::<2>().ok_or(Error::Parse)?;
        if !matches!(hyphen, [] | [b'-']) {
            return Err(Error::Parse);
        }
        out.push(codec::hex_pair(*digits).ok_or(Error::Parse)?);
    }
    Ok(())
}
