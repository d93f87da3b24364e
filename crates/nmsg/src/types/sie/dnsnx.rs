//! `SIE:dnsnx`: a name that does not exist (`message-types` §4.6).

use crate::schema::FieldType::{Bytes, Int32, Int64, Ip, Uint16};
use crate::schema::{Field, FieldFlags, Form, MessageType, Storage};
use crate::types::SIE;

/// Declaration of the type.
pub const TYPE: MessageType = MessageType::new(SIE, (6, c"dnsnx"), FIELDS);

const FIELDS: &[Field] = &[
    Field::required(c"qname", 1, Bytes).form(Form::Name),
    Field::required(c"qclass", 3, Uint16).form(Form::ClassSie),
    Field::required(c"qtype", 2, Uint16).form(Form::RrType),
    Field::required(c"response_ip", 4, Ip),
    Field::optional(c"soa_rrname", 5, Bytes).form(Form::Name),
    Field::optional(c"response_time_sec", 6, Int64).flag(FieldFlags::NO_PRINT),
    Field::optional(c"response_time_nsec", 7, Int32)
        .stored_as(Storage::Sfixed32)
        .flag(FieldFlags::NO_PRINT),
];
