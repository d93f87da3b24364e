//! Live capture on the loopback interface; skipped without libpcap or permission.

#![expect(clippy::print_stdout, reason = "says why a test is skipped")]

use nmsg_os::pcap::{Capture, Interface, library};
use nmsg_os::{Latch, Ready};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

fn loopback() -> Option<Capture> {
    let interface = Interface { name: "lo".to_owned(), promiscuous: false, snaplen: 200 };
    let opened = library()
        .map_err(|error| error.to_string())
        .and_then(|library| Capture::open(library, &interface).map_err(|error| error.to_string()));
    match opened {
        Ok(capture) => Some(capture),
        Err(reason) => {
            println!("skipped: {reason}");
            None
        }
    }
}

#[test]
fn frames_arrive_filtered_cut_and_counted() {
    let Some(mut capture) = loopback() else { return };
    assert_eq!(capture.link(), 1);
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = receiver.local_addr().unwrap().port();
    capture.set_filter(&format!("udp dst port {port}")).unwrap();
    assert!(capture.set_filter("udp 53").unwrap_err().to_string().contains("syntax error"));

    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    sender.send_to(&[7; 300], ("127.0.0.1", port)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut seen = None;
    while seen.is_none() && Instant::now() < deadline {
        capture.wait(&[], Some(deadline)).unwrap();
        if let Some(packet) = capture.next_packet().unwrap() {
            assert!(packet.time.0 > 1_600_000_000 && packet.time.1 < 1_000_000);
            seen = Some((packet.octets.len(), packet.original_len, packet.octets[42..].to_vec()));
        }
    }
    assert_eq!(seen, Some((200, 342, vec![7; 158])));
    let statistics = capture.statistics().unwrap();
    assert!(statistics.received >= 1 && statistics.dropped == 0, "{statistics:?}");
}

#[test]
fn cp_10_waiting_ends_in_time() {
    let Some(mut capture) = loopback() else { return };
    capture.set_filter("udp port 1 and host 127.1.2.3").unwrap();
    let soon = Instant::now() + Duration::from_millis(50);
    assert_eq!(capture.wait(&[], Some(soon)).unwrap(), Ready::Timeout);
    assert!(capture.next_packet().unwrap().is_none());
    let latch = Latch::new().unwrap();
    let late = Instant::now() + Duration::from_secs(60);
    std::thread::scope(|scope| {
        scope.spawn(|| latch.raise());
        assert_eq!(capture.wait(&[&latch], Some(late)).unwrap(), Ready::Latch);
    });
    assert!(Instant::now() < late);
}

#[test]
fn unknown_interfaces_are_refused() {
    let Ok(library) = library() else {
        println!("skipped: libpcap is not installed");
        return;
    };
    let interface = Interface::parse("nmsg-none0").unwrap();
    let error = Capture::open(library, &interface).unwrap_err().to_string();
    assert!(error.starts_with("pcap_activate() failed: "), "{error}");
    let nul = Interface { name: "a\0b".to_owned(), ..interface };
    assert!(Capture::open(library, &nul).unwrap_err().to_string().contains("NUL"));
}
