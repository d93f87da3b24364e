//! A mixed capture gives the messages that release 1.3.3 of the C tool makes of it.
//!
//! `dns-mix.pcap`: 400 DNS transactions with fragments, VLANs, retransmissions, bad checksums,
//! TCP, IPv6 and noise. The `.nmsg` files are that tool's output, by `-p … -T TYPE -z -w …`.

mod common;

use common::{Encoded, convert};
use nmsg::Limits;
use nmsg::container::{ContainerBody, Header, Inflater};
use nmsg_capture::dnsqr::Config;
use nmsg_capture::{Converter, ReassemblyLimits};

const CAPTURE: &[u8] = include_bytes!("fixtures/dns-mix.pcap");

/// Reads every record of an NMSG file.
#[expect(clippy::unwrap_used, reason = "fixtures are whole")]
fn records(mut file: &[u8]) -> Vec<Encoded> {
    let mut records = Vec::new();
    let mut inflated = Vec::new();
    let mut body = ContainerBody::new();
    while let Some(header) = Header::parse(file).unwrap() {
        let (octets, rest) = file[header.len()..].split_at(header.body_len as usize);
        file = rest;
        let octets = if header.flags.is_zlib() {
            Inflater::new().inflate(octets, &mut inflated, &Limits::default()).unwrap();
            &inflated
        } else {
            octets
        };
        body.decode(octets).unwrap();
        for stored in body.payloads(octets) {
            records.push((stored.payload.time, stored.payload.body.unwrap().to_vec()));
        }
    }
    records
}

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
