use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Instant;

/// What a descriptor is waited for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Interest {
    /// Wait until it can be read.
    pub readable: bool,
    /// Wait until it can be written.
    pub writable: bool,
}

/// Any number of descriptors that are waited for together.
///
/// Made to be filled anew for every wait; descriptors are known by the order in which they were
/// added.
#[derive(Debug, Default)]
pub struct PollSet {
    polled: Vec<libc::pollfd>,
}

impl PollSet {
    /// A set without descriptors.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes all descriptors out.
    pub fn clear(&mut self) {
        self.polled.clear();
    }

    /// Adds a descriptor; gives its position. Errors and hang-ups are always waited for.
    pub fn add(&mut self, fd: BorrowedFd<'_>, interest: Interest) -> usize {
        let mut events = 0;
        if interest.readable {
            events |= libc::POLLIN;
        }
        if interest.writable {
            events |= libc::POLLOUT;
        }
        self.polled.push(libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 });
        self.polled.len() - 1
    }

    /// Waits until a descriptor is ready, a signal was handled, or `until` has come; true when a
    /// descriptor is ready.
    ///
    /// # Errors
    ///
    /// Those of poll(2) other than an interruption.
    pub fn wait(&mut self, until: Option<Instant>) -> io::Result<bool> {
        let timeout = match until {
            None => -1,
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now());
                // Rounded up, so that a wait does not end in a last spin.
                i32::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
            }
        };
        let count = self.polled.len() as libc::nfds_t;
        #[expect(unsafe_code, reason = "poll has no safe binding")]
        // SAFETY: the vector is valid for its length; a descriptor that was closed meanwhile is
        // reported as not valid.
        let ready = unsafe { libc::poll(self.polled.as_mut_ptr(), count, timeout) };
        if ready >= 0 {
            return Ok(ready > 0);
        }
        self.polled.iter_mut().for_each(|polled| polled.revents = 0);
        match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            error => Err(error),
        }
    }

    /// What the last wait found about the descriptor at a position. Errors and hang-ups count as
    /// both, so that reading or writing shows them.
    #[must_use]
    pub fn readiness(&self, position: usize) -> Interest {
        let found = self.polled.get(position).map_or(0, |polled| polled.revents);
        let broken = found & (libc::POLLERR | libc::POLLHUP | libc::POLLNVAL) != 0;
        Interest {
            readable: broken || found & libc::POLLIN != 0,
            writable: broken || found & libc::POLLOUT != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    const READ: Interest = Interest { readable: true, writable: false };
    const WRITE: Interest = Interest { readable: false, writable: true };

    #[test]
    fn each_descriptor_is_judged_for_itself() {
        let (mut one, other) = UnixStream::pair().unwrap();
        let mut set = PollSet::new();
        for (name, prepare, want) in [
            ("nothing to read", None, [(false, false), (false, true)]),
            ("something to read", Some(&b"x"[..]), [(true, false), (false, true)]),
        ] {
            if let Some(octets) = prepare {
                one.write_all(octets).unwrap();
            }
            set.clear();
            let positions = [set.add(other.as_fd(), READ), set.add(other.as_fd(), WRITE)];
            assert!(set.wait(None).unwrap(), "{name}");
            let found = positions.map(|position| {
                let ready = set.readiness(position);
                (ready.readable, ready.writable)
            });
            assert_eq!(found, want, "{name}");
        }
        assert_eq!(set.readiness(99), Interest { readable: false, writable: false });
    }

    #[test]
    fn a_wait_ends_in_time_and_a_hang_up_is_ready() {
        let (one, other) = UnixStream::pair().unwrap();
        let mut set = PollSet::new();
        let position = set.add(other.as_fd(), READ);
        let soon = Instant::now() + Duration::from_millis(5);
        assert!(!set.wait(Some(soon)).unwrap());
        assert!(Instant::now() >= soon);
        drop(one);
        assert!(set.wait(None).unwrap());
        assert!(set.readiness(position).readable);
    }
}
