//! Bodies of fuzz targets: ordinary functions that panic when a promise is broken, whatever the
//! octets. Tests run them over mutated samples.

use std::time::Duration;

use super::{
    ContainerBody, ContainerBuilder, Decoder, Deflater, Deframer, Frame, Fullness, Header,
    Inflater, MAX_BUFFER, StoredPayload, StreamReader,
};
use crate::Limits;
use crate::wire::varint_len;

/// Limits small enough for a fuzzer to reach.
fn limits() -> Limits {
    Limits::default().with_container_body(1 << 20).with_pending_fragments(1 << 20)
}

/// Decodes a message that may be a container, and checks that copies of its records are the same
/// records.
///
/// # Panics
///
/// When a copy differs from what it was copied from.
pub fn check_container(octets: &[u8]) {
    if let Some(body) = octets.get(Header::LEN..) {
        check_runs(body);
    }
    let mut decoder = Decoder::new(&limits());
    // Twice: nothing may be left over from the first time, except a fragment.
    for _ in 0..2 {
        let Ok(Some(container)) = decoder.decode_message(octets, (), Duration::ZERO) else {
            continue;
        };
        assert_eq!(container.payloads().len(), container.len());
        let mut written = ContainerBuilder::new(MAX_BUFFER, false);
        let mut copied = ContainerBuilder::new(MAX_BUFFER, false);
        for record in container.payloads() {
            let _: bool = record.crc_matches();
            written.push(&record.payload, record.calculated_crc());
            match record.encoded {
                Some(encoded) => copied.push_encoded(encoded, record.calculated_crc()),
                None => copied.push(&record.payload, record.calculated_crc()),
            }
        }
        let written = written.finish(None).expect("what was read fits").to_vec();
        assert_eq!(written, copied.finish(None).expect("what was read fits"));
        let mut again = Decoder::new(&Limits::default());
        let again = again.decode_message(&written, (), Duration::ZERO).expect("our own output");
        let again = again.expect("our own output is not a fragment");
        assert!(
            again
                .payloads()
                .map(|record| record.payload)
                .eq(container.payloads().map(|record| record.payload))
        );
        assert!(again.payloads().all(|record| record.crc_matches() && record.stored_crc.is_some()));
    }
}

/// Indexes octets as the body of a container, and checks that what is said about all records and copies
/// of several at once agree with what single records say.
fn check_runs(octets: &[u8]) {
    let mut index = ContainerBody::new();
    if index.decode(octets).is_err() {
        return;
    }
    let around = [b"in front", octets, b"behind"].concat();
    let all = (0..index.len()).all(|position| index.crc_matches(position, octets));
    let body = 8..8 + octets.len();
    assert_eq!(index.all_crcs_match(&around, body.clone()), all);
    let mut summing = ContainerBody::new();
    summing.decode_summing(&around, body.clone()).expect("it was decoded before");
    assert_eq!(summing.all_crcs_match(&around, body), all);
    for position in 0..index.len() {
        let fits = index.crc_matches(position, octets);
        assert_eq!(summing.crc_matches(position, octets), fits);
        assert_eq!(summing.encoded(position, octets), index.encoded(position, octets));
    }
    let end = index.run_end();
    assert!(end <= index.len() && index.run(0..end + 1, octets).is_none());
    for range in [0..end, 0..end / 2, end / 2..end, end..end] {
        let Some(run) = index.run(range.clone(), octets) else { continue };
        let (mut single, mut several) =
            (ContainerBuilder::new(MAX_BUFFER, true), ContainerBuilder::new(MAX_BUFFER, true));
        let taken = several.add_run(&run);
        for position in range.start..range.start + taken {
            let encoded = index.encoded(position, octets).expect("of the usual form");
            let fullness = single.add_encoded(&encoded).expect("less than the largest");
            assert_eq!(fullness, Fullness::Fits);
        }
        assert!(taken == run.len() || octets.len() > MAX_BUFFER / 2);
        let several = several.finish(None).expect("what was read fits").to_vec();
        assert_eq!(several, single.finish(None).expect("what was read fits"));
    }
}

/// What reading a stream gave, in short.
#[derive(Debug, Default, Eq, PartialEq)]
struct Summary {
    records: u64,
    body_octets: u64,
    checksums: u64,
    errors: Vec<String>,
    empty: u64,
    skipped: u64,
}

fn read<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> Summary {
    let mut reader = StreamReader::new(&limits());
    let mut summary = Summary::default();
    let mut drain = |reader: &mut StreamReader| {
        while let Some(container) = reader.next_container() {
            let container = match container {
                Ok(container) => container,
                Err(error) => {
                    summary.errors.push(error.to_string());
                    continue;
                }
            };
            for record in container.payloads() {
                let StoredPayload { payload, stored_crc, .. } = record;
                summary.records += 1;
                summary.body_octets += payload.body.map_or(0, <[u8]>::len) as u64;
                let sum = stored_crc.unwrap_or(varint_len(summary.records) as u32);
                summary.checksums = summary.checksums.rotate_left(7) ^ u64::from(sum);
            }
        }
    };
    for chunk in chunks {
        reader.feed(chunk);
        drain(&mut reader);
    }
    reader.end();
    drain(&mut reader);
    assert!(reader.is_finished(), "the end is reached");
    assert!(reader.next_container().is_none(), "and stays reached");
    summary.empty = reader.deframer().empty_containers();
    summary.skipped = reader.deframer().skipped_octets();
    summary
}

/// Reads a stream at once and in pieces, and checks that the result is the same and that the work
/// stays within bounds.
///
/// # Panics
///
/// When results differ, or more octets are handed out than the bounds allow.
pub fn check_stream(octets: &[u8]) {
    let whole = read(std::iter::once(octets));
    let step = 1 + octets.iter().map(|octet| usize::from(*octet)).sum::<usize>() % 97;
    assert_eq!(read(octets.chunks(step)), whole, "in pieces of {step}");

    let mut deframer = Deframer::new(&limits());
    deframer.feed(octets);
    deframer.end();
    let (mut frames, mut handed_out) = (0, 0);
    while let Some(frame) = deframer.next_frame() {
        frames += 1;
        if let Frame::Whole(container) | Frame::CutShort(container, _) = frame {
            assert!(!container.body.is_empty() || container.header.body_len > 0);
            handed_out += container.body.len();
        }
    }
    assert!(frames <= octets.len(), "{frames} frames from {} octets", octets.len());
    assert!(handed_out <= octets.len() * 10, "{handed_out} octets from {}", octets.len());
}

/// Compresses octets as the body of a container, and inflates what has become of them.
///
/// # Panics
///
/// When that is something else, or larger than stored octets and what is said about them.
pub fn check_compression(octets: &[u8]) {
    let (mut body, mut inflated) = (Vec::new(), Vec::new());
    let (mut deflater, mut limits) = (Deflater::new(), limits());
    limits.inflated_body = u32::MAX;
    for round in ["the first", "the second"] {
        body.clear();
        deflater.deflate(octets, &mut body).expect("the size fits 32 bits");
        Inflater::new()
            .inflate(&body, &mut inflated, &limits)
            .unwrap_or_else(|error| panic!("{round} time: {error}"));
        assert!(inflated == octets, "{round} time, {} octets", octets.len());
        assert!(body.len() <= octets.len() + octets.len().div_ceil(4096) * 5 + 32);
    }
}
