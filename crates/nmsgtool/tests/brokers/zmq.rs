//! `-L`, `-S` and `-Z`.

use crate::tool::{
    END, Scratch, assert_quick, command, containers, end_of, ports, run, settle, signal,
    signal_at_once, start,
};
use nmsg::container::{ContainerWriter, WriterSettings};
use nmsg::{Error, Payload};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use zmtp::{Direction, Endpoint, Receiver, ReceiverSettings, Sender, SocketType};

const LONG: Duration = Duration::from_secs(20);
const N: usize = 15;

/// Endpoints of both kinds that no other test uses, without suffixes.
fn places(scratch: &Scratch) -> [String; 2] {
    let process = std::process::id();
    let number =
        scratch.text("").bytes().fold(0_u32, |sum, octet| sum * 31 % 251 + u32::from(octet));
    let tcp = format!(
        "tcp://127.{}.{}.{}:5556",
        1 + process % 200,
        process / 200 % 256,
        1 + number % 250
    );
    [tcp, format!("ipc://{}", scratch.text("socket"))]
}

fn endpoint(text: &str) -> Endpoint {
    text.parse().expect("an endpoint")
}

fn reader(endpoint: &str, count: usize) -> Command {
    command(["--unbuffered", "-L", endpoint, "-J", "-", "-c", &count.to_string()])
}

fn writer(file: &str, endpoint: &str) -> Command {
    command(["--unbuffered", "-r", file, "-S", endpoint])
}

fn all() -> Vec<u32> {
    (0..N as u32).collect()
}

#[test]
fn zm_3_every_start_order_and_direction_delivers_everything() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[N]).concat());
    for place in places(&scratch) {
        for (reads, writes) in [("accept", "connect"), ("connect", "accept")] {
            for writer_first in [false, true] {
                let name = format!("{place} {reads} {writer_first}");
                let read = || start(reader(&format!("{place},pushpull,{reads}"), N));
                let write = || start(writer(&file, &format!("{place},{writes},PUSHPULL")));
                let (reader, writer) = if writer_first {
                    let writer = write();
                    settle(writer.id());
                    (read(), writer)
                } else {
                    let reader = read();
                    settle(reader.id());
                    (reader, write())
                };
                // A writer waits a second for its peer, a reader that starts late has to make that.
                let (ran, _) = end_of(reader);
                assert_eq!((ran.status, &*ran.stderr), (0, ""), "{name}");
                assert_eq!(ports(&ran.stdout), all(), "{name}");
                let (ran, _) = end_of(writer);
                assert_eq!((ran.status, &*ran.stderr), (0, ""), "{name}");
            }
        }
    }
}

#[test]
fn zm_1_the_defaults_are_accept_connect_and_pubsub() {
    let scratch = Scratch::new();
    let place = &places(&scratch)[1];
    let reader = start(reader(place, 5));
    settle(reader.id());
    let mut writer = command(["--unbuffered", "-r", "-", "-S", place]);
    writer.stdin(Stdio::piped());
    let mut writer = start(writer);
    let mut stdin = writer.stdin.take().expect("a pipe");
    // What is published before the reader has subscribed is lost, as it should be.
    let feeding = std::thread::spawn(move || {
        for container in containers(&[1; 128]) {
            if stdin.write_all(&container).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    let (ran, _) = end_of(reader);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    let got = ports(&ran.stdout);
    assert_eq!(got, (got[0]..got[0] + 5).collect::<Vec<_>>());
    feeding.join().expect("fed");
    assert_eq!(end_of(writer).0.status, 0);
}

#[test]
fn zm_4_what_push_could_not_hand_over_is_status_5() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[N]).concat());
    let nobody = format!("ipc://{}", scratch.text("nobody"));
    let began = Instant::now();
    let ran = run(["--unbuffered", "--stats", "-r", &file, "-S", &format!("{nobody},pushpull")]);
    assert!(began.elapsed() >= Duration::from_secs(1), "the peer had its second");
    assert_eq!(ran.status, 5);
    let line = format!("nmsgtool: {nobody}: 15 of 15 containers not handed over to a peer\n");
    assert!(ran.stderr.starts_with(&line), "{}", ran.stderr);
    assert!(
        ran.stderr.contains(&format!("output {nobody}: 0 payloads written, 15 not delivered; ")),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains(", balanced\n"), "{}", ran.stderr);
    let ran = run(["-r", &file, "-S", &nobody]);
    assert_eq!((ran.status, &*ran.stderr), (0, ""), "publishing to nobody is no failure");
}

#[test]
fn zm_3_waiting_for_nobody_is_said_once_and_ends_with_a_signal() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[N]).concat());
    let [tcp, ipc] = places(&scratch);
    let read = |text: &str| ["-L".to_owned(), text.to_owned()];
    let write = |text: &str| ["-r", &file, "-S", text].map(str::to_owned);
    let cases: [(Vec<String>, &str, i32); 3] = [
        (read(&tcp).into(), "nobody has connected yet, waiting", 1),
        (
            read(&format!("{ipc},connect")).into(),
            "there is nobody to connect to yet, trying again",
            1,
        ),
        (write(&format!("{ipc}-2,accept,pushpull")).into(), "nobody has connected yet, waiting", 1),
    ];
    let running = cases.map(|(words, said, status)| {
        let mut child = start(command(words));
        (BufReader::new(child.stderr.take().expect("a pipe")), child, said, status)
    });
    for (mut stderr, child, said, status) in running {
        let mut line = String::new();
        stderr.read_line(&mut line).expect("text");
        assert!(line.ends_with(&format!(": {said}\n")), "{line}");
        signal(&child, "TERM");
        let (ran, took) = end_of(child);
        assert_eq!(ran.status, status, "{said}");
        assert!(took < Duration::from_secs(5), "{said}: {took:?}");
    }
}

/// Sends messages as they are; gives what the program made of them.
fn fed(pattern: &str, messages: &[&[u8]], arguments: &[&str]) -> crate::tool::Ran {
    let scratch = Scratch::new();
    let place = places(&scratch)[1].clone();
    let kind = if pattern == "pushpull" { SocketType::Push } else { SocketType::Pub };
    let sender = Sender::open(kind, Direction::Bind, &endpoint(&place)).expect("opens");
    let suffix = format!("{place},connect,{pattern}");
    let reading = start(command(["-L", &suffix].into_iter().chain(arguments.iter().copied())));
    let until = Instant::now() + LONG;
    while sender.peers() == 0 {
        assert!(Instant::now() < until, "nobody connects");
        std::thread::sleep(Duration::from_millis(5));
    }
    // A subscription comes a moment after its connection.
    settle(reading.id());
    for message in messages {
        assert!(sender.send(message, 1));
    }
    let (ran, _) = end_of(reading);
    drop(sender);
    ran
}

/// Fragments of one container with one payload.
fn fragments() -> Vec<Vec<u8>> {
    let settings = WriterSettings { buffer: 512, ..WriterSettings::datagram(7, 1) };
    let mut writer = ContainerWriter::new(settings);
    let mut out = Vec::new();
    let mut emit = |octets: &[u8]| {
        out.push(octets.to_vec());
        Ok::<(), Error>(())
    };
    // An ipconn with a source port and an unknown field of many octets.
    let mut body = b"\x18\x63\x7a\xe8\x07".to_vec();
    body.resize(5 + 1000, b'x');
    let payload = Payload { body: Some(&body), ..crate::tool::ipconn(&[]) };
    writer.write(&payload, None, &mut emit).expect("fits");
    assert!(out.len() > 2, "several fragments");
    out
}

#[test]
fn zm_2_a_message_that_is_no_container_costs_itself() {
    let good = containers(&[1, 1]);
    let fragments = fragments();
    let mut damaged = good[0].clone();
    damaged[11] = 0xff;
    let mut messages: Vec<&[u8]> = vec![
        &good[0],
        b"",
        b"NMSG",
        b"NMSG\0\x02\0\0\0\0",
        b"NMSG\0\x01\0\0",
        b"no container at all",
        &damaged,
        &good[0][..good[0].len() - 1],
    ];
    messages.extend(fragments.iter().rev().map(Vec::as_slice));
    messages.push(&good[1]);
    let ran = fed("pushpull", &messages, &["-J", "-", "-c", "3"]);
    assert_eq!(ran.status, 0, "strangers do not decide the status: {}", ran.stderr);
    assert_eq!(ports(&ran.stdout), [0, 99, 1]);
    for what in [
        "message dropped: container is damaged",
        "in total 3 messages without a usable header, 1 message of a wrong length, \
         1 message that cannot be decoded",
    ] {
        assert!(ran.stderr.contains(what), "{what}: {}", ran.stderr);
    }
    let ran = fed("pubsub", &messages, &["-J", "-", "-c", "3"]);
    assert_eq!(ports(&ran.stdout), [0, 99, 1]);
    assert!(!ran.stderr.contains("bad magic"), "such messages never arrive: {}", ran.stderr);
}

#[test]
fn zm_6_a_message_is_one_container_whatever_its_size() {
    let scratch = Scratch::new();
    let place = places(&scratch)[1].clone();
    let mut body = b"\x7a\xa0\x8d\x06".to_vec();
    body.resize(4 + 100_000, 0);
    let mut writer = ContainerWriter::new(WriterSettings::file(1));
    let mut octets = Vec::new();
    let mut emit = |piece: &[u8]| {
        octets.extend_from_slice(piece);
        Ok::<(), Error>(())
    };
    let small = crate::tool::ipconn(&[0x18, 5]);
    for payload in [small, Payload { body: Some(&body), ..small }, small] {
        writer.write(&payload, None, &mut emit).expect("fits");
    }
    writer.flush(&mut emit).expect("fits");
    let file = scratch.write("in.nmsg", &octets);
    let settings = ReceiverSettings { subscription: None, largest: 1 << 20 };
    let mut pull = Receiver::open(&settings, Direction::Bind, &endpoint(&place)).expect("opens");
    let writing = start(command(["-r", &file, "-S", &format!("{place},pushpull")]));
    let (mut got, until) = (Vec::new(), Instant::now() + LONG);
    while got.len() < 3 && Instant::now() < until {
        match pull.next_part().expect("poll works") {
            Some(part) => got.push(part.body.to_vec()),
            None => drop(pull.wait(&[], Some(until)).expect("poll works")),
        }
    }
    drop(pull);
    assert_eq!(end_of(writing).0.status, 0);
    let lens: Vec<_> = got.iter().map(Vec::len).collect();
    assert!(lens[1] > 100_000 && lens[0] < 200 && lens[2] < 200, "{lens:?}");
    for (message, len) in got.iter().zip(lens) {
        assert!(message.starts_with(b"NMSG\0\x02"), "flags 0: not a fragment");
        assert_eq!(message[6..10], (len as u32 - 10).to_be_bytes());
    }
}

#[test]
fn en_6_what_was_taken_in_is_written_when_a_signal_comes() {
    assert_quick("reading", END, || {
        let scratch = Scratch::new();
        let place = places(&scratch)[1].clone();
        let sender =
            Sender::open(SocketType::Push, Direction::Bind, &endpoint(&place)).expect("opens");
        let out = scratch.text("out.nmsg");
        let reading = start(command(["-L", &format!("{place},connect,pushpull"), "-w", &out]));
        let container = &containers(&[10])[0];
        let until = Instant::now() + LONG;
        for _ in 0..200 {
            while !sender.send(container, 10) {
                assert!(Instant::now() < until, "nobody takes it");
                sender.wait(&[], Some(until)).expect("poll works");
            }
        }
        let lost = sender.close(LONG, || false).expect("closed");
        assert_eq!(lost.undelivered.messages, 0);
        signal(&reading, "TERM");
        let (ran, took) = end_of(reading);
        assert_eq!((ran.status, &*ran.stderr), (1, "nmsgtool: signalled break\n"));
        assert_eq!(ports(&run(["-r", &out, "-J", "-"]).stdout).len(), 2000);
        took
    });
}

#[test]
fn zm_5_endpoints_that_make_no_sense() {
    let scratch = Scratch::new();
    let taken = start(command(["-L", &places(&scratch)[1]]));
    settle(taken.id());
    let ipc = &places(&scratch)[1];
    let input = "nmsg_input_open_zmq_endpoint() failed: ";
    let output = "nmsg_output_open_zmq_endpoint() failed: ";
    for (words, status, want) in [
        (["-L", ""], 2, format!("{input}: there is no address")),
        (["-L", ",accept"], 2, format!("{input},accept: there is no address")),
        (
            ["-L", "tcp://h:1,accept,connect"],
            2,
            format!("{input}tcp://h:1,accept,connect: there are two words for the direction"),
        ),
        (
            ["-L", "tcp://h:1,pubsub,PubSub"],
            2,
            format!("{input}tcp://h:1,pubsub,PubSub: there are two words for the pattern"),
        ),
        (
            ["-L", "udp://h:1"],
            2,
            format!("{input}udp://h:1: unknown transport 'udp' (there are tcp and ipc)"),
        ),
        (["-S", "tcp://h"], 2, format!("{output}tcp://h: no port (a TCP address ends like :5555)")),
        (["-L", ipc], 3, format!("{input}{ipc}: Address already in use")),
        (
            ["-S", "ipc:///nowhere/at/all,accept"],
            4,
            format!("{output}ipc:///nowhere/at/all,accept: No such file or directory"),
        ),
        (["-Z", "nope"], 2, "usage error: zchannel alias lookup failed".to_owned()),
        (["-Z", "udp"], 2, "usage error: zchannel alias needs to be a ZeroMQ endpoint".to_owned()),
    ] {
        let channels = scratch.write("chalias", b"udp 127.0.0.1/5\n");
        let mut program = command(words.into_iter().chain(["-r", "/dev/null"]));
        program.env("NMSG_CHALIAS_FILE", channels);
        let ran: crate::tool::Ran = program.output().expect("starts").into();
        assert_eq!((ran.status, ran.stderr), (status, format!("nmsgtool: {want}\n")), "{words:?}");
    }
    signal(&taken, "TERM");
    assert_eq!(end_of(taken).0.status, 1);
}

#[test]
fn a_zchannel_reads_from_all_its_endpoints() {
    let scratch = Scratch::new();
    let [tcp, ipc] = places(&scratch);
    let line = format!("z {tcp},accept,pushpull {ipc},pushpull,more # two\n");
    let channels = scratch.write("chalias", line.as_bytes());
    let mut program = command(["-dd", "-Z", "z", "-J", "-", "-c", "2"]);
    program.env("NMSG_CHALIAS_FILE", channels);
    let reading = start(program);
    for (place, file) in [&tcp, &ipc].into_iter().zip(["one.nmsg", "two.nmsg"]) {
        let file = scratch.write(file, &containers(&[1]).concat());
        let ran = run(["-r", &file, "-S", &format!("{place},pushpull")]);
        assert_eq!((ran.status, &*ran.stderr), (0, ""));
    }
    let (ran, _) = end_of(reading);
    assert_eq!((ran.status, ports(&ran.stdout)), (0, vec![0, 0]));
    for line in [
        format!("nmsgtool: warning: ',more' ignored in ZeroMQ endpoint {ipc},pushpull,more"),
        "nmsgtool: looking up zchannel 'z'".to_owned(),
        format!("nmsgtool: nmsg ZMQ input: {tcp},accept,pushpull"),
        format!("nmsgtool: nmsg ZMQ input: {ipc},pushpull,more"),
        "nmsgtool: totals: payloads_in 2 payloads_out 2 container_recvs 2 container_drops 0"
            .to_owned(),
    ] {
        assert!(ran.stderr.lines().any(|said| said == line), "{line}: {}", ran.stderr);
    }
}

/// Leaves the reference the time to open what it opens.
fn pause() {
    std::thread::sleep(Duration::from_millis(200));
}

/// The reference's program; `None` where there is none.
#[expect(clippy::print_stdout, reason = "who runs tests wants to know what was left out")]
fn reference() -> Option<PathBuf> {
    let Some(directory) = std::env::var_os("NMSG_REFERENCE") else {
        println!("skipped: NMSG_REFERENCE does not name a reference");
        return None;
    };
    Some(PathBuf::from(directory).join("bin/nmsgtool"))
}

#[test]
fn the_reference_and_we_understand_each_other() {
    let Some(reference) = reference() else { return };
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[N]).concat());
    let theirs = |words: Vec<String>| -> Child {
        let mut program = Command::new(&reference);
        program.args(words).env("NMSG_OPALIAS_FILE", "/dev/null").stdin(Stdio::null());
        start(program)
    };
    for place in places(&scratch) {
        for (reads, writes) in [("accept", "connect"), ("connect", "accept")] {
            for (we_write, first_writes) in
                [(true, true), (true, false), (false, true), (false, false)]
            {
                let name = format!("{place} {reads} {we_write} {first_writes}");
                let input = format!("{place},pushpull,{reads}");
                let words = ["--unbuffered", "-L", &input, "-J", "-", "-c", "15"];
                let output = format!("{place},pushpull,{writes}");
                let write = ["--unbuffered", "-r", &file, "-S", &output].map(str::to_owned);
                let read = words.map(str::to_owned);
                let start_reader =
                    || if we_write { theirs(read.to_vec()) } else { start(command(&read)) };
                let start_writer =
                    || if we_write { start(command(&write)) } else { theirs(write.to_vec()) };
                let (reader, writer) = if first_writes {
                    let writer = start_writer();
                    pause();
                    (start_reader(), writer)
                } else {
                    let reader = start_reader();
                    pause();
                    (reader, start_writer())
                };
                let (ran, _) = end_of(reader);
                assert_eq!((ran.status, ports(&ran.stdout)), (0, all()), "{name}");
                assert_eq!(end_of(writer).0.status, 0, "{name}");
            }
        }
    }
}

/// Starts a run whose peer takes one message and no more, and lets it come to rest.
fn sending_to_somebody_slow(file: &str) -> (Child, Receiver, Scratch) {
    let scratch = Scratch::new();
    let place = places(&scratch)[1].clone();
    let settings = ReceiverSettings { subscription: None, largest: 1 << 20 };
    let mut pull = Receiver::open(&settings, Direction::Bind, &endpoint(&place)).expect("opens");
    let sending = start(command(["-r", file, "-S", &format!("{place},pushpull")]));
    let until = Instant::now() + LONG;
    while pull.next_part().expect("poll works").is_none() {
        assert!(Instant::now() < until, "a message comes");
        pull.wait(&[], Some(until)).expect("poll works");
    }
    settle(sending.id());
    (sending, pull, scratch)
}

#[test]
fn sg_2_a_second_signal_skips_the_wait_for_a_peer() {
    let scratch = Scratch::new();
    let large = scratch.write("large.nmsg", &containers(&[200]).concat().repeat(4000));
    let gave_up = |ran: &crate::tool::Ran, signals: usize| {
        assert_eq!(ran.status, 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(" containers not handed over to a peer\n"), "{}", ran.stderr);
        assert_eq!(ran.stderr.matches("nmsgtool: signalled break\n").count(), signals);
    };
    let (child, _peer, _place) = sending_to_somebody_slow(&large);
    signal(&child, "TERM");
    let (ran, took) = end_of(child);
    gave_up(&ran, 1);
    let linger = Duration::from_millis(900)..Duration::from_secs(10);
    assert!(linger.contains(&took), "one signal leaves the peer a second: {took:?}");
    for second in ["TERM", "INT"] {
        assert_quick("the second one comes later", END, || {
            let (child, _peer, _place) = sending_to_somebody_slow(&large);
            signal(&child, "TERM");
            std::thread::sleep(Duration::from_millis(300));
            signal(&child, second);
            let (ran, took) = end_of(child);
            gave_up(&ran, 2);
            took
        });
    }
    assert_quick("both come at once", END, || {
        let (child, _peer, _place) = sending_to_somebody_slow(&large);
        signal_at_once(&child, &["TERM", "INT"]);
        let (ran, took) = end_of(child);
        gave_up(&ran, 2);
        took
    });
}
