use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::Instant;

use super::socket::{self, Endpoint, Number};
use crate::latch::{Latch, Ready, poll};

/// Send buffer of every sending socket, in octets (`decisions` SK-7).
pub const SEND_BUFFER: usize = 32 << 10;

/// A UDP socket that sends to one place.
#[derive(Debug)]
pub struct Sender {
    socket: UdpSocket,
}

impl Sender {
    /// Opens a socket and connects it. Broadcasting is allowed; `ttl` is how many networks a datagram to
    /// a multicast group may cross (the system's default, 1, if `None`) (`decisions` SK-6, SK-7).
    ///
    /// # Errors
    ///
    /// Those of the system, for instance when there is no way to the address.
    pub fn connect(endpoint: Endpoint, ttl: Option<u8>) -> io::Result<Self> {
        let address = endpoint.address;
        let socket = socket::open(&address)?;
        socket.set_broadcast(true)?;
        Number::SEND_BUFFER.set(&socket, SEND_BUFFER as libc::c_int)?;
        if address.ip().is_multicast() {
            if let Some(interface) = endpoint.interface {
                socket::send_groups_on(&socket, address.ip(), interface)?;
            }
            if let Some(ttl) = ttl {
                let option =
                    if address.is_ipv4() { Number::GROUP_TTL_V4 } else { Number::GROUP_TTL_V6 };
                option.set(&socket, ttl.into())?;
            }
        }
        socket.connect(address)?;
        Ok(Self { socket })
    }

    /// Address and port that datagrams come from.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Sends one datagram, without waiting.
    ///
    /// # Errors
    ///
    /// Would block when the send buffer is full. Connection refused means that an *earlier* datagram
    /// found nobody; it is told once, and this datagram was not sent.
    pub fn send(&self, octets: &[u8]) -> io::Result<()> {
        self.socket.send(octets).map(|_| ())
    }

    /// Waits until there is room for a datagram, a latch is raised, or `until` has come.
    ///
    /// # Errors
    ///
    /// Those of poll(2).
    pub fn wait(&self, latches: &[&Latch], until: Option<Instant>) -> io::Result<Ready> {
        poll(Some(self.socket.as_fd()), libc::POLLOUT, latches, until)
    }

    /// What has become known about earlier datagrams since the last call of [`Self::send`] or this one.
    ///
    /// # Errors
    ///
    /// Those of getsockopt(2).
    pub fn pending_error(&self) -> io::Result<Option<io::Error>> {
        self.socket.take_error()
    }

    #[cfg(test)]
    pub(super) fn socket(&self) -> &UdpSocket {
        &self.socket
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A port on the loopback interface that nobody listens on.
    fn nobody() -> Endpoint {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        Endpoint { address: socket.local_addr().unwrap(), interface: None }
    }

    #[test]
    fn sk_2_a_refusal_is_told_with_the_next_datagram_and_once() {
        let sender = Sender::connect(nobody(), None).unwrap();
        for _ in 0..3 {
            sender.send(b"x").unwrap();
            let error = sender.send(b"y").unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        }
        sender.send(b"z").unwrap();
        let error = sender.pending_error().unwrap().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert!(sender.pending_error().unwrap().is_none());
    }

    #[test]
    fn sk_7_buffer_and_broadcast() {
        let sender = Sender::connect(nobody(), None).unwrap();
        let granted = Number::SEND_BUFFER.get(&sender.socket).unwrap();
        assert_eq!(granted, 2 * SEND_BUFFER as libc::c_int);
        assert!(sender.socket.broadcast().unwrap());
    }

    #[test]
    fn sk_6_the_time_to_live_of_group_datagrams() {
        let group = Endpoint { address: "239.255.77.2:9".parse().unwrap(), interface: None };
        for (ttl, want) in [(None, 1), (Some(7), 7), (Some(0), 0)] {
            let Ok(sender) = Sender::connect(group, ttl) else {
                println!("skipped: there is no way to a group here");
                return;
            };
            assert_eq!(sender.socket.multicast_ttl_v4().unwrap(), want);
        }
    }
}
