//! Readers of base64, base32hex and hex text.

use crate::Error;

/// What a character stands for in an alphabet, or [`NOT_A_DIGIT`].
type Digits = [u8; 256];

const NOT_A_DIGIT: u8 = 0xff;

const fn digits(alphabet: &[u8], any_case: bool) -> Digits {
    let mut table = [NOT_A_DIGIT; 256];
    let mut at = 0;
    while at < alphabet.len() {
        table[alphabet[at] as usize] = at as u8;
        if any_case {
            table[alphabet[at].to_ascii_lowercase() as usize] = at as u8;
        }
        at += 1;
    }
    table
}

static BASE64: Digits =
    digits(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", false);
static HEX: Digits = digits(b"0123456789ABCDEF", true);
const BASE32HEX_ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";
static BASE32HEX: Digits = digits(BASE32HEX_ALPHABET, true);

/// Appends what base64 text stands for; characters outside the alphabet, padding and blanks are
/// skipped, and an incomplete last group gives its whole octets. Never fails
/// (`rendering-and-parsing` §9.3).
pub fn base64_decode_lenient(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len() / 4 * 3 + 3);
    // Whole groups first: padding and junk are rare and end this run.
    let (groups, _) = text.as_chunks::<4>();
    let mut whole = 0;
    for group in groups {
        let [a, b, c, d] = group.map(|octet| u32::from(BASE64[usize::from(octet)]));
        if (a | b | c | d) > 63 {
            break;
        }
        let bits = a << 18 | b << 12 | c << 6 | d;
        out.extend_from_slice(&[(bits >> 16) as u8, (bits >> 8) as u8, bits as u8]);
        whole += 1;
    }
    let (mut bits, mut held) = (0_u32, 0);
    for &octet in &text[whole * 4..] {
        let digit = BASE64[usize::from(octet)];
        if digit == NOT_A_DIGIT {
            continue;
        }
        bits = bits << 6 | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
}

/// Appends what base64 text stands for; it must be one padded run of the standard alphabet
/// without anything else (RFC 4648 §4, §3.5).
///
/// # Errors
///
/// [`Error::Parse`] for anything else; nothing is appended then.
pub fn base64_decode_strict(text: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let padding = text.iter().rev().take(2).take_while(|&&octet| octet == b'=').count();
    let digits = &text[..text.len() - padding];
    let known = digits.iter().all(|&octet| BASE64[usize::from(octet)] != NOT_A_DIGIT);
    // What the last digit holds beyond the last whole octet must be zero.
    let surplus = match padding {
        1 => 0b11,
        2 => 0b1111,
        _ => 0,
    };
    let last = digits.last().map_or(0, |&octet| BASE64[usize::from(octet)]);
    if !text.len().is_multiple_of(4) || !known || last & surplus != 0 {
        return Err(Error::Parse);
    }
    base64_decode_lenient(digits, out);
    Ok(())
}

/// Appends the octets of pairs of hex digits in either case.
///
/// # Errors
///
/// [`Error::Parse`] for an odd count or anything that is no hex digit; nothing is appended then.
pub fn hex_decode(text: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let start = out.len();
    let (pairs, rest) = text.as_chunks::<2>();
    let mut wrong = rest.len();
    out.extend(pairs.iter().map(|pair| {
        let octet = hex_pair(*pair);
        wrong += usize::from(octet.is_none());
        octet.unwrap_or(0)
    }));
    if wrong > 0 {
        out.truncate(start);
        return Err(Error::Parse);
    }
    Ok(())
}

/// The octet of two hex digits.
#[inline]
pub(crate) fn hex_pair([high, low]: [u8; 2]) -> Option<u8> {
    let (high, low) = (HEX[usize::from(high)], HEX[usize::from(low)]);
    ((high | low) < 16).then_some(high << 4 | low & 15)
}

/// Appends octets in base32hex: upper case, no padding (RFC 4648 §7).
pub fn base32hex_encode(octets: &[u8], out: &mut crate::TextBuffer) {
    let (mut bits, mut held) = (0_u32, 0);
    let digit = |bits: u32| BASE32HEX_ALPHABET[(bits & 31) as usize];
    for &octet in octets {
        bits = bits << 8 | u32::from(octet);
        held += 8;
        while held >= 5 {
            held -= 5;
            out.byte(digit(bits >> held));
        }
    }
    if held > 0 {
        out.byte(digit(bits << (5 - held)));
    }
}

/// Appends the whole octets of base32hex text in either case; the first `=` ends it.
///
/// # Errors
///
/// [`Error::Parse`] for a character outside the alphabet; nothing is appended then.
pub fn base32hex_decode(text: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let start = out.len();
    let (mut bits, mut held) = (0_u32, 0);
    for &octet in text.iter().take_while(|&&octet| octet != b'=') {
        let digit = BASE32HEX[usize::from(octet)];
        if digit == NOT_A_DIGIT {
            out.truncate(start);
            return Err(Error::Parse);
        }
        bits = bits << 5 | u32::from(digit);
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TextBuffer;

    fn octets(decode: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = b"x".to_vec();
        decode(&mut out);
        assert_eq!(out.remove(0), b'x');
        out
    }

    #[test]
    fn ji_12_base64_reading_is_lenient() {
        for (text, want) in [
            ("AAE=", &[0, 1][..]),
            ("AAE", &[0, 1]),
            ("A", &[]),
            ("AAEC==AAEC", &[0, 1, 2, 0, 1, 2]),
            ("!!", &[]),
            ("A A\nE = C", &[0, 1, 2]),
            ("A=AA", &[0, 0]),
            ("AAA-", &[0, 0]),
            ("////", &[255, 255, 255]),
        ] {
            assert_eq!(octets(|out| base64_decode_lenient(text.as_bytes(), out)), want, "{text}");
        }
    }

    #[test]
    fn dp_9_every_octet_is_inside_the_base64_table() {
        let every: Vec<u8> = (0..=255).collect();
        assert_eq!(octets(|out| base64_decode_lenient(&every, out)).len(), 48);
    }

    #[test]
    fn w_8_junk_between_digits_is_skipped() {
        let junk = octets(|out| base64_decode_lenient(b"Zm {9 ; v", out));
        assert_eq!(junk, b"foo");
    }

    #[test]
    fn strict_base64_accepts_only_the_canonical_text() {
        for raw in [&b""[..], b"f", b"fo", b"foo", b"foob"] {
            let mut text = TextBuffer::new();
            text.base64(raw);
            let mut out = Vec::new();
            assert_eq!(base64_decode_strict(text.as_bytes(), &mut out), Ok(()));
            assert_eq!(out, raw);
        }
        for bad in
            ["A", "AA", "AAA", "AA=", "A===", "AB==", "AAB=", "AA==AA==", "AA =", "AAAA\n", "="]
        {
            let mut out = Vec::new();
            assert_eq!(base64_decode_strict(bad.as_bytes(), &mut out), Err(Error::Parse), "{bad}");
            assert_eq!(out, b"");
        }
    }

    #[test]
    fn dp_6_hex_needs_two_hex_digits() {
        assert_eq!(octets(|out| hex_decode(b"00fFAb", out).unwrap()), [0, 0xff, 0xab]);
        for bad in ["a", "1g", "g1", "-1", "0x", "0 ", "a-", " 0", "00 00"] {
            let mut out = vec![7];
            assert_eq!(hex_decode(bad.as_bytes(), &mut out), Err(Error::Parse), "{bad}");
            assert_eq!(out, [7], "{bad}");
        }
    }

    #[test]
    fn base32hex_both_ways() {
        for (raw, text) in [
            (&b""[..], ""),
            (b"f", "CO"),
            (b"fo", "CPNG"),
            (b"foo", "CPNMU"),
            (b"foob", "CPNMUOG"),
            (b"fooba", "CPNMUOJ1"),
            (b"foobar", "CPNMUOJ1E8"),
        ] {
            let mut out = TextBuffer::new();
            base32hex_encode(raw, &mut out);
            assert_eq!(out.as_bytes(), text.as_bytes());
            for shown in [text.to_owned(), text.to_lowercase(), format!("{text}====")] {
                assert_eq!(octets(|out| base32hex_decode(shown.as_bytes(), out).unwrap()), raw);
            }
        }
        for bad in ["W0", "0!", "0 0"] {
            assert_eq!(base32hex_decode(bad.as_bytes(), &mut Vec::new()), Err(Error::Parse));
        }
    }
}
