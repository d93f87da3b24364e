use std::io;
use std::mem::{MaybeUninit, size_of};
use std::net::{SocketAddr, UdpSocket};
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd};
use std::slice::Iter;
use std::time::Instant;

use super::socket::{self, Endpoint, Number, RawAddress};
use crate::latch::{Latch, Ready, poll};

/// Most messages that one call receives.
pub const BATCH: usize = 32;

/// Room for one message, in octets: no datagram and no coalesced run of them is larger.
const SLOT: usize = 1 << 16;

/// Octets that a message is expected to have: at first, at least and at most, and in which steps.
const EXPECTED: usize = 1408;
const LEAST_EXPECTED: usize = 256;
const MOST_EXPECTED: usize = 9216;
const EXPECTED_STEP: usize = 64;

/// Receive buffer that listening sockets ask for, in octets (`decisions` SK-7).
pub const WANTED_BUFFER: usize = 16 << 20;

/// Room for the control message that tells the size of coalesced datagrams.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; 64]);

/// A message that was received: one datagram, or several of one sender that the kernel has joined.
#[derive(Clone, Copy)]
struct Message {
    sender: SocketAddr,
    start: usize,
    len: usize,
    /// Octets of each datagram in it but the last.
    segment: usize,
}

/// One datagram.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Datagram {
    /// Where it came from.
    pub sender: SocketAddr,
    /// What it holds, as a range of the octets that it was received into; nothing is legal.
    pub octets: Range<usize>,
}

/// What the system is told and tells about the messages of one call; each receives into two pieces.
struct Call {
    headers: [libc::mmsghdr; BATCH],
    pieces: [[libc::iovec; 2]; BATCH],
    addresses: [RawAddress; BATCH],
    controls: [Control; BATCH],
}

#[expect(unsafe_code, reason = "plain structures of the system hold pointers")]
// SAFETY: the pointers are set before each call and mean nothing after it.
unsafe impl Send for Call {}

impl Call {
    #[expect(unsafe_code, reason = "plain structures of the system start as zeros")]
    fn new() -> Box<Self> {
        // SAFETY: all zero is a valid value of each of these plain structures.
        let (headers, pieces) = unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
        let (addresses, controls) = ([RawAddress::empty(); BATCH], [Control([0; 64]); BATCH]);
        Box::new(Self { headers, pieces, addresses, controls })
    }
}

/// What is received is not shown.
impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver").field("socket", &self.socket).finish_non_exhaustive()
    }
}

/// A listening UDP socket that receives up to [`BATCH`] messages with one call, each to where it stays.
pub struct Receiver {
    socket: UdpSocket,
    /// What was received last.
    messages: Vec<Message>,
    /// Octets that messages are expected to have at most, going by those that came lately.
    expected: usize,
    /// One slot for each message of a call, for what it has beyond that.
    slots: Vec<u8>,
    call: Box<Call>,
}

impl Receiver {
    /// Opens a socket and binds it: address and port can be shared with other sockets, the receive
    /// buffer is as large as permitted, and a multicast address is joined (`container-and-io` §2.3,
    /// `decisions` SK-6, SK-7).
    ///
    /// # Errors
    ///
    /// Those of the system, for instance when the address is not one of this machine.
    pub fn bind(endpoint: Endpoint) -> io::Result<Self> {
        let address = endpoint.address;
        let socket = socket::open(&address)?;
        Number::REUSE_ADDRESS.set(&socket, 1)?;
        Number::REUSE_PORT.set(&socket, 1)?;
        let wanted = WANTED_BUFFER as libc::c_int;
        if Number::FORCED_RECEIVE_BUFFER.set(&socket, wanted).is_err() {
            // Not permitted: take what the system's ceiling allows.
            Number::RECEIVE_BUFFER.set(&socket, wanted)?;
        }
        // Old kernels do not coalesce datagrams, and then there is nothing to take apart.
        let _ = Number::COALESCE.set(&socket, 1);
        socket::bind(&socket, &address)?;
        if address.ip().is_multicast() {
            socket::join(&socket, address.ip(), endpoint.interface)?;
        }
        Ok(Self {
            socket,
            messages: Vec::with_capacity(BATCH),
            expected: EXPECTED,
            slots: vec![0; BATCH * SLOT],
            call: Call::new(),
        })
    }

    /// Address and port the socket is bound to.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Receives what is there, without waiting, behind what is in `octets`; gives the number of messages, 0
    /// when there is nothing. There may be octets between messages that belong to none.
    ///
    /// # Errors
    ///
    /// Those of recvmmsg(2) other than an interruption.
    #[expect(
        unsafe_code,
        reason = "recvmmsg has no safe binding and writes to memory that has no value"
    )]
    pub fn receive(&mut self, octets: &mut Vec<u8>) -> io::Result<usize> {
        self.messages.clear();
        let (expected, before) = (self.expected, octets.len());
        octets.reserve(BATCH * expected);
        let Call { headers, pieces, addresses, controls } = &mut *self.call;
        let room = octets.spare_capacity_mut().chunks_exact_mut(expected);
        let room = room.zip(self.slots.chunks_exact_mut(SLOT));
        let memory = addresses.iter_mut().zip(controls);
        for (((header, pieces), (first, rest)), (address, control)) in
            headers.iter_mut().zip(pieces).zip(room).zip(memory)
        {
            *pieces = [
                libc::iovec { iov_base: first.as_mut_ptr().cast(), iov_len: expected },
                libc::iovec { iov_base: rest.as_mut_ptr().cast(), iov_len: SLOT },
            ];
            let header = &mut header.msg_hdr;
            header.msg_iov = pieces.as_mut_ptr();
            header.msg_iovlen = pieces.len() as _;
            header.msg_name = (&raw mut address.storage).cast();
            header.msg_namelen = RawAddress::ROOM;
            header.msg_control = control.0.as_mut_ptr().cast();
            header.msg_controllen = control.0.len() as _;
        }
        let count = loop {
            // SAFETY: every header points to memory of its own that is valid for the lengths given
            // and outlives the call; no timeout is passed.
            let count = unsafe {
                libc::recvmmsg(
                    self.socket.as_raw_fd(),
                    headers.as_mut_ptr(),
                    BATCH as libc::c_uint,
                    libc::MSG_DONTWAIT,
                    std::ptr::null_mut(),
                )
            };
            if let Ok(count) = usize::try_from(count) {
                break count;
            }
            let error = io::Error::last_os_error();
            match error.kind() {
                io::ErrorKind::Interrupted => {}
                io::ErrorKind::WouldBlock => return Ok(0),
                _ => return Err(error),
            }
        };
        let room = octets.spare_capacity_mut().chunks_exact_mut(expected);
        for (header, room) in headers.iter().zip(room).take(count) {
            let unused = room.get_mut(header.msg_len as usize..).unwrap_or_default();
            unused.fill(MaybeUninit::new(0));
        }
        // SAFETY: this much was reserved; the system has filled the start of each part of it, and the rest
        // of each has become zeros.
        unsafe { octets.set_len(before + count * expected) };
        let mut longest = 0;
        let slots = self.slots.chunks_exact(SLOT);
        for (n, ((header, address), slot)) in
            headers.iter().zip(addresses).zip(slots).enumerate().take(count)
        {
            let (mut start, len) = (before + n * expected, header.msg_len as usize);
            if let Some(beyond) = slot.get(..len.saturating_sub(expected)).filter(|b| !b.is_empty())
            {
                let first = start..start + expected;
                start = octets.len();
                octets.extend_from_within(first);
                octets.extend_from_slice(beyond);
            }
            address.len = header.msg_hdr.msg_namelen;
            let sender = address.get().unwrap_or(UNKNOWN_SENDER);
            let len = len.min(octets.len() - start);
            let segment = segment_size(&header.msg_hdr).unwrap_or(len).max(1);
            self.messages.push(Message { sender, start, len, segment });
            longest = longest.max(len);
        }
        if count > 0 {
            let lately = longest.next_multiple_of(EXPECTED_STEP).max(expected - EXPECTED_STEP);
            self.expected = lately.clamp(LEAST_EXPECTED, MOST_EXPECTED);
        }
        Ok(count)
    }

    /// The datagrams of the last [`Self::receive`], in order of arrival.
    pub fn datagrams(&self) -> impl Iterator<Item = Datagram> {
        Datagrams { messages: self.messages.iter(), sender: UNKNOWN_SENDER, rest: 0..0, segment: 0 }
    }

    /// Waits until there is something to receive, a latch is raised, or `until` has come.
    ///
    /// # Errors
    ///
    /// Those of poll(2).
    pub fn wait(&self, latches: &[&Latch], until: Option<Instant>) -> io::Result<Ready> {
        poll(Some(self.socket.as_fd()), libc::POLLIN, latches, until)
    }

    /// Number of datagrams that the kernel has dropped, mostly because the buffer was full. It is the
    /// number that `SO_RXQ_OVFL` sends along with datagrams, but known even when none follow.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    #[expect(unsafe_code, reason = "getsockopt has no safe binding")]
    pub fn dropped(&self) -> io::Result<u32> {
        let mut info = [0_u32; MEMINFO_VALUES];
        let mut len = size_of_val(&info) as libc::socklen_t;
        // SAFETY: array and length are valid for writing, and the length is that of the array.
        socket::check(unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_SOCKET,
                SO_MEMINFO,
                info.as_mut_ptr().cast(),
                &raw mut len,
            )
        })?;
        Ok(info[MEMINFO_DROPS])
    }

    /// Octets of datagrams that the kernel keeps for this socket at most, its own overhead included.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn buffer_size(&self) -> io::Result<usize> {
        // The kernel tells twice the size that was asked for.
        Ok(usize::try_from(Number::RECEIVE_BUFFER.get(&self.socket)?).unwrap_or(0) / 2)
    }
}

/// Iterator over the datagrams of the messages that were received together.
struct Datagrams<'a> {
    messages: Iter<'a, Message>,
    /// Of the message at hand: its sender, its octets from the next datagram on, and the octets of each.
    sender: SocketAddr,
    rest: Range<usize>,
    segment: usize,
}

impl Iterator for Datagrams<'_> {
    type Item = Datagram;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // A message without octets is a datagram all the same.
        if self.rest.is_empty() {
            let Message { sender, start, len, segment } = *self.messages.next()?;
            (self.sender, self.segment, self.rest) = (sender, segment, start..start + len);
        }
        let Range { start, end } = self.rest;
        self.rest.start = end.min(start + self.segment);
        Some(Datagram { sender: self.sender, octets: start..self.rest.start })
    }
}

/// Asks for what a socket holds in memory; one of the values counts dropped datagrams.
const SO_MEMINFO: libc::c_int = 55;
const MEMINFO_VALUES: usize = 9;
const MEMINFO_DROPS: usize = libc::SK_MEMINFO_DROPS as usize;

/// Stands for a sender without an Internet address, which an Internet socket does not have.
const UNKNOWN_SENDER: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);

/// Size of the datagrams that the kernel joined to one message; `None` for a single datagram.
#[expect(unsafe_code, reason = "control messages are walked with pointers")]
fn segment_size(header: &libc::msghdr) -> Option<usize> {
    // SAFETY: the kernel has filled in the header, and its control memory is alive.
    let mut at = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !at.is_null() {
        // SAFETY: the macros give null or a whole control message within the control memory.
        let message = unsafe { at.read_unaligned() };
        let least = size_of::<libc::cmsghdr>() + size_of::<libc::c_int>();
        if (message.cmsg_level, message.cmsg_type) == (libc::SOL_UDP, libc::UDP_GRO)
            && message.cmsg_len as usize >= least
        {
            // SAFETY: this message carries one integer, and its length says that it is all there.
            let size = unsafe { libc::CMSG_DATA(at).cast::<libc::c_int>().read_unaligned() };
            return usize::try_from(size).ok().filter(|size| *size > 0);
        }
        // SAFETY: `at` is a control message of this header.
        at = unsafe { libc::CMSG_NXTHDR(header, at) };
    }
    None
}

/// Says what to do about a receive buffer that is smaller than [`WANTED_BUFFER`]; `None` when it is not.
#[must_use]
pub fn buffer_shortfall(granted: usize) -> Option<String> {
    (granted < WANTED_BUFFER).then(|| {
        format!(
            "the receive buffer has {granted} bytes instead of {WANTED_BUFFER}: \
             set net.core.rmem_max to {WANTED_BUFFER} or more (sysctl -w \
             net.core.rmem_max={WANTED_BUFFER}), or give the program CAP_NET_ADMIN"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::Sender;
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV6};
    use std::time::Duration;

    pub(super) fn local(address: &str) -> Endpoint {
        Endpoint { address: address.parse().unwrap(), interface: None }
    }

    fn pair(address: &str) -> (Receiver, Sender) {
        let receiver = Receiver::bind(local(address)).unwrap();
        let endpoint = Endpoint { address: receiver.local_address().unwrap(), interface: None };
        (receiver, Sender::connect(endpoint, None).unwrap())
    }

    /// Receives datagrams until there are `count` of them; loopback needs no waiting, but be patient.
    fn collect(receiver: &mut Receiver, count: usize) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut got = Vec::new();
        let end = Instant::now() + Duration::from_secs(5);
        while got.len() < count && Instant::now() < end {
            let mut octets = b"in front".to_vec();
            if receiver.receive(&mut octets).unwrap() == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            got.extend(receiver.datagrams().map(|d| (d.sender, octets[d.octets].to_vec())));
            assert!(octets.starts_with(b"in front"));
        }
        got
    }

    #[test]
    fn datagrams_arrive_whole_in_order_and_with_their_sender() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let (mut receiver, sender) = pair(address);
            let sent: Vec<Vec<u8>> = (0..100_u8)
                .map(|n| vec![n; [0, 1, 1400, 9000, 65_487][usize::from(n) % 5]])
                .collect();
            let mut got = Vec::new();
            for some in sent.chunks(10) {
                for octets in some {
                    sender.send(octets).unwrap();
                }
                got.extend(collect(&mut receiver, some.len()));
            }
            assert_eq!(got.len(), sent.len());
            for ((from, octets), want) in got.iter().zip(&sent) {
                assert_eq!(*from, sender.local_address().unwrap());
                assert!(octets == want, "{} octets for {}", octets.len(), want.len());
            }
            assert_eq!(receiver.receive(&mut Vec::new()).unwrap(), 0);
            assert_eq!(receiver.datagrams().count(), 0);
        }
    }

    #[test]
    fn one_call_receives_many() {
        let (mut receiver, sender) = pair("127.0.0.1:0");
        for n in 0..40_u8 {
            sender.send(&[n]).unwrap();
        }
        let mut octets = Vec::new();
        assert_eq!(receiver.receive(&mut octets).unwrap(), BATCH);
        assert_eq!(receiver.receive(&mut octets).unwrap(), 40 - BATCH);
        assert_eq!(octets[receiver.datagrams().next().unwrap().octets], [32]);
    }

    #[test]
    fn messages_of_any_length_stand_whole_whatever_is_expected() {
        let (mut receiver, sender) = pair("127.0.0.1:0");
        let mut state = 5_u32;
        for round in 0..200 {
            let largest = [100, 1400, 9300, 20_000][round / 7 % 4];
            let mut sent = Vec::new();
            for _ in 0..1 + round % 12 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let len = (state >> 8) as usize % largest;
                sent.push((0..len).map(|at| (at * 7 + len) as u8).collect::<Vec<u8>>());
            }
            for octets in &sent {
                sender.send(octets).unwrap();
            }
            let got = collect(&mut receiver, sent.len());
            assert!(got.iter().map(|(_, octets)| octets).eq(&sent), "round {round}");
            let expected = receiver.expected;
            assert!((LEAST_EXPECTED..=MOST_EXPECTED).contains(&expected), "{expected}");
        }
    }

    #[test]
    fn joined_datagrams_are_taken_apart() {
        let (mut receiver, sender) = pair("127.0.0.1:0");
        let segment: libc::c_int = 100;
        if Number::SEGMENT.set(sender.socket(), segment).is_err() {
            println!("skipped: this kernel does not segment datagrams");
            return;
        }
        let octets: Vec<u8> = (0..950_u32).map(|n| (n % 251) as u8).collect();
        sender.send(&octets).unwrap();
        let got = collect(&mut receiver, 10);
        assert_eq!(
            got.iter().map(|(_, d)| d.len()).collect::<Vec<_>>(),
            [vec![100; 9], vec![50]].concat()
        );
        assert_eq!(got.concat_octets(), octets);
    }

    trait ConcatOctets {
        fn concat_octets(&self) -> Vec<u8>;
    }

    impl ConcatOctets for Vec<(SocketAddr, Vec<u8>)> {
        fn concat_octets(&self) -> Vec<u8> {
            self.iter().flat_map(|(_, octets)| octets.iter().copied()).collect()
        }
    }

    #[test]
    fn sk_7_two_listeners_share_a_port_and_the_buffer_is_large() {
        let (receiver, _) = pair("127.0.0.1:0");
        let again = Endpoint { address: receiver.local_address().unwrap(), interface: None };
        let other = Receiver::bind(again).unwrap();
        let granted = other.buffer_size().unwrap();
        match buffer_shortfall(granted) {
            None => assert!(granted >= WANTED_BUFFER),
            Some(text) => {
                assert!(granted < WANTED_BUFFER);
                assert!(text.contains("net.core.rmem_max=16777216"), "{text}");
                assert!(text.contains(&format!("has {granted} bytes")), "{text}");
            }
        }
    }

    #[test]
    fn sk_7_a_small_buffer_is_explained() {
        assert_eq!(buffer_shortfall(WANTED_BUFFER), None);
        assert_eq!(
            buffer_shortfall(212_992).unwrap(),
            "the receive buffer has 212992 bytes instead of 16777216: set net.core.rmem_max to \
             16777216 or more (sysctl -w net.core.rmem_max=16777216), or give the program \
             CAP_NET_ADMIN"
        );
    }

    #[test]
    fn what_the_kernel_drops_is_counted_although_nothing_follows() {
        let (mut receiver, sender) = pair("127.0.0.1:0");
        Number::RECEIVE_BUFFER.set(&receiver.socket, 4096).unwrap();
        for _ in 0..100 {
            sender.send(&[7; 1000]).unwrap();
        }
        let got = collect(&mut receiver, 1).len() as u32 + {
            let mut more = 0;
            while receiver.receive(&mut Vec::new()).unwrap() > 0 {
                more += receiver.datagrams().count() as u32;
            }
            more
        };
        assert!(got < 100);
        assert_eq!(receiver.dropped().unwrap(), 100 - got);
    }

    #[test]
    fn sk_6_a_group_is_joined_on_the_interface_asked_for() {
        let lo = super::super::interface_index("lo").unwrap();
        let v4 = SocketAddr::from((Ipv4Addr::new(239, 255, 77, 1), 0));
        let v6 = Ipv6Addr::new(0xff01, 0, 0, 0, 0, 0, 0, 0x77);
        let v6 = SocketAddr::V6(SocketAddrV6::new(v6, 0, 0, lo.get()));
        for address in [v4, v6] {
            let mut receiver = match Receiver::bind(Endpoint { address, interface: Some(lo) }) {
                Ok(receiver) => receiver,
                Err(error) => {
                    println!("skipped: no group can be joined here: {error}");
                    continue;
                }
            };
            let address = receiver.local_address().unwrap();
            let sender = match Sender::connect(Endpoint { address, interface: Some(lo) }, Some(1)) {
                Ok(sender) => sender,
                Err(error) => {
                    println!("skipped: there is no way to {address} here: {error}");
                    continue;
                }
            };
            sender.send(b"to the group").unwrap();
            let got = collect(&mut receiver, 1);
            assert_eq!(got.len(), 1, "{address}");
            assert_eq!(got[0].1, b"to the group");
        }
    }

    #[test]
    fn an_address_of_another_machine_is_refused() {
        let error = Receiver::bind(local("192.0.2.77:0")).err().unwrap();
        assert_eq!(error.raw_os_error(), Some(libc::EADDRNOTAVAIL));
    }
}
