//! Field values by type and form (`rendering-and-parsing` §9.3, `message-types` §2.1).

use nmsg::LineErrorKind::{NoRrType, Value};
use nmsg::{Aliases, JsonReader, Registry};

use super::{NOW, body, message};

/// Reads `member` into a message of each row's type; the row says what member comes out.
fn rows(name: &str, member: &str, rows: &[(&str, Option<&str>)]) {
    for &(value, want) in rows {
        let got = message(name, &format!("\"{member}\":{value}"));
        match want {
            Some(want) => {
                let got = got.unwrap_or_else(|error| panic!("{member}: {value}: {error:?}"));
                let want = format!("\"{member}\":{want}");
                assert!(got.contains(&want), "{member}: {value}: {want} not in {got}");
            }
            None => assert_eq!(got, Err(Value), "{member}: {value}"),
        }
    }
}

#[test]
fn ji_3_an_unusable_line_costs_itself_only() {
    let (registry, aliases) = (Registry::builtin(), Aliases::default());
    let mut reader = JsonReader::new(&registry, &aliases);
    let mut bodies = b"before".to_vec();
    let good = br#"{"vname":"base","mname":"ipconn","message":{"proto":6}}"#;
    for bad in [
        &br#"{"vname":"base","mname":"ipconn","message":{"srcip":"1.2.3.4","proto":-6}}"#[..],
        br#"{"vname":"base","mname":"ipconn","message":{"proto":6}"#,
        br#"{"vname":"base","mname":"ipconn","message":{"proto":6},"time":"x"}"#,
        b"garbage",
    ] {
        assert!(reader.read_line(bad, NOW, &mut bodies).is_err());
        assert_eq!(bodies, b"before");
        assert!(reader.read_line(good, NOW, &mut bodies).unwrap().is_some());
        assert_eq!(bodies, b"before\x08\x06");
        bodies.truncate(6);
    }
}

#[test]
fn jo_10_documents_are_shown_where_they_are_valid() {
    let shown = |kind: &str, payload: &[u8]| {
        let mut text = wdns::TextBuffer::new();
        text.base64(payload);
        let members = format!("\"type\":\"{kind}\",\"payload\":\"{}\"", text.to_string_lossy());
        let got = message("base:encode", &members).unwrap();
        let (_, payload) = got.split_once("\"payload\":").unwrap();
        payload.split_once("\"b64\":").unwrap().0.to_owned()
    };
    for (kind, payload, want) in [
        ("TEXT", &b""[..], r#"{"val":"","#),
        ("TEXT", b"a\0b\n", r#"{"val":"a\u0000b\n","#),
        ("YAML", b"\xff\xc3\xa9", "{\"val\":\"\u{fffd}\u{e9}\","),
        ("XML", b"<a b=\"c\"/>", r#"{"val":"<a b=\"c\"/>","#),
        ("JSON", b"{\"a\": 1}", r#"{"val":{"a": 1},"#),
        ("JSON", b"{\n\"a\": 1}\n", r#"{"val":{"a":1},"#),
        ("JSON", b"null", r#"{"val":null,"#),
        ("JSON", b"5 x", "{"),
        ("JSON", b"", "{"),
        ("JSON", b"\"\xff\"", "{"),
        ("MSGPACK", b"\x81\xa1a\x01", "{"),
    ] {
        assert_eq!(shown(kind, payload), want, "{kind} {}", payload.escape_ascii());
    }
}

#[test]
fn strings_take_strings_only() {
    rows(
        "base:logline",
        "message",
        &[
            (r#""hello world""#, Some(r#""hello world""#)),
            (r#""""#, Some(r#""""#)),
            (r#""\u00e9\n\"""#, Some(r#""é\n\"""#)),
            (r#"'it"s'"#, Some(r#""it\"s""#)),
            ("5", None),
            ("true", None),
            ("[]", None),
            ("{}", None),
        ],
    );
    assert_eq!(message("base:logline", r#""message":null"#).unwrap(), "{}");
    assert_eq!(body("base:logline", r#""message":"ab""#), [0x12, 3, b'a', b'b', 0]);
    assert_eq!(body("base:logline", r#""message":"\u00e9""#), [0x12, 3, 0xc3, 0xa9, 0]);
}

#[test]
fn ji_19_strings_end_at_the_first_nul() {
    assert_eq!(body("base:logline", r#""message":"ab\u0000cd""#), [0x12, 3, b'a', b'b', 0]);
    assert_eq!(body("base:logline", r#""message":"\u0000""#), [0x12, 1, 0]);
}

#[test]
fn enumerations_take_names_in_any_letter_case() {
    rows(
        "base:http",
        "type",
        &[
            ("\"sinkhole\"", Some("\"sinkhole\"")),
            ("\"SINKHOLE\"", Some("\"sinkhole\"")),
            ("\"none\"", None),
            ("\"1\"", None),
            ("1.0", None),
            ("true", None),
        ],
    );
}

#[test]
fn ji_7_numbers_of_enumerations_signs_and_ranges() {
    rows(
        "base:http",
        "type",
        &[
            ("1", Some("\"sinkhole\"")),
            ("7", Some("7")),
            ("4294967295", Some("4294967295")),
            ("-1", Some("4294967295")),
            ("-2147483648", Some("2147483648")),
            ("4294967296", None),
            ("-2147483649", None),
        ],
    );
    rows("base:packet", "payload_type", &[("1", Some("\"IP\"")), ("0", Some("0"))]);
    rows(
        "base:ipconn",
        "srcport",
        &[
            ("65535", Some("65535")),
            ("007", Some("7")),
            ("65536", None),
            ("-1", None),
            ("1.0", None),
            ("1e2", None),
            ("\"5\"", None),
            ("true", None),
        ],
    );
    rows(
        "SIE:dnsdedupe",
        "count",
        &[("4294967295", Some("4294967295")), ("4294967296", None), ("-1", None)],
    );
    rows(
        "base:dnsobs",
        "time",
        &[
            ("18446744073709551615", Some("18446744073709551615")),
            ("99999999999999999999", Some("18446744073709551615")),
            ("\"18446744073709551615\"", Some("18446744073709551615")),
            ("\"99999999999999999999\"", Some("18446744073709551615")),
            ("\"5x\"", Some("5")),
            ("\" +5\"", Some("5")),
            ("\"010\"", Some("10")),
            ("-1", None),
            ("\"-1\"", None),
            ("\"\"", None),
            ("\"x\"", None),
            ("5.0", None),
            ("true", None),
        ],
    );
    rows(
        "SIE:delay",
        "delay",
        &[
            ("1", Some("1.0")),
            ("-3", Some("-3.0")),
            ("1.5", Some("1.5")),
            ("1e400", Some("\"inf\"")),
            ("NaN", Some("\"nan\"")),
            ("-Infinity", Some("\"-inf\"")),
            ("\"nan\"", Some("\"nan\"")),
            ("\"inf\"", Some("\"inf\"")),
            ("\"-inf\"", Some("\"-inf\"")),
            ("-0.0", Some("-0.0")),
            ("-.5e1", Some("-5.0")),
            ("5e+", Some("5.0")),
            ("0.200000000000000011", Some("0.200000000000000011")),
            ("\"1\"", None),
            ("\"NaN \"", None),
            ("true", None),
        ],
    );
}

#[test]
fn ji_8_signed_fields_take_both_forms_of_negative_numbers() {
    rows(
        "base:http",
        "p0f_dist",
        &[
            ("-5", Some("-5")),
            ("18446744073709551611", Some("-5")),
            ("18446744073709518848", Some("-32768")),
            ("18446744073709518847", None),
            ("32767", Some("32767")),
            ("32768", None),
            ("-32768", Some("-32768")),
            ("-32769", None),
            ("18446744073709551616", None),
            ("\"-5\"", None),
            ("5.0", None),
        ],
    );
    rows(
        "base:http",
        "p0f_uptime",
        &[
            ("-2147483648", Some("-2147483648")),
            ("18446744071562067968", Some("-2147483648")),
            ("2147483648", None),
            ("18446744071562067967", None),
        ],
    );
    rows(
        "SIE:delay",
        "response_time_sec",
        &[
            ("-5", Some("-5")),
            ("18446744073709551611", Some("-5")),
            ("9223372036854775807", Some("9223372036854775807")),
            ("9223372036854775808", Some("-9223372036854775808")),
            ("18446744073709551616", Some("9223372036854775807")),
            ("-99999999999999999999", Some("-9223372036854775808")),
        ],
    );
    // Negative numbers take ten octets.
    let negative = body("base:http", "\"p0f_dist\":-1");
    assert_eq!(negative, [8, 0, 0x98, 4, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
    let fixed = body("SIE:dnsnx", "\"response_time_nsec\":-1");
    assert!(fixed.ends_with(&[0x3d, 255, 255, 255, 255]));
}

#[test]
fn ji_9_truth_values() {
    rows(
        "SIE:newdomain",
        "new_domain",
        &[
            ("true", Some("true")),
            ("FALSE", Some("false")),
            ("0", Some("false")),
            ("-1", Some("true")),
            ("\"True\"", Some("true")),
            ("\"false\"", Some("false")),
            ("\"yes\"", None),
            ("\"\"", None),
            ("1.0", None),
            ("[]", None),
            ("{}", None),
        ],
    );
}

#[test]
fn addresses_are_strict() {
    rows(
        "base:ipconn",
        "srcip",
        &[
            ("\"1.2.3.4\"", Some("\"1.2.3.4\"")),
            ("\"::FFFF:1.2.3.4\"", Some("\"::ffff:1.2.3.4\"")),
            ("\"1.2.3.4\\u0000x\"", Some("\"1.2.3.4\"")),
            ("\"01.2.3.4\"", None),
            ("\" 1.2.3.4\"", None),
            ("\"::1%lo\"", None),
            ("\"\"", None),
            ("5", None),
        ],
    );
}

#[test]
fn ji_12_base64_is_lenient() {
    rows(
        "base:pkt",
        "payload",
        &[
            ("\"AAE=\"", Some("\"AAE=\"")),
            ("\"AAE\"", Some("\"AAE=\"")),
            ("\"A A-E\"", Some("\"AAE=\"")),
            ("\"AAEC==AAEC\"", Some("\"AAECAAEC\"")),
            ("\"AAE\\u0000AAE\"", Some("\"AAE=\"")),
            ("\"\\/\\/8=\"", Some("\"//8=\"")),
            ("{\"b64\":\"AAE=\"}", Some("\"AAE=\"")),
            ("{\"val\":[1,{\"b64\":\"x\"}],\"b64\":5,\"b64\":\"AAE=\",\"z\":0}", Some("\"AAE=\"")),
            ("\"!!\"", Some("null")),
            ("\"\"", Some("null")),
            ("null", Some("null")),
            ("{\"b64\":5}", None),
            ("{\"b64\":null}", None),
            ("{\"val\":1}", None),
            ("{}", None),
            ("5", None),
            ("[]", None),
        ],
    );
}

#[test]
fn repeated_fields_take_arrays() {
    let keys = |value: &str| message("SIE:newdomain", &format!("\"keys\":{value}"));
    let with = |keys: &str| Ok(format!("{{\"rdata\":[],\"keys\":{keys},\"new_rr\":[]}}"));
    assert_eq!(keys("[\"a\",\"b\\\"\",\"\"]"), with("[\"a\",\"b\\\"\",\"\"]"));
    assert_eq!(keys("[]"), with("[]"));
    assert_eq!(keys("[\"a\",]"), with("[\"a\"]"));
    for bad in ["null", "\"a\"", "{}", "[1]", "[[\"a\"]]", "5"] {
        assert_eq!(keys(bad), Err(Value), "{bad}");
    }
    // Repeated numbers are not packed.
    assert_eq!(body("SIE:newdomain", "\"new_rr\":[true,0]"), [0xb0, 1, 1, 0xb0, 1, 0]);
}

#[test]
fn long_arrays_keep_every_element() {
    for len in [65_535, 65_536, 65_537, 100_000] {
        let truths = "true,false,".repeat(len / 2 + 1);
        let members = format!("\"keys\":[\"a\"],\"new_rr\":[{}\"true\"]", truths);
        let body = body("SIE:newdomain", &members);
        let values = 2 * (len / 2 + 1) + 1;
        assert_eq!(body.len(), 4 + 3 * values, "{len}");
        assert!(body.starts_with(b"\x4a\x02a\0\xb0\x01\x01\xb0\x01\x00"));
        assert!(body.ends_with(b"\xb0\x01\x00\xb0\x01\x01"));
        let bad = members.replace("\"true\"]", "null]");
        assert_eq!(message("SIE:newdomain", &bad), Err(Value), "{len}");
    }
}

#[test]
fn ji_4_null_inside_an_array_is_unusable() {
    for (name, members) in [
        ("SIE:newdomain", "\"keys\":[null]"),
        ("SIE:newdomain", "\"new_rr\":[true,null]"),
        ("base:dnsqr", "\"query_packet\":[null]"),
        ("base:dns", "\"rrtype\":\"A\",\"rrclass\":\"IN\",\"rdata\":[\"1.2.3.4\",null]"),
    ] {
        assert_eq!(message(name, members), Err(Value), "{members}");
    }
}

#[test]
fn names_follow_the_rules_of_text_names() {
    let long = format!("\"{}a\"", "a.".repeat(126));
    let too_long = format!("\"{}ab\"", "a.".repeat(126));
    let label = format!("\"{}\"", "a".repeat(63));
    let label_too_long = format!("\"{}\"", "a".repeat(64));
    rows(
        "base:dns",
        "qname",
        &[
            ("\"a.b\"", Some("\"a.b.\"")),
            ("\"A.b.\"", Some("\"A.b.\"")),
            ("\"\"", Some("\".\"")),
            ("\".\"", Some("\".\"")),
            ("\"a b\"", Some("\"a\\\\032b.\"")),
            ("\"a\\\\065b\"", Some("\"aAb.\"")),
            ("\"a\\\\.b\"", Some("\"a\\\\.b.\"")),
            ("\"a\\u0000b\"", Some("\"a.\"")),
            ("\"a..b\"", None),
            ("\".a\"", None),
            ("\"a\\\\25\"", None),
            ("\"a\\\\256\"", None),
            ("\"a\\\\\"", None),
            ("5", None),
            (&long, Some(&long[..10])),
            (&too_long, None),
            (&label, Some(&label[..10])),
            (&label_too_long, None),
        ],
    );
}

#[test]
fn helper_forms_take_strings_only() {
    for (name, member, text, number) in [
        ("base:dns", "rrtype", "\"A\"", "1"),
        ("base:dns", "rrclass", "\"IN\"", "1"),
        ("SIE:dnsdedupe", "rrclass", "\"IN\"", "1"),
        ("base:dnsqr", "rcode", "\"NOERROR\"", "0"),
        ("base:dnsqr", "proto", "\"UDP\"", "17"),
        ("base:dnsobs", "sensor_id", "\"aa\"", "170"),
        ("SIE:dnsdedupe", "time_first", "\"2023-11-14 22:13:20\"", "1700000000"),
        ("base:dns", "qname", "\"a.\"", "1"),
    ] {
        rows(name, member, &[(text, Some(text)), (number, None), ("[]", None), ("true", None)]);
        assert!(message(name, &format!("\"{member}\":null")).is_ok(), "{member}");
    }
}

#[test]
fn ji_17_sie_classes_and_types() {
    rows(
        "SIE:dnsdedupe",
        "rrclass",
        &[
            ("\"CH\"", Some("\"CH\"")),
            ("\"CLASS77\"", Some("\"<UNKNOWN>\"")),
            ("\"<UNKNOWN>\"", Some("\"IN\"")),
            ("\"nonsense\"", None),
        ],
    );
    rows("SIE:dnsdedupe", "rrtype", &[("\"TYPE0\"", Some("\"TYPE0\"")), ("\"x\"", None)]);
}

#[test]
fn ji_18_times_and_hex_ids_out_of_range() {
    rows(
        "SIE:dnsdedupe",
        "time_first",
        &[
            ("\"2106-02-07 06:28:15\"", Some("\"2106-02-07 06:28:15\"")),
            ("\"2106-02-07 06:28:16\"", None),
            ("\"1969-12-31 23:59:59\"", None),
            ("\"2023-02-31 00:00:00 and more\"", Some("\"2023-03-03 00:00:00\"")),
        ],
    );
    rows(
        "base:dnsobs",
        "sensor_id",
        &[("\"ffffffff\"", Some("\"ffffffff\"")), ("\"100000000\"", None), ("\"\"", Some("\"0\""))],
    );
}

#[test]
fn record_data_needs_no_order_of_keys() {
    let rdata = |members: &str| message("base:dns", members);
    let want = r#"{"rrclass":"IN","rrtype":"MX","rdata":["10 mx.x.","5 a."]}"#;
    let members = [r#""rdata":["10 mx.x","5  a. extra"]"#, r#""rrtype":"MX""#, r#""rrclass":"IN""#];
    for order in [[0, 1, 2], [1, 2, 0], [2, 0, 1]] {
        assert_eq!(rdata(&order.map(|at| members[at]).join(",")).as_deref(), Ok(want));
    }
    for bad in ["[\"x\"]", "[5]", "\"10 a.\"", "null"] {
        let got = rdata(&format!("\"rrtype\":\"MX\",\"rrclass\":\"IN\",\"rdata\":{bad}"));
        assert_eq!(got, Err(Value), "{bad}");
    }
    let generic = r#"{"rrclass":"CLASS77","rrtype":"TYPE65280","rdata":["\\# 2 01 02 "]}"#;
    assert_eq!(
        rdata(r#""rrclass":"CLASS77","rrtype":"TYPE65280","rdata":["\\# 2 0102"]"#).as_deref(),
        Ok(generic)
    );
    assert_eq!(rdata(r#""rrtype":"OPT","rrclass":"IN","rdata":["x"]"#), Err(Value));
}

#[test]
fn ji_15_record_data_without_type_or_class_is_unusable() {
    for members in [
        r#""rdata":["1.2.3.4"]"#,
        r#""rrclass":"IN","rdata":["1.2.3.4"]"#,
        r#""rrtype":"A","rrclass":null,"rdata":["1.2.3.4"]"#,
    ] {
        assert_eq!(message("base:dns", members), Err(NoRrType), "{members}");
    }
    assert_eq!(message("base:dns", "\"rdata\":[]").as_deref(), Ok("{\"rdata\":[]}"));
}

#[test]
fn ji_16_the_text_of_a_dns_message_is_left_out_and_counted() {
    let (registry, aliases) = (Registry::builtin(), Aliases::default());
    let mut reader = JsonReader::new(&registry, &aliases);
    let mut read = |value: &str| {
        let line = format!(
            "{{\"vname\":\"SIE\",\"mname\":\"dnsdedupe\",\
             \"message\":{{\"count\":5,\"response\":{value}}}}}"
        );
        let mut body = Vec::new();
        reader.read_line(line.as_bytes(), NOW, &mut body).map(|_| body).map_err(|error| error.kind)
    };
    assert_eq!(read("\";; ->>HEADER<<- \\n\""), Ok(vec![0x50, 5]));
    assert_eq!(read("\"\""), Ok(vec![0x50, 5]));
    assert_eq!(read("null"), Ok(vec![0x50, 5]));
    assert_eq!(read("5"), Err(Value));
    assert_eq!(reader.notices().response_texts(), 2);
}

#[test]
fn ji_14_dnstap_is_rebuilt_from_its_flattened_keys() {
    let members = r#""identity":"aWQ=","type":"MESSAGE","message_type":"CLIENT_RESPONSE","socket_family":"INET6","socket_protocol":"TCP","query_address":"2001:db8::1","query_port":1000,"query_time_sec":1700000000,"query_time_nsec":5,"response_address":"2001:db8::2","response_port":53,"response_time_sec":1700000001,"response_time_nsec":6,"query_zone":"com.""#;
    assert_eq!(message("base:dnstap", members), Ok(format!("{{{members}}}")));
    assert_eq!(
        body(
            "base:dnstap",
            r#""type":1,"query_port":53,"message_type":"AUTH_QUERY","query_time_nsec":7"#
        ),
        [0x72, 9, 0x08, 1, 0x30, 53, 0x4d, 7, 0, 0, 0, 0x78, 1]
    );
    // Keys that are read from the DNS message are ignored, whatever they say.
    let parsed = r#""type":"MESSAGE","id":"x","qname":5,"query_json":{"a":[1]}"#;
    assert_eq!(message("base:dnstap", parsed).as_deref(), Ok("{\"type\":\"MESSAGE\"}"));
}

#[test]
fn ji_14_unknown_enumeration_numbers_and_empty_messages_round_trip() {
    let unknown = r#"{"type":7,"message_type":99,"socket_family":3,"socket_protocol":4294967295}"#;
    assert_eq!(message("base:dnstap", &unknown[1..unknown.len() - 1]).as_deref(), Ok(unknown));
    // The embedded message always has a type, the outer one too.
    assert_eq!(
        message("base:dnstap", "\"query_port\":5").as_deref(),
        Ok(
            r#"{"type":"MESSAGE","message_type":"AUTH_QUERY","socket_family":"INET","socket_protocol":"UDP","query_port":5}"#
        )
    );
    assert_eq!(
        message("base:dnstap", "\"query_port\":null").as_deref(),
        Ok(r#"{"type":"MESSAGE"}"#)
    );
    for empty in ["base:ipconn", "base:logline", "base:dns", "SIE:dnsdedupe", "SIE:newdomain"] {
        assert_eq!(body(empty, ""), b"", "{empty}");
    }
    let encode = r#"{"type":"MSGPACK","payload":{"b64":"gaFhAQ=="}}"#;
    assert_eq!(message("base:encode", &encode[1..encode.len() - 1]).as_deref(), Ok(encode));
}

#[test]
fn cw_6_required_fields_are_always_written() {
    for (name, want) in [
        ("base:linkpair", &[8, 0, 0x12, 0, 0x1a, 0][..]),
        ("base:pkt", &[0x0a, 0]),
        ("base:dnstap", &[0x78, 1]),
        ("SIE:delay", &[0x0a, 0, 0x12, 0, 0x19, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0]),
    ] {
        assert_eq!(body(name, ""), want, "{name}");
        assert!(message(name, "").is_ok(), "{name} decodes");
    }
}

#[test]
fn my_8_a_packet_without_its_type_is_ip() {
    assert_eq!(
        message("base:packet", "\"payload\":\"RQ==\"").as_deref(),
        Ok(r#"{"payload_type":"IP","payload":"RQ=="}"#)
    );
}
