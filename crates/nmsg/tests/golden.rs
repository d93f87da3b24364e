//! Messages of every type against the output of the C suite on the same payloads.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use nmsg::container::{ContainerBody, Header};
use nmsg::{Aliases, JsonWriter, Labels, PresentationWriter, Registry};
use wdns::TextBuffer;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(golden())
        .unwrap()
        .filter_map(|entry| {
            entry
                .unwrap()
                .file_name()
                .into_string()
                .unwrap()
                .strip_suffix(".nmsg")
                .map(str::to_owned)
        })
        .collect();
    names.sort();
    assert_eq!(names.len(), 23, "one file per message type and three that cannot be shown");
    names
}

/// Calls `each` with every payload of a file of plain containers.
fn for_each_payload(file: &str, mut each: impl FnMut(&nmsg::Payload<'_>)) {
    let octets = std::fs::read(golden().join(file)).unwrap();
    let mut rest = &octets[..];
    let mut body = ContainerBody::new();
    while let Some(header) = Header::parse(rest).unwrap() {
        let container = &rest[header.len()..header.container_len() as usize];
        body.decode(container).unwrap();
        for stored in body.payloads(container) {
            assert!(stored.crc_matches());
            each(&stored.payload);
        }
        rest = &rest[header.container_len() as usize..];
        if rest.is_empty() {
            break;
        }
    }
}

/// Compares line by line, so that a failure shows the place.
fn assert_same(name: &str, got: &[u8], want: &[u8]) {
    let (got, want) = (String::from_utf8_lossy(got), String::from_utf8_lossy(want));
    for (i, (got, want)) in got.lines().zip(want.lines()).enumerate() {
        assert_eq!(got, want, "{name}, line {}", i + 1);
    }
    assert_eq!(got, want, "{name}");
}

#[test]
fn presentation_of_every_type_equals_the_reference() {
    let (registry, aliases) = (Registry::builtin(), Aliases::default());
    for name in names() {
        let mut writer = PresentationWriter::new(&registry, &aliases, Labels::default(), b"\n");
        let mut out = TextBuffer::new();
        for_each_payload(&format!("{name}.nmsg"), |payload| {
            // What does not decode is left out, in the reference's output too.
            let _ = writer.write(&mut out, payload);
        });
        let want = std::fs::read(golden().join(format!("{name}.pres"))).unwrap();
        assert_same(&name, out.as_bytes(), &want);
    }
}

/// The C suite shows negative numbers as 2⁶⁴−n, which is no value of theirs (`decisions` JO-3).
fn jo_3_signed(name: &str, want: Vec<u8>) -> Vec<u8> {
    if name != "base-http" {
        return want;
    }
    let text = String::from_utf8(want).unwrap();
    let signed = text.replace("\"p0f_dist\":18446744073709551615", "\"p0f_dist\":-1");
    assert_eq!(text.len() - signed.len(), 6 * 18, "six records hold a negative distance");
    signed.into_bytes()
}

#[test]
fn json_of_every_type_equals_the_reference() {
    let (registry, aliases) = (Registry::builtin(), Aliases::default());
    let mut compared = 0;
    for name in names() {
        let Ok(want) = std::fs::read(golden().join(format!("{name}.json"))) else { continue };
        let want = jo_3_signed(&name, want);
        let mut writer = JsonWriter::new(&registry, &aliases, Labels::default());
        let mut out = TextBuffer::new();
        for_each_payload(&format!("{name}.nmsg"), |payload| {
            assert_eq!(writer.write(&mut out, payload), Ok(()), "{name}");
        });
        assert_same(&name, out.as_bytes(), &want);
        compared += 1;
    }
    assert_eq!(compared, 20);
}
