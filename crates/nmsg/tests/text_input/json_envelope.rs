//! The keys around a message (`rendering-and-parsing` §9.2).

use nmsg::LineErrorKind::{
    self, Fallback, Group, Incomplete, NoMessage, NoType, NotAnObject, Operator, Source, Syntax,
    Time, UnknownType,
};
use nmsg::{Aliases, JsonReader, LabelKey, Registry, Timestamp};

use super::{NOW, read, to_json};

/// A record of an empty message with these further members, read and written again.
fn envelope(members: &str) -> Result<String, LineErrorKind> {
    let line = format!("{{\"vname\":\"base\",\"mname\":\"ipconn\",{members}\"message\":{{}}}}");
    let (header, body) = read(line.as_bytes())?.unwrap();
    Ok(to_json(&header.payload(&body)))
}

/// The time of a record whose key `time` has this value.
fn time(value: &str) -> Result<Timestamp, LineErrorKind> {
    let line =
        format!("{{\"vname\":\"base\",\"mname\":\"ipconn\",\"time\":{value},\"message\":{{}}}}");
    Ok(read(line.as_bytes())?.unwrap().0.time)
}

#[test]
fn keys_are_required_or_not_and_may_have_any_order() {
    for (name, line, want) in [
        ("usual", r#"{"vname":"base","mname":"ipconn","message":{"proto":6}}"#, Ok("proto")),
        (
            "message first",
            r#"{"message":{"proto":6},"mname":"ipconn","vname":"base"}"#,
            Ok("proto"),
        ),
        (
            "message between",
            r#"{"mname":"ipconn","message":{"proto":6},"vname":"base"}"#,
            Ok("proto"),
        ),
        (
            "any letter case",
            r#"{"vname":"BASE","mname":"IpConn","message":{"proto":6}}"#,
            Ok("proto"),
        ),
        (
            "former vendor name",
            r#"{"vname":"isc","mname":"ipconn","message":{"proto":6}}"#,
            Ok("proto"),
        ),
        (
            "unknown keys",
            r#"{"x":[{}],"vname":"base","mname":"ipconn","message":{"y":1,"proto":6}}"#,
            Ok("proto"),
        ),
        (
            "escaped key",
            r#"{"vn\u0061me":"base","mname":"ipc\u006fnn","message":{"pr\u006fto":6}}"#,
            Ok("proto"),
        ),
        (
            "key cut at NUL",
            r#"{"vname\u0000x":"base","mname":"ipconn\u0000y","message":{"proto\u0000z":6}}"#,
            Ok("proto"),
        ),
        ("no vendor", r#"{"mname":"ipconn","message":{}}"#, Err(NoType)),
        ("no type", r#"{"vname":"base","message":{}}"#, Err(NoType)),
        ("vendor not a string", r#"{"vname":null,"mname":"ipconn","message":{}}"#, Err(NoType)),
        ("type not a string", r#"{"vname":"base","mname":5,"message":{}}"#, Err(NoType)),
        ("unknown vendor", r#"{"vname":"none","mname":"ipconn","message":{}}"#, Err(UnknownType)),
        ("unknown type", r#"{"vname":"SIE","mname":"ipconn","message":{}}"#, Err(UnknownType)),
        ("no message", r#"{"vname":"base","mname":"ipconn"}"#, Err(NoMessage)),
        ("array", r#"[{"vname":"base","mname":"ipconn","message":{}}]"#, Err(NotAnObject)),
        ("cut", r#"{"vname":"base","mname":"ipconn","message":{}"#, Err(Incomplete)),
        ("not JSON", "category: x", Err(NotAnObject)),
        (
            "bad escape in an unknown key",
            r#"{"\q":1,"vname":"base","mname":"ipconn","message":{}}"#,
            Err(Syntax),
        ),
        ("byte order mark", "\u{feff}{}", Err(NotAnObject)),
    ] {
        let got = read(line.as_bytes()).map(|record| {
            let (header, body) = record.unwrap();
            let text = to_json(&header.payload(&body));
            assert!(
                text.ends_with(r#""vname":"base","mname":"ipconn","message":{"proto":6}}"#),
                "{text}"
            );
            "proto"
        });
        assert_eq!(got, want, "{name}");
    }
}

#[test]
fn lines_of_blanks_are_skipped() {
    for line in ["", "\n", "\r", " \t\r\n", "/* nothing */"] {
        assert_eq!(read(line.as_bytes()), Ok(None), "{line:?}");
    }
}

#[test]
fn ji_11_text_after_the_value_and_other_messages_than_objects() {
    for tail in [" garbage", "}}}", " // x", "\0{"] {
        let line = format!(
            "{{\"vname\":\"base\",\"mname\":\"ipconn\",\"message\":{{\"proto\":1}}}}{tail}"
        );
        assert!(read(line.as_bytes()).unwrap().is_some(), "{tail:?}");
    }
    for value in ["[]", "\"x\"", "5", "null", "true", "[{\"proto\":1}]"] {
        let line = format!("{{\"vname\":\"base\",\"mname\":\"ipconn\",\"message\":{value}}}");
        let (header, body) = read(line.as_bytes()).unwrap().unwrap();
        assert!(header.has_body && body.is_empty(), "{value}");
    }
}

#[test]
fn ji_11_the_last_of_duplicate_keys_wins() {
    for (name, line, want) in [
        (
            "vendor",
            r#"{"vname":"base","vname":"SIE","mname":"qr","message":{"num_response":7}}"#,
            "SIE\",\"mname\":\"qr\",\"message\":{\"type\":\"QUERY\",\"num_response\":7}}",
        ),
        (
            "type behind the message",
            r#"{"vname":"base","mname":"ipconn","message":{"proto":1},"mname":"logline","x":0}"#,
            "base\",\"mname\":\"logline\",\"message\":{}}",
        ),
        (
            "message",
            r#"{"vname":"base","mname":"ipconn","message":{"proto":1},"message":{"srcport":2}}"#,
            "base\",\"mname\":\"ipconn\",\"message\":{\"srcport\":2}}",
        ),
        (
            "message replaced by none",
            r#"{"vname":"base","mname":"ipconn","message":{"proto":1},"message":null}"#,
            "base\",\"mname\":\"ipconn\",\"message\":{}}",
        ),
        (
            "field",
            r#"{"vname":"base","mname":"ipconn","message":{"proto":"bad","proto":1}}"#,
            "base\",\"mname\":\"ipconn\",\"message\":{\"proto\":1}}",
        ),
        (
            "field removed",
            r#"{"vname":"base","mname":"ipconn","message":{"proto":1,"proto":null}}"#,
            "base\",\"mname\":\"ipconn\",\"message\":{}}",
        ),
        (
            "array",
            r#"{"vname":"SIE","mname":"newdomain","message":{"keys":["a","b"],"keys":["c"]}}"#,
            "SIE\",\"mname\":\"newdomain\",\"message\":{\"rdata\":[],\"keys\":[\"c\"],\"new_rr\":[]}}",
        ),
    ] {
        let (header, body) = read(line.as_bytes()).unwrap().unwrap();
        let text = to_json(&header.payload(&body));
        assert_eq!(text.split_once("\"vname\":\"").unwrap().1, want, "{name}");
    }
    let dup = r#"{"vname":"base","mname":"ipconn","time":"bad","time":7,"message":{}}"#;
    assert_eq!(read(dup.as_bytes()).unwrap().unwrap().0.time.sec, 7);
}

#[test]
fn times_are_strings_or_seconds() {
    let at = |sec, nsec| Ok(Timestamp { sec, nsec });
    for (value, want) in [
        ("\"2023-11-14 22:13:20.123456789\"", at(NOW.sec, 123_456_789)),
        ("\"2023-11-14 22:13:20\"", at(NOW.sec, 0)),
        ("\"2023-11-14\\u002022:13:20\"", at(NOW.sec, 0)),
        ("5", at(5, 0)),
        ("-5", at(-5, 0)),
        ("9999999999", at(9_999_999_999, 0)),
        ("99999999999999999999", at(i64::MAX, 0)),
        ("-99999999999999999999", at(i64::MIN, 0)),
        ("null", Err(Time)),
        ("true", Err(Time)),
        ("[]", Err(Time)),
        ("\"5\"", Err(Time)),
        ("\"\"", Err(Time)),
    ] {
        assert_eq!(time(value), want, "{value}");
    }
    let line = br#"{"vname":"base","mname":"ipconn","message":{}}"#;
    assert_eq!(read(line).unwrap().unwrap().0.time, NOW);
}

#[test]
fn ji_5_time_fractions_letters_and_offsets() {
    for (text, sec, nsec) in [
        ("2023-11-14 22:13:20.5", NOW.sec, 500_000_000),
        ("2023-11-14T22:13:20.25Z", NOW.sec, 250_000_000),
        ("2023-11-15T00:13:20+02:00", NOW.sec, 0),
        ("2023-11-14 20:13:20-0200", NOW.sec, 0),
        ("2023-11-14 22:13:20.0000000019", NOW.sec, 1),
        ("2023-11-14 22:13:20 anything", NOW.sec, 0),
    ] {
        assert_eq!(time(&format!("\"{text}\"")), Ok(Timestamp { sec, nsec }), "{text}");
    }
}

#[test]
fn ji_6_float_times() {
    let at = |sec, nsec| Ok(Timestamp { sec, nsec });
    for (value, want) in [
        ("5.5", at(5, 500_000_000)),
        ("-5.5", at(-6, 500_000_000)),
        ("4294967296.25", at(4_294_967_296, 250_000_000)),
        ("1e9", at(1_000_000_000, 0)),
        ("1700000000.123456789", at(NOW.sec, 123_456_716)),
        ("1e30", Err(Time)),
        ("NaN", Err(Time)),
        ("-Infinity", Err(Time)),
    ] {
        assert_eq!(time(value), want, "{value}");
    }
}

#[test]
fn labels_are_numbers_or_text() {
    for (members, want) in [
        (r#""source":"abcdef01","#, Ok(r#","source":"abcdef01""#)),
        (r#""source":"0xABcdef01","#, Ok(r#","source":"abcdef01""#)),
        (r#""source":" 12","#, Ok(r#","source":"00000012""#)),
        (r#""source":"123456789abcdef","#, Ok(r#","source":"89abcdef""#)),
        (r#""source":"123456789abcdef0123456789","#, Ok(r#","source":"ffffffff""#)),
        (r#""source":5,"#, Ok(r#","source":"00000005""#)),
        (r#""source":-1,"#, Ok(r#","source":"ffffffff""#)),
        (r#""source":4294967297,"#, Ok(r#","source":"00000001""#)),
        (r#""source":99999999999999999999,"#, Ok(r#","source":"ffffffff""#)),
        (r#""source":0,"#, Ok("")),
        (r#""source":"0","#, Ok("")),
        (r#""source":null,"#, Err(Source)),
        (r#""source":5.0,"#, Err(Source)),
        (r#""operator":5,"group":6,"#, Ok(r#","operator":5,"group":6"#)),
        (r#""operator":-1,"#, Ok(r#","operator":4294967295"#)),
        (r#""operator":6442450944,"#, Ok(r#","operator":2147483648"#)),
        (r#""operator":0,"group":0,"#, Ok("")),
        (r#""operator":"5","#, Ok("")),
        (r#""operator":null,"#, Err(Operator)),
        (r#""operator":5.0,"#, Err(Operator)),
        (r#""operator":true,"#, Err(Operator)),
        (r#""group":[],"#, Err(Group)),
        (r#""group":null,"#, Err(Group)),
    ] {
        let got = envelope(members).map(|text| {
            let (_, labels) = text.split_once("\"mname\":\"ipconn\"").unwrap();
            labels.split_once(",\"message\"").unwrap().0.to_owned()
        });
        assert_eq!(got, want.map(str::to_owned), "{members}");
    }
}

#[test]
fn ji_9_source_text_that_is_not_hexadecimal_is_unusable() {
    for text in ["zz", "12zz", "", "0x", "-1", "12 "] {
        assert_eq!(envelope(&format!("\"source\":\"{text}\",")), Err(Source), "{text:?}");
    }
}

#[test]
fn ji_10_unknown_names_are_left_out_and_said_once() {
    let registry = Registry::builtin();
    let mut aliases = Aliases::default();
    aliases.operators.insert(101, b"QA");
    aliases.groups.insert(7, b"Lab");
    let mut reader = JsonReader::new(&registry, &aliases);
    let mut labels = |members: &str| {
        let line =
            format!("{{\"vname\":\"base\",\"mname\":\"ipconn\",{members},\"message\":{{}}}}");
        let header = reader.read_line(line.as_bytes(), NOW, &mut Vec::new()).unwrap().unwrap();
        (header.operator, header.group)
    };
    assert_eq!(labels(r#""operator":"qa","group":"LAB""#), (Some(101), Some(7)));
    assert_eq!(labels(r#""operator":"Lab","group":"QA""#), (None, None));
    assert_eq!(labels(r#""operator":"Lab","group":9"#), (None, Some(9)));
    let notices = reader.notices();
    let said: Vec<_> = notices.take_unknown_names();
    let said: Vec<_> = said.iter().map(|(key, name)| (*key, &**name)).collect();
    assert_eq!(said, [(LabelKey::Operator, &b"Lab"[..]), (LabelKey::Group, b"QA")]);
    assert_eq!(notices.take_unknown_names(), []);
    assert_eq!(notices.unknown_names(), 3);
}

#[test]
fn ji_13_fallback_records_give_the_payload_they_were_made_from() {
    let payload = |vendor, msgtype, body| nmsg::Payload {
        vendor: nmsg::VendorId(vendor),
        msgtype: nmsg::MsgType(msgtype),
        time: NOW,
        source: Some(0xabc),
        operator: Some(3),
        group: None,
        body,
    };
    for (name, payload) in [
        ("unknown vendor", payload(77, 3, Some(&b"\x08\x01\xff"[..]))),
        ("unknown type", payload(1, 99, Some(b"x"))),
        ("undecodable", payload(1, 5, Some(b"\xff"))),
        ("absent", payload(1, 5, None)),
        ("empty", payload(4_000_000_000, 4_294_967_295, Some(b""))),
    ] {
        let line = to_json(&payload);
        assert!(!line.contains("\"message\""), "{line}");
        let (header, body) = read(line.as_bytes()).unwrap().unwrap();
        assert_eq!(header.payload(&body), payload, "{name}");
    }
    for (name, line, want) in [
        ("id text", r#"{"vid":"1","msgtype":5,"payload":""}"#, Fallback),
        ("id negative", r#"{"vid":1,"msgtype":-5,"payload":""}"#, Fallback),
        ("id too large", r#"{"vid":4294967296,"msgtype":5,"payload":""}"#, Fallback),
        ("payload number", r#"{"vid":1,"msgtype":5,"payload":5}"#, Fallback),
        ("no payload", r#"{"vid":77,"msgtype":5,"vname":"x","mname":"y"}"#, UnknownType),
        (
            "with a message of no type",
            r#"{"vid":77,"msgtype":5,"payload":"","message":{}}"#,
            NoType,
        ),
        ("unregistered names", r#"{"vname":"x","mname":"y","message":{}}"#, UnknownType),
        ("bad time", r#"{"time":"x","vid":1,"msgtype":5,"payload":""}"#, Time),
    ] {
        assert_eq!(read(line.as_bytes()), Err(want), "{name}");
    }
}
