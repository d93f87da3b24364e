//! `SIE:delay`: how long a server took to answer (`message-types` §4.4).

use crate::schema::FieldType::{Double, Int64, Ip};
use crate::schema::{Field, MessageType};
use crate::types::SIE;

/// Declaration of the type.
pub const TYPE: MessageType = MessageType::new(SIE, (4, c"delay"), FIELDS);

const FIELDS: &[Field] = &[
    Field::required(c"query_ip", 1, Ip),
    Field::required(c"response_ip", 2, Ip),
    Field::required(c"delay", 3, Double),
    Field::required(c"response_time_sec", 4, Int64),
];
