//! Numbers in the notation of C (`rendering-and-parsing` §8, `decisions` PI-9).

/// An integer as `strtoull` reads it, before it is fitted into a type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct CInteger {
    negative: bool,
    /// The absolute value; the largest one when it does not fit.
    magnitude: u64,
    overflow: bool,
}

impl CInteger {
    /// Reads all of `text`: blanks, a sign, and decimal, `0x…` or octal digits.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let (number, rest) = Self::parse_prefix(text)?;
        rest.is_empty().then_some(number)
    }

    /// Reads the integer at the start of `text` and returns what follows it.
    fn parse_prefix(text: &[u8]) -> Option<(Self, &[u8])> {
        let (negative, digits) = sign(skip_blanks(text));
        let hex = |rest: &[u8]| rest.first().is_some_and(u8::is_ascii_hexdigit);
        let (radix, digits) = match digits {
            [b'0', b'x' | b'X', rest @ ..] if hex(rest) => (16, rest),
            [b'0', ..] => (8, digits),
            _ => (10, digits),
        };
        let (magnitude, overflow, rest) = magnitude(digits, radix)?;
        Some((Self { negative, magnitude, overflow }, rest))
    }

    /// Reads all of `text` as hexadecimal digits with or without `0x`; `None` also for what does
    /// not fit 64 bits.
    pub(crate) fn parse_hex(text: &[u8]) -> Option<Self> {
        let (number, rest) = Self::parse_hex_prefix(text)?;
        rest.is_empty().then_some(number)
    }

    fn parse_hex_prefix(text: &[u8]) -> Option<(Self, &[u8])> {
        let (negative, digits) = sign(skip_blanks(text));
        let digits = match digits {
            [b'0', b'x' | b'X', rest @ ..] if rest.first().is_some_and(u8::is_ascii_hexdigit) => {
                rest
            }
            _ => digits,
        };
        let (magnitude, overflow, rest) = magnitude(digits, 16)?;
        Some((Self { negative, magnitude, overflow }, rest))
    }

    /// Reads the decimal digits at the start of `text`; what follows them does not matter.
    pub(crate) fn parse_decimal_prefix(text: &[u8]) -> Option<Self> {
        let (negative, digits) = sign(skip_blanks(text));
        let (magnitude, overflow, _) = magnitude(digits, 10)?;
        Some(Self { negative, magnitude, overflow })
    }

    /// True for text with a minus sign, zero included.
    pub(crate) fn is_negative(self) -> bool {
        self.negative
    }

    /// True when the value is beyond 64 bits.
    pub(crate) fn overflows(self) -> bool {
        self.overflow
    }

    /// As an unsigned number: too large ones are the largest, negative ones wrap.
    pub(crate) fn wrapping_unsigned(self) -> u64 {
        match (self.overflow, self.negative) {
            (true, _) => u64::MAX,
            (false, true) => self.magnitude.wrapping_neg(),
            (false, false) => self.magnitude,
        }
    }

    /// As a signed number: what is too large or too small is the largest or smallest.
    pub(crate) fn saturating_signed(self) -> i64 {
        match (i64::try_from(self.magnitude), self.negative) {
            (Ok(magnitude), false) => magnitude,
            (Ok(magnitude), true) => -magnitude,
            (Err(_), false) => i64::MAX,
            (Err(_), true) => i64::MIN,
        }
    }
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|octet| matches!(octet, b' ' | b'\t'..=b'\r')).count();
    &text[blanks..]
}

pub(super) fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

/// The number of eight hex digits, four bits each, all at once.
#[inline]
pub(crate) fn hex_u32(digits: &[u8; 8]) -> Option<u32> {
    const ONES: u64 = u64::MAX / 255;
    let word = u64::from_be_bytes(*digits);
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    // Letters have bit 6 and count from 1 in their low bits, digits from 0.
    let nibbles = (word & (ONES * 0x0f)) + ((word >> 6) & ONES) * 9;
    let pairs = (nibbles | nibbles >> 4) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    Some((fours | fours >> 16) as u32)
}

/// The value of one or more digits, whether it is too large, and what follows them.
pub(super) fn magnitude(text: &[u8], radix: u32) -> Option<(u64, bool, &[u8])> {
    let digit = |octet: u8| char::from(octet).to_digit(radix);
    let len = text.iter().take_while(|&&octet| digit(octet).is_some()).count();
    let (digits, rest) = text.split_at(len);
    if digits.is_empty() {
        return None;
    }
    let value = digits.iter().try_fold(0_u64, |value, &octet| {
        value.checked_mul(radix.into())?.checked_add(digit(octet)?.into())
    });
    Some((value.unwrap_or(u64::MAX), value.is_none(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pi_9_integers_are_read_as_in_c() {
        for (text, want) in [
            ("80", Some((80, 80))),
            ("0x50", Some((80, 80))),
            ("010", Some((8, 8))),
            ("0", Some((0, 0))),
            ("+80", Some((80, 80))),
            ("\t80", Some((80, 80))),
            ("-1", Some((u64::MAX, -1))),
            ("-0x10", Some((0_u64.wrapping_sub(16), -16))),
            ("18446744073709551615", Some((u64::MAX, i64::MAX))),
            ("18446744073709551616", Some((u64::MAX, i64::MAX))),
            ("-9223372036854775808", Some((1 << 63, i64::MIN))),
            ("-99999999999999999999", Some((u64::MAX, i64::MIN))),
            ("08", None),
            ("0x", None),
            ("80x", None),
            ("80 ", None),
            ("- 1", None),
            ("+-1", None),
            ("", None),
            ("x", None),
        ] {
            let got = CInteger::parse(text.as_bytes());
            let got = got.map(|n| (n.wrapping_unsigned(), n.saturating_signed()));
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn eight_hex_digits_are_read_at_once() {
        for number in [0, 1, 0x0123_4567, 0x89ab_cdef, 0xabcd_ef01, u32::MAX] {
            for text in [format!("{number:08x}"), format!("{number:08X}")] {
                assert_eq!(hex_u32(text.as_bytes().try_into().unwrap()), Some(number), "{text}");
            }
        }
        for text in [b"0000000g", b"-0000000", b" 1234567", b"@0000000", b"0x000000"] {
            assert_eq!(hex_u32(text), None);
        }
    }

    #[test]
    fn hexadecimal_and_decimal_variants() {
        let hex =
            |text: &str| CInteger::parse_hex(text.as_bytes()).map(CInteger::wrapping_unsigned);
        assert_eq!(hex("aa11FF99"), Some(0xaa11_ff99));
        assert_eq!(hex(" 0XfF"), Some(255));
        assert_eq!((hex(""), hex("0x"), hex("5x"), hex(" ")), (None, None, None, None));
        let decimal = |text: &str| {
            CInteger::parse_decimal_prefix(text.as_bytes()).map(CInteger::wrapping_unsigned)
        };
        assert_eq!(
            (decimal("99x"), decimal(" +5 "), decimal("0x11")),
            (Some(99), Some(5), Some(0))
        );
        assert_eq!((decimal("x"), decimal("")), (None, None));
    }
}
