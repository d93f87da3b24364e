//! Addresses of sockets and channels as users write them, parsed before anything is opened.

mod channel;
mod socket;
mod zmq;

pub use channel::{BadLine, ChannelTargets, look_up_channel};
pub use socket::{Host, MOST_PORTS, SendSpec, SocketSpec, SpecError};
pub use zmq::{ZmqDirection, ZmqEndpoint, ZmqEndpointError, ZmqPattern};
