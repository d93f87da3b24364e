//! UDP sockets as the command line names them.

use super::endpoint::{Endpoint, Input, Opened, Output};
use super::labels::{ChannelFile, Names};
use crate::failure::Failure;
use crate::flags::{FlagId, spelling};
use crate::grammar::Given;
use crate::number;
use crate::spell::printable;
use nmsg::container::{DEFAULT_DATAGRAM_BUFFER, MAX_BUFFER, MIN_BUFFER};
use nmsg_io::address::{ChannelTargets, MOST_PORTS, SendSpec, SocketSpec, SpecError};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::num::NonZeroU32;

/// A UDP socket that is sent to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SocketOutput {
    /// Address and port.
    pub address: SocketSpec,
    /// Datagrams per second; `None` for as many as possible.
    pub rate: Option<NonZeroU32>,
    /// How often the C tool re-tunes the rate.
    pub frequency: u32,
    /// Position of its option among those of its kind: outputs with the same share one rate.
    pub option: usize,
    /// What followed the address, with the comma.
    suffix: String,
}

/// Prints the address and the suffix as they were given.
impl fmt::Display for SocketOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.address, self.suffix)
    }
}

/// Takes `-m`: 0 means the default, and anything else is clamped as the C library does.
pub(super) fn take_mtu(given: &mut Given) -> Result<usize, Failure> {
    let wanted = match given.take_value(FlagId::Mtu) {
        Some(value) => number::decimal(FlagId::Mtu, &value, i64::MIN..=i64::MAX)?,
        None => 0,
    };
    Ok(match wanted {
        0 => DEFAULT_DATAGRAM_BUFFER,
        wanted => usize::try_from(wanted.max(0)).unwrap_or(MAX_BUFFER),
    }
    .clamp(MIN_BUFFER, MAX_BUFFER))
}

/// Takes `--ttl`.
pub(super) fn take_ttl(given: &mut Given) -> Result<Option<u8>, Failure> {
    let Some(value) = given.take_value(FlagId::Ttl) else { return Ok(None) };
    let ttl = number::decimal(FlagId::Ttl, &value, 0..=u8::MAX.into())?;
    Ok(u8::try_from(ttl).ok())
}

/// Adds the sockets of one `-l`.
pub(super) fn listen(id: FlagId, value: OsString, opened: &mut Opened) -> Result<(), Failure> {
    let text = value.to_string_lossy();
    let spec = SocketSpec::parse(&text, MOST_PORTS).map_err(|error| refused(id, &text, error))?;
    add_listeners(&spec, opened);
    Ok(())
}

/// Adds the sockets of one `-s`, which share their rate.
pub(super) fn send(
    id: FlagId,
    option: usize,
    value: OsString,
    opened: &mut Opened,
) -> Result<(), Failure> {
    let text = value.to_string_lossy();
    let spec = SendSpec::parse(&text, MOST_PORTS).map_err(|error| refused(id, &text, error))?;
    let suffix = text.find(',').map_or("", |comma| &text[comma..]);
    opened.endpoints.extend(spec.target.each().map(|address| {
        Endpoint::Output(Output::Socket(SocketOutput {
            address,
            rate: spec.rate,
            frequency: spec.frequency,
            option,
            suffix: suffix.to_owned(),
        }))
    }));
    Ok(())
}

/// Looks up the endpoints of a channel; `what` is what the C tool calls it.
pub(super) fn look_up(
    name: &str,
    what: &str,
    names: &dyn Names,
    opened: &mut Opened,
) -> Result<Vec<String>, Failure> {
    let not_found = || Failure::usage(format!("{what} alias lookup failed"));
    let (path, ChannelTargets { endpoints, bad_lines }) = match names.channel(name) {
        ChannelFile::Missing(line) => return Err(not_found().with_line_above(Some(line))),
        ChannelFile::Found { path, targets } => (path, targets),
    };
    for line in bad_lines {
        let text = format!("{}: {line}", printable(path.as_os_str()));
        if !opened.warnings.contains(&text) {
            opened.warnings.push(text);
        }
    }
    if endpoints.is_empty() { Err(not_found()) } else { Ok(endpoints) }
}

/// Adds the sockets of a channel.
pub(super) fn channel(
    value: OsString,
    names: &dyn Names,
    opened: &mut Opened,
) -> Result<(), Failure> {
    let name = value.to_string_lossy().into_owned();
    for text in &look_up(&name, "channel", names, opened)? {
        if text.contains("://") {
            let message = "channel alias appears to be a ZeroMQ endpoint";
            return Err(Failure::usage(message));
        }
        // The C tool words mistakes in the file as if they were in -l.
        let (spec, ignored) = SocketSpec::parse_channel_endpoint(text)
            .map_err(|error| refused(FlagId::ReadSocket, text, error))?;
        if let Some(ignored) = ignored {
            let (ignored, text) = (printable(OsStr::new(ignored)), printable(OsStr::new(text)));
            opened.warnings.push(format!("',{ignored}' ignored in channel endpoint {text}"));
        }
        add_listeners(&spec, opened);
    }
    opened.channels.push(name);
    Ok(())
}

fn add_listeners(spec: &SocketSpec, opened: &mut Opened) {
    opened.endpoints.extend(spec.each().map(|address| Endpoint::Input(Input::Socket(address))));
}

#[cold]
fn refused(id: FlagId, text: &str, error: SpecError) -> Failure {
    Failure::usage(error.message(&spelling(id)))
        .with_line_above(error.detail(&printable(OsStr::new(text))))
}
