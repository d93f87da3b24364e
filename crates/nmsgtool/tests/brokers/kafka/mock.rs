//! A broker inside the test, and what stands in its topics.

use crate::tool::{Ran, command};
use nmsg_kafka::{Address, Configuration, Producer, Sent};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use std::ffi::OsStr;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) const LONG: Duration = Duration::from_secs(40);

/// Properties that keep the waits of tests short.
pub(super) const QUICK: &str = "fetch.wait.max.ms=10:session.timeout.ms=6000:\
    heartbeat.interval.ms=200:auto.commit.interval.ms=100:reconnect.backoff.max.ms=200";

/// The client library's mock of a broker, with one topic `t`.
pub(super) struct Mock {
    pub(super) cluster: MockCluster<'static, DefaultProducerContext>,
    pub(super) servers: String,
}

/// A record as it stands in a topic.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Stored {
    pub(super) partition: i32,
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Vec<u8>,
}

impl Mock {
    pub(super) fn new(partitions: i32) -> Self {
        let cluster = MockCluster::new(1).expect("starts");
        cluster.create_topic("t", partitions, 1).expect("made");
        let servers = cluster.bootstrap_servers();
        Self { cluster, servers }
    }

    pub(super) fn topic(&self, name: &str) {
        self.cluster.create_topic(name, 1, 1).expect("made");
    }

    /// Sends records as they are.
    pub(super) fn produce<R: AsRef<[u8]>>(&self, part: &str, records: impl IntoIterator<Item = R>) {
        produce(&format!("{part}@{}", self.servers), records);
    }

    /// The records of a partition, as many as are wanted or come in a while.
    pub(super) fn records(&self, topic: &str, partition: i32, count: usize) -> Vec<Stored> {
        records(&self.servers, topic, [partition], count)
    }
}

/// Sends records as they are to the topic at this address.
pub(super) fn produce<R: AsRef<[u8]>>(address: &str, records: impl IntoIterator<Item = R>) {
    let address = Address::parse(address).expect("an address");
    let settings = Configuration::from_text("linger.ms=0").expect("settings");
    let producer = Producer::open(&address, &settings, Arc::new(|_| {})).expect("opens");
    let mut count = 0;
    for record in records {
        assert_eq!(producer.send(record.as_ref(), None, 1).expect("goes on"), Sent::Taken);
        count += 1;
    }
    let until = Instant::now() + LONG;
    let delivery = producer.close(|_| Instant::now() > until);
    assert_eq!(delivery.delivered, count);
}

/// The records of partitions, as many as are wanted or come in a while.
pub(super) fn records(
    servers: &str,
    topic: &str,
    partitions: impl IntoIterator<Item = i32>,
    count: usize,
) -> Vec<Stored> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", servers).set("group.id", "the test");
    config.set("fetch.wait.max.ms", "10");
    let consumer: BaseConsumer = config.create().expect("opens");
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition_offset(topic, partition, Offset::Beginning).expect("an offset");
    }
    consumer.assign(&list).expect("assigned");
    let (mut got, mut until) = (Vec::new(), Instant::now() + LONG);
    while Instant::now() < until {
        let Some(Ok(message)) = consumer.poll(Duration::from_millis(20)) else { continue };
        let key = message.key().map(<[u8]>::to_vec);
        let value = message.payload().unwrap_or_default().to_vec();
        got.push(Stored { partition: message.partition(), key, value });
        if got.len() == count {
            // Whether there are more than that.
            until = Instant::now() + Duration::from_millis(100);
        }
    }
    got
}

/// The program with quick properties, and without those of this machine.
pub(super) fn tool<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = command(arguments);
    command.env("NMSG_KAFKA_CONFIG", QUICK).env_remove("NMSG_KAFKA_LOG_LEVEL");
    command.env_remove("NMSG_KAFKA_KEY");
    command
}

pub(super) fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Ran {
    crate::tool::end_of(crate::tool::start(tool(arguments))).0
}
