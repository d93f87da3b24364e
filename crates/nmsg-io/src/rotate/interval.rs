use std::num::NonZeroU64;
use std::time::Duration;

/// Fires at multiples of an interval since 1970, all of them shifted by a phase (`nmsgtool-cli` §6.3).
///
/// Times are durations since 1970; the clock they are read from may jump.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IntervalClock {
    interval: Duration,
    phase: Duration,
    next: Duration,
}

impl IntervalClock {
    /// Starts at `now`. `phase` is a whole number of seconds below the interval; with it, the first
    /// interval may take up to twice as long.
    #[must_use]
    pub fn new(seconds: NonZeroU64, phase: u64, now: Duration) -> Self {
        let interval = Duration::from_secs(seconds.get());
        let phase = Duration::from_secs(phase % seconds.get());
        let mut clock = Self { interval, phase, next: now };
        clock.next = clock.following(now);
        clock
    }

    /// When the interval is over that is running at `now`, by the rule that is as old as the C tool.
    fn following(&self, now: Duration) -> Duration {
        let window = now.as_secs() - now.as_secs() % self.interval.as_secs();
        Duration::from_secs(window).saturating_add(self.phase).saturating_add(self.interval)
    }

    /// When it fires next.
    #[must_use]
    pub fn next(&self) -> Duration {
        self.next
    }

    /// True once for every interval that is over; intervals that nobody asked about count as one.
    pub fn fires(&mut self, now: Duration) -> bool {
        let fires = now >= self.next;
        let was_set_back = now.saturating_add(self.interval.saturating_mul(2)) < self.next;
        if fires || was_set_back {
            self.next = self.following(now);
        }
        fires
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(seconds: u64, phase: u64, now: f64) -> IntervalClock {
        let seconds = NonZeroU64::new(seconds).unwrap();
        IntervalClock::new(seconds, phase, Duration::from_secs_f64(now))
    }

    #[test]
    fn en_3_intervals_are_aligned_to_the_epoch() {
        for (name, seconds, phase, start, want) in [
            ("a partial first one", 3, 0, 289.3, &[291, 294, 297][..]),
            ("started on the boundary", 3, 0, 291.0, &[294, 297]),
            ("full hours", 3600, 0, 7199.5, &[7200, 10_800]),
            ("a phase", 10, 4, 101.0, &[114, 124]),
            ("a phase that is past", 10, 4, 109.0, &[114, 124]),
            ("the largest phase", 10, 9, 100.0, &[119, 129]),
            ("a phase of a whole interval is none", 10, 10, 100.0, &[110, 120]),
        ] {
            let mut clock = clock(seconds, phase, start);
            for want in want {
                let want = Duration::from_secs(*want);
                assert_eq!(clock.next(), want, "{name}");
                assert!(!clock.fires(want - Duration::from_nanos(1)), "{name}");
                assert!(clock.fires(want), "{name}");
                assert!(!clock.fires(want), "{name}: once");
            }
        }
    }

    #[test]
    fn en_3_late_is_once() {
        let mut clock = clock(10, 0, 5.0);
        assert!(clock.fires(Duration::from_secs(57)));
        assert_eq!(clock.next(), Duration::from_secs(60));
    }

    #[test]
    fn en_3_a_clock_that_is_set_back_does_not_stop_the_intervals() {
        let mut clock = clock(10, 0, 100_000.0);
        assert!(!clock.fires(Duration::from_secs(50_003)));
        assert_eq!(clock.next(), Duration::from_secs(50_010));
        assert!(clock.fires(Duration::from_secs(50_010)));
    }
}
