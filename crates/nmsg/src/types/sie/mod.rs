//! Vendor 2, `SIE` (`message-types` §4).

pub mod delay;
pub mod dnsdedupe;
pub mod dnsnx;
pub mod newdomain;
pub mod qr;
pub mod reputation;

use crate::schema::MessageType;

/// Declarations in the order of their ids.
pub(super) static TYPES: &[MessageType] =
    &[dnsdedupe::TYPE, reputation::TYPE, qr::TYPE, delay::TYPE, newdomain::TYPE, dnsnx::TYPE];
