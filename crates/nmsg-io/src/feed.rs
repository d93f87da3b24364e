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

    /// True when the input never has to be waited for and its batches may be decoded by anybody, so
    /// that it needs no thread of its own.
    pub(crate) fn can_be_read_anywhere(&self) -> bool {
        self.source.is_always_ready()
            && self.pace.is_none()
            && self.source.kind().is_decoded_anywhere()
    }

    /// Reads, decodes and hands on until the input ends or the run is over.
    ///
    /// # Errors
    ///
    /// Those that end the input.
    pub(crate) fn run(&mut self, consumer: &mut impl Consumer) -> io::Result<()> {
        let (mut raw, mut batch) = (RawBatch::default(), Batch::default());
        while self.step(&mut raw, &mut batch, consumer)? {}
        Ok(())
    }

    /// Reads, decodes and hands on one batch, or waits for it; with the last one, also what only then
    /// shows. False when there is nothing more.
    ///
    /// # Errors
    ///
    /// Those that end the input.
    pub(crate) fn step(
        &mut self,
        raw: &mut RawBatch,
        batch: &mut Batch,
        consumer: &mut impl Consumer,
    ) -> io::Result<bool> {
        if !self.is_stopped() && self.read(raw, batch, consumer)? {
            return Ok(true);
        }
        while self.source.take_rest(raw) {
            self.decoder.decode(raw, batch);
            let _ = consumer.take(batch);
        }
        self.source.finish(raw);
        self.decoder.decode(raw, batch);
        self.decoder.finish(batch);
        let _ = consumer.take(batch);
        Ok(false)
    }

    /// Reads and hands on; false when the input or the run is over.
    fn read(
        &mut self,
        raw: &mut RawBatch,
        batch: &mut Batch,
        consumer: &mut impl Consumer,
    ) -> io::Result<bool> {
        match self.source.read(raw)? {
            Event::Batch => {
                self.decoder.decode(raw, batch);
                let flow = self.hand_on(batch, consumer)?;
                raw.clear();
                Ok(flow.is_continue())
            }
            Event::Idle => {
                if consumer.idle().is_break() {
                    return Ok(false);
                }
                self.source.wait(&self.latches, consumer.deadline())?;
                Ok(true)
            }
            Event::End => {
                if let Some(settled) = self.pace.as_ref().and_then(Pace::settled) {
                    let _ = self.sleep(settled, consumer)?;
                }
                Ok(false)
            }
        }
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
