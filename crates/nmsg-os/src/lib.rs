//! Platform calls of the NMSG suite; the only crate here that talks to the kernel directly.
//!
//! | type | what it is |
//! |---|---|
//! | [`Latch`] | something that any number of threads can wait for beside a descriptor |
//! | [`Stream`] | a file, pipe, device or terminal, read and written so that a latch ends every wait |
//! | [`signal`] | signals as flags and a latch |
//! | [`Bell`] | ends a poll, again and again |
//! | [`PollSet`] | any number of descriptors waited for together |
//! | [`udp`] | datagrams |
//! | [`durable`] | files that appear whole or not at all |
//! | [`pcap`] | libpcap opened at run time: filter expressions, live capture |
//! | [`terminal`] | how wide a terminal is, and whose |
//! | [`wait_with_usage`] | what a child process cost |
//! | [`local_time_text`] | a time of day where the process is |
//! | [`User`], [`daemon`] | what the process runs as |

mod bell;
mod clock;
pub mod daemon;
pub mod durable;
mod host;
mod latch;
pub mod pcap;
mod poll;
#[cfg(test)]
mod scratch;
pub mod signal;
mod stream;
pub mod terminal;
pub mod udp;
mod usage;
mod user;

pub use bell::Bell;
pub use clock::local_time_text;
pub use host::canonical_host_name;
pub use latch::{Latch, Ready, sleep, wait};
pub use poll::{Interest, PollSet};
pub use stream::{Received, Stream, StreamKind};
pub use usage::{Usage, thread_cpu, wait_with_usage};
pub use user::User;
