//! The example programs of this crate, called as functions.

#[path = "../examples/dnsqr_filter.rs"]
#[expect(dead_code, reason = "the program around the functions")]
mod dnsqr_filter;
#[path = "../examples/nmsgpacket.rs"]
#[expect(dead_code, reason = "the program around the functions")]
mod nmsgpacket;
#[path = "../../nmsg-capture/src/test_packets.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "other tests share it; a test may panic")]
mod packets;

use nmsg::Timestamp;
use nmsg_capture::savefile::{Precision, Writer};
use nmsg_capture::{LinkType, PacketType};
use nmsg_io::{
    CaptureFileSource, CaptureSettings, Engine, FileFormat, FileSource, Outcome, Output,
    OutputFormat,
};
use nmsg_os::{Latch, Stream};
use packets::{dns, udp};
use std::fs;
use std::io::Write;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// A directory of its own for one test, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let serial = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("nmsg-io-examples-{}-{serial}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a directory");
        Self(path)
    }

    fn text(&self, name: &str) -> String {
        self.0.join(name).into_os_string().into_string().expect("text")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind stays in the temporary directory.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A DNS message, with or without an OPT record.
fn message(id: u16, is_response: bool, has_edns: bool) -> Vec<u8> {
    let mut message = dns(id, if is_response { 0x8180 } else { 0x0100 }, Some(("a.", 1)));
    if has_edns {
        message[11] = 1;
        message.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
    }
    message
}

/// Exchanges 0 to 3: EDNS in neither message, in the response, in the query, in both; exchange 4 has no
/// response.
fn exchanges(path: &str) {
    let (client, server) = (("10.0.0.1", 4000), ("10.0.0.2", 53));
    let mut writer =
        Writer::new(Vec::new(), LinkType::RAW, 65536, Precision::Microseconds).expect("memory");
    for id in 0..5_u16 {
        let time = Timestamp { sec: id.into(), nsec: 0 };
        let query = udp(client, server, &message(id, false, id & 2 != 0 || id == 4));
        writer.write(time, &query.packet()).expect("memory");
        if id < 4 {
            let response = udp(server, client, &message(id, true, id & 1 != 0));
            writer.write(time, &response.packet()).expect("memory");
        }
    }
    let (reader, mut pipe) = std::io::pipe().expect("a pipe");
    pipe.write_all(&writer.into_inner()).expect("room in the pipe");
    drop(pipe);
    let stream = Stream::inherited(reader.into()).expect("a pipe");
    let settings = CaptureSettings::new(PacketType::DnsQr);
    let source = CaptureFileSource::new("pipe".to_owned(), stream, &settings, None);
    let format = OutputFormat::Nmsg { zlib: false };
    let output = Output::create(path.as_ref(), format, None).expect("a file");
    Engine::new().source(source.expect("a capture")).output(output).run(&mut ());
}

/// The lines of JSON that a file of containers comes to.
fn lines(path: &str) -> Vec<String> {
    let json = format!("{path}.json");
    let source = FileSource::open(path.as_ref(), FileFormat::Nmsg).expect("a file");
    let output = Output::create(json.as_ref(), OutputFormat::Json, None).expect("a file");
    let outcome = Engine::new().source(source).output(output).run(&mut ());
    assert!(!outcome.damaged, "{path}");
    fs::read_to_string(json).expect("text").lines().map(str::to_owned).collect()
}

fn run(words: &[&str]) -> Outcome {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    dnsqr_filter::run(&words, None).expect("it starts")
}

#[test]
fn queries_with_edns_answered_without_are_copied() {
    let scratch = Scratch::new();
    let (input, output, other) =
        (scratch.text("in.nmsg"), scratch.text("out.nmsg"), scratch.text("other.nmsg"));
    exchanges(&input);
    assert_eq!(lines(&input).len(), 5);
    let outcome = run(&["-r", &input, "-r", &input, "-w", &output, "-w", &other]);
    assert!(outcome.ledger.balances());
    for path in [&output, &other] {
        let lines = lines(path);
        assert_eq!(lines.len(), 2, "one of each input, also in the last container");
        assert!(lines.iter().all(|line| line.contains("\"id\":2,")), "{lines:?}");
    }
}

#[test]
fn sockets_are_inputs_and_outputs_and_a_signal_loses_nothing() {
    let scratch = Scratch::new();
    let (input, output) = (scratch.text("in.nmsg"), scratch.text("out.nmsg"));
    exchanges(&input);
    let free = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = format!("127.0.0.1/{}", free.local_addr().expect("bound").port());
    drop(free);
    let latch: &'static Latch = Box::leak(Box::new(Latch::new().expect("a latch")));
    let words: Vec<String> =
        ["-l", &address, "-w", &output].iter().map(|word| (*word).to_owned()).collect();
    let listening = std::thread::spawn(move || {
        dnsqr_filter::run(&words, Some(latch)).map(|outcome| outcome.ledger.payloads_out()).ok()
    });
    std::thread::sleep(Duration::from_millis(200));
    run(&["-r", &input, "-s", &address]);
    std::thread::sleep(Duration::from_millis(300));
    latch.raise();
    assert_eq!(listening.join().expect("no panic"), Some(1));
    assert_eq!(lines(&output).len(), 1);
}

#[test]
fn words_that_make_no_sense_are_refused() {
    for (words, want) in [
        (&[][..], "usage: "),
        (&["-r"], "usage: "),
        (&["-r", "/nowhere"], "No such file"),
        (&["-r", "/dev/null"], "usage: "),
        (&["-w", "/dev/null"], "usage: "),
        (&["-x", "y"], "usage: "),
        (&["-l", "127.0.0.1"], "needs a /"),
    ] {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let error = dnsqr_filter::run(&words, None).expect_err("refused").to_string();
        assert!(error.contains(want), "{words:?}: {error}");
    }
}

#[test]
fn so_many_packets_are_captured() {
    let scratch = Scratch::new();
    let (file, text) = (scratch.text("nmsgpacket.nmsg"), scratch.text("text"));
    let format = OutputFormat::Presentation { endline: b"\n".to_vec() };
    let output = Output::create(text.as_ref(), format, None).expect("a file");
    let done = AtomicBool::new(false);
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            let receiver = UdpSocket::bind("127.0.0.1:0").expect("a port");
            let to = receiver.local_addr().expect("bound");
            while !done.load(Ordering::Relaxed) {
                receiver.send_to(b"packet", to).expect("sent");
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let outcome = nmsgpacket::run("lo", "3", file.as_ref(), output);
        done.store(true, Ordering::Relaxed);
        outcome
    });
    match outcome {
        Ok(outcome) => assert_eq!(outcome.ledger.payloads_out(), 6),
        Err(error) => {
            let must_work = std::env::var_os("CI").is_some_and(|value| value == "true");
            assert!(!must_work, "no live capture on this machine: {error}");
            println!("skipped: no live capture on this machine: {error}");
            return;
        }
    }
    assert_eq!(lines(&file).len(), 3);
    let text = fs::read_to_string(&text).expect("text");
    assert_eq!(text.matches("[1:12 base packet]").count(), 3);
}

#[test]
fn what_is_no_number_or_interface_is_refused() {
    for (interface, count) in [("lo", "0"), ("lo", "x"), ("", "3"), ("nmsg-none0", "3")] {
        let format = OutputFormat::Json;
        let output = Output::create("/dev/null".as_ref(), format, None).expect("a file");
        let file = std::path::Path::new("/dev/null");
        assert!(nmsgpacket::run(interface, count, file, output).is_err(), "{interface} {count}");
    }
}
