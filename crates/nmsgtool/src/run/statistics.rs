//! The reports of `-M sample`: one at each interval, and one at the end (`nmsgtool-cli` §6.7).

use super::ledger;
use super::log::{Entry, Log, Severity, Value};
use crate::failure::{Failure, FailureKind, reason};
use crate::settings::Statistics;
use nmsg_io::rotate::time_since_1970;
use nmsg_io::{Ledger, MetricsBoard};
use nmsg_os::{Latch, local_time_text};
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The name that the C tool gives its engine.
const ENGINE: &str = "nmsgtool_io";
/// How long to wait for fresh figures from an engine that is busy with one batch.
const FRESH: Duration = Duration::from_millis(50);

/// Reports from a thread of its own until it is dropped, and then once more.
pub(super) struct Reports {
    board: Arc<MetricsBoard>,
    stop: Arc<Latch>,
    thread: Option<JoinHandle<()>>,
}

impl Reports {
    /// Opens the file and starts.
    pub(super) fn start(settings: &Statistics, log: &Log) -> Result<Self, Failure> {
        let to = match &settings.out {
            Some(path) => Target::File(File::create(path).map_err(|_| settings.not_writable())?),
            None => Target::Log(log.clone()),
        };
        Self::spawn(to, settings.interval.get()).map_err(|error| {
            let message = format!("unable to report statistics: {}", reason(&error));
            Failure::new(FailureKind::SetUp, message)
        })
    }

    fn spawn(mut to: Target, interval: u64) -> io::Result<Self> {
        let (board, stop) = (Arc::<MetricsBoard>::default(), Arc::new(Latch::new()?));
        let (own_board, own_stop) = (Arc::clone(&board), Arc::clone(&stop));
        let thread =
            std::thread::Builder::new().name("statistics".to_owned()).spawn(move || {
                let step = Duration::from_secs(interval);
                let (mut next, mut reports) = (Instant::now().checked_add(step), 0);
                loop {
                    // Beyond all clocks: only the end is waited for.
                    let at_end = match next {
                        Some(next) => nmsg_os::sleep(&[&own_stop], next),
                        None => nmsg_os::wait(&[&own_stop], None).map(|_| own_stop.is_raised()),
                    };
                    // Without a way to wait there are no intervals.
                    let at_end = at_end.unwrap_or(true);
                    reports += 1;
                    let ledger = own_board.ledger(FRESH);
                    to.write(&ledger, &report(&ledger, reports, interval, time_since_1970()));
                    if at_end {
                        return;
                    }
                    next = next.and_then(|next| next.checked_add(step));
                }
            })?;
        Ok(Self { board, stop, thread: Some(thread) })
    }

    /// Where the engine leaves its figures.
    pub(super) fn board(&self) -> &MetricsBoard {
        &self.board
    }
}

impl Drop for Reports {
    fn drop(&mut self) {
        self.stop.raise();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

enum Target {
    File(File),
    Log(Log),
}

impl Target {
    fn write(&mut self, ledger: &Ledger, text: &str) {
        match self {
            // Reports must not end what they are about.
            Self::File(file) => {
                let _ = file.write_all(text.as_bytes());
            }
            Self::Log(log) => {
                let json = ledger::json(ledger);
                let fields = [("ledger", Value::Json(&json))];
                let message = &"statistics";
                log.block(&Entry { severity: Severity::Info, message, fields: &fields }, text);
            }
        }
    }
}

/// Writes a report, the so manieth at this interval; averages are those of all intervals.
fn report(ledger: &Ledger, reports: u64, interval: u64, now: Duration) -> String {
    let (payloads_in, payloads_out) = (ledger.payloads_in(), ledger.payloads_out());
    let (received, lost) = (ledger.containers(), ledger.lost_containers());
    let average = |total: u64| total / reports.max(1) / interval.max(1);
    let figures = format!(
        "Total payloads in:\t{payloads_in}\nTotal payloads out:\t{payloads_out}\n\
         Total container recvs:\t{received}\nTotal containers lost:\t{lost}\n\
         Avg payloads in per second:\t{}\nAvg payloads out per second:\t{}\n\
         Avg container recvs per second:\t{}\n",
        average(payloads_in),
        average(payloads_out),
        average(received)
    );
    let line = "=".repeat(40);
    let time = local_time_text(now);
    format!("{line}\ntimestamp:\t{time}\n{figures}===Metrics for IO: {ENGINE}===\n{figures}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use nmsg_io::{InputAccount, OutputAccount};

    #[test]
    fn en_8_reports_are_those_of_the_sample_module() {
        let input = InputAccount { dealt: 100, containers: 20, ..InputAccount::default() };
        let output = OutputAccount { written: 99, ..OutputAccount::default() };
        let ledger = Ledger { inputs: vec![input], outputs: vec![output], mirror: false };
        let text = report(&ledger, 3, 10, Duration::from_secs(1_700_000_000));
        let time = local_time_text(Duration::from_secs(1_700_000_000));
        let figures = "Total payloads in:\t100\nTotal payloads out:\t99\n\
                       Total container recvs:\t20\nTotal containers lost:\t0\n\
                       Avg payloads in per second:\t3\nAvg payloads out per second:\t3\n\
                       Avg container recvs per second:\t0\n";
        let want = format!(
            "========================================\ntimestamp:\t{time}\n{figures}\
             ===Metrics for IO: nmsgtool_io===\n{figures}"
        );
        assert_eq!(text, want);
    }
}
