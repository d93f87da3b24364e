//! The program on files and pipes.

mod dealing;
mod golden;
mod labels;
mod status;
mod text;
mod tool;
mod waiting;
