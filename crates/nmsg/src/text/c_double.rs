//! Floating-point numbers in the notation of C (`rendering-and-parsing` §8).

use super::c_number::{magnitude, sign};

/// Reads all of `text` as a floating-point number: decimal, hexadecimal (`0x1.8p1`), `inf`,
/// `infinity`, `nan`, `nan(…)` in any letter case.
pub(crate) fn parse_double(text: &[u8]) -> Option<f64> {
    let (negative, rest) = sign(text);
    let unsigned = if let [b'0', b'x' | b'X', digits @ ..] = rest {
        hex_double(digits)?
    } else if rest.len() > 3 && rest[..3].eq_ignore_ascii_case(b"nan") {
        let inside = rest[3..].strip_prefix(b"(")?.strip_suffix(b")")?;
        let word = |octet: &u8| octet.is_ascii_alphanumeric() || *octet == b'_';
        inside.iter().all(word).then_some(f64::NAN)?
    } else if matches!(rest.first(), Some(b'+' | b'-')) {
        return None;
    } else {
        std::str::from_utf8(rest).ok()?.parse().ok()?
    };
    Some(if negative { -unsigned } else { unsigned })
}

/// Reads what follows `0x`: digits, a point among them, and `p` with a power of two.
fn hex_double(text: &[u8]) -> Option<f64> {
    let (mut mantissa, mut exponent, mut digits, mut point) = (0_u64, 0_i64, false, false);
    let mut rest = text;
    while let Some((&octet, after)) = rest.split_first() {
        match char::from(octet).to_digit(16) {
            Some(digit) => {
                digits = true;
                if mantissa >> 59 == 0 {
                    mantissa = mantissa << 4 | u64::from(digit);
                    exponent -= if point { 4 } else { 0 };
                } else {
                    // What is cut off decides only how the last bit is rounded.
                    mantissa |= u64::from(digit != 0);
                    exponent += if point { 0 } else { 4 };
                }
            }
            None if octet == b'.' && !point => point = true,
            None => break,
        }
        rest = after;
    }
    if !digits {
        return None;
    }
    if let [b'p' | b'P', power @ ..] = rest {
        let (negative, digits) = sign(power);
        let (power, _, after) = magnitude(digits, 10)?;
        let power = i64::try_from(power).unwrap_or(i64::MAX).min(1 << 40);
        exponent += if negative { -power } else { power };
        rest = after;
    }
    if !rest.is_empty() {
        return None;
    }
    Some(scale(mantissa as f64, exponent.clamp(-5000, 5000)))
}

/// `value` × 2^`exponent`, in steps that overflow or vanish only when the result does.
fn scale(mut value: f64, mut exponent: i64) -> f64 {
    while exponent != 0 && value != 0.0 && value.is_finite() {
        let step = exponent.clamp(-1000, 1000);
        value *= 2_f64.powi(step as i32);
        exponent -= step;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_read_as_in_c() {
        for (text, want) in [
            ("1", 1.0),
            ("-1.5e3", -1500.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("+2", 2.0),
            ("1e400", f64::INFINITY),
            ("1e-400", 0.0),
            ("inf", f64::INFINITY),
            ("-INFINITY", f64::NEG_INFINITY),
            ("0x1p4", 16.0),
            ("0x1.8p1", 3.0),
            ("-0X.8P-1", -0.25),
            ("0x10", 16.0),
            ("0xffffffffffffffffffff", 1_208_925_819_614_629_174_706_175.0),
            ("0x1p-1074", 5e-324),
            ("0x1p99999999999999999999", f64::INFINITY),
            ("0x0p99999", 0.0),
            ("0x1.00000000000008p0", 1.0),
            ("0x1.000000000000080000000000001p0", 1.000_000_000_000_000_2),
        ] {
            assert_eq!(parse_double(text.as_bytes()), Some(want), "{text}");
        }
        for text in ["nan", "NaN", "-nan", "nan(5)", "nan()"] {
            assert!(parse_double(text.as_bytes()).is_some_and(f64::is_nan), "{text}");
        }
        for text in
            ["", "x", "5x", "0x", "0x.", "0x1p", "0x1p+", "--1", "+-1", "nan(", "1 ", "nan( )"]
        {
            assert_eq!(parse_double(text.as_bytes()), None, "{text}");
        }
    }
}
