//! Every message type as the reference shows it.

use crate::tool::{Scratch, golden, run, run_with_input};
use std::fs;

/// Names of the golden files.
fn names() -> Vec<String> {
    let entries = fs::read_dir(golden("")).expect("the golden files are there");
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".nmsg").map(str::to_owned))
        .collect();
    names.sort();
    assert_eq!(names.len(), 23);
    names
}

/// The golden JSON, with what is fixed for good: JO-3, negative numbers are signed.
fn golden_json(name: &str) -> Option<String> {
    let text = fs::read_to_string(golden(&format!("{name}.json"))).ok()?;
    Some(text.replace(":18446744073709551615", ":-1"))
}

#[test]
fn presentation_is_the_reference_s() {
    for name in names() {
        let want = fs::read(golden(&format!("{name}.pres"))).expect("presentation");
        let file = golden(&format!("{name}.nmsg"));
        let ran = run(["-r".as_ref(), file.as_os_str()]);
        assert_eq!(ran.status, 0, "{name}: {}", ran.stderr);
        assert!(ran.stdout == want, "{name}");
    }
}

#[test]
fn json_is_the_reference_s() {
    for name in names() {
        let Some(want) = golden_json(&name) else { continue };
        let file = golden(&format!("{name}.nmsg"));
        let ran = run(["-r".as_ref(), file.as_os_str(), "-J".as_ref(), "-".as_ref()]);
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{name}");
        assert_eq!(ran.text(), want, "{name}");
    }
}

#[test]
fn copies_show_the_same() {
    let scratch = Scratch::new();
    for name in names() {
        let want = fs::read(golden(&format!("{name}.pres"))).expect("presentation");
        let file = golden(&format!("{name}.nmsg"));
        for zlib in [false, true] {
            let copy = scratch.text("copy.nmsg");
            let mut arguments = vec!["-r", file.to_str().expect("text"), "-w", &copy];
            if zlib {
                arguments.push("-z");
            }
            assert_eq!(run(arguments).status, 0, "{name}");
            let ran = run_with_input(["-r", "-"], &scratch.read("copy.nmsg"));
            assert!(ran.stdout == want, "{name}, compressed: {zlib}");
            let again = run(["-r", &copy, "-w", "-"]);
            if !zlib {
                assert!(again.stdout == scratch.read("copy.nmsg"), "{name}: own files are copied");
            }
        }
    }
}

#[test]
fn json_comes_back_as_it_was_written() {
    for name in names() {
        let Some(want) = golden_json(&name) else { continue };
        let ran = run_with_input(["-j", "-", "-J", "-"], want.as_bytes());
        // The text of a DNS message or of an odd name does not come back as it was: the core
        // crate's tests know how it comes back.
        if name.starts_with("sie-") || name == "base-dnsqr" {
            continue;
        }
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{name}");
        assert_eq!(ran.text(), want, "{name}");
    }
}
