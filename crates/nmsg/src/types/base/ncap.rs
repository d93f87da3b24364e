//! `base:ncap`: a captured datagram (`message-types` §3.1).

use wdns::TextBuffer;

use crate::datagram::{Family, IpPacket, OuterHeader, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP};
use crate::datagram::{Transport, UdpDatagram};
use crate::render::{Line, address};
use crate::schema::FieldType::{Bytes, Enum, Ip, Uint16, Uint32};
use crate::schema::{EnumValue, Field, FieldFlags, Form, Getter, MessageType, enum_values};
use crate::types::BASE;
use crate::view::{self, Value, View};

/// What the payload is.
pub const NCAP_TYPE: &[EnumValue] = enum_values!(c"IPV4" = 0, c"IPV6" = 1, c"Legacy" = 2);

/// Transport of a legacy record.
pub const NCAP_LEGACY_TYPE: &[EnumValue] = enum_values!(c"UDP" = 0, c"TCP" = 1, c"ICMP" = 2);

/// Declaration of the type.
pub const TYPE: MessageType = MessageType::new(BASE, (1, c"ncap"), FIELDS).derive(derive);

const KIND: u32 = 1;
const PAYLOAD: u32 = 2;
const LEGACY_KIND: u32 = 3;
const SRCIP: u32 = 4;
const DSTIP: u32 = 5;
const LINT0: u32 = 6;
const LINT1: u32 = 7;

const FIELDS: &[Field] = &[
    Field::required(c"type", KIND, Enum).named(NCAP_TYPE).flag(FieldFlags::REQUIRED),
    Field::optional(c"ltype", LEGACY_KIND, Enum).named(NCAP_LEGACY_TYPE).flag(FieldFlags::HIDDEN),
    Field::optional(c"srcip", SRCIP, Ip).getter(SOURCE),
    Field::optional(c"dstip", DSTIP, Ip).getter(DESTINATION),
    Field::optional(c"lint0", LINT0, Uint32).flag(FieldFlags::HIDDEN),
    Field::optional(c"lint1", LINT1, Uint32).flag(FieldFlags::HIDDEN),
    Field::computed(c"srcport", Uint16, SOURCE_PORT),
    Field::computed(c"dstport", Uint16, DESTINATION_PORT),
    Field::computed(c"proto", Uint16, PROTOCOL),
    Field::required(c"payload", PAYLOAD, Bytes).form(Form::NcapPayload).flag(FieldFlags::REQUIRED),
    Field::computed(c"dns", Bytes, DNS).flag(FieldFlags::NO_PRINT),
];

/// What is known of the datagram; absent where the payload does not hold it in full.
#[derive(Debug, Default)]
pub struct Derived<'a> {
    source: Option<&'a [u8]>,
    destination: Option<&'a [u8]>,
    source_port: Option<u16>,
    destination_port: Option<u16>,
    protocol: Option<u8>,
    /// UDP payload, or the whole payload of a legacy record.
    transport_payload: Option<&'a [u8]>,
}

impl<'a> Derived<'a> {
    fn dns(&self) -> Option<&'a [u8]> {
        let is_dns = |port: Option<u16>| matches!(port, Some(53 | 5353));
        let dns = is_dns(self.source_port) || is_dns(self.destination_port);
        self.transport_payload.filter(|_| dns)
    }
}

const SOURCE: Getter = |derived, _, index| Some(Value::Octets(first(derived, index)?.source?));
const DESTINATION: Getter =
    |derived, _, index| Some(Value::Octets(first(derived, index)?.destination?));
const SOURCE_PORT: Getter =
    |derived, _, index| Some(Value::Unsigned(first(derived, index)?.source_port?.into()));
const DESTINATION_PORT: Getter =
    |derived, _, index| Some(Value::Unsigned(first(derived, index)?.destination_port?.into()));
const PROTOCOL: Getter =
    |derived, _, index| Some(Value::Unsigned(first(derived, index)?.protocol?.into()));
const DNS: Getter = |derived, _, index| Some(Value::Octets(first(derived, index)?.dns()?));

fn first<'d, 'a>(derived: &'d view::Derived<'a>, index: usize) -> Option<&'d Derived<'a>> {
    match derived {
        view::Derived::Ncap(derived) if index == 0 => Some(derived),
        _ => None,
    }
}

/// What kind of datagram a record says it holds.
#[derive(Clone, Copy)]
enum Kind {
    Ip(Family),
    Legacy { protocol: Option<u8>, number: i32 },
    Unknown { number: i32 },
}

impl Kind {
    fn of(view: View<'_>) -> Self {
        let number = |tag| match view.value_by_tag(tag) {
            Some(Value::Enum(number)) => number,
            _ => 0,
        };
        match number(KIND) {
            0 => Self::Ip(Family::V4),
            1 => Self::Ip(Family::V6),
            2 => {
                let number = number(LEGACY_KIND);
                let known = usize::try_from(number).ok();
                let protocols = [PROTOCOL_UDP, PROTOCOL_TCP, PROTOCOL_ICMP];
                let protocol = known.and_then(|known| protocols.get(known).copied());
                Self::Legacy { protocol, number }
            }
            number => Self::Unknown { number },
        }
    }
}

fn derive(view: View<'_>) -> view::Derived<'_> {
    let payload = view.octets_by_tag(PAYLOAD).unwrap_or_default();
    if payload.is_empty() {
        return view::Derived::Ncap(Derived::default());
    }
    view::Derived::Ncap(match Kind::of(view) {
        Kind::Ip(family) => from_packet(payload, family),
        Kind::Legacy { protocol: Some(protocol), .. } => from_legacy(view, payload, protocol),
        Kind::Legacy { protocol: None, .. } | Kind::Unknown { .. } => Derived::default(),
    })
}

fn from_packet(payload: &[u8], family: Family) -> Derived<'_> {
    let Some(header) = OuterHeader::read(payload, family) else { return Derived::default() };
    let udp = udp_of(payload, family);
    Derived {
        source: Some(header.source),
        destination: Some(header.destination),
        source_port: udp.map(|udp| udp.source_port),
        destination_port: udp.map(|udp| udp.destination_port),
        protocol: Some(header.protocol),
        transport_payload: udp.map(|udp| udp.payload),
    }
}

fn udp_of(payload: &[u8], family: Family) -> Option<UdpDatagram<'_>> {
    match IpPacket::parse(payload, family).ok()?.transport().ok()?? {
        Transport::Udp(udp) => Some(udp),
        _ => None,
    }
}

fn from_legacy<'a>(view: View<'a>, payload: &'a [u8], protocol: u8) -> Derived<'a> {
    let port = |tag| Some(view.value_by_tag(tag)?.unsigned()? as u16);
    let ports = protocol != PROTOCOL_ICMP;
    Derived {
        source: view.octets_by_tag(SRCIP),
        destination: view.octets_by_tag(DSTIP),
        source_port: if ports { port(LINT0) } else { None },
        destination_port: if ports { port(LINT1) } else { None },
        protocol: Some(protocol),
        transport_payload: Some(payload),
    }
}

/// Appends the lines of the `payload` field.
pub(crate) fn write_payload(out: &mut TextBuffer, line: &Line<'_, '_>, payload: &[u8]) {
    line.label(out);
    if payload.is_empty() {
        out.bytes(b" <DECODING ERROR>");
        return line.end(out);
    }
    line.end(out);
    let view = line.view();
    let datagram = match line.derived() {
        view::Derived::Ncap(datagram) => datagram,
        _ => return,
    };
    match Kind::of(view) {
        Kind::Ip(_) => {
            if datagram.transport_payload.is_some() {
                write_datagram(out, line, datagram, b"<ERROR: payload parse failed>");
            }
        }
        Kind::Legacy { protocol: Some(PROTOCOL_UDP), .. } => {
            let fields: [(&[u8], u32); 4] =
                [(b"srcip", SRCIP), (b"dstip", DSTIP), (b"lint0", LINT0), (b"lint1", LINT1)];
            if let Some((name, _)) = fields.iter().find(|&&(_, tag)| view.count_by_tag(tag) == 0) {
                out.bytes(b"<ERROR: legacy ncap payload missing ");
                out.bytes(name);
                out.bytes(b" field>");
                line.end(out);
            } else {
                let failed = b"<ERROR: legacy payload parse failed>";
                write_datagram(out, line, datagram, failed);
            }
        }
        Kind::Legacy { protocol: Some(_), number } => {
            unknown(out, line, b"<ERROR: unhandled legacy ncap type ", number);
        }
        Kind::Legacy { protocol: None, number } | Kind::Unknown { number } => {
            unknown(out, line, b"<ERROR: unknown ncap type ", number);
        }
    }
}

fn unknown(out: &mut TextBuffer, line: &Line<'_, '_>, what: &[u8], number: i32) {
    out.bytes(what);
    out.decimal((number as u32).into());
    out.byte(b'>');
    line.end(out);
}

fn write_datagram(
    out: &mut TextBuffer,
    line: &Line<'_, '_>,
    datagram: &Derived<'_>,
    failed: &[u8],
) {
    let end = |out: &mut TextBuffer, octets: Option<&[u8]>, port: Option<u16>| {
        out.byte(b'[');
        if let Some(octets) = octets.filter(|octets| matches!(octets.len(), 4 | 16)) {
            address(out, octets);
        }
        out.array(b"].");
        out.decimal(port.unwrap_or(0).into());
        out.byte(b' ');
    };
    end(out, datagram.source, datagram.source_port);
    end(out, datagram.destination, datagram.destination_port);
    out.array(b"udp [");
    out.decimal(datagram.transport_payload.map_or(0, <[u8]>::len) as u64);
    out.byte(b']');
    line.end(out);
    if let Some(dns) = datagram.dns() {
        match wdns::Message::parse(dns) {
            Ok(message) => message.write_text(out),
            Err(_) => {
                out.bytes(failed);
                return line.end(out);
            }
        }
    }
    out.byte(b'\n');
}
