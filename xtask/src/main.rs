//! Development tasks, run as `cargo xtask NAME`.

mod adversary;
mod bench;
mod captures;
mod docs;
mod guard;
mod live;
#[path = "../../crates/nmsgtool/tests/capture/namespace.rs"]
#[expect(dead_code, reason = "tests share it")]
mod namespace;
#[path = "../../crates/nmsg-capture/src/test_packets.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "tests share it; its inputs are right")]
mod packets;
mod peers;
mod random;
mod samples;
mod shapes;
mod share;
mod traffic;
mod valgrind;

use std::env;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitCode};

const USAGE: &str = "\
Usage: cargo xtask NAME
  docs          write the reference page, man page and completions of nmsgtool
  samples       write samples/, the files that come with the project
  bench [TEXT]  measure nmsgtool, and the C suite in NMSG_REFERENCE, and write docs/benchmarks.md;
                with a text, only show the rows whose names have it
  bench --guard compare the instructions of the hot loops with xtask/instructions.txt
  bench --count write xtask/instructions.txt
  bench --shapes [N]
                measure inputs of unusual shapes, and write docs/shapes.md
  adversary [NAME...] [SECONDS]
                search for inputs that cost a parser most, a minute for each size; the worst are kept
                in xtask/adversary, and what they cost is written to docs/hostile-inputs.md
  adversary --check
                count the instructions for what is kept
  peers [--full] [PART...]
                compare nmsgtool with the C suite in NMSG_REFERENCE, and run the tests of the one
                built in NMSG_REFERENCE_SOURCE: records, commands, datagrams, exchange, loss, suite;
                --full exchanges a million payloads each way
  live          find the packet rates at which nmsgtool, and the C suite in NMSG_REFERENCE, start to
                lose packets of a live capture (needs root)
  captures      compare what nmsgtool and the C suite in NMSG_REFERENCE make of generated captures
";

/// The top folder of the project.
fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Does a task with a program that was built as users build theirs: for what is measured in this one.
fn in_release(words: &[&str]) -> io::Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["run", "--release", "--quiet", "--package", "xtask", "--"])
        .args(words)
        .current_dir(root())
        .status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("it ended with {status}"))) }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match *words {
        ["docs"] => docs::write(),
        ["samples"] => samples::write(&root().join("samples")),
        ["bench"] => bench::run(None),
        ["bench", "--guard"] => guard::run(guard::Purpose::Check),
        ["bench", "--count"] => guard::run(guard::Purpose::Accept),
        ["bench", "--shapes", ..] if cfg!(debug_assertions) => in_release(&words),
        ["bench", "--shapes", ref rest @ ..] => shapes::run(rest),
        ["bench", only] => bench::run(Some(only)),
        // For itself: the sender of a row above.
        ["replay", file, port, rate, count] => match (port.parse(), rate.parse(), count.parse()) {
            (Ok(port), Ok(rate), Ok(count)) => {
                bench::network::replay(Path::new(file), port, rate, count)
            }
            _ => Err(io::Error::other(USAGE)),
        },
        ["adversary", ref rest @ ..] => adversary::run(rest),
        ["peers", "--full", ref parts @ ..] => peers::run(parts, true),
        ["peers", ref parts @ ..] => peers::run(parts, false),
        ["captures"] => captures::run(),
        ["live"] => live::run(),
        // For itself: what the task above runs at the far end of its cable.
        ["send", what, rate, seconds] => match (rate.parse(), seconds.parse()) {
            (Ok(rate), Ok(seconds)) => live::send(what, rate, seconds),
            _ => Err(io::Error::other(USAGE)),
        },
        _ => Err(io::Error::other(USAGE)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With standard error gone there is nobody to tell.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}
