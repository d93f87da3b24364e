//! Bits packed into octets, the lowest bit first (RFC 1951 §3.1.1).

/// Octets that one store writes.
const WORD: usize = 8;

/// Appends bits to a buffer that was given enough room before.
pub(crate) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    at: usize,
    waiting: u64,
    count: u32,
}

impl<'a> BitWriter<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        let at = out.len();
        Self { out, at, waiting: 0, count: 0 }
    }

    /// Makes room for so many more bits.
    pub(crate) fn reserve(&mut self, bits: u64) {
        self.out.resize(self.at + (bits / 8) as usize + 2 * WORD, 0);
    }

    /// Puts the lowest `count` bits; those above must be zero.
    #[inline(always)]
    pub(crate) fn put(&mut self, bits: u64, count: u32) {
        debug_assert!(bits >> count == 0);
        self.waiting |= bits << self.count;
        self.count += count;
        debug_assert!(self.count < u64::BITS);
    }

    /// Stores whole octets; fewer than eight bits wait afterwards.
    #[inline(always)]
    pub(crate) fn flush(&mut self) {
        self.out[self.at..self.at + WORD].copy_from_slice(&self.waiting.to_le_bytes());
        self.at += (self.count / 8) as usize;
        self.waiting >>= self.count & !7;
        self.count &= 7;
    }

    /// Puts bits and counts of them, at most 56 at once, and stores whole octets.
    #[inline(always)]
    pub(crate) fn put_all(&mut self, words: impl Iterator<Item = (u64, u32)>) {
        let (mut at, mut waiting, mut count) = (self.at, self.waiting, self.count);
        let out = &mut self.out[..];
        for (bits, bit_count) in words {
            waiting |= bits << count;
            count += bit_count;
            out[at..at + WORD].copy_from_slice(&waiting.to_le_bytes());
            at += (count / 8) as usize;
            waiting >>= count & !7;
            count &= 7;
        }
        (self.at, self.waiting, self.count) = (at, waiting, count);
    }

    /// Fills the last octet with zero bits.
    pub(crate) fn align(&mut self) {
        self.count = self.count.next_multiple_of(8);
        self.flush();
    }

    /// Appends octets; whole octets must have been written before.
    pub(crate) fn octets(&mut self, octets: &[u8]) {
        debug_assert_eq!(self.count, 0);
        self.out[self.at..self.at + octets.len()].copy_from_slice(octets);
        self.at += octets.len();
    }

    /// Bits that wait for the rest of their octet.
    pub(crate) fn started(&self) -> u32 {
        self.count
    }

    /// Ends the buffer behind the last octet.
    pub(crate) fn finish(mut self) {
        self.reserve(0);
        self.align();
        self.out.truncate(self.at);
    }
}
