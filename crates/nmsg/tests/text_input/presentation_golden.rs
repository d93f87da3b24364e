//! Presentation → NMSG → presentation over the output of the C suite.

use std::collections::BTreeMap;
use std::path::Path;

use nmsg::text::LineSplitter;
use nmsg::{
    Aliases, Labels, Limits, PresentationReader, PresentationWriter, RecordErrorKind, Registry,
};
use wdns::TextBuffer;

use super::NOW;

/// How many records of a text came back, and how many were refused for which reason.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    same: usize,
    refused: BTreeMap<&'static str, usize>,
}

fn reason(kind: RecordErrorKind) -> &'static str {
    match kind {
        RecordErrorKind::OctetsNotShown => "octets",
        RecordErrorKind::DnsMessage => "DNS message",
        RecordErrorKind::Computed => "computed",
        // A string with a newline inside looks like two lines (`decisions` PO-3).
        RecordErrorKind::NoColon => "newline",
        _ => "other",
    }
}

/// Reads a text and compares each record that is accepted with the text it was read from.
fn round_trip(name: &str, text: &[u8]) -> Outcome {
    let (registry, aliases) = (Registry::builtin(), Aliases::default());
    let (vendor, msgtype) = name.split_once('-').unwrap();
    let schema = registry.find(vendor.as_bytes(), msgtype.as_bytes()).unwrap();
    let mut reader = PresentationReader::new(schema.clone(), &aliases, &Limits::default());
    let mut writer = PresentationWriter::new(&registry, &aliases, Labels::default(), b"\n");
    let mut lines = LineSplitter::new(&Limits::default());
    lines.push(text);
    while let Some(line) = lines.next_line() {
        reader.push_line(line.number, line.text);
    }
    reader.finish();
    let originals = records(text);
    let mut outcome = Outcome::default();
    let mut at = 0;
    let mut body = Vec::new();
    while let Some(result) = reader.next_record(NOW, &mut body) {
        let original = originals[at];
        at += 1;
        match result {
            Ok(header) => {
                let mut out = TextBuffer::new();
                writer.write(&mut out, &header.payload(&body)).unwrap();
                assert_eq!(
                    after_length(out.as_bytes()).escape_ascii().to_string(),
                    after_length(original).escape_ascii().to_string(),
                    "{name}, record {at}"
                );
                outcome.same += 1;
            }
            Err(error) => {
                assert_ne!(reason(error.kind), "other", "{name}, record {at}: {error}");
                *outcome.refused.entry(reason(error.kind)).or_default() += 1;
            }
        }
        body.clear();
    }
    assert_eq!(at, originals.len(), "{name}");
    outcome
}

/// The records of a text, each from its header up to the next one.
fn records(text: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = (0..text.len())
        .filter(|&at| text[at] == b'[' && (at == 0 || text[at - 1] == b'\n'))
        .filter(|&at| {
            let line = text[at..].split(|&octet| octet == b'\n').next().unwrap();
            line.split(|&octet| octet == b'[').count() == 7
        })
        .collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().copied().zip(ends).map(|(start, end)| &text[start..end]).collect()
}

/// A record without the length of its body: text does not say how numbers were stored.
fn after_length(record: &[u8]) -> &[u8] {
    let end = record.iter().position(|&octet| octet == b' ').unwrap();
    &record[end..]
}

#[test]
fn golden_presentation_reads_back_to_itself() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut outcomes = Vec::new();
    for entry in std::fs::read_dir(&golden).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = file.strip_suffix(".json") else { continue };
        let text = std::fs::read(golden.join(name).with_extension("pres")).unwrap();
        outcomes.push((name.to_owned(), round_trip(name, &text)));
    }
    outcomes.sort_by(|a, b| a.0.cmp(&b.0));
    let whole = |name: &str| (name.to_owned(), Outcome { same: 30, ..Outcome::default() });
    let part = |name: &str, same, refused: &[(&'static str, usize)]| {
        (name.to_owned(), Outcome { same, refused: refused.iter().copied().collect() })
    };
    let want = [
        whole("base-dns"),
        part("base-dnsobs", 1, &[("DNS message", 27), ("octets", 2)]),
        part("base-dnsqr", 0, &[("computed", 30)]),
        part("base-dnstap", 0, &[("DNS message", 2), ("octets", 28)]),
        whole("base-email"),
        part("base-encode", 0, &[("octets", 30)]),
        whole("base-http"),
        whole("base-ipconn"),
        whole("base-linkpair"),
        whole("base-logline"),
        part("base-ncap", 0, &[("computed", 30)]),
        part("base-packet", 0, &[("octets", 30)]),
        part("base-pkt", 0, &[("octets", 30)]),
        part("base-xml", 0, &[("octets", 30)]),
        whole("sie-delay"),
        part("sie-dnsdedupe", 19, &[("DNS message", 11)]),
        whole("sie-dnsnx"),
        part("sie-newdomain", 15, &[("DNS message", 15)]),
        whole("sie-qr"),
        part("sie-reputation", 29, &[("newline", 1)]),
    ];
    assert_eq!(outcomes, want);
}
