use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use nmsg_os::Latch;

use crate::batch::Batch;
use crate::feed::{Consumer, Feeder};
use crate::pool::{Message, Pool, Reorder, Worker};
use crate::run::Run;
use crate::source::{Event, RawKind};

/// What comes next from an input.
#[expect(clippy::large_enum_variant, reason = "one move for thousands of payloads")]
enum Next {
    Batch(Batch),
    End(io::Result<()>),
}

/// Runs inputs and workers on threads of their own; deals and writes on this one.
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
    std::thread::scope(|scope| {
        // Where the system refuses some, fewer hands do the same work.
        let mut refused = None;
        let mut started = 0;
        for mut worker in workers {
            match std::thread::Builder::new().spawn_scoped(scope, move || worker.run()) {
                Ok(_) => started += 1,
                Err(error) => refused = Some(error),
            }
        }
        if let (0, Some(error)) = (started, refused) {
            return run.nothing_can_be_read(&error);
        }
        let mut running = feeders.len();
        let mut inputs: Vec<Reorder<Next>> = Vec::new();
        inputs.resize_with(running, Reorder::default);
        for (input, feeder) in feeders.into_iter().enumerate() {
            let mut reader = Reader { pool, input, serial: 0 };
            let started = std::thread::Builder::new().spawn_scoped(scope, move || {
                let result = reader.run(feeder);
                pool.send(Message::End { input, serial: reader.serial, result });
            });
            if let Err(error) = started {
                pool.send(Message::End { input, serial: 0, result: Err(error) });
            }
        }
        let mut packed = false;
        while running > 0 || !packed || run.is_writing() {
            if running == 0 && !packed {
                run.pack_rest();
                packed = true;
                continue;
            }
            let message = pool.try_receive().or_else(|| {
                stop_on_break(run.idle(), pool, finish);
                pool.receive(run.deadline())
            });
            let (input, serial, next) = match message {
                None => continue,
                Some(Message::Piece { lane, serial, piece }) => {
                    let flow = run.write_piece(lane, serial, piece);
                    stop_on_break(flow, pool, finish);
                    continue;
                }
                Some(Message::Batch { input, serial, batch }) => {
                    (input, serial, Next::Batch(batch))
                }
                Some(Message::End { input, serial, result }) => (input, serial, Next::End(result)),
            };
            inputs[input].insert(serial, next);
            running -= take_ready(run, input, &mut inputs[input], pool, finish);
        }
        pool.finish();
    });
}

/// Deals what is in order; gives the number of inputs that have ended.
fn take_ready(
    run: &mut Run<'_, '_>,
    input: usize,
    ready: &mut Reorder<Next>,
    pool: &Pool,
    finish: &Latch,
) -> usize {
    let mut ended = 0;
    while let Some(next) = ready.take_next() {
        match next {
            Next::Batch(mut batch) => {
                run.sift(input, &mut batch);
                let batch = Arc::new(batch);
                let flow = run.absorb(input, &batch, Some(&batch));
                stop_on_break(flow, pool, finish);
                pool.give_back(batch);
            }
            Next::End(result) => {
                run.input_ended(input, result);
                ended += 1;
            }
        }
    }
    ended
}

fn stop_on_break(flow: ControlFlow<()>, pool: &Pool, finish: &Latch) {
    if flow.is_break() {
        finish.raise();
        pool.stop();
    }
}

/// One input on its thread.
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
        let in_order = matches!(feeder.source.kind(), RawKind::PresentationLines(..));
        if in_order || feeder.pace.is_some() {
            return feeder.run(self);
        }
        let cannot_wait = feeder.source.cannot_wait();
        let mut raw = self.pool.spare_raw();
        while !feeder.is_stopped() && self.pool.wait_for_room(cannot_wait) {
            match feeder.source.read(&mut raw)? {
                Event::Batch => {
                    let full = std::mem::replace(&mut raw, self.pool.spare_raw());
                    let serial = self.next_serial();
                    self.pool.decode(self.input, serial, full);
                }
                Event::Idle => {
                    feeder.source.wait(&feeder.latches, None)?;
                }
                Event::End => {
                    let full = std::mem::take(&mut raw);
                    let serial = self.next_serial();
                    self.pool.decode(self.input, serial, full);
                    break;
                }
            }
        }
        while feeder.source.take_rest(&mut raw) {
            self.pool.wait_for_progress();
            let full = std::mem::replace(&mut raw, self.pool.spare_raw());
            let serial = self.next_serial();
            self.pool.decode(self.input, serial, full);
        }
        feeder.source.finish(&mut raw);
        let serial = self.next_serial();
        self.pool.decode(self.input, serial, raw);
        Ok(())
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
