use nmsg_os::Latch;
use std::collections::VecDeque;

use crate::batch::Batch;
use crate::decode::Decoder;
use crate::feed::Feeder;
use crate::queue::{Message, Queue, QueueConsumer};
use crate::run::{Inline, Run};
use crate::source::{RawBatch, RawKind};

/// Runs several inputs without workers: those that are always ready are read in turn on this thread,
/// a batch at a time, and each of the others on a thread of its own. What is decoded is dealt and
/// written on this one. Gives back the inputs that want to be closed behind the outputs.
///
/// `decoder` serves all inputs of containers that are read here.
pub(crate) fn run_several<'e>(
    run: &mut Run<'_, '_>,
    feeders: Vec<Feeder<'e>>,
    mut decoder: Decoder<'e>,
    finish: &Latch,
) -> Vec<Feeder<'e>> {
    let queue = Queue::default();
    let (mut raw, mut batch) = (RawBatch::default(), Batch::default());
    let (mut ready, mut ended) = (VecDeque::new(), Vec::new());
    std::thread::scope(|scope| {
        let mut running = 0;
        let mut threads = Vec::new();
        for (input, mut feeder) in feeders.into_iter().enumerate() {
            if feeder.can_be_read_anywhere() {
                ready.push_back((input, feeder));
                continue;
            }
            running += 1;
            let queue = &queue;
            let started = std::thread::Builder::new().spawn_scoped(scope, move || {
                let result = feeder.run(&mut QueueConsumer { queue, input });
                queue.end(input, result);
                feeder
            });
            match started {
                Ok(thread) => threads.push(thread),
                Err(error) => queue.end(input, Err(error)),
            }
        }
        while running > 0 || !ready.is_empty() {
            if let Some((input, mut feeder)) = ready.pop_front() {
                let shares_decoder = feeder.source.kind() == RawKind::Containers;
                if shares_decoder {
                    std::mem::swap(&mut feeder.decoder, &mut decoder);
                }
                let result = feeder.step(&mut raw, &mut batch, &mut Inline { run, input });
                if shares_decoder {
                    std::mem::swap(&mut feeder.decoder, &mut decoder);
                }
                if run.flow().is_break() {
                    stop(&queue, finish);
                }
                if matches!(result, Ok(true)) {
                    ready.push_back((input, feeder));
                } else {
                    run.input_ended(input, result.map(|_| ()));
                    // The others have no use for what they still hold.
                    ended.extend(feeder.source.receipts().is_some().then_some(feeder));
                }
            }
            let message = queue.try_pop().or_else(|| {
                if running == 0 || !ready.is_empty() {
                    return None;
                }
                if run.idle().is_break() {
                    stop(&queue, finish);
                }
                queue.pop(run.deadline())
            });
            match message {
                Some(Message::Batch(input, mut batch)) => {
                    run.sift(input, &mut batch);
                    if run.absorb(input, &batch, None).is_break() {
                        stop(&queue, finish);
                    }
                    queue.recycle(batch);
                }
                Some(Message::End(input, result)) => {
                    run.input_ended(input, result);
                    running -= 1;
                }
                None => {}
            }
        }
        ended.extend(threads.into_iter().filter_map(|thread| thread.join().ok()));
        ended
    })
}

fn stop(queue: &Queue, finish: &Latch) {
    finish.raise();
    queue.close();
}
