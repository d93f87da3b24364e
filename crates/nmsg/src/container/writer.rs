use super::builder::{ContainerBuilder, Sequence};
use super::estimate::SLACK;
use super::fragment::{FragmentIds, write_fragments};
use super::{
    DEFAULT_DATAGRAM_BUFFER, Deflater, EncodedPayload, EncodedRun, Flags, Fullness, Header,
    MAX_BUFFER, StoredPayload,
};
use crate::error::Error;
use crate::{Labels, Payload};

/// How a [`ContainerWriter`] writes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WriterSettings {
    /// About how many octets a container may have; clamped to [`super::MIN_BUFFER`] and
    /// [`MAX_BUFFER`].
    pub buffer: usize,
    /// Compress containers.
    pub zlib: bool,
    /// Number containers, with this random id of the stream; `None` in files and Kafka.
    pub sequence_id: Option<u64>,
    /// One container per record.
    pub unbuffered: bool,
    /// Records that are too large for one container leave in fragments; else whole (ZeroMQ).
    pub fragmenting: bool,
    /// Random number from which those of fragmented containers are derived.
    pub fragment_seed: u64,
    /// Labels put on every record.
    pub labels: Labels,
}

impl WriterSettings {
    /// What files are written with: large containers without sequence.
    #[must_use]
    pub fn file(fragment_seed: u64) -> Self {
        Self {
            buffer: MAX_BUFFER,
            zlib: false,
            sequence_id: None,
            unbuffered: false,
            fragmenting: true,
            fragment_seed,
            labels: Labels::default(),
        }
    }

    /// What datagrams are written with; both numbers are random.
    #[must_use]
    pub fn datagram(sequence_id: u64, fragment_seed: u64) -> Self {
        Self {
            buffer: DEFAULT_DATAGRAM_BUFFER,
            sequence_id: Some(sequence_id),
            ..Self::file(fragment_seed)
        }
    }
}

/// What a [`ContainerWriter`] has done. Records that were written and are in neither column wait
/// for the next container.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct WriterCounts {
    /// Containers that were taken from the writer, a fragmented one counted once.
    pub containers: u64,
    /// Fragments that were taken.
    pub fragments: u64,
    /// Records in the containers that were taken.
    pub payloads: u64,
    /// Containers that could not be made or were refused, in whole or in part.
    pub lost_containers: u64,
    /// Records in those.
    pub lost_payloads: u64,
}

/// Packs records into containers and hands these on, each as one slice of octets that is to be
/// written or sent at once.
///
/// Where a container goes is up to the `emit` function of each call. When that fails, the container
/// at hand is lost and counted as such (`decisions` CW-9); the writer goes on with the next.
///
/// ```
/// use nmsg::container::{ContainerWriter, WriterSettings};
/// let mut writer = ContainerWriter::new(WriterSettings::file(0));
/// let mut file = Vec::new();
/// let mut emit = |octets: &[u8]| -> Result<(), std::io::Error> {
///     file.extend_from_slice(octets);
///     Ok(())
/// };
/// let payload = nmsg::Payload { body: Some(b"message"), ..Default::default() };
/// writer.write(&payload, None, &mut emit)?;
/// writer.flush(&mut emit)?;
/// assert!(file.starts_with(b"NMSG"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct ContainerWriter {
    builder: ContainerBuilder,
    finisher: ContainerFinisher,
    sequence: Option<Sequence>,
    unbuffered: bool,
    fragmenting: bool,
    fragment_ids: FragmentIds,
    labels: Labels,
    counts: WriterCounts,
}

impl ContainerWriter {
    /// A writer with an empty container.
    #[must_use]
    pub fn new(settings: WriterSettings) -> Self {
        Self {
            builder: ContainerBuilder::new(settings.buffer, settings.sequence_id.is_some()),
            finisher: ContainerFinisher::new(settings.zlib),
            sequence: settings.sequence_id.map(|id| Sequence { number: 0, id }),
            unbuffered: settings.unbuffered,
            fragmenting: settings.fragmenting,
            fragment_ids: FragmentIds::new(settings.fragment_seed),
            labels: settings.labels,
            counts: WriterCounts::default(),
        }
    }

    /// Changes the labels put on the records that follow.
    pub fn set_labels(&mut self, labels: Labels) {
        self.labels = labels;
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> &WriterCounts {
        &self.counts
    }

    /// Number of records that wait for the next container.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.builder.len()
    }

    /// Writes a record. `crc` is the checksum of its body in natural order, when that is known to
    /// be right already; else it is computed.
    ///
    /// # Errors
    ///
    /// What `emit` returned for a container that was due, in which case the record itself waits for
    /// the next one unless it was due as well; or too large for any container.
    #[inline]
    pub fn write<E: From<Error>>(
        &mut self,
        payload: &Payload<'_>,
        crc: Option<u32>,
        emit: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let payload = self.labels.apply(payload);
        self.write_with(emit, |builder| builder.add(&payload, crc))
    }

    /// Writes a record that was read from a container, with the checksum of its body in natural
    /// order; otherwise as [`Self::write`].
    ///
    /// # Errors
    ///
    /// As [`Self::write`].
    #[inline]
    pub fn write_stored<E: From<Error>>(
        &mut self,
        stored: &StoredPayload<'_>,
        crc: u32,
        emit: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.labels.is_empty() {
            self.write_with(emit, |builder| builder.add_stored(stored, crc))
        } else {
            self.write(&stored.payload, Some(crc), emit)
        }
    }

    /// True when records leave as they came: no labels are put on them.
    #[must_use]
    pub fn keeps_records(&self) -> bool {
        self.labels.is_empty()
    }

    /// Writes a record as it stands, whatever the labels; otherwise as [`Self::write`].
    ///
    /// # Errors
    ///
    /// As [`Self::write`].
    #[inline]
    pub fn write_encoded<E: From<Error>>(
        &mut self,
        encoded: &EncodedPayload<'_>,
        emit: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.write_with(emit, |builder| builder.add_encoded(encoded))
    }

    /// Takes records as they stand as long as no container is due and none have to be changed; gives how
    /// many. What is left, be it all, is to be written one by one.
    #[inline]
    pub fn take_run(&mut self, run: &EncodedRun<'_>) -> usize {
        if self.unbuffered || !self.keeps_records() { 0 } else { self.builder.add_run(run) }
    }

    #[inline]
    fn write_with<E: From<Error>>(
        &mut self,
        emit: &mut impl FnMut(&[u8]) -> Result<(), E>,
        mut add: impl FnMut(&mut ContainerBuilder) -> Result<Fullness, Error>,
    ) -> Result<(), E> {
        let mut before = Ok(());
        let mut fullness = add(&mut self.builder);
        if matches!(fullness, Ok(Fullness::Full)) {
            before = self.flush(emit);
            fullness = add(&mut self.builder);
        }
        let fullness = fullness.inspect_err(|_| self.counts.lost_payloads += 1)?;
        let after = match fullness {
            Fullness::Overfull => self.send(self.fragmenting, emit),
            _ if self.unbuffered => self.send(false, emit),
            _ => Ok(()),
        };
        before.and(after)
    }

    /// Hands on the container as it is; nothing happens when it has no records.
    ///
    /// # Errors
    ///
    /// What `emit` returned.
    pub fn flush<E: From<Error>>(
        &mut self,
        emit: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.builder.is_empty() { Ok(()) } else { self.send(false, emit) }
    }

    #[inline(never)]
    fn send<E: From<Error>>(
        &mut self,
        fragmenting: bool,
        emit: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let payloads = self.builder.len() as u64;
        let id = fragmenting.then(|| self.fragment_ids.next_id());
        let mut fragments = 0;
        let sent = self.finisher.finish(&mut self.builder, self.sequence, id, &mut |octets| {
            let sent = emit(octets);
            fragments += u64::from(sent.is_ok());
            sent
        });
        if id.is_some() && !matches!(sent, Ok(Sent::Whole)) {
            self.counts.fragments += fragments;
        }
        self.builder.clear();
        // A number is used up even when its container is lost: receivers are to notice.
        if let Some(sequence) = &mut self.sequence {
            sequence.number = sequence.number.wrapping_add(1);
        }
        if sent.is_ok() {
            self.counts.containers += 1;
            self.counts.payloads += payloads;
        } else {
            self.counts.lost_containers += 1;
            self.counts.lost_payloads += payloads;
        }
        sent.map(|_| ())
    }
}

/// How a container left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sent {
    /// In one piece.
    Whole,
    /// In fragments.
    Fragments,
}

/// Makes containers out of full [`ContainerBuilder`]s: checksums, compression, fragments. The part
/// of writing that takes time and may be done elsewhere than where records are packed.
#[derive(Debug)]
pub struct ContainerFinisher {
    deflater: Option<Deflater>,
    scratch: Vec<u8>,
}

impl ContainerFinisher {
    /// A finisher of compressed or plain containers.
    #[must_use]
    pub fn new(zlib: bool) -> Self {
        Self { deflater: zlib.then(Deflater::new), scratch: Vec::new() }
    }

    /// Emits the container with the records of `builder`, which keeps them. With a `fragment_id`,
    /// in fragments, unless it is compressed and small enough then.
    ///
    /// # Errors
    ///
    /// What `emit` returned; or too large for any container.
    pub fn finish<E: From<Error>>(
        &mut self,
        builder: &mut ContainerBuilder,
        sequence: Option<Sequence>,
        fragment_id: Option<u32>,
        emit: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Sent, E> {
        let slice_len = builder.buffer() - SLACK;
        let (flags, octets) = match &mut self.deflater {
            Some(deflater) => (Flags::ZLIB, builder.finish_zlib(sequence, deflater)?),
            None => (Flags::default(), builder.finish(sequence)?),
        };
        let body = &octets[Header::LEN..];
        match fragment_id {
            Some(id) if !flags.is_zlib() || body.len() > slice_len => {
                write_fragments(body, flags, id, slice_len, &mut self.scratch, emit)?;
                Ok(Sent::Fragments)
            }
            _ => emit(octets).map(|()| Sent::Whole),
        }
    }
}
