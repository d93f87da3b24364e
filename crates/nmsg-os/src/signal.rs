//! Signals: the handler sets flags and raises a [`Latch`], nothing else (`decisions` SG-3).

use crate::Latch;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};

/// A signal that asks the program to end in good order.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum StopSignal {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP.
    HangUp,
}

impl StopSignal {
    const ALL: [Self; 3] = [Self::Interrupt, Self::Terminate, Self::HangUp];

    /// Returns the number of the signal.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::Interrupt => libc::SIGINT,
            Self::Terminate => libc::SIGTERM,
            Self::HangUp => libc::SIGHUP,
        }
    }

    /// Returns the name as the C library prints it, such as `Terminated`.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Interrupt => "Interrupt",
            Self::Terminate => "Terminated",
            Self::HangUp => "Hangup",
        }
    }
}

/// Stop signals after which the next one takes its default action (`decisions` SG-2).
const PATIENCE: u32 = 2;

static LATCH: OnceLock<Latch> = OnceLock::new();
static STOPS: AtomicU32 = AtomicU32::new(0);
static FIRST_STOP: AtomicI32 = AtomicI32::new(0);
static REPORT_WANTED: AtomicBool = AtomicBool::new(false);
static FLUSH_WANTED: AtomicBool = AtomicBool::new(false);

#[expect(unsafe_code, reason = "giving a signal back its default action")]
fn take_default_action(number: i32) {
    // SAFETY: both calls are allowed in handlers and take no pointers that could dangle.
    unsafe {
        libc::signal(number, libc::SIG_DFL);
        libc::raise(number);
    }
}

#[expect(unsafe_code, reason = "errno belongs to the code that was interrupted")]
extern "C" fn on_stop(number: libc::c_int) {
    // SAFETY: the location is the calling thread's own for as long as the thread lives.
    let errno = unsafe { *libc::__errno_location() };
    let _ = FIRST_STOP.compare_exchange(0, number, Ordering::AcqRel, Ordering::Acquire);
    if STOPS.fetch_add(1, Ordering::AcqRel) >= PATIENCE {
        take_default_action(number);
    }
    if let Some(latch) = LATCH.get() {
        latch.raise();
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

extern "C" fn on_flush(_: libc::c_int) {
    FLUSH_WANTED.store(true, Ordering::Release);
}

extern "C" fn on_report(_: libc::c_int) {
    REPORT_WANTED.store(true, Ordering::Release);
}

#[expect(unsafe_code, reason = "sigaction has no safe binding")]
fn handle(number: i32, handler: extern "C" fn(libc::c_int)) -> io::Result<()> {
    // SAFETY: a zeroed sigaction is valid: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as *const () as usize;
    // SAFETY: `action` is initialised, and the handlers above only do what handlers may do.
    match unsafe { libc::sigaction(number, &action, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Handles SIGINT, SIGTERM and SIGHUP from now on, and SIGUSR1; gives the latch that the first
/// three raise. A stop signal that the parent ignored (`nohup`) stays ignored.
///
/// # Errors
///
/// When the system has no descriptor left.
pub fn handle_stop_signals() -> io::Result<&'static Latch> {
    let latch = match LATCH.get() {
        Some(latch) => latch,
        None => {
            let latch = Latch::new()?;
            LATCH.get_or_init(|| latch)
        }
    };
    for signal in StopSignal::ALL {
        if signal == StopSignal::Terminate || !is_ignored(signal.number()) {
            handle(signal.number(), on_stop)?;
        }
    }
    handle(libc::SIGUSR1, on_report)?;
    Ok(latch)
}

#[expect(unsafe_code, reason = "sigaction has no safe binding")]
fn is_ignored(number: i32) -> bool {
    // SAFETY: a null action only asks; the answer is written into a valid place.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(number, std::ptr::null(), &mut action) == 0
            && action.sa_sigaction == libc::SIG_IGN
    }
}

/// The stop signal that arrived first; `None` when there was none.
#[must_use]
pub fn first_stop() -> Option<StopSignal> {
    let number = FIRST_STOP.load(Ordering::Acquire);
    StopSignal::ALL.into_iter().find(|signal| signal.number() == number)
}

/// Number of stop signals that arrived.
#[must_use]
pub fn stop_count() -> u32 {
    STOPS.load(Ordering::Acquire)
}

/// True once after every SIGUSR1.
#[must_use]
#[inline]
pub fn take_report_request() -> bool {
    REPORT_WANTED.load(Ordering::Relaxed) && REPORT_WANTED.swap(false, Ordering::AcqRel)
}

/// Lets SIGHUP ask for a flush instead of the end, as suits a process that has no terminal
/// (`decisions` SG-4).
///
/// # Errors
///
/// Those of sigaction(2).
pub fn flush_on_hang_up() -> io::Result<()> {
    handle(libc::SIGHUP, on_flush)
}

/// True once after every SIGHUP, from [`flush_on_hang_up`] on.
#[must_use]
#[inline]
pub fn take_flush_request() -> bool {
    FLUSH_WANTED.load(Ordering::Relaxed) && FLUSH_WANTED.swap(false, Ordering::AcqRel)
}

/// Whether SIGPIPE was ignored when the process started, before the run-time library changed it.
static PIPE_IGNORED_AT_START: AtomicBool = AtomicBool::new(false);

extern "C" fn note_pipe_action() {
    PIPE_IGNORED_AT_START.store(is_ignored(libc::SIGPIPE), Ordering::Relaxed);
}

#[expect(unsafe_code, reason = "only code that runs before main can see what was inherited")]
// SAFETY: the section holds pointers to functions that the loader calls before main; this one
// makes one system call and stores one flag.
#[unsafe(link_section = ".init_array")]
#[used]
static NOTE_PIPE_ACTION: extern "C" fn() = note_pipe_action;

/// True when the parent process wanted this one to ignore SIGPIPE.
#[must_use]
pub fn pipe_was_ignored() -> bool {
    PIPE_IGNORED_AT_START.load(Ordering::Relaxed)
}

/// Ends the process as an unhandled SIGPIPE does; returns only where that is impossible.
pub fn die_of_broken_pipe() {
    take_default_action(libc::SIGPIPE);
}

/// Ends the process as an unhandled stop signal does; returns only where that is impossible.
pub fn die_of(signal: StopSignal) {
    take_default_action(signal.number());
}
