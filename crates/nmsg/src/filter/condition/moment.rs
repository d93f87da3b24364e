//! Points in time as expressions name them.

use crate::Timestamp;
use crate::text::time::days_from_civil;

/// A time put into one number, so that ranges of times are ranges of numbers: seconds, then 32
/// bits of nanoseconds.
#[inline(always)]
pub(super) fn key(time: Timestamp) -> i128 {
    i128::from(time.sec) << 32 | i128::from(time.nsec)
}

/// What a time literal stands for: a point, and what it names as a whole, such as a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moment {
    /// Key of the start.
    pub(super) start: i128,
    /// Key of the last point that belongs to it.
    pub(super) last: i128,
}

impl Moment {
    fn lasting(sec: i64, seconds: i64) -> Option<Self> {
        let end = sec.checked_add(seconds)?;
        Some(Self { start: i128::from(sec) << 32, last: (i128::from(end) << 32) - 1 })
    }

    fn exact(time: Timestamp) -> Self {
        Self { start: key(time), last: key(time) }
    }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Reads `2024-01-02`, `2024-01-02T03:04`, `2024-01-02T03:04:05.678` (`T` or a blank, `Z` or
/// nothing at the end; always UTC), seconds since the epoch with or without decimals, `now`, and
/// `now-1d12h`.
pub(super) fn parse(text: &str, now: Timestamp) -> Option<Moment> {
    if let Some(offset) = text.get(..3).filter(|word| word.eq_ignore_ascii_case("now")) {
        return relative(&text[offset.len()..], now);
    }
    let date_end = text.get(1..)?.find('-').map_or(0, |at| at + 1);
    if date_end == 0 { epoch(text) } else { calendar(text) }
}

fn relative(offset: &str, now: Timestamp) -> Option<Moment> {
    let Some(&sign) = offset.as_bytes().first() else { return Some(Moment::exact(now)) };
    let mut seconds = 0_i64;
    let mut rest = offset.get(1..).filter(|rest| !rest.is_empty())?;
    while !rest.is_empty() {
        let digits = rest.bytes().position(|octet| !octet.is_ascii_digit())?;
        let count: i64 = rest[..digits].parse().ok()?;
        let unit = match rest.as_bytes()[digits].to_ascii_lowercase() {
            b's' => 1,
            b'm' => MINUTE,
            b'h' => HOUR,
            b'd' => DAY,
            b'w' => 7 * DAY,
            _ => return None,
        };
        seconds = seconds.checked_add(count.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    let sec = match sign {
        b'-' => now.sec.checked_sub(seconds)?,
        b'+' => now.sec.checked_add(seconds)?,
        _ => return None,
    };
    Some(Moment::exact(Timestamp { sec, ..now }))
}

fn epoch(text: &str) -> Option<Moment> {
    match text.split_once('.') {
        None => Moment::lasting(
            digits(text.strip_prefix('-').unwrap_or(text), 1..=18)?
                * if text.starts_with('-') { -1 } else { 1 },
            1,
        ),
        Some((sec, fraction)) => {
            let sec = digits(sec, 1..=18)?;
            Some(Moment::exact(Timestamp { sec, nsec: nanoseconds(fraction)? }))
        }
    }
}

fn calendar(text: &str) -> Option<Moment> {
    let text = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let (date, clock) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = digits(parts.next()?, 4..=6)?;
    let month = digits(parts.next()?, 2..=2)? as u32;
    let day = digits(parts.next()?, 2..=2)? as u32;
    if parts.next().is_some() || !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    let start = days_from_civil(year, month, day);
    if start >= days_from_civil(year, month + 1, 1) {
        return None;
    }
    let midnight = start * DAY;
    let Some(clock) = clock else { return Moment::lasting(midnight, DAY) };
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (clock, None),
    };
    let mut parts = clock.split(':');
    let hour = digits(parts.next()?, 2..=2).filter(|&hour| hour < 24)?;
    let minute = digits(parts.next()?, 2..=2).filter(|&minute| minute < 60)?;
    let start = midnight + hour * HOUR + minute * MINUTE;
    let Some(second) = parts.next() else {
        return if fraction.is_none() { Moment::lasting(start, MINUTE) } else { None };
    };
    let sec = start + digits(second, 2..=2).filter(|&second| second < 60)?;
    match (fraction, parts.next()) {
        (None, None) => Moment::lasting(sec, 1),
        (Some(fraction), None) => {
            Some(Moment::exact(Timestamp { sec, nsec: nanoseconds(fraction)? }))
        }
        _ => None,
    }
}

/// The value of decimal digits; `None` when there are other characters or another count of them.
fn digits(text: &str, count: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let decimal = text.bytes().all(|octet| octet.is_ascii_digit());
    if decimal && count.contains(&text.len()) { text.parse().ok() } else { None }
}

fn nanoseconds(fraction: &str) -> Option<u32> {
    let value = digits(fraction, 1..=9)? as u32;
    Some(value * 10_u32.pow(9 - fraction.len() as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp { sec: 1_700_000_000, nsec: 5 };

    #[test]
    fn times_name_points_and_spans() {
        let point = |sec, nsec| Some((sec, nsec, 0));
        for (text, want) in [
            ("1970-01-01", Some((0, 0, 86_400))),
            ("2024-01-02", Some((1_704_153_600, 0, 86_400))),
            ("2024-02-29", Some((1_709_164_800, 0, 86_400))),
            ("2024-12-31", Some((1_735_603_200, 0, 86_400))),
            ("2024-01-02T03:04", Some((1_704_164_640, 0, 60))),
            ("2024-01-02T03:04:05", Some((1_704_164_645, 0, 1))),
            ("2024-01-02t03:04:05Z", Some((1_704_164_645, 0, 1))),
            ("2024-01-02 03:04:05z", Some((1_704_164_645, 0, 1))),
            ("2024-01-02T03:04:05.5Z", point(1_704_164_645, 500_000_000)),
            ("2024-01-02T03:04:05.000000001", point(1_704_164_645, 1)),
            ("1700000000", Some((1_700_000_000, 0, 1))),
            ("-1", Some((-1, 0, 1))),
            ("1700000000.25", point(1_700_000_000, 250_000_000)),
            ("now", point(1_700_000_000, 5)),
            ("NOW-1h", point(1_699_996_400, 5)),
            ("now+1d2h3m4s", point(1_700_093_784, 5)),
            ("now-2w", point(1_698_790_400, 5)),
            ("10000-01-01", Some((253_402_300_800, 0, 86_400))),
            ("2023-02-29", None),
            ("2024-04-31", None),
            ("2024-13-01", None),
            ("2024-00-01", None),
            ("2024-01-00", None),
            ("2024-1-1", None),
            ("24-01-01", None),
            ("2024-01-01-01", None),
            ("2024-01-02T24:00", None),
            ("2024-01-02T03:60", None),
            ("2024-01-02T03:04:60", None),
            ("2024-01-02T03", None),
            ("2024-01-02T03:04.5", None),
            ("2024-01-02T03:04:05.", None),
            ("2024-01-02T03:04:05.1234567890", None),
            ("2024-01-02T03:04:05:06", None),
            ("2024-01-02T03:04:05+01:00", None),
            ("now-", None),
            ("now-1", None),
            ("now-1y", None),
            ("now-h", None),
            ("nowhere", None),
            ("now-99999999999999999w", None),
            ("12345678901234567890", None),
            ("1.", None),
            ("", None),
            ("-", None),
            ("é", None),
            ("noé", None),
        ] {
            let got = parse(text, NOW).map(|moment| {
                let lasts = (moment.last + 1 - moment.start) >> 32;
                ((moment.start >> 32) as i64, moment.start as u32, lasts as i64)
            });
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn keys_order_as_times_do() {
        let times = [(i64::MIN, 0), (-1, u32::MAX), (0, 0), (0, 1), (1, 0), (i64::MAX, u32::MAX)];
        let keys = times.map(|(sec, nsec)| key(Timestamp { sec, nsec }));
        assert!(keys.is_sorted());
    }
}
