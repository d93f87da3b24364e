//! `cargo xtask docs`: everything about the command line that is written from
//! the option table of `nmsgtool`.

mod completions;
mod manpage;
mod prose;
mod reference;

use nmsgtool::flags::FlagSet;
use nmsgtool::help;
use std::fs;
use std::io;

/// A file written from the option table.
#[derive(Debug)]
struct Page {
    /// Path below the workspace.
    path: &'static str,
    text: String,
}

/// Returns every page for a set of options.
fn pages(flags: FlagSet) -> Vec<Page> {
    let mut pages = vec![
        Page { path: "docs/nmsgtool.md", text: reference::render(flags) },
        Page { path: "docs/man/nmsgtool.1", text: manpage::render(flags) },
        Page { path: "docs/help.txt", text: help::help("nmsgtool", flags) },
    ];
    pages.extend(completions::render(flags));
    pages
}

/// Writes every page into the workspace.
pub(crate) fn write() -> io::Result<()> {
    for page in pages(FlagSet::available()) {
        let path = crate::root().join(page.path);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(&path, page.text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nmsgtool::flags::FLAGS;

    #[test]
    fn committed_pages_are_up_to_date() {
        for page in pages(FlagSet::available()) {
            let committed = fs::read_to_string(crate::root().join(page.path)).unwrap_or_default();
            assert!(committed == page.text, "{} is out of date: cargo xtask docs", page.path);
        }
    }

    /// Returns whether the page has an entry for the option, as such pages spell it.
    fn lists(page: &Page, long: &str) -> bool {
        let has = |entry: String| page.text.contains(&entry);
        match page.path {
            "docs/man/nmsgtool.1" => has(format!("\\-\\-{}\\fR", long.replace('-', "\\-"))),
            "docs/nmsgtool.md" => has(format!("`--{long}`")),
            "docs/completions/nmsgtool.fish" => has(format!(" -l {long} ")),
            "docs/completions/_nmsgtool" => has(format!("--{long}=[")) || has(format!("--{long}[")),
            _ => page.text.split([' ', '"', '\n']).any(|word| word == format!("--{long}")),
        }
    }

    #[test]
    fn every_available_option_is_on_every_page_and_no_other() {
        let set = FlagSet::available();
        for page in pages(set) {
            for flag in FLAGS {
                let present = lists(&page, flag.long);
                assert_eq!(present, set.has(flag.id), "--{} in {}", flag.long, page.path);
            }
        }
    }

    #[test]
    fn pages_tell_defaults_examples_and_statuses() {
        let pages = pages(FlagSet::available());
        let text = |path| &pages.iter().find(|page| page.path == path).unwrap().text;
        let (man, reference) = (text("docs/man/nmsgtool.1"), text("docs/nmsgtool.md"));
        for flag in FlagSet::available().iter() {
            assert!(reference.contains(flag.example), "example of --{}", flag.long);
            assert!(man.contains(&manpage::escape(flag.example)), "example of --{}", flag.long);
            if let Some(default) = flag.default {
                assert!(reference.contains(default), "default of --{}", flag.long);
                assert!(man.contains(&manpage::escape(default)), "default of --{}", flag.long);
            }
        }
        for (status, meaning) in nmsgtool::failure::ExitStatus::TABLE {
            assert!(reference.contains(&format!("| {} | {meaning} |", status.code())));
            assert!(man.contains(&format!(".B {}\n{}", status.code(), manpage::escape(meaning))));
        }
    }
}
