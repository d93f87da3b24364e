//! Values of the special forms from their text, for JSON and presentation input alike
//! (`message-types` §2.1).

use wdns::{Class, Rcode, RrType};

use crate::schema::Form;
use crate::text::c_number::CInteger;
use crate::text::time_in::parse_seconds;

/// Names of IP protocols that have one here (`message-types` §2.1).
const PROTOCOLS: [(&[u8], u8); 3] = [(b"ICMP", 1), (b"TCP", 6), (b"UDP", 17)];

/// What an unknown class shows as where it has no other form.
const UNKNOWN: &[u8] = b"<UNKNOWN>";

/// The name of an IP protocol number, where it has one here, and its length.
#[inline(always)]
pub(crate) fn protocol_name(number: u64) -> Option<(&'static [u8; 4], u8)> {
    match number {
        1 => Some((b"ICMP", 4)),
        6 => Some((b"TCP ", 3)),
        17 => Some((b"UDP ", 3)),
        _ => None,
    }
}

/// The number of an IP protocol's name, whatever the letter case.
pub(crate) fn protocol_number(name: &[u8]) -> Option<u8> {
    Some(PROTOCOLS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?.1)
}

/// The number that text in one of the number forms stands for; `None` when it stands for none.
#[inline]
pub(crate) fn number(form: Form, text: &[u8]) -> Option<u64> {
    match form {
        Form::RrType => RrType::parse(text).map(|rrtype| rrtype.0.into()),
        Form::Class => Class::parse(text).map(|class| class.0.into()),
        // `decisions` JI-17
        Form::ClassSie if text == UNKNOWN => Some(Class::IN.0.into()),
        Form::ClassSie => Class::parse(text).map(|class| class.0.into()),
        Form::Rcode => rcode(text),
        Form::Protocol => protocol(text),
        Form::Time => time(text),
        Form::HexId => hex_id(text),
        _ => None,
    }
}

/// A mnemonic, or an integer of 16 bits; nothing is 0. The writers show what has no mnemonic as its
/// number, so all of them are read, not only the four bits of a header.
fn rcode(text: &[u8]) -> Option<u64> {
    if let Some(rcode) = Rcode::parse(text) {
        return Some(rcode.0.into());
    }
    if text.is_empty() {
        return Some(0);
    }
    let number = CInteger::parse(text).filter(|number| !number.is_negative())?;
    let value = number.wrapping_unsigned();
    (value <= u64::from(u16::MAX)).then_some(value)
}

/// A name, or the decimal digits at the start; cut to 16 bits as the field is.
fn protocol(text: &[u8]) -> Option<u64> {
    if let Some(number) = protocol_number(text) {
        return Some(number.into());
    }
    let number = CInteger::parse_decimal_prefix(text)?;
    (!number.is_negative()).then(|| number.wrapping_unsigned() & 0xffff)
}

/// Date and time within the 32 bits it is stored in (`decisions` JI-18).
fn time(text: &[u8]) -> Option<u64> {
    let (seconds, _) = parse_seconds::<false>(text)?;
    u32::try_from(seconds).ok().map(u64::from)
}

/// Hexadecimal digits of at most 32 bits; nothing is 0 (`decisions` JI-18).
fn hex_id(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return Some(0);
    }
    let number = CInteger::parse_hex(text)?;
    let value = number.wrapping_unsigned();
    (!number.overflows() && value <= u32::MAX.into()).then_some(value)
}

/// Appends the octets of an IPv4 or IPv6 address; `None` when the text is neither.
#[inline]
pub(crate) fn address(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if let Some(octets) = wdns::address::parse_ipv4(text) {
        out.extend_from_slice(&octets);
    } else {
        out.extend_from_slice(&wdns::address::parse_ipv6(text)?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(form: Form, rows: &[(&str, Option<u64>)]) {
        for &(text, want) in rows {
            assert_eq!(number(form, text.as_bytes()), want, "{form:?} {text}");
        }
    }

    #[test]
    fn types_and_classes_take_mnemonics_and_numbered_forms() {
        rows(
            Form::RrType,
            &[
                ("A", Some(1)),
                ("aaaa", Some(28)),
                ("TYPE65280", Some(65_280)),
                ("TYPE+5", Some(5)),
                ("1", None),
                ("*", None),
                ("A (1)", None),
            ],
        );
        rows(
            Form::Class,
            &[("in", Some(1)), ("CLASS77", Some(77)), ("CLASS0", Some(0)), ("<UNKNOWN>", None)],
        );
    }

    #[test]
    fn ji_17_sie_class_text_is_read_as_elsewhere_and_type_0_is_accepted() {
        rows(
            Form::ClassSie,
            &[("CH", Some(3)), ("CLASS77", Some(77)), ("<UNKNOWN>", Some(1)), ("x", None)],
        );
        rows(Form::RrType, &[("TYPE0", Some(0))]);
    }

    #[test]
    fn rcodes_take_mnemonics_and_numbers() {
        rows(
            Form::Rcode,
            &[
                ("NOERROR", Some(0)),
                ("nxdomain", Some(3)),
                ("BADVERS", Some(16)),
                ("15", Some(15)),
                ("0xf", Some(15)),
                ("017", Some(15)),
                (" +5", Some(5)),
                ("", Some(0)),
                ("99", Some(99)),
                ("65535", Some(65535)),
                ("65536", None),
                ("-1", None),
                ("-18446744073709551615", None),
                ("5x", None),
            ],
        );
    }

    #[test]
    fn protocols_take_names_and_leading_digits() {
        rows(
            Form::Protocol,
            &[
                ("UDP", Some(17)),
                ("tcp", Some(6)),
                ("Icmp", Some(1)),
                ("99", Some(99)),
                ("99x", Some(99)),
                ("0x11", Some(0)),
                ("4294967297", Some(1)),
                ("99999999999999999999", Some(65_535)),
                ("udpx", None),
                ("-1", None),
                ("", None),
            ],
        );
    }

    #[test]
    fn ji_18_times_and_hex_ids_stay_within_32_bits() {
        rows(
            Form::Time,
            &[
                ("2023-11-14 22:13:20", Some(1_700_000_000)),
                ("2023-11-14 22:13:20.5Z", Some(1_700_000_000)),
                ("1970-01-01 00:00:00", Some(0)),
                ("2106-02-07 06:28:15", Some(u32::MAX.into())),
                ("2106-02-07 06:28:16", None),
                ("1969-12-31 23:59:59", None),
                ("2023-11-14T22:13:20", None),
                ("", None),
            ],
        );
        rows(
            Form::HexId,
            &[
                ("aa11ff99", Some(0xaa11_ff99)),
                ("0xAA", Some(0xaa)),
                (" 5", Some(5)),
                ("", Some(0)),
                ("ffffffff", Some(0xffff_ffff)),
                ("100000000", None),
                ("fffffffffffffffff", None),
                ("-1", None),
                ("5x", None),
                ("0x", None),
            ],
        );
    }

    #[test]
    fn addresses_are_strict() {
        let octets = |text: &str| {
            let mut out = Vec::new();
            address(text.as_bytes(), &mut out).map(|()| out)
        };
        assert_eq!(octets("1.2.3.4"), Some(vec![1, 2, 3, 4]));
        assert_eq!(octets("::FFFF:1.2.3.4").map(|out| out.len()), Some(16));
        for bad in ["", "01.2.3.4", "1.2.3", "::1%lo", " ::1", "<INVALID IP len=3>"] {
            assert_eq!(octets(bad), None, "{bad}");
        }
    }
}
