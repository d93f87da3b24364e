//! A thousand captures with one or two of a hundred octets changed: the program ends by itself, and its
//! memory stays small.

use crate::golden::mix;
use crate::tool::{Scratch, command};
use nmsg_os::wait_with_usage;
use std::fs;
use std::process::Stdio;

const SEEDS: u64 = 1_000;

/// Captures that go through one run of the program, as inputs of their own.
const BATCH: u64 = 25;

/// Octets that a run may take at most.
const MEMORY: u64 = 256 << 20;

fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Where the record headers of a capture start.
fn records(capture: &[u8]) -> Vec<usize> {
    let mut places = vec![24];
    while let Some(len) =
        capture.get(places[places.len() - 1] + 8..).and_then(|rest| rest.first_chunk())
    {
        places.push(places[places.len() - 1] + 16 + u32::from_le_bytes(*len) as usize);
    }
    places
}

/// Some frames of the capture with octets changed; every fourth time also those of the headers around
/// the frames.
fn mutated(capture: &[u8], records: &[usize], seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let first = xorshift(&mut state) as usize % (records.len() - 101);
    let (start, end) = (records[first], records[first + 100]);
    let mut octets = [&capture[..24], &capture[start..end]].concat();
    let spares_headers = !seed.is_multiple_of(4);
    let is_header = |place: usize| {
        place < 24 || {
            let place = place - 24 + start;
            let next = records.partition_point(|record| *record <= place);
            place < records[next - 1] + 16
        }
    };
    let percent = 1 + seed as usize % 2;
    for _ in 0..octets.len() * percent / 100 {
        let place = xorshift(&mut state) as usize % octets.len();
        if !(spares_headers && is_header(place)) {
            octets[place] = xorshift(&mut state) as u8;
        }
    }
    octets
}

#[test]
fn cp_1_mutated_captures_end_by_themselves_in_little_memory() {
    let capture = fs::read(mix()).expect("the fixture");
    let records = records(&capture);
    let scratch = Scratch::new();
    for batch in 0..SEEDS / BATCH {
        let seeds = (1..=BATCH).map(|number| batch * BATCH + number);
        let mut words = vec!["--keep-going".to_owned(), "-J".to_owned(), "/dev/null".to_owned()];
        let msgtype = ["dnsqr", "ncap", "packet", "pkt"][batch as usize % 4];
        words.extend(["-T".to_owned(), msgtype.to_owned()]);
        for seed in seeds {
            let mut octets = mutated(&capture, &records, seed);
            // A head that is none would end the run before it starts.
            octets[..24].copy_from_slice(&capture[..24]);
            words.extend(["-p".to_owned(), scratch.write(&format!("{seed}.pcap"), &octets)]);
        }
        let mut command = command(&words);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let (status, usage) = wait_with_usage(child.expect("it starts")).expect("it ends");
        assert_eq!(status.code(), Some(0), "{words:?}: {status}");
        assert!(usage.peak_memory < MEMORY, "{} octets for {words:?}", usage.peak_memory);
    }
}
