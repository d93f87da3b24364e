//! A disk that is full, and has room again.

use crate::ledger::{balanced, output};
use crate::tool::{Ran, Scratch, command, containers, end_of, run, run_with_input, start};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A small file system in a mount namespace of its own, gone with its keeper.
struct SmallDisk {
    keeper: Child,
    path: PathBuf,
}

impl SmallDisk {
    /// Makes one, where that is possible: it takes root, or namespaces for everybody. On machines that
    /// test every change (`CI` is `true`), it has to be possible.
    #[expect(clippy::print_stdout, reason = "says that a test is skipped")]
    fn new(scratch: &Scratch, size: &str) -> Option<Self> {
        let place = scratch.path("disk");
        fs::create_dir_all(&place).expect("a directory");
        for spaces in [&["--mount"][..], &["--mount", "--user", "--map-root-user"]] {
            let mut keeper = Command::new("unshare");
            let script = "mount -t tmpfs -o size=\"$0\" none \"$1\" && echo ready && exec cat";
            keeper.args(spaces).args(["sh", "-c", script, size]).arg(&place);
            keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            let Ok(mut keeper) = keeper.spawn() else { break };
            let mut line = String::new();
            let stdout = keeper.stdout.as_mut().expect("a pipe");
            BufReader::new(stdout).read_line(&mut line).expect("text");
            if line == "ready\n" {
                let inside = place.strip_prefix("/").expect("an absolute path");
                let path = Path::new("/proc").join(keeper.id().to_string()).join("root");
                return Some(Self { path: path.join(inside), keeper });
            }
            keeper.wait().expect("it is ours");
        }
        assert!(
            std::env::var_os("CI").is_none_or(|value| value != "true"),
            "no file systems can be mounted on this machine"
        );
        println!("skipped: no file systems can be mounted on this machine");
        None
    }

    fn text(&self, name: &str) -> String {
        self.path.join(name).into_os_string().into_string().expect("text")
    }

    fn files(&self, start: &str) -> Vec<PathBuf> {
        files_in(&self.path, start)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// The files of a directory whose names start like this, oldest first.
fn files_in(directory: &Path, start: &str) -> Vec<PathBuf> {
    let names = fs::read_dir(directory).expect("a directory").flatten();
    let names = names.filter(|entry| entry.file_name().to_string_lossy().starts_with(start));
    let mut paths: Vec<PathBuf> = names.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Payloads in whole containers of files.
fn payloads_in(files: &[PathBuf]) -> u64 {
    let count = |path: &PathBuf| {
        let path = path.to_str().expect("text");
        balanced(&run(["--keep-going", "--stats", "-r", path, "-w", "/dev/null"])).0
    };
    files.iter().map(count).sum()
}

/// Feeds payloads for as long as the program takes them.
fn feed_until_it_ends(words: &[&str]) -> Ran {
    let mut child = start(command(words));
    let mut stdin = child.stdin.take().expect("a pipe");
    let octets = containers(&[1; 100]).concat();
    std::thread::scope(|scope| {
        scope.spawn(move || while stdin.write_all(&octets).is_ok() {});
        end_of(child).0
    })
}

#[test]
fn ro_9_after_a_full_disk_the_next_run_goes_on_where_it_was() {
    let scratch = Scratch::new();
    let Some(disk) = SmallDisk::new(&scratch, "256k") else { return };
    let (out, other) = (disk.text("x"), scratch.text("other.nmsg"));
    let words = ["-r", "-", "-w", &out, "-c", "100", "-k", "", "-w", &other];
    let ran = feed_until_it_ends(&[&words[..], &["--mirror", "--unbuffered", "--stats"]].concat());
    assert_eq!(ran.status, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("No space left on device"), "{}", ran.stderr);
    let (came, _) = balanced(&ran);
    let (written, rest) = output(&ran, &out);
    assert!(written > 1000 && rest.contains(" lost"), "{}", ran.stderr);
    assert_eq!(output(&ran, &other).0, came, "the other output has everything");
    assert_eq!(payloads_in(&files_in(&scratch.path(""), "other.")), came);
    let hidden = disk.files(".x.");
    assert_eq!(hidden.len(), 1, "what was being written is kept");
    assert_eq!(payloads_in(&[disk.files("x."), hidden].concat()), written, "all of it is there");

    // Nothing changes while the disk is still full, except that leftovers are finished.
    let finished = disk.files("x.");
    let [first, second, ..] = &finished[..] else { panic!("{finished:?}") };
    let freed = payloads_in(&[first.clone(), second.clone()]);
    fs::remove_file(first).expect("removed");
    fs::remove_file(second).expect("removed");
    let more = containers(&[5]).concat();
    let ran = run_with_input(["-r", "-", "-w", &out, "-k", "", "--stats"], &more);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(balanced(&ran), (5, 5));
    assert_eq!(ran.stderr.matches("nmsgtool: recovered ").count(), 1, "{}", ran.stderr);
    assert!(disk.files(".").is_empty(), "nothing hidden is left");
    assert_eq!(payloads_in(&disk.files("x.")), written - freed + 5);
}

#[test]
fn cw_8_a_disk_that_fills_up_ends_the_run_with_its_account() {
    let scratch = Scratch::new();
    let Some(disk) = SmallDisk::new(&scratch, "2m") else { return };
    let input = scratch.write("in.nmsg", &containers(&[200]).concat().repeat(1000));
    let other = scratch.text("other.nmsg");
    for option in ["-w", "-o", "-J"] {
        for threads in ["1", "2"] {
            let name = format!("{option}, {threads} threads");
            let full = disk.text("full");
            let words = ["-r", &input, option, &full, "-w", &other, "--mirror", "--stats"];
            let ran = run(words.into_iter().chain(["--threads", threads]));
            assert_eq!(ran.status, 4, "{name}: {}", ran.stderr);
            let said = format!("nmsgtool: unable to write to {full}: No space left on device\n");
            assert_eq!(ran.stderr.matches(&said).count(), 1, "{name}: {}", ran.stderr);
            balanced(&ran);
            let (written, rest) = output(&ran, &full);
            assert!(written > 0 && rest.contains(" lost"), "{name}: {}", ran.stderr);
            let len = fs::metadata(&full).expect("it is there").len();
            assert!(len > 1 << 20, "{name}: {len}");
            let there = match option {
                "-w" => payloads_in(&[PathBuf::from(&full)]),
                "-o" => lines(&full, "[1:5 base ipconn]"),
                _ => lines(&full, "\"mname\":\"ipconn\""),
            };
            assert!(there >= written, "{name}: {there} of {written}");
            assert_eq!(
                payloads_in(&[scratch.path("other.nmsg")]),
                output(&ran, &other).0,
                "{name}"
            );
            fs::remove_file(full).expect("removed");
        }
    }
}

fn lines(path: &str, what: &str) -> u64 {
    fs::read_to_string(path).expect("text").matches(what).count() as u64
}
