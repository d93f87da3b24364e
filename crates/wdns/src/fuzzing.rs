//! Bodies of fuzz targets: each takes any octets and asserts what must hold for them.
//!
//! They are ordinary functions, so that the normal tests run them over saved inputs and mutations.

use crate::rdata::{Atom, Layout, layout};
use crate::{
    Class, Message, MessageScratch, NameBuf, OwnedMessage, RrSet, RrType, Section, TextBuffer,
    name, rdata,
};

/// Checks names: `raw` as wire form, as text, and as a message with a name at every offset of its
/// start.
///
/// # Panics
///
/// When an invariant does not hold.
pub fn check_name(raw: &[u8]) {
    let mut plain = TextBuffer::new();
    let consumed = name::write::<false>(&mut plain, raw);
    assert!(consumed <= raw.len().max(1));
    assert!(plain.as_bytes().ends_with(b"."));
    assert_json_dialect(&plain, |out| {
        name::write::<true>(out, raw);
    });
    let len = name::uncompressed_len(raw);
    if let Ok(len) = len {
        assert_eq!(consumed, len);
        assert_eq!(parsed_name(plain.as_bytes()).as_deref(), Some(&raw[..len]));
        check_sound_name(&raw[..len]);
    }
    if let Some(wire) = parsed_name(raw) {
        assert_eq!(name::uncompressed_len(&wire), Ok(wire.len()));
        check_sound_name(&wire);
    }
    let mut room = NameBuf::new();
    for at in 0..raw.len().min(64) {
        let read = name::unpack(raw, at, &mut room);
        if let Ok(consumed) = read {
            assert!(consumed <= raw.len() - at);
            assert_eq!(consumed, name::skip(&raw[at..]));
            assert_eq!(name::uncompressed_len(room.as_bytes()), Ok(room.as_bytes().len()));
        }
        if let Ok(name) = name::copy(raw, at) {
            assert_eq!(read, Ok(name.len()));
            assert_eq!(room.as_bytes(), name);
        }
    }
}

fn check_sound_name(wire: &[u8]) {
    let mut text = TextBuffer::new();
    assert_eq!(name::write::<false>(&mut text, wire), wire.len());
    assert_eq!(parsed_name(text.as_bytes()).as_deref(), Some(wire));
    let labels = name::count_labels(wire).expect("a sound name has labels");
    let mut reversed = Vec::new();
    name::reverse(wire, &mut reversed).expect("a sound name can be reversed");
    assert_eq!(name::count_labels(&reversed), Ok(labels));
    let parent = name::left_chop(wire).expect("a sound name has a parent or is the root");
    assert_eq!(name::is_subdomain(wire, parent), Ok(labels > 0));
}

fn parsed_name(text: &[u8]) -> Option<Vec<u8>> {
    let mut wire = Vec::new();
    name::parse(text, &mut wire).ok().map(|()| wire)
}

/// Checks record data: the first four octets choose type and class, the rest is taken as wire
/// form and as text.
///
/// # Panics
///
/// When an invariant does not hold.
pub fn check_rdata_text(raw: &[u8]) {
    let Some((&[t0, t1, c0, c1], data)) = raw.split_first_chunk::<4>() else { return };
    // Most inputs shall meet a type with a layout.
    let rrtype = RrType(u16::from_be_bytes([if t0 < 0xf0 { t0 & 1 } else { t0 }, t1]));
    let class = if c0 < 0xf0 { Class::IN } else { Class(c1.into()) };
    check_rdata_wire(data, rrtype, class);
    if let Some(wire) = parsed_rdata(data, rrtype, class) {
        let sound = uncompressed_rdata(&wire, rrtype, class);
        assert_eq!(sound.as_deref(), Some(&wire[..]), "text gave unsound data");
        check_rdata_wire(&wire, rrtype, class);
    }
}

fn check_rdata_wire(data: &[u8], rrtype: RrType, class: Class) {
    let text = rdata_text(data, rrtype, class);
    assert_json_dialect(&text, |out| rdata::write::<true>(out, data, rrtype, class));
    let mut lower = data.to_vec();
    let downcased = rdata::downcase(&mut lower, rrtype, class);
    assert!(lower.eq_ignore_ascii_case(data));
    assert!(downcased.is_ok() || lower.len() == data.len());

    let again = parsed_rdata(text.as_bytes(), rrtype, class);
    if let Some(again) = &again {
        // What is read from our own text is shown as text that gives the same.
        let text = rdata_text(again, rrtype, class);
        assert_eq!(parsed_rdata(text.as_bytes(), rrtype, class).as_ref(), Some(again));
    }
    let exact = match layout(rrtype, class) {
        Layout::Generic => data.len() <= usize::from(u16::MAX),
        Layout::OtherClass => false,
        // These have wire forms that no text gives: unsorted windows, empty lists, a lone prefix,
        // type zero.
        Layout::Atoms(atoms) => !atoms.iter().any(|atom| match atom {
            Atom::Bitmap | Atom::SvcParams | Atom::A6 | Atom::Options => true,
            Atom::Type => data.starts_with(&[0, 0]),
            _ => false,
        }),
    };
    if exact && uncompressed_rdata(data, rrtype, class).as_deref() == Some(data) {
        assert_eq!(again.as_deref(), Some(data), "{}", text.to_string_lossy());
    }
}

fn rdata_text(data: &[u8], rrtype: RrType, class: Class) -> TextBuffer {
    let mut text = TextBuffer::new();
    rdata::write::<false>(&mut text, data, rrtype, class);
    text
}

fn parsed_rdata(text: &[u8], rrtype: RrType, class: Class) -> Option<Vec<u8>> {
    let mut wire = Vec::new();
    rdata::parse(text, rrtype, class, &mut wire).ok().map(|()| wire)
}

fn uncompressed_rdata(data: &[u8], rrtype: RrType, class: Class) -> Option<Vec<u8>> {
    let mut wire = Vec::new();
    rdata::decompress(data, 0, data.len(), rrtype, class, &mut wire).ok().map(|()| wire)
}

/// Checks messages: what is read is shown alike in every form, and no prefix does harm.
///
/// # Panics
///
/// When an invariant does not hold.
pub fn check_message(raw: &[u8]) {
    let Ok(message) = Message::parse(raw) else { return };
    let mut scratch = MessageScratch::new();
    let (mut text, mut json) = (TextBuffer::new(), TextBuffer::new());
    message.write_text(&mut text);
    message.write_json(&mut json, &mut scratch);
    assert_json(json.as_bytes());

    let mut lines = TextBuffer::new();
    let owned = OwnedMessage::from(&message);
    assert_eq!(message.questions().count(), message.count(Section::Question));
    owned.sections[Section::Question as usize].write_lines(&mut lines, Section::Question);
    assert!(contains(text.as_bytes(), lines.as_bytes()));
    for section in Section::RECORDS {
        let entries = &owned.sections[section as usize];
        assert_eq!(entries.rrs.len(), message.count(section));
        let gathered: usize = entries.rrsets.iter().map(|set| set.rdatas.len()).sum();
        assert_eq!(gathered, message.count(section));
        lines.clear();
        entries.write_lines(&mut lines, section);
        assert!(contains(text.as_bytes(), lines.as_bytes()));
        for set in &entries.rrsets {
            let mut octets = Vec::new();
            if set.serialise(&mut octets).is_ok() {
                assert_eq!(RrSet::deserialise(&octets).as_ref(), Ok(set));
            }
        }
    }
    let records = Section::RECORDS.into_iter().flat_map(|section| message.records(section));
    for record in records {
        let mut data = Vec::new();
        record.append_rdata(&mut data);
        let mut in_message = TextBuffer::new();
        record.write_rdata::<false>(&mut in_message);
        let alone = rdata_text(&data, record.rrtype, record.class);
        assert_eq!(alone.as_bytes(), in_message.as_bytes());
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

/// Asserts that `write` gives `plain` escaped for the inside of a JSON string.
fn assert_json_dialect(plain: &TextBuffer, write: impl FnOnce(&mut TextBuffer)) {
    let (mut escaped, mut direct) = (TextBuffer::new(), TextBuffer::new());
    escaped.json_escaped(plain.as_bytes());
    write(&mut direct);
    assert_eq!(direct.as_bytes(), escaped.as_bytes());
}

/// Asserts that brackets and strings of JSON text close, and that strings hold nothing raw.
fn assert_json(text: &[u8]) {
    let mut open = Vec::new();
    let mut octets = text.iter();
    while let Some(&octet) = octets.next() {
        match octet {
            b'"' => loop {
                match octets.next() {
                    Some(b'"') => break,
                    Some(b'\\') => assert!(octets.next().is_some_and(|o| b"\"\\n".contains(o))),
                    other => assert!(matches!(other, Some(0x20..=0x7e)), "{other:?}"),
                }
            },
            b'{' | b'[' => open.push(octet + 2),
            b'}' | b']' => assert_eq!(open.pop(), Some(octet)),
            _ => assert!(matches!(octet, b'0'..=b'9' | b',' | b':')),
        }
    }
    assert!(open.is_empty());
}
