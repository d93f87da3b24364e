//! Messages made to do harm: truncated, looping, and costly ones.

use crate::{Builder, FIRST, text_of, wire};
use std::time::{Duration, Instant};
use wdns::{Message, MessageScratch, Section, TextBuffer};

fn everything(octets: &[u8]) {
    if let Ok(message) = Message::parse(octets) {
        text_of(&message);
        message.write_json(&mut TextBuffer::new(), &mut MessageScratch::new());
    }
}

#[test]
fn dp_1_no_truncation_does_harm() {
    let builder = Builder::new(0x8180)
        .question(&wire("www.example.com."), 1, 1)
        .answer(FIRST, 5, 300, b"\x03alt\xc0\x10")
        .answer(FIRST, 6, 300, &[&b"\x02ns\xc0\x10\xc0\x0c"[..], &[1; 20]].concat())
        .answer(FIRST, 47, 300, b"\x01a\xc0\x0c\0\x06\x40\x01\0\0\0\x03")
        .answer(FIRST, 65, 300, b"\0\x01\0\0\x01\0\x03\x02h2\0\x04\0\x04\x01\x02\x03\x04")
        .answer(FIRST, 46, 300, &[&[0, 1, 8, 2][..], &[0; 14], b"\xc0\x10", &[9; 32]].concat())
        .record(3, &[0], (41, 1232, 0x8000), b"\0\x08\0\x07\0\x01\x18\0\x0a\x01\x02");
    for len in 0..=builder.octets.len() {
        everything(&builder.octets[..len]);
    }
    // Every octet changed to what steers a reader.
    for at in 0..builder.octets.len() {
        for value in [0, 1, 0x3f, 0x40, 0xbf, 0xc0, 0xff] {
            let mut octets = builder.octets.clone();
            octets[at] = value;
            everything(&octets);
        }
    }
}

/// The time that `run` takes, best of nine.
fn time(mut run: impl FnMut()) -> Duration {
    let best = (0..9).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed()
    });
    best.min().unwrap_or_default()
}

/// Records with owners of one length that differ, and no two of one set.
fn many_sets(count: usize) -> Builder {
    let mut builder = Builder::new(0x8000);
    for n in 0..count {
        // Octets that have no case.
        let (high, low) = (128 + (n / 128) as u8, 128 + (n % 128) as u8);
        builder = builder.answer(&[2, high, low, 0], 1, 1, &[]);
    }
    builder
}

#[test]
fn w_12_gathering_takes_time_linear_in_the_records() {
    // The reference takes 0.3 s for such a message; what counts here is the growth.
    let json = |builder: &Builder| {
        let mut scratch = MessageScratch::new();
        let mut out = TextBuffer::new();
        time(|| {
            let message = Message::parse(&builder.octets).expect("a sound message");
            out.clear();
            message.write_json(&mut out, &mut scratch);
        })
    };
    let (few, many) = (many_sets(584), many_sets(4678));
    assert!(many.octets.len() > 65_000);
    assert_eq!(Message::parse(&many.octets).unwrap().count(Section::Answer), 4678);
    let (few, many) = (json(&few), json(&many));
    assert!(many < Duration::from_millis(10), "{many:?}");
    // Eight times the records: quadratic work would be 64 times as much.
    assert!(many < few * 24 + Duration::from_millis(1), "{few:?} {many:?}");
}

/// A question for `a.` and others whose names are pointers, each to the one before, or to the
/// last that a pointer can lead to.
fn chain(pointers: usize) -> Builder {
    let mut builder = Builder::new(0).question(&wire("a."), 1, 1);
    let mut target = 12;
    for _ in 0..pointers {
        let at = builder.octets.len();
        builder = builder.question(&(0xc000 | target as u16).to_be_bytes(), 1, 1);
        if at < 0x4000 {
            target = at;
        }
    }
    builder
}

#[test]
fn dp_1_chains_of_pointers_cost_time_linear_in_the_message() {
    // The chain has 2,700 pointers; one by one, the 7,700 questions behind it alone would take
    // twenty million steps.
    let parse = |builder: &Builder| {
        time(|| {
            let message = Message::parse(&builder.octets).expect("a sound message");
            let mut out = TextBuffer::new();
            message.questions().for_each(|question| question.write_name::<false>(&mut out));
            assert_eq!(out.len(), 2 * message.count(Section::Question));
        })
    };
    let (short, long) = (chain(1_300), chain(10_400));
    let (short, long) = (parse(&short), parse(&long));
    assert!(long < Duration::from_millis(20), "{long:?}");
    assert!(long < short * 24 + Duration::from_millis(1), "{short:?} {long:?}");
}

#[test]
fn names_of_many_labels_cost_what_they_print() {
    let long = wire(&"a.".repeat(127));
    let mut builder = Builder::new(0).question(&long, 1, 1);
    for _ in 0..4_000 {
        builder = builder.answer(FIRST, 5, 1, FIRST);
    }
    let message = Message::parse(&builder.octets).unwrap();
    let mut out = TextBuffer::new();
    let took = time(|| {
        out.clear();
        message.write_json(&mut out, &mut MessageScratch::new());
    });
    assert!(out.len() > 4_000 * 254);
    assert!(took < Duration::from_millis(50), "{took:?}");
}
