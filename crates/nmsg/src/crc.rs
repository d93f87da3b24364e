//! CRC-32C (Castagnoli), the checksum of payloads and fragments.

use std::ops::Range;

/// Reflected polynomial of CRC-32C.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// Table `k` advances a checksum over one octet followed by `k` zero octets.
static TABLES: [[u32; 256]; 8] = {
    let mut tables = [[0; 256]; 8];
    let mut n = 0;
    while n < 256 {
        let mut crc = n as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        tables[0][n] = crc;
        n += 1;
    }
    let mut n = 0;
    while n < 256 {
        let mut k = 1;
        while k < 8 {
            let before = tables[k - 1][n];
            tables[k][n] = before >> 8 ^ tables[0][(before & 0xff) as usize];
            k += 1;
        }
        n += 1;
    }
    tables
};

/// Computes the CRC-32C of `octets`: initial value and final complement all ones; 0 when empty.
///
/// ```
/// assert_eq!(nmsg::crc::crc32c(b"123456789"), 0xe306_9283);
/// ```
#[must_use]
#[inline]
pub fn crc32c(octets: &[u8]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if let Some(instructions) = hardware::Instructions::find() {
        return instructions.crc32c(octets);
    }
    crc32c_portable(octets)
}

/// Checksums of many parts of the same octets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums<'a> {
    octets: &'a [u8],
    #[cfg(target_arch = "x86_64")]
    instructions: Option<hardware::Instructions>,
}

impl<'a> Sums<'a> {
    /// Those of parts of `octets`.
    #[inline]
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self {
            octets,
            #[cfg(target_arch = "x86_64")]
            instructions: hardware::Instructions::find(),
        }
    }

    /// The checksum of a part, as [`crc32c`] gives it. The time does not depend on its length where that is
    /// usual, so that there is nothing to foretell.
    #[inline]
    pub(crate) fn crc32c(&self, part: Range<usize>) -> u32 {
        #[cfg(target_arch = "x86_64")]
        if let Some(instructions) = self.instructions
            && let Some(sum) = instructions.crc32c_of_middling(self.octets, &part)
        {
            return sum;
        }
        crc32c(self.octets.get(part).unwrap_or_default())
    }
}

/// The number that containers store for `octets`: the checksum with its octets reversed, whatever
/// the host (`container-and-io` §1.4).
#[must_use]
#[inline]
pub fn stored_crc32c(octets: &[u8]) -> u32 {
    crc32c(octets).swap_bytes()
}

fn crc32c_portable(octets: &[u8]) -> u32 {
    let table = |k: usize, octet: u32| TABLES[k][(octet & 0xff) as usize];
    let (blocks, rest) = octets.as_chunks::<8>();
    let mut crc = !0;
    for block in blocks {
        let low = u32::from_le_bytes([block[0], block[1], block[2], block[3]]) ^ crc;
        let high = u32::from_le_bytes([block[4], block[5], block[6], block[7]]);
        crc = table(7, low) ^ table(6, low >> 8) ^ table(5, low >> 16) ^ table(4, low >> 24);
        crc ^= table(3, high) ^ table(2, high >> 8) ^ table(1, high >> 16) ^ table(0, high >> 24);
    }
    for &octet in rest {
        crc = crc >> 8 ^ table(0, crc ^ u32::from(octet));
    }
    !crc
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the processor's CRC and carry-less multiplication instructions")]
mod hardware {
    use std::arch::x86_64::{
        __m128i, _mm_clmulepi64_si128, _mm_crc32_u8, _mm_crc32_u64, _mm_cvtsi64_si128,
        _mm_cvtsi128_si64, _mm_xor_si128,
    };
    use std::ops::Range;

    /// Stands for a processor that has them.
    #[derive(Clone, Copy, Debug)]
    pub(super) struct Instructions(());

    impl Instructions {
        #[inline]
        pub(super) fn find() -> Option<Self> {
            let is_there = std::arch::is_x86_feature_detected!("sse4.2")
                && std::arch::is_x86_feature_detected!("pclmulqdq");
            is_there.then_some(Self(()))
        }

        #[inline]
        pub(super) fn crc32c(self, octets: &[u8]) -> u32 {
            // SAFETY: there is no value of this type unless the processor has the instructions.
            unsafe { sum(octets) }
        }

        /// The checksum of a part of usual length with enough octets in front of it.
        #[inline]
        pub(super) fn crc32c_of_middling(self, octets: &[u8], part: &Range<usize>) -> Option<u32> {
            let len = part.end.checked_sub(part.start)?;
            let (own, around) = (OWN.get(len.checked_sub(LATER)?..)?, AROUND.get(len - LATER)?);
            let own = own.first_chunk()?;
            let octets = octets.get(..part.end)?.last_chunk()?;
            // SAFETY: as above.
            Some(around ^ unsafe { sum_own(octets, own) })
        }
    }

    /// What a checksum is multiplied by, without carries, to advance it over so many zero octets.
    /// The instruction that reduces the product advances it by 33 bits.
    const fn over_zeros(octets: usize) -> i64 {
        let mut power = 1_u32 << 31;
        let mut bits = 8 * octets - 33;
        while bits > 0 {
            power = power >> 1 ^ if power & 1 == 1 { super::POLYNOMIAL } else { 0 };
            bits -= 1;
        }
        power as i64
    }

    /// Octets that [`Instructions::crc32c_of_middling`] sums, and how many of them it takes without looking.
    const WHOLE: usize = 128;
    const LATER: usize = WHOLE / 2;

    /// A window of this has zeros for octets that are in front of a part, and ones for its own.
    static OWN: [u8; WHOLE] = {
        let mut own = [0xff; WHOLE];
        let mut at = 0;
        while at < LATER {
            own[at] = 0;
            at += 1;
        }
        own
    };

    /// What the initial value and the final complement make of a sum, by the octets above [`LATER`].
    static AROUND: [u32; WHOLE - LATER + 1] = {
        let mut around = [0; WHOLE - LATER + 1];
        let (mut crc, mut len) = (!0_u32, 0);
        while len <= WHOLE {
            if len >= LATER {
                around[len - LATER] = !crc;
            }
            crc = crc >> 8 ^ super::TABLES[0][(crc & 0xff) as usize];
            len += 1;
        }
        around
    };

    /// Sums octets of which the first half counts where `own` has ones, from an initial value of 0.
    #[inline]
    #[target_feature(enable = "sse4.2,pclmulqdq")]
    fn sum_own(octets: &[u8; WHOLE], own: &[u8; LATER]) -> u32 {
        const LANE: usize = 4;
        let (words, masks) = (octets.as_chunks::<8>().0, own.as_chunks::<8>().0);
        let word = |at: usize| {
            let mask = masks.get(at).map_or(!0, |mask| u64::from_le_bytes(*mask));
            u64::from_le_bytes(words[at]) & mask
        };
        let mut sums = [0; 4];
        for at in 0..LANE {
            for (lane, sum) in sums.iter_mut().enumerate() {
                *sum = _mm_crc32_u64(*sum, word(lane * LANE + at));
            }
        }
        let [a, b, c, d] = sums;
        let a = advance(a, const { over_zeros(3 * 8 * LANE) });
        let b = advance(b, const { over_zeros(2 * 8 * LANE) });
        let c = advance(c, const { over_zeros(8 * LANE) });
        let others = _mm_xor_si128(_mm_xor_si128(a, b), c);
        (d ^ _mm_crc32_u64(0, _mm_cvtsi128_si64(others) as u64)) as u32
    }

    /// Multiplies a sum without carries; see [`over_zeros`].
    #[inline]
    #[target_feature(enable = "sse4.2,pclmulqdq")]
    fn advance(crc: u64, by: i64) -> __m128i {
        _mm_clmulepi64_si128::<0>(_mm_cvtsi64_si128(crc as i64), _mm_cvtsi64_si128(by))
    }

    /// Sums three lanes of so many words at the same time, to hide the latency of the instruction,
    /// as often as there are three; gives what is left.
    #[inline]
    #[target_feature(enable = "sse4.2,pclmulqdq")]
    fn sum_lanes<'o, const WORDS: usize>(crc: &mut u64, mut octets: &'o [u8]) -> &'o [u8] {
        while let Some((lanes, rest)) = octets.split_at_checked(3 * 8 * WORDS) {
            let (words, _) = lanes.as_chunks::<8>();
            let [first, second, third] = [0, 1, 2].map(|lane| &words[lane * WORDS..][..WORDS]);
            let (mut a, mut b, mut c) = (*crc, 0, 0);
            for i in 0..WORDS {
                a = _mm_crc32_u64(a, u64::from_le_bytes(first[i]));
                b = _mm_crc32_u64(b, u64::from_le_bytes(second[i]));
                c = _mm_crc32_u64(c, u64::from_le_bytes(third[i]));
            }
            let a = advance(a, const { over_zeros(2 * 8 * WORDS) });
            let b = advance(b, const { over_zeros(8 * WORDS) });
            *crc = c ^ _mm_crc32_u64(0, _mm_cvtsi128_si64(_mm_xor_si128(a, b)) as u64);
            octets = rest;
        }
        octets
    }

    #[target_feature(enable = "sse4.2,pclmulqdq")]
    fn sum(octets: &[u8]) -> u32 {
        let mut crc = u64::from(!0_u32);
        let octets = sum_lanes::<128>(&mut crc, octets);
        let octets = sum_lanes::<16>(&mut crc, octets);
        let mut octets = sum_lanes::<4>(&mut crc, octets);
        if let Some(first) = octets.first_chunk() {
            // Make whole words of it by zeros in front. They change nothing when the checksum so far
            // is added to the first octets instead.
            let used = (octets.len() - 1) % 8 + 1;
            let first = (u64::from_le_bytes(*first) ^ crc) << (64 - 8 * used);
            crc = _mm_crc32_u64(0, first) ^ crc >> (4 * used) >> (4 * used);
            octets = &octets[used..];
        }
        let (words, rest) = octets.as_chunks::<8>();
        for word in words {
            crc = _mm_crc32_u64(crc, u64::from_le_bytes(*word));
        }
        let mut crc = crc as u32;
        for octet in rest {
            crc = _mm_crc32_u8(crc, *octet);
        }
        !crc
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_values_of_the_format() {
        for (name, octets, want) in [
            ("catalogue check value", &b"123456789"[..], 0xe306_9283),
            ("no octets", b"", 0),
            ("worked example A", b"\x0a\x02c\0\x12\x03hi\0", 0x0eee_47f7),
        ] {
            assert_eq!(crc32c(octets), want, "{name}");
            assert_eq!(crc32c_portable(octets), want, "{name}, portable");
        }
        assert_eq!(stored_crc32c(b"\x0a\x02c\0\x12\x03hi\0"), 0xf747_ee0e);
    }

    #[test]
    fn parts_have_the_sum_that_they_have_alone() {
        let octets: Vec<u8> = (0..600_u32).map(|n| ((n * n) >> 3) as u8 ^ 0x5a).collect();
        for start in [0, 1, 18, 63, 64, 127, 128, 300] {
            for len in 0..300 {
                let part = start..start + len;
                let want = crc32c_portable(&octets[part.clone()]);
                assert_eq!(Sums::new(&octets).crc32c(part.clone()), want, "{part:?}");
                let no_more = Sums::new(&octets[..part.end]);
                assert_eq!(no_more.crc32c(part.clone()), want, "{part:?}, no more");
            }
        }
        assert_eq!(Sums::new(&octets).crc32c(550..601), 0, "what is not there");
    }

    #[test]
    fn hardware_and_table_agree_at_every_length() {
        let octets: Vec<u8> = (0..10_000_u32).map(|n| ((n * n) >> 3) as u8).collect();
        for len in (0..1300).chain([3071, 3072, 3073, 6144, 9999, 10_000]) {
            assert_eq!(crc32c(&octets[..len]), crc32c_portable(&octets[..len]), "{len} octets");
        }
    }
}
