//! Lines of text in, and the ways they may be broken.

use crate::tool::{Scratch, ports, run, run_with_input};

fn line(port: u32) -> String {
    format!(r#"{{"vname":"base","mname":"ipconn","message":{{"srcport":{port}}}}}"#)
}

#[test]
fn json_lines_however_they_end() {
    let (one, two) = (line(1), line(2));
    for (name, input) in [
        ("ordinary", format!("{one}\n{two}\n")),
        ("ji_1: no newline at the end", format!("{one}\n{two}")),
        ("CRLF", format!("{one}\r\n{two}\r\n")),
        ("blank lines", format!("\n{one}\n\n \n{two}\n\n")),
        ("ji_20: byte order mark", format!("\u{feff}{one}\n{two}\n")),
    ] {
        let ran = run_with_input(["-j", "-", "-J", "-"], input.as_bytes());
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{name}");
        assert_eq!(ports(&ran.stdout), [1, 2], "{name}");
    }
}

#[test]
fn ji_3_unusable_lines_are_skipped_and_said_once() {
    let scratch = Scratch::new();
    let text = format!("{}\nnot JSON\n{{\"a\":1}}\n{}\n", line(1), line(2));
    let input = scratch.write("in.json", text.as_bytes());
    let ran = run(["-j", &input, "-J", "-"]);
    assert_eq!((ran.status, ports(&ran.stdout)), (0, vec![1, 2]));
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with(&format!("nmsgtool: {input}: line 2 skipped: ")), "{lines:?}");
    assert_eq!(lines[1], format!("nmsgtool: {input}: in total 2 lines skipped"));

    let verbose = run(["-dd", "-j", &input, "-J", "-"]);
    assert!(verbose.stderr.contains("JSON parse error: \"not JSON\"\n"), "{}", verbose.stderr);
    assert!(verbose.stderr.contains("JSON parse error: \"{\"a\":1}\"\n"), "{}", verbose.stderr);

    let strict = run(["--strict", "-j", &input, "-J", "-"]);
    assert_eq!((strict.status, ports(&strict.stdout)), (3, vec![1]));
}

#[test]
fn ji_3_no_usable_line_at_all_is_no_failure() {
    let ran = run_with_input(["-j", "-", "-J", "-"], b"nothing\n");
    assert_eq!((ran.status, &*ran.stdout), (0, &b""[..]));
    assert!(ran.stderr.starts_with("nmsgtool: -: line 1 skipped: "), "{}", ran.stderr);
}

#[test]
fn jo_1_what_cannot_be_shown_becomes_a_fallback_record() {
    let garbage = crate::tool::golden("garbage-ipconn.nmsg");
    let garbage = garbage.to_str().expect("text");
    let ran = run(["-r", garbage, "-J", "-"]);
    assert_eq!(ran.status, 0);
    assert!(ran.text().lines().any(|line| line.contains("\"vid\":1,\"msgtype\":5,")));
    assert!(ran.text().lines().all(|line| line.starts_with("{\"time\":\"")));
    assert!(ran.stderr.contains("payload of type 1:5 cannot be shown"), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 2, "said once, then summed up: {}", ran.stderr);

    let left_out = run(["--stats", "-r", garbage, "-o", "/dev/null"]);
    assert_eq!(left_out.status, 0);
    assert!(left_out.stderr.contains("left out as undecodable"), "po_1: {}", left_out.stderr);
    assert!(left_out.stderr.contains("balanced"), "{}", left_out.stderr);

    let strict = run(["--strict", "-r", garbage, "-J", "/dev/null"]);
    assert_eq!(strict.status, 3);

    let fallbacks: String =
        ran.text().split_inclusive('\n').filter(|line| line.contains("\"vid\":")).collect();
    let back = run_with_input(["-j", "-", "-J", "-"], fallbacks.as_bytes());
    assert_eq!(back.text(), fallbacks, "ji_13: read back into the identical payloads");
}

#[test]
fn presentation_comes_back_as_it_was_written() {
    for (vendor, name) in [
        ("base", "linkpair"),
        ("base", "email"),
        ("base", "http"),
        ("base", "ipconn"),
        ("sie", "delay"),
    ] {
        let file = format!("{vendor}-{name}.pres");
        let text = std::fs::read(crate::tool::golden(&file)).expect("presentation");
        let ran = run_with_input(["-f", "-", "-V", vendor, "-T", name], &text);
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{name}");
        // Lengths may differ by the octet that ends a string.
        let fields = |text: &[u8]| -> Vec<String> {
            let text = String::from_utf8_lossy(text);
            let header = |line: &str| line.split_once("] [").map(|(_, rest)| rest.to_owned());
            text.lines()
                .map(|line| match line.strip_prefix('[').and_then(header) {
                    Some(rest) => rest,
                    None => line.to_owned(),
                })
                .collect()
        };
        assert_eq!(fields(&ran.stdout), fields(&text), "{name}");
    }
}

#[test]
fn presentation_records_however_they_end() {
    for (name, input, want) in [
        ("ordinary", "srcport: 1\n\nsrcport: 2\n\n", &[1, 2][..]),
        ("pi_6: no blank line at the end", "srcport: 1\n\nsrcport: 2\n", &[1, 2]),
        ("pi_6: no newline at the end", "srcport: 1\n\nsrcport: 2", &[1, 2]),
        ("pi_6: CRLF", "srcport: 1\r\n\r\nsrcport: 2\r\n\r\n", &[1, 2]),
        ("nothing", "", &[]),
    ] {
        let ran = run_with_input(["-f", "-", "-T", "ipconn", "-J", "-"], input.as_bytes());
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{name}");
        assert_eq!(ports(&ran.stdout), want, "{name}");
    }
}

#[test]
fn pi_5_a_bad_record_costs_itself() {
    let input = "srcport: 1\n\nsrcport: none\n\ndoes not exist: 7\nsrcport: 5\n\nsrcport: 2\n\n";
    let arguments = ["-f", "-", "-T", "ipconn", "-J", "-"];
    let ran = run_with_input(arguments, input.as_bytes());
    assert_eq!((ran.status, ports(&ran.stdout)), (3, vec![1, 2]));
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("nmsgtool: -: record skipped: "), "{lines:?}");
    assert!(lines[0].ends_with(" (at line 3)"), "{lines:?}");
    assert_eq!(lines[1], "nmsgtool: -: in total 2 records skipped");

    let strict = run_with_input(arguments.iter().chain(&["--strict"]), input.as_bytes());
    assert_eq!((strict.status, ports(&strict.stdout)), (3, vec![1]));
    let keep_going = run_with_input(arguments.iter().chain(&["--keep-going"]), input.as_bytes());
    assert_eq!((keep_going.status, ports(&keep_going.stdout)), (0, vec![1, 2]));
}

#[test]
fn pi_1_a_record_of_another_type_is_refused() {
    let text = std::fs::read(crate::tool::golden("base-email.pres")).expect("presentation");
    let ran = run_with_input(["-f", "-", "-T", "ipconn", "-J", "-"], &text);
    assert_eq!((ran.status, ports(&ran.stdout)), (3, vec![]));
    assert!(ran.stderr.contains("another message type"), "{}", ran.stderr);
}
