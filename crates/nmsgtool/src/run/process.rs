//! The process itself: its pid file, its user, and whether it has a terminal.

use super::report::Reporter;
use crate::failure::{ExitStatus, Failure, FailureKind, reason};
use crate::settings::Settings;
use crate::spell::printable;
use nmsg_os::User;
use nmsg_os::daemon::{self, Detached, Side};
use std::ffi::OsStr;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What goes on after [`detach`].
pub(super) enum Going {
    /// This process; it is to tell its parent when it is ready, if it has one.
    On(Option<Detached>),
    /// Another one; this one is to exit.
    Elsewhere(ExitStatus),
}

/// Leaves the terminal to the parent if that is asked for. No thread may run yet.
pub(super) fn detach(settings: &Settings) -> Result<Going, Failure> {
    if !settings.daemon {
        return Ok(Going::On(None));
    }
    match daemon::detach() {
        Ok(Side::Child(detached)) => Ok(Going::On(Some(detached))),
        Ok(Side::Parent(status)) => Ok(Going::Elsewhere(ExitStatus::from_code(status))),
        Err(error) => Err(refused("unable to detach", &error)),
    }
}

/// Tells everybody who waits for it that everything is set up.
pub(super) fn ready(detached: Option<Detached>) -> Result<(), Failure> {
    if let Some(detached) = detached {
        detached.ready().map_err(|error| refused("unable to detach", &error))?;
    }
    let state = format!("READY=1\nMAINPID={}", std::process::id());
    // A service manager that does not listen is no reason to stop.
    let _ = daemon::notify_service_manager(&state);
    Ok(())
}

/// Tells the service manager that the run comes to its end.
pub(super) fn stopping() {
    // As above.
    let _ = daemon::notify_service_manager("STOPPING=1");
}

/// Looks up the user to become.
pub(super) fn user(settings: &Settings) -> Result<Option<User>, Failure> {
    let Some(name) = &settings.user else { return Ok(None) };
    let shown = printable(OsStr::new(name));
    match User::named(name) {
        Ok(Some(user)) => Ok(Some(user)),
        Ok(None) => {
            let message = format!("username {shown} does not exist");
            Err(Failure::new(FailureKind::SetUp, message))
        }
        Err(error) => Err(refused(format_args!("unable to look up user {shown}"), &error)),
    }
}

/// Becomes a user for good.
pub(super) fn switch_to(user: &User, reporter: &Reporter) -> Result<(), Failure> {
    let name = user.name().to_string_lossy();
    user.become_for_good().map_err(|error| {
        Failure::new(FailureKind::SetUp, format!("unable to change to user {name}"))
            .with_hint(format!("only a privileged process can: {}", reason(&error)))
    })?;
    reporter.line(2, format_args!("switched to user {name}"));
    Ok(())
}

/// A file that holds the number of this process as long as it runs.
pub(super) struct PidFile {
    path: PathBuf,
    /// False once the file was removed.
    exists: bool,
}

impl PidFile {
    /// Creates the file, with the number in it, and gives it to the user that the process will become.
    /// A relative path is meant from where the process is now.
    pub(super) fn create(path: &Path, user: Option<&User>) -> Result<Self, Failure> {
        let created = || -> io::Result<Self> {
            let mut file = File::create(path)?;
            let this = Self { path: std::path::absolute(path)?, exists: true };
            if let Some(user) = user {
                user.own(path)?;
            }
            writeln!(file, "{}", std::process::id())?;
            Ok(this)
        };
        created().map_err(|error| {
            let path = printable(path.as_os_str());
            refused(format_args!("unable to open pidfile {path}"), &error)
        })
    }

    /// Removes the file, and says so if that is not possible.
    pub(super) fn remove(mut self, reporter: &Reporter) {
        if let Err(error) = self.unlink() {
            reporter.line(1, format_args!("unlink() failed: {}", reason(&error)));
        }
    }

    fn unlink(&mut self) -> io::Result<()> {
        self.exists = false;
        fs::remove_file(&self.path)
    }
}

/// A start that failed leaves no file behind.
impl Drop for PidFile {
    fn drop(&mut self) {
        if self.exists {
            // What keeps the program from starting is being told already.
            let _ = self.unlink();
        }
    }
}

#[cold]
fn refused(what: impl Display, error: &io::Error) -> Failure {
    Failure::new(FailureKind::SetUp, format!("{what}: {}", reason(error)))
}
