//! The reference page, `docs/nmsgtool.md`.

use super::prose;
use nmsgtool::failure::ExitStatus;
use nmsgtool::flags::{Flag, FlagSet, Group, Kind};
use nmsgtool::help;
use std::fmt::Write;

/// Returns the page.
pub(super) fn render(flags: FlagSet) -> String {
    let mut page = String::from(
        "<!-- Written by `cargo xtask docs` from the option table; do not edit. -->\n\n# nmsgtool\n\n",
    );
    paragraph(help::SUMMARY, &mut page);
    page.push_str("```text\nnmsgtool [OPTION...]\n```\n\n");
    for text in prose::description(flags) {
        paragraph(&text, &mut page);
    }
    page.push_str("## How the command line is read\n\n");
    for text in prose::GRAMMAR {
        page.push_str("- ");
        page.push_str(text);
        page.push('\n');
    }
    page.push_str("\n## Options\n\n");
    for group in Group::ALL {
        if flags.in_group(group).next().is_none() {
            continue;
        }
        paragraph(&format!("### {}", group.title()), &mut page);
        for flag in flags.in_group(group) {
            option(flags, flag, &mut page);
        }
    }
    page.push_str("## Exit status\n\n| status | meaning |\n|---|---|\n");
    for (status, meaning) in ExitStatus::TABLE {
        row(&status.code().to_string(), meaning, &mut page);
    }
    row("128+N", "Ended by signal N.", &mut page);
    page.push_str("\n## Environment\n\n| variable | meaning |\n|---|---|\n");
    for (name, meaning) in prose::VARIABLES {
        row(&format!("`{name}`"), meaning, &mut page);
    }
    for flag in flags.iter() {
        if let Some(name) = flag.env {
            row(&format!("`{name}`"), &format!("Stands in for `{}`.", flag.spelling()), &mut page);
        }
    }
    page
}

fn option(flags: FlagSet, flag: &Flag, page: &mut String) {
    let mut heading = String::from("####");
    if let Some(letter) = flag.short {
        let _ = write!(heading, " `-{letter}`,");
    }
    let _ = write!(heading, " `--{}`", flag.long);
    if flag.takes_value() {
        let _ = write!(heading, " `{}`", flag.label);
    }
    paragraph(&heading, page);
    paragraph(&flags.manual(flag), page);
    let mut facts = Vec::new();
    if flag.kind == Kind::List {
        facts.push("May be given more than once.".to_owned());
    }
    if let Some(default) = flag.default {
        facts.push(format!("Default: {default}."));
    }
    if let Some(env) = flag.env {
        facts.push(format!("Environment: `{env}`."));
    }
    if !facts.is_empty() {
        paragraph(&facts.join(" "), page);
    }
    let _ = write!(page, "```sh\n{}\n```\n\n", flag.example);
}

fn paragraph(text: &str, page: &mut String) {
    page.push_str(text);
    page.push_str("\n\n");
}

fn row(name: &str, meaning: &str, page: &mut String) {
    let _ = writeln!(page, "| {name} | {meaning} |");
}
