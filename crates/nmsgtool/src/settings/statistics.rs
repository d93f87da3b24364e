//! Reports of statistics modules, of which one is built in.

use crate::failure::{Failure, FailureKind};
use crate::flags::FlagId;
use crate::grammar::Given;
use crate::spell::printable;
use std::ffi::{OsStr, OsString};
use std::fmt::{self, Display, Formatter};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

/// The module that is built in.
const SAMPLE: &str = "sample";

/// Reports at intervals (`-M sample`).
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// As given.
    pub text: OsString,
    /// Where to; standard error unless given.
    pub out: Option<PathBuf>,
    /// Seconds between reports.
    pub interval: NonZeroU64,
}

/// Names the module as the option does.
impl Display for Statistics {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "adding stats module {}", printable(&self.text))
    }
}

impl Statistics {
    /// Takes `-M`; each mention is a report of its own.
    pub(super) fn take(given: &mut Given) -> Result<Vec<Self>, Failure> {
        given.take_list(FlagId::StatsModule).into_iter().map(Self::read).collect()
    }

    fn read(text: OsString) -> Result<Self, Failure> {
        let shown = text.to_string_lossy();
        let (name, parameters) = match shown.split_once(',') {
            Some((name, parameters)) => (name, Some(parameters)),
            None => (&*shown, None),
        };
        if name.is_empty() {
            return Err(Failure::usage("-M without the name of a module")
                .with_hint("for example -M sample,secs=10"));
        }
        let path = match name.starts_with(['/', '.']) {
            true => name.to_owned(),
            false => format!("nmsg_stats1_{name}.so"),
        };
        let is_sample_module =
            path.ends_with("/nmsg_stats1_sample.so") && Path::new(&path).is_file();
        if name != SAMPLE && !is_sample_module {
            let path = printable(OsStr::new(&path));
            let line = format!("nmsg_statsmod_init: ERROR: unable to open module file {path}");
            return Err(refused(&text, line)
                .with_hint("the statistics module that is built in is called sample"));
        }
        let (mut out, mut interval) = (None, NonZeroU64::MIN);
        for parameter in parameters.into_iter().flat_map(|text| text.split(',')) {
            match parameter.split_once('=') {
                Some(("out", path)) if !path.is_empty() => out = Some(PathBuf::from(path)),
                Some(("secs", number)) => {
                    interval = number.parse().map_err(|_| {
                        let line = format!(
                            "parse_args: invalid update frequency value \"{number}\" (must be a \
                             number greater than 0)"
                        );
                        refused(&text, line)
                    })?;
                }
                _ => {
                    let name = parameter.split('=').next().unwrap_or_default();
                    let line = format!("parse_args: invalid module parameter \"{name}\"");
                    return Err(refused(&text, line).with_hint("give out=FILE or secs=SECONDS"));
                }
            }
        }
        Ok(Self { out, interval, text })
    }

    /// The failure of a file that cannot be opened.
    #[cold]
    pub fn not_writable(&self) -> Failure {
        let path = self.out.as_deref().unwrap_or(Path::new("")).as_os_str();
        let path = printable(path);
        let line = format!("parse_args: file \"{path}\" could not be opened for writing");
        refused(&self.text, line)
    }
}

#[cold]
fn refused(text: &OsStr, line: String) -> Failure {
    let message =
        format!("nmsg_io_add_stats_module() failed for {}: generic failure (1)", printable(text));
    let line = printable(OsStr::new(&line)).to_string();
    Failure::new(FailureKind::SetUp, message).with_line_above(Some(line))
}
