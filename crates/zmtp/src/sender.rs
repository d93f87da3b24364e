use crate::endpoint::Endpoint;
use crate::hub::{Direction, Faults, Hub};
use crate::outbox::Outgoing;
use crate::peer::Peer;
use crate::receiver::Waited;
use crate::socket_type::SocketType;
use nmsg_os::{Bell, Interest, PollSet};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Most messages that wait to be sent, as the reference sets it (`container-and-io` §2.6).
const HIGH_WATER_MARK: usize = 1000;
/// Most octets that wait to be sent, whatever the number of messages.
const MOST_OCTETS: usize = 64 << 20;
/// Octets that one of several peers is handed at a time.
const HANDFUL: usize = 128 << 10;
/// How long the end of a connection waits for the peer to have read everything.
const GOODBYE: Duration = Duration::from_millis(500);

/// How often a closing socket asks whether to give up.
const ASKING_INTERVAL: Duration = Duration::from_millis(20);

/// Messages, and what their senders count in them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Count {
    /// Number of messages.
    pub messages: u64,
    /// Sum of the units of these messages.
    pub units: u64,
}

impl Count {
    fn add(&mut self, units: u64) {
        self.messages += 1;
        self.units += units;
    }
}

/// What became of messages that no peer got.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Lost {
    /// Messages of a PUSH socket that were not handed over when it was closed.
    pub undelivered: Count,
    /// Copies for subscribers of a PUB socket that were too slow for them.
    pub dropped: Count,
}

/// A PUB or PUSH socket.
///
/// A thread of its own keeps the connections alive and sends what waits.
#[derive(Debug)]
pub struct Sender {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Wakes the thread.
    bell: Arc<Bell>,
    /// Wakes who waits for room, or for the end.
    room: Bell,
}

#[derive(Debug)]
struct State {
    hub: Hub,
    /// Messages that have no peer yet; always empty for PUB.
    pending: VecDeque<Arc<Outgoing>>,
    pending_octets: usize,
    /// Whose turn it is.
    turn: usize,
    /// The thread has to be woken to see changes.
    asleep: bool,
    /// Somebody waits for room.
    wanted: bool,
    /// When the socket is closed at the latest.
    closing: Option<Instant>,
    ended: bool,
    lost: Lost,
}

impl State {
    fn has_room(&self) -> bool {
        match self.hub.kind {
            SocketType::Pub => true,
            // A socket that connects may hope for its peer; one that accepts has nobody to hope for.
            _ => {
                let has_peer = self.hub.dialer.is_some() || self.hub.ready_peers() > 0;
                has_peer
                    && self.pending.len() < HIGH_WATER_MARK
                    && self.pending_octets < MOST_OCTETS
            }
        }
    }

    fn take(&mut self, message: Arc<Outgoing>) {
        if self.hub.kind == SocketType::Pub {
            self.publish(&message);
        } else {
            self.pending_octets += message.len();
            self.pending.push_back(message);
            self.hand_out();
        }
    }

    fn publish(&mut self, message: &Arc<Outgoing>) {
        for peer in self.hub.peers.iter_mut().filter(|peer| peer.connection.is_ready()) {
            if !peer.subscriptions.match_message(message.body()) {
                continue;
            }
            if peer.outbox.len() < HIGH_WATER_MARK && peer.outbox.octets() < MOST_OCTETS {
                peer.outbox.push(message.clone());
            } else {
                self.lost.dropped.add(message.units);
            }
        }
    }

    /// Gives waiting messages to peers, in turn, as far as they have room; true when there were any.
    fn hand_out(&mut self) -> bool {
        let (mut any, mut full) = (false, 0);
        while full < self.hub.peers.len() && !self.pending.is_empty() {
            if self.turn >= self.hub.peers.len() {
                self.turn = 0;
            }
            let Some(peer) = self.hub.peers.get_mut(self.turn) else { break };
            self.turn += 1;
            if !peer.connection.is_ready() || peer.hung_up || peer.outbox.octets() >= HANDFUL {
                full += 1;
            } else if let Some(message) = self.pending.pop_front() {
                (any, full) = (true, 0);
                self.pending_octets -= message.len();
                peer.outbox.push(message);
            }
        }
        any
    }

    /// Reads what peers say, writes what waits for them, and lets go of those that are gone.
    fn serve_peers(&mut self) {
        let mut position = 0;
        while let Some(peer) = self.hub.peers.get_mut(position) {
            let gone = match peer.advance(&[]) {
                Ok(_) if peer.hung_up || peer.flush().is_err() => self.hub.remove(position),
                Ok(_) => {
                    position += 1;
                    continue;
                }
                Err(fault) => self.hub.give_up(position, fault),
            };
            if let (SocketType::Push, Some(mut gone)) = (self.hub.kind, gone) {
                // What the system did not take whole cannot have arrived.
                for message in gone.outbox.take().into_iter().rev() {
                    self.pending_octets += message.len();
                    self.pending.push_front(message);
                }
            }
        }
    }

    fn is_drained(&self) -> bool {
        let idle = |peer: &Peer| !peer.connection.is_ready() || !peer.has_output();
        self.pending.is_empty() && self.hub.peers.iter().all(idle)
    }

    /// Moves what can be moved without waiting: afterwards nothing waits, or all peers are busy.
    fn work(&mut self) {
        loop {
            self.serve_peers();
            if !self.hand_out() {
                return;
            }
        }
    }

    fn count_undelivered(&mut self) {
        if self.hub.kind == SocketType::Push {
            for peer in &mut self.hub.peers {
                self.pending.extend(peer.outbox.take());
            }
            self.pending.drain(..).for_each(|message| self.lost.undelivered.add(message.units));
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of the thread.
    fn run(&self) {
        let mut set = PollSet::new();
        let mut state = self.lock();
        loop {
            state.work();
            if state.wanted && state.has_room() {
                state.wanted = false;
                self.room.ring();
            }
            let closing = state.closing;
            if closing.is_some_and(|time| state.is_drained() || time <= Instant::now()) {
                break;
            }
            set.clear();
            let deadline = [state.hub.register(&mut set), closing].into_iter().flatten().min();
            state.asleep = true;
            drop(state);
            let waited = set.wait(deadline);
            state = self.lock();
            state.asleep = false;
            if waited.is_err() {
                break;
            }
            state.hub.serve(&set, 0);
        }
        state.count_undelivered();
        self.say_goodbye(state, &mut set);
        self.lock().ended = true;
        self.room.ring();
    }

    /// Ends all connections so that nothing is lost that the system still holds.
    fn say_goodbye<'a>(&'a self, mut state: MutexGuard<'a, State>, set: &mut PollSet) {
        let until = Instant::now() + GOODBYE;
        state.hub.peers.retain(|peer| peer.connection.is_ready() && peer.outbox.is_at_boundary());
        state.hub.peers.iter().for_each(|peer| peer.stream.finish());
        // Peers that have read everything hang up; those that are busy are not waited for longer.
        while !state.hub.peers.is_empty()
            && state.closing.is_some_and(|time| Instant::now() < time.min(until))
        {
            set.clear();
            state.hub.register(set);
            let deadline = state.closing.map(|time| time.min(until));
            drop(state);
            let waited = set.wait(deadline);
            state = self.lock();
            if waited.is_err() {
                return;
            }
            state.hub.serve(set, 0);
            state.hub.peers.retain(|peer| !peer.hung_up);
        }
        state.hub.peers.clear();
    }
}

impl Sender {
    /// Opens a socket of type [`SocketType::Pub`] or [`SocketType::Push`]. Connecting goes on in
    /// the background.
    ///
    /// # Errors
    ///
    /// When the type receives, the endpoint cannot be bound, or there can be no thread.
    pub fn open(kind: SocketType, direction: Direction, endpoint: &Endpoint) -> io::Result<Self> {
        if kind.receives() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let bell = Arc::new(Bell::new()?);
        let hub = Hub::open(kind, &[], usize::MAX, direction, endpoint, bell.clone())?;
        let state = State {
            hub,
            pending: VecDeque::new(),
            pending_octets: 0,
            turn: 0,
            asleep: false,
            wanted: false,
            closing: None,
            ended: false,
            lost: Lost::default(),
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), bell, room: Bell::new()? });
        let of_thread = shared.clone();
        let thread =
            thread::Builder::new().name("zmtp-send".to_owned()).spawn(move || of_thread.run())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Where the socket is bound, with the port the system chose; else what it connects to.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        self.shared.lock().hub.local.clone()
    }

    /// Number of peers that messages can go to.
    #[must_use]
    pub fn peers(&self) -> usize {
        self.shared.lock().hub.ready_peers()
    }

    /// Connections that were given up because of what peers sent.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.shared.lock().hub.faults
    }

    /// Takes a message, in which the caller counts `units`; false when there is no room, see
    /// [`Self::wait`].
    #[must_use]
    pub fn send(&self, message: &[u8], units: u64) -> bool {
        let mut state = self.shared.lock();
        if !state.has_room() {
            return false;
        }
        state.take(Outgoing::new(message, units));
        if state.asleep {
            state.asleep = false;
            self.shared.bell.ring();
        }
        true
    }

    /// Waits until there is room, one of `interrupts` can be read, or `until` has come.
    ///
    /// # Errors
    ///
    /// Those of poll(2).
    pub fn wait(
        &self,
        interrupts: &[BorrowedFd<'_>],
        until: Option<Instant>,
    ) -> io::Result<Waited> {
        self.wait_for(interrupts, until, |state| {
            state.wanted = true;
            state.has_room()
        })
    }

    fn wait_for(
        &self,
        interrupts: &[BorrowedFd<'_>],
        until: Option<Instant>,
        mut is_there: impl FnMut(&mut State) -> bool,
    ) -> io::Result<Waited> {
        const READABLE: Interest = Interest { readable: true, writable: false };
        let mut set = PollSet::new();
        loop {
            self.shared.room.silence();
            if is_there(&mut self.shared.lock()) {
                return Ok(Waited::Activity);
            }
            set.clear();
            for fd in interrupts.iter().copied().chain([self.shared.room.as_fd()]) {
                set.add(fd, READABLE);
            }
            set.wait(until)?;
            if (0..interrupts.len()).any(|position| set.readiness(position).readable) {
                return Ok(Waited::Interrupted);
            }
            if until.is_some_and(|until| until <= Instant::now()) {
                return Ok(Waited::Timeout);
            }
        }
    }

    /// Sends what waits, for at most `linger`, and closes the socket. `gives_up` is asked now and
    /// then whether to end the wait.
    ///
    /// # Errors
    ///
    /// Those of poll(2).
    pub fn close(
        mut self,
        linger: Duration,
        mut gives_up: impl FnMut() -> bool,
    ) -> io::Result<Lost> {
        self.end(Instant::now() + linger);
        loop {
            let soon = Some(Instant::now() + ASKING_INTERVAL);
            let waited = self.wait_for(&[], soon, |state| state.ended)?;
            if waited == Waited::Activity || gives_up() {
                self.join();
                return Ok(self.shared.lock().lost);
            }
        }
    }

    fn end(&self, at: Instant) {
        let mut state = self.shared.lock();
        state.closing = Some(state.closing.map_or(at, |closing| closing.min(at)));
        drop(state);
        self.shared.bell.ring();
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.end(Instant::now());
            // A thread that panicked has told so already.
            let _ = thread.join();
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.join();
    }
}
