//! The program with ZeroMQ peers and Kafka brokers.

#[cfg(feature = "kafka")]
mod kafka;
#[path = "../files/tool.rs"]
#[expect(dead_code, reason = "other tests share it")]
mod tool;
mod zmq;
