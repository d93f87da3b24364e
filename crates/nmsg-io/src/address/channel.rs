use std::fmt;

/// The endpoints that a channel alias file has for one name (`nmsgtool-cli` §5.5).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ChannelTargets {
    /// Endpoints of all lines with the name, in file order; none when there is no such line.
    pub endpoints: Vec<String>,
    /// Lines of the file that say nothing, whatever their name.
    pub bad_lines: Vec<BadLine>,
}

/// A line of a channel alias file that cannot be used.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct BadLine {
    /// Number of the line, from 1.
    pub number: usize,
    reason: Reason,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Reason {
    NoEndpoint,
    NotText,
}

/// Prints where and why.
impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.reason {
            Reason::NoEndpoint => "a channel without endpoints",
            Reason::NotText => "not UTF-8",
        };
        write!(f, "line {} skipped: {reason}", self.number)
    }
}

/// Looks a channel up in the text of an alias file. Each line is a name and its endpoints, separated by
/// blanks; the name must match exactly. What follows a `#` at the start of a word is a note
/// (`decisions` CL-7).
#[must_use]
pub fn look_up_channel(file: &[u8], name: &str) -> ChannelTargets {
    let mut targets = ChannelTargets::default();
    for (number, line) in (1..).zip(file.split(|octet| *octet == b'\n')) {
        let Ok(line) = std::str::from_utf8(line) else {
            targets.bad_lines.push(BadLine { number, reason: Reason::NotText });
            continue;
        };
        let mut words = line.split_ascii_whitespace().take_while(|word| !word.starts_with('#'));
        let Some(channel) = words.next() else { continue };
        let mut words = words.peekable();
        if words.peek().is_none() {
            targets.bad_lines.push(BadLine { number, reason: Reason::NoEndpoint });
        } else if channel == name {
            targets.endpoints.extend(words.map(str::to_owned));
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cl_7_lines_of_an_alias_file() {
        let file = b"\
# channels\n\
\n\
ch1 10.0.0.1/1\n\
\tch2\t10.0.0.2/2..5   [::1]/9 # a note\n\
ch1 10.0.0.1/2 tcp://h:5#x\r\n\
CH1 10.0.0.9/9\n\
lonely\n\
 \t \n\
noted #10.0.0.7/7\n\
odd \xff\n\
   # indented\n\
ch1 10.0.0.1/3";
        for (name, want) in [
            ("ch1", &["10.0.0.1/1", "10.0.0.1/2", "tcp://h:5#x", "10.0.0.1/3"][..]),
            ("ch2", &["10.0.0.2/2..5", "[::1]/9"]),
            ("CH1", &["10.0.0.9/9"]),
            ("lonely", &[]),
            ("noted", &[]),
            ("ch", &[]),
            ("", &[]),
            ("#", &[]),
        ] {
            let found = look_up_channel(file, name);
            assert_eq!(found.endpoints, want, "{name}");
            let said: Vec<String> = found.bad_lines.iter().map(ToString::to_string).collect();
            assert_eq!(
                said,
                [
                    "line 7 skipped: a channel without endpoints",
                    "line 9 skipped: a channel without endpoints",
                    "line 10 skipped: not UTF-8",
                ]
            );
        }
        assert_eq!(look_up_channel(b"", "ch1"), ChannelTargets::default());
    }
}
