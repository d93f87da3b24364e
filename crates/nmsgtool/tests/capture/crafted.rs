//! Captures and settings that crashed the C tool: here they cost themselves.

use crate::exchange::{CLIENT, SERVER, ids, kinds, queries, query, response, savefile};
use crate::packets::{dns, ethernet, fragment, ip, udp};
use crate::tool::{Scratch, command, feed, run};
use std::ffi::OsStr;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;

const TYPES: [&str; 4] = ["dnsqr", "ncap", "packet", "pkt"];

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// A capture of Ethernet frames.
fn frames(packets: &[Vec<u8>]) -> Vec<u8> {
    let frames: Vec<Vec<u8>> = packets.iter().map(|packet| ethernet(packet)).collect();
    let mut octets = savefile(&frames);
    octets[20] = 1;
    octets
}

/// Every output of every type ends by itself with status 0; what is sound is there.
fn check(name: &str, packets: &[Vec<u8>]) {
    let scratch = Scratch::new();
    let capture = scratch.write("in.pcap", &frames(packets));
    for msgtype in TYPES {
        for output in ["-w", "-J", "-o"] {
            let ran = run(["-p", &capture, "-T", msgtype, output, "-"]);
            assert_eq!(ran.status, 0, "{name}, {msgtype} {output}: {}", ran.stderr);
        }
    }
    let ran = run(["-p", &capture, "-T", "dnsqr", "-J", "-"]);
    let matched = kinds(ran.text()).iter().filter(|kind| **kind == "UDP_QUERY_RESPONSE").count();
    assert!(matched >= 1 && ids(ran.text()).contains(&77), "{name}: {}", ran.text());
}

/// A sound exchange around something else.
fn around(crafted: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let (ask, answer) = (query(77, "a.").packet(), response(77, "a.").packet());
    [vec![ask], crafted, vec![answer]].concat()
}

#[test]
fn cp_1_crafted_fragments_are_harmless() {
    let (from, to) = (address(SERVER.0), address(CLIENT.0));
    let first = fragment(from, to, 17, 0, true, &[0; 32]);
    let mut total_below_header = fragment(from, to, 17, 32, false, &[0; 8]);
    total_below_header[2..4].copy_from_slice(&[0, 10]);
    let mut long_header = fragment(from, to, 17, 32, false, &[0; 8]);
    long_header[0] = 0x4f;
    let mut short_header = fragment(from, to, 17, 32, false, &[0; 8]);
    short_header[0] = 0x41;
    let far = fragment(from, to, 17, 65_528, false, &[0; 1400]);
    let (from_v6, to_v6) = (address("2001:db8::53"), address("2001:db8::1"));
    let first_v6 = fragment(from_v6, to_v6, 17, 0, true, &[0; 32]);
    let mut long_v6 = fragment(from_v6, to_v6, 17, 32, false, &[0; 8]);
    long_v6[4..6].copy_from_slice(&[0xff, 0xff]);
    let mut nothing_v6 = fragment(from_v6, to_v6, 17, 32, false, &[0; 8]);
    nothing_v6[4..6].copy_from_slice(&[0, 0]);
    for (name, crafted) in [
        ("total length below the header", vec![first.clone(), total_below_header]),
        ("header beyond the frame", vec![first.clone(), long_header]),
        ("header of four octets", vec![first.clone(), short_header]),
        ("end beyond the largest datagram", vec![first, far]),
        ("IPv6, longer than the frame", vec![first_v6.clone(), long_v6]),
        ("IPv6, no payload", vec![first_v6, nothing_v6]),
        ("header chain without end", {
            vec![ip(from_v6, to_v6, 60, &[60, 0, 1, 4, 0, 0, 0, 0].repeat(100))]
        }),
        ("authentication header of 255 words", vec![ip(from_v6, to_v6, 51, &[17, 255, 0, 0])]),
    ] {
        check(name, &around(crafted));
    }
}

#[test]
fn dt_1_crafted_records_in_captured_messages_are_harmless() {
    for (name, rrtype, rdata) in [
        ("NXT whose name has no end", 30, &b"\x03fsi\x02io"[..]),
        ("NXT that is cut within its name", 30, b"\x3f"),
        ("A of three octets", 1, b"\x01\x02\x03"),
        ("name that points at itself", 2, b"\xc0\x1d"),
        ("OPT option beyond its end", 41, b"\0\x0a\xff\xff"),
        ("SVCB parameter beyond its end", 64, b"\0\x01\0\0\x01\xff\xff"),
        ("NSEC window of 255 octets", 47, b"\0\0\xff"),
    ] {
        let mut message = dns(1, 0x8180, Some(("a.", 1)));
        message[7] = 1;
        message.extend([0xc0, 12]);
        for word in [rrtype, 1, 0, 60, rdata.len() as u16] {
            message.extend(word.to_be_bytes());
        }
        message.extend(rdata);
        let answer = udp(SERVER, CLIENT, &message).packet();
        check(name, &around(vec![query(1, "a.").packet(), answer]));
    }
}

#[test]
fn dq_4_malformed_variables_are_harmless() {
    let long = [b'9'; 5000];
    let many = b"a:".repeat(20_000);
    let label = [&[b'x'; 64][..], b".org"].concat();
    let values: [&[u8]; 18] = [
        b"",
        b" ",
        b"-1",
        b"1x",
        b"0x",
        b"\xff\xfe",
        b"99999999999999999999999",
        b"-9223372036854775809",
        b",",
        b":",
        b"\\",
        b"a\\0",
        b"a..b",
        b"1.2.3.4/33",
        b"::1/-1,",
        &long,
        &many,
        &label,
    ];
    let capture = queries([1]);
    for name in [
        "DNSQR_CAPTURE_QR",
        "DNSQR_CAPTURE_RD",
        "DNSQR_ZERO_RESOLVER_ADDRESS",
        "DNSQR_STATE_TABLE_MAX",
        "DNSQR_QUERY_TIMEOUT",
        "DNSQR_FILTER_QNAMES_EXCLUDE",
        "DNSQR_FILTER_QNAMES_INCLUDE",
        "DNSQR_RES_ADDRS",
        "DNSQR_AUTH_ADDRS",
    ] {
        for value in values {
            let mut command = command(["-p", "-", "-T", "dnsqr", "-J", "-"]);
            command.env(name, OsStr::from_bytes(value));
            let ran = feed(command, &capture);
            let shown = value.escape_ascii().to_string();
            let shown = shown.get(..shown.len().min(40)).unwrap_or_default();
            match ran.status {
                0 => assert!(ids(ran.text()).len() <= 1, "{name}={shown}"),
                2 => assert!(ran.stderr.contains(name), "{name}={shown}: {}", ran.stderr),
                other => panic!("{name}={shown}: status {other}, {}", ran.stderr),
            }
        }
    }
}
