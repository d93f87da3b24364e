//! RRsets: gathering, order, lower case, and the serialised form (`wdns` §5, §9).

use crate::{Builder, FIRST, wire};
use wdns::{
    Class, Error, Message, MessageScratch, OwnedMessage, Rr, RrSet, RrType, Section, TextBuffer,
};

fn set() -> RrSet {
    RrSet {
        owner: wire("FSI.io."),
        rrtype: RrType::A,
        class: Class::IN,
        ttl: 300,
        rdatas: vec![vec![1, 2, 3, 4], vec![1, 2, 3]],
    }
}

fn lines(set: &RrSet, section: Section) -> String {
    let mut out = TextBuffer::new();
    set.write_lines(&mut out, section);
    out.to_string_lossy()
}

#[test]
fn owners_are_gathered_whatever_their_case() {
    let builder = Builder::new(0)
        .answer(&wire("fsi.io."), 1, 300, &[1, 1, 1, 1])
        .answer(&wire("FSI.io."), 1, 200, &[2, 2, 2, 2])
        .answer(&wire("other.io."), 1, 5, &[3, 3, 3, 3])
        .answer(&wire("fsi.io."), 28, 7, &[0; 16])
        .answer(&wire("fSi.iO."), 1, 400, &[1, 1, 1, 1])
        .record(1, &wire("fsi.io."), (1, 3, 9), &[4]);
    let message = Message::parse(&builder.octets).unwrap();
    let sets = message.rrsets(Section::Answer, &mut MessageScratch::new());
    let shown: Vec<String> = sets.iter().map(|set| lines(set, Section::Answer)).collect();
    assert_eq!(
        shown,
        [
            "fsi.io. 200 IN A 1.1.1.1\nfsi.io. 200 IN A 2.2.2.2\nfsi.io. 200 IN A 1.1.1.1\n",
            "other.io. 5 IN A 3.3.3.3\n",
            "fsi.io. 7 IN AAAA ::\n",
            "fsi.io. 9 CH A \n",
        ]
    );
    assert!(builder.json().contains(
        "\"answer\":[{\"rrname\":\"fsi.io.\",\"rrttl\":200,\"rrclass\":\"IN\",\"rrtype\":\"A\",\
         \"rdata\":[\"1.1.1.1\",\"2.2.2.2\",\"1.1.1.1\"]},{\"rrname\":\"other.io.\""
    ));
}

#[test]
fn many_sets_keep_their_order() {
    let mut builder = Builder::new(0);
    let owner = |n: usize| wire(&format!("n{}.example.", n % 40));
    for n in 0..200 {
        builder = builder.answer(&owner(n), 1, 1000 - n as u32, &[n as u8; 4]);
    }
    let message = Message::parse(&builder.octets).unwrap();
    let sets = message.rrsets(Section::Answer, &mut MessageScratch::new());
    assert_eq!(sets.len(), 40);
    for (n, set) in sets.iter().enumerate() {
        assert_eq!(set.owner, owner(n));
        assert_eq!(set.ttl, 1000 - 160 - n as u32);
        let want: Vec<Vec<u8>> = (0..5).map(|turn| vec![(n + 40 * turn) as u8; 4]).collect();
        assert_eq!(set.rdatas, want);
    }
}

#[test]
fn questions_are_never_merged() {
    let builder = Builder::new(0).question(&wire("a."), 1, 1).question(FIRST, 1, 1);
    let owned = OwnedMessage::from(&Message::parse(&builder.octets).unwrap());
    let question = &owned.sections[Section::Question as usize];
    assert_eq!(question.rrs.len(), 2);
    assert_eq!(question.rrsets.len(), 2);
    assert_eq!(question.rrs[1].rdata, None);
    let json = builder.json();
    assert_eq!(json.matches("{\"qname\":\"a.\",\"qclass\":\"IN\",\"qtype\":\"A\"}").count(), 2);
}

#[test]
fn dt_9_a_question_rrset_prints_its_name_class_and_type() {
    let builder = Builder::new(0).question(&wire("fsi.io."), 28, 3);
    let owned = OwnedMessage::from(&Message::parse(&builder.octets).unwrap());
    let question = &owned.sections[Section::Question as usize];
    assert_eq!(lines(&question.rrsets[0], Section::Question), ";fsi.io. CH AAAA\n");
}

#[test]
fn w_27_a_set_without_data_prints_no_line_outside_the_question() {
    let empty = RrSet { rdatas: vec![], ..set() };
    assert_eq!(lines(&empty, Section::Answer), "");
    assert_eq!(lines(&set(), Section::Question), ";FSI.io. IN A\n");
}

#[test]
fn owned_messages_hold_edns_and_both_views() {
    let builder = Builder::new(0x8180)
        .question(&wire("x."), 2, 1)
        .answer(FIRST, 2, 60, b"\x02ns\xc0\x0c")
        .record(3, &[0], (41, 1232, 0x0100_8000), b"\0\x03\0\0");
    let owned = OwnedMessage::from(&Message::parse(&builder.octets).unwrap());
    assert_eq!((owned.id, owned.rcode.0), (1, 16));
    let edns = owned.edns.unwrap();
    assert_eq!((edns.version, edns.flags, edns.udp_size), (0, 0x8000, 1232));
    assert_eq!(edns.options, b"\0\x03\0\0");
    let answer = &owned.sections[Section::Answer as usize];
    assert_eq!(answer.rrs[0].rdata.as_deref(), Some(&b"\x02ns\x01x\0"[..]));
    assert_eq!(answer.rrsets[0].rdatas, [b"\x02ns\x01x\0"]);
    let mut out = TextBuffer::new();
    answer.write_lines(&mut out, Section::Answer);
    assert_eq!(out.as_bytes(), b"x. 60 IN NS ns.x.\n");
}

#[test]
fn dp_12_the_serialised_form_is_little_endian() {
    let mut out = Vec::new();
    set().serialise(&mut out).unwrap();
    let want = [
        &[8][..],
        b"\x03FSI\x02io\0",
        &[1, 0, 1, 0, 0x2c, 1, 0, 0, 2, 0],
        &[4, 0, 1, 2, 3, 4, 3, 0, 1, 2, 3],
    ]
    .concat();
    assert_eq!(out, want);
    assert_eq!(set().serialised_len(), 30);
    assert_eq!(RrSet::deserialise(&out), Ok(set()));
}

#[test]
fn w_19_missing_octets_overflow_and_further_ones_are_ignored() {
    let mut octets = Vec::new();
    set().serialise(&mut octets).unwrap();
    for len in 0..octets.len() {
        assert_eq!(RrSet::deserialise(&octets[..len]), Err(Error::Overflow), "{len}");
    }
    octets.extend([1, 2, 3]);
    assert_eq!(RrSet::deserialise(&octets), Ok(set()));
}

#[test]
fn w_20_lengths_beyond_their_fields_are_errors() {
    for (name, set) in [
        ("owner", RrSet { owner: vec![0; 256], ..set() }),
        ("data", RrSet { rdatas: vec![vec![0; 65536]], ..set() }),
        ("count", RrSet { rdatas: vec![vec![]; 65536], ..set() }),
    ] {
        let mut out = vec![7];
        assert_eq!(set.serialise(&mut out), Err(Error::Overflow), "{name}");
        assert_eq!(out, [7], "{name}");
    }
}

#[test]
fn w_18_sets_are_sorted_by_length_first() {
    let mut set = RrSet { rdatas: ["bb", "a", "", "ab", "b"].map(|d| d.into()).to_vec(), ..set() };
    set.sort();
    assert_eq!(set.rdatas, ["", "a", "b", "ab", "bb"].map(|d| d.as_bytes().to_vec()));
}

#[test]
fn records_match_sets_but_for_case() {
    let rr = Rr { owner: wire("fsi.IO."), rrtype: RrType::A, class: Class::IN, ..Rr::default() };
    assert!(set().matches(&rr));
    assert!(!set().matches(&Rr { rrtype: RrType::NS, ..rr.clone() }));
    assert!(!set().matches(&Rr { class: Class::CH, ..rr.clone() }));
    assert!(!set().matches(&Rr { owner: wire("fsi.i0."), ..rr }));
}

#[test]
fn dp_10_lower_case_knows_where_names_are() {
    for (name, rrtype, before, after) in [
        ("MX", RrType::MX, &b"AA\x01B\0"[..], &b"AA\x01b\0"[..]),
        (
            "SOA",
            RrType::SOA,
            b"\x01A\0\x01B\0AAAABBBBCCCCDDDDEEEE",
            b"\x01a\0\x01b\0AAAABBBBCCCCDDDDEEEE",
        ),
        ("NAPTR", RrType::NAPTR, b"AABB\x01C\x01D\x01E\x01F\0", b"AABB\x01C\x01D\x01E\x01f\0"),
        ("A6", RrType::A6, b"\x78A\x01B\0", b"\x78A\x01b\0"),
        ("A6 without address", RrType::A6, b"\x80\x01B\0", b"\x80\x01b\0"),
        ("SIG", RrType::SIG, b"AABCDDDDEEEEFFFFGG\x01H\0IJ", b"AABCDDDDEEEEFFFFGG\x01h\0IJ"),
        (
            "RRSIG keeps its case",
            RrType::RRSIG,
            b"AABCDDDDEEEEFFFFGG\x01H\0IJ",
            b"AABCDDDDEEEEFFFFGG\x01H\0IJ",
        ),
        ("TXT keeps its case", RrType::TXT, b"\x01A", b"\x01A"),
    ] {
        let mut set = RrSet { rrtype, rdatas: vec![before.to_vec()], ..set() };
        assert_eq!(set.downcase(), Ok(()), "{name}");
        assert_eq!(set.rdatas, [after], "{name}");
        assert_eq!(set.owner, wire("fsi.io."));
    }
}

#[test]
fn w_9_what_does_not_fit_the_layout_is_an_error() {
    for (name, rrtype, before, after) in [
        ("left over", RrType::NS, &b"\x01A\0B"[..], &b"\x01a\0B"[..]),
        ("second name left over", RrType::MINFO, b"\x01A\0\x01B\0C", b"\x01a\0\x01b\0C"),
        ("no end", RrType::NS, b"\x01A", b"\x01a"),
        ("A6 cut", RrType::A6, b"\0A", b"\0A"),
        ("A6 of 129", RrType::A6, b"\x81\x01B\0", b"\x81\x01B\0"),
    ] {
        let mut set = RrSet { rrtype, rdatas: vec![before.to_vec()], ..set() };
        assert_eq!(set.downcase(), Err(Error::Parse), "{name}");
        assert_eq!(set.rdatas, [after], "{name}");
    }
}
