//! The man page, `docs/man/nmsgtool.1`.
//!
//! Written in the man macros directly: its option list is grouped and each
//! entry has an example, which general renderers of option lists do not offer.

use super::prose;
use nmsgtool::failure::ExitStatus;
use nmsgtool::flags::{Flag, FlagSet, Group, Kind};
use nmsgtool::help;
use std::fmt::Write;

/// Returns the page.
pub(super) fn render(flags: FlagSet) -> String {
    let mut page = format!(
        ".\\\" Written by cargo xtask docs from the option table; do not edit.\n\
         .TH NMSGTOOL 1 \"\" \"nmsgtool {}\"\n\
         .SH NAME\n\
         nmsgtool \\- {}\n\
         .SH SYNOPSIS\n\
         .B nmsgtool\n\
         .RI [ option ...]\n\
         .SH DESCRIPTION\n",
        help::VERSION,
        name_line()
    );
    paragraphs(&prose::description(flags), &mut page);
    page.push_str(".SS How the command line is read\n");
    paragraphs(prose::GRAMMAR, &mut page);
    page.push_str(".SH OPTIONS\n");
    for group in Group::ALL {
        if flags.in_group(group).next().is_none() {
            continue;
        }
        let _ = writeln!(page, ".SS {}", group.title());
        for flag in flags.in_group(group) {
            option(flags, flag, &mut page);
        }
    }
    page.push_str(".SH EXIT STATUS\n");
    for (status, meaning) in ExitStatus::TABLE {
        entry(&status.code().to_string(), meaning, &mut page);
    }
    entry("128+N", "Ended by signal N.", &mut page);
    page.push_str(".SH ENVIRONMENT\n");
    for (name, meaning) in prose::VARIABLES {
        entry(name, meaning, &mut page);
    }
    for flag in flags.iter() {
        if let Some(name) = flag.env {
            entry(name, &format!("Stands in for {}.", flag.spelling()), &mut page);
        }
    }
    page
}

/// The summary as the NAME section has it: no capital, no full stop.
fn name_line() -> String {
    let summary = help::SUMMARY.trim_end_matches('.');
    let mut letters = summary.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

fn option(flags: FlagSet, flag: &Flag, page: &mut String) {
    page.push_str(".TP\n");
    if let Some(letter) = flag.short {
        let _ = write!(page, "\\fB\\-{letter}\\fR, ");
    }
    let _ = write!(page, "\\fB{}\\fR", escape(&format!("--{}", flag.long)));
    if flag.takes_value() {
        let _ = write!(page, " \\fI{}\\fR", escape(flag.label));
    }
    page.push('\n');
    text(&flags.manual(flag), page);
    if flag.kind == Kind::List {
        text("May be given more than once.", page);
    }
    if let Some(default) = flag.default {
        text(&format!("Default: {default}."), page);
    }
    if let Some(env) = flag.env {
        text(&format!("Environment: {env}."), page);
    }
    let _ = writeln!(page, ".IP\n.EX\n{}\n.EE", escape(flag.example));
}

fn entry(name: &str, meaning: &str, page: &mut String) {
    let _ = writeln!(page, ".TP\n.B {}", escape(name));
    text(meaning, page);
}

fn paragraphs(texts: &[impl AsRef<str>], page: &mut String) {
    for paragraph in texts {
        page.push_str(".PP\n");
        text(paragraph.as_ref(), page);
    }
}

/// Writes running text on one line, literal words in bold.
fn text(text: &str, page: &mut String) {
    let mut bold = false;
    for (at, piece) in text.split('`').enumerate() {
        if at > 0 {
            bold = !bold;
            page.push_str(if bold { "\\fB" } else { "\\fR" });
        }
        page.push_str(&escape(piece));
    }
    page.push('\n');
}

/// Returns the text with characters that the formatter would act on made plain.
pub(super) fn escape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => plain.push_str("\\e"),
            '-' => plain.push_str("\\-"),
            '\'' => plain.push_str("\\(aq"),
            '`' => plain.push_str("\\(ga"),
            '^' => plain.push_str("\\(ha"),
            '~' => plain.push_str("\\(ti"),
            '.' if plain.is_empty() => plain.push_str("\\&."),
            _ => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaping() {
        for (plain, want) in [
            ("--a-b", "\\-\\-a\\-b"),
            ("-e '\\t'", "\\-e \\(aq\\et\\(aq"),
            (".hidden", "\\&.hidden"),
            ("a.b", "a.b"),
            ("`~^", "\\(ga\\(ti\\(ha"),
        ] {
            assert_eq!(escape(plain), want, "{plain}");
        }
    }

    #[test]
    fn literal_words_are_bold() {
        let mut page = String::new();
        text("write `-e=-x` for it", &mut page);
        assert_eq!(page, "write \\fB\\-e=\\-x\\fR for it\n");
    }
}
