//! Record data: text out, text in, damage, options, and round trips of every type.

mod both_ways;
mod damage;
mod input;
mod round_trips;

use wdns::{Class, Error, RrType, TextBuffer, rdata};

/// The octets of hex digits.
fn hex(digits: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    wdns::codec::hex_decode(digits.as_bytes(), &mut octets).expect("hex digits in pairs");
    octets
}

/// Text of record data, appended to other text.
fn text(rrtype: RrType, class: Class, octets: &[u8]) -> String {
    let mut out = TextBuffer::new();
    out.bytes(b"> ");
    rdata::write::<false>(&mut out, octets, rrtype, class);
    out.to_string_lossy().split_off(2)
}

/// Text of record data as the inside of a JSON string.
fn json(rrtype: RrType, class: Class, octets: &[u8]) -> String {
    let mut out = TextBuffer::new();
    rdata::write::<true>(&mut out, octets, rrtype, class);
    out.to_string_lossy()
}

/// Wire form of text; an error must not leave octets behind.
fn wire(rrtype: RrType, class: Class, text: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = vec![7];
    let result = rdata::parse(text, rrtype, class, &mut out);
    assert_eq!(out.remove(0), 7);
    assert!(result.is_ok() || out.is_empty(), "an error appends nothing");
    result.map(|()| out)
}
