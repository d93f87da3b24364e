use crate::Value::{Number, Octets};
use crate::{body, lines, message, payload};

/// An IPv4 datagram from port 53.
pub(crate) fn datagram(dns: &[u8]) -> Vec<u8> {
    let len = dns.len() as u8;
    let header = [0x45, 0, 0, len + 28, 0, 0, 0, 0, 64, 17, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    [&header[..], &[0, 53, 3, 0xe8, 0, len + 8, 0, 0], dns].concat()
}

#[test]
fn a_message_that_is_no_dns_was_followed_by_one_newline_too_many() {
    let ip = body(&[(1, Number(0)), (2, Octets(&datagram(b"abc")))]);
    let legacy = body(&[
        (1, Number(2)),
        (2, Octets(b"abc")),
        (4, Octets(&[1, 2, 3, 4])),
        (5, Octets(&[5, 6, 7, 8])),
        (6, Number(53)),
        (7, Number(1000)),
    ]);
    for (name, ncap, error) in [
        ("IPv4", ip, "<ERROR: payload parse failed>"),
        ("legacy", legacy, "<ERROR: legacy payload parse failed>"),
    ] {
        let text = lines(&payload(1, 1, &ncap));
        let want = format!("\n[1.2.3.4].53 [5.6.7.8].1000 udp [3]\n{error}\n\n");
        assert!(text.ends_with(&want), "{name}: {text}");
    }
}

#[test]
fn an_empty_datagram_had_null_in_the_place_of_its_dns_message() {
    let ncap = body(&[(1, Number(0)), (2, Octets(&datagram(b"")))]);
    let text = message(&payload(1, 1, &ncap));
    assert!(text.ends_with(",\"dns\":\"\"}"), "{text}");
    // What is stored without octets stays null (`decisions` JO-9).
    let empty = body(&[(1, Number(0)), (2, Octets(b""))]);
    assert_eq!(message(&payload(1, 1, &empty)), "{\"type\":\"IPV4\",\"payload\":null}");
}

#[test]
fn my_4_the_dns_message_is_shown_for_its_ports_also_of_tcp() {
    const UDP: u64 = 0;
    const TCP: u64 = 1;
    const ICMP: u64 = 2;
    for (name, protocol, ports, is_there) in [
        ("UDP from 53", UDP, (53, 1000), true),
        ("UDP to 5353", UDP, (1000, 5353), true),
        ("UDP elsewhere", UDP, (1000, 54), false),
        ("TCP from 53", TCP, (53, 1000), true),
        ("TCP to 5353", TCP, (1000, 5353), true),
        ("TCP elsewhere", TCP, (1000, 1000), false),
        ("ICMP with such numbers", ICMP, (53, 53), false),
    ] {
        let legacy = body(&[
            (1, Number(2)),
            (2, Octets(b"abc")),
            (3, Number(protocol)),
            (4, Octets(&[1, 2, 3, 4])),
            (5, Octets(&[5, 6, 7, 8])),
            (6, Number(ports.0)),
            (7, Number(ports.1)),
        ]);
        let text = message(&payload(1, 1, &legacy));
        assert_eq!(text.contains("\"dns\":\"YWJj\""), is_there, "{name}: {text}");
    }
    // Padding behind the packet is no part of its DNS message.
    let padded = body(&[(1, Number(0)), (2, Octets(&[&datagram(b"abc")[..], b"PAD"].concat()))]);
    let text = message(&payload(1, 1, &padded));
    assert!(text.contains("\"dns\":\"YWJj\""), "{text}");
}
