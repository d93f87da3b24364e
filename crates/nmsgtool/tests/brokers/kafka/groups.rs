//! Members of consumer groups: nothing is lost, whatever ends them.

use super::documents;
use super::mock::{LONG, Mock, QUICK, run, tool};
use crate::tool::{Scratch, end_of, ports, signal, start};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::time::{Duration, Instant};

/// The ports in a file that may still be written.
pub(super) fn seen(file: &Path) -> BTreeSet<u32> {
    whole_lines(&std::fs::read(file).unwrap_or_default())
}

/// The ports in text whose last line may have been cut.
fn whole_lines(text: &[u8]) -> BTreeSet<u32> {
    let whole = text.iter().rposition(|octet| *octet == b'\n').map_or(0, |end| end + 1);
    ports(&text[..whole]).into_iter().collect()
}

pub(super) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A member of group `g` that reads topic `t` and writes JSON at once.
pub(super) fn member(servers: &str, out: &str) -> std::process::Child {
    let from = format!("json:t%g@{servers},oldest");
    start(tool(["--readkafka", &from, "--unbuffered", "-J", out]))
}

/// What a new member of the group still gets in a while, and that it can be stopped.
pub(super) fn left_over(servers: &str, scratch: &Scratch) -> BTreeSet<u32> {
    let out = scratch.text("left.json");
    let child = member(servers, &out);
    std::thread::sleep(Duration::from_secs(5));
    signal(&child, "TERM");
    let (ran, _) = end_of(child);
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    seen(Path::new(&out))
}

#[test]
fn a_group_goes_on_where_it_was_stopped() {
    let (mock, scratch) = (Mock::new(1), Scratch::new());
    let all = documents(60);
    mock.produce("t#0", &all[..40]);
    let from = format!("json:t%g@{},oldest", mock.servers);
    // What was read but not written, as the count was reached, is read again.
    let ran = run(["--readkafka", &from, "-J", "-", "-c", "25"]);
    assert_eq!((ran.status, ports(&ran.stdout)), (0, (0..25).collect()), "{}", ran.stderr);
    let ran = run(["--readkafka", &from, "-J", "-", "-c", "10"]);
    assert_eq!((ran.status, ports(&ran.stdout)), (0, (25..35).collect()), "{}", ran.stderr);
    // Another group has a place of its own.
    let other = from.replace("%g", "%h");
    let ran = run(["--readkafka", &other, "-J", "-", "-c", "3"]);
    assert_eq!((ran.status, ports(&ran.stdout)), (0, (0..3).collect()), "{}", ran.stderr);
    mock.produce("t#0", &all[40..]);
    let out = scratch.text("out.json");
    let child = member(&mock.servers, &out);
    wait_until("the rest arrives", || seen(Path::new(&out)).len() == 25);
    signal(&child, "TERM");
    assert_eq!(end_of(child).0.status, 1);
    assert_eq!(seen(Path::new(&out)), (35..60).collect());
    assert_eq!(left_over(&mock.servers, &scratch), BTreeSet::new(), "everything is committed");
}

#[test]
fn a_member_that_is_killed_loses_nothing() {
    let (mock, scratch) = (Mock::new(1), Scratch::new());
    let all = documents(3000);
    mock.produce("t#0", &all);
    let pipe = scratch.fifo("first.json");
    let mut child = member(&mock.servers, &pipe);
    // It is killed while it waits for its reader, which has some of it by then.
    let mut reader = BufReader::new(File::open(&pipe).expect("opens"));
    let mut text = Vec::new();
    for _ in 0..100 {
        reader.read_until(b'\n', &mut text).expect("readable");
    }
    child.kill().expect("killed");
    let _ = child.wait();
    reader.read_to_end(&mut text).expect("readable");
    let before = whole_lines(&text);
    assert!((100..2500).contains(&before.len()), "killed in the middle: {}", before.len());
    let second = scratch.path("second.json");
    let child = member(&mock.servers, second.to_str().expect("text"));
    wait_until("the second gets what is missing", || {
        before.union(&seen(&second)).count() == all.len()
    });
    signal(&child, "TERM");
    assert_eq!(end_of(child).0.status, 1);
}

#[test]
fn what_the_output_did_not_take_is_not_committed() {
    let (mock, other, scratch) = (Mock::new(1), Mock::new(1), Scratch::new());
    mock.produce("t#0", documents(50));
    let from = format!("json:t%g@{},oldest", mock.servers);
    // A device that is full takes nothing.
    if Path::new("/dev/full").exists() {
        let ran = run(["--readkafka", &from, "-J", "/dev/full"]);
        assert_eq!(ran.status, 4, "{}", ran.stderr);
    }
    // Nor does a broker that is down, although its client has taken everything.
    other.cluster.broker_down(1).expect("down");
    let to = format!("json:t@{}", other.servers);
    let child = start(tool(["--readkafka", &from, "--writekafka", &to, "-c", "30"]));
    std::thread::sleep(Duration::from_secs(6));
    signal(&child, "TERM");
    let (ran, _) = end_of(child);
    assert_eq!(ran.status, 5, "the count had ended the run before: {}", ran.stderr);
    let what = "30 of 30 records not delivered";
    assert!(ran.stderr.contains(what), "the output had them: {}", ran.stderr);
    // When it is up again, it gets everything there is.
    other.cluster.broker_up(1).expect("up");
    let ran = run(["--readkafka", &from, "--writekafka", &to, "-c", "50"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let back = format!("json:t@{},oldest", other.servers);
    let ran = run(["--readkafka", &back, "-J", "-", "-c", "50"]);
    let got: BTreeSet<u32> = ports(&ran.stdout).into_iter().collect();
    assert_eq!(got, (0..50).collect(), "{}", ran.stderr);
    assert_eq!(left_over(&mock.servers, &scratch), BTreeSet::new(), "now everything is committed");
}

#[test]
fn two_processes_share_a_group() {
    let (mock, scratch) = (Mock::new(2), Scratch::new());
    let [first, second] = ["first.json", "second.json"].map(|name| scratch.path(name));
    let children = [&first, &second].map(|out| member(&mock.servers, out.to_str().expect("text")));
    let all = documents(1000);
    // Both have their partition before there is anything, however long that takes.
    let mut sent = 0;
    wait_until("both get something", || {
        if sent < all.len() {
            mock.produce("t#0", &all[sent..sent + 5]);
            mock.produce("t#1", &all[sent + 5..sent + 10]);
            sent += 10;
        }
        !seen(&first).is_empty() && !seen(&second).is_empty()
    });
    mock.produce("t#0", &all[sent..]);
    wait_until("everything arrives", || seen(&first).union(&seen(&second)).count() == all.len());
    for child in children {
        signal(&child, "TERM");
        assert_eq!(end_of(child).0.status, 1);
    }
    assert!(QUICK.contains("auto.commit"), "commits while it runs, too");
}

/// What the outputs have is committed soon, also when nothing more comes.
#[test]
fn a_member_that_is_killed_when_it_had_nothing_to_do_has_committed_everything() {
    let (other, scratch) = (Mock::new(1), Scratch::new());
    let to = format!("json:t@{}", other.servers);
    let out = scratch.text("out.json");
    // Another input that stays open: the run waits for both.
    let pipe = scratch.fifo("pipe");
    let _held = File::options().read(true).write(true).open(&pipe).expect("opens");
    for (name, words) in [
        ("file", &["-J", &*out][..]),
        ("broker", &["--writekafka", &to]),
        ("beside a pipe", &["--writekafka", &to, "-r", &pipe]),
    ] {
        let mock = Mock::new(1);
        mock.produce("t#0", documents(50));
        let from = format!("json:t%g@{},oldest", mock.servers);
        let mut command = tool(["--readkafka", &from].iter().chain(words));
        // The broker's answers come when everything else has been done.
        command.env("NMSG_KAFKA_CONFIG", format!("{QUICK}:linger.ms=1000"));
        let mut child = start(command);
        match name {
            "file" => wait_until("it is written", || seen(Path::new(&out)).len() == 50),
            "broker" => assert_eq!(other.records("t", 0, 50).len(), 50),
            _ => assert_eq!(other.records("t", 0, 100).len(), 100),
        }
        std::thread::sleep(Duration::from_secs(2));
        child.kill().expect("killed");
        let _ = child.wait();
        let left = scratch.text("left.json");
        let child = start(tool(["--readkafka", &from, "-J", &left]));
        // It has to wait until the dead member is forgotten.
        mock.produce("t#0", &documents(51)[50..]);
        wait_until("the next one arrives", || seen(Path::new(&left)).contains(&50));
        signal(&child, "TERM");
        assert_eq!(end_of(child).0.status, 1);
        assert_eq!(seen(Path::new(&left)), BTreeSet::from([50]), "{name}");
    }
}
