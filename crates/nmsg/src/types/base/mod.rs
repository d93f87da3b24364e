//! Vendor 1, `base` (`message-types` §3).

pub mod dns;
pub mod dnsobs;
pub mod dnsqr;
pub mod dnstap;
pub mod email;
pub mod encode;
pub mod http;
pub mod ipconn;
pub mod linkpair;
pub mod logline;
pub mod ncap;
pub mod packet;
pub mod pkt;
pub mod xml;

use crate::schema::MessageType;

/// Declarations in the order of their ids.
pub(super) static TYPES: &[MessageType] = &[
    ncap::TYPE,
    email::TYPE,
    linkpair::TYPE,
    http::TYPE,
    ipconn::TYPE,
    logline::TYPE,
    dns::TYPE,
    pkt::TYPE,
    dnsqr::TYPE,
    xml::TYPE,
    encode::TYPE,
    packet::TYPE,
    dnstap::TYPE,
    dnsobs::TYPE,
];
