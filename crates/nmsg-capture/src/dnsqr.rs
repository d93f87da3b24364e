//! `base:dnsqr`: DNS queries and the responses that answer them.
//!
//! [`Matcher`] takes frames and time and gives out one message per transaction. It keeps queries
//! until their response comes, their time is over, or the table is full; lookup, insertion and
//! eviction take constant time whatever the keys. Rules: `capture-and-dnsqr` §3.

mod addresses;
mod config;
mod header;
mod icmp;
mod keyed_hash;
mod matcher;
mod message;
mod names;
mod query_table;
mod zeroing;

pub use addresses::AddressList;
pub use config::{Config, ConfigError, ConfigWarning, Direction};
pub use header::Question;
pub use matcher::Matcher;
pub use message::{DnsQr, Kind, PacketList, PacketMeta};
pub use names::NameList;
