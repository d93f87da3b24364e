//! A real resolver, a real authority and a real client.

use super::{capture, kinds, stopped};
use crate::exchange::values;
use crate::namespace::Namespace;
use crate::tool::Scratch;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A daemon that is stopped when it is dropped.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Namespaces for a test with these programs. On machines that test every change (`CI` is `true`),
/// nothing may be missing.
#[expect(clippy::print_stdout, reason = "says why a test is skipped")]
fn namespaces<const N: usize>() -> Option<[Namespace; N]> {
    for program in ["unbound", "dig"] {
        let mut command = Command::new(program);
        let started = command.arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if started.is_err() {
            let must_work = std::env::var_os("CI").is_some_and(|value| value == "true");
            assert!(!must_work, "{program} is not installed");
            println!("skipped: {program} is not installed");
            return None;
        }
    }
    let made: Vec<Namespace> = std::iter::repeat_with(Namespace::new).take(N).flatten().collect();
    made.try_into().ok()
}

fn dig(namespace: &Namespace, words: &[&str]) -> String {
    let mut command = namespace.command("dig");
    command.args(["+time=5", "+tries=1"]).args(words).stdin(Stdio::null());
    let output = command.output().expect("dig starts");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Starts a resolver with more settings, and waits until it answers.
fn start(
    namespace: &Namespace,
    scratch: &Scratch,
    name: &str,
    address: &str,
    settings: &str,
) -> Daemon {
    let folder = scratch.text("");
    let configuration = format!(
        "server:\n  interface: {address}\n  access-control: 0.0.0.0/0 allow\n  \
         do-daemonize: no\n  chroot: \"\"\n  username: \"\"\n  directory: \"{folder}\"\n  \
         pidfile: \"\"\n  use-syslog: no\n  logfile: \"\"\n  verbosity: 0\n  \
         module-config: \"iterator\"\n  local-zone: \"up.invalid.\" static\n  \
         local-data: \"up.invalid. A 192.0.2.99\"\n{settings}\n\
         remote-control:\n  control-enable: no\n"
    );
    let file = scratch.write(&format!("{name}.conf"), configuration.as_bytes());
    let mut command = namespace.command("unbound");
    command.args(["-d", "-c", &file]).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let daemon = Daemon(command.spawn().expect("it starts"));
    let begin = Instant::now();
    while !dig(namespace, &[&format!("@{address}"), "up.invalid", "A"]).contains("192.0.2.99") {
        assert!(begin.elapsed() < Duration::from_secs(30), "{name} does not answer");
        std::thread::sleep(Duration::from_millis(100));
    }
    daemon
}

#[test]
fn a_resolver_and_its_client_are_understood() {
    let Some([namespace]) = namespaces() else { return };
    let scratch = Scratch::new();
    let settings = format!(
        "  interface: ::1\n  local-zone: \"test.\" static\n  \
         local-data: \"www.test. 300 IN A 192.0.2.1\"\n  \
         local-data: \"www.test. 300 IN AAAA 2001:db8::1\"\n  \
         local-data: 'long.test. 300 IN TXT \"{}\"'",
        "x".repeat(200)
    );
    let _resolver = start(&namespace, &scratch, "resolver", "127.0.0.1", &settings);
    let child = capture(&namespace, &["-i", "lo", "-T", "dnsqr", "-J", "-", "--stats"], &[]);
    let questions = [
        (&["@127.0.0.1", "www.test", "A"][..], "www.test.", "A", "NOERROR"),
        (&["@::1", "www.test", "AAAA"], "www.test.", "AAAA", "NOERROR"),
        (&["@127.0.0.1", "long.test", "TXT"], "long.test.", "TXT", "NOERROR"),
        (&["@127.0.0.1", "nobody.test", "A"], "nobody.test.", "A", "NXDOMAIN"),
        (&["@127.0.0.1", "+noedns", "+norecurse", "WWW.test", "A"], "WWW.test.", "A", "NOERROR"),
    ];
    for (words, ..) in &questions {
        dig(&namespace, words);
    }
    dig(&namespace, &["@127.0.0.1", "+tcp", "www.test", "A"]);
    let ran = stopped(child);
    let (udp, tcp): (Vec<&str>, Vec<&str>) =
        ran.text().lines().partition(|line| kinds(line) != ["TCP"]);
    let udp = udp.join("\n");
    assert_eq!(kinds(&udp), ["UDP_QUERY_RESPONSE"; 5], "{udp}");
    for (key, want) in [
        ("qname", questions.map(|(_, name, ..)| name)),
        ("qtype", questions.map(|(_, _, qtype, _)| qtype)),
        ("rcode", questions.map(|(.., rcode)| rcode)),
    ] {
        let found: Vec<&str> = values(&udp, key).into_iter().flatten().collect();
        assert_eq!(found, want, "{key}");
    }
    assert!(udp.contains("192.0.2.1") && udp.contains("2001:db8::1"), "answers are shown");
    assert!(tcp.len() >= 8, "every segment of a connection: {}", tcp.len());
    assert!(ran.stderr.contains(", balanced\n"), "{}", ran.stderr);
}

/// The zone that the authority has. `big` needs fragments on a cable of 1500 octets.
fn zone() -> String {
    let mut zone = String::from(
        "$ORIGIN zone.example.\n$TTL 300\n@ SOA ns host 1 3600 600 86400 60\n@ NS ns\n\
         ns A 10.9.0.2\nwww A 192.0.2.1\nwww AAAA 2001:db8::1\nalias CNAME www\n@ MX 10 mail\n\
         mail A 192.0.2.25\n",
    );
    for number in 0..12 {
        zone.push_str(&format!("big TXT \"{number}{}\"\n", "y".repeat(200)));
    }
    zone
}

#[test]
fn a_resolver_that_asks_an_authority_is_seen_on_both_sides() {
    let Some([here, there]) = namespaces() else { return };
    here.connect(&there);
    let (scratch, far_scratch) = (Scratch::new(), Scratch::new());
    let large = "  edns-buffer-size: 4096\n  max-udp-size: 4096\n";
    let file = far_scratch.write("zone", zone().as_bytes());
    let settings = format!(
        "{large}auth-zone:\n  name: \"zone.example.\"\n  zonefile: \"{file}\"\n  \
         for-downstream: yes\n  for-upstream: no\n  fallback-enabled: no"
    );
    let _authority = start(&there, &far_scratch, "authority", "10.9.0.2", &settings);
    let settings = format!(
        "{large}  qname-minimisation: no\n  target-fetch-policy: \"0 0 0 0 0\"\n\
         stub-zone:\n  name: \"zone.example.\"\n  stub-addr: 10.9.0.2"
    );
    let _resolver = start(&here, &scratch, "resolver", "127.0.0.1", &settings);
    let words = ["-i", "lo,65535", "-i", "v0", "-T", "dnsqr", "-J", "-", "--stats"];
    let child = capture(&here, &words, &[]);
    let questions = [
        ("www.zone.example", "A", "NOERROR"),
        ("www.zone.example", "AAAA", "NOERROR"),
        ("alias.zone.example", "A", "NOERROR"),
        ("zone.example", "MX", "NOERROR"),
        ("nobody.zone.example", "A", "NXDOMAIN"),
        ("big.zone.example", "TXT", "NOERROR"),
    ];
    for (name, qtype, rcode) in questions {
        let text = dig(&here, &["@127.0.0.1", "+bufsize=4096", "+ignore", name, qtype]);
        assert!(text.contains(&format!("status: {rcode}")), "{name} {qtype}: {text}");
    }
    // From the resolver's memory.
    dig(&here, &["@127.0.0.1", "www.zone.example", "A"]);
    let ran = stopped(child);
    let asked = |from: &str, to: &str, name: &str, qtype: &str| -> Vec<&str> {
        let wanted = [
            ("query_ip", from),
            ("response_ip", to),
            ("qname", &format!("{name}.")),
            ("qtype", qtype),
        ];
        let fits = |line: &&str| {
            wanted.iter().all(|(key, value)| line.contains(&format!("\"{key}\":\"{value}\"")))
        };
        ran.text().lines().filter(fits).collect()
    };
    for (name, qtype, rcode) in questions {
        let client = asked("127.0.0.1", "127.0.0.1", name, qtype);
        let upstream = asked("10.9.0.1", "10.9.0.2", name, qtype);
        let twice = (name, qtype) == ("www.zone.example", "A");
        assert_eq!(client.len(), if twice { 2 } else { 1 }, "{name} {qtype} of the client");
        assert_eq!(upstream.len(), 1, "{name} {qtype} of the resolver: {}", ran.text());
        for line in [client, upstream].concat() {
            assert_eq!(kinds(line), ["UDP_QUERY_RESPONSE"], "{line}");
            assert_eq!(values(line, "rcode"), [Some(rcode)], "{line}");
            assert!(line.contains("\"udp_checksum\":\""), "{line}");
            assert!(line.contains("\"delay\":"), "{line}");
        }
    }
    let big = asked("10.9.0.1", "10.9.0.2", "big.zone.example", "TXT")[0];
    let (_, packets) = big.split_once("\"response_packet\":[").expect("packets");
    let packets = packets.split(']').next().unwrap_or_default();
    assert_eq!(packets.split(',').count(), 2, "two fragments");
    let (_, response) = big.split_once("\"response_json\":").expect("the response");
    assert_eq!(response.matches("yyyyyyyy").count() / 25, 12, "all of it, joined: {big}");
    assert!(ran.stderr.contains(", balanced\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains(" 0 dropped, "), "{}", ran.stderr);
}
