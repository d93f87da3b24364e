use super::body::ContainerBody;
use super::compress::Inflater;
use super::fragment::Fragment;
use super::header::{Header, MAGIC, wrong_start};
use crate::Limits;
use crate::error::{Error, ErrorKind};
use std::ops::Range;

/// Least room that is offered to a reader of the stream, in octets.
const LEAST_SPACE: usize = 64 << 10;
/// How many times as long as what follows it in the buffer a container must be for the buffer to be given
/// away with it.
const MUCH_LONGER: usize = 4;
/// Octets of the start of a stream that tell what it is, if no container.
const START: usize = 64;
/// How often, on average, an octet of the stream may be looked at again while the next container is
/// searched behind damage. What is beyond is taken on trust, so the work stays linear.
const SECOND_LOOKS: u64 = 8;

/// One container of a stream: its header, and its body as transmitted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RawContainer<'a> {
    /// The header.
    pub header: Header,
    /// The body, compressed or not; shorter than the header says in [`Frame::CutShort`].
    pub body: &'a [u8],
    /// Position in the stream of the header's first octet.
    pub offset: u64,
}

/// What a [`Deframer`] found next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Frame<'a> {
    /// A whole container. Whether its body can be decoded is for the consumer to find out; if not,
    /// it costs itself alone, the stream goes on behind it.
    Whole(RawContainer<'a>),
    /// The stream ends inside this container; the records in front of the cut can still be had, by
    /// [`ContainerBody::decode_cut_short`] (`decisions` CR-5). Nothing follows.
    CutShort(RawContainer<'a>, Error),
    /// Something else than a container, or one that ends early without anything to be had from it.
    Damage(Error),
}

/// As [`Frame`], with positions in the buffer instead of octets.
#[derive(Debug)]
pub(super) enum Step {
    Whole(Place),
    CutShort(Place, Error),
    Damage(Error),
}

/// Where a container is in the buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) header: Header,
    pub(super) offset: u64,
    body: (usize, usize),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// A header is expected at the position.
    Synced,
    /// The next usable header is searched from the position on.
    Searching,
    /// Nothing more will come.
    Finished,
}

/// Cuts a stream (file, pipe) into containers. Octets are pushed in, in pieces of any size; whatever
/// the sizes and pauses, the result is the same (`decisions` CR-2).
///
/// # Damage
///
/// An unusable header is reported once, with its position, and the next container is searched: magic,
/// known version, length within the limits, and a body that really decodes (`decisions` CR-4).
/// The search starts right behind the damaged header. If the container *before* it turns out not to
/// decode either, or is compressed (what follows a compressed stream is ignored), its length is not
/// to be trusted and the search starts inside it, so that a wrong length does not swallow what
/// follows. All this is decided here, by the octets alone: consumers
/// may decode containers later, in other threads, without reporting back. A body that does not
/// decode but is followed by a proper header costs itself alone;
/// [`swallowed_containers`] finds what a wrong length may have swallowed even then.
///
/// Looking twice is limited to a fixed multiple of the octets read, so the work stays linear for any
/// input. Memory follows what was read, never what a header declares.
///
/// ```
/// use nmsg::container::{Deframer, Frame};
/// let mut deframer = Deframer::new(&nmsg::Limits::default());
/// deframer.feed(b"NMSG\x00\x02\0\0\0\x02\x18\x07NMS");
/// let Some(Frame::Whole(container)) = deframer.next_frame() else { panic!("one container") };
/// assert_eq!((container.offset, container.body), (0, &b"\x18\x07"[..]));
/// assert_eq!(deframer.next_frame(), None, "more is needed");
/// deframer.end();
/// let Some(Frame::Damage(error)) = deframer.next_frame() else { panic!("an error") };
/// assert_eq!(error.to_string(), "container ends 7 bytes early (at byte 12)");
/// ```
#[derive(Debug)]
pub struct Deframer {
    limits: Limits,
    buffer: Vec<u8>,
    /// End of the octets read, in the buffer.
    filled: usize,
    /// Position in the stream of the buffer's first octet.
    base: u64,
    /// Position in the stream from where on nothing was decided yet.
    at: u64,
    /// Start of the container in front of the position, until a proper header follows it.
    previous: Option<u64>,
    state: State,
    ended: bool,
    empty_containers: u64,
    skipped: u64,
    second_looks: u64,
    verifier: Option<Box<Verifier>>,
}

impl Deframer {
    /// Starts at position 0 of a stream.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            buffer: Vec::new(),
            filled: 0,
            base: 0,
            at: 0,
            previous: None,
            state: State::Synced,
            ended: false,
            empty_containers: 0,
            skipped: 0,
            second_looks: 0,
            verifier: None,
        }
    }

    /// Room for octets to be read into, `at_least` so many; tell how many there were with
    /// [`Self::advance`]. Everything found before is taken to be dealt with.
    pub fn space(&mut self, at_least: usize) -> &mut [u8] {
        let at_least = at_least.max(1);
        if self.buffer.len() - self.filled < at_least {
            self.move_to_front();
            if self.buffer.len() - self.filled < at_least {
                let wanted = (self.filled + at_least).max(self.filled * 2).max(LEAST_SPACE);
                self.buffer.resize(wanted, 0);
            }
        }
        &mut self.buffer[self.filled..]
    }

    /// Lets `append` put octets behind those that are there, with room for `at_least` so many: as
    /// [`Self::space`] and [`Self::advance`], where the room need not be initialised.
    pub fn append_with<T>(&mut self, at_least: usize, append: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        if self.room() < at_least {
            self.move_to_front();
        }
        self.buffer.truncate(self.filled);
        self.buffer.reserve(at_least);
        let appended = append(&mut self.buffer);
        if self.buffer.len() < self.filled {
            // Nobody should do that; what was there must not be missing.
            self.buffer.resize(self.filled, 0);
        }
        self.filled = self.buffer.len();
        appended
    }

    /// Octets for which there is memory behind those that are there.
    #[must_use]
    pub fn room(&self) -> usize {
        self.buffer.capacity() - self.filled
    }

    /// Drops what was dealt with from the buffer.
    fn move_to_front(&mut self) {
        let keep_from = (self.previous.unwrap_or(self.at).min(self.at) - self.base) as usize;
        let kept = self.filled - keep_from;
        // Moving at most as much as was dealt with keeps the work linear.
        if kept <= keep_from {
            self.buffer.copy_within(keep_from..self.filled, 0);
            self.base += keep_from as u64;
            self.filled = kept;
        }
    }

    /// Moves the body of the container that was found last to the end of `octets` and gives its range
    /// there. Where nothing is there yet and little follows the container, the memory is exchanged and
    /// nothing copied; the body has other octets in front of it then.
    pub fn move_body(&mut self, octets: &mut Vec<u8>) -> Range<usize> {
        let found = self.previous.and_then(|previous| {
            let header = Header::parse(self.from(previous)).ok()??;
            Some(self.place(header, previous, header.body_len as usize))
        });
        let start = octets.len();
        let Some(Place { body: (from, to), .. }) = found else { return start..start };
        let rest = self.filled - to;
        if start > 0 || rest > (to - from) / MUCH_LONGER || self.usable_header().is_none() {
            octets.extend_from_slice(&self.buffer[from..to]);
            return start..octets.len();
        }
        octets.extend_from_slice(&self.buffer[to..self.filled]);
        std::mem::swap(&mut self.buffer, octets);
        octets.truncate(to);
        (self.base, self.filled, self.previous) = (self.at, rest, None);
        from..to
    }

    /// Octets that are still to be read of the container at the position; 0 where its header is not
    /// there yet or is no use.
    #[must_use]
    pub fn missing(&self) -> u64 {
        match self.usable_header() {
            Some(header) => {
                header.container_len().saturating_sub(self.base + self.filled as u64 - self.at)
            }
            None => 0,
        }
    }

    /// The header at the position, if it is one that containers have.
    fn usable_header(&self) -> Option<Header> {
        let header = Header::parse(self.from(self.at)).ok()??;
        let is_usable =
            self.state == State::Synced && header.body_len <= self.limits.container_body;
        is_usable.then_some(header)
    }

    /// Gives the buffer away, but for what is still undecided, so that streams that are read in turn
    /// with many others can share one; `None` where little would be gained. Everything found before
    /// is taken to be dealt with.
    pub fn release(&mut self) -> Option<Vec<u8>> {
        if self.usable_header().is_some() {
            self.previous = None;
        }
        let keep_from = (self.previous.unwrap_or(self.at).min(self.at) - self.base) as usize;
        let kept = &self.buffer[keep_from..self.filled];
        if self.buffer.capacity() <= 2 * kept.len().max(LEAST_SPACE) {
            return None;
        }
        let kept = kept.to_vec();
        (self.base, self.filled) = (self.base + keep_from as u64, kept.len());
        Some(std::mem::replace(&mut self.buffer, kept))
    }

    /// Works in this buffer from now on, if it is larger; what it holds is overwritten.
    pub fn adopt(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() > self.buffer.capacity() {
            buffer.clear();
            buffer.extend_from_slice(&self.buffer[..self.filled]);
            self.buffer = buffer;
        }
    }

    /// Takes note that `count` octets were read into [`Self::space`].
    pub fn advance(&mut self, count: usize) {
        self.filled = (self.filled + count).min(self.buffer.len());
    }

    /// Copies octets in.
    pub fn feed(&mut self, octets: &[u8]) {
        if !octets.is_empty() {
            self.space(octets.len())[..octets.len()].copy_from_slice(octets);
            self.advance(octets.len());
        }
    }

    /// Takes note that nothing more will be read.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// True when nothing more will be found, whether or not more could be read: the stream is at its
    /// end, or it is of another kind altogether.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.state == State::Finished
    }

    /// Position in the stream from where on nothing was decided yet.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.at
    }

    /// Containers without a body that were stepped over (`decisions` CR-1).
    #[must_use]
    pub fn empty_containers(&self) -> u64 {
        self.empty_containers
    }

    /// Octets between a damaged header and the next container, so far.
    #[must_use]
    pub fn skipped_octets(&self) -> u64 {
        self.skipped
    }

    /// Finds the next container or damage. `None` means that more octets are needed, or that all
    /// was found when the end was announced.
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        Some(match self.step()? {
            Step::Whole(place) => Frame::Whole(self.container(place)),
            Step::CutShort(place, error) => Frame::CutShort(self.container(place), error),
            Step::Damage(error) => Frame::Damage(error),
        })
    }

    pub(super) fn container(&self, place: Place) -> RawContainer<'_> {
        let Place { header, offset, body: (start, end) } = place;
        RawContainer { header, body: &self.buffer[start..end], offset }
    }

    pub(super) fn step(&mut self) -> Option<Step> {
        loop {
            let step = match self.state {
                State::Synced => self.step_synced(),
                State::Searching => self.step_searching(),
                State::Finished => return None,
            };
            match step {
                Next::Step(step) => return Some(step),
                Next::Again => {}
                Next::Wait => return None,
            }
        }
    }

    /// Octets from `position` on.
    fn from(&self, position: u64) -> &[u8] {
        &self.buffer[(position - self.base) as usize..self.filled]
    }

    fn place(&self, header: Header, offset: u64, body_len: usize) -> Place {
        let start = (offset - self.base) as usize + header.len();
        Place { header, offset, body: (start, start + body_len) }
    }

    fn finish(&mut self) -> Next {
        self.state = State::Finished;
        Next::Wait
    }

    fn search_from(&mut self, position: u64) {
        self.state = State::Searching;
        self.at = position;
        self.previous = None;
    }

    fn step_synced(&mut self) -> Next {
        let unread = self.from(self.at);
        // Decisions must not depend on how much happens to be there.
        let enough = if self.at == 0 && !unread.starts_with(&MAGIC) { START } else { Header::LEN };
        if unread.len() < enough && !self.ended {
            return Next::Wait;
        }
        if unread.is_empty() {
            return self.finish();
        }
        let header = match Header::parse(unread) {
            Ok(Some(header)) => header,
            Ok(None) => {
                let is_v1 = matches!(unread, [_, _, _, _, 0, 1, ..]);
                let needed = if is_v1 { Header::V1_LEN } else { Header::LEN };
                let missing = (needed - unread.len()) as u64;
                self.state = State::Finished;
                return Next::Step(Step::Damage(Error::truncated(missing).at(self.at)));
            }
            Err(error) => {
                let is_start = self.at == 0 && matches!(error.kind(), ErrorKind::BadMagic(_));
                let error = if is_start { wrong_start(unread) } else { error };
                return self.damaged_header(error);
            }
        };
        if header.body_len > self.limits.container_body {
            let limit = self.limits.container_body;
            return self.damaged_header(Error::too_large(header.body_len.into(), limit.into()));
        }
        let (offset, unread_len) = (self.at, unread.len());
        let body = &unread[header.len()..];
        let body_len = header.body_len as usize;
        if body_len == 0 {
            self.empty_containers += 1;
            self.at += header.len() as u64;
            self.previous = None;
            return Next::Again;
        }
        if body_len <= body.len() {
            let place = self.place(header, offset, body_len);
            self.previous = Some(offset);
            self.at += header.container_len();
            return Next::Step(Step::Whole(place));
        }
        if !self.ended {
            return Next::Wait;
        }
        let error = Error::truncated((body_len - body.len()) as u64).at(offset);
        let place = self.place(header, offset, body.len());
        if is_plain(&header)
            && self.look_again(offset, unread_len)
            && ContainerBody::new().decode_cut_short(self.container(place).body)
        {
            self.state = State::Finished;
            return Next::Step(Step::CutShort(place, error));
        }
        // Compressed, or damaged in front of the cut: perhaps only its length is wrong.
        self.search_from(offset + MAGIC.len() as u64);
        Next::Step(Step::Damage(error))
    }

    /// Asks whether `len` octets from `position` on may be looked at once more.
    fn look_again(&mut self, position: u64, len: usize) -> bool {
        let allowed = position.saturating_add(len as u64).saturating_mul(SECOND_LOOKS);
        let wanted = self.second_looks.saturating_add(len as u64);
        if wanted <= allowed {
            self.second_looks = wanted;
        }
        wanted <= allowed
    }

    /// Reports the header at the position, and decides where to search for the next one.
    #[cold]
    fn damaged_header(&mut self, error: Error) -> Next {
        let at = self.at;
        let error = error.at(at);
        let next = match error.kind() {
            ErrorKind::NotNmsg(kind) if kind.is_certain() => {
                self.state = State::Finished;
                return Next::Step(Step::Damage(error));
            }
            ErrorKind::BadVersion(_) | ErrorKind::TooLarge { .. } => at + MAGIC.len() as u64,
            _ => at + 1,
        };
        let inside = self.previous.filter(|&previous| {
            self.look_again(previous, (at - previous) as usize)
                && (self.has_hidden_end(previous) || !self.decodes(previous, at))
        });
        self.search_from(inside.map_or(next, |previous| previous + MAGIC.len() as u64));
        Next::Step(Step::Damage(error))
    }

    #[cold]
    fn step_searching(&mut self) -> Next {
        let unread = self.from(self.at);
        let Some(found) = find_magic(unread) else {
            // The last octets may be the start of a magic.
            let gone = unread.len().saturating_sub(if self.ended { 0 } else { MAGIC.len() - 1 });
            self.skip(gone as u64);
            return if self.ended { self.finish() } else { Next::Wait };
        };
        self.skip(found as u64);
        let unread = self.from(self.at);
        if unread.len() < Header::LEN && !self.ended {
            return Next::Wait;
        }
        let past = MAGIC.len() as u64;
        let header = match Header::whole(unread) {
            Some(header) if header.body_len <= self.limits.container_body => header,
            _ => {
                self.skip(past);
                return Next::Again;
            }
        };
        let (at, len) = (self.at, unread.len());
        let end = at + header.container_len();
        let good = if header.container_len() <= len as u64 {
            // What may not be looked at twice is taken on trust.
            !self.look_again(at, header.container_len() as usize) || self.decodes(at, end)
        } else if self.ended {
            let mut index = ContainerBody::new();
            is_plain(&header)
                && self.look_again(at, len)
                && index.decode_cut_short(&self.from(at)[header.len()..])
                && !index.is_empty()
        } else {
            return Next::Wait;
        };
        if good {
            self.state = State::Synced;
        } else {
            self.skip(past);
        }
        Next::Again
    }

    /// True for a container that decodes even when its length is wrong: what follows a compressed
    /// stream is ignored.
    fn has_hidden_end(&self, position: u64) -> bool {
        let header = Header::parse(self.from(position)).ok().flatten();
        header.is_some_and(|header| header.flags.is_zlib() && !header.flags.is_fragment())
    }

    /// True when the octets from one position to the other, which are in the buffer, are a container
    /// that decodes.
    fn decodes(&mut self, from: u64, to: u64) -> bool {
        let range = (from - self.base) as usize..(to - self.base) as usize;
        self.verifier.get_or_insert_default().decodes(&self.buffer[range], &self.limits)
    }

    fn skip(&mut self, count: u64) {
        self.at += count;
        self.skipped += count;
    }
}

enum Next {
    Step(Step),
    /// Something changed; look again.
    Again,
    /// More octets are needed, or nothing is left.
    Wait,
}

fn is_plain(header: &Header) -> bool {
    !header.flags.is_zlib() && !header.flags.is_fragment()
}

/// Position of the first magic.
fn find_magic(octets: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        from += octets.get(from..)?.iter().position(|octet| *octet == MAGIC[0])?;
        if octets[from..].starts_with(&MAGIC) {
            return Some(from);
        }
        from += 1;
    }
}

/// Tells whether a container decodes, on the rare occasions when the stream itself needs to know.
#[derive(Debug, Default)]
struct Verifier {
    inflater: Inflater,
    inflated: Vec<u8>,
    index: ContainerBody,
}

impl Verifier {
    fn decodes(&mut self, container: &[u8], limits: &Limits) -> bool {
        let Ok(Some(header)) = Header::parse(container) else { return false };
        let body = container.get(header.len()..).unwrap_or_default();
        if body.is_empty() {
            true
        } else if header.flags.is_fragment() {
            Fragment::parse(body).is_ok_and(|fragment| fragment.current <= fragment.last)
        } else if header.flags.is_zlib() {
            self.inflater.inflate(body, &mut self.inflated, limits).is_ok()
                && self.index.decode(&self.inflated).is_ok()
        } else {
            self.index.decode(body).is_ok()
        }
    }
}

/// Finds the containers that a wrong length has swallowed: those at the end of a body that does not
/// decode, one behind the other up to its last octet. Positions are relative to the body.
///
/// Containers in the middle of a body are left alone: they are more likely the content of a record.
#[cold]
pub fn swallowed_containers<'a>(
    body: &'a [u8],
    limits: &Limits,
) -> impl Iterator<Item = RawContainer<'a>> + use<'a> {
    // From the end: a header is good when it leads to the end, or to a good one.
    let mut good = vec![body.len()];
    let mut end = body.len();
    while let Some(found) = rfind_magic(&body[..end]) {
        if let Some(header) = Header::whole(&body[found..])
            && header.body_len <= limits.container_body
            && good
                .binary_search_by(|at| (found as u64 + header.container_len()).cmp(&(*at as u64)))
                .is_ok()
        {
            good.push(found);
        }
        end = found + MAGIC.len() - 1;
    }
    let mut at = good.last().copied().unwrap_or(body.len());
    std::iter::from_fn(move || {
        let header = Header::parse(&body[at..]).ok().flatten()?;
        let offset = at;
        at += header.container_len() as usize;
        Some(RawContainer { header, body: &body[offset + header.len()..at], offset: offset as u64 })
    })
}

/// Position of the last magic.
fn rfind_magic(octets: &[u8]) -> Option<usize> {
    let mut end = octets.len();
    loop {
        let found = octets.get(..end)?.iter().rposition(|octet| *octet == MAGIC[0])?;
        if octets[found..].starts_with(&MAGIC) {
            return Some(found);
        }
        end = found;
    }
}
