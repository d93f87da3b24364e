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
    let mut at = 0;
    loop {
        let Some(&length) = octets.get(at) else {
            return Err(match at {
                0 => Error::Overflow,
                MAX_LEN.. => Error::NameLength,
                _ => Error::InvalidLengthOctet,
            });
        };
        at += 1;
        if length == 0 {
            break;
        }
        if usize::from(length) > MAX_LABEL_LEN || usize::from(length) > octets.len() - at {
            return Err(Error::InvalidLengthOctet);
        }
        at += usize::from(length);
    }
    if at > MAX_LEN { Err(Error::NameLength) } else { Ok(at) }
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
