use std::fmt;

use super::header::{Flags, Header};
use crate::crc;
use crate::error::Error;
use crate::wire::{self, Reader, put_len_field, put_varint_field, varint_len};

const ID: u32 = 1;
const CURRENT: u32 = 2;
const LAST: u32 = 3;
const SLICE: u32 = 4;
const CRC: u32 = 5;

/// Why a fragment, or the set it belongs to, was dropped (`decisions` FR-3, FR-4, FR-6).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum FragmentFault {
    /// Its index is higher than the last one it announces.
    BeyondLast,
    /// It announces another last index than the first fragment of its set.
    OtherLast,
    /// It announces more fragments than the reader's limits allow.
    TooMany,
    /// The octets of its set are more than a container may have, or than may wait.
    TooLarge,
    /// The reassembled container does not match the checksum.
    ChecksumMismatch,
}

impl fmt::Display for FragmentFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeyondLast => "fragment has an index beyond the last one",
            Self::OtherLast => "fragment announces another last index than its set",
            Self::TooMany => "fragment announces too many fragments",
            Self::TooLarge => "fragments make a container that is too large",
            Self::ChecksumMismatch => {
                "reassembled container does not match the checksum of its fragments"
            }
        })
    }
}

/// One slice of a container body that was too large for one datagram (NmsgFragment,
/// `container-and-io` §1.3 and §1.8).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fragment<'a> {
    /// Random number of the sliced container.
    pub id: u32,
    /// Index of this slice, from 0.
    pub current: u32,
    /// Index of the last slice.
    pub last: u32,
    /// The octets; none are legal.
    pub octets: &'a [u8],
    /// Checksum of the whole body, octets reversed; `None` when there is none.
    pub crc: Option<u32>,
}

impl<'a> Fragment<'a> {
    /// Reads the body of a container with the fragment flag.
    ///
    /// # Errors
    ///
    /// Damage as for any body, a missing required field included.
    pub fn parse(body: &'a [u8]) -> Result<Self, wire::Error> {
        let (mut id, mut current, mut last, mut octets, mut crc) = (None, None, None, None, None);
        let mut reader = Reader::new(body);
        while let Some(field) = reader.field()? {
            match field.number {
                ID => id = Some(field.value.varint32()?),
                CURRENT => current = Some(field.value.varint32()?),
                LAST => last = Some(field.value.varint32()?),
                SLICE => octets = Some(field.value.octets()?),
                CRC => crc = Some(field.value.varint32()?),
                _ => {}
            }
        }
        let (Some(id), Some(current), Some(last), Some(octets)) = (id, current, last, octets)
        else {
            return Err(wire::Error::MissingField);
        };
        Ok(Self { id, current, last, octets, crc })
    }

    /// Replaces `out` by the container that carries this fragment.
    fn write(&self, flags: Flags, out: &mut Vec<u8>) -> Result<(), Error> {
        let number = |value: u32| 1 + varint_len(value.into());
        let slice = 1 + varint_len(self.octets.len() as u64) + self.octets.len();
        let body_len = number(self.id)
            + number(self.current)
            + number(self.last)
            + slice
            + self.crc.map_or(0, number);
        let Ok(len) = u32::try_from(body_len) else {
            return Err(Error::too_large(body_len as u64, u32::MAX.into()));
        };
        out.clear();
        out.extend_from_slice(&Header::v2(flags.with(Flags::FRAGMENT), len).to_octets());
        put_varint_field(out, ID, self.id.into());
        put_varint_field(out, CURRENT, self.current.into());
        put_varint_field(out, LAST, self.last.into());
        put_len_field(out, SLICE, self.octets);
        if let Some(crc) = self.crc {
            put_varint_field(out, CRC, crc.into());
        }
        Ok(())
    }
}

/// Slices a container body and emits one container per fragment, in order. `flags` tell whether the
/// body is compressed; every slice but the last has exactly `slice_len` octets (`decisions` FR-1).
/// `scratch` is memory to work in. Gives the number of fragments.
///
/// # Errors
///
/// What `emit` returns, at once: the rest of a set that has a hole is of no use to anybody.
pub fn write_fragments<E: From<Error>>(
    body: &[u8],
    flags: Flags,
    id: u32,
    slice_len: usize,
    scratch: &mut Vec<u8>,
    emit: &mut impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<u32, E> {
    let slices = body.chunks(slice_len.max(1));
    let count = slices.len().max(1);
    let Ok(last) = u32::try_from(count - 1) else {
        return Err(Error::too_large(body.len() as u64, u32::MAX.into()).into());
    };
    let crc = Some(crc::stored_crc32c(body));
    for (current, octets) in (0..).zip(slices) {
        Fragment { id, current, last, octets, crc }.write(flags, scratch)?;
        emit(scratch)?;
    }
    Ok(last + 1)
}

/// Random numbers for fragmented containers: distinct enough, not secret (splitmix64).
#[derive(Clone, Debug)]
pub struct FragmentIds(u64);

impl FragmentIds {
    /// Starts from a random seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next_id(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragments(body: &[u8], slice_len: usize) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        let mut emit = |octets: &[u8]| {
            out.push(octets.to_vec());
            Ok::<(), Error>(())
        };
        let count = write_fragments(body, Flags(0), 7, slice_len, &mut Vec::new(), &mut emit);
        assert_eq!(count.unwrap() as usize, out.len());
        out
    }

    #[test]
    fn fr_1_the_last_index_is_that_of_the_last_slice() {
        for (len, slice_len, want) in
            [(1, 10, 1), (10, 10, 1), (11, 10, 2), (20, 10, 2), (21, 10, 3)]
        {
            let body: Vec<u8> = (0..len).collect();
            let sent = fragments(&body, slice_len);
            assert_eq!(sent.len(), want, "{len} octets");
            let mut joined = Vec::new();
            for (current, container) in (0..).zip(&sent) {
                let (header, octets) = Header::parse_message(container).unwrap();
                assert!(header.flags.is_fragment() && !header.flags.is_zlib());
                let fragment = Fragment::parse(octets).unwrap();
                assert_eq!((fragment.id, fragment.current), (7, current));
                assert_eq!(fragment.last as usize, want - 1);
                assert_eq!(fragment.crc, Some(crc::stored_crc32c(&body)));
                joined.extend_from_slice(fragment.octets);
            }
            assert_eq!(joined, body, "{len} octets");
        }
    }

    #[test]
    fn a_failed_fragment_ends_the_set() {
        let mut calls = 0;
        let mut emit = |_: &[u8]| {
            calls += 1;
            if calls == 2 { Err(std::io::Error::other("gone")) } else { Ok(()) }
        };
        let sent = write_fragments(&[0; 50], Flags(0), 7, 10, &mut Vec::new(), &mut emit);
        assert_eq!(sent.unwrap_err().to_string(), "gone");
        assert_eq!(calls, 2);
    }

    #[test]
    fn fragment_messages_follow_the_matrix() {
        use wire::Error::{BadTag, MissingField, Truncated, WrongWireType};
        let usual = Fragment { id: 1, current: 2, last: 3, octets: b"ab", crc: Some(4) };
        for (name, octets, want) in [
            ("usual", &b"\x08\x01\x10\x02\x18\x03\x22\x02ab\x28\x04"[..], Ok(usual)),
            ("backwards", b"\x28\x04\x22\x02ab\x18\x03\x10\x02\x08\x01", Ok(usual)),
            ("last wins", b"\x08\x09\x08\x01\x10\x02\x18\x03\x22\x02ab\x28\x04", Ok(usual)),
            ("unknown field", b"\x30\x00\x08\x01\x10\x02\x18\x03\x22\x02ab\x28\x04", Ok(usual)),
            ("no checksum", b"\x08\x01\x10\x02\x18\x03\x22\x02ab", {
                Ok(Fragment { crc: None, ..usual })
            }),
            ("no octets", b"\x08\x01\x10\x02\x18\x03\x22\x00\x28\x04", {
                Ok(Fragment { octets: b"", ..usual })
            }),
            ("no id", b"\x10\x02\x18\x03\x22\x02ab", Err(MissingField)),
            ("no index", b"\x08\x01\x18\x03\x22\x02ab", Err(MissingField)),
            ("no last", b"\x08\x01\x10\x02\x22\x02ab", Err(MissingField)),
            ("no slice", b"\x08\x01\x10\x02\x18\x03", Err(MissingField)),
            ("nothing", b"", Err(MissingField)),
            ("slice cut", b"\x08\x01\x10\x02\x18\x03\x22\x03ab", Err(Truncated)),
            ("id as octets", b"\x0a\x01a", Err(WrongWireType)),
            ("slice as varint", b"\x20\x01", Err(WrongWireType)),
            ("group", b"\x0b", Err(BadTag)),
        ] {
            assert_eq!(Fragment::parse(octets), want, "{name}");
        }
    }

    #[test]
    fn fragment_ids_differ() {
        let mut ids = FragmentIds::new(1);
        let mut drawn: Vec<u32> = (0..1000).map(|_| ids.next_id()).collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 1000);
        assert_ne!(FragmentIds::new(2).next_id(), FragmentIds::new(1).next_id());
    }
}
