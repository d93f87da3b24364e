//! UDP sockets: datagrams received in batches, and sent one by one.
//!
//! Sending in batches (`sendmmsg`) saves next to nothing, because the cost of a datagram lies in
//! the network stack and not in the call; so each datagram has its own call and its own error.

mod receiver;
mod sender;
mod socket;

pub use receiver::{BATCH, Datagram, Receiver, WANTED_BUFFER, buffer_shortfall};
pub use sender::{SEND_BUFFER, Sender};
pub use socket::{Endpoint, interface_index};
