//! Text that is not our own output, taken or refused (`wdns` §7.2, §7.3).

use crate::{hex, wire};
use wdns::{Class, Error, RrType};

/// Type, text, wire form in hex.
const TAKEN: &[(RrType, &str, &str)] = &[
    // Blanks, missing and extra pieces.
    (RrType::A, "", ""),
    (RrType::A, " \t", ""),
    (RrType::A, "1.2.3.4", "01020304"),
    (RrType::MX, " \t10\r\n fsi.io ", "000a0366736902696f00"),
    (RrType::MX, "00010 .", "000a00"),
    (RrType::SOA, "a b", "016100016200"),
    (RrType::DS, "1 2", "000102"),
    (RrType::DS, "1 2 3  ", "00010203"),
    // Names.
    (RrType::NS, "a\"b", "0361226200"),
    (RrType::MX, "10 a\u{b}b", "000a03610b6200"),
    // Character strings.
    (RrType::TXT, "a b \"c d\"e", "0161016203632064 0165"),
    (RrType::TXT, "\"a\"\"b\"", "01610162"),
    (RrType::TXT, "a\"b\"", "0461226222"),
    (RrType::TXT, "\\065\\\"\\\\\\255", "0441225cff"),
    (RrType::HINFO, "hardware\\032 os", "09686172647761726520026f73"),
    (RrType::HINFO, "a", "0161"),
    (RrType::URI, "10 1 \"a\\\"b\"", "000a0001612262"),
    (RrType::URI, "10 1 \"\\200\\\\\"", "000a0001c85c"),
    (RrType::URI, "10 1 \"a\"\"b\"", "000a000161"),
    (RrType::CAA, "0 issue \"x\"", "0005697373756578"),
    (RrType::CAA, "0 \"\" \"x\"", "000078"),
    // Hex, base64, base32hex.
    (RrType::NULL, " deadBEEF", "deadbeef"),
    (RrType::OPENPGPKEY, "aGV sbG8", "68656c6c6f"),
    (RrType::OPENPGPKEY, "!!", ""),
    (RrType::OPENPGPKEY, "AAEC==AAEC", "000102000102"),
    (RrType::NSEC3PARAM, "1 0 10 AaBb", "0100000a02aabb"),
    (RrType::NSEC3, "1 1 10 - o4k23skv", "0101000a0005c12821f29f"),
    (RrType::NSEC3, "1 1 10 - 1 A", "0101000a0000000140"),
    (RrType::NSEC3, "1 1 10 - 0=0", "0101000a0000"),
    (RrType::NSEC3, "1 1 10 - 1111====", "0101000a00020842"),
    // Types.
    (RrType::NSEC, "a. MX A A TYPE0", "0161000002c001"),
    (RrType::NSEC, "a. type258 caa URI", "0161000101e0"),
    (RrType::RRSIG, "type+5 1", "000501"),
    // Hardware addresses.
    (RrType::EUI48, " 00-00-5E-00-53-2a", "00005e00532a"),
    // A6.
    (RrType::A6, "120 2000::dead:beef fsi.io.", "78ef0366736902696f00"),
    (RrType::A6, "128 a b", "80016100"),
    (RrType::A6, "128 ::1 a", "80016100"),
    (RrType::A6, "128 1.2.3.4", "800131013201330134 00"),
    (RrType::A6, "0 ::1 \t", "0000000000000000000000000000000001"),
    (RrType::A6, "64 ::1", "400000000000000001"),
    // Service parameters.
    (RrType::SVCB, "1 .\tport=05 alpn=a  ", "000100 00030002 0005 00010002 0161"),
    (RrType::SVCB, "1 . port=1 port=0", "000100 00030002 0001 00030002 0000"),
    (RrType::SVCB, "1 . key1=a key01=b key+1=c", "000100 000100020161 000100020162 000100020163"),
    (RrType::SVCB, "1 . key7=\"a\"port=1", "000100 0007000161 000300020001"),
    (RrType::SVCB, "1 . port=\"53\" ipv4hint=\"1.2.3.4\"", "000100 000300020035 0004000401020304"),
    (RrType::SVCB, "1 . port=+5", "000100 000300020005"),
    (RrType::SVCB, "1 . ipv4hint=,1.2.3.4,,5.6.7.8,", "000100 000400080102030405060708"),
    (RrType::SVCB, "1 . mandatory=alpn,,key9", "000100 0000000400010009"),
    (RrType::SVCB, "1 . key2 key9=\"a\\000b\"", "000100 00020000 00090003610062"),
    (RrType::SVCB, "1 . alpn=a\\\\,b,\\044c", "000100 00010007 03612c62 00 0163"),
    (RrType::SVCB, "1 . ech=abcdefghijkl", "000100 00050009 69b71d79f8218a3925"),
    (RrType::SVCB, "1 . ech=!!!", "000100 00050000"),
    // Generic.
    (RrType::LOC, "\\# 4 03 0101 AB", "030101ab"),
    (RrType::LOC, "\\#\t0", ""),
    (RrType(65280), "\\# 0002 00\n01 ", "0001"),
];

#[test]
fn dp_7_text_is_taken_with_pieces_missing_or_left_over() {
    for &(rrtype, text, octets) in TAKEN {
        let want = hex(&octets.replace(' ', ""));
        assert_eq!(wire(rrtype, Class::IN, text.as_bytes()), Ok(want), "{rrtype:?} {text:?}");
    }
}

#[test]
fn w_15_text_behind_the_last_piece_is_ignored() {
    for (rrtype, text, octets) in [
        (RrType::A, "1.2.3.4 extra", "01020304"),
        (RrType::MX, "10 a b c", "000a016100"),
        (RrType::HINFO, "a b c", "01610162"),
    ] {
        assert_eq!(wire(rrtype, Class::IN, text.as_bytes()), Ok(hex(octets)), "{text}");
    }
}

#[test]
fn wrong_text_is_refused() {
    for (rrtype, texts) in [
        (RrType::A, &["1.2.3", "01.2.3.4", "1.2.3.4x", "1.2.3.4\u{b}x", "::1"][..]),
        (RrType::AAAA, &["1.2.3.4", "::g", "::1%1"]),
        (RrType::NS, &["a..b", "a\\", "\\256"]),
        (RrType::DS, &["65536", "-1", "+1", "0x1", "1x 2", "1 256", "1 2 3 a b", "1 2 3 ab "]),
        (RrType::SOA, &["a b 4294967296", "a b 1h"]),
        (
            RrType::TXT,
            &[
                "\"",
                "\"a",
                "a\\",
                "\\a",
                "\\.",
                "a\\256",
                "a\\25",
                "\u{1}",
                "\"a\u{7f}\"",
                "\u{e9}",
            ],
        ),
        (
            RrType::URI,
            &["10 1 \"\"", "10 1 a", "10 1 \"a", "10 1 \"a\" ", "10 1 \"a\nb\"", "10 1 \""],
        ),
        (
            RrType::NSEC3,
            &["1 1 10 abc", "1 1 10 -x", "1 1 10 - WW", "1 1 10 - 1!1", "1 1 10 - 0 NOTYPE"],
        ),
        (RrType::NSEC, &["a. NOTYPE", "a. 1", "a. TYPE65536"]),
        (RrType::RRSIG, &["TYPE0 1", "NOTYPE", "A 5 2 3600 20191223000000"]),
        (
            RrType::EUI48,
            &["00-00-5e-00-53", "00-00-5e-00-53-2a ", "00:00:5e:00:53:2a", "00-00-5e-00-53-2g"],
        ),
        (RrType::A6, &["0", "128", "128 ", "64 a", "0 ::1 a", "64 ::1x", "x"]),
        (
            RrType::LOC,
            &["\\#", "\\#1 00", "\\# 1", "\\# 1 0001", " \\# 1 00", "\\# x 00", "\\# -1", "52 N"],
        ),
    ] {
        for text in texts {
            assert_eq!(
                wire(rrtype, Class::IN, text.as_bytes()),
                Err(Error::Parse),
                "{rrtype:?} {text:?}"
            );
        }
    }
    assert_eq!(wire(RrType::OPT, Class::IN, b"OPT=3: (\"\")"), Err(Error::Failure));
    let long = [&b"1 "[..], &[b'x'; 64], b" 1"].concat();
    assert_eq!(wire(RrType::MX, Class::IN, &long), Err(Error::NameLength));
}

#[test]
fn wrong_service_parameters_are_refused() {
    for parameters in [
        "port",
        "port=",
        "port= 5",
        "port=65536",
        "port=-1",
        "port=5x",
        "port=1\tport=2",
        "key9",
        "key9=",
        "key9=\"",
        "key=a",
        "key65535=a",
        "key65536=a",
        "KEY9=a",
        "Port=5",
        "invalid=1",
        "=",
        "=a",
        "no-default-alpn=",
        "no-default-alpn=x",
        "no-default-alpnx",
        "key2=",
        "mandatory=",
        "mandatory=,",
        "mandatory=invalid",
        "mandatory=key65535",
        "ipv4hint=,",
        "ipv4hint=::1",
        "ipv6hint=1.2.3.4",
        "alpn=a\\,b",
        "alpn=\"a\\\\b\"",
        "alpn=\"a\\092\"",
        "alpn=\"a\"x",
        "ech=",
        "ech=\u{e9}",
        "key9=a\tb",
    ] {
        let text = format!("1 . {parameters}");
        assert_eq!(
            wire(RrType::SVCB, Class::IN, text.as_bytes()),
            Err(Error::Parse),
            "{parameters:?}"
        );
    }
}

#[test]
fn dp_6_lengths_and_digits_are_checked() {
    for (rrtype, text) in [
        (RrType::NULL, "a-".to_owned()),
        (RrType::NULL, "0x".to_owned()),
        (RrType::NULL, "1g".to_owned()),
        (RrType::NULL, "-1".to_owned()),
        (RrType::NSEC3PARAM, "1 0 10 0x".to_owned()),
        (RrType::LOC, "\\# 1 1g".to_owned()),
        (RrType::LOC, "\\# 1 1 ".to_owned()),
        (RrType::LOC, "\\# 65536".to_owned()),
        (RrType::A6, "300 ::1 a.".to_owned()),
        (RrType::A6, "129 ::1 a.".to_owned()),
        (RrType::SVCB, format!("1 . alpn={}", "x".repeat(256))),
    ] {
        assert_eq!(wire(rrtype, Class::IN, text.as_bytes()), Err(Error::Parse), "{text}");
    }
    let longest = format!("1 . alpn={}", "x".repeat(255));
    assert_eq!(
        wire(RrType::SVCB, Class::IN, longest.as_bytes()).map(|octets| octets.len()),
        Ok(263)
    );
}

#[test]
fn w_6_alpn_lists_do_not_end_with_an_empty_id() {
    for list in ["\"\"", "a,", "\"a,\"", ",", "\"a,,\""] {
        let text = format!("1 . alpn={list}");
        assert_eq!(wire(RrType::SVCB, Class::IN, text.as_bytes()), Err(Error::Parse), "{list}");
    }
    let inner = wire(RrType::SVCB, Class::IN, b"1 . alpn=,a,,b");
    assert_eq!(inner, Ok(hex("0001000001000600016100 0162".replace(' ', "").as_str())));
}

#[test]
fn w_7_numbers_do_not_wrap() {
    for (rrtype, text) in [
        (RrType::MX, "65546 a."),
        (RrType::NSEC3, "257 1 10 -"),
        (RrType::SOA, "a. b. 4294967297"),
        (RrType::DS, "18446744073709551617"),
    ] {
        assert_eq!(wire(rrtype, Class::IN, text.as_bytes()), Err(Error::Parse), "{text}");
    }
}

#[test]
fn counted_pieces_hold_255_octets() {
    for (rrtype, before, unit, most) in [
        (RrType::X25, "", "x", 255),
        (RrType::TXT, "\"a\" ", "\\255", 255),
        (RrType::NSEC3PARAM, "1 0 10 ", "ab", 255),
        (RrType::NSEC3, "1 1 10 - ", "0", 409),
    ] {
        let text = |count: usize| before.to_owned() + &unit.repeat(count);
        assert!(wire(rrtype, Class::IN, text(most).as_bytes()).is_ok(), "{rrtype:?}");
        let over = wire(rrtype, Class::IN, text(most + 1).as_bytes());
        assert_eq!(over, Err(Error::Parse), "{rrtype:?}");
    }
    let quoted = format!("\"{}\"", "x".repeat(256));
    assert_eq!(wire(RrType::TXT, Class::IN, quoted.as_bytes()), Err(Error::Parse));
}

#[test]
fn long_values_of_service_parameters_have_limits() {
    let text = |name: &str, len: usize| format!("1 . {name}=\"{}\"", "A".repeat(len)).into_bytes();
    assert!(wire(RrType::SVCB, Class::IN, &text("ech", 255)).is_ok());
    assert_eq!(wire(RrType::SVCB, Class::IN, &text("ech", 256)), Err(Error::Parse));
    assert!(wire(RrType::SVCB, Class::IN, &text("key9", 65535)).is_ok());
    assert_eq!(wire(RrType::SVCB, Class::IN, &text("key9", 65536)), Err(Error::Parse));
}

#[test]
fn dp_8_the_generic_form_is_read_for_types_without_a_form_of_their_own() {
    let text = b"\\# 4 01020304";
    assert_eq!(wire(RrType(65_400), Class::IN, text), Ok(hex("01020304")));
    for rrtype in [RrType::A, RrType::AAAA, RrType::DS] {
        assert_eq!(wire(rrtype, Class::IN, text), Err(Error::Parse), "{rrtype:?}");
    }
    // An escaped number sign is a label.
    assert_eq!(wire(RrType::NS, Class::IN, text), Ok(hex("012300")));
}
