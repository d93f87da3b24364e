//! The operations of a search without vector instructions, and near the end of the input.

use crate::finder::{
    BATCH, Batch, COMPARED, Engine, LONG, Match, OCTET, ROWS, Row, SPREAD, Shifts, TAG, TAG_SHIFT,
    THREES, Tables, WAYS, distance, extend, load, offset_bits,
};

/// Runs everywhere, up to the last octet.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Engine for Portable {
    #[inline(always)]
    fn hash(self, batch: &mut Batch, input: &[u8], at: usize, shifts: Shifts) {
        for n in 0..BATCH {
            let (octets, behind) = (load(input, at + n), load(input, at + n + 8));
            let words = [octets, octets >> 32, behind, behind >> 32].map(|word| word as u32);
            let times =
                |word: usize, left_out: u32| words[word].wrapping_mul(SPREAD[word] << left_out);
            let four = times(0, 0);
            let seven = four.wrapping_add(times(1, OCTET));
            let fifteen = four
                .wrapping_add(times(1, 0))
                .wrapping_add(times(2, 0))
                .wrapping_add(times(3, OCTET));
            batch.rows[n] = four >> shifts.rows & offset_bits::<Row>(ROWS);
            batch.threes[n] = times(0, OCTET) >> shifts.threes & offset_bits::<u16>(THREES);
            batch.sevens[n] = seven >> shifts.long & offset_bits::<u16>(LONG);
            batch.fifteens[n] = fifteen >> shifts.long & offset_bits::<u16>(LONG);
            batch.entries[n] = four << TAG_SHIFT & TAG | (at + n) as u32 & !TAG;
        }
    }

    #[inline(always)]
    fn show(self, tables: &mut Tables, batch: &Batch, start: usize) {
        for n in 0..BATCH {
            let place = (start + n) as u16;
            let element = |offset: u32| offset as usize / size_of::<u16>();
            let row = batch.rows[n] as usize / size_of::<Row>();
            tables.rows[row % ROWS].0[n % WAYS] = batch.entries[n];
            tables.threes[element(batch.threes[n]) % THREES] = place;
            tables.long[element(batch.sevens[n]) % LONG] = place;
            if n % 2 == 1 {
                tables.long[element(batch.fifteens[n]) % LONG] = place;
            }
        }
    }

    #[inline(always)]
    fn has(self, Row(row): &Row, entry: u32) -> bool {
        let before = |other: u32| ((other as u16).wrapping_sub(entry as u16) as i16) < 0;
        row.iter().any(|&other| (other ^ entry) & TAG == 0 && before(other))
    }

    #[inline(always)]
    fn furthest(self, input: &[u8], at: usize, Row(row): &Row, others: [u16; 2]) -> Match {
        furthest(input, at, row.iter().map(|&entry| entry as u16).chain(others))
    }

    #[inline(always)]
    fn furthest_of_two(self, input: &[u8], at: usize, places: [u16; 2]) -> Match {
        furthest(input, at, places.into_iter())
    }
}

#[inline(always)]
fn furthest(input: &[u8], at: usize, places: impl Iterator<Item = u16>) -> Match {
    let mut best = Match::default();
    for place in places {
        let distance = distance(at, place);
        let length = (extend(input, at, distance as usize) as u32).min(COMPARED);
        let found = Match { length, distance };
        if found.is_further(best) {
            best = found;
        }
    }
    best
}
