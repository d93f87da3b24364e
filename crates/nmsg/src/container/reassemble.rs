use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use super::fragment::{Fragment, FragmentFault};
use super::header::Flags;
use crate::error::Error;
use crate::{Limits, crc};

/// How long an incomplete set may wait, from its first fragment (`decisions` FR-5).
pub const FRAGMENT_LIFETIME: Duration = Duration::from_secs(30);

/// What a set costs beside its octets and what its fragments cost, in octets.
const SET_OVERHEAD: usize = 704;
/// What a fragment costs beside its octets, in octets.
const FRAGMENT_OVERHEAD: usize = 48;
/// Sets remembered that were delivered before their empty last piece came.
const EARLY_SETS: usize = 64;

/// What became of the fragments that a [`Reassembler`] was given.
///
/// Every fragment received is delivered, a duplicate, refused, dropped with its set, or pending.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct FragmentCounts {
    /// Fragments that came in, readable or not.
    pub received: u64,
    /// Fragments that ended up in a delivered container.
    pub delivered: u64,
    /// Fragments that were there already.
    pub duplicate: u64,
    /// Fragments that were no readable message.
    pub undecodable: u64,
    /// Fragments with an index beyond the last one.
    pub beyond_last: u64,
    /// Fragments that disagreed with their set about the last index.
    pub other_last: u64,
    /// Fragments that announced more fragments than allowed.
    pub too_many: u64,
    /// Fragments that were dropped with their set, for whatever reason.
    pub dropped_with_set: u64,
    /// Containers that were completed.
    pub sets_completed: u64,
    /// Sets that made way for younger ones.
    pub sets_evicted: u64,
    /// Sets that waited too long.
    pub sets_expired: u64,
    /// Sets with more octets than a container may have.
    pub sets_too_large: u64,
    /// Sets that did not match their checksum.
    pub sets_mismatched: u64,
}

/// A container body put together from fragments.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Assembled {
    /// True when the body is compressed, as the fragment says that completed the set.
    pub is_zlib: bool,
    /// The body: compressed, or an NMSG message.
    pub body: Vec<u8>,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Key<K> {
    id: u32,
    /// 0 when there is none.
    crc: u32,
    sender: K,
}

#[derive(Debug)]
struct Set {
    /// Rank by age, over all sets there ever were.
    serial: u64,
    first_seen: Duration,
    last: u32,
    /// The slices as they came.
    octets: Vec<u8>,
    /// Range of each slice, by its index.
    slices: BTreeMap<u32, (usize, usize)>,
    /// Every slice came right behind the one before it.
    in_order: bool,
}

impl Set {
    fn cost(&self) -> usize {
        SET_OVERHEAD + self.octets.len() + self.slices.len() * FRAGMENT_OVERHEAD
    }

    fn add(&mut self, fragment: &Fragment<'_>) {
        self.in_order &= fragment.current as usize == self.slices.len();
        let start = self.octets.len();
        self.octets.extend_from_slice(fragment.octets);
        self.slices.insert(fragment.current, (start, self.octets.len()));
    }

    /// The octets in the order of the indexes.
    fn join(&mut self) -> &[u8] {
        if !self.in_order {
            let mut joined = Vec::with_capacity(self.octets.len());
            for range in self.slices.values_mut() {
                let start = joined.len();
                joined.extend_from_slice(&self.octets[range.0..range.1]);
                *range = (start, joined.len());
            }
            self.octets = joined;
            // From here on the octets lie in order, until a late slice is appended.
            self.in_order = self.slices.keys().copied().eq(0..self.slices.len() as u32);
        }
        &self.octets
    }
}

/// Puts fragmented containers together, without sockets or a clock of its own
/// (`container-and-io` §1.8, `decisions` FR-1 to FR-7).
///
/// `K` tells senders apart: the full socket address on datagram inputs, `()` elsewhere. Times are
/// durations since any fixed moment.
#[derive(Debug)]
pub struct Reassembler<K> {
    sets: HashMap<Key<K>, Set>,
    by_age: BTreeMap<u64, Key<K>>,
    next_serial: u64,
    pending: usize,
    early: VecDeque<Key<K>>,
    counts: FragmentCounts,
    last_fragment: u32,
    container_body: usize,
    pending_fragments: usize,
}

impl<K: Clone + Eq + Hash> Reassembler<K> {
    /// A reassembler without sets.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            sets: HashMap::new(),
            by_age: BTreeMap::new(),
            next_serial: 0,
            pending: 0,
            early: VecDeque::new(),
            counts: FragmentCounts::default(),
            last_fragment: limits.last_fragment,
            container_body: limits.container_body as usize,
            pending_fragments: limits.pending_fragments,
        }
    }

    /// What became of all fragments so far.
    #[must_use]
    pub fn counts(&self) -> &FragmentCounts {
        &self.counts
    }

    /// Number of incomplete sets.
    #[must_use]
    pub fn pending_sets(&self) -> usize {
        self.sets.len()
    }

    /// Fragments in incomplete sets; walks over all of them.
    #[must_use]
    pub fn pending_fragments(&self) -> u64 {
        self.sets.values().map(|set| set.slices.len() as u64).sum()
    }

    /// Takes the body of a container with the fragment flag. Gives the whole body when it was the
    /// last one missing.
    ///
    /// # Errors
    ///
    /// The fragment is unreadable or contradicts its set, and is dropped; or its set is too large
    /// or does not match its checksum, and the whole set is. All of it is counted.
    pub fn push(
        &mut self,
        sender: K,
        flags: Flags,
        body: &[u8],
        now: Duration,
    ) -> Result<Option<Assembled>, Error> {
        self.counts.received += 1;
        let fragment = Fragment::parse(body).inspect_err(|_| self.counts.undecodable += 1)?;
        if fragment.current > fragment.last {
            self.counts.beyond_last += 1;
            return Err(FragmentFault::BeyondLast.into());
        }
        if fragment.last > self.last_fragment {
            self.counts.too_many += 1;
            return Err(FragmentFault::TooMany.into());
        }
        let key = Key { id: fragment.id, crc: fragment.crc.unwrap_or(0), sender };
        if self.was_delivered_early(&key, &fragment) {
            self.counts.duplicate += 1;
            return Ok(None);
        }
        let set = self.sets.entry(key.clone()).or_insert_with(|| {
            let serial = self.next_serial;
            self.next_serial += 1;
            self.by_age.insert(serial, key.clone());
            self.pending += SET_OVERHEAD;
            Set {
                serial,
                first_seen: now,
                last: fragment.last,
                octets: Vec::new(),
                slices: BTreeMap::new(),
                in_order: true,
            }
        });
        if set.last != fragment.last {
            self.counts.other_last += 1;
            return Err(FragmentFault::OtherLast.into());
        }
        if set.slices.contains_key(&fragment.current) {
            self.counts.duplicate += 1;
            return Ok(None);
        }
        set.add(&fragment);
        self.pending += fragment.octets.len() + FRAGMENT_OVERHEAD;
        if set.octets.len() > self.container_body {
            self.counts.sets_too_large += 1;
            self.drop_set(&key);
            return Err(FragmentFault::TooLarge.into());
        }
        let missing = u64::from(fragment.last) + 1 - set.slices.len() as u64;
        if missing == 0 {
            let octets = set.join();
            let matches = key.crc == 0 || checksum_matches(key.crc, octets);
            return self.finish(&key, flags, matches);
        }
        if missing == 1
            && key.crc != 0
            && !set.slices.contains_key(&fragment.last)
            && checksum_matches(key.crc, set.join())
        {
            self.early.truncate(EARLY_SETS - 1);
            self.early.push_front(key.clone());
            return self.finish(&key, flags, true);
        }
        self.evict();
        if self.sets.contains_key(&key) { Ok(None) } else { Err(FragmentFault::TooLarge.into()) }
    }

    /// True for the empty last piece of a container that did not wait for it (`decisions` FR-2).
    fn was_delivered_early(&mut self, key: &Key<K>, fragment: &Fragment<'_>) -> bool {
        let candidate = fragment.current == fragment.last && fragment.octets.is_empty();
        let found = candidate.then(|| self.early.iter().position(|early| early == key)).flatten();
        found.and_then(|position| self.early.remove(position)).is_some()
    }

    fn take(&mut self, key: &Key<K>) -> Option<Set> {
        let set = self.sets.remove(key)?;
        self.by_age.remove(&set.serial);
        self.pending -= set.cost();
        Some(set)
    }

    fn drop_set(&mut self, key: &Key<K>) {
        if let Some(set) = self.take(key) {
            self.counts.dropped_with_set += set.slices.len() as u64;
        }
    }

    fn finish(
        &mut self,
        key: &Key<K>,
        flags: Flags,
        matches: bool,
    ) -> Result<Option<Assembled>, Error> {
        if !matches {
            self.counts.sets_mismatched += 1;
            self.drop_set(key);
            return Err(FragmentFault::ChecksumMismatch.into());
        }
        Ok(self.take(key).map(|set| {
            self.counts.sets_completed += 1;
            self.counts.delivered += set.slices.len() as u64;
            Assembled { is_zlib: flags.is_zlib(), body: set.octets }
        }))
    }

    /// Drops the oldest sets until what is left may wait.
    fn evict(&mut self) {
        while self.pending > self.pending_fragments
            && let Some((_, key)) = self.by_age.pop_first()
        {
            self.counts.sets_evicted += 1;
            self.drop_set(&key);
        }
    }

    /// When the oldest set will have waited long enough; `None` without sets.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        let (_, key) = self.by_age.first_key_value()?;
        Some(self.sets.get(key)?.first_seen.saturating_add(FRAGMENT_LIFETIME))
    }

    /// Drops the sets whose first fragment came [`FRAGMENT_LIFETIME`] or longer before `now`, and
    /// gives their number. To be called every 30 seconds or more often, also when nothing comes in;
    /// never for files, where sets wait until they are evicted.
    pub fn expire(&mut self, now: Duration) -> u64 {
        let before = self.counts.sets_expired;
        while self.next_deadline().is_some_and(|deadline| deadline <= now)
            && let Some((_, key)) = self.by_age.pop_first()
        {
            self.counts.sets_expired += 1;
            self.drop_set(&key);
        }
        self.counts.sets_expired - before
    }
}

/// True when `stored` is the checksum of `octets`, in either byte order (`decisions` FR-6).
fn checksum_matches(stored: u32, octets: &[u8]) -> bool {
    let calculated = crc::crc32c(octets);
    stored == calculated || stored == calculated.swap_bytes()
}
