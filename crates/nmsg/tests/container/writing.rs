//! Writers: container boundaries, sequence, fragments, failures (`container-and-io` §1.5 to §1.8,
//! §3.2, `decisions` §3).

use std::time::Duration;

use nmsg::container::{
    Container, ContainerBuilder, ContainerWriter, Decoder, Fragment, Fullness, Header, MAX_BUFFER,
    WriterSettings,
};
use nmsg::{Error, Labels, Limits, Payload};

use crate::{payload, records};

const ID: u64 = 0x0123_4567_89ab_cdef;

fn datagrams(buffer: usize) -> WriterSettings {
    WriterSettings { buffer, ..WriterSettings::datagram(ID, 1) }
}

/// Writes all records and flushes; gives the octets as they were emitted.
fn write(settings: WriterSettings, payloads: &[Payload<'_>]) -> Vec<Vec<u8>> {
    let mut writer = ContainerWriter::new(settings);
    let mut out = Vec::new();
    let mut emit = |octets: &[u8]| {
        out.push(octets.to_vec());
        Ok::<(), Error>(())
    };
    for payload in payloads {
        writer.write(payload, None, &mut emit).unwrap();
    }
    writer.flush(&mut emit).unwrap();
    let counts = *writer.counts();
    assert_eq!((counts.payloads, counts.lost_payloads), (payloads.len() as u64, 0));
    assert_eq!(writer.pending(), 0);
    out
}

/// Reads everything back; fragments are put together.
fn read(containers: &[Vec<u8>], mut with: impl FnMut(Container<'_>)) {
    let mut decoder = Decoder::new(&Limits::default());
    for octets in containers {
        if let Some(container) = decoder.decode_message(octets, (), Duration::ZERO).unwrap() {
            with(container);
        }
    }
    assert_eq!(decoder.pending_sets(), 0);
}

/// Bodies of many lengths, compressible (`a` repeated) or not.
fn bodies(count: usize, longest: usize, compressible: bool) -> Vec<Vec<u8>> {
    let mut state = 12_345_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        (state >> 33) as usize
    };
    (0..count)
        .map(|_| {
            let len = random() % longest;
            (0..len).map(|_| if compressible { b'a' } else { random() as u8 }).collect()
        })
        .collect()
}

#[test]
fn what_is_written_is_read_in_every_setting() {
    for (longest, compressible) in [(200, false), (5000, false), (5000, true)] {
        let bodies = bodies(300, longest, compressible);
        let payloads: Vec<Payload<'_>> = bodies.iter().map(|body| payload(body)).collect();
        for buffer in [512, 1280, 8192, MAX_BUFFER] {
            for (zlib, unbuffered, fragmenting) in (0..8).map(|n| (n & 1 > 0, n & 2 > 0, n & 4 > 0))
            {
                let settings =
                    WriterSettings { zlib, unbuffered, fragmenting, ..datagrams(buffer) };
                let name = format!("{settings:?}, up to {longest}");
                let sent = write(settings, &payloads);
                let (mut read_back, mut sequence) = (0, 0);
                read(&sent, |container| {
                    assert_eq!(container.sequence(), Some(sequence), "{name}");
                    assert_eq!(container.sequence_id(), Some(ID), "{name}");
                    assert!(!unbuffered || container.len() == 1, "{name}");
                    for record in container.payloads() {
                        assert!(record.crc_matches() && record.stored_crc.is_some(), "{name}");
                        assert_eq!(record.payload, payloads[read_back], "{name}");
                        read_back += 1;
                    }
                    sequence += 1;
                });
                assert_eq!(read_back, payloads.len(), "{name}");
                assert!(!fragmenting || sent.iter().all(|octets| octets.len() <= buffer), "{name}");
                let fragments = sent.iter().filter(|octets| octets[4] & 2 != 0).count();
                assert!(fragmenting || fragments == 0, "{name}");
                assert!(sent.iter().all(|octets| octets[4] & 1 == u8::from(zlib)), "{name}");
            }
        }
    }
}

#[test]
fn cw_1_an_oversize_record_that_compresses_well_has_a_header() {
    let body = vec![b'a'; 3000];
    let sent = write(WriterSettings { zlib: true, ..datagrams(1280) }, &[payload(&body)]);
    assert_eq!(sent.len(), 1);
    let (header, _) = Header::parse_message(&sent[0]).unwrap();
    assert!(header.flags.is_zlib() && !header.flags.is_fragment());
    read(&sent, |container| {
        assert_eq!(container.get(0).unwrap().payload, payload(&body));
    });
}

#[test]
fn cw_2_only_lone_records_are_fragmented() {
    let (small, large) = (vec![1; 100], vec![2; 2000]);
    let payloads = [payload(&small), payload(&small), payload(&large), payload(&small)];
    let sent = write(datagrams(512), &payloads);
    let flags: Vec<u8> = sent.iter().map(|octets| octets[4]).collect();
    assert_eq!(flags, [0, 2, 2, 2, 2, 2, 0]);
    let mut records = Vec::new();
    read(&sent, |container| records.push(container.len()));
    assert_eq!(records, [2, 1, 1]);
}

#[test]
fn cw_3_every_record_has_a_checksum() {
    let absent = Payload { body: None, ..payload(b"") };
    let mut builder = ContainerBuilder::new(MAX_BUFFER, false);
    for payload in [payload(b"abc"), payload(b""), absent] {
        builder.add(&payload, None).unwrap();
    }
    builder.add(&payload(b"trusted"), Some(0x0102_0304)).unwrap();
    let octets = builder.finish(None).unwrap();
    let stored: Vec<_> = records(&octets[10..]).unwrap().iter().map(|r| r.stored_crc).collect();
    assert_eq!(stored, [Some(0xb73f_4b36), Some(0), Some(0), Some(0x0403_0201)]);
}

#[test]
fn cw_4_and_cw_5_sequence_numbers_follow_the_order_of_sending() {
    let large = vec![2; 2000];
    let payloads = [payload(b"a"), payload(&large), payload(b"b"), payload(&large)];
    let sent = write(datagrams(512), &payloads);
    let mut numbers = Vec::new();
    read(&sent, |container| numbers.push(container.sequence().unwrap()));
    assert_eq!(numbers, [0, 1, 2, 3], "a fragmented container has one number");
    for settings in
        [WriterSettings::file(0), WriterSettings { zlib: true, ..WriterSettings::file(0) }]
    {
        read(&write(settings, &payloads), |container| {
            assert_eq!((container.sequence(), container.sequence_id()), (None, None));
        });
    }
}

#[test]
fn cw_6_an_empty_message_is_written_with_its_member() {
    let sent = write(WriterSettings::file(0), &[payload(b"")]);
    assert!(sent[0].windows(7).any(|octets| octets == b"\x25\x06\0\0\0\x2a\x00"));
}

#[test]
fn cw_7_containers_leave_when_full_on_flush_or_at_once() {
    let mut emitted = 0;
    let mut emit = |_: &[u8]| {
        emitted += 1;
        Ok::<(), Error>(())
    };
    let mut writer = ContainerWriter::new(datagrams(8192));
    writer.flush(&mut emit).unwrap();
    writer.write(&payload(b"a"), None, &mut emit).unwrap();
    assert_eq!((writer.pending(), writer.counts().containers), (1, 0));
    writer.flush(&mut emit).unwrap();
    writer.flush(&mut emit).unwrap();
    assert_eq!((writer.pending(), writer.counts().containers), (0, 1));
    assert_eq!(emitted, 1, "nothing is sent for nothing");
}

#[test]
fn cw_9_failures_are_counted_and_writing_goes_on() {
    let large = vec![2; 2000];
    let mut writer = ContainerWriter::new(datagrams(512));
    let mut calls = 0;
    let mut sent = Vec::new();
    let mut emit = |octets: &[u8]| {
        calls += 1;
        if calls == 1 || calls == 4 {
            return Err(std::io::Error::other(format!("call {calls}")));
        }
        sent.push(octets.to_vec());
        Ok(())
    };
    let failed = |result: Result<(), std::io::Error>| result.unwrap_err().to_string();
    writer.write(&payload(b"lost"), None, &mut emit).unwrap();
    // Call 1 sends what waits, and fails; 2 to 4 send fragments of the large record, 4 fails.
    assert_eq!(failed(writer.write(&payload(&large), None, &mut emit)), "call 1");
    assert_eq!((writer.counts().lost_containers, writer.counts().lost_payloads), (2, 2));
    assert_eq!(writer.counts().fragments, 2);
    writer.write(&payload(b"kept"), None, &mut emit).unwrap();
    writer.flush(&mut emit).unwrap();
    let counts = *writer.counts();
    assert_eq!((counts.containers, counts.payloads), (1, 1));
    let (_, body) = Header::parse_message(sent.last().unwrap()).unwrap();
    assert_eq!(records(body).unwrap()[0].payload, payload(b"kept"));
    let mut index = nmsg::container::ContainerBody::new();
    index.decode(body).unwrap();
    assert_eq!(index.sequence(), Some(2), "lost containers leave a gap");
}

#[test]
fn a_failed_flush_keeps_the_record_that_caused_it() {
    let mut writer = ContainerWriter::new(datagrams(512));
    let mut fail = |_: &[u8]| Err(std::io::Error::other("refused"));
    let body = vec![1; 250];
    writer.write(&payload(&body), None, &mut fail).unwrap();
    assert!(writer.write(&payload(&body), None, &mut fail).is_err());
    assert_eq!((writer.pending(), writer.counts().lost_payloads), (1, 1));
}

#[test]
fn records_beyond_any_container_are_refused() {
    // Untouched memory: the length is checked before anything is read.
    let huge = vec![0; (1 << 31) + 1];
    let mut writer = ContainerWriter::new(WriterSettings::file(0));
    let mut emit = |_: &[u8]| Ok::<(), Error>(());
    let error = writer.write(&payload(&huge), None, &mut emit).unwrap_err();
    assert!(error.is_too_large());
    assert_eq!((writer.pending(), writer.counts().lost_payloads), (0, 1));
}

#[test]
fn labels_replace_those_of_the_record() {
    let own = Payload { source: Some(1), operator: Some(0), ..payload(b"a") };
    for (name, labels, want) in [
        ("none", Labels::default(), own),
        ("source", Labels { source: 9, ..Labels::default() }, Payload { source: Some(9), ..own }),
        ("all", Labels { source: 7, operator: 8, group: 9 }, {
            Payload { source: Some(7), operator: Some(8), group: Some(9), ..own }
        }),
    ] {
        assert_eq!(labels.apply(&own), want, "{name}");
        let plain = write(WriterSettings::file(0), &[own]);
        let stored = records(&plain[0][10..]).unwrap()[0];
        let (mut writer, mut sent) = (ContainerWriter::new(WriterSettings::file(0)), Vec::new());
        writer.set_labels(labels);
        let mut emit = |octets: &[u8]| {
            sent.extend_from_slice(octets);
            Ok::<(), Error>(())
        };
        writer.write_stored(&stored, stored.calculated_crc(), &mut emit).unwrap();
        writer.flush(&mut emit).unwrap();
        let copied = records(&sent[10..]).unwrap()[0];
        assert_eq!((copied.payload, copied.crc_matches()), (want, true), "{name}, copied");
    }
}

#[test]
fn example_d_a_fragmented_container() {
    let body = [b"\x0a\x02c\0\x12\xd7\x03", &[b'a'; 470][..], b"\0"].concat();
    let sent = write(datagrams(512), &[payload(&body)]);
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0][..10], *b"NMSG\x02\x02\0\0\x01\xf3");
    assert_eq!(sent[0].len(), 509);
    let fragment = |octets| Fragment::parse(Header::parse_message(octets).unwrap().1).unwrap();
    let (first, second) = (fragment(&sent[0]), fragment(&sent[1]));
    assert_eq!((first.current, first.last, first.octets.len()), (0, 1, 480));
    assert_eq!((second.current, second.last, second.id), (1, 1, first.id));
    assert!(first.octets.starts_with(&[0x0a, 0xf0, 0x03, 0x08, 0x01, 0x10, 0x06]));
    let whole = [first.octets, second.octets].concat();
    assert_eq!(first.crc, Some(nmsg::crc::stored_crc32c(&whole)));
}

#[test]
fn example_e_boundary_values() {
    let body = [b"\x0a\x02c\0\x12\x65", &[b'x'; 100][..], b"\0"].concat();
    let payloads = vec![payload(&body); 27];
    assert_eq!(nmsg::container::encoded_len(&payloads[0]), 124);
    let mut sizes = Vec::new();
    read(&write(datagrams(1280), &payloads), |container| sizes.push(container.len()));
    assert_eq!(sizes, [9, 9, 9]);

    let noise = bodies(1, 2, false).concat();
    let noise: Vec<u8> =
        (0..3008_u32).map(|n| (n.wrapping_mul(n) >> 5) as u8 ^ noise.len() as u8).collect();
    let sent = write(datagrams(1280), &[payload(&noise)]);
    let slices: Vec<usize> =
        sent.iter().map(|octets| Fragment::parse(&octets[10..]).unwrap().octets.len()).collect();
    assert_eq!(slices[..2], [1248, 1248]);
    assert_eq!(slices.len(), 3);

    // A body of exactly two slices is two fragments, not three.
    let slice = MAX_BUFFER - 32;
    let overhead = {
        let body = vec![0; 2 * slice - 100];
        let mut builder = ContainerBuilder::new(MAX_BUFFER, false);
        assert_eq!(builder.add(&payload(&body), Some(u32::MAX)).unwrap(), Fullness::Overfull);
        builder.finish(None).unwrap().len() - 10 - body.len()
    };
    let body = vec![0; 2 * slice - overhead];
    let mut writer = ContainerWriter::new(WriterSettings::file(0));
    let mut sent = Vec::new();
    let mut emit = |octets: &[u8]| {
        sent.push(octets.to_vec());
        Ok::<(), Error>(())
    };
    writer.write(&payload(&body), Some(u32::MAX), &mut emit).unwrap();
    assert_eq!(sent.len(), 2);
    let last = Fragment::parse(&sent[1][10..]).unwrap();
    assert_eq!((last.last, last.octets.len()), (1, slice));
}
