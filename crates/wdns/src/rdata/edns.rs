//! EDNS options (RFC 6891 §6.1.2, `wdns` §7.4).

use super::text_out::{Damage, write_damage, write_spaced_hex};
use super::{Fields, strings};
use crate::{Error, TextBuffer};

const CLIENT_SUBNET: u16 = 8;
const EXTENDED_ERROR: u16 = 15;

/// Purposes of the extended errors, by info code (RFC 8914 §4).
const PURPOSES: [&str; 25] = [
    "Other Error",
    "Unsupported DNSKEY Algorithm",
    "Unsupported DS Digest Type",
    "Stale Answer",
    "Forged Answer",
    "DNSSEC Indeterminate",
    "DNSSEC Bogus",
    "Signature Expired",
    "Signature Not Yet Valid",
    "DNSKEY Missing",
    "RRSIGs Missing",
    "No Zone Key Bit Set",
    "NSEC Missing",
    "Cached Error",
    "Not Ready",
    "Blocked",
    "Censored",
    "Filtered",
    "Prohibited",
    "Stale NXDomain Answer",
    "Not Authoritative",
    "Not Supported",
    "No Reachable Authority",
    "Network Error",
    "Invalid Data",
];

/// Appends all options, one a line; as the inside of a JSON string with `JSON`.
pub(crate) fn write_all<const JSON: bool>(
    out: &mut TextBuffer,
    fields: &mut Fields,
) -> Result<(), Damage> {
    loop {
        write_option::<JSON>(out, fields)?;
        if fields.is_empty() {
            return Ok(());
        }
        if JSON { out.array(b"\\n") } else { out.byte(b'\n') }
    }
}

/// Appends each option between two texts, such as quotation marks; as the inside of a JSON string
/// with `JSON`. Damage shows as in [`crate::rdata::write`].
pub fn write_each<const JSON: bool>(
    out: &mut TextBuffer,
    options: &[u8],
    before: &[u8],
    after: &[u8],
) {
    let mut fields = Fields::alone(options);
    while !fields.is_empty() {
        out.bytes(before);
        let result = write_option::<JSON>(out, &mut fields);
        if let Err(damage) = result {
            write_damage(out, damage);
            fields.take_rest();
        }
        out.bytes(after);
    }
}

/// Appends the next option.
fn write_option<const JSON: bool>(out: &mut TextBuffer, fields: &mut Fields) -> Result<(), Damage> {
    let code = fields.u16().ok_or(Damage::Cut)?;
    match code {
        CLIENT_SUBNET => out.bytes(b"CLIENT-SUBNET:"),
        EXTENDED_ERROR => out.array(b"EDE:"),
        _ => {
            out.array(b"OPT=");
            out.decimal(code.into());
            out.byte(b':');
        }
    }
    let len = fields.u16().ok_or(Damage::Cut)?;
    let data = fields.take(len.into()).ok_or(Damage::Cut)?;
    out.byte(b' ');
    match code {
        CLIENT_SUBNET => write_client_subnet(out, data)?,
        EXTENDED_ERROR => write_extended_error::<JSON>(out, data)?,
        _ => {
            write_spaced_hex(out, data);
            out.byte(b'(');
            strings::write_quote::<JSON>(out);
            write_printable::<JSON>(out, data);
            strings::write_quote::<JSON>(out);
            out.byte(b')');
        }
    }
    Ok(())
}

/// Appends a client subnet (RFC 7871 §6), missing address octets as zeros.
fn write_client_subnet(out: &mut TextBuffer, data: &[u8]) -> Result<(), Error> {
    let (&[family_high, family_low, source, scope], prefix) =
        data.split_first_chunk::<4>().ok_or(Error::Parse)?;
    let mut address = [0; 16];
    address.get_mut(..prefix.len()).ok_or(Error::Parse)?.copy_from_slice(prefix);
    match (u16::from_be_bytes([family_high, family_low]), address) {
        (1, [a, b, c, d, ..]) if prefix.len() <= 4 => out.ipv4([a, b, c, d]),
        (2, address) => out.ipv6(address),
        _ => return Err(Error::Parse),
    }
    out.byte(b'/');
    out.decimal(source.into());
    out.byte(b'/');
    out.decimal(scope.into());
    Ok(())
}

/// Appends an extended error (RFC 8914 §2).
fn write_extended_error<const JSON: bool>(out: &mut TextBuffer, data: &[u8]) -> Result<(), Error> {
    let (code, text) = data.split_first_chunk::<2>().ok_or(Error::Parse)?;
    let code = u16::from_be_bytes(*code);
    out.decimal(code.into());
    if let Some(purpose) = PURPOSES.get(usize::from(code)) {
        out.array(b" (");
        out.bytes(purpose.as_bytes());
        out.byte(b')');
    }
    out.array(b": (");
    write_printable::<JSON>(out, text);
    out.byte(b')');
    Ok(())
}

/// Appends octets from 0x20 to 0x7E as they are and a dot for each other one.
fn write_printable<const JSON: bool>(out: &mut TextBuffer, octets: &[u8]) {
    for &octet in octets {
        match octet {
            b'"' | b'\\' if JSON => out.array(&[b'\\', octet]),
            0x20..=0x7e => out.byte(octet),
            _ => out.byte(b'.'),
        }
    }
}
