use super::ledger;
use super::log::{Entry, Log, Severity, Value};
use super::names::Catalogue;
use super::process;
use super::progress::Progress;
use super::statistics::Reports;
use crate::failure::{ExitStatus, reason};
use crate::help;
use crate::settings::{OnDamage, Settings};
use nmsg_io::{
    End, Fault, FaultKind, InputAccount, Ledger, MetricsServer, Notice, Observer, Outcome, Voice,
};
use nmsg_os::signal::{self, StopSignal};
use std::fmt::Display;
use std::io;

/// The level from which on everything is said every time.
const EVERYTHING: u32 = 2;

pub(super) fn level_of(notice: &Notice) -> u32 {
    if notice.is_detail { EVERYTHING } else { 1 }
}

/// Says on standard error what happens, as far as the level of detail allows.
pub(super) struct Reporter {
    log: Log,
    level: u32,
    strict: bool,
    metrics: Option<MetricsServer>,
    progress: Option<Progress>,
    reports: Vec<Reports>,
}

impl Reporter {
    pub(super) fn new(log: Log, level: u32) -> Self {
        Self { log, level, strict: false, metrics: None, progress: None, reports: Vec::new() }
    }

    /// True when lines of this level are shown.
    #[cfg_attr(not(feature = "kafka"), expect(dead_code, reason = "only Kafka asks"))]
    pub(super) fn shows(&self, level: u32) -> bool {
        self.level >= level
    }

    /// Writes a line that starts with the program's name.
    pub(super) fn line(&self, level: u32, text: impl Display) {
        self.say(level, Severity::of_level(level), &text, &[]);
    }

    /// Writes a line about something that is as it should be.
    pub(super) fn info(&self, text: impl Display) {
        self.say(1, Severity::Info, &text, &[]);
    }

    fn say(
        &self,
        level: u32,
        severity: Severity,
        message: &dyn Display,
        fields: &[(&'static str, Value<'_>)],
    ) {
        if self.level >= level {
            self.log.line(&Entry { severity, message, fields });
        }
    }

    /// Writes a line as the C library words it, without the program's name.
    pub(super) fn library_line(&self, level: u32, text: impl Display) {
        if self.level >= level {
            self.bare_line(Severity::of_level(level), &text, &[]);
        }
    }

    fn bare_line(
        &self,
        severity: Severity,
        message: &dyn Display,
        fields: &[(&'static str, Value<'_>)],
    ) {
        self.log.bare_line(&Entry { severity, message, fields });
    }

    /// The voice of an input or output that has something to say while it waits.
    pub(super) fn voice(&self, name: &str) -> Voice {
        self.log.voice(name, self.level)
    }

    /// Shows how far the run has come, if it may be shown.
    pub(super) fn show_progress(&mut self, progress: Option<Progress>) {
        self.progress = progress;
    }

    /// Keeps up to date what a server shows.
    pub(super) fn show_metrics(&mut self, server: MetricsServer) {
        self.metrics = Some(server);
    }

    /// Keeps up to date what is reported.
    pub(super) fn add_reports(&mut self, reports: Reports) {
        self.reports.push(reports);
    }

    /// Says what the run is about to do.
    pub(super) fn set_up(&mut self, catalogue: &Catalogue, settings: &Settings) {
        self.strict = settings.on_damage == OnDamage::Stop;
        if self.level >= EVERYTHING {
            for vendor in catalogue.registry.vendors() {
                for schema in vendor.schemas() {
                    let vendor = String::from_utf8_lossy(vendor.name());
                    let name = schema.message_type().name.to_string_lossy();
                    self.library_line(
                        EVERYTHING,
                        format_args!(
                            "msgmodset_load_module: loaded message schema {vendor}/{name}"
                        ),
                    );
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
            self.info("signalled break");
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
            let text = format!("{}: in total {}", input.name, parts.join(", "));
            let fields = [("input", Value::Text(&input.name))];
            self.say(1, Severity::Warning, &text, &fields);
        }
    }

    fn totals(&self, ledger: &Ledger) {
        if self.level < EVERYTHING {
            return;
        }
        for (number, input) in ledger.inputs.iter().enumerate() {
            let payloads = input.taken_in();
            self.library_line(
                EVERYTHING,
                format_args!("nmsg_io: iothr={:#x} count_nmsg_payload_in={payloads}", number + 1),
            );
        }
        self.print_totals(ledger);
        if ledger.payloads_out() > 0 {
            let payloads = ledger.payloads_out();
            let text = format!("nmsg_io: io=0x1 count_nmsg_payload_out={payloads}");
            self.library_line(EVERYTHING, text);
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
        let json = ledger::json(ledger);
        let fields = [("ledger", Value::Json(&json))];
        let entry = Entry { severity: Severity::Info, message: &"ledger", fields: &fields };
        self.log.block(&entry, &ledger::text(ledger));
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
            let text = format!("JSON parse error: \"{}\"", line.trim_end_matches('\n'));
            self.bare_line(Severity::Debug, &text, &[("input", Value::Text(input))]);
        }
        let said_before = matches!(fault, Fault::LeftOut { what, .. } if what.is_empty());
        if said_before || !first && self.level < EVERYTHING {
            return;
        }
        let kind = fault.kind().word();
        let fields = [("input", Value::Text(input)), ("fault", Value::Text(kind))];
        match fault {
            Fault::ChecksumMismatch { .. } => {
                let text = format!("libnmsg: WARNING: {fault}");
                self.bare_line(Severity::Warning, &text, &fields);
            }
            _ => self.say(1, Severity::Warning, &format_args!("{input}: {fault}"), &fields),
        }
    }

    fn input_failed(&mut self, input: &str, error: &io::Error) {
        let text = format!("unable to read {input}: {}", reason(error));
        self.say(1, Severity::Error, &text, &[("input", Value::Text(input))]);
    }

    fn output_failed(&mut self, output: &str, error: &io::Error) {
        if error.kind() == io::ErrorKind::BrokenPipe && !signal::pipe_was_ignored() {
            return;
        }
        let why = match error.kind() {
            io::ErrorKind::TimedOut => "its reader did not take the rest in time".to_owned(),
            _ => reason(error),
        };
        let text = format!("unable to write to {output}: {why}");
        self.say(1, Severity::Error, &text, &[("output", Value::Text(output))]);
    }

    fn notice(&mut self, notice: &Notice) {
        self.line(level_of(notice), &notice.text);
    }

    fn undelivered(&mut self, output: &str, what: &str) {
        let text = format!("{output}: {what}");
        self.say(1, Severity::Error, &text, &[("output", Value::Text(output))]);
    }

    fn wants_flush(&mut self) -> bool {
        signal::take_flush_request()
    }

    fn pulse(&mut self, is_idle: bool, ledger: &mut dyn FnMut() -> Ledger) {
        if let Some(server) = &self.metrics {
            server.board().pulse(is_idle, ledger);
        }
        for reports in &self.reports {
            reports.board().pulse(is_idle, ledger);
        }
        if let Some(progress) = &mut self.progress {
            progress.pulse(ledger);
        }
    }

    fn ending(&mut self) {
        // What takes long from here on is no work on files.
        self.progress = None;
        self.log.clear_progress();
        process::stopping();
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
