//! Dates and times from text (`rendering-and-parsing` §9.2, `decisions` JI-5).

use crate::Timestamp;
use crate::text::time::days_from_civil;

const SECONDS_PER_DAY: i64 = 86_400;

/// Reads a number as `strptime` does: blanks, then up to `digits` digits while the next one can
/// still keep it within `high`.
fn number(text: &mut &[u8], (low, high): (u32, u32), digits: usize) -> Option<u32> {
    while let [b' ', rest @ ..] = *text {
        *text = rest;
    }
    let mut value = 0;
    for i in 0..digits {
        match *text {
            [digit @ b'0'..=b'9', rest @ ..] if i == 0 || value * 10 <= high => {
                value = value * 10 + u32::from(digit - b'0');
                *text = rest;
            }
            _ if i == 0 => return None,
            _ => break,
        }
    }
    (low..=high).contains(&value).then_some(value)
}

fn literal(text: &mut &[u8], octet: u8) -> Option<()> {
    let (&first, rest) = text.split_first()?;
    *text = rest;
    (first == octet).then_some(())
}

/// Reads `YYYY-MM-DD HH:MM:SS` in UTC and returns the seconds since the epoch and what follows.
///
/// Blanks are flexible, single digits suffice, days beyond the end of a month carry over. A year
/// may have a sign and more than four digits, as it is written (`decisions` JO-6). With `T` the
/// time may also follow that letter.
#[inline]
pub(crate) fn parse_seconds<const T: bool>(text: &[u8]) -> Option<(i64, &[u8])> {
    match text.split_first_chunk::<19>() {
        Some((usual, rest)) => match parse_usual::<T>(usual) {
            Some(seconds) => Some((seconds, rest)),
            None => parse_any::<T>(text),
        },
        None => parse_any::<T>(text),
    }
}

/// Reads the form that is written everywhere; `None` leaves the text to [`parse_any`].
#[inline(always)]
fn parse_usual<const T: bool>(text: &[u8; 19]) -> Option<i64> {
    let mut wrong = 0_u8;
    let mut pair = |at: usize| {
        let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
        wrong |= u8::from(tens > 9) | u8::from(ones > 9);
        u32::from(tens) * 10 + u32::from(ones)
    };
    let year = pair(0) * 100 + pair(2);
    let (month, day) = (pair(5), pair(8));
    let (hour, minute, second) = (pair(11), pair(14), pair(17));
    let between = text[10] == b' ' || T && matches!(text[10], b'T' | b't');
    let right = wrong == 0
        && between
        && (text[4], text[7], text[13], text[16]) == (b'-', b'-', b':', b':')
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 62;
    if !right {
        return None;
    }
    let days = days_from_civil(year.into(), month, day);
    Some(days * SECONDS_PER_DAY + i64::from(hour * 3600 + minute * 60 + second))
}

#[cold]
fn parse_any<const T: bool>(mut text: &[u8]) -> Option<(i64, &[u8])> {
    let rest = &mut text;
    let year = year(rest)?;
    literal(rest, b'-')?;
    let month = number(rest, (1, 12), 2)?;
    literal(rest, b'-')?;
    let day = number(rest, (1, 31), 2)?;
    if T && matches!(rest.first(), Some(b'T' | b't')) {
        *rest = &rest[1..];
    }
    *rest = rest.trim_ascii_start();
    let hour = number(rest, (0, 23), 2)?;
    literal(rest, b':')?;
    let minute = number(rest, (0, 59), 2)?;
    literal(rest, b':')?;
    let second = number(rest, (0, 61), 2)?;
    let days = i128::from(days_from_civil(year, month, day));
    let seconds =
        days * i128::from(SECONDS_PER_DAY) + i128::from(hour * 3600 + minute * 60 + second);
    Some((i64::try_from(seconds).ok()?, text))
}

/// Reads a year of up to twelve digits, with a sign when it is negative.
fn year(text: &mut &[u8]) -> Option<i64> {
    const DIGITS: usize = 12;
    let trimmed = &text[text.iter().take_while(|&&octet| octet == b' ').count()..];
    let (negative, digits) = match trimmed {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, trimmed),
    };
    let len = digits.iter().take_while(|octet| octet.is_ascii_digit()).count();
    if !(1..=DIGITS).contains(&len) {
        return None;
    }
    let (digits, rest) = digits.split_at(len);
    *text = rest;
    let year = digits.iter().fold(0, |year, digit| year * 10 + i64::from(digit - b'0'));
    Some(if negative { -year } else { year })
}

/// Reads the time of a JSON record: date and time, decimals (nine count), and `Z` or a UTC offset.
/// Other text behind it does not matter.
#[inline]
pub(crate) fn parse_timestamp(text: &[u8]) -> Option<Timestamp> {
    let (mut sec, mut rest) = parse_seconds::<true>(text)?;
    let mut nsec = 0;
    if let [b'.', digits @ ..] = rest {
        let len = digits.iter().take_while(|octet| octet.is_ascii_digit()).count();
        nsec = nanoseconds(&digits[..len]);
        rest = &digits[len..];
    }
    if !rest.is_empty() {
        sec = sec.checked_sub(offset(rest))?;
    }
    Some(Timestamp { sec, nsec })
}

/// Decimals of a second as nanoseconds; what is beyond nine digits is cut.
#[inline]
pub(crate) fn nanoseconds(digits: &[u8]) -> u32 {
    let used = &digits[..digits.len().min(9)];
    let value = used.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    value * 10_u32.pow(9 - used.len() as u32)
}

/// Seconds east of UTC of `±hh:mm` or `±hhmm`; 0 for any other text.
fn offset(text: &[u8]) -> i64 {
    let (negative, digits) = match text {
        [b'+', rest @ ..] => (false, rest),
        [b'-', rest @ ..] => (true, rest),
        _ => return 0,
    };
    let digits = match *digits {
        [a, b, b':', c, d, ..] | [a, b, c, d, ..] => [a, b, c, d],
        _ => return 0,
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return 0;
    }
    let [a, b, c, d] = digits.map(|digit| i64::from(digit - b'0'));
    let (hours, minutes) = (a * 10 + b, c * 10 + d);
    if hours > 23 || minutes > 59 {
        return 0;
    }
    let seconds = hours * 3600 + minutes * 60;
    if negative { -seconds } else { seconds }
}

/// The time of a JSON number with decimals or an exponent (`decisions` JI-6); `None` when it is no
/// number of seconds in 64 bits.
pub(crate) fn timestamp_of_double(value: f64) -> Option<Timestamp> {
    let whole = value.floor();
    // 2⁶³ is a double, the largest number of seconds is not.
    if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&whole) {
        return None;
    }
    let nsec = ((value - whole) * 1e9) as u32;
    Some(Timestamp { sec: whole as i64, nsec: nsec.min(999_999_999) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_700_000_000;

    #[test]
    fn dates_are_read_as_strptime_does() {
        for (text, want) in [
            ("2023-11-14 22:13:20", Some((NOON, ""))),
            ("2023-11-14 22:13:20.5Z", Some((NOON, ".5Z"))),
            ("2023-11-14\t \n22:13:20", Some((NOON, ""))),
            ("2023-11-1422:13:20", Some((NOON, ""))),
            (" 2023- 11- 14  22: 13: 20", Some((NOON, ""))),
            ("2023-1-2 3:4:5", Some((1_672_628_645, ""))),
            ("2023-02-31 00:00:00", Some((1_677_801_600, ""))),
            ("2023-01-01 23:59:60", Some((1_672_617_600, ""))),
            ("2023-01-01 23:59:61", Some((1_672_617_601, ""))),
            ("0023-01-01 00:00:00", Some((-61_441_372_800, ""))),
            ("23-01-01 00:00:00", Some((-61_441_372_800, ""))),
            ("2023-02-32 00:00:00", None),
            ("2023-01-01 23:59:62", None),
            ("2023-01-01 24:00:00", None),
            ("2023-13-01 00:00:00", None),
            ("2023-0-01 00:00:00", None),
            ("2023-01-0 00:00:00", None),
            ("2023-001-01 00:00:00", None),
            ("2023 -01-01 00:00:00", None),
            ("+2023-01-01 00:00:00", None),
            ("2023-01-01 00:00", None),
            ("2023-01-01", None),
            ("2023-11-14T22:13:20", None),
            ("2023-11-14x22:13:20", None),
            ("2023-11-14 22:1a:20", None),
            ("", None),
        ] {
            let want = want.map(|(sec, rest)| (sec, rest.as_bytes()));
            assert_eq!(parse_seconds::<false>(text.as_bytes()), want, "{text}");
        }
    }

    #[test]
    fn ji_5_fractions_are_decimal_and_offsets_count() {
        for (text, sec, nsec) in [
            ("2023-11-14 22:13:20", NOON, 0),
            ("2023-11-14 22:13:20.", NOON, 0),
            ("2023-11-14 22:13:20.5", NOON, 500_000_000),
            ("2023-11-14 22:13:20.500000000", NOON, 500_000_000),
            ("2023-11-14 22:13:20.000000005", NOON, 5),
            ("2023-11-14 22:13:20.1234567899", NOON, 123_456_789),
            ("2023-11-14T22:13:20Z", NOON, 0),
            ("2023-11-14t22:13:20.25z", NOON, 250_000_000),
            ("2023-11-14T23:13:20+01:00", NOON, 0),
            ("2023-11-14 20:43:20.5-0130", NOON, 500_000_000),
            ("2023-1-4T22:13:20", 1_672_870_400, 0),
            ("2023-11-14 22:13:20 +01:00", NOON, 0),
            ("2023-11-14 22:13:20+01", NOON, 0),
            ("2023-11-14 22:13:20+24:00", NOON, 0),
            ("2023-11-14 22:13:20+01:60", NOON, 0),
            ("2023-11-14 22:13:20 UTC", NOON, 0),
            ("2023-11-14 22:13:20.x5", NOON, 0),
        ] {
            assert_eq!(parse_timestamp(text.as_bytes()), Some(Timestamp { sec, nsec }), "{text}");
        }
        assert_eq!(parse_timestamp(b"yesterday"), None);
    }

    #[test]
    fn every_time_that_is_written_reads_back() {
        let mut out = wdns::TextBuffer::new();
        let mut state = 7_u64;
        for round in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let sec = match round {
                0 => i64::MIN,
                1 => i64::MAX,
                _ => state as i64 >> (state >> 58),
            };
            out.clear();
            crate::text::time::write_seconds(&mut out, sec);
            assert_eq!(parse_seconds::<false>(out.as_bytes()), Some((sec, &b""[..])));
        }
        assert_eq!(parse_seconds::<false>(b"292277026596-12-04 15:30:08"), None);
        assert_eq!(parse_seconds::<false>(b"-292277022657-01-27 08:29:51"), None);
        assert_eq!(parse_timestamp(b"292277026596-12-04 15:30:07-01:00"), None);
    }

    #[test]
    fn ji_6_float_times_of_any_size_and_sign() {
        for (value, want) in [
            (5.5, Some((5, 500_000_000))),
            (0.3, Some((0, 300_000_000))),
            (1_700_000_000.123_456_7, Some((NOON, 123_456_716))),
            (-5.5, Some((-6, 500_000_000))),
            (-0.25, Some((-1, 750_000_000))),
            (-1e-12, Some((-1, 999_999_999))),
            (1e10, Some((10_000_000_000, 0))),
            (4_294_967_296.5, Some((4_294_967_296, 500_000_000))),
            (-9.3e18, None),
            (9.3e18, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
        ] {
            let want = want.map(|(sec, nsec)| Timestamp { sec, nsec });
            assert_eq!(timestamp_of_double(value), want, "{value}");
        }
    }
}
