use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::ledger::Ledger;

/// Where the engine leaves copies of its ledger for others to read.
#[derive(Debug, Default)]
pub struct MetricsBoard {
    /// Somebody waits for a fresh copy.
    is_wanted: AtomicBool,
    /// Nothing has happened since the last copy.
    is_current: AtomicBool,
    copy: Mutex<Copy>,
    is_fresh: Condvar,
}

#[derive(Debug, Default)]
struct Copy {
    serial: u64,
    ledger: Ledger,
}

impl MetricsBoard {
    /// Takes a copy if one is due: when the engine is idle, or when somebody has asked. Meant to be
    /// called between batches.
    pub fn pulse(&self, is_idle: bool, ledger: &mut dyn FnMut() -> Ledger) {
        if !is_idle && self.is_current.load(Ordering::Relaxed) {
            self.is_current.store(false, Ordering::Release);
        }
        let is_wanted =
            self.is_wanted.load(Ordering::Relaxed) && self.is_wanted.swap(false, Ordering::AcqRel);
        if is_idle || is_wanted {
            let ledger = ledger();
            let mut copy = self.lock();
            copy.serial += 1;
            copy.ledger = ledger;
            drop(copy);
            self.is_current.store(is_idle, Ordering::Release);
            self.is_fresh.notify_all();
        }
    }

    /// The ledger as it is now; as it was a moment ago if the engine does not come to a batch's end within
    /// `patience`.
    #[must_use]
    pub fn ledger(&self, patience: Duration) -> Ledger {
        let mut copy = self.lock();
        if !self.is_current.load(Ordering::Acquire) {
            let before = copy.serial;
            self.is_wanted.store(true, Ordering::Release);
            let waited =
                self.is_fresh.wait_timeout_while(copy, patience, |copy| copy.serial == before);
            copy = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        copy.ledger.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Copy> {
        // Nothing panics while it holds the lock.
        self.copy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(number: u64) -> Ledger {
        let output = crate::OutputAccount { written: number, ..Default::default() };
        Ledger { outputs: vec![output], ..Ledger::default() }
    }

    #[test]
    fn copies_are_made_when_idle_or_wanted_and_at_no_other_time() {
        let board = MetricsBoard::default();
        let mut made = 0;
        let mut pulse = |is_idle| {
            board.pulse(is_idle, &mut || {
                made += 1;
                numbered(made)
            });
            made
        };
        assert_eq!(pulse(false), 0, "nobody asks");
        assert_eq!(pulse(true), 1, "idle");
        let now = Duration::ZERO;
        assert_eq!(board.ledger(Duration::from_secs(60)), numbered(1), "current: no wait");
        assert_eq!(pulse(false), 1);
        assert_eq!(board.ledger(now), numbered(1), "busy: what there is");
        assert_eq!(pulse(false), 2, "it was asked for");
        assert_eq!(pulse(false), 2, "once");
        assert_eq!(board.ledger(now), numbered(2));
    }

    #[test]
    fn who_asks_gets_what_is_there_at_the_next_batch() {
        let board = MetricsBoard::default();
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| board.ledger(Duration::from_secs(60)));
            while !asking.is_finished() {
                board.pulse(false, &mut || numbered(7));
                std::thread::yield_now();
            }
            assert_eq!(asking.join().unwrap(), numbered(7));
        });
    }
}
