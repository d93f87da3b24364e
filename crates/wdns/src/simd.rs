//! The few operations for which vector instructions pay: measured on the way from payload to text.
//!
//! Each has a portable form beside it in the module that uses it; other processors take that one.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::{TextBuffer, name};

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "vector instructions, each behind the test for its feature")]
mod avx2;
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "vector instructions, each behind the test for its feature")]
mod avx512;

/// How wide the vectors are that the processor has, with all operations that are used here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(crate) enum Width {
    /// Not asked yet.
    Unknown,
    /// What every processor of its architecture has.
    Basic,
    /// 256 bits: AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512 bits: AVX-512 with its operations on octets.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The width of this processor, once it has been asked: one load and comparison instead of one for
/// each feature.
static WIDTH: AtomicU8 = AtomicU8::new(Width::Unknown as u8);

/// The width of this processor.
#[inline(always)]
pub(crate) fn width() -> Width {
    match WIDTH.load(Ordering::Relaxed) {
        #[cfg(target_arch = "x86_64")]
        known if known == Width::Avx2 as u8 => Width::Avx2,
        #[cfg(target_arch = "x86_64")]
        known if known == Width::Avx512 as u8 => Width::Avx512,
        known if known == Width::Basic as u8 => Width::Basic,
        _ => ask_processor(),
    }
}

#[cold]
#[inline(never)]
fn ask_processor() -> Width {
    let width = widest();
    WIDTH.store(width as u8, Ordering::Relaxed);
    width
}

#[cfg(target_arch = "x86_64")]
fn widest() -> Width {
    if !std::arch::is_x86_feature_detected!("avx2") {
        Width::Basic
    } else if avx512::available() {
        Width::Avx512
    } else {
        Width::Avx2
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn widest() -> Width {
    Width::Basic
}

/// Characters of base64 text that are written at once.
pub(crate) const BASE64_BLOCK: usize = 32;

/// The room that encoding in base64 needs for so many octets: their text in whole blocks.
#[inline(always)]
pub(crate) fn base64_room(octets: usize) -> usize {
    octets / 3 * 4 + 4 + BASE64_BLOCK
}

/// Appends `octets[start..end]` in base64. False, and nothing done, where there is no fast way.
#[inline(always)]
pub(crate) fn write_base64(out: &mut TextBuffer, octets: &[u8], start: usize, end: usize) -> bool {
    match width() {
        #[cfg(target_arch = "x86_64")]
        Width::Avx2 => avx2::write_base64(out, octets, start, end),
        #[cfg(target_arch = "x86_64")]
        Width::Avx512 => {
            let octets = octets.get(start..end).unwrap_or_default();
            out.base64_by(octets, |room| avx512::base64(octets, room));
            true
        }
        _ => false,
    }
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

/// Appends the complete name at the start of `octets[start..end]` if it needs no escapes and is not
/// longer than a window, and returns how many octets it takes. Nothing else is appended.
#[inline]
pub(crate) fn write_short_name<const JSON: bool>(
    out: &mut TextBuffer,
    octets: &[u8],
    start: usize,
    end: usize,
) -> Option<usize> {
    let len = short_name_text::<JSON>(out.window(), octets, start, end);
    if len > 0 {
        out.advance(len);
        return Some(len + 1);
    }
    // The root.
    let is_root = octets.get(start..end)?.first() == Some(&0);
    is_root.then(|| {
        out.byte(b'.');
        1
    })
}

/// Writes the text of the complete name at the start of `octets[start..end]` into a window if it needs
/// no escapes, is not the root and fits; gives its length, or 0. What is behind it is arbitrary.
#[inline(always)]
pub(crate) fn short_name_text<const JSON: bool>(
    window: &mut [u8; name::WINDOW],
    octets: &[u8],
    start: usize,
    end: usize,
) -> usize {
    match width() {
        #[cfg(target_arch = "x86_64")]
        Width::Avx2 => avx2::short_name_text::<JSON>(window, octets, start, end),
        #[cfg(target_arch = "x86_64")]
        Width::Avx512 => avx512::short_name_text::<JSON>(window, octets, start, end),
        _ => short_name_text_basic::<JSON>(window, octets, start, end),
    }
}

#[inline(never)]
fn short_name_text_basic<const JSON: bool>(
    window: &mut [u8; name::WINDOW],
    octets: &[u8],
    start: usize,
    end: usize,
) -> usize {
    match octets.get(start..end).and_then(<[u8]>::split_first) {
        None | Some((0, _)) => 0,
        Some((&first, labels)) => {
            name::copy_start(window, labels);
            name::set_dots(window, first, labels, name::specials::<JSON>(labels))
        }
    }
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
        __m128i, _mm_add_epi8, _mm_cmpeq_epi8, _mm_cmpgt_epi8, _mm_movemask_epi8, _mm_or_si128,
        _mm_set_epi64x, _mm_set1_epi8,
    };

    use super::SCAN_BLOCK;

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

    /// What all ways to write a short name have in common.
    type NameText = fn(&mut [u8; name::WINDOW], &[u8], usize, usize) -> usize;

    /// The ways that this processor has.
    fn ways<const JSON: bool>() -> Vec<NameText> {
        let mut ways: Vec<NameText> = vec![short_name_text::<JSON>, short_name_text_basic::<JSON>];
        #[cfg(target_arch = "x86_64")]
        if width() != Width::Basic {
            ways.push(avx2::short_name_text::<JSON>);
        }
        ways
    }

    /// The text of a name that needs no escapes, label by label.
    fn naive<const JSON: bool>(wire: &[u8]) -> Option<(Vec<u8>, usize)> {
        let (mut text, mut at) = (Vec::new(), 0);
        loop {
            let length = usize::from(*wire.get(at)?);
            at += 1;
            if length == 0 {
                break;
            }
            let label = wire.get(at..at + length).filter(|_| length <= 63)?;
            if label.iter().any(|&octet| is_special::<JSON>(octet)) {
                return None;
            }
            text.extend(label);
            text.push(b'.');
            at += length;
        }
        if text.is_empty() {
            text.push(b'.');
        }
        (text.len() <= name::WINDOW).then_some((text, at))
    }

    fn every_way_is_naive<const JSON: bool>(wire: &[u8]) {
        let want = naive::<JSON>(wire);
        for (before, behind) in [(0, 0), (0, 100), (20, 0), (40, 20)] {
            let octets = [&vec![b'.'; before], wire, &vec![5; behind]].concat();
            let place = format!("{before}, {behind}");
            let mut out = TextBuffer::new();
            out.byte(b'>');
            let taken = write_short_name::<JSON>(&mut out, &octets, before, before + wire.len());
            let got = taken.map(|taken| (out.as_bytes()[1..].to_vec(), taken));
            assert_eq!(got, want, "{}: {place}", wire.escape_ascii());
            assert!(taken.is_some() || out.as_bytes() == b">", "nothing else is appended");
            // The root is written by what stands around the ways.
            let want = want
                .as_ref()
                .filter(|_| wire.first() != Some(&0))
                .map_or(&[][..], |(text, _)| text);
            for (number, write) in ways::<JSON>().into_iter().enumerate() {
                let mut window = [0; name::WINDOW];
                let len = write(&mut window, &octets, before, before + wire.len());
                assert_eq!(&window[..len], want, "{}: {place}, way {number}", wire.escape_ascii());
            }
        }
    }

    #[test]
    fn every_way_to_write_a_name_is_that_of_the_rule() {
        for len in 0..=80_usize {
            for label in [1, 7, 32, 63] {
                let mut wire = Vec::new();
                let mut left = len;
                while left > 1 {
                    let length = label.min(left - 1);
                    wire.push(length as u8);
                    wire.extend((0..length).map(|n| b'a' + (n % 26) as u8));
                    left -= length + 1;
                }
                wire.push(0);
                every_way_is_naive::<true>(&wire);
                every_way_is_naive::<false>(&wire);
                // Cut, and with an octet of every kind in every place.
                every_way_is_naive::<true>(&wire[..wire.len() - 1]);
                for place in 0..wire.len() {
                    for octet in [0, 3, 0x20, b'"', b'.', b'\\', 0x7e, 0x7f, 0x80, 0xc0, 0xff] {
                        let mut wire = wire.clone();
                        wire[place] = octet;
                        every_way_is_naive::<true>(&wire);
                        every_way_is_naive::<false>(&wire);
                    }
                }
            }
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn both_vector_widths_make_the_same_base64() {
        if width() != Width::Avx512 {
            return;
        }
        let octets: Vec<u8> = (0..=255).chain((0..200).map(|n: u8| n.wrapping_mul(197))).collect();
        for len in 1..octets.len() {
            let (mut wide, mut narrow) = (TextBuffer::new(), TextBuffer::new());
            wide.base64_by(&octets[..len], |room| avx512::base64(&octets[..len], room));
            assert!(avx2::write_base64(&mut narrow, &octets, 0, len));
            assert_eq!(wide.as_bytes(), narrow.as_bytes(), "{len} octets");
        }
    }
}
