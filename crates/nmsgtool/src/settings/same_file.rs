//! Files that a run would destroy: an output that is also an input, or two
//! outputs that overwrite each other.

use super::endpoint::{Endpoint, Input, Output, Place};
use crate::failure::Failure;
use crate::flags::{FlagId, spelling};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Most symbolic links followed from an output that does not exist yet.
const MAX_LINKS: usize = 40;

/// What makes a file this file and no other.
#[derive(Debug, Eq, Hash, PartialEq)]
enum Identity {
    /// A regular file, by device and inode.
    Existing { device: u64, inode: u64 },
    /// A file to be created, by its directory's device and inode and its name.
    Planned { device: u64, inode: u64, name: OsString },
}

/// Refuses the endpoints if two of them, one an output, are one regular file.
///
/// Devices, pipes and standard input and output may be named any number of times.
///
/// # Errors
///
/// A usage failure naming both options.
pub(super) fn refuse(endpoints: &[Endpoint]) -> Result<(), Failure> {
    let mut seen: HashMap<Identity, (FlagId, &Place, bool)> = HashMap::new();
    for endpoint in endpoints {
        let (place, option, writes) = match endpoint {
            Endpoint::Input(Input::File(file)) => (&file.place, file.reading_option(), false),
            Endpoint::Input(Input::Capture(place)) => (place, FlagId::ReadPcap, false),
            Endpoint::Output(Output::File(file)) => (&file.place, file.writing_option(), true),
            Endpoint::Input(
                Input::Socket(_) | Input::Zmq(_) | Input::Kafka(_) | Input::Interface(_),
            )
            | Endpoint::Output(Output::Socket(_) | Output::Zmq(_) | Output::Kafka(_)) => continue,
        };
        let Some(identity) = identify(place) else { continue };
        if let Some((other, other_place, other_writes)) = seen.get(&identity)
            && (writes || *other_writes)
        {
            let (one, two) = (spelling(*other), spelling(option));
            let message = format!("{one} {other_place} and {two} {place} are the same file");
            return Err(Failure::usage(message)
                .with_hint("writing would destroy what the file holds; choose another name"));
        }
        seen.entry(identity).or_insert((option, place, writes));
    }
    Ok(())
}

/// Returns the identity of a regular file, existing or to be created.
fn identify(place: &Place) -> Option<Identity> {
    let Place::Path(path) = place else { return None };
    match fs::metadata(path) {
        Ok(data) => {
            data.is_file().then(|| Identity::Existing { device: data.dev(), inode: data.ino() })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => planned(path),
        Err(_) => None,
    }
}

/// Returns where opening a path for writing would create a file.
fn planned(path: &Path) -> Option<Identity> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = fs::read_link(&path) else { break };
        path = parent(&path).join(target);
    }
    let directory = fs::metadata(parent(&path)).ok()?;
    let name = path.file_name()?.to_owned();
    Some(Identity::Planned { device: directory.dev(), inode: directory.ino(), name })
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
