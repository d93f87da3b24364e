//! Going on without a terminal (`decisions` SG-7), and telling a service manager about it.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The side of [`detach`] that goes on: its parent still waits at the terminal.
#[derive(Debug)]
pub struct Detached {
    ready: io::PipeWriter,
}

/// What [`detach`] gives to each of the two processes.
#[derive(Debug)]
pub enum Side {
    /// The process that goes on. Its parent waits until [`Detached::ready`].
    Child(Detached),
    /// The process at the terminal; it is to exit with this status, which is 0 if the child is ready,
    /// and the child's own if it ended before.
    Parent(u8),
}

/// Splits the process in two. Must be called before threads are started. The child leads a session of
/// its own, away from the terminal, which it still can write to until it is ready.
///
/// # Errors
///
/// Those of pipe(2) and fork(2).
#[expect(unsafe_code, reason = "fork has no safe binding")]
pub fn detach() -> io::Result<Side> {
    let (mut reader, ready) = io::pipe()?;
    // SAFETY: the caller promises that there are no other threads, so that the child may go on as if
    // nothing had happened.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            drop(reader);
            // SAFETY: the call takes no pointers; a new child never leads a process group.
            unsafe { libc::setsid() };
            Ok(Side::Child(Detached { ready }))
        }
        child => {
            drop(ready);
            let mut word = Vec::new();
            reader.read_to_end(&mut word)?;
            Ok(Side::Parent(if word.is_empty() { exit_status(child) } else { 0 }))
        }
    }
}

/// Waits for a child that has failed; gives its exit status as a shell would.
#[expect(unsafe_code, reason = "waitpid has no safe binding")]
fn exit_status(child: libc::pid_t) -> u8 {
    let mut status = 0;
    loop {
        // SAFETY: the status is valid for writing.
        if unsafe { libc::waitpid(child, &raw mut status, 0) } == child {
            break;
        }
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return 1;
        }
    }
    let number = if libc::WIFSIGNALED(status) {
        128 + libc::WTERMSIG(status)
    } else {
        libc::WEXITSTATUS(status)
    };
    // A child that says it is fine without having been ready is not.
    u8::try_from(number).unwrap_or(1).max(1)
}

impl Detached {
    /// Lets go of the terminal: the null device takes the place of standard input, output and error, `/`
    /// becomes the current directory, and the parent exits.
    ///
    /// # Errors
    ///
    /// When there is no null device.
    pub fn ready(mut self) -> io::Result<()> {
        let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
        env::set_current_dir("/")?;
        take_places(&null)?;
        // The parent may have been killed meanwhile; that is no reason to stop.
        let _ = self.ready.write_all(b"1");
        Ok(())
    }
}

#[expect(unsafe_code, reason = "dup2 has no safe binding")]
fn take_places(null: &File) -> io::Result<()> {
    for place in 0..=2 {
        // SAFETY: both descriptors are open or about to be; standard streams belong to the process.
        if unsafe { libc::dup2(null.as_raw_fd(), place) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Tells the service manager that started this process about it, such as `READY=1`; false when there is
/// none (`NOTIFY_SOCKET` is not set).
///
/// # Errors
///
/// Those of the socket.
pub fn notify_service_manager(state: &str) -> io::Result<bool> {
    let Some(name) = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
        return Ok(false);
    };
    notify(&name, state).map(|()| true)
}

fn notify(name: &std::ffi::OsStr, state: &str) -> io::Result<()> {
    let name = name.as_encoded_bytes();
    let address = match name.strip_prefix(b"@") {
        Some(abstract_name) => SocketAddr::from_abstract_name(abstract_name)?,
        None => SocketAddr::from_pathname(std::path::Path::new(
            <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(name),
        ))?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address).map(|_| ())
}

/// Makes sure that programs started from here inherit standard input, output and error and nothing else
/// (`decisions` RO-5).
///
/// # Errors
///
/// When the system cannot tell which descriptors there are.
#[expect(unsafe_code, reason = "close_range has no safe binding")]
pub fn keep_descriptors_from_children() -> io::Result<()> {
    // SAFETY: the call marks descriptors and closes none.
    if unsafe { libc::close_range(3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC as _) } == 0 {
        return Ok(());
    }
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let name = entry?.file_name();
        let fd = name.to_str().and_then(|name| name.parse::<libc::c_int>().ok());
        if let Some(fd) = fd.filter(|fd| *fd > 2) {
            // SAFETY: fcntl takes no pointers here; a descriptor that is gone by now is an error only.
            unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use std::ffi::OsString;
    use std::os::fd::FromRawFd;
    use std::process::Command;

    #[test]
    fn a_service_manager_is_told() {
        let scratch = Scratch::new("notify");
        let path = scratch.path().join("socket");
        let by_path = UnixDatagram::bind(&path).unwrap();
        let name = format!("nmsg-os-notify-{}", std::process::id());
        let by_name =
            UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        for (socket, name) in
            [(by_path, path.into_os_string()), (by_name, OsString::from(format!("@{name}")))]
        {
            notify(&name, "READY=1").unwrap();
            let mut buffer = [0; 16];
            let len = socket.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..len], b"READY=1", "{name:?}");
        }
        assert!(notify("/no/such/socket".as_ref(), "READY=1").is_err());
    }

    #[test]
    #[expect(unsafe_code, reason = "a descriptor that is inherited has to be made first")]
    fn ro_5_children_inherit_the_standard_streams_only() {
        // SAFETY: dup takes no pointers.
        let fd = unsafe { libc::dup(2) };
        assert!(fd > 2);
        // SAFETY: the descriptor was just made.
        let _leaking = unsafe { File::from_raw_fd(fd) };
        let inherits = || {
            let test = format!("test -e /proc/self/fd/{fd}");
            Command::new("sh").args(["-c", &test]).status().unwrap().success()
        };
        assert!(inherits(), "the test can tell");
        keep_descriptors_from_children().unwrap();
        assert!(!inherits());
    }
}
