use nmsg::container::{ContainerBuilder, ContainerFinisher, Sequence};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wdns::TextBuffer;

use crate::batch::{Batch, Selection};
use crate::decode::Decoder;
use crate::render::{RenderTally, TextRenderer};
use crate::source::{RawBatch, weight_of};

/// Octets of input that may be under way for each worker.
const CAPACITY: usize = 768 << 10;
/// Octets of input that may be under way beyond that for inputs that lose what is not read soon.
const READ_AHEAD: usize = 32 << 20;
/// How often the engine looks up while it waits.
const TICK: Duration = Duration::from_millis(250);
/// Memory that a text buffer may keep, in octets.
const KEPT_TEXT: usize = 1 << 20;
/// Buffers kept for further use for each worker: as many as are under way when input comes in
/// pieces of the usual size. With fewer, each batch would ask the system for memory anew.
const KEPT_BATCHES: usize = 4;
const KEPT_TEXTS: usize = 16;

/// A piece of work that depends on nothing but itself.
#[derive(Debug)]
pub(crate) enum Job {
    /// Turns what an input has read into payloads.
    Decode { input: usize, serial: u64, raw: RawBatch },
    /// Renders payloads for an output.
    Render {
        lane: usize,
        serial: u64,
        input: usize,
        batch: Arc<Batch>,
        selection: Selection,
        /// Whether the output wants to know where records end.
        marks_ends: bool,
    },
    /// Makes a container of payloads that were packed for an output.
    Finish { lane: usize, serial: u64, container: FullContainer },
}

/// A container whose payloads are decided.
#[derive(Debug)]
pub(crate) struct FullContainer {
    pub(crate) builder: ContainerBuilder,
    /// Empty; taken along for its memory.
    pub(crate) pieces: Pieces,
    pub(crate) sequence: Option<Sequence>,
    /// Set where the container is to leave in fragments.
    pub(crate) fragment_id: Option<u32>,
}

/// The octets of a container, in one piece or in fragments.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    octets: Vec<u8>,
    ends: Vec<usize>,
}

impl Pieces {
    fn push(&mut self, piece: &[u8]) {
        self.octets.extend_from_slice(piece);
        self.ends.push(self.octets.len());
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.octets[start..*end])
    }

    /// Empties them; the memory of an unusually large container is not kept.
    pub(crate) fn clear(&mut self, usual: usize) {
        self.octets.clear();
        self.octets.shrink_to(2 * usual);
        self.ends.clear();
        self.ends.shrink_to(1);
    }
}

/// What an output is to write next.
#[derive(Debug)]
pub(crate) enum Piece {
    /// Rendered payloads.
    Text {
        input: usize,
        text: TextBuffer,
        tally: RenderTally,
        /// Where each record ends, where that is wanted.
        ends: Vec<usize>,
        /// The batch that they are from, to be given back.
        batch: Arc<Batch>,
    },
    /// The next file starts here.
    Rotate,
    /// A container, unless it could not be made.
    Container { builder: ContainerBuilder, pieces: Pieces, made: Result<(), nmsg::Error> },
}

/// What the engine is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// A batch of an input, to be taken in the order of the serial numbers.
    Batch { input: usize, serial: u64, batch: Batch },
    /// An input has ended, behind so many batches.
    End { input: usize, serial: u64, result: io::Result<()> },
    /// Something for an output to write, in the order of the serial numbers.
    Piece { lane: usize, serial: u64, piece: Piece },
}

/// Work for several threads, and what comes of it. Everything that waits is bounded by the octets
/// of input that it was made of.
#[derive(Debug)]
pub(crate) struct Pool {
    workers: usize,
    work: Mutex<Work>,
    /// There is work, or there will be none any more.
    has_work: Condvar,
    /// Input may be read.
    has_room: Condvar,
    messages: Mutex<VecDeque<Message>>,
    has_message: Condvar,
}

#[derive(Debug, Default)]
struct Work {
    /// What brings the end nearer goes first.
    encode: VecDeque<Job>,
    decode: VecDeque<Job>,
    /// Octets of input under way.
    under_way: usize,
    /// The run is over: nothing more is read.
    stopped: bool,
    /// All work is done.
    finished: bool,
    spare: Spare,
}

/// Memory for further use.
#[derive(Debug, Default)]
struct Spare {
    raws: Vec<RawBatch>,
    batches: Vec<Batch>,
    texts: Vec<TextBuffer>,
}

/// Nothing panics while it holds a lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            workers,
            work: Mutex::default(),
            has_work: Condvar::new(),
            has_room: Condvar::new(),
            messages: Mutex::default(),
            has_message: Condvar::new(),
        }
    }

    /// Waits until there is room for more input; false when nothing more is to be read.
    pub(crate) fn wait_for_room(&self, cannot_wait: bool) -> bool {
        let room = CAPACITY * self.workers + if cannot_wait { READ_AHEAD } else { 0 };
        let mut work = lock(&self.work);
        while work.under_way >= room && !work.stopped {
            work = self.has_room.wait(work).unwrap_or_else(PoisonError::into_inner);
        }
        !work.stopped
    }

    /// Waits until there is room for what was taken in before the end of the run.
    pub(crate) fn wait_for_progress(&self) {
        let mut work = lock(&self.work);
        while work.under_way >= CAPACITY * self.workers {
            work = self.has_room.wait(work).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Adds what an input has read to the work.
    pub(crate) fn decode(&self, input: usize, serial: u64, raw: RawBatch) {
        let mut work = lock(&self.work);
        work.under_way += raw.weight();
        work.decode.push_back(Job::Decode { input, serial, raw });
        drop(work);
        self.has_work.notify_one();
    }

    /// Passes on a batch that was decoded where it was read.
    pub(crate) fn decoded(&self, input: usize, serial: u64, mut batch: Batch) {
        batch.charge = batch.octets.len();
        lock(&self.work).under_way += batch.charge;
        self.send(Message::Batch { input, serial, batch });
    }

    /// Adds work for an output.
    pub(crate) fn encode(&self, job: Job) {
        lock(&self.work).encode.push_back(job);
        self.has_work.notify_one();
    }

    pub(crate) fn spare_raw(&self) -> RawBatch {
        lock(&self.work).spare.raws.pop().unwrap_or_default()
    }

    /// Gives back a batch, if nobody else works with it any more.
    pub(crate) fn give_back(&self, batch: Arc<Batch>) {
        let Some(mut batch) = Arc::into_inner(batch) else { return };
        let mut work = lock(&self.work);
        work.under_way = work.under_way.saturating_sub(std::mem::take(&mut batch.charge));
        batch.clear();
        if work.spare.batches.len() < KEPT_BATCHES * self.workers {
            work.spare.batches.push(batch);
        }
        drop(work);
        self.has_room.notify_all();
    }

    pub(crate) fn give_back_text(&self, mut text: TextBuffer) {
        text.clear();
        text.shrink_to(KEPT_TEXT);
        let mut work = lock(&self.work);
        if work.spare.texts.len() < KEPT_TEXTS * self.workers {
            work.spare.texts.push(text);
        }
    }

    /// Counts octets that are under way in another form.
    pub(crate) fn charge(&self, octets: usize) {
        lock(&self.work).under_way += octets;
    }

    /// Octets are no longer under way.
    pub(crate) fn release(&self, octets: usize) {
        let mut work = lock(&self.work);
        work.under_way = work.under_way.saturating_sub(octets);
        drop(work);
        self.has_room.notify_all();
    }

    /// Tells those who read that the run is over.
    pub(crate) fn stop(&self) {
        lock(&self.work).stopped = true;
        self.has_room.notify_all();
    }

    /// Tells the workers that they may go.
    pub(crate) fn finish(&self) {
        lock(&self.work).finished = true;
        self.has_work.notify_all();
    }

    pub(crate) fn send(&self, message: Message) {
        lock(&self.messages).push_back(message);
        self.has_message.notify_one();
    }

    /// Takes the next message without waiting.
    pub(crate) fn try_receive(&self) -> Option<Message> {
        lock(&self.messages).pop_front()
    }

    /// Takes the next message, waiting a moment for it, and no longer than `until`.
    pub(crate) fn receive(&self, until: Option<Instant>) -> Option<Message> {
        let messages = lock(&self.messages);
        let time =
            until.map_or(TICK, |until| until.saturating_duration_since(Instant::now()).min(TICK));
        let waited =
            self.has_message.wait_timeout_while(messages, time, |messages| messages.is_empty());
        waited.unwrap_or_else(PoisonError::into_inner).0.pop_front()
    }

    fn next_job(&self) -> Option<Job> {
        let mut work = lock(&self.work);
        loop {
            if let Some(job) = work.encode.pop_front().or_else(|| work.decode.pop_front()) {
                return Some(job);
            }
            if work.finished {
                return None;
            }
            work = self.has_work.wait(work).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// What one worker works with.
pub(crate) struct Worker<'r> {
    pub(crate) pool: &'r Pool,
    /// One for each input.
    pub(crate) decoders: Vec<Decoder<'r>>,
    /// One for each output.
    pub(crate) encoders: Vec<Encoder<'r>>,
}

/// What an output's pieces are made with.
#[derive(Debug)]
pub(crate) enum Encoder<'r> {
    Text(Box<TextRenderer<'r>>),
    Containers(Box<ContainerFinisher>),
}

impl Worker<'_> {
    /// Works until there is nothing more to do.
    pub(crate) fn run(&mut self) {
        while let Some(job) = self.pool.next_job() {
            match job {
                Job::Decode { input, serial, raw } => self.decode(input, serial, raw),
                Job::Render { lane, serial, input, batch, mut selection, marks_ends } => {
                    let Some(Encoder::Text(renderer)) = self.encoders.get_mut(lane) else {
                        continue;
                    };
                    let mut text = lock(&self.pool.work).spare.texts.pop().unwrap_or_default();
                    let mut ends = Vec::new();
                    let tally = if marks_ends {
                        renderer.render_marking(&batch, &mut selection, &mut text, &mut ends)
                    } else {
                        renderer.render(&batch, &mut selection, &mut text, usize::MAX, false)
                    };
                    let piece = Piece::Text { input, text, tally, ends, batch };
                    self.pool.send(Message::Piece { lane, serial, piece });
                }
                Job::Finish { lane, serial, container } => {
                    let Some(Encoder::Containers(finisher)) = self.encoders.get_mut(lane) else {
                        continue;
                    };
                    let FullContainer { mut builder, mut pieces, sequence, fragment_id } =
                        container;
                    let made = finisher.finish(&mut builder, sequence, fragment_id, &mut |piece| {
                        pieces.push(piece);
                        Ok(())
                    });
                    let made = made.map(|_| ());
                    let piece = Piece::Container { builder, pieces, made };
                    self.pool.send(Message::Piece { lane, serial, piece });
                }
            }
        }
    }

    fn decode(&mut self, input: usize, serial: u64, mut raw: RawBatch) {
        let Some(decoder) = self.decoders.get_mut(input) else { return };
        let mut batch = lock(&self.pool.work).spare.batches.pop().unwrap_or_default();
        let charge = raw.weight();
        decoder.decode(&mut raw, &mut batch);
        batch.charge = weight_of(charge, batch.size());
        raw.clear();
        let mut work = lock(&self.pool.work);
        work.under_way += batch.charge - charge;
        if work.spare.raws.len() < KEPT_BATCHES * self.pool.workers {
            work.spare.raws.push(raw);
        }
        drop(work);
        self.pool.send(Message::Batch { input, serial, batch });
    }
}

/// Brings back into order what arrives in any.
#[derive(Debug)]
pub(crate) struct Reorder<T> {
    /// Serial number of what is first in `waiting`.
    next: u64,
    waiting: VecDeque<Option<T>>,
}

impl<T> Default for Reorder<T> {
    fn default() -> Self {
        Self { next: 0, waiting: VecDeque::new() }
    }
}

impl<T> Reorder<T> {
    /// Takes what has this serial number.
    pub(crate) fn insert(&mut self, serial: u64, item: T) {
        let at = (serial - self.next) as usize;
        if self.waiting.len() <= at {
            self.waiting.resize_with(at + 1, || None);
        }
        self.waiting[at] = Some(item);
    }

    /// The next in order, if it is there.
    pub(crate) fn take_next(&mut self) -> Option<T> {
        let item = self.waiting.front_mut()?.take()?;
        self.waiting.pop_front();
        self.next += 1;
        Some(item)
    }

    /// Serial number of the next in order.
    pub(crate) fn next_serial(&self) -> u64 {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nmsg::container::{Flags, Header};

    #[test]
    fn order_comes_back() {
        let mut reorder = Reorder::default();
        let mut got = Vec::new();
        for serial in [2, 0, 1, 5, 4, 3, 6] {
            reorder.insert(serial, serial);
            while let Some(item) = reorder.take_next() {
                got.push(item);
            }
            assert_eq!(reorder.next_serial(), got.len() as u64);
        }
        assert_eq!(got, [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn what_inflates_beyond_the_usual_counts_for_more() {
        let zlib = Header::v2(Flags::ZLIB, 0);
        let declaring = |inflated: u32, len: usize| {
            let mut raw = RawBatch::default();
            raw.push_message(zlib, &[&inflated.to_be_bytes()[..], &vec![0; len]].concat(), None);
            raw
        };
        for (name, inflated, len, want) in [
            ("as usual", 1 << 20, 300 << 10, 300 << 10),
            ("very repetitive", 1 << 20, 30 << 10, 256 << 10),
            ("a bomb", 16 << 20, 17 << 10, 16 << 20),
            ("a lie", u32::MAX, 100, 100 * 1032 / 4),
        ] {
            let weight = declaring(inflated, len).weight();
            assert!((want..want + 5).contains(&weight), "{name}: {weight}");
        }
        assert!(declaring(1 << 20, 2_000).is_full() && !declaring(1 << 19, 2_000).is_full());
        assert!(!declaring(u32::MAX, 900).is_full(), "it cannot become what it declares");
    }

    #[test]
    fn reading_waits_for_room() {
        let pool = Pool::new(1);
        let mut raw = RawBatch::default();
        raw.octets = vec![0; CAPACITY];
        let mut made = RawBatch::default();
        made.payloads.octets = vec![0; CAPACITY];
        assert!(pool.wait_for_room(false));
        // Octets that are payloads already count like others.
        pool.decode(0, 0, made);
        std::thread::scope(|scope| {
            assert!(pool.wait_for_room(true), "there is more for those who cannot wait");
            let waiting = scope.spawn(|| pool.wait_for_room(false));
            let mut batch = Batch::default();
            batch.charge = CAPACITY;
            let batch = Arc::new(batch);
            pool.give_back(Arc::clone(&batch));
            assert!(lock(&pool.work).under_way > 0, "somebody still works with it");
            pool.give_back(batch);
            assert!(waiting.join().unwrap());
        });
        pool.decode(0, 1, raw);
        pool.stop();
        assert!(!pool.wait_for_room(false) && !pool.wait_for_room(true), "the run is over");
    }
}
