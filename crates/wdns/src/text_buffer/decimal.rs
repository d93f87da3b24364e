//! Numbers in decimal: three digits at a time, from tables.

use super::{Short, TextBuffer};

/// `"00"`, `"01"` … `"99"`: two decimal digits of every number below one hundred.
static DIGIT_PAIRS: [[u8; 2]; 100] = {
    let mut table = [[0; 2]; 100];
    let mut n = 0;
    while n < 100 {
        table[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    table
};

/// Decimal text of every number below one thousand, its length in the highest octet.
static DECIMALS: [u32; 1000] = {
    let mut table = [0; 1000];
    let mut n = 0;
    while n < 1000 {
        table[n] = u32::from_le_bytes(three_digits(n).octets);
        n += 1;
    }
    table
};

/// Three digits of every number below one thousand; in the highest octet how many of them there are
/// up to the last one that is not zero.
static TRIPLES: [u32; 1000] = {
    let mut table = [0; 1000];
    let mut n = 0;
    while n < 1000 {
        let [a, b, c] = [(n / 100) as u8, (n / 10 % 10) as u8, (n % 10) as u8];
        let reach = match (a, b, c) {
            (0, 0, 0) => 0,
            (_, 0, 0) => 1,
            (_, _, 0) => 2,
            _ => 3,
        };
        table[n] = u32::from_le_bytes([b'0' + a, b'0' + b, b'0' + c, reach]);
        n += 1;
    }
    table
};

const THOUSAND: u32 = 1000;
const MILLION: u32 = 1_000_000;
pub(super) const BILLION: u64 = 1_000_000_000;

/// The text of a number below one thousand.
pub(super) const fn three_digits(n: usize) -> Short<4> {
    let digits = [b'0' + (n / 100) as u8, b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8];
    Short::new(digits.split_at(if n < 10 { 2 } else { (n < 100) as usize }).1)
}

/// The entry of a number that is below one thousand.
#[inline(always)]
fn entry(table: &[u32; 1000], number: u32) -> u32 {
    table.get(number as usize).copied().unwrap_or_default()
}

/// The triples of a number below one billion.
#[inline(always)]
fn triples(value: u32) -> [u32; 3] {
    let (high, rest) = (value / MILLION, value % MILLION);
    [high, rest / THOUSAND, rest % THOUSAND].map(|number| entry(&TRIPLES, number))
}

/// Puts a table's entry where its text goes; the octet behind its three is scratch.
#[inline(always)]
fn put<const N: usize>(window: &mut [u8; N], at: usize, entry: u32) {
    window[at..at + 4].copy_from_slice(&entry.to_le_bytes());
}

/// Writes a number below one million in decimal and returns the length.
#[inline(always)]
fn write_below_million(window: &mut [u8; 8], value: u32) -> usize {
    let head = entry(&DECIMALS, value / THOUSAND);
    let len = (head >> 24 & 3) as usize;
    put(window, 0, head);
    put(window, len, entry(&TRIPLES, value % THOUSAND));
    len + 3
}

/// Writes a number of 16 bits in decimal and returns the length.
#[inline(always)]
pub(super) fn write_u16(window: &mut [u8; 8], value: u16) -> usize {
    if let Some(&text) = DECIMALS.get(usize::from(value)) {
        put(window, 0, text);
        return (text >> 24 & 3) as usize;
    }
    write_below_million(window, value.into())
}

/// Writes a number below one billion in decimal and returns the length.
#[inline(always)]
pub(super) fn write_below_billion(window: &mut [u8; 10], value: u32) -> usize {
    if let Some(&text) = DECIMALS.get(value as usize) {
        put(window, 0, text);
        return (text >> 24 & 3) as usize;
    }
    if value < MILLION {
        let [room @ .., _, _] = window;
        return write_below_million(room, value);
    }
    let head = entry(&DECIMALS, value / MILLION);
    let [_, middle, last] = triples(value);
    let len = (head >> 24 & 3) as usize;
    put(window, 0, head);
    put(window, len, middle);
    put(window, len + 3, last);
    len + 6
}

/// Writes the last nine digits of a number and returns how many those are.
#[inline(always)]
pub(super) fn write_nine_digits(window: &mut [u8; 10], value: u32) -> usize {
    let [first, middle, last] = triples(value);
    put(window, 0, first);
    put(window, 3, middle);
    put(window, 6, last);
    9
}

impl TextBuffer {
    /// Appends a number in decimal.
    #[inline]
    pub fn decimal(&mut self, value: u64) {
        match usize::try_from(value).ok().and_then(|place| DECIMALS.get(place)) {
            Some(&text) => self.fill(|window| {
                *window = text.to_le_bytes();
                (text >> 24) as u8
            }),
            None if value < MILLION.into() => {
                self.fill(|window| write_below_million(window, value as u32) as u8);
            }
            None => self.decimal_long(value),
        }
    }

    #[inline(never)]
    fn decimal_long(&mut self, value: u64) {
        if value >= BILLION {
            self.decimal(value / BILLION);
            return self.nine_digits((value % BILLION) as u32);
        }
        self.fill(|window| write_below_billion(window, value as u32) as u8);
    }

    /// Appends a signed number in decimal.
    #[inline]
    pub fn decimal_signed(&mut self, value: i64) {
        if value < 0 {
            self.byte(b'-');
        }
        self.decimal(value.unsigned_abs());
    }

    /// Appends a number below one hundred as exactly two digits; larger ones in full.
    #[inline(always)]
    pub fn two_digits(&mut self, value: u32) {
        match DIGIT_PAIRS.get(value as usize) {
            Some(pair) => self.array(pair),
            None => self.decimal(value.into()),
        }
    }

    /// Appends a number as at least nine digits, as fractions of a second in nanoseconds are shown.
    #[inline]
    pub fn nine_digits(&mut self, value: u32) {
        if value > 999_999_999 {
            return self.decimal(value.into());
        }
        self.fill(|window| write_nine_digits(window, value) as u8);
    }

    /// Appends the first six decimals of a number below one, given in units of the last one. More
    /// units than there are count as none.
    #[inline]
    pub fn six_decimals(&mut self, units: u64) {
        let [_, middle, last] = triples((units % u64::from(MILLION)) as u32);
        self.fill(|window: &mut [u8; 7]| {
            put(window, 0, middle);
            put(window, 3, last);
            6
        });
    }

    /// Appends the first eighteen decimals of a number below one, given in units of the last one,
    /// without zeros at the end but for the first decimal. More units than there are count as none.
    #[inline]
    pub fn eighteen_decimals(&mut self, units: u64) {
        let upper = triples((units / BILLION % BILLION) as u32);
        let lower = triples((units % BILLION) as u32);
        self.fill(|window: &mut [u8; 19]| {
            let mut len = 1;
            for (at, triple) in (0..).step_by(3).zip(upper.into_iter().chain(lower)) {
                put(window, at, triple);
                let reach = triple >> 24;
                // Which triples are zero cannot be foretold: no branch.
                len = if reach == 0 { len } else { at as u32 + reach };
            }
            len as u8
        });
    }
}
