//! Reassembly: every row of the reader's table (`container-and-io` §1.8) and `decisions` §4.

use std::time::Duration;

use nmsg::container::{
    Assembled, Flags, FragmentCounts, FragmentFault, Header, Reassembler, write_fragments,
};
use nmsg::wire::{put_len_field, put_varint_field};
use nmsg::{Error, ErrorKind, Limits, crc};

const NOW: Duration = Duration::from_secs(1000);

struct Piece<'a> {
    id: u32,
    current: u32,
    last: u32,
    octets: &'a [u8],
    crc: Option<u32>,
}

impl Piece<'_> {
    fn body(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint_field(&mut out, 1, self.id.into());
        put_varint_field(&mut out, 2, self.current.into());
        put_varint_field(&mut out, 3, self.last.into());
        put_len_field(&mut out, 4, self.octets);
        if let Some(crc) = self.crc {
            put_varint_field(&mut out, 5, crc.into());
        }
        out
    }
}

type Outcome = Result<Option<Assembled>, ErrorKind>;

/// A reassembler that takes pieces of one sender, uncompressed, at one time.
struct Test {
    reassembler: Reassembler<u8>,
}

impl Test {
    fn new() -> Self {
        Self::with(&Limits::default())
    }

    fn with(limits: &Limits) -> Self {
        Self { reassembler: Reassembler::new(limits) }
    }

    fn push(&mut self, piece: &Piece<'_>) -> Outcome {
        self.push_body(&piece.body())
    }

    fn push_body(&mut self, body: &[u8]) -> Outcome {
        self.reassembler.push(1, Flags::FRAGMENT, body, NOW).map_err(|error: Error| error.kind())
    }

    fn counts(&self) -> FragmentCounts {
        let counts = *self.reassembler.counts();
        let accounted = counts.delivered
            + counts.duplicate
            + counts.undecodable
            + counts.beyond_last
            + counts.other_last
            + counts.too_many
            + counts.dropped_with_set
            + self.reassembler.pending_fragments();
        assert_eq!(accounted, counts.received, "every fragment is accounted for: {counts:?}");
        counts
    }
}

fn whole(body: &[u8]) -> Outcome {
    Ok(Some(Assembled { is_zlib: false, body: body.to_vec() }))
}

fn fault(fault: FragmentFault) -> Outcome {
    Err(ErrorKind::Fragment(fault))
}

/// The fragments of `body` as this crate writes them.
fn slices(body: &[u8], slice_len: usize) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut emit = |octets: &[u8]| {
        out.push(Header::parse_message(octets)?.1.to_vec());
        Ok::<(), Error>(())
    };
    write_fragments(body, Flags(0), 9, slice_len, &mut Vec::new(), &mut emit).unwrap();
    out
}

fn body(len: u32) -> Vec<u8> {
    (0..len).map(|n| (n * 7 + n / 256) as u8).collect()
}

#[test]
fn fr_7_any_order_and_duplicates() {
    let body = body(95);
    let pieces = slices(&body, 10);
    assert_eq!(pieces.len(), 10);
    let orders: [Vec<usize>; 4] = [
        (0..10).collect(),
        (0..10).rev().collect(),
        (0..10).map(|n| n * 7 % 10).collect(),
        (0..10).map(|n| (n + 5) % 10).collect(),
    ];
    for order in orders {
        let mut test = Test::new();
        for (arrived, current) in order.iter().enumerate() {
            let outcome = test.push_body(&pieces[*current]);
            assert_eq!(outcome, if arrived == 9 { whole(&body) } else { Ok(None) }, "{order:?}");
            if arrived < 9 {
                assert_eq!(test.push_body(&pieces[*current]), Ok(None), "duplicate");
            }
        }
        let counts = test.counts();
        assert_eq!((counts.delivered, counts.duplicate, counts.sets_completed), (10, 9, 1));
        assert_eq!(test.reassembler.pending_sets(), 0);
    }
}

#[test]
fn fr_7_the_first_copy_of_a_piece_wins() {
    let piece = |current, octets| Piece { id: 1, current, last: 1, octets, crc: None };
    let mut test = Test::new();
    assert_eq!(test.push(&piece(0, b"first")), Ok(None));
    assert_eq!(test.push(&piece(0, b"again")), Ok(None));
    assert_eq!(test.push(&piece(1, b"-end")), whole(b"first-end"));
}

#[test]
fn fr_7_the_key_is_id_checksum_and_sender() {
    let crc = Some(crc::stored_crc32c(b"ab"));
    let piece = |id, current, crc| {
        Piece { id, current, last: 1, octets: &b"ab"[current as usize..][..1], crc }.body()
    };
    let mut test = Test::new();
    for (name, body, sender) in [
        ("another id", piece(2, 1, crc), 1),
        ("another checksum", piece(1, 1, Some(5)), 1),
        ("no checksum", piece(1, 1, None), 1),
        ("another sender", piece(1, 1, crc), 2),
        ("the other half", piece(1, 0, crc), 1),
    ] {
        let pushed = test.reassembler.push(sender, Flags(2), &body, NOW);
        assert!(matches!(pushed, Ok(None)), "{name}");
    }
    assert_eq!(test.reassembler.pending_sets(), 5);
    assert_eq!(test.push_body(&piece(1, 1, crc)), whole(b"ab"));
    assert_eq!(test.reassembler.pending_sets(), 4);
}

#[test]
fn a_single_fragment_is_delivered_at_once() {
    let piece = Piece { id: 1, current: 0, last: 0, octets: b"all", crc: None };
    assert_eq!(Test::new().push(&piece), whole(b"all"));
    let empty = Piece { octets: b"", ..piece };
    assert_eq!(Test::new().push(&empty), whole(b""));
}

#[test]
fn compression_is_told_by_the_completing_fragment() {
    for (first, second) in [(0, 1), (1, 0)] {
        let mut reassembler = Reassembler::new(&Limits::default());
        let piece = |current| Piece { id: 1, current, last: 1, octets: b"x", crc: None }.body();
        assert_eq!(reassembler.push((), Flags(2 | first), &piece(0), NOW), Ok(None));
        let done = reassembler.push((), Flags(2 | second), &piece(1), NOW).unwrap().unwrap();
        assert_eq!(done.is_zlib, second == 1);
    }
}

#[test]
fn fr_2_an_empty_last_piece_need_not_come() {
    let body = body(40);
    let crc = Some(crc::stored_crc32c(&body));
    let piece = |current: u32| {
        let from = (current as usize * 10).min(40);
        let to = (from + 10).min(40);
        Piece { id: 1, current, last: 4, octets: &body[from..to], crc }
    };
    for order in [[0, 1, 2, 3], [3, 1, 0, 2]] {
        let mut test = Test::new();
        for current in &order[..3] {
            assert_eq!(test.push(&piece(*current)), Ok(None));
        }
        assert_eq!(test.push(&piece(order[3])), whole(&body), "{order:?}");
        assert_eq!(test.push(&piece(4)), Ok(None), "it comes after all");
        assert_eq!(test.reassembler.pending_sets(), 0, "and opens no set of its own");
        assert_eq!(test.counts().duplicate, 1);
        // The same container again, as when a file is read twice: delivered again.
        for current in &order[..3] {
            assert_eq!(test.push(&piece(*current)), Ok(None));
        }
        assert_eq!(test.push(&piece(order[3])), whole(&body), "{order:?}, again");
    }
    let mut test = Test::new();
    for current in [4, 0, 1, 2] {
        assert_eq!(test.push(&piece(current)), Ok(None));
    }
    assert_eq!(test.push(&piece(3)), whole(&body), "zero-length pieces are ordinary pieces");

    let mut test = Test::new();
    for current in 0..4 {
        assert_eq!(
            test.push(&Piece { crc: Some(77), ..piece(current) }),
            Ok(None),
            "other checksum"
        );
        let mut unsure = Test::new();
        assert_eq!(unsure.push(&Piece { crc: None, ..piece(current) }), Ok(None), "no checksum");
    }
    assert_eq!(test.reassembler.pending_sets(), 1);
}

#[test]
fn fr_2_zero_length_pieces_anywhere() {
    let piece = |current, octets| Piece { id: 1, current, last: 2, octets, crc: None };
    let mut test = Test::new();
    assert_eq!(test.push(&piece(1, b"")), Ok(None));
    assert_eq!(test.push(&piece(0, b"a")), Ok(None));
    assert_eq!(test.push(&piece(2, b"b")), whole(b"ab"));
}

#[test]
fn fr_3_contradictions_cost_the_fragment_alone() {
    let piece = |current, last| Piece { id: 1, current, last, octets: b"x", crc: None };
    let mut test = Test::new();
    assert_eq!(test.push(&piece(0, 2)), Ok(None));
    for (name, current, last, want) in [
        ("beyond the last", 3, 2, FragmentFault::BeyondLast),
        ("far beyond", u32::MAX, 2, FragmentFault::BeyondLast),
        ("smaller last", 1, 1, FragmentFault::OtherLast),
        ("larger last", 1, 3, FragmentFault::OtherLast),
    ] {
        assert_eq!(test.push(&piece(current, last)), fault(want), "{name}");
    }
    assert_eq!(test.push(&piece(1, 2)), Ok(None));
    assert_eq!(test.push(&piece(2, 2)), whole(b"xxx"));
    let counts = test.counts();
    assert_eq!((counts.beyond_last, counts.other_last, counts.delivered), (2, 2, 3));
}

#[test]
fn fr_4_the_number_of_fragments_is_limited() {
    let mut test = Test::new();
    for (last, want) in [
        (65_535, Ok(None)),
        (65_536, fault(FragmentFault::TooMany)),
        (u32::MAX, fault(FragmentFault::TooMany)),
    ] {
        let piece = Piece { id: last, current: last, last, octets: b"x", crc: None };
        assert_eq!(test.push(&piece), want, "{last}");
    }
    assert_eq!(test.counts().too_many, 2);
}

#[test]
fn fr_4_the_oldest_set_makes_way() {
    let limits = Limits::default().with_pending_fragments(100_000);
    let mut test = Test::with(&limits);
    let octets = [7; 1000];
    for id in 0..500 {
        let piece = Piece { id, current: 0, last: 1, octets: &octets, crc: None };
        assert_eq!(test.push(&piece), Ok(None));
    }
    let pending = test.reassembler.pending_sets();
    assert!((50..100).contains(&pending), "{pending} sets");
    assert_eq!(test.counts().sets_evicted, 500 - pending as u64);
    assert_eq!(test.counts().dropped_with_set, 500 - pending as u64);
    let second = |id| Piece { id, current: 1, last: 1, octets: b"", crc: None };
    assert_eq!(test.push(&second(499)), whole(&octets), "the youngest is there");
    assert_eq!(test.push(&second(0)), Ok(None), "the oldest is gone");

    let mut test = Test::with(&Limits::default().with_pending_fragments(500));
    let piece = Piece { id: 1, current: 0, last: 1, octets: &octets, crc: None };
    assert_eq!(test.push(&piece), fault(FragmentFault::TooLarge), "more than may wait at all");
    assert_eq!(test.counts().sets_evicted, 1);
}

#[test]
fn fr_4_many_tiny_fragments_cost_what_they_take() {
    let limits = Limits::default().with_pending_fragments(1 << 20);
    let mut test = Test::with(&limits);
    for id in 0..100_000 {
        let piece = Piece { id, current: 65_535, last: 65_535, octets: b"", crc: None };
        assert_eq!(test.push(&piece), Ok(None));
    }
    assert!(test.reassembler.pending_sets() < 4096);
    for current in (0..65_536).rev() {
        let piece = Piece { id: 1 << 30, current, last: 65_535, octets: b"", crc: None };
        let outcome = test.push(&piece);
        assert!(matches!(outcome, Ok(_) | Err(ErrorKind::Fragment(FragmentFault::TooLarge))));
    }
    test.counts();
}

#[test]
fn cr_3_a_reassembled_body_beyond_the_cap_is_dropped() {
    let mut test = Test::with(&Limits::default().with_container_body(2500));
    let piece = |current| Piece { id: 1, current, last: 5, octets: &[0; 1000], crc: None };
    assert_eq!(test.push(&piece(0)), Ok(None));
    assert_eq!(test.push(&piece(1)), Ok(None));
    assert_eq!(test.push(&piece(2)), fault(FragmentFault::TooLarge));
    assert_eq!(test.reassembler.pending_sets(), 0);
    let counts = test.counts();
    assert_eq!((counts.sets_too_large, counts.dropped_with_set), (1, 3));
}

#[test]
fn fr_5_sets_expire_thirty_seconds_after_their_first_fragment() {
    let mut test = Test::new();
    let second = Duration::from_secs(1);
    assert_eq!(test.reassembler.next_deadline(), None);
    for (id, at) in [(1, 0), (2, 10), (1, 25)] {
        let piece = Piece { id, current: at, last: 40, octets: b"x", crc: None }.body();
        assert_eq!(test.reassembler.push(1, Flags(2), &piece, NOW + second * at), Ok(None));
    }
    assert_eq!(test.reassembler.next_deadline(), Some(NOW + second * 30));
    assert_eq!(test.reassembler.expire(NOW + second * 29), 0);
    assert_eq!(test.reassembler.expire(NOW + second * 30), 1);
    assert_eq!(test.reassembler.next_deadline(), Some(NOW + second * 40));
    assert_eq!(test.reassembler.expire(NOW + second * 400), 1);
    assert_eq!(test.reassembler.pending_sets(), 0);
    let counts = test.counts();
    assert_eq!((counts.sets_expired, counts.dropped_with_set), (2, 3));
}

#[test]
fn fr_6_the_checksum_is_verified() {
    let body = b"checked";
    let right = crc::stored_crc32c(body);
    for (name, crc, fits) in [
        ("as stored", Some(right), true),
        ("natural order", Some(right.swap_bytes()), true),
        ("none", None, true),
        ("0 counts as none", Some(0), true),
        ("wrong", Some(right ^ 1), false),
    ] {
        let mut test = Test::new();
        let piece = |current| {
            let octets = &body[current as usize * 4..][..4 - current as usize];
            Piece { id: 1, current, last: 1, octets, crc }
        };
        assert_eq!(test.push(&piece(1)), Ok(None), "{name}");
        let want = if fits { whole(body) } else { fault(FragmentFault::ChecksumMismatch) };
        assert_eq!(test.push(&piece(0)), want, "{name}");
        let counts = test.counts();
        assert_eq!(counts.sets_mismatched, u64::from(!fits), "{name}");
        assert_eq!(test.reassembler.pending_sets(), 0, "{name}");
    }
}

#[test]
fn unreadable_fragments_are_counted() {
    let mut test = Test::new();
    for body in [&b""[..], b"\x08\x01", b"\x0b", b"NMSG"] {
        assert!(matches!(test.push_body(body), Err(ErrorKind::Protobuf(_))));
    }
    assert_eq!(test.counts().undecodable, 4);
}
