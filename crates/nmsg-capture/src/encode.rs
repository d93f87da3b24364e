//! Messages to octets: protocol-buffer fields in ascending order of their tags, required ones also
//! when empty, repeated numbers one by one (`capture-and-dnsqr` §3.1, §4).

use crate::dnsqr::{DnsQr, PacketList};
use crate::message::{Message, Ncap, Packet, Pkt};
use nmsg::datagram::Family;
use nmsg::wire::{WireType, put_len_field, put_varint_field};

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
        let mut pieces = Pieces::new(out);
        pieces.field(1, self.kind as u16);
        pieces.address(2, self.query_ip);
        pieces.address(3, self.response_ip);
        pieces.field(4, self.protocol.into());
        pieces.field(5, self.query_port);
        pieces.field(6, self.response_port);
        pieces.field(7, self.id);
        if let Some(question) = self.question {
            pieces.octets(8, question.name);
            pieces.field(9, question.qtype);
            pieces.field(10, question.qclass);
        }
        if let Some(rcode) = self.rcode {
            pieces.field(11, rcode.into());
        }
        pieces.packets(12, self.query_packets);
        pieces.packets(15, self.response_packets);
        if let Some(tcp) = self.tcp {
            pieces.octets(18, tcp);
        }
        if let Some(icmp) = self.icmp {
            pieces.octets(19, icmp);
        }
        if let Some(timeout) = self.timeout {
            pieces.tag(20, WireType::Fixed64);
            pieces.put(timeout.to_bits().to_le_bytes(), 8);
        }
        if let Some(checksum) = self.udp_checksum {
            pieces.tag(21, WireType::Varint);
            pieces.put([checksum as u8], 1);
        }
        if self.resolver_address_zeroed {
            pieces.tag(22, WireType::Varint);
            pieces.put([1], 1);
        }
        pieces.finish();
    }
}

/// Room for small fields.
const ROOM: usize = 64;
/// The longest small field: an address of IPv6, with its tag and length.
const LONGEST: usize = 18;

/// Fields on their way out. Small ones are put together before they go there in one piece, which is
/// copied in its full size: a copy whose length is known costs less.
struct Pieces<'o> {
    out: &'o mut Vec<u8>,
    small: [u8; ROOM],
    len: usize,
}

impl<'o> Pieces<'o> {
    #[inline(always)]
    fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, small: [0; ROOM], len: 0 }
    }

    #[inline(always)]
    fn finish(&mut self) {
        let end = self.out.len() + self.len;
        self.out.extend_from_slice(&self.small);
        self.out.truncate(end);
        self.len = 0;
    }

    /// Makes room for a small field and what may be written behind it.
    #[inline(always)]
    fn make_room(&mut self) {
        if self.len > ROOM - LONGEST - 2 {
            self.finish();
        }
    }

    /// Writes octets of which the first `len` count, into room that was made.
    #[inline(always)]
    fn put<const N: usize>(&mut self, octets: [u8; N], len: usize) {
        if let Some(room) = self.small.get_mut(self.len..self.len + N) {
            room.copy_from_slice(&octets);
            self.len += len;
        }
    }

    #[inline(always)]
    fn tag(&mut self, number: u8, wire: WireType) {
        self.make_room();
        let tag = u16::from(number) << 3 | wire as u16;
        if number < 16 {
            self.put([tag as u8], 1);
        } else {
            self.put([tag as u8 | 0x80, (tag >> 7) as u8], 2);
        }
    }

    /// A number with a tag below 16. Ports and ids are as good as random: their lengths must not be
    /// branched on.
    #[inline(always)]
    fn field(&mut self, tag: u8, number: u16) {
        self.make_room();
        let number = u32::from(number);
        let two = u32::from(number >= 1 << 7);
        let three = u32::from(number >= 1 << 14);
        let word = number & 0x7f
            | two << 7
            | (number & 0x3f80) << 1
            | three << 15
            | (number & 0xc000) << 2;
        self.put((word << 8 | u32::from(tag) << 3).to_le_bytes(), 2 + (two + three) as usize);
    }

    #[inline(always)]
    fn varint(&mut self, mut value: u64) {
        if value >> 28 != 0 && value >> 35 == 0 {
            // Seconds of our time.
            let groups = value & 0x7f
                | value << 1 & 0x7f00
                | value << 2 & 0x7f_0000
                | value << 3 & 0x7f00_0000
                | value << 4 & 0x7f_0000_0000;
            return self.put((groups | 0x80_8080_8080 >> 8).to_le_bytes(), 5);
        }
        while value >= 0x80 {
            self.put([value as u8 | 0x80], 1);
            value >>= 7;
        }
        self.put([value as u8], 1);
    }

    /// An address: 16 octets, 4, or nothing.
    #[inline(always)]
    fn address(&mut self, tag: u8, address: &[u8]) {
        self.make_room();
        let tag = tag << 3 | WireType::Len as u8;
        if let Some(v6) = address.first_chunk::<16>() {
            self.put([tag, 16], 2);
            self.put(*v6, 16);
        } else if let Some([a, b, c, d]) = address.first_chunk() {
            self.put([tag, 4, *a, *b, *c, *d], 6);
        } else {
            self.put([tag, 0], 2);
        }
    }

    #[inline(always)]
    fn octets(&mut self, number: u8, octets: &[u8]) {
        self.tag(number, WireType::Len);
        self.varint(octets.len() as u64);
        self.finish();
        self.out.extend_from_slice(octets);
    }

    /// Packets under `number`, their seconds under the next and nanoseconds under the one after.
    #[inline(always)]
    fn packets(&mut self, number: u8, list: PacketList<'_>) {
        for packet in list.packets() {
            self.octets(number, packet);
        }
        for meta in list.metas() {
            self.tag(number + 1, WireType::Varint);
            self.varint(meta.time.sec as u64);
        }
        for meta in list.metas() {
            self.tag(number + 2, WireType::Fixed32);
            self.put(meta.time.nsec.to_le_bytes(), 4);
        }
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
    fn numbers_of_every_length_are_written_as_elsewhere() {
        for number in 0..=u16::MAX {
            let (mut out, mut want) = (Vec::new(), Vec::new());
            let mut pieces = Pieces::new(&mut out);
            pieces.field(7, number);
            pieces.finish();
            put_varint_field(&mut want, 7, number.into());
            assert_eq!(out, want, "{number}");
        }
        for bit in 0..64 {
            for number in [1 << bit, (1_u64 << bit) - 1, (1 << bit) | 0x1234_5678_9abc_def0] {
                let (mut out, mut want) = (Vec::new(), Vec::new());
                let mut pieces = Pieces::new(&mut out);
                pieces.tag(16, WireType::Varint);
                pieces.varint(number);
                pieces.finish();
                put_varint_field(&mut want, 16, number);
                assert_eq!(out, want, "{number}");
            }
        }
        let v6 = [7; 16];
        let message = DnsQr { query_ip: &v6, ..DnsQr::empty(Kind::UdpQueryOnly, TIME, 17) };
        let want = [&b"\x08\x06\x12\x10"[..], &v6, b"\x1a\0\x20\x11"].concat();
        assert!(encoded(Message::DnsQr(&message)).starts_with(&want));
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
