use super::*;
use proptest::prelude::*;

const SOURCE_V6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53];
const DESTINATION_V6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// IPv4 packet from 192.0.2.53 to 10.0.0.1; `position` is the flags and offset word.
fn v4(protocol: u8, position: u16, body: &[u8]) -> Vec<u8> {
    let total = (20 + body.len()) as u16;
    let mut packet =
        vec![0x45, 0, 0, 0, 0, 7, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 53, 10, 0, 0, 1];
    packet[2..4].copy_from_slice(&total.to_be_bytes());
    packet[6..8].copy_from_slice(&position.to_be_bytes());
    packet.extend(body);
    packet
}

fn v6(next_header: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0, 0, 0, next_header, 64];
    packet[4..6].copy_from_slice(&(body.len() as u16).to_be_bytes());
    packet.extend(SOURCE_V6);
    packet.extend(DESTINATION_V6);
    packet.extend(body);
    packet
}

/// UDP header and payload with the right checksum for [`v4`] (or [`v6`]).
fn udp(family: Family, payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len()) as u16;
    let mut datagram = vec![0, 53, 0x0f, 0xa0];
    datagram.extend(length.to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    let mut pseudo = match family {
        Family::V4 => vec![192, 0, 2, 53, 10, 0, 0, 1],
        Family::V6 => [SOURCE_V6, DESTINATION_V6].concat(),
    };
    pseudo.extend([0, 17]);
    pseudo.extend(length.to_be_bytes());
    pseudo.extend(&datagram);
    // A sum of 0 would say that there is none.
    let sum = match !ones_complement_sum(&pseudo) {
        0 => u16::MAX,
        sum => sum,
    };
    datagram[6..8].copy_from_slice(&sum.to_be_bytes());
    datagram
}

/// Cuts a transport datagram into IPv4 fragments of `size` octets.
fn pieces_v4(body: &[u8], size: usize) -> Vec<Vec<u8>> {
    let count = body.len().div_ceil(size);
    let cut = |(index, piece): (usize, &[u8])| {
        let more = if index + 1 < count { 0x2000 } else { 0 };
        v4(17, more | (index * size / 8) as u16, piece)
    };
    body.chunks(size).enumerate().map(cut).collect()
}

/// Cuts a transport datagram into IPv6 fragments of `size` octets behind `before` (extension
/// headers, of which the last must name the fragment header and `first_header` the first).
fn pieces_v6(body: &[u8], size: usize, first_header: u8, before: &[u8]) -> Vec<Vec<u8>> {
    let count = body.len().div_ceil(size);
    let cut = |(index, piece): (usize, &[u8])| {
        let position = (index * size) as u16 | u16::from(index + 1 < count);
        let mut whole = before.to_vec();
        whole.extend([17, 0]);
        whole.extend(position.to_be_bytes());
        whole.extend([0, 0, 0, 9]);
        whole.extend(piece);
        v6(first_header, &whole)
    };
    body.chunks(size).enumerate().map(cut).collect()
}

fn with(mut packet: Vec<u8>, at: usize, octet: u8) -> Vec<u8> {
    packet[at] = octet;
    packet
}

fn payload_of(packets: &[Vec<u8>], family: Family) -> Option<Vec<u8>> {
    let mut stored = StoredPackets::default();
    stored.udp_datagram(packets.iter().map(Vec::as_slice), family).map(|udp| udp.payload.to_vec())
}

fn checksum_of(packets: &[Vec<u8>]) -> UdpChecksum {
    udp_checksum(packets.iter().map(Vec::as_slice))
}

#[test]
fn cp_1_every_length_is_checked() {
    let good = v4(17, 0, &udp(Family::V4, b"payload"));
    let good_v6 = v6(17, &udp(Family::V6, b"payload"));
    use Malformed::*;
    for (name, packet, family, want) in [
        ("empty", vec![], Family::V4, HeaderCut),
        ("19 octets", good[..19].to_vec(), Family::V4, HeaderCut),
        ("IHL 4", with(good.clone(), 0, 0x44), Family::V4, HeaderLength),
        ("IHL beyond the frame", with(good.clone(), 0, 0x4f), Family::V4, HeaderCut),
        ("version 5", with(good.clone(), 0, 0x55), Family::V4, Version),
        ("total length 19", with(good.clone(), 3, 19), Family::V4, TotalLength),
        ("version 6 asked for", good.repeat(2), Family::V6, Version),
        ("39 octets", good_v6[..39].to_vec(), Family::V6, HeaderCut),
        ("version 5 under IPv6", with(good_v6.clone(), 0, 0x50), Family::V6, Version),
        ("payload length 0", with(good_v6.clone(), 5, 0), Family::V6, PayloadLength),
        ("payload beyond the frame", with(good_v6.clone(), 5, 16), Family::V6, PayloadLength),
        ("extension beyond the payload", with(good_v6, 6, 60), Family::V6, Extension),
        ("only an extension", v6(60, &[17, 0, 1, 4, 0, 0, 0, 0]), Family::V6, PayloadLength),
        ("one octet of extension", v6(60, &[17]), Family::V6, Extension),
        ("fragment header cut", v6(44, &[17, 0, 0, 1, 0, 0, 0]), Family::V6, Extension),
    ] {
        assert_eq!(IpPacket::parse(&packet, family).err(), Some(want), "{name}");
        assert!(!want.reason().is_empty(), "{name}");
    }
    assert_eq!(IpPacket::parse_raw(&good[..19]).err(), Some(HeaderCut));
    assert_eq!(IpPacket::parse_raw(&with(good, 0, 0x15)).err(), Some(Version));
}

#[test]
fn cp_1_transport_headers_must_be_complete() {
    for (name, protocol, body, want) in [
        ("UDP 7", 17, 7, Some(Malformed::TransportCut)),
        ("UDP 8", 17, 8, None),
        ("TCP 19", 6, 19, Some(Malformed::TransportCut)),
        ("TCP 20", 6, 20, None),
        ("ICMP 3", 1, 3, Some(Malformed::TransportCut)),
        ("ICMP 4", 1, 4, None),
        ("GRE", 47, 40, Some(Malformed::Protocol)),
    ] {
        assert_eq!(Transport::parse(protocol, &vec![0; body]).err(), want, "{name}");
    }
}

#[test]
fn headers_are_read_where_they_stand() {
    let udp_v4 = udp(Family::V4, b"abc");
    let packet = v4(17, 0, &udp_v4);
    let parsed = IpPacket::parse_raw(&packet).unwrap();
    assert_eq!((parsed.family(), parsed.protocol(), parsed.header_len()), (Family::V4, 17, 20));
    assert_eq!((parsed.source(), parsed.destination()), (&[192, 0, 2, 53][..], &[10, 0, 0, 1][..]));
    assert_eq!((parsed.octets(), parsed.body()), (&packet[..], &udp_v4[..]));
    assert_eq!((parsed.fragment(), parsed.is_whole()), (None, true));
    let Some(Transport::Udp(read)) = parsed.transport().unwrap() else { panic!("UDP") };
    assert_eq!((read.source_port, read.destination_port, read.length), (53, 4000, 11));
    assert_eq!((read.checksum.to_be_bytes(), read.payload), ([udp_v4[6], udp_v4[7]], &b"abc"[..]));

    let packet = v6(6, &[0, 53, 0x14, 0xe9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let parsed = IpPacket::parse_raw(&packet).unwrap();
    assert_eq!((parsed.source(), parsed.destination()), (&SOURCE_V6[..], &DESTINATION_V6[..]));
    let tcp = Transport::Tcp { source_port: 53, destination_port: 5353 };
    assert_eq!(parsed.transport(), Ok(Some(tcp)));

    let icmp = v4(1, 0, &[3, 3, 0, 0, 9]);
    let transport = IpPacket::parse_raw(&icmp).unwrap().transport();
    assert_eq!(transport, Ok(Some(Transport::Icmp(&[3, 3, 0, 0, 9]))));
}

#[test]
fn families() {
    for (name, octets, of_packet, of_address) in [
        ("nothing", &[][..], None, None),
        ("IPv4", &[0x45, 0, 0, 0][..], Some(Family::V4), Some(Family::V4)),
        ("IPv6", &[0x6f; 16][..], Some(Family::V6), Some(Family::V6)),
        ("neither", &[0x70; 5][..], None, None),
    ] {
        assert_eq!(Family::of_packet(octets), of_packet, "{name}");
        assert_eq!(Family::of_address(octets), of_address, "{name}");
    }
}

#[test]
fn my_3_extension_headers_have_their_own_lengths() {
    let inner = udp(Family::V6, b"payload");
    let behind = |first: u8, extensions: &[u8]| v6(first, &[extensions, &inner].concat());
    let hop_16: Vec<u8> = [17, 1].into_iter().chain([0; 14]).collect();
    let authentication: Vec<u8> = [17, 4].into_iter().chain([0; 22]).collect();
    let chain: Vec<u8> =
        [&[43, 0, 0, 0, 0, 0, 0, 0][..], &[60, 0, 0, 0, 0, 0, 0, 0], &hop_16].concat();
    for (name, packet, header_len) in [
        ("hop-by-hop of 16 octets", behind(0, &hop_16), 56),
        ("authentication of 24 octets", behind(51, &authentication), 64),
        ("hop-by-hop, routing, destination", behind(0, &chain), 72),
    ] {
        let parsed = IpPacket::parse_raw(&packet).unwrap();
        assert_eq!((parsed.header_len(), parsed.protocol()), (header_len, 17), "{name}");
        let payload = udp_datagram(&packet, Family::V6).map(|udp| udp.payload);
        assert_eq!(payload, Some(&b"payload"[..]), "{name}");
        assert_eq!(checksum_of(&[packet]), UdpChecksum::Correct, "{name}");
    }
    let sealed = behind(50, &[17, 0, 0, 0, 0, 0, 0, 0]);
    let parsed = IpPacket::parse_raw(&sealed).unwrap();
    assert_eq!((parsed.header_len(), parsed.protocol()), (40, 50), "ESP ends the walk");
    assert_eq!(parsed.transport(), Err(Malformed::Protocol));
}

#[test]
fn cp_2_padding_belongs_to_the_packet_not_to_its_payload() {
    let mut packet = v4(17, 0, &udp(Family::V4, b"abc"));
    let bare = packet.clone();
    packet.extend(b"PADDING");
    let parsed = IpPacket::parse_raw(&packet).unwrap();
    assert_eq!((parsed.octets().len(), parsed.without_padding()), (38, &bare[..]));
    assert_eq!(udp_datagram(&packet, Family::V4).unwrap().payload, b"abc");
    assert_eq!(checksum_of(&[packet]), UdpChecksum::Correct);
}

#[test]
fn udp_length_is_a_bound_not_a_promise() {
    for (name, length, want) in [
        ("exact", 13, &b"abcde"[..]),
        ("smaller", 10, b"ab"),
        ("larger", 500, b"abcde"),
        ("header only", 8, b""),
        ("below the header counts as it is", 3, b"abc"),
        ("zero", 0, b""),
    ] {
        let body =
            [0, 1, 0, 2, (length >> 8) as u8, length as u8, 0, 0, b'a', b'b', b'c', b'd', b'e'];
        let parsed = UdpDatagram::parse(&body).unwrap();
        assert_eq!((parsed.payload, usize::from(parsed.length)), (want, length), "{name}");
    }
}

#[test]
fn my_2_outer_header_needs_only_itself() {
    let piece = &pieces_v4(&udp(Family::V4, &[0; 40]), 16)[1];
    let outer = OuterHeader::read(&piece[..20], Family::V4).unwrap();
    assert_eq!((outer.source, outer.protocol), (&[192, 0, 2, 53][..], 17));
    assert_eq!(outer.destination, [10, 0, 0, 1]);
    assert_eq!(OuterHeader::read(&piece[..19], Family::V4), None);
    assert_eq!(udp_datagram(piece, Family::V4), None, "a fragment has no ports");
    let packet = v6(60, &[17, 0, 1, 4, 0, 0, 0, 0]);
    assert_eq!(OuterHeader::read(&packet, Family::V6).unwrap().protocol, 60);
    assert_eq!(OuterHeader::read(&packet[..39], Family::V6), None);
}

#[test]
fn dq_8_single_fragments_have_no_payload() {
    let body = udp(Family::V6, b"payload");
    let atomic = pieces_v6(&body, 1000, 44, &[]).remove(0);
    assert!(IpPacket::parse_raw(&atomic).unwrap().fragment().is_some());
    assert_eq!(payload_of(std::slice::from_ref(&atomic), Family::V6), None);
    assert_eq!(checksum_of(&[atomic]), UdpChecksum::Correct);
    let first = v4(17, 0x2000, &udp(Family::V4, b"payloads"));
    assert_eq!(payload_of(&[first], Family::V4), None);
}

#[test]
fn stored_packets_make_one_datagram() {
    let body = udp(Family::V4, &[7; 61]);
    let pieces = pieces_v4(&body, 32);
    let whole = v4(17, 0, &body);
    let mut reversed = pieces.clone();
    reversed.reverse();
    let padded: Vec<_> = pieces.iter().map(|piece| [piece, &b"PAD"[..]].concat()).collect();
    let mut other_source = pieces.clone();
    other_source[2][15] = 54;
    other_source[2][5] = 99;
    let cut = [&pieces[..2], &[pieces[2][..24].to_vec()]].concat();
    let overlap = vec![pieces[0].clone(), v4(17, 0x2003, &body[24..64]), pieces[2].clone()];
    let yes = Some(vec![7; 61]);
    for (name, packets, want, checksum) in [
        ("none", vec![], None, UdpChecksum::Error),
        ("one", vec![whole.clone()], yes.clone(), UdpChecksum::Correct),
        ("in order", pieces.clone(), yes.clone(), UdpChecksum::Correct),
        ("reversed", reversed, yes.clone(), UdpChecksum::Correct),
        ("padded", padded, yes.clone(), UdpChecksum::Incorrect),
        ("keys are not compared", other_source, yes, UdpChecksum::Correct),
        ("last cut short", cut, None, UdpChecksum::Incorrect),
        ("last missing", pieces[..2].to_vec(), None, UdpChecksum::Incorrect),
        ("first missing", pieces[1..].to_vec(), None, UdpChecksum::Error),
        ("two complete packets", vec![whole.clone(); 2], None, UdpChecksum::Incorrect),
        ("complete packet after", [&pieces[..], &[whole]].concat(), None, UdpChecksum::Incorrect),
        ("twice", [&pieces[..], &pieces].concat(), None, UdpChecksum::Incorrect),
        ("duplicate", [&pieces[..1], &pieces].concat(), None, UdpChecksum::Incorrect),
        ("overlap", overlap, None, UdpChecksum::Incorrect),
    ] {
        assert_eq!(payload_of(&packets, Family::V4), want, "{name}");
        assert_eq!(checksum_of(&packets), checksum, "{name}");
    }
    assert_eq!(payload_of(&[v4(17, 0, &body)], Family::V6), None, "family of the address decides");
}

#[test]
fn checksum_verdicts() {
    let good = udp(Family::V4, b"payload");
    let bad = with(good.clone(), 6, good[6] ^ 1);
    let none = with(with(good.clone(), 6, 0), 7, 0);
    for (name, packet, want) in [
        ("correct", v4(17, 0, &good), UdpChecksum::Correct),
        ("incorrect", v4(17, 0, &bad), UdpChecksum::Incorrect),
        ("absent", v4(17, 0, &none), UdpChecksum::Absent),
        ("correct over IPv6", v6(17, &udp(Family::V6, b"odd")), UdpChecksum::Correct),
        ("absent over IPv6", v6(17, &none), UdpChecksum::Absent),
        ("TCP", v4(6, 0, &[0; 20]), UdpChecksum::Error),
        ("UDP header cut", v4(17, 0, &good[..7]), UdpChecksum::Error),
        ("empty packet", vec![], UdpChecksum::Error),
    ] {
        assert_eq!(checksum_of(&[packet]), want, "{name}");
    }
}

fn insert_all(set: &mut FragmentSet<usize>, packets: &[Vec<u8>]) -> Vec<Inserted> {
    let insert =
        |(tag, packet): (usize, &Vec<u8>)| set.insert(&IpPacket::parse_raw(packet).unwrap(), tag);
    packets.iter().enumerate().map(insert).collect()
}

#[test]
fn cp_9_fragment_insertion_rules() {
    let body = udp(Family::V4, &[7; 56]);
    let piece = |from: usize, to: usize, more: bool| {
        v4(17, (from / 8) as u16 | if more { 0x2000 } else { 0 }, &body[from..to])
    };
    use Inserted::*;
    let other = with(piece(0, 16, true), 35, 1);
    for (name, packets, want) in [
        ("in order", vec![piece(0, 32, true), piece(32, 64, false)], vec![Kept, Complete]),
        ("last first", vec![piece(32, 64, false), piece(0, 32, true)], vec![Kept, Complete]),
        ("odd length in the middle", vec![piece(0, 30, true)], vec![Invalid]),
        ("behind the end", vec![piece(8, 16, false), piece(16, 24, true)], vec![Kept, Invalid]),
        ("second last", vec![piece(8, 24, false), piece(0, 8, false)], vec![Kept, Invalid]),
        (
            "exact duplicate",
            vec![piece(0, 16, true), piece(0, 16, true), piece(16, 64, false)],
            vec![Kept, Duplicate, Complete],
        ),
        (
            "duplicate last",
            vec![piece(16, 64, false), piece(16, 64, false), piece(0, 16, true)],
            vec![Kept, Duplicate, Complete],
        ),
        ("same place, other octets", vec![piece(0, 16, true), other], vec![Kept, Invalid]),
        (
            "overlap left, then lost for good",
            vec![piece(0, 24, true), piece(16, 64, false), piece(24, 64, false)],
            vec![Kept, Invalid, Invalid],
        ),
        ("overlap right", vec![piece(16, 64, false), piece(0, 24, true)], vec![Kept, Invalid]),
        ("last before others", vec![piece(32, 64, true), piece(0, 32, false)], vec![Kept, Invalid]),
        (
            "empty last that abuts closes",
            vec![piece(0, 64, true), piece(64, 64, false), piece(64, 64, false)],
            vec![Kept, Complete, Duplicate],
        ),
        (
            "empty last elsewhere is nothing",
            vec![piece(64, 64, false), piece(0, 64, true)],
            vec![Kept, Kept],
        ),
        (
            "empty first is nothing",
            vec![piece(0, 0, true), piece(0, 32, true), piece(32, 64, false)],
            vec![Kept, Kept, Complete],
        ),
        ("not whole", vec![piece(0, 32, true)[..40].to_vec()], vec![Invalid]),
        ("not a fragment", vec![v4(17, 0, &body)], vec![Invalid]),
    ] {
        let mut set = FragmentSet::default();
        // Position 0 without flags is no fragment: such a piece says "last" by another offset.
        assert_eq!(insert_all(&mut set, &packets), want, "{name}");
        let mut out = Vec::new();
        let complete = want.contains(&Complete);
        assert_eq!(set.assemble(&mut out), complete, "{name}");
        if complete {
            assert_eq!(out[20..], body, "{name}");
        }
    }
}

#[test]
fn assembled_headers_are_mended() {
    let body = udp(Family::V4, &[7; 56]);
    let mut set = FragmentSet::default();
    insert_all(&mut set, &pieces_v4(&body, 24));
    let mut out = Vec::new();
    assert!(set.assemble(&mut out));
    assert_eq!((&out[2..8], &out[20..]), (&[0, 84, 0, 7, 0, 0][..], &body[..]));
    assert_eq!(ones_complement_sum(&out[..20]), 0xffff);

    set.clear();
    let body = udp(Family::V6, &[7; 56]);
    insert_all(&mut set, &pieces_v6(&body, 24, 44, &[]));
    assert!(set.assemble(&mut out));
    assert_eq!(out, v6(17, &body));
}

#[test]
fn cp_9_headers_before_the_fragment_header_stay() {
    let body = udp(Family::V6, &[7; 56]);
    let options = [44, 0, 1, 4, 0, 0, 0, 0];
    let packets = pieces_v6(&body, 24, 60, &options);
    let mut set = FragmentSet::default();
    insert_all(&mut set, &packets);
    let mut out = Vec::new();
    assert!(set.assemble(&mut out));
    assert_eq!(out, v6(60, &[&[17, 0, 1, 4, 0, 0, 0, 0][..], &body].concat()));
    assert_eq!(payload_of(&packets, Family::V6), Some(vec![7; 56]));
}

#[test]
fn datagrams_over_the_limit_are_not_made() {
    for (name, last_len, want) in [("65,536 octets", 16, true), ("65,544 octets", 24, false)] {
        let mut set = FragmentSet::default();
        let mut at = 0;
        // Protocol 59 instead of UDP: only the sizes matter.
        let mut push = |len: usize, more: bool| {
            let mut header = vec![59, 0];
            header.extend((at as u16 | u16::from(more)).to_be_bytes());
            header.extend([0, 0, 0, 9]);
            header.resize(8 + len, 0);
            at += len;
            set.insert(&IpPacket::parse_raw(&v6(44, &header)).unwrap(), 0)
        };
        for _ in 0..65 {
            assert_eq!(push(1000, true), Inserted::Kept, "{name}");
        }
        push(480, true);
        assert_eq!(push(last_len, false), Inserted::Complete, "{name}");
        let mut out = Vec::new();
        assert_eq!((set.assemble(&mut out), out.is_empty()), (want, !want), "{name}");
    }
}

#[test]
fn a_checksum_that_comes_out_as_zero_is_there() {
    for (family, header_len) in [(Family::V4, 20), (Family::V6, 40)] {
        let datagrams = (0..=u16::MAX).map(|word| udp(family, &word.to_be_bytes()));
        let inverted: Vec<_> = datagrams.filter(|datagram| datagram[6..8] == [0xff; 2]).collect();
        assert!(!inverted.is_empty());
        for datagram in inverted {
            let packet = match family {
                Family::V4 => v4(17, 0, &datagram),
                Family::V6 => v6(17, &datagram),
            };
            assert_eq!(packet.len(), header_len + datagram.len());
            assert_eq!(checksum_of(&[packet]), UdpChecksum::Correct);
        }
    }
}

#[test]
fn tags_and_packets_come_in_offset_order() {
    let pieces = pieces_v4(&udp(Family::V4, &[7; 56]), 24);
    let mut set = FragmentSet::default();
    for tag in [2, 0, 1] {
        set.insert(&IpPacket::parse_raw(&[&pieces[tag], &b"PAD"[..]].concat()).unwrap(), tag);
    }
    let packets: Vec<_> = set.packets().map(|(tag, packet)| (tag, packet.to_vec())).collect();
    let want: Vec<_> = pieces.into_iter().enumerate().collect();
    assert_eq!(packets, want);
    assert!(set.held_octets() >= want.iter().map(|(_, packet)| packet.len()).sum());
}

proptest! {
    #[test]
    fn any_octets_are_safe(octets in proptest::collection::vec(any::<u8>(), 0..200), nibble in 0_u8..4) {
        let mut octets = octets;
        if let Some(first) = octets.first_mut() {
            *first = match nibble { 0 => *first, 1 => 0x45, 2 => 0x46, _ => 0x60 };
        }
        let _ = checksum_of(&[octets.clone(), octets.clone()]);
        let _ = payload_of(&[octets.clone(), octets.clone()], Family::V4);
        let _ = udp_datagram(&octets, Family::V6);
        if let Ok(packet) = IpPacket::parse_raw(&octets) {
            prop_assert!(packet.header_len() <= octets.len());
            let _ = packet.transport();
        }
    }

    #[test]
    fn any_order_and_any_cut_reassembles(
        payload in proptest::collection::vec(any::<u8>(), 1..3000),
        units in 1_usize..60,
        seed in any::<u64>(),
        is_v6 in any::<bool>(),
        repeats in 0_usize..4,
    ) {
        let family = if is_v6 { Family::V6 } else { Family::V4 };
        let body = udp(family, &payload);
        let mut packets = match family {
            Family::V4 => pieces_v4(&body, units * 8),
            Family::V6 => pieces_v6(&body, units * 8, 44, &[]),
        };
        prop_assume!(packets.len() > 1);
        let count = packets.len();
        for repeat in 0..repeats {
            packets.push(packets[(seed as usize).wrapping_add(repeat) % count].clone());
        }
        let mut state = seed | 1;
        for index in (1..packets.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            packets.swap(index, (state >> 33) as usize % (index + 1));
        }
        let mut set = FragmentSet::default();
        let states = insert_all(&mut set, &packets);
        prop_assert_eq!(states.iter().filter(|state| **state == Inserted::Complete).count(), 1);
        let mut out = Vec::new();
        prop_assert!(set.assemble(&mut out));
        let parsed = udp_datagram(&out, family).unwrap();
        prop_assert_eq!(parsed.payload, &payload[..]);
        let sorted: Vec<_> = set.packets().map(|(_, packet)| packet.to_vec()).collect();
        prop_assert_eq!(checksum_of(&sorted), UdpChecksum::Correct);
        prop_assert_eq!(payload_of(&sorted, family), Some(payload));
    }
}
