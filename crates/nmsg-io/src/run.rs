use nmsg::container::LossTracker;
use nmsg::filter::FilterChain;
use nmsg_os::Latch;
use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::batch::{Arrival, Batch};
use crate::deal::{Deal, Dealer};
use crate::engine::Outcome;
use crate::fault::{Fault, FaultKind};
use crate::feed::Consumer;
use crate::lane::{Handed, Lane};
use crate::ledger::{InputAccount, Ledger};
use crate::observer::Observer;
use crate::output::Closed;
use crate::pool::Piece;
use crate::receipt::ReceiptBook;
use crate::rotate::{IntervalClock, time_since_1970};
use crate::sift::{Sifted, sift};

/// Why a run ended.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum End {
    /// All inputs have ended.
    #[default]
    Inputs,
    /// The output next in turn had as many payloads as it may have.
    Count,
    /// A strict run met something that is wrong.
    Strict,
    /// An output failed.
    Output,
    /// The latch was raised.
    Interrupt,
    /// The interval was over.
    Interval,
}

/// What a run follows besides its inputs and outputs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RunSettings {
    pub(crate) mirror: bool,
    /// Payloads of each output after which the run ends.
    pub(crate) count: Option<NonZeroU64>,
    pub(crate) strict: bool,
    /// When the run ends, or outputs start anew.
    pub(crate) interval: Option<IntervalClock>,
    /// Whether an interval that is over means new files instead of the end.
    pub(crate) rotating: bool,
    /// How long payloads may wait in an output.
    pub(crate) flush_interval: Option<Duration>,
}

/// How long nothing must arrive until a full file is finished.
const IDLE: Duration = Duration::from_millis(500);

/// How long to wait at most for a time of day, which may come sooner than expected when the clock is set.
const CLOCK_CHECK: Duration = Duration::from_secs(1);

/// The one place that decides: deals batches to outputs in order and keeps the ledger.
pub(crate) struct Run<'e, 'r> {
    start: Instant,
    interval: Option<IntervalClock>,
    rotating: bool,
    flush_interval: Option<Duration>,
    /// What waits in each output, and since when.
    waiting: Vec<Option<Waiting>>,
    /// Since when nothing has arrived; `None` after an arrival.
    idle_since: Option<Instant>,
    inputs: Vec<Input>,
    receipts: ReceiptBook,
    lanes: Vec<Lane<'r>>,
    mirror: bool,
    dealer: Dealer,
    strict: bool,
    observer: &'e mut dyn Observer,
    /// Scratch.
    deals: Vec<Deal>,
    end: Option<End>,
    damaged: bool,
    input_failed: bool,
    output_failed: bool,
    reader_gone: bool,
    undelivered: bool,
}

/// Payloads that wait in an output.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    /// A number that changes when they leave.
    mark: u64,
    since: Instant,
}

struct Input {
    account: InputAccount,
    is_network: bool,
    /// What sequence numbers say was lost.
    loss: LossTracker<Option<SocketAddr>>,
    /// What was said to be left out: each thing is said once.
    left_out: HashSet<String>,
    chain: Option<FilterChain>,
    /// True once a filter has failed: nothing more is wanted.
    given_up: Arc<AtomicBool>,
}

/// Things whose being said is remembered; further ones are only counted.
const LEFT_OUT_KEPT: usize = 1024;

impl<'e, 'r> Run<'e, 'r> {
    pub(crate) fn new(
        inputs: Vec<(String, bool)>,
        receipts: ReceiptBook,
        lanes: Vec<Lane<'r>>,
        settings: RunSettings,
        observer: &'e mut dyn Observer,
    ) -> Self {
        let RunSettings { mirror, count, strict, interval, rotating, flush_interval } = settings;
        let dealer = Dealer::new(inputs.len(), lanes.len(), mirror, count.map(NonZeroU64::get));
        let inputs = inputs.into_iter().map(|(name, is_network)| Input {
            account: InputAccount { name, ..InputAccount::default() },
            is_network,
            loss: LossTracker::new(),
            left_out: HashSet::new(),
            chain: None,
            given_up: Arc::default(),
        });
        Self {
            start: Instant::now(),
            interval,
            rotating,
            flush_interval,
            waiting: vec![None; lanes.len()],
            idle_since: None,
            inputs: inputs.collect(),
            receipts,
            lanes,
            mirror,
            dealer,
            strict,
            observer,
            deals: Vec::new(),
            end: None,
            damaged: false,
            input_failed: false,
            output_failed: false,
            reader_gone: false,
            undelivered: false,
        }
    }

    /// Breaks when the run is over.
    pub(crate) fn flow(&self) -> ControlFlow<()> {
        if self.end.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// True while payloads are dealt: to the end of the run, and behind that of an interval.
    fn takes_payloads(&self) -> bool {
        matches!(self.end, None | Some(End::Interval))
    }

    fn stop(&mut self, end: End) {
        self.end.get_or_insert(end);
    }

    /// Reports a fault that occurred so many times.
    #[cold]
    fn note(&mut self, input: usize, fault: &Fault, times: u64) {
        let Some(Input { account, is_network, left_out, .. }) = self.inputs.get_mut(input) else {
            return;
        };
        let count = &mut account.faults[fault.kind() as usize];
        let first = match fault {
            Fault::LeftOut { what, .. } => {
                !what.is_empty() && left_out.len() < LEFT_OUT_KEPT && left_out.insert(what.clone())
            }
            // Each reason is a thing of its own.
            Fault::SkippedFrames { reason, .. } => left_out.insert(reason.reason().to_owned()),
            _ => *count == 0,
        };
        *count += times;
        self.damaged |= fault.kind().is_damage() && !*is_network;
        self.observer.fault(&account.name, fault, first);
    }

    /// Sets the filters of an input; gives what tells that one of them has failed.
    pub(crate) fn filter_input(
        &mut self,
        input: usize,
        chain: Option<FilterChain>,
    ) -> Arc<AtomicBool> {
        let Some(input) = self.inputs.get_mut(input) else { return Arc::default() };
        input.chain = chain;
        Arc::clone(&input.given_up)
    }

    /// Asks the filters of an input about a batch that is about to be dealt.
    pub(crate) fn sift(&mut self, input: usize, batch: &mut Batch) {
        let room = self.dealer.room(input);
        let Some(Input { account, chain: Some(chain), given_up, .. }) = self.inputs.get_mut(input)
        else {
            return;
        };
        if self.end.is_some() {
            return;
        }
        let had_failed = given_up.load(Ordering::Relaxed);
        let Sifted { dropped, discarded, failed } = sift(chain, batch, room, had_failed);
        account.payloads += dropped + discarded;
        account.filtered += dropped;
        account.dropped += dropped;
        account.discarded += discarded;
        if let Some(failed) = failed {
            given_up.store(true, Ordering::Relaxed);
            self.input_ended(input, Err(io::Error::other(failed)));
        }
    }

    /// Deals a batch. Breaks when the run is over; what comes afterwards is only counted.
    pub(crate) fn absorb(
        &mut self,
        input: usize,
        batch: &Batch,
        shared: Option<&Arc<Batch>>,
    ) -> ControlFlow<()> {
        let handed = &Handed { input, batch, shared, tick: self.receipts.next_batch() };
        let Some(Input { account, loss, is_network, .. }) = self.inputs.get_mut(input) else {
            return self.flow();
        };
        // A stranger must not decide when a run ends.
        let strict = self.strict && !*is_network;
        if !batch.arrivals.is_empty() {
            let now = self.start.elapsed();
            for row in batch.arrivals.chunk_by(Arrival::is_of_the_same_stream) {
                let Some(Arrival { peer, sequence_id, .. }) = row.first().copied() else { break };
                let sequences = row.iter().map(|arrival| arrival.sequence);
                loss.record_row(peer, sequence_id, sequences, now);
            }
            account.lost_containers = loss.dropped();
        }
        let payloads = batch.len();
        let tally = &batch.tally;
        if let Some(capture) = &batch.capture {
            account.capture = Some(capture.clone());
        }
        account.octets += tally.octets;
        account.records += tally.records;
        account.containers += tally.containers;
        account.payloads += payloads as u64 + tally.filtered + tally.mismatched;
        account.filtered += tally.filtered;
        account.mismatched += tally.mismatched;
        account.damaged_octets += tally.damaged_octets;
        match self.end {
            // What was read before the interval was over is delivered; nothing more is read.
            None | Some(End::Interval) => {}
            Some(End::Count) => {
                account.over_count += payloads as u64;
                return self.flow();
            }
            Some(_) => {
                account.discarded += payloads as u64;
                return self.flow();
            }
        }
        self.idle_since = None;
        if self.rotating {
            self.watch_the_clock();
        }
        let (mut dealt_to, mut dealt) = (0, 0);
        for problem in &batch.problems {
            if strict && problem.fault.kind() != FaultKind::LeftOut {
                dealt += self.deal(handed, dealt_to, problem.position);
                dealt_to = problem.position;
                if self.takes_payloads() {
                    self.note(input, &problem.fault, 1);
                    self.stop(End::Strict);
                }
                break;
            }
            self.note(input, &problem.fault, problem.fault.occurrences());
        }
        dealt += self.deal(handed, dealt_to, payloads);
        let receipts = batch.receipts.iter().take_while(|(position, _)| *position <= dealt);
        self.receipts.note(input, receipts.map(|(_, number)| *number));
        self.settle_receipts();
        if !self.rotating {
            self.watch_the_clock();
        }
        self.do_what_is_asked(false);
        self.flow()
    }

    /// Ends the run or starts new files when an interval is over.
    fn watch_the_clock(&mut self) {
        let Some(interval) = &mut self.interval else { return };
        if !interval.fires(time_since_1970()) {
            return;
        }
        if self.rotating {
            for output in 0..self.lanes.len() {
                self.rotate(output, Lane::rotate);
            }
        } else {
            self.stop(End::Interval);
        }
    }

    /// Starts the next file of an output, if it has files.
    fn rotate(&mut self, output: usize, how: impl FnOnce(&mut Lane<'r>) -> io::Result<()>) {
        if self.lanes[output].rotates()
            && let Err(error) = how(&mut self.lanes[output])
        {
            self.lane_failed(output, &error);
        }
    }

    /// Tells about new files: the ledger when it is the last output with files that has one.
    fn tell_about_rotations(&mut self) {
        let last = self.lanes.iter().rposition(Lane::rotates);
        let mut is_last = false;
        for (output, lane) in self.lanes.iter_mut().enumerate() {
            is_last |= lane.take_rotated() && Some(output) == last;
        }
        if is_last {
            let ledger = self.ledger();
            self.observer.rotated(&ledger);
        }
    }

    /// Writes what has waited long enough (`decisions` CW-7).
    fn flush_what_has_waited(&mut self) {
        let Some(interval) = self.flush_interval else { return };
        let now = Instant::now();
        for output in 0..self.lanes.len() {
            let (payloads, mark) = self.lanes[output].waiting();
            let same = self.waiting[output].filter(|waiting| waiting.mark == mark);
            let since = same.map_or(now, |waiting| waiting.since);
            self.waiting[output] = (payloads > 0).then_some(Waiting { mark, since });
            if payloads > 0 && now.saturating_duration_since(since) >= interval {
                self.waiting[output] = None;
                if let Err(error) = self.lanes[output].flush() {
                    self.lane_failed(output, &error);
                }
            }
        }
    }

    /// Passes on what outputs have to say, and does what signals ask for.
    fn do_what_is_asked(&mut self, is_idle: bool) {
        self.flush_what_has_waited();
        self.tell_about_rotations();
        self.pass_notices_on();
        if self.observer.wants_flush() {
            for output in 0..self.lanes.len() {
                if let Err(error) = self.lanes[output].flush() {
                    self.lane_failed(output, &error);
                }
            }
        }
        if self.observer.wants_report() {
            let ledger = self.ledger();
            self.observer.report(&ledger);
        }
        self.pulse(is_idle);
    }

    fn pulse(&mut self, is_idle: bool) {
        let Self { inputs, lanes, mirror, observer, .. } = self;
        observer.pulse(is_idle, &mut || ledger(inputs, lanes, *mirror));
    }

    /// When [`Self::idle`] has to be called although nothing has arrived.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let interval = self.interval.map(|interval| {
            let left = interval.next().saturating_sub(time_since_1970());
            Instant::now() + left.min(CLOCK_CHECK)
        });
        let is_full = self.lanes.iter().any(Lane::is_full);
        let full = self.idle_since.filter(|_| is_full).map(|since| since + IDLE);
        let news = self.lanes.iter().any(Lane::awaits_news).then(|| Instant::now() + IDLE);
        let flush = self.flush_interval.and_then(|interval| {
            let since = self.waiting.iter().flatten().map(|waiting| waiting.since).min();
            since.map(|since| since + interval)
        });
        [interval, full, news, flush].into_iter().flatten().min()
    }

    /// Tells inputs which of their receipts stand for what all outputs have accepted.
    fn settle_receipts(&mut self) {
        if self.receipts.are_wanted() {
            let settled = self.lanes.iter_mut().map(Lane::settled_through).min();
            self.receipts.settle(settled.unwrap_or(0));
        }
    }

    /// Deals the payloads `start..end` of a batch, unless the run is over; gives how many.
    fn deal(&mut self, handed: &Handed<'_>, start: usize, end: usize) -> usize {
        let input = handed.input;
        let mut dealt = 0;
        if self.takes_payloads() && start < end {
            let mut deals = std::mem::take(&mut self.deals);
            deals.clear();
            let went = self.dealer.deal(input, start, end, &mut deals);
            dealt = went.count;
            for deal in &deals {
                self.hand_out(handed, deal);
            }
            self.deals = deals;
            if went.full {
                self.stop(End::Count);
            }
        }
        let over = (end - start - dealt) as u64;
        let count_reached = self.end == Some(End::Count);
        if let Some(Input { account, .. }) = self.inputs.get_mut(input) {
            account.dealt += dealt as u64;
            *(if count_reached { &mut account.over_count } else { &mut account.discarded }) += over;
        }
        dealt
    }

    fn hand_out(&mut self, handed: &Handed<'_>, deal: &Deal) {
        let Some(lane) = self.lanes.get_mut(deal.output) else { return };
        let mut faults = Vec::new();
        let accepted = lane.accept(handed, deal.selection, &mut |fault, times| {
            faults.push((fault, times));
        });
        for (fault, times) in faults {
            self.note(handed.input, &fault, times);
            if self.strict {
                self.stop(End::Strict);
            }
        }
        if let Err(error) = accepted {
            self.lane_failed(deal.output, &error);
        }
    }

    /// Writes a piece that workers have made, and what was waiting for it. Breaks when the run is
    /// over.
    pub(crate) fn write_piece(
        &mut self,
        output: usize,
        serial: u64,
        piece: Piece,
    ) -> ControlFlow<()> {
        let Some(lane) = self.lanes.get_mut(output) else { return self.flow() };
        let mut faults = Vec::new();
        let written = lane.write_piece(serial, piece, &mut |input, fault, times| {
            faults.push((input, fault, times));
        });
        for (input, fault, times) in faults {
            self.note(input, &fault, times);
        }
        if let Err(error) = written {
            self.lane_failed(output, &error);
        }
        self.flow()
    }

    /// Nothing more will be dealt: what is packed leaves as it is.
    pub(crate) fn pack_rest(&mut self) {
        self.lanes.iter_mut().for_each(Lane::pack_rest);
    }

    /// True while workers make pieces for an output.
    pub(crate) fn is_writing(&self) -> bool {
        self.lanes.iter().any(Lane::is_busy)
    }

    #[cold]
    fn lane_failed(&mut self, output: usize, error: &io::Error) {
        if error.kind() == io::ErrorKind::BrokenPipe {
            self.reader_gone = true;
        } else {
            self.output_failed = true;
        }
        if let Some(lane) = self.lanes.get(output) {
            self.observer.output_failed(&lane.account.name, error);
        }
        self.stop(End::Output);
    }

    fn pass_notices_on(&mut self) {
        for lane in &mut self.lanes {
            while let Some(notice) = lane.notice() {
                self.observer.notice(&notice);
            }
        }
    }

    /// No input has anything for the time being: text that waits is shown.
    pub(crate) fn idle(&mut self) -> ControlFlow<()> {
        for output in 0..self.lanes.len() {
            if let Err(error) = self.lanes[output].idle() {
                self.lane_failed(output, &error);
            }
        }
        self.settle_receipts();
        let since = *self.idle_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= IDLE {
            for output in 0..self.lanes.len() {
                if self.lanes[output].is_full() {
                    self.rotate(output, Lane::rotate_if_full);
                }
            }
        }
        self.watch_the_clock();
        self.do_what_is_asked(true);
        self.flow()
    }

    pub(crate) fn input_ended(&mut self, input: usize, result: io::Result<()>) {
        if let Err(error) = result {
            self.input_failed = true;
            if let Some(Input { account, .. }) = self.inputs.get(input) {
                self.observer.input_failed(&account.name, &error);
            }
        }
    }

    /// The system refuses what reading needs.
    #[cold]
    pub(crate) fn nothing_can_be_read(&mut self, error: &io::Error) {
        for input in 0..self.inputs.len() {
            self.input_ended(input, Err(io::Error::from(error.kind())));
        }
    }

    fn ledger(&self) -> Ledger {
        ledger(&self.inputs, &self.lanes, self.mirror)
    }

    /// Writes what waits, closes the outputs and draws the balance.
    pub(crate) fn finish(mut self, interrupt: Option<&Latch>) -> Outcome {
        self.note_interrupt(interrupt);
        self.observer.ending();
        self.pulse(true);
        for output in 0..self.lanes.len() {
            match self.lanes[output].finish() {
                Ok(closed) => self.lane_closed(output, &closed),
                Err(error) => self.lane_failed(output, &error),
            }
        }
        self.settle_receipts();
        // Outputs may have waited for others, and a signal may have ended that.
        self.note_interrupt(interrupt);
        self.pulse(true);
        let end = self.end.unwrap_or_default();
        Outcome {
            ledger: self.ledger(),
            end,
            damaged: self.damaged,
            input_failed: self.input_failed,
            output_failed: self.output_failed,
            reader_gone: self.reader_gone,
            undelivered: self.undelivered,
        }
    }

    fn note_interrupt(&mut self, interrupt: Option<&Latch>) {
        if interrupt.is_some_and(Latch::is_raised) {
            self.stop(End::Interrupt);
        }
    }

    fn lane_closed(&mut self, output: usize, closed: &Closed) {
        for notice in &closed.notices {
            self.observer.notice(notice);
        }
        let account = &mut self.lanes[output].account;
        account.written = account.written.saturating_sub(closed.undelivered_payloads);
        account.undelivered += closed.undelivered_payloads;
        account.records = closed.records;
        if let Some(what) = &closed.undelivered {
            self.undelivered = true;
            self.observer.undelivered(&account.name, what);
        }
    }
}

fn ledger(inputs: &[Input], lanes: &[Lane<'_>], mirror: bool) -> Ledger {
    Ledger {
        inputs: inputs.iter().map(|input| input.account.clone()).collect(),
        outputs: lanes.iter().map(Lane::account).collect(),
        mirror,
    }
}

/// An input that is read on the thread that deals: nothing stands between reading and writing.
pub(crate) struct Inline<'a, 'e, 'r> {
    pub(crate) run: &'a mut Run<'e, 'r>,
    pub(crate) input: usize,
}

impl Consumer for Inline<'_, '_, '_> {
    fn take(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        self.run.sift(self.input, batch);
        self.run.absorb(self.input, batch, None)
    }

    fn idle(&mut self) -> ControlFlow<()> {
        self.run.idle()
    }

    fn deadline(&self) -> Option<Instant> {
        self.run.deadline()
    }
}
