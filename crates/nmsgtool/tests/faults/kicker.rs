//! Kickers that fail or never end.

use crate::ledger::balanced;
use crate::tool::{
    END, Scratch, assert_quick, command, containers, end_of, run, settle, signal, start,
};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Command;
use std::time::Duration;

/// Processes that note their numbers in a file, killed at the end of the test.
struct Hanging<'s>(&'s Scratch);

impl Hanging<'_> {
    /// The text of a kicker that never ends.
    fn command(&self) -> String {
        format!("echo $$ >>{}; exec sleep 600 >/dev/null 2>&1 #", self.0.text("kickers"))
    }

    fn numbers(&self) -> Vec<String> {
        let text = fs::read_to_string(self.0.path("kickers")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Hanging<'_> {
    fn drop(&mut self) {
        for number in self.numbers() {
            let _ = Command::new("kill").args(["-s", "KILL", &number]).status();
        }
    }
}

fn finished(scratch: &Scratch) -> Vec<String> {
    let names = fs::read_dir(scratch.path("")).expect("a directory").flatten();
    let names = names.map(|entry| entry.file_name().into_string().expect("text"));
    let mut names: Vec<String> = names.filter(|name| name.contains("x.")).collect();
    names.sort();
    assert!(names.iter().all(|name| name.starts_with("x.")), "nothing hidden is left: {names:?}");
    names
}

#[test]
fn ro_6_a_kicker_that_hangs_holds_nothing_up() {
    let scratch = Scratch::new();
    let hanging = Hanging(&scratch);
    let file = scratch.write("in.nmsg", &containers(&[40]).concat());
    let (out, kicker) = (scratch.text("x"), hanging.command());
    let words = ["-r", &file, "-w", &out, "-c", "10", "-k", &kicker, "--stats"];
    let (ran, took) = end_of(start(command(words)));
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(balanced(&ran), (40, 40));
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert_eq!(finished(&scratch).len(), 4);
}

#[test]
fn sg_1_a_signal_does_not_wait_for_a_kicker() {
    assert_quick("a kicker that hangs", END, || {
        let scratch = Scratch::new();
        let hanging = Hanging(&scratch);
        let (out, kicker) = (scratch.text("x"), hanging.command());
        let words = ["-r", "-", "-w", &out, "-c", "2", "-k", &kicker, "--stats"];
        let mut child = start(command(words));
        let stdin = child.stdin.as_mut().expect("a pipe");
        stdin.write_all(&containers(&[5]).concat()).expect("the program reads");
        settle(child.id());
        signal(&child, "TERM");
        let (ran, took) = end_of(child);
        assert_eq!(ran.status, 1, "{}", ran.stderr);
        assert_eq!(balanced(&ran), (5, 5));
        assert_eq!(finished(&scratch).len(), 3);
        took
    });
}

#[test]
fn ro_6_a_kicker_that_fails_costs_no_data() {
    for (kicker, more, status) in [
        ("exit 3 #", &[][..], 0),
        ("kill -9 $$ #", &[], 0),
        ("exit 3 #", &["--strict"], 5),
        ("exit 126 #", &[], 5),
        ("exit 127 #", &[], 5),
    ] {
        let scratch = Scratch::new();
        let out = scratch.text("x");
        let words = ["-r", "-", "-w", &out, "-c", "4", "-k", kicker, "--stats"];
        let mut child = start(command(words.iter().chain(more)));
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(&containers(&[12]).concat()).expect("the program reads");
        // The idle program collects statuses.
        let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut said = String::new();
        stderr.read_line(&mut said).expect("text");
        assert!(said.starts_with("nmsgtool: kicker for "), "{kicker}: {said}");
        drop(stdin);
        let (mut ran, _) = end_of(child);
        stderr.read_to_string(&mut ran.stderr).expect("text");
        assert_eq!(ran.status, status, "{kicker}: {}", ran.stderr);
        assert_eq!(balanced(&ran), (12, 12), "{kicker}");
        let mut there = 0;
        for name in finished(&scratch) {
            let read = run(["-r", &scratch.text(&name), "-w", "/dev/null", "--stats"]);
            assert_eq!(read.status, 0, "{kicker}: {name}");
            there += balanced(&read).0;
        }
        assert_eq!(there, 12, "{kicker}");
    }
}
