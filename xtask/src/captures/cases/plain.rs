//! Captures in which nothing is decided otherwise.

use super::super::file::{Format, Kind, encode};
use super::super::scene::{ETHERNET, RAW, RAW_BSD, SLL, Scene};
use super::{Case, Input};
use crate::random::Random;

/// Any traffic, in any form, with any settings.
pub(crate) fn plain(seed: u64) -> Case {
    let mut random = Random::new(seed);
    let link = random.pick(&[ETHERNET, ETHERNET, ETHERNET, RAW_BSD, RAW, SLL]);
    let scene = Scene::new(random.next(), link).run(150);
    let is_big_endian = random.chance(50);
    let kind = match random.below(4) {
        0 => Kind::PcapNg { resolution: random.pick(&[None, Some(6), Some(9)]) },
        _ => Kind::Pcap,
    };
    let file = encode(&scene.frames, link, Format { is_big_endian, kind });
    let mut msgtype = random.pick(&["dnsqr", "dnsqr", "dnsqr", "dnsqr", "ncap", "packet", "pkt"]);
    if msgtype == "pkt" && link != ETHERNET {
        msgtype = "packet";
    }
    let mut input = Input { file, ..Input::default() };
    if msgtype == "dnsqr" {
        input.variables = variables(&mut random);
        if random.chance(20) {
            let expressions = ["udp port 53", "ip", "ip6 or tcp", "net 10.0.0.0/30"];
            input.expression = Some(random.pick(&expressions));
        }
    }
    let more: &[&str] = if random.chance(50) { &["--classic-capture"] } else { &[] };
    Case { more, ..Case::new(msgtype, input) }
}

/// Lists of names that have some in common with the traffic, and oddities.
const NAMES: &[&str] = &[
    "foo.org",
    ".",
    "example.com:a.b",
    "oo.org",
    "foo.org.::a.b:",
    r"f\111o.org",
    " foo.org",
    "a..b:foo.org",
    r"foo.org:bad\",
    "\u{e9}.org:org",
];

/// A choice of settings for `base:dnsqr`.
fn variables(random: &mut Random) -> Vec<(&'static str, &'static str)> {
    let mut variables = Vec::new();
    for (percent, name, values) in [
        (20, "DNSQR_CAPTURE_QR", &["0", "1", "2", "-1", "1 "][..]),
        (20, "DNSQR_CAPTURE_RD", &["0", "1", "0x1", "00", "yes"]),
        (30, "DNSQR_STATE_TABLE_MAX", &["1", "2", "5", "0x10", "010", "0", "-1", "2x"]),
        (30, "DNSQR_QUERY_TIMEOUT", &["1", "2", "60", " 5", "+07", "0x3c", "-5", "1 hour", "08"]),
        (30, "DNSQR_FILTER_QNAMES_EXCLUDE", NAMES),
        (20, "DNSQR_FILTER_QNAMES_INCLUDE", &["bar.foo.org", "com", "FOO.org.", "www.foo.org:."]),
        (15, "DNSQR_RES_ADDRS", &["10.0.0.1", "10.0.0.0/30, 2001:db8::1", "2001:db8::/64"]),
        (15, "DNSQR_AUTH_ADDRS", &["192.0.2.53", "192.0.2.0/24", "2001:db8:1::53,192.0.2.1"]),
    ] {
        if random.chance(percent) {
            variables.push((name, random.pick(values)));
        }
    }
    variables
}
