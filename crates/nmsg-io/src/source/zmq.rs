use nmsg::Limits;
use nmsg::container::Header;
use nmsg_os::{Latch, Ready};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;
use zmtp::{Receiver, ReceiverSettings, Waited};

use super::message::MessageCutter;
use super::{Event, RawBatch, RawKind, Source};
use crate::Voice;
use crate::address::{ZmqDirection, ZmqEndpoint, ZmqPattern};
use crate::zmq::{Loneliness, Strangers, ZmqOpenError, place};

/// A ZeroMQ socket that containers are received on, whole or in fragments.
///
/// A message that is no container costs itself (`decisions` ZM-2).
#[derive(Debug)]
pub struct ZmqSource {
    name: String,
    receiver: Receiver,
    messages: MessageCutter,
    start: Instant,
    loneliness: Loneliness,
    strangers: Strangers,
}

impl ZmqSource {
    /// Opens an endpoint; it accepts connections unless told otherwise (`decisions` ZM-1).
    ///
    /// # Errors
    ///
    /// When its address makes no sense or cannot be bound.
    pub fn open(
        endpoint: &ZmqEndpoint,
        limits: &Limits,
        voice: Voice,
    ) -> Result<Self, ZmqOpenError> {
        let (direction, at) = place(endpoint, ZmqDirection::Accept)?;
        let settings = ReceiverSettings {
            subscription: (endpoint.pattern == ZmqPattern::PubSub).then(|| b"NMSG".to_vec()),
            largest: Header::LEN + limits.container_body as usize,
        };
        Ok(Self {
            name: endpoint.address.clone(),
            receiver: Receiver::open(&settings, direction, &at)?,
            messages: MessageCutter::new(limits),
            start: Instant::now(),
            loneliness: Loneliness::new(voice.clone(), direction),
            strangers: Strangers::new(voice),
        })
    }
}

impl Source for ZmqSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> RawKind {
        RawKind::Messages
    }

    fn is_network(&self) -> bool {
        true
    }

    fn read(&mut self, batch: &mut RawBatch) -> io::Result<Event> {
        batch.clear();
        let now = self.start.elapsed();
        self.messages.expire(now, batch);
        while !batch.is_full()
            && let Some(part) = self.receiver.next_part()?
        {
            self.messages.take(part.body, None, now, batch);
        }
        self.strangers.note(self.receiver.faults());
        Ok(if batch.pieces.is_empty() { Event::Idle } else { Event::Batch })
    }

    fn wait(&mut self, latches: &[&Latch], until: Option<Instant>) -> io::Result<Ready> {
        self.loneliness.note(self.receiver.peers());
        let expiry = self.messages.next_deadline().map(|deadline| self.start + deadline);
        let until = [until, expiry, self.loneliness.due()].into_iter().flatten().min();
        let interrupts: Vec<BorrowedFd<'_>> = latches.iter().map(|latch| latch.as_fd()).collect();
        Ok(match self.receiver.wait(&interrupts, until)? {
            Waited::Activity => Ready::Descriptor,
            Waited::Interrupted => Ready::Latch,
            Waited::Timeout => Ready::Timeout,
        })
    }

    fn take_rest(&mut self, batch: &mut RawBatch) -> bool {
        batch.clear();
        let now = self.start.elapsed();
        let mut found = false;
        // Senders take these for delivered.
        while !batch.is_full()
            && let Some(part) = self.receiver.next_buffered_part()
        {
            found = true;
            self.messages.take(part.body, None, now, batch);
        }
        found
    }

    fn finish(&mut self, batch: &mut RawBatch) {
        batch.clear();
        self.messages.finish(batch);
        self.strangers.finish(self.receiver.faults());
    }
}
