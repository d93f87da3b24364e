//! The program with a broker of Apache Kafka, which Maven brings and Java runs.

mod broker;

use super::documents;
use super::groups::{left_over, member, seen, wait_until};
use super::mock::{LONG, QUICK, records, run, tool};
use crate::tool::{Ran, Scratch, end_of, signal, start};
use broker::{Broker, Listener};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, Producer};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

/// All of it with one broker, as starting one takes seconds.
#[test]
fn everything_works_with_apache_kafka() {
    let mut broker = match Broker::start() {
        Ok(broker) => broker,
        Err(why) => {
            let must_work = std::env::var_os("CI").is_some_and(|value| value == "true");
            assert!(!must_work, "no broker of Apache Kafka: {why}");
            println!("skipped: no broker of Apache Kafka: {why}");
            return;
        }
    };
    what_is_written_is_read_back(&broker);
    records_with_the_same_key_share_a_partition(&broker);
    passwords_are_needed_where_they_are_asked_for(&broker);
    connections_are_encrypted_where_the_client_can(&broker);
    members_come_and_go(&broker);
    a_broker_that_dies_costs_nothing(&mut broker);
}

fn with_properties(properties: &str, words: &[&str]) -> Ran {
    let mut command = tool(words);
    command.env("NMSG_KAFKA_CONFIG", format!("{QUICK}:{properties}"));
    end_of(start(command)).0
}

/// Makes the broker create a topic.
fn create(servers: &str, topic: &str) {
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", servers).create().expect("opens");
    let found = |metadata: &rdkafka::metadata::Metadata| {
        metadata.topics().iter().any(|found| found.name() == topic && found.partitions().len() == 4)
    };
    wait_until("the topic is there", || {
        let metadata = producer.client().fetch_metadata(Some(topic), Duration::from_secs(5));
        metadata.is_ok_and(|metadata| found(&metadata))
    });
}

fn what_is_written_is_read_back(broker: &Broker) {
    let (scratch, servers) = (Scratch::new(), broker.servers(Listener::Plain));
    let count = 5000;
    let file = scratch.write("in.json", (documents(count).join("\n") + "\n").as_bytes());
    let out = scratch.text("out.json");
    for (topic, protocol, properties, words) in [
        ("containers", "nmsg", "linger.ms=5", &[][..]),
        ("deflated", "nmsg", "linger.ms=5", &["-z"]),
        ("lz4", "nmsg", "compression.codec=lz4", &[]),
        ("snappy", "nmsg", "compression.codec=snappy", &["--unbuffered"]),
        ("documents", "json", "compression.codec=gzip", &[]),
    ] {
        create(&servers, topic);
        let to = format!("{protocol}:{topic}@{servers}");
        let write = ["-j", &file, "--writekafka", &to, "--stats"];
        let ran = with_properties(properties, &[&write, words].concat());
        assert_eq!(ran.status, 0, "{topic}: {}", ran.stderr);
        assert!(ran.stderr.contains(": 5000 payloads written; "), "{topic}: {}", ran.stderr);
        assert!(ran.stderr.contains(", balanced\n"), "{topic}: {}", ran.stderr);
        let from = format!("{to},oldest");
        let ran = run(["--readkafka", &from, "-J", &out, "-c", "5000", "--stats"]);
        assert_eq!(ran.status, 0, "{topic}: {}", ran.stderr);
        let text = scratch.read("out.json");
        assert_eq!(text.iter().filter(|octet| **octet == b'\n').count(), count, "{topic}");
        assert_eq!(seen(Path::new(&out)), (0..5000).collect(), "{topic}");
        assert!(ran.stderr.contains(", balanced\n"), "{topic}: {}", ran.stderr);
    }
}

fn records_with_the_same_key_share_a_partition(broker: &Broker) {
    let (scratch, servers) = (Scratch::new(), broker.servers(Listener::Plain));
    create(&servers, "keyed");
    let lines = [documents(20), documents(20), documents(20)].concat().join("\n") + "\n";
    let file = scratch.write("in.json", lines.as_bytes());
    let to = format!("json:keyed@{servers}");
    let ran = run(["-j", &file, "--writekafka", &to, "--kafkakey", "srcport"]);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    let mut places: BTreeMap<Vec<u8>, Vec<i32>> = BTreeMap::new();
    for record in records(&servers, "keyed", 0..4, 60) {
        let key = record.key.expect("a key");
        let port = format!("\"srcport\":{}}}", String::from_utf8_lossy(&key));
        assert!(String::from_utf8_lossy(&record.value).contains(&port));
        places.entry(key).or_default().push(record.partition);
    }
    assert_eq!(places.len(), 20);
    assert!(places.values().all(|found| found.len() == 3 && found.iter().all(|p| *p == found[0])));
    let used: BTreeSet<i32> = places.values().map(|found| found[0]).collect();
    assert!(used.len() > 1, "not all keys go to one partition");
}

const USER: &str = "security.protocol=SASL_PLAINTEXT:sasl.username=reader:sasl.password";

fn passwords_are_needed_where_they_are_asked_for(broker: &Broker) {
    let servers = broker.servers(Listener::Sasl);
    let from = format!("json:documents@{servers},oldest");
    let words = ["--readkafka", &from, "-J", "-", "-c", "100"];
    let ran = with_properties(&format!("{USER}=secret:sasl.mechanism=PLAIN"), &words);
    assert_eq!((ran.status, ran.text().lines().count()), (0, 100), "{}", ran.stderr);
    let ran = with_properties(&format!("{USER}=guess:sasl.mechanism=PLAIN"), &words);
    assert_eq!((ran.status, ran.text()), (3, ""), "{}", ran.stderr);
    let what = "Kafka error -169: ";
    assert!(ran.stderr.contains(what), "{}", ran.stderr);
    assert!(ran.stderr.contains("Authentication failed: Invalid username or password"));
}

#[cfg(feature = "kafka-ssl")]
fn connections_are_encrypted_where_the_client_can(broker: &Broker) {
    let ask = |listener, properties: &str| {
        let from = format!("json:documents@{},oldest", broker.servers(listener));
        with_properties(properties, &["--readkafka", &from, "-J", "-", "-c", "100"])
    };
    let trusted = format!("security.protocol=SSL:ssl.ca.location={}", broker.certificate());
    let ran = ask(Listener::Tls, &trusted);
    assert_eq!((ran.status, ran.text().lines().count()), (0, 100), "{}", ran.stderr);
    let ran = ask(Listener::Tls, "security.protocol=SSL");
    assert_eq!((ran.status, ran.text()), (3, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("certificate verify failed"), "{}", ran.stderr);
    let ran = ask(Listener::Sasl, &format!("{USER}=secret:sasl.mechanism=SCRAM-SHA-256"));
    assert_eq!((ran.status, ran.text().lines().count()), (0, 100), "{}", ran.stderr);
    let ran = ask(Listener::Sasl, &format!("{USER}=guess:sasl.mechanism=SCRAM-SHA-256"));
    assert_eq!((ran.status, ran.text()), (3, ""), "{}", ran.stderr);
}

/// Without the feature there is nothing to try; what is said then is tested without a broker.
#[cfg(not(feature = "kafka-ssl"))]
fn connections_are_encrypted_where_the_client_can(_: &Broker) {}

fn stop(child: Child) -> Ran {
    signal(&child, "TERM");
    let (ran, took) = end_of(child);
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    assert!(took < Duration::from_secs(6), "{took:?}");
    ran
}

fn members_come_and_go(broker: &Broker) {
    let (scratch, servers) = (Scratch::new(), broker.servers(Listener::Plain));
    create(&servers, "t");
    let [first, second, third] = ["1.json", "2.json", "3.json"].map(|name| scratch.path(name));
    let join = |out: &Path| member(&servers, out.to_str().expect("text"));
    let all = documents(40_000);
    let mut sent = 0;
    let mut send = |count: usize| {
        let file = scratch.write("in.json", (all[sent..sent + count].join("\n") + "\n").as_bytes());
        let to = format!("json:t@{servers}");
        let mut command = tool(["-j", &file, "--writekafka", &to]);
        // Each record may go to another partition.
        command.env("NMSG_KAFKA_CONFIG", format!("{QUICK}:sticky.partitioning.linger.ms=0"));
        let (ran, _) = end_of(start(command));
        assert_eq!((ran.status, &*ran.stderr), (0, ""));
        sent += count;
        sent
    };
    let mut one = join(&first);
    send(500);
    wait_until("the first gets something", || !seen(&first).is_empty());
    let two = join(&second);
    let mut total = 0;
    wait_until("the second gets its share", || {
        if seen(&second).is_empty() {
            total = send(100);
        }
        !seen(&second).is_empty()
    });
    wait_until("both have everything", || seen(&first).union(&seen(&second)).count() == total);
    // One of them dies without a word; the other one takes over after the session has ended.
    one.kill().expect("killed");
    let _ = one.wait();
    total = send(1000);
    wait_until("the second takes over", || seen(&first).union(&seen(&second)).count() == total);
    // It hands over to a third.
    let three = join(&third);
    stop(two);
    let before = seen(&first).union(&seen(&second)).count();
    assert_eq!(before, total);
    total = send(1000);
    let so_far = || -> BTreeSet<u32> {
        [&first, &second, &third].iter().flat_map(|out| seen(out)).collect()
    };
    wait_until("the third takes over", || so_far().len() == total);
    stop(three);
    assert_eq!(so_far(), (0..total as u32).collect());
    assert_eq!(left_over(&servers, &scratch), BTreeSet::new(), "everything is committed");
}

/// A run that writes, one that passes on as a member of a group, and one that reads what that one
/// wrote, while the broker is killed and started again.
fn a_broker_that_dies_costs_nothing(broker: &mut Broker) {
    let (scratch, servers) = (Scratch::new(), broker.servers(Listener::Plain));
    create(&servers, "source");
    create(&servers, "passed-on");
    let out = scratch.path("out.json");
    let [source, passed] = ["json:source", "nmsg:passed-on"].map(str::to_owned);
    let from = |topic: &str, group: &str| format!("{topic}%{group}@{servers},oldest");
    let to = |topic: &str| format!("{topic}@{servers}");
    let bridge = start(tool([
        "--readkafka",
        &from(&source, "bridge"),
        "--writekafka",
        &to(&passed),
        "--flush-interval",
        "1",
        "--stats",
    ]));
    let reader = start(tool([
        "--readkafka",
        &from(&passed, "reader"),
        "--unbuffered",
        "-J",
        out.to_str().expect("text"),
        "--stats",
    ]));
    let mut writer = start(tool(["-j", "-", "--writekafka", &to(&source), "--stats"]));
    let mut stdin = writer.stdin.take().expect("a pipe");
    let count = 6000;
    let feeding = std::thread::spawn(move || {
        for lines in documents(count).chunks(50) {
            stdin.write_all((lines.join("\n") + "\n").as_bytes()).expect("taken");
            std::thread::sleep(Duration::from_millis(60));
        }
    });
    wait_until("something arrives", || !seen(&out).is_empty());
    broker.end("KILL");
    std::thread::sleep(Duration::from_millis(500));
    broker.go_on();
    let before = seen(&out).len();
    wait_until("more arrives", || seen(&out).len() > before);
    broker.end("TERM");
    broker.go_on();
    feeding.join().expect("fed");
    let (ran, _) = end_of(writer);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains(": 6000 payloads written; "), "{}", ran.stderr);
    assert!(ran.stderr.contains("total: 6000 payloads in, 6000 out, balanced\n"));
    let began = Instant::now();
    wait_until("everything arrives", || seen(&out).len() == count);
    assert!(began.elapsed() < LONG);
    assert_eq!(seen(&out), (0..6000).collect());
    for (name, child) in [("bridge", bridge), ("reader", reader)] {
        let ran = stop(child);
        assert!(ran.stderr.contains(", balanced\n"), "{name}: {}", ran.stderr);
        assert!(!ran.stderr.contains("not delivered"), "{name}: {}", ran.stderr);
    }
}
