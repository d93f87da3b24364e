use super::*;
use crate::LinkType;
use crate::dnsqr::NameList;
use crate::test_filters::constant_filter;
use crate::test_packets::{Checksum, Udp, dns, ethernet, fragment, ip, udp};
use nmsg::datagram::UdpChecksum;
use std::net::IpAddr;

mod decisions;
mod scenarios;

const CLIENT: (&str, u16) = ("10.0.0.1", 40_000);
const SERVER: (&str, u16) = ("192.0.2.53", 53);
const CLIENT_V6: (&str, u16) = ("2001:db8::1", 40_000);
const SERVER_V6: (&str, u16) = ("2001:db8::53", 53);

const QUERY: u16 = 0x0100;
const RESPONSE: u16 = 0x8180;
const NOERROR: u16 = 0;
const FORMERR: u16 = 1;
const SERVFAIL: u16 = 2;
const NXDOMAIN: u16 = 3;
const NOTIMP: u16 = 4;
const REFUSED: u16 = 5;

/// A message with everything owned.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    kind: Kind,
    time: Timestamp,
    query: (Vec<u8>, u16),
    response: (Vec<u8>, u16),
    protocol: u8,
    id: u16,
    name: Option<Vec<u8>>,
    rcode: Option<u8>,
    query_packets: Vec<(Timestamp, Vec<u8>)>,
    response_packets: Vec<(Timestamp, Vec<u8>)>,
    tcp: Option<Vec<u8>>,
    icmp: Option<Vec<u8>>,
    timeout: Option<f64>,
    checksum: Option<UdpChecksum>,
    zeroed: bool,
}

impl Seen {
    fn of(message: &Message<'_>) -> Self {
        let Message::DnsQr(message) = message else { panic!("{message:?}") };
        let packets = |list: PacketList<'_>| {
            let times = list.metas().iter().map(|meta| meta.time);
            times.zip(list.packets().map(<[u8]>::to_vec)).collect()
        };
        Self {
            kind: message.kind,
            time: message.time,
            query: (message.query_ip.to_vec(), message.query_port),
            response: (message.response_ip.to_vec(), message.response_port),
            protocol: message.protocol,
            id: message.id,
            name: message.question.map(|question| question.name.to_vec()),
            rcode: message.rcode,
            query_packets: packets(message.query_packets),
            response_packets: packets(message.response_packets),
            tcp: message.tcp.map(<[u8]>::to_vec),
            icmp: message.icmp.map(<[u8]>::to_vec),
            timeout: message.timeout,
            checksum: message.udp_checksum,
            zeroed: message.resolver_address_zeroed,
        }
    }
}

/// Seconds as a time.
fn at(seconds: f64) -> Timestamp {
    Timestamp { sec: seconds as i64, nsec: (seconds.fract() * 1e9).round() as u32 }
}

struct Bench {
    matcher: Matcher,
    seen: Vec<Seen>,
}

impl Bench {
    fn new() -> Self {
        Self::with(Config::default())
    }

    fn with(config: Config) -> Self {
        Self { matcher: Matcher::new(config, None), seen: Vec::new() }
    }

    fn frame(&mut self, time: f64, link: LinkType, octets: &[u8]) -> &mut Self {
        let original_len = octets.len() as u32;
        let frame = Frame { time: at(time), link, original_len, octets };
        self.matcher.frame(&frame, &mut |message| self.seen.push(Seen::of(message)));
        self
    }

    /// Takes a packet in an Ethernet frame.
    fn packet(&mut self, time: f64, packet: &[u8]) -> &mut Self {
        self.frame(time, LinkType::ETHERNET, &ethernet(packet))
    }

    fn finish(&mut self) -> &mut Self {
        self.matcher.finish(&mut |message| self.seen.push(Seen::of(message)));
        self
    }

    fn expire(&mut self, now: f64) -> &mut Self {
        self.matcher.expire(at(now), &mut |message| self.seen.push(Seen::of(message)));
        self
    }

    fn kinds(&self) -> Vec<Kind> {
        self.seen.iter().map(|seen| seen.kind).collect()
    }

    /// Kind and DNS id of every message.
    fn summary(&self) -> Vec<(Kind, u16)> {
        self.seen.iter().map(|seen| (seen.kind, seen.id)).collect()
    }

    fn skipped(&self, reason: Skip) -> u64 {
        self.matcher.counters().skipped(reason)
    }

    /// Every frame is in one column.
    fn balances(&self) -> bool {
        let counters = self.matcher.counters();
        counters.balances() && counters.messages == self.seen.len() as u64
    }
}

fn query(id: u16, name: &str) -> Udp {
    udp(CLIENT, SERVER, &dns(id, QUERY, Some((name, 1))))
}

fn response(id: u16, name: &str) -> Udp {
    udp(SERVER, CLIENT, &dns(id, RESPONSE, Some((name, 1))))
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn names(text: &str) -> NameList {
    NameList::parse(text.as_bytes(), |token, error| panic!("{token:?}: {error}"))
}

/// A TCP segment, header only.
fn tcp(source: (&str, u16), destination: (&str, u16)) -> Vec<u8> {
    let mut segment = vec![0; 20];
    segment[..2].copy_from_slice(&source.1.to_be_bytes());
    segment[2..4].copy_from_slice(&destination.1.to_be_bytes());
    segment[12] = 0x50;
    ip(address(source.0), address(destination.0), 6, &segment)
}
