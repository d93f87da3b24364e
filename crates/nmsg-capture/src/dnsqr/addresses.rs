//! Lists of hosts, and the capture expression that follows from them.

use super::config::Direction;
use std::net::IpAddr;

/// Addresses and networks, in the user's own spelling.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AddressList {
    v4: Vec<String>,
    v6: Vec<String>,
}

impl AddressList {
    /// Reads addresses with optional `/prefix`, separated by commas; blanks around them are
    /// ignored.
    ///
    /// Items that are none are given to `refused` and left out.
    pub fn parse(text: &str, mut refused: impl FnMut(&str)) -> Self {
        let mut list = Self::default();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            let (address, prefix) = match item.split_once('/') {
                Some((address, prefix)) => (address, Some(prefix)),
                None => (item, None),
            };
            let (place, longest) = match address.parse() {
                Ok(IpAddr::V4(_)) => (&mut list.v4, 32),
                Ok(IpAddr::V6(_)) => (&mut list.v6, 128),
                Err(_) => {
                    refused(item);
                    continue;
                }
            };
            let is_prefix = |text: &str| {
                text.bytes().all(|octet| octet.is_ascii_digit())
                    && text.parse::<u8>().is_ok_and(|prefix| prefix <= longest)
            };
            match prefix {
                None => place.push(item.to_owned()),
                Some(prefix) if is_prefix(prefix) => place.push(format!("net {item}")),
                Some(_) => refused(item),
            }
        }
        list
    }

    /// Returns true when there is no address.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

/// Joins `word item` for every item with ` or `.
fn each(word: &str, items: &[String]) -> String {
    let terms: Vec<_> = items.iter().map(|item| format!("{word} {item}")).collect();
    terms.join(" or ")
}

const FRAGMENT: &str = "(ip[6:2] & 0x3fff != 0)";
const IS_QUERY: &str = "(((udp[10:2] >> 15) & 0x01) == 0)";
const IS_RESPONSE: &str = "(((udp[10:2] >> 15) & 0x01) == 1)";

/// Returns the capture expression for the hosts that ask and the hosts that answer, or `None`
/// when neither list names any (`capture-and-dnsqr` §3.4).
pub(super) fn expression(
    resolvers: &AddressList,
    authorities: &AddressList,
    direction: Option<Direction>,
) -> Option<String> {
    let mut parts = Vec::new();
    for (list, asks, answers) in [(authorities, "dst", "src"), (resolvers, "src", "dst")] {
        if !list.v4.is_empty() {
            let (query, response) = (each(asks, &list.v4), each(answers, &list.v4));
            parts.push(match direction {
                None => format!(
                    "((({query}) and udp dst port 53) or (({response}) and udp src port 53) \
                     or (({response}) and {FRAGMENT}))"
                ),
                Some(Direction::Queries) => {
                    format!("(({query}) and udp dst port 53 and {IS_QUERY})")
                }
                Some(Direction::Responses) => format!(
                    "((({response}) and udp src port 53 and {IS_RESPONSE}) \
                     or (({response}) and {FRAGMENT}))"
                ),
            });
        }
        if !list.v6.is_empty() {
            parts.push(format!("(({}) or ({}))", each(asks, &list.v6), each(answers, &list.v6)));
        }
    }
    (!parts.is_empty()).then(|| parts.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> AddressList {
        AddressList::parse(text, |item| panic!("{item}"))
    }

    #[test]
    fn expressions_follow_the_lists() {
        let both = Some(Direction::Queries);
        for (name, resolvers, authorities, direction, want) in [
            ("none", "", "", None, None),
            (
                "one resolver",
                "10.0.0.1",
                "",
                None,
                Some(
                    "(((src 10.0.0.1) and udp dst port 53) or ((dst 10.0.0.1) and udp src port 53) \
                     or ((dst 10.0.0.1) and (ip[6:2] & 0x3fff != 0)))",
                ),
            ),
            (
                "one authority",
                "",
                "10.0.0.1",
                None,
                Some(
                    "(((dst 10.0.0.1) and udp dst port 53) or ((src 10.0.0.1) and udp src port 53) \
                     or ((src 10.0.0.1) and (ip[6:2] & 0x3fff != 0)))",
                ),
            ),
            (
                "queries to two authorities",
                "",
                "10.0.0.1,192.0.2.0/24",
                both,
                Some(
                    "((dst 10.0.0.1 or dst net 192.0.2.0/24) and udp dst port 53 \
                     and (((udp[10:2] >> 15) & 0x01) == 0))",
                ),
            ),
            (
                "queries of a resolver",
                "10.0.0.1",
                "",
                both,
                Some("((src 10.0.0.1) and udp dst port 53 and (((udp[10:2] >> 15) & 0x01) == 0))"),
            ),
            (
                "responses, all four parts",
                "10.0.0.2, 2001:DB8:0::1",
                "10.0.0.1,2001:db8::/32",
                Some(Direction::Responses),
                Some(
                    "(((src 10.0.0.1) and udp src port 53 and (((udp[10:2] >> 15) & 0x01) == 1)) \
                     or ((src 10.0.0.1) and (ip[6:2] & 0x3fff != 0))) \
                     or ((dst net 2001:db8::/32) or (src net 2001:db8::/32)) \
                     or (((dst 10.0.0.2) and udp src port 53 and (((udp[10:2] >> 15) & 0x01) == 1)) \
                     or ((dst 10.0.0.2) and (ip[6:2] & 0x3fff != 0))) \
                     or ((src 2001:DB8:0::1) or (dst 2001:DB8:0::1))",
                ),
            ),
        ] {
            let got = expression(&list(resolvers), &list(authorities), direction);
            assert_eq!(got.as_deref(), want, "{name}");
        }
    }

    #[test]
    fn dq_9_items_that_are_no_address_are_told() {
        let mut refused = Vec::new();
        let text = "x, 10.0.0.1 ,10.0.0/24,10.0.0.0/33,\t::1/128,::1/129,1.2.3.4/,1.2.3.4/+8, ,";
        let list = AddressList::parse(text, |item| refused.push(item.to_owned()));
        assert_eq!(refused, ["x", "10.0.0/24", "10.0.0.0/33", "::1/129", "1.2.3.4/", "1.2.3.4/+8"]);
        assert_eq!(list.v4, ["10.0.0.1"]);
        assert_eq!(list.v6, ["net ::1/128"]);
        assert!(AddressList::parse(" ,, ", |_| {}).is_empty());
    }
}
