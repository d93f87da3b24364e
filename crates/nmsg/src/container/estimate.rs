use super::payload_header::encoded_len;
use crate::Payload;
use crate::wire::varint_len;

/// Smallest write buffer; smaller settings are raised to it.
pub const MIN_BUFFER: usize = 512;
/// Largest write buffer; larger settings are lowered to it. Files always use this one.
pub const MAX_BUFFER: usize = 1 << 20;
/// Write buffer of datagram, ZeroMQ and Kafka outputs unless told otherwise.
pub const DEFAULT_DATAGRAM_BUFFER: usize = 8192;

/// Octets that are kept free in a container that has records, and that a fragment needs around its
/// slice.
pub(super) const SLACK: usize = 32;
/// Octets that are set aside for the sequence fields.
const SEQUENCE_SLACK: usize = 18;
/// Octets that are set aside for a checksum.
const CRC_SLACK: usize = 6;
/// What an empty container is estimated at: its header.
const EMPTY: usize = 10;

/// What happened to a record that was offered to a container.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Fullness {
    /// It is in, and there may be room for more.
    Fits,
    /// It is not in: send the container as it is and offer the record again.
    Full,
    /// It is in, alone, and larger than a container should be: to be sent in fragments.
    Overfull,
}

/// Decides when a container is full; arithmetic on lengths alone (`container-and-io` §1.7,
/// `decisions` CW-2). Container boundaries equal the reference's only if this is followed exactly.
#[derive(Clone, Debug)]
pub struct SizeEstimator {
    estimate: usize,
    buffer: usize,
    sequenced: bool,
}

impl SizeEstimator {
    /// An empty container of at most about `buffer` octets; see [`MIN_BUFFER`] and [`MAX_BUFFER`].
    #[must_use]
    pub fn new(buffer: usize, sequenced: bool) -> Self {
        Self { estimate: EMPTY, buffer: buffer.clamp(MIN_BUFFER, MAX_BUFFER), sequenced }
    }

    /// The buffer size in force.
    #[must_use]
    pub fn buffer(&self) -> usize {
        self.buffer
    }

    /// Starts an empty container.
    pub fn reset(&mut self) {
        self.estimate = EMPTY;
    }

    /// Offers a record whose NmsgPayload message has `encoded_len` octets and whose body has
    /// `body_len`.
    #[inline]
    pub fn add(&mut self, encoded_len: usize, body_len: usize) -> Fullness {
        // The body's length is taken to have three octets at most, as the reference does.
        let len = encoded_len - varint_len(body_len as u64).saturating_sub(3);
        if self.estimate != EMPTY && self.estimate + len + SLACK >= self.buffer {
            return Fullness::Full;
        }
        let longer = |bits: u32| usize::from(len >> bits != 0);
        self.estimate += len + 2 + longer(7) + longer(14) + longer(21) + CRC_SLACK;
        if self.estimate + if self.sequenced { SEQUENCE_SLACK } else { 0 } > self.buffer {
            Fullness::Overfull
        } else {
            Fullness::Fits
        }
    }

    /// Offers `count` records of less than 16 KiB each, of which the first `n` have `octets_of(n)`
    /// octets together with the tags and lengths around them. Gives how many were taken: as many as
    /// [`Self::add`] says of that they fit, but perhaps for the last of these.
    #[inline]
    pub(super) fn add_run(&mut self, count: usize, octets_of: impl Fn(usize) -> usize) -> usize {
        // Behind each of these records there is room for an empty one. That is a little less than a
        // record may take, and what it takes is the same sum as there.
        let room = self.buffer.saturating_sub(self.estimate + SLACK + 1);
        let need = |count: usize| octets_of(count) + count * CRC_SLACK;
        let mut taken = count;
        if need(count) > room {
            let (mut fits, mut full) = (0, count);
            while full - fits > 1 {
                let middle = usize::midpoint(fits, full);
                *(if need(middle) <= room { &mut fits } else { &mut full }) = middle;
            }
            taken = fits;
        }
        self.estimate += need(taken);
        taken
    }

    /// Offers a record.
    #[inline]
    pub fn add_payload(&mut self, payload: &Payload<'_>) -> Fullness {
        self.add(encoded_len(payload), payload.body.map_or(0, <[u8]>::len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffer_sizes_are_clamped() {
        for (asked, want) in
            [(0, 512), (1, 512), (513, 513), (1 << 20, 1 << 20), (2 << 20, 1 << 20)]
        {
            assert_eq!(SizeEstimator::new(asked, false).buffer(), want, "{asked}");
        }
    }

    #[test]
    fn cw_2_worked_example_e_nine_records_a_datagram() {
        let mut estimator = SizeEstimator::new(1280, true);
        for record in 0..9 {
            assert_eq!(estimator.add(124, 100), Fullness::Fits, "record {record}");
        }
        assert_eq!(estimator.estimate, 1198);
        assert_eq!(estimator.add(124, 100), Fullness::Full);
        assert_eq!(estimator.estimate, 1198, "a refused record does not count");
        estimator.reset();
        assert_eq!(estimator.add(124, 100), Fullness::Fits);
    }

    #[test]
    fn cw_2_limits_to_the_octet() {
        let overhead = 10 + 2 + 1 + 6;
        for (name, sequenced, len, want) in [
            ("largest that fits", false, 512 - overhead, Fullness::Fits),
            ("one more", false, 512 - overhead + 1, Fullness::Overfull),
            ("largest with sequence", true, 512 - overhead - 18, Fullness::Fits),
            ("one more with sequence", true, 512 - overhead - 18 + 1, Fullness::Overfull),
        ] {
            assert_eq!(SizeEstimator::new(512, sequenced).add(len, len - 20), want, "{name}");
        }
        for (name, second, want) in [
            // 10 + 100 + 2 + 6 = 118 after the first record; 118 + L + 32 < 512.
            ("largest second record", 361, Fullness::Fits),
            ("one more", 362, Fullness::Full),
        ] {
            let mut estimator = SizeEstimator::new(512, false);
            assert_eq!(estimator.add(100, 80), Fullness::Fits);
            assert_eq!(estimator.add(second, 340), want, "{name}");
        }
    }

    #[test]
    fn cw_2_a_run_fills_containers_as_its_records_do() {
        let mut state = 7_u32;
        let mut random = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((u64::from(state) * u64::from(below)) >> 32) as usize
        };
        for round in 0..3000 {
            let buffer = 512 + random(4000);
            let mut single = SizeEstimator::new(buffer, round % 2 == 0);
            let mut several = single.clone();
            for _ in 0..random(8) {
                let len = 20 + random(100);
                assert_eq!(single.add(len, len - 20), several.add(len, len - 20));
            }
            let longest = [60, 200, 3000][round % 3];
            let lens: Vec<usize> = (0..random(40)).map(|_| 20 + random(longest)).collect();
            let framed = |count: usize| {
                lens[..count].iter().map(|len| 1 + varint_len(*len as u64) + len).sum::<usize>()
            };
            let taken = several.add_run(lens.len(), framed);
            for len in &lens[..taken] {
                assert_eq!(single.add(*len, len - 20), Fullness::Fits);
            }
            assert_eq!(single.estimate, several.estimate);
            // At most one more would have fitted.
            if let [next, behind, ..] = lens[taken..]
                && single.add(next, next - 20) == Fullness::Fits
                && taken > 0
            {
                assert_eq!(single.add(behind, behind - 20), Fullness::Full, "{lens:?}");
            }
        }
    }

    #[test]
    fn cw_2_only_a_lone_record_can_be_overfull() {
        for first in 20..700 {
            for second in 20..700 {
                let mut estimator = SizeEstimator::new(512, true);
                if estimator.add(first, first - 15) == Fullness::Fits {
                    assert_ne!(estimator.add(second, second - 15), Fullness::Overfull);
                }
            }
        }
    }
}
