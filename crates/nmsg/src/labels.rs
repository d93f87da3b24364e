use crate::Payload;

/// Labels that an output puts on every payload; 0 leaves the payload's own.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Labels {
    /// Source id, or 0.
    pub source: u32,
    /// Operator id, or 0.
    pub operator: u32,
    /// Group id, or 0.
    pub group: u32,
}

impl Labels {
    /// True when no label replaces anything.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.source | self.operator | self.group == 0
    }

    /// The payload with these labels; an explicit 0 of its own stays.
    #[must_use]
    #[inline]
    pub fn apply<'a>(&self, payload: &Payload<'a>) -> Payload<'a> {
        let pick = |label: u32, own| if label == 0 { own } else { Some(label) };
        Payload {
            source: pick(self.source, payload.source),
            operator: pick(self.operator, payload.operator),
            group: pick(self.group, payload.group),
            ..*payload
        }
    }

    /// The labels of `payload` once these are applied; 0 where it has none.
    #[must_use]
    #[inline]
    pub fn over(&self, payload: &Payload<'_>) -> Self {
        let pick = |label: u32, own: Option<u32>| match own {
            Some(own) if label == 0 => own,
            _ => label,
        };
        Self {
            source: pick(self.source, payload.source),
            operator: pick(self.operator, payload.operator),
            group: pick(self.group, payload.group),
        }
    }
}
