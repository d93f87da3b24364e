//! Reading JSON records, one a line (`rendering-and-parsing` §9).

pub(crate) mod compact;
mod envelope;
mod error;
mod parse;
mod record;
mod unescape;
mod value;

pub use error::{LineError, LineErrorKind};
pub use record::JsonReader;
