//! A real resolver and a real client.

use super::{capture, kinds, stopped};
use crate::exchange::values;
use crate::namespace::Namespace;
use crate::tool::Scratch;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A resolver that is stopped when it is dropped.
struct Resolver(Child);

impl Drop for Resolver {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(clippy::print_stdout, reason = "says why a test is skipped")]
fn is_there(program: &str) -> bool {
    let mut command = Command::new(program);
    let there = command.arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !there {
        println!("skipped: {program} is not installed");
    }
    there
}

fn dig(namespace: &Namespace, words: &[&str]) -> String {
    let mut command = namespace.command("dig");
    command.args(["+time=5", "+tries=1"]).args(words).stdin(Stdio::null());
    let output = command.output().expect("dig starts");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn resolver(namespace: &Namespace, scratch: &Scratch) -> Resolver {
    let folder = scratch.text("");
    let configuration = format!(
        "server:\n  interface: 127.0.0.1\n  interface: ::1\n  access-control: 0.0.0.0/0 allow\n  \
         do-daemonize: no\n  chroot: \"\"\n  username: \"\"\n  directory: \"{folder}\"\n  \
         pidfile: \"\"\n  use-syslog: no\n  logfile: \"\"\n  verbosity: 0\n  \
         module-config: \"iterator\"\n  local-zone: \"test.\" static\n  \
         local-data: \"www.test. 300 IN A 192.0.2.1\"\n  \
         local-data: \"www.test. 300 IN AAAA 2001:db8::1\"\n  \
         local-data: 'long.test. 300 IN TXT \"{}\"'\n\
         remote-control:\n  control-enable: no\n",
        "x".repeat(200)
    );
    let file = scratch.write("unbound.conf", configuration.as_bytes());
    let mut command = namespace.command("unbound");
    command.args(["-d", "-c", &file]).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let resolver = Resolver(command.spawn().expect("the resolver starts"));
    let begin = Instant::now();
    while !dig(namespace, &["@127.0.0.1", "www.test", "A"]).contains("192.0.2.1") {
        assert!(begin.elapsed() < Duration::from_secs(30), "the resolver does not answer");
        std::thread::sleep(Duration::from_millis(100));
    }
    resolver
}

#[test]
fn a_resolver_and_its_client_are_understood() {
    if !is_there("unbound") || !is_there("dig") {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    let scratch = Scratch::new();
    let _resolver = resolver(&namespace, &scratch);
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
