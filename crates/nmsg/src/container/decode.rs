use std::hash::Hash;
use std::time::Duration;

use super::body::{ContainerBody, Payloads, StoredPayload};
use super::compress::Inflater;
use super::deframe::{Deframer, Place, Step, swallowed_containers};
use super::header::Header;
use super::reassemble::{FragmentCounts, Reassembler};
use crate::Limits;
use crate::error::{Error, ErrorKind};

/// A decoded container: its octets, and where in them the records are.
#[derive(Clone, Copy, Debug)]
pub struct Container<'a> {
    octets: &'a [u8],
    index: &'a ContainerBody,
}

impl<'a> Container<'a> {
    /// The records in order.
    #[inline]
    pub fn payloads(&self) -> Payloads<'a> {
        self.index.payloads(self.octets)
    }

    /// One record by its position.
    #[must_use]
    pub fn get(&self, position: usize) -> Option<StoredPayload<'a>> {
        self.index.get(position, self.octets)
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// True when there are no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Number of the container in its writer's stream; `None` in files.
    #[must_use]
    pub fn sequence(&self) -> Option<u32> {
        self.index.sequence()
    }

    /// Random id of the writer's stream; `None` in files.
    #[must_use]
    pub fn sequence_id(&self) -> Option<u64> {
        self.index.sequence_id()
    }
}

/// Where the octets of the container at hand are.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// In the body that was handed in.
    Body,
    /// Among what was inflated.
    Inflated,
    /// Among what was reassembled.
    Assembled,
}

/// Decodes containers of any form: plain, compressed, fragmented. One per input.
///
/// `K` tells senders of fragments apart: the full socket address on datagram inputs, `()` elsewhere.
/// Times are durations since any fixed moment, and matter for fragments only.
#[derive(Debug)]
pub struct Decoder<K> {
    limits: Limits,
    inflater: Inflater,
    inflated: Vec<u8>,
    assembled: Vec<u8>,
    index: ContainerBody,
    reassembler: Reassembler<K>,
}

impl<K: Clone + Eq + Hash> Decoder<K> {
    /// A decoder that keeps to these limits.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            inflater: Inflater::new(),
            inflated: Vec::new(),
            assembled: Vec::new(),
            index: ContainerBody::new(),
            reassembler: Reassembler::new(limits),
        }
    }

    /// Decodes a message that has to be one whole container: a datagram, a ZeroMQ message, a Kafka
    /// record. `None` for a fragment that does not complete its container, and for a message
    /// without any octets.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with it; it costs this message alone.
    pub fn decode_message<'a>(
        &'a mut self,
        message: &'a [u8],
        sender: K,
        now: Duration,
    ) -> Result<Option<Container<'a>>, Error> {
        if message.is_empty() {
            return Ok(None);
        }
        let (header, body) = Header::parse_message(message)?;
        self.decode(&header, body, sender, now)
    }

    /// Decodes a container whose header was read already. `None` for a fragment that does not
    /// complete its container.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with it; later containers are not affected.
    pub fn decode<'a>(
        &'a mut self,
        header: &Header,
        body: &'a [u8],
        sender: K,
        now: Duration,
    ) -> Result<Option<Container<'a>>, Error> {
        Ok(self.index(header, body, sender, now)?.map(|source| self.container(source, body)))
    }

    fn container<'a>(&'a self, source: Source, body: &'a [u8]) -> Container<'a> {
        let octets = match source {
            Source::Body => body,
            Source::Inflated => &self.inflated,
            Source::Assembled => &self.assembled,
        };
        Container { octets, index: &self.index }
    }

    fn index(
        &mut self,
        header: &Header,
        body: &[u8],
        sender: K,
        now: Duration,
    ) -> Result<Option<Source>, Error> {
        self.index.clear();
        if body.is_empty() {
            return Ok(Some(Source::Body));
        }
        if header.body_len > self.limits.container_body {
            let limit = self.limits.container_body;
            return Err(Error::too_large(header.body_len.into(), limit.into()));
        }
        if !header.flags.is_fragment() {
            if header.flags.is_zlib() {
                return self.index_inflated(body).map(Some);
            }
            self.index.decode(body)?;
            return Ok(Some(Source::Body));
        }
        let Some(assembled) = self.reassembler.push(sender, header.flags, body, now)? else {
            return Ok(None);
        };
        self.assembled = assembled.body;
        if assembled.is_zlib {
            let assembled = std::mem::take(&mut self.assembled);
            return self.index_inflated(&assembled).map(Some);
        }
        self.index.decode(&self.assembled)?;
        Ok(Some(Source::Assembled))
    }

    fn index_inflated(&mut self, body: &[u8]) -> Result<Source, Error> {
        self.inflater.inflate(body, &mut self.inflated, &self.limits)?;
        self.index.decode(&self.inflated)?;
        Ok(Source::Inflated)
    }

    /// Drops fragment sets that have waited too long; see [`Reassembler::expire`].
    pub fn expire(&mut self, now: Duration) -> u64 {
        self.reassembler.expire(now)
    }

    /// When [`Self::expire`] will next have something to do; `None` without incomplete sets.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        self.reassembler.next_deadline()
    }

    /// What became of all fragments so far.
    #[must_use]
    pub fn fragment_counts(&self) -> &FragmentCounts {
        self.reassembler.counts()
    }

    /// Number of fragment sets that are incomplete.
    #[must_use]
    pub fn pending_sets(&self) -> usize {
        self.reassembler.pending_sets()
    }
}

/// Reads a stream (file, pipe) container by container, from octets that are pushed in: everything
/// from [`Deframer`] to records, with damage reported and stepped over.
///
/// ```
/// use nmsg::container::StreamReader;
/// let mut reader = StreamReader::new(&nmsg::Limits::default());
/// reader.feed(b"NMSG\x00\x02\0\0\0\x19\x0a\x11\x08\x01\x10\x06\x18\0\x25\0\0\0\0\x2a\x04text\x10\x00");
/// reader.end();
/// let mut records = 0;
/// while let Some(container) = reader.next_container() {
///     match container {
///         Ok(container) => records += container.len(),
///         Err(error) => eprintln!("{error}"),
///     }
/// }
/// assert_eq!(records, 1);
/// ```
#[derive(Debug)]
pub struct StreamReader {
    deframer: Deframer,
    decoder: Decoder<()>,
    /// To be reported behind the records of a container that is cut short.
    cut: Option<Error>,
    /// Containers that a damaged one had swallowed, with the position of the first octet.
    swallowed: Vec<u8>,
    swallowed_at: u64,
    swallowed_read: usize,
}

/// Which octets the next container is among.
enum Found {
    Frame(Place),
    Swallowed(usize, usize),
}

impl StreamReader {
    /// Starts at position 0 of a stream.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            deframer: Deframer::new(limits),
            decoder: Decoder::new(limits),
            cut: None,
            swallowed: Vec::new(),
            swallowed_at: 0,
            swallowed_read: 0,
        }
    }

    /// Room for octets to be read into; see [`Deframer::space`].
    pub fn space(&mut self, at_least: usize) -> &mut [u8] {
        self.deframer.space(at_least)
    }

    /// Takes note that `count` octets were read into [`Self::space`].
    pub fn advance(&mut self, count: usize) {
        self.deframer.advance(count);
    }

    /// Copies octets in.
    pub fn feed(&mut self, octets: &[u8]) {
        self.deframer.feed(octets);
    }

    /// Takes note that nothing more will be read.
    pub fn end(&mut self) {
        self.deframer.end();
    }

    /// True when nothing more will be found, whether or not more could be read.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.deframer.is_finished() && self.cut.is_none() && self.swallowed.is_empty()
    }

    /// The part that cuts the stream into containers.
    #[must_use]
    pub fn deframer(&self) -> &Deframer {
        &self.deframer
    }

    /// What became of all fragments so far.
    #[must_use]
    pub fn fragment_counts(&self) -> &FragmentCounts {
        self.decoder.fragment_counts()
    }

    /// Number of fragment sets that are incomplete; at the end of a file, containers that are lost.
    #[must_use]
    pub fn pending_sets(&self) -> usize {
        self.decoder.pending_sets()
    }

    /// The next container, or what is damaged. `None` means that more octets are needed, or that
    /// all was found when the end was announced. Reading goes on after errors.
    pub fn next_container(&mut self) -> Option<Result<Container<'_>, Error>> {
        let (found, source) = match self.find()? {
            Ok(found) => found,
            Err(error) => return Some(Err(error)),
        };
        let body = match found {
            Found::Frame(place) => self.deframer.container(place).body,
            Found::Swallowed(start, end) => &self.swallowed[start..end],
        };
        Some(Ok(self.decoder.container(source, body)))
    }

    fn find(&mut self) -> Option<Result<(Found, Source), Error>> {
        loop {
            if let Some(error) = self.cut.take() {
                return Some(Err(error));
            }
            if !self.swallowed.is_empty() {
                match self.find_swallowed() {
                    Some(found) => return Some(found),
                    None => continue,
                }
            }
            let place = match self.deframer.step()? {
                Step::Damage(error) => return Some(Err(error)),
                Step::CutShort(place, error) => {
                    self.decoder.index.decode_cut_short(self.deframer.container(place).body);
                    if self.decoder.index.is_empty() {
                        return Some(Err(error));
                    }
                    self.cut = Some(error);
                    return Some(Ok((Found::Frame(place), Source::Body)));
                }
                Step::Whole(place) => place,
            };
            let body = self.deframer.container(place).body;
            match self.decoder.index(&place.header, body, (), Duration::ZERO) {
                Ok(Some(source)) => return Some(Ok((Found::Frame(place), source))),
                Ok(None) => {}
                Err(error) => {
                    if matches!(error.kind(), ErrorKind::Protobuf(_) | ErrorKind::Inflate(_)) {
                        let first = swallowed_containers(body, &self.decoder.limits).next();
                        if let Some(first) = first {
                            let start = first.offset as usize;
                            self.swallowed.extend_from_slice(&body[start..]);
                            self.swallowed_at = place.offset + (place.header.len() + start) as u64;
                            self.swallowed_read = 0;
                        }
                    }
                    return Some(Err(error.at(place.offset)));
                }
            }
        }
    }

    /// The next of the containers that a damaged one had swallowed.
    #[cold]
    fn find_swallowed(&mut self) -> Option<Result<(Found, Source), Error>> {
        loop {
            let start = self.swallowed_read;
            let Ok(Some(header)) = Header::parse(&self.swallowed[start..]) else {
                self.swallowed.clear();
                return None;
            };
            let (from, to) = (start + header.len(), start + header.container_len() as usize);
            self.swallowed_read = to;
            let Some(body) = self.swallowed.get(from..to) else { continue };
            match self.decoder.index(&header, body, (), Duration::ZERO) {
                Ok(Some(source)) => return Some(Ok((Found::Swallowed(from, to), source))),
                Ok(None) => {}
                Err(error) => return Some(Err(error.at(self.swallowed_at + start as u64))),
            }
        }
    }
}
