//! Decisions about what is shown of unusual payloads.

use nmsg::{Payload, Unrenderable, wire};

use crate::Value::{Number, Octets};
use crate::{body, json, lines, lines_ending_in, message, ncap, payload};

#[test]
fn cr_9_an_undecodable_ncap_or_dnstap_is_like_any_other() {
    for msgtype in [1, 13, 5] {
        let (record, result) = json(&payload(1, msgtype, &[0x0b]));
        assert_eq!(result, Err(Unrenderable::Undecodable(wire::Error::BadTag)), "{msgtype}");
        assert!(record.ends_with(",\"payload\":\"Cw==\"}"), "{record}");
    }
}

#[test]
fn jo_2_fallback_records_name_what_is_registered() {
    let time = "{\"time\":\"1970-01-01 00:00:00.000000000\",";
    for (name, payload, want) in [
        ("unknown vendor", payload(77, 3, &[1]), "\"vid\":77,\"msgtype\":3,\"payload\":\"AQ==\"}"),
        (
            "unknown type",
            payload(1, 99, b""),
            "\"vid\":1,\"msgtype\":99,\"vname\":\"base\",\"payload\":\"\"}",
        ),
        (
            "absent, with labels",
            Payload { body: None, source: Some(0xab), operator: Some(5), ..payload(2, 1, b"") },
            "\"vid\":2,\"msgtype\":1,\"vname\":\"SIE\",\"mname\":\"dnsdedupe\",\
             \"source\":\"000000ab\",\"operator\":5,\"payload\":null}",
        ),
    ] {
        assert_eq!(json(&payload).0, format!("{time}{want}"), "{name}");
    }
}

#[test]
fn jo_9_empty_octets_are_null_and_repeated_fields_are_always_there() {
    let empty = body(&[(1, Octets(b"")), (2, Octets(b""))]);
    assert_eq!(message(&payload(1, 10, &empty)), "{\"xmltype\":\"\",\"xmlpayload\":null}");
    assert_eq!(message(&payload(2, 1, b"")), "{\"rdata\":[]}");
    let short = body(&[(2, Octets(b"abc"))]);
    assert_eq!(message(&payload(1, 5, &short)), "{\"srcip\":null}");
}

/// A response: google.com, one address.
const DNS: &[u8] = b"\x1b\xb0\x81\x80\0\x01\0\x01\0\0\0\0\x06google\x03com\0\0\x01\0\x01\
    \xc0\x0c\0\x01\0\x01\0\0\x01\x2b\0\x04\xac\xd9\x03\x6e";

#[test]
fn jo_3_negative_numbers_are_signed() {
    let minus = |tag, number: i64| body(&[(tag, Number(number.cast_unsigned()))]);
    let http = |distance| [body(&[(1, Number(0))]), minus(67, distance)].concat();
    for (name, msgtype, body, want) in [
        ("int16", 4, http(-2), "\"p0f_dist\":-2"),
        ("int16, smallest", 4, http(-32_768), "\"p0f_dist\":-32768"),
        ("int64, repeated", 9, query(&minus(13, -1)), "\"query_time_sec\":[-1]"),
        ("int64, smallest", 9, query(&minus(13, i64::MIN)), "[-9223372036854775808]"),
    ] {
        let text = message(&payload(1, msgtype, &body));
        assert!(text.contains(want), "{name}: {text}");
    }
}

/// A `base:dnsqr` from port 53 to port 53 over UDP, and further fields.
fn query(further: &[u8]) -> Vec<u8> {
    let mut query = body(&[(1, Number(1)), (2, Octets(&[1, 2, 3, 4])), (3, Octets(&[5, 6, 7, 8]))]);
    query.extend(body(&[(4, Number(17)), (5, Number(53)), (6, Number(53)), (7, Number(7))]));
    query.extend_from_slice(further);
    query
}

#[test]
fn jo_11_json_of_ncap_has_what_is_stored_and_ports_of_the_packet() {
    let ip = body(&[(1, Number(0)), (2, Octets(&ncap::datagram(b"")))]);
    assert!(lines(&payload(1, 1, &ip)).contains("\nsrcip: 1.2.3.4\ndstip: 5.6.7.8\n"));
    let text = message(&payload(1, 1, &ip));
    let want = "{\"type\":\"IPV4\",\"srcport\":53,\"dstport\":1000,\"proto\":17,\"payload\":";
    assert!(text.starts_with(want), "{text}");

    let legacy = legacy(1, 4000, 9, b"abc");
    let want = "{\"type\":\"Legacy\",\"ltype\":\"TCP\",\"srcip\":\"1.2.3.4\",\"dstip\":\"5.6.7.8\",\
        \"lint0\":4000,\"lint1\":9,\"srcport\":4000,\"dstport\":9,\"proto\":6,\"payload\":\"YWJj\"}";
    assert_eq!(message(&payload(1, 1, &legacy)), want);
    let text = lines(&payload(1, 1, &legacy));
    assert!(!text.contains("ltype") && !text.contains("lint"), "hidden: {text}");
}

#[test]
fn jo_11_json_of_dnsqr_has_a_checksum_only_when_it_is_stored() {
    let packet = body(&[(15, Octets(&ncap::datagram(DNS)))]);
    let computed = query(&packet);
    assert!(lines(&payload(1, 9, &computed)).contains("\nudp_checksum: ABSENT\n"));
    assert!(!message(&payload(1, 9, &computed)).contains("udp_checksum"));
    let stored = [computed, body(&[(21, Number(2))])].concat();
    assert!(message(&payload(1, 9, &stored)).contains("\"udp_checksum\":\"INCORRECT\""));
}

#[test]
fn jo_12_the_response_of_sie_types_is_text() {
    let response = body(&[(15, Octets(DNS))]);
    let dump = ";; ->>HEADER<<- opcode: QUERY, rcode: NOERROR, id: 7088\\n\
        ;; flags: qr rd ra; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 0\\n\\n\
        ;; QUESTION SECTION:\\n;google.com. IN A\\n\\n\
        ;; ANSWER SECTION:\\ngoogle.com. 299 IN A 172.217.3.110\\n\\n\
        ;; AUTHORITY SECTION:\\n\\n;; ADDITIONAL SECTION:\\n";
    let want = format!("{{\"rdata\":[],\"response\":\"{dump}\"}}");
    assert_eq!(message(&payload(2, 1, &response)), want);
}

#[test]
fn dt_8_classes_of_sie_types_have_few_names() {
    for (class, name) in
        [(1, "IN"), (3, "CH"), (4, "HS"), (255, "ANY"), (0, "<UNKNOWN>"), (65_280, "<UNKNOWN>")]
    {
        let body = body(&[(3, Number(class))]);
        let want = format!("{{\"rrclass\":\"{name}\",\"rdata\":[]}}");
        assert_eq!(message(&payload(2, 1, &body)), want);
        assert_eq!(lines(&payload(2, 1, &body)), format!("rrclass: {name} ({class})\n\n"));
    }
}

#[test]
fn po_3_text_is_written_as_it_is_stored() {
    let line = body(&[(1, Octets(b"cat")), (2, Octets(b"one\ntwo\t\xff\0hidden\0"))]);
    assert_eq!(lines(&payload(1, 6, &line)), "category: cat\nmessage: one\ntwo\t\u{fffd}\n\n");
    let mail = body(&[(2, Octets(b"head\n.\ntail\0")), (4, Octets(b"x"))]);
    let want = "headers:\nhead\n.\ntail.\nsrchost: x\n\n";
    assert_eq!(lines(&payload(1, 2, &mail)), want, "nothing tells the middle from the end");
}

#[test]
fn po_4_protocols_and_messages_keep_real_newlines() {
    let text = lines_ending_in(b"|", &payload(1, 9, &query(&[])));
    assert!(text.contains("|proto: UDP (17)\nquery_port: 53|"), "{text}");
    let text = lines_ending_in(b"|", &payload(2, 1, &body(&[(15, Octets(DNS))])));
    let (first, rest) = text.split_once(";; ->>HEADER<<- ").unwrap();
    assert_eq!(first, "response: [44 octets]|");
    let (dump, end) = rest.split_once("\n;; ADDITIONAL SECTION:\n").unwrap();
    assert!(dump.contains("\n;google.com. IN A\n\n;; ANSWER SECTION:\n"), "{dump}");
    assert_eq!(end, "---|\n");
}

#[test]
fn po_2_unknown_types_show_their_unsigned_numbers() {
    let text = lines(&payload(4_000_000_000, u32::MAX, b"x"));
    assert_eq!(text, "<UNKNOWN NMSG 4000000000:4294967295>\n\n");
}

#[test]
fn po_7_record_data_without_its_type_is_generic() {
    let rdata = body(&[(5, Octets(&[1, 0xab]))]);
    assert_eq!(lines(&payload(1, 7, &rdata)), "rdata: \\# 2 01 ab \n\n");
    assert_eq!(message(&payload(1, 7, &rdata)), "{\"rdata\":[\"\\\\# 2 01 ab \"]}");
}

#[test]
fn po_8_dnstap_numbers_without_a_name_are_shown() {
    let inner = body(&[(1, Number(40)), (3, Number(3))]);
    let outer = body(&[(14, Octets(&inner)), (15, Number(1))]);
    let text = lines(&payload(1, 13, &outer));
    assert!(text.contains("message_type: <UNKNOWN ENUM VAL=40>\n"), "{text}");
    assert!(
        text.contains("socket_family: INET\nsocket_protocol: <UNKNOWN ENUM VAL=3>\n"),
        "{text}"
    );
    let text = message(&payload(1, 13, &outer));
    assert!(text.contains("\"message_type\":40,\"socket_family\":\"INET\",\"socket_protocol\":3"));
}

#[test]
fn my_1_ncap_of_an_unknown_kind_says_so() {
    let unknown = body(&[(1, Number(5)), (2, Octets(b"abc"))]);
    let want = "type: <UNKNOWN ENUM VAL=5>\npayload:\n<ERROR: unknown ncap type 5>\n";
    assert!(lines(&payload(1, 1, &unknown)).starts_with(want));
    let legacy = body(&[(1, Number(2)), (3, Number(9)), (2, Octets(b"abc"))]);
    let text = lines(&payload(1, 1, &legacy));
    assert!(text.starts_with("type: Legacy\npayload:\n<ERROR: unknown ncap type 9>\n"), "{text}");
}

/// A `base:ncap` as the capture tool before NMSG stored it.
fn legacy(kind: u64, source_port: u64, destination_port: u64, octets: &[u8]) -> Vec<u8> {
    body(&[
        (1, Number(2)),
        (3, Number(kind)),
        (4, Octets(&[1, 2, 3, 4])),
        (5, Octets(&[5, 6, 7, 8])),
        (6, Number(source_port)),
        (7, Number(destination_port)),
        (2, Octets(octets)),
    ])
}

#[test]
fn my_4_dns_of_ncap_is_what_a_dns_port_carries() {
    let ip = |octets: &[u8]| body(&[(1, Number(0)), (2, Octets(octets))]);
    let padded = [&ncap::datagram(b"dns")[..], b"padding"].concat();
    let tcp = {
        let mut packet = ncap::datagram(b"dns");
        packet[9] = 6;
        packet
    };
    for (name, ncap, want) in [
        ("UDP from port 53", ip(&ncap::datagram(b"dns")), Some("ZG5z")),
        ("padding is no part of it", ip(&padded), Some("ZG5z")),
        ("TCP in a packet", ip(&tcp), None),
        ("stored UDP", legacy(0, 53, 1000, b"dns"), Some("ZG5z")),
        ("stored TCP, whatever it is", legacy(1, 1000, 53, b"dns"), Some("ZG5z")),
        ("multicast DNS", legacy(0, 1000, 5353, b"dns"), Some("ZG5z")),
        ("other ports", legacy(1, 1000, 9, b"dns"), None),
        ("ICMP has no ports", legacy(2, 53, 53, b"dns"), None),
    ] {
        let text = message(&payload(1, 1, &ncap));
        let dns = text.split_once("\"dns\":\"").map(|(_, rest)| rest.trim_end_matches("\"}"));
        assert_eq!(dns, want, "{name}: {text}");
    }
    // All that was captured is the payload: this ends in the base64 of `dnspadding`.
    let text = message(&payload(1, 1, &ip(&padded)));
    assert!(text.contains("AGRuc3BhZGRpbmc=\",\"dns\":"), "{text}");
}

#[test]
fn my_5_dnstap_takes_number_and_code_from_the_query() {
    let header = |id: u8, rcode: u8| [0, id, 0, rcode, 0, 0, 0, 0, 0, 0, 0, 0];
    let (query, response) = (header(7, 0), header(9, 3));
    let inner = body(&[(1, Number(5)), (10, Octets(&query)), (14, Octets(&response))]);
    let text = lines(&payload(1, 13, &body(&[(14, Octets(&inner)), (15, Number(1))])));
    assert!(text.contains("\nid: 7\nrcode: NOERROR (0)\n"), "{text}");
    let inner = body(&[(1, Number(6)), (14, Octets(&response))]);
    let text = lines(&payload(1, 13, &body(&[(14, Octets(&inner)), (15, Number(1))])));
    assert!(text.contains("\nid: 9\nrcode: NXDOMAIN (3)\n"), "{text}");
}

#[test]
fn my_10_dnsqr_with_fewer_times_than_packets_has_no_delay() {
    let mut fields = vec![(1, Number(1)), (2, Octets(&[1, 2, 3, 4])), (3, Octets(&[5, 6, 7, 8]))];
    fields.extend([(4, Number(17)), (5, Number(53)), (6, Number(53)), (7, Number(1))]);
    fields.extend([(13, Number(10)), (16, Number(12))]);
    let text = lines(&payload(1, 9, &body(&fields)));
    assert!(text.starts_with("type: UDP_QUERY_RESPONSE\n") && !text.contains("delay"), "{text}");
}
