//! Type bitmaps: windows of 256 types (RFC 4034 §4.1.2).

use super::Fields;
use crate::{RrType, TextBuffer};

/// Octets of the longest bitmap of one window.
const WINDOW_OCTETS: usize = 32;

/// Octets of a window's length and number.
const WINDOW_HEADER: usize = 2;

/// Appends the types, each followed by a blank; false when a window is cut. Empty windows and a
/// stray last octet are passed over.
pub(crate) fn write(out: &mut TextBuffer, fields: &mut Fields) -> bool {
    if fields.rest().len() < WINDOW_HEADER {
        return false;
    }
    while fields.rest().len() >= WINDOW_HEADER {
        let Some([window, len]) = fields.array() else { return false };
        let Some(octets) = fields.take(len.into()) else { return false };
        for (place, &bits) in octets.iter().enumerate() {
            let mut bits = bits;
            while bits != 0 {
                let bit = bits.leading_zeros() as u16;
                bits &= !(0x80 >> bit);
                // Places beyond a window's 256 types run into the number of the window.
                RrType(u16::from(window) << 8 | (place as u16 * 8 + bit)).write(out);
                out.byte(b' ');
            }
        }
    }
    true
}

/// True when `octets` are whole windows of 1 to 32 octets.
pub(crate) fn is_well_formed(mut octets: &[u8]) -> bool {
    while let [_, len @ 1..=32, rest @ ..] = octets {
        match rest.get(usize::from(*len)..) {
            Some(after) => octets = after,
            None => return false,
        }
    }
    octets.is_empty()
}

/// Appends the windows for some types: ascending, each as short as it can be. Sorts `types`.
pub(crate) fn append(types: &mut [u16], out: &mut Vec<u8>) {
    types.sort_unstable();
    for window in types.chunk_by(|a, b| a >> 8 == b >> 8) {
        let mut octets = [0; WINDOW_OCTETS];
        let mut len = 0;
        for rrtype in window {
            let place = usize::from(rrtype & 0xff) / 8;
            octets[place] |= 0x80 >> (rrtype & 7);
            len = place + 1;
        }
        out.extend_from_slice(&[(window[0] >> 8) as u8, len as u8]);
        out.extend_from_slice(&octets[..len]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_ascending_and_minimal() {
        let mut out = Vec::new();
        append(&mut [256, 1, 47, 46, 1, 15, 65535, 0], &mut out);
        assert_eq!(out[..8], [0, 6, 0xc0, 1, 0, 0, 0, 3]);
        assert_eq!(out[8..11], [1, 1, 0x80]);
        assert_eq!(out[11..13], [255, 32]);
        assert_eq!(out.len(), 13 + 32);
        assert_eq!(out.last(), Some(&1));
    }

    #[test]
    fn no_types_need_no_window() {
        let mut out = Vec::new();
        append(&mut [], &mut out);
        assert_eq!(out, []);
    }

    #[test]
    fn dp_3_messages_want_whole_windows() {
        for (name, octets, want) in [
            ("nothing", &[][..], true),
            ("one window", &[0, 1, 0x40], true),
            ("two windows", &[0, 1, 0x40, 1, 2, 0, 1], true),
            ("empty window", &[0, 0], false),
            ("stray octet", &[0, 1, 0x40, 0], false),
            ("cut", &[0, 2, 0x40], false),
            ("over 32 octets", &[0; 40], false),
        ] {
            assert_eq!(is_well_formed(octets), want, "{name}");
        }
        let mut long = [0xff; 35];
        long[..2].copy_from_slice(&[0, 33]);
        assert!(!is_well_formed(&long));
        long[1] = 32;
        assert!(is_well_formed(&long[..34]));
    }
}
