//! Datagrams of strangers.

use crate::ledger::{balanced, count_of};
use crate::memory::{MIB, Measured, Measuring};
use crate::tool::{Scratch, containers, ports, settle, signal_process};
use nmsg::wire::{put_len_field, put_varint_field};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

/// Datagrams after which the program is left to read what it has.
const BURST: usize = 50;

/// A listener and a sender to it.
struct Listening {
    measuring: Measuring,
    process: u32,
    socket: UdpSocket,
    sent: usize,
    scratch: Scratch,
}

impl Listening {
    fn new(count: usize) -> Self {
        Self::with(count, &[])
    }

    fn with(count: usize, more: &[&str]) -> Self {
        let scratch = Scratch::new();
        let free = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("bound").port();
        drop(free);
        let (address, count) = (format!("127.0.0.1/{port}"), count.to_string());
        let (pid, out) = (scratch.text("pid"), scratch.text("out.json"));
        let words = ["-l", &address, "-c", &count, "-J", &out, "--stats", "-P", &pid];
        let measuring = Measuring::start(&[&words, more].concat());
        let start = Instant::now();
        let process = loop {
            assert!(start.elapsed() < Duration::from_secs(20), "the program does not start");
            std::thread::sleep(Duration::from_millis(2));
            let text = std::fs::read_to_string(scratch.path("pid")).unwrap_or_default();
            if let Some(number) = text.strip_suffix('\n') {
                break number.parse().expect("a number");
            }
        };
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.connect(("127.0.0.1", port)).expect("an address");
        Self { measuring, process, socket, sent: 0, scratch }
    }

    /// Sends a datagram; none of them is too fast.
    fn send(&mut self, datagram: &[u8]) {
        self.socket.send(datagram).expect("sent");
        self.sent += 1;
        if self.sent.is_multiple_of(BURST) {
            settle(self.process);
        }
    }

    fn end(self) -> (Measured, Vec<u32>) {
        let ran = self.measuring.end();
        (ran, ports(&self.scratch.read("out.json")))
    }
}

fn fragment(id: u64, current: u64, last: u64, octets: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (number, value) in [(1, id), (2, current), (3, last)] {
        put_varint_field(&mut body, number, value);
    }
    put_len_field(&mut body, 4, octets);
    let mut datagram = b"NMSG\x02\x02".to_vec();
    datagram.extend_from_slice(&(body.len() as u32).to_be_bytes());
    datagram.extend_from_slice(&body);
    datagram
}

#[test]
fn sk_1_garbage_between_good_datagrams_costs_itself() {
    const GOOD: usize = 120;
    let good = containers(&[1; GOOD]);
    let mut listening = Listening::new(GOOD);
    let mut state = 7_u64;
    for (at, datagram) in good.iter().enumerate() {
        let mut noise = [0; 40];
        for octet in &mut noise {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *octet = (state >> 33) as u8;
        }
        noise[0] = b'X';
        let mut damaged = datagram.clone();
        damaged[10] = 0x0b;
        listening.send(&noise[..1 + at % 40]);
        listening.send(b"NMSG\0\x02\0\0\0\0");
        listening.send(b"NMSG\0\x02\0\0\0\x05");
        listening.send(&datagram[..datagram.len() - 1]);
        listening.send(&damaged);
        listening.send(&fragment(1, 5, 4, b"x"));
        listening.send(b"");
        listening.send(datagram);
    }
    let (Measured { ran, .. }, ports) = listening.end();
    assert_eq!(ran.status, 0, "strangers do not decide the status: {}", ran.stderr);
    let want: Vec<u32> = (0..GOOD as u32).map(|n| n & 0x7f).collect();
    assert_eq!(ports, want);
    assert_eq!(balanced(&ran), (GOOD as u64, GOOD as u64));
    let summary = ran.stderr.lines().find(|line| line.starts_with("input ")).expect("a line");
    for (what, count) in [
        ("messages without a usable header", GOOD),
        ("messages of a wrong length", 2 * GOOD),
        ("messages that cannot be decoded", GOOD),
        ("fragments refused", GOOD),
        // A header alone is an empty container.
        ("containers,", 2 * GOOD),
    ] {
        assert_eq!(count_of(summary, what), count as u64, "{what}: {summary}");
    }
    let said = ran.stderr.lines().filter(|line| line.starts_with("nmsgtool: ")).count();
    assert!(said <= 6, "each thing is said once: {}", ran.stderr);
}

#[test]
fn fr_4_floods_of_fragments_stay_within_their_budget() {
    /// What waits, and what a program needs anyway.
    const LIMIT: u64 = (64 + 24) * MIB;
    type Flood = fn(u64) -> Vec<u8>;
    // How many datagrams, and how many of them at once.
    let floods: [(&str, u64, u64, Flood); 4] = [
        ("large pieces of many sets", 2_000, 200, |n| fragment(n, 0, 65_535, &[b'x'; 60_000])),
        ("tiny pieces of many sets", 150_000, 3_000, |n| fragment(n, 0, 65_535, b"x")),
        ("one large set", 65_000, 3_000, |n| fragment(1, n * 7919 % 65_536, 65_535, b"xyz")),
        ("empty pieces", 150_000, 3_000, |n| fragment(n % 30_000, n / 30_000, 65_535, b"")),
    ];
    for (name, count, burst, make) in floods {
        let mut listening = Listening::new(1000);
        let good = containers(&[1]).remove(0);
        let mut sent = 0;
        for n in 0..count {
            listening.socket.send(&make(n)).expect("sent");
            if n % burst == 0 {
                settle(listening.process);
                listening.send(&good);
                sent += 1;
            }
        }
        settle(listening.process);
        signal_process(listening.process, "TERM");
        let (measured, ports) = listening.end();
        let ran = &measured.ran;
        assert_eq!(ran.status, 1, "{name}: {}", ran.stderr);
        assert_eq!(ports.len(), sent, "{name}: the others come through: {}", ran.stderr);
        assert_eq!(balanced(ran), (sent as u64, sent as u64), "{name}");
        assert!(ran.stderr.contains(" given up"), "{name}: {}", ran.stderr);
        measured.assert_peak(name, LIMIT);
    }
}

#[test]
fn cr_3_datagrams_that_inflate_are_taken_one_by_one() {
    const COUNT: usize = 200;
    let bomb = crate::memory::container(&vec![0; 15 * MIB as usize], true);
    assert!(bomb.len() < 60_000, "{}", bomb.len());
    let good = containers(&[1; 5]);
    for threads in ["1", "2"] {
        let mut listening = Listening::with(good.len(), &["--threads", threads]);
        for bombs in [&bomb; COUNT].chunks(COUNT / good.len()) {
            bombs.iter().for_each(|bomb| drop(listening.socket.send(bomb)));
            settle(listening.process);
        }
        good.iter().for_each(|datagram| listening.send(datagram));
        let (measured, ports) = listening.end();
        assert_eq!(measured.ran.status, 0, "{}", measured.ran.stderr);
        assert_eq!(ports.len(), good.len());
        balanced(&measured.ran);
        assert!(measured.ran.stderr.contains(&format!("{COUNT} messages that cannot be decoded")));
        measured.assert_peak(&format!("bombs, {threads} threads"), 160 * MIB);
    }
}
