//! Output files that are finished and started anew while the run goes on.
//!
//! A file is hidden while it is written. When it is complete it is synced, gets its name, and a command
//! is run on it (`nmsgtool-cli` §6.4). What a killed run left behind is finished by the next one.

mod count;
mod files;
mod interval;
mod kicker;
mod leftover;
mod name;
mod sink;

pub use count::CountTrigger;
pub use files::{DiskFiles, RotatedFiles};
pub use interval::IntervalClock;
pub use kicker::Kicker;
pub use leftover::{LeftoverFormat, Recovered, recover};
pub use name::{FileName, FileNames};
pub use sink::{RotatingSink, RotationSettings};

use std::time::{Duration, SystemTime};

/// The time of day; 1970 for clocks that are set before it.
#[must_use]
pub fn time_since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
