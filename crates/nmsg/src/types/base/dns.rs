//! `base:dns`: an RRset (`message-types` §3.7).

use crate::schema::FieldType::{Bytes, Uint16, Uint32};
use crate::schema::{Field, Form, MessageType};
use crate::types::BASE;

/// Declaration of the type.
pub const TYPE: MessageType = MessageType::new(BASE, (7, c"dns"), FIELDS);

const FIELDS: &[Field] = &[
    Field::optional(c"qname", 7, Bytes).form(Form::Name),
    Field::optional(c"qclass", 9, Uint16).form(Form::Class),
    Field::optional(c"qtype", 8, Uint16).form(Form::RrType),
    Field::optional(c"section", 6, Uint16),
    Field::optional(c"rrname", 1, Bytes).form(Form::Name),
    Field::optional(c"rrclass", 3, Uint16).form(Form::Class),
    Field::optional(c"rrtype", 2, Uint16).form(Form::RrType),
    Field::optional(c"rrttl", 4, Uint32),
    Field::repeated(c"rdata", 5, Bytes).form(Form::Rdata),
];
