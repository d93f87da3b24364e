//! DNS messages: read without copying, shown as text or JSON (`wdns` §5, §8).

mod group;
mod json;
mod text;

pub use json::MessageScratch;
pub(crate) use text::{write_question_line, write_record_line};

use crate::name::{self, ChainEnds, NameBuf, SoundLengths};
use crate::rdata::{self, Fields};
use crate::text_buffer::Short;
use crate::{Class, Error, Opcode, Rcode, RrSet, RrType, TextBuffer};

/// Octets of a message header.
pub const HEADER_LEN: usize = 12;

/// Offset of the counts of the sections in a message header, two octets each.
const COUNTS_AT: usize = 4;

/// Octets of type and class behind a name.
const QUESTION_FIXED_LEN: usize = 4;

/// Octets of type, class, TTL and data length behind a name.
const RECORD_FIXED_LEN: usize = 10;

/// Bit of the EDNS flags that asks for DNSSEC records (RFC 3225 §3).
const DNSSEC_OK: u16 = 0x8000;

/// How a message is read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ParseOptions {
    /// Puts the extended part of the response code at bit 8 as the reference library does, so that
    /// `BADVERS` is 256. Off by default: it belongs at bit 4 (RFC 6891 §6.1.3).
    pub legacy_extended_rcode: bool,
}

/// One of the four parts of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Section {
    /// What is asked.
    Question = 0,
    /// Records that answer.
    Answer = 1,
    /// Records about the authority.
    Authority = 2,
    /// Further records.
    Additional = 3,
}

impl Section {
    /// The sections that hold records, in order.
    pub const RECORDS: [Self; 3] = [Self::Answer, Self::Authority, Self::Additional];
}

/// The header flags of a message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Flags(pub u16);

/// Bit and name of each flag that is shown, in order.
const FLAG_NAMES: [(u16, &str); 7] = [
    (0x8000, "qr"),
    (0x0400, "aa"),
    (0x0200, "tc"),
    (0x0100, "rd"),
    (0x0080, "ra"),
    (0x0020, "ad"),
    (0x0010, "cd"),
];

/// The texts of all sets of flags that are shown, by [`Flags::place`].
struct FlagTexts<const N: usize>([Short<N>; 256]);

impl<const N: usize> FlagTexts<N> {
    /// Each flag's name stands between two texts, the flags are separated by another one, and all
    /// of that stands between `head` and `tail`.
    const fn new((before, after, between): (&str, &str, &str), head: &str, tail: &str) -> Self {
        let mut texts = [Short::EMPTY; 256];
        let mut place = 0;
        while place < 256 {
            let mut text = Short::new(head.as_bytes());
            let mut flag = 0;
            let mut first = true;
            while flag < FLAG_NAMES.len() {
                let (bit, name) = FLAG_NAMES[flag];
                if place & Flags(bit).place() != 0 {
                    let between = if first { "" } else { between };
                    first = false;
                    text = text.and(between.as_bytes()).and(before.as_bytes());
                    text = text.and(name.as_bytes()).and(after.as_bytes());
                }
                flag += 1;
            }
            texts[place] = text.and(tail.as_bytes());
            place += 1;
        }
        Self(texts)
    }

    #[inline(always)]
    fn get(&self, flags: Flags) -> &Short<N> {
        &self.0[flags.place() % 256]
    }
}

impl Flags {
    /// The highest bit and those from the fifth to the eleventh, without those of opcode and
    /// response code: all that are shown.
    #[inline(always)]
    const fn place(self) -> usize {
        (self.0 >> 4 & 0x7f | self.0 >> 8 & 0x80) as usize
    }

    /// The names of the flags that are set, in the order of the header; the Z bit has none.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        FLAG_NAMES.into_iter().filter(move |(bit, _)| self.0 & bit != 0).map(|(_, name)| name)
    }

    /// The kind of query.
    #[must_use]
    pub fn opcode(self) -> Opcode {
        Opcode((self.0 >> 11 & 0xf) as u8)
    }

    /// True for a response.
    #[must_use]
    pub fn is_response(self) -> bool {
        self.0 & 0x8000 != 0
    }
}

/// What the EDNS record of a message says (RFC 6891 §6.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Edns<'a> {
    /// EDNS version.
    pub version: u8,
    /// Flags; the highest bit asks for DNSSEC records.
    pub flags: u16,
    /// Size of the largest UDP message the sender takes, in octets.
    pub udp_size: u16,
    /// The options, unchecked; see [`rdata::edns::write_each`].
    pub options: &'a [u8],
}

impl Edns<'_> {
    /// True when DNSSEC records are asked for.
    #[must_use]
    pub fn dnssec_ok(&self) -> bool {
        self.flags & DNSSEC_OK != 0
    }
}

/// Where a section lies.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    end: u32,
    /// Entries, the EDNS record not counted.
    count: u16,
}

impl Span {
    fn starting(at: usize) -> Self {
        Self { start: at as u32, ..Self::default() }
    }
}

/// A message whose names and record data were all found sound.
///
/// It borrows the octets; names are uncompressed when they are asked for.
///
/// ```
/// let octets = [
///     0x1b, 0xb0, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, // header
///     3, b'f', b's', b'i', 2, b'i', b'o', 0, 0, 1, 0, 1, // question
///     0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 43, 0, 4, 172, 217, 3, 110, // answer
/// ];
/// let message = wdns::Message::parse(&octets)?;
/// let mut out = wdns::TextBuffer::new();
/// for record in message.records(wdns::Section::Answer) {
///     record.write_line(&mut out);
/// }
/// assert_eq!(out.as_bytes(), b"fsi.io. 299 IN A 172.217.3.110\n");
/// # Ok::<(), wdns::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Message<'a> {
    octets: &'a [u8],
    id: u16,
    flags: Flags,
    rcode: Rcode,
    sections: [Span; 4],
    edns: Option<Edns<'a>>,
    /// Offset of the EDNS record, which no section shows; beyond any message without one.
    edns_at: u32,
    chains: Option<ChainEnds>,
}

impl<'a> Message<'a> {
    /// Reads a message.
    ///
    /// Sections may hold fewer entries than the header says when the message ends between two;
    /// octets behind the last entry are ignored. The first `OPT` record behind the question is
    /// taken as EDNS. Takes time linear in the length.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for less than a header or 4 GiB and more, [`Error::Parse`] when an entry is cut,
    /// [`Error::Overflow`] when record data reaches past the end, the errors of
    /// [`name::unpack`], and for record data that does not fit its type [`Error::OutOfBounds`] or
    /// [`Error::Parse`].
    pub fn parse(octets: &'a [u8]) -> Result<Self, Error> {
        Self::parse_with(octets, ParseOptions::default())
    }

    /// As [`Message::parse`], with options.
    ///
    /// # Errors
    ///
    /// As [`Message::parse`].
    pub fn parse_with(octets: &'a [u8], options: ParseOptions) -> Result<Self, Error> {
        let header = octets.first_chunk::<HEADER_LEN>().ok_or(Error::Length)?;
        if u32::try_from(octets.len()).is_err() {
            return Err(Error::Length);
        }
        let field = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let count = |section: Section| field(COUNTS_AT + 2 * section as usize);
        let mut reader = Reader::new(octets);
        reader.questions(count(Section::Question))?;
        for section in Section::RECORDS {
            reader.records(section, count(section))?;
        }
        let flags = Flags(field(2));
        let shift = if options.legacy_extended_rcode { 8 } else { 4 };
        Ok(Self {
            octets,
            id: field(0),
            flags,
            rcode: Rcode(flags.0 & 0xf | u16::from(reader.extended_rcode) << shift),
            sections: reader.sections,
            edns: reader.edns,
            edns_at: reader.edns_at,
            chains: reader.chains,
        })
    }

    /// The octets of the message.
    #[must_use]
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The number that ties a response to its query.
    #[must_use]
    pub fn id(&self) -> u16 {
        self.id
    }

    /// The flags of the header, opcode and response code among them.
    #[must_use]
    pub fn flags(&self) -> Flags {
        self.flags
    }

    /// The kind of query.
    #[must_use]
    pub fn opcode(&self) -> Opcode {
        self.flags.opcode()
    }

    /// The response code, its EDNS extension included.
    #[must_use]
    pub fn rcode(&self) -> Rcode {
        self.rcode
    }

    /// What the EDNS record says; `None` without one.
    #[must_use]
    pub fn edns(&self) -> Option<&Edns<'a>> {
        self.edns.as_ref()
    }

    /// The number of entries found in a section, the EDNS record not counted.
    #[must_use]
    pub fn count(&self, section: Section) -> usize {
        self.sections[section as usize].count.into()
    }

    /// The entries of the question section, in order.
    #[must_use]
    pub fn questions(&self) -> Questions<'_> {
        let span = self.sections[Section::Question as usize];
        let (at, end) = (span.start as usize, span.end as usize);
        Questions { message: self, at, end, left: span.count }
    }

    /// The records of a section, in order, without the EDNS record. The question has none.
    #[must_use]
    pub fn records(&self, section: Section) -> Records<'_> {
        let Span { start, end, .. } = self.sections[section as usize];
        let end = if section == Section::Question { start } else { end };
        Records { message: self, at: start as usize, end: end as usize }
    }

    /// The records of a section gathered into sets of one owner (but for case), type and class, in
    /// the order of their first records. The question has none.
    #[must_use]
    pub fn rrsets(&self, section: Section, scratch: &mut MessageScratch) -> Vec<RrSet> {
        let groups = &mut scratch.groups;
        groups.gather(self.records(section));
        let rdata = |set: &group::Set, (at, end)| {
            let fields = Fields::in_message(self.octets, at, end, self.chains.as_ref());
            let mut rdata = Vec::new();
            append_checked(fields, set.rrtype, set.class, &mut rdata);
            rdata
        };
        groups
            .sets()
            .map(|set| RrSet {
                owner: groups.owner(set).to_vec(),
                rrtype: set.rrtype,
                class: set.class,
                ttl: set.ttl,
                rdatas: groups.members(set).map(|place| rdata(set, place)).collect(),
            })
            .collect()
    }
}

/// Appends record data that was found sound when its message was read.
fn append_checked(fields: Fields, rrtype: RrType, class: Class, out: &mut Vec<u8>) {
    let result = rdata::append_uncompressed(fields, rrtype, class, out);
    debug_assert_eq!(result, Ok(()), "record data of {rrtype:?} was checked");
}

/// So many times the octets of a message its names with pointers may take before their lengths are
/// remembered.
const MUCH_BEHIND_POINTERS: usize = 4;

/// The progress of reading.
struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
    /// Pointers to pointers followed so far.
    hops: usize,
    /// The pointer to the last name that was found sound where it stands: most owners are that of
    /// the question. Beyond sixteen bits without one.
    sound_name: u32,
    chains: Option<ChainEnds>,
    /// Octets of the names with pointers so far.
    behind_pointers: usize,
    lengths: Option<SoundLengths>,
    sections: [Span; 4],
    edns: Option<Edns<'a>>,
    /// The part of the response code that EDNS says, or 0.
    extended_rcode: u8,
    edns_at: u32,
}

impl<'a> Reader<'a> {
    #[inline(always)]
    fn new(octets: &'a [u8]) -> Self {
        Self {
            octets,
            at: HEADER_LEN,
            hops: 0,
            sound_name: u32::MAX,
            chains: None,
            behind_pointers: 0,
            lengths: None,
            sections: [Span::default(); 4],
            edns: None,
            extended_rcode: 0,
            edns_at: u32::MAX,
        }
    }

    /// Checks the name at the reader's place and steps over it. Once chains of pointers have cost
    /// as much as reading the message once, they are looked up.
    #[inline(always)]
    fn name(&mut self) -> Result<(), Error> {
        let octets = self.octets.get(self.at..).unwrap_or_default();
        if let Some(pointer) = octets.first_chunk()
            && u32::from(u16::from_be_bytes(*pointer)) == self.sound_name
        {
            self.at += 2;
            return Ok(());
        }
        if let Some(len) = name::complete_len(octets) {
            // The root is never pointed to.
            if len > 1 {
                let pointer = name::pointer_to(self.at).map(u16::from_be_bytes);
                self.sound_name = pointer.map_or(u32::MAX, u32::from);
            }
            self.at += len;
            return Ok(());
        }
        self.compressed_name()
    }

    #[inline(never)]
    fn compressed_name(&mut self) -> Result<(), Error> {
        let (octets, chains) = (self.octets, self.chains.as_ref());
        let read = match &mut self.lengths {
            Some(lengths) => lengths.resolve(octets, self.at, chains)?,
            None => name::resolve(octets, self.at, chains)?,
        };
        self.at += read.consumed;
        self.count_hops(read.hops);
        self.behind_pointers += read.len;
        if self.behind_pointers > MUCH_BEHIND_POINTERS * octets.len() && self.lengths.is_none() {
            self.lengths = Some(SoundLengths::new(octets));
        }
        Ok(())
    }

    #[inline(always)]
    fn count_hops(&mut self, hops: usize) {
        self.hops += hops;
        if self.hops > self.octets.len() && self.chains.is_none() {
            self.chains = Some(ChainEnds::new(self.octets));
        }
    }

    #[inline(always)]
    fn questions(&mut self, count: u16) -> Result<(), Error> {
        let mut span = Span::starting(self.at);
        while span.count < count && self.at != self.octets.len() {
            self.name()?;
            if self.octets.len() - self.at < QUESTION_FIXED_LEN {
                return Err(Error::Parse);
            }
            self.at += QUESTION_FIXED_LEN;
            span.count += 1;
        }
        span.end = self.at as u32;
        self.sections[Section::Question as usize] = span;
        Ok(())
    }

    /// Reads the records of a section.
    #[inline(always)]
    fn records(&mut self, section: Section, count: u16) -> Result<(), Error> {
        let start = self.at;
        let read = match count {
            0 => 0,
            // Nearly all messages have an EDNS record as their only additional one.
            1 if self.lone_edns() => 0,
            _ => self.some_records(count)?,
        };
        let end = self.at as u32;
        self.sections[section as usize] = Span { start: start as u32, end, count: read };
        Ok(())
    }

    /// Reads a record if it plainly is that of EDNS; false, and nothing done, for any other.
    #[inline(always)]
    fn lone_edns(&mut self) -> bool {
        let owner_at = self.at;
        let Some((&0, octets)) = self.octets.get(owner_at..).and_then(<[u8]>::split_first) else {
            return false;
        };
        let Some(fixed) = Fixed::read(octets, 0) else { return false };
        let Some(options) = octets[RECORD_FIXED_LEN..].get(..fixed.rdata_len) else { return false };
        let is_edns = fixed.rrtype == RrType::OPT && self.edns.is_none();
        if is_edns {
            self.take_edns(&fixed, options);
            self.edns_at = owner_at as u32;
            self.at += 1 + RECORD_FIXED_LEN + fixed.rdata_len;
        }
        is_edns
    }

    /// Reads records and says how many there are, that of EDNS not counted.
    #[inline(never)]
    fn some_records(&mut self, count: u16) -> Result<u16, Error> {
        let mut read = 0;
        for _ in 0..count {
            if self.at == self.octets.len() {
                break;
            }
            let owner_at = self.at;
            self.name()?;
            let fixed = Fixed::read(self.octets, self.at).ok_or(Error::Parse)?;
            let rdata_at = self.at + RECORD_FIXED_LEN;
            let rdata_end = rdata_at + fixed.rdata_len;
            let rdata = self.octets.get(rdata_at..rdata_end).ok_or(Error::Overflow)?;
            let fields = Fields::in_message(self.octets, rdata_at, rdata_end, self.chains.as_ref());
            let hops = rdata::check(fields, fixed.rrtype, fixed.class)?;
            self.count_hops(hops);
            self.at = rdata_end;
            if fixed.rrtype == RrType::OPT && self.edns.is_none() {
                self.take_edns(&fixed, rdata);
                self.edns_at = owner_at as u32;
            } else {
                read += 1;
            }
        }
        Ok(read)
    }

    #[inline(always)]
    fn take_edns(&mut self, fixed: &Fixed, options: &'a [u8]) {
        let [extended_rcode, version, flags @ ..] = fixed.ttl.to_be_bytes();
        self.extended_rcode = extended_rcode;
        self.edns = Some(Edns {
            version,
            flags: u16::from_be_bytes(flags),
            udp_size: fixed.class.0,
            options,
        });
    }
}

/// What follows the owner of a record.
struct Fixed {
    rrtype: RrType,
    class: Class,
    ttl: u32,
    rdata_len: usize,
}

impl Fixed {
    #[inline(always)]
    fn read(octets: &[u8], at: usize) -> Option<Self> {
        let fixed = octets.get(at..)?.first_chunk::<RECORD_FIXED_LEN>()?;
        let [t0, t1, c0, c1, l0, l1, l2, l3, d0, d1] = *fixed;
        Some(Self {
            rrtype: RrType(u16::from_be_bytes([t0, t1])),
            class: Class(u16::from_be_bytes([c0, c1])),
            ttl: u32::from_be_bytes([l0, l1, l2, l3]),
            rdata_len: u16::from_be_bytes([d0, d1]).into(),
        })
    }
}

/// An entry of the question section.
#[derive(Clone, Copy, Debug)]
pub struct Question<'m> {
    message: &'m Message<'m>,
    name_at: usize,
    /// The type asked for.
    pub rrtype: RrType,
    /// The class asked for.
    pub class: Class,
}

impl Question<'_> {
    /// Stores the name asked for without its compression.
    pub fn name(&self, name: &mut NameBuf) {
        self.message.unpack_checked(self.name_at, name);
    }

    /// Appends the text of the name asked for; as the inside of a JSON string with `JSON`.
    pub fn write_name<const JSON: bool>(&self, out: &mut TextBuffer) {
        self.message.write_name::<JSON>(self.name_at, out);
    }
}

/// The entries of a question section.
#[derive(Clone, Debug)]
pub struct Questions<'m> {
    message: &'m Message<'m>,
    at: usize,
    end: usize,
    left: u16,
}

impl<'m> Iterator for Questions<'m> {
    type Item = Question<'m>;

    #[inline]
    fn next(&mut self) -> Option<Question<'m>> {
        self.left = self.left.checked_sub(1)?;
        let octets = self.message.octets.get(..self.end)?;
        let name_at = self.at;
        let at = match self.left {
            // Nothing else is in front of the end.
            0 => self.end.checked_sub(QUESTION_FIXED_LEN)?,
            _ => name_at + name::skip(octets.get(name_at..)?),
        };
        let [t0, t1, c0, c1] = *octets.get(at..)?.first_chunk()?;
        self.at = at + QUESTION_FIXED_LEN;
        Some(Question {
            message: self.message,
            name_at,
            rrtype: RrType(u16::from_be_bytes([t0, t1])),
            class: Class(u16::from_be_bytes([c0, c1])),
        })
    }
}

/// A record of a message.
#[derive(Clone, Copy, Debug)]
pub struct Record<'m> {
    message: &'m Message<'m>,
    owner_at: usize,
    rdata_at: usize,
    rdata_end: usize,
    /// The type.
    pub rrtype: RrType,
    /// The class.
    pub class: Class,
    /// Time to live, in seconds.
    pub ttl: u32,
}

impl<'m> Record<'m> {
    /// Stores the owner without its compression.
    pub fn owner(&self, name: &mut NameBuf) {
        self.message.unpack_checked(self.owner_at, name);
    }

    /// Appends the text of the owner; as the inside of a JSON string with `JSON`.
    pub fn write_owner<const JSON: bool>(&self, out: &mut TextBuffer) {
        self.message.write_name::<JSON>(self.owner_at, out);
    }

    /// The record data as it stands in the message, names possibly compressed.
    #[must_use]
    pub fn raw_rdata(&self) -> &'m [u8] {
        &self.message.octets[self.rdata_at..self.rdata_end]
    }

    /// Appends the record data with its names uncompressed.
    pub fn append_rdata(&self, out: &mut Vec<u8>) {
        append_checked(self.fields(), self.rrtype, self.class, out);
    }

    /// Appends the text of the record data; as the inside of a JSON string with `JSON`.
    pub fn write_rdata<const JSON: bool>(&self, out: &mut TextBuffer) {
        rdata::write_fields::<JSON>(out, self.fields(), self.rrtype, self.class);
    }

    /// The offset of the owner when it is a pointer and nothing else: the same for the same owner.
    #[inline]
    fn owner_pointer(&self) -> Option<[u8; 2]> {
        let pointer = *self.message.octets[self.owner_at..].first_chunk()?;
        (pointer[0] >= 0xc0).then_some(pointer)
    }

    fn fields(&self) -> Fields<'m> {
        let message = self.message;
        Fields::in_message(message.octets, self.rdata_at, self.rdata_end, message.chains.as_ref())
    }
}

/// The records of a section.
#[derive(Clone, Debug)]
pub struct Records<'m> {
    message: &'m Message<'m>,
    at: usize,
    end: usize,
}

impl<'m> Iterator for Records<'m> {
    type Item = Record<'m>;

    #[inline]
    fn next(&mut self) -> Option<Record<'m>> {
        let octets = self.message.octets.get(..self.end)?;
        loop {
            let owner_at = self.at;
            let at = owner_at + name::skip(octets.get(owner_at..)?);
            let fixed = Fixed::read(octets, at)?;
            let rdata_at = at + RECORD_FIXED_LEN;
            self.at = rdata_at + fixed.rdata_len;
            if owner_at as u32 != self.message.edns_at {
                return Some(Record {
                    message: self.message,
                    owner_at,
                    rdata_at,
                    rdata_end: self.at,
                    rrtype: fixed.rrtype,
                    class: fixed.class,
                    ttl: fixed.ttl,
                });
            }
        }
    }
}

impl Message<'_> {
    /// Stores the name at an offset where a sound one was found before.
    fn unpack_checked(&self, at: usize, name: &mut NameBuf) {
        let read = name::unpack_with(self.octets, at, self.chains.as_ref(), name);
        debug_assert!(read.is_ok(), "the name at {at} was checked");
    }

    #[inline]
    fn write_name<const JSON: bool>(&self, at: usize, out: &mut TextBuffer) {
        if name::write_together::<JSON>(out, self.octets, at, self.octets.len()).is_none() {
            self.write_unusual_name::<JSON>(at, out);
        }
    }

    #[inline(never)]
    fn write_unusual_name<const JSON: bool>(&self, at: usize, out: &mut TextBuffer) {
        let mut name = NameBuf::new();
        self.unpack_checked(at, &mut name);
        name::write::<JSON>(out, name.as_bytes());
    }
}
