use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::batch::Batch;
use crate::feed::Consumer;

/// Octets that batches under way may hold.
const CAPACITY: usize = 8 << 20;
/// Batches whose memory is kept for further use.
const SPARE: usize = 4;
/// How often a consumer that waits looks up.
const TICK: Duration = Duration::from_millis(250);

/// What an input's thread has to say.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one move for thousands of payloads")]
pub(crate) enum Message {
    /// A batch of the input.
    Batch(usize, Batch),
    /// The input has ended, in good order or not.
    End(usize, io::Result<()>),
}

/// Batches on their way from the inputs' threads to the engine, bounded in octets.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    not_full: Condvar,
    not_empty: Condvar,
}

#[derive(Debug, Default)]
struct State {
    messages: VecDeque<Message>,
    weight: usize,
    closed: bool,
    spare: Vec<Batch>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a batch in exchange for an empty one, waiting for room.
    fn push(&self, input: usize, batch: &mut Batch) -> ControlFlow<()> {
        let mut state = self.lock();
        while state.weight >= CAPACITY && !state.closed {
            state = self.not_full.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let empty = state.spare.pop().unwrap_or_default();
        let batch = std::mem::replace(batch, empty);
        state.weight += batch.weight();
        // Even behind the end of the run: every payload is accounted for.
        state.messages.push_back(Message::Batch(input, batch));
        self.not_empty.notify_one();
        if state.closed { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Notes that an input has ended.
    pub(crate) fn end(&self, input: usize, result: io::Result<()>) {
        self.lock().messages.push_back(Message::End(input, result));
        self.not_empty.notify_one();
    }

    /// Takes the next message without waiting.
    pub(crate) fn try_pop(&self) -> Option<Message> {
        Self::take(&mut self.lock())
    }

    /// Takes the next message, waiting a moment for it, and no longer than `until`.
    pub(crate) fn pop(&self, until: Option<Instant>) -> Option<Message> {
        let state = self.lock();
        let time =
            until.map_or(TICK, |until| until.saturating_duration_since(Instant::now()).min(TICK));
        let waited =
            self.not_empty.wait_timeout_while(state, time, |state| state.messages.is_empty());
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        Self::take(&mut state)
    }

    fn take(state: &mut State) -> Option<Message> {
        state.messages.pop_front()
    }

    /// Gives back a batch that is done with.
    pub(crate) fn recycle(&self, mut batch: Batch) {
        let weight = batch.weight();
        batch.clear();
        let mut state = self.lock();
        state.weight = state.weight.saturating_sub(weight);
        if state.spare.len() < SPARE {
            state.spare.push(batch);
        }
        self.not_full.notify_all();
    }

    /// Tells the inputs' threads that the run is over.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.not_full.notify_all();
    }

    fn is_closed(&self) -> bool {
        self.lock().closed
    }
}

/// One input's end of a [`Queue`].
pub(crate) struct QueueConsumer<'q> {
    pub(crate) queue: &'q Queue,
    pub(crate) input: usize,
}

impl Consumer for QueueConsumer<'_> {
    fn take(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        self.queue.push(self.input, batch)
    }

    fn idle(&mut self) -> ControlFlow<()> {
        if self.queue.is_closed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
