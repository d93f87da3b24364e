//! The program on files, pipes and sockets.

mod dealing;
mod decisions;
mod filters;
mod golden;
mod labels;
mod logging;
mod messages;
mod metrics;
mod process;
mod progress;
mod reference;
mod rotation;
mod shapes;
mod signals;
mod sockets;
mod statistics;
mod status;
mod text;
mod tool;
mod waiting;
