//! The acceptance scenarios of `capture-and-dnsqr` §9, by their numbers.

use super::*;
use crate::dnsqr::Kind::*;

#[test]
fn scenario_1_query_and_response() {
    let mut bench = Bench::new();
    let (ask, answer) = (query(1, "example.com").packet(), response(1, "example.com").packet());
    bench.packet(1000.0, &ask).packet(1000.25, &answer).finish();
    assert_eq!(
        bench.seen,
        [Seen {
            kind: UdpQueryResponse,
            time: at(1000.0),
            query: (vec![10, 0, 0, 1], 40_000),
            response: (vec![192, 0, 2, 53], 53),
            protocol: 17,
            id: 1,
            name: Some(b"\x07example\x03com\0".to_vec()),
            rcode: Some(0),
            query_packets: vec![(at(1000.0), ask)],
            response_packets: vec![(at(1000.25), answer)],
            tcp: None,
            icmp: None,
            timeout: None,
            checksum: Some(UdpChecksum::Correct),
            zeroed: false,
        }]
    );
    assert!(bench.balances());
    assert_eq!((bench.matcher.counters().converted, bench.skipped(Skip::QueryKept)), (1, 1));
}

#[test]
fn scenario_2_query_only() {
    let mut bench = Bench::new();
    let ask = query(1, "example.com").packet();
    bench.packet(1000.0, &ask).finish();
    let seen = &bench.seen[0];
    assert_eq!((seen.kind, seen.timeout, seen.rcode), (UdpUnansweredQuery, Some(0.0), None));
    assert_eq!((&seen.query_packets[0].1, seen.response_packets.len()), (&ask, 0));
    assert_eq!((seen.checksum, seen.time), (None, at(1000.0)));
}

#[test]
fn scenario_3_response_only() {
    let mut bench = Bench::new();
    let answer = response(1, "example.com").packet();
    bench.packet(1000.5, &answer).finish();
    let seen = &bench.seen[0];
    assert_eq!((seen.kind, seen.time, seen.timeout), (UdpUnsolicitedResponse, at(1000.5), None));
    assert_eq!(seen.query, (vec![10, 0, 0, 1], 40_000));
    assert_eq!((&seen.response_packets[0].1, seen.query_packets.len()), (&answer, 0));
}

#[test]
fn scenarios_4_to_9_what_answers_a_query() {
    let some = |name, qtype| Some((name, qtype));
    let matched: &[Kind] = &[UdpQueryResponse];
    let apart: &[Kind] = &[UdpUnsolicitedResponse, UdpUnansweredQuery];
    for (name, asked, rcode, answered, want) in [
        ("4: letter case", some("Example.com", 1), NOERROR, some("example.com", 1), apart),
        ("4: type", some("example.com", 1), NOERROR, some("example.com", 28), apart),
        ("5: FORMERR alone", some("example.com", 1), FORMERR, None, matched),
        ("5: SERVFAIL alone", some("example.com", 1), SERVFAIL, None, matched),
        ("5: NOTIMP alone", some("example.com", 1), NOTIMP, None, matched),
        ("5: REFUSED alone", some("example.com", 1), REFUSED, None, matched),
        ("6: NOERROR alone", some("example.com", 1), NOERROR, None, apart),
        ("6: NXDOMAIN alone", some("example.com", 1), NXDOMAIN, None, apart),
        ("7: REFUSED, other name", some("a.org", 1), REFUSED, some("b.org", 1), apart),
        ("8: no question, SERVFAIL", None, SERVFAIL, None, matched),
        ("8: no question, NOERROR", None, NOERROR, None, apart),
        ("9: header only, SERVFAIL", None, SERVFAIL, some("example.com", 1), matched),
    ] {
        let mut bench = Bench::new();
        bench.packet(1.0, &udp(CLIENT, SERVER, &dns(1, QUERY, asked)).packet());
        bench.packet(2.0, &udp(SERVER, CLIENT, &dns(1, RESPONSE | rcode, answered)).packet());
        bench.finish();
        assert_eq!(bench.kinds(), want, "{name}");
        let question = bench.seen[0].name.is_some();
        assert_eq!(question, answered.is_some() || (asked.is_some() && want == matched), "{name}");
    }
}

#[test]
fn scenario_8_two_questions_count_as_none() {
    let mut bench = Bench::new();
    let two = |flags| {
        let mut message = dns(1, flags, Some(("example.com", 1)));
        message[5] = 2;
        message
    };
    bench.packet(1.0, &udp(CLIENT, SERVER, &two(QUERY)).packet());
    bench.packet(1.0, &udp(SERVER, CLIENT, &two(RESPONSE | SERVFAIL)).packet());
    assert_eq!((bench.kinds(), &bench.seen[0].name), (vec![UdpQueryResponse], &None));
}

#[test]
fn scenario_10_ports() {
    for (name, client, server, want) in [
        ("53", 40_000, 53, Some(UdpUnansweredQuery)),
        ("5353 both sides", 5353, 5353, Some(UdpUnansweredQuery)),
        ("from 53", 53, 40_000, Some(UdpUnansweredQuery)),
        ("54", 40_000, 54, None),
    ] {
        let mut bench = Bench::new();
        let ask = udp((CLIENT.0, client), (SERVER.0, server), &dns(1, QUERY, None));
        bench.packet(1.0, &ask.packet()).finish();
        assert_eq!(bench.kinds().first().copied(), want, "{name}");
        assert_eq!(bench.skipped(Skip::NotDnsPort), u64::from(want.is_none()), "{name}");
    }
}

#[test]
fn scenario_11_tags_do_not_keep_query_and_response_apart() {
    let tagged = |tag: u8, packet: &[u8]| [&[2; 12][..], &[0x81, 0, 0, tag, 8, 0], packet].concat();
    let mut bench = Bench::new();
    bench.frame(1.0, LinkType::ETHERNET, &tagged(5, &query(1, "a.org").packet()));
    bench.frame(1.0, LinkType::ETHERNET, &tagged(6, &response(1, "a.org").packet()));
    assert_eq!(bench.kinds(), [UdpQueryResponse]);
}

#[test]
fn scenario_12_link_types() {
    for (link, header) in [
        (LinkType::LINUX_SLL, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0][..]),
        (LinkType::RAW_BSD, &[]),
        (LinkType::RAW, &[]),
        (LinkType::LINUX_SLL2, &[8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        (LinkType::NULL, &[2, 0, 0, 0]),
        (LinkType::LOOP, &[0, 0, 0, 2]),
    ] {
        let mut bench = Bench::new();
        bench.frame(1.0, link, &[header, &query(1, "a.org").packet()].concat());
        bench.frame(1.0, link, &[header, &response(1, "a.org").packet()].concat());
        assert_eq!(bench.kinds(), [UdpQueryResponse], "{link}");
    }
}

#[test]
fn scenario_13_checksums() {
    for (client, server) in [(CLIENT, SERVER), (CLIENT_V6, SERVER_V6)] {
        for (checksum, want) in [
            (Checksum::Good, UdpChecksum::Correct),
            (Checksum::Bad, UdpChecksum::Incorrect),
            (Checksum::Zero, UdpChecksum::Absent),
        ] {
            let mut bench = Bench::new();
            let message = dns(1, QUERY, Some(("a.org", 1)));
            bench.packet(1.0, &udp(client, server, &message).checksum(Checksum::Bad).packet());
            let message = dns(1, RESPONSE, Some(("a.org", 1)));
            bench.packet(1.0, &udp(server, client, &message).checksum(checksum).packet());
            assert_eq!(
                (bench.kinds(), bench.seen[0].checksum),
                (vec![UdpQueryResponse], Some(want))
            );
        }
    }
}

#[test]
fn scenario_14_fragments_in_any_order() {
    for (client, server) in [(CLIENT, SERVER), (CLIENT_V6, SERVER_V6)] {
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let mut bench = Bench::new();
            bench.packet(1.0, &udp(client, server, &dns(1, QUERY, Some(("a.org", 1)))).packet());
            let mut message = dns(1, RESPONSE, Some(("a.org", 1)));
            message.resize(100, 7);
            let pieces = udp(server, client, &message).fragments(40);
            for (step, piece) in order.iter().enumerate() {
                bench.packet(1.25 + 0.125 * step as f64, &pieces[*piece]);
            }
            assert_eq!(bench.kinds(), [UdpQueryResponse], "{order:?}");
            let seen = &bench.seen[0];
            let packets: Vec<_> = seen.response_packets.iter().map(|(_, octets)| octets).collect();
            assert_eq!(packets, pieces.iter().collect::<Vec<_>>(), "offset order");
            let place = |piece| order.iter().position(|known| *known == piece).unwrap();
            for (piece, (time, _)) in seen.response_packets.iter().enumerate() {
                assert_eq!(*time, at(1.25 + 0.125 * place(piece) as f64), "{order:?}");
            }
            assert_eq!(seen.checksum, Some(UdpChecksum::Correct));
            assert!(bench.balances());
        }
    }
}

#[test]
fn scenario_15_fragments_on_both_sides_of_a_second() {
    for (client, server) in [(CLIENT, SERVER), (CLIENT_V6, SERVER_V6)] {
        let mut bench = Bench::new();
        bench.packet(1.5, &udp(client, server, &dns(1, QUERY, Some(("a.org", 1)))).packet());
        let mut message = dns(1, RESPONSE, Some(("a.org", 1)));
        message.resize(100, 7);
        let pieces = udp(server, client, &message).fragments(40);
        for (time, piece) in [1.75, 2.0, 2.25].into_iter().zip(&pieces) {
            bench.packet(time, piece);
        }
        bench.finish();
        assert_eq!(bench.kinds(), [UdpQueryResponse]);
        let times: Vec<_> = bench.seen[0].response_packets.iter().map(|(time, _)| *time).collect();
        assert_eq!(times, [at(1.75), at(2.0), at(2.25)]);
    }
}

#[test]
fn scenario_16_conflicting_or_missing_fragments_lose_the_response() {
    let mut message = dns(1, RESPONSE, Some(("a.org", 1)));
    message.resize(100, 7);
    let answer = udp(SERVER, CLIENT, &message);
    let pieces = answer.fragments(40);
    let overlap = fragment(answer.source.0, answer.destination.0, 17, 32, true, &[7; 48]);
    for (name, packets) in [
        ("overlap", vec![&pieces[0], &overlap, &pieces[1], &pieces[2]]),
        ("missing", vec![&pieces[0], &pieces[2]]),
    ] {
        let mut bench = Bench::new();
        bench.packet(1.0, &query(1, "a.org").packet());
        for packet in packets {
            bench.packet(1.5, packet);
        }
        bench.finish();
        assert_eq!(bench.kinds(), [UdpUnansweredQuery], "{name}");
    }
}

#[test]
fn scenario_17_short_payloads() {
    let whole = dns(1, QUERY, Some(("a.org", 1)));
    for len in 0..=whole.len() {
        let mut bench = Bench::new();
        bench.packet(1.0, &udp(CLIENT, SERVER, &whole[..len]).packet()).finish();
        let want = match len {
            12 => Some(None),
            len if len == whole.len() => Some(Some(b"\x01a\x03org\0".to_vec())),
            _ => None,
        };
        assert_eq!(bench.seen.first().map(|seen| seen.name.clone()), want, "{len} octets");
        assert_eq!(bench.skipped(Skip::NotDns), u64::from(want.is_none()), "{len} octets");
    }
}

#[test]
fn scenario_18_udp_length_is_a_bound() {
    let with_length = |len: u16| {
        let mut packet = query(1, "a.org").packet();
        packet[24..26].copy_from_slice(&len.to_be_bytes());
        packet
    };
    for (name, len, want) in
        [("larger", 200, 1), ("cuts the question", 30, 0), ("header only", 20, 1)]
    {
        let mut bench = Bench::new();
        bench.packet(1.0, &with_length(len)).finish();
        assert_eq!(bench.seen.len(), want, "{name}");
    }
}

#[test]
fn scenario_19_cut_frames_are_skipped() {
    let mut bench = Bench::new();
    let octets = ethernet(&query(1, "a.org").packet());
    for original_len in [octets.len() + 1, octets.len() + 1500, octets.len() - 1] {
        let original_len = original_len as u32;
        let frame =
            Frame { time: at(1.0), link: LinkType::ETHERNET, original_len, octets: &octets };
        let skipped = bench.matcher.frame(&frame, &mut |_| panic!("a message"));
        assert_eq!(skipped, Some(Skip::Snapped), "{original_len}");
    }
    bench.finish();
    assert_eq!(bench.kinds(), []);
}

#[test]
fn scenario_21_one_direction_only() {
    for (direction, want) in
        [(Direction::Queries, [UdpQueryOnly, Tcp]), (Direction::Responses, [UdpResponseOnly, Tcp])]
    {
        let mut bench = Bench::with(Config { direction: Some(direction), ..Config::default() });
        let (ask, answer) = (query(1, "a.org").packet(), response(1, "a.org").packet());
        bench.packet(1.0, &ask).packet(2.0, &answer);
        bench.packet(3.0, &tcp(CLIENT, SERVER)).finish();
        assert_eq!(bench.kinds(), want);
        assert_eq!((bench.matcher.pending(), bench.skipped(Skip::Direction)), (0, 1));
        let seen = &bench.seen[0];
        match direction {
            Direction::Queries => {
                assert_eq!((seen.time, seen.rcode, seen.checksum), (at(1.0), None, None));
                assert_eq!(seen.query_packets, [(at(1.0), ask)]);
            }
            Direction::Responses => {
                assert_eq!((seen.time, seen.rcode), (at(2.0), Some(0)));
                assert_eq!(seen.checksum, Some(UdpChecksum::Correct));
                assert_eq!(seen.response_packets, [(at(2.0), answer)]);
            }
        }
        assert_eq!(seen.query, (vec![10, 0, 0, 1], 40_000));
    }
}

#[test]
fn scenario_21_fragmented_queries_come_whole() {
    let mut bench =
        Bench::with(Config { direction: Some(Direction::Queries), ..Config::default() });
    let ask = query(1, "a.org");
    for (step, piece) in ask.fragments(8).iter().enumerate() {
        bench.packet(1.0 + step as f64, piece);
    }
    let seen = &bench.seen[0];
    assert_eq!((seen.kind, seen.time, seen.query_packets.len()), (UdpQueryOnly, at(4.0), 1));
    assert_eq!(seen.query_packets[0].1[20..], ask.datagram());
}

#[test]
fn scenario_22_rd_filter() {
    let message = |id, flags| dns(id, flags, Some(("a.org", 1)));
    for (wanted, ids) in [(true, [1, 2, 3]), (false, [11, 12, 13])] {
        let config = Config { recursion_desired: Some(wanted), ..Config::default() };
        let mut bench = Bench::with(config);
        for (base, asked, answered) in [(0, 0x0100, 0x8000), (10, 0, 0x8100)] {
            // The query's flag decides, whatever the response's is.
            bench.packet(1.0, &udp(CLIENT, SERVER, &message(base + 1, asked)).packet());
            bench.packet(1.0, &udp(SERVER, CLIENT, &message(base + 1, answered)).packet());
            // Without a query the response's flag does.
            bench.packet(1.0, &udp(SERVER, CLIENT, &message(base + 2, 0x8000 | asked)).packet());
            bench.packet(1.0, &udp(CLIENT, SERVER, &message(base + 3, asked)).packet());
        }
        bench.packet(1.0, &tcp(CLIENT, SERVER)).finish();
        let got: Vec<_> = bench.seen.iter().map(|seen| seen.id).collect();
        assert_eq!(got, [ids[0], ids[1], 0, ids[2]], "{wanted}");
        assert_eq!(
            (bench.skipped(Skip::RdFilter), bench.matcher.counters().filtered_queries),
            (2, 1)
        );
    }
}

#[test]
fn scenario_22_fragmented_queries_pass_the_rd_filter() {
    let mut bench = Bench::with(Config { recursion_desired: Some(false), ..Config::default() });
    for piece in query(1, "a.org").fragments(8) {
        bench.packet(1.0, &piece);
    }
    bench.finish();
    assert_eq!((bench.kinds(), bench.seen[0].query_packets.len()), (vec![UdpUnansweredQuery], 4));
}

#[test]
fn scenarios_23_and_24_name_filters() {
    let all = ["www.foo.org", "BAR.foo.org", "xfoo.org", "org"];
    for (exclude, include, want) in [
        ("foo.org", "", &["xfoo.org", "org"][..]),
        ("oo.org", "", &all[..]),
        (".", "bar.foo.org", &["BAR.foo.org"]),
        ("", "bar.foo.org", &all),
    ] {
        let config =
            Config { exclude: names(exclude), include: names(include), ..Config::default() };
        let mut bench = Bench::with(config);
        for (id, name) in all.iter().enumerate() {
            bench.packet(1.0, &query(id as u16, name).packet());
            bench.packet(1.0, &response(id as u16, name).packet());
            bench.packet(1.0, &response(id as u16, name).packet());
            bench.packet(1.0, &query(id as u16, name).packet());
        }
        bench.packet(1.0, &udp(CLIENT, SERVER, &dns(77, QUERY, None)).packet());
        bench.packet(1.0, &tcp(CLIENT, SERVER)).finish();
        let kept: Vec<_> = all.iter().enumerate().filter(|(_, name)| want.contains(name)).collect();
        for kind in [UdpQueryResponse, UdpUnsolicitedResponse, UdpUnansweredQuery] {
            let got: Vec<_> =
                bench.seen.iter().filter(|seen| seen.kind == kind).map(|seen| seen.id).collect();
            let mut want: Vec<_> = kept.iter().map(|(id, _)| *id as u16).collect();
            if kind == UdpUnansweredQuery {
                want.push(77);
            }
            assert_eq!(got, want, "{exclude}, {include}, {kind:?}");
        }
        assert!(bench.kinds().contains(&Tcp));
        let dropped = (all.len() - kept.len()) as u64;
        assert_eq!(bench.skipped(Skip::NameFilter), 2 * dropped);
        assert_eq!(bench.matcher.counters().filtered_queries, dropped);
        assert!(bench.balances());
    }
}

#[test]
fn scenario_25_eviction() {
    let mut bench = Bench::with(Config { max_queries: 2, ..Config::default() });
    for id in 1..=5 {
        bench.packet(f64::from(id) / 8.0, &query(id, "a.org").packet());
    }
    bench.packet(1.0, &response(1, "a.org").packet());
    bench.packet(1.0, &response(5, "a.org").packet()).finish();
    assert_eq!(
        bench.summary(),
        [
            (UdpUnansweredQuery, 1),
            (UdpUnansweredQuery, 2),
            (UdpUnansweredQuery, 3),
            (UdpUnsolicitedResponse, 1),
            (UdpQueryResponse, 5),
            (UdpUnansweredQuery, 4),
        ]
    );
    let ages: Vec<_> = bench.seen.iter().map(|seen| seen.timeout).collect();
    assert_eq!(ages[..3], [Some(0.25), Some(0.25), Some(0.25)], "actual ages");
    assert_eq!(ages[5], Some(0.5));
}

#[test]
fn scenario_26_timeout_boundary() {
    let other = udp(("10.9.9.9", 1), ("10.9.9.8", 2), b"x").packet();
    for (name, moment, want) in [
        ("60 seconds", 60.875, vec![(UdpQueryResponse, 1)]),
        ("61 seconds", 61.0, vec![(UdpUnansweredQuery, 1), (UdpUnsolicitedResponse, 1)]),
    ] {
        let mut bench = Bench::new();
        bench.packet(0.5, &query(1, "a.org").packet()).packet(moment, &other);
        bench.packet(70.0, &response(1, "a.org").packet()).finish();
        assert_eq!(bench.summary(), want, "{name}");
        if want.len() == 2 {
            assert_eq!(bench.seen[0].timeout, Some(60.5));
        }
    }
}

#[test]
fn scenario_26_only_parsed_frames_move_the_clock() {
    let gre = ip(address("10.0.0.1"), address("10.0.0.2"), 47, &[0; 20]);
    let later_gre_piece = fragment(address("10.0.0.1"), address("10.0.0.2"), 47, 8, true, &[0; 8]);
    for (name, packet, moves) in [
        ("GRE", gre, false),
        ("UDP header cut", ip(address("10.0.0.1"), address("10.0.0.2"), 17, &[0; 7]), false),
        ("ICMPv6", ip(address("::1"), address("::2"), 58, &[0; 20]), false),
        ("later fragment of anything", later_gre_piece, true),
        ("TCP", tcp(("10.0.0.1", 1), ("10.0.0.2", 2)), true),
        ("ICMP", ip(address("10.0.0.1"), address("10.0.0.2"), 1, &[8, 0, 0, 0]), true),
    ] {
        let mut bench = Bench::new();
        bench.packet(0.0, &query(1, "a.org").packet()).packet(61.0, &packet);
        assert_eq!(bench.kinds().len(), usize::from(moves), "{name}");
    }
}

#[test]
fn retransmissions_are_stored_separately() {
    for (name, queries, responses, want) in [
        ("2 + 1", 2, 1, vec![UdpQueryResponse, UdpUnansweredQuery]),
        ("2 + 2", 2, 2, vec![UdpQueryResponse, UdpQueryResponse]),
        ("1 + 2", 1, 2, vec![UdpQueryResponse, UdpUnsolicitedResponse]),
    ] {
        let mut bench = Bench::new();
        for time in 0..queries {
            bench.packet(f64::from(time), &query(1, "a.org").packet());
        }
        for _ in 0..responses {
            bench.packet(5.0, &response(1, "a.org").packet());
        }
        bench.finish();
        assert_eq!(bench.kinds(), want, "{name}");
        assert_eq!(bench.seen[0].time, at(0.0), "{name}: the oldest first");
    }
}

#[test]
fn roles_come_from_the_flag_not_the_port() {
    let mut bench = Bench::new();
    bench.packet(1.0, &udp(CLIENT, SERVER, &dns(1, RESPONSE, None)).packet());
    assert_eq!(bench.seen[0].query, (vec![192, 0, 2, 53], 53));
    assert_eq!(bench.seen[0].kind, UdpUnsolicitedResponse);
}

#[test]
fn a_dropped_query_makes_room_for_one_frame() {
    // With a name filter, overdue queries that it drops are looked at one per frame.
    let config = Config { exclude: names("bad.org"), ..Config::default() };
    let mut bench = Bench::with(config);
    for (id, name) in [(1, "bad.org"), (2, "ok.org"), (3, "bad.org"), (4, "ok2.org")] {
        bench.packet(0.0, &query(id, name).packet());
    }
    bench.packet(70.0, &query(9, "z.org").packet());
    bench.packet(71.0, &response(2, "ok.org").packet());
    bench.packet(72.0, &response(4, "ok2.org").packet());
    bench.packet(73.0, &query(10, "y.org").packet()).finish();
    assert_eq!(
        bench.summary(),
        [
            (UdpQueryResponse, 2),
            (UdpQueryResponse, 4),
            (UdpUnansweredQuery, 9),
            (UdpUnansweredQuery, 10),
        ]
    );
    assert_eq!(bench.matcher.counters().filtered_queries, 2);
}

#[test]
fn scenario_27_zeroed_addresses() {
    let config = Config { zero_resolver_address: true, ..Config::default() };
    let mut bench = Bench::with(config);
    bench.packet(1.0, &query(1, "a.org").packet()).packet(1.5, &response(1, "a.org").packet());
    let seen = &bench.seen[0];
    assert_eq!((seen.kind, seen.zeroed), (UdpQueryResponse, true));
    assert_eq!((&seen.query.0, &seen.response.0), (&vec![0; 4], &vec![192, 0, 2, 53]));
    assert_eq!(seen.query_packets[0].1[12..16], [0; 4], "source");
    assert_eq!(seen.response_packets[0].1[16..20], [0; 4], "destination");
    assert_eq!(seen.checksum, Some(UdpChecksum::Correct), "verified before");
}
