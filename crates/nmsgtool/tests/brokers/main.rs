//! The program with ZeroMQ peers.

#[path = "../files/tool.rs"]
#[expect(dead_code, reason = "other tests share it")]
mod tool;
mod zmq;
