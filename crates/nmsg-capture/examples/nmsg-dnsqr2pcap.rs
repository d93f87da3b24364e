//! Writes the packets inside `base:dnsqr` messages into a pcap file: of each message the packets of the
//! query, those of the response, ICMP and TCP, in this order, each with its own time.
//!
//! `nmsg-dnsqr2pcap IN.nmsg OUT.pcap`

pub(crate) mod shared;

use nmsg::{MsgType, Timestamp, Value, View};
use shared::Capture;
use std::io;
use std::process::ExitCode;

/// `base:dnsqr`.
pub(crate) const DNSQR: MsgType = MsgType(9);

fn main() -> ExitCode {
    shared::main(DNSQR, write_packets)
}

pub(crate) fn write_packets(
    view: &View<'_>,
    message_time: Timestamp,
    capture: &mut Capture,
) -> io::Result<()> {
    for side in ["query", "response"] {
        let values = |field: &str| stored(view, &format!("{side}_{field}"));
        let mut times = values("time_sec").zip(values("time_nsec")).filter_map(time);
        for packet in values("packet").filter_map(Value::octets) {
            // Readers of messages with fewer times than packets make do with that of the message.
            capture.write(times.next().unwrap_or(message_time), packet)?;
        }
    }
    for field in ["icmp", "tcp"] {
        for packet in stored(view, field).filter_map(Value::octets) {
            capture.write(message_time, packet)?;
        }
    }
    Ok(())
}

fn time(stored: (Value<'_>, Value<'_>)) -> Option<Timestamp> {
    let (Value::Signed(sec), Value::Signed(nsec)) = stored else { return None };
    Some(Timestamp { sec, nsec: u32::try_from(nsec).ok()? })
}

fn stored<'a>(view: &View<'a>, field: &str) -> impl Iterator<Item = Value<'a>> + use<'a> {
    let position = view.schema().field_index(field.as_bytes());
    let view = *view;
    position.into_iter().flat_map(move |position| view.stored_values(position))
}
