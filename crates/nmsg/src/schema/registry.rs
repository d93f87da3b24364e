use std::sync::Arc;

use crate::schema::{MessageType, Schema};
use crate::{MsgType, VendorId, types};

/// Former name of the `base` vendor, accepted wherever a vendor name is looked up.
const BASE_FORMER_NAME: &[u8] = b"ISC";

/// A vendor and the types registered for it.
#[derive(Clone, Debug)]
pub struct Vendor {
    id: VendorId,
    name: Vec<u8>,
    types: Vec<Option<Arc<Schema>>>,
}

impl Vendor {
    /// Vendor id.
    #[must_use]
    pub fn id(&self) -> VendorId {
        self.id
    }

    /// Name as displayed.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The registered types by ascending id.
    pub fn schemas(&self) -> impl Iterator<Item = &Arc<Schema>> {
        self.types.iter().flatten()
    }

    /// Highest registered type id; 0 when there is none.
    #[must_use]
    pub fn max_msgtype(&self) -> u32 {
        self.types.iter().rposition(Option::is_some).unwrap_or(0) as u32
    }
}

/// All message types a program knows. Filled at start, then only read, so workers share it
/// without locks.
///
/// ```
/// let registry = nmsg::Registry::builtin();
/// let schema = registry.find(b"isc", b"DNSQR").expect("a built-in type");
/// assert_eq!(schema.message_type().name.to_bytes(), b"dnsqr");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Registry {
    vendors: Vec<Option<Vendor>>,
}

/// Ids from plugins beyond this are refused, so that a table stays a table.
const MAX_ID: u32 = 65_535;

impl Registry {
    /// A registry without any type.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The 14 `base` and 6 `SIE` types (`message-types` §1.2).
    #[must_use]
    pub fn builtin() -> Self {
        let mut registry = Self::new();
        for declaration in types::builtin() {
            registry.register(declaration.clone());
        }
        registry
    }

    /// Adds a type and returns its compiled form; a type registered before under the same numbers
    /// is replaced. `None` when an id is 0 or beyond 65,535.
    pub fn register(&mut self, declaration: MessageType) -> Option<Arc<Schema>> {
        let (vendor, msgtype) = (declaration.vendor, declaration.id);
        if [vendor.0, msgtype.0].iter().any(|id| !(1..=MAX_ID).contains(id)) {
            return None;
        }
        let at = vendor.0 as usize;
        if self.vendors.len() <= at {
            self.vendors.resize(at + 1, None);
        }
        let entry = self.vendors[at].get_or_insert_with(|| Vendor {
            id: vendor,
            name: declaration.vendor_name.to_bytes().to_vec(),
            types: Vec::new(),
        });
        let schema = Arc::new(Schema::new(declaration));
        let at = msgtype.0 as usize;
        if entry.types.len() <= at {
            entry.types.resize(at + 1, None);
        }
        entry.types[at] = Some(Arc::clone(&schema));
        Some(schema)
    }

    /// The type with these numbers.
    #[must_use]
    #[inline]
    pub fn get(&self, vendor: VendorId, msgtype: MsgType) -> Option<&Arc<Schema>> {
        self.vendor(vendor)?.types.get(msgtype.0 as usize)?.as_ref()
    }

    /// The vendor with this number.
    #[must_use]
    #[inline]
    pub fn vendor(&self, vendor: VendorId) -> Option<&Vendor> {
        self.vendors.get(vendor.0 as usize)?.as_ref()
    }

    /// The vendor with this name, whatever the letter case; `ISC` means `base`.
    #[must_use]
    pub fn find_vendor(&self, name: &[u8]) -> Option<&Vendor> {
        let name = if name.eq_ignore_ascii_case(BASE_FORMER_NAME) { b"base" } else { name };
        self.vendors().find(|vendor| vendor.name.eq_ignore_ascii_case(name))
    }

    /// The type with these names, whatever the letter case.
    #[must_use]
    pub fn find(&self, vendor: &[u8], name: &[u8]) -> Option<&Arc<Schema>> {
        self.find_vendor(vendor)?
            .schemas()
            .find(|schema| schema.message_type().name.to_bytes().eq_ignore_ascii_case(name))
    }

    /// All vendors by ascending id.
    pub fn vendors(&self) -> impl Iterator<Item = &Vendor> {
        self.vendors.iter().flatten()
    }

    /// Highest registered vendor id; 0 when there is none.
    #[must_use]
    pub fn max_vendor(&self) -> u32 {
        self.vendors.iter().rposition(Option::is_some).unwrap_or(0) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_letter_case() {
        let registry = Registry::builtin();
        for (vendor, name, want) in [
            (&b"base"[..], &b"ipconn"[..], Some((1, 5))),
            (b"ISC", b"IPConn", Some((1, 5))),
            (b"isc", b"dnsqr", Some((1, 9))),
            (b"sie", b"DnsDedupe", Some((2, 1))),
            (b"SIE", b"ipconn", None),
            (b"GTISC", b"ipconn", None),
        ] {
            let got = registry.find(vendor, name).map(|schema| {
                let declaration = schema.message_type();
                (declaration.vendor.0, declaration.id.0)
            });
            assert_eq!(got, want);
        }
        assert_eq!(registry.max_vendor(), 2);
        let max = |vendor| registry.vendor(VendorId(vendor)).unwrap().max_msgtype();
        assert_eq!((max(1), max(2)), (14, 6));
    }

    #[test]
    fn a_later_registration_replaces_an_earlier_one_and_id_0_is_refused() {
        let mut registry = Registry::new();
        for (ids, accepted) in [((7, 3), true), ((7, 3), true), ((0, 3), false), ((7, 0), false)] {
            let declaration = MessageType::new((ids.0, c"seven"), (ids.1, c"three"), &[]);
            assert_eq!(registry.register(declaration).is_some(), accepted, "{ids:?}");
        }
        assert_eq!(registry.vendors().count(), 1);
        assert_eq!(registry.vendor(VendorId(7)).unwrap().schemas().count(), 1);
        assert!(registry.get(VendorId(7), MsgType(4)).is_none());
        assert!(registry.get(VendorId(u32::MAX), MsgType(4)).is_none());
    }
}
