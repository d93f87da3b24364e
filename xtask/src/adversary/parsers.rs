//! Every parser as a function of octets.

use std::ffi::OsString;
use std::hint::black_box;
use std::os::unix::ffi::OsStringExt;
use std::sync::{Arc, LazyLock};

use nmsg::container::{ContainerBody, Inflater, StreamReader};
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

/// Reads an input; gives the octets that it made of it.
pub(super) type Run = Box<dyn FnMut(&[u8]) -> usize>;

/// A parser under search.
pub(super) struct Parser {
    pub(super) name: &'static str,
    /// Prepares what is kept from one input to the next.
    pub(super) make: fn() -> Run,
    pub(super) samples: fn() -> Vec<Vec<u8>>,
    /// Octets that share what a call costs whatever it reads.
    pub(super) least: usize,
    /// Pieces that mean something to it.
    pub(super) words: &'static [&'static [u8]],
}

/// What is read once for each record may be short.
const RECORD: usize = 64;
/// What is read once for each run or file has costs of its own.
const FILE: usize = 1024;

pub(super) const PARSERS: &[Parser] = &[
    Parser {
        name: "stream",
        make: stream,
        samples: corpus::streams,
        least: FILE,
        words: &[b"NMSG\0\x02", b"NMSG\x01\x02", b"NMSG\x02\x02\0\0\0\x20", b"NMSG", b"\0\0\0\x10"],
    },
    Parser {
        name: "inflate",
        make: inflate,
        samples: corpus::compressed_bodies,
        least: RECORD,
        words: &[b"\x78\x9c", b"\x78\xda", b"\0\0\x20\0", b"\x01\0\0\xff\xff", b"\x03\0"],
    },
    Parser {
        name: "container-body",
        make: container_body,
        samples: corpus::container_bodies,
        least: RECORD,
        words: &[
            b"\x0a\x00",
            b"\x0a\x02\x08\x01",
            b"\x08\x01\x10\x05",
            b"\x2a\x00",
            b"\x12\x01\x00",
        ],
    },
    Parser {
        name: "payload-index",
        make: payload_index,
        samples: corpus::message_bodies,
        least: RECORD,
        words: FIELDS,
    },
    Parser {
        name: "payload-forms",
        make: payload_forms,
        samples: corpus::message_bodies,
        least: RECORD,
        words: FIELDS,
    },
    Parser {
        name: "json-line",
        make: json_line,
        samples: corpus::json_lines,
        least: RECORD,
        words: &[
            b"[",
            b"]",
            b"{",
            b"}",
            b"\"",
            b"\\u0000",
            b"\\ud800",
            b"\\\"",
            b"null,",
            b"1e308,",
            b"0.1,",
            b"/*",
            b"//",
            b"\"rdata\":[",
            b"\"\",",
            b"\"message\":{",
            b"-1",
            b"999999999999999999",
        ],
    },
    Parser {
        name: "presentation",
        make: presentation,
        samples: corpus::presentation,
        least: RECORD,
        words: &[
            b"\n",
            b"\n\n",
            b".\n",
            b": ",
            b"[0] [1970-01-01 00:00:00.0] [1:5 base ipconn] [0] [] [] \n",
            b"srcip: ",
            b"rdata: ",
            b"headers:\n",
            b"body:\n",
            b"\\# 0 ",
            b"\t",
        ],
    },
    Parser {
        name: "dns-message",
        make: dns_message,
        samples: corpus::dns_messages,
        least: RECORD,
        words: &[
            b"\xc0\x0c",
            b"\xc0\x0c\0\x01\0\x01",
            b"\0\0\x01\0\x01\0\0\0\0\0\x04\x01\x02\x03\x04",
            b"\x01a\xc0\x0c",
            b"\0",
            b"\x3f",
            b"\xc0\xff",
            b"\0\0\x29\x10\0\0\0\0\0\0\0",
        ],
    },
    Parser {
        name: "name",
        make: name,
        samples: corpus::rows_of_names,
        least: RECORD,
        words: &[b"\x01a", b"\0", b"\x3f", b"\xc0\0", b"\xc0\x02", b"\x01\xff", b"\x01."],
    },
    Parser {
        name: "name-text",
        make: name_text,
        samples: corpus::names_as_text,
        least: RECORD,
        words: &[b".", b"\\255", b"\\.", b"\\", b"a.", b"\\000"],
    },
    Parser {
        name: "rdata",
        make: rdata,
        samples: corpus::rdata,
        least: RECORD,
        words: &[
            b"\0\x2f", b"\0\x32", b"\0\x40", b"\0\x29", b"\0\x10", b"\x01a\0", b"\0\x20", b"\xff",
        ],
    },
    Parser {
        name: "rdata-text",
        make: rdata_text,
        samples: corpus::rdata_as_text,
        least: RECORD,
        words: &[
            b" ",
            b"\"",
            b"\\# 3 ",
            b"TYPE65535 ",
            b"key65535=",
            b"alpn=",
            b",",
            b"\\,",
            b"NSEC ",
            b"20200101000000 ",
            b"( ",
            b"; ",
            b"\0\x2f",
            b"\0\x40",
            b"\0\x32",
        ],
    },
    Parser {
        name: "capture",
        make: capture,
        samples: corpus::captures,
        least: FILE,
        words: &[
            b"\x08\0\x45\0",
            b"\x86\xdd\x60\0",
            b"\x81\0",
            b"\x88\xa8",
            b"\x20\0\x40\x11",
            b"\0\0\0\0",
            b"\0\x35",
            b"\x45\0\0\x1c\0\0\x20\0\x40\x11",
        ],
    },
    Parser {
        name: "condition",
        make: condition,
        samples: corpus::conditions,
        least: FILE,
        words: &[
            b"(",
            b")",
            b" and ",
            b" or ",
            b"not ",
            b"!",
            b"~ '",
            b"(a*)*",
            b"a{9}",
            b"'",
            b", ",
            b" in (",
            b"10.0.0.0/8",
            b"rrname",
            b"rdata",
            b"2020-01-01",
            b"[a-z]",
            b"|",
            b".*",
        ],
    },
    Parser {
        name: "alias",
        make: alias,
        samples: corpus::aliases,
        least: FILE,
        words: &[b"\n", b"#", b" ", b"1 a\n", b"ch202 ", b"127.0.0.1/1..65535 ", b"[::1]/", b"\t"],
    },
    Parser {
        name: "address",
        make: address,
        samples: corpus::addresses,
        least: RECORD,
        words: &[
            b"/",
            b"..",
            b",",
            b"[",
            b"]",
            b"%",
            b"@",
            b"#",
            b"tcp://",
            b"ipc://",
            b":",
            b"1..65535",
        ],
    },
    Parser {
        name: "command-line",
        make: command_line,
        samples: corpus::command_lines,
        least: FILE,
        words: &[
            b"\n",
            b"-",
            b"--",
            b"=",
            b"-rwoJj\n",
            b"--m\n",
            b"-c\n1\n",
            b"--get",
            b"--set",
            b"-ddd\n",
        ],
    },
    Parser {
        name: "zmtp",
        make: connection,
        samples: corpus::connections,
        least: RECORD,
        words: &[
            b"\0\0",
            b"\x01\0",
            b"\x04\x09\x09SUBSCRIBE",
            b"\x04\x07\x06CANCEL",
            b"\x04\x07\x04PING\0\0",
            b"\x02\0\0\0\0\0\0\0\x01a",
            b"\x08Identity\0\0\0\0",
        ],
    },
];

/// Fields of payloads: many kinds and numbers, empty and packed.
const FIELDS: &[&[u8]] = &[
    b"\x0a\x00",
    b"\x12\x00",
    b"\x2a\x00",
    b"\x3a\x01\x00",
    b"\x62\x00",
    b"\x6a\x00",
    b"\x72\x00",
    b"\x08\x01",
    b"\x68\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
    b"\x7d\0\0\0\0",
    b"\x82\x01\0",
    b"\xc2\x3e\0",
];

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::builtin);
static ALIASES: LazyLock<Aliases> = LazyLock::new(Aliases::default);
const NOW: Timestamp = Timestamp { sec: 1_700_000_000, nsec: 0 };

/// The type that the first octet chooses, and what follows it.
fn chosen<'a>(schemas: &'a [Arc<Schema>], input: &'a [u8]) -> Option<(&'a Arc<Schema>, &'a [u8])> {
    let (choice, rest) = input.split_first()?;
    Some((schemas.get(usize::from(*choice) % schemas.len())?, rest))
}

fn schemas() -> Vec<Arc<Schema>> {
    REGISTRY.vendors().flat_map(|vendor| vendor.schemas()).cloned().collect()
}

/// What inflating costs is counted by what may come out, see [`inflate`]; it shall not hide the rest.
fn stream() -> Run {
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

fn inflate() -> Run {
    let (mut inflater, limits) = (Inflater::new(), Limits::default());
    let mut inflated = Vec::new();
    Box::new(move |input| {
        let _ = black_box(inflater.inflate(input, &mut inflated, &limits));
        Inflater::bound(input)
    })
}

fn container_body() -> Run {
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

fn payload_index() -> Run {
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

fn payload_forms() -> Run {
    let schemas = schemas();
    let mut json = JsonWriter::new(&REGISTRY, &ALIASES, Labels::default());
    let mut text = PresentationWriter::new(&REGISTRY, &ALIASES, Labels::default(), b"\n");
    let mut out = TextBuffer::new();
    Box::new(move |input| {
        let Some((schema, body)) = chosen(&schemas, input) else { return 0 };
        let declared = schema.message_type();
        let payload = Payload {
            vendor: declared.vendor,
            msgtype: declared.id,
            time: NOW,
            body: Some(body),
            ..Payload::default()
        };
        out.clear();
        let _ = json.write(&mut out, &payload);
        let _ = text.write(&mut out, &payload);
        out.len()
    })
}

fn json_line() -> Run {
    let mut reader = JsonReader::new(&REGISTRY, &ALIASES);
    let mut body = Vec::new();
    Box::new(move |input| {
        body.clear();
        let _ = black_box(reader.read_line(input, NOW, &mut body));
        reader.notices().take_unknown_names();
        0
    })
}

fn presentation() -> Run {
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

fn dns_message() -> Run {
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

fn name() -> Run {
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

fn name_text() -> Run {
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

fn rdata() -> Run {
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

fn rdata_text() -> Run {
    let mut wire = Vec::new();
    Box::new(move |input| {
        let Some((rrtype, text)) = typed(input) else { return 0 };
        wire.clear();
        let _ = black_box(wdns::rdata::parse(text, rrtype, Class::IN, &mut wire));
        0
    })
}

fn capture() -> Run {
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

fn condition() -> Run {
    let payload = Payload { body: Some(b"\x08\x01"), ..Payload::default() };
    Box::new(move |input| {
        let Ok(text) = std::str::from_utf8(input) else { return 0 };
        if let Ok(condition) = Where::compile(text, &REGISTRY, &ALIASES, NOW) {
            black_box(Matcher::new(&condition).matches(&payload));
        }
        0
    })
}

fn alias() -> Run {
    Box::new(|input| {
        black_box(AliasTable::parse(input));
        black_box(look_up_channel(input, "ch202"));
        0
    })
}

fn address() -> Run {
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

fn command_line() -> Run {
    let flags = FlagSet::available();
    Box::new(move |input| {
        let words = input.split(|octet| *octet == b'\n');
        let words = words.map(|word| OsString::from_vec(word.to_vec()));
        let _ = black_box(nmsgtool::grammar::parse(flags, words));
        0
    })
}

fn connection() -> Run {
    Box::new(|input| {
        zmtp::fuzzing::check_connection(input);
        0
    })
}
