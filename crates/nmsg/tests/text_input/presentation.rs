//! Presentation records (`rendering-and-parsing` §8, `decisions` PI-1 to PI-9).

use nmsg::RecordErrorKind::{
    self, Computed, DnsMessage, Multiline, NoColon, OctetsNotShown, TooLong, UnknownField, Value,
    WrongType,
};
use nmsg::text::LineSplitter;
use nmsg::{
    Aliases, LabelKey, Limits, PresentationReader, RecordError, RecordHeader, Registry, Timestamp,
};

use super::{NOW, to_json};

type Record = Result<(RecordHeader, Vec<u8>), RecordError>;

/// Reads a whole text; `each` may end lines one by one or all at once.
fn read_with(name: &str, text: &[u8], aliases: &Aliases, limits: &Limits) -> Vec<Record> {
    let registry = Registry::builtin();
    let (vendor, msgtype) = name.split_once(':').unwrap();
    let schema = registry.find(vendor.as_bytes(), msgtype.as_bytes()).unwrap();
    let mut results = Vec::new();
    // Polling after every line or only at the end must make no difference.
    for every_line in [true, false] {
        let mut reader = PresentationReader::new(schema.clone(), aliases, limits);
        let mut records = Vec::new();
        let mut poll = |reader: &mut PresentationReader<'_>| loop {
            let mut body = Vec::new();
            match reader.next_record(NOW, &mut body) {
                Some(Ok(header)) => records.push(Ok((header, body))),
                Some(Err(error)) => {
                    assert!(body.is_empty());
                    records.push(Err(error));
                }
                None => break,
            }
        };
        let mut lines = LineSplitter::new(&Limits::default());
        lines.push(text);
        while let Some(line) = lines.next_line() {
            reader.push_line(line.number, line.text);
            if every_line {
                poll(&mut reader);
            }
        }
        if let Some(line) = lines.finish() {
            reader.push_line(line.number, line.text);
        }
        reader.finish();
        poll(&mut reader);
        results.push(records);
    }
    assert_eq!(results[0], results[1]);
    results.swap_remove(0)
}

fn read(name: &str, text: &str) -> Vec<Record> {
    read_with(name, text.as_bytes(), &Aliases::default(), &Limits::default())
}

/// The `message` objects of all records, or why and where they were refused.
fn messages(name: &str, text: &str) -> Vec<Result<String, (RecordErrorKind, u64)>> {
    let show = |record: Record| {
        let (header, body) = record.map_err(|error| (error.kind, error.line))?;
        let text = to_json(&header.payload(&body));
        let (_, message) = text.split_once("\"message\":").unwrap();
        Ok(message.strip_suffix('}').unwrap().to_owned())
    };
    read(name, text).into_iter().map(show).collect()
}

/// The one record of a text.
fn message(name: &str, text: &str) -> Result<String, RecordErrorKind> {
    let [record] = &messages(name, text)[..] else { panic!("one record in {text:?}") };
    record.clone().map_err(|(kind, _)| kind)
}

/// Reads `line` with each value into a message; the row says what JSON member comes out.
fn rows(name: &str, member: &str, rows: &[(&str, Option<&str>)]) {
    for &(value, want) in rows {
        let got = message(name, &format!("{member}: {value}\n\n"));
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

const HEADER: &str = "[0] [2023-11-14 22:13:20.000000042] [1:6 base logline] [00000000] [] [] \n";

#[test]
fn the_reference_grammar_is_read() {
    for (name, text, want) in [
        ("usual", "category: a\nmessage: b\n\n", r#"{"category":"a","message":"b"}"#),
        ("no blank", "message:hello\n\n", r#"{"message":"hello"}"#),
        ("many blanks", "message:   hello\n\n", r#"{"message":"hello"}"#),
        ("leading colon", ":message: x\n\n", r#"{"message":"x"}"#),
        ("leading blank", " message: x\n\n", r#"{"message":"x"}"#),
        ("blank before the colon", "message :x\n\n", r#"{"message":"x"}"#),
        ("colons in the value", "message::a:b\n\n", r#"{"message":":a:b"}"#),
        ("last one wins", "message: a\nmessage: b\n\n", r#"{"message":"b"}"#),
        ("empty", "message: \n\n", r#"{"message":""}"#),
        ("nothing", "\n", "{}"),
    ] {
        assert_eq!(message("base:logline", text).as_deref(), Ok(want), "{name}");
    }
    assert_eq!(
        message("SIE:newdomain", "keys: a\nkeys: b\nnew_rr: True\nnew_rr: False\n\n").as_deref(),
        Ok(r#"{"rdata":[],"keys":["a","b"],"new_rr":[true,false]}"#)
    );
}

#[test]
fn pi_1_headers_restore_time_and_labels() {
    let mut aliases = Aliases::default();
    aliases.operators.insert(101, b"QA");
    aliases.groups.insert(7, b"5");
    let read = |header: &str| {
        let text = format!("{header}\nmessage: x\n\n");
        let mut records = read_with("base:logline", text.as_bytes(), &aliases, &Limits::default());
        assert_eq!(records.len(), 1);
        records.remove(0).map(|(header, _)| header).map_err(|error| (error.kind, error.line))
    };
    let header =
        read("[3] [2023-11-14 22:13:20.000000007] [1:6 base logline] [abcdef01] [QA] [9] ");
    let header = header.unwrap();
    assert_eq!(header.time, Timestamp { sec: 1_700_000_000, nsec: 7 });
    assert_eq!(
        (header.source, header.operator, header.group),
        (Some(0xabcd_ef01), Some(101), Some(9))
    );
    let header = read("[3] [1969-12-31 23:59:59.4294967295] [1:6 x y] [00000000] [] [5] ").unwrap();
    assert_eq!(header.time, Timestamp { sec: -1, nsec: u32::MAX });
    assert_eq!((header.source, header.operator, header.group), (None, None, Some(7)));
    for other in ["1:5 base ipconn", "2:6 SIE dnsnx", "77:3 (unknown) (unknown)"] {
        let header = format!("[3] [2023-11-14 22:13:20.000000007] [{other}] [00000000] [] [] ");
        assert_eq!(read(&header), Err((WrongType, 1)), "{other}");
    }
    let header = &read_with("base:logline", b"message: x\n\n", &aliases, &Limits::default())[0];
    let header = header.as_ref().unwrap().0;
    assert_eq!(
        (header.time, header.source, header.operator, header.group),
        (NOW, None, None, None)
    );
}

#[test]
fn pi_1_unknown_label_names_are_left_out_and_said() {
    let registry = Registry::builtin();
    let aliases = Aliases::default();
    let schema = registry.find(b"base", b"logline").unwrap();
    let mut reader = PresentationReader::new(schema.clone(), &aliases, &Limits::default());
    for number in [1, 2] {
        let line = b"[3] [2023-11-14 22:13:20.000000007] [1:6 base logline] [00000000] [QA] [4] ";
        reader.push_line(number, line);
    }
    reader.finish();
    for _ in 0..2 {
        let header = reader.next_record(NOW, &mut Vec::new()).unwrap().unwrap();
        assert_eq!((header.operator, header.group), (None, Some(4)));
    }
    let said = reader.notices().take_unknown_names();
    assert_eq!(said, [(LabelKey::Operator, Box::from(&b"QA"[..]))]);
}

#[test]
fn pi_2_unknown_fields_refuse_their_record() {
    assert_eq!(
        messages(
            "base:logline",
            "message: a\n\ncategory: b\nbogus: c\nmessage: d\n\nmessage: e\n\n"
        ),
        [
            Ok(r#"{"message":"a"}"#.to_owned()),
            Err((UnknownField, 4)),
            Ok(r#"{"message":"e"}"#.to_owned())
        ]
    );
    for (line, want) in [
        ("Message: x", UnknownField),
        ("message x: y", UnknownField),
        (": x", NoColon),
        ("message", NoColon),
        ("just text", NoColon),
    ] {
        assert_eq!(message("base:logline", &format!("{line}\n\n")), Err(want), "{line}");
    }
    assert_eq!(message("base:dnsqr", "delay: 1.0\n\n"), Err(Computed));
    assert_eq!(message("base:dnstap", "qname: a.\n\n"), Err(Computed));
}

#[test]
fn pi_3_strings_run_to_the_end_of_the_line_and_others_take_the_first_word() {
    assert_eq!(
        message("base:logline", "message: hello  world \n\n").as_deref(),
        Ok(r#"{"message":"hello  world "}"#)
    );
    // After a header only the one blank that is always written is dropped.
    assert_eq!(
        message("base:logline", &format!("{HEADER}message:   x\n\n")).as_deref(),
        Ok(r#"{"message":"  x"}"#)
    );
    assert_eq!(message("base:ipconn", "srcport: 80 x\n\n").as_deref(), Ok(r#"{"srcport":80}"#));
    assert_eq!(message("base:ipconn", "srcip: ::1 x\n\n").as_deref(), Ok(r#"{"srcip":"::1"}"#));
}

#[test]
fn pi_4_multi_line_values() {
    let header = HEADER.replace("1:6 base logline", "1:2 base email");
    for (name, text, want) in [
        (
            "dot on a line",
            "headers:\na\nb\n.\nfrom: x\n\n",
            r#"{"headers":"a\nb\n","from":"x","rcpt":[],"bodyurl":[]}"#,
        ),
        (
            "empty",
            "headers:\n.\nfrom: x\n\n",
            r#"{"headers":"","from":"x","rcpt":[],"bodyurl":[]}"#,
        ),
        (
            "blank lines inside",
            "body:\na\n\nb\n.\n\n",
            r#"{"rcpt":[],"bodyurl":[],"body":"a\n\nb\n"}"#,
        ),
        ("names inside", "body:\nfrom: a\n.\n\n", r#"{"rcpt":[],"bodyurl":[],"body":"from: a\n"}"#),
        ("blank behind the colon", "body: \na\n.\n\n", r#"{"rcpt":[],"bodyurl":[],"body":"a\n"}"#),
        (
            "glued, then a field",
            "headers:\na\nb.\nfrom: x\n\n",
            r#"{"headers":"a\nb","from":"x","rcpt":[],"bodyurl":[]}"#,
        ),
        ("glued, then the end", "body:\nnonl.\n\n", r#"{"rcpt":[],"bodyurl":[],"body":"nonl"}"#),
        ("glued, no blank line", "body:\nnonl.", r#"{"rcpt":[],"bodyurl":[],"body":"nonl"}"#),
        (
            "glued twice",
            "headers:\na.\nbody:\nb.\n\n",
            r#"{"headers":"a","rcpt":[],"bodyurl":[],"body":"b"}"#,
        ),
        (
            "glued, dots before",
            "body:\nHi.\nBye.\nend.\n\n",
            r#"{"rcpt":[],"bodyurl":[],"body":"Hi.\nBye.\nend"}"#,
        ),
        (
            "glued, a blank line inside",
            "body:\nHi.\n\nBye.\n\n",
            r#"{"rcpt":[],"bodyurl":[],"body":"Hi.\n\nBye"}"#,
        ),
        (
            "dot line wins",
            "headers:\na.\nfrom: x\nbody:\nb\n.\n\n",
            r#"{"headers":"a.\nfrom: x\nbody:\nb\n","rcpt":[],"bodyurl":[]}"#,
        ),
        ("last empty line", "body:\na\n\n.\n\n", r#"{"rcpt":[],"bodyurl":[],"body":"a\n\n"}"#),
    ] {
        for with_header in [false, true] {
            let text = if with_header { format!("{header}{text}") } else { text.to_owned() };
            assert_eq!(message("base:email", &text).as_deref(), Ok(want), "{name} {with_header}");
        }
    }
    let two = format!("{header}body:\nHi.\n\nBye.\n\n{header}from: x\n\n");
    let both: Vec<_> = messages("base:email", &two).into_iter().map(Result::unwrap).collect();
    assert_eq!(
        both,
        [
            r#"{"rcpt":[],"bodyurl":[],"body":"Hi.\n\nBye"}"#,
            r#"{"from":"x","rcpt":[],"bodyurl":[]}"#
        ]
    );
    for (text, want) in
        [("body: text\n.\n\n", Multiline), ("body:\nno end\n\n", Multiline), ("body:\n", Multiline)]
    {
        assert_eq!(message("base:email", text), Err(want), "{text:?}");
    }
    let stored = read("base:email", "body:\na\n.\n\n").remove(0).unwrap().1;
    assert_eq!(stored, [0x52, 3, b'a', b'\n', 0], "one NUL is added");
}

#[test]
fn pi_5_bad_records_are_skipped_up_to_the_next_blank_line() {
    let good = |port: u32| Ok(format!("{{\"srcport\":{port}}}"));
    assert_eq!(
        messages(
            "base:ipconn",
            "srcport: 1\n\nsrcport: x\nsrcport: 2\n\nsrcport: 3\n\nsrcport\n\nsrcport: 4\n"
        ),
        [good(1), Err((Value, 3)), good(3), Err((NoColon, 8)), good(4)]
    );
    // What belongs to a refused value is skipped with it.
    let dump = "query_ip: 1.2.3.4\nresponse: [5 octets]\n;; x\n\n;; QUESTION SECTION:\n---\n\n";
    assert_eq!(
        messages("base:dnsobs", &format!("{dump}time: 5\n\n"))
            .iter()
            .map(|record| record.as_ref().err().copied())
            .collect::<Vec<_>>(),
        [Some((UnknownField, 1)), None]
    );
    let text = "bogus: 1\nbody:\na\n\nb\n.\nfrom: x\n\nfrom: y\n\n";
    let got = messages("base:email", text);
    assert_eq!(got[0], Err((UnknownField, 1)));
    assert_eq!(got[1].as_deref(), Ok(r#"{"from":"y","rcpt":[],"bodyurl":[]}"#));
    assert_eq!(got.len(), 2);
}

#[test]
fn pi_6_ends_of_lines_and_of_the_text() {
    for (name, text) in [
        ("no blank line", "category: a\nmessage: b\n"),
        ("no newline", "category: a\nmessage: b"),
        ("CRLF", "category: a\r\nmessage: b\r\n\r\n"),
        ("CRLF, no blank line", "category: a\r\nmessage: b\r\n"),
        ("tabs", "category:\ta\nmessage\t:\t b\n\n"),
    ] {
        assert_eq!(
            message("base:logline", text).as_deref(),
            Ok(r#"{"category":"a","message":"b"}"#),
            "{name}"
        );
    }
    assert_eq!(
        message("base:email", "body:\r\na\r\nb\r\n.\r\n\r\n").as_deref(),
        Ok(r#"{"rcpt":[],"bodyurl":[],"body":"a\nb\n"}"#)
    );
    // A file with plain newlines keeps carriage returns that are text.
    let header = HEADER.replace("1:6 base logline", "1:2 base email");
    assert_eq!(
        message("base:email", &format!("{header}from: x\r\nbody:\na\r\n.\n\n")).as_deref(),
        Ok(r#"{"from":"x\r","rcpt":[],"bodyurl":[],"body":"a\r\n"}"#)
    );
    let long = "x".repeat(100_000);
    assert_eq!(
        message("base:logline", &format!("message: {long}\n\n")),
        Ok(format!("{{\"message\":\"{long}\"}}"))
    );
}

#[test]
fn ji_20_records_over_the_limit_are_refused() {
    let mut limits = Limits::default();
    limits.line = 200;
    let long = format!("message: a\nmessage: {}\nmessage: b\n\nmessage: c\n\n", "x".repeat(300));
    let kinds = |text: &str, name: &str| -> Vec<_> {
        let records = read_with(name, text.as_bytes(), &Aliases::default(), &limits);
        records
            .into_iter()
            .map(|record| record.err().map(|error| (error.kind, error.line)))
            .collect()
    };
    assert_eq!(kinds(&long, "base:logline"), [Some((TooLong, 2)), None]);
    let endless = format!("body:\n{}", "a\n".repeat(1000));
    assert_eq!(kinds(&endless, "base:email")[0].map(|error| error.0), Some(TooLong));
    let then = format!("{endless}{HEADER}");
    assert_eq!(kinds(&then, "base:email").len(), 2, "a header starts the next record");
}

#[test]
fn pi_7_stray_blank_lines() {
    let empty = || Ok("{}".to_owned());
    let x = || Ok(r#"{"message":"x"}"#.to_owned());
    for (name, text, want) in [
        ("each is an empty message", "message: x\n\n\n\n", vec![x(), empty(), empty()]),
        ("also at the start", "\n\nmessage: x\n\n", vec![empty(), empty(), x()]),
        ("only blank lines", "\n\n", vec![empty(), empty()]),
        ("none at all", "", vec![]),
        ("ignored with headers", &format!("\n\n{HEADER}message: x\n\n\n\n"), vec![x()]),
        ("between headers", &format!("{HEADER}message: x\n\n\n{HEADER}\n\n"), vec![x(), empty()]),
        (
            "no blank between headers",
            &format!("{HEADER}message: x\n{HEADER}\n"),
            vec![x(), empty()],
        ),
    ] {
        assert_eq!(messages("base:logline", text), want, "{name}");
    }
}

#[test]
fn pi_8_truth_values_and_helper_forms_are_readable() {
    rows(
        "SIE:newdomain",
        "new_domain",
        &[
            ("True", Some("true")),
            ("false", Some("false")),
            ("1", Some("true")),
            ("yes", None),
            ("", None),
        ],
    );
    rows(
        "base:dns",
        "rrtype",
        &[
            ("A (1)", Some("\"A\"")),
            ("mx", Some("\"MX\"")),
            ("1", Some("\"A\"")),
            ("TYPE65280", Some("\"TYPE65280\"")),
            ("<UNKNOWN> (65280)", Some("\"TYPE65280\"")),
            ("A (2)", None),
            ("<UNKNOWN> (65536)", None),
            ("<UNKNOWN>", None),
            ("x", None),
            ("", None),
        ],
    );
    rows(
        "base:dns",
        "rrclass",
        &[
            ("IN (1)", Some("\"IN\"")),
            ("CLASS77 (77)", Some("\"CLASS77\"")),
            ("CH", Some("\"CH\"")),
        ],
    );
    rows(
        "SIE:dnsdedupe",
        "rrclass",
        &[("IN (1)", Some("\"IN\"")), ("<UNKNOWN> (3)", Some("\"CH\""))],
    );
    rows(
        "base:dnsqr",
        "rcode",
        &[
            ("NOERROR (0)", Some("\"NOERROR\"")),
            ("<UNKNOWN> (23)", Some("\"23\"")),
            ("3", Some("\"NXDOMAIN\"")),
            ("", None),
        ],
    );
    rows(
        "base:dnsqr",
        "proto",
        &[
            ("UDP (17)", Some("\"UDP\"")),
            ("tcp", Some("\"TCP\"")),
            ("99", Some("\"99\"")),
            ("65536", None),
        ],
    );
    rows(
        "base:dns",
        "qname",
        &[("a.B.", Some("\"a.B.\"")), (".", Some("\".\"")), ("a..b", None), ("", None)],
    );
    rows(
        "SIE:dnsdedupe",
        "time_first",
        &[
            ("2023-11-14 22:13:20", Some("\"2023-11-14 22:13:20\"")),
            ("1700000000", Some("\"2023-11-14 22:13:20\"")),
            ("yesterday", None),
        ],
    );
    rows(
        "base:dnsobs",
        "sensor_id",
        &[("aa11ff99", Some("\"aa11ff99\"")), ("10", Some("\"10\"")), ("", None)],
    );
    rows(
        "base:dnstap",
        "socket_family",
        &[("INET6", Some("\"INET6\"")), ("<UNKNOWN ENUM VAL=7>", Some("7")), ("inet", None)],
    );
    rows(
        "base:http",
        "type",
        &[
            ("sinkhole", Some("\"sinkhole\"")),
            ("<UNKNOWN ENUM VAL=4294967295>", Some("4294967295")),
            ("Sinkhole", None),
            ("1", None),
        ],
    );
}

#[test]
fn pi_8_record_data_is_read_with_its_type() {
    let rdata = |text: &str| message("base:dns", &format!("{text}\n\n"));
    let want = Ok(r#"{"rrclass":"IN","rrtype":"TXT","rdata":["\"a b\" \"c\"","\"d\""]}"#);
    let lines = ["rdata: \"a b\" \"c\"\nrdata: \"d\"", "rrtype: TXT (16)", "rrclass: IN (1)"];
    for order in [[0, 1, 2], [1, 2, 0], [2, 0, 1]] {
        assert_eq!(rdata(&order.map(|at| lines[at]).join("\n")).as_deref(), want);
    }
    assert_eq!(
        rdata("rrclass: CLASS77 (77)\nrrtype: <UNKNOWN> (65280)\nrdata: \\# 2 01 02 ").as_deref(),
        Ok(r#"{"rrclass":"CLASS77","rrtype":"TYPE65280","rdata":["\\# 2 01 02 "]}"#)
    );
    assert_eq!(rdata("rdata: \\# 1 07 ").as_deref(), Ok(r#"{"rdata":["\\# 1 07 "]}"#));
    assert_eq!(
        messages("base:dns", "rrtype: A\nrrclass: IN\nrdata: x\n\nsection: 1\n\n"),
        [Err((Value, 3)), Ok(r#"{"section":1,"rdata":[]}"#.to_owned())]
    );
    assert_eq!(rdata("rdata: 1.2.3.4"), Err(Value));
}

#[test]
fn pi_8_what_is_not_shown_in_full_is_refused() {
    for (name, line, want) in [
        ("base:xml", "xmlpayload: <BYTE ARRAY LEN=10>", OctetsNotShown),
        ("base:pkt", "payload: AAE=", OctetsNotShown),
        ("base:dnstap", "identity: <BYTE ARRAY LEN=2>", OctetsNotShown),
        ("base:ncap", "payload:", OctetsNotShown),
        ("base:encode", "payload: <BYTE ARRAY LEN=2>", OctetsNotShown),
        ("base:ipconn", "srcip: <INVALID IP len=3>", Value),
        ("base:dnsobs", "response: <PARSE ERROR>", DnsMessage),
        ("SIE:dnsdedupe", "response: [5 octets]\n;; x\n\n---", DnsMessage),
        ("base:dnstap", "query_message: [5 octets]\n;; x\n\n---", DnsMessage),
        ("base:dnsqr", "query: [5 octets]\n;; x\n\n---", Computed),
    ] {
        assert_eq!(message(name, &format!("{line}\n\n")), Err(want), "{line}");
    }
}

#[test]
fn pi_8_negative_numbers_of_16_bits_are_stored_signed() {
    let body = read("base:http", "p0f_dist: -5\n\n").remove(0).unwrap().1;
    assert_eq!(body, [8, 0, 0x98, 4, 0xfb, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
}

#[test]
fn pi_9_numbers_follow_c() {
    rows(
        "base:ipconn",
        "srcport",
        &[
            ("80", Some("80")),
            ("0x50", Some("80")),
            ("010", Some("8")),
            ("+80", Some("80")),
            ("65536", None),
            ("-1", None),
            ("80x", None),
            ("0x", None),
            ("", None),
        ],
    );
    rows(
        "base:http",
        "p0f_dist",
        &[
            ("-5", Some("-5")),
            ("32767", Some("32767")),
            ("32768", None),
            ("-40000", Some("25536")),
            ("5x", None),
        ],
    );
    rows(
        "base:http",
        "p0f_uptime",
        &[("5000000000", Some("705032704")), ("0x80000000", Some("-2147483648")), ("1.5", None)],
    );
    rows(
        "SIE:qr",
        "num_response",
        &[
            ("-1", Some("4294967295")),
            ("4294967296", Some("0")),
            ("0x10", Some("16")),
            ("5x", None),
        ],
    );
    rows(
        "base:dnsobs",
        "time",
        &[
            ("-1", Some("18446744073709551615")),
            ("18446744073709551616", Some("18446744073709551615")),
            ("5x", None),
        ],
    );
    rows(
        "SIE:delay",
        "response_time_sec",
        &[("-5", Some("-5")), ("9223372036854775808", Some("9223372036854775807"))],
    );
    rows(
        "SIE:delay",
        "delay",
        &[
            ("1", Some("1.0")),
            ("nan", Some("\"nan\"")),
            ("-nan", Some("\"nan\"")),
            ("-INF", Some("\"-inf\"")),
            ("0x1.8p1", Some("3.0")),
            ("1e400", Some("\"inf\"")),
            ("5x", None),
        ],
    );
    rows(
        "base:ipconn",
        "srcip",
        &[("1.2.3.4", Some("\"1.2.3.4\"")), ("::1", Some("\"::1\"")), ("1.2.3", None)],
    );
}
