use std::collections::HashMap;

/// Names of operator or group numbers, as alias files give them.
///
/// A line is `NUMBER NAME`; the number is decimal, `0x…` or octal with a leading 0; `#` lines,
/// blank lines and what follows the name are skipped (`nmsgtool-cli` §5.6, `decisions` CL-7).
#[derive(Clone, Debug, Default)]
pub struct AliasTable {
    names: HashMap<u32, Box<[u8]>>,
    /// Names in lower case; the lowest number wins.
    numbers: HashMap<Vec<u8>, u32>,
}

/// A line of an alias file that is no alias.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BadAliasLine {
    /// Line number, from 1.
    pub line: usize,
}

impl std::fmt::Display for BadAliasLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: expected NUMBER NAME", self.line)
    }
}

impl AliasTable {
    /// Reads the text of an alias file. Bad lines are returned and skipped.
    #[must_use]
    pub fn parse(text: &[u8]) -> (Self, Vec<BadAliasLine>) {
        let mut table = Self::default();
        let mut bad = Vec::new();
        for (i, line) in text.split(|&octet| octet == b'\n').enumerate() {
            let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            let Some(number) = words.next() else { continue };
            if number.starts_with(b"#") {
                continue;
            }
            match (parse_number(number), words.next()) {
                (Some(number), Some(name)) => table.insert(number, name),
                _ => bad.push(BadAliasLine { line: i + 1 }),
            }
        }
        (table, bad)
    }

    /// Adds an alias: the last name of a number is shown, the lowest number of a name is used.
    pub fn insert(&mut self, number: u32, name: &[u8]) {
        self.names.insert(number, name.into());
        let lowest = self.numbers.entry(name.to_ascii_lowercase()).or_insert(number);
        *lowest = number.min(*lowest);
    }

    /// The name of a number.
    #[must_use]
    #[inline]
    pub fn name(&self, number: u32) -> Option<&[u8]> {
        if self.names.is_empty() { None } else { self.names.get(&number).map(|name| &**name) }
    }

    /// The number of a name, whatever the letter case.
    #[must_use]
    pub fn number(&self, name: &[u8]) -> Option<u32> {
        if self.numbers.is_empty() {
            return None;
        }
        let mut room = [0; 64];
        let number = match room.get_mut(..name.len()) {
            Some(lower) => {
                lower.copy_from_slice(name);
                lower.make_ascii_lowercase();
                self.numbers.get(&*lower)
            }
            None => self.numbers.get(&name.to_ascii_lowercase()[..]),
        };
        number.copied()
    }
}

/// The operator and group names of a program.
#[derive(Clone, Debug, Default)]
pub struct Aliases {
    /// Operator names.
    pub operators: AliasTable,
    /// Group names.
    pub groups: AliasTable,
}

/// Reads an unsigned 32-bit number in C notation: decimal, `0x…`, or octal with a leading 0.
#[must_use]
pub fn parse_number(text: &[u8]) -> Option<u32> {
    let (digits, radix) = match text {
        [b'0', b'x' | b'X', digits @ ..] => (digits, 16),
        [b'0', digits @ ..] if !digits.is_empty() => (digits, 8),
        digits => (digits, 10),
    };
    if !digits.first()?.is_ascii_alphanumeric() {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cl_7_bad_lines_are_reported_and_the_rest_is_used() {
        let text = b"# operators\n\n101 QA\n0x66\tExampleOperator # note\n010 Octal\nbroken\n\
                     12\n4294967296 Big\n5 qa\n101 Second\r\n";
        let (table, bad) = AliasTable::parse(text);
        assert_eq!(bad.iter().map(|bad| bad.line).collect::<Vec<_>>(), [6, 7, 8]);
        assert_eq!(table.name(101), Some(&b"Second"[..]));
        assert_eq!(table.name(0x66), Some(&b"ExampleOperator"[..]));
        assert_eq!(table.name(8), Some(&b"Octal"[..]));
        assert_eq!(table.name(1), None);
        assert_eq!(table.number(b"qA"), Some(5), "the lowest number of a name is used");
        assert_eq!(table.number(b"second"), Some(101));
        let mut table = AliasTable::default();
        assert_eq!(table.number(b""), None);
        for len in [0, 1, 63, 64, 65, 300] {
            let name = "Long".repeat(75).into_bytes();
            table.insert(len, &name[..len as usize]);
            let upper = name[..len as usize].to_ascii_uppercase();
            assert_eq!(table.number(&upper), Some(len));
        }
    }

    #[test]
    fn numbers_are_read_as_in_c() {
        for (text, want) in [
            ("0", Some(0)),
            ("12", Some(12)),
            ("0xFEDCBA98", Some(0xfedc_ba98)),
            ("017", Some(15)),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", None),
            ("018", None),
            ("0x", None),
            ("-1", None),
            ("+1", None),
            ("1x", None),
            ("", None),
        ] {
            assert_eq!(parse_number(text.as_bytes()), want, "{text}");
        }
    }
}
