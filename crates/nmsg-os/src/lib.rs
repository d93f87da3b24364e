//! Platform calls of the NMSG suite; the only crate here that talks to the kernel directly.

pub mod daemon;
pub mod durable;
#[cfg(test)]
mod scratch;
pub mod udp;
mod user;

pub use user::User;
