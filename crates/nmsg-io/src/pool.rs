use nmsg::container::{ContainerBuilder, ContainerFinisher, Sequence};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wdns::TextBuffer;

use crate::batch::{Batch, Selection};
use crate::decode::Decoder;
use crate::render::{RenderTally, TextRenderer};
use crate::source::{RawBatch, RawKind, weight_of};

/// Octets of input that may be under way for each worker.
const CAPACITY: usize = 768 << 10;
/// Octets of input that may be under way beyond that, for all workers together: where text is made of
/// it, which is several times as large, and where containers are, which take long.
const MORE_FOR_TEXT: usize = 256 << 10;
const MORE_FOR_CONTAINERS: usize = 1 << 20;
/// Octets of input that may be under way beyond that for inputs that lose what is not read soon.
const READ_AHEAD: usize = 32 << 20;
/// How often the engine looks up while it waits.
const TICK: Duration = Duration::from_millis(250);
/// Memory that a text buffer may keep, in octets.
const KEPT_TEXT: usize = 512 << 10;
/// Buffers kept for further use for each worker: as many as are under way when input comes in
/// pieces of the usual size. With fewer, each batch would ask the system for memory anew.
const KEPT_BATCHES: usize = 4;
const KEPT_TEXTS: usize = 32;

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

/// What a thread does next.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one move for hundreds of payloads")]
pub(crate) enum Task {
    /// Work from the queues.
    Job(Job),
    /// The next batch of an input that is always ready: one such input is set aside for the caller.
    Read,
}

/// Work for several threads, and what comes of it. Everything that waits is bounded by the octets
/// of input that it was made of.
///
/// The engine's own thread deals and writes, and works like the others in between. Nobody is woken
/// who has something to do: a wake-up costs as much as rendering dozens of payloads.
#[derive(Debug)]
pub(crate) struct Pool {
    /// Threads that work, the engine's own among them.
    workers: usize,
    /// Octets of input with which nothing more is read.
    room: usize,
    work: Mutex<Work>,
    /// A worker is called, or may go.
    calls_worker: Condvar,
    /// The engine is called.
    calls_engine: Condvar,
    /// Input may be read.
    has_room: Condvar,
}

#[derive(Debug, Default)]
struct Work {
    messages: VecDeque<Message>,
    /// What brings the end nearer goes first.
    encode: VecDeque<Job>,
    decode: VecDeque<Job>,
    /// Inputs that are always ready and that nobody reads at the moment.
    readable: usize,
    /// Batches with anything in them that were read so far.
    batches: u64,
    /// Octets of input under way.
    under_way: usize,
    /// Workers that wait, and those of them that were called.
    waiting: usize,
    called: usize,
    /// The engine waits.
    engine_waits: bool,
    /// Inputs on threads of their own that wait for room.
    readers_waiting: usize,
    /// The run is over: nothing more is read.
    stopped: bool,
    /// All work is done.
    finished: bool,
    spare: Spare,
}

impl Work {
    /// Counts what was read.
    fn add_batch(&mut self, weight: usize) {
        self.under_way += weight;
        self.batches += u64::from(weight > 0);
    }

    /// Takes what brings the end nearer most.
    fn take_job(&mut self) -> Option<Task> {
        self.encode.pop_front().or_else(|| self.decode.pop_front()).map(Task::Job)
    }

    fn take_read(&mut self, room: usize) -> Option<Task> {
        (self.readable > 0 && self.under_way < room).then(|| {
            self.readable -= 1;
            Task::Read
        })
    }

    fn has_task(&self, room: usize) -> bool {
        !self.encode.is_empty()
            || !self.decode.is_empty()
            || self.readable > 0 && self.under_way < room
    }
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
    /// A pool for so many threads, which make text or only containers.
    pub(crate) fn new(workers: usize, makes_text: bool) -> Self {
        let more = if makes_text { MORE_FOR_TEXT } else { MORE_FOR_CONTAINERS };
        Self {
            workers,
            room: CAPACITY * workers + more,
            work: Mutex::default(),
            calls_worker: Condvar::new(),
            calls_engine: Condvar::new(),
            has_room: Condvar::new(),
        }
    }

    /// Calls somebody who waits, if there is something to do that nobody was called for.
    fn call_for_work(&self, mut work: MutexGuard<'_, Work>) {
        if !work.has_task(self.room) {
            return;
        }
        if work.engine_waits {
            work.engine_waits = false;
            drop(work);
            self.calls_engine.notify_one();
        } else if work.waiting > work.called {
            work.called += 1;
            drop(work);
            self.calls_worker.notify_one();
        }
    }

    /// Waits until there is room for more input; false when nothing more is to be read.
    pub(crate) fn wait_for_room(&self, cannot_wait: bool) -> bool {
        let room = self.room + if cannot_wait { READ_AHEAD } else { 0 };
        !self.wait_while(|work| work.under_way >= room && !work.stopped).stopped
    }

    /// Waits until there is room for what was taken in before the end of the run.
    pub(crate) fn wait_for_progress(&self) {
        let room = self.room;
        drop(self.wait_while(|work| work.under_way >= room));
    }

    fn wait_while(&self, full: impl Fn(&Work) -> bool) -> MutexGuard<'_, Work> {
        let mut work = lock(&self.work);
        while full(&work) {
            work.readers_waiting += 1;
            work = self.has_room.wait(work).unwrap_or_else(PoisonError::into_inner);
            work.readers_waiting -= 1;
        }
        work
    }

    /// Adds what an input has read to the work.
    pub(crate) fn decode(&self, input: usize, serial: u64, raw: RawBatch) {
        let mut work = lock(&self.work);
        work.add_batch(raw.weight());
        work.decode.push_back(Job::Decode { input, serial, raw });
        self.call_for_work(work);
    }

    /// Notes what the caller has read and is about to decode itself.
    pub(crate) fn note_read(&self, raw: &RawBatch) {
        lock(&self.work).add_batch(raw.weight());
    }

    /// True when there is work for more than one thread.
    pub(crate) fn wants_workers(&self) -> bool {
        lock(&self.work).batches > 1
    }

    /// Lets somebody read an input that is always ready.
    pub(crate) fn add_readable(&self) {
        let mut work = lock(&self.work);
        work.readable += 1;
        self.call_for_work(work);
    }

    /// Passes on a batch that was decoded where it was read.
    pub(crate) fn decoded(&self, input: usize, serial: u64, mut batch: Batch) {
        batch.charge = batch.octets.len();
        let mut work = lock(&self.work);
        work.add_batch(batch.charge);
        self.tell(work, Message::Batch { input, serial, batch });
    }

    /// Adds work for an output; only the engine does. One piece of work it can do itself.
    pub(crate) fn encode(&self, job: Job) {
        let mut work = lock(&self.work);
        work.encode.push_back(job);
        if work.encode.len() > 1 {
            self.call_for_work(work);
        }
    }

    pub(crate) fn spare_raw(&self) -> RawBatch {
        lock(&self.work).spare.raws.pop().unwrap_or_default()
    }

    /// Gives back a batch, if nobody else works with it any more.
    pub(crate) fn give_back(&self, batch: Arc<Batch>) {
        let Some(mut batch) = Arc::into_inner(batch) else { return };
        let charge = std::mem::take(&mut batch.charge);
        batch.clear();
        let mut work = lock(&self.work);
        if work.spare.batches.len() < KEPT_BATCHES * self.workers {
            work.spare.batches.push(batch);
        }
        self.make_room(work, charge);
    }

    fn make_room(&self, mut work: MutexGuard<'_, Work>, octets: usize) {
        work.under_way = work.under_way.saturating_sub(octets);
        if work.readers_waiting > 0 {
            self.has_room.notify_all();
        }
        self.call_for_work(work);
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
        self.make_room(lock(&self.work), octets);
    }

    /// Tells those who read that the run is over.
    pub(crate) fn stop(&self) {
        lock(&self.work).stopped = true;
        self.has_room.notify_all();
    }

    /// True once the run is over.
    pub(crate) fn is_stopped(&self) -> bool {
        lock(&self.work).stopped
    }

    /// Tells the workers that they may go.
    pub(crate) fn finish(&self) {
        lock(&self.work).finished = true;
        self.calls_worker.notify_all();
    }

    /// Tells the engine something.
    pub(crate) fn send(&self, message: Message) {
        self.tell(lock(&self.work), message);
    }

    fn tell(&self, mut work: MutexGuard<'_, Work>, message: Message) {
        work.messages.push_back(message);
        if std::mem::take(&mut work.engine_waits) {
            drop(work);
            self.calls_engine.notify_one();
        }
    }

    /// Gives all messages that have come in exchange for an empty queue; false when there are none.
    pub(crate) fn take_messages(&self, messages: &mut VecDeque<Message>) -> bool {
        std::mem::swap(&mut lock(&self.work).messages, messages);
        !messages.is_empty()
    }

    /// What the engine can do itself instead of waiting. It reads first: then the others have work
    /// while it does some that takes long.
    pub(crate) fn task_for_engine(&self) -> Option<Task> {
        let mut work = lock(&self.work);
        let room = self.room;
        let task = work.take_read(room).or_else(|| work.take_job())?;
        self.call_for_work(work);
        Some(task)
    }

    /// Waits a moment for a message or something to do, and no longer than `until`.
    pub(crate) fn wait_for_news(&self, until: Option<Instant>) {
        let room = self.room;
        let mut work = lock(&self.work);
        if !work.messages.is_empty() || work.has_task(room) {
            return;
        }
        let time =
            until.map_or(TICK, |until| until.saturating_duration_since(Instant::now()).min(TICK));
        work.engine_waits = true;
        let waited = self.calls_engine.wait_timeout_while(work, time, |work| work.engine_waits);
        waited.unwrap_or_else(PoisonError::into_inner).0.engine_waits = false;
    }

    /// What a worker does next, waiting for it; `None` when there will be nothing more.
    fn task_for_worker(&self) -> Option<Task> {
        let room = self.room;
        let mut work = lock(&self.work);
        loop {
            if let Some(task) = work.take_job().or_else(|| work.take_read(room)) {
                self.call_for_work(work);
                return Some(task);
            }
            work.waiting += 1;
            while work.called == 0 && !work.finished {
                work = self.calls_worker.wait(work).unwrap_or_else(PoisonError::into_inner);
            }
            work.waiting -= 1;
            work.called = work.called.saturating_sub(1);
            if work.finished {
                return None;
            }
        }
    }
}

/// What one worker works with.
pub(crate) struct Worker<'r> {
    pub(crate) pool: &'r Pool,
    pub(crate) decoders: Decoders<'r>,
    /// One for each output.
    pub(crate) encoders: Vec<Encoder<'r>>,
}

/// What one worker decodes with: one decoder for all inputs of containers, which leaves nothing behind
/// from batch to batch, and one for each other input.
pub(crate) struct Decoders<'r> {
    decoders: Vec<Decoder<'r>>,
    /// Position of the decoder of each input.
    places: Vec<usize>,
}

impl<'r> Decoders<'r> {
    /// Decoders for inputs of these kinds.
    pub(crate) fn new(kinds: &[RawKind], mut make: impl FnMut(RawKind) -> Decoder<'r>) -> Self {
        let (mut decoders, mut containers) = (Vec::new(), None);
        let places = kinds.iter().map(|kind| {
            let mut add = || {
                decoders.push(make(*kind));
                decoders.len() - 1
            };
            match kind {
                RawKind::Containers => *containers.get_or_insert_with(add),
                _ => add(),
            }
        });
        Self { places: places.collect(), decoders }
    }

    fn of(&mut self, input: usize) -> Option<&mut Decoder<'r>> {
        self.decoders.get_mut(*self.places.get(input)?)
    }
}

/// What an output's pieces are made with.
#[derive(Debug)]
pub(crate) enum Encoder<'r> {
    Text(Box<TextRenderer<'r>>),
    Containers(Box<ContainerFinisher>),
}

impl Worker<'_> {
    /// Works until there is nothing more to do; `read` reads the next batch of an input that is
    /// always ready.
    pub(crate) fn run(&mut self, mut read: impl FnMut(&mut Self)) {
        while let Some(task) = self.pool.task_for_worker() {
            match task {
                Task::Job(job) => self.work(job),
                Task::Read => read(self),
            }
        }
    }

    /// Does a piece of work.
    pub(crate) fn work(&mut self, job: Job) {
        match job {
            Job::Decode { input, serial, raw } => self.decode(input, serial, raw),
            Job::Render { lane, serial, input, batch, mut selection, marks_ends } => {
                let Some(Encoder::Text(renderer)) = self.encoders.get_mut(lane) else { return };
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
                    return;
                };
                let FullContainer { mut builder, mut pieces, sequence, fragment_id } = container;
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

    /// Turns what an input has read into payloads.
    pub(crate) fn decode(&mut self, input: usize, serial: u64, mut raw: RawBatch) {
        let Some(decoder) = self.decoders.of(input) else { return };
        let mut batch = lock(&self.pool.work).spare.batches.pop().unwrap_or_default();
        let charge = raw.weight();
        decoder.decode(&mut raw, &mut batch);
        batch.charge = weight_of(charge, batch.size());
        raw.clear();
        let mut work = lock(&self.pool.work);
        work.under_way = work.under_way + batch.charge - charge;
        if work.spare.raws.len() < KEPT_BATCHES * self.pool.workers {
            work.spare.raws.push(raw);
        }
        self.pool.tell(work, Message::Batch { input, serial, batch });
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
    fn the_engine_reads_before_it_works_and_workers_the_other_way_round() {
        let pool = Pool::new(2, true);
        pool.add_readable();
        pool.add_readable();
        let raw = || {
            let mut raw = RawBatch::default();
            raw.octets = vec![0; 10];
            raw
        };
        pool.note_read(&RawBatch::default());
        pool.decode(0, 0, raw());
        assert!(!pool.wants_workers(), "one batch");
        pool.decode(0, 1, raw());
        assert!(pool.wants_workers());
        assert!(matches!(pool.task_for_engine(), Some(Task::Read)));
        assert!(matches!(pool.task_for_worker(), Some(Task::Job(Job::Decode { serial: 0, .. }))));
        assert!(matches!(pool.task_for_worker(), Some(Task::Job(Job::Decode { serial: 1, .. }))));
        pool.charge(pool.room);
        assert!(pool.task_for_engine().is_none(), "no room to read");
        pool.release(pool.room);
        assert!(matches!(pool.task_for_worker(), Some(Task::Read)));
        pool.finish();
        assert!(pool.task_for_worker().is_none());
    }

    #[test]
    fn who_waits_is_called_for_work_for_room_and_for_messages() {
        let pool = Pool::new(2, true);
        let far = Some(Instant::now() + Duration::from_secs(60));
        std::thread::scope(|scope| {
            pool.charge(pool.room);
            pool.add_readable();
            let worker = scope.spawn(|| pool.task_for_worker());
            while lock(&pool.work).waiting == 0 {
                std::thread::yield_now();
            }
            pool.release(1);
            assert!(matches!(worker.join().unwrap(), Some(Task::Read)));
            for call in [
                &(|| pool.send(Message::End { input: 0, serial: 0, result: Ok(()) }))
                    as &(dyn Fn() + Sync),
                &|| pool.decode(0, 0, RawBatch::default()),
            ] {
                let engine = scope.spawn(|| {
                    while !has_news(&pool) {
                        pool.wait_for_news(far);
                    }
                });
                call();
                engine.join().unwrap();
                pool.take_messages(&mut VecDeque::new());
            }
        });
    }

    fn has_news(pool: &Pool) -> bool {
        let work = lock(&pool.work);
        !work.messages.is_empty() || !work.decode.is_empty()
    }

    #[test]
    fn reading_waits_for_room() {
        let pool = Pool::new(1, true);
        let mut raw = RawBatch::default();
        raw.octets = vec![0; pool.room];
        let mut made = RawBatch::default();
        made.payloads.octets = vec![0; pool.room];
        assert!(pool.wait_for_room(false));
        // Octets that are payloads already count like others.
        pool.decode(0, 0, made);
        std::thread::scope(|scope| {
            assert!(pool.wait_for_room(true), "there is more for those who cannot wait");
            let waiting = scope.spawn(|| pool.wait_for_room(false));
            let mut batch = Batch::default();
            batch.charge = pool.room;
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
