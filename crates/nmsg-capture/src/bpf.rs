//! Classic BPF: programs that decide by a packet's octets whether it is wanted.
//!
//! Programs come from a [`Compiler`]; they are checked once and then run on any octets. A checked
//! program always ends: jumps backwards, which libpcap makes for `protochain`, are counted.

mod filter;
mod program;

pub use filter::{Compiler, Filter, FilterError, Wrapping};
pub use program::{Instruction, Invalid, Program};
