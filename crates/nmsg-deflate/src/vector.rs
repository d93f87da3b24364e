//! The operations of a search with the vector instructions of x86-64.

use std::arch::x86_64::{
    __m256i, _mm_cmpeq_epi16, _mm_cvtsi32_si128, _mm_extract_epi16, _mm_insert_epi16,
    _mm_load_si128, _mm_loadu_si128, _mm_max_epi16, _mm_min_epi16, _mm_movemask_epi8,
    _mm_set1_epi16, _mm_set1_epi32, _mm_setr_epi8, _mm_setzero_si128, _mm_shuffle_epi8,
    _mm_sub_epi16, _mm256_add_epi32, _mm256_and_si256, _mm256_blend_epi16,
    _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_maddubs_epi16, _mm256_movemask_epi8, _mm256_mullo_epi32, _mm256_sad_epu8,
    _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setr_epi8, _mm256_setr_epi32,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_slli_epi32, _mm256_srl_epi32,
    _mm256_storeu_si256,
};
use std::hint::select_unpredictable as select;

use crate::adler::{self, Sums};
use crate::bits::BitWriter;
use crate::finder::{
    AHEAD, BATCH, Batch, Engine, LONG, Match, OCTET, ROWS, Row, SPREAD, Shifts, TAG_SHIFT, THREES,
    Tables, WAYS, offset_bits,
};
use crate::parser::Parser;
use crate::symbols::WINDOW;

/// Proof that the processor has AVX2 and the instructions on bits that came with it.
#[derive(Clone, Copy)]
pub(crate) struct Vector(());

impl Vector {
    pub(crate) fn detect() -> Option<Self> {
        let there = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt");
        there.then_some(Self(()))
    }

    /// Parses the input up to a place or to where too few octets follow.
    pub(crate) fn parse(
        self,
        parser: &mut Parser,
        input: &[u8],
        until: usize,
        bits: &mut BitWriter<'_>,
    ) {
        // SAFETY: a value of this type exists only where these features were found.
        unsafe { parse(self, parser, input, until.min(input.len().saturating_sub(AHEAD)), bits) }
    }

    /// The sums of blocks of octets for Adler-32.
    pub(crate) fn sums(self, blocks: &[[u8; adler::BLOCK]]) -> Sums {
        // SAFETY: as above.
        unsafe { sums(blocks) }
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn parse(
    vector: Vector,
    parser: &mut Parser,
    input: &[u8],
    until: usize,
    bits: &mut BitWriter<'_>,
) {
    parser.parse(vector, input, until, bits);
}

/// How often the sum of sums counts each octet of a vector.
const WEIGHTS: [i8; size_of::<__m256i>()] = {
    let mut weights = [0; size_of::<__m256i>()];
    let mut at = 0;
    while at < weights.len() {
        weights[at] = (weights.len() - at) as i8;
        at += 1;
    }
    weights
};

#[target_feature(enable = "avx2")]
fn sums(octets: &[[u8; size_of::<__m256i>()]]) -> Sums {
    let zero = _mm256_setzero_si256();
    let (mut plain, mut before, mut weighted) = (zero, zero, zero);
    // SAFETY: the arrays have the octets of a vector.
    let load = |octets: *const u8| unsafe { _mm256_loadu_si256(octets.cast()) };
    let weights = load(WEIGHTS.as_ptr().cast());
    for octets in octets {
        let octets = load(octets.as_ptr());
        before = _mm256_add_epi32(before, plain);
        plain = _mm256_add_epi32(plain, _mm256_sad_epu8(octets, zero));
        let pairs = _mm256_maddubs_epi16(octets, weights);
        weighted = _mm256_add_epi32(weighted, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    }
    let sum = |vector: __m256i| {
        let mut words = [0_u32; 8];
        // SAFETY: the array has the octets of a vector.
        unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), vector) };
        words.iter().sum::<u32>()
    };
    Sums { plain: sum(plain), sums: size_of::<__m256i>() as u32 * sum(before) + sum(weighted) }
}

/// The octets at `at`, which these are, that agree with those `back` before, as so many low bits and one more;
/// all bits when 31 or 32 agree.
#[inline(always)]
fn agreeing_bits(input: &[u8], at: usize, octets: __m256i, back: i64) -> u32 {
    let from = at.wrapping_add_signed(back as isize);
    debug_assert!(from < at && at + size_of::<__m256i>() <= input.len());
    // SAFETY: callers have made sure that a vector follows `at`, and that `back` is from -1 to -`at`, so that
    // it leads to a place before `at` and not before the first; the features were found.
    let same = unsafe {
        let earlier = _mm256_loadu_si256(input.as_ptr().add(from).cast());
        _mm256_movemask_epi8(_mm256_cmpeq_epi8(octets, earlier)) as u32
    };
    same ^ same.wrapping_add(1)
}

/// How many octets those bits stand for.
#[inline(always)]
fn octets_of(bits: u32) -> u32 {
    (u32::BITS - bits.leading_zeros()).saturating_sub(1)
}

/// The 32 octets at a place.
#[inline(always)]
fn octets_at(input: &[u8], at: usize) -> __m256i {
    let octets: &[u8; size_of::<__m256i>()] =
        input[at..].first_chunk().expect("callers stay ahead of the end");
    // SAFETY: the array has the octets of a vector; the features were found.
    unsafe { _mm256_loadu_si256(octets.as_ptr().cast()) }
}

/// Bits of how far back, below those that agree.
const KEY_SHIFT: u32 = 31;

/// How far the octets at `at` agree with those so far back, as a number that is the larger the further, and of equals
/// the nearer.
#[inline(always)]
fn key(input: &[u8], at: usize, octets: __m256i, back: i64) -> i64 {
    (i64::from(agreeing_bits(input, at, octets, back)) << KEY_SHIFT) + back
}

/// The larger of two such numbers, without a branch.
#[inline(always)]
fn further(one: i64, other: i64) -> i64 {
    select(other > one, other, one)
}

/// What such a number tells.
#[inline(always)]
fn match_of(key: i64) -> Match {
    let back = key << (i64::BITS - KEY_SHIFT) >> (i64::BITS - KEY_SHIFT);
    let length = octets_of(((key - back) >> KEY_SHIFT) as u32);
    Match { length, distance: back.unsigned_abs() as u32 }
}

impl Engine for Vector {
    #[inline(always)]
    fn hash(self, batch: &mut Batch, input: &[u8], at: usize, shifts: Shifts) {
        for half in [0, BATCH / 2] {
            let octets: &[u8; 24] =
                input[at + half..].first_chunk().expect("callers stay ahead of the end");
            // SAFETY: 24 octets are read, and vectors of eight words stored in either half of arrays of
            // sixteen; the features were found.
            unsafe {
                let vector = |from: usize| {
                    let octets = octets.as_ptr().add(from).cast();
                    _mm256_broadcastsi128_si256(_mm_loadu_si128(octets))
                };
                let words = |octets: __m256i, from: i8| {
                    let first = _mm256_setr_epi8(
                        0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6, 4, 5, 6, 7, 5, 6, 7, 8, 6,
                        7, 8, 9, 7, 8, 9, 10,
                    );
                    let by = _mm256_set1_epi32(i32::from(from) * 0x0101_0101);
                    _mm256_shuffle_epi8(octets, _mm256_add_epi32(first, by))
                };
                let times = |words: __m256i, factor: u32| {
                    _mm256_mullo_epi32(words, _mm256_set1_epi32(factor as i32))
                };
                let offsets = |words: __m256i, bits: u32, offset_bits: u32| {
                    let shifted = _mm256_srl_epi32(words, _mm_cvtsi32_si128(bits as i32));
                    _mm256_and_si256(shifted, _mm256_set1_epi32(offset_bits as i32))
                };
                let store = |array: &mut [u32; BATCH], words: __m256i| {
                    _mm256_storeu_si256(array.as_mut_ptr().add(half).cast(), words);
                };
                let (octets, behind) = (vector(0), vector(8));
                let (first, second) = (words(octets, 0), words(octets, 4));
                let (third, fourth) = (words(behind, 0), words(behind, 4));
                let three = times(first, SPREAD[0] << OCTET);
                let four = times(first, SPREAD[0]);
                let seven = _mm256_add_epi32(four, times(second, SPREAD[1] << OCTET));
                let eight = _mm256_add_epi32(four, times(second, SPREAD[1]));
                let last =
                    _mm256_add_epi32(times(third, SPREAD[2]), times(fourth, SPREAD[3] << OCTET));
                let fifteen = _mm256_add_epi32(eight, last);
                let tags = _mm256_slli_epi32(four, TAG_SHIFT as i32);
                let places = _mm256_add_epi32(
                    _mm256_set1_epi32((at + half) as i32),
                    _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
                );
                let long_bits = offset_bits::<u16>(LONG);
                store(&mut batch.rows, offsets(four, shifts.rows, offset_bits::<Row>(ROWS)));
                store(&mut batch.threes, offsets(three, shifts.threes, offset_bits::<u16>(THREES)));
                let seven = offsets(seven, shifts.long, long_bits);
                let fifteen = offsets(fifteen, shifts.long, long_bits);
                store(&mut batch.sevens, seven);
                store(&mut batch.fifteens, fifteen);
                store(&mut batch.entries, _mm256_blend_epi16::<0xaa>(places, tags));
            }
        }
    }

    #[inline(always)]
    fn show(self, tables: &mut Tables, batch: &Batch, start: usize) {
        let mut show = |n: usize| {
            let place = (start as u16).wrapping_add(n as u16);
            let row = batch.rows[n] as usize;
            let three = batch.threes[n] as usize;
            let seven = batch.sevens[n] as usize;
            let fifteen = batch.fifteens[n] as usize;
            // SAFETY: `hash` gives offsets of elements of their tables only, and a row has so many entries.
            unsafe {
                let row = tables.rows.as_mut_ptr().byte_add(row).cast::<u32>();
                *row.add(n % WAYS) = batch.entries[n];
                *tables.threes.as_mut_ptr().byte_add(three) = place;
                *tables.long.as_mut_ptr().byte_add(seven) = place;
                if n % 2 == 1 {
                    *tables.long.as_mut_ptr().byte_add(fifteen) = place;
                }
            }
        };
        // One after another, so that offsets are constants.
        for four in 0..BATCH / 4 {
            show(4 * four);
            show(4 * four + 1);
            show(4 * four + 2);
            show(4 * four + 3);
        }
    }

    #[inline(always)]
    fn has(self, row: &Row, entry: u32) -> bool {
        // SAFETY: the row has the octets of a vector; the features were found.
        unsafe {
            let entries = _mm_load_si128(row.0.as_ptr().cast());
            // Tags become zero, places negative.
            let differences = _mm_sub_epi16(entries, _mm_set1_epi32(entry as i32));
            let same = _mm_movemask_epi8(_mm_cmpeq_epi16(differences, _mm_setzero_si128()));
            let before = _mm_movemask_epi8(differences);
            before & same >> 1 & 0x2222 != 0
        }
    }

    #[inline(always)]
    fn furthest(self, input: &[u8], at: usize, row: &Row, others: [u16; 2]) -> Match {
        let octets = octets_at(input, at);
        // SAFETY: the row has the octets of a vector; the features were found.
        let [one, two, three, four, five, six] = unsafe {
            let entries = _mm_load_si128(row.0.as_ptr().cast());
            let low = _mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1);
            let places = _mm_shuffle_epi8(entries, low);
            let places = _mm_insert_epi16::<4>(places, others[0].into());
            let places = _mm_insert_epi16::<5>(places, others[1].into());
            let back = _mm_sub_epi16(places, _mm_set1_epi16(at as i16));
            let farthest = _mm_set1_epi16((at.min(WINDOW) as u16).wrapping_neg() as i16);
            let back = _mm_max_epi16(_mm_min_epi16(back, _mm_set1_epi16(-1)), farthest);
            [
                _mm_extract_epi16::<0>(back),
                _mm_extract_epi16::<1>(back),
                _mm_extract_epi16::<2>(back),
                _mm_extract_epi16::<3>(back),
                _mm_extract_epi16::<4>(back),
                _mm_extract_epi16::<5>(back),
            ]
        };
        let key = |back: i32| key(input, at, octets, i64::from(back as i16));
        let (one, two, three) = (key(one), key(two), key(three));
        let (four, five, six) = (key(four), key(five), key(six));
        let best = further(further(further(one, two), further(three, four)), further(five, six));
        match_of(best)
    }

    #[inline(always)]
    fn furthest_of_two(self, input: &[u8], at: usize, places: [u16; 2]) -> Match {
        let octets = octets_at(input, at);
        let farthest = -(at.min(WINDOW) as i64);
        let back =
            |place: u16| i64::from(place.wrapping_sub(at as u16) as i16).min(-1).max(farthest);
        let one = key(input, at, octets, back(places[0]));
        let other = key(input, at, octets, back(places[1]));
        match_of(further(one, other))
    }
}
