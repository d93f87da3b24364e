//! Settings, and the environment variables they come from.

use super::addresses::{self, AddressList};
use super::names::NameList;
use crate::ReassemblyLimits;
use std::fmt;

/// Which half of a transaction is captured when not both.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// Queries only; nothing is kept and matched.
    Queries,
    /// Responses only; nothing is kept and matched.
    Responses,
}

/// Settings of a [`Matcher`](super::Matcher).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// Capture one direction only (`DNSQR_CAPTURE_QR`).
    pub direction: Option<Direction>,
    /// Keep only transactions with this RD flag (`DNSQR_CAPTURE_RD`).
    pub recursion_desired: Option<bool>,
    /// Replace the address of the side that asks by zeros (`DNSQR_ZERO_RESOLVER_ADDRESS`).
    pub zero_resolver_address: bool,
    /// Queries kept at most (`DNSQR_STATE_TABLE_MAX`); memory grows with what is kept.
    pub max_queries: u32,
    /// Memory for kept queries, in octets; the oldest are given up beyond it.
    pub max_query_octets: usize,
    /// Lifetime of a query in whole seconds (`DNSQR_QUERY_TIMEOUT`).
    pub timeout_seconds: i64,
    /// Names whose transactions are dropped (`DNSQR_FILTER_QNAMES_EXCLUDE`).
    pub exclude: NameList,
    /// Names exempt from `exclude` (`DNSQR_FILTER_QNAMES_INCLUDE`).
    pub include: NameList,
    /// Hosts that send queries (`DNSQR_RES_ADDRS`).
    pub resolvers: AddressList,
    /// Hosts that receive queries (`DNSQR_AUTH_ADDRS`).
    pub authorities: AddressList,
    /// Give out ICMP errors about DNS packets.
    pub icmp: bool,
    /// Lifetime and memory of incomplete datagrams.
    pub reassembly: ReassemblyLimits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            direction: None,
            recursion_desired: None,
            zero_resolver_address: false,
            max_queries: 131_072,
            max_query_octets: 256 << 20,
            timeout_seconds: 60,
            exclude: NameList::default(),
            include: NameList::default(),
            resolvers: AddressList::default(),
            authorities: AddressList::default(),
            icmp: true,
            reassembly: ReassemblyLimits::default(),
        }
    }
}

/// A variable whose value makes no sense; nothing can be captured.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError {
    variable: &'static str,
    what: &'static str,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.what)
    }
}

impl std::error::Error for ConfigError {}

/// A value that is ignored, which its author should know.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigWarning {
    variable: &'static str,
    value: String,
    what: &'static str,
}

impl fmt::Display for ConfigWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: '{}' ignored, {}", self.variable, self.value, self.what)
    }
}

const CAPTURE_QR: &str = "DNSQR_CAPTURE_QR";
const CAPTURE_RD: &str = "DNSQR_CAPTURE_RD";
const ZERO_RESOLVER_ADDRESS: &str = "DNSQR_ZERO_RESOLVER_ADDRESS";
const STATE_TABLE_MAX: &str = "DNSQR_STATE_TABLE_MAX";
const QUERY_TIMEOUT: &str = "DNSQR_QUERY_TIMEOUT";
const QNAMES_EXCLUDE: &str = "DNSQR_FILTER_QNAMES_EXCLUDE";
const QNAMES_INCLUDE: &str = "DNSQR_FILTER_QNAMES_INCLUDE";
const RES_ADDRS: &str = "DNSQR_RES_ADDRS";
const AUTH_ADDRS: &str = "DNSQR_AUTH_ADDRS";

/// Reads variables and collects what is to be told.
struct Variables<F> {
    lookup: F,
    warnings: Vec<ConfigWarning>,
}

impl<F: Fn(&str) -> Option<Vec<u8>>> Variables<F> {
    fn warn(&mut self, variable: &'static str, value: &str, what: &'static str) {
        self.warnings.push(ConfigWarning { variable, value: value.to_owned(), what });
    }

    /// Returns a number that `accept` takes; unset, empty and refused values count as unset.
    fn number<T>(
        &mut self,
        variable: &'static str,
        what: &'static str,
        accept: impl Fn(i64) -> Option<T>,
    ) -> Option<T> {
        let text = (self.lookup)(variable).filter(|text| !text.is_empty())?;
        let text = String::from_utf8_lossy(&text);
        let accepted = integer(&text).and_then(accept);
        if accepted.is_none() {
            self.warn(variable, &text, what);
        }
        accepted
    }

    fn names(&mut self, variable: &'static str) -> NameList {
        let text = (self.lookup)(variable).unwrap_or_default();
        NameList::parse(&text, |token, _| {
            self.warn(variable, &String::from_utf8_lossy(token), "not a domain name");
        })
    }

    fn addresses(&mut self, variable: &'static str) -> Result<AddressList, ConfigError> {
        let Some(text) = (self.lookup)(variable) else { return Ok(AddressList::default()) };
        let list = AddressList::parse(&String::from_utf8_lossy(&text), |item| {
            self.warn(variable, item, "neither an address nor address/prefix");
        });
        if list.is_empty() {
            return Err(ConfigError { variable, what: "no usable address in the list" });
        }
        Ok(list)
    }
}

impl Config {
    /// Reads all `DNSQR_*` variables through `lookup`; also returns what is to be told.
    ///
    /// # Errors
    ///
    /// An address list without a usable address, and a table size beyond 2,147,483,647.
    pub fn from_variables(
        lookup: impl Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<(Self, Vec<ConfigWarning>), ConfigError> {
        let mut variables = Variables { lookup, warnings: Vec::new() };
        let mut config = Self::default();
        let zero_or_one = |number| match number {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        };
        let positive = |number| (number > 0).then_some(number);
        config.direction = variables
            .number(CAPTURE_QR, "not 0 or 1", zero_or_one)
            .map(|responses| if responses { Direction::Responses } else { Direction::Queries });
        config.recursion_desired = variables.number(CAPTURE_RD, "not 0 or 1", zero_or_one);
        config.zero_resolver_address = variables
            .number(ZERO_RESOLVER_ADDRESS, "not a number", |number| Some(number != 0))
            .unwrap_or(false);
        if let Some(max) = variables.number(STATE_TABLE_MAX, "not a positive number", positive) {
            config.max_queries = i32::try_from(max).map(i32::unsigned_abs).map_err(|_| {
                ConfigError { variable: STATE_TABLE_MAX, what: "must be from 1 to 2147483647" }
            })?;
        }
        if let Some(seconds) = variables.number(QUERY_TIMEOUT, "not a positive number", positive) {
            config.timeout_seconds = seconds;
        }
        config.exclude = variables.names(QNAMES_EXCLUDE);
        config.include = variables.names(QNAMES_INCLUDE);
        config.resolvers = variables.addresses(RES_ADDRS)?;
        config.authorities = variables.addresses(AUTH_ADDRS)?;
        Ok((config, variables.warnings))
    }

    /// Returns the capture expression that the address lists ask for, if they name any host.
    ///
    /// It is to be compiled with [`Wrapping::Generated`](crate::bpf::Wrapping::Generated); a user's
    /// own expression replaces it, which deserves a warning (decision CP-11).
    #[must_use]
    pub fn capture_expression(&self) -> Option<String> {
        addresses::expression(&self.resolvers, &self.authorities, self.direction)
    }
}

/// Reads a number as C's `strtol` does with base 0; all of the text must be used up.
fn integer(text: &str) -> Option<i64> {
    let blank = |c: char| matches!(c, ' ' | '\t'..='\r');
    let text = text.trim_start_matches(blank);
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let (digits, radix) = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None if digits.len() > 1 && digits.starts_with('0') => (&digits[1..], 8),
        None => (digits, 10),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0_i64;
    for c in digits.chars() {
        let digit = i64::from(c.to_digit(radix)?);
        // Saturates where the value no longer fits, as `strtol` does.
        value = value.saturating_mul(i64::from(radix)).saturating_add(digit);
    }
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<(Config, Vec<ConfigWarning>), ConfigError> {
        Config::from_variables(|name| {
            pairs
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.as_bytes().to_vec())
        })
    }

    #[test]
    fn defaults() {
        let (config, warnings) = read(&[]).unwrap();
        assert_eq!(config, Config::default());
        assert_eq!((config.max_queries, config.timeout_seconds), (131_072, 60));
        assert!(warnings.is_empty());
        assert_eq!(config.capture_expression(), None);
    }

    #[test]
    fn numbers_as_the_c_library_reads_them() {
        for (text, want) in [
            ("0", Some(0)),
            ("17", Some(17)),
            (" \t17", Some(17)),
            ("+17", Some(17)),
            ("-17", Some(-17)),
            ("0x1F", Some(31)),
            ("0X1f", Some(31)),
            ("017", Some(15)),
            ("00", Some(0)),
            ("99999999999999999999", Some(i64::MAX)),
            ("-99999999999999999999", Some(-i64::MAX)),
            ("", None),
            (" ", None),
            ("-", None),
            ("0x", None),
            ("08", None),
            ("17 ", None),
            ("1a", None),
            ("--1", None),
            ("abc", None),
        ] {
            assert_eq!(integer(text), want, "{text:?}");
        }
    }

    #[test]
    fn every_variable_has_its_effect() {
        let changed = |pairs: &[(&str, &str)]| read(pairs).unwrap().0;
        assert_eq!(changed(&[(CAPTURE_QR, "0")]).direction, Some(Direction::Queries));
        assert_eq!(changed(&[(CAPTURE_QR, "1")]).direction, Some(Direction::Responses));
        assert_eq!(changed(&[(CAPTURE_RD, "0")]).recursion_desired, Some(false));
        assert_eq!(changed(&[(CAPTURE_RD, "0x1")]).recursion_desired, Some(true));
        assert!(changed(&[(ZERO_RESOLVER_ADDRESS, "-3")]).zero_resolver_address);
        assert!(!changed(&[(ZERO_RESOLVER_ADDRESS, "0")]).zero_resolver_address);
        assert_eq!(changed(&[(STATE_TABLE_MAX, "010")]).max_queries, 8);
        assert_eq!(changed(&[(QUERY_TIMEOUT, "5")]).timeout_seconds, 5);
        assert!(changed(&[(QNAMES_EXCLUDE, "org")]).exclude.covers(b"\x03org\0"));
        assert!(changed(&[(QNAMES_INCLUDE, "org")]).include.covers(b"\x03org\0"));
        let raw = |name: &str| (name == QNAMES_EXCLUDE).then(|| b"\xff.org".to_vec());
        let (config, warnings) = Config::from_variables(raw).unwrap();
        assert!(config.exclude.covers(b"\x01a\x01\xff\x03org\0") && warnings.is_empty());
        let one = changed(&[(RES_ADDRS, "10.0.0.1")]).capture_expression().unwrap();
        assert!(one.starts_with("(((src 10.0.0.1) and udp dst port 53)"), "{one}");
        let one = changed(&[(AUTH_ADDRS, "::1"), (CAPTURE_QR, "1")]).capture_expression();
        assert_eq!(one.as_deref(), Some("((dst ::1) or (src ::1))"));
    }

    #[test]
    fn values_out_of_range_are_ignored_and_told() {
        for (variable, value) in [
            (CAPTURE_QR, "2"),
            (CAPTURE_RD, "-1"),
            (CAPTURE_RD, "yes"),
            (ZERO_RESOLVER_ADDRESS, "yes"),
            (STATE_TABLE_MAX, "0"),
            (STATE_TABLE_MAX, "-5"),
            (QUERY_TIMEOUT, "0"),
            (QUERY_TIMEOUT, "1 hour"),
            (QNAMES_EXCLUDE, "a..b"),
        ] {
            let (config, warnings) = read(&[(variable, value)]).unwrap();
            assert_eq!(config, Config::default(), "{variable}={value}");
            let start = format!("{variable}: '{value}' ignored, not ");
            assert!(warnings[0].to_string().starts_with(&start), "{}", warnings[0]);
        }
        let (config, warnings) = read(&[(RES_ADDRS, "10.0.0.1,nonsense")]).unwrap();
        assert!(!config.resolvers.is_empty());
        assert_eq!(
            warnings[0].to_string(),
            "DNSQR_RES_ADDRS: 'nonsense' ignored, neither an address nor address/prefix"
        );
    }

    #[test]
    fn dq_4_empty_values() {
        for variable in [
            CAPTURE_QR,
            CAPTURE_RD,
            ZERO_RESOLVER_ADDRESS,
            STATE_TABLE_MAX,
            QUERY_TIMEOUT,
            QNAMES_EXCLUDE,
            QNAMES_INCLUDE,
        ] {
            assert_eq!(read(&[(variable, "")]), Ok((Config::default(), vec![])), "{variable}");
        }
        assert_eq!(read(&[(QNAMES_EXCLUDE, "::")]), Ok((Config::default(), vec![])));
        for variable in [RES_ADDRS, AUTH_ADDRS] {
            for value in ["", ",", " , ,", "nonsense"] {
                let error = read(&[(variable, value)]).unwrap_err().to_string();
                assert_eq!(error, format!("{variable}: no usable address in the list"), "{value}");
            }
        }
    }

    #[test]
    fn dq_5_table_size_is_validated() {
        assert_eq!(read(&[(STATE_TABLE_MAX, "2147483647")]).unwrap().0.max_queries, 2_147_483_647);
        for value in ["2147483648", "4294967296", "99999999999999999999"] {
            let error = read(&[(STATE_TABLE_MAX, value)]).unwrap_err().to_string();
            assert_eq!(error, "DNSQR_STATE_TABLE_MAX: must be from 1 to 2147483647");
        }
    }
}
