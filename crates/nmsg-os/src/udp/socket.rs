use std::ffi::CString;
use std::io;
use std::mem::size_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::num::NonZeroU32;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Where a socket listens or sends to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Endpoint {
    /// Address and port; link-local IPv6 addresses carry their zone.
    pub address: SocketAddr,
    /// Index of the interface on which a multicast group is joined or sent to; `None` leaves the
    /// choice to the system.
    pub interface: Option<NonZeroU32>,
}

/// Finds the index of an interface by its name or by its number in decimal digits.
///
/// # Errors
///
/// When there is no such interface.
#[expect(unsafe_code, reason = "if_nametoindex has no safe binding")]
pub fn interface_index(name: &str) -> io::Result<NonZeroU32> {
    let text = CString::new(name)?;
    // SAFETY: the text ends with a NUL and outlives the call.
    let index = unsafe { libc::if_nametoindex(text.as_ptr()) };
    match NonZeroU32::new(index) {
        Some(index) => Ok(index),
        None => {
            let error = io::Error::last_os_error();
            name.parse().map_err(|_| error)
        }
    }
}

/// Makes a datagram socket of an address's family; it never blocks and is closed on exec.
#[expect(unsafe_code, reason = "the standard library binds sockets before options can be set")]
pub(super) fn open(address: &SocketAddr) -> io::Result<UdpSocket> {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: socket takes no pointers.
    let fd = unsafe { libc::socket(family, kind, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just made and belongs to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) }.into())
}

#[expect(unsafe_code, reason = "bind has no safe binding for a socket that exists already")]
pub(super) fn bind(socket: &UdpSocket, address: &SocketAddr) -> io::Result<()> {
    let raw = RawAddress::from(address);
    // SAFETY: the address is initialised and valid for `raw.len` octets.
    check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const raw.storage).cast(), raw.len) })
}

/// A socket option whose value is a number.
#[derive(Clone, Copy)]
pub(super) struct Number {
    level: libc::c_int,
    name: libc::c_int,
}

impl Number {
    pub(super) const REUSE_ADDRESS: Self = Self::of_socket(libc::SO_REUSEADDR);
    pub(super) const REUSE_PORT: Self = Self::of_socket(libc::SO_REUSEPORT);
    pub(super) const RECEIVE_BUFFER: Self = Self::of_socket(libc::SO_RCVBUF);
    pub(super) const FORCED_RECEIVE_BUFFER: Self = Self::of_socket(libc::SO_RCVBUFFORCE);
    pub(super) const SEND_BUFFER: Self = Self::of_socket(libc::SO_SNDBUF);
    pub(super) const COALESCE: Self = Self { level: libc::SOL_UDP, name: libc::UDP_GRO };
    #[cfg(test)]
    pub(super) const SEGMENT: Self = Self { level: libc::SOL_UDP, name: libc::UDP_SEGMENT };
    pub(super) const GROUP_TTL_V4: Self =
        Self { level: libc::IPPROTO_IP, name: libc::IP_MULTICAST_TTL };
    pub(super) const GROUP_TTL_V6: Self =
        Self { level: libc::IPPROTO_IPV6, name: libc::IPV6_MULTICAST_HOPS };
    const GROUP_INTERFACE_V6: Self =
        Self { level: libc::IPPROTO_IPV6, name: libc::IPV6_MULTICAST_IF };

    const fn of_socket(name: libc::c_int) -> Self {
        Self { level: libc::SOL_SOCKET, name }
    }

    pub(super) fn set(self, socket: &UdpSocket, value: libc::c_int) -> io::Result<()> {
        set_option(socket, self.level, self.name, &value)
    }

    #[expect(unsafe_code, reason = "getsockopt has no safe binding")]
    pub(super) fn get(self, socket: &UdpSocket) -> io::Result<libc::c_int> {
        let mut value: libc::c_int = 0;
        let mut len = size_of::<libc::c_int>() as libc::socklen_t;
        // SAFETY: value and length are valid for writing, and the length is that of the value.
        check(unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                self.level,
                self.name,
                (&raw mut value).cast(),
                &raw mut len,
            )
        })?;
        Ok(value)
    }
}

/// `T` must be what the kernel expects for the option: only called in this file.
#[expect(unsafe_code, reason = "setsockopt has no safe binding")]
fn set_option<T: Copy>(
    socket: &UdpSocket,
    level: libc::c_int,
    name: libc::c_int,
    value: &T,
) -> io::Result<()> {
    let len = size_of::<T>() as libc::socklen_t;
    // SAFETY: the value is valid for reading for its length; the kernel copies it.
    check(unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const *value).cast(), len)
    })
}

/// Joins a multicast group on an interface.
pub(super) fn join(
    socket: &UdpSocket,
    group: IpAddr,
    interface: Option<NonZeroU32>,
) -> io::Result<()> {
    match group {
        IpAddr::V4(group) => {
            let request = group_request(group, interface);
            set_option(socket, libc::IPPROTO_IP, libc::IP_ADD_MEMBERSHIP, &request)
        }
        IpAddr::V6(group) => socket.join_multicast_v6(&group, index(interface)),
    }
}

/// Chooses the interface on which a socket sends to multicast groups.
pub(super) fn send_groups_on(
    socket: &UdpSocket,
    group: IpAddr,
    interface: NonZeroU32,
) -> io::Result<()> {
    match group {
        IpAddr::V4(_) => {
            let request = group_request(Ipv4Addr::UNSPECIFIED, Some(interface));
            set_option(socket, libc::IPPROTO_IP, libc::IP_MULTICAST_IF, &request)
        }
        IpAddr::V6(_) => {
            let value = libc::c_int::try_from(interface.get()).map_err(io::Error::other)?;
            Number::GROUP_INTERFACE_V6.set(socket, value)
        }
    }
}

fn index(interface: Option<NonZeroU32>) -> u32 {
    interface.map_or(0, NonZeroU32::get)
}

fn group_request(group: Ipv4Addr, interface: Option<NonZeroU32>) -> libc::ip_mreqn {
    libc::ip_mreqn {
        imr_multiaddr: to_raw_v4(group),
        imr_address: to_raw_v4(Ipv4Addr::UNSPECIFIED),
        imr_ifindex: index(interface) as libc::c_int,
    }
}

fn to_raw_v4(address: Ipv4Addr) -> libc::in_addr {
    libc::in_addr { s_addr: u32::from_ne_bytes(address.octets()) }
}

pub(super) fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A socket address as the kernel writes it.
#[derive(Clone, Copy)]
pub(super) struct RawAddress {
    pub(super) storage: libc::sockaddr_storage,
    pub(super) len: libc::socklen_t,
}

#[expect(unsafe_code, reason = "socket addresses of any family share their memory")]
impl RawAddress {
    /// Octets that any address has room in.
    pub(super) const ROOM: libc::socklen_t = size_of::<libc::sockaddr_storage>() as libc::socklen_t;

    /// Room for any address.
    pub(super) fn empty() -> Self {
        // SAFETY: all zero is a valid value of this plain structure.
        let storage = unsafe { std::mem::zeroed() };
        Self { storage, len: Self::ROOM }
    }

    fn write<T: Copy>(value: T) -> Self {
        const { assert!(size_of::<T>() <= size_of::<libc::sockaddr_storage>()) };
        let mut raw = Self { len: size_of::<T>() as libc::socklen_t, ..Self::empty() };
        // SAFETY: the storage is aligned for, and at least as large as, every socket address.
        unsafe { (&raw mut raw.storage).cast::<T>().write(value) };
        raw
    }

    /// Reads an address that the kernel wrote; `None` for families other than IPv4 and IPv6.
    pub(super) fn get(&self) -> Option<SocketAddr> {
        let len = self.len as usize;
        match libc::c_int::from(self.storage.ss_family) {
            libc::AF_INET if len >= size_of::<libc::sockaddr_in>() => {
                // SAFETY: the family says that the storage holds this structure; it is plain data.
                let raw = unsafe { (&raw const self.storage).cast::<libc::sockaddr_in>().read() };
                let ip = Ipv4Addr::from(raw.sin_addr.s_addr.to_ne_bytes());
                Some(SocketAddr::V4(SocketAddrV4::new(ip, u16::from_be(raw.sin_port))))
            }
            libc::AF_INET6 if len >= size_of::<libc::sockaddr_in6>() => {
                // SAFETY: as above.
                let raw = unsafe { (&raw const self.storage).cast::<libc::sockaddr_in6>().read() };
                let (ip, port) = (Ipv6Addr::from(raw.sin6_addr.s6_addr), raw.sin6_port);
                let flow = u32::from_be(raw.sin6_flowinfo);
                let address = SocketAddrV6::new(ip, u16::from_be(port), flow, raw.sin6_scope_id);
                Some(SocketAddr::V6(address))
            }
            _ => None,
        }
    }
}

impl From<&SocketAddr> for RawAddress {
    fn from(address: &SocketAddr) -> Self {
        match address {
            SocketAddr::V4(address) => Self::write(libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: address.port().to_be(),
                sin_addr: to_raw_v4(*address.ip()),
                sin_zero: [0; 8],
            }),
            SocketAddr::V6(address) => Self::write(libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: address.port().to_be(),
                sin6_flowinfo: address.flowinfo().to_be(),
                sin6_addr: libc::in6_addr { s6_addr: address.ip().octets() },
                sin6_scope_id: address.scope_id(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_kernel_form() {
        for text in ["127.0.0.1:1", "255.255.255.255:65535", "[::1]:53", "[fe80::1%7]:8430"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(RawAddress::from(&address).get(), Some(address), "{text}");
        }
        let flow = SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 1, 2, 3));
        assert_eq!(RawAddress::from(&flow).get(), Some(flow));
        assert_eq!(RawAddress::empty().get(), None);
        let short = RawAddress { len: 4, ..RawAddress::from(&flow) };
        assert_eq!(short.get(), None);
    }

    #[test]
    fn sk_6_interfaces_by_name_and_number() {
        let loopback = interface_index("lo").unwrap();
        assert_eq!(interface_index(&loopback.to_string()).unwrap(), loopback);
        for missing in ["no-such-if", "", "0", "lo\0", "-1"] {
            assert!(interface_index(missing).is_err(), "{missing:?}");
        }
    }
}
