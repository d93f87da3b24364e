//! What came of comparisons.

use std::io;

use super::compare::{excerpt, first_difference};
use super::say;

/// At most this many failures of a part are shown.
const SHOWN: usize = 20;

/// Counts what is as it should be, and what is not.
pub(super) struct Verdict {
    part: &'static str,
    same: usize,
    failures: usize,
}

impl Verdict {
    pub(super) fn new(part: &'static str) -> Self {
        Self { part, same: 0, failures: 0 }
    }

    /// Compares octets; shows where they differ first.
    pub(super) fn same(&mut self, name: &str, ours: &[u8], theirs: &[u8]) -> io::Result<()> {
        if ours == theirs {
            self.same += 1;
            return Ok(());
        }
        self.failures += 1;
        if self.failures > SHOWN {
            return Ok(());
        }
        say(&format!("DIFFERENCE in {}: {name}", self.part))?;
        let at = first_difference(ours, theirs);
        for (who, octets) in [("ours", ours), ("reference", theirs)] {
            say(&format!("  {who}: {}", excerpt(octets, at).escape_ascii()))?;
        }
        Ok(())
    }

    /// Notes something that has to hold.
    pub(super) fn holds(&mut self, name: &str, holds: bool) -> io::Result<()> {
        if holds {
            self.same += 1;
            return Ok(());
        }
        self.failures += 1;
        say(&format!("FAILS in {}: {name}", self.part))
    }

    /// Says what was found; gives the number of failures.
    pub(super) fn end(self) -> io::Result<usize> {
        let Self { part, same, failures } = self;
        say(&format!("{part}: {same} as they should be, {failures} not"))?;
        Ok(failures)
    }
}
