//! Files and pipes: what comes out of whole, paused, damaged and foreign streams
//! (`container-and-io` §2.2, `decisions` §2).

use nmsg::container::{Deframer, FileKind, Frame, StreamReader, swallowed_containers};
use nmsg::{Error, ErrorKind, InflateFault, Limits, wire};

use crate::{compressed, container, drain, fragmented, read_stream, version_1};

const EMPTY: &[u8] = b"NMSG\x00\x02\0\0\0\0";

/// One of every kind of container, with what they hold.
fn sample() -> (Vec<u8>, Vec<String>) {
    let stream = [
        container(&[b"one", b"two"]),
        EMPTY.to_vec(),
        compressed(&[b"three", &[b'x'; 300]]),
        version_1(&container(&[b"four"])),
        b"NMSG\x00\x01\0\0".to_vec(),
        fragmented(&container(&[b"five, in pieces"]), 5, 10).concat(),
        fragmented(&compressed(&[b"six, in pieces"]), 6, 7).concat(),
        container(&[b"seven"]),
    ]
    .concat();
    let x = "x".repeat(300);
    let bodies = ["one", "two", "three", &x, "four", "five, in pieces", "six, in pieces", "seven"];
    (stream, bodies.map(str::to_owned).to_vec())
}

fn kinds(errors: &[Error]) -> Vec<(ErrorKind, Option<u64>)> {
    errors.iter().map(|error| (error.kind(), error.offset())).collect()
}

#[test]
fn a_sound_stream_of_every_kind() {
    let (stream, bodies) = sample();
    assert_eq!(read_stream(&stream), (bodies, vec![]));
    assert_eq!(read_stream(b""), (vec![], vec![]));
}

#[test]
fn cr_1_empty_containers_are_stepped_over() {
    let stream = [EMPTY, &container(&[b"a"]), EMPTY, EMPTY, &container(&[]), &compressed(&[])];
    let mut reader = StreamReader::new(&Limits::default());
    reader.feed(&stream.concat());
    reader.end();
    let mut result = (vec![], vec![]);
    drain(&mut reader, &mut result);
    assert_eq!(result, (vec!["a".to_owned()], vec![]));
    assert_eq!(reader.deframer().empty_containers(), 4);
    for flags in 0..4 {
        let mut empty = EMPTY.to_vec();
        empty[4] = flags;
        let stream = [&empty[..], &container(&[b"a"])].concat();
        assert_eq!(read_stream(&stream), (vec!["a".to_owned()], vec![]), "flags {flags}");
    }
}

#[test]
fn cr_2_any_pause_at_any_octet() {
    let (stream, bodies) = sample();
    for pause in 0..=stream.len() {
        let mut reader = StreamReader::new(&Limits::default());
        let mut result = (vec![], vec![]);
        let (first, rest) = stream.split_at(pause);
        reader.feed(first);
        for _ in 0..3 {
            drain(&mut reader, &mut result);
        }
        reader.feed(rest);
        drain(&mut reader, &mut result);
        assert_eq!(result, (bodies.clone(), vec![]), "paused at {pause}, everything read early");
        reader.end();
        drain(&mut reader, &mut result);
        assert_eq!(result, (bodies.clone(), vec![]), "paused at {pause}");
    }
    for step in 1..40 {
        let mut reader = StreamReader::new(&Limits::default());
        let mut result = (vec![], vec![]);
        for piece in stream.chunks(step) {
            let space = reader.space(piece.len());
            space[..piece.len()].copy_from_slice(piece);
            reader.advance(piece.len());
            drain(&mut reader, &mut result);
        }
        assert_eq!(result, (bodies.clone(), vec![]), "in pieces of {step}");
    }
}

#[test]
fn containers_come_out_as_soon_as_they_are_whole() {
    let (first, second) = (container(&[b"first"]), container(&[b"second"]));
    let mut deframer = Deframer::new(&Limits::default());
    deframer.feed(&first[..first.len() - 1]);
    assert_eq!(deframer.next_frame(), None);
    deframer.feed(&first[first.len() - 1..]);
    let Some(Frame::Whole(whole)) = deframer.next_frame() else { panic!("one container") };
    assert_eq!((whole.body, whole.offset), (&first[10..], 0));
    deframer.feed(&second);
    let Some(Frame::Whole(whole)) = deframer.next_frame() else { panic!("another container") };
    assert_eq!((whole.body, whole.offset), (&second[10..], first.len() as u64));
    assert_eq!(deframer.position(), (first.len() + second.len()) as u64);
    assert!(!deframer.is_finished());
}

/// Long containers between short ones, some of them damaged.
fn long_and_damaged() -> Vec<u8> {
    let large = container(&[&[b'x'; 300_000]]);
    let with_length = |len: usize| {
        let mut container = large.clone();
        container[6..10].copy_from_slice(&(len as u32).to_be_bytes());
        container
    };
    [
        &large[..],
        EMPTY,
        &sample().0,
        &large,
        b"damage",
        &large,
        &with_length(310_000),
        &large,
        &large,
        &with_length(100_000),
        &large,
        &large[..200_000],
    ]
    .concat()
}

#[test]
fn cr_2_buffers_given_away_in_between_change_nothing() {
    let stream = long_and_damaged();
    let frames_of = |chunk: usize, gives_away: bool| {
        let mut deframer = Deframer::new(&Limits::default());
        let (mut frames, mut spare, mut given) = (Vec::new(), Vec::new(), 0);
        let mut take = |deframer: &mut Deframer| {
            while let Some(frame) = deframer.next_frame() {
                frames.push(match frame {
                    Frame::Whole(whole) => (whole.offset, whole.body.to_vec(), None),
                    Frame::CutShort(cut, error) => (cut.offset, cut.body.to_vec(), Some(error)),
                    Frame::Damage(error) => (0, Vec::new(), Some(error)),
                });
            }
        };
        for piece in stream.chunks(chunk) {
            if let Some(buffer) = spare.pop() {
                deframer.adopt(buffer);
            }
            deframer.feed(piece);
            take(&mut deframer);
            if gives_away && let Some(buffer) = deframer.release() {
                spare.push(buffer);
                given += 1;
            }
        }
        deframer.end();
        take(&mut deframer);
        (frames, given)
    };
    let (want, _) = frames_of(stream.len(), false);
    assert!(want.iter().any(|(_, _, error)| error.is_some()));
    for chunk in [7_000, 64 << 10, 150_000, 300_050] {
        let (frames, given) = frames_of(chunk, true);
        assert!(frames == want, "pieces of {chunk}");
        assert!(given > 2, "pieces of {chunk}: {given}");
    }
}

#[test]
fn cr_2_bodies_that_are_moved_out_are_those_that_are_there() {
    let stream = long_and_damaged();
    let frames_of = |chunk: usize, moves: bool| {
        let mut deframer = Deframer::new(&Limits::default());
        let (mut frames, mut octets, mut exchanged) = (Vec::new(), Vec::new(), 0);
        let mut take = |deframer: &mut Deframer| {
            while let Some(frame) = deframer.next_frame() {
                frames.push(match frame {
                    Frame::Whole(whole) if moves => {
                        let offset = whole.offset;
                        // Every other time behind something.
                        octets.truncate(if offset % 2 == 0 { 0 } else { 7 });
                        let before = octets.clone();
                        let body = deframer.move_body(&mut octets);
                        exchanged += u64::from(body.start > before.len());
                        assert!(before.is_empty() || octets.starts_with(&before));
                        assert_eq!(octets.len(), body.end);
                        (offset, octets[body].to_vec(), None)
                    }
                    Frame::Whole(whole) => (whole.offset, whole.body.to_vec(), None),
                    Frame::CutShort(cut, error) => (cut.offset, cut.body.to_vec(), Some(error)),
                    Frame::Damage(error) => (0, Vec::new(), Some(error)),
                });
            }
        };
        for piece in stream.chunks(chunk) {
            deframer.append_with(piece.len(), |buffer| buffer.extend_from_slice(piece));
            take(&mut deframer);
        }
        deframer.end();
        take(&mut deframer);
        (frames, exchanged)
    };
    let (want, _) = frames_of(stream.len(), false);
    assert!(want.iter().any(|(_, _, error)| error.is_some()));
    for chunk in [1_000, 7_000, 64 << 10, 300_050] {
        let (frames, exchanged) = frames_of(chunk, true);
        assert!(frames == want, "pieces of {chunk}");
        assert!(exchanged > 0, "pieces of {chunk}: {exchanged}");
    }
    let mut deframer = Deframer::new(&Limits::default());
    assert_eq!(deframer.move_body(&mut vec![1, 2]), 2..2, "nothing was found");
}

#[test]
fn an_appender_that_takes_away_what_was_read_damages_it_and_nothing_else() {
    let whole = container(&[b"whole"]);
    let mut deframer = Deframer::new(&Limits::default());
    deframer.feed(&whole);
    assert!(deframer.next_frame().is_some());
    deframer.feed(&whole[..12]);
    deframer.append_with(5, Vec::clear);
    deframer.feed(&whole[12..]);
    assert!(matches!(deframer.next_frame(), Some(Frame::Damage(_))));
}

#[test]
fn what_is_missing_of_a_container_is_known_from_its_header_on() {
    let stream = [container(&[b"first"]), container(&[&[b'x'; 1000]])].concat();
    let mut deframer = Deframer::new(&Limits::default());
    deframer.feed(&stream[..9]);
    assert_eq!((deframer.missing(), deframer.next_frame()), (0, None));
    deframer.feed(&stream[9..10]);
    let first = container(&[b"first"]).len();
    assert_eq!(deframer.missing(), first as u64 - 10);
    deframer.feed(&stream[10..first + 500]);
    assert!(matches!(deframer.next_frame(), Some(Frame::Whole(_))));
    assert_eq!(deframer.missing(), (stream.len() - first - 500) as u64);
    deframer.feed(&stream[first + 500..]);
    assert_eq!(deframer.missing(), 0);
}

#[test]
fn cr_3_lengths_beyond_the_cap_are_errors_and_allocate_nothing() {
    let huge = b"NMSG\x00\x02\xff\xff\xff\xff".to_vec();
    let good = container(&[b"good"]);
    let (bodies, errors) = read_stream(&[&good[..], &huge, &good].concat());
    assert_eq!(bodies, ["good", "good"]);
    let too_large = ErrorKind::TooLarge { declared: u32::MAX.into(), limit: 16 << 20 };
    assert_eq!(kinds(&errors), [(too_large, Some(good.len() as u64))]);

    let limits = Limits::default().with_container_body(good.len() as u32 - 11);
    let mut reader = StreamReader::new(&limits);
    reader.feed(&good);
    let error = reader.next_container().unwrap().unwrap_err();
    assert!(error.is_too_large(), "the cap can be changed");

    let mut deframer = Deframer::new(&Limits::default());
    deframer.feed(b"NMSG\x00\x02\x00\xff\xff\xff");
    assert_eq!(deframer.next_frame(), None);
    assert!(deframer.space(1).len() < 100_000, "memory follows what was read");
}

#[test]
fn cr_4_one_damaged_container_among_good_ones() {
    let (a, b, c) = (container(&[b"a"]), container(&[b"b", b"bb"]), container(&[b"c"]));
    let z = compressed(&[b"z", &[b'z'; 200]]);
    let f = fragmented(&container(&[b"f"]), 7, 1000).concat();
    let at = Some(a.len() as u64);
    let edit = |octets: &[u8], at: usize, value: u8| {
        let mut octets = octets.to_vec();
        octets[at] = value;
        octets
    };
    let with_length = |octets: &[u8], change: i64| {
        let mut octets = octets.to_vec();
        let length = (octets.len() as i64 - 10 + change) as u32;
        octets[6..10].copy_from_slice(&length.to_be_bytes());
        octets
    };
    let bad_magic = |magic: &[u8; 4]| vec![(ErrorKind::BadMagic(*magic), at)];
    let protobuf = |error| vec![(ErrorKind::Protobuf(error), at)];
    for (name, damaged, want) in [
        ("magic, first octet", edit(&b, 0, b'X'), bad_magic(b"XMSG")),
        ("magic, last octet", edit(&b, 3, b'X'), bad_magic(b"NMSX")),
        ("version 3", edit(&b, 5, 3), vec![(ErrorKind::BadVersion([0, 3]), at)]),
        ("version 1 with flags", edit(&edit(&b, 5, 1), 4, 1), {
            vec![(ErrorKind::BadVersion([1, 1]), at)]
        }),
        ("garbage before it", b"garbage".to_vec(), bad_magic(b"garb")),
        ("one octet too many", b"\0".to_vec(), bad_magic(b"\0NMS")),
        ("half a magic", b"NM".to_vec(), bad_magic(b"NMNM")),
        ("a magic alone", b"NMSG".to_vec(), vec![(ErrorKind::BadVersion([b'N', b'M']), at)]),
        ("a cut header", b"NMSG\x00\x02\0".to_vec(), {
            vec![(ErrorKind::TooLarge { declared: 0x004e_4d53, limit: 1 << 20 }, at)]
        }),
        ("body", edit(&b, 10, 0x0b), protobuf(wire::Error::BadTag)),
        ("a record's field", edit(&b, 12, 0x0a), protobuf(wire::Error::WrongWireType)),
        ("compressed flag without reason", edit(&b, 4, 1), {
            vec![(ErrorKind::TooLarge { declared: 0x0a12_0801, limit: 1 << 20 }, at)]
        }),
        ("fragment flag without reason", edit(&b, 4, 2), protobuf(wire::Error::WrongWireType)),
        ("compressed flag missing", edit(&z, 4, 0), protobuf(wire::Error::BadTag)),
        ("compressed body", edit(&z, z.len() - 1, !z[z.len() - 1]), {
            vec![(ErrorKind::Inflate(InflateFault::Corrupt), at)]
        }),
        ("inflated size too small", edit(&z, 13, 1), {
            vec![(ErrorKind::Inflate(InflateFault::TooLong), at)]
        }),
        ("inflated size too large", edit(&z, 12, 2), {
            vec![(ErrorKind::Inflate(InflateFault::TooShort), at)]
        }),
        ("fragment without id", edit(&f, 10, 0x30), protobuf(wire::Error::MissingField)),
        ("cut in front of the next", b[..b.len() - 5].to_vec(), {
            vec![
                (ErrorKind::Protobuf(wire::Error::BadTag), at),
                (ErrorKind::BadMagic(*b"\0\0\x00\x1c"), Some((a.len() + b.len()) as u64)),
            ]
        }),
        (
            "length too small",
            with_length(&b, -5),
            vec![(ErrorKind::BadMagic([0; 4]), Some((a.len() + b.len() - 5) as u64))],
        ),
        (
            "length too large by one",
            with_length(&b, 1),
            vec![
                (ErrorKind::Protobuf(wire::Error::BadTag), at),
                (ErrorKind::BadMagic(*b"MSG\0"), Some((a.len() + b.len() + 1) as u64)),
            ],
        ),
        ("length swallows the next", with_length(&b, c.len() as i64), {
            protobuf(wire::Error::BadTag)
        }),
        (
            "length swallows the rest and more",
            with_length(&b, 500),
            vec![(ErrorKind::Truncated { missing: 500 - 2 * c.len() as u64 }, at)],
        ),
        (
            "compressed, length swallows the rest and more",
            with_length(&z, 500),
            vec![(ErrorKind::Truncated { missing: 500 - 2 * c.len() as u64 }, at)],
        ),
    ] {
        let stream = [&a[..], &damaged, &c, &c].concat();
        let limits = Limits::default().with_container_body(1 << 20);
        let mut reader = StreamReader::new(&limits);
        reader.feed(&stream);
        reader.end();
        let (mut bodies, mut errors) = (vec![], vec![]);
        let mut result = (std::mem::take(&mut bodies), std::mem::take(&mut errors));
        drain(&mut reader, &mut result);
        (bodies, errors) = result;
        bodies.retain(|body| !body.starts_with('b'));
        assert_eq!(bodies, ["a", "c", "c"], "{name}: {errors:?}");
        let got = kinds(&errors);
        if name == "cut in front of the next" || name == "length too small" {
            // What stands where the next header should is not worth spelling out.
            let places = |list: &[(ErrorKind, Option<u64>)]| {
                list.iter().map(|(_, at)| *at).collect::<Vec<_>>()
            };
            assert_eq!(places(&got).last(), places(&want).last(), "{name}: {errors:?}");
            assert!(got.iter().all(|(_, at)| at.is_some()), "{name}");
        } else {
            assert_eq!(got, want, "{name}");
        }
    }
}

#[test]
fn cr_4_a_false_magic_in_a_damaged_body_hides_nothing() {
    let good = container(&[b"good"]);
    let false_headers: [&[u8]; 5] = [
        b"NMSG\x00\x02\0\0\0\x05false",
        b"NMSG\x00\x02\0\0\xff\xff",
        b"NMSG\x01\x02\0\xff\xff\xff",
        b"NMSG\x02\x02\0\0\0\x10",
        b"NMSG\x00\x01\xff\xff",
    ];
    for (position, false_header) in false_headers.iter().enumerate() {
        let damaged = [b"XMSG\x00\x02\0\0\0\x20....", *false_header, b"........"].concat();
        let stream = [&good[..], &damaged, &good, &good].concat();
        let (bodies, errors) = read_stream(&stream);
        assert_eq!(bodies, ["good"; 3], "false header {position}");
        let bad_magic = ErrorKind::BadMagic(*b"XMSG");
        assert_eq!(kinds(&errors), [(bad_magic, Some(good.len() as u64))], "{position}");
    }
    // The same inside a body whose own length is wrong.
    for (position, false_header) in false_headers.iter().enumerate() {
        let mut damaged = container(&[&[b"....", *false_header, b"......"].concat()]);
        damaged[9] += 7;
        let stream = [&good[..], &damaged, &good, &good].concat();
        let (bodies, errors) = read_stream(&stream);
        assert_eq!(bodies, ["good"; 3], "false header {position}, length: {errors:?}");
    }
}

#[test]
fn cr_4_containers_inside_a_sound_record_are_not_delivered() {
    let inner = container(&[b"inner"]);
    let outer = container(&[&inner, b"second"]);
    let (bodies, errors) = read_stream(&[&outer[..], b"garbage", &container(&[b"third"])].concat());
    assert_eq!(bodies[1..], ["second", "third"]);
    assert_eq!(errors.len(), 1);

    let mut damaged = outer;
    *damaged.last_mut().unwrap() |= 0x80;
    let (bodies, errors) = read_stream(&[&damaged[..], &container(&[b"third"])].concat());
    assert_eq!(bodies, ["third"], "what does not reach to the end of a body is content");
    assert_eq!(kinds(&errors), [(ErrorKind::Protobuf(wire::Error::Truncated), Some(0))]);
}

#[test]
fn cr_4_skipped_octets_are_counted() {
    let good = container(&[b"good"]);
    let mut deframer = Deframer::new(&Limits::default());
    deframer.feed(&[&good[..], &[b'x'; 1000], &good].concat());
    assert!(matches!(deframer.next_frame(), Some(Frame::Whole(_))));
    assert!(matches!(deframer.next_frame(), Some(Frame::Damage(_))));
    assert!(matches!(deframer.next_frame(), Some(Frame::Whole(_))));
    assert_eq!(deframer.skipped_octets(), 999, "behind the octet that was reported");
}

#[test]
fn swallowed_containers_are_those_at_the_end() {
    let (a, b) = (container(&[b"a"]), compressed(&[b"b"]));
    let limits = Limits::default();
    let offsets = |body: &[u8]| {
        swallowed_containers(body, &limits).map(|container| container.offset).collect::<Vec<_>>()
    };
    let (first, second) = (5, 5 + a.len() as u64);
    assert_eq!(offsets(&[b"12345", &a[..], &b].concat()), [first, second]);
    assert_eq!(offsets(&[b"12345", &a[..], &b, b"x"].concat()), [0; 0]);
    assert_eq!(offsets(&[b"12345", &a[..], b"x", &b].concat()), [second + 1]);
    assert_eq!(offsets(&[b"NMSGN", &a[..], b"NMSG"].concat()), [0; 0]);
    assert_eq!(offsets(b""), [0; 0]);
    let body = [b"12345", &a[..], &version_1(&a)].concat();
    let found: Vec<_> = swallowed_containers(&body, &limits).collect();
    assert_eq!((found[0].body, found[1].body), (&a[10..], &a[10..]));
}

#[test]
fn cr_5_a_truncated_tail_delivers_its_whole_records() {
    let (first, last) = (container(&[b"first"]), container(&[b"one", b"two"]));
    let stream = [&first[..], &last].concat();
    let record_len = container(&[b"one"]).len() - 10 - 6;
    for cut in first.len() + 1..stream.len() {
        let (bodies, errors) = read_stream(&stream[..cut]);
        let records = (cut - first.len()).saturating_sub(10) / record_len;
        assert_eq!(bodies, ["first", "one", "two"][..1 + records.min(2)], "cut at {cut}");
        let missing = match cut - first.len() {
            header @ ..10 => 10 - header,
            _ => stream.len() - cut,
        } as u64;
        let want = (ErrorKind::Truncated { missing }, Some(first.len() as u64));
        assert_eq!(kinds(&errors), [want], "cut at {cut}");
        assert!(errors[0].is_truncated());
    }
    let text = read_stream(&stream[..stream.len() - 12]).1[0].to_string();
    assert_eq!(text, format!("container ends 12 bytes early (at byte {})", first.len()));
}

#[test]
fn cr_5_truncated_compressed_and_fragmented_tails_are_reported() {
    let first = container(&[b"first"]);
    let pieces = fragmented(&container(&[&[b'p'; 50]]), 3, 40);
    let old = version_1(&container(&[b"old"]));
    for (name, last) in [("compressed", compressed(&[b"z"])), ("fragment", pieces[0].clone())] {
        for cut in 1..last.len() {
            let (bodies, errors) = read_stream(&[&first[..], &last[..cut]].concat());
            assert_eq!(bodies, ["first"], "{name} cut at {cut}");
            assert_eq!(errors.len(), 1, "{name} cut at {cut}: {errors:?}");
            assert!(errors[0].is_truncated() && errors[0].offset() == Some(first.len() as u64));
        }
    }
    let old_record = 8 + 2 + usize::from(old[9]);
    for cut in 1..old.len() {
        let (bodies, errors) = read_stream(&[&first[..], &old[..cut]].concat());
        assert_eq!(bodies.len(), 1 + usize::from(cut >= old_record), "version 1 cut at {cut}");
        assert!(errors.len() == 1 && errors[0].is_truncated(), "version 1 cut at {cut}");
    }
    let mut reader = StreamReader::new(&Limits::default());
    reader.feed(&pieces[0]);
    reader.end();
    assert!(reader.next_container().is_none());
    assert_eq!(reader.pending_sets(), 1, "the rest of the fragments is missing");
}

#[test]
fn cr_6_a_wrong_checksum_costs_one_record() {
    let mut stream = container(&[b"one", b"two", b"three"]);
    let at = stream.windows(3).position(|window| window == b"two").unwrap();
    stream[at] ^= 1;
    let mut reader = StreamReader::new(&Limits::default());
    reader.feed(&stream);
    let found = reader.next_container().unwrap().unwrap();
    let matches: Vec<bool> = found.payloads().map(|record| record.crc_matches()).collect();
    assert_eq!(matches, [true, false, true]);
}

#[test]
fn cr_7_version_1_is_read_without_flags_from_streams_alone() {
    let old = version_1(&container(&[b"old"]));
    let stream = [&compressed(&[b"new"])[..], &old, &compressed(&[b"new"])].concat();
    let (bodies, errors) = read_stream(&stream);
    assert_eq!((bodies, errors), (["new", "old", "new"].map(str::to_owned).to_vec(), vec![]));
    let mut decoder = nmsg::container::Decoder::new(&Limits::default());
    let error = decoder.decode_message(&old, (), std::time::Duration::ZERO).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadVersion([0, 1]));
}

#[test]
fn cr_15_other_files_are_named_and_not_searched_when_certain() {
    let good = container(&[b"good"]);
    for (name, start, kind, found) in [
        ("gzip", &b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], FileKind::Gzip, 0),
        ("zstd", b"\x28\xb5\x2f\xfd\x04\x00", FileKind::Zstd, 0),
        ("JSON", &[b"{\"time\":", &[b' '; 80][..]].concat(), FileKind::Json, 1),
        ("text", &b"0123456789".repeat(8), FileKind::Text, 1),
        ("binary", b"\x00\x01\x02\x03\x04", FileKind::Other([0, 1, 2, 3]), 1),
    ] {
        let (bodies, errors) = read_stream(&[start, &good].concat());
        assert_eq!(kinds(&errors), [(ErrorKind::NotNmsg(kind), Some(0))], "{name}");
        assert_eq!(bodies.len(), found, "{name}");
        let (bodies, errors) = read_stream(start);
        assert_eq!(kinds(&errors), [(ErrorKind::NotNmsg(kind), Some(0))], "{name} alone");
        assert!(bodies.is_empty(), "{name} alone");
    }
    let mut damaged = container(&[b"first"]);
    damaged[2] = b'Z';
    let (bodies, errors) = read_stream(&[damaged, good].concat());
    assert_eq!(bodies, ["good"]);
    assert_eq!(kinds(&errors), [(ErrorKind::BadMagic(*b"NMZG"), Some(0))]);
}

#[test]
fn cz_2_a_bad_compressed_container_spoils_no_other() {
    let good = compressed(&[b"good"]);
    let mut bad = good.clone();
    let middle = bad.len() - 6;
    bad[middle] ^= 0xff;
    let stream = [&good[..], &bad, &good, &bad, &good].concat();
    let (bodies, errors) = read_stream(&stream);
    assert_eq!(bodies, ["good"; 3]);
    assert_eq!(errors.len(), 2);
}

#[test]
fn cr_14_bodies_that_were_written_without_their_header_are_damage() {
    let (a, b) = (container(&[b"a"]), container(&[b"b"]));
    let headerless = &compressed(&[&[b'z'; 3000]])[nmsg::container::Header::LEN..];
    let (bodies, errors) = read_stream(&[&a, headerless, &b].concat());
    assert_eq!(bodies, ["a", "b"]);
    let magic = headerless[..4].try_into().unwrap();
    let found: Vec<_> = errors.iter().map(|error| (error.kind(), error.offset())).collect();
    assert_eq!(found, [(ErrorKind::BadMagic(magic), Some(a.len() as u64))]);
}
