//! Every step of a rotation failing once, on real files: what was written stays, and is accounted for.

use nmsg::{MsgType, Payload, VendorId};
use nmsg_io::rotate::{
    DiskFiles, FileNames, LeftoverFormat, RotatedFiles, RotatingSink, RotationSettings, recover,
    time_since_1970,
};
use nmsg_io::{Engine, Event, Outcome, Output, OutputFormat, RawBatch, RawKind, Source};
use nmsg_os::{Latch, Ready};
use std::fs;
use std::io;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Payloads of a run, and how many of them go into one file.
const PAYLOADS: usize = 10;
const IN_FILE: usize = 4;

/// Gives all payloads at once.
struct AtOnce(bool);

impl Source for AtOnce {
    fn name(&self) -> &str {
        "at once"
    }

    fn kind(&self) -> RawKind {
        RawKind::Payloads
    }

    fn read(&mut self, batch: &mut RawBatch) -> io::Result<Event> {
        batch.clear();
        if std::mem::replace(&mut self.0, true) {
            return Ok(Event::End);
        }
        for _ in 0..PAYLOADS {
            batch.payloads.push(&Payload {
                vendor: VendorId(77),
                msgtype: MsgType(1),
                body: Some(b"x"),
                ..Payload::default()
            });
        }
        Ok(Event::Batch)
    }

    fn wait(&mut self, latches: &[&Latch], until: Option<Instant>) -> io::Result<Ready> {
        nmsg_os::wait(latches, until)
    }
}

/// Files on disk, of which one step fails once.
struct Failing {
    files: DiskFiles,
    steps: Arc<Mutex<Vec<&'static str>>>,
    /// Which step, and which time.
    fails: (&'static str, usize),
}

impl Failing {
    fn step(&self, name: &'static str) -> io::Result<()> {
        let mut steps = self.steps.lock().expect("no panic");
        steps.push(name);
        let time = steps.iter().filter(|step| **step == name).count();
        if (name, time) == self.fails { Err(io::Error::other("broken")) } else { Ok(()) }
    }
}

impl RotatedFiles for Failing {
    fn create(&mut self, part: &Path) -> io::Result<()> {
        self.step("create")?;
        self.files.create(part)
    }

    fn write(&mut self, octets: &[u8], interrupt: Option<&Latch>) -> io::Result<()> {
        self.step("write")?;
        self.files.write(octets, interrupt)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.step("sync")?;
        self.files.sync()
    }

    fn close(&mut self) -> io::Result<()> {
        self.step("close")?;
        self.files.close()
    }

    fn rename(&mut self, part: &Path, complete: &Path) -> io::Result<()> {
        self.step("rename")?;
        self.files.rename(part, complete)
    }

    fn sync_directory(&mut self, directory: &Path) -> io::Result<()> {
        self.step("directory")?;
        self.files.sync_directory(directory)
    }

    fn remove(&mut self, part: &Path) -> io::Result<()> {
        self.step("remove")?;
        self.files.remove(part)
    }
}

/// A directory of its own for one run, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let serial = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("nmsg-io-rotation-faults-{}-{serial}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a directory");
        Self(path)
    }

    fn names(&self) -> FileNames {
        FileNames::new(self.0.join("x").as_os_str(), ".json")
    }

    /// Lines of the files whose names start like this.
    fn lines(&self, start: &str) -> usize {
        let entries = fs::read_dir(&self.0).expect("a directory").flatten();
        let files = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(start));
        let lines = |path: PathBuf| fs::read_to_string(path).expect("a file").lines().count();
        files.map(|entry| lines(entry.path())).sum()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind stays in the temporary directory.
        let _ = fs::remove_dir_all(&self.0);
    }
}

type Ran = (io::Result<Outcome>, Vec<&'static str>);

/// Runs everything into files of which a step fails; gives the steps, too.
fn run(scratch: &Scratch, fails: (&'static str, usize), threads: usize) -> Ran {
    let steps: Arc<Mutex<Vec<_>>> = Arc::default();
    let files = Failing { files: DiskFiles::default(), steps: Arc::clone(&steps), fails };
    let settings = RotationSettings {
        names: scratch.names(),
        kicker: None,
        skip_empty: false,
        size_limit: None,
        strict: false,
        kind: "json",
        argument: "x".to_owned(),
    };
    let outcome = RotatingSink::with_files(settings, files, time_since_1970).map(|sink| {
        Engine::new()
            .source(AtOnce(false))
            .output(Output::new("x", OutputFormat::Json, Box::new(sink)))
            .count(NonZeroU64::new(IN_FILE as u64))
            .rotating(true)
            .threads(threads)
            .run(&mut ())
    });
    let steps = std::mem::take(&mut *steps.lock().expect("no panic"));
    (outcome, steps)
}

const FILE: [&str; 6] = ["create", "write", "sync", "close", "rename", "directory"];

#[test]
fn ro_2_every_file_goes_through_its_steps_in_order() {
    for threads in [1, 2] {
        let scratch = Scratch::new();
        let (outcome, steps) = run(&scratch, ("nothing", 1), threads);
        assert_eq!(steps, FILE.repeat(3), "{threads} threads");
        let outcome = outcome.expect("a file");
        assert!(outcome.ledger.balances() && !outcome.output_failed);
        assert_eq!(outcome.ledger.payloads_out(), PAYLOADS as u64);
        assert_eq!((scratch.lines("x."), scratch.lines(".x.")), (PAYLOADS, 0));
    }
}

#[test]
fn ro_3_a_step_that_fails_once_costs_nothing_that_was_written() {
    for threads in [1, 2] {
        for file in 1..=3 {
            for (at, step) in FILE.into_iter().enumerate() {
                let name = format!("{step} of file {file}, {threads} threads");
                let scratch = Scratch::new();
                let (outcome, steps) = run(&scratch, (step, file), threads);
                let want = FILE.repeat(file - 1).into_iter().chain(FILE[..=at].iter().copied());
                assert_eq!(steps, want.collect::<Vec<_>>(), "{name}: nothing more is tried");
                let (finished, hidden) = (scratch.lines("x."), scratch.lines(".x."));
                let Ok(outcome) = outcome else {
                    assert_eq!((step, file), ("create", 1), "only the first file is a set-up");
                    assert_eq!((finished, hidden), (0, 0));
                    continue;
                };
                assert!(outcome.output_failed, "{name}");
                let ledger = &outcome.ledger;
                assert!(ledger.balances(), "{name}: {ledger:#?}");
                let [output] = &ledger.outputs[..] else { panic!("one output") };
                let sizes = [IN_FILE, IN_FILE, PAYLOADS - 2 * IN_FILE];
                let before: usize = sizes[..file - 1].iter().sum();
                let is_written = !["create", "write"].contains(&step);
                let written = before + if is_written { sizes[file - 1] } else { 0 };
                assert_eq!(output.written, written as u64, "{name}");
                assert_eq!(output.lost, ledger.inputs[0].dealt - written as u64, "{name}");
                let is_named = step == "directory";
                let want = if is_named { (written, 0) } else { (before, written - before) };
                assert_eq!((finished, hidden), want, "{name}: it is all there");

                let (recovered, failures) = recover(&scratch.names(), LeftoverFormat::Json, None);
                let has_part = !is_named && step != "create";
                assert_eq!(recovered.len(), usize::from(has_part), "{name}: {failures:?}");
                assert_eq!((scratch.lines("x."), scratch.lines(".x.")), (written, 0), "{name}");
            }
        }
    }
}
