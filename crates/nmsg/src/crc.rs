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
    if std::arch::is_x86_feature_detected!("sse4.2") {
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
#[expect(unsafe_code, reason = "the processor's CRC instruction")]
mod hardware {
    use std::arch::x86_64::{_mm_crc32_u8, _mm_crc32_u64};

    /// Octets of one of the three lanes in which long inputs are summed at the same time, to hide
    /// the latency of the instruction.
    const LANE: usize = 1024;

    /// `SHIFT[k]` advances a checksum with its octet `k` being the index over [`LANE`] zero octets.
    static SHIFT: [[u32; 256]; 4] = {
        let mut tables = [[0; 256]; 4];
        let mut k = 0;
        while k < 4 {
            let mut n = 0;
            while n < 256 {
                let mut crc = (n as u32) << (8 * k);
                let mut zeros = 0;
                while zeros < LANE {
                    crc = crc >> 8 ^ super::TABLES[0][(crc & 0xff) as usize];
                    zeros += 1;
                }
                tables[k][n] = crc;
                n += 1;
            }
            k += 1;
        }
        tables
    };

    fn shift(crc: u32) -> u32 {
        let [a, b, c, d] = crc.to_le_bytes().map(usize::from);
        SHIFT[0][a] ^ SHIFT[1][b] ^ SHIFT[2][c] ^ SHIFT[3][d]
    }

    #[inline]
    pub(super) fn crc32c(octets: &[u8]) -> u32 {
        // SAFETY: the only caller has asked the processor for SSE 4.2.
        unsafe { sum(octets) }
    }

    #[target_feature(enable = "sse4.2")]
    fn sum(mut octets: &[u8]) -> u32 {
        let mut crc = u64::from(!0_u32);
        while let Some((lanes, rest)) = octets.split_at_checked(3 * LANE) {
            let (mut second, mut third) = (0, 0);
            let (words, _) = lanes.as_chunks::<8>();
            for i in 0..LANE / 8 {
                crc = _mm_crc32_u64(crc, u64::from_le_bytes(words[i]));
                second = _mm_crc32_u64(second, u64::from_le_bytes(words[i + LANE / 8]));
                third = _mm_crc32_u64(third, u64::from_le_bytes(words[i + 2 * LANE / 8]));
            }
            let two = shift(crc as u32) ^ second as u32;
            crc = u64::from(shift(two) ^ third as u32);
            octets = rest;
        }
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
        for len in (0..300).chain([1023, 1024, 3071, 3072, 3073, 6144, 9999, 10_000]) {
            assert_eq!(crc32c(&octets[..len]), crc32c_portable(&octets[..len]), "{len} octets");
        }
    }
}
