//! File outputs that start anew by count or interval (`-k`).

use super::report::Reporter;
use crate::failure::{Failure, FailureKind};
use crate::settings::{File, Format, OnDamage, Place, Rotation, Settings};
use crate::spell::printable;
use nmsg_io::rotate::{
    FileNames, IntervalClock, Kicker, LeftoverFormat, RotatingSink, RotationSettings, recover,
    time_since_1970,
};
use nmsg_io::{Output, OutputFormat};
use std::ffi::OsStr;
use std::io;

/// Refuses a kicker that starts with the name of a command that is not there.
pub(super) fn check_kicker(settings: &Settings) -> Result<(), Failure> {
    let command = settings.rotation.as_ref().and_then(|rotation| rotation.command.as_deref());
    match command {
        Some(command) if !Kicker::can_start(command) => {
            let message = format!("unable to run kicker '{}': not found", printable(command));
            Err(Failure::new(FailureKind::SetUp, message)
                .with_hint("the shell knows no command of that name; see PATH"))
        }
        _ => Ok(()),
    }
}

/// The clock that `-t` and `-R` ask for.
pub(super) fn interval(settings: &Settings) -> Option<IntervalClock> {
    let seconds = settings.interval?;
    let phase = if settings.randomize { random() % seconds.get() } else { 0 };
    Some(IntervalClock::new(seconds, phase, time_since_1970()))
}

fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

/// Opens a file output that starts anew, and finishes what an earlier run has left behind.
pub(super) fn open(
    file: &File,
    rotation: &Rotation,
    format: OutputFormat,
    settings: &Settings,
    reporter: &Reporter,
) -> io::Result<Output> {
    let argument = match &file.place {
        Place::Standard => OsStr::new("-"),
        Place::Path(path) => path.as_os_str(),
    };
    let (suffix, kind, leftovers) = match file.format {
        Format::Nmsg => (".nmsg", "nmsg", LeftoverFormat::Nmsg),
        Format::Json => (".json", "json", LeftoverFormat::Json),
        Format::Presentation => {
            let blank_line = settings.endline.ends_with(b"\n");
            ("", "pres", LeftoverFormat::Presentation { blank_line })
        }
    };
    let mut names = FileNames::new(argument, suffix);
    if settings.daemon {
        names = names.below(&std::env::current_dir()?);
    }
    let mut kicker = rotation.command.as_deref().map(Kicker::new);
    let (recovered, failures) = recover(&names, leftovers, kicker.as_mut());
    for file in recovered {
        reporter.info(file);
    }
    for failure in failures {
        reporter.line(1, format_args!("warning: {failure}"));
    }
    let sink = RotatingSink::open(RotationSettings {
        names,
        kicker,
        skip_empty: rotation.skip_empty,
        size_limit: rotation.size_limit,
        strict: settings.on_damage == OnDamage::Stop,
        kind,
        argument: file.place.to_string(),
    })?;
    Ok(Output::new(file.place.to_string(), format, Box::new(sink)))
}
