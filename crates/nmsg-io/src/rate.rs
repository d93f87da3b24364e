use std::num::NonZeroU32;
use std::time::Duration;

const SECOND: u64 = 1_000_000_000;

/// Lag that is made up for; whoever is later than that starts anew.
const MOST_LAG: Duration = Duration::from_millis(5);

/// Spaces events evenly: the next one is due 1/rate after the one before, exactly, and time in which
/// nothing happened gives no credit (`decisions` SK-4).
///
/// Waking up a little late does not lower the rate, because the schedule goes on from when an event was
/// due, not from when it happened.
///
/// ```
/// # use nmsg_io::RateLimiter;
/// # use std::time::Duration;
/// let mut limiter = RateLimiter::new(3.try_into()?);
/// let due: Vec<u128> = (0..4).map(|_| limiter.due(Duration::ZERO).as_millis()).collect();
/// assert_eq!(due, [0, 333, 666, 1000]);
/// # Ok::<(), std::num::TryFromIntError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RateLimiter {
    rate: u64,
    /// When the next event is due, in nanoseconds, and the rest in units of 1/rate nanosecond.
    next: u64,
    rest: u64,
    most_lag: u64,
}

impl RateLimiter {
    /// A limiter of so many events a second.
    #[must_use]
    pub fn new(rate: NonZeroU32) -> Self {
        let rate = u64::from(rate.get());
        let most_lag = (SECOND / rate).max(MOST_LAG.as_nanos() as u64);
        Self { rate, next: 0, rest: 0, most_lag }
    }

    /// Takes the next place in the schedule; gives when it is, at `now` or later. Times are durations
    /// since any fixed moment.
    pub fn due(&mut self, now: Duration) -> Duration {
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        if now.saturating_sub(self.next) > self.most_lag {
            (self.next, self.rest) = (now, 0);
        }
        let due = self.next;
        self.rest += SECOND % self.rate;
        let carry = u64::from(self.rest >= self.rate);
        self.rest -= carry * self.rate;
        self.next = due.saturating_add(SECOND / self.rate + carry);
        Duration::from_nanos(due.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(rate: u32) -> RateLimiter {
        RateLimiter::new(NonZeroU32::new(rate).unwrap())
    }

    const START: Duration = Duration::from_secs(1000);

    #[test]
    fn sk_4_the_schedule_is_exact_at_every_rate() {
        for rate in [1, 2, 3, 5, 7, 10, 1000, 999_999, 1_000_000_000, 3_000_000_000, u32::MAX] {
            let mut limiter = limiter(rate);
            let first = limiter.due(START);
            assert_eq!(first, START, "rate {rate}: the first goes at once");
            let events = rate.min(100_000);
            let last = (0..events).map(|_| limiter.due(START)).last().unwrap();
            let took = u128::from(events) * u128::from(SECOND) / u128::from(rate);
            assert_eq!((last - first).as_nanos(), took, "rate {rate}");
        }
    }

    #[test]
    fn sk_4_no_credit_for_idle_time() {
        let mut limiter = limiter(10);
        limiter.due(START);
        let later = START + Duration::from_secs(60);
        let due: Vec<u128> = (0..4).map(|_| (limiter.due(later) - later).as_millis()).collect();
        assert_eq!(due, [0, 100, 200, 300]);
    }

    #[test]
    fn sk_4_waking_late_does_not_lower_the_rate() {
        for (rate, late) in [(100, 5_000), (1000, 400), (20, 49_000)] {
            let mut limiter = limiter(rate);
            let late = Duration::from_micros(late);
            let mut now = START;
            for _ in 0..rate * 10 {
                now = limiter.due(now) + late;
            }
            let took = now - START;
            let want = Duration::from_secs(10);
            assert!(took <= want + late, "rate {rate}: {took:?}");
            assert!(took >= want - Duration::from_secs(1) / rate, "rate {rate}: {took:?}");
        }
    }

    #[test]
    fn sk_4_lag_is_clamped() {
        let mut limiter = limiter(1000);
        let mut now = START;
        let mut sent = 0;
        // Something holds the sender up for 50 ms out of every 100 ms.
        while now < START + Duration::from_secs(10) {
            let into = (now - START).as_millis() % 100;
            if into < 50 {
                now += Duration::from_millis(50);
            }
            now = limiter.due(now);
            sent += 1;
        }
        assert!((5_000..5_700).contains(&sent), "{sent}: at most 5 ms are made up for each time");
    }
}
