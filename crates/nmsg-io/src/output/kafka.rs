use nmsg::{MsgType, VendorId};
use nmsg_kafka::{Address, Configuration, Delivery, Producer, Sent};
use nmsg_os::{Latch, signal};
use std::collections::{HashSet, VecDeque};
use std::io;
use std::time::{Duration, Instant};

use super::{Closed, Notice, PATIENCE_AFTER_SIGNAL, Put, Sink, Standing};
use crate::kafka::listener;
use crate::keyed::{Key, next_line, next_record};
use crate::ledger::RecordAccount;
use crate::{KafkaVoice, Voice};

/// How long to wait for room before looking whether a signal has come.
const ROOM_INTERVAL: Duration = Duration::from_millis(20);
/// How often it is said what the broker still owes (`decisions` KA-4).
const SAYING_INTERVAL: Duration = Duration::from_secs(10);
/// How long the broker may take to confirm the rest once a signal has come.
const DRAIN: Duration = Duration::from_secs(5);

/// What the pieces of a [`KafkaSink`] are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KafkaPieces {
    /// Containers or fragments, each a record.
    Containers,
    /// JSON lines, each line a record.
    Lines,
    /// JSON lines with keys ([`crate::OutputFormat::KeyedJson`]).
    KeyedLines,
}

/// Sends every container, or every line of JSON, as one record.
///
/// What the broker does not confirm is counted and told about; it does not end the output
/// (`decisions` KA-4).
#[derive(Debug)]
pub struct KafkaSink {
    producer: Producer,
    pieces: KafkaPieces,
    /// The field that keys are made of, for messages.
    key_field: String,
    voice: Voice,
    /// Payloads in the next container.
    payloads: u64,
    /// Records that were to be sent, and of those, records and payloads that never will be.
    records: u64,
    unsent: u64,
    unsent_payloads: u64,
    /// Pieces so far, and the records up to the end of each that are not all confirmed.
    put: u64,
    arrived: u64,
    ends: VecDeque<u64>,
    /// Types without the field that makes the key, as far as was said.
    without_key: HashSet<(VendorId, MsgType)>,
}

impl KafkaSink {
    /// Opens a topic.
    ///
    /// # Errors
    ///
    /// When a setting is refused.
    pub fn open(
        address: &Address,
        pieces: KafkaPieces,
        key_field: &str,
        configuration: &Configuration,
        voice: KafkaVoice,
    ) -> Result<Self, nmsg_kafka::Error> {
        let speaker = voice.voice.clone();
        Ok(Self {
            producer: Producer::open(address, configuration, listener(voice))?,
            pieces,
            key_field: key_field.to_owned(),
            voice: speaker,
            payloads: 0,
            records: 0,
            unsent: 0,
            unsent_payloads: 0,
            put: 0,
            arrived: 0,
            ends: VecDeque::new(),
            without_key: HashSet::new(),
        })
    }

    fn send(
        &mut self,
        record: &[u8],
        key: Option<&[u8]>,
        payloads: u64,
        interrupt: Option<&Latch>,
    ) -> io::Result<()> {
        self.records += 1;
        loop {
            match self.producer.send(record, key, payloads).map_err(io::Error::other)? {
                Sent::Taken => return Ok(()),
                Sent::Refused(reason) => {
                    if self.unsent == 0 {
                        self.voice.say(format_args!("a record was not sent: {reason}"));
                    }
                    self.give_up(payloads);
                    return Ok(());
                }
                Sent::Full => {
                    let waited = interrupt.and_then(Latch::raised_for);
                    if waited.is_some_and(|waited| waited >= PATIENCE_AFTER_SIGNAL) {
                        self.give_up(payloads);
                        return Ok(());
                    }
                    self.producer.work(ROOM_INTERVAL);
                }
            }
        }
    }

    #[cold]
    fn give_up(&mut self, payloads: u64) {
        self.producer.pass_over();
        self.unsent += 1;
        self.unsent_payloads += payloads;
    }

    #[cold]
    fn say_no_field(&mut self, vendor: VendorId, msgtype: MsgType) {
        if self.without_key.insert((vendor, msgtype)) {
            let field = &self.key_field;
            self.voice.say(format_args!(
                "messages of type {vendor}:{msgtype} have no field {field}, they are sent without key"
            ));
        }
    }
}

fn account(records: u64, unsent: u64, delivery: &Delivery) -> RecordAccount {
    RecordAccount {
        records,
        delivered: delivery.delivered,
        failed: delivery.undelivered - delivery.given_up + unsent,
        given_up: delivery.given_up,
    }
}

impl Sink for KafkaSink {
    fn announce(&mut self, payloads: u64) {
        self.payloads = payloads;
    }

    fn put(&mut self, piece: &[u8], interrupt: Option<&Latch>) -> io::Result<Put> {
        let mut rest = piece;
        match self.pieces {
            KafkaPieces::Containers => self.send(piece, None, self.payloads, interrupt)?,
            KafkaPieces::Lines => {
                while let Some(line) = next_line(&mut rest) {
                    self.send(line, None, 1, interrupt)?;
                }
            }
            KafkaPieces::KeyedLines => {
                while let Some((key, line)) = next_record(&mut rest) {
                    let key = match key {
                        Key::Text(key) => Some(key),
                        Key::Unreadable => None,
                        Key::NoField(vendor, msgtype) => {
                            self.say_no_field(vendor, msgtype);
                            None
                        }
                    };
                    self.send(line, key, 1, interrupt)?;
                }
            }
        }
        self.put += 1;
        self.ends.push_back(self.records);
        self.note_arrivals();
        Ok(Put::Taken)
    }

    fn standing(&mut self) -> Option<Standing> {
        self.producer.work(Duration::ZERO);
        self.note_arrivals();
        Some(Standing { taken: self.put, arrived: self.arrived })
    }

    fn notice(&mut self) -> Option<Notice> {
        // Failures are told as soon as they are known.
        self.producer.work(Duration::ZERO);
        None
    }

    fn awaits_news(&self) -> bool {
        self.producer.is_waiting()
    }

    fn records(&self) -> Option<RecordAccount> {
        Some(account(self.records, self.unsent, &self.producer.delivery()))
    }

    fn close(self: Box<Self>) -> io::Result<Closed> {
        let Self { producer, voice, records, unsent, unsent_payloads, .. } = *self;
        // A second signal that has come already is no reason to wait for another.
        let signals = signal::stop_count().min(1);
        let start = Instant::now();
        let mut say = start + SAYING_INTERVAL;
        let delivery = producer.close(|left| {
            let now = Instant::now();
            if now >= say {
                say = now + SAYING_INTERVAL;
                voice.say(format_args!("waiting for the broker to confirm {left} records"));
            }
            signal::stop_count() > signals || signals > 0 && start.elapsed() >= DRAIN
        });
        let missing = delivery.undelivered + unsent;
        Ok(Closed {
            undelivered: (missing > 0)
                .then(|| format!("{missing} of {records} records not delivered")),
            undelivered_payloads: delivery.undelivered_units + unsent_payloads,
            records: Some(account(records, unsent, &delivery)),
            ..Closed::default()
        })
    }
}

impl KafkaSink {
    /// Takes note of what the broker has confirmed.
    fn note_arrivals(&mut self) {
        let confirmed = self.producer.confirmed();
        while self.ends.front().is_some_and(|end| *end <= confirmed) {
            self.ends.pop_front();
            self.arrived += 1;
        }
    }
}
