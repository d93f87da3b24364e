use nmsg_os::{Latch, Stream, durable};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

/// The steps that a rotated file goes through, one file at a time; tests let them fail.
pub trait RotatedFiles: Send {
    /// Creates the hidden file; what it was before stays untouched.
    ///
    /// # Errors
    ///
    /// Those of the system; already exists when there is a file of that name.
    fn create(&mut self, part: &Path) -> io::Result<()>;

    /// Writes to the file.
    ///
    /// # Errors
    ///
    /// Those of the system.
    fn write(&mut self, octets: &[u8], interrupt: Option<&Latch>) -> io::Result<()>;

    /// Waits until the file is on disk.
    ///
    /// # Errors
    ///
    /// When it is not.
    fn sync(&mut self) -> io::Result<()>;

    /// Closes the file, which stays locked.
    ///
    /// # Errors
    ///
    /// What the system only finds out now.
    fn close(&mut self) -> io::Result<()>;

    /// Gives the file its name, which must not be taken, and lets go of it.
    ///
    /// # Errors
    ///
    /// Those of the system; the file then keeps its hidden name.
    fn rename(&mut self, part: &Path, complete: &Path) -> io::Result<()>;

    /// Waits until the names in a directory are on disk.
    ///
    /// # Errors
    ///
    /// Those of the system.
    fn sync_directory(&mut self, directory: &Path) -> io::Result<()>;

    /// Removes the hidden file.
    ///
    /// # Errors
    ///
    /// Those of the system.
    fn remove(&mut self, part: &Path) -> io::Result<()>;
}

/// Files on disk.
#[derive(Debug, Default)]
pub struct DiskFiles {
    /// What is written to; gone once closed.
    stream: Option<Stream>,
    /// The same file, which holds the lock.
    locked: Option<File>,
}

impl RotatedFiles for DiskFiles {
    fn create(&mut self, part: &Path) -> io::Result<()> {
        let file = durable::create_locked(part)?;
        self.stream = Some(Stream::inherited(OwnedFd::from(file.try_clone()?))?);
        self.locked = Some(file);
        Ok(())
    }

    fn write(&mut self, octets: &[u8], interrupt: Option<&Latch>) -> io::Result<()> {
        match &mut self.stream {
            Some(stream) => stream.write_all(octets, interrupt),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.locked.as_ref().map_or(Ok(()), File::sync_all)
    }

    fn close(&mut self) -> io::Result<()> {
        self.stream.take().map_or(Ok(()), Stream::close)
    }

    fn rename(&mut self, part: &Path, complete: &Path) -> io::Result<()> {
        durable::rename_without_replacing(part, complete)?;
        self.locked = None;
        Ok(())
    }

    fn sync_directory(&mut self, directory: &Path) -> io::Result<()> {
        durable::sync_directory(directory)
    }

    fn remove(&mut self, part: &Path) -> io::Result<()> {
        self.locked = None;
        std::fs::remove_file(part)
    }
}
