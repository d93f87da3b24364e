use std::fmt;

/// What a file looks like that is not an NMSG stream, by its first octets (`decisions` CR-15, CZ-3).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum FileKind {
    /// gzip compression.
    Gzip,
    /// bzip2 compression.
    Bzip2,
    /// xz compression.
    Xz,
    /// Zstandard compression.
    Zstd,
    /// A packet capture of the classic format, either byte order, micro- or nanoseconds.
    Pcap,
    /// A packet capture of the newer format.
    Pcapng,
    /// JSON lines.
    Json,
    /// Other printable text, such as the presentation form.
    Text,
    /// None of these: the first octets.
    Other([u8; 4]),
}

/// Octets that [`FileKind::of`] looks at.
const LOOKED_AT: usize = 64;

impl FileKind {
    /// Tells what the start of a file looks like; any number of octets will do.
    #[must_use]
    pub fn of(octets: &[u8]) -> Self {
        let start = &octets[..octets.len().min(LOOKED_AT)];
        match *start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [0xa1, 0xb2, 0xc3, 0xd4 | 0xcd, ..] | [0xd4, 0xc3, 0xb2, 0xa1, ..] => Self::Pcap,
            [0xa1, 0xb2, 0x3c, 0x4d, ..] | [0x4d, 0x3c, 0xb2, 0xa1, ..] => Self::Pcap,
            [0x0a, 0x0d, 0x0d, 0x0a, ..] => Self::Pcapng,
            _ if is_text(start) => {
                if start.trim_ascii_start().first() == Some(&b'{') {
                    Self::Json
                } else {
                    Self::Text
                }
            }
            _ => {
                let mut found = [0; 4];
                let seen = start.len().min(4);
                found[..seen].copy_from_slice(&start[..seen]);
                Self::Other(found)
            }
        }
    }

    /// True when the start leaves no doubt, so that looking for containers further on is pointless.
    #[must_use]
    pub fn is_certain(self) -> bool {
        !matches!(self, Self::Json | Self::Text | Self::Other(_))
    }
}

fn is_text(octets: &[u8]) -> bool {
    let printable = |octet: &u8| matches!(octet, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..);
    !octets.is_empty() && octets[0].is_ascii() && octets.iter().all(printable)
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gzip => f.write_str("gzip data"),
            Self::Bzip2 => f.write_str("bzip2 data"),
            Self::Xz => f.write_str("xz data"),
            Self::Zstd => f.write_str("zstd data"),
            Self::Pcap => f.write_str("a pcap capture"),
            Self::Pcapng => f.write_str("a pcapng capture"),
            Self::Json => f.write_str("JSON"),
            Self::Text => f.write_str("text"),
            Self::Other([a, b, c, d]) => write!(f, "binary data {a:02x} {b:02x} {c:02x} {d:02x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cr_15_and_cz_3_other_files_are_named() {
        for (name, octets, text, certain) in [
            ("gzip", &b"\x1f\x8b\x08\0"[..], "gzip data", true),
            ("bzip2", b"BZh91AY", "bzip2 data", true),
            ("xz", b"\xfd7zXZ\0\0", "xz data", true),
            ("zstd", b"\x28\xb5\x2f\xfd\x04", "zstd data", true),
            ("pcap, little-endian", b"\xd4\xc3\xb2\xa1\x02\0", "a pcap capture", true),
            ("pcap, big-endian", b"\xa1\xb2\xc3\xd4\0\x02", "a pcap capture", true),
            ("pcap, nanoseconds", b"\x4d\x3c\xb2\xa1\x02\0", "a pcap capture", true),
            ("pcap, nanoseconds, big", b"\xa1\xb2\x3c\x4d\0\x02", "a pcap capture", true),
            ("pcapng", b"\x0a\x0d\x0d\x0a\x1c\0", "a pcapng capture", true),
            ("JSON lines", b"{\"time\":\"2024", "JSON", false),
            ("indented JSON", b" \n {\"time\":\"2024", "JSON", false),
            ("presentation form", b"[27] [2024-01-02 03:04:05]", "text", false),
            ("binary", b"\x7fELF\x02\x01", "binary data 7f 45 4c 46", false),
            ("short", b"\x00", "binary data 00 00 00 00", false),
            ("text, then binary", b"ab\x00cd", "binary data 61 62 00 63", false),
        ] {
            let kind = FileKind::of(octets);
            assert_eq!((kind.to_string().as_str(), kind.is_certain()), (text, certain), "{name}");
        }
    }
}
