//! Ends, damage, statuses and messages of capture files.

use crate::exchange::{ids, kinds, queries, query, response, savefile};
use crate::packets::ethernet;
use crate::tool::{
    END, Scratch, assert_quick, command, end_of, run, run_with_input, settle, signal, start,
};
use std::io::Write;
use std::time::{Duration, Instant};

const TO_JSON: [&str; 6] = ["-p", "-", "-T", "dnsqr", "-J", "-"];

#[test]
fn dq_6_waiting_queries_come_out_at_the_end() {
    let packets = [query(1, "a.").packet(), query(2, "b.").packet(), response(1, "a.").packet()];
    let ran = run_with_input(TO_JSON, &savefile(&packets));
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    assert_eq!(kinds(ran.text()), ["UDP_QUERY_RESPONSE", "UDP_UNANSWERED_QUERY"]);
    assert_eq!(ids(ran.text()), [1, 2]);
    assert!(ran.text().contains("\"timeout\":0.25,"), "{}", ran.text());
}

#[test]
fn dq_6_a_count_is_exact() {
    let octets = queries(1..=20);
    for (count, want) in [(1, 1), (7, 7), (20, 20), (21, 20)] {
        let count = count.to_string();
        for threads in ["1", "2"] {
            let words = TO_JSON.into_iter().chain(["-c", &count, "--stats", "--threads", threads]);
            let ran = run_with_input(words, &octets);
            assert_eq!(ran.status, 0, "{}", ran.stderr);
            assert_eq!(ids(ran.text()).len(), want, "-c {count}");
            let over = format!(", {} over count", 20 - want);
            assert_eq!(ran.stderr.contains(&over), want < 20, "-c {count}: {}", ran.stderr);
            assert!(ran.stderr.contains("balanced") && !ran.stderr.contains("not balanced"));
        }
    }
}

#[test]
fn dq_6_scenario_20_a_truncated_capture_is_read_to_its_end() {
    let packets = [query(1, "a.").packet(), query(2, "b.").packet(), response(2, "b.").packet()];
    let whole = savefile(&packets);
    let last = 16 + packets[2].len();
    for missing in [1, last - 16, last - 1] {
        let ran = run_with_input(TO_JSON, &whole[..whole.len() - missing]);
        // Within a header, only what is missing of that is known.
        let early = if missing < last - 15 { missing } else { missing - (last - 16) };
        let at = whole.len() - last;
        let want = format!("nmsgtool: -: capture ends {early} bytes early (at byte {at})\n");
        assert_eq!((ran.status, ran.stderr.clone()), (3, want), "{missing}");
        assert_eq!(kinds(ran.text()), ["UDP_UNANSWERED_QUERY"; 2], "{missing}");
        let kept = run_with_input(
            TO_JSON.into_iter().chain(["--keep-going"]),
            &whole[..whole.len() - missing],
        );
        assert_eq!((kept.status, kept.stdout), (0, ran.stdout), "{missing}");
    }
    let ran = run_with_input(TO_JSON, &whole[..whole.len() - last]);
    assert_eq!((ran.status, &*ran.stderr), (0, ""), "cut between two frames");
}

#[test]
fn damage_ends_a_capture_with_its_place() {
    let mut octets = queries(1..=3);
    let record = 16 + query(1, "example.com.").packet().len();
    let second = 24 + record;
    octets[second + 8..second + 12].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    let ran = run_with_input(TO_JSON, &octets);
    let want = format!(
        "nmsgtool: -: record of 2147483647 bytes exceeds the limit of 262144 (at byte {second})\n"
    );
    assert_eq!((ran.status, ran.stderr.clone()), (3, want));
    assert_eq!(ids(ran.text()), [1]);
}

#[test]
fn what_cannot_be_read_is_named() {
    let scratch = Scratch::new();
    let at = |name: &str, octets: &[u8]| scratch.write(name, octets);
    let missing = scratch.text("missing.pcap");
    let directory = scratch.text("");
    let mut ppp = queries([1]);
    ppp[20] = 9;
    for (name, file, status, want) in [
        ("missing", missing, 3, "No such file or directory"),
        ("directory", directory, 3, "Is a directory"),
        ("empty", at("empty", b""), 3, "capture ends 24 bytes early (at byte 0)"),
        ("NMSG", at("nmsg", b"NMSG and so on, longer than that"), 3, {
            "not a capture file (starts like NMSG)"
        }),
        ("gzip", at("gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), 3, {
            "not a capture file (starts like gzip)"
        }),
        ("cp_5", at("ppp", &ppp), 3, "base:dnsqr cannot be made from link type PPP"),
    ] {
        let ran = run(["-p", &file, "-T", "dnsqr"]);
        let want = format!("nmsgtool: unable to add pcap file input {file}: {want}\n");
        assert_eq!((ran.status, ran.stderr), (status, want), "{name}");
        assert!(ran.stdout.is_empty(), "{name}");
    }
}

#[test]
fn cp_5_pkt_needs_ethernet() {
    let ran = run_with_input(["-p", "-", "-T", "pkt"], &queries([1]));
    let want = "nmsgtool: unable to add pcap file input -: base:pkt needs link type EN10MB, this one is RAW\n";
    assert_eq!((ran.status, &*ran.stderr), (3, want));
}

#[test]
fn mistakes_are_told_before_anything_is_opened() {
    for (words, want) in [
        (&["-p", "/nowhere"][..], {
            "nmsgtool: usage error: reading presentation or pcap data requires -V, -T\n\
             hint: for example -V base -T dnsqr; -V may be left out for base\n"
        }),
        (&["-p", "/nowhere", "-T", "http"], {
            "nmsgtool: nmsg_input_open_pcap() failed\n\
             hint: packets can be made into base:ncap, base:pkt, base:dnsqr and base:packet\n"
        }),
        (&["-i", "", "-T", "packet"], {
            "nmsgtool: usage error: argument to -i needs an interface name\n"
        }),
        (&["-i", "lo,abc", "-T", "packet"], {
            "nmsgtool: parse error: 'abc' is not a valid snaplen\n"
        }),
    ] {
        let ran = run(words);
        assert_eq!((ran.status, &*ran.stderr), (2, want), "{words:?}");
    }
    let mut command = command(["-p", "/nowhere", "-T", "dnsqr"]);
    command.env("DNSQR_RES_ADDRS", ",");
    let (ran, _) = end_of(start(command));
    let want =
        "DNSQR_RES_ADDRS: no usable address in the list\nnmsgtool: nmsg_input_open_pcap() failed\n";
    assert_eq!((ran.status, &*ran.stderr), (2, want), "dq_4");
}

#[test]
fn cp_8_lost_frames_are_told_and_counted() {
    let mut octets = queries(1..=4);
    let record = 16 + query(1, "example.com.").packet().len();
    for frame in [1, 3] {
        let original = 24 + frame * record + 12;
        octets[original] += 1;
    }
    let ran = run_with_input(TO_JSON.into_iter().chain(["--stats"]), &octets);
    assert_eq!(ids(ran.text()), [1, 3]);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines[0], "nmsgtool: -: frame skipped: cut by the snapshot length (frame 2)");
    assert_eq!(lines[1], "nmsgtool: -: in total 2 frames skipped (2 cut by the snapshot length)");
    let want = format!(
        "input -: 2 payloads in, 2 passed on; 4 frames: 0 used, 2 cut by the snapshot length, \
         2 query waiting for its response, {} bytes",
        octets.len()
    );
    assert_eq!(lines[2], want);
    assert_eq!(ran.status, 0);
}

#[test]
fn cr_13_selection_works_on_captures() {
    let scratch = Scratch::new();
    let capture = scratch.write("in.pcap", &queries(1..=3));
    let ran = run(["-p", &capture, "-T", "dnsqr", "--getsource", "1", "--stats", "-J", "-"]);
    assert_eq!((ran.status, ran.text()), (0, ""), "captured messages have no source");
    assert!(ran.stderr.contains("3 payloads in, 0 passed on, 3 filtered"), "{}", ran.stderr);
}

#[test]
fn sg_1_a_signal_ends_the_wait_for_a_capture() {
    let scratch = Scratch::new();
    let (fifo, out) = (scratch.fifo("fifo"), scratch.text("out.json"));
    let head = queries([1, 2]);
    for (name, sent) in [("nothing", &[][..]), ("half a header", &head[..9]), ("queries", &head)] {
        for input in ["-", &fifo] {
            assert_quick(name, END, || {
                let mut child = start(command(["-p", input, "-T", "dnsqr", "-J", &out]));
                let mut stdin = child.stdin.take().expect("a pipe");
                let mut fifo = (input == fifo).then(|| {
                    let mut fifo = std::fs::File::options();
                    fifo.read(true).write(true).open(input).expect("the fifo is there")
                });
                match &mut fifo {
                    Some(fifo) => fifo.write_all(sent).expect("the program reads"),
                    None => stdin.write_all(sent).expect("the program reads"),
                }
                settle(child.id());
                signal(&child, "TERM");
                let (ran, took) = end_of(child);
                assert_eq!(
                    (ran.status, &*ran.stderr),
                    (1, "nmsgtool: signalled break\n"),
                    "{name}"
                );
                if sent.len() == head.len() {
                    let text = std::fs::read_to_string(&out).expect("the output");
                    assert_eq!(ids(&text), [1, 2], "dq_6: {name} from {input}");
                }
                took
            });
        }
    }
}

#[test]
fn dq_6_an_interval_ends_the_run_with_what_waits() {
    let start_time = Instant::now();
    let mut child = start(command(TO_JSON.into_iter().chain(["-t", "1"])));
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(&queries([1, 2, 3])).expect("the program reads");
    let (ran, _) = end_of(child);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    assert_eq!(ids(ran.text()), [1, 2, 3]);
    assert!(start_time.elapsed() < Duration::from_secs(20));
}

#[test]
fn what_is_complete_is_shown_while_the_pipe_is_open() {
    use std::io::{BufRead, BufReader};
    let mut child = start(command(TO_JSON));
    let mut stdin = child.stdin.take().expect("a pipe");
    let packets = [query(1, "a.").packet(), response(1, "a.").packet()];
    stdin.write_all(&savefile(&packets)).expect("the program reads");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("a pipe");
    BufReader::new(stdout).read_line(&mut line).expect("text");
    assert_eq!(kinds(&line), ["UDP_QUERY_RESPONSE"]);
    drop(stdin);
    assert_eq!(end_of(child).0.status, 0);
}

#[test]
fn cp_7_dq_1_dq_2_switched_back_by_one_option() {
    let mut nanoseconds = queries([1]);
    nanoseconds[..4].copy_from_slice(&0xa1b2_3c4d_u32.to_le_bytes());
    nanoseconds[28..32].copy_from_slice(&123_456_789_u32.to_le_bytes());
    for (more, want) in [(&[][..], ".123456789\""), (&["--classic-capture"], ".123456000\"")] {
        let ran = run_with_input(TO_JSON.iter().chain(more), &nanoseconds);
        assert!(ran.text().contains(want), "{more:?}: {}", ran.text());
    }
    // Fragments on both sides of a full second.
    let pieces = response(1, "a.").fragments(24);
    let [first, second] = &*pieces else { panic!("{} pieces", pieces.len()) };
    let filler = query(9, "b.").packet();
    let packets = [query(1, "a.").packet(), filler.clone(), filler, first.clone(), second.clone()];
    for (more, want) in [(&[][..], 1), (&["--classic-capture"], 0)] {
        let ran = run_with_input(TO_JSON.iter().chain(more), &savefile(&packets));
        let found = kinds(ran.text()).iter().filter(|kind| **kind == "UDP_QUERY_RESPONSE").count();
        assert_eq!(found, want, "dq_1 {more:?}: {}", ran.text());
    }
    let quoted = query(1, "a.").packet();
    let icmp = [&[3, 3, 0, 0, 0, 0, 0, 0][..], &quoted[..28]].concat();
    let addresses = ["192.0.2.53", "10.0.0.1"].map(|text| text.parse().expect("an address"));
    let error = crate::packets::ip(addresses[0], addresses[1], 1, &icmp);
    for (more, want) in [(&[][..], &["ICMP"][..]), (&["--classic-capture"], &[])] {
        let ran =
            run_with_input(TO_JSON.iter().chain(more), &savefile(std::slice::from_ref(&error)));
        assert_eq!(kinds(ran.text()), want, "dq_2 {more:?}");
    }
}

#[test]
fn cp_6_frames_behind_tags_are_read() {
    let tag = |frame: &[u8], kind: [u8; 2]| [&frame[..12], &kind, &[0, 5], &frame[12..]].concat();
    let frame = ethernet(&query(1, "a.").packet());
    let (q, ad) = ([0x81, 0], [0x88, 0xa8]);
    let frames = [frame.clone(), tag(&frame, q), tag(&frame, ad), tag(&tag(&frame, q), ad)];
    let mut octets = savefile(&frames);
    octets[20] = 1;
    let ran = run_with_input(TO_JSON, &octets);
    assert_eq!((ran.status, &*ran.stderr, ids(ran.text()).len()), (0, "", 4));
}
