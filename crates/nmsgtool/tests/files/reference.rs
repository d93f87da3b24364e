//! The C tool on the other side of a socket. Its directory is named by `NMSG_REFERENCE`.

use crate::sockets::{free_port, start_listening};
use crate::tool::{Scratch, command, containers, end_of, ipconn, run};
use nmsg::container::{ContainerWriter, WriterSettings};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn reference() -> Option<PathBuf> {
    let tool = |directory: OsString| PathBuf::from(directory).join("bin/nmsgtool");
    std::env::var_os("NMSG_REFERENCE").map(tool)
}

/// Said by tests that need the C tool and do not find it.
const SKIPPED: &str = "skipped: NMSG_REFERENCE does not name the C tool's directory";

/// Some small payloads, and some that neither fit into a datagram of 512 octets nor compress.
fn input() -> (Vec<u8>, usize) {
    let mut out = containers(&[50]).concat();
    let mut state = 7_u64;
    let mut writer = ContainerWriter::new(WriterSettings::file(1));
    let mut emit = |octets: &[u8]| {
        out.extend_from_slice(octets);
        Ok::<(), nmsg::Error>(())
    };
    for size in [2000, 3000, 40_000] {
        // An unknown field of type ipconn, numbered 9, of random octets.
        let mut body = vec![0x4a, size as u8 & 0x7f | 0x80, (size >> 7) as u8 & 0x7f];
        if size >> 14 != 0 {
            body[2] |= 0x80;
            body.push((size >> 14) as u8);
        }
        body.extend((0..size).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as u8
        }));
        writer.write(&ipconn(&body), None, &mut emit).expect("fits");
    }
    writer.flush(&mut emit).expect("fits");
    (out, 53)
}

/// Waits until somebody is bound to a UDP port.
fn wait_for_listener(port: u16) {
    let hex = format!(":{port:04X} ");
    let start = Instant::now();
    let is_bound = || {
        ["/proc/net/udp", "/proc/net/udp6"]
            .iter()
            .any(|table| std::fs::read_to_string(table).is_ok_and(|text| text.contains(&hex)))
    };
    while !is_bound() {
        assert!(start.elapsed() < Duration::from_secs(20), "nobody listens");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn listen(scratch: &Scratch, program: Command, port: u16, ours: bool) -> Child {
    if ours {
        return start_listening(scratch, program);
    }
    let mut program = program;
    program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = program.spawn().expect("the C tool starts");
    wait_for_listener(port);
    child
}

#[test]
fn both_programs_understand_each_other_over_udp() {
    let Some(reference) = reference() else {
        println!("{SKIPPED}");
        return;
    };
    let scratch = Scratch::new();
    let (octets, count) = input();
    let file = scratch.write("in.nmsg", &octets);
    let count = count.to_string();
    let copy = |from: &str, to: &str| {
        assert_eq!(run(["-r", from, "-w", to]).status, 0, "{from}");
        std::fs::read(to).expect("a file")
    };
    let want = copy(&file, &scratch.text("want.nmsg"));
    for address in ["127.0.0.1", "::1"] {
        for more in [&[][..], &["-z"], &["-m", "512"], &["-m", "512", "-z"], &["-m", "60000"]] {
            for ours_sends in [true, false] {
                let name = format!("{address} {more:?}, we send: {ours_sends}");
                let port = free_port(address);
                let socket = format!("{address}/{port}");
                let got = scratch.text("got.nmsg");
                let listening = ["-l", &socket, "-c", &count, "-w", &got];
                let sending = ["-r", &file, "-s", &socket];
                let (listener, sender) = if ours_sends {
                    let mut listener = Command::new(&reference);
                    listener.args(listening);
                    (listener, command(sending.iter().chain(more)))
                } else {
                    let mut sender = Command::new(&reference);
                    sender.args(sending.iter().chain(more));
                    (command(listening), sender)
                };
                let child = listen(&scratch, listener, port, !ours_sends);
                let mut sender = sender;
                let sent = sender.output().expect("the sender starts");
                assert!(sent.status.success(), "{name}: {sent:?}");
                let (ran, _) = end_of(child);
                assert_eq!((ran.status, &*ran.stderr), (0, ""), "{name}");
                assert_eq!(copy(&got, &scratch.text("copy.nmsg")), want, "{name}");
            }
        }
    }
}

#[test]
fn rotated_files_have_the_names_of_the_c_tool() {
    let Some(reference) = reference() else {
        println!("{SKIPPED}");
        return;
    };
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[3]).concat());
    let names = |mut program: Command| -> Vec<String> {
        let directory = Scratch::new();
        program.current_dir(directory.path("")).env("TZ", "UTC").stdin(Stdio::null());
        std::fs::create_dir(directory.path("sub")).expect("a directory");
        program.args(["-r", &file, "-k", "echo", "--mirror", "-w", "a", "-w", "./sub/b.nmsg"]);
        program.args(["-w", "sub//c/", "-w", "sub/../d", "-J", "j", "-o", "-"]);
        let ran = program.output().expect("the program starts");
        assert!(ran.status.success(), "{ran:?}");
        let text = String::from_utf8(ran.stdout).expect("text");
        let digits = |c: char| if c.is_ascii_digit() { '9' } else { c };
        let mut names: Vec<String> =
            text.lines().map(|line| line.chars().map(digits).collect()).collect();
        names.sort();
        names
    };
    let theirs = names(Command::new(&reference));
    // Kickers may outlive the program that starts them, but not its pipes.
    assert_eq!(theirs.len(), 6, "{theirs:?}");
    assert_eq!(names(command([""; 0])), theirs);
}
