//! `base:logline`: a line of a log (`message-types` §3.6).

use crate::schema::FieldType::String;
use crate::schema::{Field, MessageType};
use crate::types::BASE;

/// Declaration of the type.
pub const TYPE: MessageType = MessageType::new(BASE, (6, c"logline"), FIELDS);

const FIELDS: &[Field] =
    &[Field::optional(c"category", 1, String), Field::optional(c"message", 2, String)];
