use nmsg::Limits;
use nmsg::container::{Assembled, Flags, Header, Reassembler};
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use super::{RawBatch, RawPiece};
use crate::fault::Fault;

/// Cuts what arrives as messages into containers: checks headers, puts fragments together.
///
/// Peers, where they can be told apart, each have fragments of their own.
#[derive(Debug)]
pub(crate) struct MessageCutter {
    reassembler: Reassembler<Option<SocketAddr>>,
    /// Sets that were given up to make room, as far as was told.
    evicted: u64,
}

impl MessageCutter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { reassembler: Reassembler::new(limits), evicted: 0 }
    }

    /// Takes a message; what it is goes to the batch, unless it is a fragment that completes nothing.
    #[inline]
    pub(crate) fn take(
        &mut self,
        message: &[u8],
        peer: Option<SocketAddr>,
        now: Duration,
        batch: &mut RawBatch,
    ) {
        let start = batch.octets.len();
        batch.octets.extend_from_slice(message);
        self.take_within(start..batch.octets.len(), peer, now, batch);
    }

    /// Takes a message that is among the octets of the batch; otherwise as [`Self::take`].
    #[inline]
    pub(crate) fn take_within(
        &mut self,
        message: Range<usize>,
        peer: Option<SocketAddr>,
        now: Duration,
        batch: &mut RawBatch,
    ) {
        if message.is_empty() {
            return;
        }
        batch.consumed += message.len() as u64;
        let octets = batch.octets.get(message.clone()).unwrap_or_default();
        match Header::parse_message(octets) {
            Ok((header, body)) if !header.flags.is_fragment() => {
                let body = message.end - body.len()..message.end;
                batch.push_message_within(header, body, peer);
            }
            Ok((header, body)) => {
                let taken = self.reassembler.push(peer, header.flags, body, now);
                self.took_fragment(taken, message.len(), peer, batch);
            }
            Err(error) => malformed(error, message.len(), batch),
        }
    }

    fn took_fragment(
        &mut self,
        taken: Result<Option<Assembled>, nmsg::Error>,
        len: usize,
        peer: Option<SocketAddr>,
        batch: &mut RawBatch,
    ) {
        match taken {
            Ok(None) => {}
            Ok(Some(whole)) => {
                let flags = if whole.is_zlib { Flags::ZLIB } else { Flags::default() };
                let header = Header::v2(flags, whole.body.len() as u32);
                batch.push_message(header, &whole.body, peer);
            }
            Err(error) => malformed(error, len, batch),
        }
        let evicted = self.reassembler.counts().sets_evicted;
        lost_fragments(evicted - std::mem::replace(&mut self.evicted, evicted), batch);
    }

    /// Gives up what has waited too long.
    pub(crate) fn expire(&mut self, now: Duration, batch: &mut RawBatch) {
        lost_fragments(self.reassembler.expire(now), batch);
    }

    /// When [`Self::expire`] will next have something to do; `None` while nothing waits.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.reassembler.next_deadline()
    }

    /// Nothing more will arrive: tells how many containers are not complete.
    pub(crate) fn finish(&mut self, batch: &mut RawBatch) {
        lost_fragments(self.reassembler.pending_sets() as u64, batch);
    }
}

#[cold]
fn malformed(error: nmsg::Error, octets: usize, batch: &mut RawBatch) {
    batch.skipped += octets as u64;
    batch.pieces.push(RawPiece::Fault(Fault::Malformed(error)));
}

fn lost_fragments(containers: u64, batch: &mut RawBatch) {
    if containers > 0 {
        batch.pieces.push(RawPiece::Fault(Fault::LostFragments { containers }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FaultKind;
    use nmsg::container::{ContainerWriter, WriterSettings};
    use nmsg::{Error, Payload};

    const NOW: Duration = Duration::from_secs(1000);

    /// The messages of a writer with small datagrams, one payload for each of these sizes.
    fn messages(sizes: &[usize]) -> Vec<Vec<u8>> {
        let settings = WriterSettings { buffer: 512, ..WriterSettings::datagram(7, 1) };
        let mut writer = ContainerWriter::new(settings);
        let mut out = Vec::new();
        let mut emit = |octets: &[u8]| {
            out.push(octets.to_vec());
            Ok::<(), Error>(())
        };
        for size in sizes {
            let body = vec![7; *size];
            let payload = Payload { body: Some(&body), ..Payload::default() };
            writer.write(&payload, None, &mut emit).unwrap();
        }
        writer.flush(&mut emit).unwrap();
        out
    }

    fn peer(number: u16) -> Option<SocketAddr> {
        Some(SocketAddr::from(([127, 0, 0, 1], number)))
    }

    fn faults(batch: &RawBatch) -> Vec<FaultKind> {
        let fault = |piece: &RawPiece| match piece {
            RawPiece::Fault(fault) => Some(fault.kind()),
            _ => None,
        };
        batch.pieces.iter().filter_map(fault).collect()
    }

    fn containers(batch: &RawBatch) -> usize {
        batch.pieces.iter().filter(|p| matches!(p, RawPiece::Message { .. })).count()
    }

    #[test]
    fn sk_1_a_malformed_message_costs_itself() {
        let whole = messages(&[10]).remove(0);
        let mut version = whole.clone();
        version[5] = 1;
        let mut long = whole.clone();
        long.push(0);
        for (name, message, want) in [
            ("nothing", &b""[..], None),
            ("short", b"NMSG\0\x02\0\0\0", Some(FaultKind::MalformedHeader)),
            ("magic", b"NMSH\0\x02\0\0\0\0", Some(FaultKind::MalformedHeader)),
            ("version", &version, Some(FaultKind::MalformedHeader)),
            ("too long", &long, Some(FaultKind::MalformedLength)),
            ("too short", &whole[..whole.len() - 1], Some(FaultKind::MalformedLength)),
            (
                "fragment beyond the last",
                b"NMSG\x02\x02\0\0\0\x08\x08\x01\x10\x02\x18\x01\x22\0",
                Some(FaultKind::RefusedFragment),
            ),
            ("no fragment", b"NMSG\x02\x02\0\0\0\x02\x08\x01", Some(FaultKind::MalformedBody)),
        ] {
            let (mut cutter, mut batch) =
                (MessageCutter::new(&Limits::default()), RawBatch::default());
            cutter.take(message, peer(1), NOW, &mut batch);
            cutter.take(&whole, peer(1), NOW, &mut batch);
            assert_eq!(faults(&batch), want.into_iter().collect::<Vec<_>>(), "{name}");
            assert_eq!(containers(&batch), 1, "{name}: the next one arrives");
            assert_eq!(batch.consumed, (message.len() + whole.len()) as u64, "{name}");
            assert_eq!(
                batch.skipped,
                if want.is_some() { message.len() as u64 } else { 0 },
                "{name}"
            );
        }
    }

    #[test]
    fn fr_7_every_peer_has_fragments_of_its_own() {
        let sent = messages(&[2000]);
        let (first, rest) = sent.split_first().unwrap();
        let (mut cutter, mut batch) = (MessageCutter::new(&Limits::default()), RawBatch::default());
        cutter.take(first, peer(1), NOW, &mut batch);
        for fragment in rest {
            cutter.take(fragment, peer(2), NOW, &mut batch);
        }
        assert_eq!(containers(&batch), 0, "pieces of two peers make nothing");
        cutter.take(first, peer(2), NOW, &mut batch);
        assert_eq!(containers(&batch), 1);
        let Some(RawPiece::Message { peer: from, body, header }) = batch.pieces.first() else {
            panic!("a container")
        };
        assert_eq!((*from, body.len()), (peer(2), header.body_len as usize));
        assert!(body.len() > 2000);
        cutter.finish(&mut batch);
        assert_eq!(faults(&batch), [FaultKind::LostFragments]);
    }

    #[test]
    fn fr_5_fragments_expire_without_traffic() {
        let sent = messages(&[2000]);
        let (mut cutter, mut batch) = (MessageCutter::new(&Limits::default()), RawBatch::default());
        assert_eq!(cutter.next_deadline(), None);
        cutter.take(&sent[0], peer(1), NOW, &mut batch);
        let deadline = cutter.next_deadline().unwrap();
        assert!(
            (NOW + Duration::from_secs(30)..=NOW + Duration::from_secs(60)).contains(&deadline)
        );
        cutter.expire(deadline - Duration::from_nanos(1), &mut batch);
        assert_eq!(faults(&batch), []);
        cutter.expire(deadline, &mut batch);
        assert_eq!(faults(&batch), [FaultKind::LostFragments]);
        assert_eq!(cutter.next_deadline(), None);
    }

    #[test]
    fn fr_4_what_is_given_up_for_room_is_told() {
        let limits = Limits::default().with_pending_fragments(4096);
        let (mut cutter, mut batch) = (MessageCutter::new(&limits), RawBatch::default());
        let settings = |seed| WriterSettings { buffer: 512, ..WriterSettings::datagram(7, seed) };
        for seed in 0..20 {
            let mut writer = ContainerWriter::new(settings(seed));
            let payload = Payload { body: Some(&[9; 2000]), ..Payload::default() };
            let mut first = true;
            let mut emit = |octets: &[u8]| {
                if std::mem::take(&mut first) {
                    cutter.take(octets, peer(1), NOW, &mut batch);
                }
                Ok::<(), Error>(())
            };
            writer.write(&payload, None, &mut emit).unwrap();
        }
        let lost = batch.pieces.iter().map(|piece| match piece {
            RawPiece::Fault(fault @ Fault::LostFragments { .. }) => fault.occurrences(),
            _ => 0,
        });
        let lost: u64 = lost.sum();
        assert!((10..20).contains(&lost), "{lost}");
        cutter.finish(&mut batch);
        let rest = match batch.pieces.last() {
            Some(RawPiece::Fault(fault)) => fault.occurrences(),
            _ => 0,
        };
        assert_eq!(lost + rest, 20);
    }
}
