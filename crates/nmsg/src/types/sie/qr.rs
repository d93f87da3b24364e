//! `SIE:qr`: a query to a database and its answers (`message-types` §4.3).

use crate::schema::FieldType::{Enum, String, Uint32};
use crate::schema::{EnumValue, Field, MessageType, enum_values};
use crate::types::SIE;

/// Which part of the exchange it is.
pub const QR_TYPE: &[EnumValue] =
    enum_values!(c"QUERY" = 0, c"RESPONSE" = 1, c"RESPONSE_END" = 2, c"ERROR" = 3);

/// Declaration of the type.
pub const TYPE: MessageType = MessageType::new(SIE, (3, c"qr"), FIELDS);

const FIELDS: &[Field] = &[
    Field::required(c"type", 1, Enum).named(QR_TYPE),
    Field::optional(c"text", 2, String),
    Field::optional(c"num_response", 3, Uint32),
    Field::optional(c"more_available", 4, Uint32),
];
