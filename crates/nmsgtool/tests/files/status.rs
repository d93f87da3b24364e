//! Exit statuses that concern files (`decisions` §1).

use crate::tool::{Ran, Scratch, containers, end_of, feed, ports, run, run_with_input, start};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

#[expect(clippy::print_stdout, reason = "says that a test is skipped")]
fn has_full_device() -> bool {
    let there = Path::new("/dev/full").exists();
    if !there {
        println!("skipped: there is no /dev/full");
    }
    there
}

/// A file of 15 payloads in three containers.
fn input(scratch: &Scratch) -> String {
    scratch.write("in.nmsg", &containers(&[5, 5, 5]).concat())
}

#[test]
fn full_disk_is_an_output_failure_at_any_moment() {
    if !has_full_device() {
        return;
    }
    let scratch = Scratch::new();
    let small = input(&scratch);
    let large = scratch.write("large.nmsg", &containers(&[200]).concat().repeat(2000));
    for option in ["-w", "-o", "-J"] {
        for (name, input, more) in [
            ("at the end", &small, &[][..]),
            ("during the run", &large, &[]),
            ("at once", &small, &["--unbuffered"]),
        ] {
            let other = scratch.text("other.json");
            let mut arguments = vec!["-r", input, option, "/dev/full", "-J", &other, "--mirror"];
            arguments.extend(more);
            let ran = run(arguments);
            let want = "nmsgtool: unable to write to /dev/full: No space left on device\n";
            assert_eq!((ran.status, &*ran.stderr), (4, want), "{option} {name}");
            assert!(!scratch.read("other.json").is_empty(), "cw_8: the other output is finished");
        }
    }
}

#[test]
fn sg_6_a_reader_that_is_gone_ends_the_program_silently() {
    let scratch = Scratch::new();
    let large = scratch.write("large.nmsg", &containers(&[200]).concat().repeat(300));
    for output in ["-w", "-o", "-J"] {
        let other = scratch.text("other.nmsg");
        let command = crate::tool::command(["-r", &large, output, "-", "-w", &other, "--mirror"]);
        let mut child = start(command);
        child.stdout.take().expect("a pipe").read_exact(&mut [0; 10]).expect("output");
        let (ran, _) = end_of(child);
        assert_eq!((ran.status, &*ran.stderr), (141, ""), "{output}");
        let whole = run(["-r", &other, "-o", "/dev/null"]);
        assert_eq!((whole.status, &*whole.stderr), (0, ""), "{output}: the other is finished");
    }
}

#[test]
fn sg_6_a_reader_that_is_gone_is_a_failure_where_the_parent_ignores_the_signal() {
    let scratch = Scratch::new();
    let large = scratch.write("large.nmsg", &containers(&[200]).concat().repeat(300));
    let script = format!("trap '' PIPE; exec {} -r {large} -J -", env!("CARGO_BIN_EXE_nmsgtool"));
    let mut shell = Command::new("sh");
    shell.arg0("sh").args(["-c", &script]);
    let mut child = start(shell);
    child.stdout.take().expect("a pipe").read_exact(&mut [0; 10]).expect("output");
    let (ran, _) = end_of(child);
    assert_eq!((ran.status, &*ran.stderr), (4, "nmsgtool: unable to write to -: Broken pipe\n"));
}

#[test]
fn d1_what_cannot_be_opened_is_named() {
    let scratch = Scratch::new();
    let input = input(&scratch);
    let missing = scratch.text("missing/file");
    let directory = scratch.text("");
    for (name, arguments, status, want) in [
        (
            "input missing",
            ["-r", &missing, "-o", "-"],
            3,
            format!("unable to open {missing} for reading: No such file or directory"),
        ),
        (
            "JSON input missing",
            ["-j", &missing, "-o", "-"],
            3,
            format!("unable to open {missing} for reading: No such file or directory"),
        ),
        (
            "input without a name",
            ["-r", "", "-o", "-"],
            3,
            "unable to open  for reading: No such file or directory".to_owned(),
        ),
        (
            "cr_15: directory",
            ["-r", &directory, "-o", "-"],
            3,
            format!("unable to open {directory} for reading: Is a directory"),
        ),
        (
            "cr_15: directory as JSON",
            ["-j", &directory, "-o", "-"],
            3,
            format!("unable to open {directory} for reading: Is a directory"),
        ),
        (
            "output missing",
            ["-r", &input, "-w", &missing],
            4,
            format!("unable to open {missing} for writing: No such file or directory"),
        ),
        (
            "directory as output",
            ["-r", &input, "-J", &directory],
            4,
            format!("unable to open {directory} for writing: Is a directory"),
        ),
    ] {
        let ran = run(arguments);
        assert_eq!((ran.status, ran.stderr), (status, format!("nmsgtool: {want}\n")), "{name}");
        assert!(ran.stdout.is_empty(), "{name}");
    }
}

#[test]
fn an_input_that_may_not_be_read_is_an_input_failure() {
    let scratch = Scratch::new();
    let input = input(&scratch);
    let status = Command::new("chmod").args(["000", &input]).status();
    assert!(status.expect("chmod starts").success());
    if std::fs::read(&input).is_ok() {
        println!("skipped: this user may read everything");
        return;
    }
    let ran = run(["-r", &input]);
    let want = format!("nmsgtool: unable to open {input} for reading: Permission denied\n");
    assert_eq!((ran.status, ran.stderr), (3, want));
}

#[test]
fn cw_12_an_output_that_is_also_the_input_is_refused() {
    let scratch = Scratch::new();
    let input = input(&scratch);
    let before = scratch.read("in.nmsg");
    let ran = run(["-r", &input, "-w", &input]);
    assert_eq!(ran.status, 2, "{}", ran.stderr);
    assert!(scratch.read("in.nmsg") == before, "the file is as it was");
}

#[test]
fn an_empty_input_is_a_success() {
    let scratch = Scratch::new();
    let empty = scratch.write("empty", b"");
    for input in ["/dev/null", &empty] {
        for option in ["-r", "-j"] {
            let output = scratch.text("out");
            let ran = run([option, input, "-w", &output]);
            assert_eq!((ran.status, &*ran.stderr), (0, ""), "{option} {input}");
            assert!(scratch.read("out").is_empty());
        }
    }
}

fn damage_rows() -> Vec<(&'static str, Vec<u8>, Vec<u32>, &'static str)> {
    let pieces = containers(&[3, 3, 3]);
    let [a, b, c] = [&pieces[0], &pieces[1], &pieces[2]];
    let all: Vec<u32> = (0..9).collect();
    let without_second = vec![0, 1, 2, 6, 7, 8];
    let length = a.len();
    let mut bad_version = b.clone();
    bad_version[5] = 9;
    let mut bad_body = b.clone();
    bad_body[10] = 0x0b;
    let mut bad_crc = b.clone();
    let last = bad_crc.len() - 1;
    bad_crc[last] ^= 1;
    let mut too_long = b.clone();
    too_long[6] = 0xff;
    let cut = &c[..c.len() - 4];
    vec![
        ("nothing wrong", pieces.concat(), all.clone(), ""),
        (
            "cr_5 cut in the last container",
            [a, b, cut].concat(),
            all.clone(),
            "container ends 4 bytes early (at byte",
        ),
        ("cr_5 cut in a header", [a, b, &c[..7]].concat(), (0..6).collect(), "3 bytes early"),
        ("cr_4 garbage between", [a, &b"garbage"[..], b, c].concat(), all.clone(), "bad magic"),
        ("cr_4 bad version", [a, &*bad_version, c].concat(), without_second.clone(), "version"),
        ("cr_4 bad body", [a, &*bad_body, c].concat(), without_second.clone(), "is damaged"),
        ("cr_3 length beyond the cap", [a, &*too_long, c].concat(), without_second, "the limit is"),
        (
            "cr_6 checksum",
            [a, &*bad_crc, c].concat(),
            vec![0, 1, 2, 3, 4, 6, 7, 8],
            "libnmsg: WARNING: crc mismatch (",
        ),
        (
            "cr_1 empty containers",
            [&b"NMSG\0\x02\0\0\0\0"[..], a, b"NMSG\0\x02\0\0\0\0", b, c].concat(),
            all,
            "",
        ),
        ("one byte", pieces.concat()[..1].to_vec(), vec![], "9 bytes early"),
        ("half a file", pieces.concat()[..length / 2].to_vec(), vec![0], "bytes early (at byte 0)"),
    ]
}

#[test]
fn damage_costs_itself_and_shows_in_the_status() {
    let scratch = Scratch::new();
    for (name, octets, want, message) in damage_rows() {
        let file = scratch.write("in.nmsg", &octets);
        let from_file = run(["-r", &file, "-J", "-"]);
        let from_pipe = run_with_input(["-r", "-", "-J", "-"], &octets);
        let keep_going = run(["--keep-going", "-r", &file, "-J", "-"]);
        let status = if message.is_empty() { 0 } else { 3 };
        for (ran, how, status) in
            [(&from_file, "file", status), (&from_pipe, "pipe", status), (&keep_going, "kept", 0)]
        {
            assert_eq!(ran.status, status, "{name}, {how}: {}", ran.stderr);
            assert_eq!(ports(&ran.stdout), want, "{name}, {how}");
            assert!(ran.stderr.contains(message), "{name}, {how}: {}", ran.stderr);
            assert_eq!(ran.stderr.is_empty(), message.is_empty(), "{name}, {how}");
        }
    }
}

#[test]
fn strict_stops_at_the_first_damage() {
    let scratch = Scratch::new();
    for (name, octets, want, message) in damage_rows() {
        let file = scratch.write("in.nmsg", &octets);
        let ran = run(["--strict", "-r", &file, "-J", "-"]);
        let got = ports(&ran.stdout);
        if message.is_empty() {
            assert_eq!((ran.status, got), (0, want), "{name}");
        } else {
            assert_eq!(ran.status, 3, "{name}");
            assert!(want.starts_with(&got), "{name}: {got:?}");
            assert_eq!(ran.stderr.lines().count(), 1, "{name}: {}", ran.stderr);
        }
    }
}

#[test]
fn damage_is_said_once_and_summed_up() {
    let scratch = Scratch::new();
    let pieces = containers(&[2, 2, 2]);
    let octets = [&*pieces[0], b"first", &pieces[1], b"second", &pieces[2]].concat();
    let file = scratch.write("in.nmsg", &octets);
    let ran = run(["-r", &file, "-J", "-"]);
    assert_eq!((ran.status, ports(&ran.stdout).len()), (3, 6));
    let at = pieces[0].len();
    let want = format!(
        "nmsgtool: {file}: no container where one should start: bad magic firs (at byte {at})\n\
         nmsgtool: {file}: in total 2 damaged places (11 bytes lost)\n"
    );
    assert_eq!(ran.stderr, want);
    let verbose = run(["-dd", "-r", &file, "-J", "-"]);
    assert_eq!(verbose.stderr.matches("bad magic").count(), 2, "{}", verbose.stderr);
}

#[test]
fn another_kind_of_file_is_named() {
    let scratch = Scratch::new();
    for (name, content, want) in [
        ("text", &b"plain text, and more of it than a header has\n"[..], "text"),
        ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03and so on", "gzip data"),
        ("JSON", b"{\"time\":\"2018-02-20 22:01:47\"}\n", "JSON"),
    ] {
        let file = scratch.write("other", content);
        let ran = run(["-r", &file]);
        assert_eq!((ran.status, &*ran.stdout), (3, &b""[..]), "{name}");
        let message = format!("nmsgtool: {file}: not an NMSG file (starts like {want}");
        assert!(ran.stderr.starts_with(&message), "{name}: {}", ran.stderr);
    }
}

#[test]
fn output_failure_hides_input_damage() {
    if !has_full_device() {
        return;
    }
    let ran = run_with_input(["-r", "-", "-w", "/dev/full"], &containers(&[3])[0][..60]);
    assert_eq!(ran.status, 4, "{}", ran.stderr);
}

#[test]
fn cr_7_version_1_is_read_from_files() {
    let body = &containers(&[3])[0][10..];
    let mut octets = b"NMSG\0\x01".to_vec();
    octets.extend((body.len() as u16).to_be_bytes());
    octets.extend(body);
    let ran: Ran = feed(crate::tool::command(["-r", "-", "-J", "-"]), &octets.repeat(2));
    assert_eq!((ran.status, ports(&ran.stdout)), (0, vec![0, 1, 2, 0, 1, 2]));
}
