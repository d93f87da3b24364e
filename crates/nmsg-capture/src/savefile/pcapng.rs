//! The pcapng format: sections of blocks.
//!
//! ```text
//! | type u32 | total length u32 | body … padded to 4 | total length u32 |
//! ```

use super::pcap::{Order, Record};
use super::{Error, ErrorKind, MAX_BLOCK_OCTETS, MAX_FRAME_OCTETS};
use crate::LinkType;
use nmsg::Timestamp;
use std::ops::Range;

/// Octets that must be there before a block's length is known: type, length, octet-order magic.
pub(super) const PROLOGUE_LEN: usize = 12;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

const OPTION_END: u16 = 0;
const OPTION_TIME_RESOLUTION: u16 = 9;
const OPTION_TIME_OFFSET: u16 = 14;

/// Type and length in front of the body.
const BLOCK_HEADER_LEN: usize = 8;
const BLOCK_TRAILER_LEN: usize = 4;

/// Interfaces of one section that are remembered; a hostile stream could announce them for ever.
const MAX_INTERFACES: usize = 65_536;

pub(super) fn is_pcapng(start: [u8; 4]) -> bool {
    u32::from_be_bytes(start) == SECTION_HEADER
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link: LinkType,
    snaplen: usize,
    ticks_per_second: u128,
    offset_seconds: i64,
}

/// The section that is being read.
#[derive(Clone, Debug)]
pub(super) struct Section {
    order: Order,
    interfaces: Vec<Interface>,
}

/// What one block brought.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// A frame: header, link type, and where in the block its octets are.
    Frame(Record, LinkType, Range<usize>),
    /// An interface, perhaps the first one.
    Interface(LinkType),
    /// Nothing of interest.
    Other,
}

fn bad(what: &'static str, at: u64) -> Error {
    Error::new(ErrorKind::BadBlock(what), at)
}

impl Section {
    pub(super) fn new() -> Self {
        Self { order: Order::Little, interfaces: Vec::new() }
    }

    /// Tells the length of the block that starts at `at`, all included.
    ///
    /// A section header switches the octet order here already: its own length needs it.
    pub(super) fn block_len(&mut self, prologue: &[u8], at: u64) -> Result<usize, Error> {
        let is_section = Order::Big.u32(prologue, 0) == SECTION_HEADER;
        if is_section {
            self.order = match Order::Big.u32(prologue, 8) {
                0x1a2b_3c4d => Order::Big,
                0x4d3c_2b1a => Order::Little,
                _ => return Err(bad("section header without octet order", at)),
            };
            self.interfaces.clear();
        }
        let len = self.order.u32(prologue, 4) as usize;
        let least = if is_section { 28 } else { BLOCK_HEADER_LEN + BLOCK_TRAILER_LEN };
        if len < least || !len.is_multiple_of(4) {
            return Err(bad("impossible length", at));
        }
        if len > MAX_BLOCK_OCTETS {
            let announced = len as u64;
            return Err(Error::new(ErrorKind::TooLong { announced, limit: MAX_BLOCK_OCTETS }, at));
        }
        Ok(len)
    }

    /// Reads one whole block that starts at `at`.
    pub(super) fn block(&mut self, block: &[u8], at: u64) -> Result<Content, Error> {
        let body_end = block.len().saturating_sub(BLOCK_TRAILER_LEN);
        if self.order.u32(block, body_end) as usize != block.len() {
            return Err(bad("lengths differ", at));
        }
        let body = block.get(BLOCK_HEADER_LEN..body_end).unwrap_or_default();
        let kind = if Order::Big.u32(block, 0) == SECTION_HEADER {
            SECTION_HEADER
        } else {
            self.order.u32(block, 0)
        };
        match kind {
            SECTION_HEADER => match (self.order.u16(body, 4), self.order.u16(body, 6)) {
                (1, _) => Ok(Content::Other),
                (major, minor) => Err(Error::new(ErrorKind::Version(major, minor), at)),
            },
            INTERFACE_DESCRIPTION => self.interface(body, at),
            ENHANCED_PACKET => {
                let interface = self.order.u32(body, 0) as usize;
                self.packet(interface, body, at)
            }
            OBSOLETE_PACKET => {
                let interface = usize::from(self.order.u16(body, 0));
                self.packet(interface, body, at)
            }
            SIMPLE_PACKET => self.simple_packet(body, at),
            _ => Ok(Content::Other),
        }
    }

    fn interface(&mut self, body: &[u8], at: u64) -> Result<Content, Error> {
        let options = body.get(8..).ok_or_else(|| bad("interface description too short", at))?;
        if self.interfaces.len() == MAX_INTERFACES {
            return Err(bad("too many interfaces", at));
        }
        let link = LinkType(self.order.u16(body, 0));
        let snaplen = match self.order.u32(body, 4) {
            0 => MAX_FRAME_OCTETS,
            snaplen => snaplen as usize,
        };
        let mut interface =
            Interface { link, snaplen, ticks_per_second: 1_000_000, offset_seconds: 0 };
        let mut rest = options;
        while let Some((head, tail)) = rest.split_at_checked(4) {
            let (code, len) = (self.order.u16(head, 0), usize::from(self.order.u16(head, 2)));
            if code == OPTION_END {
                break;
            }
            let value = tail.get(..len).ok_or_else(|| bad("option beyond its block", at))?;
            match (code, value) {
                (OPTION_TIME_RESOLUTION, [resolution]) => {
                    interface.ticks_per_second = ticks_per_second(*resolution);
                }
                (OPTION_TIME_OFFSET, [_, _, _, _, _, _, _, _]) => {
                    let (low, high) = (self.order.u32(value, 0), self.order.u32(value, 4));
                    let (low, high) = match self.order {
                        Order::Little => (low, high),
                        Order::Big => (high, low),
                    };
                    interface.offset_seconds = (u64::from(high) << 32 | u64::from(low)) as i64;
                }
                _ => {}
            }
            rest = tail.get(len.next_multiple_of(4)..).unwrap_or_default();
        }
        self.interfaces.push(interface);
        Ok(Content::Interface(link))
    }

    /// Enhanced and obsolete packet blocks: their fields from the time on stand at the same places.
    fn packet(&self, interface: usize, body: &[u8], at: u64) -> Result<Content, Error> {
        let data = body.get(20..).ok_or_else(|| bad("packet block too short", at))?;
        let interface = self.interfaces.get(interface);
        let interface = interface.ok_or_else(|| bad("packet of an unknown interface", at))?;
        let len = self.order.u32(body, 12) as usize;
        if len > data.len() {
            return Err(bad("packet beyond its block", at));
        }
        if len > MAX_FRAME_OCTETS {
            let announced = len as u64;
            return Err(Error::new(ErrorKind::TooLong { announced, limit: MAX_FRAME_OCTETS }, at));
        }
        let ticks = u64::from(self.order.u32(body, 4)) << 32 | u64::from(self.order.u32(body, 8));
        let record = Record {
            time: interface.time(ticks),
            original_len: self.order.u32(body, 16),
            len,
            kept: len,
        };
        let start = BLOCK_HEADER_LEN + 20;
        Ok(Content::Frame(record, interface.link, start..start + len))
    }

    fn simple_packet(&self, body: &[u8], at: u64) -> Result<Content, Error> {
        let data = body.get(4..).ok_or_else(|| bad("packet block too short", at))?;
        let interface = self.interfaces.first();
        let interface = interface.ok_or_else(|| bad("packet of an unknown interface", at))?;
        let original_len = self.order.u32(body, 0);
        let len = interface.snaplen.min(original_len as usize);
        if len > data.len() || len > MAX_FRAME_OCTETS {
            return Err(bad("packet beyond its block", at));
        }
        let record = Record { time: Timestamp::default(), original_len, len, kept: len };
        let start = BLOCK_HEADER_LEN + 4;
        Ok(Content::Frame(record, interface.link, start..start + len))
    }
}

/// Power of ten, or of two when the upper bit is set. Absurd resolutions saturate.
fn ticks_per_second(resolution: u8) -> u128 {
    let exponent = u32::from(resolution & 0x7f);
    if resolution & 0x80 == 0 { 10_u128.saturating_pow(exponent) } else { 1 << exponent }
}

impl Interface {
    fn time(&self, ticks: u64) -> Timestamp {
        let ticks = u128::from(ticks);
        let seconds = ticks / self.ticks_per_second;
        let fraction = ticks % self.ticks_per_second;
        let nsec = fraction.saturating_mul(1_000_000_000) / self.ticks_per_second;
        Timestamp { sec: (seconds as i64).wrapping_add(self.offset_seconds), nsec: nsec as u32 }
    }
}
