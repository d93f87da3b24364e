//! Where datagrams and containers end.

use std::fmt::Write;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nmsg::Limits;
use nmsg::container::{ContainerBody, Deframer, Flags, Fragment, Frame, Header, Inflater};
use nmsg::wire::varint_len;
use nmsg_os::udp::{Endpoint, Receiver};

use super::corpus::{self, Record};
use super::tool::Tool;
use super::verdict::Verdict;
use crate::random::Random;

/// Compares what both programs send; gives how many comparisons fail that should not.
pub(super) fn run(ours: &Tool, reference: &Tool) -> io::Result<usize> {
    let mut verdict = Verdict::new("datagrams");
    for (kind, records) in [("small records", small()), ("large ones, too", large())] {
        let input = ours.output("input.nmsg");
        std::fs::write(&input, corpus::file(&records)?)?;
        let input = input.to_string_lossy().into_owned();
        for mtu in ["0", "1", "700", "1280", "8192", "30000"] {
            for more in [&[][..], &["-z"], &["--unbuffered"], &["-z", "--unbuffered"]] {
                let name = format!("{kind}, -m {mtu} {more:?}");
                let [mine, theirs] = [ours, reference].map(|tool| sent(tool, &input, mtu, more));
                verdict.same(&name, mine?.as_bytes(), theirs?.as_bytes())?;
            }
        }
    }
    verdict.end()
}

fn record(body: Vec<u8>) -> Record {
    Record {
        vendor: 1,
        msgtype: 6,
        time: nmsg::Timestamp { sec: 1_700_000_000, nsec: 1 },
        source: None,
        operator: None,
        group: None,
        body: Some(body),
        change: String::new(),
    }
}

/// Records of up to a few hundred octets.
fn small() -> Vec<Record> {
    let mut random = Random::new(17);
    let body = |len| {
        let mut body = vec![0x12, (len & 0x7f) as u8 | 0x80, (len >> 7) as u8];
        body.extend((0..len).map(|_| b'a' + (random.next() % 26) as u8));
        body
    };
    let mut lens = Random::new(18);
    (0..2_000).map(|_| 1 + lens.skewed(400)).map(body).map(record).collect()
}

/// Records that need fragments, among small ones. They do not get smaller than a datagram when they are
/// compressed: there the reference leaves the header out (`decisions` CW-1).
fn large() -> Vec<Record> {
    let mut random = Random::new(19);
    let mut records = small();
    records.truncate(200);
    for len in [40_000_usize, 65_000, 200_000] {
        let mut body = Vec::new();
        let octets: Vec<u8> = (0..len).map(|_| random.next() as u8).collect();
        nmsg::wire::put_len_field(&mut body, 2, &octets);
        records.insert(random.below(records.len()), record(body));
    }
    records
}

/// What a program sends of a file, as text: everything but random numbers and compressed octets.
fn sent(tool: &Tool, input: &str, mtu: &str, more: &[&str]) -> io::Result<String> {
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut receiver = Receiver::bind(Endpoint { address: loopback, interface: None })?;
    // Slow enough for the buffer of any machine.
    let address = format!("127.0.0.1/{},5000", receiver.local_address()?.port());
    let has_ended = AtomicBool::new(false);
    let (run, datagrams) = std::thread::scope(|scope| {
        let receiving = scope.spawn(|| -> io::Result<Vec<Vec<u8>>> {
            let mut all = Vec::new();
            loop {
                let ended = has_ended.load(Ordering::Acquire);
                let mut octets = Vec::new();
                if receiver.receive(&mut octets)? > 0 {
                    let datagrams = receiver.datagrams();
                    all.extend(datagrams.map(|datagram| octets[datagram.octets].to_vec()));
                } else if ended {
                    return Ok(all);
                } else {
                    receiver.wait(&[], Some(Instant::now() + Duration::from_millis(50)))?;
                }
            }
        });
        let words = [&["-r", input, "-s", &address, "-m", mtu], more].concat();
        let run = tool.run(&words);
        has_ended.store(true, Ordering::Release);
        let datagrams = receiving.join().unwrap_or_else(|_| Ok(Vec::new()));
        (run, datagrams)
    });
    let mut text = format!("status {:?}\n", run?.status);
    let mut fragments = Vec::new();
    for datagram in datagrams? {
        let (header, body) = Header::parse_message(&datagram).map_err(io::Error::other)?;
        if header.flags.is_fragment() {
            describe_fragment(&header, body, &mut fragments, &mut text)?;
        } else {
            describe(&header, body, &mut text)?;
        }
    }
    Ok(text)
}

/// Describes a fragment, and the container behind the last one.
fn describe_fragment(
    header: &Header,
    body: &[u8],
    slices: &mut Vec<u8>,
    text: &mut String,
) -> io::Result<()> {
    let fragment = Fragment::parse(body).map_err(io::Error::other)?;
    let Fragment { current, last, octets, crc, .. } = fragment;
    slices.extend_from_slice(octets);
    if !header.flags.is_zlib() {
        // The length of the last one depends on a random number.
        let len = if current < last { octets.len() } else { 0 };
        let _ = writeln!(text, "fragment {current} of {last}: {len} octets, crc {}", crc.is_some());
    }
    if current == last {
        let whole = Header::v2(Flags(header.flags.0 & Flags::ZLIB.0), slices.len() as u32);
        text.push_str("fragments of ");
        describe(&whole, slices, text)?;
        slices.clear();
    }
    Ok(())
}

/// Describes the containers of a file.
pub(super) fn shape(octets: &[u8]) -> io::Result<String> {
    let mut deframer = Deframer::new(&Limits::default());
    let mut rest = octets;
    let mut text = String::new();
    loop {
        match deframer.next_frame() {
            Some(Frame::Whole(container)) => {
                describe(&container.header, container.body, &mut text)?;
            }
            Some(_) => return Err(io::Error::other("damage in an output")),
            None if rest.is_empty() => return Ok(text),
            None => {
                let space = deframer.space(rest.len());
                let count = space.len().min(rest.len());
                space[..count].copy_from_slice(&rest[..count]);
                deframer.advance(count);
                rest = &rest[count..];
            }
        }
    }
}

/// Describes a container, inflated: compressed octets may be others.
fn describe(header: &Header, body: &[u8], text: &mut String) -> io::Result<()> {
    let mut inflated = Vec::new();
    let body = if header.flags.is_zlib() {
        Inflater::new()
            .inflate(body, &mut inflated, &Limits::default())
            .map_err(io::Error::other)?;
        &inflated
    } else {
        body
    };
    let mut index = ContainerBody::new();
    index.decode(body).map_err(io::Error::other)?;
    let zlib = header.flags.is_zlib();
    // The id is a random number of no fixed length.
    let len = body.len() - index.sequence_id().map_or(0, varint_len);
    let _ = write!(text, "zlib {zlib}, {len} octets, number {:?}, ", index.sequence());
    let _ = write!(text, "id {}, payloads:", index.sequence_id().is_some());
    for stored in index.payloads(body) {
        let crc = nmsg::crc::crc32c(stored.payload.body.unwrap_or_default());
        let _ = write!(text, " {crc:08x}/{}", stored.crc_matches());
    }
    text.push('\n');
    Ok(())
}
