//! The example programs of this crate, called as functions.

#![expect(clippy::duplicate_mod, reason = "each program brings what it shares with the other")]

mod common;
#[path = "../examples/nmsg-dnsqr2pcap.rs"]
#[expect(dead_code, reason = "the program around the functions")]
mod dnsqr2pcap;
#[path = "../examples/nmsg-packet2pcap.rs"]
#[expect(dead_code, reason = "the program around the functions")]
mod packet2pcap;
#[path = "../src/test_packets.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "other tests share it; a test may panic")]
mod packets;

use common::convert;
use nmsg::container::{ContainerWriter, WriterSettings};
use nmsg::{MsgType, Payload, Timestamp};
use nmsg_capture::dnsqr::Config;
use nmsg_capture::savefile::{Precision, Writer};
use nmsg_capture::{Converter, LinkType, VENDOR_BASE};
use packets::{dns, ip, udp};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

const CLIENT: (&str, u16) = ("10.0.0.1", 4000);
const SERVER: (&str, u16) = ("192.0.2.53", 53);

/// A directory of its own for one test, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let serial = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("nmsg-capture-examples-{}-{serial}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a directory");
        Self(path)
    }

    fn path(&self, name: &str) -> OsString {
        self.0.join(name).into_os_string()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind stays in the temporary directory.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A savefile without link headers, one packet every 0.3 s.
fn savefile(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut writer =
        Writer::new(Vec::new(), LinkType::RAW, 65536, Precision::Microseconds).expect("memory");
    for (at, packet) in packets.iter().enumerate() {
        let time = at as u32 * 300_000;
        let (sec, nsec) = (i64::from(time / 1_000_000), time % 1_000_000 * 1000);
        writer.write(Timestamp { sec: 1_000_000_000 + sec, nsec }, packet).expect("memory");
    }
    writer.into_inner()
}

/// A file with the messages that a converter makes of a capture.
fn containers(capture: &[u8], msgtype: MsgType, mut converter: Converter) -> Vec<u8> {
    let (messages, error) = convert(capture, &mut converter);
    assert!(error.is_none());
    let mut writer = ContainerWriter::new(WriterSettings::file(1));
    let mut file = Vec::new();
    let mut emit = |container: &[u8]| {
        file.extend_from_slice(container);
        Ok::<(), nmsg::Error>(())
    };
    for (time, body) in &messages {
        let header = Payload { vendor: VENDOR_BASE, msgtype, time: *time, ..Payload::default() };
        writer.write(&Payload { body: Some(body), ..header }, None, &mut emit).expect("memory");
    }
    writer.flush(&mut emit).expect("memory");
    file
}

fn dnsqr_to_pcap(words: Vec<OsString>) -> Result<Vec<String>, dnsqr2pcap::shared::Failure> {
    dnsqr2pcap::shared::run(words, dnsqr2pcap::DNSQR, dnsqr2pcap::write_packets)
}

fn packet_to_pcap(words: Vec<OsString>) -> Result<Vec<String>, packet2pcap::shared::Failure> {
    packet2pcap::shared::run(words, packet2pcap::PACKET, packet2pcap::write_packet)
}

fn exchanges() -> Vec<Vec<u8>> {
    let query = |id| udp(CLIENT, SERVER, &dns(id, 0x0100, Some(("a.", 1))));
    let response =
        |id| udp(SERVER, CLIENT, &[&dns(id, 0x8180, Some(("a.", 1)))[..], &[0; 60]].concat());
    let tcp = [&[0x0f, 0xa0, 0, 53][..], &[0; 8], &[0x50, 2, 0, 0, 0, 0, 0, 0]].concat();
    let quoted = query(9).packet();
    let icmp = [&[3, 3, 0, 0, 0, 0, 0, 0][..], &quoted[..28]].concat();
    let address = |text: &str| text.parse().expect("an address");
    let mut packets = vec![query(1).packet(), response(1).packet(), query(2).packet()];
    packets.extend(response(2).fragments(32));
    packets.push(ip(address(CLIENT.0), address(SERVER.0), 6, &tcp));
    packets.push(ip(address(SERVER.0), address(CLIENT.0), 1, &icmp));
    packets
}

#[test]
fn packets_of_transactions_come_back_octet_for_octet() {
    let scratch = Scratch::new();
    let capture = savefile(&exchanges());
    let file = containers(&capture, MsgType(9), Converter::dnsqr(Config::default(), None));
    let words = vec![scratch.path("in.nmsg"), scratch.path("out.pcap")];
    fs::write(&words[0], file).unwrap();
    assert_eq!(dnsqr_to_pcap(words.clone()).unwrap(), [""; 0]);
    assert!(fs::read(&words[1]).unwrap() == capture);
    assert_eq!(packet_to_pcap(words.clone()).unwrap(), [""; 0]);
    assert_eq!(fs::read(&words[1]).unwrap().len(), 24, "other messages are passed over");
}

#[test]
fn packets_come_back_octet_for_octet() {
    let scratch = Scratch::new();
    let capture = savefile(&exchanges());
    let file = containers(&capture, MsgType(12), Converter::packet(None));
    let words = vec![scratch.path("in.nmsg"), scratch.path("out.pcap")];
    fs::write(&words[0], file).unwrap();
    assert_eq!(packet_to_pcap(words.clone()).unwrap(), [""; 0]);
    assert!(fs::read(&words[1]).unwrap() == capture);
}

#[test]
fn damage_costs_itself_and_is_told() {
    let scratch = Scratch::new();
    let capture = savefile(&exchanges());
    let file = containers(&capture, MsgType(12), Converter::packet(None));
    let words = vec![scratch.path("in.nmsg"), scratch.path("out.pcap")];
    let last = exchanges().pop().unwrap().len();
    // A checksum behind the messages takes up to six octets.
    let behind = 6 * exchanges().len() + 8;
    for (name, octets, kept) in [
        ("checksums cut off", file[..file.len() - 8].to_vec(), capture.len()),
        ("last packet cut off", file[..file.len() - behind].to_vec(), capture.len() - last - 16),
        ("garbage in front", [&b"garbage"[..], &file].concat(), capture.len()),
        ("nothing but garbage", vec![7; 500], 24),
    ] {
        fs::write(&words[0], octets).unwrap();
        let complaints = packet_to_pcap(words.clone()).unwrap();
        assert!(!complaints.is_empty(), "{name}");
        assert!(fs::read(&words[1]).unwrap() == capture[..kept], "{name}: {complaints:?}");
    }
}

#[test]
fn command_lines_are_checked() {
    use dnsqr2pcap::shared::Failure;
    let scratch = Scratch::new();
    let word = |text: &str| OsString::from(text);
    for words in [vec![], vec![word("a")], vec![word("a"), word("b"), word("c")]] {
        assert!(matches!(dnsqr_to_pcap(words), Err(Failure::Usage)));
    }
    let missing = dnsqr_to_pcap(vec![word("/nowhere/in.nmsg"), scratch.path("out.pcap")]);
    let Err(Failure::Io(place, _)) = missing else { panic!("{missing:?}") };
    assert_eq!(place, "/nowhere/in.nmsg");
    fs::write(scratch.path("in.nmsg"), b"").unwrap();
    let unwritable = dnsqr_to_pcap(vec![scratch.path("in.nmsg"), word("/nowhere/out.pcap")]);
    let Err(Failure::Io(place, _)) = unwritable else { panic!("{unwritable:?}") };
    assert_eq!(place, "/nowhere/out.pcap");
}

/// Compares with the programs of the C suite built in the source tree that is named by a variable.
#[test]
fn the_programs_of_the_c_suite_write_the_same() {
    let Some(source) = std::env::var_os("NMSG_REFERENCE_SOURCE") else {
        println!("skipped: NMSG_REFERENCE_SOURCE is not set");
        return;
    };
    let scratch = Scratch::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for msgtype in ["dnsqr", "packet"] {
        let input = fixtures.join(format!("dns-mix.{msgtype}.nmsg")).into_os_string();
        let (ours, theirs) = (scratch.path("ours.pcap"), scratch.path("theirs.pcap"));
        let words = vec![input.clone(), ours.clone()];
        match msgtype {
            "dnsqr" => assert_eq!(dnsqr_to_pcap(words).unwrap(), [""; 0]),
            _ => assert_eq!(packet_to_pcap(words).unwrap(), [""; 0]),
        }
        let program = Path::new(&source).join(format!("examples/nmsg-{msgtype}2pcap"));
        let mut command = Command::new(program);
        command.arg(&input).arg(&theirs);
        if let Some(installed) = std::env::var_os("NMSG_REFERENCE") {
            command.env("LD_LIBRARY_PATH", Path::new(&installed).join("lib"));
        }
        assert!(command.status().unwrap().success());
        assert!(fs::read(ours).unwrap() == fs::read(theirs).unwrap(), "{msgtype}");
    }
}
