//! What damaged record data shows, and EDNS options (`wdns` §7.1, §7.3, §7.4).

use crate::{hex, json, text};
use wdns::{Class, RrType};

/// Type, wire form in hex, text.
const DAMAGED: &[(u16, &str, &str)] = &[
    (1, "010203", " ### PARSE ERROR ###"),
    (28, "20010db8", " ### PARSE ERROR ###"),
    (15, "00", " ### PARSE ERROR ###"),
    (15, "000a05", "10  ### PARSE ERROR #3 ###"),
    (15, "000a40", "10  ### PARSE ERROR #3 ###"),
    (15, "000ac00c", "10  ### PARSE ERROR #3 ###"),
    (2, "03616263ff", " ### PARSE ERROR #3 ###"),
    (6, "0161000162000000", "a. b.  ### PARSE ERROR ###"),
    (6, "016100016200000000010000", "a. b. 1  ### PARSE ERROR ###"),
    (16, "0674225c20ff", " ### PARSE ERROR ###"),
    (16, "016101", r#""a"  ### PARSE ERROR ###"#),
    (13, "0161ff", r#""a"  ### PARSE ERROR ###"#),
    (35, "000100020155075349", r#"1 2 "U"  ### PARSE ERROR ###"#),
    (38, "00", " ### PARSE ERROR ###"),
    (38, "8100", " ### PARSE ERROR ###"),
    (38, "7f", " ### PARSE ERROR ###"),
    (46, "00010502000000", "A 5 2  ### PARSE ERROR ###"),
    (47, "0161000001", "a.  ### PARSE ERROR ###"),
    (47, "01610000", "a.  ### PARSE ERROR ###"),
    (47, "0161000001400001", "a. A  ### PARSE ERROR ###"),
    (50, "0101000a02", "1 1 10  ### PARSE ERROR ###"),
    (50, "0101000a0001", "1 1 10 -  ### PARSE ERROR ###"),
    (108, "0102", " ### PARSE ERROR ###"),
    (109, "0102", " ### PARSE ERROR ###"),
    (257, "0005", "0  ### PARSE ERROR ###"),
    (65, "000101", "1  ### PARSE ERROR #3 ###"),
    (64, "0001000001", "1 . alpn= ### PARSE ERROR ###"),
    (64, "000100000100", "1 . alpn= ### PARSE ERROR ###"),
    (64, "000100ffff0000", "1 .  ### PARSE ERROR ###"),
    (64, "0001000002000101", "1 . no-default-alpn ### PARSE ERROR #12 ###"),
    (64, "00010000030001ff", "1 . port= ### PARSE ERROR #12 ###"),
    (64, "00010000040003010203", "1 . ipv4hint= ### PARSE ERROR #12 ###"),
    (64, "0001000004000501020304ff", "1 . ipv4hint=1.2.3.4, ### PARSE ERROR #12 ###"),
    (64, "000100000000030001ff", "1 . mandatory=alpn, ### PARSE ERROR #12 ###"),
    (64, "0001000001000105", r#"1 . alpn=" ### PARSE ERROR #12 ###"#),
    (64, "000100000100040268320568", r#"1 . alpn="h2, ### PARSE ERROR #12 ###"#),
    (64, "000100000000020001ff", "1 . mandatory=alpn  ### PARSE ERROR ###"),
    (64, "00010001ff", "1 . key511= ### PARSE ERROR ###"),
    // Not marked as damage: the reserved key inside a list.
    (64, "00010000000004ffff0001", "1 . mandatory=invalid key,alpn"),
];

#[test]
fn dt_5_damage_shows_behind_what_could_be_written() {
    for &(rrtype, octets, shown) in DAMAGED {
        assert_eq!(text(RrType(rrtype), Class::IN, &hex(octets)), shown, "{rrtype} {octets}");
    }
}

#[test]
fn dt_1_a_name_without_its_end_is_error_3() {
    for (rrtype, octets, shown) in [
        (RrType::NS, "0366736902696f", " ### PARSE ERROR #3 ###"),
        (RrType::MX, "000a0366736902696f", "10  ### PARSE ERROR #3 ###"),
        (RrType::SOA, "03667369000366736902696f", "fsi.  ### PARSE ERROR #3 ###"),
        (
            RrType::RRSIG,
            &("00010502".to_owned() + &"00".repeat(14) + "0161"),
            "A 5 2 0 0 0 0  ### PARSE ERROR #3 ###",
        ),
    ] {
        assert_eq!(text(rrtype, Class::IN, &hex(octets)), shown, "{rrtype:?}");
    }
}

#[test]
fn w_1_a_name_before_hex_does_not_run_past_the_end() {
    assert_eq!(text(RrType::NXT, Class::IN, &hex("0366736902696f")), " ### PARSE ERROR #3 ###");
}

#[test]
fn names_over_255_octets_are_error_8() {
    let long = [&[&b"\x3f"[..], &[b'x'; 63]].concat().repeat(4)[..], b"\0"].concat();
    assert_eq!(text(RrType::NS, Class::IN, &long), " ### PARSE ERROR #8 ###");
}

#[test]
fn dt_6_empty_lists_have_separators_and_quotes() {
    for (octets, shown) in [
        ("00010000000000", "1 . mandatory="),
        ("00010000010000", r#"1 . alpn="""#),
        ("0001000000000000030002003500", "1 . mandatory= port=53  ### PARSE ERROR ###"),
        ("00010000000000000300020001", "1 . mandatory= port=1"),
        ("000100000100000004000000060000", r#"1 . alpn="" ipv4hint= ipv6hint="#),
        ("0001000001000100", r#"1 . alpn="""#),
        ("00010000010003016100", r#"1 . alpn="a,""#),
        ("00010000050000", "1 . ech="),
    ] {
        assert_eq!(text(RrType::SVCB, Class::IN, &hex(octets)), shown, "{octets}");
    }
}

#[test]
fn service_parameters_escape_twice_inside_alpn() {
    for (octets, shown) in [
        ("000100000100050461222c5c", r#"1 . alpn="a\"\\,\\\\""#),
        ("00010000010005047f00ff20", r#"1 . alpn="\127\000\255 ""#),
        ("000100000a00056122202c5c", r#"1 . key10="a\" ,\\""#),
    ] {
        let octets = hex(octets);
        assert_eq!(text(RrType::SVCB, Class::IN, &octets), shown);
        let escaped = shown.replace('\\', "\\\\").replace('"', "\\\"");
        assert_eq!(json(RrType::SVCB, Class::IN, &octets), escaped);
    }
}

#[test]
fn w_13_a_value_beyond_the_end_is_damage() {
    for len in ["fffc", "fffd", "ffff"] {
        let octets = hex(&format!("00010000070000{}{len}", "0008"));
        assert_eq!(
            text(RrType::SVCB, Class::IN, &octets),
            r#"1 . key7="" key8= ### PARSE ERROR ###"#
        );
    }
}

#[test]
fn w_14_text_tolerates_what_messages_refuse_in_bitmaps() {
    for (octets, shown) in [
        ("0000000001c0", ". TYPE0 A"),
        ("000001400000", ". A"),
        ("0000014005", ". A"),
        ("000000", "."),
        ("00010101000140", ". TYPE263 A"),
    ] {
        assert_eq!(text(RrType::NSEC, Class::IN, &hex(octets)), shown, "{octets}");
    }
    // Windows of more than 32 octets run into the number of the window.
    let long = |window: &str| hex(&format!("00{window}21{}80", "00".repeat(32)));
    assert_eq!(text(RrType::NSEC, Class::IN, &long("00")), ". URI");
    assert_eq!(text(RrType::NSEC, Class::IN, &long("01")), ". URI");
    assert_eq!(text(RrType::NSEC, Class::IN, &long("02")), ". TYPE768");
}

/// Wire form of EDNS options in hex, text.
const OPTIONS: &[(&str, &str)] = &[
    ("000a0008ca22a0c869d91081", r#"OPT=10: ca 22 a0 c8 69 d9 10 81 ("."..i...")"#),
    ("00030000", r#"OPT=3: ("")"#),
    ("0003000561626364ff", r#"OPT=3: 61 62 63 64 ff ("abcd.")"#),
    ("000f0002000f", "EDE: 15 (Blocked): ()"),
    ("000f00020019", "EDE: 25: ()"),
    ("000f00020000", "EDE: 0 (Other Error): ()"),
    ("000f00020018", "EDE: 24 (Invalid Data): ()"),
    ("000f000700166869012121", "EDE: 22 (No Reachable Authority): (hi.!!)"),
    ("000f00020100", "EDE: 256: ()"),
    ("000f0001aa", "EDE:  ### PARSE ERROR #12 ###"),
    ("000f0000", "EDE:  ### PARSE ERROR #12 ###"),
    ("000f", "EDE: ### PARSE ERROR ###"),
    ("0008000700011800c00002", "CLIENT-SUBNET: 192.0.2.0/24/0"),
    ("00080007000118000a0102", "CLIENT-SUBNET: 10.1.2.0/24/0"),
    ("0008000b0002380020010db8000000", "CLIENT-SUBNET: 2001:db8::/56/0"),
    ("0008000400010000", "CLIENT-SUBNET: 0.0.0.0/0/0"),
    ("00080004000200ff", "CLIENT-SUBNET: ::/0/255"),
    ("000800080003180001020304", "CLIENT-SUBNET:  ### PARSE ERROR #12 ###"),
    ("0008000900012000aabbccdd12", "CLIENT-SUBNET:  ### PARSE ERROR #12 ###"),
    ("00080003000100", "CLIENT-SUBNET:  ### PARSE ERROR #12 ###"),
    ("0008", "CLIENT-SUBNET: ### PARSE ERROR ###"),
    ("0005", "OPT=5: ### PARSE ERROR ###"),
    ("0003000261", "OPT=3: ### PARSE ERROR ###"),
    ("00000000ff", "OPT=0: (\"\")\n ### PARSE ERROR ###"),
    ("000300016100030000", "OPT=3: 61 (\"a\")\nOPT=3: (\"\")"),
];

#[test]
fn options_print_one_a_line() {
    for (octets, shown) in OPTIONS {
        let octets = hex(octets);
        assert_eq!(text(RrType::OPT, Class::IN, &octets), *shown);
        let escaped = shown.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        assert_eq!(json(RrType::OPT, Class::IN, &octets), escaped);
    }
}

#[test]
fn the_purposes_of_extended_errors_are_those_of_the_list() {
    let purposes = "Other Error; Unsupported DNSKEY Algorithm; Unsupported DS Digest Type; \
        Stale Answer; Forged Answer; DNSSEC Indeterminate; DNSSEC Bogus; Signature Expired; \
        Signature Not Yet Valid; DNSKEY Missing; RRSIGs Missing; No Zone Key Bit Set; \
        NSEC Missing; Cached Error; Not Ready; Blocked; Censored; Filtered; Prohibited; \
        Stale NXDomain Answer; Not Authoritative; Not Supported; No Reachable Authority; \
        Network Error; Invalid Data";
    for (code, purpose) in purposes.split("; ").enumerate() {
        let octets = [0, 15, 0, 2, 0, code as u8];
        assert_eq!(text(RrType::OPT, Class::IN, &octets), format!("EDE: {code} ({purpose}): ()"));
    }
}
