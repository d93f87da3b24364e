//! Savefiles: pcap and pcapng, read from files and pipes, and a pcap writer.
//!
//! | format | taken |
//! |---|---|
//! | pcap | microsecond, nanosecond and modified magic, both octet orders, versions 2.0 to 2.4 |
//! | pcapng | sections in both octet orders, per-interface link type, time resolution and offset |
//!
//! Reading keeps its place when the input has nothing to give yet, holds at most one record of
//! [`MAX_FRAME_OCTETS`] (or one block of [`MAX_BLOCK_OCTETS`]) plus a read buffer in memory, and
//! reports damage with the offset of the octet where the damaged record starts.

mod pcap;
mod pcapng;
mod reader;
mod writer;

pub use reader::{Next, Reader};
pub use writer::{Precision, Writer};

use std::fmt;
use std::io;

/// Longest frame that is read, in octets; the limit of libpcap.
pub const MAX_FRAME_OCTETS: usize = 262_144;

/// Longest pcapng block that is read, in octets; the limit of libpcap.
pub const MAX_BLOCK_OCTETS: usize = 16 << 20;

/// Why a savefile cannot be read, or not any further.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    at: u64,
}

/// What is wrong with a savefile.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Neither pcap nor pcapng; holds the first octets.
    NotACapture([u8; 4]),
    /// A pcap version that is not 2.0 to 2.4, or a pcapng version that is not 1.
    Version(u16, u16),
    /// The input ends inside a record.
    Truncated {
        /// Octets that are missing, as far as the record tells.
        missing: usize,
    },
    /// A record longer than any capture makes.
    TooLong {
        /// Length it announces, in octets.
        announced: u64,
        /// Longest that is read, in octets.
        limit: usize,
    },
    /// A pcapng block whose lengths contradict each other or its content.
    BadBlock(&'static str),
    /// Reading failed.
    Io(io::Error),
}

impl Error {
    #[cold]
    fn new(kind: ErrorKind, at: u64) -> Self {
        Self { kind, at }
    }

    /// Returns what is wrong.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// Returns the offset where the damaged record starts, or where reading failed, in octets.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.at
    }

    /// Returns true when the input merely ends early.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        matches!(self.kind, ErrorKind::Truncated { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ErrorKind::NotACapture(start) => {
                f.write_str("not a capture file")?;
                match likeness(*start) {
                    Some(name) => write!(f, " (starts like {name})"),
                    None => write!(f, " (starts with {:02x?})", start),
                }
            }
            ErrorKind::Version(major, minor) => {
                write!(f, "capture file version {major}.{minor} is not supported")
            }
            ErrorKind::Truncated { missing } => {
                write!(f, "capture ends {missing} bytes early (at byte {})", self.at)
            }
            ErrorKind::TooLong { announced, limit } => write!(
                f,
                "record of {announced} bytes exceeds the limit of {limit} (at byte {})",
                self.at
            ),
            ErrorKind::BadBlock(what) => write!(f, "damaged block: {what} (at byte {})", self.at),
            ErrorKind::Io(error) => write!(f, "{error} (at byte {})", self.at),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            ErrorKind::Io(error) => Some(error),
            _ => None,
        }
    }
}

fn likeness(start: [u8; 4]) -> Option<&'static str> {
    match start {
        [b'N', b'M', b'S', b'G'] => Some("NMSG"),
        [0x1f, 0x8b, ..] => Some("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd] => Some("zstd"),
        [0xfd, b'7', b'z', b'X'] => Some("xz"),
        [b'B', b'Z', b'h', _] => Some("bzip2"),
        [b'{', ..] => Some("JSON"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
