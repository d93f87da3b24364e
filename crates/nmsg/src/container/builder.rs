use super::body::{PAYLOAD_CRCS_TAG, PAYLOADS_TAG, SEQUENCE_ID_TAG, SEQUENCE_TAG};
use super::payload_header::{encode, encoded_len};
use super::usual_form::split_groups;
use super::{
    Deflater, EncodedPayload, EncodedRun, Flags, Fullness, Header, SizeEstimator, StoredPayload,
};
use crate::error::Error;
use crate::wire::{put_varint, varint_len};
use crate::{Payload, crc};

/// Most octets of records that one container can hold: lengths are 32 bits, and there must be room
/// for checksums.
const MAX_RECORDS: usize = 1 << 31;

/// Place of a container in its writer's stream (`container-and-io` §1.5).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Sequence {
    /// Counter, from 0, one more per container, wrapping.
    pub number: u32,
    /// Random id of the stream.
    pub id: u64,
}

/// Builds one container after the other: records are encoded as they are added, so finishing one
/// only appends checksums and sequence fields.
///
/// ```
/// use nmsg::container::{ContainerBuilder, Fullness, MAX_BUFFER};
/// let mut builder = ContainerBuilder::new(MAX_BUFFER, false);
/// let payload = nmsg::Payload { body: Some(b"message"), ..Default::default() };
/// assert_eq!(builder.add(&payload, None)?, Fullness::Fits);
/// assert!(builder.finish(None)?.starts_with(b"NMSG\x00\x02"));
/// # Ok::<(), nmsg::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ContainerBuilder {
    estimator: SizeEstimator,
    /// Room for the header, then the records, then, once finished, the rest of the body.
    octets: Vec<u8>,
    records_end: usize,
    crcs: Vec<u32>,
    packed: Vec<u8>,
}

impl ContainerBuilder {
    /// An empty container of at most about `buffer` octets, clamped as by [`SizeEstimator::new`];
    /// `sequenced` when it will be finished with a sequence.
    #[must_use]
    pub fn new(buffer: usize, sequenced: bool) -> Self {
        Self {
            estimator: SizeEstimator::new(buffer, sequenced),
            octets: vec![0; Header::LEN],
            records_end: Header::LEN,
            crcs: Vec::new(),
            packed: Vec::new(),
        }
    }

    /// The buffer size in force.
    #[must_use]
    pub fn buffer(&self) -> usize {
        self.estimator.buffer()
    }

    /// Number of records in the container.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.crcs.len()
    }

    /// True when there are no records in the container.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.crcs.is_empty()
    }

    /// Starts the next container; the memory is kept.
    pub fn clear(&mut self) {
        self.estimator.reset();
        self.octets.truncate(Header::LEN);
        self.records_end = Header::LEN;
        self.crcs.clear();
    }

    /// Offers a record. `crc` is the checksum of its body in natural order, when that is known to
    /// be right already; else it is computed.
    ///
    /// # Errors
    ///
    /// Too large when the record alone is more than a container's length can tell.
    #[inline]
    pub fn add(&mut self, payload: &Payload<'_>, crc: Option<u32>) -> Result<Fullness, Error> {
        let body = payload.body.unwrap_or_default();
        let len = encoded_len(payload);
        let fullness = self.offer(len, body.len())?;
        if fullness != Fullness::Full {
            self.push_sized(payload, crc.unwrap_or_else(|| crc::crc32c(body)), len);
        }
        Ok(fullness)
    }

    /// Offers a record that was read from a container, with the checksum of its body in natural
    /// order; it is copied as it stands where that is possible.
    ///
    /// # Errors
    ///
    /// As [`Self::add`].
    #[inline]
    pub fn add_stored(&mut self, stored: &StoredPayload<'_>, crc: u32) -> Result<Fullness, Error> {
        let Some(message) = stored.encoded else {
            return self.add(&stored.payload, Some(crc));
        };
        let body_len = stored.payload.body.map_or(0, <[u8]>::len);
        self.add_encoded(&EncodedPayload { message, body_len, crc })
    }

    /// Offers a record that is copied as it stands.
    ///
    /// # Errors
    ///
    /// As [`Self::add`].
    #[inline]
    pub fn add_encoded(&mut self, encoded: &EncodedPayload<'_>) -> Result<Fullness, Error> {
        let fullness = self.offer(encoded.message.len(), encoded.body_len)?;
        if fullness != Fullness::Full {
            self.push_encoded(encoded.message, encoded.crc);
        }
        Ok(fullness)
    }

    /// Offers records that are copied as they stand; gives how many of them, from the first on, were
    /// taken. What is left, be it all, is to be offered one by one.
    #[inline]
    pub fn add_run(&mut self, run: &EncodedRun<'_>) -> usize {
        let taken = self.estimator.add_run(run.len(), |count| run.octets_of(count));
        let (octets, stored) = run.first(taken);
        self.octets.truncate(self.records_end);
        self.octets.extend_from_slice(octets);
        self.records_end = self.octets.len();
        self.crcs.extend(stored.iter().map(|stored| stored.swap_bytes()));
        taken
    }

    #[inline]
    fn offer(&mut self, len: usize, body_len: usize) -> Result<Fullness, Error> {
        if len > MAX_RECORDS {
            return Err(Error::too_large(len as u64, MAX_RECORDS as u64));
        }
        Ok(self.estimator.add(len, body_len))
    }

    /// Adds a record without asking whether the container is full: for containers whose boundaries
    /// were decided elsewhere, with a [`SizeEstimator`]. `crc` is the checksum of the body in
    /// natural order.
    #[inline]
    pub fn push(&mut self, payload: &Payload<'_>, crc: u32) {
        self.push_sized(payload, crc, encoded_len(payload));
    }

    #[inline]
    fn push_sized(&mut self, payload: &Payload<'_>, crc: u32, len: usize) {
        self.octets.truncate(self.records_end);
        encode(&mut self.octets, PAYLOADS_TAG, payload, len);
        self.records_end = self.octets.len();
        self.crcs.push(crc);
    }

    /// Adds a record that is encoded already, as [`StoredPayload::encoded`] gives it, without
    /// asking whether the container is full; `crc` is the checksum of its body in natural order.
    #[inline]
    pub fn push_encoded(&mut self, encoded: &[u8], crc: u32) {
        self.octets.truncate(self.records_end);
        self.octets.reserve(encoded.len() + 11);
        self.octets.push(PAYLOADS_TAG);
        put_varint(&mut self.octets, encoded.len() as u64);
        self.octets.extend_from_slice(encoded);
        self.records_end = self.octets.len();
        self.crcs.push(crc);
    }

    /// Appends everything behind the records; gives the body.
    fn finish_body(&mut self, sequence: Option<Sequence>) -> &[u8] {
        let out = &mut self.octets;
        out.truncate(self.records_end);
        out.reserve(self.crcs.len() * CRC_FIELD + CRC_ROOM + 18);
        out.resize(self.records_end + self.crcs.len() * CRC_FIELD + CRC_ROOM, 0);
        let mut end = self.records_end;
        for crc in &self.crcs {
            let (field, len) = crc_field(crc.swap_bytes());
            // There is room for a longest field for each, and that much more.
            if let Some(room) = out.get_mut(end..).and_then(<[u8]>::first_chunk_mut) {
                *room = field.to_le_bytes();
            }
            end += len;
        }
        out.truncate(end);
        if let Some(Sequence { number, id }) = sequence {
            out.push(SEQUENCE_TAG);
            put_varint(out, number.into());
            out.push(SEQUENCE_ID_TAG);
            put_varint(out, id);
        }
        &out[Header::LEN..]
    }

    /// The container, not compressed. The records stay: it can be finished again, in another way,
    /// until [`Self::clear`].
    ///
    /// # Errors
    ///
    /// Too large when the body is more than a container's length can tell.
    pub fn finish(&mut self, sequence: Option<Sequence>) -> Result<&[u8], Error> {
        self.finish_body(sequence);
        with_header(&mut self.octets, Flags::default())
    }

    /// The container, compressed; otherwise as [`Self::finish`].
    ///
    /// # Errors
    ///
    /// As [`Self::finish`].
    pub fn finish_zlib(
        &mut self,
        sequence: Option<Sequence>,
        deflater: &mut Deflater,
    ) -> Result<&[u8], Error> {
        self.finish_body(sequence);
        self.packed.clear();
        self.packed.resize(Header::LEN, 0);
        deflater.deflate(&self.octets[Header::LEN..], &mut self.packed)?;
        with_header(&mut self.packed, Flags::ZLIB)
    }
}

/// Most octets of the field of a checksum.
const CRC_FIELD: usize = 6;
/// Octets that are written for one and may be behind its end.
const CRC_ROOM: usize = 8 - CRC_FIELD;

/// The field of a checksum, lowest octet first, and the octets that it takes.
#[inline(always)]
fn crc_field(stored: u32) -> (u64, usize) {
    let groups = split_groups(stored.into());
    let (groups, len) = if stored >> 28 != 0 {
        (groups, 5)
    } else {
        let len = varint_len(stored.into());
        // Up to the last octet, which does not go on.
        (groups & ((1 << (8 * len - 1)) - 1), len)
    };
    (u64::from(PAYLOAD_CRCS_TAG) | groups << 8, len + 1)
}

/// Fills in the header of a container for which the first octets of `octets` were set aside.
fn with_header(octets: &mut [u8], flags: Flags) -> Result<&[u8], Error> {
    let body_len = octets.len() - Header::LEN;
    let Ok(len) = u32::try_from(body_len) else {
        return Err(Error::too_large(body_len as u64, u32::MAX.into()));
    };
    octets[..Header::LEN].copy_from_slice(&Header::v2(flags, len).to_octets());
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_checksums_are_as_short_as_they_can_be() {
        let bits = (0..32).flat_map(|bit| [1_u32 << bit, (1 << bit) - 1, (1 << bit) | 0x55]);
        for stored in bits.chain([0, u32::MAX]) {
            let mut want = vec![PAYLOAD_CRCS_TAG];
            put_varint(&mut want, stored.into());
            let (field, len) = crc_field(stored);
            assert_eq!(field.to_le_bytes()[..len], want, "{stored:x}");
        }
    }
}
