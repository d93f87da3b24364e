//! Folders of modules that variables name.

use crate::failure::reason;
use crate::spell::printable;
use std::ffi::OsString;

/// Where the C suite looks for message types instead of in its own folder.
const MESSAGE_MODULES: &str = "NMSG_MSGMOD_DIR";

/// Says that the folder of message types is not there (`decisions` MO-1).
pub(super) fn missing_folder(env: &dyn Fn(&str) -> Option<OsString>) -> Option<String> {
    let folder = env(MESSAGE_MODULES)?;
    let error = std::fs::read_dir(&folder).err()?;
    Some(format!(
        "{MESSAGE_MODULES}: unable to read {}: {}; the built-in message types do not need it",
        printable(&folder),
        reason(&error)
    ))
}
