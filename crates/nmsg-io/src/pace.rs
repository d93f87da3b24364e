use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use crate::batch::Batch;

/// Slices of a batch that are handed on one after the other, so that a slow pace is an even one.
const SLICES: usize = 10;

/// Holds an input to a rate, on a schedule that starts with its first batch (`decisions` SK-9).
#[derive(Debug)]
pub(crate) struct Pace {
    octets_per_second: NonZeroU64,
    start: Option<Instant>,
    /// Octets that the schedule has allowed for.
    octets: u64,
}

impl Pace {
    pub(crate) fn new(octets_per_second: NonZeroU64) -> Self {
        Self { octets_per_second, start: None, octets: 0 }
    }

    fn due(&self, start: Instant, octets: u64) -> Instant {
        let nanoseconds =
            u128::from(octets) * 1_000_000_000 / u128::from(self.octets_per_second.get());
        // Beyond all schedules: a century.
        let most = Duration::from_secs(100 * 365 * 86_400);
        start + u64::try_from(nanoseconds).map_or(most, Duration::from_nanos).min(most)
    }

    /// Cuts a batch into slices, each with the time at which it is due.
    pub(crate) fn slices(&mut self, batch: &Batch, now: Instant) -> Vec<(Instant, Batch)> {
        let start = *self.start.get_or_insert(now);
        let (before, whole) = (self.octets, batch.tally.octets);
        self.octets += whole;
        let payloads = batch.len();
        let count = payloads.clamp(1, SLICES);
        (0..count)
            .map(|n| {
                let range = payloads * n / count..payloads * (n + 1) / count;
                let due = self.due(start, before + whole * n as u64 / count as u64);
                let mut slice = batch.copy_of(range.clone());
                let last = n + 1 == count;
                let problems = batch.problems.iter().filter(|problem| {
                    range.contains(&problem.position) || last && problem.position >= payloads
                });
                slice.problems.extend(problems.cloned());
                for problem in &mut slice.problems {
                    problem.position -= range.start;
                }
                if n == 0 {
                    slice.tally = batch.tally;
                }
                (due, slice)
            })
            .collect()
    }

    /// When everything handed on so far has taken its time.
    pub(crate) fn settled(&self) -> Option<Instant> {
        self.start.map(|start| self.due(start, self.octets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::DecodeTally;
    use crate::fault::{Fault, Problem};
    use nmsg::Payload;

    fn batch(payloads: usize, octets: u64) -> Batch {
        let mut batch = Batch::default();
        for n in 0..payloads {
            batch.push(&Payload { source: Some(n as u32), ..Payload::default() });
        }
        batch.tally = DecodeTally { octets, ..DecodeTally::default() };
        batch
    }

    #[test]
    fn sk_9_a_schedule_for_containers_of_any_size() {
        let mut pace = Pace::new(NonZeroU64::new(100).unwrap());
        let now = Instant::now();
        assert_eq!(pace.settled(), None);
        let mut due = Vec::new();
        for (payloads, octets) in [(1, 100), (1, 50), (20, 1000), (0, 10)] {
            for (at, slice) in pace.slices(&batch(payloads, octets), now) {
                due.push((at.duration_since(now).as_millis(), slice.len()));
            }
        }
        let mut want = vec![(0, 1), (1000, 1)];
        want.extend((0..10).map(|n| (1500 + 1000 * n, 2)));
        want.push((11_500, 0));
        assert_eq!(due, want);
        assert_eq!(pace.settled().unwrap().duration_since(now).as_millis(), 11_600);
    }

    #[test]
    fn slices_are_the_batch_in_order() {
        let mut whole = batch(25, 1000);
        for position in [0, 3, 24, 25] {
            let fault = Fault::LeftOut { line: position as u64, what: String::new() };
            whole.problems.push(Problem { position, fault });
        }
        let mut pace = Pace::new(NonZeroU64::MIN);
        let (mut sources, mut problems, mut octets) = (Vec::new(), Vec::new(), 0);
        for (_, slice) in pace.slices(&whole, Instant::now()) {
            for problem in &slice.problems {
                let Fault::LeftOut { line, .. } = &problem.fault else { panic!() };
                problems.push((*line, sources.len() + problem.position));
            }
            sources.extend(slice.payloads().map(|payload| payload.source.unwrap()));
            octets += slice.tally.octets;
        }
        assert!(sources.iter().copied().eq(0..25));
        assert_eq!(problems, [(0, 0), (3, 3), (24, 24), (25, 25)]);
        assert_eq!(octets, 1000, "each octet is counted once");
    }
}
