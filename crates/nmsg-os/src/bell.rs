use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// Ends the wait of a thread that polls it beside its other descriptors; can be silenced and rung
/// again, unlike a [`crate::Latch`].
#[derive(Debug)]
pub struct Bell {
    rope: UnixStream,
    gong: UnixStream,
}

impl Bell {
    /// A bell that does not ring.
    ///
    /// # Errors
    ///
    /// When the system has no descriptors left.
    pub fn new() -> io::Result<Self> {
        let (rope, gong) = UnixStream::pair()?;
        rope.set_nonblocking(true)?;
        gong.set_nonblocking(true)?;
        Ok(Self { rope, gong })
    }

    /// Makes the bell readable until it is silenced; any thread may do so.
    pub fn ring(&self) {
        // When the buffer is full the bell rings already.
        let _ = (&self.rope).write(&[1]);
    }

    /// Makes the bell unreadable until it is rung again.
    pub fn silence(&self) {
        let mut buffer = [0; 64];
        while matches!((&self.gong).read(&mut buffer), Ok(count) if count == buffer.len()) {}
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.gong.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Interest, PollSet};
    use std::time::Instant;

    #[test]
    fn a_bell_rings_until_it_is_silenced() {
        let bell = Bell::new().unwrap();
        let rings = || {
            let mut set = PollSet::new();
            set.add(bell.as_fd(), Interest { readable: true, writable: false });
            set.wait(Some(Instant::now())).unwrap()
        };
        assert!(!rings());
        for times in [1, 64, 65, 1_000_000] {
            (0..times).for_each(|_| bell.ring());
            assert!(rings(), "rung {times} times");
            bell.silence();
            assert!(!rings(), "rung {times} times");
        }
    }
}
