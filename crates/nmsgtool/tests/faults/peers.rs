//! ZeroMQ peers that go and come back.

use crate::ledger::{balanced, output};
use crate::tool::{Scratch, command, containers, end_of, ports, settle, signal, start};
use std::io::Write;
use std::process::Child;
use std::time::Duration;

/// A reader that ends after so many payloads; when this returns it has opened its endpoint.
fn reader(endpoint: &str, count: usize) -> Child {
    let count = count.to_string();
    let reader =
        start(command(["--unbuffered", "-L", endpoint, "-c", &count, "-J", "-", "--stats"]));
    settle(reader.id());
    reader
}

#[test]
fn zm_3_a_reader_that_comes_back_gets_what_is_left() {
    let scratch = Scratch::new();
    let place = format!("ipc://{}", scratch.text("socket"));
    for (writes, reads) in [("accept", "connect"), ("connect", "accept")] {
        let to = format!("{place}{writes},pushpull,{writes}");
        let words = ["--unbuffered", "-r", "-", "-S", &to, "--stats"];
        let mut writer = start(command(words));
        let mut stdin = writer.stdin.take().expect("a pipe");
        let from = format!("{place}{writes},pushpull,{reads}");
        let sent = containers(&[1; 30]);
        let mut next = 0;
        for count in [5, 10, 15] {
            let reader = reader(&from, count);
            // Wait until the two have met: a writer that connects tries again after a while.
            std::thread::sleep(Duration::from_millis(300));
            for container in &sent[next..next + count] {
                stdin.write_all(container).expect("the program reads");
            }
            let (ran, _) = end_of(reader);
            assert_eq!(ran.status, 0, "{writes}: {}", ran.stderr);
            assert_eq!(balanced(&ran), (count as u64, count as u64), "{writes}");
            let want: Vec<u32> = (next as u32..(next + count) as u32).collect();
            assert_eq!(ports(&ran.stdout), want, "{writes}: all of them, in order");
            next += count;
            // The writer learns that its peer is gone before there is more to send.
            settle(writer.id());
        }
        drop(stdin);
        let (ran, _) = end_of(writer);
        assert_eq!(ran.status, 0, "{writes}: {}", ran.stderr);
        assert_eq!(balanced(&ran), (30, 30), "{writes}");
    }
}

#[test]
fn zm_4_what_is_sent_while_nobody_is_there_waits_or_is_counted() {
    let scratch = Scratch::new();
    let place = format!("ipc://{}", scratch.text("socket"));
    let to = format!("{place},pushpull,accept");
    let mut writer = start(command(["--unbuffered", "-r", "-", "-S", &to, "--stats"]));
    let mut stdin = writer.stdin.take().expect("a pipe");
    let from = format!("{place},pushpull,connect");
    let sent = containers(&[1; 30]);
    let first = reader(&from, 10);
    stdin.write_all(&sent[..10].concat()).expect("the program reads");
    assert_eq!(ports(&end_of(first).0.stdout).len(), 10);
    settle(writer.id());
    // These wait for a peer, which comes.
    stdin.write_all(&sent[10..20].concat()).expect("the program reads");
    settle(writer.id());
    let second = reader(&from, 10);
    let (ran, _) = end_of(second);
    assert_eq!(ports(&ran.stdout), (10..20).collect::<Vec<_>>());
    settle(writer.id());
    // These wait in vain, until a signal ends that.
    stdin.write_all(&sent[20..].concat()).expect("the program reads");
    settle(writer.id());
    signal(&writer, "TERM");
    let (ran, _) = end_of(writer);
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    assert_eq!(balanced(&ran), (30, 20));
    let (written, rest) = output(&ran, &place);
    assert_eq!(written, 20);
    assert!(rest.contains(", 10 lost"), "{}", ran.stderr);
}

#[test]
fn a_publisher_that_comes_back_is_heard_again() {
    let scratch = Scratch::new();
    let place = format!("ipc://{}", scratch.text("socket"));
    let reader = reader(&format!("{place},pubsub,connect"), 40);
    let sent = containers(&[1; 20]);
    for _ in 0..2 {
        let to = format!("{place},pubsub,accept");
        let mut writer = start(command(["--unbuffered", "-r", "-", "-S", &to, "--stats"]));
        let mut stdin = writer.stdin.take().expect("a pipe");
        settle(writer.id());
        // The reader tries again after a while, and subscribes.
        std::thread::sleep(Duration::from_millis(1500));
        for container in &sent {
            stdin.write_all(container).expect("the program reads");
        }
        settle(writer.id());
        drop(stdin);
        let (ran, _) = end_of(writer);
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        assert_eq!(balanced(&ran), (20, 20));
    }
    let (ran, _) = end_of(reader);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(balanced(&ran), (40, 40));
    assert_eq!(ports(&ran.stdout), [(0..20), (0..20)].into_iter().flatten().collect::<Vec<u32>>());
    assert!(!ran.stderr.contains("lost on the way"), "another stream: {}", ran.stderr);
}
