use nmsg::Limits;
use nmsg_kafka::{Address, Configuration, Consumer, Position, Waited};
use nmsg_os::{Latch, Ready};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use super::message::MessageCutter;
use super::{Event, RawBatch, RawKind, RawPiece, Source};
use crate::KafkaVoice;
use crate::fault::{Fault, RecordPosition};
use crate::kafka::{KafkaFormat, listener};
use crate::receipt::Receipts;

/// Records after which a batch is full.
const MOST_RECORDS: usize = 1000;
/// How long a broker may take to note what was accepted before the program ends.
const DRAIN: Duration = Duration::from_secs(5);

/// A Kafka topic that containers or JSON documents are read from, one in each record.
///
/// A record that is neither costs itself (`decisions` KA-2). As a member of a group, it commits what
/// the outputs have accepted, so that every record is written at least once whatever happens.
#[derive(Debug)]
pub struct KafkaSource {
    name: String,
    consumer: Consumer,
    format: KafkaFormat,
    longest: usize,
    messages: MessageCutter,
    start: Instant,
    receipts: Receipts,
    /// Where members of a group are in the topic: receipts and the records they stand for.
    unaccepted: Option<VecDeque<(u64, Position)>>,
    /// What was accepted last of each partition; empty between calls.
    latest: Vec<Position>,
    /// The receipt for what is read now.
    receipt: u64,
    failed: Option<io::Error>,
}

impl KafkaSource {
    /// Opens a topic; `name` is for messages, and `interrupted` is asked now and then whether to
    /// give up.
    ///
    /// # Errors
    ///
    /// When a setting is refused, or the topic's partitions are needed and cannot be found.
    pub fn open(
        name: &str,
        address: &Address,
        format: KafkaFormat,
        configuration: &Configuration,
        limits: &Limits,
        voice: KafkaVoice,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Self, nmsg_kafka::Error> {
        let in_group = matches!(address.part, nmsg_kafka::TopicPart::Group(_));
        Ok(Self {
            name: name.to_owned(),
            consumer: Consumer::open(address, configuration, listener(voice), interrupted)?,
            format,
            longest: limits.line,
            messages: MessageCutter::new(limits),
            start: Instant::now(),
            receipts: Receipts::default(),
            unaccepted: in_group.then(VecDeque::new),
            latest: Vec::new(),
            receipt: 1,
            failed: None,
        })
    }

    /// Takes one record.
    fn take(&mut self, position: Position, payload: &[u8], now: Duration, batch: &mut RawBatch) {
        let Position { partition, offset } = position;
        batch.pieces.push(RawPiece::Record(RecordPosition { partition, offset }));
        batch.records += 1;
        match self.format {
            KafkaFormat::Nmsg => self.messages.take(payload, None, now, batch),
            KafkaFormat::Json if payload.is_empty() => {}
            KafkaFormat::Json => {
                batch.consumed += payload.len() as u64;
                if payload.len() > self.longest {
                    let reason = format!("longer than {} bytes", self.longest);
                    batch.skipped += payload.len() as u64;
                    let fault = Fault::UnusableRecord { reason, text: None };
                    return batch.pieces.push(RawPiece::Fault(fault));
                }
                let start = batch.octets.len();
                batch.octets.extend_from_slice(payload);
                batch.pieces.push(RawPiece::Json(start..batch.octets.len()));
            }
        }
    }

    /// Gives a receipt for what was read, unless fragments wait for others that are still to come.
    fn give_receipt(&mut self, position: Position, batch: &mut RawBatch) {
        let Some(unaccepted) = &mut self.unaccepted else { return };
        unaccepted.push_back((self.receipt, position));
        if self.messages.next_deadline().is_none() {
            batch.pieces.push(RawPiece::Receipt(self.receipt));
            self.receipt += 1;
        }
    }

    /// Notes what outputs have accepted.
    fn commit(&mut self) {
        let accepted = self.receipts.accepted();
        let Some(unaccepted) = &mut self.unaccepted else { return };
        while let Some(&(receipt, position)) = unaccepted.front()
            && receipt <= accepted
        {
            unaccepted.pop_front();
            // The last one of a partition stands for all before it.
            match self.latest.iter_mut().find(|latest| latest.partition == position.partition) {
                Some(latest) => *latest = position,
                None => self.latest.push(position),
            }
        }
        for position in self.latest.drain(..) {
            self.consumer.accept(position);
        }
    }

    fn read_records(&mut self, batch: &mut RawBatch) -> io::Result<()> {
        let now = self.start.elapsed();
        self.messages.expire(now, batch);
        let mut records = 0;
        let mut payload = Vec::new();
        while !batch.is_full() && records < MOST_RECORDS {
            let position = match self.consumer.next_record().map_err(io::Error::other)? {
                None => break,
                Some(record) => {
                    payload.clear();
                    payload.extend_from_slice(record.payload().unwrap_or_default());
                    record.position()
                }
            };
            self.take(position, &payload, now, batch);
            self.give_receipt(position, batch);
            records += 1;
        }
        Ok(())
    }
}

impl Source for KafkaSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> RawKind {
        match self.format {
            KafkaFormat::Nmsg => RawKind::Messages,
            KafkaFormat::Json => RawKind::JsonRecords,
        }
    }

    fn is_network(&self) -> bool {
        true
    }

    fn read(&mut self, batch: &mut RawBatch) -> io::Result<Event> {
        batch.clear();
        self.commit();
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if let Err(error) = self.read_records(batch) {
            if batch.pieces.is_empty() {
                return Err(error);
            }
            // What was read before goes first.
            self.failed = Some(error);
        }
        Ok(if batch.pieces.is_empty() { Event::Idle } else { Event::Batch })
    }

    fn wait(&mut self, latches: &[&Latch], until: Option<Instant>) -> io::Result<Ready> {
        let expiry = self.messages.next_deadline().map(|deadline| self.start + deadline);
        let until = [until, expiry].into_iter().flatten().min();
        let interrupts: Vec<BorrowedFd<'_>> = latches.iter().map(|latch| latch.as_fd()).collect();
        Ok(match self.consumer.wait(&interrupts, until)? {
            Waited::Activity => Ready::Descriptor,
            Waited::Interrupted => Ready::Latch,
            Waited::Timeout => Ready::Timeout,
        })
    }

    fn receipts(&self) -> Option<Receipts> {
        self.unaccepted.is_some().then(|| self.receipts.clone())
    }

    fn finish(&mut self, batch: &mut RawBatch) {
        batch.clear();
        self.messages.finish(batch);
    }

    fn close(mut self: Box<Self>) {
        self.commit();
        self.consumer.close(DRAIN);
    }
}
