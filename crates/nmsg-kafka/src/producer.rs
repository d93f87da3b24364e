use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext, PurgeConfig};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::address::{Address, TopicPart};
use crate::client::{Ears, settings};
use crate::configuration::Configuration;
use crate::error::Error;
use crate::remark::Listener;
use crate::window::{Answer, Window};

/// How often an interruption is looked for.
const ASKING_INTERVAL: Duration = Duration::from_millis(20);
/// How long what was given up may take to be told.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What became of a record that was to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Sent {
    /// It waits to be sent.
    Taken,
    /// There is no room; see [`Producer::work`].
    Full,
    /// It can never be sent, and why.
    Refused(String),
}

/// What became of all records that were taken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Delivery {
    /// Records that the broker has.
    pub delivered: u64,
    /// Records that are not known to have been delivered.
    pub undelivered: u64,
    /// Of those, records that were taken back when the wait for the broker was given up.
    pub given_up: u64,
    /// Sum of the units of all that are not known to have been delivered.
    pub undelivered_units: u64,
}

/// Sends records to a topic. The broker drops duplicates of what had to be sent again.
pub struct Producer {
    inner: BaseProducer<Desk>,
    topic: String,
    partition: Option<i32>,
}

/// Counts what comes back from the broker.
struct Desk {
    ears: Ears,
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    window: Window,
    delivery: Delivery,
}

impl Desk {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Desk {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.ears.log(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.ears.error(error, reason);
    }
}

impl ProducerContext for Desk {
    /// The number of the record.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let number = number as u64;
        match result {
            Ok(_) => {
                let mut books = self.books();
                books.window.answer(number, Answer::Confirmed);
                books.delivery.delivered += 1;
            }
            Err((error, _)) => {
                let mut books = self.books();
                let units = books.window.answer(number, Answer::Lost);
                books.delivery.undelivered += 1;
                books.delivery.undelivered_units += units;
                let code = error.rdkafka_error_code();
                if let Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight) = code {
                    // Whoever gave up knows why.
                    books.delivery.given_up += 1;
                    return;
                }
                drop(books);
                let number = code.map_or(0, |code| code as i32);
                self.ears.trouble(number, || match code {
                    Some(code) => {
                        format!("a record was not delivered: Kafka error {number}: {code}")
                    }
                    None => format!("a record was not delivered: {error}"),
                });
            }
        }
    }
}

impl Producer {
    /// Opens a producer. Brokers that do not answer are waited for in the background.
    ///
    /// # Errors
    ///
    /// When a setting is refused.
    pub fn open(
        address: &Address,
        configuration: &Configuration,
        listener: Listener,
    ) -> Result<Self, Error> {
        let config = settings(address, &[("enable.idempotence", "true")], configuration, &[]);
        let desk = Desk { ears: Ears::new(listener), books: Mutex::default() };
        let partition = match address.part {
            TopicPart::Partition(partition) => Some(partition),
            TopicPart::All | TopicPart::Group(_) => None,
        };
        let inner = config.create_with_context(desk)?;
        Ok(Self { inner, topic: address.topic.clone(), partition })
    }

    /// Takes a record, in which the caller counts `units`.
    ///
    /// # Errors
    ///
    /// Those after which nothing more can be sent.
    pub fn send(&self, payload: &[u8], key: Option<&[u8]>, units: u64) -> Result<Sent, Error> {
        let number = self.inner.context().books().window.next();
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let mut record = BaseRecord::with_opaque_to(&self.topic, number).payload(payload);
        record.key = key;
        record.partition = self.partition;
        let sent = self.inner.send::<[u8], [u8]>(record);
        if sent.is_ok() {
            self.inner.context().books().window.sent(units);
        }
        // What has come back in the meantime is counted.
        self.inner.poll(Duration::ZERO);
        use RDKafkaErrorCode::{
            InvalidMessage, InvalidMessageSize, MessageSizeTooLarge, QueueFull,
        };
        match sent {
            Ok(()) => Ok(Sent::Taken),
            Err((KafkaError::MessageProduction(QueueFull), _)) => Ok(Sent::Full),
            Err((
                KafkaError::MessageProduction(
                    code @ (MessageSizeTooLarge | InvalidMessageSize | InvalidMessage),
                ),
                _,
            )) => Ok(Sent::Refused(code.to_string())),
            Err((error, _)) => Err(error.into()),
        }
    }

    /// Notes that a record will not be sent after all.
    pub fn pass_over(&self) {
        let mut books = self.inner.context().books();
        let number = books.window.next();
        books.window.sent(0);
        books.window.answer(number, Answer::Lost);
    }

    /// Records from the first on that the broker has all confirmed, as far as answers were let in.
    #[must_use]
    pub fn confirmed(&self) -> u64 {
        self.inner.context().books().window.confirmed()
    }

    /// What has become of the records so far, as far as answers were let in; those without an answer
    /// are in no column.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.inner.context().books().delivery
    }

    /// True while the broker has not answered for some of the records.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.inner.in_flight_count() > 0
    }

    /// Lets the broker's answers in, for so long, or until there are some; then there may be room.
    pub fn work(&self, time: Duration) {
        self.inner.poll(time);
    }

    /// Waits until the broker has answered for all records. `gives_up` is asked now and then, with
    /// the number of records that are left, whether to end the wait.
    pub fn close(self, mut gives_up: impl FnMut(u64) -> bool) -> Delivery {
        loop {
            let left = u64::try_from(self.inner.in_flight_count()).unwrap_or(0);
            if left == 0 {
                break;
            }
            if gives_up(left) {
                self.give_up();
                break;
            }
            self.inner.poll(ASKING_INTERVAL);
        }
        self.inner.poll(Duration::ZERO);
        let books = self.inner.context().books();
        let (left, units) = books.window.unanswered();
        let Delivery { delivered, undelivered, given_up, undelivered_units } = books.delivery;
        Delivery {
            delivered,
            undelivered: undelivered + left,
            given_up: given_up + left,
            undelivered_units: undelivered_units + units,
        }
    }

    /// Takes back what is left, so that it is counted.
    #[cold]
    fn give_up(&self) {
        self.inner.purge(PurgeConfig::default().queue().inflight());
        let until = Instant::now() + LAST_WORDS;
        while self.inner.in_flight_count() > 0 && Instant::now() < until {
            self.inner.poll(ASKING_INTERVAL);
        }
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("topic", &self.topic).finish_non_exhaustive()
    }
}
