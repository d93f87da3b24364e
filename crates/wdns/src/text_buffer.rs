//! The output cursor: an append-only buffer of octets on which all text and JSON is written.
//!
//! Every octet of the backing store is initialised at all times, so an append is one comparison of
//! two addresses followed by plain stores of a fixed width. Short copies write a whole window (32
//! octets) and advance by what was meant; the surplus is overwritten by the next append.

use std::{fmt, ptr};

use crate::simd;

mod address;
mod decimal;
mod piece;

pub use piece::Piece;

/// Octets behind the place of writing that an append may use once it is not beyond the limit: room
/// for the longest name.
const SLACK: usize = 288;

const fn hex_pairs(digits: &[u8; 16]) -> [[u8; 2]; 256] {
    let mut table = [[0; 2]; 256];
    let mut n = 0;
    while n < 256 {
        table[n] = [digits[n >> 4], digits[n & 15]];
        n += 1;
    }
    table
}

static HEX_LOWER: [[u8; 2]; 256] = hex_pairs(b"0123456789abcdef");
static HEX_UPPER: [[u8; 2]; 256] = hex_pairs(b"0123456789ABCDEF");

/// The alphabet of base64.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Two base64 characters for every twelve bits.
static BASE64_PAIRS: [[u8; 2]; 4096] = {
    let mut table = [[0; 2]; 4096];
    let mut n = 0;
    while n < 4096 {
        table[n] = [BASE64[n >> 6], BASE64[n & 63]];
        n += 1;
    }
    table
};

/// How base64 text ends by the number of octets in an incomplete group, and the low bits of the last
/// octet: the last character and padding. What is behind that is not text.
static BASE64_ENDS: [[[u8; 4]; 16]; 3] = {
    let mut table = [[[0; 4]; 16]; 3];
    let mut bits = 0;
    while bits < 16 {
        // Two bits in the second character, or four in the third one.
        table[2][bits] = [BASE64[bits << 2], b'=', 0, 0];
        table[1][bits] = [BASE64[(bits & 3) << 4], b'=', b'=', 0];
        bits += 1;
    }
    table
};

/// A constant piece of text, kept in a form that [`TextBuffer::literal`] appends in one copy if it
/// has no more than `N` octets.
#[derive(Clone)]
pub struct Literal<const N: usize = 32> {
    head: [u8; N],
    head_len: u8,
    rest: Box<[u8]>,
}

impl<const N: usize> Literal<N> {
    /// Keeps a copy of `text`.
    #[must_use]
    pub fn new(text: &[u8]) -> Self {
        const { assert!(N <= 255) };
        let (start, rest) = text.split_at(text.len().min(N));
        let mut head = [0; N];
        head[..start.len()].copy_from_slice(start);
        Self { head, head_len: start.len() as u8, rest: rest.into() }
    }

    /// True when the text has no more than `N` octets.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.rest.is_empty()
    }
}

impl<const N: usize> fmt::Debug for Literal<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = String::from_utf8_lossy(&self.head[..self.head_len.into()]);
        write!(f, "{:?}", head + &*String::from_utf8_lossy(&self.rest))
    }
}

/// A text of fewer than `N` octets that is appended in one copy.
#[derive(Clone, Copy)]
pub(crate) struct Short<const N: usize> {
    /// The text, and in the last octet its length.
    octets: [u8; N],
}

impl<const N: usize> Short<N> {
    pub(crate) const EMPTY: Self = Self { octets: [0; N] };

    /// Keeps a copy of `text`.
    pub(crate) const fn new(text: &[u8]) -> Self {
        Self::EMPTY.and(text)
    }

    /// This text with another one behind it.
    pub(crate) const fn and(mut self, text: &[u8]) -> Self {
        let len = self.len() as usize;
        assert!(N <= 255 && len + text.len() < N);
        let mut at = 0;
        while at < text.len() {
            self.octets[len + at] = text[at];
            at += 1;
        }
        self.octets[N - 1] = (len + text.len()) as u8;
        self
    }

    #[inline(always)]
    pub(crate) const fn len(&self) -> u8 {
        self.octets[N - 1]
    }

    const fn text(&self) -> &[u8] {
        self.octets.split_at(self.len() as usize).0
    }
}

/// An append-only buffer for rendered text.
///
/// ```
/// let mut out = wdns::TextBuffer::new();
/// out.decimal(42);
/// out.bytes(b" of ");
/// out.ipv4([192, 0, 2, 1]);
/// assert_eq!(out.as_bytes(), b"42 of 192.0.2.1");
/// ```
pub struct TextBuffer {
    /// Initialised in full; what lies behind `at` is scratch.
    store: Vec<u8>,
    /// Where the next octet goes: into the store or to its end.
    at: *mut u8,
    /// The last place in the store that has [`SLACK`] octets at and behind it; null without one.
    limit: *mut u8,
}

#[expect(unsafe_code, reason = "the pointers lead into the buffer's own store")]
// SAFETY: nothing but the buffer itself uses its pointers, and only through `&mut self`.
unsafe impl Send for TextBuffer {}

#[expect(unsafe_code, reason = "the pointers lead into the buffer's own store")]
// SAFETY: as above; through `&self` they are only compared.
unsafe impl Sync for TextBuffer {}

impl Default for TextBuffer {
    fn default() -> Self {
        Self::over(Vec::new(), 0)
    }
}

impl Clone for TextBuffer {
    fn clone(&self) -> Self {
        Self::over(self.store.clone(), self.len())
    }
}

impl TextBuffer {
    /// An empty buffer; nothing is allocated before the first append.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty buffer with room for `capacity` octets.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::over(vec![0; capacity + SLACK], 0)
    }

    /// The buffer whose content are the first `len` octets of `store`.
    fn over(store: Vec<u8>, len: usize) -> Self {
        let mut buffer = Self { store, at: ptr::null_mut(), limit: ptr::null_mut() };
        buffer.attach(len);
        buffer
    }

    /// Points into the store, which may have moved; its first `len` octets are the content.
    fn attach(&mut self, len: usize) {
        let start = self.store.as_mut_ptr();
        self.at = start.wrapping_add(len.min(self.store.len()));
        self.limit = match self.store.len().checked_sub(SLACK) {
            Some(last) => start.wrapping_add(last),
            None => ptr::null_mut(),
        };
    }

    /// What was appended so far.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.store[..self.len()]
    }

    /// Number of octets appended so far.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.at.addr() - self.store.as_ptr().addr()
    }

    /// True when nothing was appended.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets the content and keeps the memory.
    pub fn clear(&mut self) {
        self.attach(0);
    }

    /// Drops everything behind the first `len` octets; longer than the content means no change.
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        let dropped = self.len().saturating_sub(len);
        self.at = self.at.wrapping_sub(dropped);
    }

    /// Drops the last `n` octets (all of them if there are fewer).
    #[inline]
    pub fn retract(&mut self, n: usize) {
        self.at = self.at.wrapping_sub(n.min(self.len()));
    }

    /// Gives back memory beyond `limit` octets once the content is short enough.
    pub fn shrink_to(&mut self, limit: usize) {
        let len = self.len();
        if self.store.len() > limit && len <= limit {
            self.store.truncate(limit);
            self.store.shrink_to_fit();
            self.attach(len);
        }
    }

    /// Removes the first `n` octets (all of them if there are fewer).
    pub fn drop_front(&mut self, n: usize) {
        let len = self.len();
        let n = n.min(len);
        self.store.copy_within(n..len, 0);
        self.attach(len - n);
    }

    /// The content as text, with anything that is not UTF-8 replaced.
    #[must_use]
    pub fn to_string_lossy(&self) -> String {
        String::from_utf8_lossy(self.as_bytes()).into_owned()
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, extra: usize) {
        let len = self.len();
        let wanted = (len + extra.max(SLACK)).max(self.store.len() * 2);
        self.store.resize(wanted, 0);
        self.attach(len);
    }

    /// Makes sure that `extra` further octets fit without another allocation.
    #[inline]
    pub fn reserve(&mut self, extra: usize) {
        if self.store.len().saturating_sub(self.len()) < extra {
            self.grow(extra);
        }
    }

    /// The next `n` octets of the store, for writing. Their old content is arbitrary.
    #[inline]
    fn room(&mut self, n: usize) -> &mut [u8] {
        self.reserve(n);
        let len = self.len();
        &mut self.store[len..len + n]
    }

    /// Counts `n` octets, which were written behind the content, to it.
    #[inline(always)]
    pub(crate) fn advance(&mut self, n: usize) {
        self.at = self.at.wrapping_add(n);
    }

    /// Lets `write` fill the next `N` octets and appends as many as it returns, which must not be
    /// more than `N`, itself at most 288. What the octets hold before is arbitrary.
    #[inline(always)]
    pub fn fill<const N: usize>(&mut self, write: impl FnOnce(&mut [u8; N]) -> u8) {
        self.piece(|piece| piece.fill(write));
    }

    /// The next `N` octets, as [`TextBuffer::fill`] gives them, where a closure would not become
    /// part of its caller; [`TextBuffer::advance`] appends them.
    #[inline(always)]
    #[expect(unsafe_code, reason = "the one bounds check of an append, measured on the hot path")]
    pub(crate) fn window<const N: usize>(&mut self) -> &mut [u8; N] {
        const { assert!(N <= SLACK) };
        if self.at > self.limit {
            self.grow(SLACK);
        }
        // SAFETY: `at` lies in the initialised store, with SLACK octets at and behind it, as it is not
        // beyond the limit. The borrow of the buffer keeps them unaliased.
        unsafe { &mut *self.at.cast::<[u8; N]>() }
    }

    /// Appends one octet.
    #[inline(always)]
    pub fn byte(&mut self, octet: u8) {
        self.array(&[octet]);
    }

    /// Appends a short array whose length the compiler knows.
    #[inline(always)]
    pub fn array<const N: usize>(&mut self, octets: &[u8; N]) {
        const { assert!(N <= 255) };
        self.fill(|window| {
            *window = *octets;
            N as u8
        });
    }

    /// Appends constant text.
    #[inline(always)]
    pub fn literal<const N: usize>(&mut self, text: &Literal<N>) {
        self.fill(|window| {
            *window = text.head;
            text.head_len
        });
        if !text.rest.is_empty() {
            self.bytes(&text.rest);
        }
    }

    /// Appends a short text.
    #[inline(always)]
    pub(crate) fn short<const N: usize>(&mut self, text: &Short<N>) {
        self.fill(|window| {
            *window = text.octets;
            text.len()
        });
    }

    /// Appends a short text between quotation marks.
    #[inline(always)]
    pub(crate) fn short_quoted(&mut self, text: &Short<16>) {
        self.fill(|window: &mut [u8; 18]| {
            let len = text.len() % 16;
            window[0] = b'"';
            window[1..17].copy_from_slice(&text.octets);
            window[usize::from(len) + 1] = b'"';
            len + 2
        });
    }

    /// Appends once more what stands at `start..end`; nothing when that is not part of the content.
    #[inline]
    pub fn again(&mut self, start: usize, end: usize) {
        let len = self.len();
        if start > end || end > len {
            return;
        }
        self.reserve(end - start);
        self.store.copy_within(start..end, len);
        self.advance(end - start);
    }

    /// Appends any octets.
    #[inline]
    pub fn bytes(&mut self, octets: &[u8]) {
        let n = octets.len();
        if n > 32 {
            self.room(n).copy_from_slice(octets);
            self.advance(n);
        } else {
            self.fill(|window| {
                copy_short(window, octets);
                n as u8
            });
        }
    }

    /// The last `n` octets appended (all of them if there are fewer), to be patched in place.
    #[inline]
    pub fn tail_mut(&mut self, n: usize) -> &mut [u8] {
        let len = self.len();
        &mut self.store[len.saturating_sub(n)..len]
    }

    /// Appends an octet as two lower-case hex digits.
    #[inline(always)]
    pub fn hex_octet(&mut self, octet: u8) {
        self.array(&HEX_LOWER[usize::from(octet)]);
    }

    /// Appends a 32-bit number as eight lower-case hex digits.
    #[inline]
    pub fn hex_u32(&mut self, value: u32) {
        let [a, b, c, d] = value.to_be_bytes().map(|octet| HEX_LOWER[usize::from(octet)]);
        self.array(&[a[0], a[1], b[0], b[1], c[0], c[1], d[0], d[1]]);
    }

    /// Appends octets as lower-case hex digits without separators.
    pub fn hex_lower(&mut self, octets: &[u8]) {
        self.hex(octets, &HEX_LOWER);
    }

    /// Appends octets as upper-case hex digits without separators.
    pub fn hex_upper(&mut self, octets: &[u8]) {
        self.hex(octets, &HEX_UPPER);
    }

    fn hex(&mut self, octets: &[u8], table: &[[u8; 2]; 256]) {
        let room = self.room(octets.len() * 2);
        for (pair, octet) in room.as_chunks_mut::<2>().0.iter_mut().zip(octets) {
            *pair = table[usize::from(*octet)];
        }
        self.advance(octets.len() * 2);
    }

    /// Appends octets in base64: standard alphabet, padded, no line breaks (RFC 4648 §4).
    pub fn base64(&mut self, octets: &[u8]) {
        self.base64_within(octets, 0, octets.len());
    }

    /// As [`TextBuffer::base64`], for `octets[start..end]`, which is faster where more octets surround
    /// them; nothing is appended when that is no range of them.
    #[inline]
    pub fn base64_within(&mut self, octets: &[u8], start: usize, end: usize) {
        if !simd::write_base64(self, octets, start, end) {
            self.base64_basic(octets, start, end);
        }
    }

    #[inline(never)]
    pub(crate) fn base64_basic(&mut self, octets: &[u8], start: usize, end: usize) {
        let Some(encoded) = octets.get(start..end) else { return };
        self.base64_by(encoded, |room| base64_portable(encoded, room));
    }

    /// Appends octets in base64. `encode` writes their text into the room as if some octets followed
    /// them, in whole blocks.
    #[inline(always)]
    pub(crate) fn base64_by(&mut self, octets: &[u8], encode: impl FnOnce(&mut [u8])) {
        let Some(last) = octets.last() else { return };
        let (groups, rest) = (octets.len() / 3, octets.len() % 3);
        let room = self.room(simd::base64_room(octets.len()));
        encode(room);
        // The last character of an incomplete group, which octets behind it have no part in.
        if let Some(room) = room.get_mut(groups * 4 + rest..)
            && let Some(room) = room.first_chunk_mut()
        {
            *room = BASE64_ENDS[rest][usize::from(last % 16)];
        }
        self.advance(groups * 4 + if rest == 0 { 0 } else { 4 });
    }

    /// Appends an IPv4 address as a dotted quad.
    #[inline]
    pub fn ipv4(&mut self, address: [u8; 4]) {
        self.fill(|window| address::write_ipv4(window, address) as u8);
    }

    /// Appends an IPv6 address: lower-case groups without leading zeros, the first longest run of
    /// at least two zero groups as `::`, the last 32 bits dotted when the address is
    /// IPv4-compatible or IPv4-mapped (`rendering-and-parsing` §4.2).
    pub fn ipv6(&mut self, address: [u8; 16]) {
        self.fill(|window| address::write_ipv6(window, address) as u8);
    }

    /// Appends text as the inside of a JSON string: quote, backslash and octets below 0x20 are
    /// escaped, everything else is copied (`rendering-and-parsing` §5.2).
    #[inline]
    pub fn json_escaped(&mut self, mut text: &[u8]) {
        loop {
            let plain = text.iter().position(|&octet| needs_json_escape(octet));
            let Some(plain) = plain else { return self.bytes(text) };
            let (before, rest) = text.split_at(plain);
            self.bytes(before);
            self.json_escape(rest[0]);
            text = &rest[1..];
        }
    }

    /// Appends one octet that [`needs_json_escape`] in its escaped form.
    pub fn json_escape(&mut self, octet: u8) {
        let short = match octet {
            b'"' => b'"',
            b'\\' => b'\\',
            8 => b'b',
            9 => b't',
            10 => b'n',
            12 => b'f',
            13 => b'r',
            _ => {
                self.array(b"\\u00");
                return self.hex_octet(octet);
            }
        };
        self.array(&[b'\\', short]);
    }
}

/// Encodes octets in base64 as if zero octets followed them.
fn base64_portable(octets: &[u8], room: &mut [u8]) {
    for (quad, group) in room.as_chunks_mut::<4>().0.iter_mut().zip(octets.chunks(3)) {
        let octet = |at| group.get(at).map_or(0, |&octet| usize::from(octet));
        let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
        let (high, low) = (BASE64_PAIRS[bits >> 12], BASE64_PAIRS[bits & 0xfff]);
        *quad = [high[0], high[1], low[0], low[1]];
    }
}

/// True for the octets that cannot stand for themselves inside a JSON string.
#[inline(always)]
#[must_use]
pub const fn needs_json_escape(octet: u8) -> bool {
    octet < 0x20 || octet == b'"' || octet == b'\\'
}

/// Copies at most 32 octets with two overlapping moves of a fixed width.
#[inline(always)]
pub(crate) fn copy_short(window: &mut [u8; 32], octets: &[u8]) {
    let n = octets.len();
    if let (Some(head), Some(tail)) = (octets.first_chunk::<16>(), octets.last_chunk::<16>()) {
        window[..16].copy_from_slice(head);
        window[n - 16..n].copy_from_slice(tail);
    } else if let (Some(head), Some(tail)) = (octets.first_chunk::<8>(), octets.last_chunk::<8>()) {
        window[..8].copy_from_slice(head);
        window[n - 8..n].copy_from_slice(tail);
    } else if let (Some(head), Some(tail)) = (octets.first_chunk::<4>(), octets.last_chunk::<4>()) {
        window[..4].copy_from_slice(head);
        window[n - 4..n].copy_from_slice(tail);
    } else if let (Some(first), Some(last)) = (octets.first(), octets.last()) {
        window[0] = *first;
        window[n / 2] = octets[n / 2];
        window[n - 1] = *last;
    }
}

impl fmt::Debug for TextBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TextBuffer({:?})", self.to_string_lossy())
    }
}

impl AsRef<[u8]> for TextBuffer {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl std::io::Write for TextBuffer {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.bytes(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut TextBuffer)) -> String {
        let mut out = TextBuffer::new();
        write(&mut out);
        out.to_string_lossy()
    }

    #[test]
    fn copies_of_every_short_length_are_exact() {
        let source: Vec<u8> = (0..100).collect();
        let mut out = TextBuffer::new();
        let mut want = Vec::new();
        for n in 0..=100 {
            out.bytes(&source[..n]);
            out.literal(&Literal::<32>::new(&source[..n]));
            want.extend_from_slice(&source[..n]);
            want.extend_from_slice(&source[..n]);
        }
        assert_eq!(out.as_bytes(), want);
    }

    #[test]
    fn content_of_every_length_is_appended_again() {
        let source: Vec<u8> = (0..150).collect();
        for start in [0, 7] {
            for end in start..=source.len() {
                let mut out = TextBuffer::new();
                out.bytes(&source);
                out.again(start, end);
                out.byte(b'x');
                assert_eq!(out.as_bytes(), [&source[..], &source[start..end], b"x"].concat());
            }
        }
        let mut out = TextBuffer::new();
        out.bytes(b"ab");
        out.again(0, 3);
        out.again(2, 1);
        assert_eq!(out.as_bytes(), b"ab");
    }

    #[test]
    fn decimals_equal_the_standard_formatter() {
        let mut value = 1_u64;
        let powers = (0..20).map(|power| 10_u64.pow(power));
        for n in powers.flat_map(|power| [power - 1, power, power + 1, power.wrapping_mul(9)]) {
            assert_eq!(text(|out| out.decimal(n)), n.to_string());
        }
        for step in 0..2_000_u64 {
            for n in [value, value.wrapping_sub(1), value >> (step % 64), step] {
                assert_eq!(text(|out| out.decimal(n)), n.to_string());
                assert_eq!(text(|out| out.six_decimals(n)), format!("{:06}", n % 1_000_000));
                let decimals = format!("{:018}", n % 1_000_000_000_000_000_000);
                let (first, rest) = decimals.split_at(1);
                let want = first.to_owned() + rest.trim_end_matches('0');
                assert_eq!(text(|out| out.eighteen_decimals(n)), want);
                assert_eq!(text(|out| out.decimal_signed(n as i64)), (n as i64).to_string());
                assert_eq!(text(|out| out.nine_digits(n as u32)), format!("{:09}", n as u32));
                assert_eq!(text(|out| out.hex_u32(n as u32)), format!("{:08x}", n as u32));
            }
            value = value.wrapping_mul(3).wrapping_add(7);
        }
    }

    #[test]
    fn ipv6_text_follows_the_spec_table() {
        for (name, groups, want) in [
            ("all zero", [0, 0, 0, 0, 0, 0, 0, 0], "::"),
            ("loopback", [0, 0, 0, 0, 0, 0, 0, 1], "::1"),
            ("compatible", [0, 0, 0, 0, 0, 0, 0x102, 0x304], "::1.2.3.4"),
            ("compatible, low zero", [0, 0, 0, 0, 0, 0, 1, 0], "::0.1.0.0"),
            ("mapped", [0, 0, 0, 0, 0, 0xffff, 0x102, 0x304], "::ffff:1.2.3.4"),
            ("last group only", [0, 0, 0, 0, 0, 0, 0, 0xffff], "::ffff"),
            ("two runs", [0x2001, 0, 1, 0, 0, 1, 0, 1], "2001:0:1::1:0:1"),
            ("nat64", [0x64, 0xff9b, 0, 0, 0, 0, 0xc000, 0x201], "64:ff9b::c000:201"),
            ("run at the end", [0x2001, 0xdb8, 0, 0, 1, 0, 0, 0], "2001:db8:0:0:1::"),
            (
                "no run",
                [0xfe80, 1, 0xa0b, 3, 0x211, 0x22ff, 0xfe33, 0x4455],
                "fe80:1:a0b:3:211:22ff:fe33:4455",
            ),
            (
                "single zero group",
                [0x2001, 0xdb8, 0, 1, 1, 1, 1, 0x1000],
                "2001:db8:0:1:1:1:1:1000",
            ),
        ] {
            let octets: Vec<u8> = groups.iter().flat_map(|g: &u16| g.to_be_bytes()).collect();
            let octets: [u8; 16] = octets.try_into().unwrap();
            assert_eq!(text(|out| out.ipv6(octets)), want, "{name}");
        }
    }

    #[test]
    fn base64_pads_and_hex_is_exact() {
        for (raw, want) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(text(|out| out.base64(raw.as_bytes())), want);
        }
        let octets: Vec<u8> = (0..=255).chain((0..200).map(|n: u8| n.wrapping_mul(197))).collect();
        for len in 0..octets.len() {
            let octets = &octets[..len];
            let mut portable = vec![0; len * 2 + 4];
            base64_portable(octets, &mut portable);
            let digits = (len * 4).div_ceil(3);
            let want = [&portable[..digits], &b"=="[..digits.div_ceil(4) * 4 - digits]].concat();
            let mut out = TextBuffer::new();
            out.base64(octets);
            assert_eq!(out.as_bytes(), want, "{len} octets");
            for (before, behind) in [(0, 30), (5, 0), (30, 3), (1, 1)] {
                let around = [&vec![0xa5; before], octets, &vec![0xff; behind]].concat();
                let mut out = TextBuffer::new();
                out.base64_within(&around, before, before + len);
                assert_eq!(out.as_bytes(), want, "{len} octets, {behind} behind");
            }
        }
        assert_eq!(text(|out| out.hex_lower(&[0, 0xab, 0xff])), "00abff");
        assert_eq!(text(|out| out.hex_upper(&[0, 0xab, 0xff])), "00ABFF");
    }

    #[test]
    fn json_escapes_only_what_must_be() {
        let raw = b"a\"b\\c\x08\t\n\x0c\r\x01\x1f\x7f/\xc3\xa9";
        let want = b"a\\\"b\\\\c\\b\\t\\n\\f\\r\\u0001\\u001f\x7f/\xc3\xa9";
        let mut out = TextBuffer::new();
        out.json_escaped(raw);
        assert_eq!(out.as_bytes(), want);
    }

    #[test]
    fn addresses_v4_and_front_removal() {
        assert_eq!(text(|out| out.ipv4([0, 10, 255, 199])), "0.10.255.199");
        let mut out = TextBuffer::new();
        out.bytes(b"headtail");
        out.drop_front(4);
        assert_eq!(out.as_bytes(), b"tail");
        out.truncate(2);
        out.bytes(b"pe");
        assert_eq!(out.as_bytes(), b"tape");
    }
}
