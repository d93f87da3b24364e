//! Writing pcap.

use crate::LinkType;
use nmsg::Timestamp;
use std::io::{self, Write};

/// Resolution of the times in a file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Precision {
    /// Microseconds, which every reader knows; nanoseconds are cut.
    #[default]
    Microseconds,
    /// Nanoseconds.
    Nanoseconds,
}

/// Writes a pcap file, little-endian, version 2.4.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    precision: Precision,
}

impl<W: Write> Writer<W> {
    /// Writes the file header. `snaplen` is in octets and only informs readers.
    ///
    /// # Errors
    ///
    /// Whatever `out` answers.
    pub fn new(mut out: W, link: LinkType, snaplen: u32, precision: Precision) -> io::Result<Self> {
        let magic: u32 = match precision {
            Precision::Microseconds => 0xa1b2_c3d4,
            Precision::Nanoseconds => 0xa1b2_3c4d,
        };
        let mut header = [0; 24];
        header[..4].copy_from_slice(&magic.to_le_bytes());
        header[4] = 2;
        header[6] = 4;
        header[16..20].copy_from_slice(&snaplen.to_le_bytes());
        header[20..22].copy_from_slice(&link.0.to_le_bytes());
        out.write_all(&header)?;
        Ok(Self { out, precision })
    }

    /// Writes one frame that was captured whole.
    ///
    /// Seconds are kept to 32 bits, as the format has it.
    ///
    /// # Errors
    ///
    /// Whatever the output answers; [`io::ErrorKind::InvalidInput`] for a frame of 4 GiB and more.
    pub fn write(&mut self, time: Timestamp, frame: &[u8]) -> io::Result<()> {
        let len = u32::try_from(frame.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let fraction = match self.precision {
            Precision::Microseconds => time.nsec / 1000,
            Precision::Nanoseconds => time.nsec,
        };
        let mut header = [0; 16];
        let words = [time.sec as u32, fraction, len, len];
        for (place, word) in header.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        self.out.write_all(&header)?;
        self.out.write_all(frame)
    }

    /// Gives the output back.
    pub fn into_inner(self) -> W {
        self.out
    }
}
