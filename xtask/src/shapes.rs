//! Inputs of unusual shapes at full size: does what comes last cost what came first, and does memory
//! stay where it was?

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use nmsg::container::{ContainerWriter, StreamReader, WriterSettings};
use nmsg::{Limits, MsgType, Payload, Timestamp, VendorId};
use nmsg_os::{Usage, wait_with_usage};

use crate::root;

/// Containers of the endless stream.
const CONTAINERS: usize = 1_000_000;
/// Octets of a large container, about.
const MIB: usize = 1 << 20;
/// Room that is read into at once.
const PIECE: usize = 128 << 10;

/// A source port, and two fields that the type does not know.
fn body() -> Vec<u8> {
    let unknown = [&[0x7a, 100][..], &[b'x'; 100]].concat();
    [&[0x18, 53][..], &unknown, &unknown].concat()
}

fn payload(body: &[u8]) -> Payload<'_> {
    Payload {
        vendor: VendorId(1),
        msgtype: MsgType(5),
        time: Timestamp { sec: 1_700_000_000, nsec: 7 },
        body: Some(body),
        ..Payload::default()
    }
}

/// Hands out containers with so many payloads each.
fn containers(
    sizes: impl Iterator<Item = usize>,
    settings: WriterSettings,
    mut emit: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut writer = ContainerWriter::new(settings);
    let body = body();
    for size in sizes {
        for _ in 0..size {
            writer.write(&payload(&body), None, &mut emit).map_err(io::Error::other)?;
        }
        writer.flush(&mut emit).map_err(io::Error::other)?;
    }
    Ok(())
}

/// A container of nearly a mebibyte, and how many payloads it has.
fn large_container() -> io::Result<(Vec<u8>, usize)> {
    const PAYLOADS: usize = 4400;
    let mut container = Vec::new();
    containers([PAYLOADS].into_iter(), WriterSettings::file(1), |octets| {
        container.extend_from_slice(octets);
        Ok(())
    })?;
    Ok((container, PAYLOADS))
}

/// Resident memory of this process, in MiB.
fn resident() -> f64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok());
    pages.unwrap_or(0.0) * 4096.0 / MIB as f64
}

/// The page under construction; what is added is shown at once.
struct Page(String);

impl Page {
    fn line(&mut self, line: &str) -> io::Result<()> {
        self.0.push_str(line);
        self.0.push('\n');
        writeln!(io::stdout(), "{line}")
    }
}

/// Measures all shapes and writes `docs/shapes.md`. A smaller number of containers is for trying.
pub(crate) fn run(arguments: &[&str]) -> io::Result<()> {
    let count = match arguments {
        [] => CONTAINERS,
        [count] => count.parse().map_err(io::Error::other)?,
        _ => return Err(io::Error::other("one number: containers of the endless stream")),
    };
    let tool = crate::bench::build()?;
    let scratch = root().join("target/bench/shapes");
    fs::create_dir_all(&scratch)?;
    let mut page = Page(String::new());
    page.line("# Inputs of unusual shapes\n")?;
    page.line("Measured by `cargo xtask bench --shapes`; the tests do the same at modest size.\n")?;
    endless(&mut page, count)?;
    through_the_program(&mut page, &tool, count / 10)?;
    one_payload_each(&mut page, &tool, &scratch)?;
    many_inputs(&mut page, &tool, &scratch)?;
    many_senders(&mut page, &tool)?;
    fs::write(root().join("docs/shapes.md"), page.0)
}

/// Reads containers that are made while they are read.
fn endless(page: &mut Page, count: usize) -> io::Result<()> {
    let (container, payloads) = large_container()?;
    let mut reader = StreamReader::new(&Limits::default());
    page.line(&format!(
        "## A stream of {count} containers of {:.2} MiB\n\n`StreamReader` alone, every checksum \
         compared. Nanoseconds per payload: the median over the containers of a tenth.\n",
        container.len() as f64 / MIB as f64
    ))?;
    page.line("| tenth | ns per payload | resident MiB |\n|---|---|---|")?;
    let (mut at, mut read) = (0, 0);
    let mut medians = Vec::new();
    for tenth in 1..=10 {
        let mut costs = Vec::new();
        let mut start = Instant::now();
        while read < count * tenth / 10 {
            if let Some(found) = reader.next_container() {
                let found = found.map_err(io::Error::other)?;
                let sound = found.payloads().filter(|record| record.crc_matches()).count();
                if sound != payloads {
                    return Err(io::Error::other(format!("{sound} sound payloads")));
                }
                costs.push(start.elapsed());
                start = Instant::now();
                read += 1;
            } else {
                let mut room = &mut reader.space(PIECE)[..PIECE];
                while !room.is_empty() {
                    let len = room.len().min(container.len() - at);
                    let (now, later) = room.split_at_mut(len);
                    now.copy_from_slice(&container[at..at + len]);
                    room = later;
                    at = (at + len) % container.len();
                }
                reader.advance(PIECE);
            }
        }
        costs.sort_unstable();
        let median = costs.get(costs.len() / 2).copied().unwrap_or_default();
        let median = median.as_secs_f64() * 1e9 / payloads as f64;
        medians.push(median);
        page.line(&format!("| {tenth} | {median:.2} | {:.1} |", resident()))?;
    }
    let change = (medians[9] / medians[0] - 1.0) * 100.0;
    page.line(&format!("\nThe last tenth costs {change:+.1} % of the first.\n"))
}

/// Feeds a program's standard input and waits for its end.
fn feed(mut child: Child, octets: &[u8], times: usize) -> io::Result<Usage> {
    if let Some(mut stdin) = child.stdin.take() {
        for _ in 0..times {
            stdin.write_all(octets)?;
        }
    }
    ended(child)
}

fn ended(child: Child) -> io::Result<Usage> {
    let (status, usage) = wait_with_usage(child)?;
    match status.success() {
        true => Ok(usage),
        false => Err(io::Error::other(format!("nmsgtool ended with {status}"))),
    }
}

fn through_the_program(page: &mut Page, tool: &Path, count: usize) -> io::Result<()> {
    let (container, payloads) = large_container()?;
    page.line("## The same through `nmsgtool -r - -w /dev/null`\n")?;
    page.line("| containers | CPU ns per payload | peak MiB |\n|---|---|---|")?;
    for times in [count / 10, count] {
        let child = Command::new(tool)
            .args(["-r", "-", "-w", "/dev/null"])
            .stdin(Stdio::piped())
            .spawn()?;
        let usage = feed(child, &container, times)?;
        page.line(&format!("| {times} | {} |", per_payload(&usage, times * payloads)))?;
    }
    page.line("")
}

fn per_payload(usage: &Usage, payloads: usize) -> String {
    let cost = usage.cpu().as_secs_f64() * 1e9 / payloads as f64;
    format!("{cost:.1} | {:.1}", usage.peak_memory as f64 / MIB as f64)
}

fn one_payload_each(page: &mut Page, tool: &Path, scratch: &Path) -> io::Result<()> {
    const COUNT: usize = 1_000_000;
    page.line("## A million payloads, one per container and many\n")?;
    page.line(
        "| payloads per container | to | CPU ns per payload | peak MiB |\n|---|---|---|---|",
    )?;
    for size in [1, 4000] {
        let path = scratch.join("sizes.nmsg");
        // A child counts the memory of its parent as its own: nothing large is held here.
        let mut file = BufWriter::new(File::create(&path)?);
        let sizes = (0..COUNT / size).map(|_| size);
        containers(sizes, WriterSettings::file(1), |octets| file.write_all(octets))?;
        file.flush()?;
        for to in ["-w", "-J"] {
            let child = Command::new(tool).arg("-r").arg(&path).args([to, "/dev/null"]).spawn()?;
            page.line(&format!("| {size} | `{to}` | {} |", per_payload(&ended(child)?, COUNT)))?;
        }
        fs::remove_file(path)?;
    }
    page.line("")
}

fn many_inputs(page: &mut Page, tool: &Path, scratch: &Path) -> io::Result<()> {
    const INPUTS: usize = 50;
    const EACH: usize = 8;
    let (container, payloads) = large_container()?;
    let all = INPUTS * EACH * payloads;
    page.line(&format!("## {INPUTS} inputs at once, {EACH} MiB each, to `-w /dev/null`\n"))?;
    page.line("Every input holds the containers that it is reading.\n")?;
    page.line("| inputs | CPU ns per payload | peak MiB |\n|---|---|---|")?;

    let whole = scratch.join("whole.nmsg");
    let mut file = File::create(&whole)?;
    (0..INPUTS * EACH).try_for_each(|_| file.write_all(&container))?;
    let child = Command::new(tool).arg("-r").arg(&whole).args(["-w", "/dev/null"]).spawn()?;
    page.line(&format!("| 1 file | {} |", per_payload(&ended(child)?, all)))?;
    fs::remove_file(whole)?;

    let files: Vec<PathBuf> = (0..INPUTS).map(|n| scratch.join(format!("in{n}.nmsg"))).collect();
    let read_all = || {
        let mut command = Command::new(tool);
        command.args(["-w", "/dev/null"]);
        for path in &files {
            command.arg("-r").arg(path);
        }
        command
    };
    for path in &files {
        let mut file = File::create(path)?;
        (0..EACH).try_for_each(|_| file.write_all(&container))?;
    }
    page.line(&format!("| {INPUTS} files | {} |", per_payload(&ended(read_all().spawn()?)?, all)))?;

    for path in &files {
        fs::remove_file(path)?;
        let made = Command::new("mkfifo").arg(path).status()?;
        if !made.success() {
            return Err(io::Error::other("mkfifo failed"));
        }
    }
    let child = read_all().spawn()?;
    let usage = thread::scope(|scope| {
        for path in &files {
            let container = &container;
            scope.spawn(move || {
                let mut pipe = OpenOptions::new().write(true).open(path)?;
                (0..EACH).try_for_each(|_| pipe.write_all(container))
            });
        }
        ended(child)
    })?;
    page.line(&format!("| {INPUTS} FIFOs | {} |\n", per_payload(&usage, all)))?;
    files.iter().try_for_each(fs::remove_file)
}

/// Waits for a program that ends when it has everything; tells whether it had to be ended because
/// something was lost.
fn wait_or_end(child: Child) -> io::Result<(Usage, bool)> {
    let id = child.id().to_string();
    let (ended, end) = mpsc::channel::<()>();
    let patience = thread::spawn(move || {
        let is_late = end.recv_timeout(Duration::from_secs(5)) == Err(RecvTimeoutError::Timeout);
        is_late && Command::new("kill").arg(id).status().is_ok()
    });
    let (_, usage) = wait_with_usage(child)?;
    drop(ended);
    Ok((usage, patience.join().unwrap_or(true)))
}

fn many_senders(page: &mut Page, tool: &Path) -> io::Result<()> {
    const DATAGRAMS: usize = 200_000;
    const BURST: usize = 1000;
    const PAUSE: Duration = Duration::from_millis(10);
    page.line("## Many senders on one UDP port, to `-J /dev/null`\n")?;
    page.line("| senders | datagrams | CPU ns per datagram | peak MiB |\n|---|---|---|---|")?;
    for senders in [1, 2000] {
        let port = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
        let each = DATAGRAMS / senders;
        let count = DATAGRAMS.to_string();
        let child = Command::new(tool)
            .args(["-l", &format!("127.0.0.1/{port}"), "-c", &count, "-J", "/dev/null"])
            .spawn()?;
        thread::sleep(Duration::from_millis(500));
        let sockets = (0..senders)
            .map(|_| {
                let socket = UdpSocket::bind("127.0.0.1:0")?;
                socket.connect(("127.0.0.1", port))?;
                Ok(socket)
            })
            .collect::<io::Result<Vec<_>>>()?;
        let mut writers: Vec<ContainerWriter> = (1..=senders as u64)
            .map(|id| WriterSettings { unbuffered: true, ..WriterSettings::datagram(id, 1) })
            .map(ContainerWriter::new)
            .collect();
        let body = body();
        let mut sent = 0;
        for _ in 0..each {
            for (socket, writer) in sockets.iter().zip(&mut writers) {
                let mut emit = |octets: &[u8]| socket.send(octets).map(drop);
                writer.write(&payload(&body), None, &mut emit).map_err(io::Error::other)?;
                sent += 1;
                // In bursts, whoever sends: waking up costs more than reading.
                if sent % BURST == 0 {
                    thread::sleep(PAUSE);
                }
            }
        }
        let (usage, lost) = wait_or_end(child)?;
        let note = if lost { " (some lost)" } else { "" };
        let cost = per_payload(&usage, DATAGRAMS);
        page.line(&format!("| {senders} | {DATAGRAMS}{note} | {cost} |"))?;
    }
    Ok(())
}
