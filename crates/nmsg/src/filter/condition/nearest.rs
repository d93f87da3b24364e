//! Names that may have been meant instead of one that does not exist.

/// Most names that are suggested.
const SUGGESTIONS: usize = 3;

/// Names longer than this are not compared.
const MAX_LEN: usize = 64;

/// Returns the names nearest to `wanted`, nearest first; none when all are far.
pub(super) fn nearest<'n>(wanted: &str, names: impl Iterator<Item = &'n [u8]>) -> Vec<String> {
    let Some(wanted) = Lower::of(wanted.as_bytes()) else { return Vec::new() };
    let most = (wanted.as_slice().len() / 3).clamp(1, 3);
    let mut found: Vec<(usize, &[u8])> = names
        .filter_map(|name| {
            let lower = Lower::of(name)?;
            let (wanted_octets, octets) = (wanted.as_slice(), lower.as_slice());
            let is_start = wanted_octets.len() >= 3 && octets.starts_with(wanted_octets);
            let edits = match wanted.may_be_within(most, &lower) {
                true => edits(wanted_octets, octets),
                false => usize::MAX,
            };
            (edits <= most || is_start).then_some((edits.min(most), name))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    let names = found.into_iter().take(SUGGESTIONS);
    names.map(|(_, name)| String::from_utf8_lossy(name).into_owned()).collect()
}

/// A name in lower case.
struct Lower {
    octets: [u8; MAX_LEN],
    len: usize,
    /// Which octets there are, the four that share their lower six bits taken together.
    kinds: u64,
}

impl Lower {
    /// `None` for a name that is not compared.
    fn of(name: &[u8]) -> Option<Self> {
        let mut lower = Self { octets: [0; MAX_LEN], len: name.len(), kinds: 0 };
        let octets = lower.octets.get_mut(..name.len())?;
        octets.copy_from_slice(name);
        octets.make_ascii_lowercase();
        lower.kinds = octets.iter().fold(0, |kinds, octet| kinds | 1 << (octet & 63));
        Some(lower)
    }

    fn as_slice(&self) -> &[u8] {
        &self.octets[..self.len]
    }

    /// False when more than `most` edits lie between the names for certain: one edit changes the length
    /// by one, and which octets there are by two.
    fn may_be_within(&self, most: usize, other: &Self) -> bool {
        self.len.abs_diff(other.len) <= most
            && (self.kinds ^ other.kinds).count_ones() as usize <= 2 * most
    }
}

/// How many octets must be inserted, removed, replaced or swapped with their neighbour to turn one
/// text into the other; neither is longer than [`MAX_LEN`].
fn edits(a: &[u8], b: &[u8]) -> usize {
    let [mut above, mut row, mut next] = [[0_u8; MAX_LEN + 1]; 3];
    for (j, edits) in row.iter_mut().enumerate() {
        *edits = j as u8;
    }
    for i in 1..=a.len() {
        next[0] = i as u8;
        for j in 1..=b.len() {
            let replaced = row[j - 1] + u8::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(row[j] + 1).min(next[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(above[j - 2] + 1);
            }
            next[j] = least;
        }
        (above, row, next) = (row, next, above);
    }
    usize::from(row[b.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["rrname", "qname", "rrtype", "rrttl", "rcode", "response_ip", "type", "time"];
        for (wanted, want) in [
            ("rname", &["qname", "rrname"][..]),
            ("RRNAME", &["rrname", "qname"]),
            ("qnmae", &["qname"]),
            ("respons_ip", &["response_ip"]),
            ("response", &["response_ip"]),
            ("tpye", &["type"]),
            ("zzz", &[]),
            ("", &[]),
            (&"x".repeat(1000), &[]),
        ] {
            assert_eq!(nearest(wanted, names.iter().map(|name| name.as_bytes())), want, "{wanted}");
        }
    }

    #[test]
    fn edits_are_counted() {
        for (a, b, want) in
            [("", "", 0), ("", "ab", 2), ("ab", "ba", 1), ("kitten", "sitting", 3), ("a", "b", 1)]
        {
            assert_eq!(edits(a.as_bytes(), b.as_bytes()), want, "{a} {b}");
            assert_eq!(edits(b.as_bytes(), a.as_bytes()), want, "{b} {a}");
        }
    }

    #[test]
    fn no_near_name_is_passed_over() {
        let lower = |text: &str| Lower::of(text.as_bytes()).expect("a short name");
        let names =
            ["", "a", "ab", "abba", "rrname", "rname", "rrtype", "srcip", "dstip", "dstport"];
        let mut passed_over = 0;
        for (a, b) in names.iter().flat_map(|a| names.map(|b| (*a, b))) {
            for most in 1..=3 {
                let is_within = edits(a.as_bytes(), b.as_bytes()) <= most;
                let may_be = lower(a).may_be_within(most, &lower(b));
                assert!(may_be || !is_within, "{a} {b} {most}");
                passed_over += u32::from(!may_be);
            }
        }
        assert!(passed_over > 100, "{passed_over}");
    }
}
