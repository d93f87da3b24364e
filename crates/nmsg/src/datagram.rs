//! IP datagrams: what lies between a stored packet and the payload of its UDP datagram.
//!
//! ```text
//! | IP header | IPv6 extension headers | transport header | payload … | link padding |
//! ^ a packet starts here                                               ^ IP's own end
//! ```
//!
//! A packet runs from its IP header to the end of the captured frame, so link padding may follow
//! the end that IP announces. Every length is checked before use; nothing here allocates except
//! [`FragmentSet`] and [`StoredPackets`], which own the octets of a datagram in pieces.
//!
//! | type | for |
//! |---|---|
//! | [`IpPacket`] | one packet: addresses, protocol, position in a fragmented datagram |
//! | [`Transport`] | its UDP, TCP or ICMP header |
//! | [`FragmentSet`] | the pieces of one datagram, in any order |
//! | [`StoredPackets`] | the packets a message stores: payload and checksum |
//!
//! ```
//! use nmsg::datagram::{Family, udp_datagram};
//!
//! let mut packet = vec![0x45, 0, 0, 30, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
//! packet.extend([0x9c, 0x40, 0, 53, 0, 10, 0, 0, b'h', b'i']);
//! let udp = udp_datagram(&packet, Family::V4).expect("a complete datagram");
//! assert_eq!((udp.source_port, udp.payload), (40000, &b"hi"[..]));
//! ```

mod checksum;
mod fragments;
mod stored;

pub use checksum::{UdpChecksum, ones_complement_sum};
pub use fragments::{FragmentSet, Inserted, MAX_DATAGRAM_OCTETS};
pub use stored::{StoredPackets, udp_checksum, udp_datagram};

/// Protocol number of ICMP for IPv4.
pub const PROTOCOL_ICMP: u8 = 1;
/// Protocol number of TCP.
pub const PROTOCOL_TCP: u8 = 6;
/// Protocol number of UDP.
pub const PROTOCOL_UDP: u8 = 17;

/// Length of an IPv4 header without options, in octets.
pub const IPV4_HEADER_LEN: usize = 20;
/// Length of the fixed IPv6 header, in octets.
pub const IPV6_HEADER_LEN: usize = 40;
/// Length of a UDP header, in octets.
pub const UDP_HEADER_LEN: usize = 8;
/// Length of an IPv6 fragment header, in octets.
pub const IPV6_FRAGMENT_HEADER_LEN: usize = 8;

const NEXT_HOP_BY_HOP: u8 = 0;
const NEXT_ROUTING: u8 = 43;
const NEXT_FRAGMENT: u8 = 44;
const NEXT_AUTHENTICATION: u8 = 51;
const NEXT_DESTINATION: u8 = 60;

const MORE_FRAGMENTS: u16 = 0x2000;
const FRAGMENT_OFFSET: u16 = 0x1fff;

/// IP version of a packet or an address.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Family {
    /// IPv4, addresses of four octets.
    V4,
    /// IPv6, addresses of sixteen octets.
    V6,
}

impl Family {
    /// Returns the family a packet claims in its version nibble; `None` for any other version.
    #[must_use]
    pub fn of_packet(packet: &[u8]) -> Option<Self> {
        match packet.first()? >> 4 {
            4 => Some(Self::V4),
            6 => Some(Self::V6),
            _ => None,
        }
    }

    /// Returns the family an address has by its length; `None` for any other length.
    #[must_use]
    pub fn of_address(address: &[u8]) -> Option<Self> {
        match address.len() {
            4 => Some(Self::V4),
            16 => Some(Self::V6),
            _ => None,
        }
    }

    /// Returns the length of an address of this family, in octets.
    #[must_use]
    pub const fn address_len(self) -> usize {
        match self {
            Self::V4 => 4,
            Self::V6 => 16,
        }
    }

    const fn source_at(self) -> usize {
        match self {
            Self::V4 => 12,
            Self::V6 => 8,
        }
    }

    const fn header_len(self) -> usize {
        match self {
            Self::V4 => IPV4_HEADER_LEN,
            Self::V6 => IPV6_HEADER_LEN,
        }
    }
}

/// Why a packet cannot be taken apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Malformed {
    /// Shorter than the fixed IP header, or than the header length it announces.
    HeaderCut,
    /// Version nibble is not that of the family asked for, or neither 4 nor 6.
    Version,
    /// IPv4 header length below 20 octets.
    HeaderLength,
    /// IPv4 total length below the header length.
    TotalLength,
    /// IPv6 payload length zero, or beyond the captured octets.
    PayloadLength,
    /// IPv6 extension header that runs past the payload.
    Extension,
    /// UDP, TCP or ICMP header incomplete.
    TransportCut,
    /// Transport protocol other than UDP, TCP and ICMP.
    Protocol,
}

impl Malformed {
    /// Returns the reason as a short noun phrase for counters and messages.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::HeaderCut => "IP header cut short",
            Self::Version => "wrong IP version",
            Self::HeaderLength => "wrong IPv4 header length",
            Self::TotalLength => "wrong IPv4 total length",
            Self::PayloadLength => "wrong IPv6 payload length",
            Self::Extension => "IPv6 extension header cut short",
            Self::TransportCut => "transport header cut short",
            Self::Protocol => "transport other than UDP, TCP, ICMP",
        }
    }
}

/// Where a packet stands in a fragmented datagram.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fragment {
    /// Identification: 16 bits for IPv4, 32 bits for IPv6.
    pub id: u32,
    /// Position of this piece in the datagram's payload, in octets.
    pub offset: u32,
    /// Set on every piece but the last.
    pub more: bool,
    /// Where in the packet the octet stands that announces the IPv6 fragment header.
    pub announced_at: usize,
}

/// One IP packet whose network headers have been checked.
#[derive(Clone, Copy, Debug)]
pub struct IpPacket<'a> {
    octets: &'a [u8],
    family: Family,
    protocol: u8,
    transport_at: usize,
    ip_end: usize,
    fragment: Option<Fragment>,
}

impl<'a> IpPacket<'a> {
    /// Parses a packet of a known family.
    ///
    /// IPv4 total length may exceed what was captured (see [`Self::is_whole`]); IPv6 payload
    /// length may not. See `capture-and-dnsqr` §1.6 and decisions CP-1, MY-3.
    ///
    /// # Errors
    ///
    /// Names the first length or version that does not hold.
    pub fn parse(octets: &'a [u8], family: Family) -> Result<Self, Malformed> {
        match family {
            Family::V4 => Self::parse_v4(octets),
            Family::V6 => Self::parse_v6(octets),
        }
    }

    /// Parses a packet whose family is told by its version nibble, as on a link type without header.
    ///
    /// # Errors
    ///
    /// As [`Self::parse`].
    pub fn parse_raw(octets: &'a [u8]) -> Result<Self, Malformed> {
        if octets.len() < IPV4_HEADER_LEN {
            return Err(Malformed::HeaderCut);
        }
        Self::parse(octets, Family::of_packet(octets).ok_or(Malformed::Version)?)
    }

    fn parse_v4(octets: &'a [u8]) -> Result<Self, Malformed> {
        let header: &[u8; IPV4_HEADER_LEN] = octets.first_chunk().ok_or(Malformed::HeaderCut)?;
        if header[0] >> 4 != 4 {
            return Err(Malformed::Version);
        }
        let transport_at = usize::from(header[0] & 0x0f) * 4;
        if transport_at < IPV4_HEADER_LEN {
            return Err(Malformed::HeaderLength);
        }
        if transport_at > octets.len() {
            return Err(Malformed::HeaderCut);
        }
        let ip_end = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if ip_end < transport_at {
            return Err(Malformed::TotalLength);
        }
        let position = u16::from_be_bytes([header[6], header[7]]);
        let fragment = (position & (MORE_FRAGMENTS | FRAGMENT_OFFSET) != 0).then(|| Fragment {
            id: u32::from(u16::from_be_bytes([header[4], header[5]])),
            offset: u32::from(position & FRAGMENT_OFFSET) * 8,
            more: position & MORE_FRAGMENTS != 0,
            announced_at: 0,
        });
        let protocol = header[9];
        Ok(Self { octets, family: Family::V4, protocol, transport_at, ip_end, fragment })
    }

    fn parse_v6(octets: &'a [u8]) -> Result<Self, Malformed> {
        let header: &[u8; IPV6_HEADER_LEN] = octets.first_chunk().ok_or(Malformed::HeaderCut)?;
        if header[0] >> 4 != 6 {
            return Err(Malformed::Version);
        }
        let ip_end = IPV6_HEADER_LEN + usize::from(u16::from_be_bytes([header[4], header[5]]));
        let within = octets.get(..ip_end).ok_or(Malformed::PayloadLength)?;
        let mut protocol = header[6];
        let mut announced_at = 6;
        let mut at = IPV6_HEADER_LEN;
        let mut fragment = None;
        while let Some(extension) = extension_len(protocol, within, at)? {
            let end = at + extension;
            let body = within.get(at..end).ok_or(Malformed::Extension)?;
            if protocol == NEXT_FRAGMENT {
                fragment = Some(Fragment {
                    id: u32::from_be_bytes([body[4], body[5], body[6], body[7]]),
                    offset: u32::from(u16::from_be_bytes([body[2], body[3]]) & !7),
                    more: body[3] & 1 != 0,
                    announced_at,
                });
            }
            protocol = body[0];
            announced_at = at;
            at = end;
            if fragment.is_some() {
                break;
            }
        }
        if at == ip_end {
            return Err(Malformed::PayloadLength);
        }
        Ok(Self { octets, family: Family::V6, protocol, transport_at: at, ip_end, fragment })
    }

    /// Returns the IP version.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }

    /// Returns the whole packet, link padding included.
    #[must_use]
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Returns the source address, 4 or 16 octets.
    #[must_use]
    pub fn source(&self) -> &'a [u8] {
        address_at(self.octets, self.family.source_at(), self.family)
    }

    /// Returns the destination address, 4 or 16 octets.
    #[must_use]
    pub fn destination(&self) -> &'a [u8] {
        let at = self.family.source_at() + self.family.address_len();
        address_at(self.octets, at, self.family)
    }

    /// Returns source and destination address, which lie one behind the other.
    #[must_use]
    pub fn addresses(&self) -> &'a [u8] {
        let at = self.family.source_at();
        self.octets.get(at..at + 2 * self.family.address_len()).unwrap_or_default()
    }

    /// Returns the protocol number behind all extension headers this packet shows.
    #[must_use]
    pub fn protocol(&self) -> u8 {
        self.protocol
    }

    /// Returns the fragment position, or `None` for an unfragmented packet.
    ///
    /// An IPv6 packet with a fragment header is a fragment even when it is the only one.
    #[must_use]
    pub fn fragment(&self) -> Option<Fragment> {
        self.fragment
    }

    /// Returns true when the octets reach the end that the IP header announces.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.ip_end <= self.octets.len()
    }

    /// Returns the length of all network headers, in octets.
    #[must_use]
    pub fn header_len(&self) -> usize {
        self.transport_at
    }

    /// Returns everything behind the network headers, link padding included.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.octets.get(self.transport_at..).unwrap_or_default()
    }

    /// Returns the packet without link padding.
    #[must_use]
    pub fn without_padding(&self) -> &'a [u8] {
        self.octets.get(..self.ip_end).unwrap_or(self.octets)
    }

    /// Returns the transport header, or `None` when this is a later piece of a datagram.
    ///
    /// # Errors
    ///
    /// [`Malformed::TransportCut`] and [`Malformed::Protocol`].
    pub fn transport(&self) -> Result<Option<Transport<'a>>, Malformed> {
        if self.fragment.is_some_and(|fragment| fragment.offset != 0) {
            return Ok(None);
        }
        Transport::parse(self.protocol, self.body()).map(Some)
    }
}

/// Returns the octets an extension header takes, or `None` when `protocol` is not one.
fn extension_len(protocol: u8, within: &[u8], at: usize) -> Result<Option<usize>, Malformed> {
    let unit_octets = match protocol {
        NEXT_FRAGMENT => return Ok(Some(IPV6_FRAGMENT_HEADER_LEN)),
        NEXT_HOP_BY_HOP | NEXT_ROUTING | NEXT_DESTINATION => 8,
        NEXT_AUTHENTICATION => 4,
        _ => return Ok(None),
    };
    let units = usize::from(*within.get(at + 1).ok_or(Malformed::Extension)?);
    Ok(Some(if unit_octets == 8 { 8 * (units + 1) } else { 4 * (units + 2) }))
}

fn address_at(octets: &[u8], at: usize, family: Family) -> &[u8] {
    octets.get(at..at + family.address_len()).unwrap_or_default()
}

/// The fields of an IP header that are readable whatever follows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OuterHeader<'a> {
    /// Source address, 4 or 16 octets.
    pub source: &'a [u8],
    /// Destination address, 4 or 16 octets.
    pub destination: &'a [u8],
    /// IPv4 protocol octet, or the first IPv6 next-header octet.
    pub protocol: u8,
}

impl<'a> OuterHeader<'a> {
    /// Reads addresses and protocol of a packet that is said to be of `family`.
    ///
    /// The version nibble is not looked at. `None` when the fixed header is incomplete.
    #[must_use]
    pub fn read(packet: &'a [u8], family: Family) -> Option<Self> {
        let header = packet.get(..family.header_len())?;
        let protocol_at = match family {
            Family::V4 => 9,
            Family::V6 => 6,
        };
        Some(Self {
            source: address_at(header, family.source_at(), family),
            destination: address_at(header, family.source_at() + family.address_len(), family),
            protocol: header[protocol_at],
        })
    }
}

/// A UDP header and the payload that is present.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UdpDatagram<'a> {
    /// Port of the sender.
    pub source_port: u16,
    /// Port of the receiver.
    pub destination_port: u16,
    /// Length field as sent: header and payload, in octets. Not checked against reality.
    pub length: u16,
    /// Checksum field as sent; zero means none was computed.
    pub checksum: u16,
    /// Payload: `length` less 8 octets, cut to what is present; a `length` below 8 counts unchanged.
    pub payload: &'a [u8],
}

impl<'a> UdpDatagram<'a> {
    /// Parses from the UDP header on; `None` when the header is incomplete.
    #[must_use]
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        let (header, rest) = body.split_first_chunk::<UDP_HEADER_LEN>()?;
        let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let length = word(4);
        let announced = usize::from(length);
        let announced = announced.checked_sub(UDP_HEADER_LEN).unwrap_or(announced);
        Some(Self {
            source_port: word(0),
            destination_port: word(2),
            length,
            checksum: word(6),
            payload: rest.get(..announced).unwrap_or(rest),
        })
    }
}

/// A transport header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transport<'a> {
    /// UDP.
    Udp(UdpDatagram<'a>),
    /// TCP, of which only the ports matter here.
    Tcp {
        /// Port of the sender.
        source_port: u16,
        /// Port of the receiver.
        destination_port: u16,
    },
    /// ICMP for IPv4, from its type octet on.
    Icmp(&'a [u8]),
}

impl<'a> Transport<'a> {
    /// Parses a transport header; `protocol` decides which.
    ///
    /// UDP needs 8 octets, TCP 20, ICMP 4.
    ///
    /// # Errors
    ///
    /// [`Malformed::TransportCut`] and [`Malformed::Protocol`].
    pub fn parse(protocol: u8, body: &'a [u8]) -> Result<Self, Malformed> {
        match protocol {
            PROTOCOL_UDP => UdpDatagram::parse(body).map(Self::Udp).ok_or(Malformed::TransportCut),
            PROTOCOL_TCP => {
                let header: &[u8; 20] = body.first_chunk().ok_or(Malformed::TransportCut)?;
                Ok(Self::Tcp {
                    source_port: u16::from_be_bytes([header[0], header[1]]),
                    destination_port: u16::from_be_bytes([header[2], header[3]]),
                })
            }
            PROTOCOL_ICMP if body.len() >= 4 => Ok(Self::Icmp(body)),
            PROTOCOL_ICMP => Err(Malformed::TransportCut),
            _ => Err(Malformed::Protocol),
        }
    }
}

#[cfg(test)]
mod tests;
