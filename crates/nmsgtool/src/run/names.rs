use crate::settings::Names;
use crate::spell::printable;
use nmsg::{AliasTable, Aliases, Registry, VendorId};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Where alias files are looked for that no variable names.
const CONFIGURATION_DIRECTORY: &str = match option_env!("NMSG_SYSCONFDIR") {
    Some(directory) => directory,
    None => "/etc",
};

/// Everything that has a name: message types, operators, groups.
pub(super) struct Catalogue {
    pub(super) registry: Registry,
    pub(super) aliases: Aliases,
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
        Self { registry: Registry::builtin(), aliases, complaints }
    }
}

impl Names for Catalogue {
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
}
