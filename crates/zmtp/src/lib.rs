//! ZeroMQ sockets: PUB, SUB, PUSH and PULL over TCP and local sockets.
//!
//! Speaks ZMTP 3.1 and 3.0 with the NULL mechanism, as libzmq does from version 4.0 on. Knows
//! nothing of what the messages are. See `docs/zeromq.md` for why this is our own.
//!
//! ```
//! use std::time::Duration;
//! use zmtp::{Direction, Receiver, ReceiverSettings, Sender, SocketType};
//!
//! let settings = ReceiverSettings { subscription: None, largest: 1 << 20 };
//! let mut pull = Receiver::open(&settings, Direction::Bind, &"tcp://127.0.0.1:*".parse()?)?;
//! let push = Sender::open(SocketType::Push, Direction::Connect, pull.endpoint())?;
//! assert!(push.send(b"message", 1));
//! let body = loop {
//!     if let Some(part) = pull.next_part()? {
//!         break part.body.to_vec();
//!     }
//!     pull.wait(&[], None)?;
//! };
//! assert_eq!(body, b"message");
//! assert_eq!(push.close(Duration::from_secs(1), || false)?.undelivered.messages, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | type | what it is |
//! |---|---|
//! | [`Endpoint`] | where a socket is bound or connects to |
//! | [`Receiver`] | a SUB or PULL socket |
//! | [`Sender`] | a PUB or PUSH socket |

mod connection;
mod dialer;
mod endpoint;
mod error;
mod frame;
pub mod fuzzing;
mod hub;
mod outbox;
mod peer;
mod receiver;
mod sender;
mod socket_type;
mod subscriptions;
mod transport;

pub use endpoint::{Endpoint, EndpointError, IpcName};
pub use error::PeerFault;
pub use hub::{Direction, Faults};
pub use receiver::{Part, Receiver, ReceiverSettings, Waited};
pub use sender::{Count, Lost, Sender};
pub use socket_type::SocketType;
