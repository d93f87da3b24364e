//! Sockets of this crate among themselves.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use support::*;
use zmtp::{Count, Direction, PeerFault, Sender, SocketType, Waited};

#[test]
fn push_reaches_pull_whoever_binds_and_starts_first() {
    for place in places() {
        for (name, sender_binds, sender_first) in [
            ("sender accepts and is first", true, true),
            ("sender connects and is first", false, true),
            ("sender connects and is second", false, false),
        ] {
            let open_sender = |at| {
                let direction = if sender_binds { Direction::Bind } else { Direction::Connect };
                Sender::open(SocketType::Push, direction, at).unwrap()
            };
            let (push, mut pull) = if sender_binds {
                let push = open_sender(&place);
                let pull = pull(Direction::Connect, &push.endpoint());
                (push, pull)
            } else if sender_first {
                let push = open_sender(&place);
                std::thread::sleep(Duration::from_millis(20));
                (push, pull(Direction::Bind, &place))
            } else {
                let pull = pull(Direction::Bind, &place);
                (open_sender(&place), pull)
            };
            let received = std::thread::scope(|scope| {
                scope.spawn(|| (0..2000).for_each(|n| send(&push, &message(n, n % 700))));
                receive_numbers(&mut pull, 2000, LONG)
            });
            assert_eq!(received, (0..2000).collect::<Vec<_>>(), "{name}, {place}");
            let lost = std::thread::scope(|scope| {
                let closing = scope.spawn(|| push.close(LONG, || false).unwrap());
                receive_until(&mut pull, |pull| pull.peers() == 0);
                closing.join().unwrap()
            });
            assert_eq!(lost.undelivered, Count::default(), "{name}, {place}");
        }
    }
}

#[test]
fn sub_gets_what_it_asked_for_and_nothing_else() {
    for place in places() {
        let publisher = Sender::open(SocketType::Pub, Direction::Bind, &place).unwrap();
        assert!(publisher.send(b"NMSG too early", 1), "without subscribers nothing is waited for");
        let mut nmsg = sub(Direction::Connect, &publisher.endpoint(), "NMSG");
        let mut all = sub(Direction::Connect, &publisher.endpoint(), "");
        receive_until(&mut nmsg, |nmsg| nmsg.peers() == 1);
        receive_until(&mut all, |all| all.peers() == 1);
        // The subscription is on its way; a message that both want tells when it has arrived.
        let until = Instant::now() + LONG;
        let mut found = (Vec::new(), Vec::new());
        while found.0.is_empty() || found.1.is_empty() {
            assert!(Instant::now() < until, "subscriptions never arrive");
            assert!(publisher.send(b"NMSG probe", 1));
            found.0.extend(receive(&mut nmsg, 1, Duration::from_millis(5)));
            found.1.extend(receive(&mut all, 1, Duration::from_millis(5)));
        }
        for body in [&b"other"[..], b"", b"NMSG end"] {
            assert!(publisher.send(body, 1));
        }
        let rest = |receiver: &mut zmtp::Receiver| {
            let mut rest = Vec::new();
            while rest.last().map(Vec::as_slice) != Some(b"NMSG end") {
                rest.extend(receive(receiver, 1, LONG));
            }
            rest.retain(|body| body != b"NMSG probe");
            rest
        };
        assert_eq!(rest(&mut nmsg), [b"NMSG end"], "{place}");
        assert_eq!(rest(&mut all), [&b"other"[..], b"", b"NMSG end"], "{place}");
    }
}

#[test]
fn messages_are_dealt_out_in_turn() {
    let push = Sender::open(SocketType::Push, Direction::Bind, &places()[0]).unwrap();
    let mut pulls = [(); 2].map(|()| pull(Direction::Connect, &push.endpoint()));
    for pull in &mut pulls {
        receive_until(pull, |pull| pull.peers() == 1);
    }
    wait_until("both peers are there", || push.peers() == 2);
    (0..10).for_each(|n| send(&push, &message(n, 0)));
    let mut shares = pulls.each_mut().map(|pull| receive_numbers(pull, 5, LONG));
    shares.sort();
    assert_eq!(shares, [vec![0, 2, 4, 6, 8], vec![1, 3, 5, 7, 9]]);
}

#[test]
fn nothing_is_lost_when_a_peer_is_gone_and_comes_back() {
    for place in places() {
        let mut first = pull(Direction::Bind, &place);
        let place = first.endpoint().clone();
        let push = Sender::open(SocketType::Push, Direction::Connect, &place).unwrap();
        (0..10).for_each(|n| send(&push, &message(n, 0)));
        assert_eq!(receive_numbers(&mut first, 10, LONG), (0..10).collect::<Vec<_>>());
        drop(first);
        wait_until("the peer is missed", || push.peers() == 0);
        (10..500).for_each(|n| send(&push, &message(n, 0)));
        let mut second = pull(Direction::Bind, &place);
        assert_eq!(receive_numbers(&mut second, 490, LONG), (10..500).collect::<Vec<_>>());
        let mut closing = None;
        std::thread::scope(|scope| {
            let close = scope.spawn(|| push.close(LONG, || false).unwrap());
            receive_until(&mut second, |second| second.peers() == 0);
            closing = Some(close.join().unwrap());
        });
        assert_eq!(closing.unwrap().undelivered, Count::default());
    }
}

#[test]
fn zm_4_what_nobody_took_is_counted() {
    let nobody = endpoint(&format!("ipc://{}", socket_path().display()));
    let push = Sender::open(SocketType::Push, Direction::Connect, &nobody).unwrap();
    let mut taken = 0;
    while push.send(&message(taken, 0), 3) {
        taken += 1;
    }
    assert_eq!(taken, 1000, "the high-water mark");
    let soon = Instant::now() + Duration::from_millis(10);
    assert_eq!(push.wait(&[], Some(soon)).unwrap(), Waited::Timeout);
    let start = Instant::now();
    let lost = push.close(Duration::from_millis(200), || false).unwrap();
    assert_eq!(lost.undelivered, Count { messages: 1000, units: 3000 });
    assert!(start.elapsed() >= Duration::from_millis(200), "the peer still had its chance");
    assert!(start.elapsed() < LONG);
}

#[test]
fn a_socket_that_accepts_takes_nothing_before_somebody_comes() {
    let push = Sender::open(SocketType::Push, Direction::Bind, &places()[0]).unwrap();
    assert!(!push.send(b"NMSG", 1));
    let mut pull = pull(Direction::Connect, &push.endpoint());
    std::thread::scope(|scope| {
        scope.spawn(|| send(&push, &message(7, 0)));
        assert_eq!(receive_numbers(&mut pull, 1, LONG), [7]);
    });
}

#[test]
fn zm_3_every_wait_can_be_interrupted() {
    let (stop, mut pulled) = UnixStream::pair().unwrap();
    let push = Sender::open(SocketType::Push, Direction::Bind, &places()[0]).unwrap();
    let busy =
        Sender::open(SocketType::Push, Direction::Connect, &endpoint("ipc:///nowhere/x")).unwrap();
    assert!(busy.send(b"NMSG", 1));
    let mut pull = pull(Direction::Bind, &places()[0]);
    let start = Instant::now();
    std::thread::scope(|scope| {
        let interrupts = [stop.as_fd()];
        scope.spawn(move || {
            assert_eq!(push.wait(&interrupts, None).unwrap(), Waited::Interrupted);
        });
        scope.spawn(move || {
            let gives_up = || start.elapsed() > Duration::from_millis(50);
            let lost = busy.close(LONG, gives_up).unwrap();
            assert_eq!(lost.undelivered.messages, 1);
        });
        scope.spawn(move || {
            assert_eq!(pull.wait(&interrupts, None).unwrap(), Waited::Interrupted);
        });
        std::thread::sleep(Duration::from_millis(50));
        pulled.write_all(b"stop").unwrap();
    });
    assert!(start.elapsed() < LONG);
}

#[test]
fn a_slow_subscriber_loses_messages_and_that_is_counted() {
    let publisher = Sender::open(SocketType::Pub, Direction::Bind, &places()[1]).unwrap();
    let mut slow = sub(Direction::Connect, &publisher.endpoint(), "NMSG");
    let until = Instant::now() + LONG;
    while receive(&mut slow, 1, Duration::from_millis(5)).is_empty() {
        assert!(Instant::now() < until && publisher.send(&message(0, 0), 1));
    }
    let body = message(1, 20_000);
    for _ in 0..5000 {
        assert!(publisher.send(&body, 2), "a publisher never waits");
    }
    let start = Instant::now();
    let lost = publisher.close(Duration::from_millis(100), || false).unwrap();
    assert!(lost.dropped.messages > 1000 && lost.dropped.messages < 5000, "{lost:?}");
    assert_eq!(lost.dropped.units, 2 * lost.dropped.messages);
    assert_eq!(lost.undelivered, Count::default());
    assert!(start.elapsed() < LONG);
}

#[test]
fn strangers_do_not_disturb() {
    let mut pull = pull(Direction::Bind, &places()[0]);
    let zmtp::Endpoint::Tcp { host: Some(host), port } = pull.endpoint().clone() else {
        panic!("{:?}", pull.endpoint())
    };
    let mut browser = TcpStream::connect((&*host, port)).unwrap();
    browser.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let silent = TcpStream::connect((&*host, port)).unwrap();
    let wrong =
        Sender::open(SocketType::Pub, Direction::Connect, &pull.endpoint().clone()).unwrap();
    let push = Sender::open(SocketType::Push, Direction::Connect, pull.endpoint()).unwrap();
    (0..50).for_each(|n| send(&push, &message(n, 0)));
    assert_eq!(receive_numbers(&mut pull, 50, LONG), (0..50).collect::<Vec<_>>());
    receive_until(&mut pull, |pull| pull.faults().count >= 2);
    assert!(matches!(pull.faults().last, Some(PeerFault::NotZmtp | PeerFault::SocketType)));
    assert_eq!(pull.peers(), 1);
    let mut answer = Vec::new();
    browser.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"\xff"), "the greeting, then the end");
    drop((silent, wrong));
}

#[test]
fn a_message_beyond_the_limit_ends_its_connection_only() {
    let mut pull = pull(Direction::Bind, &places()[1]);
    let push = Sender::open(SocketType::Push, Direction::Connect, pull.endpoint()).unwrap();
    send(&push, &message(1, (1 << 20) + 1));
    receive_until(&mut pull, |pull| pull.faults().last == Some(PeerFault::TooLarge));
    drop(push);
    let push = Sender::open(SocketType::Push, Direction::Connect, pull.endpoint()).unwrap();
    send(&push, &message(2, 1 << 20));
    assert_eq!(receive_numbers(&mut pull, 1, LONG), [2]);
}

#[test]
fn what_cannot_be_opened_is_refused() {
    let taken = pull(Direction::Bind, &places()[0]);
    for at in [taken.endpoint().clone(), endpoint("ipc:///nowhere/at/all")] {
        assert!(Sender::open(SocketType::Pub, Direction::Bind, &at).is_err(), "{at}");
    }
    assert!(Sender::open(SocketType::Pull, Direction::Bind, &places()[0]).is_err());
}
