use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A flag that, once raised, stays raised, and ends the waits of all threads that wait for it.
///
/// Raising it is allowed in a signal handler.
#[derive(Debug)]
pub struct Latch {
    /// Readable for good once the latch is raised.
    event: OwnedFd,
    /// When it was raised, in nanoseconds of the monotonic clock; 0 before.
    since: AtomicU64,
}

impl Latch {
    /// A latch that is not raised.
    ///
    /// # Errors
    ///
    /// When the system has no descriptor left.
    #[expect(unsafe_code, reason = "eventfd has no safe binding")]
    pub fn new() -> io::Result<Self> {
        // SAFETY: eventfd takes no pointers.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just made and belongs to nobody else.
        let event = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { event, since: AtomicU64::new(0) })
    }

    /// Raises the latch; raising it again changes nothing.
    #[expect(unsafe_code, reason = "write(2) is the one call a signal handler may make")]
    pub fn raise(&self) {
        let now = monotonic_nanoseconds().max(1);
        if self.since.compare_exchange(0, now, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            let one = 1_u64.to_ne_bytes();
            // SAFETY: the buffer is valid for its length, and the descriptor is open as long as
            // `self` is. A failed write is impossible below 2⁶⁴ - 1 writes.
            unsafe { libc::write(self.event.as_raw_fd(), one.as_ptr().cast(), one.len()) };
        }
    }

    /// True once the latch was raised.
    #[must_use]
    #[inline]
    pub fn is_raised(&self) -> bool {
        self.since.load(Ordering::Acquire) != 0
    }

    /// How long ago the latch was raised; `None` when it was not.
    #[must_use]
    pub fn raised_for(&self) -> Option<Duration> {
        match self.since.load(Ordering::Acquire) {
            0 => None,
            since => Some(Duration::from_nanos(monotonic_nanoseconds().saturating_sub(since))),
        }
    }
}

impl AsFd for Latch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

#[expect(unsafe_code, reason = "the standard library's clock is not promised to handlers")]
fn monotonic_nanoseconds() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is valid for writing; the call is allowed in signal handlers.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    (now.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec as u64)
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ready {
    /// The descriptor can be read or written, or is in an error state that doing so will show.
    Descriptor,
    /// A latch is raised.
    Latch,
    /// The time is up.
    Timeout,
    /// A signal was handled; nothing else is known.
    Signal,
}

/// Waits until `fd` has one of the poll `events`, a latch is raised, or `until` has come.
///
/// # Errors
///
/// Those of poll(2) other than an interruption.
pub(crate) fn poll(
    fd: Option<BorrowedFd<'_>>,
    events: libc::c_short,
    latches: &[&Latch],
    until: Option<Instant>,
) -> io::Result<Ready> {
    const MOST_LATCHES: usize = 3;
    let none = libc::pollfd { fd: -1, events: 0, revents: 0 };
    let mut polled = [none; MOST_LATCHES + 1];
    if let Some(fd) = fd {
        polled[0] = libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 };
    }
    for (slot, latch) in polled[1..].iter_mut().zip(latches) {
        *slot = libc::pollfd { fd: latch.as_fd().as_raw_fd(), events: libc::POLLIN, revents: 0 };
    }
    let timeout = match until {
        None => -1,
        Some(until) => {
            let left = until.saturating_duration_since(Instant::now());
            // Rounded up, so that a wait does not end in a last spin.
            i32::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
        }
    };
    #[expect(unsafe_code, reason = "poll has no safe binding")]
    // SAFETY: the array is valid for its length; entries with descriptor -1 are ignored.
    let ready = unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, timeout) };
    if ready < 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == io::ErrorKind::Interrupted {
            Ok(Ready::Signal)
        } else {
            Err(error)
        };
    }
    Ok(match polled {
        _ if ready == 0 => Ready::Timeout,
        [_, latches @ ..] if latches.iter().any(|slot| slot.revents != 0) => Ready::Latch,
        _ => Ready::Descriptor,
    })
}

/// Waits until a latch is raised or `until` has come.
///
/// # Errors
///
/// Those of poll(2) other than an interruption.
pub fn wait(latches: &[&Latch], until: Option<Instant>) -> io::Result<Ready> {
    poll(None, 0, latches, until)
}

/// Sleeps until `until`, whatever signals are handled meanwhile; true when a latch cut it short.
///
/// # Errors
///
/// As [`wait`].
pub fn sleep(latches: &[&Latch], until: Instant) -> io::Result<bool> {
    loop {
        match wait(latches, Some(until))? {
            Ready::Latch => return Ok(true),
            Ready::Timeout => return Ok(false),
            Ready::Descriptor | Ready::Signal => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raised_latch_ends_every_wait() {
        let latch = Latch::new().unwrap();
        assert!(!latch.is_raised() && latch.raised_for().is_none());
        let soon = Instant::now() + Duration::from_millis(5);
        assert_eq!(wait(&[&latch], Some(soon)).unwrap(), Ready::Timeout);
        assert!(Instant::now() >= soon);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| assert_eq!(wait(&[&latch], None).unwrap(), Ready::Latch));
            }
            latch.raise();
        });
        latch.raise();
        assert!(latch.is_raised() && latch.raised_for() < Some(Duration::from_secs(60)));
        let late = Instant::now() + Duration::from_secs(60);
        assert!(sleep(&[&latch], late).unwrap());
        assert!(Instant::now() < late);
    }

    #[test]
    fn a_wait_for_several_latches_ends_with_any() {
        let (one, other) = (Latch::new().unwrap(), Latch::new().unwrap());
        other.raise();
        assert_eq!(wait(&[&one, &other], None).unwrap(), Ready::Latch);
        assert!(!sleep(&[&one], Instant::now()).unwrap());
    }
}
