//! The program on files, pipes and sockets.

mod dealing;
mod decisions;
mod filters;
mod golden;
mod labels;
mod logging;
mod metrics;
mod process;
mod progress;
mod reference;
mod rotation;
mod sockets;
mod status;
mod text;
mod tool;
mod waiting;
