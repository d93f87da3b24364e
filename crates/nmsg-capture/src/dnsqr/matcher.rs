//! The state machine: frames and time in, messages out.

use super::config::{Config, Direction};
use super::header::Header;
use super::icmp::Quote;
use super::message::{DnsQr, Kind, PacketBuffer, PacketList, PacketMeta};
use super::query_table::{Key, NewQuery, Query, QueryTable};
use super::zeroing::Zeroing;
use crate::bpf::Filter;
use crate::converter::{check_frame, check_packet};
use crate::link::ip_packet;
use crate::{Counters, Frame, Message, Pushed, Reassembler, Sink, Skip};
use nmsg::Timestamp;
use nmsg::datagram::{
    Family, IpPacket, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP, Transport, UdpDatagram,
    udp_checksum,
};

/// Response codes that answer a query even without naming its question: FORMERR, SERVFAIL, NOTIMP
/// and REFUSED.
const ERROR_RCODES: [u8; 4] = [1, 2, 4, 5];

pub(super) fn is_dns_over_udp(port: u16) -> bool {
    matches!(port, 53 | 5353)
}

pub(super) fn is_dns_over_tcp(port: u16) -> bool {
    port == 53
}

/// Pairs queries with responses.
///
/// Messages come out in the order of the frames that complete them; an unanswered query comes out
/// behind the frame that shows its time to be over, or at [`Self::expire`] and [`Self::finish`].
#[derive(Debug)]
pub struct Matcher {
    reassembler: Reassembler,
    fragments: PacketBuffer,
    filter: Option<Filter>,
    pairing: Pairing,
}

/// Everything behind reassembly.
#[derive(Debug)]
struct Pairing {
    config: Config,
    table: QueryTable,
    /// Time of the last frame that held an IP packet with a transport header.
    now: Timestamp,
    counters: Counters,
    zeroing: Zeroing,
}

/// A whole datagram and what it came in.
struct Datagram<'a> {
    packet: IpPacket<'a>,
    transport: Transport<'a>,
    /// One packet, or the fragments.
    packets: PacketList<'a>,
    was_fragmented: bool,
    /// Time of the frame that completed it.
    time: Timestamp,
}

impl Matcher {
    /// Starts with nothing stored. `filter` judges frames and datagrams before anything else.
    #[must_use]
    pub fn new(config: Config, filter: Option<Filter>) -> Self {
        Self {
            reassembler: Reassembler::new(config.reassembly),
            fragments: PacketBuffer::default(),
            filter,
            pairing: Pairing {
                config,
                table: QueryTable::new(),
                now: Timestamp::default(),
                counters: Counters::default(),
                zeroing: Zeroing::default(),
            },
        }
    }

    /// Returns what became of the frames so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.pairing.counters
    }

    /// Returns how many queries wait for their response.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pairing.table.len()
    }

    /// Takes one frame; returns why it came to nothing, if it did.
    pub fn frame(&mut self, frame: &Frame<'_>, sink: &mut Sink<'_>) -> Option<Skip> {
        self.pairing.counters.frames += 1;
        if let Err(reason) = check_frame(frame, self.filter.as_ref()) {
            // As if the kernel had refused it: nothing happens, not even in time.
            self.pairing.counters.skip(reason);
            return Some(reason);
        }
        let result = self.process(frame, sink);
        match result {
            Ok(()) => self.pairing.counters.converted += 1,
            Err(reason) => self.pairing.counters.skip(reason),
        }
        self.pairing.give_up_overdue(sink);
        result.err()
    }

    fn process(&mut self, frame: &Frame<'_>, sink: &mut Sink<'_>) -> Result<(), Skip> {
        let Self { reassembler, fragments, filter, pairing } = self;
        let filter = filter.as_ref();
        if !frame.is_complete() {
            return Err(Skip::Snapped);
        }
        let ip = ip_packet(frame.link, frame.octets)?;
        let packet = IpPacket::parse(ip.octets, ip.family)?;
        let transport = packet.transport()?;
        pairing.now = frame.time;
        reassembler.expire(frame.time, &mut pairing.counters);
        if packet.fragment().is_none() {
            let Some(transport) = transport else { return Err(Skip::Transport) };
            check_packet(packet.octets(), false, filter)?;
            let meta = [PacketMeta { len: packet.octets().len() as u32, time: frame.time }];
            let packets = PacketList::new(packet.octets(), &meta);
            let datagram =
                Datagram { packet, transport, packets, was_fragmented: false, time: frame.time };
            return pairing.datagram(&datagram, sink);
        }
        match reassembler.push(&packet, frame.time, &mut pairing.counters) {
            Pushed::Kept => return Err(Skip::FragmentKept),
            Pushed::Duplicate => return Err(Skip::FragmentDuplicate),
            Pushed::Invalid => return Err(Skip::FragmentInvalid),
            Pushed::Complete => {}
        }
        let packet = IpPacket::parse_raw(reassembler.datagram())?;
        let Some(transport) = packet.transport()? else { return Err(Skip::FragmentInvalid) };
        check_packet(packet.octets(), false, filter)?;
        fragments.clear();
        for (time, octets) in reassembler.packets() {
            fragments.push(time, octets);
        }
        let packets = fragments.list();
        let datagram =
            Datagram { packet, transport, packets, was_fragmented: true, time: frame.time };
        pairing.datagram(&datagram, sink)
    }

    /// Gives out what is overdue at `now`, for inputs where no frame comes to show the time.
    pub fn expire(&mut self, now: Timestamp, sink: &mut Sink<'_>) {
        self.pairing.now = self.pairing.now.max(now);
        self.reassembler.expire(now, &mut self.pairing.counters);
        while self.pairing.is_overdue() {
            self.pairing.give_up_oldest(sink);
        }
    }

    /// Returns the second at which [`Self::expire`] will have something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Option<i64> {
        let query = self.pairing.table.oldest().map(|query| {
            let end = query.time().sec.saturating_add(self.pairing.config.timeout_seconds);
            end.saturating_add(1)
        });
        let fragment = self.reassembler.next_deadline();
        query.into_iter().chain(fragment).min()
    }

    /// Gives out every stored query, oldest first: the end of the input, or of the capture
    /// (decision DQ-6).
    pub fn finish(&mut self, sink: &mut Sink<'_>) {
        while self.finish_one(sink) {}
    }

    /// Gives out the oldest stored query, or drops it if a filter says so; false when there is none.
    pub fn finish_one(&mut self, sink: &mut Sink<'_>) -> bool {
        let is_stored = self.pairing.table.len() > 0;
        self.pairing.give_up_oldest(sink);
        is_stored
    }

    /// Forgets every stored query and returns how many there were: a run that ends at an exact
    /// number of messages has no room for them (decision DQ-6).
    pub fn discard_pending(&mut self) -> u64 {
        let mut discarded = 0;
        while let Some(at) = self.pairing.table.take_oldest() {
            self.pairing.table.release(at);
            discarded += 1;
        }
        self.pairing.counters.discarded_queries += discarded;
        discarded
    }
}

/// Who asks and who answers: addresses and ports.
struct Ends<'a> {
    query: (&'a [u8], u16),
    response: (&'a [u8], u16),
}

impl<'a> Ends<'a> {
    #[inline]
    fn key(&self, family: Family, id: u16) -> Key {
        Key::new(family, self.query, self.response, id)
    }

    #[inline]
    fn message(&self, kind: Kind, time: Timestamp, header: &Header<'a>) -> DnsQr<'a> {
        DnsQr {
            query_ip: self.query.0,
            query_port: self.query.1,
            response_ip: self.response.0,
            response_port: self.response.1,
            id: header.id,
            question: header.question,
            ..DnsQr::empty(kind, time, PROTOCOL_UDP)
        }
    }
}

impl Pairing {
    fn datagram(&mut self, datagram: &Datagram<'_>, sink: &mut Sink<'_>) -> Result<(), Skip> {
        let whole = datagram.packet.octets();
        match datagram.transport {
            Transport::Udp(udp) => self.udp(datagram, &udp, sink),
            Transport::Tcp { source_port, destination_port } => {
                if !is_dns_over_tcp(source_port) && !is_dns_over_tcp(destination_port) {
                    return Err(Skip::NotDnsPort);
                }
                let mut message = DnsQr::empty(Kind::Tcp, datagram.time, PROTOCOL_TCP);
                message.tcp = Some(whole);
                self.emit(&mut message, sink)
            }
            Transport::Icmp(icmp) => {
                let quotes_dns = Quote::parse(icmp).is_some_and(|quote| quote.quotes_dns());
                if !quotes_dns || !self.config.icmp {
                    return Err(Skip::IcmpWithoutDns);
                }
                let mut message = DnsQr::empty(Kind::Icmp, datagram.time, PROTOCOL_ICMP);
                message.icmp = Some(whole);
                self.emit(&mut message, sink)
            }
        }
    }

    fn udp(
        &mut self,
        datagram: &Datagram<'_>,
        udp: &UdpDatagram<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Skip> {
        if !is_dns_over_udp(udp.source_port) && !is_dns_over_udp(udp.destination_port) {
            return Err(Skip::NotDnsPort);
        }
        let header = Header::parse(udp.payload).ok_or(Skip::NotDns)?;
        let wanted = match self.config.direction {
            None => true,
            Some(Direction::Queries) => !header.is_response(),
            Some(Direction::Responses) => header.is_response(),
        };
        if !wanted {
            return Err(Skip::Direction);
        }
        let packet = &datagram.packet;
        let source = (packet.source(), udp.source_port);
        let destination = (packet.destination(), udp.destination_port);
        let (query, response) = match header.is_response() {
            false => (source, destination),
            true => (destination, source),
        };
        let ends = Ends { query, response };
        match (self.config.direction, header.is_response()) {
            (Some(_), false) => {
                let len = packet.octets().len() as u32;
                let meta = [PacketMeta { len, time: datagram.time }];
                let mut message = ends.message(Kind::UdpQueryOnly, datagram.time, &header);
                message.query_packets = PacketList::new(packet.octets(), &meta);
                self.emit(&mut message, sink)
            }
            (Some(_), true) => {
                let time = first_time(datagram.packets).unwrap_or(datagram.time);
                let mut message = ends.message(Kind::UdpResponseOnly, time, &header);
                message.rcode = Some(header.rcode());
                message.response_packets = datagram.packets;
                self.emit(&mut message, sink)
            }
            (None, true) => self.response(datagram, &ends, &header, sink),
            (None, false) => {
                let key = ends.key(packet.family(), header.id);
                let recursion_desired =
                    (!datagram.was_fragmented).then(|| header.recursion_desired());
                let packets = datagram.packets;
                let question = header.question;
                self.table.store(&NewQuery { key, question, recursion_desired, packets });
                Err(Skip::QueryKept)
            }
        }
    }

    fn response(
        &mut self,
        datagram: &Datagram<'_>,
        ends: &Ends<'_>,
        header: &Header<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Skip> {
        let rcode = header.rcode();
        let key = ends.key(datagram.packet.family(), header.id);
        let Some(at) = self.table.take(&key, header.question, ERROR_RCODES.contains(&rcode)) else {
            let time = first_time(datagram.packets).unwrap_or(datagram.time);
            let mut message = ends.message(Kind::UdpUnsolicitedResponse, time, header);
            message.rcode = Some(rcode);
            message.response_packets = datagram.packets;
            check_filters(&self.config, Some(header.recursion_desired()), &message)?;
            return self.emit(&mut message, sink);
        };
        let Self { config, table, counters, zeroing, .. } = self;
        let query = table.query(at);
        let mut message = ends.message(Kind::UdpQueryResponse, query.time(), header);
        message.rcode = Some(rcode);
        message.query_packets = query.packets();
        message.response_packets = datagram.packets;
        message.question = header.question.or(query.question());
        let result = check_filters(config, query.recursion_desired, &message)
            .and_then(|()| emit(config, zeroing, counters, &mut message, sink));
        table.release(at);
        result
    }

    /// Returns true when the oldest query must go: too many, too much, or too old.
    fn is_overdue(&self) -> bool {
        let Some(oldest) = self.table.oldest() else { return false };
        let age = self.now.sec.saturating_sub(oldest.time().sec);
        self.table.len() > self.config.max_queries as usize
            || self.table.held_octets() > self.config.max_query_octets
            || age > self.config.timeout_seconds
    }

    /// Gives out overdue queries; stops behind one that a filter drops, as if each dropped one
    /// made room for the next frame. What a frame finds stored depends on that order.
    fn give_up_overdue(&mut self, sink: &mut Sink<'_>) {
        while self.is_overdue() && self.give_up_oldest(sink) {}
    }

    /// Gives the oldest query out as unanswered; false when a filter drops it.
    fn give_up_oldest(&mut self, sink: &mut Sink<'_>) -> bool {
        let Some(at) = self.table.take_oldest() else { return false };
        let Self { config, table, counters, zeroing, now, .. } = self;
        let query = table.query(at);
        let mut message = unanswered(query, *now);
        let kept = match check_filters(config, query.recursion_desired, &message) {
            // A UDP message is never withheld by zeroing, so it always comes out.
            Ok(()) => emit(config, zeroing, counters, &mut message, sink).is_ok(),
            Err(_) => {
                counters.filtered_queries += 1;
                false
            }
        };
        table.release(at);
        kept
    }

    fn emit(&mut self, message: &mut DnsQr<'_>, sink: &mut Sink<'_>) -> Result<(), Skip> {
        emit(&self.config, &mut self.zeroing, &mut self.counters, message, sink)
    }
}

fn unanswered(query: &Query, now: Timestamp) -> DnsQr<'_> {
    let key = &query.key;
    DnsQr {
        query_ip: key.query_ip(),
        response_ip: key.response_ip(),
        query_port: key.query_port,
        response_port: key.response_port,
        id: key.id,
        question: query.question(),
        query_packets: query.packets(),
        timeout: Some(seconds_between(query.time(), now)),
        ..DnsQr::empty(Kind::UdpUnansweredQuery, query.time(), PROTOCOL_UDP)
    }
}

fn first_time(packets: PacketList<'_>) -> Option<Timestamp> {
    packets.metas().first().map(|meta| meta.time)
}

/// Seconds from `start` to `end`; negative when time ran backwards.
fn seconds_between(start: Timestamp, end: Timestamp) -> f64 {
    let mut sec = end.sec.wrapping_sub(start.sec);
    let mut nsec = i64::from(end.nsec) - i64::from(start.nsec);
    if nsec < 0 {
        sec -= 1;
        nsec += 1_000_000_000;
    }
    sec as f64 + nsec as f64 / 1e9
}

fn check_filters(
    config: &Config,
    recursion_desired: Option<bool>,
    message: &DnsQr<'_>,
) -> Result<(), Skip> {
    if let (Some(wanted), Some(is)) = (config.recursion_desired, recursion_desired)
        && wanted != is
    {
        return Err(Skip::RdFilter);
    }
    match message.question {
        Some(question)
            if config.exclude.covers(question.name) && !config.include.covers(question.name) =>
        {
            Err(Skip::NameFilter)
        }
        _ => Ok(()),
    }
}

fn emit(
    config: &Config,
    zeroing: &mut Zeroing,
    counters: &mut Counters,
    message: &mut DnsQr<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), Skip> {
    if !message.response_packets.is_empty() {
        message.udp_checksum = Some(udp_checksum(message.response_packets.packets()));
    }
    let zeroed;
    let message = if config.zero_resolver_address {
        zeroed = zeroing.apply(message).ok_or(Skip::ZeroingUnclear)?;
        &zeroed
    } else {
        message
    };
    counters.messages += 1;
    sink(&Message::DnsQr(message));
    Ok(())
}

#[cfg(test)]
mod tests;
