//! Ordinary inputs: what the tests of the crates are made with.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

use nmsg::container::{
    ContainerBuilder, Deflater, Flags, FragmentIds, Header, MAX_BUFFER, StreamReader,
    write_fragments,
};
use nmsg::{Limits, OwnedMessage, Registry, Value};
use nmsgtool::flags::FLAGS;

use crate::root;

/// Most samples of one parser.
const MOST: usize = 200;
/// Longest sample, in octets.
const LONGEST: usize = 8192;

fn golden(extension: &str) -> Vec<PathBuf> {
    let folder = root().join("crates/nmsg/tests/golden");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension() == Some(OsStr::new(extension)))
        .collect();
    paths.sort();
    paths
}

/// Not more than [`MOST`], from the start to the end.
fn thin<T>(all: Vec<T>) -> Vec<T> {
    let step = all.len().div_ceil(MOST).max(1);
    all.into_iter().step_by(step).collect()
}

/// The starts of golden files, and compressed samples.
pub(super) fn streams() -> Vec<Vec<u8>> {
    let compressed =
        ["dnsdedupe-zlib.nmsg", "dnsqr-zlib.nmsg"].map(|n| root().join("samples").join(n));
    let octets =
        golden("nmsg").into_iter().chain(compressed).filter_map(|path| fs::read(path).ok());
    octets
        .map(|mut octets| {
            octets.truncate(LONGEST);
            octets
        })
        .collect()
}

/// Containers of golden payloads in fragments, several sets one behind the other.
pub(super) fn fragments() -> Vec<Vec<u8>> {
    const SLICE_LEN: usize = 300;
    let mut ids = FragmentIds::new(1);
    let mut scratch = Vec::new();
    let mut in_fragments = |body: &Vec<u8>| {
        let mut octets = Vec::new();
        let mut emit = |fragment: &[u8]| {
            octets.extend_from_slice(fragment);
            Ok::<(), nmsg::Error>(())
        };
        let (flags, id) = (Flags::FRAGMENT, ids.next_id());
        let written = write_fragments(body, flags, id, SLICE_LEN, &mut scratch, &mut emit);
        written.is_ok().then_some(octets)
    };
    let sets: Vec<Vec<u8>> = container_bodies().iter().filter_map(&mut in_fragments).collect();
    sets.chunks(4).map(<[_]>::concat).collect()
}

/// The bodies of containers of a few golden payloads each.
pub(super) fn container_bodies() -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    for some in messages().chunks_mut(4) {
        let mut builder = ContainerBuilder::new(MAX_BUFFER, false);
        for message in some {
            let _ = builder.add(&message.payload(), None);
        }
        let container = builder.finish(None).unwrap_or_default();
        bodies.push(container.get(Header::LEN..).unwrap_or_default().to_vec());
    }
    thin(bodies)
}

/// Bodies of many golden payloads, as long as samples may be.
pub(super) fn long_bodies() -> Vec<Vec<u8>> {
    container_bodies()
        .chunks(8)
        .map(|some| {
            let mut body = some.concat();
            body.truncate(LONGEST);
            body
        })
        .collect()
}

/// The same bodies, compressed.
pub(super) fn compressed_bodies() -> Vec<Vec<u8>> {
    let mut deflater = Deflater::new();
    let compressed = |body: Vec<u8>| {
        let mut out = Vec::new();
        deflater.deflate(&body, &mut out).ok().map(|()| out)
    };
    container_bodies().into_iter().filter_map(compressed).collect()
}

/// Golden payloads.
fn messages() -> Vec<OwnedMessage> {
    let registry = Registry::builtin();
    let mut messages = Vec::new();
    for path in golden("nmsg") {
        let Ok(octets) = fs::read(path) else { continue };
        let mut reader = StreamReader::new(&Limits::default());
        reader.feed(&octets);
        reader.end();
        while let Some(container) = reader.next_container() {
            for stored in container.iter().flat_map(|container| container.payloads()) {
                messages.push(OwnedMessage::from_payload(&registry, &stored.payload));
            }
        }
    }
    messages
}

/// Bodies of messages behind an octet that chooses their type, as [`super::parsers`] wants them.
pub(super) fn message_bodies() -> Vec<Vec<u8>> {
    let registry = Registry::builtin();
    let types: Vec<_> = registry
        .vendors()
        .flat_map(|vendor| vendor.schemas())
        .map(|schema| (schema.message_type().vendor, schema.message_type().id))
        .collect();
    let mut bodies = Vec::new();
    for mut message in messages() {
        let ids = (message.vendor(), message.msgtype());
        let Some(choice) = types.iter().position(|known| *known == ids) else { continue };
        let mut body = vec![choice as u8];
        body.extend_from_slice(message.payload().body.unwrap_or_default());
        bodies.push(body);
    }
    thin(bodies)
}

/// The octets of a field of golden messages.
fn field(name: &str) -> Vec<Vec<u8>> {
    let mut found = BTreeSet::new();
    for mut message in messages() {
        let Ok(view) = message.view() else { continue };
        if let Some(Value::Octets(octets)) = view.get_by_name(name.as_bytes(), 0) {
            found.insert(octets.to_vec());
        }
    }
    thin(found.into_iter().collect())
}

/// DNS messages.
pub(super) fn dns_messages() -> Vec<Vec<u8>> {
    [field("response"), field("query"), field("dns")].concat()
}

/// Names in wire form.
pub(super) fn names() -> Vec<Vec<u8>> {
    [field("rrname"), field("qname")].concat()
}

/// Names that are read at once.
const TOGETHER: usize = 12;

/// Names in wire form, one behind the other.
pub(super) fn rows_of_names() -> Vec<Vec<u8>> {
    names().chunks(TOGETHER).map(<[_]>::concat).collect()
}

/// Names as text, one a line.
pub(super) fn names_as_text() -> Vec<Vec<u8>> {
    let text = |wire: &Vec<u8>| {
        let mut text = wdns::TextBuffer::new();
        wdns::name::write::<false>(&mut text, wire);
        text.as_bytes().to_vec()
    };
    let texts: Vec<Vec<u8>> = names().iter().map(text).collect();
    texts.chunks(TOGETHER).map(|some| some.join(&b'\n')).collect()
}

/// Record data behind two octets of type.
pub(super) fn rdata() -> Vec<Vec<u8>> {
    let mut found = BTreeSet::new();
    for message in dns_messages() {
        let Ok(message) = wdns::Message::parse(&message) else { continue };
        for section in wdns::Section::RECORDS {
            for record in message.records(section) {
                let mut data = record.rrtype.0.to_be_bytes().to_vec();
                record.append_rdata(&mut data);
                found.insert(data);
            }
        }
    }
    thin(found.into_iter().collect())
}

/// Record data as text behind two octets of type.
pub(super) fn rdata_as_text() -> Vec<Vec<u8>> {
    let text = |data: Vec<u8>| {
        let (rrtype, data) = data.split_at(2);
        let number = wdns::RrType(u16::from_be_bytes([rrtype[0], rrtype[1]]));
        let mut text = wdns::TextBuffer::new();
        wdns::rdata::write::<false>(&mut text, data, number, wdns::Class::IN);
        [rrtype, text.as_bytes()].concat()
    };
    rdata().into_iter().map(text).collect()
}

/// Lines of JSON.
pub(super) fn json_lines() -> Vec<Vec<u8>> {
    let files = golden("json").into_iter().filter_map(|path| fs::read(path).ok());
    let lines = files.flat_map(|text| {
        text.split(|octet| *octet == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>()
    });
    thin(lines.filter(|line| !line.is_empty() && line.len() <= LONGEST).collect())
}

/// Presentation text behind an octet that chooses the type.
pub(super) fn presentation() -> Vec<Vec<u8>> {
    let registry = Registry::builtin();
    let mut samples = Vec::new();
    let schemas = registry.vendors().flat_map(|vendor| vendor.schemas());
    for (choice, schema) in schemas.enumerate() {
        let declared = schema.message_type();
        let [vendor, name] = [&declared.vendor_name, &declared.name]
            .map(|name| name.to_string_lossy().to_lowercase());
        let path = root().join(format!("crates/nmsg/tests/golden/{vendor}-{name}.pres"));
        let Ok(text) = fs::read(path) else { continue };
        let mut sample = vec![choice as u8];
        sample.extend_from_slice(&text[..text.len().min(LONGEST)]);
        samples.push(sample);
    }
    samples
}

/// Starts of captures.
pub(super) fn captures() -> Vec<Vec<u8>> {
    let capture = fs::read(root().join("crates/nmsg-capture/tests/fixtures/dns-mix.pcap"));
    let capture = capture.unwrap_or_default();
    [512, 2048, LONGEST].iter().map(|len| capture[..capture.len().min(*len)].to_vec()).collect()
}

/// Conditions: those of the documentation, and some that are long.
pub(super) fn conditions() -> Vec<Vec<u8>> {
    let page = fs::read_to_string(root().join("docs/where.md")).unwrap_or_default();
    let quoted = page.split("--where '").skip(1).filter_map(|rest| rest.split_once('\''));
    let mut found: Vec<&str> = quoted.map(|(text, _)| text).collect();
    found.extend([
        "rrname ~ '^www[0-9]+\\.' and (rrtype = A or rrtype = AAAA)",
        "srcip in 10.0.0.0/8 and not dstport in (53, 5353)",
        "source = 0xa1ba02cf or operator = 5",
    ]);
    found.chunks(4).map(|some| format!("({})", some.join(") or (")).into_bytes()).collect()
}

/// Alias files.
pub(super) fn aliases() -> Vec<Vec<u8>> {
    let file = |line: &dyn Fn(usize) -> String| (1..200).map(line).collect::<String>().into_bytes();
    vec![
        file(&|n| format!("{n} operator-{n}\n")),
        file(&|n| format!("# note {n}\n\n0x{n:x} sensor-{n}\t# another\n")),
        file(&|n| format!("ch{n} 127.0.0.1/8430 [::1]/8430..8440,10\n")),
    ]
}

/// Addresses of every kind of transport.
pub(super) fn addresses() -> Vec<Vec<u8>> {
    [
        "127.0.0.1/8430",
        "[ff02::1%eth0]/8430..8440,100,10",
        "host.example.net/53",
        "tcp://host.example.net:5555,accept,pubsub",
        "ipc:///run/nmsg.sock,connect,pushpull",
        "topic#3@broker-1:9092,broker-2:9092,oldest",
        "topic%group@localhost,newest",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// Command lines, one word a line.
pub(super) fn command_lines() -> Vec<Vec<u8>> {
    let examples: Vec<&str> = FLAGS.iter().map(|flag| flag.example).collect();
    examples.chunks(6).map(|some| some.join("\n").replace(' ', "\n").into_bytes()).collect()
}

/// What asks for metrics.
pub(super) fn requests() -> Vec<Vec<u8>> {
    let heads = "Host: sensor.example.net:9100\r\nUser-Agent: Prometheus/2.53.0\r\n\
                 Accept: text/plain;version=0.0.4\r\nAccept-Encoding: gzip\r\n\r\n";
    ["GET /metrics HTTP/1.1", "HEAD /metrics?name=x HTTP/1.0", "GET / HTTP/1.1", "POST / HTTP/1.1"]
        .map(|line| format!("{line}\r\n{heads}").into_bytes())
        .to_vec()
}

/// What ZeroMQ peers send.
pub(super) fn connections() -> Vec<Vec<u8>> {
    let mut greeting = vec![0; 64];
    (greeting[0], greeting[8], greeting[9], greeting[10], greeting[11]) = (0xff, 1, 0x7f, 3, 1);
    greeting[12..16].copy_from_slice(b"NULL");
    let command = |name: &str, body: &[u8]| {
        let mut frame = vec![4, (1 + name.len() + body.len()) as u8, name.len() as u8];
        frame.extend_from_slice(name.as_bytes());
        frame.extend_from_slice(body);
        frame
    };
    let ready = |kind: &str| {
        let mut metadata = b"\x0bSocket-Type".to_vec();
        metadata.extend_from_slice(&(kind.len() as u32).to_be_bytes());
        metadata.extend_from_slice(kind.as_bytes());
        command("READY", &metadata)
    };
    let message = [&[0, 100][..], &[7; 100]].concat();
    let parts = [&[1, 3, 1, 2, 3][..], &message].concat();
    [
        [&[0, 9][..], &greeting, &ready("PUB"), &message.repeat(20)].concat(),
        [&[1, 60], &greeting[..], &ready("SUB"), &command("SUBSCRIBE", b"NMSG")].concat(),
        [&[2, 1], &greeting[..], &ready("PUSH"), &parts.repeat(9)].concat(),
        [&[0, 200], &greeting[..], &ready("PUB"), &command("PING", b"\0\x09context"), &message]
            .concat(),
    ]
    .to_vec()
}
