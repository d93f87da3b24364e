//! A zlib encoder (RFC 1950, RFC 1951) for records that share much of their structure, such as the payloads
//! of a container.
//!
//! Knows nothing of NMSG. The octets that come out depend on the input alone: they are the same with and
//! without vector instructions.

mod adler;
mod bits;
mod block;
mod entropy;
mod finder;
mod huffman;
mod parser;
mod portable;
mod symbols;
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "vector instructions, behind the test for their features")]
mod vector;

#[cfg(test)]
mod tests;

use bits::BitWriter;
use parser::Parser;

/// Method deflate, window of 32 KiB, usual effort, no dictionary (RFC 1950 §2.2).
const HEADER: [u8; 2] = [0x78, 0x9c];

/// Compresses at about the ratio of zlib's level 6. Keep one per thread: its tables take half a mebibyte.
pub struct Compressor {
    parser: Parser,
    /// Whether vector instructions are used where there are any.
    vectors: bool,
}

impl Default for Compressor {
    fn default() -> Self {
        Self::new()
    }
}

impl Compressor {
    /// Makes a compressor.
    #[must_use]
    pub fn new() -> Self {
        Self { parser: Parser::new(), vectors: true }
    }

    /// Appends `input` as a zlib stream to `out`. That takes at most 5 octets for each 4,096 of the input
    /// and 11 for the stream more than the input.
    ///
    /// # Errors
    ///
    /// The input does not suit, as its first 32 KiB tell; `out` is as it was. A shorter one always does.
    pub fn compress_zlib(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Unsuited> {
        let start = out.len();
        out.extend_from_slice(&HEADER);
        let mut bits = BitWriter::new(out);
        let written = self.parser.write(input, self.vectors, &mut bits);
        bits.finish();
        if written.is_ok() {
            out.extend_from_slice(&adler::adler32(input).to_be_bytes());
        } else {
            out.truncate(start);
        }
        written
    }
}

/// An input that consists of shorter copies than records do, such as prose, or of longer ones, such as lines of a log:
/// other encoders need fewer octets for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unsuited;

impl std::fmt::Display for Unsuited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not like records")
    }
}

impl std::error::Error for Unsuited {}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressor").finish_non_exhaustive()
    }
}
