//! Damaged captures: no panic, bounded memory, nothing lost that was read before the damage.

mod common;

use common::convert;
use nmsg_capture::Converter;
use nmsg_capture::dnsqr::Config;
use nmsg_capture::fuzzing::{check_capture, check_filter};

const CAPTURE: &[u8] = include_bytes!("fixtures/dns-mix.pcap");

fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Places in the capture where a record header starts, and the end.
fn boundaries() -> Vec<usize> {
    let mut places = vec![24];
    while let Some(len) =
        CAPTURE.get(places[places.len() - 1] + 8..).and_then(|rest| rest.first_chunk())
    {
        places.push(places[places.len() - 1] + 16 + u32::from_le_bytes(*len) as usize);
    }
    places
}

#[test]
fn flipped_octets_are_harmless() {
    let boundaries = boundaries();
    for seed in 1..=1000_u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // A piece of the capture, so that a thousand of them are quick.
        let start = xorshift(&mut state) as usize % (boundaries.len() - 40);
        let mut file =
            [&CAPTURE[..24], &CAPTURE[boundaries[start]..boundaries[start + 39]]].concat();
        let percent = 1 + seed as usize % 2;
        let spare_lengths = seed % 4 != 0;
        for _ in 0..file.len() * percent / 100 {
            let place = xorshift(&mut state) as usize % file.len();
            let in_record_header = boundaries[start..]
                .iter()
                .any(|at| (*at..*at + 16).contains(&(place + boundaries[start] - 24)));
            if !(spare_lengths && (place < 24 || in_record_header)) {
                file[place] = xorshift(&mut state) as u8;
            }
        }
        if spare_lengths {
            let (_, error) = convert(&file, &mut Converter::pkt(None));
            assert!(error.is_none(), "seed {seed}: {error:?}");
        }
        check_capture(&file);
    }
}

#[test]
fn random_filters_end() {
    let mut state = 0x9e37_79b9_7f4a_7c15;
    for _ in 0..20_000 {
        let len = 1 + xorshift(&mut state) as usize % 8;
        let mut octets = Vec::new();
        for _ in 0..len {
            // Mostly known operations, jumps both ways, and small constants.
            let code = [0x00, 0x30, 0x48, 0x60, 0x04, 0x34, 0x05, 0x05, 0x15, 0x25, 0x07, 0x87];
            let code = code[xorshift(&mut state) as usize % code.len()];
            let k = (xorshift(&mut state) % 16) as i32 - 8;
            octets.extend([code, 0, (xorshift(&mut state) % 3) as u8, 0]);
            octets.extend(k.to_le_bytes());
        }
        octets.extend([0x16, 0, 0, 0, 0, 0, 0, 0]);
        octets.extend([0; 8]);
        octets.extend(xorshift(&mut state).to_le_bytes());
        check_filter(&octets);
    }
}

#[test]
fn dq_6_truncated_captures_keep_what_was_read() {
    let (whole, _) = convert(CAPTURE, &mut Converter::pkt(None));
    for (frames, at) in boundaries().into_iter().enumerate().step_by(7) {
        for cut in [0, 1, 15, 16, 20] {
            let file = &CAPTURE[..(at + cut).min(CAPTURE.len())];
            let (messages, error) = convert(file, &mut Converter::pkt(None));
            let is_whole = cut == 0 || file.len() == CAPTURE.len();
            assert_eq!(error.is_none(), is_whole, "{frames} frames and {cut} octets");
            assert_eq!(messages, whole[..frames], "{frames} frames and {cut} octets");
            if let Some(error) = error {
                assert!(error.is_truncated());
                assert_eq!(error.offset(), at as u64);
            }
            // Pending queries come out whether the end is clean or not.
            let (clean, _) =
                convert(&CAPTURE[..at], &mut Converter::dnsqr(Config::default(), None));
            let (cut_short, _) = convert(file, &mut Converter::dnsqr(Config::default(), None));
            assert_eq!(cut_short, clean, "{frames} frames and {cut} octets");
        }
    }
}
