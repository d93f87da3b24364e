use nmsg_os::{Latch, signal};
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};
use zmtp::{Sender, SocketType};

use super::{Closed, PATIENCE_AFTER_SIGNAL, Put, Sink};
use crate::Voice;
use crate::address::{ZmqDirection, ZmqEndpoint, ZmqPattern};
use crate::zmq::{Loneliness, Strangers, ZmqOpenError, place};

/// How long a closed socket may go on sending (`container-and-io` §2.6).
const LINGER: Duration = Duration::from_secs(1);

/// Sends every container as one message.
///
/// A PUSH socket waits for peers, and tells how much it could not hand over (`decisions` ZM-3, ZM-4);
/// a PUB socket waits for nobody.
#[derive(Debug)]
pub struct ZmqSink {
    sender: Sender,
    voice: Voice,
    loneliness: Option<Loneliness>,
    strangers: Strangers,
    /// Payloads in the next container.
    payloads: u64,
    put: u64,
    not_put: u64,
}

impl ZmqSink {
    /// Opens an endpoint; it connects unless told otherwise (`decisions` ZM-1).
    ///
    /// # Errors
    ///
    /// When its address makes no sense or cannot be bound.
    pub fn open(endpoint: &ZmqEndpoint, voice: Voice) -> Result<Self, ZmqOpenError> {
        let (direction, at) = place(endpoint, ZmqDirection::Connect)?;
        let (kind, waits) = match endpoint.pattern {
            ZmqPattern::PubSub => (SocketType::Pub, false),
            ZmqPattern::PushPull => (SocketType::Push, true),
        };
        Ok(Self {
            sender: Sender::open(kind, direction, &at)?,
            loneliness: waits.then(|| Loneliness::new(voice.clone(), direction)),
            strangers: Strangers::new(voice.clone()),
            voice,
            payloads: 0,
            put: 0,
            not_put: 0,
        })
    }

    /// Waits for room; false when a signal leaves no more time.
    fn wait(&mut self, interrupt: Option<&Latch>) -> io::Result<bool> {
        let lonely = match &mut self.loneliness {
            Some(loneliness) => {
                loneliness.note(self.sender.peers());
                loneliness.due()
            }
            None => None,
        };
        if let Some(waited) = interrupt.and_then(Latch::raised_for) {
            let left = PATIENCE_AFTER_SIGNAL.saturating_sub(waited);
            let waited = self.sender.wait(&[], Some(Instant::now() + left))?;
            return Ok(waited == zmtp::Waited::Activity);
        }
        let interrupts: Vec<_> = interrupt.iter().map(|latch| latch.as_fd()).collect();
        self.sender.wait(&interrupts, lonely)?;
        Ok(true)
    }
}

impl Sink for ZmqSink {
    fn announce(&mut self, payloads: u64) {
        self.payloads = payloads;
    }

    fn put(&mut self, piece: &[u8], interrupt: Option<&Latch>) -> io::Result<Put> {
        while !self.sender.send(piece, self.payloads) {
            if !self.wait(interrupt)? {
                self.not_put += 1;
                return Ok(Put::Dropped);
            }
        }
        self.put += 1;
        self.strangers.note(self.sender.faults());
        Ok(Put::Taken)
    }

    fn close(self: Box<Self>) -> io::Result<Closed> {
        // A second signal that has come already is no reason to wait for another.
        let signals = signal::stop_count().min(1);
        let mut this = *self;
        this.strangers.finish(this.sender.faults());
        let lost = this.sender.close(LINGER, || signal::stop_count() > signals)?;
        let undelivered = lost.undelivered.messages + this.not_put;
        let all = this.put + this.not_put;
        if lost.dropped.messages > 0 {
            let count = lost.dropped.messages;
            this.voice
                .say(format!("{count} containers dropped for subscribers that were too slow"));
        }
        Ok(Closed {
            undelivered: (undelivered > 0)
                .then(|| format!("{undelivered} of {all} containers not handed over to a peer")),
            undelivered_payloads: lost.undelivered.units,
            ..Closed::default()
        })
    }
}
