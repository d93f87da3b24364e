//! The reports of `-M sample`.

use crate::tool::{Scratch, command, containers, end_of, run, run_with_input, settle, start};
use std::io::Write;
use std::time::{Duration, Instant};

/// The reports of a text, each without its time.
fn reports(text: &str) -> Vec<String> {
    let one = |report: &str| {
        let (time, rest) = report.split_once('\n').expect("a time");
        assert!(time.starts_with("timestamp:\t") && time.len() == 35, "{time}");
        rest.to_owned()
    };
    let line = format!("{}\n", "=".repeat(40));
    text.split(&line).filter(|report| !report.is_empty()).map(one).collect()
}

fn figures(payloads: u64, containers: u64, average: u64) -> String {
    let figures = format!(
        "Total payloads in:\t{payloads}\nTotal payloads out:\t{payloads}\n\
         Total container recvs:\t{containers}\nTotal containers lost:\t0\n\
         Avg payloads in per second:\t{average}\nAvg payloads out per second:\t{average}\n\
         Avg container recvs per second:\t0\n"
    );
    format!("{figures}===Metrics for IO: nmsgtool_io===\n{figures}")
}

#[test]
fn en_8_reports_do_not_hold_up_the_end_and_the_last_one_is_final() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[70, 50]).concat());
    for threads in ["1", "3"] {
        let out = scratch.text("stats");
        let module = format!("sample,out={out},secs=60");
        let words = ["-r", &file, "-w", "/dev/null", "--threads", threads];
        let begin = Instant::now();
        let ran = run(words.iter().chain(&["-M", &module, "-M", "sample,secs=60"]));
        assert!(begin.elapsed() < Duration::from_secs(20), "no interval is waited for");
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        let want = [figures(120, 2, 2)];
        assert_eq!(reports(&ran.stderr), want, "on standard error");
        assert_eq!(reports(&String::from_utf8(scratch.read("stats")).unwrap()), want);
    }
}

#[test]
fn en_8_reports_come_at_intervals() {
    let scratch = Scratch::new();
    let module = format!("sample,out={}", scratch.text("stats"));
    let mut child = start(command(["-r", "-", "-J", "/dev/null", "-M", &module]));
    let stdin = child.stdin.as_mut().expect("a pipe");
    stdin.write_all(&containers(&[3])[0]).expect("the program reads");
    settle(child.id());
    let read = || reports(&std::fs::read_to_string(scratch.path("stats")).unwrap_or_default());
    let begin = Instant::now();
    while read().len() < 2 {
        assert!(begin.elapsed() < Duration::from_secs(20), "a report each second");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(child.stdin.take());
    assert_eq!(end_of(child).0.status, 0);
    let all = read();
    assert!(all.len() >= 3, "{all:?}");
    for report in &all {
        assert!(report.starts_with("Total payloads in:\t3\n"), "{report}");
    }
}

#[test]
fn en_8_the_variable_stands_in_for_the_option() {
    let mut variable = command(["-r", "/dev/null", "-w", "/dev/null"]);
    let output = variable.env("NMSG_STATSMOD_CONFIG", "sample,secs=9").output().expect("starts");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(reports(&text), [figures(0, 0, 0)]);
}

#[test]
fn a_file_that_cannot_be_written_is_status_2() {
    let ran = run_with_input(["-r", "-", "-M", "sample,out=/no/such/file"], b"");
    let want = "parse_args: file \"/no/such/file\" could not be opened for writing\n\
                nmsgtool: nmsg_io_add_stats_module() failed for sample,out=/no/such/file: generic \
                failure (1)\n";
    assert_eq!((ran.status, &*ran.stderr), (2, want));
}
