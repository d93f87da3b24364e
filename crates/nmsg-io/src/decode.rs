use nmsg::container::{ContainerBody, Header, Inflater, StoredPayload, swallowed_containers};
use nmsg::filter::{Matcher, Where};
use nmsg::{Aliases, Limits, MsgType, Payload, Registry, VendorId};

use crate::batch::{Arrival, Batch, Fate};
use crate::fault::{Fault, Problem, RecordPosition};
use crate::json_lines::JsonLines;
use crate::presentation_lines::PresentationLines;
use crate::source::{RawBatch, RawKind, RawPiece};

/// Numbers of which a label of a payload must be one; without any, every label will do.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AnyOf(Vec<u32>);

impl AnyOf {
    /// True for one of the numbers; a label that is absent is 0.
    #[inline]
    #[must_use]
    pub fn allows(&self, label: Option<u32>) -> bool {
        match &*self.0 {
            [] => true,
            [one] => label == Some(*one),
            many => label.is_some_and(|label| many.binary_search(&label).is_ok()),
        }
    }
}

/// 0 is none of the numbers.
impl FromIterator<u32> for AnyOf {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut numbers: Vec<u32> = numbers.into_iter().filter(|number| *number > 0).collect();
        numbers.sort_unstable();
        numbers.dedup();
        Self(numbers)
    }
}

/// Which payloads pass; a field that is `None` or empty lets all pass (`container-and-io` §2.1).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PayloadFilter {
    /// Vendor and message type, both of which must be equal.
    pub msgtype: Option<(VendorId, MsgType)>,
    /// Source ids.
    pub source: AnyOf,
    /// Operator ids.
    pub operator: AnyOf,
    /// Group ids.
    pub group: AnyOf,
}

impl PayloadFilter {
    /// True when labels do not matter.
    fn wants_no_label(&self) -> bool {
        [&self.source, &self.operator, &self.group].iter().all(|label| label.0.is_empty())
    }

    #[inline]
    fn passes_type(&self, payload: &Payload<'_>) -> bool {
        self.msgtype.is_none_or(|want| want == (payload.vendor, payload.msgtype))
    }

    #[inline]
    fn passes(&self, payload: &Payload<'_>) -> bool {
        self.passes_type(payload)
            && self.source.allows(payload.source)
            && self.operator.allows(payload.operator)
            && self.group.allows(payload.group)
    }
}

/// What decoders of a run have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DecodeSettings<'r> {
    pub(crate) filter: &'r PayloadFilter,
    /// What must hold for payloads that the filter lets pass.
    pub(crate) condition: Option<&'r Where>,
    pub(crate) limits: &'r Limits,
    pub(crate) registry: &'r Registry,
    pub(crate) aliases: &'r Aliases,
    /// Unusable lines are kept with their fault.
    pub(crate) keeps_lines: bool,
}

/// Turns what sources read into payloads: inflates, checks, selects, parses lines.
///
/// A pure function of its batch, except for [`RawKind::PresentationLines`]: other batches may be
/// decoded in any order and by any number of decoders.
#[derive(Debug)]
pub(crate) struct Decoder<'r> {
    kind: RawKind,
    filter: PayloadFilter,
    condition: Option<Box<Matcher>>,
    limits: &'r Limits,
    inflater: Inflater,
    index: ContainerBody,
    inflated: Vec<u8>,
    lines: Lines<'r>,
    /// The broker's record at hand.
    place: Option<RecordPosition>,
}

#[derive(Debug)]
enum Lines<'r> {
    None,
    Json(Box<JsonLines<'r>>),
    Presentation(Box<PresentationLines<'r>>),
    /// Presentation form of a type that is not registered.
    UnknownType,
}

impl<'r> Decoder<'r> {
    /// A decoder of batches of this kind.
    pub(crate) fn new(kind: RawKind, settings: DecodeSettings<'r>) -> Self {
        let DecodeSettings { filter, condition, limits, registry, aliases, keeps_lines } = settings;
        let lines = match kind {
            RawKind::JsonLines | RawKind::JsonRecords => {
                Lines::Json(Box::new(JsonLines::new(registry, aliases, limits, keeps_lines)))
            }
            RawKind::PresentationLines(vendor, msgtype) => match registry.get(vendor, msgtype) {
                Some(schema) => {
                    let lines = PresentationLines::new(schema, aliases, limits);
                    Lines::Presentation(Box::new(lines))
                }
                None => Lines::UnknownType,
            },
            RawKind::Containers | RawKind::Messages | RawKind::Payloads => Lines::None,
        };
        Self {
            kind,
            filter: filter.clone(),
            condition: condition.map(|condition| Box::new(Matcher::new(condition))),
            limits,
            inflater: Inflater::new(),
            index: ContainerBody::new(),
            inflated: Vec::new(),
            lines,
            place: None,
        }
    }

    /// Decodes a batch; what it held before is forgotten. The raw batch may be changed.
    pub(crate) fn decode(&mut self, raw: &mut RawBatch, batch: &mut Batch) {
        batch.clear();
        match self.kind {
            RawKind::Containers | RawKind::Messages => self.decode_containers(raw, batch),
            RawKind::JsonLines | RawKind::JsonRecords | RawKind::PresentationLines(..) => {
                match &mut self.lines {
                    Lines::Json(lines) if self.kind == RawKind::JsonRecords => {
                        lines.decode_records(raw, batch);
                    }
                    Lines::Json(lines) => lines.decode(raw, batch),
                    Lines::Presentation(lines) => lines.decode(raw, batch),
                    Lines::UnknownType => unknown_type(raw.first_line, batch),
                    Lines::None => {}
                }
                self.select(batch);
            }
            RawKind::Payloads => {
                std::mem::swap(batch, &mut raw.payloads);
                self.select(batch);
            }
        }
        batch.tally.octets += raw.consumed;
        batch.tally.records += raw.records;
        batch.tally.damaged_octets += raw.skipped;
    }

    /// Nothing more will come: adds what only then is complete.
    pub(crate) fn finish(&mut self, batch: &mut Batch) {
        if let Lines::Presentation(lines) = &mut self.lines {
            let before = batch.len();
            lines.finish(batch);
            if batch.len() > before {
                self.select(batch);
            }
        }
    }

    fn decode_containers(&mut self, raw: &mut RawBatch, batch: &mut Batch) {
        let mut octets = std::mem::take(&mut raw.octets);
        self.place = None;
        for piece in raw.pieces.drain(..) {
            match piece {
                RawPiece::Fault(fault) => problem(batch, fault.placed(self.place)),
                RawPiece::Record(position) => self.place = Some(position),
                RawPiece::Receipt(number) => batch.receipts.push((batch.len(), number)),
                RawPiece::Json(_) => {}
                RawPiece::Container { header, body, offset } => {
                    let decoded = self.decode_container(&header, body.clone(), &mut octets, batch);
                    if let Err(error) = decoded {
                        problem(batch, Fault::Damage(error.at(offset)));
                        let lost = header.container_len();
                        let saved = self.decode_swallowed(body, &mut octets, offset, batch);
                        batch.tally.damaged_octets += lost.saturating_sub(saved);
                    }
                }
                RawPiece::Message { header, body, peer } => {
                    match self.decode_container(&header, body, &mut octets, batch) {
                        Ok((sequence_id, sequence)) => {
                            batch.arrivals.push(Arrival { peer, sequence_id, sequence });
                        }
                        Err(error) => {
                            problem(batch, Fault::Malformed(error).placed(self.place));
                            batch.tally.damaged_octets += header.container_len();
                        }
                    }
                }
                RawPiece::CutShort { header, body, error } => {
                    self.decode_cut_short(&header, body, &octets, batch);
                    problem(batch, Fault::Damage(error));
                }
            }
        }
        // The memory goes round: what the batch had is read into next.
        raw.octets = std::mem::replace(&mut batch.octets, octets);
    }

    /// Takes the payloads of a container; gives its place in its sender's stream.
    fn decode_container(
        &mut self,
        header: &Header,
        body: std::ops::Range<usize>,
        octets: &mut Vec<u8>,
        batch: &mut Batch,
    ) -> Result<(Option<u64>, Option<u32>), nmsg::Error> {
        let body = if header.flags.is_zlib() {
            self.inflater.inflate(&octets[body], &mut self.inflated, self.limits)?;
            let start = octets.len();
            octets.extend_from_slice(&self.inflated);
            start..octets.len()
        } else {
            body
        };
        self.index.decode_summing(octets, body.clone())?;
        batch.tally.containers += 1;
        let place = (self.index.sequence_id(), self.index.sequence());
        self.take(body, octets, batch);
        Ok(place)
    }

    /// Decodes the containers that the wrong length of a damaged one has swallowed; gives the
    /// octets that were saved.
    #[cold]
    fn decode_swallowed(
        &mut self,
        body: std::ops::Range<usize>,
        octets: &mut Vec<u8>,
        offset: u64,
        batch: &mut Batch,
    ) -> u64 {
        let start = body.start;
        let found: Vec<_> = swallowed_containers(&octets[body], self.limits)
            .filter(|inner| !inner.header.flags.is_fragment())
            .map(|inner| (inner.header, inner.offset))
            .collect();
        let mut saved = 0;
        for (header, at) in found {
            let from = start + at as usize + header.len();
            let body = from..from + header.body_len as usize;
            match self.decode_container(&header, body, octets, batch) {
                Ok(_) => saved += header.container_len(),
                Err(error) => {
                    // Where the damaged container's own header ends is where its body starts.
                    let at = offset + Header::LEN as u64 + at;
                    problem(batch, Fault::Damage(error.at(at)));
                }
            }
        }
        saved
    }

    /// Takes the payloads in front of the cut; a compressed container has none.
    #[cold]
    fn decode_cut_short(
        &mut self,
        header: &Header,
        body: std::ops::Range<usize>,
        octets: &[u8],
        batch: &mut Batch,
    ) {
        if !header.flags.is_zlib() && !header.flags.is_fragment() {
            self.index.decode_cut_short(&octets[body.clone()]);
            let delivered: usize = self
                .index
                .payloads(&octets[body.clone()])
                .map(|stored| stored.payload.body.map_or(0, <[u8]>::len))
                .sum();
            batch.tally.containers += 1;
            batch.tally.damaged_octets += body.len().saturating_sub(delivered) as u64;
            self.take(body, octets, batch);
        } else {
            batch.tally.damaged_octets += body.len() as u64;
        }
    }

    /// Takes the indexed payloads of `octets[body]` that are whole and wanted.
    #[inline]
    fn take(&mut self, body: std::ops::Range<usize>, octets: &[u8], batch: &mut Batch) {
        let all_pass = self.lets_all_pass();
        if all_pass && self.index.all_crcs_match(octets, body.clone()) {
            return batch.push_whole_container(&mut self.index, body);
        }
        // Taking a header apart costs as much as a tenth of a line of JSON.
        let is_bare = self.filter.wants_no_label()
            && self.condition.as_ref().is_some_and(|condition| !condition.asks_header());
        let (filter, condition, place) = (&self.filter, &mut self.condition, self.place);
        let slice = &octets[body.clone()];
        batch.push_container(&mut self.index, body, |index, position, batch| {
            if !index.crc_matches(position, slice) {
                mismatched(batch, index.get(position, slice), place);
                return false;
            }
            let passes = all_pass
                || if is_bare {
                    index.bare_payload(position, slice).is_some_and(|payload| {
                        filter.passes_type(&payload) && holds(condition, &payload)
                    })
                } else {
                    index.payload(position, slice).is_some_and(|payload| {
                        filter.passes(&payload) && holds(condition, &payload)
                    })
                };
            batch.tally.filtered += u64::from(!passes);
            passes
        });
    }

    fn lets_all_pass(&self) -> bool {
        self.filter == PayloadFilter::default() && self.condition.is_none()
    }

    fn select(&mut self, batch: &mut Batch) {
        let all_pass = self.lets_all_pass();
        let Self { filter, condition, .. } = self;
        // Captures are converted to the one type that may pass.
        if !all_pass && (condition.is_some() || !batch.all_made(|header| filter.passes(header))) {
            batch.tally.filtered += batch.retain(|payload| {
                Fate::from(filter.passes(&payload) && holds(condition, &payload))
            });
        }
    }
}

#[inline]
fn holds(condition: &mut Option<Box<Matcher>>, payload: &Payload<'_>) -> bool {
    condition.as_mut().is_none_or(|condition| condition.matches(payload))
}

#[cold]
fn unknown_type(line: u64, batch: &mut Batch) {
    problem(batch, Fault::BadRecord { line, reason: "unknown message type".to_owned() });
}

#[cold]
fn problem(batch: &mut Batch, fault: Fault) {
    batch.problems.push(Problem { position: batch.len(), fault });
}

#[cold]
fn mismatched(batch: &mut Batch, stored: Option<StoredPayload<'_>>, place: Option<RecordPosition>) {
    batch.tally.mismatched += 1;
    let Some(record) = stored else { return };
    let stored = record.stored_crc.unwrap_or_default();
    let fault = Fault::ChecksumMismatch { calculated: record.calculated_crc(), stored };
    problem(batch, fault.placed(place));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cr_12_zero_disables_and_labels_are_any_of_the_numbers() {
        let labels = [None, Some(0), Some(1), Some(5), Some(9), Some(u32::MAX)];
        for (numbers, want) in [
            (&[][..], [true; 6]),
            (&[0], [true; 6]),
            (&[5], [false, false, false, true, false, false]),
            (&[9, 0, 5, 9], [false, false, false, true, true, false]),
            (&[u32::MAX, 1, 5], [false, false, true, true, false, true]),
        ] {
            let any_of: AnyOf = numbers.iter().copied().collect();
            assert_eq!(labels.map(|label| any_of.allows(label)), want, "{numbers:?}");
        }
    }
}
