//! Message types and header labels: names on the command line, numbers after.

use crate::failure::Failure;
use crate::flags::FlagId;
use crate::grammar::Given;
use crate::number::label_number;
use crate::spell::printable;
use nmsg::filter::{Where, WhereError};
use nmsg_io::address::ChannelTargets;
use std::ffi::{OsStr, OsString};
use std::num::NonZeroU32;
use std::path::PathBuf;

/// What a channel alias file says about a name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ChannelFile {
    /// There is no such file; the line says where it was looked for.
    Missing(String),
    /// The file was read.
    Found {
        /// Which file.
        path: PathBuf,
        /// What it says.
        targets: ChannelTargets,
    },
}

/// Looks up what the command line names. Lookups ignore ASCII letter case, but for channels.
pub trait Names {
    /// Returns the number of a vendor; `ISC` is another name for `base`.
    fn vendor(&self, name: &str) -> Option<u32>;
    /// Returns the number of a message type of a vendor.
    fn message_type(&self, vendor: u32, name: &str) -> Option<u32>;
    /// Returns the number of an operator alias.
    fn operator(&self, alias: &str) -> Option<u32>;
    /// Returns the number of a group alias.
    fn group(&self, alias: &str) -> Option<u32>;
    /// Compiles a condition on messages.
    ///
    /// # Errors
    ///
    /// The expression makes no sense.
    fn condition(&self, expression: &str) -> Result<Where, WhereError>;
    /// Returns whether a message type has a field of this name; without a type, whether any has.
    fn has_field(&self, message_type: Option<&MessageType>, field: &str) -> bool;
    /// Returns what the channel alias file says about a name.
    fn channel(&self, name: &str) -> ChannelFile;
}

/// A message type, as given and as resolved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MessageType {
    /// The vendor as given, or `base`.
    pub vendor_name: String,
    /// The type as given.
    pub name: String,
    /// Number of the vendor.
    pub vendor: u32,
    /// Number of the type under that vendor.
    pub number: u32,
}

impl MessageType {
    pub(super) fn take(given: &mut Given, names: &dyn Names) -> Result<Option<Self>, Failure> {
        let vendor_name = given.take_value(FlagId::Vendor).map(text);
        let Some(name) = given.take_value(FlagId::MessageType).map(text) else {
            return match vendor_name {
                Some(_) => Err(Failure::usage("-V requires -T")),
                None => Ok(None),
            };
        };
        let vendor_name = vendor_name.unwrap_or_else(|| "base".to_owned());
        let vendor =
            names.vendor(&vendor_name).ok_or_else(|| Failure::usage("invalid vendor ID"))?;
        let number = names.message_type(vendor, &name).ok_or_else(|| {
            let shown = printable(OsStr::new(&vendor_name));
            Failure::usage("invalid message type").with_hint(format!(
                "vendor {shown} has no type of that name; other vendors are chosen with -V"
            ))
        })?;
        Ok(Some(Self { vendor_name, name, vendor, number }))
    }
}

/// A header label, as given and as resolved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Label {
    /// The alias or number as given.
    pub text: String,
    /// What stands in message headers; zero cannot be set or selected.
    pub number: NonZeroU32,
}

/// Source, operator and group of message headers; `None` leaves one alone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Labels {
    /// Number of the source.
    pub source: Option<NonZeroU32>,
    /// The operator.
    pub operator: Option<Label>,
    /// The group.
    pub group: Option<Label>,
}

impl Labels {
    /// Takes `--setsource`, `--setoperator` and `--setgroup`.
    pub(super) fn take_set(given: &mut Given, names: &dyn Names) -> Result<Self, Failure> {
        let flags = [FlagId::SetSource, FlagId::SetOperator, FlagId::SetGroup];
        let messages = ["invalid source ID", "unknown operator name", "unknown group name"];
        Self::take(given, names, flags, messages)
    }

    /// Takes `--getsource`, `--getoperator` and `--getgroup`.
    pub(super) fn take_select(given: &mut Given, names: &dyn Names) -> Result<Self, Failure> {
        let flags = [FlagId::GetSource, FlagId::GetOperator, FlagId::GetGroup];
        let messages = [
            "invalid filter source ID",
            "unknown filter operator name",
            "unknown filter group name",
        ];
        Self::take(given, names, flags, messages)
    }

    fn take(
        given: &mut Given,
        names: &dyn Names,
        [source, operator, group]: [FlagId; 3],
        [no_source, no_operator, no_group]: [&str; 3],
    ) -> Result<Self, Failure> {
        let source = match given.take_value(source).map(text) {
            Some(text) => Some(label_number(&text).ok_or_else(|| {
                Failure::usage(no_source).with_hint(
                    "a source is a number from 1 to 4294967295, in decimal, hexadecimal after 0x \
                     or octal after 0",
                )
            })?),
            None => None,
        };
        let operator = take_alias(given, operator, &|alias| names.operator(alias), no_operator)?;
        let group = take_alias(given, group, &|alias| names.group(alias), no_group)?;
        Ok(Self { source, operator, group })
    }

    pub(super) fn describe(&self, [source, operator, group]: [&str; 3], lines: &mut Vec<String>) {
        if let Some(number) = self.source {
            lines.push(format!("nmsg {source} set to 0x{number:08x}"));
        }
        for (what, label) in [(operator, &self.operator), (group, &self.group)] {
            if let Some(Label { text, number }) = label {
                let text = printable(OsStr::new(text));
                lines.push(format!("nmsg {what} set to '{text}' ({number})"));
            }
        }
    }
}

/// Takes an alias or number; an alias wins over a number that reads the same.
fn take_alias(
    given: &mut Given,
    id: FlagId,
    lookup: &dyn Fn(&str) -> Option<u32>,
    unknown: &str,
) -> Result<Option<Label>, Failure> {
    let Some(text) = given.take_value(id).map(text) else { return Ok(None) };
    let number = lookup(&text).and_then(NonZeroU32::new).or_else(|| label_number(&text));
    let number = number.ok_or_else(|| {
        Failure::usage(unknown)
            .with_hint("give a name of the alias file or a number from 1 to 4294967295")
    })?;
    Ok(Some(Label { text, number }))
}

/// Names are text; bytes that are not lead to a name nobody has.
fn text(value: OsString) -> String {
    value.into_string().unwrap_or_else(|bytes| bytes.to_string_lossy().into_owned())
}
