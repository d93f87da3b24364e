//! Messages as text and as JSON (`rendering-and-parsing` §13.7, §13.8).

use crate::{Builder, FIRST, wire};

/// The example of the specification.
fn example() -> Builder {
    let options = [
        &b"\0\x03\0\x05abcd\xff"[..],
        b"\0\x0f\0\x02\0\x0f",
        b"\0\x08\0\x07\0\x01\x18\0\x0a\x01\x02",
    ]
    .concat();
    let mx = [&[0, 5][..], &wire("example.com.")].concat();
    Builder::new(0x8180).question(&wire("x."), 15, 1).answer(FIRST, 15, 300, &mx).record(
        3,
        &[0],
        (41, 1232, 0x0001_8000),
        &options,
    )
}

#[test]
fn a_message_prints_as_in_the_specification() {
    assert_eq!(
        example().text(),
        ";; ->>HEADER<<- opcode: QUERY, rcode: NOERROR, id: 1\n\
         ;; flags: qr rd ra; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 0\n\
         \n\
         ;; OPT PSEUDOSECTION:\n\
         ; EDNS: version: 1, flags: do; udp: 1232\n\
         ; OPT=3: 61 62 63 64 ff (\"abcd.\")\n\
         ; EDE: 15 (Blocked): ()\n\
         ; CLIENT-SUBNET: 10.1.2.0/24/0\n\
         ;; QUESTION SECTION:\n\
         ;x. IN MX\n\
         \n\
         ;; ANSWER SECTION:\n\
         x. 300 IN MX 5 example.com.\n\
         \n\
         ;; AUTHORITY SECTION:\n\
         \n\
         ;; ADDITIONAL SECTION:\n"
    );
}

#[test]
fn a_message_is_json_as_in_the_specification() {
    assert_eq!(
        example().json(),
        "{\"header\":{\"opcode\":\"QUERY\",\"rcode\":\"NOERROR\",\"id\":1,\
         \"flags\":[\"qr\",\"rd\",\"ra\"],\"opt\":{\"edns\":{\"version\":1,\"flags\":[\"do\"],\
         \"udp\":1232,\"options\":[\"OPT=3: 61 62 63 64 ff (\\\"abcd.\\\")\",\
         \"EDE: 15 (Blocked): ()\",\"CLIENT-SUBNET: 10.1.2.0/24/0\"]}}},\
         \"question\":[{\"qname\":\"x.\",\"qclass\":\"IN\",\"qtype\":\"MX\"}],\
         \"answer\":[{\"rrname\":\"x.\",\"rrttl\":300,\"rrclass\":\"IN\",\"rrtype\":\"MX\",\
         \"rdata\":[\"5 example.com.\"]}],\"authority\":[],\"additional\":[]}"
    );
}

#[test]
fn headers_show_numbers_where_there_is_no_name() {
    for (name, flags, line) in [
        ("nothing set", 0x0000, "opcode: QUERY, rcode: NOERROR, id: 1\n;; flags:; QUERY: 0"),
        (
            "unknown opcode and rcode",
            0x1800 | 0xb,
            "opcode: 3, rcode: 11, id: 1\n;; flags:; QUERY: 0",
        ),
        (
            "all flags, Z never",
            0x87f0,
            "opcode: QUERY, rcode: NOERROR, id: 1\n;; flags: qr aa tc rd ra ad cd; QUERY: 0",
        ),
        ("update", 0x2800 | 10, "opcode: UPDATE, rcode: NOTZONE, id: 1\n;; flags:; QUERY: 0"),
    ] {
        let text = Builder::new(flags).text();
        let want = format!(
            ";; ->>HEADER<<- {line}, ANSWER: 0, AUTHORITY: 0, ADDITIONAL: 0\n\n\
             ;; QUESTION SECTION:\n\n;; ANSWER SECTION:\n\n;; AUTHORITY SECTION:\n\n\
             ;; ADDITIONAL SECTION:\n"
        );
        assert_eq!(text, want, "{name}");
    }
    let json = Builder::new(0x1800 | 0xb).json();
    assert_eq!(
        json,
        "{\"header\":{\"opcode\":3,\"rcode\":11,\"id\":1,\"flags\":[]},\
         \"question\":[],\"answer\":[],\"authority\":[],\"additional\":[]}"
    );
}

#[test]
fn record_lines_keep_or_leave_the_last_blank() {
    let text = Builder::new(0x8000)
        .record(1, &[0], (1, 1, 300), &[])
        .record(1, &[0], (1, 3, 300), &[])
        .record(1, &[0], (1, 5, 300), &[1, 2, 3])
        .record(1, &[0], (65280, 1, 300), &[])
        .record(1, &[0], (29, 1, 4_294_967_295), &[1])
        .record(1, &[0], (16, 1, 0), &[0])
        .text();
    assert!(text.contains(
        ";; ANSWER SECTION:\n\
         . 300 IN A\n\
         . 300 CH A \n\
         . 300 CLASS5 A \n\
         . 300 IN TYPE65280 \\# 0 \n\
         . 4294967295 IN LOC \\# 1 01 \n\
         . 0 IN TXT \"\"\n\
         \n"
    ));
}

#[test]
fn a_second_opt_is_an_ordinary_record() {
    let builder = Builder::new(0x8000).record(3, &[0], (41, 4096, 0), &[]).record(
        3,
        &[0],
        (41, 512, 0x0001_0000),
        b"\0\x03\0\x01a",
    );
    let text = builder.text();
    assert!(text.contains("; EDNS: version: 0, flags:; udp: 4096\n;; QUESTION SECTION:\n"));
    assert!(text.ends_with(";; ADDITIONAL SECTION:\n. 65536 CLASS512 OPT OPT=3: 61 (\"a\")\n"));
    assert!(text.contains("ADDITIONAL: 1\n"));
    let json = builder.json();
    assert!(
        json.contains(
            "\"opt\":{\"edns\":{\"version\":0,\"flags\":[],\"udp\":4096,\"options\":[]}}"
        )
    );
    assert!(json.ends_with(
        "\"additional\":[{\"rrname\":\".\",\"rrttl\":65536,\"rrclass\":\"CLASS512\",\
         \"rrtype\":\"OPT\",\"rdata\":[\"OPT=3: 61 (\\\"a\\\")\"]}]}"
    ));
}

#[test]
fn damaged_options_show_as_far_as_they_go() {
    let builder = Builder::new(0).record(3, &[0], (41, 512, 0), b"\0\x03\0\0\0\x05\0\x02a");
    assert!(builder.text().contains("; OPT=3: (\"\")\n; OPT=5: ### PARSE ERROR ###\n;; QUESTION"));
    assert!(
        builder
            .json()
            .contains("\"options\":[\"OPT=3: (\\\"\\\")\",\"OPT=5: ### PARSE ERROR ###\"]")
    );
}

#[test]
fn dt_3_the_extended_rcode_is_at_bit_4() {
    let builder = Builder::new(0x8000).record(3, &[0], (41, 512, 0x0100_0000), &[]);
    assert!(builder.text().starts_with(";; ->>HEADER<<- opcode: QUERY, rcode: BADVERS, id: 1\n"));
    assert!(builder.json().contains("\"rcode\":\"BADVERS\""));
    let far = Builder::new(0x8003).record(3, &[0], (41, 512, 0xff00_0000), &[]);
    assert!(far.text().contains("rcode: 4083,"));
}

#[test]
fn w_4_the_old_place_of_the_extended_rcode_is_an_option() {
    let builder = Builder::new(0x8003).record(3, &[0], (41, 512, 0x0100_0000), &[]);
    assert!(builder.legacy_text().contains("rcode: 259,"));
}

#[test]
fn dt_4_unknown_types_show_their_own_number_in_json() {
    let json =
        Builder::new(0).question(&[0], 65280, 5).record(1, &[0], (65281, 5, 1), &[0xab]).json();
    assert!(json.contains("{\"qname\":\".\",\"qclass\":\"CLASS5\",\"qtype\":\"TYPE65280\"}"));
    assert!(
        json.contains(
            "\"rrclass\":\"CLASS5\",\"rrtype\":\"TYPE65281\",\"rdata\":[\"\\\\# 1 ab \"]"
        )
    );
}

#[test]
fn names_and_texts_are_escaped_for_json_once() {
    let builder = Builder::new(0).question(b"\x04a\"\\.\0", 1, 1).answer(
        b"\x02\x01\x7f\0",
        16,
        1,
        b"\x04a\"\\\n",
    );
    let json = builder.json();
    assert!(json.contains(r#""qname":"a\"\\\\\\..""#), "{json}");
    assert!(json.contains(r#""rrname":"\\001\\127.""#), "{json}");
    assert!(json.contains(r#""rdata":["\"a\\\"\\\\\\010\""]"#), "{json}");
}

#[test]
fn owners_that_point_to_the_first_question_have_its_text() {
    let a = (1, 1, 60);
    let other = wire("other.example.");
    for (name, text) in [
        (wire("www.example."), "www.example."),
        (b"\x03a\"b\x00".to_vec(), r#"a\"b."#),
        (vec![0], "."),
        ([&[33; 34][..], &[33; 34], &[0]].concat(), &format!("{0}.{0}.", "!".repeat(33))),
    ] {
        let set = |name: &str, address: &str| {
            format!(
                r#"[{{"rrname":"{name}","rrttl":60,"rrclass":"IN","rrtype":"A","rdata":["{address}"]}}]"#
            )
        };
        let question = format!(r#"{{"qname":"{text}","qclass":"IN","qtype":"A"}}"#);
        let one = Builder::new(0x8180).question(&name, 1, 1).record(1, FIRST, a, &[10, 0, 0, 1]);
        let want = format!(r#""question":[{question}],"answer":{}"#, set(text, "10.0.0.1"));
        assert!(one.json().contains(&want), "{}", one.json());
        let two = one.record(2, &other, a, &[10, 0, 0, 2]).record(3, FIRST, a, &[10, 0, 0, 3]);
        for set in [
            format!(r#""answer":{}"#, set(text, "10.0.0.1")),
            format!(r#""authority":{}"#, set("other.example.", "10.0.0.2")),
            format!(r#""additional":{}"#, set(text, "10.0.0.3")),
        ] {
            assert!(two.json().contains(&set), "{}", two.json());
        }
        let several = Builder::new(0x8180)
            .question(&name, 1, 1)
            .question(&other, 1, 1)
            .question(FIRST, 1, 1)
            .answer(FIRST, 1, 60, &[10, 0, 0, 1]);
        let second = question.replace(text, "other.example.");
        let want = format!(
            r#""question":[{question},{second},{question}],"answer":{}"#,
            set(text, "10.0.0.1")
        );
        assert!(several.json().contains(&want), "{}", several.json());
    }
    // Without a question, what is behind the header is the owner of a record.
    let none = Builder::new(0x8180).record(1, &other, a, &[10, 0, 0, 1]).record(
        2,
        FIRST,
        a,
        &[10, 0, 0, 2],
    );
    assert_eq!(none.json().matches(r#""rrname":"other.example.""#).count(), 2, "{}", none.json());
}
