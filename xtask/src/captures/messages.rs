//! Messages as both programs write them, and the changes that decisions make to them.

use std::net::IpAddr;

use nmsg::Limits;
use nmsg::container::StreamReader;
use nmsg::wire::put_fixed64_field;
use nmsg::wire::{RawField, RawValue, Reader, put_fixed32_field, put_len_field, put_varint_field};

/// One message: seconds and nanoseconds, and what it holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Message {
    pub(super) time: (i64, u32),
    pub(super) body: Vec<u8>,
}

/// Fields of `base:dnsqr`.
pub(super) mod field {
    pub(in super::super) const TYPE: u32 = 1;
    pub(in super::super) const QUERY_IP: u32 = 2;
    pub(in super::super) const QUERY_PACKET: u32 = 12;
    pub(in super::super) const RESPONSE_PACKET: u32 = 15;
    pub(in super::super) const RESPONSE_TIME_SEC: u32 = 16;
    pub(in super::super) const RESPONSE_TIME_NSEC: u32 = 17;
    pub(in super::super) const TCP: u32 = 18;
    pub(in super::super) const ICMP: u32 = 19;
    pub(in super::super) const ADDRESS_ZEROED: u32 = 22;
}

/// Values of the field `type` of `base:dnsqr`.
const TYPE_TCP: u64 = 4;
const TYPE_ICMP: u64 = 5;

/// Reads every message of a stream of containers; `None` when it is damaged.
pub(crate) fn read(octets: &[u8]) -> Option<Vec<Message>> {
    let mut reader = StreamReader::new(&Limits::default());
    reader.feed(octets);
    reader.end();
    let mut messages = Vec::new();
    while let Some(container) = reader.next_container() {
        for stored in container.ok()?.payloads() {
            if !stored.crc_matches() {
                return None;
            }
            let time = stored.payload.time;
            let body = stored.payload.body.unwrap_or_default().to_vec();
            messages.push(Message { time: (time.sec, time.nsec), body });
        }
    }
    Some(messages)
}

fn fields(body: &[u8]) -> Vec<RawField<'_>> {
    let mut reader = Reader::new(body);
    std::iter::from_fn(|| reader.field().ok().flatten()).collect()
}

impl Message {
    /// The octets of a field.
    pub(super) fn octets(&self, number: u32) -> Option<&[u8]> {
        let field = fields(&self.body).into_iter().find(|field| field.number == number)?;
        field.value.octets().ok()
    }

    /// The field `type`.
    pub(crate) fn kind(&self) -> u64 {
        let kind = fields(&self.body).into_iter().find(|field| field.number == field::TYPE);
        kind.and_then(|field| field.value.varint().ok()).unwrap_or(0)
    }

    pub(super) fn is_icmp(&self) -> bool {
        self.kind() == TYPE_ICMP
    }

    /// The message without some of its fields.
    pub(super) fn without(&self, numbers: &[u32]) -> Self {
        let mut body = Vec::new();
        for field in fields(&self.body) {
            if !numbers.contains(&field.number) {
                put(&mut body, &field, field.value);
            }
        }
        Self { time: self.time, body }
    }

    /// The message with its times cut to microseconds.
    pub(super) fn to_microseconds(&self) -> Self {
        let (sec, nsec) = self.time;
        Self { time: (sec, nsec / 1000 * 1000), body: self.body.clone() }
    }

    /// The message without the address that asks; `None` when it cannot be told from the other.
    pub(super) fn zeroed(&self) -> Option<Self> {
        let mut body = Vec::new();
        for field in fields(&self.body) {
            let changed = match (field.number, field.value) {
                (field::QUERY_IP, RawValue::Len(ip)) if self.kind() != TYPE_TCP => {
                    vec![0; ip.len()]
                }
                (field::QUERY_PACKET, RawValue::Len(packet)) => wiped(packet, true),
                (field::RESPONSE_PACKET, RawValue::Len(packet)) => wiped(packet, false),
                (field::TCP, RawValue::Len(packet)) => {
                    let facts = Facts::of(packet)?;
                    let (source, destination) = facts.ports?;
                    if source == destination {
                        return None;
                    }
                    wiped(packet, destination == 53)
                }
                (_, value) => {
                    put(&mut body, &field, value);
                    continue;
                }
            };
            put(&mut body, &field, RawValue::Len(&changed));
        }
        put_varint_field(&mut body, field::ADDRESS_ZEROED, 1);
        Some(Self { time: self.time, body })
    }
}

fn put(out: &mut Vec<u8>, field: &RawField<'_>, value: RawValue<'_>) {
    match value {
        RawValue::Varint(number) => put_varint_field(out, field.number, number),
        RawValue::Fixed32(number) => put_fixed32_field(out, field.number, number),
        RawValue::Fixed64(number) => put_fixed64_field(out, field.number, number),
        RawValue::Len(octets) => put_len_field(out, field.number, octets),
    }
}

/// A packet with one of its addresses all zero.
fn wiped(packet: &[u8], is_source: bool) -> Vec<u8> {
    let mut packet = packet.to_vec();
    let (source, len) = if packet[0] >> 4 == 6 { (8, 16) } else { (12, 4) };
    let at = if is_source { source } else { source + len };
    packet[at..at + len].fill(0);
    packet
}

/// What a filter may ask about a packet.
pub(super) struct Facts {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) is_fragment: bool,
    /// The protocol behind the IP header, or behind the fragment header that follows it.
    pub(super) protocol: u8,
    pub(super) ports: Option<(u16, u16)>,
}

impl Facts {
    /// `None` for what is no IP packet.
    pub(super) fn of(packet: &[u8]) -> Option<Self> {
        let pair = |at: usize| Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]));
        let (source, destination, is_fragment, protocol, body) = match packet.first()? >> 4 {
            4 => {
                let addresses: &[u8; 8] = packet.get(12..20)?.first_chunk()?;
                let [a, b, c, d, e, f, g, h] = *addresses;
                let is_fragment = pair(6)? & 0x3fff != 0;
                let body = usize::from(packet[0] & 15) * 4;
                (
                    IpAddr::from([a, b, c, d]),
                    IpAddr::from([e, f, g, h]),
                    is_fragment,
                    packet[9],
                    body,
                )
            }
            6 => {
                let address = |at: usize| -> Option<IpAddr> {
                    Some(IpAddr::from(*packet.get(at..)?.first_chunk::<16>()?))
                };
                let is_fragment = packet[6] == 44;
                let protocol = if is_fragment { *packet.get(40)? } else { packet[6] };
                (address(8)?, address(24)?, is_fragment, protocol, 40)
            }
            _ => return None,
        };
        let has_ports = !is_fragment && matches!(protocol, 6 | 17);
        let ports = has_ports.then(|| Some((pair(body)?, pair(body + 2)?))).flatten();
        Some(Self { source, destination, is_fragment, protocol, ports })
    }
}
