//! Messages as JSON (`rendering-and-parsing` §13.8).

use super::group::Groups;
use super::{FlagTexts, Message, Question, Record, Section};
use crate::name;
use crate::rdata::{self, Fields, edns};
use crate::text_buffer::Short;
use crate::{Class, RrType, TextBuffer};

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

/// Key of each section that holds records, with what comes before.
static SECTION_KEYS: [Short<32>; 3] = [
    Short::new(b"],\"answer\":["),
    Short::new(b"],\"authority\":["),
    Short::new(b"],\"additional\":["),
];

static FLAGS: FlagTexts<40> = FlagTexts::new("\"", "\"", ",");

impl Message<'_> {
    /// Appends the message as a JSON object without blanks. Records are gathered into sets of one
    /// owner, type and class, with their smallest time to live.
    pub fn write_json(&self, out: &mut TextBuffer, scratch: &mut MessageScratch) {
        self.write_json_header(out);
        out.array(b",\"question\":[");
        for (place, question) in self.questions().enumerate() {
            if place > 0 {
                out.byte(b',');
            }
            question.write_json(out);
        }
        for (section, key) in Section::RECORDS.into_iter().zip(&SECTION_KEYS) {
            out.short(key);
            if self.count(section) > 0 {
                self.write_json_sets(out, section, &mut scratch.groups);
            }
        }
        out.array(b"]}");
    }

    fn write_json_header(&self, out: &mut TextBuffer) {
        out.array(b"{\"header\":{\"opcode\":");
        self.opcode().write_json(out);
        out.array(b",\"rcode\":");
        self.rcode().write_json(out);
        out.array(b",\"id\":");
        out.decimal(self.id().into());
        out.array(b",\"flags\":[");
        out.short(FLAGS.get(self.flags()));
        out.byte(b']');
        if let Some(edns) = self.edns() {
            out.array(b",\"opt\":{\"edns\":{\"version\":");
            out.decimal(edns.version.into());
            out.array(b",\"flags\":[");
            if edns.dnssec_ok() {
                out.array(b"\"do\"");
            }
            out.array(b"],\"udp\":");
            out.decimal(edns.udp_size.into());
            out.array(b",\"options\":[");
            if !edns.options.is_empty() {
                edns::write_each::<true>(out, edns.options, b"\"", b"\",");
                out.retract(1);
            }
            out.array(b"]}}");
        }
        out.byte(b'}');
    }

    fn write_json_sets(&self, out: &mut TextBuffer, section: Section, groups: &mut Groups) {
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
    fn only_set(&self, section: Section) -> Option<Record<'_>> {
        let mut records = self.records(section);
        let mut first = records.next()?;
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

/// Appends an RRset.
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
    out.array(b",\"rrclass\":\"");
    class.write(out);
    out.array(b"\",\"rrtype\":\"");
    rrtype.write(out);
    out.array(b"\",\"rdata\":[");
    for fields in rdatas {
        out.byte(b'"');
        rdata::write_fields::<true>(out, fields, rrtype, class);
        out.array(b"\",");
    }
    out.retract(1);
    out.array(b"]}");
}

impl Question<'_> {
    fn write_json(&self, out: &mut TextBuffer) {
        out.array(b"{\"qname\":\"");
        self.write_name::<true>(out);
        out.array(b"\",\"qclass\":\"");
        self.class.write(out);
        out.array(b"\",\"qtype\":\"");
        self.rrtype.write(out);
        out.array(b"\"}");
    }
}
