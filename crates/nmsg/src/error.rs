use std::fmt;

use crate::container::{FileKind, FragmentFault};
use crate::wire;

/// Any failure of reading or writing containers. One pointer wide, so that `Result`s stay small.
///
/// It knows what was wrong and, when it came from a stream, where: [`Error::offset`] is the absolute
/// position of the first octet of the container at fault.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug, Eq, PartialEq)]
struct Inner {
    kind: ErrorKind,
    at: Option<u64>,
}

/// What went wrong; see [`Error::kind`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input does not start like an NMSG stream at all.
    NotNmsg(FileKind),
    /// Other octets where the magic `NMSG` belongs.
    BadMagic([u8; 4]),
    /// A version that cannot be read here: the two octets behind the magic.
    BadVersion([u8; 2]),
    /// A declared size beyond what the reader's limits or the format allow.
    TooLarge {
        /// Size that was declared, in octets.
        declared: u64,
        /// Largest size that is accepted, in octets.
        limit: u64,
    },
    /// The input ends inside a container.
    Truncated {
        /// Octets that are missing, as far as the header tells.
        missing: u64,
    },
    /// A message that is not exactly one container.
    LengthMismatch {
        /// Body octets that the header announces.
        declared: u64,
        /// Body octets that are there.
        found: u64,
    },
    /// A compressed body that does not inflate to the declared size.
    Inflate(InflateFault),
    /// A body that is not the protocol-buffer message it has to be.
    Protobuf(wire::Error),
    /// A fragment that was refused.
    Fragment(FragmentFault),
}

/// Why a compressed body does not inflate (`container-and-io` §1.6).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum InflateFault {
    /// Fewer than the four octets of the size prefix.
    NoPrefix,
    /// Not a zlib stream, or one whose checksum fails.
    Corrupt,
    /// The stream ends before the declared size is reached.
    TooShort,
    /// The stream goes on behind the declared size.
    TooLong,
}

impl Error {
    #[cold]
    #[inline(never)]
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, at: None }))
    }

    #[cold]
    pub(crate) fn too_large(declared: u64, limit: u64) -> Self {
        Self::new(ErrorKind::TooLarge { declared, limit })
    }

    #[cold]
    pub(crate) fn truncated(missing: u64) -> Self {
        Self::new(ErrorKind::Truncated { missing })
    }

    #[cold]
    pub(crate) fn inflate(fault: InflateFault) -> Self {
        Self::new(ErrorKind::Inflate(fault))
    }

    /// Notes where in the stream the container at fault starts; a position once known is kept.
    #[must_use]
    #[cold]
    pub fn at(mut self, offset: u64) -> Self {
        self.0.at.get_or_insert(offset);
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Position in the stream of the first octet of the container at fault; `None` for datagrams
    /// and other inputs without positions.
    #[must_use]
    pub fn offset(&self) -> Option<u64> {
        self.0.at
    }

    /// True when more octets could still have completed the container.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Truncated { .. })
    }

    /// True when a limit of the reader, not the data, is the reason.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        matches!(self.0.kind, ErrorKind::TooLarge { .. })
    }

    /// True when the input is something else than an NMSG stream.
    #[must_use]
    pub fn is_not_nmsg(&self) -> bool {
        matches!(self.0.kind, ErrorKind::NotNmsg(_))
    }

    /// True when the header was unusable, so that not even the container's length is known.
    #[must_use]
    pub fn is_bad_header(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::NotNmsg(_) | ErrorKind::BadMagic(_) | ErrorKind::BadVersion(_)
        )
    }

    /// True when a fragment was refused; the rest of its set may still arrive.
    #[must_use]
    pub fn is_fragment(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Fragment(_))
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNmsg(kind) => write!(f, "not an NMSG file (starts like {kind})"),
            Self::BadMagic(found) => {
                write!(f, "no container where one should start: bad magic {}", found.escape_ascii())
            }
            Self::BadVersion([flags, version]) => {
                write!(f, "container has unknown version {flags:02x}{version:02x}")
            }
            Self::TooLarge { declared, limit } => {
                write!(f, "container declares {declared} bytes, the limit is {limit}")
            }
            Self::Truncated { missing } => write!(f, "container ends {missing} bytes early"),
            Self::LengthMismatch { declared, found } => {
                write!(f, "container declares {declared} bytes but has {found}")
            }
            Self::Inflate(fault) => fault.fmt(f),
            Self::Protobuf(error) => write!(f, "container is damaged: {error}"),
            Self::Fragment(fault) => fault.fmt(f),
        }
    }
}

impl fmt::Display for InflateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPrefix => "compressed container has no size",
            Self::Corrupt => "compressed container is damaged",
            Self::TooShort => "compressed container inflates to less than it declares",
            Self::TooLong => "compressed container inflates to more than it declares",
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.kind.fmt(f)?;
        match self.0.at {
            Some(at) => write!(f, " (at byte {at})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

impl From<wire::Error> for Error {
    #[cold]
    fn from(error: wire::Error) -> Self {
        Self::new(ErrorKind::Protobuf(error))
    }
}

impl From<FragmentFault> for Error {
    #[cold]
    fn from(fault: FragmentFault) -> Self {
        Self::new(ErrorKind::Fragment(fault))
    }
}

impl From<Error> for std::io::Error {
    #[cold]
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::Truncated { .. } => std::io::ErrorKind::UnexpectedEof,
            _ => std::io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }

    #[test]
    fn texts_and_questions() {
        let at = |kind: ErrorKind, offset| Error::new(kind).at(offset).to_string();
        for (name, got, want) in [
            (
                "truncated",
                at(ErrorKind::Truncated { missing: 12 }, 4096),
                "container ends 12 bytes early (at byte 4096)",
            ),
            (
                "too large",
                at(ErrorKind::TooLarge { declared: 1 << 32, limit: 16 << 20 }, 0),
                "container declares 4294967296 bytes, the limit is 16777216 (at byte 0)",
            ),
            (
                "magic",
                at(ErrorKind::BadMagic(*b"NM\x00G"), 7),
                "no container where one should start: bad magic NM\\x00G (at byte 7)",
            ),
            (
                "version",
                at(ErrorKind::BadVersion([1, 1]), 7),
                "container has unknown version 0101 (at byte 7)",
            ),
            (
                "not NMSG",
                at(ErrorKind::NotNmsg(FileKind::Gzip), 0),
                "not an NMSG file (starts like gzip data) (at byte 0)",
            ),
            (
                "length",
                Error::new(ErrorKind::LengthMismatch { declared: 5, found: 3 }).to_string(),
                "container declares 5 bytes but has 3",
            ),
            (
                "protobuf",
                Error::from(wire::Error::BadTag).to_string(),
                "container is damaged: a field has an invalid tag",
            ),
            (
                "inflate",
                Error::inflate(InflateFault::TooLong).to_string(),
                "compressed container inflates to more than it declares",
            ),
            (
                "fragment",
                Error::from(FragmentFault::ChecksumMismatch).to_string(),
                "reassembled container does not match the checksum of its fragments",
            ),
        ] {
            assert_eq!(got, want, "{name}");
        }
        let truncated = Error::truncated(1);
        assert!(truncated.is_truncated() && !truncated.is_too_large());
        assert_eq!(truncated.offset(), None);
        assert_eq!(truncated.clone().at(5).at(9).offset(), Some(5), "the first position is kept");
        assert!(Error::too_large(2, 1).is_too_large());
        assert!(Error::new(ErrorKind::BadVersion([0, 9])).is_bad_header());
        assert!(Error::new(ErrorKind::NotNmsg(FileKind::Text)).is_not_nmsg());
        assert!(Error::from(FragmentFault::OtherLast).is_fragment());
        let kind = |error| std::io::Error::from(error).kind();
        assert_eq!(kind(Error::truncated(1)), std::io::ErrorKind::UnexpectedEof);
        assert_eq!(kind(Error::too_large(2, 1)), std::io::ErrorKind::InvalidData);
    }
}
