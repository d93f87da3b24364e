//! A stream without end, made while it is read.

use std::time::{Duration, Instant};

use nmsg::Limits;
use nmsg::container::StreamReader;

use crate::container;

/// Octets of a container over and over, without holding more than one.
struct Endless {
    container: Vec<u8>,
    at: usize,
}

impl Endless {
    fn read(&mut self, mut room: &mut [u8]) {
        while !room.is_empty() {
            let rest = &self.container[self.at..];
            let len = rest.len().min(room.len());
            let (now, later) = room.split_at_mut(len);
            now.copy_from_slice(&rest[..len]);
            room = later;
            self.at = (self.at + len) % self.container.len();
        }
    }
}

/// Containers that are read.
const CONTAINERS: usize = 400;
/// Containers that one measurement is the least of.
const SHARE: usize = CONTAINERS / 10;

#[test]
fn the_thousandth_container_costs_what_the_first_did() {
    let body = [7; 200];
    let bodies: Vec<&[u8]> = (0..4000).map(|_| &body[..]).collect();
    let mut stream = Endless { container: container(&bodies), at: 0 };
    let mut reader = StreamReader::new(&Limits::default());
    let (mut read, mut payloads, mut largest_room) = (0, 0, 0);
    let mut least = Vec::new();
    let mut share = Duration::MAX;
    let mut start = Instant::now();
    while read < CONTAINERS {
        if let Some(container) = reader.next_container() {
            payloads += container.unwrap().payloads().filter(|record| record.crc_matches()).count();
            read += 1;
            share = share.min(start.elapsed());
            start = Instant::now();
            if read % SHARE == 0 {
                least.push(std::mem::replace(&mut share, Duration::MAX));
            }
        } else {
            let room = reader.space(64 << 10);
            largest_room = largest_room.max(room.len());
            let piece = &mut room[..64 << 10];
            stream.read(piece);
            let len = piece.len();
            reader.advance(len);
        }
    }
    assert_eq!(payloads, CONTAINERS * bodies.len());
    assert_eq!(reader.deframer().skipped_octets(), 0);
    assert!(largest_room <= 8 << 20, "room for {largest_room} octets");
    let [first, .., last] = least[..] else { panic!("ten shares") };
    assert!(last < first * 3 / 2, "{least:?}");
}
