use crate::frame::put_message;
use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};
use std::sync::Arc;

/// A message as it goes over the wire.
#[derive(Debug)]
pub(crate) struct Outgoing {
    octets: Vec<u8>,
    /// Where the body starts behind the frame's header.
    body: usize,
    /// What its sender counts in it.
    pub(crate) units: u64,
}

impl Outgoing {
    pub(crate) fn new(body: &[u8], units: u64) -> Arc<Self> {
        let mut octets = Vec::new();
        put_message(body, &mut octets);
        let start = octets.len() - body.len();
        Arc::new(Self { octets, body: start, units })
    }

    /// The message itself.
    pub(crate) fn body(&self) -> &[u8] {
        self.octets.get(self.body..).unwrap_or_default()
    }

    /// Octets on the wire.
    pub(crate) fn len(&self) -> usize {
        self.octets.len()
    }
}

/// What one system call takes at most.
const MOST_PIECES: usize = 64;

/// Messages on their way to one peer.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: VecDeque<Arc<Outgoing>>,
    /// Octets of the first message that are gone already.
    sent: usize,
    octets: usize,
}

impl Outbox {
    pub(crate) fn push(&mut self, message: Arc<Outgoing>) {
        self.octets += message.len();
        self.queue.push_back(message);
    }

    /// Number of messages that are not gone completely.
    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Memory in use, in octets.
    pub(crate) fn octets(&self) -> usize {
        self.octets
    }

    /// True between messages, where a command may be sent.
    pub(crate) fn is_at_boundary(&self) -> bool {
        self.sent == 0
    }

    /// Writes once; gives whether anything was written.
    pub(crate) fn write(&mut self, to: &mut impl Write) -> io::Result<bool> {
        let mut pieces = [IoSlice::new(&[]); MOST_PIECES];
        let mut count = 0;
        for (piece, message) in pieces.iter_mut().zip(&self.queue) {
            let skipped = if count == 0 { self.sent } else { 0 };
            *piece = IoSlice::new(message.octets.get(skipped..).unwrap_or_default());
            count += 1;
        }
        let mut written = to.write_vectored(&pieces[..count])?;
        let any = written > 0;
        while let Some(first) = self.queue.front() {
            let left = first.len() - self.sent;
            if written < left {
                self.sent += written;
                break;
            }
            written -= left;
            self.sent = 0;
            self.octets -= first.len();
            self.queue.pop_front();
        }
        Ok(any)
    }

    /// Takes out what is not gone completely.
    pub(crate) fn take(&mut self) -> VecDeque<Arc<Outgoing>> {
        (self.sent, self.octets) = (0, 0);
        std::mem::take(&mut self.queue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes only so many octets at a time.
    struct Slow(Vec<u8>, usize);

    impl Write for Slow {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            let count = octets.len().min(self.1);
            self.0.extend_from_slice(&octets[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn messages_go_out_whole_whatever_is_taken_at_a_time() {
        for step in 1..12 {
            let mut outbox = Outbox::default();
            let messages = [&b"first"[..], b"", b"third"];
            messages.iter().for_each(|body| outbox.push(Outgoing::new(body, 1)));
            assert_eq!((outbox.len(), outbox.octets()), (3, 16));
            let mut slow = Slow(Vec::new(), step);
            while !outbox.is_empty() {
                assert!(outbox.write(&mut slow).unwrap());
            }
            assert_eq!(slow.0, b"\x00\x05first\x00\x00\x00\x05third", "{step} at a time");
            assert!(outbox.is_at_boundary() && outbox.octets() == 0);
        }
    }

    #[test]
    fn a_message_that_is_half_gone_is_not_delivered() {
        let mut outbox = Outbox::default();
        [&b"first"[..], b"second"].iter().for_each(|body| outbox.push(Outgoing::new(body, 3)));
        let mut slow = Slow(Vec::new(), 9);
        outbox.write(&mut slow).unwrap();
        outbox.write(&mut slow).unwrap();
        assert!(outbox.is_empty() || !outbox.is_at_boundary());
        let mut outbox = Outbox::default();
        outbox.push(Outgoing::new(b"only", 3));
        outbox.write(&mut Slow(Vec::new(), 2)).unwrap();
        assert!(!outbox.is_at_boundary());
        let left = outbox.take();
        assert_eq!(left.iter().map(|message| message.units).sum::<u64>(), 3);
        assert!(outbox.is_empty() && outbox.is_at_boundary() && outbox.octets() == 0);
    }
}
