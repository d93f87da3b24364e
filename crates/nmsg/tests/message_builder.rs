//! Messages put together field by field.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use nmsg::{MessageBuilder, Registry, SetError, Value};

fn builder(vendor: &str, name: &str) -> MessageBuilder {
    let registry = Registry::builtin();
    MessageBuilder::new(registry.find(vendor.as_bytes(), name.as_bytes()).unwrap().clone())
}

fn body(builder: &MessageBuilder) -> Vec<u8> {
    let mut body = Vec::new();
    builder.encode(&mut body);
    body
}

#[test]
fn fields_are_encoded_by_ascending_number_whatever_order_they_are_set_in() {
    let mut message = builder("SIE", "dnsdedupe");
    message.set_by_name(b"count", Value::Unsigned(300)).unwrap();
    message.set_by_name(b"type", Value::Enum(2)).unwrap();
    message.set_by_name(b"rrname", Value::Octets(b"\x01a\x00")).unwrap();
    assert_eq!(body(&message), [0x0a, 3, 1, b'a', 0, 0x50, 0xac, 2, 0x68, 2]);
}

#[test]
fn cw_6_an_empty_message_has_its_required_fields() {
    assert_eq!(body(&builder("base", "ipconn")), b"");
    assert_eq!(body(&builder("base", "linkpair")), [8, 0, 0x12, 0, 0x1a, 0]);
    assert_eq!(body(&builder("base", "dnstap")), [0x78, 1]);
}

#[test]
fn my_8_the_default_of_a_packet_is_ip() {
    assert_eq!(body(&builder("base", "packet")), [8, 1, 0x12, 0]);
}

#[test]
fn numbers_are_stored_by_their_type() {
    for (vendor, name, field, value, want) in [
        ("base", "ipconn", "srcport", Value::Unsigned(65_616), &[0x18, 80][..]),
        ("SIE", "dnsdedupe", "count", Value::Unsigned((1 << 40) + 7), &[0x50, 7]),
        (
            "SIE",
            "qr",
            "type",
            Value::Enum(-1),
            &[8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
        ),
        ("base", "dnsobs", "sensor_id", Value::Unsigned(5), &[0x55, 5, 0, 0, 0]),
        ("SIE", "newdomain", "new_domain", Value::Bool(true), &[0x98, 1, 1]),
        ("SIE", "delay", "delay", Value::Double(1.0), &[0x19, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]),
        ("SIE", "dnsnx", "response_time_nsec", Value::Signed(-2), &[0x3d, 254, 255, 255, 255]),
        ("base", "dnstap", "socket_protocol", Value::Unsigned(2), &[0x72, 4, 8, 1, 0x18, 2]),
    ] {
        let mut message = builder(vendor, name);
        message.set_by_name(field.as_bytes(), value).unwrap();
        let body = body(&message);
        assert!(body.windows(want.len()).any(|part| part == want), "{field}: {body:x?}");
    }
    let mut message = builder("base", "http");
    message.set_by_name(b"p0f_dist", Value::Signed(40_000)).unwrap();
    assert_eq!(body(&message)[2..], [0x98, 4, 0xc0, 0xb8, 254, 255, 255, 255, 255, 255, 255, 1]);
}

#[test]
fn repeated_fields_keep_their_order_and_can_be_replaced_one_by_one() {
    let mut message = builder("SIE", "newdomain");
    let keys = message.schema().field_index(b"keys").unwrap();
    for key in [&b"a"[..], b"b", b"c"] {
        message.push(keys, Value::Octets(key)).unwrap();
    }
    assert_eq!(message.count(keys), 3);
    message.set_at(keys, 1, Value::Octets(b"x")).unwrap();
    message.set_at(keys, 3, Value::Octets(b"d")).unwrap();
    assert_eq!(message.set_at(keys, 5, Value::Octets(b"e")), Err(SetError::Index));
    assert_eq!(body(&message), b"\x4a\x01a\x4a\x01x\x4a\x01c\x4a\x01d");
    message.set(keys, Value::Octets(b"only")).unwrap();
    assert_eq!(body(&message), b"\x4a\x04only");
    message.unset(keys);
    assert_eq!((message.count(keys), body(&message)), (0, Vec::new()));
}

#[test]
fn other_fields_have_one_value() {
    let mut message = builder("base", "ipconn");
    let port = message.schema().field_index(b"srcport").unwrap();
    message.push(port, Value::Unsigned(1)).unwrap();
    message.push(port, Value::Unsigned(2)).unwrap();
    assert_eq!(message.count(port), 1);
    message.set_at(port, 0, Value::Unsigned(3)).unwrap();
    assert_eq!(message.set_at(port, 1, Value::Unsigned(4)), Err(SetError::Index));
    assert_eq!(body(&message), [0x18, 3]);
    message.clear();
    assert_eq!(body(&message), b"");
}

#[test]
fn my_9_a_refused_address_leaves_the_field_as_it_was() {
    let mut message = builder("base", "ipconn");
    let address = message.schema().field_index(b"srcip").unwrap();
    for len in [1, 3, 5, 15, 17] {
        let refused = message.set(address, Value::Octets(&[7; 20][..len]));
        assert_eq!((refused, message.count(address)), (Err(SetError::AddressLength), 0));
    }
    message.set(address, Value::Octets(&[1, 2, 3, 4])).unwrap();
    assert_eq!(message.set(address, Value::Octets(b"abc")), Err(SetError::AddressLength));
    assert_eq!(body(&message), [0x12, 4, 1, 2, 3, 4]);
    message.set(address, Value::Octets(b"")).unwrap();
    assert_eq!(body(&message), [0x12, 0]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut message = builder("base", "dnsqr");
    for (field, value, want) in [
        ("nothing", Value::Unsigned(1), SetError::NoSuchField),
        ("delay", Value::Double(1.0), SetError::Computed),
        ("query_json", Value::Octets(b"{}"), SetError::Computed),
        ("type", Value::Unsigned(1), SetError::WrongKind),
        ("id", Value::Octets(b"1"), SetError::WrongKind),
        ("qname", Value::Unsigned(1), SetError::WrongKind),
        ("timeout", Value::Signed(1), SetError::WrongKind),
    ] {
        assert_eq!(message.set_by_name(field.as_bytes(), value), Err(want), "{field}");
    }
    assert_eq!(message.set(1000, Value::Unsigned(1)), Err(SetError::NoSuchField));
    assert_eq!(message.count(1000), 0);
}

#[test]
fn cr_10_unknown_fields_are_kept_and_come_last() {
    let mut message = builder("base", "ipconn");
    // Unknown numbers 15 and 100 around the known ones; srcport twice.
    let stored = [0x78, 9, 0x18, 1, 0xa2, 6, 2, b'h', b'i', 0x18, 2, 0x08, 17];
    message.load(&stored).unwrap();
    assert_eq!(body(&message), [0x08, 17, 0x18, 2, 0x78, 9, 0xa2, 6, 2, b'h', b'i']);
    message.set_by_name(b"proto", Value::Unsigned(6)).unwrap();
    assert_eq!(body(&message), [0x08, 6, 0x18, 2, 0x78, 9, 0xa2, 6, 2, b'h', b'i']);
    assert!(message.load(&[0xff]).is_err());
    message.load(b"").unwrap();
    assert_eq!(body(&message), b"");
}

#[test]
fn embedded_messages_are_loaded_with_what_is_unknown_inside() {
    let mut message = builder("base", "dnstap");
    // Two occurrences are merged; number 15 inside is unknown.
    let stored = [0x72, 6, 8, 5, 0x7a, 2, 1, 2, 0x72, 4, 8, 6, 0x30, 53, 0x78, 1];
    message.load(&stored).unwrap();
    assert_eq!(body(&message), [0x72, 8, 8, 6, 0x30, 53, 0x7a, 2, 1, 2, 0x78, 1]);
}

#[test]
fn addresses_of_any_length_survive_loading() {
    let mut message = builder("base", "ipconn");
    message.load(&[0x12, 3, 1, 2, 3]).unwrap();
    assert_eq!(body(&message), [0x12, 3, 1, 2, 3]);
}
