//! Messages that programs keep and change (`rendering-and-parsing` §10).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use nmsg::container::{ContainerWriter, WriterSettings};
use nmsg::schema::{FieldFlags, FieldType};
use nmsg::{
    Aliases, ChangeError, JsonWriter, Labels, LineErrorKind, MsgType, OwnedMessage, Registry,
    SetError, Timestamp, Unrenderable, Value, VendorId, wire,
};
use wdns::TextBuffer;

const NOW: Timestamp = Timestamp { sec: 1_700_000_000, nsec: 42 };

fn new(vendor: &str, name: &str) -> OwnedMessage {
    let registry = Registry::builtin();
    let schema = registry.find(vendor.as_bytes(), name.as_bytes()).unwrap();
    OwnedMessage::new(schema.clone(), NOW)
}

fn from_body(vendor: u32, msgtype: u32, body: &[u8]) -> OwnedMessage {
    let ids = (VendorId(vendor), MsgType(msgtype));
    OwnedMessage::from_body(&Registry::builtin(), ids, body.to_vec(), NOW)
}

fn from_json(text: &str) -> OwnedMessage {
    let (registry, aliases) = (Registry::builtin(), Aliases::default());
    OwnedMessage::from_json(&registry, &aliases, text.as_bytes(), NOW).unwrap()
}

fn body(message: &mut OwnedMessage) -> Vec<u8> {
    message.payload().body.unwrap().to_vec()
}

fn json(message: &mut OwnedMessage) -> Result<String, Unrenderable> {
    let (registry, aliases) = (Registry::builtin(), Aliases::default());
    let mut writer = JsonWriter::new(&registry, &aliases, Labels::default());
    let mut out = TextBuffer::new();
    out.bytes(b"kept");
    let result = message.write_json(&mut writer, &mut out);
    let text = out.to_string_lossy();
    result.map(|()| text.strip_prefix("kept").unwrap().to_owned()).inspect_err(|_| {
        assert_eq!(text, "kept", "nothing is appended");
    })
}

#[test]
fn a_new_message_has_its_type_and_time_and_no_values() {
    let mut message = new("base", "ipconn");
    assert_eq!((message.vendor(), message.msgtype()), (VendorId(1), MsgType(5)));
    assert_eq!(
        (message.time(), message.source(), message.operator(), message.group()),
        (NOW, 0, 0, 0)
    );
    assert_eq!(body(&mut message), b"", "CW-6: there is a body");
    let view = message.view().unwrap();
    assert_eq!((0..5).map(|field| view.count(field)).sum::<usize>(), 0);
    assert_eq!(view.get(0, 0), None);
}

#[test]
fn cw_6_required_fields_of_a_new_message_are_there() {
    let mut message = new("base", "linkpair");
    assert_eq!(body(&mut message), [8, 0, 0x12, 0, 0x1a, 0]);
    let view = message.view().unwrap();
    assert_eq!(view.get(0, 0), Some(Value::Enum(0)));
    assert_eq!((view.count(1), view.get(1, 0)), (1, Some(Value::Octets(b""))));
}

#[test]
fn my_8_a_new_packet_is_ip() {
    let mut message = new("base", "packet");
    assert_eq!(message.view().unwrap().get_by_name(b"payload_type", 0), Some(Value::Enum(1)));
}

#[test]
fn fields_are_described_by_position_and_name() {
    let message = new("base", "ncap");
    assert_eq!(message.field_count(), Some(11));
    assert_eq!(message.field_name(4), Some(&b"lint0"[..]));
    assert_eq!(message.field_index(b"lint0"), Some(4));
    assert_eq!((message.field_index(b"LINT0"), message.field_name(11)), (None, None));
    assert_eq!(message.field_type(2), Some(FieldType::Ip));
    assert_eq!(message.field_type(11), None);
    assert_eq!(message.field_flags(4), Some(FieldFlags::HIDDEN));
    assert_eq!(message.field_flags(11), None);
    let unknown = from_body(77, 3, b"x");
    assert_eq!((unknown.field_count(), unknown.field_name(0)), (None, None));
    assert_eq!(unknown.field_index(b"type"), None);
    assert!(unknown.schema().is_none());
}

#[test]
fn enumerations_convert_both_ways() {
    let message = new("base", "http");
    let kind = message.field_index(b"type").unwrap();
    assert_eq!(message.enum_number(kind, b"sinkhole"), Some(1));
    assert_eq!(
        (message.enum_number(kind, b"Sinkhole"), message.enum_number(1, b"sinkhole")),
        (None, None)
    );
    assert_eq!(message.enum_name(kind, 1), Some(&b"sinkhole"[..]));
    assert_eq!((message.enum_name(kind, 7), message.enum_name(1, 1)), (None, None));
}

#[test]
fn values_are_set_by_position_and_index() {
    let mut message = new("base", "email");
    let rcpt = message.field_index(b"rcpt").unwrap();
    for (index, value) in [(0, &b"a"[..]), (1, b"b"), (0, b"c")] {
        message.set(rcpt, index, Value::Octets(value)).unwrap();
    }
    assert_eq!(message.set(rcpt, 3, Value::Octets(b"d")), Err(SetError::Index.into()));
    message.set_by_name(b"type", 0, Value::Enum(1)).unwrap();
    assert_eq!(message.set_by_name(b"type", 1, Value::Enum(1)), Err(SetError::Index.into()));
    assert_eq!(message.set_by_name(b"Type", 0, Value::Enum(1)), Err(SetError::NoSuchField.into()));
    assert_eq!(body(&mut message), b"\x3a\x01c\x3a\x01b\x40\x01");
    let view = message.view().unwrap();
    assert_eq!((view.count(rcpt), view.get(rcpt, 1)), (2, Some(Value::Octets(b"b"))));
    assert_eq!(view.get(rcpt, 2), None);
    message.clear(rcpt).unwrap();
    assert_eq!(body(&mut message), b"\x40\x01");
}

#[test]
fn computed_fields_cannot_be_set_and_hidden_ones_only_not_be_read() {
    let mut ncap = new("base", "ncap");
    let port = ncap.field_index(b"srcport").unwrap();
    assert_eq!(ncap.set(port, 0, Value::Unsigned(1)), Err(SetError::Computed.into()));
    assert_eq!(ncap.clear(port), Err(SetError::Computed.into()));
    let lint = ncap.field_index(b"lint0").unwrap();
    ncap.set(lint, 0, Value::Unsigned(53)).unwrap();
    let view = ncap.view().unwrap();
    assert_eq!((view.count(lint), view.get(lint, 0)), (1, None));
    // What an embedded message holds is reached through text only.
    let mut dnstap = new("base", "dnstap");
    let error = dnstap.set_by_name(b"query_port", 0, Value::Unsigned(1));
    assert_eq!(error, Err(SetError::Computed.into()));
}

#[test]
fn numbers_are_cut_to_their_type() {
    let mut message = new("base", "http");
    for (name, value, want) in [
        ("srcport", Value::Unsigned(65_616), Value::Unsigned(80)),
        ("p0f_dist", Value::Signed(40_000), Value::Signed(-25_536)),
        ("p0f_uptime", Value::Signed(5_000_000_000), Value::Signed(705_032_704)),
        ("type", Value::Enum(-1), Value::Enum(-1)),
    ] {
        message.set_by_name(name.as_bytes(), 0, value).unwrap();
        assert_eq!(message.view().unwrap().get_by_name(name.as_bytes(), 0), Some(want), "{name}");
    }
    let wrong = message.set_by_name(b"srcport", 0, Value::Signed(1));
    assert_eq!(wrong, Err(SetError::WrongKind.into()));
}

#[test]
fn strings_are_stored_as_given() {
    let mut message = new("base", "logline");
    message.set_by_name(b"message", 0, Value::Octets(b"ab")).unwrap();
    message.set_by_name(b"category", 0, Value::Octets(b"c\0")).unwrap();
    assert_eq!(body(&mut message), b"\x0a\x02c\0\x12\x02ab");
}

#[test]
fn my_9_a_refused_address_leaves_the_message_as_it_was() {
    let mut message = new("base", "ipconn");
    let address = message.field_index(b"srcip").unwrap();
    let refused = message.set(address, 0, Value::Octets(b"abc"));
    assert_eq!(refused, Err(SetError::AddressLength.into()));
    assert_eq!((message.view().unwrap().count(address), body(&mut message)), (0, Vec::new()));
    message.set(address, 0, Value::Octets(&[1, 2, 3, 4])).unwrap();
    assert!(message.set(address, 0, Value::Octets(&[0; 5])).is_err());
    assert_eq!(message.view().unwrap().get(address, 0), Some(Value::Octets(&[1, 2, 3, 4])));
    // An empty address may be stored, and then cannot be read.
    message.set(address, 0, Value::Octets(b"")).unwrap();
    let view = message.view().unwrap();
    assert_eq!((view.count(address), view.get(address, 0)), (1, None));
}

#[test]
fn labels_of_0_are_unset() {
    let mut message = new("base", "ipconn");
    message.set_source(0xabc);
    message.set_operator(5);
    message.set_group(6);
    message.set_time(Timestamp { sec: -1, nsec: 2 });
    let payload = message.payload();
    assert_eq!((payload.source, payload.operator, payload.group), (Some(0xabc), Some(5), Some(6)));
    assert_eq!(payload.time, Timestamp { sec: -1, nsec: 2 });
    message.set_source(0);
    message.set_operator(0);
    message.set_group(0);
    let payload = message.payload();
    assert_eq!((payload.source, payload.operator, payload.group), (None, None, None));
    assert_eq!((message.source(), message.operator(), message.group()), (0, 0, 0));
}

#[test]
fn a_message_of_octets_is_the_payload_it_was() {
    let registry = Registry::builtin();
    let payload = nmsg::Payload {
        vendor: VendorId(77),
        msgtype: MsgType(3),
        time: NOW,
        source: Some(0),
        operator: Some(1),
        group: None,
        body: Some(b"\xff"),
    };
    let mut message = OwnedMessage::from_payload(&registry, &payload);
    assert_eq!(message.payload(), payload);
    let absent = nmsg::Payload { body: None, ..payload };
    assert_eq!(OwnedMessage::from_payload(&registry, &absent).payload(), absent);
}

#[test]
fn mo_6_what_cannot_be_read_says_why() {
    let damaged = Unrenderable::Undecodable(wire::Error::Truncated);
    let absent = OwnedMessage::from_payload(
        &Registry::builtin(),
        &nmsg::Payload { vendor: VendorId(1), msgtype: MsgType(5), ..nmsg::Payload::default() },
    );
    for (name, mut message, want) in [
        ("unknown type", from_body(1, 99, b""), Unrenderable::UnknownType),
        ("damaged", from_body(1, 5, b"\x18"), damaged),
        ("absent", absent, Unrenderable::Absent),
    ] {
        assert_eq!(message.view().err(), Some(want), "{name}");
        assert_eq!(json(&mut message), Err(want), "{name}");
        let mut out = TextBuffer::new();
        assert_eq!(message.write_presentation(b"\n", &mut out), Err(want), "{name}");
        assert!(out.is_empty(), "{name}");
        assert_eq!(message.key_text(b"proto"), Err(ChangeError::Unreadable(want)), "{name}");
        assert_eq!(message.update(), Err(want), "{name}");
        if want != Unrenderable::UnknownType {
            let set = message.set_by_name(b"proto", 0, Value::Unsigned(6));
            assert_eq!(set, Err(ChangeError::Unreadable(want)), "{name}");
            assert_eq!(message.field_count(), Some(5), "{name}");
        }
    }
}

#[test]
fn unknown_fields_survive_changes() {
    let mut message = from_body(1, 5, &[0x78, 9, 0x18, 1]);
    message.set_by_name(b"proto", 0, Value::Unsigned(6)).unwrap();
    assert_eq!(body(&mut message), [0x08, 6, 0x18, 1, 0x78, 9]);
    // Without a change the octets stay as they came.
    let mut message = from_body(1, 5, &[0x78, 9, 0x18, 1]);
    assert!(message.view().is_ok());
    assert_eq!(body(&mut message), [0x78, 9, 0x18, 1]);
    message.update().unwrap();
    assert_eq!(body(&mut message), [0x18, 1, 0x78, 9]);
}

#[test]
fn an_embedded_message_survives_changes_around_it() {
    let mut message = from_body(1, 13, &[0x72, 8, 8, 6, 0x30, 53, 0x7a, 2, 1, 2, 0x78, 1]);
    message.set_by_name(b"identity", 0, Value::Octets(b"ns")).unwrap();
    assert_eq!(
        body(&mut message),
        [0x0a, 2, b'n', b's', 0x72, 8, 8, 6, 0x30, 53, 0x7a, 2, 1, 2, 0x78, 1]
    );
}

#[test]
fn compacting_drops_what_was_not_encoded() {
    let mut message = from_body(1, 5, &[0x18, 1]);
    message.set_by_name(b"srcport", 0, Value::Unsigned(2)).unwrap();
    message.compact();
    assert_eq!(body(&mut message), [0x18, 1]);
    message.set_by_name(b"srcport", 0, Value::Unsigned(2)).unwrap();
    assert_eq!(body(&mut message), [0x18, 2]);
    message.compact();
    assert_eq!(body(&mut message), [0x18, 2]);
}

#[test]
fn setting_a_value_again_and_again_takes_no_memory() {
    let mut message = new("base", "logline");
    let text = [b'x'; 1000];
    for round in 0..20_000 {
        message.set_by_name(b"message", 0, Value::Octets(&text[..round % 1000])).unwrap();
        message.set_by_name(b"category", 0, Value::Octets(&text[..1])).unwrap();
    }
    assert_eq!(body(&mut message).len(), 3 + 3 + 19_999 % 1000);
    // The text of the memory is a few characters for each octet.
    assert!(format!("{message:?}").len() < 200_000, "replaced values are let go");
}

#[test]
fn messages_come_from_json_and_go_to_both_text_forms() {
    let text = r#"{"time":"2023-11-14 22:13:20.000000042","vname":"base","mname":"ipconn","source":"00000abc","message":{"proto":6,"srcip":"1.2.3.4"}}"#;
    let mut message = from_json(text);
    assert_eq!(json(&mut message).as_deref(), Ok(text));
    let mut out = TextBuffer::new();
    message.write_presentation(b"|", &mut out).unwrap();
    assert_eq!(out.as_bytes(), b"proto: 6|srcip: 1.2.3.4|");
    message.set_by_name(b"proto", 0, Value::Unsigned(17)).unwrap();
    assert_eq!(json(&mut message), Ok(text.replace(":6", ":17")));
    let (registry, aliases) = (Registry::builtin(), Aliases::default());
    for (text, want) in [("", LineErrorKind::Incomplete), ("[]", LineErrorKind::NotAnObject)] {
        let error = OwnedMessage::from_json(&registry, &aliases, text.as_bytes(), NOW).unwrap_err();
        assert_eq!(error.kind, want);
    }
    let mut fallback = from_json(r#"{"vid":77,"msgtype":3,"payload":"/w=="}"#);
    assert_eq!((fallback.vendor(), body(&mut fallback)), (VendorId(77), vec![0xff]));
}

#[test]
fn my_7_computed_values_are_counted_and_read() {
    let mut message = from_json(
        r#"{"vname":"base","mname":"dnsobs","message":{"response":"AAAAAAAAAAAAAAAA","rcode":"NOERROR"}}"#,
    );
    let view = message.view().unwrap();
    let field = view.view().schema().field_index(b"response_json").unwrap();
    assert_eq!(view.count(field), 1);
    assert_eq!(view.get(field, 0), Some(Value::Octets(&[0; 12])));
    assert_eq!(view.get(field, 1), None);
}

#[test]
fn ka_5_key_text_of_every_kind_of_field() {
    let key = |text: &str, field: &str| {
        from_json(text).key_text(field.as_bytes()).map(|key| String::from_utf8(key).unwrap())
    };
    let dnsqr = r#"{"vname":"base","mname":"dnsqr","message":{"type":"TCP","query_ip":"1.2.3.4","response_ip":"::1","proto":"UDP","id":7,"qname":"a\\.b.","qclass":"IN","qtype":"AAAA","rcode":"NXDOMAIN","timeout":0.5,"resolver_address_zeroed":true,"tcp":"aGk="}}"#;
    let dedupe = r#"{"vname":"SIE","mname":"dnsdedupe","message":{"type":9,"time_first":"2023-11-14 22:13:20","rrclass":"CLASS77","rrtype":"TXT","rdata":["\"a\"","\"b\""]}}"#;
    let email = r#"{"vname":"base","mname":"email","message":{"from":"a \"b\" \u00e9","rcpt":["x","y"],"body":"one\ntwo\n"}}"#;
    let dnsobs = r#"{"vname":"base","mname":"dnsobs","message":{"time":5,"sensor_id":"aa11","geoid":"aGk="}}"#;
    let encode = r#"{"vname":"base","mname":"encode","message":{"type":"TEXT","payload":"aGk="}}"#;
    for (text, field, want) in [
        (dnsqr, "type", "TCP"),
        (dnsqr, "query_ip", "1.2.3.4"),
        (dnsqr, "response_ip", "::1"),
        (dnsqr, "proto", "UDP"),
        (dnsqr, "id", "7"),
        (dnsqr, "qname", "a\\.b."),
        (dnsqr, "qclass", "IN"),
        (dnsqr, "qtype", "AAAA"),
        (dnsqr, "rcode", "NXDOMAIN"),
        (dnsqr, "timeout", "0.5"),
        (dnsqr, "resolver_address_zeroed", "true"),
        (dnsqr, "tcp", "hi"),
        (dnsqr, "icmp", ""),
        (dnsqr, "delay", ""),
        (dedupe, "type", "9"),
        (dedupe, "time_first", "2023-11-14 22:13:20"),
        (dedupe, "rrclass", "<UNKNOWN>"),
        (dedupe, "rdata", "\"a\""),
        (email, "from", "a \"b\" é"),
        (email, "rcpt", "x"),
        (email, "body", "one\ntwo\n"),
        (email, "helo", ""),
        (dnsobs, "sensor_id", "aa11"),
        (dnsobs, "geoid", "hi"),
        (dnsobs, "response_ip", ""),
        (encode, "payload", r#"{"val":"hi","b64":"aGk="}"#),
    ] {
        assert_eq!(key(text, field).as_deref(), Ok(want), "{field}");
    }
    assert_eq!(key(dnsqr, "nothing"), Err(SetError::NoSuchField.into()));
}

#[test]
fn cw_11_writing_leaves_the_message_as_it_was() {
    let mut message = new("base", "ipconn");
    message.set_by_name(b"srcport", 0, Value::Unsigned(53)).unwrap();
    message.set_source(7);
    let written = |message: &mut OwnedMessage| {
        let mut writer = ContainerWriter::new(WriterSettings::file(1));
        let mut out = Vec::new();
        let mut emit = |octets: &[u8]| {
            out.extend_from_slice(octets);
            Ok::<(), nmsg::Error>(())
        };
        writer.write(&message.payload(), None, &mut emit).unwrap();
        writer.flush(&mut emit).unwrap();
        out
    };
    let first = written(&mut message);
    let text = json(&mut message).unwrap();
    assert!(text.contains("\"srcport\":53"), "{text}");
    assert_eq!((written(&mut message), message.source(), message.time()), (first, 7, NOW));
    message.set_by_name(b"dstport", 0, Value::Unsigned(1000)).unwrap();
    assert!(json(&mut message).unwrap().contains("\"srcport\":53,\"dstport\":1000"));
}
