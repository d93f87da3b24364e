//! `SIE:newdomain`: a name seen for the first time (`message-types` §4.5).

use crate::schema::FieldType::{Bool, Bytes, Enum, Ip, String, Uint16, Uint32};
use crate::schema::{Field, Form, MessageType};
use crate::types::SIE;
use crate::types::sie::dnsdedupe::DEDUPE_TYPE;

/// Declaration of the type.
pub const TYPE: MessageType = MessageType::new(SIE, (5, c"newdomain"), FIELDS);

const FIELDS: &[Field] = &[
    Field::optional(c"domain", 1, Bytes).form(Form::Name),
    Field::optional(c"time_seen", 2, Uint32).form(Form::Time),
    Field::optional(c"type", 13, Enum).named(DEDUPE_TYPE),
    Field::optional(c"count", 10, Uint32),
    Field::optional(c"time_first", 11, Uint32).form(Form::Time),
    Field::optional(c"time_last", 12, Uint32).form(Form::Time),
    Field::optional(c"zone_time_first", 17, Uint32).form(Form::Time),
    Field::optional(c"zone_time_last", 18, Uint32).form(Form::Time),
    Field::optional(c"response_ip", 14, Ip),
    Field::optional(c"bailiwick", 16, Bytes).form(Form::Name),
    Field::optional(c"rrname", 3, Bytes).form(Form::Name),
    Field::optional(c"rrclass", 5, Uint16).form(Form::ClassSie),
    Field::optional(c"rrtype", 4, Uint16).form(Form::RrType),
    Field::optional(c"rrttl", 6, Uint32),
    Field::repeated(c"rdata", 7, Bytes).form(Form::Rdata),
    Field::optional(c"response", 15, Bytes).form(Form::DnsMessageSie),
    Field::repeated(c"keys", 9, String),
    Field::optional(c"new_domain", 19, Bool),
    Field::optional(c"new_rrname", 20, Bool),
    Field::optional(c"new_rrtype", 21, Bool),
    Field::repeated(c"new_rr", 22, Bool),
    Field::optional(c"new_rrset", 23, Bool),
];
