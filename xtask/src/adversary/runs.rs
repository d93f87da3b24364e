//! Every parser as a function of octets.

use std::ffi::OsString;
use std::hint::black_box;
use std::os::unix::ffi::OsStringExt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use nmsg::container::{
    ContainerBody, Deflater, Header, Inflater, MAGIC, Reassembler, StreamReader,
};
use nmsg::filter::{Matcher, Where};
use nmsg::schema::Schema;
use nmsg::text::LineSplitter;
use nmsg::{
    AliasTable, Aliases, FieldIndex, JsonReader, JsonWriter, Labels, Limits, Payload,
    PresentationReader, PresentationWriter, Registry, Timestamp, View,
};
use nmsg_capture::dnsqr::Config;
use nmsg_capture::savefile::{Next, Reader};
use nmsg_capture::{Converter, Message, ReassemblyLimits};
use nmsg_io::address::{MOST_PORTS, SendSpec, SocketSpec, ZmqEndpoint, look_up_channel};
use nmsgtool::flags::FlagSet;
use wdns::{Class, NameBuf, RrType, TextBuffer};

use super::corpus;
use super::parsers::Run;

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::builtin);
static ALIASES: LazyLock<Aliases> = LazyLock::new(Aliases::default);
const NOW: Timestamp = Timestamp { sec: 1_700_000_000, nsec: 0 };

/// The type that the first octet chooses, and what follows it.
fn chosen<'a>(schemas: &'a [Arc<Schema>], input: &'a [u8]) -> Option<(&'a Arc<Schema>, &'a [u8])> {
    let (choice, rest) = input.split_first()?;
    Some((schemas.get(usize::from(*choice) % schemas.len())?, rest))
}

fn payload_of<'a>(schema: &Schema, body: &'a [u8]) -> Payload<'a> {
    let declared = schema.message_type();
    Payload {
        vendor: declared.vendor,
        msgtype: declared.id,
        time: NOW,
        body: Some(body),
        ..Payload::default()
    }
}

fn schemas() -> Vec<Arc<Schema>> {
    REGISTRY.vendors().flat_map(|vendor| vendor.schemas()).cloned().collect()
}

/// What inflating costs is counted by what may come out, see [`inflate`]; it shall not hide the rest.
pub(super) fn stream() -> Run {
    let mut limits = Limits::default();
    limits.inflated_body = 8192;
    Box::new(move |input| {
        let mut reader = StreamReader::new(&limits);
        reader.feed(input);
        reader.end();
        let mut made = 0;
        while let Some(container) = reader.next_container() {
            let Ok(container) = container else { continue };
            for stored in container.payloads() {
                made +=
                    stored.payload.body.map_or(0, <[u8]>::len) + usize::from(stored.crc_matches());
            }
        }
        // What was inflated.
        made.saturating_sub(input.len())
    })
}

/// Each container as a datagram of its own.
pub(super) fn fragments() -> Run {
    let limits = Limits::default();
    Box::new(move |input| {
        let mut reassembler = Reassembler::new(&limits);
        let mut rest = input;
        while let Some(start) = rest.windows(MAGIC.len()).position(|octets| octets == MAGIC) {
            rest = &rest[start..];
            let header = Header::parse(rest).ok().flatten();
            let Some((header, end)) = header.and_then(|header| {
                let end = usize::try_from(header.container_len()).ok()?;
                (end <= rest.len()).then_some((header, end))
            }) else {
                rest = &rest[MAGIC.len()..];
                continue;
            };
            if header.flags.is_fragment() {
                let body = &rest[Header::LEN..end];
                let _ = black_box(reassembler.push((), header.flags, body, Duration::ZERO));
            }
            rest = &rest[end..];
        }
        0
    })
}

/// The input again and again, each time with other octets between, so that there is enough to compress.
pub(super) fn deflate() -> Run {
    const LEN: usize = 64 << 10;
    let mut deflater = Deflater::new();
    let (mut body, mut out) = (Vec::new(), Vec::new());
    Box::new(move |input| {
        body.clear();
        out.clear();
        for repeat in (0_u32..).take_while(|n| *n as usize * (input.len() + 4) < LEN) {
            body.extend_from_slice(input);
            body.extend_from_slice(&repeat.wrapping_mul(0x9e37_79b1).to_le_bytes());
        }
        let _ = black_box(deflater.deflate(&body, &mut out));
        body.len().saturating_sub(input.len())
    })
}

pub(super) fn inflate() -> Run {
    let (mut inflater, limits) = (Inflater::new(), Limits::default());
    let mut inflated = Vec::new();
    Box::new(move |input| {
        let _ = black_box(inflater.inflate(input, &mut inflated, &limits));
        Inflater::bound(input)
    })
}

pub(super) fn container_body() -> Run {
    let mut index = ContainerBody::new();
    Box::new(move |input| {
        if index.decode(input).is_err() {
            index.decode_cut_short(input);
        }
        let matching = (0..index.len()).filter(|position| index.crc_matches(*position, input));
        black_box(matching.count());
        0
    })
}

pub(super) fn payload_index() -> Run {
    let schemas = schemas();
    let mut index = FieldIndex::new();
    Box::new(move |input| {
        let Some((schema, body)) = chosen(&schemas, input) else { return 0 };
        let Ok(view) = View::new(schema, body, &mut index) else { return 0 };
        let message = nmsg::Message::new(view);
        let mut counted = 0;
        for field in 0..schema.fields().len() {
            let count = message.count(field);
            counted += count;
            let _ = black_box(message.get(field, count.saturating_sub(1)));
        }
        black_box(counted);
        0
    })
}

pub(super) fn payload_forms() -> Run {
    let schemas = schemas();
    let mut json = JsonWriter::new(&REGISTRY, &ALIASES, Labels::default());
    let mut text = PresentationWriter::new(&REGISTRY, &ALIASES, Labels::default(), b"\n");
    let mut out = TextBuffer::new();
    Box::new(move |input| {
        let Some((schema, body)) = chosen(&schemas, input) else { return 0 };
        let payload = payload_of(schema, body);
        out.clear();
        let _ = json.write(&mut out, &payload);
        let _ = text.write(&mut out, &payload);
        out.len()
    })
}

pub(super) fn json_line() -> Run {
    let mut reader = JsonReader::new(&REGISTRY, &ALIASES);
    let mut body = Vec::new();
    Box::new(move |input| {
        body.clear();
        let _ = black_box(reader.read_line(input, NOW, &mut body));
        reader.notices().take_unknown_names();
        0
    })
}

pub(super) fn presentation() -> Run {
    let schemas = schemas();
    let limits = Limits::default();
    let mut body = Vec::new();
    Box::new(move |input| {
        let Some((schema, text)) = chosen(&schemas, input) else { return 0 };
        let mut reader = PresentationReader::new(Arc::clone(schema), &ALIASES, &limits);
        let mut lines = LineSplitter::new(&limits);
        lines.push(text);
        let mut take = |reader: &mut PresentationReader<'_>| {
            body.clear();
            while reader.next_record(NOW, &mut body).is_some() {}
        };
        while let Some(line) = lines.next_line() {
            reader.push_line(line.number, line.text);
            take(&mut reader);
        }
        if let Some(line) = lines.finish() {
            reader.push_line(line.number, line.text);
        }
        reader.finish();
        take(&mut reader);
        0
    })
}

pub(super) fn dns_message() -> Run {
    let mut scratch = wdns::MessageScratch::new();
    let mut out = TextBuffer::new();
    Box::new(move |input| {
        let Ok(message) = wdns::Message::parse(input) else { return 0 };
        out.clear();
        message.write_text(&mut out);
        message.write_json(&mut out, &mut scratch);
        out.len()
    })
}

pub(super) fn name() -> Run {
    let mut room = NameBuf::new();
    let mut out = TextBuffer::new();
    Box::new(move |input| {
        out.clear();
        let mut at = 0;
        while at < input.len() {
            let _ = black_box(wdns::name::unpack(input, at, &mut room));
            at += wdns::name::write::<true>(&mut out, &input[at..]).max(1);
        }
        out.len()
    })
}

pub(super) fn name_text() -> Run {
    let mut wire = Vec::new();
    Box::new(move |input| {
        for text in input.split(|octet| *octet == b'\n') {
            wire.clear();
            let _ = black_box(wdns::name::parse(text, &mut wire));
        }
        0
    })
}

/// The type that the first two octets name, and what follows them.
fn typed(input: &[u8]) -> Option<(RrType, &[u8])> {
    let (rrtype, data) = input.split_first_chunk()?;
    Some((RrType(u16::from_be_bytes(*rrtype)), data))
}

pub(super) fn rdata() -> Run {
    let (mut out, mut wire) = (TextBuffer::new(), Vec::new());
    Box::new(move |input| {
        let Some((rrtype, data)) = typed(input) else { return 0 };
        out.clear();
        wire.clear();
        wdns::rdata::write::<false>(&mut out, data, rrtype, Class::IN);
        let _ = wdns::rdata::decompress(data, 0, data.len(), rrtype, Class::IN, &mut wire);
        out.len() + wire.len()
    })
}

pub(super) fn rdata_text() -> Run {
    let mut wire = Vec::new();
    Box::new(move |input| {
        let Some((rrtype, text)) = typed(input) else { return 0 };
        wire.clear();
        let _ = black_box(wdns::rdata::parse(text, rrtype, Class::IN, &mut wire));
        0
    })
}

pub(super) fn capture() -> Run {
    Box::new(|input| {
        let converters = [
            Converter::dnsqr(Config::default(), None),
            Converter::ncap(ReassemblyLimits::default(), None),
            Converter::packet(None),
        ];
        let (mut made, mut octets) = (0, Vec::new());
        for mut converter in converters {
            let mut sink = |message: &Message<'_>| {
                octets.clear();
                message.encode(&mut octets);
                made += octets.len();
            };
            let mut reader = Reader::new(input);
            while let Ok(Next::Item(frame)) = reader.next_frame() {
                converter.frame(&frame, &mut sink);
            }
            converter.finish(&mut sink);
        }
        made
    })
}

pub(super) fn condition() -> Run {
    let payload = Payload { body: Some(b"\x08\x01"), ..Payload::default() };
    Box::new(move |input| {
        let Ok(text) = std::str::from_utf8(input) else { return 0 };
        if let Ok(condition) = Where::compile(text, &REGISTRY, &ALIASES, NOW) {
            black_box(Matcher::new(&condition).matches(&payload));
        }
        0
    })
}

/// Asks the conditions of the documentation about a payload.
pub(super) fn matching() -> Run {
    let schemas = schemas();
    let mut matchers: Vec<Matcher> = corpus::conditions()
        .iter()
        .filter_map(|text| str::from_utf8(text).ok())
        .filter_map(|text| Where::compile(text, &REGISTRY, &ALIASES, NOW).ok())
        .map(|condition| Matcher::new(&condition))
        .collect();
    Box::new(move |input| {
        let Some((schema, body)) = chosen(&schemas, input) else { return 0 };
        let payload = payload_of(schema, body);
        for matcher in &mut matchers {
            black_box(matcher.matches(&payload));
        }
        0
    })
}

pub(super) fn request() -> Run {
    Box::new(|input| {
        nmsg_io::fuzzing::check_request(input);
        0
    })
}

pub(super) fn alias() -> Run {
    Box::new(|input| {
        black_box(AliasTable::parse(input));
        black_box(look_up_channel(input, "ch202"));
        0
    })
}

pub(super) fn address() -> Run {
    Box::new(|input| {
        let Ok(text) = std::str::from_utf8(input) else { return 0 };
        let _ = black_box(SocketSpec::parse(text, MOST_PORTS));
        let _ = black_box(SendSpec::parse(text, MOST_PORTS));
        let _ = black_box(SocketSpec::parse_channel_endpoint(text));
        let _ = black_box(ZmqEndpoint::parse(text));
        let _ = black_box(text.parse::<zmtp::Endpoint>());
        let _ = black_box(nmsg_kafka::Address::parse(text));
        0
    })
}

pub(super) fn command_line() -> Run {
    let flags = FlagSet::available();
    Box::new(move |input| {
        let words = input.split(|octet| *octet == b'\n');
        let words = words.map(|word| OsString::from_vec(word.to_vec()));
        let _ = black_box(nmsgtool::grammar::parse(flags, words));
        0
    })
}

pub(super) fn connection() -> Run {
    Box::new(|input| {
        zmtp::fuzzing::check_connection(input);
        0
    })
}
