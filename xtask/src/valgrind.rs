//! Valgrind, which counts instructions and allocations.

use std::process::{Command, Stdio};

/// True when it can be run here.
pub(crate) fn is_installed() -> bool {
    let valgrind = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    valgrind.is_ok_and(|status| status.success())
}
