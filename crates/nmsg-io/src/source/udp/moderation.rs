//! When to let datagrams gather.
//!
//! Whoever reads every datagram as soon as it is there is woken for each, which costs more than the
//! datagram. Only where many have come lately, a reader that has read them all is better off to
//! sleep before it looks again; where few come, none is late.

use std::time::Duration;

/// How long to sleep. In this time a fast network fills a small part of [`LEAST_BUFFER`].
const PAUSE: Duration = Duration::from_micros(100);

/// Receive buffer, in octets, without which there is no sleeping.
const LEAST_BUFFER: usize = 1 << 20;

/// How many times longer to sleep at most, with a receive buffer so many times larger.
const LONGEST: usize = 5;

/// Time over which messages are counted.
const WINDOW: Duration = Duration::from_millis(1);

/// Messages in a second that are many: several for each [`PAUSE`].
const FAST: u128 = 50_000;

/// Watches how fast messages come.
#[derive(Debug)]
pub(super) struct Moderation {
    pause: Duration,
    window: Duration,
    messages: u32,
    is_fast: bool,
    has_read_all: bool,
}

impl Moderation {
    /// For a receive buffer of so many octets; `None` where it is too small to let messages gather in it.
    pub(super) fn new(buffer: usize) -> Option<Self> {
        let pause = PAUSE * (buffer / LEAST_BUFFER).min(LONGEST) as u32;
        let is_roomy = pause > Duration::ZERO;
        is_roomy.then_some(Self {
            pause,
            window: Duration::ZERO,
            messages: 0,
            is_fast: false,
            has_read_all: false,
        })
    }

    /// How long to let messages gather before the next look at the socket; `None` where that is no better.
    pub(super) fn pause(&mut self, now: Duration) -> Option<Duration> {
        let elapsed = now.saturating_sub(self.window);
        if elapsed >= WINDOW {
            self.is_fast = u128::from(self.messages) * 1_000_000_000 >= FAST * elapsed.as_nanos();
            (self.window, self.messages) = (now, 0);
        }
        (self.is_fast && self.has_read_all).then_some(self.pause)
    }

    /// Notes what a look at the socket has found, and whether more may be there.
    pub(super) fn note(&mut self, messages: usize, has_read_all: bool) {
        self.messages = self.messages.saturating_add(messages as u32);
        self.has_read_all = has_read_all;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of the looks at a socket at these distances, each of which finds so many messages,
    /// were put off.
    fn pauses(looks: u32, distance: Duration, messages: usize, has_read_all: bool) -> usize {
        let mut moderation = Moderation::new(LEAST_BUFFER).unwrap();
        let put_off = (1..=looks).filter(|look| {
            let pause = moderation.pause(distance * *look);
            moderation.note(messages, has_read_all);
            pause.is_some()
        });
        put_off.count()
    }

    #[test]
    fn only_many_messages_are_let_gather() {
        let micros = Duration::from_micros;
        assert_eq!(pauses(1000, micros(1000), 1, true), 0, "1,000 a second");
        assert_eq!(pauses(1000, micros(25), 1, true), 0, "40,000 a second");
        assert!(pauses(1000, micros(10), 1, true) > 800, "100,000 a second");
        assert!(pauses(1000, micros(150), 60, true) > 900, "400,000 a second");
        assert_eq!(pauses(1000, micros(150), 60, false), 0, "more is there");
    }

    #[test]
    fn the_first_message_after_a_silence_is_not_late() {
        let mut moderation = Moderation::new(LEAST_BUFFER).unwrap();
        let at = Duration::from_micros;
        assert_eq!(moderation.pause(at(0)), None);
        moderation.note(500, true);
        assert_eq!(moderation.pause(at(1_100)), Some(PAUSE), "500 in a millisecond");
        moderation.note(0, true);
        assert_eq!(moderation.pause(at(60_000)), None);
        moderation.note(1, true);
        assert_eq!(moderation.pause(at(60_010)), None);
    }

    #[test]
    fn a_pause_is_as_long_as_the_buffer_allows() {
        for (buffer, want) in [
            (0, None),
            (LEAST_BUFFER - 1, None),
            (LEAST_BUFFER, Some(PAUSE)),
            (3 * LEAST_BUFFER + 1, Some(3 * PAUSE)),
            (16 << 20, Some(5 * PAUSE)),
        ] {
            let pause = Moderation::new(buffer).map(|moderation| moderation.pause);
            assert_eq!(pause, want, "{buffer}");
        }
    }
}
