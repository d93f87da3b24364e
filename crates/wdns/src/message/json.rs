//! Messages as JSON (`rendering-and-parsing` §13.8).

use super::group::Groups;
use super::{Edns, FlagTexts, Message, Question, Record, Section};
use crate::mnemonic::{Around, FREQUENT_TYPES, RCODES_KNOWN};
use crate::name;
use crate::rdata::{self, Fields, edns};
use crate::{Class, Opcode, RrType, TextBuffer};

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

impl Message<'_> {
    /// Appends the message as a JSON object without blanks. Records are gathered into sets of one
    /// owner, type and class, with their smallest time to live.
    pub fn write_json(&self, out: &mut TextBuffer, scratch: &mut MessageScratch) {
        self.write_json_header(out);
        for (place, question) in self.questions().enumerate() {
            if place > 0 {
                out.byte(b',');
            }
            question.write_json(out);
        }
        let groups = &mut scratch.groups;
        match Section::RECORDS.map(|section| self.count(section)) {
            [0, 0, 0] => out.array(b"],\"answer\":[],\"authority\":[],\"additional\":[]}"),
            [_, 0, 0] => {
                out.array(b"],\"answer\":[");
                self.write_json_sets(out, Section::Answer, groups);
                out.array(b"],\"authority\":[],\"additional\":[]}");
            }
            _ => {
                out.array(b"],\"answer\":[");
                self.write_json_sets(out, Section::Answer, groups);
                out.array(b"],\"authority\":[");
                self.write_json_sets(out, Section::Authority, groups);
                out.array(b"],\"additional\":[");
                self.write_json_sets(out, Section::Additional, groups);
                out.array(b"]}");
            }
        }
    }

    /// Appends everything in front of the first question.
    #[inline]
    fn write_json_header(&self, out: &mut TextBuffer) {
        if self.opcode() != Opcode::QUERY || !HEADS.write(self.rcode().0, out) {
            out.array(b"{\"header\":{\"opcode\":");
            self.opcode().write_json(out);
            out.array(b",\"rcode\":");
            self.rcode().write_json(out);
            out.array(b",\"id\":");
        }
        out.decimal(self.id().into());
        out.short(FLAGS.get(self.flags()));
        match self.edns() {
            Some(edns) => write_edns(out, edns),
            None => out.array(b"},\"question\":["),
        }
    }

    fn write_json_sets(&self, out: &mut TextBuffer, section: Section, groups: &mut Groups) {
        if self.count(section) == 0 {
            return;
        }
        if let Some(set) = self.only_set(section) {
            let rdatas = self.records(section).map(|record| record.fields());
            let fixed = (set.rrtype, set.class, set.ttl);
            return write_set(out, |out| set.write_owner::<true>(out), fixed, rdatas);
        }
        groups.gather(self.records(section));
        for set in groups.sets() {
            let write_owner = |out: &mut TextBuffer| {
                name::write::<true>(out, groups.owner(set));
            };
            let fields = |(at, end)| Fields::in_message(self.octets, at, end, self.chains.as_ref());
            let rdatas = groups.members(set).map(fields);
            write_set(out, write_owner, (set.rrtype, set.class, set.ttl), rdatas);
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

/// Appends what EDNS says, up to the first question.
#[inline]
fn write_edns(out: &mut TextBuffer, edns: &Edns) {
    if edns.version == 0 && edns.dnssec_ok() {
        out.array(b",\"opt\":{\"edns\":{\"version\":0,\"flags\":[\"do\"],\"udp\":");
    } else {
        out.array(b",\"opt\":{\"edns\":{\"version\":");
        out.decimal(edns.version.into());
        let flags: &[u8] = if edns.dnssec_ok() { b"\"do\"" } else { b"" };
        out.array(b",\"flags\":[");
        out.bytes(flags);
        out.array(b"],\"udp\":");
    }
    out.decimal(edns.udp_size.into());
    if edns.options.is_empty() {
        return out.array(b",\"options\":[]}}},\"question\":[");
    }
    out.array(b",\"options\":[");
    edns::write_each::<true>(out, edns.options, b"\"", b"\",");
    out.retract(1);
    out.array(b"]}}},\"question\":[");
}

/// Appends an RRset, which has one record at least.
#[inline]
fn write_set<'m>(
    out: &mut TextBuffer,
    write_owner: impl FnOnce(&mut TextBuffer),
    (rrtype, class, ttl): (RrType, Class, u32),
    rdatas: impl Iterator<Item = Fields<'m>>,
) {
    out.array(b"{\"rrname\":\"");
    write_owner(out);
    out.array(b"\",\"rrttl\":");
    out.decimal(ttl.into());
    if class != Class::IN || !SET_MIDDLES.write(rrtype.0, out) {
        out.array(b",\"rrclass\":\"");
        class.write(out);
        out.array(b"\",\"rrtype\":\"");
        rrtype.write(out);
        out.array(b"\",\"rdata\":[\"");
    }
    for fields in rdatas {
        rdata::write_fields::<true>(out, fields, rrtype, class);
        out.array(b"\",\"");
    }
    out.retract(2);
    out.array(b"]}");
}

impl Question<'_> {
    #[inline]
    fn write_json(&self, out: &mut TextBuffer) {
        out.array(b"{\"qname\":\"");
        self.write_name::<true>(out);
        if self.class == Class::IN && QUESTION_ENDS.write(self.rrtype.0, out) {
            return;
        }
        out.array(b"\",\"qclass\":\"");
        self.class.write(out);
        out.array(b"\",\"qtype\":\"");
        self.rrtype.write(out);
        out.array(b"\"}");
    }
}
