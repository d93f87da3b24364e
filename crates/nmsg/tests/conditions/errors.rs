//! What is refused, with the place and the reason.

use super::*;

fn refused(rows: &[(&str, &str)]) {
    for (expression, want) in rows {
        let error = match compile(expression) {
            Ok(_) => panic!("{expression} compiles"),
            Err(error) => error.to_string(),
        };
        assert_eq!(error, *want, "{expression}");
    }
}

#[test]
fn names_that_do_not_exist() {
    refused(&[
        (
            "rname = x.",
            "no field is called 'rname', perhaps 'name' or 'qname' or 'rrname' (column 1)",
        ),
        (
            "qname = a. and rctype = A",
            "no field is called 'rctype', perhaps 'rrtype' or 'qtype' or 'type' (column 16)",
        ),
        (
            "Rrname = a.",
            "no field is called 'Rrname', perhaps 'rrname' or 'name' or 'qname' (column 1)",
        ),
        ("vendr = base", "no field is called 'vendr', perhaps 'vendor' (column 1)"),
        ("message.vendor = base", "no field is called 'vendor' (column 1)"),
        ("exists(message.groop)", "no field is called 'groop' (column 8)"),
        ("all(zzz) = 1", "no field is called 'zzz' (column 5)"),
        ("hidden = 1", "no field is called 'hidden' (column 1)"),
        ("lint0 = 1", "no field is called 'lint0' (column 1)"),
        ("5 = uint16", "no field is called '5' (column 1)"),
        ("message.message.x = 1", "no field is called 'message.x', perhaps 'message' (column 1)"),
        ("message. = 1", "no field is called '' (column 1)"),
        ("enum = Blue", "no value of this field is called 'Blue' (column 8)"),
        (
            "enum in (Red, Gren)",
            "no value of this field is called 'Gren', perhaps 'Green' (column 15)",
        ),
        (
            "message.type = EXPIRTION",
            "no value of this field is called 'EXPIRTION', perhaps 'EXPIRATION' (column 16)",
        ),
        ("type = dnsdedup", "no message type is called 'dnsdedup', perhaps 'dnsdedupe' (column 8)"),
        (
            "type = EXPIRTION",
            "no message type is called 'EXPIRTION', perhaps 'EXPIRATION' (column 8)",
        ),
        (
            "type = base:dnsdedupe",
            "no message type is called 'base:dnsdedupe', perhaps 'dnsdedupe' (column 8)",
        ),
        ("type = bass:dnsqr", "no vendor is called 'bass', perhaps 'base' (column 8)"),
        ("type = 1:4294967296", "no message type is called '1:4294967296' (column 8)"),
        ("vendor = bas", "no vendor is called 'bas', perhaps 'base' (column 10)"),
        ("operator = QB", "no operator is called 'QB' (column 12)"),
        ("group in (5, six)", "no group is called 'six' (column 14)"),
    ]);
}

#[test]
fn values_of_the_wrong_kind() {
    refused(&[
        ("ip = 5", "'ip' is an address, which '5' is not (column 6)"),
        (
            "ip in (10.0.0.0/8, 10.0.0.0/33)",
            "'ip' is an address, which '10.0.0.0/33' is not (column 20)",
        ),
        (
            "ip = 10.0.0.0/8",
            "'10.0.0.0/8' is a network, use 'in' to look for addresses of it (column 6)",
        ),
        (
            "rdata = 10.0.0.0/8",
            "'10.0.0.0/8' is a network, use 'in' to look for addresses of it (column 9)",
        ),
        ("uint16 = abc", "'uint16' is a number, which 'abc' is not (column 10)"),
        ("uint16 = 1.5", "'uint16' is a number, which '1.5' is not (column 10)"),
        ("uint16 in (1, 2024-01-02, 1.5)", "'uint16' is a number, which '1.5' is not (column 27)"),
        ("uint16 in (2024-01-02, x)", "'uint16' is a number, which 'x' is not (column 24)"),
        ("double = x", "'double' is a number, which 'x' is not (column 10)"),
        ("bool = yes", "'bool' is true or false, which 'yes' is not (column 8)"),
        ("rrtype = AAAAA", "'rrtype' is a record type, which 'AAAAA' is not (column 10)"),
        ("rrclass = INN", "'rrclass' is a class, which 'INN' is not (column 11)"),
        ("rcode = OOPS", "'rcode' is a response code, which 'OOPS' is not (column 9)"),
        ("proto = SCTP", "'proto' is a protocol, which 'SCTP' is not (column 9)"),
        ("seen = yesterday", "'seen' is a time, which 'yesterday' is not (column 8)"),
        ("time > 2024-13-01", "'time' is a time, which '2024-13-01' is not (column 8)"),
        ("source = a1ba02cf", "'source' is a number, which 'a1ba02cf' is not (column 10)"),
        ("len > x", "'len' is a number, which 'x' is not (column 7)"),
        ("name = a..b", "expected 'and' or 'or' before '..' (column 9)"),
        ("name = 'a..b'", "'a..b' is no domain name (column 8)"),
        ("name under ''", "'' is no domain name (column 12)"),
        ("rdata under 'a..b'", "'a..b' is no domain name (column 13)"),
        ("string under 'a..b'", "'a..b' is no domain name (column 14)"),
        (
            r"string = 'a\d'",
            "after '\\' must come one of \\ ' \" n r t or x and two hex digits (column 12)",
        ),
    ]);
}

#[test]
fn operators_that_do_not_go_with_the_field() {
    refused(&[
        ("ip < 10.0.0.1", "'ip' is an address, which '<' does not compare (column 4)"),
        ("name >= a.b", "'name' is a domain name, which '>=' does not compare (column 6)"),
        ("string > a", "'string' is text, which '>' does not compare (column 8)"),
        ("bytes <= a", "'bytes' is octets, which '<=' does not compare (column 7)"),
        ("rdata < 1", "'rdata' is record data, which '<' does not compare (column 7)"),
        ("bool > 0", "'bool' is true or false, which '>' does not compare (column 6)"),
        ("bool ~ t", "'bool' is true or false, which '~' does not compare (column 6)"),
        ("packet = x", "'packet' is a DNS message, which '=' does not compare (column 8)"),
        ("packet not in (x)", "'packet' is a DNS message, which 'in' does not compare (column 12)"),
        ("uint16 ~ 5", "'uint16' is a number, which '~' does not compare (column 8)"),
        ("double contains 5", "'double' is a number, which 'contains' does not compare (column 8)"),
        ("seen STARTSWITH 5", "'seen' is a time, which 'STARTSWITH' does not compare (column 6)"),
        ("uint16 under com", "'uint16' is a number, which 'under' does not compare (column 8)"),
        ("ip under com", "'ip' is an address, which 'under' does not compare (column 4)"),
        ("bytes under com", "'bytes' is octets, which 'under' does not compare (column 7)"),
        (
            "enum under com",
            "'enum' is one of a list of names, which 'under' does not compare (column 6)",
        ),
        ("time ~ 2024", "'time' is a time, which '~' does not compare (column 6)"),
        ("vendor > 1", "'vendor' is a vendor, which '>' does not compare (column 8)"),
        ("type under com", "'type' is a message type, which 'under' does not compare (column 6)"),
        ("operator ~ QA", "'operator' is an operator, which '~' does not compare (column 10)"),
    ]);
}

#[test]
fn ranges_that_make_no_sense() {
    refused(&[
        ("uint16 in 5..4", "the range is empty (column 11)"),
        ("double in (1, 0.5..0.25)", "the range is empty (column 15)"),
        ("time in 2024-01-02..2024-01-02", "the range is empty (column 9)"),
        ("enum in Green..Red", "the range is empty (column 9)"),
        ("ip in 10.0.0.1..10.0.0.9", "a range does not go with an address (column 7)"),
        ("name in a..b", "a range does not go with a domain name (column 9)"),
        ("string in a..b", "a range does not go with text (column 11)"),
        ("bool in false..true", "a range does not go with true or false (column 9)"),
        ("type in dnsqr..dnstap", "a range does not go with a message type (column 9)"),
    ]);
}

#[test]
fn patterns_that_do_not_compile() {
    refused(&[
        ("name ~ 'a('", "the pattern is refused: unclosed group (column 8)"),
        (
            "uint16 = 1 and string !~ '['",
            "the pattern is refused: unclosed character class (column 26)",
        ),
    ]);
    let many: Vec<String> = (0..65).map(|i| format!("string ~ {i}")).collect();
    let error = compile(&many.join(" or ")).unwrap_err();
    assert!(error.to_string().starts_with("more than 64 patterns (column "));
    let long = format!("string contains '{}'", "x".repeat(60_000));
    let error = compile(&long).unwrap_err().to_string();
    assert_eq!(
        error,
        "the pattern is refused: its compiled form has more than 524288 octets (column 17)"
    );
}

#[test]
fn the_caret_stands_under_the_column() {
    let error = compile("uint16 = 1 and\n rname = x.").unwrap_err();
    assert_eq!(error.column(), 17);
    assert_eq!(error.excerpt(), "uint16 = 1 and  rname = x.\n                ^");
}

#[test]
fn large_expressions_compile_in_bounded_time() {
    let names: Vec<String> = (0..3000).map(|i| format!("host{i}.example.com")).collect();
    let condition = format!("qname in ({})", names.join(","));
    assert!(condition.len() < 65_536);
    let body = {
        let mut body = Vec::new();
        put_len_field(&mut body, 14, &wire("host2999.example.com"));
        body
    };
    let payload = payload(ALL, Some(&body));
    assert!(holds(&condition.replacen("qname", "name", 1), &payload));
    let tests = vec!["a=1"; 9000].join(" or ").replace("a=1", "name=b");
    assert!(tests.len() > 65_536);
    let tests = vec!["name=b"; 6000].join(" or ");
    assert!(!holds(&tests, &payload));
}
