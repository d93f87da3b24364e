//! Records, RRsets and messages that own their octets (`wdns` §1, §9).

use crate::message::{Flags, Section, write_question_line, write_record_line};
use crate::name::{self, NameBuf};
use crate::rdata::{self, Fields};
use crate::{Class, Error, Message, MessageScratch, Rcode, RrType, TextBuffer};

/// Octets of a serialised RRset without its name and record data.
const SERIALISED_FIXED_LEN: usize = 11;

/// One record, or one entry of a question section.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Rr {
    /// Owner, an uncompressed wire name.
    pub owner: Vec<u8>,
    /// Type.
    pub rrtype: RrType,
    /// Class.
    pub class: Class,
    /// Time to live, in seconds; zero in a question.
    pub ttl: u32,
    /// Record data with its names uncompressed; `None` in a question.
    pub rdata: Option<Vec<u8>>,
}

impl Rr {
    /// Appends `NAME TTL CLASS TYPE RDATA`, or `;NAME CLASS TYPE` for a question, and a line end.
    pub fn write_line(&self, out: &mut TextBuffer, section: Section) {
        let rdata = self.rdata.as_deref().unwrap_or_default();
        write_line(out, section, &self.owner, (self.rrtype, self.class, self.ttl), rdata);
    }
}

fn write_line(
    out: &mut TextBuffer,
    section: Section,
    owner: &[u8],
    (rrtype, class, ttl): (RrType, Class, u32),
    rdata: &[u8],
) {
    let write_name = |out: &mut TextBuffer| {
        name::write::<false>(out, owner);
    };
    if section == Section::Question {
        write_question_line(out, write_name, rrtype, class);
    } else {
        write_record_line(out, write_name, (rrtype, class, ttl), Fields::alone(rdata));
    }
}

/// The records of one owner, type and class.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RrSet {
    /// Owner, an uncompressed wire name.
    pub owner: Vec<u8>,
    /// Type.
    pub rrtype: RrType,
    /// Class.
    pub class: Class,
    /// The smallest time to live of the records, in seconds.
    pub ttl: u32,
    /// The data of each record, names uncompressed; none in a question.
    pub rdatas: Vec<Vec<u8>>,
}

impl RrSet {
    /// Appends one line for each record, or `;NAME CLASS TYPE` for a question.
    pub fn write_lines(&self, out: &mut TextBuffer, section: Section) {
        let fixed = (self.rrtype, self.class, self.ttl);
        if section == Section::Question {
            write_line(out, section, &self.owner, fixed, &[]);
        } else {
            for rdata in &self.rdatas {
                write_line(out, section, &self.owner, fixed, rdata);
            }
        }
    }

    /// Sorts the record data by length, then by octets.
    pub fn sort(&mut self) {
        self.rdatas.sort_unstable_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    }

    /// Turns the letters of the owner and of the names that [`rdata::downcase`] knows of into
    /// lower case.
    ///
    /// # Errors
    ///
    /// The first error of [`rdata::downcase`]; what came before it is changed then.
    pub fn downcase(&mut self) -> Result<(), Error> {
        name::downcase(&mut self.owner);
        let (rrtype, class) = (self.rrtype, self.class);
        self.rdatas.iter_mut().try_for_each(|data| rdata::downcase(data, rrtype, class))
    }

    /// Tells whether a record belongs to this set: same type, class, and owner but for case.
    #[must_use]
    pub fn matches(&self, rr: &Rr) -> bool {
        self.rrtype == rr.rrtype
            && self.class == rr.class
            && name::eq_ignore_case(&self.owner, &rr.owner)
    }

    /// The number of octets that [`RrSet::serialise`] appends.
    #[must_use]
    pub fn serialised_len(&self) -> usize {
        let rdatas: usize = self.rdatas.iter().map(|rdata| 2 + rdata.len()).sum();
        SERIALISED_FIXED_LEN + self.owner.len() + rdatas
    }

    /// Appends the set in the form of `wdns` §9, numbers in little-endian order on every host.
    ///
    /// # Errors
    ///
    /// [`Error::Overflow`] when a length or the number of records is beyond its field; nothing is
    /// appended then.
    pub fn serialise(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        let result = self.append_to(out);
        if result.is_none() {
            out.truncate(start);
        }
        result.ok_or(Error::Overflow)
    }

    fn append_to(&self, out: &mut Vec<u8>) -> Option<()> {
        out.reserve(self.serialised_len());
        out.push(u8::try_from(self.owner.len()).ok()?);
        out.extend_from_slice(&self.owner);
        out.extend_from_slice(&self.rrtype.0.to_le_bytes());
        out.extend_from_slice(&self.class.0.to_le_bytes());
        out.extend_from_slice(&self.ttl.to_le_bytes());
        out.extend_from_slice(&u16::try_from(self.rdatas.len()).ok()?.to_le_bytes());
        for rdata in &self.rdatas {
            out.extend_from_slice(&u16::try_from(rdata.len()).ok()?.to_le_bytes());
            out.extend_from_slice(rdata);
        }
        Some(())
    }

    /// Reads a set that [`RrSet::serialise`] wrote. Octets behind it are ignored; neither owner
    /// nor record data are checked.
    ///
    /// # Errors
    ///
    /// [`Error::Overflow`] when octets are missing.
    pub fn deserialise(octets: &[u8]) -> Result<Self, Error> {
        Self::read_from(&mut { octets }).ok_or(Error::Overflow)
    }

    fn read_from(octets: &mut &[u8]) -> Option<Self> {
        let owner_len = *octets.split_off_first()?;
        let owner = octets.split_off(..owner_len.into())?.to_vec();
        let rrtype = RrType(read_u16(octets)?);
        let class = Class(read_u16(octets)?);
        let (ttl, rest) = octets.split_first_chunk()?;
        *octets = rest;
        let count = read_u16(octets)?;
        let mut set =
            Self { owner, rrtype, class, ttl: u32::from_le_bytes(*ttl), rdatas: Vec::new() };
        for _ in 0..count {
            let len = read_u16(octets)?;
            set.rdatas.push(octets.split_off(..len.into())?.to_vec());
        }
        Some(set)
    }
}

/// Takes a little-endian number from the front.
fn read_u16(octets: &mut &[u8]) -> Option<u16> {
    let (number, rest) = octets.split_first_chunk()?;
    *octets = rest;
    Some(u16::from_le_bytes(*number))
}

/// A section in both views.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OwnedSection {
    /// The entries in the order of the message.
    pub rrs: Vec<Rr>,
    /// The entries gathered into sets, in the order of their first records. Each entry of a
    /// question is a set of its own, without record data.
    pub rrsets: Vec<RrSet>,
}

impl OwnedSection {
    /// Appends the entries in the order of the message, one a line.
    pub fn write_lines(&self, out: &mut TextBuffer, section: Section) {
        self.rrs.iter().for_each(|rr| rr.write_line(out, section));
    }
}

/// What the EDNS record of a message says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OwnedEdns {
    /// EDNS version.
    pub version: u8,
    /// Flags; the highest bit asks for DNSSEC records.
    pub flags: u16,
    /// Size of the largest UDP message the sender takes, in octets.
    pub udp_size: u16,
    /// The options, unchecked.
    pub options: Vec<u8>,
}

/// A message that owns its octets.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OwnedMessage {
    /// The number that ties a response to its query.
    pub id: u16,
    /// The flags of the header.
    pub flags: Flags,
    /// The response code, its EDNS extension included.
    pub rcode: Rcode,
    /// The EDNS record; `None` without one.
    pub edns: Option<OwnedEdns>,
    /// The sections, indexed by [`Section`].
    pub sections: [OwnedSection; 4],
}

impl From<&Message<'_>> for OwnedMessage {
    fn from(message: &Message<'_>) -> Self {
        let mut owned = Self {
            id: message.id(),
            flags: message.flags(),
            rcode: message.rcode(),
            edns: message.edns().map(|edns| OwnedEdns {
                version: edns.version,
                flags: edns.flags,
                udp_size: edns.udp_size,
                options: edns.options.to_vec(),
            }),
            sections: Default::default(),
        };
        let mut scratch = MessageScratch::new();
        let mut name = NameBuf::new();
        let question = &mut owned.sections[Section::Question as usize];
        for entry in message.questions() {
            entry.name(&mut name);
            let owner = name.as_bytes().to_vec();
            let (rrtype, class) = (entry.rrtype, entry.class);
            question.rrs.push(Rr { owner: owner.clone(), rrtype, class, ttl: 0, rdata: None });
            question.rrsets.push(RrSet { owner, rrtype, class, ttl: 0, rdatas: Vec::new() });
        }
        for section in Section::RECORDS {
            let gathered = &mut owned.sections[section as usize];
            for record in message.records(section) {
                record.owner(&mut name);
                let mut rdata = Vec::new();
                record.append_rdata(&mut rdata);
                gathered.rrs.push(Rr {
                    owner: name.as_bytes().to_vec(),
                    rrtype: record.rrtype,
                    class: record.class,
                    ttl: record.ttl,
                    rdata: Some(rdata),
                });
            }
            gathered.rrsets = message.rrsets(section, &mut scratch);
        }
        owned
    }
}
