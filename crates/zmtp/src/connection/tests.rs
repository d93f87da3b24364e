use super::*;
use proptest::prelude::*;

/// What a peer of this type sends to get through the handshake.
fn introduction(kind: &str, minor: u8) -> Vec<u8> {
    let mut octets = greeting().to_vec();
    octets[11] = minor;
    let mut metadata = b"\x08Identity\x00\x00\x00\x00\x0bsocket-type".to_vec();
    metadata.extend_from_slice(&(kind.len() as u32).to_be_bytes());
    metadata.extend_from_slice(kind.as_bytes());
    put_command("READY", &metadata, &mut octets);
    octets
}

fn ready(kind: SocketType, peer: &str, minor: u8) -> Connection {
    let mut connection = Connection::new(kind, 1 << 20);
    connection.push(&introduction(peer, minor));
    assert_eq!(connection.advance(), Ok(Some(Event::Ready)));
    connection.control.clear();
    connection
}

type FoundPart = (Vec<u8>, bool, bool);

/// The parts that come out, with their flags; ends at the first fault.
fn parts(connection: &mut Connection) -> (Vec<FoundPart>, Option<PeerFault>) {
    let mut found = Vec::new();
    loop {
        match connection.advance() {
            Ok(Some(Event::Part { body, first, more })) => {
                found.push((connection.octets(body).to_vec(), first, more));
            }
            Ok(Some(_)) => {}
            Ok(None) => return (found, None),
            Err(fault) => return (found, Some(fault)),
        }
    }
}

#[test]
fn the_two_ends_of_a_connection_understand_each_other() {
    let mut subscriber = Connection::new(SocketType::Sub, 1 << 20);
    let mut publisher = Connection::new(SocketType::Pub, 1 << 20);
    let mut ready = [false; 2];
    for _ in 0..4 {
        let sent = std::mem::take(&mut subscriber.control);
        publisher.push(&sent);
        let sent = std::mem::take(&mut publisher.control);
        subscriber.push(&sent);
        if subscriber.advance().unwrap() == Some(Event::Ready) {
            ready[0] = true;
            subscriber.subscribe(b"NMSG");
        }
        match publisher.advance().unwrap() {
            Some(Event::Ready) => ready[1] = true,
            Some(Event::Subscribe(prefix)) => assert_eq!(publisher.octets(prefix), b"NMSG"),
            other => assert_eq!(other, None),
        }
    }
    assert_eq!(ready, [true, true]);
}

#[test]
fn who_may_connect() {
    use SocketType::{Pub, Pull, Push, Sub};
    for (kind, peer, want) in [
        (Pub, "SUB", true),
        (Pub, "XSUB", true),
        (Pub, "PUB", false),
        (Sub, "XPUB", true),
        (Sub, "PULL", false),
        (Push, "PULL", true),
        (Push, "DEALER", false),
        (Pull, "PUSH", true),
        (Pull, "", false),
    ] {
        let mut connection = Connection::new(kind, 1000);
        connection.push(&introduction(peer, 1));
        let want = if want { Ok(Some(Event::Ready)) } else { Err(PeerFault::SocketType) };
        assert_eq!(connection.advance(), want, "{kind:?} and {peer}");
    }
}

#[test]
fn strangers_are_recognised() {
    let changed = |position: usize, octet: u8| {
        let mut octets = introduction("PUSH", 1);
        octets[position] = octet;
        octets
    };
    let greeted = |rest: &[u8]| [&greeting()[..], rest].concat();
    for (name, octets, want) in [
        ("a browser", b"GET / HTTP/1.1\r\n".to_vec(), PeerFault::NotZmtp),
        ("ZMTP 1 with a short identity", b"\x01\x00".to_vec(), PeerFault::NotZmtp),
        ("ZMTP 2", b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x08\0\0".to_vec(), PeerFault::NotZmtp),
        ("bad end of the signature", changed(9, 0x7e), PeerFault::NotZmtp),
        ("CURVE", changed(12, b'C'), PeerFault::Mechanism),
        ("message before READY", greeted(b"\x00\x01x"), PeerFault::Protocol),
        ("other command than READY", greeted(b"\x04\x06\x05HELLO"), PeerFault::Protocol),
        ("refusal", greeted(b"\x04\x0a\x05ERROR\x03bad"), PeerFault::Refused),
        ("READY without metadata", greeted(b"\x04\x06\x05READY"), PeerFault::SocketType),
        ("READY with half a property", greeted(b"\x04\x08\x05READY\x05a"), PeerFault::Protocol),
        ("huge READY", greeted(b"\x06\x00\x00\x00\x00\x00\x01\x00\x01"), PeerFault::TooLarge),
    ] {
        let mut connection = Connection::new(SocketType::Pull, 1 << 20);
        connection.push(&octets);
        assert_eq!(connection.advance(), Err(want), "{name}");
    }
}

#[test]
fn parts_of_messages_are_told_apart() {
    let mut connection = ready(SocketType::Pull, "PUSH", 1);
    connection.push(b"\x00\x01a\x01\x01b\x04\x05\x04WHAT\x01\x00\x00\x01c\x00\x01d\x00");
    let part = |body: &[u8], first, more| (body.to_vec(), first, more);
    let want = vec![
        part(b"a", true, false),
        part(b"b", true, true),
        part(b"", false, true),
        part(b"c", false, false),
        part(b"d", true, false),
    ];
    assert_eq!(parts(&mut connection), (want, None));
    assert_eq!(connection.waiting(), 1);
}

#[test]
fn faults_in_traffic() {
    for (name, octets, want) in [
        ("message over the limit", &b"\x02\0\0\0\0\0\x10\0\x01"[..], PeerFault::TooLarge),
        ("unknown flag", b"\x40\x00", PeerFault::Protocol),
        ("empty command", b"\x04\x00", PeerFault::Protocol),
        ("command name cut short", b"\x04\x02\x09a", PeerFault::Protocol),
        ("PING without time to live", b"\x04\x06\x04PING\x00", PeerFault::Protocol),
        ("late refusal", b"\x04\x06\x05ERROR", PeerFault::Refused),
    ] {
        let mut connection = ready(SocketType::Pull, "PUSH", 1);
        connection.push(octets);
        assert_eq!(parts(&mut connection).1, Some(want), "{name}");
    }
}

#[test]
fn subscriptions_come_as_commands_and_as_messages() {
    for (name, octets, want) in [
        ("command", &b"\x04\x0e\x09SUBSCRIBENMSG"[..], Some((true, &b"NMSG"[..]))),
        ("command to cancel", b"\x04\x08\x06CANCELN", Some((false, b"N"))),
        ("message", b"\x00\x05\x01NMSG", Some((true, b"NMSG"))),
        ("message to cancel", b"\x00\x01\x00", Some((false, b""))),
        ("other message", b"\x00\x02\x02x", None),
        ("empty message", b"\x00\x00", None),
        ("message of two parts", b"\x01\x02\x01x\x00\x02\x01x", None),
    ] {
        let mut connection = ready(SocketType::Pub, "SUB", 1);
        connection.push(octets);
        let found = connection.advance().unwrap().map(|event| match event {
            Event::Subscribe(prefix) => (true, connection.octets(prefix)),
            Event::Cancel(prefix) => (false, connection.octets(prefix)),
            other => panic!("{name}: {other:?}"),
        });
        assert_eq!(found, want, "{name}");
    }
}

#[test]
fn subscribing_speaks_the_version_of_the_peer() {
    for (minor, want) in [(0, &b"\x00\x02\x01N"[..]), (1, b"\x04\x0b\x09SUBSCRIBEN")] {
        let mut connection = ready(SocketType::Sub, "PUB", minor);
        connection.subscribe(b"N");
        assert_eq!(connection.control, want, "3.{minor}");
    }
}

#[test]
fn a_ping_is_answered_but_not_without_end() {
    let mut connection = ready(SocketType::Push, "PULL", 1);
    connection.push(b"\x04\x09\x04PING\x00\x64ab");
    assert_eq!(connection.advance(), Ok(None));
    assert_eq!(connection.control, b"\x04\x07\x04PONGab");
    for _ in 0..MOST_CONTROL {
        connection.push(b"\x04\x09\x04PING\x00\x64ab");
        if connection.advance() == Err(PeerFault::TooMuch) {
            assert!(connection.control.len() <= MOST_CONTROL + 16);
            return;
        }
    }
    panic!("a peer that never reads gets answers for ever");
}

/// Feeds octets in pieces; gives what came out.
fn fed(kind: SocketType, octets: &[u8], piece: usize) -> (Vec<String>, Option<PeerFault>) {
    let mut connection = Connection::new(kind, 1000);
    let mut events = Vec::new();
    for piece in octets.chunks(piece) {
        connection.push(piece);
        loop {
            match connection.advance() {
                Ok(Some(Event::Part { body, first, more })) => {
                    events.push(format!("{:?} {first} {more}", connection.octets(body)));
                }
                Ok(Some(Event::Subscribe(prefix) | Event::Cancel(prefix))) => {
                    events.push(format!("{:?}", connection.octets(prefix)));
                }
                Ok(Some(Event::Ready)) => events.push("ready".to_owned()),
                Ok(None) => break,
                Err(fault) => return (events, Some(fault)),
            }
        }
    }
    (events, None)
}

proptest! {
    #[test]
    fn it_does_not_matter_how_octets_arrive(
        rest in proptest::collection::vec(
            prop_oneof![Just(0_u8), Just(1), Just(2), Just(4), 0_u8..12, any::<u8>()], 0..200),
        piece in 1_usize..40,
        publisher in any::<bool>(),
    ) {
        let (kind, peer) =
            if publisher { (SocketType::Pub, "SUB") } else { (SocketType::Pull, "PUSH") };
        let octets = [introduction(peer, 1), rest].concat();
        prop_assert_eq!(fed(kind, &octets, piece), fed(kind, &octets, octets.len()));
    }

    #[test]
    fn strangers_do_no_harm(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (events, _) = fed(SocketType::Sub, &octets, 7);
        prop_assert!(events.len() <= octets.len());
    }
}

proptest! {
    #[test]
    fn it_does_not_matter_in_which_pieces_octets_arrive(
        choice in 0_u8..4,
        step: u8,
        peer in prop::sample::select(vec!["PUB", "SUB", "PUSH", "PULL"]),
        frames in prop::collection::vec((0_u8..9, prop::collection::vec(any::<u8>(), 0..40)), 0..20),
        tail in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut octets = vec![choice, step];
        octets.extend(introduction(peer, 1));
        for (flags, body) in frames {
            octets.extend([flags, body.len() as u8]);
            octets.extend(body);
        }
        octets.extend(tail);
        crate::fuzzing::check_connection(&octets);
    }
}
