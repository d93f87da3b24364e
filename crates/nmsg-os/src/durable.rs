//! Files that appear under their name only when they are whole, and survive a power cut.
//!
//! The order that makes it so: create hidden, write, [`sync`](std::fs::File::sync_all), close,
//! [`rename_without_replacing`], [`sync_directory`].

use std::ffi::CString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Creates a file that must not exist, with mode 0644 under the umask, and locks it so that nobody
/// takes it for a leftover while it is being written.
///
/// # Errors
///
/// Those of open(2); already exists when there is anything of that name.
pub fn create_locked(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o644).custom_flags(libc::O_NOFOLLOW);
    let file = options.open(path)?;
    // A file system without locks has no leftovers to be told from, either.
    let _ = file.try_lock();
    Ok(file)
}

/// Opens a file that a process left behind; `None` when it is still being written, belongs to another
/// user, or is no regular file. The file stays locked as long as it is open.
///
/// # Errors
///
/// Those of open(2).
pub fn open_leftover(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = options.open(path)?;
    let data = file.metadata()?;
    if !data.is_file() || data.uid() != effective_user() {
        return Ok(None);
    }
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(None),
        // Without locks, whether somebody writes decides.
        Ok(()) | Err(TryLockError::Error(_)) => {}
    }
    Ok((!is_written_by_others(&file)).then_some(file))
}

#[expect(unsafe_code, reason = "geteuid has no safe binding")]
fn effective_user() -> u32 {
    // SAFETY: the call takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// True when some process, which need not lock its files, has this one open for writing.
#[expect(unsafe_code, reason = "fcntl has no safe binding")]
fn is_written_by_others(file: &File) -> bool {
    let fd = file.as_raw_fd();
    // SAFETY: fcntl takes no pointers here. The kernel grants a read lease only while nobody writes.
    let granted = unsafe { libc::fcntl(fd, libc::F_SETLEASE, libc::F_RDLCK) } == 0;
    if granted {
        // SAFETY: as above.
        unsafe { libc::fcntl(fd, libc::F_SETLEASE, libc::F_UNLCK) };
    }
    !granted && io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock
}

/// Shortens a file and waits until that is on disk.
///
/// # Errors
///
/// Those of open(2), ftruncate(2) and fsync(2).
pub fn cut(path: &Path, len: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).custom_flags(libc::O_NOFOLLOW).open(path)?;
    if file.metadata()?.len() != len {
        file.set_len(len)?;
    }
    file.sync_all()
}

/// Renames a file unless there is one of the new name.
///
/// # Errors
///
/// Already exists when there is; else those of rename(2). The file keeps its name.
#[expect(unsafe_code, reason = "renameat2 has no safe binding")]
pub fn rename_without_replacing(from: &Path, to: &Path) -> io::Result<()> {
    let (from_text, to_text) = (c_text(from)?, c_text(to)?);
    // SAFETY: both texts end with a NUL and outlive the call.
    let result = unsafe {
        libc::renameat2(
            libc::AT_FDCWD,
            from_text.as_ptr(),
            libc::AT_FDCWD,
            to_text.as_ptr(),
            libc::RENAME_NOREPLACE,
        )
    };
    if result == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        // The kernel or the file system does not know the flag.
        Some(libc::EINVAL | libc::ENOSYS) => rename_by_link(from, to),
        _ => Err(error),
    }
}

/// [`rename_without_replacing`] where the kernel does not do it at once.
fn rename_by_link(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::hard_link(from, to) {
        Ok(()) => std::fs::remove_file(from),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EPERM | libc::EOPNOTSUPP)) => {
            // No hard links either: what remains is to look first.
            match std::fs::symlink_metadata(to) {
                Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
                Err(_) => std::fs::rename(from, to),
            }
        }
        Err(error) => Err(error),
    }
}

/// Waits until the names in a directory are on disk.
///
/// # Errors
///
/// Those of open(2) and fsync(2). File systems that cannot do it for directories are no error.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EROFS)) => Ok(()),
        synced => synced,
    }
}

fn c_text(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use std::fs;
    use std::io::Write;

    #[test]
    fn ro_2_a_rename_does_not_replace() {
        let scratch = Scratch::new("rename");
        type Rename = fn(&Path, &Path) -> io::Result<()>;
        let ways: [(&str, Rename); 2] =
            [("at once", rename_without_replacing), ("by link", rename_by_link)];
        for (way, rename) in ways {
            let [from, to] = ["from", "to"].map(|name| scratch.path().join(name));
            fs::write(&from, "new").unwrap();
            rename(&from, &to).unwrap();
            assert!(!from.exists() && fs::read(&to).unwrap() == b"new", "{way}");
            fs::write(&from, "newer").unwrap();
            let error = rename(&from, &to).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{way}");
            assert_eq!(
                (fs::read(&from).unwrap(), fs::read(&to).unwrap()),
                (b"newer".into(), b"new".into())
            );
            fs::remove_file(&to).unwrap();
            let missing = rename(&scratch.path().join("missing"), &to).unwrap_err();
            assert_eq!(missing.kind(), io::ErrorKind::NotFound, "{way}");
        }
        sync_directory(scratch.path()).unwrap();
        assert!(sync_directory(&scratch.path().join("missing")).is_err());
    }

    #[test]
    fn ro_2_a_part_file_replaces_nothing() {
        let scratch = Scratch::new("create");
        let path = scratch.path().join("file");
        create_locked(&path).unwrap().write_all(b"first").unwrap();
        assert_eq!(create_locked(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        let link = scratch.path().join("link");
        std::os::unix::fs::symlink("elsewhere", &link).unwrap();
        assert_eq!(create_locked(&link).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
    }

    #[test]
    fn ro_9_a_leftover_is_what_nobody_writes() {
        let scratch = Scratch::new("leftover");
        let path = scratch.path().join("file");
        let written = create_locked(&path).unwrap();
        assert!(open_leftover(&path).unwrap().is_none(), "locked by its writer");
        drop(written);
        let taken = open_leftover(&path).unwrap().unwrap();
        assert!(open_leftover(&path).unwrap().is_none(), "taken by somebody else");
        drop(taken);
        let unlocked = OpenOptions::new().append(true).open(&path).unwrap();
        if open_leftover(&path).unwrap().is_some() {
            println!("not checked: this file system has no leases");
        }
        drop(unlocked);
        assert!(open_leftover(&path).unwrap().is_some(), "left alone");
        assert!(open_leftover(scratch.path()).unwrap().is_none(), "a directory");
        let link = scratch.path().join("link");
        std::os::unix::fs::symlink("file", &link).unwrap();
        assert!(open_leftover(&link).is_err(), "a link");
        assert!(open_leftover(&scratch.path().join("missing")).is_err());
    }

    #[test]
    fn ro_9_a_file_is_cut() {
        let scratch = Scratch::new("cut");
        let path = scratch.path().join("file");
        fs::write(&path, b"whole and half").unwrap();
        cut(&path, 5).unwrap();
        cut(&path, 5).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert!(cut(&scratch.path().join("missing"), 0).is_err());
    }
}
