//! Where the processor has AVX-512 with its operations on octets: loads that stop at the end of
//! what there is need no branch on its length.

use std::arch::x86_64::{
    _mm512_cmpeq_epi8_mask, _mm512_cmpgt_epu8_mask, _mm512_loadu_si512, _mm512_mask_storeu_epi8,
    _mm512_maskz_loadu_epi8, _mm512_multishift_epi64_epi8, _mm512_permutexvar_epi8,
    _mm512_set1_epi8, _mm512_set1_epi64, _mm512_storeu_si512, _mm512_sub_epi8,
};

use crate::name;

/// Octets that become 64 characters of base64 text.
const INPUT: usize = 48;

/// For every octet of text the octet of the input that it starts in: the first group of three is
/// 1, 0, 2, 1.
static SPREAD: [u8; 64] = {
    let mut places = [0; 64];
    let mut n = 0;
    while n < 64 {
        places[n] = (n / 4 * 3) as u8 + [1, 0, 2, 1][n % 4];
        n += 1;
    }
    places
};

/// Where the six bits of each character start in a spread pair of groups.
const SHIFTS: i64 = i64::from_le_bytes([10, 4, 22, 16, 42, 36, 54, 48]);

static ALPHABET: [u8; 64] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// True when the functions of this module may be used.
#[inline(always)]
pub(super) fn available() -> bool {
    std::arch::is_x86_feature_detected!("avx512bw")
        && std::arch::is_x86_feature_detected!("avx512vbmi")
}

/// One bit for each of the first `len` octets of a vector.
#[inline(always)]
fn first(len: usize) -> u64 {
    u64::MAX.checked_shl(len as u32).map_or(u64::MAX, |behind| !behind)
}

/// Writes the text of octets in base64, for any room, exactly as far as the room reaches.
#[inline]
pub(super) fn base64(octets: &[u8], room: &mut [u8]) {
    // SAFETY: the caller has asked for the features.
    unsafe { encode(octets, room) }
}

#[target_feature(enable = "avx512bw,avx512vbmi")]
fn encode(octets: &[u8], room: &mut [u8]) {
    // SAFETY: both tables have 64 octets.
    let (spread, alphabet) = unsafe {
        (_mm512_loadu_si512(SPREAD.as_ptr().cast()), _mm512_loadu_si512(ALPHABET.as_ptr().cast()))
    };
    let shifts = _mm512_set1_epi64(SHIFTS);
    for (input, text) in octets.chunks(INPUT).zip(room.chunks_mut(64)) {
        // SAFETY: the mask leaves out what is not part of the slice.
        let input = unsafe { _mm512_maskz_loadu_epi8(first(input.len()), input.as_ptr().cast()) };
        let sextets = _mm512_multishift_epi64_epi8(shifts, _mm512_permutexvar_epi8(spread, input));
        let characters = _mm512_permutexvar_epi8(sextets, alphabet);
        let mask = first(text.len());
        // SAFETY: the mask leaves out what is not part of the slice.
        unsafe { _mm512_mask_storeu_epi8(text.as_mut_ptr().cast(), mask, characters) }
    }
}

/// As [`super::short_name_text`].
#[inline(always)]
pub(super) fn short_name_text<const JSON: bool>(
    window: &mut [u8; name::WINDOW],
    octets: &[u8],
    start: usize,
    end: usize,
) -> usize {
    // SAFETY: the caller has asked for the feature.
    unsafe { name_text::<JSON>(window, octets, start, end) }
}

#[target_feature(enable = "avx512bw")]
fn name_text<const JSON: bool>(
    window: &mut [u8; name::WINDOW],
    octets: &[u8],
    start: usize,
    end: usize,
) -> usize {
    match octets.get(start..end).and_then(<[u8]>::split_first) {
        None | Some((0, _)) => 0,
        Some((&length, labels)) => {
            let specials = take_labels::<JSON>(window, labels);
            name::set_dots(window, length, labels, specials)
        }
    }
}

/// Copies the labels as far as the window reaches, and finds the special ones among them, one bit
/// each, as [`super::special_in_names`] does.
#[inline]
#[target_feature(enable = "avx512bw")]
fn take_labels<const JSON: bool>(window: &mut [u8; 64], labels: &[u8]) -> u64 {
    // SAFETY: the mask leaves out what is not part of the slice; the window has 64 octets.
    let octets = unsafe {
        let octets = _mm512_maskz_loadu_epi8(first(labels.len()), labels.as_ptr().cast());
        _mm512_storeu_si512(window.as_mut_ptr().cast(), octets);
        octets
    };
    let moved = _mm512_sub_epi8(octets, _mm512_set1_epi8(0x21));
    let unprintable = _mm512_cmpgt_epu8_mask(moved, _mm512_set1_epi8(0x7e - 0x21));
    let dot = _mm512_cmpeq_epi8_mask(octets, _mm512_set1_epi8(b'.' as i8));
    let backslash = _mm512_cmpeq_epi8_mask(octets, _mm512_set1_epi8(b'\\' as i8));
    let special = unprintable | dot | backslash;
    if JSON {
        special | _mm512_cmpeq_epi8_mask(octets, _mm512_set1_epi8(b'"' as i8))
    } else {
        special
    }
}
