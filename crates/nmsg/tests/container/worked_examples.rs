//! The worked examples A to E of `container-and-io` §7, to the octet.

use nmsg::container::{
    ContainerBody, ContainerBuilder, Fullness, Header, Inflater, MAX_BUFFER, Sequence,
};
use nmsg::{Limits, Payload};

use crate::{hex, payload, records};

const RECORD: &str = "0801 1006 18A5FACDAC06 2506000000 2A09 0A026300 1203686900 38D487CB8D0A";
const CRC: &str = "108EDC9FBA0F";
const SEQUENCE_ID: u64 = 0xA7F6_BF6C_AB23_3492;

fn example_record() -> Payload<'static> {
    Payload { source: Some(0xA1B2_C3D4), ..payload(b"\x0a\x02c\0\x12\x03hi\0") }
}

fn container_a() -> Vec<u8> {
    hex(&format!("4E4D5347 0002 00000028 0A20 {RECORD} {CRC}"))
}

fn container_b() -> Vec<u8> {
    hex(&format!("4E4D5347 0002 00000035 0A20 {RECORD} {CRC} 1800 2092E98CD9CAEDAFFBA701"))
}

#[test]
fn example_a_file_container() {
    let a = container_a();
    assert_eq!(a.len(), 50);
    let (header, body) = Header::parse_message(&a).unwrap();
    assert_eq!(header.body_len, 40);
    let found = records(body).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].payload, example_record());
    assert_eq!(found[0].stored_crc, Some(0xF747_EE0E));
    assert_eq!(found[0].calculated_crc(), 0x0EEE_47F7);
    assert!(found[0].crc_matches());

    let mut builder = ContainerBuilder::new(MAX_BUFFER, false);
    assert_eq!(builder.add(&example_record(), None).unwrap(), Fullness::Fits);
    assert_eq!(builder.finish(None).unwrap(), a, "written");
    builder.clear();
    assert_eq!(builder.add_stored(&found[0], 0x0EEE_47F7).unwrap(), Fullness::Fits);
    assert!(found[0].encoded.is_some());
    assert_eq!(builder.finish(None).unwrap(), a, "copied");
}

#[test]
fn example_b_sequence_fields() {
    let b = container_b();
    assert_eq!(b.len(), 63);
    let (_, body) = Header::parse_message(&b).unwrap();
    let mut index = ContainerBody::new();
    index.decode(body).unwrap();
    assert_eq!((index.sequence(), index.sequence_id()), (Some(0), Some(SEQUENCE_ID)));
    assert_eq!(records(body).unwrap(), records(&container_a()[10..]).unwrap());

    let mut builder = ContainerBuilder::new(8192, true);
    builder.add(&example_record(), None).unwrap();
    let sequence = Some(Sequence { number: 0, id: SEQUENCE_ID });
    assert_eq!(builder.finish(sequence).unwrap(), b);
    assert_eq!(builder.finish(None).unwrap(), container_a(), "finished again, another way");
}

#[test]
fn example_c_compressed_container() {
    let c = hex("4E4D5347 0102 00000035 00000028 789C \
         E352E060146093 58FAEBEC1A36553606 06062D4E2EA66406 21E68C4C068B2BED \
         A77BB904FAEECCDFC50F00 B5EB0B0A");
    assert_eq!(c.len(), 63);
    let (header, body) = Header::parse_message(&c).unwrap();
    assert!(header.flags.is_zlib() && !header.flags.is_fragment());
    let (mut inflater, mut inflated) = (Inflater::new(), Vec::new());
    inflater.inflate(body, &mut inflated, &Limits::default()).unwrap();
    assert_eq!(inflated, container_a()[10..]);

    let mut builder = ContainerBuilder::new(MAX_BUFFER, false);
    builder.add(&example_record(), None).unwrap();
    let mut deflater = nmsg::container::Deflater::new();
    let ours = builder.finish_zlib(None, &mut deflater).unwrap();
    let (header, body) = Header::parse_message(ours).unwrap();
    assert_eq!(header.flags.0, 1);
    assert_eq!(body[..6], hex("00000028 789C"));
    inflater.inflate(body, &mut inflated, &Limits::default()).unwrap();
    assert_eq!(inflated, container_a()[10..]);
}
