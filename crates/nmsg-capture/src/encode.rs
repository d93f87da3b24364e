//! Messages to octets: protocol-buffer fields in ascending order of their tags, required ones also
//! when empty, repeated numbers one by one (`capture-and-dnsqr` §3.1, §4).

use crate::dnsqr::{DnsQr, PacketList};
use crate::message::{Message, Ncap, Packet, Pkt};
use nmsg::datagram::Family;
use nmsg::wire::{put_fixed32_field, put_fixed64_field, put_len_field, put_varint_field};

/// `payload_type` of every `base:packet` message.
const PACKET_TYPE_IP: u64 = 1;

impl Message<'_> {
    /// Appends the encoded message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::DnsQr(message) => message.encode(out),
            Self::Ncap(message) => message.encode(out),
            Self::Packet(message) => message.encode(out),
            Self::Pkt(message) => message.encode(out),
        }
    }
}

impl Ncap<'_> {
    /// Appends the encoded message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let kind = match self.family {
            Family::V4 => 0,
            Family::V6 => 1,
        };
        put_varint_field(out, 1, kind);
        put_len_field(out, 2, self.payload);
    }
}

impl Packet<'_> {
    /// Appends the encoded message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_varint_field(out, 1, PACKET_TYPE_IP);
        put_len_field(out, 2, self.payload);
    }
}

impl Pkt<'_> {
    /// Appends the encoded message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_len_field(out, 1, self.payload);
        put_varint_field(out, 2, self.len_frame.into());
    }
}

impl DnsQr<'_> {
    /// Appends the encoded message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_varint_field(out, 1, self.kind as u64);
        put_len_field(out, 2, self.query_ip);
        put_len_field(out, 3, self.response_ip);
        put_varint_field(out, 4, self.protocol.into());
        put_varint_field(out, 5, self.query_port.into());
        put_varint_field(out, 6, self.response_port.into());
        put_varint_field(out, 7, self.id.into());
        if let Some(question) = self.question {
            put_len_field(out, 8, question.name);
            put_varint_field(out, 9, question.qtype.into());
            put_varint_field(out, 10, question.qclass.into());
        }
        if let Some(rcode) = self.rcode {
            put_varint_field(out, 11, rcode.into());
        }
        put_packets(out, 12, self.query_packets);
        put_packets(out, 15, self.response_packets);
        if let Some(tcp) = self.tcp {
            put_len_field(out, 18, tcp);
        }
        if let Some(icmp) = self.icmp {
            put_len_field(out, 19, icmp);
        }
        if let Some(timeout) = self.timeout {
            put_fixed64_field(out, 20, timeout.to_bits());
        }
        if let Some(checksum) = self.udp_checksum {
            put_varint_field(out, 21, checksum as u64);
        }
        if self.resolver_address_zeroed {
            put_varint_field(out, 22, 1);
        }
    }
}

/// Appends packets under `tag`, their seconds under the next and nanoseconds under the one after.
fn put_packets(out: &mut Vec<u8>, tag: u32, list: PacketList<'_>) {
    for packet in list.packets() {
        put_len_field(out, tag, packet);
    }
    for meta in list.metas() {
        put_varint_field(out, tag + 1, meta.time.sec as u64);
    }
    for meta in list.metas() {
        put_fixed32_field(out, tag + 2, meta.time.nsec);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dnsqr::{Kind, PacketMeta, Question};
    use nmsg::Timestamp;
    use nmsg::datagram::UdpChecksum;

    const TIME: Timestamp = Timestamp { sec: 5, nsec: 6 };

    fn encoded(message: Message<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        message.encode(&mut out);
        out
    }

    #[test]
    fn small_messages() {
        let payload = b"\x45";
        for (name, message, msgtype, want) in [
            ("ncap IPv4", Message::Ncap(Ncap { time: TIME, family: Family::V4, payload }), 1, {
                &b"\x08\0\x12\x01\x45"[..]
            }),
            ("ncap IPv6", Message::Ncap(Ncap { time: TIME, family: Family::V6, payload }), 1, {
                b"\x08\x01\x12\x01\x45"
            }),
            (
                "packet",
                Message::Packet(Packet { time: TIME, payload }),
                12,
                b"\x08\x01\x12\x01\x45",
            ),
            ("pkt", Message::Pkt(Pkt { time: TIME, payload, len_frame: 300 }), 8, {
                b"\x0a\x01\x45\x10\xac\x02"
            }),
        ] {
            assert_eq!(encoded(message), want, "{name}");
            assert_eq!((message.msgtype().0, message.time()), (msgtype, TIME), "{name}");
        }
    }

    #[test]
    fn required_fields_are_written_when_empty() {
        let mut tcp = DnsQr::empty(Kind::Tcp, TIME, 6);
        tcp.tcp = Some(b"\x45");
        let want = b"\x08\x04\x12\0\x1a\0\x20\x06\x28\0\x30\0\x38\0\x92\x01\x01\x45";
        assert_eq!(encoded(Message::DnsQr(&tcp)), want);
        let mut icmp = DnsQr::empty(Kind::Icmp, TIME, 1);
        icmp.icmp = Some(b"");
        assert!(encoded(Message::DnsQr(&icmp)).ends_with(b"\x38\0\x9a\x01\0"));
    }

    #[test]
    fn all_fields_in_tag_order() {
        let metas = [
            PacketMeta { len: 1, time: Timestamp { sec: 1, nsec: 2 } },
            PacketMeta { len: 2, time: Timestamp { sec: -1, nsec: 0xffff_ffff } },
        ];
        let message = DnsQr {
            query_ip: &[10, 0, 0, 1],
            response_ip: &[10, 0, 0, 2],
            query_port: 300,
            response_port: 53,
            id: 7,
            question: Some(Question { name: b"\0", qtype: 1, qclass: 255 }),
            rcode: Some(3),
            query_packets: PacketList::new(b"abc", &metas),
            response_packets: PacketList::new(b"d", &metas[..1]),
            timeout: Some(0.5),
            udp_checksum: Some(UdpChecksum::Correct),
            resolver_address_zeroed: true,
            ..DnsQr::empty(Kind::UdpQueryResponse, TIME, 17)
        };
        let want = [
            &b"\x08\x01\x12\x04\x0a\0\0\x01\x1a\x04\x0a\0\0\x02\x20\x11\x28\xac\x02\x30\x35\x38\x07"[..],
            b"\x42\x01\0\x48\x01\x50\xff\x01\x58\x03",
            b"\x62\x01a\x62\x02bc\x68\x01\x68\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x75\x02\0\0\0\x75\xff\xff\xff\xff",
            b"\x7a\x01d\x80\x01\x01\x8d\x01\x02\0\0\0",
            b"\xa1\x01\0\0\0\0\0\0\xe0\x3f\xa8\x01\x03\xb0\x01\x01",
        ]
        .concat();
        assert_eq!(encoded(Message::DnsQr(&message)), want);
    }
}
