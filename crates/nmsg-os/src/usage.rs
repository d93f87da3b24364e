//! What a child process cost.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::time::Duration;

/// Resources that a process used until it ended.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Processor time in the program itself.
    pub user: Duration,
    /// Processor time in the kernel on its behalf.
    pub system: Duration,
    /// Largest resident memory, in octets.
    pub peak_memory: u64,
}

impl Usage {
    /// Processor time of both kinds.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        self.user + self.system
    }
}

/// Waits for a child to end and tells what it cost.
///
/// # Errors
///
/// When the child has been waited for already, or waiting was interrupted for good.
#[expect(clippy::needless_pass_by_value, reason = "the child is gone afterwards")]
#[expect(unsafe_code, reason = "wait4 has no safe counterpart that gives resource usage")]
pub fn wait_with_usage(child: Child) -> io::Result<(ExitStatus, Usage)> {
    let mut status = 0;
    // SAFETY: a zeroed rusage is a valid one; wait4 fills it.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to live, properly typed variables; the process id is that of a
        // child of this process.
        let waited =
            unsafe { libc::wait4(child.id().cast_signed(), &raw mut status, 0, &raw mut usage) };
        if waited >= 0 {
            break;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    let time = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec.unsigned_abs())
            + Duration::from_micros(time.tv_usec.unsigned_abs())
    };
    let usage = Usage {
        user: time(usage.ru_utime),
        system: time(usage.ru_stime),
        // Linux counts in units of 1,024 octets.
        peak_memory: usage.ru_maxrss.unsigned_abs() * 1024,
    };
    Ok((ExitStatus::from_raw(status), usage))
}

/// Processor time that the calling thread has used so far; what others do on the same processor does
/// not count.
#[must_use]
#[expect(unsafe_code, reason = "the standard library has no clock of a thread's processor time")]
pub fn thread_cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live, properly typed variable. This clock always exists on Linux; were
    // it missing, the time would stay zero.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    Duration::from_secs(time.tv_sec.unsigned_abs())
        + Duration::from_nanos(time.tv_nsec.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn the_time_of_a_thread_goes_on_while_it_works_and_stands_while_it_sleeps() {
        let start = thread_cpu();
        let mut number = 1_u64;
        while thread_cpu() - start < Duration::from_millis(20) {
            number = std::hint::black_box(number.wrapping_mul(3));
        }
        let before = thread_cpu();
        std::thread::sleep(Duration::from_millis(200));
        assert!(thread_cpu() - before < Duration::from_millis(100));
    }

    #[test]
    fn a_child_has_a_status_and_a_cost() {
        let child = Command::new("sh").args(["-c", "exit 3"]).spawn().unwrap();
        let (status, usage) = wait_with_usage(child).unwrap();
        assert_eq!(status.code(), Some(3));
        assert!(usage.peak_memory > 100_000 && usage.cpu() < Duration::from_secs(5), "{usage:?}");
    }
}
