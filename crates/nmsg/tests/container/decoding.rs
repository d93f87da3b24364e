//! Container bodies: every row of the decoder's tolerance matrix (`container-and-io` §1.3).

use nmsg::container::{ContainerBody, ContainerBuilder, MAX_BUFFER, StoredPayload, encoded_len};
use nmsg::wire::{Error, WireType, put_len_field, put_tag, put_varint, put_varint_field};
use nmsg::{MsgType, Payload, Timestamp, VendorId};

use crate::{hex, payload, records};

/// The fields of a record as octets of their own, to be put together in any order.
const VENDOR: &str = "0801";
const MSGTYPE: &str = "1006";
const SECONDS: &str = "18A5FACDAC06";
const NANOSECONDS: &str = "2506000000";
const BODY: &str = "2A03616263";
const SOURCE: &str = "38D487CB8D0A";
const CRC_ABC: u32 = 0x364b_3fb7;

fn container(messages: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for message in messages {
        put_len_field(&mut out, 1, message);
    }
    out
}

/// A record with the five usual fields and the source id.
fn plain() -> Payload<'static> {
    Payload { source: Some(0xA1B2_C3D4), ..payload(b"abc") }
}

fn one(message: &str) -> Result<Payload<'static>, Error> {
    let octets: &'static [u8] = container(&[&hex(message)]).leak();
    let found = records(octets)?;
    assert_eq!(found.len(), 1, "{message}");
    let Payload { vendor, msgtype, body, .. } = found[0].payload;
    let bare = Payload { vendor, msgtype, body, ..Payload::default() };
    let mut index = ContainerBody::new();
    index.decode(octets)?;
    assert_eq!(index.bare_payload(0, octets), Some(bare), "{message}: type and body alone");
    assert_eq!(index.bare_payload(1, octets), None, "{message}");
    Ok(found[0].payload)
}

#[test]
fn records_in_any_accepted_form() {
    let all = [VENDOR, MSGTYPE, SECONDS, NANOSECONDS, BODY, SOURCE];
    let backwards = all.iter().rev().copied().collect::<String>();
    let usual = all.concat();
    for (name, message, want) in [
        ("usual order", usual.clone(), plain()),
        ("backwards", backwards, plain()),
        ("labels first", [SOURCE, VENDOR, MSGTYPE, SECONDS, NANOSECONDS, BODY].concat(), plain()),
        ("vendor twice, last wins", format!("0809{usual}"), plain()),
        ("vendor twice behind the rest", format!("{usual}0809"), {
            Payload { vendor: VendorId(9), ..plain() }
        }),
        ("body twice, last wins", format!("{usual}2A027879"), {
            Payload { body: Some(b"xy"), ..plain() }
        }),
        ("source twice, last wins", format!("{usual}3805"), Payload { source: Some(5), ..plain() }),
        ("time twice, last wins", format!("{usual}1802"), {
            Payload { time: Timestamp { sec: 2, nsec: 6 }, ..plain() }
        }),
        ("unknown varint", format!("3007{usual}"), plain()),
        ("unknown fixed64", format!("{usual}510102030405060708"), plain()),
        ("unknown octets", format!("{usual}5203010203"), plain()),
        ("unknown fixed32", format!("{usual}5501020304"), plain()),
        ("unknown, high number", format!("{usual}8008 01"), plain()),
        ("field 6 is unknown", format!("{usual}3200"), plain()),
        ("over-long vendor", format!("08818000{MSGTYPE}{SECONDS}{NANOSECONDS}{BODY}{SOURCE}"), {
            plain()
        }),
        (
            "over-long time",
            format!("{VENDOR}{MSGTYPE}18A5FACDAC8600{NANOSECONDS}{BODY}{SOURCE}"),
            { plain() },
        ),
        (
            "over-long length",
            format!("{VENDOR}{MSGTYPE}{SECONDS}{NANOSECONDS}2A8300616263{SOURCE}"),
            { plain() },
        ),
        ("over-long tag", format!("8800 01{MSGTYPE}{SECONDS}{NANOSECONDS}{BODY}{SOURCE}"), plain()),
        ("vendor beyond 32 bits", format!("{usual}088180808010"), {
            Payload { vendor: VendorId(1), ..plain() }
        }),
        ("source beyond 32 bits", format!("{usual}38D487CB8D7A"), plain()),
        ("operator and group", format!("{usual}40034804"), {
            Payload { operator: Some(3), group: Some(4), ..plain() }
        }),
        (
            "labels of 0 are there",
            [VENDOR, MSGTYPE, SECONDS, NANOSECONDS, BODY, "380040004800"].concat(),
            { Payload { source: Some(0), operator: Some(0), group: Some(0), ..plain() } },
        ),
        ("no labels", [VENDOR, MSGTYPE, SECONDS, NANOSECONDS, BODY].concat(), payload(b"abc")),
        ("empty body", [VENDOR, MSGTYPE, SECONDS, NANOSECONDS, "2A00"].concat(), payload(b"")),
        ("no body", [VENDOR, MSGTYPE, SECONDS, NANOSECONDS].concat(), {
            Payload { body: None, ..payload(b"") }
        }),
        ("no body, but a source", [VENDOR, MSGTYPE, SECONDS, NANOSECONDS, SOURCE].concat(), {
            Payload { body: None, ..plain() }
        }),
        ("before 1970", [VENDOR, MSGTYPE, "18FFFFFFFFFFFFFFFFFF01", NANOSECONDS].concat(), {
            Payload { body: None, time: Timestamp { sec: -1, nsec: 6 }, ..payload(b"") }
        }),
        ("10⁹ nanoseconds and more", [VENDOR, MSGTYPE, SECONDS, "25FFFFFFFF", BODY].concat(), {
            Payload { time: Timestamp { sec: 1_704_164_645, nsec: u32::MAX }, ..payload(b"abc") }
        }),
        ("large ids", ["08FFFFFFFF0F", "10FFFFFFFF0F", SECONDS, NANOSECONDS, BODY].concat(), {
            Payload { vendor: VendorId(u32::MAX), msgtype: MsgType(u32::MAX), ..payload(b"abc") }
        }),
    ] {
        assert_eq!(one(&message), Ok(want), "{name}");
    }
}

#[test]
fn cr_11_what_makes_a_container_undecodable() {
    let usual = [VENDOR, MSGTYPE, SECONDS, NANOSECONDS, BODY, SOURCE].concat();
    let without =
        |left_out| [VENDOR, MSGTYPE, SECONDS, NANOSECONDS, BODY].concat().replace(left_out, "");
    for (name, message, want) in [
        ("no vendor", without(VENDOR), Error::MissingField),
        ("no type", without(MSGTYPE), Error::MissingField),
        ("no seconds", without(SECONDS), Error::MissingField),
        ("no nanoseconds", without(NANOSECONDS), Error::MissingField),
        ("nothing at all", String::new(), Error::MissingField),
        ("group", format!("{usual}5B5C"), Error::BadTag),
        ("end of group", format!("{usual}5C"), Error::BadTag),
        ("field number 0", format!("{usual}0001"), Error::BadTag),
        ("vendor as octets", format!("{usual}0A0101"), Error::WrongWireType),
        ("type as fixed32", format!("{usual}1501020304"), Error::WrongWireType),
        ("seconds as fixed64", format!("{usual}190102030405060708"), Error::WrongWireType),
        ("nanoseconds as varint", format!("{usual}2001"), Error::WrongWireType),
        ("body as varint", format!("{usual}2801"), Error::WrongWireType),
        ("source as octets", format!("{usual}3A00"), Error::WrongWireType),
        ("operator as octets", format!("{usual}4200"), Error::WrongWireType),
        ("group id as octets", format!("{usual}4A00"), Error::WrongWireType),
        ("varint of eleven octets", format!("{usual}38FFFFFFFFFFFFFFFFFFFF01"), {
            Error::VarintTooLong
        }),
        ("body cut", format!("{VENDOR}{MSGTYPE}{SECONDS}{NANOSECONDS}2A046162 63"), {
            Error::Truncated
        }),
        ("body of 2 GiB", format!("{VENDOR}{MSGTYPE}{SECONDS}{NANOSECONDS}2AFFFFFFFF07"), {
            Error::Truncated
        }),
        ("nanoseconds cut", format!("{VENDOR}{MSGTYPE}{SECONDS}25060000"), Error::Truncated),
        ("number cut", format!("{usual}38D4"), Error::Truncated),
    ] {
        assert_eq!(one(&message), Err(want), "{name}");
        let good = hex(&usual);
        let mixed = container(&[&good, &hex(&message), &good]);
        let mut index = ContainerBody::new();
        assert_eq!(index.decode(&mixed), Err(want), "{name}, among good ones");
        assert!(index.is_empty(), "{name}: nothing of it is delivered");
    }
}

#[test]
fn container_fields_in_any_accepted_form() {
    let record = hex(&[VENDOR, MSGTYPE, SECONDS, NANOSECONDS, BODY].concat());
    let two = container(&[&record, &record]);
    let stored = CRC_ABC.swap_bytes();
    let number = |field, value: u64| {
        let mut out = Vec::new();
        put_varint_field(&mut out, field, value);
        out
    };
    let crc = number(2, stored.into());
    let packed = |values: &[u32]| {
        let (mut numbers, mut out) = (Vec::new(), Vec::new());
        values.iter().for_each(|value| put_varint(&mut numbers, u64::from(*value)));
        put_len_field(&mut out, 2, &numbers);
        out
    };
    let mut over_long = hex("10");
    put_varint(&mut over_long, u64::from(stored) | 1 << 63);
    let one = Some(stored);
    for (name, octets, want) in [
        ("no checksums", two.clone(), [None, None]),
        ("one checksum", [&two[..], &crc].concat(), [one, None]),
        ("two checksums", [&two[..], &crc, &crc].concat(), [one, one]),
        ("surplus checksums", [&two[..], &crc, &crc, &crc, &crc].concat(), [one, one]),
        ("checksums first", [&crc[..], &crc, &two].concat(), [one, one]),
        ("one before, one behind", [&crc[..], &two, &crc].concat(), [one, one]),
        ("packed", [two.clone(), packed(&[stored, 7])].concat(), [one, Some(7)]),
        ("packed, then not", [two.clone(), packed(&[stored]), number(2, 9)].concat(), {
            [one, Some(9)]
        }),
        ("packed nothing", [two.clone(), packed(&[])].concat(), [None, None]),
        ("beyond 32 bits", [&two[..], &over_long].concat(), [one, None]),
        ("small checksums", [two.clone(), number(2, 0), number(2, 1)].concat(), {
            [Some(0), Some(1)]
        }),
        ("unknown field", [two.clone(), number(9, 1), number(2000, 1)].concat(), [None, None]),
    ] {
        let found = records(&octets).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            found.iter().map(|record| record.stored_crc).collect::<Vec<_>>(),
            want,
            "{name}"
        );
        assert!(found.iter().all(|record| record.payload == payload(b"abc")), "{name}");
    }
    for (name, octets, want) in [
        ("records as varint", number(1, 1), Error::WrongWireType),
        ("checksum as fixed32", hex("1501020304"), Error::WrongWireType),
        ("sequence as octets", hex("1A00"), Error::WrongWireType),
        ("sequence id as fixed64", hex("210102030405060708"), Error::WrongWireType),
        ("packed checksum cut", hex("120180"), Error::Truncated),
        ("packed checksum too long", hex("120BFFFFFFFFFFFFFFFFFFFF01"), Error::VarintTooLong),
        ("group", hex("2B2C"), Error::BadTag),
        ("field number 0", hex("0000"), Error::BadTag),
        ("record cut", hex("0A20"), Error::Truncated),
    ] {
        assert_eq!(records(&[&two[..], &octets].concat()), Err(want), "{name}");
    }
}

#[test]
fn sequence_fields() {
    let mut index = ContainerBody::new();
    for (name, octets, number, id) in [
        ("neither", "", None, None),
        ("number", "1807", Some(7), None),
        ("id", "20FFFFFFFFFFFFFFFFFF01", None, Some(u64::MAX)),
        ("both, backwards", "20051807", Some(7), Some(5)),
        ("twice, last wins", "1807180820052006", Some(8), Some(6)),
        ("number beyond 32 bits", "18FFFFFFFF7F", Some(u32::MAX), None),
    ] {
        index.decode(&hex(octets)).unwrap();
        assert_eq!((index.sequence(), index.sequence_id()), (number, id), "{name}");
    }
}

#[test]
fn cr_1_an_empty_body_is_a_container_without_records() {
    let mut index = ContainerBody::new();
    index.decode(&container(&[&hex("0801100618002500000000")])).unwrap();
    assert_eq!(index.len(), 1);
    index.decode(b"").unwrap();
    assert!(index.is_empty() && index.payloads(b"").next().is_none());
    index.decode(&hex("1800")).unwrap();
    assert!(index.is_empty(), "sequence fields alone");
}

#[test]
fn cr_6_checksums() {
    let record = |crc: Option<u32>| StoredPayload {
        payload: payload(b"abc"),
        stored_crc: crc.map(u32::swap_bytes),
        encoded: None,
    };
    assert!(record(Some(CRC_ABC)).crc_matches());
    assert!(record(None).crc_matches(), "a missing checksum is not checked");
    let wrong = record(Some(CRC_ABC ^ 1));
    assert!(!wrong.crc_matches());
    let absent = StoredPayload { payload: Payload::default(), ..record(Some(0)) };
    assert!(absent.crc_matches(), "the checksum of no body is 0");

    let mut text = String::new();
    let stored = wrong.stored_crc.unwrap();
    nmsg::container::crc_mismatch_text(wrong.calculated_crc(), stored, &mut text);
    assert_eq!(text, "crc mismatch (364b3fb7 != b63f4b36) [_input_nmsg_filter]");
}

#[test]
fn cr_5_whole_records_of_a_body_that_is_cut_short() {
    let record = hex(&[VENDOR, MSGTYPE, SECONDS, NANOSECONDS, BODY, SOURCE].concat());
    let octets = container(&[&record, &record, &record]);
    let mut index = ContainerBody::new();
    for cut in 0..octets.len() {
        assert!(index.decode_cut_short(&octets[..cut]), "cut at {cut}");
        assert_eq!(index.len(), cut / (octets.len() / 3), "cut at {cut}");
    }
    let damaged = [&octets[..], b"NMSG"].concat();
    assert!(!index.decode_cut_short(&damaged), "what follows is not part of the body");
    assert_eq!(index.len(), 3);
}

/// Copies are octet for octet what a writer makes of the record, or not offered.
fn check_canonical(record: &StoredPayload<'_>) {
    let (mut written, mut copied) =
        (ContainerBuilder::new(MAX_BUFFER, false), ContainerBuilder::new(MAX_BUFFER, false));
    written.push(&record.payload, 1);
    copied.add_stored(record, 1).unwrap();
    assert_eq!(written.finish(None).unwrap(), copied.finish(None).unwrap(), "{record:?}");
    if let Some(encoded) = record.encoded {
        assert_eq!(encoded.len(), encoded_len(&record.payload), "{record:?}");
    }
}

#[test]
fn only_canonical_records_are_copied_as_they_stand() {
    let usual = [VENDOR, MSGTYPE, SECONDS, NANOSECONDS, BODY].concat();
    for (name, message, canonical) in [
        ("usual", usual.clone(), true),
        ("with source", format!("{usual}{SOURCE}"), true),
        ("with small source", format!("{usual}3805"), true),
        ("with all labels", format!("{usual}{SOURCE}40004801"), true),
        ("no body", [VENDOR, MSGTYPE, SECONDS, NANOSECONDS].concat(), true),
        ("empty body", [VENDOR, MSGTYPE, SECONDS, NANOSECONDS, "2A00"].concat(), true),
        ("before 1970", [VENDOR, MSGTYPE, "18FEFFFFFFFFFFFFFFFF01", NANOSECONDS].concat(), true),
        (
            "bits that do not count",
            { [VENDOR, MSGTYPE, "18FEFFFFFFFFFFFFFFFF7F", NANOSECONDS].concat() },
            false,
        ),
        ("unknown field", format!("{usual}3000"), false),
        ("source twice", format!("{usual}38053806"), false),
        ("group before operator", format!("{usual}48054006"), false),
        ("body first", [BODY, VENDOR, MSGTYPE, SECONDS, NANOSECONDS].concat(), false),
        ("over-long time", format!("{VENDOR}{MSGTYPE}18A5FACD8C00{NANOSECONDS}{BODY}"), false),
        (
            "over-long body length",
            { format!("{VENDOR}{MSGTYPE}{SECONDS}{NANOSECONDS}2A8300616263") },
            false,
        ),
        ("over-long source", format!("{usual}38D487CB8D00"), false),
        ("source beyond 32 bits", format!("{usual}38D487CB8D1A"), false),
        ("body again", format!("{usual}2A00"), false),
    ] {
        let octets = container(&[&hex(&message)]);
        let found = records(&octets).unwrap();
        check_canonical(&found[0]);
        assert_eq!(found[0].encoded.is_some(), canonical, "{name}");
    }
}

#[test]
fn what_is_written_is_read() {
    let long = vec![b'x'; 3 << 20];
    let bodies: [Option<&[u8]>; 6] =
        [None, Some(b""), Some(b"a"), Some(&long[..127]), Some(&long[..20_000]), Some(&long)];
    let numbers = [0, 1, 127, 128, 16_383, 1 << 28, u32::MAX];
    let labels = [None, Some(0), Some(5), Some(1 << 28), Some(u32::MAX)];
    let seconds =
        [0, -1, 1 << 27, 1 << 28, (1 << 28) - 1, (1 << 35) - 1, 1 << 35, i64::MIN, i64::MAX];
    let mut builder = ContainerBuilder::new(MAX_BUFFER, true);
    for round in 0..2000_usize {
        let pick = |step: usize| round / step + round;
        let record = Payload {
            vendor: VendorId(numbers[pick(3) % numbers.len()]),
            msgtype: MsgType(numbers[pick(5) % numbers.len()]),
            time: Timestamp {
                sec: seconds[pick(7) % seconds.len()],
                nsec: numbers[pick(11) % numbers.len()],
            },
            source: labels[pick(13) % labels.len()],
            operator: labels[pick(17) % labels.len()],
            group: labels[pick(19) % labels.len()],
            body: bodies[if round % 200 == 0 { 5 } else { pick(23) % 5 }],
        };
        builder.clear();
        builder.add(&record, None).unwrap();
        let octets = builder.finish(None).unwrap();
        let found = records(&octets[10..]).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].payload, record);
        assert!(found[0].crc_matches() && found[0].stored_crc.is_some());
        assert!(found[0].encoded.is_some(), "{record:?}");
        check_canonical(&found[0]);
    }
}

#[test]
fn cr_10_unknown_fields_of_the_body_are_kept_and_of_the_header_dropped() {
    let mut message = hex(&[VENDOR, MSGTYPE, SECONDS, NANOSECONDS].concat());
    let mut body = Vec::new();
    put_varint_field(&mut body, 2000, 1);
    put_len_field(&mut message, 5, &body);
    put_tag(&mut message, 6, WireType::Varint);
    put_varint(&mut message, 1);
    let octets = container(&[&message]);
    let found = records(&octets).unwrap();
    let mut builder = ContainerBuilder::new(MAX_BUFFER, false);
    builder.add_stored(&found[0], found[0].calculated_crc()).unwrap();
    let rewritten = builder.finish(None).unwrap();
    let again = records(&rewritten[10..]).unwrap();
    assert_eq!(again[0].payload.body, Some(&body[..]));
    assert_eq!(again[0].encoded.map(<[u8]>::len), Some(message.len() - 2));
}

#[test]
fn every_cut_and_every_flipped_bit_is_survived() {
    let record = hex(&[VENDOR, MSGTYPE, SECONDS, NANOSECONDS, BODY, SOURCE].concat());
    let mut octets = container(&[&record, &record]);
    octets.extend(hex("108EDC9FBA0F 108EDC9FBA0F 1800 2092E98CD9CAEDAFFBA701"));
    let mut index = ContainerBody::new();
    for cut in 0..octets.len() {
        let _: Result<(), Error> = index.decode(&octets[..cut]);
        assert!(index.len() <= 2);
    }
    for bit in 0..octets.len() * 8 {
        let mut flipped = octets.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if index.decode(&flipped).is_ok() {
            for record in index.payloads(&flipped) {
                assert!(record.payload.body.is_none_or(|body| body.len() < 50));
                check_canonical(&record);
            }
        }
    }
}

#[test]
fn a_million_records_in_one_container() {
    let record = hex("0800100018002500000000");
    let mut octets = Vec::new();
    for _ in 0..1_000_000 {
        put_len_field(&mut octets, 1, &record);
    }
    let mut index = ContainerBody::new();
    index.decode(&octets).unwrap();
    assert_eq!(index.len(), 1_000_000);
    assert_eq!(index.payloads(&octets).len(), 1_000_000);
    let empty = [0x0a, 0x00].repeat(1_000_000);
    assert_eq!(index.decode(&empty), Err(Error::MissingField));
}
