//! Bodies of fuzz targets: ordinary functions that panic when a promise is broken, whatever the
//! octets. Tests run them over samples and mutations; those of containers are in
//! [`container::fuzzing`](crate::container::fuzzing).

use std::sync::Arc;

use wdns::TextBuffer;

use crate::text::LineSplitter;
use crate::{
    Aliases, FieldIndex, JsonReader, JsonWriter, Labels, Limits, Message, Payload,
    PresentationReader, PresentationWriter, Registry, Timestamp, Unrenderable, View,
};

/// Time of records that have none.
const NOW: Timestamp = Timestamp { sec: 1_700_000_000, nsec: 123_456_789 };

/// Room that one line of JSON takes per octet of a body, beyond what the field names need.
const GROWTH: usize = 64;

/// Shows a message in every form. The first octet chooses among the built-in types, the second one
/// which labels it has; the rest is the body.
///
/// # Panics
///
/// When a form is refused that another one accepts, when values are counted that are not there, or
/// when a JSON record is not read back.
pub fn check_message(octets: &[u8]) {
    let Some((&[choice, labels], body)) = octets.split_first_chunk::<2>() else { return };
    let (registry, aliases) = (Registry::builtin(), Aliases::default());
    let schemas: Vec<_> = registry.vendors().flat_map(|vendor| vendor.schemas()).collect();
    let Some(schema) = schemas.get(usize::from(choice) % schemas.len()) else { return };
    let label = |bit: u8| (labels & bit != 0).then_some(u32::from(labels));
    let declaration = schema.message_type();
    let payload = Payload {
        vendor: declaration.vendor,
        msgtype: declaration.id,
        time: NOW,
        source: label(1),
        operator: label(2),
        group: label(4),
        body: Some(body),
    };
    let (mut json, mut text) = (TextBuffer::new(), TextBuffer::new());
    let shown = JsonWriter::new(&registry, &aliases, Labels::default()).write(&mut json, &payload);
    let mut presentation = PresentationWriter::new(&registry, &aliases, Labels::default(), b"\n");
    let presented = presentation.write(&mut text, &payload);
    assert_eq!(shown, presented, "both forms agree on what can be shown");
    assert!(json.as_bytes().ends_with(b"}\n"));
    assert_eq!(json.as_bytes().iter().filter(|octet| **octet == b'\n').count(), 1, "one line");
    assert!(std::str::from_utf8(json.as_bytes()).is_ok(), "JSON is UTF-8");
    assert!(json.len() <= 4096 + octets.len() * GROWTH, "{} octets of JSON", json.len());

    let mut index = FieldIndex::new();
    let viewed = View::new(schema, body, &mut index);
    match viewed {
        Ok(view) => {
            let message = Message::new(view);
            for field in 0..schema.fields().len() {
                let count = message.count(field);
                assert!(count <= body.len().max(4), "{count} values of {} octets", body.len());
                let _ = message.get(field, count.saturating_sub(1));
            }
        }
        Err(error) => assert_eq!(shown, Err(Unrenderable::Undecodable(error))),
    }
    let line = json.as_bytes();
    let mut back = Vec::new();
    let mut reader = JsonReader::new(&registry, &aliases);
    match reader.read_line(line, Timestamp::default(), &mut back) {
        Ok(Some(header)) => {
            let again = header.payload(&back);
            let nonzero = |label: Option<u32>| label.filter(|number| *number != 0);
            assert_eq!(again.time, payload.time);
            assert_eq!(again.source, nonzero(payload.source));
            assert_eq!((again.vendor, again.msgtype), (payload.vendor, payload.msgtype));
            if shown.is_err() {
                assert_eq!(again.body, payload.body, "a fallback record gives the same octets");
            }
        }
        other => assert!(shown.is_ok(), "a fallback record that is not read back: {other:?}"),
    }
}

/// Reads one line of JSON; what is accepted must come out as a record that gives the same payload.
///
/// # Panics
///
/// When an accepted line makes a payload that cannot be shown or that changes on the way back.
pub fn check_json_line(line: &[u8]) {
    let (registry, aliases) = (Registry::builtin(), Aliases::default());
    let mut reader = JsonReader::new(&registry, &aliases);
    let mut first = b"before".to_vec();
    let Ok(Some(header)) = reader.read_line(line, NOW, &mut first) else {
        assert_eq!(first, b"before", "a line that is refused leaves nothing");
        return;
    };
    let payload = header.payload(&first[b"before".len()..]);
    check_read(&registry, &aliases, &payload, || String::from_utf8_lossy(line).into_owned());
}

/// Reads presentation text. The first octet chooses among the built-in types; the rest is text.
///
/// # Panics
///
/// When it matters how often the reader is asked, or when a record that is accepted cannot be shown
/// in both forms.
pub fn check_presentation(octets: &[u8]) {
    let Some((&choice, text)) = octets.split_first() else { return };
    let (registry, aliases) = (Registry::builtin(), Aliases::default());
    let schemas: Vec<_> = registry.vendors().flat_map(|vendor| vendor.schemas()).collect();
    let Some(schema) = schemas.get(usize::from(choice) % schemas.len()) else { return };
    let limits = Limits::default();
    let read = |after_every_line: bool| {
        let mut reader = PresentationReader::new(Arc::clone(schema), &aliases, &limits);
        let mut records = Vec::new();
        let mut ask = |reader: &mut PresentationReader<'_>| loop {
            let mut body = b"before".to_vec();
            let Some(result) = reader.next_record(NOW, &mut body) else { break };
            assert!(result.is_ok() || body == b"before", "a refused record leaves nothing");
            records.push((result, body));
        };
        let mut lines = LineSplitter::new(&limits);
        lines.push(text);
        while let Some(line) = lines.next_line() {
            reader.push_line(line.number, line.text);
            if after_every_line {
                ask(&mut reader);
            }
        }
        if let Some(line) = lines.finish() {
            reader.push_line(line.number, line.text);
        }
        reader.finish();
        ask(&mut reader);
        records
    };
    let records = read(true);
    assert_eq!(records, read(false), "records come out as soon as they are whole");
    let lines = text.split(|octet| *octet == b'\n').count();
    assert!(records.len() <= lines, "{} records of {lines} lines", records.len());
    for (result, body) in records {
        let Ok(header) = result else { continue };
        let payload = header.payload(&body[b"before".len()..]);
        let mut out = TextBuffer::new();
        let json =
            JsonWriter::new(&registry, &aliases, Labels::default()).write(&mut out, &payload);
        assert_eq!(json, Ok(()));
        out.clear();
        let mut writer = PresentationWriter::new(&registry, &aliases, Labels::default(), b"\n");
        assert_eq!(writer.write(&mut out, &payload), Ok(()));
        assert!(out.len() <= 4096 + octets.len() * GROWTH);
    }
}

/// Checks that a payload which a text form gave is shown, and stays what it is on the way to JSON
/// and back. The first way may change it: `<UNKNOWN>` is read as class IN (`decisions` JI-17).
fn check_read(
    registry: &Registry,
    aliases: &Aliases,
    payload: &Payload<'_>,
    what: impl Fn() -> String,
) {
    let mut writer = JsonWriter::new(registry, aliases, Labels::default());
    let mut reader = JsonReader::new(registry, aliases);
    let (mut json, mut body) = (TextBuffer::new(), Vec::new());
    let shown = writer.write(&mut json, payload);
    let mut settled: Option<String> = None;
    for _ in 0..2 {
        body.clear();
        let read = reader.read_line(json.as_bytes(), Timestamp::default(), &mut body);
        let line = json.to_string_lossy();
        let Ok(Some(header)) = read else { panic!("{}: {line} gives {read:?}", what()) };
        let again = header.payload(&body);
        if shown.is_err() {
            assert_eq!(again, *payload, "{}: {line}", what());
            return;
        }
        json.clear();
        assert_eq!(writer.write(&mut json, &again), Ok(()), "{}: {line}", what());
        if let Some(before) = settled {
            assert_eq!(json.to_string_lossy(), before, "{}", what());
        }
        settled = Some(json.to_string_lossy());
    }
}
