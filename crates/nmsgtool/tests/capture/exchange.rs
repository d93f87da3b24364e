//! DNS exchanges as captured.

use crate::packets::{Udp, dns, udp};
use nmsg::Timestamp;
use nmsg_capture::LinkType;
use nmsg_capture::savefile::{Precision, Writer};

pub(crate) const CLIENT: (&str, u16) = ("10.0.0.1", 4000);
pub(crate) const SERVER: (&str, u16) = ("192.0.2.53", 53);

const RECURSION_DESIRED: u16 = 0x0100;
const RESPONSE: u16 = 0x8180;

pub(crate) fn query(id: u16, name: &str) -> Udp {
    udp(CLIENT, SERVER, &dns(id, RECURSION_DESIRED, Some((name, 1))))
}

pub(crate) fn response(id: u16, name: &str) -> Udp {
    udp(SERVER, CLIENT, &dns(id, RESPONSE, Some((name, 1))))
}

/// A savefile of packets without link header, one every quarter of a second.
pub(crate) fn savefile(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = writer();
    for (at, packet) in packets.iter().enumerate() {
        let nsec = (at % 4) as u32 * 250_000_000;
        let time = Timestamp { sec: 1_000_000_000 + (at / 4) as i64, nsec };
        writer.write(time, packet).expect("memory");
    }
    writer.into_inner()
}

fn writer() -> Writer<Vec<u8>> {
    let precision = Precision::Microseconds;
    Writer::new(Vec::new(), LinkType::RAW, 65536, precision).expect("memory")
}

/// A savefile of queries with these ids.
pub(crate) fn queries(ids: impl IntoIterator<Item = u16>) -> Vec<u8> {
    savefile(&ids.into_iter().map(|id| query(id, "example.com.").packet()).collect::<Vec<_>>())
}

/// The values of a key in JSON lines; absent where a line lacks it.
pub(crate) fn values<'t>(json: &'t str, key: &str) -> Vec<Option<&'t str>> {
    let key = format!("\"{key}\":");
    let value = |line: &'t str| {
        let (_, rest) = line.split_once(&key)?;
        rest.split([',', '}']).next().map(|value| value.trim_matches('"'))
    };
    json.lines().map(value).collect()
}

/// The DNS ids in JSON lines.
pub(crate) fn ids(json: &str) -> Vec<u16> {
    let id = |value: Option<&str>| value.and_then(|value| value.parse().ok()).expect("an id");
    values(json, "id").into_iter().map(id).collect()
}

/// The types of `base:dnsqr` messages in JSON lines.
pub(crate) fn kinds(json: &str) -> Vec<&str> {
    values(json, "type").into_iter().map(|kind| kind.expect("a type")).collect()
}
