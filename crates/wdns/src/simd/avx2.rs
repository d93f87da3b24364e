//! Where the processor has AVX2: base64 and labels, 32 octets at a time.

use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm_set1_epi8, _mm_setr_epi8, _mm_shuffle_epi8, _mm256_add_epi8,
    _mm256_adds_epu8, _mm256_and_si256, _mm256_blend_epi16, _mm256_blendv_epi8,
    _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_cmpgt_epi8, _mm256_loadu_si256,
    _mm256_movemask_epi8, _mm256_mullo_epi16, _mm256_or_si256, _mm256_set_m128i, _mm256_set1_epi8,
    _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_setr_epi64x, _mm256_shuffle_epi8,
    _mm256_srli_epi16, _mm256_storeu_si256, _mm256_sub_epi8, _mm256_subs_epu8,
};

use super::BASE64_BLOCK;
use crate::{TextBuffer, name};

/// As [`super::short_name_text`].
#[inline(always)]
pub(super) fn short_name_text<const JSON: bool>(
    window: &mut [u8; name::WINDOW],
    octets: &[u8],
    start: usize,
    end: usize,
) -> usize {
    // SAFETY: the caller has asked for the feature.
    let text = unsafe { name_text::<JSON>(window, octets, start, end) };
    text.unwrap_or_else(|| super::short_name_text_basic::<JSON>(window, octets, start, end))
}

/// As [`short_name_text`]; `None` says nothing. Calls nobody, so that it needs no frame.
#[target_feature(enable = "avx2")]
fn name_text<const JSON: bool>(
    window: &mut [u8; name::WINDOW],
    octets: &[u8],
    start: usize,
    end: usize,
) -> Option<usize> {
    let (&first, labels) = octets.get(start..end)?.split_first()?;
    if first == 0 {
        return None;
    }
    let (len, dots) = name::find_dots(first, labels)?;
    let behind = octets.get(start + 1..)?;
    if let (33.., Some((low, high))) = (len, behind.split_first_chunk()) {
        let low = write_half::<JSON>(window, 0, load(low), dots as u32);
        let high = write_half::<JSON>(window, 32, load(high.first_chunk()?), (dots >> 32) as u32);
        (low == 0 && high << (64 - len) as u32 == 0).then_some(len)
    } else {
        let labels = match behind.first_chunk() {
            Some(labels) => load(labels),
            None => load_end(octets, behind.len())?,
        };
        let special = write_half::<JSON>(window, 0, labels, dots as u32);
        (special << (32 - len.min(32)) as u32 == 0).then_some(len)
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(octets: &[u8; 32]) -> __m256i {
    // SAFETY: there are 32 octets.
    unsafe { _mm256_loadu_si256(octets.as_ptr().cast()) }
}

/// The last octets, fewer than 32, with anything behind them; `None` for so few octets altogether
/// that there is no fast way.
#[inline]
#[target_feature(enable = "avx2")]
fn load_end(octets: &[u8], count: usize) -> Option<__m256i> {
    /// Where each octet comes from when `n` octets at the end go to the start: from `16 - n` on.
    static PLACES: [u8; 32] = {
        let mut places = [0; 32];
        let mut n = 0;
        while n < 32 {
            places[n] = (n % 16) as u8;
            n += 1;
        }
        places
    };
    let last = octets.last_chunk::<16>()?;
    // SAFETY: there are sixteen octets.
    let last = unsafe { _mm_loadu_si128(last.as_ptr().cast()) };
    let shifted = |count: usize| {
        let places = PLACES.get(16 - count..)?.first_chunk::<16>()?;
        // SAFETY: as above.
        let places = unsafe { _mm_loadu_si128(places.as_ptr().cast()) };
        Some(_mm_shuffle_epi8(last, places))
    };
    if count <= 16 {
        return Some(_mm256_set_m128i(last, shifted(count)?));
    }
    let first = octets.get(octets.len() - count..)?.first_chunk::<16>()?;
    // SAFETY: as above.
    let first = unsafe { _mm_loadu_si128(first.as_ptr().cast()) };
    Some(_mm256_set_m128i(shifted(count - 16)?, first))
}

/// Writes half of a window with dots in the places of length octets, and finds the octets that are
/// special, one bit each.
#[inline]
#[target_feature(enable = "avx2")]
fn write_half<const JSON: bool>(
    window: &mut [u8; 64],
    at: usize,
    octets: __m256i,
    dots: u32,
) -> u32 {
    // One octet for every bit.
    let lanes =
        _mm256_setr_epi64x(0, 0x0101_0101_0101_0101, 0x0202_0202_0202_0202, 0x0303_0303_0303_0303);
    let bits = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64.cast_signed());
    let spread = _mm256_shuffle_epi8(_mm256_set1_epi32(dots.cast_signed()), lanes);
    let places = _mm256_cmpeq_epi8(_mm256_and_si256(spread, bits), bits);
    let text = _mm256_blendv_epi8(octets, _mm256_set1_epi8(b'.' as i8), places);
    if let Some(half) = window[at..].first_chunk_mut::<32>() {
        // SAFETY: there are 32 octets.
        unsafe { _mm256_storeu_si256(half.as_mut_ptr().cast(), text) }
    }
    special::<JSON>(octets) & !dots
}

/// As [`super::special_in_names`], for 32 octets.
#[inline]
#[target_feature(enable = "avx2")]
fn special<const JSON: bool>(octets: __m256i) -> u32 {
    // 0x21–0x7e, moved to the lower end of the signed numbers.
    let moved = _mm256_add_epi8(octets, _mm256_set1_epi8(0x5f));
    let unprintable = _mm256_cmpgt_epi8(moved, _mm256_set1_epi8(-0x80 + (0x7e - 0x21)));
    let dot = _mm256_cmpeq_epi8(octets, _mm256_set1_epi8(b'.' as i8));
    let backslash = _mm256_cmpeq_epi8(octets, _mm256_set1_epi8(b'\\' as i8));
    let mut special = _mm256_or_si256(unprintable, _mm256_or_si256(dot, backslash));
    if JSON {
        let quote = _mm256_cmpeq_epi8(octets, _mm256_set1_epi8(b'"' as i8));
        special = _mm256_or_si256(special, quote);
    }
    _mm256_movemask_epi8(special) as u32
}

/// Octets that become one block of base64 text, in two halves.
const INPUT: usize = 24;

/// Fewer octets than this have no fast way.
pub(super) const LEAST: usize = 16;

/// As [`super::write_base64`].
#[inline(always)]
pub(super) fn write_base64(out: &mut TextBuffer, octets: &[u8], start: usize, end: usize) -> bool {
    // SAFETY: the caller has asked for the feature.
    octets.len() >= LEAST && unsafe { append(out, octets, start, end) }
}

/// What the second and fourth sextet of a group are multiplied with.
static FACTORS: u32 = 0x0100_0010;

#[target_feature(enable = "avx2")]
fn append(out: &mut TextBuffer, octets: &[u8], start: usize, end: usize) -> bool {
    let Some(encoded) = octets.get(start..end).filter(|_| octets.len() >= LEAST) else {
        return false;
    };
    out.base64_by(encoded, |room| {
        if room.len() >= super::base64_room(encoded.len()) {
            // SAFETY: what is asked for was tested.
            unsafe { encode(octets, start, end, room.as_mut_ptr()) }
        }
    });
    true
}

/// # Safety
///
/// There are at least [`LEAST`] octets, `start..end` is a range of them, and there is the room of
/// [`super::base64_room`] at `to`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn encode(octets: &[u8], start: usize, end: usize, mut to: *mut u8) {
    // Spread each group of three octets over four, six bits each.
    let spread = _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
    let spread = _mm256_broadcastsi128_si256(spread);
    // The compiler would make several shifts of a multiplication with factors that it knows.
    // SAFETY: a reference can be read.
    let factors = unsafe { std::ptr::read_volatile(&FACTORS) };
    let factors = _mm256_set1_epi32(factors.cast_signed());
    let last = octets.len() - LEAST;
    let mut at = start;
    // Both halves can be loaded where they are.
    while at < end && at + INPUT / 2 <= last {
        // SAFETY: sixteen octets follow each place up to `last`; there is room for a block.
        unsafe {
            let low = octets.as_ptr().add(at);
            let halves = load_halves(low, low.add(INPUT / 2));
            let text = encode_block(_mm256_shuffle_epi8(halves, spread), factors);
            _mm256_storeu_si256(to.cast(), text);
            to = to.add(BASE64_BLOCK);
        }
        at += INPUT;
    }
    while at < end {
        // Octets are read that come before. Places from sixteen on get their highest bit, so that
        // they give zeros.
        let (low, high) = (at.min(last), (at + INPUT / 2).min(last));
        let shift = _mm256_set_m128i(
            _mm_set1_epi8((0x70 + (at + INPUT / 2 - high) as u8) as i8),
            _mm_set1_epi8((0x70 + (at - low) as u8) as i8),
        );
        let spread = _mm256_adds_epu8(spread, shift);
        // SAFETY: as above.
        unsafe {
            let halves = load_halves(octets.as_ptr().add(low), octets.as_ptr().add(high));
            let text = encode_block(_mm256_shuffle_epi8(halves, spread), factors);
            _mm256_storeu_si256(to.cast(), text);
            to = to.add(BASE64_BLOCK);
        }
        at += INPUT;
    }
}

/// # Safety
///
/// Sixteen octets can be read at both places.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn load_halves(low: *const u8, high: *const u8) -> __m256i {
    // SAFETY: what the caller vouches for.
    unsafe { _mm256_set_m128i(_mm_loadu_si128(high.cast()), _mm_loadu_si128(low.cast())) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn encode_block(groups: __m256i, factors: __m256i) -> __m256i {
    // Of every four sextets, the first and third move right, the second and fourth left.
    let outer = _mm256_and_si256(groups, _mm256_set1_epi32(0x0fc0_fc00));
    let outer =
        _mm256_blend_epi16::<0xaa>(_mm256_srli_epi16::<10>(outer), _mm256_srli_epi16::<6>(outer));
    let inner = _mm256_and_si256(groups, _mm256_set1_epi32(0x003f_03f0));
    let sextets = _mm256_or_si256(outer, _mm256_mullo_epi16(inner, factors));
    // The distance from a sextet to its character depends on its range only: 0 for the capital
    // letters, 1 for the small ones, then one for each of the others.
    let range = _mm256_subs_epu8(sextets, _mm256_set1_epi8(51));
    let beyond = _mm256_cmpgt_epi8(sextets, _mm256_set1_epi8(25));
    let range = _mm256_sub_epi8(range, beyond);
    let distances = _mm_setr_epi8(65, 71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 0, 0);
    let distances = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(distances), range);
    _mm256_add_epi8(distances, sextets)
}
