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
//! | [`StreamReader`] | octets of a file or pipe to records, everything included |
//! | [`Decoder`] | one container or message to records, in any form |
//! | [`Deframer`] | octets of a file or pipe to containers, past any damage |
//! | [`Header`] | the first ten octets |
//! | [`Inflater`] | compressed bodies |
//! | [`Reassembler`] | fragments |
//! | [`ContainerBody`] | where the records of a body are |
//! | [`LossTracker`] | what sequence numbers say was lost |
//!
//! | writing | |
//! |---|---|
//! | [`ContainerWriter`] | records to containers, everything included |
//! | [`ContainerFinisher`] | its second half: full containers to octets |
//! | [`ContainerBuilder`] | records into one container |
//! | [`SizeEstimator`] | when a container is full |
//! | [`Deflater`] | compressed bodies |
//! | [`write_fragments`] | bodies too large for one datagram |

mod body;
mod builder;
mod compress;
mod decode;
mod deframe;
mod estimate;
mod file_kind;
mod fragment;
pub mod fuzzing;
mod header;
mod payload_header;
mod reassemble;
mod sequence;
mod usual_form;
mod writer;

pub use body::{
    ContainerBody, EncodedPayload, EncodedRun, Payloads, StoredPayload, crc_mismatch_text,
};
pub use builder::{ContainerBuilder, Sequence};
pub use compress::{Deflater, Inflater};
pub use decode::{Container, Decoder, StreamReader};
pub use deframe::{Deframer, Frame, RawContainer, swallowed_containers};
pub use estimate::{DEFAULT_DATAGRAM_BUFFER, Fullness, MAX_BUFFER, MIN_BUFFER, SizeEstimator};
pub use file_kind::FileKind;
pub use fragment::{Fragment, FragmentFault, FragmentIds, write_fragments};
pub use header::{Flags, Header, MAGIC, Version};
pub use payload_header::encoded_len;
pub use reassemble::{Assembled, FRAGMENT_LIFETIME, FragmentCounts, Reassembler};
pub use sequence::{Arrival, LossTracker, SourceState};
pub use writer::{ContainerFinisher, ContainerWriter, Sent, WriterCounts, WriterSettings};
