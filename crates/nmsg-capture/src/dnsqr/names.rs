//! Lists of names whose transactions are dropped or kept.

use std::collections::HashSet;

/// Domain names; a name is in the list when it, or any of its parents, is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NameList(HashSet<Box<[u8]>>);

impl NameList {
    /// Reads names separated by `:`; master-file escapes are understood, empty ones ignored.
    ///
    /// Names that are none are given to `refused` with the reason and left out.
    pub fn parse(text: &[u8], mut refused: impl FnMut(&[u8], wdns::Error)) -> Self {
        let mut names = HashSet::new();
        for token in text.split(|octet| *octet == b':').filter(|token| !token.is_empty()) {
            let mut wire = Vec::new();
            match wdns::name::parse(token, &mut wire) {
                Ok(()) => {
                    wire.make_ascii_lowercase();
                    names.insert(wire.into_boxed_slice());
                }
                Err(error) => refused(token, error),
            }
        }
        Self(names)
    }

    /// Returns true when there is no name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true when a wire name or one of its parents is in the list, ignoring letter case.
    ///
    /// Names over 255 octets and names that end in a pointer are in no list.
    #[must_use]
    pub fn covers(&self, name: &[u8]) -> bool {
        if self.0.is_empty() || name.len() > wdns::name::MAX_LEN {
            return false;
        }
        let mut lower = [0; wdns::name::MAX_LEN];
        let lower = &mut lower[..name.len()];
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        let mut rest = &*lower;
        while let Some(&len) = rest.first() {
            if self.0.contains(rest) {
                return true;
            }
            rest = rest.get(1 + usize::from(len)..).unwrap_or_default();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(name: &str) -> Vec<u8> {
        let mut wire = Vec::new();
        wdns::name::parse(name.as_bytes(), &mut wire).unwrap();
        wire
    }

    #[test]
    fn names_cover_what_is_at_or_under_them() {
        for (list, name, want) in [
            ("foo.org", "www.foo.org", true),
            ("foo.org", "BAR.foo.ORG", true),
            ("foo.org", "foo.org", true),
            ("foo.org.", "foo.org", true),
            ("FOO.org", "a.b.foo.org", true),
            ("oo.org", "foo.org", false),
            ("foo.org", "org", false),
            (".", "anything", true),
            (".", ".", true),
            ("foo.org:a.b", "x.a.b", true),
            ("foo.org::a.b:", "a.b", true),
            (r"f\111o.org", "foo.org", true),
            (" foo.org", "foo.org", false),
            ("\u{e9}.org", r"\195\169.org", true),
        ] {
            let list_read =
                NameList::parse(list.as_bytes(), |token, error| panic!("{token:?}: {error}"));
            assert_eq!(list_read.covers(&wire(name)), want, "{name} in {list}");
        }
    }

    #[test]
    fn wire_names_that_no_text_can_be() {
        let list = NameList::parse(b"org:.", |_, _| {});
        let org = NameList::parse(b"org", |_, _| {});
        let long_label = [&[100][..], &[b'x'; 100], b"\x03org\0"].concat();
        let long_name = [&[&[63][..], &[b'x'; 63]].concat().repeat(4)[..], b"\x03org\0"].concat();
        assert!(org.covers(&long_label));
        assert!(!org.covers(&long_name) && !list.covers(&long_name));
        assert!(!list.covers(b"\x01a\xc0\x04"), "no root behind a pointer");
        assert!(!list.covers(b""));
    }

    #[test]
    fn bad_tokens_are_told_and_left_out() {
        let mut refused = Vec::new();
        let list =
            NameList::parse(br"foo..org:good.org:bad\", |token, _| refused.push(token.to_owned()));
        assert_eq!(refused, [&b"foo..org"[..], br"bad\"]);
        assert!(list.covers(&wire("good.org")) && !list.covers(&wire("foo.org")));
        assert!(NameList::parse(b":::", |_, _| {}).is_empty());
    }
}
