//! The pieces of one fragmented datagram, kept until they make it whole.

use super::checksum::ones_complement_sum;
use super::{Family, IPV4_HEADER_LEN, IPV6_FRAGMENT_HEADER_LEN, IPV6_HEADER_LEN, IpPacket};

/// Largest datagram that is put together, headers included, in octets.
pub const MAX_DATAGRAM_OCTETS: usize = 65_536;

/// What became of a piece given to [`FragmentSet::insert`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Inserted {
    /// Kept; pieces are missing.
    Kept,
    /// Kept; the datagram is whole.
    Complete,
    /// Equal to a piece that is there; ignored.
    Duplicate,
    /// The pieces contradict each other; the set stays unusable.
    Invalid,
}

/// One stored piece.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Piece<T> {
    /// What the caller attached, such as the arrival time.
    tag: T,
    /// Position in the datagram's payload, in octets.
    offset: u32,
    len: u32,
    /// Where the packet of this piece starts in the set's buffer.
    packet_at: usize,
    packet_len: u32,
    header_len: u32,
    announced_at: u32,
    more: bool,
    family: Family,
}

impl<T> Piece<T> {
    fn end(&self) -> u32 {
        self.offset + self.len
    }
}

/// The pieces of one datagram in any order of arrival.
///
/// Each piece is kept from its IP header to the end IP announces. Rules: `capture-and-dnsqr` §2.1;
/// exact duplicates are ignored (decision CP-9).
#[derive(Clone, Debug)]
pub struct FragmentSet<T> {
    octets: Vec<u8>,
    pieces: Vec<Piece<T>>,
    end: Option<u32>,
    covered: u32,
    invalid: bool,
}

impl<T> Default for FragmentSet<T> {
    fn default() -> Self {
        Self { octets: Vec::new(), pieces: Vec::new(), end: None, covered: 0, invalid: false }
    }
}

impl<T: Copy> FragmentSet<T> {
    /// Empties the set and keeps its buffers for the next datagram.
    pub fn clear(&mut self) {
        self.octets.clear();
        self.pieces.clear();
        self.end = None;
        self.covered = 0;
        self.invalid = false;
    }

    /// Returns the octets the set holds in memory, bookkeeping included.
    #[must_use]
    pub fn held_octets(&self) -> usize {
        self.octets.capacity() + self.pieces.capacity() * size_of::<Piece<T>>()
    }

    /// Adds a fragment. A packet that is no fragment, or is not whole, makes the set invalid.
    pub fn insert(&mut self, packet: &IpPacket<'_>, tag: T) -> Inserted {
        if self.invalid {
            return Inserted::Invalid;
        }
        let outcome = self.try_insert(packet, tag);
        if outcome == Inserted::Invalid {
            self.invalid = true;
            self.octets = Vec::new();
            self.pieces = Vec::new();
        }
        outcome
    }

    fn try_insert(&mut self, packet: &IpPacket<'_>, tag: T) -> Inserted {
        let (Some(fragment), true) = (packet.fragment(), packet.is_whole()) else {
            return Inserted::Invalid;
        };
        let octets = packet.without_padding();
        let body = octets.get(packet.header_len()..).unwrap_or_default();
        let len = body.len() as u32;
        let end = fragment.offset + len;
        if fragment.more && !len.is_multiple_of(8) {
            return Inserted::Invalid;
        }
        let slot = self.pieces.partition_point(|piece| piece.offset < fragment.offset);
        let right = self.pieces.get(slot);
        if let Some(twin) = right
            && (twin.offset, twin.len, twin.more) == (fragment.offset, len, fragment.more)
            && self.body_of(twin) == body
        {
            return Inserted::Duplicate;
        }
        let past_the_end = self.end.is_some_and(|known| end > known || !fragment.more);
        let overlaps_left = slot > 0 && self.pieces[slot - 1].end() > fragment.offset;
        let overlaps_right = right.is_some_and(|right| !fragment.more || end > right.offset);
        let empty_last_again = len == 0
            && !fragment.more
            && self.end == Some(fragment.offset)
            && self.pieces.last().is_some_and(|last| last.more);
        if empty_last_again {
            return Inserted::Duplicate;
        }
        if past_the_end || overlaps_left || overlaps_right {
            return Inserted::Invalid;
        }
        if len == 0 {
            let abuts = slot > 0 && self.pieces[slot - 1].end() == fragment.offset;
            if !fragment.more && abuts {
                self.end = Some(end);
            }
            return self.state();
        }
        if !fragment.more {
            self.end = Some(end);
        }
        self.covered += len;
        let piece = Piece {
            tag,
            offset: fragment.offset,
            len,
            packet_at: self.octets.len(),
            packet_len: octets.len() as u32,
            header_len: packet.header_len() as u32,
            announced_at: fragment.announced_at as u32,
            more: fragment.more,
            family: packet.family(),
        };
        self.octets.extend_from_slice(octets);
        self.pieces.insert(slot, piece);
        self.state()
    }

    fn state(&self) -> Inserted {
        if self.end == Some(self.covered) { Inserted::Complete } else { Inserted::Kept }
    }

    /// Returns the stored pieces and their packets in order of their offset.
    pub fn packets(&self) -> impl ExactSizeIterator<Item = (T, &[u8])> {
        self.pieces.iter().map(|piece| (piece.tag, self.packet_of(piece)))
    }

    fn packet_of(&self, piece: &Piece<T>) -> &[u8] {
        let end = piece.packet_at + piece.packet_len as usize;
        self.octets.get(piece.packet_at..end).unwrap_or_default()
    }

    fn body_of(&self, piece: &Piece<T>) -> &[u8] {
        self.packet_of(piece).get(piece.header_len as usize..).unwrap_or_default()
    }

    /// Writes the whole datagram over `out`: headers of the first piece, then all payload.
    ///
    /// Returns false, leaving `out` empty, when pieces are missing or the result would exceed
    /// [`MAX_DATAGRAM_OCTETS`]. IPv4 loses its flags and gets a new header checksum; IPv6 loses
    /// the fragment header.
    pub fn assemble(&self, out: &mut Vec<u8>) -> bool {
        out.clear();
        let Some(first) = self.pieces.first() else { return false };
        if self.invalid || self.state() != Inserted::Complete {
            return false;
        }
        let header = self.packet_of(first).get(..first.header_len as usize).unwrap_or_default();
        let kept = match first.family {
            Family::V4 => header.len(),
            Family::V6 => header.len().saturating_sub(IPV6_FRAGMENT_HEADER_LEN),
        };
        let total = kept + self.covered as usize;
        if total > MAX_DATAGRAM_OCTETS {
            return false;
        }
        out.reserve(total);
        out.extend_from_slice(&header[..kept]);
        match first.family {
            Family::V4 => patch_v4(out, total),
            Family::V6 => patch_v6(out, total, header[kept], first.announced_at as usize),
        }
        for piece in &self.pieces {
            out.extend_from_slice(self.body_of(piece));
        }
        true
    }
}

fn patch_v4(header: &mut [u8], total: usize) {
    if header.len() < IPV4_HEADER_LEN {
        return;
    }
    header[2..4].copy_from_slice(&(total as u16).to_be_bytes());
    header[6..8].fill(0);
    header[10..12].fill(0);
    let sum = !ones_complement_sum(header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
}

fn patch_v6(header: &mut [u8], total: usize, next_header: u8, announced_at: usize) {
    if header.len() < IPV6_HEADER_LEN {
        return;
    }
    header[4..6].copy_from_slice(&((total - IPV6_HEADER_LEN) as u16).to_be_bytes());
    if let Some(announced) = header.get_mut(announced_at) {
        *announced = next_header;
    }
}
