//! A mixed capture gives the messages that release 1.3.3 of the C tool makes of it.
//!
//! `dns-mix.pcap`: 400 DNS transactions with fragments, VLANs, retransmissions, bad checksums,
//! TCP, IPv6 and noise. The `.nmsg` files are that tool's output, by `-p … -T TYPE -z -w …`.

mod common;

use common::{convert, records};
use nmsg_capture::dnsqr::Config;
use nmsg_capture::{Converter, ReassemblyLimits};

const CAPTURE: &[u8] = include_bytes!("fixtures/dns-mix.pcap");

fn check(mut converter: Converter, expected: &[u8], count: usize) {
    let (messages, error) = convert(CAPTURE, &mut converter);
    assert!(error.is_none());
    let expected = records(expected);
    assert_eq!(expected.len(), count);
    for (place, (got, want)) in messages.iter().zip(&expected).enumerate() {
        assert_eq!(got, want, "message {place}");
    }
    assert_eq!(messages.len(), expected.len());
    let counters = converter.counters();
    let skipped: u64 = counters.reasons().map(|(_, count)| count).sum();
    assert_eq!((counters.frames, counters.converted + skipped), (742, 742));
    assert_eq!(counters.messages, count as u64);
}

#[test]
fn dnsqr() {
    let converter = Converter::dnsqr(Config::default(), None);
    check(converter, include_bytes!("fixtures/dns-mix.dnsqr.nmsg"), 391);
}

#[test]
fn ncap() {
    let converter = Converter::ncap(ReassemblyLimits::default(), None);
    check(converter, include_bytes!("fixtures/dns-mix.ncap.nmsg"), 709);
}

#[test]
fn packet() {
    let converter = Converter::packet(None);
    check(converter, include_bytes!("fixtures/dns-mix.packet.nmsg"), 735);
}

#[test]
fn pkt() {
    let converter = Converter::pkt(None);
    check(converter, include_bytes!("fixtures/dns-mix.pkt.nmsg"), 742);
}
