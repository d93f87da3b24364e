//! Expressions once more, evaluated the slow and plain way over [`Message`], to compare answers
//! with those of the compiled programs.

use std::net::IpAddr;

use proptest::prelude::*;
use wdns::{Class, Message as DnsMessage, Rcode, RrType, TextBuffer};

use super::header::HeaderName;
use super::kind::{Kind, Mnemonic};
use super::pattern::Patterns;
use super::resolve::{Context, Subject};
use super::syntax::{Expression, Item, Operator, Test, parse};
use super::{Matcher, Where, literal, moment};
use crate::container::{ContainerBody, Header};
use crate::schema::{Field, Registry, Schema};
use crate::view::{Message, Value, View};
use crate::{AliasTable, Aliases, FieldIndex, Payload, Timestamp};

/// A payload, its message if it has one, and what names mean.
struct Asked<'c, 'a> {
    context: Context<'c>,
    payload: Payload<'a>,
    message: Option<Message<'a>>,
}

impl Asked<'_, '_> {
    fn holds(&self, expression: &Expression<'_>) -> bool {
        match expression {
            Expression::Any(terms) => terms.iter().any(|term| self.holds(term)),
            Expression::All(terms) => terms.iter().all(|term| self.holds(term)),
            Expression::Not(term) => !self.holds(term),
            Expression::Test(test) => {
                match self.context.subject(test, &mut Patterns::default()).unwrap() {
                    Subject::Header(_) => self.header(test),
                    Subject::Field => self.field(test),
                }
            }
        }
    }

    fn header(&self, test: &Test<'_>) -> bool {
        let Payload { vendor, msgtype, time, source, operator, group, body } = self.payload;
        let number = |text: &str| literal::whole_number(text);
        let label = |label: Option<u32>, aliases: &AliasTable| {
            let number =
                |text: &str| number(text).or_else(|| Some(aliases.number(text.as_bytes())?.into()));
            match label {
                None | Some(0) => false,
                Some(label) => in_order(test, i128::from(label), number),
            }
        };
        match HeaderName::find(test.name).unwrap() {
            HeaderName::Time => test.operator == Operator::Exists || self.time(test, time),
            HeaderName::Source => label(source, &AliasTable::default()),
            HeaderName::Operator => label(operator, &self.context.aliases.operators),
            HeaderName::Group => label(group, &self.context.aliases.groups),
            HeaderName::Len => body.is_some_and(|body| in_order(test, body.len() as i128, number)),
            HeaderName::Vendor => in_order(test, i128::from(vendor.0), |text| {
                let named = || self.context.registry.find_vendor(text.as_bytes());
                number(text).or_else(|| Some(named()?.id().0.into()))
            }),
            HeaderName::Type => {
                let schema = self.context.registry.get(vendor, msgtype);
                let is = |item: &Item<'_>| {
                    let text = item.value.text;
                    let (owner, name) = text.split_once(':').unwrap_or(("", text));
                    let found = self.context.registry.find_vendor(owner.as_bytes());
                    let owner_fits = owner.is_empty()
                        || number(owner) == Some(vendor.0.into())
                        || found.is_some_and(|found| found.id() == vendor);
                    let name_fits = number(name) == Some(msgtype.0.into())
                        || schema.is_some_and(|schema| {
                            let own = schema.message_type().name.to_bytes();
                            own.eq_ignore_ascii_case(name.as_bytes())
                        });
                    owner_fits && name_fits
                };
                test.operator == Operator::Exists || test.items.iter().any(is) != test.negated
            }
        }
    }

    fn time(&self, test: &Test<'_>, time: Timestamp) -> bool {
        let moment = |text: &str| moment::parse(text, self.context.now).unwrap();
        let key = moment::key(time);
        let found = test.items.iter().any(|item| {
            let value = moment(item.value.text);
            match (test.operator, item.range_end) {
                (_, Some(end)) => value.start <= key && key < moment(end.text).start,
                (Operator::In, None) => value.start <= key && key <= value.last,
                (operator, None) => ordered(operator, &key, &value.start),
            }
        });
        found != test.negated
    }

    fn field(&self, test: &Test<'_>) -> bool {
        let Some(message) = &self.message else { return false };
        let schema = message.view().schema();
        let Some(index) = schema.field_index(test.name.as_bytes()) else { return false };
        let field = &schema.fields()[index];
        if self.context.check(test, field, &mut Patterns::default()).is_err() {
            return false;
        }
        let mut values = (0..message.count(index)).filter_map(|i| message.get(index, i));
        let mut values: Vec<_> = values.by_ref().collect();
        if values.is_empty() && field.getter.is_some() {
            values.extend(message.get(index, 0));
        }
        let holds = |value: &Value<'_>| {
            test.operator == Operator::Exists || self.value(test, field, *value) != test.negated
        };
        if test.every {
            !values.is_empty() && values.iter().all(holds)
        } else {
            values.iter().any(holds)
        }
    }

    fn value(&self, test: &Test<'_>, field: &Field, value: Value<'_>) -> bool {
        let kind = Kind::of(field);
        let texts = || test.items.iter().map(|item| literal::text(item.value).unwrap());
        match test.operator {
            Operator::StartsWith | Operator::EndsWith | Operator::Contains => {
                let Some(mut text) = self.text(kind, field, value) else { return false };
                let mut part = texts().next().unwrap();
                if kind == Kind::Name {
                    text.make_ascii_lowercase();
                    part.make_ascii_lowercase();
                }
                return match test.operator {
                    Operator::StartsWith => text.starts_with(&part),
                    Operator::EndsWith => text.ends_with(&part),
                    _ => part.is_empty() || text.windows(part.len()).any(|window| window == part),
                };
            }
            Operator::Match => {
                let Some(text) = self.text(kind, field, value) else { return false };
                let mut patterns = Patterns::default();
                let id = patterns.expression(test.items[0].value).unwrap();
                return patterns.is_match(id, &mut patterns.caches(), &text);
            }
            Operator::Under => {
                let name = match kind {
                    Kind::Rdata if !self.rdata_is("NS CNAME PTR DNAME") => return false,
                    Kind::Rdata => self.text(Kind::Name, field, value),
                    _ => self.text(kind, field, value),
                };
                let name = String::from_utf8_lossy(&name.unwrap()).to_ascii_lowercase();
                let below = format!(".{}", name.strip_suffix('.').unwrap_or(&name));
                return texts().any(|zone| {
                    let zone = String::from_utf8_lossy(&zone).to_ascii_lowercase();
                    let zone = zone.strip_suffix('.').unwrap_or(&zone);
                    zone.is_empty() || below.ends_with(&format!(".{zone}"))
                });
            }
            _ => {}
        }
        let address = |octets: &[u8]| -> Option<IpAddr> {
            match octets.len() {
                4 => Some(<[u8; 4]>::try_from(octets).unwrap().into()),
                16 => Some(<[u8; 16]>::try_from(octets).unwrap().into()),
                _ => None,
            }
        };
        match (kind, value) {
            (Kind::Time, value) => {
                self.time(test, Timestamp { sec: number(value) as i64, nsec: 0 }) != test.negated
            }
            (Kind::Number, value) => {
                let mut texts =
                    test.items.iter().flat_map(|item| [Some(item.value), item.range_end]);
                if texts.any(|token| {
                    token.is_some_and(|token| literal::whole_number(token.text).is_none())
                }) {
                    let time = Timestamp { sec: number(value) as i64, nsec: 0 };
                    return self.time(test, time) != test.negated;
                }
                in_order(test, number(value), literal::whole_number) != test.negated
            }
            (Kind::Truth, value) => {
                let truth =
                    |text: &str| Some(i128::from(text == "1" || text.eq_ignore_ascii_case("true")));
                in_order(test, number(value), truth) != test.negated
            }
            (Kind::Mnemonic(mnemonic), value) => {
                let named = |text: &str| self.mnemonic(mnemonic, field, text);
                in_order(test, number(value), named) != test.negated
            }
            (Kind::Float, Value::Double(value)) => {
                in_order(test, value, literal::number) != test.negated
            }
            (Kind::Address, Value::Octets(octets)) => {
                let address = address(octets).unwrap();
                test.items.iter().any(|item| within(address, item.value.text))
            }
            (Kind::Rdata, Value::Octets(octets)) => test.items.iter().any(|item| {
                let wanted = item.value.text;
                if literal::network(wanted).is_some() {
                    let address = address(octets).filter(|address| {
                        self.rdata_is(if address.is_ipv4() { "A" } else { "AAAA" })
                    });
                    return address.is_some_and(|address| within(address, wanted));
                }
                let wanted = literal::text(item.value).unwrap();
                let text = self.text(kind, field, value).unwrap();
                let name = || domain_text(&text) == domain_text(&wanted);
                text == wanted || self.rdata_is("NS CNAME PTR DNAME") && name()
            }),
            (Kind::Name, _) => {
                let name = domain_text(&self.text(kind, field, value).unwrap());
                texts().any(|wanted| domain_text(&wanted) == name)
            }
            _ => {
                let text = self.text(kind, field, value).unwrap();
                texts().any(|wanted| wanted == text)
            }
        }
    }

    fn rdata_is(&self, types: &str) -> bool {
        let message = self.message.as_ref().unwrap();
        let number = |name: &[u8]| message.get_by_name(name, 0)?.unsigned();
        let (Some(rrtype), Some(class)) = (number(b"rrtype"), number(b"rrclass")) else {
            return false;
        };
        let known = RrType(rrtype as u16)
            .mnemonic()
            .is_some_and(|own| types.split(' ').any(|name| name == own));
        known && (class == 1 || !types.starts_with('A'))
    }

    fn mnemonic(&self, mnemonic: Mnemonic, field: &Field, text: &str) -> Option<i128> {
        let name = text.as_bytes();
        literal::whole_number(text).or_else(|| match mnemonic {
            Mnemonic::RrType => Some(RrType::parse(name)?.0.into()),
            Mnemonic::Class => Some(Class::parse(name)?.0.into()),
            Mnemonic::Rcode => Some(Rcode::parse(name)?.0.into()),
            Mnemonic::Protocol => {
                let names = [("ICMP", 1), ("TCP", 6), ("UDP", 17)];
                Some(names.iter().find(|(name, _)| name.eq_ignore_ascii_case(text))?.1)
            }
            Mnemonic::Table => Some(field.names.as_ref()?.number_ignore_case(name)?.into()),
        })
    }

    /// The text of a value, as output shows it.
    fn text(&self, kind: Kind, field: &Field, value: Value<'_>) -> Option<Vec<u8>> {
        let mut out = TextBuffer::new();
        match (kind, value) {
            (Kind::Text, Value::Octets(octets)) => {
                return Some(octets.split(|&octet| octet == 0).next().unwrap().to_vec());
            }
            (Kind::Octets, Value::Octets(octets)) => return Some(octets.to_vec()),
            (Kind::Name, Value::Octets(name)) => {
                wdns::name::write::<false>(&mut out, name);
            }
            (Kind::Address, Value::Octets(octets)) => {
                return Some(match octets.len() {
                    4 => IpAddr::from(<[u8; 4]>::try_from(octets).unwrap()).to_string().into(),
                    _ => IpAddr::from(<[u8; 16]>::try_from(octets).unwrap()).to_string().into(),
                });
            }
            (Kind::Rdata, Value::Octets(rdata)) => {
                let message = self.message.as_ref().unwrap();
                let number = |name: &[u8]| Some(message.get_by_name(name, 0)?.unsigned()? as u16);
                match (number(b"rrtype"), number(b"rrclass")) {
                    (Some(rrtype), Some(class)) => {
                        wdns::rdata::write::<false>(&mut out, rdata, RrType(rrtype), Class(class));
                    }
                    _ => wdns::rdata::write_generic::<false>(&mut out, rdata),
                }
            }
            (Kind::DnsMessage, Value::Octets(message)) => {
                DnsMessage::parse(message).ok()?.write_text(&mut out);
            }
            (Kind::Mnemonic(mnemonic), value) => {
                let number = number(value);
                let name = match mnemonic {
                    Mnemonic::RrType => {
                        RrType(number as u16).write(&mut out);
                        return Some(out.as_bytes().to_vec());
                    }
                    Mnemonic::Class => {
                        Class(number as u16).write(&mut out);
                        return Some(out.as_bytes().to_vec());
                    }
                    Mnemonic::Rcode => {
                        Rcode(number as u16).write(&mut out);
                        return Some(out.as_bytes().to_vec());
                    }
                    Mnemonic::Protocol => {
                        let names: [(i128, &[u8]); 3] = [(1, b"ICMP"), (6, b"TCP"), (17, b"UDP")];
                        names.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
                    }
                    Mnemonic::Table => field.names.as_ref()?.name(number as i32),
                };
                return Some(name.map_or_else(|| number.to_string().into(), <[u8]>::to_vec));
            }
            _ => return None,
        }
        Some(out.as_bytes().to_vec())
    }
}

fn number(value: Value<'_>) -> i128 {
    match value {
        Value::Enum(number) => number.cast_unsigned().into(),
        Value::Unsigned(number) => number.into(),
        Value::Signed(number) => number.into(),
        Value::Bool(truth) => truth.into(),
        Value::Octets(_) | Value::Double(_) => panic!("no number: {value:?}"),
    }
}

fn domain_text(text: &[u8]) -> Vec<u8> {
    text.strip_suffix(b".").unwrap_or(text).to_ascii_lowercase()
}

fn ordered<T: PartialOrd>(operator: Operator, value: &T, wanted: &T) -> bool {
    match operator {
        Operator::Less => value < wanted,
        Operator::LessEqual => value <= wanted,
        Operator::Greater => value > wanted,
        Operator::GreaterEqual => value >= wanted,
        _ => value == wanted,
    }
}

/// Compares a value with every item; `read` gives the value of a literal, if it has one here.
fn in_order<T: PartialOrd>(test: &Test<'_>, value: T, read: impl Fn(&str) -> Option<T>) -> bool {
    if test.operator == Operator::Exists {
        return true;
    }
    let found = test.items.iter().any(|item| {
        let Some(first) = read(item.value.text) else { return false };
        match item.range_end {
            Some(end) => read(end.text).is_some_and(|end| first <= value && value <= end),
            None => ordered(test.operator, &value, &first),
        }
    });
    found != test.negated
}

fn within(address: IpAddr, network: &str) -> bool {
    let (start, prefix) = network.split_once('/').unwrap_or((network, "128"));
    let prefix: usize = prefix.parse().unwrap();
    let octets = |address: IpAddr| match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let bits = |address: IpAddr| {
        let octets = octets(address);
        let bits =
            octets.into_iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1));
        bits.take(prefix).collect::<Vec<u8>>()
    };
    let start: IpAddr = start.parse().unwrap();
    start.is_ipv4() == address.is_ipv4() && bits(start) == bits(address)
}

const NOW: Timestamp = Timestamp { sec: 1_700_000_000, nsec: 500 };

/// A payload that owns its body.
pub(super) struct Record {
    pub(super) payload: Payload<'static>,
    pub(super) body: Vec<u8>,
}

/// The recorded payloads of every type.
pub(super) fn records() -> Vec<Record> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "nmsg"));
    paths.sort();
    assert!(paths.len() > 20);
    let mut records = Vec::new();
    for path in paths {
        let octets = std::fs::read(path).unwrap();
        let mut rest = &octets[..];
        while let Ok(Some(header)) = Header::parse(rest) {
            let len = header.container_len() as usize;
            let container = &rest[header.len()..len];
            let mut body = ContainerBody::new();
            body.decode(container).unwrap();
            for stored in body.payloads(container) {
                let payload = Payload { body: None, ..stored.payload };
                let Payload { vendor, msgtype, time, source, operator, group, .. } = payload;
                let payload =
                    Payload { vendor, msgtype, time, source, operator, group, body: None };
                let body = stored.payload.body.unwrap_or_default().to_vec();
                records.push(Record { payload, body });
            }
            rest = &rest[len..];
            if rest.is_empty() {
                break;
            }
        }
    }
    records
}

fn quoted(text: &[u8]) -> String {
    let mut literal = String::from("'");
    for &octet in text {
        match octet {
            b'\\' | b'\'' => literal.extend(['\\', octet.into()]),
            b' '..=b'~' => literal.push(octet.into()),
            _ => literal.push_str(&format!("\\x{octet:02x}")),
        }
    }
    literal + "'"
}

/// Literals that compare with the values of a message, by field name.
fn literals(registry: &Registry, records: &[Record]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let aliases = Aliases::default();
    for record in records {
        let payload = Payload { body: Some(&record.body), ..record.payload };
        for (name, value) in [
            ("source", payload.source.unwrap_or(0).to_string()),
            ("operator", payload.operator.unwrap_or(0).to_string()),
            ("group", payload.group.unwrap_or(0).to_string()),
            ("vendor", payload.vendor.0.to_string()),
            ("type", payload.msgtype.0.to_string()),
            ("len", record.body.len().to_string()),
            ("time", format!("{}.{:09}", payload.time.sec, payload.time.nsec)),
            ("time", payload.time.sec.to_string()),
        ] {
            found.push((name.to_owned(), value));
        }
        let Some(schema) = registry.get(payload.vendor, payload.msgtype) else { continue };
        let mut index = FieldIndex::new();
        let Ok(view) = View::new(schema, &record.body, &mut index) else { continue };
        let context = Context { registry, aliases: &aliases, now: NOW };
        let asked = Asked { context, payload, message: Some(Message::new(view)) };
        let message = asked.message.as_ref().unwrap();
        for (i, field) in schema.fields().iter().enumerate() {
            let name = format!("message.{}", String::from_utf8_lossy(field.name()));
            for value in (0..3).filter_map(|at| message.get(i, at)) {
                let kind = Kind::of(field);
                let literal = match (kind, value) {
                    (_, Value::Double(value)) => value.to_string(),
                    (Kind::Mnemonic(_), value) => {
                        found.push((name.clone(), number(value).to_string()));
                        quoted(&asked.text(kind, field, value).unwrap())
                    }
                    (_, Value::Octets(_)) => match asked.text(kind, field, value) {
                        Some(text) if text.len() < 100 => quoted(&text),
                        Some(text) => quoted(&text[40..60]),
                        None => continue,
                    },
                    (_, value) => number(value).to_string(),
                };
                found.push((name.clone(), literal));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

const VALUES: &[&str] = &[
    "0",
    "1",
    "-1",
    "5",
    "0x10",
    "0.5",
    "1700000000",
    "2023-11-14",
    "now-1d",
    "2023-11-14T22:13:20Z",
    "A",
    "NS",
    "AAAA",
    "IN",
    "UDP",
    "NOERROR",
    "EXPIRATION",
    "dnsqr",
    "SIE:dnsdedupe",
    "base",
    "true",
    "10.0.0.0/8",
    "192.0.2.1",
    "0.0.0.0/0",
    "2001:db8::/32",
    "::/0",
    "com",
    "example.com.",
    ".",
    "''",
    "'^a.*[0-9]'",
    "e",
    "'.'",
    "'\\.com'",
    "18446744073709551615",
];

const OPERATORS: &[&str] = &[
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "~",
    "!~",
    "in",
    "not in",
    "under",
    "not under",
    "startswith",
    "endswith",
    "contains",
];

/// One test as text, made from numbers that choose.
fn test_text(known: &[(String, String)], choice: (usize, usize, usize, usize, u8)) -> String {
    let (field, value, other, operator, form) = choice;
    let (name, own) = &known[field % known.len()];
    let value = if form & 1 == 0 { own } else { VALUES[value % VALUES.len()] };
    let other = VALUES[other % VALUES.len()];
    let operator = OPERATORS[operator % OPERATORS.len()];
    let name = match form >> 1 & 3 {
        0 => format!("all({name})"),
        1 => name.strip_prefix("message.").unwrap_or(name).to_owned(),
        _ => name.clone(),
    };
    let list = operator.ends_with("in") || operator.ends_with("under");
    match form >> 3 {
        0 => format!("exists({})", name.trim_start_matches("all(").trim_end_matches(')')),
        1..=7 if list => format!("{name} {operator} ({other}, {value})"),
        8..=12 if list => format!("{name} {operator} {value}..{other}"),
        13..=15 if list => format!("{name} {operator} {other}..{value}"),
        _ => format!("{name} {operator} {value}"),
    }
}

/// Both answers, where the expression compiles.
fn answers(
    expression: &str,
    registry: &Registry,
    record: &Record,
    body: &[u8],
) -> Option<(bool, bool)> {
    let aliases = Aliases::default();
    let condition = Where::compile(expression, registry, &aliases, NOW).ok()?;
    let payload = Payload { body: Some(body), ..record.payload };
    let mut index = FieldIndex::new();
    let schema: Option<&Schema> =
        registry.get(payload.vendor, payload.msgtype).map(|found| &**found);
    let view = schema.and_then(|schema| View::new(schema, body, &mut index).ok());
    let context = Context { registry, aliases: &aliases, now: NOW };
    let asked = Asked { context, payload, message: view.map(Message::new) };
    let naive = asked.holds(&parse(expression).unwrap());
    let mut matcher = Matcher::new(&condition);
    let compiled = matcher.matches(&payload);
    assert_eq!(matcher.matches(&payload), compiled, "{expression}");
    Some((compiled, naive))
}

#[test]
fn single_comparisons_equal_the_plain_evaluation() {
    let registry = Registry::builtin();
    let records = records();
    let known = literals(&registry, &records);
    let (mut compiled, mut held) = (0, 0);
    // One literal of each field, spread over the records, with every operator.
    for (i, (name, literal)) in known.iter().enumerate().step_by(9) {
        for (j, operator) in OPERATORS.iter().enumerate() {
            for name in [name.clone(), format!("all({name})")] {
                let expression = format!("{name} {operator} {literal}");
                for record in records.iter().skip((i * 7 + j) % 37).step_by(37) {
                    let Some((got, want)) = answers(&expression, &registry, record, &record.body)
                    else {
                        break;
                    };
                    assert_eq!(got, want, "{expression}");
                    compiled += 1;
                    held += u32::from(got);
                }
            }
        }
    }
    assert!(compiled > 10_000 && held > 500, "{compiled} {held}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 700, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn compound_expressions_equal_the_plain_evaluation(
        choices in prop::collection::vec((any::<usize>(), any::<usize>(), any::<usize>(), any::<usize>(), any::<u8>()), 1..5),
        joints in prop::collection::vec(0..6_u8, 5),
        record in any::<usize>(),
        damage in prop::option::weighted(0.1, any::<(usize, u8)>()),
    ) {
        thread_local! {
            static KNOWN: (Registry, Vec<Record>, Vec<(String, String)>) = {
                let (registry, records) = (Registry::builtin(), records());
                let known = literals(&registry, &records);
                (registry, records, known)
            };
        }
        KNOWN.with(|(registry, records, known)| {
            let record = &records[record % records.len()];
            let mut body = record.body.clone();
            if let (Some((at, octet)), false) = (damage, body.is_empty()) {
                let at = at % body.len();
                body[at] = octet;
            }
            let mut expression = String::new();
            for (choice, joint) in choices.iter().zip(joints) {
                let test = test_text(known, *choice);
                if Where::compile(&test, registry, &Aliases::default(), NOW).is_err() {
                    continue;
                }
                expression = match joint {
                    _ if expression.is_empty() => test,
                    0 => format!("{expression} and {test}"),
                    1 => format!("{expression} or {test}"),
                    2 => format!("not ({expression}) and {test}"),
                    3 => format!("({expression}) and not {test}"),
                    4 => format!("!({expression} || {test})"),
                    _ => format!("{test} or ({expression})"),
                };
            }
            if !expression.is_empty() {
                let answer = answers(&expression, registry, record, &body);
                let (got, want) = answer.expect("its parts compile");
                prop_assert_eq!(got, want, "{}", &expression);
                let negated = answers(&format!("not ({expression})"), registry, record, &body);
                prop_assert_eq!(negated, Some((!got, !got)));
            }
            Ok(())
        })?;
    }
}

#[test]
fn no_scan_where_no_field_is_asked_for() {
    let registry = Registry::builtin();
    let aliases = Aliases::default();
    for (expression, types_with_fields) in [
        ("time >= 2024-01-01 and source = 5", 0),
        ("type = dnsqr and operator = 1", 0),
        ("qname under example.com", 5),
        ("type = dnsqr and qname under example.com", 1),
        ("type = dnsqr or qname under example.com", 4),
        ("not (type != dnsqr or not exists(qname))", 1),
        ("vendor = SIE and response_ip in 10.0.0.0/8", 4),
        ("vendor = base and vendor = SIE and exists(qname)", 0),
    ] {
        let condition = Where::compile(expression, &registry, &aliases, NOW).unwrap();
        let programs = condition.0.programs.iter().flatten().flatten();
        let asking = programs.filter(|own| own.program.asks_fields()).count();
        assert_eq!(asking, types_with_fields, "{expression}");
        assert!(!condition.0.fieldless.asks_fields(), "{expression}");
    }
}
