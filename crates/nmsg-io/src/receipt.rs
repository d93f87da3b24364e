//! Which records of an input need not be read again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells a source up to which of its receipts the outputs have accepted what it read.
///
/// A source that wants to know numbers its receipts from 1 on and puts each behind the pieces that
/// it stands for, as [`crate::RawPiece::Receipt`].
#[derive(Clone, Debug, Default)]
pub struct Receipts(Arc<AtomicU64>);

impl Receipts {
    /// The highest number up to which everything was accepted; 0 for nothing.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn accept(&self, number: u64) {
        self.0.store(number, Ordering::Release);
    }
}

/// Counts the batches of a run, and knows which receipts wait for which.
#[derive(Debug)]
pub(crate) struct ReceiptBook {
    /// Number of the batch at hand, from 1.
    tick: u64,
    inputs: Vec<Option<Receipts>>,
    /// Batch, input and number, in the order of batches.
    waiting: VecDeque<(u64, usize, u64)>,
}

impl ReceiptBook {
    pub(crate) fn new(inputs: Vec<Option<Receipts>>) -> Self {
        Self { tick: 0, inputs, waiting: VecDeque::new() }
    }

    /// Starts the next batch; gives its number.
    pub(crate) fn next_batch(&mut self) -> u64 {
        self.tick += 1;
        self.tick
    }

    /// Notes receipts of the batch at hand of which everything was dealt.
    pub(crate) fn note(&mut self, input: usize, numbers: impl Iterator<Item = u64>) {
        // The last one stands for all.
        if let Some(number) = numbers.last() {
            self.waiting.push_back((self.tick, input, number));
        }
    }

    /// True when some input wants to know what was accepted.
    pub(crate) fn are_wanted(&self) -> bool {
        self.inputs.iter().any(Option::is_some)
    }

    /// Outputs have accepted everything of the batches up to this one.
    pub(crate) fn settle(&mut self, through: u64) {
        while let Some(&(tick, input, number)) = self.waiting.front()
            && tick <= through
        {
            self.waiting.pop_front();
            if let Some(Some(receipts)) = self.inputs.get(input) {
                receipts.accept(number);
            }
        }
    }
}

/// How far one output is: which batches still have something in it that was not accepted.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// The oldest batch with payloads that wait for the next piece.
    waiting_since: Option<u64>,
    /// Pieces that the sink has taken.
    puts: u64,
    /// Pieces that are not known to have arrived: how many there were, and their oldest batch.
    unconfirmed: VecDeque<(u64, u64)>,
    /// Something was lost: the oldest batch that may have been part of it.
    lost_since: Option<u64>,
}

impl Progress {
    /// Payloads of a batch were handled. `puts` pieces left in the meantime, `is_waiting` when
    /// payloads still do, `has_lost` when some never will.
    pub(crate) fn note(&mut self, tick: u64, puts: u64, is_waiting: bool, has_lost: bool) {
        let oldest = self.waiting_since.unwrap_or(tick);
        if has_lost {
            self.lost_since.get_or_insert(oldest);
        }
        if puts > 0 {
            self.puts += puts;
            self.unconfirmed.push_back((self.puts, oldest));
        }
        self.waiting_since = match (is_waiting, puts) {
            (false, _) => None,
            (true, 0) => Some(oldest),
            (true, _) => Some(tick),
        };
    }

    /// Something of what was taken is known not to have arrived, whichever it is.
    pub(crate) fn lose(&mut self) {
        let oldest = self.unconfirmed.front().map(|(_, tick)| *tick);
        let oldest = [self.waiting_since, oldest].into_iter().flatten().min().unwrap_or(1);
        self.lost_since = Some(self.lost_since.map_or(oldest, |lost| lost.min(oldest)));
    }

    /// The last batch of which nothing is missing, when the sink knows of the first `confirmed`
    /// pieces that they have arrived; `None` when it takes all for arrived.
    pub(crate) fn settled_through(&mut self, confirmed: Option<u64>) -> u64 {
        let confirmed = confirmed.unwrap_or(u64::MAX);
        while self.unconfirmed.front().is_some_and(|(puts, _)| *puts <= confirmed) {
            self.unconfirmed.pop_front();
        }
        let unconfirmed = self.unconfirmed.front().map(|(_, tick)| *tick);
        let oldest = [self.waiting_since, unconfirmed, self.lost_since].into_iter().flatten().min();
        oldest.map_or(u64::MAX, |tick| tick.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_are_given_in_order_and_only_for_what_is_settled() {
        let receipts = Receipts::default();
        let mut book = ReceiptBook::new(vec![None, Some(receipts.clone())]);
        for numbers in [&[1, 2][..], &[], &[3], &[4]] {
            book.next_batch();
            book.note(1, numbers.iter().copied());
            book.note(0, numbers.iter().copied());
        }
        for (through, want) in [(0, 0), (1, 2), (2, 2), (3, 3), (u64::MAX, 4)] {
            book.settle(through);
            assert_eq!(receipts.accepted(), want, "through {through}");
        }
        assert!(book.waiting.is_empty());
    }

    /// What [`Progress::note`] was told: batch, pieces, whether payloads wait, whether some are lost.
    type Note = (u64, u64, bool, bool);

    #[test]
    fn an_output_knows_what_it_still_owes() {
        let cases: [(&str, &[Note], Option<u64>, u64); 9] = [
            ("nothing happened", &[], None, u64::MAX),
            ("everything left", &[(1, 1, false, false)], None, u64::MAX),
            ("waits", &[(1, 0, true, false)], None, 0),
            ("waits for long", &[(1, 0, true, false), (2, 0, true, false)], None, 0),
            ("older ones left", &[(1, 0, true, false), (3, 1, true, false)], None, 2),
            ("not confirmed", &[(1, 1, false, false), (2, 1, false, false)], Some(1), 1),
            ("confirmed", &[(1, 1, false, false), (2, 1, false, false)], Some(2), u64::MAX),
            ("piece of two batches", &[(1, 0, true, false), (2, 1, false, false)], Some(0), 0),
            ("lost", &[(1, 1, false, false), (2, 0, false, true), (3, 1, false, false)], None, 1),
        ];
        for (name, notes, confirmed, want) in cases {
            let mut progress = Progress::default();
            for (tick, puts, is_waiting, has_lost) in notes {
                progress.note(*tick, *puts, *is_waiting, *has_lost);
            }
            assert_eq!(progress.settled_through(confirmed), want, "{name}");
        }
    }
}
