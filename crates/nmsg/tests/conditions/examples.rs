//! The examples of `docs/where.md`, on messages made for them.

use super::*;

const GUIDE: &str = include_str!("../../../../docs/where.md");

/// Each example with the messages it lets pass.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("rrtype = AAAA and response_ip in 2001:db8::/32", &["aaaa"]),
    ("qname under example.com and not rcode = NOERROR", &["dnsqr", "dnsnx"]),
    ("type = dnsqr and time >= now-1h", &["dnsqr"]),
    ("type = SIE:dnsdedupe and message.type = EXPIRATION", &["aaaa"]),
    ("type = EXPIRATION", &["aaaa"]),
    ("vendor = SIE and len > 60", &["addresses", "aaaa", "ns"]),
    ("operator = QA or source = 0xa1ba02cf", &["http"]),
    ("exists(rcode) and rcode != NOERROR", &["dnsqr"]),
    ("not exists(operator)", &["addresses", "aaaa", "ns", "dnsqr", "dnsobs", "dnsnx", "logline"]),
    ("(rcode = NXDOMAIN or rcode = SERVFAIL) and proto = UDP", &["dnsqr"]),
    ("query_port in (53, 1024..5000) && !(query_ip in 192.0.2.0/24)", &["dnsqr"]),
    ("rdata in 10.0.0.0/8", &["addresses"]),
    ("all(rdata) in (10.0.0.0/8, 192.0.2.0/24)", &["addresses"]),
    ("rrname = www.example.com", &["aaaa"]),
    ("rrname under (example.net, example.org)", &["addresses"]),
    ("bailiwick contains EXAMPLE", &["addresses", "aaaa", "ns"]),
    ("rdata = ns1.example.net", &["ns"]),
    ("rrtype in (NS, TYPE65) and rdata under example.net", &["ns"]),
    ("rrtype startswith NS", &["ns"]),
    ("category = \"web server\" and message contains 'GET /'", &["logline"]),
    ("udp_checksum = CORRECT", &["dnsqr"]),
    ("delay > 0.25", &["dnsqr", "delay"]),
    (r"geoid = '\x01\xff'", &["dnsobs"]),
    ("response contains 'IN TXT'", &["dnsobs"]),
    (
        "time in 2024-01-02",
        &["addresses", "aaaa", "ns", "dnsqr", "dnsobs", "dnsnx", "logline", "http"],
    ),
    (
        "time in 2024-01-02T03:04:05Z..2024-01-03",
        &["addresses", "aaaa", "ns", "dnsqr", "dnsobs", "dnsnx", "logline", "http"],
    ),
    ("time_first < 2020-01-01 and time_last >= now-7d", &["ns"]),
    ("message.time in 2024-01-01..2024-02-01", &["dnsobs"]),
    (r"qname ~ '^[0-9a-f]{8,}\.'", &["dnsnx"]),
    ("request ~ '(?i)user-agent: *curl'", &["http"]),
    (r"rdata !~ '^(10|192\.168)\.'", &["addresses", "aaaa", "ns"]),
];

/// A message by name: its type, labels and body.
struct Sample {
    name: &'static str,
    payload: Payload<'static>,
    body: Vec<u8>,
}

impl Sample {
    fn new(
        name: &'static str,
        (vendor, msgtype): (u32, u32),
        build: impl Fn(&mut Vec<u8>),
    ) -> Self {
        let mut body = Vec::new();
        build(&mut body);
        let payload = Payload {
            vendor: VendorId(vendor),
            msgtype: MsgType(msgtype),
            time: TIME,
            ..Payload::default()
        };
        Self { name, payload, body }
    }
}

fn dnsdedupe(
    name: &'static str,
    kind: u64,
    rrname: &str,
    rrtype: u64,
    first: u64,
    rdata: &[&[u8]],
) -> Sample {
    let server = "2001:db8::53".parse::<std::net::Ipv6Addr>().unwrap().octets();
    Sample::new(name, (2, 1), |out| {
        put_varint_field(out, 13, kind);
        put_varint_field(out, 11, first);
        put_varint_field(out, 12, TIME.sec as u64);
        put_len_field(out, 14, &server);
        put_len_field(out, 16, &wire("Example.net"));
        put_len_field(out, 1, &wire(rrname));
        put_varint_field(out, 3, 1);
        put_varint_field(out, 2, rrtype);
        rdata.iter().for_each(|rdata| put_len_field(out, 5, rdata));
    })
}

fn samples() -> Vec<Sample> {
    let aaaa = "2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap().octets();
    let (first, old) = (TIME.sec as u64 - 86_400, 1_500_000_000);
    let mut samples = vec![
        dnsdedupe("addresses", 0, "host.example.org", 1, first, &[&[10, 0, 0, 1], &[192, 0, 2, 1]]),
        dnsdedupe("aaaa", 1, "www.example.com", 28, first, &[&aaaa]),
        dnsdedupe("ns", 0, "example.com", 2, old, &[&wire("NS1.example.net")]),
        Sample::new("dnsqr", (1, 9), |out| {
            put_varint_field(out, 1, 1);
            put_len_field(out, 2, &[198, 51, 100, 7]);
            put_len_field(out, 3, &[192, 0, 2, 53]);
            for (number, value) in [(4, 17), (5, 4096), (6, 53), (7, 99), (9, 1), (10, 1), (11, 3)]
            {
                put_varint_field(out, number, value);
            }
            put_len_field(out, 8, &wire("missing.Example.com"));
            put_varint_field(out, 13, 1_704_164_645);
            nmsg::wire::put_fixed32_field(out, 14, 0);
            put_len_field(out, 15, b"a packet, in part");
            put_varint_field(out, 16, 1_704_164_645);
            nmsg::wire::put_fixed32_field(out, 17, 300_000_000);
            put_varint_field(out, 21, 3);
        }),
        Sample::new("dnsobs", (1, 14), |out| {
            put_varint_field(out, 1, 1_704_164_645);
            put_len_field(out, 2, &[192, 0, 2, 53]);
            put_len_field(out, 3, &wire("a.example.net"));
            for (number, value) in [(4, 16), (5, 1), (6, 0)] {
                put_varint_field(out, number, value);
            }
            let mut message = DNS.to_vec();
            (message[21], message[28]) = (16, 16);
            message.truncate(36);
            message.extend_from_slice(b"\x05\x04text");
            message[35] = 0;
            put_len_field(out, 7, &message);
            put_len_field(out, 9, b"\x01\xff");
        }),
        Sample::new("dnsnx", (2, 6), |out| {
            put_len_field(out, 1, &wire("0123456789abcdef.example.com"));
            put_varint_field(out, 2, 1);
            put_varint_field(out, 3, 1);
            put_len_field(out, 4, &[192, 0, 2, 53]);
        }),
        Sample::new("logline", (1, 6), |out| {
            put_len_field(out, 1, b"web server\0");
            put_len_field(out, 2, b"192.0.2.1 GET /index.html\0");
        }),
        Sample::new("http", (1, 4), |out| {
            put_varint_field(out, 1, 1);
            put_len_field(out, 7, b"GET / HTTP/1.1\r\nUser-Agent: curl/8\r\n\0");
        }),
        Sample::new("delay", (2, 4), |out| {
            put_len_field(out, 1, &[192, 0, 2, 1]);
            put_len_field(out, 2, &[192, 0, 2, 53]);
            put_fixed64_field(out, 3, 0.5_f64.to_bits());
            put_varint_field(out, 4, 1_704_164_645);
        }),
    ];
    let [.., http, delay] = &mut samples[..] else { unreachable!() };
    http.payload.operator = Some(101);
    delay.payload.operator = Some(7);
    delay.payload.time.sec = 1_600_000_000;
    samples
}

#[test]
fn every_example_of_the_guide_lets_the_right_messages_pass() {
    let samples = samples();
    for (expression, want) in EXAMPLES {
        let passing = samples.iter().filter(|sample| {
            holds(expression, &Payload { body: Some(&sample.body), ..sample.payload })
        });
        let names: Vec<&str> = passing.map(|sample| sample.name).collect();
        assert_eq!(names, *want, "{expression}");
    }
}

#[test]
fn every_sample_decodes() {
    for sample in samples() {
        let registry = registry();
        let schema = registry.get(sample.payload.vendor, sample.payload.msgtype).unwrap();
        let mut index = nmsg::FieldIndex::new();
        assert!(nmsg::View::new(schema, &sample.body, &mut index).is_ok(), "{}", sample.name);
    }
}

#[test]
fn the_examples_are_those_of_the_guide() {
    let mut in_example = false;
    let mut examples = Vec::new();
    for line in GUIDE.lines() {
        match line.strip_prefix("```") {
            Some(language) => in_example = language == "where",
            None if in_example => examples.push(line),
            None => {}
        }
    }
    let known: Vec<&str> = EXAMPLES.iter().map(|(expression, _)| *expression).collect();
    assert_eq!(examples, known);
}

#[test]
fn the_error_of_the_guide_is_the_one_that_is_reported() {
    let expression = "not qnam under example.com";
    let error = Where::compile(expression, &Registry::builtin(), &aliases(), NOW).unwrap_err();
    let shown = format!("```text\n{error}\n{}\n```", error.excerpt());
    assert!(GUIDE.contains(&shown), "{shown}");
}
