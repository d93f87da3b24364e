//! What gets lost when the reference sends as fast as it can, to us and to itself.

use std::io;
use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::exchange::{Input, Running, count, free_address, wait_for_listener};
use super::say;
use super::tool::Tool;
use super::verdict::Verdict;

/// Payloads of a run, and of a full one.
const COUNT: usize = 100_000;
const FULL_COUNT: usize = 1_000_000;
/// Runs of each setting, and of a full comparison.
const RUNS: usize = 2;
const FULL_RUNS: usize = 5;

/// Sends to both programs; gives how often ours loses something.
pub(super) fn run(ours: &Tool, reference: &Tool, full: bool) -> io::Result<usize> {
    let mut verdict = Verdict::new("losses");
    let (payloads, runs) = if full { (FULL_COUNT, FULL_RUNS) } else { (COUNT, RUNS) };
    let input = Input::make(ours, payloads, false)?;
    let limit = fs::read_to_string("/proc/sys/net/core/rmem_max")?;
    say(&format!("receive buffers of up to {} bytes without privileges", limit.trim()))?;
    for mtu in ["1280", "8192"] {
        for number in 1..=runs {
            let theirs = received(reference, reference, &input, mtu)?;
            let mine = received(ours, reference, &input, mtu)?;
            let name = format!("run {number} with -m {mtu}");
            say(&format!("  {name}: ours {mine}; theirs {theirs}"))?;
            verdict.holds(&format!("{name}: ours {mine}"), mine.payloads == payloads)?;
        }
    }
    verdict.end()
}

/// What came of a run.
struct Received {
    payloads: usize,
    sent: usize,
    /// Datagrams that the kernel has dropped, as far as could be seen.
    dropped: u64,
    seconds: f64,
}

impl std::fmt::Display for Received {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { payloads, sent, dropped, seconds } = self;
        let lost = sent - payloads;
        write!(f, "lost {lost} of {sent}, the kernel dropped {dropped} datagrams, {seconds:.2} s")
    }
}

fn received(reader: &Tool, writer: &Tool, input: &Input, mtu: &str) -> io::Result<Received> {
    let address = free_address("127.0.0.1")?;
    let got = reader.output("got.nmsg");
    let _ = fs::remove_file(&got);
    let out = got.to_string_lossy().into_owned();
    let reading = Running::start(reader, &["-l", &address, "-w", &out], Stdio::null())?;
    wait_for_listener(&address)?;
    let start = Instant::now();
    let words = ["-r", &input.path, "-s", &address, "-m", mtu];
    Running::start(writer, &words, Stdio::null())?.ends(Duration::from_secs(60))?;
    let seconds = start.elapsed().as_secs_f64();
    // What is in the buffer is read at once.
    while socket(&address)?.is_some_and(|socket| socket.waiting > 0) {
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(300));
    let dropped = socket(&address)?.map_or(0, |socket| socket.dropped);
    reading.stop()?;
    Ok(Received { payloads: count(&got)?, sent: input.count, dropped, seconds })
}

/// What the kernel says about a socket.
struct Socket {
    /// Octets in its buffer.
    waiting: u64,
    dropped: u64,
}

fn socket(address: &str) -> io::Result<Option<Socket>> {
    let port = address.rsplit('/').next().unwrap_or_default();
    let port: u16 = port.parse().map_err(io::Error::other)?;
    let local = format!(":{port:04X}");
    let table = fs::read_to_string("/proc/net/udp")?;
    let found = table.lines().skip(1).find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let queues =
            words.get(4).filter(|_| words.get(1).is_some_and(|at| at.ends_with(&local)))?;
        let waiting = u64::from_str_radix(queues.split(':').nth(1)?, 16).ok()?;
        Some(Socket { waiting, dropped: words.last()?.parse().ok()? })
    });
    Ok(found)
}
