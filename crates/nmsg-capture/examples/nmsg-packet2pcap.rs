//! Writes the packets inside `base:packet` messages into a pcap file, each with the time of its message.
//!
//! `nmsg-packet2pcap IN.nmsg OUT.pcap`

pub(crate) mod shared;

use nmsg::{MsgType, Timestamp, Value, View};
use shared::Capture;
use std::io;
use std::process::ExitCode;

/// `base:packet`.
pub(crate) const PACKET: MsgType = MsgType(12);

/// The only kind of payload that fits the capture. Messages without a kind are of it.
const IP: i32 = 1;

fn main() -> ExitCode {
    shared::main(PACKET, write_packet)
}

pub(crate) fn write_packet(
    view: &View<'_>,
    time: Timestamp,
    capture: &mut Capture,
) -> io::Result<()> {
    let stored = |field: &str| view.stored(view.schema().field_index(field.as_bytes())?);
    let is_ip = match stored("payload_type") {
        Some(Value::Enum(kind)) => kind == IP,
        _ => true,
    };
    match stored("payload").and_then(Value::octets) {
        Some(packet) if is_ip => capture.write(time, packet),
        _ => Ok(()),
    }
}
