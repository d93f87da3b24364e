//! What several integration tests share.

use nmsg::Timestamp;
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
            Ok(Next::Item(frame)) => {
                converter.frame(&frame, &mut sink);
            }
            Ok(Next::Pending) => {}
            Ok(Next::End) => break None,
            Err(error) => break Some(error),
        }
    };
    converter.finish(&mut sink);
    (messages, error)
}
