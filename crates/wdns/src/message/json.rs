//! Messages as JSON (`rendering-and-parsing` §13.8).

use std::ops::Range;

use super::group::Groups;
use super::{Edns, FlagTexts, HEADER_LEN, Message, Question, Questions, Record, Section};
use crate::mnemonic::{Around, FREQUENT_TYPES, RCODES_KNOWN};
use crate::name;
use crate::rdata::{self, Fields, edns};
use crate::{Class, Opcode, Piece, RrType, TextBuffer};

/// Room for rendering messages as JSON, used again from message to message.
#[derive(Clone, Debug)]
pub struct MessageScratch {
    pub(super) groups: Groups,
}

impl MessageScratch {
    /// Room that grows to what the messages need.
    #[must_use]
    pub fn new() -> Self {
        Self { groups: Groups::new() }
    }
}

impl Default for MessageScratch {
    fn default() -> Self {
        Self::new()
    }
}

/// Up to the number, for the messages of opcode `QUERY`.
static HEADS: Around<RCODES_KNOWN, 64> =
    Around::rcodes("{\"header\":{\"opcode\":\"QUERY\",\"rcode\":\"", "\",\"id\":");

static FLAGS: FlagTexts<48> = FlagTexts::new(("\"", "\"", ","), ",\"flags\":[", "]");

/// From the end of the name to that of the question, class `IN`.
static QUESTION_ENDS: Around<FREQUENT_TYPES, 48> =
    Around::rrtypes("\",\"qclass\":\"IN\",\"qtype\":\"", "\"}");

/// From the end of the time to live to the first record data, class `IN`.
static SET_MIDDLES: Around<FREQUENT_TYPES, 64> =
    Around::rrtypes(",\"rrclass\":\"IN\",\"rrtype\":\"", "\",\"rdata\":[\"");

/// The pointer to the name of the first question, behind the header.
const FIRST_NAME: Option<[u8; 2]> = Some([0xc0, HEADER_LEN as u8]);

impl Message<'_> {
    /// Appends the message as a JSON object without blanks. Records are gathered into sets of one
    /// owner, type and class, with their smallest time to live.
    pub fn write_json(&self, out: &mut TextBuffer, scratch: &mut MessageScratch) {
        let groups = &mut scratch.groups;
        out.piece(|piece| {
            self.put_json_header(piece);
            let mut questions = self.questions();
            let first_name = questions.next().map_or(0..0, |question| question.put_json(piece));
            if questions.left > 0 {
                piece.outside(|out| write_more_questions(out, questions));
            }
            match Section::RECORDS.map(|section| self.count(section)) {
                [0, 0, 0] => {
                    piece.array(b"],\"answer\":[],\"authority\":[],\"additional\":[]}");
                }
                [_, 0, 0] => {
                    piece.array(b"],\"answer\":[");
                    self.put_json_sets(piece, Section::Answer, &first_name, groups);
                    piece.array(b"],\"authority\":[],\"additional\":[]}");
                }
                _ => piece.outside(|out| {
                    out.array(b"],\"answer\":[");
                    self.write_json_sets(out, Section::Answer, &first_name, groups);
                    out.array(b"],\"authority\":[");
                    self.write_json_sets(out, Section::Authority, &first_name, groups);
                    out.array(b"],\"additional\":[");
                    self.write_json_sets(out, Section::Additional, &first_name, groups);
                    out.array(b"]}");
                }),
            }
        });
    }

    /// Puts everything in front of the first question.
    #[inline(always)]
    fn put_json_header(&self, piece: &mut Piece<'_>) {
        if self.opcode() != Opcode::QUERY || !HEADS.put(self.rcode().0, piece) {
            piece.outside(|out| {
                out.array(b"{\"header\":{\"opcode\":");
                self.opcode().write_json(out);
                out.array(b",\"rcode\":");
                self.rcode().write_json(out);
                out.array(b",\"id\":");
            });
        }
        piece.decimal_u16(self.id());
        piece.short(FLAGS.get(self.flags()));
        match self.edns() {
            Some(edns) => put_edns(piece, edns),
            None => piece.array(b"},\"question\":["),
        }
    }

    #[inline(never)]
    fn write_json_sets(
        &self,
        out: &mut TextBuffer,
        section: Section,
        first_name: &Range<usize>,
        groups: &mut Groups,
    ) {
        if self.count(section) > 0 {
            out.piece(|piece| self.put_json_sets(piece, section, first_name, groups));
        }
    }

    /// Puts the records of a section that has some. The text of the first question's name is at
    /// `first_name`; an empty range without a question.
    #[inline(always)]
    fn put_json_sets(
        &self,
        piece: &mut Piece<'_>,
        section: Section,
        first_name: &Range<usize>,
        groups: &mut Groups,
    ) {
        if let Some(set) = self.only_set(section) {
            let rdatas = self.records(section).map(|record| record.fields());
            let fixed = (set.rrtype, set.class, set.ttl);
            let is_first_name = set.owner_pointer() == FIRST_NAME && !first_name.is_empty();
            let write_owner = |out: &mut TextBuffer| match *first_name {
                Range { start, end } if is_first_name => out.again(start, end),
                _ => set.write_owner::<true>(out),
            };
            return put_set(piece, write_owner, fixed, rdatas);
        }
        piece.outside(|out| self.write_groups(out, section, groups));
    }

    #[inline(never)]
    fn write_groups(&self, out: &mut TextBuffer, section: Section, groups: &mut Groups) {
        groups.gather(self.records(section));
        for set in groups.sets() {
            let write_owner = |out: &mut TextBuffer| {
                name::write::<true>(out, groups.owner(set));
            };
            let fields = |(at, end)| Fields::in_message(self.octets, at, end, self.chains.as_ref());
            let rdatas = groups.members(set).map(fields);
            let fixed = (set.rrtype, set.class, set.ttl);
            out.piece(|piece| put_set(piece, write_owner, fixed, rdatas));
            out.byte(b',');
        }
        out.retract(1);
    }

    /// The first record of a section, with the smallest time to live of all, when they plainly are
    /// one set, as they nearly always are: a single one, or with the same pointer for their owner.
    #[inline]
    fn only_set(&self, section: Section) -> Option<Record<'_>> {
        let mut records = self.records(section);
        let mut first = records.next()?;
        if self.count(section) == 1 {
            return Some(first);
        }
        for record in records {
            let owner = record.owner_pointer()?;
            if Some(owner) != first.owner_pointer()
                || (record.rrtype, record.class) != (first.rrtype, first.class)
            {
                return None;
            }
            first.ttl = first.ttl.min(record.ttl);
        }
        Some(first)
    }
}

/// Puts what EDNS says, up to the first question.
#[inline(always)]
fn put_edns(piece: &mut Piece<'_>, edns: &Edns) {
    if edns.version != 0 || !edns.dnssec_ok() || !edns.options.is_empty() {
        return piece.outside(|out| write_unusual_edns(out, edns));
    }
    piece.array(b",\"opt\":{\"edns\":{\"version\":0,\"flags\":[\"do\"],\"udp\":");
    piece.decimal_u16(edns.udp_size);
    piece.array(b",\"options\":[]}}},\"question\":[");
}

#[inline(never)]
fn write_unusual_edns(out: &mut TextBuffer, edns: &Edns) {
    out.array(b",\"opt\":{\"edns\":{\"version\":");
    out.decimal(edns.version.into());
    let flags: &[u8] = if edns.dnssec_ok() { b"\"do\"" } else { b"" };
    out.array(b",\"flags\":[");
    out.bytes(flags);
    out.array(b"],\"udp\":");
    out.decimal(edns.udp_size.into());
    out.array(b",\"options\":[");
    if !edns.options.is_empty() {
        edns::write_each::<true>(out, edns.options, b"\"", b"\",");
        out.retract(1);
    }
    out.array(b"]}}},\"question\":[");
}

/// Puts an RRset, which has one record at least.
#[inline(always)]
fn put_set<'m>(
    piece: &mut Piece<'_>,
    write_owner: impl FnOnce(&mut TextBuffer),
    (rrtype, class, ttl): (RrType, Class, u32),
    rdatas: impl Iterator<Item = Fields<'m>>,
) {
    piece.array(b"{\"rrname\":\"");
    piece.outside(write_owner);
    piece.array(b"\",\"rrttl\":");
    piece.decimal(ttl.into());
    if class != Class::IN || !SET_MIDDLES.put(rrtype.0, piece) {
        piece.outside(|out| write_unusual_middle(out, rrtype, class));
    }
    for mut fields in rdatas {
        match (rrtype, class, fields.rest().len()) {
            (RrType::A, Class::IN, 4) => piece.ipv4(fields.array().unwrap_or_default()),
            (RrType::AAAA, Class::IN, 16) => piece.ipv6(fields.array().unwrap_or_default()),
            _ => piece.outside(|out| rdata::write_fields::<true>(out, fields, rrtype, class)),
        }
        piece.array(b"\",\"");
    }
    piece.retract(2);
    piece.array(b"]}");
}

#[inline(never)]
fn write_unusual_middle(out: &mut TextBuffer, rrtype: RrType, class: Class) {
    out.array(b",\"rrclass\":\"");
    class.write(out);
    out.array(b"\",\"rrtype\":\"");
    rrtype.write(out);
    out.array(b"\",\"rdata\":[\"");
}

#[inline(never)]
fn write_more_questions(out: &mut TextBuffer, questions: Questions<'_>) {
    out.piece(|piece| {
        for question in questions {
            piece.array(b",");
            question.put_json(piece);
        }
    });
}

impl Question<'_> {
    /// Says where the text of the name is.
    #[inline(always)]
    fn put_json(&self, piece: &mut Piece<'_>) -> Range<usize> {
        piece.array(b"{\"qname\":\"");
        let start = piece.buffer_len();
        let octets = self.message.octets;
        if !piece.short_name::<true>(octets, self.name_at, octets.len()) {
            piece.outside(|out| self.write_name::<true>(out));
        }
        let end = piece.buffer_len();
        if self.class != Class::IN || !QUESTION_ENDS.put(self.rrtype.0, piece) {
            piece.outside(|out| self.write_unusual_end(out));
        }
        start..end
    }

    #[inline(never)]
    fn write_unusual_end(&self, out: &mut TextBuffer) {
        out.array(b"\",\"qclass\":\"");
        self.class.write(out);
        out.array(b"\",\"qtype\":\"");
        self.rrtype.write(out);
        out.array(b"\"}");
    }
}
