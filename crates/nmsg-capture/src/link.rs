//! Link layers: from a frame to the IP packet in it.
//!
//! | link type | header | tags |
//! |---|---|---|
//! | Ethernet | 14 octets | any number of 802.1Q, 802.1ad and 0x9100 tags |
//! | RAW | none; the version nibble decides | |
//! | Linux cooked v1, v2 | 16, 20 octets | |
//! | NULL | 4 octets, address family in either octet order | |
//! | LOOP | 4 octets, address family in network order | |

use crate::Skip;
use nmsg::datagram::{Family, IPV4_HEADER_LEN};
use std::fmt;

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const VLAN_TAG_LEN: usize = 4;

/// Link type number as savefiles carry it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback, family in host order of the capturing machine.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// IP without link header, as some systems number it.
    pub const RAW_BSD: Self = Self(12);
    /// IP without link header.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback, family in network order.
    pub const LOOP: Self = Self(108);
    /// Linux "cooked" capture.
    pub const LINUX_SLL: Self = Self(113);
    /// Linux "cooked" capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);

    /// Returns true when [`ip_packet`] can find IP packets behind this link type.
    #[must_use]
    pub fn is_supported(self) -> bool {
        matches!(
            self,
            Self::NULL
                | Self::ETHERNET
                | Self::RAW_BSD
                | Self::RAW
                | Self::LOOP
                | Self::LINUX_SLL
                | Self::LINUX_SLL2
        )
    }

    /// Returns the registered name, such as `EN10MB`, or `None` for rare numbers.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        let at = NAMES.binary_search_by_key(&self.0, |(number, _)| *number).ok()?;
        Some(NAMES[at].1)
    }
}

impl fmt::Display for LinkType {
    /// Writes the name, or the number where there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

/// Names of link types, sorted by number (registry of the tcpdump group).
const NAMES: &[(u16, &str)] = &[
    (0, "NULL"),
    (1, "EN10MB"),
    (3, "AX25"),
    (6, "IEEE802"),
    (7, "ARCNET"),
    (8, "SLIP"),
    (9, "PPP"),
    (10, "FDDI"),
    (12, "RAW"),
    (50, "PPP_SERIAL"),
    (51, "PPP_ETHER"),
    (100, "ATM_RFC1483"),
    (101, "RAW"),
    (104, "C_HDLC"),
    (105, "IEEE802_11"),
    (107, "FRELAY"),
    (108, "LOOP"),
    (113, "LINUX_SLL"),
    (114, "LTALK"),
    (117, "PFLOG"),
    (119, "PRISM_HEADER"),
    (122, "IP_OVER_FC"),
    (123, "SUNATM"),
    (127, "IEEE802_11_RADIO"),
    (129, "ARCNET_LINUX"),
    (138, "APPLE_IP_OVER_IEEE1394"),
    (140, "MTP2"),
    (141, "MTP3"),
    (143, "DOCSIS"),
    (144, "LINUX_IRDA"),
    (147, "USER0"),
    (163, "IEEE802_11_RADIO_AVS"),
    (165, "BACNET_MS_TP"),
    (166, "PPP_PPPD"),
    (187, "BLUETOOTH_HCI_H4"),
    (189, "USB_LINUX"),
    (192, "PPI"),
    (195, "IEEE802_15_4"),
    (203, "LAPD"),
    (204, "PPP_WITH_DIR"),
    (205, "C_HDLC_WITH_DIR"),
    (220, "USB_LINUX_MMAPPED"),
    (224, "FC_2"),
    (226, "IPNET"),
    (227, "CAN_SOCKETCAN"),
    (228, "IPV4"),
    (229, "IPV6"),
    (239, "NFLOG"),
    (240, "NETANALYZER"),
    (242, "IPOIB"),
    (249, "USBPCAP"),
    (251, "BLUETOOTH_LE_LL"),
    (253, "NETLINK"),
    (258, "PKTAP"),
    (265, "OPENVIZSLA"),
    (271, "VSOCK"),
    (276, "LINUX_SLL2"),
];

/// The network layer of a frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IpOctets<'a> {
    /// IP version the link layer announced.
    pub family: Family,
    /// From the IP header to the end of the frame, link padding included; not yet checked.
    pub octets: &'a [u8],
}

/// Removes the link header of a frame.
///
/// # Errors
///
/// Says why there is no IP packet: header cut short, other protocol, unsupported link type.
#[inline]
pub fn ip_packet(link: LinkType, frame: &[u8]) -> Result<IpOctets<'_>, Skip> {
    match link {
        LinkType::ETHERNET => ethernet(frame),
        LinkType::RAW | LinkType::RAW_BSD => {
            if frame.len() < IPV4_HEADER_LEN {
                return Err(Skip::HeaderCut);
            }
            let family = Family::of_packet(frame).ok_or(Skip::Version)?;
            Ok(IpOctets { family, octets: frame })
        }
        LinkType::LINUX_SLL => by_ethertype(word(frame, 14), frame.get(16..)),
        LinkType::LINUX_SLL2 => by_ethertype(word(frame, 0), frame.get(20..)),
        LinkType::NULL => by_address_family(frame, false),
        LinkType::LOOP => by_address_family(frame, true),
        _ => Err(Skip::LinkType),
    }
}

fn ethernet(frame: &[u8]) -> Result<IpOctets<'_>, Skip> {
    let mut type_at = 12;
    loop {
        let ethertype = word(frame, type_at);
        if !matches!(ethertype, Some(0x8100 | 0x88a8 | 0x9100)) {
            return by_ethertype(ethertype, frame.get(type_at + 2..));
        }
        type_at += VLAN_TAG_LEN;
    }
}

fn word(frame: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*frame.get(at..)?.first_chunk()?))
}

fn by_ethertype(ethertype: Option<u16>, octets: Option<&[u8]>) -> Result<IpOctets<'_>, Skip> {
    let (Some(ethertype), Some(octets)) = (ethertype, octets) else { return Err(Skip::LinkCut) };
    match ethertype {
        ETHERTYPE_IPV4 => Ok(IpOctets { family: Family::V4, octets }),
        ETHERTYPE_IPV6 => Ok(IpOctets { family: Family::V6, octets }),
        _ => Err(Skip::NotIp),
    }
}

fn by_address_family(frame: &[u8], network_order: bool) -> Result<IpOctets<'_>, Skip> {
    let (family, octets) = frame.split_first_chunk().ok_or(Skip::LinkCut)?;
    let mut family = u32::from_be_bytes(*family);
    if !network_order && family > 0xffff {
        family = family.swap_bytes();
    }
    match family {
        2 => Ok(IpOctets { family: Family::V4, octets }),
        // Linux, BSD, FreeBSD and macOS number IPv6 differently.
        10 | 24 | 28 | 30 => Ok(IpOctets { family: Family::V6, octets }),
        _ => Err(Skip::NotIp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peel(link: LinkType, header: &[u8]) -> Result<(Family, usize), Skip> {
        let frame = [header, &[0x45; 20]].concat();
        let packet = ip_packet(link, &frame)?;
        assert!(frame.ends_with(packet.octets));
        Ok((packet.family, frame.len() - packet.octets.len()))
    }

    fn ethernet_header(tags: &[u8]) -> Vec<u8> {
        [&[2; 12], tags].concat()
    }

    #[test]
    fn cp_6_link_headers_are_peeled() {
        let sll = |ethertype: [u8; 2]| [&[0; 14][..], &ethertype].concat();
        let sll2 = |ethertype: [u8; 2]| [&ethertype[..], &[0; 18]].concat();
        let v4 = |at| Ok((Family::V4, at));
        let v6 = |at| Ok((Family::V6, at));
        for (name, link, header, want) in [
            ("Ethernet", LinkType::ETHERNET, ethernet_header(&[8, 0]), v4(14)),
            ("Ethernet, IPv6", LinkType::ETHERNET, ethernet_header(&[0x86, 0xdd]), v6(14)),
            ("802.1Q", LinkType::ETHERNET, ethernet_header(&[0x81, 0, 0, 5, 8, 0]), v4(18)),
            ("802.1ad", LinkType::ETHERNET, ethernet_header(&[0x88, 0xa8, 0, 5, 8, 0]), v4(18)),
            (
                "QinQ",
                LinkType::ETHERNET,
                ethernet_header(&[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 0x86, 0xdd]),
                v6(22),
            ),
            (
                "802.1Q twice",
                LinkType::ETHERNET,
                ethernet_header(&[0x81, 0, 0, 5, 0x81, 0, 0, 6, 8, 0]),
                v4(22),
            ),
            ("ARP", LinkType::ETHERNET, ethernet_header(&[8, 6]), Err(Skip::NotIp)),
            ("802.3 length", LinkType::ETHERNET, ethernet_header(&[0, 40]), Err(Skip::NotIp)),
            ("RAW", LinkType::RAW, vec![], v4(0)),
            ("RAW by the other number", LinkType::RAW_BSD, vec![], v4(0)),
            ("RAW, IPv6", LinkType::RAW, vec![0x60], v6(0)),
            ("RAW, neither", LinkType::RAW, vec![0x10], Err(Skip::Version)),
            ("cooked", LinkType::LINUX_SLL, sll([8, 0]), v4(16)),
            ("cooked, IPv6", LinkType::LINUX_SLL, sll([0x86, 0xdd]), v6(16)),
            ("cooked, tagged", LinkType::LINUX_SLL, sll([0x81, 0]), Err(Skip::NotIp)),
            ("cooked v2", LinkType::LINUX_SLL2, sll2([8, 0]), v4(20)),
            ("cooked v2, IPv6", LinkType::LINUX_SLL2, sll2([0x86, 0xdd]), v6(20)),
            ("NULL, little-endian", LinkType::NULL, vec![2, 0, 0, 0], v4(4)),
            ("NULL, big-endian", LinkType::NULL, vec![0, 0, 0, 2], v4(4)),
            ("NULL, IPv6 on Linux", LinkType::NULL, vec![10, 0, 0, 0], v6(4)),
            ("NULL, IPv6 on BSD", LinkType::NULL, vec![0, 0, 0, 24], v6(4)),
            ("NULL, IPv6 on FreeBSD", LinkType::NULL, vec![28, 0, 0, 0], v6(4)),
            ("NULL, IPv6 on macOS", LinkType::NULL, vec![30, 0, 0, 0], v6(4)),
            ("NULL, other", LinkType::NULL, vec![7, 0, 0, 0], Err(Skip::NotIp)),
            ("LOOP", LinkType::LOOP, vec![0, 0, 0, 2], v4(4)),
            ("LOOP, wrong order", LinkType::LOOP, vec![2, 0, 0, 0], Err(Skip::NotIp)),
            ("PPP", LinkType(9), vec![], Err(Skip::LinkType)),
        ] {
            assert_eq!(peel(link, &header), want, "{name}");
        }
    }

    #[test]
    fn cut_headers_are_named() {
        for (name, link, octets) in [
            ("Ethernet", LinkType::ETHERNET, &[2; 13][..]),
            ("tag", LinkType::ETHERNET, &[2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0x81, 0, 0, 5, 8]),
            ("cooked", LinkType::LINUX_SLL, &[0; 15]),
            ("cooked v2", LinkType::LINUX_SLL2, &[8; 19]),
            ("NULL", LinkType::NULL, &[0; 3]),
            ("LOOP", LinkType::LOOP, &[]),
        ] {
            assert_eq!(ip_packet(link, octets), Err(Skip::LinkCut), "{name}");
        }
        let short = ip_packet(LinkType::RAW, &[0x45; 19]);
        assert_eq!(short, Err(Skip::HeaderCut));
    }

    #[test]
    fn cp_5_names() {
        assert!(NAMES.is_sorted_by_key(|(number, _)| *number));
        for (link, want) in [
            (LinkType::ETHERNET, "EN10MB"),
            (LinkType(9), "PPP"),
            (LinkType(228), "IPV4"),
            (LinkType(65000), "65000"),
        ] {
            assert_eq!(link.to_string(), want);
        }
        let supported = (0..=1000).map(LinkType).filter(|link| link.is_supported());
        assert_eq!(
            supported.map(|link| link.0).collect::<Vec<_>>(),
            [0, 1, 12, 101, 108, 113, 276]
        );
    }
}
