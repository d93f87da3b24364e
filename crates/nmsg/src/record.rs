use crate::{MsgType, Payload, Timestamp, VendorId};

/// What a text record says about its payload; the encoded message stands beside it, in a buffer of
/// the caller's.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RecordHeader {
    /// Vendor id.
    pub vendor: VendorId,
    /// Message type within the vendor.
    pub msgtype: MsgType,
    /// When the record was made; the time given to the reader when the record has none.
    pub time: Timestamp,
    /// Source id; `None` when absent or 0.
    pub source: Option<u32>,
    /// Operator id; `None` when absent or 0.
    pub operator: Option<u32>,
    /// Group id; `None` when absent or 0.
    pub group: Option<u32>,
    /// Whether the payload has a body; only fallback records of absent bodies say no.
    pub has_body: bool,
}

impl RecordHeader {
    /// The payload with this header and body.
    #[must_use]
    #[inline]
    pub fn payload<'a>(&self, body: &'a [u8]) -> Payload<'a> {
        Payload {
            vendor: self.vendor,
            msgtype: self.msgtype,
            time: self.time,
            source: self.source,
            operator: self.operator,
            group: self.group,
            body: self.has_body.then_some(body),
        }
    }
}

/// A label number; 0 is no label.
#[inline]
pub(crate) fn label(number: u32) -> Option<u32> {
    if number == 0 { None } else { Some(number) }
}
