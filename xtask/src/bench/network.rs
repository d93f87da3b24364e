//! How many datagrams a second a listener takes without losing one.

use std::io;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use nmsg_os::{Usage, wait_with_usage};

use super::Tool;
use crate::share::Share;

/// Datagrams a second that are tried: this many for a start, each step a tenth more.
const LEAST_RATE: f64 = 20_000.0;
const STEP: f64 = 1.1;
const STEPS: i32 = 42;
/// Times that a rate is tried; a machine that has other things to do loses some datagrams now and then.
const TRIES: usize = 3;
/// Share of a rate below which the sender has not reached it.
const REACHED: f64 = 0.93;
/// How long a listener may take to bind its socket.
const SETTLING: Duration = Duration::from_secs(10);
/// How long it may take to write what has arrived.
const DRAIN: Duration = Duration::from_secs(2);

/// How often datagrams that were prepared are sent, so that a run takes a second at any rate.
const REPEATS: u64 = 5;
/// Datagrams that are sent between two looks at the clock.
const BURST: usize = 20;

/// Who sends.
#[derive(Clone, Copy)]
pub(super) enum Sender<'t> {
    Tool(&'t Tool),
    /// This program, from a file with the datagrams of a tool: it only has to send.
    Prepared(&'t Path),
}

/// What there is to send.
pub(super) struct Traffic<'d> {
    pub(super) data: &'d Path,
    pub(super) file: &'d str,
    pub(super) payloads: u64,
    /// Octets of a datagram.
    pub(super) size: &'d str,
}

/// The highest rate that was taken without loss.
#[derive(Clone, Copy, Default)]
pub(super) struct Taken {
    /// Datagrams a second, as the sender reached it.
    pub(super) rate: f64,
    /// Processor time of the listener.
    pub(super) cpu: f64,
    /// True when the sender could not send faster.
    pub(super) limited_by_sender: bool,
}

/// Lets one program listen on processor 1, perhaps held to a share of it, while `sender` sends on
/// processor 0.
pub(super) fn highest_rate(
    sender: Sender<'_>,
    listener: &Tool,
    traffic: &Traffic<'_>,
    share: Option<&Share>,
) -> io::Result<Taken> {
    let datagrams = match sender {
        Sender::Tool(tool) => datagrams_of(tool, traffic)?.len() as u64,
        Sender::Prepared(file) => REPEATS * prepared(file)?.len() as u64,
    };
    let (mut good, mut bad) = (-1, STEPS);
    let (mut best, mut limited_by_sender) = (Taken::default(), false);
    while bad - good > 1 {
        let step = i32::midpoint(good, bad);
        let rate = (LEAST_RATE * STEP.powi(step)) as u32;
        let (mut is_taken, mut is_reached) = (false, false);
        for _ in 0..TRIES {
            let trial = try_rate(sender, listener, traffic, share, rate, datagrams)?;
            let Some(taken) = trial else { continue };
            is_taken = true;
            if taken.rate > best.rate {
                best = taken;
            }
            is_reached = taken.rate > f64::from(rate) * REACHED;
            if is_reached {
                break;
            }
        }
        if is_reached {
            good = step;
        } else {
            // What the sender cannot reach says nothing about the listener.
            limited_by_sender = is_taken;
            bad = step;
        }
    }
    Ok(Taken { limited_by_sender, ..best })
}

fn try_rate(
    sender: Sender<'_>,
    listener: &Tool,
    traffic: &Traffic<'_>,
    share: Option<&Share>,
    rate: u32,
    datagrams: u64,
) -> io::Result<Option<Taken>> {
    let port = free_port()?;
    let address = format!("127.0.0.1/{port}");
    let repeats = if matches!(sender, Sender::Prepared(_)) { REPEATS } else { 1 };
    let count = (repeats * traffic.payloads).to_string();
    let listening = ["-l", &address, "-w", "/dev/null", "-c", &count];
    let listening = start(listener, "1", traffic, &listening)?;
    wait_for_listener(port)?;
    if let Some(share) = share {
        share.hold(listening.id())?;
    }
    let (sent, took) = send(sender, traffic, port, rate)?;
    let usage = end_within(listening, DRAIN)?;
    let taken = |usage: Usage| Taken {
        rate: datagrams as f64 / took.as_secs_f64(),
        cpu: usage.cpu().as_secs_f64(),
        limited_by_sender: false,
    };
    // A sender that fails has met a listener that gave up.
    Ok(usage.filter(|_| sent).map(taken))
}

/// Waits until somebody has bound a port.
fn wait_for_listener(port: u16) -> io::Result<()> {
    let began = Instant::now();
    let bound = format!(":{port:04X} ");
    while !std::fs::read_to_string("/proc/net/udp")?.contains(&bound) {
        if began.elapsed() > SETTLING {
            return Err(io::Error::other("a listener does not bind its socket"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// The datagrams of the traffic: sent to a socket of our own, slowly enough to take them all.
fn datagrams_of(sender: &Tool, traffic: &Traffic<'_>) -> io::Result<Vec<Vec<u8>>> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(DRAIN))?;
    let port = socket.local_addr()?.port();
    let sending = start_sending(sender, traffic, &format!("127.0.0.1/{port},20000,100"))?;
    let (mut datagrams, mut buffer) = (Vec::new(), [0; 1 << 16]);
    while let Ok(len) = socket.recv(&mut buffer) {
        datagrams.push(buffer[..len].to_vec());
    }
    wait_with_usage(sending)?;
    Ok(datagrams)
}

/// Writes the datagrams of the traffic to a file, each behind its length.
pub(super) fn prepare(sender: &Tool, traffic: &Traffic<'_>, file: &Path) -> io::Result<()> {
    let mut octets = Vec::new();
    for datagram in datagrams_of(sender, traffic)? {
        octets.extend_from_slice(&(datagram.len() as u32).to_le_bytes());
        octets.extend_from_slice(&datagram);
    }
    std::fs::write(file, octets)
}

fn prepared(file: &Path) -> io::Result<Vec<Vec<u8>>> {
    let octets = std::fs::read(file)?;
    let (mut rest, mut datagrams) = (&octets[..], Vec::new());
    while let Some((len, behind)) = rest.split_first_chunk() {
        let len = u32::from_le_bytes(*len) as usize;
        let cut = || io::Error::other("the file of datagrams is cut short");
        let (datagram, behind) = behind.split_at_checked(len).ok_or_else(cut)?;
        datagrams.push(datagram.to_vec());
        rest = behind;
    }
    Ok(datagrams)
}

/// Sends prepared datagrams to a port, so many a second; prints the seconds that it took.
pub(crate) fn replay(file: &Path, port: u16, rate: f64) -> io::Result<()> {
    let datagrams = prepared(file)?;
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(("127.0.0.1", port))?;
    let began = Instant::now();
    let mut sent = 0;
    for _ in 0..REPEATS {
        for burst in datagrams.chunks(BURST) {
            let due = Duration::from_secs_f64(sent as f64 / rate);
            while began.elapsed() < due {
                std::hint::spin_loop();
            }
            for datagram in burst {
                socket.send(datagram)?;
            }
            sent += burst.len();
        }
    }
    super::say(&began.elapsed().as_secs_f64().to_string())
}

/// Sends everything; gives whether that went well, and how long it took.
fn send(
    sender: Sender<'_>,
    traffic: &Traffic<'_>,
    port: u16,
    rate: u32,
) -> io::Result<(bool, Duration)> {
    match sender {
        Sender::Tool(tool) => {
            let began = Instant::now();
            let sending = start_sending(tool, traffic, &format!("127.0.0.1/{port},{rate},100"))?;
            let (status, _) = wait_with_usage(sending)?;
            Ok((status.success(), began.elapsed()))
        }
        Sender::Prepared(file) => {
            let output = Command::new("taskset")
                .args(["-c", "0"])
                .arg(std::env::current_exe()?)
                .arg("replay")
                .arg(file)
                .args([port.to_string(), rate.to_string()])
                .stderr(Stdio::null())
                .output()?;
            let seconds = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or(0.0);
            Ok((output.status.success(), Duration::from_secs_f64(seconds)))
        }
    }
}

fn start_sending(sender: &Tool, traffic: &Traffic<'_>, to: &str) -> io::Result<Child> {
    start(sender, "0", traffic, &["-r", traffic.file, "-s", to, "-m", traffic.size])
}

fn start(
    tool: &Tool,
    processor: &str,
    traffic: &Traffic<'_>,
    arguments: &[&str],
) -> io::Result<Child> {
    Command::new("taskset")
        .args(["-c", processor])
        .arg(&tool.program)
        .args(arguments)
        .current_dir(traffic.data)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// What a child has cost that ends by itself in time; one that does not is told to, and gives `None`.
fn end_within(child: Child, time: Duration) -> io::Result<Option<Usage>> {
    let id = child.id().to_string();
    let (told, tell) = mpsc::channel();
    let waiting = std::thread::spawn(move || {
        let ended = wait_with_usage(child);
        // Whoever has stopped listening knows already.
        let _ = told.send(());
        ended
    });
    let ended = tell.recv_timeout(time);
    if ended == Err(RecvTimeoutError::Timeout) {
        Command::new("kill").args(["-s", "TERM", &id]).status()?;
    }
    let waited = waiting.join().map_err(|_| io::Error::other("the wait for a child failed"))?;
    let (status, usage) = waited?;
    Ok((ended.is_ok() && status.success()).then_some(usage))
}

fn free_port() -> io::Result<u16> {
    Ok(UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port())
}
