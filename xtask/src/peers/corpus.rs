//! Records for the comparison: those of the golden files, and each of them with one thing changed.

use std::io;
use std::path::Path;
use std::{fs, iter};

use nmsg::container::{ContainerWriter, StreamReader, WriterSettings};
use nmsg::schema::{Field, FieldType, Schema, Storage};
use nmsg::wire::{self, RawValue};
use nmsg::{Limits, MsgType, Payload, Registry, Timestamp, VendorId};

use crate::random::Random;

/// A record that owns its body.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) vendor: u32,
    pub(super) msgtype: u32,
    pub(super) time: Timestamp,
    pub(super) source: Option<u32>,
    pub(super) operator: Option<u32>,
    pub(super) group: Option<u32>,
    pub(super) body: Option<Vec<u8>>,
    /// What was changed, for the report of a difference.
    pub(super) change: String,
}

impl Record {
    pub(super) fn payload(&self) -> Payload<'_> {
        Payload {
            vendor: VendorId(self.vendor),
            msgtype: MsgType(self.msgtype),
            time: self.time,
            source: self.source,
            operator: self.operator,
            group: self.group,
            body: self.body.as_deref(),
        }
    }
}

/// The records of a file or stream.
pub(super) fn read(octets: &[u8]) -> io::Result<Vec<Record>> {
    let mut reader = StreamReader::new(&Limits::default());
    reader.feed(octets);
    reader.end();
    let mut records = Vec::new();
    while let Some(container) = reader.next_container() {
        for stored in container.map_err(io::Error::other)?.payloads() {
            let payload = stored.payload;
            records.push(Record {
                vendor: payload.vendor.0,
                msgtype: payload.msgtype.0,
                time: payload.time,
                source: payload.source,
                operator: payload.operator,
                group: payload.group,
                body: payload.body.map(<[u8]>::to_vec),
                change: "none".to_owned(),
            });
        }
    }
    Ok(records)
}

/// A file with these records.
pub(super) fn file(records: &[Record]) -> io::Result<Vec<u8>> {
    let mut writer = ContainerWriter::new(WriterSettings::file(1));
    let mut octets = Vec::new();
    let mut emit = |container: &[u8]| {
        octets.extend_from_slice(container);
        Ok::<(), nmsg::Error>(())
    };
    for record in records {
        writer.write(&record.payload(), None, &mut emit).map_err(io::Error::other)?;
    }
    writer.flush(&mut emit).map_err(io::Error::other)?;
    Ok(octets)
}

/// The records of the golden files, some of each.
pub(super) fn seeds(golden: &Path, of_each: usize) -> io::Result<Vec<Record>> {
    let mut files: Vec<_> = fs::read_dir(golden)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "nmsg"))
        .collect();
    files.sort();
    let mut records = Vec::new();
    for path in files {
        records.extend(read(&fs::read(path)?)?.into_iter().take(of_each));
    }
    Ok(records)
}

/// `count` records, each one of `seeds` with one thing changed.
pub(super) fn changed(
    seeds: &[Record],
    registry: &Registry,
    random: &mut Random,
    count: usize,
) -> Vec<Record> {
    (0..count)
        .map(|_| {
            let mut record = seeds[random.below(seeds.len())].clone();
            record.change = change(&mut record, registry, random);
            record
        })
        .collect()
}

/// Changes one thing; returns what.
fn change(record: &mut Record, registry: &Registry, random: &mut Random) -> String {
    let schema = registry.get(VendorId(record.vendor), MsgType(record.msgtype));
    match (schema, random.below(20)) {
        (Some(schema), 0..14) => change_field(record, schema, random),
        (_, 14..16) => change_labels(record, random),
        (_, 16) => change_time(record, random),
        (_, 17) => change_octets(record, random),
        (_, 18) => {
            record.body = if random.chance(50) { None } else { Some(Vec::new()) };
            "body absent or empty".to_owned()
        }
        _ => {
            let ids = [1, 2, 3, 15, 99, 65_535, 65_536, 4_000_000_000, u32::MAX];
            (record.vendor, record.msgtype) = (random.pick(&ids), random.pick(&ids));
            "ids".to_owned()
        }
    }
}

fn change_labels(record: &mut Record, random: &mut Random) -> String {
    let mut label = || random.pick(&[None, Some(0), Some(1), Some(7), Some(300), Some(u32::MAX)]);
    (record.source, record.operator, record.group) = (label(), label(), label());
    "labels".to_owned()
}

fn change_time(record: &mut Record, random: &mut Random) -> String {
    let year_10000 = 253_402_300_800;
    record.time = Timestamp {
        sec: random.pick(&[
            -1,
            0,
            1,
            -62_135_596_801,
            -62_200_000_000,
            1 << 40,
            951_782_400,
            4_102_444_800,
            year_10000,
        ]),
        nsec: random.pick(&[0, 1, 999_999_999, 1_000_000_000, 2_500_000_000, u32::MAX]),
    };
    "time".to_owned()
}

fn change_octets(record: &mut Record, random: &mut Random) -> String {
    let body = record.body.get_or_insert_default();
    let at = random.below(body.len());
    match random.below(3) {
        _ if body.is_empty() => body.push(random.next() as u8),
        0 => body.truncate(at),
        1 => body[at] ^= 1 << random.below(8),
        _ => body.insert(at, random.next() as u8),
    }
    "octets".to_owned()
}

/// Gives a declared field another value, or none, or one more.
fn change_field(record: &mut Record, schema: &Schema, random: &mut Random) -> String {
    let stored: Vec<&Field> = schema.fields().iter().filter(|field| field.tag.is_some()).collect();
    let field = stored[random.below(stored.len())];
    let tag = field.tag.unwrap_or_default();
    let name = String::from_utf8_lossy(field.name()).into_owned();
    let old = record.body.take().unwrap_or_default();
    let Some(parts) = parts(&old) else {
        record.body = Some(old);
        return "nothing".to_owned();
    };
    let mut body = Vec::new();
    let what = match random.below(10) {
        0 => {
            copy_except(&parts, tag, &mut body);
            "absent"
        }
        1 => {
            copy_except(&parts, tag, &mut body);
            wire::put_varint_field(&mut body, 19_000 + tag, random.next());
            wire::put_len_field(&mut body, tag, b"another wire type?");
            "replaced by octets, and an unknown field"
        }
        2 => {
            body.extend_from_slice(&old);
            put_odd_value(&mut body, field, tag, &[], random);
            "once more"
        }
        _ => {
            copy_except(&parts, tag, &mut body);
            let known = parts.iter().find(|part| part.tag == tag);
            let known = known.and_then(|part| part.content).unwrap_or_default();
            put_odd_value(&mut body, field, tag, known, random);
            "odd"
        }
    };
    record.body = Some(body);
    format!("{name}: {what}")
}

/// One field of a body.
struct Part<'a> {
    tag: u32,
    encoded: &'a [u8],
    content: Option<&'a [u8]>,
}

fn parts(body: &[u8]) -> Option<Vec<Part<'_>>> {
    let mut reader = wire::Reader::new(body);
    let mut parts = Vec::new();
    let mut start = 0;
    while let Some(field) = reader.field().ok()? {
        let content = if let RawValue::Len(octets) = field.value { Some(octets) } else { None };
        parts.push(Part { tag: field.number, encoded: &body[start..reader.offset()], content });
        start = reader.offset();
    }
    Some(parts)
}

fn copy_except(parts: &[Part<'_>], tag: u32, body: &mut Vec<u8>) {
    for part in parts.iter().filter(|part| part.tag != tag) {
        body.extend_from_slice(part.encoded);
    }
}

fn put_odd_value(body: &mut Vec<u8>, field: &Field, tag: u32, known: &[u8], random: &mut Random) {
    match field.storage {
        Storage::Bytes => {
            let octets = match field.field_type {
                FieldType::Ip => odd_address(random),
                FieldType::String | FieldType::MultilineString => odd_text(random),
                _ => odd_octets(known, random),
            };
            wire::put_len_field(body, tag, &octets);
        }
        Storage::Double => {
            let numbers = [
                0.0,
                -0.0,
                1.0,
                -1.5,
                0.2,
                1e-10,
                1e21,
                1e43,
                1e44,
                -1e300,
                f64::MAX,
                f64::MIN_POSITIVE,
                5e-324,
                f64::NAN,
                f64::INFINITY,
                f64::NEG_INFINITY,
                123_456_789.123_456_78,
            ];
            wire::put_fixed64_field(body, tag, random.pick(&numbers).to_bits());
        }
        Storage::Fixed64 => wire::put_fixed64_field(body, tag, odd_number(random)),
        Storage::Fixed32 | Storage::Sfixed32 => {
            wire::put_fixed32_field(body, tag, odd_number(random) as u32);
        }
        Storage::Enum => {
            let number = random.pick(&[0, 1, 2, 3, 4, 5, 7, 13, 100, -1_i64, i64::from(i32::MIN)]);
            wire::put_varint_field(body, tag, number as u64);
        }
        _ => wire::put_varint_field(body, tag, odd_number(random)),
    }
}

fn odd_number(random: &mut Random) -> u64 {
    random.pick(&[
        0,
        1,
        2,
        5,
        53,
        255,
        256,
        32_767,
        32_768,
        40_000,
        65_535,
        65_536,
        65_616,
        i32::MAX as u64,
        1 << 31,
        u32::MAX as u64,
        1 << 32,
        (1 << 40) + 7,
        i64::MAX as u64,
        1 << 63,
        u64::MAX,
        -5_i64 as u64,
        i64::from(i32::MIN) as u64,
    ])
}

fn odd_address(random: &mut Random) -> Vec<u8> {
    let len = random.pick(&[0, 1, 3, 4, 4, 5, 15, 16, 16, 16, 16, 17]);
    let mut octets: Vec<u8> = (0..len).map(|_| random.next() as u8).collect();
    if len == 16 {
        match random.below(5) {
            0 => octets.fill(0),
            1 => octets[..12].fill(0),
            2 => octets[..12].copy_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]),
            3 => octets[random.below(8)..8 + random.below(8)].fill(0),
            _ => {}
        }
    }
    octets
}

/// Text with everything that a renderer must look at.
fn odd_text(random: &mut Random) -> Vec<u8> {
    let pieces: &[&[u8]] = &[
        b"",
        b"plain",
        b"with \"quotes\" and \\",
        b"tab\there",
        b"bell\x07 del\x7f esc\x1b",
        b"two\nlines",
        b"cr\r\nlf",
        b"\x80",
        b"\xc2a",
        b"\xc3\xa9",
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xe2\x82",
        b"\xe2\x82\xac",
        b"\xf0\x9f\x98",
        b"\xf0\x9f\x98\x80",
        b"\xf0\x80\x80\xaf",
        b"\xf8\x88\x80\x80\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\0",
        b"\0 behind NUL",
        b"{\"json\": [1, 2.50, \"x\"]}",
        b"[1,\n2]",
        b"{\"cut\":",
        b"42",
        b".",
        b"\n.\n",
        b"/slash/",
    ];
    let mut text = Vec::new();
    for _ in 0..random.between(1, 3) {
        text.extend_from_slice(pieces[random.below(pieces.len())]);
    }
    if random.chance(30) {
        text.push(0);
    }
    text
}

/// Octets that were a name, record data, a packet or a DNS message, damaged; or any others.
fn odd_octets(known: &[u8], random: &mut Random) -> Vec<u8> {
    let mut octets = known.to_vec();
    match random.below(7) {
        0 => octets.clear(),
        1 => octets.truncate(random.below(known.len())),
        2 if !octets.is_empty() => {
            let at = random.below(octets.len());
            octets[at] ^= 1 << random.below(8);
        }
        3 if !octets.is_empty() => {
            let at = random.below(octets.len());
            octets[at] = random.pick(&[0, 1, 63, 64, 0xc0, 0xff]);
        }
        4 => octets.extend(iter::repeat_with(|| random.next() as u8).take(3)),
        5 => return odd_text(random),
        _ => {
            let len = random.below(24);
            octets = iter::repeat_with(|| random.next() as u8).take(len).collect();
        }
    }
    octets
}
