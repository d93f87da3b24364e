//! Sets of values that a field is looked up in.

use super::literal::Network;

/// Ranges of ordered values, both ends included.
#[derive(Clone, Debug)]
pub(super) enum Ranges<T> {
    /// The usual case.
    One(T, T),
    /// Ascending, without overlaps.
    Many(Box<[(T, T)]>),
}

impl<T: Copy + Ord> Ranges<T> {
    pub(super) fn new(mut ranges: Vec<(T, T)>) -> Self {
        ranges.sort_unstable();
        ranges.dedup_by(|next, kept| {
            let overlaps = next.0 <= kept.1;
            if overlaps {
                kept.1 = kept.1.max(next.1);
            }
            overlaps
        });
        match *ranges {
            [(low, high)] => Self::One(low, high),
            _ => Self::Many(ranges.into()),
        }
    }

    #[inline]
    pub(super) fn contains(&self, value: T) -> bool {
        match self {
            Self::One(low, high) => *low <= value && value <= *high,
            Self::Many(ranges) => {
                let below = ranges.partition_point(|&(low, _)| low <= value);
                below > 0 && value <= ranges[below - 1].1
            }
        }
    }
}

/// Addresses and networks.
#[derive(Clone, Debug)]
pub(super) struct Addresses {
    v4: Ranges<u32>,
    v6: Ranges<u128>,
}

impl Addresses {
    pub(super) fn new(networks: &[Network]) -> Self {
        use Network::{V4, V6};
        let v4 = networks.iter().filter_map(|network| match *network {
            V4(low, high) => Some((low, high)),
            V6(..) => None,
        });
        let v6 = networks.iter().filter_map(|network| match *network {
            V6(low, high) => Some((low, high)),
            V4(..) => None,
        });
        Self { v4: Ranges::new(v4.collect()), v6: Ranges::new(v6.collect()) }
    }

    /// True for the octets of an address in the set.
    #[inline]
    pub(super) fn contains(&self, octets: &[u8]) -> bool {
        if let Ok(octets) = octets.try_into() {
            self.v4.contains(u32::from_be_bytes(octets))
        } else if let Ok(octets) = octets.try_into() {
            self.v6.contains(u128::from_be_bytes(octets))
        } else {
            false
        }
    }
}

/// Strings of octets, in order.
#[derive(Clone, Debug)]
pub(super) struct Strings(Box<[Box<[u8]>]>);

impl Strings {
    pub(super) fn new(strings: Vec<Vec<u8>>) -> Self {
        let mut strings: Box<[Box<[u8]>]> =
            strings.into_iter().map(Vec::into_boxed_slice).collect();
        strings.sort_unstable();
        Self(strings)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    pub(super) fn contains(&self, octets: &[u8]) -> bool {
        match &*self.0 {
            [only] => **only == *octets,
            strings => strings.binary_search_by(|string| (**string).cmp(octets)).is_ok(),
        }
    }
}

/// Domain names in wire form and lower case, short ones first, because lengths compare fastest.
#[derive(Clone, Debug)]
pub(super) struct Names(Box<[Box<[u8]>]>);

impl Names {
    pub(super) fn new(names: Vec<Vec<u8>>) -> Self {
        let mut names: Box<[Box<[u8]>]> = names.into_iter().map(Vec::into_boxed_slice).collect();
        names.sort_unstable_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
        Self(names)
    }

    /// True for a name of the set, whatever the letter case.
    #[inline]
    pub(super) fn contains(&self, name: &[u8]) -> bool {
        match &*self.0 {
            [only] => only.eq_ignore_ascii_case(name),
            names => {
                let lower = |octet: &u8| octet.to_ascii_lowercase();
                let found = names.binary_search_by(|other| {
                    let by_text = || other.iter().copied().cmp(name.iter().map(lower));
                    other.len().cmp(&name.len()).then_with(by_text)
                });
                found.is_ok()
            }
        }
    }

    /// True for a name of the set and for names below one; never for what is not exactly one
    /// uncompressed name.
    #[inline]
    pub(super) fn covers(&self, name: &[u8]) -> bool {
        match &*self.0 {
            [only] => {
                let Some(above) = name.len().checked_sub(only.len()) else { return false };
                let mut at = 0;
                while at < above && name[at] != 0 {
                    at += 1 + usize::from(name[at]);
                }
                at == above && name[at..].eq_ignore_ascii_case(only)
            }
            _ => {
                let mut rest = name;
                while let Some((&length, behind)) = rest.split_first() {
                    if length == 0 || self.contains(rest) {
                        return self.contains(rest);
                    }
                    rest = behind.get(length.into()..).unwrap_or_default();
                }
                false
            }
        }
    }
}

/// Domain names as text in lower case without the last dot, for fields that hold names as text.
#[derive(Clone, Debug)]
pub(super) struct TextNames(Strings);

impl TextNames {
    pub(super) fn new(names: Vec<Vec<u8>>) -> Self {
        Self(Strings::new(names))
    }

    /// True for a name of the set and for names below one; `lower` is in lower case.
    pub(super) fn covers(&self, lower: &[u8]) -> bool {
        let mut rest = lower.strip_suffix(b".").unwrap_or(lower);
        loop {
            if self.0.contains(rest) {
                return true;
            }
            match rest.iter().position(|&octet| octet == b'.') {
                Some(dot) => rest = &rest[dot + 1..],
                None => return self.0.contains(b""),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::condition::literal::{domain, network};

    #[test]
    fn ranges_include_their_ends_and_merge() {
        for (ranges, inside, outside) in [
            (vec![(3, 5)], vec![3, 4, 5], vec![2, 6]),
            (vec![(3, 3), (1, 1), (3, 3)], vec![1, 3], vec![0, 2, 4]),
            (vec![(1, 9), (2, 3), (8, 12), (20, 20)], vec![1, 5, 9, 12, 20], vec![0, 13, 19, 21]),
            (vec![], vec![], vec![0]),
        ] {
            let set = Ranges::new(ranges.clone());
            assert!(inside.iter().all(|&value| set.contains(value)), "{ranges:?}");
            assert!(!outside.iter().any(|&value| set.contains(value)), "{ranges:?}");
        }
    }

    #[test]
    fn addresses_keep_their_family() {
        let networks = ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"];
        let set = Addresses::new(&networks.map(|text| network(text).unwrap()));
        let v6 = |first: u16| u128::from(first) << 112 | 0x0db8 << 96 | 1;
        for (octets, want) in [
            (&[10, 1, 2, 3][..], true),
            (&[192, 0, 2, 1], true),
            (&[192, 0, 2, 2], false),
            (&v6(0x2001).to_be_bytes(), true),
            (&v6(0x2002).to_be_bytes(), false),
            (&(0xffff_0a01_0203_u128).to_be_bytes(), false),
            (&[10, 1, 2], false),
            (&[], false),
        ] {
            assert_eq!(set.contains(octets), want, "{octets:?}");
        }
    }

    fn names(list: &[&str]) -> Names {
        Names::new(list.iter().map(|text| domain(text.as_bytes()).unwrap()).collect())
    }

    #[test]
    fn names_compare_by_label_and_without_case() {
        // A name that fits only if length octets are taken for labels.
        let mut inside = vec![13];
        inside.extend_from_slice(b"x\x07example\x03com\0");
        for (name, wire, equal, below) in [
            ("equal", &b"\x07eXample\x03COM\0"[..], true, true),
            ("below", b"\x03wWw\x07exaMple\x03com\0", false, true),
            ("beside", b"\x0anotexample\x03com\0", false, false),
            ("above", b"\x03com\0", false, false),
            ("inside a label", &inside, false, false),
            ("cut", b"\x07example\x03com", false, false),
            ("label too long for its name", b"\x3fwww\x07example\x03com\0", false, false),
            ("behind the root", b"\0\x07example\x03com\0", false, false),
            ("nothing", b"", false, false),
        ] {
            for set in [names(&["example.com"]), names(&["zz.", "Example.com", "a.example.com"])] {
                assert_eq!(set.contains(wire), equal, "{name}");
                assert_eq!(set.covers(wire), below, "{name}");
            }
        }
        for set in [names(&["."]), names(&[".", "org"])] {
            assert!(set.covers(b"\x03com\0") && set.covers(b"\0"));
            assert!(!set.covers(b"\x03com") && !set.covers(b""));
        }
    }

    #[test]
    fn names_in_text_compare_by_label() {
        let set =
            |list: &[&str]| TextNames::new(list.iter().map(|s| s.as_bytes().to_vec()).collect());
        for (text, want) in [
            ("example.com", true),
            ("example.com.", true),
            ("www.example.com", true),
            ("notexample.com", false),
            ("com", false),
            ("", false),
        ] {
            assert_eq!(set(&["example.com"]).covers(text.as_bytes()), want, "{text}");
            assert_eq!(set(&["example.com", "q"]).covers(text.as_bytes()), want, "{text}");
            assert!(set(&[""]).covers(text.as_bytes()), "{text}");
        }
    }
}
