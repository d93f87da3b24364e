//! One DNS transaction as a message.

use super::header::Question;
use nmsg::Timestamp;
use nmsg::datagram::UdpChecksum;

/// What a message is about; the numbers are those of its `type` field.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum Kind {
    /// A query and its response.
    UdpQueryResponse = 1,
    /// A query whose response did not come.
    UdpUnansweredQuery = 2,
    /// A response without a query.
    UdpUnsolicitedResponse = 3,
    /// A TCP segment.
    Tcp = 4,
    /// An ICMP error about a DNS packet.
    Icmp = 5,
    /// A query, where only queries are captured.
    UdpQueryOnly = 6,
    /// A response, where only responses are captured.
    UdpResponseOnly = 7,
}

/// Length and time of one packet in a [`PacketList`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PacketMeta {
    /// Length from the IP header on, in octets.
    pub len: u32,
    /// Time of arrival.
    pub time: Timestamp,
}

/// Packets of one datagram: the datagram itself, or its fragments in offset order.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PacketList<'a> {
    /// The packets one behind the other; more octets may follow the last.
    octets: &'a [u8],
    metas: &'a [PacketMeta],
}

impl<'a> PacketList<'a> {
    /// A list over packets that lie one behind the other.
    #[must_use]
    pub fn new(octets: &'a [u8], metas: &'a [PacketMeta]) -> Self {
        Self { octets, metas }
    }

    /// Returns true when there is no packet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.metas.is_empty()
    }

    /// Returns length and time of each packet.
    #[must_use]
    pub fn metas(&self) -> &'a [PacketMeta] {
        self.metas
    }

    /// Returns the packet when there is just one.
    #[inline]
    pub(super) fn only(&self) -> Option<&'a [u8]> {
        match self.metas {
            [meta] => Some(self.octets.get(..meta.len as usize).unwrap_or(self.octets)),
            _ => None,
        }
    }

    /// Returns the packets, from their IP headers on.
    pub fn packets(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.octets;
        self.metas.iter().map(move |meta| {
            let (packet, tail) = rest.split_at_checked(meta.len as usize).unwrap_or((rest, &[]));
            rest = tail;
            packet
        })
    }
}

/// Packets that are kept; the buffers are reused.
#[derive(Clone, Debug, Default)]
pub(super) struct PacketBuffer {
    pub(super) octets: Vec<u8>,
    metas: Vec<PacketMeta>,
}

impl PacketBuffer {
    pub(super) fn clear(&mut self) {
        self.octets.clear();
        self.metas.clear();
    }

    pub(super) fn push(&mut self, time: Timestamp, packet: &[u8]) {
        self.octets.extend_from_slice(packet);
        self.metas.push(PacketMeta { len: packet.len() as u32, time });
    }

    pub(super) fn extend(&mut self, list: PacketList<'_>) {
        for (meta, packet) in list.metas.iter().zip(list.packets()) {
            self.push(meta.time, packet);
        }
    }

    pub(super) fn list(&self) -> PacketList<'_> {
        PacketList { octets: &self.octets, metas: &self.metas }
    }

    /// Runs over the packets so that they can be changed in place.
    pub(super) fn for_each_mut(&mut self, mut change: impl FnMut(&mut [u8])) {
        let mut rest = self.octets.as_mut_slice();
        for meta in &self.metas {
            let len = rest.len().min(meta.len as usize);
            let (packet, tail) = std::mem::take(&mut rest).split_at_mut(len);
            change(packet);
            rest = tail;
        }
    }

    /// Memory held, in octets.
    pub(super) fn held_octets(&self) -> usize {
        self.octets.capacity() + self.metas.capacity() * size_of::<PacketMeta>()
    }
}

/// A message of type `base:dnsqr`. Which fields are set for which kind: `capture-and-dnsqr` §3.13.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DnsQr<'a> {
    /// What the message is about.
    pub kind: Kind,
    /// Time of the message: that of the first query packet, else response packet, else frame.
    pub time: Timestamp,
    /// Address of the side that asks, 4 or 16 octets; empty for TCP and ICMP.
    pub query_ip: &'a [u8],
    /// Address of the side that answers, 4 or 16 octets; empty for TCP and ICMP.
    pub response_ip: &'a [u8],
    /// IP protocol number.
    pub protocol: u8,
    /// Port of the side that asks; 0 for TCP and ICMP.
    pub query_port: u16,
    /// Port of the side that answers; 0 for TCP and ICMP.
    pub response_port: u16,
    /// DNS message id; 0 for TCP and ICMP.
    pub id: u16,
    /// The question, if there was exactly one.
    pub question: Option<Question<'a>>,
    /// Response code without its EDNS extension.
    pub rcode: Option<u8>,
    /// The query's packets.
    pub query_packets: PacketList<'a>,
    /// The response's packets.
    pub response_packets: PacketList<'a>,
    /// The TCP segment, from its IP header on.
    pub tcp: Option<&'a [u8]>,
    /// The ICMP packet, from its IP header on.
    pub icmp: Option<&'a [u8]>,
    /// Age of an unanswered query when it was given up, in seconds.
    pub timeout: Option<f64>,
    /// Verdict on the response's checksum.
    pub udp_checksum: Option<UdpChecksum>,
    /// Set when the address of the side that asks was replaced by zeros.
    pub resolver_address_zeroed: bool,
}

impl DnsQr<'_> {
    /// A message of a kind with nothing else set.
    pub(crate) fn empty(kind: Kind, time: Timestamp, protocol: u8) -> Self {
        Self {
            kind,
            time,
            query_ip: &[],
            response_ip: &[],
            protocol,
            query_port: 0,
            response_port: 0,
            id: 0,
            question: None,
            rcode: None,
            query_packets: PacketList::default(),
            response_packets: PacketList::default(),
            tcp: None,
            icmp: None,
            timeout: None,
            udp_checksum: None,
            resolver_address_zeroed: false,
        }
    }
}
