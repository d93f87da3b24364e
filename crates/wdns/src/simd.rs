//! The few operations for which vector instructions pay: measured on the way from payload to text.
//!
//! Each has a portable form beside it in the module that uses it; other processors take that one.

/// Encodes as many octets in base64 as whole vectors cover and returns how many that were, a
/// multiple of 3.
#[inline]
pub(crate) fn base64(octets: &[u8], room: &mut [u8]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if octets.len() >= 16 && std::arch::is_x86_feature_detected!("ssse3") {
        return x86_64::base64(octets, room);
    }
    let _ = (octets, room);
    0
}

/// Finds the octets of a block that cannot stand for themselves in a name's text, the dot among
/// them: one bit each, the first octet in the lowest bit. `None` where there is no fast way.
#[inline(always)]
pub(crate) fn special_in_names<const JSON: bool>(block: &[u8; 16]) -> Option<u64> {
    #[cfg(target_arch = "x86_64")]
    return Some(x86_64::special_in_names::<JSON>(block));
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = block;
        None
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "vector instructions, each behind the test for its feature")]
mod x86_64 {
    use std::arch::x86_64::{
        __m128i, _mm_add_epi8, _mm_and_si128, _mm_cmpeq_epi8, _mm_cmpgt_epi8, _mm_cvtsi128_si64,
        _mm_movemask_epi8, _mm_mulhi_epu16, _mm_mullo_epi16, _mm_or_si128, _mm_set_epi64x,
        _mm_set1_epi8, _mm_set1_epi32, _mm_setr_epi8, _mm_shuffle_epi8, _mm_subs_epu8,
        _mm_unpackhi_epi64,
    };

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

    #[inline]
    #[target_feature(enable = "sse2")]
    fn load(octets: &[u8; 16]) -> __m128i {
        let octets = u128::from_le_bytes(*octets);
        _mm_set_epi64x((octets >> 64) as i64, octets as i64)
    }

    pub(super) fn base64(octets: &[u8], room: &mut [u8]) -> usize {
        // SAFETY: the only caller has asked the processor for SSSE3.
        unsafe { encode_groups(octets, room) }
    }

    /// Twelve octets become sixteen characters at a time; sixteen are read.
    #[target_feature(enable = "ssse3")]
    fn encode_groups(octets: &[u8], room: &mut [u8]) -> usize {
        let mut done = 0;
        for quads in room.as_chunks_mut::<16>().0 {
            let Some(input) = octets.get(done..).and_then(|rest| rest.first_chunk::<16>()) else {
                break;
            };
            let text = encode_one(load(input));
            let low = _mm_cvtsi128_si64(text) as u64;
            let high = _mm_cvtsi128_si64(_mm_unpackhi_epi64(text, text)) as u64;
            *quads = (u128::from(low) | u128::from(high) << 64).to_le_bytes();
            done += 12;
        }
        done
    }

    #[inline]
    #[target_feature(enable = "ssse3")]
    fn encode_one(input: __m128i) -> __m128i {
        // Spread each group of three octets over four, six bits each.
        let spread = _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
        let groups = _mm_shuffle_epi8(input, spread);
        let outer = _mm_and_si128(groups, _mm_set1_epi32(0x0fc0_fc00));
        let outer = _mm_mulhi_epu16(outer, _mm_set1_epi32(0x0400_0040));
        let inner = _mm_and_si128(groups, _mm_set1_epi32(0x003f_03f0));
        let inner = _mm_mullo_epi16(inner, _mm_set1_epi32(0x0100_0010));
        let sextets = _mm_or_si128(outer, inner);
        // The distance from a sextet to its character depends on its range only.
        let range = _mm_subs_epu8(sextets, _mm_set1_epi8(51));
        let upper = _mm_cmpgt_epi8(_mm_set1_epi8(26), sextets);
        let range = _mm_or_si128(range, _mm_and_si128(upper, _mm_set1_epi8(13)));
        let distances =
            _mm_setr_epi8(71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0, 0);
        _mm_add_epi8(_mm_shuffle_epi8(distances, range), sextets)
    }
}
