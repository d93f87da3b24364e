//! The packet that an ICMP error quotes.

use super::matcher::{is_dns_over_tcp, is_dns_over_udp};
use nmsg::datagram::{IpPacket, PROTOCOL_TCP, PROTOCOL_UDP};

/// Octets of the transport header that every ICMP error quotes (RFC 792).
const QUOTED_TRANSPORT_LEN: usize = 8;

/// Ports of the packet that an ICMP error quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quote<'a> {
    pub(super) packet: IpPacket<'a>,
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
}

impl<'a> Quote<'a> {
    /// Where the quoted packet starts, in octets from the ICMP type on.
    pub(super) const OFFSET: usize = 8;

    /// Reads the quote of an ICMP error, from its type octet on.
    ///
    /// `None` for other ICMP messages, for quotes of a later fragment, and unless eight octets of
    /// a UDP or TCP header are there (decision DQ-2).
    pub(super) fn parse(icmp: &'a [u8]) -> Option<Self> {
        // Unreachable, source quench, redirect, time exceeded, parameter problem.
        if !matches!(icmp.first()?, 3 | 4 | 5 | 11 | 12) {
            return None;
        }
        let packet = IpPacket::parse_raw(icmp.get(Self::OFFSET..)?).ok()?;
        if packet.fragment().is_some_and(|fragment| fragment.offset != 0)
            || !matches!(packet.protocol(), PROTOCOL_UDP | PROTOCOL_TCP)
        {
            return None;
        }
        let [s1, s0, d1, d0, ..] = *packet.body().first_chunk::<QUOTED_TRANSPORT_LEN>()?;
        Some(Self {
            packet,
            source_port: u16::from_be_bytes([s1, s0]),
            destination_port: u16::from_be_bytes([d1, d0]),
        })
    }

    /// Returns true when a port is one of DNS over the quoted transport.
    pub(super) fn is_dns(&self, port: u16) -> bool {
        match self.packet.protocol() {
            PROTOCOL_UDP => is_dns_over_udp(port),
            _ => is_dns_over_tcp(port),
        }
    }

    /// Returns true when the quoted packet is DNS by either port.
    pub(super) fn quotes_dns(&self) -> bool {
        self.is_dns(self.source_port) || self.is_dns(self.destination_port)
    }
}
