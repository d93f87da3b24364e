//! Messages as text: presentation form and JSON records.

mod head;
mod json;
mod json_value;
mod key;
mod plan;
mod presentation;
mod presentation_value;
mod rdata;

pub use json::JsonWriter;
pub use key::KeyWriter;
pub(crate) use plan::{Plan, Raw, Step};
pub use presentation::PresentationWriter;
pub(crate) use presentation::write_fields;
pub(crate) use presentation_value::{Line, Separator, address};

use crate::wire;

/// Why a payload has no fields to show.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unrenderable {
    /// Its vendor or type is not registered.
    UnknownType,
    /// It carries no payload member.
    Absent,
    /// Its body does not decode.
    Undecodable(wire::Error),
}

impl std::fmt::Display for Unrenderable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownType => f.write_str("unknown message type"),
            Self::Absent => f.write_str("the payload is absent"),
            Self::Undecodable(error) => write!(f, "the payload does not decode: {error}"),
        }
    }
}
