use nmsg_os::udp::Sender;
use nmsg_os::{Latch, Ready, sleep};
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::{Closed, Notice, PATIENCE_AFTER_SIGNAL, Put, Sink};
use crate::RateLimiter;
use crate::address::SocketSpec;

/// Largest UDP datagram over IPv4, in octets.
pub const LARGEST_DATAGRAM_V4: usize = 65_507;
/// Largest UDP datagram over IPv6 whose packet is not larger than 65,535 octets, in octets.
pub const LARGEST_DATAGRAM_V6: usize = 65_487;

/// Octets by which a container can grow when it is compressed and does not become smaller.
const ZLIB_GROWTH: usize = 64;

/// How often a datagram is tried again after news about an earlier one.
const MOST_TRIES: usize = 4;

/// Clamps a container size to what fits into one datagram to this address, so that larger payloads are
/// sent in fragments (`decisions` SK-3).
#[must_use]
pub fn datagram_buffer(wanted: usize, to: IpAddr, zlib: bool) -> usize {
    let largest = if to.is_ipv4() { LARGEST_DATAGRAM_V4 } else { LARGEST_DATAGRAM_V6 };
    wanted.min(if zlib { largest - ZLIB_GROWTH } else { largest })
}

/// A rate that several outputs share.
pub type SharedRate = Arc<Mutex<RateLimiter>>;

/// Sends every container or fragment as one datagram. Refusals and full buffers are counted and told
/// about; they do not end the output (`decisions` SK-2).
#[derive(Debug)]
pub struct UdpSink {
    name: String,
    sender: Sender,
    address: IpAddr,
    limiter: Option<SharedRate>,
    /// The moment from which the limiter counts.
    start: Instant,
    tally: Tally,
    /// Said about the first datagram that got lost, once.
    notice: Option<Notice>,
}

/// What became of the datagrams.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    sent: u64,
    /// Sent, but refused by the receiver's machine or by one on the way.
    refused: u64,
    /// Not sent because the system had no room.
    no_room: u64,
    /// Not sent for another reason.
    not_sent: u64,
}

/// How long ago outputs of one process started counting, for limiters that they share.
fn epoch() -> Instant {
    static EPOCH: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    *EPOCH.get_or_init(Instant::now)
}

impl UdpSink {
    /// Sends to the first port of an address; see [`Sender::connect`] for `ttl`.
    ///
    /// # Errors
    ///
    /// When the address cannot be looked up, or there is no way to it.
    pub fn connect(
        spec: &SocketSpec,
        ttl: Option<u8>,
        limiter: Option<SharedRate>,
    ) -> io::Result<Self> {
        let endpoint = spec.resolve()?;
        Ok(Self {
            name: spec.to_string(),
            sender: Sender::connect(endpoint, ttl)?,
            address: endpoint.address.ip(),
            limiter,
            start: epoch(),
            tally: Tally::default(),
            notice: None,
        })
    }

    /// The address that datagrams are sent to.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Waits until the schedule allows the next datagram; not after a signal.
    fn keep_pace(&self, interrupt: Option<&Latch>) -> io::Result<()> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        let due = {
            let mut limiter = limiter.lock().unwrap_or_else(PoisonError::into_inner);
            self.start + limiter.due(self.start.elapsed())
        };
        if due > Instant::now() {
            sleep(interrupt.as_slice(), due)?;
        }
        Ok(())
    }

    /// Waits for room in the send buffer; false when a signal leaves no more time.
    fn wait_for_room(&self, interrupt: Option<&Latch>) -> io::Result<bool> {
        if let Some(waited) = interrupt.and_then(Latch::raised_for) {
            let left = PATIENCE_AFTER_SIGNAL.saturating_sub(waited);
            return Ok(self.sender.wait(&[], Some(Instant::now() + left))? != Ready::Timeout);
        }
        self.sender.wait(interrupt.as_slice(), None)?;
        Ok(true)
    }

    #[cold]
    fn say_once(&mut self, error: &io::Error) {
        if self.tally.lost() == 1 {
            let (name, why) = (&self.name, in_words(error));
            let text = format!("{name}: a datagram was not delivered: {why}");
            self.notice = Some(Notice { text, is_detail: false });
        }
    }

    #[cold]
    fn count_refused(&mut self, error: &io::Error) {
        self.tally.refused += 1;
        self.say_once(error);
    }

    #[cold]
    fn count_unsent(&mut self, error: &io::Error) -> Put {
        let no_room = matches!(error.raw_os_error(), Some(ENOBUFS | ENOMEM))
            || error.kind() == io::ErrorKind::WouldBlock;
        *(if no_room { &mut self.tally.no_room } else { &mut self.tally.not_sent }) += 1;
        self.say_once(error);
        Put::Dropped
    }
}

impl Tally {
    fn lost(&self) -> u64 {
        self.refused + self.no_room + self.not_sent
    }

    fn undelivered(&self) -> Option<String> {
        let parts = [
            (self.refused, "refused"),
            (self.no_room, "for want of buffer space"),
            (self.not_sent, "not sent for other reasons"),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        let all = self.sent + self.no_room + self.not_sent;
        (!parts.is_empty()).then(|| {
            format!("{} of {all} datagrams not delivered: {}", self.lost(), parts.join(", "))
        })
    }
}

const ENOMEM: i32 = 12;
const ENOBUFS: i32 = 105;

/// What an error about a datagram means for it and its output.
enum Meaning {
    /// An earlier datagram got lost; this one was not tried yet.
    Earlier,
    /// This datagram got lost.
    This,
    /// The send buffer is full.
    Wait,
    /// The socket is of no use.
    Fatal,
}

fn meaning(error: &io::Error) -> Meaning {
    use io::ErrorKind::{
        ConnectionRefused, HostUnreachable, NetworkDown, NetworkUnreachable, OutOfMemory,
        PermissionDenied, WouldBlock,
    };
    const EMSGSIZE: i32 = 90;
    const ENOPROTOOPT: i32 = 92;
    const EHOSTDOWN: i32 = 112;
    match (error.kind(), error.raw_os_error()) {
        (ConnectionRefused | HostUnreachable, _) => Meaning::Earlier,
        (_, Some(ENOPROTOOPT | EHOSTDOWN)) => Meaning::Earlier,
        (WouldBlock, _) => Meaning::Wait,
        (NetworkUnreachable | NetworkDown | PermissionDenied | OutOfMemory, _) => Meaning::This,
        (_, Some(EMSGSIZE | ENOBUFS)) => Meaning::This,
        _ => Meaning::Fatal,
    }
}

/// The system's words, without the number that Rust adds.
fn in_words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error ").map_or(text.clone(), |(words, _)| words.to_owned())
}

impl Sink for UdpSink {
    fn put(&mut self, piece: &[u8], interrupt: Option<&Latch>) -> io::Result<Put> {
        self.keep_pace(interrupt)?;
        let mut tries = MOST_TRIES;
        loop {
            let Err(error) = self.sender.send(piece) else {
                self.tally.sent += 1;
                return Ok(Put::Taken);
            };
            if error.kind() == io::ErrorKind::Interrupted {
                continue;
            }
            match meaning(&error) {
                Meaning::Earlier if tries > 1 => {
                    self.count_refused(&error);
                    tries -= 1;
                }
                Meaning::Wait if self.wait_for_room(interrupt)? => {}
                Meaning::Fatal => return Err(error),
                Meaning::Earlier | Meaning::This | Meaning::Wait => {
                    return Ok(self.count_unsent(&error));
                }
            }
        }
    }

    fn notice(&mut self) -> Option<Notice> {
        self.notice.take()
    }

    fn close(mut self: Box<Self>) -> io::Result<Closed> {
        if let Some(error) = self.sender.pending_error()? {
            self.count_refused(&error);
        }
        let notices = self.notice.take().into_iter().collect();
        Ok(Closed { notices, undelivered: self.tally.undelivered(), ..Closed::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::MOST_PORTS;
    use std::net::UdpSocket;
    use std::num::NonZeroU32;
    use std::time::Duration;

    fn spec(port: u16) -> SocketSpec {
        SocketSpec::parse(&format!("127.0.0.1/{port}"), MOST_PORTS).unwrap()
    }

    fn listener() -> (UdpSocket, SocketSpec) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let spec = spec(socket.local_addr().unwrap().port());
        (socket, spec)
    }

    fn nobody() -> SocketSpec {
        listener().1
    }

    #[test]
    fn sk_2_every_refusal_is_counted_and_sending_goes_on() {
        let spec = nobody();
        let mut sink = Box::new(UdpSink::connect(&spec, None, None).unwrap());
        for _ in 0..5 {
            assert_eq!(sink.put(b"x", None).unwrap(), Put::Taken);
        }
        let notice = sink.notice().unwrap();
        let want = format!("{spec}: a datagram was not delivered: Connection refused");
        assert_eq!(notice.text, want);
        assert!(!notice.is_detail && sink.notice().is_none());
        let closed = sink.close().unwrap();
        assert_eq!(closed.undelivered.unwrap(), "5 of 5 datagrams not delivered: 5 refused");
    }

    #[test]
    fn sk_2_a_receiver_that_comes_later_gets_the_rest() {
        let spec = nobody();
        let mut sink = Box::new(UdpSink::connect(&spec, None, None).unwrap());
        assert_eq!(sink.put(b"lost", None).unwrap(), Put::Taken);
        let socket = UdpSocket::bind(("127.0.0.1", *spec.ports.start())).unwrap();
        assert_eq!(sink.put(b"there", None).unwrap(), Put::Taken);
        let mut buffer = [0; 16];
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let len = socket.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..len], b"there");
        let closed = sink.close().unwrap();
        assert_eq!(closed.undelivered.unwrap(), "1 of 2 datagrams not delivered: 1 refused");
    }

    #[test]
    fn sk_2_a_datagram_that_cannot_be_sent_costs_itself() {
        let (socket, spec) = listener();
        let mut sink = Box::new(UdpSink::connect(&spec, None, None).unwrap());
        assert_eq!(sink.put(&vec![0; LARGEST_DATAGRAM_V4 + 1], None).unwrap(), Put::Dropped);
        assert_eq!(sink.put(b"small", None).unwrap(), Put::Taken);
        assert_eq!(socket.recv(&mut [0; 16]).unwrap(), 5);
        assert!(sink.notice().unwrap().text.ends_with(" not delivered: Message too long"));
        let closed = sink.close().unwrap();
        assert_eq!(
            closed.undelivered.unwrap(),
            "1 of 2 datagrams not delivered: 1 not sent for other reasons"
        );
    }

    #[test]
    fn sk_2_nothing_lost_nothing_said() {
        let (_socket, spec) = listener();
        let mut sink = Box::new(UdpSink::connect(&spec, None, None).unwrap());
        sink.put(&[], None).unwrap();
        sink.put(&vec![0; LARGEST_DATAGRAM_V4], None).unwrap();
        assert_eq!(sink.close().unwrap(), Closed::default());
    }

    #[test]
    fn sk_3_the_largest_datagrams() {
        let (v4, v6) = ("127.0.0.1".parse().unwrap(), "::1".parse().unwrap());
        for (wanted, to, zlib, want) in [
            (8192, v4, false, 8192),
            (8192, v4, true, 8192),
            (65_507, v4, false, 65_507),
            (65_508, v4, false, 65_507),
            (1 << 20, v4, false, 65_507),
            (1 << 20, v6, false, 65_487),
            (1 << 20, v4, true, 65_443),
        ] {
            assert_eq!(datagram_buffer(wanted, to, zlib), want, "{wanted} to {to}, zlib {zlib}");
        }
        for (bind, largest) in
            [("127.0.0.1:0", LARGEST_DATAGRAM_V4), ("[::1]:0", LARGEST_DATAGRAM_V6)]
        {
            let socket = UdpSocket::bind(bind).unwrap();
            let address = socket.local_addr().unwrap();
            assert_eq!(socket.send_to(&vec![0; largest], address).unwrap(), largest);
        }
    }

    #[test]
    fn sk_4_outputs_of_one_range_share_their_rate() {
        let (_one, one) = listener();
        let (_other, other) = listener();
        let limiter = RateLimiter::new(NonZeroU32::new(50).unwrap());
        let limiter = Some(Arc::new(Mutex::new(limiter)));
        let mut sinks =
            [one, other].map(|spec| UdpSink::connect(&spec, None, limiter.clone()).unwrap());
        let start = Instant::now();
        for _ in 0..3 {
            for sink in &mut sinks {
                sink.put(b"x", None).unwrap();
            }
        }
        let took = start.elapsed();
        // Five gaps of 20 ms, less the lag of one gap that may be made up for.
        assert!(took >= Duration::from_millis(79), "{took:?}: six at 50 a second");
        assert!(took < Duration::from_secs(20), "{took:?}");
    }

    #[test]
    fn sg_1_a_signal_ends_the_pacing() {
        let (_socket, spec) = listener();
        let limiter = RateLimiter::new(NonZeroU32::MIN);
        let limiter = Some(Arc::new(Mutex::new(limiter)));
        let mut sink = UdpSink::connect(&spec, None, limiter).unwrap();
        let latch = Latch::new().unwrap();
        latch.raise();
        let start = Instant::now();
        for _ in 0..100 {
            assert_eq!(sink.put(b"x", Some(&latch)).unwrap(), Put::Taken);
        }
        assert!(start.elapsed() < Duration::from_secs(20), "not one a second");
    }
}
