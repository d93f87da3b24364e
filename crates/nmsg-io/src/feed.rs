use nmsg_os::Latch;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::batch::Batch;
use crate::decode::Decoder;
use crate::pace::Pace;
use crate::source::{Event, RawBatch, Source};

/// Where one input's batches go.
pub(crate) trait Consumer {
    /// Takes a batch, or its content. Breaks when the run is over.
    fn take(&mut self, batch: &mut Batch) -> ControlFlow<()>;

    /// The input has nothing for the time being. Breaks when the run is over.
    fn idle(&mut self) -> ControlFlow<()>;

    /// When [`Self::idle`] is wanted again although the input has nothing.
    fn deadline(&self) -> Option<Instant> {
        None
    }
}

/// One input: a source, and what its batches go through.
pub(crate) struct Feeder<'e> {
    pub(crate) source: Box<dyn Source>,
    pub(crate) decoder: Decoder<'e>,
    pub(crate) pace: Option<Pace>,
    /// What ends every wait.
    pub(crate) latches: [&'e Latch; 2],
    /// True once nothing of this input is wanted any more.
    pub(crate) given_up: Arc<AtomicBool>,
}

impl Feeder<'_> {
    pub(crate) fn is_stopped(&self) -> bool {
        self.latches.iter().any(|latch| latch.is_raised()) || self.given_up.load(Ordering::Relaxed)
    }

    /// Reads, decodes and hands on until the input ends or the run is over.
    ///
    /// # Errors
    ///
    /// Those that end the input.
    pub(crate) fn run(&mut self, consumer: &mut impl Consumer) -> io::Result<()> {
        let (mut raw, mut batch) = (RawBatch::default(), Batch::default());
        let mut ended = false;
        while !ended && !self.is_stopped() {
            match self.source.read(&mut raw)? {
                Event::Batch => {
                    self.decoder.decode(&mut raw, &mut batch);
                    let flow = self.hand_on(&mut batch, consumer)?;
                    raw.clear();
                    if flow.is_break() {
                        break;
                    }
                }
                Event::Idle => {
                    if consumer.idle().is_break() {
                        break;
                    }
                    self.source.wait(&self.latches, consumer.deadline())?;
                }
                Event::End => {
                    if let Some(settled) = self.pace.as_ref().and_then(Pace::settled) {
                        let _ = self.sleep(settled, consumer)?;
                    }
                    ended = true;
                }
            }
        }
        while self.source.take_rest(&mut raw) {
            self.decoder.decode(&mut raw, &mut batch);
            let _ = consumer.take(&mut batch);
        }
        self.source.finish(&mut raw);
        self.decoder.decode(&mut raw, &mut batch);
        self.decoder.finish(&mut batch);
        let _ = consumer.take(&mut batch);
        Ok(())
    }

    fn hand_on(
        &mut self,
        batch: &mut Batch,
        consumer: &mut impl Consumer,
    ) -> io::Result<ControlFlow<()>> {
        let Some(pace) = &mut self.pace else { return Ok(consumer.take(batch)) };
        let mut stopped = false;
        for (due, mut slice) in pace.slices(batch, Instant::now()) {
            // What was read is delivered, only not as slowly.
            stopped = stopped || self.sleep(due, consumer)?.is_break();
            if consumer.take(&mut slice).is_break() {
                stopped = true;
            }
        }
        Ok(if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn sleep(&self, until: Instant, consumer: &mut impl Consumer) -> io::Result<ControlFlow<()>> {
        while Instant::now() < until {
            if consumer.idle().is_break() {
                return Ok(ControlFlow::Break(()));
            }
            let step = consumer.deadline().map_or(until, |deadline| deadline.min(until));
            if nmsg_os::sleep(&self.latches, step)? {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
