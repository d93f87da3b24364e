use super::*;
use crate::test_filters::constant_filter;
use crate::test_packets::{ethernet, fragment, ip, udp};
use nmsg::datagram::Family;
use proptest::prelude::*;
use std::net::IpAddr;

const HERE: (&str, u16) = ("10.0.0.1", 4000);
const THERE: (&str, u16) = ("192.0.2.53", 5000);

fn frame(link: LinkType, octets: &[u8]) -> Frame<'_> {
    let time = Timestamp { sec: 7, nsec: 5 };
    Frame { time, link, original_len: octets.len() as u32, octets }
}

/// Runs one frame through a converter: the payload of the message, or why there is none.
fn convert(converter: &mut Converter, frame: &Frame<'_>) -> Result<Vec<u8>, Skip> {
    let before = converter.counters().clone();
    let mut payload = None;
    let told = converter.frame(frame, &mut |message| {
        assert_eq!(message.time(), frame.time);
        payload = Some(match message {
            Message::Ncap(ncap) => ncap.payload.to_vec(),
            Message::Packet(packet) => packet.payload.to_vec(),
            Message::Pkt(pkt) => pkt.payload.to_vec(),
            Message::DnsQr(_) => panic!("not asked for"),
        });
    });
    let after = converter.counters();
    assert_eq!(after.frames, before.frames + 1);
    let reason = Skip::ALL.into_iter().find(|r| after.skipped(*r) > before.skipped(*r));
    assert_eq!(payload.is_some(), reason.is_none());
    assert_eq!(told, reason);
    assert!(after.balances());
    assert_eq!(after.messages, before.messages + u64::from(payload.is_some()));
    payload.ok_or_else(|| reason.unwrap())
}

fn ncap() -> Converter {
    Converter::ncap(ReassemblyLimits::default(), None)
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn cp_5_unsupported_link_types_are_refused_by_name() {
    let all = [PacketType::Ncap, PacketType::Pkt, PacketType::DnsQr, PacketType::Packet];
    for packet_type in all {
        assert_eq!(packet_type.check_link(LinkType::ETHERNET), Ok(()));
        let error = packet_type.check_link(LinkType(9)).unwrap_err().to_string();
        assert!(error.contains("PPP") && error.contains(packet_type.name()), "{error}");
        let taken = packet_type.check_link(LinkType::RAW).is_ok();
        assert_eq!(taken, packet_type != PacketType::Pkt);
    }
    assert_eq!(
        PacketType::DnsQr.check_link(LinkType(65000)).unwrap_err().to_string(),
        "base:dnsqr cannot be made from link type 65000"
    );
    assert_eq!(
        PacketType::Pkt.check_link(LinkType::RAW).unwrap_err().to_string(),
        "base:pkt needs link type EN10MB, this one is RAW"
    );
}

#[test]
fn message_types_that_are_made_of_packets() {
    let known = (0..20).filter_map(|n| PacketType::from_msgtype(MsgType(n)).map(|t| (n, t)));
    assert_eq!(
        known.collect::<Vec<_>>(),
        [
            (1, PacketType::Ncap),
            (8, PacketType::Pkt),
            (9, PacketType::DnsQr),
            (12, PacketType::Packet),
        ]
    );
}

#[test]
fn my_4_ncap_takes_udp_only() {
    let datagram = udp(HERE, THERE, b"payload").packet();
    let padded = [&datagram[..], b"PAD"].concat();
    let tcp = ip(address(HERE.0), address(THERE.0), 6, &[0; 20]);
    let mut bad_version = ethernet(&datagram);
    bad_version[14] = 0x55;
    for (name, octets, want) in [
        ("UDP", ethernet(&datagram), Ok(datagram.clone())),
        ("cp_2: padding stays", ethernet(&padded), Ok(padded.clone())),
        ("TCP", ethernet(&tcp), Err(Skip::Transport)),
        ("UDP header cut", ethernet(&datagram[..27]), Err(Skip::TransportCut)),
        ("ARP", [&[2; 12][..], &[8, 6], &[0; 28]].concat(), Err(Skip::NotIp)),
        ("cp_1: version", bad_version, Err(Skip::Version)),
    ] {
        let got = convert(&mut ncap(), &frame(LinkType::ETHERNET, &octets));
        assert_eq!(got, want, "{name}");
    }
    let snapped = Frame { original_len: 999, ..frame(LinkType::RAW, &datagram) };
    assert_eq!(convert(&mut ncap(), &snapped), Err(Skip::Snapped));
}

#[test]
fn ncap_reassembles() {
    for (here, there, family) in
        [(HERE, THERE, Family::V4), (("2001:db8::1", 1), ("2001:db8::2", 2), Family::V6)]
    {
        let datagram = udp(here, there, &[7; 50]);
        let pieces = datagram.fragments(32);
        let mut converter = ncap();
        let first = convert(&mut converter, &frame(LinkType::RAW, &pieces[1]));
        assert_eq!(first, Err(Skip::FragmentKept));
        assert_eq!(converter.next_deadline(), Some(68));
        let again = convert(&mut converter, &frame(LinkType::RAW, &pieces[1]));
        assert_eq!(again, Err(Skip::FragmentDuplicate));
        let mut seen = None;
        converter.frame(&frame(LinkType::RAW, &pieces[0]), &mut |message| {
            let Message::Ncap(ncap) = message else { panic!("{message:?}") };
            seen = Some((ncap.family, ncap.payload.to_vec()));
        });
        let (got_family, payload) = seen.unwrap();
        assert_eq!(got_family, family);
        let header_len = if family == Family::V4 { 20 } else { 40 };
        assert_eq!(payload[header_len..], datagram.datagram());
        assert_eq!(converter.next_deadline(), None);
    }
}

#[test]
fn ncap_forgets_late_pieces_by_the_clock() {
    let pieces = udp(HERE, THERE, &[7; 50]).fragments(32);
    let mut converter = ncap();
    let _ = convert(&mut converter, &frame(LinkType::RAW, &pieces[0]));
    converter.expire(Timestamp { sec: 68, nsec: 0 }, &mut |_| panic!("no message"));
    assert_eq!(converter.counters().expired_fragments, 1);
    converter.finish(&mut |_| panic!("no message"));
    assert_eq!(converter.discard_pending(), 0);
}

#[test]
fn cp_9_ncap_keeps_headers_before_the_fragment_header() {
    let datagram = udp(("2001:db8::1", 1), ("2001:db8::2", 2), &[7; 50]);
    let mut converter = ncap();
    let mut last = Err(Skip::FragmentKept);
    for piece in datagram.fragments(32) {
        // Destination options in front of the fragment header.
        let behind = [&[44, 0, 1, 4, 0, 0, 0, 0], &piece[40..]].concat();
        let packet = ip(datagram.source.0, datagram.destination.0, 60, &behind);
        last = convert(&mut converter, &frame(LinkType::RAW, &packet));
    }
    let want = [&[17, 0, 1, 4, 0, 0, 0, 0][..], &datagram.datagram()].concat();
    assert_eq!(last.unwrap()[40..], want);
}

#[test]
fn packet_takes_every_ip_packet() {
    let tcp = ip(address(HERE.0), address(THERE.0), 6, &[0; 20]);
    let tagged = [&[2; 12][..], &[0x81, 0, 0, 5, 0x88, 0xa8, 0, 6, 8, 0], &tcp].concat();
    let piece = &udp(HERE, THERE, &[7; 50]).fragments(32)[1];
    for (name, link, octets, want) in [
        ("TCP", LinkType::ETHERNET, ethernet(&tcp), Ok(tcp.clone())),
        ("cp_6: two tags", LinkType::ETHERNET, tagged, Ok(tcp.clone())),
        ("fragment", LinkType::ETHERNET, ethernet(piece), Ok(piece.clone())),
        ("cp_6: NULL from a file", LinkType::NULL, [&[2, 0, 0, 0], &tcp[..]].concat(), Ok(tcp)),
        ("RAW is not looked at", LinkType::RAW, vec![1, 2], Ok(vec![1, 2])),
        ("RAW, empty", LinkType::RAW_BSD, vec![], Ok(vec![])),
        ("Ethernet without content", LinkType::ETHERNET, ethernet(&[0x45])[..14].to_vec(), {
            Ok(vec![])
        }),
        ("ARP", LinkType::ETHERNET, [&[2; 12][..], &[8, 6], &[0; 28]].concat(), {
            Err(Skip::NotIp)
        }),
        ("PPP among other interfaces", LinkType(9), vec![1], Err(Skip::LinkType)),
    ] {
        assert_eq!(convert(&mut Converter::packet(None), &frame(link, &octets)), want, "{name}");
    }
    let snapped = Frame { original_len: 999, ..frame(LinkType::RAW, &[0x45]) };
    assert_eq!(convert(&mut Converter::packet(None), &snapped), Err(Skip::Snapped));
}

#[test]
fn pkt_takes_every_ethernet_frame() {
    for (name, octets) in [("ARP", vec![8; 40]), ("runt", vec![1]), ("empty", vec![])] {
        let got = convert(&mut Converter::pkt(None), &frame(LinkType::ETHERNET, &octets));
        assert_eq!(got, Ok(octets), "{name}");
    }
    let snapped = Frame { original_len: 999, ..frame(LinkType::ETHERNET, &[1, 2]) };
    let mut len_frame = None;
    Converter::pkt(None).frame(&snapped, &mut |message| {
        let Message::Pkt(pkt) = message else { panic!("{message:?}") };
        len_frame = Some(pkt.len_frame);
    });
    assert_eq!(len_frame, Some(999));
    let other = convert(&mut Converter::pkt(None), &frame(LinkType::RAW, &[1]));
    assert_eq!(other, Err(Skip::LinkType));
}

#[test]
fn cp_3_filters_judge_unfragmented_packets_and_whole_datagrams() {
    let whole = ethernet(&udp(HERE, THERE, &[7; 50]).packet());
    let six = ethernet(&udp(("::1", 1), ("::2", 2), b"x").packet());
    let piece = ethernet(&fragment(address(HERE.0), address(THERE.0), 17, 0, true, &[0; 16]));
    let arp = [&[2; 12][..], &[8, 6], &[0; 28]].concat();
    let refused = || Some(constant_filter(0));
    let on = |mut converter: Converter, octets: &[u8]| {
        convert(&mut converter, &frame(LinkType::ETHERNET, octets)).map(|_| ())
    };
    for (name, octets, packet, pkt) in [
        ("IPv4", &whole, Err(Skip::Filtered), Err(Skip::Filtered)),
        ("IPv6", &six, Err(Skip::Filtered), Err(Skip::Filtered)),
        ("fragment", &piece, Ok(()), Ok(())),
        ("no IP", &arp, Err(Skip::NotIp), Ok(())),
    ] {
        assert_eq!(on(Converter::packet(refused()), octets), packet, "{name}");
        assert_eq!(on(Converter::pkt(refused()), octets), pkt, "{name}");
        if packet.is_err() {
            let ncap = Converter::ncap(ReassemblyLimits::default(), refused());
            assert_eq!(on(ncap, octets), packet, "{name}");
        }
        let taken = Converter::packet(Some(constant_filter(1)));
        assert_eq!(on(taken, octets).is_ok(), name != "no IP", "{name}");
    }
    let mut ncap = Converter::ncap(ReassemblyLimits::default(), refused());
    let pieces = udp(HERE, THERE, &[7; 50]).fragments(32);
    let first = convert(&mut ncap, &frame(LinkType::RAW, &pieces[0]));
    assert_eq!(first, Err(Skip::FragmentKept));
    assert_eq!(convert(&mut ncap, &frame(LinkType::RAW, &pieces[1])), Err(Skip::Filtered));
}

proptest! {
    #[test]
    fn any_frame_is_safe(
        link in prop_oneof![Just(1_u16), Just(101), Just(113), Just(276), Just(0), any::<u16>()],
        octets in proptest::collection::vec(any::<u8>(), 0..150),
        more in 0_u32..3,
    ) {
        let octets_len = octets.len() as u32;
        let frame = Frame { original_len: octets_len + more, ..frame(LinkType(link), &octets) };
        for mut converter in [ncap(), Converter::packet(None), Converter::pkt(None)] {
            let _ = convert(&mut converter, &frame);
        }
    }
}
