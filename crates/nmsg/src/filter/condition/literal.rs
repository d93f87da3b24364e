//! What a value of an expression means where a number, an address, a name or text is wanted.

use std::net::IpAddr;

use super::error::{Problem, WhereError};
use super::token::{Kind, Token};

/// Reads a whole number: a sign, decimal digits or `0x` and hexadecimal digits, 64 bits and the
/// sign at most.
pub(super) fn whole_number(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        _ => (false, text),
    };
    let (digits, radix) = match digits.get(..2) {
        Some("0x" | "0X") => (&digits[2..], 16),
        _ => (digits, 10),
    };
    if !digits.as_bytes().first()?.is_ascii_hexdigit() {
        return None;
    }
    let number = i128::from(u64::from_str_radix(digits, radix).ok()?);
    Some(if negative { -number } else { number })
}

/// Reads a number that may have decimals and an exponent.
pub(super) fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("0x")) {
        return Some(whole_number(text)? as f64);
    }
    if !digits.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    text.parse().ok()
}

/// First and last address of a network, or an address twice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Network {
    V4(u32, u32),
    V6(u128, u128),
}

/// Reads an address, or an address and the length of the network's prefix; bits behind the prefix
/// are ignored.
pub(super) fn network(text: &str) -> Option<Network> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let all = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        Some(digits) if digits.bytes().all(|octet| octet.is_ascii_digit()) => {
            digits.parse::<u32>().ok().filter(|&prefix| prefix <= all)?
        }
        Some(_) => return None,
        None => all,
    };
    Some(match address {
        IpAddr::V4(address) => {
            let host = u32::MAX.checked_shr(prefix).unwrap_or(0);
            let address = u32::from(address);
            Network::V4(address & !host, address | host)
        }
        IpAddr::V6(address) => {
            let host = u128::MAX.checked_shr(prefix).unwrap_or(0);
            let address = u128::from(address);
            Network::V6(address & !host, address | host)
        }
    })
}

/// The wire form in lower case of a domain name.
pub(super) fn domain(text: &[u8]) -> Option<Vec<u8>> {
    let mut wire = Vec::new();
    if text.is_empty() {
        return None;
    }
    wdns::name::parse_lowercase(text, &mut wire).ok()?;
    // Letters written as `\065` are not lower-cased by the parser.
    wdns::name::downcase(&mut wire);
    Some(wire)
}

/// The octets of a value, escapes in quoted text replaced.
pub(super) fn text(token: Token<'_>) -> Result<Vec<u8>, WhereError> {
    if token.kind != Kind::Quoted {
        return Ok(token.text.as_bytes().to_vec());
    }
    let mut octets = Vec::with_capacity(token.text.len());
    let mut rest = token.text.as_bytes();
    while let Some((&octet, behind)) = rest.split_first() {
        rest = behind;
        if octet != b'\\' {
            octets.push(octet);
            continue;
        }
        let at = token.start + 1 + (token.text.len() - behind.len() - 1);
        let (octet, behind) = escape(behind).ok_or_else(|| WhereError::new(Problem::Escape, at))?;
        octets.push(octet);
        rest = behind;
    }
    Ok(octets)
}

/// The octet that an escape stands for, and what follows it.
fn escape(behind: &[u8]) -> Option<(u8, &[u8])> {
    let (&letter, rest) = behind.split_first()?;
    let octet = match letter {
        b'\\' | b'\'' | b'"' => letter,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'x' => {
            let (digits, rest) = rest.split_first_chunk::<2>()?;
            let digit = |octet: u8| char::from(octet).to_digit(16);
            return Some(((digit(digits[0])? * 16 + digit(digits[1])?) as u8, rest));
        }
        _ => return None,
    };
    Some((octet, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, whole, any) in [
            ("0", Some(0), Some(0.0)),
            ("-5", Some(-5), Some(-5.0)),
            ("010", Some(10), Some(10.0)),
            ("0xff", Some(255), Some(255.0)),
            ("-0X10", Some(-16), Some(-16.0)),
            ("18446744073709551615", Some(u64::MAX.into()), Some(u64::MAX as f64)),
            ("18446744073709551616", None, Some(18_446_744_073_709_551_616.0)),
            ("1.5e3", None, Some(1500.0)),
            ("1e-3", None, Some(0.001)),
            ("", None, None),
            ("-", None, None),
            ("--5", None, None),
            ("+5", None, None),
            ("0x", None, None),
            ("0x-1", None, None),
            ("ff", None, None),
            (".5", None, None),
            ("inf", None, None),
            ("nan", None, None),
            ("1x", None, None),
        ] {
            assert_eq!(whole_number(text), whole, "{text}");
            assert_eq!(number(text), any, "{text}");
        }
    }

    #[test]
    fn addresses_and_networks() {
        let v4 = |a: [u8; 4], b: [u8; 4]| {
            Some(Network::V4(u32::from_be_bytes(a), u32::from_be_bytes(b)))
        };
        for (text, want) in [
            ("10.1.2.3", v4([10, 1, 2, 3], [10, 1, 2, 3])),
            ("10.1.2.3/32", v4([10, 1, 2, 3], [10, 1, 2, 3])),
            ("10.1.2.3/8", v4([10, 0, 0, 0], [10, 255, 255, 255])),
            ("10.1.2.3/0", v4([0; 4], [255; 4])),
            ("::1", Some(Network::V6(1, 1))),
            ("2001:db8::/32", Some(Network::V6(0x2001_0db8 << 96, (0x2001_0db9 << 96) - 1))),
            ("::/0", Some(Network::V6(0, u128::MAX))),
            ("10.1.2.3/33", None),
            ("::/129", None),
            ("10.1.2.3/+8", None),
            ("10.1.2.3/", None),
            ("10.1.2", None),
            ("", None),
        ] {
            assert_eq!(network(text), want, "{text}");
        }
    }

    #[test]
    fn domains() {
        for (text, want) in [
            (".", Some(&b"\0"[..])),
            ("Example.COM", Some(b"\x07example\x03com\0")),
            ("example.com.", Some(b"\x07example\x03com\0")),
            ("\\065.b", Some(b"\x01a\x01b\0")),
            ("", None),
            ("a..b", None),
            (&"x".repeat(64), None),
        ] {
            assert_eq!(domain(text.as_bytes()).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn escapes() {
        for (quoted, want) in [
            ("plain", Ok(&b"plain"[..])),
            (r#"\\ \' \" \n\r\t"#, Ok(b"\\ ' \" \n\r\t")),
            (r"\x00\xFf.", Ok(b"\x00\xff.")),
            (
                r"a\d",
                Err("after '\\' must come one of \\ ' \" n r t or x and two hex digits (column 3)"),
            ),
            (
                r"\xg0",
                Err("after '\\' must come one of \\ ' \" n r t or x and two hex digits (column 2)"),
            ),
            (
                r"\x+1",
                Err("after '\\' must come one of \\ ' \" n r t or x and two hex digits (column 2)"),
            ),
            (
                r"\é",
                Err("after '\\' must come one of \\ ' \" n r t or x and two hex digits (column 2)"),
            ),
        ] {
            let expression = format!("'{quoted}'");
            let end = expression.len();
            let token = Token { kind: Kind::Quoted, text: quoted, start: 0, end };
            let got = text(token).map_err(|error| error.within(&expression).to_string());
            assert_eq!(got.as_deref().map_err(String::as_str), want, "{quoted}");
        }
        let word = Token { kind: Kind::Word, text: "a", start: 0, end: 1 };
        assert_eq!(text(word).unwrap(), b"a");
    }
}
