//! Terminals, as far as a line of progress needs to know them.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Columns of a terminal that does not say how many it has.
const USUAL_COLUMNS: u16 = 80;

/// Number of columns of a terminal; `None` when the descriptor is none.
#[must_use]
#[expect(unsafe_code, reason = "ioctl has no safe binding")]
pub fn columns(terminal: BorrowedFd<'_>) -> Option<u16> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: `size` is valid for writing, and is what this request writes.
    let asked = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    (asked == 0).then_some(if size.ws_col == 0 { USUAL_COLUMNS } else { size.ws_col })
}

/// True when the terminal belongs to other processes for the time being (`command &`).
#[must_use]
#[expect(unsafe_code, reason = "process groups have no safe binding")]
pub fn is_in_background(terminal: BorrowedFd<'_>) -> bool {
    // SAFETY: neither call takes a pointer.
    let (foreground, own) = unsafe { (libc::tcgetpgrp(terminal.as_raw_fd()), libc::getpgrp()) };
    // A terminal that is not the process's own has no groups that mean anything to it.
    foreground > 0 && foreground != own
}

/// A terminal without a screen, for testing programs that behave differently on one.
#[derive(Debug)]
pub struct PseudoTerminal {
    /// What the program's terminal is: to be its standard stream.
    pub terminal: OwnedFd,
    /// Where its output can be read, and its input written.
    pub screen: File,
}

impl PseudoTerminal {
    /// A terminal of so many columns that passes octets on as they are.
    ///
    /// # Errors
    ///
    /// When the system has none left.
    #[expect(unsafe_code, reason = "openpty has no safe binding")]
    pub fn open(columns: u16) -> io::Result<Self> {
        let (mut screen, mut terminal) = (-1, -1);
        let mut size = libc::winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: a zeroed termios is a valid argument of cfmakeraw, which fills in what matters.
        let mut modes = unsafe {
            let mut modes: libc::termios = std::mem::zeroed();
            libc::cfmakeraw(&raw mut modes);
            modes
        };
        // SAFETY: all pointers are valid; no name is asked for.
        let opened = unsafe {
            libc::openpty(
                &raw mut screen,
                &raw mut terminal,
                std::ptr::null_mut(),
                &raw mut modes,
                &raw mut size,
            )
        };
        if opened != 0 {
            return Err(io::Error::last_os_error());
        }
        for fd in [screen, terminal] {
            // SAFETY: the descriptors were just made; the call takes no pointer. Descriptors that cannot
            // be marked are inherited, which is harmless.
            unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
        // SAFETY: the descriptors were just made and belong to nobody else.
        unsafe {
            Ok(Self { terminal: OwnedFd::from_raw_fd(terminal), screen: File::from_raw_fd(screen) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::fd::AsFd;

    #[test]
    fn a_pseudo_terminal_is_a_terminal_and_a_file_is_none() {
        let mut pty = PseudoTerminal::open(123).unwrap();
        assert_eq!(columns(pty.terminal.as_fd()), Some(123));
        assert!(!is_in_background(pty.terminal.as_fd()), "it is nobody's");
        let unsized_one = PseudoTerminal::open(0).unwrap();
        assert_eq!(columns(unsized_one.terminal.as_fd()), Some(80));
        let file = File::open("/dev/null").unwrap();
        assert_eq!(columns(file.as_fd()), None);
        File::from(pty.terminal).write_all(b"a\r\x1b[K\n").unwrap();
        let mut shown = [0; 6];
        pty.screen.read_exact(&mut shown).unwrap();
        assert_eq!(&shown, b"a\r\x1b[K\n");
    }
}
