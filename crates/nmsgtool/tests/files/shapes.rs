//! Inputs of unusual shapes: very many containers, senders, files. Measured at full size by
//! `cargo xtask bench --shapes`.

use crate::sockets::{free_port, start_listening};
use crate::tool::{Ran, Scratch, command, containers, end_of, ipconn, ports, run, start};
use nmsg::container::{ContainerWriter, WriterSettings};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::net::UdpSocket;
use std::thread;
use std::time::Duration;

/// How many records came from each of several inputs, whose payloads have their number as port.
fn by_port(json: &[u8]) -> BTreeMap<u32, usize> {
    let mut counts = BTreeMap::new();
    for port in ports(json) {
        *counts.entry(port).or_default() += 1;
    }
    counts
}

/// Containers with so many payloads each, all with this source port.
fn of_port(port: u8, sizes: &[usize], settings: WriterSettings) -> Vec<Vec<u8>> {
    let mut writer = ContainerWriter::new(settings);
    let mut all = Vec::new();
    let mut emit = |octets: &[u8]| {
        all.push(octets.to_vec());
        Ok::<(), nmsg::Error>(())
    };
    for size in sizes {
        for _ in 0..*size {
            writer.write(&ipconn(&[0x18, port]), None, &mut emit).expect("fits");
        }
        writer.flush(&mut emit).expect("fits");
    }
    all
}

#[test]
fn containers_of_one_payload_are_containers_like_others() {
    let scratch = Scratch::new();
    const COUNT: usize = 20_000;
    let input = scratch.write("in.nmsg", &containers(&[1; COUNT]).concat());
    let ran = run(["--stats", "-r", &input, "-J", "-"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let want: Vec<u32> = (0..256).cycle().take(COUNT).map(|port| port & 0x7f).collect();
    assert!(ports(&ran.stdout) == want, "order or number of payloads");
    assert!(ran.stderr.contains("20000 payloads in, 20000 passed on; 20000 containers"));
}

#[test]
fn fifty_files_and_fifty_pipes_are_read_at_once() {
    const INPUTS: u8 = 50;
    const SIZES: [usize; 3] = [40, 1, 59];
    let scratch = Scratch::new();
    let octets = |port| of_port(port, &SIZES, WriterSettings::file(1)).concat();
    let want: BTreeMap<u32, usize> =
        (0..2 * INPUTS).map(|port| (port.into(), SIZES.iter().sum())).collect();
    let mut arguments = vec!["--stats".to_owned(), "-J".to_owned(), "-".to_owned()];
    let mut fifos = Vec::new();
    for port in 0..INPUTS {
        let file = scratch.write(&format!("file{port}"), &octets(port));
        let fifo = scratch.fifo(&format!("fifo{port}"));
        arguments.extend(["-r".to_owned(), file, "-r".to_owned(), fifo.clone()]);
        fifos.push(fifo);
    }
    let child = start(command(arguments));
    let writers: Vec<_> = (INPUTS..2 * INPUTS)
        .zip(fifos)
        .map(|(port, fifo)| {
            let octets = octets(port);
            thread::spawn(move || {
                let mut pipe = OpenOptions::new().write(true).open(fifo).expect("a reader");
                // In pieces, so that all of them are open for a while.
                octets.chunks(500).for_each(|piece| pipe.write_all(piece).expect("it is read"));
            })
        })
        .collect();
    let ran: Ran = child.wait_with_output().expect("it ends").into();
    writers.into_iter().for_each(|writer| writer.join().expect("written"));
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(by_port(&ran.stdout), want);
    assert!(ran.stderr.contains("total: 10000 payloads in, 10000 out, balanced"), "{}", ran.stderr);
}

#[test]
fn two_thousand_senders_share_a_port() {
    const SENDERS: usize = 2000;
    const EACH: usize = 3;
    let scratch = Scratch::new();
    let port = free_port("127.0.0.1");
    let address = format!("127.0.0.1/{port}");
    let count = (SENDERS * EACH).to_string();
    let shown = scratch.text("shown.json");
    let listening = command(["--stats", "-l", &address, "-c", &count, "-J", &shown]);
    let child = start_listening(&scratch, listening);
    let settings = |id| WriterSettings { unbuffered: true, ..WriterSettings::datagram(id, 1) };
    // Descriptors are few on some machines: a sender is an address and a stream of its own.
    let sockets: Vec<UdpSocket> = (0..100)
        .map(|_| {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
            socket.connect(("127.0.0.1", port)).expect("an address");
            socket
        })
        .collect();
    let streams: Vec<Vec<Vec<u8>>> = (0..SENDERS)
        .map(|sender| of_port((sender % 128) as u8, &[1; EACH], settings(sender as u64 + 1)))
        .collect();
    // In turn, so that the program has to tell them apart.
    for round in 0..EACH {
        for (sender, stream) in streams.iter().enumerate() {
            let sent = sockets[sender % sockets.len()].send(&stream[round]);
            sent.expect("room for a datagram");
            if sender % 50 == 0 {
                thread::sleep(Duration::from_millis(1));
            }
        }
    }
    let (ran, _) = end_of(child);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let payloads = SENDERS * EACH;
    assert_eq!(by_port(&scratch.read("shown.json")).values().sum::<usize>(), payloads);
    let account = format!("{payloads} payloads in, {payloads} passed on; {payloads} containers");
    assert!(ran.stderr.contains(&account), "{}", ran.stderr);
    assert!(!ran.stderr.contains("lost on the way"), "{}", ran.stderr);
}
