use super::report::Reporter;
use crate::failure::{Failure, FailureKind, reason};
use crate::settings::{Settings, SocketOutput};
use nmsg_io::address::SocketSpec;
use nmsg_io::{
    Framing, Output, OutputFormat, RateLimiter, SharedRate, UdpSink, UdpSource, datagram_buffer,
};
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

/// Opens a UDP input.
pub(super) fn listen(address: &SocketSpec) -> Result<UdpSource, Failure> {
    UdpSource::bind(address).map_err(|error| refused(FailureKind::Input, "bind", address, &error))
}

/// Opens UDP outputs; those of one option share a rate.
#[derive(Default)]
pub(super) struct Senders {
    rates: HashMap<usize, SharedRate>,
}

impl Senders {
    pub(super) fn connect(
        &mut self,
        socket: &SocketOutput,
        settings: &Settings,
        reporter: &Reporter,
    ) -> Result<Output, Failure> {
        let SocketOutput { address, rate, frequency, option, .. } = socket;
        let limiter = rate.map(|rate| {
            reporter.line(2, format_args!("nmsg socket rate: {rate} freq: {frequency}"));
            let shared = self.rates.entry(*option);
            Arc::clone(shared.or_insert_with(|| Arc::new(Mutex::new(RateLimiter::new(rate)))))
        });
        let sink = UdpSink::connect(address, settings.ttl, limiter)
            .map_err(|error| refused(FailureKind::Output, "connect", address, &error))?;
        let buffer = datagram_buffer(settings.mtu, sink.address(), settings.compress);
        if buffer < settings.mtu {
            let wanted = settings.mtu;
            reporter.line(
                1,
                format_args!(
                    "warning: containers to {address} are limited to {buffer} bytes instead of \
                     {wanted}, the most that a datagram holds; larger messages are sent in fragments"
                ),
            );
        }
        let format = OutputFormat::Nmsg { zlib: settings.compress };
        let output = Output::new(address.to_string(), format, Box::new(sink));
        Ok(output.framing(Framing::datagrams(buffer)))
    }
}

/// The failure of a socket that cannot be opened; `call` is what the system refused.
#[cold]
fn refused(kind: FailureKind, call: &str, address: &SocketSpec, error: &io::Error) -> Failure {
    let use_of = match kind {
        FailureKind::Output => "send to",
        _ => "listen on",
    };
    let call = if error.raw_os_error().is_some() { format!("{call}: ") } else { String::new() };
    Failure::new(kind, format!("unable to {use_of} {address}: {call}{}", reason(error)))
}
