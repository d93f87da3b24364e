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
    /// Takes `--setsource`, `--setoperator` and `--setgroup`; the last of each decides.
    pub(super) fn take(given: &mut Given, names: &dyn Names) -> Result<Self, Failure> {
        let mut all = Selection::read(
            given,
            names,
            [FlagId::SetSource, FlagId::SetOperator, FlagId::SetGroup],
            ["invalid source ID", "unknown operator name", "unknown group name"],
            Mentions::Last,
        )?;
        Ok(Self {
            source: all.sources.pop(),
            operator: all.operators.pop(),
            group: all.groups.pop(),
        })
    }

    pub(super) fn describe(&self, lines: &mut Vec<String>) {
        let words = ["source", "operator", "group"];
        describe(words, &self.source, &self.operator, &self.group, lines);
    }
}

/// Sources, operators and groups of which messages must have one; an empty list lets all pass.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Selection {
    /// Numbers of sources.
    pub sources: Vec<NonZeroU32>,
    /// The operators.
    pub operators: Vec<Label>,
    /// The groups.
    pub groups: Vec<Label>,
}

/// Which mentions of an option count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mentions {
    Last,
    All,
}

impl Selection {
    /// Takes `--getsource`, `--getoperator` and `--getgroup`; each may be given several times.
    pub(super) fn take(given: &mut Given, names: &dyn Names) -> Result<Self, Failure> {
        Self::read(
            given,
            names,
            [FlagId::GetSource, FlagId::GetOperator, FlagId::GetGroup],
            [
                "invalid filter source ID",
                "unknown filter operator name",
                "unknown filter group name",
            ],
            Mentions::All,
        )
    }

    fn read(
        given: &mut Given,
        names: &dyn Names,
        [source, operator, group]: [FlagId; 3],
        [no_source, no_operator, no_group]: [&str; 3],
        mentions: Mentions,
    ) -> Result<Self, Failure> {
        let mut values = |id| {
            let all = given.take_list(id);
            let skipped = if mentions == Mentions::Last { all.len().saturating_sub(1) } else { 0 };
            all.into_iter().skip(skipped).map(text)
        };
        let number = |text: String| {
            label_number(&text).ok_or_else(|| {
                Failure::usage(no_source).with_hint(
                    "a source is a number from 1 to 4294967295, in decimal, hexadecimal after 0x \
                     or octal after 0",
                )
            })
        };
        let sources = values(source).map(number).collect::<Result<_, _>>()?;
        let operator_of = |alias: &str| names.operator(alias);
        let operators = values(operator).map(|text| label(text, &operator_of, no_operator));
        let operators = operators.collect::<Result<_, _>>()?;
        let group_of = |alias: &str| names.group(alias);
        let groups = values(group).map(|text| label(text, &group_of, no_group));
        Ok(Self { sources, operators, groups: groups.collect::<Result<_, _>>()? })
    }

    pub(super) fn describe(&self, lines: &mut Vec<String>) {
        let Self { sources, operators, groups } = self;
        let words = ["source filter", "filter operator", "filter group"];
        describe(words, sources, operators, groups, lines);
    }
}

/// Says what labels are set, or asked for.
fn describe<'l>(
    [source, operator, group]: [&str; 3],
    sources: impl IntoIterator<Item = &'l NonZeroU32>,
    operators: impl IntoIterator<Item = &'l Label>,
    groups: impl IntoIterator<Item = &'l Label>,
    lines: &mut Vec<String>,
) {
    let numbers = sources.into_iter().map(|number| format!("nmsg {source} set to 0x{number:08x}"));
    lines.extend(numbers);
    let operators = operators.into_iter().map(|label| (operator, label));
    let groups = groups.into_iter().map(|label| (group, label));
    for (what, Label { text, number }) in operators.chain(groups) {
        let text = printable(OsStr::new(text));
        lines.push(format!("nmsg {what} set to '{text}' ({number})"));
    }
}

/// Reads an alias or number; an alias wins over a number that reads the same.
fn label(
    text: String,
    lookup: &dyn Fn(&str) -> Option<u32>,
    unknown: &str,
) -> Result<Label, Failure> {
    let number = lookup(&text).and_then(NonZeroU32::new).or_else(|| label_number(&text));
    let number = number.ok_or_else(|| {
        Failure::usage(unknown)
            .with_hint("give a name of the alias file or a number from 1 to 4294967295")
    })?;
    Ok(Label { text, number })
}

/// Names are text; bytes that are not lead to a name nobody has.
fn text(value: OsString) -> String {
    value.into_string().unwrap_or_else(|bytes| bytes.to_string_lossy().into_owned())
}
