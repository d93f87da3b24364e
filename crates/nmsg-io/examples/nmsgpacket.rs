//! Captures packets on an interface, and stops after so many: every packet goes as a `base:packet`
//! message into the file `nmsgpacket.nmsg` and as text to standard output.
//!
//! `nmsgpacket INTERFACE COUNT`

use nmsg_capture::PacketType;
use nmsg_io::{CaptureInterfaceSource, CaptureSettings, Engine, Outcome, Output, OutputFormat};
use nmsg_os::pcap::Interface;
use nmsg_os::signal;
use std::error::Error;
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [interface, count] = &*words else { return complain("usage: nmsgpacket INTERFACE COUNT") };
    let text = OutputFormat::Presentation { endline: b"\n".to_vec() };
    let done = Output::stdout(text)
        .map_err(Into::into)
        .and_then(|text| run(interface, count, Path::new("nmsgpacket.nmsg"), text));
    match done {
        Ok(outcome) if outcome.output_failed || outcome.input_failed => ExitCode::FAILURE,
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => complain(&error.to_string()),
    }
}

fn complain(text: &str) -> ExitCode {
    // With standard error gone there is nobody to tell.
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::FAILURE
}

/// Captures on an interface until so many packets have come, or a signal.
///
/// # Errors
///
/// Those that keep it from starting.
pub(crate) fn run(
    interface: &str,
    count: &str,
    file: &Path,
    text: Output,
) -> Result<Outcome, Box<dyn Error>> {
    let interface = Interface::parse(interface)?;
    let count: NonZeroU64 = count.parse()?;
    let settings = CaptureSettings::new(PacketType::Packet);
    let source = CaptureInterfaceSource::open(&interface, &settings)?;
    let containers = Output::create(file, OutputFormat::Nmsg { zlib: false }, None)?;
    Ok(Engine::new()
        .source(source)
        .output(containers)
        .output(text)
        .mirror(true)
        .count(Some(count))
        .interrupt(Some(signal::handle_stop_signals()?))
        .run(&mut ()))
}
