//! Words of the user in messages: made safe to print, and corrected.

use std::ffi::OsStr;
use std::fmt::Write;

/// Longest word, in characters, that is compared with known names.
const LONGEST_WORD: usize = 24;

/// Returns the text with control characters written as `\xHH`.
///
/// A command line may hold terminal escapes; messages must not replay them.
pub(crate) fn printable(text: &OsStr) -> String {
    let lossy = text.to_string_lossy();
    let mut shown = String::with_capacity(lossy.len());
    for c in lossy.chars() {
        if c.is_control() {
            // Writing to a string cannot fail.
            let _ = write!(shown, "\\x{:02x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Returns the name that differs from `word` by the fewest edits, if by few.
pub(crate) fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if word.chars().count() > LONGEST_WORD {
        return None;
    }
    let (distance, name) =
        names.map(|name| (edits(word, name), name)).min_by_key(|(distance, _)| *distance)?;
    (distance <= word.len().min(name.len()) / 3).then_some(name)
}

/// Returns how many insertions, removals and replacements separate two words.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.chars().enumerate() {
            let replace = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn distances() {
        for (a, b, want) in
            [("", "", 0), ("abc", "", 3), ("", "abc", 3), ("count", "conut", 2), ("a", "b", 1)]
        {
            assert_eq!(edits(a, b), want, "{a} and {b}");
        }
    }

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["readnmsg", "readjson", "count", "mirror"];
        for (word, want) in [
            ("read-nmsg", Some("readnmsg")),
            ("raedjson", Some("readjson")),
            ("miror", Some("mirror")),
            ("bogus", None),
            ("", None),
            ("a-word-much-longer-than-any-option", None),
        ] {
            assert_eq!(nearest(word, names.into_iter()), want, "{word}");
        }
    }

    #[test]
    fn control_characters_are_not_replayed() {
        assert_eq!(printable(OsStr::new("a\x1b[2Jb\n")), "a\\x1b[2Jb\\x0a");
        assert_eq!(printable(OsStr::new("naïve file")), "naïve file");
        assert_eq!(printable(OsStr::from_bytes(b"\xff")), "\u{fffd}");
    }
}
