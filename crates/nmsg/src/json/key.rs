//! Recognising the keys of written records without reading them as strings.

use super::parse::Scanner;

/// Longest key that is recognised, quotes and colon included.
const MAX_LEN: usize = 24;

/// A key as records are written, `"name":`.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    text: [u64; MAX_LEN / 8],
    mask: [u64; MAX_LEN / 8],
    len: usize,
}

/// Octets as numbers that are compared at once.
#[inline(always)]
fn words(octets: &[u8; MAX_LEN]) -> [u64; MAX_LEN / 8] {
    let (words, _) = octets.as_chunks::<8>();
    std::array::from_fn(|at| u64::from_le_bytes(words[at]))
}

impl Key {
    /// The key with this name. Names that are too long or need escapes are left to the reader of
    /// strings.
    pub(crate) fn new(name: &[u8]) -> Self {
        let key = [b"\"", name, b"\":"].concat();
        let (mut text, mut mask) = ([0; MAX_LEN], [0; MAX_LEN]);
        match text.get_mut(..key.len()) {
            Some(start) => {
                start.copy_from_slice(&key);
                mask[..key.len()].fill(0xff);
            }
            // A line has no NUL, so this is nowhere.
            None => mask[0] = 0xff,
        }
        Self { text: words(&text), mask: words(&mask), len: key.len() }
    }

    /// True when this key stands at the start of `next`.
    #[inline(always)]
    fn is_at(&self, next: &[u64; MAX_LEN / 8]) -> bool {
        let differs = |at: usize| (next[at] ^ self.text[at]) & self.mask[at];
        differs(0) == 0 && differs(1) | differs(2) == 0
    }
}

/// How many keys from the expected one on are tried.
const NEAR: usize = 8;

/// Steps over the key that stands here, and over its colon, if it is one of the next few; the index
/// of the key then. Written records have their keys in order.
#[inline(always)]
pub(super) fn take_near(
    scanner: &mut Scanner<'_>,
    keys: &[Key],
    next: &mut usize,
) -> Option<usize> {
    let octets = words(scanner.next_octets()?);
    let distance = keys.get(*next..)?.iter().take(NEAR).position(|key| key.is_at(&octets))?;
    let found = *next + distance;
    scanner.step(keys[found].len);
    *next = found + 1;
    Some(found)
}
