use std::ffi::CStr;
use std::ptr;

/// The name of this machine as the resolver completes it, else as it is; `None` when it has none.
#[must_use]
pub fn canonical_host_name() -> Option<String> {
    let mut buffer = [0_u8; 256];
    #[expect(unsafe_code, reason = "gethostname has no safe binding")]
    // SAFETY: the buffer is valid for the length; its last octet stays 0.
    let result = unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len() - 1) };
    let name = CStr::from_bytes_until_nul(&buffer).ok().filter(|_| result == 0)?;
    if name.is_empty() {
        return None;
    }
    let completed = completed(name);
    Some(completed.unwrap_or_else(|| name.to_string_lossy().into_owned()))
}

#[expect(unsafe_code, reason = "getaddrinfo has no safe binding that gives the canonical name")]
fn completed(name: &CStr) -> Option<String> {
    // SAFETY: all members of an addrinfo may be zero.
    let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
    hints.ai_flags = libc::AI_CANONNAME;
    let mut found = ptr::null_mut();
    // SAFETY: the name is a C string, the hints are initialised, and the result goes to a valid place.
    if unsafe { libc::getaddrinfo(name.as_ptr(), ptr::null(), &hints, &mut found) } != 0 {
        return None;
    }
    // SAFETY: on success the list has at least one member, whose name is NULL or a C string; it is
    // freed once, after the name was copied.
    unsafe {
        let name = (*found).ai_canonname;
        let text = (!name.is_null()).then(|| CStr::from_ptr(name).to_string_lossy().into_owned());
        libc::freeaddrinfo(found);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_completed() {
        let own = canonical_host_name();
        assert!(own.is_none_or(|name| !name.is_empty() && !name.contains('\0')));
        assert_eq!(completed(c"127.0.0.1").as_deref(), Some("127.0.0.1"));
        assert_eq!(completed(c"no such host"), None);
    }
}
