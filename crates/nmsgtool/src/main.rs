//! `nmsgtool`: reads, converts, filters and writes NMSG streams.

use nmsg_os::signal::{self, StopSignal};
use nmsgtool::failure::{ExitStatus, Failure, FailureKind, reason};
use nmsgtool::flags::FlagSet;
use nmsgtool::grammar::{self, Command};
use nmsgtool::help;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

/// The signal a process dies of when the reader of its output is gone.
const SIGPIPE: u8 = 13;
/// The signal a process dies of when its terminal is gone.
const SIGHUP: u8 = 1;

fn main() -> ExitCode {
    let mut words = std::env::args_os();
    let program = help::program_name(words.next().as_deref());
    let status = run(&program, words).unwrap_or_else(|failure| {
        // With standard error gone there is nobody to tell.
        let _ = failure.report(&program, &mut io::stderr().lock());
        failure.exit_status()
    });
    die_as_told(status);
    status.into()
}

/// A process that is to end by a signal does so, for its parent to see.
fn die_as_told(status: ExitStatus) {
    match status {
        ExitStatus::Signal(SIGPIPE) => signal::die_of_broken_pipe(),
        ExitStatus::Signal(SIGHUP) => signal::die_of(StopSignal::HangUp),
        _ => {}
    }
}

fn run(program: &str, words: impl Iterator<Item = OsString>) -> Result<ExitStatus, Failure> {
    let flags = FlagSet::available();
    match grammar::parse(flags, words)? {
        Command::Help => print(&help::help(program, flags)),
        Command::Version => print(&help::version(program, flags)),
        Command::Run(given) => nmsgtool::run::run(program, flags, given),
    }
}

/// Writes a text to standard output.
fn print(text: &str) -> Result<ExitStatus, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(ExitStatus::Success),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitStatus::Signal(SIGPIPE)),
        Err(error) => {
            let message = format!("unable to write to standard output: {}", reason(&error));
            Err(Failure::new(FailureKind::Output, message))
        }
    }
}
