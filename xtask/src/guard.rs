//! A guard against slow growth: the instructions that the hot loops take for one record, counted
//! under valgrind, beside the committed counts; and that no record is given memory of its own.
//!
//! Counts are the same on a busy machine, and hardly differ between machines of one architecture:
//! valgrind shows every program the same processor.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::{root, samples, valgrind};

/// The committed counts, from the top folder.
const COUNTS: &str = "xtask/instructions.txt";

/// How far a count may be above the committed one, in percent.
const TOLERANCE: u64 = 5;

/// Allocations that the records between the short input and the long one may make together. Those
/// that there are belong to containers and to tables that grow.
const MOST_ALLOCATIONS: u64 = 200;

/// What stands above the committed counts.
const HEADING: &str = "\
# Instructions for one record of each hot loop, as valgrind counts them on x86_64. A count that is
# more than 5 % higher fails `cargo xtask bench --guard`; `cargo xtask bench --count` writes this
# file anew.
";

/// Records in the short input and in the long one. What the program does once is in both counts, so
/// it is not in their difference. Both are long enough for buffers to reach their size.
const RECORDS: [u64; 2] = [6_000, 16_000];

/// One loop: what is counted.
struct Loop {
    name: &'static str,
    /// `{D}` stands for the folder with the data.
    arguments: &'static [&'static str],
}

const LOOPS: &[Loop] = &[
    Loop {
        name: "NMSG to JSON, SIE:dnsdedupe",
        arguments: &["-r", "{D}/dnsdedupe.nmsg", "-J", "/dev/null"],
    },
    Loop {
        name: "NMSG to JSON, base:dnsqr",
        arguments: &["-r", "{D}/dnsqr.nmsg", "-J", "/dev/null"],
    },
    Loop {
        name: "NMSG to presentation, SIE:dnsdedupe",
        arguments: &["-r", "{D}/dnsdedupe.nmsg", "-o", "/dev/null"],
    },
    Loop {
        name: "JSON to NMSG, SIE:dnsdedupe",
        arguments: &["-j", "{D}/dnsdedupe.json", "-w", "/dev/null"],
    },
    Loop {
        name: "NMSG to NMSG, SIE:dnsdedupe",
        arguments: &["-r", "{D}/dnsdedupe.nmsg", "-w", "/dev/null"],
    },
    Loop {
        name: "capture to NMSG, frames to base:dnsqr",
        arguments: &["-p", "{D}/dns.pcap", "-V", "base", "-T", "dnsqr", "-w", "/dev/null"],
    },
];

/// What is to be done with the counts.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// Compare them with the committed ones.
    Check,
    /// Commit them.
    Accept,
}

/// Counts every loop. Says why and does nothing where that is not possible.
pub(crate) fn run(purpose: Purpose) -> io::Result<()> {
    if !cfg!(target_arch = "x86_64") {
        return say("skipped: the committed instruction counts are those of x86_64");
    }
    if !valgrind::is_installed() {
        return say("skipped: valgrind is not installed, so no instructions are counted");
    }
    let program = build()?;
    let mut folders = Vec::new();
    for count in RECORDS {
        let folder = root().join("target/guard/data").join(count.to_string());
        samples::write_small(&folder, count as usize)?;
        let json = substituted(&["-r", "{D}/dnsdedupe.nmsg", "-J", "{D}/dnsdedupe.json"], &folder);
        succeed(Command::new(&program).args(json))?;
        folders.push(folder);
    }
    let path = root().join(COUNTS);
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let (mut counts, mut worse) = (String::from(HEADING), 0);
    for Loop { name, arguments } in LOOPS {
        let mut totals = [0; 2];
        for (total, folder) in totals.iter_mut().zip(&folders) {
            *total = instructions(&program, &substituted(arguments, folder))?;
        }
        let count = totals[1].saturating_sub(totals[0]) / (RECORDS[1] - RECORDS[0]);
        // Writing to a String cannot fail.
        let _ = writeln!(counts, "{count:>6}  {name}");
        let verdict = Verdict::of(count, committed_count(&committed, name));
        if purpose == Purpose::Check {
            let mut allocated = [0; 2];
            for (total, folder) in allocated.iter_mut().zip(&folders) {
                *total = allocations(&program, &substituted(arguments, folder))?;
            }
            let allocated = allocated[1].saturating_sub(allocated[0]);
            say(&format!(
                "{count:>6}  {name}: {}; {allocated} allocations for {} records",
                verdict.text(),
                RECORDS[1] - RECORDS[0]
            ))?;
            worse += usize::from(!verdict.passes() || allocated > MOST_ALLOCATIONS);
        }
    }
    match purpose {
        Purpose::Accept => {
            fs::write(path, &counts)?;
            say(counts.trim_end())
        }
        Purpose::Check if worse == 0 => Ok(()),
        Purpose::Check => Err(io::Error::other(format!(
            "{worse} hot loops take more instructions than {COUNTS} allows, or more than \
             {MOST_ALLOCATIONS} allocations"
        ))),
    }
}

/// How a count compares with the committed one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    /// Nothing is committed under this name.
    Unknown,
    /// More than the tolerance above the committed count.
    Worse(u64),
    /// About the same.
    Same(u64),
    /// More than the tolerance below: the committed count should follow.
    Better(u64),
}

impl Verdict {
    fn of(count: u64, committed: Option<u64>) -> Self {
        let Some(committed) = committed else { return Self::Unknown };
        let tolerance = committed * TOLERANCE / 100;
        if count > committed + tolerance {
            Self::Worse(committed)
        } else if count + tolerance < committed {
            Self::Better(committed)
        } else {
            Self::Same(committed)
        }
    }

    fn passes(self) -> bool {
        matches!(self, Self::Same(_) | Self::Better(_))
    }

    fn text(self) -> String {
        match self {
            Self::Unknown => format!("not in {COUNTS}"),
            Self::Worse(committed) => format!("MORE than the committed {committed}"),
            Self::Same(committed) => format!("as the committed {committed}"),
            Self::Better(committed) => {
                format!("less than the committed {committed}, which should follow")
            }
        }
    }
}

/// The count that stands before a name.
fn committed_count(committed: &str, name: &str) -> Option<u64> {
    committed.lines().find_map(|line| {
        let (count, rest) = line.trim_start().split_once(' ')?;
        (rest.trim_start() == name).then(|| count.parse().ok()).flatten()
    })
}

/// The instructions of one run.
fn instructions(program: &Path, arguments: &[String]) -> io::Result<u64> {
    let options = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    counted(program, arguments, &options, "Collected : ")
}

/// The allocations of one run.
fn allocations(program: &Path, arguments: &[String]) -> io::Result<u64> {
    let options = ["--tool=memcheck", "--undef-value-errors=no", "--leak-check=no"];
    counted(program, arguments, &options, "total heap usage: ")
}

/// Runs the program with one worker under valgrind; gives the count that it says behind a text.
fn counted(
    program: &Path,
    arguments: &[String],
    options: &[&str],
    behind: &str,
) -> io::Result<u64> {
    let output = Command::new("valgrind")
        .args(options)
        .arg(program)
        .args(["--threads", "1"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    match (output.status.success(), number_behind(&said, behind)) {
        (true, Some(count)) => Ok(count),
        _ => Err(io::Error::other(format!("valgrind ended with {}: {said}", output.status))),
    }
}

/// The number behind a text in what valgrind says.
fn number_behind(said: &str, text: &str) -> Option<u64> {
    let number = said.lines().find_map(|line| line.split_once(text))?.1;
    number.split_whitespace().next()?.replace(',', "").parse().ok()
}

fn substituted(arguments: &[&str], folder: &Path) -> Vec<String> {
    let folder = folder.to_string_lossy();
    arguments.iter().map(|argument| argument.replace("{D}", &folder)).collect()
}

/// Builds the program as it is released, but for the Kafka client, whose C code no loop needs.
fn build() -> io::Result<PathBuf> {
    let folder = root().join("target/guard");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    succeed(
        Command::new(cargo)
            .args([
                "build",
                "--release",
                "--quiet",
                "--package",
                "nmsgtool",
                "--no-default-features",
            ])
            .arg("--target-dir")
            .arg(&folder)
            .current_dir(root()),
    )?;
    Ok(folder.join("release/nmsgtool"))
}

fn succeed(command: &mut Command) -> io::Result<()> {
    let status = command.status()?;
    if status.success() {
        return Ok(());
    }
    let program = command.get_program().to_string_lossy();
    Err(io::Error::other(format!("{program} ended with {status}")))
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_percent_more_is_worse() {
        for (name, count, committed, want, passes) in [
            ("equal", 1_000, Some(1_000), Verdict::Same(1_000), true),
            ("just inside", 1_050, Some(1_000), Verdict::Same(1_000), true),
            ("just outside", 1_051, Some(1_000), Verdict::Worse(1_000), false),
            ("less", 951, Some(1_000), Verdict::Same(1_000), true),
            ("much less", 949, Some(1_000), Verdict::Better(1_000), true),
            ("not committed", 1, None, Verdict::Unknown, false),
        ] {
            let verdict = Verdict::of(count, committed);
            assert_eq!(verdict, want, "{name}");
            assert_eq!(verdict.passes(), passes, "{name}");
        }
    }

    #[test]
    fn counts_are_found_by_their_names() {
        let committed = "# 7  a heading\n   123  one loop\n 45678  another, with a comma\n";
        assert_eq!(committed_count(committed, "one loop"), Some(123));
        assert_eq!(committed_count(committed, "another, with a comma"), Some(45_678));
        assert_eq!(committed_count(committed, "one"), None);
        assert_eq!(committed_count(committed, "a heading"), None);
        assert_eq!(committed_count("", "one loop"), None);
    }

    #[test]
    fn counts_are_found_in_what_valgrind_says() {
        let said = "==1== Events    : Ir\n==1== Collected : 98765\n";
        assert_eq!(number_behind(said, "Collected : "), Some(98_765));
        let said = "==1==   total heap usage: 3,010 allocs, 3,009 frees, 3,613,318 bytes allocated";
        assert_eq!(number_behind(said, "total heap usage: "), Some(3_010));
        assert_eq!(number_behind("==1== nothing", "total heap usage: "), None);
    }

    #[test]
    fn every_loop_has_a_committed_count() {
        let committed = fs::read_to_string(root().join(COUNTS)).unwrap();
        for Loop { name, .. } in LOOPS {
            assert!(committed_count(&committed, name).is_some_and(|count| count > 0), "{name}");
        }
    }
}
