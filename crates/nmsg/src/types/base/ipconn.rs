//! `base:ipconn`: a connection between two addresses (`message-types` §3.5).

use crate::schema::FieldType::{Ip, Uint16};
use crate::schema::{Field, MessageType};
use crate::types::BASE;

/// Declaration of the type.
pub const TYPE: MessageType = MessageType::new(BASE, (5, c"ipconn"), FIELDS);

const FIELDS: &[Field] = &[
    Field::optional(c"proto", 1, Uint16),
    Field::optional(c"srcip", 2, Ip),
    Field::optional(c"srcport", 3, Uint16),
    Field::optional(c"dstip", 4, Ip),
    Field::optional(c"dstport", 5, Uint16),
];
