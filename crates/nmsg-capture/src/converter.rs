//! Frames to messages of one type.

use crate::bpf::Filter;
use crate::dnsqr::{Config, Matcher};
use crate::link::ip_packet;
use crate::message::{Message, Ncap, Packet, Pkt, Sink};
use crate::{Counters, Frame, LinkType, Pushed, Reassembler, ReassemblyLimits, Skip};
use nmsg::MsgType;
use nmsg::Timestamp;
use nmsg::datagram::{IpPacket, Transport};
use std::fmt;

/// A message type that packets can be made into.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum PacketType {
    /// `base:ncap`: UDP datagrams, reassembled.
    Ncap,
    /// `base:pkt`: Ethernet frames as they are.
    Pkt,
    /// `base:dnsqr`: DNS transactions.
    DnsQr,
    /// `base:packet`: IP packets as they are.
    Packet,
}

/// A link type from which a message type cannot be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OpenError {
    packet_type: PacketType,
    link: LinkType,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { packet_type, link } = self;
        let name = packet_type.name();
        match packet_type {
            PacketType::Pkt => write!(f, "base:{name} needs link type EN10MB, this one is {link}"),
            _ => write!(f, "base:{name} cannot be made from link type {link}"),
        }
    }
}

impl std::error::Error for OpenError {}

impl PacketType {
    /// Returns the type that a message type of vendor `base` is, or `None` when it is not made of
    /// packets.
    #[must_use]
    pub fn from_msgtype(msgtype: MsgType) -> Option<Self> {
        match msgtype.0 {
            1 => Some(Self::Ncap),
            8 => Some(Self::Pkt),
            9 => Some(Self::DnsQr),
            12 => Some(Self::Packet),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Ncap => "ncap",
            Self::Pkt => "pkt",
            Self::DnsQr => "dnsqr",
            Self::Packet => "packet",
        }
    }

    /// Checks that messages can be made from a link type.
    ///
    /// # Errors
    ///
    /// Names the link type (decision CP-5).
    pub fn check_link(self, link: LinkType) -> Result<(), OpenError> {
        let taken = match self {
            Self::Pkt => link == LinkType::ETHERNET,
            _ => link.is_supported(),
        };
        if taken { Ok(()) } else { Err(OpenError { packet_type: self, link }) }
    }
}

/// Makes messages of one type out of frames.
#[derive(Debug)]
pub struct Converter(Kind);

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one per input")]
enum Kind {
    DnsQr(Matcher),
    Ncap(NcapConverter),
    Frames { packet_type: PacketType, filter: Option<Filter>, counters: Counters },
}

impl Converter {
    /// Starts a converter for `base:dnsqr`.
    #[must_use]
    pub fn dnsqr(config: Config, filter: Option<Filter>) -> Self {
        Self(Kind::DnsQr(Matcher::new(config, filter)))
    }

    /// Starts a converter for `base:ncap`.
    #[must_use]
    pub fn ncap(limits: ReassemblyLimits, filter: Option<Filter>) -> Self {
        let reassembler = Reassembler::new(limits);
        let counters = Counters::default();
        Self(Kind::Ncap(NcapConverter { reassembler, filter, counters }))
    }

    /// Starts a converter for `base:packet`.
    #[must_use]
    pub fn packet(filter: Option<Filter>) -> Self {
        let counters = Counters::default();
        Self(Kind::Frames { packet_type: PacketType::Packet, filter, counters })
    }

    /// Starts a converter for `base:pkt`.
    #[must_use]
    pub fn pkt(filter: Option<Filter>) -> Self {
        let counters = Counters::default();
        Self(Kind::Frames { packet_type: PacketType::Pkt, filter, counters })
    }

    /// Takes one frame; returns why it came to nothing, if it did.
    pub fn frame(&mut self, frame: &Frame<'_>, sink: &mut Sink<'_>) -> Option<Skip> {
        match &mut self.0 {
            Kind::DnsQr(matcher) => matcher.frame(frame, sink),
            Kind::Ncap(ncap) => {
                let result = ncap.convert(frame, sink);
                ncap.counters.take(result)
            }
            Kind::Frames { packet_type: PacketType::Pkt, filter, counters } => {
                let result = pkt(frame, filter.as_ref(), sink);
                counters.take(result)
            }
            Kind::Frames { filter, counters, .. } => {
                let result = packet(frame, filter.as_ref(), sink);
                counters.take(result)
            }
        }
    }

    /// Gives out what is overdue at `now`, for inputs where no frame comes to show the time.
    pub fn expire(&mut self, now: Timestamp, sink: &mut Sink<'_>) {
        match &mut self.0 {
            Kind::DnsQr(matcher) => matcher.expire(now, sink),
            Kind::Ncap(ncap) => ncap.reassembler.expire(now, &mut ncap.counters),
            Kind::Frames { .. } => {}
        }
    }

    /// Returns the second (since the Unix epoch) at which [`Self::expire`] will have something to
    /// do.
    #[must_use]
    pub fn next_deadline(&self) -> Option<i64> {
        match &self.0 {
            Kind::DnsQr(matcher) => matcher.next_deadline(),
            Kind::Ncap(ncap) => ncap.reassembler.next_deadline(),
            Kind::Frames { .. } => None,
        }
    }

    /// Gives out the oldest of what is kept, or drops it if a filter says so; false when nothing is
    /// kept. For ends of inputs that are to come out bit by bit.
    pub fn finish_one(&mut self, sink: &mut Sink<'_>) -> bool {
        match &mut self.0 {
            Kind::DnsQr(matcher) => matcher.finish_one(sink),
            _ => false,
        }
    }

    /// Gives out everything that is kept: the end of the input, or of the capture.
    pub fn finish(&mut self, sink: &mut Sink<'_>) {
        if let Kind::DnsQr(matcher) = &mut self.0 {
            matcher.finish(sink);
        }
    }

    /// Forgets everything that is kept and returns how many messages it would have been.
    pub fn discard_pending(&mut self) -> u64 {
        match &mut self.0 {
            Kind::DnsQr(matcher) => matcher.discard_pending(),
            _ => 0,
        }
    }

    /// Returns what became of the frames so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        match &self.0 {
            Kind::DnsQr(matcher) => matcher.counters(),
            Kind::Ncap(ncap) => &ncap.counters,
            Kind::Frames { counters, .. } => counters,
        }
    }
}

pub(crate) fn check_frame(frame: &Frame<'_>, filter: Option<&Filter>) -> Result<(), Skip> {
    match filter {
        Some(filter) if !filter.wants_frame(frame) => Err(Skip::Filtered),
        _ => Ok(()),
    }
}

/// Unfragmented packets must satisfy the user's expression; single fragments pass (decision CP-3).
pub(crate) fn check_packet(
    octets: &[u8],
    is_fragment: bool,
    filter: Option<&Filter>,
) -> Result<(), Skip> {
    match filter {
        Some(filter) if !is_fragment && !filter.wants_packet(octets) => Err(Skip::Filtered),
        _ => Ok(()),
    }
}

fn packet(frame: &Frame<'_>, filter: Option<&Filter>, sink: &mut Sink<'_>) -> Result<(), Skip> {
    check_frame(frame, filter)?;
    if !frame.is_complete() {
        return Err(Skip::Snapped);
    }
    let payload = match frame.link {
        // Without a link header there is nothing to look at.
        LinkType::RAW | LinkType::RAW_BSD => frame.octets,
        link => ip_packet(link, frame.octets)?.octets,
    };
    if filter.is_some() {
        let is_fragment =
            IpPacket::parse_raw(payload).is_ok_and(|packet| packet.fragment().is_some());
        check_packet(payload, is_fragment, filter)?;
    }
    sink(&Message::Packet(Packet { time: frame.time, payload }));
    Ok(())
}

fn pkt(frame: &Frame<'_>, filter: Option<&Filter>, sink: &mut Sink<'_>) -> Result<(), Skip> {
    if frame.link != LinkType::ETHERNET {
        return Err(Skip::LinkType);
    }
    check_frame(frame, filter)?;
    if filter.is_some()
        && let Ok(ip) = ip_packet(frame.link, frame.octets)
    {
        let is_fragment =
            IpPacket::parse_raw(ip.octets).is_ok_and(|packet| packet.fragment().is_some());
        check_packet(ip.octets, is_fragment, filter)?;
    }
    let Frame { time, octets: payload, original_len: len_frame, .. } = *frame;
    sink(&Message::Pkt(Pkt { time, payload, len_frame }));
    Ok(())
}

#[derive(Debug)]
struct NcapConverter {
    reassembler: Reassembler,
    filter: Option<Filter>,
    counters: Counters,
}

impl NcapConverter {
    fn convert(&mut self, frame: &Frame<'_>, sink: &mut Sink<'_>) -> Result<(), Skip> {
        let filter = self.filter.as_ref();
        check_frame(frame, filter)?;
        if !frame.is_complete() {
            return Err(Skip::Snapped);
        }
        let ip = ip_packet(frame.link, frame.octets)?;
        let packet = IpPacket::parse(ip.octets, ip.family)?;
        if packet.fragment().is_none() {
            return give_out(&packet, filter, frame.time, sink);
        }
        self.reassembler.expire(frame.time, &mut self.counters);
        match self.reassembler.push(&packet, frame.time, &mut self.counters) {
            Pushed::Kept => Err(Skip::FragmentKept),
            Pushed::Duplicate => Err(Skip::FragmentDuplicate),
            Pushed::Invalid => Err(Skip::FragmentInvalid),
            Pushed::Complete => {
                let whole = IpPacket::parse_raw(self.reassembler.datagram())?;
                give_out(&whole, filter, frame.time, sink)
            }
        }
    }
}

fn give_out(
    packet: &IpPacket<'_>,
    filter: Option<&Filter>,
    time: Timestamp,
    sink: &mut Sink<'_>,
) -> Result<(), Skip> {
    let Some(Transport::Udp(_)) = packet.transport()? else { return Err(Skip::Transport) };
    check_packet(packet.octets(), false, filter)?;
    let (family, payload) = (packet.family(), packet.octets());
    sink(&Message::Ncap(Ncap { time, family, payload }));
    Ok(())
}

#[cfg(test)]
mod tests;
