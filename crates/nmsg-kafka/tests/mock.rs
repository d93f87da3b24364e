//! Consumers and producers with the client library's mock cluster.

use nmsg_kafka::{
    Address, Configuration, Consumer, Delivery, Error, Listener, Position, Producer, Remark, Sent,
    Waited,
};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(30);

type Cluster = MockCluster<'static, DefaultProducerContext>;

/// A cluster with one topic `t` of so many partitions.
fn cluster(partitions: i32) -> Cluster {
    let cluster = MockCluster::new(1).expect("starts");
    cluster.create_topic("t", partitions, 1).expect("made");
    cluster
}

fn address(cluster: &Cluster, before: &str, after: &str) -> Address {
    let text = format!("{before}@{}{after}", cluster.bootstrap_servers());
    Address::parse(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// A listener, and the troubles that it was told.
fn listener() -> (Listener, Arc<Mutex<Vec<String>>>) {
    let troubles = Arc::new(Mutex::new(Vec::new()));
    let heard = troubles.clone();
    let listener: Listener = Arc::new(move |remark| {
        if let Remark::Trouble(text) = remark {
            heard.lock().expect("whole").push(text);
        }
    });
    (listener, troubles)
}

fn consumer(address: &Address) -> Consumer {
    // The mock waits for members that are gone as long as their session could last.
    consumer_with(address, "fetch.wait.max.ms=10:session.timeout.ms=4000:heartbeat.interval.ms=200")
}

fn consumer_with(address: &Address, settings: &str) -> Consumer {
    let configuration = Configuration::from_text(settings).expect("settings");
    Consumer::open(address, &configuration, listener().0, &|| false).expect("opens")
}

fn producer(address: &Address, settings: &str) -> Producer {
    let configuration = Configuration::from_text(settings).expect("settings");
    Producer::open(address, &configuration, listener().0).expect("opens")
}

/// Sends records whose payloads are numbers.
fn produce(cluster: &Cluster, part: &str, numbers: std::ops::Range<u32>) {
    let producer = producer(&address(cluster, part, ""), "linger.ms=1");
    for number in numbers.clone() {
        assert_eq!(
            producer.send(number.to_string().as_bytes(), None, 1).expect("goes on"),
            Sent::Taken
        );
    }
    let delivered = u64::from(numbers.end - numbers.start);
    let delivery = producer.close(|_| false);
    assert_eq!(delivery, Delivery { delivered, ..Delivery::default() });
}

/// Receives so many records, or as many as come in the time.
fn receive(consumer: &Consumer, count: usize, time: Duration) -> Vec<(u32, Position)> {
    let until = Instant::now() + time;
    let mut got = Vec::new();
    while got.len() < count && Instant::now() < until {
        match consumer.next_record().expect("goes on") {
            Some(record) => {
                let text = std::str::from_utf8(record.payload().expect("a value")).expect("text");
                got.push((text.parse().expect("a number"), record.position()));
            }
            None => drop(consumer.wait(&[], Some(until)).expect("poll works")),
        }
    }
    got
}

fn numbers(got: &[(u32, Position)]) -> Vec<u32> {
    got.iter().map(|(number, _)| *number).collect()
}

#[test]
fn one_partition_is_read_from_where_it_was_asked_to() {
    let cluster = cluster(2);
    produce(&cluster, "t#1", 0..20);
    produce(&cluster, "t#0", 100..103);
    for (start, want) in [
        (",oldest", (0..20).collect::<Vec<_>>()),
        (",0", (0..20).collect()),
        (",15", (15..20).collect()),
        (",-2", (0..20).collect()),
        (",-2003", (17..20).collect()),
    ] {
        let consumer = consumer(&address(&cluster, "t#1", start));
        let got = receive(&consumer, want.len(), LONG);
        assert_eq!(numbers(&got), want, "{start}");
        assert!(got.iter().all(|(n, at)| at.partition == 1 && at.offset == i64::from(*n)));
        assert_eq!(got[0].1.to_string(), format!("partition 1, offset {}", want[0]));
        assert!(receive(&consumer, 1, Duration::from_millis(50)).is_empty());
        assert!(consumer.close(LONG));
    }
}

#[test]
fn newest_means_what_comes_from_now_on() {
    let cluster = cluster(1);
    produce(&cluster, "t#0", 0..5);
    let consumer = consumer(&address(&cluster, "t", ""));
    assert!(receive(&consumer, 1, Duration::from_millis(500)).is_empty());
    produce(&cluster, "t#0", 5..8);
    assert_eq!(numbers(&receive(&consumer, 3, LONG)), [5, 6, 7]);
}

#[test]
fn without_a_partition_all_are_read() {
    let cluster = cluster(3);
    for partition in 0..3 {
        produce(&cluster, &format!("t#{partition}"), partition * 10..partition * 10 + 4);
    }
    let consumer = consumer(&address(&cluster, "t", ",oldest"));
    let mut got = numbers(&receive(&consumer, 12, LONG));
    got.sort_unstable();
    assert_eq!(got, [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23]);
}

#[test]
fn a_topic_that_is_not_there_is_asked_for_several_times() {
    let cluster = cluster(1);
    let settings = Configuration::default();
    let address = address(&cluster, "nothing", "");
    let start = Instant::now();
    let error = Consumer::open(&address, &settings, listener().0, &|| false).expect_err("no topic");
    assert!(matches!(&error, Error::NoPartitions { topic, .. } if topic == "nothing"), "{error}");
    assert!(error.to_string().starts_with("no partitions of topic nothing found: "), "{error}");
    assert!(start.elapsed() >= Duration::from_secs(4), "ten attempts of half a second");
    let start = Instant::now();
    let error = Consumer::open(&address, &settings, listener().0, &|| true).expect_err("no topic");
    assert!(matches!(error, Error::Interrupted), "{error}");
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn a_group_goes_on_behind_what_was_accepted() {
    let cluster = cluster(1);
    produce(&cluster, "t#0", 0..10);
    let address = address(&cluster, "t%g", ",oldest");
    let first = consumer(&address);
    let got = receive(&first, 10, LONG);
    assert_eq!(numbers(&got), (0..10).collect::<Vec<_>>());
    first.accept(got[5].1);
    assert!(first.close(LONG));
    let second = consumer(&address);
    let got = receive(&second, 4, LONG);
    assert_eq!(numbers(&got), [6, 7, 8, 9], "what was read but not accepted comes again");
    second.accept(got[3].1);
    assert!(second.close(LONG));
    produce(&cluster, "t#0", 10..12);
    let third = consumer(&address);
    assert_eq!(numbers(&receive(&third, 2, LONG)), [10, 11]);
}

#[test]
fn two_members_of_a_group_share_the_partitions() {
    let cluster = cluster(2);
    let address = address(&cluster, "t%g", ",oldest");
    let settings = "session.timeout.ms=4000:heartbeat.interval.ms=200:auto.commit.interval.ms=100";
    let members = [(); 2].map(|()| consumer_with(&address, settings));
    produce(&cluster, "t#0", 0..50);
    produce(&cluster, "t#1", 50..100);
    let (mut seen, until) = (std::collections::BTreeSet::new(), Instant::now() + LONG);
    while seen.len() < 100 {
        assert!(Instant::now() < until, "only {} of 100", seen.len());
        for member in &members {
            for (number, position) in receive(member, 100, Duration::from_millis(50)) {
                seen.insert(number);
                member.accept(position);
            }
        }
    }
    // What is committed while members come or go may be refused; this is committed before.
    for member in &members {
        assert!(receive(member, 1, Duration::from_millis(500)).is_empty());
    }
    let [first, second] = members;
    assert!(first.close(LONG) && second.close(LONG));
    let after = consumer(&address);
    assert!(receive(&after, 1, Duration::from_secs(5)).is_empty(), "everything was accepted");
}

#[test]
fn every_wait_of_a_consumer_can_be_interrupted() {
    let cluster = cluster(1);
    let consumer = consumer(&address(&cluster, "t#0", ""));
    let (stop, mut pulled) = UnixStream::pair().expect("a pair");
    let soon = Instant::now() + Duration::from_millis(5);
    while consumer.wait(&[stop.as_fd()], Some(soon)).expect("poll works") == Waited::Activity {}
    assert!(Instant::now() >= soon);
    pulled.write_all(b"x").expect("written");
    let waited = consumer.wait(&[stop.as_fd()], None).expect("poll works");
    assert_eq!(waited, Waited::Interrupted);
}

#[test]
fn ka_4_what_the_broker_did_not_confirm_is_counted() {
    let cluster = cluster(1);
    let to = address(&cluster, "t#0", "");
    let configuration = Configuration::from_text("linger.ms=0").expect("settings");
    let (listener, troubles) = listener();
    let producer = Producer::open(&to, &configuration, listener).expect("opens");
    assert_eq!(producer.send(b"0", None, 1).expect("goes on"), Sent::Taken);
    let until = Instant::now() + LONG;
    let reader = consumer(&address(&cluster, "t#0", ",oldest"));
    assert_eq!(receive(&reader, 1, LONG).len(), 1);
    cluster.broker_down(1).expect("down");
    for _ in 0..5 {
        assert_eq!(producer.send(b"x", None, 3).expect("goes on"), Sent::Taken);
    }
    let mut asked = Vec::new();
    let delivery = producer.close(|left| {
        asked.push(left);
        asked.len() > 5
    });
    assert!(Instant::now() < until);
    assert_eq!(asked.last(), Some(&5));
    let want = Delivery { delivered: 1, undelivered: 5, given_up: 5, undelivered_units: 15 };
    assert_eq!(delivery, want);
    let troubles = troubles.lock().expect("whole");
    let failed = |text: &String| text.starts_with("a record was not delivered: ");
    assert!(!troubles.iter().any(failed), "who gives up knows why");
    let kinds: std::collections::HashSet<_> =
        troubles.iter().map(|text| text.split(": ").next()).collect();
    assert!(troubles.len() <= kinds.len() + 2, "each kind is told once: {troubles:?}");
}

#[test]
fn ka_4_what_the_broker_does_not_confirm_in_time_has_failed() {
    let cluster = cluster(1);
    cluster.broker_down(1).expect("down");
    let configuration = Configuration::from_text("linger.ms=0:message.timeout.ms=300");
    let (listener, troubles) = listener();
    let to = address(&cluster, "t#0", "");
    let producer = Producer::open(&to, &configuration.expect("settings"), listener).expect("opens");
    for _ in 0..5 {
        assert_eq!(producer.send(b"x", None, 2).expect("goes on"), Sent::Taken);
    }
    let delivery = producer.close(|_| false);
    let want = Delivery { undelivered: 5, undelivered_units: 10, ..Delivery::default() };
    assert_eq!(delivery, want);
    let troubles = troubles.lock().expect("whole");
    let failed = |text: &&String| text.starts_with("a record was not delivered: ");
    assert_eq!(troubles.iter().filter(failed).count(), 1, "said once: {troubles:?}");
}

#[test]
fn a_broker_that_comes_back_gets_everything() {
    let cluster = cluster(1);
    let producer = producer(&address(&cluster, "t#0", ""), "linger.ms=0");
    let reader = consumer(&address(&cluster, "t#0", ",oldest"));
    for number in 0..30 {
        match number {
            10 => cluster.broker_down(1).expect("down"),
            20 => cluster.broker_up(1).expect("up"),
            _ => {}
        }
        let payload = number.to_string();
        assert_eq!(producer.send(payload.as_bytes(), None, 1).expect("goes on"), Sent::Taken);
        std::thread::sleep(Duration::from_millis(5));
    }
    let delivery = producer.close(|_| false);
    assert_eq!(delivery, Delivery { delivered: 30, ..Delivery::default() });
    assert_eq!(numbers(&receive(&reader, 30, LONG)), (0..30).collect::<Vec<_>>());
}

#[test]
fn a_full_queue_is_waited_for_and_a_giant_is_refused() {
    let cluster = cluster(1);
    let to = address(&cluster, "t", "");
    let producer =
        producer(&to, "queue.buffering.max.messages=3:linger.ms=1:message.max.bytes=2000");
    let Sent::Refused(reason) = producer.send(&[b'x'; 3000], None, 1).expect("goes on") else {
        panic!("too large a record is taken");
    };
    assert!(reason.contains("too large"), "{reason}");
    let (mut taken, mut full, until) = (0, 0, Instant::now() + LONG);
    while taken < 50 {
        assert!(Instant::now() < until);
        match producer.send(b"x", Some(b"key"), 1).expect("goes on") {
            Sent::Taken => taken += 1,
            Sent::Full => {
                full += 1;
                producer.work(Duration::from_millis(20));
            }
            Sent::Refused(reason) => panic!("{reason}"),
        }
    }
    assert!(full > 0, "three places are not enough for fifty");
    assert_eq!(producer.close(|_| false).delivered, 50);
}

#[test]
fn settings_that_the_library_does_not_take() {
    let to = Address::parse("t#0@127.0.0.1:1").expect("an address");
    for (text, want) in [
        (
            "bogus=1",
            "failed to set Kafka option bogus = 1 (err -2: No such configuration property: \"bogus\")",
        ),
        (
            "linger.ms=abc",
            "failed to set Kafka option linger.ms = abc \
             (err -1: Invalid value for configuration property \"queue.buffering.max.ms\")",
        ),
    ] {
        let configuration = Configuration::from_text(text).expect("settings");
        let error = Producer::open(&to, &configuration, listener().0).expect_err(text);
        assert_eq!(error.to_string(), want);
        let error = Consumer::open(&to, &configuration, listener().0, &|| false).expect_err(text);
        assert_eq!(error.to_string(), want);
    }
}

#[test]
fn an_unreachable_broker_is_told_about_and_waited_for() {
    let (listener, troubles) = listener();
    let from = Address::parse("t#0@127.0.0.1:1").expect("an address");
    let consumer =
        Consumer::open(&from, &Configuration::default(), listener, &|| false).expect("opens");
    let until = Instant::now() + LONG;
    while troubles.lock().expect("whole").len() < 2 {
        assert!(Instant::now() < until, "nothing is said");
        assert!(consumer.next_record().expect("goes on").is_none());
        consumer.wait(&[], Some(until)).expect("poll works");
    }
    let said = troubles.lock().expect("whole").clone();
    assert!(said[0].starts_with("Kafka error -195: 127.0.0.1:1/bootstrap: Connect to"), "{said:?}");
    assert_eq!(said[1], "Kafka error -187: 1/1 brokers are down");
    let start = Instant::now();
    consumer.close(Duration::from_secs(5));
    assert!(start.elapsed() < Duration::from_secs(6));
}

#[test]
fn compressed_records_are_written_and_read() {
    let cluster = cluster(1);
    let mut next = 0;
    for codec in ["none", "gzip", "snappy", "lz4"] {
        let settings = format!("compression.codec={codec}:linger.ms=20");
        let producer = producer(&address(&cluster, "t#0", ""), &settings);
        for number in next..next + 100 {
            let sent = producer.send(number.to_string().as_bytes(), None, 1).expect("goes on");
            assert_eq!(sent, Sent::Taken);
        }
        assert_eq!(producer.close(|_| false).delivered, 100, "{codec}");
        next += 100;
    }
    let reader = consumer(&address(&cluster, "t#0", ",oldest"));
    assert_eq!(numbers(&receive(&reader, 400, LONG)), (0..400).collect::<Vec<_>>());
}
