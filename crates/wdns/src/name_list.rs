//! Text files with one name a line (`wdns` §10).

use crate::{Error, name};
use std::fmt;
use std::io::{self, BufRead, Read};

/// Longest line that is read, in octets; no name is longer than 1020.
const MAX_LINE: u64 = 4096;

/// Where and why reading a list of names ended.
#[derive(Debug)]
pub enum NameListError {
    /// The text of a line is no name.
    Name {
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        error: Error,
    },
    /// The input could not be read.
    Input(io::Error),
}

impl NameListError {
    /// Returns the result code for callers that know codes only.
    #[must_use]
    pub fn code(&self) -> Error {
        match self {
            Self::Name { error, .. } => *error,
            Self::Input(_) => Error::Failure,
        }
    }
}

impl fmt::Display for NameListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { line, error } => write!(f, "{error} (at line {line})"),
            Self::Input(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NameListError {}

impl From<io::Error> for NameListError {
    fn from(error: io::Error) -> Self {
        Self::Input(error)
    }
}

/// Reads names, one a line, and hands each to `each` as an uncompressed wire name in lower case.
///
/// Empty lines and those that start with a blank or `#` are skipped; blanks and a carriage return
/// at the end of a line are not part of the name.
///
/// # Errors
///
/// The first line that is no name, lines over 4096 octets among them, or the input's error.
pub fn read_names(
    mut input: impl BufRead,
    mut each: impl FnMut(&[u8]),
) -> Result<(), NameListError> {
    let mut text = Vec::new();
    let mut wire = Vec::new();
    for line in 1.. {
        text.clear();
        wire.clear();
        if input.by_ref().take(MAX_LINE + 1).read_until(b'\n', &mut text)? == 0 {
            break;
        }
        let skipped = matches!(text[0], b'\n' | b'\r' | b' ' | b'\t' | b'#');
        if text.len() as u64 > MAX_LINE {
            if !skipped {
                return Err(NameListError::Name { line, error: Error::NameOverflow });
            }
            input.skip_until(b'\n')?;
        }
        if !skipped {
            name::parse_lowercase(text.trim_ascii_end(), &mut wire)
                .map_err(|error| NameListError::Name { line, error })?;
            each(&wire);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &[u8]) -> (Vec<Vec<u8>>, Result<(), String>) {
        let mut names = Vec::new();
        let result = read_names(text, |name| names.push(name.to_vec()));
        (names, result.map_err(|error| error.to_string()))
    }

    #[test]
    fn dp_13_lines_are_trimmed_and_comments_skipped() {
        let text = b"# list\n\nFSI.io\r\n indented.example\n\texample\nwww.fsi.io. \t\n\r\nlast";
        let (names, result) = names(text);
        assert_eq!(result, Ok(()));
        assert_eq!(
            names,
            [&b"\x03fsi\x02io\0"[..], b"\x03www\x03fsi\x02io\0", b"\x04last\0"].map(<[u8]>::to_vec)
        );
    }

    #[test]
    fn w_25_the_first_bad_line_ends_the_list_and_is_named() {
        let (found, result) = names(b"a\n# c\nb..c\nd\n");
        assert_eq!(found.len(), 1);
        assert_eq!(result, Err("parse error (at line 3)".to_owned()));
    }

    #[test]
    fn long_lines_are_refused_unless_they_are_comments() {
        let mut text = b"#".to_vec();
        text.extend([b'x'; 10_000]);
        text.extend(b"\na\n");
        text.extend([b'y'; 5000]);
        let (found, result) = names(&text);
        assert_eq!(found, [b"\x01a\0"]);
        assert_eq!(result, Err("name overflow (at line 3)".to_owned()));
    }

    #[test]
    fn unreadable_input_is_a_failure() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        let error = read_names(io::BufReader::new(Broken), |_| ()).unwrap_err();
        assert_eq!(error.code(), Error::Failure);
        assert_eq!(error.to_string(), "gone");
    }
}
