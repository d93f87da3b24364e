//! Commands as articles show them (`nmsgtool-cli` §14), on the loopback interface of a namespace.

use super::{capture, far_end, ids, stopped};
use crate::namespace::Namespace;
use crate::tool::{Scratch, end_of, run, signal, start};
use std::io::Read;
use std::sync::mpsc::channel;
use std::time::Duration;

/// Longest that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn row_15_unbuffered_containers_come_packet_by_packet() {
    let Some(namespace) = Namespace::new() else { return };
    let words =
        ["-i", "lo", "-V", "base", "-T", "packet", "-w", "-", "--unbuffered", "-b", "udp port 53"];
    let mut child = capture(&namespace, &words, &[]);
    let mut stdout = child.stdout.take().expect("a pipe");
    let (sender, receiver) = channel();
    let reading = std::thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(len @ 1..) = stdout.read(&mut chunk)
            && sender.send(chunk[..len].to_vec()).is_ok()
        {}
    });
    let mut octets = Vec::new();
    for exchanges in 1..=3 {
        far_end::exchange(&namespace, 1);
        while octets.windows(4).filter(|window| window == b"NMSG").count() < 2 * exchanges {
            octets.extend(receiver.recv_timeout(PATIENCE).expect("a container at once"));
        }
    }
    signal(&child, "TERM");
    assert_eq!(end_of(child).0.status, 1);
    reading.join().expect("no panic");
    assert_eq!(octets.windows(4).filter(|window| window == b"NMSG").count(), 6);
}

#[test]
fn row_16_exchanges_of_listed_resolvers_go_to_a_socket() {
    let Some(namespace) = Namespace::new() else { return };
    let mut listening = namespace.command(env!("CARGO_BIN_EXE_nmsgtool"));
    listening.args(["-l", "127.0.0.1/5353", "-c", "3", "-J", "-"]);
    let listening = start(listening);
    for (addresses, wanted) in [("192.168.0.1, 172.16.1.0/27", 0), ("127.0.0.1, 172.16.1.0/27", 3)]
    {
        let words = ["-i", "lo", "-V", "base", "-T", "dnsqr", "-s", "127.0.0.1/5353", "--stats"];
        let child = capture(&namespace, &words, &[("DNSQR_RES_ADDRS", addresses)]);
        far_end::exchange(&namespace, 3);
        let ran = stopped(child);
        let want = format!("{wanted} payloads in");
        assert!(ran.stderr.contains(&want), "{addresses}: {}", ran.stderr);
    }
    let (received, _) = end_of(listening);
    assert_eq!((received.status, ids(received.text())), (0, vec![0, 1, 2]));
}

#[test]
fn row_17_so_many_messages_are_written_to_a_file() {
    let Some(namespace) = Namespace::new() else { return };
    let scratch = Scratch::new();
    let file = scratch.text("out.nmsg");
    let words = ["-i", "lo", "-V", "base", "-T", "dnsqr", "-c", "4", "-w", &file];
    let child = capture(&namespace, &words, &[]);
    far_end::exchange(&namespace, 9);
    let (ran, _) = end_of(child);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    let shown = run(["-r", &file, "-J", "-"]);
    assert_eq!((shown.status, ids(shown.text())), (0, vec![0, 1, 2, 3]));
}
