use nmsg::container::StoredPayload;
use nmsg::{MsgType, Payload, Timestamp, VendorId};
use std::net::SocketAddr;

use crate::fault::Problem;
use crate::ledger::CaptureAccount;

/// A range of a batch's octets.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// The range from `start` of `len` octets; a batch never holds more than 32 bits can tell.
    #[must_use]
    pub fn new(start: usize, len: usize) -> Self {
        Self { start: start as u32, len: len as u32 }
    }

    /// Where `part`, which must be a piece of `whole`, lies in it.
    #[inline]
    fn of(part: &[u8], whole: &[u8]) -> Self {
        Self::new((part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize), part.len())
    }

    /// Number of octets.
    #[must_use]
    #[inline]
    pub fn len(self) -> usize {
        self.len as usize
    }

    /// True when there are no octets.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    #[inline]
    fn get(self, octets: &[u8]) -> &[u8] {
        let start = self.start as usize;
        octets.get(start..start + self.len as usize).unwrap_or_default()
    }
}

/// One payload of a [`Batch`]: its header, and where its body is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Entry {
    /// When the record was made.
    pub time: Timestamp,
    /// Vendor id.
    pub vendor: VendorId,
    /// Message type within the vendor.
    pub msgtype: MsgType,
    /// Source id.
    pub source: Option<u32>,
    /// Operator id.
    pub operator: Option<u32>,
    /// Group id.
    pub group: Option<u32>,
    /// The encoded message; `None` when the record carries no payload member.
    pub body: Option<Span>,
    /// Checksum of the body in natural order, where it is known.
    pub crc: Option<u32>,
    /// The whole record as a container holds it, where it is octet for octet what a writer makes.
    pub encoded: Option<Span>,
}

impl Entry {
    /// The entry of a payload that no container holds; its body is elsewhere.
    pub(crate) fn new(header: &Payload<'_>, body: Option<Span>) -> Self {
        Self {
            time: header.time,
            vendor: header.vendor,
            msgtype: header.msgtype,
            source: header.source,
            operator: header.operator,
            group: header.group,
            body,
            crc: None,
            encoded: None,
        }
    }

    /// The payload, of which `octets` hold the body.
    #[must_use]
    #[inline]
    pub(crate) fn payload<'o>(&self, octets: &'o [u8]) -> Payload<'o> {
        Payload {
            vendor: self.vendor,
            msgtype: self.msgtype,
            time: self.time,
            source: self.source,
            operator: self.operator,
            group: self.group,
            body: self.body.map(|span| span.get(octets)),
        }
    }

    /// The entry of a record that was read from a container; `octets` hold its body.
    #[inline]
    pub(crate) fn of(stored: &StoredPayload<'_>, crc: Option<u32>, octets: &[u8]) -> Self {
        let payload = &stored.payload;
        Self {
            time: payload.time,
            vendor: payload.vendor,
            msgtype: payload.msgtype,
            source: payload.source,
            operator: payload.operator,
            group: payload.group,
            body: payload.body.map(|body| Span::of(body, octets)),
            crc,
            encoded: stored.encoded.map(|encoded| Span::of(encoded, octets)),
        }
    }
}

/// The unit of work: payloads in a buffer of their own, ready to be dealt to outputs.
///
/// Made to be used again and again; what was wrong with the input they come from travels with them,
/// so that everything can be reported in order.
#[derive(Debug, Default)]
pub struct Batch {
    /// What the entries' spans point into.
    pub octets: Vec<u8>,
    /// The payloads in order.
    pub entries: Vec<Entry>,
    /// What happened on the way here.
    pub tally: DecodeTally,
    /// What was wrong, in order.
    pub problems: Vec<Problem>,
    /// Containers that arrived as messages, in order, for finding out which did not.
    pub arrivals: Vec<Arrival>,
    /// Octets of input that count as under way until this batch is done with.
    pub(crate) charge: usize,
    /// What became of captured frames up to here.
    pub capture: Option<Box<CaptureAccount>>,
}

/// What a container that arrived as a message says about its place in its sender's stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Arrival {
    /// Who sent it; `None` where senders cannot be told apart.
    pub peer: Option<SocketAddr>,
    /// Random id of the sender's stream.
    pub sequence_id: Option<u64>,
    /// Number of the container in the stream.
    pub sequence: Option<u32>,
}

/// Numbers about the input that a batch was made of.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DecodeTally {
    /// Octets of the input.
    pub octets: u64,
    /// Containers, fragmented ones counted when complete.
    pub containers: u64,
    /// Payloads that the selection or the condition left out.
    pub filtered: u64,
    /// Payloads with a wrong checksum.
    pub mismatched: u64,
    /// Octets of the input that could not be delivered.
    pub damaged_octets: u64,
}

/// Memory that a recycled batch may keep, in octets.
const KEPT: usize = 4 << 20;

impl Batch {
    /// Forgets everything; the memory is kept, within limits.
    pub fn clear(&mut self) {
        self.octets.clear();
        self.octets.shrink_to(KEPT);
        self.entries.clear();
        self.entries.shrink_to(KEPT / size_of::<Entry>());
        self.tally = DecodeTally::default();
        self.problems.clear();
        self.arrivals.clear();
        self.charge = 0;
        self.capture = None;
    }

    /// The payload of one entry.
    #[must_use]
    #[inline]
    pub fn payload(&self, entry: &Entry) -> Payload<'_> {
        entry.payload(&self.octets)
    }

    /// The payload of one entry as it stood in a container.
    #[must_use]
    #[inline]
    pub(crate) fn stored(&self, entry: &Entry) -> StoredPayload<'_> {
        StoredPayload {
            payload: self.payload(entry),
            stored_crc: None,
            encoded: entry.encoded.map(|span| span.get(&self.octets)),
        }
    }

    /// Appends a payload; its body is copied in.
    pub fn push(&mut self, payload: &Payload<'_>) {
        let body = payload.body.map(|body| {
            let start = self.octets.len();
            self.octets.extend_from_slice(body);
            Span::new(start, body.len())
        });
        self.push_span(payload, body);
    }

    /// Appends a payload whose body is already part of the octets.
    pub fn push_span(&mut self, header: &Payload<'_>, body: Option<Span>) {
        self.entries.push(Entry::new(header, body));
    }

    /// Keeps the payloads for which `keep` holds, which is given the octets too; problems keep
    /// their place among the payloads that are left. Gives how many have gone.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&mut Entry, &mut Vec<u8>) -> bool) -> u64 {
        let Self { octets, entries, problems, .. } = self;
        let before = entries.len();
        let mut problems = problems.iter_mut().peekable();
        let (mut at, mut kept) = (0, 0);
        entries.retain_mut(|entry| {
            while let Some(problem) = problems.next_if(|problem| problem.position <= at) {
                problem.position = kept;
            }
            let keeps = keep(entry, octets);
            (at, kept) = (at + 1, kept + usize::from(keeps));
            keeps
        });
        problems.for_each(|problem| problem.position = kept);
        (before - kept) as u64
    }

    /// Memory that the batch stands for when many are under way, in octets.
    #[must_use]
    pub(crate) fn weight(&self) -> usize {
        self.octets.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    /// Copies the payloads of a range into a batch of their own, without what was said about them.
    pub(crate) fn copy_of(&self, range: std::ops::Range<usize>) -> Self {
        let mut copy = Self::default();
        for entry in &self.entries[range] {
            copy.push(&self.payload(entry));
            if let Some(last) = copy.entries.last_mut() {
                last.crc = entry.crc;
            }
        }
        copy
    }
}

/// Which payloads of a batch one output gets: every `step`th of a range.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Selection {
    /// Position of the first.
    pub start: usize,
    /// Position behind the last possible one.
    pub end: usize,
    /// Distance from one to the next, at least 1.
    pub step: usize,
}

impl Selection {
    /// Number of payloads.
    #[must_use]
    pub fn len(&self) -> usize {
        self.end.saturating_sub(self.start).div_ceil(self.step)
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start >= self.end
    }

    /// Takes the first `count` payloads out, or all there are.
    #[must_use]
    pub fn split_front(&mut self, count: u64) -> Self {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let reach = count.saturating_mul(self.step);
        let end = self.start.saturating_add(reach).min(self.end);
        let front = Self { end, ..*self };
        self.start = self.start.saturating_add(reach.min(front.len() * self.step));
        front
    }

    /// Takes the first position out.
    #[inline]
    pub fn take_next(&mut self) -> Option<usize> {
        let at = self.start;
        (at < self.end).then(|| {
            self.start += self.step;
            at
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_knows_its_length() {
        for (start, end, step, want) in [
            (0, 0, 1, &[][..]),
            (0, 3, 1, &[0, 1, 2]),
            (1, 5, 3, &[1, 4]),
            (1, 4, 3, &[1]),
            (5, 4, 2, &[]),
        ] {
            let mut selection = Selection { start, end, step };
            assert_eq!(selection.len(), want.len(), "{selection:?}");
            assert_eq!(selection.is_empty(), want.is_empty(), "{selection:?}");
            let mut positions = Vec::new();
            while let Some(position) = selection.take_next() {
                positions.push(position);
            }
            assert_eq!(positions, want);
        }
    }

    #[test]
    fn a_selection_is_split_by_payloads() {
        for (start, end, step) in [(0, 10, 1), (3, 17, 4), (0, 0, 1), (5, 4, 2)] {
            let whole = Selection { start, end, step };
            for count in 0..12 {
                let mut rest = whole;
                let front = rest.split_front(count);
                let mut positions = Vec::new();
                for mut part in [front, rest] {
                    while let Some(position) = part.take_next() {
                        positions.push(position);
                    }
                }
                assert_eq!(front.len() as u64, count.min(whole.len() as u64), "{whole:?} {count}");
                let want: Vec<usize> = (start..end).step_by(step).collect();
                assert_eq!(positions, want, "{whole:?} {count}");
            }
        }
    }

    #[test]
    fn payloads_come_back_as_they_were_pushed() {
        let mut batch = Batch::default();
        let payload = Payload { body: Some(b"one"), group: Some(7), ..Payload::default() };
        let absent = Payload { body: None, ..payload };
        batch.push(&payload);
        batch.push(&absent);
        batch.push(&Payload { body: Some(b""), ..payload });
        let bodies: Vec<_> = batch.entries.iter().map(|entry| batch.payload(entry).body).collect();
        assert_eq!(bodies, [Some(&b"one"[..]), None, Some(b"")]);
        assert_eq!(batch.payload(&batch.entries[0]), payload);
        let copy = batch.copy_of(1..3);
        assert_eq!(copy.payload(&copy.entries[0]), absent);
        assert_eq!(copy.payload(&copy.entries[1]).body, Some(&b""[..]));
        batch.clear();
        assert!(batch.entries.is_empty() && batch.octets.is_empty());
    }
}
