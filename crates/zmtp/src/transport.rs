use crate::endpoint::{Endpoint, IpcName};
use std::fs;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{self as unix, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a TCP connection may take to be made before the next address is tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection to a peer; reading and writing never wait.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Ipc(UnixStream),
}

impl Stream {
    /// Connects, which may take long.
    pub(crate) fn connect(endpoint: &Endpoint) -> io::Result<Self> {
        match endpoint {
            Endpoint::Tcp { host, port } => {
                let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
                for address in addresses(host.as_deref(), *port)? {
                    match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
                        Ok(stream) => return Self::tcp(stream),
                        Err(error) => last = error,
                    }
                }
                Err(last)
            }
            Endpoint::Ipc(name) => Self::ipc(UnixStream::connect_addr(&local_address(name)?)?),
        }
    }

    fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(Self::Tcp(stream))
    }

    fn ipc(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self::Ipc(stream))
    }

    /// Tells the peer that nothing more will come.
    pub(crate) fn finish(&self) {
        // A connection that is gone already needs no goodbye.
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Self::Ipc(stream) => stream.shutdown(Shutdown::Write),
        };
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Ipc(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(octets),
            Self::Ipc(stream) => stream.write(octets),
        }
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write_vectored(pieces),
            Self::Ipc(stream) => stream.write_vectored(pieces),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Ipc(stream) => stream.as_fd(),
        }
    }
}

/// Accepts peers.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Ipc {
        listener: UnixListener,
        /// The socket's file and its identity, to be removed at the end.
        file: Option<(PathBuf, u64, u64)>,
    },
}

impl Listener {
    pub(crate) fn bind(endpoint: &Endpoint) -> io::Result<Self> {
        match endpoint {
            Endpoint::Tcp { host, port } => {
                let addresses: Vec<_> = addresses(host.as_deref(), *port)?.collect();
                let listener = TcpListener::bind(addresses.as_slice())?;
                listener.set_nonblocking(true)?;
                Ok(Self::Tcp(listener))
            }
            Endpoint::Ipc(name) => {
                let address = local_address(name)?;
                if let IpcName::Path(path) = name {
                    remove_abandoned(path, &address)?;
                }
                let listener = UnixListener::bind_addr(&address)?;
                listener.set_nonblocking(true)?;
                let file = match name {
                    IpcName::Path(path) => {
                        fs::metadata(path).ok().map(|data| (path.clone(), data.dev(), data.ino()))
                    }
                    IpcName::Abstract(_) => None,
                };
                Ok(Self::Ipc { listener, file })
            }
        }
    }

    /// Accepts a peer that has come already.
    pub(crate) fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => Stream::tcp(listener.accept()?.0),
            Self::Ipc { listener, .. } => Stream::ipc(listener.accept()?.0),
        }
    }

    /// Where the listener really is, with the port the system chose.
    pub(crate) fn local_endpoint(&self, asked: &Endpoint) -> Endpoint {
        match (self, asked) {
            (Self::Tcp(listener), Endpoint::Tcp { host, .. }) => Endpoint::Tcp {
                host: host.clone(),
                port: listener.local_addr().map_or(0, |address| address.port()),
            },
            _ => asked.clone(),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(listener) => listener.as_fd(),
            Self::Ipc { listener, .. } => listener.as_fd(),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Ipc { file: Some((path, device, inode)), .. } = self
            && fs::symlink_metadata(&*path)
                .is_ok_and(|data| data.dev() == *device && data.ino() == *inode)
        {
            // Nothing can be done about a file that will not go.
            let _ = fs::remove_file(path);
        }
    }
}

fn addresses(host: Option<&str>, port: u16) -> io::Result<impl Iterator<Item = SocketAddr>> {
    let found: Vec<_> = match host {
        None => vec![(Ipv4Addr::UNSPECIFIED, port).into()],
        Some(host) => (host, port).to_socket_addrs()?.collect(),
    };
    Ok(found.into_iter())
}

fn local_address(name: &IpcName) -> io::Result<unix::SocketAddr> {
    match name {
        IpcName::Path(path) => unix::SocketAddr::from_pathname(path),
        IpcName::Abstract(name) => unix::SocketAddr::from_abstract_name(name),
    }
}

/// Removes the file of a socket that nobody listens at any more.
fn remove_abandoned(path: &Path, address: &unix::SocketAddr) -> io::Result<()> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|data| data.file_type().is_socket());
    if is_socket
        && UnixStream::connect_addr(address)
            .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_local_socket_comes_and_goes() {
        let path = std::env::temp_dir().join(format!("zmtp-listener-{}", std::process::id()));
        let endpoint = Endpoint::Ipc(IpcName::Path(path.clone()));
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "a socket whose owner died leaves its file behind");
        let listener = Listener::bind(&endpoint).unwrap();
        let error = Listener::bind(&endpoint).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "a socket in use is left alone");
        fs::remove_file(&path).unwrap();
        let successor = UnixListener::bind(&path).unwrap();
        drop(listener);
        assert!(path.exists(), "the file of a successor is left alone");
        drop(successor);
        drop(Listener::bind(&endpoint).unwrap());
        assert!(!path.exists());
        fs::write(&path, "precious").unwrap();
        assert!(Listener::bind(&endpoint).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"precious", "other files are left alone");
        fs::remove_file(&path).unwrap();
    }
}
