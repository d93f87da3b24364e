//! `docs/differences.md` against the tests that are named after its ids.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The cells of each row of a Markdown table whose first cell looks like an id.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let cells = |line: &'_ str| line.starts_with('|') && line.trim_end().ends_with('|');
    text.lines()
        .filter(|line| cells(line))
        .map(|line| line.trim().trim_matches('|').split(" | ").map(str::trim).collect())
        .filter(|row: &Vec<&str>| split_id(row[0]).is_some())
        .collect()
}

/// `CR-4` as `("CR", 4)`, `W12` as `("W", 12)`.
fn split_id(id: &str) -> Option<(&str, u32)> {
    let letters = id.find(|letter: char| !letter.is_ascii_uppercase())?;
    let (prefix, number) = id.split_at(letters);
    let number = number.strip_prefix('-').unwrap_or(number);
    match prefix {
        "" => None,
        _ => Some((prefix, number.parse().ok()?)),
    }
}

/// The states of the ids of the page, which names each id once.
fn page() -> BTreeMap<String, String> {
    let text = fs::read_to_string(root().join("docs/differences.md")).unwrap();
    let mut states = BTreeMap::new();
    for row in rows(&text) {
        assert_eq!(row.len(), 4, "cells of {row:?}");
        assert!(!row[1].is_empty() && !row[2].is_empty(), "{row:?} says nothing");
        let earlier = states.insert(row[0].to_owned(), row[3].to_owned());
        assert_eq!(earlier, None, "{} is there twice", row[0]);
    }
    states
}

fn source_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            source_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The ids that a test is named after: `cr_15_and_cz_3_foreign_files` gives CR-15 and CZ-3.
fn ids_of_test(name: &str, prefixes: &BTreeSet<&str>) -> Vec<String> {
    let mut ids = Vec::new();
    let mut words = name.split('_').peekable();
    while let Some(word) = words.next() {
        let prefix = word.to_ascii_uppercase();
        let number = words.peek().and_then(|number| number.parse::<u32>().ok());
        match number {
            Some(number) if prefixes.contains(prefix.as_str()) => {
                words.next();
                let dash = if prefix == "W" { "" } else { "-" };
                ids.push(format!("{prefix}{dash}{number}"));
            }
            _ if word == "and" && !ids.is_empty() => {}
            _ => break,
        }
    }
    ids
}

/// Names of the functions that are tests.
fn tests_in(source: &str) -> Vec<&str> {
    let mut tests = Vec::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim_start) {
        if line.starts_with("#[test]") {
            is_test = true;
        } else if let Some(rest) = line.strip_prefix("fn ") {
            if is_test {
                tests.push(rest.split(['(', '<']).next().unwrap());
            }
            is_test = false;
        }
    }
    tests
}

/// The tests of every id that a test is named after.
fn tests_by_id(prefixes: &BTreeSet<&str>) -> BTreeMap<String, Vec<String>> {
    let mut files = Vec::new();
    source_files(&root().join("crates"), &mut files);
    source_files(&root().join("xtask"), &mut files);
    let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files {
        for name in tests_in(&fs::read_to_string(file).unwrap()) {
            for id in ids_of_test(name, prefixes) {
                tests.entry(id).or_default().push(name.to_owned());
            }
        }
    }
    tests
}

#[test]
fn every_id_has_the_tests_that_its_state_promises() {
    let page = page();
    let prefixes: BTreeSet<&str> = page.keys().filter_map(|id| Some(split_id(id)?.0)).collect();
    let tests = tests_by_id(&prefixes);
    let mut wrong = Vec::new();
    for (id, state) in &page {
        match (state.as_str(), tests.get(id)) {
            ("tested", None) => wrong.push(format!("{id}: no test is named after it")),
            ("tested", Some(_)) | ("optional", _) | ("bindings", None) => {}
            ("bindings", Some(names)) => {
                wrong.push(format!("{id} is {state}, but has tests: {names:?}"));
            }
            (other, _) => wrong.push(format!("{id}: unknown state {other}")),
        }
    }
    for (id, names) in &tests {
        if !page.contains_key(id) {
            wrong.push(format!("{names:?}: {id} is not on the page"));
        }
    }
    assert!(wrong.is_empty(), "docs/differences.md and the tests:\n{}", wrong.join("\n"));
}

#[test]
fn the_page_has_every_decision() {
    let index = root().join("../shared/spec/decisions.md");
    let Ok(text) = fs::read_to_string(&index) else {
        println!("skipped: there is no index of decisions beside the checkout");
        return;
    };
    let page = page();
    let decisions: Vec<&str> = rows(&text).iter().map(|row| row[0]).collect();
    assert!(decisions.len() > 200, "{} decisions", decisions.len());
    let missing: Vec<&str> = decisions.into_iter().filter(|&id| !page.contains_key(id)).collect();
    assert!(missing.is_empty(), "not on the page: {missing:?}");
}

#[test]
fn names_of_tests_are_taken_apart() {
    let prefixes = BTreeSet::from(["CR", "CZ", "W"]);
    let rows: [(&str, &[&str]); 6] = [
        ("cr_4_one_damaged_container", &["CR-4"]),
        ("cr_15_and_cz_3_other_files", &["CR-15", "CZ-3"]),
        ("cr_1_cz_2_both", &["CR-1", "CZ-2"]),
        ("w_12_linear", &["W12"]),
        ("row_5_of_a_table", &[]),
        ("a_test_of_cr_4", &[]),
    ];
    for (name, ids) in rows {
        assert_eq!(ids_of_test(name, &prefixes), ids, "{name}");
    }
    let source = "fn cr_1_helper() {}\n#[test]\n#[ignore]\nfn cr_2_test() {}\nfn cr_3_other() {}";
    assert_eq!(tests_in(source), ["cr_2_test"]);
}
