use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// Larger jumps than this are a new start of the sender, not loss, in containers.
const IMPLAUSIBLE_GAP: u32 = 1 << 20;
/// Sources that were silent for longer are forgotten.
const SOURCE_LIFETIME: Duration = Duration::from_secs(120);
/// Sources remembered at the same time; with more, the longest silent ones are forgotten.
const MAX_SOURCES: usize = 1 << 14;
/// How many containers late one may be and still cancel its gap.
const WINDOW: u32 = 64;

/// What the arrival of a container says about those before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Arrival {
    /// It carries no number.
    Unnumbered,
    /// The first of its source: nothing is known about earlier ones.
    First,
    /// The next one.
    InOrder,
    /// This many containers before it are missing.
    Gap(u32),
    /// It was counted as missing before, and is no longer.
    Late,
    /// It was here before.
    Duplicate,
    /// Its number makes no sense: the source is taken to have started anew.
    Reset,
}

/// What is known about one source of containers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SourceState {
    /// Containers received since the source was first seen or started anew.
    pub received: u64,
    /// Containers that are missing since then.
    pub dropped: u64,
    last_seen: Duration,
    highest: u32,
    /// Bit `n` is set when the container `n` before the highest is no longer expected.
    settled: u64,
}

impl SourceState {
    fn new(number: u32, now: Duration) -> Self {
        // Whatever was sent before the first container seen is not expected.
        Self { received: 1, dropped: 0, last_seen: now, highest: number, settled: u64::MAX }
    }

    fn record(&mut self, number: u32, now: Duration) -> Arrival {
        self.received += 1;
        self.last_seen = now;
        let ahead = number.wrapping_sub(self.highest);
        let behind = ahead.wrapping_neg();
        if (1..=IMPLAUSIBLE_GAP + 1).contains(&ahead) {
            self.highest = number;
            self.settled = self.settled.checked_shl(ahead).unwrap_or(0) | 1;
            self.dropped += u64::from(ahead - 1);
            if ahead == 1 { Arrival::InOrder } else { Arrival::Gap(ahead - 1) }
        } else if behind < WINDOW {
            let bit = 1 << behind;
            if self.settled & bit != 0 {
                return Arrival::Duplicate;
            }
            self.settled |= bit;
            self.dropped = self.dropped.saturating_sub(1);
            Arrival::Late
        } else {
            *self = Self::new(number, now);
            self.received = 0;
            Arrival::Reset
        }
    }
}

/// Counts containers that were sent but never came, by their sequence numbers
/// (`container-and-io` §2.4, `decisions` SK-8).
///
/// `K` tells senders apart: the full socket address on UDP inputs, `()` elsewhere. Times are
/// durations since any fixed moment. What a sender lost after its last container that arrived is
/// unknowable and not claimed.
#[derive(Clone, Debug)]
pub struct LossTracker<K> {
    /// Sources seen since the last turn.
    recent: HashMap<(u64, K), SourceState>,
    /// Sources seen between the last two turns, and not since.
    earlier: HashMap<(u64, K), SourceState>,
    turned: Duration,
    received: u64,
    dropped: u64,
}

impl<K> Default for LossTracker<K> {
    fn default() -> Self {
        Self {
            recent: HashMap::new(),
            earlier: HashMap::new(),
            turned: Duration::ZERO,
            received: 0,
            dropped: 0,
        }
    }
}

impl<K: Eq + Hash> LossTracker<K> {
    /// A tracker that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Containers received from all sources.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Containers of all sources that are missing; falls again when one turns up late.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The sources remembered, by sequence id and sender.
    pub fn sources(&self) -> impl Iterator<Item = (&(u64, K), &SourceState)> {
        self.recent.iter().chain(&self.earlier)
    }

    /// Takes note of a complete container with these sequence fields.
    pub fn record(
        &mut self,
        sender: K,
        sequence_id: Option<u64>,
        sequence: Option<u32>,
        now: Duration,
    ) -> Arrival {
        self.received += 1;
        let (Some(id), Some(number)) = (sequence_id, sequence) else {
            return Arrival::Unnumbered;
        };
        self.turn(now);
        let key = (id, sender);
        if let Some(source) = self.recent.get_mut(&key)
            && now.saturating_sub(source.last_seen) <= SOURCE_LIFETIME
        {
            let (before, arrival) = (source.dropped, source.record(number, now));
            self.dropped = self.dropped.wrapping_add(change(before, source, arrival));
            return arrival;
        }
        let known = self.earlier.remove(&key);
        let known = known.filter(|known| now.saturating_sub(known.last_seen) <= SOURCE_LIFETIME);
        let (source, arrival) = match known {
            None => (SourceState::new(number, now), Arrival::First),
            Some(mut source) => {
                let (before, arrival) = (source.dropped, source.record(number, now));
                self.dropped = self.dropped.wrapping_add(change(before, &source, arrival));
                (source, arrival)
            }
        };
        self.recent.insert(key, source);
        arrival
    }

    /// Takes note of several complete containers in a row that have the same sender and id.
    pub fn record_row(
        &mut self,
        sender: K,
        sequence_id: Option<u64>,
        sequences: impl IntoIterator<Item = Option<u32>>,
        now: Duration,
    ) where
        K: Clone,
    {
        let mut sequences = sequences.into_iter().peekable();
        let Some(first) = sequences.next() else { return };
        self.record(sender.clone(), sequence_id, first, now);
        if sequences.peek().is_none() {
            return;
        }
        // The first one has made the source known, unless it has no number.
        let source = match (sequence_id, first) {
            (Some(id), Some(_)) => self.recent.get_mut(&(id, sender.clone())),
            _ => None,
        };
        let Some(source) = source else {
            return sequences.for_each(|sequence| {
                self.record(sender.clone(), sequence_id, sequence, now);
            });
        };
        for sequence in sequences {
            self.received += 1;
            if let Some(number) = sequence {
                let (before, arrival) = (source.dropped, source.record(number, now));
                self.dropped = self.dropped.wrapping_add(change(before, source, arrival));
            }
        }
    }

    /// Forgets what was silent too long; every source is moved at most once per turn.
    fn turn(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.turned);
        if passed > SOURCE_LIFETIME || self.recent.len() >= MAX_SOURCES / 2 {
            self.earlier = std::mem::take(&mut self.recent);
            self.turned = now;
        }
    }
}

/// How the count of missing containers changed, modulo 2⁶⁴.
fn change(before: u64, source: &SourceState, arrival: Arrival) -> u64 {
    // A new start forgets the loss of its source; the total keeps it.
    if arrival == Arrival::Reset { 0 } else { source.dropped.wrapping_sub(before) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn dropped(numbers: &[u32]) -> u64 {
        let mut tracker = LossTracker::new();
        for number in numbers {
            tracker.record((), Some(1), Some(*number), SECOND);
        }
        assert_eq!(tracker.received(), numbers.len() as u64);
        tracker.dropped()
    }

    #[test]
    fn sk_8_what_is_counted_as_missing() {
        let max = u32::MAX;
        for (name, numbers, want) in [
            ("in order", &[0, 1, 2, 3][..], 0),
            ("starts anywhere", &[1000, 1001], 0),
            ("gap of one", &[0, 2], 1),
            ("gap of nine", &[5, 15, 16], 9),
            ("two gaps", &[0, 2, 5], 3),
            ("wraps", &[max - 1, max, 0, 1], 0),
            ("gap over the wrap", &[max - 1, 1], 2),
            ("two swapped", &[0, 1, 3, 2, 4], 0),
            ("late over the wrap", &[max - 1, 0, max, 1], 0),
            ("late one of a larger gap", &[0, 5, 3, 6], 3),
            ("all of a gap, backwards", &[0, 4, 3, 2, 1, 5], 0),
            ("late by 63", &[0, 64, 1], 62),
            ("late by 64 is a new start", &[0, 65, 1, 2], 64),
            ("duplicate", &[0, 1, 1, 2], 0),
            ("duplicate of the first", &[7, 7, 7, 8], 0),
            ("duplicate of a late one", &[0, 3, 1, 1, 1, 4], 1),
            ("older than the first", &[10, 9, 8, 11], 0),
            ("largest plausible gap", &[0, 1_048_577], 1_048_576),
            ("implausible gap", &[0, 1_048_578, 1_048_579], 0),
            ("implausible gap keeps the total", &[0, 2, 5_000_000, 5_000_001], 1),
            ("gap behind a new start", &[0, 5_000_000, 5_000_005], 4),
            ("new start at 0", &[100_000, 0, 1, 3], 1),
        ] {
            assert_eq!(dropped(numbers), want, "{name}");
        }
    }

    #[test]
    fn sk_8_every_order_within_the_window_counts_the_same() {
        let mut state = 1_u64;
        for round in 0..200 {
            let mut numbers: Vec<u32> =
                (0..300_u32).map(|n| n.wrapping_add(u32::MAX - 150)).collect();
            numbers.retain(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                state >> 60 != 0
            });
            // Keep the ends in place: what is before the first or after the last is not counted.
            for block in numbers[1..].chunks_exact_mut(20) {
                for i in (1..block.len()).rev() {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    block.swap(i, (state >> 33) as usize % (i + 1));
                }
            }
            let newest = *numbers.iter().max_by_key(|n| n.wrapping_sub(numbers[0])).unwrap();
            let lost = u64::from(newest.wrapping_sub(numbers[0])) + 1 - numbers.len() as u64;
            assert_eq!(dropped(&numbers), lost, "round {round}");
        }
    }

    #[test]
    fn sk_8_sources_are_told_apart() {
        let mut tracker = LossTracker::new();
        let mut record = |sender, id, number| tracker.record(sender, id, number, SECOND);
        assert_eq!(record("a", Some(1), Some(0)), Arrival::First);
        assert_eq!(record("b", Some(1), Some(10)), Arrival::First);
        assert_eq!(record("a", Some(2), Some(20)), Arrival::First);
        assert_eq!(record("a", Some(1), Some(1)), Arrival::InOrder);
        assert_eq!(record("b", Some(1), Some(13)), Arrival::Gap(2));
        assert_eq!(record("b", Some(1), Some(12)), Arrival::Late);
        assert_eq!(record("b", Some(1), Some(12)), Arrival::Duplicate);
        assert_eq!(record("b", Some(1), Some(4_000_000_000)), Arrival::Reset);
        assert_eq!(record("a", None, Some(9)), Arrival::Unnumbered);
        assert_eq!(record("a", Some(1), None), Arrival::Unnumbered);
        assert_eq!((tracker.received(), tracker.dropped()), (10, 1));
        let state = |id, sender| {
            let mut sources = tracker.sources();
            sources.find(|(key, _)| **key == (id, sender)).map(|(_, state)| *state).unwrap()
        };
        assert_eq!((state(1, "a").received, state(1, "a").dropped), (2, 0));
        assert_eq!((state(1, "b").received, state(1, "b").dropped), (0, 0), "started anew");
    }

    #[test]
    fn sk_8_containers_in_a_row_count_as_one_by_one() {
        let mut state = 3_u32;
        let mut random = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        let (mut single, mut rows) = (LossTracker::new(), LossTracker::new());
        let mut numbers = [0_u32; 3];
        for second in 0..3000 {
            let sender = random(3);
            let id = (random(10) > 0).then_some(u64::from(random(2)));
            let count = random(12);
            let row = (0..count).map(|_| {
                let number = &mut numbers[sender as usize];
                *number = match random(30) {
                    0 => random(u32::MAX),
                    1 => number.wrapping_sub(random(70)),
                    2 => number.wrapping_add(random(5)),
                    _ => number.wrapping_add(1),
                };
                (random(20) > 0).then_some(*number)
            });
            let row: Vec<Option<u32>> = row.collect();
            let now = SECOND * second * (1 + 100 * u32::from(second % 97 == 0));
            for number in &row {
                single.record(sender, id, *number, now);
            }
            rows.record_row(sender, id, row, now);
            assert_eq!((rows.received(), rows.dropped()), (single.received(), single.dropped()));
        }
        let states = |tracker: &LossTracker<u32>| {
            let mut states: Vec<_> = tracker.sources().map(|(key, state)| (*key, *state)).collect();
            states.sort_by_key(|(key, _)| *key);
            states
        };
        assert_eq!(states(&rows), states(&single));
        assert!(rows.dropped() > 100);
    }

    #[test]
    fn sk_8_silent_sources_are_forgotten() {
        for (silence, want) in
            [(119, Arrival::Gap(8)), (120, Arrival::Gap(8)), (121, Arrival::First)]
        {
            for noise in [false, true] {
                let mut tracker = LossTracker::new();
                tracker.record(0, Some(1), Some(1), SECOND * 50);
                for second in 0..if noise { silence } else { 0 } {
                    tracker.record(1, Some(1), Some(second), SECOND * (50 + second));
                }
                let arrival = tracker.record(0, Some(1), Some(10), SECOND * (50 + silence));
                assert_eq!(arrival, want, "{silence} s, noise {noise}");
            }
        }
    }

    #[test]
    fn sk_8_the_number_of_sources_is_bounded() {
        let mut tracker = LossTracker::new();
        for id in 0..200_000 {
            tracker.record(0, Some(1_000_000), Some(id), SECOND);
            assert_eq!(tracker.record(0, Some(u64::from(id)), Some(0), SECOND), Arrival::First);
        }
        assert!(tracker.sources().count() <= MAX_SOURCES);
        assert_eq!(tracker.dropped(), 0, "a source that keeps sending is never forgotten");
    }
}
