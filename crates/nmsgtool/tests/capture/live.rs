//! Live capture, in network namespaces that the tests make.

mod commands;
mod far_end;
mod resolver;

use crate::exchange::{ids, kinds, queries, values};
use crate::namespace::Namespace;
use crate::tool::{
    END, Ran, Scratch, assert_quick, end_of, run, settle, signal, start, uninterrupted,
};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::process::Child;
use std::time::{Duration, Instant};

/// Starts the program in a namespace and waits until it captures.
fn capture(namespace: &Namespace, words: &[&str], variables: &[(&str, &str)]) -> Child {
    let scratch = Scratch::new();
    let ready = UnixDatagram::bind(scratch.path("ready")).expect("a socket");
    // Whoever the program becomes.
    let everybody = Permissions::from_mode(0o777);
    fs::set_permissions(scratch.path("ready"), everybody).expect("it is ours");
    ready.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    let mut command = namespace.command(env!("CARGO_BIN_EXE_nmsgtool"));
    command.args(words).envs(variables.iter().copied());
    command.env("NOTIFY_SOCKET", scratch.path("ready"));
    let child = start(command);
    uninterrupted(|| ready.recv(&mut [0; 100])).expect("the program is ready");
    child
}

/// Leaves what was captured the time it takes through the kernel.
fn pause() {
    std::thread::sleep(Duration::from_millis(400));
}

fn stopped(child: Child) -> Ran {
    pause();
    settle(child.id());
    signal(&child, "TERM");
    let (ran, _) = end_of(child);
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("nmsgtool: signalled break\n"), "{}", ran.stderr);
    ran
}

#[test]
fn sg_1_a_signal_ends_an_idle_capture_at_once() {
    let (Some(here), Some(there)) = (Namespace::new(), Namespace::new()) else { return };
    here.connect(&there);
    for (name, words) in [
        ("loopback", &["-i", "lo", "-T", "dnsqr"][..]),
        ("cable", &["-i", "v0+", "-T", "packet", "-b", "port 1"]),
        ("both", &["-i", "lo", "-i", "v0,200", "-T", "dnsqr"]),
        ("one thread", &["-i", "lo", "-T", "dnsqr", "--threads", "1"]),
    ] {
        for number in ["INT", "TERM"] {
            assert_quick(&format!("{name}, {number}"), END, || {
                let child = capture(&here, words, &[]);
                signal(&child, number);
                let (ran, took) = end_of(child);
                assert_eq!(
                    (ran.status, &*ran.stderr),
                    (1, "nmsgtool: signalled break\n"),
                    "{name}"
                );
                took
            });
        }
    }
}

#[test]
fn cp_10_an_interval_ends_an_idle_capture() {
    let Some(namespace) = Namespace::new() else { return };
    let words = ["-i", "lo", "-T", "dnsqr", "-t", "1", "-J", "-"];
    for threads in ["1", "2"] {
        let begin = Instant::now();
        let child = capture(&namespace, &[&words[..], &["--threads", threads]].concat(), &[]);
        let (ran, _) = end_of(child);
        assert_eq!((ran.status, &*ran.stderr), (0, ""));
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    }
}

#[test]
fn dq_6_a_count_is_exact_and_ends_the_run_at_once() {
    let Some(namespace) = Namespace::new() else { return };
    for (count, exchanges) in [("1", 1), ("5", 5), ("5", 50)] {
        for threads in ["1", "2"] {
            let words = ["-i", "lo", "-T", "dnsqr", "-c", count, "-J", "-", "--threads", threads];
            let child = capture(&namespace, &words, &[]);
            far_end::exchange(&namespace, exchanges);
            let (ran, took) = end_of(child);
            assert_eq!((ran.status, &*ran.stderr), (0, ""));
            let want: Vec<u16> = (0..count.parse().expect("a number")).collect();
            assert_eq!(ids(ran.text()), want, "-c {count} of {exchanges}");
            assert!(took < Duration::from_secs(20), "no further packet is needed: {took:?}");
        }
    }
}

#[test]
fn every_exchange_becomes_a_message() {
    let (Some(here), Some(there)) = (Namespace::new(), Namespace::new()) else { return };
    here.connect(&there);
    let server = far_end::serve(&there, "10.9.0.2");
    far_end::reach(&here, "10.9.0.2");
    let scratch = Scratch::new();
    let output = scratch.text("out.json");
    let child = capture(&here, &["-i", "v0", "-T", "dnsqr", "-J", &output, "--stats"], &[]);
    far_end::ask(&here, "10.9.0.2", 300);
    let ran = stopped(child);
    drop(server);
    let text = fs::read_to_string(output).expect("the output");
    assert_eq!(kinds(&text), ["UDP_QUERY_RESPONSE"; 300]);
    assert_eq!(ids(&text), (0..300).collect::<Vec<_>>());
    assert_eq!(values(&text, "query_ip"), [Some("10.9.0.1"); 300]);
    assert_eq!(values(&text, "qname"), [Some("far.example."); 300]);
    assert!(
        ran.stderr.contains("kernel: ") && ran.stderr.contains(" 0 dropped, "),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains(", balanced\n"), "{}", ran.stderr);
}

#[test]
fn cp_10_queries_expire_on_an_idle_interface() {
    let Some(namespace) = Namespace::new() else { return };
    let words = ["-i", "lo", "-T", "dnsqr", "-J", "-", "-b", "udp port 53"];
    for threads in ["1", "2"] {
        let words = [&words[..], &["--threads", threads]].concat();
        let mut child = capture(&namespace, &words, &[("DNSQR_QUERY_TIMEOUT", "1")]);
        let begin = Instant::now();
        far_end::ask_nobody(&namespace, 1);
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("text");
        assert_eq!(kinds(&line), ["UDP_UNANSWERED_QUERY"]);
        let took = begin.elapsed();
        assert!(took > Duration::from_secs(1) && took < Duration::from_secs(20), "{took:?}");
        signal(&child, "TERM");
        assert_eq!(end_of(child).0.status, 1);
    }
}

#[test]
fn dq_6_a_signal_brings_out_what_waits() {
    let Some(namespace) = Namespace::new() else { return };
    let words = ["-i", "lo", "-T", "dnsqr", "-J", "-", "-b", "udp port 53"];
    let child = capture(&namespace, &words, &[]);
    far_end::ask_nobody(&namespace, 20);
    let ran = stopped(child);
    assert_eq!(ids(ran.text()), (0..20).collect::<Vec<_>>());
    assert_eq!(kinds(ran.text()), ["UDP_UNANSWERED_QUERY"; 20]);
}

#[test]
fn cp_8_frames_beyond_the_snapshot_length_are_told() {
    let Some(namespace) = Namespace::new() else { return };
    let words = ["-i", "lo,60", "-T", "packet", "-J", "-", "-b", "udp port 53", "--stats"];
    let child = capture(&namespace, &words, &[]);
    far_end::exchange(&namespace, 3);
    let ran = stopped(child);
    assert_eq!(ran.text(), "");
    let told = "nmsgtool: lo: frame skipped: cut by the snapshot length (frame 1)\n";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    assert!(ran.stderr.contains("; 6 frames: 0 used, 6 cut by the"), "{}", ran.stderr);
}

#[test]
fn filters_hold_in_the_kernel() {
    let Some(namespace) = Namespace::new() else { return };
    let words = ["-i", "lo", "-T", "dnsqr", "-J", "-", "--stats"];
    for (more, variables, frames) in [
        (&["-b", "udp src port 53"][..], &[][..], 4),
        (&["-b", "ip6"], &[], 0),
        (&[], &[("DNSQR_AUTH_ADDRS", "127.0.0.1")], 8),
    ] {
        let child = capture(&namespace, &[&words, more].concat(), variables);
        far_end::exchange(&namespace, 4);
        let ran = stopped(child);
        let want = format!("; {frames} frames: ");
        assert!(ran.stderr.contains(&want), "{more:?} {variables:?}: {}", ran.stderr);
    }
}

#[test]
fn an_interface_that_goes_away_is_an_input_failure() {
    let (Some(here), Some(there)) = (Namespace::new(), Namespace::new()) else { return };
    here.connect(&there);
    let child = capture(&here, &["-i", "v0", "-T", "dnsqr", "-J", "-", "-b", "udp"], &[]);
    far_end::ask_silent(&here, "10.9.0.2", 3);
    pause();
    here.ip(["link", "delete", "v0"]).expect("the interface goes");
    let (ran, _) = end_of(child);
    assert_eq!(ran.status, 3);
    assert!(
        ran.stderr.starts_with("nmsgtool: unable to read v0: The interface "),
        "{}",
        ran.stderr
    );
    assert_eq!(ids(ran.text()), [0, 1, 2], "dq_6: what waits comes out");
}

#[test]
fn captures_and_files_go_together() {
    let Some(namespace) = Namespace::new() else { return };
    let scratch = Scratch::new();
    let file = scratch.write("in.pcap", &queries(1000..1010));
    let words = ["-i", "lo", "-p", &file, "-T", "dnsqr", "-c", "15", "-J", "-"];
    let child = capture(&namespace, &words, &[]);
    far_end::exchange(&namespace, 5);
    let (ran, _) = end_of(child);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    let mut found = ids(ran.text());
    found.sort_unstable();
    assert_eq!(found, (0..5).chain(1000..1010).collect::<Vec<_>>());
}

#[test]
fn sg_9_capturing_starts_before_privileges_are_dropped() {
    let Some(namespace) = Namespace::new() else { return };
    let words = ["-i", "lo", "-T", "dnsqr", "-U", "nobody", "-c", "2", "-J", "-"];
    let child = capture(&namespace, &words, &[]);
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it runs");
    let user = status.lines().find_map(|line| line.strip_prefix("Uid:")).expect("a user");
    assert!(user.split_whitespace().all(|id| id != "0"), "{user}");
    far_end::exchange(&namespace, 2);
    let (ran, _) = end_of(child);
    assert_eq!((ran.status, ids(ran.text())), (0, vec![0, 1]), "{}", ran.stderr);
}

#[test]
fn interfaces_that_cannot_be_captured_on_are_told() {
    let Some(namespace) = Namespace::new() else { return };
    let missing = "nmsgtool: pcap interface input nowhere0: pcap_activate() failed: -5 (";
    let bad_filter = "nmsg_pcap_input_setfilter: unable to compile bpf 'udp 53': ";
    for (words, status, want) in [
        (&["-i", "nowhere0", "-T", "packet"][..], 3, missing),
        (&["-i", "lo", "-T", "packet", "-b", "udp 53"], 2, bad_filter),
    ] {
        let mut command = namespace.command(env!("CARGO_BIN_EXE_nmsgtool"));
        command.args(words);
        let (ran, _) = end_of(start(command));
        assert_eq!(ran.status, status, "{words:?}");
        assert!(ran.stderr.starts_with(want), "{words:?}: {}", ran.stderr);
    }
    let ran = run(["-i", "nowhere0", "-T", "ipconn"]);
    assert_eq!(ran.status, 2, "the type is checked first");
}
