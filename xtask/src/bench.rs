//! Measurements: this project's `nmsgtool` and the C suite's, in turn, on one processor.

use std::fmt::Write as _;
use std::io::{self, Write};
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
    Row { name: "start-up, -v", arguments: &["-v"], target: 2.0 },
];

/// A program under measurement.
struct Tool {
    program: PathBuf,
    scratch: PathBuf,
}

impl Tool {
    fn run(&self, data: &Path, arguments: &[&str]) -> io::Result<(Duration, Usage)> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let arguments = arguments.iter().map(|argument| {
            argument.replace("{D}", &text(data)).replace("{O}", &text(&self.scratch))
        });
        let start = std::time::Instant::now();
        let child = Command::new("taskset")
            .args(["-c", "1"])
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
    let wanted = |row: &&Row| only.is_none_or(|text| row.name.contains(text));
    for row in ROWS.iter().filter(wanted) {
        let (mut own, mut other) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            own.push(ours.run(&data, row.arguments)?);
            if let Some(reference) = &reference {
                other.push(reference.run(&data, row.arguments)?);
            }
        }
        let own = Median::of(own);
        let compared = (!other.is_empty()).then(|| Median::of(other));
        let (cpu, ratio) = match &compared {
            Some(other) => (format!("{:.3}", other.cpu), format!("{:.1}×", other.cpu / own.cpu)),
            None => ("–".to_owned(), "–".to_owned()),
        };
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
    if only.is_some() {
        return Ok(());
    }
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

fn page(table: &str, reference: Option<&Tool>) -> String {
    let mut page = String::from(
        "# Benchmarks\n\nMedians of five runs each, the two programs in turn, both pinned to one processor, output to \
         /dev/null.\nCPU is user and system time. Repeat it with `NMSG_REFERENCE=DIR cargo xtask bench` \
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
