//! A fast hash with a secret key, so that a sender cannot choose colliding queries.

use std::hash::{BuildHasher, RandomState};

/// Hashes words and octets under a key that differs between tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyedHash {
    key: [u64; 4],
}

/// Multiplies to 128 bits and folds the halves, so that every input bit reaches the result.
#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

fn word(octets: &[u8]) -> u64 {
    let mut padded = [0; 8];
    padded[..octets.len()].copy_from_slice(octets);
    u64::from_le_bytes(padded)
}

impl KeyedHash {
    /// Draws a key.
    pub(super) fn new() -> Self {
        let source = RandomState::new();
        Self { key: [1_u8, 2, 3, 4].map(|n| source.hash_one(n)) }
    }

    #[inline]
    pub(super) fn words(&self, words: [u64; 5]) -> u64 {
        let [k0, k1, k2, k3] = self.key;
        let sum = fold(words[0] ^ k0, words[1] ^ k1);
        let sum = fold(sum ^ words[2], words[3] ^ k2);
        fold(sum ^ words[4], k3)
    }

    /// Continues a hash that [`Self::words`] started.
    #[inline]
    pub(super) fn octets(&self, start: u64, octets: &[u8]) -> u64 {
        let [k0, k1, k2, k3] = self.key;
        let mut sum = start ^ (octets.len() as u64).wrapping_mul(k3);
        let (chunks, tail) = octets.as_chunks::<16>();
        for chunk in chunks {
            sum = fold(sum ^ word(&chunk[..8]), word(&chunk[8..]) ^ k0);
        }
        let (low, high) = tail.split_at(tail.len().min(8));
        sum = fold(sum ^ word(low), word(high) ^ k1);
        fold(sum, k2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_input_bit_and_the_length_count() {
        let hash = KeyedHash::new();
        let mut seen = HashSet::from([hash.words([0; 5])]);
        for bit in 0..320 {
            let mut words = [0; 5];
            words[bit / 64] |= 1 << (bit % 64);
            assert!(seen.insert(hash.words(words)), "word bit {bit}");
        }
        let start = hash.words([7; 5]);
        let mut seen = HashSet::new();
        for len in 0..40 {
            let mut octets = vec![0; len];
            assert!(seen.insert(hash.octets(start, &octets)), "{len} zeros");
            for bit in 0..len * 8 {
                octets[bit / 8] ^= 1 << (bit % 8);
                assert!(seen.insert(hash.octets(start, &octets)), "bit {bit} of {len} octets");
                octets[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }

    #[test]
    fn keys_differ() {
        assert_ne!(KeyedHash::new().words([0; 5]), KeyedHash::new().words([0; 5]));
    }
}
