//! Messages as JSON objects.

use crate::tool::{Scratch, command, containers, end_of, run, run_with_input, signal, start};
use std::time::Duration;

/// The objects of a log, each with its time and process number replaced.
fn masked(log: &str) -> Vec<String> {
    let one = |line: &str| {
        let rest = line.strip_prefix("{\"time\":\"").expect("a time");
        let (time, rest) = rest.split_once('"').expect("a time");
        let shape: String =
            time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00T00:00:00.000000Z", "{line}");
        let (head, rest) = rest.split_once(",\"pid\":").expect("a process");
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let head = head.strip_prefix(",\"level\":").expect("a level");
        let head = head.replace(",\"program\":\"nmsgtool\"", "");
        format!("{head}{}", rest.strip_suffix('}').expect("an object"))
    };
    log.lines().map(one).collect()
}

const FORMAT: [&str; 2] = ["--log-format", "json"];

#[test]
fn faults_summaries_and_the_ledger_are_objects() {
    let input = [&containers(&[2])[0][..], b"junk", &containers(&[3])[0], b"NMSG"].concat();
    let ran =
        run_with_input(["-r", "-", "-w", "/dev/null", "--stats"].iter().chain(&FORMAT), &input);
    assert_eq!(ran.status, 3, "{}", ran.stderr);
    let lines = masked(&ran.stderr);
    let text = run_with_input(["-r", "-", "-w", "/dev/null", "--stats"], &input).stderr;
    let said: Vec<&str> = text.lines().collect();
    let message = |at: usize| said[at].strip_prefix("nmsgtool: ").expect("the program's name");
    assert_eq!(lines.len(), 3, "{lines:#?}");
    let want =
        format!("\"warning\",\"input\":\"-\",\"fault\":\"damage\",\"message\":\"{}\"", message(0));
    assert_eq!(lines[0], want);
    assert_eq!(lines[1], format!("\"warning\",\"input\":\"-\",\"message\":\"{}\"", message(1)));
    let ledger = lines[2].strip_prefix("\"info\",\"ledger\":").expect("the ledger");
    let ledger = ledger.strip_suffix(",\"message\":\"ledger\"").expect("a message");
    assert!(
        ledger.starts_with("{\"inputs\":[{\"name\":\"-\",\"payloads\":5,\"passed\":5,"),
        "{ledger}"
    );
    assert!(ledger.contains("\"faults\":{\"damage\":2}"), "{ledger}");
    assert!(ledger.ends_with(",\"balanced\":true}"), "{ledger}");
}

#[test]
fn failures_are_objects_with_status_and_hint() {
    let scratch = Scratch::new();
    let missing = scratch.text("no\"where");
    let name = missing.replace('"', "\\\"");
    for (arguments, want) in [
        (
            &["-r", &missing][..],
            format!(
                "\"error\",\"status\":3,\"message\":\"unable to open {name} for reading: \
                 No such file or directory\""
            ),
        ),
        (
            &["-V", "base", "-r", "-"],
            "\"error\",\"status\":2,\"message\":\"usage error: -V requires -T\"".to_owned(),
        ),
        (
            &["-r", "-", "--getsource", "x"],
            "\"error\",\"status\":2,\"hint\":\"a source is a number from 1 to 4294967295, in \
             decimal, hexadecimal after 0x or octal after 0\",\"message\":\"usage error: invalid \
             filter source ID\""
                .to_owned(),
        ),
    ] {
        let ran = run(arguments.iter().chain(&FORMAT));
        assert_eq!(masked(&ran.stderr), [want], "{arguments:?}");
        assert_ne!(ran.status, 0, "{arguments:?}");
    }
    let ran = run(["-r", "-", "--where", "nonsense ="].iter().chain(&FORMAT));
    let lines = masked(&ran.stderr);
    assert!(lines.len() == 1 && lines[0].contains(",\"details\":[\""), "{lines:?}");
    let ran = run(["-r", "-", "--log-format", "xml"]);
    assert_eq!((ran.status, ran.stderr.lines().count()), (2, 1), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("nmsgtool: usage error: argument to --log-format"));
}

#[test]
fn levels_of_detail_are_levels_of_the_log() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[1]).concat());
    let arguments = ["-r", &file, "-w", "/dev/null", "-R"];
    let ran = run(arguments.iter().chain(&FORMAT));
    let warning =
        "\"warning\",\"message\":\"warning: -R has no effect: there is no interval (-t)\"";
    assert_eq!(masked(&ran.stderr), [warning]);
    let ran = run(arguments.iter().chain(&FORMAT).chain(&["-dd"]));
    let lines = masked(&ran.stderr);
    assert!(lines.iter().filter(|line| line.starts_with("\"debug\",")).count() > 20, "{lines:#?}");
    let totals = "\"debug\",\"message\":\"totals: payloads_in 1 payloads_out 1";
    assert!(lines.iter().any(|line| line.starts_with(totals)), "{lines:#?}");
    assert_eq!(lines.iter().filter(|line| *line == warning).count(), 1);
}

#[test]
fn a_signal_is_told_as_an_object() {
    let child = start(command(["-r", "-", "-w", "/dev/null"].iter().chain(&FORMAT)));
    std::thread::sleep(Duration::from_millis(150));
    signal(&child, "TERM");
    let (ran, _) = end_of(child);
    assert_eq!(ran.status, 1);
    assert_eq!(masked(&ran.stderr), ["\"info\",\"message\":\"signalled break\""]);
}

#[test]
fn text_is_what_there_is_without_the_option() {
    let input = [&containers(&[2])[0][..], b"junk", &containers(&[3])[0], b"NMSG"].concat();
    for detail in ["-d", "-dd"] {
        let arguments = ["-r", "-", "-w", "/dev/null", "--stats", "-R", detail];
        let plain = run_with_input(arguments, &input);
        let named = run_with_input(arguments.iter().chain(&["--log-format", "text"]), &input);
        assert!(!plain.stderr.is_empty() && !plain.stderr.contains('{'), "{}", plain.stderr);
        assert_eq!(plain.stderr, named.stderr);
    }
}
