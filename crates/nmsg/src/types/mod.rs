//! The built-in message types, one file each.

pub mod base;
pub mod sie;

use std::ffi::CStr;

use crate::schema::MessageType;

/// Number and name of the `base` vendor.
pub(crate) const BASE: (u32, &CStr) = (1, c"base");
/// Number and name of the `SIE` vendor.
pub(crate) const SIE: (u32, &CStr) = (2, c"SIE");

/// Declarations of all built-in types.
pub(crate) fn builtin() -> impl Iterator<Item = &'static MessageType> {
    base::TYPES.iter().chain(sie::TYPES)
}
