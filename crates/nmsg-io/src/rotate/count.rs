use std::num::NonZeroU64;

/// Says when an output has as many payloads as one of its files may have (`decisions` EN-2).
///
/// A full file is not finished at once: its successor starts with the next payload or when nothing has
/// arrived for a while, so that an input of exactly so many payloads leaves no empty file behind. The
/// count goes on over files that are finished for other reasons.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CountTrigger {
    every: NonZeroU64,
    taken: u64,
    next: u64,
}

impl CountTrigger {
    /// Files of so many payloads.
    #[must_use]
    pub fn new(every: NonZeroU64) -> Self {
        Self { every, taken: 0, next: every.get() }
    }

    /// Payloads that still fit in the file.
    #[must_use]
    pub fn room(&self) -> u64 {
        self.next - self.taken
    }

    /// True when the file is full.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.room() == 0
    }

    /// Takes note of payloads, no more than there was room for.
    pub fn take(&mut self, payloads: u64) {
        self.taken += payloads.min(self.room());
    }

    /// Takes note that the full file was finished.
    pub fn finished(&mut self) {
        self.next = self.next.saturating_add(self.every.get());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn en_2_the_count_goes_on_over_other_rotations() {
        let mut trigger = CountTrigger::new(NonZeroU64::new(10).unwrap());
        for (name, taken, room, due) in [
            ("nothing yet", 0, 10, false),
            ("a part", 7, 3, false),
            ("full", 3, 0, true),
            ("no more than fits", 5, 0, true),
        ] {
            trigger.take(taken);
            assert_eq!((trigger.room(), trigger.is_due()), (room, due), "{name}");
        }
        trigger.finished();
        assert_eq!((trigger.room(), trigger.is_due()), (10, false));
    }
}
