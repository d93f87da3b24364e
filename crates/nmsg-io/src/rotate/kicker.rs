use std::ffi::{OsStr, OsString};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::output::Notice;

const SHELL: &str = "/bin/sh";

/// Exit statuses with which a shell says that it could not start a command.
const NOT_STARTED: [i32; 2] = [126, 127];

/// Runs a command on every finished file, in the background (`decisions` RO-4, RO-5, RO-6).
///
/// The command is shell text; the file's name is an argument that the shell does not look into.
#[derive(Debug)]
pub struct Kicker {
    script: OsString,
    running: Vec<(Child, PathBuf)>,
    notices: Vec<Notice>,
    /// Files on which the command could not be started.
    not_started: u64,
    /// Files on which it ended with another status than 0.
    failed: u64,
}

impl Kicker {
    /// A kicker that runs this command.
    #[must_use]
    pub fn new(command: &OsStr) -> Self {
        let mut script = command.to_owned();
        script.push(" \"$0\"");
        Self { script, running: Vec::new(), notices: Vec::new(), not_started: 0, failed: 0 }
    }

    /// True unless the command starts with a plain word that the shell does not find.
    #[must_use]
    pub fn can_start(command: &OsStr) -> bool {
        let Some(word) = first_plain_word(command) else { return true };
        let mut shell = Command::new(SHELL);
        shell.args(["-c", "command -v \"$0\" >/dev/null 2>&1", word]).stdin(Stdio::null());
        // Without a shell the first kick will tell.
        shell.status().map_or(true, |status| status.success())
    }

    /// Runs the command on a file and does not wait for it.
    pub fn kick(&mut self, file: &Path) {
        // Descriptors of this process are closed for children anyway, but those that it inherited
        // itself are not.
        let _ = nmsg_os::daemon::keep_descriptors_from_children();
        let mut shell = Command::new(SHELL);
        // As behind `&`: no standard input, and not hit by what a terminal sends to the foreground.
        shell.arg("-c").arg(&self.script).arg(file).stdin(Stdio::null()).process_group(0);
        match shell.spawn() {
            Ok(child) => self.running.push((child, file.to_owned())),
            Err(error) => {
                self.not_started += 1;
                self.say(format!("kicker for {} not started: {error}", file.display()));
            }
        }
        self.collect();
    }

    fn say(&mut self, text: String) {
        self.notices.push(Notice { text, is_detail: false });
    }

    /// Collects the statuses of commands that have ended.
    pub fn collect(&mut self) {
        let (mut running, mut ended) = (Vec::new(), Vec::new());
        for (mut child, file) in std::mem::take(&mut self.running) {
            match child.try_wait() {
                Ok(None) => running.push((child, file)),
                Ok(Some(status)) if status.success() => {}
                Ok(Some(status)) => ended.push((status, file)),
                // Somebody else has collected it: its status is unknown.
                Err(_) => {}
            }
        }
        self.running = running;
        for (status, file) in ended {
            if status.code().is_some_and(|code| NOT_STARTED.contains(&code)) {
                self.not_started += 1;
            } else {
                self.failed += 1;
            }
            self.say(format!("kicker for {} ended with {}", file.display(), in_words(status)));
        }
    }

    /// What there is to say about commands that have ended.
    pub fn notice(&mut self) -> Option<Notice> {
        (!self.notices.is_empty()).then(|| self.notices.remove(0))
    }

    /// True while a command runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// Says on how many files the command is known not to have done its work; with `strict`, also those on
    /// which it failed.
    #[must_use]
    pub fn undelivered(&self, strict: bool) -> Option<String> {
        let count = self.not_started + if strict { self.failed } else { 0 };
        let files = if count == 1 { "file" } else { "files" };
        (count > 0).then(|| format!("the kicker did not do its work on {count} {files}"))
    }
}

fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown status".to_owned(),
    }
}

/// The first word of a command, if it means to the shell what it says.
fn first_plain_word(command: &OsStr) -> Option<&str> {
    let word = command.to_str()?.split_ascii_whitespace().next()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./+:,@%".contains(c);
    word.chars().all(is_plain).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use std::fs;
    use std::time::{Duration, Instant};

    /// Runs a command on a file and waits for its end; gives the kicker and what was said.
    fn kick(command: &str, file: &Path) -> (Kicker, Vec<String>) {
        let mut kicker = Kicker::new(OsStr::new(command));
        kicker.kick(file);
        let end = Instant::now() + Duration::from_secs(20);
        while kicker.is_running() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
            kicker.collect();
        }
        assert!(!kicker.is_running(), "{command} has ended");
        let said = std::iter::from_fn(|| kicker.notice()).map(|notice| notice.text).collect();
        (kicker, said)
    }

    #[test]
    fn ro_4_the_command_is_shell_text_and_the_name_is_not() {
        let scratch = Scratch::new("kick");
        let file = scratch.path().join("a b;touch c $(d) 'e'");
        let said_to = scratch.path().join("said");
        let show = format!("X=1; printf '%s|' $X more >{} && printf '%s' >>{0}", said_to.display());
        let (kicker, said) = kick(&show, &file);
        assert!(said.is_empty() && kicker.undelivered(true).is_none(), "{said:?}");
        let want = format!("1|more|{}", file.display());
        assert_eq!(fs::read_to_string(&said_to).unwrap(), want);
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1, "nothing else was run");
    }

    #[test]
    fn ro_5_no_standard_input_and_no_other_descriptors() {
        let scratch = Scratch::new("fds");
        let out = scratch.path().join("out");
        let _open = fs::File::create(scratch.path().join("open")).unwrap();
        let list = format!("exec ls -l /proc/self/fd >{} #", out.display());
        kick(&list, Path::new("name"));
        let listed = fs::read_to_string(&out).unwrap();
        assert!(listed.contains("0 -> /dev/null"), "{listed}");
        assert!(!listed.contains("/open"), "{listed}");
    }

    #[test]
    fn ro_6_statuses_are_collected() {
        for (command, want, partial, strict) in [
            ("true", vec![], false, false),
            ("exit 3;", vec!["kicker for ./x ended with status 3"], false, true),
            ("kill -9 $$;", vec!["kicker for ./x ended with signal 9"], false, true),
            ("exit 127;", vec!["kicker for ./x ended with status 127"], true, true),
            ("/dev/null", vec!["kicker for ./x ended with status 126"], true, true),
        ] {
            let (kicker, said) = kick(command, Path::new("./x"));
            assert_eq!(said, want, "{command}");
            assert_eq!(kicker.undelivered(false).is_some(), partial, "{command}");
            assert_eq!(kicker.undelivered(true).is_some(), strict, "{command}");
        }
    }

    #[test]
    fn a_kicker_is_not_waited_for() {
        let start = Instant::now();
        let mut kicker = Kicker::new(OsStr::new("sleep 5; :"));
        kicker.kick(Path::new("x"));
        assert!(kicker.is_running() && start.elapsed() < Duration::from_secs(4));
        for (child, _) in &mut kicker.running {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    #[test]
    fn a_command_that_cannot_start_is_known_before() {
        for (command, want) in [
            ("true", true),
            ("cd", true),
            ("/bin/sh -c x", true),
            ("no-such-command-here", false),
            ("/no/such/command -x", false),
            ("no-such-command-here && x", false),
            ("X=1 no-such-command-here", true),
            ("$COMMAND", true),
            ("(no-such-command-here)", true),
            ("", true),
        ] {
            assert_eq!(Kicker::can_start(OsStr::new(command)), want, "{command}");
        }
    }
}
