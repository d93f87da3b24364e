//! The Internet checksum (RFC 1071) and the verdict on a UDP checksum.

/// Verdict on the UDP checksum of the response packets of a message.
///
/// The numbers are those of the `udp_checksum` field of `base:dnsqr`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum UdpChecksum {
    /// Cannot be told: not UDP, a header incomplete, the first fragment missing, or addresses wiped.
    Error = 0,
    /// The sender computed none.
    Absent = 1,
    /// The sum does not come out.
    Incorrect = 2,
    /// The sum comes out.
    Correct = 3,
}

/// Returns the sum of big-endian 16-bit words with end-around carry; an odd tail counts as if a
/// zero octet followed.
///
/// Each slice is padded on its own, so sums of several slices may be added with end-around carry.
#[must_use]
pub fn ones_complement_sum(octets: &[u8]) -> u16 {
    // Word order does not matter to this sum, so eight octets are taken at a time as they lie in
    // memory and the order is put right once at the end (RFC 1071 §2).
    let (eights, tail) = octets.as_chunks::<8>();
    let mut sum = 0_u64;
    for eight in eights {
        let word = u64::from_ne_bytes(*eight);
        sum += (word & 0xffff_ffff) + (word >> 32);
    }
    let (fours, tail) = tail.as_chunks::<4>();
    for four in fours {
        sum += u64::from(u32::from_ne_bytes(*four));
    }
    let (twos, tail) = tail.as_chunks::<2>();
    for two in twos {
        sum += u64::from(u16::from_ne_bytes(*two));
    }
    if let [last] = tail {
        sum += u64::from(u16::from_ne_bytes([*last, 0]));
    }
    fold(sum).to_be()
}

/// Adds two sums with end-around carry.
pub(super) fn add(left: u16, right: u16) -> u16 {
    let (sum, carry) = left.overflowing_add(right);
    sum + u16::from(carry)
}

fn fold(sum: u64) -> u16 {
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slow(octets: &[u8]) -> u16 {
        octets.chunks(2).fold(0, |sum, pair| {
            add(sum, u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]))
        })
    }

    #[test]
    fn known_sums() {
        for (name, octets, want) in [
            ("nothing", &[][..], 0),
            ("one octet is the high one", &[0x12][..], 0x1200),
            ("RFC 1071 §3", &[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7][..], 0xddf2),
            ("carry goes round", &[0xff, 0xff, 0x00, 0x02][..], 0x0002),
        ] {
            assert_eq!(ones_complement_sum(octets), want, "{name}");
        }
    }

    proptest! {
        #[test]
        fn wide_sum_equals_word_by_word(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(ones_complement_sum(&octets), slow(&octets));
        }
    }
}
