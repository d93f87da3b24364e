//! Strict readers of IPv4 and IPv6 address text, with the rules of `inet_pton`.

use std::net::Ipv6Addr;

/// Reads a dotted quad: four decimal octets without leading zeros and nothing else.
#[must_use]
#[inline]
pub fn parse_ipv4(text: &[u8]) -> Option<[u8; 4]> {
    let mut octets = [0; 4];
    let mut rest = text;
    for (i, octet) in octets.iter_mut().enumerate() {
        if i > 0 {
            rest = rest.strip_prefix(b".")?;
        }
        (*octet, rest) = octet_of(rest)?;
    }
    rest.is_empty().then_some(octets)
}

/// The number of up to three digits at the start, and what follows them.
#[inline]
fn octet_of(text: &[u8]) -> Option<(u8, &[u8])> {
    let digit = |at: usize| text.get(at).map(|octet| octet.wrapping_sub(b'0')).filter(|&d| d < 10);
    let first = digit(0)?;
    let Some(second) = digit(1) else { return Some((first, &text[1..])) };
    let two = first * 10 + second;
    let Some(third) = digit(2) else { return (first > 0).then_some((two, &text[2..])) };
    let value = two.checked_mul(10)?.checked_add(third)?;
    (first > 0).then_some((value, &text[3..]))
}

/// Reads an IPv6 address (RFC 4291 §2.2), with or without a dotted end, without zone or brackets.
#[must_use]
pub fn parse_ipv6(text: &[u8]) -> Option<[u8; 16]> {
    let address: Ipv6Addr = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(address.octets())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv4_is_strict() {
        assert_eq!(parse_ipv4(b"192.0.2.255"), Some([192, 0, 2, 255]));
        for bad in [
            "",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.256",
            "01.2.3.4",
            "1.2.3.4 ",
            " 1.2.3.4",
            "0x1.2.3.4",
            "1..2.3",
            "00.1.1.1",
            "1.1.1.1000",
            "999.1.1.1",
            "1.2.3.",
            ".1.2.3",
            "\u{661}.1.1.1",
        ] {
            assert_eq!(parse_ipv4(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(parse_ipv4(b"1.2.3.\xff"), None);
        for a in 0..=255 {
            let text = format!("{a}.{}.0.{}", 255 - a, a / 2);
            assert_eq!(parse_ipv4(text.as_bytes()), Some([a, 255 - a, 0, a / 2]), "{text}");
        }
    }

    #[test]
    fn ipv6_is_strict() {
        for (text, groups) in [
            ("::", [0; 8]),
            ("::1", [0, 0, 0, 0, 0, 0, 0, 1]),
            ("1::", [1, 0, 0, 0, 0, 0, 0, 0]),
            ("1:2:3:4:5:6:7::", [1, 2, 3, 4, 5, 6, 7, 0]),
            ("::2:3:4:5:6:7:8", [0, 2, 3, 4, 5, 6, 7, 8]),
            ("2001:DB8::a:0", [0x2001, 0xdb8, 0, 0, 0, 0, 10, 0]),
            ("::ffff:192.0.2.1", [0, 0, 0, 0, 0, 0xffff, 0xc000, 0x201]),
            ("1:2:3:4:5:6:1.2.3.4", [1, 2, 3, 4, 5, 6, 0x102, 0x304]),
        ] {
            let want: Vec<u8> = groups.iter().flat_map(|group: &u16| group.to_be_bytes()).collect();
            assert_eq!(
                parse_ipv6(text.as_bytes()).as_ref().map(|a| &a[..]),
                Some(&want[..]),
                "{text}"
            );
        }
        for bad in [
            "",
            ":",
            ":::",
            "1",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "1::2::3",
            "12345::",
            "::1.2.3",
            "::01.2.3.4",
            "1:2:3:4:5:6:7:1.2.3.4",
            "::%1",
            "[::]",
            "::g",
            "1:2:3:4:5:6:7:8::",
            ":1::",
            "1:",
            "::1 ",
        ] {
            assert_eq!(parse_ipv6(bad.as_bytes()), None, "{bad}");
        }
    }
}
