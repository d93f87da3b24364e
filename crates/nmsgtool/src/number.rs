//! Numbers on the command line: whole, in range, and nothing after them.

use crate::failure::Failure;
use crate::flags::{FlagId, spelling};
use crate::spell::printable;
use std::ffi::OsStr;
use std::num::{NonZeroU32, NonZeroU64};
use std::ops::RangeInclusive;

/// Reads the decimal value of an option: blanks, a sign, digits.
///
/// # Errors
///
/// A usage failure naming the option and the range.
pub(crate) fn decimal(
    id: FlagId,
    value: &OsStr,
    range: RangeInclusive<i64>,
) -> Result<i64, Failure> {
    let text = value.to_str().map(|text| text.trim_start_matches(is_blank));
    text.and_then(|text| text.parse().ok())
        .filter(|number| range.contains(number))
        .ok_or_else(|| out_of_range(id, value, &range))
}

/// Reads a limit: zero and every negative number mean that there is none.
///
/// # Errors
///
/// As for [`decimal`].
pub(crate) fn limit(id: FlagId, value: &OsStr) -> Result<Option<NonZeroU64>, Failure> {
    let number = decimal(id, value, i64::MIN..=i64::MAX)?;
    Ok(u64::try_from(number).ok().and_then(NonZeroU64::new))
}

/// What follows a size, and by which power of two it multiplies.
const SIZE_SUFFIXES: [(char, u32); 3] = [('k', 10), ('M', 20), ('G', 30)];

/// Reads a size in octets: digits, and perhaps a suffix in either case; zero means that there is none.
///
/// # Errors
///
/// A usage failure naming the option.
pub(crate) fn size(id: FlagId, value: &OsStr) -> Result<Option<NonZeroU64>, Failure> {
    let read = |text: &str| -> Option<u64> {
        let suffix = SIZE_SUFFIXES.into_iter().find_map(|(letter, power)| {
            let digits = text.strip_suffix([letter, swap_case(letter)])?;
            Some((digits, power))
        });
        let (digits, power) = suffix.unwrap_or((text, 0));
        let is_number = !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit());
        is_number
            .then(|| digits.parse().ok())
            .flatten()
            .and_then(|n: u64| n.checked_mul(1 << power))
    };
    match value.to_str().and_then(read) {
        Some(size) => Ok(NonZeroU64::new(size)),
        None => Err(not_a_size(id, value)),
    }
}

fn swap_case(letter: char) -> char {
    if letter.is_ascii_lowercase() {
        letter.to_ascii_uppercase()
    } else {
        letter.to_ascii_lowercase()
    }
}

#[cold]
fn not_a_size(id: FlagId, value: &OsStr) -> Failure {
    let (name, shown) = (spelling(id), printable(value));
    let message = format!("argument to {name} must be a number of bytes, not '{shown}'");
    Failure::usage(message).with_hint("for example 500000, 64k, 512M or 2G")
}

#[cold]
fn out_of_range(id: FlagId, value: &OsStr, range: &RangeInclusive<i64>) -> Failure {
    let (name, shown) = (spelling(id), printable(value));
    let bounds = if *range.start() == i64::MIN {
        format!("up to {}", range.end())
    } else {
        format!("from {} to {}", range.start(), range.end())
    };
    Failure::usage(format!("argument to {name} must be a whole number {bounds}, not '{shown}'"))
}

/// Reads the number of a source, operator or group: not zero; hexadecimal
/// after `0x`, octal after `0`, else decimal; blanks and a plus sign before it.
pub(crate) fn label_number(text: &str) -> Option<NonZeroU32> {
    let text = text.trim_start_matches(is_blank);
    let digits = text.strip_prefix('+').unwrap_or(text);
    let (radix, digits) = if let Some(hex) = digits.strip_prefix("0x") {
        (16, hex)
    } else if let Some(hex) = digits.strip_prefix("0X") {
        (16, hex)
    } else if digits.starts_with('0') {
        (8, digits)
    } else {
        (10, digits)
    };
    // `from_str_radix` would take a second sign.
    if !digits.starts_with(|c: char| c.is_digit(radix)) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok().and_then(NonZeroU32::new)
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cl_2_numbers_are_strict() {
        let whole = i64::MIN..=i64::MAX;
        for (text, want) in [
            ("0", Some(0)),
            ("17", Some(17)),
            ("+17", Some(17)),
            ("-1", Some(-1)),
            ("007", Some(7)),
            (" \t5", Some(5)),
            ("4294967297", Some(4_294_967_297)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("", None),
            (" ", None),
            ("abc", None),
            ("1abc", None),
            ("1e9", None),
            ("0x1", None),
            ("1 ", None),
            ("1,000", None),
            ("--1", None),
        ] {
            let have = decimal(FlagId::Count, OsStr::new(text), whole.clone());
            assert_eq!(have.ok(), want, "'{text}'");
        }
    }

    #[test]
    fn cl_2_messages_name_option_and_range() {
        let message =
            |id, value: &str, range| decimal(id, OsStr::new(value), range).unwrap_err().to_string();
        assert_eq!(
            message(FlagId::Count, "1abc", i64::MIN..=i64::MAX),
            "usage error: argument to -c must be a whole number up to 9223372036854775807, \
             not '1abc'"
        );
        assert_eq!(
            message(FlagId::Threads, "0", 1..=1024),
            "usage error: argument to --threads must be a whole number from 1 to 1024, not '0'"
        );
    }

    #[test]
    fn cl_2_zero_and_negative_limits_are_no_limit() {
        for (text, want) in
            [("0", None), ("-1", None), ("-9223372036854775808", None), ("3", Some(3))]
        {
            let have = limit(FlagId::Count, OsStr::new(text)).unwrap();
            assert_eq!(have.map(NonZeroU64::get), want, "{text}");
        }
        assert!(limit(FlagId::ByteRate, OsStr::new("fast")).is_err());
    }

    #[test]
    fn cl_2_sizes() {
        for (text, want) in [
            ("0", Some(0)),
            ("0k", Some(0)),
            ("1", Some(1)),
            ("64k", Some(65_536)),
            ("64K", Some(65_536)),
            ("512M", Some(536_870_912)),
            ("512m", Some(536_870_912)),
            ("2G", Some(2_147_483_648)),
            ("2g", Some(2_147_483_648)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("17179869183G", Some(17_179_869_183 << 30)),
            ("17179869184G", None),
            ("", None),
            ("k", None),
            ("-1", None),
            ("+1", None),
            (" 1", None),
            ("1kk", None),
            ("1.5M", None),
            ("1T", None),
            ("1MB", None),
            ("0x10", None),
        ] {
            let have = size(FlagId::RotateSize, OsStr::new(text));
            assert_eq!(have.ok().map(|n| n.map_or(0, u64::from)), want, "'{text}'");
        }
        let failure = size(FlagId::RotateSize, OsStr::new("big")).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "usage error: argument to --rotate-size must be a number of bytes, not 'big'"
        );
        assert!(failure.hint().is_some());
    }

    #[test]
    fn cl_2_label_numbers() {
        for (text, want) in [
            ("1", Some(1)),
            ("+5", Some(5)),
            (" 5", Some(5)),
            ("010", Some(8)),
            ("0x1f", Some(31)),
            ("0X1F", Some(31)),
            ("0xfedcba98", Some(0xfedc_ba98)),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", None),
            ("0", None),
            ("0x0", None),
            ("", None),
            ("0x", None),
            ("08", None),
            ("5 ", None),
            ("5x", None),
            ("-1", None),
            ("+-1", None),
            ("0x+1", None),
            ("++1", None),
        ] {
            assert_eq!(label_number(text).map(NonZeroU32::get), want, "'{text}'");
        }
    }
}
