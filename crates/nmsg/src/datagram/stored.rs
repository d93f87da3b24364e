//! Packets as messages store them: one complete packet, or the fragments of one datagram.

use super::checksum::add;
use super::{
    FRAGMENT_OFFSET, Family, FragmentSet, IPV4_HEADER_LEN, Inserted, IpPacket, MORE_FRAGMENTS,
    PROTOCOL_UDP, Transport, UDP_HEADER_LEN, UdpChecksum, UdpDatagram, ones_complement_sum,
};

/// Returns the UDP datagram in one complete packet of a known family.
///
/// `None` for any fragment (also the only one of its datagram), any other transport, and any
/// header that does not hold; see `capture-and-dnsqr` §1.6, "strict parse".
#[must_use]
#[inline]
pub fn udp_datagram(packet: &[u8], family: Family) -> Option<UdpDatagram<'_>> {
    if family == Family::V4
        && let Some((header, body)) = packet.split_first_chunk()
        && is_plain_udp(header)
    {
        return UdpDatagram::parse(body);
    }
    udp_datagram_of_any_kind(packet, family)
}

/// True for the header of nearly all packets: IPv4 without options, not a fragment, with UDP.
#[inline]
fn is_plain_udp(header: &[u8; IPV4_HEADER_LEN]) -> bool {
    const VERSION_AND_LENGTH: u8 = 0x45;
    let total_len = u16::from_be_bytes([header[2], header[3]]);
    let position = u16::from_be_bytes([header[6], header[7]]);
    header[0] == VERSION_AND_LENGTH
        && header[9] == PROTOCOL_UDP
        && position & (MORE_FRAGMENTS | FRAGMENT_OFFSET) == 0
        && usize::from(total_len) >= IPV4_HEADER_LEN
}

fn udp_datagram_of_any_kind(packet: &[u8], family: Family) -> Option<UdpDatagram<'_>> {
    let packet = IpPacket::parse(packet, family).ok()?;
    match packet.transport().ok()? {
        Some(Transport::Udp(udp)) if packet.fragment().is_none() => Some(udp),
        _ => None,
    }
}

/// Puts stored packets together; keeps its buffers between messages.
#[derive(Clone, Debug, Default)]
pub struct StoredPackets {
    set: FragmentSet<()>,
    datagram: Vec<u8>,
}

impl StoredPackets {
    /// Returns the UDP datagram that the packets of one message carry.
    ///
    /// One packet must be complete and of `family`. Several must be fragments that make exactly
    /// one datagram with the last of them, in any order; their family is told by their version,
    /// identification and addresses are not compared. `None` otherwise.
    pub fn udp_datagram<'a>(
        &'a mut self,
        mut packets: impl Iterator<Item = &'a [u8]>,
        family: Family,
    ) -> Option<UdpDatagram<'a>> {
        let first = packets.next()?;
        let Some(second) = packets.next() else { return udp_datagram(first, family) };
        self.set.clear();
        let mut state = Inserted::Kept;
        for packet in [first, second].into_iter().chain(packets) {
            let packet = IpPacket::parse_raw(packet).ok()?;
            if state == Inserted::Complete {
                return None;
            }
            state = self.set.insert(&packet, ());
            if matches!(state, Inserted::Invalid | Inserted::Duplicate) {
                return None;
            }
        }
        if !self.set.assemble(&mut self.datagram) {
            return None;
        }
        let whole = IpPacket::parse_raw(&self.datagram).ok()?;
        match whole.transport().ok()? {
            Some(Transport::Udp(udp)) if whole.fragment().is_none() => Some(udp),
            _ => None,
        }
    }
}

/// Verifies the UDP checksum over the response packets of one message.
///
/// Packets are one complete datagram or its fragments, without repetition; see
/// `capture-and-dnsqr` §3.10. Packets whose addresses were wiped cannot be verified: the caller
/// knows that and answers [`UdpChecksum::Error`].
pub fn udp_checksum<'a>(packets: impl IntoIterator<Item = &'a [u8]>) -> UdpChecksum {
    let mut sum = 0;
    let mut pseudo_header = None;
    for octets in packets {
        let Ok(packet) = IpPacket::parse_raw(octets) else { return UdpChecksum::Error };
        if packet.protocol() != PROTOCOL_UDP {
            return UdpChecksum::Error;
        }
        let summed = match packet.transport() {
            Ok(Some(Transport::Udp(udp))) => {
                if udp.checksum == 0 {
                    return UdpChecksum::Absent;
                }
                let rest = add(u16::from(PROTOCOL_UDP), udp.length);
                pseudo_header = Some(add(ones_complement_sum(packet.addresses()), rest));
                // Header and payload lie one behind the other.
                packet.body().get(..UDP_HEADER_LEN + udp.payload.len()).unwrap_or_default()
            }
            Ok(None) => packet.body(),
            Ok(Some(_)) | Err(_) => return UdpChecksum::Error,
        };
        sum = add(sum, ones_complement_sum(summed));
    }
    match pseudo_header {
        None => UdpChecksum::Error,
        Some(header) if add(sum, header) == 0xffff => UdpChecksum::Correct,
        Some(_) => UdpChecksum::Incorrect,
    }
}
