use nmsg::Payload;
use nmsg::container::{ContainerBody, EncodedPayload, EncodedRun, StoredPayload};
use std::net::SocketAddr;
use std::ops::Range;

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

/// One payload of a [`Batch`]: where it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    /// Position of its container, or [`MADE`].
    container: u32,
    /// Position in the container, or among the payloads that were made.
    position: u32,
}

/// Stands for a payload that came from no container.
const MADE: u32 = u32::MAX;

/// A payload that came from no container.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Made {
    header: Payload<'static>,
    body: Option<Span>,
}

/// What becomes of a payload of a batch.
pub(crate) enum Fate {
    /// It stays as it is.
    Stays,
    /// It goes.
    Goes,
    /// It is replaced by one with this header and body.
    Replaced(Payload<'static>, Option<Vec<u8>>),
}

impl From<bool> for Fate {
    fn from(stays: bool) -> Self {
        if stays { Self::Stays } else { Self::Goes }
    }
}

/// A decoded container: where its body lies in the octets, and where its payloads in that.
#[derive(Debug, Default)]
struct Indexed {
    body: Range<usize>,
    index: ContainerBody,
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
    entries: Vec<Entry>,
    made: Vec<Made>,
    /// Containers, of which the first few are those of this batch; the others are memory.
    containers: Vec<Indexed>,
    used: usize,
    /// What happened on the way here.
    pub tally: DecodeTally,
    /// What was wrong, in order.
    pub problems: Vec<Problem>,
    /// Containers that arrived as messages, in order, for finding out which did not.
    pub arrivals: Vec<Arrival>,
    /// Receipts of the source, each with the number of payloads in front of it.
    pub receipts: Vec<(usize, u64)>,
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

impl Arrival {
    /// True for two containers of one sender and one stream.
    pub(crate) fn is_of_the_same_stream(&self, other: &Self) -> bool {
        (self.peer, self.sequence_id) == (other.peer, other.sequence_id)
    }
}

/// Numbers about the input that a batch was made of.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DecodeTally {
    /// Octets of the input.
    pub octets: u64,
    /// Records of a broker, usable or not.
    pub records: u64,
    /// Containers, fragmented ones counted when complete.
    pub containers: u64,
    /// Payloads that the selection or the condition left out.
    pub filtered: u64,
    /// Payloads with a wrong checksum.
    pub mismatched: u64,
    /// Octets of the input that could not be delivered.
    pub damaged_octets: u64,
}

/// Memory that a payload takes beside its octets, about.
const PER_PAYLOAD: usize = 32;
/// Memory that a recycled batch may keep, in octets.
const KEPT: usize = 4 << 20;
/// Indexes of containers that a recycled batch may keep, so many of them of large containers.
const CONTAINERS_KEPT: usize = 1024;
const LARGE_KEPT: usize = 8;
/// Payloads of what is a large, and what a small container.
const LARGE: usize = 64 << 10;
const SMALL: usize = 64;

impl Batch {
    /// Forgets everything; the memory is kept, within limits.
    pub fn clear(&mut self) {
        self.octets.clear();
        self.octets.shrink_to(KEPT);
        self.entries.clear();
        self.entries.shrink_to(KEPT / size_of::<Entry>());
        self.made.clear();
        self.made.shrink_to(KEPT / size_of::<Made>());
        self.containers.truncate(CONTAINERS_KEPT);
        for (slot, container) in self.containers.iter_mut().enumerate().take(self.used) {
            if container.index.len() > if slot < LARGE_KEPT { LARGE } else { SMALL } {
                *container = Indexed::default();
            }
        }
        self.used = 0;
        self.tally = DecodeTally::default();
        self.problems.clear();
        self.arrivals.clear();
        self.receipts.clear();
        self.charge = 0;
        self.capture = None;
    }

    /// Number of payloads.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when there are no payloads.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// One payload by its position.
    #[must_use]
    #[inline(always)]
    pub fn payload(&self, position: usize) -> Option<Payload<'_>> {
        self.resolve(*self.entries.get(position)?)
    }

    /// All payloads in order.
    pub fn payloads(&self) -> impl Iterator<Item = Payload<'_>> {
        self.entries.iter().filter_map(|entry| self.resolve(*entry))
    }

    #[inline(always)]
    fn resolve(&self, Entry { container, position }: Entry) -> Option<Payload<'_>> {
        match self.containers.get(container as usize) {
            Some(Indexed { body, index }) => {
                index.payload(position as usize, self.octets.get(body.clone())?)
            }
            None => self.made(position),
        }
    }

    fn made(&self, position: u32) -> Option<Payload<'_>> {
        let made = self.made.get(position as usize)?;
        let body = made.body.map(|span| span.get(&self.octets));
        Some(Payload { body, ..made.header })
    }

    /// One payload for a copy, if that may take it as it stood in its container. A checksum that is
    /// there fits.
    #[must_use]
    #[inline(always)]
    pub(crate) fn encoded(&self, position: usize) -> Option<EncodedPayload<'_>> {
        let Entry { container, position } = *self.entries.get(position)?;
        let Indexed { body, index } = self.containers.get(container as usize)?;
        index.encoded(position as usize, self.octets.get(body.clone())?)
    }

    /// Payloads of one container at the start of a selection, if a copy may take them all at once as they
    /// stood there. Their checksums fit.
    #[must_use]
    #[inline(always)]
    pub(crate) fn run(&self, selection: &Selection) -> Option<EncodedRun<'_>> {
        let Entry { container, position } = *self.entries.get(selection.start)?;
        let Indexed { body, index } = self.containers.get(container as usize)?;
        let start = position as usize;
        let left = selection.end.checked_sub(selection.start)?;
        let end = index.run_end().min(start.checked_add(left)?);
        let last = self.entries.get(selection.start + end.checked_sub(start)?.checked_sub(1)?)?;
        // Entries of containers are in ascending order, so that none is missing in between.
        let is_whole = self.made.is_empty()
            && selection.step == 1
            && *last == Entry { container, position: end as u32 - 1 };
        let octets = self.octets.get(body.clone())?;
        index.run(start..end, octets).filter(|_| is_whole)
    }

    /// One payload as it stood in its container. A checksum that is there fits.
    #[must_use]
    #[inline(always)]
    pub(crate) fn stored(&self, position: usize) -> Option<StoredPayload<'_>> {
        let Entry { container, position } = *self.entries.get(position)?;
        match self.containers.get(container as usize) {
            Some(Indexed { body, index }) => {
                index.get(position as usize, self.octets.get(body.clone())?)
            }
            None => self.made(position).map(|payload| StoredPayload {
                payload,
                stored_crc: None,
                encoded: None,
            }),
        }
    }

    /// Takes the index of a container, whose body lies at `body` of what will be the octets, in
    /// exchange for another; `keep` is asked about each payload by its position, those it refuses
    /// are left out.
    #[inline(always)]
    pub(crate) fn push_container(
        &mut self,
        index: &mut ContainerBody,
        body: Range<usize>,
        mut keep: impl FnMut(&ContainerBody, usize, &mut Self) -> bool,
    ) {
        let container = self.used as u32;
        self.entries.reserve(index.len());
        for position in 0..index.len() {
            if keep(index, position, self) {
                self.entries.push(Entry { container, position: position as u32 });
            }
        }
        self.keep_index(index, body);
    }

    /// As [`Self::push_container`], of all payloads.
    #[inline(always)]
    pub(crate) fn push_whole_container(&mut self, index: &mut ContainerBody, body: Range<usize>) {
        let container = self.used as u32;
        let positions = 0..index.len() as u32;
        self.entries.extend(positions.map(|position| Entry { container, position }));
        self.keep_index(index, body);
    }

    #[inline(always)]
    fn keep_index(&mut self, index: &mut ContainerBody, body: Range<usize>) {
        if self.containers.len() == self.used {
            self.containers.push(Indexed::default());
        }
        let indexed = &mut self.containers[self.used];
        indexed.body = body;
        std::mem::swap(&mut indexed.index, index);
        self.used += 1;
    }

    /// True when no payload comes from a container and the headers of all meet the condition.
    pub(crate) fn all_made(&self, mut holds: impl FnMut(&Payload<'static>) -> bool) -> bool {
        self.used == 0 && self.made.iter().all(|made| holds(&made.header))
    }

    /// Asks `decide` about each payload in order. Problems keep their place among those that stay.
    /// Gives how many have gone.
    pub(crate) fn retain(&mut self, mut decide: impl FnMut(Payload<'_>) -> Fate) -> u64 {
        let mut problems = std::mem::take(&mut self.problems);
        let mut receipts = std::mem::take(&mut self.receipts);
        let mut entries = std::mem::take(&mut self.entries);
        let mut moving = problems.iter_mut().peekable();
        let mut behind = receipts.iter_mut().peekable();
        let (before, mut at, mut kept) = (entries.len(), 0, 0);
        entries.retain_mut(|entry| {
            while let Some(problem) = moving.next_if(|problem| problem.position <= at) {
                problem.position = kept;
            }
            while let Some((position, _)) = behind.next_if(|(position, _)| *position <= at) {
                *position = kept;
            }
            at += 1;
            match self.resolve(*entry).map_or(Fate::Goes, &mut decide) {
                Fate::Stays => {}
                Fate::Goes => return false,
                Fate::Replaced(header, body) => {
                    let body = body.map(|body| self.append(&body));
                    *entry = self.make(&header, body);
                }
            }
            kept += 1;
            true
        });
        moving.for_each(|problem| problem.position = kept);
        behind.for_each(|(position, _)| *position = kept);
        (self.entries, self.problems, self.receipts) = (entries, problems, receipts);
        (before - kept) as u64
    }

    fn append(&mut self, octets: &[u8]) -> Span {
        let start = self.octets.len();
        self.octets.extend_from_slice(octets);
        Span::new(start, octets.len())
    }

    fn make(&mut self, header: &Payload<'_>, body: Option<Span>) -> Entry {
        self.made.push(Made { header: Payload { body: None, ..*header }, body });
        Entry { container: MADE, position: (self.made.len() - 1) as u32 }
    }

    /// Appends a payload; its body is copied in.
    pub fn push(&mut self, payload: &Payload<'_>) {
        let body = payload.body.map(|body| self.append(body));
        self.push_span(payload, body);
    }

    /// Appends a payload whose body is already part of the octets.
    pub fn push_span(&mut self, header: &Payload<'_>, body: Option<Span>) {
        let entry = self.make(header, body);
        self.entries.push(entry);
    }

    /// Memory that the batch needs, in octets, about.
    #[must_use]
    pub(crate) fn size(&self) -> usize {
        self.octets.len() + self.entries.len() * PER_PAYLOAD
    }

    /// Memory that the batch stands for when many are under way, in octets.
    #[must_use]
    pub(crate) fn weight(&self) -> usize {
        self.octets.capacity() + self.entries.capacity() * PER_PAYLOAD
    }

    /// Copies the payloads of a range into a batch of their own, without what was said about them.
    pub(crate) fn copy_of(&self, range: Range<usize>) -> Self {
        let mut copy = Self::default();
        for payload in range.filter_map(|position| self.payload(position)) {
            copy.push(&payload);
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
    fn headers_speak_for_payloads_that_came_from_no_container() {
        let mut batch = Batch::default();
        assert!(batch.all_made(|_| false), "there is none to ask about");
        for source in [5, 6] {
            batch.push(&Payload { source: Some(source), body: Some(b"x"), ..Payload::default() });
        }
        assert!(batch.all_made(|header| header.source >= Some(5)));
        assert!(!batch.all_made(|header| header.source == Some(5)));
        batch.push_whole_container(&mut ContainerBody::new(), 0..0);
        assert!(!batch.all_made(|_| true), "what stands in containers was not asked about");
    }

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
        let bodies: Vec<_> = batch.payloads().map(|payload| payload.body).collect();
        assert_eq!(bodies, [Some(&b"one"[..]), None, Some(b"")]);
        assert_eq!(batch.payload(0), Some(payload));
        let copy = batch.copy_of(1..3);
        assert_eq!(copy.payload(0), Some(absent));
        assert_eq!(copy.payload(1).unwrap().body, Some(&b""[..]));
        batch.clear();
        assert!(batch.is_empty() && batch.octets.is_empty());
    }
}
