//! Stop signals: every input and wait, several of them, and at any moment.

use crate::sockets::free_port;
use crate::tool::{
    END, Scratch, assert_quick, command, containers, end_of, handles_signals, run, settle, signal,
    signal_at_once, start,
};
use std::fs::File;
use std::io::Write;
use std::process::Child;
use std::time::Duration;

const STOPPED: (i32, &str) = (1, "nmsgtool: signalled break\n");

/// Opens a fifo so that it has a writer, and writes to it.
fn write_to(fifo: &str, octets: &[u8]) -> File {
    let opened = File::options().read(true).write(true).open(fifo);
    let mut fifo = opened.expect("the fifo is there");
    fifo.write_all(octets).expect("there is room");
    fifo
}

#[test]
fn sg_1_every_kind_of_input_ends_at_once() {
    let scratch = Scratch::new();
    let (fifo, out) = (scratch.fifo("fifo"), scratch.text("out"));
    let container = containers(&[3]).concat();
    let json = b"{\"vname\":\"base\",\"mname\":\"ipconn\",\"message\":{\"srcport\":1}}\n";
    let pres =
        b"[5] [1970-01-01 00:00:00.000000000] [1:5 base ipconn] [00000000] [] []\nsrcport: 7\n\n";
    let half = |octets: &[u8]| [octets, &octets[..octets.len() / 2]].concat();
    let ipconn = ["-V", "base", "-T", "ipconn"];
    let udp = format!("127.0.0.1/{}", free_port("127.0.0.1"));
    let ipc = format!("ipc://{}", scratch.text("zmq"));
    let connecting = format!("{ipc}-nobody,connect,pushpull");
    let with_type = |option| [&[option, "-"][..], &ipconn].concat();
    let (presentation, captures) = (with_type("-f"), ["-p", "-", "-T", "dnsqr"]);
    let cases: [(&str, &[&str], Vec<u8>); 12] = [
        ("containers", &["-r", "-"], Vec::new()),
        ("half a container", &["-r", "-"], half(&container)),
        ("JSON", &["-j", "-"], Vec::new()),
        ("half a line of JSON", &["-j", "-"], half(json)),
        ("presentation form", &presentation, Vec::new()),
        ("half a presentation record", &presentation, half(pres)),
        ("a capture", &captures, Vec::new()),
        ("UDP", &["-l", &udp], Vec::new()),
        ("UDP and containers", &["-l", &udp, "-r", "-"], half(&container)),
        ("ZeroMQ, accepting", &["-L", &ipc], Vec::new()),
        ("ZeroMQ, connecting", &["-L", &connecting], Vec::new()),
        ("everything", &["-r", "-", "-j", &fifo, "-l", &udp, "-L", &ipc], Vec::new()),
    ];
    for (name, words, octets) in &cases {
        for (place, number) in [("-", "INT"), ("-", "TERM"), (&*fifo, "TERM")] {
            for threads in ["1", "2"] {
                let name = format!("{name} from {place}, {number}, {threads} threads");
                let words = words.iter().map(|word| if *word == "-" { place } else { *word });
                let words: Vec<&str> = words.chain(["-w", &out, "--threads", threads]).collect();
                assert_quick(&name, END, || {
                    let mut child = start(command(&words));
                    let _writer = (place != "-").then(|| write_to(&fifo, octets));
                    let stdin = child.stdin.as_mut().expect("a pipe");
                    if place == "-" {
                        stdin.write_all(octets).expect("the program reads");
                    }
                    settle(child.id());
                    signal(&child, number);
                    let (ran, took) = end_of(child);
                    assert_eq!(ran.status, STOPPED.0, "{name}: {}", ran.stderr);
                    assert!(ran.stderr.ends_with(STOPPED.1), "{name}: {}", ran.stderr);
                    took
                });
            }
        }
    }
}

#[test]
fn sg_1_what_was_read_is_written_renamed_and_kicked() {
    let scratch = Scratch::new();
    let (out, kicked, pid) = (scratch.text("x"), scratch.text("kicked"), scratch.text("pid"));
    let kicker = format!("echo >>{kicked}");
    let mut child = start(command(["-r", "-", "-w", &out, "-k", &kicker, "-P", &pid]));
    let stdin = child.stdin.as_mut().expect("a pipe");
    stdin.write_all(&containers(&[5])[0]).expect("the program reads");
    settle(child.id());
    signal(&child, "TERM");
    let (ran, _) = end_of(child);
    assert_eq!((ran.status, &*ran.stderr), STOPPED);
    let names = std::fs::read_dir(scratch.path("")).expect("a directory");
    let names: Vec<_> = names.flatten().map(|entry| entry.path()).collect();
    let file = names.iter().find(|path| path.extension().is_some_and(|end| end == "nmsg"));
    let file = file.unwrap_or_else(|| panic!("no file is complete: {names:?}"));
    assert!(!scratch.path("pid").exists());
    assert_eq!(std::fs::read(file).expect("a file"), containers(&[5])[0]);
    let begin = std::time::Instant::now();
    while std::fs::read_to_string(&kicked).unwrap_or_default().trim() != file.to_str().unwrap() {
        assert!(begin.elapsed() < Duration::from_secs(20), "kicked with the name");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Starts a run that has a message for a ZeroMQ peer that never comes, and has come to rest.
fn sending_to_nobody(scratch: &Scratch) -> Child {
    let ipc = format!("ipc://{},accept,pushpull", scratch.text("zmq"));
    let mut child = start(command(["-r", "-", "-S", &ipc, "--unbuffered"]));
    let stdin = child.stdin.as_mut().expect("a pipe");
    stdin.write_all(&containers(&[3])[0]).expect("the program reads");
    settle(child.id());
    child
}

#[test]
fn sg_2_a_third_signal_takes_its_default_action() {
    let scratch = Scratch::new();
    for names in [&["TERM", "INT", "HUP"][..], &["HUP", "TERM", "INT"]] {
        let child = sending_to_nobody(&scratch);
        signal_at_once(&child, names);
        let (ran, _) = end_of(child);
        assert!([129, 130, 143].contains(&ran.status), "{}: {}", ran.status, ran.stderr);
        assert_eq!(ran.stderr, "", "nothing else happens");
    }
}

/// A handler that did more than set a flag would sooner or later do it while the program holds a lock or
/// is in the middle of something.
#[test]
fn sg_3_signals_at_any_moment_change_nothing() {
    let scratch = Scratch::new();
    let large = scratch.write("large.nmsg", &containers(&[200]).concat().repeat(8000));
    let (plain, disturbed) = (scratch.text("plain"), scratch.text("disturbed"));
    for threads in ["1", "3"] {
        assert_eq!(run(["-r", &large, "-J", &plain]).status, 0);
        let words = ["-r", &large, "-J", &disturbed, "--threads", threads];
        let mut child = command(words).stderr(std::process::Stdio::null()).spawn().expect("starts");
        let mut sent = 0;
        while child.try_wait().expect("the program is ours").is_none() {
            // Before it handles them, they would end the program.
            if handles_signals(child.id()) {
                signal(&child, "USR1");
                sent += 1;
            }
        }
        assert_eq!(child.wait().expect("it has ended").code(), Some(0), "{sent} signals");
        assert!(sent > 5, "{sent} signals");
        assert!(scratch.read("plain") == scratch.read("disturbed"), "{threads} threads");
    }
}
