//! Live capture.

use super::bindings::{ERROR_TEXT_LEN, Handle, PacketHeader, Stat};
use super::{Library, PcapHandle, text_at};
use crate::latch::{self, Latch, Ready};
use std::ffi::{CString, c_char, c_int};
use std::fmt;
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::ptr::NonNull;
use std::time::Instant;

/// Kernel buffer, in octets.
const BUFFER_OCTETS: c_int = 16 << 20;

/// How long the kernel may keep frames back to hand over several at once, in milliseconds.
const READ_TIMEOUT_MS: c_int = 100;

/// What to capture on: a name, and how.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Interface {
    /// Name, such as `eth0`.
    pub name: String,
    /// Take frames for other hosts as well.
    pub promiscuous: bool,
    /// Octets kept of each frame.
    pub snaplen: u32,
}

/// Why a text does not name an interface.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum InterfaceError {
    /// No name before the comma or plus sign.
    NoName,
    /// The text behind the comma is no length.
    Snaplen(String),
}

impl fmt::Display for InterfaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoName => f.write_str("interface name missing"),
            Self::Snaplen(text) => write!(f, "parse error: '{text}' is not a valid snaplen"),
        }
    }
}

impl std::error::Error for InterfaceError {}

impl Interface {
    /// Octets kept of each frame unless asked otherwise.
    pub const SNAPLEN: u32 = 1522;

    /// Reads `NAME[+][,SNAPLEN]`.
    ///
    /// The first `+` ends the name and asks for promiscuous mode; the length is decimal,
    /// hexadecimal behind `0x`, or octal behind `0`; further comma fields are ignored.
    ///
    /// # Errors
    ///
    /// [`InterfaceError`].
    pub fn parse(text: &str) -> Result<Self, InterfaceError> {
        let mut fields = text.split(',');
        let name = fields.next().unwrap_or_default();
        let snaplen = match fields.next() {
            None => Self::SNAPLEN,
            Some(field) => {
                parse_snaplen(field).ok_or_else(|| InterfaceError::Snaplen(field.to_owned()))?
            }
        };
        let (name, promiscuous) = match name.split_once('+') {
            Some((name, _)) => (name, true),
            None => (name, false),
        };
        if name.is_empty() {
            return Err(InterfaceError::NoName);
        }
        Ok(Self { name: name.to_owned(), promiscuous, snaplen })
    }
}

fn parse_snaplen(text: &str) -> Option<u32> {
    let (digits, radix) = if let Some(rest) = text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        (rest, 16)
    } else if text.len() > 1 && text.starts_with('0') {
        (&text[1..], 8)
    } else {
        (text, 10)
    };
    if digits.starts_with('+') {
        return None;
    }
    u32::from_str_radix(digits, radix).ok().filter(|snaplen| *snaplen <= i32::MAX as u32)
}

/// Why capturing does not work, in libpcap's words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CaptureError(String);

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CaptureError {}

/// One captured frame; borrows from the kernel's ring until the next one is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Packet<'a> {
    /// Time of capture: seconds and microseconds since the Unix epoch.
    pub time: (i64, u32),
    /// Length on the wire, in octets.
    pub original_len: u32,
    /// The captured octets.
    pub octets: &'a [u8],
}

/// What the kernel counted since the capture was opened, in frames.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Statistics {
    /// Passed the filter.
    pub received: u64,
    /// Lost because the kernel buffer was full.
    pub dropped: u64,
    /// Lost by the interface or its driver, where that is known.
    pub interface_dropped: u64,
}

/// An open capture.
#[derive(Debug)]
pub struct Capture {
    handle: PcapHandle,
    link: u16,
    descriptor: RawFd,
    /// Counters as last read, and their sums: the kernel's wrap at 32 bits.
    last: Stat,
    statistics: Statistics,
}

impl Capture {
    /// Starts capturing. Reading never blocks; see [`Self::wait`].
    ///
    /// # Errors
    ///
    /// No such interface, no permission, or a warning of libpcap, as by `capture-and-dnsqr` §1.1.
    pub fn open(library: &'static Library, interface: &Interface) -> Result<Self, CaptureError> {
        let name = CString::new(interface.name.as_str())
            .map_err(|_| CaptureError("interface name contains a NUL octet".to_owned()))?;
        let mut error_text: [c_char; ERROR_TEXT_LEN] = [0; ERROR_TEXT_LEN];
        // SAFETY: the name ends with NUL and there is room for the error text.
        #[expect(unsafe_code, reason = "foreign function")]
        let raw = unsafe { (library.functions.create)(name.as_ptr(), error_text.as_mut_ptr()) };
        let raw = NonNull::new(raw).ok_or_else(|| CaptureError(text_at(error_text.as_ptr())))?;
        let handle = PcapHandle { library, raw };
        let snaplen = c_int::try_from(interface.snaplen).unwrap_or(c_int::MAX);
        let functions = &library.functions;
        // SAFETY: the handle is created and not yet activated.
        #[expect(unsafe_code, reason = "foreign functions")]
        let status = unsafe {
            let raw = raw.as_ptr();
            (functions.set_snaplen)(raw, snaplen);
            (functions.set_promisc)(raw, interface.promiscuous.into());
            (functions.set_timeout)(raw, READ_TIMEOUT_MS);
            (functions.set_buffer_size)(raw, BUFFER_OCTETS);
            (functions.activate)(raw)
        };
        if status != 0 {
            return Err(CaptureError(activation_text(&handle, status)));
        }
        // SAFETY: the handle is activated and there is room for the error text.
        #[expect(unsafe_code, reason = "foreign functions")]
        let (nonblocking, link, descriptor) = unsafe {
            let raw = raw.as_ptr();
            (
                (functions.setnonblock)(raw, 1, error_text.as_mut_ptr()),
                (functions.datalink)(raw),
                (functions.get_selectable_fd)(raw),
            )
        };
        if nonblocking != 0 {
            return Err(CaptureError(text_at(error_text.as_ptr())));
        }
        if descriptor < 0 {
            let name = &interface.name;
            return Err(CaptureError(format!("{name}: this kind of interface cannot be polled")));
        }
        let link = u16::try_from(link).unwrap_or(u16::MAX);
        let statistics = Statistics::default();
        Ok(Self { handle, link, descriptor, last: Stat::default(), statistics })
    }

    /// Returns the link type, numbered as in savefiles.
    #[must_use]
    pub fn link(&self) -> u16 {
        self.link
    }

    /// Has the kernel pass only what an expression wants.
    ///
    /// # Errors
    ///
    /// libpcap's own words.
    pub fn set_filter(&mut self, expression: &str) -> Result<(), CaptureError> {
        let mut program = self.handle.compile(expression).map_err(CaptureError)?;
        // SAFETY: the handle is activated and the program was compiled for it.
        #[expect(unsafe_code, reason = "foreign function")]
        let status = unsafe {
            (self.handle.functions().setfilter)(self.handle.raw.as_ptr(), &raw mut program.raw)
        };
        if status == 0 { Ok(()) } else { Err(CaptureError(self.handle.error_text())) }
    }

    /// Returns the next frame, or `None` when there is none right now.
    ///
    /// # Errors
    ///
    /// The interface went down or away; the capture is over.
    pub fn next_packet(&mut self) -> Result<Option<Packet<'_>>, CaptureError> {
        let mut header: *mut PacketHeader = std::ptr::null_mut();
        let mut octets = std::ptr::null();
        // SAFETY: the handle is activated; both out-parameters are writable.
        #[expect(unsafe_code, reason = "foreign function")]
        let status = unsafe {
            let raw: *mut Handle = self.handle.raw.as_ptr();
            (self.handle.functions().next_ex)(raw, &raw mut header, &raw mut octets)
        };
        match status {
            1 => {}
            0 => return Ok(None),
            _ => return Err(CaptureError(self.handle.error_text())),
        }
        // SAFETY: status 1 means that both point to a frame that stays until the next call, which
        // needs `&mut self` and so cannot happen while the result is borrowed.
        #[expect(unsafe_code, reason = "reads what libpcap points to")]
        let (header, octets) = unsafe {
            let header = *header;
            (header, std::slice::from_raw_parts(octets, header.captured_len as usize))
        };
        Ok(Some(Packet {
            time: (header.time.tv_sec, header.time.tv_usec as u32),
            original_len: header.original_len,
            octets,
        }))
    }

    /// Waits until frames may be there, a latch is raised, or `until` has come.
    ///
    /// # Errors
    ///
    /// Those of poll(2) other than an interruption.
    pub fn wait(&self, latches: &[&Latch], until: Option<Instant>) -> io::Result<Ready> {
        // SAFETY: the descriptor belongs to the handle, which outlives this borrow.
        #[expect(unsafe_code, reason = "lends a descriptor that libpcap owns")]
        let descriptor = unsafe { BorrowedFd::borrow_raw(self.descriptor) };
        latch::poll(Some(descriptor), libc::POLLIN, latches, until)
    }

    /// Asks the kernel what was received and lost so far.
    ///
    /// # Errors
    ///
    /// libpcap's own words.
    pub fn statistics(&mut self) -> Result<Statistics, CaptureError> {
        let mut stat = Stat::default();
        // SAFETY: the handle is activated and the counters are writable.
        #[expect(unsafe_code, reason = "foreign function")]
        let status =
            unsafe { (self.handle.functions().stats)(self.handle.raw.as_ptr(), &raw mut stat) };
        if status != 0 {
            return Err(CaptureError(self.handle.error_text()));
        }
        let since = |now: u32, before: u32| u64::from(now.wrapping_sub(before));
        let sums = &mut self.statistics;
        sums.received += since(stat.received, self.last.received);
        sums.dropped += since(stat.dropped, self.last.dropped);
        sums.interface_dropped += since(stat.interface_dropped, self.last.interface_dropped);
        self.last = stat;
        Ok(self.statistics)
    }
}

fn activation_text(handle: &PcapHandle, status: c_int) -> String {
    // SAFETY: takes a number and returns a static string.
    #[expect(unsafe_code, reason = "foreign function")]
    let kind = text_at(unsafe { (handle.functions().statustostr)(status) });
    match handle.error_text() {
        text if text.is_empty() || text == kind => {
            format!("pcap_activate() failed: {status} ({kind})")
        }
        text => format!("pcap_activate() failed: {status} ({kind}: {text})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interface_texts() {
        let interface = |name: &str, promiscuous, snaplen| {
            Ok(Interface { name: name.to_owned(), promiscuous, snaplen })
        };
        let bad = |text: &str| Err(InterfaceError::Snaplen(text.to_owned()));
        for (text, want) in [
            ("eth0", interface("eth0", false, 1522)),
            ("eth0+", interface("eth0", true, 1522)),
            ("lo+100", interface("lo", true, 1522)),
            ("eth0,9000", interface("eth0", false, 9000)),
            ("eth0+,0x100", interface("eth0", true, 256)),
            ("eth0,010", interface("eth0", false, 8)),
            ("eth0,0", interface("eth0", false, 0)),
            ("eth0,100,whatever", interface("eth0", false, 100)),
            ("eth0,abc", bad("abc")),
            ("eth0,-1", bad("-1")),
            ("eth0,+1", bad("+1")),
            ("eth0,", bad("")),
            ("eth0,10x", bad("10x")),
            ("eth0,2147483648", bad("2147483648")),
            ("", Err(InterfaceError::NoName)),
            ("+", Err(InterfaceError::NoName)),
            (",100", Err(InterfaceError::NoName)),
        ] {
            assert_eq!(Interface::parse(text), want, "{text}");
        }
        assert_eq!(
            Interface::parse("eth0,abc").unwrap_err().to_string(),
            "parse error: 'abc' is not a valid snaplen"
        );
        assert_eq!(InterfaceError::NoName.to_string(), "interface name missing");
    }
}
