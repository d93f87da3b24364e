//! What one comparison asks of a value, and the answer.

use regex_automata::meta::Cache;
use wdns::rdata::{Atom, Layout, layout};
use wdns::{Class, Message as DnsMessage, Rcode, RrType, TextBuffer};

use super::kind::{Kind, Mnemonic};
use super::pattern::{PatternId, Patterns};
use super::sets::{Addresses, Names, Ranges, Strings, TextNames};
use crate::render::address;
use crate::schema::EnumTable;
use crate::text::string::until_nul;
use crate::text::value::protocol_name;
use crate::view::{Message, Value, View};

/// A question about one value.
#[derive(Clone, Debug)]
pub(super) enum Check {
    Number(Ranges<i128>),
    /// Keys of [`super::moment`].
    Time(Ranges<i128>),
    /// Both ends included.
    Float(Box<[(f64, f64)]>),
    Address(Addresses),
    Name(Names),
    NameUnder(Names),
    Rdata(RdataSet),
    RdataUnder(Names),
    TextUnder(TextNames),
    Text(TextCheck),
}

/// Record data that is looked for.
#[derive(Clone, Debug)]
pub(super) struct RdataSet {
    pub(super) addresses: Addresses,
    pub(super) texts: Strings,
    /// Those texts that are domain names.
    pub(super) names: Names,
}

/// A question about the text of a value.
#[derive(Clone, Debug)]
pub(super) struct TextCheck {
    pub(super) kind: Kind,
    /// Names of the numbers, for [`Mnemonic::Table`].
    pub(super) names: Option<EnumTable>,
    pub(super) wanted: Wanted,
}

/// What is looked for in a text.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    OneOf(Strings),
    /// Whatever the letter case if the flag is set.
    StartsWith(Box<[u8]>, bool),
    /// As `StartsWith`.
    EndsWith(Box<[u8]>, bool),
    Matches(PatternId),
}

/// Memory that answers need, kept from payload to payload.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) text: TextBuffer,
    pub(super) caches: Vec<Cache>,
}

/// What fields are read from.
pub(super) struct Source<'s, 'a> {
    pub(super) view: View<'a>,
    /// Present where fields are computed.
    pub(super) message: Option<&'s Message<'a>>,
    pub(super) patterns: &'s Patterns,
}

/// The number that a value is compared as.
#[inline(always)]
pub(super) fn number(value: Value<'_>) -> Option<i128> {
    match value {
        // As numbers without a name are shown.
        Value::Enum(number) => Some((number as u32).into()),
        Value::Unsigned(number) => Some(number.into()),
        Value::Signed(number) => Some(number.into()),
        Value::Bool(truth) => Some(truth.into()),
        Value::Octets(_) | Value::Double(_) => None,
    }
}

impl Check {
    /// Answers for one value.
    #[inline]
    pub(super) fn holds(&self, value: Value<'_>, source: &Source<'_, '_>, room: &mut Room) -> bool {
        match (self, value) {
            (Self::Number(ranges), value) => {
                number(value).is_some_and(|number| ranges.contains(number))
            }
            (Self::Time(ranges), value) => {
                number(value).is_some_and(|seconds| ranges.contains(seconds << 32))
            }
            (Self::Address(addresses), Value::Octets(octets)) => addresses.contains(octets),
            (Self::Name(names), Value::Octets(name)) => names.contains(name),
            (Self::NameUnder(names), Value::Octets(name)) => names.covers(name),
            (Self::Float(ranges), Value::Double(number)) => {
                ranges.iter().any(|&(low, high)| low <= number && number <= high)
            }
            (Self::Rdata(set), Value::Octets(rdata)) => set.contains(rdata, source, room),
            (Self::RdataUnder(names), Value::Octets(rdata)) => {
                rdata_layout(source.view) == Some(&[Atom::Name]) && names.covers(rdata)
            }
            (Self::TextUnder(names), Value::Octets(text)) => {
                let text = until_nul(text);
                room.text.clear();
                room.text.bytes(text);
                room.text.tail_mut(text.len()).make_ascii_lowercase();
                names.covers(room.text.as_bytes())
            }
            (Self::Text(check), value) => check.holds(value, source, room),
            _ => false,
        }
    }
}

/// The pieces of the record data of a message, where its type is known and structured.
fn rdata_layout(view: View<'_>) -> Option<&'static [Atom]> {
    let (rrtype, class) = view.rr_kind()?;
    match layout(rrtype, class) {
        Layout::Atoms(atoms) => Some(atoms),
        Layout::Generic | Layout::OtherClass => None,
    }
}

impl RdataSet {
    fn contains(&self, rdata: &[u8], source: &Source<'_, '_>, room: &mut Room) -> bool {
        match rdata_layout(source.view) {
            Some([Atom::Ipv4]) if rdata.len() == 4 => self.addresses.contains(rdata),
            Some([Atom::Ipv6]) if rdata.len() == 16 => self.addresses.contains(rdata),
            Some([Atom::Name]) if self.names.contains(rdata) => true,
            _ if self.texts.is_empty() => false,
            _ => {
                room.text.clear();
                write_rdata(&mut room.text, rdata, source.view);
                self.texts.contains(room.text.as_bytes())
            }
        }
    }
}

impl TextCheck {
    fn holds(&self, value: Value<'_>, source: &Source<'_, '_>, room: &mut Room) -> bool {
        let Room { text: rendered, caches } = room;
        let text = match (self.kind, value) {
            (Kind::Text, Value::Octets(text)) => until_nul(text),
            (Kind::Octets, Value::Octets(octets)) => octets,
            _ => {
                rendered.clear();
                if !self.write_text(rendered, value, source.view) {
                    return false;
                }
                rendered.as_bytes()
            }
        };
        let equal = |part: Option<&[u8]>, wanted: &[u8], ignore_case: bool| match part {
            Some(part) if ignore_case => part.eq_ignore_ascii_case(wanted),
            Some(part) => part == wanted,
            None => false,
        };
        match &self.wanted {
            Wanted::OneOf(strings) => strings.contains(text),
            Wanted::StartsWith(start, ignore_case) => {
                equal(text.get(..start.len()), start, *ignore_case)
            }
            Wanted::EndsWith(end, ignore_case) => {
                let start = text.len().checked_sub(end.len());
                equal(start.and_then(|start| text.get(start..)), end, *ignore_case)
            }
            Wanted::Matches(pattern) => source.patterns.is_match(*pattern, caches, text),
        }
    }

    /// Appends the text in which a value is compared; false when there is none.
    fn write_text(&self, out: &mut TextBuffer, value: Value<'_>, view: View<'_>) -> bool {
        match (self.kind, value) {
            (Kind::Name, Value::Octets(name)) => {
                if name.len() <= wdns::name::MAX_LEN {
                    wdns::name::write::<false>(out, name);
                }
            }
            (Kind::Address, Value::Octets(octets)) => address(out, octets),
            (Kind::Rdata, Value::Octets(rdata)) => write_rdata(out, rdata, view),
            (Kind::DnsMessage, Value::Octets(message)) => match DnsMessage::parse(message) {
                Ok(message) => message.write_text(out),
                Err(_) => return false,
            },
            (Kind::Mnemonic(mnemonic), value) => match number(value) {
                Some(number) => self.write_mnemonic(out, mnemonic, number as u64),
                None => return false,
            },
            _ => return false,
        }
        true
    }

    fn write_mnemonic(&self, out: &mut TextBuffer, mnemonic: Mnemonic, number: u64) {
        let name = match mnemonic {
            Mnemonic::RrType => return RrType(number as u16).write(out),
            Mnemonic::Class => return Class(number as u16).write(out),
            Mnemonic::Rcode => return Rcode(number as u16).write(out),
            Mnemonic::Protocol => {
                protocol_name(number).map(|(name, len)| &name[..usize::from(len)])
            }
            Mnemonic::Table => self.names.as_ref().and_then(|names| names.name(number as i32)),
        };
        match name {
            Some(name) => out.bytes(name),
            None => out.decimal(number),
        }
    }
}

fn write_rdata(out: &mut TextBuffer, rdata: &[u8], view: View<'_>) {
    match view.rr_kind() {
        Some((rrtype, class)) => wdns::rdata::write::<false>(out, rdata, rrtype, class),
        None => wdns::rdata::write_generic::<false>(out, rdata),
    }
}
