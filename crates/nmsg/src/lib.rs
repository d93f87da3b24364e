//! The NMSG container format, its message types, presentation and JSON both ways.
//!
//! Knows nothing of sockets, threads, clocks or command lines: it takes octets and time as
//! arguments. From the outside in:
//!
//! | type | what it is |
//! |---|---|
//! | [`Payload`] | one record: ids, time, labels and the encoded message |
//! | [`Registry`] | the message types a program knows; [`schema`] tells what a type is |
//! | [`Message`] | the fields of one payload: stored and computed values by name or position |
//! | [`JsonWriter`], [`PresentationWriter`] | payloads as text |
//! | [`filter`] | which payloads go on: chains, sampling, conditions |
//! | [`datagram`] | what lies between a stored packet and its UDP payload |
//! | [`Limits`] | what a reader spends on input it has no reason to trust |
//! | [`container`] | containers: reading, writing, fragments, compression, sequence |
//! | [`Error`] | what can go wrong with them, and where |
//! | [`wire`] | protocol-buffer primitives |

mod alias;
mod builder;
pub mod container;
pub mod crc;
pub mod datagram;
mod encode;
mod error;
pub mod filter;
pub mod fuzzing;
mod ids;
mod index;
mod json;
mod labels;
mod limits;
mod message;
mod notices;
mod payload;
mod presentation;
mod record;
mod render;
pub mod schema;
pub mod text;
pub mod types;
mod view;
pub mod wire;

pub use alias::{AliasTable, Aliases, BadAliasLine, parse_number};
pub use builder::{MessageBuilder, SetError};
pub use error::{Error, ErrorKind, InflateFault};
pub use ids::{MsgType, VendorId};
pub use index::FieldIndex;
pub use json::{JsonReader, LineError, LineErrorKind};
pub use labels::Labels;
pub use limits::Limits;
pub use message::{ChangeError, OwnedMessage};
pub use notices::{LabelKey, Notices};
pub use payload::{Payload, Timestamp};
pub use presentation::{PresentationReader, RecordError, RecordErrorKind};
pub use record::RecordHeader;
pub use render::{JsonWriter, KeyWriter, PresentationWriter, Unrenderable};
pub use schema::Registry;
pub use view::{Derived, Message, Value, View};
