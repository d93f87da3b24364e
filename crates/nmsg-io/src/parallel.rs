use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nmsg_os::Latch;

use crate::batch::Batch;
use crate::feed::{Consumer, Feeder};
use crate::pool::{Message, Pool, Reorder, Task, Worker};
use crate::run::Run;
use crate::source::{Event, RawBatch};

/// What comes next from an input.
#[expect(clippy::large_enum_variant, reason = "one move for thousands of payloads")]
enum Next {
    Batch(Batch),
    End(io::Result<()>),
}

/// Runs inputs that have to be waited for on threads of their own; reads the others, decodes and
/// encodes with all workers, of which this thread is the first; deals and writes on this one.
///
/// Order is kept from every input to every output, so that the outputs are, to the octet, those of
/// a run without workers.
pub(crate) fn run_parallel<'r>(
    run: &mut Run<'_, 'r>,
    feeders: Vec<Feeder<'_>>,
    workers: Vec<Worker<'r>>,
    pool: &'r Pool,
    finish: &Latch,
) {
    let mut workers = workers.into_iter();
    let Some(first) = workers.next() else { return };
    let inputs = feeders.len();
    let ready = ReadyInputs::default();
    std::thread::scope(|scope| {
        for (input, feeder) in feeders.into_iter().enumerate() {
            let mut reader = Reader { pool, input, serial: 0 };
            if feeder.can_be_read_anywhere() {
                ready.push(Reading { reader, feeder, is_ending: false }, pool);
                continue;
            }
            let started = std::thread::Builder::new().spawn_scoped(scope, move || {
                let result = reader.run(feeder);
                pool.send(Message::End { input, serial: reader.serial, result });
            });
            if let Err(error) = started {
                pool.send(Message::End { input, serial: 0, result: Err(error) });
            }
        }
        let mut engine = EngineThread {
            run,
            pool,
            finish,
            worker: first,
            ready: &ready,
            order: (0..inputs).map(|_| Reorder::default()).collect(),
            running: inputs,
            packed: false,
            messages: VecDeque::new(),
        };
        while engine.is_going_on() {
            if pool.take_messages(&mut engine.messages) {
                engine.take_messages();
                continue;
            }
            // A single batch is not worth a thread. Where the system refuses some, fewer hands do
            // the same work.
            if !workers.as_slice().is_empty() && pool.wants_workers() {
                for mut worker in workers.by_ref() {
                    let ready = &ready;
                    let work = move || worker.run(|worker| ready.read_next(worker));
                    let _ = std::thread::Builder::new().spawn_scoped(scope, work);
                }
            }
            engine.work_or_wait();
        }
        pool.finish();
    });
}

/// What the thread that deals and writes works with.
struct EngineThread<'a, 'e, 'r, 's> {
    run: &'a mut Run<'e, 'r>,
    pool: &'r Pool,
    finish: &'a Latch,
    worker: Worker<'r>,
    ready: &'a ReadyInputs<'s>,
    order: Vec<Reorder<Next>>,
    /// Inputs that have not ended.
    running: usize,
    /// Nothing more will be dealt.
    packed: bool,
    messages: VecDeque<Message>,
}

impl EngineThread<'_, '_, '_, '_> {
    fn is_going_on(&mut self) -> bool {
        if self.running == 0 && !self.packed {
            self.run.pack_rest();
            self.packed = true;
        }
        self.running > 0 || self.run.is_writing()
    }

    fn work_or_wait(&mut self) {
        match self.pool.task_for_engine() {
            Some(Task::Job(job)) => self.worker.work(job),
            Some(Task::Read) => self.ready.read_next(&mut self.worker),
            None => {
                let flow = self.run.idle();
                self.stop_on_break(flow);
                self.pool.wait_for_news(self.run.deadline());
            }
        }
    }

    fn take_messages(&mut self) {
        while let Some(message) = self.messages.pop_front() {
            let (input, serial, next) = match message {
                Message::Piece { lane, serial, piece } => {
                    let flow = self.run.write_piece(lane, serial, piece);
                    self.stop_on_break(flow);
                    continue;
                }
                Message::Batch { input, serial, batch } => (input, serial, Next::Batch(batch)),
                Message::End { input, serial, result } => (input, serial, Next::End(result)),
            };
            self.order[input].insert(serial, next);
            while let Some(next) = self.order[input].take_next() {
                self.take(input, next);
            }
        }
    }

    /// Deals what is in order.
    fn take(&mut self, input: usize, next: Next) {
        match next {
            Next::Batch(mut batch) => {
                self.run.sift(input, &mut batch);
                let batch = Arc::new(batch);
                let flow = self.run.absorb(input, &batch, Some(&batch));
                self.stop_on_break(flow);
                self.pool.give_back(batch);
            }
            Next::End(result) => {
                self.run.input_ended(input, result);
                self.running -= 1;
            }
        }
    }

    fn stop_on_break(&self, flow: ControlFlow<()>) {
        if flow.is_break() {
            self.finish.raise();
            self.pool.stop();
        }
    }
}

/// An input that is always ready, read now by this thread, now by that.
struct Reading<'s> {
    reader: Reader<'s>,
    feeder: Feeder<'s>,
    /// Nothing more is read; what was taken in before is handed on.
    is_ending: bool,
}

/// Inputs that are always ready and that nobody reads at the moment; the longest unread is the first.
#[derive(Default)]
struct ReadyInputs<'s>(Mutex<VecDeque<Reading<'s>>>);

impl<'s> ReadyInputs<'s> {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Reading<'s>>> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, reading: Reading<'s>, pool: &Pool) {
        self.lock().push_back(reading);
        pool.add_readable();
    }

    /// Reads and decodes a batch of the input that was set aside for the caller; while it is decoded,
    /// another worker may read on.
    fn read_next(&self, worker: &mut Worker<'_>) {
        let Some(mut reading) = self.lock().pop_front() else { return };
        let pool = worker.pool;
        let mut raw = pool.spare_raw();
        let result = reading.read(&mut raw);
        let input = reading.reader.input;
        let serial = reading.reader.next_serial();
        pool.note_read(&raw);
        let ended = match result {
            Ok(true) => {
                self.push(reading, pool);
                None
            }
            Ok(false) => Some(Message::End { input, serial: serial + 1, result: Ok(()) }),
            Err(error) => Some(Message::End { input, serial: serial + 1, result: Err(error) }),
        };
        worker.decode(input, serial, raw);
        if let Some(ended) = ended {
            pool.send(ended);
        }
    }
}

impl Reading<'_> {
    /// Reads the next batch; false when it was the last.
    fn read(&mut self, raw: &mut RawBatch) -> io::Result<bool> {
        let Self { reader, feeder, is_ending } = self;
        if !*is_ending && !feeder.is_stopped() && !reader.pool.is_stopped() {
            let event = feeder.source.read(raw).inspect_err(|_| raw.clear())?;
            *is_ending = event == Event::End;
            return Ok(true);
        }
        *is_ending = true;
        if feeder.source.take_rest(raw) {
            return Ok(true);
        }
        feeder.source.finish(raw);
        Ok(false)
    }
}

/// One input, on its thread or in turn with others.
struct Reader<'p> {
    pool: &'p Pool,
    input: usize,
    serial: u64,
}

impl Reader<'_> {
    fn next_serial(&mut self) -> u64 {
        let serial = self.serial;
        self.serial += 1;
        serial
    }

    fn run(&mut self, mut feeder: Feeder<'_>) -> io::Result<()> {
        if !feeder.source.kind().is_decoded_anywhere() || feeder.pace.is_some() {
            return feeder.run(self);
        }
        let cannot_wait = feeder.source.cannot_wait();
        let mut raw = self.pool.spare_raw();
        while !feeder.is_stopped() && self.pool.wait_for_room(cannot_wait) {
            match feeder.source.read(&mut raw)? {
                Event::Batch => self.hand_on(&mut raw),
                Event::Idle => {
                    feeder.source.wait(&feeder.latches, None)?;
                }
                Event::End => {
                    self.hand_on(&mut raw);
                    break;
                }
            }
        }
        while feeder.source.take_rest(&mut raw) {
            self.pool.wait_for_progress();
            self.hand_on(&mut raw);
        }
        feeder.source.finish(&mut raw);
        self.hand_on(&mut raw);
        Ok(())
    }

    fn hand_on(&mut self, raw: &mut RawBatch) {
        let full = std::mem::replace(raw, self.pool.spare_raw());
        let serial = self.next_serial();
        self.pool.decode(self.input, serial, full);
    }
}

impl Consumer for Reader<'_> {
    fn take(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        let go_on = self.pool.wait_for_room(false);
        let serial = self.next_serial();
        // Even behind the end of the run: every payload is accounted for.
        self.pool.decoded(self.input, serial, std::mem::take(batch));
        if go_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn idle(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
