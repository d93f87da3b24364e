//! DNS names, record data and messages: wire, presentation form and JSON.

mod text_buffer;

pub use text_buffer::{Literal, TextBuffer, needs_json_escape};
