//! Queries that wait for their response.
//!
//! Every query is in a queue of all queries by age, and in a ring of those with the same addresses,
//! ports and id (its key). Queries that share a key are also in the ring of those with the same
//! question. Open-addressing indexes lead to the rings, so that no number of equal keys makes
//! anything slower (decision DQ-5); a query alone under its key, the usual case, needs one index
//! only.
//!
//! What a query is found and answered with lies in four neighbouring cache lines: its packet too,
//! unless that is long or in fragments.

mod age_queue;
mod index;
mod key;

use super::header::Question;
use super::keyed_hash::KeyedHash;
use super::message::{PacketBuffer, PacketList, PacketMeta};
use crate::list::Link;
use age_queue::AgeQueue;
use index::Index;
use nmsg::Timestamp;

pub(super) use key::Key;

/// A query to be stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewQuery<'a> {
    pub(super) key: Key,
    pub(super) question: Option<Question<'a>>,
    /// Its RD flag; `None` for a query in fragments, which the RD filter lets pass.
    pub(super) recursion_desired: Option<bool>,
    pub(super) packets: PacketList<'a>,
}

/// Octets of a query that are kept beside its key.
const SHORT: usize = 136;

/// A stored query. The order of fields is that in which they are looked at.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Query {
    pub(super) key: Key,
    /// Where it stands in the queue: tells which of two queries is older.
    sequence: u64,
    /// What its place in the index by question has; unless it is in that, `by_question` has no link.
    question_hash: u32,
    by_key: Link,
    by_question: Link,
    /// Where the question's name lies in the octets.
    name_at: u32,
    name_len: u32,
    qtype: u16,
    qclass: u16,
    has_question: bool,
    pub(super) recursion_desired: Option<bool>,
    /// Length and time of the only packet of a short query.
    meta: PacketMeta,
    /// The packets of any other query, then the question's name.
    long: Option<Box<PacketBuffer>>,
    short: [u8; SHORT],
}

impl Query {
    fn octets(&self) -> &[u8] {
        match &self.long {
            Some(long) => &long.octets,
            None => &self.short,
        }
    }

    #[inline]
    pub(super) fn question(&self) -> Option<Question<'_>> {
        if !self.has_question {
            return None;
        }
        let start = self.name_at as usize;
        let name = self.octets().get(start..start + self.name_len as usize).unwrap_or_default();
        Some(Question { name, qtype: self.qtype, qclass: self.qclass })
    }

    #[inline]
    pub(super) fn packets(&self) -> PacketList<'_> {
        match &self.long {
            Some(long) => long.list(),
            None => PacketList::new(&self.short, std::slice::from_ref(&self.meta)),
        }
    }

    /// Time of its first packet.
    #[inline]
    pub(super) fn time(&self) -> Timestamp {
        self.meta.time
    }

    /// Memory that it takes, in octets.
    fn held_octets(&self) -> usize {
        size_of::<Self>() + self.long.as_ref().map_or(0, |long| long.held_octets())
    }

    fn fill(&mut self, new: &NewQuery<'_>) {
        self.recursion_desired = new.recursion_desired;
        self.by_question = Link::UNLINKED;
        self.meta = new.packets.metas().first().copied().unwrap_or_default();
        self.long = None;
        let only = new.packets.only();
        match only {
            Some(packet) if packet.len() <= SHORT => {
                self.short[..packet.len()].copy_from_slice(packet);
                self.meta.len = packet.len() as u32;
            }
            _ => {
                let mut long = Box::<PacketBuffer>::default();
                long.extend(new.packets);
                self.long = Some(long);
            }
        }
        self.has_question = new.question.is_some();
        let Some(Question { name, qtype, qclass }) = new.question else { return };
        (self.qtype, self.qclass) = (qtype, qclass);
        self.name_len = name.len() as u32;
        self.name_at = match only.and_then(|packet| position_in(packet, name)) {
            Some(position) => position as u32,
            None => self.append(name),
        };
    }

    /// Adds a name behind the packets; gives where it lies.
    #[cold]
    fn append(&mut self, name: &[u8]) -> u32 {
        let packet = self.short.get(..self.meta.len as usize).unwrap_or_default();
        let long = self.long.get_or_insert_with(|| {
            let mut long = Box::<PacketBuffer>::default();
            long.push(self.meta.time, packet);
            long
        });
        let name_at = long.octets.len() as u32;
        long.octets.extend_from_slice(name);
        name_at
    }
}

/// Where a part of `whole` starts in it; `None` for octets that lie elsewhere.
fn position_in(whole: &[u8], part: &[u8]) -> Option<usize> {
    let at = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    (at + part.len() <= whole.len()).then_some(at)
}

#[cfg(test)]
thread_local! {
    /// Turns of loops: all work of a table that is not constant for each query.
    pub(super) static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Lets tests measure work without a clock.
#[inline(always)]
fn count_step() {
    #[cfg(test)]
    STEPS.set(STEPS.get() + 1);
}

/// Stored queries, oldest first.
#[derive(Debug)]
pub(super) struct QueryTable {
    hash: KeyedHash,
    queries: Vec<Query>,
    free: Vec<u32>,
    by_age: AgeQueue,
    by_key: Index,
    by_question: Index,
    held_octets: usize,
}

impl QueryTable {
    pub(super) fn new() -> Self {
        Self {
            hash: KeyedHash::new(),
            queries: Vec::new(),
            free: Vec::new(),
            by_age: AgeQueue::default(),
            by_key: Index::default(),
            by_question: Index::default(),
            held_octets: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_age.len()
    }

    /// Memory that stored queries take, in octets.
    pub(super) fn held_octets(&self) -> usize {
        self.held_octets
    }

    #[inline]
    pub(super) fn oldest(&self) -> Option<&Query> {
        Some(self.query(self.by_age.first()?))
    }

    #[inline]
    pub(super) fn query(&self, at: u32) -> &Query {
        &self.queries[at as usize]
    }

    /// The upper half, as places are chosen by the lower bits of it.
    #[inline]
    fn key_hash(&self, key: &Key) -> u32 {
        (key.hash(&self.hash) >> 32) as u32
    }

    fn question_hash(&self, key: &Key, question: Option<Question<'_>>) -> u32 {
        let key_hash = key.hash(&self.hash);
        let hash = match question {
            None => !key_hash,
            Some(Question { name, qtype, qclass }) => {
                let start = key_hash ^ (u64::from(qtype) << 16 | u64::from(qclass));
                self.hash.octets(start, name)
            }
        };
        (hash >> 32) as u32
    }

    /// Stores a query behind all others.
    pub(super) fn store(&mut self, new: &NewQuery<'_>) {
        let key_hash = self.key_hash(&new.key);
        let at = self.allocate(new);
        if self.by_age.is_sparse() {
            self.by_age.compact(|query, sequence| self.queries[query as usize].sequence = sequence);
        }
        let query = &mut self.queries[at as usize];
        query.sequence = self.by_age.push(at);
        self.held_octets += query.held_octets();
        let same_key = |queries: &[Query], first: u32| queries[first as usize].key == new.key;
        let queries = &mut self.queries;
        let first = self.by_key.insert(key_hash, same_key, queries, |query| &mut query.by_key, at);
        if let Some(first) = first {
            // With company, questions decide; the first may have been alone so far.
            if !self.queries[first as usize].by_question.is_linked() {
                self.index_question(first);
            }
            self.index_question(at);
        }
    }

    /// Enters a query into the index by question.
    fn index_question(&mut self, at: u32) {
        let query = &self.queries[at as usize];
        let hash = self.question_hash(&query.key, query.question());
        let same = |queries: &[Query], first: u32| {
            let (first, new) = (&queries[first as usize], &queries[at as usize]);
            first.key == new.key && first.question() == new.question()
        };
        let queries = &mut self.queries;
        queries[at as usize].question_hash = hash;
        self.by_question.insert(hash, same, queries, |query| &mut query.by_question, at);
    }

    fn allocate(&mut self, new: &NewQuery<'_>) -> u32 {
        let at = self.free.pop().unwrap_or_else(|| {
            self.queries.push(Query {
                key: new.key,
                sequence: 0,
                question_hash: 0,
                by_key: Link::UNLINKED,
                by_question: Link::UNLINKED,
                name_at: 0,
                name_len: 0,
                qtype: 0,
                qclass: 0,
                has_question: false,
                recursion_desired: None,
                meta: PacketMeta::default(),
                long: None,
                short: [0; SHORT],
            });
            (self.queries.len() - 1) as u32
        });
        let query = &mut self.queries[at as usize];
        query.key = new.key;
        query.fill(new);
        at
    }

    /// Takes the oldest query that a response answers out of all lists (`capture-and-dnsqr` §3.7).
    /// It stays readable until [`Self::release`].
    ///
    /// With a question on both sides these must be equal, letter case included. Where either lacks
    /// it, only a response that `is_error` answers.
    pub(super) fn take(
        &mut self,
        key: &Key,
        question: Option<Question<'_>>,
        is_error: bool,
    ) -> Option<u32> {
        if question.is_none() && !is_error {
            return None;
        }
        let same_key = |first: u32| self.query(first).key == *key;
        let place = self.by_key.find(self.key_hash(key), same_key)?;
        let at = self.oldest_of(place, key, question, is_error)?;
        self.unlink_at(at, place);
        Some(at)
    }

    /// Finds the oldest query that a response answers among those with its key.
    fn oldest_of(
        &self,
        place: usize,
        key: &Key,
        question: Option<Question<'_>>,
        is_error: bool,
    ) -> Option<u32> {
        let first = self.by_key.first(place);
        let Some(asked) = question else { return Some(first) };
        let alone = self.query(first);
        if !alone.by_question.is_linked() {
            let fits = alone.question().map_or(is_error, |question| question == asked);
            return fits.then_some(first);
        }
        let with = self.first_with(key, question);
        let without = if is_error { self.first_with(key, None) } else { None };
        match (with, without) {
            (Some(a), Some(b)) if self.query(b).sequence < self.query(a).sequence => Some(b),
            (Some(a), _) => Some(a),
            (None, b) => b,
        }
    }

    fn first_with(&self, key: &Key, question: Option<Question<'_>>) -> Option<u32> {
        let same = |first: u32| {
            let first = self.query(first);
            first.key == *key && first.question() == question
        };
        let place = self.by_question.find(self.question_hash(key, question), same)?;
        Some(self.by_question.first(place))
    }

    /// Takes the oldest query of all out of all lists. It stays readable until [`Self::release`].
    pub(super) fn take_oldest(&mut self) -> Option<u32> {
        let at = self.by_age.first()?;
        let key = &self.query(at).key;
        let same_key = |first: u32| first == at || self.query(first).key == *key;
        let place = self.by_key.find(self.key_hash(key), same_key)?;
        self.unlink_at(at, place);
        Some(at)
    }

    /// Takes a query, whose place in the index by key is known, out of all lists.
    fn unlink_at(&mut self, at: u32, place: usize) {
        let queries = &mut self.queries;
        self.by_key.remove(place, queries, |query| &mut query.by_key, at);
        let query = &queries[at as usize];
        self.by_age.remove(query.sequence);
        self.held_octets -= query.held_octets();
        if query.by_question.is_linked() {
            self.unlink_question(at);
        }
    }

    #[cold]
    fn unlink_question(&mut self, at: u32) {
        let queries = &mut self.queries;
        let same = |first: u32| {
            let (found, this) = (&queries[first as usize], &queries[at as usize]);
            first == at || found.key == this.key && found.question() == this.question()
        };
        let hash = queries[at as usize].question_hash;
        if let Some(place) = self.by_question.find(hash, same) {
            self.by_question.remove(place, queries, |query| &mut query.by_question, at);
        }
    }

    /// Gives the room of an unlinked query to later ones.
    pub(super) fn release(&mut self, at: u32) {
        self.queries[at as usize].long = None;
        self.free.push(at);
    }
}

#[cfg(test)]
mod tests;
