//! What a message type is: a table of fields, and everything generic that is derived from it once.
//!
//! | type | what it is |
//! |---|---|
//! | [`MessageType`] | the declaration: vendor, name, fields in declared order |
//! | [`Field`] | one row of that table |
//! | [`Schema`] | a declaration compiled for scanning and rendering |
//! | [`Registry`] | all schemas a program knows, by numbers and by names |
//!
//! Declarations of the built-in types are constants; types described at run time build the same
//! structures from owned parts and take the same path.

mod compiled;
mod encoding;
mod field;
mod message_type;
mod registry;

pub use compiled::Schema;
pub(crate) use compiled::UsualTag;
pub(crate) use encoding::EncodingStep;
pub use field::{EnumTable, EnumValue, Field, FieldFlags, FieldType, Form, Getter, Label, Storage};
pub(crate) use field::{enum_values, find_number};
pub use message_type::{Check, Derive, MessageType};
pub use registry::{Registry, Vendor};
