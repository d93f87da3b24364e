//! The C suite's own tests with our program in the place of its own.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use super::say;
use super::tool::Tool;

/// After this many seconds a test is ended.
const PATIENCE: &str = "120";

/// A test script of the C suite.
struct Script {
    /// Path below the source tree.
    path: &'static str,
    /// How many checks pass in the C suite itself.
    checks: usize,
    /// Options without which none of it can work.
    needs: &'static [&'static str],
    exceptions: &'static [Exception],
}

/// Checks of a script that do not pass, and why.
struct Exception {
    /// Start of the check's name.
    check: &'static str,
    why: Why,
}

/// Why a check does not pass.
#[derive(Clone, Copy)]
enum Why {
    /// Our program lacks this option so far; once its help lists it, the check has to pass.
    Lacks(&'static str),
}

const fn script(path: &'static str, checks: usize) -> Script {
    Script { path, checks, needs: &[], exceptions: &[] }
}

const SCRIPTS: &[Script] = &[
    script("tests/group-operator-source-tests/test.sh.in", 87),
    script("tests/json-utf8-tests/test.sh.in", 5),
    script("tests/nmsg-dns-tests/test.sh.in", 23),
    script("tests/nmsg-dnsobs-tests/test.sh.in", 12),
    Script {
        exceptions: &[
            Exception { check: "pcap-to-presentation", why: Why::Lacks("readpcap") },
            Exception { check: "pcap-to-json", why: Why::Lacks("readpcap") },
            Exception {
                check: "read pcap base:dnsqr and create nmsg output",
                why: Why::Lacks("readpcap"),
            },
            Exception { check: "pcap-to-nmsg", why: Why::Lacks("readpcap") },
        ],
        ..script("tests/nmsg-dnsqr-tests/test.sh.in", 20)
    },
    script("tests/nmsg-dnstap-tests/test.sh.in", 11),
    script("tests/nmsg-http-tests/test.sh.in", 30),
    script("tests/string-tests/test.sh.in", 12),
    script("tests/payload-crc32c-tests/test.sh.in", 24),
    Script { needs: &["readpcap"], ..script("tests/udp-checksum-tests/test.sh.in", 42) },
    Script { needs: &["daemon", "pidfile", "readsock"], ..script("tests/test-daemon.sh", 2) },
    Script { needs: &["kicker"], ..script("tests/test-kicker.sh", 2) },
    Script { needs: &["readpcap"], ..script("tests/test-msgmod.sh", 5) },
    Script { needs: &["filter"], ..script("tests/test-sample.sh", 1) },
    Script {
        needs: &["readpcap", "readsock", "writesock", "mtu"],
        ..script("tests/test-socket-frag.sh", 1)
    },
    Script { needs: &["readzsock", "writezsock"], ..script("tests/test-zmq-endpoints.sh", 1) },
];

/// Runs all scripts; returns how many checks fail that should not.
pub(super) fn run(source: &Path, ours: &Tool, scratch: &Path) -> io::Result<usize> {
    let source = source.canonicalize()?;
    let build = scratch.join("suite");
    if build.exists() {
        fs::remove_dir_all(&build)?;
    }
    prepare(&source, &build, ours)?;
    let options = ours.options()?;
    say(&format!("tests of the C suite in {} with our program:", source.display()))?;
    let mut failures = 0;
    for script in SCRIPTS {
        let missing: Vec<_> =
            script.needs.iter().filter(|need| !options.contains(**need)).collect();
        if !missing.is_empty() {
            let names: Vec<_> = missing.iter().map(|name| format!("--{name}")).collect();
            let checks = script.checks;
            say(&format!(
                "  {}: not yet ({checks} checks): lacks {}",
                script.path,
                names.join(", ")
            ))?;
            continue;
        }
        failures += run_script(script, &source, &build, &options)?;
    }
    Ok(failures)
}

/// Makes the build tree that the scripts expect: what they run, and nothing else.
fn prepare(source: &Path, build: &Path, ours: &Tool) -> io::Result<()> {
    for folder in ["src", "nmsg", "tests"] {
        fs::create_dir_all(build.join(folder))?;
    }
    symlink(ours.program(), build.join("src/nmsgtool"))?;
    for part in ["libmy", "examples", "fltmod", "nmsg/.libs", "nmsg/base"] {
        symlink(source.join(part), build.join(part))?;
    }
    Ok(())
}

fn run_script(
    script: &Script,
    source: &Path,
    build: &Path,
    options: &BTreeSet<String>,
) -> io::Result<usize> {
    let text = fs::read_to_string(source.join(script.path))?;
    let text = text
        .replace("@abs_top_srcdir@", &source.to_string_lossy())
        .replace("@abs_top_builddir@", &build.to_string_lossy())
        .replace("@shlibpath_var@", "LD_LIBRARY_PATH");
    let local = build.join(script.path.trim_end_matches(".in"));
    let folder = local.parent().unwrap_or(build);
    fs::create_dir_all(folder)?;
    fs::write(&local, text)?;
    let mut command = Command::new("timeout");
    command
        .args(["-k", "5", PATIENCE, "sh"])
        .arg(&local)
        .current_dir(folder)
        .env("abs_top_srcdir", source)
        .env("abs_top_builddir", build)
        .env("NMSG_MSGMOD_DIR", build.join("nmsg/base/.libs"))
        .stdin(Stdio::null());
    if let Some(folder) = env::var_os("NMSG_REFERENCE") {
        // Its own test programs are linked with its own library.
        command.env("LD_LIBRARY_PATH", Path::new(&folder).join("lib"));
    }
    let output = command.output()?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    fs::write(local.with_extension("log"), &text)?;
    judge(script, &text, options)
}

/// Counts what passed and explains what did not.
fn judge(script: &Script, text: &str, options: &BTreeSet<String>) -> io::Result<usize> {
    let of = |verdict: &str| -> Vec<String> {
        let checks = text.lines().filter_map(|line| Some(line.split_once(verdict)?.1.to_owned()));
        checks.collect()
    };
    let (passed, failed) = (of("PASS: "), of("FAIL: "));
    say(&format!("  {}: {} of {} pass", script.path, passed.len(), script.checks))?;
    let mut failures = 0;
    for check in &failed {
        let exception =
            script.exceptions.iter().find(|exception| check.starts_with(exception.check));
        match exception.map(|exception| exception.why) {
            Some(Why::Lacks(option)) if !options.contains(option) => {
                say(&format!("    not yet: {check}: lacks --{option}"))?;
            }
            _ => {
                say(&format!("    FAILS: {check}"))?;
                failures += 1;
            }
        }
    }
    if passed.len() + failed.len() != script.checks {
        say(&format!("    FAILS: {} checks ran", passed.len() + failed.len()))?;
        failures += 1;
    }
    Ok(failures)
}
