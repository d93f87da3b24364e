//! `base:email`: mail as spam traps and rejecting servers saw it (`message-types` §3.2).

use crate::schema::FieldType::{Enum, Ip, MultilineString, String};
use crate::schema::{EnumValue, Field, MessageType, enum_values};
use crate::types::BASE;

/// Why the mail was recorded.
pub const EMAIL_TYPE: &[EnumValue] = enum_values!(
    c"unknown" = 0,
    c"spamtrap" = 1,
    c"rej_network" = 2,
    c"rej_content" = 3,
    c"rej_user" = 4
);

/// Declaration of the type.
pub const TYPE: MessageType = MessageType::new(BASE, (2, c"email"), FIELDS);

const FIELDS: &[Field] = &[
    Field::optional(c"type", 8, Enum).named(EMAIL_TYPE),
    Field::optional(c"headers", 2, MultilineString),
    Field::optional(c"srcip", 3, Ip),
    Field::optional(c"srchost", 4, String),
    Field::optional(c"helo", 5, String),
    Field::optional(c"from", 6, String),
    Field::repeated(c"rcpt", 7, String),
    Field::repeated(c"bodyurl", 9, String),
    Field::optional(c"body", 10, MultilineString),
];
