//! Reading JSON records, one a line (`rendering-and-parsing` §9).

pub(crate) mod compact;
mod envelope;
mod error;
mod notices;
mod parse;
mod record;
mod unescape;
mod value;

pub use error::{LineError, LineErrorKind};
pub use notices::{JsonNotices, LabelKey};
pub use record::JsonReader;
