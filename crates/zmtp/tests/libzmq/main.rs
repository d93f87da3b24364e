//! Sockets of this crate with peers made of the system's libzmq.

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests share it")]
mod support;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use support::*;
use zmtp::{Count, Direction, Endpoint, Sender, SocketType};

#[expect(clippy::print_stdout, reason = "who runs tests wants to know what was left out")]
fn skip(reason: &str) {
    println!("skipped: {reason}");
}

/// The compiled peer; `None` where libzmq is missing, which only a CI run must not accept.
fn peer_program() -> Option<&'static PathBuf> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let compiled = PROGRAM.get_or_init(|| {
        let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("libzmq-peer");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/libzmq/peer.c");
        let compiles = || {
            let mut compiler = Command::new("cc");
            compiler.args(["-Wall", "-o"]).arg(&program).arg(source).arg("-lzmq");
            compiler.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        let must_work = std::env::var_os("CI").is_some_and(|value| value == "true");
        if compiles() {
            return Some(program);
        }
        if must_work {
            let install = ["install", "--yes", "--no-install-recommends", "libzmq3-dev"];
            let _ = Command::new("apt-get").args(install).stdout(Stdio::null()).status();
            assert!(compiles(), "libzmq3-dev cannot be installed");
            return Some(program);
        }
        None
    });
    if compiled.is_none() {
        skip("there is no libzmq to test with (package libzmq3-dev)");
    }
    compiled.as_ref()
}

/// A running peer.
struct Peer {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts a peer and waits until its socket is open.
    fn start(kind: &str, direction: &str, at: &Endpoint, task: &[&str]) -> Option<Self> {
        let program = peer_program()?;
        let mut child = Command::new(program)
            .args([kind, direction, &at.to_string()])
            .args(task)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the peer starts");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("readable");
        assert_eq!(line, "ready\n");
        Some(Self { child, output })
    }

    /// Waits for the end; gives the numbers received, and how many messages were dealt with.
    fn finish(mut self) -> (Vec<usize>, usize) {
        let mut numbers = Vec::new();
        let mut total = None;
        for line in (&mut self.output).lines() {
            let line = line.expect("text");
            match line.strip_prefix("end ") {
                Some(count) => total = count.parse().ok(),
                None => numbers.push(line.parse().expect("a number")),
            }
        }
        assert!(self.child.wait().expect("a child").success());
        (numbers, total.expect("an end"))
    }

    fn kill(mut self) {
        self.child.kill().expect("a child");
        self.child.wait().expect("a child");
    }
}

const N: usize = 3000;

#[test]
fn push_to_libzmq_in_every_start_order() {
    for place in places() {
        for (name, we_bind, we_start) in [
            ("we accept", true, true),
            ("we connect and are first", false, true),
            ("we connect and are second", false, false),
        ] {
            let (ours, theirs) =
                if we_bind { (Direction::Bind, "connect") } else { (Direction::Connect, "bind") };
            let task = ["recv", &N.to_string(), "10000"];
            let open = || Sender::open(SocketType::Push, ours, &place).unwrap();
            let early = we_start.then(open);
            let Some(peer) = Peer::start("PULL", theirs, &place, &task) else { return };
            let push = early.unwrap_or_else(open);
            (0..N).for_each(|n| send(&push, &message(n, n % 9000)));
            let lost = push.close(Duration::from_secs(10), || false).unwrap();
            assert_eq!(lost.undelivered, Count::default(), "{name}, {place}");
            assert_eq!(peer.finish(), ((0..N).collect(), N), "{name}, {place}");
        }
    }
}

#[test]
fn pull_from_libzmq_in_every_start_order() {
    for place in places() {
        for (name, we_bind, we_start) in [
            ("we accept and are first", true, true),
            ("we accept and are second", true, false),
            ("we connect", false, false),
        ] {
            let (ours, theirs) =
                if we_bind { (Direction::Bind, "connect") } else { (Direction::Connect, "bind") };
            let task = ["send", &N.to_string(), "5000"];
            let early = we_start.then(|| pull(ours, &place));
            let Some(peer) = Peer::start("PUSH", theirs, &place, &task) else { return };
            let mut pull = early.unwrap_or_else(|| pull(ours, &place));
            let numbers = receive_numbers(&mut pull, N, LONG);
            assert_eq!(numbers, (0..N).collect::<Vec<_>>(), "{name}, {place}");
            assert_eq!(peer.finish().1, N);
        }
    }
}

#[test]
fn libzmq_subscribes_to_us() {
    for place in places() {
        for (ours, theirs) in [(Direction::Bind, "connect"), (Direction::Connect, "bind")] {
            let publisher = Sender::open(SocketType::Pub, ours, &place).unwrap();
            let Some(peer) = Peer::start("SUB", theirs, &place, &["recv", "20", "10000"]) else {
                return;
            };
            // Until the subscription has arrived everything is lost, as it should be.
            let (mut n, until) = (0, Instant::now() + LONG);
            std::thread::scope(|scope| {
                let finishing = scope.spawn(|| peer.finish());
                while !finishing.is_finished() {
                    assert!(Instant::now() < until, "never enough");
                    assert!(publisher.send(b"unwanted, and of some length", 1));
                    assert!(publisher.send(&message(n, 0), 1));
                    n += 1;
                    std::thread::sleep(Duration::from_millis(1));
                }
                let (numbers, _) = finishing.join().unwrap();
                assert_eq!(numbers.len(), 20);
                let first = numbers[0];
                assert_eq!(numbers, (first..first + 20).collect::<Vec<_>>(), "{place}");
            });
        }
    }
}

#[test]
fn we_subscribe_to_libzmq() {
    for place in places() {
        for (ours, theirs) in [(Direction::Connect, "bind"), (Direction::Bind, "connect")] {
            let early = (ours == Direction::Bind).then(|| sub(ours, &place, "NMSG"));
            let task = ["send", "400", "100", "1"];
            let Some(peer) = Peer::start("PUB", theirs, &place, &task) else { return };
            let mut subscriber = early.unwrap_or_else(|| sub(ours, &place, "NMSG"));
            let numbers = receive_numbers(&mut subscriber, 100, LONG);
            let first = numbers[0];
            assert_eq!(numbers, (first..first + 100).collect::<Vec<_>>(), "{place}");
            drop(subscriber);
            assert_eq!(peer.finish().1, 400);
        }
    }
}

#[test]
fn a_libzmq_receiver_that_comes_back_gets_the_rest() {
    for place in places() {
        let push = Sender::open(SocketType::Push, Direction::Connect, &place).unwrap();
        (0..100).for_each(|n| send(&push, &message(n, 0)));
        let Some(first) = Peer::start("PULL", "bind", &place, &["recv", "100", "10000"]) else {
            return;
        };
        assert_eq!(first.finish().0, (0..100).collect::<Vec<_>>());
        wait_until("the peer is missed", || push.peers() == 0);
        (100..900).for_each(|n| send(&push, &message(n, 0)));
        let Some(second) = Peer::start("PULL", "bind", &place, &["recv", "800", "10000"]) else {
            return;
        };
        assert_eq!(second.finish().0, (100..900).collect::<Vec<_>>(), "{place}");
        assert_eq!(push.close(LONG, || false).unwrap().undelivered, Count::default());
    }
}

#[test]
fn a_libzmq_sender_that_dies_and_comes_back_is_heard_again() {
    for place in places() {
        for (ours, theirs) in [(Direction::Bind, "connect"), (Direction::Connect, "bind")] {
            let mut pull = pull(ours, &place);
            for round in 0..2 {
                let task = ["send", "100000", "100", "1"];
                let Some(peer) = Peer::start("PUSH", theirs, &place, &task) else { return };
                let numbers = receive_numbers(&mut pull, 20, LONG);
                assert_eq!(numbers, (0..20).collect::<Vec<_>>(), "{place}, round {round}");
                peer.kill();
                let until = Instant::now() + LONG;
                while pull.peers() > 0 {
                    assert!(Instant::now() < until);
                    receive(&mut pull, 1000, Duration::from_millis(10));
                }
            }
        }
    }
}

#[test]
fn a_slow_libzmq_receiver_holds_us_up_but_loses_nothing() {
    for place in places() {
        // Far more than all buffers on the way hold together.
        let (count, len) = (5000, 20_000);
        let task = ["recv", &count.to_string(), "10000"];
        let Some(peer) = Peer::start("PULL", "bind", &place, &task) else { return };
        let push = Sender::open(SocketType::Push, Direction::Connect, &place).unwrap();
        (0..count).for_each(|n| send(&push, &message(n, len)));
        assert_eq!(push.close(LONG, || false).unwrap().undelivered, Count::default());
        assert_eq!(peer.finish().0, (0..count).collect::<Vec<_>>(), "{place}");
    }
}
