//! What is said on standard error: totals for those who ask, one line for each failure.

use crate::tool::{Scratch, containers, run, run_with_input};

const JSON: &str = "{\"time\":\"2001-09-09 01:46:40\",\"vname\":\"base\",\"mname\":\"ipconn\",\
                    \"message\":{\"srcport\":1}}\n";

#[test]
fn en_7_totals_and_a_line_for_each_input_at_level_2() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[3, 2]).concat());
    let lines = scratch.write("in.json", JSON.repeat(4).as_bytes());
    let two = ["-r", &file, "-j", &lines];
    for (name, words, inputs, totals) in [
        ("two inputs", &[][..], &[5, 4][..], (9, 9, 2)),
        ("a selection counts before it is in", &["--where", "srcport < 2"], &[2, 4], (6, 6, 2)),
        ("a filter behind that", &["-F", "sample,random=0"], &[5, 4], (9, 0, 2)),
        ("mirrored", &["--mirror", "-w", "/dev/null"], &[5, 4], (9, 18, 2)),
        ("nothing", &["--getsource", "7"], &[0, 0], (0, 0, 2)),
    ] {
        for threads in ["1", "2"] {
            let more = ["-w", "/dev/null", "-dd", "--threads", threads];
            let ran = run(two.iter().chain(words).chain(&more));
            assert_eq!(ran.status, 0, "{name}: {}", ran.stderr);
            let (payloads_in, payloads_out, received) = totals;
            let mut want: Vec<String> = inputs
                .iter()
                .enumerate()
                .map(|(at, n)| format!("nmsg_io: iothr={:#x} count_nmsg_payload_in={n}", at + 1))
                .collect();
            want.push(format!(
                "nmsgtool: totals: payloads_in {payloads_in} payloads_out {payloads_out} \
                 container_recvs {received} container_drops 0"
            ));
            if payloads_out > 0 {
                want.push(format!("nmsg_io: io=0x1 count_nmsg_payload_out={payloads_out}"));
            }
            let said: Vec<&str> = ran.stderr.lines().collect();
            assert_eq!(said[said.len() - want.len()..], want, "{name}, {threads} threads");
        }
        let ran = run(two.iter().chain(words).chain(&["-w", "/dev/null"]));
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{name}: only at level 2");
    }
}

#[test]
fn en_9_every_failure_is_one_line_with_input_place_and_reason() {
    let scratch = Scratch::new();
    let whole = containers(&[2, 3]);
    let (first, second) = (&whole[0], &whole[1]);
    let mut mismatched = whole.concat();
    let last = mismatched.len() - 1;
    mismatched[last] ^= 1;
    let mut malformed = first.clone();
    malformed[10] = 0xff;
    let cut = &second[..second.len() - 3];
    let at = first.len();
    let mut bad_zlib = first.clone();
    bad_zlib[4] = 1;
    let pres =
        b"[5] [2001-09-09 01:46:40.000000005] [1:5 base ipconn] [00000000] [] []\nnofield: 1\n\n";
    let json = format!("{JSON}{{\"vname\":1}}\n");
    let ipconn = ["-V", "base", "-T", "ipconn"];
    for (name, option, octets, status, place, reason) in [
        (
            "foreign octets between containers",
            "-r",
            [first, &b"garbage"[..], second].concat(),
            3,
            format!("(at byte {at})"),
            "no container where one should start",
        ),
        (
            "a container that is cut",
            "-r",
            [first, cut].concat(),
            3,
            format!("(at byte {at})"),
            "ends 3 bytes early",
        ),
        (
            "a damaged container",
            "-r",
            [&malformed[..], second].concat(),
            3,
            "(at byte ".to_owned(),
            "container is damaged",
        ),
        (
            "a length beyond the limit",
            "-r",
            [&bad_zlib[..], second].concat(),
            3,
            "(at byte ".to_owned(),
            "container declares",
        ),
        (
            "no NMSG at all",
            "-r",
            b"hello world, this is text".to_vec(),
            3,
            String::new(),
            "not an NMSG file",
        ),
        ("a line of JSON", "-j", json.into_bytes(), 0, "line 2 ".to_owned(), "skipped"),
        ("a presentation record", "-f", pres.to_vec(), 3, "(at line ".to_owned(), "record skipped"),
        (
            "a capture that is none",
            "-p",
            b"no capture".to_vec(),
            3,
            String::new(),
            "pcap file input",
        ),
    ] {
        let input = scratch.write("input", &octets);
        let more: &[&str] = match option {
            "-f" => &ipconn,
            "-p" => &["-V", "base", "-T", "dnsqr"],
            _ => &[],
        };
        for threads in ["1", "2"] {
            let words = [option, &input, "-w", "/dev/null", "--threads", threads];
            let ran = run(words.iter().chain(more));
            assert_eq!(ran.status, status, "{name}: {}", ran.stderr);
            let mut lines = ran.stderr.lines().filter(|line| !line.starts_with("hint: "));
            let line = lines.next().unwrap_or_else(|| panic!("{name}: nothing is said"));
            assert_eq!(lines.next(), None, "{name}: one line");
            for part in ["nmsgtool: ", &input, &place, reason] {
                assert!(line.contains(part), "{name}: {part:?} is not in {line:?}");
            }
        }
    }
    let input = scratch.write("input", &mismatched);
    let ran = run(["-r", &input, "-w", "/dev/null"]);
    assert_eq!((ran.status, ran.stderr.lines().count()), (3, 1), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("libnmsg: WARNING: crc mismatch ("), "{}", ran.stderr);
}

#[test]
fn en_9_standard_input_has_a_name_too() {
    let ran = run_with_input(["-r", "-", "-w", "/dev/null"], b"this is no container");
    assert_eq!(
        (ran.status, ran.stderr.lines().next().map(|line| line.contains(" -: "))),
        (3, Some(true)),
        "{}",
        ran.stderr
    );
}
