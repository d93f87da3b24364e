//! What the tests of sockets share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use zmtp::{Direction, Endpoint, Receiver, ReceiverSettings, Sender};

/// Longer than anything here takes, shorter than anybody's patience.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) fn endpoint(text: &str) -> Endpoint {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A path for a local socket that no other test uses.
pub(crate) fn socket_path() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("zmtp-test-{}-{number}", std::process::id()))
}

/// An endpoint of each kind with nobody there yet, on an address and path that no other test uses.
pub(crate) fn places() -> [Endpoint; 2] {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let process = std::process::id();
    let tcp = format!("tcp://127.{}.{}.{number}:5555", 1 + process % 200, process / 200 % 256);
    [endpoint(&tcp), endpoint(&format!("ipc://{}", socket_path().display()))]
}

/// A message of at least 12 octets that tells its number.
pub(crate) fn message(number: usize, len: usize) -> Vec<u8> {
    let mut octets = format!("NMSG{number:08}").into_bytes();
    octets.resize(len.max(octets.len()), b'.');
    octets
}

pub(crate) fn number_of(message: &[u8]) -> usize {
    let digits = message.get(4..12).and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| digits.parse().ok()).expect("a message made by `message`")
}

pub(crate) fn pull(direction: Direction, at: &Endpoint) -> Receiver {
    let settings = ReceiverSettings { subscription: None, largest: 1 << 20 };
    Receiver::open(&settings, direction, at).expect("socket opens")
}

pub(crate) fn sub(direction: Direction, at: &Endpoint, prefix: &str) -> Receiver {
    let settings = ReceiverSettings { subscription: Some(prefix.into()), largest: 1 << 20 };
    Receiver::open(&settings, direction, at).expect("socket opens")
}

/// Receives so many messages, or as many as come in the time.
pub(crate) fn receive(from: &mut Receiver, count: usize, time: Duration) -> Vec<Vec<u8>> {
    let until = Instant::now() + time;
    let mut messages = Vec::new();
    while messages.len() < count && Instant::now() < until {
        match from.next_part().expect("poll works") {
            Some(part) => messages.push(part.body.to_vec()),
            None => {
                from.wait(&[], Some(until)).expect("poll works");
            }
        }
    }
    messages
}

/// The numbers of the messages that come.
pub(crate) fn receive_numbers(from: &mut Receiver, count: usize, time: Duration) -> Vec<usize> {
    receive(from, count, time).iter().map(|message| number_of(message)).collect()
}

/// Keeps a receiver alive until something is true.
pub(crate) fn receive_until(from: &mut Receiver, mut is_true: impl FnMut(&Receiver) -> bool) {
    let until = Instant::now() + LONG;
    while !is_true(from) {
        assert!(Instant::now() < until, "never came true");
        assert!(from.next_part().expect("poll works").is_none(), "no message expected");
        from.wait(&[], Some(Instant::now() + Duration::from_millis(5))).expect("poll works");
    }
}

pub(crate) fn wait_until(what: &str, mut is_true: impl FnMut() -> bool) {
    let until = Instant::now() + LONG;
    while !is_true() {
        assert!(Instant::now() < until, "{what} never came true");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sends a message, waiting for room.
pub(crate) fn send(to: &Sender, message: &[u8]) {
    let until = Instant::now() + LONG;
    while !to.send(message, 1) {
        assert!(Instant::now() < until, "no room");
        to.wait(&[], Some(until)).expect("poll works");
    }
}
