use crate::settings::{ChannelFile, MessageType, Names};
use crate::spell::printable;
use nmsg::filter::{Where, WhereError};
use nmsg::schema::Schema;
use nmsg::{AliasTable, Aliases, MsgType, Registry, Timestamp, VendorId};
use nmsg_io::address::look_up_channel;
use nmsg_io::rotate::time_since_1970;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Where alias files are looked for that no variable names.
pub(super) const CONFIGURATION_DIRECTORY: &str = match option_env!("NMSG_SYSCONFDIR") {
    Some(directory) => directory,
    None => "/etc",
};

/// Names the channel alias file.
const CHANNEL_FILE_VARIABLE: &str = "NMSG_CHALIAS_FILE";

/// Channel alias files that no variable names, in the order in which they are tried.
const CHANNEL_FILES: [&str; 2] = ["nmsg.chalias", "nmsgtool.chalias"];

/// Everything that has a name: message types, operators, groups.
pub(super) struct Catalogue {
    pub(super) registry: Registry,
    pub(super) aliases: Aliases,
    /// The channel alias file that the environment names.
    channel_file: Option<PathBuf>,
    /// Lines of alias files that say nothing, to be reported.
    pub(super) complaints: Vec<String>,
}

impl Catalogue {
    /// Knows the built-in message types and reads the alias files, those that are there.
    pub(super) fn load(env: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let mut complaints = Vec::new();
        let mut table = |variable: &str, name: &str| {
            let standard = Path::new(CONFIGURATION_DIRECTORY).join(name);
            let candidates = env(variable).map(PathBuf::from).into_iter().chain([standard]);
            let found =
                candidates.filter_map(|path| fs::read(&path).ok().map(|text| (path, text))).next();
            let Some((path, text)) = found else { return AliasTable::default() };
            let (table, bad) = AliasTable::parse(&text);
            let path = printable(path.as_os_str());
            complaints.extend(bad.iter().map(|line| format!("{path}: {line}")));
            table
        };
        let operators = table("NMSG_OPALIAS_FILE", "nmsg.opalias");
        let groups = table("NMSG_GRALIAS_FILE", "nmsg.gralias");
        let aliases = Aliases { operators, groups };
        let channel_file = env(CHANNEL_FILE_VARIABLE).map(PathBuf::from);
        Self { registry: Registry::builtin(), aliases, channel_file, complaints }
    }
}

impl Names for Catalogue {
    fn has_field(&self, message_type: Option<&MessageType>, field: &str) -> bool {
        let has = |schema: &Schema| schema.field_index(field.as_bytes()).is_some();
        match message_type {
            Some(wanted) => {
                let (vendor, number) = (VendorId(wanted.vendor), MsgType(wanted.number));
                self.registry.get(vendor, number).is_some_and(|schema| has(schema))
            }
            None => {
                let mut schemas = self.registry.vendors().flat_map(|vendor| vendor.schemas());
                schemas.any(|schema| has(schema))
            }
        }
    }

    fn vendor(&self, name: &str) -> Option<u32> {
        self.registry.find_vendor(name.as_bytes()).map(|vendor| vendor.id().0)
    }

    fn message_type(&self, vendor: u32, name: &str) -> Option<u32> {
        let vendor = self.registry.vendor(VendorId(vendor))?;
        let schema = self.registry.find(vendor.name(), name.as_bytes())?;
        Some(schema.message_type().id.0)
    }

    fn operator(&self, alias: &str) -> Option<u32> {
        self.aliases.operators.number(alias.as_bytes())
    }

    fn group(&self, alias: &str) -> Option<u32> {
        self.aliases.groups.number(alias.as_bytes())
    }

    fn condition(&self, expression: &str) -> Result<Where, WhereError> {
        let since = time_since_1970();
        let now = Timestamp { sec: since.as_secs() as i64, nsec: since.subsec_nanos() };
        Where::compile(expression, &self.registry, &self.aliases, now)
    }

    fn channel(&self, name: &str) -> ChannelFile {
        let standard = CHANNEL_FILES.map(|name| Path::new(CONFIGURATION_DIRECTORY).join(name));
        for path in self.channel_file.iter().chain(&standard) {
            if let Ok(text) = fs::read(path) {
                let targets = look_up_channel(&text, name);
                return ChannelFile::Found { path: path.clone(), targets };
            }
        }
        let [first, second] = standard.each_ref().map(|path| path.display());
        ChannelFile::Missing(match &self.channel_file {
            None => {
                format!("nmsg_chalias_lookup() failed: no chalias found at {first} or {second}")
            }
            Some(named) => format!(
                "nmsg_chalias_lookup() failed: no chalias file found at \
                 ({CHANNEL_FILE_VARIABLE}={} / {first} / {second})",
                printable(named.as_os_str())
            ),
        })
    }
}
