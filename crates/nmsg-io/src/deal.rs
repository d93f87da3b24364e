use crate::batch::Selection;

/// What one output gets of a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deal {
    /// Position of the output.
    pub output: usize,
    /// Its payloads.
    pub selection: Selection,
}

/// Decides which payload goes where: striping or mirroring, and the count limit. Touches neither
/// payloads nor outputs.
///
/// Striping walks the outputs in order, each input with a cursor of its own that starts at the first
/// output (`nmsgtool-cli` §6.1). The count is per output and exact; the run is over at once when the
/// output next in turn has its count (`decisions` EN-1).
#[derive(Clone, Debug)]
pub struct Dealer {
    mirror: bool,
    /// Next output of each input.
    cursors: Vec<usize>,
    /// How many more payloads each output may get.
    room: Vec<u64>,
}

/// How far a batch was dealt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Dealt {
    /// Payloads that found an output.
    pub count: usize,
    /// True when the output next in turn has all that it may have: the run is over.
    pub full: bool,
}

impl Dealer {
    /// A dealer for so many inputs and outputs; `count` is the limit of each output.
    #[must_use]
    pub fn new(inputs: usize, outputs: usize, mirror: bool, count: Option<u64>) -> Self {
        let limit = count.unwrap_or(u64::MAX);
        Self { mirror, cursors: vec![0; inputs], room: vec![limit; outputs] }
    }

    /// How many more payloads of `input` are dealt until the run is over.
    #[must_use]
    pub fn room(&self, input: usize) -> u64 {
        let outputs = self.room.len();
        let Some(cursor) = self.cursors.get(input).filter(|_| outputs > 0) else { return 0 };
        if self.mirror || outputs == 1 {
            return self.room.iter().copied().min().unwrap_or(0);
        }
        // The position at which the walk first meets an output without room.
        let blocked = (0..outputs).map(|turn| {
            let room = self.room[(cursor + turn) % outputs];
            room.saturating_mul(outputs as u64).saturating_add(turn as u64)
        });
        blocked.min().unwrap_or(0)
    }

    /// Deals the payloads of `input` at `start..end` of its batch; what each output gets is added
    /// to `deals` in the order of the outputs' turns.
    pub fn deal(&mut self, input: usize, start: usize, end: usize, deals: &mut Vec<Deal>) -> Dealt {
        let total = self.room(input);
        let count = (end - start).min(usize::try_from(total).unwrap_or(usize::MAX));
        let outputs = self.room.len();
        let Some(cursor) = self.cursors.get_mut(input).filter(|_| outputs > 0) else {
            return Dealt { count: 0, full: true };
        };
        if self.mirror || outputs == 1 {
            let selection = Selection { start, end: start + count, step: 1 };
            if count > 0 {
                deals.extend((0..outputs).map(|output| Deal { output, selection }));
            }
            self.room.iter_mut().for_each(|room| *room = take(*room, count));
            return Dealt { count, full: total == count as u64 };
        }
        for turn in 0..outputs.min(count) {
            let output = (*cursor + turn) % outputs;
            let selection = Selection { start: start + turn, end: start + count, step: outputs };
            self.room[output] = take(self.room[output], selection.len());
            deals.push(Deal { output, selection });
        }
        *cursor = (*cursor + count) % outputs;
        Dealt { count, full: total == count as u64 }
    }
}

/// A limit that was never set stays unset.
fn take(room: u64, count: usize) -> u64 {
    if room == u64::MAX { room } else { room - count as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Deals batches of the given sizes from the given inputs; gives what each output got, as
    /// (input, running number of the payload), and whether the run was over at the end.
    fn run(
        outputs: usize,
        mirror: bool,
        count: Option<u64>,
        batches: &[(usize, usize)],
    ) -> (Vec<Vec<(usize, usize)>>, bool) {
        let mut dealer = Dealer::new(2, outputs, mirror, count);
        let mut got = vec![Vec::new(); outputs];
        let mut sent = [0; 2];
        for &(input, size) in batches {
            let mut deals = Vec::new();
            let dealt = dealer.deal(input, 0, size, &mut deals);
            for mut deal in deals {
                while let Some(position) = deal.selection.take_next() {
                    got[deal.output].push((input, sent[input] + position));
                }
            }
            sent[input] += dealt.count;
            if dealt.full {
                return (got, true);
            }
        }
        (got, false)
    }

    #[test]
    fn cl_10_striping_walks_the_outputs_whatever_the_batches() {
        for sizes in [&[15][..], &[1; 15], &[4, 4, 4, 3], &[2, 13]] {
            let batches: Vec<_> = sizes.iter().map(|size| (0, *size)).collect();
            let (got, full) = run(3, false, None, &batches);
            assert!(!full);
            for (output, got) in got.iter().enumerate() {
                let want: Vec<_> = (0..5).map(|n| (0, 3 * n + output)).collect();
                assert_eq!(*got, want, "batches of {sizes:?}");
            }
        }
    }

    #[test]
    fn en_1_the_count_is_per_output_and_exact() {
        for (name, outputs, mirror, count, batches, want, want_full) in [
            ("one output", 1, false, 4, &[(0, 15)][..], &[4][..], true),
            ("as many as there are", 1, false, 15, &[(0, 15)], &[15], true),
            ("more than there are", 1, false, 16, &[(0, 15)], &[15], false),
            ("stripe", 3, false, 2, &[(0, 15)], &[2, 2, 2], true),
            ("stripe, one by one", 3, false, 2, &[(0, 1); 15], &[2, 2, 2], true),
            ("stripe, exactly enough", 3, false, 2, &[(0, 6)], &[2, 2, 2], true),
            ("stripe, one short", 3, false, 2, &[(0, 5)], &[2, 2, 1], false),
            ("mirror", 3, true, 2, &[(0, 15)], &[2, 2, 2], true),
            ("two inputs, next in turn is full", 2, false, 1, &[(0, 1), (1, 1)], &[1, 0], true),
            ("two inputs, room elsewhere", 2, false, 2, &[(0, 1), (1, 3)], &[2, 1], true),
            ("nothing arrives", 2, false, 1, &[(0, 0)], &[0, 0], false),
        ] {
            let (got, full) = run(outputs, mirror, Some(count), batches);
            let lens: Vec<_> = got.iter().map(Vec::len).collect();
            assert_eq!(lens, want, "{name}");
            assert_eq!(full, want_full, "{name}");
        }
    }

    #[test]
    fn every_input_starts_at_the_first_output() {
        let (got, _) = run(2, false, None, &[(0, 1), (1, 1), (0, 1), (1, 2)]);
        assert_eq!(got[0], [(0, 0), (1, 0), (1, 2)]);
        assert_eq!(got[1], [(0, 1), (1, 1)]);
    }

    #[test]
    fn mirrored_outputs_get_the_same() {
        let (got, full) = run(2, true, None, &[(0, 2), (1, 1)]);
        assert_eq!(got[0], [(0, 0), (0, 1), (1, 0)]);
        assert_eq!(got[0], got[1]);
        assert!(!full);
    }
}
