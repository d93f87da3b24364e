//! The result codes of the library (`wdns` §1.1).

use std::fmt;

/// Why a name, a piece of record data or a message was refused.
///
/// The numbers are part of the text that is shown for damaged record data
/// (` ### PARSE ERROR #3 ###`) and of exception texts, so they never change. Zero means success
/// there and has no value here.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum Error {
    /// Anything that has no code of its own, such as record data without a text form.
    Failure = 1,
    /// A compression pointer that does not point backwards.
    InvalidCompressionPointer = 2,
    /// A label length of 64 to 191, or a label that does not end inside its name.
    InvalidLengthOctet = 3,
    /// Reserved; never raised.
    InvalidOpcode = 4,
    /// Reserved; never raised.
    InvalidRcode = 5,
    /// A message shorter than its header of 12 octets.
    Length = 6,
    /// Memory could not be had.
    OutOfMemory = 7,
    /// A name whose length or label lengths are beyond the limits (255 and 63 octets).
    NameLength = 8,
    /// A name that outgrows 255 octets while it is put together.
    NameOverflow = 9,
    /// Something ends behind the octets it has to lie in, or octets are left over.
    OutOfBounds = 10,
    /// A length that reaches past the end of the octets given.
    Overflow = 11,
    /// Text or octets that do not follow the grammar.
    Parse = 12,
    /// Reserved; never raised.
    QuestionCount = 13,
    /// Reserved; never raised.
    UnknownOpcode = 14,
    /// Reserved; never raised.
    UnknownRcode = 15,
}

/// Texts by code, starting with that of success.
const TEXTS: [&str; 16] = [
    "success",
    "failure",
    "invalid compression pointer",
    "invalid length octet",
    "invalid opcode",
    "invalid rcode",
    "len",
    "malloc",
    "name len",
    "name overflow",
    "out of bounds",
    "overflow",
    "parse error",
    "qdcount",
    "unknown opcode",
    "unknown rcode",
];

impl Error {
    /// Returns the number of the result code, 1 to 15.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Returns the text of the result code, such as `name overflow`.
    #[must_use]
    pub const fn text(self) -> &'static str {
        TEXTS[self as usize]
    }
}

/// Returns the text of a result code; 0 is `success`, codes above 15 have none.
#[must_use]
pub fn result_text(code: u32) -> Option<&'static str> {
    TEXTS.get(usize::try_from(code).ok()?).copied()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_texts_follow_the_table() {
        for (error, code, text) in [
            (Error::Failure, 1, "failure"),
            (Error::InvalidCompressionPointer, 2, "invalid compression pointer"),
            (Error::InvalidLengthOctet, 3, "invalid length octet"),
            (Error::InvalidOpcode, 4, "invalid opcode"),
            (Error::InvalidRcode, 5, "invalid rcode"),
            (Error::Length, 6, "len"),
            (Error::OutOfMemory, 7, "malloc"),
            (Error::NameLength, 8, "name len"),
            (Error::NameOverflow, 9, "name overflow"),
            (Error::OutOfBounds, 10, "out of bounds"),
            (Error::Overflow, 11, "overflow"),
            (Error::Parse, 12, "parse error"),
            (Error::QuestionCount, 13, "qdcount"),
            (Error::UnknownOpcode, 14, "unknown opcode"),
            (Error::UnknownRcode, 15, "unknown rcode"),
        ] {
            assert_eq!(error.code(), code, "{text}");
            assert_eq!(error.to_string(), text);
            assert_eq!(result_text(code.into()), Some(text));
        }
        assert_eq!(result_text(0), Some("success"));
        assert_eq!(result_text(16), None);
    }
}
