//! Damaged and malicious input: everything is survived, in linear time and within the limits.

use std::time::{Duration, Instant};

use nmsg::container::{Decoder, Deframer, Frame, StreamReader, fuzzing};
use nmsg::{ErrorKind, InflateFault, Limits};

use crate::{compressed, container, drain, fragmented, read_stream, version_1};

/// A stream with a bit of everything.
fn sample() -> Vec<u8> {
    [
        container(&[b"one", &[b'y'; 200]]),
        compressed(&[b"three", &[b'x'; 300]]),
        version_1(&container(&[b"four"])),
        fragmented(&compressed(&[b"six, in pieces"]), 6, 20).concat(),
        b"NMSG\x00\x02\0\0\0\0".to_vec(),
        container(&[b"seven"]),
    ]
    .concat()
}

#[test]
fn every_truncation_is_survived() {
    let stream = sample();
    for cut in 0..stream.len() {
        fuzzing::check_stream(&stream[..cut]);
        fuzzing::check_stream(&stream[cut..]);
        let (_, errors) = read_stream(&stream[..cut]);
        assert!(errors.len() <= 1 && errors.iter().all(nmsg::Error::is_truncated), "cut at {cut}");
    }
}

#[test]
fn every_flipped_bit_costs_one_container_at_most() {
    let good = container(&[b"good"]);
    let stream = [&good[..], &sample(), &good, &good].concat();
    let (all, _) = read_stream(&stream);
    for bit in 0..stream.len() * 8 {
        let mut damaged = stream.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        fuzzing::check_stream(&damaged);
        let (bodies, _) = read_stream(&damaged);
        // A flipped flag can turn a container into a fragment, and a flipped length can hide the
        // container behind it in a record; the two last ones are far enough.
        assert!(bodies.len() + 4 >= all.len(), "bit {bit}: {bodies:?}");
        if bit / 8 < stream.len() - 3 * good.len() {
            assert_eq!(bodies[bodies.len() - 2..], ["good", "good"], "bit {bit}");
        }
    }
}

/// Numbers below what is asked for, the same every time.
fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below.max(1)
    }
}

#[test]
fn a_hundred_thousand_mutations() {
    let mut seeds = vec![
        sample(),
        container(&[b"one", b"two"]),
        compressed(&[b"three"]),
        version_1(&container(&[b"four"])),
        b"\x1f\x8b\x08\0".to_vec(),
    ];
    seeds.extend(fragmented(&container(&[b"five"]), 5, 10));
    let mut random = numbers(0x2545_f491_4f6c_dd1d);
    let interesting = [0, 1, 2, 0x0a, 0x10, 0x18, 0x25, 0x2a, 0x7f, 0x80, 0xff, b'N'];
    for round in 0..100_000 {
        let mut octets = seeds[random(seeds.len())].clone();
        for _ in 0..1 + random(6) {
            let at = random(octets.len());
            match random(7) {
                0 => octets[at] ^= 1 << random(8),
                1 => octets[at] = interesting[random(interesting.len())],
                2 => octets.truncate(at),
                3 => drop(octets.splice(at..at, *b"NMSG\x00\x02\0\0\0")),
                4 => {
                    let end = (at + random(40)).min(octets.len());
                    drop(octets.drain(at..end));
                }
                5 => {
                    let other = &seeds[random(seeds.len())];
                    let from = random(other.len());
                    drop(octets.splice(at..at, other[from..].iter().copied()));
                }
                _ => octets[at] = random(256) as u8,
            }
            if octets.is_empty() {
                octets.push(0);
            }
        }
        fuzzing::check_container(&octets);
        if round % 4 == 0 {
            fuzzing::check_stream(&octets);
        }
    }
}

#[test]
fn what_is_compressed_comes_back() {
    let mut random = numbers(0x9e37_79b9_7f4a_7c15);
    for round in 0..120 {
        let mut octets = Vec::new();
        // From single records to what reaches over the window and several blocks.
        let most = [200, 40_000, 150_000, 400_000][round % 4];
        while octets.len() < most {
            match random(6) {
                0 => octets.extend((0..random(40)).map(|_| random(256) as u8)),
                1 => octets.extend(std::iter::repeat_n(random(256) as u8, random(700))),
                2 => octets.extend_from_slice(b"\x08\x00\x10\x84\x01\x18\x02"),
                _ => {
                    let back = 1 + random(octets.len().min(70_000));
                    let start = octets.len().saturating_sub(back);
                    let end = octets.len().min(start + 3 + random(30));
                    octets.extend_from_within(start..end);
                }
            }
        }
        fuzzing::check_compression(&octets);
    }
}

/// Reads a stream and gives how long it took.
fn time(stream: &[u8]) -> Duration {
    let start = Instant::now();
    let mut reader = StreamReader::new(&Limits::default());
    let mut result = (vec![], vec![]);
    for piece in stream.chunks(1 << 16) {
        reader.feed(piece);
        drain(&mut reader, &mut result);
    }
    reader.end();
    drain(&mut reader, &mut result);
    start.elapsed()
}

#[test]
fn reading_stays_linear_whatever_the_stream() {
    let header = |length: u32| [b"NMSG\x00\x02", &length.to_be_bytes()[..]].concat();
    let fill = |octets: &[u8]| octets.iter().copied().cycle().take(4 << 20).collect::<Vec<u8>>();
    let nested = |flags: u8| {
        let mut out = Vec::new();
        while out.len() < 4 << 20 {
            let mut octets = header(((4 << 20) - out.len()) as u32);
            octets[4] = flags;
            out.extend(octets);
        }
        out
    };
    let swallowing = [&header(16 << 20)[..], b"\x0a\x02\x08"].concat();
    for (name, stream) in [
        ("noise", fill(b"NNMNMSNMSNM")),
        ("magics", fill(b"NMSG")),
        ("empty containers", fill(&header(0))),
        ("empty containers of version 1", fill(b"NMSG\x00\x01\0\0")),
        ("headers, each reaching to the end", nested(0)),
        ("the same, compressed", nested(1)),
        ("the same, fragments", nested(2)),
        ("headers of one megabyte", fill(&header(1 << 20))),
        ("headers of the largest length", fill(&header(16 << 20))),
        ("headers beyond the cap", fill(&header((16 << 20) + 1))),
        ("records cut by the end", fill(&swallowing)),
        ("small damaged containers", fill(&[&header(3)[..], b"\x0b\x0b\x0b"].concat())),
        ("good and bad by turns", fill(&[&container(&[b"good"])[..], b"bad"].concat())),
        (
            "tiny records",
            [&header(4 << 20)[..], &fill(b"\x0a\x0b\x08\0\x10\0\x18\0\x25\0\0\0\0")].concat(),
        ),
        ("empty records", [&header(4 << 20)[..], &fill(b"\x0a\0")].concat()),
        ("checksums alone", [&header(4 << 20)[..], &fill(b"\x10\0")].concat()),
    ] {
        let taken = time(&stream);
        assert!(taken < Duration::from_secs(10), "{name}: {taken:?}");
    }
}

#[test]
fn inflate_bombs_stay_within_the_limits() {
    let zeros = vec![0; 15 << 20];
    let bomb = compressed(&[&zeros]);
    assert!(bomb.len() < 20_000);
    let read = |limits: &Limits, octets: &[u8]| {
        let mut decoder = Decoder::new(limits);
        match decoder.decode_message(octets, (), Duration::ZERO) {
            Ok(container) => Ok(container.map_or(0, |container| container.len())),
            Err(error) => Err(error.kind()),
        }
    };
    assert_eq!(read(&Limits::default(), &bomb), Ok(1));
    let limits = Limits::default().with_container_body(1 << 20);
    assert!(matches!(read(&limits, &bomb), Err(ErrorKind::TooLarge { .. })));
    let mut lying = bomb.clone();
    lying[10..14].copy_from_slice(&100_u32.to_be_bytes());
    let too_long = ErrorKind::Inflate(InflateFault::TooLong);
    assert_eq!(read(&Limits::default(), &lying), Err(too_long));
}

#[test]
fn a_long_stream_needs_little_memory() {
    let one = container(&[&[b'x'; 5000]]);
    let mut deframer = Deframer::new(&Limits::default());
    let (mut found, mut largest) = (0, 0);
    for _ in 0..2000 {
        for piece in one.chunks(700) {
            deframer.feed(piece);
            while let Some(Frame::Whole(_)) = deframer.next_frame() {
                found += 1;
            }
            largest = largest.max(deframer.space(1).len());
        }
    }
    assert_eq!(found, 2000);
    assert!(largest <= 128 << 10, "{largest} octets");
}

#[test]
fn messages_are_decoded_or_refused_one_by_one() {
    let mut decoder = Decoder::new(&Limits::default());
    let good = compressed(&[b"good"]);
    for (name, message, want) in [
        ("nothing", &b""[..], Ok(None)),
        ("short", b"NMSG", Err(ErrorKind::Truncated { missing: 6 })),
        ("text", b"hello, world", Err(ErrorKind::BadMagic(*b"hell"))),
        ("version 1", b"NMSG\x00\x01\0\x02\x18\0\0\0", Err(ErrorKind::BadVersion([0, 1]))),
        ("longer than declared", b"NMSG\x00\x02\0\0\0\x02\x18\x00x", {
            Err(ErrorKind::LengthMismatch { declared: 2, found: 3 })
        }),
        ("empty container", b"NMSG\x00\x02\0\0\0\0", Ok(Some(0))),
        ("empty fragment", b"NMSG\x02\x02\0\0\0\0", Ok(Some(0))),
        ("bad stream", b"NMSG\x01\x02\0\0\0\x06\0\0\0\x01xx", {
            Err(ErrorKind::Inflate(InflateFault::Corrupt))
        }),
        ("bad body", b"NMSG\x00\x02\0\0\0\x01\x0b", {
            Err(ErrorKind::Protobuf(nmsg::wire::Error::BadTag))
        }),
        ("bad fragment", b"NMSG\x02\x02\0\0\0\x02\x08\x01", {
            Err(ErrorKind::Protobuf(nmsg::wire::Error::MissingField))
        }),
    ] {
        let got = decoder.decode_message(message, (), Duration::ZERO);
        let got = got.map(|found| found.map(|found| found.len())).map_err(|error| error.kind());
        assert_eq!(got, want, "{name}");
        let found = decoder.decode_message(&good, (), Duration::ZERO).unwrap().unwrap();
        assert_eq!(found.len(), 1, "the next message after: {name}");
    }
}
