//! Queries that wait for their response.
//!
//! Every query is in two lists: all queries by age, and those with the same addresses, ports and
//! id (its key). Queries that share a key are also in the list of those with the same question.
//! Open-addressing indexes lead to the latter lists, so that no number of equal keys makes anything
//! slower (decision DQ-5); a query alone under its key, the usual case, needs one index only.

use super::header::Question;
use super::keyed_hash::KeyedHash;
use super::message::{PacketBuffer, PacketList};
use crate::list::{Link, List};
use nmsg::Timestamp;
use nmsg::datagram::Family;

/// What a response must share with its query.
#[derive(Clone, Copy, Debug, Eq)]
pub(super) struct Key {
    query_ip: [u8; 16],
    response_ip: [u8; 16],
    family: Family,
    pub(super) query_port: u16,
    pub(super) response_port: u16,
    pub(super) id: u16,
}

impl PartialEq for Key {
    /// As words: octets would be compared by a call.
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.words() == other.words()
    }
}

impl Key {
    pub(super) fn new(
        family: Family,
        query: (&[u8], u16),
        response: (&[u8], u16),
        id: u16,
    ) -> Self {
        Self {
            query_ip: padded(query.0),
            response_ip: padded(response.0),
            family,
            query_port: query.1,
            response_port: response.1,
            id,
        }
    }

    pub(super) fn query_ip(&self) -> &[u8] {
        &self.query_ip[..self.family.address_len()]
    }

    pub(super) fn response_ip(&self) -> &[u8] {
        &self.response_ip[..self.family.address_len()]
    }

    #[inline]
    fn words(&self) -> [u64; 5] {
        let family = match self.family {
            Family::V4 => 0,
            Family::V6 => 1,
        };
        let ports = u64::from(self.query_port) << 16 | u64::from(self.response_port);
        let rest = ports << 32 | u64::from(self.id) << 8 | family;
        let (query, response) =
            (u128::from_le_bytes(self.query_ip), u128::from_le_bytes(self.response_ip));
        let [query, query_high, response, response_high] =
            [query, query >> 64, response, response >> 64].map(|word| word as u64);
        [query, query_high, response, response_high, rest]
    }

    fn hash(&self, hash: &KeyedHash) -> u64 {
        hash.words(self.words())
    }
}

/// The usual lengths go through registers; a copy of variable length would stall the hash.
fn padded(address: &[u8]) -> [u8; 16] {
    match address.first_chunk() {
        Some(v6) => *v6,
        None => {
            let v4 = address.first_chunk().copied().unwrap_or_default();
            u128::from(u32::from_le_bytes(v4)).to_le_bytes()
        }
    }
}

/// A query to be stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewQuery<'a> {
    pub(super) key: Key,
    pub(super) question: Option<Question<'a>>,
    /// Its RD flag; `None` for a query in fragments, which the RD filter lets pass.
    pub(super) recursion_desired: Option<bool>,
    pub(super) packets: PacketList<'a>,
}

/// A stored query.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) key: Key,
    pub(super) recursion_desired: Option<bool>,
    /// Packets, then the question's name.
    buffer: PacketBuffer,
    /// Where the name starts in the buffer, type and class.
    question: Option<(u32, u16, u16)>,
    /// Counts up with every query stored: tells which of two is older.
    sequence: u64,
    key_hash: u64,
    /// Its place in the index by question starts here; `None` while that index does not know it.
    question_hash: Option<u64>,
    by_age: Link,
    by_key: Link,
    by_question: Link,
}

impl Query {
    pub(super) fn question(&self) -> Option<Question<'_>> {
        let (name_at, qtype, qclass) = self.question?;
        let name = self.buffer.octets.get(name_at as usize..).unwrap_or_default();
        Some(Question { name, qtype, qclass })
    }

    pub(super) fn packets(&self) -> PacketList<'_> {
        self.buffer.list()
    }

    /// Time of its first packet.
    pub(super) fn time(&self) -> Timestamp {
        self.packets().metas().first().map_or(Timestamp::default(), |meta| meta.time)
    }
}

/// One place of an index: the queries that share something, or nobody.
#[derive(Clone, Copy, Debug)]
struct Place {
    hash: u64,
    queries: List,
}

/// From hashes to lists of queries; open addressing with linear probing.
#[derive(Debug)]
struct Index {
    places: Vec<Place>,
    used: usize,
}

const VACANT: Place = Place { hash: 0, queries: List::EMPTY };

/// Places of an index that holds something; a power of two.
const LEAST_PLACES: usize = 64;

impl Index {
    fn new() -> Self {
        Self { places: Vec::new(), used: 0 }
    }

    fn mask(&self) -> usize {
        self.places.len() - 1
    }

    /// Finds the place of a hash whose first query `is_same`.
    #[inline]
    fn find(&self, hash: u64, is_same: impl Fn(u32) -> bool) -> Option<usize> {
        if self.places.is_empty() {
            return None;
        }
        let mut at = hash as usize & self.mask();
        loop {
            count_step();
            let place = &self.places[at];
            let first = place.queries.first()?;
            if place.hash == hash && is_same(first) {
                return Some(at);
            }
            at = (at + 1) & self.mask();
        }
    }

    /// Finds the place, or takes a vacant one, whose list the caller must then fill.
    fn find_or_take(&mut self, hash: u64, is_same: impl Fn(u32) -> bool) -> usize {
        if let Some(at) = self.find(hash, is_same) {
            return at;
        }
        // At most half full: where nothing is, a search ends at once.
        if (self.used + 1) * 2 > self.places.len() {
            self.grow();
        }
        self.used += 1;
        let at = self.vacancy(hash);
        self.places[at].hash = hash;
        at
    }

    fn vacancy(&self, hash: u64) -> usize {
        let mut at = hash as usize & self.mask();
        while !self.places[at].queries.is_empty() {
            count_step();
            at = (at + 1) & self.mask();
        }
        at
    }

    #[cold]
    fn grow(&mut self) {
        let len = (self.places.len() * 2).max(LEAST_PLACES);
        let old = std::mem::replace(&mut self.places, vec![VACANT; len]);
        for place in old {
            if !place.queries.is_empty() {
                let at = self.vacancy(place.hash);
                self.places[at] = place;
            }
        }
    }

    /// Takes a query out of the list at a place, and gives the place up with the last one.
    fn remove(
        &mut self,
        place: usize,
        queries: &mut [Query],
        link: impl Fn(&mut Query) -> &mut Link,
        at: u32,
    ) {
        let list = &mut self.places[place].queries;
        list.remove(queries, link, at);
        if list.is_empty() {
            self.vacate(place);
        }
    }

    /// Gives a place up after its list became empty; moves others into the gap.
    fn vacate(&mut self, at: usize) {
        self.used -= 1;
        let mask = self.mask();
        let (mut gap, mut next) = (at, at);
        loop {
            count_step();
            next = (next + 1) & mask;
            let place = self.places[next];
            if place.queries.is_empty() {
                break;
            }
            let home = place.hash as usize & mask;
            // Movable unless its home lies cyclically behind the gap.
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(gap) & mask) {
                self.places[gap] = place;
                gap = next;
            }
        }
        self.places[gap] = VACANT;
    }
}

#[cfg(test)]
thread_local! {
    /// Turns of the loops above: all work of a table that is not constant for each query.
    pub(super) static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Lets tests measure work without a clock.
#[inline(always)]
fn count_step() {
    #[cfg(test)]
    STEPS.set(STEPS.get() + 1);
}

/// Buffers of removed queries are kept for reuse up to this size, in octets.
const KEPT_OCTETS: usize = 2048;

/// Stored queries, oldest first.
#[derive(Debug)]
pub(super) struct QueryTable {
    hash: KeyedHash,
    queries: Vec<Query>,
    free: Vec<u32>,
    by_age: List,
    by_key: Index,
    by_question: Index,
    len: usize,
    held_octets: usize,
    sequence: u64,
}

impl QueryTable {
    pub(super) fn new() -> Self {
        Self {
            hash: KeyedHash::new(),
            queries: Vec::new(),
            free: Vec::new(),
            by_age: List::EMPTY,
            by_key: Index::new(),
            by_question: Index::new(),
            len: 0,
            held_octets: 0,
            sequence: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Memory that the packets of stored queries take, in octets.
    pub(super) fn held_octets(&self) -> usize {
        self.held_octets
    }

    pub(super) fn oldest(&self) -> Option<&Query> {
        Some(self.query(self.by_age.first()?))
    }

    pub(super) fn query(&self, at: u32) -> &Query {
        &self.queries[at as usize]
    }

    fn question_hash(&self, key_hash: u64, question: Option<Question<'_>>) -> u64 {
        match question {
            None => !key_hash,
            Some(Question { name, qtype, qclass }) => {
                let start = key_hash ^ (u64::from(qtype) << 16 | u64::from(qclass));
                self.hash.octets(start, name)
            }
        }
    }

    /// Stores a query behind all others.
    pub(super) fn store(&mut self, new: &NewQuery<'_>) {
        let key_hash = new.key.hash(&self.hash);
        let at = self.allocate(new.key);
        let query = &mut self.queries[at as usize];
        query.recursion_desired = new.recursion_desired;
        query.key_hash = key_hash;
        query.question_hash = None;
        query.sequence = self.sequence;
        query.buffer.extend(new.packets);
        query.question = new.question.map(|Question { name, qtype, qclass }| {
            let name_at = query.buffer.octets.len() as u32;
            query.buffer.octets.extend_from_slice(name);
            (name_at, qtype, qclass)
        });
        self.sequence += 1;
        self.len += 1;
        self.held_octets += query.buffer.held_octets();

        let queries = &mut self.queries;
        self.by_age.push(queries, |query| &mut query.by_age, at);
        let same_key = |first: u32| queries[first as usize].key == new.key;
        let place = self.by_key.find_or_take(key_hash, same_key);
        let list = &mut self.by_key.places[place].queries;
        let first = list.first();
        list.push(queries, |query| &mut query.by_key, at);
        if let Some(first) = first {
            // With company, questions decide; the first may have been alone so far.
            if queries[first as usize].question_hash.is_none() {
                self.index_question(first);
            }
            self.index_question(at);
        }
    }

    /// Enters a query into the index by question.
    fn index_question(&mut self, at: u32) {
        let Query { key, key_hash, .. } = self.queries[at as usize];
        let question = self.queries[at as usize].question();
        let hash = self.question_hash(key_hash, question);
        let queries = &mut self.queries;
        let same = |first: u32| {
            let (first, new) = (&queries[first as usize], &queries[at as usize]);
            first.key == key && first.question() == new.question()
        };
        let place = self.by_question.find_or_take(hash, same);
        queries[at as usize].question_hash = Some(hash);
        self.by_question.places[place].queries.push(queries, |query| &mut query.by_question, at);
    }

    fn allocate(&mut self, key: Key) -> u32 {
        if let Some(at) = self.free.pop() {
            self.queries[at as usize].key = key;
            return at;
        }
        self.queries.push(Query {
            key,
            recursion_desired: None,
            buffer: PacketBuffer::default(),
            question: None,
            sequence: 0,
            key_hash: 0,
            question_hash: None,
            by_age: Link::UNLINKED,
            by_key: Link::UNLINKED,
            by_question: Link::UNLINKED,
        });
        (self.queries.len() - 1) as u32
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
        let key_hash = key.hash(&self.hash);
        let same_key = |first: u32| self.query(first).key == *key;
        let place = self.by_key.find(key_hash, same_key)?;
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
        let first = self.by_key.places[place].queries.first()?;
        let Some(asked) = question else { return Some(first) };
        let alone = self.query(first);
        if alone.question_hash.is_none() {
            let fits = alone.question().map_or(is_error, |question| question == asked);
            return fits.then_some(first);
        }
        let key_hash = alone.key_hash;
        let with = self.first_with(key, key_hash, question);
        let without = if is_error { self.first_with(key, key_hash, None) } else { None };
        match (with, without) {
            (Some(a), Some(b)) if self.query(b).sequence < self.query(a).sequence => Some(b),
            (Some(a), _) => Some(a),
            (None, b) => b,
        }
    }

    fn first_with(&self, key: &Key, key_hash: u64, question: Option<Question<'_>>) -> Option<u32> {
        let same = |first: u32| {
            let first = self.query(first);
            first.key == *key && first.question() == question
        };
        let place = self.by_question.find(self.question_hash(key_hash, question), same)?;
        self.by_question.places[place].queries.first()
    }

    /// Takes the oldest query of all out of all lists. It stays readable until [`Self::release`].
    pub(super) fn take_oldest(&mut self) -> Option<u32> {
        let at = self.by_age.first()?;
        let Query { key, key_hash, .. } = &self.queries[at as usize];
        let same_key = |first: u32| first == at || self.query(first).key == *key;
        let place = self.by_key.find(*key_hash, same_key)?;
        self.unlink_at(at, place);
        Some(at)
    }

    /// Takes a query, whose place in the index by key is known, out of all lists.
    fn unlink_at(&mut self, at: u32, place: usize) {
        let queries = &mut self.queries;
        self.by_age.remove(queries, |query| &mut query.by_age, at);
        self.by_key.remove(place, queries, |query| &mut query.by_key, at);
        let Query { question_hash, ref buffer, .. } = queries[at as usize];
        self.len -= 1;
        self.held_octets -= buffer.held_octets();
        if let Some(hash) = question_hash {
            self.unlink_question(at, hash);
        }
    }

    fn unlink_question(&mut self, at: u32, hash: u64) {
        let queries = &mut self.queries;
        let same = |first: u32| {
            let (found, this) = (&queries[first as usize], &queries[at as usize]);
            first == at || found.key == this.key && found.question() == this.question()
        };
        if let Some(place) = self.by_question.find(hash, same) {
            self.by_question.remove(place, queries, |query| &mut query.by_question, at);
        }
    }

    /// Gives the room of an unlinked query to later ones.
    pub(super) fn release(&mut self, at: u32) {
        let buffer = &mut self.queries[at as usize].buffer;
        if buffer.held_octets() > KEPT_OCTETS {
            *buffer = PacketBuffer::default();
        } else {
            buffer.clear();
        }
        self.free.push(at);
    }
}

#[cfg(test)]
mod tests;
