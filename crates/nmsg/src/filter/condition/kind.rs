use crate::schema::{Field, FieldType, Form};

use super::syntax::Operator;

/// What the values of a field are to an expression.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// A whole number.
    Number,
    /// A number with decimals.
    Float,
    /// Seconds since the epoch.
    Time,
    /// True or false.
    Truth,
    /// A number with a name.
    Mnemonic(Mnemonic),
    Address,
    Name,
    Rdata,
    DnsMessage,
    /// Text, up to its first NUL.
    Text,
    Octets,
}

/// Where a number has its name from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mnemonic {
    RrType,
    Class,
    Rcode,
    Protocol,
    /// The field's own table.
    Table,
}

impl Kind {
    pub(super) fn of(field: &Field) -> Self {
        match field.field_type {
            FieldType::Ip => Self::Address,
            FieldType::String | FieldType::MultilineString => Self::Text,
            FieldType::Double => Self::Float,
            FieldType::Bool => Self::Truth,
            FieldType::Enum => Self::Mnemonic(Mnemonic::Table),
            FieldType::Bytes => match field.form {
                Form::Name => Self::Name,
                Form::Rdata => Self::Rdata,
                Form::DnsMessage | Form::DnsMessageSie | Form::DnsJson => Self::DnsMessage,
                _ => Self::Octets,
            },
            _ => match field.form {
                Form::RrType => Self::Mnemonic(Mnemonic::RrType),
                Form::Class | Form::ClassSie => Self::Mnemonic(Mnemonic::Class),
                Form::Rcode => Self::Mnemonic(Mnemonic::Rcode),
                Form::Protocol => Self::Mnemonic(Mnemonic::Protocol),
                Form::Named => Self::Mnemonic(Mnemonic::Table),
                Form::Time => Self::Time,
                _ => Self::Number,
            },
        }
    }

    /// What a value is called in an error.
    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Number | Self::Float => "a number",
            Self::Time => "a time",
            Self::Truth => "true or false",
            Self::Mnemonic(Mnemonic::RrType) => "a record type",
            Self::Mnemonic(Mnemonic::Class) => "a class",
            Self::Mnemonic(Mnemonic::Rcode) => "a response code",
            Self::Mnemonic(Mnemonic::Protocol) => "a protocol",
            Self::Mnemonic(Mnemonic::Table) => "one of a list of names",
            Self::Address => "an address",
            Self::Name => "a domain name",
            Self::Rdata => "record data",
            Self::DnsMessage => "a DNS message",
            Self::Text => "text",
            Self::Octets => "octets",
        }
    }

    /// True when the operator means something for such values.
    pub(super) fn allows(self, operator: Operator) -> bool {
        match operator {
            Operator::Exists => true,
            Operator::Equal | Operator::In => self != Self::DnsMessage,
            Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual => {
                matches!(self, Self::Number | Self::Float | Self::Time | Self::Mnemonic(_))
            }
            Operator::Under => matches!(self, Self::Name | Self::Rdata | Self::Text),
            Operator::StartsWith | Operator::EndsWith | Operator::Contains | Operator::Match => {
                !matches!(self, Self::Number | Self::Float | Self::Time | Self::Truth)
            }
        }
    }
}
