use nmsg_os::udp::{Endpoint, interface_index};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;

/// Most ports of one range on the command line (`decisions` SK-5).
pub const MOST_PORTS: usize = 21;

/// Longest host name, in octets.
const LONGEST_NAME: usize = 253;

/// How often the C tool re-tunes its rate when nothing else is asked for.
const DEFAULT_FREQUENCY: u32 = 10;

/// A machine, interface or group, before names are looked up.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Host {
    /// An address.
    Address {
        /// The address.
        ip: IpAddr,
        /// Name or number of an interface: for multicast groups, and as the zone of IPv6 addresses.
        interface: Option<String>,
    },
    /// A name that has to be looked up.
    Name(String),
}

/// A UDP address and its ports: `ADDR/PORT` or `ADDR/LOW..HIGH` (`nmsgtool-cli` §5.1).
///
/// An IPv6 address may stand in brackets, and an interface may follow any IPv6 address or multicast
/// group after a percent sign (`decisions` SK-6).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SocketSpec {
    /// Where.
    pub host: Host,
    /// Which ports, at least one, none of them 0.
    pub ports: RangeInclusive<u16>,
}

/// A [`SocketSpec`] with a rate: `ADDR/PORT[..PORT][,RATE[,FREQ]]` (`nmsgtool-cli` §5.2).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SendSpec {
    /// Where to.
    pub target: SocketSpec,
    /// Datagrams per second over all ports together; `None` for as many as possible.
    pub rate: Option<NonZeroU32>,
    /// How often the C tool would re-tune the rate; without effect here.
    pub frequency: u32,
}

/// What is wrong with the text of a [`SocketSpec`] or [`SendSpec`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SpecError {
    /// There is no slash.
    NoSlash,
    /// No number follows the slash, or something follows the number.
    NoPort,
    /// The range runs backwards or has more ports than permitted.
    BadRange,
    /// A port is not from 1 to 65535.
    BadPort,
    /// Neither an address nor a name.
    BadAddress,
    /// The rate is not a whole number below 2³².
    BadRate,
    /// The frequency is not a whole number below 2³², or something follows it.
    BadFrequency,
}

impl SpecError {
    /// The line that stands above the message, in the words of the C library; `None` when the message
    /// says it all. `text` is what was parsed.
    #[must_use]
    #[cold]
    pub fn detail(self, text: &str) -> Option<String> {
        match self {
            Self::NoSlash | Self::NoPort | Self::BadRange => None,
            Self::BadPort => Some("getsock: invalid port number".to_owned()),
            Self::BadAddress => Some("getsock: addr is not valid inet or inet6".to_owned()),
            Self::BadRate => Some(format!("getsock: invalid packet rate ({text})")),
            Self::BadFrequency => Some(format!("getsock: bad frequency ({text})")),
        }
    }

    /// The message of a usage error about `option`, such as `-l` (`nmsgtool-cli` §3.2).
    #[must_use]
    #[cold]
    pub fn message(self, option: &str) -> String {
        match self {
            Self::NoSlash => format!("argument to {option} needs a /"),
            Self::NoPort => "need a port number or range after /".to_owned(),
            Self::BadRange => format!("bad port range in {option} argument"),
            Self::BadPort | Self::BadAddress | Self::BadRate | Self::BadFrequency => {
                format!("bad {option} socket")
            }
        }
    }
}

impl SocketSpec {
    /// Parses an address with at most `most_ports` ports.
    ///
    /// # Errors
    ///
    /// What is wrong first, from left to right, except that the address comes last.
    pub fn parse(text: &str, most_ports: usize) -> Result<Self, SpecError> {
        let (host, ports) = text.split_once('/').ok_or(SpecError::NoSlash)?;
        let ports = parse_ports(ports, most_ports)?;
        let host = Host::parse(host).ok_or(SpecError::BadAddress)?;
        Ok(Self { host, ports })
    }

    /// Parses an endpoint of a channel alias, which may have any number of ports; a comma and what
    /// follows it are ignored, and given back (`decisions` SK-5, CL-8).
    ///
    /// # Errors
    ///
    /// As [`Self::parse`].
    pub fn parse_channel_endpoint(text: &str) -> Result<(Self, Option<&str>), SpecError> {
        let (address, ignored) = match text.split_once(',') {
            Some((address, ignored)) => (address, Some(ignored)),
            None => (text, None),
        };
        Ok((Self::parse(address, usize::MAX)?, ignored))
    }

    /// Visits the address with each of its ports, as users write them.
    pub fn each(&self) -> impl Iterator<Item = Self> {
        let host = self.host.clone();
        self.ports.clone().map(move |port| Self { host: host.clone(), ports: port..=port })
    }

    /// Finds where the first port of the address is, looking up names and interfaces.
    ///
    /// # Errors
    ///
    /// When there is no such name or interface.
    pub fn resolve(&self) -> io::Result<Endpoint> {
        let port = *self.ports.start();
        match &self.host {
            Host::Name(name) => {
                let found = (name.as_str(), port).to_socket_addrs()?.next();
                let address = found.ok_or(io::ErrorKind::NotFound)?;
                Ok(Endpoint { address, interface: None })
            }
            Host::Address { ip, interface } => {
                let interface = interface.as_deref().map(interface_index).transpose()?;
                let address = match ip {
                    IpAddr::V4(ip) => SocketAddr::from((*ip, port)),
                    IpAddr::V6(ip) => {
                        let zone = interface.map_or(0, NonZeroU32::get);
                        SocketAddr::V6(SocketAddrV6::new(*ip, port, 0, zone))
                    }
                };
                Ok(Endpoint { address, interface })
            }
        }
    }
}

impl SendSpec {
    /// Parses an address with an optional rate.
    ///
    /// # Errors
    ///
    /// As [`SocketSpec::parse`], rate and frequency before the address.
    pub fn parse(text: &str, most_ports: usize) -> Result<Self, SpecError> {
        let mut parts = text.splitn(3, ',');
        let address = parts.next().unwrap_or_default();
        let (host, ports) = address.split_once('/').ok_or(SpecError::NoSlash)?;
        let ports = parse_ports(ports, most_ports)?;
        let number = |text: Option<&str>| match text.unwrap_or_default() {
            "" => Some(0),
            digits => c_number(digits),
        };
        let rate = number(parts.next()).ok_or(SpecError::BadRate)?;
        let frequency = number(parts.next()).ok_or(SpecError::BadFrequency)?;
        let host = Host::parse(host).ok_or(SpecError::BadAddress)?;
        Ok(Self {
            target: SocketSpec { host, ports },
            rate: NonZeroU32::new(rate),
            frequency: if frequency == 0 { DEFAULT_FREQUENCY } else { frequency },
        })
    }
}

fn parse_ports(text: &str, most: usize) -> Result<RangeInclusive<u16>, SpecError> {
    let (low, rest) = leading_number(text)?;
    let high = match rest.strip_prefix("..") {
        None if rest.is_empty() => low,
        None if low == Some(0) && rest.starts_with(['x', 'X']) => return Err(SpecError::BadPort),
        None => return Err(SpecError::NoPort),
        Some(rest) => match leading_number(rest)? {
            (high, "") => high,
            _ => return Err(SpecError::NoPort),
        },
    };
    // Numbers too large for anything are above every other.
    let (low, high) = (low.unwrap_or(u32::MAX), high.unwrap_or(u32::MAX));
    if low > high || (high - low) as usize >= most {
        return Err(SpecError::BadRange);
    }
    match (u16::try_from(low), u16::try_from(high)) {
        (Ok(low @ 1..), Ok(high)) => Ok(low..=high),
        _ => Err(SpecError::BadPort),
    }
}

/// Splits decimal digits off, which must be there; the number is `None` when it is 2³² or more.
fn leading_number(text: &str) -> Result<(Option<u32>, &str), SpecError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        let is_negative = text.strip_prefix('-').is_some_and(|rest| leading_number(rest).is_ok());
        return Err(if is_negative { SpecError::BadPort } else { SpecError::NoPort });
    }
    let (digits, rest) = text.split_at(digits);
    Ok((digits.parse().ok(), rest))
}

/// Reads a number as C does: blanks, then octal after `0`, hexadecimal after `0x`, else decimal.
fn c_number(text: &str) -> Option<u32> {
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace());
    let (radix, digits) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (16, digits),
        None if text.starts_with('0') => (8, text),
        None => (10, text),
    };
    // `from_str_radix` would take a sign.
    digits.chars().all(|c| c.is_digit(radix)).then(|| u32::from_str_radix(digits, radix).ok())?
}

impl Host {
    /// Parses an address, in brackets or not, or a name; `None` when it is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        let (address, interface) = match bare.unwrap_or(text).split_once('%') {
            Some((address, interface)) => (address, Some(interface)),
            None => (bare.unwrap_or(text), None),
        };
        if interface.is_some_and(|name| name.is_empty() || name.contains(['%', '[', ']'])) {
            return None;
        }
        let interface = interface.map(str::to_owned);
        if let Ok(ip) = address.parse::<Ipv6Addr>() {
            return Some(Self::Address { ip: ip.into(), interface });
        }
        if bare.is_some() {
            return None;
        }
        if let Ok(ip) = address.parse::<Ipv4Addr>() {
            let fits = interface.is_none() || ip.is_multicast();
            return fits.then_some(Self::Address { ip: ip.into(), interface });
        }
        (interface.is_none() && is_name(address)).then(|| Self::Name(address.to_owned()))
    }
}

/// True for host names; a name whose last label is a number is a mistyped address.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (1..=63).contains(&label.len()) && label.chars().all(valid) && !label.starts_with('-')
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= LONGEST_NAME
        && name.split('.').all(is_label)
        && !last.starts_with(|c: char| c.is_ascii_digit())
}

/// Prints the host as a user may write it.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address { ip, interface: None } => ip.fmt(f),
            Self::Address { ip, interface: Some(interface) } => write!(f, "{ip}%{interface}"),
        }
    }
}

/// Prints the address as a user may write it.
impl fmt::Display for SocketSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = (self.ports.start(), self.ports.end());
        write!(f, "{}/{low}", self.host)?;
        if low == high { Ok(()) } else { write!(f, "..{high}") }
    }
}

#[cfg(test)]
mod tests {
    use super::SpecError::{BadAddress, BadFrequency, BadPort, BadRange, BadRate, NoPort, NoSlash};
    use super::*;

    #[test]
    fn sk_5_ports_are_strict() {
        for (text, want) in [
            ("::/1", Ok((1, 1))),
            ("::/65535", Ok((65_535, 65_535))),
            ("::/00080", Ok((80, 80))),
            ("::/8430..8437", Ok((8430, 8437))),
            ("::/5000..5000", Ok((5000, 5000))),
            ("::/5000..5020", Ok((5000, 5020))),
            ("::/5000..5021", Err(BadRange)),
            ("::/5..3", Err(BadRange)),
            ("::/1..65535", Err(BadRange)),
            ("::", Err(NoSlash)),
            ("", Err(NoSlash)),
            ("::/", Err(NoPort)),
            ("::/x", Err(NoPort)),
            ("::/ 5", Err(NoPort)),
            ("::/+5", Err(NoPort)),
            ("::/5000x", Err(NoPort)),
            ("::/5000 ", Err(NoPort)),
            ("::/5000..", Err(NoPort)),
            ("::/5000..x", Err(NoPort)),
            ("::/5000..5001x", Err(NoPort)),
            ("::/5000.5001", Err(NoPort)),
            ("::/5000,10", Err(NoPort)),
            ("::/5000/", Err(NoPort)),
            ("::/0", Err(BadPort)),
            ("::/0..5", Err(BadPort)),
            ("::/0x10", Err(BadPort)),
            ("::/-5", Err(BadPort)),
            ("::/70000", Err(BadPort)),
            ("::/65535..65536", Err(BadPort)),
            ("::/99999999999", Err(BadPort)),
            ("::/1..99999999999", Err(BadRange)),
        ] {
            let have = SocketSpec::parse(text, MOST_PORTS);
            let have = have.map(|spec| (*spec.ports.start(), *spec.ports.end()));
            assert_eq!(have, want, "{text}");
        }
    }

    #[test]
    fn sk_6_addresses_names_brackets_zones() {
        let v4 = |ip: &str, interface: Option<&str>| {
            Some(Host::Address { ip: ip.parse().unwrap(), interface: interface.map(str::to_owned) })
        };
        let v6 = v4;
        let name = |name: &str| Some(Host::Name(name.to_owned()));
        for (text, want) in [
            ("127.0.0.1", v4("127.0.0.1", None)),
            ("0.0.0.0", v4("0.0.0.0", None)),
            ("127.255.255.255", v4("127.255.255.255", None)),
            ("239.1.2.3%eth0", v4("239.1.2.3", Some("eth0"))),
            ("239.1.2.3%2", v4("239.1.2.3", Some("2"))),
            ("::", v6("::", None)),
            ("::1", v6("::1", None)),
            ("[::1]", v6("::1", None)),
            ("fe80::1%eth0", v6("fe80::1", Some("eth0"))),
            ("[fe80::1%eth0.5]", v6("fe80::1", Some("eth0.5"))),
            ("ff02::1%3", v6("ff02::1", Some("3"))),
            ("::ffff:1.2.3.4", v6("::ffff:1.2.3.4", None)),
            ("localhost", name("localhost")),
            ("a-b.example.com", name("a-b.example.com")),
            ("example.com.", name("example.com.")),
            ("_udp.example", name("_udp.example")),
            ("1.example", name("1.example")),
            ("", None),
            (".", None),
            ("127.1", None),
            ("127.0.0.1.5", None),
            ("256.0.0.1", None),
            ("127.0.0.01", None),
            ("127.0.0.1%lo", None),
            ("[127.0.0.1]", None),
            ("[localhost]", None),
            ("localhost%lo", None),
            ("[::1", None),
            ("::1]", None),
            ("::1%", None),
            ("::1%a%b", None),
            ("[fe80::1]%eth0", None),
            ("a..b", None),
            ("-a", None),
            ("a b", None),
            ("a_ü", None),
            ("*", None),
        ] {
            assert_eq!(Host::parse(text), want, "{text}");
        }
        let label = "a".repeat(63);
        let long = [label.as_str(); 4].join(".");
        assert_eq!(Host::parse(&long), None);
        assert_eq!(Host::parse(&long[..253]), name(&long[..253]));
        assert_eq!(Host::parse(&"a".repeat(64)), None);
    }

    #[test]
    fn sk_4_rates() {
        for (text, want) in [
            ("::/5", Ok((0, 10))),
            ("::/5,", Ok((0, 10))),
            ("::/5,,", Ok((0, 10))),
            ("::/5,0", Ok((0, 10))),
            ("::/5,,5", Ok((0, 5))),
            ("::/5,10", Ok((10, 10))),
            ("::/5,10,", Ok((10, 10))),
            ("::/5,10,0", Ok((10, 10))),
            ("::/5,10,100", Ok((10, 100))),
            ("::/5, 7", Ok((7, 10))),
            ("::/5,0x10,010", Ok((16, 8))),
            ("::/5,4294967295", Ok((u32::MAX, 10))),
            ("::/5,4294967296", Err(BadRate)),
            ("::/5,abc", Err(BadRate)),
            ("::/5,1.5", Err(BadRate)),
            ("::/5,-5", Err(BadRate)),
            ("::/5,+5", Err(BadRate)),
            ("::/5,5x", Err(BadRate)),
            ("::/5,08", Err(BadRate)),
            ("::/5,0x", Err(BadRate)),
            ("::/5,5 ", Err(BadRate)),
            ("::/5,5,abc", Err(BadFrequency)),
            ("::/5,5,-1", Err(BadFrequency)),
            ("::/5,5,6,7", Err(BadFrequency)),
            ("::/5,x,y", Err(BadRate)),
            ("nope!/5,x", Err(BadRate)),
            ("nope!/0,x", Err(BadPort)),
            ("nope!/5", Err(BadAddress)),
            ("::,5/5", Err(NoSlash)),
            ("::/5..3,1", Err(BadRange)),
            ("::/x,5", Err(NoPort)),
        ] {
            let have = SendSpec::parse(text, MOST_PORTS);
            let have = have.map(|s| (s.rate.map_or(0, NonZeroU32::get), s.frequency));
            assert_eq!(have, want, "{text}");
        }
    }

    #[test]
    fn cl_6_words_of_the_c_tool() {
        for (error, detail, message) in [
            (NoSlash, None, "argument to -s needs a /"),
            (NoPort, None, "need a port number or range after /"),
            (BadRange, None, "bad port range in -s argument"),
            (BadPort, Some("getsock: invalid port number"), "bad -s socket"),
            (BadAddress, Some("getsock: addr is not valid inet or inet6"), "bad -s socket"),
            (BadRate, Some("getsock: invalid packet rate (a/1,abc)"), "bad -s socket"),
            (BadFrequency, Some("getsock: bad frequency (a/1,abc)"), "bad -s socket"),
        ] {
            assert_eq!(error.detail("a/1,abc").as_deref(), detail, "{error:?}");
            assert_eq!(error.message("-s"), message, "{error:?}");
        }
    }

    #[test]
    fn cl_8_channel_endpoints() {
        let (spec, ignored) = SocketSpec::parse_channel_endpoint("10.0.0.1/1..65535,5,x").unwrap();
        assert_eq!((spec.ports, ignored), (1..=65_535, Some("5,x")));
        let (spec, ignored) = SocketSpec::parse_channel_endpoint("[::1]/9").unwrap();
        assert_eq!((spec.to_string().as_str(), ignored), ("::1/9", None));
        assert_eq!(SocketSpec::parse_channel_endpoint("::/5x,5"), Err(NoPort));
    }

    #[test]
    fn a_range_is_one_socket_for_each_port() {
        let spec = SocketSpec::parse("239.1.2.3%lo/8430..8432", MOST_PORTS).unwrap();
        assert_eq!(spec.to_string(), "239.1.2.3%lo/8430..8432");
        let each: Vec<String> = spec.each().map(|spec| spec.to_string()).collect();
        assert_eq!(each, ["239.1.2.3%lo/8430", "239.1.2.3%lo/8431", "239.1.2.3%lo/8432"]);
        let last = SocketSpec::parse("::/65535", MOST_PORTS).unwrap();
        assert_eq!(last.each().count(), 1);
    }

    #[test]
    fn sk_6_names_and_interfaces_are_looked_up() {
        let lo = interface_index("lo").unwrap();
        let resolve = |text: &str| SocketSpec::parse(text, MOST_PORTS).unwrap().resolve();
        for (text, address, interface) in [
            ("127.0.0.1/7", "127.0.0.1:7".to_owned(), None),
            ("[::1]/7", "[::1]:7".to_owned(), None),
            ("fe80::1%lo/7", format!("[fe80::1%{lo}]:7"), Some(lo)),
            ("239.1.2.3%lo/7", "239.1.2.3:7".to_owned(), Some(lo)),
        ] {
            let have = resolve(text).unwrap();
            assert_eq!((have.address.to_string(), have.interface), (address, interface), "{text}");
        }
        assert!(resolve("localhost/7").unwrap().address.ip().is_loopback());
        assert!(resolve("239.1.2.3%no-such-if/7").is_err());
    }
}
