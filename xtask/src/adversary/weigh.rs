//! The instructions that inputs cost a parser, counted by valgrind: the same on every run, however busy the machine.

use std::hint::black_box;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use super::parsers::{Parser, Run};
use crate::root;

/// Inputs that one valgrind is given; it writes a file for each.
const AT_ONCE: usize = 64;

/// The function that is counted.
const COUNTED: &str = "xtask::adversary::weigh::counted";

/// What a parser's inputs cost, in instructions for each octet that is read or made.
pub(super) struct Weights {
    /// The middle of the costs of the samples.
    pub(super) ordinary: f64,
    /// The costs of the files, in their order.
    pub(super) files: Vec<f64>,
}

/// Counts the instructions for the samples of a parser and for files with inputs.
pub(super) fn weigh(parser: &Parser, files: &[PathBuf]) -> io::Result<Weights> {
    let mut samples = Vec::new();
    let mut costs = Vec::new();
    for (number, files) in files.chunks(AT_ONCE).enumerate() {
        let all = count(parser, number == 0, files)?;
        let (first, rest) = all.split_at(all.len() - files.len());
        samples.extend_from_slice(first);
        costs.extend_from_slice(rest);
    }
    samples.sort_by(f64::total_cmp);
    let none = || io::Error::other(format!("{}: there are no samples", parser.name));
    let ordinary = *samples.get(samples.len() / 2).ok_or_else(none)?;
    Ok(Weights { ordinary, files: costs })
}

/// Lets this program read inputs under valgrind.
fn count(parser: &Parser, with_samples: bool, files: &[PathBuf]) -> io::Result<Vec<f64>> {
    let name = format!("target/adversary/counts/{}-{}", parser.name, std::process::id());
    let folder = root().join(name);
    fs::create_dir_all(&folder)?;
    let counts = folder.join("counts");
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--dump-after={COUNTED}"))
        .arg(format!("--callgrind-out-file={}", counts.display()))
        .arg(env::current_exe()?)
        .args(["adversary", "--read", parser.name, if with_samples { "all" } else { "files" }])
        .args(files)
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("valgrind ended with {}: {said}", output.status)));
    }
    let costs = String::from_utf8_lossy(&output.stdout)
        .lines()
        .enumerate()
        .map(|(place, octets)| {
            let instructions = instructions(&counts.with_extension((place + 1).to_string()))?;
            let octets: f64 = octets.parse().map_err(io::Error::other)?;
            Ok(instructions as f64 / octets)
        })
        .collect();
    fs::remove_dir_all(folder)?;
    costs
}

/// The count in a file that valgrind has written.
fn instructions(file: &Path) -> io::Result<u64> {
    let text = fs::read(file)?;
    let text = String::from_utf8_lossy(&text);
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
    total.ok_or_else(|| io::Error::other(format!("{}: no total", file.display())))
}

/// What runs under valgrind: reads every input twice, the second time counted, and prints the octets that share the
/// instructions.
pub(super) fn read(parser: &Parser, with_samples: bool, files: &[&str]) -> io::Result<()> {
    let mut inputs = if with_samples { (parser.samples)() } else { Vec::new() };
    for file in files {
        inputs.push(fs::read(file)?);
    }
    let mut run = (parser.make)();
    let mut out = io::stdout().lock();
    for input in &inputs {
        run(input);
        let made = counted(&mut run, input);
        writeln!(out, "{}", (input.len() + made).max(parser.least))?;
    }
    Ok(())
}

/// What valgrind counts, found by [its name](COUNTED).
#[inline(never)]
fn counted(run: &mut Run, input: &[u8]) -> usize {
    black_box(run(black_box(input)))
}
