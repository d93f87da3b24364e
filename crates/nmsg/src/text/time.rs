//! Points in time as text: `2023-11-14 22:13:20.123456789`, UTC.

use wdns::{Piece, TextBuffer};

use crate::Timestamp;

const SECONDS_PER_DAY: i64 = 86_400;

/// Year, month and day of a day count since 1970-01-01, in the proleptic Gregorian calendar.
fn civil_from_days(days: i64) -> (i64, u32, u32) {
    // Count from 0000-03-01, so that the leap day ends a year.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097) as u32;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (i64::from(year_of_era) + era * 400 + carry, month, day)
}

/// Digits of a number below one hundred.
#[inline(always)]
const fn two_digits(value: u32) -> [u8; 2] {
    [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]
}

/// Days since 1970-01-01 of a date; months and days out of their range carry over.
pub(crate) fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = i64::from((month + 9) % 12);
    let day_of_year = (153 * shifted + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Appends `YYYY-MM-DD HH:MM:SS`; the year is signed and has as many digits as it needs, without
/// leading zeros (`decisions` JO-6, PO-6).
#[inline]
pub fn write_seconds(out: &mut TextBuffer, seconds: i64) {
    let days = seconds.div_euclid(SECONDS_PER_DAY);
    let second = seconds.rem_euclid(SECONDS_PER_DAY) as u32;
    let (year, month, day) = civil_from_days(days);
    if let Ok(year @ 1000..=9999) = u32::try_from(year) {
        out.two_digits(year / 100);
        out.two_digits(year % 100);
    } else {
        out.decimal_signed(year);
    }
    let (month, day) = (two_digits(month), two_digits(day));
    let (hour, minute, second) =
        (two_digits(second / 3600), two_digits(second / 60 % 60), two_digits(second % 60));
    out.array(&[
        b'-', month[0], month[1], b'-', day[0], day[1], b' ', hour[0], hour[1], b':', minute[0],
        minute[1], b':', second[0], second[1],
    ]);
}

/// Number of days whose text [`TimeWriter`] keeps.
const KEPT: usize = 64;

/// A day as text, for years of four digits: `YYYY-MM-DD `.
#[derive(Clone, Copy, Debug)]
struct Known {
    number: u32,
    text: [u8; 16],
}

/// Octets of `YYYY-MM-DD `.
const DATE_LEN: usize = 11;

/// Octets of `YYYY-MM-DD HH:MM:SS`.
const TIME_LEN: usize = 19;

/// Writes points in time, remembering days: records of one stream have few of them.
#[derive(Clone, Debug)]
pub(crate) struct TimeWriter {
    days: Box<[Known; KEPT]>,
    /// The second of the time that was written last, and its text with a dot behind it.
    second: i64,
    text: [u8; 32],
}

/// Octets of `YYYY-MM-DD HH:MM:SS.`.
const SECOND_LEN: u8 = TIME_LEN as u8 + 1;

impl Default for TimeWriter {
    fn default() -> Self {
        // No 32-bit count of seconds reaches a day with this number.
        let days = Box::new([Known { number: u32::MAX, text: [0; 16] }; KEPT]);
        let mut text = [0; 32];
        text[..SECOND_LEN.into()].copy_from_slice(b"1970-01-01 00:00:00.");
        Self { days, second: 0, text }
    }
}

impl TimeWriter {
    /// Appends `before`, date, time and nine decimals (more when the nanoseconds need them).
    #[inline(always)]
    pub(crate) fn write<const N: usize>(
        &mut self,
        out: &mut TextBuffer,
        before: &[u8; N],
        time: Timestamp,
    ) {
        if time.sec != self.second || time.nsec > 999_999_999 {
            return self.write_other(out, before, time);
        }
        out.piece(|piece| {
            piece.array(before);
            piece.start_of(&self.text, SECOND_LEN);
            piece.nine_digits(time.nsec);
        });
    }

    /// As [`TimeWriter::write`], for another second than that of the time before.
    #[inline(never)]
    fn write_other(&mut self, out: &mut TextBuffer, before: &[u8], time: Timestamp) {
        out.bytes(before);
        self.write_seconds(out, time.sec);
        out.byte(b'.');
        if (0..=u32::MAX.into()).contains(&time.sec)
            && let Some(text) = self.text.first_chunk_mut::<{ SECOND_LEN as usize }>()
        {
            text.copy_from_slice(out.tail_mut(SECOND_LEN.into()));
            self.second = time.sec;
        }
        out.nine_digits(time.nsec);
    }

    /// Appends date and time as [`write_seconds`] does.
    #[inline(always)]
    pub(crate) fn write_seconds(&mut self, out: &mut TextBuffer, seconds: i64) {
        let Ok(second) = u32::try_from(seconds) else { return write_seconds(out, seconds) };
        let (date, clock) = self.pieces(second);
        out.fill(|window: &mut [u8; TIME_LEN]| {
            // Written in two pieces, and never read back: that would have to wait for both.
            window[..16].copy_from_slice(&date);
            window[DATE_LEN..].copy_from_slice(&clock);
            TIME_LEN as u8
        });
    }

    /// Puts date and time as [`TimeWriter::write_seconds`] does.
    #[inline(always)]
    pub(crate) fn put_seconds(&mut self, piece: &mut Piece<'_>, second: u32) {
        let (date, clock) = self.pieces(second);
        piece.start_of(&date, DATE_LEN as u8);
        piece.array(&clock);
    }

    /// Date and time of day.
    #[inline(always)]
    fn pieces(&mut self, second: u32) -> ([u8; 16], [u8; 8]) {
        let (day, second) = (second / SECONDS_PER_DAY as u32, second % SECONDS_PER_DAY as u32);
        let known = &mut self.days[day as usize % KEPT];
        if known.number != day {
            *known = Known::day(day);
        }
        let [hour, minute, second] = [second / 3600, second / 60 % 60, second % 60]
            .map(|n| u64::from(u16::from_le_bytes(PAIRS[n as usize % 60])));
        let clock = hour | minute << 24 | second << 48 | COLONS;
        (known.text, clock.to_le_bytes())
    }
}

/// The colons of `HH:MM:SS`.
const COLONS: u64 = (b':' as u64) << 16 | (b':' as u64) << 40;

/// Two digits of every number below sixty.
static PAIRS: [[u8; 2]; 60] = {
    let mut table = [[0; 2]; 60];
    let mut n = 0;
    while n < 60 {
        table[n] = two_digits(n as u32);
        n += 1;
    }
    table
};

impl Known {
    #[cold]
    fn day(number: u32) -> Self {
        let (year, month, day) = civil_from_days(number.into());
        let [[a, b], [c, d], [e, f], [g, h]] =
            [year as u32 / 100, year as u32 % 100, month, day].map(two_digits);
        let mut text = [0; 16];
        text[..DATE_LEN].copy_from_slice(&[a, b, c, d, b'-', e, f, b'-', g, h, b' ']);
        Self { number, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn po_6_times_are_shown_in_full() {
        for (name, sec, nsec, want) in [
            ("ordinary", 1_700_000_000, 123_456_789, "2023-11-14 22:13:20.123456789"),
            ("epoch", 0, 6, "1970-01-01 00:00:00.000000006"),
            ("before the epoch", -1, 2, "1969-12-31 23:59:59.000000002"),
            ("leap day", 951_782_400, 0, "2000-02-29 00:00:00.000000000"),
            ("five-digit year", 253_402_300_800, 0, "10000-01-01 00:00:00.000000000"),
            ("nanoseconds over", 0, u32::MAX, "1970-01-01 00:00:00.4294967295"),
            ("year 1000", -30_610_224_000, 0, "1000-01-01 00:00:00.000000000"),
            ("year 999", -30_610_224_001, 0, "999-12-31 23:59:59.000000000"),
            ("first century", -62_135_596_800, 0, "1-01-01 00:00:00.000000000"),
            ("year 0", -62_135_596_801, 0, "0-12-31 23:59:59.000000000"),
            ("before it", -62_167_219_201, 0, "-1-12-31 23:59:59.000000000"),
        ] {
            let mut out = TextBuffer::new();
            let mut writer = TimeWriter::default();
            for _ in 0..2 {
                out.clear();
                writer.write(&mut out, b"at ", Timestamp { sec, nsec });
                assert_eq!(out.to_string_lossy(), format!("at {want}"), "{name}");
            }
        }
    }

    #[test]
    fn jo_6_extreme_seconds_do_not_overflow() {
        for (sec, want) in
            [(i64::MAX, "292277026596-12-04 15:30:07"), (i64::MIN, "-292277022657-01-27 08:29:52")]
        {
            let mut out = TextBuffer::new();
            write_seconds(&mut out, sec);
            assert_eq!(out.to_string_lossy(), want);
        }
    }

    #[test]
    fn dates_convert_both_ways() {
        for days in (-1_000_000..1_000_000).step_by(37) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }
}
