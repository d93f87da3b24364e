//! Container boundaries and bodies against the reference (`decisions` CW-1 to CW-5).
//!
//! `boundaries.txt` holds what the reference, release 1.3.3, makes of [`soak`]: per buffer size the
//! number of records of each container, and behind a slash the number of fragments. With
//! `NMSG_REFERENCE=DIR` in the environment the same is done with the real one (`DIR/bin/nmsgtool`),
//! to the octet.

use std::fmt::Write as _;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nmsg::container::{
    ContainerBody, ContainerWriter, Deflater, Flags, Header, Inflater, Reassembler, WriterSettings,
};
use nmsg::{Error, Limits, MsgType, Payload, Timestamp, VendorId};

use crate::read_stream;

const BUFFERS: [usize; 4] = [512, 700, 1280, 8192];

/// Records of every shape: lengths around the limits, every label, odd times and ids.
fn soak() -> Vec<(Payload<'static>, Vec<u8>)> {
    let mut state = 7_u64;
    let mut random = move |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let numbers = [100, 127, 128, 16_383, 16_384, 1 << 21, 1 << 28, u32::MAX];
    let seconds = [-1, 0, 1, 1 << 28, 1_704_164_645, 1 << 35, i64::MAX];
    (0..700)
        .map(|_| {
            let len = match random(20) {
                0 => random(4000),
                1 => random(20_000),
                2 => 0,
                _ => random(200),
            };
            let noise = random(4) > 0;
            let body = (0..len).map(|_| if noise { random(256) as u8 } else { b'a' }).collect();
            let mut label = || match random(8) {
                0 => Some(0),
                1 => Some(300),
                2 => Some(u32::MAX),
                _ => None,
            };
            let (source, operator, group) = (label(), label(), label());
            let payload = Payload {
                vendor: VendorId(numbers[random(8) as usize]),
                msgtype: MsgType(numbers[random(8) as usize]),
                time: Timestamp {
                    sec: seconds[random(7) as usize],
                    nsec: [0, 5, u32::MAX][random(3) as usize],
                },
                source,
                operator,
                group,
                // Some empty bodies are not there at all.
                body: if len == 0 && random(2) == 0 { None } else { Some(b"") },
            };
            (payload, body)
        })
        .collect()
}

/// The datagrams or file this crate makes of [`soak`].
fn ours(settings: WriterSettings) -> Vec<Vec<u8>> {
    let mut writer = ContainerWriter::new(settings);
    let mut out = Vec::new();
    let mut emit = |octets: &[u8]| {
        out.push(octets.to_vec());
        Ok::<(), Error>(())
    };
    for (payload, body) in &soak() {
        let payload = Payload { body: payload.body.map(|_| &body[..]), ..*payload };
        writer.write(&payload, None, &mut emit).unwrap();
    }
    writer.flush(&mut emit).unwrap();
    out
}

/// A container, put together and inflated.
struct Whole {
    body: Vec<u8>,
    records: usize,
    /// 0 when it was not fragmented.
    fragments: usize,
}

/// Puts containers together and inflates them.
fn whole(datagrams: &[Vec<u8>]) -> Vec<Whole> {
    let (mut inflater, mut index) = (Inflater::new(), ContainerBody::new());
    let mut reassembler = Reassembler::new(&Limits::default());
    let (mut out, mut fragments) = (Vec::new(), 0);
    for datagram in datagrams {
        let (flags, body) = match Header::parse_message(datagram) {
            Ok((header, body)) => (header.flags, body.to_vec()),
            // The reference forgets the header of some compressed containers.
            Err(_) => (Flags::ZLIB, datagram.clone()),
        };
        let (zlib, packed) = if flags.is_fragment() {
            fragments += 1;
            let Some(done) = reassembler.push((), flags, &body, Duration::ZERO).unwrap() else {
                continue;
            };
            (done.is_zlib, done.body)
        } else {
            (flags.is_zlib(), body)
        };
        let mut body = packed;
        if zlib {
            let packed = std::mem::take(&mut body);
            inflater.inflate(&packed, &mut body, &Limits::default()).unwrap();
        }
        index.decode(&body).unwrap();
        out.push(Whole { body, records: index.len(), fragments });
        fragments = 0;
    }
    assert_eq!(reassembler.pending_sets(), 0);
    out
}

fn boundaries(buffer: usize, containers: &[Whole]) -> String {
    let mut line = buffer.to_string();
    for container in containers {
        write!(line, " {}", container.records).unwrap();
        if container.fragments > 0 {
            write!(line, "/{}", container.fragments).unwrap();
        }
    }
    line
}

#[test]
fn cw_2_boundaries_are_those_of_the_reference() {
    let fixture = include_str!("boundaries.txt");
    let mut lines = fixture.lines();
    for buffer in BUFFERS {
        let settings = WriterSettings { buffer, ..WriterSettings::datagram(u64::MAX, 1) };
        let plain = whole(&ours(settings.clone()));
        assert_eq!(Some(&*boundaries(buffer, &plain)), lines.next(), "{buffer}");
        let packed = whole(&ours(WriterSettings { zlib: true, ..settings }));
        let bodies = |containers: Vec<Whole>| {
            containers.into_iter().map(|container| container.body).collect::<Vec<_>>()
        };
        assert_eq!(bodies(packed), bodies(plain), "{buffer}: compression moves no boundary");
    }
    assert_eq!(lines.next(), None);
}

/// Where the reference is; `None` when it cannot be asked.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn reference_home() -> Option<PathBuf> {
    let home = std::env::var_os("NMSG_REFERENCE");
    if home.is_none() {
        eprintln!("skipped: NMSG_REFERENCE is not set");
    }
    home.map(PathBuf::from)
}

fn run_reference(home: &Path, arguments: &[&str]) {
    let status = Command::new(home.join("bin/nmsgtool"))
        .env("LD_LIBRARY_PATH", home.join("lib"))
        .args(arguments)
        .status()
        .unwrap();
    assert!(status.success(), "{arguments:?}: {status}");
}

fn temporary(name: &str) -> String {
    let name = format!("nmsg-container-{}-{name}", std::process::id());
    std::env::temp_dir().join(name).into_os_string().into_string().unwrap()
}

#[test]
fn cw_2_datagrams_equal_those_of_the_reference() {
    let Some(home) = reference_home() else { return };
    let input = temporary("soak.nmsg");
    std::fs::write(&input, ours(WriterSettings::file(1)).concat()).unwrap();
    for (buffer, zlib) in BUFFERS.iter().flat_map(|buffer| [(*buffer, false), (*buffer, true)]) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        let output = format!("127.0.0.1/{},2000", socket.local_addr().unwrap().port());
        let size = buffer.to_string();
        let receiver = std::thread::spawn(move || {
            let (mut datagrams, mut octets, mut silence) = (Vec::new(), vec![0; 1 << 16], 0);
            while silence < if datagrams.is_empty() { 20 } else { 3 } {
                match socket.recv(&mut octets) {
                    Ok(len) => datagrams.push(octets[..len].to_vec()),
                    Err(_) => silence += 1,
                }
            }
            datagrams
        });
        let mut arguments = vec!["-r", &*input, "-s", &*output, "-m", &*size];
        arguments.extend(zlib.then_some("-z"));
        run_reference(&home, &arguments);
        let theirs = whole(&receiver.join().unwrap());
        let mut index = ContainerBody::new();
        index.decode(&theirs[0].body).unwrap();
        let id = index.sequence_id().unwrap();
        let settings = WriterSettings { buffer, zlib, ..WriterSettings::datagram(id, 1) };
        let ours = whole(&ours(settings));
        assert_eq!(ours.len(), theirs.len(), "{buffer}, zlib {zlib}");
        for (position, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            assert_eq!(ours.body, theirs.body, "{buffer}, zlib {zlib}, container {position}");
        }
        if !zlib {
            let fixture = include_str!("boundaries.txt");
            let line = boundaries(buffer, &theirs);
            assert!(fixture.lines().any(|known| known == line), "the fixture lacks: {line}");
        }
    }
    std::fs::remove_file(&input).unwrap();
}

#[test]
fn files_pass_through_the_reference_unharmed() {
    let Some(home) = reference_home() else { return };
    let (input, output) = (temporary("in.nmsg"), temporary("out.nmsg"));
    for (name, settings) in [
        ("plain", WriterSettings::file(1)),
        ("compressed", WriterSettings { zlib: true, ..WriterSettings::file(1) }),
        ("small containers, fragments", WriterSettings { buffer: 700, ..WriterSettings::file(1) }),
        ("the same, compressed", {
            WriterSettings { buffer: 700, zlib: true, ..WriterSettings::file(1) }
        }),
        ("sequenced", WriterSettings { buffer: 8192, ..WriterSettings::datagram(5, 1) }),
    ] {
        let written = ours(settings).concat();
        std::fs::write(&input, &written).unwrap();
        run_reference(&home, &["-r", &input, "-w", &output]);
        let copied = std::fs::read(&output).unwrap();
        assert!(read_stream(&copied).1.is_empty(), "{name}");
        assert_eq!(read_stream(&copied).0, read_stream(&written).0, "{name}");
        assert_eq!(copied, ours(WriterSettings::file(1)).concat(), "{name}: to the octet");
        std::fs::remove_file(&output).unwrap();
    }
    std::fs::remove_file(&input).unwrap();
}

/// Text of made-up words, some more frequent than others.
fn text() -> Vec<u8> {
    let mut state = 5_u64;
    let mut out = Vec::new();
    while out.len() < 500_000 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let word = (state >> 33) as u32 % 4096;
        let mut letters = word.wrapping_mul(2_654_435_761);
        for _ in 0..1 + word % 7 {
            out.push(b'a' + (letters % 26) as u8);
            letters /= 26;
        }
        out.push(b".,- "[(state >> 60) as usize & 3]);
    }
    out.truncate(500_000);
    out
}

#[test]
fn cw_10_records_as_well() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples");
    // Octets that zlib 1.2.13 needs at level 6 for the one container of each.
    for (name, theirs) in [("dnsdedupe.nmsg", 103_277), ("dnsqr-zlib.nmsg", 106_760)] {
        let octets = std::fs::read(format!("{folder}/{name}")).unwrap();
        let flags = Header::parse(&octets).unwrap().unwrap().flags;
        let mut body = octets[Header::LEN..].to_vec();
        if flags.is_zlib() {
            Inflater::new().inflate(&octets[Header::LEN..], &mut body, &Limits::default()).unwrap();
        }
        let mut out = Vec::new();
        Deflater::new().deflate(&body, &mut out).unwrap();
        let ours = out.len() - 4;
        assert!(ours <= theirs + theirs / 100, "{name}: {ours}, zlib {theirs}");
        assert!(ours > theirs / 2, "{name}: {ours}, zlib {theirs}");
    }
}

#[test]
fn cw_10_compressed_bodies_are_at_most_one_percent_larger_than_those_of_zlib() {
    let (text, mut deflater) = (text(), Deflater::new());
    // Octets that zlib 1.2.13 needs at level 6 for all blocks of this size.
    for (block_len, theirs) in [(8192, 301_540), (65_536, 264_529), (500_000, 250_344)] {
        let mut ours = 0;
        for block in text.chunks(block_len) {
            let mut out = Vec::new();
            deflater.deflate(block, &mut out).unwrap();
            ours += out.len() - 4;
        }
        assert!(ours <= theirs + theirs / 100, "blocks of {block_len}: {ours}, zlib {theirs}");
        assert!(ours > theirs / 2, "blocks of {block_len}: {ours}, zlib {theirs}");
    }
}
