use std::borrow::Cow;
use std::ffi::CStr;

use crate::schema::Field;
use crate::view::{Derived, View};
use crate::{MsgType, VendorId, wire};

/// Computes, once per message, what several computed fields share.
pub type Derive = for<'a> fn(View<'a>) -> Derived<'a>;

/// Looks deeper into a body than the field table does.
pub type Check = fn(body: &[u8]) -> Result<(), wire::Error>;

/// Declaration of a message type: who owns it, what it is called, and its fields in the order in
/// which they are shown.
#[derive(Clone, Debug)]
pub struct MessageType {
    /// Vendor id.
    pub vendor: VendorId,
    /// Vendor name as displayed.
    pub vendor_name: Cow<'static, CStr>,
    /// Type id within the vendor.
    pub id: MsgType,
    /// Type name as displayed.
    pub name: Cow<'static, CStr>,
    /// Fields in declared order.
    pub fields: Cow<'static, [Field]>,
    /// Shared part of the computed fields.
    pub derive: Option<Derive>,
    /// What makes a body undecodable beyond the field table, such as a damaged embedded message.
    pub check: Option<Check>,
}

impl MessageType {
    /// Declares a built-in type.
    #[must_use]
    pub const fn new(
        (vendor, vendor_name): (u32, &'static CStr),
        (id, name): (u32, &'static CStr),
        fields: &'static [Field],
    ) -> Self {
        Self {
            vendor: VendorId(vendor),
            vendor_name: Cow::Borrowed(vendor_name),
            id: MsgType(id),
            name: Cow::Borrowed(name),
            fields: Cow::Borrowed(fields),
            derive: None,
            check: None,
        }
    }

    /// Sets what the computed fields share.
    #[must_use]
    pub const fn derive(mut self, derive: Derive) -> Self {
        self.derive = Some(derive);
        self
    }

    /// Sets what else makes a body undecodable.
    #[must_use]
    pub const fn check(mut self, check: Check) -> Self {
        self.check = Some(check);
        self
    }
}
