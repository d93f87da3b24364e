//! Measurements: this project's `nmsgtool` and the C suite's, in turn, on one processor.

pub(crate) mod network;

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

use nmsg_os::{Usage, wait_with_usage};

use crate::{root, samples};

/// Runs of each program per row; the median counts.
const ROUNDS: usize = 5;
/// The same where another program is slow and the ratio far from one.
const PEER_ROUNDS: usize = 5;
/// The same where both processors are measured, which others on the machine disturb most.
const WORKER_ROUNDS: usize = 9;

/// One row of the table: what is measured, and by which ratio to the C suite it should be faster.
struct Row {
    name: &'static str,
    /// `{D}` stands for the folder with the data, `{O}` for the program's own scratch folder.
    arguments: &'static [&'static str],
    target: f64,
}

const ROWS: &[Row] = &[
    Row {
        name: "NMSG → JSON, 1 M SIE:dnsdedupe",
        arguments: &["-r", "{D}/dnsdedupe.nmsg", "-J", "/dev/null"],
        target: 10.0,
    },
    Row {
        name: "NMSG → JSON, 300 k base:dnsqr",
        arguments: &["-r", "{D}/dnsqr.nmsg", "-J", "/dev/null"],
        target: 10.0,
    },
    Row {
        name: "NMSG → presentation, 1 M SIE:dnsdedupe",
        arguments: &["-r", "{D}/dnsdedupe.nmsg", "-o", "/dev/null"],
        target: 12.0,
    },
    Row {
        name: "NMSG → presentation, 300 k base:dnsqr",
        arguments: &["-r", "{D}/dnsqr.nmsg", "-o", "/dev/null"],
        target: 12.0,
    },
    Row {
        name: "JSON → NMSG, 1 M SIE:dnsdedupe",
        arguments: &["-j", "{D}/dnsdedupe.json", "-w", "/dev/null"],
        target: 10.0,
    },
    Row {
        name: "NMSG → NMSG, 1 M SIE:dnsdedupe",
        arguments: &["-r", "{D}/dnsdedupe.nmsg", "-w", "/dev/null"],
        target: 5.0,
    },
    Row {
        name: "NMSG → zlib NMSG, 1 M SIE:dnsdedupe",
        arguments: &["-r", "{D}/dnsdedupe.nmsg", "-z", "-w", "{O}/zlib.nmsg"],
        target: 4.0,
    },
    Row {
        name: "zlib NMSG → NMSG, 1 M SIE:dnsdedupe",
        arguments: &["-r", "{D}/dnsdedupe-zlib.nmsg", "-w", "/dev/null"],
        target: 2.5,
    },
    Row {
        name: "capture → NMSG, 585 k frames to base:dnsqr",
        arguments: &["-p", "{D}/dns.pcap", "-V", "base", "-T", "dnsqr", "-w", "/dev/null"],
        target: 5.0,
    },
    Row {
        name: "capture → JSON, 585 k frames to base:dnsqr",
        arguments: &["-p", "{D}/dns.pcap", "-V", "base", "-T", "dnsqr", "-J", "/dev/null"],
        target: 6.0,
    },
    Row {
        name: "capture → NMSG, 585 k frames to base:packet",
        arguments: &["-p", "{D}/dns.pcap", "-V", "base", "-T", "packet", "-w", "/dev/null"],
        target: 4.0,
    },
    Row {
        name: "capture → NMSG, 500 k queries without response",
        arguments: &["-p", "{D}/unanswered.pcap", "-V", "base", "-T", "dnsqr", "-w", "/dev/null"],
        target: 4.0,
    },
    Row {
        name: "capture → NMSG, one query 10 k times",
        arguments: &["-p", "{D}/one-key.pcap", "-V", "base", "-T", "dnsqr", "-w", "/dev/null"],
        target: 50.0,
    },
    Row {
        name: "NMSG → UDP, 1 M SIE:dnsdedupe in datagrams of 1400 octets",
        arguments: &["-r", "{D}/dnsdedupe.nmsg", "-s", "127.0.0.1/{P}", "-m", "1400"],
        target: 1.0,
    },
    Row { name: "start-up, -v", arguments: &["-v"], target: 2.0 },
];

/// Rows that are measured with one worker on one processor and with two on two; the goal is the
/// ratio of their times on the wall.
const ROWS_ON_TWO: &[Row] = &[
    Row {
        name: "NMSG → JSON, 1 M SIE:dnsdedupe, two workers",
        arguments: &["-r", "{D}/dnsdedupe.nmsg", "-J", "/dev/null"],
        target: 1.8,
    },
    Row {
        name: "NMSG → JSON, 300 k base:dnsqr, two workers",
        arguments: &["-r", "{D}/dnsqr.nmsg", "-J", "/dev/null"],
        target: 1.8,
    },
    Row {
        name: "NMSG → presentation, 1 M SIE:dnsdedupe, two workers",
        arguments: &["-r", "{D}/dnsdedupe.nmsg", "-o", "/dev/null"],
        target: 1.8,
    },
    Row {
        name: "NMSG → presentation, 300 k base:dnsqr, two workers",
        arguments: &["-r", "{D}/dnsqr.nmsg", "-o", "/dev/null"],
        target: 1.8,
    },
    Row {
        name: "JSON → NMSG, 1 M SIE:dnsdedupe, two workers",
        arguments: &["-j", "{D}/dnsdedupe.json", "-w", "/dev/null"],
        target: 1.8,
    },
    Row {
        name: "NMSG → zlib NMSG, 1 M SIE:dnsdedupe, two workers",
        arguments: &["-r", "{D}/dnsdedupe.nmsg", "-z", "-w", "/dev/null"],
        target: 1.8,
    },
];

/// Another program whose work can fairly be compared with ours.
struct Peer {
    /// What both do.
    work: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    /// Our arguments for the same.
    own: &'static [&'static str],
}

const PEERS: &[Peer] = &[
    Peer {
        work: "1 M JSON lines of SIE:dnsdedupe read and written as JSON lines",
        program: "jq",
        arguments: &["-c", ".", "{D}/dnsdedupe.json"],
        own: &["-j", "{D}/dnsdedupe.json", "-J", "/dev/null"],
    },
    Peer {
        work: "DNS of 585 k frames decoded to lines of JSON",
        program: "tshark",
        arguments: &["-n", "-r", "{D}/dns.pcap", "-Y", "dns", "-T", "ek", "-J", "dns"],
        own: &["-p", "{D}/dns.pcap", "-V", "base", "-T", "dnsqr", "-J", "/dev/null"],
    },
    Peer {
        work: "the file of 1 M SIE:dnsdedupe compressed, level 6",
        program: "gzip",
        arguments: &["-6", "-c", "{D}/dnsdedupe.nmsg"],
        own: &["-r", "{D}/dnsdedupe.nmsg", "-z", "-w", "/dev/null"],
    },
];

/// A program under measurement.
struct Tool {
    program: PathBuf,
    scratch: PathBuf,
}

/// A program that was started.
struct Started {
    at: Instant,
    child: Child,
    /// Where its datagrams go, which nobody reads.
    _sink: UdpSocket,
}

impl Tool {
    fn run(&self, data: &Path, arguments: &[&str]) -> io::Result<(Duration, Usage)> {
        self.run_on("1", data, arguments)
    }

    fn run_on(
        &self,
        processors: &str,
        data: &Path,
        arguments: &[&str],
    ) -> io::Result<(Duration, Usage)> {
        let started = self.start_on(processors, data, arguments)?;
        self.wait(started)
    }

    /// Runs it twice at once, on a processor each, and gives the time until both have ended.
    fn run_twice_at_once(&self, data: &Path, arguments: &[&str]) -> io::Result<Duration> {
        let first = self.start_on("0", data, arguments)?;
        let second = self.start_on("1", data, arguments)?;
        let start = first.at;
        self.wait(first)?;
        self.wait(second)?;
        Ok(start.elapsed())
    }

    fn start_on(&self, processors: &str, data: &Path, arguments: &[&str]) -> io::Result<Started> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        let port = socket.local_addr()?.port().to_string();
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let arguments = arguments.iter().map(|argument| {
            let argument = argument.replace("{D}", &text(data)).replace("{P}", &port);
            argument.replace("{O}", &text(&self.scratch))
        });
        let at = Instant::now();
        let child = Command::new("taskset")
            .args(["-c", processors])
            .arg(&self.program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Started { at, child, _sink: socket })
    }

    /// Waits for its end, and gives the time on the wall since its start.
    fn wait(&self, Started { at, child, .. }: Started) -> io::Result<(Duration, Usage)> {
        let (status, usage) = wait_with_usage(child)?;
        if !status.success() {
            let program = self.program.display();
            return Err(io::Error::other(format!("{program} ended with {status}")));
        }
        Ok((at.elapsed(), usage))
    }
}

/// The medians of one program in one row.
struct Median {
    cpu: f64,
    wall: f64,
    memory: u64,
}

impl Median {
    fn of(mut runs: Vec<(Duration, Usage)>) -> Self {
        let middle = runs.len() / 2;
        runs.sort_by_key(|(wall, _)| *wall);
        let wall = runs[middle].0.as_secs_f64();
        runs.sort_by_key(|(_, usage)| usage.cpu());
        let cpu = runs[middle].1.cpu().as_secs_f64();
        let memory = runs.iter().map(|(_, usage)| usage.peak_memory).max().unwrap_or(0);
        Self { cpu, wall, memory }
    }
}

/// Measures every row and writes `docs/benchmarks.md`; with a text, measures the rows whose names have it.
pub(crate) fn run(only: Option<&str>) -> io::Result<()> {
    let data = root().join("target/bench");
    samples::write_large(&data)?;
    let ours = Tool { program: build()?, scratch: scratch(&data, "ours")? };
    let reference = match env::var_os("NMSG_REFERENCE") {
        Some(folder) => {
            let program = Path::new(&folder).join("bin/nmsgtool");
            Some(Tool { program, scratch: scratch(&data, "reference")? })
        }
        None => {
            say("NMSG_REFERENCE is not set: the C suite is not measured")?;
            None
        }
    };
    for (name, arguments) in [
        ("dnsdedupe.json", &["-r", "{D}/dnsdedupe.nmsg", "-J", "{D}/dnsdedupe.json"][..]),
        (
            "dnsdedupe-zlib.nmsg",
            &["-r", "{D}/dnsdedupe.nmsg", "-z", "-w", "{D}/dnsdedupe-zlib.nmsg"],
        ),
    ] {
        if !data.join(name).exists() {
            ours.run(&data, arguments)?;
        }
    }
    let mut table = String::from(
        "| path | CPU s | C suite CPU s | ratio | goal | wall s | peak MiB |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let is_wanted = |name: &str| only.is_none_or(|text| name.contains(text));
    for row in ROWS.iter().filter(|row| is_wanted(row.name)) {
        let (own, compared) = measure(row, &ours, reference.as_ref(), &data)?;
        let (cpu, ratio) = compare(own.cpu, compared.map(|other| other.cpu));
        let line = format!(
            "| {} | {:.3} | {cpu} | {ratio} | {}× | {:.3} | {:.1} |",
            row.name,
            own.cpu,
            row.target,
            own.wall,
            own.memory as f64 / 1_048_576.0,
        );
        say(&line)?;
        table.push_str(&line);
        table.push('\n');
    }
    let mut others = String::new();
    let mut tell = |line: String| {
        others.push_str(&line);
        others.push('\n');
        say(&line)
    };
    let on_two: Vec<&Row> = ROWS_ON_TWO.iter().filter(|row| is_wanted(row.name)).collect();
    if !on_two.is_empty() {
        tell(
            "\n| path | wall s, one worker | wall s, two | ratio | goal | two runs at once | peak MiB |\n\
             |---|---|---|---|---|---|---|"
                .to_owned(),
        )?;
    }
    for row in on_two {
        let Workers { one, two, at_once } = measure_workers(row, &ours, &data)?;
        let memory = two.memory as f64 / 1_048_576.0;
        let (ratio, most) = (one.wall / two.wall, 2.0 * one.wall / at_once);
        tell(format!(
            "| {} | {:.3} | {:.3} | {ratio:.2}× | {}× | {most:.2}× | {memory:.1} |",
            row.name, one.wall, two.wall, row.target
        ))?;
    }
    let peers: Vec<&Peer> = PEERS.iter().filter(|peer| is_wanted(peer.work)).collect();
    if !peers.is_empty() {
        tell(
            "\n| work | other program | its CPU s | CPU s | ratio |\n|---|---|---|---|---|"
                .to_owned(),
        )?;
    }
    for peer in peers {
        let Peer { work, program, arguments, own } = *peer;
        let Some(version) = version_of(program) else {
            say(&format!("{program} is not installed: not compared"))?;
            continue;
        };
        let other = Tool { program: program.into(), scratch: data.clone() };
        let (mut theirs, mut mine) = (Vec::new(), Vec::new());
        for _ in 0..PEER_ROUNDS {
            theirs.push(other.run(&data, arguments)?);
            mine.push(ours.run(&data, own)?);
        }
        let (theirs, mine) = (Median::of(theirs).cpu, Median::of(mine).cpu);
        tell(format!("| {work} | {version} | {theirs:.3} | {mine:.3} | {:.1}× |", theirs / mine))?;
    }
    if network::is_wanted(only) {
        network::measure(&data, &ours, reference.as_ref(), &mut tell)?;
    }
    if only.is_some() {
        return Ok(());
    }
    table.push_str(&others);
    if let Some(reference) = &reference {
        let size = |tool: &Tool| fs::metadata(tool.scratch.join("zlib.nmsg")).map(|m| m.len());
        let (own, other) = (size(&ours)?, size(reference)?);
        let percent = own as f64 / other as f64 * 100.0;
        let line =
            format!("\nCompressed size: {own} octets, {percent:.2} % of the C suite's {other}.\n");
        say(&line)?;
        table.push_str(&line);
    }
    let page = page(&table, reference.as_ref());
    fs::write(root().join("docs/benchmarks.md"), page)
}

/// Runs both programs in turn.
fn measure(
    row: &Row,
    ours: &Tool,
    reference: Option<&Tool>,
    data: &Path,
) -> io::Result<(Median, Option<Median>)> {
    let (mut own, mut other) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        own.push(ours.run(data, row.arguments)?);
        if let Some(reference) = reference {
            other.push(reference.run(data, row.arguments)?);
        }
    }
    Ok((Median::of(own), (!other.is_empty()).then(|| Median::of(other))))
}

/// What [`measure_workers`] has measured.
struct Workers {
    one: Median,
    two: Median,
    /// Seconds on the wall that two programs with one worker each take at once.
    at_once: f64,
}

/// Runs our program with one worker, with two, and twice at once with one worker each, in turn.
fn measure_workers(row: &Row, ours: &Tool, data: &Path) -> io::Result<Workers> {
    let (mut one, mut two, mut at_once) = (Vec::new(), Vec::new(), Vec::new());
    let alone = [row.arguments, &["--threads", "1"]].concat();
    let together = [row.arguments, &["--threads", "2"]].concat();
    for _ in 0..WORKER_ROUNDS {
        one.push(ours.run(data, &alone)?);
        two.push(ours.run_on("0,1", data, &together)?);
        at_once.push(ours.run_twice_at_once(data, &alone)?);
    }
    at_once.sort();
    let at_once = at_once[at_once.len() / 2].as_secs_f64();
    Ok(Workers { one: Median::of(one), two: Median::of(two), at_once })
}

/// The first line that a program says of its version; `None` when it is not there.
fn version_of(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().map(|line| line.trim_end_matches('.').to_owned())
}

/// The C suite's figure, and its ratio to ours.
fn compare(own: f64, other: Option<f64>) -> (String, String) {
    match other {
        Some(other) => (format!("{other:.3}"), format!("{:.1}×", other / own)),
        None => ("–".to_owned(), "–".to_owned()),
    }
}

fn page(table: &str, reference: Option<&Tool>) -> String {
    let mut page = String::from(
        "# Benchmarks\n\nMedians of five runs each, the two programs in turn, both pinned to one processor, output to \
         /dev/null.\nCPU is user and system time. Where two processors, other programs or the network are measured, the headings say what counts: one worker and two are compared by time \
         on the wall (medians of nine), beside what two independent runs at once, of one worker each, gain on this machine at that moment: the most that sharing work between processors can; other programs by medians of five runs; a listener has processor 1, its sender processor 0. Its rate is the highest, in steps of a tenth, of which one of three trials, a second each, loses no datagram and leaves no more than is read in 80 ms; \
         the search starts with as much as the sender can send, and where nothing of that is lost there is only a lower bound (at least). Nothing else differs between the two programs: \
         the datagrams, the sender, the receive buffer (both ask for 16 MiB). In the row with an eighth, \
         both listeners are held to 5 ms of every 40 ms of their processor (a control group), so that they and not the sender are the limit. Repeat it with `NMSG_REFERENCE=DIR cargo xtask bench` \
         (without the variable only this suite is measured).\nThe data is generated from a fixed seed; see `xtask/src/traffic.rs`.\n\n",
    );
    page.push_str(&machine(reference.map(|reference| reference.program.as_path())));
    // Writing to a String cannot fail.
    let _ = writeln!(page, "\n{table}");
    page
}

/// Lines of a list that say what was measured where; `reference` is the program of the C suite.
pub(crate) fn machine(reference: Option<&Path>) -> String {
    let mut lines = String::new();
    let first_line = |command: &mut Command| {
        let output = command.output().map(|output| [output.stdout, output.stderr].concat());
        let text = String::from_utf8_lossy(&output.unwrap_or_default()).into_owned();
        text.lines().next().unwrap_or("unknown").to_owned()
    };
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown", |model| model.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    // Writing to a String cannot fail.
    let _ = writeln!(lines, "- machine: {model}, {cores} processors seen");
    let _ = writeln!(lines, "- system: {}", first_line(Command::new("uname").arg("-sr")));
    let _ = writeln!(lines, "- compiler: {}", first_line(Command::new("rustc").arg("-V")));
    if let Some(reference) = reference {
        let version = first_line(Command::new(reference).arg("-v"));
        let _ = writeln!(lines, "- C suite: {version}");
    }
    lines
}

/// Builds our program for speed.
pub(crate) fn build() -> io::Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--quiet", "--package", "nmsgtool"])
        .current_dir(root())
        .status()?;
    if status.success() {
        Ok(root().join("target/release/nmsgtool"))
    } else {
        Err(io::Error::other("building nmsgtool failed"))
    }
}

fn scratch(data: &Path, name: &str) -> io::Result<PathBuf> {
    let folder = data.join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}
