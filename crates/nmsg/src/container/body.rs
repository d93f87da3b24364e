use std::fmt::Write as _;
use std::ops::Range;

use super::payload_header::{Fields, tag};
use super::usual_form::Usual;
use crate::Payload;
use crate::crc::{self, Sums};
use crate::wire::{self, Reader, WireType, join_groups};

const PAYLOADS: u32 = 1;
const PAYLOAD_CRCS: u32 = 2;
const SEQUENCE: u32 = 3;
const SEQUENCE_ID: u32 = 4;

pub(super) const PAYLOADS_TAG: u8 = tag(PAYLOADS, WireType::Len);
pub(super) const PAYLOAD_CRCS_TAG: u8 = tag(PAYLOAD_CRCS, WireType::Varint);
pub(super) const SEQUENCE_TAG: u8 = tag(SEQUENCE, WireType::Varint);
pub(super) const SEQUENCE_ID_TAG: u8 = tag(SEQUENCE_ID, WireType::Varint);

/// More records than this are not expected again in the next container.
const MUCH: usize = 1 << 17;

/// Where the records of one container body are: an index into octets that live elsewhere.
///
/// Made to be used again and again: after the first containers nothing is allocated any more.
/// Decoding looks at the headers of all records and at none of their bodies.
///
/// ```
/// use nmsg::container::ContainerBody;
/// let octets = b"\x0a\x20\x08\x01\x10\x06\x18\xa5\xfa\xcd\xac\x06\x25\x06\0\0\0\
///     \x2a\x09\x0a\x02c\0\x12\x03hi\0\x38\xd4\x87\xcb\x8d\x0a\x10\x8e\xdc\x9f\xba\x0f";
/// let mut index = ContainerBody::new();
/// index.decode(octets)?;
/// let record = index.payloads(octets).next().expect("one record");
/// assert_eq!(record.payload.time.sec, 1_704_164_645);
/// assert!(record.crc_matches());
/// # Ok::<(), nmsg::wire::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ContainerBody {
    records: Vec<Record>,
    /// The headers of those records that do not have the usual form.
    unusual: Vec<Fields>,
    crcs: Vec<u32>,
    /// The checksums of the first bodies as they are, as far as they were computed.
    sums: Vec<u32>,
    /// So many records from the first on have the usual form and stand one behind the other, from the
    /// first octet on.
    run: usize,
    sequence: Option<u32>,
    sequence_id: Option<u64>,
}

/// Where one record is.
#[derive(Clone, Copy, Debug)]
enum Record {
    Usual(Usual),
    /// Position among the unusual ones.
    Unusual(u32),
}

impl Record {
    /// Where a record in the usual form ends; 0 for another.
    #[inline(always)]
    fn usual_end(self) -> usize {
        match self {
            Self::Usual(usual) => usual.end as usize,
            Self::Unusual(_) => 0,
        }
    }
}

impl ContainerBody {
    /// An index of no records.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all records; the memory is kept, unless a strange container took very much of it.
    pub fn clear(&mut self) {
        self.records.clear();
        self.unusual.clear();
        self.crcs.clear();
        self.sums.clear();
        self.run = 0;
        let capacities = [self.unusual.capacity(), self.crcs.capacity(), self.sums.capacity()];
        if capacities.into_iter().any(|capacity| capacity > MUCH) {
            self.unusual.shrink_to(MUCH);
            self.crcs.shrink_to(MUCH);
            self.sums.shrink_to(MUCH);
        }
        (self.sequence, self.sequence_id) = (None, None);
    }

    /// Indexes an uncompressed, unfragmented container body; what was indexed before is forgotten.
    /// No octets at all are a container without records (`decisions` CR-1).
    ///
    /// # Errors
    ///
    /// Anything that makes the container undecodable as a whole (`container-and-io` §1.3); the
    /// index is empty then.
    #[inline]
    pub fn decode(&mut self, octets: &[u8]) -> Result<(), wire::Error> {
        self.clear();
        let decoded = self.decode_fields::<false>(octets, 0..octets.len());
        if decoded.is_err() {
            self.clear();
        }
        decoded
    }

    /// As [`Self::decode`], for those who will ask about all checksums: in this way each octet of a long
    /// container is fetched from memory once, and in order. The container is at `body` of `octets`; what
    /// stands in front of it is not decoded, and makes the first checksums quicker.
    ///
    /// # Errors
    ///
    /// As [`Self::decode`].
    #[inline]
    pub fn decode_summing(&mut self, octets: &[u8], body: Range<usize>) -> Result<(), wire::Error> {
        self.clear();
        let decoded = self.decode_fields::<true>(octets, body);
        if decoded.is_err() {
            self.clear();
        }
        decoded
    }

    /// Indexes what is there of a body whose end is missing: all records that are whole. True when
    /// the octets are right up to where they end; false when they are damaged before, which is
    /// where the index stops.
    pub fn decode_cut_short(&mut self, octets: &[u8]) -> bool {
        self.clear();
        matches!(
            self.decode_fields::<false>(octets, 0..octets.len()),
            Ok(()) | Err(wire::Error::Truncated)
        )
    }

    fn decode_fields<const SUMMING: bool>(
        &mut self,
        around: &[u8],
        body: Range<usize>,
    ) -> Result<(), wire::Error> {
        let sums = Sums::new(around);
        let octets = around.get(body.clone()).ok_or(wire::Error::Truncated)?;
        if u32::try_from(octets.len()).is_err() {
            // Positions are 32 bits, as the lengths of containers are.
            return Err(wire::Error::Truncated);
        }
        let mut rest = self.decode_usual::<SUMMING>(octets, &sums, &body);
        self.run = self.records.len();
        loop {
            while let Some((crc, len)) = usual_crc(rest) {
                self.crcs.push(crc);
                rest = &rest[len..];
            }
            if rest.is_empty() {
                return Ok(());
            }
            if let Some((number, id)) = usual_place(rest) {
                (self.sequence, self.sequence_id) = (Some(number), Some(id));
                return Ok(());
            }
            let at = self.decode_other(octets, octets.len() - rest.len())?;
            rest = self.decode_usual::<SUMMING>(&octets[at..], &sums, &body);
        }
    }

    /// Reads records as long as they have the usual form; gives what is behind them. `rest` is the end of
    /// the octets at `body`.
    #[inline(always)]
    fn decode_usual<'o, const SUMMING: bool>(
        &mut self,
        mut rest: &'o [u8],
        sums: &Sums<'_>,
        body: &Range<usize>,
    ) -> &'o [u8] {
        while let Some((record, len)) =
            Usual::recognise(rest, (body.len() - rest.len()) as u32, PAYLOADS_TAG)
        {
            // Behind a record of another form sums would have other positions.
            if SUMMING && self.sums.len() == self.records.len() {
                let [start, end] = [record.body_start, record.body_end].map(|at| at as usize);
                self.sums.push(sums.crc32c(body.start + start..body.start + end));
            }
            self.records.push(Record::Usual(record));
            rest = &rest[len..];
        }
        rest
    }

    /// Reads any field in any form; gives the position behind it.
    #[inline(never)]
    fn decode_other(&mut self, octets: &[u8], at: usize) -> Result<usize, wire::Error> {
        let mut reader = Reader::at(octets, at);
        match reader.tag()? {
            (PAYLOADS, WireType::Len) => {
                let (start, end) = reader.len_range()?;
                self.records.push(Record::Unusual(self.unusual.len() as u32));
                self.unusual.push(Fields::decode(octets, start, end)?);
            }
            (PAYLOAD_CRCS, WireType::Varint) => self.crcs.push(reader.varint()? as u32),
            (PAYLOAD_CRCS, WireType::Len) => {
                let (start, end) = reader.len_range()?;
                let mut packed = Reader::at(&octets[..end], start);
                while !packed.is_empty() {
                    self.crcs.push(packed.varint()? as u32);
                }
            }
            (SEQUENCE, WireType::Varint) => self.sequence = Some(reader.varint()? as u32),
            (SEQUENCE_ID, WireType::Varint) => self.sequence_id = Some(reader.varint()?),
            (PAYLOADS..=SEQUENCE_ID, _) => return Err(wire::Error::WrongWireType),
            (_, wire) => reader.skip(wire)?,
        }
        Ok(reader.offset())
    }

    /// Number of records.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// True when there are no records.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Number of the container in its writer's stream; `None` in files.
    #[must_use]
    pub fn sequence(&self) -> Option<u32> {
        self.sequence
    }

    /// Random id of the writer's stream; `None` in files.
    #[must_use]
    pub fn sequence_id(&self) -> Option<u64> {
        self.sequence_id
    }

    /// All records in order; `octets` are those that were decoded.
    #[inline]
    pub fn payloads<'a>(&'a self, octets: &'a [u8]) -> Payloads<'a> {
        let (records, crcs) = (self.records.iter(), self.crcs.iter());
        Payloads { records, unusual: &self.unusual, crcs, octets }
    }

    /// One record by its position, without what the container says about it; `octets` are those
    /// that were decoded.
    #[must_use]
    #[inline(always)]
    pub fn payload<'a>(&self, position: usize, octets: &'a [u8]) -> Option<Payload<'a>> {
        match *self.records.get(position)? {
            Record::Usual(usual) => Some(usual.payload(octets).0),
            Record::Unusual(position) => Some(unusual_record(&self.unusual, position, octets).0),
        }
    }

    /// The type and the body of one record by its position, without time and labels: for those who
    /// need no more, in half the time; `octets` are those that were decoded.
    #[must_use]
    #[inline(always)]
    pub fn bare_payload<'a>(&self, position: usize, octets: &'a [u8]) -> Option<Payload<'a>> {
        match *self.records.get(position)? {
            Record::Usual(usual) => Some(usual.bare_payload(octets)),
            Record::Unusual(position) => {
                let Payload { vendor, msgtype, body, .. } =
                    unusual_record(&self.unusual, position, octets).0;
                Some(Payload { vendor, msgtype, body, ..Payload::default() })
            }
        }
    }

    /// True when the body of the record at this position fits its checksum, or has none
    /// (`decisions` CR-6); `octets` are those that were decoded.
    #[must_use]
    #[inline(always)]
    pub fn crc_matches(&self, position: usize, octets: &[u8]) -> bool {
        let Some(stored) = self.crcs.get(position) else { return true };
        if let Some(sum) = self.sums.get(position) {
            return stored.swap_bytes() == *sum;
        }
        let body = match self.records.get(position) {
            Some(Record::Usual(usual)) => usual.body(octets),
            Some(Record::Unusual(position)) => {
                let (payload, _) = unusual_record(&self.unusual, *position, octets);
                payload.body
            }
            None => return true,
        };
        stored.swap_bytes() == crc::crc32c(body.unwrap_or_default())
    }

    /// One record by its position, if copies may take it as it is; `octets` are those that were
    /// decoded. `None` says nothing: [`Self::get`] always tells.
    #[must_use]
    #[inline(always)]
    pub fn encoded<'a>(&self, position: usize, octets: &'a [u8]) -> Option<EncodedPayload<'a>> {
        let Record::Usual(usual) = *self.records.get(position)? else { return None };
        let body = usual.body(octets)?;
        let crc = match (self.crcs.get(position), self.sums.get(position)) {
            (Some(stored), _) => stored.swap_bytes(),
            (None, Some(sum)) => *sum,
            (None, None) => crc::crc32c(body),
        };
        Some(EncodedPayload { message: usual.encoded(octets), body_len: body.len(), crc })
    }

    /// True when all records that have a checksum fit it (`decisions` CR-6); the octets that were decoded
    /// are those at `body`.
    #[must_use]
    #[inline]
    pub fn all_crcs_match(&self, octets: &[u8], body: Range<usize>) -> bool {
        let octets = octets.get(body).unwrap_or_default();
        let summed = self.sums.len().min(self.crcs.len());
        let fits = |(sum, stored): (&u32, &u32)| stored.swap_bytes() == *sum;
        self.sums.iter().zip(&self.crcs).all(fits)
            && (summed..self.crcs.len()).all(|position| self.crc_matches(position, octets))
    }

    /// Records in front of this position may be copied several at once; see [`Self::run`].
    #[must_use]
    #[inline]
    pub fn run_end(&self) -> usize {
        self.run
    }

    /// Records in front of [`Self::run_end`] as copies may take them, all at once; `octets` are those
    /// that were decoded. `None` when one of them has no checksum.
    #[must_use]
    #[inline]
    pub fn run<'a>(&'a self, range: Range<usize>, octets: &'a [u8]) -> Option<EncodedRun<'a>> {
        if range.end > self.run {
            return None;
        }
        let start = match range.start.checked_sub(1) {
            None => 0,
            Some(before) => self.records.get(before)?.usual_end(),
        };
        let (records, crcs) = (self.records.get(range.clone())?, self.crcs.get(range)?);
        Some(EncodedRun { octets, start, records, crcs })
    }

    /// One record by its position; `octets` are those that were decoded.
    #[must_use]
    #[inline]
    pub fn get<'a>(&self, position: usize, octets: &'a [u8]) -> Option<StoredPayload<'a>> {
        let record = *self.records.get(position)?;
        let crc = self.crcs.get(position).copied();
        Some(StoredPayload::new(record, &self.unusual, crc, octets))
    }
}

/// Iterator over the records of a container; see [`ContainerBody::payloads`].
#[derive(Clone, Debug)]
pub struct Payloads<'a> {
    records: std::slice::Iter<'a, Record>,
    unusual: &'a [Fields],
    crcs: std::slice::Iter<'a, u32>,
    octets: &'a [u8],
}

impl<'a> Iterator for Payloads<'a> {
    type Item = StoredPayload<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let record = *self.records.next()?;
        Some(StoredPayload::new(record, self.unusual, self.crcs.next().copied(), self.octets))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.records.size_hint()
    }
}

impl ExactSizeIterator for Payloads<'_> {}

/// A record as it stands in a container: with the checksum stored for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StoredPayload<'a> {
    /// The record.
    pub payload: Payload<'a>,
    /// The checksum as stored, octets reversed; `None` when the container has none for this record.
    pub stored_crc: Option<u32>,
    /// The record's own message (NmsgPayload), when it is octet for octet what a writer makes of
    /// [`Self::payload`]: copies may take it as it is.
    pub encoded: Option<&'a [u8]>,
}

/// Records that stand one behind the other and are, with all that is around them there, octet for octet
/// what a writer would make of them.
#[derive(Clone, Copy, Debug)]
pub struct EncodedRun<'a> {
    octets: &'a [u8],
    start: usize,
    records: &'a [Record],
    crcs: &'a [u32],
}

impl<'a> EncodedRun<'a> {
    /// Number of records.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// True when there are no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Octets of the first `count` records together.
    #[inline]
    pub(super) fn octets_of(&self, count: usize) -> usize {
        let last = count.checked_sub(1).and_then(|last| self.records.get(last));
        last.map_or(0, |record| record.usual_end().saturating_sub(self.start))
    }

    /// The first `count` records, and the checksums stored for them.
    #[inline]
    pub(super) fn first(&self, count: usize) -> (&'a [u8], &'a [u32]) {
        let end = self.start + self.octets_of(count);
        let octets = self.octets.get(self.start..end).unwrap_or_default();
        (octets, self.crcs.get(..count).unwrap_or_default())
    }
}

/// A record that is, octet for octet, what a writer would make of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EncodedPayload<'a> {
    /// Its own message (NmsgPayload).
    pub message: &'a [u8],
    /// Octets of its body.
    pub body_len: usize,
    /// The checksum of its body in natural order: the stored one, which is not checked here, or
    /// computed where none is stored.
    pub crc: u32,
}

impl<'a> StoredPayload<'a> {
    #[inline(always)]
    fn new(record: Record, unusual: &[Fields], stored_crc: Option<u32>, octets: &'a [u8]) -> Self {
        let (payload, encoded) = match record {
            Record::Usual(usual) => {
                let (payload, encoded) = usual.payload(octets);
                (payload, Some(encoded))
            }
            Record::Unusual(position) => unusual_record(unusual, position, octets),
        };
        Self { payload, stored_crc, encoded }
    }

    /// True when the body fits its checksum, or has none (`decisions` CR-6).
    #[must_use]
    #[inline]
    pub fn crc_matches(&self) -> bool {
        self.stored_crc.is_none_or(|stored| stored.swap_bytes() == self.calculated_crc())
    }

    /// The checksum of the body in natural order: the stored one, which is not checked here, or
    /// computed where none is stored.
    #[must_use]
    #[inline]
    pub fn crc(&self) -> u32 {
        self.stored_crc.map_or_else(|| self.calculated_crc(), u32::swap_bytes)
    }

    /// The checksum of the body in natural order; 0 without a body.
    #[must_use]
    #[inline]
    pub fn calculated_crc(&self) -> u32 {
        crc::crc32c(self.payload.body.unwrap_or_default())
    }
}

#[inline(never)]
fn unusual_record<'a>(
    unusual: &[Fields],
    position: u32,
    octets: &'a [u8],
) -> (Payload<'a>, Option<&'a [u8]>) {
    match unusual.get(position as usize) {
        Some(fields) => (fields.payload(octets), fields.encoded(octets)),
        None => (Payload::default(), None),
    }
}

/// Reads a checksum of up to five octets, anywhere but at the very end, and gives the octets that it
/// takes. One in sixteen has less than five.
#[inline(always)]
fn usual_crc(rest: &[u8]) -> Option<(u32, usize)> {
    let field = u64::from_le_bytes(*rest.first_chunk()?);
    let groups = field >> 8;
    let ends = !groups & 0x80_8080_8080;
    if field as u8 != PAYLOAD_CRCS_TAG || ends == 0 {
        return None;
    }
    // All bits up to the one that ends the number.
    let number = groups & (ends ^ (ends - 1));
    Some((join_groups(number) as u32, ends.trailing_zeros() as usize / 8 + 2))
}

/// Reads the place in a stream where it is all that is left, as in any datagram.
#[inline(always)]
fn usual_place(rest: &[u8]) -> Option<(u32, u64)> {
    let mut reader = Reader::new(rest);
    let mut number_behind = |tag: u8| {
        let is_there = reader.raw_tag().ok()? == u32::from(tag);
        if is_there { reader.varint().ok() } else { None }
    };
    let (number, id) = (number_behind(SEQUENCE_TAG)?, number_behind(SEQUENCE_ID_TAG)?);
    reader.is_empty().then_some((number as u32, id))
}

/// Appends the warning for a record that is dropped because of its checksum, in the reference's
/// words: `crc mismatch (CALC != WIRE)`, the first in natural order, the second as stored
/// (`container-and-io` §1.4).
#[cold]
pub fn crc_mismatch_text(calculated: u32, stored: u32, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(out, "crc mismatch ({calculated:x} != {stored:x}) [_input_nmsg_filter]");
}
