//! Fuzz bodies: ordinary functions that panic when a promise is broken, whatever the octets.

use crate::bpf::{Instruction, Program};
use crate::dnsqr::Config;
use crate::savefile::{Next, Reader};
use crate::{Converter, Message, ReassemblyLimits};
use nmsg::Timestamp;
use std::io::{self, Read};

type Encoded = (Timestamp, Vec<u8>);

/// Every capture is read to its end or to its damage; reading it octet by octet gives the same;
/// each frame is in one column; what comes out is bounded by what went in.
///
/// # Panics
///
/// When one of these does not hold.
pub fn check_capture(octets: &[u8]) {
    let zeroing = Config { zero_resolver_address: true, max_queries: 3, ..Config::default() };
    let make: [&dyn Fn() -> Converter; 5] = [
        &|| Converter::dnsqr(Config::default(), None),
        &|| Converter::dnsqr(zeroing.clone(), None),
        &|| Converter::ncap(ReassemblyLimits::default(), None),
        &|| Converter::packet(None),
        &|| Converter::pkt(None),
    ];
    for make in make {
        let (messages, error) = convert(octets, &mut make());
        let (again, error_again) = convert(Slow(octets, false), &mut make());
        assert!(messages == again, "reading in pieces differs");
        assert_eq!(error, error_again, "reading in pieces ends differently");
        let total: usize = messages.iter().map(|(_, message)| message.len()).sum();
        assert!(total <= 8 * octets.len(), "{total} octets out of {}", octets.len());
    }
}

fn convert(input: impl Read, converter: &mut Converter) -> (Vec<Encoded>, Option<String>) {
    let mut messages = Vec::new();
    let mut sink = |message: &Message<'_>| {
        let mut octets = Vec::new();
        message.encode(&mut octets);
        messages.push((message.time(), octets));
    };
    let mut reader = Reader::new(input);
    let error = loop {
        match reader.next_frame() {
            Ok(Next::Item(frame)) => {
                converter.frame(&frame, &mut sink);
            }
            Ok(Next::Pending) => {}
            Ok(Next::End) => break None,
            Err(error) => break Some(error.to_string()),
        }
    };
    converter.finish(&mut sink);
    let counters = converter.counters();
    assert!(counters.balances(), "a frame is in no column: {counters:?}");
    assert_eq!(counters.messages, messages.len() as u64, "a message was not counted");
    (messages, error)
}

/// Gives one octet at a time, with a pause before each.
struct Slow<'a>(&'a [u8], bool);

impl Read for Slow<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
        let Some(place) = out.first_mut() else { return Ok(0) };
        *place = *first;
        self.0 = rest;
        Ok(1)
    }
}

/// Instructions of eight octets each, up to a first one of all zeros; the rest is the packet.
/// What is accepted as a program ends, and gives the same twice.
///
/// # Panics
///
/// When that does not hold.
pub fn check_filter(octets: &[u8]) {
    let mut instructions = Vec::new();
    let (eights, tail) = octets.as_chunks::<8>();
    let mut packet = tail.to_vec();
    for (at, eight) in eights.iter().enumerate() {
        if *eight == [0; 8] {
            packet = octets[8 * (at + 1)..].to_vec();
            break;
        }
        let [c0, c1, jump_true, jump_false, k @ ..] = *eight;
        let code = u16::from_le_bytes([c0, c1]);
        instructions.push(Instruction { code, jump_true, jump_false, k: u32::from_le_bytes(k) });
    }
    if let Ok(program) = Program::new(instructions) {
        let result = program.run(&packet, 1500);
        assert_eq!(program.run(&packet, 1500), result);
    }
}
