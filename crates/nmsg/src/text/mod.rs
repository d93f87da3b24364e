//! Text of values that both written forms share.

pub(crate) mod number;
pub(crate) mod string;
pub mod time;
