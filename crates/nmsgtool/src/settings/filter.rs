//! Filters and conditions that messages must pass.

use crate::failure::{Failure, FailureKind};
use crate::flags::FlagId;
use crate::grammar::Given;
use crate::settings::Names;
use crate::spell::printable;
use nmsg::filter::{Policy, Sampling, Where};
use std::ffi::{OsStr, OsString};
use std::fmt::{self, Display, Formatter};
use std::path::Path;

/// The filter that is built in.
const SAMPLE: &str = "sample";

/// A filter of the chain (`-F`).
#[derive(Clone, Debug, PartialEq)]
pub struct ChainedFilter {
    /// As given: its name and, behind a comma, its parameter.
    pub text: OsString,
    /// What it does.
    pub sampling: Sampling,
}

/// Names the filter as the option does.
impl Display for ChainedFilter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "adding filter module {}", printable(&self.text))
    }
}

/// The filters that every message goes through (`-F`, `--policy`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    /// The filters in the order in which they are asked.
    pub chain: Vec<ChainedFilter>,
    /// What becomes of messages that all of them declined; only if given.
    pub policy: Option<Policy>,
}

impl Filters {
    /// Takes `-F` and `--policy`; what the latter says is only looked at where there is a filter.
    pub(super) fn take(given: &mut Given, warnings: &mut Vec<String>) -> Result<Self, Failure> {
        let chain = given.take_list(FlagId::Filter).into_iter().map(chained);
        let chain = chain.collect::<Result<Vec<_>, _>>()?;
        let policy = match given.take_value(FlagId::Policy) {
            None => None,
            Some(_) if chain.is_empty() => {
                warnings.push("--policy has no effect: there is no filter (-F)".to_owned());
                None
            }
            Some(word) => Some(policy(&word)?),
        };
        Ok(Self { chain, policy })
    }

    /// Returns the lines that level 2 prints about them, without the program's name.
    pub fn lines(&self) -> Vec<String> {
        let policy = self.policy.map(|policy| {
            let word = match policy {
                Policy::Accept => "ACCEPT",
                Policy::Drop => "DROP",
            };
            format!("setting default filter policy to {word}")
        });
        self.chain.iter().map(ToString::to_string).chain(policy).collect()
    }
}

fn chained(text: OsString) -> Result<ChainedFilter, Failure> {
    let shown = text.to_string_lossy();
    let (name, parameter) = match shown.split_once(',') {
        Some((name, parameter)) => (name, Some(parameter)),
        None => (&*shown, None),
    };
    if name.is_empty() {
        return Err(Failure::usage("-F without the name of a filter")
            .with_hint("for example -F sample,count=10"));
    }
    let path =
        if name.starts_with(['/', '.']) { name.to_owned() } else { format!("nmsg_flt1_{name}.so") };
    let path = printable(OsStr::new(&path));
    let refused = |line: String| {
        let failed = "nmsg_io_add_filter_module() failed for";
        let message = format!("{failed} {}: generic failure (1)", printable(&text));
        Failure::new(FailureKind::SetUp, message).with_line_above(Some(line))
    };
    // The C suite's own module may also be named by its path; what is built in takes its place.
    let is_sample_module = path.ends_with("/nmsg_flt1_sample.so") && Path::new(&*path).is_file();
    if name != SAMPLE && !is_sample_module {
        let line = format!("nmsg_fltmod_init: ERROR: unable to open module file {path}");
        return Err(refused(line).with_hint("the filter that is built in is called sample"));
    }
    match Sampling::parse(parameter) {
        Ok(sampling) => Ok(ChainedFilter { sampling, text }),
        Err(error) => {
            let error = error.to_string();
            Err(refused(format!(
                "sample_module_init: {}\nnmsg_fltmod_init: WARNING: module '{path}' init failed \
                 with res 1 (generic failure), not loading",
                printable(OsStr::new(&error))
            ))
            .with_hint("give count=NUMBER, or random=SHARE with a share from 0 to 1"))
        }
    }
}

fn policy(word: &OsStr) -> Result<Policy, Failure> {
    Policy::parse(word.as_encoded_bytes()).ok_or_else(|| {
        let message = format!("unknown filter policy '{}'", printable(word));
        Failure::new(FailureKind::SetUp, message).with_hint("give ACCEPT or DROP")
    })
}

/// What must hold for messages that pass (`--where`).
#[derive(Clone, Debug)]
pub struct Condition {
    /// As given.
    pub text: String,
    /// Ready to be asked.
    pub compiled: Where,
}

impl Condition {
    pub(super) fn take(given: &mut Given, names: &dyn Names) -> Result<Option<Self>, Failure> {
        let Some(text) = given.take_value(FlagId::Where) else { return Ok(None) };
        let text = text.into_string().map_err(|_| Failure::usage("--where: not text in UTF-8"))?;
        match names.condition(&text) {
            Ok(compiled) => Ok(Some(Self { text, compiled })),
            Err(error) => {
                let lines: Vec<String> =
                    error.excerpt().lines().map(|line| printable(OsStr::new(line))).collect();
                let message = format!("--where: {}", printable(OsStr::new(&error.to_string())));
                Err(Failure::usage(message).with_lines_below(lines))
            }
        }
    }
}

/// Conditions with the same text are equal.
impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
