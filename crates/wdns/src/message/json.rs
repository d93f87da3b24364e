//! Messages as JSON (`rendering-and-parsing` §13.8).

use super::group::Groups;
use super::{Message, Question, Section};
use crate::name;
use crate::rdata::{self, Fields, edns};
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
const SECTION_KEYS: [&[u8]; 3] = [b"],\"answer\":[", b"],\"authority\":[", b"],\"additional\":["];

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
        for (section, key) in Section::RECORDS.into_iter().zip(SECTION_KEYS) {
            out.bytes(key);
            if self.count(section) > 0 {
                self.write_json_sets(out, section, &mut scratch.groups);
            }
        }
        out.array(b"]}");
    }

    fn write_json_header(&self, out: &mut TextBuffer) {
        out.array(b"{\"header\":{\"opcode\":");
        let opcode = self.opcode();
        write_maybe_quoted(out, opcode.mnemonic().is_some(), |out| opcode.write(out));
        out.array(b",\"rcode\":");
        let rcode = self.rcode();
        write_maybe_quoted(out, rcode.mnemonic().is_some(), |out| rcode.write(out));
        out.array(b",\"id\":");
        out.decimal(self.id().into());
        out.array(b",\"flags\":[");
        for (place, name) in self.flags().names().enumerate() {
            out.bytes(if place == 0 { b"\"" } else { b",\"" });
            out.bytes(name.as_bytes());
            out.byte(b'"');
        }
        out.byte(b']');
        if let Some(edns) = self.edns() {
            out.bytes(b",\"opt\":{\"edns\":{\"version\":");
            out.decimal(edns.version.into());
            out.array(b",\"flags\":[");
            if edns.dnssec_ok() {
                out.array(b"\"do\"");
            }
            out.array(b"],\"udp\":");
            out.decimal(edns.udp_size.into());
            out.array(b",\"options\":[");
            let start = out.len();
            edns::write_each::<true>(out, edns.options, b"\"", b"\",");
            if out.len() > start {
                out.truncate(out.len() - 1);
            }
            out.array(b"]}}");
        }
        out.byte(b'}');
    }

    fn write_json_sets(&self, out: &mut TextBuffer, section: Section, groups: &mut Groups) {
        groups.gather(self.records(section));
        for (place, set) in groups.sets().enumerate() {
            out.bytes(if place == 0 { b"{\"rrname\":\"" } else { b",{\"rrname\":\"" });
            name::write::<true>(out, groups.owner(set));
            out.array(b"\",\"rrttl\":");
            out.decimal(set.ttl.into());
            out.array(b",\"rrclass\":\"");
            set.class.write(out);
            out.array(b"\",\"rrtype\":\"");
            set.rrtype.write(out);
            out.array(b"\",\"rdata\":[");
            for (place, (at, end)) in groups.members(set).enumerate() {
                out.bytes(if place == 0 { b"\"" } else { b",\"" });
                let fields = Fields::in_message(self.octets, at, end, self.chains.as_ref());
                rdata::write_fields::<true>(out, fields, set.rrtype, set.class);
                out.byte(b'"');
            }
            out.array(b"]}");
        }
    }
}

/// Appends what `write` appends, in quotes if wanted.
fn write_maybe_quoted(out: &mut TextBuffer, quoted: bool, write: impl FnOnce(&mut TextBuffer)) {
    if quoted {
        out.byte(b'"');
    }
    write(out);
    if quoted {
        out.byte(b'"');
    }
}

impl Question<'_> {
    fn write_json(&self, out: &mut TextBuffer) {
        out.array(b"{\"qname\":\"");
        self.write_name::<true>(out);
        write_class_and_type(out, self.class, self.rrtype);
    }
}

fn write_class_and_type(out: &mut TextBuffer, class: Class, rrtype: RrType) {
    out.array(b"\",\"qclass\":\"");
    class.write(out);
    out.array(b"\",\"qtype\":\"");
    rrtype.write(out);
    out.array(b"\"}");
}
