//! libpcap, opened when it is first needed: compiling filter expressions and live capture.
//!
//! Nothing here links against libpcap. Where it is not installed, [`library`] says which package
//! has it; reading savefiles works without.

mod bindings;
mod live;

pub use live::{Capture, CaptureError, Interface, InterfaceError, Packet, Statistics};

use bindings::{BpfInstruction, BpfProgram, Functions, Handle};
use std::ffi::{CStr, CString, c_char, c_int, c_uint};
use std::fmt;
use std::ptr::NonNull;
use std::sync::OnceLock;

/// Longest frame that compiled programs ask for, in octets.
const SNAPLEN: c_int = 262_144;

/// One instruction of a classic BPF program: code, jump if true, jump if false, constant.
pub type Instruction = (u16, u8, u8, u32);

/// Why libpcap cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unavailable {
    reason: String,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "libpcap cannot be opened ({}); on Debian, install the package libpcap0.8",
            self.reason
        )
    }
}

impl std::error::Error for Unavailable {}

/// libpcap, for as long as the process runs.
#[derive(Debug)]
pub struct Library {
    functions: Functions,
}

/// Opens libpcap, once.
///
/// # Errors
///
/// [`Unavailable`] when it is not installed or lacks a function; the answer is remembered.
pub fn library() -> Result<&'static Library, Unavailable> {
    static LIBRARY: OnceLock<Result<Library, Unavailable>> = OnceLock::new();
    LIBRARY
        .get_or_init(|| Library::open(&[c"libpcap.so.1", c"libpcap.so.0.8"]))
        .as_ref()
        .map_err(Clone::clone)
}

impl Library {
    fn open(names: &[&CStr]) -> Result<Self, Unavailable> {
        let mut reason = "no name given".to_owned();
        for name in names {
            match bindings::open(name) {
                Ok(functions) => return Ok(Self { functions }),
                Err(error) => reason = error,
            }
        }
        Err(Unavailable { reason })
    }

    /// Returns libpcap's own version text.
    #[must_use]
    pub fn version(&self) -> String {
        // SAFETY: takes nothing and returns a static string.
        #[expect(unsafe_code, reason = "foreign function")]
        let text = unsafe { (self.functions.lib_version)() };
        text_at(text)
    }

    /// Compiles a filter expression for a link type (a number as savefiles carry it), optimised,
    /// for a netmask of zero.
    ///
    /// # Errors
    ///
    /// libpcap's own words.
    pub fn compile(&'static self, expression: &str, link: u16) -> Result<Vec<Instruction>, String> {
        let dead = self.dead_handle(link)?;
        let program = dead.compile(expression)?;
        // SAFETY: a compiled program holds `len` instructions at `instructions`.
        #[expect(unsafe_code, reason = "reads an array that libpcap allocated")]
        let instructions = unsafe {
            std::slice::from_raw_parts(program.raw.instructions, program.raw.len as usize)
        };
        Ok(instructions.iter().map(BpfInstruction::parts).collect())
    }

    /// Runs instructions by libpcap's own interpreter; for comparing another one with it.
    ///
    /// `None` when libpcap holds them for invalid. `wire_len` is in octets.
    #[must_use]
    pub fn run(&self, instructions: &[Instruction], packet: &[u8], wire_len: u32) -> Option<u32> {
        let instructions: Vec<_> =
            instructions.iter().map(|parts| BpfInstruction::from_parts(*parts)).collect();
        let len = c_int::try_from(instructions.len()).ok()?;
        // SAFETY: both arrays live through the calls; the program is validated before it runs,
        // and the interpreter checks every load against the packet's length.
        #[expect(unsafe_code, reason = "foreign functions")]
        unsafe {
            let first = instructions.as_ptr();
            let valid = (self.functions.bpf_validate)(first, len) != 0;
            valid.then(|| {
                let packet_len = packet.len() as c_uint;
                (self.functions.bpf_filter)(first, packet.as_ptr(), wire_len, packet_len)
            })
        }
    }

    fn dead_handle(&'static self, link: u16) -> Result<PcapHandle, String> {
        // Savefiles number raw IP differently from the library.
        let link = if link == 101 { 12 } else { c_int::from(link) };
        // SAFETY: takes two numbers.
        #[expect(unsafe_code, reason = "foreign function")]
        let raw = unsafe { (self.functions.open_dead)(link, SNAPLEN) };
        let raw = NonNull::new(raw).ok_or("out of memory")?;
        Ok(PcapHandle { library: self, raw })
    }
}

/// Copies a C string that libpcap owns; null gives the empty string.
fn text_at(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: not null, and libpcap ends its strings with NUL.
    #[expect(unsafe_code, reason = "reads a string that libpcap owns")]
    let text = unsafe { CStr::from_ptr(text) };
    text.to_string_lossy().trim_end().to_owned()
}

/// A handle that is closed when dropped.
#[derive(Debug)]
struct PcapHandle {
    library: &'static Library,
    raw: NonNull<Handle>,
}

// SAFETY: a handle has no ties to the thread that opened it; it is used by one thread at a time
// because it is not `Sync`.
#[expect(unsafe_code, reason = "a foreign handle moves between threads")]
unsafe impl Send for PcapHandle {}

impl PcapHandle {
    fn functions(&self) -> &'static Functions {
        &self.library.functions
    }

    fn error_text(&self) -> String {
        // SAFETY: the handle is open; the text lives in it.
        #[expect(unsafe_code, reason = "foreign function")]
        let text = unsafe { (self.functions().geterr)(self.raw.as_ptr()) };
        text_at(text)
    }

    fn compile(&self, expression: &str) -> Result<CompiledProgram, String> {
        let expression = CString::new(expression).map_err(|_| "it contains a NUL octet")?;
        let mut program = CompiledProgram { functions: self.functions(), raw: BpfProgram::EMPTY };
        // SAFETY: the handle is open, the program is writable, the expression ends with NUL.
        #[expect(unsafe_code, reason = "foreign function")]
        let status = unsafe {
            (self.functions().compile)(
                self.raw.as_ptr(),
                &raw mut program.raw,
                expression.as_ptr(),
                1,
                0,
            )
        };
        if status == 0 { Ok(program) } else { Err(self.error_text()) }
    }
}

impl Drop for PcapHandle {
    fn drop(&mut self) {
        // SAFETY: the handle is open and not used afterwards.
        #[expect(unsafe_code, reason = "foreign function")]
        unsafe {
            (self.functions().close)(self.raw.as_ptr());
        }
    }
}

/// A program that libpcap allocated.
struct CompiledProgram {
    functions: &'static Functions,
    raw: BpfProgram,
}

impl Drop for CompiledProgram {
    fn drop(&mut self) {
        // SAFETY: empty, or filled by `pcap_compile`; not used afterwards.
        #[expect(unsafe_code, reason = "foreign function")]
        unsafe {
            (self.functions.freecode)(&raw mut self.raw);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cp_4_absence_names_the_package() {
        let error = Library::open(&[c"libpcap-that-does-not-exist.so.9"]).unwrap_err().to_string();
        assert!(error.contains("install the package libpcap0.8"), "{error}");
        assert!(!error.contains('\n'), "{error}");
        let incomplete = Library::open(&[c"libc.so.6"]).unwrap_err().to_string();
        assert!(incomplete.contains("pcap_"), "{incomplete}");
    }

    #[test]
    fn expressions_compile_or_say_why_not() {
        let Ok(library) = library() else {
            println!("skipped: libpcap is not installed");
            return;
        };
        assert!(library.version().starts_with("libpcap version"), "{}", library.version());
        for (link, expression, want) in [
            (101, "udp port 53", Ok(())),
            (1, "vlan and udp port 53", Ok(())),
            (276, "udp", Ok(())),
            (101, "vlan and ip", Err("no VLAN support")),
            (101, "net 10.0.0.1/24", Err("non-network bits set")),
            (101, "udp 53", Err("syntax error")),
            (101, "a\0b", Err("NUL")),
        ] {
            let got = library.compile(expression, link);
            match (got, want) {
                (Ok(program), Ok(())) => {
                    assert_eq!(program.last().unwrap().0 & 7, 6, "{expression}");
                }
                (Err(reason), Err(part)) => assert!(reason.contains(part), "{reason}"),
                (got, _) => panic!("{expression}: {got:?}"),
            }
        }
    }

    #[test]
    fn programs_run_in_the_library_as_well() {
        let Ok(library) = library() else {
            println!("skipped: libpcap is not installed");
            return;
        };
        assert_eq!(library.run(&[(0x30, 0, 0, 1), (0x16, 0, 0, 0)], &[5, 6], 2), Some(6));
        assert_eq!(library.run(&[(0x80, 0, 0, 0), (0x16, 0, 0, 0)], &[], 99), Some(99));
        assert_eq!(library.run(&[(0x30, 0, 0, 1)], &[5, 6], 2), None, "no return");
    }
}
