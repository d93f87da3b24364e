//! The ledger of a run in progress, for Prometheus to fetch.
//!
//! The engine leaves a copy of its ledger on a [`MetricsBoard`] whenever it has nothing to do, and between
//! two batches when somebody asks. The [`MetricsServer`] answers from a thread of its own with what is on
//! the board, so that the engine never waits for a client.

mod board;
mod exposition;
mod request;
mod server;

pub use board::MetricsBoard;
pub(crate) use request::is_answered;
pub use server::{MetricsServer, MetricsSocket};
