//! What is said on standard error: lines of text, or one JSON object for each.

use crate::failure::Failure;
use crate::settings::LogFormat;
use nmsg_io::Voice;
use nmsg_io::rotate::time_since_1970;
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use wdns::TextBuffer;

/// How bad it is what a line says; only seen in JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Severity {
    Error,
    Warning,
    Info,
    Debug,
}

impl Severity {
    const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }

    /// What lines of a level of detail are that say nothing about it.
    pub(super) const fn of_level(level: u32) -> Self {
        if level >= 2 { Self::Debug } else { Self::Warning }
    }
}

/// The value of a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'v> {
    Text(&'v str),
    /// JSON already.
    Json(&'v str),
}

/// A line, and what it says for machines.
pub(super) struct Entry<'e> {
    pub(super) severity: Severity,
    pub(super) message: &'e dyn Display,
    /// Written in JSON only.
    pub(super) fields: &'e [(&'static str, Value<'e>)],
}

/// Where lines go, from whatever thread, and the line of progress between them.
#[derive(Clone, Debug)]
pub(super) struct Log {
    program: Arc<str>,
    format: LogFormat,
    /// True while the last line of the terminal is one of progress.
    has_progress: Arc<Mutex<bool>>,
}

/// Takes what stands in the terminal's last line away.
const CLEAR: &str = "\r\x1b[K";

impl Log {
    pub(super) fn new(program: &str, format: LogFormat) -> Self {
        Self { program: program.into(), format, has_progress: Arc::default() }
    }

    pub(super) fn format(&self) -> LogFormat {
        self.format
    }

    /// Says something; as text, the line starts with the program's name.
    pub(super) fn line(&self, entry: &Entry<'_>) {
        self.write(entry, || format!("{}: {}\n", self.program, entry.message));
    }

    /// Says something; as text, the line stands alone.
    pub(super) fn bare_line(&self, entry: &Entry<'_>) {
        self.write(entry, || format!("{}\n", entry.message));
    }

    /// Says something of which the text is ready, perhaps in several lines.
    pub(super) fn block(&self, entry: &Entry<'_>, text: &str) {
        self.write(entry, || text.to_owned());
    }

    /// Says why the program ends.
    pub(super) fn failure(&self, failure: &Failure) {
        let list = |lines: &[String]| {
            let mut out = TextBuffer::new();
            out.byte(b'[');
            for (at, line) in lines.iter().enumerate() {
                if at > 0 {
                    out.byte(b',');
                }
                quote(&mut out, line);
            }
            out.byte(b']');
            out.to_string_lossy()
        };
        let status = failure.exit_status().code().to_string();
        let (details, hint) = (list(&failure.details()), failure.hint());
        let mut fields = vec![("status", Value::Json(&status))];
        if details != "[]" {
            fields.push(("details", Value::Json(&details)));
        }
        fields.extend(hint.map(|hint| ("hint", Value::Text(hint))));
        let entry = Entry { severity: Severity::Error, message: failure, fields: &fields };
        self.write(&entry, || {
            let mut text = Vec::new();
            // Writing to memory cannot fail.
            let _ = failure.report(&self.program, &mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
    }

    /// The voice of an input or output that has something to say while it waits.
    pub(super) fn voice(&self, name: &str, level: u32) -> Voice {
        let log = self.clone();
        let endpoint = name.to_owned();
        Voice::new(name, move |notice| {
            let of_notice = super::report::level_of(notice);
            if level >= of_notice {
                log.line(&Entry {
                    severity: Severity::of_level(of_notice),
                    message: &notice.text,
                    fields: &[("endpoint", Value::Text(&endpoint))],
                });
            }
        })
    }

    /// Shows how far the run has come, until something else is said.
    pub(super) fn show_progress(&self, line: &str) {
        self.with_screen(|has_progress| {
            *has_progress = true;
            format!("\r{line}\x1b[K")
        });
    }

    /// Takes the line of progress away.
    pub(super) fn clear_progress(&self) {
        self.with_screen(|has_progress| {
            if std::mem::take(has_progress) { CLEAR.to_owned() } else { String::new() }
        });
    }

    fn write(&self, entry: &Entry<'_>, text: impl FnOnce() -> String) {
        let text = match self.format {
            LogFormat::Text => text(),
            LogFormat::Json => self.object(entry),
        };
        self.with_screen(|has_progress| {
            if std::mem::take(has_progress) { format!("{CLEAR}{text}") } else { text }
        });
    }

    /// Writes what `make` gives in one go, one thread at a time.
    fn with_screen(&self, make: impl FnOnce(&mut bool) -> String) {
        // Nothing panics while it holds the lock.
        let mut has_progress = self.has_progress.lock().unwrap_or_else(PoisonError::into_inner);
        let text = make(&mut has_progress);
        // With standard error gone there is nobody to tell.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    fn object(&self, entry: &Entry<'_>) -> String {
        let now = time_since_1970();
        let mut out = TextBuffer::new();
        out.bytes(b"{\"time\":\"");
        let start = out.len();
        nmsg::text::time::write_seconds(&mut out, i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
        let len = out.len() - start;
        for octet in out.tail_mut(len) {
            if *octet == b' ' {
                *octet = b'T';
            }
        }
        out.bytes(format!(".{:06}Z\"", now.subsec_micros()).as_bytes());
        let pid = std::process::id().to_string();
        let head = [
            ("level", Value::Text(entry.severity.word())),
            ("program", Value::Text(&self.program)),
            ("pid", Value::Json(&pid)),
        ];
        let message = entry.message.to_string();
        let tail = [("message", Value::Text(&message))];
        for (name, value) in head.iter().chain(entry.fields).chain(&tail) {
            out.byte(b',');
            quote(&mut out, name);
            out.byte(b':');
            match value {
                Value::Text(text) => quote(&mut out, text),
                Value::Json(json) => out.bytes(json.as_bytes()),
            }
        }
        out.bytes(b"}\n");
        out.to_string_lossy()
    }
}

/// Writes a JSON string.
pub(super) fn quote(out: &mut TextBuffer, text: &str) {
    out.byte(b'"');
    out.json_escaped(text.as_bytes());
    out.byte(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureKind;

    #[test]
    fn objects_have_time_level_and_fields() {
        let log = Log::new("a\"b", LogFormat::Json);
        let entry = Entry {
            severity: Severity::Warning,
            message: &"two\nlines\u{1}",
            fields: &[("input", Value::Text("é\\")), ("count", Value::Json("7"))],
        };
        let text = log.object(&entry);
        let (time, rest) = text.split_once(",\"level\"").unwrap();
        let pattern: String =
            time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(pattern, "{\"time\":\"0000-00-00T00:00:00.000000Z\"");
        let pid = std::process::id();
        assert_eq!(
            rest,
            format!(
                ":\"warning\",\"program\":\"a\\\"b\",\"pid\":{pid},\"input\":\"é\\\\\",\"count\":7,\
                 \"message\":\"two\\nlines\\u0001\"}}\n"
            )
        );
    }

    #[test]
    fn levels_have_words() {
        for (level, word) in [(0, "warning"), (1, "warning"), (2, "debug"), (9, "debug")] {
            assert_eq!(Severity::of_level(level).word(), word, "{level}");
        }
        assert_eq!((Severity::Error.word(), Severity::Info.word()), ("error", "info"));
    }

    #[test]
    fn failures_keep_what_stands_around_them() {
        let failure = Failure::new(FailureKind::Usage, "bad")
            .with_line_above(Some("above".to_owned()))
            .with_lines_below(vec!["b\"low".to_owned()])
            .with_hint("do");
        assert_eq!(failure.details(), ["above", "b\"low"]);
    }
}
