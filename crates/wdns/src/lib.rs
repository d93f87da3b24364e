//! DNS names, record data and messages: wire, presentation form and JSON.

pub mod address;
pub mod codec;
pub mod fuzzing;
pub mod message;
pub mod name;
pub mod rdata;

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
pub use text_buffer::{Literal, TextBuffer, needs_json_escape};
