use super::index::LEAST_PLACES;
use super::*;
use nmsg::datagram::Family;
use proptest::prelude::*;

const CLIENT: [u8; 4] = [10, 0, 0, 1];
const SERVER: [u8; 4] = [192, 0, 2, 53];

fn key(port: u16, id: u16) -> Key {
    Key::new(Family::V4, (&CLIENT, port), (&SERVER, 53), id)
}

fn question(name: &[u8]) -> Option<Question<'_>> {
    Some(Question { name, qtype: 1, qclass: 1 })
}

fn store(table: &mut QueryTable, key: Key, question: Option<Question<'_>>, time: i64) {
    let time = Timestamp { sec: time, nsec: 0 };
    let metas = [PacketMeta { len: 6, time }];
    let packets = PacketList::new(b"packet", &metas);
    table.store(&NewQuery { key, question, recursion_desired: None, packets });
}

fn take(table: &mut QueryTable, found: Option<u32>) -> Option<i64> {
    let at = found?;
    let time = table.query(at).time().sec;
    table.release(at);
    Some(time)
}

#[test]
fn oldest_acceptable_query_wins() {
    let mut table = QueryTable::new();
    store(&mut table, key(1, 1), question(b"\x01a\0"), 1);
    store(&mut table, key(1, 1), None, 2);
    store(&mut table, key(1, 1), question(b"\x01b\0"), 3);
    store(&mut table, key(1, 1), question(b"\x01b\0"), 4);
    store(&mut table, key(2, 1), question(b"\x01b\0"), 5);
    for (name, port, asked, is_error, want) in [
        ("question decides", 1, question(b"\x01b\0"), false, Some(3)),
        ("letter case counts", 1, question(b"\x01B\0"), false, None),
        ("an error may answer a query without question", 1, question(b"\x01b\0"), true, Some(2)),
        ("then only its own", 1, question(b"\x01b\0"), true, Some(4)),
        ("no question, no error", 1, None, false, None),
        ("an error without question takes the oldest", 1, None, true, Some(1)),
        ("all gone", 1, None, true, None),
        ("other port", 2, None, true, Some(5)),
        ("empty", 2, None, true, None),
    ] {
        let found = table.take(&key(port, 1), asked, is_error);
        assert_eq!(take(&mut table, found), want, "{name}");
    }
    assert_eq!((table.len(), table.held_octets(), table.oldest().is_none()), (0, 0, true));
}

#[test]
fn every_part_of_the_key_counts() {
    let keys = [
        key(1, 1),
        key(2, 1),
        key(1, 2),
        Key::new(Family::V4, (&CLIENT, 1), (&SERVER, 54), 1),
        Key::new(Family::V4, (&SERVER, 1), (&SERVER, 53), 1),
        Key::new(Family::V4, (&CLIENT, 1), (&CLIENT, 53), 1),
        Key::new(Family::V6, (&CLIENT, 1), (&SERVER, 53), 1),
    ];
    let mut table = QueryTable::new();
    for (time, key) in keys.iter().enumerate() {
        store(&mut table, *key, question(b"\0"), time as i64);
    }
    for (time, key) in keys.iter().enumerate().rev() {
        let found = table.take(key, question(b"\0"), false);
        assert_eq!(take(&mut table, found), Some(time as i64), "{key:?}");
    }
    for (name, asked) in [
        ("type", Question { name: b"\0", qtype: 2, qclass: 1 }),
        ("class", Question { name: b"\0", qtype: 1, qclass: 2 }),
    ] {
        store(&mut table, key(1, 1), question(b"\0"), 0);
        assert_eq!(table.take(&key(1, 1), Some(asked), false), None, "{name}");
    }
}

/// Turns of loops that so many queries with one key take until all have been answered.
fn work(count: u32, distinct_names: bool) -> u64 {
    let mut table = QueryTable::new();
    let name = |n: u32| match distinct_names {
        true => [&[4], &n.to_be_bytes()[..], &[0]].concat(),
        false => vec![0],
    };
    let before = STEPS.get();
    for n in 0..count {
        store(&mut table, key(1, 1), question(&name(n)), n.into());
    }
    // The youngest first: a scan from the oldest would be quadratic.
    for n in (0..count).rev() {
        let found = table.take(&key(1, 1), question(&name(n)), false);
        let want = if distinct_names { n } else { count - 1 - n };
        assert_eq!(take(&mut table, found), Some(want.into()));
    }
    STEPS.get() - before
}

#[test]
fn dq_5_equal_keys_take_linear_time() {
    for distinct_names in [false, true] {
        let (small, large) = (work(10_000, distinct_names), work(40_000, distinct_names));
        assert!(large >= 40_000, "steps are counted: {large}");
        // Four times the queries; how full the indexes are differs a little.
        assert!(large <= 5 * small, "{distinct_names}: {small} for 10,000, {large} for 40,000");
    }
}

#[test]
fn dq_5_memory_grows_with_what_is_kept() {
    let mut table = QueryTable::new();
    assert_eq!((table.queries.capacity(), table.by_key.places()), (0, 0));
    for n in 0..10_000_u32 {
        store(&mut table, key(n as u16, 1), question(b"\0"), 0);
        let oldest = table.take_oldest();
        assert_eq!(take(&mut table, oldest), Some(0));
    }
    assert_eq!((table.queries.len(), table.by_key.places()), (1, LEAST_PLACES));
    assert_eq!(table.by_question.places(), 0, "none ever shared a key");
}

#[test]
fn large_buffers_are_not_kept() {
    let mut table = QueryTable::new();
    let packet = vec![0; 60_000];
    let metas = [PacketMeta { len: 60_000, time: Timestamp::default() }];
    let packets = PacketList::new(&packet, &metas);
    let new = NewQuery { key: key(1, 1), question: None, recursion_desired: None, packets };
    table.store(&new);
    assert!(table.held_octets() >= 60_000);
    let found = table.take(&key(1, 1), None, true);
    take(&mut table, found);
    assert_eq!((table.held_octets(), table.queries[0].long.is_none()), (0, true));
}

#[derive(Clone, Debug)]
enum Step {
    Store { port: u16, name: Option<u8> },
    Find { port: u16, name: Option<u8>, is_error: bool },
    TakeOldest,
}

fn step() -> impl Strategy<Value = Step> {
    let name = || proptest::option::of(0_u8..3);
    prop_oneof![
        3 => (0_u16..40, name()).prop_map(|(port, name)| Step::Store { port, name }),
        3 => (0_u16..40, name(), any::<bool>())
            .prop_map(|(port, name, is_error)| Step::Find { port, name, is_error }),
        1 => Just(Step::TakeOldest),
    ]
}

proptest! {
    #[test]
    fn behaves_like_a_scan_of_a_queue(steps in proptest::collection::vec(step(), 0..400)) {
        let mut table = QueryTable::new();
        let mut model: Vec<(i64, u16, Option<u8>)> = Vec::new();
        for (time, step) in steps.into_iter().enumerate() {
            let names = [[1, b'a', 0], [1, b'b', 0], [1, b'A', 0]];
            let asked = |name: Option<u8>| name.and_then(|n| question(&names[usize::from(n)]));
            match step {
                Step::Store { port, name } => {
                    store(&mut table, key(port, 1), asked(name), time as i64);
                    model.push((time as i64, port, name));
                }
                Step::Find { port, name, is_error } => {
                    let place = model.iter().position(|(_, known_port, known_name)| {
                        *known_port == port
                            && match (*known_name, name) {
                                (Some(known), Some(name)) => known == name,
                                _ => is_error,
                            }
                    });
                    let found = table.take(&key(port, 1), asked(name), is_error);
                    let want = place.map(|place| model.remove(place).0);
                    prop_assert_eq!(take(&mut table, found), want);
                }
                Step::TakeOldest => {
                    let oldest = table.take_oldest();
                    let want = (!model.is_empty()).then(|| model.remove(0).0);
                    prop_assert_eq!(take(&mut table, oldest), want);
                }
            }
            prop_assert_eq!(table.len(), model.len());
        }
    }
}
