//! The command line of `nmsgtool`: flag table, option grammar, and the wiring of inputs to outputs.

mod endline;
pub mod failure;
pub mod flags;
pub mod grammar;
pub mod help;
mod number;
pub mod run;
pub mod settings;
mod spell;
