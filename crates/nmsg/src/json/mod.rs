//! Reading JSON records, one a line (`rendering-and-parsing` §9).

pub(crate) mod compact;
mod envelope;
mod error;
mod key;
mod parse;
mod record;
mod unescape;
mod value;

pub use error::{LineError, LineErrorKind};
pub(crate) use key::Key;
pub use record::JsonReader;
pub(crate) use unescape::unescape;
