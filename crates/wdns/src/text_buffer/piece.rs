//! Short pieces of text that are put together first and appended as one: one test of the room and
//! one step of the cursor for all of them.

use super::decimal::{self, BILLION};
use super::{Literal, Short, TextBuffer, address};

/// Octets of a piece's window.
const WINDOW: usize = 192;

/// What is put into a piece must start in front of this, so that it fits.
const REACH: usize = 128;

/// A piece of text of up to 128 octets, and one more append.
///
/// ```
/// let mut out = wdns::TextBuffer::new();
/// out.piece(|piece| {
///     piece.decimal(42);
///     piece.array(b" of ");
///     piece.ipv4([192, 0, 2, 1]);
/// });
/// assert_eq!(out.as_bytes(), b"42 of 192.0.2.1");
/// ```
#[derive(Debug)]
pub struct Piece<'w> {
    window: &'w mut [u8; WINDOW],
    len: usize,
}

impl TextBuffer {
    /// Appends what `write` puts together.
    #[inline(always)]
    pub fn piece(&mut self, write: impl FnOnce(&mut Piece<'_>)) {
        self.fill(|window| {
            let mut piece = Piece { window, len: 0 };
            write(&mut piece);
            piece.len as u8
        });
    }
}

impl Piece<'_> {
    /// Writes the next `N` octets and counts as many as `write` returns.
    #[inline(always)]
    fn fill<const N: usize>(&mut self, write: impl FnOnce(&mut [u8; N]) -> usize) {
        const { assert!(N <= WINDOW - REACH) };
        debug_assert!(self.len < REACH);
        let at = self.len % REACH;
        if let Some(room) = self.window[at..].first_chunk_mut() {
            self.len += write(room);
        }
    }

    /// Puts a short array whose length the compiler knows.
    #[inline(always)]
    pub fn array<const N: usize>(&mut self, octets: &[u8; N]) {
        self.fill(|room| {
            *room = *octets;
            N
        });
    }

    /// Puts the first `len` octets of a short array.
    #[inline(always)]
    pub fn start_of<const N: usize>(&mut self, octets: &[u8; N], len: u8) {
        self.fill(|room| {
            *room = *octets;
            len.into()
        });
    }

    /// Puts constant text, of which only the first 32 octets are taken.
    #[inline(always)]
    pub fn literal(&mut self, text: &Literal) {
        self.start_of(&text.head, text.head_len);
    }

    #[inline(always)]
    pub(crate) fn short<const N: usize>(&mut self, text: &Short<N>) {
        self.start_of(&text.octets, text.len());
    }

    /// Puts a number in decimal.
    #[inline(always)]
    pub fn decimal(&mut self, value: u64) {
        if value < BILLION {
            return self.decimal_below_billion(value as u32);
        }
        let (high, rest) = (value / BILLION, value % BILLION);
        if high < BILLION {
            self.decimal_below_billion(high as u32);
        } else {
            self.decimal_below_billion((high / BILLION) as u32);
            self.nine_digits((high % BILLION) as u32);
        }
        self.nine_digits(rest as u32);
    }

    #[inline(always)]
    fn decimal_below_billion(&mut self, value: u32) {
        self.fill(|room| decimal::write_below_billion(room, value));
    }

    /// Puts a signed number in decimal.
    #[inline(always)]
    pub fn decimal_signed(&mut self, value: i64) {
        if value < 0 {
            self.array(b"-");
        }
        self.decimal(value.unsigned_abs());
    }

    /// Puts a number below one billion as nine digits; of larger ones the last nine.
    #[inline(always)]
    pub fn nine_digits(&mut self, value: u32) {
        self.fill(|room| decimal::write_nine_digits(room, value));
    }

    /// Puts an IPv4 address as a dotted quad.
    #[inline(always)]
    pub fn ipv4(&mut self, address: [u8; 4]) {
        self.fill(|room| address::write_ipv4(room, address));
    }

    /// Puts an IPv6 address as [`TextBuffer::ipv6`] does.
    pub fn ipv6(&mut self, address: [u8; 16]) {
        self.fill(|room| address::write_ipv6(room, address));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(put: impl FnOnce(&mut Piece<'_>)) -> String {
        let mut out = TextBuffer::new();
        out.array(b"before ");
        out.piece(put);
        out.to_string_lossy().split_off(7)
    }

    #[test]
    fn numbers_are_those_of_the_standard_formatter() {
        let powers = (0..20).map(|power| 10_u64.pow(power));
        for n in powers.flat_map(|n| [n - 1, n, n + 1, n / 2 * 3]).chain([u64::MAX]) {
            assert_eq!(text(|piece| piece.decimal(n)), n.to_string());
            let signed = n.cast_signed();
            assert_eq!(text(|piece| piece.decimal_signed(signed)), signed.to_string());
            assert_eq!(
                text(|piece| piece.decimal_signed(-(signed / 2))),
                (-(signed / 2)).to_string()
            );
        }
        for n in [0, 7, 1_000, 999_999_999] {
            assert_eq!(text(|piece| piece.nine_digits(n)), format!("{n:09}"));
        }
    }

    #[test]
    fn pieces_follow_each_other_up_to_the_reach() {
        for count in 0..9 {
            let got = text(|piece| {
                for _ in 0..count {
                    piece.literal(&Literal::new(b"ten octets"));
                }
                piece.ipv6([0x20; 16]);
                piece.array(b"!");
            });
            assert_eq!(got, "ten octets".repeat(count) + &["2020"; 8].join(":") + "!");
        }
    }

    #[test]
    fn addresses_are_those_that_the_buffer_writes() {
        for (a, b) in [(0, 0), (0, 1), (255, 0), (1, 255), (32, 1)] {
            let mut v6 = [a; 16];
            v6[15] = b;
            v6[3] = b;
            let mut out = TextBuffer::new();
            out.ipv6(v6);
            assert_eq!(text(|piece| piece.ipv6(v6)), out.to_string_lossy());
            assert_eq!(text(|piece| piece.ipv4([a, b, b, a])), format!("{a}.{b}.{b}.{a}"));
        }
    }
}
