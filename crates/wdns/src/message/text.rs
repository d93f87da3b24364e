//! Records and messages to text (`wdns` §8, `rendering-and-parsing` §13.7).

use super::{FlagTexts, Message, Question, Record, Section};
use crate::rdata::{self, edns};
use crate::text_buffer::Short;
use crate::{Class, RrType, TextBuffer};

/// The title line of each section that holds records, behind an empty line.
static TITLES: [Short<32>; 3] = [
    Short::new(b"\n;; ANSWER SECTION:\n"),
    Short::new(b"\n;; AUTHORITY SECTION:\n"),
    Short::new(b"\n;; ADDITIONAL SECTION:\n"),
];

static FLAGS: FlagTexts<24> = FlagTexts::new(" ", "", "");

/// Appends `;NAME CLASS TYPE` and a line end.
pub(crate) fn write_question_line(
    out: &mut TextBuffer,
    write_name: impl FnOnce(&mut TextBuffer),
    rrtype: RrType,
    class: Class,
) {
    out.byte(b';');
    write_name(out);
    out.byte(b' ');
    class.write(out);
    out.byte(b' ');
    rrtype.write(out);
    out.byte(b'\n');
}

/// Appends `NAME TTL CLASS TYPE RDATA` and a line end. Empty data of a structured type leaves no
/// blank behind the type.
#[inline]
pub(crate) fn write_record_line(
    out: &mut TextBuffer,
    write_name: impl FnOnce(&mut TextBuffer),
    (rrtype, class, ttl): (RrType, Class, u32),
    rdata: rdata::Fields,
) {
    write_name(out);
    out.byte(b' ');
    out.decimal(ttl.into());
    out.byte(b' ');
    class.write(out);
    out.byte(b' ');
    rrtype.write(out);
    if !rdata.is_empty() || rdata::ends_with_blank_when_empty(rrtype, class) {
        out.byte(b' ');
        rdata::write_fields::<false>(out, rdata, rrtype, class);
    }
    out.byte(b'\n');
}

impl Question<'_> {
    /// Appends `;NAME CLASS TYPE` and a line end.
    pub fn write_line(&self, out: &mut TextBuffer) {
        write_question_line(out, |out| self.write_name::<false>(out), self.rrtype, self.class);
    }
}

impl Record<'_> {
    /// Appends `NAME TTL CLASS TYPE RDATA` and a line end.
    pub fn write_line(&self, out: &mut TextBuffer) {
        let fixed = (self.rrtype, self.class, self.ttl);
        write_record_line(out, |out| self.write_owner::<false>(out), fixed, self.fields());
    }
}

impl Message<'_> {
    /// Appends the message as text: header lines, EDNS, then the sections under their titles.
    pub fn write_text(&self, out: &mut TextBuffer) {
        self.write_header(out);
        if let Some(edns) = self.edns() {
            out.array(b";; OPT PSEUDOSECTION:\n; EDNS: version: ");
            out.decimal(edns.version.into());
            out.array(b", flags:");
            if edns.dnssec_ok() {
                out.array(b" do");
            }
            out.array(b"; udp: ");
            out.decimal(edns.udp_size.into());
            out.byte(b'\n');
            edns::write_each::<false>(out, edns.options, b"; ", b"\n");
        }
        out.array(b";; QUESTION SECTION:\n");
        self.questions().for_each(|question| question.write_line(out));
        for (section, title) in Section::RECORDS.into_iter().zip(&TITLES) {
            out.short(title);
            self.records(section).for_each(|record| record.write_line(out));
        }
    }

    /// Appends the header lines and an empty one.
    fn write_header(&self, out: &mut TextBuffer) {
        out.array(b";; ->>HEADER<<- opcode: ");
        self.opcode().write(out);
        out.array(b", rcode: ");
        self.rcode().write(out);
        out.array(b", id: ");
        out.decimal(self.id().into());
        out.array(b"\n;; flags:");
        out.short(FLAGS.get(self.flags()));
        let count = |section| self.count(section) as u64;
        out.array(b"; QUERY: ");
        out.decimal(count(Section::Question));
        out.array(b", ANSWER: ");
        out.decimal(count(Section::Answer));
        out.array(b", AUTHORITY: ");
        out.decimal(count(Section::Authority));
        out.array(b", ADDITIONAL: ");
        out.decimal(count(Section::Additional));
        out.array(b"\n\n");
    }
}
