//! What several integration tests share.

use nmsg::container::{ContainerBody, Header, Inflater};
use nmsg::{Limits, Timestamp};
use nmsg_capture::savefile::{Error, Next, Reader};
use nmsg_capture::{Converter, Message};

/// One message: when, and its encoded octets.
pub(crate) type Encoded = (Timestamp, Vec<u8>);

/// Runs a capture through a converter to its end, damaged or not.
pub(crate) fn convert(capture: &[u8], converter: &mut Converter) -> (Vec<Encoded>, Option<Error>) {
    let mut messages = Vec::new();
    let mut sink = |message: &Message<'_>| {
        let mut octets = Vec::new();
        message.encode(&mut octets);
        messages.push((message.time(), octets));
    };
    let mut reader = Reader::new(capture);
    let error = loop {
        match reader.next_frame() {
            Ok(Next::Item(frame)) => converter.frame(&frame, &mut sink),
            Ok(Next::Pending) => {}
            Ok(Next::End) => break None,
            Err(error) => break Some(error),
        }
    };
    converter.finish(&mut sink);
    (messages, error)
}

/// Reads every record of an NMSG file.
#[expect(clippy::unwrap_used, reason = "fixtures are whole")]
pub(crate) fn records(mut file: &[u8]) -> Vec<Encoded> {
    let mut records = Vec::new();
    let mut inflated = Vec::new();
    let mut body = ContainerBody::new();
    while let Some(header) = Header::parse(file).unwrap() {
        let (octets, rest) = file[header.len()..].split_at(header.body_len as usize);
        file = rest;
        let octets = if header.flags.is_zlib() {
            Inflater::new().inflate(octets, &mut inflated, &Limits::default()).unwrap();
            &inflated
        } else {
            octets
        };
        body.decode(octets).unwrap();
        for stored in body.payloads(octets) {
            records.push((stored.payload.time, stored.payload.body.unwrap().to_vec()));
        }
    }
    records
}
