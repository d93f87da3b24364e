//! Records of a section gathered into RRsets in time linear in their number (`wdns` §5).

use super::{Record, Records};
use crate::name::{self, NameBuf};
use crate::{Class, RrType};
use std::hash::{BuildHasher, RandomState};

/// Up to this many sets are searched one after the other; beyond, a hash table leads.
const LINEAR_SETS: usize = 12;

/// No place in a list.
const NOWHERE: u32 = u32::MAX;

/// The records of one owner, type and class.
#[derive(Clone, Debug)]
pub(super) struct Set {
    hash: u64,
    pub(super) rrtype: RrType,
    pub(super) class: Class,
    /// The smallest time to live, in seconds.
    pub(super) ttl: u32,
    owner_start: u32,
    owner_len: u8,
    first: u32,
    last: u32,
}

/// The place of one record and the next record of its set.
#[derive(Clone, Debug)]
struct Member {
    rdata_at: u32,
    rdata_end: u32,
    next: u32,
}

/// The RRsets of one section, and room that is used again for the next section.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    sets: Vec<Set>,
    members: Vec<Member>,
    /// Owners of the sets as first seen, uncompressed.
    owners: Vec<u8>,
    /// One more than a place in `sets`, or zero, by hash; used beyond [`LINEAR_SETS`] sets.
    slots: Vec<u32>,
    /// Not known to a peer, so it cannot choose owners that collide.
    seed: u64,
    /// Sets looked at so far.
    #[cfg(test)]
    pub(super) probes: usize,
}

impl Groups {
    pub(super) fn new() -> Self {
        Self {
            sets: Vec::new(),
            members: Vec::new(),
            owners: Vec::new(),
            slots: Vec::new(),
            seed: RandomState::new().hash_one(0) | 1,
            #[cfg(test)]
            probes: 0,
        }
    }

    /// Gathers the records of a section; what was gathered before is forgotten.
    pub(super) fn gather(&mut self, records: Records) {
        self.sets.clear();
        self.members.clear();
        self.owners.clear();
        self.slots.clear();
        let mut owner = NameBuf::new();
        let mut folded = NameBuf::new();
        let mut last_pointer = None;
        let mut owner_hash = 0;
        for record in records {
            // Most owners are the same pointer as the one before.
            let pointer = record.owner_pointer();
            if pointer.is_none() || pointer != last_pointer {
                record.owner(&mut owner);
                folded = owner;
                folded.downcase();
                owner_hash = hash(self.seed, folded.as_bytes());
                last_pointer = pointer;
            }
            let set = self.find_or_add(&record, owner.as_bytes(), folded.as_bytes(), owner_hash);
            self.add(set, &record);
        }
    }

    fn find_or_add(&mut self, record: &Record, owner: &[u8], folded: &[u8], hash: u64) -> usize {
        let kind = u64::from(record.rrtype.0) << 16 | u64::from(record.class.0);
        let hash = fold(hash ^ self.seed, kind | 1 << 32);
        let is_same = |groups: &Self, set: &Set| {
            set.hash == hash
                && set.rrtype == record.rrtype
                && set.class == record.class
                && name::eq_ignore_case(groups.owner(set), folded)
        };
        if self.sets.len() <= LINEAR_SETS {
            self.count_probes(self.sets.len());
            if let Some(found) = self.sets.iter().position(|set| is_same(self, set)) {
                return found;
            }
            self.push_set(record, owner, hash);
            if self.sets.len() > LINEAR_SETS {
                self.rebuild_slots();
            }
            return self.sets.len() - 1;
        }
        let mut slot = hash as usize & (self.slots.len() - 1);
        while let Some(place) = (self.slots[slot] as usize).checked_sub(1) {
            self.count_probes(1);
            if is_same(self, &self.sets[place]) {
                return place;
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        self.push_set(record, owner, hash);
        self.slots[slot] = self.sets.len() as u32;
        // At least half of the table stays free.
        if self.sets.len() * 2 > self.slots.len() {
            self.rebuild_slots();
        }
        self.sets.len() - 1
    }

    fn push_set(&mut self, record: &Record, owner: &[u8], hash: u64) {
        let owner_start = self.owners.len() as u32;
        self.owners.extend_from_slice(owner);
        self.sets.push(Set {
            hash,
            rrtype: record.rrtype,
            class: record.class,
            ttl: record.ttl,
            owner_start,
            owner_len: owner.len() as u8,
            first: NOWHERE,
            last: NOWHERE,
        });
    }

    #[cold]
    fn rebuild_slots(&mut self) {
        let len = (self.sets.len() * 4).next_power_of_two();
        self.slots.clear();
        self.slots.resize(len, 0);
        for (place, set) in self.sets.iter().enumerate() {
            let mut slot = set.hash as usize & (len - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (len - 1);
            }
            self.slots[slot] = place as u32 + 1;
        }
    }

    fn add(&mut self, set: usize, record: &Record) {
        let place = self.members.len() as u32;
        self.members.push(Member {
            rdata_at: record.rdata_at as u32,
            rdata_end: record.rdata_end as u32,
            next: NOWHERE,
        });
        let set = &mut self.sets[set];
        set.ttl = set.ttl.min(record.ttl);
        match self.members.get_mut(set.last as usize) {
            Some(last) => last.next = place,
            None => set.first = place,
        }
        set.last = place;
    }

    #[cfg(test)]
    fn count_probes(&mut self, probes: usize) {
        self.probes += probes;
    }

    #[cfg(not(test))]
    #[inline(always)]
    fn count_probes(&self, _: usize) {}

    /// The sets in the order of their first records.
    pub(super) fn sets(&self) -> impl Iterator<Item = &Set> {
        self.sets.iter()
    }

    /// The owner of a set, uncompressed, as its first record spells it.
    pub(super) fn owner(&self, set: &Set) -> &[u8] {
        let start = set.owner_start as usize;
        &self.owners[start..start + usize::from(set.owner_len)]
    }

    /// The places of the record data of a set in the message, in order.
    pub(super) fn members(&self, set: &Set) -> impl Iterator<Item = (usize, usize)> {
        let first = self.members.get(set.first as usize);
        std::iter::successors(first, |member| self.members.get(member.next as usize))
            .map(|member| (member.rdata_at as usize, member.rdata_end as usize))
    }
}

/// Multiplies two halves into each other so that every bit depends on all.
#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b ^ 0x9e37_79b9_7f4a_7c15);
    (product >> 64) as u64 ^ product as u64
}

#[inline]
fn hash(seed: u64, octets: &[u8]) -> u64 {
    let (words, rest) = octets.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let start = fold(seed, octets.len() as u64);
    words
        .iter()
        .chain([&last])
        .fold(start, |state, word| fold(state ^ u64::from_le_bytes(*word), seed.rotate_left(29)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Message, Section};

    /// A message with `count` records of data-less type A, the owner of each made by `owner`.
    fn message(count: u16, owner: impl Fn(u16) -> Vec<u8>) -> Vec<u8> {
        let mut octets = vec![0; 12];
        octets[6..8].copy_from_slice(&count.to_be_bytes());
        for n in 0..count {
            octets.extend(owner(n));
            octets.extend([0, 1, 0, 1, 0, 0, 0, 1, 0, 0]);
        }
        octets
    }

    /// Owners of one length, none equal to another when case is folded.
    fn unequal(n: u16) -> Vec<u8> {
        vec![2, 128 + (n / 128) as u8, 128 + (n % 128) as u8, 0]
    }

    fn probes(octets: &[u8], sets: usize) -> usize {
        let message = Message::parse(octets).unwrap();
        let mut groups = Groups::new();
        groups.gather(message.records(Section::Answer));
        assert_eq!(groups.sets().count(), sets);
        groups.probes
    }

    #[test]
    fn w_12_each_record_is_compared_with_few_sets() {
        // The reference compares each record with all sets: eleven million times.
        assert!(probes(&message(4678, unequal), 4678) < 4 * 4678);
        let equal = |n: u16| [b"\x01a\0", b"\x01A\0"][usize::from(n & 1)].to_vec();
        assert!(probes(&message(4678, equal), 1) <= 4678);
        let hundred = |n: u16| vec![1, n as u8 % 100 + 128, 0];
        assert!(probes(&message(4678, hundred), 100) < 4 * 4678);
    }

    #[test]
    fn the_room_is_used_again_without_growing() {
        let octets = message(500, unequal);
        let message = Message::parse(&octets).unwrap();
        let mut groups = Groups::new();
        groups.gather(message.records(Section::Answer));
        let rooms = |groups: &Groups| {
            [
                groups.sets.capacity(),
                groups.members.capacity(),
                groups.owners.capacity(),
                groups.slots.capacity(),
            ]
        };
        let before = rooms(&groups);
        for _ in 0..3 {
            groups.gather(message.records(Section::Answer));
            assert_eq!(groups.sets().count(), 500);
        }
        assert_eq!(rooms(&groups), before);
    }

    #[test]
    fn owners_that_differ_in_length_case_or_place_hash_apart() {
        let seed = 0x1234_5678_9abc_def1;
        let mut seen = std::collections::HashSet::new();
        for len in 0..40 {
            for octet in [b'a', b'b', 0] {
                let mut octets = vec![b'x'; len];
                assert!(octet != b'a' || seen.insert(hash(seed, &octets)));
                if let Some(last) = octets.last_mut() {
                    *last = octet;
                    assert!(seen.insert(hash(seed, &octets)), "{octets:?}");
                }
            }
        }
        assert_ne!(hash(seed, b"fsi"), hash(seed | 2, b"fsi"));
    }
}
