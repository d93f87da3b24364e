//! Which payloads go on: filter chains, sampling, and conditions on header and fields.
//!
//! | type | what it does |
//! |---|---|
//! | [`FilterChain`] | asks filters in order; the first that decides, decides |
//! | [`Sampling`] | the built-in `sample` filter: every K-th payload, or a random share |
//! | [`Where`] | a condition such as `rrtype = AAAA and response_ip in 2001:db8::/32` |
//!
//! The selection by type, source, operator and group that readers do is no part of this.

mod chain;
mod condition;
pub mod fuzzing;
mod sample;

pub use chain::{Candidate, Filter, FilterChain, FilterFailed, Policy, Verdict};
pub use condition::{Matcher, Where, WhereError};
pub use sample::{Sample, Sampling, SamplingError};
