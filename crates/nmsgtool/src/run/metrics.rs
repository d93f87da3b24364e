//! Live counters for Prometheus.

use super::report::Reporter;
use crate::failure::{Failure, FailureKind, reason};
use crate::help;
use nmsg_io::MetricsSocket;
use std::io;
use std::net::SocketAddr;

/// Takes the address.
pub(super) fn bind(address: SocketAddr, reporter: &Reporter) -> Result<MetricsSocket, Failure> {
    let bound = MetricsSocket::bind(address).and_then(|socket| Ok((socket.address()?, socket)));
    let (address, socket) = bound.map_err(|error| refused(address, &error))?;
    reporter.line(2, format_args!("metrics at http://{address}/metrics"));
    Ok(socket)
}

/// Starts to answer requests, if that is asked for. Only threads of the process that goes on may do so.
pub(super) fn serve(socket: Option<MetricsSocket>, reporter: &mut Reporter) -> Result<(), Failure> {
    if let Some(socket) = socket {
        let served = socket.serve(help::VERSION);
        let server = served.map_err(|error| {
            let message = format!("unable to show metrics: {}", reason(&error));
            Failure::new(FailureKind::SetUp, message)
        })?;
        reporter.show_metrics(server);
    }
    Ok(())
}

#[cold]
fn refused(address: SocketAddr, error: &io::Error) -> Failure {
    let message = format!("unable to show metrics at {address}: {}", reason(error));
    Failure::new(FailureKind::SetUp, message)
}
