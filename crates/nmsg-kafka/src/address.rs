use std::fmt;
#[cfg(feature = "client")]
use std::net::IpAddr;

/// Where records come from or go to: `TOPIC[#PARTITION|%GROUP]@BROKER[:PORT][,OFFSET]`
/// (`container-and-io` §2.7).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Address {
    /// Name of the topic.
    pub topic: String,
    /// Which part of the topic.
    pub part: TopicPart,
    /// Host, with a port where one was given.
    pub broker: String,
    /// Where reading starts; of no meaning for writing.
    pub start: Start,
}

/// Which part of a topic an [`Address`] means.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum TopicPart {
    /// For reading all partitions that exist at the start; for writing one that the client chooses.
    All,
    /// One partition.
    Partition(i32),
    /// For reading what the consumer group assigns; as [`Self::All`] for writing.
    Group(String),
}

/// Where reading starts.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Start {
    /// With the oldest record there is.
    Oldest,
    /// With what comes from now on.
    Newest,
    /// At an offset from 0 on.
    At(i64),
    /// Behind what the group has committed.
    Stored,
    /// So many records before the end.
    BeforeEnd(i64),
}

/// What is wrong with the text of an [`Address`]. Prints the reference's words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AddressError {
    reason: &'static str,
    /// The part of the text that the message shows.
    shown: String,
}

impl AddressError {
    #[cold]
    fn new(reason: &'static str, shown: &str) -> Self {
        Self { reason, shown: shown.to_owned() }
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.shown.escape_debug())
    }
}

impl std::error::Error for AddressError {}

impl Address {
    /// Reads an address, without the protocol in front of it.
    ///
    /// # Errors
    ///
    /// The first of its mistakes, in the reference's order.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let fault = |reason| AddressError::new(reason, text);
        let at = text.find('@').ok_or_else(|| fault("missing '@' in Kafka endpoint"))?;
        let [hash, percent, comma] = ['#', '%', ','].map(|mark| text.find(mark));
        let is_behind = |position: Option<usize>| position.is_some_and(|position| position > at);
        if comma.is_some() && !is_behind(comma) {
            return Err(fault("invalid offset position"));
        }
        if is_behind(hash) {
            return Err(fault("invalid partition position"));
        }
        if hash.is_some() && percent.is_some() {
            return Err(fault("cannot use group and partition together"));
        }
        if is_behind(percent) {
            return Err(fault("invalid group position"));
        }
        let (front, back) = (&text[..at], &text[at + 1..]);
        let (topic, part) = match (front.split_once('#'), front.split_once('%')) {
            (_, Some((_, ""))) => return Err(fault("group id cannot be empty")),
            (_, Some((topic, group))) => (topic, TopicPart::Group(group.to_owned())),
            (Some((topic, partition)), None) => (topic, TopicPart::Partition(number(partition)?)),
            (None, None) => (front, TopicPart::All),
        };
        let (broker, start) = match back.split_once(',') {
            Some((broker, offset)) => (broker, Some(offset)),
            None => (back, None),
        };
        if topic.is_empty() || broker.is_empty() {
            return Err(fault("invalid Kafka endpoint"));
        }
        let start = start.map_or(Ok(Start::Newest), Start::parse)?;
        Ok(Self { topic: topic.to_owned(), part, broker: broker.to_owned(), start })
    }

    /// The family of addresses that the broker is to be looked for in, as librdkafka calls it.
    #[cfg(feature = "client")]
    pub(crate) fn address_family(&self) -> &'static str {
        let bracketed = self.broker.strip_prefix('[').and_then(|rest| rest.split(']').next());
        let host = bracketed.unwrap_or_else(|| match self.broker.split_once(':') {
            Some((host, port)) if !port.contains(':') => host,
            _ => &self.broker,
        });
        match host.parse() {
            Ok(IpAddr::V4(_)) => "v4",
            Ok(IpAddr::V6(_)) => "v6",
            Err(_) => "any",
        }
    }
}

fn number(text: &str) -> Result<i32, AddressError> {
    let is_number = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    is_number
        .then(|| text.parse().ok())
        .flatten()
        .ok_or_else(|| AddressError::new("invalid partition in Kafka endpoint", text))
}

impl Start {
    fn parse(text: &str) -> Result<Self, AddressError> {
        let fault = || AddressError::new("invalid offset in Kafka endpoint", text);
        if text.eq_ignore_ascii_case("oldest") {
            return Ok(Self::Oldest);
        }
        if text.eq_ignore_ascii_case("newest") {
            return Ok(Self::Newest);
        }
        // Negative numbers are the client library's names for places.
        match integer(text).ok_or_else(fault)? {
            -1 => Ok(Self::Newest),
            -2 => Ok(Self::Oldest),
            -1000 => Ok(Self::Stored),
            offset @ 0.. => Ok(Self::At(offset)),
            tail @ ..=-2000 => (-2000_i64).checked_sub(tail).map(Self::BeforeEnd).ok_or_else(fault),
            _ => Err(fault()),
        }
    }
}

/// Reads an integer as C does: decimal, `0x` hexadecimal or `0` octal.
fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let (digits, radix) = match (hexadecimal, digits.strip_prefix('0')) {
        (Some(digits), _) => (digits, 16),
        (None, Some(digits)) if !digits.is_empty() => (digits, 8),
        _ => (digits, 10),
    };
    let is_number = digits.bytes().next().is_some_and(|octet| octet.is_ascii_hexdigit());
    is_number.then(|| i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ka_3_addresses_are_read() {
        let address = |topic: &str, part, broker: &str, start| Address {
            topic: topic.to_owned(),
            part,
            broker: broker.to_owned(),
            start,
        };
        let group = |name: &str| TopicPart::Group(name.to_owned());
        for (text, want) in [
            ("t@b", address("t", TopicPart::All, "b", Start::Newest)),
            ("t#3@b:9092,oldest", address("t", TopicPart::Partition(3), "b:9092", Start::Oldest)),
            ("t%g@[::1]:1,NEWEST", address("t", group("g"), "[::1]:1", Start::Newest)),
            ("t%g%h@b", address("t", group("g%h"), "b", Start::Newest)),
            ("t@b@c", address("t", TopicPart::All, "b@c", Start::Newest)),
            ("t@b,5", address("t", TopicPart::All, "b", Start::At(5))),
            ("t@b,0x10", address("t", TopicPart::All, "b", Start::At(16))),
            ("t@b,010", address("t", TopicPart::All, "b", Start::At(8))),
            ("t@b,0", address("t", TopicPart::All, "b", Start::At(0))),
            ("t@b,-1", address("t", TopicPart::All, "b", Start::Newest)),
            ("t@b,-2", address("t", TopicPart::All, "b", Start::Oldest)),
            ("t@b,-1000", address("t", TopicPart::All, "b", Start::Stored)),
            ("t@b,-2000", address("t", TopicPart::All, "b", Start::BeforeEnd(0))),
            ("t@b,-2007", address("t", TopicPart::All, "b", Start::BeforeEnd(7))),
        ] {
            assert_eq!(Address::parse(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn ka_3_mistakes_are_told_in_the_reference_s_words() {
        for (text, want) in [
            ("", "missing '@' in Kafka endpoint: "),
            ("t", "missing '@' in Kafka endpoint: t"),
            ("@", "invalid Kafka endpoint: @"),
            ("@b", "invalid Kafka endpoint: @b"),
            ("t@", "invalid Kafka endpoint: t@"),
            ("t@,newest", "invalid Kafka endpoint: t@,newest"),
            ("t@,foo", "invalid Kafka endpoint: t@,foo"),
            ("%g@b", "invalid Kafka endpoint: %g@b"),
            ("#1@b", "invalid Kafka endpoint: #1@b"),
            ("t#1%g@b", "cannot use group and partition together: t#1%g@b"),
            ("t%g#1@b", "cannot use group and partition together: t%g#1@b"),
            ("t#1@b%g", "cannot use group and partition together: t#1@b%g"),
            ("t%@b,foo", "group id cannot be empty: t%@b,foo"),
            ("%@b", "group id cannot be empty: %@b"),
            ("t@b%", "invalid group position: t@b%"),
            ("t@b,x%g", "invalid group position: t@b,x%g"),
            ("t@b#1%g", "invalid partition position: t@b#1%g"),
            ("t@b,x#1", "invalid partition position: t@b,x#1"),
            ("t%g@b#1", "invalid partition position: t%g@b#1"),
            ("t,x@b#1", "invalid offset position: t,x@b#1"),
            ("t,#1@b", "invalid offset position: t,#1@b"),
            ("t@b,", "invalid offset in Kafka endpoint: "),
            ("t@b,foo", "invalid offset in Kafka endpoint: foo"),
            ("t@b, 5", "invalid offset in Kafka endpoint:  5"),
            ("t@b,+5", "invalid offset in Kafka endpoint: +5"),
            ("t@b,--5", "invalid offset in Kafka endpoint: --5"),
            ("t@b,-", "invalid offset in Kafka endpoint: -"),
            ("t@b,5x", "invalid offset in Kafka endpoint: 5x"),
            ("t@b,0x", "invalid offset in Kafka endpoint: 0x"),
            ("t@b,0x-5", "invalid offset in Kafka endpoint: 0x-5"),
            ("t@b,09", "invalid offset in Kafka endpoint: 09"),
            ("t@b,-5", "invalid offset in Kafka endpoint: -5"),
            ("t@b,newest,x", "invalid offset in Kafka endpoint: newest,x"),
            ("t@b,9223372036854775808", "invalid offset in Kafka endpoint: 9223372036854775808"),
            ("t#@b", "invalid partition in Kafka endpoint: "),
            ("t#x@b", "invalid partition in Kafka endpoint: x"),
            ("t#-1@b", "invalid partition in Kafka endpoint: -1"),
            ("t#1#2@b", "invalid partition in Kafka endpoint: 1#2"),
            ("t#2147483648@b", "invalid partition in Kafka endpoint: 2147483648"),
        ] {
            let error = Address::parse(text).expect_err(text);
            assert_eq!(error.to_string(), want, "{text}");
        }
    }

    #[cfg(feature = "client")]
    #[test]
    fn literal_addresses_choose_the_family() {
        for (broker, want) in [
            ("localhost", "any"),
            ("localhost:9092", "any"),
            ("192.0.2.1", "v4"),
            ("192.0.2.1:9092", "v4"),
            ("[2001:db8::1]", "v6"),
            ("[2001:db8::1]:9092", "v6"),
            ("2001:db8::1", "v6"),
        ] {
            let address = Address::parse(&format!("t@{broker}")).expect(broker);
            assert_eq!(address.address_family(), want, "{broker}");
        }
    }
}
