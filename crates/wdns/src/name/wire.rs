//! Operations on uncompressed wire names (`wdns` §3.4).

use super::{MAX_LABEL_LEN, MAX_LEN};
use crate::Error;

/// Returns the length of the uncompressed name at the start of `octets`, terminating zero
/// included.
///
/// # Errors
///
/// [`Error::Overflow`] when there are no octets, [`Error::InvalidLengthOctet`] for a label over 63
/// octets, one that does not end inside `octets`, or a missing terminating zero, and
/// [`Error::NameLength`] for more than 255 octets.
#[inline]
pub fn uncompressed_len(octets: &[u8]) -> Result<usize, Error> {
    match complete_len(octets) {
        Some(len) => Ok(len),
        None => Err(why_incomplete(octets)),
    }
}

/// The length of the uncompressed name at the start of `octets`; `None` when it is not complete and
/// sound.
#[inline(always)]
pub(crate) fn complete_len(octets: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let length = usize::from(*octets.get(at)?);
        if length > MAX_LABEL_LEN {
            return None;
        }
        at += 1 + length;
        if length == 0 {
            return (at <= MAX_LEN).then_some(at);
        }
    }
}

#[cold]
fn why_incomplete(octets: &[u8]) -> Error {
    let mut at = 0;
    loop {
        let Some(&length) = octets.get(at) else {
            return match at {
                0 => Error::Overflow,
                MAX_LEN.. => Error::NameLength,
                _ => Error::InvalidLengthOctet,
            };
        };
        at += 1;
        if length == 0 {
            return Error::NameLength;
        }
        if usize::from(length) > MAX_LABEL_LEN || usize::from(length) > octets.len() - at {
            return Error::InvalidLengthOctet;
        }
        at += usize::from(length);
    }
}

/// Returns the uncompressed name that starts at offset `at` of a message, as a part of it.
///
/// # Errors
///
/// [`Error::OutOfBounds`] when it does not end inside the message,
/// [`Error::InvalidLengthOctet`] for pointers and labels over 63 octets,
/// [`Error::NameOverflow`] for more than 255 octets.
pub fn copy(message: &[u8], at: usize) -> Result<&[u8], Error> {
    let octets = message.get(at..).ok_or(Error::OutOfBounds)?;
    let mut len = 0;
    loop {
        let length = usize::from(*octets.get(len).ok_or(Error::OutOfBounds)?);
        len += 1;
        if length == 0 {
            return Ok(&octets[..len]);
        }
        if length > MAX_LABEL_LEN {
            return Err(Error::InvalidLengthOctet);
        }
        len += length;
        if len >= MAX_LEN {
            return Err(Error::NameOverflow);
        }
        if len > octets.len() {
            return Err(Error::OutOfBounds);
        }
    }
}

/// The labels of a name, each with its length octet; ends before the terminating zero.
struct Labels<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Labels<'a> {
    type Item = Result<&'a [u8], Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let Some(&length) = self.rest.first() else {
            return Some(Err(Error::OutOfBounds));
        };
        if length == 0 {
            return None;
        }
        if usize::from(length) > MAX_LABEL_LEN {
            return Some(Err(Error::InvalidLengthOctet));
        }
        let Some((label, rest)) = self.rest.split_at_checked(1 + usize::from(length)) else {
            return Some(Err(Error::NameOverflow));
        };
        self.rest = rest;
        Some(Ok(label))
    }
}

/// Returns the number of labels of a name, the root not counted.
///
/// # Errors
///
/// [`Error::InvalidLengthOctet`] for a label over 63 octets, [`Error::NameOverflow`] for one that
/// is cut, [`Error::OutOfBounds`] for a missing terminating zero.
pub fn count_labels(name: &[u8]) -> Result<usize, Error> {
    Labels { rest: name }.try_fold(0, |count, label| label.map(|_| count + 1))
}

/// Tells whether `name` lies strictly below `ancestor`; octets are compared exactly.
///
/// # Errors
///
/// [`Error::Parse`] when one of the two is no complete name.
pub fn is_subdomain(name: &[u8], ancestor: &[u8]) -> Result<bool, Error> {
    below(name, ancestor, |a, b| a == b)
}

/// As [`is_subdomain`], with the letters A to Z equal to a to z.
///
/// # Errors
///
/// As [`is_subdomain`].
pub fn is_subdomain_ignore_case(name: &[u8], ancestor: &[u8]) -> Result<bool, Error> {
    below(name, ancestor, <[u8]>::eq_ignore_ascii_case)
}

fn below(
    name: &[u8],
    ancestor: &[u8],
    equal: impl Fn(&[u8], &[u8]) -> bool,
) -> Result<bool, Error> {
    let labels = |name| count_labels(name).map_err(|_| Error::Parse);
    let (deep, shallow) = (labels(name)?, labels(ancestor)?);
    if deep <= shallow {
        return Ok(false);
    }
    let mut tail = Labels { rest: name };
    for label in tail.by_ref().take(deep - shallow) {
        label?;
    }
    let mut own = Labels { rest: ancestor };
    own.by_ref().for_each(drop);
    let own = &ancestor[..ancestor.len() - own.rest.len()];
    Ok(tail.rest.get(..own.len()).is_some_and(|tail| equal(tail, own)))
}

/// Returns the name without its leftmost label; the root stays the root. Octets behind the name
/// stay attached.
///
/// # Errors
///
/// [`Error::NameOverflow`] when the leftmost label is cut, or nothing is given.
pub fn left_chop(name: &[u8]) -> Result<&[u8], Error> {
    match name {
        [0] => Ok(name),
        [length, labels @ ..] => labels.get(usize::from(*length)..).ok_or(Error::NameOverflow),
        [] => Err(Error::NameOverflow),
    }
}

/// Appends the name with its labels in reverse order. `name` must be exactly one name.
///
/// # Errors
///
/// [`Error::OutOfBounds`] when it is cut, has labels over 63 octets, or octets follow it.
pub fn reverse(name: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    if uncompressed_len(name) != Ok(name.len()) {
        return Err(Error::OutOfBounds);
    }
    let start = out.len();
    out.resize(start + name.len(), 0);
    let mut end = out.len() - 1;
    for label in (Labels { rest: name }).flatten() {
        out[end - label.len()..end].copy_from_slice(label);
        end -= label.len();
    }
    Ok(())
}

/// Turns every octet from A to Z into lower case. Length octets are never letters.
pub fn downcase(name: &mut [u8]) {
    name.make_ascii_lowercase();
}

/// Tells whether two names are equal but for the case of the letters A to Z.
#[must_use]
#[inline]
pub fn eq_ignore_case(a: &[u8], b: &[u8]) -> bool {
    a.eq_ignore_ascii_case(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WWW: &[u8] = b"\x03www\x03fsi\x02io\0";
    const FSI: &[u8] = b"\x03fsi\x02io\0";

    #[test]
    fn lengths_of_uncompressed_names() {
        let longest =
            [&[&b"\x3f"[..], &[b'x'; 63]].concat().repeat(3)[..], b"\x3d", &[b'x'; 61], b"\0"];
        let longest = longest.concat();
        let over = [&b"\x01a"[..], &longest].concat();
        for (name, octets, want) in [
            ("one label", &b"\x03fsi\0"[..], Ok(5)),
            ("root", b"\0xx", Ok(1)),
            ("nothing", b"", Err(Error::Overflow)),
            ("label over 63", b"\x40x", Err(Error::InvalidLengthOctet)),
            ("pointer", b"\xc0\x0c", Err(Error::InvalidLengthOctet)),
            ("label cut", b"\x03fs", Err(Error::InvalidLengthOctet)),
            ("255 octets", &longest, Ok(255)),
            ("257 octets", &over, Err(Error::NameLength)),
        ] {
            assert_eq!(uncompressed_len(octets), want, "{name}");
        }
    }

    #[test]
    fn w_1_a_missing_end_is_an_invalid_length_octet() {
        assert_eq!(uncompressed_len(b"\x03fsi"), Err(Error::InvalidLengthOctet));
        assert_eq!(uncompressed_len(b"\x03fsi\x02io"), Err(Error::InvalidLengthOctet));
        let long = [&b"\x3f"[..], &[b'x'; 63]].concat().repeat(4);
        assert_eq!(uncompressed_len(&long), Err(Error::NameLength));
    }

    #[test]
    fn copies_of_uncompressed_names() {
        for (message, at, want) in [
            (WWW, 0, Ok(WWW)),
            (WWW, 4, Ok(FSI)),
            (WWW, 12, Err(Error::OutOfBounds)),
            (b"\x03fsi", 0, Err(Error::OutOfBounds)),
            (b"\x40x", 0, Err(Error::InvalidLengthOctet)),
            (b"\xc0\0", 0, Err(Error::InvalidLengthOctet)),
        ] {
            assert_eq!(copy(message, at), want, "{message:?} {at}");
        }
        let long = [&[&b"\x3f"[..], &[b'x'; 63]].concat().repeat(4)[..], b"\0"].concat();
        assert_eq!(copy(&long, 0), Err(Error::NameOverflow));
    }

    #[test]
    fn labels_are_counted_without_the_root() {
        assert_eq!(count_labels(WWW), Ok(3));
        assert_eq!(count_labels(b"\0"), Ok(0));
        assert_eq!(count_labels(b"\x03fs"), Err(Error::NameOverflow));
        assert_eq!(count_labels(b"\x40"), Err(Error::InvalidLengthOctet));
        assert_eq!(count_labels(b"\x03fsi"), Err(Error::OutOfBounds));
    }

    #[test]
    fn w_17_subdomains_are_strictly_below_and_octet_exact() {
        for (name, a, b, want) in [
            ("below", WWW, FSI, true),
            ("itself", FSI, FSI, false),
            ("above", FSI, WWW, false),
            ("below the root", FSI, b"\0", true),
            ("the root", b"\0", b"\0", false),
            ("other case", WWW, b"\x03FSI\x02io\0", false),
            ("labels count, not text", b"\x04xfsi\x02io\0", FSI, false),
            ("other end", WWW, b"\x02io\x03fsi\0", false),
        ] {
            assert_eq!(is_subdomain(a, b), Ok(want), "{name}");
        }
        assert_eq!(is_subdomain(b"\x03fsi", FSI), Err(Error::Parse));
        assert_eq!(is_subdomain(WWW, b"\x40"), Err(Error::Parse));
    }

    #[test]
    fn dp_11_a_case_insensitive_variant_stands_beside() {
        assert_eq!(is_subdomain_ignore_case(WWW, b"\x03FSI\x02iO\0"), Ok(true));
        assert_eq!(is_subdomain_ignore_case(b"\x03FSI\x02io\0", FSI), Ok(false));
        assert!(eq_ignore_case(FSI, b"\x03FsI\x02IO\0"));
        assert!(!eq_ignore_case(FSI, WWW));
    }

    #[test]
    fn leftmost_labels_go_first() {
        assert_eq!(left_chop(WWW), Ok(FSI));
        assert_eq!(left_chop(b"\0"), Ok(&b"\0"[..]));
        assert_eq!(left_chop(b"\x01a\0rest"), Ok(&b"\0rest"[..]));
        assert_eq!(left_chop(b"\x03fs"), Err(Error::NameOverflow));
        assert_eq!(left_chop(b""), Err(Error::NameOverflow));
    }

    #[test]
    fn reversal_needs_exactly_one_name() {
        for (name, want) in [(WWW, Ok(&b"\x02io\x03fsi\x03www\0"[..])), (b"\0", Ok(b"\0"))] {
            let mut out = b"x".to_vec();
            assert_eq!(reverse(name, &mut out).map(|()| &out[1..]), want);
        }
        for bad in [&b""[..], b"\x03fsi", b"\0\0", b"\x03fsi\0\0", b"\x40"] {
            let mut out = Vec::new();
            assert_eq!(reverse(bad, &mut out), Err(Error::OutOfBounds), "{bad:?}");
            assert_eq!(out, []);
        }
    }

    #[test]
    fn lower_case_spares_length_octets_and_other_letters() {
        let mut name = b"\x05A-Z\xc9[\0".to_vec();
        downcase(&mut name);
        assert_eq!(name, b"\x05a-z\xc9[\0");
    }
}
