//! Names to text and back (`wdns` §3.1, §3.2).

use super::{MAX_LABEL_LEN, MAX_LEN};
use crate::text_buffer::copy_short;
use crate::{Error, TextBuffer, simd};

/// Octets that are classified at once.
const BLOCK: usize = 32;

/// Room for the longest name that needs no escapes, rounded up to whole blocks.
const WINDOW: usize = 288;

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

/// True for a label octet that cannot stand for itself, and for the dot between labels.
#[inline(always)]
fn is_special<const JSON: bool>(octet: u8) -> bool {
    let printable = octet.wrapping_sub(0x21) <= 0x7e - 0x21;
    !printable | (octet == b'.') | (octet == b'\\') | (JSON & (octet == b'"'))
}

/// How many octets of a block are special.
#[inline(always)]
fn count_special<const JSON: bool>(block: &[u8; BLOCK]) -> u8 {
    block.iter().fold(0, |count, &octet| count + u8::from(is_special::<JSON>(octet)))
}

/// Appends the text of a wire name and returns how many octets the name takes, its terminating
/// zero included.
///
/// Each label is followed by a dot; the root alone is a dot. `JSON` writes the same text as the
/// inside of a JSON string. A name that is cut short or has label lengths over 63 prints as far
/// as it goes (`wdns` §3.2).
#[inline]
pub fn write<const JSON: bool>(out: &mut TextBuffer, wire: &[u8]) -> usize {
    write_plain::<JSON>(out, wire).unwrap_or_else(|| write_escaped::<JSON>(out, wire))
}

/// Appends a complete name that needs no escapes; anything else is left to [`write_escaped`].
#[inline(always)]
fn write_plain<const JSON: bool>(out: &mut TextBuffer, wire: &[u8]) -> Option<usize> {
    let (&first, labels) = wire.split_first()?;
    if first == 0 {
        out.byte(b'.');
        return Some(1);
    }
    if labels.len() >= MAX_LEN {
        return None;
    }
    let mut consumed = None;
    out.fill::<WINDOW>(|window| {
        copy_labels(window, labels);
        // Overwrite the length octets: each ends the label before it.
        let (mut length, mut at, mut dots) = (first, 0, Dots::default());
        while length != 0 {
            at += usize::from(length);
            if length > MAX_LABEL_LEN as u8 || at >= labels.len() {
                return 0;
            }
            length = labels[at];
            window[at] = b'.';
            dots.mark(at);
            at += 1;
        }
        if !dots.are_all_special::<JSON>(window, at) {
            return 0;
        }
        consumed = Some(at + 1);
        at
    });
    consumed
}

/// Where the dots between labels stand. They are special themselves, so a name without other special
/// octets has exactly as many as it has labels, at their places.
#[derive(Default)]
struct Dots {
    places: u64,
    count: u8,
}

impl Dots {
    #[inline(always)]
    fn mark(&mut self, at: usize) {
        self.places |= 1 << (at % 64);
        self.count += 1;
    }

    /// True when the first `len` octets are special at the dots and nowhere else.
    #[inline(always)]
    fn are_all_special<const JSON: bool>(&self, window: &mut [u8; WINDOW], len: usize) -> bool {
        let (blocks, _) = window.as_chunks::<16>();
        let special =
            |block: usize| Some(simd::special_in_names::<JSON>(&blocks[block])? << (16 * block));
        if len <= 64
            && let (Some(first), Some(second)) = (special(0), special(1))
        {
            let mut special_places = first | second;
            if len > 32 {
                special_places |= special(2).unwrap_or(0) | special(3).unwrap_or(0);
            }
            return (special_places ^ self.places) << (64 - len) == 0;
        }
        window[len..len + BLOCK].fill(b'a');
        let (blocks, _) = window.as_chunks::<BLOCK>();
        let count = |sum, block| sum + count_special::<JSON>(block);
        blocks[..len.div_ceil(BLOCK)].iter().fold(0, count) == self.count
    }
}

#[inline(always)]
fn copy_labels(window: &mut [u8; WINDOW], labels: &[u8]) {
    match window.first_chunk_mut() {
        Some(short) if labels.len() <= 32 => copy_short(short, labels),
        _ => window[..labels.len()].copy_from_slice(labels),
    }
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
                usize::from(escaped.len)
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
    let result = append_labels::<LOWER>(text, out, start);
    if result.is_err() {
        out.truncate(start);
    }
    result
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
