//! Payload bodies that look like real traffic: skewed popularity of names, the usual mix of record
//! types, few addresses that send much.

use nmsg::wire::{put_fixed32_field, put_len_field, put_varint_field};

use crate::random::Random;

const SYLLABLES: &[&str] = &[
    "an", "ber", "cloud", "co", "data", "den", "el", "fast", "go", "home", "in", "ka", "lin",
    "mail", "net", "or", "pay", "ra", "shop", "so", "tech", "ti", "up", "ver", "web", "zen",
];
const SUFFIXES: &[&str] =
    &["com", "net", "org", "com", "de", "co.uk", "io", "com.br", "info", "example", "fr", "nl"];
const HOSTS: &[&str] = &[
    "www",
    "mail",
    "ns1",
    "ns2",
    "api",
    "cdn",
    "img",
    "static",
    "login",
    "mx",
    "smtp",
    "vpn",
    "edge-03",
    "a1b2c3",
    "host-10-20-30-40",
    "_dmarc",
    "autodiscover",
];

const A: u16 = 1;
const NS: u16 = 2;
const CNAME: u16 = 5;
const SOA: u16 = 6;
const PTR: u16 = 12;
const MX: u16 = 15;
const TXT: u16 = 16;
const AAAA: u16 = 28;
const RRSIG: u16 = 46;

/// A source of payload bodies.
pub(crate) struct Traffic {
    random: Random,
    domains: Vec<Vec<u8>>,
    servers: Vec<[u8; 4]>,
    clock: u64,
}

/// A DNS query and its response.
pub(crate) struct Exchange {
    client: [u8; 4],
    server: [u8; 4],
    port: u16,
    id: u16,
    qname: Vec<u8>,
    qtype: u16,
    rcode: u64,
    pub(crate) query_packet: Vec<u8>,
    pub(crate) response_packet: Vec<u8>,
    /// When it was asked, in nanoseconds since the Unix epoch.
    pub(crate) time: u64,
    /// Nanoseconds until the response.
    pub(crate) delay: u64,
}

/// A name in wire form made from dotted text.
fn wire(text: &str) -> Vec<u8> {
    let mut name = Vec::with_capacity(text.len() + 2);
    for label in text.split('.') {
        name.push(label.len() as u8);
        name.extend_from_slice(label.as_bytes());
    }
    name.push(0);
    name
}

impl Traffic {
    /// Traffic that is the same for the same seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let domains = (0..20_000).map(|_| {
            let mut text = String::new();
            for _ in 0..random.between(2, 4) {
                text.push_str(random.pick(SYLLABLES));
            }
            if random.chance(15) {
                text.push_str(&random.below(1000).to_string());
            }
            text.push('.');
            text.push_str(random.pick(SUFFIXES));
            wire(&text)
        });
        let domains = domains.collect();
        let servers = (0..3_000).map(|_| (random.next() as u32 | 1).to_be_bytes()).collect();
        Self { random, domains, servers, clock: 1_700_000_000_000_000_000 }
    }

    /// Seconds and nanoseconds of the next record; time goes on by some microseconds.
    pub(crate) fn tick(&mut self) -> (i64, u32) {
        self.clock += 1 + self.random.below(40_000) as u64;
        ((self.clock / 1_000_000_000) as i64, (self.clock % 1_000_000_000) as u32)
    }

    fn domain(&mut self) -> Vec<u8> {
        let at = self.random.skewed(self.domains.len());
        self.domains[at].clone()
    }

    fn host_in(&mut self, domain: &[u8]) -> Vec<u8> {
        let host = self.random.pick(HOSTS);
        let mut name = vec![host.len() as u8];
        name.extend_from_slice(host.as_bytes());
        name.extend_from_slice(domain);
        name
    }

    fn server(&mut self) -> [u8; 4] {
        let at = self.random.skewed(self.servers.len());
        self.servers[at]
    }

    fn rrtype(&mut self) -> u16 {
        match self.random.below(100) {
            0..45 => A,
            45..58 => AAAA,
            58..70 => NS,
            70..79 => CNAME,
            79..85 => MX,
            85..90 => TXT,
            90..94 => SOA,
            94..97 => PTR,
            _ => RRSIG,
        }
    }

    fn rdata(&mut self, rrtype: u16, domain: &[u8]) -> Vec<u8> {
        match rrtype {
            A => self.server().to_vec(),
            AAAA => {
                let mut address = vec![0x20, 0x01, 0x0d, 0xb8];
                address.extend_from_slice(&(self.random.next() as u32).to_be_bytes());
                address.extend_from_slice(&[0; 4]);
                address.extend_from_slice(&(self.random.below(4096) as u32).to_be_bytes());
                address
            }
            MX => {
                let mut rdata = vec![0, 10 * self.random.between(1, 5) as u8];
                rdata.extend(self.host_in(domain));
                rdata
            }
            TXT => {
                let text = format!("v=spf1 include:_spf{}.example -all", self.random.below(100));
                let mut rdata = vec![text.len() as u8];
                rdata.extend_from_slice(text.as_bytes());
                rdata
            }
            SOA => {
                let mut rdata = self.host_in(domain);
                rdata.extend(wire("hostmaster.example"));
                for number in [2_023_111_401_u32, 7_200, 3_600, 1_209_600, 300] {
                    rdata.extend_from_slice(&number.to_be_bytes());
                }
                rdata
            }
            RRSIG => {
                let mut rdata = vec![0, 1, 8, 2, 0, 0, 14, 16];
                rdata.extend_from_slice(&1_700_500_000_u32.to_be_bytes());
                rdata.extend_from_slice(&1_699_500_000_u32.to_be_bytes());
                rdata.extend_from_slice(&(self.random.next() as u16).to_be_bytes());
                rdata.extend_from_slice(domain);
                rdata.extend((0..128).map(|_| self.random.next() as u8));
                rdata
            }
            _ => self.host_in(domain),
        }
    }

    /// Body of a `SIE:dnsdedupe` record.
    pub(crate) fn dnsdedupe(&mut self, body: &mut Vec<u8>) {
        let domain = self.domain();
        let rrtype = self.rrtype();
        let rrname =
            if matches!(rrtype, NS | SOA | MX) { domain.clone() } else { self.host_in(&domain) };
        let now = self.clock / 1_000_000_000;
        put_len_field(body, 1, &rrname);
        put_varint_field(body, 2, rrtype.into());
        put_varint_field(body, 3, 1);
        put_varint_field(body, 4, self.random.pick(&[60, 300, 3_600, 86_400, 172_800]));
        let count = match rrtype {
            A | AAAA => 1 + self.random.skewed(6),
            NS => self.random.between(2, 4),
            _ => 1,
        };
        for _ in 0..count {
            let rdata = self.rdata(rrtype, &domain);
            put_len_field(body, 5, &rdata);
        }
        put_varint_field(body, 10, 1 + self.random.skewed(500) as u64);
        put_varint_field(body, 11, now - self.random.below(86_400) as u64);
        put_varint_field(body, 12, now);
        put_varint_field(body, 13, if self.random.chance(70) { 1 } else { 0 });
        let server = self.server();
        put_len_field(body, 14, &server);
        put_len_field(body, 16, &domain);
    }

    /// One query and its response.
    pub(crate) fn exchange(&mut self) -> Exchange {
        let domain = self.domain();
        let qname = self.host_in(&domain);
        let qtype = self.random.pick(&[A, A, A, A, AAAA, AAAA, MX, TXT, NS, CNAME]);
        let (client, server) = (self.server(), self.server());
        let (port, id) = (self.random.between(1_024, 65_535) as u16, self.random.next() as u16);
        let answered = !self.random.chance(12);
        let mut query = Vec::new();
        for word in [id, 0x0010, 1, 0, 0, 1] {
            query.extend_from_slice(&word.to_be_bytes());
        }
        query.extend_from_slice(&qname);
        for word in [qtype, 1] {
            query.extend_from_slice(&word.to_be_bytes());
        }
        let opt = [0, 0, 41, 4, 208, 0, 0, 128, 0, 0, 0];
        let mut response = query.clone();
        query.extend_from_slice(&opt);
        let answers = if answered { 1 + self.random.skewed(4) } else { 0 };
        response[2..4].copy_from_slice(&(if answered { 0x8410_u16 } else { 0x8403 }).to_be_bytes());
        response[6..8].copy_from_slice(&(answers as u16).to_be_bytes());
        for _ in 0..answers {
            let rdata = self.rdata(qtype, &domain);
            response.extend_from_slice(&[0xc0, 12]);
            for word in [qtype, 1, 0, 300, rdata.len() as u16] {
                response.extend_from_slice(&word.to_be_bytes());
            }
            response.extend_from_slice(&rdata);
        }
        response.extend_from_slice(&opt);
        let query_packet = udp_packet(client, server, port, 53, &query);
        let response_packet = udp_packet(server, client, 53, port, &response);
        let delay = self.random.between(200_000, 60_000_000) as u64;
        let rcode = if answered { 0 } else { 3 };
        Exchange {
            client,
            server,
            port,
            id,
            qname,
            qtype,
            rcode,
            query_packet,
            response_packet,
            time: self.clock,
            delay,
        }
    }

    /// Body of a `base:dnsqr` record: one query and its response, as packets.
    pub(crate) fn dnsqr(&mut self, body: &mut Vec<u8>) {
        let exchange = self.exchange();
        let (sec, nsec) = (exchange.time / 1_000_000_000, (exchange.time % 1_000_000_000) as u32);
        put_varint_field(body, 1, 1);
        put_len_field(body, 2, &exchange.client);
        put_len_field(body, 3, &exchange.server);
        put_varint_field(body, 4, 17);
        put_varint_field(body, 5, exchange.port.into());
        put_varint_field(body, 6, 53);
        put_varint_field(body, 7, exchange.id.into());
        put_len_field(body, 8, &exchange.qname);
        put_varint_field(body, 9, exchange.qtype.into());
        put_varint_field(body, 10, 1);
        put_varint_field(body, 11, exchange.rcode);
        put_len_field(body, 12, &exchange.query_packet);
        put_varint_field(body, 13, sec);
        put_fixed32_field(body, 14, nsec / 1_000 * 1_000);
        put_len_field(body, 15, &exchange.response_packet);
        let later = nsec + exchange.delay as u32;
        put_varint_field(body, 16, sec + u64::from(later / 1_000_000_000));
        put_fixed32_field(body, 17, later % 1_000_000_000 / 1_000 * 1_000);
        put_varint_field(body, 21, 3);
    }

    /// Body of a `base:ipconn` record.
    pub(crate) fn ipconn(&mut self, body: &mut Vec<u8>) {
        let (client, server) = (self.server(), self.server());
        put_varint_field(body, 1, if self.random.chance(80) { 6 } else { 17 });
        put_len_field(body, 2, &client);
        put_varint_field(body, 3, self.random.between(1_024, 65_535) as u64);
        put_len_field(body, 4, &server);
        put_varint_field(body, 5, self.random.pick(&[22, 25, 80, 443, 443, 443, 993]));
    }

    /// Body of a `base:http` record.
    pub(crate) fn http(&mut self, body: &mut Vec<u8>) {
        let (client, server) = (self.server(), self.server());
        put_varint_field(body, 1, 1);
        put_len_field(body, 2, &client);
        put_varint_field(body, 4, self.random.between(1_024, 65_535) as u64);
        put_len_field(body, 5, &server);
        put_varint_field(body, 6, 80);
        let path = self.random.pick(SYLLABLES);
        let request = format!("GET /{path}/{} HTTP/1.1\r\nHost: x\r\n\0", self.random.below(9_999));
        put_len_field(body, 7, request.as_bytes());
    }

    /// Body of a `base:logline` record.
    pub(crate) fn logline(&mut self, body: &mut Vec<u8>) {
        let category = self.random.pick(&["kernel\0", "sshd\0", "cron\0", "named\0"]);
        let message = format!("event {} from session {}\0", self.random.below(900), self.clock);
        put_len_field(body, 1, category.as_bytes());
        put_len_field(body, 2, message.as_bytes());
    }
}

fn udp_packet(
    source: [u8; 4],
    destination: [u8; 4],
    sport: u16,
    dport: u16,
    dns: &[u8],
) -> Vec<u8> {
    let udp_len = dns.len() as u16 + 8;
    let mut packet = vec![0x45, 0];
    packet.extend_from_slice(&(udp_len + 20).to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0, 0, 64, 17, 0, 0]);
    packet.extend_from_slice(&source);
    packet.extend_from_slice(&destination);
    let checksum = !nmsg::datagram::ones_complement_sum(&packet);
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
    let mut summed = [source, destination].concat();
    summed.extend_from_slice(&17_u16.to_be_bytes());
    summed.extend_from_slice(&udp_len.to_be_bytes());
    let start = summed.len();
    for word in [sport, dport, udp_len, 0] {
        summed.extend_from_slice(&word.to_be_bytes());
    }
    summed.extend_from_slice(dns);
    let checksum = match !nmsg::datagram::ones_complement_sum(&summed) {
        0 => 0xffff,
        sum => sum,
    };
    summed[start + 6..start + 8].copy_from_slice(&checksum.to_be_bytes());
    packet.extend_from_slice(&summed[start..]);
    packet
}
