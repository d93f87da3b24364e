//! Domain names: wire form, presentation form and the operations between them (`wdns` §3).
//!
//! A wire name is a run of labels, each behind its length octet, ended by a zero octet; 255
//! octets at most. Names inside messages may also end in a compression pointer; everything here
//! but [`unpack`] and [`skip`] works on names without pointers.

mod compression;
mod text;
mod wire;

pub(crate) use compression::{
    ChainEnds, SoundLengths, contiguous, pointer_to, resolve, unpack_with, write_together,
};
pub use compression::{skip, unpack};
pub(crate) use text::WINDOW;
pub(crate) use text::{copy_start, decimal_escape, find_dots, set_dots, specials, write_plain};
pub use text::{parse, parse_lowercase, write, write_within};
pub(crate) use wire::complete_len;
pub use wire::{
    copy, count_labels, downcase, eq_ignore_case, is_subdomain, is_subdomain_ignore_case,
    left_chop, reverse, uncompressed_len,
};

/// Longest wire name in octets, terminating zero included.
pub const MAX_LEN: usize = 255;

/// Longest label in octets, length octet excluded.
pub const MAX_LABEL_LEN: usize = 63;

/// Octets that one copy of a label may write whatever its length.
const COPY_WINDOW: usize = 64;

/// Room for one uncompressed wire name.
#[derive(Clone, Copy)]
pub struct NameBuf {
    /// The surplus takes the ends of copies of a fixed width.
    octets: [u8; MAX_LEN + COPY_WINDOW],
    len: u8,
}

impl NameBuf {
    /// The empty buffer, which is not a name.
    #[must_use]
    pub const fn new() -> Self {
        Self { octets: [0; MAX_LEN + COPY_WINDOW], len: 0 }
    }

    /// The octets stored, terminating zero included.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }

    /// Lower-cases the letters A to Z of the stored name.
    pub fn downcase(&mut self) {
        self.octets[..usize::from(self.len)].make_ascii_lowercase();
    }
}

impl Default for NameBuf {
    fn default() -> Self {
        Self::new()
    }
}

impl AsRef<[u8]> for NameBuf {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl std::fmt::Debug for NameBuf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = crate::TextBuffer::new();
        write::<false>(&mut out, self.as_bytes());
        f.write_str(&out.to_string_lossy())
    }
}
