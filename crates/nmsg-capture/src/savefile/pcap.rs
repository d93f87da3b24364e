//! The pcap format: a file header, then one header before each frame.

use super::{Error, ErrorKind, MAX_FRAME_OCTETS};
use crate::LinkType;
use nmsg::Timestamp;

pub(super) const FILE_HEADER_LEN: usize = 24;
const RECORD_HEADER_LEN: usize = 16;
const MODIFIED_RECORD_HEADER_LEN: usize = 24;

/// Octets in the order the file was written in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    pub(super) fn u16(self, octets: &[u8], at: usize) -> u16 {
        let pair = octets.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; 2]);
        match self {
            Self::Little => u16::from_le_bytes(pair),
            Self::Big => u16::from_be_bytes(pair),
        }
    }

    pub(super) fn u32(self, octets: &[u8], at: usize) -> u32 {
        let four = octets.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; 4]);
        match self {
            Self::Little => u32::from_le_bytes(four),
            Self::Big => u32::from_be_bytes(four),
        }
    }
}

/// What the file header tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Layout {
    order: Order,
    nanoseconds: bool,
    record_header_len: usize,
    lengths: Lengths,
    snaplen: usize,
    pub(super) link: LinkType,
}

/// How old writers ordered the two lengths of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Lengths {
    AsNow,
    Swapped,
    SwappedIfOdd,
}

/// Tells the layout from the magic; `None` when it is not that of pcap.
fn magic(start: [u8; 4]) -> Option<(Order, bool, usize)> {
    let by_number = |number| match number {
        0xa1b2_c3d4_u32 => Some((false, RECORD_HEADER_LEN)),
        0xa1b2_3c4d => Some((true, RECORD_HEADER_LEN)),
        0xa1b2_cd34 => Some((false, MODIFIED_RECORD_HEADER_LEN)),
        _ => None,
    };
    let little = by_number(u32::from_le_bytes(start)).map(|(ns, len)| (Order::Little, ns, len));
    little.or_else(|| by_number(u32::from_be_bytes(start)).map(|(ns, len)| (Order::Big, ns, len)))
}

pub(super) fn is_pcap(start: [u8; 4]) -> bool {
    magic(start).is_some()
}

impl Layout {
    pub(super) fn parse(header: &[u8; FILE_HEADER_LEN]) -> Result<Self, Error> {
        let start = [header[0], header[1], header[2], header[3]];
        let not_pcap = || Error::new(ErrorKind::NotACapture(start), 0);
        let (order, nanoseconds, record_header_len) = magic(start).ok_or_else(not_pcap)?;
        let (major, minor) = (order.u16(header, 4), order.u16(header, 6));
        let lengths = match (major, minor) {
            (2, 0..=2) => Lengths::Swapped,
            (2, 3) => Lengths::SwappedIfOdd,
            (2, 4) => Lengths::AsNow,
            _ => return Err(Error::new(ErrorKind::Version(major, minor), 4)),
        };
        let snaplen = match order.u32(header, 16) {
            0 => MAX_FRAME_OCTETS,
            snaplen => snaplen as usize,
        };
        // The upper bits of the link type tell the length of a frame check sequence.
        let link = LinkType(order.u32(header, 20) as u16);
        Ok(Self { order, nanoseconds, record_header_len, lengths, snaplen, link })
    }

    pub(super) fn record_header_len(&self) -> usize {
        self.record_header_len
    }

    /// Reads a record header that starts at `at` in the file.
    pub(super) fn record(&self, header: &[u8], at: u64) -> Result<Record, Error> {
        let word = |index: usize| self.order.u32(header, index * 4);
        let fraction = word(1);
        let nsec = if self.nanoseconds { fraction } else { fraction.wrapping_mul(1000) };
        let (mut captured, mut original) = (word(2), word(3));
        let swapped = match self.lengths {
            Lengths::AsNow => false,
            Lengths::Swapped => true,
            Lengths::SwappedIfOdd => captured > original,
        };
        if swapped {
            (captured, original) = (original, captured);
        }
        let len = captured as usize;
        if len > MAX_FRAME_OCTETS {
            let announced = u64::from(captured);
            return Err(Error::new(ErrorKind::TooLong { announced, limit: MAX_FRAME_OCTETS }, at));
        }
        Ok(Record {
            time: Timestamp { sec: i64::from(word(0)), nsec },
            original_len: original,
            len,
            kept: len.min(self.snaplen),
        })
    }
}

/// A record header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Record {
    pub(super) time: Timestamp,
    pub(super) original_len: u32,
    /// Octets that follow in the file.
    pub(super) len: usize,
    /// Octets of these that belong to the frame; the snapshot length of the file cuts longer ones.
    pub(super) kept: usize,
}
