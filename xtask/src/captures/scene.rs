//! Traffic made up frame by frame: DNS of every protocol, retransmitted, fragmented, spoilt, and noise.

use std::net::IpAddr;

use crate::packets::{Checksum, Udp, dns, ip};
use crate::random::Random;

/// Link types of captures.
pub(super) const NULL: u16 = 0;
pub(super) const ETHERNET: u16 = 1;
pub(super) const RAW_BSD: u16 = 12;
pub(super) const RAW: u16 = 101;
pub(super) const LOOP: u16 = 108;
pub(super) const SLL: u16 = 113;
pub(super) const SLL2: u16 = 276;

/// Nanoseconds of a millisecond and of a second.
pub(super) const MILLISECOND: u64 = 1_000_000;
pub(super) const SECOND: u64 = 1_000_000_000;

const CLIENTS_V4: &[&str] = &["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"];
const SERVERS_V4: &[&str] = &["192.0.2.1", "192.0.2.53"];
const CLIENTS_V6: &[&str] = &["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4"];
const SERVERS_V6: &[&str] = &["2001:db8:1::53"];
const NAMES: &[&str] =
    &["example.com", "www.foo.org", "BAR.foo.org", "a.b", ".", "x.example.com", "www.FOO.org"];

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const DESTINATION_OPTIONS: u8 = 60;

/// A captured frame.
#[derive(Clone)]
pub(super) struct Frame {
    /// Nanoseconds since the Unix epoch.
    pub(super) time: u64,
    /// What stands in front of the packet.
    pub(super) head: Vec<u8>,
    pub(super) packet: Vec<u8>,
    /// Octets that the snapshot length cost.
    pub(super) missing: u32,
}

/// Two ends that speak DNS.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub(super) client: (IpAddr, u16),
    pub(super) server: (IpAddr, u16),
}

/// A query that was asked.
#[derive(Clone, Copy)]
struct Question {
    pair: Pair,
    id: u16,
    name: Option<&'static str>,
    qtype: u16,
}

/// A capture in the making, and its twin: the capture of which the C suite makes what we make of the
/// first one. Where nothing is decided otherwise, both have the same frames.
pub(super) struct Scene {
    pub(super) random: Random,
    pub(super) link: u16,
    pub(super) clock: u64,
    pub(super) frames: Vec<Frame>,
    pub(super) twin: Vec<Frame>,
    identification: u32,
    asked: Vec<Question>,
}

pub(super) fn address(text: &str) -> IpAddr {
    text.parse().unwrap_or(IpAddr::from([0; 4]))
}

/// Puts what goes in front of a packet on a link.
pub(super) fn head(link: u16, ethertype: u16, tags: &[u8]) -> Vec<u8> {
    let is_v6 = ethertype == 0x86dd;
    let ethertype = ethertype.to_be_bytes();
    match link {
        ETHERNET => [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2][..], tags, &ethertype].concat(),
        SLL => [&[0; 14][..], &ethertype].concat(),
        SLL2 => [&ethertype[..], &[0; 18]].concat(),
        NULL => vec![if is_v6 { 10 } else { 2 }, 0, 0, 0],
        LOOP => vec![0, 0, 0, if is_v6 { 24 } else { 2 }],
        _ => Vec::new(),
    }
}

pub(super) fn ethertype(packet: &[u8]) -> u16 {
    if packet.first().is_some_and(|octet| octet >> 4 == 6) { 0x86dd } else { 0x0800 }
}

/// Makes an IPv4 packet's header longer.
fn with_options(mut packet: Vec<u8>) -> Vec<u8> {
    let total = u16::from_be_bytes([packet[2], packet[3]]) + 4;
    packet[0] += 1;
    packet[2..4].copy_from_slice(&total.to_be_bytes());
    packet.splice(20..20, [1; 4]);
    packet
}

impl Scene {
    pub(super) fn new(seed: u64, link: u16) -> Self {
        let mut random = Random::new(seed);
        let clock = SECOND * SECOND + random.below(1_000_000) as u64 * 1000;
        let (frames, twin, asked) = (Vec::new(), Vec::new(), Vec::new());
        Self { random, link, clock, frames, twin, identification: 1, asked }
    }

    /// Goes on for so many steps.
    pub(super) fn run(mut self, steps: usize) -> Self {
        (0..steps).for_each(|_| self.step());
        self
    }

    /// Goes on for so many steps, and does something special now and then.
    pub(super) fn run_with(mut self, steps: usize, mut special: impl FnMut(&mut Self)) -> Self {
        for step in 0..steps {
            self.step();
            if step == 0 || self.random.chance(15) {
                special(&mut self);
            }
        }
        self
    }

    /// Adds a packet as it is.
    pub(super) fn emit(&mut self, packet: Vec<u8>) {
        let frame = self.frame(packet);
        self.twin.push(frame.clone());
        self.frames.push(frame);
    }

    /// The packet as a frame, sometimes with a tag.
    pub(super) fn frame(&mut self, packet: Vec<u8>) -> Frame {
        let mut tags = Vec::new();
        if self.link == ETHERNET && self.random.chance(10) {
            let tag = self.random.below(4096) as u16;
            tags = [[0x81, 0], tag.to_be_bytes()].concat();
        }
        let head = head(self.link, ethertype(&packet), &tags);
        Frame { time: self.clock, head, packet, missing: 0 }
    }

    pub(super) fn pair(&mut self) -> Pair {
        let (clients, servers) = if self.random.chance(25) {
            (CLIENTS_V6, SERVERS_V6)
        } else {
            (CLIENTS_V4, SERVERS_V4)
        };
        self.pair_of(clients, servers)
    }

    pub(super) fn pair_v4(&mut self) -> Pair {
        self.pair_of(CLIENTS_V4, SERVERS_V4)
    }

    pub(super) fn pair_v6(&mut self) -> Pair {
        self.pair_of(CLIENTS_V6, SERVERS_V6)
    }

    fn pair_of(&mut self, clients: &[&str], servers: &[&str]) -> Pair {
        let client = address(self.random.pick(clients));
        let server = address(self.random.pick(servers));
        let client_port = self.random.pick(&[53, 1024, 4000, 4001, 5353]);
        let server_port = self.random.pick(&[53, 53, 53, 5353, 54]);
        Pair { client: (client, client_port), server: (server, server_port) }
    }

    /// Fragments with an identification of their own.
    pub(super) fn fragments(&mut self, udp: &Udp, size: usize) -> Vec<Vec<u8>> {
        self.identification += 1;
        let identification = self.identification.to_be_bytes();
        let mut fragments = udp.fragments(size);
        for fragment in &mut fragments {
            if fragment[0] >> 4 == 6 {
                fragment[44..48].copy_from_slice(&identification);
            } else {
                fragment[4..6].copy_from_slice(&identification[2..]);
            }
        }
        fragments
    }

    /// Time goes on a little, but not into the next second.
    pub(super) fn tick_within_second(&mut self) {
        let end = self.clock / SECOND * SECOND + 999_900_000;
        self.clock =
            (self.clock + self.random.below(10_000) as u64 * 1000).min(end).max(self.clock);
    }

    /// Sends a datagram, in one of the ways it may take.
    fn send(&mut self, udp: Udp, may_fragment: bool) {
        let checksum = match self.random.below(10) {
            0 => Checksum::Bad,
            1 => Checksum::Zero,
            _ => Checksum::Good,
        };
        let udp = udp.checksum(checksum);
        if may_fragment && udp.payload.len() > 30 && self.random.chance(12) {
            let size = 8 * self.random.between(1, 7);
            let mut fragments = self.fragments(&udp, size);
            if self.random.chance(40) {
                for place in (1..fragments.len()).rev() {
                    let other = self.random.below(place + 1);
                    fragments.swap(place, other);
                }
            }
            if self.random.chance(10) {
                fragments.pop();
            }
            for mut fragment in fragments {
                self.tick_within_second();
                if self.random.chance(20) {
                    fragment.extend(vec![0; self.random.below(6)]);
                }
                self.emit(fragment);
            }
            return;
        }
        let is_v6 = udp.source.0.is_ipv6();
        let mut packet = udp.packet();
        if self.random.chance(10) {
            packet = if is_v6 {
                let body = [&[UDP, 0, 1, 4, 0, 0, 0, 0][..], &udp.datagram()].concat();
                ip(udp.source.0, udp.destination.0, DESTINATION_OPTIONS, &body)
            } else {
                with_options(packet)
            };
        }
        if self.random.chance(15) {
            packet.extend(vec![0; self.random.between(1, 19)]);
        }
        self.emit(packet);
    }

    /// A DNS message that may have something behind its question.
    pub(super) fn message(
        &mut self,
        id: u16,
        flags: u16,
        question: Option<(&str, u16)>,
    ) -> Vec<u8> {
        let mut message = dns(id, flags, question);
        if self.random.chance(50) {
            message.extend(vec![0; self.random.below(60)]);
        }
        message
    }

    fn question(&mut self) -> Question {
        let pair = self.pair();
        let name = self.random.chance(90).then(|| self.random.pick(NAMES));
        let (id, qtype) = (self.random.below(4) as u16, self.random.pick(&[1, 1, 28]));
        Question { pair, id, name, qtype }
    }

    fn recursion_desired(&mut self) -> u16 {
        self.random.pick(&[0, 0x0100])
    }

    fn step(&mut self) {
        let pause = if self.random.chance(95) {
            self.random.pick(&[0, 1, 10, 100, 300])
        } else {
            self.random.pick(&[5_000, 30_000, 61_000, 100_000])
        };
        self.clock += pause * MILLISECOND;
        match self.random.below(100) {
            0..38 => self.ask(),
            38..75 if !self.asked.is_empty() => self.answer(),
            38..80 => self.answer_unasked(),
            80..86 => self.tcp(),
            86..90 => self.cut_message(),
            90..92 => self.address_resolution(),
            92..94 => self.other_protocol(),
            94 => {
                let Pair { client, server } = self.pair();
                let body = vec![0; self.random.below(8)];
                self.emit(ip(client.0, server.0, UDP, &body));
            }
            95 => self.wrong_length(),
            96 | 97 => {
                let udp = self.noise_query();
                let mut frame = self.frame(udp.packet());
                frame.missing = 1500;
                self.twin.push(frame.clone());
                self.frames.push(frame);
            }
            _ => {
                let Pair { client, server } = self.pair();
                let (source, destination) = ((client.0, 1000), (server.0, 2000));
                let udp =
                    Udp { source, destination, payload: vec![0; 20], checksum: Checksum::Good };
                self.emit(udp.packet());
            }
        }
    }

    fn ask(&mut self) {
        let question = self.question();
        self.asked.push(question);
        let Question { pair, id, name, qtype } = question;
        let flags = self.recursion_desired();
        let payload = self.message(id, flags, name.map(|name| (name, qtype)));
        let Pair { client: source, server: destination } = pair;
        self.send(Udp { source, destination, payload, checksum: Checksum::Good }, true);
    }

    fn answer(&mut self) {
        let at = self.random.below(self.asked.len());
        let Question { pair, id, mut name, mut qtype } = self.asked[at];
        if self.random.chance(80) {
            self.asked.remove(at);
        }
        if self.random.chance(20) {
            name = None;
        }
        if self.random.chance(10) {
            name = Some(self.random.pick(NAMES));
        }
        if self.random.chance(5) {
            qtype = 2;
        }
        let rcode = self.random.pick(&[0, 0, 0, 1, 2, 3, 4, 5]);
        let flags = 0x8000 | self.recursion_desired() | rcode;
        let mut payload = self.message(id, flags, name.map(|name| (name, qtype)));
        if self.random.chance(10) {
            payload[5] = 2;
        }
        let Pair { server: source, client: destination } = pair;
        self.send(Udp { source, destination, payload, checksum: Checksum::Good }, true);
    }

    fn answer_unasked(&mut self) {
        let Question { pair, id, name, qtype } = self.question();
        let flags = 0x8000 | self.random.pick(&[0, 2, 5]);
        let payload = self.message(id, flags, name.map(|name| (name, qtype)));
        let Pair { server: source, client: destination } = pair;
        self.send(Udp { source, destination, payload, checksum: Checksum::Good }, true);
    }

    fn tcp(&mut self) {
        let Pair { client, server } = self.pair();
        let mut segment = [client.1.to_be_bytes(), server.1.to_be_bytes()].concat();
        segment.extend([0, 0, 0, 1, 0, 0, 0, 1, (self.random.below(16) << 4) as u8, 2]);
        segment.extend(vec![0; 6 + self.random.below(30)]);
        self.emit(ip(client.0, server.0, TCP, &segment));
    }

    fn noise_query(&mut self) -> Udp {
        let Question { pair, id, name, qtype } = self.question();
        let payload = self.message(id, 0x0100, name.map(|name| (name, qtype)));
        let destination = (pair.server.0, 53);
        Udp { source: pair.client, destination, payload, checksum: Checksum::Good }
    }

    fn cut_message(&mut self) {
        let mut udp = self.noise_query();
        let flags = self.random.pick(&[0, 0x8000]);
        let message = self.message(0, flags, Some(("example.com", 1)));
        udp.payload = message[..self.random.below(message.len())].to_vec();
        self.send(udp, false);
    }

    fn address_resolution(&mut self) {
        if matches!(self.link, RAW | RAW_BSD) {
            return;
        }
        let head = head(self.link, 0x0806, &[]);
        let frame = Frame { time: self.clock, head, packet: vec![0; 28], missing: 0 };
        self.twin.push(frame.clone());
        self.frames.push(frame);
    }

    fn other_protocol(&mut self) {
        let Pair { client, server } = self.pair();
        // ESP in IPv4; behind IPv6 it counts as a header.
        let second = if client.0.is_ipv6() { 47 } else { 50 };
        let protocol = self.random.pick(&[47, second, 89, 1]);
        let body = vec![0; self.random.between(4, 39)];
        self.emit(ip(client.0, server.0, protocol, &body));
    }

    fn wrong_length(&mut self) {
        let udp = self.noise_query();
        let len: u16 = self.random.pick(&[30, 200, 8, 20, 7]);
        let mut datagram = udp.datagram();
        datagram[4..6].copy_from_slice(&len.to_be_bytes());
        self.emit(ip(udp.source.0, udp.destination.0, UDP, &datagram));
    }
}
