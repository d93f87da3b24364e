//! What is written to topics, and what becomes of what cannot be delivered.

use super::mock::{LONG, Mock, QUICK, Stored, run, tool};
use super::{documents, file_with_a_giant};
use crate::tool::{
    END, Ran, Scratch, assert_quick, containers, end_of, golden, run_with_input, settle, signal,
    signal_at_once, start,
};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn values(records: &[Stored]) -> Vec<String> {
    let text = |record: &Stored| String::from_utf8(record.value.clone()).expect("text");
    records.iter().map(text).collect()
}

#[test]
fn json_documents_are_records_of_their_own() {
    let (mock, scratch) = (Mock::new(2), Scratch::new());
    let input = documents(30).join("\n") + "\n";
    let file = scratch.write("in.json", input.as_bytes());
    let to = format!("json:t#1@{}", mock.servers);
    let ran = run(["-j", &file, "--writekafka", &to, "--setsource", "0x7", "--stats"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let name = &to[5..];
    let what = format!("output {name}: 30 payloads written; ");
    assert!(ran.stderr.contains(&what) && ran.stderr.contains(" bytes, 30 records\n"));
    let records = mock.records("t", 1, 30);
    let want = run_with_input(["-j", "-", "-J", "-", "--setsource", "0x7"], input.as_bytes());
    assert_eq!(values(&records), want.text().lines().collect::<Vec<_>>());
    assert!(records.iter().all(|record| record.key.is_none()));
    // Without a partition the client chooses, and every record is somewhere.
    mock.cluster.create_topic("many", 3, 1).expect("made");
    let to = format!("json:many%ignored@{},oldest", mock.servers);
    let ran = run(["-j", &file, "--writekafka", &to]);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    let from = format!("json:many@{},oldest", mock.servers);
    let ran = run(["--readkafka", &from, "-J", "-", "-c", "30"]);
    assert_eq!((ran.status, ran.text().lines().count()), (0, 30), "{}", ran.stderr);
}

#[test]
fn ka_5_keys_are_the_text_of_a_field() {
    let (mock, scratch) = (Mock::new(1), Scratch::new());
    let message = |kind: &str, message: &str| {
        format!("{{\"vname\":\"base\",\"mname\":\"{kind}\",\"message\":{message}}}\n")
    };
    let conn = r#"{"proto":6,"srcip":"2001:db8::1","srcport":53}"#;
    let email = r#"{"type":"spamtrap","srcip":"192.0.2.1","srchost":"h.example","headers":"x"}"#;
    for (topic, kind, body, field, want) in [
        ("number", "ipconn", conn, "srcport", Some("53")),
        ("address", "ipconn", conn, "srcip", Some("2001:db8::1")),
        ("nothing", "ipconn", conn, "dstip", Some("")),
        ("enum", "email", email, "type", Some("spamtrap")),
        ("text", "email", email, "srchost", Some("h.example")),
        ("v4", "email", email, "srcip", Some("192.0.2.1")),
    ] {
        mock.topic(topic);
        let file = scratch.write("in.json", message(kind, body).as_bytes());
        let to = format!("json:{topic}@{}", mock.servers);
        let words = ["-j", &file, "--writekafka", &to, "--kafkakey", field, "-T", kind];
        let ran = run(words);
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{topic}");
        let records = mock.records(topic, 0, 1);
        let key = records[0].key.as_deref().map(String::from_utf8_lossy);
        assert_eq!(key.as_deref(), want, "{topic}");
        assert!(records[0].value.starts_with(b"{\"time\":") && records[0].value.ends_with(b"}"));
    }
}

#[test]
fn ka_5_types_without_the_field_have_no_key_and_that_is_said_once() {
    let (mock, scratch) = (Mock::new(1), Scratch::new());
    let conn = documents(1)[0].clone() + "\n";
    let http = "{\"vname\":\"base\",\"mname\":\"http\",\"message\":{\"type\":\"sinkhole\"}}\n";
    let file = scratch.write("in.json", [&conn, http, http, &conn].concat().as_bytes());
    let to = format!("json:t@{}", mock.servers);
    let field = "srcport";
    let mut command = tool(["-j", &file, "--writekafka", &to]);
    command.env("NMSG_KAFKA_KEY", field);
    let (ran, _) = end_of(start(command));
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let keys: Vec<_> = mock.records("t", 0, 4).into_iter().map(|record| record.key).collect();
    let port = || Some(b"0".to_vec());
    let http_key = keys[1].clone();
    assert_eq!(keys, [port(), http_key.clone(), http_key.clone(), port()]);
    // This type has the field, but no value of it.
    assert_eq!(http_key, Some(Vec::new()));
    let words = ["-j", &file, "--writekafka", &to, "--kafkakey", "proto"];
    let ran = run(words);
    assert_eq!(ran.status, 0);
    let said = format!(
        "nmsgtool: {}: messages of type 1:4 have no field proto, they are sent without key\n",
        &to[5..]
    );
    assert_eq!(ran.stderr, said);
    let keys: Vec<_> = mock.records("t", 0, 8).into_iter().skip(4).map(|r| r.key).collect();
    assert_eq!(keys, [Some(Vec::new()), None, None, Some(Vec::new())]);
    let ran = run(["-j", &file, "--writekafka", &to, "--kafkakey", "qname", "-T", "ipconn"]);
    let said = "nmsgtool: usage error: --kafkakey: message type base ipconn has no field qname\n";
    assert_eq!((ran.status, &*ran.stderr), (2, said));
}

#[test]
fn ka_4_what_the_broker_does_not_confirm_in_time_is_status_5() {
    let (mock, scratch) = (Mock::new(1), Scratch::new());
    let file = scratch.write("in.nmsg", &containers(&[7, 8]).concat());
    let to = format!("nmsg:t@{}", mock.servers);
    mock.cluster.broker_down(1).expect("down");
    let mut command = tool(["-r", &file, "--writekafka", &to, "--stats", "--unbuffered"]);
    command.env("NMSG_KAFKA_CONFIG", "message.timeout.ms=1500:linger.ms=0");
    let (ran, _) = end_of(start(command));
    assert_eq!(ran.status, 5, "{}", ran.stderr);
    let name = &to[5..];
    for what in [
        format!("nmsgtool: {name}: a record was not delivered: Kafka error -192: "),
        format!("nmsgtool: {name}: 15 of 15 records not delivered\n"),
        format!("output {name}: 0 payloads written, 15 not delivered; "),
        " bytes, 15 records, 15 failed\n".to_owned(),
        ", balanced\n".to_owned(),
    ] {
        assert!(ran.stderr.contains(&what), "{what}: {}", ran.stderr);
    }
}

#[test]
fn ka_4_the_broker_is_waited_for_until_a_signal_comes() {
    let (mock, scratch) = (Mock::new(1), Scratch::new());
    let file = scratch.write("in.nmsg", &containers(&[5]).concat());
    let to = format!("nmsg:t@{}", mock.servers);
    mock.cluster.broker_down(1).expect("down");
    let words = ["-r", &file, "--writekafka", &to, "--stats", "--unbuffered"];
    let began = Instant::now();
    let mut child = start(tool(words));
    let patient = start(tool(words));
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let said = format!("nmsgtool: {}: waiting for the broker to confirm 5 records", &to[5..]);
    while stderr.next().expect("a line").expect("text") != said {
        assert!(began.elapsed() < LONG, "it is not said");
    }
    let waited = began.elapsed();
    assert!(waited >= Duration::from_secs(10), "{waited:?}");
    signal(&child, "TERM");
    let (ran, took) = end_of(child);
    let rest: Vec<String> = stderr.map(|line| line.expect("text")).collect();
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(ran.status, 1, "the signal outranks what it left undelivered");
    for what in [
        "5 of 5 records not delivered",
        "0 payloads written, 5 not delivered; ",
        " bytes, 5 records, 5 given up",
        "total: 5 payloads in, 0 out, balanced",
    ] {
        assert!(rest.iter().any(|line| line.contains(what)), "{what}: {rest:?}");
    }
    // Another run that waits still gets rid of everything when the broker comes back.
    mock.cluster.broker_up(1).expect("up");
    let (ran, _) = end_of(patient);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("5 payloads written; "), "{}", ran.stderr);
    assert_eq!(mock.records("t", 0, 5).len(), 5);
}

#[test]
fn ka_4_a_record_that_is_too_large_is_counted_and_the_rest_is_sent() {
    let (mock, scratch) = (Mock::new(1), Scratch::new());
    let file = scratch.write("in.nmsg", &file_with_a_giant());
    let to = format!("nmsg:t@{}", mock.servers);
    let mut command = tool(["-r", &file, "--writekafka", &to, "--whole-records", "--stats"]);
    command.env("NMSG_KAFKA_CONFIG", "message.max.bytes=50000");
    let (ran, _) = end_of(start(command));
    assert_eq!(ran.status, 5, "{}", ran.stderr);
    let name = &to[5..];
    for what in [
        format!("nmsgtool: {name}: a record was not sent: "),
        format!("nmsgtool: {name}: 1 of 3 records not delivered\n"),
        format!("output {name}: 2 payloads written, 1 not delivered; "),
        " bytes, 3 records, 1 failed\n".to_owned(),
    ] {
        assert!(ran.stderr.contains(&what), "{what}: {}", ran.stderr);
    }
    assert_eq!(mock.records("t", 0, 2).len(), 2);
}

/// What is asked of a run that goes on, and failures without anything that comes in.
#[test]
fn ka_4_records_are_accounted_for_while_the_run_goes_on() {
    let mock = Mock::new(1);
    let to = format!("nmsg:t@{}", mock.servers);
    let mut command = tool(["-r", "-", "--writekafka", &to, "--unbuffered"]);
    command.env("NMSG_KAFKA_CONFIG", format!("{QUICK}:linger.ms=0:message.timeout.ms=4000"));
    let mut child = start(command);
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let mut line_with = |what: &str| {
        let found = stderr.by_ref().map(|line| line.expect("text")).find(|l| l.contains(what));
        found.unwrap_or_else(|| panic!("{what} is not said"))
    };
    let mut write = |count| {
        std::io::Write::write_all(&mut stdin, &containers(&[count])[0]).expect("written");
    };
    write(4);
    assert_eq!(mock.records("t", 0, 4).len(), 4);
    mock.cluster.broker_down(1).expect("down");
    write(3);
    std::thread::sleep(Duration::from_secs(1));
    signal(&child, "USR1");
    let line = line_with("output ");
    assert!(line.ends_with(" bytes, 7 records, 3 waiting"), "{line}");
    // Nothing comes in, and still it is said.
    line_with(": a record was not delivered: Kafka error -192: ");
    std::thread::sleep(Duration::from_secs(1));
    signal(&child, "USR1");
    let line = line_with("output ");
    assert!(line.ends_with(" bytes, 7 records, 3 failed"), "{line}");
    drop(stdin);
    line_with(": 3 of 7 records not delivered");
    assert_eq!(end_of(child).0.status, 5);
}

#[test]
fn what_waits_in_a_container_is_written_after_its_interval() {
    let mock = Mock::new(1);
    let to = format!("nmsg:t@{}", mock.servers);
    let mut command = tool(["-r", "-", "--writekafka", &to, "--flush-interval", "1"]);
    command.stdin(Stdio::piped());
    let mut child = start(command);
    let mut stdin = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut stdin, &containers(&[3])[0]).expect("written");
    assert_eq!(mock.records("t", 0, 1).len(), 1, "while the input is still open");
    drop(stdin);
    assert_eq!(end_of(child).0.status, 0);
}

/// The reference's program; `None` where there is none.
#[expect(clippy::print_stdout, reason = "who runs tests wants to know what was left out")]
fn reference() -> Option<PathBuf> {
    let Some(directory) = std::env::var_os("NMSG_REFERENCE") else {
        println!("skipped: NMSG_REFERENCE does not name a reference");
        return None;
    };
    Some(PathBuf::from(directory).join("bin/nmsgtool"))
}

fn theirs(reference: &Path, words: &[&str]) -> Ran {
    let mut program = Command::new(reference);
    program.args(words).env("NMSG_OPALIAS_FILE", "/dev/null").env_remove("NMSG_KAFKA_CONFIG");
    end_of(start(program)).0
}

#[test]
fn ka_1_the_reference_and_we_write_the_same_records() {
    let Some(reference) = reference() else { return };
    let (mock, scratch) = (Mock::new(1), Scratch::new());
    let theirs = |words: &[&str]| theirs(&reference, words);
    let small = scratch.write("small.nmsg", &containers(&[500]).concat());
    let giant = scratch.write("giant.nmsg", &file_with_a_giant());
    for (name, file, protocol, words) in [
        ("small", &small, "nmsg", &[][..]),
        ("compressed", &small, "nmsg", &["-z"]),
        ("single", &small, "nmsg", &["--unbuffered"]),
        ("giant", &giant, "nmsg", &[]),
        ("json", &small, "json", &[]),
        ("key", &small, "json", &["--kafkakey", "srcport"]),
    ] {
        let [ours, other] = ["ours", "theirs"].map(|who| format!("{name}-{who}"));
        let to = |topic: &str| format!("{protocol}:{topic}#0@{}", mock.servers);
        mock.topic(&ours);
        mock.topic(&other);
        let to_ours = to(&ours);
        let ran = run(["-r", file, "--writekafka", &to_ours].iter().chain(words));
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{name}");
        let to_theirs = to(&other);
        let ran = theirs(&[&["-r", file, "--writekafka", &to_theirs], words].concat());
        assert_eq!(ran.status, 0, "{name}: {}", ran.stderr);
        let count = if protocol == "json" || name == "single" { 500 } else { 2 };
        let want = mock.records(&other, 0, count);
        let got = mock.records(&ours, 0, want.len());
        if name != "compressed" {
            // The ids of fragmented containers are made at random, of 1 to 5 octets behind the
            // header and a tag.
            const IN_FRONT: usize = 10 + 1;
            let is_fragment = |value: &[u8]| value.starts_with(b"NMSG") && value[4] & 2 != 0;
            let behind_id = |value: &[u8]| {
                let last = value[IN_FRONT..].iter().position(|octet| octet & 0x80 == 0);
                value[IN_FRONT + last.expect("an id") + 1..].to_vec()
            };
            for (ours, theirs) in got.iter().zip(&want) {
                if is_fragment(&theirs.value) {
                    assert!(ours.value[..6] == theirs.value[..6], "{name}: headers differ");
                    let [ours, theirs] = [ours, theirs].map(|record| behind_id(&record.value));
                    assert!(ours == theirs, "{name}: fragments differ");
                } else {
                    assert!(ours == theirs, "{name}: records differ");
                }
            }
            assert_eq!(got.len(), want.len(), "{name}");
        }
        if name != "giant" {
            let from = format!("{},oldest", to(&ours));
            let ran = theirs(&["--readkafka", &from, "-J", "-", "-c", "500"]);
            let back = run(["-r", file, "-J", "-"]);
            assert!(ran.stdout == back.stdout, "{name}: the reference reads ours");
        }
        let from = format!("{},oldest", to(&other));
        let count = if name == "giant" { "3" } else { "500" };
        let ran = run(["--readkafka", &from, "-J", "-", "-c", count]);
        assert!(ran.stdout == run(["-r", file, "-J", "-"]).stdout, "{name}: we read theirs");
    }
}

#[test]
fn sg_2_a_second_signal_skips_the_wait_for_the_broker() {
    let mock = Mock::new(1);
    let to = format!("nmsg:t@{}", mock.servers);
    mock.cluster.broker_down(1).expect("down");
    let writing = || {
        let mut child = start(tool(["-r", "-", "--writekafka", &to, "--unbuffered", "--stats"]));
        let stdin = child.stdin.as_mut().expect("a pipe");
        std::io::Write::write_all(stdin, &containers(&[5])[0]).expect("the program reads");
        settle(child.id());
        child
    };
    let gave_up = |ran: &Ran| {
        assert_eq!(ran.status, 1, "{}", ran.stderr);
        assert!(ran.stderr.contains("5 of 5 records not delivered"), "{}", ran.stderr);
        assert_eq!(ran.stderr.matches("nmsgtool: signalled break\n").count(), 2);
    };
    assert_quick("the second one comes later", END, || {
        let child = writing();
        signal(&child, "TERM");
        std::thread::sleep(Duration::from_millis(300));
        signal(&child, "INT");
        let (ran, took) = end_of(child);
        gave_up(&ran);
        took
    });
    assert_quick("both come at once", END, || {
        let child = writing();
        signal_at_once(&child, &["TERM", "INT"]);
        let (ran, took) = end_of(child);
        gave_up(&ran);
        took
    });
}

/// One field of each kind. Left out are those of which the reference makes its memory instead of
/// text: times, truth values, numbers that a type computes.
#[test]
fn ka_5_keys_are_those_of_the_reference() {
    let Some(reference) = reference() else { return };
    let mock = Mock::new(1);
    for (name, fields) in [
        ("base-ipconn", &["proto", "srcip", "srcport"][..]),
        ("base-email", &["type", "headers", "srcip", "rcpt"]),
        ("base-http", &["type", "dstport", "request"]),
        ("base-encode", &["type", "payload"]),
        ("base-dnsqr", &["type", "qname", "qclass", "qtype", "rcode", "query_ip"]),
        ("sie-dnsdedupe", &["type", "count", "rrname", "rrtype", "rdata", "bailiwick"]),
    ] {
        let file = golden(&format!("{name}.nmsg"));
        let file = file.to_str().expect("text");
        for field in fields {
            let [ours, other] = ["ours", "theirs"].map(|who| format!("{name}.{field}.{who}"));
            let to = |topic: &str| {
                mock.topic(topic);
                format!("json:{topic}@{}", mock.servers)
            };
            let ran = run(["-r", file, "--writekafka", &to(&ours), "--kafkakey", field]);
            assert_eq!((ran.status, &*ran.stderr), (0, ""), "{ours}");
            let words = ["-r", file, "--writekafka", &to(&other), "--kafkakey", field];
            let ran = theirs(&reference, &words);
            assert_eq!(ran.status, 0, "{other}: {}", ran.stderr);
            let [ours, other] = [ours, other].map(|topic| {
                let records = mock.records(&topic, 0, 30);
                records.into_iter().map(|record| record.key).collect::<Vec<_>>()
            });
            assert_eq!((ours.len(), &ours), (30, &other), "{name} {field}");
        }
    }
}
