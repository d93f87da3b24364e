//! `base:pkt`: an Ethernet frame (`message-types` §3.8).

use crate::schema::FieldType::{Bytes, Uint32};
use crate::schema::{Field, MessageType};
use crate::types::BASE;

/// Declaration of the type.
pub const TYPE: MessageType = MessageType::new(BASE, (8, c"pkt"), FIELDS);

const FIELDS: &[Field] =
    &[Field::optional(c"len_frame", 2, Uint32), Field::required(c"payload", 1, Bytes)];
