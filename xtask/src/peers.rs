//! Comparison with the C suite: its program and ours on the same inputs, and its tests on our
//! program. Every difference must be a decision; one that is not ends the task with a failure.

mod commands;
mod compare;
mod corpus;
mod datagrams;
mod exchange;
mod explain;
mod loss;
mod records;
mod suite;
mod tokens;
pub(crate) mod tool;
mod verdict;

use std::io::{self, Write};
use std::path::Path;
use std::{env, fs, process};

use crate::root;
use compare::Comparison;
use tool::Tool;

/// The release of the C suite that the expectations were written for.
const VERSION: &str = "1.3.3";

/// Seed of everything that is generated.
const SEED: u64 = 0x7065_6572;
/// Records made by changing golden ones.
const CHANGED: usize = 1_000;

/// Runs everything that the environment allows: `NMSG_REFERENCE` names an installed C suite,
/// `NMSG_REFERENCE_SOURCE` its built source tree. `NMSG_PEERS_SEED` is a number that makes other
/// records.
///
/// Without `parts` all of them are run. `full` makes the exchanges as large as they should be before a release.
pub(crate) fn run(parts: &[&str], full: bool) -> io::Result<()> {
    let wants = |part: &str| parts.is_empty() || parts.contains(&part);
    let installed = env::var_os("NMSG_REFERENCE");
    let source = env::var_os("NMSG_REFERENCE_SOURCE");
    if installed.is_none() {
        say("skipped: NMSG_REFERENCE is not set; nothing is compared with the C suite")?;
    }
    if source.is_none() {
        say("skipped: NMSG_REFERENCE_SOURCE is not set; the C suite's tests are not run")?;
    }
    if installed.is_none() && source.is_none() {
        return Ok(());
    }
    // Two runs at the same time must not meet.
    let scratch = root().join("target/peers").join(process::id().to_string());
    fs::create_dir_all(&scratch)?;
    let ours = Tool::ours(&scratch)?;
    let mut failures = 0;
    if let Some(folder) = installed {
        let reference = Tool::reference(Path::new(&folder), &scratch)?;
        check_version(&reference)?;
        if wants("records") {
            let mut comparison = Comparison::new(&ours, &reference);
            let seed = env::var("NMSG_PEERS_SEED").ok().and_then(|text| text.parse().ok());
            records::run(&mut comparison, seed.unwrap_or(SEED), CHANGED)?;
            comparison.report()?;
            failures += comparison.unexplained;
        }
        if wants("commands") {
            failures += commands::run(&ours, &reference)?;
        }
        if wants("datagrams") {
            failures += datagrams::run(&ours, &reference)?;
        }
        if wants("exchange") {
            failures += exchange::run(&ours, &reference, full)?;
        }
        if wants("loss") {
            failures += loss::run(&ours, &reference, full)?;
        }
    }
    if let Some(folder) = source.filter(|_| wants("suite")) {
        failures += suite::run(Path::new(&folder), &ours, &scratch)?;
    }
    if failures == 0 {
        fs::remove_dir_all(&scratch)?;
        say("every difference is a decision")
    } else {
        Err(io::Error::other(format!("{failures} differences that nothing explains")))
    }
}

pub(crate) fn check_version(reference: &Tool) -> io::Result<()> {
    let run = reference.run(&["-v"])?;
    let text = [run.stdout, run.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    if text.contains(&format!("version {VERSION}")) {
        say(&format!("reference: {}", text.trim()))
    } else {
        let program = reference.program().display();
        Err(io::Error::other(format!("{program} is not release {VERSION} but says: {text}")))
    }
}

pub(crate) fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}
