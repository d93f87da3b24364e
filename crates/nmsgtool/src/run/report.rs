use super::ledger;
use super::names::Catalogue;
use crate::failure::{ExitStatus, reason};
use crate::help;
use crate::settings::{OnDamage, Settings};
use nmsg_io::{
    End, Fault, FaultKind, InputAccount, Ledger, MetricsServer, Notice, Observer, Outcome, Voice,
};
use nmsg_os::signal::{self, StopSignal};
use std::fmt::Display;
use std::io::{self, Write};

/// The level from which on everything is said every time.
const EVERYTHING: u32 = 2;

fn bare_line(text: impl Display) {
    // With standard error gone there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn level_of(notice: &Notice) -> u32 {
    if notice.is_detail { EVERYTHING } else { 1 }
}

/// Says on standard error what happens, as far as the level of detail allows.
pub(super) struct Reporter {
    program: String,
    level: u32,
    strict: bool,
    metrics: Option<MetricsServer>,
}

impl Reporter {
    pub(super) fn new(program: &str, level: u32) -> Self {
        Self { program: program.to_owned(), level, strict: false, metrics: None }
    }

    /// True when lines of this level are shown.
    #[cfg_attr(not(feature = "kafka"), expect(dead_code, reason = "only Kafka asks"))]
    pub(super) fn shows(&self, level: u32) -> bool {
        self.level >= level
    }

    /// Writes a line that starts with the program's name.
    pub(super) fn line(&self, level: u32, text: impl Display) {
        if self.level >= level {
            self.bare_line(format_args!("{}: {text}", self.program));
        }
    }

    /// Writes a line as the C library words it, without the program's name.
    pub(super) fn library_line(&self, level: u32, text: impl Display) {
        if self.level >= level {
            self.bare_line(text);
        }
    }

    fn bare_line(&self, text: impl Display) {
        bare_line(text);
    }

    /// The voice of an input or output that has something to say while it waits.
    pub(super) fn voice(&self, name: &str) -> Voice {
        let (level, program) = (self.level, self.program.clone());
        Voice::new(name, move |notice| {
            if level >= level_of(notice) {
                bare_line(format_args!("{program}: {}", notice.text));
            }
        })
    }

    /// Keeps up to date what a server shows.
    pub(super) fn show_metrics(&mut self, server: MetricsServer) {
        self.metrics = Some(server);
    }

    /// Says what the run is about to do.
    pub(super) fn set_up(&mut self, catalogue: &Catalogue, settings: &Settings) {
        self.strict = settings.on_damage == OnDamage::Stop;
        if self.level >= EVERYTHING {
            for vendor in catalogue.registry.vendors() {
                for schema in vendor.schemas() {
                    let vendor = String::from_utf8_lossy(vendor.name());
                    let name = schema.message_type().name.to_string_lossy();
                    self.bare_line(format_args!(
                        "msgmodset_load_module: loaded message schema {vendor}/{name}"
                    ));
                }
            }
            self.line(EVERYTHING, format_args!("version {}", help::VERSION));
        }
        for text in catalogue.complaints.iter().chain(&settings.warnings) {
            self.line(1, format_args!("warning: {text}"));
        }
        for text in settings.set_up_lines() {
            self.line(EVERYTHING, text);
        }
    }

    /// Says that a signal ended the run while inputs and outputs were being opened.
    pub(super) fn stopped_early(&self) -> ExitStatus {
        self.signalled()
    }

    /// Says how the run went; returns the status of the process, unless that is to die of a signal.
    pub(super) fn finish(&self, outcome: &Outcome, settings: &Settings) -> ExitStatus {
        for input in &outcome.ledger.inputs {
            self.summarise(input);
        }
        self.totals(&outcome.ledger);
        if settings.stats {
            self.print_ledger(&outcome.ledger);
        }
        let mut status = ExitStatus::Success;
        let damaged = outcome.damaged && settings.on_damage != OnDamage::KeepGoing;
        if damaged || outcome.input_failed || outcome.end == End::Strict {
            status = status.combine(ExitStatus::Input);
        }
        if outcome.output_failed {
            status = status.combine(ExitStatus::Output);
        }
        if outcome.undelivered {
            status = status.combine(ExitStatus::Partial);
        }
        if outcome.end == End::Interrupt {
            status = status.combine(self.signalled());
        }
        if outcome.reader_gone {
            let ignored = signal::pipe_was_ignored();
            status = status.combine(if ignored { ExitStatus::Output } else { BROKEN_PIPE });
        }
        if matches!(status, ExitStatus::Input | ExitStatus::Output) {
            self.line(EVERYTHING, "nmsg_io_loop() failed: generic failure (1)");
        }
        status
    }

    fn signalled(&self) -> ExitStatus {
        for _ in 0..signal::stop_count() {
            self.line(1, "signalled break");
        }
        let Some(signal) = signal::first_stop() else { return ExitStatus::Stopped };
        self.line(EVERYTHING, format_args!("received signal: {}", signal.text()));
        match signal {
            StopSignal::HangUp => ExitStatus::Signal(StopSignal::HangUp.number() as u8),
            StopSignal::Interrupt | StopSignal::Terminate => ExitStatus::Stopped,
        }
    }

    /// Sums up what was said only once, in one line.
    fn summarise(&self, input: &InputAccount) {
        let said_once = FaultKind::ALL.iter().any(|kind| input.faults_of(*kind) > 1);
        if said_once {
            let parts: Vec<String> = FaultKind::ALL
                .into_iter()
                .filter(|kind| input.faults_of(*kind) > 0)
                .map(|kind| ledger::fault_text(input, kind))
                .collect();
            self.line(1, format_args!("{}: in total {}", input.name, parts.join(", ")));
        }
    }

    fn totals(&self, ledger: &Ledger) {
        if self.level < EVERYTHING {
            return;
        }
        for (number, input) in ledger.inputs.iter().enumerate() {
            let payloads = input.taken_in();
            self.bare_line(format_args!(
                "nmsg_io: iothr={:#x} count_nmsg_payload_in={payloads}",
                number + 1
            ));
        }
        self.print_totals(ledger);
        if ledger.payloads_out() > 0 {
            let payloads = ledger.payloads_out();
            self.bare_line(format_args!("nmsg_io: io=0x1 count_nmsg_payload_out={payloads}"));
        }
    }

    fn print_totals(&self, ledger: &Ledger) {
        self.line(
            EVERYTHING,
            format_args!(
                "totals: payloads_in {} payloads_out {} container_recvs {} container_drops {}",
                ledger.payloads_in(),
                ledger.payloads_out(),
                ledger.containers(),
                ledger.lost_containers(),
            ),
        );
    }

    fn print_ledger(&self, ledger: &Ledger) {
        let _ = io::stderr().lock().write_all(ledger::text(ledger).as_bytes());
    }
}

/// The status of a process whose output nobody reads any more.
const BROKEN_PIPE: ExitStatus = ExitStatus::Signal(13);

impl Observer for Reporter {
    fn fault(&mut self, input: &str, fault: &Fault, first: bool) {
        if self.level >= EVERYTHING
            && let Fault::UnusableLine { text: Some(line), .. }
            | Fault::UnusableRecord { text: Some(line), .. } = fault.without_place()
        {
            let line = String::from_utf8_lossy(line);
            self.bare_line(format_args!("JSON parse error: \"{}\"", line.trim_end_matches('\n')));
        }
        let said_before = matches!(fault, Fault::LeftOut { what, .. } if what.is_empty());
        if said_before || !first && self.level < EVERYTHING {
            return;
        }
        match fault {
            Fault::ChecksumMismatch { .. } => {
                self.bare_line(format_args!("libnmsg: WARNING: {fault}"));
            }
            _ => self.line(1, format_args!("{input}: {fault}")),
        }
    }

    fn input_failed(&mut self, input: &str, error: &io::Error) {
        self.line(1, format_args!("unable to read {input}: {}", reason(error)));
    }

    fn output_failed(&mut self, output: &str, error: &io::Error) {
        if error.kind() == io::ErrorKind::BrokenPipe && !signal::pipe_was_ignored() {
            return;
        }
        let why = match error.kind() {
            io::ErrorKind::TimedOut => "its reader did not take the rest in time".to_owned(),
            _ => reason(error),
        };
        self.line(1, format_args!("unable to write to {output}: {why}"));
    }

    fn notice(&mut self, notice: &Notice) {
        self.line(level_of(notice), &notice.text);
    }

    fn undelivered(&mut self, output: &str, what: &str) {
        self.line(1, format_args!("{output}: {what}"));
    }

    fn wants_flush(&mut self) -> bool {
        signal::take_flush_request()
    }

    fn pulse(&mut self, is_idle: bool, ledger: &mut dyn FnMut() -> Ledger) {
        if let Some(server) = &self.metrics {
            server.board().pulse(is_idle, ledger);
        }
    }

    fn rotated(&mut self, ledger: &Ledger) {
        self.print_totals(ledger);
    }

    fn wants_report(&mut self) -> bool {
        signal::take_report_request()
    }

    fn report(&mut self, ledger: &Ledger) {
        self.print_ledger(ledger);
    }
}
