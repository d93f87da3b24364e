use crate::{MsgType, VendorId};

/// A point in time as payloads carry it: seconds since the Unix epoch (negative before it) and
/// nanoseconds, which are not range-checked (`container-and-io` §1.3).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp {
    /// Seconds since 1970-01-01 00:00:00 UTC.
    pub sec: i64,
    /// Nanoseconds; values of 10⁹ and more are carried through as they are.
    pub nsec: u32,
}

/// One record: who defined it, when it was made, how it is labelled, and the encoded message.
///
/// The body borrows from the container buffer; it is not looked at unless something needs a field.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Payload<'a> {
    /// Vendor id.
    pub vendor: VendorId,
    /// Message type within the vendor.
    pub msgtype: MsgType,
    /// When the record was made.
    pub time: Timestamp,
    /// Source id; a stored 0 is kept when copying but counts as absent everywhere else.
    pub source: Option<u32>,
    /// Operator id; 0 as for `source`.
    pub operator: Option<u32>,
    /// Group id; 0 as for `source`.
    pub group: Option<u32>,
    /// The encoded message; `None` when the record carries no payload member at all.
    pub body: Option<&'a [u8]>,
}
