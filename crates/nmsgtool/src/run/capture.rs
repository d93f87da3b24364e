use super::report::Reporter;
use crate::failure::{Failure, FailureKind, reason};
use crate::settings::{InterfaceInput, Place, Settings};
use nmsg_io::{CaptureError, CaptureFileSource, CaptureInterfaceSource, CaptureSettings};
use nmsg_os::Latch;
use std::fmt::Display;

/// Starts capturing on an interface.
pub(super) fn open_interface(
    input: &InterfaceInput,
    settings: &Settings,
    reporter: &Reporter,
) -> Result<CaptureInterfaceSource, Failure> {
    let source = CaptureInterfaceSource::open(&input.interface, capture(settings)?)
        .map_err(|error| refused(format_args!("pcap interface input {input}"), &error))?;
    tell(source.filter_text(), reporter);
    Ok(source)
}

/// Opens a capture file and waits for its head.
pub(super) fn open_file(
    place: &Place,
    settings: &Settings,
    interrupt: &Latch,
    reporter: &Reporter,
) -> Result<CaptureFileSource, Failure> {
    let settings = capture(settings)?;
    let opened = match place {
        Place::Standard => CaptureFileSource::stdin(settings, Some(interrupt)),
        Place::Path(path) => CaptureFileSource::open(path, settings, Some(interrupt)),
    };
    let source = opened
        .map_err(|error| refused(format_args!("unable to add pcap file input {place}"), &error))?;
    tell(source.filter_text(), reporter);
    Ok(source)
}

fn capture(settings: &Settings) -> Result<&CaptureSettings, Failure> {
    let message = "no message type to make of packets";
    settings.capture.as_ref().ok_or_else(|| Failure::new(FailureKind::Internal, message))
}

fn tell(filter_text: Option<&str>, reporter: &Reporter) {
    if let Some(text) = filter_text {
        reporter.library_line(3, format_args!("nmsg_pcap_input_setfilter: using bpf '{text}'"));
    }
}

#[cold]
fn refused(what: impl Display, error: &CaptureError) -> Failure {
    match error {
        CaptureError::Filter(error) => {
            let (expression, why) = (error.expression(), error.reason());
            let line =
                format!("nmsg_pcap_input_setfilter: unable to compile bpf '{expression}': {why}");
            let failure = Failure::new(FailureKind::SetUp, "nmsg_pcap_input_setfilter() failed")
                .with_line_above(Some(line));
            match error.suggestion() {
                Some(better) => failure.with_hint(format!("did you mean '{better}'?")),
                None => failure,
            }
        }
        CaptureError::Libpcap(error) => Failure::new(FailureKind::SetUp, error.to_string()),
        CaptureError::Io(error) => {
            Failure::new(FailureKind::Input, format!("{what}: {}", reason(error)))
        }
        _ => Failure::new(FailureKind::Input, format!("{what}: {error}")),
    }
}
