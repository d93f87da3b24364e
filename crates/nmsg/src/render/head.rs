use std::sync::Arc;

use wdns::TextBuffer;

use crate::schema::{Registry, Schema};
use crate::{Labels, MsgType, Payload, VendorId};

/// The longest text that is kept: names of vendor and type, and a source id.
const KEPT: usize = 96;

/// What stands in a record between its time and its fields, kept from the record before: type and
/// labels of a stream hardly change.
#[derive(Debug)]
pub(super) struct Head<'r> {
    registry: &'r Registry,
    known: Option<Known<'r>>,
}

#[derive(Debug)]
struct Known<'r> {
    vendor: VendorId,
    msgtype: MsgType,
    schema: &'r Arc<Schema>,
    labels: Labels,
    text: [u8; KEPT],
    /// 0 when the text is not known.
    len: u8,
}

impl<'r> Head<'r> {
    pub(super) fn new(registry: &'r Registry) -> Self {
        Self { registry, known: None }
    }

    pub(super) fn registry(&self) -> &'r Registry {
        self.registry
    }

    /// The type of a payload; `None` when it is not registered.
    #[inline(always)]
    pub(super) fn schema(&mut self, payload: &Payload<'_>) -> Option<&'r Arc<Schema>> {
        match &self.known {
            Some(known) if (known.vendor, known.msgtype) == (payload.vendor, payload.msgtype) => {
                Some(known.schema)
            }
            _ => self.other_schema(payload),
        }
    }

    #[inline(never)]
    fn other_schema(&mut self, payload: &Payload<'_>) -> Option<&'r Arc<Schema>> {
        let Payload { vendor, msgtype, .. } = *payload;
        let schema = self.registry.get(vendor, msgtype)?;
        let labels = Labels::default();
        self.known = Some(Known { vendor, msgtype, schema, labels, text: [0; KEPT], len: 0 });
        Some(schema)
    }

    /// Appends the text for the type that was asked for last, with these labels. `write` makes it
    /// anew where it is not known.
    #[inline(always)]
    pub(super) fn write(
        &mut self,
        out: &mut TextBuffer,
        labels: Labels,
        write: impl FnOnce(&mut TextBuffer),
    ) {
        if let Some(known) = &self.known
            && known.labels == labels
            && known.len > 0
        {
            return out.fill(|window| {
                *window = known.text;
                known.len
            });
        }
        let start = out.len();
        write(out);
        self.keep(out, start, labels);
    }

    #[inline(never)]
    fn keep(&mut self, out: &mut TextBuffer, start: usize, labels: Labels) {
        let Some(known) = &mut self.known else { return };
        let text = out.tail_mut(out.len() - start);
        known.len = 0;
        if let Some(kept) = known.text.get_mut(..text.len()) {
            kept.copy_from_slice(text);
            (known.labels, known.len) = (labels, text.len() as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Aliases, JsonWriter, Labels, MsgType, Payload, Registry, Timestamp, VendorId};
    use wdns::TextBuffer;

    /// Records of two types, with labels and without, in an order in which hardly any is like the
    /// one before.
    #[test]
    fn what_is_kept_is_never_shown_for_another_record() {
        let (registry, aliases) = (Registry::builtin(), Aliases::default());
        let mut writer = JsonWriter::new(&registry, &aliases, Labels::default());
        for number in 0..500_u32 {
            let random = number.wrapping_mul(2_654_435_761) >> 8;
            let label = |bit: u32| (random >> bit & 1 == 1).then_some(random >> bit & 3);
            let (vendor, msgtype) = [(2, 1), (1, 9), (2, 5), (7, 7)][random as usize / 64 % 4];
            let payload = Payload {
                vendor: VendorId(vendor),
                msgtype: MsgType(msgtype),
                time: Timestamp { sec: i64::from(random % 3), nsec: random },
                source: label(0),
                operator: label(1),
                group: label(2),
                body: Some(&[]),
            };
            let (mut kept, mut fresh) = (TextBuffer::new(), TextBuffer::new());
            let got = writer.write(&mut kept, &payload);
            let mut once = JsonWriter::new(&registry, &aliases, Labels::default());
            assert_eq!(got, once.write(&mut fresh, &payload));
            assert_eq!(kept.to_string_lossy(), fresh.to_string_lossy(), "{payload:?}");
        }
    }
}
