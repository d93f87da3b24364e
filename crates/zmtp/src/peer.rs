use crate::connection::{Connection, Event};
use crate::error::PeerFault;
use crate::outbox::Outbox;
use crate::socket_type::SocketType;
use crate::subscriptions::Subscriptions;
use crate::transport::Stream;
use std::io::{self, ErrorKind, Read, Write};
use std::time::Instant;

/// One connection with everything that belongs to it.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) stream: Stream,
    pub(crate) connection: Connection,
    pub(crate) outbox: Outbox,
    pub(crate) subscriptions: Subscriptions,
    /// When an incomplete handshake ends the connection.
    pub(crate) deadline: Instant,
    /// Nothing more will come in.
    pub(crate) hung_up: bool,
    /// The message that is coming in is one that was subscribed to.
    pub(crate) wanted: bool,
}

/// Octets read from one peer before the others have their turn.
const MOST_AT_ONCE: usize = 256 << 10;

impl Peer {
    pub(crate) fn new(stream: Stream, kind: SocketType, limit: usize, deadline: Instant) -> Self {
        Self {
            stream,
            connection: Connection::new(kind, limit),
            outbox: Outbox::default(),
            subscriptions: Subscriptions::default(),
            deadline,
            hung_up: false,
            wanted: false,
        }
    }

    pub(crate) fn has_output(&self) -> bool {
        !self.connection.control.is_empty() || !self.outbox.is_empty()
    }

    /// Reads what is there, up to a limit.
    pub(crate) fn fill(&mut self, scratch: &mut [u8]) {
        let mut total = 0;
        while total < MOST_AT_ONCE && !self.hung_up {
            match self.stream.read(scratch) {
                Ok(0) => self.hung_up = true,
                Ok(count) => {
                    self.connection.push(scratch.get(..count).unwrap_or_default());
                    total += count;
                    if count < scratch.len() {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // A broken connection ends like a closed one.
                Err(_) => self.hung_up = true,
            }
        }
    }

    /// Writes what can be written without waiting.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while self.has_output() {
            let control = &mut self.connection.control;
            let written = if self.outbox.is_at_boundary() && !control.is_empty() {
                self.stream.write(control).map(|count| {
                    control.drain(..count);
                    count > 0
                })
            } else {
                self.outbox.write(&mut self.stream)
            };
            match written {
                Ok(true) => {}
                Ok(false) => return Err(ErrorKind::WriteZero.into()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Deals with everything a peer says that is no part of a message; stops at the first part.
    pub(crate) fn advance(&mut self, prefix: &[u8]) -> Result<Option<Event>, PeerFault> {
        loop {
            match self.connection.advance()? {
                Some(Event::Ready) if self.connection.kind() == SocketType::Sub => {
                    self.connection.subscribe(prefix);
                }
                Some(Event::Ready) => {}
                Some(Event::Subscribe(prefix)) => {
                    self.subscriptions.add(self.connection.octets(prefix))?;
                }
                Some(Event::Cancel(prefix)) => {
                    self.subscriptions.cancel(self.connection.octets(prefix));
                }
                // A publisher may send more than it was asked for.
                Some(Event::Part { body, first, more }) => {
                    if first {
                        self.wanted = self.connection.kind() != SocketType::Sub
                            || self.connection.octets(body.clone()).starts_with(prefix);
                    }
                    if self.wanted {
                        return Ok(Some(Event::Part { body, first, more }));
                    }
                }
                None => return Ok(None),
            }
        }
    }
}
