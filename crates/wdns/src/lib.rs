//! DNS names, record data and messages: wire, presentation form and JSON.
//!
//! ```
//! use wdns::{Class, RrType, TextBuffer, rdata};
//!
//! let mut wire = Vec::new();
//! rdata::parse(b"10 mail.example.com.", RrType::MX, Class::IN, &mut wire)?;
//! assert_eq!(wire, b"\x00\x0a\x04mail\x07example\x03com\x00");
//!
//! let mut text = TextBuffer::new();
//! rdata::write::<false>(&mut text, &wire, RrType::MX, Class::IN);
//! assert_eq!(text.as_bytes(), b"10 mail.example.com.");
//! # Ok::<(), wdns::Error>(())
//! ```
//!
//! | for | see |
//! |---|---|
//! | names: text, compression, comparison | [`name`], [`NameBuf`] |
//! | record data of every type | [`rdata`], [`rdata::layout`] |
//! | types, classes, response codes, opcodes | [`RrType`], [`Class`], [`Rcode`], [`Opcode`] |
//! | messages, borrowed and read lazily | [`Message`], [`Section`], [`MessageScratch`] |
//! | records, RRsets and messages that own their octets | [`Rr`], [`RrSet`], [`OwnedMessage`] |
//! | base64, base32hex, hex, address text | [`codec`], [`address`] |
//! | the cursor that all text is appended to | [`TextBuffer`] |
//! | the search for octets in text | [`scan`] |
//!
//! All input is taken to be hostile: nothing here panics or loops, and time and memory stay within
//! what the size of the input allows. There are no files, no sockets and no clock.

pub mod address;
pub mod codec;
pub mod fuzzing;
pub mod message;
pub mod name;
pub mod rdata;
pub mod scan;

mod error;
mod mnemonic;
mod name_list;
mod rrset;
mod simd;
mod text_buffer;

pub use error::{Error, result_text};
pub use message::{Message, MessageScratch, ParseOptions, Section};
pub use mnemonic::{Class, Opcode, Rcode, RrType};
pub use name::NameBuf;
pub use name_list::{NameListError, read_names};
pub use rrset::{OwnedEdns, OwnedMessage, OwnedSection, Rr, RrSet};
pub use text_buffer::{Literal, Piece, TextBuffer, needs_json_escape};
