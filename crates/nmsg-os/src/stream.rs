use crate::latch::{Latch, Ready, poll};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// What a stream is, as far as waiting is concerned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StreamKind {
    /// A regular file: never waited for.
    File,
    /// A pipe, fifo, socket, terminal or another device.
    Waiting,
}

/// What a read found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Received {
    /// So many octets, at least one.
    Octets(usize),
    /// Nothing yet; see [`Stream::wait_readable`].
    NothingYet,
    /// The end of the input.
    End,
}

/// A file, pipe, device or terminal that is read or written with every wait open to a [`Latch`].
///
/// Descriptors opened here never block; inherited ones (standard input and output) are left in the
/// mode in which they are shared with other processes, and are asked before they are used.
#[derive(Debug)]
pub struct Stream {
    file: File,
    kind: StreamKind,
    /// Reads and writes return at once whatever happens: the description is our own.
    never_blocks: bool,
    /// The kernel writes to inherited pipes without blocking when asked to.
    asks_not_to_block: bool,
}

/// How long an output that nobody reads may still hold up the end of a run after a signal.
const PATIENCE_AFTER_SIGNAL: Duration = Duration::from_millis(100);

/// Octets that a pipe takes without blocking once it says that it takes any.
const PIPE_PAGE: usize = 4096;

/// How often a fifo without a reader is tried again.
const FIFO_RETRY: Duration = Duration::from_millis(20);

impl Stream {
    /// Opens a path for reading. Opening a fifo does not wait for its writer; reading does.
    ///
    /// # Errors
    ///
    /// Those of open(2); a directory is one.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        Self::new(file, true)
    }

    /// Creates or truncates a path for writing, with mode 0644 under the umask. Waits for the reader of a
    /// fifo until `latch` is raised.
    ///
    /// # Errors
    ///
    /// Those of open(2); interrupted when the latch was raised.
    pub fn create(path: &Path, latch: Option<&Latch>) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o644);
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
        loop {
            match options.open(path) {
                Err(error) if error.raw_os_error() == Some(libc::ENXIO) && is_fifo(path) => {
                    let latches = latch.as_slice();
                    if poll(None, 0, latches, Some(Instant::now() + FIFO_RETRY))? == Ready::Latch {
                        return Err(io::ErrorKind::Interrupted.into());
                    }
                }
                opened => return Self::new(opened?, true),
            }
        }
    }

    /// Standard input.
    ///
    /// # Errors
    ///
    /// When it is closed or a directory.
    pub fn stdin() -> io::Result<Self> {
        Self::inherited(io::stdin().as_fd().try_clone_to_owned()?)
    }

    /// Standard output.
    ///
    /// # Errors
    ///
    /// When it is closed.
    pub fn stdout() -> io::Result<Self> {
        Self::inherited(io::stdout().as_fd().try_clone_to_owned()?)
    }

    /// A descriptor whose description other processes may share.
    ///
    /// # Errors
    ///
    /// When its kind cannot be told, or it is a directory.
    pub fn inherited(fd: OwnedFd) -> io::Result<Self> {
        Self::new(File::from(fd), false)
    }

    fn new(file: File, never_blocks: bool) -> io::Result<Self> {
        let kind = file.metadata()?.file_type();
        if kind.is_dir() {
            return Err(io::Error::from_raw_os_error(libc::EISDIR));
        }
        let kind = if kind.is_file() { StreamKind::File } else { StreamKind::Waiting };
        Ok(Self { file, kind, never_blocks, asks_not_to_block: true })
    }

    /// What the stream is.
    #[must_use]
    pub fn kind(&self) -> StreamKind {
        self.kind
    }

    /// Reads what is there, without waiting for more.
    ///
    /// # Errors
    ///
    /// Those of read(2) other than an interruption.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<Received> {
        self.receive(|mut file| file.read(buffer))
    }

    /// As [`Stream::read`], for at most `most` octets, which are appended to the buffer.
    ///
    /// # Errors
    ///
    /// As [`Stream::read`].
    pub fn append(&mut self, buffer: &mut Vec<u8>, most: usize) -> io::Result<Received> {
        self.receive(|file| append(file, buffer, most))
    }

    fn receive(
        &mut self,
        mut read: impl FnMut(&File) -> io::Result<usize>,
    ) -> io::Result<Received> {
        if self.kind == StreamKind::Waiting && !self.never_blocks {
            let now = Some(Instant::now());
            if poll(Some(self.file.as_fd()), libc::POLLIN, &[], now)? != Ready::Descriptor {
                return Ok(Received::NothingYet);
            }
        }
        loop {
            return match read(&self.file) {
                Ok(0) if self.awaits_first_writer() => Ok(Received::NothingYet),
                Ok(0) => Ok(Received::End),
                Ok(n) => Ok(Received::Octets(n)),
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => continue,
                    io::ErrorKind::WouldBlock => Ok(Received::NothingYet),
                    _ => Err(error),
                },
            };
        }
    }

    /// A fifo that nobody has opened for writing yet reads like one whose writers are gone, but
    /// only the latter has hung up.
    fn awaits_first_writer(&self) -> bool {
        let is_fifo = |file: &File| file.metadata().is_ok_and(|data| data.file_type().is_fifo());
        self.never_blocks
            && self.kind == StreamKind::Waiting
            && is_fifo(&self.file)
            && matches!(
                poll(Some(self.file.as_fd()), libc::POLLIN, &[], Some(Instant::now())),
                Ok(Ready::Timeout)
            )
    }

    /// Waits until there is something to read, a latch is raised, or `until` has come.
    ///
    /// # Errors
    ///
    /// Those of poll(2).
    pub fn wait_readable(&self, latches: &[&Latch], until: Option<Instant>) -> io::Result<Ready> {
        poll(Some(self.file.as_fd()), libc::POLLIN, latches, until)
    }

    /// Writes everything, waiting as long as it takes; once `latch` is raised, only a moment longer.
    ///
    /// # Errors
    ///
    /// Those of write(2) other than an interruption; timed out when the latch is raised and the
    /// reader does not take the rest.
    pub fn write_all(&mut self, mut octets: &[u8], latch: Option<&Latch>) -> io::Result<()> {
        while !octets.is_empty() {
            match self.write_some(octets) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => octets = &octets[n..],
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock => self.wait_writable(latch)?,
                    _ => return Err(error),
                },
            }
        }
        Ok(())
    }

    fn write_some(&mut self, octets: &[u8]) -> io::Result<usize> {
        if self.never_blocks || self.kind == StreamKind::File {
            return self.file.write(octets);
        }
        if self.asks_not_to_block {
            match self.write_without_blocking(octets) {
                Err(error)
                    if matches!(
                        error.raw_os_error(),
                        Some(libc::EOPNOTSUPP | libc::ENOSYS | libc::EINVAL)
                    ) =>
                {
                    self.asks_not_to_block = false;
                }
                written => return written,
            }
        }
        let now = Some(Instant::now());
        if poll(Some(self.file.as_fd()), libc::POLLOUT, &[], now)? != Ready::Descriptor {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.file.write(&octets[..octets.len().min(PIPE_PAGE)])
    }

    #[expect(unsafe_code, reason = "pwritev2 has no safe binding")]
    fn write_without_blocking(&self, octets: &[u8]) -> io::Result<usize> {
        let piece =
            libc::iovec { iov_base: octets.as_ptr().cast_mut().cast(), iov_len: octets.len() };
        // SAFETY: the piece is valid for reading; offset -1 is the current position.
        let written = unsafe {
            libc::pwritev2(self.file.as_raw_fd(), &raw const piece, 1, -1, libc::RWF_NOWAIT)
        };
        usize::try_from(written).map_err(|_| io::Error::last_os_error())
    }

    fn wait_writable(&self, latch: Option<&Latch>) -> io::Result<()> {
        let fd = Some(self.file.as_fd());
        if latch.is_some_and(Latch::is_raised) {
            let waited = latch.and_then(Latch::raised_for).unwrap_or_default();
            let left = PATIENCE_AFTER_SIGNAL.saturating_sub(waited);
            return match poll(fd, libc::POLLOUT, &[], Some(Instant::now() + left))? {
                Ready::Timeout => Err(io::ErrorKind::TimedOut.into()),
                _ => Ok(()),
            };
        }
        poll(fd, libc::POLLOUT, latch.as_slice(), None).map(|_| ())
    }

    /// Closes the stream.
    ///
    /// # Errors
    ///
    /// What the system only finds out now, such as a full disk behind a network.
    #[expect(unsafe_code, reason = "the standard library drops the result of close(2)")]
    pub fn close(self) -> io::Result<()> {
        let fd = self.file.into_raw_fd();
        // SAFETY: the descriptor was owned by `self` and is not used again.
        match unsafe { libc::close(fd) } {
            0 => Ok(()),
            _ => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => Ok(()),
                error => Err(error),
            },
        }
    }
}

/// Appends what one read(2) gives to the buffer, whose memory is not initialised for it.
#[expect(unsafe_code, reason = "reading into memory that is not initialised has no safe binding")]
fn append(file: &File, buffer: &mut Vec<u8>, most: usize) -> io::Result<usize> {
    buffer.reserve(most);
    let room = &mut buffer.spare_capacity_mut()[..most];
    // SAFETY: the room may be written to.
    let count = unsafe { libc::read(file.as_raw_fd(), room.as_mut_ptr().cast(), room.len()) };
    let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
    // SAFETY: so many octets behind the content have been written.
    unsafe { buffer.set_len(buffer.len() + count) };
    Ok(count)
}

fn is_fifo(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|data| data.file_type().is_fifo())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipe() -> (Stream, Stream) {
        let (reader, writer) = io::pipe().unwrap();
        let streams = [OwnedFd::from(reader), OwnedFd::from(writer)];
        let [reader, writer] = streams.map(|fd| Stream::inherited(fd).unwrap());
        (reader, writer)
    }

    #[test]
    fn a_pipe_is_read_without_waiting() {
        let (mut reader, mut writer) = pipe();
        let mut buffer = [0; 8];
        assert_eq!(reader.read(&mut buffer).unwrap(), Received::NothingYet);
        writer.write_all(b"abc", None).unwrap();
        assert_eq!(reader.wait_readable(&[], None).unwrap(), Ready::Descriptor);
        assert_eq!(reader.read(&mut buffer).unwrap(), Received::Octets(3));
        writer.close().unwrap();
        assert_eq!(reader.read(&mut buffer).unwrap(), Received::End);
    }

    #[test]
    fn what_is_read_is_appended_up_to_the_most_that_is_asked_for() {
        let (mut reader, mut writer) = pipe();
        let mut buffer = b"before ".to_vec();
        assert_eq!(reader.append(&mut buffer, 4).unwrap(), Received::NothingYet);
        writer.write_all(b"abcdef", None).unwrap();
        assert_eq!(reader.append(&mut buffer, 4).unwrap(), Received::Octets(4));
        assert_eq!(buffer, b"before abcd");
        assert_eq!(reader.append(&mut buffer, 100).unwrap(), Received::Octets(2));
        assert_eq!(buffer, b"before abcdef");
        writer.close().unwrap();
        assert_eq!(reader.append(&mut buffer, 100).unwrap(), Received::End);
        assert_eq!(buffer, b"before abcdef");
        let directory = File::open(std::env::temp_dir()).unwrap();
        assert!(append(&directory, &mut buffer, 9).is_err());
        assert_eq!(buffer, b"before abcdef");
    }

    #[test]
    fn sg_1_a_raised_latch_ends_a_write_that_nobody_takes() {
        for asks_not_to_block in [true, false] {
            let (mut reader, mut writer) = pipe();
            writer.asks_not_to_block = asks_not_to_block;
            let latch = Latch::new().unwrap();
            let start = Instant::now();
            std::thread::scope(|scope| {
                let blocked = scope.spawn(|| writer.write_all(&vec![7; 1 << 20], Some(&latch)));
                std::thread::sleep(Duration::from_millis(20));
                latch.raise();
                let error = blocked.join().unwrap().unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            });
            assert!(start.elapsed() < Duration::from_secs(5));
            let mut buffer = [0; 4096];
            assert_eq!(reader.read(&mut buffer).unwrap(), Received::Octets(4096));
        }
    }

    #[test]
    fn everything_reaches_a_slow_reader() {
        for asks_not_to_block in [true, false] {
            let (mut reader, mut writer) = pipe();
            writer.asks_not_to_block = asks_not_to_block;
            let sent: Vec<u8> = (0..300_000_u32).map(|n| (n >> 3) as u8).collect();
            let received = std::thread::scope(|scope| {
                scope.spawn(|| {
                    writer.write_all(&sent, None).unwrap();
                    writer.close().unwrap();
                });
                let mut received = Vec::new();
                let mut buffer = [0; 10_000];
                loop {
                    match reader.read(&mut buffer).unwrap() {
                        Received::Octets(n) => received.extend_from_slice(&buffer[..n]),
                        Received::NothingYet => {
                            reader.wait_readable(&[], None).unwrap();
                        }
                        Received::End => return received,
                    }
                }
            });
            assert_eq!(received, sent);
        }
    }

    #[test]
    fn cr_15_a_directory_is_refused_when_opened() {
        let error = Stream::open(&std::env::temp_dir()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
    }

    #[test]
    fn devices_and_their_errors() {
        let mut null = Stream::create(Path::new("/dev/null"), None).unwrap();
        null.write_all(b"gone", None).unwrap();
        null.close().unwrap();
        let mut null = Stream::open(Path::new("/dev/null")).unwrap();
        assert_eq!(null.read(&mut [0; 8]).unwrap(), Received::End);
        let mut full = Stream::create(Path::new("/dev/full"), None).unwrap();
        let error = full.write_all(b"too much", None).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
