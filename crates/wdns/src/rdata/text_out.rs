//! Record data to text (`wdns` §7.1).

use super::layout::{Atom, Layout, layout};
use super::{Fields, address, bitmap, edns, strings, svcb};
use crate::{Class, Error, RrType, TextBuffer, codec};

/// Why the text of record data ends early.
pub(crate) enum Damage {
    /// Octets are missing.
    Cut,
    /// A piece is wrong in itself.
    Wrong(Error),
}

impl From<Error> for Damage {
    fn from(error: Error) -> Self {
        Self::Wrong(error)
    }
}

/// Appends the text of record data that holds no compressed names.
///
/// Fields are separated by a blank. Damage shows as ` ### PARSE ERROR ###` behind what could be
/// written, with a result code where a name or value is wrong in itself. Types without a known
/// structure are shown in the form of RFC 3597 §5, types of class `IN` in another class as nothing.
/// `JSON` writes the same text as the inside of a JSON string.
#[inline]
pub fn write<const JSON: bool>(out: &mut TextBuffer, rdata: &[u8], rrtype: RrType, class: Class) {
    write_fields::<JSON>(out, Fields::alone(rdata), rrtype, class);
}

/// Tells whether the blank before record data stays when there are no octets.
pub(crate) fn ends_with_blank_when_empty(rrtype: RrType, class: Class) -> bool {
    !matches!(layout(rrtype, class), Layout::Atoms(_))
}

/// Appends the text of the octets that `fields` holds.
#[inline]
pub(crate) fn write_fields<const JSON: bool>(
    out: &mut TextBuffer,
    mut fields: Fields,
    rrtype: RrType,
    class: Class,
) {
    // The commonest types without a walk over their layout.
    match (rrtype, class, fields.rest().len()) {
        (RrType::A, Class::IN, 4) => return out.ipv4(fields.array().unwrap_or_default()),
        (RrType::AAAA, Class::IN, 16) => return out.ipv6(fields.array().unwrap_or_default()),
        _ => {}
    }
    match layout(rrtype, class) {
        Layout::OtherClass => {}
        Layout::Generic => write_generic::<JSON>(out, fields.take_rest()),
        Layout::Atoms(atoms) => {
            if fields.is_empty() {
                return;
            }
            match write_atoms::<JSON>(out, &mut fields, atoms) {
                // Every piece ends with a blank, so the last one does.
                Ok(()) => out.retract(1),
                Err(damage) => write_damage(out, damage),
            }
        }
    }
}

/// Appends octets in the form of RFC 3597 §5, whatever their type: `\# LEN HH HH …`.
pub fn write_generic<const JSON: bool>(out: &mut TextBuffer, octets: &[u8]) {
    strings::write_backslash::<JSON>(out);
    out.array(b"# ");
    out.decimal(octets.len() as u64);
    out.byte(b' ');
    write_spaced_hex(out, octets);
}

/// Appends lower-case hex pairs, each followed by a blank.
pub(crate) fn write_spaced_hex(out: &mut TextBuffer, octets: &[u8]) {
    out.reserve(octets.len() * 3);
    for &octet in octets {
        out.hex_octet(octet);
        out.byte(b' ');
    }
}

#[cold]
pub(crate) fn write_damage(out: &mut TextBuffer, damage: Damage) {
    out.bytes(b" ### PARSE ERROR ");
    if let Damage::Wrong(error) = damage {
        out.byte(b'#');
        out.decimal(error.code().into());
        out.byte(b' ');
    }
    out.bytes(b"###");
}

fn write_atoms<const JSON: bool>(
    out: &mut TextBuffer,
    fields: &mut Fields,
    atoms: &[Atom],
) -> Result<(), Damage> {
    for &atom in atoms {
        if fields.is_empty() {
            break;
        }
        write_atom::<JSON>(out, fields, atom)?;
    }
    Ok(())
}

/// Appends the next piece and a blank; or nothing for a bitmap without types, and no blank where
/// the piece before it wrote one.
#[inline]
fn write_atom<const JSON: bool>(
    out: &mut TextBuffer,
    fields: &mut Fields,
    atom: Atom,
) -> Result<(), Damage> {
    use Damage::Cut;
    match atom {
        Atom::Name => fields.write_name::<JSON>(out)?,
        Atom::U8 => out.decimal(fields.u8().ok_or(Cut)?.into()),
        Atom::U16 => out.decimal(fields.u16().ok_or(Cut)?.into()),
        Atom::U32 => out.decimal(fields.u32().ok_or(Cut)?.into()),
        Atom::Ipv4 => out.ipv4(fields.array().ok_or(Cut)?),
        Atom::Ipv6 => out.ipv6(fields.array().ok_or(Cut)?),
        Atom::A6 => address::write_a6(out, fields)?,
        Atom::Eui48 => address::write_eui(out, &fields.array::<6>().ok_or(Cut)?),
        Atom::Eui64 => address::write_eui(out, &fields.array::<8>().ok_or(Cut)?),
        Atom::Text => strings::write_quoted::<JSON>(out, fields.counted().ok_or(Cut)?),
        Atom::Texts => loop {
            strings::write_quoted::<JSON>(out, fields.counted().ok_or(Cut)?);
            if fields.is_empty() {
                break;
            }
            out.byte(b' ');
        },
        Atom::Salt => match fields.counted().ok_or(Cut)? {
            [] => out.byte(b'-'),
            salt => out.hex_lower(salt),
        },
        Atom::Hash => match fields.counted().ok_or(Cut)? {
            [] => out.byte(b'0'),
            hash => codec::base32hex_encode(hash, out),
        },
        Atom::Type => RrType(fields.u16().ok_or(Cut)?).write(out),
        Atom::Bitmap => return bitmap::write(out, fields).then_some(()).ok_or(Cut),
        Atom::Hex => out.hex_upper(fields.take_rest()),
        Atom::Base64 => out.base64(fields.take_rest()),
        Atom::Quoted => strings::write_quoted::<JSON>(out, fields.take_rest()),
        Atom::SvcParams => svcb::write::<JSON>(out, fields)?,
        Atom::Options => edns::write_all::<JSON>(out, fields)?,
    }
    out.byte(b' ');
    Ok(())
}
