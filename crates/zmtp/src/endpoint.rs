use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a socket is bound or connects to, such as `tcp://127.0.0.1:5555` or `ipc:///run/x.sock`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Endpoint {
    /// A TCP port.
    Tcp {
        /// Name or address; `None` for `*`, every local address.
        host: Option<String>,
        /// Port; 0 for `*`, any free one.
        port: u16,
    },
    /// A local socket.
    Ipc(IpcName),
}

/// The name of a local socket.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum IpcName {
    /// A path in the file system.
    Path(PathBuf),
    /// A name in the abstract name space of Linux, written `@NAME`.
    Abstract(String),
}

/// What is wrong with the text of an [`Endpoint`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EndpointError {
    /// There is no `://`.
    NoTransport,
    /// A transport that is not `tcp` or `ipc`.
    UnknownTransport(String),
    /// Nothing behind `://`.
    NoAddress,
    /// A TCP address without a colon and a port.
    NoPort,
    /// A port that is no number from 0 to 65535 and no `*`.
    BadPort(String),
    /// The name of a local socket that is longer than the system allows.
    NameTooLong,
}

/// Longest name of a local socket, in octets (`sockaddr_un` holds 108 with a NUL).
const LONGEST_IPC_NAME: usize = 107;

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let (transport, address) = text.split_once("://").ok_or(EndpointError::NoTransport)?;
        let is_known = matches!(transport, "tcp" | "ipc");
        match (transport, address) {
            _ if !is_known => Err(EndpointError::UnknownTransport(transport.to_owned())),
            (_, "") => Err(EndpointError::NoAddress),
            ("tcp", address) => parse_tcp(address),
            (_, name) if name.len() > LONGEST_IPC_NAME => Err(EndpointError::NameTooLong),
            (_, name) => Ok(Self::Ipc(match name.strip_prefix('@') {
                Some(name) => IpcName::Abstract(name.to_owned()),
                None => IpcName::Path(name.into()),
            })),
        }
    }
}

fn parse_tcp(address: &str) -> Result<Endpoint, EndpointError> {
    let (host, port) = address.rsplit_once(':').ok_or(EndpointError::NoPort)?;
    let port = match port {
        "*" => 0,
        digits if digits.bytes().all(|octet| octet.is_ascii_digit()) => {
            digits.parse().map_err(|_| EndpointError::BadPort(port.to_owned()))?
        }
        _ => return Err(EndpointError::BadPort(port.to_owned())),
    };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match bare {
        "" => Err(EndpointError::NoAddress),
        "*" => Ok(Endpoint::Tcp { host: None, port }),
        _ => Ok(Endpoint::Tcp { host: Some(bare.to_owned()), port }),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host: Some(host), port } if host.contains(':') => {
                write!(f, "tcp://[{host}]:{port}")
            }
            Self::Tcp { host, port } => {
                write!(f, "tcp://{}:{port}", host.as_deref().unwrap_or("*"))
            }
            Self::Ipc(IpcName::Path(path)) => write!(f, "ipc://{}", path.display()),
            Self::Ipc(IpcName::Abstract(name)) => write!(f, "ipc://@{name}"),
        }
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTransport => f.write_str("no transport (an endpoint starts like tcp://)"),
            Self::UnknownTransport(name) => {
                write!(f, "unknown transport '{}' (there are tcp and ipc)", name.escape_debug())
            }
            Self::NoAddress => f.write_str("no address behind the transport"),
            Self::NoPort => f.write_str("no port (a TCP address ends like :5555)"),
            Self::BadPort(port) => {
                write!(f, "'{}' is not a port from 0 to 65535", port.escape_debug())
            }
            Self::NameTooLong => {
                write!(f, "name of a local socket is longer than {LONGEST_IPC_NAME} bytes")
            }
        }
    }
}

impl std::error::Error for EndpointError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_and_printed() {
        let tcp = |host: &str, port| Endpoint::Tcp { host: Some(host.to_owned()), port };
        for (text, want) in [
            ("tcp://127.0.0.1:5555", tcp("127.0.0.1", 5555)),
            ("tcp://collector.example:1", tcp("collector.example", 1)),
            ("tcp://[::1]:5555", tcp("::1", 5555)),
            ("tcp://*:5555", Endpoint::Tcp { host: None, port: 5555 }),
            ("ipc:///run/x.sock", Endpoint::Ipc(IpcName::Path("/run/x.sock".into()))),
            ("ipc://relative", Endpoint::Ipc(IpcName::Path("relative".into()))),
            ("ipc://@name", Endpoint::Ipc(IpcName::Abstract("name".to_owned()))),
        ] {
            let got: Endpoint = text.parse().unwrap();
            assert_eq!(got, want, "{text}");
            assert_eq!(got.to_string(), text);
        }
        assert_eq!("tcp://lo:*".parse(), Ok(tcp("lo", 0)), "any free port");
        assert_eq!("tcp://::1:80".parse(), Ok(tcp("::1", 80)), "brackets may be left out");
    }

    #[test]
    fn what_is_wrong_with_an_endpoint_is_told() {
        for (text, want) in [
            ("", "no transport (an endpoint starts like tcp://)"),
            ("127.0.0.1:5555", "no transport (an endpoint starts like tcp://)"),
            ("inproc://x", "unknown transport 'inproc' (there are tcp and ipc)"),
            ("TCP://h:1", "unknown transport 'TCP' (there are tcp and ipc)"),
            ("://x", "unknown transport '' (there are tcp and ipc)"),
            ("tcp://", "no address behind the transport"),
            ("tcp://:1", "no address behind the transport"),
            ("ipc://", "no address behind the transport"),
            ("tcp://host", "no port (a TCP address ends like :5555)"),
            ("tcp://host:", "'' is not a port from 0 to 65535"),
            ("tcp://host:+1", "'+1' is not a port from 0 to 65535"),
            ("tcp://host:65536", "'65536' is not a port from 0 to 65535"),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap_err().to_string(), want, "{text}");
        }
        let long = format!("ipc://{}", "x".repeat(LONGEST_IPC_NAME + 1));
        assert_eq!(long.parse::<Endpoint>(), Err(EndpointError::NameTooLong));
    }
}
