//! Record data in messages: checks, decompression; and lower-casing (`wdns` §6.2, §6.3).

use super::layout::{Atom, Layout, downcased_atoms, layout};
use super::{Fields, address, bitmap, svcb};
use crate::name::{self, NameBuf};
use crate::{Class, Error, RrType};

/// Checks the record data that `fields` holds, and returns the length of its chains of
/// compression pointers.
#[inline]
pub(crate) fn check(mut fields: Fields, rrtype: RrType, class: Class) -> Result<usize, Error> {
    // The commonest types without a walk over their layout.
    if let (RrType::A, Class::IN, 4) | (RrType::AAAA, Class::IN, 16) | (RrType::OPT, ..) =
        (rrtype, class, fields.rest().len())
    {
        return Ok(0);
    }
    let Layout::Atoms(atoms) = layout(rrtype, class) else { return Ok(0) };
    let mut hops = 0;
    for &atom in atoms {
        if fields.is_empty() {
            break;
        }
        if atom == Atom::Name {
            hops += fields.skip_name()?;
        } else {
            check_atom(&mut fields, atom)?;
        }
    }
    if fields.is_empty() { Ok(hops) } else { Err(Error::OutOfBounds) }
}

/// Steps over the next piece, which is no name.
#[inline]
fn check_atom(fields: &mut Fields, atom: Atom) -> Result<(), Error> {
    let width = match atom {
        Atom::U8 => 1,
        Atom::U16 | Atom::Type => 2,
        Atom::U32 | Atom::Ipv4 => 4,
        Atom::Eui48 => 6,
        Atom::Eui64 => 8,
        Atom::Ipv6 => 16,
        Atom::Text | Atom::Salt | Atom::Hash => {
            return fields.counted().map(drop).ok_or(Error::Parse);
        }
        Atom::Texts => {
            while !fields.is_empty() {
                fields.counted().ok_or(Error::Parse)?;
            }
            return Ok(());
        }
        Atom::A6 => {
            let prefix = fields.u8().ok_or(Error::Parse)?;
            let len = address::a6_suffix_len(prefix).ok_or(Error::OutOfBounds)?;
            return fields.take(len).map(drop).ok_or(Error::Parse);
        }
        Atom::Bitmap => {
            let well_formed = bitmap::is_well_formed(fields.take_rest());
            return if well_formed { Ok(()) } else { Err(Error::OutOfBounds) };
        }
        Atom::SvcParams => return svcb::check(fields),
        Atom::Hex | Atom::Base64 | Atom::Quoted | Atom::Options | Atom::Name => {
            fields.take_rest();
            return Ok(());
        }
    };
    fields.take(width).map(drop).ok_or(Error::Parse)
}

/// Appends the record data at `at..end` of a message with its names uncompressed.
///
/// # Errors
///
/// As [`crate::Message::parse`] for the data of one record; nothing is appended then.
pub fn decompress(
    message: &[u8],
    at: usize,
    end: usize,
    rrtype: RrType,
    class: Class,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if at > end || end > message.len() {
        return Err(Error::OutOfBounds);
    }
    let fields = Fields::in_message(message, at, end, None);
    check(fields, rrtype, class)?;
    append_uncompressed(fields, rrtype, class, out)
}

/// Appends record data that passed [`check`].
pub(crate) fn append_uncompressed(
    mut fields: Fields,
    rrtype: RrType,
    class: Class,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if let Layout::Atoms(atoms) = layout(rrtype, class) {
        let mut room = NameBuf::new();
        for &atom in atoms {
            if fields.is_empty() {
                break;
            }
            if atom == Atom::Name {
                out.extend_from_slice(fields.name(&mut room)?);
                continue;
            }
            let before = fields.rest();
            check_atom(&mut fields, atom)?;
            out.extend_from_slice(&before[..before.len() - fields.rest().len()]);
        }
    }
    out.extend_from_slice(fields.take_rest());
    Ok(())
}

/// Turns the letters of the names inside record data into lower case, for the types for which the
/// DNSSEC standards ask for it (`wdns` §6.3). Other types stay as they are.
///
/// # Errors
///
/// [`Error::Parse`] when the octets do not fit the layout, after what came before was changed. A
/// name whose labels are not sound is taken to end with its first zero octet.
pub fn downcase(rdata: &mut [u8], rrtype: RrType, class: Class) -> Result<(), Error> {
    let Some(atoms) = downcased_atoms(rrtype, class) else { return Ok(()) };
    let mut at = 0;
    for &atom in atoms {
        let rest = &mut rdata[at..];
        let rest_len = rest.len();
        if rest_len == 0 {
            break;
        }
        if atom == Atom::Name {
            let zero = rest.iter().position(|&octet| octet == 0);
            let len = name::uncompressed_len(rest).ok().or(zero.map(|zero| zero + 1));
            name::downcase(&mut rest[..len.unwrap_or(rest_len)]);
            at += len.ok_or(Error::Parse)?;
        } else {
            let mut fields = Fields::alone(rest);
            check_atom(&mut fields, atom).map_err(|_| Error::Parse)?;
            at += rest_len - fields.rest().len();
        }
    }
    if at == rdata.len() { Ok(()) } else { Err(Error::Parse) }
}
