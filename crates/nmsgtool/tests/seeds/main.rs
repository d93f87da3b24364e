//! The commands that people use, as they stand in guides, in a network that has the addresses.

mod commands;
#[path = "../capture/namespace.rs"]
#[expect(dead_code, reason = "other tests share it")]
mod namespace;
#[path = "../files/tool.rs"]
#[expect(dead_code, reason = "other tests share it")]
mod tool;
