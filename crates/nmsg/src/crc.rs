//! CRC-32C (Castagnoli), the checksum of payloads and fragments.

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
    if hardware::is_there() {
        return hardware::crc32c(octets);
    }
    crc32c_portable(octets)
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
        _mm_clmulepi64_si128, _mm_crc32_u8, _mm_crc32_u64, _mm_cvtsi64_si128, _mm_cvtsi128_si64,
        _mm_xor_si128,
    };

    pub(super) fn is_there() -> bool {
        std::arch::is_x86_feature_detected!("sse4.2")
            && std::arch::is_x86_feature_detected!("pclmulqdq")
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

    #[inline]
    pub(super) fn crc32c(octets: &[u8]) -> u32 {
        // SAFETY: the only caller has asked whether the processor has the instructions.
        unsafe { sum(octets) }
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
            let advance = |crc: u64, by: i64| {
                _mm_clmulepi64_si128::<0>(_mm_cvtsi64_si128(crc as i64), _mm_cvtsi64_si128(by))
            };
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
    fn hardware_and_table_agree_at_every_length() {
        let octets: Vec<u8> = (0..10_000_u32).map(|n| ((n * n) >> 3) as u8).collect();
        for len in (0..1300).chain([3071, 3072, 3073, 6144, 9999, 10_000]) {
            assert_eq!(crc32c(&octets[..len]), crc32c_portable(&octets[..len]), "{len} octets");
        }
    }
}
