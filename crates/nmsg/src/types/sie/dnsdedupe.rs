//! `SIE:dnsdedupe`: an RRset and when it was seen (`message-types` §4.1).

use crate::schema::FieldType::{Bytes, Enum, Ip, Uint16, Uint32};
use crate::schema::{EnumValue, Field, Form, MessageType, enum_values};
use crate::types::SIE;

/// What the record says about the RRset; shared with `newdomain`.
pub const DEDUPE_TYPE: &[EnumValue] = enum_values!(
    c"INSERTION" = 0,
    c"EXPIRATION" = 1,
    c"CHAFF" = 2,
    c"AUTHORITATIVE" = 3,
    c"MERGED" = 4,
    c"MERGED_AUTHORITATIVE" = 5,
    c"MERGED_INSERTION" = 6
);

/// Declaration of the type.
pub const TYPE: MessageType = MessageType::new(SIE, (1, c"dnsdedupe"), FIELDS);

const FIELDS: &[Field] = &[
    Field::optional(c"type", 13, Enum).named(DEDUPE_TYPE),
    Field::optional(c"count", 10, Uint32),
    Field::optional(c"time_first", 11, Uint32).form(Form::Time),
    Field::optional(c"time_last", 12, Uint32).form(Form::Time),
    Field::optional(c"zone_time_first", 17, Uint32).form(Form::Time),
    Field::optional(c"zone_time_last", 18, Uint32).form(Form::Time),
    Field::optional(c"response_ip", 14, Ip),
    Field::optional(c"bailiwick", 16, Bytes).form(Form::Name),
    Field::optional(c"rrname", 1, Bytes).form(Form::Name),
    Field::optional(c"rrclass", 3, Uint16).form(Form::ClassSie),
    Field::optional(c"rrtype", 2, Uint16).form(Form::RrType),
    Field::optional(c"rrttl", 4, Uint32),
    Field::repeated(c"rdata", 5, Bytes).form(Form::Rdata),
    Field::optional(c"response", 15, Bytes).form(Form::DnsMessageSie),
];
