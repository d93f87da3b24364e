//! `SIE:reputation`: what is said about an address or a name (`message-types` §4.2).

use crate::schema::FieldType::{Enum, Ip, String, Uint32};
use crate::schema::{EnumValue, Field, MessageType, enum_values};
use crate::types::SIE;

/// What the statement is about.
pub const REPUTATION_TYPE: &[EnumValue] =
    enum_values!(c"ADDRESS" = 0, c"HOST" = 1, c"DOMAIN" = 2, c"NAMESERVER" = 3, c"URI" = 4);

/// Declaration of the type.
pub const TYPE: MessageType = MessageType::new(SIE, (2, c"reputation"), FIELDS);

const FIELDS: &[Field] = &[
    Field::required(c"type", 1, Enum).named(REPUTATION_TYPE),
    Field::required(c"tag", 2, String),
    Field::optional(c"value", 3, String),
    Field::optional(c"address", 4, Ip),
    Field::optional(c"netmask", 5, Ip),
    Field::optional(c"host", 6, String),
    Field::optional(c"domain", 7, String),
    Field::optional(c"nameserver", 8, String),
    Field::optional(c"uri", 9, String),
    Field::optional(c"port", 10, Uint32),
];
