//! Round trips through another decoder, and the same octets with and without vector instructions.

use libdeflater::Decompressor;
use proptest::prelude::*;

use crate::{Compressor, Unsuited};

/// Compresses both ways, checks that they agree, that the bound holds and that the input comes back.
fn compressed(input: &[u8]) -> Result<Vec<u8>, Unsuited> {
    let mut compressor = Compressor::new();
    let mut compress = |vectors: bool| {
        compressor.vectors = vectors;
        let mut out = b"before".to_vec();
        let result = compressor.compress_zlib(input, &mut out);
        let stream = out.strip_prefix(b"before").expect("what was there stays").to_vec();
        assert_eq!(result.is_err(), stream.is_empty());
        result.map(|()| stream)
    };
    let result = compress(true);
    assert!(compress(false) == result, "{} octets differ with vectors", input.len());
    assert!(compress(true) == result, "{} octets differ the second time", input.len());
    let stream = result?;
    assert!(stream.len() <= input.len() + 5 * input.len().div_ceil(4_096) + 11);
    let mut back = vec![0; input.len()];
    let len = Decompressor::new().zlib_decompress(&stream, &mut back);
    assert_eq!(len, Ok(input.len()), "{} octets", input.len());
    assert!(back == input, "{} octets", input.len());
    Ok(stream)
}

fn check(input: &[u8]) -> Vec<u8> {
    compressed(input).expect("such octets suit")
}

fn noise(len: usize, seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    let step = |_| {
        state = state.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
        (state >> 24) as u8
    };
    (0..len).map(step).collect()
}

/// Records that share a frame around a few octets of noise.
fn records(len: usize) -> Vec<u8> {
    let noise = noise(len, 7);
    let record = |part: &[u8]| {
        [b"\x08\x02\x10\x01\x2a", &part[..4], b"\x04link\x04info", &part[4..]].concat()
    };
    let mut octets: Vec<u8> = noise.chunks_exact(7).flat_map(record).collect();
    octets.truncate(len);
    octets
}

#[test]
fn every_length_up_to_a_thousand() {
    for len in 0..1_000 {
        check(&noise(len, 3));
        check(&records(len));
    }
}

#[test]
fn lengths_around_the_window_and_stored_blocks() {
    for edge in [1 << 15, 0xffff, 1 << 16, 1 << 17] {
        for len in edge - 3..edge + 3 {
            check(&noise(len, 5));
            check(&records(len));
        }
    }
}

#[test]
fn periods_up_to_the_longest_copy() {
    for period in (1..40).chain([255, 256, 257, 258, 259, 1_000]) {
        let octets: Vec<u8> = noise(period, 9).into_iter().cycle().take(70_000).collect();
        let out = check(&octets);
        assert!(out.len() < 1_600 + period, "period {period}: {} octets", out.len());
    }
}

#[test]
fn copies_from_the_far_end_of_the_window() {
    for distance in [32_767, 32_768, 32_769, 65_535, 65_536, 65_537] {
        let mut octets = noise(distance, 11);
        octets.extend_from_within(..3_000);
        let out = check(&octets);
        assert_eq!(out.len() < distance + 1_000, distance <= 32_768, "{distance}: {}", out.len());
    }
}

#[test]
fn zeros_and_noise_take_what_they_have_to() {
    // The densest stream there is makes 1,032 octets of one.
    assert!(check(&vec![0; 3 << 20]).len() < 3_300);
    let octets = noise(3 << 20, 13);
    assert!(check(&octets).len() < octets.len() + 5 * octets.len().div_ceil(40_000));
}

#[test]
fn known_stream() {
    assert_eq!(check(b""), b"\x78\x9c\x03\x00\x00\x00\x00\x01");
}

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        (any::<u8>(), 1..600_usize).prop_map(|(octet, count)| vec![octet; count]),
        prop::collection::vec(0..4_u8, 0..600),
        (prop::collection::vec(any::<u8>(), 1..20), 1..60_usize)
            .prop_map(|(run, count)| run.repeat(count)),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

#[test]
fn a_copy_that_is_found_late_is_extended_backwards() {
    // Every fourth octet is new, so that hardly any beginning of a piece is known.
    let piece = noise(300, 17);
    let mut octets = noise(20_000, 19);
    for n in 0..200_usize {
        octets.push(n as u8);
        octets.extend_from_slice(&piece[n..n + 40]);
    }
    let out = check(&octets);
    assert!(out.len() < 20_000 + 300 + 200 * 5, "{} octets", out.len());
}

#[test]
fn the_longest_copies_go_on_over_the_end_of_parts_and_blocks() {
    let period = noise(40, 23);
    let octets: Vec<u8> = period.into_iter().cycle().take(17 << 20).collect();
    let out = check(&octets);
    assert!(out.len() < octets.len() / 250, "{} octets", out.len());
}

#[test]
fn short_copies_do_not_suit() {
    let words: Vec<Vec<u8>> = (0..1_000).map(|n| noise(3 + n % 3, n as u32)).collect();
    let prose: Vec<u8> = noise(40_000, 29)
        .iter()
        .zip(noise(40_000, 31))
        .flat_map(|(&one, other)| {
            words[(usize::from(one) << 8 | usize::from(other)) % words.len()].clone()
        })
        .collect();
    assert_eq!(compressed(&prose), Err(Unsuited));
    assert!(compressed(&prose[..30_000]).is_ok(), "too little to tell");
}

#[test]
fn long_copies_do_not_suit_but_what_is_all_alike_does() {
    let frame = noise(30, 37);
    let lines: Vec<u8> =
        noise(20_000, 41).chunks(4).flat_map(|part| [&frame[..], part].concat()).collect();
    assert_eq!(compressed(&lines), Err(Unsuited));
    check(&frame.repeat(2_000));
}

proptest! {
    #[test]
    fn whatever_goes_in_comes_out(octets in pieces()) {
        let _suits = compressed(&octets).is_ok();
    }
}
