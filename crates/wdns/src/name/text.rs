//! Names to text and back (`wdns` §3.1, §3.2).

use super::{MAX_LABEL_LEN, MAX_LEN};
use crate::scan;
use crate::simd::{self, SCAN_BLOCK, is_special};
use crate::text_buffer::copy_short;
use crate::{Error, TextBuffer};

/// Octets of a name that are copied and classified at once: enough for nearly all names.
pub(crate) const WINDOW: usize = 64;

/// The text of one octet of a label and its length.
#[derive(Clone, Copy)]
struct Escaped {
    text: [u8; 7],
    len: u8,
}

const fn escapes(json: bool) -> [Escaped; 256] {
    let mut table = [Escaped { text: [0; 7], len: 0 }; 256];
    let mut octet = 0;
    while octet < 256 {
        let o = octet as u8;
        let digits = [b'0' + o / 100, b'0' + o / 10 % 10, b'0' + o % 10];
        let [d0, d1, d2] = digits;
        let (text, len) = match (o, json) {
            (b'"', true) => ([b'\\', b'"', 0, 0, 0, 0, 0], 2),
            (b'\\', true) => ([b'\\', b'\\', b'\\', b'\\', 0, 0, 0], 4),
            (b'.', true) => ([b'\\', b'\\', b'.', 0, 0, 0, 0], 3),
            (b'.' | b'\\', false) => ([b'\\', o, 0, 0, 0, 0, 0], 2),
            (0x21..=0x7e, _) => ([o, 0, 0, 0, 0, 0, 0], 1),
            (_, true) => ([b'\\', b'\\', d0, d1, d2, 0, 0], 5),
            (_, false) => ([b'\\', d0, d1, d2, 0, 0, 0], 4),
        };
        table[octet] = Escaped { text, len };
        octet += 1;
    }
    table
}

static PLAIN_ESCAPES: [Escaped; 256] = escapes(false);
static JSON_ESCAPES: [Escaped; 256] = escapes(true);

/// Appends the text of a wire name and returns how many octets the name takes, its terminating
/// zero included.
///
/// Each label is followed by a dot; the root alone is a dot. `JSON` writes the same text as the
/// inside of a JSON string. A name that is cut short or has label lengths over 63 prints as far
/// as it goes (`wdns` §3.2).
#[inline]
pub fn write<const JSON: bool>(out: &mut TextBuffer, wire: &[u8]) -> usize {
    write_within::<JSON>(out, wire, 0, wire.len())
}

/// As [`write()`], for a name in `octets[start..end]`, which is faster where more octets surround it;
/// nothing is there when that is no range of them.
#[inline]
pub fn write_within<const JSON: bool>(
    out: &mut TextBuffer,
    octets: &[u8],
    start: usize,
    end: usize,
) -> usize {
    write_plain::<JSON>(out, octets, start, end)
        .unwrap_or_else(|| write_escaped::<JSON>(out, octets.get(start..end).unwrap_or_default()))
}

/// Appends the complete name at the start of `octets[start..end]` if it needs no escapes, and returns
/// how many octets it takes. Nothing else is appended.
#[inline]
pub(crate) fn write_plain<const JSON: bool>(
    out: &mut TextBuffer,
    octets: &[u8],
    start: usize,
    end: usize,
) -> Option<usize> {
    simd::write_short_name::<JSON>(out, octets, start, end)
        .or_else(|| write_long::<JSON>(out, octets.get(start..end)?))
}

/// The length of a name's text, without its end, and where its dots are, one bit each. `labels` follow
/// the first length octet. `None` when the name does not end among those that fit a window.
#[inline(always)]
pub(crate) fn find_dots(first: u8, labels: &[u8]) -> Option<(usize, u64)> {
    // Each length octet ends the label before it. One that is too long for a label leads too far.
    let labels = labels.get(..WINDOW).unwrap_or(labels);
    let (mut length, mut at, mut dots) = (first, 0, 0_u64);
    while length != 0 {
        at += usize::from(length);
        length = *labels.get(at)?;
        dots |= 1 << (at % WINDOW);
        at += 1;
    }
    Some((at, dots))
}

/// Turns the first labels, which stand in the window with their length octets, into text, and
/// returns its length; 0 when the name is not complete, does not fit or needs escapes. `specials` has
/// a bit for each octet that is special.
#[inline(always)]
pub(crate) fn set_dots(
    window: &mut [u8; WINDOW],
    first: u8,
    labels: &[u8],
    specials: u64,
) -> usize {
    // Overwrite the length octets: each ends the label before it. One that is too long for a label
    // leads out of the window.
    let reach = labels.len().min(WINDOW);
    let (mut length, mut at, mut dots) = (first, 0, 0_u64);
    while length != 0 {
        at += usize::from(length);
        if at >= reach {
            return 0;
        }
        length = labels[at];
        window[at] = b'.';
        dots |= 1 << (at % WINDOW);
        at += 1;
    }
    if (specials & !dots) << (WINDOW - at) == 0 { at } else { 0 }
}

/// Copies the labels as far as the window reaches.
#[inline(always)]
pub(crate) fn copy_start(window: &mut [u8; WINDOW], labels: &[u8]) {
    if let Some(start) = labels.first_chunk() {
        *window = *start;
    } else if let (Some(head), Some(tail)) = (labels.first_chunk::<32>(), labels.last_chunk::<32>())
    {
        window[..32].copy_from_slice(head);
        window[labels.len() - 32..labels.len()].copy_from_slice(tail);
    } else if let Some(window) = window.first_chunk_mut() {
        copy_short(window, labels);
    }
}

/// Which of the first octets are special, one bit each. The octets are read where they come from:
/// what has just been written in pieces cannot be read at once.
#[inline(always)]
pub(crate) fn specials<const JSON: bool>(labels: &[u8]) -> u64 {
    let Some(last) = labels.len().checked_sub(16) else {
        let mut block = [0; 16];
        block[..labels.len()].copy_from_slice(labels);
        return simd::special_in_names::<JSON>(&block);
    };
    let block = |at: usize| {
        let at = at.min(last);
        let special = labels[at..].first_chunk().map(simd::special_in_names::<JSON>);
        special.unwrap_or(u64::MAX) << (at % WINDOW)
    };
    let special = block(0) | block(16);
    if last > 16 { special | block(32) | block(48) } else { special }
}

/// As [`write_plain`], for a name of any length that is not the root.
#[cold]
fn write_long<const JSON: bool>(out: &mut TextBuffer, wire: &[u8]) -> Option<usize> {
    let len = super::complete_len(wire).filter(|&len| len > WINDOW)?;
    let start = out.len();
    let mut rest = &wire[..len - 1];
    while let Some((&length, after)) = rest.split_first() {
        let (label, after) = after.split_at(length.into());
        if label.iter().any(|&octet| is_special::<JSON>(octet)) {
            out.truncate(start);
            return None;
        }
        out.bytes(label);
        out.byte(b'.');
        rest = after;
    }
    Some(len)
}

#[cold]
fn write_escaped<const JSON: bool>(out: &mut TextBuffer, wire: &[u8]) -> usize {
    let escapes = if JSON { &JSON_ESCAPES } else { &PLAIN_ESCAPES };
    let mut at = 0;
    loop {
        let Some(&length) = wire.get(at) else {
            if at == 0 {
                out.byte(b'.');
                return 1;
            }
            return at;
        };
        at += 1;
        if length == 0 {
            return at;
        }
        let label = &wire[at..wire.len().min(at + usize::from(length))];
        for &octet in label {
            let escaped = &escapes[usize::from(octet)];
            out.fill(|window: &mut [u8; 7]| {
                *window = escaped.text;
                escaped.len
            });
        }
        out.byte(b'.');
        at += label.len();
    }
}

/// Appends the wire form of a name in presentation form, letter case kept.
///
/// The last dot is optional; empty text and `.` are the root. `\DDD` stands for an octet and `\X`
/// for a character that is no digit (`wdns` §3.1).
///
/// # Errors
///
/// [`Error::Parse`] for empty labels and wrong escapes, [`Error::NameOverflow`] for more than 255
/// octets, [`Error::NameLength`] for a label over 63 octets. Nothing is appended then.
pub fn parse(text: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    append::<false>(text, out)
}

/// As [`parse`], with the unescaped letters A to Z turned into lower case.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_lowercase(text: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    append::<true>(text, out)
}

fn append<const LOWER: bool>(text: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let start = out.len();
    if append_plain(text, out, start).is_some() {
        if LOWER {
            out[start..].make_ascii_lowercase();
        }
        return Ok(());
    }
    out.truncate(start);
    let result = append_labels::<LOWER>(text, out, start);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Appends a name without escapes: the text as it is behind a length octet, with lengths in the
/// place of its dots. `None`, with something appended, for anything else.
#[inline]
fn append_plain(text: &[u8], out: &mut Vec<u8>, start: usize) -> Option<()> {
    let room = if text.ends_with(b".") { MAX_LEN - 1 } else { MAX_LEN - 2 };
    if text.is_empty() || text.len() > room {
        return None;
    }
    out.reserve(text.len() + 2);
    out.push(0);
    out.extend_from_slice(text);
    let name = &mut out[start..];
    let mut label = 0;
    for (i, part) in text.chunks(SCAN_BLOCK).enumerate() {
        let padded;
        let block = match part.first_chunk() {
            Some(block) => block,
            None => {
                padded = scan::padded(part);
                &padded
            }
        };
        let inside = u32::MAX >> (SCAN_BLOCK - part.len());
        if simd::places(block, b'\\', 0) & inside != 0 {
            return None;
        }
        let mut dots = simd::places(block, b'.', b'.');
        while dots != 0 {
            let at = 1 + i * SCAN_BLOCK + dots.trailing_zeros() as usize;
            dots &= dots - 1;
            name[label] = label_length(at - label - 1)?;
            label = at;
        }
    }
    if label == name.len() - 1 {
        name[label] = 0;
    } else {
        name[label] = label_length(name.len() - label - 1)?;
        out.push(0);
    }
    Some(())
}

#[inline]
fn label_length(len: usize) -> Option<u8> {
    (1..=MAX_LABEL_LEN).contains(&len).then_some(len as u8)
}

fn append_labels<const LOWER: bool>(
    text: &[u8],
    out: &mut Vec<u8>,
    start: usize,
) -> Result<(), Error> {
    if text.is_empty() || text == b"." {
        out.push(0);
        return Ok(());
    }
    let mut rest = text;
    let mut label_start = out.len();
    let mut label_too_long = false;
    out.push(0);
    while let Some((&octet, after)) = rest.split_first() {
        rest = after;
        let value = match octet {
            b'.' => {
                if out.len() - start >= MAX_LEN {
                    return Err(Error::NameOverflow);
                }
                label_too_long |= end_label(out, label_start)?;
                label_start = out.len();
                out.push(0);
                continue;
            }
            b'\\' => {
                let (value, after) = unescape(rest)?;
                rest = after;
                value
            }
            0 => return Err(Error::Parse),
            octet if LOWER => octet.to_ascii_lowercase(),
            octet => octet,
        };
        // One octet stays free for the terminating zero.
        if out.len() - start >= MAX_LEN - 1 {
            return Err(Error::NameOverflow);
        }
        out.push(value);
    }
    if out.len() - label_start > 1 {
        label_too_long |= end_label(out, label_start)?;
        out.push(0);
    }
    if label_too_long { Err(Error::NameLength) } else { Ok(()) }
}

/// Writes the length of the label that began at `start`, and tells whether it is too long.
fn end_label(out: &mut [u8], start: usize) -> Result<bool, Error> {
    let length = out.len() - start - 1;
    if length == 0 {
        return Err(Error::Parse);
    }
    out[start] = length as u8;
    Ok(length > MAX_LABEL_LEN)
}

/// The octet behind a backslash and what follows it.
fn unescape(text: &[u8]) -> Result<(u8, &[u8]), Error> {
    match text {
        [b'0'..=b'9', ..] => decimal_escape(text),
        [octet, rest @ ..] if *octet != 0 => Ok((*octet, rest)),
        _ => Err(Error::Parse),
    }
}

/// The octet of three decimal digits and what follows them.
pub(crate) fn decimal_escape(text: &[u8]) -> Result<(u8, &[u8]), Error> {
    let (digits, rest) = text.split_first_chunk::<3>().ok_or(Error::Parse)?;
    let value = crate::mnemonic::parse_decimal(digits).ok_or(Error::Parse)?;
    Ok((u8::try_from(value).map_err(|_| Error::Parse)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(wire: &[u8]) -> String {
        let mut out = TextBuffer::new();
        write::<false>(&mut out, wire);
        let mut json = TextBuffer::new();
        write::<true>(&mut json, wire);
        let mut escaped = TextBuffer::new();
        escaped.json_escaped(out.as_bytes());
        assert_eq!(json.as_bytes(), escaped.as_bytes());
        out.to_string_lossy()
    }

    fn wire(text: &[u8]) -> Result<Vec<u8>, Error> {
        let mut out = vec![7];
        let result = parse(text, &mut out);
        assert_eq!(out.remove(0), 7);
        if result.is_err() {
            assert_eq!(out, [], "an error appends nothing");
        }
        result.map(|()| out)
    }

    #[test]
    fn text_to_wire_follows_the_table() {
        for (text, want) in [
            ("", &b"\0"[..]),
            (".", b"\0"),
            ("fsi.io", b"\x03fsi\x02io\0"),
            ("fsi.io.", b"\x03fsi\x02io\0"),
            ("a\\.b.c", b"\x03a.b\x01c\0"),
            ("a\\046b", b"\x03a.b\0"),
            ("a\\065b", b"\x03aAb\0"),
            ("a b", b"\x03a b\0"),
            ("\t\u{e9}\"", b"\x04\t\xc3\xa9\"\0"),
            ("\\a\\\\\\.", b"\x03a\\.\0"),
            ("A.b", b"\x01A\x01b\0"),
            ("\\000.\\255", b"\x01\0\x01\xff\0"),
        ] {
            assert_eq!(wire(text.as_bytes()).as_deref(), Ok(want), "{text}");
        }
        for text in
            ["..", ".fsi", "a..b", "fsi.io..", "a\\256", "a\\25", "a\\1b2", "a\\2", "a\0b", "a\\\0"]
        {
            assert_eq!(wire(text.as_bytes()), Err(Error::Parse), "{text}");
        }
    }

    #[test]
    fn lower_case_spares_escapes() {
        let mut out = Vec::new();
        assert_eq!(parse_lowercase(b"FSI.\\A\\066C", &mut out), Ok(()));
        assert_eq!(out, b"\x03fsi\x03ABc\0");
    }

    #[test]
    fn names_end_at_255_octets() {
        let name = |lens: &[usize]| {
            lens.iter().map(|len| "x".repeat(*len)).collect::<Vec<_>>().join(".").into_bytes()
        };
        assert_eq!(wire(&name(&[63, 63, 63, 61])).map(|wire| wire.len()), Ok(255));
        assert_eq!(wire(&name(&[63, 63, 63, 62])), Err(Error::NameOverflow));
        for lens in [&[63, 63, 63, 61][..], &[63, 63, 63, 62], &[1; 127], &[1; 128]] {
            let mut dotted = name(lens);
            let bare = wire(&dotted);
            dotted.push(b'.');
            assert_eq!(wire(&dotted), bare, "{lens:?}");
        }
        assert_eq!(wire(&name(&[1; 127])).map(|wire| wire.len()), Ok(255));
        assert_eq!(wire(&name(&[1; 128])), Err(Error::NameOverflow));
    }

    #[test]
    fn dp_5_long_labels_and_a_last_backslash_are_refused() {
        assert_eq!(wire(&[b'x'; 63]).map(|wire| wire.len()), Ok(65));
        assert_eq!(wire(&[b'x'; 64]), Err(Error::NameLength));
        assert_eq!(wire(&[b'x'; 192]), Err(Error::NameLength));
        assert_eq!(wire(b"fsi.io\\"), Err(Error::Parse));
    }

    #[test]
    fn w_3_a_lone_backslash_is_no_name() {
        assert_eq!(wire(b"\\"), Err(Error::Parse));
    }

    #[test]
    fn w_5_no_text_gives_octets_that_look_like_pointers() {
        let long = [&[b'x'; 64][..], b".y"].concat();
        assert_eq!(wire(&long), Err(Error::NameLength));
        // Other errors come first, so that they are those of the reference.
        assert_eq!(wire(&[&long[..], b"..z"].concat()), Err(Error::Parse));
        assert_eq!(wire(&[b'x'; 255]), Err(Error::NameOverflow));
    }

    #[test]
    fn wire_to_text_escapes_what_must_be() {
        for (wire, want) in [
            (&b"\0"[..], "."),
            (b"", "."),
            (b"\x03a.b\0", "a\\.b."),
            (b"\x03a b\0", "a\\032b."),
            (b"\x04a\0\xff\x7f\0", "a\\000\\255\\127."),
            (b"\x05\"();@\0", "\"();@."),
            (b"\x05$*_-/\0", "$*_-/."),
            (b"\x01\\\x01\"\0", "\\\\.\"."),
            (b"\x03WwW\x03fsi\x02IO\0", "WwW.fsi.IO."),
            (b"\x02ok\0rest", "ok."),
        ] {
            assert_eq!(text(wire), want);
        }
    }

    #[test]
    fn dt_2_broken_names_print_as_far_as_they_go() {
        for (name, wire, want) in [
            ("cut in a label", &b"\x03ab"[..], "ab."),
            ("cut between labels", b"\x03fsi", "fsi."),
            ("length octet alone", b"\x03", "."),
            ("length over 63", b"\x41b", "b."),
            ("looks like a pointer", b"\x01a\xc0\x0c", "a.\\012."),
        ] {
            assert_eq!(text(wire), want, "{name}");
        }
    }

    #[test]
    fn w_2_the_count_of_octets_never_passes_the_end() {
        for (wire, want) in [
            (&b""[..], 1),
            (b"\0", 1),
            (b"\0\0", 1),
            (b"\x03fsi\x02io\0xx", 8),
            (b"\x03fsi", 4),
            (b"\x03f", 2),
        ] {
            assert_eq!(write::<false>(&mut TextBuffer::new(), wire), want, "{wire:?}");
        }
    }

    #[test]
    fn w_21_names_of_any_length_print_in_full() {
        let wire = b"\x01\0".repeat(40_000);
        assert_eq!(text(&wire), "\\000.".repeat(40_000));
        let longest: Vec<u8> = [&b"\x3f"[..], &[b'x'; 63]].concat().repeat(4);
        assert_eq!(text(&longest), ("x".repeat(63) + ".").repeat(4));
    }

    #[test]
    fn every_octet_at_every_place_prints_as_alone() {
        for len in [1, 7, 8, 15, 16, 17, 31, 32, 33, 62, 63] {
            for place in [0, len / 2, len - 1] {
                for octet in 0..=255 {
                    let mut label = vec![b'x'; len];
                    label[place] = octet;
                    let shown = text(&[1, octet, 0]);
                    let shown = shown.strip_suffix('.').unwrap();
                    let want = "x".repeat(place) + shown + &"x".repeat(len - place - 1) + ".com.";
                    let wire = [&[len as u8][..], &label, b"\x03com\0"].concat();
                    assert_eq!(text(&wire), want);
                }
            }
        }
    }

    #[test]
    fn length_octets_that_are_printable_are_not_taken_for_text() {
        for len in 1..=63 {
            let wire = [&[1, b'a', len][..], &vec![b'x'; len.into()], b"\x02io\0"].concat();
            assert_eq!(text(&wire), format!("a.{}.io.", "x".repeat(len.into())));
        }
    }

    #[test]
    fn names_without_escapes_equal_what_the_general_reader_makes() {
        let mut texts = Vec::new();
        let octets = [b'a', b'B', b'.', b'\\', b'1', 0, 0xe9];
        for len in 0..=5_u32 {
            for mut number in 0..octets.len().pow(len) {
                let text = (0..len).map(|_| {
                    let octet = octets[number % octets.len()];
                    number /= octets.len();
                    octet
                });
                texts.push(text.collect::<Vec<u8>>());
            }
        }
        for label in 61..=65 {
            for end in ["", ".", ".a", "."] {
                texts.push(format!("{}{end}", "x".repeat(label)).into_bytes());
            }
        }
        for len in 250..=257 {
            let text: Vec<u8> =
                (0..len).map(|at| if at % 50 == 49 { b'.' } else { b'y' }).collect();
            texts.push([&text[..], b"."].concat());
            texts.push(text);
        }
        for text in texts {
            let (mut fast, mut general) = (Vec::new(), Vec::new());
            let got = parse(&text, &mut fast);
            let want = append_labels::<false>(&text, &mut general, 0);
            assert_eq!(got, want, "{}", text.escape_ascii());
            if want.is_ok() {
                assert_eq!(fast, general, "{}", text.escape_ascii());
            }
        }
    }
}
