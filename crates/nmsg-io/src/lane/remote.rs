use nmsg::container::{ContainerBuilder, FragmentIds, Fullness, Sequence};
use nmsg::{Error, Labels};
use std::sync::Arc;

use crate::batch::{Batch, Selection};
use crate::output::{Framing, random};
use crate::pool::{FullContainer, Job, Piece, Pieces, Pool, Reorder};

/// Octets of payloads that are rendered in one go.
const SHARE: usize = 32 << 10;
/// What rendering a payload costs beside its octets, expressed in octets.
const PER_PAYLOAD: usize = 80;

/// An output whose pieces are made by workers.
pub(super) struct Remote<'r> {
    pub(super) pool: &'r Pool,
    /// Position among the outputs.
    lane: usize,
    /// Serial number of the next piece that is asked for.
    next: u64,
    /// Pieces that are made, until they may be written.
    pub(super) made: Reorder<Piece>,
    packer: Option<Packer>,
    /// Whether texts are to say where their records end.
    marks_ends: bool,
}

/// Decides where containers end.
struct Packer {
    builder: ContainerBuilder,
    /// What containers that are written were made with.
    spare: Vec<(ContainerBuilder, Pieces)>,
    framing: Framing,
    sequence: Option<Sequence>,
    fragment_ids: FragmentIds,
    labels: Labels,
}

impl<'r> Remote<'r> {
    /// An output of text, or with `framing` one of containers. With `marks_ends`, texts say where their
    /// records end.
    pub(super) fn new(
        pool: &'r Pool,
        lane: usize,
        framing: Option<Framing>,
        labels: Labels,
        marks_ends: bool,
    ) -> Self {
        let packer = framing.map(|framing| Packer {
            builder: ContainerBuilder::new(framing.buffer, framing.numbered),
            spare: Vec::new(),
            framing,
            sequence: framing.numbered.then(|| Sequence { number: 0, id: random() }),
            fragment_ids: FragmentIds::new(random()),
            labels,
        });
        Self { pool, lane, next: 0, made: Reorder::default(), packer, marks_ends }
    }

    /// Payloads that wait for company, and a number that changes whenever such payloads leave.
    pub(super) fn waiting(&self) -> (u64, u64) {
        (self.packer.as_ref().map_or(0, |packer| packer.builder.len() as u64), self.next)
    }

    /// True while pieces that were asked for are not yet written.
    pub(super) fn is_busy(&self) -> bool {
        self.made.next_serial() < self.next
    }

    /// Takes back what a container was made with that is written now.
    pub(super) fn give_back(&mut self, mut builder: ContainerBuilder, mut pieces: Pieces) {
        self.pool.release(builder.buffer());
        pieces.clear(builder.buffer());
        builder.clear();
        if let Some(packer) = &mut self.packer {
            packer.spare.push((builder, pieces));
        }
    }

    /// Puts the start of the next file behind everything that was asked for.
    pub(super) fn rotate(&mut self) {
        self.made.insert(self.next, Piece::Rotate);
        self.next += 1;
    }

    fn ask(&mut self, job: impl FnOnce(usize, u64) -> Job) {
        self.pool.encode(job(self.lane, self.next));
        self.next += 1;
    }

    /// Asks for everything that the payloads come to.
    ///
    /// # Errors
    ///
    /// When a payload is too large for any container; the rest of the selection is left.
    pub(super) fn submit(
        &mut self,
        input: usize,
        batch: &Arc<Batch>,
        selection: &mut Selection,
    ) -> Result<(), Error> {
        if self.packer.is_some() {
            self.pack(batch, selection)
        } else {
            self.share_out(input, batch, selection);
            Ok(())
        }
    }

    /// Cuts a selection into shares of about the same work.
    fn share_out(&mut self, input: usize, batch: &Arc<Batch>, selection: &mut Selection) {
        // Payloads of one batch are about alike.
        let each = batch.octets.len() / batch.len().max(1) + PER_PAYLOAD;
        let share = (SHARE / each).max(1) as u64;
        while !selection.is_empty() {
            let selection = selection.split_front(share);
            let batch = Arc::clone(batch);
            let marks_ends = self.marks_ends;
            self.ask(|lane, serial| Job::Render {
                lane,
                serial,
                input,
                batch,
                selection,
                marks_ends,
            });
        }
    }

    fn pack(&mut self, batch: &Batch, selection: &mut Selection) -> Result<(), Error> {
        while !selection.is_empty() {
            let Some(packer) = &mut self.packer else { return Ok(()) };
            let taken = packer.add_run(batch, selection);
            if taken > 0 {
                selection.start += taken;
                continue;
            }
            let Some(at) = selection.take_next() else { return Ok(()) };
            let mut fullness = packer.add(batch, at)?;
            if fullness == Fullness::Full {
                self.close_container(false);
                let Some(packer) = &mut self.packer else { return Ok(()) };
                fullness = packer.add(batch, at)?;
            }
            if fullness == Fullness::Overfull {
                self.close_container(true);
            }
        }
        Ok(())
    }

    /// Asks for the container as it is; nothing happens when it has no payloads.
    pub(super) fn close_container(&mut self, overfull: bool) {
        let Some(packer) = self.packer.as_mut().filter(|packer| !packer.builder.is_empty()) else {
            return;
        };
        let Framing { buffer, numbered, .. } = packer.framing;
        let fresh = packer.spare.pop();
        let (fresh, pieces) =
            fresh.unwrap_or_else(|| (ContainerBuilder::new(buffer, numbered), Pieces::default()));
        self.pool.charge(packer.builder.buffer());
        let builder = std::mem::replace(&mut packer.builder, fresh);
        let fragmenting = overfull && packer.framing.fragmenting;
        let fragment_id = fragmenting.then(|| packer.fragment_ids.next_id());
        let container = FullContainer { builder, pieces, sequence: packer.sequence, fragment_id };
        if let Some(sequence) = &mut packer.sequence {
            sequence.number = sequence.number.wrapping_add(1);
        }
        self.ask(|lane, serial| Job::Finish { lane, serial, container });
    }
}

impl Packer {
    /// Adds payloads as they stand, as long as they fit; gives how many.
    fn add_run(&mut self, batch: &Batch, selection: &Selection) -> usize {
        if !self.labels.is_empty() {
            return 0;
        }
        batch.run(selection).map_or(0, |run| self.builder.add_run(&run))
    }

    fn add(&mut self, batch: &Batch, at: usize) -> Result<Fullness, Error> {
        let keeps_records = self.labels.is_empty();
        if let Some(encoded) = batch.encoded(at).filter(|_| keeps_records) {
            return self.builder.add_encoded(&encoded);
        }
        let Some(stored) = batch.stored(at) else { return Ok(Fullness::Fits) };
        if keeps_records {
            self.builder.add_stored(&stored, stored.crc())
        } else {
            self.builder.add(&self.labels.apply(&stored.payload), Some(stored.crc()))
        }
    }
}
