//! Adler-32, the checksum at the end of a zlib stream (RFC 1950 §8.2).

/// Largest prime below 2¹⁶.
const MODULUS: u32 = 65_521;

/// Octets that are summed at once where there are vectors.
pub(crate) const BLOCK: usize = 32;

/// Most octets before the sums could overflow, in whole blocks.
const CHUNK: usize = 5_552 / BLOCK * BLOCK;

/// What octets add, beginning from zero.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Sums {
    /// Their sum.
    pub(crate) plain: u32,
    /// The sum of the sums behind each of them.
    pub(crate) sums: u32,
}

impl Sums {
    fn of(octets: &[u8]) -> Self {
        octets.iter().fold(Self::default(), |before, &octet| {
            let plain = before.plain + u32::from(octet);
            Self { plain, sums: before.sums + plain }
        })
    }
}

/// Computes the Adler-32 of `octets`; 1 when there are none.
pub(crate) fn adler32(octets: &[u8]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if let Some(vector) = crate::vector::Vector::detect() {
        return adler32_by(octets, |blocks| vector.sums(blocks));
    }
    adler32_by(octets, |blocks| Sums::of(blocks.as_flattened()))
}

fn adler32_by(octets: &[u8], of_blocks: impl Fn(&[[u8; BLOCK]]) -> Sums) -> u32 {
    let (mut plain, mut sums) = (1, 0);
    let mut add = |octets: usize, more: Sums| {
        sums = (sums + plain * octets as u32 + more.sums) % MODULUS;
        plain = (plain + more.plain) % MODULUS;
    };
    for chunk in octets.chunks(CHUNK) {
        let (blocks, rest) = chunk.as_chunks::<BLOCK>();
        add(blocks.as_flattened().len(), of_blocks(blocks));
        add(rest.len(), Sums::of(rest));
    }
    sums << 16 | plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_checksums() {
        assert_eq!(adler32(b""), 1);
        assert_eq!(adler32(b"a"), 0x0062_0062);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn the_sums_do_not_overflow() {
        for len in [1, 31, 32, 33, CHUNK - 1, CHUNK, CHUNK + 1, 1_000_003] {
            let octets = vec![0xff; len];
            let (mut sum, mut sums) = (1_u64, 0_u64);
            for &octet in &octets {
                sum = (sum + u64::from(octet)) % u64::from(MODULUS);
                sums = (sums + sum) % u64::from(MODULUS);
            }
            assert_eq!(u64::from(adler32(&octets)), sums << 16 | sum, "{len} octets");
            let portable = adler32_by(&octets, |blocks| Sums::of(blocks.as_flattened()));
            assert_eq!(u64::from(portable), sums << 16 | sum, "{len} octets, without vectors");
        }
    }
}
