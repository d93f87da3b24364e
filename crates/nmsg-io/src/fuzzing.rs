//! Body of a fuzz target: an ordinary function that panics when a promise is broken, whatever the
//! octets.

use crate::metrics::is_answered;

/// Reads what a client of the metrics sends.
///
/// # Panics
///
/// When an answer that was due before the last octet is not due any more behind it.
pub fn check_request(octets: &[u8]) {
    let Some((_, before)) = octets.split_last() else { return };
    assert!(!is_answered(before) || is_answered(octets), "the answer is taken back");
}
