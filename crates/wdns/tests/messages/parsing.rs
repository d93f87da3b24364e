//! What is read as a message, and the error of what is not (`wdns` §5, §14).

use crate::{Builder, FIRST, text_of, wire};
use wdns::{Class, Error, Message, NameBuf, Rcode, RrType, Section};

fn error(octets: &[u8]) -> Option<Error> {
    Message::parse(octets).err()
}

#[test]
fn a_response_is_read_by_parts() {
    let octets = [
        &[0x1b, 0xb0, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0][..],
        b"\x06google\x03com\0\0\x01\0\x01\xc0\x0c\0\x01\0\x01\0\0\x01\x2b\0\x04\xac\xd9\x03\x6e",
    ]
    .concat();
    let message = Message::parse(&octets).unwrap();
    assert_eq!(message.id(), 7088);
    assert_eq!(message.flags().names().collect::<Vec<_>>(), ["qr", "rd", "ra"]);
    assert!(message.flags().is_response());
    assert_eq!(message.rcode(), Rcode::NOERROR);
    assert_eq!(message.octets(), octets);
    assert!(message.edns().is_none());

    let mut name = NameBuf::new();
    let question = message.questions().next().unwrap();
    question.name(&mut name);
    assert_eq!(name.as_bytes(), b"\x06google\x03com\0");
    assert_eq!((question.rrtype, question.class), (RrType::A, Class::IN));

    let record = message.records(Section::Answer).next().unwrap();
    record.owner(&mut name);
    assert_eq!(name.as_bytes(), b"\x06google\x03com\0");
    assert_eq!((record.rrtype, record.class, record.ttl), (RrType::A, Class::IN, 299));
    assert_eq!(record.raw_rdata(), [172, 217, 3, 110]);
    assert!(text_of(&message).contains("\ngoogle.com. 299 IN A 172.217.3.110\n"));
    assert_eq!(message.records(Section::Question).count(), 0);
    let counts = [Section::Question, Section::Answer, Section::Authority, Section::Additional];
    assert_eq!(counts.map(|section| message.count(section)), [1, 1, 0, 0]);
}

#[test]
fn wrong_owners_have_their_codes() {
    let question = |tail: &[u8]| [&[0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], tail].concat();
    for (name, tail, want) in [
        ("pointer to itself", &[0xc0, 12][..], Error::InvalidCompressionPointer),
        ("pointer forward", &[0xc0, 16, 0, 0, 0, 0], Error::InvalidCompressionPointer),
        ("loop over a label", &[1, b'a', 0xc0, 12], Error::NameOverflow),
        ("label of 64", &[0x40], Error::InvalidLengthOctet),
        ("no end", &[1, b'a'], Error::OutOfBounds),
        ("class missing", &[0, 0, 1, 0], Error::Parse),
    ] {
        assert_eq!(error(&question(tail)), Some(want), "{name}");
    }
    assert_eq!(error(&[0; 11]), Some(Error::Length));
    assert_eq!(error(&[0; 12]), None);
}

#[test]
fn wrong_records_have_their_codes() {
    for (name, rrtype, rdata, want) in [
        ("A of 2", 1, &[1, 2][..], Error::Parse),
        ("A of 3", 1, &[1, 2, 3], Error::Parse),
        ("A of 5", 1, &[1, 2, 3, 4, 5], Error::OutOfBounds),
        ("TXT past its end", 16, b"\x05abc", Error::Parse),
        ("integer cut", 15, &[0], Error::Parse),
        ("MX with more", 15, b"\0\x0a\0\0", Error::OutOfBounds),
        ("name past the data", 2, b"\x01a", Error::OutOfBounds),
        ("name of 64", 2, b"\x40\0", Error::InvalidLengthOctet),
        ("name forward", 2, b"\xff\xff", Error::InvalidCompressionPointer),
        ("SOA with 21 octets of integers", 6, &[0; 23], Error::OutOfBounds),
        ("A6 of 129", 38, &[129, 0], Error::OutOfBounds),
        ("A6 cut", 38, &[0, 0], Error::Parse),
        ("salt cut", 50, &[1, 1, 0, 0, 3, 1], Error::Parse),
        ("window empty", 47, &[0, 0, 0], Error::OutOfBounds),
        ("window cut", 47, &[0, 0, 2, 1], Error::OutOfBounds),
        ("window of 33", 62, &[&[0; 7][..], &[33], &[1; 33]].concat(), Error::OutOfBounds),
        ("stray octet in windows", 47, &[0, 0, 1, 1, 0], Error::OutOfBounds),
        ("EUI48 of 5", 108, &[0; 5], Error::Parse),
        ("SVCB key cut", 64, b"\0\x01\0\0\x01\0", Error::Parse),
        ("SVCB value cut", 64, b"\0\x01\0\0\x07\0\x02a", Error::OutOfBounds),
        ("SVCB mandatory odd", 64, b"\0\x01\0\0\0\0\x01a", Error::Parse),
        ("SVCB alpn empty", 64, b"\0\x01\0\0\x01\0\0", Error::Parse),
        ("SVCB alpn not tiled", 64, b"\0\x01\0\0\x01\0\x02\x02a", Error::Parse),
        ("SVCB no-default-alpn with a value", 64, b"\0\x01\0\0\x02\0\x01a", Error::Parse),
        ("SVCB port of 3", 64, b"\0\x01\0\0\x03\0\x03abc", Error::Parse),
        ("SVCB ipv4hint of 3", 65, b"\0\x01\0\0\x04\0\x03abc", Error::Parse),
        ("SVCB ipv6hint of 4", 65, b"\0\x01\0\0\x06\0\x04abcd", Error::Parse),
        ("SVCB key 65535 cut", 64, b"\0\x01\0\xff\xff\0\x09", Error::OutOfBounds),
        ("SVCB key 65535", 64, b"\0\x01\0\xff\xff\0\0", Error::Parse),
    ] {
        // Something follows, so that nothing is cut by the end of the message.
        let builder = Builder::new(0).answer(&[0], rrtype, 1, rdata).answer(&[0], 1, 1, &[0; 4]);
        assert_eq!(error(&builder.octets), Some(want), "{name}");
    }
}

#[test]
fn dp_2_one_bad_rdata_makes_the_message_undecodable() {
    let sound = Builder::new(0).answer(&[0], 1, 1, &[1, 2, 3, 4]);
    assert_eq!(error(&sound.octets), None);
    let spoilt = sound.answer(&[0], 28, 1, &[0; 15]);
    assert_eq!(error(&spoilt.octets), Some(Error::Parse));
}

#[test]
fn dp_3_data_may_end_between_pieces() {
    for (name, rrtype, rdata) in [
        ("A without data", 1, &[][..]),
        ("SOA with one integer", 6, b"\0\0\0\0\0\x01"),
        ("MX without name", 15, &[0, 1]),
        ("NSEC without types", 47, &[0]),
        ("SVCB without parameters", 64, &[0, 1, 0]),
        ("SVCB with empty hints", 64, b"\0\x01\0\0\x04\0\0\0\x06\0\0"),
        ("OPT as octets", 10, &[1]),
        ("generic of any length", 29, &[1, 2, 3]),
    ] {
        let builder = Builder::new(0).answer(&[0], rrtype, 1, rdata);
        assert_eq!(error(&builder.octets), None, "{name}");
    }
    // In another class a type of class IN is any octets.
    let chaos = Builder::new(0).record(1, &[0], (1, 3, 1), &[1, 2, 3]);
    assert_eq!(error(&chaos.octets), None);
}

#[test]
fn dp_3_counts_may_promise_more_than_there_is() {
    let mut octets = Builder::new(0).question(&[0], 1, 1).octets;
    octets[4..12].fill(0xff);
    let message = Message::parse(&octets).unwrap();
    assert_eq!(message.count(Section::Question), 1);
    assert_eq!(message.count(Section::Answer), 0);
    octets.push(0);
    assert_eq!(error(&octets), Some(Error::Parse));
}

#[test]
fn octets_behind_the_last_entry_are_ignored() {
    let mut builder = Builder::new(0).question(&[0], 1, 1);
    let text = builder.text();
    builder.octets.extend(b"\xff\xffjunk");
    assert_eq!(builder.text(), text);
}

#[test]
fn record_headers_and_data_must_be_whole() {
    let octets = Builder::new(0).answer(&[0], 1, 1, &[1, 2, 3, 4]).octets;
    for cut in 13..23 {
        assert_eq!(error(&octets[..cut]), Some(Error::Parse), "{cut}");
    }
    for cut in 23..27 {
        assert_eq!(error(&octets[..cut]), Some(Error::Overflow), "{cut}");
    }
}

#[test]
fn dp_3_names_are_compressed_in_any_type() {
    let builder = Builder::new(0)
        .question(&wire("Fsi.io."), 1, 1)
        .answer(FIRST, 2, 1, b"\x02ns\xc0\x0c")
        .answer(FIRST, 33, 1, b"\0\x01\0\x02\0\x03\xc0\x10")
        .answer(FIRST, 64, 1, b"\0\x01\xc0\x0c\0\x03\0\x02\0\x35")
        .answer(FIRST, 46, 1, &[&[0, 1, 5, 2][..], &[0; 14], FIRST, &[1, 2, 3]].concat())
        .answer(FIRST, 47, 1, b"\x01a\xc0\x0c\0\x01\x40");
    let text = builder.text();
    for line in [
        "Fsi.io. 1 IN NS ns.Fsi.io.\n",
        "Fsi.io. 1 IN SRV 1 2 3 io.\n",
        "Fsi.io. 1 IN SVCB 1 Fsi.io. port=53\n",
        "Fsi.io. 1 IN RRSIG A 5 2 0 0 0 0 Fsi.io. AQID\n",
        "Fsi.io. 1 IN NSEC a.Fsi.io. A\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let message = Message::parse(&builder.octets).unwrap();
    let nsec = message.records(Section::Answer).last().unwrap();
    let mut rdata = b"x".to_vec();
    nsec.append_rdata(&mut rdata);
    assert_eq!(rdata, b"x\x01a\x03Fsi\x02io\0\0\x01\x40");
}

#[test]
fn w_26_compression_and_header_pointers_are_accepted() {
    let builder = Builder::new(0).answer(&[0xc0, 2], 2, 1, b"\x01a\xc0\x02");
    assert!(builder.text().contains("\n. 1 IN NS a.\n"));
}

#[test]
fn dp_4_opt_in_the_question_stays_a_question() {
    let builder = Builder::new(0)
        .question(&wire("a."), 41, 512)
        .record(2, &[0], (41, 1400, 0), &[])
        .record(3, &[0], (41, 4096, 0), &[]);
    let message = Message::parse(&builder.octets).unwrap();
    assert_eq!(message.count(Section::Question), 1);
    let edns = message.edns().unwrap();
    assert_eq!((edns.udp_size, edns.version, edns.dnssec_ok()), (1400, 0, false));
    assert_eq!(message.count(Section::Authority), 0);
    assert_eq!(message.count(Section::Additional), 1);
    assert!(builder.text().contains(";a. CLASS512 OPT\n"));
}

#[test]
fn w_11_the_type_of_a_question_never_makes_edns() {
    let builder = Builder::new(0).question(&[0], 41, 512);
    assert!(Message::parse(&builder.octets).unwrap().edns().is_none());
}

#[test]
fn w_13_a_value_length_near_65536_is_out_of_bounds() {
    for len in [0xfffb_u16, 0xfffc, 0xffff] {
        let rdata = [&b"\0\x01\0\0\x07"[..], &len.to_be_bytes(), &[0; 8]].concat();
        let builder = Builder::new(0).answer(&[0], 64, 1, &rdata).answer(&[0], 1, 1, &[0; 4]);
        assert_eq!(error(&builder.octets), Some(Error::OutOfBounds), "{len:#x}");
    }
}
