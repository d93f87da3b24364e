//! Names that may have been meant instead of one that does not exist.

/// Most names that are suggested.
const SUGGESTIONS: usize = 3;

/// Names longer than this are not compared.
const MAX_LEN: usize = 64;

/// Returns the names nearest to `wanted`, nearest first; none when all are far.
pub(super) fn nearest<'n>(wanted: &str, names: impl Iterator<Item = &'n [u8]>) -> Vec<String> {
    if wanted.len() > MAX_LEN {
        return Vec::new();
    }
    let wanted = wanted.to_ascii_lowercase().into_bytes();
    let farthest = (wanted.len() / 3).clamp(1, 3);
    let mut found: Vec<(usize, &[u8])> = names
        .filter(|name| name.len() <= MAX_LEN)
        .filter_map(|name| {
            let lower = name.to_ascii_lowercase();
            let part = wanted.len() >= 3 && lower.starts_with(&wanted);
            let edits = edits(&wanted, &lower);
            (edits <= farthest || part).then_some((edits.min(farthest), name))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    let names = found.into_iter().take(SUGGESTIONS);
    names.map(|(_, name)| String::from_utf8_lossy(name).into_owned()).collect()
}

/// How many octets must be inserted, removed, replaced or swapped with their neighbour to turn one
/// text into the other.
fn edits(a: &[u8], b: &[u8]) -> usize {
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut next = vec![i];
        for j in 1..=b.len() {
            let replaced = row[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(row[j] + 1).min(next[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(above[j - 2] + 1);
            }
            next.push(least);
        }
        above = std::mem::replace(&mut row, next);
    }
    row[b.len()]
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
}
