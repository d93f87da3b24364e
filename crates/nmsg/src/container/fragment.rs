use std::fmt;

/// Why a fragment, or the set it belongs to, was dropped (`decisions` FR-3, FR-4, FR-6).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum FragmentFault {
    /// Its index is higher than the last one it announces.
    BeyondLast,
    /// It announces another last index than the first fragment of its set.
    OtherLast,
    /// It announces more fragments than the reader's limits allow.
    TooMany,
    /// The octets of its set are more than a container may have, or than may wait.
    TooLarge,
    /// The reassembled container does not match the checksum.
    ChecksumMismatch,
}

impl fmt::Display for FragmentFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeyondLast => "fragment has an index beyond the last one",
            Self::OtherLast => "fragment announces another last index than its set",
            Self::TooMany => "fragment announces too many fragments",
            Self::TooLarge => "fragments make a container that is too large",
            Self::ChecksumMismatch => {
                "reassembled container does not match the checksum of its fragments"
            }
        })
    }
}
