//! The line that shows how far a long run over files has come.

use super::log::Log;
use crate::settings::{Input, LogFormat, Output, Place, Settings};
use nmsg_io::Ledger;
use nmsg_os::terminal;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// How long a run goes on before there is a line.
const LONG: Duration = Duration::from_secs(1);
/// How often the line changes.
const TICK: Duration = Duration::from_millis(250);

/// Shows how far the run has come.
pub(super) struct Progress {
    log: Log,
    program: String,
    /// Octets of all inputs together.
    total: u64,
    start: Instant,
    due: Instant,
}

impl Progress {
    /// The line of a run, if it may have one: all inputs are regular files, standard error is a terminal
    /// that can clear lines, and standard output is none that is written to.
    pub(super) fn of(settings: &Settings, program: &str, log: &Log) -> Option<Self> {
        let can_clear =
            || std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
        let is_shown =
            log.format() == LogFormat::Text && !settings.daemon && io::stderr().is_terminal();
        if !is_shown || !can_clear() || writes_to_terminal(settings) {
            return None;
        }
        let total = settings.inputs().map(size).sum::<Option<u64>>()?;
        let start = Instant::now();
        Some(Self {
            log: log.clone(),
            program: program.to_owned(),
            total,
            start,
            due: start + LONG,
        })
    }

    /// Shows the line if it is time to.
    pub(super) fn pulse(&mut self, ledger: &mut dyn FnMut() -> Ledger) {
        let now = Instant::now();
        if now < self.due {
            return;
        }
        self.due = now + TICK;
        let stderr = io::stderr();
        let terminal = stderr.as_fd();
        let Some(columns) = terminal::columns(terminal) else { return };
        if terminal::is_in_background(terminal) {
            return;
        }
        let ledger = ledger();
        let octets = ledger.inputs.iter().map(|input| input.octets).sum();
        let text = text(octets, self.total, ledger.payloads_in(), now - self.start);
        // A full line would move on to the next.
        let line = format!("{}: {text}", self.program);
        let line: String = line.chars().take(usize::from(columns).saturating_sub(1)).collect();
        self.log.show_progress(&line);
    }
}

/// The size of a regular file; `None` for other inputs.
fn size(input: &Input) -> Option<u64> {
    let place = match input {
        Input::File(file) => &file.place,
        Input::Capture(place) => place,
        Input::Socket(_) | Input::Zmq(_) | Input::Kafka(_) | Input::Interface(_) => return None,
    };
    let metadata = match place {
        Place::Path(path) => std::fs::metadata(path),
        Place::Standard => {
            io::stdin().as_fd().try_clone_to_owned().and_then(|fd| File::from(fd).metadata())
        }
    };
    metadata.ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len())
}

fn writes_to_terminal(settings: &Settings) -> bool {
    let to_standard = settings.rotation.is_none()
        && settings
            .outputs()
            .any(|output| matches!(output, Output::File(file) if file.place == Place::Standard));
    to_standard && io::stdout().is_terminal()
}

/// Says how far a run has come, in characters of one column each.
fn text(octets: u64, total: u64, payloads: u64, elapsed: Duration) -> String {
    let done = octets.min(total);
    let per_mille = u128::from(done) * 1000 / u128::from(total.max(1));
    let nanoseconds = elapsed.as_nanos().max(1);
    let rate = u128::from(done) * 1_000_000_000 / nanoseconds;
    let mut text = format!(
        "{}.{} % of {}, {}/s, {payloads} payloads",
        per_mille / 10,
        per_mille % 10,
        amount(u128::from(total)),
        amount(rate)
    );
    if done > 0 && done < total {
        let left = nanoseconds * u128::from(total - done) / u128::from(done) / 1_000_000_000;
        text.push_str(&format!(", {} left", duration(left)));
    }
    text
}

fn amount(octets: u128) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let (mut unit, mut size) = (0, 1);
    while unit + 1 < units.len() && octets >= size * 1000 {
        (unit, size) = (unit + 1, size * 1000);
    }
    match unit {
        0 => format!("{octets} B"),
        _ => format!("{}.{} {}", octets / size, octets % size * 10 / size, units[unit]),
    }
}

fn duration(seconds: u128) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_progress() {
        for (octets, total, payloads, seconds, want) in [
            (0, 1000, 0, 1, "0.0 % of 1.0 kB, 0 B/s, 0 payloads"),
            (0, 0, 0, 1, "0.0 % of 0 B, 0 B/s, 0 payloads"),
            (250, 1000, 7, 5, "25.0 % of 1.0 kB, 50 B/s, 7 payloads, 15 s left"),
            (999, 1000, 7, 1, "99.9 % of 1.0 kB, 999 B/s, 7 payloads, 0 s left"),
            (1000, 1000, 7, 2, "100.0 % of 1.0 kB, 500 B/s, 7 payloads"),
            (5000, 1000, 7, 2, "100.0 % of 1.0 kB, 500 B/s, 7 payloads"),
            (
                1_234_567_890,
                9_876_543_210,
                42,
                10,
                "12.4 % of 9.8 GB, 123.4 MB/s, 42 payloads, 1 min 10 s left",
            ),
            (1, 10_000, 1, 1, "0.0 % of 10.0 kB, 1 B/s, 1 payloads, 2 h 46 min left"),
        ] {
            let have = text(octets, total, payloads, Duration::from_secs(seconds));
            assert_eq!(have, want);
        }
        let longest = text(u64::MAX - 1, u64::MAX, u64::MAX, Duration::from_nanos(1));
        assert!(longest.contains("99.9 % of 18.4 EB"), "{longest}");
    }
}
