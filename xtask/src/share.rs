//! A share of a processor that programs are held to, so that they reach their limits before what
//! drives them reaches its own.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, process, thread};

/// A control group with a share of a processor, gone at the end.
pub(crate) struct Share(PathBuf);

impl Share {
    /// A group that gets so much of one processor in every period, both in microseconds.
    pub(crate) fn new(quota: u32, period: u32) -> io::Result<Self> {
        let name = format!("nmsg-share-{}", process::id());
        let (first, second) = (Path::new("/sys/fs/cgroup/cpu"), Path::new("/sys/fs/cgroup"));
        let group = if first.exists() { first.join(name) } else { second.join(name) };
        fs::create_dir(&group)?;
        let share = Self(group);
        if first.exists() {
            share.set("cpu.cfs_period_us", &period.to_string())?;
            share.set("cpu.cfs_quota_us", &quota.to_string())?;
        } else {
            share.set("cpu.max", &format!("{quota} {period}"))?;
        }
        Ok(share)
    }

    /// Holds a process to the share from now on.
    pub(crate) fn hold(&self, process: u32) -> io::Result<()> {
        self.set("cgroup.procs", &process.to_string())
    }

    fn set(&self, file: &str, value: &str) -> io::Result<()> {
        fs::write(self.0.join(file), value)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // The system may need a moment to see that nobody is in it; a group that stays does no harm.
        for _ in 0..20 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}
