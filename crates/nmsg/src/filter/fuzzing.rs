//! Bodies of fuzz targets: ordinary functions that panic when a promise is broken, whatever the
//! octets. Tests run them over mutated samples.

use super::{Matcher, Where};
use crate::{Aliases, MsgType, Payload, Registry, Timestamp, VendorId};

/// Compiles what stands before the first NUL as an expression, and asks it, its negation and its
/// double negation about a payload with the octets behind it: vendor, message type, body.
///
/// # Panics
///
/// When the answers contradict each other, or an error has no place in the expression.
pub fn check_where(octets: &[u8]) {
    let mut parts = octets.splitn(2, |&octet| octet == 0);
    let Some(Ok(expression)) = parts.next().map(str::from_utf8) else { return };
    let (registry, aliases) = (Registry::builtin(), Aliases::default());
    let compile = |text: &str| Where::compile(text, &registry, &aliases, Timestamp::default());
    let condition = match compile(expression) {
        Ok(condition) => condition,
        Err(error) => {
            assert!((1..=expression.chars().count() + 1).contains(&error.column()), "{error}");
            assert_eq!(error.excerpt().lines().count(), 2, "{error}");
            return;
        }
    };
    let (vendor, msgtype, body) = match parts.next() {
        Some([vendor, msgtype, body @ ..]) => (*vendor, *msgtype, Some(body)),
        _ => (1, 1, None),
    };
    let payload = Payload {
        vendor: VendorId(vendor.into()),
        msgtype: MsgType(msgtype.into()),
        body,
        ..Payload::default()
    };
    let mut matcher = Matcher::new(&condition);
    let holds = matcher.matches(&payload);
    assert_eq!(matcher.matches(&payload), holds, "the second answer differs");
    for (negations, want) in [("not", !holds), ("! not", holds)] {
        // Longer or deeper than is allowed is the one reason not to compile.
        if let Ok(negated) = compile(&format!("{negations} ({expression})")) {
            assert_eq!(Matcher::new(&negated).matches(&payload), want, "{negations}");
        }
    }
}
