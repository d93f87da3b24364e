//! The NMSG container format, its message types, presentation and JSON both ways.
//!
//! Knows nothing of sockets, threads, clocks or command lines: it takes octets and time as
//! arguments. From the outside in:
//!
//! | type | what it is |
//! |---|---|
//! | [`Payload`] | one record: ids, time, labels and the encoded message |
//! | [`datagram`] | what lies between a stored packet and its UDP payload |
//! | [`Limits`] | what a reader spends on input it has no reason to trust |
//! | [`container`] | containers: reading, writing, fragments, compression, sequence |
//! | [`Error`] | what can go wrong with them, and where |
//! | [`wire`] | protocol-buffer primitives |

pub mod container;
pub mod crc;
pub mod datagram;
mod error;
mod ids;
mod limits;
mod payload;
pub mod wire;

pub use error::{Error, ErrorKind, InflateFault};
pub use ids::{MsgType, VendorId};
pub use limits::Limits;
pub use payload::{Payload, Timestamp};
