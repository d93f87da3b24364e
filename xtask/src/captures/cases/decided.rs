//! A capture for each decision.

use super::super::file::{Format, Kind, PCAP, encode};
use super::super::messages::{Facts, Message, field};
use super::super::scene::{
    DESTINATION_OPTIONS, ETHERNET, Frame, LOOP, MILLISECOND, NULL, Pair, RAW, SECOND, SLL2, Scene,
    TCP, UDP, address, ethertype, head,
};
use super::{Case, Input, Made, same};
use crate::packets::{Checksum, Udp, dns, ip};

type Make = fn(u64) -> Vec<Case>;

/// Captures by decision.
pub(crate) const DECISIONS: &[Make] = &[
    cp_1_malformed,
    cp_3_filters,
    cp_5_link_types,
    cp_6_tags,
    cp_6_links,
    cp_7_nanoseconds,
    cp_9_duplicates,
    cp_9_headers,
    cp_11_lists_replaced,
    dq_1_slow_fragments,
    dq_2_icmp_errors,
    dq_3_zeroing,
    dq_4_empty_values,
    dq_4_empty_lists,
    dq_5_table_size,
    dq_6_cut_captures,
    dq_9_unknown_items,
    my_3_long_headers,
];

const STEPS: usize = 100;

/// Variables of `base:dnsqr` that are no address lists.
const SETTINGS: &[&str] = &[
    "DNSQR_CAPTURE_QR",
    "DNSQR_CAPTURE_RD",
    "DNSQR_ZERO_RESOLVER_ADDRESS",
    "DNSQR_STATE_TABLE_MAX",
    "DNSQR_QUERY_TIMEOUT",
    "DNSQR_FILTER_QNAMES_EXCLUDE",
    "DNSQR_FILTER_QNAMES_INCLUDE",
];

/// A query, or its response, that always goes to port 53.
fn udp(scene: &mut Scene, pair: Pair, is_response: bool, name: &str, padding: usize) -> Udp {
    let id = scene.random.below(3) as u16;
    let mut payload = dns(id, if is_response { 0x8180 } else { 0x0100 }, Some((name, 1)));
    payload.extend(vec![0; padding]);
    let (client, server) = ((pair.client.0, 4000), (pair.server.0, 53));
    let (source, destination) = if is_response { (server, client) } else { (client, server) };
    Udp { source, destination, payload, checksum: Checksum::Good }
}

/// Impossible lengths cost themselves.
fn cp_1_malformed(seed: u64) -> Vec<Case> {
    let scene = Scene::new(seed, ETHERNET).run_with(STEPS, |scene| {
        let pair = scene.pair_v4();
        let mut packet = udp(scene, pair, false, "mal.org", 0).packet();
        match scene.random.below(6) {
            0 => packet[0] = 0x44,
            1 => {
                packet[0] = 0x4f;
                packet.truncate(30);
            }
            2 => packet[2..4].copy_from_slice(&[0, 10]),
            3 => packet.truncate(11),
            4 => packet[0] = 0x55,
            _ => packet[2..4].copy_from_slice(&[0, 0]),
        }
        let head = head(ETHERNET, 0x0800, &[]);
        scene.frames.push(Frame { time: scene.clock, head, packet, missing: 0 });
    });
    ["dnsqr", "ncap"].map(|msgtype| Case::of("CP-1", msgtype, &scene)).into()
}

/// Every unfragmented packet satisfies the expression.
fn cp_3_filters(seed: u64) -> Vec<Case> {
    let mut scene = Scene::new(seed, ETHERNET).run(STEPS);
    type Wanted = fn(&Facts) -> bool;
    let (expression, wanted) = scene.random.pick(&[
        (
            "udp port 53",
            (|facts| {
                let port_53 = |(source, destination)| source == 53 || destination == 53;
                facts.protocol == UDP && facts.ports.is_some_and(port_53)
            }) as Wanted,
        ),
        ("ip", |facts| facts.source.is_ipv4()),
        ("host 10.0.0.2", |facts| [facts.source, facts.destination].contains(&address("10.0.0.2"))),
        ("tcp", |facts| facts.protocol == TCP),
    ]);
    scene.twin.retain(|frame| match Facts::of(&frame.packet) {
        Some(facts) => facts.is_fragment || wanted(&facts),
        None => true,
    });
    let cases = ["ncap", "packet", "pkt"].map(|msgtype| {
        let mut case = Case::of("CP-3", msgtype, &scene);
        case.input.expression = Some(expression);
        if let Some(twin) = &mut case.twin {
            twin.expression = Some(expression);
        }
        case
    });
    cases.into()
}

/// Link types that nothing can be made of are refused by name.
fn cp_5_link_types(_: u64) -> Vec<Case> {
    let frame = Frame { time: SECOND, head: Vec::new(), packet: vec![b'x'; 60], missing: 0 };
    let links = [(9, "PPP"), (228, "IPV4"), (14, "14"), (105, "IEEE802_11")];
    let cases = links.map(|(link, name)| {
        let file = encode(std::slice::from_ref(&frame), link, PCAP);
        let case = Case::new("dnsqr", Input { file, ..Input::default() });
        Case { decision: Some("CP-5"), ..case }.checked(move |ours, theirs| {
            let refusal = format!("base:dnsqr cannot be made from link type {name}");
            ours.run.status == Some(3)
                && ours.stderr().contains(&refusal)
                && theirs.all().is_empty()
        })
    });
    cases.into()
}

/// Frames behind several tags are what they are without.
fn cp_6_tags(seed: u64) -> Vec<Case> {
    const TAGS: &[&[u8]] =
        &[&[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6], &[0x81, 0, 0, 1, 0x81, 0, 0, 2], &[0x88, 0xa8, 0, 1]];
    let scene = Scene::new(seed, ETHERNET).run_with(STEPS, |scene| {
        let pair = scene.pair();
        let is_response = scene.random.chance(50);
        let packet = udp(scene, pair, is_response, "tag.org", 0).packet();
        let ethertype = ethertype(&packet);
        let tagged = head(ETHERNET, ethertype, scene.random.pick(TAGS));
        let plain = head(ETHERNET, ethertype, &[]);
        let frame = Frame { time: scene.clock, head: plain, packet, missing: 0 };
        scene.frames.push(Frame { head: tagged, ..frame.clone() });
        scene.twin.push(frame);
    });
    ["dnsqr", "ncap", "packet"].map(|msgtype| Case::of("CP-6", msgtype, &scene)).into()
}

/// Packets behind other link headers are what they are without.
fn cp_6_links(seed: u64) -> Vec<Case> {
    let scene = Scene::new(seed, RAW).run(STEPS);
    let mut cases = Vec::new();
    for link in [NULL, LOOP, SLL2] {
        let put = |frame: &Frame| Frame {
            head: head(link, ethertype(&frame.packet), &[]),
            ..frame.clone()
        };
        let frames: Vec<Frame> = scene.frames.iter().map(put).collect();
        for msgtype in ["dnsqr", "ncap", "packet"] {
            let mut case = Case::of("CP-6", msgtype, &scene);
            case.input.file = encode(&frames, link, PCAP);
            cases.push(case);
        }
    }
    cases
}

/// Nanoseconds are kept; cut off, the messages are the C suite's.
fn cp_7_nanoseconds(seed: u64) -> Vec<Case> {
    let mut scene = Scene::new(seed, ETHERNET).run(STEPS);
    for frame in &mut scene.frames {
        frame.time += scene.random.below(1000) as u64;
    }
    scene.twin.clone_from(&scene.frames);
    let times: Vec<(i64, u32)> = scene.frames.iter().map(time).collect();
    let nanoseconds = |is_big_endian, kind| Format { is_big_endian, kind };
    let formats = [
        nanoseconds(false, Kind::PcapNanoseconds),
        nanoseconds(true, Kind::PcapNanoseconds),
        nanoseconds(false, Kind::PcapNg { resolution: Some(9) }),
    ];
    let mut cases = Vec::new();
    for (msgtype, format) in ["ncap", "packet", "pkt"].into_iter().zip(formats) {
        let times = times.clone();
        let case = Case::of("CP-7", msgtype, &scene).in_format(&scene, format);
        cases.push(case.checked(move |ours, theirs| {
            let cut: Vec<Message> = ours.all().iter().map(Message::to_microseconds).collect();
            cut == theirs.all() && ours.all().iter().all(|message| times.contains(&message.time))
        }));
        // The switch gives the C suite's messages of the same file.
        let mut classic = Case::of("CP-7", "dnsqr", &scene).in_format(&scene, format);
        classic.twin = None;
        cases.push(Case { more: &["--classic-capture"], ..classic });
    }
    cases
}

fn time(frame: &Frame) -> (i64, u32) {
    ((frame.time / SECOND) as i64, (frame.time % SECOND) as u32)
}

/// Duplicates of fragments do no harm.
fn cp_9_duplicates(seed: u64) -> Vec<Case> {
    let scene = Scene::new(seed, ETHERNET).run_with(STEPS, |scene| {
        let pair = scene.pair();
        let response = udp(scene, pair, true, "dup.org", 80);
        scene.clock = scene.clock / SECOND * SECOND + SECOND / 2;
        let mut fragments = scene.fragments(&response, 32);
        let last = fragments.pop();
        for fragment in fragments {
            scene.emit(fragment.clone());
            for _ in 0..scene.random.below(3) {
                let frame = scene.frame(fragment.clone());
                scene.frames.push(frame);
            }
        }
        last.into_iter().for_each(|fragment| scene.emit(fragment));
    });
    ["dnsqr", "ncap"].map(|msgtype| Case::of("CP-9", msgtype, &scene)).into()
}

/// Headers in front of a fragment header stay: the datagram is the packet that was taken apart.
fn cp_9_headers(seed: u64) -> Vec<Case> {
    const OPTIONS: [u8; 7] = [0, 1, 4, 0, 0, 0, 0];
    let scene = Scene::new(seed, ETHERNET).run_with(STEPS, |scene| {
        let pair = scene.pair_v6();
        let response = udp(scene, pair, true, "pre.org", 80);
        let (source, destination) = (response.source.0, response.destination.0);
        let behind = |protocol: u8, body: &[u8]| {
            let body = [&[protocol][..], &OPTIONS, body].concat();
            ip(source, destination, DESTINATION_OPTIONS, &body)
        };
        for fragment in scene.fragments(&response, 32) {
            let frame = scene.frame(behind(44, &fragment[40..]));
            scene.frames.push(frame);
        }
        let whole = scene.frame(behind(UDP, &response.datagram()));
        scene.twin.push(whole);
    });
    vec![Case::of("CP-9", "ncap", &scene)]
}

/// `-b` replaces the address lists, which is told.
fn cp_11_lists_replaced(seed: u64) -> Vec<Case> {
    let scene = Scene::new(seed, ETHERNET).run(STEPS);
    let mut case =
        Case::of("CP-11", "dnsqr", &scene).with_variables(&[("DNSQR_RES_ADDRS", "10.0.0.1")]);
    case.input.expression = Some("udp port 53");
    case.twin = None;
    vec![
        case.checked(|ours, theirs| {
            same(ours, theirs) && ours.stderr().contains("DNSQR_RES_ADDRS")
        }),
    ]
}

/// Fragments may come slowly: as if they had come within one second, but for their times.
fn dq_1_slow_fragments(seed: u64) -> Vec<Case> {
    const PAUSE: u64 = 100 * SECOND;
    let mut scene = Scene::new(seed, ETHERNET);
    for turn in 0..20 {
        let begin = SECOND * SECOND + turn * PAUSE;
        let pair = scene.pair();
        let (query, mut response) =
            (udp(&mut scene, pair, false, "s.org", 0), udp(&mut scene, pair, true, "s.org", 60));
        response.payload[..2].copy_from_slice(&query.payload[..2]);
        scene.clock = begin;
        scene.emit(query.packet());
        for (at, fragment) in scene.fragments(&response, 32).into_iter().enumerate() {
            let at = at as u64;
            let frame = scene.frame(fragment);
            let slowly = at * scene.random.between(1, 19) as u64 * SECOND;
            let slowly = begin + slowly + 500 * MILLISECOND;
            scene.frames.push(Frame { time: slowly, ..frame.clone() });
            let quickly = begin + (100 + at) * MILLISECOND;
            scene.twin.push(Frame { time: quickly, ..frame });
        }
    }
    let case = Case::of("DQ-1", "dnsqr", &scene).checked(|ours, theirs| {
        let times = [field::RESPONSE_TIME_SEC, field::RESPONSE_TIME_NSEC];
        let without = |made: &Made| -> Vec<Message> {
            made.all().iter().map(|message| message.without(&times)).collect()
        };
        ours.run.status == Some(0) && !ours.all().is_empty() && without(ours) == without(theirs)
    });
    let classic = Case::of("DQ-1", "dnsqr", &scene);
    vec![case, Case { more: &["--classic-capture"], twin: None, ..classic }]
}

/// ICMP errors that quote DNS come besides; nothing else changes.
fn dq_2_icmp_errors(seed: u64) -> Vec<Case> {
    let mut wanted = Vec::new();
    let scene = Scene::new(seed, ETHERNET).run_with(STEPS, |scene| {
        let pair = scene.pair_v4();
        let mut query = udp(scene, pair, false, "i.org", 0);
        query.destination.1 = scene.random.pick(&[53, 5353, 80]);
        let quote = scene.random.pick(&[28, 40, 27]);
        let mut error = vec![scene.random.pick(&[3, 11, 5]), 1, 0, 0, 0, 0, 0, 0];
        error.extend(&query.packet()[..quote]);
        let packet = ip(address("10.9.9.9"), pair.client.0, 1, &error);
        if quote >= 28 && query.destination.1 != 80 {
            wanted.push(packet.clone());
        }
        scene.emit(packet);
    });
    let case = Case::of("DQ-2", "dnsqr", &scene).checked(move |ours, theirs| {
        let (errors, others): (Vec<Message>, Vec<Message>) =
            ours.all().iter().cloned().partition(Message::is_icmp);
        let quoted: Vec<&[u8]> =
            errors.iter().filter_map(|message| message.octets(field::ICMP)).collect();
        ours.run.status == Some(0) && others == theirs.all() && quoted == wanted
    });
    let classic = Case::of("DQ-2", "dnsqr", &scene);
    vec![case, Case { more: &["--classic-capture"], twin: None, ..classic }]
}

/// Zeroed messages are those without zeroing, with the address of the side that asks wiped out.
fn dq_3_zeroing(seed: u64) -> Vec<Case> {
    let scene = Scene::new(seed, ETHERNET).run(STEPS);
    let case = Case::of("DQ-3", "dnsqr", &scene);
    let case = case.with_variables(&[("DNSQR_ZERO_RESOLVER_ADDRESS", "1")]);
    vec![case.checked(|ours, theirs| {
        let zeroed: Vec<Message> = theirs.all().iter().filter_map(Message::zeroed).collect();
        ours.run.status == Some(0) && ours.all() == zeroed
    })]
}

/// Empty values are as good as none.
fn dq_4_empty_values(seed: u64) -> Vec<Case> {
    let scene = Scene::new(seed, ETHERNET).run(STEPS);
    let empty: Vec<_> = SETTINGS.iter().map(|name| (*name, "")).collect();
    vec![Case::of("DQ-4", "dnsqr", &scene).with_variables(&empty)]
}

/// Address lists without an address are refused.
fn dq_4_empty_lists(seed: u64) -> Vec<Case> {
    let scene = Scene::new(seed, ETHERNET).run(5);
    let mut cases = Vec::new();
    for name in ["DNSQR_RES_ADDRS", "DNSQR_AUTH_ADDRS"] {
        for value in ["", ",", " , "] {
            let case = Case::of("DQ-4", "dnsqr", &scene).with_variables(&[(name, value)]);
            cases.push(Case { twin: None, ..case }.checked(move |ours, theirs| {
                ours.run.status == Some(2)
                    && ours.stderr().contains(name)
                    && theirs.all().is_empty()
            }));
        }
    }
    cases
}

/// Table sizes beyond all sense are refused, not tried.
fn dq_5_table_size(seed: u64) -> Vec<Case> {
    const NAME: &str = "DNSQR_STATE_TABLE_MAX";
    let scene = Scene::new(seed, ETHERNET).run(STEPS);
    let cases = ["2147483648", "0x7fffffffffffffff", "2147483647"].map(|value| {
        let case = Case::of("DQ-5", "dnsqr", &scene).with_variables(&[(NAME, value)]);
        case.checked(move |ours, theirs| {
            if value == "2147483647" {
                return same(ours, theirs);
            }
            ours.run.status == Some(2) && ours.stderr().contains(NAME)
        })
    });
    cases.into()
}

/// A capture that ends early gives what its whole frames give.
fn dq_6_cut_captures(seed: u64) -> Vec<Case> {
    let mut scene = Scene::new(seed, ETHERNET).run(STEPS);
    let whole = scene.random.between(5, scene.frames.len() - 2);
    scene.twin.truncate(whole);
    let mut case = Case::of("DQ-6", "dnsqr", &scene);
    let end = encode(&scene.twin, ETHERNET, PCAP).len() + scene.random.between(1, 19);
    case.input.file.truncate(end);
    vec![case.checked(|ours, theirs| {
        ours.run.status == Some(3)
            && ours.stderr().contains("capture ends")
            && ours.messages == theirs.messages
    })]
}

/// Items of a list that are no address are told.
fn dq_9_unknown_items(seed: u64) -> Vec<Case> {
    let scene = Scene::new(seed, ETHERNET).run(STEPS);
    let variables = [("DNSQR_RES_ADDRS", "10.0.0.1,junk")];
    let case = Case::of("DQ-9", "dnsqr", &scene).with_variables(&variables);
    vec![
        Case { twin: None, ..case }
            .checked(|ours, theirs| same(ours, theirs) && ours.stderr().contains("'junk' ignored")),
    ]
}

/// Extension headers of any length are read over.
fn my_3_long_headers(seed: u64) -> Vec<Case> {
    let scene = Scene::new(seed, ETHERNET).run_with(STEPS, |scene| {
        let pair = scene.pair_v6();
        let query = udp(scene, pair, false, "h.org", 0);
        let (source, destination) = (query.source.0, query.destination.0);
        let (kind, len) = scene.random.pick(&[(0, 16), (DESTINATION_OPTIONS, 24), (51, 24)]);
        let units = if kind == 51 { len / 4 - 2 } else { len / 8 - 1 };
        let mut body = vec![0; len];
        body[..2].copy_from_slice(&[UDP, units as u8]);
        body.extend(query.datagram());
        let frame = scene.frame(ip(source, destination, kind, &body));
        scene.frames.push(frame.clone());
        scene.twin.push(Frame { packet: query.packet(), ..frame });
    });
    let without = |made: &Made| -> Vec<Message> {
        made.all().iter().map(|message| message.without(&[field::QUERY_PACKET])).collect()
    };
    vec![Case::of("MY-3", "dnsqr", &scene).checked(move |ours, theirs| {
        ours.run.status == Some(0) && without(ours) == without(theirs)
    })]
}
