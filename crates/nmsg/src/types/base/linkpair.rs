//! `base:linkpair`: a link from one page to another (`message-types` §3.3).

use crate::schema::FieldType::{Enum, MultilineString, String};
use crate::schema::{EnumValue, Field, FieldFlags, MessageType, enum_values};
use crate::types::BASE;

/// How the pages are linked.
pub const LINK_TYPE: &[EnumValue] = enum_values!(c"anchor" = 0, c"redirect" = 1);

/// Declaration of the type.
pub const TYPE: MessageType = MessageType::new(BASE, (3, c"linkpair"), FIELDS);

const FIELDS: &[Field] = &[
    Field::required(c"type", 1, Enum).named(LINK_TYPE).flag(FieldFlags::REQUIRED),
    Field::required(c"src", 2, String).flag(FieldFlags::REQUIRED),
    Field::required(c"dst", 3, String).flag(FieldFlags::REQUIRED),
    Field::optional(c"headers", 5, MultilineString),
];
