use std::ffi::{CStr, CString};
use std::io;
use std::path::Path;

/// A user of this machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    name: CString,
    id: u32,
    group: u32,
}

/// Room for one entry of the user database, in octets: at first and at most.
const ENTRY: usize = 1 << 10;
const LARGEST_ENTRY: usize = 1 << 20;

impl User {
    /// Looks a user up by name; `None` when there is no such user.
    ///
    /// # Errors
    ///
    /// When the user database cannot be read.
    #[expect(unsafe_code, reason = "getpwnam_r has no safe binding")]
    pub fn named(name: &str) -> io::Result<Option<Self>> {
        let Ok(name) = CString::new(name) else { return Ok(None) };
        let mut memory = vec![0_u8; ENTRY];
        loop {
            // SAFETY: all zero is a valid value of this plain structure.
            let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
            let mut found = std::ptr::null_mut();
            // SAFETY: the name ends with a NUL; entry, memory and result are valid for writing and
            // outlive the use of the entry, of which only numbers are taken.
            let result = unsafe {
                libc::getpwnam_r(
                    name.as_ptr(),
                    &raw mut entry,
                    memory.as_mut_ptr().cast(),
                    memory.len(),
                    &raw mut found,
                )
            };
            match result {
                _ if !found.is_null() => {
                    return Ok(Some(Self { name, id: entry.pw_uid, group: entry.pw_gid }));
                }
                libc::ERANGE if memory.len() < LARGEST_ENTRY => memory.resize(memory.len() * 2, 0),
                libc::EINTR => {}
                0 | libc::ENOENT | libc::ESRCH => return Ok(None),
                error => return Err(io::Error::from_raw_os_error(error)),
            }
        }
    }

    /// The user's number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The user's name.
    #[must_use]
    pub fn name(&self) -> &CStr {
        &self.name
    }

    /// Gives a file to the user.
    ///
    /// # Errors
    ///
    /// Those of chown(2).
    pub fn own(&self, path: &Path) -> io::Result<()> {
        std::os::unix::fs::chown(path, Some(self.id), Some(self.group))
    }

    /// Turns this process into one of the user, for good: supplementary groups, group and user, in this
    /// order, and then makes sure that there is no way back. Must be called before threads are started.
    ///
    /// # Errors
    ///
    /// Permission denied without the privilege to do so, or when the old user would still be within
    /// reach; the process is not to go on then.
    #[expect(unsafe_code, reason = "changing the user has no safe binding")]
    pub fn become_for_good(&self) -> io::Result<()> {
        // SAFETY: the name ends with a NUL and outlives the call.
        check(unsafe { libc::initgroups(self.name.as_ptr(), self.group) })?;
        // SAFETY: the calls take no pointers.
        check(unsafe { libc::setresgid(self.group, self.group, self.group) })?;
        // SAFETY: as above.
        check(unsafe { libc::setresuid(self.id, self.id, self.id) })?;
        let (mut users, mut groups) = ([0; 3], [0; 3]);
        let [real, effective, saved] = &mut users;
        // SAFETY: the places are valid for writing.
        check(unsafe { libc::getresuid(real, effective, saved) })?;
        let [real, effective, saved] = &mut groups;
        // SAFETY: as above.
        check(unsafe { libc::getresgid(real, effective, saved) })?;
        // SAFETY: the call takes no pointers.
        let came_back = self.id != 0 && unsafe { libc::setuid(0) } == 0;
        if came_back || users != [self.id; 3] || groups != [self.group; 3] {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(())
    }
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name() {
        let root = User::named("root").unwrap().unwrap();
        assert_eq!((root.id(), root.name()), (0, c"root"));
        for missing in ["no-such-user-here", "", "ro\0ot", "0"] {
            assert_eq!(User::named(missing).unwrap(), None, "{missing:?}");
        }
    }
}
