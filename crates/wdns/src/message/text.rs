//! Records and messages to text (`wdns` §8, `rendering-and-parsing` §13.7).

use super::{Edns, FlagTexts, Message, Question, Record, Section};
use crate::mnemonic::{Around, FREQUENT_TYPES, RCODES_KNOWN};
use crate::rdata::{self, edns};
use crate::{Class, Opcode, RrType, TextBuffer};

/// Up to the number, for the messages of opcode `QUERY`.
static HEADS: Around<RCODES_KNOWN, 64> =
    Around::rcodes(";; ->>HEADER<<- opcode: QUERY, rcode: ", ", id: ");

static FLAGS: FlagTexts<32> = FlagTexts::new((" ", "", ""), "\n;; flags:", "");

/// Class `IN` and the type of a question, with the end of the line.
static QUESTION_ENDS: Around<FREQUENT_TYPES, 16> = Around::rrtypes(" IN ", "\n");

/// Class `IN` and the type of a record.
static RECORD_MIDDLES: Around<FREQUENT_TYPES, 16> = Around::rrtypes(" IN ", "");

/// Appends `;NAME CLASS TYPE` and a line end.
pub(crate) fn write_question_line(
    out: &mut TextBuffer,
    write_name: impl FnOnce(&mut TextBuffer),
    rrtype: RrType,
    class: Class,
) {
    out.byte(b';');
    write_name(out);
    if class == Class::IN && QUESTION_ENDS.write(rrtype.0, out) {
        return;
    }
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
    if class != Class::IN || !RECORD_MIDDLES.write(rrtype.0, out) {
        out.byte(b' ');
        class.write(out);
        out.byte(b' ');
        rrtype.write(out);
    }
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
        match self.edns() {
            Some(edns) => write_edns(out, edns),
            None => out.array(b";; QUESTION SECTION:\n"),
        }
        self.questions().for_each(|question| question.write_line(out));
        match Section::RECORDS.map(|section| self.count(section)) {
            [0, 0, 0] => out.array(
                b"\n;; ANSWER SECTION:\n\n;; AUTHORITY SECTION:\n\n;; ADDITIONAL SECTION:\n",
            ),
            [_, 0, 0] => {
                out.array(b"\n;; ANSWER SECTION:\n");
                self.write_records(out, Section::Answer);
                out.array(b"\n;; AUTHORITY SECTION:\n\n;; ADDITIONAL SECTION:\n");
            }
            _ => {
                out.array(b"\n;; ANSWER SECTION:\n");
                self.write_records(out, Section::Answer);
                out.array(b"\n;; AUTHORITY SECTION:\n");
                self.write_records(out, Section::Authority);
                out.array(b"\n;; ADDITIONAL SECTION:\n");
                self.write_records(out, Section::Additional);
            }
        }
    }

    #[inline(never)]
    fn write_records(&self, out: &mut TextBuffer, section: Section) {
        self.records(section).for_each(|record| record.write_line(out));
    }

    /// Appends the header lines and an empty one.
    #[inline]
    fn write_header(&self, out: &mut TextBuffer) {
        if self.opcode() != Opcode::QUERY || !HEADS.write(self.rcode().0, out) {
            out.array(b";; ->>HEADER<<- opcode: ");
            self.opcode().write(out);
            out.array(b", rcode: ");
            self.rcode().write(out);
            out.array(b", id: ");
        }
        out.decimal(self.id().into());
        out.short(FLAGS.get(self.flags()));
        self.write_counts(out);
    }

    /// Appends the numbers of entries, the end of their line and an empty one.
    #[inline]
    fn write_counts(&self, out: &mut TextBuffer) {
        const TEXT: &[u8; 52] = b"; QUERY: 0, ANSWER: 0, AUTHORITY: 0, ADDITIONAL: 0\n\n";
        /// Where the numbers stand in it.
        const PLACES: [usize; 4] = [9, 20, 34, 49];
        let counts = self.sections.map(|span| span.count);
        if counts.iter().all(|&count| count < 10) {
            return out.fill(|window| {
                *window = *TEXT;
                for (place, count) in PLACES.into_iter().zip(counts) {
                    window[place] = b'0' + count as u8;
                }
                TEXT.len() as u8
            });
        }
        let [questions, answers, authorities, additionals] = counts.map(u64::from);
        out.array(b"; QUERY: ");
        out.decimal(questions);
        out.array(b", ANSWER: ");
        out.decimal(answers);
        out.array(b", AUTHORITY: ");
        out.decimal(authorities);
        out.array(b", ADDITIONAL: ");
        out.decimal(additionals);
        out.array(b"\n\n");
    }
}

/// Appends what EDNS says, up to the title of the question.
#[inline]
fn write_edns(out: &mut TextBuffer, edns: &Edns) {
    if edns.version == 0 && edns.dnssec_ok() {
        out.array(b";; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags: do; udp: ");
    } else {
        out.array(b";; OPT PSEUDOSECTION:\n; EDNS: version: ");
        out.decimal(edns.version.into());
        let flags: &[u8] = if edns.dnssec_ok() { b", flags: do" } else { b", flags:" };
        out.bytes(flags);
        out.array(b"; udp: ");
    }
    out.decimal(edns.udp_size.into());
    if edns.options.is_empty() {
        return out.array(b"\n;; QUESTION SECTION:\n");
    }
    out.byte(b'\n');
    edns::write_each::<false>(out, edns.options, b"; ", b"\n");
    out.array(b";; QUESTION SECTION:\n");
}
