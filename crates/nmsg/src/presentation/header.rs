//! The line above a record: `[L] [TIME] [V:T VNAME MNAME] [SOURCE] [OPERATOR] [GROUP] `.

use crate::text::c_number::hex_u32;
use crate::text::time_in::{nanoseconds, parse_seconds};
use crate::{MsgType, Timestamp, VendorId};

/// What a header line says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Header<'t> {
    pub(super) time: Timestamp,
    pub(super) vendor: VendorId,
    pub(super) msgtype: MsgType,
    pub(super) source: u32,
    /// Name or number; empty when unset.
    pub(super) operator: &'t [u8],
    /// As the operator.
    pub(super) group: &'t [u8],
}

impl<'t> Header<'t> {
    /// Reads a header line; `None` for any other line.
    pub(super) fn parse(line: &'t [u8]) -> Option<Self> {
        let mut rest = line.strip_prefix(b"[")?.trim_ascii_end();
        decimal(field(&mut rest)?)?;
        let time = time(field(&mut rest)?)?;
        let kind = field(&mut rest)?;
        let numbers = kind.split(|&octet| octet == b' ').next()?;
        let colon = numbers.iter().position(|&octet| octet == b':')?;
        let (vendor, msgtype) = (decimal(&numbers[..colon])?, decimal(&numbers[colon + 1..])?);
        let source = hex_u32(field(&mut rest)?.try_into().ok()?)?;
        let operator = field(&mut rest)?;
        let group = rest.strip_suffix(b"]")?;
        Some(Self {
            time,
            vendor: VendorId(vendor),
            msgtype: MsgType(msgtype),
            source,
            operator,
            group,
        })
    }
}

/// The text up to the next `] [`.
fn field<'t>(rest: &mut &'t [u8]) -> Option<&'t [u8]> {
    let end = rest.windows(3).position(|three| three == b"] [")?;
    let field = &rest[..end];
    *rest = &rest[end + 3..];
    Some(field)
}

/// A number of at most 32 bits in decimal digits.
pub(super) fn decimal(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 10 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = text.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    u32::try_from(value).ok()
}

/// Date, time and nanoseconds; ten digits are the number itself, as it is written when it is 10⁹
/// or more.
fn time(text: &[u8]) -> Option<Timestamp> {
    let (sec, rest) = parse_seconds::<false>(text)?;
    let digits = rest.strip_prefix(b".")?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let nsec = match digits.len() {
        1..=9 => nanoseconds(digits),
        10 => decimal(digits)?,
        _ => return None,
    };
    Some(Timestamp { sec, nsec })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pi_1_header_lines_are_recognised() {
        let line = b"[37] [2023-11-14 22:13:20.123456789] [1:6 base logline] [abcdef01] [QA] [5] ";
        let header = Header::parse(line).unwrap();
        let want = Header {
            time: Timestamp { sec: 1_700_000_000, nsec: 123_456_789 },
            vendor: VendorId(1),
            msgtype: MsgType(6),
            source: 0xabcd_ef01,
            operator: b"QA",
            group: b"5",
        };
        assert_eq!(header, want);
        for (line, nsec, sec) in [
            (
                "[0] [1969-12-31 23:59:59.4294967295] [77:3 (unknown) (unknown)] [00000000] [] [] ",
                u32::MAX,
                -1,
            ),
            (
                "[0] [-5-01-01 00:00:00.000000001] [4000000000:3 x y] [00000000] [] []\r",
                1,
                -62_324_985_600,
            ),
        ] {
            let header = Header::parse(line.as_bytes()).unwrap();
            assert_eq!((header.time.nsec, header.time.sec), (nsec, sec), "{line}");
            assert_eq!((header.operator, header.group), (&b""[..], &b""[..]));
        }
    }

    #[test]
    fn other_lines_are_no_headers() {
        for line in [
            "",
            "[",
            "type: unknown",
            "[10.0.0.1].5000 [10.0.0.2].1234 udp [5]",
            "[x] [2023-11-14 22:13:20.123456789] [1:6 base logline] [00000000] [] [] ",
            "[3] [2023-11-14 22:13:20] [1:6 base logline] [00000000] [] [] ",
            "[3] [2023-11-14 22:13:20.] [1:6 base logline] [00000000] [] [] ",
            "[3] [2023-11-14 22:13:20.1] [1.6 base logline] [00000000] [] [] ",
            "[3] [2023-11-14 22:13:20.1] [1:x base logline] [00000000] [] [] ",
            "[3] [2023-11-14 22:13:20.1] [1:6 base logline] [0] [] [] ",
            "[3] [2023-11-14 22:13:20.1] [1:6 base logline] [00000000] [] ",
            "[3] [2023-11-14 22:13:20.1] [1:6 base logline] [00000000] [] [] x",
            " [3] [2023-11-14 22:13:20.1] [1:6 base logline] [00000000] [] [] ",
        ] {
            assert_eq!(Header::parse(line.as_bytes()), None, "{line}");
        }
    }
}
