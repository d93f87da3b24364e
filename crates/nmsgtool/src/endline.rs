//! The line ending inside presentation records, as `-e` writes it.

use crate::failure::Failure;
use crate::spell::printable;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Decodes `\n`, `\t`, `\r`, `\0`, `\\` and `\xHH`; other bytes stand for themselves.
///
/// # Errors
///
/// A usage failure naming the first escape that is none of these.
pub(crate) fn decode(value: &OsStr) -> Result<Vec<u8>, Failure> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        if *first != b'\\' {
            decoded.push(*first);
            rest = after;
            continue;
        }
        let (byte, after) = escape(after).ok_or_else(|| unknown_escape(rest))?;
        decoded.push(byte);
        rest = after;
    }
    Ok(decoded)
}

/// Decodes what follows a backslash and returns the text after it.
fn escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let (letter, after) = text.split_first()?;
    match letter {
        b'n' => Some((b'\n', after)),
        b't' => Some((b'\t', after)),
        b'r' => Some((b'\r', after)),
        b'0' => Some((0, after)),
        b'\\' => Some((b'\\', after)),
        b'x' => {
            let (digits, after) = after.split_first_chunk::<2>()?;
            Some((hex_digit(digits[0])? << 4 | hex_digit(digits[1])?, after))
        }
        _ => None,
    }
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cold]
fn unknown_escape(at: &[u8]) -> Failure {
    let length = if at.starts_with(b"\\x") { 4 } else { 2 };
    let shown = printable(OsStr::from_bytes(&at[..length.min(at.len())]));
    Failure::usage(format!("argument to -e has the unknown escape '{shown}'"))
        .with_hint(r"the escapes are \n, \t, \r, \0, \\ and \xHH")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn po_5_escapes() {
        for (text, want) in [
            ("", &b""[..]),
            ("plain", b"plain"),
            (r"\n", b"\n"),
            (r"a\tb\rc", b"a\tb\rc"),
            (r"\0", b"\0"),
            (r"\\n", b"\\n"),
            (r"\x41\xfF", b"A\xff"),
            (r"\x414", b"A4"),
            ("é", "é".as_bytes()),
        ] {
            assert_eq!(decode(OsStr::new(text)).unwrap(), want, "{text}");
        }
        assert_eq!(decode(OsStr::from_bytes(b"\xff")).unwrap(), b"\xff");
    }

    #[test]
    fn po_5_other_escapes_are_refused() {
        for (text, shown) in [
            (r"\q", r"\q"),
            (r"ok\N", r"\N"),
            ("trailing\\", "\\"),
            (r"\x", r"\x"),
            (r"\x4", r"\x4"),
            (r"\x4g!", r"\x4g"),
            (r"\x+4", r"\x+4"),
        ] {
            let failure = decode(OsStr::new(text)).unwrap_err();
            let want = format!("usage error: argument to -e has the unknown escape '{shown}'");
            assert_eq!(failure.to_string(), want, "{text}");
            assert!(failure.hint().is_some_and(|hint| hint.contains(r"\xHH")));
        }
    }
}
