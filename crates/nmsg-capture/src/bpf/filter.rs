//! From a user's expression to the programs a capture runs (`capture-and-dnsqr` §1.7).

use super::{Instruction, Invalid, Program};
use crate::{Frame, LinkType};
use std::fmt;

/// Turns a filter expression into instructions for one link type.
///
/// Implemented by any function `(expression, link type) -> instructions or the reason why not`.
pub trait Compiler {
    /// Compiles, optimised, for a netmask of zero.
    ///
    /// # Errors
    ///
    /// The compiler's own words.
    fn compile(&self, expression: &str, link: LinkType) -> Result<Vec<Instruction>, String>;
}

impl<F: Fn(&str, LinkType) -> Result<Vec<Instruction>, String>> Compiler for F {
    fn compile(&self, expression: &str, link: LinkType) -> Result<Vec<Instruction>, String> {
        self(expression, link)
    }
}

/// How an expression is made ready for a link type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wrapping {
    /// A user's expression: IP fragments and IPv6 pass as well, to be judged once they are whole
    /// or parsed.
    User,
    /// A generated expression that says all itself; only VLAN tags are added.
    Generated,
}

/// The programs of one filter.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Filter {
    text: String,
    link: LinkType,
    frame: Program,
    network: Program,
}

/// Why an expression is no filter.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FilterError {
    expression: String,
    reason: String,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "filter expression '{}': {}", self.expression, self.reason)?;
        match self.suggestion() {
            Some(better) => write!(f, " (did you mean '{better}'?)"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for FilterError {}

impl FilterError {
    /// Returns the expression.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// Returns the compiler's words.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns what may have been meant, for a usual mistake.
    #[must_use]
    pub fn suggestion(&self) -> Option<String> {
        hint(&self.expression)
    }
}

/// Puts in the word `port` that expressions such as `udp 53` lack.
fn hint(expression: &str) -> Option<String> {
    let mut words: Vec<&str> = Vec::new();
    let mut changed = false;
    for word in expression.split_whitespace() {
        let after_protocol = matches!(words.last(), Some(&("udp" | "tcp")));
        if after_protocol && word.trim_end_matches(')').parse::<u16>().is_ok() {
            words.push("port");
            changed = true;
        }
        words.push(word);
    }
    changed.then(|| words.join(" "))
}

const FRAGMENT: &str = "(ip[6:2] & 0x3fff != 0)";

impl Filter {
    /// Compiles an expression for frames of a link type and for the packets in them.
    ///
    /// # Errors
    ///
    /// The compiler's reason; link-layer terms are refused because the expression must also hold
    /// for packets without link header (decision CP-4).
    pub fn new(
        compiler: &dyn Compiler,
        expression: &str,
        link: LinkType,
        wrapping: Wrapping,
    ) -> Result<Self, FilterError> {
        let network = program(compiler, expression, expression, LinkType::RAW)?;
        let text = wrap(compiler, expression, link, wrapping);
        let frame = program(compiler, expression, &text, link)?;
        Ok(Self { text, link, frame, network })
    }

    /// Returns the expression in full, as a live capture hands it to the kernel.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns true when the filter lets a frame through to the converter.
    ///
    /// The program knows where the packet starts in frames of its own link type. Those of another
    /// interface of the same capture pass, to be judged by their packets alone.
    #[must_use]
    pub fn wants_frame(&self, frame: &Frame<'_>) -> bool {
        frame.link != self.link || self.frame.run(frame.octets, frame.original_len) != 0
    }

    /// Returns true when the user's expression holds for a packet or a reassembled datagram.
    #[must_use]
    pub fn wants_packet(&self, packet: &[u8]) -> bool {
        self.network.matches(packet)
    }
}

fn program(
    compiler: &dyn Compiler,
    expression: &str,
    text: &str,
    link: LinkType,
) -> Result<Program, FilterError> {
    let error = |reason| FilterError { expression: expression.to_owned(), reason };
    let instructions = compiler.compile(text, link).map_err(error)?;
    Program::new(instructions).map_err(|invalid: Invalid| error(invalid.to_string()))
}

/// Asks the compiler which parts make sense: it refuses what can never hold.
fn wrap(compiler: &dyn Compiler, expression: &str, link: LinkType, wrapping: Wrapping) -> String {
    let holds = |text: &str| compiler.compile(text, link).is_ok();
    let inner = match wrapping {
        Wrapping::Generated => expression.to_owned(),
        Wrapping::User => {
            let ip_only = if holds(&format!("(ip) and ({expression})")) { "(ip) and " } else { "" };
            let mut inner = format!("(({ip_only}({expression}))");
            if holds(&format!("({expression}) and {FRAGMENT}")) {
                inner.push_str(" or ");
                inner.push_str(FRAGMENT);
            }
            if holds(&format!("({expression}) and (ip6)")) {
                inner.push_str(" or (ip6)");
            }
            inner.push(')');
            inner
        }
    };
    // Inside one tag there may be another (decision CP-6); `vlan` shifts all that follows it.
    if holds("vlan and ip") {
        format!("({inner}) or (vlan and (({inner}) or (vlan and ({inner}))))")
    } else {
        inner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(_: &str, _: LinkType) -> Result<Vec<Instruction>, String> {
        Ok(vec![Instruction { code: 6, jump_true: 0, jump_false: 0, k: 1 }])
    }

    #[test]
    fn expressions_are_wrapped_as_the_compiler_allows() {
        let no_vlan = |text: &str, link: LinkType| match text.contains("vlan") {
            true => Err("no VLAN support".to_owned()),
            false => accept(text, link),
        };
        let no_v6 = |text: &str, link: LinkType| match text.contains("ip6") {
            true => Err("expression rejects all packets".to_owned()),
            false => no_vlan(text, link),
        };
        let no_v4 =
            |text: &str, link: LinkType| match text.contains("(ip) and") || text.contains("ip[") {
                true => Err("expression rejects all packets".to_owned()),
                false => no_vlan(text, link),
            };
        for (name, compiler, wrapping, want) in [
            (
                "all",
                &no_vlan as &dyn Compiler,
                Wrapping::User,
                "(((ip) and (U)) or (ip[6:2] & 0x3fff != 0) or (ip6))".to_owned(),
            ),
            (
                "never IPv6",
                &no_v6,
                Wrapping::User,
                "(((ip) and (U)) or (ip[6:2] & 0x3fff != 0))".to_owned(),
            ),
            ("never IPv4", &no_v4, Wrapping::User, "(((U)) or (ip6))".to_owned()),
            ("generated", &no_vlan, Wrapping::Generated, "U".to_owned()),
            (
                "generated, with tags",
                &accept,
                Wrapping::Generated,
                "(U) or (vlan and ((U) or (vlan and (U))))".to_owned(),
            ),
        ] {
            let filter = Filter::new(compiler, "U", LinkType::ETHERNET, wrapping).unwrap();
            assert_eq!(filter.text(), want, "{name}");
            assert!(filter.wants_packet(&[]), "{name}");
        }
    }

    #[test]
    fn cp_4_refusals_show_reason_and_expression() {
        let refuse = |_: &str, _: LinkType| Err("'arp' rejects all packets".to_owned());
        for (expression, want) in [
            ("arp", "filter expression 'arp': 'arp' rejects all packets"),
            (
                "udp 53",
                "filter expression 'udp 53': 'arp' rejects all packets (did you mean 'udp port 53'?)",
            ),
            (
                "host ::1 and (tcp 53)",
                "filter expression 'host ::1 and (tcp 53)': 'arp' rejects all packets",
            ),
            (
                "ip and tcp 53 or udp 5353)",
                "filter expression 'ip and tcp 53 or udp 5353)': 'arp' rejects all packets \
                 (did you mean 'ip and tcp port 53 or udp port 5353)'?)",
            ),
        ] {
            let error = Filter::new(&refuse, expression, LinkType::RAW, Wrapping::User);
            let error = error.unwrap_err();
            assert_eq!(error.to_string(), want);
            assert_eq!(error.expression(), expression);
            assert_eq!(error.reason(), "'arp' rejects all packets");
            assert_eq!(error.suggestion().is_some(), want.contains("did you mean"));
        }
    }

    #[test]
    fn frames_of_other_links_are_judged_by_their_packets() {
        let nothing = |_: &str, _: LinkType| {
            Ok(vec![Instruction { code: 6, jump_true: 0, jump_false: 0, k: 0 }])
        };
        let filter = Filter::new(&nothing, "U", LinkType::ETHERNET, Wrapping::User).unwrap();
        let time = nmsg::Timestamp::default();
        for (link, want) in [(LinkType::ETHERNET, false), (LinkType::RAW, true)] {
            let frame = Frame { time, link, original_len: 0, octets: &[] };
            assert_eq!(filter.wants_frame(&frame), want, "{link}");
        }
        assert!(!filter.wants_packet(&[]));
    }

    #[test]
    fn bad_programs_are_reported() {
        let nonsense = |_: &str, _: LinkType| Ok(vec![]);
        let error = Filter::new(&nonsense, "ip", LinkType::RAW, Wrapping::User).unwrap_err();
        assert!(error.to_string().contains("no return at the end"));
    }
}
