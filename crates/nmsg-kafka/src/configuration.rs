use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Settings of the Kafka client that a user has made, by section (`nmsgtool-cli` §5.4).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Configuration {
    /// Section, key and value; a later one of the same section and key wins.
    items: Vec<(String, String, String)>,
}

/// Section for all brokers.
const DEFAULT_SECTION: &str = "default";
/// Longest line of a file, in octets.
const LONGEST_LINE: usize = 1022;
/// Shortest line that can be anything, in octets.
const SHORTEST_LINE: usize = 3;
/// Largest file, in octets.
const LARGEST_FILE: u64 = 1 << 20;

/// Why a configuration cannot be used.
#[derive(Debug)]
pub enum ConfigurationError {
    /// The file cannot be read.
    Unreadable(PathBuf, io::Error),
    /// A line of the file is wrong: its number, from 1 on, and why.
    BadLine(PathBuf, usize, &'static str),
    /// The file has no section.
    NoSection(PathBuf),
    /// The text that was given instead of a file is wrong.
    BadText(String),
}

impl fmt::Display for ConfigurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = |f: &mut fmt::Formatter<'_>, path: &Path| {
            write!(f, "failed to load configuration file \"{}\": ", path.display())
        };
        match self {
            Self::Unreadable(path, error) => {
                file(f, path)?;
                error.fmt(f)
            }
            Self::BadLine(path, line, why) => {
                file(f, path)?;
                write!(f, "{why} (at line {line})")
            }
            Self::NoSection(path) => {
                file(f, path)?;
                f.write_str("there is no section in it")
            }
            Self::BadText(text) => {
                write!(f, "failed to apply configuration \"{}\"", text.escape_debug())
            }
        }
    }
}

impl std::error::Error for ConfigurationError {}

impl Configuration {
    /// Reads the configuration that a variable names or holds, or else the file that exists at
    /// `fallback`; without either there are no settings.
    ///
    /// A value that starts with `/` or `./` is the path of a file, any other `KEY=VALUE:KEY=VALUE…`.
    ///
    /// # Errors
    ///
    /// When there is one that cannot be used.
    pub fn find(variable: Option<&str>, fallback: &Path) -> Result<Self, ConfigurationError> {
        match variable {
            Some(path) if path.starts_with('/') || path.starts_with("./") => {
                Self::load(Path::new(path))
            }
            Some(text) => Self::from_text(text),
            None if fallback.exists() => Self::load(fallback),
            None => Ok(Self::default()),
        }
    }

    /// Reads a file of sections.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or a line is wrong.
    pub fn load(path: &Path) -> Result<Self, ConfigurationError> {
        let unreadable = |error| ConfigurationError::Unreadable(path.to_owned(), error);
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(LARGEST_FILE).read_to_string(&mut text))
            .map_err(unreadable)?;
        Self::from_lines(&text, path)
    }

    fn from_lines(text: &str, path: &Path) -> Result<Self, ConfigurationError> {
        let mut items = Vec::new();
        let mut section = None;
        for (number, line) in text.lines().enumerate() {
            let bad = |why| ConfigurationError::BadLine(path.to_owned(), number + 1, why);
            if line.len() > LONGEST_LINE {
                return Err(bad("line is too long"));
            }
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.len() < SHORTEST_LINE {
                return Err(bad("line is too short"));
            }
            if let Some(name) = line.strip_prefix('[') {
                let name = name.strip_suffix(']').filter(|name| !name.is_empty());
                section = Some(name.ok_or_else(|| bad("section without a name in brackets"))?);
                continue;
            }
            let (key, value) = split_item(line).ok_or_else(|| bad("not like KEY=VALUE"))?;
            let section = section.ok_or_else(|| bad("setting before the first section"))?;
            items.push((section.to_owned(), key, value));
        }
        match section {
            Some(_) => Ok(Self { items }),
            None => Err(ConfigurationError::NoSection(path.to_owned())),
        }
    }

    /// Reads `KEY=VALUE:KEY=VALUE…`; values cannot contain a colon.
    ///
    /// # Errors
    ///
    /// When a piece is not like that.
    pub fn from_text(text: &str) -> Result<Self, ConfigurationError> {
        let pieces = text.strip_suffix(':').unwrap_or(text).split(':');
        let items: Option<Vec<_>> = pieces
            .map(|piece| {
                split_item(piece).map(|(key, value)| (DEFAULT_SECTION.to_owned(), key, value))
            })
            .collect();
        match items {
            Some(items) => Ok(Self { items }),
            None => Err(ConfigurationError::BadText(text.to_owned())),
        }
    }

    /// The settings for one broker, in the order in which they are to be made: those for all, then
    /// those of the section named exactly like the broker.
    pub fn settings<'a>(&'a self, broker: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        [DEFAULT_SECTION, broker].into_iter().flat_map(|wanted| {
            let items = self.items.iter().filter(move |(section, ..)| section == wanted);
            items.map(|(_, key, value)| (key.as_str(), value.as_str()))
        })
    }
}

/// Takes `KEY=VALUE` apart at the first sign; neither may be empty.
fn split_item(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=')?;
    let (key, value) = (key.trim(), value.trim());
    (!key.is_empty() && !value.is_empty()).then(|| (key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(configuration: &Configuration, broker: &str) -> String {
        let settings = configuration.settings(broker);
        settings.map(|(key, value)| format!("{key}={value};")).collect()
    }

    fn file(text: &str) -> Result<Configuration, ConfigurationError> {
        Configuration::from_lines(text, Path::new("./c"))
    }

    #[test]
    fn files_are_read() {
        for (name, text, want) in [
            ("one item", "[default]\nclient.id=x\n", "client.id=x;"),
            ("no item", "[default]\n", ""),
            ("blank lines", "\n[default]\n\n \nclient.id=x", "client.id=x;"),
            ("blanks", "  [default] \n client.id = x y \n", "client.id=x y;"),
            ("comments", "[default]\n#c\n # c\n#\na.b=1\n", "a.b=1;"),
            ("no comment behind a value", "[default]\na.b=x#y\n", "a.b=x#y;"),
            ("only the first sign divides", "[default]\na.b=a=b\n", "a.b=a=b;"),
            ("carriage returns", "[default]\r\na.b=1\r\n", "a.b=1;"),
            ("a later one comes later", "[default]\na=1\na=2\n", "a=1;a=2;"),
            ("other sections", "[other]\na=1\n[DEFAULT]\na=2\n[ default ]\na=3\n", ""),
            ("the broker's own", "[b:1]\na=1\n[b]\na=2\n[default]\na=3\n", "a=3;a=1;"),
        ] {
            let configuration = file(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(settings(&configuration, "b:1"), want, "{name}");
        }
        let longest = format!("[default]\na={}\n", "x".repeat(LONGEST_LINE - 2));
        assert!(file(&longest).is_ok());
    }

    #[test]
    fn mistakes_in_files_are_told() {
        let too_long = format!("[default]\na={}\n", "x".repeat(LONGEST_LINE - 1));
        for (text, want) in [
            ("", "there is no section in it"),
            ("# only a comment\n", "there is no section in it"),
            ("a=b\n", "setting before the first section (at line 1)"),
            ("[default]\n\nab\n", "line is too short (at line 3)"),
            ("[default]\nclient.id\n", "not like KEY=VALUE (at line 2)"),
            ("[default]\nclient.id=\n", "not like KEY=VALUE (at line 2)"),
            ("[default]\n =xy\n", "not like KEY=VALUE (at line 2)"),
            ("[default\n", "section without a name in brackets (at line 1)"),
            ("[] \n", "line is too short (at line 1)"),
            (&too_long, "line is too long (at line 2)"),
        ] {
            let error = file(text).expect_err(text).to_string();
            assert_eq!(error, format!("failed to load configuration file \"./c\": {want}"));
        }
    }

    #[test]
    fn a_variable_holds_settings_or_names_a_file() {
        let nowhere = Path::new("/nowhere/at/all");
        for (text, want) in [
            ("client.id=x", "client.id=x;"),
            ("client.id=x:", "client.id=x;"),
            ("a = x : b=1", "a=x;b=1;"),
        ] {
            let configuration = Configuration::find(Some(text), nowhere).expect(text);
            assert_eq!(settings(&configuration, "b"), want, "{text}");
        }
        for text in ["", ":", "a", "a=", "=x", "a=x::b=1", "c.ini", "../x", "[default]:a=x"] {
            let error = Configuration::find(Some(text), nowhere).expect_err(text).to_string();
            assert_eq!(error, format!("failed to apply configuration \"{text}\""));
        }
        for path in ["/nowhere/x", "./nowhere/x"] {
            let error = Configuration::find(Some(path), nowhere).expect_err(path).to_string();
            let start = format!("failed to load configuration file \"{path}\": No such file");
            assert!(error.starts_with(&start), "{error}");
        }
        let none = Configuration::find(None, nowhere).expect("no file is no mistake");
        assert_eq!(none, Configuration::default());
        let path = std::env::temp_dir().join(format!("nmsg-kafkacfg-{}", std::process::id()));
        std::fs::write(&path, "[default]\na=1\n").expect("writable");
        let found = Configuration::find(None, &path).expect("readable");
        assert_eq!(settings(&found, "b"), "a=1;");
        std::fs::remove_file(&path).expect("removable");
    }
}
