mod moderation;

use nmsg::Limits;
use nmsg_os::udp::{BATCH, Datagram, Receiver, buffer_shortfall};
use nmsg_os::{Latch, Ready};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::message::MessageCutter;
use super::{Event, RawBatch, RawKind, RawPiece, Source};
use crate::address::SocketSpec;
use crate::fault::Fault;
use moderation::Moderation;

/// How often the system is asked for drops while nothing arrives.
const DROPS_CHECK: Duration = Duration::from_millis(50);

/// A UDP socket that containers are received on, whole or in fragments.
///
/// A datagram that is no container costs itself (`decisions` SK-1); one without octets is nothing at all.
#[derive(Debug)]
pub struct UdpSource {
    name: String,
    receiver: Receiver,
    messages: MessageCutter,
    start: Instant,
    /// Datagrams that were received and not yet passed on, with their senders.
    left: VecDeque<(SocketAddr, Vec<u8>)>,
    /// Datagrams that the system has dropped, as far as was told.
    dropped: u32,
    /// When that was asked last.
    drops_checked: Duration,
    /// `None` where the receive buffer is too small to let datagrams gather in it.
    moderation: Option<Moderation>,
}

impl UdpSource {
    /// Listens on the first port of an address.
    ///
    /// # Errors
    ///
    /// When the address cannot be looked up or bound.
    pub fn bind(spec: &SocketSpec) -> io::Result<Self> {
        let receiver = Receiver::bind(spec.resolve()?)?;
        Ok(Self::new(spec.to_string(), receiver, &Limits::default()))
    }

    /// Receives from a socket; `name` is for messages.
    #[must_use]
    pub fn new(name: String, receiver: Receiver, limits: &Limits) -> Self {
        let moderation = receiver.buffer_size().ok().and_then(Moderation::new);
        Self {
            name,
            receiver,
            messages: MessageCutter::new(limits),
            start: Instant::now(),
            left: VecDeque::new(),
            dropped: 0,
            drops_checked: Duration::ZERO,
            moderation,
        }
    }

    /// Says what to do about a receive buffer that is smaller than wanted; `None` when it is not.
    #[must_use]
    pub fn buffer_advice(&self) -> Option<String> {
        self.receiver.buffer_size().ok().and_then(buffer_shortfall)
    }

    /// Receives what is there and passes it on; leaves what would take too much memory for later. Gives the
    /// number of messages.
    fn receive(&mut self, now: Duration, batch: &mut RawBatch) -> io::Result<usize> {
        let received = self.receiver.receive(&mut batch.octets)?;
        for Datagram { sender, octets } in self.receiver.datagrams() {
            if batch.inflates_much() {
                let octets = batch.octets.get(octets).unwrap_or_default();
                self.left.push_back((sender, octets.to_vec()));
            } else {
                self.messages.take_within(octets, Some(sender), now, batch);
            }
        }
        Ok(received)
    }

    /// Passes on what was left; true when there was something.
    fn pass_on_left(&mut self, now: Duration, batch: &mut RawBatch) -> bool {
        let before = self.left.len();
        while !batch.inflates_much()
            && let Some((sender, octets)) = self.left.pop_front()
        {
            self.messages.take(&octets, Some(sender), now, batch);
        }
        self.left.len() < before
    }

    /// Tells about datagrams that the system has dropped since the last time.
    fn note_drops(&mut self, batch: &mut RawBatch) {
        let Ok(dropped) = self.receiver.dropped() else { return };
        let more = dropped.wrapping_sub(std::mem::replace(&mut self.dropped, dropped));
        if more > 0 {
            let advice = self.buffer_advice();
            let fault = Fault::Dropped { datagrams: more.into(), advice };
            batch.pieces.push(RawPiece::Fault(fault));
        }
    }
}

impl Source for UdpSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> RawKind {
        RawKind::Messages
    }

    fn is_network(&self) -> bool {
        true
    }

    fn cannot_wait(&self) -> bool {
        true
    }

    fn read(&mut self, batch: &mut RawBatch) -> io::Result<Event> {
        batch.clear();
        let mut now = self.start.elapsed();
        if let Some(pause) = self.moderation.as_mut().and_then(|moderation| moderation.pause(now)) {
            std::thread::sleep(pause);
            now = self.start.elapsed();
        }
        self.messages.expire(now, batch);
        self.pass_on_left(now, batch);
        let (mut received, mut messages) = (BATCH, 0);
        while received == BATCH && !batch.is_full() {
            received = self.receive(now, batch)?;
            messages += received;
        }
        if let Some(moderation) = &mut self.moderation {
            moderation.note(messages, received < BATCH);
        }
        // Nothing is dropped for want of room while nothing waits to be read.
        if messages > 0 || now.saturating_sub(self.drops_checked) >= DROPS_CHECK {
            self.drops_checked = now;
            self.note_drops(batch);
        }
        // Fragments count although they complete nothing yet.
        let is_nothing = batch.pieces.is_empty() && batch.consumed == 0;
        Ok(if is_nothing { Event::Idle } else { Event::Batch })
    }

    fn wait(&mut self, latches: &[&Latch], until: Option<Instant>) -> io::Result<Ready> {
        let expiry = self.messages.next_deadline().map(|deadline| self.start + deadline);
        let until = [until, expiry].into_iter().flatten().min();
        self.receiver.wait(latches, until)
    }

    fn take_rest(&mut self, batch: &mut RawBatch) -> bool {
        batch.clear();
        self.pass_on_left(self.start.elapsed(), batch)
    }

    fn finish(&mut self, batch: &mut RawBatch) {
        batch.clear();
        self.note_drops(batch);
        self.messages.finish(batch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nmsg::container::{Flags, Header};
    use nmsg_os::udp::{Endpoint, Sender};

    /// A datagram that says that it is a compressed container of so many octets.
    fn compressed(inflated: u32, filling: u8) -> Vec<u8> {
        let body = [&inflated.to_be_bytes()[..], &[filling; 600]].concat();
        let header = Header::v2(Flags::ZLIB, body.len() as u32);
        [&header.to_octets()[..], &body].concat()
    }

    fn pair() -> (UdpSource, Sender) {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let receiver = Receiver::bind(Endpoint { address, interface: None }).unwrap();
        let address = receiver.local_address().unwrap();
        let sender = Sender::connect(Endpoint { address, interface: None }, None).unwrap();
        (UdpSource::new("test".to_owned(), receiver, &Limits::default()), sender)
    }

    /// The last octets of the bodies of a batch, in order.
    fn fillings(batch: &RawBatch) -> Vec<u8> {
        let body = |piece: &RawPiece| match piece {
            RawPiece::Message { body, .. } => batch.octets[body.clone()].last().copied(),
            _ => None,
        };
        batch.pieces.iter().filter_map(body).collect()
    }

    #[test]
    fn what_would_inflate_too_much_is_left_for_the_next_batches_in_order() {
        for ends_early in [false, true] {
            let (mut source, sender) = pair();
            for filling in 0..25 {
                sender.send(&compressed(400_000, filling)).unwrap();
                sender.send(b"no container").unwrap();
            }
            let mut batch = RawBatch::default();
            let (mut got, mut faults, mut largest) = (Vec::new(), 0, 0);
            let mut note = |batch: &RawBatch| {
                let some = fillings(batch);
                largest = largest.max(some.len());
                got.extend(some);
                let is_fault = |piece: &&RawPiece| matches!(piece, RawPiece::Fault(_));
                faults += batch.pieces.iter().filter(is_fault).count();
            };
            while source.read(&mut batch).unwrap() == Event::Batch {
                note(&batch);
                if ends_early {
                    // Everything was received by now, except what one call does not give.
                    while source.take_rest(&mut batch) {
                        note(&batch);
                    }
                }
            }
            assert!(!source.take_rest(&mut batch));
            assert_eq!(got, (0..25).collect::<Vec<u8>>());
            assert_eq!(faults, 25);
            assert_eq!(largest, 3, "octets of 1 MiB and a little more at once");
        }
    }
}
