//! Outputs that cannot take what they are given.

use crate::ledger::{balanced, output};
use crate::tool::{Scratch, command, containers, end_of, run, start};
use std::io::Read;

/// A file of this many payloads in containers of 200.
fn large(scratch: &Scratch, payloads: usize) -> String {
    scratch.write("large.nmsg", &containers(&[200]).concat().repeat(payloads / 200))
}

#[test]
fn a_reader_that_is_gone_costs_its_output_only() {
    let scratch = Scratch::new();
    let large = large(&scratch, 60_000);
    for option in ["-w", "-o", "-J"] {
        for threads in ["1", "2"] {
            let name = format!("{option}, {threads} threads");
            let copy = scratch.text("copy.nmsg");
            let words = ["-r", &large, option, "-", "-w", &copy, "--mirror", "--stats"];
            let mut child = start(command(words.into_iter().chain(["--threads", threads])));
            child.stdout.take().expect("a pipe").read_exact(&mut [0; 10]).expect("output");
            let (ran, _) = end_of(child);
            assert_eq!(ran.status, 141, "{name}: {}", ran.stderr);
            balanced(&ran);
            let (written, rest) = output(&ran, "-");
            assert!(written < 60_000 && rest.contains(" lost"), "{name}: {}", ran.stderr);
            let (copied, _) = output(&ran, &copy);
            let read = run(["-r", &copy, "-w", "/dev/null", "--stats"]);
            assert_eq!(read.status, 0, "{name}: the other output is whole: {}", read.stderr);
            assert_eq!(balanced(&read).0, copied, "{name}");
        }
    }
}

#[test]
fn cw_8_a_full_device_loses_what_is_counted_as_lost() {
    if !std::path::Path::new("/dev/full").exists() {
        println!("skipped: there is no /dev/full");
        return;
    }
    let scratch = Scratch::new();
    let large = large(&scratch, 200_000);
    let small = scratch.write("small.nmsg", &containers(&[9]).concat());
    for option in ["-w", "-o", "-J"] {
        for (when, input, more) in [
            ("at the final flush", &small, &[][..]),
            ("at the final flush, compressed", &small, &["-z"]),
            ("at once", &small, &["--unbuffered"]),
            ("on the way", &large, &["--threads", "1"]),
            ("on the way, in parallel", &large, &["--threads", "2"]),
            ("on the way, compressed", &large, &["-z"]),
        ] {
            let name = format!("{option} {when}");
            let copy = scratch.text("copy.nmsg");
            let words = ["-r", input, option, "/dev/full", "-w", &copy, "--mirror", "--stats"];
            let ran = run(words.iter().chain(more));
            assert_eq!(ran.status, 4, "{name}: {}", ran.stderr);
            let (came, out) = balanced(&ran);
            assert_eq!(output(&ran, "/dev/full").0, 0, "{name}");
            assert!(
                ran.stderr.contains(&format!("output /dev/full: 0 payloads written, {came} lost")),
                "{name}: {}",
                ran.stderr
            );
            let read = run(["-r", &copy, "-w", "/dev/null", "--stats"]);
            assert_eq!((read.status, balanced(&read).0), (0, out), "{name}");
            assert_eq!(out, came, "{name}: the other output has everything");
        }
    }
}
