//! `base:xml`: an XML document (`message-types` §3.10).

use crate::schema::FieldType::{Bytes, String};
use crate::schema::{Field, FieldFlags, MessageType};
use crate::types::BASE;

/// Declaration of the type.
pub const TYPE: MessageType = MessageType::new(BASE, (10, c"xml"), FIELDS);

const FIELDS: &[Field] = &[
    Field::required(c"xmltype", 1, String).flag(FieldFlags::REQUIRED),
    Field::required(c"xmlpayload", 2, Bytes).flag(FieldFlags::REQUIRED),
];
