use super::FileKind;
use crate::error::{Error, ErrorKind};

/// The four octets every container starts with.
pub const MAGIC: [u8; 4] = *b"NMSG";

/// Flag bits of a version-2 header; unknown bits are ignored (`decisions` CR-10).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Flags(pub u8);

impl Flags {
    /// The body is a size prefix and a zlib stream.
    pub const ZLIB: Self = Self(1);
    /// The body is one fragment of a larger container.
    pub const FRAGMENT: Self = Self(2);

    /// True when the body, after reassembly, is compressed.
    #[must_use]
    pub fn is_zlib(self) -> bool {
        self.0 & Self::ZLIB.0 != 0
    }

    /// True when the body is a fragment.
    #[must_use]
    pub fn is_fragment(self) -> bool {
        self.0 & Self::FRAGMENT.0 != 0
    }

    /// Both sets of bits.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Which header a container has (`container-and-io` §1.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Version {
    /// Eight octets, 16-bit length, no flags; read from files only.
    V1,
    /// Ten octets; the only one ever written.
    V2,
}

/// A container's header.
///
/// ```text
/// version 2:  | N M S G | flags | 02 | body length, u32 BE |
/// version 1:  | N M S G | 00 | 01 | body length, u16 BE |
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Header {
    /// Layout of the header.
    pub version: Version,
    /// Flags; always none for version 1 (`decisions` CR-7).
    pub flags: Flags,
    /// Octets that follow the header.
    pub body_len: u32,
}

impl Header {
    /// Octets of a version-2 header.
    pub const LEN: usize = 10;
    /// Octets of a version-1 header.
    pub const V1_LEN: usize = 8;

    /// A version-2 header.
    #[must_use]
    pub fn v2(flags: Flags, body_len: u32) -> Self {
        Self { version: Version::V2, flags, body_len }
    }

    /// Octets of this header.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a header is never empty")]
    pub fn len(&self) -> usize {
        match self.version {
            Version::V1 => Self::V1_LEN,
            Version::V2 => Self::LEN,
        }
    }

    /// Octets of the container, header included.
    #[must_use]
    pub fn container_len(&self) -> u64 {
        self.len() as u64 + u64::from(self.body_len)
    }

    /// Reads a header of either version from the start of `octets`, which may go on behind it or
    /// end before it is complete. `None` means that what is there is right so far but not enough.
    ///
    /// # Errors
    ///
    /// Bad magic or version, as soon as the octets that tell are there.
    #[inline]
    pub fn parse(octets: &[u8]) -> Result<Option<Self>, Error> {
        let seen = octets.len().min(MAGIC.len());
        if octets[..seen] != MAGIC[..seen] {
            return Err(bad_magic(octets));
        }
        match (Self::whole(octets), octets) {
            (Some(header), _) => Ok(Some(header)),
            (None, [_, _, _, _, _, 2, ..] | [_, _, _, _, 0, 1, ..]) => Ok(None),
            (None, [_, _, _, _, flags, version, ..]) => {
                Err(Error::new(ErrorKind::BadVersion([*flags, *version])))
            }
            _ => Ok(None),
        }
    }

    /// The header whose magic `octets` start with, if it is whole and of a version that exists: where
    /// magics are only tried, what is wrong with them does not matter.
    #[inline]
    pub(super) fn whole(octets: &[u8]) -> Option<Self> {
        match *octets {
            [_, _, _, _, flags, 2, a, b, c, d, ..] => {
                Some(Self::v2(Flags(flags), u32::from_be_bytes([a, b, c, d])))
            }
            [_, _, _, _, 0, 1, a, b, ..] => {
                let body_len = u16::from_be_bytes([a, b]).into();
                Some(Self { version: Version::V1, flags: Flags::default(), body_len })
            }
            _ => None,
        }
    }

    /// Reads the header of a message that has to be one whole version-2 container, and gives its
    /// body: datagrams, ZeroMQ messages, Kafka records.
    ///
    /// # Errors
    ///
    /// Truncated when there are fewer than ten octets (`decisions` CR-8); bad magic; any version
    /// but 2; a length that is not that of the message.
    #[inline]
    pub fn parse_message(octets: &[u8]) -> Result<(Self, &[u8]), Error> {
        let Some((head, body)) = octets.split_first_chunk::<{ Self::LEN }>() else {
            return Err(match Self::parse(octets) {
                Err(error) => error,
                Ok(_) => Error::truncated((Self::LEN - octets.len()) as u64),
            });
        };
        let [n, m, s, g, flags, version, length @ ..] = *head;
        if [n, m, s, g] != MAGIC {
            return Err(Error::new(ErrorKind::BadMagic([n, m, s, g])));
        }
        if version != 2 {
            return Err(Error::new(ErrorKind::BadVersion([flags, version])));
        }
        let body_len = u32::from_be_bytes(length);
        if body_len as usize != body.len() {
            let (declared, found) = (body_len.into(), body.len() as u64);
            return Err(Error::new(ErrorKind::LengthMismatch { declared, found }));
        }
        Ok((Self::v2(Flags(flags), body_len), body))
    }

    /// The octets of a version-2 header with these flags and length.
    #[must_use]
    #[inline]
    pub fn to_octets(self) -> [u8; Self::LEN] {
        let [a, b, c, d] = self.body_len.to_be_bytes();
        let [n, m, s, g] = MAGIC;
        [n, m, s, g, self.flags.0, 2, a, b, c, d]
    }
}

#[cold]
fn bad_magic(octets: &[u8]) -> Error {
    let mut found = [0; 4];
    let seen = octets.len().min(4);
    found[..seen].copy_from_slice(&octets[..seen]);
    Error::new(ErrorKind::BadMagic(found))
}

/// What is wrong with an input whose very first octets are not a container's: either its magic was
/// damaged, or it is something else altogether (`decisions` CR-15).
#[cold]
pub(super) fn wrong_start(octets: &[u8]) -> Error {
    let matching = octets.iter().zip(&MAGIC).filter(|(a, b)| a == b).count();
    let version_fits = matches!(octets.get(4..6), Some([_, 2] | [0, 1]));
    if matching > 0 && version_fits {
        bad_magic(octets)
    } else {
        Error::new(ErrorKind::NotNmsg(FileKind::of(octets)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v1(body_len: u32) -> Header {
        Header { version: Version::V1, flags: Flags(0), body_len }
    }

    #[test]
    fn headers_of_both_versions() {
        let parse = |octets: &[u8]| Header::parse(octets).map_err(|error| error.kind());
        for (name, octets, want) in [
            ("version 2", &b"NMSG\x00\x02\0\0\x01\x00"[..], Ok(Some(Header::v2(Flags(0), 256)))),
            ("4 GiB", b"NMSG\x00\x02\xff\xff\xff\xff", Ok(Some(Header::v2(Flags(0), u32::MAX)))),
            ("all flags", b"NMSG\xff\x02\0\0\0\0", Ok(Some(Header::v2(Flags(255), 0)))),
            ("body behind", b"NMSG\x01\x02\0\0\0\x03abc", Ok(Some(Header::v2(Flags(1), 3)))),
            ("version 1", b"NMSG\x00\x01\x01\x02", Ok(Some(v1(0x102)))),
            ("version 1, flags", b"NMSG\x01\x01\x01\x02", Err(ErrorKind::BadVersion([1, 1]))),
            ("version 0", b"NMSG\x00\x00", Err(ErrorKind::BadVersion([0, 0]))),
            ("version 3", b"NMSG\x00\x03", Err(ErrorKind::BadVersion([0, 3]))),
            ("nothing yet", b"", Ok(None)),
            ("magic only", b"NMSG", Ok(None)),
            ("flags only", b"NMSG\x00", Ok(None)),
            ("version 2, no length", b"NMSG\x00\x02\0\0\0", Ok(None)),
            ("version 1, no length", b"NMSG\x00\x01\0", Ok(None)),
            ("wrong early", b"X", Err(ErrorKind::BadMagic(*b"X\0\0\0"))),
            ("wrong late", b"NMSX\x00\x02\0\0\0\0", Err(ErrorKind::BadMagic(*b"NMSX"))),
        ] {
            assert_eq!(parse(octets), want, "{name}");
        }
    }

    #[test]
    fn cr_8_a_message_needs_the_whole_header_and_the_exact_length() {
        let parse = |octets| Header::parse_message(octets).map_err(|error| error.kind());
        let whole = Header::v2(Flags(0), 2);
        for (name, octets, want) in [
            ("whole", &b"NMSG\x00\x02\0\0\0\x02ab"[..], Ok((whole, &b"ab"[..]))),
            ("empty", b"", Err(ErrorKind::Truncated { missing: 10 })),
            ("nine octets", b"NMSG\x00\x02\0\0\0", Err(ErrorKind::Truncated { missing: 1 })),
            ("four wrong octets", b"abcd", Err(ErrorKind::BadMagic(*b"abcd"))),
            ("short and wrong version", b"NMSG\0\x09", Err(ErrorKind::BadVersion([0, 9]))),
            ("wrong magic", b"NMSH\x00\x02\0\0\0\x00", Err(ErrorKind::BadMagic(*b"NMSH"))),
            ("version 1", b"NMSG\x00\x01\0\x02ab\0\0", Err(ErrorKind::BadVersion([0, 1]))),
            ("body short", b"NMSG\x00\x02\0\0\0\x03ab", {
                Err(ErrorKind::LengthMismatch { declared: 3, found: 2 })
            }),
            ("body long", b"NMSG\x00\x02\0\0\0\x01ab", {
                Err(ErrorKind::LengthMismatch { declared: 1, found: 2 })
            }),
        ] {
            assert_eq!(parse(octets), want, "{name}");
        }
    }

    #[test]
    fn written_headers_read_back() {
        for flags in [Flags(0), Flags::ZLIB, Flags::FRAGMENT, Flags::ZLIB.with(Flags::FRAGMENT)] {
            let header = Header::v2(flags, 0x0102_0304);
            assert_eq!(Header::parse(&header.to_octets()).unwrap(), Some(header));
            assert_eq!(header.container_len(), 0x0102_0304 + 10);
        }
        assert_eq!(Header::v2(Flags(2), 0x28).to_octets(), *b"NMSG\x02\x02\0\0\0\x28");
        assert_eq!(v1(5).container_len(), 13);
    }

    #[test]
    fn cr_10_unknown_flags_are_ignored() {
        let header = Header::parse(b"NMSG\xfc\x02\0\0\0\0").unwrap().unwrap();
        assert!(!header.flags.is_zlib() && !header.flags.is_fragment());
    }

    #[test]
    fn a_damaged_first_magic_is_not_another_kind_of_file() {
        for (name, octets, want) in [
            ("one bit", &b"NMSF\x00\x02\0\0\0\0"[..], ErrorKind::BadMagic(*b"NMSF")),
            ("gzip", b"\x1f\x8b\x08\0\0\x02\0\0\0\0", ErrorKind::NotNmsg(FileKind::Gzip)),
            ("text", b"Not this", ErrorKind::NotNmsg(FileKind::Text)),
        ] {
            assert_eq!(wrong_start(octets).kind(), want, "{name}");
        }
    }
}
