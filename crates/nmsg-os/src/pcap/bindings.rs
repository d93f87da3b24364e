//! The part of libpcap's interface that is used, found by name at run time.

use std::ffi::{CStr, c_char, c_int, c_uchar, c_uint, c_void};

/// `pcap_t`.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Handle {
    _opaque: [u8; 0],
}

/// `struct bpf_insn`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct BpfInstruction {
    code: u16,
    jump_true: u8,
    jump_false: u8,
    k: u32,
}

impl BpfInstruction {
    pub(super) fn parts(&self) -> super::Instruction {
        (self.code, self.jump_true, self.jump_false, self.k)
    }

    pub(super) fn from_parts((code, jump_true, jump_false, k): super::Instruction) -> Self {
        Self { code, jump_true, jump_false, k }
    }
}

/// `struct bpf_program`.
#[repr(C)]
#[derive(Debug)]
pub(super) struct BpfProgram {
    pub(super) len: c_uint,
    pub(super) instructions: *mut BpfInstruction,
}

impl BpfProgram {
    pub(super) const EMPTY: Self = Self { len: 0, instructions: std::ptr::null_mut() };
}

/// `struct pcap_pkthdr`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct PacketHeader {
    pub(super) time: libc::timeval,
    pub(super) captured_len: u32,
    pub(super) original_len: u32,
}

/// `struct pcap_stat`, as on every system but Windows.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stat {
    pub(super) received: c_uint,
    pub(super) dropped: c_uint,
    pub(super) interface_dropped: c_uint,
}

/// Room that `pcap_create` wants for its error text, in octets.
pub(super) const ERROR_TEXT_LEN: usize = 256;

/// Declares the table of functions and how each is found by its name.
macro_rules! functions {
    ($($field:ident = $symbol:literal: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// Functions of one opened library.
        #[derive(Debug)]
        pub(super) struct Functions {
            $(pub(super) $field: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Functions {
            fn find(library: *mut c_void) -> Result<Self, String> {
                Ok(Self {
                    $($field: {
                        let address = symbol(library, $symbol)?;
                        // SAFETY: the address is that of the function of this name, whose C
                        // declaration is the type of the field.
                        #[expect(unsafe_code, reason = "an address becomes a function")]
                        unsafe {
                            std::mem::transmute::<
                                *mut c_void,
                                unsafe extern "C" fn($($argument),*) $(-> $result)?,
                            >(address)
                        }
                    },)*
                })
            }
        }
    };
}

functions! {
    lib_version = c"pcap_lib_version": fn() -> *const c_char;
    open_dead = c"pcap_open_dead": fn(c_int, c_int) -> *mut Handle;
    close = c"pcap_close": fn(*mut Handle);
    geterr = c"pcap_geterr": fn(*mut Handle) -> *mut c_char;
    compile = c"pcap_compile":
        fn(*mut Handle, *mut BpfProgram, *const c_char, c_int, u32) -> c_int;
    freecode = c"pcap_freecode": fn(*mut BpfProgram);
    setfilter = c"pcap_setfilter": fn(*mut Handle, *mut BpfProgram) -> c_int;
    create = c"pcap_create": fn(*const c_char, *mut c_char) -> *mut Handle;
    set_snaplen = c"pcap_set_snaplen": fn(*mut Handle, c_int) -> c_int;
    set_promisc = c"pcap_set_promisc": fn(*mut Handle, c_int) -> c_int;
    set_timeout = c"pcap_set_timeout": fn(*mut Handle, c_int) -> c_int;
    set_buffer_size = c"pcap_set_buffer_size": fn(*mut Handle, c_int) -> c_int;
    activate = c"pcap_activate": fn(*mut Handle) -> c_int;
    statustostr = c"pcap_statustostr": fn(c_int) -> *const c_char;
    setnonblock = c"pcap_setnonblock": fn(*mut Handle, c_int, *mut c_char) -> c_int;
    get_selectable_fd = c"pcap_get_selectable_fd": fn(*mut Handle) -> c_int;
    datalink = c"pcap_datalink": fn(*mut Handle) -> c_int;
    next_ex = c"pcap_next_ex":
        fn(*mut Handle, *mut *mut PacketHeader, *mut *const c_uchar) -> c_int;
    stats = c"pcap_stats": fn(*mut Handle, *mut Stat) -> c_int;
    bpf_filter = c"bpf_filter":
        fn(*const BpfInstruction, *const c_uchar, c_uint, c_uint) -> c_uint;
    bpf_validate = c"bpf_validate": fn(*const BpfInstruction, c_int) -> c_int;
}

/// Opens a library that stays open, or says why not.
pub(super) fn open(name: &CStr) -> Result<Functions, String> {
    // SAFETY: the name ends with NUL; libpcap has no initialisers that misbehave.
    #[expect(unsafe_code, reason = "foreign function")]
    let library = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if library.is_null() { Err(last_error()) } else { Functions::find(library) }
}

fn symbol(library: *mut c_void, name: &CStr) -> Result<*mut c_void, String> {
    // SAFETY: the library is open and the name ends with NUL.
    #[expect(unsafe_code, reason = "foreign function")]
    let address = unsafe { libc::dlsym(library, name.as_ptr()) };
    if address.is_null() {
        return Err(format!("it has no function {}", name.to_string_lossy()));
    }
    Ok(address)
}

fn last_error() -> String {
    // SAFETY: returns null or a string that lives until the next call on this thread.
    #[expect(unsafe_code, reason = "foreign function")]
    let text = unsafe { libc::dlerror() };
    super::text_at(text)
}
