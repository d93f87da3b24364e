use super::moment;
use super::sets::Ranges;
use crate::Payload;

/// A part of the payload header that expressions name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum HeaderName {
    Time,
    Source,
    Operator,
    Group,
    Vendor,
    Type,
    Len,
}

impl HeaderName {
    const ALL: [(&'static str, Self); 7] = [
        ("time", Self::Time),
        ("source", Self::Source),
        ("operator", Self::Operator),
        ("group", Self::Group),
        ("vendor", Self::Vendor),
        ("type", Self::Type),
        ("len", Self::Len),
    ];

    pub(super) fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|&(_, header)| header)
    }

    pub(super) fn names() -> impl Iterator<Item = &'static [u8]> {
        Self::ALL.iter().map(|(name, _)| name.as_bytes())
    }

    /// What a value is called in an error.
    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Time => "a time",
            Self::Source | Self::Len => "a number",
            Self::Operator => "an operator",
            Self::Group => "a group",
            Self::Vendor => "a vendor",
            Self::Type => "a message type",
        }
    }

    /// The value in a payload; labels of 0 count as absent.
    #[inline]
    fn value(self, payload: &Payload<'_>) -> Option<i128> {
        let label = |label: Option<u32>| label.filter(|&label| label != 0).map(i128::from);
        match self {
            Self::Time => Some(moment::key(payload.time)),
            Self::Source => label(payload.source),
            Self::Operator => label(payload.operator),
            Self::Group => label(payload.group),
            Self::Vendor => Some(payload.vendor.0.into()),
            Self::Type => Some(payload.msgtype.0.into()),
            Self::Len => payload.body.map(|body| body.len() as i128),
        }
    }
}

/// Vendor, if it matters, and message type.
pub(super) type TypeIds = (Option<u32>, u32);

/// A question about the header.
#[derive(Clone, Debug)]
pub(super) struct HeaderTest {
    pub(super) name: HeaderName,
    pub(super) check: HeaderCheck,
    pub(super) negated: bool,
}

#[derive(Clone, Debug)]
pub(super) enum HeaderCheck {
    Exists,
    Number(Ranges<i128>),
    Types(Box<[TypeIds]>),
}

impl HeaderTest {
    #[inline]
    pub(super) fn holds(&self, payload: &Payload<'_>) -> bool {
        let Some(value) = self.name.value(payload) else { return false };
        let found = match &self.check {
            HeaderCheck::Exists => true,
            HeaderCheck::Number(ranges) => ranges.contains(value),
            HeaderCheck::Types(types) => types.iter().any(|&(vendor, msgtype)| {
                msgtype == payload.msgtype.0
                    && vendor.is_none_or(|vendor| vendor == payload.vendor.0)
            }),
        };
        found != self.negated
    }
}
