//! From hashes to rings of queries; open addressing with linear probing.

use super::{Query, count_step};
use crate::list::{Link, NONE};

/// One place of an index: the first of the queries that share something, or nobody.
#[derive(Clone, Copy, Debug)]
struct Place {
    hash: u32,
    first: u32,
}

const VACANT: Place = Place { hash: 0, first: NONE };

/// Places of an index that holds something; a power of two.
pub(super) const LEAST_PLACES: usize = 64;

/// Queries that share something are linked in a ring, oldest first, whose first one is in the index.
#[derive(Debug, Default)]
pub(super) struct Index {
    places: Vec<Place>,
    used: usize,
}

impl Index {
    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.places.len()
    }

    fn mask(&self) -> usize {
        self.places.len() - 1
    }

    /// Finds the place of a hash whose first query `is_same`.
    #[inline]
    pub(super) fn find(&self, hash: u32, is_same: impl Fn(u32) -> bool) -> Option<usize> {
        if self.places.is_empty() {
            return None;
        }
        let mut at = hash as usize & self.mask();
        loop {
            count_step();
            let place = self.places[at];
            if place.first == NONE {
                return None;
            }
            if place.hash == hash && is_same(place.first) {
                return Some(at);
            }
            at = (at + 1) & self.mask();
        }
    }

    /// The oldest query of a place.
    #[inline]
    pub(super) fn first(&self, place: usize) -> u32 {
        self.places[place].first
    }

    /// Appends a query to the ring of a hash whose first query `is_same`, or starts a ring; gives the
    /// first of a ring that was there.
    #[inline]
    pub(super) fn insert(
        &mut self,
        hash: u32,
        is_same: impl Fn(&[Query], u32) -> bool,
        queries: &mut [Query],
        link: impl Fn(&mut Query) -> &mut Link,
        query: u32,
    ) -> Option<u32> {
        if let Some(at) = self.find(hash, |first| is_same(queries, first)) {
            let first = self.places[at].first;
            let last = std::mem::replace(&mut link(&mut queries[first as usize]).previous, query);
            link(&mut queries[last as usize]).next = query;
            *link(&mut queries[query as usize]) = Link { previous: last, next: first };
            return Some(first);
        }
        // At most half full: where nothing is, a search ends at once.
        if (self.used + 1) * 2 > self.places.len() {
            self.grow();
        }
        self.used += 1;
        let at = self.vacancy(hash);
        self.places[at] = Place { hash, first: query };
        *link(&mut queries[query as usize]) = Link { previous: query, next: query };
        None
    }

    fn vacancy(&self, hash: u32) -> usize {
        let mut at = hash as usize & self.mask();
        while self.places[at].first != NONE {
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
            if place.first != NONE {
                let at = self.vacancy(place.hash);
                self.places[at] = place;
            }
        }
    }

    /// Takes a query out of the ring at a place, and gives the place up with the last one.
    #[inline]
    pub(super) fn remove(
        &mut self,
        place: usize,
        queries: &mut [Query],
        link: impl Fn(&mut Query) -> &mut Link,
        query: u32,
    ) {
        let Link { previous, next } = *link(&mut queries[query as usize]);
        if next == query {
            self.vacate(place);
            return;
        }
        link(&mut queries[previous as usize]).next = next;
        link(&mut queries[next as usize]).previous = previous;
        let first = &mut self.places[place].first;
        if *first == query {
            *first = next;
        }
    }

    /// Gives a place up; moves others into the gap.
    fn vacate(&mut self, at: usize) {
        self.used -= 1;
        let mask = self.mask();
        let (mut gap, mut next) = (at, at);
        loop {
            count_step();
            next = (next + 1) & mask;
            let place = self.places[next];
            if place.first == NONE {
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
