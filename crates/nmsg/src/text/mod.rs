//! Text of values that both written forms share, and the lines both are read from.

pub(crate) mod c_double;
pub(crate) mod c_number;
mod lines;
pub(crate) mod number;
pub(crate) mod scan;
pub(crate) mod string;
pub mod time;
pub(crate) mod time_in;
pub(crate) mod value;

pub use lines::{Line, LineSplitter};
