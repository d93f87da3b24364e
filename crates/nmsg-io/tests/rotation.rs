//! New files by count and by interval, end to end over real files.

use nmsg_io::rotate::{FileNames, IntervalClock, RotatingSink, RotationSettings, time_since_1970};
use nmsg_io::{
    End, Engine, Event, Ledger, Notice, Observer, Outcome, Output, OutputFormat, RawBatch, RawKind,
    Source,
};
use nmsg_os::{Latch, Ready};
use std::fs;
use std::io;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Gives payloads step by step.
struct Script {
    steps: std::vec::IntoIter<Step>,
    idle_until: Option<Instant>,
}

#[derive(Clone, Copy)]
enum Step {
    /// So many payloads at once.
    Payloads(usize),
    /// Nothing for so many milliseconds.
    Pause(u64),
}

use Step::{Pause, Payloads};

impl Source for Script {
    fn name(&self) -> &str {
        "script"
    }

    fn kind(&self) -> RawKind {
        RawKind::Payloads
    }

    fn read(&mut self, batch: &mut RawBatch) -> io::Result<Event> {
        batch.clear();
        if self.idle_until.is_some_and(|until| Instant::now() < until) {
            return Ok(Event::Idle);
        }
        Ok(match self.steps.next() {
            None => Event::End,
            Some(Pause(time)) => {
                self.idle_until = Some(Instant::now() + Duration::from_millis(time));
                Event::Idle
            }
            Some(Payloads(count)) => {
                let line = nmsg::Payload {
                    vendor: nmsg::VendorId(77),
                    msgtype: nmsg::MsgType(1),
                    body: Some(b"x"),
                    ..nmsg::Payload::default()
                };
                (0..count).for_each(|_| batch.payloads.push(&line));
                Event::Batch
            }
        })
    }

    fn wait(&mut self, latches: &[&Latch], until: Option<Instant>) -> io::Result<Ready> {
        let until = [until, self.idle_until].into_iter().flatten().min();
        nmsg_os::wait(latches, until)
    }
}

fn script(steps: &[Step]) -> Script {
    Script { steps: Vec::from(steps).into_iter(), idle_until: None }
}

/// A directory of its own for one test, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let serial = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("nmsg-io-rotation-{}-{serial}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a directory");
        Self(path)
    }

    fn output(&self, base: &str) -> Output {
        self.limited_output(base, OutputFormat::Json, None)
    }

    fn limited_output(&self, base: &str, format: OutputFormat, limit: Option<u64>) -> Output {
        let argument = self.0.join(base);
        let sink = RotatingSink::open(RotationSettings {
            names: FileNames::new(argument.as_os_str(), ".json"),
            kicker: None,
            skip_empty: false,
            size_limit: limit.and_then(NonZeroU64::new),
            strict: false,
            kind: "json",
            argument: argument.display().to_string(),
        });
        Output::new(base, format, Box::new(sink.expect("a file")))
    }

    /// Lines of each finished file of an output, oldest first.
    fn lines(&self, base: &str) -> Vec<usize> {
        let lines = |text: Vec<u8>| String::from_utf8(text).expect("text").lines().count();
        self.contents(base).into_iter().map(lines).collect()
    }

    /// What each finished file of an output holds, oldest first.
    fn contents(&self, base: &str) -> Vec<Vec<u8>> {
        let mut names: Vec<PathBuf> = fs::read_dir(&self.0)
            .expect("a directory")
            .flatten()
            .map(|entry| entry.path())
            .collect();
        names.sort();
        let is_of = |path: &Path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            assert!(!name.starts_with('.'), "{name} is left over");
            name.starts_with(base)
        };
        names.retain(|path| is_of(path));
        names.iter().map(|path| fs::read(path).expect("a file")).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind stays in the temporary directory.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn count(count: u64) -> Option<NonZeroU64> {
    NonZeroU64::new(count)
}

fn balanced(outcome: &Outcome) {
    assert!(outcome.ledger.balances(), "{:#?}", outcome.ledger);
}

#[test]
fn en_2_files_of_so_many_payloads() {
    for (name, steps, every, want) in [
        ("one batch", &[Payloads(10)][..], 4, &[4, 4, 2][..]),
        ("no empty file at the end", &[Payloads(12)], 4, &[4, 4, 4]),
        ("one by one", &[Payloads(1); 8], 4, &[4, 4]),
        ("a short pause is no idle tick", &[Payloads(4), Pause(50)], 4, &[4]),
        ("a long one is", &[Payloads(4), Pause(900)], 4, &[4, 0]),
        ("nothing at all", &[], 4, &[0]),
    ] {
        let scratch = Scratch::new();
        let outcome = Engine::new()
            .source(script(steps))
            .output(scratch.output("x"))
            .count(count(every))
            .rotating(true)
            .run(&mut ());
        balanced(&outcome);
        assert_eq!(outcome.end, End::Inputs, "{name}");
        assert_eq!(scratch.lines("x"), want, "{name}");
    }
}

#[test]
fn en_2_every_output_counts_for_itself() {
    for (mirror, want) in [(false, [&[4, 1][..], &[4, 1]]), (true, [&[4, 4, 2], &[4, 4, 2]])] {
        let scratch = Scratch::new();
        let outcome = Engine::new()
            .source(script(&[Payloads(7), Payloads(3)]))
            .output(scratch.output("x"))
            .output(scratch.output("y"))
            .count(count(4))
            .mirror(mirror)
            .rotating(true)
            .run(&mut ());
        balanced(&outcome);
        assert_eq!([scratch.lines("x"), scratch.lines("y")], want, "mirror {mirror}");
    }
}

/// Octets of a line for each payload of a script.
fn line_len() -> u64 {
    let scratch = Scratch::new();
    Engine::new().source(script(&[Payloads(1)])).output(scratch.output("x")).run(&mut ());
    scratch.contents("x")[0].len() as u64
}

#[test]
fn files_of_so_many_octets_end_with_the_record_that_fills_them() {
    let line = line_len();
    for (name, steps, limit, every, want) in [
        ("one octet less", &[Payloads(10)][..], 4 * line - 1, None, &[4, 4, 2][..]),
        ("exactly", &[Payloads(10)], 4 * line, None, &[4, 4, 2]),
        ("one octet more", &[Payloads(10)], 4 * line + 1, None, &[5, 5]),
        ("no empty file at the end", &[Payloads(12)], 4 * line, None, &[4, 4, 4]),
        ("one by one", &[Payloads(1); 9], 4 * line, None, &[4, 4, 1]),
        ("less than a record", &[Payloads(3)], 1, None, &[1, 1, 1]),
        ("never full", &[Payloads(3)], u64::MAX, None, &[3]),
        ("a short pause is no idle tick", &[Payloads(4), Pause(50)], 4 * line, None, &[4]),
        ("a long one is", &[Payloads(4), Pause(900)], 4 * line, None, &[4, 0]),
        ("the count comes first", &[Payloads(10)], 4 * line, count(3), &[3, 3, 3, 1]),
        ("the size comes first", &[Payloads(10)], 2 * line, count(5), &[2, 2, 1, 2, 2, 1]),
        ("both at once", &[Payloads(9)], 3 * line, count(3), &[3, 3, 3]),
        ("many in a batch", &[Payloads(20_000)], 7_000 * line, None, &[7000, 7000, 6000]),
    ] {
        for threads in [1, 3] {
            let scratch = Scratch::new();
            let outcome = Engine::new()
                .source(script(steps))
                .output(scratch.limited_output("x", OutputFormat::Json, Some(limit)))
                .count(every)
                .rotating(true)
                .threads(threads)
                .run(&mut ());
            balanced(&outcome);
            assert_eq!(scratch.lines("x"), want, "{name}, {threads} threads");
        }
    }
}

#[test]
fn files_of_so_many_octets_end_with_a_whole_container() {
    let payloads = 200_000;
    let whole = {
        let scratch = Scratch::new();
        let format = OutputFormat::Nmsg { zlib: false };
        let engine = Engine::new().source(script(&[Payloads(payloads)]));
        engine.output(scratch.limited_output("x", format, None)).run(&mut ());
        scratch.contents("x").concat()
    };
    let lengths = |octets: &[u8]| {
        let mut lengths = Vec::new();
        let mut rest = octets;
        while !rest.is_empty() {
            let header = nmsg::container::Header::parse(rest).expect("a header").expect("whole");
            let len = header.container_len() as usize;
            assert!(len <= rest.len(), "a whole container");
            lengths.push(len as u64);
            rest = &rest[len..];
        }
        lengths
    };
    let each = lengths(&whole)[0];
    assert!(whole.len() as u64 > 4 * each, "several containers");
    for limit in [1, each, each + 1, 2 * each, u64::MAX] {
        for threads in [1, 3] {
            let scratch = Scratch::new();
            let format = OutputFormat::Nmsg { zlib: false };
            let outcome = Engine::new()
                .source(script(&[Payloads(payloads)]))
                .output(scratch.limited_output("x", format, Some(limit)))
                .rotating(true)
                .threads(threads)
                .run(&mut ());
            balanced(&outcome);
            let files = scratch.contents("x");
            assert_eq!(files.concat(), whole, "limit {limit}, {threads} threads");
            let (_, full) = files.split_last().expect("a file");
            for file in full {
                let lengths = lengths(file);
                let before: u64 = lengths[..lengths.len() - 1].iter().sum();
                let len = file.len() as u64;
                assert!(before < limit && limit <= len, "limit {limit}: {before} and {len}");
            }
        }
    }
}

#[test]
fn a_size_and_an_interval_start_files_side_by_side() {
    let line = line_len();
    let scratch = Scratch::new();
    let outcome = Engine::new()
        .source(script(&[Payloads(5), Pause(1_300), Payloads(1)]))
        .output(scratch.limited_output("x", OutputFormat::Json, Some(2 * line)))
        .interval(every_second())
        .rotating(true)
        .run(&mut ());
    balanced(&outcome);
    let lines = scratch.lines("x");
    assert_eq!(lines[..3], [2, 2, 1], "{lines:?}");
    assert_eq!((lines.iter().sum::<usize>(), lines.last()), (6, Some(&1)), "{lines:?}");
}

/// Notes what is said.
#[derive(Default)]
struct Said {
    notices: Vec<String>,
    rotations: Vec<u64>,
}

impl Observer for Said {
    fn notice(&mut self, notice: &Notice) {
        let words: Vec<&str> = notice.text.split(' ').collect();
        self.notices.push(words[..words.len() - 1].join(" "));
    }

    fn rotated(&mut self, ledger: &Ledger) {
        self.rotations.push(ledger.payloads_out());
    }
}

#[test]
fn rotations_are_told_about() {
    let scratch = Scratch::new();
    let mut said = Said::default();
    Engine::new()
        .source(script(&[Payloads(6)]))
        .output(scratch.output("x"))
        .output(scratch.output("y"))
        .count(count(2))
        .rotating(true)
        .run(&mut said);
    let (reopened, closed) = ("reopened json file output:", "closed output:");
    assert_eq!(said.notices, [reopened, reopened, closed, closed]);
    assert_eq!(said.rotations.len(), 1, "only the last output counts: {:?}", said.rotations);
}

#[test]
fn rotations_by_size_are_told_about() {
    let scratch = Scratch::new();
    let mut said = Said::default();
    Engine::new()
        .source(script(&[Payloads(1), Payloads(1)]))
        .output(scratch.limited_output("x", OutputFormat::Json, Some(1)))
        .rotating(true)
        .unbuffered(true)
        .run(&mut said);
    assert_eq!(said.notices, ["reopened json file output:", "closed output:"]);
    assert_eq!(said.rotations.len(), 1, "{:?}", said.rotations);
}

fn every_second() -> Option<IntervalClock> {
    Some(IntervalClock::new(NonZeroU64::MIN, 0, time_since_1970()))
}

#[test]
fn en_3_an_interval_ends_the_run_without_traffic() {
    for steps in [&[Payloads(3), Pause(60_000)][..], &[Pause(60_000)]] {
        let scratch = Scratch::new();
        let start = Instant::now();
        let outcome = Engine::new()
            .source(script(steps))
            .output(scratch.output("x"))
            .interval(every_second())
            .run(&mut ());
        balanced(&outcome);
        assert_eq!(outcome.end, End::Interval);
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
        assert_eq!(outcome.ledger.payloads_out(), if steps.len() == 2 { 3 } else { 0 });
    }
}

#[test]
fn en_3_an_interval_ends_the_run_in_full_traffic() {
    let scratch = Scratch::new();
    let steps: Vec<Step> = (0..4000).flat_map(|_| [Payloads(1), Pause(5)]).collect();
    let start = Instant::now();
    let outcome = Engine::new()
        .source(script(&steps))
        .output(scratch.output("x"))
        .interval(every_second())
        .run(&mut ());
    balanced(&outcome);
    assert_eq!(outcome.end, End::Interval);
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn en_3_all_outputs_start_anew_without_traffic() {
    for inputs in [1, 2] {
        let scratch = Scratch::new();
        let mut engine = Engine::new();
        for _ in 0..inputs {
            engine = engine.source(script(&[Payloads(1), Pause(2_300), Payloads(1)]));
        }
        let outcome = engine
            .output(scratch.output("x"))
            .output(scratch.output("y"))
            .mirror(true)
            .interval(every_second())
            .rotating(true)
            .run(&mut ());
        balanced(&outcome);
        assert_eq!(outcome.end, End::Inputs);
        for base in ["x", "y"] {
            let lines = scratch.lines(base);
            assert!((3..=5).contains(&lines.len()), "{inputs} inputs: {lines:?}");
            assert_eq!(lines.iter().sum::<usize>(), 2 * inputs, "{lines:?}");
            assert_eq!(*lines.last().unwrap(), inputs, "{lines:?}");
            assert!(lines[1..lines.len() - 1].contains(&0), "an empty one between: {lines:?}");
        }
    }
}

#[test]
fn ro_8_outputs_without_files_go_on() {
    let scratch = Scratch::new();
    let plain = scratch.0.join("plain");
    let outcome = Engine::new()
        .source(script(&[Payloads(9)]))
        .output(Output::create(&plain, OutputFormat::Json, None).unwrap())
        .output(scratch.output("x"))
        .mirror(true)
        .count(count(4))
        .rotating(true)
        .run(&mut ());
    balanced(&outcome);
    assert_eq!(fs::read_to_string(&plain).unwrap().lines().count(), 9);
    assert_eq!(scratch.lines("x"), [4, 4, 1]);
}
