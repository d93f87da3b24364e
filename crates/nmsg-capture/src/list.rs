//! Doubly linked lists through the elements of one slice.
//!
//! Oldest first, constant time to append and to remove anywhere. An element may be in several
//! lists when it has a [`Link`] for each; the caller says which link by a function.

/// No element.
pub(crate) const NONE: u32 = u32::MAX;

/// Place of one element in one list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) previous: u32,
    pub(crate) next: u32,
}

impl Link {
    pub(crate) const UNLINKED: Self = Self { previous: NONE, next: NONE };

    /// True for a link of a ring, which has no ends.
    pub(crate) fn is_linked(self) -> bool {
        self.next != NONE
    }
}

/// Ends of one list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    first: u32,
    last: u32,
}

impl List {
    pub(crate) const EMPTY: Self = Self { first: NONE, last: NONE };

    pub(crate) fn first(self) -> Option<u32> {
        (self.first != NONE).then_some(self.first)
    }

    #[cfg(test)]
    pub(crate) fn is_empty(self) -> bool {
        self.first == NONE
    }

    pub(crate) fn push<T>(&mut self, nodes: &mut [T], link: impl Fn(&mut T) -> &mut Link, at: u32) {
        *link(&mut nodes[at as usize]) = Link { previous: self.last, next: NONE };
        if self.last == NONE {
            self.first = at;
        } else {
            link(&mut nodes[self.last as usize]).next = at;
        }
        self.last = at;
    }

    pub(crate) fn remove<T>(
        &mut self,
        nodes: &mut [T],
        link: impl Fn(&mut T) -> &mut Link,
        at: u32,
    ) {
        let Link { previous, next } =
            std::mem::replace(link(&mut nodes[at as usize]), Link::UNLINKED);
        if previous == NONE {
            self.first = next;
        } else {
            link(&mut nodes[previous as usize]).next = next;
        }
        if next == NONE {
            self.last = previous;
        } else {
            link(&mut nodes[next as usize]).previous = previous;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    fn contents(list: List, nodes: &[Link]) -> Vec<u32> {
        let mut at = list.first;
        let mut seen = Vec::new();
        while at != NONE {
            seen.push(at);
            at = nodes[at as usize].next;
        }
        seen
    }

    proptest! {
        #[test]
        fn behaves_like_a_queue_with_removal(steps in proptest::collection::vec(0_u32..16, 0..60)) {
            let mut nodes = [Link::UNLINKED; 16];
            let mut list = List::EMPTY;
            let mut model = VecDeque::new();
            for at in steps {
                if let Some(place) = model.iter().position(|known| *known == at) {
                    model.remove(place);
                    list.remove(&mut nodes, |link| link, at);
                } else {
                    model.push_back(at);
                    list.push(&mut nodes, |link| link, at);
                }
                prop_assert_eq!(contents(list, &nodes), Vec::from(model.clone()));
                prop_assert_eq!(list.first(), model.front().copied());
                prop_assert_eq!(list.is_empty(), model.is_empty());
            }
        }
    }
}
