//! What sequence numbers say after a network has lost, doubled and reordered datagrams.

use nmsg::container::{ContainerWriter, Header, WriterSettings};
use nmsg::{MsgType, Payload, VendorId};
use nmsg_io::{
    End, Engine, Event, Fault, FaultKind, Ledger, Output, OutputFormat, RawBatch, RawKind,
    RawPiece, Source,
};
use nmsg_os::{Latch, Ready};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

/// A datagram and who has sent it.
type Arrived = (Option<SocketAddr>, Vec<u8>);

/// Gives datagrams in batches of 32, as a socket does; what is no container is malformed.
struct Network(std::vec::IntoIter<Arrived>);

impl Source for Network {
    fn name(&self) -> &str {
        "network"
    }

    fn kind(&self) -> RawKind {
        RawKind::Messages
    }

    fn is_network(&self) -> bool {
        true
    }

    fn read(&mut self, batch: &mut RawBatch) -> io::Result<Event> {
        batch.clear();
        for (peer, octets) in self.0.by_ref().take(32) {
            match Header::parse_message(&octets) {
                Ok((header, body)) => batch.push_message(header, body, peer),
                Err(error) => batch.pieces.push(RawPiece::Fault(Fault::Malformed(error))),
            }
        }
        Ok(if batch.pieces.is_empty() { Event::End } else { Event::Batch })
    }

    fn wait(&mut self, latches: &[&Latch], until: Option<Instant>) -> io::Result<Ready> {
        nmsg_os::wait(latches, until)
    }
}

/// Containers of one payload each, as a UDP output numbers them.
fn stream(count: usize, sequence_id: u64, zlib: bool) -> Vec<Vec<u8>> {
    let settings =
        WriterSettings { unbuffered: true, zlib, ..WriterSettings::datagram(sequence_id, 1) };
    let mut writer = ContainerWriter::new(settings);
    let mut all = Vec::new();
    let mut emit = |octets: &[u8]| {
        all.push(octets.to_vec());
        Ok::<(), nmsg::Error>(())
    };
    for _ in 0..count {
        let payload = Payload {
            vendor: VendorId(77),
            msgtype: MsgType(1),
            body: Some(b"x"),
            ..Payload::default()
        };
        writer.write(&payload, None, &mut emit).expect("fits");
    }
    all
}

fn ledger_of(arrived: Vec<Arrived>) -> Ledger {
    let output = Output::create(Path::new("/dev/null"), OutputFormat::Json, None);
    let outcome = Engine::new()
        .source(Network(arrived.into_iter()))
        .output(output.expect("the null device"))
        .run(&mut ());
    assert!(outcome.ledger.balances(), "{:#?}", outcome.ledger);
    assert!(!outcome.damaged);
    outcome.ledger
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % limit
    }
}

fn peer(port: u16) -> Option<SocketAddr> {
    Some(SocketAddr::from(([127, 0, 0, 1], port)))
}

#[test]
fn sk_8_exactly_what_a_bad_network_loses_is_counted() {
    for (name, loss, doubles, reach) in [
        ("a perfect one", 0, 0, 1),
        ("losses", 10, 0, 1),
        ("duplicates", 0, 5, 1),
        ("reordering", 0, 0, 64),
        ("all of it", 10, 5, 40),
        ("a disaster", 2, 2, 15),
    ] {
        let mut random = Random(11);
        for round in 0..20 {
            let sent = stream(500, round, round % 2 == 0);
            let mut arrived: Vec<Vec<u8>> = Vec::new();
            let mut lost = 0;
            for (number, datagram) in sent.iter().enumerate() {
                // What is lost in front of the first or behind the last nobody can know.
                let is_end = number < 1 || number + 1 == sent.len();
                if loss > 0 && !is_end && random.below(loss) == 0 {
                    lost += 1;
                    continue;
                }
                arrived.push(datagram.clone());
                if doubles > 0 && random.below(doubles) == 0 {
                    arrived.push(datagram.clone());
                }
            }
            let all = arrived.len();
            let last = arrived.len() - 1;
            for block in arrived[1..last].chunks_mut(reach) {
                for at in (1..block.len()).rev() {
                    block.swap(at, random.below(at + 1));
                }
            }
            let arrived = arrived.into_iter().map(|octets| (peer(1), octets)).collect();
            let ledger = ledger_of(arrived);
            assert_eq!(ledger.lost_containers(), lost, "{name}, round {round}");
            assert_eq!(ledger.payloads_out(), all as u64, "{name}, round {round}");
            assert_eq!(ledger.containers(), all as u64, "{name}, round {round}");
        }
    }
}

#[test]
fn sk_8_every_sender_is_counted_for_itself() {
    let mut arrived = Vec::new();
    let streams = [stream(100, 1, false), stream(100, 1, false), stream(100, 2, false)];
    for number in 0..100 {
        for (sender, stream) in streams.iter().enumerate() {
            // Each sender loses something else; the third shares its address with the second.
            if number % (10 + sender) != 5 {
                let peer = peer([1, 2, 2][sender]);
                arrived.push((peer, stream[number].clone()));
            }
        }
    }
    let lost =
        [10, 11, 12].map(|every| (0..100).filter(|number| number % every == 5).count() as u64);
    let ledger = ledger_of(arrived);
    assert_eq!(ledger.lost_containers(), lost.iter().sum::<u64>());
}

#[test]
fn sk_8_senders_that_cannot_be_told_apart_have_their_own_numbers() {
    let [one, two] = [stream(50, 1, false), stream(50, 2, false)];
    let arrived = (0..50).flat_map(|n| [(None, one[n].clone()), (None, two[n].clone())]);
    let arrived = arrived.enumerate().filter(|(at, _)| *at != 31 && *at != 42);
    let ledger = ledger_of(arrived.map(|(_, arrived)| arrived).collect());
    assert_eq!(ledger.lost_containers(), 2);
}

#[test]
fn a_stranger_does_not_end_a_strict_run() {
    let mut sent = stream(3, 1, false);
    sent.insert(1, b"not a container".to_vec());
    sent[2][11] ^= 0xff;
    let arrived: Vec<Arrived> = sent.into_iter().map(|octets| (peer(1), octets)).collect();
    let format = OutputFormat::Nmsg { zlib: false };
    let output = Output::create(Path::new("/dev/null"), format, None);
    let outcome = Engine::new()
        .source(Network(arrived.into_iter()))
        .output(output.expect("the null device"))
        .strict(true)
        .run(&mut ());
    assert_eq!(outcome.end, End::Inputs);
    let input = &outcome.ledger.inputs[0];
    assert_eq!(input.faults_of(FaultKind::MalformedHeader), 1);
    assert_eq!(input.faults_of(FaultKind::MalformedBody), 1);
    assert_eq!(outcome.ledger.payloads_out(), 2);
    assert!(!outcome.damaged && outcome.ledger.balances());
}

/// Gives nothing before reading ends, and then containers one by one.
struct Late(std::vec::IntoIter<Vec<u8>>);

impl Source for Late {
    fn name(&self) -> &str {
        "late"
    }

    fn kind(&self) -> RawKind {
        RawKind::Messages
    }

    fn read(&mut self, batch: &mut RawBatch) -> io::Result<Event> {
        batch.clear();
        Ok(Event::End)
    }

    fn wait(&mut self, latches: &[&Latch], until: Option<Instant>) -> io::Result<Ready> {
        nmsg_os::wait(latches, until)
    }

    fn take_rest(&mut self, batch: &mut RawBatch) -> bool {
        batch.clear();
        let Some(octets) = self.0.next() else { return false };
        let (header, body) = Header::parse_message(&octets).expect("a container");
        batch.push_message(header, body, peer(1));
        true
    }
}

#[test]
fn en_6_what_was_taken_in_is_delivered_part_by_part() {
    for (inputs, threads) in [(1, 1), (1, 3), (2, 1), (2, 3)] {
        let output = Output::create(Path::new("/dev/null"), OutputFormat::Json, None);
        let mut engine = Engine::new().output(output.expect("the null device")).threads(threads);
        for _ in 0..inputs {
            engine = engine.source(Late(stream(300, 1, true).into_iter()));
        }
        let outcome = engine.run(&mut ());
        assert!(outcome.ledger.balances(), "{:#?}", outcome.ledger);
        assert_eq!(
            outcome.ledger.payloads_out(),
            300 * inputs,
            "{inputs} inputs, {threads} threads"
        );
    }
}
