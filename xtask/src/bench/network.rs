//! How many datagrams a second a listener takes without losing one.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use nmsg::Limits;
use nmsg::container::Decoder;
use nmsg_os::udp::{Endpoint, Receiver};
use nmsg_os::{Ready, Usage, wait_with_usage};

use super::Tool;
use crate::share::Share;

/// Rates that are tried: powers of this.
const STEP: f64 = 1.1;
/// How long a rate is tried, and how often; a machine that has other things to do loses some datagrams
/// now and then.
const TRIAL: Duration = Duration::from_secs(1);
const TRIES: usize = 3;
/// What a listener that keeps pace may have left when the sender has ended, as the time that it takes to
/// read that: two periods of its share. A receive buffer holds many more, so that a second without loss
/// alone says little.
const LEFT: Duration = Duration::from_micros(2 * PERIOD as u64);
/// Datagrams that are sent as fast as the sender can, where it can be told how many.
const FLOOD: usize = 200_000;
/// Share of a rate below which the sender has not reached it.
const REACHED: f64 = 0.93;
/// How long a listener may take to bind its socket.
const SETTLING: Duration = Duration::from_secs(10);
/// How long it may take to write what has arrived.
const DRAIN: Duration = Duration::from_secs(2);
/// How long it may take to end after that.
const LAST_MOMENT: Duration = Duration::from_secs(1);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(5);

/// Datagrams that are sent between two looks at the clock.
const BURST: usize = 20;

/// What a listener gets of its processor in every period, in microseconds, where it is held to a share:
/// an eighth, in pieces of which the system's clock sees each, and seldom enough for starting and stopping
/// to cost little. The receive buffer of both programs, 16 MiB, lasts much longer than a period.
const QUOTA: u32 = 5_000;
const PERIOD: u32 = 40_000;

/// The row of a listener.
const ROW: &str = "UDP → NMSG, SIE:dnsdedupe in datagrams of 1400 octets";
/// What a listener is sent.
const FILE: &str = "dnsdedupe.nmsg";
const SIZE: &str = "1400";

/// Who sends.
#[derive(Clone, Copy)]
enum Sender<'t> {
    Tool(&'t Tool),
    /// This program, which only has to send what is in the file.
    Prepared(&'t Path),
}

/// The highest rate that was taken without loss.
#[derive(Clone, Copy, Default)]
struct Taken {
    /// Datagrams a second, as the sender reached it.
    rate: f64,
    /// Processor time of the listener for one, in seconds.
    cpu: f64,
    /// True when the sender could not send faster.
    limited_by_sender: bool,
}

/// How a trial ended.
enum Trial {
    Taken(Taken),
    /// Datagrams were lost or left; so many a second were taken.
    Lost(f64),
}

/// One program that listens to one sender.
#[derive(Clone, Copy)]
struct Listening<'t> {
    data: &'t Path,
    sender: Sender<'t>,
    listener: &'t Tool,
    share: Option<&'t Share>,
    /// The payloads of each datagram.
    payloads: &'t [u64],
}

/// True when the text is in the name of the row of listeners.
pub(super) fn is_wanted(only: Option<&str>) -> bool {
    only.is_none_or(|text| ROW.contains(text))
}

/// Measures listeners with every sender; `tell` is told the lines of a table.
pub(super) fn measure(
    data: &Path,
    ours: &Tool,
    reference: Option<&Tool>,
    tell: &mut dyn FnMut(String) -> io::Result<()>,
) -> io::Result<()> {
    let share = Share::new(QUOTA, PERIOD);
    if let Err(error) = &share {
        tell(format!("\nNo listener is held to a share of its processor: {error}"))?;
    }
    let held = share.as_ref().ok();
    tell(
        "\n| path | sender | datagrams/s without loss | C suite's | ratio | CPU µs for one | C suite's |\n\
         |---|---|---|---|---|---|---|"
            .to_owned(),
    )?;
    let file = data.join("datagrams");
    let datagrams = datagrams_of(ours, data)?;
    write_prepared(&datagrams, &file)?;
    let payloads = datagrams.iter().map(|datagram| payloads_of(datagram));
    let payloads = payloads.collect::<io::Result<Vec<u64>>>()?;
    let senders = [
        ("prepared datagrams, an eighth", held.map(|_| Sender::Prepared(&file)), held),
        ("prepared datagrams", Some(Sender::Prepared(&file)), None),
        ("ours", Some(Sender::Tool(ours)), None),
        ("C suite", reference.map(Sender::Tool), None),
    ];
    for (name, sender, share) in senders {
        let Some(sender) = sender else { continue };
        let highest = |listener| {
            Listening { data, sender, listener, share, payloads: &payloads }.highest_rate()
        };
        let own = highest(ours)?;
        let other = reference.map(highest).transpose()?;
        let rate = |taken: &Taken| {
            let sign = if taken.limited_by_sender { "at least " } else { "" };
            format!("{sign}{:.0}", taken.rate)
        };
        let cpu = |taken: &Taken| format!("{:.2}", taken.cpu * 1e6);
        let none = || "–".to_owned();
        let ratio = other.map_or_else(none, |other| {
            let sign = match (own.limited_by_sender, other.limited_by_sender) {
                (true, false) => "at least ",
                _ => "",
            };
            format!("{sign}{:.1}×", own.rate / other.rate.max(f64::MIN_POSITIVE))
        });
        tell(format!(
            "| {ROW} | {name} | {} | {} | {ratio} | {} | {} |",
            rate(&own),
            other.as_ref().map_or_else(none, rate),
            cpu(&own),
            other.as_ref().map_or_else(none, cpu),
        ))?;
    }
    Ok(())
}

impl Listening<'_> {
    /// Lets the program listen on processor 1, perhaps held to a share of it, while the sender sends on
    /// processor 0: first as fast as it can, then at rates around what was taken of that.
    fn highest_rate(&self) -> io::Result<Taken> {
        let limited = |taken| Taken { limited_by_sender: true, ..taken };
        let mut capacity = 0.0_f64;
        for _ in 0..TRIES {
            match self.try_rate(None)? {
                Trial::Taken(taken) => return Ok(limited(taken)),
                Trial::Lost(rate) => capacity = capacity.max(rate),
            }
        }
        let mut step = (capacity.max(1.0).ln() / STEP.ln()).round() as i32;
        let (mut best, mut lost) = (Taken::default(), i32::MAX);
        while step > 0 && step < lost {
            match self.try_step(step)? {
                Some(taken) => {
                    best = taken;
                    step += 1;
                    if taken.limited_by_sender {
                        break;
                    }
                }
                None => {
                    lost = step;
                    if best.rate > 0.0 {
                        break;
                    }
                    step -= 1;
                }
            }
        }
        Ok(best)
    }

    /// Tries a rate until it is taken without loss; `None` when it never is.
    fn try_step(&self, step: i32) -> io::Result<Option<Taken>> {
        let rate = STEP.powi(step);
        let mut limited = None;
        for _ in 0..TRIES {
            let Trial::Taken(taken) = self.try_rate(Some(rate))? else { continue };
            if taken.rate > rate * REACHED {
                return Ok(Some(taken));
            }
            // What the sender cannot reach says nothing about the listener.
            limited = Some(Taken { limited_by_sender: true, ..taken });
        }
        Ok(limited)
    }

    fn try_rate(&self, rate: Option<f64>) -> io::Result<Trial> {
        let datagrams = match (rate, self.sender) {
            (Some(rate), _) => (rate * TRIAL.as_secs_f64()) as usize,
            (None, _) => FLOOD,
        };
        let datagrams = match self.sender {
            Sender::Tool(_) => datagrams.min(self.payloads.len()),
            Sender::Prepared(_) => datagrams,
        };
        let payloads: u64 = self.payloads.iter().cycle().take(datagrams).sum();
        let count = payloads.to_string();
        let port = free_port()?;
        let address = format!("127.0.0.1/{port}");
        let arguments = ["-l", &address, "-w", "/dev/null", "-c", &count];
        let listening = start(self.listener, "1", self.data, &arguments)?;
        wait_for_listener(port)?;
        if let Some(share) = self.share {
            share.hold(listening.id())?;
        }
        let began = Instant::now();
        // A sender that fails has met a listener that gave up.
        let sent = self.send(port, rate, datagrams, &count)?;
        let ended = began.elapsed();
        let (mut lost, mut drained) = (0, ended);
        while let Some(backlog) = backlog(port)? {
            (lost, drained) = (backlog.lost, began.elapsed());
            // Some programs take half a second to notice that they have everything.
            let is_told = rate.is_some() && (lost > 0 || drained > ended + LEFT);
            if is_told || backlog.waiting == 0 || drained > ended + DRAIN {
                break;
            }
            thread::sleep(LOOK);
        }
        let keeps_pace = lost == 0 && drained <= ended + LEFT;
        let usage = end_within(listening, if keeps_pace { LAST_MOMENT } else { Duration::ZERO })?;
        let usage = usage.filter(|_| keeps_pace);
        Ok(match (usage, sent) {
            (Some(usage), Some(took)) => Trial::Taken(Taken {
                rate: datagrams as f64 / took.as_secs_f64(),
                cpu: usage.cpu().as_secs_f64() / datagrams as f64,
                limited_by_sender: false,
            }),
            _ => {
                let reading = drained - ended + sent.unwrap_or(TRIAL);
                Trial::Lost(datagrams.saturating_sub(lost) as f64 / reading.as_secs_f64())
            }
        })
    }

    /// Sends so many datagrams, which hold `payloads` payloads; gives how long that took if it went well.
    fn send(
        &self,
        port: u16,
        rate: Option<f64>,
        datagrams: usize,
        payloads: &str,
    ) -> io::Result<Option<Duration>> {
        match self.sender {
            Sender::Tool(tool) => {
                let to = match rate {
                    Some(rate) => format!("127.0.0.1/{port},{rate:.0},100"),
                    None => format!("127.0.0.1/{port}"),
                };
                let began = Instant::now();
                let sending = start_sending(tool, self.data, &["-s", &to, "-c", payloads])?;
                let (status, _) = wait_with_usage(sending)?;
                Ok(status.success().then(|| began.elapsed()))
            }
            Sender::Prepared(file) => {
                let output = Command::new("taskset")
                    .args(["-c", "0"])
                    .arg(std::env::current_exe()?)
                    .arg("replay")
                    .arg(file)
                    .args([port.to_string(), rate.unwrap_or(f64::INFINITY).to_string()])
                    .arg(datagrams.to_string())
                    .stderr(Stdio::null())
                    .output()?;
                let seconds = String::from_utf8_lossy(&output.stdout).trim().parse().ok();
                Ok(seconds.filter(|_| output.status.success()).map(Duration::from_secs_f64))
            }
        }
    }
}

/// What the system says of a socket.
struct Backlog {
    /// Octets that wait in it.
    waiting: u64,
    /// Datagrams that were dropped.
    lost: usize,
}

/// Waits until somebody has bound a port.
fn wait_for_listener(port: u16) -> io::Result<()> {
    let began = Instant::now();
    while backlog(port)?.is_none() {
        if began.elapsed() > SETTLING {
            return Err(io::Error::other("a listener does not bind its socket"));
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

/// Asks for the socket that somebody has bound to a port; `None` when nobody has.
fn backlog(port: u16) -> io::Result<Option<Backlog>> {
    let bound = format!(":{port:04X}");
    let table = std::fs::read_to_string("/proc/net/udp")?;
    Ok(table.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (_, waiting) = words.get(4)?.split_once(':')?;
        let waiting = u64::from_str_radix(waiting, 16).ok()?;
        let lost = words.last()?.parse().ok()?;
        words.get(1)?.ends_with(&bound).then_some(Backlog { waiting, lost })
    }))
}

/// The datagrams that a program makes of the file: sent to a socket of our own, slowly enough to take them
/// all.
fn datagrams_of(sender: &Tool, data: &Path) -> io::Result<Vec<Vec<u8>>> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut receiver = Receiver::bind(Endpoint { address, interface: None })?;
    let port = receiver.local_address()?.port();
    let sending = start_sending(sender, data, &["-s", &format!("127.0.0.1/{port},50000,100")])?;
    let mut datagrams = Vec::new();
    while receiver.wait(&[], Some(Instant::now() + DRAIN))? != Ready::Timeout {
        let mut octets = Vec::new();
        receiver.receive(&mut octets)?;
        datagrams.extend(receiver.datagrams().map(|one| octets[one.octets].to_vec()));
    }
    wait_with_usage(sending)?;
    match receiver.dropped()? {
        0 => Ok(datagrams),
        lost => Err(io::Error::other(format!("{lost} datagrams were lost before they were kept"))),
    }
}

/// Number of payloads of a datagram.
fn payloads_of(datagram: &[u8]) -> io::Result<u64> {
    let mut decoder = Decoder::new(&Limits::default());
    let container = decoder.decode_message(datagram, (), Duration::ZERO);
    let container = container.map_err(io::Error::other)?;
    Ok(container.map_or(0, |container| container.len()) as u64)
}

/// Writes datagrams to a file, each behind its length.
fn write_prepared(datagrams: &[Vec<u8>], file: &Path) -> io::Result<()> {
    let mut octets = Vec::new();
    for datagram in datagrams {
        octets.extend_from_slice(&(datagram.len() as u32).to_le_bytes());
        octets.extend_from_slice(datagram);
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

/// Sends so many prepared datagrams to a port, from the first again behind the last, so many a second;
/// prints the seconds that it took.
pub(crate) fn replay(file: &Path, port: u16, rate: f64, count: usize) -> io::Result<()> {
    let datagrams = prepared(file)?;
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(("127.0.0.1", port))?;
    let began = Instant::now();
    for (sent, datagram) in datagrams.iter().cycle().take(count).enumerate() {
        if sent % BURST == 0 {
            let due = Duration::from_secs_f64(sent as f64 / rate);
            while began.elapsed() < due {
                std::hint::spin_loop();
            }
        }
        socket.send(datagram)?;
    }
    super::say(&began.elapsed().as_secs_f64().to_string())
}

fn start_sending(sender: &Tool, data: &Path, more: &[&str]) -> io::Result<Child> {
    start(sender, "0", data, &[&["-r", FILE, "-m", SIZE], more].concat())
}

fn start(tool: &Tool, processor: &str, data: &Path, arguments: &[&str]) -> io::Result<Child> {
    Command::new("taskset")
        .args(["-c", processor])
        .arg(&tool.program)
        .args(arguments)
        .current_dir(data)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// What a child has cost that ends by itself in time; one that does not is told to, and gives `None`.
fn end_within(child: Child, time: Duration) -> io::Result<Option<Usage>> {
    let id = child.id().to_string();
    let (told, tell) = mpsc::channel();
    let waiting = thread::spawn(move || {
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
