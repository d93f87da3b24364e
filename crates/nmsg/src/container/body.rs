use std::fmt::Write as _;

use super::payload_header::{Fields, join_groups, range, tag};
use crate::wire::{self, Reader, WireType};
use crate::{Payload, crc};

const PAYLOADS: u32 = 1;
const PAYLOAD_CRCS: u32 = 2;
const SEQUENCE: u32 = 3;
const SEQUENCE_ID: u32 = 4;

pub(super) const PAYLOADS_TAG: u8 = tag(PAYLOADS, WireType::Len);
pub(super) const PAYLOAD_CRCS_TAG: u8 = tag(PAYLOAD_CRCS, WireType::Varint);
pub(super) const SEQUENCE_TAG: u8 = tag(SEQUENCE, WireType::Varint);
pub(super) const SEQUENCE_ID_TAG: u8 = tag(SEQUENCE_ID, WireType::Varint);

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
    records: Vec<Fields>,
    crcs: Vec<u32>,
    sequence: Option<u32>,
    sequence_id: Option<u64>,
}

impl ContainerBody {
    /// An index of no records.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all records; the memory is kept.
    pub fn clear(&mut self) {
        self.records.clear();
        self.crcs.clear();
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
        let decoded = self.decode_fields(octets);
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
        matches!(self.decode_fields(octets), Ok(()) | Err(wire::Error::Truncated))
    }

    fn decode_fields(&mut self, octets: &[u8]) -> Result<(), wire::Error> {
        if u32::try_from(octets.len()).is_err() {
            // Positions are 32 bits, as the lengths of containers are.
            return Err(wire::Error::Truncated);
        }
        let mut at = 0;
        while let Some(&field_tag) = octets.get(at) {
            if field_tag == PAYLOADS_TAG {
                let (start, end) = range(octets, at + 1)?;
                self.records.push(Fields::decode(octets, start, end)?);
                at = end;
            } else if let Some(&[PAYLOAD_CRCS_TAG, a, b, c, d, e]) = octets[at..].first_chunk()
                && a & b & c & d & 0x80 != 0
                && e < 0x80
            {
                let groups = u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]);
                self.crcs.push(join_groups(groups) as u32);
                at += 6;
            } else {
                at = self.decode_other(octets, at)?;
            }
        }
        Ok(())
    }

    /// Reads any field in any form; gives the position behind it.
    #[inline(never)]
    fn decode_other(&mut self, octets: &[u8], at: usize) -> Result<usize, wire::Error> {
        let mut reader = Reader::at(octets, at);
        match reader.tag()? {
            (PAYLOADS, WireType::Len) => {
                let (start, end) = reader.len_range()?;
                self.records.push(Fields::decode(octets, start, end)?);
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
        Payloads { records: self.records.iter(), crcs: self.crcs.iter(), octets }
    }

    /// One record by its position; `octets` are those that were decoded.
    #[must_use]
    #[inline]
    pub fn get<'a>(&self, position: usize, octets: &'a [u8]) -> Option<StoredPayload<'a>> {
        let fields = self.records.get(position)?;
        Some(StoredPayload::new(fields, self.crcs.get(position).copied(), octets))
    }
}

/// Iterator over the records of a container; see [`ContainerBody::payloads`].
#[derive(Clone, Debug)]
pub struct Payloads<'a> {
    records: std::slice::Iter<'a, Fields>,
    crcs: std::slice::Iter<'a, u32>,
    octets: &'a [u8],
}

impl<'a> Iterator for Payloads<'a> {
    type Item = StoredPayload<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let fields = self.records.next()?;
        Some(StoredPayload::new(fields, self.crcs.next().copied(), self.octets))
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

impl<'a> StoredPayload<'a> {
    #[inline(always)]
    fn new(fields: &Fields, stored_crc: Option<u32>, octets: &'a [u8]) -> Self {
        Self { payload: fields.payload(octets), stored_crc, encoded: fields.encoded(octets) }
    }

    /// True when the body fits its checksum, or has none (`decisions` CR-6).
    #[must_use]
    #[inline]
    pub fn crc_matches(&self) -> bool {
        self.stored_crc.is_none_or(|stored| stored.swap_bytes() == self.calculated_crc())
    }

    /// The checksum of the body in natural order; 0 without a body.
    #[must_use]
    #[inline]
    pub fn calculated_crc(&self) -> u32 {
        crc::crc32c(self.payload.body.unwrap_or_default())
    }
}

/// Appends the warning for a record that is dropped because of its checksum, in the reference's
/// words: `crc mismatch (CALC != WIRE)`, the first in natural order, the second as stored
/// (`container-and-io` §1.4).
#[cold]
pub fn crc_mismatch_text(calculated: u32, stored: u32, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(out, "crc mismatch ({calculated:x} != {stored:x}) [_input_nmsg_filter]");
}
