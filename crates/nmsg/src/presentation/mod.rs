//! Reading presentation form (`rendering-and-parsing` §8, `container-and-io` §2.9).
//!
//! A record is a header line, which may be missing, and a line `name: value` for each value, up to
//! a blank line. What is written reads back, except values that are not shown in full.

mod error;
mod header;
mod lines;
mod reader;
mod record;
mod value;

pub use error::{RecordError, RecordErrorKind};
pub use reader::PresentationReader;
