//! `--readkafka`, `--writekafka` and `--kafkakey`.

mod apache;
mod groups;
mod mock;
mod outputs;
mod setup;

use crate::tool::{END, Scratch, assert_quick, containers, end_of, ipconn, ports, signal, start};
use mock::{LONG, Mock, run, tool};
use nmsg::container::{ContainerWriter, WriterSettings};
use nmsg::{Error, Payload};
use std::time::{Duration, Instant};

/// A file with a message of more than 8 KiB between small ones.
fn file_with_a_giant() -> Vec<u8> {
    let mut body = b"\x18\x07\x7a\xa0\x8d\x06".to_vec();
    body.resize(6 + 100_000, 0);
    let mut writer = ContainerWriter::new(WriterSettings::file(1));
    let mut octets = Vec::new();
    let mut emit = |piece: &[u8]| {
        octets.extend_from_slice(piece);
        Ok::<(), Error>(())
    };
    let small = ipconn(&[0x18, 5]);
    for payload in [small, Payload { body: Some(&body), ..small }, small] {
        writer.write(&payload, None, &mut emit).expect("fits");
    }
    writer.flush(&mut emit).expect("fits");
    octets
}

/// JSON documents of `base:ipconn`, whose source ports count from 0.
fn documents(count: usize) -> Vec<String> {
    let document = |port| {
        format!(
            "{{\"time\":\"2001-09-09 01:46:40.000000005\",\"vname\":\"base\",\
             \"mname\":\"ipconn\",\"message\":{{\"srcport\":{port}}}}}"
        )
    };
    (0..count).map(document).collect()
}

#[test]
fn ka_1_fragments_and_large_records_are_read() {
    let (mock, scratch) = (Mock::new(1), Scratch::new());
    let file = scratch.write("in.nmsg", &file_with_a_giant());
    let copy = scratch.text("copy.nmsg");
    assert_eq!(run(["-r", &file, "-w", &copy]).status, 0);
    let want = scratch.read("copy.nmsg");
    for (topic, words, count) in [
        ("fragments", &[][..], 15),
        ("compressed", &["-z"], 3),
        ("single", &["--unbuffered"], 15),
        ("whole", &["--whole-records"], 3),
    ] {
        mock.topic(topic);
        let to = format!("nmsg:{topic}@{}", mock.servers);
        let ran = run(["-r", &file, "--writekafka", &to].iter().chain(words));
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{topic}");
        let records = mock.records(topic, 0, count);
        assert_eq!(records.len(), count, "{topic}");
        for record in &records {
            let (value, is_fragment) = (&record.value, record.value[4] & 2 != 0);
            assert!(value.starts_with(b"NMSG") && record.key.is_none(), "{topic}");
            assert_eq!(is_fragment, count > 3 && value.len() > 1000, "{topic}");
            assert!(topic == "whole" || value.len() <= 8192, "{topic}: {}", value.len());
        }
        let largest = records.iter().map(|record| record.value.len()).max();
        assert_eq!(largest.is_some_and(|len| len > 100_000), topic == "whole", "{topic}");
        let back = scratch.text("back.nmsg");
        let from = format!("{to},oldest");
        let ran = run(["--readkafka", &from, "-w", &back, "-c", "3", "--stats"]);
        assert_eq!(ran.status, 0, "{topic}: {}", ran.stderr);
        assert_eq!(scratch.read("back.nmsg"), want, "{topic}");
        let line = ran.stderr.lines().next().expect("an account");
        assert!(line.ends_with(&format!(" bytes, {count} records")), "{topic}: {line}");
        assert!(line.contains(": 3 payloads in, 3 passed on; 3 containers, "), "{topic}: {line}");
    }
}

#[test]
fn ka_2_a_record_that_is_no_container_costs_itself() {
    let mock = Mock::new(2);
    let good = containers(&[1, 1]);
    let mut damaged = good[0].clone();
    damaged[11] = 0xff;
    let mut wrong = good[0].clone();
    // The checksum is the last field of the payload.
    let last = wrong.len() - 1;
    wrong[last] ^= 1;
    let cut = &good[0][..good[0].len() - 1];
    let records: [&[u8]; 9] = [
        &good[0],
        b"",
        b"NMSG",
        b"NMSG\0\x01\0\0\0\0",
        b"no container at all",
        &damaged,
        cut,
        &damaged,
        &good[1],
    ];
    mock.produce("t#1", records);
    let from = format!("nmsg:t#1@{},oldest", mock.servers);
    let ran = run(["--readkafka", &from, "-J", "-", "-c", "2", "--stats"]);
    assert_eq!(ran.status, 0, "strangers do not decide the status: {}", ran.stderr);
    assert_eq!(ports(&ran.stdout), [0, 1]);
    let name = &from[5..];
    for what in [
        format!("nmsgtool: {name}: message dropped: container ends 6 bytes early "),
        "partition 1, offset 2".to_owned(),
        "partition 1, offset 5".to_owned(),
        "partition 1, offset 6".to_owned(),
        format!(
            "nmsgtool: {name}: in total 3 messages without a usable header, 1 message of a wrong \
             length, 2 messages that cannot be decoded\n"
        ),
        format!("input {name}: 2 payloads in, 2 passed on; 2 containers, "),
        " bytes, 9 records, 3 messages without a usable header, ".to_owned(),
        ", balanced\n".to_owned(),
    ] {
        assert!(ran.stderr.contains(&what), "{what}: {}", ran.stderr);
    }
    for offset in [3, 4, 7] {
        let what = format!("offset {offset}");
        assert!(!ran.stderr.contains(&what), "each kind is said once: {}", ran.stderr);
    }
    mock.produce("t#0", [&wrong[..], &good[1]]);
    let from = format!("nmsg:t#0@{},oldest", mock.servers);
    let ran = run(["--readkafka", &from, "-J", "-", "-c", "1"]);
    assert_eq!((ran.status, ports(&ran.stdout)), (0, vec![1]));
    let first = ran.stderr.lines().next().unwrap_or_default();
    assert!(first.starts_with(&format!("nmsgtool: {}: crc mismatch (", &from[5..])), "{first}");
    assert!(first.ends_with(" (partition 0, offset 0)"), "{first}");
}

#[test]
fn ka_2_a_record_that_is_no_json_costs_itself_and_an_empty_one_nothing() {
    let mock = Mock::new(1);
    let good = documents(2);
    let records: [&[u8]; 7] = [
        good[0].as_bytes(),
        b"",
        b"{",
        b"[1]",
        b"\xff\0\xff",
        br#"{"vname":"base","mname":"nope","message":{}}"#,
        good[1].as_bytes(),
    ];
    mock.produce("t#0", records);
    let from = format!("json:t@{},oldest", mock.servers);
    let ran = run(["--readkafka", &from, "-J", "-", "-c", "2", "--stats"]);
    assert_eq!(ran.status, 0, "strangers do not decide the status: {}", ran.stderr);
    assert_eq!(ports(&ran.stdout), [0, 1]);
    let name = &from[5..];
    let first = ran.stderr.lines().next().unwrap_or_default();
    assert!(first.starts_with(&format!("nmsgtool: {name}: record skipped: ")), "{first}");
    assert!(first.ends_with("(partition 0, offset 2)"), "{first}");
    for what in [
        format!("nmsgtool: {name}: in total 4 records skipped\n"),
        format!("input {name}: 2 payloads in, 2 passed on; 0 containers, "),
        " bytes, 7 records, 4 records skipped\n".to_owned(),
    ] {
        assert!(ran.stderr.contains(&what), "{what}: {}", ran.stderr);
    }
    let shown = run(["-dd", "--readkafka", &from, "-J", "-", "-c", "2"]);
    assert!(shown.stderr.contains("\nJSON parse error: \"{\"\n"), "{}", shown.stderr);
    assert!(shown.stderr.contains(&format!("nmsg Kafka json input: {name}\n")));
}

#[test]
fn ka_6_documents_end_where_their_records_end() {
    let mock = Mock::new(1);
    let good = documents(5);
    let spread = good[1].replace(',', ",\n\t");
    let records = [
        good[0].clone(),
        spread,
        format!("{}\0{}", good[2], "x".repeat(100)),
        format!("{}\n{}", good[3], good[3]),
        // What was in memory behind it must not complete it.
        good[4][..good[4].len() - 1].to_owned(),
        good[4].clone(),
    ];
    mock.produce("t#0", &records);
    let from = format!("json:t@{},oldest", mock.servers);
    let ran = run(["--readkafka", &from, "-J", "-", "-c", "5"]);
    assert_eq!((ran.status, ports(&ran.stdout)), (0, vec![0, 1, 2, 3, 4]), "{}", ran.stderr);
    assert!(ran.stderr.contains("(partition 0, offset 4)"), "{}", ran.stderr);
}

#[test]
fn ka_6_a_signal_ends_the_run_and_everything_is_counted() {
    let mock = Mock::new(2);
    mock.produce("t#0", containers(&[10; 30]));
    mock.produce("t#1", containers(&[1; 20]));
    let scratch = Scratch::new();
    let out = scratch.text("out.nmsg");
    let from = format!("nmsg:t@{},oldest", mock.servers);
    for name in ["TERM", "INT"] {
        let child = start(tool(["--readkafka", &from, "--unbuffered", "-w", &out, "--stats"]));
        let until = Instant::now() + LONG;
        // The containers of the output are as large as that many payloads at least.
        while std::fs::metadata(&out).map_or(0, |file| file.len()) < 320 * 30 {
            assert!(Instant::now() < until, "nothing is written");
            std::thread::sleep(Duration::from_millis(10));
        }
        signal(&child, name);
        let (ran, took) = end_of(child);
        assert_eq!(ran.status, 1);
        assert!(took < Duration::from_secs(2), "{took:?}");
        let what = "total: 320 payloads in, 320 out, balanced\n";
        assert!(ran.stderr.contains(what), "{}", ran.stderr);
        assert_eq!(ports(&run(["-r", &out, "-J", "-"]).stdout).len(), 320);
        std::fs::remove_file(&out).expect("removed");
    }
}

#[test]
fn ka_3_partitions_and_offsets() {
    let mock = Mock::new(3);
    let all = documents(60);
    mock.produce("t#0", &all[..20]);
    mock.produce("t#1", &all[20..40]);
    mock.produce("t#2", &all[40..]);
    let ports_from = |part: &str, start: &str, count: usize| {
        let from = format!("json:t{part}@{}{start}", mock.servers);
        let ran = run(["--readkafka", &from, "-J", "-", "-c", &count.to_string()]);
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{from}");
        let mut ports = ports(&ran.stdout);
        if part.is_empty() {
            ports.sort_unstable();
        }
        ports
    };
    for (part, start, want) in [
        ("#1", ",oldest", 20..40),
        ("#1", ",Oldest", 20..40),
        ("#1", ",0", 20..40),
        ("#2", ",15", 55..60),
        ("#2", ",0xf", 55..60),
        ("#2", ",-2003", 57..60),
        ("", ",oldest", 0..60),
    ] {
        let want: Vec<u32> = want.collect();
        assert_eq!(ports_from(part, start, want.len()), want, "{part}{start}");
    }
    // What comes from now on: the reader has to be there before.
    let from = format!("json:t#0@{}", mock.servers);
    let child = start(tool(["--readkafka", &from, "-J", "-", "-c", "2"]));
    std::thread::sleep(Duration::from_secs(2));
    mock.produce("t#0", &all[30..32]);
    let (ran, _) = end_of(child);
    assert_eq!((ran.status, ports(&ran.stdout)), (0, vec![30, 31]), "{}", ran.stderr);
}

#[test]
fn sg_1_a_signal_ends_the_wait_for_records() {
    let (mock, scratch) = (Mock::new(1), Scratch::new());
    mock.produce("t#0", containers(&[2; 3]));
    let out = scratch.text("out.nmsg");
    let address = format!("t@{},oldest", mock.servers);
    for (name, from, count) in [
        ("containers", format!("nmsg:{address}"), 6),
        ("a partition", format!("nmsg:t#0@{},oldest", mock.servers), 6),
        ("nothing", format!("nmsg:t@{},newest", mock.servers), 0),
        ("JSON", format!("json:t@{},newest", mock.servers), 0),
    ] {
        for number in ["TERM", "INT"] {
            let name = format!("{name}, {number}");
            assert_quick(&name, END, || {
                let arguments = ["--readkafka", &from, "--unbuffered", "-w", &out];
                let child = start(tool(arguments));
                let until = Instant::now() + LONG;
                let all = containers(&[1; 6]).concat().len() as u64;
                while std::fs::metadata(&out).map_or(0, |file| file.len() + 1) <= all * count / 6 {
                    assert!(Instant::now() < until, "{name}: nothing is written");
                    std::thread::sleep(Duration::from_millis(10));
                }
                // The client's threads never rest for long.
                std::thread::sleep(Duration::from_millis(300));
                signal(&child, number);
                let (ran, took) = end_of(child);
                assert_eq!(
                    (ran.status, &*ran.stderr),
                    (1, "nmsgtool: signalled break\n"),
                    "{name}"
                );
                std::fs::remove_file(&out).expect("removed");
                took
            });
        }
    }
}
