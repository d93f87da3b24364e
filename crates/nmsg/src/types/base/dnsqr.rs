//! `base:dnsqr`: a DNS query and its response, with the packets that carried them
//! (`message-types` §3.9).

use std::borrow::Cow;

use crate::datagram::{Family, StoredPackets, UdpChecksum, udp_checksum, udp_datagram};
use crate::index::Slot;
use crate::schema::FieldType::{Bool, Bytes, Double, Enum, Int32, Int64, Ip, Uint16};
use crate::schema::{EnumValue, Field, FieldFlags, Form, MessageType, Storage, enum_values};
use crate::types::BASE;
use crate::view::{self, Value, View};

/// What the record holds.
pub const DNSQR_TYPE: &[EnumValue] = enum_values!(
    c"UDP_INVALID" = 0,
    c"UDP_QUERY_RESPONSE" = 1,
    c"UDP_UNANSWERED_QUERY" = 2,
    c"UDP_UNSOLICITED_RESPONSE" = 3,
    c"TCP" = 4,
    c"ICMP" = 5,
    c"UDP_QUERY_ONLY" = 6,
    c"UDP_RESPONSE_ONLY" = 7,
);

/// Verdict on the UDP checksum of the response.
pub const UDP_CHECKSUM: &[EnumValue] =
    enum_values!(c"ERROR" = 0, c"ABSENT" = 1, c"INCORRECT" = 2, c"CORRECT" = 3);

/// Declaration of the type.
pub const TYPE: MessageType = MessageType::new(BASE, (9, c"dnsqr"), FIELDS).derive(derive);

const UDP_QUERY_RESPONSE: i32 = 1;

const KIND: u32 = 1;
const QUERY_IP: u32 = 2;
const RESPONSE_IP: u32 = 3;
const QUERY_PACKET: u32 = 12;
const QUERY_TIME_SEC: u32 = 13;
const QUERY_TIME_NSEC: u32 = 14;
const RESPONSE_PACKET: u32 = 15;
const RESPONSE_TIME_SEC: u32 = 16;
const RESPONSE_TIME_NSEC: u32 = 17;
const CHECKSUM: u32 = 21;
const ADDRESS_ZEROED: u32 = 22;

const FIELDS: &[Field] = &[
    Field::required(c"type", KIND, Enum).named(DNSQR_TYPE),
    Field::required(c"query_ip", QUERY_IP, Ip),
    Field::required(c"response_ip", RESPONSE_IP, Ip),
    Field::required(c"proto", 4, Uint16).form(Form::Protocol),
    Field::required(c"query_port", 5, Uint16),
    Field::required(c"response_port", 6, Uint16),
    Field::required(c"id", 7, Uint16),
    Field::optional(c"qname", 8, Bytes).form(Form::Name),
    Field::optional(c"qclass", 10, Uint16).form(Form::Class),
    Field::optional(c"qtype", 9, Uint16).form(Form::RrType),
    Field::optional(c"rcode", 11, Uint16).form(Form::Rcode),
    Field::repeated(c"query_packet", QUERY_PACKET, Bytes).flag(FieldFlags::NO_PRINT),
    Field::repeated(c"query_time_sec", QUERY_TIME_SEC, Int64).flag(FieldFlags::NO_PRINT),
    Field::repeated(c"query_time_nsec", QUERY_TIME_NSEC, Int32)
        .stored_as(Storage::Sfixed32)
        .flag(FieldFlags::NO_PRINT),
    Field::repeated(c"response_packet", RESPONSE_PACKET, Bytes).flag(FieldFlags::NO_PRINT),
    Field::repeated(c"response_time_sec", RESPONSE_TIME_SEC, Int64).flag(FieldFlags::NO_PRINT),
    Field::repeated(c"response_time_nsec", RESPONSE_TIME_NSEC, Int32)
        .stored_as(Storage::Sfixed32)
        .flag(FieldFlags::NO_PRINT),
    Field::optional(c"timeout", 20, Double),
    Field::computed(c"delay", Double, delay),
    Field::optional(c"udp_checksum", CHECKSUM, Enum).named(UDP_CHECKSUM).getter(checksum),
    Field::optional(c"resolver_address_zeroed", ADDRESS_ZEROED, Bool),
    Field::computed(c"query", Bytes, query).form(Form::DnsMessage),
    Field::computed(c"query_json", Bytes, query)
        .form(Form::DnsJson)
        .flag(FieldFlags::FORMAT_RAW)
        .flag(FieldFlags::NO_PRINT),
    Field::computed(c"response", Bytes, response).form(Form::DnsMessage),
    Field::computed(c"response_json", Bytes, response)
        .form(Form::DnsJson)
        .flag(FieldFlags::FORMAT_RAW)
        .flag(FieldFlags::NO_PRINT),
    Field::computed(c"dns", Bytes, response).flag(FieldFlags::NO_PRINT),
    Field::optional(c"tcp", 18, Bytes).flag(FieldFlags::NO_PRINT),
    Field::optional(c"icmp", 19, Bytes).flag(FieldFlags::NO_PRINT),
];

/// Position of the field with a number.
const fn at(number: u32) -> usize {
    let mut at = 0;
    while !matches!(FIELDS[at].tag, Some(tag) if tag == number) {
        at += 1;
    }
    at
}

/// UDP payloads of the stored packets.
#[derive(Debug, Default)]
pub struct Derived<'a> {
    query: Option<&'a [u8]>,
    response: Option<Cow<'a, [u8]>>,
}

fn derive(view: View<'_>) -> view::Derived<'_> {
    view::Derived::DnsQr(Derived { query: query_payload(view), response: response_payload(view) })
}

fn query_payload(view: View<'_>) -> Option<&[u8]> {
    if view.stored_count(const { at(QUERY_PACKET) }) != 1 {
        return None;
    }
    let family = Family::of_address(view.octets_at(const { at(QUERY_IP) })?)?;
    Some(udp_datagram(view.octets_at(const { at(QUERY_PACKET) })?, family)?.payload)
}

fn response_payload(view: View<'_>) -> Option<Cow<'_, [u8]>> {
    let family = || Family::of_address(view.octets_at(const { at(RESPONSE_IP) })?);
    match view.stored_count(const { at(RESPONSE_PACKET) }) {
        0 => None,
        1 => {
            let packet = view.octets_at(const { at(RESPONSE_PACKET) })?;
            Some(Cow::Borrowed(udp_datagram(packet, family()?)?.payload))
        }
        _ => {
            let packets = view.values_by_tag(RESPONSE_PACKET).filter_map(Value::octets);
            let mut stored = StoredPackets::default();
            let datagram = stored.udp_datagram(packets, family()?)?;
            Some(Cow::Owned(datagram.payload.to_vec()))
        }
    }
}

fn query<'d, 'a>(derived: &'d view::Derived<'a>, _: &View<'a>, index: usize) -> Option<Value<'d>> {
    match derived {
        view::Derived::DnsQr(derived) if index == 0 => derived.query.map(Value::Octets),
        _ => None,
    }
}

fn response<'d, 'a>(
    derived: &'d view::Derived<'a>,
    _: &View<'a>,
    index: usize,
) -> Option<Value<'d>> {
    match derived {
        view::Derived::DnsQr(derived) if index == 0 => {
            derived.response.as_deref().map(Value::Octets)
        }
        _ => None,
    }
}

/// Seconds from the query to the last packet of the response, never below 0.
fn delay<'d, 'a>(_: &'d view::Derived<'a>, view: &View<'a>, index: usize) -> Option<Value<'d>> {
    let kind = view.slot(const { at(KIND) }).number() as i32;
    let [query_sec, query_nsec, response_sec, response_nsec] = const {
        [at(QUERY_TIME_SEC), at(QUERY_TIME_NSEC), at(RESPONSE_TIME_SEC), at(RESPONSE_TIME_NSEC)]
    }
    .map(|field| view.slot(field));
    if index != 0
        || kind != UDP_QUERY_RESPONSE
        || (query_sec.count(), query_nsec.count()) != (1, 1)
        || response_sec.count() != response_nsec.count()
    {
        return None;
    }
    let time = |sec: Slot, nsec: Slot| (sec.number() as i64, i64::from(nsec.number() as i32));
    let (query_sec, query_nsec) = time(query_sec, query_nsec);
    let since_query = |(sec, nsec): (i64, i64)| {
        let (sec, nsec) = (sec.wrapping_sub(query_sec), nsec - query_nsec);
        // Borrowing a second first decides how the sum is rounded.
        let borrowed = i64::from(nsec < 0);
        sec.wrapping_sub(borrowed) as f64 + (nsec + borrowed * 1_000_000_000) as f64 / 1e9
    };
    if response_sec.count() == 1 {
        return Some(Value::Double(since_query(time(response_sec, response_nsec))));
    }
    if response_sec.count() == 0 {
        return None;
    }
    let signed = |value: Value<'_>| if let Value::Signed(number) = value { number } else { 0 };
    let times = view.values_by_tag(RESPONSE_TIME_SEC);
    let times = times.zip(view.values_by_tag(RESPONSE_TIME_NSEC));
    let times = times.map(|(sec, nsec)| (signed(sec), signed(nsec)));
    Some(Value::Double(times.map(since_query).fold(0.0, f64::max)))
}

/// The stored verdict, or else what the response packets say.
fn checksum<'d, 'a>(_: &'d view::Derived<'a>, view: &View<'a>, index: usize) -> Option<Value<'d>> {
    if index != 0 || view.stored_count(const { at(RESPONSE_PACKET) }) == 0 {
        return None;
    }
    let stored = view.slot(const { at(CHECKSUM) });
    if !stored.is_empty() {
        return Some(Value::Enum(stored.number() as i32));
    }
    let verdict = if view.value_by_tag(ADDRESS_ZEROED) == Some(Value::Bool(true)) {
        UdpChecksum::Error
    } else {
        udp_checksum(view.values_by_tag(RESPONSE_PACKET).filter_map(Value::octets))
    };
    Some(Value::Enum(verdict as i32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::FieldIndex;
    use crate::view::Message;
    use crate::{MessageBuilder, Registry};

    /// The delay of responses at seconds and nanoseconds, the query being at 1000.940887.
    fn delay_of(responses: &[(i64, i64)]) -> Option<f64> {
        let registry = Registry::builtin();
        let schema = registry.find(b"base", b"dnsqr").unwrap();
        let mut builder = MessageBuilder::new(schema.clone());
        let mut push = |name: &[u8], value| {
            builder.push(schema.field_index(name).unwrap(), value).unwrap();
        };
        push(b"type", Value::Enum(UDP_QUERY_RESPONSE));
        push(b"query_time_sec", Value::Signed(1000));
        push(b"query_time_nsec", Value::Signed(940_887_000));
        for &(sec, nsec) in responses {
            push(b"response_time_sec", Value::Signed(sec));
            push(b"response_time_nsec", Value::Signed(nsec));
        }
        let mut body = Vec::new();
        builder.encode(&mut body);
        let mut index = FieldIndex::new();
        let message = Message::new(View::new(schema, &body, &mut index).unwrap());
        match message.get_by_name(b"delay", 0)? {
            Value::Double(delay) => Some(delay),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_delay_is_whole_seconds_and_a_positive_fraction() {
        for (name, responses, want) in [
            ("same second", &[(1000, 973_913_000)][..], Some(0.033_026)),
            ("across a second", &[(1001, 348_000)], Some(0.059_461)),
            ("before the query", &[(1000, 440_887_000)], Some(-0.5)),
            ("largest of several", &[(1001, 0), (1001, 348_000), (1000, 0)], Some(0.059_461)),
            ("several before the query", &[(999, 0), (998, 0)], Some(0.0)),
            ("none", &[], None),
        ] {
            assert_eq!(delay_of(responses), want, "{name}");
        }
    }
}
