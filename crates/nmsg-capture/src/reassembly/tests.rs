use super::*;
use crate::test_packets::{Udp, udp};

const HERE: (&str, u16) = ("10.0.0.1", 4000);
const THERE: (&str, u16) = ("192.0.2.53", 53);

fn at(sec: i64, nsec: u32) -> Timestamp {
    Timestamp { sec, nsec }
}

struct Bench {
    reassembler: Reassembler,
    counters: Counters,
}

impl Bench {
    fn new(limits: ReassemblyLimits) -> Self {
        Self { reassembler: Reassembler::new(limits), counters: Counters::default() }
    }

    fn push(&mut self, packet: &[u8], time: Timestamp) -> Pushed {
        let packet = IpPacket::parse_raw(packet).unwrap();
        self.reassembler.push(&packet, time, &mut self.counters)
    }
}

fn answer() -> Udp {
    udp(THERE, HERE, &[7; 61])
}

#[test]
fn pieces_come_back_with_their_times() {
    let mut bench = Bench::new(ReassemblyLimits::default());
    let pieces = answer().fragments(32);
    assert_eq!(bench.push(&pieces[2], at(5, 2)), Pushed::Kept);
    assert_eq!(bench.reassembler.datagram(), []);
    assert_eq!(bench.push(&pieces[0], at(5, 0)), Pushed::Kept);
    assert_eq!(bench.push(&pieces[1], at(5, 1)), Pushed::Complete);
    assert_eq!(bench.reassembler.datagram()[20..], answer().datagram());
    let packets: Vec<_> = bench.reassembler.packets().collect();
    let want: Vec<_> =
        pieces.iter().enumerate().map(|(n, piece)| (at(5, n as u32), &piece[..])).collect();
    assert_eq!(packets, want);

    assert_eq!(bench.push(&pieces[0], at(5, 0)), Pushed::Kept, "a late piece starts anew");
    assert_eq!(bench.reassembler.packets().count(), 0);
}

#[test]
fn cp_9_duplicates_are_ignored_and_conflicts_lose_the_datagram() {
    let mut bench = Bench::new(ReassemblyLimits::default());
    let pieces = answer().fragments(32);
    let mut other = pieces[0].clone();
    other[40] ^= 1;
    assert_eq!(bench.push(&pieces[0], at(0, 0)), Pushed::Kept);
    assert_eq!(bench.push(&pieces[0], at(0, 0)), Pushed::Duplicate);
    assert_eq!(bench.push(&other, at(0, 0)), Pushed::Invalid);
    assert_eq!(bench.push(&pieces[1], at(0, 0)), Pushed::Invalid, "swallowed until it expires");
    assert_eq!(bench.push(&pieces[1], at(61, 0)), Pushed::Kept);
    assert_eq!(bench.counters.expired_fragments, 4);
}

#[test]
fn keys_keep_datagrams_apart() {
    let pieces = answer().fragments(32);
    let changed = |place: usize, octet: u8| {
        let mut piece = pieces[1].clone();
        piece[place] = octet;
        piece
    };
    for (name, piece) in [
        ("identification", changed(5, 8)),
        ("protocol", changed(9, 6)),
        ("source", changed(15, 1)),
        ("destination", changed(19, 2)),
    ] {
        let mut bench = Bench::new(ReassemblyLimits::default());
        bench.push(&pieces[0], at(0, 0));
        assert_eq!(bench.push(&piece, at(0, 0)), Pushed::Kept, "{name}");
        assert_eq!(bench.push(&pieces[2], at(0, 0)), Pushed::Kept, "{name}");
        assert_eq!(bench.push(&pieces[1], at(0, 0)), Pushed::Complete, "{name}");
    }
    let six = udp(("2001:db8::53", 53), ("2001:db8::1", 4000), &[7; 61]).fragments(32);
    let mut bench = Bench::new(ReassemblyLimits::default());
    let mut other = six[1].clone();
    other[40] = 6;
    bench.push(&six[0], at(0, 0));
    bench.push(&other, at(0, 0));
    assert_eq!(bench.push(&six[2], at(0, 0)), Pushed::Complete, "no protocol in the IPv6 key");
}

#[test]
fn dq_1_lifetime_is_sixty_whole_seconds() {
    let default = ReassemblyLimits::default();
    for (name, limits, gap, want) in [
        ("60 seconds", default, at(60, 999_999_999), Pushed::Complete),
        ("61 seconds", default, at(61, 0), Pushed::Kept),
        ("same second", default.same_second(), at(0, 999_999_999), Pushed::Complete),
        ("next second", default.same_second(), at(1, 0), Pushed::Kept),
    ] {
        let mut bench = Bench::new(limits);
        let pieces = udp(THERE, HERE, &[7; 40]).fragments(32);
        bench.push(&pieces[0], at(0, 900_000_000));
        assert_eq!(bench.push(&pieces[1], gap), want, "{name}");
    }
}

#[test]
fn cp_10_expiry_follows_the_clock_without_traffic() {
    let mut bench = Bench::new(ReassemblyLimits::default());
    assert_eq!(bench.reassembler.next_deadline(), None);
    bench.push(&answer().fragments(32)[0], at(100, 5));
    bench.push(&answer().fragments(32)[1], at(130, 5));
    assert_eq!(bench.reassembler.next_deadline(), Some(161));
    bench.reassembler.expire(at(160, 999_999_999), &mut bench.counters);
    assert_eq!((bench.counters.expired_fragments, bench.reassembler.by_key.len()), (0, 1));
    bench.reassembler.expire(at(161, 0), &mut bench.counters);
    assert_eq!((bench.counters.expired_fragments, bench.reassembler.by_key.len()), (2, 0));
    assert_eq!((bench.reassembler.next_deadline(), bench.reassembler.held_octets()), (None, 0));
}

#[test]
fn cp_9_limits_drop_the_oldest() {
    let numbered = |number: u16| {
        let mut piece = answer().fragments(32).remove(0);
        piece[4..6].copy_from_slice(&number.to_be_bytes());
        piece
    };
    let last = |number: u16| {
        let mut piece = answer().fragments(32).remove(2);
        piece[4..6].copy_from_slice(&number.to_be_bytes());
        piece
    };
    let limits = ReassemblyLimits { max_datagrams: 2, ..ReassemblyLimits::default() };
    let mut bench = Bench::new(limits);
    for number in 0..5 {
        bench.push(&numbered(number), at(0, 0));
    }
    assert_eq!((bench.reassembler.by_key.len(), bench.counters.evicted_fragments), (2, 3));
    bench.push(&last(2), at(0, 0));
    assert_eq!(bench.counters.evicted_fragments, 4, "2 was gone and pushed 3 out");

    let limits = ReassemblyLimits { max_octets: 4000, ..ReassemblyLimits::default() };
    let mut bench = Bench::new(limits);
    for number in 0..10_000 {
        bench.push(&numbered(number), at(0, 0));
        assert!(bench.reassembler.held_octets() <= 4000);
    }
    assert!(bench.counters.evicted_fragments > 9_900);
    assert!(bench.reassembler.slots.len() < 100);
}

#[test]
fn what_is_no_whole_fragment_is_refused() {
    let mut bench = Bench::new(ReassemblyLimits::default());
    assert_eq!(bench.push(&answer().packet(), at(0, 0)), Pushed::Invalid);
    let piece = &answer().fragments(32)[0];
    assert_eq!(bench.push(&piece[..piece.len() - 1], at(0, 0)), Pushed::Invalid);
    assert_eq!(bench.reassembler.by_key.len(), 0);
}

#[test]
fn many_pieces_take_linear_time() {
    // 8,000 pieces of 8 octets, last first: the worst order for a sorted list.
    let mut bench = Bench::new(ReassemblyLimits::default());
    let big = udp(THERE, HERE, &vec![7; 63_992]);
    let pieces = big.fragments(8);
    let started = std::time::Instant::now();
    let mut states = pieces.iter().rev().map(|piece| bench.push(piece, at(0, 0)));
    assert_eq!(states.by_ref().last(), Some(Pushed::Complete));
    assert!(started.elapsed().as_secs() < 5);
    assert_eq!(bench.reassembler.datagram()[20..], big.datagram());
}
