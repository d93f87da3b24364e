//! JSON → NMSG → JSON over the output of the C suite.

use std::path::Path;

use super::{read, to_json};

/// What a line of the C suite's output becomes when it is read and written again.
fn expected(name: &str, line: &str) -> String {
    match name {
        // `decisions` JO-3, JI-8
        "base-http" => line.replace(":18446744073709551615", ":-1"),
        // `decisions` JI-16: the text of a DNS message is left out.
        "sie-dnsdedupe" | "sie-newdomain" => {
            let Some((before, after)) = line.split_once(",\"response\":\"") else {
                return line.to_owned();
            };
            let mut end = after.find('"').unwrap();
            while after[..end].ends_with('\\') {
                end += 1 + after[end + 1..].find('"').unwrap();
            }
            format!("{before}{}", &after[end + 1..])
        }
        // `decisions` JI-17
        "sie-dnsnx" => line.replace("\"qclass\":\"<UNKNOWN>\"", "\"qclass\":\"IN\""),
        _ => line.to_owned(),
    }
}

#[test]
fn golden_json_reads_back_to_itself() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let (mut files, mut lines) = (0, 0);
    for entry in std::fs::read_dir(golden).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = name.strip_suffix(".json") else { continue };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        let text = std::fs::read_to_string(path.with_extension("json")).unwrap();
        for (i, line) in text.lines().enumerate() {
            let record = read(line.as_bytes());
            let (header, body) =
                record.unwrap_or_else(|error| panic!("{name}, line {}: {error:?}", i + 1)).unwrap();
            assert_eq!(
                to_json(&header.payload(&body)),
                expected(name, line),
                "{name}, line {}",
                i + 1
            );
            lines += 1;
        }
        files += 1;
    }
    assert_eq!(files, 20, "one file per message type");
    assert!(lines >= 500, "{lines} lines");
}
