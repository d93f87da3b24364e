//! Containers: the outermost frame of an NMSG stream (`container-and-io` §1).
//!
//! ```text
//! 0      4       5    6      10
//! | NMSG | flags | 02 | length | body …      body: records, checksums, sequence
//! ```
//!
//! Knows nothing of sockets, files or message types: octets and time are arguments.
//!
//! | reading | |
//! |---|---|
//! | [`Header`] | the first ten octets |
//! | [`Inflater`] | compressed bodies |
//! | [`ContainerBody`] | where the records of a body are |
//!
//! | writing | |
//! |---|---|
//! | [`SizeEstimator`] | when a container is full |
//! | [`ContainerBuilder`] | records into one container |
//! | [`Deflater`] | compressed bodies |

mod body;
mod builder;
mod compress;
mod estimate;
mod file_kind;
mod fragment;
mod header;
mod payload_header;

pub use body::{ContainerBody, Payloads, StoredPayload, crc_mismatch_text};
pub use builder::{ContainerBuilder, Sequence};
pub use compress::{Deflater, Inflater};
pub use estimate::{DEFAULT_DATAGRAM_BUFFER, Fullness, MAX_BUFFER, MIN_BUFFER, SizeEstimator};
pub use file_kind::FileKind;
pub use fragment::FragmentFault;
pub use header::{Flags, Header, MAGIC, Version};
pub use payload_header::encoded_len;
