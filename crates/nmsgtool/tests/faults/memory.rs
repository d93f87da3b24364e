//! How much memory the program takes, whatever it is given.

use crate::ledger::balanced;
use crate::tool::{Ran, Scratch, command, containers, end_of, ipconn, start};
use nmsg::container::{ContainerWriter, Deflater, WriterSettings};
use nmsg_os::wait_with_usage;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};

pub(crate) const MIB: u64 = 1 << 20;

/// Where the measuring process finds the words of the command line, and leaves what it finds.
const FOLDER: &str = "NMSGTOOL_TEST_MEASURE";

/// The program under measurement. The system counts what the process had that started a program as the
/// program's; so a small process starts it, which is this test program once more.
pub(crate) struct Measuring {
    pub(crate) child: Child,
    scratch: Scratch,
}

impl Measuring {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let scratch = Scratch::new();
        scratch.write("words", arguments.join("\n").as_bytes());
        let mut measuring = Command::new(std::env::current_exe().expect("this program"));
        measuring.args(["--exact", "memory::measures", "--ignored", "--quiet"]);
        measuring.env(FOLDER, scratch.path(""));
        Self { child: start(measuring), scratch }
    }

    /// Waits for the end of the program.
    pub(crate) fn end(self) -> Measured {
        let (ran, _) = end_of(self.child);
        let found = String::from_utf8(self.scratch.read("found")).expect("text");
        let (status, peak) = found.split_once(' ').expect("two numbers");
        let status = status.parse().expect("a number");
        let ran = Ran { status, stdout: self.scratch.read("stdout"), stderr: ran.stderr };
        Measured { ran, peak: peak.parse().expect("a number") }
    }
}

#[test]
#[ignore = "other tests start it"]
fn measures() {
    let Some(folder) = std::env::var_os(FOLDER).map(std::path::PathBuf::from) else { return };
    let words = fs::read_to_string(folder.join("words")).expect("text");
    let mut command = command(words.split('\n'));
    command.stdin(std::process::Stdio::inherit());
    command.stdout(File::create(folder.join("stdout")).expect("a file"));
    let child = command.spawn().expect("the program starts");
    let (status, usage) = wait_with_usage(child).expect("the program is ours");
    let status = status.code().unwrap_or_else(|| 128 + status.signal().expect("a signal"));
    let found = format!("{status} {}", usage.peak_memory);
    fs::write(folder.join("found"), found).expect("written");
}

/// How a run ended, and what it cost.
pub(crate) struct Measured {
    pub(crate) ran: Ran,
    /// Most memory that the program had, in octets.
    peak: u64,
}

impl Measured {
    /// Runs the program to its end.
    pub(crate) fn run(arguments: &[&str]) -> Self {
        Measuring::start(arguments).end()
    }

    /// Asserts that no more memory was taken.
    #[track_caller]
    #[expect(clippy::print_stdout, reason = "a figure for those who look for one")]
    pub(crate) fn assert_peak(&self, name: &str, limit: u64) {
        let peak = format!("{name}: {:.1} MiB", self.peak as f64 / MIB as f64);
        println!("{peak}");
        assert!(self.peak <= limit, "{peak}");
    }
}

#[test]
fn a_large_file_takes_little_memory() {
    let scratch = Scratch::new();
    let body = [&b"\x18\x07\x7a\x90\x03"[..], &[b'x'; 400]].concat();
    let mut settings = WriterSettings::file(1);
    settings.zlib = false;
    let mut writer = ContainerWriter::new(settings);
    let mut one = Vec::new();
    let mut emit = |octets: &[u8]| {
        one.extend_from_slice(octets);
        Ok::<(), nmsg::Error>(())
    };
    for _ in 0..2_400 {
        writer.write(&ipconn(&body), None, &mut emit).expect("fits");
    }
    writer.flush(&mut emit).expect("fits");
    assert!(one.len() as u64 > MIB * 9 / 10, "as large as containers get");
    let count = 110 * MIB as usize / one.len();
    let file = scratch.write("large.nmsg", &one.repeat(count));
    for (option, more) in [
        ("-J", &["--threads", "1"][..]),
        ("-J", &["--threads", "2"]),
        ("-o", &["--threads", "2"]),
        ("-w", &["--threads", "1"]),
        ("-w", &["--threads", "2"]),
        ("-w", &["--threads", "2", "-z"]),
    ] {
        let name = format!("{option} {more:?}");
        let words = [&["-r", &file, option, "/dev/null", "--stats"], more].concat();
        let measured = Measured::run(&words);
        assert_eq!(measured.ran.status, 0, "{name}");
        let all = 2_400 * count as u64;
        assert_eq!(balanced(&measured.ran), (all, all), "{name}");
        measured.assert_peak(&name, 32 * MIB);
    }
}

/// A payload without a body, as small as payloads can be.
const EMPTY: &[u8] = b"\x0a\x0b\x08\x01\x10\x01\x18\0\x25\0\0\0\0";

#[test]
fn a_million_empty_payloads_take_a_bounded_amount_of_memory() {
    const COUNT: usize = 1_000_000;
    let scratch = Scratch::new();
    // The largest container that is accepted has hardly more payloads.
    for in_one in [1_000, 50_000, COUNT] {
        for zlib in [false, true] {
            let name = format!("{in_one} in a container, compressed {zlib}");
            let octets = container(&EMPTY.repeat(in_one), zlib).repeat(COUNT / in_one);
            let file = scratch.write("in.nmsg", &octets);
            for option in ["-w", "-J", "-o"] {
                let name = format!("{name}, {option}");
                let words = ["-r", &file, option, "/dev/null", "--stats", "--threads", "2"];
                let measured = Measured::run(&words);
                assert_eq!(measured.ran.status, 0, "{name}: {}", measured.ran.stderr);
                assert_eq!(balanced(&measured.ran).0, COUNT as u64, "{name}");
                measured.assert_peak(&name, if in_one == COUNT { 192 * MIB } else { 96 * MIB });
            }
        }
    }
}

#[test]
fn cr_3_containers_that_inflate_are_taken_one_by_one() {
    let scratch = Scratch::new();
    let many = container(&EMPTY.repeat(1_000_000), true);
    let zeros = container(&vec![0; 15 * MIB as usize], true);
    for (name, bomb, count, limit) in
        [("payloads", many, 8, 320 * MIB), ("zeros", zeros, 200, 64 * MIB)]
    {
        let file = scratch.write("in.nmsg", &bomb.repeat(count));
        for threads in ["1", "2"] {
            let words = ["-r", &file, "-w", "/dev/null", "--stats", "--threads", threads];
            let measured = Measured::run(&words);
            let (came, _) = balanced(&measured.ran);
            assert_eq!(came, if name == "zeros" { 0 } else { 1_000_000 * count as u64 });
            measured.assert_peak(&format!("{name}, {threads} threads"), limit);
        }
    }
}

/// A container with this body.
pub(crate) fn container(body: &[u8], zlib: bool) -> Vec<u8> {
    let body = if zlib { compressed(body, body.len() as u32) } else { body.to_vec() };
    let flags = [b'N', b'M', b'S', b'G', u8::from(zlib), 2];
    [&flags[..], &(body.len() as u32).to_be_bytes(), &body].concat()
}

/// A compressed body that declares so many octets.
pub(crate) fn compressed(octets: &[u8], declared: u32) -> Vec<u8> {
    let mut body = Vec::new();
    Deflater::new().deflate(octets, &mut body).expect("fits");
    body[..4].copy_from_slice(&declared.to_be_bytes());
    body
}

#[test]
fn ji_20_a_line_beyond_the_limit_is_skipped() {
    const LONG: u64 = 257 * MIB;
    let good = |port| {
        format!("{{\"vname\":\"base\",\"mname\":\"ipconn\",\"message\":{{\"srcport\":{port}}}}}\n")
    };
    let mut measuring = Measuring::start(&["-j", "-", "-J", "-", "--stats"]);
    let mut stdin = measuring.child.stdin.take().expect("a pipe");
    let writing = std::thread::spawn(move || {
        stdin.write_all(good(1).as_bytes())?;
        for _ in 0..LONG / MIB {
            stdin.write_all(&[b'x'; MIB as usize])?;
        }
        stdin.write_all(b"\n")?;
        stdin.write_all(good(2).as_bytes())
    });
    let measured = measuring.end();
    writing.join().expect("no panic").expect("the program reads everything");
    let ran = &measured.ran;
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(crate::tool::ports(&ran.stdout), [1, 2]);
    assert_eq!(balanced(ran), (2, 2));
    assert!(ran.stderr.contains("line 2 skipped: longer than 268435456 bytes"), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 line skipped"), "{}", ran.stderr);
    measured.assert_peak("a long line", 520 * MIB);
}

#[test]
fn ordinary_input_takes_little_memory() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[10]).concat());
    let measured = Measured::run(&["-r", &file, "-J", "-"]);
    assert_eq!(measured.ran.status, 0);
    measured.assert_peak("ten payloads", 24 * MIB);
}
