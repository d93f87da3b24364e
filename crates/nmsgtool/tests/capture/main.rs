//! The program on captures.

mod crafted;
mod exchange;
mod files;
mod filters;
mod golden;
mod live;
mod mutated;
#[expect(dead_code, reason = "other tests share it")]
mod namespace;
#[path = "../../../nmsg-capture/src/test_packets.rs"]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod packets;
mod suite;
#[path = "../files/tool.rs"]
#[expect(dead_code, reason = "other tests share it")]
mod tool;
