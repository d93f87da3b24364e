use crate::dialer::Dialer;
use crate::endpoint::Endpoint;
use crate::error::PeerFault;
use crate::peer::Peer;
use crate::socket_type::SocketType;
use crate::transport::{Listener, Stream};
use nmsg_os::{Bell, Interest, PollSet};
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Which side of a connection a socket is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Direction {
    /// It accepts connections.
    Bind,
    /// It makes one, again and again whenever it is gone.
    Connect,
}

/// Most peers at a time; others wait in the system's queue.
const MOST_PEERS: usize = 1000;
/// How long a handshake may take, as in libzmq.
const HANDSHAKE_TIME: Duration = Duration::from_secs(30);
/// How long no peers are accepted when the system has no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Octets of incomplete messages of all peers together.
const MOST_WAITING: usize = 256 << 20;
/// Octets of an incomplete message below which it is not counted.
const LITTLE: usize = 1 << 20;

/// All connections of one socket, and how new ones come.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) kind: SocketType,
    /// What is subscribed to.
    prefix: Vec<u8>,
    /// Largest message that is received, in octets.
    limit: usize,
    pub(crate) local: Endpoint,
    listener: Option<Listener>,
    pub(crate) dialer: Option<Dialer>,
    pub(crate) peers: Vec<Peer>,
    bell: Arc<Bell>,
    accept_again: Option<Instant>,
    scratch: Box<[u8]>,
    pub(crate) faults: Faults,
}

/// Connections that were given up because of what peers sent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Faults {
    /// Number of connections.
    pub count: u64,
    /// Why the last of them was given up; `None` when there was none.
    pub last: Option<PeerFault>,
}

impl Faults {
    #[cold]
    pub(crate) fn add(&mut self, fault: PeerFault) {
        self.count += 1;
        self.last = Some(fault);
    }
}

impl Hub {
    pub(crate) fn open(
        kind: SocketType,
        prefix: &[u8],
        limit: usize,
        direction: Direction,
        endpoint: &Endpoint,
        bell: Arc<Bell>,
    ) -> io::Result<Self> {
        let mut local = endpoint.clone();
        let (mut listener, mut dialer) = (None, None);
        match direction {
            Direction::Bind => {
                let bound = Listener::bind(endpoint)?;
                local = bound.local_endpoint(endpoint);
                listener = Some(bound);
            }
            Direction::Connect => dialer = Some(Dialer::start(endpoint.clone(), bell.clone())?),
        }
        Ok(Self {
            kind,
            prefix: prefix.to_vec(),
            limit,
            local,
            listener,
            dialer,
            peers: Vec::new(),
            bell,
            accept_again: None,
            scratch: vec![0; 64 << 10].into_boxed_slice(),
            faults: Faults::default(),
        })
    }

    /// Number of peers that messages can come from or go to.
    pub(crate) fn ready_peers(&self) -> usize {
        self.peers.iter().filter(|peer| peer.connection.is_ready()).count()
    }

    /// What subscriptions start with.
    pub(crate) fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// Adds all descriptors to a set; gives when to look again even if none of them is ready.
    pub(crate) fn register(&mut self, set: &mut PollSet) -> Option<Instant> {
        set.add(self.bell.as_ref().as_fd(), READABLE);
        let mut deadline = None;
        let mut by =
            |time: Instant| deadline = Some(deadline.map_or(time, |d: Instant| d.min(time)));
        if let Some(listener) = &self.listener {
            let accepts = self.accept_again.is_none() && self.peers.len() < MOST_PEERS;
            set.add(listener.as_fd(), Interest { readable: accepts, writable: false });
            self.accept_again.iter().copied().for_each(&mut by);
        }
        for peer in &self.peers {
            let interest = Interest { readable: !peer.hung_up, writable: peer.has_output() };
            set.add(peer.stream.as_fd(), interest);
            if !peer.connection.is_ready() {
                by(peer.deadline);
            }
        }
        deadline
    }

    /// Accepts and reads where `set`, as [`Self::register`] filled it from position `at`, says that
    /// it can be done; true when anything was ready.
    pub(crate) fn serve(&mut self, set: &PollSet, mut at: usize) -> bool {
        let mut any = set.readiness(at).readable;
        if any {
            self.bell.silence();
        }
        at += 1;
        let mut newcomers = Vec::new();
        if self.listener.is_some() {
            if set.readiness(at).readable {
                any = true;
                self.accept(&mut newcomers);
            }
            at += 1;
        }
        for (peer, position) in self.peers.iter_mut().zip(at..) {
            let ready = set.readiness(position);
            any |= ready.readable || ready.writable;
            if ready.readable && !peer.hung_up {
                peer.fill(&mut self.scratch);
            }
        }
        let now = Instant::now();
        if self.accept_again.is_some_and(|time| time <= now) {
            self.accept_again = None;
        }
        if let Some(stream) = self.dialer.as_ref().and_then(Dialer::arrived) {
            newcomers.push(stream);
        }
        for stream in newcomers {
            let deadline = now + HANDSHAKE_TIME;
            self.peers.push(Peer::new(stream, self.kind, self.limit, deadline));
        }
        self.drop_late_and_greedy(now);
        any
    }

    fn accept(&mut self, newcomers: &mut Vec<Stream>) {
        let Some(listener) = &self.listener else { return };
        while self.peers.len() + newcomers.len() < MOST_PEERS {
            match listener.accept() {
                Ok(stream) => newcomers.push(stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::Interrupted | ErrorKind::ConnectionAborted
                    ) => {}
                Err(_) => {
                    self.accept_again = Some(Instant::now() + ACCEPT_PAUSE);
                    return;
                }
            }
        }
    }

    fn drop_late_and_greedy(&mut self, now: Instant) {
        let mut waiting = 0;
        let mut position = 0;
        while let Some(peer) = self.peers.get(position) {
            let its = peer.connection.waiting();
            if its > LITTLE {
                waiting += its;
            }
            if !peer.connection.is_ready() && peer.deadline <= now {
                self.give_up(position, PeerFault::TooSlow);
            } else if its > LITTLE && waiting > MOST_WAITING {
                waiting -= its;
                self.give_up(position, PeerFault::TooMuch);
            } else {
                position += 1;
            }
        }
    }

    /// Counts why a peer is of no use and removes it.
    #[cold]
    pub(crate) fn give_up(&mut self, position: usize, fault: PeerFault) -> Option<Peer> {
        self.faults.add(fault);
        self.remove(position)
    }

    /// Removes a peer; a connection that we made is made again.
    pub(crate) fn remove(&mut self, position: usize) -> Option<Peer> {
        if position >= self.peers.len() {
            return None;
        }
        let peer = self.peers.remove(position);
        if let Some(dialer) = &self.dialer {
            dialer.redial();
        }
        Some(peer)
    }
}

const READABLE: Interest = Interest { readable: true, writable: false };
