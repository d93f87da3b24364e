use super::*;
use crate::{Frame, LinkType};
use nmsg::Timestamp;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::io::Read;

const MICRO: u32 = 0xa1b2_c3d4;
const NANO: u32 = 0xa1b2_3c4d;
const MODIFIED: u32 = 0xa1b2_cd34;

/// Octets in one order.
struct Pack {
    big: bool,
    octets: Vec<u8>,
}

impl Pack {
    fn new(big: bool) -> Self {
        Self { big, octets: Vec::new() }
    }

    fn u16(mut self, value: u16) -> Self {
        self.octets.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    fn u32(mut self, value: u32) -> Self {
        self.octets.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    fn octets(mut self, octets: &[u8]) -> Self {
        self.octets.extend(octets);
        self
    }
}

fn pcap_header(big: bool, magic: u32, version: (u16, u16), snaplen: u32, link: u32) -> Vec<u8> {
    let pack = Pack::new(big).u32(magic).u16(version.0).u16(version.1);
    pack.u32(0).u32(0).u32(snaplen).u32(link).octets
}

fn pcap_record(big: bool, words: [u32; 4], octets: &[u8]) -> Vec<u8> {
    let pack = words.into_iter().fold(Pack::new(big), Pack::u32);
    pack.octets(octets).octets
}

fn block(big: bool, kind: u32, body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), 0);
    let len = 12 + body.len() as u32;
    Pack::new(big).u32(kind).u32(len).octets(&body).u32(len).octets
}

fn section(big: bool) -> Vec<u8> {
    let body = Pack::new(big).u32(0x1a2b_3c4d).u16(1).u16(0).u32(u32::MAX).u32(u32::MAX).octets;
    block(big, 0x0a0d_0d0a, &body)
}

fn interface(big: bool, link: u16, snaplen: u32, options: &[u8]) -> Vec<u8> {
    block(big, 1, &Pack::new(big).u16(link).u16(0).u32(snaplen).octets(options).octets)
}

fn option(big: bool, code: u16, value: &[u8]) -> Vec<u8> {
    let mut pack = Pack::new(big).u16(code).u16(value.len() as u16).octets(value);
    pack.octets.resize(pack.octets.len().next_multiple_of(4), 0);
    pack.octets
}

fn enhanced(big: bool, interface: u32, ticks: u64, original: u32, octets: &[u8]) -> Vec<u8> {
    let pack = Pack::new(big).u32(interface).u32((ticks >> 32) as u32).u32(ticks as u32);
    block(big, 6, &pack.u32(octets.len() as u32).u32(original).octets(octets).octets)
}

#[derive(Clone, Debug, PartialEq)]
struct Owned {
    time: (i64, u32),
    link: u16,
    original_len: u32,
    octets: Vec<u8>,
}

impl From<Frame<'_>> for Owned {
    fn from(frame: Frame<'_>) -> Self {
        Self {
            time: (frame.time.sec, frame.time.nsec),
            link: frame.link.0,
            original_len: frame.original_len,
            octets: frame.octets.to_vec(),
        }
    }
}

fn owned(time: (i64, u32), link: u16, octets: &[u8]) -> Owned {
    Owned { time, link, original_len: octets.len() as u32, octets: octets.to_vec() }
}

fn read_all<R: Read>(mut reader: Reader<R>) -> (Vec<Owned>, Option<Error>) {
    let mut frames = Vec::new();
    loop {
        match reader.next_frame() {
            Ok(Next::Item(frame)) => frames.push(frame.into()),
            Ok(Next::Pending) => {}
            Ok(Next::End) => return (frames, None),
            Err(error) => {
                assert!(matches!(reader.next_frame(), Ok(Next::End)), "ended stays ended");
                return (frames, Some(error));
            }
        }
    }
}

#[test]
fn pcap_in_all_layouts() {
    for big in [false, true] {
        for (name, magic, version, record, want) in [
            ("microseconds", MICRO, (2, 4), [7, 5, 3, 3], (7, 5000)),
            ("cp_7: nanoseconds", NANO, (2, 4), [7, 5, 3, 3], (7, 5)),
            ("version 2.2", MICRO, (2, 2), [7, 5, 3, 3], (7, 5000)),
            ("beyond 2038", MICRO, (2, 4), [0x9000_0000, 0, 3, 3], (0x9000_0000, 0)),
            (
                "over a million microseconds",
                MICRO,
                (2, 4),
                [7, 2_000_000, 3, 3],
                (7, 2_000_000_000),
            ),
        ] {
            let mut file = pcap_header(big, magic, version, 65535, 1);
            file.extend(pcap_record(big, record, b"abc"));
            let (frames, error) = read_all(Reader::new(file.as_slice()));
            assert!(error.is_none(), "{name}: {error:?}");
            assert_eq!(frames, [owned(want, 1, b"abc")], "{name}");
        }
        let mut file = pcap_header(big, MODIFIED, (2, 4), 65535, 101);
        file.extend(pcap_record(big, [7, 5, 3, 3], &[9; 8]));
        file.extend(b"abc");
        assert_eq!(read_all(Reader::new(file.as_slice())).0, [owned((7, 5000), 101, b"abc")]);
    }
}

#[test]
fn old_versions_swap_lengths() {
    for (name, minor, lengths, want) in [
        ("2.2 always", 2, [9, 3], 9),
        ("2.3 when odd", 3, [9, 3], 9),
        ("2.3 when plausible", 3, [3, 9], 9),
        ("2.4 never", 4, [3, 9], 9),
    ] {
        let mut file = pcap_header(false, MICRO, (2, minor), 65535, 1);
        file.extend(pcap_record(false, [0, 0, lengths[0], lengths[1]], b"abc"));
        let (frames, error) = read_all(Reader::new(file.as_slice()));
        assert!(error.is_none(), "{name}");
        assert_eq!((frames[0].original_len, &frames[0].octets[..]), (want, &b"abc"[..]), "{name}");
    }
}

#[test]
fn snapshot_length_of_the_file_cuts_frames() {
    for (name, snaplen, want) in [("cut", 2, 2), ("zero is none", 0, 3), ("enough", 3, 3)] {
        let mut file = pcap_header(false, MICRO, (2, 4), snaplen, 1);
        file.extend(pcap_record(false, [0, 0, 3, 3], b"abc"));
        let (frames, _) = read_all(Reader::new(file.as_slice()));
        assert_eq!((frames[0].octets.len(), frames[0].original_len), (want, 3), "{name}");
    }
}

#[test]
fn link_type_is_known_before_the_first_frame() {
    let fcs = pcap_header(false, MICRO, (2, 4), 65535, 0x1400_0071);
    assert_eq!(Reader::new(fcs.as_slice()).first_link().unwrap(), Next::Item(LinkType::LINUX_SLL));
    let ng = [section(true), interface(true, 276, 0, &[]), interface(true, 1, 0, &[])].concat();
    let mut reader = Reader::new(ng.as_slice());
    for _ in 0..2 {
        assert_eq!(reader.first_link().unwrap(), Next::Item(LinkType::LINUX_SLL2));
    }
    assert_eq!(reader.next_frame().unwrap(), Next::End);
    let mut empty = Reader::new(&ng[..28]);
    assert_eq!(empty.first_link().unwrap(), Next::End);
}

#[test]
fn pcapng_blocks() {
    for big in [false, true] {
        let nanoseconds = option(big, 9, &[9]);
        let binary =
            [option(big, 2, b"eth0"), option(big, 9, &[0x8a]), option(big, 0, &[])].concat();
        let offset = if big { 1000_i64.to_be_bytes() } else { 1000_i64.to_le_bytes() };
        let shifted = option(big, 14, &offset);
        let obsolete = Pack::new(big).u16(1).u16(0).u32(0).u32(7).u32(3).u32(3).octets(b"old");
        let file = [
            section(big),
            interface(big, 1, 65535, &[]),
            interface(big, 101, 0, &nanoseconds),
            interface(big, 113, 0, &binary),
            interface(big, 0, 0, &shifted),
            enhanced(big, 0, 1_700_000_000_000_001, 3, b"abc"),
            block(big, 5, b"statistics"),
            enhanced(big, 1, 1_700_000_000_000_000_001, 5, b"abcde"),
            enhanced(big, 2, 3 * 1024 + 512, 1, b"x"),
            enhanced(big, 3, 2_000_000, 1, b"y"),
            block(big, 2, &obsolete.octets),
            block(big, 3, &Pack::new(big).u32(4).octets(b"wxyz").octets),
            section(!big),
            interface(!big, 12, 0, &[]),
            enhanced(!big, 0, 1_000_000, 9, b"abc"),
        ]
        .concat();
        let (frames, error) = read_all(Reader::new(file.as_slice()));
        assert!(error.is_none(), "{error:?}");
        let mut cut = owned((1, 0), 12, b"abc");
        cut.original_len = 9;
        assert_eq!(
            frames,
            [
                owned((1_700_000_000, 1000), 1, b"abc"),
                owned((1_700_000_000, 1), 101, b"abcde"),
                owned((3, 500_000_000), 113, b"x"),
                owned((1002, 0), 0, b"y"),
                owned((0, 7), 101, b"old"),
                owned((0, 0), 1, b"wxyz"),
                cut,
            ]
        );
    }
}

#[test]
fn absurd_time_resolutions_do_not_hurt() {
    for (name, resolution, want) in [
        ("seconds", 0, (5, 0)),
        ("picoseconds", 12, (0, 0)),
        ("ten to the 127", 127, (0, 0)),
        ("two to the 127", 255, (0, 0)),
    ] {
        let file = [
            section(false),
            interface(false, 1, 0, &option(false, 9, &[resolution])),
            enhanced(false, 0, 5, 0, b""),
        ]
        .concat();
        assert_eq!(read_all(Reader::new(file.as_slice())).0[0].time, want, "{name}");
    }
}

#[test]
fn cp_7_switch_for_microseconds() {
    let mut file = pcap_header(false, NANO, (2, 4), 65535, 1);
    file.extend(pcap_record(false, [7, 123_456_789, 0, 0], b""));
    let (frames, _) = read_all(Reader::new(file.as_slice()).to_microseconds());
    assert_eq!(frames[0].time, (7, 123_456_000));
}

#[test]
fn positions_follow_what_was_given_out() {
    let records =
        [3_u32, 5].map(|len| pcap_record(false, [7, 5, len, len], &[9; 5][..len as usize]));
    let file =
        [&pcap_header(false, MICRO, (2, 4), 0, 101)[..], &records.concat(), &[1; 7]].concat();
    let mut reader = Reader::new(file.as_slice());
    for (offset, unread) in [(24 + 19, 21 + 7), (24 + 19 + 21, 7)] {
        assert!(matches!(reader.next_frame(), Ok(Next::Item(_))));
        assert_eq!((reader.offset(), reader.unread_len()), (offset, unread));
    }
    let error = reader.next_frame().unwrap_err();
    assert_eq!((error.offset(), reader.offset(), reader.unread_len()), (64, 64, 7));
}

#[test]
fn damage_is_reported_with_its_place() {
    let header = pcap_header(false, MICRO, (2, 4), 65535, 1);
    let good = pcap_record(false, [1, 1, 3, 3], b"abc");
    let with = |tail: &[u8]| [&header[..], &good, tail].concat();
    let ng = [section(false), interface(false, 1, 0, &[])].concat();
    let with_block = |tail: &[u8]| [&ng[..], tail].concat();
    let mut unequal = block(false, 9, b"body");
    unequal[12] = 99;
    let wrong_version = block(
        false,
        0x0a0d_0d0a,
        &Pack::new(false).u32(0x1a2b_3c4d).u16(2).u16(0).u32(0).u32(0).octets,
    );
    let long_packet = Pack::new(false).u32(0).u32(0).u32(0).u32(5).u32(5).octets(b"abc").octets;
    let huge_packet = Pack::new(false).u32(0).u32(0).u32(0).u32(262_145).u32(1);
    let huge_packet = huge_packet.octets(&vec![0; 262_145]).octets;
    for (name, file, frames, want) in [
        ("empty", vec![], 0, "capture ends 24 bytes early (at byte 0)"),
        ("header cut", header[..23].to_vec(), 0, "capture ends 1 bytes early (at byte 0)"),
        ("text", b"NMSG\0\x02".to_vec(), 0, "not a capture file (starts like NMSG)"),
        ("gzip", vec![0x1f, 0x8b, 8, 0], 0, "not a capture file (starts like gzip)"),
        ("unknown", vec![1, 2, 3, 4], 0, "not a capture file (starts with [01, 02, 03, 04])"),
        (
            "version 2.5",
            pcap_header(false, MICRO, (2, 5), 0, 1),
            0,
            "capture file version 2.5 is not supported",
        ),
        ("record header cut", with(&good[..5]), 1, "capture ends 11 bytes early (at byte 43)"),
        ("frame cut", with(&good[..18]), 1, "capture ends 1 bytes early (at byte 43)"),
        (
            "absurd length",
            with(&pcap_record(false, [1, 1, 300_000, 3], b"")),
            1,
            "record of 300000 bytes exceeds the limit of 262144 (at byte 43)",
        ),
        ("block cut", with_block(&[6, 0, 0, 0]), 0, "capture ends 8 bytes early (at byte 48)"),
        (
            "block of 8 octets",
            with_block(&Pack::new(false).u32(6).u32(8).u32(8).octets),
            0,
            "damaged block: impossible length (at byte 48)",
        ),
        (
            "block of 13 octets",
            with_block(&Pack::new(false).u32(6).u32(13).u32(8).octets),
            0,
            "damaged block: impossible length (at byte 48)",
        ),
        (
            "block of 32 MiB",
            with_block(&Pack::new(false).u32(6).u32(32 << 20).u32(8).octets),
            0,
            "record of 33554432 bytes exceeds the limit of 16777216 (at byte 48)",
        ),
        ("lengths differ", with_block(&unequal), 0, "damaged block: lengths differ (at byte 48)"),
        (
            "no such interface",
            with_block(&enhanced(false, 1, 0, 0, b"")),
            0,
            "damaged block: packet of an unknown interface (at byte 48)",
        ),
        (
            "packet block too short",
            with_block(&block(false, 6, &[0; 16])),
            0,
            "damaged block: packet block too short (at byte 48)",
        ),
        (
            "packet longer than its block",
            with_block(&block(false, 6, &long_packet)),
            0,
            "damaged block: packet beyond its block (at byte 48)",
        ),
        (
            "packet longer than any",
            with_block(&block(false, 6, &huge_packet)),
            0,
            "record of 262145 bytes exceeds the limit of 262144 (at byte 48)",
        ),
        (
            "simple packet longer than its block",
            with_block(&block(false, 3, &[9, 0, 0, 0])),
            0,
            "damaged block: packet beyond its block (at byte 48)",
        ),
        (
            "interface cut",
            with_block(&block(false, 1, &[0; 4])),
            0,
            "damaged block: interface description too short (at byte 48)",
        ),
        (
            "option cut",
            with_block(&interface(false, 1, 0, &[9, 0, 9, 0])),
            0,
            "damaged block: option beyond its block (at byte 48)",
        ),
        (
            "section without order",
            with_block(&block(false, 0x0a0d_0d0a, &[0; 16])),
            0,
            "damaged block: section header without octet order (at byte 48)",
        ),
        (
            "section of version 2",
            with_block(&wrong_version),
            0,
            "capture file version 2.0 is not supported",
        ),
    ] {
        let (got, error) = read_all(Reader::new(file.as_slice()));
        let error = error.unwrap_or_else(|| panic!("{name}"));
        assert_eq!((got.len(), error.to_string()), (frames, want.to_owned()), "{name}");
        assert_eq!(error.is_truncated(), want.starts_with("capture ends"), "{name}");
    }
}

#[test]
fn interfaces_are_bounded() {
    let mut file = section(false);
    for _ in 0..=65_536 {
        file.extend(interface(false, 1, 0, &[]));
    }
    let (_, error) = read_all(Reader::new(file.as_slice()));
    assert!(error.unwrap().to_string().contains("too many interfaces"));
}

/// Gives its pieces one by one; an empty piece means "nothing yet".
struct Trickle(VecDeque<Vec<u8>>);

impl Read for Trickle {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(piece) = self.0.pop_front() else { return Ok(0) };
        if piece.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let len = piece.len().min(out.len());
        out[..len].copy_from_slice(&piece[..len]);
        if len < piece.len() {
            self.0.push_front(piece[len..].to_vec());
        }
        Ok(len)
    }
}

#[test]
fn reading_resumes_at_every_octet() {
    let mut pcap = pcap_header(false, MICRO, (2, 4), 65535, 1);
    pcap.extend(pcap_record(false, [1, 1, 3, 3], b"abc"));
    pcap.extend(pcap_record(false, [2, 1, 2, 2], b"de"));
    let ng = [
        section(false),
        interface(false, 1, 0, &[]),
        enhanced(false, 0, 1, 3, b"abc"),
        enhanced(false, 0, 1, 2, b"de"),
    ]
    .concat();
    for (name, file) in [("pcap", pcap), ("pcapng", ng)] {
        let trickle = file.iter().flat_map(|octet| [vec![*octet], vec![]]).collect();
        let mut reader = Reader::new(Trickle(trickle));
        let mut pauses = 0;
        let mut lens = Vec::new();
        loop {
            match reader.next_frame().unwrap() {
                Next::Item(frame) => lens.push(frame.octets.len()),
                Next::Pending => pauses += 1,
                Next::End => break,
            }
        }
        assert_eq!((lens, pauses), (vec![3, 2], file.len()), "{name}");
        assert!(reader.input().0.is_empty(), "{name}");
    }
}

#[test]
fn memory_follows_what_arrives_not_what_is_announced() {
    let file = [section(false), Pack::new(false).u32(9).u32(16 << 20).u32(0).octets].concat();
    let mut reader = Reader::new(file.as_slice());
    assert!(reader.next_frame().unwrap_err().is_truncated());
    assert!(reader.buffer.len() < 1 << 20);
}

#[test]
fn read_failures_keep_their_cause() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
    let error = Reader::new(Broken).next_frame().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Io(_)));
    assert!(std::error::Error::source(&error).is_some());
    assert_eq!((error.offset(), error.is_truncated()), (0, false));
}

#[test]
fn what_is_written_is_read_back() {
    for (precision, nsec) in
        [(Precision::Microseconds, 123_456_000), (Precision::Nanoseconds, 123_456_789)]
    {
        let mut writer = Writer::new(Vec::new(), LinkType::RAW, 65536, precision).unwrap();
        for frame in [&b"first"[..], b""] {
            writer.write(Timestamp { sec: 5, nsec: 123_456_789 }, frame).unwrap();
        }
        let file = writer.into_inner();
        assert_eq!(file[16..18], [0, 0]);
        assert_eq!(file[18], 1, "snapshot length 65536");
        let (frames, error) = read_all(Reader::new(file.as_slice()));
        assert!(error.is_none());
        assert_eq!(frames, [owned((5, nsec), 101, b"first"), owned((5, nsec), 101, b"")]);
    }
}

proptest! {
    #[test]
    fn any_octets_are_safe(
        start in 0_usize..4,
        tail in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let start = match start {
            0 => vec![],
            1 => pcap_header(false, MICRO, (2, 4), 65535, 1),
            2 => section(true),
            _ => [section(false), interface(false, 1, 0, &[])].concat(),
        };
        read_all(Reader::new([start, tail].concat().as_slice()));
    }
}
