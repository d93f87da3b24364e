//! Builders of packets and DNS messages for tests, here and in other crates.

use nmsg::datagram::ones_complement_sum;
use std::net::IpAddr;

/// UDP over IP with a right checksum.
#[derive(Clone, Debug)]
pub(crate) struct Udp {
    pub(crate) source: (IpAddr, u16),
    pub(crate) destination: (IpAddr, u16),
    pub(crate) payload: Vec<u8>,
    pub(crate) checksum: Checksum,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Checksum {
    Good,
    Bad,
    Zero,
}

pub(crate) fn udp(source: (&str, u16), destination: (&str, u16), payload: &[u8]) -> Udp {
    Udp {
        source: (source.0.parse().unwrap(), source.1),
        destination: (destination.0.parse().unwrap(), destination.1),
        payload: payload.to_vec(),
        checksum: Checksum::Good,
    }
}

fn octets_of(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

impl Udp {
    pub(crate) fn checksum(mut self, checksum: Checksum) -> Self {
        self.checksum = checksum;
        self
    }

    /// UDP header and payload.
    pub(crate) fn datagram(&self) -> Vec<u8> {
        let len = (8 + self.payload.len()) as u16;
        let mut datagram = Vec::new();
        for word in [self.source.1, self.destination.1, len, 0] {
            datagram.extend(word.to_be_bytes());
        }
        datagram.extend(&self.payload);
        let mut pseudo = octets_of(self.source.0);
        pseudo.extend(octets_of(self.destination.0));
        pseudo.extend([0, 17]);
        pseudo.extend(len.to_be_bytes());
        pseudo.extend(&datagram);
        let sum = match (self.checksum, !ones_complement_sum(&pseudo)) {
            (Checksum::Zero, _) => 0,
            (Checksum::Good, 0) => 0xffff,
            (Checksum::Good, sum) => sum,
            (Checksum::Bad, sum) => sum ^ 0x1234,
        };
        datagram[6..8].copy_from_slice(&sum.to_be_bytes());
        datagram
    }

    /// One whole packet.
    pub(crate) fn packet(&self) -> Vec<u8> {
        ip(self.source.0, self.destination.0, 17, &self.datagram())
    }

    /// The packet in fragments whose payload has `size` octets; identification 7.
    pub(crate) fn fragments(&self, size: usize) -> Vec<Vec<u8>> {
        let body = self.datagram();
        let count = body.len().div_ceil(size);
        let pieces = body.chunks(size).enumerate();
        pieces
            .map(|(index, piece)| {
                fragment(
                    self.source.0,
                    self.destination.0,
                    17,
                    index * size,
                    index + 1 < count,
                    piece,
                )
            })
            .collect()
    }
}

/// One whole packet of any protocol.
pub(crate) fn ip(source: IpAddr, destination: IpAddr, protocol: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = match source {
        IpAddr::V4(_) => {
            let total = ((20 + body.len()) as u16).to_be_bytes();
            vec![0x45, 0, total[0], total[1], 0, 1, 0, 0, 64, protocol, 0, 0]
        }
        IpAddr::V6(_) => {
            let len = (body.len() as u16).to_be_bytes();
            vec![0x60, 0, 0, 0, len[0], len[1], protocol, 64]
        }
    };
    packet.extend(octets_of(source));
    packet.extend(octets_of(destination));
    packet.extend(body);
    packet
}

/// One fragment; `offset` in octets, identification 7.
pub(crate) fn fragment(
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    offset: usize,
    more: bool,
    body: &[u8],
) -> Vec<u8> {
    match source {
        IpAddr::V4(_) => {
            let mut packet = ip(source, destination, protocol, body);
            let position = (offset / 8) as u16 | if more { 0x2000 } else { 0 };
            packet[4..6].copy_from_slice(&[0, 7]);
            packet[6..8].copy_from_slice(&position.to_be_bytes());
            packet
        }
        IpAddr::V6(_) => {
            let position = (offset as u16 | u16::from(more)).to_be_bytes();
            let header = [protocol, 0, position[0], position[1], 0, 0, 0, 7];
            ip(source, destination, 44, &[&header, body].concat())
        }
    }
}

/// Puts an Ethernet header in front of a packet.
pub(crate) fn ethernet(packet: &[u8]) -> Vec<u8> {
    let ethertype = if packet[0] >> 4 == 6 { [0x86, 0xdd] } else { [8, 0] };
    [&[2; 12][..], &ethertype, packet].concat()
}

/// A DNS message with the given flags word; one question unless `None`.
pub(crate) fn dns(id: u16, flags: u16, question: Option<(&str, u16)>) -> Vec<u8> {
    let mut message = Vec::new();
    for word in [id, flags, u16::from(question.is_some()), 0, 0, 0] {
        message.extend(word.to_be_bytes());
    }
    if let Some((name, qtype)) = question {
        wdns::name::parse(name.as_bytes(), &mut message).unwrap();
        message.extend(qtype.to_be_bytes());
        message.extend([0, 1]);
    }
    message
}
