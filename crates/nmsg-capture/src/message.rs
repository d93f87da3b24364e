//! What comes out: messages of the four types that are made of packets.

use crate::dnsqr::DnsQr;
use nmsg::datagram::Family;
use nmsg::{MsgType, Timestamp, VendorId};

/// Vendor of all message types here, `base`.
pub const VENDOR_BASE: VendorId = VendorId(1);

/// A UDP datagram, reassembled: message type `base:ncap`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ncap<'a> {
    /// When its packet, or the last of its fragments, was captured.
    pub time: Timestamp,
    /// IP version.
    pub family: Family,
    /// From the IP header to the end of the frame, link padding included.
    pub payload: &'a [u8],
}

/// An IP packet as captured: message type `base:packet`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Packet<'a> {
    /// When it was captured.
    pub time: Timestamp,
    /// From the IP header to the end of the frame, link padding included.
    pub payload: &'a [u8],
}

/// An Ethernet frame as captured: message type `base:pkt`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pkt<'a> {
    /// When it was captured.
    pub time: Timestamp,
    /// Captured octets, from the Ethernet header on.
    pub payload: &'a [u8],
    /// Length on the wire, in octets.
    pub len_frame: u32,
}

/// A message of one of the types that are made of packets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Message<'a> {
    /// `base:dnsqr`.
    DnsQr(&'a DnsQr<'a>),
    /// `base:ncap`.
    Ncap(Ncap<'a>),
    /// `base:packet`.
    Packet(Packet<'a>),
    /// `base:pkt`.
    Pkt(Pkt<'a>),
}

impl Message<'_> {
    /// Returns the time of the message.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        match self {
            Self::DnsQr(message) => message.time,
            Self::Ncap(message) => message.time,
            Self::Packet(message) => message.time,
            Self::Pkt(message) => message.time,
        }
    }

    /// Returns the message type; the vendor is [`VENDOR_BASE`].
    #[must_use]
    pub fn msgtype(&self) -> MsgType {
        match self {
            Self::Ncap(_) => MsgType(1),
            Self::Pkt(_) => MsgType(8),
            Self::DnsQr(_) => MsgType(9),
            Self::Packet(_) => MsgType(12),
        }
    }
}

/// Takes messages as they are made; they borrow from the converter.
pub type Sink<'s> = dyn FnMut(&Message<'_>) + 's;
