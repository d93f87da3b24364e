//! Replacing the address of the side that asks by zeros. Checksums stay as they are.

use super::icmp::Quote;
use super::{DnsQr, message::PacketBuffer};
use nmsg::datagram::{Family, IpPacket, Transport};

/// Which address of a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    Source,
    Destination,
}

/// Buffers for changed packets, reused.
#[derive(Debug, Default)]
pub(super) struct Zeroing {
    query: PacketBuffer,
    response: PacketBuffer,
    single: Vec<u8>,
}

const ZEROS: [u8; 16] = [0; 16];

impl Zeroing {
    /// Returns the message without the resolver's address, or `None` when it cannot be told from
    /// the other one (decision DQ-3).
    ///
    /// Queries and responses lose source and destination. A TCP segment loses the end that does
    /// not have port 53; an ICMP error those that the quoted packet had.
    pub(super) fn apply<'a>(&'a mut self, message: &DnsQr<'a>) -> Option<DnsQr<'a>> {
        let mut zeroed = *message;
        zeroed.resolver_address_zeroed = true;
        if let Some(segment) = message.tcp {
            self.single.clear();
            self.single.extend_from_slice(segment);
            zero_tcp(&mut self.single)?;
            zeroed.tcp = Some(&self.single);
        } else if let Some(packet) = message.icmp {
            self.single.clear();
            self.single.extend_from_slice(packet);
            zero_icmp(&mut self.single)?;
            zeroed.icmp = Some(&self.single);
        } else {
            for (buffer, list, end) in [
                (&mut self.query, message.query_packets, End::Source),
                (&mut self.response, message.response_packets, End::Destination),
            ] {
                buffer.clear();
                buffer.extend(list);
                buffer.for_each_mut(|packet| zero_address(packet, 0, end));
            }
            zeroed.query_packets = self.query.list();
            zeroed.response_packets = self.response.list();
            zeroed.query_ip = ZEROS.get(..message.query_ip.len()).unwrap_or_default();
        }
        Some(zeroed)
    }
}

/// Wipes one address of the packet that starts at `at`.
fn zero_address(octets: &mut [u8], at: usize, end: End) {
    let Some(packet) = octets.get_mut(at..) else { return };
    let Some(family) = Family::of_packet(packet) else { return };
    let len = family.address_len();
    let source_at = match family {
        Family::V4 => 12,
        Family::V6 => 8,
    };
    let start = match end {
        End::Source => source_at,
        End::Destination => source_at + len,
    };
    if let Some(address) = packet.get_mut(start..start + len) {
        address.fill(0);
    }
}

/// Tells which end asks by the ports: the one without a DNS port. `None` when both have one.
fn asking_end(
    source_port: u16,
    destination_port: u16,
    is_dns: impl Fn(u16) -> bool,
) -> Option<End> {
    match (is_dns(source_port), is_dns(destination_port)) {
        (false, true) => Some(End::Source),
        (true, false) => Some(End::Destination),
        _ => None,
    }
}

fn zero_tcp(octets: &mut [u8]) -> Option<()> {
    let transport = IpPacket::parse_raw(octets).ok()?.transport().ok()??;
    let Transport::Tcp { source_port, destination_port } = transport else { return None };
    let end = asking_end(source_port, destination_port, super::matcher::is_dns_over_tcp)?;
    zero_address(octets, 0, end);
    Some(())
}

/// Wipes the asking end of the quoted packet, and with it every outer address that equals it.
fn zero_icmp(octets: &mut [u8]) -> Option<()> {
    let outer = IpPacket::parse_raw(octets).ok()?;
    let quote_at = outer.header_len() + Quote::OFFSET;
    let quote = Quote::parse(outer.body())?;
    let end = asking_end(quote.source_port, quote.destination_port, |port| quote.is_dns(port))?;
    let quoted = match end {
        End::Source => quote.packet.source(),
        End::Destination => quote.packet.destination(),
    };
    let same_source = outer.source() == quoted;
    let same_destination = outer.destination() == quoted;
    // The error goes back to who sent the quoted packet, whatever the addresses say.
    let error_goes_to_resolver = end == End::Source;
    if same_source {
        zero_address(octets, 0, End::Source);
    }
    if same_destination || error_goes_to_resolver {
        zero_address(octets, 0, End::Destination);
    }
    zero_address(octets, quote_at, end);
    Some(())
}
