use super::report::Reporter;
use crate::failure::{Failure, FailureKind, reason};
use crate::settings::{Settings, ZmqSocket};
use nmsg::Limits;
use nmsg_io::{Framing, Output, OutputFormat, ZmqOpenError, ZmqSink, ZmqSource};

/// Opens a ZeroMQ input.
pub(super) fn read(socket: &ZmqSocket, reporter: &Reporter) -> Result<ZmqSource, Failure> {
    let voice = reporter.voice(&socket.endpoint.address);
    ZmqSource::open(&socket.endpoint, &Limits::default(), voice).map_err(|error| {
        let (kind, why) = refusal(FailureKind::Input, &error);
        socket.not_readable(kind, &why)
    })
}

/// Opens a ZeroMQ output.
pub(super) fn write(
    socket: &ZmqSocket,
    settings: &Settings,
    reporter: &Reporter,
) -> Result<Output, Failure> {
    let address = &socket.endpoint.address;
    let sink = ZmqSink::open(&socket.endpoint, reporter.voice(address)).map_err(|error| {
        let (kind, why) = refusal(FailureKind::Output, &error);
        socket.not_writable(kind, &why)
    })?;
    let format = OutputFormat::Nmsg { zlib: settings.compress };
    Ok(Output::new(address, format, Box::new(sink)).framing(Framing::ZMQ))
}

/// A mistake in the address is one of the command line; the rest is up to the system.
#[cold]
fn refusal(kind: FailureKind, error: &ZmqOpenError) -> (FailureKind, String) {
    match error {
        ZmqOpenError::Address(error) => (FailureKind::SetUp, error.to_string()),
        ZmqOpenError::System(error) => (kind, reason(error)),
    }
}
