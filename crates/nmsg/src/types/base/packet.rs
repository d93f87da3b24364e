//! `base:packet`: an IP packet (`message-types` §3.12).

use crate::schema::FieldType::{Bytes, Enum};
use crate::schema::{EnumValue, Field, MessageType, enum_values};
use crate::types::BASE;

/// What the payload is.
pub const PACKET_TYPE: &[EnumValue] = enum_values!(c"IP" = 1);

/// Declaration of the type.
pub const TYPE: MessageType = MessageType::new(BASE, (12, c"packet"), FIELDS);

const FIELDS: &[Field] = &[
    Field::required(c"payload_type", 1, Enum).named(PACKET_TYPE).required_default(1),
    Field::required(c"payload", 2, Bytes),
];
