//! The two programs, and how they are run.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::root;

/// After this many seconds a run counts as one that never ends.
const PATIENCE: &str = "20";
/// What `timeout` ends with when it had to end the program.
const GIVEN_UP: i32 = 124;

/// One of the two programs.
pub(crate) struct Tool {
    program: PathBuf,
    /// Where its outputs go.
    scratch: PathBuf,
}

/// What a run gave.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Run {
    /// `None` when a signal ended the program.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Run {
    /// True when the program was still running when time was up.
    pub(crate) fn hung(&self) -> bool {
        self.status == Some(GIVEN_UP)
    }

    /// True when the program died of a signal. `timeout` shows that as a large number.
    pub(crate) fn died(&self) -> bool {
        self.status.is_none_or(|status| status >= 128)
    }

    /// True when the program ended by itself.
    pub(crate) fn ended(&self) -> bool {
        !self.hung() && !self.died()
    }
}

impl Tool {
    /// Our program, built from this tree.
    pub(crate) fn ours(scratch: &Path) -> io::Result<Self> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["build", "--quiet", "--package", "nmsgtool"])
            .current_dir(root())
            .status()?;
        if !status.success() {
            return Err(io::Error::other("building nmsgtool failed"));
        }
        Self::new(root().join("target/debug/nmsgtool"), scratch.join("ours"))
    }

    /// Our program, built for speed.
    pub(crate) fn released(scratch: &Path) -> io::Result<Self> {
        Self::new(crate::bench::build()?, scratch.join("ours"))
    }

    /// The program of the C suite installed in `folder`.
    pub(crate) fn reference(folder: &Path, scratch: &Path) -> io::Result<Self> {
        Self::new(folder.join("bin/nmsgtool"), scratch.join("reference"))
    }

    fn new(program: PathBuf, scratch: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&scratch)?;
        Ok(Self { program, scratch })
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The path of an output of this program.
    pub(crate) fn output(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// Runs the program without standard input. `{O}` in an argument stands for its own folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> io::Result<Run> {
        self.run_with(arguments, &[])
    }

    /// Runs the program with variables of its environment.
    pub(crate) fn run_with(
        &self,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> io::Result<Run> {
        let own = self.scratch.to_string_lossy();
        let output = Command::new("timeout")
            .args(["-k", "1", PATIENCE])
            .arg(&self.program)
            .args(arguments.iter().map(|argument| argument.replace("{O}", &own)))
            .env_remove("NMSG_MSGMOD_DIR")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()?;
        let (stdout, stderr) = (output.stdout, output.stderr);
        Ok(Run { status: output.status.code(), stdout, stderr })
    }

    /// The long options that the program's help lists.
    pub(crate) fn options(&self) -> io::Result<BTreeSet<String>> {
        let run = self.run(&["-h"])?;
        let text = String::from_utf8_lossy(&run.stdout).into_owned();
        let words = text.split(|c: char| c.is_whitespace() || c == ',');
        Ok(words.filter_map(|word| word.strip_prefix("--")).map(str::to_owned).collect())
    }
}
