use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// Ends the wait of one thread, which polls it beside its other descriptors.
#[derive(Debug)]
pub(crate) struct Bell {
    rope: UnixStream,
    gong: UnixStream,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        let (rope, gong) = UnixStream::pair()?;
        rope.set_nonblocking(true)?;
        gong.set_nonblocking(true)?;
        Ok(Self { rope, gong })
    }

    /// Makes the bell readable until it is silenced.
    pub(crate) fn ring(&self) {
        // When the buffer is full the bell rings already.
        let _ = (&self.rope).write(&[1]);
    }

    pub(crate) fn silence(&self) {
        let mut buffer = [0; 64];
        while matches!((&self.gong).read(&mut buffer), Ok(count) if count == buffer.len()) {}
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.gong.as_fd()
    }
}
