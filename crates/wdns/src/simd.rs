//! The few operations for which vector instructions pay: measured on the way from payload to text.
//!
//! Each has a portable form beside it in the module that uses it; other processors take that one.

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "vector instructions, each behind the test for its feature")]
mod avx512;

/// Characters of base64 text that are written at once.
pub(crate) const BASE64_BLOCK: usize = 32;

/// Encodes octets in base64 as if zero octets followed them, in whole blocks. False, and nothing
/// done, where there is no fast way.
#[inline]
pub(crate) fn base64(octets: &[u8], blocks: &mut [[u8; BASE64_BLOCK]]) -> bool {
    #[cfg(target_arch = "x86_64")]
    if avx512::available() {
        avx512::base64(octets, blocks.as_flattened_mut());
        return true;
    }
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        x86_64::base64(octets, blocks);
        return true;
    }
    let _ = (octets, blocks);
    false
}

/// Octets that are searched at once.
pub(crate) const SCAN_BLOCK: usize = 32;

/// Which octets of a block are one of two: one bit each, the first octet in the lowest.
#[inline(always)]
pub(crate) fn places(block: &[u8; SCAN_BLOCK], one: u8, other: u8) -> u32 {
    #[cfg(target_arch = "x86_64")]
    return x86_64::places(block, one, other);
    #[cfg(not(target_arch = "x86_64"))]
    return places_portable(block, one, other);
}

#[cfg(any(test, not(target_arch = "x86_64")))]
fn places_portable(block: &[u8; SCAN_BLOCK], one: u8, other: u8) -> u32 {
    let bits = block.iter().zip(0..);
    bits.fold(0, |bits, (&octet, at)| bits | u32::from(octet == one || octet == other) << at)
}

/// Copies labels as far as the window reaches and finds the octets that are special, one bit each,
/// as [`special_in_names`] does. `None`, and nothing done, where there is no fast way.
#[inline(always)]
pub(crate) fn take_labels<const JSON: bool>(window: &mut [u8; 64], labels: &[u8]) -> Option<u64> {
    #[cfg(target_arch = "x86_64")]
    if avx512::available() {
        return Some(avx512::take_labels::<JSON>(window, labels));
    }
    let _ = (window, labels);
    None
}

/// True for a label octet that cannot stand for itself, and for the dot between labels.
#[inline(always)]
pub(crate) fn is_special<const JSON: bool>(octet: u8) -> bool {
    let printable = octet.wrapping_sub(0x21) <= 0x7e - 0x21;
    !printable | (octet == b'.') | (octet == b'\\') | (JSON & (octet == b'"'))
}

/// Finds the octets of a block that cannot stand for themselves in a name's text, the dot among
/// them: one bit each, the first octet in the lowest bit.
#[inline(always)]
pub(crate) fn special_in_names<const JSON: bool>(block: &[u8; 16]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    return x86_64::special_in_names::<JSON>(block);
    #[cfg(not(target_arch = "x86_64"))]
    return special_in_names_portable::<JSON>(block);
}

#[cfg(any(test, not(target_arch = "x86_64")))]
fn special_in_names_portable<const JSON: bool>(block: &[u8; 16]) -> u64 {
    let bits = block.iter().zip(0..);
    bits.fold(0, |bits, (&octet, at)| bits | u64::from(is_special::<JSON>(octet)) << at)
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "vector instructions, each behind the test for its feature")]
mod x86_64 {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_add_epi8, _mm_cmpeq_epi8, _mm_cmpgt_epi8, _mm_loadu_si128,
        _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8, _mm_setr_epi8,
        _mm256_add_epi8, _mm256_adds_epu8, _mm256_and_si256, _mm256_blend_epi16,
        _mm256_broadcastsi128_si256, _mm256_cmpgt_epi8, _mm256_or_si256, _mm256_set_m128i,
        _mm256_set1_epi8, _mm256_set1_epi32, _mm256_shuffle_epi8, _mm256_slli_epi16,
        _mm256_srli_epi16, _mm256_storeu_si256, _mm256_subs_epu8,
    };

    use super::{BASE64_BLOCK, SCAN_BLOCK};

    #[inline(always)]
    pub(super) fn special_in_names<const JSON: bool>(block: &[u8; 16]) -> u64 {
        // SAFETY: every processor of this architecture has SSE2.
        unsafe { special_places::<JSON>(block) }
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn special_places<const JSON: bool>(block: &[u8; 16]) -> u64 {
        let octets = load(block);
        // 0x21–0x7e, moved to the lower end of the signed numbers.
        let moved = _mm_add_epi8(octets, _mm_set1_epi8(0x5f));
        let unprintable = _mm_cmpgt_epi8(moved, _mm_set1_epi8(-0x80 + (0x7e - 0x21)));
        let dot = _mm_cmpeq_epi8(octets, _mm_set1_epi8(b'.' as i8));
        let backslash = _mm_cmpeq_epi8(octets, _mm_set1_epi8(b'\\' as i8));
        let mut special = _mm_or_si128(unprintable, _mm_or_si128(dot, backslash));
        if JSON {
            special = _mm_or_si128(special, _mm_cmpeq_epi8(octets, _mm_set1_epi8(b'"' as i8)));
        }
        _mm_movemask_epi8(special) as u64
    }

    #[inline(always)]
    pub(super) fn places(block: &[u8; SCAN_BLOCK], one: u8, other: u8) -> u32 {
        // SAFETY: every processor of this architecture has SSE2.
        unsafe { equal_places(block, one, other) }
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn equal_places(block: &[u8; SCAN_BLOCK], one: u8, other: u8) -> u32 {
        let (one, other) = (_mm_set1_epi8(one as i8), _mm_set1_epi8(other as i8));
        let (halves, _) = block.as_chunks::<16>();
        let places = |half: &[u8; 16]| {
            let octets = load(half);
            let equal = _mm_or_si128(_mm_cmpeq_epi8(octets, one), _mm_cmpeq_epi8(octets, other));
            _mm_movemask_epi8(equal) as u32
        };
        places(&halves[0]) | places(&halves[1]) << 16
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn load(octets: &[u8; 16]) -> __m128i {
        let octets = u128::from_le_bytes(*octets);
        _mm_set_epi64x((octets >> 64) as i64, octets as i64)
    }

    /// Octets that become one block of base64 text, in two halves.
    const INPUT: usize = 24;

    pub(super) fn base64(octets: &[u8], blocks: &mut [[u8; BASE64_BLOCK]]) {
        let mut padded = [0; 16];
        let octets = match padded.get_mut(..octets.len()) {
            Some(start) => {
                start.copy_from_slice(octets);
                &padded
            }
            None => octets,
        };
        // SAFETY: the only caller has asked the processor for AVX2; there are sixteen octets.
        unsafe { encode_blocks(octets, blocks) }
    }

    /// # Safety
    ///
    /// There are at least sixteen octets.
    #[target_feature(enable = "avx2")]
    unsafe fn encode_blocks(octets: &[u8], blocks: &mut [[u8; BASE64_BLOCK]]) {
        let last = octets.len() - 16;
        // SAFETY: sixteen octets follow each place up to the last.
        let load = |at: usize| unsafe { _mm_loadu_si128(octets.as_ptr().add(at.min(last)).cast()) };
        let mut at = 0;
        for block in blocks {
            let halves = _mm256_set_m128i(load(at + INPUT / 2), load(at));
            // Spread each group of three octets over four, six bits each.
            let spread = _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
            let mut spread = _mm256_broadcastsi128_si256(spread);
            if at + INPUT / 2 > last {
                // At the end, octets are read that come before. Places from sixteen on get their
                // highest bit, so that they give zeros.
                let behind =
                    |at: usize| _mm_set1_epi8((0x70 + at.saturating_sub(last) as u8) as i8);
                let shift = _mm256_set_m128i(behind(at + INPUT / 2), behind(at));
                spread = _mm256_adds_epu8(spread, shift);
            }
            encode_block(_mm256_shuffle_epi8(halves, spread), block);
            at += INPUT;
            if at >= octets.len() {
                break;
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn encode_block(groups: __m256i, block: &mut [u8; BASE64_BLOCK]) {
        // Of every four, the first two in the low word of a pair, the others in the high word.
        let outer = _mm256_and_si256(groups, _mm256_set1_epi32(0x0fc0_fc00));
        let outer = _mm256_blend_epi16::<0xaa>(
            _mm256_srli_epi16::<10>(outer),
            _mm256_srli_epi16::<6>(outer),
        );
        let inner = _mm256_and_si256(groups, _mm256_set1_epi32(0x003f_03f0));
        let inner = _mm256_blend_epi16::<0xaa>(
            _mm256_slli_epi16::<4>(inner),
            _mm256_slli_epi16::<8>(inner),
        );
        let sextets = _mm256_or_si256(outer, inner);
        // The distance from a sextet to its character depends on its range only.
        let range = _mm256_subs_epu8(sextets, _mm256_set1_epi8(51));
        let upper = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), sextets);
        let range = _mm256_or_si256(range, _mm256_and_si256(upper, _mm256_set1_epi8(13)));
        let distances =
            _mm_setr_epi8(71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0, 0);
        let distances = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(distances), range);
        let text = _mm256_add_epi8(distances, sextets);
        // SAFETY: a block has 32 octets.
        unsafe { _mm256_storeu_si256(block.as_mut_ptr().cast(), text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_find_the_octets_that_the_rule_names() {
        for octet in 0..=255 {
            for at in 0..16 {
                let mut block = [b'a'; 16];
                block[at] = octet;
                let plain = special_in_names::<false>(&block);
                assert_eq!(plain, u64::from(is_special::<false>(octet)) << at, "{octet}");
                assert_eq!(plain, special_in_names_portable::<false>(&block), "{octet}");
                let json = special_in_names::<true>(&block);
                assert_eq!(json, special_in_names_portable::<true>(&block), "{octet}");
                let mut window = [0; 64];
                if let Some(places) = take_labels::<true>(&mut window, &block) {
                    assert_eq!(places & 0xffff, json, "{octet}");
                    assert_eq!(
                        take_labels::<false>(&mut window, &block),
                        Some(places & !0xffff | plain)
                    );
                    assert_eq!(window[..16], block);
                }
            }
        }
    }

    #[test]
    fn vectors_find_the_same_octets_as_the_portable_form() {
        let block: [u8; SCAN_BLOCK] = std::array::from_fn(|at| (at * at % 50) as u8);
        for octet in 0..60 {
            let want = places_portable(&block, octet, 7);
            assert_eq!(places(&block, octet, 7), want, "{octet}");
            assert_eq!(places(&block, 7, octet), want, "{octet}");
        }
    }

    #[test]
    fn labels_of_every_length_are_taken_as_far_as_the_window_reaches() {
        let labels: Vec<u8> =
            (0..100).map(|n| if n % 7 == 0 { b'.' } else { b'a' + n % 26 }).collect();
        for len in 0..=labels.len() {
            let labels = &labels[..len];
            let mut window = [0; 64];
            let Some(places) = take_labels::<false>(&mut window, labels) else { continue };
            let taken = len.min(64);
            assert_eq!(window[..taken], labels[..taken]);
            for (at, &octet) in labels[..taken].iter().enumerate() {
                assert_eq!(places >> at & 1 == 1, octet == b'.', "{at} of {len}");
            }
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn both_vector_widths_make_the_same_base64() {
        if !avx512::available() || !std::arch::is_x86_feature_detected!("avx2") {
            return;
        }
        let octets: Vec<u8> = (0..=255).chain((0..200).map(|n: u8| n.wrapping_mul(197))).collect();
        for len in 1..octets.len() {
            let (mut wide, mut narrow) = ([[0; BASE64_BLOCK]; 20], [[0; BASE64_BLOCK]; 20]);
            avx512::base64(&octets[..len], wide.as_flattened_mut());
            x86_64::base64(&octets[..len], &mut narrow);
            let characters = len.div_ceil(3) * 4;
            assert_eq!(
                wide.as_flattened()[..characters],
                narrow.as_flattened()[..characters],
                "{len} octets"
            );
        }
    }
}
