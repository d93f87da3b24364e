//! Runs the program and makes what it works on.

use nmsg::container::{ContainerWriter, WriterSettings};
use nmsg::{MsgType, Payload, Timestamp, VendorId};
use std::ffi::OsStr;
use std::io::{self, ErrorKind, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Longest that a test waits for the program.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a run ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Ran {
    /// As a shell shows it: 128 and the number for a signal.
    pub(crate) status: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("text")
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let status = output.status;
        Self {
            status: status.code().unwrap_or_else(|| 128 + status.signal().expect("a signal")),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The program, without the alias files of this machine.
pub(crate) fn command<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nmsgtool"));
    command.args(arguments).env("NMSG_OPALIAS_FILE", "/dev/null");
    command.env("NMSG_GRALIAS_FILE", "/dev/null").stdin(Stdio::null());
    command
}

pub(crate) fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Ran {
    command(arguments).output().expect("the program starts").into()
}

pub(crate) fn run_with_input<A: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = A>,
    input: &[u8],
) -> Ran {
    feed(command(arguments), input)
}

pub(crate) fn feed(mut command: Command, input: &[u8]) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    std::thread::scope(|scope| {
        // Whoever has what it wants may stop reading.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().expect("the program ends").into()
    })
}

/// Starts the program with pipes on all three streams.
pub(crate) fn start(mut command: Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

/// Waits on a socket. One with a time limit does not take up its wait again when something interrupts
/// the thread, as the tests beside this one may.
pub(crate) fn uninterrupted<T>(mut wait: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match wait() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            waited => return waited,
        }
    }
}

pub(crate) fn signal(child: &Child, name: &str) {
    signal_process(child.id(), name);
}

pub(crate) fn signal_process(process: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &process.to_string()]).status();
    assert!(sent.expect("kill starts").success());
}

/// Sends signals that the program sees at the same time.
pub(crate) fn signal_at_once(child: &Child, names: &[&str]) {
    signal(child, "STOP");
    names.iter().for_each(|name| signal(child, name));
    signal(child, "CONT");
}

/// Signals that the program handles when it is set up to be stopped: HUP, INT, USR1, TERM.
const HANDLED: u64 = 1 << 0 | 1 << 1 | 1 << 9 | 1 << 14;
/// How often in a row a process must be found idle.
const IDLE_SAMPLES: usize = 3;

/// Waits until a process handles signals and has done all there is to do: each of its threads sleeps,
/// whatever else keeps the machine busy, or it has ended.
pub(crate) fn settle(process: u32) {
    let start = Instant::now();
    let mut idle = 0;
    while idle < IDLE_SAMPLES {
        assert!(start.elapsed() < PATIENCE, "process {process} does not come to rest");
        std::thread::sleep(Duration::from_millis(5));
        idle = if is_idle(process) { idle + 1 } else { 0 };
    }
}

/// True when a process handles its signals.
pub(crate) fn handles_signals(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    caught.is_some_and(|mask| mask & HANDLED == HANDLED)
}

fn is_idle(process: u32) -> bool {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{process}/{name}"));
    let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else { return false };
    let sleeps = |thread: std::ffi::OsString| {
        let stat = read(&format!("task/{}/stat", thread.to_string_lossy())).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('S'))
    };
    let is_zombie = read("status").is_ok_and(|status| status.contains("State:\tZ"));
    is_zombie
        || handles_signals(process) && threads.flatten().all(|thread| sleeps(thread.file_name()))
}

/// How often something is tried on a machine that may have other things to do.
const TRIES: usize = 5;

/// Asserts that something takes less than so long, in one of several tries.
pub(crate) fn assert_quick(name: &str, limit: Duration, mut took: impl FnMut() -> Duration) {
    let mut slowest = Duration::ZERO;
    let mut tries = (0..TRIES).map(|_| took()).inspect(|took| slowest = slowest.max(*took));
    let quick = tries.any(|took| took < limit);
    assert!(quick, "{name}: {TRIES} tries, the slowest {slowest:?}");
}

/// Longest that the end after a signal may take (`decisions` SG-1).
pub(crate) const END: Duration = Duration::from_millis(200);

/// Waits for the end; gives how it went and how long it took.
pub(crate) fn end_of(mut child: Child) -> (Ran, Duration) {
    let start = Instant::now();
    while child.try_wait().expect("the program is ours").is_none() {
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("the program did not end");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let took = start.elapsed();
    (child.wait_with_output().expect("the program has ended").into(), took)
}

/// A directory of this test's own, gone at its end.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("nmsgtool-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory for the test");
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).into_os_string().into_string().expect("text")
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) -> String {
        std::fs::write(self.path(name), content).expect("the file is written");
        self.text(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).expect("the file is there")
    }

    pub(crate) fn fifo(&self, name: &str) -> String {
        let made = Command::new("mkfifo").arg(self.path(name)).status();
        assert!(made.expect("mkfifo starts").success());
        self.text(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A golden file of the core crate.
pub(crate) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../nmsg/tests/golden").join(name)
}

/// Containers with so many `base:ipconn` payloads each; the source ports count from 0 to 127
/// and again.
pub(crate) fn containers(sizes: &[usize]) -> Vec<Vec<u8>> {
    let mut port = 0_u8;
    let one = |size: &usize| {
        let mut writer = ContainerWriter::new(WriterSettings::file(1));
        let mut out = Vec::new();
        let mut emit = |octets: &[u8]| {
            out.extend_from_slice(octets);
            Ok::<(), nmsg::Error>(())
        };
        for _ in 0..*size {
            writer.write(&ipconn(&[0x18, port & 0x7f]), None, &mut emit).expect("fits");
            port = port.wrapping_add(1);
        }
        writer.flush(&mut emit).expect("fits");
        out
    };
    sizes.iter().map(one).collect()
}

pub(crate) fn ipconn(body: &[u8]) -> Payload<'_> {
    Payload {
        vendor: VendorId(1),
        msgtype: MsgType(5),
        time: Timestamp { sec: 1_000_000_000, nsec: 5 },
        body: Some(body),
        ..Payload::default()
    }
}

/// The source ports in JSON output, in order.
pub(crate) fn ports(json: &[u8]) -> Vec<u32> {
    let text = std::str::from_utf8(json).expect("text");
    let port = |line: &str| {
        let (_, rest) = line.split_once("\"srcport\":").expect("a port");
        rest.trim_end_matches('}').parse().expect("a number")
    };
    text.lines().map(port).collect()
}
