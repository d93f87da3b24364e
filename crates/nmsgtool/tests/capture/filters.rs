//! Capture filters: `-b`, `NMSG_BPF` and the address lists.

use crate::exchange::{SERVER, ids, kinds, query, response, savefile};
use crate::packets::{dns, udp};
use crate::tool::{Ran, command, feed};

/// True when expressions can be compiled here. On machines that test every change (`CI` is `true`),
/// they have to be.
#[expect(clippy::print_stdout, reason = "says why a test is skipped")]
pub(crate) fn has_libpcap() -> bool {
    match nmsg_os::pcap::library() {
        Ok(_) => true,
        Err(error) => {
            let must_work = std::env::var_os("CI").is_some_and(|value| value == "true");
            assert!(!must_work, "{error}");
            println!("skipped: {error}");
            false
        }
    }
}

fn capture(words: &[&str], variables: &[(&str, &str)], packets: &[Vec<u8>]) -> Ran {
    let mut command = command(["-p", "-", "-J", "-"].iter().chain(words));
    command.envs(variables.iter().copied());
    feed(command, &savefile(packets))
}

/// Exchanges 1 and 2 over IPv4, exchange 3 over IPv6, of which 2 is on port 5353.
fn traffic() -> Vec<Vec<u8>> {
    let other = ("10.0.0.2", 4000);
    let (six, six_server) = (("2001:db8::1", 4000), ("2001:db8::53", 53));
    let (question, answer) =
        (|id| dns(id, 0x0100, Some(("a.", 1))), |id| dns(id, 0x8180, Some(("a.", 1))));
    let multicast = (SERVER.0, 5353);
    vec![
        query(1, "a.").packet(),
        response(1, "a.").packet(),
        udp(other, multicast, &question(2)).packet(),
        udp(multicast, other, &answer(2)).packet(),
        udp(six, six_server, &question(3)).packet(),
        udp(six_server, six, &answer(3)).packet(),
    ]
}

#[test]
fn cp_3_every_datagram_must_satisfy_the_expression() {
    if !has_libpcap() {
        return;
    }
    for (expression, want) in [
        ("udp", &[1, 2, 3][..]),
        ("udp port 53", &[1, 3]),
        ("host 10.0.0.2", &[2]),
        ("ip6", &[3]),
        ("tcp", &[]),
        ("src host 10.0.0.1", &[1]),
        ("not port 5353 and not ip6", &[1]),
    ] {
        for (words, variables) in [
            (&["-T", "dnsqr", "-b", expression][..], &[][..]),
            (&["-T", "dnsqr"], &[("NMSG_BPF", expression)]),
            (&["-T", "dnsqr", "-b", expression], &[("NMSG_BPF", "tcp")]),
        ] {
            let ran = capture(words, variables, &traffic());
            assert_eq!((ran.status, &*ran.stderr), (0, ""), "{expression}");
            assert_eq!(ids(ran.text()), want, "{expression} {words:?}");
        }
        for msgtype in ["ncap", "packet"] {
            let ran = capture(&["-T", msgtype, "-b", expression], &[], &traffic());
            let packets = if expression == "src host 10.0.0.1" { 1 } else { 2 * want.len() };
            assert_eq!(ran.text().lines().count(), packets, "{msgtype}: {expression}");
        }
    }
}

#[test]
fn cp_4_expressions_that_are_none_are_told_with_the_reason() {
    if !has_libpcap() {
        return;
    }
    for (expression, reason, hint) in [
        ("udp 53", "syntax error", Some("did you mean 'udp port 53'?")),
        ("", "syntax error", None),
        ("arp", "'arp' modifier applied to RAW", None),
        ("vlan 5", "no VLAN support", None),
        ("net 10.0.0.1/24", "non-network bits set", None),
        ("host", "syntax error", None),
    ] {
        let ran = capture(&["-T", "dnsqr", "-b", expression], &[], &traffic());
        assert_eq!((ran.status, ran.text()), (2, ""), "{expression}");
        let lines: Vec<&str> = ran.stderr.lines().collect();
        let start = format!("nmsg_pcap_input_setfilter: unable to compile bpf '{expression}': ");
        assert!(lines[0].starts_with(&start), "{}", lines[0]);
        let said = &lines[0][start.len()..];
        assert!(said.contains(reason) || reason.contains("arp") && !said.is_empty(), "{said}");
        assert_eq!(lines[1], "nmsgtool: nmsg_pcap_input_setfilter() failed");
        assert_eq!(lines.get(2).copied(), hint.map(|hint| format!("hint: {hint}")).as_deref());
    }
}

#[test]
fn the_expression_in_full_is_a_detail() {
    if !has_libpcap() {
        return;
    }
    for (level, told) in [("-dd", false), ("-ddd", true)] {
        let ran = capture(&["-T", "dnsqr", "-b", "udp port 53", level], &[], &traffic());
        let line = "nmsg_pcap_input_setfilter: using bpf '(((ip) and (udp port 53)) or \
                    (ip[6:2] & 0x3fff != 0) or (ip6))'\n";
        assert_eq!(ran.stderr.contains(line), told, "{level}: {}", ran.stderr);
        assert!(ran.stderr.contains("nmsgtool: pcap file input: -\n"), "{}", ran.stderr);
    }
}

#[test]
fn address_lists_choose_transactions() {
    if !has_libpcap() {
        return;
    }
    for (variables, want) in [
        (&[("DNSQR_RES_ADDRS", "10.0.0.1")][..], &[1][..]),
        (&[("DNSQR_RES_ADDRS", " 10.0.0.0/30 , 2001:db8::1")], &[1, 3]),
        (&[("DNSQR_AUTH_ADDRS", "192.0.2.53")], &[1]),
        (&[("DNSQR_AUTH_ADDRS", "2001:db8::/64"), ("DNSQR_RES_ADDRS", "10.9.9.9")], &[3]),
    ] {
        let ran = capture(&["-T", "dnsqr"], variables, &traffic());
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{variables:?}");
        assert_eq!(ids(ran.text()), want, "{variables:?}");
    }
}

#[test]
fn cp_11_an_expression_replaces_the_lists_with_a_warning() {
    if !has_libpcap() {
        return;
    }
    let variables = [("DNSQR_RES_ADDRS", "10.9.9.9")];
    let ran = capture(&["-T", "dnsqr", "-b", "udp port 53"], &variables, &traffic());
    let want =
        "nmsgtool: warning: -b replaces the filter of DNSQR_RES_ADDRS and DNSQR_AUTH_ADDRS\n";
    assert_eq!((ran.status, &*ran.stderr), (0, want));
    assert_eq!(ids(ran.text()), [1, 3]);
}

#[test]
fn dq_9_unusable_items_of_a_list_are_told() {
    if !has_libpcap() {
        return;
    }
    let variables = [("DNSQR_RES_ADDRS", "10.0.0.1,junk")];
    let ran = capture(&["-T", "dnsqr"], &variables, &traffic());
    let want = "nmsgtool: warning: DNSQR_RES_ADDRS: 'junk' ignored, neither an address nor address/prefix\n";
    assert_eq!((ran.status, &*ran.stderr, ids(ran.text())), (0, want, vec![1]));
}

#[test]
fn variables_choose_what_dnsqr_makes() {
    let packets =
        [query(1, "a.org.").packet(), response(1, "a.org.").packet(), query(2, "b.net.").packet()];
    let (both, waits) = ("UDP_QUERY_RESPONSE", "UDP_UNANSWERED_QUERY");
    for (name, value, want) in [
        ("DNSQR_CAPTURE_QR", "0", &["UDP_QUERY_ONLY", "UDP_QUERY_ONLY"][..]),
        ("DNSQR_CAPTURE_QR", "1", &["UDP_RESPONSE_ONLY"]),
        ("DNSQR_CAPTURE_QR", "", &[both, waits]),
        ("DNSQR_CAPTURE_RD", "0", &[]),
        ("DNSQR_CAPTURE_RD", "1", &[both, waits]),
        ("DNSQR_FILTER_QNAMES_EXCLUDE", "org:x", &[waits]),
        ("DNSQR_FILTER_QNAMES_EXCLUDE", ".", &[]),
        ("DNSQR_STATE_TABLE_MAX", "0x1", &[both, waits]),
        ("DNSQR_QUERY_TIMEOUT", "5", &[both, waits]),
    ] {
        let ran = capture(&["-T", "dnsqr"], &[(name, value)], &packets);
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{name}={value}");
        assert_eq!(kinds(ran.text()), want, "{name}={value}");
    }
    let exempt = [("DNSQR_FILTER_QNAMES_EXCLUDE", "."), ("DNSQR_FILTER_QNAMES_INCLUDE", "a.org")];
    assert_eq!(kinds(capture(&["-T", "dnsqr"], &exempt, &packets).text()), [both]);
}
