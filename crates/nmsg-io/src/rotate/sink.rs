use nmsg_os::Latch;
use std::collections::VecDeque;
use std::io;
use std::num::NonZeroU64;
use std::time::Duration;

use super::files::{DiskFiles, RotatedFiles};
use super::kicker::Kicker;
use super::name::{FileName, FileNames};
use super::time_since_1970;
use crate::output::{Closed, Notice, Put, Sink};

/// What the files of an output have in common.
#[derive(Debug)]
pub struct RotationSettings {
    /// How the files are named.
    pub names: FileNames,
    /// What is run on finished files.
    pub kicker: Option<Kicker>,
    /// Whether files to which nothing was written are removed instead of finished.
    pub skip_empty: bool,
    /// Octets from which on a file is full; the next piece goes into another.
    pub size_limit: Option<NonZeroU64>,
    /// Whether a kicker that fails leaves its mark on the run.
    pub strict: bool,
    /// What the files are called in messages: `nmsg`, `pres` or `json`.
    pub kind: &'static str,
    /// The output's argument, for messages.
    pub argument: String,
}

/// Writes to one file after the other. Each is hidden until it is finished: synced, closed, renamed,
/// its directory synced, and kicked, in this order (`decisions` RO-2). Where a step fails, the hidden
/// file is kept (RO-3).
pub struct RotatingSink<F = DiskFiles> {
    settings: RotationSettings,
    files: F,
    now: fn() -> Duration,
    current: Option<Current>,
    notices: VecDeque<Notice>,
}

#[derive(Debug)]
struct Current {
    name: FileName,
    octets: u64,
}

impl RotatingSink {
    /// Opens the first file.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn open(settings: RotationSettings) -> io::Result<Self> {
        Self::with_files(settings, DiskFiles::default(), time_since_1970)
    }
}

/// How often another name is tried when a file of the name is there already.
const MOST_NAMES: usize = 16;

impl<F: RotatedFiles> RotatingSink<F> {
    /// Opens the first file among these; `now` tells the time since 1970.
    ///
    /// # Errors
    ///
    /// Those of creating the file.
    pub fn with_files(
        settings: RotationSettings,
        files: F,
        now: fn() -> Duration,
    ) -> io::Result<Self> {
        let mut sink = Self { settings, files, now, current: None, notices: VecDeque::new() };
        sink.start()?;
        Ok(sink)
    }

    fn start(&mut self) -> io::Result<()> {
        let mut tries = MOST_NAMES;
        loop {
            let name = self.settings.names.at((self.now)());
            match self.files.create(&name.part) {
                Ok(()) => {
                    self.current = Some(Current { name, octets: 0 });
                    return Ok(());
                }
                // Two files within one tick of the clock.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries > 0 => {
                    tries -= 1;
                    std::thread::sleep(Duration::from_micros(1));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Finishes the current file, if there is one.
    fn finish(&mut self) -> io::Result<()> {
        let Some(Current { name, octets }) = self.current.take() else { return Ok(()) };
        let FileName { part, complete } = &name;
        if octets == 0 && self.settings.skip_empty {
            self.files.close()?;
            return self.files.remove(part);
        }
        let kept = |what: &'static str| {
            let part = part.display().to_string();
            move |error: io::Error| {
                io::Error::new(error.kind(), format!("{what}: {error}; the data is kept in {part}"))
            }
        };
        self.files.sync().map_err(kept("sync"))?;
        self.files.close().map_err(kept("close"))?;
        self.files.rename(part, complete).map_err(kept("rename"))?;
        let synced = self.files.sync_directory(self.settings.names.directory());
        if let Some(kicker) = &mut self.settings.kicker {
            kicker.kick(complete);
        }
        synced
    }

    /// Octets in the file.
    fn octets(&self) -> u64 {
        self.current.as_ref().map_or(0, |current| current.octets)
    }

    fn say_detail(&mut self, text: String) {
        self.notices.push_back(Notice { text, is_detail: true });
    }

    fn next_notice(&mut self) -> Option<Notice> {
        let from_kicker = || self.settings.kicker.as_mut().and_then(Kicker::notice);
        self.notices.pop_front().or_else(from_kicker)
    }
}

impl<F: RotatedFiles> Sink for RotatingSink<F> {
    fn put(&mut self, piece: &[u8], interrupt: Option<&Latch>) -> io::Result<Put> {
        self.files.write(piece, interrupt)?;
        if let Some(current) = &mut self.current {
            current.octets += piece.len() as u64;
        }
        Ok(Put::Taken)
    }

    fn notice(&mut self) -> Option<Notice> {
        if let Some(kicker) = &mut self.settings.kicker {
            kicker.collect();
        }
        self.next_notice()
    }

    fn awaits_news(&self) -> bool {
        self.settings.kicker.as_ref().is_some_and(Kicker::is_running)
    }

    fn rotates(&self) -> bool {
        true
    }

    fn is_full(&self) -> bool {
        self.settings.size_limit.is_some_and(|limit| self.octets() >= limit.get())
    }

    fn room(&self) -> u64 {
        match self.settings.size_limit {
            None => u64::MAX,
            Some(limit) if self.is_full() => limit.get(),
            Some(limit) => limit.get() - self.octets(),
        }
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.finish()?;
        self.start()?;
        if let Some(Current { name, .. }) = &self.current {
            let (kind, file) = (self.settings.kind, name.complete.display());
            self.say_detail(format!("reopened {kind} file output: {file}"));
        }
        Ok(())
    }

    fn close(mut self: Box<Self>) -> io::Result<Closed> {
        self.finish()?;
        self.say_detail(format!("closed output: {}", self.settings.argument));
        if let Some(kicker) = &mut self.settings.kicker {
            kicker.collect();
        }
        let notices = std::iter::from_fn(|| self.next_notice()).collect();
        let strict = self.settings.strict;
        let undelivered =
            self.settings.kicker.as_ref().and_then(|kicker| kicker.undelivered(strict));
        Ok(Closed { notices, undelivered, ..Closed::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use std::ffi::OsStr;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::sync::{Arc, Mutex};

    /// Files that only note what is done to them, and fail at one step.
    #[derive(Clone, Default)]
    struct NotedFiles {
        steps: Arc<Mutex<Vec<String>>>,
        failing: &'static str,
    }

    impl NotedFiles {
        fn step(&self, name: &str, text: String) -> io::Result<()> {
            self.steps.lock().unwrap().push(text);
            if name == self.failing { Err(io::Error::other("broken")) } else { Ok(()) }
        }

        fn steps(&self) -> String {
            std::mem::take(&mut *self.steps.lock().unwrap()).join(" ")
        }
    }

    impl RotatedFiles for NotedFiles {
        fn create(&mut self, part: &Path) -> io::Result<()> {
            self.step("create", format!("create({})", part.display()))
        }

        fn write(&mut self, octets: &[u8], _: Option<&Latch>) -> io::Result<()> {
            self.step("write", format!("write({})", octets.len()))
        }

        fn sync(&mut self) -> io::Result<()> {
            self.step("sync", "sync".to_owned())
        }

        fn close(&mut self) -> io::Result<()> {
            self.step("close", "close".to_owned())
        }

        fn rename(&mut self, _: &Path, complete: &Path) -> io::Result<()> {
            self.step("rename", format!("rename({})", complete.display()))
        }

        fn sync_directory(&mut self, directory: &Path) -> io::Result<()> {
            self.step("sync_directory", format!("sync_directory({})", directory.display()))
        }

        fn remove(&mut self, _: &Path) -> io::Result<()> {
            self.step("remove", "remove".to_owned())
        }
    }

    fn settings(argument: &OsStr, kicker: Option<&str>) -> RotationSettings {
        RotationSettings {
            names: FileNames::new(argument, ".nmsg"),
            kicker: kicker.map(|command| Kicker::new(OsStr::new(command))),
            skip_empty: false,
            size_limit: None,
            strict: false,
            kind: "nmsg",
            argument: argument.to_string_lossy().into_owned(),
        }
    }

    fn noted(failing: &'static str) -> (NotedFiles, io::Result<RotatingSink<NotedFiles>>) {
        let files = NotedFiles { failing, ..NotedFiles::default() };
        let now = || Duration::new(60, 5);
        let settings = settings(OsStr::new("d/x"), None);
        (files.clone(), RotatingSink::with_files(settings, files, now))
    }

    const STAMP: &str = "19700101.0001.60.000000005";

    #[test]
    fn ro_2_the_order_of_the_steps() {
        let (files, sink) = noted("nothing");
        let mut sink = Box::new(sink.unwrap());
        assert_eq!(files.steps(), format!("create(d/.x.{STAMP}.part)"));
        sink.put(b"abc", None).unwrap();
        sink.rotate().unwrap();
        let finish = format!("sync close rename(d/x.{STAMP}.nmsg) sync_directory(d)");
        assert_eq!(files.steps(), format!("write(3) {finish} create(d/.x.{STAMP}.part)"));
        let said = sink.notice().unwrap();
        assert_eq!(said.text, format!("reopened nmsg file output: d/x.{STAMP}.nmsg"));
        assert!(said.is_detail && sink.notice().is_none());
        let closed = sink.close().unwrap();
        assert_eq!(files.steps(), finish, "empty files too");
        assert_eq!(closed.notices[0].text, "closed output: d/x");
        assert_eq!(closed.undelivered, None);
    }

    #[test]
    fn ro_3_every_step_can_fail_and_nothing_is_removed() {
        for (failing, steps, said) in [
            ("create", "create", "broken"),
            ("write", "create write", "broken"),
            ("sync", "create write sync", "sync: broken; the data is kept in d/.x."),
            ("close", "create write sync close", "close: broken; the data is kept in d/.x."),
            (
                "rename",
                "create write sync close rename",
                "rename: broken; the data is kept in d/.x.",
            ),
            ("sync_directory", "create write sync close rename sync_directory", "broken"),
        ] {
            let (files, sink) = noted(failing);
            let result = sink.and_then(|mut sink| {
                sink.put(b"abc", None)?;
                sink.rotate()
            });
            let error = result.unwrap_err().to_string();
            assert!(error.starts_with(said), "{failing}: {error}");
            let have = files.steps();
            let names: Vec<&str> =
                have.split(' ').map(|step| step.split('(').next().unwrap()).collect();
            assert_eq!(names.join(" "), steps, "{failing}");
        }
    }

    fn names_in(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        names
    }

    fn complete(directory: &Path) -> Vec<PathBuf> {
        names_in(directory)
            .into_iter()
            .filter(|name| name.starts_with("x."))
            .map(|name| directory.join(name))
            .collect()
    }

    #[test]
    fn ro_2_files_are_hidden_until_they_are_whole() {
        let scratch = Scratch::new("rotate");
        let argument = scratch.path().join("x");
        let mut sink = Box::new(RotatingSink::open(settings(argument.as_os_str(), None)).unwrap());
        sink.put(b"one", None).unwrap();
        let hidden = names_in(scratch.path());
        assert_eq!(hidden.len(), 1);
        assert!(hidden[0].starts_with(".x.") && hidden[0].ends_with(".part"), "{hidden:?}");
        sink.rotate().unwrap();
        sink.put(b"two", None).unwrap();
        sink.put(b"2", None).unwrap();
        assert_eq!(names_in(scratch.path()).len(), 2);
        sink.close().unwrap();
        let files = complete(scratch.path());
        let content: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
        assert_eq!(content, [&b"one"[..], b"two2"]);
        assert_eq!(names_in(scratch.path()).len(), 2, "nothing hidden is left");
    }

    #[test]
    fn ro_3_a_name_that_is_taken_keeps_the_part() {
        let scratch = Scratch::new("taken");
        let argument = scratch.path().join("x");
        let settings = settings(argument.as_os_str(), None);
        let mut sink = Box::new(
            RotatingSink::with_files(settings, DiskFiles::default(), || Duration::new(60, 5))
                .unwrap(),
        );
        sink.put(b"mine", None).unwrap();
        let taken = scratch.path().join(format!("x.{STAMP}.nmsg"));
        fs::write(&taken, b"theirs").unwrap();
        let error = sink.close().unwrap_err();
        assert!(error.to_string().contains("the data is kept in "), "{error}");
        assert_eq!(fs::read(&taken).unwrap(), b"theirs");
        let part = scratch.path().join(format!(".x.{STAMP}.part"));
        assert_eq!(fs::read(part).unwrap(), b"mine");
    }

    #[test]
    fn ro_7_empty_files_are_finished_or_skipped() {
        for (skip_empty, want) in [(false, 3), (true, 1)] {
            let scratch = Scratch::new("empty");
            let argument = scratch.path().join("x");
            let settings = RotationSettings { skip_empty, ..settings(argument.as_os_str(), None) };
            let mut sink = Box::new(RotatingSink::open(settings).unwrap());
            sink.rotate().unwrap();
            sink.put(b"something", None).unwrap();
            sink.rotate().unwrap();
            sink.close().unwrap();
            assert_eq!(names_in(scratch.path()).len(), want, "skip {skip_empty}");
            assert_eq!(complete(scratch.path()).len(), want, "skip {skip_empty}");
        }
    }

    #[test]
    fn ro_6_what_kickers_say_comes_through() {
        let scratch = Scratch::new("kicks");
        let argument = scratch.path().join("x");
        let mut sink = Box::new(
            RotatingSink::open(settings(argument.as_os_str(), Some("exit 127;"))).unwrap(),
        );
        sink.rotate().unwrap();
        assert!(sink.notice().unwrap().text.starts_with("reopened"));
        let mut said = None;
        for _ in 0..4000 {
            said = sink.notice();
            if said.is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let said = said.unwrap();
        assert!(said.text.ends_with(".nmsg ended with status 127") && !said.is_detail, "{said:?}");
        let closed = sink.close().unwrap();
        let undelivered = closed.undelivered.unwrap();
        assert!(undelivered.starts_with("the kicker did not do its work on "), "{undelivered}");
    }
}
