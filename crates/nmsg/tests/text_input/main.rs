//! Text records through the public interface: JSON lines and presentation form.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod json_envelope;
mod json_golden;
mod json_values;
mod presentation;
mod presentation_golden;

use nmsg::{
    Aliases, JsonReader, JsonWriter, Labels, LineErrorKind, Payload, RecordHeader, Registry,
    Timestamp,
};
use wdns::TextBuffer;

/// The time of records without one.
const NOW: Timestamp = Timestamp { sec: 1_700_000_000, nsec: 42 };

/// A payload as a JSON line without its newline.
fn to_json(payload: &Payload<'_>) -> String {
    let (registry, aliases) = (Registry::builtin(), Aliases::default());
    let mut writer = JsonWriter::new(&registry, &aliases, Labels::default());
    let mut out = TextBuffer::new();
    // A fallback record is text as good as any here.
    let _ = writer.write(&mut out, payload);
    String::from_utf8(out.as_bytes().to_vec()).unwrap().trim_end().to_owned()
}

/// Reads one line with the built-in types and no aliases.
fn read(line: &[u8]) -> Result<Option<(RecordHeader, Vec<u8>)>, LineErrorKind> {
    let (registry, aliases) = (Registry::builtin(), Aliases::default());
    let mut body = Vec::new();
    let header = JsonReader::new(&registry, &aliases).read_line(line, NOW, &mut body);
    assert!(header.is_ok_and(|header| header.is_some()) || body.is_empty());
    Ok(header.map_err(|error| error.kind)?.map(|header| (header, body)))
}

/// The `message` object of a record of type `name` (`vendor:type`) with these members, read and
/// written again.
fn message(name: &str, members: &str) -> Result<String, LineErrorKind> {
    let (vendor, msgtype) = name.split_once(':').unwrap();
    let line = format!(
        "{{\"vname\":\"{vendor}\",\"mname\":\"{msgtype}\",\"time\":5,\"message\":{{{members}}}}}"
    );
    let (header, body) = read(line.as_bytes())?.unwrap();
    let text = to_json(&header.payload(&body));
    let (_, message) = text.split_once("\"message\":").unwrap();
    Ok(message.strip_suffix('}').unwrap().to_owned())
}

/// The encoded message of a record with these members.
fn body(name: &str, members: &str) -> Vec<u8> {
    let (vendor, msgtype) = name.split_once(':').unwrap();
    let line =
        format!("{{\"vname\":\"{vendor}\",\"mname\":\"{msgtype}\",\"message\":{{{members}}}}}");
    read(line.as_bytes()).unwrap().unwrap().1
}
