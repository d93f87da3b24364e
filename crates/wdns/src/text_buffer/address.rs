//! Addresses as text.

use super::decimal::three_digits;
use super::{HEX_LOWER, Short};

/// Decimal text of an octet with a dot behind it, and its length with the dot.
static OCTET_DECIMAL: [Short<5>; 256] = {
    let mut table = [Short::EMPTY; 256];
    let mut n = 0;
    while n < 256 {
        table[n] = Short::<5>::new(three_digits(n).text()).and(b".");
        n += 1;
    }
    table
};

/// For every set of zero groups of an IPv6 address (group 0 in the lowest bit) the first longest run
/// of at least two: its start and length; a start of 8 when there is none.
static ZERO_RUNS: [(u8, u8); 256] = {
    let mut table = [(8, 1); 256];
    let mut set = 0_u32;
    while set < 256 {
        let mut start = 0;
        while start < 8 {
            let run = (set >> start).trailing_ones() as u8;
            if run > table[set as usize].1 {
                table[set as usize] = (start, run);
            }
            start += run + 1;
        }
        set += 1;
    }
    table
};

/// Octets that an IPv4 address may be written to.
pub(super) const IPV4_ROOM: usize = 28;

/// Octets that an IPv6 address may be written to.
pub(super) const IPV6_ROOM: usize = 64;

/// Writes a dotted quad and returns its length.
#[inline(always)]
pub(super) fn write_ipv4(window: &mut [u8; IPV4_ROOM], address: [u8; 4]) -> usize {
    let mut at = 0;
    for octet in address {
        let text = &OCTET_DECIMAL[usize::from(octet)];
        let [a, b, c, dot, _] = text.octets;
        window[at..at + 4].copy_from_slice(&[a, b, c, dot]);
        at += usize::from(text.len() & 7);
    }
    at - 1
}

/// Writes an IPv6 address and returns the length of its text.
pub(super) fn write_ipv6(window: &mut [u8; IPV6_ROOM], address: [u8; 16]) -> usize {
    let (groups, _) = address.as_chunks::<2>();
    let mut zeros = 0_u8;
    for (i, group) in groups.iter().enumerate() {
        zeros |= u8::from(*group == [0, 0]) << i;
    }
    let (run_start, run_len) = ZERO_RUNS[usize::from(zeros)];
    let (run_start, run_len) = (usize::from(run_start), usize::from(run_len));
    let dotted = run_start == 0 && (run_len == 6 || run_len == 5 && groups[5] == [0xff, 0xff]);
    let shown = if dotted { 6 } else { 8 };
    let mut len = 0;
    let mut at = 0;
    while at < shown {
        if at == run_start {
            // The group before wrote its own colon.
            len -= usize::from(at != 0);
            window[len..len + 2].copy_from_slice(b"::");
            len += 2;
            at += run_len;
        } else {
            let [high, low] = groups[at].map(|octet| HEX_LOWER[usize::from(octet)]);
            let digits = u32::from_le_bytes([high[0], high[1], low[0], low[1]]);
            let group = u16::from_be_bytes(groups[at]);
            let zeros = (group | 1).leading_zeros() / 4;
            let digits = u64::from(digits) | u64::from(b':') << 32;
            window[len..len + 8].copy_from_slice(&(digits >> (8 * zeros)).to_le_bytes());
            len += 5 - zeros as usize;
            at += 1;
        }
    }
    if dotted {
        let [.., a, b, c, d] = address;
        // `::` or `::ffff:` is in front of it.
        let quad = window[len..].first_chunk_mut();
        return len + quad.map_or(0, |quad| write_ipv4(quad, [a, b, c, d]));
    }
    // No colon behind the last group, unless a run follows.
    len - usize::from(run_start + run_len != 8)
}
