//! From names and literals to questions, by the types of the fields that are meant.

use wdns::{Class, Rcode, RrType};

use super::check::{Check, RdataSet, TextCheck, Wanted};
use super::error::{Problem, WhereError};
use super::header::{HeaderCheck, HeaderName, HeaderTest, TypeIds};
use super::kind::{Kind, Mnemonic};
use super::literal::{self, Network};
use super::moment::{self, Moment};
use super::nearest::nearest;
use super::pattern::Patterns;
use super::sets::{Addresses, Names, Ranges, Strings, TextNames};
use super::syntax::{Item, Operator, Test};
use super::token::Token;
use crate::schema::{Field, FieldFlags, Registry, Schema};
use crate::text::value::protocol_number;
use crate::{AliasTable, Aliases, Timestamp};

/// What names and literals are looked up in.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    pub(super) registry: &'c Registry,
    pub(super) aliases: &'c Aliases,
    pub(super) now: Timestamp,
}

/// What a test asks.
#[derive(Clone)]
pub(super) enum Subject {
    Header(HeaderTest),
    /// A field, which some message types have.
    Field,
}

type Result<T> = std::result::Result<T, WhereError>;

#[cold]
fn wrong_value(test: &Test<'_>, description: &'static str, token: Token<'_>) -> WhereError {
    let subject = test.subject.text.to_owned();
    WhereError::new(Problem::Value(subject, description, token.text.to_owned()), token.start)
}

#[cold]
fn wrong_operator(test: &Test<'_>, description: &'static str) -> WhereError {
    let (subject, operator) = (test.subject.text, test.operator_token);
    let problem = Problem::Operator(subject.to_owned(), description, operator.text.to_owned());
    WhereError::new(problem, operator.start)
}

/// The field called `name`, unless it is hidden.
pub(super) fn field_of<'s>(schema: &'s Schema, name: &str) -> Option<(usize, &'s Field)> {
    let index = schema.field_index(name.as_bytes())?;
    let field = &schema.fields()[index];
    (!field.flags.contains(FieldFlags::HIDDEN)).then_some((index, field))
}

/// The values of a list of numbers as ranges.
fn ranges<T: Copy + Ord>(
    test: &Test<'_>,
    (least, most): (T, T),
    mut value: impl FnMut(Token<'_>) -> Result<Option<Bounds<T>>>,
) -> Result<Ranges<T>> {
    let mut ranges = Vec::new();
    for item in &test.items {
        let first = value(item.value)?;
        let Some(end) = item.range_end else {
            if let Some(first) = first {
                ranges.push(first.compared(test.operator, least, most));
            }
            continue;
        };
        let (Some(first), Some(last)) = (first, value(end)?) else { continue };
        let last = last.range_end;
        if first.start > last {
            return Err(WhereError::new(Problem::EmptyRange, item.value.start));
        }
        ranges.push((first.start, last));
    }
    Ok(Ranges::new(ranges.into_iter().filter(|(low, high)| low <= high).collect()))
}

/// A literal as an end of ranges.
#[derive(Clone, Copy)]
struct Bounds<T> {
    start: T,
    /// The value before `start`.
    before: T,
    /// The value behind `start`.
    behind: T,
    /// Last value that the literal names.
    last: T,
    /// Last value of a range that the literal ends.
    range_end: T,
}

impl Bounds<i128> {
    fn number(number: i128) -> Self {
        Self {
            start: number,
            before: number - 1,
            behind: number + 1,
            last: number,
            range_end: number,
        }
    }

    /// Ranges of times do not include their end.
    fn moment(Moment { start, last }: Moment) -> Self {
        Self { start, before: start - 1, behind: start + 1, last, range_end: start - 1 }
    }
}

impl<T: Copy> Bounds<T> {
    fn compared(self, operator: Operator, least: T, most: T) -> (T, T) {
        match operator {
            Operator::Less => (least, self.before),
            Operator::LessEqual => (least, self.start),
            Operator::Greater => (self.behind, most),
            Operator::GreaterEqual => (self.start, most),
            Operator::In => (self.start, self.last),
            _ => (self.start, self.start),
        }
    }
}

const NUMBERS: (i128, i128) = (i128::MIN, i128::MAX);

impl Context<'_> {
    /// Finds out whether a test asks the header or a field, and that it makes sense.
    pub(super) fn subject(&self, test: &Test<'_>, patterns: &mut Patterns) -> Result<Subject> {
        let header = HeaderName::find(test.name).filter(|_| !test.is_field);
        let Some(name) = header else {
            self.check_field(test, patterns)?;
            return Ok(Subject::Field);
        };
        match self.header(name, test) {
            Ok(check) => Ok(Subject::Header(HeaderTest { name, check, negated: test.negated })),
            // `type = EXPIRATION` means the field of that name.
            Err(_) if name == HeaderName::Type && self.check_field(test, patterns).is_ok() => {
                Ok(Subject::Field)
            }
            Err(error) => Err(error),
        }
    }

    fn schemas(&self) -> impl Iterator<Item = &Schema> {
        let vendors = self.registry.vendors();
        vendors.flat_map(|vendor| vendor.schemas().map(|schema| &**schema))
    }

    fn fields_called(&self, name: &str) -> impl Iterator<Item = &Field> {
        self.schemas().filter_map(move |schema| Some(field_of(schema, name)?.1))
    }

    /// A field must exist and be comparable in at least one message type.
    fn check_field(&self, test: &Test<'_>, patterns: &mut Patterns) -> Result<()> {
        let mut refused: Option<WhereError> = None;
        for field in self.fields_called(test.name) {
            match self.check(test, field, patterns) {
                Ok(_) => return Ok(()),
                // The most is known of a value that is refused last.
                Err(error) if refused.as_ref().is_none_or(|other| other.at() <= error.at()) => {
                    refused = Some(error);
                }
                Err(_) => {}
            }
        }
        Err(refused.unwrap_or_else(|| self.unknown_field(test)))
    }

    #[cold]
    fn unknown_field(&self, test: &Test<'_>) -> WhereError {
        let fields = self.schemas().flat_map(Schema::fields);
        let shown = fields.filter(|field| !field.flags.contains(FieldFlags::HIDDEN));
        let mut names: Vec<&[u8]> = shown.map(Field::name).collect();
        if !test.is_field {
            HeaderName::names().for_each(|name| names.push(name));
        }
        let near = nearest(test.name, names.into_iter());
        let problem = Problem::Unknown("field", test.name.to_owned(), near);
        WhereError::new(problem, test.subject.start)
    }

    /// What a test asks of a value of `field`; nothing when it asks for existence.
    pub(super) fn check(
        &self,
        test: &Test<'_>,
        field: &Field,
        patterns: &mut Patterns,
    ) -> Result<Option<Check>> {
        let kind = Kind::of(field);
        if !kind.allows(test.operator) {
            return Err(wrong_operator(test, kind.description()));
        }
        let ranged = matches!(kind, Kind::Number | Kind::Float | Kind::Time | Kind::Mnemonic(_));
        if let Some(item) = test.items.iter().find(|item| item.range_end.is_some() && !ranged) {
            let problem = Problem::NoRange(kind.description());
            return Err(WhereError::new(problem, item.value.start));
        }
        let wrong = |token: Token<'_>| wrong_value(test, kind.description(), token);
        let text = |wanted| Check::Text(TextCheck { kind, names: field.names.clone(), wanted });
        Ok(Some(match test.operator {
            Operator::Exists => return Ok(None),
            Operator::Match => {
                let pattern = patterns.expression(self.only(test)?)?;
                text(Wanted::Matches(pattern))
            }
            Operator::StartsWith | Operator::EndsWith | Operator::Contains => {
                text(self.part(test, kind, patterns)?)
            }
            Operator::Under if kind == Kind::Text => {
                Check::TextUnder(TextNames::new(self.text_names(test)?))
            }
            Operator::Under => {
                let names = Names::new(self.names(test)?);
                match kind {
                    Kind::Rdata => Check::RdataUnder(names),
                    _ => Check::NameUnder(names),
                }
            }
            _ => match kind {
                Kind::Number => self.numbers(test, wrong)?,
                Kind::Time => Check::Time(self.times(test, wrong)?),
                Kind::Float => Check::Float(self.floats(test, wrong)?),
                Kind::Truth => Check::Number(ranges(test, NUMBERS, |token| {
                    let truth = match token.text {
                        "1" => true,
                        "0" => false,
                        word if word.eq_ignore_ascii_case("true") => true,
                        word if word.eq_ignore_ascii_case("false") => false,
                        _ => return Err(wrong(token)),
                    };
                    Ok(Some(Bounds::number(truth.into())))
                })?),
                Kind::Mnemonic(mnemonic) => Check::Number(ranges(test, NUMBERS, |token| {
                    let number = match literal::whole_number(token.text) {
                        Some(number) => Some(number),
                        None => self.mnemonic(test, mnemonic, field, token)?,
                    };
                    Ok(number.map(Bounds::number))
                })?),
                Kind::Address => {
                    let network = |item: &Item<'_>| {
                        self.network(test, item.value)?.ok_or_else(|| wrong(item.value))
                    };
                    let networks = test.items.iter().map(network).collect::<Result<Vec<_>>>()?;
                    Check::Address(Addresses::new(&networks))
                }
                Kind::Name => Check::Name(Names::new(self.names(test)?)),
                Kind::Rdata => Check::Rdata(self.rdata(test)?),
                Kind::Text | Kind::Octets | Kind::DnsMessage => {
                    let texts = test.items.iter().map(|item| literal::text(item.value));
                    let texts = texts.collect::<Result<Vec<_>>>()?;
                    text(Wanted::OneOf(Strings::new(texts)))
                }
            },
        }))
    }

    /// The value of a test whose operator takes one.
    fn only<'e>(&self, test: &Test<'e>) -> Result<Token<'e>> {
        match test.items[..] {
            [Item { value, range_end: None }] => Ok(value),
            _ => Err(wrong_operator(test, "a list")),
        }
    }

    fn part(&self, test: &Test<'_>, kind: Kind, patterns: &mut Patterns) -> Result<Wanted> {
        let token = self.only(test)?;
        let text = literal::text(token)?;
        // Domain names are the same in any letter case.
        let ignore_case = kind == Kind::Name;
        Ok(match test.operator {
            Operator::StartsWith => Wanted::StartsWith(text.into(), ignore_case),
            Operator::EndsWith => Wanted::EndsWith(text.into(), ignore_case),
            _ => Wanted::Matches(patterns.text(token, &text, ignore_case)?),
        })
    }

    fn names(&self, test: &Test<'_>) -> Result<Vec<Vec<u8>>> {
        let name = |item: &Item<'_>| {
            literal::domain(&literal::text(item.value)?).ok_or_else(|| {
                let problem = Problem::NoDomain(item.value.text.to_owned());
                WhereError::new(problem, item.value.start)
            })
        };
        test.items.iter().map(name).collect()
    }

    /// Names as text in lower case without the last dot.
    fn text_names(&self, test: &Test<'_>) -> Result<Vec<Vec<u8>>> {
        self.names(test)?;
        let name = |item: &Item<'_>| {
            let mut text = literal::text(item.value)?;
            if text.last() == Some(&b'.') {
                text.pop();
            }
            text.make_ascii_lowercase();
            Ok(text)
        };
        test.items.iter().map(name).collect()
    }

    /// An address; a network too where the operator is `in`.
    fn network(&self, test: &Test<'_>, token: Token<'_>) -> Result<Option<Network>> {
        let network = literal::network(token.text);
        if network.is_some() && token.text.contains('/') && test.operator != Operator::In {
            return Err(WhereError::new(Problem::Network(token.text.to_owned()), token.start));
        }
        Ok(network)
    }

    fn rdata(&self, test: &Test<'_>) -> Result<RdataSet> {
        let (mut networks, mut texts, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for item in &test.items {
            if let Some(network) = self.network(test, item.value)? {
                networks.push(network);
                continue;
            }
            let text = literal::text(item.value)?;
            names.extend(literal::domain(&text));
            texts.push(text);
        }
        Ok(RdataSet {
            addresses: Addresses::new(&networks),
            texts: Strings::new(texts),
            names: Names::new(names),
        })
    }

    fn floats(
        &self,
        test: &Test<'_>,
        wrong: impl Fn(Token<'_>) -> WhereError,
    ) -> Result<Box<[(f64, f64)]>> {
        let number = |token: Token<'_>| literal::number(token.text).ok_or_else(|| wrong(token));
        let range = |item: &Item<'_>| {
            let start = number(item.value)?;
            let Some(end) = item.range_end else {
                let (before, behind) = (start.next_down(), start.next_up());
                let bounds = Bounds { start, before, behind, last: start, range_end: start };
                return Ok(bounds.compared(test.operator, f64::NEG_INFINITY, f64::INFINITY));
            };
            let end = number(end)?;
            if start > end {
                return Err(WhereError::new(Problem::EmptyRange, item.value.start));
            }
            Ok((start, end))
        };
        test.items.iter().map(range).collect()
    }

    fn times(
        &self,
        test: &Test<'_>,
        wrong: impl Fn(Token<'_>) -> WhereError,
    ) -> Result<Ranges<i128>> {
        ranges(test, NUMBERS, |token| {
            let moment = moment::parse(token.text, self.now).ok_or_else(|| wrong(token))?;
            Ok(Some(Bounds::moment(moment)))
        })
    }

    /// Whole numbers, or dates where the number counts seconds.
    fn numbers(&self, test: &Test<'_>, wrong: impl Fn(Token<'_>) -> WhereError) -> Result<Check> {
        let tokens = || test.items.iter().flat_map(|item| [Some(item.value), item.range_end]);
        let whole = |token: &Token<'_>| literal::whole_number(token.text).is_some();
        if tokens().flatten().all(|token| whole(&token)) {
            return Ok(Check::Number(self.whole_numbers(test, wrong)?));
        }
        let decimal =
            tokens().flatten().find(|token| !whole(token) && literal::number(token.text).is_some());
        match decimal {
            Some(token) => Err(wrong(token)),
            None => Ok(Check::Time(self.times(test, wrong)?)),
        }
    }

    fn whole_numbers(
        &self,
        test: &Test<'_>,
        wrong: impl Fn(Token<'_>) -> WhereError,
    ) -> Result<Ranges<i128>> {
        ranges(test, NUMBERS, |token| {
            let number = literal::whole_number(token.text).ok_or_else(|| wrong(token))?;
            Ok(Some(Bounds::number(number)))
        })
    }

    /// The number of a mnemonic; nothing for a name of this field in another message type only.
    fn mnemonic(
        &self,
        test: &Test<'_>,
        mnemonic: Mnemonic,
        field: &Field,
        token: Token<'_>,
    ) -> Result<Option<i128>> {
        let text = token.text.as_bytes();
        let number = match mnemonic {
            Mnemonic::RrType => RrType::parse(text).map(|rrtype| rrtype.0.into()),
            Mnemonic::Class => Class::parse(text).map(|class| class.0.into()),
            Mnemonic::Rcode => Rcode::parse(text).map(|rcode| rcode.0.into()),
            Mnemonic::Protocol => protocol_number(text).map(i128::from),
            Mnemonic::Table => return self.table_number(test, field, token),
        };
        let description = Kind::Mnemonic(mnemonic).description();
        number.map(Some).ok_or_else(|| wrong_value(test, description, token))
    }

    fn table_number(
        &self,
        test: &Test<'_>,
        field: &Field,
        token: Token<'_>,
    ) -> Result<Option<i128>> {
        let text = token.text.as_bytes();
        let number = |field: &Field| field.names.as_ref()?.number_ignore_case(text);
        if let Some(number) = number(field) {
            return Ok(Some((number as u32).into()));
        }
        if self.fields_called(test.name).any(|field| number(field).is_some()) {
            return Ok(None);
        }
        let tables = self.fields_called(test.name).filter_map(|field| field.names.as_ref());
        let names = tables.flat_map(|table| table.0.iter().map(|value| value.name.to_bytes()));
        let near = nearest(token.text, names);
        let problem = Problem::Unknown("value of this field", token.text.to_owned(), near);
        Err(WhereError::new(problem, token.start))
    }

    fn header(&self, name: HeaderName, test: &Test<'_>) -> Result<HeaderCheck> {
        let ordered = !matches!(name, HeaderName::Vendor | HeaderName::Type);
        match test.operator {
            Operator::Exists => return Ok(HeaderCheck::Exists),
            Operator::Equal | Operator::In => {}
            Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual
                if ordered => {}
            _ => return Err(wrong_operator(test, name.description())),
        }
        let wrong = |token: Token<'_>| wrong_value(test, name.description(), token);
        let numbers = match name {
            HeaderName::Time => self.times(test, wrong)?,
            HeaderName::Source | HeaderName::Len => self.whole_numbers(test, wrong)?,
            HeaderName::Operator => self.labels(test, "operator", &self.aliases.operators)?,
            HeaderName::Group => self.labels(test, "group", &self.aliases.groups)?,
            HeaderName::Vendor => {
                ranges(test, NUMBERS, |token| Ok(Some(Bounds::number(self.vendor(token)?))))?
            }
            HeaderName::Type => {
                let types = test.items.iter().map(|item| match item.range_end {
                    Some(_) => {
                        let problem = Problem::NoRange(name.description());
                        Err(WhereError::new(problem, item.value.start))
                    }
                    None => self.message_types(item.value),
                });
                let types = types.collect::<Result<Vec<_>>>()?;
                return Ok(HeaderCheck::Types(types.concat().into()));
            }
        };
        Ok(HeaderCheck::Number(numbers))
    }

    /// Numbers or aliases.
    fn labels(
        &self,
        test: &Test<'_>,
        what: &'static str,
        aliases: &AliasTable,
    ) -> Result<Ranges<i128>> {
        ranges(test, NUMBERS, |token| {
            let number = literal::whole_number(token.text)
                .or_else(|| aliases.number(token.text.as_bytes()).map(i128::from));
            let number = number.ok_or_else(|| {
                let problem = Problem::Unknown(what, token.text.to_owned(), Vec::new());
                WhereError::new(problem, token.start)
            })?;
            Ok(Some(Bounds::number(number)))
        })
    }

    fn vendor(&self, token: Token<'_>) -> Result<i128> {
        if let Some(number) = literal::whole_number(token.text) {
            return Ok(number);
        }
        let vendor = self.registry.find_vendor(token.text.as_bytes());
        vendor.map(|vendor| vendor.id().0.into()).ok_or_else(|| {
            let names = self.registry.vendors().map(|vendor| vendor.name());
            let near = nearest(token.text, names);
            WhereError::new(Problem::Unknown("vendor", token.text.to_owned(), near), token.start)
        })
    }

    /// `dnsqr`, `base:dnsqr`, `9` or `1:9`; a name alone may belong to several vendors.
    fn message_types(&self, token: Token<'_>) -> Result<Vec<TypeIds>> {
        let (vendor, name) = match token.text.split_once(':') {
            Some((vendor, name)) => {
                let vendor = Token { text: vendor, ..token };
                (Some(self.vendor(vendor)?), name)
            }
            None => (None, token.text),
        };
        let id = |number: i128| u32::try_from(number).map_err(|_| self.unknown_type(token));
        let vendor = vendor.map(id).transpose()?;
        if let Some(number) = literal::whole_number(name) {
            return Ok(vec![(vendor, id(number)?)]);
        }
        let declared = self.schemas().map(Schema::message_type);
        let found = declared.filter(|declared| {
            declared.name.to_bytes().eq_ignore_ascii_case(name.as_bytes())
                && vendor.is_none_or(|vendor| vendor == declared.vendor.0)
        });
        let found: Vec<TypeIds> =
            found.map(|declared| (Some(declared.vendor.0), declared.id.0)).collect();
        if found.is_empty() { Err(self.unknown_type(token)) } else { Ok(found) }
    }

    #[cold]
    fn unknown_type(&self, token: Token<'_>) -> WhereError {
        let name = token.text.rsplit(':').next().unwrap_or_default();
        let types = self.schemas().map(|schema| schema.message_type().name.to_bytes());
        let values = self.fields_called("type").filter_map(|field| field.names.as_ref());
        let values = values.flat_map(|table| table.0.iter().map(|value| value.name.to_bytes()));
        let near = nearest(name, types.chain(values));
        let problem = Problem::Unknown("message type", token.text.to_owned(), near);
        WhereError::new(problem, token.start)
    }
}
