use nmsg::{Payload, Timestamp};
use nmsg_capture::{Converter, Frame, Message, Skip, VENDOR_BASE};
use nmsg_os::pcap::Statistics;

use super::FULL;
use crate::batch::{Batch, Span};
use crate::fault::{Fault, Problem};
use crate::ledger::CaptureAccount;

/// Frames to batches of payloads.
#[derive(Debug)]
pub(super) struct Conversion {
    converter: Converter,
    /// Fragments of packets that were given up, as far as was told.
    lost_fragments: u64,
}

fn push(batch: &mut Batch, message: &Message<'_>) {
    let start = batch.octets.len();
    message.encode(&mut batch.octets);
    let body = Span::new(start, batch.octets.len() - start);
    let header = Payload {
        vendor: VENDOR_BASE,
        msgtype: message.msgtype(),
        time: message.time(),
        ..Payload::default()
    };
    batch.push_span(&header, Some(body));
}

impl Conversion {
    pub(super) fn new(converter: Converter) -> Self {
        Self { converter, lost_fragments: 0 }
    }

    pub(super) fn frame(&mut self, frame: &Frame<'_>, batch: &mut Batch) {
        let skipped = self.converter.frame(frame, &mut |message| push(batch, message));
        if let Some(reason) = skipped
            && reason.is_loss()
        {
            self.note(reason, batch);
        }
    }

    #[cold]
    fn note(&self, reason: Skip, batch: &mut Batch) {
        for problem in &mut batch.problems {
            if let Fault::SkippedFrames { reason: known, frames, .. } = &mut problem.fault
                && *known == reason
            {
                *frames += 1;
                return;
            }
        }
        let first = self.converter.counters().frames;
        push_fault(batch, Fault::SkippedFrames { reason, first, frames: 1 });
    }

    /// Gives out what is overdue at `now`.
    pub(super) fn expire(&mut self, now: Timestamp, batch: &mut Batch) {
        self.converter.expire(now, &mut |message| push(batch, message));
    }

    /// The second since the Unix epoch at which [`Self::expire`] has something to do.
    pub(super) fn next_deadline(&self) -> Option<i64> {
        self.converter.next_deadline()
    }

    /// Gives out kept messages until the batch is full or nothing is kept.
    pub(super) fn finish_some(&mut self, batch: &mut Batch) {
        while batch.octets.len() < FULL
            && self.converter.finish_one(&mut |message| push(batch, message))
        {}
    }

    /// Gives out everything that is kept.
    pub(super) fn finish(&mut self, batch: &mut Batch) {
        self.converter.finish(&mut |message| push(batch, message));
    }

    /// Adds to a batch what is to be counted.
    pub(super) fn account(&mut self, kernel: Option<Statistics>, batch: &mut Batch) {
        let frames = self.converter.counters();
        let lost = frames.expired_fragments + frames.evicted_fragments;
        let more = lost - std::mem::replace(&mut self.lost_fragments, lost);
        if more > 0 {
            push_fault(batch, Fault::LostPieces { fragments: more });
        }
        batch.capture = Some(Box::new(CaptureAccount { frames: frames.clone(), kernel }));
    }
}

#[cold]
pub(super) fn push_fault(batch: &mut Batch, fault: Fault) {
    batch.problems.push(Problem { position: batch.len(), fault });
}
