//! Decisions about what is shown of unusual payloads.

use nmsg::{Payload, Unrenderable, wire};

use crate::Value::{Number, Octets};
use crate::{body, json, lines, message, payload};

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
