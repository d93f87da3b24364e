//! Pauses, signals and schedules.

use crate::tool::{
    END, Scratch, assert_quick, command, containers, end_of, feed, ports, run, settle, signal,
    start,
};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, Stdio};
use std::time::{Duration, Instant};

fn send(to: &mut ChildStdin, octets: &[u8]) {
    to.write_all(octets).expect("the program reads");
    to.flush().expect("the program reads");
}

#[test]
fn cr_2_a_pause_at_any_octet_loses_nothing() {
    let octets = containers(&[3, 2]).concat();
    let first = containers(&[3])[0].len();
    for cut in [1, 4, 5, 9, 10, 30, first - 1, first, first + 3, first + 20] {
        let mut child = start(command(["-r", "-", "-J", "-"]));
        let mut stdin = child.stdin.take().expect("a pipe");
        send(&mut stdin, &octets[..cut]);
        std::thread::sleep(Duration::from_millis(if cut == 30 { 700 } else { 20 }));
        send(&mut stdin, &octets[cut..]);
        drop(stdin);
        let (ran, _) = end_of(child);
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "pause at {cut}");
        assert_eq!(ports(&ran.stdout), [0, 1, 2, 3, 4], "pause at {cut}");
    }
}

#[test]
fn ji_2_what_is_there_is_shown_at_once() {
    let line = |port| {
        format!("{{\"vname\":\"base\",\"mname\":\"ipconn\",\"message\":{{\"srcport\":{port}}}}}\n")
    };
    let container = containers(&[2]).concat();
    let lines = line(0) + &line(1);
    for (option, input) in [("-r", &*container), ("-j", lines.as_bytes())] {
        let mut child = start(command([option, "-", "-J", "-"]));
        let mut stdin = child.stdin.take().expect("a pipe");
        send(&mut stdin, input);
        let mut shown = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut text = String::new();
        for _ in 0..2 {
            shown.read_line(&mut text).expect("text");
        }
        assert_eq!(ports(text.as_bytes()), [0, 1], "{option}: shown while the pipe is open");
        drop(stdin);
        let mut rest = String::new();
        shown.read_to_string(&mut rest).expect("text");
        assert_eq!(rest, "", "{option}");
        assert_eq!(end_of(child).0.status, 0, "{option}");
    }
}

#[test]
fn sg_1_a_signal_ends_every_wait() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[5]).concat());
    let fifo = scratch.fifo("fifo");
    let copy = scratch.text("copy.nmsg");
    for (name, arguments) in [
        ("container pipe", &["-r", "-", "-w", &copy][..]),
        ("JSON pipe", &["-j", "-", "-w", &copy]),
        ("fifo without a writer", &["-r", &fifo, "-w", &copy]),
        ("fifo without a reader", &["-r", &file, "-w", &fifo]),
        ("byte rate", &["-r", &file, "-B", "1", "-w", &copy]),
        ("two inputs", &["-r", "-", "-j", &fifo, "-w", &copy]),
    ] {
        for number in ["INT", "TERM"] {
            let name = format!("{name}, {number}");
            assert_quick(&name, END, || {
                let child = start(command(arguments));
                settle(child.id());
                signal(&child, number);
                let (ran, took) = end_of(child);
                assert_eq!(ran.status, 1, "{name}: {}", ran.stderr);
                assert_eq!(ran.stderr, "nmsgtool: signalled break\n", "{name}");
                took
            });
        }
    }
}

#[test]
fn en_6_what_was_read_before_a_signal_is_written() {
    let scratch = Scratch::new();
    let copy = scratch.text("copy.nmsg");
    let mut child = start(command(["-dd", "-r", "-", "-w", &copy]));
    let mut stdin = child.stdin.take().expect("a pipe");
    let octets = containers(&[5, 5]);
    send(&mut stdin, &octets[0]);
    send(&mut stdin, &octets[1][..20]);
    settle(child.id());
    signal(&child, "TERM");
    let (ran, _) = end_of(child);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("nmsgtool: received signal: Terminated\n"), "{}", ran.stderr);
    assert_eq!(ports(&run(["-r", &copy, "-J", "-"]).stdout), [0, 1, 2, 3, 4]);
}

#[test]
fn sg_1_an_output_that_nobody_reads_does_not_hold_up_the_end() {
    let scratch = Scratch::new();
    let large = scratch.write("large.nmsg", &containers(&[200]).concat().repeat(300));
    assert_quick("unread", END, || {
        let mut child = start(command(["-r", &large, "-J", "-"]));
        settle(child.id());
        signal(&child, "TERM");
        let _unread = child.stdout.take();
        let (ran, took) = end_of(child);
        assert_eq!(ran.status, 4, "{}", ran.stderr);
        assert!(ran.stderr.contains("did not take the rest"), "{}", ran.stderr);
        took
    });
}

#[test]
fn sg_4_a_hang_up_is_an_orderly_end() {
    let scratch = Scratch::new();
    let copy = scratch.text("copy.nmsg");
    let mut child = start(command(["-r", "-", "-w", &copy]));
    let mut stdin = child.stdin.take().expect("a pipe");
    send(&mut stdin, &containers(&[5]).concat());
    settle(child.id());
    signal(&child, "HUP");
    assert_eq!(end_of(child).0.status, 129);
    assert_eq!(ports(&run(["-r", &copy, "-J", "-"]).stdout).len(), 5);
}

#[test]
fn sg_5_the_ledger_is_shown_on_demand() {
    let mut child = start(command(["-r", "-", "-w", "/dev/null"]));
    let mut stdin = child.stdin.take().expect("a pipe");
    send(&mut stdin, &containers(&[5]).concat());
    settle(child.id());
    signal(&child, "USR1");
    settle(child.id());
    drop(stdin);
    let (ran, _) = end_of(child);
    assert_eq!(ran.status, 0);
    assert!(ran.stderr.starts_with("input -: 5 payloads in, 5 passed on"), "{}", ran.stderr);
}

#[test]
fn sk_9_a_byte_rate_is_kept_for_containers_of_any_size() {
    let scratch = Scratch::new();
    for sizes in [&[1, 1, 1, 1, 1, 1][..], &[6]] {
        let octets = containers(sizes).concat();
        let file = scratch.write("in.nmsg", &octets);
        let rate = (octets.len() * 2).to_string();
        let start = Instant::now();
        let ran = run(["-r", &file, "-B", &rate, "-J", "-"]);
        let took = start.elapsed();
        assert_eq!(ports(&ran.stdout), [0, 1, 2, 3, 4, 5]);
        assert!(took >= Duration::from_millis(480), "{sizes:?}: {took:?}");
        assert!(took < Duration::from_secs(10), "{sizes:?}: {took:?}");
    }
}

#[test]
fn fifos_are_files() {
    let scratch = Scratch::new();
    let (into, out) = (scratch.fifo("into"), scratch.fifo("out"));
    let child = start(command(["-r", &into, "-J", &out]));
    let reader = std::thread::spawn({
        let out = out.clone();
        move || std::fs::read(out).expect("the fifo is read")
    });
    std::fs::write(&into, containers(&[5]).concat()).expect("the fifo is written");
    assert_eq!(ports(&reader.join().expect("no panic")), [0, 1, 2, 3, 4]);
    assert_eq!(end_of(child).0.status, 0);
}

#[test]
fn unbuffered_outputs_show_every_message() {
    let octets = containers(&[3]).concat();
    let ran = feed(command(["-r", "-", "--unbuffered", "-w", "-"]), &octets);
    let headers = ran.stdout.windows(4).filter(|octets| *octets == b"NMSG").count();
    assert_eq!(headers, 3, "one container each");
    let mut command = command(["-r", "-", "--unbuffered", "-o", "-"]);
    command.stderr(Stdio::null());
    assert_eq!(feed(command, &octets).text().matches("srcport:").count(), 3);
}
