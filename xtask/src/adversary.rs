//! Inputs that cost much: a search for them in every parser, and what the worst of them cost.

mod corpus;
mod mutate;
mod parsers;
mod runs;
mod search;
mod weigh;

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bench::machine;
use crate::{in_release, root, valgrind};
use parsers::{PARSERS, Parser};
use search::search;

/// Largest inputs, in octets: a small one that shows fixed costs, a larger one that shows growth.
const KEPT_SIZES: [usize; 2] = [512, 8192];
/// Inputs of this size start from the worst smaller ones and are not kept: a cost per octet that is
/// higher by the ratio of the sizes grows with the square.
const LARGE: usize = 128 << 10;
/// No input may cost more than so many times what ordinary ones do, octet for octet.
const MOST: f64 = 50.0;

const PAGE: &str = "\
# Inputs that cost much

For every parser a search changes ordinary inputs again and again and goes on with those that cost most for each octet that is read or made. The worst found are in
`xtask/adversary`, one of at most 512 octets and one of at most 8,192 for each parser, and a test holds them to fifty times the ordinary cost: the median over samples from
golden data. Instructions are counted by valgrind, so the figures do not depend on how busy a machine is.

`cargo xtask adversary [NAME…] [SECONDS]` searches on from there and writes this page, `cargo xtask adversary --check` only counts.

";

/// Searches, or does one of the smaller things that `arguments` name.
pub(crate) fn run(arguments: &[&str]) -> io::Result<()> {
    match *arguments {
        // For itself, under valgrind.
        ["--read", name, inputs, ref files @ ..] => {
            weigh::read(named(name)?, inputs == "all", files)
        }
        ["--check"] => check(),
        _ if cfg!(debug_assertions) => in_release(&[&["adversary"], arguments].concat()),
        _ => search_and_keep(arguments),
    }
}

fn named(name: &str) -> io::Result<&'static Parser> {
    let parser = PARSERS.iter().find(|parser| parser.name == name);
    parser.ok_or_else(|| io::Error::other(format!("there is no parser {name}")))
}

/// Where the worst input of a parser is kept.
fn kept(parser: &Parser, size: usize) -> PathBuf {
    root().join("xtask/adversary").join(format!("{}-{size}", parser.name))
}

/// Where a search leaves all that it found, for the next one to go on with.
fn pool(parser: &Parser, size: usize) -> PathBuf {
    root().join("target/adversary").join(format!("{}-{size}", parser.name))
}

fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Searches for so many seconds of processor time per parser and size. Names choose among the parsers.
fn search_and_keep(arguments: &[&str]) -> io::Result<()> {
    let mut seconds = 60;
    let mut parsers = Vec::new();
    for argument in arguments {
        match argument.parse() {
            Ok(number) => seconds = number,
            Err(_) => parsers.push(named(argument)?),
        }
    }
    if parsers.is_empty() {
        parsers.extend(PARSERS);
    }
    if !valgrind::is_installed() {
        return Err(io::Error::other("valgrind, which counts instructions, is not installed"));
    }
    for parser in parsers {
        let mut starts = (parser.samples)();
        let samples = starts.len();
        for size in KEPT_SIZES.into_iter().chain([LARGE]) {
            let folder = pool(parser, size);
            let mut earlier = files_in(&folder)?;
            earlier.push(kept(parser, size));
            starts.extend(earlier.iter().filter_map(|file| fs::read(file).ok()));
            let (tried, found) = search(parser, &starts, size, Duration::from_secs(seconds));
            fs::create_dir_all(&folder)?;
            let mut files = Vec::new();
            for (place, (_, input)) in found.0.iter().enumerate() {
                let file = folder.join(place.to_string());
                fs::write(&file, input)?;
                files.push(file);
            }
            starts.truncate(samples);
            starts.extend(found.0.into_iter().map(|(_, input)| input));
            let weights = weigh::weigh(parser, &files)?;
            let worst = weights.files.iter().zip(&files).max_by(|a, b| a.0.total_cmp(b.0));
            let Some((cost, worst)) = worst else { continue };
            if size != LARGE {
                fs::copy(worst, kept(parser, size))?;
            }
            let ratio = cost / weights.ordinary;
            say(&format!("{} {size}: {ratio:.1}× after {tried} inputs", parser.name))?;
        }
    }
    let table = table()?.text;
    let page = format!("{PAGE}{}\n{table}", machine(None));
    fs::write(root().join("docs/hostile-inputs.md"), page)
}

/// What all that is kept costs.
struct Table {
    text: String,
    /// The kept inputs that cost too much, and by how much.
    too_much: Vec<String>,
}

fn table() -> io::Result<Table> {
    let mut text = String::from("| parser | instructions per octet |");
    for size in KEPT_SIZES {
        // Writing to a String cannot fail.
        let _ = write!(text, " worst of {size} | ratio |");
    }
    text.push_str("\n|---|---|---|---|---|---|\n");
    let mut too_much = Vec::new();
    for parser in PARSERS {
        let weights = weigh::weigh(parser, &KEPT_SIZES.map(|size| kept(parser, size)))?;
        let _ = write!(text, "| {} | {:.1} |", parser.name, weights.ordinary);
        for (size, cost) in KEPT_SIZES.iter().zip(weights.files) {
            let ratio = cost / weights.ordinary;
            let _ = write!(text, " {cost:.1} | {ratio:.1}× |");
            if ratio > MOST {
                too_much.push(format!("{} {size}: {ratio:.1}×", parser.name));
            }
        }
        text.push('\n');
    }
    Ok(Table { text, too_much })
}

/// Counts what is kept; an error when something costs more than it may, or when nobody knows.
fn check() -> io::Result<()> {
    if !valgrind::is_installed() {
        return say("skipped: valgrind is not installed, so no instructions are counted");
    }
    let files = files_in(&root().join("xtask/adversary"))?;
    let known = |file: &PathBuf| {
        PARSERS.iter().any(|parser| KEPT_SIZES.iter().any(|size| kept(parser, *size) == *file))
    };
    if let Some(file) = files.iter().find(|file| !known(file)) {
        return Err(io::Error::other(format!("{}: no parser is asked about it", file.display())));
    }
    let Table { text, too_much } = table()?;
    say(text.trim_end())?;
    match too_much.is_empty() {
        true => Ok(()),
        false => Err(io::Error::other(format!(
            "more than {MOST} times the ordinary cost: {}",
            too_much.join(", ")
        ))),
    }
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}
