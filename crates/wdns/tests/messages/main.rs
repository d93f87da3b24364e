//! Messages: what is read and refused, text, JSON, RRsets, and hostile input.

mod dump;
mod hostile;
mod parsing;
mod rrsets;

use wdns::{Message, MessageScratch, ParseOptions, TextBuffer, name};

/// Puts messages together; nothing is compressed unless the octets say so.
#[derive(Clone)]
struct Builder {
    octets: Vec<u8>,
}

impl Builder {
    /// A header with these flags and nothing behind it.
    fn new(flags: u16) -> Self {
        let mut octets = vec![0, 1];
        octets.extend(flags.to_be_bytes());
        octets.extend([0; 8]);
        Self { octets }
    }

    /// Counts one more entry in a section.
    fn count(&mut self, section: usize) {
        let at = 4 + 2 * section;
        let count = u16::from_be_bytes([self.octets[at], self.octets[at + 1]]) + 1;
        self.octets[at..at + 2].copy_from_slice(&count.to_be_bytes());
    }

    fn question(mut self, owner: &[u8], rrtype: u16, class: u16) -> Self {
        self.count(0);
        self.octets.extend_from_slice(owner);
        self.octets.extend(rrtype.to_be_bytes());
        self.octets.extend(class.to_be_bytes());
        self
    }

    fn record(
        mut self,
        section: usize,
        owner: &[u8],
        (rrtype, class, ttl): (u16, u16, u32),
        rdata: &[u8],
    ) -> Self {
        self.count(section);
        self.octets.extend_from_slice(owner);
        self.octets.extend(rrtype.to_be_bytes());
        self.octets.extend(class.to_be_bytes());
        self.octets.extend(ttl.to_be_bytes());
        self.octets.extend((rdata.len() as u16).to_be_bytes());
        self.octets.extend_from_slice(rdata);
        self
    }

    /// A record in the answer section.
    fn answer(self, owner: &[u8], rrtype: u16, ttl: u32, rdata: &[u8]) -> Self {
        self.record(1, owner, (rrtype, 1, ttl), rdata)
    }

    fn text(&self) -> String {
        text_of(&Message::parse(&self.octets).expect("a sound message"))
    }

    fn legacy_text(&self) -> String {
        let mut options = ParseOptions::default();
        options.legacy_extended_rcode = true;
        text_of(&Message::parse_with(&self.octets, options).expect("a sound message"))
    }

    fn json(&self) -> String {
        let message = Message::parse(&self.octets).expect("a sound message");
        let mut out = TextBuffer::new();
        let mut scratch = MessageScratch::new();
        message.write_json(&mut out, &mut scratch);
        // The second use of the scratch room gives the same.
        let mut again = TextBuffer::new();
        message.write_json(&mut again, &mut scratch);
        assert_eq!(out.as_bytes(), again.as_bytes());
        out.to_string_lossy()
    }
}

fn text_of(message: &Message) -> String {
    let mut out = TextBuffer::new();
    message.write_text(&mut out);
    out.to_string_lossy()
}

fn wire(text: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    name::parse(text.as_bytes(), &mut wire).expect("a sound name");
    wire
}

/// Pointer to the first octet behind the header.
const FIRST: &[u8] = &[0xc0, 12];
