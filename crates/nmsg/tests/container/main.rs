//! Containers through the public interface: what is read, what is written, what is survived.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod decoding;
mod endless;
mod fragments;
mod hostile;
mod reference;
mod streams;
mod worked_examples;
mod writing;

use nmsg::container::{
    ContainerBody, ContainerBuilder, Deflater, Header, MAX_BUFFER, StreamReader, write_fragments,
};
use nmsg::{Error, Limits, Payload};

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

/// A container with records of these bodies.
fn container(bodies: &[&[u8]]) -> Vec<u8> {
    let mut builder = ContainerBuilder::new(MAX_BUFFER, false);
    bodies.iter().for_each(|body| builder.push(&payload(body), nmsg::crc::crc32c(body)));
    builder.finish(None).unwrap().to_vec()
}

/// The same, compressed.
fn compressed(bodies: &[&[u8]]) -> Vec<u8> {
    let mut builder = ContainerBuilder::new(MAX_BUFFER, false);
    bodies.iter().for_each(|body| builder.push(&payload(body), nmsg::crc::crc32c(body)));
    builder.finish_zlib(None, &mut Deflater::new()).unwrap().to_vec()
}

/// The same container with the older header.
fn version_1(container: &[u8]) -> Vec<u8> {
    let length = u16::try_from(container.len() - 10).unwrap();
    [b"NMSG\x00\x01", &length.to_be_bytes()[..], &container[10..]].concat()
}

/// The containers of a body that leaves in fragments.
fn fragmented(container: &[u8], id: u32, slice_len: usize) -> Vec<Vec<u8>> {
    let (header, body) = Header::parse_message(container).unwrap();
    let mut out = Vec::new();
    let mut emit = |octets: &[u8]| {
        out.push(octets.to_vec());
        Ok::<(), Error>(())
    };
    write_fragments(body, header.flags, id, slice_len, &mut Vec::new(), &mut emit).unwrap();
    out
}

/// A stream read to its end: the bodies of all records whose checksum fits, as text, and what was
/// reported.
fn read_stream(octets: &[u8]) -> (Vec<String>, Vec<Error>) {
    let mut reader = StreamReader::new(&Limits::default());
    let mut result = (Vec::new(), Vec::new());
    reader.feed(octets);
    reader.end();
    drain(&mut reader, &mut result);
    assert!(reader.is_finished());
    result
}

fn drain(reader: &mut StreamReader, (bodies, errors): &mut (Vec<String>, Vec<Error>)) {
    while let Some(container) = reader.next_container() {
        match container {
            Ok(container) => {
                for record in container.payloads().filter(|record| record.crc_matches()) {
                    let body = record.payload.body.unwrap_or_default();
                    bodies.push(String::from_utf8_lossy(body).into_owned());
                }
            }
            Err(error) => errors.push(error),
        }
    }
}
