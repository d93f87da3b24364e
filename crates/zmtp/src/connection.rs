//! One connection's protocol, without socket or clock: octets go in, events come out.
//!
//! ```text
//! both sides   greeting (64 octets)   READY command   then messages and commands
//! ```

use crate::error::PeerFault;
use crate::frame::{FrameHeader, put_command, put_message, split_command};
use crate::socket_type::SocketType;
use std::ops::Range;

const GREETING_LEN: usize = 64;
/// Largest frame before a peer is known, and largest that a peer may send which only receives.
const SMALL_FRAME: usize = 64 << 10;
/// Octets of answers that may wait for a peer that does not read them.
const MOST_CONTROL: usize = 64 << 10;
/// Memory that an idle connection keeps, in octets.
const KEPT: usize = 256 << 10;

/// Our greeting: version 3.1, mechanism NULL, not a server.
fn greeting() -> [u8; GREETING_LEN] {
    let mut octets = [0; GREETING_LEN];
    octets[0] = 0xff;
    octets[8] = 1;
    octets[9] = 0x7f;
    (octets[10], octets[11]) = (3, 1);
    octets[12..16].copy_from_slice(b"NULL");
    octets
}

/// What a connection has to say. Ranges are parts of its input, see [`Connection::octets`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Event {
    /// The handshake is complete.
    Ready,
    /// One part of a message.
    Part {
        /// Where its octets are.
        body: Range<usize>,
        /// Whether the message starts with it.
        first: bool,
        /// Whether another part follows.
        more: bool,
    },
    /// The peer wants messages that start so.
    Subscribe(Range<usize>),
    /// The peer takes a subscription back.
    Cancel(Range<usize>),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    Greeting,
    Handshake,
    Traffic,
}

/// The state of one connection.
#[derive(Debug)]
pub(crate) struct Connection {
    kind: SocketType,
    phase: Phase,
    /// Largest part that is accepted, in octets.
    limit: usize,
    input: Vec<u8>,
    /// Octets of the input that were dealt with.
    done: usize,
    /// Greeting, commands and answers that wait to be sent.
    pub(crate) control: Vec<u8>,
    peer_minor: u8,
    inside_message: bool,
}

impl Connection {
    /// A connection that was just made; our greeting waits to be sent.
    pub(crate) fn new(kind: SocketType, limit: usize) -> Self {
        Self {
            kind,
            phase: Phase::Greeting,
            limit: if kind.receives() { limit } else { SMALL_FRAME.min(limit) },
            input: Vec::new(),
            done: 0,
            control: greeting().to_vec(),
            peer_minor: 0,
            inside_message: false,
        }
    }

    /// What our socket does with messages.
    pub(crate) fn kind(&self) -> SocketType {
        self.kind
    }

    /// True once the handshake is complete.
    pub(crate) fn is_ready(&self) -> bool {
        self.phase == Phase::Traffic
    }

    /// Takes octets that arrived. Ranges of earlier events are no longer valid.
    pub(crate) fn push(&mut self, octets: &[u8]) {
        if self.done > 0 {
            self.input.drain(..self.done);
            self.done = 0;
        }
        if self.input.is_empty() {
            self.input.shrink_to(KEPT);
        }
        self.input.extend_from_slice(octets);
    }

    /// Octets that arrived and were not dealt with.
    pub(crate) fn waiting(&self) -> usize {
        self.input.len() - self.done
    }

    /// The octets of a range in an event.
    pub(crate) fn octets(&self, range: Range<usize>) -> &[u8] {
        self.input.get(range).unwrap_or_default()
    }

    /// Asks the peer for messages that start with `prefix`.
    pub(crate) fn subscribe(&mut self, prefix: &[u8]) {
        if self.peer_minor >= 1 {
            put_command("SUBSCRIBE", prefix, &mut self.control);
        } else {
            put_message(&[&[1], prefix].concat(), &mut self.control);
        }
    }

    /// The next event; `None` when octets are missing.
    ///
    /// # Errors
    ///
    /// Those after which the connection is of no use.
    pub(crate) fn advance(&mut self) -> Result<Option<Event>, PeerFault> {
        if self.phase == Phase::Greeting {
            if !self.read_greeting()? {
                return Ok(None);
            }
            self.phase = Phase::Handshake;
            let metadata =
                [&b"\x0bSocket-Type"[..], &(self.kind.name().len() as u32).to_be_bytes()];
            let metadata = [metadata.concat().as_slice(), self.kind.name().as_bytes()].concat();
            put_command("READY", &metadata, &mut self.control);
        }
        loop {
            let limit = if self.is_ready() { self.limit } else { SMALL_FRAME };
            let waiting = self.input.get(self.done..).unwrap_or_default();
            let Some(header) = FrameHeader::parse(waiting, limit)? else { return Ok(None) };
            if waiting.len() < header.len + header.body {
                return Ok(None);
            }
            let start = self.done + header.len;
            let body = start..start + header.body;
            self.done = body.end;
            let event = match (self.phase, header.command) {
                (Phase::Traffic, false) => self.message(body, header.more),
                (Phase::Traffic, true) => self.command(body)?,
                (_, true) => Some(self.handshake(body)?),
                (_, false) => return Err(PeerFault::Protocol),
            };
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    /// Reads the greeting as far as it is there; true when it is complete.
    fn read_greeting(&mut self) -> Result<bool, PeerFault> {
        let at = |position: usize| self.input.get(position).copied();
        let is_old = |major: u8| major < 3;
        if at(0).is_some_and(|octet| octet != 0xff)
            || at(9).is_some_and(|octet| octet != 0x7f)
            || at(10).is_some_and(is_old)
        {
            return Err(PeerFault::NotZmtp);
        }
        let Some(greeting) = self.input.first_chunk::<GREETING_LEN>() else { return Ok(false) };
        let mut mechanism = [0; 20];
        mechanism[..4].copy_from_slice(b"NULL");
        if greeting[12..32] != mechanism {
            return Err(PeerFault::Mechanism);
        }
        // A later major version has to speak 3.1 to a peer that announces it.
        self.peer_minor = if greeting[10] > 3 { 1 } else { greeting[11] };
        self.done = GREETING_LEN;
        Ok(true)
    }

    fn handshake(&mut self, body: Range<usize>) -> Result<Event, PeerFault> {
        match split_command(self.octets(body)) {
            Some((b"READY", metadata)) => {
                let peer = metadata_value(metadata, b"Socket-Type")?;
                if !peer.is_some_and(|peer| self.kind.goes_with(peer)) {
                    return Err(PeerFault::SocketType);
                }
                self.phase = Phase::Traffic;
                Ok(Event::Ready)
            }
            Some((b"ERROR", _)) => Err(PeerFault::Refused),
            _ => Err(PeerFault::Protocol),
        }
    }

    fn message(&mut self, body: Range<usize>, more: bool) -> Option<Event> {
        let first = !std::mem::replace(&mut self.inside_message, more);
        if self.kind.receives() {
            return Some(Event::Part { body, first, more });
        }
        // Before 3.1 subscriptions were messages.
        let is_subscription = self.kind == SocketType::Pub && first && !more;
        let prefix = body.start + 1..body.end;
        match self.octets(body).first() {
            Some(1) if is_subscription => Some(Event::Subscribe(prefix)),
            Some(0) if is_subscription => Some(Event::Cancel(prefix)),
            _ => None,
        }
    }

    fn command(&mut self, body: Range<usize>) -> Result<Option<Event>, PeerFault> {
        let end = body.end;
        let Some((name, data)) = split_command(self.octets(body)) else {
            return Err(PeerFault::Protocol);
        };
        let data = end - data.len()..end;
        match name {
            b"PING" => {
                // Two octets of time to live, which concerns only who waits for an answer.
                let context = self.octets(data).get(2..).ok_or(PeerFault::Protocol)?.to_vec();
                if self.control.len() + context.len() > MOST_CONTROL {
                    return Err(PeerFault::TooMuch);
                }
                put_command("PONG", &context, &mut self.control);
                Ok(None)
            }
            b"SUBSCRIBE" if self.kind == SocketType::Pub => Ok(Some(Event::Subscribe(data))),
            b"CANCEL" if self.kind == SocketType::Pub => Ok(Some(Event::Cancel(data))),
            b"ERROR" => Err(PeerFault::Refused),
            _ => Ok(None),
        }
    }
}

/// The value of one property in the metadata of a READY command; names ignore case.
fn metadata_value<'a>(
    mut metadata: &'a [u8],
    wanted: &[u8],
) -> Result<Option<&'a [u8]>, PeerFault> {
    while !metadata.is_empty() {
        let property = split_command(metadata).and_then(|(name, rest)| {
            let (len, rest) = rest.split_first_chunk()?;
            let len = usize::try_from(u32::from_be_bytes(*len)).ok()?;
            Some((name, rest.split_at_checked(len)?))
        });
        let Some((name, (value, rest))) = property else { return Err(PeerFault::Protocol) };
        if name.eq_ignore_ascii_case(wanted) {
            return Ok(Some(value));
        }
        metadata = rest;
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
