use nmsg_os::{Bell, Interest, PollSet, canonical_host_name};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::address::{Address, Start, TopicPart};
use crate::client::{Ears, settings};
use crate::configuration::Configuration;
use crate::error::Error;
use crate::remark::Listener;

/// How often the partitions of a topic are asked for, and how long each answer may take
/// (`container-and-io` §2.7).
const METADATA_TRIES: u32 = 10;
const METADATA_TIME: Duration = Duration::from_millis(500);
/// Milliseconds for which nothing is fetched when enough records wait here. The library's own is a
/// second, in which all of them are long used up.
const FETCH_PAUSE: &str = "10";
/// How often an interruption is looked for where there is no descriptor to wait for.
const ASKING_INTERVAL: Duration = Duration::from_millis(20);
/// Time for the library to look behind events that are no records; spent only when there are none.
const MOMENT: Duration = Duration::from_millis(1);
/// Longest wait in one go: events that are no records do not end it.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// Records of a topic.
///
/// As a member of a group, it commits only what [`Self::accept`] was told about, so that whatever
/// happens every record is read at least once.
pub struct Consumer {
    inner: Arc<BaseConsumer<Ears>>,
    topic: String,
    in_group: bool,
    bell: Arc<Bell>,
    rung: Arc<AtomicBool>,
}

impl ConsumerContext for Ears {}

/// Where a record is in its topic.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// Number of the partition.
    pub partition: i32,
    /// Number of the record within the partition.
    pub offset: i64,
}

/// Prints both numbers, for messages.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "partition {}, offset {}", self.partition, self.offset)
    }
}

/// A record as it was received.
#[derive(Debug)]
pub struct Record<'a>(BorrowedMessage<'a>);

impl Record<'_> {
    /// Its value; `None` for one that stands for a deletion.
    #[must_use]
    pub fn payload(&self) -> Option<&[u8]> {
        self.0.payload()
    }

    /// Where it is.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { partition: self.0.partition(), offset: self.0.offset() }
    }
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Waited {
    /// Something may have happened.
    Activity,
    /// One of the interrupting descriptors can be read.
    Interrupted,
    /// The time is up.
    Timeout,
}

/// The name by which the broker's logs know this process (`container-and-io` §2.7).
fn client_id() -> String {
    let host = canonical_host_name().unwrap_or_else(|| "localhost".to_owned());
    format!("nmsgtool.{:010}@{host}", std::process::id())
}

impl Consumer {
    /// Opens a consumer. Brokers that do not answer are waited for in the background, except that
    /// the partitions of a topic have to be known when none is named; `interrupted` is asked now
    /// and then whether to give up.
    ///
    /// # Errors
    ///
    /// When a setting is refused, or the partitions cannot be found.
    pub fn open(
        address: &Address,
        configuration: &Configuration,
        listener: Listener,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Self, Error> {
        let client_id = client_id();
        let in_group = matches!(address.part, TopicPart::Group(_));
        // Without a group of its own the library cannot be told where to start; nothing is ever
        // committed for it.
        let first = [
            ("enable.partition.eof", "true"),
            ("allow.auto.create.topics", "false"),
            ("fetch.queue.backoff.ms", FETCH_PAUSE),
            ("client.id", &*client_id),
            ("group.id", &*client_id),
            ("enable.auto.commit", if in_group { "true" } else { "false" }),
        ];
        let mut last = vec![("enable.auto.offset.store", "false")];
        if let TopicPart::Group(group) = &address.part {
            let reset = if address.start == Start::Newest { "latest" } else { "earliest" };
            last.extend([("group.id", &**group), ("auto.offset.reset", reset)]);
        }
        let config = settings(address, &first, configuration, &last);
        let mut consumer: BaseConsumer<Ears> = config.create_with_context(Ears::new(listener))?;
        let bell = Arc::new(Bell::new().map_err(|error| Error::Client(error.to_string()))?);
        let rung = Arc::new(AtomicBool::new(false));
        consumer.set_nonempty_callback({
            let (bell, rung) = (bell.clone(), rung.clone());
            move || {
                if !rung.swap(true, Ordering::AcqRel) {
                    bell.ring();
                }
            }
        });
        let inner = Arc::new(consumer);
        match &address.part {
            TopicPart::Group(_) => inner.subscribe(&[&address.topic])?,
            TopicPart::Partition(partition) => assign(&inner, address, &[*partition])?,
            TopicPart::All => {
                let partitions = partitions(&inner, &address.topic, interrupted)?;
                assign(&inner, address, &partitions)?;
            }
        }
        Ok(Self { inner, topic: address.topic.clone(), in_group, bell, rung })
    }

    /// The next record that is there already; `None` when [`Self::wait`] is needed.
    ///
    /// # Errors
    ///
    /// Those after which there will be no more records; others are told to the listener.
    pub fn next_record(&self) -> Result<Option<Record<'_>>, Error> {
        if self.rung.swap(false, Ordering::AcqRel) {
            self.bell.silence();
        }
        // An event that is no record is reported as nothing, and there may be more behind it.
        let mut nothing = 0;
        while nothing < 2 {
            match self.inner.poll(MOMENT) {
                Some(Ok(message)) => return Ok(Some(Record(message))),
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Err(error)) => self.judge(error)?,
                None => nothing += 1,
            }
        }
        Ok(None)
    }

    /// Tells about an error, or gives it back when it is the end.
    #[cold]
    fn judge(&self, error: KafkaError) -> Result<(), Error> {
        use RDKafkaErrorCode as Code;
        let Some(code) = error.rdkafka_error_code() else { return Err(error.into()) };
        let is_final = match code {
            Code::GroupAuthorizationFailed => self.in_group,
            Code::Fatal
            | Code::TopicAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::SaslAuthenticationFailed
            | Code::Authentication
            | Code::UnsupportedVersion => true,
            _ => matches!(error, KafkaError::MessageConsumptionFatal(_)),
        };
        if is_final {
            return Err(error.into());
        }
        let number = code as i32;
        self.inner.context().trouble(number, || format!("Kafka error {number}: {code}"));
        Ok(())
    }

    /// Waits until there may be a record, one of `interrupts` can be read, or `until` has come.
    ///
    /// # Errors
    ///
    /// Those of poll(2).
    pub fn wait(
        &self,
        interrupts: &[BorrowedFd<'_>],
        until: Option<Instant>,
    ) -> io::Result<Waited> {
        const READABLE: Interest = Interest { readable: true, writable: false };
        let mut set = PollSet::new();
        for fd in interrupts.iter().copied().chain([self.bell.as_fd()]) {
            set.add(fd, READABLE);
        }
        let longest = Instant::now() + LONGEST_WAIT;
        set.wait(Some(until.map_or(longest, |until| until.min(longest))))?;
        if (0..interrupts.len()).any(|position| set.readiness(position).readable) {
            return Ok(Waited::Interrupted);
        }
        let is_late = until.is_some_and(|until| until <= Instant::now());
        Ok(if is_late { Waited::Timeout } else { Waited::Activity })
    }

    /// Notes that a record, and all before it in its partition, need not be read again by the group.
    /// Without a group this has no effect.
    pub fn accept(&self, position: Position) {
        if self.in_group {
            // A partition that is another member's by now will be read again there.
            let _ = self.inner.store_offset(&self.topic, position.partition, position.offset);
        }
    }

    /// Commits what was accepted and leaves the group; gives up after a while. True when there was
    /// time enough.
    pub fn close(self, longest: Duration) -> bool {
        let (done, closed) = channel();
        let closing = thread::Builder::new().name("kafka-close".to_owned()).spawn(move || {
            drop(self.inner);
            let _ = done.send(());
        });
        // Without a thread the consumer is closed already, for as long as it took.
        closing.is_err() || closed.recv_timeout(longest).is_ok()
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("topic", &self.topic).finish_non_exhaustive()
    }
}

fn assign(
    consumer: &BaseConsumer<Ears>,
    address: &Address,
    partitions: &[i32],
) -> Result<(), Error> {
    let start = match address.start {
        Start::Oldest => Offset::Beginning,
        Start::Newest => Offset::End,
        Start::At(offset) => Offset::Offset(offset),
        Start::Stored => Offset::Stored,
        Start::BeforeEnd(count) => Offset::OffsetTail(count),
    };
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition_offset(&address.topic, *partition, start)?;
    }
    Ok(consumer.assign(&list)?)
}

/// Asks for the partitions of a topic, again and again.
fn partitions(
    consumer: &Arc<BaseConsumer<Ears>>,
    topic: &str,
    interrupted: &dyn Fn() -> bool,
) -> Result<Vec<i32>, Error> {
    let (answer, answers) = channel();
    let (asking, name) = (consumer.clone(), topic.to_owned());
    thread::Builder::new()
        .name("kafka-metadata".to_owned())
        .spawn(move || {
            for _ in 0..METADATA_TRIES {
                let asked = Instant::now();
                let found = ask(&asking, &name);
                if answer.send(found).is_err() {
                    return;
                }
                thread::sleep(METADATA_TIME.saturating_sub(asked.elapsed()));
            }
        })
        .map_err(|error| Error::Client(error.to_string()))?;
    let mut reason = String::new();
    loop {
        match answers.recv_timeout(ASKING_INTERVAL) {
            Ok(Ok(partitions)) => return Ok(partitions),
            Ok(Err(why)) => reason = why,
            Err(RecvTimeoutError::Timeout) if interrupted() => return Err(Error::Interrupted),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::NoPartitions { topic: topic.to_owned(), reason });
            }
        }
    }
}

fn ask(consumer: &BaseConsumer<Ears>, topic: &str) -> Result<Vec<i32>, String> {
    let metadata =
        consumer.fetch_metadata(Some(topic), METADATA_TIME).map_err(|error| match error {
            KafkaError::MetadataFetch(code) => code.to_string(),
            error => error.to_string(),
        })?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let found = found.ok_or_else(|| "the broker does not know it".to_owned())?;
    if let Some(error) = found.error() {
        return Err(RDKafkaErrorCode::from(error).to_string());
    }
    let partitions: Vec<_> = found.partitions().iter().map(|partition| partition.id()).collect();
    if partitions.is_empty() { Err("it has none".to_owned()) } else { Ok(partitions) }
}
