//! One captured frame.

use crate::LinkType;
use nmsg::Timestamp;

/// One record of a capture: what a link layer carried, and when.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Frame<'a> {
    /// When it was captured.
    pub time: Timestamp,
    /// How the octets start.
    pub link: LinkType,
    /// Length on the wire, in octets; larger than `octets` when the capture cut the frame.
    pub original_len: u32,
    /// The captured octets, from the link header on.
    pub octets: &'a [u8],
}

impl Frame<'_> {
    /// Returns true when captured and original length agree.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.octets.len() as u64 == u64::from(self.original_len)
    }
}
