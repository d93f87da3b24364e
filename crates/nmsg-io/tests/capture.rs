//! Captures as inputs, end to end.

#[path = "../../nmsg-capture/src/test_packets.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "other tests share it; a test may panic")]
mod packets;

use nmsg::Timestamp;
use nmsg_capture::savefile::{Precision, Writer};
use nmsg_capture::{LinkType, PacketType, Skip};
use nmsg_io::rotate::{IntervalClock, time_since_1970};
use nmsg_io::{
    CaptureError, CaptureFileSource, CaptureSettings, End, Engine, Fault, FaultKind, InputAccount,
    Observer, Outcome, Output, OutputFormat,
};
use nmsg_os::{Latch, Stream};
use std::fs;
use std::io::{self, ErrorKind, PipeWriter, Write};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const MIX: &[u8] = include_bytes!("../../nmsg-capture/tests/fixtures/dns-mix.pcap");

/// An output file of its own for one test, removed at its end.
struct Lines(PathBuf);

impl Lines {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let serial = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("nmsg-io-capture-{}-{serial}.json", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn output(&self) -> Output {
        Output::create(&self.0, OutputFormat::Json, None).expect("a file")
    }

    /// Kind and DNS id of every message.
    fn messages(&self) -> Vec<(String, u16)> {
        let text = fs::read_to_string(&self.0).expect("a file");
        let value = |line: &str, key: &str| {
            let (_, rest) = line.split_once(&format!("\"{key}\":")).expect("the key");
            rest.split([',', '}']).next().expect("a value").trim_matches('"').to_owned()
        };
        text.lines()
            .map(|line| (value(line, "type"), value(line, "id").parse().expect("id")))
            .collect()
    }

    fn ids(&self) -> Vec<u16> {
        self.messages().into_iter().map(|(_, id)| id).collect()
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        // What stays behind stays in the temporary directory.
        let _ = fs::remove_file(&self.0);
    }
}

/// An IPv4 packet with a DNS query for `a.`, or its response.
fn packet(id: u16, is_response: bool) -> Vec<u8> {
    let (client, server) = (("10.0.0.1", 4000), ("10.0.0.2", 53));
    let (from, to) = if is_response { (server, client) } else { (client, server) };
    let flags = if is_response { 0x8000 } else { 0 };
    packets::udp(from, to, &packets::dns(id, flags, Some(("a.", 1)))).packet()
}

/// A savefile of packets, one a second.
fn savefile(packets: &[Vec<u8>]) -> Vec<u8> {
    let out = Vec::new();
    let mut writer =
        Writer::new(out, LinkType::RAW, 65536, Precision::Nanoseconds).expect("memory");
    for (sec, packet) in packets.iter().enumerate() {
        let time = Timestamp { sec: sec as i64, nsec: 5 };
        writer.write(time, packet).expect("memory");
    }
    writer.into_inner()
}

fn queries(ids: impl IntoIterator<Item = u16>) -> Vec<u8> {
    savefile(&ids.into_iter().map(|id| packet(id, false)).collect::<Vec<_>>())
}

fn settings() -> CaptureSettings {
    CaptureSettings::new(PacketType::DnsQr)
}

/// A pipe that holds these octets already.
fn pipe(octets: &[u8]) -> (Stream, PipeWriter) {
    let (reader, mut writer) = io::pipe().expect("a pipe");
    writer.write_all(octets).expect("room in the pipe");
    (Stream::inherited(reader.into()).expect("a pipe"), writer)
}

fn source(octets: &[u8], settings: &CaptureSettings) -> Result<CaptureFileSource, CaptureError> {
    let (stream, mut writer) = pipe(&[]);
    let octets = octets.to_vec();
    // Whoever refuses the head does not read the rest.
    std::thread::spawn(move || writer.write_all(&octets));
    CaptureFileSource::new("cap".to_owned(), stream, settings, None)
}

/// What was said about inputs, first occurrences only.
#[derive(Default)]
struct Said(Vec<String>);

impl Observer for Said {
    fn fault(&mut self, input: &str, fault: &Fault, first: bool) {
        if first {
            self.0.push(format!("{input}: {fault}"));
        }
    }
}

fn input(outcome: &Outcome) -> &InputAccount {
    assert!(outcome.ledger.balances(), "{:#?}", outcome.ledger);
    &outcome.ledger.inputs[0]
}

#[test]
fn a_capture_becomes_messages() {
    let lines = Lines::new();
    let mut said = Said::default();
    let path = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = path.join("../nmsg-capture/tests/fixtures/dns-mix.pcap");
    let source = CaptureFileSource::open(&path, &settings(), None).expect("a capture");
    assert_eq!(source.filter_text(), None);
    let outcome = Engine::new().source(source).output(lines.output()).run(&mut said);
    let input = input(&outcome);
    assert_eq!(lines.messages().len(), 391);
    assert_eq!((input.payloads, input.dealt), (391, 391));
    assert_eq!(input.octets, MIX.len() as u64);
    let frames = &input.capture.as_ref().expect("captures are accounted for").frames;
    assert_eq!(frames.messages, 391);
    assert!(frames.frames > 391 && frames.skipped(Skip::QueryKept) > 100, "{frames:?}");
    assert!(!outcome.damaged && !outcome.input_failed);
}

#[test]
fn dq_6_pending_queries_come_out_at_the_end() {
    let lines = Lines::new();
    // More than a batch holds.
    let source = source(&queries(0..1500), &settings()).expect("a capture");
    let outcome = Engine::new().source(source).output(lines.output()).run(&mut ());
    assert_eq!(lines.ids(), (0..1500).collect::<Vec<_>>());
    assert!(lines.messages().iter().all(|(kind, _)| kind == "UDP_UNANSWERED_QUERY"));
    assert_eq!(input(&outcome).dealt, 1500);
    assert_eq!(outcome.end, End::Inputs);
}

#[test]
fn dq_6_a_count_drops_and_counts_pending_queries() {
    let packets = [packet(1, false), packet(2, false), packet(2, true), packet(3, false)];
    for (count, ids, over) in [(1, &[2][..], 2), (2, &[2, 1], 1), (3, &[2, 1, 3], 0)] {
        let lines = Lines::new();
        let source = source(&savefile(&packets), &settings()).expect("a capture");
        let engine = Engine::new().source(source).output(lines.output());
        let outcome = engine.count(NonZeroU64::new(count)).run(&mut ());
        assert_eq!(lines.ids(), ids, "{count}");
        let input = input(&outcome);
        assert_eq!((input.over_count, outcome.end), (over, End::Count), "{count}");
    }
}

#[test]
fn dq_6_pending_queries_come_out_when_an_interval_ends_the_run() {
    let lines = Lines::new();
    let (stream, _writer) = pipe(&queries(1..=3));
    let source = CaptureFileSource::new("cap".to_owned(), stream, &settings(), None);
    let clock = IntervalClock::new(NonZeroU64::MIN, 0, time_since_1970());
    let engine = Engine::new().source(source.expect("a capture")).output(lines.output());
    let outcome = engine.interval(Some(clock)).run(&mut ());
    assert_eq!(outcome.end, End::Interval);
    assert_eq!((lines.ids(), input(&outcome).discarded), (vec![1, 2, 3], 0));
}

#[test]
fn dq_6_pending_queries_come_out_on_a_signal() {
    for inputs in [1, 2] {
        let lines = Lines::new();
        let latch: &'static Latch = Box::leak(Box::new(Latch::new().expect("a latch")));
        let (mut engine, mut writers) = (Engine::new().output(lines.output()), Vec::new());
        for _ in 0..inputs {
            let (stream, writer) = pipe(&queries(1..=3));
            writers.push(writer);
            let source = CaptureFileSource::new("cap".to_owned(), stream, &settings(), None);
            engine = engine.source(source.expect("a capture"));
        }
        let raised = std::thread::spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            latch.raise();
            Instant::now()
        });
        let outcome = engine.interrupt(Some(latch)).run(&mut ());
        let took = raised.join().expect("no panic").elapsed();
        assert_eq!(outcome.end, End::Interrupt);
        let mut ids = lines.ids();
        ids.sort_unstable();
        assert_eq!(ids, [1, 2, 3].into_iter().flat_map(|id| vec![id; inputs]).collect::<Vec<_>>());
        assert_eq!(input(&outcome).dealt, 3);
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
}

#[test]
fn dq_6_a_truncated_capture_gives_what_it_has() {
    let whole = savefile(&[packet(1, false), packet(2, false), packet(2, true), packet(3, false)]);
    let lines = Lines::new();
    let source = source(&whole[..whole.len() - 10], &settings()).expect("a capture");
    let mut said = Said::default();
    let outcome = Engine::new().source(source).output(lines.output()).run(&mut said);
    assert_eq!(lines.ids(), [2, 1]);
    let at = whole.len() - 16 - packet(3, false).len();
    assert_eq!(said.0, [format!("cap: capture ends 10 bytes early (at byte {at})")]);
    assert!(outcome.damaged && !outcome.input_failed);
    let input = input(&outcome);
    assert_eq!(input.damaged_octets, (whole.len() - 10 - at) as u64);
    assert_eq!(input.faults_of(FaultKind::Damage), 1);
}

#[test]
fn cp_8_lost_frames_are_said_once_for_each_reason() {
    let runt = vec![0x45; 10];
    let mut bad_version = packet(5, false);
    bad_version[0] = 0x55;
    let packets = [packet(1, false), runt.clone(), bad_version.clone(), runt, bad_version];
    let mut octets = savefile(&packets);
    // The first frame was longer on the wire.
    octets[24 + 12] += 1;
    let lines = Lines::new();
    let mut said = Said::default();
    let source = source(&octets, &settings()).expect("a capture");
    let outcome = Engine::new().source(source).output(lines.output()).run(&mut said);
    let want = [
        "cap: frame skipped: cut by the snapshot length (frame 1)",
        "cap: frame skipped: IP header cut short (frame 2)",
        "cap: frame skipped: wrong IP version (frame 3)",
    ];
    assert_eq!(said.0, want);
    let input = input(&outcome);
    assert_eq!(input.faults_of(FaultKind::SkippedFrames), 5);
    let frames = &input.capture.as_ref().expect("captures are accounted for").frames;
    let reasons: Vec<_> = frames.reasons().collect();
    assert_eq!(reasons, [(Skip::Snapped, 1), (Skip::HeaderCut, 2), (Skip::Version, 2)]);
    assert!(!outcome.damaged, "skipped frames are no damage of the file");
    assert!(lines.ids().is_empty());
}

#[test]
fn cp_9_fragments_without_the_rest_are_counted() {
    let mut piece = packet(1, false);
    piece.truncate(36);
    piece[2..4].copy_from_slice(&36_u16.to_be_bytes());
    piece[6] = 0x20;
    let mut packets = vec![piece];
    packets.extend((0..70).map(|id| packet(id, true)));
    let lines = Lines::new();
    let mut said = Said::default();
    let source = source(&savefile(&packets), &settings()).expect("a capture");
    let outcome = Engine::new().source(source).output(lines.output()).run(&mut said);
    assert_eq!(said.0, ["cap: a fragment of a packet was given up, other pieces are missing"]);
    assert_eq!(input(&outcome).faults_of(FaultKind::LostPieces), 1);
    assert_eq!(lines.ids().len(), 70);
}

#[test]
fn a_pause_at_any_octet_loses_nothing() {
    let octets = savefile(&[packet(1, false), packet(1, true)]);
    for cut in [0, 3, 24, 30, octets.len() - 1] {
        let lines = Lines::new();
        let (stream, mut writer) = pipe(&octets[..cut]);
        let rest = octets[cut..].to_vec();
        let feeding = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            writer.write_all(&rest).expect("a reader");
        });
        let source = CaptureFileSource::new("cap".to_owned(), stream, &settings(), None);
        let source = source.expect("a capture");
        let outcome = Engine::new().source(source).output(lines.output()).run(&mut ());
        feeding.join().expect("no panic");
        assert_eq!(lines.messages(), [("UDP_QUERY_RESPONSE".to_owned(), 1)], "{cut}");
        assert_eq!(input(&outcome).octets, octets.len() as u64, "{cut}");
    }
}

#[test]
fn what_is_no_capture_is_refused() {
    let section = b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0";
    let ppp = {
        let mut octets = savefile(&[]);
        octets[20] = 9;
        octets
    };
    for (name, octets, want) in [
        ("empty", &b""[..], "capture ends 24 bytes early (at byte 0)"),
        (
            "text",
            b"this is text, more of it than a header",
            "not a capture file (starts with [74, 68, 69, 73])",
        ),
        (
            "NMSG",
            b"NMSG\0\x02\0\0\0\0 and so on and so on",
            "not a capture file (starts like NMSG)",
        ),
        ("pcapng without interface", section, "the capture has no interface"),
        ("cp_5: PPP", &ppp, "base:dnsqr cannot be made from link type PPP"),
    ] {
        let error = source(octets, &settings()).expect_err(name);
        assert_eq!(error.to_string(), want, "{name}");
    }
    let missing = CaptureFileSource::open(Path::new("/nowhere/cap"), &settings(), None);
    let Err(CaptureError::Io(error)) = missing else { panic!("{missing:?}") };
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_raised_latch_ends_the_wait_for_the_head() {
    let latch = Latch::new().expect("a latch");
    latch.raise();
    let (stream, _writer) = pipe(&savefile(&[])[..10]);
    let opened = CaptureFileSource::new("cap".to_owned(), stream, &settings(), Some(&latch));
    let Err(CaptureError::Io(error)) = opened else { panic!("{opened:?}") };
    assert_eq!(error.kind(), ErrorKind::Interrupted);
}

#[test]
fn filters_and_switches_reach_the_converter() {
    if let Err(error) = nmsg_os::pcap::library() {
        println!("skipped: {error}");
        return;
    }
    let octets = savefile(&[packet(1, false), packet(2, true), packet(3, false)]);
    let ids = |settings: &CaptureSettings| {
        let lines = Lines::new();
        let source = source(&octets, settings).expect("a capture");
        let text = source.filter_text().map(str::to_owned);
        Engine::new().source(source).output(lines.output()).run(&mut ());
        (lines.ids(), text)
    };
    let user = CaptureSettings { filter: Some("src host 10.0.0.1".to_owned()), ..settings() };
    let (found, text) = ids(&user);
    assert_eq!(found, [1, 3]);
    assert!(text.expect("a filter").contains("(ip) and (src host 10.0.0.1)"));
    let lookup = |name: &str| (name == "DNSQR_AUTH_ADDRS").then(|| b"10.0.0.9".to_vec());
    let (matching, _) = nmsg_capture::dnsqr::Config::from_variables(lookup).expect("an address");
    let by_address = CaptureSettings { matching, ..settings() };
    assert_eq!(ids(&by_address).0, [0; 0]);
    let both = CaptureSettings { filter: user.filter.clone(), ..by_address };
    assert_eq!(ids(&both).0, [1, 3], "cp_11: the user's expression replaces the addresses");
    let wrong = CaptureSettings { filter: Some("udp 53".to_owned()), ..settings() };
    let error = source(&octets, &wrong).expect_err("no filter").to_string();
    assert!(error.contains("syntax error") && error.contains("udp port 53"), "{error}");
}

#[test]
fn cp_7_times_are_cut_to_microseconds_on_demand() {
    for (to_microseconds, want) in [(false, ".000000005\""), (true, ".000000000\"")] {
        let lines = Lines::new();
        let settings = CaptureSettings { to_microseconds, ..settings() };
        let source = source(&queries([1]), &settings).expect("a capture");
        Engine::new().source(source).output(lines.output()).run(&mut ());
        let text = fs::read_to_string(&lines.0).expect("a file");
        assert!(text.contains(want), "{text}");
    }
}
