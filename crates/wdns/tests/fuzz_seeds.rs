//! The fuzz bodies over saved inputs and many mutations of them.

use wdns::fuzzing::{check_message, check_name, check_rdata_text};
use wdns::{Class, RrType, name, rdata};

/// A small generator with a fixed seed: the inputs are the same on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 20) as usize % limit.max(1)
    }

    fn mutate(&mut self, octets: &mut Vec<u8>, other: &[u8]) {
        for _ in 0..=self.below(3) {
            let at = self.below(octets.len() + 1);
            let value = match self.below(4) {
                0 => self.next() as u8,
                1 => [0, 1, 63, 64, 191, 192, 255, b'.', b'\\', b'"', b' ', b'='][self.below(12)],
                2 => other.get(self.below(other.len())).copied().unwrap_or(0),
                _ => self.below(40) as u8,
            };
            match self.below(7) {
                0 => octets.truncate(at),
                1 | 2 if at < octets.len() => octets[at] = value,
                3 if at < octets.len() => drop(octets.remove(at)),
                4 => {
                    let from = self.below(other.len());
                    let until = from + self.below((other.len() - from).min(40));
                    octets.splice(at..at, other[from..until].iter().copied());
                }
                _ => octets.insert(at, value),
            }
        }
    }
}

fn run(seeds: &[Vec<u8>], rounds: usize, seed: u64, check: impl Fn(&[u8])) {
    seeds.iter().for_each(|seed| check(seed));
    let mut random = Random(seed);
    for _ in 0..rounds {
        let mut octets = seeds[random.below(seeds.len())].clone();
        let other = &seeds[random.below(seeds.len())];
        random.mutate(&mut octets, other);
        octets.truncate(4096);
        check(&octets);
    }
}

fn wire(text: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    name::parse(text.as_bytes(), &mut wire).expect("sound text");
    wire
}

#[test]
fn names() {
    let mut seeds: Vec<Vec<u8>> = [
        "",
        ".",
        "fsi.io",
        "a\\.b.c",
        "a\\046b\\000\\255",
        "a b",
        "\\\"(;@$*_-/",
        "xn--bcher-kva.example.",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    let parsed: Vec<Vec<u8>> =
        seeds.iter().map(|text| wire(std::str::from_utf8(text).unwrap())).collect();
    seeds.extend(parsed);
    seeds.push([&[63][..], &[b'a'; 63]].concat().repeat(3));
    seeds.push([&[0; 12][..], b"\x03www\x03fsi\x02io\0\xc0\x10\x01a\xc0\x0c"].concat());
    run(&seeds, 60_000, 0x1234_5678, check_name);
}

/// Text for each type that has one.
const RDATA: [(RrType, &str); 42] = [
    (RrType::A, "192.0.2.1"),
    (RrType::AAAA, "2001:db8::1"),
    (RrType::NS, "ns1.Example.COM."),
    (RrType::DNAME, "."),
    (RrType::SOA, "ns.x. host.x. 2023111401 7200 3600 1209600 300"),
    (RrType::MX, "10 mx.example.com."),
    (RrType::KX, "10 mx.example.com."),
    (RrType::TXT, "\"hello\" \"w\\\"r\\\\d\" \"\\000\\127\\255\" \"\""),
    (RrType::HINFO, "\"CPU\" \"OS\""),
    (RrType::X25, "\"311061\""),
    (RrType::MINFO, "a.x. b.x."),
    (RrType::NULL, "DEADBEEF"),
    (RrType::WKS, "3221225985 6 0040"),
    (RrType::PX, "1 a. b."),
    (RrType::SRV, "1 2 5060 sip.example.com."),
    (RrType::NAPTR, "100 10 \"u\" \"E2U+sip\" \"!^.*$!\" ."),
    (RrType::A6, "64 ::1:203:405:607 a.b."),
    (RrType::A6, "128 a.b."),
    (RrType::DS, "12345 8 2 DEADBEEFCAFE"),
    (RrType::DNSKEY, "257 3 8 AQIDBAU="),
    (RrType::RRSIG, "A 8 2 3600 1700000000 1690000000 4711 example.com. 3q2+7w=="),
    (RrType::SIG, "1 8 2 3600 1700000000 1690000000 4711 example.com. DEAD"),
    (RrType::NSEC, "b.example. A MX RRSIG NSEC TYPE258 TYPE65535"),
    (RrType::NXT, "a. 6000"),
    (RrType::NSEC3, "1 1 10 abcd 000G40O40K30E209185GO38E1S8124GJ A"),
    (RrType::NSEC3, "1 0 0 - 0"),
    (RrType::NSEC3PARAM, "1 0 10 aabbccdd"),
    (RrType::TLSA, "3 1 1 ABCDEF0123"),
    (RrType::OPENPGPKEY, "aGVsbG8="),
    (RrType::CSYNC, "66 3 A NS AAAA"),
    (RrType::EUI48, "00-00-5e-00-53-2a"),
    (RrType::EUI64, "00-00-5e-00-53-2a-00-ff"),
    (RrType::URI, "10 1 \"ftp://ftp1.example.com/public\""),
    (RrType::CAA, "128 \"iodef\" \"mailto:\\\"x\\\"\\\\\""),
    (RrType::SVCB, "1 . alpn=\"h2,h3\" no-default-alpn port=53 ipv4hint=1.2.3.4,5.6.7.8"),
    (RrType::HTTPS, "16 foo.example.org. alpn=\"f\\\\\\\\oo\\\\,bar,h2\" key667=\"hel\\000lo\""),
    (RrType::SVCB, "1 a. mandatory=alpn,port ech=abcdefghijkl ipv6hint=2001:db8::1,::1.2.3.4"),
    (RrType::LOC, "\\# 4 03 01 01 ab "),
    (RrType(65280), "\\# 0 "),
    (RrType::SPF, "\"v=spf1\""),
    (RrType::CDS, "0 0 0 00"),
    (RrType::RP, "a. ."),
];

/// Numbers of type and class as [`check_rdata_text`] reads them.
fn selector(rrtype: RrType) -> [u8; 4] {
    let [high, low] = rrtype.0.to_be_bytes();
    [high, low, 0, 1]
}

#[test]
fn record_data() {
    let mut seeds = Vec::new();
    for (rrtype, text) in RDATA {
        seeds.push([&selector(rrtype), text.as_bytes()].concat());
        let mut data = selector(rrtype).to_vec();
        rdata::parse(text.as_bytes(), rrtype, Class::IN, &mut data).unwrap();
        seeds.push(data);
    }
    let options = b"\0\x08\0\x07\0\x01\x18\0\x0a\x01\x02\0\x0f\0\x03\0\x0fA\0\x03\0\x02a\"";
    seeds.push([&selector(RrType::OPT)[..], options].concat());
    run(&seeds, 100_000, 0x9e37_79b9, check_rdata_text);
}

/// A response with a record of each type of [`RDATA`], owners compressed, and EDNS.
fn message() -> Vec<u8> {
    let mut octets = vec![0x12, 0x34, 0x81, 0x80, 0, 1, 0, RDATA.len() as u8, 0, 1, 0, 1];
    octets.extend(wire("www.example.com."));
    octets.extend([0, 1, 0, 1]);
    let record =
        |octets: &mut Vec<u8>, owner: &[u8], (rrtype, class, ttl): (u16, u16, u32), data: &[u8]| {
            octets.extend_from_slice(owner);
            octets.extend(rrtype.to_be_bytes());
            octets.extend(class.to_be_bytes());
            octets.extend(ttl.to_be_bytes());
            octets.extend((data.len() as u16).to_be_bytes());
            octets.extend_from_slice(data);
        };
    for (rrtype, text) in RDATA {
        let mut data = Vec::new();
        rdata::parse(text.as_bytes(), rrtype, Class::IN, &mut data).expect("sound text");
        record(&mut octets, &[0xc0, 12], (rrtype.0, 1, 300), &data);
    }
    record(&mut octets, &[0xc0, 16], (2, 1, 60), b"\x02ns\xc0\x10");
    record(&mut octets, &[0], (41, 1232, 0x8000), b"\0\x0f\0\x02\0\x0f\0\x03\0\0");
    octets
}

#[test]
fn messages() {
    let small = [
        &[0, 1, 0x80, 0, 0, 1, 0, 2, 0, 0, 0, 1][..],
        b"\x01x\0\0\x0f\0\x01\x01X\0\0\x0f\0\x01\0\0\0\x05\0\x06\0\x05\x01y\xc0\x0c",
        b"\xc0\x0c\0\x0f\0\x01\0\0\0\x04\0\x03\0\x06\0\0\0\x29\x02\0\0\0\x80\0\0\0",
    ]
    .concat();
    run(&[message(), small], 300_000, 0xdead_beef, check_message);
}
