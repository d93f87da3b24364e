use wdns::TextBuffer;

/// Appends a finite number with `DIGITS` decimals, six or eighteen, rounded half to even on its exact value. Zeros at
/// the end of eighteen decimals are left out, but for the first decimal.
fn fixed<const DIGITS: u32>(out: &mut TextBuffer, value: f64) {
    let bits = value.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    // value = mantissa × 2^-shift
    let mantissa = if exponent == 0 { fraction } else { fraction | 1 << 52 };
    let shift = 1075 - exponent.max(1);
    if bits >> 63 == 1 {
        out.byte(b'-');
    }
    if shift < 0 {
        return integral(out, mantissa, shift.unsigned_abs(), if DIGITS > 9 { 1 } else { DIGITS });
    }
    let (mut whole, mut decimals) = match shift {
        0..=63 => (mantissa >> shift, 0),
        _ => (0, 0),
    };
    if let 1..=64 = shift {
        // The fraction in units of 2^-64: what does not fit is the whole part.
        let fraction = mantissa << (64 - shift);
        let scaled = u128::from(fraction) * u128::from(10_u64.pow(DIGITS));
        decimals = (scaled >> 64) as u64;
        let rest = scaled as u64;
        // Half of all numbers are rounded up: no branch.
        const HALF: u64 = 1 << 63;
        decimals += u64::from((rest > HALF) | ((rest == HALF) & (decimals & 1 == 1)));
    } else if let 65..=127 = shift {
        // At most 2^53 × 10^18 < 2^113.
        let scaled = u128::from(mantissa) * 10_u128.pow(DIGITS);
        let rest = scaled & ((1 << shift) - 1);
        decimals = (scaled >> shift) as u64;
        let half = 1 << (shift - 1);
        decimals += u64::from((rest > half) | ((rest == half) & (decimals & 1 == 1)));
    }
    if decimals == 10_u64.pow(DIGITS) {
        decimals = 0;
        whole += 1;
    }
    out.decimal(whole);
    out.byte(b'.');
    if DIGITS > 9 { out.eighteen_decimals(decimals) } else { out.six_decimals(decimals) }
}

/// Appends `mantissa` × 2^`shift`, which is whole and may have hundreds of digits, and `zeros`
/// decimals.
#[cold]
fn integral(out: &mut TextBuffer, mantissa: u64, mut shift: u32, zeros: u32) {
    const NINE: u64 = 1_000_000_000;
    /// Bits by which a group of nine digits can be shifted at once.
    const STEP: u32 = 34;
    // Groups of nine digits, the lowest first: 2^1024 has 309 digits.
    let mut groups = [0_u32; 35];
    let mut used = 0;
    let mut carry = mantissa;
    while carry > 0 {
        groups[used] = (carry % NINE) as u32;
        carry /= NINE;
        used += 1;
    }
    while shift > 0 {
        let step = shift.min(STEP);
        shift -= step;
        let mut carry = 0;
        for group in &mut groups[..used] {
            // Less than 2^30 × 2^34 and what is carried: at most (10^9 - 1) × 2^34 + 2^34.
            let value = (u64::from(*group) << step) + carry;
            *group = (value % NINE) as u32;
            carry = value / NINE;
        }
        while carry > 0 {
            groups[used] = (carry % NINE) as u32;
            carry /= NINE;
            used += 1;
        }
    }
    let mut groups = groups[..used].iter().rev();
    out.decimal(groups.next().copied().unwrap_or(0).into());
    groups.for_each(|group| out.nine_digits(*group));
    out.byte(b'.');
    for _ in 0..zeros {
        out.byte(b'0');
    }
}

/// Appends a number with six decimals; `nan`, `inf`, `-inf` (`rendering-and-parsing` §4.1).
pub(crate) fn presentation_double(out: &mut TextBuffer, value: f64) {
    match not_finite(value) {
        Some(name) => out.bytes(name),
        None => fixed::<6>(out, value),
    }
}

/// Appends a number with up to eighteen decimals, at least one; what is not finite as a string
/// (`decisions` JO-4, JO-5).
pub(crate) fn json_double(out: &mut TextBuffer, value: f64) {
    if !value.is_finite() {
        return match value {
            f64::INFINITY => out.array(b"\"inf\""),
            f64::NEG_INFINITY => out.array(b"\"-inf\""),
            _ => out.array(b"\"nan\""),
        };
    }
    fixed::<18>(out, value);
}

fn not_finite(value: f64) -> Option<&'static [u8]> {
    if value.is_nan() {
        // The reference's platform shows the sign of a NaN.
        Some(if value.is_sign_negative() { b"-nan" } else { b"nan" })
    } else if value.is_infinite() {
        Some(if value < 0.0 { b"-inf" } else { b"inf" })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: f64) -> String {
        let mut out = TextBuffer::new();
        json_double(&mut out, value);
        out.to_string_lossy()
    }

    fn presentation(value: f64) -> String {
        let mut out = TextBuffer::new();
        presentation_double(&mut out, value);
        out.to_string_lossy()
    }

    #[test]
    fn jo_5_doubles_keep_the_reference_digits() {
        for (value, want) in [
            (1.0, "1.0"),
            (0.2, "0.200000000000000011"),
            (1e-10, "0.0000000001"),
            (1e21, "1000000000000000000000.0"),
            (-0.0, "-0.0"),
            (0.00571, "0.00571"),
            (1e-19, "0.0"),
            (6e-19, "0.000000000000000001"),
            (f64::MIN_POSITIVE, "0.0"),
            (5e-324, "0.0"),
            (123456.75, "123456.75"),
        ] {
            assert_eq!(json(value), want);
        }
        let long = json(1e300);
        assert!(
            long.starts_with("1000000000000000052504760255204420248704468581108159154915854115")
        );
        assert_eq!(long.len(), 303);
    }

    #[test]
    fn jo_4_what_is_not_finite_is_a_string() {
        assert_eq!(
            [f64::NAN, f64::INFINITY, -f64::INFINITY].map(json),
            ["\"nan\"", "\"inf\"", "\"-inf\""]
        );
        assert_eq!(
            [f64::NAN, f64::INFINITY, -f64::INFINITY].map(presentation),
            ["nan", "inf", "-inf"]
        );
    }

    #[test]
    fn fixed_decimals_equal_the_standard_formatter() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for round in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let value = match round % 3 {
                0 => f64::from_bits(state),
                1 => (state >> 11) as f64 / (1_u64 << (round % 60)) as f64,
                _ => (state as i32) as f64 / 1000.0,
            };
            if !value.is_finite() {
                continue;
            }
            assert_eq!(presentation(value), format!("{value:.6}"), "{value:e}");
            let want = format!("{value:.18}");
            let want = want.trim_end_matches('0');
            let want = if want.ends_with('.') { format!("{want}0") } else { want.to_owned() };
            assert_eq!(json(value), want, "{value:e}");
        }
    }
}
