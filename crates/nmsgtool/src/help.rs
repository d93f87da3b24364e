//! What `-h` and `-v` print, from the option table alone.

use crate::flags::{Flag, FlagId, FlagSet, Group};
use std::ffi::OsStr;
use std::fmt::Write;
use std::path::Path;

/// What the program does, in one sentence.
pub const SUMMARY: &str = "Reads, converts, filters and writes NMSG streams.";

/// The version of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Widest line of the help text, in columns.
const WIDTH: usize = 79;
/// Column at which descriptions start.
const DESCRIPTION: usize = 33;

const NOTES: &str = "\
A file may be - for standard input or output. A value follows its option as a
separate word or after an equals sign (-c 10, -c=10, --count=10); clustered
letters take the words that follow in their order (-rc file 10). Long options
may be shortened as long as they stay unambiguous.
";

/// Returns the name messages start with: the last component of `argv[0]`.
pub fn program_name(argv0: Option<&OsStr>) -> String {
    let name = argv0.and_then(|argv0| Path::new(argv0).file_name());
    name.map_or_else(|| "nmsgtool".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Returns the help text: every option of the set under its heading.
pub fn help(program: &str, flags: FlagSet) -> String {
    let mut text = format!("Usage: {program} [OPTION...]\n{SUMMARY}\n");
    for group in Group::ALL {
        if flags.in_group(group).next().is_none() {
            continue;
        }
        text.push('\n');
        text.push_str(group.title());
        text.push_str(":\n");
        for flag in flags.in_group(group) {
            option(flag, &mut text);
        }
    }
    text.push('\n');
    text.push_str(NOTES);
    text
}

/// Returns the version line, which names the transports the build lacks.
pub fn version(program: &str, flags: FlagSet) -> String {
    let lacks = match (flags.has(FlagId::ReadZmqSocket), flags.has(FlagId::ReadKafka)) {
        (true, true) => "",
        (false, true) => " (without libzmq support)",
        (true, false) => " (without librdkafka support)",
        (false, false) => " (without libzmq and librdkafka support)",
    };
    format!("{program}: version {VERSION}{lacks}\n")
}

fn option(flag: &Flag, text: &mut String) {
    let letter = flag.short.map_or("   ".to_owned(), |letter| format!("-{letter},"));
    let value = if flag.takes_value() { format!(" {}", flag.label) } else { String::new() };
    let names = format!("  {letter} --{}{value}", flag.long);
    let mut description = flag.help.to_owned();
    // Writing to a string cannot fail.
    if let Some(env) = flag.env {
        let _ = write!(description, " [env: {env}]");
    }
    if let Some(default) = flag.default {
        let _ = write!(description, " [default: {default}]");
    }
    text.push_str(&names);
    let mut column = names.len();
    if column + 2 > DESCRIPTION {
        text.push('\n');
        column = 0;
    }
    for line in wrap(&description, WIDTH - DESCRIPTION) {
        let _ = writeln!(text, "{:1$}{line}", "", DESCRIPTION - column);
        column = 0;
    }
}

/// Breaks a text into lines of at most `width` columns, at blanks.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    #[test]
    fn cl_3_help_lists_every_available_option_and_no_other() {
        for set in [FlagSet::available(), FlagSet::whole_table()] {
            let text = help("nmsgtool", set);
            for flag in FlagSet::whole_table().iter() {
                let names = match flag.short {
                    Some(letter) => format!("  -{letter}, --{}", flag.long),
                    None => format!("      --{}", flag.long),
                };
                let lines = text.lines().filter(|line| {
                    line.strip_prefix(&names)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
                });
                assert_eq!(lines.count(), usize::from(set.has(flag.id)), "--{}", flag.long);
            }
        }
    }

    #[test]
    fn cl_3_help_is_grouped_and_fits_the_terminal() {
        let text = help("renamed", FlagSet::whole_table());
        assert!(text.starts_with("Usage: renamed [OPTION...]\n"), "{text}");
        let mut from = 0;
        for group in Group::ALL {
            let heading = format!("\n\n{}:\n", group.title());
            let at = text.find(&heading).unwrap_or_else(|| panic!("no heading {}", group.title()));
            assert!(at > from, "{} stands in its place", group.title());
            from = at;
        }
        for line in text.lines() {
            assert!(line.len() <= WIDTH, "too wide: {line}");
            assert_eq!(line, line.trim_end(), "trailing blanks");
        }
    }

    #[test]
    fn cl_3_help_shows_defaults_and_variables() {
        let text = help("nmsgtool", FlagSet::whole_table());
        assert!(text.contains("[env: NMSG_KICKER]"), "{text}");
        assert!(text.contains("[default: 0 (no limit)]"), "{text}");
    }

    /// The rows of one heading, word for word.
    #[test]
    fn cl_3_help_rows() {
        let text = help("nmsgtool", FlagSet::available());
        let start = text.find("Selection and labels:\n").unwrap();
        let rows: Vec<&str> = text[start..].lines().take_while(|line| !line.is_empty()).collect();
        assert_eq!(
            rows,
            [
                "Selection and labels:",
                "      --getgroup grname          keep only messages of this group",
                "      --getoperator opname       keep only messages of this operator",
                "      --getsource sonum          keep only messages of this source",
                "      --setgroup grname          set the group of every message written",
                "      --setoperator opname       set the operator of every message written",
                "      --setsource sonum          set the source of every message written",
                "  -T, --msgtype msgtype          message type to read, or to keep",
                "  -V, --vendor vendor            vendor of the message type [default: base if",
                "                                 -T is given]",
                "      --where expr               keep only messages for which an expression",
                "                                 holds",
            ]
        );
    }

    #[test]
    fn cl_3_version_names_missing_transports() {
        let whole = version("prog", FlagSet::whole_table());
        assert_eq!(whole, format!("prog: version {VERSION}\n"));
        let mut want = format!("prog: version {VERSION}");
        let set = FlagSet::available();
        match (set.has(FlagId::ReadZmqSocket), set.has(FlagId::ReadKafka)) {
            (false, false) => want.push_str(" (without libzmq and librdkafka support)"),
            (false, true) => want.push_str(" (without libzmq support)"),
            (true, false) => want.push_str(" (without librdkafka support)"),
            (true, true) => {}
        }
        assert_eq!(version("prog", set), want + "\n");
    }

    #[test]
    fn program_names() {
        for (argv0, want) in [
            (Some("/usr/bin/nmsgtool"), "nmsgtool"),
            (Some("renamed"), "renamed"),
            (Some("./a/b"), "b"),
            (Some(""), "nmsgtool"),
            (None, "nmsgtool"),
        ] {
            let argv0 = argv0.map(OsString::from);
            assert_eq!(program_name(argv0.as_deref()), want, "{argv0:?}");
        }
    }
}
