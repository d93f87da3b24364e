//! The fuzz targets, which the normal build does not compile, against the functions they call.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn files_called(name: &str, folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_called(name, &path, found);
        } else if path.file_name().is_some_and(|file| file == name) {
            found.push(path);
        }
    }
}

/// The functions made to be fuzzed, as other crates name them.
fn functions() -> BTreeSet<String> {
    let mut functions = BTreeSet::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        let crate_name = folder.file_name().unwrap().to_string_lossy().replace('-', "_");
        let source = folder.join("src");
        let mut files = Vec::new();
        files_called("fuzzing.rs", &source, &mut files);
        for file in files {
            let module = file.strip_prefix(&source).unwrap().with_extension("");
            let module = module.to_string_lossy().replace('/', "::");
            for line in fs::read_to_string(&file).unwrap().lines() {
                let Some(rest) = line.strip_prefix("pub fn ") else { continue };
                let (name, _) = rest.split_once('(').unwrap();
                functions.insert(format!("{crate_name}::{module}::{name}"));
            }
        }
    }
    functions
}

#[test]
fn every_fuzz_body_has_one_target_and_every_target_is_declared_and_described() {
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    let readme = fs::read_to_string(root().join("fuzz/README.md")).unwrap();
    let mut called = BTreeSet::new();
    let mut targets = 0;
    for entry in fs::read_dir(root().join("fuzz/targets")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let body = text.split_once("|octets: &[u8]| ").expect("one closure").1;
        let (function, rest) = body.split_once("(octets)").expect("one call");
        assert_eq!(rest, ");\n", "{name}: one call and nothing else");
        let declared = format!("name = \"{name}\"\npath = \"targets/{name}.rs\"\n");
        assert!(manifest.contains(&declared), "{name} is not in the manifest");
        let row = format!("| `{name}` | `{function}` |");
        assert!(readme.contains(&row), "no row {row}");
        called.insert(function.to_owned());
        targets += 1;
    }
    assert_eq!(manifest.matches("[[bin]]").count(), targets, "binaries without a file");
    assert_eq!(called, functions());
    assert_eq!(called.len(), targets, "two targets call the same function");
}
