//! Record data of a message: all of it is of one type.

use wdns::{Class, Piece, RrType, TextBuffer};

use crate::view::View;

/// How the record data of a message becomes text.
#[derive(Clone, Copy, Debug)]
pub(super) enum RdataKind {
    /// Addresses, where they have their four octets.
    A,
    /// Addresses, where they have their sixteen octets.
    Aaaa,
    /// That of any other type and class.
    Other(RrType, Class),
    /// The message does not say both.
    Unknown,
}

impl RdataKind {
    #[inline(always)]
    pub(super) fn of(view: View<'_>) -> Self {
        match view.rr_kind() {
            Some((RrType::A, Class::IN)) => Self::A,
            Some((RrType::AAAA, Class::IN)) => Self::Aaaa,
            Some((rrtype, class)) => Self::Other(rrtype, class),
            None => Self::Unknown,
        }
    }

    /// Puts one value; `JSON` as the inside of a JSON string.
    #[inline(always)]
    pub(super) fn put<const JSON: bool>(self, piece: &mut Piece<'_>, octets: &[u8]) {
        match (self, octets) {
            (Self::A, &[a, b, c, d]) => piece.ipv4([a, b, c, d]),
            (Self::Aaaa, _) if let Ok(address) = octets.try_into() => piece.ipv6(address),
            _ => piece.outside(|out| self.write::<JSON>(out, octets)),
        }
    }

    /// Appends one value.
    fn write<const JSON: bool>(self, out: &mut TextBuffer, octets: &[u8]) {
        match self {
            Self::A => wdns::rdata::write::<JSON>(out, octets, RrType::A, Class::IN),
            Self::Aaaa => wdns::rdata::write::<JSON>(out, octets, RrType::AAAA, Class::IN),
            Self::Other(rrtype, class) => wdns::rdata::write::<JSON>(out, octets, rrtype, class),
            Self::Unknown => wdns::rdata::write_generic::<JSON>(out, octets),
        }
    }
}
