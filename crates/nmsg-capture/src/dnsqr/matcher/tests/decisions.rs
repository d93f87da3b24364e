//! What was decided about doubtful cases, by the ids of `decisions.md`.

use super::*;
use crate::ReassemblyLimits;
use crate::dnsqr::Kind::*;
use crate::dnsqr::query_table::STEPS;
use crate::test_filters::filter_of;
use proptest::prelude::*;

/// An ICMP error that quotes the first `len` octets of a packet.
fn icmp_error(kind: u8, from: &str, to: &str, quoted: &[u8]) -> Vec<u8> {
    ip(address(from), address(to), 1, &[&[kind, 3, 0, 0, 0, 0, 0, 0][..], quoted].concat())
}

#[test]
fn cp_1_impossible_lengths_are_skipped_and_counted() {
    let good = query(1, "a.org").packet();
    let with = |place: usize, octet: u8| {
        let mut packet = good.clone();
        packet[place] = octet;
        packet
    };
    for (name, packet, reason) in [
        ("IHL 4", with(0, 0x44), Skip::HeaderLength),
        ("IHL beyond the frame", [&with(0, 0x4f)[..24], &[]].concat(), Skip::HeaderCut),
        ("total length below the header", with(3, 19), Skip::HeaderLength),
        ("runt", good[..10].to_vec(), Skip::HeaderCut),
        ("UDP header cut", good[..27].to_vec(), Skip::TransportCut),
    ] {
        let mut bench = Bench::new();
        bench.packet(1.0, &packet).finish();
        assert_eq!((bench.seen.len(), bench.skipped(reason)), (0, 1), "{name}");
    }
    let mut bench = Bench::new();
    let frame = [&[2; 12][..], &[8, 0], &with(0, 0x65)].concat();
    bench.frame(1.0, LinkType::ETHERNET, &frame);
    assert_eq!(bench.skipped(Skip::Version), 1, "version 6 under the IPv4 ethertype");
}

#[test]
fn cp_1_fragments_with_impossible_lengths_are_harmless() {
    // A first piece, then a last one whose total length is below its header.
    let mut bench = Bench::new();
    let pieces = response(1, "a.org").fragments(16);
    let mut last = pieces[1].clone();
    last[3] = 10;
    bench.packet(1.0, &pieces[0]).packet(1.0, &last).finish();
    assert_eq!((bench.seen.len(), bench.skipped(Skip::HeaderLength)), (0, 1));
    let mut beyond = pieces[1].clone();
    beyond[3] += 1;
    bench.packet(1.0, &beyond);
    assert_eq!(bench.skipped(Skip::FragmentInvalid), 1);
}

#[test]
fn cp_2_padding_stays_in_stored_packets() {
    let mut bench = Bench::new();
    let padded = |packet: Vec<u8>| [&packet[..], b"PADDING"].concat();
    let (ask, answer) = (padded(query(1, "a.org").packet()), padded(response(1, "a.org").packet()));
    bench.packet(1.0, &ask).packet(1.0, &answer);
    assert_eq!(bench.seen[0].query_packets[0].1, ask);
    assert_eq!(bench.seen[0].response_packets[0].1, answer);
    assert_eq!(bench.seen[0].checksum, Some(UdpChecksum::Correct));

    let pieces: Vec<_> = response(1, "a.org").fragments(16).into_iter().collect();
    for piece in &pieces {
        bench.packet(2.0, &padded(piece.clone()));
    }
    let stored: Vec<_> =
        bench.seen[1].response_packets.iter().map(|(_, packet)| packet.clone()).collect();
    assert_eq!(stored, pieces, "fragments are stored without it");
}

#[test]
fn cp_3_the_filter_judges_packets_and_datagrams() {
    for (user, want) in [(1, vec![UdpQueryResponse]), (0, vec![])] {
        for size in [1000, 16] {
            let mut bench = Bench::new();
            bench.matcher = Matcher::new(Config::default(), Some(constant_filter(user)));
            for piece in query(1, "a.org").fragments(size) {
                bench.packet(1.0, &piece);
            }
            for piece in response(1, "a.org").fragments(size) {
                bench.packet(1.0, &piece);
            }
            assert_eq!(bench.kinds(), want, "{user}, {size}");
            assert_eq!(bench.skipped(Skip::Filtered), if user == 0 { 2 } else { 0 });
        }
    }
}

#[test]
fn cp_3_refused_frames_leave_no_trace() {
    let mut bench = Bench::new();
    bench.packet(0.0, &query(1, "a.org").packet());
    bench.matcher.filter = Some(filter_of(0, 1));
    bench.packet(100.0, &query(2, "a.org").packet());
    assert_eq!((bench.seen.len(), bench.skipped(Skip::Filtered)), (0, 1));
    bench.matcher.filter = None;
    bench.packet(50.0, &response(1, "a.org").packet());
    assert_eq!(bench.kinds(), [UdpQueryResponse], "the refused frame did not move the clock");
}

#[test]
fn cp_8_incomplete_frames_are_counted() {
    let mut bench = Bench::new();
    let octets = ethernet(&query(1, "a.org").packet());
    let frame = Frame {
        time: at(1.0),
        link: LinkType::ETHERNET,
        original_len: octets.len() as u32 + 1,
        octets: &octets,
    };
    let told = bench.matcher.frame(&frame, &mut |_| panic!("no message"));
    assert_eq!(told, Some(Skip::Snapped));
    assert_eq!((bench.matcher.pending(), bench.skipped(Skip::Snapped)), (0, 1));
    assert!(Skip::Snapped.is_loss());
}

#[test]
fn cp_9_duplicate_fragments_do_not_poison() {
    let mut bench = Bench::new();
    bench.packet(1.0, &query(1, "a.org").packet());
    for piece in response(1, "a.org").fragments(8) {
        bench.packet(1.0, &piece).packet(1.0, &piece);
    }
    bench.finish();
    assert_eq!((bench.kinds(), bench.seen[0].response_packets.len()), (vec![UdpQueryResponse], 4));
    assert_eq!(bench.skipped(Skip::FragmentDuplicate), 3);
}

#[test]
fn cp_10_queries_expire_without_traffic() {
    let mut bench = Bench::new();
    assert_eq!(bench.matcher.next_deadline(), None);
    bench.packet(100.5, &query(1, "a.org").packet());
    bench.packet(110.0, &query(2, "a.org").packet());
    assert_eq!(bench.matcher.next_deadline(), Some(161));
    bench.expire(160.9);
    assert!(bench.seen.is_empty());
    bench.expire(161.0);
    assert_eq!(bench.summary(), [(UdpUnansweredQuery, 1)]);
    assert_eq!((bench.seen[0].timeout, bench.matcher.next_deadline()), (Some(60.5), Some(171)));
    bench.packet(120.0, &response(1, "a.org").fragments(16)[0]);
    assert_eq!(bench.matcher.next_deadline(), Some(171));
    bench.expire(1000.0);
    assert_eq!((bench.seen.len(), bench.matcher.next_deadline()), (2, None));
    assert_eq!(bench.matcher.counters().expired_fragments, 1);
}

#[test]
fn cp_10_dropped_queries_do_not_hold_others_back_when_idle() {
    let mut bench = Bench::with(Config { exclude: names("bad.org"), ..Config::default() });
    for (id, name) in [(1, "bad.org"), (2, "ok.org"), (3, "bad.org"), (4, "ok.org")] {
        bench.packet(0.0, &query(id, name).packet());
    }
    bench.expire(61.0);
    assert_eq!(bench.summary(), [(UdpUnansweredQuery, 2), (UdpUnansweredQuery, 4)]);
}

#[test]
fn dq_1_fragments_may_take_sixty_seconds() {
    let switched = ReassemblyLimits::default().same_second();
    for (name, reassembly, gap, want) in [
        ("next second", ReassemblyLimits::default(), 0.2, vec![UdpQueryResponse]),
        ("sixty seconds", ReassemblyLimits::default(), 60.0, vec![UdpQueryResponse]),
        ("sixty-one", ReassemblyLimits::default(), 61.0, vec![UdpUnansweredQuery]),
        ("switched, same second", switched, 0.05, vec![UdpQueryResponse]),
        ("switched, next second", switched, 0.2, vec![UdpUnansweredQuery]),
    ] {
        let mut bench = Bench::with(Config { reassembly, ..Config::default() });
        bench.packet(9.0, &query(1, "a.org").packet());
        let pieces = response(1, "a.org").fragments(24);
        bench.packet(9.9, &pieces[0]).packet(9.9 + gap, &pieces[1]).finish();
        assert_eq!(bench.kinds(), want, "{name}");
    }
}

#[test]
fn dq_2_icmp_errors_quote_eight_octets_behind_their_header() {
    let ask = query(1, "a.org").packet();
    let segment = tcp(CLIENT, SERVER);
    let other = udp(CLIENT, ("192.0.2.53", 54), b"x").packet();
    let mdns_over_tcp = tcp(CLIENT, ("192.0.2.53", 5353));
    let later_piece = fragment(address(CLIENT.0), address(SERVER.0), 17, 8, false, &ask[20..36]);
    for (name, kind, quoted, want) in [
        ("UDP, eight octets", 3, &ask[..28], true),
        ("UDP, whole", 3, &ask[..], true),
        ("UDP, seven octets", 3, &ask[..27], false),
        ("TCP, eight octets", 3, &segment[..28], true),
        ("time exceeded", 11, &ask[..28], true),
        ("echo request", 8, &ask[..28], false),
        ("no DNS port", 3, &other[..28], false),
        ("5353 is not DNS over TCP", 3, &mdns_over_tcp[..28], false),
        ("later fragment", 3, &later_piece, false),
        ("no quote", 3, &[], false),
    ] {
        let mut bench = Bench::new();
        let packet = icmp_error(kind, "10.0.0.254", CLIENT.0, quoted);
        bench.packet(5.0, &packet);
        assert_eq!(bench.skipped(Skip::IcmpWithoutDns), u64::from(!want), "{name}");
        let Some(seen) = bench.seen.first() else {
            assert!(!want, "{name}");
            continue;
        };
        assert!(want, "{name}");
        assert_eq!((seen.kind, seen.protocol, seen.time), (Icmp, 1, at(5.0)));
        assert_eq!((&seen.icmp, &seen.query), (&Some(packet), &(vec![], 0)));
    }
    let mut bench = Bench::with(Config { icmp: false, ..Config::default() });
    bench.packet(5.0, &icmp_error(3, "10.0.0.254", CLIENT.0, &ask));
    assert!(bench.seen.is_empty(), "it can be switched off");
}

#[test]
fn dq_3_zeroing_wipes_the_asking_side() {
    for (client, server, len) in [(CLIENT, SERVER, 4), (CLIENT_V6, SERVER_V6, 16)] {
        let source_at = if len == 4 { 12 } else { 8 };
        let config = Config { zero_resolver_address: true, ..Config::default() };
        let mut bench = Bench::with(config);
        let ask = udp(client, server, &dns(1, QUERY, Some(("a.org", 1))));
        let answer = udp(server, client, &dns(1, RESPONSE, Some(("a.org", 1))));
        bench.packet(1.0, &ask.packet()).packet(1.0, &answer.packet());
        bench.packet(1.0, &answer.packet()).packet(1.0, &ask.packet());
        for piece in answer.fragments(16) {
            bench.packet(1.0, &piece);
        }
        bench.finish();
        let mut zeroed_ask = ask.packet();
        zeroed_ask[source_at..source_at + len].fill(0);
        let mut zeroed_answer = answer.packet();
        zeroed_answer[source_at + len..source_at + 2 * len].fill(0);
        assert_eq!(bench.kinds(), [UdpQueryResponse, UdpUnsolicitedResponse, UdpQueryResponse]);
        for seen in &bench.seen {
            assert_eq!((&seen.query, seen.zeroed), (&(vec![0; len], 40_000), true));
            assert_eq!(seen.checksum, Some(UdpChecksum::Correct), "verified before");
        }
        assert_eq!(bench.seen[0].query_packets[0].1, zeroed_ask);
        assert_eq!(bench.seen[0].response_packets[0].1, zeroed_answer);
        assert_eq!(bench.seen[1].response_packets[0].1, zeroed_answer);
        for (_, piece) in &bench.seen[2].response_packets {
            assert_eq!(piece[source_at + len..source_at + 2 * len], vec![0; len]);
        }
        assert_eq!(bench.seen[2].query_packets[0].1, zeroed_ask);
    }
}

#[test]
fn dq_3_zeroing_of_unanswered_and_single_direction() {
    let config = Config { zero_resolver_address: true, ..Config::default() };
    let mut bench = Bench::with(config.clone());
    bench.packet(1.0, &query(1, "a.org").packet()).finish();
    assert_eq!((bench.seen[0].zeroed, &bench.seen[0].query.0), (true, &vec![0; 4]));
    assert_eq!(bench.seen[0].query_packets[0].1[12..16], [0; 4]);
    for direction in [Direction::Queries, Direction::Responses] {
        let mut bench = Bench::with(Config { direction: Some(direction), ..config.clone() });
        bench.packet(1.0, &query(1, "a.org").packet());
        bench.packet(1.0, &response(1, "a.org").packet());
        assert_eq!((bench.seen.len(), bench.seen[0].zeroed), (1, true));
        assert_eq!(bench.seen[0].query.0, [0; 4]);
    }
}

#[test]
fn dq_3_tcp_and_icmp_lose_the_address_by_role() {
    let zeroed = |packet: &[u8], starts: &[usize]| {
        let mut packet = packet.to_vec();
        for start in starts {
            packet[*start..start + 4].fill(0);
        }
        Some(packet)
    };
    let ask = query(1, "a.org").packet();
    let answer = response(1, "a.org").packet();
    let to_server = tcp(CLIENT, SERVER);
    let from_server = tcp(SERVER, CLIENT);
    let both = tcp((CLIENT.0, 53), SERVER);
    // About a query: back to the resolver. About a response: from the resolver or a router.
    let about_query = icmp_error(3, "192.0.2.53", CLIENT.0, &ask[..28]);
    let about_answer = icmp_error(3, CLIENT.0, "192.0.2.53", &answer[..28]);
    let by_router = icmp_error(3, "10.0.0.254", "192.0.2.53", &answer[..28]);
    let both_quoted = icmp_error(3, "10.0.0.254", "192.0.2.53", &both[..28]);
    for (name, packet, want) in [
        ("TCP to the server", &to_server, zeroed(&to_server, &[12])),
        ("TCP from the server", &from_server, zeroed(&from_server, &[16])),
        ("TCP between servers", &both, None),
        ("ICMP about a query", &about_query, zeroed(&about_query, &[16, 40])),
        ("ICMP about a response", &about_answer, zeroed(&about_answer, &[12, 44])),
        ("ICMP by a router", &by_router, zeroed(&by_router, &[44])),
        ("ICMP, both ports", &both_quoted, None),
    ] {
        let config = Config { zero_resolver_address: true, ..Config::default() };
        let mut bench = Bench::with(config);
        bench.packet(1.0, packet);
        let got = bench.seen.first().map(|seen| seen.tcp.clone().or(seen.icmp.clone()).unwrap());
        assert_eq!(got, want, "{name}");
        assert_eq!(bench.skipped(Skip::ZeroingUnclear), u64::from(want.is_none()), "{name}");
        assert!(bench.seen.iter().all(|seen| seen.zeroed), "{name}");
        assert!(bench.balances(), "{name}");
    }
}

/// Turns of loops that so many queries with one key take, answered or given up.
fn work(count: usize, is_answered: bool) -> u64 {
    let mut bench = Bench::new();
    let (ask, answer) = (query(1, "a.org").packet(), response(1, "a.org").packet());
    let before = STEPS.get();
    for _ in 0..count {
        bench.packet(1.0, &ask);
    }
    if is_answered {
        for _ in 0..count {
            bench.packet(1.0, &answer);
        }
    }
    bench.finish();
    assert_eq!(bench.seen.len(), count);
    STEPS.get() - before
}

#[test]
fn dq_5_scenario_28_forty_thousand_queries_with_one_key() {
    for is_answered in [true, false] {
        let (small, large) = (work(10_000, is_answered), work(40_000, is_answered));
        assert!(large >= 40_000, "steps are counted: {large}");
        assert!(large <= 5 * small, "{small} for 10,000, {large} for 40,000");
    }
}

#[test]
fn dq_5_memory_for_queries_is_bounded() {
    let config = Config { max_query_octets: 100_000, ..Config::default() };
    let mut bench = Bench::with(config);
    let mut message = dns(1, QUERY, Some(("a.org", 1)));
    message.resize(5000, 0);
    let ask = udp(CLIENT, SERVER, &message).packet();
    for _ in 0..100 {
        bench.packet(1.0, &ask);
        assert!(bench.matcher.pairing.table.held_octets() <= 100_000);
    }
    assert!(bench.seen.len() > 80, "the oldest came out unanswered");
}

#[test]
fn dq_6_pending_queries_come_out_or_are_counted() {
    let mut bench = Bench::new();
    for id in 1..=3 {
        bench.packet(f64::from(id), &query(id, "a.org").packet());
    }
    bench.finish();
    let want = [(UdpUnansweredQuery, 1), (UdpUnansweredQuery, 2), (UdpUnansweredQuery, 3)];
    assert_eq!(bench.summary(), want);
    let ages: Vec<_> = bench.seen.iter().map(|seen| seen.timeout).collect();
    assert_eq!(ages, [Some(2.0), Some(1.0), Some(0.0)]);

    bench.packet(4.0, &query(4, "a.org").packet());
    assert_eq!((bench.matcher.discard_pending(), bench.matcher.pending()), (1, 0));
    assert_eq!(bench.matcher.counters().discarded_queries, 1);
    bench.finish();
    assert_eq!(bench.seen.len(), 3);
}

#[test]
fn dq_6_pending_queries_come_out_one_by_one() {
    let exclude = names("b.org");
    let mut bench = Bench::with(Config { exclude, ..Config::default() });
    for (id, name) in [(1, "a.org"), (2, "b.org"), (3, "c.org")] {
        bench.packet(1.0, &query(id, name).packet());
    }
    for (left, seen) in [(2, 1), (1, 1), (0, 2)] {
        let mut sink = |message: &Message<'_>| bench.seen.push(Seen::of(message));
        assert!(bench.matcher.finish_one(&mut sink));
        assert_eq!((bench.matcher.pending(), bench.seen.len()), (left, seen));
    }
    assert!(!bench.matcher.finish_one(&mut |_| panic!("no message")));
    assert_eq!(bench.summary(), [(UdpUnansweredQuery, 1), (UdpUnansweredQuery, 3)]);
}

#[test]
fn dq_7_late_answers_match_until_a_frame_shows_the_time() {
    let mut bench = Bench::new();
    bench.packet(0.0, &query(1, "a.org").packet());
    bench.packet(1000.0, &response(1, "a.org").packet());
    assert_eq!(bench.kinds(), [UdpQueryResponse]);
    assert_eq!(bench.seen[0].response_packets[0].0, at(1000.0));
}

#[test]
fn dq_7_times_may_run_backwards() {
    let mut bench = Bench::new();
    bench.packet(10.0, &query(1, "a.org").packet());
    bench.packet(5.25, &query(2, "a.org").packet()).finish();
    assert_eq!(bench.seen[0].timeout, Some(-4.75));
    // A young query in front keeps an old one back, as only the front is looked at.
    let mut bench = Bench::new();
    bench.packet(100.0, &query(1, "a.org").packet());
    bench.packet(0.0, &query(2, "a.org").packet());
    bench.packet(90.0, &query(3, "a.org").packet());
    assert!(bench.seen.is_empty());
}

#[test]
fn dq_7_tcp_segments_come_one_by_one_without_addresses() {
    let mut bench = Bench::with(Config { exclude: names("."), ..Config::default() });
    for (name, source, destination, want) in [
        ("to 53", CLIENT, SERVER, 1),
        ("from 53", SERVER, CLIENT, 1),
        ("5353", (CLIENT.0, 5353), (SERVER.0, 5353), 0),
    ] {
        bench.seen.clear();
        let segment = tcp(source, destination);
        bench.packet(3.0, &segment);
        assert_eq!(bench.seen.len(), want, "{name}");
        for seen in &bench.seen {
            assert_eq!((seen.kind, seen.protocol, seen.time), (Tcp, 6, at(3.0)));
            assert_eq!(
                (&seen.tcp, &seen.query, seen.id),
                (&Some(segment.clone()), &(vec![], 0), 0)
            );
        }
    }
}

#[test]
fn dq_8_atomic_fragments_are_stored_as_they_came() {
    let mut bench = Bench::with(Config { recursion_desired: Some(false), ..Config::default() });
    let ask = udp(CLIENT_V6, SERVER_V6, &dns(1, QUERY, Some(("a.org", 1))));
    let piece = fragment(ask.source.0, ask.destination.0, 17, 0, false, &ask.datagram());
    bench.packet(1.0, &piece).finish();
    assert_eq!(bench.seen[0].query_packets, [(at(1.0), piece)]);
}

#[test]
fn my_3_extension_headers_of_any_length() {
    let mut bench = Bench::new();
    let ask = udp(CLIENT_V6, SERVER_V6, &dns(1, QUERY, Some(("a.org", 1))));
    let hop: Vec<u8> = [17, 1].into_iter().chain([0; 14]).chain(ask.datagram()).collect();
    bench.packet(1.0, &ip(ask.source.0, ask.destination.0, 0, &hop)).finish();
    assert_eq!(bench.kinds(), [UdpUnansweredQuery]);
    let sealed: Vec<u8> = [17, 0, 0, 0, 0, 0, 0, 0].into_iter().chain(ask.datagram()).collect();
    bench.packet(1.0, &ip(ask.source.0, ask.destination.0, 50, &sealed));
    assert_eq!(bench.skipped(Skip::Transport), 1, "ESP is not looked into");
}

proptest! {
    #[test]
    fn any_frames_are_safe_and_balance(
        frames in proptest::collection::vec(
            (0_i64..200, 0_u16..300, proptest::collection::vec(any::<u8>(), 0..120), any::<bool>()),
            0..20,
        ),
        zero in any::<bool>(),
    ) {
        let mut bench =
            Bench::with(Config { zero_resolver_address: zero, max_queries: 3, ..Config::default() });
        for (time, link, octets, is_query) in frames {
            let octets = match is_query {
                true => ethernet(&udp(CLIENT, SERVER, &octets).packet()),
                false => octets,
            };
            let link = if is_query { LinkType::ETHERNET } else { LinkType(link) };
            bench.frame(time as f64, link, &octets);
        }
        bench.finish();
        prop_assert!(bench.balances());
        prop_assert_eq!(bench.matcher.pending(), 0);
    }
}
