//! Containers through the public interface: what is read, what is written, what is survived.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod decoding;
mod worked_examples;

use nmsg::Payload;
use nmsg::container::ContainerBody;

/// A record with this body and made-up but fixed ids and time.
fn payload(body: &[u8]) -> Payload<'_> {
    Payload {
        vendor: nmsg::VendorId(1),
        msgtype: nmsg::MsgType(6),
        time: nmsg::Timestamp { sec: 1_704_164_645, nsec: 6 },
        body: Some(body),
        ..Payload::default()
    }
}

/// All records of an uncompressed container body.
fn records(octets: &[u8]) -> Result<Vec<nmsg::container::StoredPayload<'_>>, nmsg::wire::Error> {
    let mut index = ContainerBody::new();
    index.decode(octets)?;
    Ok((0..index.len()).filter_map(|position| index.get(position, octets)).collect())
}

/// The octets that a string of hexadecimal digits, blanks ignored, stands for.
fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|digit| !digit.is_ascii_whitespace()).collect();
    let value = |digit: u8| (digit as char).to_digit(16).expect("hexadecimal digit") as u8;
    digits.chunks(2).map(|pair| value(pair[0]) << 4 | value(pair[1])).collect()
}
