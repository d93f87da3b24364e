//! Payloads from one program to the other, over sockets and files; what arrives is compared.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, BufWriter, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nmsg::container::{ContainerWriter, StreamReader, WriterSettings};
use nmsg::{Limits, MsgType, Payload, Timestamp, VendorId};

use super::say;
use super::tool::Tool;
use super::verdict::Verdict;
use crate::random::Random;
use crate::traffic::Traffic;

/// Payloads of each exchange, and of a full one.
const COUNT: usize = 20_000;
const FULL_COUNT: usize = 1_000_000;
/// Of payloads that need fragments, one for so many.
const PER_LARGE: usize = 50;
/// Octets of a payload that needs fragments.
const LARGE: usize = 12_000;
/// Longest that an exchange may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// How payloads travel.
struct Way {
    name: &'static str,
    /// Options of the program that writes; `{A}` stands for the address.
    write: &'static [&'static str],
    /// Options of the one that reads.
    read: &'static [&'static str],
    place: Place,
    large: bool,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Place {
    Udp(&'static str),
    Tcp,
    Ipc,
    File,
}

const fn udp(name: &'static str, write: &'static [&'static str], large: bool) -> Way {
    Way { name, write, read: &["-l", "{A}"], place: Place::Udp("127.0.0.1"), large }
}

const PUSH: &[&str] = &["-S", "{A},pushpull,connect"];
const PULL: &[&str] = &["-L", "{A},pushpull,accept"];
const PUBLISH: &[&str] = &["-S", "{A},pubsub,accept"];
const SUBSCRIBE: &[&str] = &["-L", "{A},pubsub,connect"];

const fn zmq(name: &'static str, publish: bool, place: Place) -> Way {
    let (write, read) = if publish { (PUBLISH, SUBSCRIBE) } else { (PUSH, PULL) };
    Way { name, write, read, place, large: false }
}

// Senders are slowed down to what any receiver takes.
const WAYS: &[Way] = &[
    udp("UDP", &["-s", "{A},8000"], false),
    udp("UDP, 1280 octets", &["-s", "{A},40000", "-m", "1280"], false),
    udp("UDP, compressed", &["-s", "{A},8000", "-z"], false),
    udp("UDP, in fragments", &["-s", "{A},8000", "-m", "1280"], true),
    udp("UDP, in compressed fragments", &["-s", "{A},8000", "-m", "1280", "-z"], true),
    Way { place: Place::Udp("::1"), ..udp("UDP over IPv6", &["-s", "{A},8000"], false) },
    Way {
        place: Place::Udp("::1"),
        ..udp("UDP over IPv6, in fragments", &["-s", "{A},8000", "-m", "1280"], true)
    },
    zmq("PUSH to PULL over TCP", false, Place::Tcp),
    zmq("PUSH to PULL over a local socket", false, Place::Ipc),
    zmq("PUB to SUB over TCP", true, Place::Tcp),
    zmq("PUB to SUB over a local socket", true, Place::Ipc),
    Way {
        write: &["-S", "{A},pushpull,connect", "-z"],
        ..zmq("compressed PUSH to PULL over TCP", false, Place::Tcp)
    },
    Way { large: true, ..zmq("large PUSH to PULL over TCP", false, Place::Tcp) },
    Way {
        name: "file",
        write: &["-w", "{A}"],
        read: &["-r", "{A}"],
        place: Place::File,
        large: false,
    },
    Way {
        name: "compressed file",
        write: &["-w", "{A}", "-z"],
        read: &["-r", "{A}"],
        place: Place::File,
        large: true,
    },
];

/// Exchanges everything in both directions; gives how many exchanges fail.
pub(super) fn run(ours: &Tool, reference: &Tool, full: bool) -> io::Result<usize> {
    let mut verdict = Verdict::new("exchanges");
    let count = if full { FULL_COUNT } else { COUNT };
    let inputs = [false, true].map(|large| Input::make(ours, count, large));
    let [small, large] = inputs;
    let (small, large) = (small?, large?);
    for way in WAYS {
        let input = if way.large { &large } else { &small };
        for (direction, writer, reader) in
            [("ours to theirs", ours, reference), ("theirs to ours", reference, ours)]
        {
            let name = format!("{}, {direction}", way.name);
            let start = Instant::now();
            let got = exchange(way, input, writer, reader)?;
            verdict.holds(&format!("{name}: {got}"), got == input.summary)?;
            say(&format!("  {name}: {got} in {:.1} s", start.elapsed().as_secs_f64()))?;
        }
    }
    verdict.end()
}

/// What travels.
pub(super) struct Input {
    pub(super) path: String,
    pub(super) count: usize,
    summary: Summary,
}

/// Number and content of payloads, in order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Summary {
    count: usize,
    content: u64,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} payloads, content {:016x}", self.count, self.content)
    }
}

impl Input {
    /// Makes a file of payloads.
    pub(super) fn make(tool: &Tool, count: usize, large: bool) -> io::Result<Self> {
        let path = tool.output(if large { "large.nmsg" } else { "small.nmsg" });
        let count = if large { count / PER_LARGE } else { count };
        let mut file = BufWriter::new(File::create(&path)?);
        let mut writer = ContainerWriter::new(WriterSettings::file(1));
        let (mut traffic, mut random) = (Traffic::new(23), Random::new(29));
        let mut body = Vec::new();
        for number in 0..count {
            body.clear();
            traffic.ipconn(&mut body);
            if large {
                // What fits in a datagram when compressed is sent without a header by the reference
                // (`decisions` CW-1).
                let octets: Vec<u8> = (0..LARGE).map(|_| random.next() as u8).collect();
                nmsg::wire::put_len_field(&mut body, 99, &octets);
            }
            let (sec, nsec) = traffic.tick();
            let payload = Payload {
                vendor: VendorId(1),
                msgtype: MsgType(5),
                time: Timestamp { sec, nsec },
                source: Some(number as u32 + 1),
                body: Some(&body),
                ..Payload::default()
            };
            writer.write(&payload, None, &mut |octets| emit(&mut file, octets))?;
        }
        writer.flush(&mut |octets| emit(&mut file, octets))?;
        file.flush()?;
        let summary = summary(&path)?;
        Ok(Self { path: path.to_string_lossy().into_owned(), count, summary })
    }
}

/// An error of the file or of the writer.
#[derive(Debug)]
struct Failed(io::Error);

impl From<nmsg::Error> for Failed {
    fn from(error: nmsg::Error) -> Self {
        Self(io::Error::other(error))
    }
}

impl From<Failed> for io::Error {
    fn from(Failed(error): Failed) -> Self {
        error
    }
}

fn emit(file: &mut impl Write, octets: &[u8]) -> Result<(), Failed> {
    file.write_all(octets).map_err(Failed)
}

/// Counts the payloads of a file that may be cut, and sums up what they are.
fn summary(path: &Path) -> io::Result<Summary> {
    let mut reader = StreamReader::new(&Limits::default());
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    let (mut hasher, mut count) = (DefaultHasher::new(), 0);
    let mut text = String::new();
    loop {
        let len = file.read(&mut buffer)?;
        match len {
            0 => reader.end(),
            _ => reader.feed(&buffer[..len]),
        }
        while let Some(container) = reader.next_container() {
            for stored in container.map_err(io::Error::other)?.payloads() {
                let Payload { vendor, msgtype, time, source, .. } = stored.payload;
                text.clear();
                let _ = write!(text, "{vendor:?} {msgtype:?} {time:?} {source:?}");
                hasher.write(text.as_bytes());
                hasher.write(stored.payload.body.unwrap_or_default());
                count += 1;
            }
        }
        if len == 0 {
            return Ok(Summary { count, content: hasher.finish() });
        }
    }
}

/// Counts the payloads of a file.
pub(super) fn count(path: &Path) -> io::Result<usize> {
    summary(path).map(|summary| summary.count)
}

/// A program that runs; ended when it is not needed any more.
pub(super) struct Running(pub(super) Child);

impl Running {
    pub(super) fn start(tool: &Tool, words: &[&str], stdin: Stdio) -> io::Result<Self> {
        let mut command = Command::new(tool.program());
        command.args(words).env_remove("NMSG_MSGMOD_DIR").stdin(stdin);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(Self)
    }

    /// Waits for the end; false when it does not come in time.
    pub(super) fn ends(&mut self, patience: Duration) -> io::Result<bool> {
        let start = Instant::now();
        while self.0.try_wait()?.is_none() {
            if start.elapsed() > patience {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(true)
    }

    /// Asks the program to end, and waits for that.
    pub(super) fn stop(mut self) -> io::Result<()> {
        if self.0.try_wait()?.is_none() {
            let id = self.0.id().to_string();
            Command::new("kill").args(["-s", "TERM", &id]).status()?;
        }
        self.ends(Duration::from_secs(10)).map(drop)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, usually.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An address that nobody uses.
pub(super) fn free_address(host: &str) -> io::Result<String> {
    Ok(format!("{host}/{}", UdpSocket::bind((host, 0))?.local_addr()?.port()))
}

/// Waits until somebody listens on a UDP address.
pub(super) fn wait_for_listener(address: &str) -> io::Result<()> {
    let (host, port) = address.split_once('/').unwrap_or_default();
    let table = if host.contains(':') { "/proc/net/udp6" } else { "/proc/net/udp" };
    let port: u16 = port.parse().map_err(io::Error::other)?;
    let local = format!(":{port:04X} ");
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        if fs::read_to_string(table)?.contains(&local) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(io::Error::other(format!("nobody listens on {address}")))
}

fn exchange(way: &Way, input: &Input, writer: &Tool, reader: &Tool) -> io::Result<Summary> {
    let path = |name: &str| writer.output(name).to_string_lossy().into_owned();
    let address = match way.place {
        Place::Udp(host) => free_address(host)?,
        Place::Tcp => format!("tcp://{}", TcpListener::bind("127.0.0.1:0")?.local_addr()?),
        Place::Ipc => format!("ipc://{}", path("socket")),
        Place::File => path("exchanged.nmsg"),
    };
    let got = reader.output("got.nmsg");
    let _ = fs::remove_file(&got);
    let (count, out) = (input.count.to_string(), got.to_string_lossy().into_owned());
    let fill = |words: &[&str]| -> Vec<String> {
        words.iter().map(|word| word.replace("{A}", &address)).collect()
    };
    let (write, read) = (fill(way.write), fill(way.read));
    let mut read: Vec<&str> = read.iter().map(String::as_str).collect();
    read.extend(["-c", &count, "-w", &out]);
    // A publisher waits for nobody: its input comes when its subscriber is there, and not too fast.
    let publishes = way.write == PUBLISH;
    let from = if publishes { "-" } else { &input.path };
    let mut words = vec!["-r", from];
    words.extend(write.iter().map(String::as_str));
    if way.place == Place::File {
        Running::start(writer, &words, Stdio::null())?.ends(PATIENCE)?;
        Running::start(reader, &read, Stdio::null())?.ends(PATIENCE)?;
        return summary(&got);
    }
    let mut reading = Running::start(reader, &read, Stdio::null())?;
    if let Place::Udp(_) = way.place {
        wait_for_listener(&address)?;
    }
    let stdin = if publishes { Stdio::piped() } else { Stdio::null() };
    let mut writing = Running::start(writer, &words, stdin)?;
    if let Some(mut stdin) = writing.0.stdin.take() {
        // The subscriber tries again every now and then.
        std::thread::sleep(Duration::from_secs(1));
        let mut file = File::open(&input.path)?;
        let mut buffer = vec![0; 128 << 10];
        while let len @ 1.. = file.read(&mut buffer)? {
            stdin.write_all(&buffer[..len])?;
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    writing.ends(PATIENCE)?;
    // What is on the way arrives at once, or never.
    reading.ends(Duration::from_secs(5))?;
    reading.stop()?;
    summary(&got)
}
