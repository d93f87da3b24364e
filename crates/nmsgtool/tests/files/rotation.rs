//! Files that start anew, and what is run on them.

use crate::tool::{Ran, Scratch, command, containers, end_of, run, run_with_input, start};
use nmsg::Limits;
use nmsg::container::StreamReader;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The files of a directory with names that start like this, oldest first.
fn files(directory: &Path, start: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| entry.expect("a name").path())
        .filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start))
        })
        .collect();
    paths.sort();
    paths
}

/// The source ports of the payloads in whole containers, which must be the whole file with `strict`.
fn payloads(file: &Path, strict: bool) -> Vec<u8> {
    let mut reader = StreamReader::new(&Limits::default());
    reader.feed(&fs::read(file).expect("a file"));
    reader.end();
    let mut found = Vec::new();
    while let Some(container) = reader.next_container() {
        match container {
            Ok(container) => {
                found.extend(container.payloads().map(|p| p.payload.body.unwrap_or_default()[1]));
            }
            Err(error) => assert!(!strict, "{}: {error}", file.display()),
        }
    }
    found
}

/// Waits for a file to have so many lines.
fn wait_for_lines(file: &Path, count: usize) -> Vec<String> {
    let start = Instant::now();
    loop {
        let text = fs::read_to_string(file).unwrap_or_default();
        if text.lines().count() >= count || start.elapsed() > Duration::from_secs(20) {
            return text.lines().map(str::to_owned).collect();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn in_directory(scratch: &Scratch, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command.current_dir(scratch.path(""));
    command
}

#[test]
fn ro_1_ro_4_files_are_named_and_kicked() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[10]).concat());
    for (option, base, suffix) in [
        ("-w", "feed", ".nmsg"),
        ("-J", "out.json", ".json"),
        ("-o", "a b;touch oops", ""),
        ("-w", "-", ".nmsg"),
    ] {
        let kicked = scratch.path("kicked");
        let arguments = ["-r", &file, option, base, "-c", "4", "-k", "printf '%s\\n' >>kicked"];
        let mut command = in_directory(&scratch, &arguments);
        let ran: Ran = command.env("TZ", "America/New_York").output().expect("starts").into();
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{option} {base}");
        let mut lines = wait_for_lines(&kicked, 3);
        lines.sort();
        let found = files(&scratch.path(""), &format!("{base}."));
        let names: Vec<String> = found
            .iter()
            .map(|p| format!("./{}", p.file_name().unwrap().to_str().unwrap()))
            .collect();
        assert_eq!(lines, names, "{option} {base}");
        assert_eq!(names.len(), 3, "{option} {base}");
        for name in &names {
            let stamp =
                name.strip_prefix(&format!("./{base}.")).and_then(|n| n.strip_suffix(suffix));
            let fields: Vec<&str> = stamp.unwrap().split('.').collect();
            let [day, minute, seconds, nanoseconds] = fields[..] else { panic!("{name}") };
            assert_eq!((day.len(), minute.len(), nanoseconds.len()), (8, 4, 9), "{name}");
            let seconds: u64 = seconds.parse().unwrap();
            let now = std::time::SystemTime::now();
            let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
            assert!((now - 60..=now).contains(&seconds), "{name}: true UTC");
        }
        assert!(files(&scratch.path(""), ".").is_empty(), "nothing hidden is left");
        fs::remove_file(kicked).unwrap();
        found.iter().for_each(|path| fs::remove_file(path).unwrap());
    }
    assert!(!scratch.path("oops").exists());
}

#[test]
fn en_2_a_count_that_divides_the_input_leaves_no_empty_file() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[7, 5]).concat());
    let ran = run(["-r", &file, "-w", &scratch.text("x"), "-c", "4", "-k", ""]);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    let found: Vec<Vec<u8>> =
        files(&scratch.path(""), "x.").iter().map(|path| payloads(path, true)).collect();
    assert_eq!(found, [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9, 10, 11]]);
}

#[test]
fn ro_2_files_of_a_size_are_whole_and_kicked() {
    let scratch = Scratch::new();
    let each = containers(&[5])[0].len();
    let input = scratch.write("in.nmsg", &containers(&[5; 8]).concat());
    let limit = (each * 2 + 1).to_string();
    let kicker = format!("cp -t {}", scratch.text("kicked"));
    fs::create_dir(scratch.path("kicked")).unwrap();
    let out = scratch.text("x");
    let arguments = ["-r", &input, "-w", &out, "--unbuffered", "-k", &kicker];
    let ran = run(arguments.iter().chain(&["--rotate-size", &limit]));
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    let found = files(&scratch.path(""), "x.");
    let sizes: Vec<u64> = found.iter().map(|path| fs::metadata(path).unwrap().len()).collect();
    let (last, full) = sizes.split_last().unwrap();
    let one = containers(&[1])[0].len() as u64;
    let limit: u64 = limit.parse().unwrap();
    assert!(full.iter().all(|size| (limit..limit + one).contains(size)), "{sizes:?}");
    assert!(!full.is_empty() && *last > 0, "{sizes:?}");
    let all: Vec<u8> = found.iter().flat_map(|path| payloads(path, true)).collect();
    assert!(all.iter().copied().eq(0..40), "{all:?}");
    let begin = Instant::now();
    while files(&scratch.path("kicked"), "x.").len() < found.len() {
        assert!(begin.elapsed() < Duration::from_secs(20), "kicked");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(files(&scratch.path(""), ".").is_empty(), "nothing hidden is left");
}

#[test]
fn ro_8_the_implicit_output_is_a_file_too() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[3]).concat());
    let ran: Ran =
        in_directory(&scratch, &["-r", &file, "-k", ""]).output().expect("starts").into();
    assert_eq!((ran.status, ran.text()), (0, ""));
    let found = files(&scratch.path(""), "-.");
    assert_eq!(found.len(), 1);
    assert_eq!(fs::read_to_string(&found[0]).unwrap().matches("[1:5 base ipconn]").count(), 3);
}

#[test]
fn ro_7_empty_intervals_make_files_unless_they_are_skipped() {
    for (more, want) in [(&[][..], 3..=4), (&["--skip-empty"], 0..=0)] {
        let scratch = Scratch::new();
        let out = scratch.text("x");
        let mut child =
            start(command(["-r", "-", "-w", &out, "-t", "1", "-k", ""].iter().chain(more)));
        std::thread::sleep(Duration::from_millis(2_200));
        drop(child.stdin.take());
        let (ran, _) = end_of(child);
        assert_eq!((ran.status, &*ran.stderr), (0, ""));
        let found = files(&scratch.path(""), "");
        assert!(want.contains(&found.len()), "{more:?}: {found:?}");
    }
}

#[test]
fn ro_3_a_failed_rename_keeps_the_data_and_is_status_4() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("sub")).unwrap();
    let out = scratch.text("sub/x");
    let mut child = start(command(["-r", "-", "-w", &out, "-k", "", "--unbuffered"]));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&containers(&[3])[0]).unwrap();
    let begin = Instant::now();
    let part = loop {
        let found = files(&scratch.path("sub"), ".x.");
        if found.first().is_some_and(|part| fs::metadata(part).unwrap().len() > 0) {
            break found[0].clone();
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "nothing is written");
        std::thread::sleep(Duration::from_millis(5));
    };
    // Somebody takes the name.
    let taken = part.to_str().unwrap().replace("/.x.", "/x.").replace(".part", ".nmsg");
    fs::write(&taken, b"theirs").unwrap();
    drop(stdin);
    let (ran, _) = end_of(child);
    assert_eq!(ran.status, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("the data is kept in "), "{}", ran.stderr);
    assert_eq!(payloads(&part, true), [0, 1, 2]);
    assert_eq!(fs::read(&taken).unwrap(), b"theirs");
}

#[test]
fn a_kicker_that_is_not_there_is_refused_at_the_start() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[1]).concat());
    let ran = run(["-r", &file, "-w", &scratch.text("x"), "-k", "no-such-command-here -v"]);
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr.starts_with(
            "nmsgtool: unable to run kicker 'no-such-command-here -v': not found\nhint: "
        ),
        "{}",
        ran.stderr
    );
    assert!(files(&scratch.path(""), "x").is_empty(), "nothing was processed");
}

#[test]
fn ro_6_kicker_statuses_are_told_and_decide_little() {
    for (kicker, more, status) in
        [("exit 3;", &[][..], 0), ("exit 3;", &["--strict"], 5), ("(exit 127);", &[], 5)]
    {
        let scratch = Scratch::new();
        let out = scratch.text("x");
        let arguments = ["-r", "-", "-w", &out, "-c", "1", "-k", kicker];
        let mut child = start(command(arguments.iter().chain(more)));
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&containers(&[2])[0]).unwrap();
        // The statuses of commands that end while the program runs are collected.
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut is_told = || said.any(|line| line.unwrap().starts_with("nmsgtool: kicker for "));
        assert!(is_told(), "{kicker}");
        drop(stdin);
        let (ran, _) = end_of(child);
        assert_eq!(ran.status, status, "{kicker}");
    }
}

#[test]
fn ro_9_leftovers_are_finished_at_the_next_start() {
    let scratch = Scratch::new();
    let whole = containers(&[3]).concat();
    let part = ".x.20150202.0110.1422839406.364843292.part";
    scratch.write(part, &[&whole[..], b"NMSG\0\x02"].concat());
    let kicked = scratch.text("kicked");
    let out = scratch.text("x");
    let ran = run_with_input(["-r", "-", "-w", &out, "-k", &format!("echo >>{kicked}")], b"");
    let finished = scratch.path("x.20150202.0110.1422839406.364843292.nmsg");
    assert_eq!(
        (ran.status, ran.stderr),
        (
            0,
            format!(
                "nmsgtool: recovered {}: {} bytes, 3 payloads, 6 bytes cut off\n",
                finished.display(),
                whole.len()
            )
        )
    );
    assert_eq!(fs::read(&finished).unwrap(), whole);
    let lines = wait_for_lines(&scratch.path("kicked"), 2);
    assert!(lines.contains(&finished.display().to_string()), "{lines:?}");
    assert!(files(&scratch.path(""), ".").is_empty());
}

/// Kills the program again and again while it rotates; nothing that was on disk is ever lost, doubled
/// or left half finished.
#[test]
fn ro_9_a_kill_at_any_moment_costs_nothing_that_was_written() {
    let kills = std::env::var("NMSG_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(50);
    let scratch = Scratch::new();
    let out = scratch.text("x");
    let kicked = scratch.path("kicked");
    let kicker = format!("echo >>{}", kicked.display());
    let input = containers(&[1; 120]);
    let (mut state, mut total, mut hidden) = (1_u64, 0, 0);
    for kill in 0..kills {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let arguments = ["-r", "-", "-w", &*out, "-c", "3", "--unbuffered", "-k", &kicker];
        let mut child = start(command(arguments));
        let mut stdin = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for container in &input {
                    // The program may be gone already.
                    if stdin.write_all(container).is_err() {
                        return;
                    }
                    std::thread::sleep(Duration::from_micros(100));
                }
            });
            // Some are killed while they start, most while they rotate.
            while kill % 4 != 0 && files(&scratch.path(""), ".x.").is_empty() {
                assert!(child.try_wait().unwrap().is_none(), "the program runs");
                std::thread::sleep(Duration::from_micros(200));
            }
            std::thread::sleep(Duration::from_micros(state >> 33 & 0x7fff));
            child.kill().unwrap();
        });
        drop(stdin);
        let (ran, _) = end_of(child);
        assert_eq!(ran.status, 137, "{}", ran.stderr);

        // What is on disk now must be there after the next start, in finished files.
        let parts = files(&scratch.path(""), ".x.");
        assert!(parts.len() <= 1, "the start before has finished them: {parts:?}");
        hidden += parts.len();
        let before = content(&scratch, false);
        let ran = run_with_input(["-r", "-", "-w", &out, "-k", "", "--skip-empty"], b"");
        assert_eq!(ran.status, 0, "kill {kill}: {}", ran.stderr);
        let recovered = ran.stderr.matches("nmsgtool: recovered ").count();
        assert_eq!(recovered, parts.len(), "every one is counted: {}", ran.stderr);
        assert!(files(&scratch.path(""), ".").is_empty(), "kill {kill}");
        assert_eq!(content(&scratch, true), before, "kill {kill}");

        let all: Vec<u8> = before.concat();
        let expected: Vec<u8> = (0..all.len()).map(|n| n as u8 & 0x7f).collect();
        assert_eq!(all, expected, "kill {kill}: in order, nothing missing, nothing twice");
        total += all.len();
        let names: BTreeSet<String> =
            files(&scratch.path(""), "x.").iter().map(|p| p.display().to_string()).collect();
        for name in fs::read_to_string(&kicked).unwrap_or_default().lines() {
            assert!(names.contains(name), "kill {kill}: {name} was kicked before it was there");
        }
        files(&scratch.path(""), "x.").iter().for_each(|path| fs::remove_file(path).unwrap());
        let _ = fs::remove_file(&kicked);
    }
    assert!(hidden * 4 > kills, "{hidden} of {kills} kills hit an open file");
    assert!(total > kills, "{total} payloads were written in all");
}

/// The payloads of all files, oldest first, finished or (unless `strict`) not.
fn content(scratch: &Scratch, strict: bool) -> Vec<Vec<u8>> {
    let stamp = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.trim_start_matches('.').trim_end_matches(".part").trim_end_matches(".nmsg").to_owned()
    };
    let mut all = files(&scratch.path(""), "x.");
    all.extend(files(&scratch.path(""), ".x."));
    all.sort_by_key(stamp);
    all.iter().map(|path| payloads(path, strict)).filter(|payloads| !payloads.is_empty()).collect()
}
