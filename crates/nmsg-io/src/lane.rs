mod remote;

use nmsg::container::{ContainerFinisher, ContainerWriter};
use nmsg::{Aliases, Labels, Registry};
use nmsg_os::Latch;
use std::cell::Cell;
use std::io;
use std::num::NonZeroU64;
use std::sync::Arc;
use wdns::TextBuffer;

use crate::batch::{Batch, Selection};
use crate::fault::Fault;
use crate::ledger::OutputAccount;
use crate::output::{Closed, Notice, Output, OutputFormat, Put, Sink, container_writer};
use crate::pool::{Encoder, Piece, Pieces, Pool};
use crate::receipt::Progress;
use crate::render::{RenderTally, TextRenderer};
use crate::rotate::CountTrigger;
use remote::Remote;

/// Octets of text after which it is written.
const CHUNK: usize = 256 << 10;
/// Memory that the text buffer may keep.
const KEPT: usize = 1 << 20;

/// What all outputs of a run have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LaneSettings<'r> {
    pub(crate) registry: &'r Registry,
    pub(crate) aliases: &'r Aliases,
    pub(crate) labels: Labels,
    pub(crate) unbuffered: bool,
    pub(crate) strict: bool,
    pub(crate) interrupt: Option<&'r Latch>,
    /// Payloads after which outputs that can be started anew are.
    pub(crate) rotate_every: Option<NonZeroU64>,
    /// Where there are workers that render and make containers.
    pub(crate) pool: Option<&'r Pool>,
    /// Some input wants to know what was accepted.
    pub(crate) gives_receipts: bool,
}

impl<'r> LaneSettings<'r> {
    /// What a worker makes pieces of this format with.
    pub(crate) fn encoder(&self, format: &OutputFormat) -> Encoder<'r> {
        match TextRenderer::new(format, self.registry, self.aliases, self.labels) {
            Some(renderer) => Encoder::Text(Box::new(renderer)),
            None => {
                let zlib = matches!(format, OutputFormat::Nmsg { zlib: true });
                Encoder::Containers(Box::new(ContainerFinisher::new(zlib)))
            }
        }
    }
}

/// Payloads on their way to outputs.
#[derive(Clone, Copy)]
pub(crate) struct Handed<'b> {
    /// The input that they are from.
    pub(crate) input: usize,
    pub(crate) batch: &'b Batch,
    /// The batch once more, where workers may hold on to it.
    pub(crate) shared: Option<&'b Arc<Batch>>,
    /// Number of the batch, from 1.
    pub(crate) tick: u64,
}

/// One output at work: renders or packs what it is dealt, and writes.
pub(crate) struct Lane<'r> {
    pub(crate) account: OutputAccount,
    settings: LaneSettings<'r>,
    /// Gone once it failed.
    sink: Option<Box<dyn Sink>>,
    writer: Writer<'r>,
    /// When the next file is due by the number of payloads.
    count: Option<CountTrigger>,
    /// True when a file was started since it was last asked.
    has_rotated: bool,
    /// The batch that was handed last.
    tick: u64,
    progress: Progress,
    /// Pieces and losses that the progress knows of.
    noted: (u64, u64),
}

enum Writer<'r> {
    Text(Box<TextWriter<'r>>),
    Containers(Box<ContainerWriter>),
    Remote(Box<Remote<'r>>),
}

struct TextWriter<'r> {
    renderer: TextRenderer<'r>,
    text: TextBuffer,
    /// Payloads in the text.
    payloads: u64,
    /// Of those, fallback records.
    fallbacks: u64,
}

impl<'r> Lane<'r> {
    /// An output at this position.
    pub(crate) fn new(position: usize, output: Output, settings: LaneSettings<'r>) -> Self {
        let LaneSettings { registry, aliases, labels, unbuffered, .. } = settings;
        let zlib = matches!(output.format, OutputFormat::Nmsg { zlib: true });
        let renderer = TextRenderer::new(&output.format, registry, aliases, labels);
        let writer = match (settings.pool, renderer) {
            (Some(pool), renderer) => {
                let framing = renderer.is_none().then_some(output.framing);
                let marks_ends = output.sink.room() < u64::MAX;
                Writer::Remote(Box::new(Remote::new(pool, position, framing, labels, marks_ends)))
            }
            (None, Some(renderer)) => Writer::Text(Box::new(TextWriter {
                renderer,
                text: TextBuffer::new(),
                payloads: 0,
                fallbacks: 0,
            })),
            (None, None) => {
                let writer = container_writer(zlib, output.framing, labels, unbuffered);
                Writer::Containers(Box::new(writer))
            }
        };
        let account = OutputAccount { name: output.name, ..OutputAccount::default() };
        let every = settings.rotate_every.filter(|_| output.sink.rotates());
        let count = every.map(CountTrigger::new);
        Self {
            account,
            settings,
            sink: Some(output.sink),
            writer,
            count,
            has_rotated: false,
            tick: 0,
            progress: Progress::default(),
            noted: (0, 0),
        }
    }

    /// Takes payloads; what cannot be shown is given to `on_fault`, the first of each call.
    ///
    /// # Errors
    ///
    /// Those of the sink, once; afterwards payloads are counted as lost.
    pub(crate) fn accept(
        &mut self,
        handed: &Handed<'_>,
        mut selection: Selection,
        on_fault: &mut dyn FnMut(Fault, u64),
    ) -> io::Result<()> {
        self.tick = handed.tick;
        let accepted = self.accept_parts(handed, &mut selection, on_fault);
        // What a failure or the end of a strict run has left over.
        self.account.lost += selection.len() as u64;
        self.note_progress();
        accepted
    }

    fn accept_parts(
        &mut self,
        handed: &Handed<'_>,
        selection: &mut Selection,
        on_fault: &mut dyn FnMut(Fault, u64),
    ) -> io::Result<()> {
        if self.sink.is_none() {
            return Ok(());
        }
        let mut accepted = Ok(());
        let is_faulty = Cell::new(false);
        let mut on_fault = |fault, times| {
            is_faulty.set(true);
            on_fault(fault, times);
        };
        while accepted.is_ok() && !selection.is_empty() {
            accepted = self.rotate_if_due();
            if accepted.is_err() {
                break;
            }
            let mut part = match &mut self.count {
                None => selection.split_front(u64::MAX),
                Some(count) => {
                    let part = selection.split_front(count.room());
                    count.take(part.len() as u64);
                    part
                }
            };
            accepted = match &mut self.writer {
                Writer::Text(_) => self.accept_text(handed.batch, &mut part, &mut on_fault),
                Writer::Containers(_) => self.accept_payloads(handed.batch, &mut part),
                Writer::Remote(remote) => match handed.shared {
                    Some(batch) => remote
                        .submit(handed.input, batch, &mut part)
                        .map_err(io::Error::other)
                        .inspect_err(|_| self.fail()),
                    None => Ok(()),
                },
            };
            if accepted.is_err() {
                self.account.lost += part.len() as u64;
            }
            if is_faulty.get() && self.settings.strict {
                break;
            }
        }
        accepted
    }

    /// Payloads that wait for company, and a number that changes whenever such payloads leave.
    pub(crate) fn waiting(&self) -> (u64, u64) {
        match &self.writer {
            _ if self.sink.is_none() => (0, 0),
            Writer::Text(writer) => (writer.payloads, self.account.pieces),
            Writer::Containers(writer) => (writer.pending() as u64, self.account.pieces),
            Writer::Remote(remote) => remote.waiting(),
        }
    }

    /// True while the sink wants to be asked for notices.
    pub(crate) fn awaits_news(&self) -> bool {
        self.sink.as_ref().is_some_and(|sink| sink.awaits_news())
    }

    /// Notes which batches still have something here that was not accepted.
    fn note_progress(&mut self) {
        if !self.settings.gives_receipts {
            return;
        }
        let puts = match self.sink.as_mut().and_then(|sink| sink.standing()) {
            Some(standing) => standing.taken,
            None => self.account.pieces,
        };
        let lost = self.account.lost;
        let (puts_before, lost_before) = std::mem::replace(&mut self.noted, (puts, lost));
        let is_waiting = match &self.writer {
            Writer::Text(writer) => !writer.text.is_empty(),
            Writer::Containers(writer) => writer.pending() > 0,
            Writer::Remote(_) => true,
        };
        let puts = puts.saturating_sub(puts_before);
        self.progress.note(self.tick, puts, is_waiting, lost > lost_before);
    }

    /// The number of the last batch of which everything that was dealt to this output was accepted,
    /// and of all batches before it.
    pub(crate) fn settled_through(&mut self) -> u64 {
        let standing = self.sink.as_mut().and_then(|sink| sink.standing());
        self.progress.settled_through(standing.map(|standing| standing.arrived))
    }

    /// True when the output can be started anew.
    pub(crate) fn rotates(&self) -> bool {
        self.sink.as_ref().is_some_and(|sink| sink.rotates())
    }

    /// True when the file has all the payloads or octets that it may have.
    pub(crate) fn is_full(&self) -> bool {
        let Some(sink) = &self.sink else { return false };
        self.count.is_some_and(|count| count.is_due()) || sink.is_full()
    }

    /// Starts the next file if this one has all the payloads or octets that it may have.
    ///
    /// # Errors
    ///
    /// Those of the sink.
    pub(crate) fn rotate_if_full(&mut self) -> io::Result<()> {
        self.rotate_if_due()?;
        // What still waits belongs into the next file.
        if self.sink.as_ref().is_some_and(|sink| sink.is_full()) {
            self.rotate_sink()
        } else {
            Ok(())
        }
    }

    /// Starts the next file if this one has all the payloads that it may have.
    fn rotate_if_due(&mut self) -> io::Result<()> {
        if let Some(count) = self.count.as_mut().filter(|count| count.is_due()) {
            count.finished();
            return self.rotate();
        }
        Ok(())
    }

    /// Writes what waits, and starts the next file.
    ///
    /// # Errors
    ///
    /// Those of the sink.
    pub(crate) fn rotate(&mut self) -> io::Result<()> {
        self.flush()?;
        if let Writer::Remote(remote) = &mut self.writer {
            // Behind everything that is still being made for this file.
            remote.rotate();
            return self.write_made(&mut |_, _, _| {});
        }
        self.rotate_sink()
    }

    fn rotate_sink(&mut self) -> io::Result<()> {
        let Some(sink) = &mut self.sink else { return Ok(()) };
        sink.rotate().inspect_err(|_| self.fail())?;
        self.has_rotated = true;
        Ok(())
    }

    /// True when a file was started since the last time.
    pub(crate) fn take_rotated(&mut self) -> bool {
        std::mem::take(&mut self.has_rotated)
    }

    /// Takes a piece that workers have made, and writes what is in order.
    ///
    /// # Errors
    ///
    /// As [`Self::accept`].
    pub(crate) fn write_piece(
        &mut self,
        serial: u64,
        piece: Piece,
        on_fault: &mut dyn FnMut(usize, Fault, u64),
    ) -> io::Result<()> {
        if let Writer::Remote(remote) = &mut self.writer {
            remote.made.insert(serial, piece);
        }
        self.write_made(on_fault)
    }

    /// Writes the pieces that are in order.
    fn write_made(&mut self, on_fault: &mut dyn FnMut(usize, Fault, u64)) -> io::Result<()> {
        let mut result = Ok(());
        while let Writer::Remote(remote) = &mut self.writer
            && let Some(piece) = remote.made.take_next()
        {
            let pool = remote.pool;
            let written = match piece {
                Piece::Rotate => self.rotate_sink(),
                Piece::Text { input, text, tally, ends, batch } => {
                    pool.give_back(batch);
                    let written = self.put_text(text.as_bytes(), &tally, &ends);
                    if let Some(fault) = tally.first_fault {
                        on_fault(input, fault, tally.fallbacks + tally.undecodable);
                    }
                    pool.give_back_text(text);
                    written
                }
                Piece::Container { builder, pieces, made } => {
                    let written = self.put_container(builder.len() as u64, &pieces, made);
                    if let Writer::Remote(remote) = &mut self.writer {
                        remote.give_back(builder, pieces);
                    }
                    written
                }
            };
            if written.is_err() {
                self.fail();
                result = result.and(written);
            }
        }
        result
    }

    /// Writes rendered payloads; where it is known where each `ends`, in pieces that fill files.
    fn put_text(&mut self, text: &[u8], tally: &RenderTally, ends: &[usize]) -> io::Result<()> {
        self.account.undecodable += tally.undecodable;
        let Some((last, rest)) = ends.split_last().filter(|_| self.sink.is_some()) else {
            let taken = self.put_records(text, tally.written)?;
            self.account.fallbacks += if taken { tally.fallbacks } else { 0 };
            return Ok(());
        };
        let (mut start, mut in_piece, mut left) = (0, 0, tally.written);
        let mut taken = true;
        for end in rest.iter().chain([last]) {
            in_piece += 1;
            let room = self.sink.as_ref().map_or(u64::MAX, |sink| sink.room());
            if end == last || (end - start) as u64 >= room {
                left -= in_piece;
                let put = self.put_records(&text[start..*end], in_piece);
                taken &= put.inspect_err(|_| self.account.lost += left)?;
                (start, in_piece) = (*end, 0);
            }
        }
        self.account.fallbacks += if taken { tally.fallbacks } else { 0 };
        Ok(())
    }

    /// Writes records of so many payloads; true when they were taken.
    fn put_records(&mut self, text: &[u8], payloads: u64) -> io::Result<bool> {
        let put = match &mut self.sink {
            _ if text.is_empty() => return Ok(false),
            Some(sink) => {
                let mut piece = Outgoing { sink: &mut **sink, has_rotated: &mut self.has_rotated };
                piece.put(text, payloads, self.settings.interrupt)
            }
            None => Ok(Put::Dropped),
        };
        let taken = matches!(put, Ok(Put::Taken));
        let account = &mut self.account;
        if taken {
            account.octets += text.len() as u64;
            account.pieces += 1;
            account.written += payloads;
        } else {
            account.lost += payloads;
        }
        put.map(|_| taken)
    }

    fn put_container(
        &mut self,
        payloads: u64,
        pieces: &Pieces,
        made: Result<(), nmsg::Error>,
    ) -> io::Result<()> {
        made.map_err(io::Error::other).inspect_err(|_| {
            self.account.lost += payloads;
        })?;
        // All of them are in the first piece, as far as can be counted.
        let mut announced = payloads;
        for piece in pieces.iter() {
            let put = match &mut self.sink {
                Some(sink) => {
                    let mut outgoing =
                        Outgoing { sink: &mut **sink, has_rotated: &mut self.has_rotated };
                    let payloads = std::mem::take(&mut announced);
                    outgoing.put(piece, payloads, self.settings.interrupt)
                }
                None => Ok(Put::Dropped),
            };
            if !matches!(put, Ok(Put::Taken)) {
                self.account.lost += payloads;
                return put.map(|_| ());
            }
            self.account.octets += piece.len() as u64;
        }
        self.account.pieces += 1;
        self.account.written += payloads;
        Ok(())
    }

    /// Nothing more will be dealt: what is packed leaves as it is.
    pub(crate) fn pack_rest(&mut self) {
        if let Writer::Remote(remote) = &mut self.writer {
            remote.close_container(false);
        }
    }

    /// True while workers make pieces for this output.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(&self.writer, Writer::Remote(remote) if remote.is_busy())
    }

    fn accept_text(
        &mut self,
        batch: &Batch,
        selection: &mut Selection,
        on_fault: &mut dyn FnMut(Fault, u64),
    ) -> io::Result<()> {
        let LaneSettings { strict, unbuffered, .. } = self.settings;
        while !selection.is_empty() {
            let Writer::Text(writer) = &mut self.writer else { return Ok(()) };
            let Some(sink) = &self.sink else { return Ok(()) };
            let most = if unbuffered { 1 } else { CHUNK };
            let enough = usize::try_from(sink.room()).map_or(most, |room| room.min(most));
            let tally = writer.renderer.render(batch, selection, &mut writer.text, enough, strict);
            writer.payloads += tally.written;
            writer.fallbacks += tally.fallbacks;
            self.account.undecodable += tally.undecodable;
            let full = writer.text.len() >= enough;
            if let Some(fault) = tally.first_fault {
                on_fault(fault, tally.fallbacks + tally.undecodable);
                if strict {
                    self.account.lost += selection.len() as u64;
                    selection.start = selection.end;
                }
            }
            if full {
                self.write_text()?;
            }
        }
        Ok(())
    }

    fn accept_payloads(&mut self, batch: &Batch, selection: &mut Selection) -> io::Result<()> {
        let Self {
            account,
            settings,
            sink: Some(sink),
            writer: Writer::Containers(writer),
            has_rotated,
            ..
        } = self
        else {
            return Ok(());
        };
        let mut outgoing = Outgoing { sink: &mut **sink, has_rotated };
        let mut octets = 0;
        // Payloads in the pieces that one payload makes leave: the container at hand, then perhaps
        // one of its own, of which further fragments hold nothing more.
        let shares = Cell::new((0, 0));
        let mut put = |piece: &[u8]| {
            octets += piece.len() as u64;
            let (share, next) = shares.get();
            shares.set((next, 0));
            outgoing.emit(piece, share, settings.interrupt)
        };
        let keeps_records = writer.keeps_records();
        let mut result = Ok(());
        while !matches!(result, Err(Emit::Failed(_))) {
            if keeps_records && let Some(run) = batch.run(selection) {
                let taken = writer.take_run(&run);
                selection.start += taken;
                if taken > 0 {
                    continue;
                }
            }
            let Some(at) = selection.take_next() else { break };
            shares.set(match writer.pending() as u64 {
                0 => (1, 0),
                waiting => (waiting, 1),
            });
            result = match batch.encoded(at).filter(|_| keeps_records) {
                Some(encoded) => writer.write_encoded(&encoded, &mut put),
                None => match batch.stored(at) {
                    Some(stored) => writer.write_stored(&stored, stored.crc(), &mut put),
                    None => break,
                },
            };
        }
        account.octets += octets;
        settle(account, writer);
        failed(result).inspect_err(|_| self.fail())
    }

    /// Writes the text that waits.
    fn write_text(&mut self) -> io::Result<()> {
        let Writer::Text(writer) = &mut self.writer else { return Ok(()) };
        if self.sink.is_none() || writer.text.is_empty() {
            return Ok(());
        }
        let mut text = std::mem::take(&mut writer.text);
        let (payloads, fallbacks) =
            (std::mem::take(&mut writer.payloads), std::mem::take(&mut writer.fallbacks));
        let written = self.put_records(text.as_bytes(), payloads);
        if matches!(written, Ok(true)) {
            self.account.fallbacks += fallbacks;
        }
        text.clear();
        text.shrink_to(KEPT);
        if let Writer::Text(writer) = &mut self.writer {
            writer.text = text;
        }
        written.map(|_| ()).inspect_err(|_| self.fail())
    }

    /// The sink has failed: what waits for it is lost.
    #[cold]
    fn fail(&mut self) {
        self.sink = None;
        match &mut self.writer {
            Writer::Text(_) => {}
            Writer::Containers(writer) => self.account.lost += writer.pending() as u64,
            // What is packed comes back as pieces, and is counted then.
            Writer::Remote(remote) => remote.close_container(false),
        }
    }

    /// Nothing arrives for the time being: shows what there is of text.
    pub(crate) fn idle(&mut self) -> io::Result<()> {
        let written = self.write_text();
        self.note_progress();
        written
    }

    /// The account as it stands now.
    pub(crate) fn account(&self) -> OutputAccount {
        let mut account = self.account.clone();
        if let Some(sink) = &self.sink {
            account.records = sink.records();
        }
        account
    }

    /// What the sink has to say.
    pub(crate) fn notice(&mut self) -> Option<Notice> {
        self.sink.as_mut()?.notice()
    }

    /// Writes what waits, and closes the sink.
    ///
    /// # Errors
    ///
    /// Those of the sink, unless it has failed before.
    pub(crate) fn finish(&mut self) -> io::Result<Closed> {
        let flushed = self.flush();
        self.note_progress();
        flushed?;
        let Some(sink) = self.sink.take() else { return Ok(Closed::default()) };
        let closed = sink.close();
        if !matches!(&closed, Ok(closed) if closed.undelivered.is_none()) {
            self.progress.lose();
        }
        closed
    }

    /// Writes what waits.
    ///
    /// # Errors
    ///
    /// Those of the sink, unless it has failed before.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.write_text()?;
        if let Writer::Remote(remote) = &mut self.writer {
            remote.close_container(false);
        }
        if let (Writer::Containers(writer), Some(sink)) = (&mut self.writer, &mut self.sink) {
            let (account, interrupt) = (&mut self.account, self.settings.interrupt);
            let mut outgoing = Outgoing { sink: &mut **sink, has_rotated: &mut self.has_rotated };
            let waiting = writer.pending() as u64;
            let flushed = writer.flush(&mut |piece: &[u8]| {
                account.octets += piece.len() as u64;
                outgoing.emit(piece, waiting, interrupt)
            });
            settle(account, writer);
            failed(flushed).inspect_err(|_| self.fail())?;
        }
        Ok(())
    }
}

/// Why a container did not leave.
enum Emit {
    /// The output is at its end.
    Failed(io::Error),
    /// This container alone is lost.
    Dropped,
}

impl From<nmsg::Error> for Emit {
    fn from(error: nmsg::Error) -> Self {
        Self::Failed(io::Error::other(error))
    }
}

/// Where pieces leave.
struct Outgoing<'s> {
    sink: &'s mut dyn Sink,
    /// Set when a file was started.
    has_rotated: &'s mut bool,
}

impl Outgoing<'_> {
    /// Writes a piece that stands for so many payloads, into the next file if this one is full.
    fn put(&mut self, piece: &[u8], payloads: u64, interrupt: Option<&Latch>) -> io::Result<Put> {
        if self.sink.is_full() {
            self.sink.rotate()?;
            *self.has_rotated = true;
        }
        self.sink.announce(payloads);
        self.sink.put(piece, interrupt)
    }

    fn emit(&mut self, piece: &[u8], payloads: u64, interrupt: Option<&Latch>) -> Result<(), Emit> {
        match self.put(piece, payloads, interrupt) {
            Ok(Put::Taken) => Ok(()),
            Ok(Put::Dropped) => Err(Emit::Dropped),
            Err(error) => Err(Emit::Failed(error)),
        }
    }
}

/// The error that ends the output, if there is one: the writer has counted what was lost.
fn failed(result: Result<(), Emit>) -> io::Result<()> {
    match result {
        Ok(()) | Err(Emit::Dropped) => Ok(()),
        Err(Emit::Failed(error)) => Err(error),
    }
}

/// The writer's own books are the truth about what left in containers.
fn settle(account: &mut OutputAccount, writer: &ContainerWriter) {
    let counts = writer.counts();
    account.written = counts.payloads;
    account.lost = counts.lost_payloads;
    account.pieces = counts.containers;
}
