//! Names with compression pointers, as they stand in messages (`wdns` §3.3).

use super::{COPY_WINDOW, MAX_LABEL_LEN, MAX_LEN, NameBuf};
use crate::{Error, TextBuffer};

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
pub(crate) struct ChainEnds(Box<[u16]>);

/// In place of an offset: the chain runs into a pointer that does not point backwards.
const CHAIN_INVALID: u16 = u16::MAX;

/// In place of an offset: the chain runs into half a pointer at the end of the message.
const CHAIN_CUT: u16 = u16::MAX - 1;

/// Octets of a message that pointers can lead to.
fn pointed_to(message: &[u8]) -> usize {
    message.len().min(POINTER_SPACE)
}

impl ChainEnds {
    pub(crate) fn new(message: &[u8]) -> Self {
        let mut ends = vec![0; pointed_to(message)].into_boxed_slice();
        for at in 0..ends.len() {
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

/// The pointer that leads to an offset; `None` beyond the reach of pointers.
#[inline]
pub(crate) fn pointer_to(at: usize) -> Option<[u8; 2]> {
    let at = u16::try_from(at).ok().filter(|&at| usize::from(at) < POINTER_SPACE)?;
    Some((u16::from(POINTER_MARK) << 8 | at).to_be_bytes())
}

/// What a walk over the labels of a name does with them.
trait Sink {
    /// Takes the label with its length octet at `message[at..at + length + 1]`.
    fn label(&mut self, message: &[u8], at: usize, length: usize, total: usize);

    /// Length of the sound name at an offset, if it is known: the walk ends there.
    #[inline(always)]
    fn known_len(&self, _at: usize) -> Option<usize> {
        None
    }
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

/// In place of a length: the name that is being read has a label there. No label starts a name of
/// less than three octets.
const BEING_READ: u8 = 1;

/// Most labels of a name, the root not counted.
const MAX_LABELS: usize = (MAX_LEN - 1) / 2;

/// Lengths of the names in a message that were found sound. Made only for messages that spend their
/// time on names behind pointers, two octets of which can stand for 127 labels: it makes each label
/// one step.
pub(crate) struct SoundLengths {
    /// By offset; 0 where nothing is known.
    lengths: Box<[u8]>,
    /// Where the labels of the name start that is being read, and what was in front of them.
    labels: [(u16, u8); MAX_LABELS],
    count: usize,
}

impl SoundLengths {
    pub(crate) fn new(message: &[u8]) -> Self {
        let lengths = vec![0; pointed_to(message)].into_boxed_slice();
        Self { lengths, labels: [(0, 0); MAX_LABELS], count: 0 }
    }

    /// As [`resolve`], for the message that this was made for.
    pub(crate) fn resolve(
        &mut self,
        message: &[u8],
        at: usize,
        chains: Option<&ChainEnds>,
    ) -> Result<Unpacked, Error> {
        self.count = 0;
        let read = walk(message, at, chains, self);
        for &(at, before) in &self.labels[..self.count] {
            let len = read.map_or(0, |read| read.len - usize::from(before));
            self.lengths[usize::from(at)] = len as u8;
        }
        read
    }
}

impl Sink for SoundLengths {
    fn label(&mut self, _: &[u8], at: usize, _: usize, total: usize) {
        if at < self.lengths.len()
            && let Some(label) = self.labels.get_mut(self.count)
        {
            *label = (at as u16, total as u8);
            self.lengths[at] = BEING_READ;
            self.count += 1;
        }
    }

    #[inline(always)]
    fn known_len(&self, at: usize) -> Option<usize> {
        match self.lengths.get(at)? {
            0 => None,
            // Coming back to a label, a name has no end.
            &BEING_READ => Some(MAX_LEN + 1),
            len => Some(usize::from(*len)),
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
        // In front of the first pointer, the place of the name's end is asked for as well.
        if read.consumed > 0
            && let Some(len) = sink.known_len(at)
        {
            read.len += len;
            return if read.len <= MAX_LEN { Ok(read) } else { Err(Error::NameOverflow) };
        }
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

/// Appends the text of the name at offset `at` of a message, and returns how many octets it takes
/// there, when its labels lie together in front of `end` and need no escapes. Nothing else is
/// appended.
#[inline]
pub(crate) fn write_together<const JSON: bool>(
    out: &mut TextBuffer,
    message: &[u8],
    at: usize,
    end: usize,
) -> Option<usize> {
    if *message.get(at)? >= POINTER_MARK {
        super::write_plain::<JSON>(out, message, target(message, at).ok()?, end)?;
        return Some(2);
    }
    super::write_plain::<JSON>(out, message, at, end)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The name at offset 12 of a message with an empty header.
    fn name_at_12(tail: &[u8]) -> Result<Vec<u8>, Error> {
        let message = [&[0; 12][..], tail].concat();
        let mut name = NameBuf::new();
        let read = unpack(&message, 12, &mut name);
        let chains = ChainEnds::new(&message);
        let mut other = NameBuf::new();
        let with_chains = unpack_with(&message, 12, Some(&chains), &mut other);
        assert_eq!(with_chains.map(|read| read.consumed), read);
        assert_eq!(resolve(&message, 12, None).map(|read| read.consumed), read);
        read.map(|consumed| {
            assert_eq!(consumed, skip(&message[12..]));
            assert_eq!(other.as_bytes(), name.as_bytes());
            name.as_bytes().to_vec()
        })
    }

    #[test]
    fn wrong_names_have_their_codes() {
        for (name, tail, want) in [
            ("pointer to itself", &[0xc0, 12][..], Error::InvalidCompressionPointer),
            ("pointer forward", &[0xc0, 16, 0, 0, 0], Error::InvalidCompressionPointer),
            ("pointer beyond the end", &[0xff, 0xff], Error::InvalidCompressionPointer),
            ("label and loop", &[1, b'a', 0xc0, 12], Error::NameOverflow),
            ("label of 64", &[0x40, 0, 0], Error::InvalidLengthOctet),
            ("label of 191", &[0xbf, 0, 0], Error::InvalidLengthOctet),
            ("label cut", &[3, b'a', b'b'], Error::OutOfBounds),
        ] {
            assert_eq!(name_at_12(tail), Err(want), "{name}");
        }
    }

    #[test]
    fn w_2_unterminated_names_and_half_pointers_are_out_of_bounds() {
        for (name, tail) in [
            ("nothing", &[][..]),
            ("label without an end", &[1, b'a']),
            ("half a pointer", &[1, b'a', 0xc0]),
        ] {
            assert_eq!(name_at_12(tail), Err(Error::OutOfBounds), "{name}");
        }
        let mut name = NameBuf::new();
        assert_eq!(unpack(b"\0", 1, &mut name), Err(Error::OutOfBounds));
        assert_eq!(unpack(b"\0", 2, &mut name), Err(Error::OutOfBounds));
        assert_eq!(skip(&[0xc0]), 1);
    }

    #[test]
    fn w_26_pointers_may_lead_into_the_header() {
        assert_eq!(name_at_12(&[0xc0, 0]).as_deref(), Ok(&b"\0"[..]));
        assert_eq!(name_at_12(b"\x01a\xc0\x05").as_deref(), Ok(&b"\x01a\0"[..]));
    }

    #[test]
    fn names_are_put_together_with_their_case() {
        let message = b"\x03FSI\x02io\0\x03Www\xc0\0\xc0\x08";
        let mut name = NameBuf::new();
        for (at, consumed, want) in [
            (0, 8, &b"\x03FSI\x02io\0"[..]),
            (4, 4, b"\x02io\0"),
            (8, 6, b"\x03Www\x03FSI\x02io\0"),
            (14, 2, b"\x03Www\x03FSI\x02io\0"),
        ] {
            assert_eq!(unpack(message, at, &mut name), Ok(consumed));
            assert_eq!(name.as_bytes(), want);
            let together = contiguous(message, at);
            assert_eq!(together, (at < 8).then_some((want, consumed)));
        }
        assert_eq!(format!("{name:?}"), "Www.FSI.io.");
        name.downcase();
        assert_eq!(name.as_ref(), b"\x03www\x03fsi\x02io\0");
    }

    #[test]
    fn the_longest_name_has_255_octets() {
        let label = [&b"\x3f"[..], &[b'x'; 63]].concat();
        for (last, want) in [(61, Ok(255)), (62, Err(Error::NameOverflow))] {
            let tail = [&label.repeat(3)[..], &[last], &vec![b'y'; last.into()], b"\0"].concat();
            assert_eq!(name_at_12(&tail).map(|name| name.len()), want);
        }
        assert_eq!(
            name_at_12(&[&b"\x01a".repeat(127)[..], b"\0"].concat()).map(|n| n.len()),
            Ok(255)
        );
        assert_eq!(
            name_at_12(&[&b"\x01a".repeat(128)[..], b"\0"].concat()),
            Err(Error::NameOverflow)
        );
    }

    #[test]
    fn names_of_remembered_length_are_the_same() {
        const OCTETS: [u8; 12] = [0, 0, 1, 1, 2, 3, 63, 64, 0xc0, 0xc0, 0xc0, 0xc1];
        let mut state = 1_u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % below
        };
        let (mut sound, mut too_long) = (0, 0);
        for round in 0..300 {
            let mut message: Vec<u8> = (0..400)
                .map(|_| match random(3) {
                    0 => random(256) as u8,
                    _ => OCTETS[random(OCTETS.len())],
                })
                .collect();
            if round % 3 == 0 {
                // One label of an octet behind the other, then a name that is nearly too long.
                message[..256].copy_from_slice(&b"\x01\xc0".repeat(128));
                message[random(60)] = 1;
                message[250] = 0;
            }
            let mut lengths = SoundLengths::new(&message);
            for _ in 0..600 {
                let at = random(message.len() + 1);
                let chains = ChainEnds::new(&message);
                let chains = (round % 2 == 0).then_some(&chains);
                let place = |read: Unpacked| (read.consumed, read.len);
                let want = resolve(&message, at, None).map(place);
                assert_eq!(lengths.resolve(&message, at, chains).map(place), want, "at {at}");
                sound += u32::from(want.is_ok());
                too_long += u32::from(want == Err(Error::NameOverflow));
            }
        }
        assert!(sound > 10_000 && too_long > 1_000, "{sound} {too_long}");
    }

    #[test]
    fn skipping_steps_over_anything() {
        for (octets, want) in [
            (&b"\x03fsi\0"[..], 5),
            (b"\x03fsi\xc0\x0c", 6),
            (b"\xc0", 1),
            (b"\x03fs", 3),
            (b"", 0),
            (b"\0\0", 1),
            (b"\x41", 1),
            (&[&[0x80][..], &[1; 128], &[0, 7]].concat(), 130),
        ] {
            assert_eq!(skip(octets), want, "{octets:?}");
        }
    }

    #[test]
    fn dp_1_known_chains_of_pointers_are_one_step() {
        let mut message = b"\x01a\0".to_vec();
        while message.len() < 16_000 {
            let before = if message.len() == 3 { 0 } else { message.len() - 2 };
            message.extend((0xc000 | before as u16).to_be_bytes());
        }
        let last = message.len() - 2;
        let slow = resolve(&message, last, None).unwrap();
        assert!(slow.hops > 7_000);
        let chains = ChainEnds::new(&message);
        let mut name = NameBuf::new();
        let fast = unpack_with(&message, last, Some(&chains), &mut name).unwrap();
        assert_eq!(fast.hops, 1);
        assert_eq!(name.as_bytes(), b"\x01a\0");
    }
}
