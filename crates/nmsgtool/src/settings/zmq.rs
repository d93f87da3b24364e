//! ZeroMQ endpoints as the command line names them.

use super::endpoint::{Endpoint, Input, Opened, Output, Way};
use super::labels::Names;
use super::socket::look_up;
use crate::failure::{Failure, FailureKind};
use crate::spell::printable;
use nmsg_io::address::{ZmqEndpoint, ZmqEndpointError};
use std::ffi::{OsStr, OsString};
use std::fmt;

/// A ZeroMQ endpoint that messages are read from or written to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ZmqSocket {
    /// Address, direction and pattern.
    pub endpoint: ZmqEndpoint,
    /// The text as it was given.
    given: String,
}

/// Prints the endpoint as it was given, safe for a terminal.
impl fmt::Display for ZmqSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(OsStr::new(&self.given)))
    }
}

/// The failure of an endpoint that cannot be opened, as the C tool's function is called.
#[cold]
fn failure(way: Way, kind: FailureKind, text: &str, why: &str) -> Failure {
    let way = match way {
        Way::In => "input",
        Way::Out => "output",
    };
    let text = printable(OsStr::new(text));
    Failure::new(kind, format!("nmsg_{way}_open_zmq_endpoint() failed: {text}: {why}"))
}

impl ZmqSocket {
    fn parse(text: String, way: Way, opened: &mut Opened) -> Result<Self, Failure> {
        let endpoint = ZmqEndpoint::parse(&text).map_err(|error| {
            let why = match error {
                ZmqEndpointError::NoAddress => "there is no address",
                ZmqEndpointError::RepeatedDirection => "there are two words for the direction",
                ZmqEndpointError::RepeatedPattern => "there are two words for the pattern",
            };
            failure(way, FailureKind::SetUp, &text, why)
        })?;
        for word in &endpoint.ignored {
            let (word, text) = (printable(OsStr::new(word)), printable(OsStr::new(&text)));
            opened.warnings.push(format!("',{word}' ignored in ZeroMQ endpoint {text}"));
        }
        Ok(Self { endpoint, given: text })
    }

    /// Returns whether the endpoint is a file of this machine rather than a port.
    pub fn is_local(&self) -> bool {
        self.endpoint.address.starts_with("ipc://")
    }

    /// Returns the failure of an input that cannot be opened.
    #[cold]
    pub fn not_readable(&self, kind: FailureKind, why: &str) -> Failure {
        failure(Way::In, kind, &self.given, why)
    }

    /// Returns the failure of an output that cannot be opened.
    #[cold]
    pub fn not_writable(&self, kind: FailureKind, why: &str) -> Failure {
        failure(Way::Out, kind, &self.given, why)
    }
}

/// Adds the endpoint of one `-L` or `-S`.
pub(super) fn add(way: Way, value: OsString, opened: &mut Opened) -> Result<(), Failure> {
    let socket = ZmqSocket::parse(value.to_string_lossy().into_owned(), way, opened)?;
    opened.endpoints.push(match way {
        Way::In => Endpoint::Input(Input::Zmq(socket)),
        Way::Out => Endpoint::Output(Output::Zmq(socket)),
    });
    Ok(())
}

/// Adds the endpoints of a channel (`-Z`).
pub(super) fn channel(
    value: OsString,
    names: &dyn Names,
    opened: &mut Opened,
) -> Result<(), Failure> {
    let name = value.to_string_lossy().into_owned();
    for text in look_up(&name, "zchannel", names, opened)? {
        if !text.contains("://") {
            return Err(Failure::usage("zchannel alias needs to be a ZeroMQ endpoint"));
        }
        add(Way::In, text.into(), opened)?;
    }
    opened.zmq_channels.push(name);
    Ok(())
}
