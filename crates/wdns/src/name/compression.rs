//! Names with compression pointers, as they stand in messages (`wdns` §3.3).

use super::{COPY_WINDOW, MAX_LABEL_LEN, MAX_LEN, NameBuf};
use crate::Error;

/// The two highest bits of a length octet mark a compression pointer.
const POINTER_MARK: u8 = 0xc0;

/// One more than the highest offset a pointer can lead to.
const POINTER_SPACE: usize = 1 << 14;

/// How a name in a message was read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unpacked {
    /// Octets the name takes where it stands, pointer included.
    pub(crate) consumed: usize,
    /// Length of the name without compression.
    pub(crate) len: usize,
    /// Pointers that led straight to another pointer.
    pub(crate) hops: usize,
}

/// Where the chain of pointers that starts at an offset ends. Built only for messages whose
/// names spend their time in such chains: it makes each chain one step.
#[derive(Clone)]
pub(crate) struct ChainEnds(Box<[u16; POINTER_SPACE]>);

/// In place of an offset: the chain runs into a pointer that does not point backwards.
const CHAIN_INVALID: u16 = u16::MAX;

/// In place of an offset: the chain runs into half a pointer at the end of the message.
const CHAIN_CUT: u16 = u16::MAX - 1;

impl ChainEnds {
    pub(crate) fn new(message: &[u8]) -> Self {
        let mut ends = Box::new([0; POINTER_SPACE]);
        for at in 0..message.len().min(POINTER_SPACE) {
            // Targets lie below, so theirs are known.
            ends[at] = match message[at] {
                POINTER_MARK.. => match target(message, at) {
                    Ok(target) => ends[target],
                    Err(Error::OutOfBounds) => CHAIN_CUT,
                    Err(_) => CHAIN_INVALID,
                },
                _ => at as u16,
            };
        }
        Self(ends)
    }

    fn end(&self, at: usize) -> Result<usize, Error> {
        match self.0[at] {
            CHAIN_INVALID => Err(Error::InvalidCompressionPointer),
            CHAIN_CUT => Err(Error::OutOfBounds),
            end => Ok(end.into()),
        }
    }
}

impl std::fmt::Debug for ChainEnds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChainEnds")
    }
}

/// Where the pointer at `at` leads: strictly backwards.
#[inline(always)]
fn target(message: &[u8], at: usize) -> Result<usize, Error> {
    let Some(&[high, low]) = message[at..].first_chunk::<2>() else {
        return Err(Error::OutOfBounds);
    };
    let target = usize::from(u16::from_be_bytes([high & !POINTER_MARK, low]));
    if target < at { Ok(target) } else { Err(Error::InvalidCompressionPointer) }
}

/// What a walk over the labels of a name does with them.
trait Sink {
    /// Takes the label with its length octet at `message[at..at + length + 1]`.
    fn label(&mut self, message: &[u8], at: usize, length: usize, total: usize);
}

/// Takes nothing: the walk only checks.
struct Check;

impl Sink for Check {
    #[inline(always)]
    fn label(&mut self, _: &[u8], _: usize, _: usize, _: usize) {}
}

impl Sink for NameBuf {
    #[inline(always)]
    fn label(&mut self, message: &[u8], at: usize, length: usize, total: usize) {
        if let Some(wide) = message[at..].first_chunk::<COPY_WINDOW>() {
            self.octets[total..total + COPY_WINDOW].copy_from_slice(wide);
        } else {
            let end = at + length + 1;
            self.octets[total..total + length + 1].copy_from_slice(&message[at..end]);
        }
    }
}

#[inline(always)]
fn walk(
    message: &[u8],
    start: usize,
    chains: Option<&ChainEnds>,
    sink: &mut impl Sink,
) -> Result<Unpacked, Error> {
    let mut at = start;
    let mut read = Unpacked::default();
    loop {
        let length = *message.get(at).ok_or(Error::OutOfBounds)?;
        if length == 0 {
            break;
        }
        if length >= POINTER_MARK {
            let mut next = target(message, at)?;
            if read.consumed == 0 {
                read.consumed = at + 2 - start;
            }
            if message[next] >= POINTER_MARK {
                read.hops += 1;
                if let Some(chains) = chains {
                    next = chains.end(next)?;
                }
            }
            at = next;
            continue;
        }
        let length = usize::from(length);
        if length > MAX_LABEL_LEN {
            return Err(Error::InvalidLengthOctet);
        }
        if read.len + 1 + length >= MAX_LEN {
            return Err(Error::NameOverflow);
        }
        if length >= message.len() - at {
            return Err(Error::OutOfBounds);
        }
        sink.label(message, at, length, read.len);
        read.len += 1 + length;
        at += 1 + length;
    }
    if read.consumed == 0 {
        read.consumed = at + 1 - start;
    }
    read.len += 1;
    Ok(read)
}

/// Checks the name at offset `at` of a message.
#[inline]
pub(crate) fn resolve(
    message: &[u8],
    at: usize,
    chains: Option<&ChainEnds>,
) -> Result<Unpacked, Error> {
    walk(message, at, chains, &mut Check)
}

/// The name at offset `at` of a message and how many octets it takes there, when its labels lie
/// together: in place, or where the pointer that stands in its place leads.
#[inline]
pub(crate) fn contiguous(message: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let octets = message.get(at..)?;
    let (octets, consumed) = if *octets.first()? >= POINTER_MARK {
        (&message[target(message, at).ok()?..], Some(2))
    } else {
        (octets, None)
    };
    let len = super::uncompressed_len(octets).ok()?;
    Some((&octets[..len], consumed.unwrap_or(len)))
}

/// As [`unpack`], for messages with known pointer chains.
#[inline]
pub(crate) fn unpack_with(
    message: &[u8],
    at: usize,
    chains: Option<&ChainEnds>,
    name: &mut NameBuf,
) -> Result<Unpacked, Error> {
    let read = walk(message, at, chains, name)?;
    name.octets[read.len - 1] = 0;
    name.len = read.len as u8;
    Ok(read)
}

/// Reads the name at offset `at` of a message without its compression, and returns how many
/// octets it takes there.
///
/// A pointer may lead strictly backwards only, as far as into the header; letter case is kept.
///
/// # Errors
///
/// [`Error::InvalidCompressionPointer`], [`Error::InvalidLengthOctet`] for label lengths from 64
/// to 191, [`Error::NameOverflow`] for more than 255 octets (loops end so), and
/// [`Error::OutOfBounds`] when the message ends before the name. `name` is unspecified then.
pub fn unpack(message: &[u8], at: usize, name: &mut NameBuf) -> Result<usize, Error> {
    unpack_with(message, at, None, name).map(|read| read.consumed)
}

/// Returns how many octets the name at the start of `octets` takes, compressed or not; at most
/// all of them. Nothing is checked: label lengths up to 191 are stepped over.
#[must_use]
pub fn skip(octets: &[u8]) -> usize {
    let mut at = 0;
    while let Some(&length) = octets.get(at) {
        match length {
            0 => return at + 1,
            POINTER_MARK.. => return octets.len().min(at + 2),
            _ => at += 1 + usize::from(length),
        }
    }
    octets.len()
}
