//! Text that is put together with the cursor in a register of the processor: what is appended by ordinary
//! calls has to read it from memory and write it back each time.

use super::decimal::{self, BILLION};
use super::{Literal, SLACK, Short, TextBuffer, address};
use crate::{name, simd};

/// An append under way: each part that is put takes one comparison of the place of writing.
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
pub struct Piece<'b> {
    /// Those of the buffer, which learns of the first one at the end.
    at: *mut u8,
    limit: *mut u8,
    buffer: &'b mut TextBuffer,
}

impl TextBuffer {
    /// Appends what `write` puts together.
    #[inline(always)]
    pub fn piece(&mut self, write: impl FnOnce(&mut Piece<'_>)) {
        let mut piece = Piece { at: self.at, limit: self.limit, buffer: self };
        write(&mut piece);
        piece.buffer.at = piece.at;
    }
}

/// Makes room for another append at a place in the buffer; gives that place and the limit anew.
#[cold]
#[inline(never)]
fn grow(buffer: &mut TextBuffer, at: *mut u8) -> (*mut u8, *mut u8) {
    buffer.at = at;
    buffer.grow(SLACK);
    (buffer.at, buffer.limit)
}

#[cold]
#[inline(never)]
fn write_other_name<const JSON: bool>(
    out: &mut TextBuffer,
    octets: &[u8],
    start: usize,
    end: usize,
) {
    name::write_within::<JSON>(out, octets, start, end);
}

impl Piece<'_> {
    /// Writes the next `N` octets and counts as many as `write` returns.
    #[inline(always)]
    #[expect(unsafe_code, reason = "the one bounds check of an append, measured on the hot path")]
    pub(super) fn fill<const N: usize>(&mut self, write: impl FnOnce(&mut [u8; N]) -> u8) {
        const { assert!(N <= SLACK) };
        if self.at > self.limit {
            (self.at, self.limit) = grow(self.buffer, self.at);
        }
        let at = self.at;
        // SAFETY: `at` lies in the initialised store, with SLACK octets at and behind it, as it is not
        // beyond the limit. The borrow of the buffer keeps them unaliased.
        let window = unsafe { &mut *at.cast::<[u8; N]>() };
        let used = write(window);
        debug_assert!(usize::from(used) <= N);
        // Not read again: the compiler cannot know that the window is not the pointer itself. Even a
        // wrong count leads nowhere outside the store: SLACK is larger.
        self.at = at.wrapping_add(used.into());
    }

    /// Lets `write` append to the buffer in other ways.
    #[inline(always)]
    pub fn outside<T>(&mut self, write: impl FnOnce(&mut TextBuffer) -> T) -> T {
        self.buffer.at = self.at;
        let written = write(self.buffer);
        (self.at, self.limit) = (self.buffer.at, self.buffer.limit);
        written
    }

    /// Number of octets in the buffer.
    #[must_use]
    #[inline(always)]
    pub fn buffer_len(&self) -> usize {
        self.at.addr() - self.buffer.store.as_ptr().addr()
    }

    /// Drops the last `n` octets of the buffer (all of them if there are fewer).
    #[inline(always)]
    pub fn retract(&mut self, n: usize) {
        self.at = self.at.wrapping_sub(n.min(self.buffer_len()));
    }

    /// Puts a short array whose length the compiler knows.
    #[inline(always)]
    pub fn array<const N: usize>(&mut self, octets: &[u8; N]) {
        const { assert!(N <= 255) };
        self.fill(|room| {
            *room = *octets;
            N as u8
        });
    }

    /// Puts the first `len` octets of a short array.
    #[inline(always)]
    pub fn start_of<const N: usize>(&mut self, octets: &[u8; N], len: u8) {
        self.fill(|room| {
            *room = *octets;
            len
        });
    }

    /// Puts constant text.
    #[inline(always)]
    pub fn literal<const N: usize>(&mut self, text: &Literal<N>) {
        self.start_of(&text.head, text.head_len);
        if !text.rest.is_empty() {
            self.outside(|out| out.bytes(&text.rest));
        }
    }

    /// Puts constant text that [is short](Literal::is_short); of any other the start.
    #[inline(always)]
    pub fn short_literal<const N: usize>(&mut self, text: &Literal<N>) {
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

    /// Puts a number of 16 bits in decimal.
    #[inline(always)]
    pub fn decimal_u16(&mut self, value: u16) {
        self.fill(|room| decimal::write_u16(room, value) as u8);
    }

    #[inline(always)]
    fn decimal_below_billion(&mut self, value: u32) {
        self.fill(|room| decimal::write_below_billion(room, value) as u8);
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
        self.fill(|room| decimal::write_nine_digits(room, value) as u8);
    }

    /// Puts a wire name in `octets[start..end]`, as [`name::write_within`] does.
    #[inline(always)]
    pub fn name<const JSON: bool>(&mut self, octets: &[u8], start: usize, end: usize) {
        if !self.short_name::<JSON>(octets, start, end) {
            self.outside(|out| write_other_name::<JSON>(out, octets, start, end));
        }
    }

    /// Puts the complete name at the start of `octets[start..end]` if it needs no escapes, is not the
    /// root and fits a window; false, and nothing put, for any other.
    #[inline(always)]
    pub(crate) fn short_name<const JSON: bool>(
        &mut self,
        octets: &[u8],
        start: usize,
        end: usize,
    ) -> bool {
        let mut is_done = false;
        self.fill(|window| {
            let len = simd::short_name_text::<JSON>(window, octets, start, end);
            is_done = len > 0;
            len as u8
        });
        is_done
    }

    /// Puts an IPv4 address as a dotted quad.
    #[inline(always)]
    pub fn ipv4(&mut self, address: [u8; 4]) {
        self.fill(|room| address::write_ipv4(room, address) as u8);
    }

    /// Puts an IPv6 address as [`TextBuffer::ipv6`] does.
    #[inline(always)]
    pub fn ipv6(&mut self, address: [u8; 16]) {
        self.fill(|room| address::write_ipv6(room, address) as u8);
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
        for n in [0, 9, 10, 99, 100, 999, 1_000, 9_999, 10_000, u16::MAX] {
            assert_eq!(text(|piece| piece.decimal_u16(n)), n.to_string());
        }
        for n in [0, 7, 1_000, 999_999_999] {
            assert_eq!(text(|piece| piece.nine_digits(n)), format!("{n:09}"));
        }
    }

    #[test]
    fn pieces_follow_each_other_and_what_is_appended_in_between() {
        for count in 0..100 {
            let got = text(|piece| {
                for _ in 0..count {
                    piece.literal(&Literal::<32>::new(b"ten octets"));
                }
                piece.ipv6([0x20; 16]);
                let outside = piece.outside(|out| {
                    out.bytes(&[b'x'; 500]);
                    out.len()
                });
                assert_eq!(piece.buffer_len(), outside);
                piece.array(b"!?");
                piece.retract(1);
            });
            let address = ["2020"; 8].join(":");
            assert_eq!(got, "ten octets".repeat(count) + &address + &"x".repeat(500) + "!");
        }
        let mut out = TextBuffer::new();
        out.piece(|piece| {
            piece.retract(1);
            piece.array(b"ab");
            piece.retract(1);
        });
        assert_eq!(out.as_bytes(), b"a");
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
