//! UDP in and out.

use crate::tool::{
    END, Ran, Scratch, assert_quick, command, containers, end_of, ipconn, ports, run, settle,
    signal, signal_at_once, start, uninterrupted,
};
use nmsg::Limits;
use nmsg::container::{ContainerWriter, Decoder, WriterSettings};
use std::io::Read;
use std::net::UdpSocket;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A port of the loopback interface that is free now.
pub(crate) fn free_port(address: &str) -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        // Below the ports that the system gives away by itself: until the program opens it, nobody
        // else is given this one.
        let serial = NEXT.fetch_add(1, Ordering::Relaxed);
        let offset = std::process::id().wrapping_mul(61).wrapping_add(serial) % 20_000;
        let port = 12_000 + offset as u16;
        if UdpSocket::bind((address, port)).is_ok() {
            return port;
        }
    }
}

/// Starts the program and waits until it listens: the pid file comes after the sockets.
pub(crate) fn start_listening(scratch: &Scratch, mut listening: Command) -> Child {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let serial = NEXT.fetch_add(1, Ordering::Relaxed);
    let pid_file = scratch.text(&format!("pid{serial}"));
    listening.args(["-P", &pid_file]);
    let mut child = start(listening);
    drop(child.stdin.take());
    let start = Instant::now();
    while !std::fs::exists(&pid_file).expect("a directory") {
        assert!(start.elapsed() < Duration::from_secs(20), "the program does not start");
        if child.try_wait().expect("the program is ours").is_some() {
            let (ran, _) = end_of(child);
            panic!("the program has ended: {ran:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

/// Starts a listener that ends after `count` payloads, which it shows as JSON.
fn listener(scratch: &Scratch, address: &str, count: usize, more: &[&str]) -> Child {
    let count = count.to_string();
    let mut listening = command(["-l", address, "-c", &count, "-J", "-"]);
    listening.args(more);
    start_listening(scratch, listening)
}

fn sends(address: &str, file: &str, more: &[&str]) -> Ran {
    run(["-r", file, "-s", address].iter().chain(more))
}

/// A socket that sends to a listener.
fn sender(port: u16) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.connect(("127.0.0.1", port)).expect("an address");
    socket
}

/// Containers as a UDP output makes them, one payload each; the source ports count up from 0.
fn numbered_containers(count: usize, sequence_id: u64) -> Vec<Vec<u8>> {
    let settings = WriterSettings { unbuffered: true, ..WriterSettings::datagram(sequence_id, 1) };
    let mut writer = ContainerWriter::new(settings);
    let mut all = Vec::new();
    let mut emit = |octets: &[u8]| {
        all.push(octets.to_vec());
        Ok::<(), nmsg::Error>(())
    };
    for port in 0..count {
        let body = [0x18, port as u8 & 0x7f];
        writer.write(&ipconn(&body), None, &mut emit).expect("fits");
    }
    all
}

#[test]
fn payloads_arrive_in_order_and_unchanged() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[60, 40]).concat());
    let want: Vec<u32> = (0..100).collect();
    for (address, bracketed) in [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")] {
        for more in [&[][..], &["-z"], &["-m", "512"], &["-m", "512", "-z"], &["--unbuffered"]] {
            let port = free_port(address);
            let to = format!("{bracketed}/{port}");
            let child = listener(&scratch, &format!("{address}/{port}"), 100, &[]);
            let sent = sends(&to, &file, more);
            assert_eq!((sent.status, &*sent.stderr), (0, ""), "{to} {more:?}");
            let (ran, _) = end_of(child);
            assert_eq!((ran.status, &*ran.stderr), (0, ""), "{to} {more:?}");
            assert_eq!(ports(&ran.stdout), want, "{to} {more:?}");
        }
    }
}

#[test]
fn sk_3_large_payloads_are_sent_in_fragments_with_a_notice() {
    let scratch = Scratch::new();
    let text = "x".repeat(300_000);
    let line = format!(
        "{{\"vname\":\"base\",\"mname\":\"logline\",\"message\":{{\"message\":\"{text}\"}}}}\n"
    );
    let file = scratch.write("in.json", line.as_bytes());
    for (more, limit) in [(&["-m", "1000000"][..], Some("65507")), (&[], None)] {
        let port = free_port("127.0.0.1");
        let address = format!("127.0.0.1/{port}");
        let got = scratch.text("got.json");
        let listening = command(["-l", &address, "-c", "1", "-J", &got, "--stats"]);
        let child = start_listening(&scratch, listening);
        let sent = run(["-j", &file, "-s", &address, "--stats"].iter().chain(more));
        assert_eq!(sent.status, 0, "{}", sent.stderr);
        match limit {
            None => assert!(!sent.stderr.contains("warning"), "{}", sent.stderr),
            Some(limit) => {
                let want = format!("are limited to {limit} bytes instead of 1000000");
                assert!(sent.stderr.contains(&want), "{}", sent.stderr);
            }
        }
        let (ran, _) = end_of(child);
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        assert!(String::from_utf8_lossy(&scratch.read("got.json")).contains(&text), "{more:?}");
        let octets = |text: &str, what: &str| {
            let line = text.lines().find(|line| line.starts_with(what)).unwrap_or_default();
            line.split(' ').rev().nth(1).unwrap_or_default().to_owned()
        };
        let [sent, got] = [octets(&sent.stderr, "output 127"), octets(&ran.stderr, "input 127")];
        assert_eq!(sent, got, "every octet sent is one received");
    }
}

#[test]
fn sk_1_malformed_datagrams_are_counted_said_once_and_no_failure() {
    let scratch = Scratch::new();
    let port = free_port("127.0.0.1");
    let child = listener(&scratch, &format!("127.0.0.1/{port}"), 2, &["--stats"]);
    let socket = sender(port);
    let [first, second] = numbered_containers(2, 7).try_into().expect("two");
    let mut undecodable = first.clone();
    let last = undecodable.len() - 1;
    undecodable[10] = 0x0b;
    for datagram in [
        &b""[..],
        b"x",
        b"not a container at all",
        b"neither",
        &first[..last],
        &undecodable,
        &undecodable,
        b"NMSG\x01\x02\0\0\0\x02xx",
        b"NMSG\x02\x02\0\0\0\x08\x08\x01\x10\x02\x18\x01\x22\0",
        &first,
        &second,
    ] {
        socket.send(datagram).expect("sent");
    }
    let (ran, _) = end_of(child);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(ports(&ran.stdout), [0, 1]);
    for want in [
        "no container where one should start: bad magic",
        "3 messages without a usable header",
        "1 message of a wrong length",
        "3 messages that cannot be decoded",
        "1 fragment refused",
    ] {
        assert!(ran.stderr.contains(want), "{want}\n{}", ran.stderr);
    }
    let said = ran.stderr.lines().filter(|line| line.contains("message dropped")).count();
    assert_eq!(said, 4, "once for each kind\n{}", ran.stderr);
}

#[test]
fn sk_2_a_receiver_that_is_not_there_is_status_5() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[15]).concat());
    let address = format!("127.0.0.1/{}", free_port("127.0.0.1"));
    let copy = scratch.text("copy.json");
    let ran = run(["-r", &file, "-s", &address, "--unbuffered", "-J", &copy, "--mirror"]);
    assert_eq!(ran.status, 5);
    let said: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(
        said,
        [
            format!("nmsgtool: {address}: a datagram was not delivered: Connection refused"),
            format!("nmsgtool: {address}: 15 of 15 datagrams not delivered: 15 refused"),
        ]
    );
    assert_eq!(ports(&scratch.read("copy.json")).len(), 15, "the other output has everything");
}

#[test]
fn sk_2_after_a_signal_the_status_is_that_of_the_signal() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[15]).concat());
    let address = format!("127.0.0.1/{}", free_port("127.0.0.1"));
    let fifo = scratch.fifo("fifo");
    let (sent, listened) = (["-r", &file, "-s", &address], ["-r", &fifo, "--unbuffered"]);
    let child = start(command(sent.iter().chain(&listened)));
    settle(child.id());
    signal(&child, "TERM");
    let (ran, _) = end_of(child);
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("15 of 15 datagrams not delivered"), "{}", ran.stderr);
}

#[test]
fn sockets_that_cannot_be_opened() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[1]).concat());
    let elsewhere = "192.0.2.77/5000";
    let listened = run(["-l", elsewhere]);
    assert_eq!(
        (listened.status, &*listened.stderr),
        (
            3,
            "nmsgtool: unable to listen on 192.0.2.77/5000: bind: Cannot assign requested address\n"
        )
    );
    let sent = run(["-r", &file, "-s", "fe80::1/5000"]);
    assert_eq!(
        (sent.status, &*sent.stderr),
        (4, "nmsgtool: unable to send to fe80::1/5000: connect: Invalid argument\n")
    );
    let unknown = run(["-l", "no-such-host.invalid/5000"]);
    assert_eq!(unknown.status, 3, "{}", unknown.stderr);
    let checked = run(["-l", "127.0.0.1/0"]);
    assert_eq!(
        (checked.status, &*checked.stderr),
        (2, "getsock: invalid port number\nnmsgtool: usage error: bad -l socket\n")
    );
}

#[test]
fn sk_4_datagrams_are_paced() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[15]).concat());
    let port = free_port("127.0.0.1");
    let child = listener(&scratch, &format!("127.0.0.1/{port}"), 15, &[]);
    let start = Instant::now();
    let sent = sends(&format!("127.0.0.1/{port},50"), &file, &["--unbuffered"]);
    let took = start.elapsed();
    assert_eq!(sent.status, 0, "{}", sent.stderr);
    assert!(took >= Duration::from_millis(279), "{took:?}: 15 datagrams at 50 a second");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(end_of(child).0.status, 0);
}

#[test]
fn sk_6_groups_names_and_zones() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[3]).concat());
    let port = free_port("127.0.0.1");
    for (listen, send) in
        [("localhost", "localhost"), ("239.255.77.3%lo", "239.255.77.3%lo"), ("::1%lo", "[::1]")]
    {
        let child = listener(&scratch, &format!("{listen}/{port}"), 3, &[]);
        let sent = sends(&format!("{send}/{port}"), &file, &["--ttl", "0"]);
        assert_eq!(sent.status, 0, "{send}: {}", sent.stderr);
        let (ran, _) = end_of(child);
        assert_eq!(ports(&ran.stdout), [0, 1, 2], "{listen}");
    }
}

#[test]
fn sk_7_two_programs_may_listen_on_one_port() {
    let scratch = Scratch::new();
    let port = free_port("127.0.0.1");
    let address = format!("127.0.0.1/{port}");
    let children = [listener(&scratch, &address, 1, &[]), listener(&scratch, &address, 1, &[])];
    // The system spreads senders over the listeners.
    let datagram = numbered_containers(1, 1).remove(0);
    let start = Instant::now();
    let mut children = children.map(Some);
    while children.iter().any(Option::is_some) {
        assert!(start.elapsed() < Duration::from_secs(20), "one of them gets nothing");
        sender(port).send(&datagram).expect("sent");
        for child in &mut children {
            let has_ended = child.as_mut().is_some_and(|c| c.try_wait().expect("ours").is_some());
            if has_ended && let Some(child) = child.take() {
                assert_eq!(end_of(child).0.status, 0);
            }
        }
    }
}

#[test]
fn sk_8_what_was_lost_on_the_way_is_counted() {
    let scratch = Scratch::new();
    let port = free_port("127.0.0.1");
    let child = listener(&scratch, &format!("127.0.0.1/{port}"), 9, &["--stats", "-dd"]);
    let socket = sender(port);
    let sent = numbered_containers(12, 99);
    // 3, 7 and 8 are missing; 5 comes late, 9 twice.
    for number in [0, 1, 2, 4, 6, 5, 9, 9, 10, 11] {
        socket.send(&sent[number]).expect("sent");
    }
    let (ran, _) = end_of(child);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(ports(&ran.stdout).len(), 9);
    assert!(ran.stderr.contains("3 containers lost on the way"), "{}", ran.stderr);
    assert!(ran.stderr.contains(" container_drops 3\n"), "{}", ran.stderr);
}

#[test]
fn channels_are_listened_on() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[4]).concat());
    let [one, two] = [free_port("127.0.0.1"), free_port("127.0.0.1")];
    let aliases = scratch.write(
        "chalias",
        format!("# test\nch1 127.0.0.1/{one}\nother 127.0.0.1/1\nch1 127.0.0.1/{two},5\n")
            .as_bytes(),
    );
    let mut listening = command(["-C", "ch1", "-c", "8", "-J", "-"]);
    listening.env("NMSG_CHALIAS_FILE", &aliases);
    let child = start_listening(&scratch, listening);
    for port in [one, two] {
        assert_eq!(sends(&format!("127.0.0.1/{port}"), &file, &[]).status, 0);
    }
    let (ran, _) = end_of(child);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(ports(&ran.stdout).len(), 8);
    let want = format!("warning: ',5' ignored in channel endpoint 127.0.0.1/{two},5");
    assert!(ran.stderr.contains(&want), "{}", ran.stderr);
    let mut missing = command(["-C", "nobody"]);
    missing.env("NMSG_CHALIAS_FILE", &aliases);
    let missing: Ran = missing.output().expect("the program starts").into();
    assert_eq!(
        (missing.status, &*missing.stderr),
        (2, "nmsgtool: usage error: channel alias lookup failed\n")
    );
}

#[test]
fn sg_1_a_signal_ends_listening() {
    let scratch = Scratch::new();
    let ports = [free_port("127.0.0.1"), free_port("127.0.0.1")];
    let [one, two] = ports.map(|port| format!("127.0.0.1/{port}"));
    for arguments in [vec!["-l", &*one], vec!["-l", &*one, "-l", &*two]] {
        for name in ["INT", "TERM"] {
            let out = scratch.text("out.nmsg");
            assert_quick(name, END, || {
                let mut listening = command(&arguments);
                listening.args(["-w", &out]);
                let child = start_listening(&scratch, listening);
                sender(ports[0]).send(&numbered_containers(1, 1)[0]).expect("sent");
                settle(child.id());
                signal(&child, name);
                let (ran, took) = end_of(child);
                assert_eq!(ran.status, 1, "{arguments:?}: {}", ran.stderr);
                assert_eq!(ran.stderr, "nmsgtool: signalled break\n");
                assert!(!scratch.read("out.nmsg").is_empty(), "what was received is written");
                took
            });
        }
    }
}

#[test]
fn en_3_an_interval_ends_listening_without_traffic() {
    let scratch = Scratch::new();
    for extra in [0, 1] {
        let mut listening = command(["-t", "1", "-J", "-"]);
        for _ in 0..=extra {
            listening.args(["-l", &format!("127.0.0.1/{}", free_port("127.0.0.1"))]);
        }
        let child = start_listening(&scratch, listening);
        let (ran, took) = end_of(child);
        assert_eq!((ran.status, &*ran.stderr), (0, ""));
        assert!(took < Duration::from_secs(20), "{took:?}");
    }
}

#[test]
fn en_1_a_count_ends_listening_at_once() {
    let scratch = Scratch::new();
    let port = free_port("127.0.0.1");
    let mut child = listener(&scratch, &format!("127.0.0.1/{port}"), 3, &[]);
    let socket = sender(port);
    for datagram in numbered_containers(5, 3) {
        socket.send(&datagram).expect("sent");
    }
    let mut shown = Vec::new();
    child.stdout.take().expect("a pipe").read_to_end(&mut shown).expect("text");
    assert_eq!(ports(&shown), [0, 1, 2]);
    assert_eq!(end_of(child).0.status, 0);
}

#[test]
fn cw_4_cw_5_containers_are_numbered_in_the_order_in_which_they_leave() {
    let scratch = Scratch::new();
    let files: Vec<String> =
        (0..4).map(|n| scratch.write(&format!("in{n}"), &containers(&[25]).concat())).collect();
    let receiver = UdpSocket::bind("127.0.0.1:0").expect("a port");
    receiver.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let address = format!("127.0.0.1/{}", receiver.local_addr().unwrap().port());
    for more in [&["--unbuffered"][..], &["-m", "512"], &["-m", "512", "-z"]] {
        let inputs = files.iter().flat_map(|file| ["-r", file]);
        let ran = run(inputs.chain(["-s", &address]).chain(more.iter().copied()));
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{more:?}");
        let mut decoder = Decoder::new(&Limits::default());
        let (mut numbers, mut ids, mut payloads) = (Vec::new(), Vec::new(), 0);
        while payloads < 100 {
            let mut datagram = [0; 2048];
            let datagram = receive(&receiver, &mut datagram);
            let decoded = decoder.decode_message(datagram, (), Duration::ZERO).unwrap();
            let container = decoded.expect("no fragments");
            numbers.push(container.sequence().expect("a number"));
            ids.push(container.sequence_id().expect("an id"));
            payloads += container.len();
        }
        let want: Vec<u32> = (0..numbers.len() as u32).collect();
        assert_eq!(numbers, want, "{more:?}");
        ids.dedup();
        assert_eq!(ids.len(), 1, "{more:?}");
    }
}

/// Waits for a datagram.
fn receive<'d>(socket: &UdpSocket, datagram: &'d mut [u8]) -> &'d [u8] {
    let len = uninterrupted(|| socket.recv(datagram)).expect("a datagram");
    &datagram[..len]
}

#[test]
fn cw_7_what_waits_is_written_after_the_flush_interval() {
    for threads in ["1", "2"] {
        let scratch = Scratch::new();
        let port = free_port("127.0.0.1");
        let receiver = UdpSocket::bind("127.0.0.1:0").expect("a port");
        receiver.set_read_timeout(Some(Duration::from_secs(20))).expect("it is right");
        let [from, to] = [port, receiver.local_addr().expect("it is right").port()];
        let [from, to] = [from, to].map(|port| format!("127.0.0.1/{port}"));
        let out = scratch.text(&format!("out{threads}"));
        let relay = ["-l", &from, "-s", &to, "-w", &out, "--mirror", "--threads", threads];
        let mut relaying = command(relay);
        relaying.args(["--flush-interval", "1"]);
        let child = start_listening(&scratch, relaying);
        let socket = sender(port);
        let start = Instant::now();
        for datagram in numbered_containers(3, 1) {
            socket.send(&datagram).expect("sent");
            std::thread::sleep(Duration::from_millis(200));
        }
        // What interrupts its waits in the meantime changes nothing.
        signal_at_once(&child, &["USR1"]);
        let mut datagram = [0; 2048];
        let datagram = receive(&receiver, &mut datagram);
        let waited = start.elapsed();
        assert!((900..5000).contains(&waited.as_millis()), "{waited:?} with {threads} threads");
        let mut decoder = Decoder::new(&Limits::default());
        let decoded = decoder.decode_message(datagram, (), Duration::ZERO).expect("it is right");
        assert_eq!(decoded.expect("a container").len(), 3, "together, {threads} threads");
        let mut file = Vec::new();
        while file.is_empty() {
            assert!(start.elapsed() < Duration::from_secs(20), "every output, {threads} threads");
            file = std::fs::read(&out).expect("a file");
        }
        signal(&child, "TERM");
        assert_eq!(end_of(child).0.status, 1);
        assert_eq!(std::fs::read(&out).expect("a file"), file, "and nothing more");
    }
}
