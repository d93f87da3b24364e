//! Reassembly of fragmented datagrams, without a clock of its own.

use crate::Counters;
use crate::list::{Link, List};
use nmsg::Timestamp;
use nmsg::datagram::{Family, FragmentSet, Inserted, IpPacket};
use std::collections::HashMap;

/// What reassembly may hold, and for how long.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReassemblyLimits {
    /// Seconds a datagram may take from the first piece that arrived; whole seconds are compared.
    pub lifetime_seconds: i64,
    /// Datagrams in the making.
    pub max_datagrams: usize,
    /// Memory for their pieces, in octets.
    pub max_octets: usize,
}

impl ReassemblyLimits {
    /// Lifetime of datagrams unless asked otherwise, in seconds (decision DQ-1).
    pub const LIFETIME_SECONDS: i64 = 60;

    /// All pieces must carry the same second: the rule of older releases, for comparisons (DQ-1).
    #[must_use]
    pub fn same_second(self) -> Self {
        Self { lifetime_seconds: 0, ..self }
    }
}

impl Default for ReassemblyLimits {
    fn default() -> Self {
        Self {
            lifetime_seconds: Self::LIFETIME_SECONDS,
            max_datagrams: 16_384,
            max_octets: 64 << 20,
        }
    }
}

/// Buffers of finished datagrams are kept for reuse up to this size, in octets,
const KEPT_OCTETS: usize = 16 << 10;
/// and up to this many.
const KEPT_SETS: usize = 64;

/// What tells the pieces of one datagram from those of others.
///
/// IPv4: addresses, identification, protocol. IPv6: addresses, identification.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Key {
    addresses: [u8; 32],
    id: u32,
    family: Family,
    protocol: u8,
}

impl Key {
    fn of(packet: &IpPacket<'_>, id: u32) -> Self {
        let mut addresses = [0; 32];
        let len = packet.family().address_len();
        addresses[..len].copy_from_slice(packet.source());
        addresses[16..16 + len].copy_from_slice(packet.destination());
        let protocol = match packet.family() {
            Family::V4 => packet.protocol(),
            Family::V6 => 0,
        };
        Self { addresses, id, family: packet.family(), protocol }
    }
}

#[derive(Debug)]
struct Slot {
    key: Key,
    first_arrival: Timestamp,
    fragments: u64,
    set: FragmentSet<Timestamp>,
    age: Link,
}

/// Datagrams in the making.
///
/// Memory is bounded by [`ReassemblyLimits`]; the oldest datagram goes first. All operations take
/// constant time, save that a piece is sorted into its datagram.
#[derive(Debug)]
pub struct Reassembler {
    limits: ReassemblyLimits,
    by_key: HashMap<Key, u32>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_age: List,
    held_octets: usize,
    datagram: Vec<u8>,
    completed: Option<u32>,
}

/// What became of a fragment given to [`Reassembler::push`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pushed {
    /// Kept; pieces are missing.
    Kept,
    /// Equal to a kept piece; ignored.
    Duplicate,
    /// Contradicts other pieces, or not a whole fragment, or its datagram would be too large.
    Invalid,
    /// The datagram is whole: see [`Reassembler::datagram`] and [`Reassembler::packets`].
    Complete,
}

impl Reassembler {
    /// Starts empty.
    #[must_use]
    pub fn new(limits: ReassemblyLimits) -> Self {
        Self {
            limits,
            by_key: HashMap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            by_age: List::EMPTY,
            held_octets: 0,
            datagram: Vec::new(),
            completed: None,
        }
    }

    /// Returns the memory that pieces take, in octets.
    #[must_use]
    pub fn held_octets(&self) -> usize {
        self.held_octets
    }

    /// Adds a fragment that arrived at `time`.
    pub fn push(
        &mut self,
        packet: &IpPacket<'_>,
        time: Timestamp,
        counters: &mut Counters,
    ) -> Pushed {
        self.release_completed();
        let Some(fragment) = packet.fragment() else { return Pushed::Invalid };
        if !packet.is_whole() {
            return Pushed::Invalid;
        }
        let key = Key::of(packet, fragment.id);
        let mut known = self.by_key.get(&key).copied();
        if let Some(at) = known
            && self.is_overdue(at, time)
        {
            counters.expired_fragments += self.remove(at);
            known = None;
        }
        let at = known.unwrap_or_else(|| self.start(key, time));
        let slot = &mut self.slots[at as usize];
        let held_before = slot.set.held_octets();
        let inserted = slot.set.insert(packet, time);
        slot.fragments += 1;
        self.held_octets = self.held_octets + slot.set.held_octets() - held_before;
        let pushed = match inserted {
            Inserted::Kept => Pushed::Kept,
            Inserted::Duplicate => Pushed::Duplicate,
            Inserted::Invalid => Pushed::Invalid,
            Inserted::Complete => self.complete(at),
        };
        self.enforce_limits(counters);
        pushed
    }

    fn complete(&mut self, at: u32) -> Pushed {
        let slot = &mut self.slots[at as usize];
        let whole = slot.set.assemble(&mut self.datagram);
        self.by_key.remove(&slot.key);
        self.by_age.remove(&mut self.slots, |slot| &mut slot.age, at);
        self.completed = Some(at);
        if whole { Pushed::Complete } else { Pushed::Invalid }
    }

    /// Returns the datagram that the last [`Self::push`] completed, from its IP header on.
    #[must_use]
    pub fn datagram(&self) -> &[u8] {
        if self.completed.is_some() { &self.datagram } else { &[] }
    }

    /// Returns the pieces of that datagram in offset order, each with its time of arrival.
    pub fn packets(&self) -> impl Iterator<Item = (Timestamp, &[u8])> {
        let slot = self.completed.and_then(|at| self.slots.get(at as usize));
        slot.into_iter().flat_map(|slot| slot.set.packets())
    }

    /// Drops what is overdue at `now`.
    pub fn expire(&mut self, now: Timestamp, counters: &mut Counters) {
        while let Some(at) = self.by_age.first().filter(|at| self.is_overdue(*at, now)) {
            counters.expired_fragments += self.remove(at);
        }
    }

    /// Returns the second at which the oldest datagram becomes overdue.
    #[must_use]
    pub fn next_deadline(&self) -> Option<i64> {
        let oldest = &self.slots[self.by_age.first()? as usize];
        let lifetime = self.limits.lifetime_seconds;
        Some(oldest.first_arrival.sec.saturating_add(lifetime).saturating_add(1))
    }

    fn is_overdue(&self, at: u32, now: Timestamp) -> bool {
        let first = self.slots[at as usize].first_arrival;
        first.sec.saturating_add(self.limits.lifetime_seconds) < now.sec
    }

    fn start(&mut self, key: Key, first_arrival: Timestamp) -> u32 {
        let at = match self.free.pop() {
            Some(at) => {
                let slot = &mut self.slots[at as usize];
                slot.key = key;
                slot.first_arrival = first_arrival;
                slot.fragments = 0;
                at
            }
            None => {
                let set = FragmentSet::default();
                let age = Link::UNLINKED;
                self.slots.push(Slot { key, first_arrival, fragments: 0, set, age });
                (self.slots.len() - 1) as u32
            }
        };
        self.held_octets += self.slots[at as usize].set.held_octets();
        self.by_age.push(&mut self.slots, |slot| &mut slot.age, at);
        self.by_key.insert(key, at);
        at
    }

    /// Forgets a datagram in the making; returns how many fragments went with it.
    fn remove(&mut self, at: u32) -> u64 {
        self.by_age.remove(&mut self.slots, |slot| &mut slot.age, at);
        self.by_key.remove(&self.slots[at as usize].key);
        self.release(at)
    }

    fn release(&mut self, at: u32) -> u64 {
        let slot = &mut self.slots[at as usize];
        let held = slot.set.held_octets();
        if held > KEPT_OCTETS || self.free.len() >= KEPT_SETS {
            slot.set = FragmentSet::default();
        } else {
            slot.set.clear();
        }
        self.held_octets -= held;
        self.free.push(at);
        slot.fragments
    }

    fn release_completed(&mut self) {
        if let Some(at) = self.completed.take() {
            self.release(at);
        }
    }

    fn enforce_limits(&mut self, counters: &mut Counters) {
        while self.by_key.len() > self.limits.max_datagrams
            || self.held_octets > self.limits.max_octets
        {
            let Some(oldest) = self.by_age.first() else { break };
            counters.evicted_fragments += self.remove(oldest);
        }
    }
}

#[cfg(test)]
mod tests;
