//! Measurements: this project's `nmsgtool` and the C suite's, in turn, on one processor.

mod network;

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use nmsg_os::{Usage, wait_with_usage};

use crate::{root, samples};

/// Runs of each program per row; the median counts.
const ROUNDS: usize = 5;

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

/// Rows for which both programs have two processors; the time on the wall counts.
const ROWS_ON_TWO: &[Row] = &[
    Row {
        name: "NMSG → JSON, 1 M SIE:dnsdedupe, two processors",
        arguments: &["-r", "{D}/dnsdedupe.nmsg", "-J", "/dev/null"],
        target: 15.0,
    },
    Row {
        name: "NMSG → JSON, 300 k base:dnsqr, two processors",
        arguments: &["-r", "{D}/dnsqr.nmsg", "-J", "/dev/null"],
        target: 15.0,
    },
    Row {
        name: "NMSG → zlib NMSG, 1 M SIE:dnsdedupe, two processors",
        arguments: &["-r", "{D}/dnsdedupe.nmsg", "-z", "-w", "/dev/null"],
        target: 4.0,
    },
];

/// The row of a listener.
const UDP_RECEIVE: &str = "UDP → NMSG, 1 M SIE:dnsdedupe in datagrams of 1400 octets";
/// Payloads of the file that it is sent.
const UDP_PAYLOADS: u64 = 1_000_000;

/// A program under measurement.
struct Tool {
    program: PathBuf,
    scratch: PathBuf,
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
        // Where datagrams go that nobody reads.
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        let port = socket.local_addr()?.port().to_string();
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let arguments = arguments.iter().map(|argument| {
            let argument = argument.replace("{D}", &text(data)).replace("{P}", &port);
            argument.replace("{O}", &text(&self.scratch))
        });
        let start = std::time::Instant::now();
        let child = Command::new("taskset")
            .args(["-c", processors])
            .arg(&self.program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let (status, usage) = wait_with_usage(child)?;
        if !status.success() {
            let program = self.program.display();
            return Err(io::Error::other(format!("{program} ended with {status}")));
        }
        Ok((start.elapsed(), usage))
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
        let (own, compared) = measure(row, "1", &ours, reference.as_ref(), &data)?;
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
        tell("\n| path | wall s | C suite wall s | ratio | goal | CPU s | peak MiB |".to_owned())?;
        tell("|---|---|---|---|---|---|---|".to_owned())?;
    }
    for row in on_two {
        let (own, compared) = measure(row, "0,1", &ours, reference.as_ref(), &data)?;
        let (wall, ratio) = compare(own.wall, compared.map(|other| other.wall));
        let memory = own.memory as f64 / 1_048_576.0;
        tell(format!(
            "| {} | {:.3} | {wall} | {ratio} | {}× | {:.3} | {memory:.1} |",
            row.name, own.wall, row.target, own.cpu
        ))?;
    }
    if is_wanted(UDP_RECEIVE) {
        tell(
            "\n| path | sender | datagrams/s without loss | C suite's | ratio | CPU s | C suite's |\n\
             |---|---|---|---|---|---|---|"
                .to_owned(),
        )?;
        let (file, size) = ("dnsdedupe.nmsg", "1400");
        let traffic = network::Traffic { data: &data, file, payloads: UDP_PAYLOADS, size };
        for (name, sender) in [("ours", Some(&ours)), ("C suite", reference.as_ref())] {
            let Some(sender) = sender else { continue };
            let own = network::highest_rate(sender, &ours, &traffic)?;
            let other = match &reference {
                Some(reference) => Some(network::highest_rate(sender, reference, &traffic)?),
                None => None,
            };
            let rate = |taken: &network::Taken| {
                let sign = if taken.limited_by_sender { "at least " } else { "" };
                format!("{sign}{:.0}", taken.rate)
            };
            let (other_rate, other_cpu) = match &other {
                Some(other) => (rate(other), format!("{:.3}", other.cpu)),
                None => ("–".to_owned(), "–".to_owned()),
            };
            let ratio = other.map_or("–".to_owned(), |other| {
                format!("{:.1}×", own.rate / other.rate.max(f64::MIN_POSITIVE))
            });
            let (own_rate, own_cpu) = (rate(&own), own.cpu);
            tell(format!(
                "| {UDP_RECEIVE} | {name} | {own_rate} | {other_rate} | {ratio} | {own_cpu:.3} | {other_cpu} |"
            ))?;
        }
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
    processors: &str,
    ours: &Tool,
    reference: Option<&Tool>,
    data: &Path,
) -> io::Result<(Median, Option<Median>)> {
    let (mut own, mut other) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        own.push(ours.run_on(processors, data, row.arguments)?);
        if let Some(reference) = reference {
            other.push(reference.run_on(processors, data, row.arguments)?);
        }
    }
    Ok((Median::of(own), (!other.is_empty()).then(|| Median::of(other))))
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
         /dev/null.\nCPU is user and system time. Where two processors or the network are measured, the headings say what counts: programs with two processors are compared by time \
         on the wall; a listener has processor 1, its sender processor 0, and the rate rises until datagrams are lost three times. Repeat it with `NMSG_REFERENCE=DIR cargo xtask bench` \
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
