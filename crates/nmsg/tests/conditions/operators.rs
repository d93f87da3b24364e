//! Every operator with every kind of value.

use super::*;

fn on_all(expressions: &[(&str, bool)]) {
    let body = all_body();
    rows(&payload(ALL, Some(&body)), expressions);
}

#[test]
fn whole_numbers_compare_in_the_width_of_their_field() {
    on_all(&[
        ("uint16 = 65535", true),
        ("uint16 == 0xffff", true),
        ("uint16 = 65536", false),
        ("uint16 = -1", false),
        ("uint16 != 65535", false),
        ("uint16 != 1", true),
        ("uint16 < 65535", false),
        ("uint16 <= 65535", true),
        ("uint16 > 65534", true),
        ("uint16 >= 65536", false),
        ("uint16 in (1, 65535, 3)", true),
        ("uint16 in 65535", true),
        ("uint16 in 1..65534", false),
        ("uint16 in (1..5, 60000..65535)", true),
        ("uint16 not in (1..5, 60000..65535)", false),
        ("uint16 not in 1..5", true),
        ("uint32 = 4000000000", true),
        ("uint32 > 2147483647", true),
        ("uint64 = 18446744073709551615", true),
        ("uint64 = 0xFFFFFFFFFFFFFFFF", true),
        ("uint64 > 18446744073709551614", true),
        ("int16 = -5", true),
        ("int16 < 0", true),
        ("int16 in -6..-4", true),
        ("int32 = -70000", true),
        ("int32 <= -70001", false),
        ("int64 = -9223372036854775808", true),
        ("int64 < -9223372036854775808", false),
        ("uint16 = '65535'", true),
        ("computed = 4000000000", true),
        ("computed < 5", false),
        ("exists(uint16)", true),
        ("exists(computed)", true),
        ("exists(absent)", false),
        ("absent = 0", false),
        ("absent != 0", false),
        ("absent < 1", false),
        ("absent not in (1)", false),
    ]);
}

#[test]
fn dates_stand_for_seconds_in_number_fields() {
    on_all(&[
        ("uint32 >= 2024-01-02", true),
        ("uint32 < now", false),
        ("uint32 in 2096-10-01..2096-10-03", true),
        ("uint32 in (2096-10-01, 2096-10-02)", true),
        ("int16 = 1969-12-31T23:59:55Z", true),
        ("int16 = 1969-12-31T23:59:55.000000001Z", false),
        ("int16 > 1969-12-31T23:59:54.5Z", true),
    ]);
}

#[test]
fn numbers_with_decimals() {
    on_all(&[
        ("double = 0.5", true),
        ("double = 5e-1", true),
        ("double != 0.5", false),
        ("double < 0.5", false),
        ("double <= 0.5", true),
        ("double < 1", true),
        ("double > 0.5", false),
        ("double > 0.499999999999999999", false),
        ("double > 0.4999999", true),
        ("double >= 0.5", true),
        ("double in (0.25, 0.5)", true),
        ("double in 0.5..0.75", true),
        ("double not in -1..0.25", true),
        ("double = 0x1", false),
        ("exists(double)", true),
    ]);
    let nan = {
        let mut body = Vec::new();
        put_fixed64_field(&mut body, 12, f64::NAN.to_bits());
        body
    };
    rows(
        &payload(ALL, Some(&nan)),
        &[
            ("double = 0.5", false),
            ("double < 0.5", false),
            ("double >= 0.5", false),
            ("double != 0.5", true),
        ],
    );
}

#[test]
fn truth_values() {
    on_all(&[
        ("bool = true", true),
        ("bool = TRUE", true),
        ("bool = 1", true),
        ("bool = false", false),
        ("bool = 0", false),
        ("bool != false", true),
        ("bool in (true, false)", true),
        ("exists(bool)", true),
    ]);
}

#[test]
fn numbers_with_names() {
    on_all(&[
        ("enum = Green", true),
        ("enum = green", true),
        ("enum = 2", true),
        ("enum = Red", false),
        ("enum != Red", true),
        ("enum > Red", true),
        ("enum <= 1", false),
        ("enum in (Red, 2)", true),
        ("enum in Red..Green", true),
        ("enum ~ '^Gr'", true),
        ("enum !~ 'ee'", false),
        ("enum startswith Gr", true),
        ("enum endswith en", true),
        ("enum contains REE", false),
        ("named = Red", true),
        ("named contains e", true),
        ("rrtype = A", true),
        ("rrtype = a", true),
        ("rrtype = TYPE1", true),
        ("rrtype = 1", true),
        ("rrtype = AAAA", false),
        ("rrtype in (AAAA, A)", true),
        ("rrtype < NS", true),
        ("rrtype ~ '^A$'", true),
        ("rrclass = IN", true),
        ("rrclass = CLASS1", true),
        ("rrclass != CH", true),
        ("rrclass startswith I", true),
        ("rcode = NXDOMAIN", true),
        ("rcode = 3", true),
        ("rcode > NOERROR", true),
        ("rcode endswith DOMAIN", true),
        ("proto = UDP", true),
        ("proto = udp", true),
        ("proto = 17", true),
        ("proto in (TCP, ICMP)", false),
        ("proto contains DP", true),
    ]);
    let mut body = Vec::new();
    put_varint_field(&mut body, 1, -1_i64 as u64);
    put_varint_field(&mut body, 18, 47);
    put_varint_field(&mut body, 22, 9);
    rows(
        &payload(ALL, Some(&body)),
        &[
            ("enum = None", true),
            ("enum = 4294967295", true),
            ("named = 9", true),
            ("named ~ '^9$'", true),
            ("proto ~ '^47$'", true),
        ],
    );
}

#[test]
fn times() {
    on_all(&[
        ("seen = 2023-11-14T22:13:20Z", true),
        ("seen = 1700000000", true),
        ("seen = '2023-11-14 22:13:20'", true),
        ("seen != 1700000000", false),
        ("seen < 2023-11-14T22:13:20", false),
        ("seen <= 2023-11-14T22:13:20", true),
        ("seen > 2023-11-14T22:13:19.9", true),
        ("seen >= 2023-11-15", false),
        ("seen in 2023-11-14", true),
        ("seen in 2023-11-14T22:13", true),
        ("seen in 2023-11-14T22:12", false),
        ("seen in 2023-11-14..2023-11-15", true),
        ("seen in 2023-11-13..2023-11-14", false),
        ("seen in 2023-11-14T00:00..2023-11-14T22:13:20", false),
        ("seen in (2023-11-13, 2023-11-14)", true),
        ("seen > now-6w", false),
        ("seen > now-8w", true),
        ("message.time = 1600000000", true),
        ("exists(message.time)", true),
    ]);
}

#[test]
fn addresses() {
    on_all(&[
        ("ip = 192.0.2.7", true),
        ("ip = '192.0.2.7'", true),
        ("ip != 192.0.2.7", false),
        ("ip != 192.0.2.8", true),
        ("ip = ::1", false),
        ("ip in 192.0.2.0/24", true),
        ("ip in 192.0.2.8/29", false),
        ("ip in 0.0.0.0/0", true),
        ("ip in ::/0", false),
        ("ip in (10.0.0.0/8, 192.0.2.7)", true),
        ("ip not in 192.0.2.0/24", false),
        ("ip not in (10.0.0.0/8, 2001:db8::/32)", true),
        ("ip ~ '^192[.]'", true),
        ("ip startswith 192.0.2.", true),
        ("ip endswith .7", true),
        ("ip contains 0.2", true),
        ("exists(ip)", true),
        ("addresses = 10.0.0.1", true),
        ("addresses in 2001:db8::/32", true),
        ("addresses ~ 'INVALID'", false),
        ("all(addresses) in (10.0.0.0/8, 2001:db8::/32)", true),
        ("all(addresses) in 10.0.0.0/8", false),
        ("all(addresses) not in 11.0.0.0/8", true),
    ]);
    let mut body = Vec::new();
    put_len_field(&mut body, 5, &[192, 0, 2]);
    rows(
        &payload(ALL, Some(&body)),
        &[
            ("exists(ip)", false),
            ("ip != 192.0.2.7", false),
            ("all(ip) != 192.0.2.7", false),
            ("ip ~ ''", false),
        ],
    );
}

#[test]
fn names() {
    on_all(&[
        ("name = www.example.com", true),
        ("name = WWW.EXAMPLE.com.", true),
        ("name = 'www.example.com'", true),
        (r"name = 'www.ex\x61mple.com'", true),
        (r"name = '\\119ww.example.com'", true),
        ("name != www.example.com", false),
        ("name != example.com", true),
        ("name in (a.b, www.example.com)", true),
        ("name not in (a.b, c.d)", true),
        ("name under example.com", true),
        ("name under EXAMPLE.com.", true),
        ("name under www.example.com", true),
        ("name under a.www.example.com", false),
        ("name under xample.com", false),
        ("name under com", true),
        ("name under .", true),
        ("name under (net, com)", true),
        ("name not under com", false),
        ("name not under (net, org)", true),
        ("name ~ '^wWw[.]'", true),
        ("name ~ '^www[.]'", false),
        ("name ~ '(?i)^www[.]'", true),
        (r"name ~ '\.COM\.$'", true),
        ("name !~ '^wWw'", false),
        ("name startswith www", true),
        ("name startswith ww.", false),
        ("name endswith .com.", true),
        ("name endswith .com", false),
        ("name contains 'Example'", true),
        ("name contains 'examples'", false),
        ("names under example.net", true),
        ("all(names) under example.net", false),
        ("all(names) under (example.net, example.com)", true),
        ("names not under example.net", true),
        ("exists(name)", true),
    ]);
}

#[test]
fn damaged_names_equal_none() {
    for (case, octets) in [
        ("empty", &b""[..]),
        ("cut", b"\x07example\x03com"),
        ("length beyond the end", b"\x3fcom\0"),
        ("octets behind", b"\x07example\x03com\0\0"),
        ("long", &[b'a'; 300]),
    ] {
        let mut body = Vec::new();
        put_len_field(&mut body, 14, octets);
        let payload = payload(ALL, Some(&body));
        for expression in
            ["name = example.com", "name under com", "name under (com, net)", "name under ."]
        {
            assert!(!holds(expression, &payload), "{case}: {expression}");
        }
        assert!(holds("name != example.com and exists(name)", &payload), "{case}");
        assert!(holds("name ~ ''", &payload), "{case}");
    }
}

#[test]
fn texts() {
    on_all(&[
        ("string = 'Some text'", true),
        ("string = \"Some text\"", true),
        ("string = 'some text'", false),
        (r"string = 'Some\x20text'", true),
        ("string != 'Some text'", false),
        ("string in (a, 'Some text')", true),
        ("string not in (a, b)", true),
        ("string ~ '^S.*t$'", true),
        ("string !~ '^s'", true),
        (r"string ~ '\bt'", true),
        ("string startswith Some", true),
        ("string startswith some", false),
        ("string endswith ' text'", true),
        ("string contains 'e t'", true),
        ("string contains 'E T'", false),
        ("string under x", false),
        (r"multiline = 'line one\nline two'", true),
        ("multiline ~ '(?m)^line two$'", true),
        ("multiline contains two", true),
        ("exists(string)", true),
    ]);
    let mut body = Vec::new();
    put_len_field(&mut body, 3, b"Mail.Example.com\0");
    rows(
        &payload(ALL, Some(&body)),
        &[
            ("string under example.COM", true),
            ("string under mail.example.com.", true),
            ("string under ample.com", false),
            ("string under (net, com)", true),
            ("string under .", true),
            ("string not under com", false),
        ],
    );
}

#[test]
fn octets() {
    on_all(&[
        (r"bytes = '\x00Bytes\xff'", true),
        ("bytes = Bytes", false),
        ("bytes != Bytes", true),
        (r"bytes in (x, '\x00Bytes\xFF')", true),
        ("bytes contains Bytes", true),
        (r"bytes contains 's\xff'", true),
        (r"bytes startswith '\x00B'", true),
        (r"bytes endswith '\xff'", true),
        (r"bytes ~ '^\x00.*\xff$'", true),
        ("bytes ~ bytes", false),
        ("exists(bytes)", true),
    ]);
}

#[test]
fn dns_messages_compare_by_their_text() {
    on_all(&[
        ("packet ~ 'fsi[.]io[.] 299 IN A'", true),
        ("packet contains '172.217.3.110'", true),
        ("packet contains NXDOMAIN", false),
        ("packet startswith ';; '", true),
        ("packet endswith 'x'", false),
        ("exists(packet)", true),
    ]);
    let mut body = Vec::new();
    put_len_field(&mut body, 21, b"no message");
    rows(&payload(ALL, Some(&body)), &[("packet ~ ''", false), ("exists(packet)", true)]);
}

fn with_rdata(rrtype: u64, class: u64, rdata: &[&[u8]]) -> Vec<u8> {
    let mut body = Vec::new();
    put_varint_field(&mut body, 15, rrtype);
    put_varint_field(&mut body, 16, class);
    rdata.iter().for_each(|rdata| put_len_field(&mut body, 19, rdata));
    body
}

#[test]
fn record_data() {
    on_all(&[
        ("rdata = 10.1.2.3", true),
        ("rdata = 10.1.2.4", false),
        ("rdata = 192.0.2.9", true),
        ("rdata != 10.1.2.3", true),
        ("all(rdata) != 10.1.2.3", false),
        ("rdata in 10.0.0.0/8", true),
        ("all(rdata) in 10.0.0.0/8", false),
        ("all(rdata) in (10.0.0.0/8, 192.0.2.0/24)", true),
        ("rdata not in (10.0.0.0/8, 192.0.2.0/24)", false),
        ("rdata ~ '^192[.]'", true),
        ("rdata startswith 10.", true),
        ("rdata endswith .9", true),
        ("rdata contains .1.", true),
        ("rdata under example.com", false),
        ("exists(rdata)", true),
    ]);
    let aaaa = "2001:db8::5".parse::<std::net::Ipv6Addr>().unwrap().octets();
    let mx = [&[0, 10][..], &wire("Mail.example.com")].concat();
    for (case, rrtype, class, rdata, expressions) in [
        (
            "AAAA",
            28,
            1,
            &aaaa[..],
            &[
                ("rdata in 2001:db8::/32", true),
                ("rdata = 2001:DB8::5", true),
                ("rdata in 0.0.0.0/0", false),
            ][..],
        ),
        ("A of another class", 1, 3, &[10, 1, 2, 3], &[("rdata = 10.1.2.3", false)]),
        ("A of another length", 1, 1, &aaaa, &[("rdata in (::/0, 0.0.0.0/0)", false)]),
        (
            "NS",
            2,
            1,
            &wire("NS1.Example.com"),
            &[
                ("rdata = ns1.example.com", true),
                ("rdata = ns1.example.com.", true),
                ("rdata in (ns2.example.com, ns1.example.com)", true),
                ("rdata under example.COM", true),
                ("rdata under (net, com)", true),
                ("rdata under net", false),
                ("rdata ~ '^NS1'", true),
            ],
        ),
        (
            "MX",
            15,
            1,
            &mx,
            &[
                ("rdata = '10 Mail.example.com.'", true),
                ("rdata = 'x'", false),
                ("rdata contains ' Mail.'", true),
                ("rdata under example.com", false),
            ],
        ),
        (
            "TXT",
            16,
            1,
            b"\x06v=spf1",
            &[(r#"rdata = '"v=spf1"'"#, true), ("rdata contains 'v=spf1'", true)],
        ),
        (
            "unknown type",
            65_280,
            1,
            b"\x0a\x01\x02\x03",
            &[(r"rdata = '\\# 4 0a 01 02 03 '", true), ("rdata = 10.1.2.3", false)],
        ),
    ] {
        let body = with_rdata(rrtype, class, &[rdata]);
        for &(expression, want) in expressions {
            let payload = payload(ALL, Some(&body));
            assert_eq!(holds(expression, &payload), want, "{case}: {expression}");
        }
    }
    let mut body = Vec::new();
    put_len_field(&mut body, 19, &[10, 1, 2, 3]);
    rows(
        &payload(ALL, Some(&body)),
        &[
            ("rdata = 10.1.2.3", false),
            ("rdata under com", false),
            (r"rdata startswith '\\# 4'", true),
        ],
    );
}

#[test]
fn repeated_fields_ask_for_any_value_or_for_all() {
    on_all(&[
        ("numbers = 4", true),
        ("numbers = 5", false),
        ("numbers != 4", true),
        ("all(numbers) = 4", false),
        ("all(numbers) >= -3", true),
        ("all(numbers) > -3", false),
        ("all(numbers) != 5", true),
        ("all(numbers) in (-3, 4, 11)", true),
        ("numbers not in (-3, 4, 11)", false),
        ("all(message.numbers) < 12", true),
        ("computed_list = 3", true),
        ("computed_list = 4", false),
        ("all(computed_list) <= 3", true),
        ("exists(numbers)", true),
        ("all(uint16) = 65535", true),
        ("all(absent) = 1", false),
        ("all(absent) != 1", false),
    ]);
    let mut body = Vec::new();
    put_len_field(&mut body, 23, &[1, 2, 3]);
    rows(
        &payload(ALL, Some(&body)),
        &[("numbers = 2", true), ("all(numbers) in 1..3", true), ("all(numbers) in 1..2", false)],
    );
    rows(
        &payload(ALL, Some(&[])),
        &[
            ("numbers = 2", false),
            ("numbers != 2", false),
            ("all(numbers) != 2", false),
            ("exists(numbers)", false),
            ("exists(computed_list)", false),
        ],
    );
}

#[test]
fn the_header_is_compared_whatever_the_type() {
    let body = all_body();
    let own = payload(ALL, Some(&body));
    let unknown = payload((VendorId(9), MsgType(4)), Some(&body));
    let len = body.len();
    for payload in [own, unknown] {
        rows(
            &payload,
            &[
                ("time >= 2024-01-02", true),
                ("time in 2024-01-02", true),
                ("time in 2024-01-02T03:04:05Z..2024-01-03", true),
                ("time in 2024-01-01..2024-01-02T03:04:05", false),
                ("time = 2024-01-02T03:04:05Z", false),
                ("time = 2024-01-02T03:04:05.000000006Z", true),
                ("time > 2024-01-02T03:04:05Z", true),
                ("time != 1704164645.000000006", false),
                ("time >= now-1h", true),
                ("time > now-59m59s", false),
                ("time not in 2024-01-02", false),
                ("source = 0xa1ba02cf", true),
                ("source = 2713322191", true),
                ("source in (1, 0xa1ba02c0..0xa1ba02cf)", true),
                ("source < 5", false),
                ("operator = QA", true),
                ("operator = qa", true),
                ("operator = 101", true),
                ("operator != 101", false),
                ("operator in (1, QA)", true),
                ("operator >= 101", true),
                ("exists(source)", true),
                ("exists(operator)", true),
                ("exists(group)", false),
                ("group = 0", false),
                ("group = Five", false),
                ("group != Five", false),
                (&format!("len = {len}"), true),
                ("len > 100", true),
                ("len in 0..10", false),
                ("exists(len)", true),
                ("exists(time)", true),
                ("exists(vendor)", true),
                ("exists(type)", true),
                ("all(operator) = 101", true),
            ],
        );
    }
    rows(
        &own,
        &[
            ("vendor = test", true),
            ("vendor = TEST", true),
            ("vendor = 7", true),
            ("vendor in (base, SIE)", false),
            ("vendor != base", true),
            ("type = all", true),
            ("type = ALL", true),
            ("type = test:all", true),
            ("type = 7:all", true),
            ("type = 7:3", true),
            ("type = 3", true),
            ("type = base:3", false),
            ("type = dnsqr", false),
            ("type != dnsqr", true),
            ("type in (dnsqr, all)", true),
            ("type not in (dnsqr, dnstap)", true),
            ("message.type = Red", true),
            ("type = Red", true),
            ("type in (green, RED)", true),
            ("type ~ '^R'", true),
        ],
    );
    rows(
        &unknown,
        &[
            ("vendor = 9", true),
            ("vendor != test", true),
            ("type = 4", true),
            ("type = 9:4", true),
            ("type = 7:3", false),
            ("type != all", true),
            ("type = Red", false),
            ("type != Red", false),
        ],
    );
    let mut labelled = own;
    labelled.group = Some(5);
    rows(&labelled, &[("group = five", true), ("group = 5", true), ("group != 6", true)]);
}

#[test]
fn what_cannot_be_read_has_no_fields() {
    let body = all_body();
    let damaged = [&body[..], b"\xff"].concat();
    for (case, payload) in [
        ("unknown type", payload((VendorId(7), MsgType(9)), Some(&body))),
        ("unknown vendor", payload((VendorId(70_000), MsgType(3)), Some(&body))),
        ("type without the field", payload((VendorId(2), MsgType(3)), Some(&body))),
        ("damaged", payload(ALL, Some(&damaged))),
        ("no body", payload(ALL, None)),
    ] {
        for (expression, want) in [
            ("uint16 = 65535", false),
            ("uint16 != 65535", false),
            ("uint16 not in (1)", false),
            ("name !~ 'x'", false),
            ("all(numbers) != 5", false),
            ("exists(uint16)", false),
            ("not uint16 = 65535", true),
            ("not exists(uint16)", true),
            ("exists(uint16) or operator = QA", true),
            ("not exists(uint16) and operator = QA", true),
        ] {
            assert_eq!(holds(expression, &payload), want, "{case}: {expression}");
        }
    }
    assert!(!holds("exists(len)", &payload(ALL, None)));
    assert!(holds("type = all", &payload(ALL, Some(&damaged))));
    assert!(holds("type = all and not exists(uint16)", &payload(ALL, Some(&damaged))));
}

#[test]
fn a_field_is_compared_by_the_type_it_has_in_the_message() {
    let name = {
        let mut body = Vec::new();
        put_len_field(&mut body, 1, &wire("www.example.com"));
        body
    };
    let text = {
        let mut body = Vec::new();
        put_varint_field(&mut body, 1, 2);
        put_len_field(&mut body, 2, b"tag\0");
        put_len_field(&mut body, 7, b"www.example.com\0");
        body
    };
    for payload in [
        payload((VendorId(2), MsgType(5)), Some(&name)),
        payload((VendorId(2), MsgType(2)), Some(&text)),
    ] {
        rows(
            &payload,
            &[
                ("domain under example.com", true),
                ("domain = www.example.com", true),
                ("domain startswith www", true),
            ],
        );
    }
    // A value that is no domain name can only be text.
    assert!(!holds("domain = 'a..b'", &payload((VendorId(2), MsgType(5)), Some(&name))));
    // Names of numbers differ from type to type.
    let http = [8, 1];
    rows(
        &payload((VendorId(1), MsgType(4)), Some(&http)),
        &[
            ("type = sinkhole", true),
            ("message.type in (EXPIRATION, sinkhole)", true),
            ("message.type != EXPIRATION", true),
            ("message.type = EXPIRATION", false),
        ],
    );
}

#[test]
fn who_asks_about_the_header_says_so() {
    for (expression, want) in [
        ("rrtype = A", false),
        ("type = dnsqr", false),
        ("vendor = base and rrtype = A", false),
        ("message.time > now-1h", false),
        ("source = 1", true),
        ("rrtype = A or operator = QA", true),
        ("not group = Five", true),
        ("time > now-1h", true),
        ("type = dnsqr and source = 1", true),
    ] {
        let condition = Where::compile(expression, &registry(), &aliases(), NOW).unwrap();
        assert_eq!(Matcher::new(&condition).asks_header(), want, "{expression}");
    }
}
