//! The order in which queries were stored.
//!
//! A queue of small numbers is touched less often, and in fewer cache lines, than the neighbours of
//! a query in a linked list would be.

use crate::list::NONE;
use std::collections::VecDeque;

/// Places that are kept although queries have left them, beside [`SPARSENESS`] for each query.
const FREE_PLACES: usize = 64;
/// Places for each query at most.
const SPARSENESS: usize = 4;

/// Queries by age; one that leaves from the middle leaves an empty place behind.
#[derive(Debug, Default)]
pub(super) struct AgeQueue {
    /// The first place is never empty.
    places: VecDeque<u32>,
    /// Sequence number of the first place.
    start: u64,
    len: usize,
}

impl AgeQueue {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn first(&self) -> Option<u32> {
        self.places.front().copied()
    }

    /// Appends a query; gives its sequence number, which is higher than that of every older one.
    #[inline]
    pub(super) fn push(&mut self, query: u32) -> u64 {
        self.places.push_back(query);
        self.len += 1;
        self.start + self.places.len() as u64 - 1
    }

    /// Takes out the query with a sequence number.
    #[inline]
    pub(super) fn remove(&mut self, sequence: u64) {
        if let Some(place) = self.places.get_mut(sequence.wrapping_sub(self.start) as usize) {
            *place = NONE;
            self.len -= 1;
        }
        while self.places.front() == Some(&NONE) {
            super::count_step();
            self.places.pop_front();
            self.start += 1;
        }
    }

    /// True when so many places are empty that [`Self::compact`] is due.
    #[inline]
    pub(super) fn is_sparse(&self) -> bool {
        self.places.len() > self.len * SPARSENESS + FREE_PLACES
    }

    /// Gives up empty places; tells every query its new sequence number.
    #[cold]
    pub(super) fn compact(&mut self, mut renumber: impl FnMut(u32, u64)) {
        let mut next = self.start;
        self.places.retain(|query| {
            super::count_step();
            let is_taken = *query != NONE;
            if is_taken {
                renumber(*query, next);
                next += 1;
            }
            is_taken
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn behaves_like_a_queue_with_removal(steps in proptest::collection::vec(0_u8..7, 0..2000)) {
            let mut queue = AgeQueue::default();
            let mut sequences = Vec::new();
            let mut model: VecDeque<u32> = VecDeque::new();
            for step in steps {
                if step < 4 || model.is_empty() {
                    let query = sequences.len() as u32;
                    sequences.push(queue.push(query));
                    model.push_back(query);
                } else {
                    let place = [0, model.len() / 2, model.len() - 1][usize::from(step) - 4];
                    let query = model.remove(place).unwrap();
                    queue.remove(sequences[query as usize]);
                }
                if queue.is_sparse() {
                    queue.compact(|query, sequence| sequences[query as usize] = sequence);
                    prop_assert_eq!(queue.places.len(), model.len());
                }
                prop_assert!(queue.places.len() <= model.len() * SPARSENESS + FREE_PLACES);
                prop_assert_eq!((queue.first(), queue.len()), (model.front().copied(), model.len()));
                let kept: Vec<u64> = model.iter().map(|query| sequences[*query as usize]).collect();
                prop_assert!(kept.is_sorted());
            }
        }
    }
}
