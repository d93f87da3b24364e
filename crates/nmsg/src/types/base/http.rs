//! `base:http`: requests that reached a sinkhole (`message-types` §3.4).

use crate::schema::FieldType::{Enum, Int16, Int32, Ip, MultilineString, String, Uint16};
use crate::schema::{EnumValue, Field, FieldFlags, MessageType, enum_values};
use crate::types::BASE;

/// What kind of server recorded the request.
pub const HTTP_TYPE: &[EnumValue] = enum_values!(c"unknown" = 0, c"sinkhole" = 1);

/// Declaration of the type.
pub const TYPE: MessageType = MessageType::new(BASE, (4, c"http"), FIELDS);

const FIELDS: &[Field] = &[
    Field::required(c"type", 1, Enum).named(HTTP_TYPE).flag(FieldFlags::REQUIRED),
    Field::optional(c"srcip", 2, Ip),
    Field::optional(c"srchost", 3, String),
    Field::optional(c"srcport", 4, Uint16),
    Field::optional(c"dstip", 5, Ip),
    Field::optional(c"dstport", 6, Uint16),
    Field::optional(c"request", 7, MultilineString),
    Field::optional(c"p0f_genre", 65, String),
    Field::optional(c"p0f_detail", 66, String),
    Field::optional(c"p0f_dist", 67, Int16),
    Field::optional(c"p0f_link", 68, String),
    Field::optional(c"p0f_tos", 69, String),
    Field::optional(c"p0f_fw", 70, Uint16),
    Field::optional(c"p0f_nat", 71, Uint16),
    Field::optional(c"p0f_real", 72, Uint16),
    Field::optional(c"p0f_score", 73, Int16),
    Field::optional(c"p0f_mflags", 74, Uint16),
    Field::optional(c"p0f_uptime", 75, Int32),
];
