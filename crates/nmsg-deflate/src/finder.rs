//! Earlier places with the same octets.
//!
//! Three tables know earlier places: rows of four with the same four octets, the last place with the same three, and
//! the last place with the same seven or fifteen; by fifteen, only odd places are found. Rows also keep a part
//! of the hash, which tells, mostly, that none of the places has the same octets; otherwise the places of
//! the row and the two with the same seven and fifteen octets are all compared. Nothing is followed from place to place,
//! so no input makes a search slow.
//!
//! Places are hashed and shown in batches of sixteen: a place is known once the sixteen that it belongs to are
//! behind. Which place of its row it replaces depends on where it stands in its batch.
//!
//! What takes the time are branches that cannot be predicted and wait for memory, octets of candidates, and stores in
//! the tables, in this order. So what can be decided without a branch is, and what is shown twice as densely is not found
//! more often: a copy that begins too late is extended backwards.

use crate::symbols::{LONGEST, SHORTEST, WINDOW};

/// Places of a row.
pub(crate) const WAYS: usize = 4;

/// Places that are hashed and shown together.
pub(crate) const BATCH: usize = 16;

/// Longest agreement that is told from others; what agrees further is followed to its end.
pub(crate) const COMPARED: u32 = 31;

/// Octets that have to follow a place where a search with vector instructions begins: a better match may begin
/// a dozen octets behind it, and as many are compared there, or hashed for the next batch, as fit in a vector.
pub(crate) const AHEAD: usize = 96;

const MOST_ROW_BITS: u32 = 13;
const MOST_THREE_BITS: u32 = 14;
const MOST_LONG_BITS: u32 = 16;

/// Sizes of the tables, powers of two.
pub(crate) const ROWS: usize = 1 << MOST_ROW_BITS;
pub(crate) const THREES: usize = 1 << MOST_THREE_BITS;
pub(crate) const LONG: usize = 1 << MOST_LONG_BITS;

/// Octets, more than a copy has, after which what is behind is a run of the longest copies, which are not shown.
const INSIDE: usize = 320;

/// Farthest copy of three octets that takes fewer bits than its literals, about.
const THREE_REACH: usize = 8_192;

/// Odd numbers whose bits look random, to multiply four octets each with.
pub(crate) const SPREAD: [u32; 4] = [0x9e37_79b1, 0x85eb_ca6b, 0xc2b2_ae35, 0x27d4_eb2f];
/// What makes a factor leave out the last of its four octets.
pub(crate) const OCTET: u32 = 8;
/// How far the hash is shifted for the bits of it that an entry of a row keeps.
pub(crate) const TAG_SHIFT: u32 = 13;
pub(crate) const TAG: u32 = 0xffff_0000;

/// Earlier places whose first four octets have the same hash: the lowest 16 bits of the place below 16 more bits of
/// the hash.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub(crate) struct Row(pub(crate) [u32; WAYS]);

impl Row {
    const EMPTY: Self = Self([0; WAYS]);
}

/// What sixteen places in a row are found by.
#[derive(Clone)]
#[repr(C, align(32))]
pub(crate) struct Batch {
    /// Where the rows, and the last places with the same three, seven and fifteen octets, stand in their tables,
    /// in octets.
    pub(crate) rows: [u32; BATCH],
    pub(crate) threes: [u32; BATCH],
    pub(crate) sevens: [u32; BATCH],
    pub(crate) fifteens: [u32; BATCH],
    /// What is put in the row.
    pub(crate) entries: [u32; BATCH],
}

/// Bits of the offsets that lead to elements `T` of a table of so many, a power of two.
pub(crate) const fn offset_bits<T>(count: usize) -> u32 {
    ((count - 1) * size_of::<T>()) as u32
}

/// How far hashes are shifted to lead to an element of their table.
#[derive(Clone, Copy)]
pub(crate) struct Shifts {
    pub(crate) rows: u32,
    pub(crate) threes: u32,
    pub(crate) long: u32,
    /// Elements of each table that are used, if it has so many.
    elements: usize,
}

impl Shifts {
    /// Of tables that are large enough for so many octets.
    fn of(octets: usize) -> Self {
        let bits = (octets.max(1).ilog2() + 1).clamp(5, MOST_LONG_BITS);
        let shift = |most: u32, size: usize| u32::BITS - bits.min(most) - size.trailing_zeros();
        Self {
            rows: shift(MOST_ROW_BITS, size_of::<Row>()),
            threes: shift(MOST_THREE_BITS, size_of::<u16>()),
            long: shift(MOST_LONG_BITS, size_of::<u16>()),
            elements: 1 << bits,
        }
    }
}

/// An earlier place with the same octets.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Match {
    /// Octets that are the same; 0 when there is no such place.
    pub(crate) length: u32,
    /// How far back they stand.
    pub(crate) distance: u32,
}

impl Match {
    /// Longer, or as long and nearer.
    #[inline(always)]
    pub(crate) fn is_further(self, other: Self) -> bool {
        (self.length, other.distance) > (other.length, self.distance)
    }
}

/// The operations that there are vector instructions for. Each gives the same on every machine.
pub(crate) trait Engine: Copy {
    /// Hashes the places from `at` on.
    fn hash(self, batch: &mut Batch, input: &[u8], at: usize, shifts: Shifts);

    /// Puts the places of a batch, whose first one is `start`, in the tables.
    fn show(self, tables: &mut Tables, batch: &Batch, start: usize);

    /// Whether a row has places in the window with the tag of this entry, before the place of it.
    fn has(self, row: &Row, entry: u32) -> bool;

    /// The place of the row, or of the others, that agrees furthest, the nearest of equals; at most [`COMPARED`]
    /// octets are compared.
    fn furthest(self, input: &[u8], at: usize, row: &Row, others: [u16; 2]) -> Match;

    /// The place that agrees furthest, as above.
    fn furthest_of_two(self, input: &[u8], at: usize, places: [u16; 2]) -> Match;
}

/// What is known of earlier places.
#[repr(C, align(64))]
pub(crate) struct Tables {
    pub(crate) rows: [Row; ROWS],
    pub(crate) threes: [u16; THREES],
    pub(crate) long: [u16; LONG],
}

/// Finds matches at ascending places.
pub(crate) struct Finder {
    tables: Box<Tables>,
    shifts: Shifts,
    batch: Batch,
    /// The first place of the batch; all before it have been shown.
    start: usize,
}

/// How far back a place is; a place that is not in the window becomes some other one that is. There has to be
/// an octet before `at`.
#[inline(always)]
pub(crate) fn distance(at: usize, place: u16) -> u32 {
    let distance = u32::from((at as u16).wrapping_sub(place));
    distance.clamp(1, at.min(WINDOW) as u32)
}

/// Eight octets from a place on, zeros behind the end.
#[inline(always)]
pub(crate) fn load(input: &[u8], at: usize) -> u64 {
    match input.get(at..).and_then(|rest| rest.first_chunk()) {
        Some(octets) => u64::from_le_bytes(*octets),
        None => load_last(input, at),
    }
}

#[cold]
#[inline(never)]
fn load_last(input: &[u8], at: usize) -> u64 {
    let rest = input.get(at..).unwrap_or_default();
    rest.iter().rev().fold(0, |word, &octet| word << 8 | u64::from(octet))
}

impl Finder {
    pub(crate) fn new() -> Self {
        Self {
            tables: empty_tables(),
            shifts: Shifts::of(0),
            batch: Batch {
                rows: [0; BATCH],
                threes: [0; BATCH],
                sevens: [0; BATCH],
                fifteens: [0; BATCH],
                entries: [0; BATCH],
            },
            start: 0,
        }
    }

    /// Forgets all places and begins with another input.
    pub(crate) fn begin(&mut self, engine: impl Engine, input: &[u8]) {
        self.shifts = Shifts::of(input.len());
        let used = |all: usize| all.min(self.shifts.elements);
        self.tables.rows[..used(ROWS)].fill(Row::EMPTY);
        self.tables.threes[..used(THREES)].fill(0);
        self.tables.long[..used(LONG)].fill(0);
        self.start = 0;
        engine.hash(&mut self.batch, input, 0, self.shifts);
    }

    /// Shows the batches before the one of this place, but not what is inside of a run of the longest copies: who
    /// looks for that finds where it was copied from.
    #[inline(always)]
    pub(crate) fn reach(&mut self, engine: impl Engine, input: &[u8], at: usize) {
        while self.start + BATCH <= at {
            let behind = if at - self.start > INSIDE { at - INSIDE / 2 } else { self.start };
            let next = behind / BATCH * BATCH + BATCH;
            engine.show(&mut self.tables, &self.batch, self.start);
            self.start = next;
            engine.hash(&mut self.batch, input, next, self.shifts);
        }
    }

    /// The last places with the same seven and fifteen octets.
    #[inline(always)]
    fn long(&self, at: usize) -> [u16; 2] {
        let (seven, fifteen) = (self.batch.sevens[at % BATCH], self.batch.fifteens[at % BATCH]);
        [
            self.tables.long[seven as usize / size_of::<u16>() % LONG],
            self.tables.long[fifteen as usize / size_of::<u16>() % LONG],
        ]
    }

    /// The longest match at a place of the batch, the nearest of equals, if it has `shortest` octets.
    #[inline(always)]
    pub(crate) fn search(
        &self,
        engine: impl Engine,
        input: &[u8],
        at: usize,
        shortest: usize,
    ) -> Match {
        let offset = self.batch.rows[at % BATCH] as usize;
        let row = &self.tables.rows[offset / size_of::<Row>() % ROWS];
        if engine.has(row, self.batch.entries[at % BATCH]) {
            let found = engine.furthest(input, at, row, self.long(at));
            if found.length == COMPARED {
                return furthest_of_all(input, at, row, self.long(at));
            }
            if found.length > SHORTEST as u32 {
                return found;
            }
        }
        if shortest > SHORTEST { Match::default() } else { self.search_three(input, at) }
    }

    #[inline(always)]
    fn search_three(&self, input: &[u8], at: usize) -> Match {
        let offset = self.batch.threes[at % BATCH] as usize;
        let place = self.tables.threes[offset / size_of::<u16>() % THREES];
        let distance = usize::from((at as u16).wrapping_sub(place));
        let differing = load(input, at) ^ load(input, at.saturating_sub(distance));
        // Whether it is there, is not too far, and does not reach over the end, as signs, and that the octets are the
        // same, in one number: which of them fails cannot be predicted.
        let outside = (distance.wrapping_sub(1) | at.wrapping_sub(distance)) as isize
            | THREE_REACH.wrapping_sub(distance) as isize
            | input.len().wrapping_sub(at + SHORTEST) as isize;
        let wrong = differing << 40 | u64::from(outside < 0);
        let length = if wrong == 0 { SHORTEST as u32 } else { 0 };
        Match { length, distance: distance as u32 }
    }

    /// The longest match of those with the same seven or fifteen octets.
    #[inline(always)]
    pub(crate) fn search_long(&self, engine: impl Engine, input: &[u8], at: usize) -> Match {
        let places = self.long(at);
        let found = engine.furthest_of_two(input, at, places);
        if found.length == COMPARED {
            return furthest_of_all(input, at, &Row::EMPTY, places);
        }
        found
    }
}

/// The place that agrees furthest, however far, the nearest of equals.
#[inline(never)]
fn furthest_of_all(input: &[u8], at: usize, Row(row): &Row, others: [u16; 2]) -> Match {
    let mut best = Match::default();
    for place in row.iter().map(|&entry| entry as u16).chain(others) {
        let distance = distance(at, place);
        let found = Match { length: extend(input, at, distance as usize) as u32, distance };
        if found.is_further(best) {
            best = found;
        }
    }
    best
}

/// Octets that are the same at `at` and `distance` before it.
pub(crate) fn extend(input: &[u8], at: usize, distance: usize) -> usize {
    let most = LONGEST.min(input.len() - at);
    let mut length = 0;
    while length < most {
        let differing = load(input, at + length) ^ load(input, at + length - distance);
        if differing != 0 {
            return most.min(length + (differing.trailing_zeros() / 8) as usize);
        }
        length += 8;
    }
    most
}

#[expect(
    clippy::vec_init_then_push,
    reason = "made where it stays: too large for the stack of a thread"
)]
fn empty_tables() -> Box<Tables> {
    let mut tables = Vec::with_capacity(1);
    tables.push(Tables { rows: [Row::EMPTY; ROWS], threes: [0; THREES], long: [0; LONG] });
    let Ok(tables) = <Box<[Tables; 1]>>::try_from(tables) else { unreachable!("one was pushed") };
    let [tables] = *tables;
    Box::new(tables)
}
