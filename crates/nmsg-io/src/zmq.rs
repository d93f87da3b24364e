//! What ZeroMQ inputs and outputs have in common.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use crate::Voice;
use crate::address::{ZmqDirection, ZmqEndpoint};

/// How long nobody may be there before that is said, once (`decisions` ZM-3).
const PATIENCE: Duration = Duration::from_secs(5);

/// Says once that there is no peer when there has been none for a while.
#[derive(Debug)]
pub(crate) struct Loneliness {
    voice: Voice,
    direction: zmtp::Direction,
    /// When it will be said; `None` once it was, or somebody came.
    due: Option<Instant>,
}

impl Loneliness {
    pub(crate) fn new(voice: Voice, direction: zmtp::Direction) -> Self {
        Self { voice, direction, due: Some(Instant::now() + PATIENCE) }
    }

    /// When to look again.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Looks at the number of peers.
    pub(crate) fn note(&mut self, peers: usize) {
        if peers > 0 {
            self.due = None;
        } else if self.due.is_some_and(|due| due <= Instant::now()) {
            self.due = None;
            self.voice.say(match self.direction {
                zmtp::Direction::Bind => "nobody has connected yet, waiting",
                zmtp::Direction::Connect => "there is nobody to connect to yet, trying again",
            });
        }
    }
}

/// Says that peers did not keep to the protocol: the first at once, all of them at the end.
#[derive(Debug)]
pub(crate) struct Strangers {
    voice: Voice,
    told: u64,
}

impl Strangers {
    pub(crate) fn new(voice: Voice) -> Self {
        Self { voice, told: 0 }
    }

    pub(crate) fn note(&mut self, faults: zmtp::Faults) {
        if let (0, Some(fault)) = (self.told, faults.last) {
            self.told = 1;
            self.voice.say(format!("connection ended: {fault}"));
        }
    }

    pub(crate) fn finish(&mut self, faults: zmtp::Faults) {
        self.note(faults);
        if faults.count > 1 {
            let count = faults.count;
            self.voice.say(format!("{count} connections ended because of what peers sent"));
        }
    }
}

/// Why a ZeroMQ endpoint cannot be opened.
#[derive(Debug)]
pub enum ZmqOpenError {
    /// The address makes no sense.
    Address(zmtp::EndpointError),
    /// The system refuses.
    System(io::Error),
}

impl fmt::Display for ZmqOpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(error) => error.fmt(f),
            Self::System(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ZmqOpenError {}

impl From<zmtp::EndpointError> for ZmqOpenError {
    fn from(error: zmtp::EndpointError) -> Self {
        Self::Address(error)
    }
}

impl From<io::Error> for ZmqOpenError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// The direction of an endpoint, and where it is.
pub(crate) fn place(
    endpoint: &ZmqEndpoint,
    default: ZmqDirection,
) -> Result<(zmtp::Direction, zmtp::Endpoint), ZmqOpenError> {
    let direction = match endpoint.direction.unwrap_or(default) {
        ZmqDirection::Accept => zmtp::Direction::Bind,
        ZmqDirection::Connect => zmtp::Direction::Connect,
    };
    Ok((direction, endpoint.address.parse()?))
}
