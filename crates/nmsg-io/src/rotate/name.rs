use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use wdns::TextBuffer;

/// Octets of a stamp without its seconds: `YYYYMMDD.HHMM.` and `.NNNNNNNNN`.
const DATE: usize = 8;
const CLOCK: usize = 4;
const NANOSECONDS: usize = 9;

/// How the files of one output are named: `DIR/BASE.STAMP` and a suffix (`decisions` RO-1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileNames {
    directory: Vec<u8>,
    base: Vec<u8>,
    suffix: &'static str,
}

/// The names of one file: while it is written, and when it is complete.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileName {
    /// Hidden, in the same directory.
    pub part: PathBuf,
    /// The final name.
    pub complete: PathBuf,
}

impl FileNames {
    /// Takes an output's argument apart as dirname and basename do: a directory that is not named is
    /// `.`, and slashes at the end are dropped.
    #[must_use]
    pub fn new(argument: &OsStr, suffix: &'static str) -> Self {
        let whole = trim_slashes(argument.as_bytes());
        let (directory, base) = match whole.iter().rposition(|octet| *octet == b'/') {
            _ if whole.is_empty() && argument.as_bytes().starts_with(b"/") => {
                (&b"/"[..], &b"/"[..])
            }
            None if whole.is_empty() => (&b"."[..], &b"."[..]),
            None => (&b"."[..], whole),
            Some(slash) => match trim_slashes(&whole[..slash]) {
                b"" => (&b"/"[..], &whole[slash + 1..]),
                directory => (directory, &whole[slash + 1..]),
            },
        };
        Self { directory: directory.to_vec(), base: base.to_vec(), suffix }
    }

    /// Turns a relative directory into one that does not depend on where the process is: below
    /// `current`.
    #[must_use]
    pub fn below(mut self, current: &Path) -> Self {
        if !self.directory.starts_with(b"/") {
            let directory = Path::new(OsStr::from_bytes(&self.directory));
            let directory =
                if self.directory == b"." { current.into() } else { current.join(directory) };
            self.directory = directory.into_os_string().into_vec();
        }
        self
    }

    /// The directory of the files.
    #[must_use]
    pub fn directory(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.directory))
    }

    /// The names of a file that is opened so long after 1970.
    #[must_use]
    pub fn at(&self, opened: Duration) -> FileName {
        self.stamped(stamp(opened).as_bytes())
    }

    fn stamped(&self, stamp: &[u8]) -> FileName {
        let name = |parts: [&[u8]; 6]| PathBuf::from(OsString::from_vec(parts.concat()));
        let (directory, base) = (&*self.directory, &*self.base);
        FileName {
            part: name([directory, b"/.", base, b".", stamp, b".part"]),
            complete: name([directory, b"/", base, b".", stamp, self.suffix.as_bytes()]),
        }
    }

    /// The names of a file that was written under this hidden name, if it can be one of this output.
    #[must_use]
    pub fn of_part(&self, part: &OsStr) -> Option<FileName> {
        let stamp = part
            .as_bytes()
            .strip_prefix(b".")?
            .strip_prefix(&*self.base)?
            .strip_prefix(b".")?
            .strip_suffix(b".part")?;
        is_stamp(stamp).then(|| self.stamped(stamp))
    }
}

fn trim_slashes(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|octet| *octet != b'/').map_or(0, |last| last + 1);
    &text[..end]
}

/// `YYYYMMDD.HHMM.SECONDS.NANOSECONDS`, all of it UTC.
fn stamp(time: Duration) -> String {
    let mut text = TextBuffer::new();
    nmsg::text::time::write_seconds(&mut text, i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
    let text = String::from_utf8_lossy(text.as_bytes());
    let mut parts = text.split([' ', ':']);
    let date = parts.next().unwrap_or_default().replace('-', "");
    let [hour, minute] = [(); 2].map(|()| parts.next().unwrap_or_default());
    format!("{date}.{hour}{minute}.{}.{:09}", time.as_secs(), time.subsec_nanos())
}

fn is_stamp(text: &[u8]) -> bool {
    let mut fields = text.split(|octet| *octet == b'.');
    let mut digits = |len: Option<usize>| {
        fields.next().is_some_and(|field| {
            let fits = len.map_or(!field.is_empty(), |len| field.len() == len);
            fits && field.iter().all(u8::is_ascii_digit)
        })
    };
    digits(Some(DATE))
        && digits(Some(CLOCK))
        && digits(None)
        && digits(Some(NANOSECONDS))
        && fields.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENED: Duration = Duration::new(1_422_839_406, 364_843_292);

    #[test]
    fn ro_1_names_to_the_character() {
        const STAMP: &str = "20150202.0110.1422839406.364843292";
        for (argument, suffix, part, complete) in [
            ("ch208", ".nmsg", "./.ch208.S.part", "./ch208.S.nmsg"),
            ("./ch208", ".json", "./.ch208.S.part", "./ch208.S.json"),
            ("-", "", "./.-.S.part", "./-.S"),
            ("out.nmsg", ".nmsg", "./.out.nmsg.S.part", "./out.nmsg.S.nmsg"),
            ("/var/x/y", ".nmsg", "/var/x/.y.S.part", "/var/x/y.S.nmsg"),
            ("var//y//", ".nmsg", "var/.y.S.part", "var/y.S.nmsg"),
            ("sub/../q", ".nmsg", "sub/../.q.S.part", "sub/../q.S.nmsg"),
            ("/y", ".nmsg", "//.y.S.part", "//y.S.nmsg"),
            ("", ".nmsg", "./...S.part", "./..S.nmsg"),
            ("..", ".nmsg", "./....S.part", "./...S.nmsg"),
            ("/", ".nmsg", "//./.S.part", "///.S.nmsg"),
        ] {
            let names = FileNames::new(OsStr::new(argument), suffix);
            let name = names.at(OPENED);
            let with_stamp = |text: &str| PathBuf::from(text.replacen('S', STAMP, 1));
            assert_eq!(name.part, with_stamp(part), "{argument}");
            assert_eq!(name.complete, with_stamp(complete), "{argument}");
        }
    }

    #[test]
    fn ro_1_stamps_are_utc_and_padded() {
        for (time, want) in [
            (Duration::ZERO, "19700101.0000.0.000000000"),
            (Duration::new(951_782_399, 1), "20000228.2359.951782399.000000001"),
            (Duration::new(951_782_400, 0), "20000229.0000.951782400.000000000"),
            (Duration::new(1_795_212_694, 999_999_999), "20261120.2211.1795212694.999999999"),
        ] {
            assert_eq!(stamp(time), want);
            assert!(is_stamp(want.as_bytes()), "{want}");
        }
    }

    #[test]
    fn ro_9_own_hidden_names_are_recognised() {
        let names = FileNames::new(OsStr::new("/d/ch.1"), ".json");
        let own = names.at(OPENED);
        assert_eq!(names.of_part(own.part.file_name().unwrap()), Some(own.clone()));
        for other in [
            "ch.1.20150202.0110.1422839406.364843292.json",
            ".ch.1.20150202.0110.1422839406.364843292",
            ".ch.1.20150202.0110.1422839406.364843292.part.part",
            ".ch.2.20150202.0110.1422839406.364843292.part",
            ".ch.1.x.20150202.0110.1422839406.364843292.part",
            ".ch.1.20150202.0110.1422839406.3648432.part",
            ".ch.1.2015020.0110.1422839406.364843292.part",
            ".ch.1.20150202.011.1422839406.364843292.part",
            ".ch.1.20150202.0110..364843292.part",
            ".ch.1.20150202.0110.14228394x6.364843292.part",
            ".ch.1.20150202.0110.1422839406.364843292.1.part",
            ".ch.1.part",
            "",
        ] {
            assert_eq!(names.of_part(OsStr::new(other)), None, "{other}");
        }
    }

    #[test]
    fn sg_7_names_are_made_absolute() {
        for (argument, want) in [
            ("x", "/work"),
            ("./x", "/work"),
            ("sub/x", "/work/sub"),
            ("../x", "/work/.."),
            ("/abs/x", "/abs"),
        ] {
            let names = FileNames::new(OsStr::new(argument), "").below(Path::new("/work"));
            assert_eq!(names.directory().as_os_str(), want, "{argument}");
        }
    }
}
