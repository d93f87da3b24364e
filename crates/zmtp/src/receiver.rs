use crate::connection::Event;
use crate::endpoint::Endpoint;
use crate::hub::{Direction, Faults, Hub};
use crate::socket_type::SocketType;
use nmsg_os::{Bell, Interest, PollSet};
use std::io;
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Instant;

/// What ended a wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Waited {
    /// Something happened; whether it helps is to be tried.
    Activity,
    /// One of the interrupting descriptors can be read.
    Interrupted,
    /// The time is up.
    Timeout,
}

/// How a [`Receiver`] gets messages, and how large they may be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReceiverSettings {
    /// [`SocketType::Sub`] when there is a subscription, else [`SocketType::Pull`]: only messages
    /// that start so are received.
    pub subscription: Option<Vec<u8>>,
    /// Largest message that is received, in octets; a peer that sends a larger one is given up.
    pub largest: usize,
}

/// One part of a message. Most messages have one; parts of messages of several peers may come in
/// turn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Part<'a> {
    /// Its octets.
    pub body: &'a [u8],
    /// Whether another part of the same message follows.
    pub more: bool,
}

/// A SUB or PULL socket.
///
/// Works on the thread that asks: nothing is read ahead of that but what the system holds and one
/// buffer for each peer.
#[derive(Debug)]
pub struct Receiver {
    hub: Hub,
    set: PollSet,
    /// Whose turn it is.
    turn: usize,
}

const READABLE: Interest = Interest { readable: true, writable: false };

impl Receiver {
    /// Opens a socket. Connecting goes on in the background.
    ///
    /// # Errors
    ///
    /// When the endpoint cannot be bound.
    pub fn open(
        settings: &ReceiverSettings,
        direction: Direction,
        endpoint: &Endpoint,
    ) -> io::Result<Self> {
        let kind = match settings.subscription {
            Some(_) => SocketType::Sub,
            None => SocketType::Pull,
        };
        let prefix = settings.subscription.as_deref().unwrap_or_default();
        let bell = Arc::new(Bell::new()?);
        let hub = Hub::open(kind, prefix, settings.largest, direction, endpoint, bell)?;
        Ok(Self { hub, set: PollSet::new(), turn: 0 })
    }

    /// Where the socket is bound, with the port the system chose; else what it connects to.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.hub.local
    }

    /// Number of peers that messages can come from.
    #[must_use]
    pub fn peers(&self) -> usize {
        self.hub.ready_peers()
    }

    /// Connections that were given up because of what peers sent.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.hub.faults
    }

    /// The next part that is there already; `None` when [`Self::wait`] is needed. Peers have their
    /// turns.
    ///
    /// # Errors
    ///
    /// Those of poll(2).
    pub fn next_part(&mut self) -> io::Result<Option<Part<'_>>> {
        let mut found = self.find();
        if found.is_none() {
            self.poll(&[], Some(Instant::now()))?;
            found = self.find();
        }
        Ok(found.and_then(|found| self.part(found)))
    }

    /// The next part that was read already, before the socket is closed: peers will not send it
    /// again.
    pub fn next_buffered_part(&mut self) -> Option<Part<'_>> {
        let found = self.find()?;
        self.part(found)
    }

    fn part(&self, (position, body, more): (usize, Range<usize>, bool)) -> Option<Part<'_>> {
        let peer = self.hub.peers.get(position)?;
        Some(Part { body: peer.connection.octets(body), more })
    }

    /// Waits until something happens, one of `interrupts` can be read, or `until` has come.
    ///
    /// # Errors
    ///
    /// Those of poll(2).
    pub fn wait(
        &mut self,
        interrupts: &[BorrowedFd<'_>],
        until: Option<Instant>,
    ) -> io::Result<Waited> {
        self.poll(interrupts, until)
    }

    fn poll(
        &mut self,
        interrupts: &[BorrowedFd<'_>],
        until: Option<Instant>,
    ) -> io::Result<Waited> {
        self.set.clear();
        for fd in interrupts {
            self.set.add(*fd, READABLE);
        }
        let deadline = self.hub.register(&mut self.set);
        let earliest = [deadline, until].into_iter().flatten().min();
        self.set.wait(earliest)?;
        if (0..interrupts.len()).any(|position| self.set.readiness(position).readable) {
            return Ok(Waited::Interrupted);
        }
        let any = self.hub.serve(&self.set, interrupts.len());
        let is_late = || until.is_some_and(|until| until <= Instant::now());
        Ok(if !any && is_late() { Waited::Timeout } else { Waited::Activity })
    }

    /// Finds a part that has arrived whole; lets go of peers that have nothing more to say.
    fn find(&mut self) -> Option<(usize, Range<usize>, bool)> {
        let prefix = self.hub.prefix().to_vec();
        let mut position = self.turn;
        let mut left = self.hub.peers.len();
        while left > 0 {
            left -= 1;
            if position >= self.hub.peers.len() {
                position = 0;
            }
            let peer = self.hub.peers.get_mut(position)?;
            match peer.advance(&prefix) {
                Ok(Some(Event::Part { body, more, .. })) => {
                    self.turn = if more { position } else { position + 1 };
                    return Some((position, body, more));
                }
                Ok(_) if peer.hung_up || peer.flush().is_err() => {
                    self.hub.remove(position);
                }
                Ok(_) => position += 1,
                Err(fault) => {
                    self.hub.give_up(position, fault);
                }
            }
        }
        None
    }
}
