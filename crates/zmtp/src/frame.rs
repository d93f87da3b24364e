//! Frames: what follows the greeting.
//!
//! ```text
//! 0       1            2 or 9
//! | flags | length 1/8 | body …      flags: 1 more, 2 long length, 4 command
//! ```

use crate::error::PeerFault;

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// The first octets of a frame, taken apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct FrameHeader {
    /// Another frame of the same message follows.
    pub(crate) more: bool,
    /// The body is a command, not part of a message.
    pub(crate) command: bool,
    /// Octets of the header.
    pub(crate) len: usize,
    /// Octets of the body.
    pub(crate) body: usize,
}

impl FrameHeader {
    /// Reads a header; `None` when octets are missing.
    ///
    /// # Errors
    ///
    /// When a flag is unknown, or the body is larger than `limit`.
    pub(crate) fn parse(octets: &[u8], limit: usize) -> Result<Option<Self>, PeerFault> {
        let Some((&flags, rest)) = octets.split_first() else { return Ok(None) };
        let command = flags & COMMAND != 0;
        if flags & !(MORE | LONG | COMMAND) != 0 || command && flags & MORE != 0 {
            return Err(PeerFault::Protocol);
        }
        let (len, body) = if flags & LONG == 0 {
            let Some(&body) = rest.first() else { return Ok(None) };
            (2, u64::from(body))
        } else {
            let Some(body) = rest.first_chunk() else { return Ok(None) };
            (9, u64::from_be_bytes(*body))
        };
        match usize::try_from(body) {
            Ok(body) if body <= limit => {
                Ok(Some(Self { more: flags & MORE != 0, command, len, body }))
            }
            _ => Err(PeerFault::TooLarge),
        }
    }
}

fn put(flags: u8, parts: &[&[u8]], out: &mut Vec<u8>) {
    let len = parts.iter().map(|part| part.len()).sum::<usize>();
    out.reserve(9 + len);
    match u8::try_from(len) {
        Ok(short) => out.extend_from_slice(&[flags, short]),
        Err(_) => {
            out.push(flags | LONG);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

/// Appends a message of one frame.
pub(crate) fn put_message(body: &[u8], out: &mut Vec<u8>) {
    put(0, &[body], out);
}

/// Appends a command.
pub(crate) fn put_command(name: &str, body: &[u8], out: &mut Vec<u8>) {
    put(COMMAND, &[&[name.len() as u8], name.as_bytes(), body], out);
}

/// Takes a command's body apart into its name and its data; `None` when it has no whole name.
pub(crate) fn split_command(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&len, rest) = body.split_first()?;
    rest.split_at_checked(len.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_back_as_they_were_written() {
        for len in [0, 1, 255, 256, 70_000] {
            let body = vec![7; len];
            let mut out = Vec::new();
            put_message(&body, &mut out);
            let header = FrameHeader::parse(&out, 70_000).unwrap().unwrap();
            assert_eq!((header.more, header.command, header.body), (false, false, len));
            assert_eq!(header.len, if len < 256 { 2 } else { 9 });
            assert_eq!(&out[header.len..], &body[..]);
            for cut in 0..header.len {
                assert_eq!(FrameHeader::parse(&out[..cut], 70_000), Ok(None), "cut at {cut}");
            }
        }
    }

    #[test]
    fn headers_are_judged() {
        let long = |len: u64| [&[2][..], &len.to_be_bytes()].concat();
        for (name, octets, want) in [
            ("unknown flag", vec![8, 0], PeerFault::Protocol),
            ("command that goes on", vec![5, 0], PeerFault::Protocol),
            ("just over the limit", long(1001), PeerFault::TooLarge),
            ("largest length", long(u64::MAX), PeerFault::TooLarge),
        ] {
            assert_eq!(FrameHeader::parse(&octets, 1000), Err(want), "{name}");
        }
        let header = FrameHeader::parse(&[1, 5], 1000).unwrap().unwrap();
        assert!(header.more && !header.command);
        let short_as_long = FrameHeader::parse(&long(3), 1000).unwrap().unwrap();
        assert_eq!((short_as_long.len, short_as_long.body), (9, 3));
    }

    #[test]
    fn commands_are_taken_apart() {
        let mut out = Vec::new();
        put_command("PING", &[0, 0, 9], &mut out);
        assert_eq!(out, b"\x04\x08\x04PING\x00\x00\x09");
        assert_eq!(split_command(&out[2..]), Some((&b"PING"[..], &[0, 0, 9][..])));
        assert_eq!(split_command(b""), None);
        assert_eq!(split_command(b"\x05PING"), None);
    }
}
