//! Record data whose text and wire form give each other, by the tables of `wdns` §7, §14 and
//! `rendering-and-parsing` §13.4.

use crate::{hex, json, text, wire};
use wdns::{Class, RrType};

/// Name, type, wire form in hex, text.
const ROWS: &[(&str, u16, &str, &str)] = &[
    ("A", 1, "c0000201", "192.0.2.1"),
    ("AAAA", 28, "20010db8000000000000000000000001", "2001:db8::1"),
    ("AAAA mapped", 28, "00000000000000000000ffff01020304", "::ffff:1.2.3.4"),
    ("NS", 2, "036e7331074578616d706c6503434f4d00", "ns1.Example.COM."),
    ("CNAME", 5, "03612e62016300", r"a\.b.c."),
    ("PTR", 12, "0361206200", r"a\032b."),
    ("MB", 7, "016100", "a."),
    ("MD", 3, "016100", "a."),
    ("MF", 4, "016100", "a."),
    ("MG", 8, "016100", "a."),
    ("MR", 9, "016100", "a."),
    ("DNAME", 39, "00", "."),
    (
        "SOA",
        6,
        "026e7301780004686f737401780078963ae900001c2000000e10001275000000012c",
        "ns.x. host.x. 2023111401 7200 3600 1209600 300",
    ),
    ("SOA, small", 6, "0161000162000000000100000002000000030000000400000005", "a. b. 1 2 3 4 5"),
    ("MX", 15, "000a0366736902696f00", "10 fsi.io."),
    ("AFSDB", 18, "000a026d78076578616d706c6503636f6d00", "10 mx.example.com."),
    ("RT", 21, "000a026d78076578616d706c6503636f6d00", "10 mx.example.com."),
    ("KX", 36, "000a026d78076578616d706c6503636f6d00", "10 mx.example.com."),
    ("TXT", 16, "0568656c6c6f057722725c64", r#""hello" "w\"r\\d""#),
    ("TXT octets", 16, "04007fff0a", r#""\000\127\255\010""#),
    ("TXT empty segment", 16, "00", r#""""#),
    ("SPF", 99, "06763d73706631", r#""v=spf1""#),
    ("HINFO", 13, "03435055024f53", r#""CPU" "OS""#),
    ("ISDN", 20, "01310132", r#""1" "2""#),
    ("ISDN of one", 20, "0131", r#""1""#),
    ("X25", 19, "06333131303631", r#""311061""#),
    ("MINFO", 14, "01610178000162017800", "a.x. b.x."),
    ("RP", 17, "01610178000162017800", "a.x. b.x."),
    ("NULL", 10, "deadbeef", "DEADBEEF"),
    ("WKS", 11, "7f00000106deadbeef", "2130706433 6 DEADBEEF"),
    ("PX", 26, "0001016100016200", "1 a. b."),
    ("SRV", 33, "0001000213c403736970076578616d706c6503636f6d00", "1 2 5060 sip.example.com."),
    ("NAPTR", 35, "000100020155075349502b44325500026f6b00", r#"1 2 "U" "SIP+D2U" "" ok."#),
    ("A6 without prefix", 38, "0020000000000000000000000000000000", "0 2000::"),
    ("A6", 38, "400000000000000001016100", "64 ::1 a."),
    ("A6 of one octet", 38, "78ef0366736902696f00", "120 ::ef fsi.io."),
    ("A6 without address", 38, "800366736902696f00", "128 fsi.io."),
    ("DS", 43, "ec45050112ab", "60485 5 1 12AB"),
    ("CDS", 59, "30390802deadbeefcafe", "12345 8 2 DEADBEEFCAFE"),
    ("DNSKEY", 48, "0100030501035fff", "256 3 5 AQNf/w=="),
    ("CDNSKEY", 60, "010103080102030405", "257 3 8 AQIDBAU="),
    (
        "RRSIG",
        46,
        "0001050200000e105e0000005d000000abcd0366736902696f00aabbcc",
        "A 5 2 3600 1577058304 1560281088 43981 fsi.io. qrvM",
    ),
    (
        "SIG",
        24,
        "0001050200000e105e0000005d000000abcd0366736902696f00aabbcc",
        "1 5 2 3600 1577058304 1560281088 43981 fsi.io. AABBCC",
    ),
    (
        "NSEC",
        47,
        "0366736902696f00000640010000000301020140",
        "fsi.io. A MX RRSIG NSEC TYPE263 TYPE265",
    ),
    ("NSEC of high types", 47, "0366736902696f000101e0", "fsi.io. URI CAA TYPE258"),
    ("NSEC with type zero", 47, "0161000002c001", "a. TYPE0 A MX"),
    ("NSEC without types", 47, "016100", "a."),
    ("NXT", 30, "0161006000", "a. 6000"),
    (
        "NSEC3",
        50,
        "0101000a04aabbccdd1400000000000000000000000000000000000000000006400000000002",
        "1 1 10 aabbccdd 00000000000000000000000000000000 A RRSIG",
    ),
    (
        "NSEC3, long",
        50,
        "0101000a0a7225a239d4230bba7be214c12821f29f91f3d87f65aee5d6224d968d49fd400006200000000012",
        "1 1 10 7225a239d4230bba7be2 O4K23SKVI7PTGVR5LRITC8IDIQ6KJVA0 NS DS RRSIG",
    ),
    ("NSEC3 of nothing", 50, "0101000a0000", "1 1 10 - 0"),
    ("NSEC3 of seven digits", 50, "01000000000401020304000140", "1 0 0 - 0410610 A"),
    ("NSEC3PARAM", 51, "0100000a04aabbccdd", "1 0 10 aabbccdd"),
    ("NSEC3PARAM without salt", 51, "0100000a00", "1 0 10 -"),
    ("TLSA", 52, "030101abcdef", "3 1 1 ABCDEF"),
    ("OPENPGPKEY", 61, "68656c6c6f", "aGVsbG8="),
    ("CSYNC", 62, "000000420003000460000008", "66 3 A NS AAAA"),
    ("EUI48", 108, "00005e00532a", "00-00-5e-00-53-2a"),
    ("EUI64", 109, "00005e00532a00ff", "00-00-5e-00-53-2a-00-ff"),
    ("URI", 256, "000a0001666f6f", r#"10 1 "foo""#),
    ("CAA", 257, "000569737375656361", r#"0 "issue" "ca""#),
    ("CAA escaped", 257, "000569737375656322205c", r#"0 "issue" "c\" \\""#),
    (
        "CAA of a mailbox",
        257,
        "8005696f6465666d61696c746f3a2278225c",
        r#"128 "iodef" "mailto:\"x\"\\""#,
    ),
    (
        "SVCB",
        64,
        "000100000100060268320268330002000000030002003500040008c0a80001c0a800020006001020010db8000000000000000000000001",
        r#"1 . alpn="h2,h3" no-default-alpn port=53 ipv4hint=192.168.0.1,192.168.0.2 ipv6hint=2001:db8::1"#,
    ),
    (
        "HTTPS with escapes",
        65,
        "001003666f6f076578616d706c65036f7267000001000c08665c6f6f2c626172026832",
        r#"16 foo.example.org. alpn="f\\\\oo\\,bar,h2""#,
    ),
    ("SVCB with an unknown key", 64, "000100029b000568656c6c6f", r#"1 . key667="hello""#),
    ("SVCB with an empty value", 64, "00010000080000", r#"1 . key8="""#),
    ("SVCB with a list of keys", 64, "00010000000006000100030009", "1 . mandatory=alpn,port,key9"),
    ("SVCB with ech", 64, "0001000005000969b71d79f8218a3925", "1 . ech=abcdefghijkl"),
    ("LOC, generic", 29, "030101ab", r"\# 4 03 01 01 ab "),
    ("generic and empty", 65280, "", r"\# 0 "),
    ("TYPE0", 0, "ff", r"\# 1 ff "),
    ("DLV, generic", 32769, "00ff", r"\# 2 00 ff "),
];

#[test]
fn text_and_wire_give_each_other() {
    for &(name, rrtype, octets, shown) in ROWS {
        let (rrtype, octets) = (RrType(rrtype), hex(octets));
        assert_eq!(text(rrtype, Class::IN, &octets), shown, "{name}");
        assert_eq!(wire(rrtype, Class::IN, shown.as_bytes()), Ok(octets), "{name}");
    }
}

#[test]
fn json_is_the_same_text_escaped() {
    for &(name, rrtype, octets, shown) in ROWS {
        let escaped = shown.replace('\\', "\\\\").replace('"', "\\\"");
        assert_eq!(json(RrType(rrtype), Class::IN, &hex(octets)), escaped, "{name}");
    }
}

#[test]
fn every_structured_type_has_a_row() {
    let structured = RrType::known()
        .map(|(rrtype, _)| rrtype)
        .filter(|rrtype| {
            matches!(wdns::rdata::layout(*rrtype, Class::IN), wdns::rdata::Layout::Atoms(_))
        })
        .filter(|rrtype| *rrtype != RrType::OPT);
    for rrtype in structured {
        assert!(ROWS.iter().any(|row| row.1 == rrtype.0), "{rrtype:?}");
    }
}

#[test]
fn dt_5_generic_data_keeps_its_blanks() {
    for rrtype in [RrType::LOC, RrType::SSHFP, RrType(53), RrType(65535)] {
        assert_eq!(text(rrtype, Class::IN, &[3, 1, 1, 0xab]), r"\# 4 03 01 01 ab ");
        assert_eq!(text(rrtype, Class::CH, &[]), r"\# 0 ");
    }
}

#[test]
fn dt_5_types_of_class_in_are_empty_in_other_classes() {
    for rrtype in [1, 11, 26, 28, 33, 35, 36, 38, 64, 65, 257].map(RrType) {
        assert_eq!(text(rrtype, Class::CH, &[1, 2, 3, 4]), "", "{rrtype:?}");
        assert_eq!(wire(rrtype, Class(5), b"anything at all"), Ok(vec![]), "{rrtype:?}");
    }
    assert_eq!(text(RrType::NS, Class::CH, b"\x01a\0"), "a.");
}

#[test]
fn w_16_a_layout_stops_where_the_octets_do() {
    for (rrtype, octets, shown) in [
        (RrType::MX, "", ""),
        (RrType::MX, "0005", "5"),
        (RrType::SOA, "016100", "a."),
        (RrType::SOA, "01610001620000000001", "a. b. 1"),
        (RrType::NSEC3, "0101000a", "1 1 10"),
        (RrType::CAA, "000169", "0 \"i\""),
        (RrType::URI, "000a0001", "10 1"),
        (RrType::SVCB, "000100", "1 ."),
        (RrType::A6, "80", "128"),
        (RrType::RRSIG, "000105", "A 5"),
    ] {
        assert_eq!(text(rrtype, Class::IN, &hex(octets)), shown, "{rrtype:?} {octets}");
    }
}

#[test]
fn w_15_octets_behind_the_layout_are_not_shown() {
    for (rrtype, octets, shown) in [
        (RrType::A, "0102030405", "1.2.3.4"),
        (RrType::MX, "000a0000", "10 ."),
        (RrType::HINFO, "0161016101", "\"a\" \"a\""),
        (RrType::EUI48, "01020304050607", "01-02-03-04-05-06"),
    ] {
        assert_eq!(text(rrtype, Class::IN, &hex(octets)), shown, "{rrtype:?}");
    }
}
